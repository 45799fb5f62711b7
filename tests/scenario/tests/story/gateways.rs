//! Gateways: several for a call, which of them live, where they are, who calls through them.

use plugboard_model::{CallOutcome, Direction, JournalEvent};
use plugboard_simulator::{Log, OfficeText, Phone, Setup, Sim, Stage};

use crate::{millis, not_answered, seconds, talk};

const FIRST: &str = "10.0.1.1:5060";
const SECOND: &str = "10.0.1.2:5060";

/// Two users, gateways, and a route through `through` for what begins with 0.
fn office(gateways: &str, through: &str) -> Setup {
    let text = format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\nusers:\n\
         \x20 - {{ id: \"101\", number: 101, name: Ann Archer, password: demo-101, outside_number: \"+4930123101\" }}\n\
         \x20 - {{ id: \"102\", number: 102, name: Bob Baker, password: demo-102 }}\n\
         gateways:\n{gateways}scenarios: []\nroutes:\n  - {{ id: out, prefix: 0, {through} }}\n\
         \x20 - {{ id: in, from: gateways, number: \"+4930123102\", user: \"102\" }}\n"
    );
    Setup::offices(vec![OfficeText::new(&text)])
}

/// Two gateways at addresses, each with these further settings.
fn two(first: &str, second: &str) -> Setup {
    let gateways = format!(
        "  - {{ id: first, address: \"{FIRST}\"{first} }}\n  - {{ id: second, address: \"{SECOND}\"{second} }}\n"
    );
    office(&gateways, "gateways: [first, second]")
}

/// One, with these settings.
fn one(settings: &str) -> Setup {
    office(&format!("  - {{ id: first, {settings} }}\n"), "gateway: first")
}

/// The gateways that a call's legs went through, each with its end.
fn tried(sim: &Sim) -> Vec<(String, u16)> {
    let record = sim.record();
    let gateway = |leg: &plugboard_model::LegRecord| Some((leg.gateway.as_ref()?.name.to_string(), leg.cause.status));
    record.legs.iter().filter_map(gateway).collect()
}

fn started(setup: Setup) -> (Sim, Phone, Phone, Phone) {
    let mut sim = setup.start();
    let ann = sim.phone("ann", "101");
    let (first, second) = (sim.outside("first", FIRST), sim.outside("second", SECOND));
    (sim, ann, first, second)
}

#[test]
fn a_call_that_the_first_gateway_does_not_take_goes_to_the_second() {
    for status in [500, 502, 503, 504, 408] {
        let (mut sim, ann, first, second) = started(two("", ""));
        first.always_refuses(status);
        ann.dials("0301234");
        sim.run_until(second.rings());
        second.answers();
        talk(&mut sim, &ann, &second);
        ann.hangs_up();
        sim.run_until_quiet();
        assert_eq!(tried(&sim), [("first".into(), status), ("second".into(), 200)]);
        let record = sim.record();
        assert_eq!(record.outcome, CallOutcome::Answered);
        let notes: Vec<String> = sim
            .journal(&record)
            .into_iter()
            .filter_map(|entry| match entry.event {
                JournalEvent::Note { text } => Some(text),
                _ => None,
            })
            .collect();
        assert_eq!(notes, [format!("1 was not taken ({status}); the call goes on through second")]);
    }
}

#[test]
fn what_the_called_side_answers_is_the_answer() {
    for status in [404, 480, 486, 600, 603] {
        let (mut sim, ann, first, second) = started(two("", ""));
        first.always_refuses(status);
        ann.dials("0301234");
        sim.run_until(ann.was_told(status));
        assert_eq!(second.calls(), []);
        sim.run_until_quiet();
        assert_eq!(not_answered(&sim.record()), Some(status));
    }
}

#[test]
fn the_best_answer_of_all_that_were_tried_is_told() {
    let (mut sim, ann, first, second) = started(two("", ""));
    first.always_refuses(503);
    second.always_refuses(486);
    ann.dials("0301234");
    sim.run_until(ann.was_told(486));
    sim.run_until_quiet();
}

#[test]
fn a_gateway_that_says_nothing_is_left_after_five_seconds() {
    let (mut sim, ann, first, second) = started(two("", ", answer_within: 2s"));
    first.is_unplugged();
    ann.dials("0301234");
    sim.run_for(seconds(4));
    assert_eq!(second.calls(), []);
    sim.run_until(second.rings());
    second.answers();
    talk(&mut sim, &ann, &second);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(tried(&sim), [("first".into(), 408), ("second".into(), 200)]);
}

#[test]
fn a_gateway_that_rings_is_not_left_for_being_slow() {
    let (mut sim, ann, first, second) = started(two("", ""));
    ann.dials("0301234");
    sim.run_until(first.rings());
    sim.run_for(seconds(30));
    first.answers();
    talk(&mut sim, &ann, &first);
    assert_eq!(second.calls(), []);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn an_invite_that_a_slow_gateway_takes_after_all_is_ended_there() {
    let (mut sim, ann, first, second) = started(two("", ""));
    first.keeps_quiet();
    ann.dials("0301234");
    sim.run_until(second.rings());
    first.answers();
    second.answers();
    talk(&mut sim, &ann, &second);
    sim.run_until(first.is_idle());
    assert_eq!(first.calls(), [Stage::Over(200)], "it is hung up at once");
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_hangs_up_while_the_next_gateway_is_tried_calls_nobody_more() {
    let (mut sim, ann, first, second) = started(two("", ""));
    first.is_unplugged();
    ann.dials("0301234");
    sim.run_for(seconds(1));
    ann.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_for(seconds(40));
    assert_eq!(second.calls(), []);
    sim.run_until_quiet();
}

#[test]
fn an_announcement_of_a_gateway_ends_where_the_next_one_begins() {
    let (mut sim, ann, first, second) = started(two("", ""));
    ann.dials("0301234");
    sim.run_until(first.rings());
    first.speaks_early();
    sim.run_until(ann.hears("first"));
    first.refuses(503);
    sim.run_until(second.rings());
    second.speaks_early();
    sim.run_until(ann.hears("second"));
    second.answers();
    talk(&mut sim, &ann, &second);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.ports_in_use(), 0);
}

#[test]
fn lower_priorities_are_tried_first_and_weights_share_the_calls() {
    let (mut sim, ann, first, second) = started(two(", priority: 20", ""));
    ann.dials("0301234");
    sim.run_until(second.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    drop((first, second));
    let (mut sim, ann, first, second) = started(two(", weight: 3", ", weight: 1"));
    for _ in 0..40 {
        ann.dials("0301234");
        sim.run_until(|| first.rings()() || second.rings()());
        ann.hangs_up();
        sim.run_until(ann.is_idle());
        sim.run_for(seconds(1));
    }
    let (of_first, of_second) = (first.calls().len(), second.calls().len());
    assert_eq!(of_first + of_second, 40);
    assert!((22..=37).contains(&of_first), "three of four: {of_first}");
}

#[test]
fn a_group_stands_for_its_gateways() {
    let gateways = format!(
        "  - {{ id: first, address: \"{FIRST}\", group: carriers, priority: 20 }}\n\
         \x20 - {{ id: second, address: \"{SECOND}\", group: carriers }}\n"
    );
    let (mut sim, ann, first, second) = started(office(&gateways, "gateway_group: carriers"));
    second.always_refuses(503);
    ann.dials("0301234");
    sim.run_until(first.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(tried(&sim)[0], ("second".into(), 503));
}

#[test]
fn when_all_channels_are_in_use_the_next_gateway_is_taken() {
    let (mut sim, ann, first, second) = started(two(", calls: 2, calls_out: 1", ""));
    let bob = sim.phone("bob", "102");
    ann.dials("0301234");
    sim.run_until(first.rings());
    bob.dials("0305678");
    sim.run_until(second.rings());
    assert_eq!(sim.metric("plugboard_trunk_calls{direction=\"outbound\",trunk=\"main/first\"}"), Some(1.0));
    ann.hangs_up();
    bob.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.metric("plugboard_trunk_calls{direction=\"outbound\",trunk=\"main/first\"}"), Some(0.0));
}

#[test]
fn as_many_calls_come_from_a_gateway_as_it_may_have() {
    let (mut sim, _ann, first, _second) = started(two(", calls: 5, calls_in: 1", ""));
    let bob = sim.phone("bob", "102");
    first.dials_as("+4930123102", "030999");
    sim.run_until(bob.rings());
    first.dials_as("+4930123102", "030998");
    sim.run_until(first.was_told(503));
    bob.answers();
    talk(&mut sim, &bob, &first);
    bob.hangs_up();
    sim.run_until_quiet();
    first.dials_as("+4930123102", "030997");
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until_quiet();
}

// ---- probing ----------------------------------------------------------------------------------------------------

const PROBED: &str = ", probe: { every: 10s, down_after: 2, up_after: 1 }";

#[test]
fn a_gateway_that_answers_no_options_is_left_out_at_once_and_shown() {
    let log = Log::begin();
    let (mut sim, ann, first, second) = started(two(PROBED, ""));
    sim.run_for(seconds(2));
    assert_eq!(sim.metric("plugboard_trunk_up{trunk=\"main/first\"}"), Some(1.0));
    first.is_unplugged();
    sim.run_until(second.is_idle());
    sim.run_for(seconds(100));
    assert_eq!(sim.metric("plugboard_trunk_up{trunk=\"main/first\"}"), Some(0.0));
    assert!(
        sim.conditions().contains("gateway_down main/first: UDP 10.0.1.1:5060: it does not answer"),
        "{}",
        sim.conditions()
    );
    assert!(sim.conditions().contains('\n') && !sim.conditions().contains("main/second"));
    let told: Vec<_> = log.lines().into_iter().filter(|line| line.starts_with("gateway down")).collect();
    assert_eq!(told, ["gateway down gateway=main/first reason=\"UDP 10.0.1.1:5060: it does not answer\""]);
    ann.dials("0301234");
    let began = sim.now();
    sim.run_until(second.rings());
    assert!(sim.now().since(began) < millis(100), "nobody waits for a gateway that is known to be down");
    ann.hangs_up();
    sim.run_until(ann.is_idle());
    first.is_plugged_in();
    sim.run_for(seconds(12));
    assert_eq!(sim.metric("plugboard_trunk_up{trunk=\"main/first\"}"), Some(1.0));
    assert!(!sim.conditions().contains("gateway_down"), "{}", sim.conditions());
    ann.dials("0301234");
    sim.run_until(first.rings());
    ann.hangs_up();
    sim.run_until(ann.is_idle());
}

#[test]
fn a_gateway_that_answers_503_to_options_is_down_and_one_that_answers_404_is_not() {
    let (mut sim, _ann, first, second) = started(two(PROBED, PROBED));
    first.answers_options_with(503);
    second.answers_options_with(404);
    sim.run_for(seconds(30));
    assert!(sim.conditions().contains("main/first: UDP 10.0.1.1:5060: it answers 503"), "{}", sim.conditions());
    assert!(!sim.conditions().contains("main/second"));
}

#[test]
fn a_gateway_that_goes_down_leaves_its_calls_alone() {
    let (mut sim, ann, first, _second) = started(two(PROBED, ""));
    ann.dials("0301234");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &ann, &first);
    first.answers_options_with(503);
    sim.run_for(seconds(30));
    assert!(sim.conditions().contains("main/first"));
    talk(&mut sim, &ann, &first);
    ann.hangs_up();
    sim.run_until(first.is_idle());
}

// ---- passwords and registrations --------------------------------------------------------------------------------

const REGISTERING: &str =
    "address: \"10.0.1.1:5060\", user: \"493012300\", password: s3cret, register: 2m, numbers: digits";

#[test]
fn a_gateway_that_asks_for_a_password_gets_it() {
    let mut sim = one(&format!("address: \"{FIRST}\", user: trunk, password: s3cret")).start();
    let (ann, first) = (sim.phone("ann", "101"), sim.outside("first", FIRST));
    first.demands("trunk", "s3cret");
    ann.dials("0301234");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &ann, &first);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.ladder().count("first -> switch  407 INVITE"), 1, "{}", sim.ladder());
}

