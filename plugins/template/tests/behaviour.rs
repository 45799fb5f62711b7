//! What the action does under the real host.

use plugboard_testkit::{Audio, HostCall, Report, Testkit, WallTime, json};

/// A run that begins at this hour of UTC.
fn greeted_at(hour: i64, utc_offset: i32) -> Report {
    let testkit = Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap();
    let parameters = json!({ "utc_offset": utc_offset });
    testkit.run().parameters(&parameters).began(WallTime(hour * 3_600_000)).finish().unwrap()
}

#[test]
fn the_caller_is_greeted_by_the_time_of_day() {
    for (hour, part) in [(4, "evening"), (5, "morning"), (10, "morning"), (11, "day"), (17, "day"), (18, "evening")] {
        let report = greeted_at(hour, 0);
        assert_eq!((report.outcome(), report.text("part_of_day")), (Some("done"), Some(part)), "at {hour}");
        let prompt = Audio::Prompt(format!("greeting-{part}"));
        assert!(report.calls.iter().any(|call| matches!(call, HostCall::Play { audio, .. } if *audio == prompt)));
    }
}

#[test]
fn the_hour_is_the_offices_own() {
    assert_eq!(greeted_at(23, 7).text("part_of_day"), Some("morning"));
    assert_eq!(greeted_at(1, -3).text("part_of_day"), Some("evening"));
}
