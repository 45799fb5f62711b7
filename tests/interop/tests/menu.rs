//! The menu of 100, with keys pressed on a phone that was not written here (RFC 4733).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_media::g711::{Law, decode};
use plugboard_tests_interop::{Answer, Baresip, Office, Plugboard, Recording, Sipp, Transport, free_port, until};
use std::fs;
use std::path::Path;

const ANN: f64 = 440.0;
const BOB: f64 = 1_000.0;
/// Ring-back in Germany, the office's country.
const RING_BACK: f64 = 425.0;

/// A phone of sipp, registered.
fn registered(switch: &Plugboard, user: &str) -> u16 {
    let port = free_port(1);
    Sipp::registers(switch, user, &format!("secret-{user}"), port).succeeds();
    port
}

#[test]
fn key_1_rings_the_sales_group_and_the_caller_hears_ring_back() {
    let switch = Plugboard::with_office(&Office::new());
    let ringing: Vec<_> = ["102", "103", "104"]
        .map(|user| {
            let port = registered(&switch, user);
            Sipp::answers(&switch, &format!("phone-{user}"), &Answer::new().rings_only(), Transport::Udp, port).start()
        })
        .into();
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Udp);
    ann.dials("100");
    ann.waits_for_answer();
    ann.presses('1');
    for phone in &ringing {
        until("every member of the group to ring", || phone.messages().contains("180 Ringing").then_some(()));
    }
    let heard = ann.waits_to_hear();
    ann.hangs_up();
    for phone in ringing {
        let messages = phone.succeeds().messages();
        assert!(messages.contains("CANCEL "), "R29: nobody rings after the caller has hung up");
    }
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!(record["outcome"], "handled", "the menu took the call: {record}");
    let heard = ann.heard(&heard);
    assert!(heard.is_tone(RING_BACK), "{} of ring-back", heard.share(RING_BACK));
}

#[test]
fn r12_who_answers_the_group_first_gets_the_call_and_the_others_stop_ringing() {
    let switch = Plugboard::with_office(&Office::new());
    let (quick, slow) = (registered(&switch, "102"), registered(&switch, "103"));
    let slow = Sipp::answers(&switch, "slow", &Answer::new().rings_only(), Transport::Udp, slow).start();
    let quick = Sipp::answers(&switch, "quick", &Answer::new(), Transport::Udp, quick).start();
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Udp);
    ann.dials("100");
    ann.waits_for_answer();
    ann.presses('1');
    let cancelled = slow.succeeds().messages();
    assert!(cancelled.contains("cause=200;text=\"Call completed elsewhere\""), "R13: {cancelled}");
    ann.hangs_up();
    quick.succeeds();
    assert_eq!(switch.waits_for_past_calls(1)[0]["answered_by"]["name"], "102");
}

#[test]
fn r53_an_internal_number_dialled_in_the_menu_rings_that_user() {
    let switch = Plugboard::with_office(&Office::new());
    let port = registered(&switch, "105");
    let egor = Sipp::answers(&switch, "egor", &Answer::new(), Transport::Udp, port).start();
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Udp);
    ann.dials("100");
    ann.waits_for_answer();
    "105".chars().for_each(|key| ann.presses(key));
    until("105 to answer", || egor.messages().contains("ACK sip:").then_some(()));
    ann.hangs_up();
    egor.succeeds();
    assert_eq!(switch.waits_for_past_calls(1)[0]["answered_by"]["name"], "105");
}

#[test]
fn r54_a_key_stops_the_greeting_of_the_demo_and_105_is_put_through() {
    let switch = Plugboard::demo();
    let port = free_port(1);
    Sipp::registers(&switch, "105", "demo-105", port).succeeds();
    let egor = Sipp::answers(&switch, "egor", &Answer::new(), Transport::Udp, port).start();
    let ann = Baresip::start(&switch, "101", "demo-101", ANN, Transport::Udp);
    ann.dials("100");
    ann.waits_for_answer();
    // The greeting lasts seven seconds; it is cut short or the keys would come after it.
    "105".chars().for_each(|key| ann.presses(key));
    until("105 to answer", || egor.messages().contains("ACK sip:").then_some(()));
    ann.hangs_up();
    egor.succeeds();
    let record = &switch.waits_for_past_calls(1)[0];
    let took = record["answered"].as_i64().unwrap() - record["began"].as_i64().unwrap();
    assert!(took < 4_000, "the greeting was not heard to its end: {took} ms");
}

/// The greeting of the demo in a language.
fn greeting(language: &str) -> Recording {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/server/demo/audio");
    let bytes = fs::read(folder.join(format!("welcome.{language}.wav"))).unwrap();
    let data = bytes.windows(4).position(|word| word == b"data").unwrap() + 8;
    Recording::of_samples(8_000, bytes[data..].iter().map(|byte| decode(Law::Mu, *byte).into()).collect())
}

#[test]
fn who_calls_the_demo_hears_its_greeting_and_ring_back_and_talks_to_who_of_sales_answers() {
    /// The greeting lasts a second longer; after it there are five seconds for a key.
    const MOST_OF_IT: usize = 6;
    let switch = Plugboard::demo();
    let ringing = ["103", "104"].map(|user| {
        let port = free_port(1);
        Sipp::registers(&switch, user, &format!("demo-{user}"), port).succeeds();
        Sipp::answers(&switch, &format!("phone-{user}"), &Answer::new().rings_only(), Transport::Udp, port).start()
    });
    let bob = Baresip::start_ringing(&switch, "102", "demo-102", BOB);
    let ann = Baresip::start(&switch, "101", "demo-101", ANN, Transport::Udp);
    ann.dials("100");
    let file = ann.waits_to_hear_for(MOST_OF_IT);
    ann.presses('1');
    for phone in &ringing {
        until("every member of the group to ring", || phone.messages().contains("180 Ringing").then_some(()));
    }
    until("ring-back", || Recording::so_far(&file)?.has_after(MOST_OF_IT, RING_BACK).then_some(()));
    bob.takes_the_call();
    ann.waits_to_hear_tone(BOB);
    bob.waits_to_hear_tone(ANN);
    for phone in ringing {
        let messages = phone.succeeds().messages();
        assert!(messages.contains("cause=200;text=\"Call completed elsewhere\""), "R13: {messages}");
    }
    ann.hangs_up();
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!((&record["outcome"], &record["answered_by"]["name"]), (&"answered".into(), &"102".into()), "{record}");
    let heard = ann.heard(&file);
    let (english, german) = (heard.part_heard_of(&greeting("en")), heard.part_heard_of(&greeting("de")));
    assert!(english > 0.5 && german < 0.2, "{english} of the greeting, and {german} of the German one");
}

#[test]
fn r55_without_a_key_the_next_step_comes() {
    let steps = "- menu: { first_digit: 1s, keys: { '1': [ { call-user: { mode: user, target: '102' } } ] }, \
                 nothing: [ { echo: { max: 60s } } ] }";
    let switch = Plugboard::with_office(&Office::new().scenario("300", "short", steps));
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Udp);
    ann.dials("300");
    let heard = ann.waits_to_hear();
    ann.hangs_up();
    let heard = ann.heard(&heard);
    assert!(heard.is_tone(ANN), "the caller hears himself: {} of it", heard.share(ANN));
}
