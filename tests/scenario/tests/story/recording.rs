//! Calls that are recorded: what each side says stands on its own side of the file, at its own time.

use plugboard_model::{TapeBy, TapeEnd, TapeKind, TapeRecord, TapeWhy};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim, TONE};

use crate::{seconds, steps, story, talk};

/// The demo office, with this line more.
fn office(line: &str) -> Setup {
    Setup::offices(vec![OfficeText::demo().replace("language: en\n", &format!("language: en\n{line}\n"))])
}

/// Calls of 102 are recorded.
fn recorded(rules: &str) -> Setup {
    let rule = "name: Bob Baker, password: demo-102";
    let office = OfficeText::demo().replace("language: en\n", &format!("language: en\n{rules}\n"));
    Setup::offices(vec![office.replace(rule, &format!("{rule}, record: always"))])
        .prompt("consent", std::time::Duration::from_secs(2))
}

/// Ann and Bob talk.
fn talking(setup: Setup) -> (Sim, Phone, Phone) {
    let mut sim = setup.start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    (sim, ann, bob)
}

/// The only recording, and how it ended.
#[track_caller]
fn tape(sim: &Sim) -> (TapeRecord, TapeEnd) {
    let tapes = sim.recordings("main");
    assert_eq!(tapes.len(), 1, "{tapes:#?}");
    let tape = tapes.into_iter().next().unwrap();
    let end = tape.end.clone().unwrap_or_else(|| panic!("it goes on: {tape:#?}"));
    (tape, end)
}

/// For how long somebody is heard on a side, in milliseconds.
fn heard(side: &[(String, usize)], who: &str) -> usize {
    side.iter().filter(|(name, _)| name == who).map(|(_, count)| count * 20).sum()
}

#[test]
fn r72_each_side_stands_on_its_own_channel_for_as_long_as_they_talked() {
    let (mut sim, _ann, bob) = talking(recorded(""));
    sim.run_for(seconds(9));
    bob.hangs_up();
    sim.run_until_quiet();
    let (tape, end) = tape(&sim);
    assert_eq!((&tape.kind, &end.why), (&TapeKind::Recording { by: TapeBy::Policy }, &TapeWhy::CallOver));
    assert_eq!((tape.call.clone(), tape.n), (sim.record().id, 1));
    assert!(tape.file.ends_with(&format!("{}-1.wav", tape.call.ulid_text())), "{}", tape.file);
    let talked = sim.record().ended.0 - sim.record().answered.unwrap().0;
    let (length, talked) = (i64::try_from(end.length_ms).unwrap(), talked);
    assert!((talked - 200..talked + 100).contains(&length), "{length} ms of {talked}");
    let [left, right] = sim.sides(&tape.file);
    let whole = heard(&left, "ann");
    assert!(whole > 9_000 && heard(&right, "bob").abs_diff(whole) < 300, "{left:?} {right:?}");
    assert_eq!((heard(&left, "bob"), heard(&right, "ann")), (0, 0));
    let file = sim.tapes().file(&tape.file).unwrap();
    assert_eq!(u64::try_from(file.len()).unwrap(), end.bytes);
}

#[test]
fn both_hear_that_they_are_recorded_and_it_stands_in_the_recording() {
    let (mut sim, ann, bob) = talking(recorded("recording: { announcement: consent }"));
    assert!(ann.packets_of("consent") > 95 && bob.packets_of("consent") > 95);
    bob.hangs_up();
    sim.run_until_quiet();
    let (tape, _) = tape(&sim);
    let [_, right] = sim.sides(&tape.file);
    assert!((1_900..2_100).contains(&heard(&right, "consent")), "{right:?}");
}

/// How much of beeps each heard, in packets.
fn beeps(phones: [&Phone; 2]) -> [u64; 2] {
    phones.map(|phone| phone.packets_of(TONE))
}

