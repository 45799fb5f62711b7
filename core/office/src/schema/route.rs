//! The JSON Schema of routes and of what they ask for.

use super::{dialled, name, object};
use crate::parts::{CONTACT_GROUPS_MAX, CONTACT_TEXT_MAX, RESPONSIBLE_MAX, ROUTE_PRIORITY};
use serde_json::{Value as Json, json};

const LIST_MAX: usize = 64;

/// A number with wildcards.
const LIKE: &str = "^[A-Za-z0-9*#?._ ()+-]{1,64}$";

pub(super) fn route() -> Json {
    let whose = |users: &str, gateways: &str, user: &str, gateway: &str| {
        json!([
            { "enum": ["users", "gateways"], "description": format!("{users}; {gateways}.") },
            object(&["user"], json!({ "user": name(user, "ann") })),
            object(&["gateway"], json!({ "gateway": name(gateway, "outside") }))
        ])
    };
    let mut route = object(
        &["id"],
        json!({
            "id": name("The route's id, as journals show it.", "hotline"),
            "from": { "anyOf": whose("What users dial", "what comes from gateways", "What this user dials.", "What comes from this gateway."),
                "default": "users", "examples": [{ "gateway": "outside" }], "description": "For calls from somebody." },
            "to": { "anyOf": whose("What is about to ring a user", "what is about to go out through a gateway", "What is about to ring this user.", "What is about to go out through this gateway."),
                "examples": [{ "user": "ann" }], "description": "In place of `from`, for calls to somebody: when the others have said that a user is to be rung directly, or a gateway to be called through, these have the last word. One that leads to that very user or gateway lets the call through. `to: { user: ann }` with a `scenario` is Ann's own incoming scenario: it runs when she is dialled or a route leads to her, and rings her by `call-user`, which asks no route again. Members whom a group or a scenario rings are not asked for." },
            "number": dialled("For calls to this number. One of `number`, `prefix`, `like` and `any` is needed beside `from`.", "100"),
            "prefix": dialled("For calls to numbers that begin so; the longest prefix goes first.", "0"),
            "like": { "type": ["string", "integer"], "pattern": LIKE, "examples": ["+4930555??"],
                "description": "For calls to numbers like this: `?` is one character, `*` at the end whatever follows. It is held against the number as it is written and in E.164, so that `030*` is also `+4930123`." },
            "any": { "const": true, "description": "For every call." },
            "if": { "$ref": "#/$defs/condition", "examples": [{ "all": [{ "time": "office" }, { "caller": "+49*" }] }],
                "description": "What has to be so besides; it is decided before anything is begun. Where it is not, the next one is looked at." },
            "priority": { "type": "integer", "minimum": 1, "maximum": 1_000, "default": ROUTE_PRIORITY, "examples": [5],
                "description": "The lower goes first; incoming numbers, internal numbers and feature codes have 10. With the same one: a whole number, an incoming number, an internal one, a feature code, then whichever fixes most characters; one user's or gateway's before all users' or gateways'. Two between which that does not decide are a fault." },
            "scenario": name("Runs this scenario. One of `scenario`, `user`, `group`, `gateway`, `gateways`, `gateway_group` and `refuse` is needed.", "welcome"),
            "user": name("Rings this user.", "ann"),
            "group": name("Rings this group.", "sales"),
            "gateway": name("Calls through this gateway.", "outside"),
            "gateways": { "type": "array", "items": { "type": ["string", "integer"] }, "minItems": 1, "maxItems": 8, "examples": [["first", "second"]],
                "description": "Calls through the first of these that takes the call: lower priorities first; among equals those with a weight as drawn, then as written." },
            "gateway_group": name("Calls through the gateways of this group, likewise.", "carriers"),
            "strip": { "type": "integer", "minimum": 0, "maximum": 32, "default": 0, "examples": [1],
                "description": "With a gateway: characters taken off the number's front." },
            "add": dialled("With a gateway: put before the number after that.", "+49"),
            "plugins": { "$ref": "#/$defs/plugins", "examples": [{ "play-audio": "all", "call-user": { "dial": { "groups": ["sales"] } } }],
                "description": "With a scenario: the actions that its calls may use, and what each may do, in place of the office's. One that is not among them, or lacks what it asks for, is not run: its outcome is `denied`." },
            "refuse": { "type": "integer", "minimum": 400, "maximum": 699, "examples": [603], "description": "Refuses with this SIP status." }
        }),
    );
    if let Some(route) = route.as_object_mut() {
        let one_of = |keys: &[&str]| -> Json { keys.iter().map(|key| json!({ "required": [key] })).collect() };
        let for_whom = json!({ "oneOf": [
            { "required": ["number"] }, { "required": ["prefix"] }, { "required": ["like"] }, { "required": ["any"] },
            { "required": ["to"], "not": { "anyOf": one_of(&["number", "prefix", "like", "any"]) } }
        ] });
        let both = json!([
            for_whom,
            { "not": { "required": ["from", "to"] } },
            { "oneOf": one_of(&["scenario", "user", "group", "gateway", "gateways", "gateway_group", "refuse"]) }
        ]);
        route.insert("allOf".into(), both);
    }
    route
}

