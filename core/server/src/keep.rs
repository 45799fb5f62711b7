//! Forgets what was kept long enough.
//!
//! A machine that starts with a wrong date would forget everything in its first round. So a round tells the store when it
//! was. When one comes much later than the last, what it would leave nothing of is held until the clock is right, an admin
//! says that it is, or it has moved for a week as time does: so a switch that was off for months is not held for ever.

use plugboard_metrics::{Condition, KeptKind, Metrics, Readiness, StoreTrimmed, StoreUnreadable};
use plugboard_model::{OfficeId, Time, WallTime};
use plugboard_store::{CommitError, Kept, Key, Kv as _, Op, RecordFilter, Scope, Space, Store, Trimmed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::boot::Running;
use crate::config::Keep;
use crate::disk::on_disk;
use crate::faxes::Faxes;
use crate::recordings::Recordings;
use crate::serve::pause;

/// Between two rounds: what is kept for days may stay an hour longer.
const ROUND: Duration = Duration::from_hours(1);
/// Between two steps of a round, so that calls write in between: a year of 10,000 calls a day is gone in half a day.
const STEP: Duration = Duration::from_millis(100);
/// A clock that moved further than this since the last round may be wrong: a switch that was off for some days is not
/// held up, and a wrong date costs at most so much.
const JUMP: Duration = Duration::from_hours(7 * 24);
/// A clock that jumped is believed when it moved for so long as time does: nobody found it wrong.
const STEADY: Duration = Duration::from_hours(7 * 24);
/// How far it may be off meanwhile: a correction over the network is less.
const DRIFT: Duration = Duration::from_mins(10);
/// Where the store keeps the time of the last round.
const LAST: &str = "last-trim";

/// What is kept for how long, with what it is called.
type Span = (KeptKind, Kept, Duration);

/// A round at once and one each hour, for ever. Abort it when the store closes.
pub(crate) async fn forget_for_ever(running: Arc<Running>) {
    loop {
        if let Err(error) = forget(&running, Clock::Doubted).await {
            tracing::warn!(%error, "what was kept long enough could not be removed; it is tried again in an hour");
        }
        pause(ROUND).await;
    }
}

/// A round, and how many recordings went with it: those only by a clock that is believed.
///
/// # Errors
/// As [`Keeper::round`].
pub(crate) async fn forget(running: &Running, clock: Clock) -> Result<(Round, usize), CommitError> {
    let times = (running.clock.wall(), running.clock.now());
    forget_with_files(&running.keeper, (&running.recordings, &running.faxes), times, clock).await
}

/// The same of what is named.
pub(crate) async fn forget_with_files(
    keeper: &Keeper,
    (recordings, faxes): (&Recordings, &Faxes),
    (now, up): (WallTime, Time),
    clock: Clock,
) -> Result<(Round, usize), CommitError> {
    let round = keeper.round(now, up, clock).await?;
    if matches!(round, Round::Held { .. }) {
        return Ok((round, 0));
    }
    let (of_calls, messages) = keeper.tapes;
    let (recordings, faxes) = (recordings.clone(), faxes.clone());
    let gone = on_disk(move || {
        let gone = recordings.forget(before(now, of_calls), before(now, messages))?;
        Ok::<_, CommitError>(gone + faxes.forget(before(now, of_calls))?)
    })
    .await?;
    if gone > 0 {
        tracing::info!(recordings = gone, "what was kept long enough was removed");
    }
    Ok((round, gone))
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
    /// Something was not removed, for the clock is doubted; so many calls lost something else.
    Held { calls: usize },
}

/// When a doubted clock was first seen, by itself and by the time since the start.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    wall: WallTime,
    up: Time,
}

/// Forgets, round by round.
pub(crate) struct Keeper {
    store: Store,
    metrics: Metrics,
    readiness: Readiness,
    spans: [Span; 3],
    /// Recordings of calls, and voice messages.
    tapes: (Duration, Duration),
    /// Since when the clock is doubted, unless it jumped again since.
    doubt: Mutex<Option<Doubt>>,
}

impl Keeper {
    pub(crate) fn new(store: Store, metrics: Metrics, readiness: Readiness, keep: Keep) -> Self {
        let spans = [
            (KeptKind::Record, Kept::Record, keep.calls),
            (KeptKind::Journal, Kept::Journal, keep.journals),
            (KeptKind::SipTrace, Kept::SipTrace, keep.traces),
        ];
        let tapes = (keep.recordings, keep.messages);
        Self { store, metrics, readiness, spans, tapes, doubt: Mutex::default() }
    }

