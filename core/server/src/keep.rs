//! Forgets what was kept long enough.
//!
//! A machine that starts with a wrong date would forget everything in its first round. So a round tells the store when it
//! was, and one that comes much later than the last, and would leave nothing of what there was then, is held until the
//! clock is right or an admin says that it is.

use plugboard_metrics::{Condition, KeptKind, Metrics, Readiness, StoreTrimmed, StoreUnreadable};
use plugboard_model::{OfficeId, WallTime};
use plugboard_store::{CommitError, Kept, Key, Kv as _, Op, RecordFilter, Scope, Space, Store, Trimmed};
use std::sync::Arc;
use std::time::Duration;

use crate::boot::Running;
use crate::config::Keep;
use crate::disk::on_disk;
use crate::serve::pause;

/// Between two rounds: what is kept for days may stay an hour longer.
const ROUND: Duration = Duration::from_hours(1);
/// Between two steps of a round, so that calls write in between: a year of 10,000 calls a day is gone in half a day.
const STEP: Duration = Duration::from_millis(100);
/// A clock that moved further than this since the last round may be wrong: a switch that was off for some days is not
/// held up, and a wrong date costs at most so much.
const JUMP: Duration = Duration::from_hours(7 * 24);
/// Where the store keeps the time of the last round.
const LAST: &str = "last-trim";

/// What is kept for how long, with what it is called.
type Span = (KeptKind, Kept, Duration);

/// A round at once and one each hour, for ever. Abort it when the store closes.
pub(crate) async fn forget_for_ever(running: Arc<Running>) {
    loop {
        if let Err(error) = running.keeper.round(running.clock.wall(), Clock::Doubted).await {
            tracing::warn!(%error, "what was kept long enough could not be removed; it is tried again in an hour");
        }
        pause(ROUND).await;
    }
}

/// Whether the machine's clock is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Not when it jumped.
    Doubted,
    /// An admin says that it is right.
    Believed,
}

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Round {
    /// So many calls lost something.
    Done { calls: usize },
    /// Nothing was removed.
    Held,
}

/// Forgets, round by round.
pub(crate) struct Keeper {
    store: Store,
    metrics: Metrics,
    readiness: Readiness,
    spans: [Span; 3],
}

impl Keeper {
    pub(crate) fn new(store: Store, metrics: Metrics, readiness: Readiness, keep: Keep) -> Self {
        let spans = [
            (KeptKind::Record, Kept::Record, keep.calls),
            (KeptKind::Journal, Kept::Journal, keep.journals),
            (KeptKind::SipTrace, Kept::SipTrace, keep.traces),
        ];
        Self { store, metrics, readiness, spans }
    }

    /// Removes what is old at `now`. What is wrong with one office or kind holds up no other.
    ///
    /// # Errors
    /// The first of what went wrong.
    pub(crate) async fn round(&self, now: WallTime, clock: Clock) -> Result<Round, CommitError> {
        let (store, spans) = (self.store.clone(), self.spans);
        let (offices, held) = on_disk(move || {
            let offices = store.calls().offices()?;
            let held = match clock {
                Clock::Doubted => held(&store, &offices, &spans, now)?,
                Clock::Believed => None,
            };
            Ok::<_, CommitError>((offices, held))
        })
        .await?;
        if let Some(reason) = held {
            self.readiness.set(Condition::ClockJumped, &reason);
            return Ok(Round::Held);
        }
        self.readiness.clear(&Condition::ClockJumped);
        let (mut sum, mut unreadable, mut fault) = (0, 0, None);
        for office in &offices {
            for (kind, kept, span) in self.spans {
                match self.forget(office, kept, before(now, span)).await {
                    Ok(trimmed) => {
                        sum += trimmed.calls;
                        unreadable += trimmed.unreadable;
                        if trimmed.calls > 0 {
                            StoreTrimmed { office, kind, calls: trimmed.calls }.emit(&self.metrics);
                        }
                    }
                    Err(error) => fault = fault.or(Some(error)),
                }
            }
        }
        StoreUnreadable(unreadable).emit(&self.metrics);
        let store = self.store.clone();
        on_disk(move || store.commit(vec![Op::put(last_key()?, now.0.to_be_bytes().to_vec())])).await?;
        fault.map_or(Ok(Round::Done { calls: sum }), Err)
    }

    /// Forgets step by step; tells of how many calls.
    async fn forget(&self, office: &OfficeId, kept: Kept, before: WallTime) -> Result<Trimmed, CommitError> {
        let mut sum = 0;
        loop {
            let (store, office) = (self.store.clone(), office.clone());
            let step = on_disk(move || store.calls().trim(&office, kept, before)).await?;
            sum += step.calls;
            if !step.more {
                return Ok(Trimmed { calls: sum, ..step });
            }
            pause(STEP).await;
        }
    }
}

