//! Questions for the time, as documents ask them.

use plugboard_calendar::{Asked, Calendar, Schedule, Zone, import};
use plugboard_document::{Faults, Field};
use plugboard_model::WallTime;
use proptest::prelude::*;
use std::sync::Arc;

const OFFICE: &str = r#"
id: office
time_zone: Europe/Berlin
open:
  - { days: [mon-fri], from: "09:00", to: "18:00" }
  - { days: [sat, holiday], from: "10:00", to: "12:00" }
holidays:
  - { on: "12-25", name: Christmas }
  - "2026-12-24..2027-01-01"
working_days:
  - { on: "2026-11-07", as: mon }
  - { on: "2026-12-30", as: sat }
"#;

fn calendar() -> Arc<Calendar> {
    let node = plugboard_document::parse("office.yaml", OFFICE).unwrap();
    let mut faults = Faults::new("office.yaml");
    let calendar = Calendar::read(&Field::root(&node), None, &|_| unreachable!(), &mut faults);
    assert_eq!(faults.into_sorted(), []);
    Arc::new(calendar.unwrap())
}

/// What comes of a question: a schedule, or its faults.
fn asked(question: &str) -> Result<Schedule, Vec<String>> {
    let text = format!("when: {question}\n");
    let node = plugboard_document::parse("x.yaml", &text).unwrap();
    let mut faults = Faults::new("x.yaml");
    let mut fields = Field::root(&node).fields(&mut faults).unwrap();
    let field = fields.take("when").unwrap();
    let find = |name: &str| (name == "office").then(calendar);
    let schedule = Asked::read(&field, &mut faults)
        .and_then(|asked| asked.resolve(Zone::of("Europe/Berlin"), &find, &["office"], &mut faults));
    let faults = faults.into_sorted();
    if faults.is_empty() { Ok(schedule.unwrap()) } else { Err(faults.iter().map(ToString::to_string).collect()) }
}

fn wall(utc: &str) -> WallTime {
    WallTime(chrono::DateTime::parse_from_rfc3339(utc).unwrap().timestamp_millis())
}

fn holds(question: &str, utc: &str) -> bool {
    asked(question).unwrap().holds(wall(utc))
}

#[test]
fn r71_a_range_holds_from_its_first_minute_to_before_its_last() {
    let day = r#"{ days: [mon-fri], from: "09:00", to: "18:00" }"#;
    // In winter clocks in Berlin are an hour ahead of UTC, in summer two.
    for (utc, expected) in [
        ("2026-11-23T07:59:59Z", false),
        ("2026-11-23T08:00:00Z", true),
        ("2026-11-23T16:59:59Z", true),
        ("2026-11-23T17:00:00Z", false),
        ("2026-07-20T06:59:59Z", false),
        ("2026-07-20T07:00:00Z", true),
        ("2026-11-22T10:00:00Z", false),
    ] {
        assert_eq!(holds(day, utc), expected, "{utc}");
    }
}

#[test]
fn r71_clocks_that_are_put_on_and_back_leave_no_gap_and_no_double() {
    // On 2026-03-29 clocks go from 02:00 to 03:00: half past two does not come.
    let night = r#"{ from: "02:30", to: "03:30" }"#;
    for (utc, expected) in
        [("2026-03-29T00:59:00Z", false), ("2026-03-29T01:00:00Z", true), ("2026-03-29T01:30:00Z", false)]
    {
        assert_eq!(holds(night, utc), expected, "{utc}");
    }
    // On 2026-10-25 the hour from 02:00 to 03:00 comes twice.
    for (utc, expected) in [
        ("2026-10-25T00:29:00Z", false),
        ("2026-10-25T00:30:00Z", true),
        ("2026-10-25T01:00:00Z", false),
        ("2026-10-25T01:30:00Z", true),
        ("2026-10-25T02:30:00Z", false),
    ] {
        assert_eq!(holds(night, utc), expected, "{utc}");
    }
    // Midnight of another zone: the same moment is Monday there and Sunday here.
    assert!(holds("{ days: mon, time_zone: Asia/Vladivostok }", "2026-11-22T15:00:00Z"));
    assert!(!holds("{ days: mon }", "2026-11-22T15:00:00Z"));
}

