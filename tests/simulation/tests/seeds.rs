//! People call each other at random over a network that loses, doubles, delays and reorders, and afterwards nothing is
//! left: each call has one outcome, one record and a whole journal, and no leg, port, slot, transaction or run is held.
//!
//! Everything random comes from a seed. One that fails names itself; `PLUGBOARD_SEED=17 cargo test --release --workspace --test
//! seeds` runs it alone and prints its ladder. `PLUGBOARD_LONG=1` runs more of them.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, and says which seed it was"
)]

use plugboard_media::Command;
use plugboard_model::{
    CallId, CallOutcome, CallRecord, Dialled, ForwardWhen, JournalEvent, LegId, OfficeId, UserId, WallTime,
};
use plugboard_office::SettingsChange;
use plugboard_simulator::{Dice, Ladder, OfficeText, Phone, Setup, Sim, Stage, Weather};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Seeds of a normal run; each is run twice.
const SEEDS: u64 = 500;
/// Seeds with `PLUGBOARD_LONG=1`.
const SEEDS_LONG: u64 = 5_000;
/// What people do in one seed, one thing after the other.
const DEEDS: u64 = 40;
/// Whom they dial: people, the group, the menu, the echo, nobody, the world; what rings a colleague, and what is parked; mailboxes.
const NUMBERS: [&str; 17] = [
    "101", "102", "103", "104", "105", "200", "100", "*43", "999", "0301", "300", "*8", "*8102", "*701", "*70", "*98",
    "*98200",
];
/// Whose phone has a lamp for what: people, one with two devices, and the group.
const WATCHED: [(usize, &str); 4] = [(0, "102"), (3, "101"), (4, "200"), (5, "105")];
/// Lamps that were looked at.
static LAMPS: AtomicU64 = AtomicU64::new(0);
/// Runs of actions that were replayed.
static REPLAYS: AtomicU64 = AtomicU64::new(0);
/// Of so many seeds, odd and even ones, one runs on [`SHARDS`] shards, its calls and their media spread over them.
const ON_SHARDS: u64 = 4;
const SHARDS: usize = 4;
/// Keys that somebody in a call presses.
const KEYS: [&str; 6] = ["1", "105#", "7", "200", "*", "513"];

/// Names the one seed to run.
const ALONE: &str = "PLUGBOARD_SEED";

/// A scenario of its own, so that actions nest and time out.
const STORY: &str = "  - call-user: { mode: list, target: [102, 105], ring_for: 4s }
    on:
      no-answer:
        - play-audio: { audio: welcome }
      timeout:
        - call-group: { group: sales, ring_for: 3s }
  - play-audio: { audio: busy, kind: tone, max: 2s }
";

/// What an admin puts in its place now and then: nothing that goes on may notice.
const OTHER_STORY: &str = "  - play-audio: { audio: welcome, stop_on_digit: true }
  - echo: { max: 5s }
  - voicemail: { user: 102, max: 8s }
";

/// Whether something of ours breaks besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Luck {
    Good,
    /// A few actors panic, in the middle of what they do.
    Bad,
}

/// One run of a seed: its ladder, and what it says of each call; `look` is a look at what it leaves.
fn run(seed: u64, luck: Luck, look: fn(&Sim)) -> (Ladder, String) {
    let mut dice = Dice::new(seed ^ 0x00C0_FFEE);
    let weather = Weather {
        lost: dice.below(80),
        doubled: dice.below(40),
        delay_ms_min: 1 + dice.below(20),
        delay_ms_max: 20 + dice.below(180),
    };
    let narrow = OfficeText::demo()
        .replace("transport: udp }", "transport: udp, calls: 2 }")
        .replace("password: demo-102 }", "password: demo-102, reliable: true }")
        .replace("password: demo-104 }", "password: demo-104, reliable: true }");
    let offices = [STORY, OTHER_STORY].map(|story| narrow.clone().with_story(story));
    let shards = if seed / 2 % ON_SHARDS == 3 { SHARDS } else { 1 };
    let setup = Setup::offices(vec![offices[0].clone()]).seed(seed).weather(weather).ports(20_000..=20_019);
    let mut sim = setup.shards(shards, true).start();
    let phones = people(&mut sim, &mut dice);
    for _ in 0..DEEDS {
        let phone = dice.pick(&phones).clone();
        deed(&mut dice, &phone, &phones);
        if dice.chance(60) {
            sends_on(&sim, &mut dice);
        }
        // So long that a phone is missed that is gone.
        if dice.chance(4) {
            sim.run_for(Duration::from_secs(100));
        }
        if dice.chance(50) {
            sim.applies(std::slice::from_ref(dice.pick(&offices)));
        }
        if luck == Luck::Bad && dice.chance(150) {
            break_something(&sim, &mut dice);
        }
        // Now and then two things happen in the same moment.
        if !dice.chance(200) {
            sim.run_for(Duration::from_millis(dice.below(2_500)));
        }
    }
    everybody_leaves(&mut sim, &phones);
    sim.run_until_quiet();
    if std::env::var_os(ALONE).is_some() {
        eprintln!("{}", sim.ladder());
    }
    lamps_are_off(&sim, &phones);
    let told = nothing_is_wrong(&sim, luck);
    nobody_talks_to_himself(&phones);
    look(&sim);
    (sim.ladder(), told)
}

