//! The JSON Schema of office documents, for editors.

mod calendar;
mod database;
mod emergency;
mod fax;
mod gateway;
mod http;
mod integration;
mod mail;
mod recording;
mod route;
mod text_message;
mod toll;
mod voicemail;

use crate::document::LANGUAGE_LEN_MAX;
use crate::features::FeatureCode;
use crate::parts::database::DATABASES_MAX;
use crate::parts::http::SOURCES_MAX;
use crate::parts::integration::INTEGRATIONS_MAX;
use crate::parts::{
    AWAY_AFTER_MAX, CALLS_AT_ONCE, COUNTRY, DEVICES, DOMAINS_MAX, LANGUAGE, PARK, PARK_PLACES_MAX, PARK_RECALLS_MAX,
    REASONS_MAX, RING_FOR, RING_FOR_DEFAULT, RING_FOR_DIRECT, SKILLS_MAX, TIER, TRANSFER, WEIGHT,
};
use crate::phone::{CONFIRM_WITHIN, CONFIRM_WITHIN_RANGE, PHONES_MAX};
use crate::settings::{FORWARD_AFTER, FORWARD_AFTER_RANGE, OUT_OF_MAX};
use plugboard_document::write_duration;
use plugboard_model::QueueRules;
use serde_json::{Value as Json, json};
use std::time::Duration;

