//! Callers who wait until one of those whom the scenario has named is free.

use plugboard_model::{JournalEvent, Name, UserStatus, WallTime};
use plugboard_office::{SettingsChange, SettingsFault};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Stage};

use crate::settings::{set, settings};
use crate::{seconds, steps, talk};

pub(crate) const WORLD: &str = "127.0.0.1:5080";
/// Sales, or the first of it who is free.
const SALES: &str = "  - call-group: { group: sales, ring_for: 5s }\n  - try-any-manager: { max: 5m, ring_for: 10s }\n";

/// The demo office, in which sales is Bob and Cem, Gus and Hal keep people busy, and calls from outside take the story as well.
fn office(steps: &str, more: &[(&str, &str)]) -> OfficeText {
    let demo = OfficeText::demo()
        .with_story(steps)
        .replace("[\"102\", \"103\", \"104\"]", "[\"102\", \"103\"]")
        .replace("any: true, scenario: welcome", "any: true, scenario: story")
        .replace("\ngroups:\n", "  - { id: \"107\", number: 107, password: demo-107 }\n  - { id: \"108\", number: 108, password: demo-108 }\n\ngroups:\n");
    more.iter().fold(demo, |text, (from, to)| text.replace(from, to))
}

pub(crate) fn house(steps: &str, more: &[(&str, &str)]) -> Setup {
    Setup::offices(vec![office(steps, more)])
        .prompt("first", seconds(2))
        .prompt("second", seconds(2))
        .prompt("late", seconds(2))
}

pub(crate) struct People {
    pub(crate) ann: Phone,
    pub(crate) egor: Phone,
    pub(crate) fay: Phone,
    pub(crate) bob: Phone,
    pub(crate) cem: Phone,
    pub(crate) gus: Phone,
    pub(crate) hal: Phone,
}

/// Ann, Egor and Fay call; Bob and Cem of sales talk to Gus and Hal.
pub(crate) fn busy(sim: &mut Sim) -> People {
    let mut phone = |name, account| sim.phone(name, account);
    let people = People {
        ann: phone("ann", "101"),
        egor: phone("egor", "105"),
        fay: phone("fay", "106"),
        bob: phone("bob", "102"),
        cem: phone("cem", "103"),
        gus: phone("gus", "107"),
        hal: phone("hal", "108"),
    };
    for (caller, number, called) in [(&people.gus, "102", &people.bob), (&people.hal, "103", &people.cem)] {
        caller.dials(number);
        sim.run_until(called.rings());
        called.answers();
        talk(sim, caller, called);
    }
    people
}

/// Somebody calls and waits.
pub(crate) fn waits(sim: &mut Sim, caller: &Phone) {
    caller.dials("300");
    sim.run_until(caller.hears("music"));
    sim.run_for(seconds(1));
}

/// Somebody who has become free rings, and talks to this caller.
pub(crate) fn gets(sim: &mut Sim, agent: &Phone, caller: &Phone) {
    sim.run_until(agent.rings());
    agent.answers();
    talk(sim, agent, caller);
}

/// What the journals of all calls note.
fn notes(sim: &Sim) -> Vec<String> {
    let records = sim.records("main");
    let note = |event: JournalEvent| if let JournalEvent::Note { text } = event { Some(text) } else { None };
    records.iter().flat_map(|record| sim.journal(record)).filter_map(|entry| note(entry.event)).collect()
}

#[test]
fn r69_who_becomes_free_first_takes_the_caller_who_has_waited_longest() {
    let mut sim = house(SALES, &[]).start();
    let p = busy(&mut sim);
    for caller in [&p.ann, &p.egor, &p.fay] {
        waits(&mut sim, caller);
    }
    assert_eq!(sim.metric("plugboard_queue_waiting"), Some(3.0));
    assert!(sim.metric("plugboard_queue_longest_wait_seconds").unwrap() >= 3.0);
    p.hal.hangs_up();
    gets(&mut sim, &p.cem, &p.ann);
    assert_eq!(p.bob.calls().len(), 1, "he talks");
    p.gus.hangs_up();
    gets(&mut sim, &p.bob, &p.egor);
    p.ann.hangs_up();
    gets(&mut sim, &p.cem, &p.fay);
    for caller in [&p.egor, &p.fay] {
        caller.hangs_up();
    }
    sim.run_until_quiet();
    assert!(sim.left().is_empty(), "{:?}", sim.left());
    let waited: Vec<_> = sim.records("main").into_iter().filter(|record| !record.steps.is_empty()).collect();
    assert_eq!(waited.len(), 3);
    for record in waited {
        assert_eq!(steps(&record), ["steps[0] call-group: no-answer", "steps[1] try-any-manager: answer"]);
        assert!(record.answered_by.is_some() && sim.replays(&record) > 0);
    }
    assert_eq!(sim.metric("plugboard_queue_left_total{why=\"answered\"}"), Some(3.0));
}