/// Five people, one with two devices, and the world behind the gateway. Not all of them register in this weather.
fn people(sim: &mut Sim, dice: &mut Dice) -> Vec<Phone> {
    let devices = [("ann", "101"), ("bob", "102"), ("mobile", "102"), ("cem", "103"), ("dora", "104"), ("egor", "105")];
    let mut phones: Vec<Phone> = devices.iter().map(|(name, user)| sim.new_phone(name, user)).collect();
    phones.iter().for_each(Phone::registers);
    sim.run_for(Duration::from_secs(2));
    for phone in &phones {
        match dice.below(1_000) {
            0..100 => phone.keeps_quiet(),
            100..150 => phone.always_refuses(*dice.pick(&[486, 480, 603, 503])),
            150..200 => phone.always_sends_on(302, &[onward(dice).as_str()]),
            _ => {}
        }
        if dice.chance(400) {
            phone.rings_reliably();
        }
        if dice.chance(200) {
            phone.says(dice.pick::<&str>(&["Supported", "Require"]), "100rel");
        }
    }
    for (watcher, number) in WATCHED {
        phones[watcher].subscribes(number, "dialog", 3_600, &[]);
    }
    phones.push(sim.outside("world", "127.0.0.1:5080"));
    phones
}

/// Every lamp shows that nobody talks any more, whatever was lost on the way. A phone that did not answer for 32 s is no
/// longer told, and nobody knows which; that is rare.
fn lamps_are_off(sim: &Sim, phones: &[Phone]) {
    let told = |(watcher, number): &(usize, &str)| phones[*watcher].times_told(number, "dialog") > 0;
    let watched: Vec<(usize, &str)> = WATCHED.into_iter().filter(told).collect();
    if sim.holdings().subscriptions != watched.len() {
        return;
    }
    for (watcher, number) in watched {
        LAMPS.fetch_add(1, Relaxed);
        let shown = phones[watcher].sees_of(number, "dialog");
        assert_eq!(shown, "idle", "the lamp of {} for {number}\n{}", phones[watcher].name(), sim.ladder());
    }
}

/// Something that a person may do with his phone just now.
fn deed(dice: &mut Dice, phone: &Phone, phones: &[Phone]) {
    let has = |stage: fn(&Stage) -> bool| phone.calls().iter().any(stage);
    let rings = has(|stage| *stage == Stage::Ringing);
    let (talks, busy) = (has(|stage| *stage == Stage::Up), has(|stage| !matches!(stage, Stage::Over(_))));
    match dice.below(100) {
        0..40 if rings => phone.answers(),
        50..56 if rings => phone.sends_on(302, &[onward(dice).as_str(), onward(dice).as_str()]),
        40..50 if rings => phone.refuses(*dice.pick(&[486, 603, 480])),
        0..20 if talks => phone.presses(dice.pick::<&str>(&KEYS)),
        20..28 if talks => hands_on(dice, phone),
        28..32 if talks => phone.dials(dice.pick::<&str>(&NUMBERS)),
        32..40 if talks => holds(dice, phone),
        40..44 if talks => phone.resumes(),
        44..48 if talks => phone.resumes_by_update(),
        48..50 if talks => phone.asks_for_an_offer(),
        50..54 if !busy => takes_a_call(phone, dice.pick(phones)),
        54..56 if talks => phone.is_muted(dice.chance(700)),
        56..58 if busy => phone.forgets_to_acknowledge(dice.chance(300)),
        58..60 if busy && !rings => phone.updates_early("sendrecv"),
        60..61 if talks => phone.is_unplugged(),
        61..64 if !busy => phone.is_plugged_in(),
        50..75 if busy => phone.hangs_up(),
        75..78 => phone.registers(),
        78..80 => phone.registers_for(0),
        _ if busy => {}
        _ if phone.name() == "world" => phone.dials_as("100", "+4930123456"),
        _ => phone.dials(dice.pick::<&str>(&NUMBERS)),
    }
}