/// JSON Schema (2020-12) of an office document. Editors complete and check by it; [`crate::Office::parse`] is stricter.
#[expect(clippy::too_many_lines, reason = "a line for each part of the document, in their order")]
pub fn schema() -> Json {
    let list = |items: &str, description: &str| json!({ "type": "array", "items": { "$ref": format!("#/$defs/{items}") }, "description": description });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plugboard office",
        "description": "An office is one tenant of the switch: its people, its ways to the world, its scenarios. YAML or JSON. A key that is not known is a fault.",
        "type": "object",
        "required": ["office", "domains"],
        "additionalProperties": false,
        "properties": {
            "office": name("The office's id.", "main"),
            "domains": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 64,
                "description": "SIP domains, unique in the switch; the first is the digest realm.", "examples": [["plugboard.test"]] },
            "language": { "type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", "maxLength": LANGUAGE_LEN_MAX,
                "default": LANGUAGE, "examples": ["de"],
                "description": "BCP 47: which prompts callers hear who say nothing else." },
            "country": { "type": "string", "pattern": "^[A-Za-z]{2}$", "default": COUNTRY, "examples": ["us"],
                "description": "The two letters of ISO 3166-1 (or `uk`): chooses the tones, and how numbers are read and written." },
            "area": { "type": ["string", "integer"], "examples": ["30"],
                "description": "Area code without the trunk prefix: numbers dialled without one are of this area, where a gateway wants numbers written anew." },
            "prompts": { "type": "string", "examples": ["audio"],
                "description": "Folder of prompts (WAV, MP3, FLAC, Ogg with Vorbis or Opus; at most ten minutes each), relative to this document: `welcome.de.wav` is the prompt `welcome` for callers whose language is `de`." },
            "music": { "type": "object", "additionalProperties": { "type": "string" }, "examples": [{ "music": "audio/music.wav" }],
                "description": "Music by name: a file, as for prompts, relative to this document." },
            "hold_music": name("What people on hold hear: a name of `music`, or `silence`; without it, the music named `music` if there is one.", "music"),
            "reasons": { "type": "array", "maxItems": REASONS_MAX, "items": { "type": ["string", "integer"], "pattern": "^[a-z0-9._-]{1,64}$" }, "examples": [["lunch", "training"]],
                "description": "Why users may say that they are busy, away or not to be disturbed." },
            "transfer": transfer(),
            "lamps_show_caller": { "type": "boolean", "default": false,
                "description": "Whether lamps tell a watching phone who is at the other end of a call, so that it shows whom it would pick up." },
            "park": park(),
            "queues": queues(),
            "recording": recording::recording(),
            "voicemail": voicemail::voicemail(),
            "fax": fax::fax(),
            "pick_up": { "enum": ["any", "group", "none"], "default": "group", "examples": ["any"],
                "description": "Whose ringing calls a user may take, by the code `pick_up` or a lamp of his phone: everybody's, those of the members of his groups, or nobody's but his own." },
            "emergency": emergency::emergency(),
            "feature_codes": { "anyOf": [{ "const": false }, { "$ref": "#/$defs/feature_codes" }], "examples": [{ "park": "*5", "intercom": false }],
                "description": "What users dial to change their settings, and for what their phones have no key; without it the codes below, with `false` none." },
            "time_zone": { "type": "string", "default": "UTC", "examples": ["Europe/Berlin"], "description": "Whose clocks hours and days go by: a name of the IANA's time zone database." },
            "calendars": { "type": "array", "maxItems": 32, "items": { "$ref": "#/$defs/calendar" },
                "description": "What days count as: when people work, holidays, days on which they work instead. The word `when` of scenarios asks for them." },
            "blocked": { "$ref": "#/$defs/blocked", "examples": [{ "callers": ["+4930666*"], "anonymous": true }],
                "description": "Callers from outside who are not let through, whatever they call; who calls back whoever called for help always is." },
            "plugins": { "$ref": "#/$defs/plugins", "examples": [{ "play-audio": "all", "call-user": { "dial": { "groups": ["sales"] } } }],
                "description": "The actions that calls may use, and what each may do, where their route or incoming number does not say it; without it all that came with the switch, with all that they ask for, and none that was installed." },
            "contacts": list("contact", "People outside whom routes know: the condition `contact` asks for them."),
            "variables": { "type": "object", "maxProperties": 64, "propertyNames": { "pattern": "^[a-z0-9._-]{1,64}$" },
                "additionalProperties": { "type": ["string", "integer", "boolean"], "maxLength": 256 }, "examples": [{ "closed": false, "season": "winter" }],
                "description": "How things are just now, by name: the condition `variable` of routes asks for them. Apply the document with another value to change one; calls that go on are not touched." },
            "http": { "type": "array", "maxItems": SOURCES_MAX, "items": { "$ref": "#/$defs/source" },
                "description": "Services of the web that actions ask, such as a CRM: an action names one and never its address or secret." },
            "integrations": { "type": "array", "maxItems": INTEGRATIONS_MAX, "items": { "$ref": "#/$defs/integration" },
                "description": "Systems beside the telephone, such as a CRM, that plugins ask. Who is none of `contacts` is looked for in them, in this order, by the actions that find contacts." },
            "addresses": addresses(),
            "databases": { "type": "array", "maxItems": DATABASES_MAX, "items": { "$ref": "#/$defs/database" },
                "description": "Databases that actions ask: an action names one and a query of it, and never its address, its secret or SQL." },
            "mail": mail::mail(),
            "text_messages": text_message::text_messages(),
            "toll": { "$ref": "#/$defs/toll", "examples": [{ "calls_at_once": 2, "deny": ["+49900"] }], "description": "Limits of the calls to the outside of each user who has none of his own; calls for help pass them." },
            "users": list("user", "People with an internal number."),
            "groups": list("group", "People who are rung together."),
            "gateways": list("gateway", "SIP peers that carry calls to and from the outside."),
            "numbers": list("number", "Incoming numbers, each with the scenario that answers."),
            "routes": list("route", "Where calls go: what users and gateways call, and what is about to ring a user or to go out through a gateway. Of those that a call may take, the one with the lowest `priority` whose conditions hold is taken; nothing at all is 404."),
            "scenarios": { "type": "array", "description": "Scenarios, here or in files of their own; see core/scenario/REFERENCE.md.",
                "examples": [[{ "file": "scenarios/welcome.yaml" }]], "items": { "anyOf": [
                object(&["file"], json!({ "file": { "type": "string", "description": "A file, relative to this document." } })),
                { "type": "object", "required": ["scenario", "steps"], "description": "a scenario" }
            ] } }
        },
        "$defs": {
            "dialled": { "type": ["string", "integer"], "title": "number",
                "description": "A number, feature code or name to dial: 1 to 64 of digits, letters and + * # - . _" },
            "time": { "type": "string", "pattern": "^[0-9]+(ms|s|m|min|h|d)$", "title": "time" },
            "secret": { "title": "secret", "anyOf": [
                { "type": ["string", "integer"] },
                object(&["file"], json!({ "file": { "type": "string" } })),
                object(&["environment"], json!({ "environment": { "type": "string" } })),
                object(&["keep"], json!({ "keep": { "const": true, "description": "The one that the user has now." } }))
            ] },
            "toll": toll::toll(),
            "calendar": calendar::calendar(),
            "source": http::source(),
            "integration": integration::integration(),
            "database": database::database(),
            "query": database::query(),
            "user": user(),
            "group": group(),
            "gateway": gateway::gateway(),
            "number": object(&["number", "scenario"], json!({
                "id": name("Its id; without one, its digits.", "hotline"),
                "number": dialled("The number as gateways send it, unique in the switch.", "+4930123456"),
                "scenario": name("The scenario that answers.", "welcome"),
                "plugins": { "$ref": "#/$defs/plugins", "examples": [{ "play-audio": "all" }], "description": "As `plugins` of a route." },
                "fax_mail": mail::to("fax that is received at this number")
            })),
            "route": route::route(),
            "blocked": route::blocked(),
            "plugins": route::plugins(),
            "condition": route::condition(),
            "contact": route::contact(),
            "feature_codes": feature_codes()
        }
    })
}