#[test]
fn a_gateway_that_wants_another_password_refuses_and_is_not_asked_for_ever() {
    let mut sim = one(&format!("address: \"{FIRST}\", user: trunk, password: wrong")).start();
    let (ann, first) = (sim.phone("ann", "101"), sim.outside("first", FIRST));
    first.demands("trunk", "s3cret");
    ann.dials("0301234");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.ladder().count("first -> switch  407 INVITE"), 2, "{}", sim.ladder());
}

fn registered() -> (Sim, Phone) {
    let mut sim = one(REGISTERING).start();
    let first = sim.outside("first", FIRST);
    first.demands("493012300", "s3cret");
    sim.run_until(first.has_registration());
    (sim, first)
}

#[test]
fn a_gateway_is_registered_at_and_its_calls_come_to_what_was_registered() {
    let (mut sim, first) = registered();
    let bob = sim.phone("bob", "102");
    let trunk = "{trunk=\"main/first\"}";
    assert_eq!(sim.metric(&format!("plugboard_trunk_registered{trunk}")), Some(1.0));
    assert_eq!(sim.metric(&format!("plugboard_trunk_up{trunk}")), Some(1.0));
    first.dials_registered("4930123102", "4989777");
    sim.run_until(bob.rings());
    assert_eq!(bob.caller().map(|from| from.contains("+4989777")), Some(true), "{:?}", bob.caller());
    bob.answers();
    talk(&mut sim, &bob, &first);
    bob.hangs_up();
    sim.run_until(first.is_idle());
    let record = sim.record();
    assert_eq!((record.direction, record.called.as_str()), (Direction::Inbound, "4930123102"));
    assert_eq!(record.legs[0].gateway.as_ref().unwrap().name.as_str(), "first");
}

