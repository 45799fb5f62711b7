//! Who guesses passwords: wrong answers by their source, so that whoever gives many is not listened to for a while.

use crate::rates::house as source;
use plugboard_model::{Time, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Wrong answers of one source within `WINDOW` before it is not listened to. A large house of phones behind one address
/// whose passwords were all changed at once gives more and is silenced, but for those who are registered already. Twenty
/// guesses a minute find no password worth the name.
pub const WRONG_MAX: u32 = 20;

/// How long wrong answers are added up.
const WINDOW: Duration = Duration::from_secs(60);

/// How long a source is not listened to the first time; each time more is twice as long as the one before.
const DEAF: Duration = Duration::from_mins(1);

/// The longest: whoever guesses on and on has 480 guesses a day, and a house whose phones got new passwords is listened to
/// again within the hour.
const DEAF_MAX: Duration = Duration::from_hours(1);

/// How long nobody was silenced there when it is forgotten that somebody was.
const FORGET: Duration = Duration::from_hours(24);

/// Sources remembered, about 100 bytes each; past it the one that was heard of longest ago is forgotten.
const SOURCES_MAX: usize = 4_096;

/// Users of one source who are listened to whatever else comes from there, about 50 bytes each: as many as one address
/// may have connections.
const PROVEN_MAX: usize = 1_024;

/// Calls in the name of one user that are believed without a password within `BELIEF`: whoever is cut off calls again.
pub const BELIEVED_MAX: u32 = 4;

/// How long such calls are added up.
const BELIEF: Duration = Duration::from_secs(600);

/// Calls for help from a source that is not listened to whose password is looked at all the same within `BELIEF`: as few
/// guesses as it has without them.
const HELP_HEARD_MAX: u32 = 4;

/// Users with such calls, about 50 bytes each; past it nobody else is believed for a while, but asked as for any call.
const BELIEVED_USERS_MAX: usize = 256;

/// Whether a call without a password is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// It is.
    Yes,
    /// There were too many of late.
    NoMore {
        /// Whether that was said of the user before.
        told: bool,
    },
}

/// Wrong answers by source: an IPv4 address, or the 64 bits of an IPv6 address that are a house's.
///
/// Whoever gives too many is not listened to for a minute, right answers included, since the last guess may be right, and
/// for twice as long each time that he does it again, up to an hour; a day without that and all is forgotten. But
/// one phone with an old password behind a NAT must not silence the others: a user who has a device registered from
/// there, or who answered rightly from there since its first wrong answer, goes on. Wrong answers in his name are counted
/// apart: too many of them, and he is not listened to from there either, but for the ports from which he is registered,
/// each of which has its own count: whoever guesses behind the same NAT comes from another. Sources that never answered
/// wrongly cost nothing.
#[derive(Debug, Default)]
pub struct Guesses {
    sources: BTreeMap<IpAddr, Source>,
    /// The sources by when they say nothing any more.
    order: BTreeSet<(Time, IpAddr)>,
    /// From where each user's devices are registered, at most [`crate::registrar::BINDINGS_MAX`] of them.
    homes: BTreeMap<UserId, BTreeSet<SocketAddr>>,
    /// Calls that were believed in each user's name, those that were not included, since when.
    believed: BTreeMap<UserId, (Time, u32)>,
}

#[derive(Debug)]
struct Source {
    tally: Tally,
    /// Calls for help that were listened to while nothing else was, since when.
    helped: (Time, u32),
    /// Users who answered rightly from here.
    proven: BTreeSet<UserId>,
    /// Wrong answers in the names of users who are listened to all the same, from a port where the user is registered or
    /// from all others: as many as there are such users and their devices.
    guessed: BTreeMap<(UserId, Option<SocketAddr>), Tally>,
}

/// Wrong answers of one source, or in one user's name from there.
#[derive(Debug, Clone, Copy)]
struct Tally {
    /// So many since then, at most [`WRONG_MAX`].
    since: Time,
    wrong: u32,
    /// So often there were too many, the last time until then.
    locks: u32,
    until: Time,
}

