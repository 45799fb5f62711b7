//! Attacks from within a call: each ends its own run, and nothing else.

use plugboard_model::{JournalEvent, RunEnd};
use plugboard_simulator::{OfficeText, Setup, Sim};
use plugboard_tests_hostile::Guest;
use std::time::Duration;

/// An attack and the end of its run.
type Attack = (Guest, &'static str);

const LOOP: &str = "(loop $again (br $again)) unreachable";
const CLOCK: (&str, &str, &str) = ("clock", "now", "(result i64)");
const LOG: (&str, &str, &str) = ("log", "write", "(param i32 i32 i32)");
const SET: (&str, &str, &str) = ("variables", "set", "(param i32 i32 i32 i64 i32 i32)");
const BYTES: (&str, &str, &str) = ("random", "bytes", "(param i32 i32)");

fn asks(guest: Guest, (interface, name, signature): (&str, &str, &str)) -> Guest {
    guest.imports(interface, name, signature)
}

/// Loops without end, in each thing that the host calls.
fn loops() -> Vec<Attack> {
    vec![
        (Guest::new("loops", LOOP), "limit fuel"),
        (Guest::new("loops-in-realloc", Guest::DONE).realloc(LOOP), "limit fuel"),
        (
            Guest::new("loops-after-its-return", Guest::DONE)
                .with("(func (export \"cabi_post_run\") (param i32) (loop $again (br $again)))"),
            "limit fuel",
        ),
        (
            Guest::new("recurses", "(drop (call $deep (i32.const 1))) unreachable")
                .with("(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))"),
            "limit stack",
        ),
    ]
}

/// Takes memory, in the guest and by the guest in the host.
fn eaters() -> Vec<Attack> {
    let grows = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    let tables = "(loop $again (br_if $again (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable";
    let whole = "(drop (memory.grow (i32.const 252)))";
    // A list of texts: each is 8 bytes of nothing here, and would be 24 there.
    let list = format!(
        "{whole} (call $set (i32.const {{done}}) (i32.const 4) (i32.const 6) (i64.const 131072) (i32.const 2000000) (i32.const 256)) unreachable"
    );
    let text = format!(
        "{whole} (call $set (i32.const {{done}}) (i32.const 4) (i32.const 0) (i64.const 131072) (i32.const 16000000) (i32.const 256)) unreachable"
    );
    vec![
        (Guest::new("eats-memory", grows), "limit memory"),
        (Guest::new("eats-tables", tables).with("(table $t 1 funcref)"), "limit memory"),
        (asks(Guest::new("gives-a-huge-list", &list), SET), "failed: too much data"),
        (asks(Guest::new("gives-a-huge-text", &text), SET), "failed: too much data"),
    ]
}

/// Traps of every kind.
fn traps() -> Vec<Attack> {
    let unknown = "(drop (call_indirect $t (param i64) (result i64) (i64.const 0) (i32.const 1))) unreachable";
    [
        ("unreachable", "unreachable", "unreachable"),
        ("divides-by-zero", "(i32.div_u (i32.const 1) (i32.const 0))", "divide by zero"),
        ("overflows", "(i32.div_s (i32.const 0x80000000) (i32.const -1))", "overflow"),
        ("converts", "(i32.trunc_f32_s (f32.const nan))", "conversion"),
        ("reads-beyond", "(i32.load (i32.const -4))", "out of bounds memory"),
        (
            "writes-beyond",
            "(i32.store offset=0xffffffff (i32.const -1) (i32.const 1)) unreachable",
            "out of bounds memory",
        ),
        ("copies-beyond", "(memory.copy (i32.const 0) (i32.const 1) (i32.const -1)) unreachable", "fuel"),
        ("calls-nothing", "(call_indirect $t (result i32) (i32.const 0))", "uninitialized"),
        ("calls-beyond", "(call_indirect $t (result i32) (i32.const 99))", "undefined element"),
        ("calls-another", unknown, "indirect call type mismatch"),
    ]
    .into_iter()
    .map(|(name, run, why)| {
        // Copying costs by the byte, and is stopped before it has begun.
        let kind = if why == "fuel" { "limit" } else { "trapped:" };
        let words = Box::leak(format!("{kind} {why}").into_boxed_str());
        (Guest::new(name, run).with("(table $t 2 funcref) (elem $t (i32.const 1) $returns)"), &*words)
    })
    .collect()
}

/// Floods of host calls and lines.
fn floods() -> Vec<Attack> {
    let clock = "(loop $again (drop (call $now)) (br $again)) unreachable";
    let bytes = "(loop $again (call $bytes (i32.const 256) (i32.const 256)) (br $again)) unreachable";
    let lines = format!(
        "(drop (memory.grow (i32.const 8))) (loop $again (call $write (i32.const 1) (i32.const 131072) (i32.const 60000))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const 5000)))) {}",
        Guest::DONE
    );
    vec![
        (asks(Guest::new("asks-for-the-time", clock), CLOCK), "limit host-calls"),
        (asks(Guest::new("asks-for-bytes", bytes), BYTES), "limit host-bytes"),
        (asks(Guest::new("writes-lines", &lines), LOG), "outcome done"),
    ]
}

/// Values that are none.
fn values() -> Vec<Attack> {
    let writes = |at: &str, length: &str| {
        format!("(call $write (i32.const 1) (i32.const {at}) (i32.const {length})) unreachable")
    };
    let returns = |tag: u32, at: &str, length: &str| {
        format!("(call $returns (i32.const {tag}) (i32.const {at}) (i32.const {length}))")
    };
    let not_text = "(i32.store (i32.const 1024) (i32.const -1))";
    vec![
        (asks(Guest::new("points-beyond", &writes("-16", "64")), LOG), "failed: out of bounds"),
        (asks(Guest::new("tells-two-gigabytes", &writes("0", "0x7fffffff")), LOG), "failed: out of bounds"),
        (asks(Guest::new("tells-no-text", &format!("{not_text} {}", writes("1024", "4"))), LOG), "failed: utf-8"),
        (
            asks(
                Guest::new("names-no-level", "(call $write (i32.const 77) (i32.const 0) (i32.const 4)) unreachable"),
                LOG,
            ),
            "failed: discriminant",
        ),
        (Guest::new("returns-no-result", &returns(9, "{done}", "4")), "failed: discriminant"),
        (Guest::new("returns-beyond", "(i32.const -8)"), "failed: out of bounds"),
        (Guest::new("returns-askew", "(i32.const 17)"), "failed: aligned"),
        (Guest::new("returns-no-text", &format!("{not_text} {}", returns(0, "1024", "4"))), "failed: utf-8"),
        (Guest::new("returns-a-page", &returns(0, "0", "30000")), "failed: outcome"),
        (Guest::new("fails-with-a-page", &returns(1, "0", "30000")), "failed: "),
    ]
}

/// Ann's call walks through every attack, while Bob and Cem talk.
fn endures(attacks: &[Attack]) -> (Sim, Vec<RunEnd>) {
    let steps: Vec<String> = attacks.iter().map(|(guest, _)| format!("  - {}: {{}}\n", guest.name())).collect();
    let story = format!("{}  - play-audio: {{ audio: after }}\n", steps.concat());
    let components: Vec<Vec<u8>> = attacks.iter().map(|(guest, _)| guest.component()).collect();
    let mut sim = Setup::offices(vec![OfficeText::demo().with_story(&story)])
        .with_actions(&components)
        .prompt("after", Duration::from_secs(2))
        .start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    bob.dials("103");
    sim.run_until(cem.rings());
    cem.answers();
    sim.run_until(bob.hears("cem"));
    sim.run_until(cem.hears("bob"));
    ann.dials("300");
    sim.run_until(ann.hears("after"));
    sim.run_until(ann.is_idle());
    bob.hangs_up();
    sim.run_until_quiet();
    assert!(sim.left().is_empty(), "{:?}", sim.left());
    let records = sim.records("main");
    let of = |caller: &str| records.iter().find(|record| record.caller == caller).unwrap();
    // Every packet of the others came, and in time, by the switch's own counters.
    for leg in &of("102").legs {
        let quality = leg.quality.as_ref().unwrap();
        assert_eq!((quality.lost, quality.jitter_us), (0, 0), "{quality:?}");
        assert!(quality.received > 0 && quality.sent > 0);
    }
    let ends = sim
        .journal(of("101"))
        .into_iter()
        .filter_map(|entry| if let JournalEvent::RunEnded { end, .. } = entry.event { Some(end) } else { None });
    let ends = ends.collect();
    (sim, ends)
}

/// The end in the words of an [`Attack`].
fn words(end: &RunEnd) -> String {
    match end {
        RunEnd::Outcome(outcome) => format!("outcome {outcome}"),
        RunEnd::Failed(why) => format!("failed: {why}"),
        RunEnd::Trapped { reason, .. } => format!("trapped: {reason}"),
        RunEnd::Limit { limit, .. } => format!("limit {limit}"),
        RunEnd::Diverged { at } => format!("diverged at {at}"),
        RunEnd::Cancelled => "cancelled".into(),
    }
}

fn ends_as_it_should(attacks: &[Attack]) {
    let (sim, ends) = endures(attacks);
    assert_eq!(ends.len(), attacks.len() + 1, "{ends:?}");
    for ((guest, expected), end) in attacks.iter().zip(&ends) {
        let told = words(end);
        let (kind, what) = expected.split_once(": ").unwrap_or((expected, ""));
        let fits = told.starts_with(kind) && told.to_lowercase().contains(what);
        assert!(fits, "{}: {told:?}, not {expected:?}", guest.name());
        assert!(told.len() <= 1_200, "{}: what is told of it is as long as it likes: {}", guest.name(), told.len());
    }
    let record = sim.records("main").into_iter().find(|record| record.caller == "101").unwrap();
    for (step, end) in record.steps.iter().zip(&ends) {
        let outcome = if let RunEnd::Outcome(outcome) = end { outcome.as_str() } else { "failed" };
        assert_eq!(step.outcome, outcome, "{}", step.word);
    }
}

#[test]
fn what_loops_is_stopped_wherever_it_loops() {
    ends_as_it_should(&loops());
}

#[test]
fn who_eats_memory_gets_no_more_than_is_his() {
    ends_as_it_should(&eaters());
}

#[test]
fn each_trap_ends_its_own_run() {
    ends_as_it_should(&traps());
}

#[test]
fn floods_end_at_their_limit() {
    ends_as_it_should(&floods());
}

#[test]
fn values_that_are_none_are_not_taken() {
    ends_as_it_should(&values());
}