/// One thing, or a list of them.
fn several(item: &Json, description: &str, example: Json) -> Json {
    json!({ "anyOf": [item, { "type": "array", "items": item, "minItems": 1, "maxItems": LIST_MAX }],
        "examples": [example], "description": description })
}

pub(super) fn blocked() -> Json {
    let like = json!({ "type": ["string", "integer"], "pattern": LIKE, "title": "number" });
    let mut blocked = object(
        &[],
        json!({
            "callers": { "type": "array", "items": like, "maxItems": 10_000, "examples": [["+4930666*", "103"]], "description": "Callers whose number is like one of these, as with `like` of routes." },
            "anonymous": { "type": "boolean", "default": false, "description": "Also callers who withhold their number." },
            "then": { "anyOf": [
                { "const": "busy" },
                object(&["refuse"], json!({ "refuse": { "type": "integer", "minimum": 400, "maximum": 699, "examples": [603], "description": "He is refused with this SIP status." } })),
                object(&["scenario"], json!({ "scenario": name("This scenario runs: it may play something, or take a message.", "not-now") }))
            ], "default": "busy", "examples": [{ "refuse": 603 }], "description": "What he meets. `busy` is what he meets where somebody talks: it tells him nothing. The call's record says that he was blocked, and by whom." }
        }),
    );
    if let Some(blocked) = blocked.as_object_mut() {
        blocked.insert("title".into(), json!("map"));
    }
    blocked
}

/// Actions, each with what it may do.
pub(super) fn plugins() -> Json {
    let list = |description: &str, example: &str| json!({ "type": "array", "items": { "type": ["string", "integer"] }, "examples": [[example]], "description": description });
    let dial = object(
        &[],
        json!({
            "users": list("These users.", "ann"),
            "groups": list("These groups and each of their members.", "sales"),
            "numbers": list("Numbers that begin so.", "+49")
        }),
    );
    let grant = object(
        &[],
        json!({
            "capabilities": { "type": "array", "items": { "type": "string" }, "examples": [["call", "log"]],
                "description": "The interfaces that it may call; without it all that it asks for. `plugboard plugin list` tells which these are." },
            "dial": { "anyOf": [dial], "examples": [{ "groups": ["sales"], "numbers": ["+49"] }], "description": "Whom it may ring; without it anybody." }
        }),
    );
    json!({ "type": "object", "title": "map", "maxProperties": 256, "additionalProperties": { "anyOf": [{ "const": "all" }, grant] } })
}

