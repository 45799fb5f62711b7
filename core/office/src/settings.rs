//! What a user sets of himself while the switch runs: his status, where his calls go, the groups that he is logged in to.
//!
//! The office document says what holds at the start. What he, his phone or an admin changed holds over a restart, each
//! part for as long as the document goes on saying of it what it said when it was changed: who changes the document means it.

use plugboard_model::{Dialled, ForwardWhen, Name, UserStatus, WallTime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long a user is rung before his forward on no answer, unless he says so.
pub(crate) const FORWARD_AFTER: Duration = Duration::from_secs(20);
/// As ring times.
pub(crate) const FORWARD_AFTER_RANGE: RangeInclusive<Duration> = crate::parts::RING_FOR;
/// Groups that one user may be logged out of: more than he is ever in. What is stored of him stays small.
pub(crate) const OUT_OF_MAX: usize = 256;

/// Where a user's calls go instead of to him: numbers as he would dial them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwards {
    /// Every call; nothing else of these applies then.
    pub always: Option<Dialled>,
    /// Calls that find him busy, that he declines, or that come while he does not want to be disturbed.
    pub busy: Option<Dialled>,
    /// Calls that he does not answer within [`Self::after`].
    pub no_answer: Option<Dialled>,
    /// Calls that find no device of his, or come while he is logged out.
    pub unreachable: Option<Dialled>,
    /// How long he is rung before [`Self::no_answer`]: 1 s to 10 min.
    pub after: Duration,
}

impl Default for Forwards {
    fn default() -> Self {
        Self { always: None, busy: None, no_answer: None, unreachable: None, after: FORWARD_AFTER }
    }
}

impl Forwards {
    /// Where calls go then.
    pub fn to(&self, when: ForwardWhen) -> Option<&Dialled> {
        match when {
            ForwardWhen::Always => self.always.as_ref(),
            ForwardWhen::Busy => self.busy.as_ref(),
            ForwardWhen::NoAnswer => self.no_answer.as_ref(),
            ForwardWhen::Unreachable => self.unreachable.as_ref(),
        }
    }

    pub(crate) fn place(&mut self, when: ForwardWhen) -> &mut Option<Dialled> {
        match when {
            ForwardWhen::Always => &mut self.always,
            ForwardWhen::Busy => &mut self.busy,
            ForwardWhen::NoAnswer => &mut self.no_answer,
            ForwardWhen::Unreachable => &mut self.unreachable,
        }
    }
}

/// What a user has set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserSettings {
    /// What he lets others know.
    pub status: UserStatus,
    /// Where his calls go.
    pub forward: Forwards,
    /// The groups that do not ring him though he is a member.
    pub out_of: BTreeSet<Name>,
    /// Why, as one of the office's `reasons`.
    #[serde(default)]
    pub reason: Option<Name>,
    /// Until when he wraps up: [`UserStatus::WrapUp`] ends then.
    #[serde(default)]
    pub wraps_up_until: Option<WallTime>,
}

/// One change of a user's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsChange {
    /// Another status.
    Status(UserStatus),
    /// Another status, and why: one of the office's `reasons`.
    StatusFor(UserStatus, Name),
    /// A call is over that he has to write up until then. Of the switch alone: none but who is available wraps up.
    WrapUp(WallTime),
    /// His time to write it up is over.
    WrapUpOver,
    /// His calls go there then; `None`: no longer.
    Forward(ForwardWhen, Option<Dialled>),
    /// How long he is rung before his forward on no answer.
    ForwardAfter(Duration),
    /// He is logged in to a group, or out of it.
    Group {
        /// Which.
        group: Name,
        /// In, or out.
        logged_in: bool,
    },
}

/// Why a change is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsFault {
    /// See [`Forwards::after`].
    #[error("a forward on no answer waits 1s to 10m")]
    After,
    /// A status that does not follow from the one that he has ([`UserStatus::may_become`]).
    #[error("the status {} does not follow {}: {}", .0.as_str(), .1.as_str(), .2)]
    Move(UserStatus, UserStatus, &'static str),
    /// Who may be rung needs no reason.
    #[error("the status {} has no reason", .0.as_str())]
    Reason(UserStatus),
    /// He is out of so many groups already.
    #[error("a user is logged out of 256 groups at most")]
    Groups,
}

