//! Who guesses passwords: wrong answers by their source, so that whoever gives many is not listened to for a while.

use plugboard_model::{Time, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Wrong answers of one source within `WINDOW` before it is not listened to. A large house of phones behind one address
/// whose passwords were all changed at once gives more and is silenced, but for those who are registered already. Twenty
/// guesses a minute find no password worth the name.
pub const WRONG_MAX: u32 = 20;

/// How long wrong answers are added up.
const WINDOW: Duration = Duration::from_secs(60);

/// How long a source is not listened to.
pub const DEAF: Duration = Duration::from_secs(60);

/// Sources remembered, about 100 bytes each; past it the one that was heard of longest ago is forgotten.
const SOURCES_MAX: usize = 4_096;

/// Users of one source who are listened to whatever else comes from there, about 50 bytes each: as many as one address
/// may have connections.
const PROVEN_MAX: usize = 1_024;

/// Wrong answers by source: an IPv4 address, or the 64 bits of an IPv6 address that are a house's.
///
/// Whoever gives too many is not listened to for a while, right answers included, since the last guess may be right. But
/// one phone with an old password behind a NAT must not silence the others: a user who has a device registered from
/// there, or who answered rightly from there since its first wrong answer, goes on. Sources that never answered wrongly
/// cost nothing.
#[derive(Debug, Default)]
pub struct Guesses {
    sources: BTreeMap<IpAddr, Source>,
    /// From where each user's devices are registered, at most [`crate::registrar::BINDINGS_MAX`] of them.
    homes: BTreeMap<UserId, BTreeSet<IpAddr>>,
}

#[derive(Debug)]
struct Source {
    state: State,
    /// Users who answered rightly from here.
    proven: BTreeSet<UserId>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// So many wrong answers since then.
    Counting { since: Time, wrong: u32 },
    /// Nobody new is listened to until then.
    Deaf { until: Time },
}

impl Guesses {
    /// Nobody guessed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an answer of this user from there is to be checked at all; `None`: of a user that there is not.
    pub fn listens(&self, now: Time, from: IpAddr, user: Option<&UserId>) -> bool {
        let from = source(from);
        match self.sources.get(&from) {
            Some(Source { state: State::Deaf { until }, proven }) if now < *until => user.is_some_and(|user| {
                proven.contains(user) || self.homes.get(user).is_some_and(|homes| homes.contains(&from))
            }),
            Some(Source { state: State::Deaf { .. } | State::Counting { .. }, .. }) | None => true,
        }
    }

    /// A right answer came from there.
    pub fn right(&mut self, from: IpAddr, user: &UserId) {
        if self.sources.is_empty() {
            return;
        }
        if let Some(Source { proven, .. }) = self.sources.get_mut(&source(from))
            && proven.len() < PROVEN_MAX
            && !proven.contains(user)
        {
            proven.insert(user.clone());
        }
    }

    /// These are the addresses from which the user's devices are registered now; none when he has none.
    pub fn registered(&mut self, user: &UserId, from: impl IntoIterator<Item = IpAddr>) {
        let homes: BTreeSet<IpAddr> = from.into_iter().map(source).collect();
        if homes.is_empty() {
            self.homes.remove(user);
        } else if self.homes.get(user) != Some(&homes) {
            self.homes.insert(user.clone(), homes);
        }
    }

    /// A wrong answer came from there; whether it was one too many, just now.
    pub fn wrong(&mut self, now: Time, from: IpAddr) -> bool {
        let from = source(from);
        if !self.sources.contains_key(&from) {
            self.make_room(now);
        }
        let fresh = State::Counting { since: now, wrong: 0 };
        let source = self.sources.entry(from).or_insert_with(|| Source { state: fresh, proven: BTreeSet::new() });
        let (since, wrong) = match source.state {
            State::Counting { since, wrong } if now.since(since) < WINDOW => (since, wrong + 1),
            State::Deaf { until } if now < until => return false,
            State::Counting { .. } | State::Deaf { .. } => (now, 1),
        };
        let too_many = wrong >= WRONG_MAX;
        source.state = if too_many { State::Deaf { until: now + DEAF } } else { State::Counting { since, wrong } };
        too_many
    }

    /// How many sources are remembered; never above `SOURCES_MAX`.
    pub fn sources(&self) -> usize {
        self.sources.len()
    }

    /// Forgets who is over, and one more if that is not enough.
    fn make_room(&mut self, now: Time) {
        if self.sources.len() < SOURCES_MAX {
            return;
        }
        self.sources.retain(|_, source| source.state.over() > now);
        while self.sources.len() >= SOURCES_MAX {
            let oldest = self.sources.iter().min_by_key(|(_, source)| source.state.over()).map(|(from, _)| *from);
            let Some(oldest) = oldest else { return };
            self.sources.remove(&oldest);
        }
    }
}

impl State {
    /// When it says nothing any more.
    fn over(self) -> Time {
        match self {
            Self::Counting { since, .. } => since + WINDOW,
            Self::Deaf { until } => until,
        }
    }
}

/// The part of an address that stands for one house.
fn source(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::OfficeId;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    fn address(last: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0xcb00_7100 + last).into()
    }

    /// Wrong answers until it is not listened to any more; the number of the last.
    fn guess(guesses: &mut Guesses, now: Time, from: IpAddr) -> Option<u32> {
        (1..=100).find(|_| guesses.wrong(now, from))
    }

    /// A user of an office.
    fn user(office: &str, name: &str) -> UserId {
        UserId::new(&OfficeId::new(office).unwrap(), name).unwrap()
    }

    fn listens(guesses: &Guesses, now: Time, from: IpAddr, name: &str) -> bool {
        guesses.listens(now, from, Some(&user("main", name)))
    }

    #[test]
    fn a_guesser_is_not_listened_to_for_a_minute() {
        let mut guesses = Guesses::new();
        assert_eq!(guess(&mut guesses, at(0), address(1)), Some(WRONG_MAX));
        assert!(!listens(&guesses, at(59), address(1), "101"));
        assert!(listens(&guesses, at(59), address(2), "101"), "somebody else");
        assert!(listens(&guesses, at(60), address(1), "101"));
        assert_eq!(guess(&mut guesses, at(61), address(1)), Some(WRONG_MAX), "counted anew");
    }

    #[test]
    fn wrong_answers_now_and_then_are_no_guesses() {
        let mut guesses = Guesses::new();
        for minute in 0..100 {
            for _ in 1..WRONG_MAX {
                assert!(!guesses.wrong(at(minute * 60), address(1)));
            }
        }
    }

    #[test]
    fn who_proved_himself_from_there_goes_on() {
        let mut guesses = Guesses::new();
        guesses.right(address(1), &user("main", "early"));
        assert_eq!(guesses.sources(), 0, "a house without a wrong answer costs nothing");
        guesses.wrong(at(0), address(1));
        guesses.right(address(1), &user("main", "101"));
        guess(&mut guesses, at(1), address(1));
        assert!(listens(&guesses, at(2), address(1), "101"));
        assert!(!listens(&guesses, at(2), address(1), "102"));
        assert!(!listens(&guesses, at(2), address(1), "early"));
        assert!(!guesses.listens(at(2), address(1), Some(&user("other", "101"))), "the 101 of another office");
        assert!(!guesses.listens(at(2), address(1), None));
    }

    #[test]
    fn who_is_registered_from_there_goes_on_until_he_is_not() {
        let (mut guesses, ann) = (Guesses::new(), user("main", "101"));
        guesses.registered(&ann, [address(1), address(2)]);
        for n in 1..=3 {
            guess(&mut guesses, at(1), address(n));
        }
        assert!(guesses.listens(at(2), address(1), Some(&ann)) && guesses.listens(at(2), address(2), Some(&ann)));
        assert!(!guesses.listens(at(2), address(3), Some(&ann)), "from where he is not");
        assert!(!listens(&guesses, at(2), address(1), "102"));
        guesses.registered(&ann, [address(2)]);
        assert!(!guesses.listens(at(2), address(1), Some(&ann)));
        guesses.registered(&ann, []);
        assert!(!guesses.listens(at(2), address(2), Some(&ann)));
        assert!(guesses.homes.is_empty());
    }

    #[test]
    fn a_thousand_users_of_one_house_may_prove_themselves() {
        let mut guesses = Guesses::new();
        guesses.wrong(at(0), address(1));
        for n in 0..2_000 {
            guesses.right(address(1), &user("main", &n.to_string()));
        }
        guess(&mut guesses, at(1), address(1));
        let heard = (0..2_000).filter(|n| listens(&guesses, at(2), address(1), &n.to_string())).count();
        assert_eq!(heard, PROVEN_MAX);
    }

    #[test]
    fn addresses_of_one_house_count_together() {
        let of = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut guesses = Guesses::new();
        for n in 1..WRONG_MAX {
            assert!(!guesses.wrong(at(0), of(&format!("2001:db8::{n}"))));
        }
        assert!(guesses.wrong(at(0), of("2001:db8::ffff")));
        assert!(!listens(&guesses, at(1), of("2001:db8::1:2:3:4"), "101"));
        assert!(listens(&guesses, at(1), of("2001:db8:0:1::1"), "101"));
        guess(&mut guesses, at(0), of("::ffff:203.0.113.1"));
        assert!(!listens(&guesses, at(1), address(1), "101"), "an IPv4 address in another spelling");
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_source_is_forgotten() {
        let mut guesses = Guesses::new();
        guess(&mut guesses, at(0), address(0));
        for n in 1..=u32::try_from(SOURCES_MAX).unwrap() {
            guesses.wrong(at(1), address(n));
        }
        assert_eq!(guesses.sources(), SOURCES_MAX);
        assert!(listens(&guesses, at(2), address(0), "101"));
        guesses.wrong(at(200), address(0));
        assert_eq!(guesses.sources(), 1, "those that are over went first");
    }
}
