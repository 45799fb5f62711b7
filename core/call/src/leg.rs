//! A leg as its call sees it.

use crate::PlayId;
use crate::input::{Forward, Phone, Way};
use plugboard_model::{Cause, GatewayId, LegId, LegRecord, Time, UserId, WallTime};

/// How far a leg is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LegState {
    /// INVITE sent (or, for the caller, received): not answered.
    Calling,
    /// It rings.
    Ringing,
    /// Answered; waits for the user's slot.
    Claiming,
    /// Answered and in use.
    Up,
    /// Told to end; its end will be reported.
    Ending,
    /// Over.
    Ended { at: Time, cause: Cause },
}

/// Whether a leg is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sound {
    /// As far as is known.
    Heard,
    /// No, when it need not be.
    Unneeded,
    /// No: it is asked whether it is there.
    Asked,
    /// No, and it is there, or was never heard.
    OneWay,
}

/// A leg.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) user: Option<UserId>,
    pub(crate) gateway: Option<GatewayId>,
    pub(crate) party: String,
    pub(crate) began: Time,
    pub(crate) answered: Option<Time>,
    pub(crate) state: LegState,
    /// It does not listen: it has put whoever it talks to on hold.
    pub(crate) holds: bool,
    pub(crate) sound: Sound,
    /// What it hears while it is on hold.
    pub(crate) music: Option<PlayId>,
    /// Why we end it, which says more than that it ended.
    pub(crate) told: Option<Cause>,
    /// Where the call goes if this leg's gateway does not take it.
    pub(crate) ways: Ways,
    /// On whose behalf it is called.
    pub(crate) forwards: Vec<Forward>,
    /// What it is besides a number outside.
    pub(crate) phone: Option<Phone>,
}

/// What is left to be tried of the ways to an outside number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ways {
    /// This leg's own first, then the others.
    pub(crate) left: Vec<Way>,
    /// The gateway has another address.
    pub(crate) has_more: bool,
}

impl Leg {
    /// One that stands for another call.
    pub(crate) fn joint(now: Time, other: String) -> Self {
        Self {
            user: None,
            gateway: None,
            party: other,
            began: now,
            answered: Some(now),
            state: LegState::Up,
            holds: false,
            sound: Sound::Heard,
            music: None,
            told: None,
            ways: Ways::default(),
            forwards: Vec::new(),
            phone: None,
        }
    }

    /// The user who talks when it is answered: at a device of his, or at a phone of his outside.
    pub(crate) fn person(&self) -> Option<&UserId> {
        self.user.as_ref().or_else(|| self.phone.as_ref()?.of.as_ref())
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, LegState::Ended { .. })
    }

    /// The leg's line in the record; `now` stands in for an end that was never reported.
    pub(crate) fn record(&self, leg: LegId, wall: WallTime, now: Time) -> LegRecord {
        let (ended, cause) = match &self.state {
            LegState::Ended { at, cause } => (*at, cause.clone()),
            LegState::Calling | LegState::Ringing | LegState::Claiming | LegState::Up | LegState::Ending => {
                (now, Cause::of(408))
            }
        };
        LegRecord {
            leg,
            user: self.user.clone(),
            gateway: self.gateway.clone(),
            party: self.party.clone(),
            began: wall_at(wall, self.began),
            answered: self.answered.map(|at| wall_at(wall, at)),
            ended: wall_at(wall, ended),
            cause,
            quality: None,
            encryption: None,
        }
    }
}

/// The wall clock at `at`, when it showed `wall` at the call's start.
pub(crate) fn wall_at(wall: WallTime, at: Time) -> WallTime {
    WallTime(wall.0.saturating_add(i64::try_from(at.as_millis()).unwrap_or(i64::MAX)))
}
