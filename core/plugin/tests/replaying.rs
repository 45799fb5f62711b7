//! A recorded run decides the same again, or the replay says where it does not.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

mod support;

use plugboard_model::{CallEvent, HostResult, JournalEvent, PlayEnd, RunEnd};
use plugboard_plugin::{Catalogue, Limits, Metering, ReplayRefused, RunSpec, Verdict, host_call_hash, replay};
use support::{BELOW, Bench, CALL_PLAY, Finished, NEXT_EVENT, NOW, PLAY, RETURN_DONE, engine, guest, key, spec};

/// Waits for an event of a random time; a digit makes it play.
fn decides() -> Vec<u8> {
    let body = format!(
        "(call $next_event (i32.wrap_i64 (call $below (i64.const 3600000))) (i32.const 256))
         (if (i32.eqz (i32.load8_u (i32.const 260))) (then {CALL_PLAY}))
         {RETURN_DONE}"
    );
    guest("decides", &format!("{BELOW} {NEXT_EVENT} {PLAY}"), "", &body)
}

fn recorded(bench: &mut Bench, wasm: &[u8]) -> Finished {
    let action = bench.install(wasm);
    bench.run(spec(action.id()), 500, |n, _| match n {
        1 => HostResult::Event(Ok(CallEvent::Digit('1'))),
        _ => HostResult::Played(Ok(PlayEnd::Finished)),
    })
}

fn other_host() -> Catalogue {
    Catalogue::new(engine(Metering::Epoch), None)
}

#[test]
fn a_recorded_run_replays_the_same_on_an_engine_of_the_other_kind() {
    let wasm = decides();
    let run = recorded(&mut Bench::inline(), &wasm);
    assert_eq!((run.end.clone(), run.calls().len()), (RunEnd::Outcome("done".into()), 3));
    let report = replay(&other_host(), &wasm, &run.journal, &key(0)).unwrap();
    assert_eq!((report.verdict, report.calls_equal), (Verdict::Same, 3));
    assert_eq!(report.recorded_end, Some(run.end));
}

#[test]
fn a_changed_result_leads_to_another_decision_and_the_first_difference_is_named() {
    let wasm = decides();
    let mut run = recorded(&mut Bench::inline(), &wasm);
    for event in &mut run.journal {
        if let JournalEvent::End { n: 1, result, .. } = event {
            *result = HostResult::Event(Ok(CallEvent::Timeout));
        }
    }
    let report = replay(&other_host(), &wasm, &run.journal, &key(0)).unwrap();
    assert!(matches!(report.verdict, Verdict::CallDiffers { at: 2, recorded: Some(_), now: None }), "{report:?}");

    let mut run = recorded(&mut Bench::inline(), &wasm);
    for event in &mut run.journal {
        if let JournalEvent::End { n: 0, result, .. } = event {
            *result = HostResult::Below(77);
        }
    }
    let report = replay(&other_host(), &wasm, &run.journal, &key(0)).unwrap();
    let Verdict::CallDiffers { at: 1, recorded: Some(recorded), now: Some(now) } = report.verdict else {
        panic!("{report:?}")
    };
    assert_ne!(host_call_hash(&recorded), host_call_hash(&now));
    assert_eq!(report.calls_equal, 1);
}

#[test]
fn another_end_is_a_difference() {
    let wasm = decides();
    let mut run = recorded(&mut Bench::inline(), &wasm);
    for event in &mut run.journal {
        if let JournalEvent::RunEnded { end, .. } = event {
            *end = RunEnd::Outcome("again".into());
        }
    }
    let report = replay(&other_host(), &wasm, &run.journal, &key(0)).unwrap();
    assert_eq!(report.verdict, Verdict::EndDiffers { now: RunEnd::Outcome("done".into()) });
}

#[test]
fn a_record_that_is_cut_off_stops_the_replay_there() {
    let wasm = decides();
    let run = recorded(&mut Bench::inline(), &wasm);
    let waiting = run.journal.iter().position(|event| matches!(event, JournalEvent::Begin { n: 2, .. })).unwrap();
    let cut = run.journal.get(..=waiting).unwrap();
    let report = replay(&other_host(), &wasm, cut, &key(0)).unwrap();
    assert_eq!((report.verdict, report.recorded_end), (Verdict::StoppedByRecord, None));
}

#[test]
fn ends_by_a_limit_stop_by_record_and_a_trap_must_come_again() {
    let wasm = guest("loops", NOW, "", "(drop (call $now)) (loop $again (br $again)) unreachable");
    let mut bench = Bench::inline();
    let action = bench.install(&wasm);
    let limits = Limits { fuel_max: 10_000, cpu_ms_max: 5, ..Limits::default() };
    let run = bench.run_alone(RunSpec { limits, ..spec(action.id()) });
    assert!(matches!(run.end, RunEnd::Limit { .. }));
    assert_eq!(replay(&other_host(), &wasm, &run.journal, &key(0)).unwrap().verdict, Verdict::StoppedByRecord);

    let wasm = guest("traps", NOW, "", "(drop (call $now)) unreachable");
    let action = bench.install(&wasm);
    let run = bench.run_alone(spec(action.id()));
    assert_eq!(replay(&other_host(), &wasm, &run.journal, &key(0)).unwrap().verdict, Verdict::Same);
}

#[test]
fn another_component_host_or_limits_is_refused_with_the_pin() {
    let wasm = decides();
    let run = recorded(&mut Bench::inline(), &wasm);
    let other = guest("other", "", "", RETURN_DONE);
    let refused = replay(&other_host(), &other, &run.journal, &key(0)).unwrap_err();
    assert!(matches!(refused, ReplayRefused::Pin { what: "the component", .. }), "{refused}");
    let pin = |change: fn(&mut plugboard_model::RunPins)| {
        let mut journal = run.journal.clone();
        for event in &mut journal {
            if let JournalEvent::RunBegan { pins, .. } = event {
                change(pins);
            }
        }
        match replay(&other_host(), &wasm, &journal, &key(0)).unwrap_err() {
            ReplayRefused::Pin { what, .. } => what,
            other => panic!("{other}"),
        }
    };
    assert_eq!(pin(|pins| pins.wit = "0.2.0".into()), "plugboard:switch");
    assert_eq!(pin(|pins| pins.host = "wasmtime 12".into()), "the host");
    assert_eq!(pin(|pins| pins.journal = 9), "journal schema");
    assert_eq!(pin(|pins| pins.limits = "none".into()), "limits");
    let none = replay(&other_host(), &wasm, &run.journal, &key(9)).unwrap_err();
    assert!(matches!(none, ReplayRefused::NoRun(9)));
}

#[test]
fn a_journal_with_a_gap_is_damaged() {
    let wasm = decides();
    let run = recorded(&mut Bench::inline(), &wasm);
    for gone in 0..2_u32 {
        let journal: Vec<_> =
            run.journal.iter().filter(|event| !matches!(event, JournalEvent::End { n, .. } if *n == gone)).collect();
        let refused = replay(&other_host(), &wasm, journal, &key(0)).unwrap_err();
        assert!(matches!(refused, ReplayRefused::Damaged { .. }), "{refused}");
    }
}
