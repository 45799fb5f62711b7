//! Mailboxes of users and groups: what the office says of them, and who may open one.

use plugboard_model::{Mailbox, Time, UserId};
use std::time::Duration;

use crate::{Internal, MailTo, Office, Secret};

/// What holds for all mailboxes of an office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voicemail {
    /// The longest message or greeting: 5 s to 30 min.
    pub longest: Duration,
    /// Silence that ends one: 2 s to 1 min.
    pub silence: Duration,
    /// Who is heard for less than this, all together, has left no message: 0.1 to 10 s.
    pub shortest: Duration,
    /// Messages of one mailbox: 1 to 1,000.
    pub messages: u32,
    /// Minutes of all messages of one mailbox together: 1 to 1,000.
    pub minutes: u32,
    /// Whether a user's own phone opens his mailbox, and those of his groups, without PIN.
    pub own_phone_without_pin: bool,
}

impl Default for Voicemail {
    fn default() -> Self {
        Self {
            longest: Duration::from_mins(3),
            silence: Duration::from_secs(5),
            shortest: Duration::from_secs(1),
            messages: 100,
            minutes: 60,
            own_phone_without_pin: false,
        }
    }
}

/// What holds for one mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailboxRules {
    /// What opens it: 4 to 12 digits. Without one only a phone that needs none opens it.
    pub pin: Option<Secret>,
    /// A prompt of the office that greets callers who find no recorded greeting.
    pub greeting: Option<String>,
    /// Where each message goes by mail, if it does.
    pub mail: Option<MailTo>,
}

impl Office {
    /// The mailbox of an internal number, or of the name in a user's or group's id.
    pub fn find_mailbox(&self, number_or_id: &str) -> Option<Mailbox> {
        let user = || self.find_user(number_or_id).map(|user| Mailbox::User(user.id.clone()));
        let group = || self.find_group(number_or_id).map(|group| Mailbox::Group(group.id.clone()));
        match self.internal(number_or_id) {
            Some(Internal::User(user)) => Some(Mailbox::User(user.clone())),
            Some(Internal::Group(group)) => Some(Mailbox::Group(group.clone())),
            None => user().or_else(group),
        }
    }

    /// What holds for a mailbox; `None` when its user or group is not of this office.
    pub fn mailbox(&self, mailbox: &Mailbox) -> Option<&MailboxRules> {
        match mailbox {
            Mailbox::User(user) => self.user(user).map(|user| &user.mailbox),
            Mailbox::Group(group) => self.group(group).map(|group| &group.mailbox),
        }
    }

    /// Whose it is, for people.
    pub fn mailbox_name(&self, mailbox: &Mailbox) -> &str {
        match mailbox {
            Mailbox::User(user) => self.user(user).map_or("", |user| &user.name),
            Mailbox::Group(group) => self.group(group).map_or("", |group| &group.name),
        }
    }

    /// Whether it is this user's: his own, or one of a group that he is in.
    pub fn has_mailbox(&self, user: &UserId, mailbox: &Mailbox) -> bool {
        match mailbox {
            Mailbox::User(owner) => owner == user,
            Mailbox::Group(group) => self.group(group).is_some_and(|group| group.users().contains(user)),
        }
    }
}

/// Wrong PINs that cost nothing but the next try.
const FREE: u32 = 3;
/// The first lock.
const LOCK: Duration = Duration::from_mins(1);
/// The longest: somebody who tries on and on has 24 tries a day.
const LOCK_MAX: Duration = Duration::from_hours(1);
/// After this nobody remembers what was tried.
const FORGET: Duration = Duration::from_hours(24);

/// Tries to open a mailbox, or of one caller to open any: the third wrong one in a row locks for a minute, and each further one for
/// twice as long as the one before, an hour at the most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PinTries {
    wrong: u32,
    last: Time,
    /// So long before `last`, which is the begin of time then: it was before the switch was started.
    before: Duration,
}

