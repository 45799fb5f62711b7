//! What a user sets of himself while the switch runs: his status, where his calls go, the groups that he is logged in to.
//!
//! The office document says what holds at the start. What he, his phone or an admin changed holds over a restart, each
//! part for as long as the document goes on saying of it what it said when it was changed: who changes the document means it.

use plugboard_model::{Dialled, ForwardWhen, Name, UserStatus};
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
}

/// One change of a user's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsChange {
    /// Another status.
    Status(UserStatus),
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
            SettingsChange::Status(status) => std::mem::replace(&mut self.status, status) != status,
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