#[test]
fn calls_from_another_address_of_the_carrier_are_known_by_what_was_registered() {
    let (mut sim, first) = registered();
    let bob = sim.phone("bob", "102");
    let contact = first.holds_contact().unwrap();
    let invite = |uri: &str, n: u32| {
        format!(
            "INVITE {uri} SIP/2.0\nVia: SIP/2.0/UDP 10.0.1.9:5060;branch=z9hG4bK{n};rport\nMax-Forwards: 70\n\
             From: <sip:4989777@carrier.test>;tag=a{n}\nTo: <sip:4930123102@carrier.test>\nCall-ID: media{n}\n\
             CSeq: 1 INVITE\nContact: <sip:10.0.1.9>\nContent-Length: 0\n\n"
        )
    };
    sim.strange_message("10.0.1.9:5060", &invite(&contact, 1));
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_for(seconds(1));
    let guessed = contact.replace("line=", "line=0");
    sim.strange_message("10.0.1.9:5060", &invite(&guessed, 2));
    sim.run_for(seconds(1));
    assert_eq!(bob.calls().len(), 1, "who does not know the line is a stranger");
}

#[test]
fn a_registration_is_renewed_before_it_runs_out() {
    let (mut sim, first) = registered();
    let before = sim.ladder().count("first -> switch  200 REGISTER");
    sim.run_for(seconds(600));
    let renewed = sim.ladder().count("first -> switch  200 REGISTER") - before;
    assert!((5..=7).contains(&renewed), "each 90 to 102 s: {renewed}");
    assert!(first.holds_contact().is_some());
}