#[test]
fn both_hear_a_beep_where_the_office_wants_it_when_a_recording_begins_and_ends() {
    let (mut sim, ann, bob) = talking(office("recording: { beep: true }"));
    let ringing = ann.packets_of(TONE);
    assert_eq!(bob.packets_of(TONE), 0);
    ann.presses("*1");
    sim.run_for(seconds(3));
    let begun = beeps([&ann, &bob]);
    assert!(begun[0] > ringing && begun[1] > 0, "{begun:?}");
    sim.run_for(seconds(5));
    assert_eq!(beeps([&ann, &bob]), begun, "once");
    bob.presses("*1");
    sim.run_for(seconds(3));
    let ended = beeps([&ann, &bob]);
    assert!(ended[0] > begun[0] && ended[1] > begun[1], "{ended:?} after {begun:?}");
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn nobody_hears_a_beep_where_nobody_wants_it() {
    let (mut sim, ann, bob) = talking(Setup::demo());
    let before = beeps([&ann, &bob]);
    for _ in 0..2 {
        ann.presses("*1");
        sim.run_for(seconds(3));
    }
    assert_eq!(sim.recordings("main").len(), 1);
    assert_eq!(beeps([&ann, &bob]), before);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_scenario_that_wants_beeps_has_one_at_each_turn_of_its_recording() {
    let turns = |beep: &str| {
        // For two seconds nothing happens.
        let still = "  - collect-digits: { max_digits: 1, first_digit: 2s }\n";
        let turn = |what: &str| format!("  - record: {{ {what} }}\n{still}");
        let whats = [&format!("beep: {beep}"), "what: pause", "what: resume", "what: stop"];
        let mut sim = story(&whats.map(turn).concat()).start();
        let ann = sim.phone("ann", "101");
        ann.dials("300");
        let mut heard = Vec::new();
        sim.run_until(ann.talks());
        for _ in 0..4 {
            let before = ann.packets_of(TONE);
            sim.run_for(seconds(2));
            heard.push(ann.packets_of(TONE) > before);
        }
        sim.run_until(ann.is_idle());
        sim.run_until_quiet();
        heard
    };
    assert_eq!(turns("true"), [true; 4], "begin, pause, resume, end");
    assert_eq!(turns("false"), [false; 4]);
}

#[test]
fn nobody_is_recorded_who_could_not_be_told() {
    let (mut sim, ann, _bob) = talking(recorded("recording: { announcement: lost }"));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.recordings("main"), []);
}

#[test]
fn a_scenario_begins_pauses_and_ends_a_recording_and_the_pause_is_left_out() {
    let mut sim = story(
        "  - record\n  - play-audio: { audio: first }\n  - record: { what: pause }\n  - play-audio: { audio: second }\n  \
         - record: { what: resume }\n  - play-audio: { audio: first }\n  - record: { what: stop }\n  - play-audio: { audio: second }\n",
    )
    .start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let (tape, end) = tape(&sim);
    assert_eq!((&tape.kind, end.why), (&TapeKind::Recording { by: TapeBy::Scenario }, TapeWhy::Asked));
    let [left, right] = sim.sides(&tape.file);
    assert!(heard(&right, "first") > 0, "{right:?}");
    assert_eq!(heard(&right, "second"), 0, "{right:?}");
    assert!(heard(&left, "ann").abs_diff(heard(&right, "first")) < 200, "{left:?} {right:?}");
    assert!(steps(&sim.record()).iter().all(|step| step.ends_with(": done")), "{:?}", steps(&sim.record()));
}

#[test]
fn a_user_begins_and_ends_a_recording_by_his_keys_and_no_more_than_those() {
    let (mut sim, ann, bob) = talking(Setup::demo());
    ann.presses("1");
    sim.run_for(seconds(2));
    assert_eq!(sim.recordings("main"), []);
    ann.presses("*1");
    sim.run_for(seconds(5));
    bob.presses("*1");
    sim.run_for(seconds(5));
    ann.hangs_up();
    sim.run_until_quiet();
    let (tape, end) = tape(&sim);
    assert_eq!((&tape.kind, end.why), (&TapeKind::Recording { by: TapeBy::User }, TapeWhy::Asked));
    assert!((4_500..7_000).contains(&end.length_ms), "{}", end.length_ms);
}

#[test]
fn who_must_not_be_recorded_is_not_whoever_wants_it() {
    let never = "name: Ann Archer, password: demo-101";
    let office = OfficeText::demo().replace(never, &format!("{never}, record: never"));
    let always = "name: Bob Baker, password: demo-102";
    let setup = Setup::offices(vec![office.replace(always, &format!("{always}, record: always"))]);
    let (mut sim, ann, bob) = talking(setup);
    bob.presses("*1");
    sim.run_for(seconds(2));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.recordings("main"), []);
}

