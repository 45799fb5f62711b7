//! The plugin threads: real time, real threads.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

mod support;

use plugboard_model::{CallEvent, HostResult, JournalEvent, RunEnd};
use plugboard_plugin::{
    Catalogue, Clock, Limits, Metering, PluginThreads, RunEvent, RunSpec, RunnerLimits, Sink, StartError,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use support::{NEXT_EVENT, RETURN_DONE, engine, guest, key, spec};

/// Longer than anything here takes on a full machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Stage {
    threads: PluginThreads,
    events: mpsc::Receiver<RunEvent>,
    catalogue: Arc<Catalogue>,
}

fn stage(threads: usize, limits: RunnerLimits) -> Stage {
    let catalogue = Arc::new(Catalogue::new(engine(Metering::Epoch), None));
    let (tell, events) = mpsc::channel();
    let sink: Sink = Arc::new(move |events| {
        let calls: BTreeSet<_> = events.iter().map(|event| event.key().call.clone()).collect();
        assert_eq!(calls.len(), 1, "at least one event, all of one call: {events:?}");
        for event in events {
            drop(tell.send(event));
        }
    });
    let threads = PluginThreads::new(&catalogue, &Clock::system(), limits, threads, &sink).unwrap();
    Stage { threads, events, catalogue }
}

fn waits() -> Vec<u8> {
    let body = format!("(call $next_event (i32.const 1000) (i32.const 256)) {RETURN_DONE}");
    guest("waits", NEXT_EVENT, "", &body)
}

fn timeout() -> HostResult {
    HostResult::Event(Ok(CallEvent::Timeout))
}

#[test]
fn many_runs_on_two_threads_all_end_and_each_journal_is_in_order() {
    let stage = stage(2, RunnerLimits::default());
    let action = stage.catalogue.install(&waits()).unwrap();
    let calls = 100;
    for call in 0..calls {
        let mut spec = spec(action.id());
        spec.key.call.ulid = call;
        stage.threads.start(spec).unwrap();
    }
    let mut journals: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut ended = 0;
    while ended < calls {
        match stage.events.recv_timeout(PATIENCE).unwrap() {
            RunEvent::HostCall { key, n, .. } => assert!(stage.threads.resume(key, n, timeout())),
            RunEvent::Journal { key, event } => journals.entry(key).or_default().push(event),
            RunEvent::Ended { end, .. } => {
                assert_eq!(end, RunEnd::Outcome("done".into()));
                ended += 1;
            }
        }
    }
    for journal in journals.into_values() {
        let kept: Vec<_> = journal.iter().filter(|event| !matches!(event, JournalEvent::PutAway { .. })).collect();
        assert!(
            matches!(
                kept.as_slice(),
                [
                    JournalEvent::RunBegan { .. },
                    JournalEvent::Begin { .. },
                    JournalEvent::End { .. },
                    JournalEvent::RunEnded { .. }
                ]
            ),
            "{journal:?}"
        );
    }
}

#[test]
fn a_looping_guest_does_not_keep_the_others_of_its_thread_from_ending() {
    let stage = stage(1, RunnerLimits::default());
    let loops = stage.catalogue.install(&guest("loops", "", "", "(loop $again (br $again)) unreachable")).unwrap();
    let waits = stage.catalogue.install(&waits()).unwrap();
    // The loops end by their own limit long after the test; they are cancelled instead.
    let limits = Limits { cpu_ms_max: 600_000, active_ms_max: 600_000, ..Limits::default() };
    for number in 0..4 {
        stage.threads.start(RunSpec { key: key(number), limits, ..spec(loops.id()) }).unwrap();
    }
    for number in 4..24 {
        stage.threads.start(RunSpec { key: key(number), ..spec(waits.id()) }).unwrap();
        loop {
            match stage.events.recv_timeout(PATIENCE).unwrap() {
                RunEvent::HostCall { key, n, .. } => assert!(stage.threads.resume(key, n, timeout())),
                RunEvent::Journal { .. } => {}
                RunEvent::Ended { key: of, end, .. } => {
                    assert_eq!((of, end), (key(number), RunEnd::Outcome("done".into())));
                    break;
                }
            }
        }
    }
    for number in 0..4 {
        assert!(stage.threads.cancel(key(number)));
    }
    let mut cancelled = 0;
    while cancelled < 4 {
        if let RunEvent::Ended { end, .. } = stage.events.recv_timeout(PATIENCE).unwrap() {
            assert_eq!(end, RunEnd::Cancelled);
            cancelled += 1;
        }
    }
    assert_eq!(stage.threads.runs(), 0);
}

#[test]
fn a_looping_guest_is_stopped_by_its_cpu_limit() {
    let stage = stage(1, RunnerLimits::default());
    let loops = stage.catalogue.install(&guest("loops", "", "", "(loop $again (br $again)) unreachable")).unwrap();
    let limits = Limits { cpu_ms_max: 30, ..Limits::default() };
    stage.threads.start(RunSpec { limits, ..spec(loops.id()) }).unwrap();
    loop {
        if let RunEvent::Ended { end, usage, .. } = stage.events.recv_timeout(PATIENCE).unwrap() {
            assert_eq!(end, RunEnd::Limit { limit: "epoch".into(), after: 0 });
            assert!(usage.cpu >= Duration::from_millis(30), "{usage:?}");
            return;
        }
    }
}

#[test]
fn a_waiting_run_is_put_away_by_the_driver_and_comes_back() {
    let stage = stage(1, RunnerLimits::default());
    let action = stage.catalogue.install(&waits()).unwrap();
    stage.threads.start(spec(action.id())).unwrap();
    let mut asked = None;
    loop {
        match stage.events.recv_timeout(PATIENCE).unwrap() {
            RunEvent::HostCall { key, n, .. } => asked = Some((key, n)),
            RunEvent::Journal { event: JournalEvent::PutAway { .. }, .. } => {
                let (key, n) = asked.take().unwrap();
                assert!(stage.threads.resume(key, n, timeout()));
            }
            RunEvent::Journal { .. } => {}
            RunEvent::Ended { end, usage, .. } => {
                assert_eq!((end, usage.put_away), (RunEnd::Outcome("done".into()), 1));
                return;
            }
        }
    }
}

#[test]
fn a_full_driver_refuses_at_once_and_takes_runs_again_when_some_have_ended() {
    let stage = stage(1, RunnerLimits { runs_max: 2, ..RunnerLimits::default() });
    let action = stage.catalogue.install(&waits()).unwrap();
    let start = |number| stage.threads.start(RunSpec { key: key(number), ..spec(action.id()) });
    assert_eq!((start(0), start(1), start(2)), (Ok(()), Ok(()), Err(StartError::RunsFull(2))));
    stage.threads.cancel(key(0));
    while !matches!(stage.events.recv_timeout(PATIENCE).unwrap(), RunEvent::Ended { .. }) {}
    assert_eq!(start(3), Ok(()));
}
