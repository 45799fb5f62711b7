//! Faxes: a machine behind a phone, and ours at the other end.

use plugboard_codec::page::Page;
use plugboard_media::{Codec, FaxEnd};
use plugboard_model::{FaxOutcome, FaxRecord, Sound};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Weather};

use crate::{millis, seconds, steps, story, talk};

/// Whoever sent a fax hears the first prompt, whoever is no machine the second.
fn faxes(more: &str) -> Setup {
    story(&format!(
        "  - receive-fax: {{ ident: \"+49 30 99\"{more} }}\n    on:\n      received:\n        - play-audio: {{ audio: first }}\n      \
         no-fax:\n        - play-audio: {{ audio: second }}\n      failed:\n        - play-audio: {{ audio: nobody }}\n"
    ))
}

/// Lines, boxes and dots: each row differs from the one before it.
pub(crate) fn page(seed: u32) -> Page {
    Page::drawn(1_728, 500, |x, y| {
        let frame = x.abs_diff(2 * y + seed) % 97 < 3 || (y / 40 + x / 64) % 7 == seed % 7;
        frame || (x * 31 + y * 17 + seed).is_multiple_of(211)
    })
}

/// Ann's machine talks with ours.
fn faxing(setup: Setup, pages: &[Page]) -> (Sim, Phone) {
    let mut sim = setup.start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.talks());
    ann.sends_fax("+49 30 1234", pages);
    (sim, ann)
}

/// The only fax of the office.
#[track_caller]
fn fax(sim: &Sim) -> FaxRecord {
    let faxes = sim.faxes("main");
    assert_eq!(faxes.len(), 1, "{faxes:#?}");
    faxes.into_iter().next().unwrap()
}