#[test]
fn what_the_office_records_nobody_in_the_call_ends() {
    let (mut sim, ann, bob) = talking(recorded(""));
    ann.presses("*1");
    bob.presses("*1");
    sim.run_for(seconds(5));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(tape(&sim).1.why, TapeWhy::CallOver);
}

#[test]
fn a_hold_is_silence_on_both_sides_and_both_keep_their_length() {
    let (mut sim, ann, bob) = talking(recorded(""));
    sim.run_for(seconds(2));
    bob.holds();
    sim.run_until(bob.was_answered_again());
    sim.run_for(seconds(6));
    assert!(ann.hears_now("music"));
    bob.resumes();
    sim.run_until(bob.was_answered_again());
    sim.run_for(seconds(2));
    ann.hangs_up();
    sim.run_until_quiet();
    let (tape, end) = tape(&sim);
    let [_, right] = sim.sides(&tape.file);
    assert_eq!(heard(&right, "music"), 0);
    assert!(right.iter().any(|(who, pieces)| who.is_empty() && *pieces > 290), "{right:?}");
    assert_eq!(right.last().unwrap().0, "bob", "he is heard again where he is: {right:?}");
    assert!(end.length_ms > 10_000);
}

#[test]
fn a_recording_goes_on_with_whom_the_call_is_about() {
    let (mut sim, ann, bob) = talking(recorded(""));
    let cem = sim.phone("cem", "103");
    sim.run_for(seconds(2));
    ann.hands_on_to("103");
    sim.run_until(cem.rings());
    cem.answers();
    talk(&mut sim, &bob, &cem);
    sim.run_for(seconds(3));
    bob.hangs_up();
    sim.run_until_quiet();
    let (tape, _) = tape(&sim);
    let [left, right] = sim.sides(&tape.file);
    assert!(heard(&left, "ann") > 2_000 && heard(&left, "bob") > 2_900, "{left:?}");
    assert!(heard(&right, "bob") > 2_000 && heard(&right, "cem") > 2_900, "{right:?}");
    // It is found by the number of whoever talked while it went on.
    assert_eq!(
        (tape.caller.as_str(), tape.called.as_str(), tape.others.as_slice()),
        ("101", "102", ["103".to_owned()].as_slice())
    );
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_call() {
    let (mut sim, ann, bob) = talking(recorded(""));
    sim.run_for(seconds(3));
    sim.tapes().has_room_for(Some(0));
    sim.run_for(seconds(3));
    let (tape, end) = tape(&sim);
    assert_eq!(end.why, TapeWhy::DiskFull);
    assert!(end.length_ms > 1_000, "what was written before is there: {}", end.length_ms);
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.metric("plugboard_recordings_total{end=\"disk_full\"}"), Some(1.0));
    let [left, _] = sim.sides(&tape.file);
    assert!(heard(&left, "ann") > 500);
}

#[test]
fn what_a_slow_disk_does_not_take_is_silence_of_its_length_and_nobody_waits() {
    let (mut sim, ann, bob) = talking(recorded("").tape_queue(100));
    sim.run_for(seconds(2));
    sim.recordings_wait(true);
    sim.run_for(seconds(5));
    assert!(ann.hears_now("bob") && bob.hears_now("ann"), "who talks waits for no disk");
    sim.recordings_wait(false);
    sim.run_for(seconds(3));
    ann.hangs_up();
    sim.run_until_quiet();
    let (tape, end) = tape(&sim);
    // A hundred packets of both sides are a second.
    assert!((7_500..8_500).contains(&end.missing_ms), "{}", end.missing_ms);
    assert!(end.length_ms > 10_000, "{}", end.length_ms);
    let [left, right] = sim.sides(&tape.file);
    for (side, who) in [(&left, "ann"), (&right, "bob")] {
        let silent = heard(side, "");
        assert!((3_500..4_600).contains(&silent), "{silent} {side:?}");
        assert!(heard(side, who) > 5_000);
    }
    assert!(sim.metric("plugboard_recording_missing_seconds_total").unwrap() > 7.0);
}

