//! Runs that wait are put away and rebuilt, and nobody can tell.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

mod support;

use plugboard_model::{CallEvent, HostResult, JournalEvent, PlayEnd, RunEnd};
use plugboard_plugin::{Limits, Metering, RunEvent, RunSpec, Runner, RunnerLimits};
use std::sync::Arc;
use support::{BELOW, Bench, CALL_PLAY, NEXT_EVENT, NOW, PLAY, RETURN_DONE, guest, key, spec};

/// Waits `times` for random times, reads the clock between, and returns `done`.
fn waits(times: u32) -> Vec<u8> {
    let imports = format!("{BELOW} {NEXT_EVENT} {NOW}");
    let body = format!(
        "(loop $again
           (drop (call $now))
           (call $next_event (i32.wrap_i64 (call $below (i64.const 3600000))) (i32.const 256))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const {times})))) {RETURN_DONE}"
    );
    guest("waits", &imports, "", &body)
}

fn timeout() -> HostResult {
    HostResult::Event(Ok(CallEvent::Timeout))
}

fn put_away(journal: &[JournalEvent]) -> usize {
    journal.iter().filter(|event| matches!(event, JournalEvent::PutAway { .. })).count()
}

#[test]
fn a_run_that_was_put_away_at_every_wait_decides_as_one_that_never_was() {
    for metering in [Metering::Fuel, Metering::Epoch] {
        let wasm = waits(6);
        let run = |put_away_after_ms| {
            let mut bench = Bench::new(metering, RunnerLimits::default());
            let action = bench.install(&wasm);
            let limits = Limits { put_away_after_ms, ..Limits::default() };
            bench.run(RunSpec { limits, ..spec(action.id()) }, 500, |_, _| timeout())
        };
        let (stayed, away) = (run(1_000), run(20));
        assert_eq!((stayed.usage.put_away, away.usage.put_away), (0, 6));
        assert_eq!(put_away(&away.journal), 6);
        assert_eq!(stayed.end, RunEnd::Outcome("done".into()));
        // The pins tell the two limits apart; everything after them is the same.
        assert_eq!(stayed.decisions().get(1..), away.decisions().get(1..));
        assert_eq!(stayed.usage.fuel, away.usage.fuel, "the rebuilt run costs what the first cost");
        assert_eq!(stayed.usage.host_calls, away.usage.host_calls);
    }
}

#[test]
fn a_run_that_is_away_holds_no_instance() {
    let mut bench = Bench::inline();
    let action = bench.install(&waits(1));
    bench.runner.start(spec(action.id())).unwrap();
    while bench.runner.poll_event().is_some() {}
    assert_eq!((bench.runner.instances_waiting(), bench.runner.runs()), (1, 1));
    let due = bench.runner.poll_timeout().expect("a waiting run has a timer");
    assert_eq!(due.as_millis(), 20);
    bench.clock.pass(20);
    let told: Vec<_> = std::iter::from_fn(|| bench.runner.poll_event()).map(support::journaled).collect();
    assert_eq!(put_away(&told), 1);
    assert_eq!((bench.runner.instances_waiting(), bench.runner.runs()), (0, 1));
    assert_eq!(bench.runner.poll_timeout(), None);
}

#[test]
fn more_runs_wait_than_there_are_instances() {
    let mut bench = Bench::inline();
    let action = bench.install(&waits(2));
    let calls = 200;
    let mut ended = 0;
    let mut asked = Vec::new();
    for number in 0..calls {
        bench.runner.start(RunSpec { key: key(number), ..spec(action.id()) }).unwrap();
        while let Some(event) = bench.runner.poll_event() {
            if let RunEvent::HostCall { key, n, .. } = event {
                asked.push((key, n));
            }
        }
        bench.clock.pass(20);
    }
    while let Some((key, n)) = asked.pop() {
        bench.runner.resume(&key, n, timeout());
        while let Some(event) = bench.runner.poll_event() {
            match event {
                RunEvent::HostCall { key, n, .. } => asked.push((key, n)),
                RunEvent::Ended { end, .. } => {
                    assert_eq!(end, RunEnd::Outcome("done".into()));
                    ended += 1;
                }
                RunEvent::Journal { .. } => {}
            }
        }
    }
    assert_eq!(ended, calls);
}

