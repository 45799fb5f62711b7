//! A new leg becomes known to its shard.

use actix::Recipient;
use plugboard_model::LegId;

use crate::message::{Adopt, FromLayer, JoinAsked};

/// Whose a new leg is, for the shard.
pub(crate) struct Adoption {
    pub(crate) call: plugboard_model::CallId,
    pub(crate) sip_call_id: String,
}

impl Adoption {
    /// The message for the shard's `SipActor`.
    pub(crate) fn message(
        self,
        owner: u64,
        leg: LegId,
        (events, join): (Recipient<FromLayer>, Recipient<JoinAsked>),
    ) -> Adopt {
        Adopt { owner, call: self.call, sip_call_id: self.sip_call_id.into(), leg, events, join }
    }
}
