//! A new leg becomes known to its shard.

use actix::Recipient;
use plugboard_model::LegId;

use crate::message::{Adopt, FromLayer, JoinAsked};

/// Whose a new leg is, for the shard.
pub(crate) struct Adoption {
    pub(crate) call: plugboard_model::CallId,
    pub(crate) sip_call_id: String,
    /// When the call began.
    pub(crate) began: plugboard_model::Time,
}

impl Adoption {
    /// The message for the shard's `SipActor`.
    pub(crate) fn message(
        self,
        owner: u64,
        leg: LegId,
        (events, join): (Recipient<FromLayer>, Recipient<JoinAsked>),
    ) -> Adopt {
        let Self { call, sip_call_id, began } = self;
        Adopt { owner, call, sip_call_id: sip_call_id.into(), began, leg, events, join }
    }
}