fn transfer() -> Json {
    let mut transfer = object(
        &[],
        json!({
            "ring_for": ring_for(TRANSFER.ring_for, "How long the number rings that a call is handed on to."),
            "recall": { "type": "boolean", "default": TRANSFER.recall,
                "description": "Whether nobody there means that whoever handed the call on is rung with it." }
        }),
    );
    if let Some(object) = transfer.as_object_mut() {
        object.insert("description".into(), json!("How calls are handed on (blind transfer): `ring_for`, how long the number rings (30s), and `recall`, whether whoever handed the call on is rung with it when nobody answers there (true)."));
        object.insert("examples".into(), json!([{ "ring_for": "20s", "recall": false }]));
    }
    transfer
}

fn park() -> Json {
    let count = |least: u32, most: i64, default: u32, description: &str| json!({ "type": "integer", "minimum": least, "maximum": most, "default": default, "examples": [default], "description": description });
    let mut park = object(
        &[],
        json!({
            "places": count(1, PARK_PLACES_MAX, PARK.places, "Places, numbered from 1."),
            "recall_after": { "$ref": "#/$defs/time", "default": write_duration(PARK.recall_after), "x-minimum": "5s", "x-maximum": "30m",
                "description": "After how long whoever parked a call is rung with it." },
            "recalls": count(0, PARK_RECALLS_MAX, PARK.recalls, "How often he is rung, each time for the `ring_for` of `transfer`; then the call ends.")
        }),
    );
    if let Some(object) = park.as_object_mut() {
        object.insert("description".into(), json!("How calls are parked: handed on to the code `park` and a place (`*705`), or to the code alone for the first place that is free; who dials the same takes the call."));
        object.insert("examples".into(), json!([{ "places": 20, "recall_after": "2m" }]));
    }
    park
}

fn queues() -> Json {
    let usual = QueueRules::default();
    let mut queues = object(
        &[],
        json!({
            "away_after": { "type": "integer", "minimum": 0, "maximum": AWAY_AFTER_MAX, "default": usual.away_after, "examples": [3],
                "description": "Who was rung for so many callers in a row and did not answer becomes `away`, with the reason `no-answer`, until he says otherwise; 0: never." },
            "service_level": { "$ref": "#/$defs/time", "default": write_duration(usual.service_level), "x-minimum": "1s", "x-maximum": "1h",
                "description": "Callers who are answered within this time were served well: how many were is counted." },
            "tell_wait": { "type": "boolean", "default": usual.tell_wait,
                "description": "Whether callers who are told their place hear as well how long it is likely to take, once enough callers were answered to know." }
        }),
    );
    if let Some(object) = queues.as_object_mut() {
        object.insert("description".into(), json!("How callers wait for people (`try-any-manager`)."));
        object.insert("examples".into(), json!([{ "away_after": 3, "service_level": "30s" }]));
    }
    queues
}

/// The table of feature codes.
fn feature_codes() -> Json {
    let code = |code: FeatureCode| {
        let written = json!({ "anyOf": [{ "const": false }, { "type": "string", "pattern": "^[*#][0-9*#]{1,7}$" }],
            "default": code.usual(), "examples": [code.usual()], "description": code.meaning() });
        (code.key().to_owned(), written)
    };
    let codes: serde_json::Map<String, Json> = FeatureCode::ALL.into_iter().map(code).collect();
    let mut table = object(&[], Json::Object(codes));
    if let Some(table) = table.as_object_mut() {
        table.insert("title".into(), json!("map"));
        table.insert("description".into(), json!("What users dial to change their settings, and for what their phones have no key: `*` or `#` and 1 to 7 of `0-9 * #`, or `false` to switch one off. Of several codes that what was dialled begins with, the longest is meant. Internal numbers and routes go first; so that none stands in a code's way, one that does is a fault."));
    }
    table
}

