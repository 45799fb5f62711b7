//! How the legs of a call are encrypted, for its record.

use super::CallActor;
use crate::message::LegCommand;
use plugboard_model::{CallRecord, Cause, LegEncryption, LegId};

impl CallActor {
    /// A leg's media is encrypted so from now on, or not any more.
    pub(super) fn encrypted(&mut self, leg: LegId, how: Option<LegEncryption>) {
        match how {
            Some(how) => {
                plugboard_metrics::LegSecured { call: &self.id, leg, how: &how }.emit(&self.env.metrics);
                self.encryption.insert(leg, how);
            }
            None => {
                self.encryption.remove(&leg);
            }
        }
    }

    /// A leg whose handshake failed can neither be heard nor spoken to: that is the cause of its end. While it rings nothing is
    /// heard of it anyway, and the handshake begins anew.
    pub(super) fn not_secured(&self, leg: LegId, why: &'static str) {
        if !self.call.is_up(leg) {
            return self.order(leg, LegCommand::ShakeAgain);
        }
        plugboard_metrics::LegNotSecured { call: &self.id, leg, why }.emit(&self.env.metrics);
        let cause = Cause { status: crate::convert::NOT_ACCEPTABLE, text: why.to_owned() };
        self.order(leg, LegCommand::GiveUp(cause));
    }

    /// Tells the record.
    pub(super) fn tell_encryption(&mut self, record: &mut CallRecord) {
        for leg in &mut record.legs {
            leg.encryption = self.encryption.remove(&leg.leg);
        }
    }
}
