//! The JSON Schema of a gateway.

use super::{dialled, fax, name, object, recording, reliable, with_media};
use crate::parts::{ANSWER_WITHIN, CHANNELS, DOWN_AFTER, PRIORITY, UP_AFTER};
use plugboard_document::write_duration;
use serde_json::{Value as Json, json};

pub(super) fn gateway() -> Json {
    let calls = |description: &str, least: u32| json!({ "type": "integer", "minimum": least, "maximum": 10_000, "examples": [30], "description": description });
    let mut both = calls("Calls through it at once; one more gets 503, or goes to the next gateway.", 1);
    if let Some(both) = both.as_object_mut() {
        both.insert("default".into(), CHANNELS.into());
    }
    let gateway = object(
        &["id", "address"],
        json!({
            "id": name("The gateway's id.", "outside"),
            "address": { "type": "string", "examples": ["192.0.2.1:5060", "sip.carrier.test"],
                "description": "Where calls go to: an address, with a port unless it is 5060, or a host name. A name is looked for by NAPTR, SRV and addresses (RFC 3263); one with a port by addresses alone." },
            "transport": { "enum": ["udp", "tcp", "tls"], "examples": ["tcp"],
                "description": "What calls to it go over; without it what DNS says of a name, else `udp`, and `tcp` for an INVITE of more than 1,300 bytes, if it takes one (RFC 3261 section 18.1.1)." },
            "outbound_proxy": { "type": "string", "examples": ["sip:proxy.carrier.test;lr", "sip:192.0.2.9:5080;transport=tcp;lr"],
                "description": "A proxy that everything for the gateway is sent to: it is looked for, probed and must show its name over TLS in the gateway's place, and is told by Route whose the request is (RFC 3261 section 8.1.2). Without a transport of its own, the gateway's `transport`. Calls that come from it are the gateway's, unless `inbound` says otherwise." },
            "inbound": { "type": "array", "items": { "type": "string" }, "examples": [["192.0.2.1", "192.0.2.2:5062"]],
                "description": "Sources believed to be it, with or without a port; without a list, its address and port, or every address that its name has; of a gateway with a proxy, the proxy's." },
            "priority": { "type": "integer", "minimum": 0, "maximum": 65535, "default": PRIORITY, "examples": [20],
                "description": "Its place where a route names several: lower ones are tried first." },
            "weight": { "type": "integer", "minimum": 0, "maximum": 65535, "default": 0, "examples": [3],
                "description": "Among those of one priority: how often it is drawn first; those with 0 follow as written." },
            "group": name("A group that routes may name in its place.", "carriers"),
            "calls": both,
            "calls_in": calls("Of these, calls that come from it; without it, as many.", 0),
            "calls_out": calls("Of these, calls that go to it; without it, as many.", 0),
            "user": { "type": ["string", "integer"], "examples": ["4930123450"],
                "description": "The name that it is told when it asks for a password (401, 407), and that is registered; with `password`." },
            "password": { "$ref": "#/$defs/secret", "examples": [{ "environment": "PLUGBOARD_CARRIER" }],
                "description": "The password for that, written as a user's." },
            "register": { "anyOf": [{ "type": "boolean" }, { "$ref": "#/$defs/time" }], "x-minimum": "1m", "x-maximum": "1d", "examples": [true, "10m"],
                "description": "Registers there with `user`, for ten minutes each time or for so long; calls that come to what was registered are believed to be its. While it is not registered no call goes there." },
            "probe": { "anyOf": [{ "$ref": "#/$defs/time" }, probe()], "x-minimum": "5s", "x-maximum": "1h", "examples": ["30s", { "every": "30s", "down_after": 2 }],
                "description": "Asks it by OPTIONS so often whether it lives; without it, calls find out." },
            "answer_within": { "$ref": "#/$defs/time", "default": write_duration(ANSWER_WITHIN), "x-minimum": "1s", "x-maximum": "32s",
                "description": "When a call that it has not answered by a word goes to the next address or gateway." },
            "caller": caller(),
            "numbers": { "enum": ["as-dialled", "e164", "digits", "international", "national"], "default": "as-dialled", "examples": ["e164"],
                "description": "How it writes numbers: as they are dialled, `+49301234`, `49301234`, `0049301234`, or `0301234` within the country. Numbers that go to it are written so; numbers that come from it are also looked for in E.164." },
            "reliable": reliable("it"),
            "toll": { "$ref": "#/$defs/toll", "examples": [{ "minutes_a_day": 6000 }], "description": "Limits of the calls that go to it, whoever makes them." },
            "emergency_headers": { "type": "array", "items": { "enum": ["priority", "resource-priority"] }, "maxItems": 2, "examples": [["priority"]],
                "description": "Headers that mark a call for help, where it wants them: `Priority: emergency`, `Resource-Priority: esnet.0` (RFC 7135)." },
            "record": recording::rule("calls through it"),
            "t38": fax::t38(),
            "early_media": { "type": "boolean", "default": false, "examples": [true],
                "description": "Whether it tells by P-Early-Media (RFC 5009) if there is a sound before the answer: it is asked to, and callers hear its sound or our ring-back accordingly. Without it, or where it does not say, its 183 with a description is heard." },
            "diversion": { "enum": ["none", "diversion", "history-info", "both"], "default": "none", "examples": ["diversion"],
                "description": "How it is told who has sent a call on before it goes there: those of the office (a forward, a device's redirection, a transfer) and, of a call that came from a gateway that is `believed`, those before. Many carriers want `diversion` before they take a call that was sent on. A user is named by his `outside_number`, else the gateway's `caller.number`; who does not want to be named is anonymous." }
        }),
    );
    with_media(gateway, "it")
}

fn probe() -> Json {
    let count = |default: u32, description: &str| json!({ "type": "integer", "minimum": 1, "maximum": 20, "default": default, "examples": [2], "description": description });
    object(
        &["every"],
        json!({
            "every": { "$ref": "#/$defs/time", "x-minimum": "5s", "x-maximum": "1h", "examples": ["30s"], "description": "From one question to the next." },
            "down_after": count(DOWN_AFTER, "So many unanswered in a row, and no call goes there."),
            "up_after": count(UP_AFTER, "So many answered in a row, and calls go there again.")
        }),
    )
}

fn caller() -> Json {
    let mut caller = object(
        &[],
        json!({
            "number": dialled("Shown of callers who have no `outside_number`.", "+4930123450"),
            "tells": { "enum": ["from", "asserted", "remote-party"], "default": "from", "examples": ["asserted"],
                "description": "How it is told who calls: in From alone, or also in P-Asserted-Identity or Remote-Party-ID. Who hides his number is `anonymous` in From; the two other headers tell it all the same, with the wish for privacy." },
            "believed": { "type": "boolean", "default": false, "examples": [true],
                "description": "Whether what it says in such a header goes before From: only for a peer that lets nobody else write it." },
            "passes": { "type": "boolean", "default": false, "examples": [true],
                "description": "Whether a call that came from outside and goes out again shows its caller's own number; else ours is shown, since many carriers refuse others." }
        }),
    );
    if let Some(caller) = caller.as_object_mut() {
        caller.insert("description".into(), "Whose number is shown, and how.".into());
    }
    caller
}