/// A map of one entry.
pub(super) fn condition() -> Json {
    let like = json!({ "type": ["string", "integer"], "pattern": LIKE, "title": "number" });
    let group = json!({ "type": ["string", "integer"], "title": "name" });
    let all = |description: &str| {
        json!({ "type": "array", "items": { "$ref": "#/$defs/condition" }, "minItems": 1, "maxItems": LIST_MAX,
        "examples": [[{ "anonymous": false }, { "called": "100" }]], "description": description })
    };
    let truth = |description: &str| json!({ "type": "boolean", "description": description });
    json!({
        "title": "condition", "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
        "description": "One of these; several stand in a list under `all` or `one_of`, at most eight deep. A number is written as with `like`.",
        "properties": {
            "all": all("Each of these holds."),
            "one_of": all("At least one of these holds."),
            "not": { "$ref": "#/$defs/condition", "examples": [{ "time": "office" }], "description": "This does not hold." },
            "called": several(&like, "What was dialled is like one of these.", json!("+4930555*")),
            "caller": several(&like, "The caller's number is like one of these; who withholds it has none. Of users it is the internal one.", json!(["+49*", "0043*"])),
            "identity": several(&like, "The number that the caller wanted in the first place is like one of these: the first that sent the call on, as a gateway that is believed tells it (Diversion, History-Info), else what was dialled.", json!("+4930555")),
            "anonymous": truth("Whether the caller withholds his number."),
            "diverted": truth("Whether somebody outside sent the call on to us."),
            "time": { "type": ["string", "object"], "examples": [{ "days": ["mon-fri"], "from": "09:00", "to": "18:00" }],
                "description": "It is that time: the name of a calendar, or a range, as the word `when` of scenarios has it." },
            "contact": { "anyOf": [{ "type": "boolean" }, group, { "type": "array", "items": group, "minItems": 1, "maxItems": LIST_MAX }],
                "examples": [true], "description": "Whether the caller is one of `contacts`; or which." },
            "contact_group": several(&group, "The caller is one of `contacts` who is filed under one of these `groups`.", json!(["vip"])),
            "caller_group": several(&group, "The caller is a user who is a member of one of these groups.", json!("sales")),
            "called_group": several(&group, "Whoever is to be rung is a member of one of these groups, or one of them is called.", json!(["sales"])),
            "language": several(&json!({ "type": "string", "maxLength": crate::document::LANGUAGE_LEN_MAX }),
                "The caller's language is one of these, `de` also when it is `de-AT`: the contact's, else what his phone asks for (Accept-Language), else the office's.", json!("de")),
            "variable": { "type": "object", "additionalProperties": { "type": ["string", "integer", "boolean"] }, "minProperties": 1,
                "examples": [{ "season": "winter" }], "description": "Each of these variables of the office has this value." }
        }
    })
}

/// A name or a list of them.
fn several_names(max: usize, description: &str, example: &str) -> Json {
    let one = json!({ "type": ["string", "integer"] });
    json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1, "maxItems": max }], "examples": [[example]], "description": description })
}

pub(super) fn contact() -> Json {
    object(
        &["id", "numbers"],
        json!({
            "id": name("The contact's id.", "carla"),
            "name": { "type": "string", "description": "For people; without one, the id.", "examples": ["Carla Customer"] },
            "numbers": { "anyOf": [{ "$ref": "#/$defs/dialled" }, { "type": "array", "items": { "$ref": "#/$defs/dialled" }, "minItems": 1, "maxItems": 16 }],
                "examples": [["+49401234567"]], "description": "The numbers that show in calls, each of one contact; they are compared in E.164." },
            "language": { "type": "string", "maxLength": crate::document::LANGUAGE_LEN_MAX, "examples": ["pl"], "description": "BCP 47: the contact's language, for the condition `language`." },
            "company": { "type": "string", "minLength": 1, "maxLength": CONTACT_TEXT_MAX, "examples": ["Customer & Co."], "description": "Where the contact works." },
            "email": { "type": "string", "minLength": 3, "maxLength": CONTACT_TEXT_MAX, "examples": ["carla@customer.test"], "description": "Where the contact is written to." },
            "groups": several_names(CONTACT_GROUPS_MAX, "What the office files the contact under.", "vip"),
            "responsible": several_names(RESPONSIBLE_MAX, "The users who are responsible for the contact, by id: the first one, then those whom `call-responsible` tries when he does not answer.", "bob")
        }),
    )
}
