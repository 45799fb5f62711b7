//! A caller who is known comes to the one who is responsible for him, wherever that one is.

use plugboard_model::{CallOutcome, JournalEvent, UserStatus};
use plugboard_office::SettingsChange;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim, TONE, Transport};

use crate::settings::set;
use crate::{journaled, seconds, steps, talk};

const CARRIER: &str = "10.0.1.1:5060";
const MOBILE: &str = "10.0.1.2:5060";
const HOME: &str = "10.0.1.3:5060";
const OTHERS_MOBILE: &str = "10.0.1.4:5060";

const PRESS_ONE: &str = "Вам звонят. Чтобы принять вызов, нажмите один.";
const CARLA: &str = "+49401234567";

/// Bob is responsible for Carla, and Cem besides; what becomes of it is told by a prompt.
fn text(step: &str) -> OfficeText {
    let told = "\n        on:\n          skipped:\n            - play-audio: { audio: skipped }";
    let told = if step.starts_with("call-responsible") { told } else { "" };
    OfficeText::new(&format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\nusers:\n\
         \x20 - {{ id: ann, number: 101, name: Ann Archer, password: demo-101 }}\n\
         \x20 - id: bob\n    number: 102\n    name: Bob Baker\n    password: demo-102\n    language: ru\n    phones:\n\
         \x20     - {{ number: \"00491701\", name: mobile }}\n      - \"00493088\"\n\
         \x20 - {{ id: cem, number: 103, name: Cem Celik, password: demo-103, phones: \"00491702\" }}\n\
         contacts:\n  - {{ id: carla, numbers: [\"040 1234567\"], company: Customer, responsible: [bob, cem], groups: vip }}\n\
         \x20 - {{ id: nobodys, numbers: \"+49409\" }}\n\
         gateways:\n  - {{ id: carrier, address: \"{CARRIER}\" }}\n  - {{ id: mobile, address: \"{MOBILE}\" }}\n\
         \x20 - {{ id: home, address: \"{HOME}\" }}\n  - {{ id: others, address: \"{OTHERS_MOBILE}\" }}\n\
         routes:\n  - {{ id: to-mobile, number: \"00491701\", gateway: mobile }}\n\
         \x20 - {{ id: to-others, number: \"00491702\", gateway: others }}\n\
         \x20 - {{ id: to-home, number: \"00493088\", gateway: home }}\n\
         numbers:\n  - {{ number: \"+4930777\", scenario: front }}\n\
         scenarios:\n  - scenario: front\n    steps:\n      - {step}{told}\n\
         \x20     - call-user: {{ mode: user, target: ann, ring_for: 10s }}\n"
    ))
}

fn office(step: &str) -> Setup {
    Setup::offices(vec![text(step)]).prompt("skipped", seconds(2))
}

struct House {
    sim: Sim,
    ann: Phone,
    bob: Phone,
    cem: Phone,
    carrier: Phone,
    mobile: Phone,
    home: Phone,
    others: Phone,
}

fn started(step: &str) -> House {
    let mut sim = office(step).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    with_lines(sim, ann, bob, cem)
}

/// The same with nobody but Ann at a device.
fn started_without_bob(step: &str) -> House {
    let mut sim = office(step).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.new_phone("bob", "102"), sim.new_phone("cem", "103"));
    with_lines(sim, ann, bob, cem)
}

fn with_lines(mut sim: Sim, ann: Phone, bob: Phone, cem: Phone) -> House {
    let carrier = sim.outside("carrier", CARRIER);
    let (mobile, home) = (sim.outside("mobile", MOBILE), sim.outside("home", HOME));
    let others = sim.outside("others", OTHERS_MOBILE);
    House { sim, ann, bob, cem, carrier, mobile, home, others }
}

impl House {
    fn comes_in(&mut self, number: &str) {
        self.carrier.dials_as("+4930777", number);
    }

    fn rings(&mut self, who: fn(&Self) -> &Phone) {
        let rings = who(self).rings();
        self.sim.run_until(rings);
    }

    fn talks(&mut self, who: fn(&Self) -> &Phone) {
        let (who, carrier) = (who(self).clone(), self.carrier.clone());
        talk(&mut self.sim, &who, &carrier);
    }

    /// A mobile is picked up, and whoever did presses 1 when he is asked.
    fn takes_at(&mut self, who: fn(&Self) -> &Phone) {
        self.rings(who);
        let phone = who(self).clone();
        phone.answers();
        self.sim.run_until(phone.hears(PRESS_ONE));
        phone.presses("1");
        self.talks(who);
    }

