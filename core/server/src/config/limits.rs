//! `[limits]`: how often requests may come.

use plugboard_document::{Faults, Field, Fields};
use plugboard_switch::{Rate, RequestRates};
use serde_json::{Map, Value as Json, json};
use std::ops::RangeInclusive;

/// What no switch can do in a second is no limit.
const PER_SECOND: RangeInclusive<i64> = 0..=1_000_000;
/// Likewise.
const BURST: RangeInclusive<i64> = 1..=1_000_000;

/// Reads the part of the file.
pub(super) fn read(field: &Field<'_>, limits: &mut RequestRates, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    rate(&mut fields, ("strangers", "strangers_burst"), &mut limits.strangers, faults);
    rate(&mut fields, ("requests", "requests_burst"), &mut limits.requests, faults);
    rate(&mut fields, ("calls", "calls_burst"), &mut limits.calls, faults);
    fields.finish(faults);
}

fn rate(fields: &mut Fields<'_>, keys: (&'static str, &'static str), rate: &mut Rate, faults: &mut Faults) {
    let mut number = |key, range: RangeInclusive<i64>| {
        let number = fields.take(key).and_then(|field| field.integer(range, faults))?;
        u32::try_from(number).ok()
    };
    super::set(&mut rate.per_second, number(keys.0, PER_SECOND));
    super::set(&mut rate.burst, number(keys.1, BURST));
}

/// The schema of the part.
pub(super) fn schema(part: &impl Fn(&str, Json) -> Json) -> Json {
    let RequestRates { strangers, requests, calls } = RequestRates::default();
    let mut properties = Map::new();
    let mut rate = |key: &str, rate: Rate, description: &str| {
        let number = |range: &RangeInclusive<i64>, default: u32, description: String| {
            json!({ "type": "integer", "minimum": range.start(), "maximum": range.end(), "default": default,
                "description": description })
        };
        let per_second = number(&PER_SECOND, rate.per_second, format!("{description}, a second; 0: as many as come."));
        let at_once =
            number(&BURST, rate.burst, format!("As many of them at once after a pause as `{key}` fill up a second."));
        properties.insert(key.to_owned(), per_second);
        properties.insert(format!("{key}_burst"), at_once);
    };
    rate(
        "strangers",
        strangers,
        "Requests from one address (IPv6: from one /64) of those who have not shown who they are. A right password gives back \
         what it and the question before it took, so that a house of phones needs none of it in the long run; a registered phone \
         has as many of its own. One too many is forgotten without an answer",
    );
    rate(
        "requests",
        requests,
        "Requests of one user but calls: registrations, subscriptions, publications. One too many is \
        answered by 503 that says when to try again",
    );
    rate("calls", calls, "Calls of one user, answered likewise");
    part(
        "How often requests outside of calls are listened to. Gateways are not counted (they have limits of their own), nor is \
         what belongs to a call or a subscription that is there; calls for help have 10 a second of their own, 100 at once. The metric \
         `plugboard_sip_requests_limited_total` counts what was too much.",
        Json::Object(properties),
    )
}