#[test]
fn r69_a_caller_who_hangs_up_leaves_the_line_and_whoever_rings_for_him_stops() {
    let mut sim = house(SALES, &[]).start();
    let p = busy(&mut sim);
    for caller in [&p.ann, &p.egor, &p.fay] {
        waits(&mut sim, caller);
    }
    p.ann.hangs_up();
    sim.run_for(seconds(1));
    p.gus.hangs_up();
    sim.run_until(p.bob.rings());
    assert!(p.bob.caller().unwrap().contains("Egor"), "{:?}", p.bob.caller());
    p.egor.hangs_up();
    sim.run_for(seconds(1));
    assert!(p.bob.caller().unwrap().contains("Fay"), "he rings for the next at once: {:?}", p.bob.caller());
    gets(&mut sim, &p.bob, &p.fay);
    p.fay.hangs_up();
    p.hal.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.metric("plugboard_queue_left_total{why=\"abandoned\"}"), Some(2.0));
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn r69_waiting_has_a_limit_and_the_scenario_goes_on_after_it() {
    let steps_of = "  - call-group: { group: sales }\n  - try-any-manager: { max: 30s }\n    on:\n      timeout: [{ play-audio: { audio: late } }]\n";
    let mut sim = house(steps_of, &[]).start();
    let p = busy(&mut sim);
    waits(&mut sim, &p.ann);
    let began = sim.now();
    sim.run_until(p.ann.hears("late"));
    let took = sim.now().since(began);
    assert!((seconds(28)..seconds(30)).contains(&took), "{took:?}");
    sim.run_until(p.ann.is_idle());
    for caller in [&p.gus, &p.hal] {
        caller.hangs_up();
    }
    sim.run_until_quiet();
    assert_eq!((p.bob.calls().len(), p.cem.calls().len()), (1, 1), "nobody rings for who has left");
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn r69_everybody_of_the_steps_above_is_wanted_once_and_nobody_of_branches_not_taken_or_below() {
    let steps_of = "  - if: \"caller_number == '101'\"
    then:
      - call-user: { mode: user, target: 103, ring_for: 1s }
    else:
      - call-user: { mode: user, target: 104, ring_for: 1s }
  - call-group: { group: sales, ring_for: 1s }
    on:
      no-answer:
        - try-any-manager: { max: 10s }
        - play-audio: { audio: late }
  - call-user: { mode: user, target: 106, ring_for: 1s }
";
    let mut sim = house(steps_of, &[]).start();
    let p = busy(&mut sim);
    let dora = sim.phone("dora", "104");
    waits(&mut sim, &p.ann);
    sim.run_until(p.ann.hears("late"));
    p.ann.hangs_up();
    for caller in [&p.gus, &p.hal] {
        caller.hangs_up();
    }
    sim.run_until_quiet();
    assert_eq!((dora.calls(), p.fay.calls()), (vec![], vec![]), "one is in the other branch, one below");
    let wanted: Vec<String> = notes(&sim).into_iter().filter(|note| note.starts_with("waits")).collect();
    assert_eq!(wanted, ["waits for the first of 103, 102"]);
}

#[test]
fn r69_a_step_that_names_nobody_above_has_nobody_to_wait_for() {
    let steps_of = "  - try-any-manager: { max: 10s }\n    on:\n      nobody: [{ play-audio: { audio: first } }]\n  - call-user: { mode: user, target: 102 }\n";
    let mut sim = house(steps_of, &[]).start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("first"));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r69_his_place_is_told_to_who_waits() {
    let steps_of = "  - call-group: { group: sales }\n  - try-any-manager: { max: 5m, announce: 10s }\n";
    let mut sim = house(steps_of, &[]).start();
    let p = busy(&mut sim);
    for caller in [&p.ann, &p.egor] {
        waits(&mut sim, caller);
    }
    sim.run_until(p.ann.hears("You are next in line."));
    sim.run_until(p.egor.hears("You are number 2 in line."));
    sim.run_for(seconds(8));
    assert!(p.egor.hears_now("music"), "and music follows");
    p.ann.hangs_up();
    sim.run_until(p.egor.hears("You are next in line."));
    p.egor.hangs_up();
    for caller in [&p.gus, &p.hal] {
        caller.hangs_up();
    }
    sim.run_until_quiet();
    assert!(notes(&sim).contains(&"is number 2 in line".to_owned()));
}

#[test]
fn r69_who_does_not_answer_is_left_alone_and_the_caller_keeps_his_place() {
    let mut sim = house(SALES, &[]).start();
    let p = busy(&mut sim);
    for caller in [&p.ann, &p.egor] {
        waits(&mut sim, caller);
    }
    p.gus.hangs_up();
    sim.run_until(p.bob.rings());
    // He is not at his desk.
    sim.run_for(seconds(9));
    assert_eq!(p.bob.calls().last(), Some(&Stage::Ringing));
    assert!(p.ann.hears_now("music"), "she hears no ring-back, which would stop again");
    sim.run_for(seconds(2));
    assert_eq!(p.bob.calls().last(), Some(&Stage::Over(487)));
    p.hal.hangs_up();
    gets(&mut sim, &p.cem, &p.ann);
    let before = p.bob.calls().len();
    sim.run_for(seconds(5));
    assert_eq!(p.bob.calls().len(), before, "he is left alone");
    sim.run_for(seconds(6));
    assert_eq!(p.bob.calls().len(), before + 1, "not for long");
    gets(&mut sim, &p.bob, &p.egor);
    for caller in [&p.ann, &p.egor] {
        caller.hangs_up();
    }
    sim.run_until_quiet();
}

#[test]
fn r79_who_is_busy_away_or_offline_is_passed_over_without_a_ring() {
    let mut sim = house(SALES, &[]).start();
    let p = busy(&mut sim);
    waits(&mut sim, &p.ann);
    set(&sim, "102", SettingsChange::Status(UserStatus::Away)).unwrap();
    p.gus.hangs_up();
    sim.run_for(seconds(5));
    assert_eq!(p.bob.calls(), [Stage::Over(200)]);
    set(&sim, "102", SettingsChange::Status(UserStatus::Available)).unwrap();
    gets(&mut sim, &p.bob, &p.ann);
    p.ann.hangs_up();
    p.hal.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r69_a_line_that_is_full_takes_nobody() {
    let steps_of = "  - call-group: { group: sales }\n  - try-any-manager: { callers: 1 }\n    on:\n      full: [{ play-audio: { audio: first } }]\n";
    let mut sim = house(steps_of, &[]).start();
    let p = busy(&mut sim);
    waits(&mut sim, &p.ann);
    p.egor.dials("300");
    sim.run_until(p.egor.hears("first"));
    for caller in [&p.ann, &p.egor, &p.gus, &p.hal] {
        caller.hangs_up();
    }
    sim.run_until_quiet();
}

#[test]
fn r69_who_presses_the_key_is_called_back_when_it_is_his_turn() {
    let steps_of = "  - call-group: { group: sales }\n  - try-any-manager: { call_back_on: \"1\" }\n    on:\n      called-back: [{ play-audio: { audio: first } }]\n";
    let mut sim = house(steps_of, &[]).start();
    let p = busy(&mut sim);
    let world = sim.outside("world", WORLD);
    world.dials_as("555", "+4930666123");
    sim.run_until(world.hears("music"));
    waits(&mut sim, &p.ann);
    world.presses("1");
    sim.run_until(world.hears("first"));
    sim.run_until(world.is_idle());
    sim.run_for(seconds(5));
    p.gus.hangs_up();
    sim.run_until(p.bob.rings());
    assert!(p.bob.caller().unwrap().contains("30666123"), "he came before Ann: {:?}", p.bob.caller());
    p.bob.answers();
    sim.run_until(world.rings());
    world.answers();
    talk(&mut sim, &p.bob, &world);
    p.hal.hangs_up();
    gets(&mut sim, &p.cem, &p.ann);
    world.hangs_up();
    p.ann.hangs_up();
    sim.run_until_quiet();
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn r69_who_is_to_be_called_back_keeps_his_place_when_the_first_who_is_free_does_not_answer() {
    let steps_of = "  - call-group: { group: sales }\n  - try-any-manager: { call_back_on: \"1\", ring_for: 20s }\n";
    let mut sim = house(steps_of, &[]).start();
    let p = busy(&mut sim);
    let world = sim.outside("world", WORLD);
    world.dials_as("555", "+4930666123");
    sim.run_until(world.hears("music"));
    world.presses("1");
    sim.run_until(world.is_idle());
    p.gus.hangs_up();
    sim.run_until(p.bob.rings());
    p.bob.refuses(486);
    sim.run_for(seconds(2));
    p.hal.hangs_up();
    sim.run_until(p.cem.rings());
    p.cem.answers();
    sim.run_until(world.rings());
    world.answers();
    talk(&mut sim, &p.cem, &world);
    world.hangs_up();
    sim.run_until_quiet();
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn r69_of_two_scenarios_that_share_people_the_longest_waiting_caller_goes_first() {
    let other = "scenario: other\nsteps:\n  - call-user: { mode: user, target: 102, ring_for: 1s }\n  - try-any-manager: { max: 5m }\n";
    let text = office(SALES, &[])
        .replace("scenarios:\n", "scenarios:\n  - { file: other.yaml }\n")
        .replace("routes:\n", "routes:\n  - { id: other, number: 301, scenario: other }\n")
        .with("other.yaml", other);
    let mut sim = Setup::offices(vec![text]).start();
    let p = busy(&mut sim);
    p.egor.dials("301");
    sim.run_until(p.egor.hears("music"));
    waits(&mut sim, &p.ann);
    p.gus.hangs_up();
    gets(&mut sim, &p.bob, &p.egor);
    p.egor.hangs_up();
    gets(&mut sim, &p.bob, &p.ann);
    p.ann.hangs_up();
    p.hal.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r69_a_switch_that_is_killed_leaves_nobody_taken_and_nobody_waiting() {
    let mut sim = house(SALES, &[]).start();
    let p = busy(&mut sim);
    for caller in [&p.ann, &p.egor] {
        waits(&mut sim, caller);
    }
    p.gus.hangs_up();
    sim.run_until(p.bob.rings());
    let mut sim = house(SALES, &[]).after(sim).start();
    assert!(sim.ask(sim.switch().queues()).is_empty());
    for (user, state) in sim.ask(sim.switch().users()) {
        assert_eq!((state.calls, state.user.calls), (0, 0), "{user}");
    }
    // They are registered still, where they were.
    let accounts = [("ann", "101"), ("egor", "105"), ("fay", "106"), ("bob", "102"), ("cem", "103")];
    let [ann, _, _, bob, _] = accounts.map(|(name, account)| sim.new_phone(name, account));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

// ---- who was promised a call, over a restart --------------------------------------------------------------------

pub(crate) const BACK: &str = "  - call-group: { group: sales }\n  - try-any-manager: { call_back_on: \"1\", ring_for: 20s }\n    on:\n      called-back: [{ play-audio: { audio: first } }]\n";

/// Somebody outside calls, and leaves to be called back.
pub(crate) fn wants_a_call(sim: &mut Sim, phone: &Phone, number: &str) {
    phone.dials_as("555", number);
    sim.run_until(phone.hears("music"));
    phone.presses("1");
    sim.run_until(phone.hears("first"));
    sim.run_until(phone.is_idle());
}

/// Ann and Bob after a restart, where they were.
fn back_again(sim: &mut Sim) -> (Phone, Phone) {
    let accounts = [("ann", "101"), ("egor", "105"), ("fay", "106"), ("bob", "102")];
    let [ann, _, _, bob] = accounts.map(|(name, account)| sim.new_phone(name, account));
    (ann, bob)
}

/// The numbers of those who are to be called back, first who is first.
pub(crate) fn promised(sim: &Sim) -> Vec<String> {
    let queues = sim.ask(sim.switch().queues());
    let callers = queues.into_iter().flat_map(|queue| queue.callers);
    callers.filter(|one| one.promise.is_some()).map(|one| one.caller).collect()
}

#[test]
fn r69_who_was_promised_a_call_is_called_after_a_restart_in_his_old_place() {
    let mut sim = house(BACK, &[]).start();
    let p = busy(&mut sim);
    let world = sim.outside("world", WORLD);
    for number in ["+4930666001", "+4930666002"] {
        wants_a_call(&mut sim, &world, number);
    }
    waits(&mut sim, &p.ann);
    set(&sim, "103", SettingsChange::Status(UserStatus::Away)).unwrap();
    assert_eq!((sim.metric("plugboard_queue_promised"), sim.metric("plugboard_queue_waiting")), (Some(2.0), Some(1.0)));
    let order = promised(&sim);
    assert!(order[0].contains("30666001") && order[1].contains("30666002"), "{order:?}");
    let mut sim = house(BACK, &[]).after(sim).start();
    assert_eq!(promised(&sim), order);
    let (ann, bob) = back_again(&mut sim);
    let world = sim.outside("world", WORLD);
    // She calls at once, and they were there before her.
    ann.dials("300");
    for number in ["30666001", "30666002"] {
        sim.run_until(bob.rings());
        assert!(bob.caller().unwrap().contains(number), "{:?}", bob.caller());
        bob.answers();
        sim.run_until(world.rings());
        world.answers();
        talk(&mut sim, &bob, &world);
        world.hangs_up();
        sim.run_for(seconds(1));
    }
    gets(&mut sim, &bob, &ann);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!((promised(&sim), sim.metric("plugboard_queue_promised")), (vec![], Some(0.0)));
    assert_eq!(sim.metric("plugboard_queue_call_backs_total{end=\"rung\"}"), Some(2.0));
    let sim = house(BACK, &[]).after(sim).start();
    assert_eq!(promised(&sim), Vec::<String>::new(), "each is called once");
}

#[test]
fn r69_who_has_been_rung_is_not_called_again_after_a_crash_and_who_has_not_is() {
    // Where it is when the switch dies, and whether he is still called after that.
    for (rings, answers, again) in [(false, false, true), (true, false, false), (true, true, false)] {
        let mut sim = house(BACK, &[]).start();
        let p = busy(&mut sim);
        let world = sim.outside("world", WORLD);
        wants_a_call(&mut sim, &world, "+4930666001");
        p.gus.hangs_up();
        sim.run_until(p.bob.rings());
        if rings {
            p.bob.answers();
            sim.run_until(world.rings());
        }
        if answers {
            world.answers();
            talk(&mut sim, &p.bob, &world);
        }
        let mut sim = house(BACK, &[]).after(sim).start();
        assert_eq!(promised(&sim).len(), usize::from(again));
        let ((_, bob), world) = (back_again(&mut sim), sim.outside("world", WORLD));
        if again {
            sim.run_until(bob.rings());
            bob.answers();
            sim.run_until(world.rings());
            world.answers();
            talk(&mut sim, &bob, &world);
            world.hangs_up();
        }
        sim.run_until_quiet();
        assert_eq!(world.calls().len(), usize::from(again), "{rings} {answers}");
        assert!(sim.left().is_empty(), "{:?}", sim.left());
    }
}

#[test]
fn r69_a_colleague_who_was_promised_a_call_is_called_by_whoever_is_free() {
    let mut sim = house(BACK, &[]).start();
    let p = busy(&mut sim);
    waits(&mut sim, &p.ann);
    p.ann.presses("1");
    sim.run_until(p.ann.hears("first"));
    sim.run_until(p.ann.is_idle());
    p.gus.hangs_up();
    sim.run_until(p.bob.rings());
    p.bob.answers();
    sim.run_until(p.ann.rings());
    p.ann.answers();
    talk(&mut sim, &p.bob, &p.ann);
    p.ann.hangs_up();
    p.hal.hangs_up();
    sim.run_until_quiet();
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn r69_a_promised_call_is_forgotten_after_four_hours_also_when_a_restart_lies_between() {
    let day = |hours: i64| WallTime(1_780_000_000_000 + hours * 3_600_000);
    let mut sim = house(BACK, &[]).starts_at(day(0)).start();
    let p = busy(&mut sim);
    let world = sim.outside("world", WORLD);
    wants_a_call(&mut sim, &world, "+4930666001");
    for agent in ["102", "103"] {
        set(&sim, agent, SettingsChange::Status(UserStatus::Away)).unwrap();
    }
    for caller in [&p.gus, &p.hal] {
        caller.hangs_up();
    }
    sim.run_for(seconds(60));
    let mut sim = house(BACK, &[]).starts_at(day(1)).after(sim).start();
    sim.run_for(seconds(3 * 3_600));
    assert_eq!(promised(&sim).len(), 1);
    sim.run_for(seconds(120));
    assert_eq!(promised(&sim).len(), 0);
    assert_eq!(sim.metric("plugboard_queue_call_backs_total{end=\"late\"}"), Some(1.0));
    let sim = house(BACK, &[]).after(sim).start();
    assert_eq!(promised(&sim).len(), 0);
}

// ---- what an office wants of its queues --------------------------------------------------------------------------

#[test]
fn r69_who_does_not_answer_again_and_again_becomes_away_and_the_next_caller_waits_for_others() {
    let rules = [("\ngroups:\n", "\nqueues: { away_after: 2 }\ngroups:\n")];
    let mut sim = house(SALES, &rules).start();
    let p = busy(&mut sim);
    waits(&mut sim, &p.ann);
    p.gus.hangs_up();
    for times in [1, 2] {
        assert_eq!(settings(&sim, "102").status, UserStatus::Available);
        sim.run_until(p.bob.rings());
        assert_eq!(p.bob.calls().len(), 1 + times);
        // He is not at his desk: ten seconds of ringing, and ten in which he is left alone.
        sim.run_for(seconds(11));
    }
    let now = settings(&sim, "102");
    assert_eq!((now.status, now.reason.as_ref().map(Name::as_str)), (UserStatus::Away, Some("no-answer")));
    sim.run_for(seconds(60));
    assert_eq!(p.bob.calls().len(), 3, "he is not rung for ever");
    set(&sim, "102", SettingsChange::Status(UserStatus::Available)).unwrap();
    gets(&mut sim, &p.bob, &p.ann);
    p.ann.hangs_up();
    p.hal.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r69_callers_are_told_how_long_it_is_likely_to_take_once_it_is_known() {
    let steps_of = "  - call-group: { group: sales }\n  - try-any-manager: { max: 1h, announce: 3m }\n";
    let mut sim = house(steps_of, &[]).start();
    let p = busy(&mut sim);
    let world = sim.outside("world", WORLD);
    world.dials_as("555", "+4930666001");
    sim.run_until(world.hears("music"));
    for caller in [&p.ann, &p.egor, &p.fay] {
        waits(&mut sim, caller);
    }
    sim.run_for(seconds(50));
    p.gus.hangs_up();
    gets(&mut sim, &p.bob, &world);
    for (talks, next) in [(&world, &p.ann), (&p.ann, &p.egor)] {
        sim.run_for(seconds(50));
        talks.hangs_up();
        gets(&mut sim, &p.bob, next);
    }
    sim.run_until(p.fay.hears("You are next in line. The wait is about a minute."));
    let queues = sim.ask(sim.switch().queues());
    let tally = queues[0].tally;
    assert_eq!((tally.answered, tally.timed, tally.within), (3, 3, 0), "nobody within 20 s");
    assert!(tally.longest >= seconds(150) && tally.waited >= seconds(300), "{tally:?}");
    for caller in [&p.fay, &p.egor, &p.hal] {
        caller.hangs_up();
    }
    sim.run_until_quiet();
    assert!(notes(&sim).iter().any(|note| note.starts_with("has waited for ") && note.ends_with(" s, and hangs up")));
}

// ---- what people do after a call ------------------------------------------------------------------------------

#[test]
fn who_writes_up_a_call_is_left_alone_until_his_time_is_over_or_he_says_so() {
    let wraps = [("ring_for: 20s\n", "ring_for: 20s\n    wrap_up: 30s\n")];
    let mut sim = house(SALES, &wraps).start();
    let p = busy(&mut sim);
    for caller in [&p.ann, &p.egor, &p.fay] {
        waits(&mut sim, caller);
    }
    p.gus.hangs_up();
    gets(&mut sim, &p.bob, &p.ann);
    assert_eq!(settings(&sim, "102").status, UserStatus::Available, "a call to himself has nothing to write up");
    p.ann.hangs_up();
    sim.run_for(seconds(29));
    assert_eq!((settings(&sim, "102").status, p.bob.calls().len()), (UserStatus::WrapUp, 2));
    sim.run_for(seconds(2));
    assert_eq!((settings(&sim, "102").status, p.bob.calls().len()), (UserStatus::Available, 3));
    gets(&mut sim, &p.bob, &p.egor);
    p.egor.hangs_up();
    sim.run_for(seconds(5));
    assert_eq!(settings(&sim, "102").status, UserStatus::WrapUp);
    let refused = set(&sim, "102", SettingsChange::Status(UserStatus::WrapUp));
    assert!(refused.is_ok(), "he is at it");
    set(&sim, "102", SettingsChange::Status(UserStatus::Available)).unwrap();
    gets(&mut sim, &p.bob, &p.fay);
    p.fay.hangs_up();
    p.hal.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_writes_up_a_call_does_so_over_a_restart_and_no_longer_than_he_would() {
    let wraps = [
        ("ring_for: 20s\n", "ring_for: 20s\n    wrap_up: 30s\n"),
        ("name: Cem Celik,", "name: Cem Celik, wrap_up: 10s,"),
    ];
    let mut sim = house(SALES, &wraps).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    for agent in [&bob, &cem] {
        ann.dials("200");
        sim.run_until(agent.rings());
        agent.answers();
        talk(&mut sim, &ann, agent);
        ann.hangs_up();
        sim.run_for(seconds(1));
    }
    assert_eq!(["102", "103"].map(|who| settings(&sim, who).status), [UserStatus::WrapUp; 2]);
    let mut sim = house(SALES, &wraps).after(sim).start();
    assert_eq!(settings(&sim, "102").status, UserStatus::WrapUp);
    sim.run_for(seconds(12));
    assert_eq!(settings(&sim, "103").status, UserStatus::Available, "his own time is shorter");
    sim.run_for(seconds(20));
    assert_eq!(settings(&sim, "102").status, UserStatus::Available);
    assert_eq!(settings(&sim, "102").wraps_up_until, None);
}

#[test]
fn a_status_has_a_reason_and_follows_from_the_one_before() {
    let sim = house(SALES, &[]).start();
    let lunch = Name::new("lunch").unwrap();
    set(&sim, "102", SettingsChange::StatusFor(UserStatus::Away, lunch.clone())).unwrap();
    assert_eq!((settings(&sim, "102").status, settings(&sim, "102").reason), (UserStatus::Away, Some(lunch)));
    let again = house(SALES, &[]).after(sim).start();
    assert_eq!(settings(&again, "102").reason.unwrap().as_str(), "lunch", "over a restart");
    let fault = set(&again, "102", SettingsChange::Status(UserStatus::WrapUp)).unwrap_err();
    assert!(matches!(fault, SettingsFault::Move(UserStatus::WrapUp, UserStatus::Away, _)), "{fault}");
    set(&again, "102", SettingsChange::Status(UserStatus::LoggedOut)).unwrap();
    assert_eq!(settings(&again, "102").reason, None);
    assert!(set(&again, "102", SettingsChange::Status(UserStatus::Busy)).is_err(), "he is not at work");
}

// ---- the order of a group --------------------------------------------------------------------------------------

#[test]
fn a_group_rings_who_has_been_free_for_longest_and_lower_tiers_first() {
    let order = [
        ("distribution: all-at-once", "distribution: longest-idle"),
        ("[\"102\", \"103\"]", "[\"102\", \"103\", { user: \"104\", tier: 2 }]"),
    ];
    let mut sim = house("  - call-group: { group: sales, ring_for: 5s }\n", &order).start();
    let ann = sim.phone("ann", "101");
    let dora = sim.phone("dora", "104");
    sim.run_for(seconds(5));
    let cem = sim.phone("cem", "103");
    sim.run_for(seconds(5));
    let bob = sim.phone("bob", "102");
    ann.dials("300");
    sim.run_until(cem.rings());
    assert_eq!((bob.calls().len(), dora.calls().len()), (0, 0));
    sim.run_until(bob.rings());
    sim.run_until(dora.rings());
    assert_eq!(cem.calls(), [Stage::Over(487)]);
    dora.answers();
    talk(&mut sim, &ann, &dora);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_skill_that_is_asked_for_passes_over_who_lacks_it() {
    let skilled = [
        ("name: Cem Celik,", "name: Cem Celik, skills: { german: 4 },"),
        ("name: Bob Baker,", "name: Bob Baker, skills: { german: 9 },"),
    ];
    let of = |level: u8| {
        format!(
            "  - call-group: {{ group: sales, skill: german, level: {level}, ring_for: 5s }}\n  - try-any-manager: {{ max: 20s, skill: german, level: {level} }}\n"
        )
    };
    let mut sim = house(&of(5), &skilled).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    assert_eq!(cem.calls(), []);
    ann.hangs_up();
    sim.run_until_quiet();
}