#[test]
fn a_gateway_that_does_not_take_the_registration_is_down_and_says_why() {
    let mut sim = one(REGISTERING).start();
    let (ann, first) = (sim.phone("ann", "101"), sim.outside("first", FIRST));
    first.demands("493012300", "another");
    sim.run_for(seconds(2));
    let reason = "gateway_down main/first: the registrar does not take the password: 401 Unauthorized";
    assert!(sim.conditions().contains(reason), "{}", sim.conditions());
    assert_eq!(sim.metric("plugboard_trunk_up{trunk=\"main/first\"}"), Some(0.0));
    ann.dials("0301234");
    sim.run_until(ann.is_idle());
    assert_eq!(first.calls(), []);
    assert!(sim.ladder().count("switch -> first  REGISTER") < 6, "a wrong password is not tried again and again");
}

#[test]
fn a_switch_that_ends_takes_its_registration_back() {
    let (mut sim, first) = registered();
    sim.ask(async {
        sim.switch().drain();
        sim.switch().leave_gateways().await;
    });
    sim.run_until(|| first.holds_contact().is_none());
}

#[test]
fn a_gateway_that_is_taken_out_of_the_office_is_unregistered_and_not_shown_any_more() {
    let (mut sim, first) = registered();
    sim.applies(&[OfficeText::new("office: main\ndomains: [plugboard.test]\n")]);
    sim.run_until(|| first.holds_contact().is_none());
    assert_eq!(sim.metric("plugboard_trunk_up{trunk=\"main/first\"}"), None);
    sim.run_for(seconds(300));
    assert_eq!(first.holds_contact(), None);
}