/// Somebody whom a 302 names: the office does not call everybody of them.
fn onward(dice: &mut Dice) -> String {
    format!(
        "<sip:{}@{}>",
        dice.pick::<&str>(&NUMBERS),
        dice.pick::<&str>(&["plugboard.test", "10.0.0.1", "elsewhere.test"])
    )
}

/// Somebody's calls go elsewhere from now on, or no longer.
fn sends_on(sim: &Sim, dice: &mut Dice) {
    let office = OfficeId::new("main").unwrap();
    let user = UserId::new(&office, dice.pick::<&str>(&["101", "102", "103", "104", "105"])).unwrap();
    let whens = [ForwardWhen::Always, ForwardWhen::Busy, ForwardWhen::NoAnswer, ForwardWhen::Unreachable];
    let to = dice.chance(600).then(|| Dialled::new(dice.pick::<&str>(&NUMBERS)).unwrap());
    // The office lets nobody send his calls everywhere.
    let _ = sim.ask(sim.switch().change_user(&user, vec![SettingsChange::Forward(*dice.pick(&whens), to)]));
}

/// He puts the other one on hold, in some way.
fn holds(dice: &mut Dice, phone: &Phone) {
    let ways: [fn(&Phone); 4] = [Phone::holds, Phone::holds_both_ways, Phone::holds_with_zeros, Phone::holds_by_update];
    dice.pick(&ways)(phone);
}

/// He hands the other one on, to a number or to whom he talks to as well.
fn hands_on(dice: &mut Dice, phone: &Phone) {
    let up = phone.calls().iter().filter(|stage| **stage == Stage::Up).count();
    if up > 1 && dice.chance(700) {
        phone.connects_its_calls();
    } else {
        phone.hands_on_to(dice.pick::<&str>(&NUMBERS));
    }
}

/// He takes what another one has: mostly he may not.
fn takes_a_call(phone: &Phone, other: &Phone) {
    let live = other.calls().last().is_some_and(|stage| matches!(stage, Stage::Up | Stage::Ringing));
    if live && phone.name() != "world" && phone.name() != other.name() {
        phone.takes_the_call_of(other);
    }
}

/// The actor that gives media its next command but a few panics in the middle of it. Closing always works.
fn break_something(sim: &Sim, dice: &mut Dice) {
    let left = AtomicU64::new(dice.below(6));
    sim.media_breaks_on(move |command| {
        let may = !matches!(command, Command::Close { .. });
        may && left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err()
    });
}

/// Whoever still has a call hangs up; what rings is let ring.
fn everybody_leaves(sim: &mut Sim, phones: &[Phone]) {
    for _ in 0..20 {
        for phone in phones {
            if !phone.is_idle()() {
                phone.hangs_up();
            }
        }
        sim.run_for(Duration::from_secs(1));
    }
}

