//! One who is responsible: whether he is rung, where, and what became of it.

use plugboard_sdk::dial::{Connected, NotConnected, Phones, RingBack, Target};
use plugboard_sdk::directory::{self, Status};
use plugboard_sdk::prelude::*;

/// A user who is responsible for the contact.
pub(crate) struct Person {
    pub(crate) user: String,
    pub(crate) has_phones: bool,
}

/// How each is tried.
pub(crate) struct Tries {
    pub(crate) ring_for: Duration,
    /// Phones outside are rung.
    pub(crate) phones: bool,
    /// All of them at once.
    pub(crate) all: bool,
    pub(crate) phones_ring_for: Duration,
    pub(crate) ring_back: RingBack,
}

/// What became of one.
pub(crate) enum Became {
    /// This user talks to the caller.
    Answer(String),
    Timeout,
    NoAnswer(Cause),
    /// The switch rings him for nobody: the grant does not cover him, or he is gone.
    Refused(NotConnected),
    /// He was not rung, and why.
    Skipped(&'static str),
}

impl Person {
    /// His devices, then his phones; at once his phones when he is offline; nothing when he is on a call.
    pub(crate) fn tried(self, tries: &Tries) -> Result<Became, Failure> {
        let Some(user) = directory::find_user(&self.user).filter(|user| user.id == self.user) else {
            return Ok(Became::Skipped("offline"));
        };
        let offline = user.status == Status::LoggedOut || !user.reachable;
        if user.calls > 0 || matches!(user.status, Status::Busy | Status::DoNotDisturb) {
            return Ok(Became::Skipped("busy"));
        }
        let reached_outside = tries.phones && self.has_phones;
        if offline {
            let skipped = Became::Skipped("offline");
            return if reached_outside { self.rings_phones(tries) } else { Ok(skipped) };
        }
        let devices = [Target::User(self.user.clone())];
        let became = self.became(dial::ring(&devices, tries.ring_for, tries.ring_back))?;
        // Whoever declines does not want to be asked again a second later.
        let leads_on = match &became {
            Became::Timeout | Became::Refused(_) => true,
            Became::NoAnswer(cause) => !matches!(cause.sip_status, 486 | 600 | 603 | 607),
            Became::Answer(_) | Became::Skipped(_) => false,
        };
        if !(leads_on && reached_outside) {
            return Ok(became);
        }
        Ok(match (self.rings_phones(tries)?, became) {
            // That his phones cannot be rung changes nothing about what his devices came to.
            (Became::Refused(_), became) => became,
            (later, _) => later,
        })
    }

    fn rings_phones(&self, tries: &Tries) -> Result<Became, Failure> {
        let phones = [Target::Phones(Phones { user: self.user.clone(), all: tries.all })];
        self.became(dial::ring(&phones, tries.phones_ring_for, tries.ring_back))
    }

    fn became(&self, rang: Result<Connected, NotConnected>) -> Result<Became, Failure> {
        match rang {
            Ok(connected) => Ok(Became::Answer(connected.user.unwrap_or_else(|| self.user.clone()))),
            Err(NotConnected::Timeout) => Ok(Became::Timeout),
            Err(NotConnected::NoAnswer(cause)) => Ok(Became::NoAnswer(cause)),
            Err(refusal @ (NotConnected::Denied(_) | NotConnected::Invalid(_))) => Ok(Became::Refused(refusal)),
            Err(fault @ (NotConnected::CallerGone | NotConnected::Talking)) => Err(fault.into()),
        }
    }
}