#[test]
fn hours_past_midnight_belong_to_the_day_before() {
    let night = r#"{ calendar: office, days: [fri], from: "22:00", to: "06:00" }"#;
    assert!(holds(night, "2026-11-20T21:00:00Z") && holds(night, "2026-11-21T04:59:00Z"));
    assert!(!holds(night, "2026-11-21T05:00:00Z") && !holds(night, "2026-11-21T21:00:00Z"));
    // Friday the 25th of December is a holiday, so that the night after it is none of a Friday's.
    assert!(!holds(night, "2026-12-25T22:00:00Z") && !holds(night, "2026-12-26T02:00:00Z"));
}

#[test]
fn hours_that_end_when_they_begin_are_a_whole_day() {
    let day = r#"{ days: [fri], from: "08:00", to: "08:00" }"#;
    for (utc, expected) in [
        ("2026-11-20T06:59:00Z", false),
        ("2026-11-20T07:00:00Z", true),
        ("2026-11-21T06:59:00Z", true),
        ("2026-11-21T07:00:00Z", false),
    ] {
        assert_eq!(holds(day, utc), expected, "{utc}");
    }
}

#[test]
fn a_calendar_knows_holidays_and_days_on_which_people_work_instead() {
    for (utc, expected, why) in [
        ("2026-11-23T10:00:00Z", true, "a Monday"),
        ("2026-11-07T15:00:00Z", true, "a Saturday on which people work as on a Monday"),
        ("2026-11-14T15:00:00Z", false, "a Saturday"),
        ("2026-11-14T10:00:00Z", true, "a Saturday's hours"),
        ("2026-12-28T15:00:00Z", false, "a holiday"),
        ("2026-12-28T10:00:00Z", true, "a holiday's hours"),
        ("2027-12-25T15:00:00Z", false, "each year's holiday"),
        ("2026-12-30T15:00:00Z", false, "a holiday on which people work as on a Saturday"),
        ("2026-12-30T10:00:00Z", true, "its hours"),
    ] {
        assert_eq!(holds("office", utc), expected, "{why}");
        assert_eq!(holds("{ calendar: office }", utc), expected, "{why}");
    }
    assert!(holds("{ calendar: office, days: holiday }", "2026-12-28T03:00:00Z"));
    assert!(!holds("{ calendar: office, days: holiday }", "2026-12-30T03:00:00Z"));
    assert!(!holds(r#"{ calendar: office, from: "00:00", to: "24:00" }"#, "2026-12-28T03:00:00Z"));
    assert!(holds(r#"{ from: "00:00", to: "24:00" }"#, "2026-12-28T03:00:00Z"), "without a calendar every day counts");
}

#[test]
fn one_of_several_ranges_is_enough_and_what_time_it_is_can_be_told() {
    let question =
        r#"{ one_of: [{ dates: ["12-24..12-26"] }, { calendar: office, days: [mon], from: "08:00", to: "09:00" }] }"#;
    assert!(holds(question, "2030-12-24T12:00:00Z") && holds(question, "2026-11-23T07:30:00Z"));
    assert!(!holds(question, "2026-11-24T07:30:00Z"));
    assert_eq!(
        asked(question).unwrap().told(wall("2026-12-25T11:05:00Z")),
        "fri 2026-12-25 12:05 Europe/Berlin, a holiday (Christmas)"
    );
}

#[test]
fn what_cannot_be_answered_is_refused_with_place_reason_and_remedy() {
    for (question, part) in [
        ("offices", "did you mean \"office\"?"),
        ("{}", "no time is asked for"),
        (r#"{ from: "09:00" }"#, "belong together"),
        (r#"{ from: "9", to: "10" }"#, "no time of the day"),
        ("{ days: [monday] }", "no day"),
        ("{ days: [] }", "there is no day"),
        ("{ days: [holiday] }", "only a calendar knows"),
        ("{ dates: ['24.12.2026'] }", "no span of days"),
        ("{ one_of: [] }", "there is no range"),
        ("{ days: mon, time_zone: Europe/Bonn }", "no time zone"),
        ("{ day: mon }", "\"day\" is not known"),
        ("[mon]", "a text is expected"),
    ] {
        let faults = asked(question).unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.contains(part) && fault.contains("x.yaml:1")),
            "{question}: {faults:?}"
        );
    }
}

#[test]
fn a_calendar_is_written_as_it_is_read() {
    let calendar = calendar();
    let node = calendar.node(Zone::of("UTC"));
    let mut faults = Faults::new("again.yaml");
    let again = Calendar::read(&Field::root(&node), None, &|_| unreachable!(), &mut faults);
    assert_eq!(faults.into_sorted(), []);
    assert_eq!(again.unwrap(), *calendar);
}

#[test]
fn holidays_come_out_of_a_file_and_a_broken_one_is_named() {
    let text = "id: de\ntime_zone: Europe/Berlin\nical: [de.ics, none.ics, junk.ics]\n";
    let node = plugboard_document::parse("office.yaml", text).unwrap();
    let mut faults = Faults::new("office.yaml");
    let file = |path: &str| match path {
        "de.ics" => Ok("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261003\r\n\
            SUMMARY:Unity Day\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
            .to_owned()),
        "junk.ics" => Ok("junk".into()),
        _ => Err("no such file".into()),
    };
    let calendar = Calendar::read(&Field::root(&node), None, &file, &mut faults).unwrap();
    assert_eq!(calendar.holidays.len(), 1);
    assert_eq!(calendar.holidays[0].name, "Unity Day");
    let faults: Vec<String> = faults.into_sorted().iter().map(ToString::to_string).collect();
    assert!(faults[0].contains("none.ics: no such file") && faults[1].contains("junk.ics: it is no iCalendar file"));
    assert_eq!(faults.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a file holds, it is read or refused.
    #[test]
    fn no_file_makes_it_panic(
        lines in proptest::collection::vec((0_usize..12, "[0-9A-Z;=:,+-]{0,24}"), 0..24),
    ) {
        let words = [
            "BEGIN:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "END:VCALENDAR", "DTSTART;VALUE=DATE:", "DTEND;VALUE=DATE:",
            "RRULE:FREQ=YEARLY;", "RRULE:FREQ=DAILY;INTERVAL=", "EXDATE;VALUE=DATE:", "RDATE;VALUE=DATE:", "DURATION:P", "",
        ];
        let mut text = String::from("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260101\r\n");
        for (word, rest) in lines {
            text = text + words[word] + &rest + "\r\n";
        }
        let _ = import(&(text + "END:VEVENT\r\nEND:VCALENDAR\r\n"));
    }

    /// By every clock a day is open or closed without an end of the world.
    #[test]
    fn every_moment_has_an_answer(millis in any::<i64>()) {
        let _ = asked("office").unwrap().holds(WallTime(millis));
    }
}

#[test]
fn changes_are_all_the_moments_at_which_it_begins_or_ends_to_be_the_time_also_where_clocks_are_changed() {
    const MINUTE: i64 = 60_000;
    let questions = [
        "office",
        "{ calendar: office, days: [holiday] }",
        "{ days: [mon-fri], from: \"09:07\", to: \"18:00\", time_zone: America/St_Johns }",
        "{ days: [sun], from: \"02:30\", to: \"02:45\", time_zone: Europe/Berlin }",
        "{ from: \"22:00\", to: \"06:00\", time_zone: Australia/Lord_Howe }",
        "{ dates: \"12-24..12-26\", time_zone: Europe/Berlin }",
    ];
    let starts = ["2026-03-27T12:00:00Z", "2026-04-03T00:00:00Z", "2026-10-23T12:00:00Z", "2026-12-22T00:00:00Z"];
    for question in questions {
        let schedule = asked(question).unwrap();
        for start in starts {
            let start = Zone::default().moment(start).unwrap().0;
            let end = start + 5 * 1_440 * MINUTE;
            let says = |at: i64| schedule.holds(WallTime(at));
            let scanned: Vec<WallTime> = (start / MINUTE + 1..=end / MINUTE)
                .filter(|minute| says(minute * MINUTE) != says(minute * MINUTE - 1))
                .map(|minute| WallTime(minute * MINUTE))
                .collect();
            assert_eq!(schedule.changes(WallTime(start), WallTime(end)), scanned, "{question} from {start}");
        }
    }
}