    fn is_over(&mut self) {
        self.carrier.hangs_up();
        self.sim.run_until_quiet();
    }

    fn first_step(&self) -> String {
        steps(&self.sim.record()).swap_remove(0)
    }

    fn answered_by(&self) -> String {
        self.sim.record().answered_by.map(|user| user.name.to_string()).unwrap_or_default()
    }
}

#[test]
fn r58_a_known_caller_comes_to_the_one_who_is_responsible_for_him() {
    let mut house = started("call-responsible: {}");
    house.comes_in(CARLA);
    house.rings(|house| &house.bob);
    house.bob.answers();
    house.talks(|house| &house.bob);
    assert!(house.ann.is_idle()() && house.cem.is_idle()() && house.mobile.is_idle()());
    house.is_over();
    assert_eq!(house.first_step(), "steps[0] call-responsible: answer");
    assert_eq!(house.answered_by(), "bob");
}

#[test]
fn r59_a_caller_whom_nobody_knows_passes_the_step_at_once() {
    for number in ["+4940999", "+49409"] {
        let mut house = started("call-responsible: {}");
        let began = house.sim.now();
        house.comes_in(number);
        let hears = house.carrier.hears("skipped");
        house.sim.run_until(hears);
        assert!(house.sim.now().since(began) < seconds(1));
        house.rings(|house| &house.ann);
        assert!(house.bob.is_idle()());
        house.is_over();
        assert_eq!(house.first_step(), "steps[0] call-responsible: skipped");
    }
}

#[test]
fn r16_a_contact_in_a_variable_is_typed_from_the_step_that_finds_him_to_the_one_that_rings_for_him() {
    let step = |variables: &str, steps: &str| {
        text("call-responsible: {}").replace(
            "  - scenario: front\n    steps:\n",
            &format!("  - scenario: front\n    variables: {{ {variables} }}\n    steps:\n{steps}"),
        )
    };
    let finds = "      - find-contact: { number: \"040 1234567\" }\n        on:\n          found:\n            - set: { whom: \"{contact}\", told: \"{whom.id}\" }\n            - if: 'whom == contact && whom.company == \"Customer\" && \"vip\" in whom.groups && told == \"carla\"'\n              then: [call-responsible: { contact: whom }]\n";
    let mut sim = Setup::offices(vec![step("whom: contact, told: text", finds)]).prompt("skipped", seconds(2)).start();
    let (bob, carrier) = (sim.phone("bob", "102"), sim.outside("carrier", CARRIER));
    // Nobody knows the number of the caller.
    carrier.dials_as("+4930777", "+4989999");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &bob, &carrier);
    carrier.hangs_up();
    sim.run_until_quiet();
    for (variables, steps, told) in [
        (
            "whom: text",
            "      - set: { whom: carla }\n      - call-responsible: { contact: whom }\n",
            "whom is of type text, a contact is needed",
        ),
        ("whom: contact", "      - find-responsible: { contact: whom }\n", "whom may have no value here"),
        (
            "whom: { type: contact, default: karla }",
            "      - find-responsible: { contact: whom }\n",
            "no value of type contact",
        ),
    ] {
        let faults = sim.faults(&step(variables, steps)).join("\n");
        assert!(faults.contains(told), "{variables}: {faults}");
    }
    let by_default = step("whom: { type: contact, default: carla }", "      - find-responsible: { contact: whom }\n");
    assert_eq!(sim.faults(&by_default), Vec::<String>::new());
    // Whoever erases her is told where she is still wanted.
    let erased = by_default.replace("{ id: carla,", "{ id: clara,");
    assert!(sim.faults(&erased).join("\n").contains("variables.whom"), "{:?}", sim.faults(&erased));
}