// ---- names ------------------------------------------------------------------------------------------------------

const ZONE: &str = "carrier.test 60 NAPTR 10 10 SIP+D2U _sip._udp.carrier.test\n\
                    _sip._udp.carrier.test 60 SRV 1 0 5060 one.carrier.test\n\
                    _sip._udp.carrier.test 60 SRV 2 0 5060 two.carrier.test\n\
                    one.carrier.test 60 A 10.0.1.1\ntwo.carrier.test 60 A 10.0.1.2\n";

fn named() -> Setup {
    one("address: carrier.test").zone(ZONE)
}

#[test]
fn a_gateway_is_found_by_its_name() {
    let (mut sim, ann, first, _second) = started(named());
    ann.dials("0301234");
    sim.run_until(first.rings());
    let invite = sim.ladder().count("switch -> first  INVITE 0301234");
    assert_eq!(invite, 1, "{}", sim.ladder());
    first.answers();
    talk(&mut sim, &ann, &first);
    ann.hangs_up();
    sim.run_until_quiet();
    let asked = sim.names_asked();
    assert_eq!(
        asked[..2],
        ["carrier.test SRV".replace("carrier.test", "_sip._udp.carrier.test"), "one.carrier.test A".into()]
    );
}

#[test]
fn dns_says_over_what_a_gateway_wants_to_be_called() {
    const ONE_BY_TCP: &str = "carrier.test 60 NAPTR 20 50 SIP+D2U _sip._udp.carrier.test\n\
        carrier.test 60 NAPTR 10 50 SIP+D2T _sip._tcp.carrier.test\n\
        _sip._tcp.carrier.test 60 SRV 1 1 5060 one.carrier.test\none.carrier.test 60 A 10.0.1.1\n";
    let (mut sim, ann, first, _second) = started(one("address: carrier.test").zone(ONE_BY_TCP).listens_on_tcp());
    sim.takes_connections(&first);
    ann.dials("0301234");
    sim.run_until(first.rings());
    let invites = first.requests("INVITE");
    assert!(invites.len() == 1 && invites[0].contains("Via: SIP/2.0/TCP "), "{invites:?}");
    first.answers();
    talk(&mut sim, &ann, &first);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.names_asked()[..2], ["carrier.test NAPTR", "_sip._tcp.carrier.test SRV"]);
}

