//! How a call sounded: told in its record, leg by leg, and in the metrics.

use plugboard_model::{LegQuality, Sound};
use plugboard_simulator::{Setup, Sim, Weather};

use crate::{conversation, seconds, talk};

fn qualities(sim: &Sim) -> Vec<LegQuality> {
    sim.record().legs.iter().filter_map(|leg| leg.quality.clone()).collect()
}

fn sounds(sim: &Sim) -> Vec<Sound> {
    qualities(sim).iter().map(|quality| quality.sound).collect()
}

#[test]
fn a_clean_call_has_the_best_score_on_both_legs() {
    let (mut sim, ann, _bob) = conversation();
    sim.run_for(seconds(20));
    ann.hangs_up();
    sim.run_until_quiet();
    let legs = qualities(&sim);
    assert_eq!(legs.len(), 2);
    for leg in legs {
        assert_eq!((leg.sound, leg.lost, leg.codec.as_str()), (Sound::BothWays, 0, "PCMU"));
        assert!(leg.received >= 950 && leg.sent >= 950, "{leg:?}");
        assert!(leg.mos.is_some_and(|mos| mos >= 430), "{leg:?}");
    }
    assert_eq!(sim.metric(r#"plugboard_leg_sound_total{sound="both_ways"}"#), Some(2.0));
    assert_eq!(sim.metric("plugboard_leg_mos_count"), Some(2.0));
    assert_eq!(sim.metric("plugboard_leg_loss_ratio_count"), Some(2.0));
}

#[test]
fn losses_and_jitter_are_in_the_record_and_cost_the_score() {
    let (mut sim, ann, _bob) = conversation();
    sim.weather(Weather { lost: 100, ..Weather::CALM });
    sim.run_for(seconds(30));
    sim.weather(Weather::CALM);
    ann.hangs_up();
    sim.run_until_quiet();
    for leg in qualities(&sim) {
        let share = 100 * leg.lost / (leg.received + leg.lost);
        assert!((6..=14).contains(&share), "{share} % of {leg:?}");
        assert!(leg.mos.is_some_and(|mos| (200..380).contains(&mos)), "{leg:?}");
    }
}

#[test]
fn jitter_is_in_the_record_of_each_leg_and_in_the_metrics() {
    for (longest, expected) in [(5, 0..=1_000), (45, 8_000..=25_000)] {
        let (mut sim, ann, _bob) = conversation();
        sim.weather(Weather { delay_ms_max: longest, ..Weather::CALM });
        sim.run_for(seconds(30));
        sim.weather(Weather::CALM);
        ann.hangs_up();
        sim.run_until_quiet();
        let legs = qualities(&sim);
        // Both ways take 5 to 45 ms by chance: 13 ms between two packets on average.
        assert!(legs.iter().all(|leg| expected.contains(&leg.jitter_us)), "{longest}: {legs:?}");
        assert_eq!(sim.metric("plugboard_leg_jitter_seconds_count"), Some(2.0));
        let sum: u32 = legs.iter().map(|leg| leg.jitter_us).sum();
        let told = sim.metric("plugboard_leg_jitter_seconds_sum").unwrap();
        assert!((told * 1e6 - f64::from(sum)).abs() < 1.0, "{told} {sum}");
    }
}

#[test]
fn the_way_there_and_back_is_in_the_record_and_in_the_metrics() {
    let mut sim = crate::story("  - play-audio: { audio: long }\n").start();
    let ann = sim.phone("ann", "101");
    ann.reports();
    ann.dials("300");
    sim.run_until(ann.hears("long"));
    sim.weather(Weather { delay_ms_min: 40, delay_ms_max: 40, ..Weather::CALM });
    sim.run_for(seconds(30));
    sim.weather(Weather::CALM);
    ann.hangs_up();
    sim.run_until_quiet();
    let legs = qualities(&sim);
    let there_and_back = legs[0].round_trip_us.unwrap_or_else(|| panic!("{legs:?}"));
    assert!((70_000..=85_000).contains(&there_and_back), "{legs:?}");
    assert_eq!(sim.metric("plugboard_leg_round_trip_seconds_count"), Some(1.0));
}

#[test]
fn a_phone_that_sends_nothing_is_named() {
    let mut sim = Setup::demo().start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.is_muted(true);
    bob.answers();
    sim.run_until(ann.talks());
    sim.run_for(seconds(10));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sounds(&sim), [Sound::BothWays, Sound::NotHeard]);
    assert_eq!(qualities(&sim)[1].mos, None, "nothing came");
    assert_eq!(sim.metric(r#"plugboard_leg_sound_total{sound="not_heard"}"#), Some(1.0));
}

#[test]
fn one_that_was_heard_and_is_no_more_is_named() {
    let (mut sim, ann, bob) = conversation();
    bob.is_muted(true);
    sim.run_for(seconds(70));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sounds(&sim), [Sound::BothWays, Sound::FellSilent]);
}

#[test]
fn one_that_is_heard_again_had_a_gap() {
    let (mut sim, ann, bob) = conversation();
    bob.is_muted(true);
    sim.run_for(seconds(70));
    bob.is_muted(false);
    sim.run_for(seconds(5));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sounds(&sim), [Sound::BothWays, Sound::Gaps]);
}

#[test]
fn some_seconds_without_a_packet_are_named_in_between_and_at_the_end() {
    for (silent, heard_again, sound) in
        [(2, true, Sound::BothWays), (5, true, Sound::Gaps), (5, false, Sound::FellSilent)]
    {
        let (mut sim, ann, bob) = conversation();
        sim.run_for(seconds(5));
        bob.is_muted(true);
        sim.run_for(seconds(silent));
        if heard_again {
            bob.is_muted(false);
            sim.run_for(seconds(5));
        }
        ann.hangs_up();
        sim.run_until_quiet();
        assert_eq!(sounds(&sim), [Sound::BothWays, sound], "{silent} s");
    }
}

#[test]
fn a_hold_is_no_gap() {
    let (mut sim, ann, bob) = conversation();
    sim.run_for(seconds(3));
    bob.holds();
    sim.run_until(bob.was_answered_again());
    bob.is_muted(true);
    sim.run_for(seconds(10));
    bob.is_muted(false);
    bob.resumes();
    sim.run_for(seconds(5));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sounds(&sim), [Sound::BothWays, Sound::BothWays]);
}

#[test]
fn a_call_that_nobody_answers_says_nothing_of_sound() {
    let mut sim = Setup::demo().start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(sounds(&sim).iter().all(|sound| *sound == Sound::Unknown));
}

#[test]
fn a_short_call_says_nothing_of_which_way_sound_went() {
    let mut sim = Setup::demo().start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sounds(&sim), [Sound::Unknown, Sound::Unknown]);
}
