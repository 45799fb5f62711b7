//! What calls to the outside may cost: for whom they are limited, and how much was used.

use crate::numbers::{NumberFormat, calling_code};
use crate::{Gateway, Hours, LocalTime, Office};
use plugboard_calendar::DayKind;
use plugboard_model::{Dialled, Time, UserId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Limits of calls to the outside. Calls for help pass them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Toll {
    /// Calls at once.
    pub calls_at_once: Option<u32>,
    /// Minutes of answered calls a day, by the office's time zone.
    pub minutes_a_day: Option<u32>,
    /// Whether a call that has used them up is ended; else only new ones are refused.
    pub ends: bool,
    /// Numbers that begin so may be called; with it, or with `countries`, no others.
    pub allow: Vec<Dialled>,
    /// Numbers of these countries may be called (ISO 3166-1); those that share a calling code are one.
    pub countries: Vec<String>,
    /// Numbers that begin so may not be called. The longest beginning of all three decides.
    pub deny: Vec<Dialled>,
    /// When calls may begin; empty: always.
    pub hours: Vec<Hours>,
}

/// Which limit a call met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TollLimit {
    /// [`Toll::calls_at_once`].
    #[error("as many calls to the outside at once as allowed")]
    Calls,
    /// [`Toll::allow`] and its kin.
    #[error("calls to this destination are not allowed")]
    Destination,
    /// [`Toll::hours`].
    #[error("no calls to the outside are allowed at this time")]
    Hours,
    /// [`Toll::minutes_a_day`].
    #[error("the minutes of this day are used up")]
    Minutes,
}

impl TollLimit {
    /// Whether waiting helps.
    pub const fn passes(self) -> bool {
        match self {
            Self::Calls | Self::Hours | Self::Minutes => true,
            Self::Destination => false,
        }
    }
}

/// What one user, or one gateway, has used: his calls that go on, and the time of today's that are over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    day: i64,
    used: Duration,
    /// Those that go on, with their answers.
    running: BTreeMap<u64, Option<Time>>,
    last: u64,
}

impl Ledger {
    /// One that has used so much of that day already.
    pub fn restored(day: i64, used: Duration) -> Self {
        Self { day, used, ..Self::default() }
    }

    /// A call wants out: its ticket, which comes back with [`Ledger::leave`].
    ///
    /// # Errors
    /// The limit that it meets. `number`: every writing of it that a limit may mean.
    pub fn enter(&mut self, toll: &Toll, number: &[String], now: Time, local: LocalTime) -> Result<u64, TollLimit> {
        if !toll.allows(number) {
            return Err(TollLimit::Destination);
        }
        if !toll.is_open(local) {
            return Err(TollLimit::Hours);
        }
        let running = u32::try_from(self.running.len()).unwrap_or(u32::MAX);
        if toll.calls_at_once.is_some_and(|most| running >= most) {
            return Err(TollLimit::Calls);
        }
        if self.left(toll, now, local) == Some(Duration::ZERO) {
            return Err(TollLimit::Minutes);
        }
        self.last += 1;
        self.running.insert(self.last, None);
        Ok(self.last)
    }

    /// It was answered.
    pub fn answered(&mut self, ticket: u64, now: Time) {
        if let Some(answer) = self.running.get_mut(&ticket) {
            answer.get_or_insert(now);
        }
    }

    /// It is over. What is to be kept, as [`Ledger::so_far`] has it.
    pub fn leave(&mut self, ticket: u64, now: Time, local: LocalTime) -> (i64, Duration) {
        self.turn(now, local);
        if let Some(Some(answer)) = self.running.remove(&ticket) {
            self.used += now.since(answer);
        }
        self.so_far(now, local)
    }

    /// Today's day and the time that its calls took, with that of those that go on.
    pub fn so_far(&mut self, now: Time, local: LocalTime) -> (i64, Duration) {
        self.turn(now, local);
        (self.day, self.used + self.running(now))
    }

    fn running(&self, now: Time) -> Duration {
        self.running.values().flatten().map(|answer| now.since(*answer)).sum()
    }

    /// The time that today's calls may still take; `None`: any.
    pub fn left(&mut self, toll: &Toll, now: Time, local: LocalTime) -> Option<Duration> {
        self.turn(now, local);
        let most = Duration::from_secs(u64::from(toll.minutes_a_day?) * 60);
        Some(most.saturating_sub(self.used + self.running(now)))
    }

    /// Whether nothing would be lost with it.
    pub fn is_idle(&self, local: LocalTime) -> bool {
        self.running.is_empty() && (self.used.is_zero() || self.day != local.date.number())
    }

    /// At midnight everything begins anew: what goes on has begun then.
    fn turn(&mut self, now: Time, local: LocalTime) {
        if self.day == local.date.number() {
            return;
        }
        (self.day, self.used) = (local.date.number(), Duration::ZERO);
        let midnight = Duration::from_secs(u64::from(local.second));
        let midnight = Time(now.0.saturating_sub(u64::try_from(midnight.as_nanos()).unwrap_or(u64::MAX)));
        self.running.values_mut().flatten().for_each(|answer| *answer = (*answer).max(midnight));
    }
}