/// What holds after every run; the calls in words.
fn nothing_is_wrong(sim: &Sim, luck: Luck) -> String {
    let records = sim.records("main");
    let ids: BTreeSet<&CallId> = records.iter().map(|record| &record.id).collect();
    assert_eq!(ids.len(), records.len(), "one call, one record");
    assert_eq!(sim.store().calls().unfinished_calls().unwrap(), [], "every journal is closed by a record");
    assert_eq!(sim.metric("plugboard_calls_active"), Some(0.0));
    assert_eq!(sim.metric("plugboard_legs_active"), Some(0.0));
    no_slot_was_taken_twice(sim, &records);
    let tapes = sim.recordings("main");
    assert!(tapes.iter().all(|tape| tape.end.is_some()), "every message has ended: {tapes:#?}");
    assert_eq!(tapes.len(), sim.tapes().paths().len(), "each has its file, and no file is of none");
    let mut told = String::new();
    for record in &records {
        let journal = sim.journal(record);
        let count = |what: fn(&JournalEvent) -> bool| journal.iter().filter(|entry| what(&entry.event)).count();
        assert_eq!(count(|event| matches!(event, JournalEvent::Began { .. })), 1, "{}", record.id);
        let ends: Vec<_> = journal
            .iter()
            .filter_map(|entry| if let JournalEvent::Ended { outcome } = &entry.event { Some(outcome) } else { None })
            .collect();
        assert_eq!(ends, [&record.outcome], "the journal and the record of {} agree on one outcome", record.id);
        assert!(journal.iter().zip(0..).all(|(entry, seq)| entry.seq == seq), "no line of {} is missing", record.id);
        let runs = count(|event| matches!(event, JournalEvent::RunBegan { .. }));
        assert_eq!(
            runs,
            count(|event| matches!(event, JournalEvent::RunEnded { .. })),
            "each run of {} ended",
            record.id
        );
        let (begun, ended) = (
            count(|event| matches!(event, JournalEvent::LegBegan { .. })),
            count(|event| matches!(event, JournalEvent::LegEnded { .. })),
        );
        // A call that broke tells no more of its legs.
        let whole = luck == Luck::Good || !matches!(record.outcome, CallOutcome::Failed(_));
        assert!(!whole || begun + 1 == ended, "each leg of {} and the caller's ended once", record.id);
        let handed_on = count(|event| matches!(event, JournalEvent::Transferred { .. }));
        let held = count(|event| matches!(event, JournalEvent::Held { .. }));
        let sent_on = count(|event| matches!(event, JournalEvent::Forwarded { .. }));
        let route = record.route.as_deref().unwrap_or_default();
        let fetched = matches!(route, "pick-up" | "park") && record.outcome == CallOutcome::Answered;
        let fetched = if fetched { route } else { "no" };
        writeln!(
            told,
            "{} -> {}: {:?} held {held} sent on {sent_on} fetched {fetched} handed on {handed_on}",
            record.caller, record.called, record.outcome
        )
        .unwrap();
    }
    told
}

/// Somebody who talked, as his calls' records have it.
struct Part<'a> {
    user: &'a UserId,
    call: &'a CallId,
    from: WallTime,
    to: WallTime,
    /// A scenario or a group offered him, and he took it.
    offered: bool,
}

/// Whoever was offered a call and took it had no other one at that moment (decision 4 of the requirements). Whoever
/// calls himself, or is dialled, may have two.
fn no_slot_was_taken_twice(sim: &Sim, records: &[CallRecord]) {
    let mut parts = Vec::new();
    for record in records {
        let bridged: Vec<LegId> = sim
            .journal(record)
            .iter()
            .filter_map(|entry| if let JournalEvent::Bridged { b, .. } = entry.event { Some(b) } else { None })
            .collect();
        let offered = offered_legs(sim, record);
        for leg in &record.legs {
            let Some(user) = &leg.user else { continue };
            let from = if leg.leg == LegId::CALLER { Some(leg.began) } else { leg.answered };
            if let Some(from) = from.filter(|_| leg.leg == LegId::CALLER || bridged.contains(&leg.leg)) {
                let offered = offered.contains(&leg.leg);
                parts.push(Part { user, call: &record.id, from, to: leg.ended, offered });
            }
        }
    }
    for taken in parts.iter().filter(|part| part.offered) {
        let has = |other: &&Part<'_>| {
            other.user == taken.user && other.call != taken.call && other.from < taken.from && taken.from < other.to
        };
        let other = parts.iter().find(has).map(|other| other.call);
        assert_eq!(other, None, "{} took {} while he had another call", taken.user, taken.call);
    }
}

/// Those whom a scenario or a group rings. Whoever is rung since somebody handed the call on, or sent it on, was dialled: nobody
/// offered him, unless that led to a scenario.
fn offered_legs(sim: &Sim, record: &CallRecord) -> Vec<LegId> {
    let (mut offers, mut offered) = (record.route.as_deref() == Some("group"), Vec::new());
    for entry in sim.journal(record) {
        if matches!(entry.event, JournalEvent::Routed { .. }) {
            offers = true;
        } else if matches!(entry.event, JournalEvent::Transferred { .. } | JournalEvent::Forwarded { .. }) {
            offers = false;
        } else if let JournalEvent::LegBegan { leg, .. } = entry.event
            && offers
        {
            offered.push(leg);
        }
    }
    offered
}

/// No phone believes that it is still in a call. One that never said a word may still ring: it cannot be cancelled.
fn nobody_talks_to_himself(phones: &[Phone]) {
    for phone in phones {
        let live = phone.calls().into_iter().find(|stage| matches!(stage, Stage::Up | Stage::Calling(_)));
        assert_eq!(live, None, "{} has a call that nobody else has", phone.name());
    }
}