    /// Removes what is old at `now`, which is `up` on the clock that never jumps. What is wrong with one office or kind holds up no other.
    ///
    /// # Errors
    /// The first of what went wrong.
    pub(crate) async fn round(&self, now: WallTime, up: Time, clock: Clock) -> Result<Round, CommitError> {
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
        let held = held.filter(|_| !self.is_steady(now, up));
        if let Some(held) = &held {
            self.readiness.set(Condition::ClockJumped, &held.reason);
        } else {
            self.readiness.clear(&Condition::ClockJumped);
            *self.doubt.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        let (mut sum, mut unreadable, mut fault) = (0, 0, None);
        for office in &offices {
            for (kind, kept, span) in self.spans {
                if held.as_ref().is_some_and(|held| held.kinds.contains(&kept)) {
                    continue;
                }
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
        if held.is_some() {
            // The last round that was believed stays the last.
            return fault.map_or(Ok(Round::Held { calls: sum }), Err);
        }
        let store = self.store.clone();
        on_disk(move || store.commit(vec![Op::put(last_key()?, now.0.to_be_bytes().to_vec())])).await?;
        fault.map_or(Ok(Round::Done { calls: sum }), Err)
    }

    /// Whether a doubted clock has moved for long enough as time does. It is watched from the first round that doubts it.
    fn is_steady(&self, now: WallTime, up: Time) -> bool {
        let mut doubt = self.doubt.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *doubt.get_or_insert(Doubt { wall: now, up });
        let watched = up.since(since.up);
        let moved = now.0.saturating_sub(since.wall.0);
        if moved.abs_diff(millis(watched)) > millis(DRIFT).unsigned_abs() {
            *doubt = Some(Doubt { wall: now, up });
            return false;
        }
        watched >= STEADY
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

/// What a round leaves as it is, and why.
struct Hold {
    kinds: Vec<Kept>,
    reason: String,
}

/// Of what the round at `now` would leave nothing after a jump of the clock; `None`: it is to be believed.
fn held(store: &Store, offices: &[OfficeId], spans: &[Span], now: WallTime) -> Result<Option<Hold>, CommitError> {
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
    let kinds: Vec<Kept> = spans.iter().filter(|span| all_is_old(span)).map(|span| span.1).collect();
    if !jumped || kinds.is_empty() {
        return Ok(None);
    }
    let days = now.0.saturating_sub(seen.0) / millis(Duration::from_hours(24));
    let name = |kind: &Kept| match kind {
        Kept::Record => "records",
        Kept::Journal => "journals",
        Kept::SipTrace => "SIP messages",
    };
    let names = kinds.iter().map(name).collect::<Vec<_>>().join(", ");
    let reason = format!(
        "the clock is {days} days ahead of when this switch was last seen, and nothing would be young enough of what it \
         keeps of these kinds: {names}. They are not removed. If the clock is wrong, set it right; if it is right, run \
         `plugboard trim`, or wait: it is believed when the switch has run on with it for a week"
    );
    Ok(Some(Hold { kinds, reason }))
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
    use plugboard_model::{CallId, CallOutcome, CallRecord, Cause, JournalEntry, JournalEvent, LegId};
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
        let id = CallId::new(OfficeId::new("main").unwrap(), WallTime(at), 7);
        let record = CallRecord::bare(id, WallTime(at), CallOutcome::Abandoned);
        keeper.store.calls().put_record(&record, None).unwrap();
        keeper.store.sync().unwrap();
    }

    /// A round, and the calls that are left.
    fn round(keeper: &Keeper, now: i64, clock: Clock) -> (Round, usize) {
        round_at(keeper, now, now - TODAY + 2_000 * DAY, clock)
    }

    /// The same, with the milliseconds that the switch runs already.
    fn round_at(keeper: &Keeper, now: i64, up: i64, clock: Clock) -> (Round, usize) {
        let up = Time::from_millis(u64::try_from(up).unwrap());
        let round = plugboard_switch::run(keeper.round(WallTime(now), up, clock)).unwrap();
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
        assert_eq!(round(&keeper, WRONG, Clock::Doubted), (Round::Held { calls: 0 }, 1));
        // Nor do calls that are recorded under the wrong clock make it believed.
        call(&keeper, WRONG + 1);
        assert_eq!(round(&keeper, WRONG + DAY, Clock::Doubted), (Round::Held { calls: 0 }, 2));
        let told = keeper.readiness.report().text();
        assert!(told.contains("clock_jumped") && told.contains("plugboard trim"), "{told}");
        // The clock is right again.
        assert_eq!(round(&keeper, TODAY + DAY, Clock::Doubted), (Round::Done { calls: 0 }, 2));
        assert!(!keeper.readiness.report().text().contains("clock_jumped"));
        // It jumped, and it is right.
        assert_eq!(round(&keeper, WRONG + 2 * DAY, Clock::Doubted), (Round::Held { calls: 0 }, 2));
        assert_eq!(round(&keeper, WRONG + 2 * DAY, Clock::Believed), (Round::Done { calls: 1 }, 1));
        assert_eq!(round(&keeper, WRONG + 3 * DAY, Clock::Doubted), (Round::Done { calls: 0 }, 1));
    }

    #[test]
    fn a_first_round_with_a_wrong_clock_is_held_by_the_calls_that_there_are() {
        let keeper = keeper();
        call(&keeper, TODAY);
        assert_eq!(round(&keeper, WRONG, Clock::Doubted), (Round::Held { calls: 0 }, 1));
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
            let done = round(&keeper, TODAY + day * DAY, Clock::Doubted);
            assert_eq!(done, (Round::Done { calls: 0 }, 1), "nothing is held: day {day}");
        }
        assert_eq!(round(&keeper, TODAY + 366 * DAY, Clock::Doubted), (Round::Done { calls: 1 }, 0));
    }

    #[test]
    fn a_switch_that_was_off_for_sixty_days_is_held_for_a_week_and_only_for_what_it_would_lose_all_of() {
        let keeper = keeper();
        call(&keeper, TODAY - 350 * DAY);
        let id = CallId::new(OfficeId::new("main").unwrap(), WallTime(TODAY), 7);
        let answered = JournalEvent::LegEnded { leg: LegId::CALLER, cause: Cause { status: 200, text: "ok".into() } };
        let entry = JournalEntry { seq: 0, at: Time::ZERO, event: answered };
        keeper.store.calls().append_journal(&id, &[entry]).unwrap();
        call(&keeper, TODAY);
        let entries = |keeper: &Keeper| keeper.store.calls().journal(&id).unwrap().entries.len();
        assert_eq!(round(&keeper, TODAY, Clock::Doubted), (Round::Done { calls: 0 }, 2));
        let start = TODAY + 60 * DAY;
        // Of the records some are young, so that the old one goes; of the journals none is.
        assert_eq!(round_at(&keeper, start, 0, Clock::Doubted), (Round::Held { calls: 1 }, 1));
        let told = keeper.readiness.report().text();
        assert!(told.contains("clock_jumped") && told.contains("journal") && told.contains("a week"), "{told}");
        for hour in 1..7 * 24 {
            let held = round_at(&keeper, start + hour * DAY / 24, hour * DAY / 24, Clock::Doubted);
            assert_eq!((held, entries(&keeper)), ((Round::Held { calls: 0 }, 1), 1), "hour {hour}");
        }
        assert_eq!(round_at(&keeper, start + 7 * DAY, 7 * DAY, Clock::Doubted), (Round::Done { calls: 1 }, 1));
        assert_eq!(entries(&keeper), 0);
        assert!(!keeper.readiness.report().text().contains("clock_jumped"));
    }

    #[test]
    fn a_clock_that_jumps_again_begins_its_week_anew() {
        let keeper = keeper();
        call(&keeper, TODAY);
        assert_eq!(round_at(&keeper, WRONG, 0, Clock::Doubted).0, Round::Held { calls: 0 });
        assert_eq!(round_at(&keeper, WRONG + 6 * DAY, 6 * DAY, Clock::Doubted).0, Round::Held { calls: 0 });
        // A week by its own count, not by that of the machine.
        assert_eq!(round_at(&keeper, WRONG + 20 * DAY, 7 * DAY, Clock::Doubted).0, Round::Held { calls: 0 });
        assert_eq!(round_at(&keeper, WRONG + 26 * DAY, 13 * DAY, Clock::Doubted).0, Round::Held { calls: 0 });
        assert_eq!(round_at(&keeper, WRONG + 27 * DAY, 14 * DAY, Clock::Doubted).0, Round::Done { calls: 1 });
    }

    #[test]
    fn a_clock_that_was_right_meanwhile_begins_its_week_anew() {
        let keeper = keeper();
        call(&keeper, TODAY);
        assert_eq!(round_at(&keeper, WRONG, 0, Clock::Doubted).0, Round::Held { calls: 0 });
        assert_eq!(round_at(&keeper, TODAY + DAY, DAY, Clock::Doubted).0, Round::Done { calls: 0 });
        // As if it had gone on with the wrong date all the time.
        assert_eq!(round_at(&keeper, WRONG + 8 * DAY, 8 * DAY, Clock::Doubted).0, Round::Held { calls: 0 });
        assert_eq!(round_at(&keeper, WRONG + 15 * DAY, 15 * DAY, Clock::Doubted).0, Round::Done { calls: 1 });
    }
}
