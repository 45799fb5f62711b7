//! What runs do, and what stops them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

mod support;

use plugboard_model::{
    CallEvent, Connected, HostCall, HostResult, JournalEvent, NotConnected, PlayEnd, RunEnd, Target, UserId,
};
use plugboard_plugin::{
    Capability, DialGrant, Grants, Limits, Metering, RunEvent, RunSpec, RunnerLimits, StartError, host_call_hash,
};
use std::sync::Arc;
use support::{
    BELOW, BYTES, Bench, CALL_PLAY, GET_INFO, LOG, NEXT_EVENT, NOW, PLAY, RETURN_DONE, RING, guest, key, office, spec,
};

fn limit(end: &RunEnd) -> &str {
    match end {
        RunEnd::Limit { limit, .. } => limit,
        other => panic!("{other:?} is no limit"),
    }
}

/// Waits for an event, asks for the time and returns.
const WAITS_AND_ASKS: &str = "(call $next_event (i32.const 1000) (i32.const 256)) (drop (call $now)) N";

fn deadline() -> RunEnd {
    RunEnd::Limit { limit: "deadline".into(), after: 1 }
}

const LOOP: &str = "(loop $again (br $again)) unreachable";

#[test]
fn an_action_plays_and_returns_and_its_journal_tells_each_step_in_order() {
    let mut bench = Bench::inline();
    let action = bench.install(&guest("plays", PLAY, "", &format!("{CALL_PLAY} {RETURN_DONE}")));
    let run = bench.run(spec(action.id()), 0, |_, _| HostResult::Played(Ok(PlayEnd::Finished)));
    assert_eq!(run.end, RunEnd::Outcome("done".into()));
    let [JournalEvent::RunBegan { action: name, pins, .. }, begin, end, ended] = run.journal.as_slice() else {
        panic!("{:?}", run.journal)
    };
    assert_eq!((name.as_str(), pins.component), ("plays", action.id().0));
    let JournalEvent::Begin { n: 0, call, hash, .. } = begin else { panic!("{begin:?}") };
    assert_eq!(*hash, host_call_hash(call));
    assert!(matches!(end, JournalEvent::End { n: 0, result: HostResult::Played(Ok(PlayEnd::Finished)), .. }));
    assert!(matches!(ended, JournalEvent::RunEnded { end: RunEnd::Outcome(_), .. }));
    assert_eq!(bench.runner.runs(), 0);
}

#[test]
fn the_begin_of_a_host_call_is_told_before_the_call_itself() {
    let mut bench = Bench::inline();
    let action = bench.install(&guest("plays", PLAY, "", &format!("{CALL_PLAY} {RETURN_DONE}")));
    bench.runner.start(spec(action.id())).unwrap();
    let events: Vec<_> = std::iter::from_fn(|| bench.runner.poll_event()).collect();
    assert!(matches!(events.get(1), Some(RunEvent::Journal { event: JournalEvent::Begin { .. }, .. })));
    assert!(matches!(events.get(2), Some(RunEvent::HostCall { n: 0, .. })), "{events:?}");
    assert_eq!(events.len(), 3);
}

#[test]
fn a_guest_that_loops_forever_is_stopped_by_fuel_and_by_the_epoch() {
    for (metering, by) in [(Metering::Fuel, "fuel"), (Metering::Epoch, "epoch")] {
        let mut bench = Bench::new(metering, RunnerLimits::default());
        if metering == Metering::Epoch {
            bench.runner = plugboard_plugin::Runner::new(
                Arc::clone(&bench.catalogue),
                plugboard_plugin::Clock::system(),
                RunnerLimits::default(),
            );
        }
        let action = bench.install(&guest("loops", "", "", LOOP));
        let limits = Limits { cpu_ms_max: 20, fuel_max: 1_000_000, ..Limits::default() };
        let run = bench.run_alone(RunSpec { limits, ..spec(action.id()) });
        assert_eq!(limit(&run.end), by);
    }
}

#[test]
fn a_run_that_starves_in_the_queue_of_its_thread_ends_at_its_deadline() {
    let limits = Limits { cpu_ms_max: 500, active_ms_max: 100, ..Limits::default() };
    for (queued_ms, end) in [(100, RunEnd::Outcome("done".into())), (101, deadline())] {
        let mut bench = Bench::new(Metering::Epoch, RunnerLimits::default());
        let action = bench.install(&guest(
            "waits",
            &format!("{NEXT_EVENT} {NOW}"),
            "",
            &WAITS_AND_ASKS.replace('N', RETURN_DONE),
        ));
        bench.runner.start(RunSpec { limits, ..spec(action.id()) }).unwrap();
        while bench.runner.poll_event().is_some() {}
        // The wait is nobody's fault; from its answer on the run is ready, and its thread busy with others.
        bench.clock.pass(5_000);
        while bench.runner.poll_event().is_some() {}
        bench.runner.resume(&key(0), 0, HostResult::Event(Ok(CallEvent::Timeout)));
        bench.clock.pass(queued_ms);
        let ended = std::iter::from_fn(|| bench.runner.poll_event()).find_map(|event| match event {
            RunEvent::Ended { end, usage, .. } => Some((end, usage.cpu)),
            RunEvent::HostCall { .. } | RunEvent::Journal { .. } => None,
        });
        let cpu = std::time::Duration::ZERO;
        assert_eq!(ended, Some((end, cpu)), "after {queued_ms} ms in the queue");
    }
}

