//! A peer of which nothing is heard any more: one that is gone is noticed, one that is only quiet stays in the call.

use plugboard_media::EngineConfig;
use plugboard_model::{Cause, JournalEvent, LegId};
use plugboard_simulator::{Phone, Setup, Sim};

use crate::{conversation, journaled, seconds, talk};

const SILENCES: &str = "plugboard_media_silences_total";

fn counted(sim: &Sim, found: &str) -> Option<f64> {
    sim.metric(&format!("{SILENCES}{{found=\"{found}\"}}"))
}

/// Two who talk, watched in this way.
pub(crate) fn watched(engine: EngineConfig) -> (Sim, Phone, Phone) {
    let mut sim = Setup::demo().engine(engine).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    (sim, ann, bob)
}

#[test]
fn a_phone_that_is_gone_is_noticed_and_the_other_one_is_let_go_with_the_reason() {
    let (mut sim, ann, bob) = conversation();
    let begin = sim.now();
    bob.is_unplugged();
    sim.run_for(seconds(60 + 33));
    assert!(ann.is_idle()(), "{}", sim.ladder());
    assert_eq!(ann.reason().as_deref(), Some(r#"SIP;cause=408;text="The other side fell silent""#));
    sim.run_until_quiet();
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
     60.555  switch -> bob  OPTIONS
     61.055  switch -> bob  OPTIONS
     62.055  switch -> bob  OPTIONS
     64.055  switch -> bob  OPTIONS
     68.055  switch -> bob  OPTIONS
     72.055  switch -> bob  OPTIONS
     76.055  switch -> bob  OPTIONS
     80.055  switch -> bob  OPTIONS
     84.055  switch -> bob  OPTIONS
     88.055  switch -> bob  OPTIONS
     92.055  switch -> bob  OPTIONS
     92.555  switch -> bob  BYE because SIP;cause=408;text="No media and no answer"
     92.555  switch -> ann  BYE because SIP;cause=408;text="The other side fell silent"
     92.560  ann -> switch  200 BYE
     93.055  switch -> bob  BYE because SIP;cause=408;text="No media and no answer"
     94.055  switch -> bob  BYE because SIP;cause=408;text="No media and no answer"
     96.055  switch -> bob  BYE because SIP;cause=408;text="No media and no answer"
    100.055  switch -> bob  BYE because SIP;cause=408;text="No media and no answer"
    104.055  switch -> bob  BYE because SIP;cause=408;text="No media and no answer"
    108.055  switch -> bob  BYE because SIP;cause=408;text="No media and no answer"
    112.055  switch -> bob  BYE because SIP;cause=408;text="No media and no answer"
    116.055  switch -> bob  BYE because SIP;cause=408;text="No media and no answer"
    120.055  switch -> bob  BYE because SIP;cause=408;text="No media and no answer"
    124.055  switch -> bob  BYE because SIP;cause=408;text="No media and no answer"
    "#);
    let record = sim.record();
    let causes: Vec<&Cause> = record.legs.iter().map(|leg| &leg.cause).collect();
    assert_eq!(causes, [&Cause::left_by_the_silent(), &Cause::silent()]);
    let silent = |event: &JournalEvent| *event == JournalEvent::FellSilent { leg: LegId(1) };
    assert_eq!(journaled(&sim, &record, silent), 1);
    assert_eq!((counted(&sim, "asked"), counted(&sim, "ended")), (Some(1.0), Some(1.0)));
}

#[test]
fn a_caller_who_is_gone_ends_the_call_as_well() {
    let (mut sim, ann, bob) = conversation();
    ann.is_unplugged();
    sim.run_for(seconds(60 + 33));
    assert!(bob.is_idle()(), "{}", sim.ladder());
    assert_eq!(bob.reason().as_deref(), Some(r#"SIP;cause=408;text="The other side fell silent""#));
    sim.run_until_quiet();
    let causes: Vec<Cause> = sim.record().legs.iter().map(|leg| leg.cause.clone()).collect();
    assert_eq!(causes, [Cause::silent(), Cause::left_by_the_silent()]);
}

#[test]
fn a_phone_that_is_only_muted_stays_in_the_call_and_the_record_says_that_nobody_heard_it() {
    let (mut sim, ann, bob) = conversation();
    let begin = sim.now();
    bob.is_muted(true);
    sim.run_for(seconds(400));
    assert!(ann.hears_nothing()() && ann.talks()(), "{}", sim.ladder());
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    60.555  switch -> bob  OPTIONS
    60.560  bob -> switch  200 OPTIONS
    "#);
    bob.is_muted(false);
    talk(&mut sim, &ann, &bob);
    bob.is_muted(true);
    sim.run_for(seconds(100));
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    let of = |event: JournalEvent| journaled(&sim, &record, |other| *other == event);
    let leg = LegId(1);
    assert_eq!(of(JournalEvent::FellSilent { leg }), 2, "asked once each time");
    assert_eq!(of(JournalEvent::NotHeard { leg }), 2);
    assert_eq!(of(JournalEvent::HeardAgain { leg }), 1);
    assert_eq!((counted(&sim, "one_way"), counted(&sim, "ended")), (Some(2.0), Some(0.0)));
    assert!(record.legs.iter().all(|leg| leg.cause.status == 200));
}

#[test]
fn whoever_knows_nothing_of_the_call_any_more_is_gone() {
    let (mut sim, ann, bob) = conversation();
    bob.is_muted(true);
    bob.answers_options_with(481);
    sim.run_for(seconds(63));
    assert!(ann.is_idle()(), "{}", sim.ladder());
    sim.run_until_quiet();
    assert_eq!(sim.record().legs[1].cause, Cause::silent());
}

#[test]
fn nobody_is_asked_who_holds_or_is_held_and_after_it_both_have_their_time_again() {
    let (mut sim, ann, bob) = conversation();
    let begin = sim.now();
    ann.is_muted(true);
    bob.is_muted(true);
    ann.holds();
    sim.run_for(seconds(300));
    ann.resumes();
    sim.run_for(seconds(55));
    let ladder = sim.ladder().since(begin).to_string();
    assert!(!ladder.contains("OPTIONS"), "{ladder}");
    sim.run_for(seconds(10));
    let ladder = sim.ladder().since(begin).to_string();
    assert_eq!(ladder.matches("OPTIONS").count(), 4, "both are asked, and answer\n{ladder}");
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_held_phone_that_is_gone_is_not_noticed_before_it_is_taken_back() {
    let (mut sim, ann, bob) = conversation();
    ann.holds();
    sim.run_for(seconds(1));
    bob.is_unplugged();
    sim.run_for(seconds(300));
    assert!(ann.talks()(), "{}", sim.ladder());
    ann.resumes();
    sim.run_for(seconds(60 + 33));
    assert!(ann.is_idle()(), "{}", sim.ladder());
    sim.run_until_quiet();
    assert_eq!(sim.record().legs[1].cause, Cause::silent());
}

#[test]
fn who_was_never_heard_is_asked_only_where_that_is_wanted() {
    for from_start in [false, true] {
        let mut sim =
            Setup::demo().engine(EngineConfig { silent_from_start: from_start, ..EngineConfig::default() }).start();
        let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
        ann.dials("102");
        sim.run_until(bob.rings());
        bob.is_muted(true);
        bob.answers();
        sim.run_until(bob.hears("ann"));
        sim.run_for(seconds(70));
        assert_eq!(sim.ladder().to_string().contains("OPTIONS"), from_start, "{}", sim.ladder());
        assert_eq!(counted(&sim, "one_way"), Some(1.0));
        ann.hangs_up();
        sim.run_until_quiet();
    }
}

#[test]
fn the_time_is_the_admins_and_none_is_never() {
    for (after, asked) in [(10, true), (0, false)] {
        let (mut sim, ann, bob) = watched(EngineConfig { silent_after: seconds(after), ..EngineConfig::default() });
        bob.is_muted(true);
        sim.run_for(seconds(12));
        assert_eq!(sim.ladder().to_string().contains("OPTIONS"), asked, "{}", sim.ladder());
        sim.run_for(seconds(300));
        ann.hangs_up();
        sim.run_until_quiet();
    }
}

#[test]
fn whoever_talks_to_a_scenario_and_is_gone_ends_it() {
    let mut sim = crate::story("  - echo: { max: 1h }\n").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("ann"));
    ann.is_unplugged();
    sim.run_for(seconds(60 + 33));
    sim.run_until_quiet();
    assert_eq!(sim.record().legs[0].cause, Cause::silent());
}