#[test]
fn a_caller_whose_number_begins_as_an_outside_line_is_not_taken_for_whom_that_line_reaches() {
    let line = "routes:\n  - { id: line, prefix: 0, strip: 1, gateway: carrier }\n";
    let text = text("call-responsible: {}").replace("routes:\n", line);
    let mut sim = Setup::offices(vec![text]).prompt("skipped", seconds(2)).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let carrier = sim.outside("carrier", CARRIER);
    carrier.dials_as("+4930777", "00401234567");
    sim.run_until(carrier.hears("skipped"));
    sim.run_until(ann.rings());
    assert_eq!(bob.calls(), []);
    carrier.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r64_the_first_phone_is_the_first_that_can_be_called() {
    let text =
        text("call-responsible: {}").replace("      - \"00493088\"", "      - \"00493088\"\n      - \"00493099\"");
    let text = text.replace("{ number: \"00491701\", name: mobile }", "{ number: \"00999\", name: satellite }");
    let mut sim = Setup::offices(vec![text]).prompt("skipped", seconds(2)).start();
    let (carrier, home) = (sim.outside("carrier", CARRIER), sim.outside("home", HOME));
    carrier.dials_as("+4930777", CARLA);
    sim.run_until(home.rings());
    carrier.hangs_up();
    sim.run_until_quiet();
    let his = |event: &JournalEvent| matches!(event, JournalEvent::PhoneOf { user, .. } if user.name.as_str() == "bob");
    assert_eq!(journaled(&sim, &sim.record(), his), 1, "the journal says whose phone was rung");
}

#[test]
fn r60_one_who_is_offline_and_has_no_phone_outside_or_may_not_be_rung_there_is_passed_over() {
    let mut house = started_without_bob("call-responsible: { phones: none }");
    house.comes_in(CARLA);
    let hears = house.carrier.hears("skipped");
    house.sim.run_until(hears);
    assert!(house.mobile.is_idle()());
    house.is_over();
    assert_eq!(house.first_step(), "steps[0] call-responsible: skipped");
}

#[test]
fn r60_one_who_is_on_a_call_is_passed_over_at_once_and_his_mobile_does_not_ring() {
    let mut house = started("call-responsible: {}");
    house.ann.dials("102");
    house.rings(|house| &house.bob);
    house.bob.answers();
    let (ann, bob) = (house.ann.clone(), house.bob.clone());
    talk(&mut house.sim, &ann, &bob);
    let began = house.sim.now();
    house.comes_in(CARLA);
    let hears = house.carrier.hears("skipped");
    house.sim.run_until(hears);
    assert!(house.sim.now().since(began) < seconds(1));
    assert_eq!(house.mobile.calls(), []);
    house.ann.hangs_up();
    house.is_over();
}

#[test]
fn r61_his_browser_rings_as_his_sip_phone_does() {
    let mut house = started("call-responsible: {}");
    let page = house.sim.new_phone("page", "102");
    page.is_browser();
    house.sim.connects_over(&page, Transport::Wss);
    page.registers();
    house.sim.run_until(page.is_registered());
    house.comes_in(CARLA);
    house.rings(|house| &house.bob);
    house.sim.run_until(page.rings());
    page.answers();
    house.sim.run_until(page.talks());
    house.sim.run_until(house.bob.is_idle());
    house.is_over();
    assert_eq!(house.answered_by(), "bob");
}

#[test]
fn r62_after_twenty_seconds_without_a_pick_up_the_mobile_of_his_profile_rings() {
    let mut house = started("call-responsible: {}");
    let began = house.sim.now();
    house.comes_in(CARLA);
    house.rings(|house| &house.bob);
    house.sim.run_for(seconds(19));
    assert_eq!(house.mobile.calls(), []);
    house.rings(|house| &house.mobile);
    let waited = house.sim.now().since(began);
    assert!((20_000..20_500).contains(&waited.as_millis()), "{waited:?}");
    assert!(house.bob.is_idle()());
    house.takes_at(|house| &house.mobile);
    house.is_over();
    assert_eq!(house.first_step(), "steps[0] call-responsible: answer");
    assert_eq!((house.answered_by().as_str(), house.sim.record().outcome), ("bob", CallOutcome::Answered));
    assert_eq!(house.home.calls(), [], "the first of his phones alone");
}

#[test]
fn r62_how_long_his_devices_ring_is_said_by_the_step() {
    let mut house = started("call-responsible: { ring_for: 5s }");
    let began = house.sim.now();
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    assert!((5_000..5_500).contains(&house.sim.now().since(began).as_millis()));
    house.is_over();
}

#[test]
fn r62_a_mailbox_of_the_mobile_does_not_steal_the_call() {
    let mut house = started("call-responsible: { ring_for: 5s, phones_ring_for: 10s }");
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    // Its mailbox picks up after eight seconds, and talks.
    house.sim.run_for(seconds(8));
    house.mobile.answers();
    let hears = house.mobile.hears(PRESS_ONE);
    house.sim.run_until(hears);
    house.sim.run_for(seconds(4));
    assert_eq!((house.carrier.packets_of("mobile"), house.mobile.packets_of("carrier")), (0, 0));
    // Other keys are none.
    house.mobile.presses("23#");
    // It has fifteen seconds from the pick-up on; then the next step follows.
    house.rings(|house| &house.ann);
    assert!(house.mobile.is_idle()());
    house.ann.answers();
    house.talks(|house| &house.ann);
    assert_eq!(house.carrier.packets_of("mobile"), 0);
    house.is_over();
    assert_eq!(house.first_step(), "steps[0] call-responsible: timeout");
    assert_eq!(house.answered_by(), "ann");
}

#[test]
fn r62_a_caller_who_gives_up_while_the_key_is_waited_for_frees_the_phone() {
    let mut house = started_without_bob("call-responsible: {}");
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    house.mobile.answers();
    let hears = house.mobile.hears(PRESS_ONE);
    house.sim.run_until(hears);
    house.carrier.hangs_up();
    house.sim.run_until(house.mobile.is_idle());
    house.sim.run_until_quiet();
    assert_eq!(house.sim.record().outcome, CallOutcome::Abandoned);
}

#[test]
fn r62_one_who_declines_is_not_asked_again_at_his_mobile() {
    let mut house = started("call-responsible: {}");
    house.comes_in(CARLA);
    house.rings(|house| &house.bob);
    house.bob.refuses(603);
    house.rings(|house| &house.ann);
    assert_eq!(house.mobile.calls(), []);
    house.is_over();
    assert_eq!(house.first_step(), "steps[0] call-responsible: no-answer");
}

#[test]
fn r63_the_mobile_of_one_who_is_offline_rings_at_once() {
    let mut house = started_without_bob("call-responsible: {}");
    let began = house.sim.now();
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    assert!(house.sim.now().since(began) < seconds(1));
    house.takes_at(|house| &house.mobile);
    // He is on a call then, wherever he talks.
    let users = house.sim.ask(house.sim.switch().users());
    assert_eq!(users.iter().find(|(id, _)| id.name.as_str() == "bob").unwrap().1.user.calls, 1);
    house.is_over();
    // So does that of one who has logged out and left his phone on the desk.
    let mut house = started("call-responsible: {}");
    set(&house.sim, "bob", SettingsChange::Status(UserStatus::LoggedOut)).unwrap();
    house.comes_in(CARLA);
    house.takes_at(|house| &house.mobile);
    assert_eq!(house.bob.calls(), []);
    house.is_over();
    assert_eq!(house.answered_by(), "bob");
}

#[test]
fn r63_a_mobile_of_one_who_does_not_want_to_be_disturbed_does_not_ring() {
    let mut house = started("call-responsible: {}");
    set(&house.sim, "bob", SettingsChange::Status(UserStatus::DoNotDisturb)).unwrap();
    house.comes_in(CARLA);
    let hears = house.carrier.hears("skipped");
    house.sim.run_until(hears);
    assert_eq!((house.bob.calls(), house.mobile.calls()), (vec![], vec![]));
    house.is_over();
}

#[test]
fn r64_the_first_of_several_phones_rings() {
    let mut house = started_without_bob("call-responsible: { phones_ring_for: 10s }");
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    house.rings(|house| &house.ann);
    assert_eq!(house.home.calls(), []);
    house.is_over();
}

#[test]
fn r65_those_who_are_responsible_besides_him_are_tried_when_he_did_not_answer() {
    let step =
        |additional| format!("call-responsible: {{ ring_for: 5s, phones_ring_for: 5s, additional: {additional} }}");
    let mut house = started(&step(true));
    house.comes_in(CARLA);
    house.rings(|house| &house.bob);
    house.rings(|house| &house.mobile);
    house.rings(|house| &house.cem);
    assert!(house.bob.is_idle()() && house.mobile.is_idle()());
    house.cem.answers();
    house.talks(|house| &house.cem);
    house.is_over();
    assert_eq!(
        (house.first_step().as_str(), house.answered_by().as_str()),
        ("steps[0] call-responsible: answer", "cem")
    );
    let mut house = started(&step(false));
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    house.rings(|house| &house.ann);
    assert_eq!(house.cem.calls(), []);
    house.is_over();
    assert_eq!(house.first_step(), "steps[0] call-responsible: timeout");
}

#[test]
fn r65_the_mobile_of_one_who_is_responsible_besides_him_rings_when_that_one_is_offline_too() {
    let mut house = started_without_bob("call-responsible: { phones_ring_for: 5s, additional: true }");
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    house.rings(|house| &house.others);
    assert!(house.mobile.is_idle()());
    house.is_over();
}

#[test]
fn r66_all_phones_of_his_profile_ring_at_once_and_the_one_with_the_key_has_the_call() {
    let mut house = started_without_bob("call-responsible: { phones: all }");
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    house.rings(|house| &house.home);
    // The mobile's mailbox is faster than he is.
    house.mobile.answers();
    let hears = house.mobile.hears(PRESS_ONE);
    house.sim.run_until(hears);
    house.takes_at(|house| &house.home);
    house.sim.run_until(house.mobile.is_idle());
    house.is_over();
    assert_eq!(
        (house.first_step().as_str(), house.answered_by().as_str()),
        ("steps[0] call-responsible: answer", "bob")
    );
    assert_eq!(house.mobile.packets_of("carrier"), 0);
}

#[test]
fn r62_a_phone_that_needs_no_key_has_the_call_with_its_answer() {
    let office = text("call-responsible: {}").replace("name: mobile }", "name: mobile, confirm: false }");
    let mut sim = Setup::offices(vec![office]).prompt("skipped", seconds(2)).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.new_phone("bob", "102"), sim.new_phone("cem", "103"));
    let mut house = with_lines(sim, ann, bob, cem);
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    house.mobile.answers();
    house.talks(|house| &house.mobile);
    house.is_over();
    assert_eq!(house.mobile.packets_of(PRESS_ONE), 0);
}