#[test]
fn memory_past_the_limit_is_refused_and_the_end_names_it() {
    let mut bench = Bench::inline();
    let eats = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    let action = bench.install(&guest("eats", "", "", eats));
    let limits = Limits { memory_bytes_max: 4 << 20, ..Limits::default() };
    let run = bench.run_alone(RunSpec { limits, ..spec(action.id()) });
    assert_eq!(limit(&run.end), "memory");
    assert_eq!(run.usage.memory_bytes, (2 + 48) << 16);
    let least = Limits { memory_bytes_max: 1 << 16, ..Limits::default() };
    let run = bench.run_alone(RunSpec { limits: least, ..spec(action.id()) });
    assert_eq!(limit(&run.end), "memory", "an instance that begins too large");
}

#[test]
fn deep_recursion_ends_at_the_stack_limit() {
    let mut bench = Bench::inline();
    let deep = "(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))";
    let run = format!("(drop (call $deep (i32.const 1))) {RETURN_DONE}");
    let action = bench.install(&guest("deep", "", deep, &run));
    assert_eq!(limit(&bench.run_alone(spec(action.id())).end), "stack");
}

#[test]
fn a_trap_is_the_outcome_failed_with_its_reason() {
    let mut bench = Bench::inline();
    let action = bench.install(&guest("traps", NOW, "", "(drop (call $now)) (i32.div_u (i32.const 1) (i32.const 0))"));
    let RunEnd::Trapped { reason, after } = bench.run_alone(spec(action.id())).end else { panic!() };
    assert!(reason.contains("divide by zero"), "{reason}");
    assert_eq!(after, 1);
}

#[test]
fn host_calls_and_their_bytes_are_limited() {
    let mut bench = Bench::inline();
    let calls = bench.install(&guest("calls", NOW, "", "(loop $again (drop (call $now)) (br $again)) unreachable"));
    let limits = Limits { host_calls_max: 100, ..Limits::default() };
    let run = bench.run_alone(RunSpec { limits, ..spec(calls.id()) });
    assert_eq!(run.end, RunEnd::Limit { limit: "host-calls".into(), after: 100 });
    assert_eq!(run.calls().len(), 100);

    let body = "(loop $again (call $bytes (i32.const 256) (i32.const 256)) (br $again)) unreachable";
    let bytes = bench.install(&guest("bytes", BYTES, "", body));
    let limits = Limits { host_bytes_max: 10_000, ..Limits::default() };
    let run = bench.run_alone(RunSpec { limits, ..spec(bytes.id()) });
    assert_eq!(limit(&run.end), "host-bytes");
    assert!(run.calls().len() < 45, "{}", run.calls().len());
}

#[test]
fn log_lines_past_the_limit_are_counted_and_dropped_and_the_run_goes_on() {
    let mut bench = Bench::inline();
    let body = format!(
        "(loop $again (call $log (i32.const 1) (i32.const {{done}}) (i32.const 4))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const 300)))) {RETURN_DONE}"
    );
    let action = bench.install(&guest("logs", LOG, "", &body));
    let run = bench.run_alone(spec(action.id()));
    assert_eq!(run.end, RunEnd::Outcome("done".into()));
    assert_eq!((run.calls().len(), run.usage.log_lines_dropped), (256, 44));
}

#[test]
fn an_outcome_that_the_manifest_lacks_is_failed_and_so_is_an_error() {
    let mut bench = Bench::inline();
    let unknown = bench.install(&guest("unknown", "", "", "(return (call $ok (i32.const {other}) (i32.const 5)))"));
    let RunEnd::Failed(reason) = bench.run_alone(spec(unknown.id())).end else { panic!() };
    assert!(reason.contains("\"other\""), "{reason}");

    let says = "(return (call $failed (local.get $parameters) (local.get $length)))";
    let fails = bench.install(&guest("fails", "", "", says));
    let parameters = r#"{"why":"tired"}"#.to_owned();
    let run = bench.run_alone(RunSpec { parameters: parameters.clone(), ..spec(fails.id()) });
    assert_eq!(run.end, RunEnd::Failed(parameters));
    let long = RunSpec { parameters: "x".repeat(65 << 10), ..spec(fails.id()) };
    assert_eq!(limit(&bench.run_alone(long).end), "parameters");
}