fn reliable(who: &str) -> Json {
    json!({ "type": "boolean", "default": false,
        "description": format!("Whether calls to {who} offer provisional responses that are acknowledged (100rel).") })
}

/// What is said of media, added to the fields of users and gateways.
fn with_media(mut object: Json, who: &str) -> Json {
    let added = [
        (
            "encryption",
            json!({ "enum": ["off", "accepted", "offered", "required"], "examples": ["required"],
            "description": format!("Whether the media of {who} is encrypted (SRTP): `off` refuses calls that insist on it, `accepted` takes it where it is wanted, `offered` offers it beside plain RTP (RFC 8643), `required` has no call without it (488). Without it, `offered` where signalling is encrypted (TLS, WSS), else `accepted`.") }),
        ),
        (
            "encryption_by",
            json!({ "enum": ["sdes", "dtls"], "examples": ["dtls"],
            "description": "Where the keys of our offers come from: from signalling (RFC 4568), or from a handshake on the media's way (DTLS-SRTP, RFC 5763). Without it, `sdes` where signalling is encrypted, else `dtls`. Offers that come are taken by either." }),
        ),
        (
            "sdes_without_tls",
            json!({ "type": "boolean", "default": false, "examples": [true],
            "description": "Whether keys may be told in signalling that is not encrypted: everybody on the way can read them, and with them the call. Without it such an offer is refused (488)." }),
        ),
        (
            "keys",
            json!({ "enum": ["auto", "rfc4733", "info", "inband"], "default": "auto", "examples": ["info"],
            "description": format!("How keys (DTMF) travel: `auto` as was agreed on, else as tones; `rfc4733` as events in RTP alone, so that no tone in the audio is taken for a key; `info` sends them to {who} by SIP INFO; `inband` as tones both ways.") }),
        ),
    ];
    if let Some(fields) = object.get_mut("properties").and_then(Json::as_object_mut) {
        fields.extend(added.map(|(key, value)| (key.to_owned(), value)));
    }
    object
}

fn dialled(description: &str, example: &str) -> Json {
    json!({ "$ref": "#/$defs/dialled", "description": description, "examples": [example] })
}

fn ring_for(default: Duration, description: &str) -> Json {
    json!({ "$ref": "#/$defs/time", "default": write_duration(default), "x-minimum": write_duration(*RING_FOR.start()),
        "x-maximum": write_duration(*RING_FOR.end()), "description": description })
}

/// SIP addresses outside.
fn addresses() -> Json {
    let mut addresses = object(
        &[],
        json!({
            "domains": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": DOMAINS_MAX, "examples": [["partner.example"]],
                "description": "Only addresses at these domains are called; without it, at any but the offices' own." },
            "private": { "type": "boolean", "default": false, "description": "Whether they may be in private networks, whatever their names say." },
            "toll": { "$ref": "#/$defs/toll", "examples": [{ "calls_at_once": 4 }], "description": "Limits of all these calls together, besides those of who pays." }
        }),
    );
    if let Some(addresses) = addresses.as_object_mut() {
        addresses.insert("description".into(), "Which SIP addresses outside `call-sip-address` may call.".into());
        addresses
            .insert("examples".into(), json!([{ "domains": ["partner.example"], "toll": { "calls_at_once": 4 } }]));
    }
    addresses
}

/// His phones outside.
fn phones() -> Json {
    let phone = object(
        &["number"],
        json!({
            "number": dialled("As he would dial it.", "001701234567"),
            "name": { "type": "string", "description": "For people.", "examples": ["mobile"] },
            "confirm": { "type": "boolean", "default": true, "description": "Whoever answers has to press 1 before the call is his: a mobile's mailbox picks up as well." },
            "confirm_within": { "$ref": "#/$defs/time", "default": write_duration(CONFIRM_WITHIN),
                "x-minimum": write_duration(*CONFIRM_WITHIN_RANGE.start()), "x-maximum": write_duration(*CONFIRM_WITHIN_RANGE.end()),
                "description": "How long he may take to press it, from the answer on." }
        }),
    );
    let one = json!({ "anyOf": [{ "$ref": "#/$defs/dialled" }, phone] });
    json!({ "anyOf": [{ "$ref": "#/$defs/dialled" }, { "type": "array", "items": one, "minItems": 1, "maxItems": PHONES_MAX }],
        "examples": [[{ "number": "001701234567", "name": "mobile" }]],
        "description": "His phones outside, in the order in which they are rung: `call-responsible` rings the first, or all of them. They are called by his routes and within his limits." })
}