impl Guesses {
    /// Nobody guessed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an answer of this user from there is to be checked at all; `None`: of a user that there is not.
    pub fn listens(&self, now: Time, from: SocketAddr, user: Option<&UserId>) -> bool {
        let Some(source) = self.sources.get(&source(from.ip())) else { return true };
        match user.filter(|user| self.is_exempt(source, from, user)) {
            Some(user) => {
                source.guessed.get(&(user.clone(), self.home(from, user))).is_none_or(|guessed| !guessed.is_deaf(now))
            }
            None => !source.tally.is_deaf(now),
        }
    }

    /// Whether the password of a call for help is looked at that comes from where nothing is listened to; whose it is does not matter,
    /// so that nobody learns who exists.
    pub fn hears_help(&mut self, now: Time, from: SocketAddr) -> bool {
        let Some(source) = self.sources.get_mut(&source(from.ip())) else { return true };
        if now.since(source.helped.0) >= BELIEF {
            source.helped = (now, 0);
        }
        source.helped.1 = source.helped.1.saturating_add(1);
        source.helped.1 <= HELP_HEARD_MAX
    }

    /// Whether this user is listened to from there whatever others say.
    fn is_exempt(&self, at: &Source, from: SocketAddr, user: &UserId) -> bool {
        let is_near = |home: &SocketAddr| source(home.ip()) == source(from.ip());
        at.proven.contains(user) || self.homes.get(user).is_some_and(|homes| homes.iter().any(is_near))
    }

    /// Whether a device of the user is registered from this very port.
    pub fn is_home(&self, from: SocketAddr, user: &UserId) -> bool {
        self.home(from, user).is_some()
    }

    /// One more call in the user's name comes without a password from where such calls are believed.
    pub fn believes(&mut self, now: Time, user: &UserId) -> Belief {
        self.believed.retain(|_, (since, _)| now.since(*since) < BELIEF);
        if self.believed.len() >= BELIEVED_USERS_MAX && !self.believed.contains_key(user) {
            return Belief::NoMore { told: true };
        }
        let (_, calls) = self.believed.entry(user.clone()).or_insert((now, 0));
        *calls = calls.saturating_add(1);
        if *calls <= BELIEVED_MAX { Belief::Yes } else { Belief::NoMore { told: *calls > BELIEVED_MAX + 1 } }
    }

    /// This address, if a device of the user is registered from this very port.
    fn home(&self, from: SocketAddr, user: &UserId) -> Option<SocketAddr> {
        let from = canonical(from);
        self.homes.get(user)?.contains(&from).then_some(from)
    }

    /// A right answer came from there.
    pub fn right(&mut self, from: SocketAddr, user: &UserId) {
        if self.sources.is_empty() {
            return;
        }
        if let Some(Source { proven, .. }) = self.sources.get_mut(&source(from.ip()))
            && proven.len() < PROVEN_MAX
            && !proven.contains(user)
        {
            proven.insert(user.clone());
        }
    }

    /// These are the addresses from which the user's devices are registered now; none when he has none.
    pub fn registered(&mut self, user: &UserId, from: impl IntoIterator<Item = SocketAddr>) {
        let homes: BTreeSet<SocketAddr> = from.into_iter().map(canonical).collect();
        if homes.is_empty() {
            self.homes.remove(user);
        } else if self.homes.get(user) != Some(&homes) {
            self.homes.insert(user.clone(), homes);
        }
    }

    /// A wrong answer in this user's name came from there, and may be one too many, just now: then for how
    /// long there is no listening. `None` for the user: in the name of one that there is not.
    pub fn wrong(&mut self, now: Time, from: SocketAddr, user: Option<&UserId>) -> Option<Duration> {
        let at = source(from.ip());
        if !self.sources.contains_key(&at) {
            self.make_room();
        }
        let mut source = self.sources.remove(&at).unwrap_or_else(|| Source::new(now));
        self.order.remove(&(source.tally.over(), at));
        let mut too_many = source.tally.wrong(now);
        if let Some(user) = user.filter(|user| self.is_exempt(&source, from, user)) {
            let whose = (user.clone(), self.home(from, user));
            too_many = too_many.max(source.guessed.entry(whose).or_insert(Tally::none(now)).wrong(now));
        }
        self.order.insert((source.tally.over(), at));
        self.sources.insert(at, source);
        too_many
    }