impl PinTries {
    /// So many were wrong, the last of them so long ago: since the begin of time, or before it.
    pub fn kept(wrong: u32, now: Time, ago: Duration) -> Self {
        let running = now.since(Time::ZERO);
        let (last, before) = (Time::ZERO + running.saturating_sub(ago), ago.saturating_sub(running));
        Self { wrong, last, before }
    }

    /// Whether its last wrong one was after the other's.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.wrong > 0 && (other.wrong == 0 || (self.last, other.before) > (other.last, self.before))
    }

    /// How many were wrong in a row.
    pub const fn how_many(&self) -> u32 {
        self.wrong
    }

    /// Until when nothing is tried.
    pub fn locked_until(&self) -> Time {
        let Some(beyond) = self.wrong.checked_sub(FREE) else { return Time::ZERO };
        self.last + LOCK.saturating_mul(2_u32.saturating_pow(beyond)).min(LOCK_MAX).saturating_sub(self.before)
    }

    /// One was wrong.
    pub fn wrong(&mut self, now: Time) {
        if self.is_forgotten(now) {
            self.wrong = 0;
        }
        *self = Self { wrong: self.wrong.saturating_add(1), last: now, before: Duration::ZERO };
    }

    /// When the last one was wrong.
    pub const fn last(&self) -> Time {
        self.last
    }

    /// Whether it says nothing any more.
    pub fn is_forgotten(&self, now: Time) -> bool {
        now.since(self.last) + self.before >= FORGET
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn the_third_wrong_pin_locks_for_a_minute_and_each_more_for_twice_as_long_up_to_an_hour() {
        let mut tries = PinTries::default();
        tries.wrong(at(100));
        tries.wrong(at(100));
        assert_eq!(tries.locked_until(), Time::ZERO);
        let mut locks = Vec::new();
        for _ in 0..8 {
            tries.wrong(at(100));
            locks.push(tries.locked_until().since(at(100)).as_secs());
        }
        assert_eq!(locks, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    }

    #[test]
    fn a_lock_goes_on_after_a_restart_and_no_longer_than_it_would_have() {
        let kept = PinTries::kept(4, at(0), Duration::from_secs(50));
        assert_eq!(kept.locked_until(), at(70), "two minutes, of which 50 seconds are over");
        assert_eq!(PinTries::kept(3, at(0), Duration::from_mins(5)).locked_until(), Time::ZERO);
        assert!(!kept.is_forgotten(at(60)));
        assert!(kept.is_forgotten(at(24 * 3_600 - 50)));
    }

    #[test]
    fn what_is_read_while_the_switch_runs_is_as_old_as_it_is_and_no_newer_one_gives_way_to_it() {
        // Read 30 seconds after it was wrong, in the tenth minute; and by a switch that was started ten seconds ago.
        let of_now = PinTries::kept(4, at(600), Duration::from_secs(30));
        assert_eq!((of_now.last(), of_now.locked_until()), (at(570), at(690)));
        assert_eq!(PinTries::kept(4, at(10), Duration::from_secs(30)).locked_until(), at(100));
        let newest = PinTries::kept(5, at(600), Duration::from_secs(20));
        assert!(newest.is_newer_than(&of_now) && !of_now.is_newer_than(&newest) && !of_now.is_newer_than(&of_now));
        let older = PinTries::kept(5, at(0), Duration::from_secs(20));
        assert!(older.is_newer_than(&PinTries::kept(4, at(0), Duration::from_secs(30))));
        assert!(older.is_newer_than(&PinTries::default()) && !PinTries::default().is_newer_than(&older));
    }

    #[test]
    fn what_was_wrong_a_day_ago_is_forgotten() {
        let mut tries = PinTries::default();
        for _ in 0..3 {
            tries.wrong(at(0));
        }
        let tomorrow = at(25 * 3_600);
        assert!(tries.is_forgotten(tomorrow));
        tries.wrong(tomorrow);
        assert_eq!(tries.locked_until(), Time::ZERO);
    }
}