fn user() -> Json {
    let user = object(
        &["id", "number", "password"],
        json!({
            "id": name("The user's id.", "ann"),
            "number": dialled("His internal number, unique in the office; phones authenticate with it or with the id.", "101"),
            "name": { "type": "string", "description": "For people; without one, the id.", "examples": ["Ann Archer"] },
            "password": { "$ref": "#/$defs/secret", "examples": [{ "environment": "PLUGBOARD_ANN" }],
                "description": "What his devices prove to know, 1 to 256 bytes: a text, `{ file: path }`, `{ environment: NAME }`, or `{ keep: true }` for the one that he has already in the running switch; so `export` writes it." },
            "digest": { "enum": ["md5", "sha256", "both", "md5-sess", "sha256-sess"], "default": "md5",
                "description": "The challenge that his devices get; many phones know MD5 alone." },
            "digest_integrity": { "enum": ["no", "offered", "required"], "default": "no",
                "description": "Whether his devices sign the body of a request as well (`qop=auth-int`); a router on the way that rewrites bodies makes such a signature wrong." },
            "calls_at_once": { "type": "integer", "minimum": 1, "maximum": 16, "default": CALLS_AT_ONCE, "examples": [1],
                "description": "Direct calls that may be with him at once. Groups and scenarios ring him only while he has none." },
            "devices": { "type": "integer", "minimum": 1, "maximum": 32, "default": DEVICES, "description": "Devices that may be registered at once." },
            "status": { "enum": ["available", "busy", "away", "do-not-disturb", "logged-out"], "default": "available",
                "description": "What he lets others know when the switch starts, until he changes it: `busy` and `away` are rung by direct calls alone, the last two by nobody." },
            "skills": { "type": "object", "maxProperties": SKILLS_MAX, "propertyNames": { "pattern": "^[a-z0-9._-]{1,64}$" },
                "additionalProperties": { "type": "integer", "minimum": 1, "maximum": 10 }, "examples": [{ "german": 9, "billing": 4 }],
                "description": "What he can do, and how well, for `skill` of `call-group` and `try-any-manager`." },
            "wrap_up": { "$ref": "#/$defs/time", "x-minimum": "0s", "x-maximum": "1h", "examples": ["30s"],
                "description": "How long he writes up a call of a group or queue: groups and scenarios leave him alone meanwhile, and his status is `wrap-up` until it is over or he is available by hand. Without it, as long as the group has it." },
            "forward": forward(),
            "logged_out_of": { "type": "array", "items": { "type": ["string", "integer"] }, "maxItems": OUT_OF_MAX, "examples": [["sales"]],
                "description": "Groups that do not ring him though he is a member, until he logs in there." },
            "supervises": { "type": "array", "items": { "type": ["string", "integer"] }, "maxItems": OUT_OF_MAX, "examples": [["sales"]],
                "description": "Groups to whose members' calls he may listen by the feature code `supervise`, whisper to them and join in." },
            "intercom": { "enum": ["allowed", "refused"], "default": "refused", "examples": ["allowed"],
                "description": "Whether colleagues may speak to him by the feature code `intercom` without his picking up." },
            "ring_for": ring_for(RING_FOR_DIRECT, "How long a direct call rings."),
            "outside_number": dialled("The number that gateways show of him; without one, theirs, else his internal one.", "+4930123451"),
            "phones": phones(),
            "language": { "type": "string", "maxLength": crate::document::LANGUAGE_LEN_MAX, "examples": ["ru"], "description": "BCP 47: in which he is spoken to; without one, the office's." },
            "reliable": reliable("his devices"),
            "browser": { "type": "boolean", "description": "Whether his devices speak as browsers do (ICE, DTLS-SRTP); without it, those do that registered over WebSocket." },
            "toll": { "$ref": "#/$defs/toll", "examples": [{ "countries": ["de"], "minutes_a_day": 60 }], "description": "Limits of his calls to the outside, in place of the office's; what he hands on or sends on to the outside counts as his." },
            "blocked": { "$ref": "#/$defs/blocked", "examples": [{ "callers": ["103"], "then": { "scenario": "not-now" } }],
                "description": "Callers, also colleagues, who do not reach him: who dials him meets what `then` says, a group or a scenario passes him over. A colleague may hand them on to him." },
            "record": recording::rule("his calls"),
            "voicemail": voicemail::mailbox("His"),
            "mail": mail::address("His"),
            "location": name("Where he is when he calls for help: one of `emergency.locations`, unless his address is in the networks of another one.", "berlin")
        }),
    );
    with_media(user, "his devices")
}