    /// How many sources are remembered; never above `SOURCES_MAX`.
    pub fn sources(&self) -> usize {
        self.sources.len()
    }

    /// Forgets whoever says nothing for longest: those who are silenced now are the last to go.
    fn make_room(&mut self) {
        while self.sources.len() >= SOURCES_MAX
            && let Some((_, oldest)) = self.order.first().copied()
        {
            self.order.pop_first();
            self.sources.remove(&oldest);
        }
    }
}

impl Source {
    const fn new(now: Time) -> Self {
        Self { tally: Tally::none(now), helped: (now, 0), proven: BTreeSet::new(), guessed: BTreeMap::new() }
    }
}

impl Tally {
    const fn none(now: Time) -> Self {
        Self { since: now, wrong: 0, locks: 0, until: Time::ZERO }
    }

    /// One more; if it was one too many, just now, for how long there is no listening.
    fn wrong(&mut self, now: Time) -> Option<Duration> {
        if self.is_deaf(now) {
            return None;
        }
        if now.since(self.since) >= WINDOW {
            (self.since, self.wrong) = (now, 0);
        }
        self.wrong += 1;
        if self.wrong < WRONG_MAX {
            return None;
        }
        if now.since(self.until) >= FORGET {
            self.locks = 0;
        }
        let deaf = DEAF.saturating_mul(2_u32.saturating_pow(self.locks)).min(DEAF_MAX);
        *self = Self { since: now, wrong: 0, locks: self.locks.saturating_add(1), until: now + deaf };
        Some(deaf)
    }

    fn is_deaf(self, now: Time) -> bool {
        now < self.until
    }

    /// When nothing of it is left but how often it was silenced.
    fn over(self) -> Time {
        self.until.max(self.since + WINDOW)
    }
}

