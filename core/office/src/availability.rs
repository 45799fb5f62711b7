//! Whether a user may be rung: one machine a user, asked at every offer and every answer.
//!
//! A user has one call slot. Calls that scenarios, groups and queues offer need it free. An offer to one user or in a
//! group's order reserves it while he rings; an offer to all at once reserves nobody and takes it with the 200 OK, where
//! the first wins. His own calls take it without asking. Direct calls follow `calls_at_once`.

use plugboard_model::{CallId, UserStatus};
use std::collections::{BTreeMap, VecDeque};

/// Calls that one user's machine keeps: ringing and talking together. A scenario rings at most 32 users at once, and a
/// user whom more than 64 calls ring at once is under attack.
const CALLS_MAX: usize = 64;

/// Why a call wants the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferKind {
    /// A scenario rings him alone, or a group in order or at random does: the slot is reserved while he rings.
    OneUser,
    /// He rings together with others: nothing is reserved.
    AllAtOnce,
    /// Somebody dialled him.
    Direct,
    /// A call that he handed on comes back to him: never refused.
    Recall,
    /// A phone of his outside is rung and none of his devices: reserved as for one user, and that he is logged out does not matter.
    Phone,
}

/// The answer to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// Ring his devices; answer with [`Availability::claim`] at the first 200 OK.
    Ring,
    /// Do not ring him, because.
    Refused(Unavailable),
}

/// Why a user cannot be rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// His status says so (480 to the caller).
    Status(UserStatus),
    /// He is on a call, or another call has reserved him (486).
    OnACall,
    /// He is the caller, or this call already rings him.
    SameCall,
    /// Too many calls ring him.
    TooManyCalls,
}

/// The answer to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The call has him.
    Granted,
    /// Another call, or another device in the same call, was first: ACK the 200 OK and send BYE.
    AlreadyTaken,
}

/// What the machine asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Cancel this call's legs to the user without a missed-call notice: another call took him.
    StopRinging(CallId),
    /// Status or calls changed: lamps, panels and queues want to know.
    Changed,
}

/// What a call is to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holding {
    /// Rings and has reserved the slot.
    Reserved,
    /// Rings and has nothing.
    Ringing(OfferKind),
    /// He talks, or made the call himself.
    Taken,
    /// Another call took him while this one rang; its legs are being cancelled.
    Lost,
}

/// One user's status and calls.
#[derive(Debug, Clone)]
pub struct Availability {
    status: UserStatus,
    calls_at_once: u32,
    calls: BTreeMap<CallId, Holding>,
    outbox: VecDeque<Output>,
}

impl Availability {
    /// A user without calls.
    pub fn new(status: UserStatus, calls_at_once: u32) -> Self {
        Self { status, calls_at_once: calls_at_once.max(1), calls: BTreeMap::new(), outbox: VecDeque::new() }
    }

    /// A call wants to ring him.
    ///
    /// Busy and logged-out users are not rung by scenarios, the latter but at their phones outside; direct calls ring everyone
    /// but those who do not want to be disturbed or are logged out.
    pub fn offer(&mut self, call: &CallId, kind: OfferKind) -> Offered {
        if self.calls.contains_key(call) {
            return Offered::Refused(Unavailable::SameCall);
        }
        if self.calls.len() >= CALLS_MAX {
            return Offered::Refused(Unavailable::TooManyCalls);
        }
        let disturbed = match (self.status, kind) {
            (UserStatus::Available, _)
            | (UserStatus::Busy | UserStatus::Away | UserStatus::WrapUp, OfferKind::Direct)
            | (UserStatus::LoggedOut, OfferKind::Phone)
            | (_, OfferKind::Recall) => false,
            (
                UserStatus::Busy | UserStatus::Away | UserStatus::WrapUp,
                OfferKind::OneUser | OfferKind::AllAtOnce | OfferKind::Phone,
            )
            | (UserStatus::DoNotDisturb | UserStatus::LoggedOut, _) => true,
        };
        if disturbed {
            return Offered::Refused(Unavailable::Status(self.status));
        }
        let holding = match kind {
            OfferKind::OneUser | OfferKind::Phone if self.slot_is_free() => Holding::Reserved,
            OfferKind::AllAtOnce if self.slot_is_free() => Holding::Ringing(kind),
            OfferKind::Direct if self.direct_calls_and_taken() < self.calls_at_once => Holding::Ringing(kind),
            OfferKind::Recall => Holding::Ringing(kind),
            OfferKind::OneUser | OfferKind::AllAtOnce | OfferKind::Phone | OfferKind::Direct => {
                return Offered::Refused(Unavailable::OnACall);
            }
        };
        self.calls.insert(call.clone(), holding);
        Offered::Ring
    }

