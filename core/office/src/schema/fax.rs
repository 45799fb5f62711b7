//! The JSON Schema of how an office sends faxes.

use super::object;
use crate::FaxRules;
use crate::parts::fax::{APART, AT_ONCE_MAX, GIVE_UP_AFTER, RING_FOR, TRIES_MAX};
use plugboard_document::write_duration;
use serde_json::{Value as Json, json};
use std::ops::RangeInclusive;
use std::time::Duration;

pub(super) fn fax() -> Json {
    let usual = FaxRules::default();
    let span = |default, range: RangeInclusive<Duration>, description: &str| {
        json!({ "$ref": "#/$defs/time", "default": write_duration(default), "description": description,
            "x-minimum": write_duration(*range.start()), "x-maximum": write_duration(*range.end()) })
    };
    let count = |default: u32, most: i64, description: &str| json!({ "type": "integer", "minimum": 1, "maximum": most, "default": default, "description": description });
    let mut fax = object(
        &[],
        json!({
            "tries": count(usual.tries, TRIES_MAX, "How often a fax is tried: where the called side is busy, does not answer, or its machine fails. Pages that were confirmed are not sent again. Who answers as a person, or must not be called, is not tried again. Where no gateway takes the call, or a limit stands against it that passes by itself (calls at once, hours, minutes), that is no try: it waits, a minute at first and half an hour at most."),
            "apart": span(usual.apart, APART, "From the end of a try to the next."),
            "give_up_after": span(usual.give_up_after, GIVE_UP_AFTER, "From the order on: what was not sent by then is given up, and its last try says `too_old`. One that is being sent may end."),
            "at_once": count(usual.at_once, AT_ONCE_MAX, "Faxes that are sent at once; gateways have limits of their own (`calls_out`)."),
            "ring_for": span(usual.ring_for, RING_FOR, "How long the called side is rung."),
            "ident": { "type": "string", "maxLength": FaxRules::IDENT_MAX, "pattern": "^[0-9+ ]*$", "default": "", "examples": ["+49 30 1234"],
                "description": "What our machine says of itself (TSI), where an order says nothing." },
            "header": { "type": "string", "maxLength": FaxRules::HEADER_MAX, "default": "", "examples": ["Example Ltd, Berlin"],
                "description": "What stands at the top of each page beside the date and the page's number, where an order says nothing; without it pages go as they are. Some countries want it." }
        }),
    );
    if let Some(object) = fax.as_object_mut() {
        object.insert(
            "description".into(),
            json!("How faxes are sent that were ordered by `plugboard fax send` or over HTTP."),
        );
        object.insert("examples".into(), json!([{ "ident": "+49 30 1234", "tries": 5 }]));
    }
    fax
}

pub(super) fn t38() -> Json {
    json!({ "enum": ["accepted", "offered"], "default": "accepted", "examples": ["offered"],
        "description": "T.38 in faxes of ours that go through it: taken where the far end offers it, or offered as soon as the call is answered; who refuses it hears the fax as audio. Faxes that others send are none of this." })
}