/// An address in one spelling.
fn canonical(from: SocketAddr) -> SocketAddr {
    SocketAddr::new(from.ip().to_canonical(), from.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::OfficeId;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    fn address(last: u32) -> SocketAddr {
        SocketAddr::new(std::net::Ipv4Addr::from_bits(0xcb00_7100 + last).into(), 5060)
    }

    /// Another port behind the same address.
    fn port(last: u32, port: u16) -> SocketAddr {
        SocketAddr::new(address(last).ip(), port)
    }

    /// Wrong answers until it is not listened to any more; the number of the last.
    fn guess(guesses: &mut Guesses, now: Time, from: SocketAddr) -> Option<u32> {
        (1..=100).find(|_| guesses.wrong(now, from, None).is_some())
    }

    /// As [`guess`], the password of one user.
    fn guess_of(guesses: &mut Guesses, now: Time, from: SocketAddr, name: &str) -> Option<u32> {
        (1..=100).find(|_| guesses.wrong(now, from, Some(&user("main", name))).is_some())
    }

    /// A user of an office.
    fn user(office: &str, name: &str) -> UserId {
        UserId::new(&OfficeId::new(office).unwrap(), name).unwrap()
    }

    fn listens(guesses: &Guesses, now: Time, from: SocketAddr, name: &str) -> bool {
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

    /// For how long it is silenced, again and again, each time it is listened to.
    fn locks(wrong: &mut impl FnMut(Time) -> Option<Duration>, from: Time, times: usize) -> Vec<u64> {
        let mut now = from;
        let lock = |_| {
            let deaf = (1..=100).find_map(|_| wrong(now)).unwrap();
            now = now + deaf;
            deaf.as_secs()
        };
        (0..times).map(lock).collect()
    }

    #[test]
    fn who_guesses_again_is_not_listened_to_for_twice_as_long_up_to_an_hour_and_nobody_elsewhere_notices() {
        let (mut guesses, ann) = (Guesses::new(), user("main", "101"));
        let longer = [60, 120, 240, 480, 960, 1_920, 3_600, 3_600];
        assert_eq!(locks(&mut |now| guesses.wrong(now, address(1), Some(&ann)), at(0), 8), longer);
        let over: u64 = longer.iter().sum();
        assert!(
            !guesses.listens(at(over - 1), address(1), Some(&ann)) && guesses.listens(at(over), address(1), Some(&ann))
        );
        assert!(guesses.listens(at(over - 1), address(2), Some(&ann)), "the user himself elsewhere");
        assert_eq!(
            locks(&mut |now| guesses.wrong(now, address(2), Some(&ann)), at(over), 1),
            [60],
            "each source its own"
        );
        // Nearly a day, and a day.
        let (nearly, quiet) = (over + 86_399, over + 86_399 + 3_600 + 86_400);
        assert_eq!(locks(&mut |now| guesses.wrong(now, address(1), Some(&ann)), at(nearly), 1), [3_600]);
        assert_eq!(locks(&mut |now| guesses.wrong(now, address(1), Some(&ann)), at(quiet), 2), [60, 120]);
    }

    #[test]
    fn guesses_at_a_user_who_is_at_home_there_are_stopped_for_twice_as_long_each_time_and_those_beside_him_go_on() {
        let (mut guesses, ann) = (Guesses::new(), user("main", "101"));
        guesses.registered(&ann, [address(1)]);
        guesses.registered(&user("main", "102"), [port(1, 7_000)]);
        let guessed = locks(&mut |now| guesses.wrong(now, port(1, 4_000), Some(&ann)), at(0), 3);
        assert_eq!(guessed, [60, 120, 240]);
        assert!(!listens(&guesses, at(419), port(1, 4_000), "101"));
        assert!(listens(&guesses, at(419), address(1), "101") && listens(&guesses, at(419), port(1, 4_000), "102"));
    }

    #[test]
    fn wrong_answers_now_and_then_are_no_guesses() {
        let mut guesses = Guesses::new();
        for minute in 0..100 {
            for _ in 1..WRONG_MAX {
                assert_eq!(guesses.wrong(at(minute * 60), address(1), None), None);
            }
        }
    }

    #[test]
    fn who_proved_himself_from_there_goes_on() {
        let mut guesses = Guesses::new();
        guesses.right(address(1), &user("main", "early"));
        assert_eq!(guesses.sources(), 0, "a house without a wrong answer costs nothing");
        guesses.wrong(at(0), address(1), None);
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
    fn the_password_of_a_user_who_is_at_home_cannot_be_guessed_from_there_for_ever() {
        let (mut guesses, ann) = (Guesses::new(), user("main", "101"));
        guesses.registered(&ann, [address(1)]);
        assert_eq!(guess_of(&mut guesses, at(0), port(1, 4_000), "101"), Some(WRONG_MAX));
        assert!(!listens(&guesses, at(59), port(1, 4_000), "101") && !listens(&guesses, at(59), port(1, 4_001), "101"));
        assert!(listens(&guesses, at(59), address(1), "101"), "his own phone refreshes");
        assert!(listens(&guesses, at(60), port(1, 4_000), "101"), "for a minute");
        guesses.right(address(1), &ann);
        assert_eq!(guess_of(&mut guesses, at(61), port(1, 4_000), "101"), Some(WRONG_MAX));
        assert!(!listens(&guesses, at(62), port(1, 4_000), "101"), "a right answer of his is no leave to guess on");
        assert!(guesses.listens(at(62), address(1), Some(&ann)));
    }

    #[test]
    fn others_at_home_go_on_when_the_password_of_one_is_guessed() {
        let (mut guesses, ann) = (Guesses::new(), user("main", "101"));
        guess(&mut guesses, at(0), address(1));
        guesses.right(address(1), &ann);
        guesses.right(address(1), &user("main", "102"));
        assert!(guesses.listens(at(1), port(1, 1), Some(&ann)));
        assert_eq!(
            guess_of(&mut guesses, at(1), port(1, 9), "101"),
            Some(WRONG_MAX),
            "told, though the source was deaf"
        );
        assert!(!guesses.listens(at(2), port(1, 1), Some(&ann)));
        assert!(listens(&guesses, at(2), port(1, 1), "102"));
    }

    #[test]
    fn who_guesses_over_the_connection_of_another_is_stopped_there_and_the_other_phones_go_on() {
        let (mut guesses, ann) = (Guesses::new(), user("main", "101"));
        guesses.registered(&ann, [address(1), port(1, 7_000)]);
        assert_eq!(guess_of(&mut guesses, at(0), address(1), "101"), Some(WRONG_MAX));
        assert!(!listens(&guesses, at(1), address(1), "101"));
        assert!(listens(&guesses, at(1), port(1, 7_000), "101"));
    }

    #[test]
    fn a_thousand_users_of_one_house_may_prove_themselves() {
        let mut guesses = Guesses::new();
        guesses.wrong(at(0), address(1), None);
        for n in 0..2_000 {
            guesses.right(address(1), &user("main", &n.to_string()));
        }
        guess(&mut guesses, at(1), address(1));
        let heard = (0..2_000).filter(|n| listens(&guesses, at(2), address(1), &n.to_string())).count();
        assert_eq!(heard, PROVEN_MAX);
    }

    #[test]
    fn addresses_of_one_house_count_together() {
        let of = |text: &str| SocketAddr::new(text.parse().unwrap(), 5060);
        let mut guesses = Guesses::new();
        for n in 1..WRONG_MAX {
            assert_eq!(guesses.wrong(at(0), of(&format!("2001:db8::{n}")), None), None);
        }
        assert_eq!(guesses.wrong(at(0), of("2001:db8::ffff"), None), Some(DEAF));
        assert!(!listens(&guesses, at(1), of("2001:db8::1:2:3:4"), "101"));
        assert!(listens(&guesses, at(1), of("2001:db8:0:1::1"), "101"));
        guess(&mut guesses, at(0), of("::ffff:203.0.113.1"));
        assert!(!listens(&guesses, at(1), address(1), "101"), "an IPv4 address in another spelling");
    }

    #[test]
    fn a_few_calls_of_each_user_are_believed_without_a_password() {
        let (mut guesses, ann) = (Guesses::new(), user("main", "101"));
        for _ in 0..BELIEVED_MAX {
            assert_eq!(guesses.believes(at(0), &ann), Belief::Yes);
        }
        assert_eq!(guesses.believes(at(1), &ann), Belief::NoMore { told: false });
        assert_eq!(guesses.believes(at(599), &ann), Belief::NoMore { told: true });
        assert_eq!(guesses.believes(at(599), &user("main", "102")), Belief::Yes);
        assert_eq!(guesses.believes(at(600), &ann), Belief::Yes);
        for n in 0..1_000 {
            guesses.believes(at(600), &user("other", &n.to_string()));
        }
        assert_eq!(guesses.believed.len(), BELIEVED_USERS_MAX);
        assert_eq!(guesses.believes(at(601), &user("main", "103")), Belief::NoMore { told: true });
        assert_eq!(guesses.believes(at(601), &ann), Belief::Yes, "who is known goes on");
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_source_is_forgotten() {
        let mut guesses = Guesses::new();
        guesses.wrong(at(0), address(0), None);
        guess(&mut guesses, at(1), address(0));
        for n in 1..=u32::try_from(SOURCES_MAX).unwrap() {
            guesses.wrong(at(1), address(n), None);
        }
        assert_eq!((guesses.sources(), guesses.order.len()), (SOURCES_MAX, SOURCES_MAX));
        assert!(listens(&guesses, at(2), address(0), "101"));
        guess(&mut guesses, at(2), address(0));
        for n in 1..=100 {
            guesses.wrong(at(61), address(10_000 + n), None);
        }
        assert_eq!((guesses.sources(), guesses.order.len()), (SOURCES_MAX, SOURCES_MAX));
        assert!(!listens(&guesses, at(61), address(0), "101"), "those that say nothing any more went first");
    }
}
