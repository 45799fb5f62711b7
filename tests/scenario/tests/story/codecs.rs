//! What legs speak that the switch had answered itself before they were put through: what passes between them is not packed anew if they
//! share any codec.

use plugboard_media::Codec;
use plugboard_simulator::{Phone, Sim};

use crate::{seconds, story, talk};

const MENU: &str = "  - play-audio: { audio: first }\n  - call-user: { mode: user, target: 102 }\n";

/// Ann, who speaks G.722 best, hears a prompt; Bob, whom she is put through to, speaks G.711 alone.
fn at_a_menu() -> (Sim, Phone, Phone) {
    let mut sim = story(MENU).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.speaks(&[Codec::G722, Codec::Pcma]);
    ann.dials("300");
    sim.run_until(ann.talks());
    (sim, ann, bob)
}

/// Frames that were packed anew so far.
fn packed_anew(sim: &Sim) -> f64 {
    sim.metric("plugboard_rtp_transcoded_frames_total").unwrap_or_default()
}

#[test]
fn who_was_answered_at_a_menu_changes_to_the_codec_of_whom_he_talks_to_and_nothing_is_packed_anew() {
    let (mut sim, ann, bob) = at_a_menu();
    sim.run_until(bob.rings());
    let begin = sim.now();
    bob.answers();
    sim.run_until(|| !ann.requests("INVITE").is_empty());
    let offer = ann.requests("INVITE").join("");
    assert!(offer.contains("RTP/AVP 8 101\r\n"), "the shared one alone: {offer}");
    talk(&mut sim, &ann, &bob);
    sim.run_for(seconds(1));
    let before = packed_anew(&sim);
    sim.run_for(seconds(5));
    assert!(ann.hears_now("bob") && bob.hears_now("ann"));
    assert!((packed_anew(&sim) - before).abs() < 0.5, "a booth packs anew what could pass");
    let ladder = sim.ladder().since(begin);
    for once in ["switch -> ann  INVITE", "ann -> switch  200 INVITE +sdp", "switch -> ann  ACK"] {
        assert_eq!(ladder.count(once), 1, "{ladder}");
    }
    assert_eq!(ladder.count("switch -> bob  INVITE"), 0, "{ladder}");
    // What she says of herself later keeps it.
    ann.holds();
    sim.run_until(ann.was_answered_again());
    ann.resumes();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn who_refuses_the_change_is_asked_once_and_heard_through_a_booth() {
    let (mut sim, ann, bob) = at_a_menu();
    ann.always_refuses(488);
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(|| !ann.requests("INVITE").is_empty());
    sim.run_for(seconds(2));
    let before = packed_anew(&sim);
    sim.run_for(seconds(2));
    assert!(packed_anew(&sim) - before > 150.0, "a hundred each way");
    // A hold and its end bridge them anew: she is not asked again.
    bob.holds();
    sim.run_until(bob.was_answered_again());
    bob.resumes();
    sim.run_for(seconds(2));
    assert_eq!(ann.requests("INVITE").len(), 1);
    bob.hangs_up();
    sim.run_until_quiet();
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn whoever_has_no_codec_in_common_is_not_asked_for_one() {
    let mut sim = story(MENU).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.speaks_only(Codec::G722);
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_for(seconds(3));
    assert!(ann.requests("INVITE").is_empty() && bob.requests("INVITE").len() == 1);
    assert!(packed_anew(&sim) > 100.0);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn whom_the_switch_rang_changes_where_its_caller_cannot() {
    // Bob chose G.711, though he has named G.722 as well.
    let mut sim = story(MENU).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.speaks_only(Codec::G722);
    bob.speaks(&[Codec::Pcma, Codec::G722]);
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    assert!(ann.requests("INVITE").is_empty() && bob.requests("INVITE").len() == 2);
    let before = packed_anew(&sim);
    sim.run_for(seconds(3));
    assert!((packed_anew(&sim) - before).abs() < 0.5);
    ann.hangs_up();
    sim.run_until_quiet();
}