#[test]
fn a_capability_that_is_not_granted_keeps_the_action_from_starting() {
    let mut bench = Bench::inline();
    let action = bench.install(&guest("plays", PLAY, "", &format!("{CALL_PLAY} {RETURN_DONE}")));
    let grants = Arc::new(Grants::none().with(Capability::Log));
    let run = bench.run_alone(RunSpec { grants, ..spec(action.id()) });
    assert_eq!(run.end, RunEnd::Failed("capability call not granted".into()));
    assert!(run.calls().is_empty());
}

#[test]
fn a_revoked_capability_ends_the_run_at_its_next_host_call() {
    let mut bench = Bench::inline();
    let action = bench.install(&guest("plays", PLAY, "", &format!("{CALL_PLAY} {CALL_PLAY} {RETURN_DONE}")));
    let spec = spec(action.id());
    let grants = Arc::clone(&spec.grants);
    let run = bench.run(spec, 0, |_, _| {
        grants.revoke(Capability::Call);
        HostResult::Played(Ok(PlayEnd::Finished))
    });
    assert_eq!(run.end, RunEnd::Failed("capability call was revoked".into()));
    assert_eq!(run.calls().len(), 1);
}

/// Rings the user whose id is at `{done}`, and returns `done` when connected, `again` when not.
const RINGS: &str = "
    (i32.store8 (i32.const 512) (i32.const 0))
    (i32.store (i32.const 516) (i32.const {done})) (i32.store (i32.const 520) (i32.const 4))
    (call $ring (i32.const 512) (i32.const 1) (i32.const 20000) (i32.const 0) (i32.const 256))
    (if (i32.eqz (i32.load8_u (i32.const 256)))
      (then (return (call $ok (i32.const {done}) (i32.const 4)))))
    (return (call $ok (i32.const {again}) (i32.const 5)))";

#[test]
fn a_dial_grant_is_checked_in_the_host_and_a_refusal_is_journaled() {
    let mut bench = Bench::inline();
    let action = bench.install(&guest("rings", RING, "", RINGS));
    let done = UserId::new(&office(), "done").unwrap();
    let connected = Connected { user: Some(done.clone()), number: "101".into(), rang_ms: 3 };

    let granted = DialGrant { users: Arc::new([done.clone()].into()), ..DialGrant::default() };
    let grants = Arc::new(Grants::none().with_dial(granted));
    let run = bench.run(RunSpec { grants, ..spec(action.id()) }, 0, |_, call| {
        let HostCall::Ring(request) = call else { panic!("{call:?}") };
        assert_eq!(request.targets, [Target::User(done.clone())]);
        HostResult::Rang(Ok(connected.clone()))
    });
    assert_eq!(run.end, RunEnd::Outcome("done".into()));

    let grants = Arc::new(Grants::none().with_dial(DialGrant::default()));
    let run = bench.run_alone(RunSpec { grants, ..spec(action.id()) });
    assert_eq!(run.end, RunEnd::Outcome("again".into()));
    let denied = HostResult::Rang(Err(NotConnected::Denied("user done".into())));
    assert!(run.journal.iter().any(|event| matches!(event, JournalEvent::End { result, .. } if *result == denied)));
}

#[test]
fn what_the_host_answers_by_itself_never_leaves_it_and_is_journaled() {
    let mut bench = Bench::inline();
    let imports = format!("{GET_INFO} {NOW} {BELOW}");
    let body =
        format!("(call $get_info (i32.const 256)) (drop (call $now)) (drop (call $below (i64.const 6))) {RETURN_DONE}");
    let action = bench.install(&guest("asks", &imports, "", &body));
    let run = bench.run_alone(spec(action.id()));
    let results: Vec<_> = run
        .journal
        .iter()
        .filter_map(|event| if let JournalEvent::End { result, .. } = event { Some(result) } else { None })
        .collect();
    let [HostResult::Info(info), HostResult::Now(wall), HostResult::Below(number)] = results.as_slice() else {
        panic!("{results:?}")
    };
    assert_eq!((info.caller_name.as_str(), wall.0), ("Ann", 1_795_000_000_000));
    assert!(*number < 6);
}