fn forward() -> Json {
    let to = |description: &str| {
        let number = dialled("As he would dial it; without it, what he sets himself.", "00491701234567");
        let (shortest, longest) = (*CONFIRM_WITHIN_RANGE.start(), *CONFIRM_WITHIN_RANGE.end());
        let with_key = object(
            &[],
            json!({
                "number": number,
                "confirm": { "type": "boolean", "description": "Whether whoever answers outside has to press 1 before the call is his: a mobile's mailbox picks up as well. Without it, he has to where a scenario goes on if nobody takes the call, and not where somebody dialled the user." },
                "confirm_within": { "$ref": "#/$defs/time", "default": write_duration(CONFIRM_WITHIN),
                    "x-minimum": write_duration(shortest), "x-maximum": write_duration(longest), "description": "How long he may take to press it, from the answer on." }
            }),
        );
        json!({ "anyOf": [{ "$ref": "#/$defs/dialled" }, with_key], "description": description, "examples": [102] })
    };
    let after = json!({ "$ref": "#/$defs/time", "default": write_duration(FORWARD_AFTER),
        "x-minimum": write_duration(*FORWARD_AFTER_RANGE.start()), "x-maximum": write_duration(*FORWARD_AFTER_RANGE.end()),
        "description": "How long he is rung before `no_answer` applies." });
    json!({ "description": "Where calls to him go when the switch starts, until he changes it: numbers as he would dial them, so that the routes of users apply. Calls that ring a group do not follow it. For a scenario of his own, which runs when he is called, write a route `to: { user: his id }` with `scenario`.",
        "examples": [{ "busy": 102, "no_answer": { "number": "00491701234567", "confirm": true }, "after": "15s" }],
        "anyOf": [object(&[], json!({
            "always": to("Every call; he is not rung."),
            "busy": to("Calls that find him busy, that he declines, or that come while he does not want to be disturbed."),
            "no_answer": to("Calls that he does not answer in time."),
            "unreachable": to("Calls that find no device of his, or come while he is logged out."),
            "after": after
        }))] })
}

fn group() -> Json {
    let member = object(
        &["user"],
        json!({
            "user": name("The user's id.", "ann"),
            "weight": { "type": "integer", "minimum": 0, "maximum": 1_000_000, "default": WEIGHT,
                "description": "How often he is drawn first beside the others, with `random`; 0 stands at the end." },
            "tier": { "type": "integer", "minimum": 1, "maximum": 10, "default": TIER,
                "description": "Those of a lower tier are rung first." }
        }),
    );
    object(
        &["id", "members"],
        json!({
            "id": name("The group's id.", "sales"),
            "number": dialled("Its internal number, unique in the office; without one, only scenarios and routes ring it.", "200"),
            "name": { "type": "string", "description": "For people; without one, the id.", "examples": ["Sales"] },
            "distribution": { "enum": ["all-at-once", "in-order", "random", "longest-idle"], "default": "all-at-once",
                "description": "Everyone rings; one after the other as written; one after the other as drawn by weight; one after the other, who has been free for longest first. Members of a lower tier always go before those of a higher one." },
            "ring_for": ring_for(RING_FOR_DEFAULT, "How long each member rings, or all of them at once."),
            "wrap_up": { "$ref": "#/$defs/time", "default": "0s", "x-minimum": "0s", "x-maximum": "1h", "examples": ["20s"],
                "description": "How long a member writes up a call of it, unless he has a time of his own." },
            "record": recording::rule("calls that ring it"),
            "voicemail": voicemail::mailbox("Its"),
            "mail": mail::address("Its"),
            "members": { "type": "array", "maxItems": 256, "examples": [["ann", { "user": "bob", "weight": 4 }]],
                "description": "Ids of users, or `{ user, weight, tier }`.",
                "items": { "anyOf": [{ "type": ["string", "integer"] }, member] } }
        }),
    )
}

fn object(required: &[&str], properties: Json) -> Json {
    let mut object = json!({ "type": "object", "required": required, "additionalProperties": false });
    if let Some(object) = object.as_object_mut() {
        object.insert("properties".into(), properties);
    }
    object
}

fn name(description: &str, example: &str) -> Json {
    json!({ "type": ["string", "integer"], "pattern": "^[a-z0-9._-]{1,64}$", "title": "name", "description": description,
        "examples": [example] })
}