#[test]
fn the_file_can_be_played_at_any_moment_of_the_call() {
    let (mut sim, ann, _bob) = talking(recorded(""));
    sim.run_for(seconds(5));
    let tapes = sim.recordings("main");
    assert_eq!((tapes.len(), &tapes[0].end), (1, &None));
    let file = sim.tapes().file(&tapes[0].file).unwrap();
    let told = u32::from_le_bytes(file[54..58].try_into().unwrap());
    assert_eq!(usize::try_from(told).unwrap() + 58, file.len(), "the head tells of all that is there");
    assert!(file.len() > 58 + 3 * 16_000, "no more than two seconds are not written yet: {}", file.len());
    let [left, _] = sim.sides(&tapes[0].file);
    assert!(heard(&left, "ann") > 3_000);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_rule_or_keys_that_are_none_are_faults() {
    let sim = Sim::demo();
    let faults = |office: &OfficeText| sim.faults(office).join("\n");
    let rule = OfficeText::demo().replace("password: demo-101", "password: demo-101, record: sometimes");
    assert!(faults(&rule).contains("on-demand"), "{}", faults(&rule));
    let keys = OfficeText::demo().replace("language: en\n", "language: en\nrecording: { keys: \"12\" }\n");
    assert!(faults(&keys).contains("*1"), "{}", faults(&keys));
    let off = office("recording: { keys: false }");
    let (mut sim, ann, _bob) = talking(off);
    ann.presses("*1");
    sim.run_for(seconds(2));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.recordings("main"), []);
}

#[test]
fn a_scenarios_announcement_is_heard_whole_by_the_caller_and_by_whoever_joins_him() {
    let steps = "  - record: { announcement: first }\n  - call-user: { mode: user, target: \"102\", ring_for: 20s }\n";
    let mut sim = story(steps).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    assert!(ann.packets_of("first") > 95, "{} packets before anybody rings", ann.packets_of("first"));
    bob.answers();
    sim.run_for(seconds(4));
    assert!(bob.packets_of("first") > 95, "{} packets", bob.packets_of("first"));
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(ann.packets_of("first") < 110, "he hears it once");
    assert!(tape(&sim).1.length_ms > 4_000);
}

/// Ann and Bob talk, Bob is recorded and both were told; then Ann has Cem in Bob's place, or Bob has him in Ann's.
fn handed_on(by_bob: bool) -> (Sim, [Phone; 3]) {
    let (mut sim, ann, bob) = talking(recorded("recording: { announcement: consent }"));
    let cem = sim.phone("cem", "103");
    sim.run_for(seconds(3));
    if by_bob {
        bob.hands_on_to("103");
    } else {
        ann.hands_on_to("103");
    }
    sim.run_until(cem.rings());
    cem.answers();
    sim.run_for(seconds(4));
    (sim, [ann, bob, cem])
}

#[test]
fn whoever_comes_later_is_told_that_he_is_recorded() {
    let (mut sim, [_, bob, cem]) = handed_on(false);
    assert!(cem.packets_of("consent") > 95, "{} packets", cem.packets_of("consent"));
    assert!(bob.packets_of("consent") < 110, "he was told before");
    talk(&mut sim, &bob, &cem);
    cem.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn when_he_who_is_to_be_recorded_has_gone_the_others_are_not() {
    let (mut sim, [ann, _, cem]) = handed_on(true);
    talk(&mut sim, &ann, &cem);
    let (_, end) = tape(&sim);
    assert_eq!(end.why, TapeWhy::Asked);
    assert_eq!(cem.packets_of("consent"), 0);
    cem.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.recordings("main").len(), 1);
}

#[test]
fn who_must_not_be_recorded_is_not_when_he_picks_up_a_call_that_would_be() {
    let always = "name: Ann Archer, password: demo-101";
    let never = "password: demo-103";
    let office = OfficeText::demo().replace(always, &format!("{always}, record: always"));
    let mut sim = Setup::offices(vec![office.replace(never, &format!("{never}, record: never"))]).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("102");
    sim.run_until(bob.rings());
    cem.takes_early(&bob);
    talk(&mut sim, &ann, &cem);
    sim.run_for(seconds(3));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.recordings("main"), []);
}

#[test]
fn what_a_scenario_began_nobody_ends_once_the_office_wants_it() {
    let rule = "name: Bob Baker, password: demo-102";
    let office = OfficeText::demo().replace(rule, &format!("{rule}, record: always"));
    let steps = "  - record\n  - call-user: { mode: user, target: \"102\", ring_for: 20s }\n";
    let mut sim = Setup::offices(vec![office.with_story(steps)]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.presses("*1");
    sim.run_for(seconds(5));
    ann.hangs_up();
    sim.run_until_quiet();
    let (_, end) = tape(&sim);
    assert_eq!(end.why, TapeWhy::CallOver);
}