#[test]
fn r62_where_nothing_is_read_aloud_a_beep_asks_for_the_key_and_an_offices_own_words_go_before_it() {
    let mut house = started_without_bob("call-responsible: {}");
    house.sim.loses_its_voice();
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    house.mobile.answers();
    let hears = house.mobile.hears(TONE);
    house.sim.run_until(hears);
    house.mobile.presses("1");
    house.talks(|house| &house.mobile);
    house.is_over();
    let mut sim = office("call-responsible: {}").prompt("take-call", seconds(2)).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.new_phone("bob", "102"), sim.new_phone("cem", "103"));
    let mut house = with_lines(sim, ann, bob, cem);
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    house.mobile.answers();
    let hears = house.mobile.hears("take-call");
    house.sim.run_until(hears);
    house.mobile.presses("1");
    house.talks(|house| &house.mobile);
    house.is_over();
}

#[test]
fn a_contact_is_found_however_his_number_is_written_and_brings_his_fields() {
    let step = "find-contact: {}\n        on:\n          found:\n            - if: '\"vip\" in contact_groups'\n              then:\n                - say: { text: \"{contact_name} of {contact_company}\", language: en }\n          not-found: [play-audio: { audio: skipped }]";
    for (number, words) in [(CARLA, "carla of Customer"), ("0401234567", "carla of Customer"), ("+4940999", "skipped")]
    {
        let mut house = started(step);
        house.comes_in(number);
        let hears = house.carrier.hears(words);
        house.sim.run_until(hears);
        house.is_over();
    }
}