impl UserSettings {
    /// Makes a change. Whether anything is another now.
    ///
    /// # Errors
    /// [`SettingsFault`]; then all is as before.
    pub fn change(&mut self, change: SettingsChange) -> Result<bool, SettingsFault> {
        Ok(match change {
            SettingsChange::Status(status) => self.become_so(status, None)?,
            SettingsChange::StatusFor(status, reason) => match status {
                UserStatus::Busy | UserStatus::Away | UserStatus::DoNotDisturb => {
                    self.become_so(status, Some(reason))?
                }
                UserStatus::Available | UserStatus::LoggedOut | UserStatus::WrapUp => {
                    return Err(SettingsFault::Reason(status));
                }
            },
            SettingsChange::WrapUp(until) => {
                // Who wants his peace, or is gone, has it already.
                let wraps = matches!(self.status, UserStatus::Available | UserStatus::WrapUp);
                if wraps {
                    self.status = UserStatus::WrapUp;
                    self.wraps_up_until = Some(until);
                }
                wraps
            }
            SettingsChange::WrapUpOver => {
                let over = self.status == UserStatus::WrapUp;
                if over {
                    self.status = UserStatus::Available;
                }
                self.wraps_up_until = None;
                over
            }
            SettingsChange::Forward(when, to) => {
                let place = self.forward.place(when);
                let other = *place != to;
                *place = to;
                other
            }
            SettingsChange::ForwardAfter(after) => {
                if !FORWARD_AFTER_RANGE.contains(&after) {
                    return Err(SettingsFault::After);
                }
                std::mem::replace(&mut self.forward.after, after) != after
            }
            SettingsChange::Group { group, logged_in: true } => self.out_of.remove(&group),
            SettingsChange::Group { group, logged_in: false } => {
                if self.out_of.len() >= OUT_OF_MAX && !self.out_of.contains(&group) {
                    return Err(SettingsFault::Groups);
                }
                self.out_of.insert(group)
            }
        })
    }

    fn become_so(&mut self, status: UserStatus, reason: Option<Name>) -> Result<bool, SettingsFault> {
        self.status.may_become(status).map_err(|why| SettingsFault::Move(status, self.status, why))?;
        let is_other = self.status != status || self.reason != reason;
        (self.status, self.reason) = (status, reason);
        if status != UserStatus::WrapUp {
            self.wraps_up_until = None;
        }
        Ok(is_other)
    }

    /// Whether this group rings him.
    pub fn is_in(&self, group: &Name) -> bool {
        !self.out_of.contains(group)
    }
}

/// A user's settings as they are kept over a restart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeptSettings {
    /// What the document said when they were changed last.
    pub written: UserSettings,
    /// What holds since then.
    pub now: UserSettings,
}

impl KeptSettings {
    /// What holds when the document says `written`.
    pub fn under(&self, written: &UserSettings) -> UserSettings {
        fn part<T: Clone + PartialEq>(before: &T, kept: &T, written: &T) -> T {
            if before == written { kept.clone() } else { written.clone() }
        }
        let (before, now) = (&self.written, &self.now);
        let mut forward = Forwards {
            after: part(&before.forward.after, &now.forward.after, &written.forward.after),
            ..Forwards::default()
        };
        for when in ForwardWhen::ALL {
            let (before, now) = (before.forward.to(when).cloned(), now.forward.to(when).cloned());
            *forward.place(when) = part(&before, &now, &written.forward.to(when).cloned());
        }
        UserSettings {
            status: part(&before.status, &now.status, &written.status),
            forward,
            out_of: part(&before.out_of, &now.out_of, &written.out_of),
            // They go with the status, of which the document knows no reason and no end.
            reason: now.reason.clone().filter(|_| before.status == written.status),
            wraps_up_until: now.wraps_up_until.filter(|_| before.status == written.status),
        }
    }

