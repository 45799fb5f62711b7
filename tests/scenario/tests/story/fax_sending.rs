//! Faxes that were ordered: the switch calls, its machine speaks.

use plugboard_codec::page::Page;
use plugboard_media::FaxEnd;
use plugboard_model::{CallOutcome, Direction, FaxTryEnd, OrderState, OutgoingFax};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Weather, fax_to};
use plugboard_switch::{FaxRefused, NewFax, NotOrdered, NotWithdrawn};

use crate::{journaled, seconds};

/// Lines, boxes and dots: each row differs from the one before it.
fn page(seed: u32) -> Page {
    Page::drawn(1_728, 500, |x, y| {
        let frame = x.abs_diff(2 * y + seed) % 97 < 3 || (y / 40 + x / 64) % 7 == seed % 7;
        frame || (x * 31 + y * 17 + seed).is_multiple_of(211)
    })
}

const CARRIER: &str = "10.0.1.1:5060";

/// Ann, 101, may call outside through a carrier; what else the office and its gateway say.
fn house(office: &str, gateway: &str) -> Setup {
    Setup::offices(vec![OfficeText::new(&format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\n{office}\
         emergency: {{ confirmed: true }}\nusers:\n\
         \x20 - {{ id: \"101\", number: 101, name: Ann, password: demo-101, outside_number: \"+4930555101\" }}\n\
         \x20 - {{ id: \"102\", number: 102, password: demo-102 }}\n\
         gateways:\n  - {{ id: carrier, address: \"{CARRIER}\", numbers: e164{gateway} }}\n\
         scenarios: []\nroutes:\n  - {{ id: out, prefix: 0, gateway: carrier, strip: 1 }}\n"
    ))])
}

/// The switch, and whoever is called at Bob's desk.
fn with_bob(setup: Setup) -> (Sim, Phone) {
    let mut sim = setup.start();
    let bob = sim.phone("bob", "102");
    (sim, bob)
}

/// The same switch again, which knows where Bob's desk is.
fn restarted(setup: Setup, before: Sim) -> (Sim, Phone) {
    let mut sim = setup.after(before).start();
    let bob = sim.new_phone("bob", "102");
    (sim, bob)
}

/// Bob's machine picks up.
fn machine_answers(sim: &mut Sim, bob: &Phone) {
    sim.run_until(bob.rings());
    bob.answers();
    bob.takes_fax();
}

/// What Bob's machine received, page by page.
#[track_caller]
fn received(bob: &Phone) -> Vec<Page> {
    Sim::pages_of(&bob.fax_report().document)
}

#[test]
fn r73_an_ordered_fax_goes_out_over_g711_pixel_by_pixel_and_its_pages_are_told() {
    let sent = [page(1), page(2)];
    let (mut sim, bob) = with_bob(house("fax: { ident: \"+49 30 99\" }\n", ""));
    let id = sim.ordered("102", &sent);
    assert!(matches!(sim.order(&id).state, OrderState::Calling { .. }));
    machine_answers(&mut sim, &bob);
    let fax = sim.run_until_tried(&id, 1);
    sim.run_until_quiet();
    assert!(matches!(fax.state, OrderState::Sent { .. }), "{fax:#?}");
    let tried = &fax.tries[0];
    assert_eq!((&tried.end, tried.t38, tried.corrected), (&FaxTryEnd::Sent, false, true));
    let pages: Vec<(u32, u32)> = tried.pages.iter().map(|page| (page.page, page.bit_rate)).collect();
    assert_eq!(pages, [(1, 14_400), (2, 14_400)]);
    assert!(tried.pages.iter().all(|page| (4_000..40_000).contains(&page.took_ms)), "{tried:#?}");
    let came = bob.fax_report();
    assert_eq!((&came.end, came.pages, came.bad_rows, came.far_ident.as_str()), (&FaxEnd::Done, 2, 0, "+49 30 99"));
    assert!(received(&bob) == sent, "a pixel differs");
    let record = sim.record();
    assert_eq!(Some(&record.id), tried.call.as_ref());
    assert_eq!((record.direction, &record.outcome), (Direction::Internal, &CallOutcome::Handled));
    assert_eq!((record.caller.as_str(), record.called.as_str(), record.legs.len()), ("101", "102", 1));
    let told = |what: &str| journaled(&sim, &record, |event| format!("{event:?}").contains(what));
    assert_eq!((told("fax 1 begins"), told("fax 1 ends: 2 pages were confirmed")), (1, 1));
    assert_eq!(sim.metric("plugboard_fax_tries_total{end=\"sent\"}"), Some(1.0));
    assert_eq!(sim.metric("plugboard_fax_pages_sent_total"), Some(2.0));
    assert_eq!(sim.metric("plugboard_fax_orders_waiting"), Some(0.0));
    assert_eq!(sim.faxes("main"), [], "nothing was received");
}

/// A network that loses one packet in a hundred.
const LOSSY: Weather = Weather { lost: 10, ..Weather::CALM };

#[test]
fn r73_an_ordered_fax_goes_out_by_t38_that_the_far_end_offers_pixel_by_pixel_with_one_packet_in_a_hundred_lost() {
    for seed in 1..=6 {
        let sent = [page(1), page(2)];
        let (mut sim, bob) = with_bob(house("", "").seed(seed).weather(LOSSY));
        let id = sim.ordered("102", &sent);
        sim.run_until(bob.rings());
        bob.answers();
        sim.run_until(bob.talks());
        sim.run_for(seconds(3));
        // Every other one by FEC.
        if seed % 2 == 0 {
            bob.wants_fec();
        }
        bob.offers_t38();
        sim.run_until(bob.was_answered_again());
        assert_eq!(bob.reinvited(), Some(200), "{seed}");
        bob.takes_fax();
        let fax = sim.run_until_tried(&id, 1);
        assert_eq!(
            (&fax.tries[0].end, fax.tries[0].t38, fax.pages_sent),
            (&FaxTryEnd::Sent, true, 2),
            "{seed}: {fax:#?}"
        );
        assert!(received(&bob) == sent, "a pixel differs: {seed}");
        sim.run_until_quiet();
    }
}

#[test]
fn r73_t38_is_offered_to_a_gateway_that_wants_it_and_the_number_goes_out_as_the_gateway_writes_it() {
    let sent = [page(1)];
    let mut sim = house("", ", t38: offered").start();
    let carrier = sim.outside("carrier", CARRIER);
    let id = sim.ordered("0030123456", &sent);
    sim.run_until(carrier.rings());
    assert_eq!(carrier.called().as_deref(), Some("+4930123456"));
    assert!(carrier.caller().is_some_and(|caller| caller.contains("+4930555101")), "{:?}", carrier.caller());
    carrier.takes_t38();
    carrier.answers();
    sim.run_until(carrier.speaks_t38());
    carrier.takes_fax();
    let fax = sim.run_until_tried(&id, 1);
    assert_eq!((&fax.tries[0].end, fax.tries[0].t38), (&FaxTryEnd::Sent, true), "{fax:#?}");
    assert!(received(&carrier) == sent, "a pixel differs");
    sim.run_until_quiet();
    assert_eq!(sim.record().direction, Direction::Outbound);
}

#[test]
fn r73_a_gateway_that_refuses_t38_hears_the_fax_as_audio() {
    let sent = [page(1)];
    let mut sim = house("", ", t38: offered").start();
    let carrier = sim.outside("carrier", CARRIER);
    let id = sim.ordered("0030123456", &sent);
    machine_answers(&mut sim, &carrier);
    let fax = sim.run_until_tried(&id, 1);
    assert_eq!((&fax.tries[0].end, fax.tries[0].t38), (&FaxTryEnd::Sent, false), "{fax:#?}");
    let offers = carrier.requests("INVITE");
    assert!(offers.iter().any(|offer| offer.contains("m=image ")), "it was offered: {offers:#?}");
    assert!(received(&carrier) == sent, "a pixel differs");
    sim.run_until_quiet();
}

#[test]
fn r73_who_is_busy_or_does_not_answer_is_called_again_until_he_has_the_fax() {
    let sent = [page(1)];
    let (mut sim, bob) = with_bob(house("fax: { apart: 2m, ring_for: 20s }\n", ""));
    let id = sim.ordered("102", &sent);
    sim.run_until(bob.rings());
    bob.refuses(486);
    let fax = sim.run_until_tried(&id, 1);
    assert_eq!(fax.tries[0].end, FaxTryEnd::Busy);
    assert!(
        matches!(fax.state, OrderState::Waiting { until } if until.0 - fax.tries[0].ended.0 == 120_000),
        "{fax:#?}"
    );
    sim.run_until(bob.rings());
    let fax = sim.run_until_tried(&id, 2);
    assert_eq!(fax.tries[1].end, FaxTryEnd::NoAnswer);
    machine_answers(&mut sim, &bob);
    let fax = sim.run_until_tried(&id, 3);
    assert_eq!((&fax.tries[2].end, fax.pages_sent), (&FaxTryEnd::Sent, 1));
    assert!(received(&bob) == sent, "a pixel differs");
    sim.run_until_quiet();
    assert_eq!(sim.records("main").len(), 3);
}

#[test]
fn r73_a_fax_is_given_up_after_as_many_tries_as_the_office_makes() {
    let (mut sim, bob) = with_bob(house("fax: { apart: 10s, tries: 2 }\n", ""));
    bob.always_refuses(486);
    let id = sim.ordered("102", &[page(1)]);
    let fax = sim.run_until_tried(&id, 2);
    assert!(matches!(fax.state, OrderState::Failed { .. }), "{fax:#?}");
    sim.run_for(seconds(60));
    assert_eq!(sim.order(&id).tries.len(), 2);
    sim.run_until_quiet();
}

#[test]
fn r73_a_restart_between_two_tries_loses_no_fax_and_sends_none_again() {
    let sent = [page(1)];
    let (mut sim, bob) = with_bob(house("fax: { apart: 2m }\n", ""));
    let done = sim.ordered("102", &[page(3)]);
    machine_answers(&mut sim, &bob);
    sim.run_until_tried(&done, 1);
    let id = sim.ordered("102", &sent);
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until_tried(&id, 1);
    let (mut sim, bob) = restarted(house("fax: { apart: 2m }\n", ""), sim);
    assert!(matches!(sim.order(&done).state, OrderState::Sent { .. }));
    assert!(matches!(sim.order(&id).state, OrderState::Waiting { .. }));
    machine_answers(&mut sim, &bob);
    let fax = sim.run_until_tried(&id, 2);
    assert!(matches!(fax.state, OrderState::Sent { .. }), "{fax:#?}");
    assert!(received(&bob) == sent, "a pixel differs");
    sim.run_for(seconds(300));
    assert_eq!(sim.order(&done).tries.len(), 1, "it has that one");
    sim.run_until_quiet();
}

#[test]
fn r73_a_switch_that_ends_amid_a_fax_sends_it_after_its_restart() {
    let sent = [page(1)];
    let (mut sim, bob) = with_bob(house("fax: { apart: 1m }\n", ""));
    let id = sim.ordered("102", &sent);
    machine_answers(&mut sim, &bob);
    sim.run_for(seconds(5));
    let (mut sim, bob) = restarted(house("fax: { apart: 1m }\n", ""), sim);
    let fax = sim.order(&id);
    assert_eq!(fax.tries[0].end, FaxTryEnd::Failed("the switch ended meanwhile".into()));
    machine_answers(&mut sim, &bob);
    let fax = sim.run_until_tried(&id, 2);
    assert!(matches!(fax.state, OrderState::Sent { .. }), "{fax:#?}");
    assert!(received(&bob) == sent, "a pixel differs");
    sim.run_until_quiet();
}

#[test]
fn r73_a_fax_that_waits_can_be_withdrawn_and_one_that_is_sent_cannot() {
    let (mut sim, bob) = with_bob(house("fax: { apart: 2m }\n", ""));
    let id = sim.ordered("102", &[page(1)]);
    assert_eq!(sim.withdraws(&id).unwrap_err(), NotWithdrawn::Calling);
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until_tried(&id, 1);
    assert!(matches!(sim.withdraws(&id).unwrap().state, OrderState::Withdrawn { .. }));
    sim.run_for(seconds(300));
    assert_eq!((bob.calls().len(), sim.order(&id).tries.len()), (1, 1), "nobody was called again");
    assert_eq!(sim.withdraws(&id).unwrap_err(), NotWithdrawn::Over("withdrawn"));
    sim.run_until_quiet();
}

#[test]
fn r73_a_person_who_answers_hears_a_machine_once_and_is_not_called_again() {
    let (mut sim, bob) = with_bob(house("fax: { apart: 10s }\n", ""));
    let id = sim.ordered("102", &[page(1)]);
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(bob.talks());
    let fax = sim.run_until_tried(&id, 1);
    assert_eq!((&fax.tries[0].end, fax.state.as_str()), (&FaxTryEnd::NoFax, "failed"));
    sim.run_until(bob.is_idle());
    sim.run_for(seconds(60));
    assert_eq!(bob.calls().len(), 1);
    assert_eq!(sim.metric("plugboard_fax_tries_total{end=\"no_fax\"}"), Some(1.0));
    sim.run_until_quiet();
}

#[test]
fn r73_a_far_end_that_hangs_up_amid_the_second_page_gets_that_one_and_not_the_first_in_the_next_try() {
    let sent = [page(1), page(2)];
    let (mut sim, bob) = with_bob(house("fax: { apart: 30s }\n", ""));
    let id = sim.ordered("102", &sent);
    machine_answers(&mut sim, &bob);
    sim.run_for(seconds(34));
    bob.hangs_up();
    let fax = sim.run_until_tried(&id, 1);
    assert_eq!((fax.tries[0].pages.len(), fax.pages_sent), (1, 1), "{fax:#?}");
    assert!(matches!(fax.tries[0].end, FaxTryEnd::Failed(_)), "{fax:#?}");
    assert!(received(&bob)[0] == sent[0], "a pixel differs");
    machine_answers(&mut sim, &bob);
    let fax = sim.run_until_tried(&id, 2);
    assert_eq!((&fax.tries[1].end, fax.tries[1].pages[0].page), (&FaxTryEnd::Sent, 2), "{fax:#?}");
    assert!(received(&bob) == sent[1..], "a pixel differs");
    sim.run_until_quiet();
}

#[test]
fn r73_one_key_is_one_fax_however_often_it_is_ordered_also_after_a_restart() {
    let sent = [page(1)];
    let order = |digest: u8| NewFax { key: Some("letter-7".into()), digest: [digest; 32], ..fax_to("102", &sent) };
    let (mut sim, bob) = with_bob(house("", ""));
    let first = sim.orders(order(1)).unwrap();
    let again = sim.orders(order(1)).unwrap();
    assert_eq!((first.before, again.before, &again.fax.id), (false, true, &first.fax.id));
    assert_eq!(sim.orders(order(2)), Err(FaxRefused::NotOrdered(NotOrdered::OtherOrder(first.fax.id.clone()))));
    machine_answers(&mut sim, &bob);
    sim.run_until_tried(&first.fax.id, 1);
    sim.run_until(bob.is_idle());
    let (mut sim, bob) = restarted(house("", ""), sim);
    let after = sim.orders(order(1)).unwrap();
    assert_eq!((after.before, after.fax.id, after.fax.state.as_str()), (true, first.fax.id, "sent"));
    sim.run_for(seconds(120));
    assert_eq!(bob.calls(), [], "it was sent once");
    sim.run_until_quiet();
}

#[test]
fn r73_no_machine_calls_for_help_or_where_its_user_may_not() {
    let mut sim = house("toll: { deny: [\"+4930666\"] }\n", "").start();
    let carrier = sim.outside("carrier", CARRIER);
    for to in ["112", "0112", "*98", "999999"] {
        let refused = sim.orders(fax_to(to, &[page(1)]));
        assert!(matches!(refused, Err(FaxRefused::NotAllowed(_))), "{to}: {refused:?}");
    }
    assert!(matches!(
        sim.orders(NewFax { from: "nobody".into(), ..fax_to("102", &[page(1)]) }),
        Err(FaxRefused::NoUser(_))
    ));
    for wrong in [
        NewFax { to: "not a number".into(), ..fax_to("102", &[page(1)]) },
        NewFax { ident: Some("Ann's machine".into()), ..fax_to("102", &[page(1)]) },
        NewFax { header: Some("a line\nand another".into()), ..fax_to("102", &[page(1)]) },
        NewFax { key: Some(String::new()), ..fax_to("102", &[page(1)]) },
        fax_to("102", &[]),
    ] {
        let refused = sim.orders(wrong);
        assert!(matches!(refused, Err(FaxRefused::Invalid { .. })), "{refused:?}");
    }
    let id = sim.ordered("0030666123", &[page(1)]);
    let fax = sim.run_until_tried(&id, 1);
    let FaxTryEnd::Refused(reason) = &fax.tries[0].end else { panic!("{fax:#?}") };
    assert!(reason.contains("Limit of the user 101"), "{reason}");
    assert_eq!(fax.state.as_str(), "failed");
    assert_eq!(carrier.calls(), []);
    sim.run_until_quiet();
}

#[test]
fn r73_no_more_faxes_go_out_at_once_than_the_office_lets() {
    let mut sim = house("fax: { at_once: 1, apart: 10s }\n", "").start();
    let carrier = sim.outside("carrier", CARRIER);
    let (one, two) = (sim.ordered("0030111", &[page(1)]), sim.ordered("0030222", &[page(1)]));
    sim.run_until(carrier.rings());
    sim.run_for(seconds(5));
    assert_eq!((carrier.calls().len(), sim.order(&two).state.as_str()), (1, "waiting"));
    carrier.refuses(486);
    sim.run_until_tried(&one, 1);
    sim.run_until(carrier.rings());
    assert_eq!(carrier.called().as_deref(), Some("+4930222"));
    carrier.refuses(404);
    let fax = sim.run_until_tried(&two, 1);
    assert!(matches!(fax.tries[0].end, FaxTryEnd::Refused(_)), "{fax:#?}");
    sim.run_until(carrier.rings());
    carrier.refuses(486);
    sim.run_until_tried(&one, 2);
    carrier.always_refuses(486);
    sim.run_until_tried(&one, 3);
    sim.run_until_quiet();
}

#[test]
fn a_switch_that_drains_begins_no_fax_and_takes_none() {
    let (mut sim, bob) = with_bob(house("fax: { apart: 10s }\n", ""));
    let id = sim.ordered("102", &[page(1)]);
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until_tried(&id, 1);
    sim.switch().drain();
    sim.run_for(seconds(60));
    assert_eq!(bob.calls().len(), 1);
    assert_eq!(sim.orders(fax_to("102", &[page(1)])), Err(FaxRefused::Ending));
}

#[test]
fn a_call_that_sends_a_fax_can_be_ended_by_an_admin_and_picked_up_by_nobody() {
    let (mut sim, bob) = with_bob(house("pick_up: any\nfax: { apart: 10m }\n", ""));
    let ann = sim.phone("ann", "101");
    let id = sim.ordered("102", &[page(1)]);
    sim.run_until(bob.rings());
    ann.dials("*8102");
    sim.run_for(seconds(3));
    assert!(bob.rings()(), "it is bob's");
    let calls = sim.ask(sim.switch().calls());
    let fax = calls.iter().find(|call| call.called == "102").unwrap();
    assert!(sim.ask(sim.switch().hang_up(&fax.id, plugboard_model::Cause::normal())));
    let fax = sim.run_until_tried(&id, 1);
    assert!(matches!(fax.tries[0].end, FaxTryEnd::Failed(_)), "{fax:#?}");
    let waits = |fax: &OutgoingFax| fax.state.waits_until().map(|until| until.0 - fax.tries[0].ended.0);
    assert_eq!(waits(&fax), Some(600_000), "whoever ended it meant it");
    sim.run_until_quiet();
}

#[test]
fn r73_a_limit_that_passes_by_itself_is_waited_for_and_is_no_try() {
    let mut sim = house("toll: { calls_at_once: 1 }\nfax: { at_once: 2, tries: 1 }\n", "").start();
    let carrier = sim.outside("carrier", CARRIER);
    let (one, two) = (sim.ordered("0030111", &[page(1)]), sim.ordered("0030222", &[page(1)]));
    let fax = sim.run_until_tried(&two, 1);
    let FaxTryEnd::Limited(reason) = &fax.tries[0].end else { panic!("{fax:#?}") };
    assert!(reason.contains("Limit of the user 101"), "{reason}");
    assert_eq!(fax.state.as_str(), "waiting", "{fax:#?}");
    assert_eq!(sim.metric("plugboard_fax_tries_total{end=\"limited\"}"), Some(1.0));
    sim.run_until(carrier.rings());
    carrier.refuses(486);
    sim.run_until_tried(&one, 1);
    machine_answers(&mut sim, &carrier);
    assert_eq!(carrier.called().as_deref(), Some("+4930222"));
    let fax = sim.run_until_tried(&two, 2);
    assert_eq!((fax.state.as_str(), &fax.tries[1].end), ("sent", &FaxTryEnd::Sent), "{fax:#?}");
    sim.run_until_quiet();
}

#[test]
fn r73_a_gateway_that_nobody_reaches_uses_up_no_try_and_an_order_ends_when_it_is_too_old() {
    let mut sim = house("fax: { tries: 1, give_up_after: 20m }\n", "").start();
    let (early, late) = (sim.ordered("0030111", &[page(1)]), sim.ordered("0030222", &[page(1)]));
    let fax = sim.run_until_tried(&early, 1);
    assert!(matches!(fax.tries[0].end, FaxTryEnd::NotReached(_)), "{fax:#?}");
    sim.run_for(seconds(600));
    let carrier = sim.outside("carrier", CARRIER);
    sim.run_until(carrier.rings());
    carrier.always_refuses(503);
    carrier.refuses(503);
    for id in [&early, &late] {
        sim.run_until_over(id);
        let fax = sim.order(id);
        let ends: Vec<&str> = fax.tries.iter().map(|tried| tried.end.as_str()).collect();
        assert_eq!((fax.state.as_str(), ends), ("failed", vec!["not_reached", "too_old"]), "{fax:#?}");
        assert_eq!(fax.tries[1].ended.0 - fax.ordered.0, 1_200_000, "{fax:#?}");
    }
    assert_eq!(sim.metric("plugboard_fax_tries_total{end=\"too_old\"}"), Some(2.0));
    assert_eq!(sim.metric("plugboard_fax_orders_waiting"), Some(0.0));
    sim.run_until_quiet();
}

#[test]
fn whoever_is_erased_has_no_order_left_and_nobody_is_called() {
    let (mut sim, bob) = with_bob(house("fax: { apart: 2m }\n", ""));
    let id = sim.ordered("102", &[page(1)]);
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until_tried(&id, 1);
    let office = plugboard_model::OfficeId::new("main").unwrap();
    assert_eq!(sim.ask(sim.switch().forget_fax_orders(&office, "102")), 1);
    assert_eq!(sim.ask(sim.switch().fax_order(&id)), None);
    sim.run_for(seconds(300));
    assert_eq!(bob.calls().len(), 1);
    let (sim, _) = restarted(house("fax: { apart: 2m }\n", ""), sim);
    assert_eq!(sim.ask(sim.switch().fax_order(&id)), None);
    assert_eq!(sim.document_of(&id), None);
}
