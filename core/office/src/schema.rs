//! The JSON Schema of office documents, for editors.

use serde_json::{Value as Json, json};

/// JSON Schema (2020-12) of an office document. Editors complete and check by it; [`crate::Office::parse`] is stricter.
pub fn schema() -> Json {
    let list = |items: &str| json!({ "type": "array", "items": { "$ref": format!("#/$defs/{items}") } });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plugboard office",
        "type": "object",
        "required": ["office", "domains"],
        "additionalProperties": false,
        "properties": {
            "office": name("The office's id."),
            "domains": { "type": "array", "items": { "type": "string" }, "minItems": 1,
                "description": "SIP domains; the first is the digest realm." },
            "language": { "type": "string", "default": "en", "description": "BCP 47." },
            "country": { "type": "string", "default": "de", "description": "ISO 3166-1: chooses the tones." },
            "prompts": { "type": "string", "description": "Folder of prompts, relative to this document." },
            "music": { "type": "object", "additionalProperties": { "type": "string" },
                "description": "Music by name: a file, relative to this document." },
            "users": list("user"),
            "groups": list("group"),
            "gateways": list("gateway"),
            "numbers": list("number"),
            "routes": list("route"),
            "scenarios": { "type": "array", "items": { "anyOf": [
                object(&["file"], json!({ "file": { "type": "string" } })),
                { "type": "object", "required": ["scenario", "steps"] }
            ] } }
        },
        "$defs": {
            "dialled": { "type": ["string", "integer"], "description": "A number, feature code or name to dial." },
            "time": { "type": "string", "pattern": "^[0-9]+(ms|s|m|min|h)$" },
            "secret": { "anyOf": [
                { "type": ["string", "integer"] },
                object(&["file"], json!({ "file": { "type": "string" } })),
                object(&["environment"], json!({ "environment": { "type": "string" } })),
                object(&["keep"], json!({ "keep": { "const": true, "description": "The one that the user has now." } }))
            ] },
            "user": user(),
            "group": group(),
            "gateway": gateway(),
            "number": object(&["number", "scenario"], json!({
                "id": name("Its id; without one, its digits."),
                "number": { "$ref": "#/$defs/dialled" },
                "scenario": name("The scenario that answers.")
            })),
            "route": route()
        }
    })
}

fn user() -> Json {
    object(
        &["id", "number", "password"],
        json!({
            "id": name("The user's id."),
            "number": { "$ref": "#/$defs/dialled" },
            "name": { "type": "string" },
            "password": { "$ref": "#/$defs/secret" },
            "digest": { "enum": ["md5", "sha256", "both"], "default": "md5" },
            "calls_at_once": { "type": "integer", "minimum": 1, "maximum": 16, "default": 2 },
            "devices": { "type": "integer", "minimum": 1, "maximum": 32, "default": 8 },
            "status": { "enum": ["available", "busy", "do-not-disturb", "logged-out"], "default": "available" },
            "ring_for": { "$ref": "#/$defs/time", "description": "How long a direct call rings; 60s." },
            "forward": { "$ref": "#/$defs/dialled", "description": "Where a direct call goes that he does not take." }
        }),
    )
}

fn group() -> Json {
    let member = object(
        &["user"],
        json!({
            "user": name("The user's id."),
            "weight": { "type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 1 }
        }),
    );
    object(
        &["id", "members"],
        json!({
            "id": name("The group's id."),
            "number": { "$ref": "#/$defs/dialled" },
            "name": { "type": "string" },
            "distribution": { "enum": ["all-at-once", "in-order", "random"], "default": "all-at-once" },
            "ring_for": { "$ref": "#/$defs/time", "description": "Each member, or all of them; 20s." },
            "members": { "type": "array", "maxItems": 256,
                "items": { "anyOf": [{ "type": ["string", "integer"] }, member] } }
        }),
    )
}

fn gateway() -> Json {
    object(
        &["id", "address"],
        json!({
            "id": name("The gateway's id."),
            "address": { "type": "string", "description": "Address and port, such as 192.0.2.1:5060." },
            "transport": { "enum": ["udp", "tcp"], "default": "udp" },
            "inbound": { "type": "array", "items": { "type": "string" },
                "description": "Sources believed to be it; without a list, its address." },
            "calls": { "type": "integer", "minimum": 1, "maximum": 10_000, "default": 1_000 }
        }),
    )
}

fn route() -> Json {
    let mut route = object(
        &["id"],
        json!({
            "id": name("The route's id, as journals show it."),
            "from": { "anyOf": [
                { "enum": ["users", "gateways"] },
                object(&["gateway"], json!({ "gateway": name("A gateway's id.") }))
            ], "default": "users" },
            "number": { "$ref": "#/$defs/dialled" },
            "prefix": { "$ref": "#/$defs/dialled" },
            "any": { "const": true },
            "scenario": name("A scenario's name."),
            "user": name("A user's id."),
            "group": name("A group's id."),
            "gateway": name("A gateway's id."),
            "strip": { "type": "integer", "minimum": 0, "maximum": 32, "default": 0 },
            "add": { "$ref": "#/$defs/dialled" },
            "refuse": { "type": "integer", "minimum": 400, "maximum": 699, "description": "A SIP status." }
        }),
    );
    if let Some(route) = route.as_object_mut() {
        let one_of = |keys: &[&str]| -> Json { keys.iter().map(|key| json!({ "required": [key] })).collect() };
        let both = json!([
            { "oneOf": one_of(&["number", "prefix", "any"]) },
            { "oneOf": one_of(&["scenario", "user", "group", "gateway", "refuse"]) }
        ]);
        route.insert("allOf".into(), both);
    }
    route
}

fn object(required: &[&str], properties: Json) -> Json {
    let mut object = json!({ "type": "object", "required": required, "additionalProperties": false });
    if let Some(object) = object.as_object_mut() {
        object.insert("properties".into(), properties);
    }
    object
}

fn name(description: &str) -> Json {
    json!({ "type": ["string", "integer"], "pattern": "^[a-z0-9._-]{1,64}$", "description": description })
}