    /// One of his devices answered: compare-and-set of the slot.
    pub fn claim(&mut self, call: &CallId) -> Claim {
        let granted = match self.calls.get(call) {
            Some(Holding::Reserved | Holding::Ringing(OfferKind::Recall)) => true,
            Some(Holding::Ringing(OfferKind::Direct)) => self.taken() < self.calls_at_once,
            Some(Holding::Ringing(OfferKind::AllAtOnce | OfferKind::OneUser | OfferKind::Phone)) => self.slot_is_free(),
            Some(Holding::Taken | Holding::Lost) | None => false,
        };
        if !granted {
            return Claim::AlreadyTaken;
        }
        self.take(call);
        Claim::Granted
    }

    /// He calls out, or a consultation, pick-up or recall connects him: never refused.
    pub fn begin_own(&mut self, call: &CallId) {
        self.take(call);
    }

    /// His part in the call is over: it stopped ringing, or he hung up.
    pub fn release(&mut self, call: &CallId) {
        if self.calls.remove(call) == Some(Holding::Taken) {
            self.outbox.push_back(Output::Changed);
        }
    }

    /// He, his phone or an admin changed the status. Calls that ring him go on.
    pub fn set_status(&mut self, status: UserStatus) {
        if self.status != status {
            self.status = status;
            self.outbox.push_back(Output::Changed);
        }
    }

    /// A reload changed his `calls_at_once`. Calls that he has go on.
    pub fn set_calls_at_once(&mut self, calls_at_once: u32) {
        self.calls_at_once = calls_at_once.max(1);
    }

    /// What he lets others know.
    pub fn status(&self) -> UserStatus {
        self.status
    }

    /// Calls he has, ringing ones not counted.
    pub fn taken(&self) -> u32 {
        self.count(|holding| matches!(holding, Holding::Taken))
    }

    /// Whether he talks in this call, or made it.
    pub fn has_taken(&self, call: &CallId) -> bool {
        self.calls.get(call) == Some(&Holding::Taken)
    }

    /// Whether this call is one that he has or that rings him.
    pub fn has(&self, call: &CallId) -> bool {
        self.calls.contains_key(call)
    }

    /// Calls he has or that ring him.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Whether a scenario could have him now: what a queue waits for.
    pub fn is_free(&self) -> bool {
        self.status == UserStatus::Available && self.slot_is_free()
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop_front()
    }

    fn slot_is_free(&self) -> bool {
        self.count(|holding| matches!(holding, Holding::Taken | Holding::Reserved)) == 0
    }

    /// A direct call may ring beside others only while answering them all stays within `calls_at_once`.
    fn direct_calls_and_taken(&self) -> u32 {
        self.count(|holding| {
            matches!(holding, Holding::Taken | Holding::Reserved | Holding::Ringing(OfferKind::Direct))
        })
    }

    fn count(&self, which: impl Fn(&Holding) -> bool) -> u32 {
        u32::try_from(self.calls.values().filter(|holding| which(holding)).count()).unwrap_or(u32::MAX)
    }

    /// Gives the call the user, and stops the offers that can no longer win him.
    fn take(&mut self, call: &CallId) {
        self.calls.insert(call.clone(), Holding::Taken);
        let direct_is_full = self.taken() >= self.calls_at_once;
        for (other, holding) in &mut self.calls {
            let lost = match holding {
                Holding::Reserved | Holding::Ringing(OfferKind::OneUser | OfferKind::AllAtOnce | OfferKind::Phone) => {
                    true
                }
                Holding::Ringing(OfferKind::Direct) => direct_is_full,
                Holding::Ringing(OfferKind::Recall) | Holding::Taken | Holding::Lost => false,
            };
            if lost {
                *holding = Holding::Lost;
                self.outbox.push_back(Output::StopRinging(other.clone()));
            }
        }
        self.outbox.push_back(Output::Changed);
    }
}