/// Each run of each call decides the same again, from the call's journal alone: also one that was put away or cut off.
fn every_run_is_replayed(sim: &Sim) {
    for record in sim.records("main") {
        let begun = |journal: &JournalEvent| matches!(journal, JournalEvent::RunBegan { .. });
        let runs = sim.journal(&record).iter().filter(|entry| begun(&entry.event)).count();
        assert_eq!(sim.replays(&record), runs, "{}", record.id);
        REPLAYS.fetch_add(u64::try_from(runs).unwrap(), Relaxed);
    }
}

/// Runs a seed twice; says what is wrong with it.
fn twice(seed: u64, luck: Luck) -> Result<String, String> {
    let once = |look| catch_unwind(AssertUnwindSafe(|| run(seed, luck, look))).map_err(in_words);
    let (first, told) = once(every_run_is_replayed)?;
    // The same journal decides the same.
    let (second, _) = once(|_| ())?;
    if first != second {
        let (one, other) = (first.to_string(), second.to_string());
        let line = one.lines().zip(other.lines()).find(|(a, b)| a != b);
        return Err(format!("its ladders differ: {line:?}"));
    }
    Ok(told)
}

fn in_words(panic: Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_else(|| "it panicked".into())
}

/// Every `of`th seed from `part` on.
fn part(part: u64, of: u64, luck: Luck) {
    if std::env::var_os(ALONE).is_some() {
        return;
    }
    let seeds = if std::env::var_os("PLUGBOARD_LONG").is_some() { SEEDS_LONG } else { SEEDS };
    let seeds = if luck == Luck::Bad { seeds / 4 } else { seeds };
    let (mut calls, mut outcomes, mut held, mut handed_on) = (0, BTreeSet::new(), 0, 0);
    let (mut sent_on, mut picked_up, mut parked) = (0, 0, 0);
    for seed in (part..seeds).step_by(usize::try_from(of).unwrap()) {
        match twice(seed, luck) {
            Ok(told) => {
                calls += told.lines().count();
                outcomes.extend(
                    told.lines()
                        .filter_map(|line| line.split(": ").nth(1)?.split(['(', ' ']).next().map(str::to_owned)),
                );
                held += told.lines().filter(|line| !line.contains(" held 0 ")).count();
                let having = |what: &str| told.lines().filter(|line| line.contains(what)).count();
                sent_on += told.lines().count() - having(" sent on 0 ");
                picked_up += having(" fetched pick-up ");
                parked += having(" fetched park ");
                handed_on += told.lines().filter(|line| !line.ends_with(" handed on 0")).count();
            }
            Err(why) => panic!(
                "seed {seed}: {why}\nrun it alone: PLUGBOARD_SEED={seed} cargo test --release --workspace --test seeds"
            ),
        }
    }
    eprintln!(
        "{calls} calls, {held} with holds, {handed_on} handed on, {sent_on} sent on, {picked_up} picked up, {parked} parked \
         and fetched: {outcomes:?}"
    );
    assert!(LAMPS.load(Relaxed) > 0, "no lamp was looked at");
    assert!(REPLAYS.load(Relaxed) > 0, "no run was replayed");
    assert!(held > 0 && handed_on > 0 && sent_on > 0 && picked_up > 0, "too tame");
    let expected = ["Abandoned", "Answered", "Handled", "NotAnswered"].map(str::to_owned);
    assert!(expected.iter().all(|outcome| outcomes.contains(outcome)), "too tame: {outcomes:?}");
}

#[test]
fn the_even_seeds_leave_nothing_and_are_the_same_twice() {
    part(0, 2, Luck::Good);
}

#[test]
fn the_odd_seeds_leave_nothing_and_are_the_same_twice() {
    part(1, 2, Luck::Good);
}

#[test]
fn where_actors_panic_their_calls_end_and_nothing_of_them_is_left() {
    part(0, 1, Luck::Bad);
}

#[test]
fn the_seed_that_the_environment_names_is_run_alone() {
    let Some(seed) = std::env::var(ALONE).ok().and_then(|seed| seed.parse().ok()) else { return };
    for luck in [Luck::Good, Luck::Bad] {
        let told = twice(seed, luck).unwrap_or_else(|why| panic!("seed {seed}, {luck:?} luck: {why}"));
        eprintln!("{told}");
    }
}