impl Toll {
    fn allows(&self, number: &[String]) -> bool {
        let codes: Vec<String> = self.countries.iter().filter_map(|country| calling_code(country)).collect();
        let longest = |prefixes: &mut dyn Iterator<Item = &str>| {
            prefixes.filter(|prefix| number.iter().any(|text| text.starts_with(*prefix))).map(str::len).max()
        };
        let allowed = longest(&mut self.allow.iter().map(Dialled::as_str).chain(codes.iter().map(String::as_str)));
        let denied = longest(&mut self.deny.iter().map(Dialled::as_str));
        match (allowed, denied) {
            (Some(allowed), Some(denied)) => allowed > denied,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => self.allow.is_empty() && self.countries.is_empty(),
        }
    }

    fn is_open(&self, local: LocalTime) -> bool {
        let (today, yesterday) = (local.date.weekday(), local.date.before().weekday());
        let (today, yesterday) = (DayKind::Weekday(today), DayKind::Weekday(yesterday));
        self.hours.is_empty() || self.hours.iter().any(|hours| hours.hold(local.minute(), today, yesterday))
    }
}

impl Office {
    /// The limits of a user: his own, else those of everybody.
    pub fn toll_of(&self, user: &UserId) -> Option<&Arc<Toll>> {
        self.user(user)?.toll.as_ref().or(self.toll.as_ref())
    }

    /// Every writing of a number that goes to this gateway which a limit may mean: in E.164, as it is dialled in the
    /// country, and as the gateway gets it.
    pub fn toll_number(&self, gateway: &Gateway, written: &Dialled) -> Vec<String> {
        let plan = self.number_plan();
        let mut all = vec![written.as_str().to_owned()];
        if let Some(e164) = plan.e164_from(written, gateway.numbers) {
            all.push(plan.write(&e164, NumberFormat::National).into());
            all.push(e164.into());
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(day: u32, hour: u32, minute: u32) -> LocalTime {
        let date = plugboard_calendar::Date::parse(&format!("2026-06-{day:02}")).unwrap();
        LocalTime { date, second: hour * 3_600 + minute * 60 }
    }

    fn dialled(all: &[&str]) -> Vec<Dialled> {
        all.iter().map(|text| Dialled::new(text).unwrap()).collect()
    }

    #[test]
    fn the_longest_beginning_says_whether_a_number_may_be_called() {
        let toll =
            |allow: &[&str], deny: &[&str]| Toll { allow: dialled(allow), deny: dialled(deny), ..Toll::default() };
        let may = |toll: &Toll, number: &str| toll.allows(&[number.to_owned()]);
        let open = toll(&[], &["+49900", "+882"]);
        assert!(may(&open, "+4930123") && !may(&open, "+49900123") && !may(&open, "+88213"));
        let closed = toll(&["+49", "+499001"], &["+49900"]);
        assert!(
            may(&closed, "+4930") && !may(&closed, "+49900222") && may(&closed, "+499001222") && !may(&closed, "+1212")
        );
        let country = Toll { countries: vec!["de".into()], ..Toll::default() };
        assert!(country.allows(&["+4930".into()]) && !country.allows(&["+1".into()]));
    }

    #[test]
    fn minutes_are_of_the_day_and_those_that_go_on_count() {
        let day = |day| local(day, 0, 0).date.number();
        let toll = Toll { minutes_a_day: Some(10), calls_at_once: Some(2), ..Toll::default() };
        let (mut ledger, at) = (Ledger::default(), |minutes: u64| Time::from_millis(minutes * 60_000));
        let enter = |ledger: &mut Ledger, now, local| ledger.enter(&toll, &["+1".into()], now, local);
        let first = enter(&mut ledger, at(0), local(1, 23, 50)).unwrap();
        ledger.answered(first, at(0));
        let second = enter(&mut ledger, at(1), local(1, 23, 51)).unwrap();
        assert_eq!(enter(&mut ledger, at(1), local(1, 23, 51)), Err(TollLimit::Calls));
        assert_eq!(
            ledger.leave(second, at(2), local(1, 23, 52)),
            (day(1), Duration::from_secs(120)),
            "nobody answered, and the first goes on"
        );
        assert_eq!(ledger.left(&toll, at(9), local(1, 23, 59)), Some(Duration::from_secs(60)));
        assert_eq!(ledger.clone().left(&toll, at(10), local(1, 23, 59)), Some(Duration::ZERO));
        assert_eq!(enter(&mut ledger.clone(), at(10), local(1, 23, 59)), Err(TollLimit::Minutes));
        // The day after it has five minutes of it.
        assert_eq!(ledger.leave(first, at(15), local(2, 0, 5)), (day(2), Duration::from_secs(300)));
        let mut again = Ledger::restored(day(2), Duration::from_secs(300));
        assert_eq!(again.left(&toll, at(0), local(2, 0, 6)), Some(Duration::from_secs(300)));
        assert_eq!(again.left(&toll, at(0), local(3, 0, 6)), Some(Duration::from_secs(600)));
    }
}