#[test]
fn the_one_who_is_responsible_is_found_for_the_steps_that_follow() {
    let step = "find-responsible: {}\n        on:\n          found:\n            - call-user: { mode: variable, target: responsible, ring_for: 5s }";
    let mut house = started(step);
    house.comes_in(CARLA);
    house.rings(|house| &house.bob);
    assert_eq!(house.cem.calls(), []);
    house.is_over();
}

#[test]
fn r41_a_number_is_called_through_the_gateway_that_the_step_names() {
    let mut house = started("call-number: { number: \"00491701\", gateway: home, ring_for: 5s }");
    house.comes_in(CARLA);
    house.rings(|house| &house.home);
    assert_eq!((house.home.called().as_deref(), house.mobile.calls()), (Some("00491701"), vec![]));
    house.home.answers();
    house.talks(|house| &house.home);
    house.is_over();
    assert_eq!(house.first_step(), "steps[0] call-number: answer");
    // There is no such gateway; and help is called by its own ways alone.
    for step in ["{ number: \"00491701\", gateway: lost }", "{ number: \"112\", gateway: home }"] {
        let mut house = started(&format!("call-number: {step}"));
        house.comes_in(CARLA);
        house.rings(|house| &house.ann);
        assert_eq!(house.home.calls(), []);
        house.is_over();
        assert_eq!(house.first_step(), "steps[0] call-number: failed");
    }
}

#[test]
fn r67_a_number_outside_has_the_call_once_a_key_is_pressed_there() {
    let mut house = started("call-number: { number: \"00491701\", confirm: true, ring_for: 10s }");
    house.comes_in(CARLA);
    house.rings(|house| &house.mobile);
    house.mobile.answers();
    let hears = house.mobile.hears("There is a call for you. Press one to take it.");
    house.sim.run_until(hears);
    assert_eq!(house.mobile.packets_of("carrier"), 0);
    house.mobile.presses("1");
    house.talks(|house| &house.mobile);
    house.is_over();
    assert_eq!(house.first_step(), "steps[0] call-number: answer");
}