    /// Whether there is nothing to keep.
    pub fn is_as_written(&self) -> bool {
        self.written == self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Dialled {
        Dialled::new(text).unwrap()
    }

    #[test]
    fn a_change_that_changes_nothing_says_so() {
        let mut settings = UserSettings::default();
        let quiet = SettingsChange::Status(UserStatus::DoNotDisturb);
        assert_eq!(settings.change(quiet.clone()), Ok(true));
        assert_eq!(settings.change(quiet), Ok(false));
        let away = SettingsChange::Forward(ForwardWhen::Busy, Some(number("102")));
        assert_eq!(settings.change(away.clone()), Ok(true));
        assert_eq!(settings.change(away), Ok(false));
        assert_eq!(settings.forward.to(ForwardWhen::Busy), Some(&number("102")));
        assert_eq!(settings.forward.to(ForwardWhen::Always), None);
        let sales = Name::new("sales").unwrap();
        assert_eq!(settings.change(SettingsChange::Group { group: sales.clone(), logged_in: true }), Ok(false));
        assert_eq!(settings.change(SettingsChange::Group { group: sales.clone(), logged_in: false }), Ok(true));
        assert!(!settings.is_in(&sales));
        let long = SettingsChange::ForwardAfter(Duration::from_hours(1));
        assert_eq!(settings.change(long), Err(SettingsFault::After));
    }

    #[test]
    fn a_status_follows_another_as_the_table_has_it() {
        use UserStatus as S;
        let allowed = |from: UserStatus, to: UserStatus| {
            let mut settings = UserSettings { status: from, ..UserSettings::default() };
            let before = settings.clone();
            let made = settings.change(SettingsChange::Status(to));
            assert!(made.is_ok() || settings == before, "a move that is refused changes nothing");
            made.is_ok()
        };
        for from in S::ALL {
            for to in S::ALL {
                let refused = match (from, to) {
                    (S::WrapUp, S::WrapUp) => false,
                    (_, S::WrapUp) | (S::LoggedOut, S::Busy | S::Away) => true,
                    _ => false,
                };
                assert_eq!(allowed(from, to), !refused, "{from:?} to {to:?}");
            }
        }
        let mut out = UserSettings { status: S::LoggedOut, ..UserSettings::default() };
        let fault = out.change(SettingsChange::Status(S::Busy)).unwrap_err();
        assert!(fault.to_string().contains("available first"), "{fault}");
    }

    #[test]
    fn who_wraps_up_is_available_when_his_time_is_over_or_he_says_so() {
        let mut settings = UserSettings::default();
        assert_eq!(settings.change(SettingsChange::WrapUp(WallTime(5))), Ok(true));
        assert_eq!((settings.status, settings.wraps_up_until), (UserStatus::WrapUp, Some(WallTime(5))));
        assert_eq!(settings.change(SettingsChange::WrapUpOver), Ok(true));
        assert_eq!(settings, UserSettings::default());
        settings.change(SettingsChange::WrapUp(WallTime(5))).unwrap();
        let lunch = Name::new("lunch").unwrap();
        assert_eq!(settings.change(SettingsChange::StatusFor(UserStatus::Away, lunch.clone())), Ok(true));
        assert_eq!((settings.wraps_up_until, settings.reason.as_ref()), (None, Some(&lunch)));
        assert_eq!(settings.change(SettingsChange::WrapUp(WallTime(9))), Ok(false), "he is away");
        assert_eq!(settings.change(SettingsChange::WrapUpOver), Ok(false));
        assert_eq!(settings.status, UserStatus::Away);
        settings.change(SettingsChange::Status(UserStatus::Available)).unwrap();
        assert_eq!(settings.reason, None);
        let none = settings.change(SettingsChange::StatusFor(UserStatus::Available, lunch));
        assert_eq!(none, Err(SettingsFault::Reason(UserStatus::Available)));
    }

    #[test]
    fn what_was_changed_holds_until_the_document_says_something_else_of_it() {
        let written = UserSettings::default();
        let mut now = written.clone();
        now.change(SettingsChange::Status(UserStatus::Busy)).unwrap();
        now.change(SettingsChange::Forward(ForwardWhen::Always, Some(number("102")))).unwrap();
        let kept = KeptSettings { written: written.clone(), now: now.clone() };
        assert_eq!(kept.under(&written), now, "a restart changes nothing");
        let mut edited = written;
        edited.change(SettingsChange::Forward(ForwardWhen::Always, Some(number("0170")))).unwrap();
        let holds = kept.under(&edited);
        assert_eq!(holds.forward.always, Some(number("0170")), "who edits the document means it");
        assert_eq!(holds.status, UserStatus::Busy, "of the status it says what it said");
    }
}
