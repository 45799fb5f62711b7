//! `[push]`: the services that wake sleeping phones.

use plugboard_document::{Faults, Field};
use plugboard_outside::push::Url;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

use super::path;

/// Services; an office's phones have two or three kinds.
const SERVICES_MAX: usize = 16;
/// The longest document that a gateway is sent, before its words are put in: the services take 4 KB.
const BODY_LEN_MAX: usize = 2_048;
/// What is sent where nobody says otherwise.
const BODY: &str = r#"{"provider":"{provider}","param":"{param}","prid":"{prid}"}"#;

/// A service that wakes phones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PushService {
    /// As phones call it (`pn-provider`).
    pub(crate) provider: String,
    /// Where its gateway is.
    pub(crate) url: Url,
    /// What it wants to be shown.
    pub(crate) token: Option<Token>,
    /// A JSON document with the words of [`PushService::body_for`].
    pub(crate) body: String,
}

/// Where a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Environment(String),
}

impl PushService {
    /// What is sent for a phone: `{provider}`, `{param}` and `{prid}` stand for what it registered with.
    pub(crate) fn body_for(&self, param: &str, prid: &str) -> String {
        filled(&self.body, [&self.provider, param, prid])
    }
}

impl Token {
    /// Reads it.
    ///
    /// # Errors
    /// Where it was looked for in vain; never the token.
    pub(crate) fn read(&self) -> Result<String, String> {
        let text = match self {
            Self::File(file) => {
                std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?
            }
            Self::Environment(name) => {
                std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))?
            }
        };
        let token = text.trim();
        let is_one = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        if is_one { Ok(token.to_owned()) } else { Err("a push service's token is one word of ASCII".into()) }
    }
}

/// Puts words into a template in one pass: what a phone says is never looked through for more of them.
fn filled(template: &str, [provider, param, prid]: [&str; 3]) -> String {
    let (mut rest, mut text) = (template, String::new());
    let words = [("{provider}", provider), ("{param}", param), ("{prid}", prid)];
    while let Some(at) = rest.find('{') {
        let (before, here) = rest.split_at(at);
        text.push_str(before);
        let found = words.iter().find_map(|(name, value)| Some((here.strip_prefix(name)?, value)));
        rest = match found {
            Some((after, value)) => {
                // As JSON writes it, without the quotation marks, which the template has.
                let quoted = Json::from(*value).to_string();
                text.push_str(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default());
                after
            }
            None => {
                text.push('{');
                here.get(1..).unwrap_or_default()
            }
        };
    }
    text + rest
}

/// Reads the part of the file.
pub(super) fn read(field: &Field<'_>, services: &mut Vec<PushService>, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    let list = fields.take("services").map(|field| field.list(SERVICES_MAX, faults)).unwrap_or_default();
    fields.finish(faults);
    let mut names = BTreeSet::new();
    for item in list {
        let Some(service) = service(&item, faults) else { continue };
        if !names.insert(service.provider.clone()) {
            item.fault(faults, format!("the service {:?} is there twice", service.provider), "name each once");
        }
        services.push(service);
    }
}

fn service(item: &Field<'_>, faults: &mut Faults) -> Option<PushService> {
    let mut fields = item.fields(faults)?;
    let provider = fields.need("provider", faults).and_then(|field| provider(&field, faults));
    let url = fields.need("url", faults).and_then(|field| {
        let text = field.text(faults)?;
        let url = Url::parse(&text);
        if let Err(reason) = &url {
            field.fault(faults, format!("this URL {reason}"), "such as \"https://push.example.com/send\"");
        }
        url.ok()
    });
    let file = path(&mut fields, "token_file", faults);
    let variable = fields.take("token_environment").and_then(|field| field.text(faults));
    let body = match fields.take("body") {
        Some(field) => body(&field, faults),
        None => Some(BODY.to_owned()),
    };
    fields.finish(faults);
    if file.is_some() && variable.is_some() {
        item.fault(faults, "the token is named twice", "name token_file or token_environment");
    }
    let token = file.map(Token::File).or(variable.map(Token::Environment));
    Some(PushService { provider: provider?, url: url?, token, body: body? })
}

/// A token of SIP (RFC 3261 section 25.1) that can stand in a URI and in quotation marks.
fn provider(field: &Field<'_>, faults: &mut Faults) -> Option<String> {
    let text = field.text(faults)?;
    let is_one = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !is_one {
        field.fault(faults, format!("{text:?} is no name of a push service"), "such as \"fcm\", as phones call it");
    }
    is_one.then_some(text)
}

