//! Guests that bring an interpreter have an engine and a pool of their own, with limits of their own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

mod support;

use plugboard_model::{CallEvent, HostResult, RunEnd};
use plugboard_plugin::{
    Catalogue, CompileError, CompileLimits, GuestSize, InstallError, Limits, Metering, PoolSize, RunEvent, RunSpec,
    Runner, RunnerLimits, Verdict, componentize, replay,
};
use std::sync::Arc;
use std::time::Duration;
use support::{Bench, NEXT_EVENT, RETURN_DONE, TestClock, engine, key, module, spec, with_world};

/// Waits twice for an event. Its memory begins with 256 pages (16 MiB), as an interpreter's does.
fn waits(name: &str, more: &str) -> Vec<u8> {
    let wait = "(call $next_event (i32.const 1000) (i32.const 256))";
    let text = module(name, NEXT_EVENT, "", &format!("{more} {wait} {wait} {RETURN_DONE}"));
    assert!(text.contains(r#"(memory (export "memory") 2)"#));
    componentize(&with_world(&text.replace(r#"(memory (export "memory") 2)"#, r#"(memory (export "memory") 256)"#)))
        .unwrap()
}

fn timeout() -> HostResult {
    HostResult::Event(Ok(CallEvent::Timeout))
}

/// A pool of this many large guests.
fn bench(metering: Metering, instances: u32) -> Bench {
    let pool = PoolSize { instances, memory_bytes_max: 128 << 20 };
    let engine = engine(metering).with_large(pool, CompileLimits::large());
    let (catalogue, clock) = (Arc::new(Catalogue::new(engine, None)), TestClock::default());
    let runner = Runner::new(Arc::clone(&catalogue), clock.clock(), RunnerLimits::default());
    Bench { catalogue, runner, clock }
}

/// The host calls that left the host since, and how runs ended.
fn told(bench: &mut Bench) -> (Vec<(plugboard_plugin::RunKey, u32)>, Vec<RunEnd>) {
    let (mut asked, mut ended) = (Vec::new(), Vec::new());
    while let Some(event) = bench.runner.poll_event() {
        match event {
            RunEvent::HostCall { key, n, .. } => asked.push((key, n)),
            RunEvent::Ended { end, .. } => ended.push(end),
            RunEvent::Journal { .. } => {}
        }
    }
    (asked, ended)
}

#[test]
fn a_component_that_begins_with_much_memory_is_large_and_runs_in_the_pool_of_the_large_ones() {
    for metering in [Metering::Fuel, Metering::Epoch] {
        let mut bench = bench(metering, 4);
        let small = bench.install(&support::guest("small", "", "", RETURN_DONE));
        let large = bench.install(&waits("large", ""));
        assert_eq!((small.size(), large.size()), (GuestSize::Small, GuestSize::Large));
        let run = bench.run(spec(large.id()), 500, |_, _| timeout());
        assert_eq!((run.end, run.usage.put_away), (RunEnd::Outcome("done".into()), 2));
        assert!(run.usage.memory_bytes >= 16 << 20, "{}", run.usage.memory_bytes);
        let again = replay(&bench.catalogue, large.bytes(), &run.journal, &key(0)).unwrap();
        assert_eq!(again.verdict, Verdict::Same);
        assert_eq!(bench.run_alone(spec(small.id())).end, RunEnd::Outcome("done".into()));
    }
}

#[test]
fn more_large_runs_wait_than_there_are_instances_and_small_ones_are_not_put_away_for_them() {
    let mut bench = bench(Metering::Fuel, 2);
    let small = bench.install(&support::guest(
        "small",
        NEXT_EVENT,
        "",
        &format!("(call $next_event (i32.const 1000) (i32.const 256)) {RETURN_DONE}"),
    ));
    let large = bench.install(&waits("large", ""));
    bench.runner.start(RunSpec { key: key(0), ..spec(small.id()) }).unwrap();
    for number in 1..=20 {
        bench.runner.start(RunSpec { key: key(number), ..spec(large.id()) }).unwrap();
    }
    let (mut asked, mut ended) = told(&mut bench);
    assert_eq!((asked.len(), ended.len()), (21, 0));
    // No time has passed: of the large ones all but two were put away for others, the small one was not.
    assert_eq!(bench.runner.instances_waiting(), 3);
    while let Some((key, n)) = asked.pop() {
        bench.runner.resume(&key, n, timeout());
        let (more, over) = told(&mut bench);
        asked.extend(more);
        ended.extend(over);
    }
    assert_eq!(ended, vec![RunEnd::Outcome("done".into()); 21]);
}

#[test]
fn a_large_run_that_cannot_be_put_away_keeps_its_instance_within_the_limit_and_past_it_ends_with_its_cause() {
    // A journal that is too long to rebuild the run from.
    let mut bench = bench(Metering::Fuel, 4);
    let many = "(loop $again
        (call $next_event (i32.const 0) (i32.const 256))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 300))))";
    let large = bench.install(&waits("large", many));
    let mut ends = Vec::new();
    for number in 0..5 {
        bench.runner.start(RunSpec { key: key(number), ..spec(large.id()) }).unwrap();
        for _ in 0..300 {
            let (asked, over) = told(&mut bench);
            ends.extend(over);
            let Some((key, n)) = asked.into_iter().find(|(of, _)| *of == key(number)) else { break };
            bench.runner.resume(&key, n, timeout());
        }
        let (_, over) = told(&mut bench);
        ends.extend(over);
        bench.clock.pass(20);
        let (_, over) = told(&mut bench);
        ends.extend(over);
    }
    // Three of four seats may be taken by runs that stay; the next ones end, and say why.
    assert_eq!(bench.runner.instances_waiting(), 3, "{ends:?}");
    assert_eq!(ends.len(), 2, "{ends:?}");
    assert!(ends.iter().all(|end| matches!(end, RunEnd::Limit { limit, .. } if limit == "suspended")), "{ends:?}");
}

#[test]
fn limits_hold_for_large_guests_as_well() {
    for metering in [Metering::Fuel, Metering::Epoch] {
        let mut bench = bench(metering, 4);
        let looping = bench.install(&waits("loops", "(loop $again (br $again))"));
        let limits = Limits { cpu_ms_max: 20, fuel_max: 1_000_000, ..Limits::default() };
        let run = bench.run_alone(RunSpec { limits, ..spec(looping.id()) });
        assert!(
            matches!(&run.end, RunEnd::Limit { limit, .. } if limit == "epoch" || limit == "fuel"),
            "{:?}",
            run.end
        );

        let greedy = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))) unreachable";
        let greedy = bench.install(&waits("greedy", greedy));
        let run = bench.run_alone(spec(greedy.id()));
        assert!(matches!(&run.end, RunEnd::Limit { limit, .. } if limit == "memory"), "{:?}", run.end);
        assert!((60 << 20..=64 << 20).contains(&run.usage.memory_bytes), "{}", run.usage.memory_bytes);
        let limits = Limits { memory_bytes_max: 20 << 20, ..Limits::default() };
        let run = bench.run_alone(RunSpec { limits, ..spec(greedy.id()) });
        assert!(run.usage.memory_bytes <= 20 << 20, "what is said counts: {}", run.usage.memory_bytes);

        let deep = "(call $deep (i32.const 0))";
        let text = module(
            "deep",
            NEXT_EVENT,
            "(func $deep (param i32) (call $deep (i32.add (local.get 0) (i32.const 1))) (drop (local.get 0)))",
            &format!("{deep} {RETURN_DONE}"),
        );
        let deep =
            bench.install(&componentize(&with_world(&text.replace(r#""memory") 2)"#, r#""memory") 256)"#))).unwrap());
        let run = bench.run_alone(spec(deep.id()));
        assert!(matches!(&run.end, RunEnd::Limit { limit, .. } if limit == "stack"), "{:?}", run.end);
    }
}

#[test]
fn the_compilation_of_large_guests_has_limits_of_its_own() {
    let wasm = waits("large", "");
    let refused = |limits: CompileLimits| {
        let engine = engine(Metering::Fuel).with_large(PoolSize { instances: 2, memory_bytes_max: 128 << 20 }, limits);
        match Catalogue::new(engine, None).install(&wasm).unwrap_err() {
            InstallError::Compile(error) => error,
            other => panic!("{other}"),
        }
    };
    let usual = CompileLimits::large();
    for limits in [
        CompileLimits { bytes_max: 100, ..usual },
        CompileLimits { functions_max: 3, ..usual },
        CompileLimits { body_bytes_max: 5, ..usual },
        CompileLimits { modules_max: 0, ..usual },
    ] {
        assert!(matches!(refused(limits), CompileError::Limit { .. }));
    }
    assert!(matches!(refused(CompileLimits { time_max: Duration::ZERO, ..usual }), CompileError::Time { .. }));
    // Those of the small ones do not touch it.
    let engine =
        engine(Metering::Fuel).with_compile_limits(CompileLimits { functions_max: 0, ..CompileLimits::default() });
    Catalogue::new(engine, None).install(&wasm).unwrap();
}