#[test]
fn a_run_with_a_long_journal_stays_suspended_and_past_their_limit_it_ends() {
    let limits = RunnerLimits { suspended_max: 1, ..RunnerLimits::default() };
    let mut bench = Bench::new(Metering::Fuel, limits);
    // 3 host calls a round: past 256 of them the record is too long to rebuild from.
    let action = bench.install(&waits(100));
    let run = bench.run(spec(action.id()), 500, |_, _| timeout());
    assert_eq!(run.end, RunEnd::Outcome("done".into()));
    assert!((80..90).contains(&run.usage.put_away), "{}", run.usage.put_away);

    let mut waiting = Vec::new();
    for number in 0..2 {
        bench.runner.start(RunSpec { key: key(number), ..spec(action.id()) }).unwrap();
        let mut asked = None;
        for _ in 0..90 {
            while let Some(event) = bench.runner.poll_event() {
                if let RunEvent::HostCall { key, n, .. } = event {
                    asked = Some((key, n));
                }
            }
            let (key, n) = asked.take().unwrap();
            bench.runner.resume(&key, n, timeout());
        }
        while let Some(event) = bench.runner.poll_event() {
            if let RunEvent::HostCall { key, n, .. } = event {
                waiting.push((key, n));
            }
        }
    }
    bench.clock.pass(20);
    let ends: Vec<_> = std::iter::from_fn(|| bench.runner.poll_event())
        .filter_map(|event| if let RunEvent::Ended { key, end, .. } = event { Some((key, end)) } else { None })
        .collect();
    assert!(
        matches!(ends.as_slice(), [(second, RunEnd::Limit { limit, .. })]
        if *second == key(1) && limit == "suspended"),
        "{ends:?}"
    );
    assert_eq!(bench.runner.instances_waiting(), 1);
}

#[test]
fn an_answer_is_journaled_before_the_run_is_rebuilt() {
    let mut bench = Bench::inline();
    let action = bench.install(&guest("plays", PLAY, "", &format!("{CALL_PLAY} {RETURN_DONE}")));
    let run = bench.run(spec(action.id()), 60_000, |_, _| HostResult::Played(Ok(PlayEnd::Finished)));
    let kinds: Vec<_> = run
        .journal
        .iter()
        .map(|event| match event {
            JournalEvent::RunBegan { .. } => "began",
            JournalEvent::Begin { .. } => "begin",
            JournalEvent::PutAway { .. } => "put away",
            JournalEvent::End { .. } => "end",
            JournalEvent::RunEnded { .. } => "ended",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["began", "begin", "put away", "end", "ended"]);
}

#[test]
fn waits_do_not_count_against_the_deadline() {
    let mut bench = Bench::new(Metering::Epoch, RunnerLimits::default());
    let action = bench.install(&waits(3));
    let limits = Limits { active_ms_max: 100, cpu_ms_max: 100, ..Limits::default() };
    let run = bench.run(RunSpec { limits, ..spec(action.id()) }, 3_600_000, |_, _| timeout());
    assert_eq!(run.end, RunEnd::Outcome("done".into()));
}

#[test]
fn a_run_keeps_its_version_when_another_becomes_current_and_its_own_is_removed() {
    let mut bench = Bench::inline();
    let old = bench.install(&waits(2));
    let catalogue = Arc::clone(&bench.catalogue);
    let mut swapped = false;
    let run = bench.run(spec(old.id()), 500, |_, _| {
        if !std::mem::replace(&mut swapped, true) {
            let new = catalogue.install(&waits(3)).unwrap();
            assert_ne!(new.id(), old.id());
            assert_eq!(catalogue.current("waits").unwrap().id(), new.id());
            assert!(catalogue.remove(old.id()));
        }
        timeout()
    });
    assert_eq!(run.end, RunEnd::Outcome("done".into()));
    assert_eq!(run.calls().len(), 6);
    assert_eq!(
        bench.run_alone(spec(old.id())).end,
        RunEnd::Failed(format!("the component {} is not installed", old.id().short()))
    );
}

#[test]
fn a_runner_is_dropped_with_runs_on_it() {
    let mut bench = Bench::inline();
    let action = bench.install(&waits(1));
    bench.runner.start(spec(action.id())).unwrap();
    while bench.runner.poll_event().is_some() {}
    let catalogue = Arc::clone(&bench.catalogue);
    bench.runner = Runner::new(catalogue, bench.clock.clock(), RunnerLimits::default());
    assert_eq!(bench.run(spec(action.id()), 0, |_, _| timeout()).end, RunEnd::Outcome("done".into()));
}