/// Why the round at `now` is not to be believed; `None`: it is.
fn held(store: &Store, offices: &[OfficeId], spans: &[Span], now: WallTime) -> Result<Option<String>, CommitError> {
    let last = store.get(&last_key()?)?;
    let last = last.and_then(|last| last.value.try_into().ok()).map(|bytes| WallTime(i64::from_be_bytes(bytes)));
    // What was recorded since the jump says nothing about the clock.
    let until = last.map(|last| WallTime(last.0.saturating_add(millis(JUMP))));
    let mut newest = None;
    for office in offices {
        let filter = RecordFilter { to: until, ..RecordFilter::default() };
        let found = store.calls().records(office, &filter, None, 1)?.records;
        newest = newest.max(found.first().map(|record| record.began));
    }
    // Before there was a last round, the newest call is the last sign of life.
    let (Some(newest), Some(seen)) = (newest, last.or(newest)) else { return Ok(None) };
    let jumped = now.0.saturating_sub(seen.0) > millis(JUMP);
    let all_is_old = |span: &Span| newest < before(now, span.2);
    if !jumped || !spans.iter().any(all_is_old) {
        return Ok(None);
    }
    let days = now.0.saturating_sub(seen.0) / millis(Duration::from_hours(24));
    Ok(Some(format!(
        "the clock is {days} days ahead of when this switch was last seen, and nothing that it keeps would be young \
         enough: nothing is removed. If the clock is wrong, set it right; if it is right, run `plugboard trim`"
    )))
}

fn last_key() -> Result<Key, CommitError> {
    Ok(Key::new(Scope::Switch, Space::Settings, &[LAST])?)
}

fn before(now: WallTime, span: Duration) -> WallTime {
    WallTime(now.0.saturating_sub(millis(span)))
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::{CallId, CallOutcome, CallRecord, Direction};
    use plugboard_store::Place;

    const DAY: i64 = 86_400_000;
    /// 2026-11-22.
    const TODAY: i64 = 20_779 * DAY;
    /// 2038-01-19.
    const WRONG: i64 = 24_855 * DAY;

    fn keeper() -> Keeper {
        let store = Store::start(Place::Memory, None).unwrap();
        let keep = crate::config::Config::default().keep;
        Keeper::new(store, Metrics::new(), Readiness::default(), keep)
    }

    fn call(keeper: &Keeper, at: i64) {
        let record = CallRecord {
            id: CallId::new(OfficeId::new("main").unwrap(), WallTime(at), 7),
            direction: Direction::Internal,
            caller: "101".into(),
            caller_name: String::new(),
            caller_user: None,
            called: "102".into(),
            route: None,
            scenario: None,
            began: WallTime(at),
            answered: None,
            answered_by: None,
            ended: WallTime(at),
            outcome: CallOutcome::Abandoned,
            legs: vec![],
            steps: vec![],
        };
        keeper.store.calls().put_record(&record, None).unwrap();
        keeper.store.sync().unwrap();
    }

    /// A round, and the calls that are left.
    fn round(keeper: &Keeper, now: i64, clock: Clock) -> (Round, usize) {
        let round = plugboard_switch::run(keeper.round(WallTime(now), clock)).unwrap();
        let office = OfficeId::new("main").unwrap();
        let left = keeper.store.calls().records(&office, &RecordFilter::default(), None, 10).unwrap().records.len();
        (round, left)
    }

    #[test]
    fn a_clock_that_jumps_to_2038_removes_nothing_until_an_admin_says_that_it_is_right() {
        let keeper = keeper();
        call(&keeper, TODAY - DAY);
        call(&keeper, TODAY - 400 * DAY);
        assert_eq!(round(&keeper, TODAY, Clock::Doubted), (Round::Done { calls: 1 }, 1));
        assert_eq!(round(&keeper, WRONG, Clock::Doubted), (Round::Held, 1));
        // Nor do calls that are recorded under the wrong clock make it believed.
        call(&keeper, WRONG + 1);
        assert_eq!(round(&keeper, WRONG + DAY, Clock::Doubted), (Round::Held, 2));
        let told = keeper.readiness.report().text();
        assert!(told.contains("clock_jumped") && told.contains("plugboard trim"), "{told}");
        // The clock is right again.
        assert_eq!(round(&keeper, TODAY + DAY, Clock::Doubted), (Round::Done { calls: 0 }, 2));
        assert!(!keeper.readiness.report().text().contains("clock_jumped"));
        // It jumped, and it is right.
        assert_eq!(round(&keeper, WRONG + 2 * DAY, Clock::Doubted), (Round::Held, 2));
        assert_eq!(round(&keeper, WRONG + 2 * DAY, Clock::Believed), (Round::Done { calls: 1 }, 1));
        assert_eq!(round(&keeper, WRONG + 3 * DAY, Clock::Doubted), (Round::Done { calls: 0 }, 1));
    }

    #[test]
    fn a_first_round_with_a_wrong_clock_is_held_by_the_calls_that_there_are() {
        let keeper = keeper();
        call(&keeper, TODAY);
        assert_eq!(round(&keeper, WRONG, Clock::Doubted), (Round::Held, 1));
        assert_eq!(round(&keeper, TODAY + 8 * DAY, Clock::Doubted), (Round::Done { calls: 0 }, 1));
    }

    #[test]
    fn a_switch_that_was_off_for_a_while_or_had_no_call_for_a_year_goes_on() {
        let keeper = keeper();
        call(&keeper, TODAY);
        assert_eq!(round(&keeper, TODAY, Clock::Doubted), (Round::Done { calls: 0 }, 1));
        // Off for ten days: what is a month or a year old goes, and a part of it is younger.
        assert_eq!(round(&keeper, TODAY + 10 * DAY, Clock::Doubted), (Round::Done { calls: 0 }, 1));
        for day in 11..366 {
            assert_eq!(round(&keeper, TODAY + day * DAY, Clock::Doubted).1, 1, "day {day}");
        }
        assert_eq!(round(&keeper, TODAY + 366 * DAY, Clock::Doubted), (Round::Done { calls: 1 }, 0));
    }
}
