//! The JSON Schema of calendars.

use super::{name, object};
use plugboard_calendar::DATES_MAX;
use serde_json::{Value as Json, json};

/// A time of certain days; `holidays`: they may be named among the days.
pub(super) fn hours(holidays: bool) -> Json {
    let days = if holidays {
        "`mon` to `sun`, also as `mon-fri`, and `holiday`: the days on which it begins; without it, all but holidays."
    } else {
        "`mon` to `sun`, also as `mon-fri`: the days on which it begins; without it, all."
    };
    object(
        &["from", "to"],
        json!({
            "days": { "type": ["array", "string"], "items": { "type": "string" }, "examples": [["mon-fri"]], "description": days },
            "from": { "type": "string", "pattern": "^[0-9]{1,2}:[0-9]{2}$", "examples": ["07:00"], "description": "From then on." },
            "to": { "type": "string", "pattern": "^[0-9]{1,2}:[0-9]{2}$", "examples": ["20:00"], "description": "Until then; of the next day when it is not after `from`." }
        }),
    )
}

pub(super) fn calendar() -> Json {
    let span = json!({ "type": "string", "pattern": "^([0-9]{4}-)?[0-9]{2}-[0-9]{2}([.][.]([0-9]{4}-)?[0-9]{2}-[0-9]{2})?$",
        "examples": ["2026-12-24..2027-01-06"], "description": "A day, `2026-12-24`; one of each year, `12-24`; or two of a kind with `..` between." });
    let holiday = object(
        &["on"],
        json!({
            "on": span,
            "name": { "type": "string", "maxLength": 120, "examples": ["Christmas"], "description": "For people: `call trace` names it." }
        }),
    );
    let working_day = object(
        &["on", "as"],
        json!({
            "on": span,
            "as": { "enum": plugboard_calendar::DAYS, "examples": ["mon"], "description": "As on which day of the week people work then." }
        }),
    );
    object(
        &["id"],
        json!({
            "id": name("Its name, by which `when` asks for it.", "office"),
            "time_zone": { "type": "string", "examples": ["Europe/Berlin"], "description": "Whose clocks it goes by; the office's unless told." },
            "open": { "type": "array", "maxItems": 64, "items": hours(true), "examples": [[{ "days": ["mon-fri"], "from": "09:00", "to": "18:00" }]],
                "description": "When people work: what `when` means that names nothing but the calendar." },
            "holidays": { "type": "array", "maxItems": DATES_MAX, "items": { "anyOf": [span, holiday] }, "examples": [["12-25", { "on": "2026-12-24..2027-01-01", "name": "Winter" }]],
                "description": "Days that count as no day of the week." },
            "working_days": { "type": "array", "maxItems": DATES_MAX, "items": working_day, "examples": [[{ "on": "2026-11-07", "as": "mon" }]],
                "description": "Days on which people work as on another one, also when they are holidays." },
            "ical": { "type": ["array", "string"], "maxItems": 4, "items": { "type": "string" }, "examples": ["holidays.ics"],
                "description": "iCalendar files (RFC 5545), relative to this document, read when it is applied: each event that takes whole days is a holiday, with its repetitions from 2020 to 2049, 10,000 days in all." }
        }),
    )
}
