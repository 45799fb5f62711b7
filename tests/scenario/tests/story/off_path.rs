//! Audio that comes to a call from elsewhere than its phones: it is not heard, and nothing is sent to whoever sends it.

use plugboard_media::FaxEnd;
use plugboard_media::udptl::Sender;
use plugboard_model::FaxOutcome;
use plugboard_simulator::{Phone, Sim};

use crate::fax::page;
use crate::{millis, seconds, story, talk};

/// Ann and Bob talk, and so do Carol and the one whose audio goes astray.
fn two_calls(begin: impl Fn(&Phone)) -> (Sim, Phone, Phone, Phone) {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let (carol, mallory) = (sim.phone("carol", "103"), sim.new_phone("mallory", "104"));
    begin(&ann);
    for (caller, called, number) in [(&ann, &bob, "102"), (&mallory, &carol, "103")] {
        caller.dials(number);
        sim.run_until(called.rings());
        called.answers();
        talk(&mut sim, caller, called);
    }
    (sim, ann, bob, mallory)
}

/// For half a minute the one hears and is heard by nobody of that call.
#[track_caller]
fn is_kept_out(sim: &mut Sim, [ann, bob, mallory]: [&Phone; 3]) {
    mallory.aims_at(ann);
    let before = mallory.packets_of("bob");
    sim.run_for(seconds(30));
    assert_eq!((bob.packets_of("mallory"), ann.packets_of("mallory")), (0, 0), "he is heard");
    assert_eq!(mallory.packets_of("bob") - before, 0, "he hears");
}

#[test]
fn who_sends_to_the_port_of_a_muted_phone_is_not_heard_and_hears_nothing() {
    let (mut sim, ann, bob, mallory) = two_calls(|_| ());
    ann.is_muted(true);
    sim.run_for(seconds(3));
    is_kept_out(&mut sim, [&ann, &bob, &mallory]);
    assert!(ann.hears_now("bob"), "what is said to her goes to her");
    ann.is_muted(false);
    talk(&mut sim, &ann, &bob);
}

#[test]
fn who_sends_to_the_port_of_a_muted_phone_behind_nat_is_not_heard_and_hears_nothing() {
    let (mut sim, ann, bob, mallory) = two_calls(Phone::is_behind_nat);
    ann.is_muted(true);
    sim.run_for(seconds(3));
    is_kept_out(&mut sim, [&ann, &bob, &mallory]);
    assert!(ann.hears_now("bob"), "what is said to her goes to her");
    ann.is_muted(false);
    talk(&mut sim, &ann, &bob);
}

#[test]
fn who_sends_to_the_port_of_a_phone_that_holds_is_not_heard_and_hears_nothing() {
    let holds: [fn(&Phone); 3] = [Phone::holds, Phone::holds_both_ways, Phone::holds_with_zeros];
    for hold in holds {
        for begin in [|_: &Phone| (), Phone::is_behind_nat] {
            let (mut sim, ann, bob, mallory) = two_calls(begin);
            hold(&ann);
            sim.run_for(seconds(3));
            is_kept_out(&mut sim, [&ann, &bob, &mallory]);
            ann.resumes();
            talk(&mut sim, &ann, &bob);
        }
    }
}

#[test]
fn a_phone_of_an_old_call_that_goes_on_sending_to_a_port_is_not_heard_in_the_next() {
    let (mut sim, ann, bob, mallory) = two_calls(|_| ());
    mallory.hangs_up();
    sim.run_for(seconds(1));
    is_kept_out(&mut sim, [&ann, &bob, &mallory]);
    talk(&mut sim, &ann, &bob);
}

#[test]
fn whoever_sends_t38_from_behind_the_same_nat_neither_spoils_nor_gets_a_fax() {
    let sent = [page(1)];
    let mut sim = story("  - receive-fax: { ident: \"+49 30 99\" }\n").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.talks());
    ann.offers_t38();
    sim.run_until(ann.was_answered_again());
    // He begins before her machine has said a word, and goes on as long as it speaks.
    let mut his = Sender::new(400);
    let mut sprays = |sim: &mut Sim| {
        for _ in 0..4 {
            sim.strays(&ann, his.pack(b"his"));
        }
        sim.run_for(millis(80));
    };
    sprays(&mut sim);
    ann.sends_fax("+49 30 1234", &sent);
    for _ in 0..1_000 {
        if !ann.has_faxed()() {
            sprays(&mut sim);
        }
    }
    assert_eq!(ann.fax_report().end, FaxEnd::Done);
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let faxes = sim.faxes("main");
    assert_eq!((&faxes[0].end, faxes[0].pages, faxes[0].bad_rows), (&FaxOutcome::Done, 1, 0));
    assert!(sim.pages(&faxes[0].files[0].file) == sent, "a pixel differs");
}
