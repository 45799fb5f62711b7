//! Phones outside that stand in a user's profile: his mobile, his phone at home.

use plugboard_model::Dialled;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Phones of one user.
pub(crate) const PHONES_MAX: usize = 8;
/// How long whoever answers may take to press the key, unless the profile says so: an announcement of five seconds, heard three times.
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(15);
/// As that: shorter nobody has understood it, longer the caller has given up.
pub(crate) const CONFIRM_WITHIN_RANGE: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_secs(60);

/// A phone outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsidePhone {
    /// As the user would dial it.
    pub number: Dialled,
    /// For people, such as `mobile`.
    pub name: Option<String>,
    /// Whoever answers has to press 1 before it counts: a mobile's mailbox picks up as well.
    pub confirm: bool,
    /// For so long, from the answer on.
    pub confirm_within: Duration,
}

/// Whether whoever answers outside where a user's calls go on to has to press 1 before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForwardKey {
    /// `None`: where more follows if nobody takes the call.
    pub confirm: Option<bool>,
    /// For so long, from the answer on.
    pub confirm_within: Duration,
}

impl Default for ForwardKey {
    fn default() -> Self {
        Self { confirm: None, confirm_within: CONFIRM_WITHIN }
    }
}

impl OutsidePhone {
    /// One of which nothing but the number is said.
    pub(crate) fn of(number: Dialled) -> Self {
        Self { number, name: None, confirm: true, confirm_within: CONFIRM_WITHIN }
    }
}