#[test]
fn a_call_goes_to_the_next_address_of_the_name_and_later_calls_begin_there() {
    let (mut sim, ann, first, second) = started(named());
    first.is_unplugged();
    ann.dials("0301234");
    sim.run_until(second.rings());
    ann.hangs_up();
    sim.run_until(ann.is_idle());
    let began = sim.now();
    ann.dials("0301234");
    sim.run_until(|| second.calls().last() == Some(&Stage::Ringing));
    assert!(sim.now().since(began) < seconds(1), "what failed of late is tried last");
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_call_waits_for_the_first_answer_of_dns_and_not_for_long() {
    let mut sim = office(
        &format!("  - {{ id: first, address: carrier.test }}\n  - {{ id: second, address: \"{SECOND}\" }}\n"),
        "gateways: [first, second]",
    )
    .zone("SILENT")
    .start();
    let (ann, second) = (sim.phone("ann", "101"), sim.outside("second", SECOND));
    ann.dials("0301234");
    sim.run_until(second.rings());
    assert!(sim.now().since(plugboard_model::Time::ZERO) < seconds(7));
    second.answers();
    talk(&mut sim, &ann, &second);
    ann.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_for(seconds(60));
    assert!(sim.conditions().contains("gateway_down main/first: no address of carrier.test is known"));
}

#[test]
fn a_call_that_goes_on_does_not_care_where_the_name_leads_next() {
    let (mut sim, ann, first, second) = started(named());
    ann.dials("0301234");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &ann, &first);
    sim.zone_is(&ZONE.replace("10.0.1.1", "10.0.1.7"));
    sim.run_for(seconds(120));
    talk(&mut sim, &ann, &first);
    ann.hangs_up();
    sim.run_until(first.is_idle());
    sim.zone_is(&ZONE.replace("10.0.1.1", "10.0.1.2"));
    sim.run_for(seconds(120));
    ann.dials("0301234");
    sim.run_until(second.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn while_no_server_answers_the_gateway_stays_where_it_was() {
    let (mut sim, ann, first, _second) = started(named());
    sim.run_for(seconds(5));
    sim.zone_is("FAIL");
    sim.run_for(seconds(3_600));
    ann.dials("0301234");
    sim.run_until(first.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_gateway_with_a_name_is_believed_by_the_addresses_of_that_name() {
    let (mut sim, _ann, first, second) = started(named());
    let bob = sim.phone("bob", "102");
    second.dials_as("+4930123102", "030999");
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until(second.is_idle());
    sim.zone_is(&ZONE.replace("10.0.1.2", "10.0.1.7"));
    sim.run_for(seconds(120));
    second.dials_as("+4930123102", "030999");
    sim.run_until(second.was_told(407));
    drop(first);
}

// ---- who calls --------------------------------------------------------------------------------------------------

/// Ann calls out through one gateway with these settings; how it is told who calls.
fn told(settings: &str, hides: bool) -> (Sim, Phone) {
    let mut sim = one(&format!("address: \"{FIRST}\"{settings}")).start();
    let (ann, first) = (sim.phone("ann", "101"), sim.outside("first", FIRST));
    if hides {
        ann.says("Privacy", "id");
    }
    ann.dials("0301234");
    sim.run_until(first.rings());
    (sim, first)
}

fn from(first: &Phone) -> String {
    let caller = first.caller().unwrap();
    caller.split(";tag=").next().unwrap().to_owned()
}

#[test]
fn a_gateway_is_shown_the_users_number_for_outside() {
    let (_sim, first) = told("", false);
    assert_eq!(from(&first), "\"Ann Archer\" <sip:+4930123101@plugboard.test>");
    assert_eq!(first.was_told_of_caller("P-Asserted-Identity"), None);
    let (_sim, first) = told(", numbers: national, caller: { tells: asserted }", false);
    assert_eq!(from(&first), "\"Ann Archer\" <sip:030123101@plugboard.test>");
    let asserted = first.was_told_of_caller("P-Asserted-Identity");
    assert_eq!(asserted.as_deref(), Some("\"Ann Archer\" <sip:030123101@plugboard.test>"));
    assert_eq!(first.was_told_of_caller("Privacy"), None);
}

#[test]
fn who_hides_is_anonymous_and_only_a_header_for_the_carrier_tells() {
    let (_sim, first) = told("", true);
    assert_eq!(from(&first), "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
    assert_eq!(first.was_told_of_caller("Privacy").as_deref(), Some("id"));
    let (_sim, first) = told(", caller: { tells: asserted }", true);
    assert_eq!(from(&first), "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
    assert!(first.was_told_of_caller("P-Asserted-Identity").unwrap().contains("sip:+4930123101@"));
    assert_eq!(first.was_told_of_caller("Privacy").as_deref(), Some("id"));
    let (_sim, first) = told(", caller: { tells: remote-party }", true);
    let remote = first.was_told_of_caller("Remote-Party-ID").unwrap();
    assert!(remote.ends_with(";party=calling;screen=yes;privacy=full"), "{remote}");
}

#[test]
fn who_has_no_number_of_his_own_shows_the_gateways() {
    let mut sim = one(&format!("address: \"{FIRST}\", caller: {{ number: \"+4930123100\" }}")).start();
    let (bob, first) = (sim.phone("bob", "102"), sim.outside("first", FIRST));
    bob.dials("0301234");
    sim.run_until(first.rings());
    assert_eq!(from(&first), "\"Bob Baker\" <sip:+4930123100@plugboard.test>");
}

/// A call comes from the gateway with this header; what Bob's phone shows, and the record's caller.
fn shown(settings: &str, headers: &[(&str, &str)]) -> (String, String) {
    let mut sim = one(&format!("address: \"{FIRST}\"{settings}")).start();
    let (bob, first) = (sim.phone("bob", "102"), sim.outside("first", FIRST));
    for (header, value) in headers {
        first.says(header, value);
    }
    first.dials_as("+4930123102", "+4989666");
    sim.run_until(bob.rings());
    let caller = from(&bob);
    bob.refuses(486);
    sim.run_until_quiet();
    (caller, sim.record().caller)
}

#[test]
fn what_a_gateway_says_of_the_caller_is_believed_only_where_the_admin_says_so() {
    let asserted = ("P-Asserted-Identity", "\"Carl\" <sip:+4989777@carrier.test>");
    let remote = ("Remote-Party-ID", "<sip:+4989888@carrier.test>;party=calling;privacy=off");
    assert_eq!(shown("", &[asserted]).1, "+4989666");
    assert_eq!(shown(", caller: { believed: true }", &[asserted]).1, "+4989777");
    assert_eq!(shown(", caller: { believed: true }", &[remote]).1, "+4989888");
    assert_eq!(shown(", caller: { believed: true }", &[]).1, "+4989666");
}

#[test]
fn a_number_that_is_told_in_confidence_is_shown_to_nobody() {
    let asserted = ("P-Asserted-Identity", "\"Carl\" <sip:+4989777@carrier.test>");
    let (caller, record) = shown(", caller: { believed: true }", &[asserted, ("Privacy", "id")]);
    assert_eq!((caller.as_str(), record.as_str()), ("<sip:anonymous@plugboard.test>", ""));
}

#[test]
fn a_gateway_gets_and_sends_numbers_in_its_own_format() {
    let mut sim = one(&format!("address: \"{FIRST}\", numbers: e164")).start();
    let (ann, bob, first) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.outside("first", FIRST));
    for (dialled, sent) in [("030555123", "+4930555123"), ("0049891234567", "+49891234567"), ("0190", "0190")] {
        ann.dials(dialled);
        sim.run_until(first.rings());
        assert_eq!(first.called().as_deref(), Some(sent));
        ann.hangs_up();
        sim.run_until(first.is_idle());
        sim.run_until(ann.is_idle());
    }
    first.dials_as("030123102", "089777123");
    sim.run_until(bob.rings());
    assert!(bob.caller().unwrap().contains("sip:+4989777123@"), "{:?}", bob.caller());
    bob.refuses(486);
    sim.run_until_quiet();
}

// ---- from a scenario --------------------------------------------------------------------------------------------

#[test]
fn r41_r67_a_scenario_calls_an_outside_number_through_the_gateways() {
    let gateways = format!("  - {{ id: first, address: \"{FIRST}\" }}\n  - {{ id: second, address: \"{SECOND}\" }}\n");
    let office = OfficeText::demo()
        .with_story("  - call-number: { number: \"8301234\", ring_for: 40s }\n    on:\n      no-answer: [{ play-audio: { audio: welcome } }]\n")
        .replace("gateways:\n", &format!("gateways:\n{gateways}"))
        .replace("routes:\n", "routes:\n  - { id: eight, prefix: 8, gateways: [first, second], strip: 1 }\n");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, first, second) = (sim.phone("ann", "101"), sim.outside("first", FIRST), sim.outside("second", SECOND));
    first.always_refuses(503);
    ann.dials("300");
    sim.run_until(second.rings());
    assert_eq!(second.called().as_deref(), Some("301234"));
    second.answers();
    talk(&mut sim, &ann, &second);
    second.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(tried(&sim), [("first".into(), 503), ("second".into(), 200)]);
    ann.dials("300");
    second.always_refuses(486);
    sim.run_until(ann.hears("welcome"));
    sim.run_until_quiet();
}