#[test]
fn the_same_seed_gives_the_same_journal_and_another_seed_another() {
    let imports = format!("{BELOW} {NEXT_EVENT}");
    let body = format!(
        "(loop $again (call $next_event (i32.wrap_i64 (call $below (i64.const 3600000))) (i32.const 256))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const 5)))) {RETURN_DONE}"
    );
    let wasm = guest("waits", &imports, "", &body);
    let run = |seed| {
        let mut bench = Bench::inline();
        let action = bench.install(&wasm);
        let spec = RunSpec { seed, ..spec(action.id()) };
        bench.run(spec, 5, |_, _| HostResult::Event(Ok(CallEvent::Timeout)))
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7).journal, run(8).journal);
}

#[test]
fn a_parameter_out_of_its_range_is_invalid_without_a_host_call() {
    let mut bench = Bench::inline();
    let body = format!(
        "(call $next_event (i32.const 3600001) (i32.const 256))
         (if (i32.and (i32.load8_u (i32.const 256)) (i32.eq (i32.load8_u (i32.const 260)) (i32.const 3)))
           (then {RETURN_DONE})) unreachable"
    );
    let action = bench.install(&guest("wrong", NEXT_EVENT, "", &body));
    let run = bench.run_alone(spec(action.id()));
    assert_eq!((run.end.clone(), run.calls().len()), (RunEnd::Outcome("done".into()), 0));
}

#[test]
fn a_result_of_another_call_is_the_switchs_fault_and_ends_the_run_only() {
    let mut bench = Bench::inline();
    let action = bench.install(&guest("plays", PLAY, "", &format!("{CALL_PLAY} {RETURN_DONE}")));
    let RunEnd::Failed(reason) = bench.run(spec(action.id()), 0, |_, _| HostResult::Unit).end else { panic!() };
    assert!(reason.contains("call.play"), "{reason}");
}

#[test]
fn a_cancelled_run_ends_once_and_late_answers_change_nothing() {
    let mut bench = Bench::inline();
    let action = bench.install(&guest("plays", PLAY, "", &format!("{CALL_PLAY} {RETURN_DONE}")));
    bench.runner.start(spec(action.id())).unwrap();
    assert_eq!(bench.runner.start(spec(action.id())), Err(StartError::Twice));
    while bench.runner.poll_event().is_some() {}
    bench.runner.cancel(&key(0));
    bench.runner.resume(&key(0), 0, HostResult::Played(Ok(PlayEnd::Finished)));
    bench.runner.cancel(&key(0));
    let events: Vec<_> = std::iter::from_fn(|| bench.runner.poll_event()).collect();
    assert!(
        matches!(
            events.as_slice(),
            [
                RunEvent::Journal { event: JournalEvent::RunEnded { end: RunEnd::Cancelled, .. }, .. },
                RunEvent::Ended { end: RunEnd::Cancelled, .. },
            ]
        ),
        "{events:?}"
    );
}

#[test]
fn runs_at_once_are_limited_in_all_and_per_component() {
    let limits = RunnerLimits { runs_max: 3, runs_per_component_max: 2, ..RunnerLimits::default() };
    let mut bench = Bench::new(Metering::Fuel, limits);
    let body = format!("{CALL_PLAY} {RETURN_DONE}");
    let (one, two) = (bench.install(&guest("one", PLAY, "", &body)), bench.install(&guest("two", PLAY, "", &body)));
    let mut start = |number, id| bench.runner.start(RunSpec { key: key(number), ..spec(id) });
    assert_eq!(start(0, one.id()), Ok(()));
    assert_eq!(start(1, one.id()), Ok(()));
    assert_eq!(start(2, one.id()), Err(StartError::ComponentFull(2)));
    assert_eq!(start(3, two.id()), Ok(()));
    assert_eq!(start(4, two.id()), Err(StartError::RunsFull(3)));
    bench.runner.cancel(&key(0));
    assert_eq!(bench.runner.start(RunSpec { key: key(5), ..spec(one.id()) }), Ok(()));
}

#[test]
fn limits_that_the_pool_does_not_hold_are_refused_instead_of_changing_the_run() {
    let mut bench = Bench::inline();
    let action = bench.install(&guest("ends", "", "", RETURN_DONE));
    let limits = Limits { memory_bytes_max: 1 << 30, ..Limits::default() };
    let run = bench.run_alone(RunSpec { limits, ..spec(action.id()) });
    assert!(matches!(run.end, RunEnd::Failed(_)), "{:?}", run.end);
}

#[test]
fn a_loop_ends_even_on_a_clock_that_stands_still() {
    let mut bench = Bench::new(Metering::Epoch, RunnerLimits::default());
    let action = bench.install(&guest("loops", "", "", LOOP));
    let limits = Limits { cpu_ms_max: 1, ..Limits::default() };
    let run = bench.run_alone(RunSpec { limits, ..spec(action.id()) });
    assert_eq!(limit(&run.end), "epoch");
}