#[test]
fn r73_a_fax_comes_over_g711_pixel_by_pixel_and_lies_in_history_as_tiff_and_pdf() {
    let sent = [page(1), page(2)];
    let (mut sim, ann) = faxing(faxes(""), &sent);
    sim.run_until(ann.has_faxed());
    sim.run_until(ann.hears("first"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(ann.fax_report().end, FaxEnd::Done);
    assert_eq!(ann.fax_report().far_ident, "+49 30 99");
    let (fax, record) = (fax(&sim), sim.record());
    assert_eq!((&fax.end, fax.pages, fax.bad_rows), (&FaxOutcome::Done, 2, 0));
    assert_eq!((&fax.call, fax.sender.as_str(), fax.caller.as_str()), (&record.id, "+49 30 1234", "101"));
    let [tiff, pdf] = fax.files.as_slice() else { panic!("{fax:#?}") };
    assert!(tiff.file.ends_with(&format!("{}-fax-1.tif", record.id.ulid_text())), "{}", tiff.file);
    assert!(sim.pages(&tiff.file) == sent, "a pixel differs");
    let made = sim.tapes().file(&pdf.file).unwrap();
    assert!(made.starts_with(b"%PDF-1.4") && u64::try_from(made.len()).unwrap() == pdf.bytes);
    assert_eq!(steps(&record)[0], "steps[0] receive-fax: received");
    assert_eq!(sim.metric("plugboard_faxes_total{end=\"done\"}"), Some(1.0));
    assert_eq!(sim.metric("plugboard_fax_pages_total"), Some(2.0));
}

#[test]
fn r73_a_machine_behind_a_phone_that_likes_g722_best_is_changed_to_g711_for_its_fax() {
    let sent = [page(1)];
    let mut sim = faxes("").start();
    let ann = sim.phone("ann", "101");
    ann.speaks(&[Codec::G722, Codec::Pcmu]);
    ann.dials("300");
    sim.run_until(ann.talks());
    ann.sends_fax("+49 30 1234", &sent);
    sim.run_until(ann.has_faxed());
    assert_eq!(ann.fax_report().end, FaxEnd::Done);
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert!(ann.requests("INVITE")[0].contains("RTP/AVP 0 101\r\n"), "{:?}", ann.requests("INVITE"));
    assert!(sim.pages(&fax(&sim).files[0].file) == sent, "a pixel differs");
}

#[test]
fn r73_who_hangs_up_amid_the_second_page_leaves_the_first() {
    let sent = [page(1), page(2)];
    let (mut sim, ann) = faxing(faxes(""), &sent);
    sim.run_for(seconds(34));
    assert!(!ann.has_faxed()());
    ann.hangs_up();
    sim.run_until_quiet();
    let fax = fax(&sim);
    assert_eq!((&fax.end, fax.pages), (&FaxOutcome::Failed("The call dropped prematurely".into()), 1));
    let pages = sim.pages(&fax.files[0].file);
    assert!(pages[0] == sent[0], "a pixel differs");
    assert_eq!(steps(&sim.record())[0], "steps[0] receive-fax: cancelled");
}

#[test]
fn r73_a_machine_that_hangs_up_with_its_last_word_has_sent_its_fax() {
    let sent = [page(1)];
    let (mut sim, ann) = faxing(faxes(""), &sent);
    sim.run_until(ann.has_faxed());
    ann.hangs_up();
    sim.run_until_quiet();
    let fax = fax(&sim);
    assert_eq!((&fax.end, fax.pages, fax.files.len()), (&FaxOutcome::Done, 1, 2));
    assert!(sim.pages(&fax.files[0].file) == sent, "a pixel differs");
    assert_eq!(steps(&sim.record())[0], "steps[0] receive-fax: received");
}

#[test]
fn r73_a_caller_who_is_no_machine_is_told_from_one() {
    let mut sim = faxes("").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.talks());
    sim.run_until(ann.hears("second"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let fax = fax(&sim);
    assert_eq!((&fax.end, fax.pages, fax.files.len()), (&FaxOutcome::NoFax, 0, 0));
    assert_eq!(steps(&sim.record())[0], "steps[0] receive-fax: no-fax");
}

#[test]
fn a_full_disk_fails_the_fax_and_the_scenario_is_told() {
    let (mut sim, ann) = faxing(faxes(""), &[page(1)]);
    sim.tapes().has_room_for(Some(0));
    sim.run_until(ann.has_faxed());
    sim.run_until(ann.hears("nobody"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let fax = fax(&sim);
    let FaxOutcome::Failed(reason) = &fax.end else { panic!("{fax:#?}") };
    assert!(reason.contains("the disk is full") && fax.files.is_empty(), "{fax:#?}");
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn a_fax_ends_at_its_time_and_what_came_is_kept() {
    let (mut sim, ann) = faxing(faxes(", max: 30s"), &[page(1), page(2)]);
    sim.run_until(ann.hears("nobody"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let fax = fax(&sim);
    assert!(matches!(fax.end, FaxOutcome::Failed(_)), "{fax:#?}");
    assert!((29_000..33_000).contains(&(fax.ended.0 - fax.began.0)), "{fax:#?}");
}

#[test]
fn a_fax_goes_through_the_switch_from_machine_to_machine_as_it_is() {
    let sent = [page(1)];
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.talks());
    bob.takes_fax();
    ann.sends_fax("+49 30 1234", &sent);
    sim.run_until(ann.has_faxed());
    let came = bob.fax_report();
    assert_eq!((&came.end, came.pages, came.bad_rows), (&FaxEnd::Done, 1, 0));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.faxes("main"), [], "what is between others is not kept");
}

#[test]
fn r73_a_fax_machine_that_calls_a_scenario_for_voices_is_heard_and_its_fax_received() {
    let setup = story(
        "  - event: fax\n    steps:\n      - receive-fax\n      - set: { news: done }\n  - play-audio: { audio: long }\n    on:\n      \
         failed: [play-audio: { audio: second }]\n",
    );
    let sent = [page(1)];
    let (mut sim, ann) = faxing(setup, &sent);
    sim.run_until(ann.has_faxed());
    sim.run_until(ann.hears("second"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let fax = fax(&sim);
    assert_eq!((&fax.end, fax.pages), (&FaxOutcome::Done, 1));
    assert!(sim.pages(&fax.files[0].file) == sent, "a pixel differs");
}

#[test]
fn a_voice_is_taken_for_no_fax_machine() {
    let mut sim = story("  - event: fax\n    steps: [receive-fax]\n  - play-audio: { audio: long }\n").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("long"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.faxes("main"), []);
}

/// A network that loses one packet in a hundred.
const LOSSY: Weather = Weather { lost: 10, ..Weather::CALM };

#[test]
fn r73_a_machine_that_calls_is_offered_t38_and_its_fax_comes_pixel_by_pixel_with_one_packet_in_a_hundred_lost() {
    let mut back = 0;
    for seed in 1..=5 {
        let sent = [page(1), page(2)];
        let mut sim = faxes("").seed(seed).weather(LOSSY).start();
        let ann = sim.phone("ann", "101");
        ann.dials("300");
        sim.run_until(ann.talks());
        ann.takes_t38();
        ann.sends_fax("+49 30 1234", &sent);
        sim.run_until(ann.speaks_t38());
        sim.run_until(ann.has_faxed());
        assert_eq!(ann.fax_report().end, FaxEnd::Done, "{seed}");
        ann.hangs_up();
        sim.run_until_quiet();
        let fax = fax(&sim);
        assert_eq!((&fax.end, fax.pages, fax.bad_rows, fax.t38), (&FaxOutcome::Done, 2, 0, true), "{seed}");
        assert!(!fell_silent(&sim), "pictures are no silence: {seed}");
        assert!(sim.pages(&fax.files[0].file) == sent, "a pixel differs: {seed}");
        back += ann.lost_and_back().1;
    }
    assert!(back > 0, "some were lost even of those few that the receiver sends, and came back");
}

#[test]
fn r73_a_gateway_that_offers_t38_is_taken_at_its_word() {
    let sent = [page(1)];
    let mut sim = faxes("").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.talks());
    ann.offers_t38();
    sim.run_until(ann.was_answered_again());
    assert_eq!(ann.reinvited(), Some(200));
    ann.sends_fax("+49 30 1234", &sent);
    assert!(ann.speaks_t38()());
    sim.run_for(seconds(8));
    assert!(!ann.has_faxed()());
    // It refreshes its session amid the page.
    ann.offers_t38();
    sim.run_until(ann.has_faxed());
    assert_eq!(ann.fax_report().end, FaxEnd::Done);
    // The scenario speaks by audio again.
    sim.run_until(ann.hears("first"));
    assert!(!ann.speaks_t38()());
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let fax = fax(&sim);
    assert_eq!((&fax.end, fax.pages), (&FaxOutcome::Done, 1));
    assert!(sim.pages(&fax.files[0].file) == sent, "a pixel differs");
}

#[test]
fn r73_who_refuses_t38_sends_his_fax_as_audio() {
    let sent = [page(1)];
    let (mut sim, ann) = faxing(faxes(""), &sent);
    sim.run_until(ann.has_faxed());
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let offers = ann.requests("INVITE");
    assert!(offers.iter().any(|offer| offer.contains("m=image ")), "it was offered: {offers:#?}");
    assert!(!ann.speaks_t38()());
    assert_eq!((fax(&sim).end, fax(&sim).pages, fax(&sim).t38), (FaxOutcome::Done, 1, false));
}

/// Whether the record says of any leg that it was silent at its end.
fn fell_silent(sim: &Sim) -> bool {
    let sounds = sim.record().legs.into_iter().filter_map(|leg| leg.quality).map(|quality| quality.sound);
    sounds.inspect(|sound| assert_ne!(*sound, Sound::Unknown)).any(|sound| sound == Sound::FellSilent)
}

/// Ann, an adapter, and Bob, a gateway, talk; Bob's machine waits for a fax.
fn adapter_and_gateway() -> (Sim, Phone, Phone) {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.talks());
    sim.run_until(ann.hears("bob"));
    (sim, ann, bob)
}

#[test]
fn r73_t38_passes_between_an_adapter_and_a_gateway_as_it_is() {
    let sent = [page(1)];
    let (mut sim, ann, bob) = adapter_and_gateway();
    bob.takes_t38();
    bob.takes_fax();
    ann.sends_fax("+49 30 1234", &sent);
    ann.offers_t38();
    sim.run_until(ann.was_answered_again());
    assert!(ann.speaks_t38()() && bob.speaks_t38()());
    sim.run_until(ann.has_faxed());
    let came = bob.fax_report();
    assert_eq!((&came.end, came.pages, came.far_ident.as_str()), (&FaxEnd::Done, 1, "+49 30 1234"));
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(!fell_silent(&sim), "pictures are no silence");
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn t38_that_the_other_one_refuses_is_refused_and_they_talk_on() {
    let (mut sim, ann, bob) = adapter_and_gateway();
    ann.offers_t38();
    sim.run_until(ann.was_answered_again());
    assert_eq!(ann.reinvited(), Some(488));
    sim.run_for(seconds(1));
    assert!(ann.hears_now("bob") && bob.hears_now("ann"));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn t38_to_a_scenario_without_a_machine_is_refused() {
    let mut sim = story("  - play-audio: { audio: long }\n").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("long"));
    ann.offers_t38();
    sim.run_until(ann.was_answered_again());
    assert_eq!(ann.reinvited(), Some(488));
    assert_eq!(ann.warnings(), ["305 plugboard \"T.38 is not possible in this call\""]);
    assert!(ann.hears_now("long"));
}

#[test]
fn who_is_back_from_t38_hears_the_other_one_again() {
    let (mut sim, ann, bob) = adapter_and_gateway();
    bob.takes_t38();
    ann.offers_t38();
    sim.run_until(ann.was_answered_again());
    assert!(ann.speaks_t38()() && bob.speaks_t38()());
    sim.run_for(seconds(1));
    assert!(!ann.hears_now("bob") && !bob.hears_now("ann"));
    ann.goes_back_to_audio();
    sim.run_until(ann.hears("bob"));
    sim.run_until(bob.hears("ann"));
    assert!(!bob.speaks_t38()());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_is_handed_on_amid_t38_is_back_to_audio() {
    let (mut sim, ann, bob) = adapter_and_gateway();
    let cem = sim.phone("cem", "103");
    bob.takes_t38();
    ann.offers_t38();
    sim.run_until(ann.was_answered_again());
    assert!(ann.speaks_t38()() && bob.speaks_t38()());
    bob.hands_on_to("103");
    sim.run_until(cem.rings());
    cem.answers();
    sim.run_until(cem.hears("ann"));
    sim.run_until(ann.hears("cem"));
    assert!(!ann.speaks_t38()());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn t38_that_is_cancelled_while_the_other_one_decides_leaves_both_in_audio() {
    let (mut sim, ann, bob) = adapter_and_gateway();
    bob.takes_t38();
    ann.offers_t38();
    sim.run_for(millis(7));
    ann.takes_its_offer_back();
    sim.run_until(ann.was_answered_again());
    assert_eq!(ann.reinvited(), Some(487));
    sim.run_for(seconds(2));
    assert!(!ann.speaks_t38()() && !bob.speaks_t38()());
    assert!(ann.hears_now("bob") && bob.hears_now("ann"));
    // And whoever wants it then has it.
    ann.offers_t38();
    sim.run_until(ann.was_answered_again());
    assert!(ann.speaks_t38()() && bob.speaks_t38()());
    ann.hangs_up();
    sim.run_until_quiet();
}

/// A scenario for voices that receives faxes as well: it calls Bob.
fn called_by_a_machine() -> (Sim, Phone, Phone) {
    let mut sim = story(
        "  - event: fax\n    steps: [receive-fax]\n  - play-audio: { audio: first }\n  \
         - call-user: { mode: user, target: \"102\" }\n",
    )
    .start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    (sim, ann, bob)
}

#[test]
fn r73_a_machine_that_calls_while_somebody_rings_is_received_and_he_has_missed_nothing() {
    let sent = [page(1)];
    let (mut sim, ann, bob) = called_by_a_machine();
    ann.sends_fax("+49 30 1234", &sent);
    sim.run_until(bob.is_idle());
    assert_eq!(bob.reason().as_deref(), Some(crate::ELSEWHERE));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let fax = fax(&sim);
    assert_eq!((&fax.end, fax.pages, fax.sender.as_str()), (&FaxOutcome::Done, 1, "+49 30 1234"));
    assert!(sim.pages(&fax.files[0].file) == sent, "a pixel differs");
}

#[test]
fn r73_who_picks_up_and_hears_a_machine_is_let_go_and_its_fax_received() {
    let sent = [page(1)];
    let (mut sim, ann, bob) = called_by_a_machine();
    bob.answers();
    sim.run_until(ann.hears("bob"));
    ann.sends_fax("+49 30 1234", &sent);
    sim.run_until(bob.is_idle());
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let fax = fax(&sim);
    assert_eq!((&fax.end, fax.pages), (&FaxOutcome::Done, 1));
    assert!(sim.pages(&fax.files[0].file) == sent, "a pixel differs");
}

#[test]
fn nobody_is_cut_off_for_a_fax_whose_caller_is_no_machine() {
    let mut sim =
        story("  - event: hold\n    steps: [receive-fax]\n  - call-user: { mode: user, target: \"102\" }\n").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.hears("bob"));
    bob.holds();
    sim.run_for(seconds(3));
    bob.resumes();
    sim.run_until(ann.hears("bob"));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.faxes("main"), []);
}

#[test]
fn a_machine_that_is_handed_on_to_another_scenario_is_heard_there() {
    let second =
        "scenario: second\nsteps:\n  - event: fax\n    steps: [receive-fax]\n  - play-audio: { audio: long }\n";
    let office = OfficeText::demo()
        .with_story("  - event: fax\n    steps: [receive-fax]\n  - call-user: { mode: user, target: \"102\" }\n")
        .replace("scenarios:\n", "scenarios:\n  - { file: second.yaml }\n")
        .replace("routes:\n", "routes:\n  - { id: second, number: 301, scenario: second }\n")
        .with("second.yaml", second);
    let mut sim = Setup::offices(vec![office]).prompt("long", seconds(60)).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.hears("bob"));
    ann.hands_on_to("301");
    sim.run_until(bob.hears("long"));
    bob.sends_fax("+49 30 1234", &[page(1)]);
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert_eq!((&fax(&sim).end, fax(&sim).pages), (&FaxOutcome::Done, 1));
}

const CARRIER: &str = "10.0.1.1:5060";

/// An adapter, 101, talks with a carrier's gateway: whoever of both calls.
fn adapter_and_carrier(weather: Weather, adapter_calls: bool) -> (Sim, Phone, Phone) {
    let text = format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\nusers:\n\
         \x20 - {{ id: \"101\", number: 101, name: Fax, password: demo-101, outside_number: \"+4930123101\" }}\n\
         gateways:\n  - {{ id: carrier, address: \"{CARRIER}\" }}\nscenarios: []\nroutes:\n\
         \x20 - {{ id: out, prefix: 0, gateway: carrier }}\n\
         \x20 - {{ id: in, from: gateways, number: \"+4930123101\", user: \"101\" }}\n"
    );
    let mut sim = Setup::offices(vec![OfficeText::new(&text)]).start();
    let (adapter, carrier) = (sim.phone("adapter", "101"), sim.outside("carrier", CARRIER));
    let (caller, called) = if adapter_calls { (&adapter, &carrier) } else { (&carrier, &adapter) };
    if adapter_calls {
        caller.dials("0301234");
    } else {
        caller.dials_as("+4930123101", "030999");
    }
    sim.run_until(called.rings());
    called.answers();
    talk(&mut sim, caller, called);
    sim.weather(weather);
    (sim, adapter, carrier)
}

#[test]
fn a_fax_passes_between_an_adapter_and_a_gateway_as_audio_whoever_calls() {
    for adapter_calls in [true, false] {
        let sent = [page(1)];
        let (mut sim, adapter, carrier) = adapter_and_carrier(Weather::CALM, adapter_calls);
        let (sender, receiver) = if adapter_calls { (&adapter, &carrier) } else { (&carrier, &adapter) };
        receiver.takes_fax();
        sender.sends_fax("+49 30 1234", &sent);
        sim.run_until(sender.has_faxed());
        assert!(Sim::pages_of(&receiver.fax_report().document) == sent, "a pixel differs");
        sender.hangs_up();
        sim.run_until_quiet();
        let packed_anew = sim.metric("plugboard_rtp_transcoded_frames_total");
        assert!(packed_anew.is_none_or(|frames| frames < 0.5), "{packed_anew:?}");
    }
}

#[test]
fn a_fax_passes_between_an_adapter_and_a_gateway_by_t38_whoever_calls_with_one_packet_in_a_hundred_lost() {
    for adapter_calls in [true, false] {
        let sent = [page(1)];
        let (mut sim, adapter, carrier) = adapter_and_carrier(LOSSY, adapter_calls);
        let (sender, receiver) = if adapter_calls { (&adapter, &carrier) } else { (&carrier, &adapter) };
        for machine in [sender, receiver] {
            machine.takes_t38();
        }
        receiver.takes_fax();
        sender.sends_fax("+49 30 1234", &sent);
        // A gateway that hears the tone of a machine offers it.
        carrier.offers_t38();
        sim.run_until(carrier.was_answered_again());
        assert!(sender.speaks_t38()() && receiver.speaks_t38()());
        sim.run_until(sender.has_faxed());
        assert!(Sim::pages_of(&receiver.fax_report().document) == sent, "a pixel differs");
        sender.hangs_up();
        sim.run_until_quiet();
        assert!(sim.left().is_empty(), "{:?}", sim.left());
    }
}