fn body(field: &Field<'_>, faults: &mut Faults) -> Option<String> {
    let text = field.text(faults)?;
    if text.len() > BODY_LEN_MAX {
        field.fault(faults, format!("longer than {BODY_LEN_MAX} bytes"), "");
        return None;
    }
    if serde_json::from_str::<Json>(&filled(&text, ["a", "b", "c"])).is_err() {
        field.fault(faults, "this is no JSON once its words are put in", "such as '{ \"token\": \"{prid}\" }'");
        return None;
    }
    Some(text)
}

/// The schema of the part.
pub(super) fn schema(part: &impl Fn(&str, Json) -> Json) -> Json {
    let text = |example: &str, description: &str| json!({ "type": "string", "examples": [example], "description": description });
    let body = json!({ "type": "string", "default": BODY, "examples": [r#"{ "token": "{prid}" }"#], "description":
        "The JSON document that is sent by POST; {provider}, {param} and {prid} stand for what the phone registered with." });
    let service = json!({ "type": "object", "additionalProperties": false, "required": ["provider", "url"], "properties": {
        "provider": text("fcm", "As phones call the service (`pn-provider`). One that is not here gets 555."),
        "url": text("https://push.example.com/send", "Its gateway, or one of your own before it. It is trusted as `ca` of \
            `[tls]` says; plain http goes to this machine alone."),
        "token_file": text("/etc/plugboard/push.token", "Holds what is sent as `Authorization: Bearer`."),
        "token_environment": text("PLUGBOARD_PUSH", "The environment variable that holds it, in place of a file."),
        "body": body
    } });
    part(
        "Services that wake phones which sleep (RFC 8599): a call sends a push notification, waits ten seconds for the \
         phone to register, and rings it then; his other phones ring meanwhile.",
        json!({ "services": { "type": "array", "maxItems": SERVICES_MAX, "items": { "anyOf": [service] },
            "examples": [[{ "provider": "fcm", "url": "https://push.example.com/send" }]],
            "description": "One table `[[push.services]]` each." } }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<Vec<PushService>, String> {
        let told = |faults: Vec<plugboard_document::Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>();
        Config::parse("test", text).map(|config| config.push).map_err(|faults| told(faults).join("\n"))
    }

    #[test]
    fn a_service_has_an_address_a_token_and_a_body() {
        let services = read(
            "[[push.services]]\nprovider = \"fcm\"\nurl = \"https://push.example.com/send\"\ntoken_environment = \"T\"\n\
             body = '{\"to\": \"{prid}\", \"of\": {\"app\": \"{param}\"}}'\n\
             [[push.services]]\nprovider = \"apns\"\nurl = \"http://127.0.0.1:9/\"\n",
        )
        .unwrap();
        assert_eq!(services.len(), 2);
        assert_eq!(services[0].token, Some(Token::Environment("T".into())));
        assert_eq!(services[0].body_for("app", "x"), r#"{"to": "x", "of": {"app": "app"}}"#);
        assert_eq!(services[1].body_for("", "x"), r#"{"provider":"apns","param":"","prid":"x"}"#);
    }

    #[test]
    fn what_a_phone_says_stays_within_its_quotation_marks_and_is_no_template() {
        let services = read("[[push.services]]\nprovider = \"fcm\"\nurl = \"https://a/\"\n").unwrap();
        let body = services[0].body_for("{prid}", "a\"},{\"b\\\n");
        let json: Json = serde_json::from_str(&body).unwrap();
        assert_eq!((&json["param"], &json["prid"]), (&"{prid}".into(), &"a\"},{\"b\\\n".into()));
    }

    #[test]
    fn faults_are_told() {
        for (text, told) in [
            ("provider = \"fcm\"\nurl = \"http://push.example.com/\"", "use https"),
            ("provider = \"f cm\"\nurl = \"https://a/\"", "no name of a push service"),
            ("provider = \"fcm\"\nurl = \"https://a/\"\nbody = '{prid}'", "no JSON"),
            ("provider = \"fcm\"\nurl = \"https://a/\"\ntoken_file = \"a\"\ntoken_environment = \"b\"", "twice"),
            ("url = \"https://a/\"", "\"provider\" is missing"),
        ] {
            let faults = read(&format!("[[push.services]]\n{text}\n")).unwrap_err();
            assert!(faults.contains(told), "{faults}");
        }
    }
}
