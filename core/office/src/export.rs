//! The inverse of reading: an office as a document.

use crate::{DigestChoice, From, Goal, Group, Office, Pattern, Route, Secret, SecretOrigin, Transport, User};
use plugboard_document::{to_yaml, write_duration};
use plugboard_model::{Distribution, UserStatus};
use serde_json::{Map, Value as Json, json};
use std::path::Path;

/// Whether secrets that stand in the document are written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// As `{ keep: true }`: a switch that has the user keeps his; another one asks for it.
    Hidden,
    /// In clear.
    InClear,
}

impl Office {
    /// The office as YAML, scenarios inside: applying it again gives the same office. With `folder`, which the
    /// document's paths are relative to, they are written so that the YAML may lie anywhere.
    ///
    /// # Errors
    /// None that a document can cause; the writer's own, if it ever has one.
    pub fn export(&self, secrets: Secrets, folder: Option<&Path>) -> Result<String, String> {
        to_yaml(&self.to_json(secrets, folder)).map_err(|error| error.to_string())
    }

    fn to_json(&self, secrets: Secrets, folder: Option<&Path>) -> Json {
        let mut document = Map::new();
        document.insert("office".into(), self.id.as_str().into());
        document.insert("domains".into(), self.domains.clone().into());
        document.insert("language".into(), self.language.as_str().into());
        document.insert("country".into(), self.country.as_str().into());
        if let Some(prompts) = &self.prompts {
            document.insert("prompts".into(), placed(folder, prompts).into());
        }
        document.insert(
            "music".into(),
            self.music
                .iter()
                .map(|(name, path)| (name.to_string(), placed(folder, path).into()))
                .collect::<Map<_, _>>()
                .into(),
        );
        document.insert("users".into(), self.users().map(|user| user_json(user, secrets, folder)).collect());
        document.insert("groups".into(), self.groups().map(|group| group_json(group)).collect());
        document.insert("gateways".into(), self.gateways().map(|gateway| gateway_json(gateway)).collect());
        let number = |incoming: &crate::IncomingNumber| json!({ "id": incoming.id.name, "number": incoming.number, "scenario": incoming.scenario.name });
        document.insert("numbers".into(), self.numbers().map(number).collect());
        document.insert("routes".into(), self.routes().map(|route| route_json(route)).collect());
        document.insert("scenarios".into(), self.scenarios().map(|source| source.document.to_json()).collect());
        Json::Object(document)
    }
}

fn user_json(user: &User, secrets: Secrets, folder: Option<&Path>) -> Json {
    let digest = match user.digest {
        DigestChoice::Md5 => "md5",
        DigestChoice::Sha256 => "sha256",
        DigestChoice::Both => "both",
    };
    let status = match user.status {
        UserStatus::Available => "available",
        UserStatus::Busy => "busy",
        UserStatus::DoNotDisturb => "do-not-disturb",
        UserStatus::LoggedOut => "logged-out",
    };
    json!({
        "id": user.id.name,
        "number": user.number,
        "name": user.name,
        "password": secret_json(&user.password, secrets, folder),
        "digest": digest,
        "calls_at_once": user.calls_at_once,
        "devices": user.devices_max,
        "status": status,
        "ring_for": write_duration(user.ring_for),
    })
}

/// A path of the document, good from any folder.
fn placed(folder: Option<&Path>, path: &str) -> String {
    folder.map_or_else(|| path.to_owned(), |folder| folder.join(path).display().to_string())
}

fn secret_json(secret: &Secret, secrets: Secrets, folder: Option<&Path>) -> Json {
    match (&secret.origin, secrets) {
        (SecretOrigin::File(path), _) => json!({ "file": placed(folder, path) }),
        (SecretOrigin::Environment(name), _) => json!({ "environment": name }),
        (SecretOrigin::Written | SecretOrigin::Kept, Secrets::InClear) => Json::from(secret.reveal()),
        (SecretOrigin::Written | SecretOrigin::Kept, Secrets::Hidden) => json!({ "keep": true }),
    }
}

fn group_json(group: &Group) -> Json {
    let distribution = match group.distribution {
        Distribution::AllAtOnce => "all-at-once",
        Distribution::InOrder => "in-order",
        Distribution::Random => "random",
    };
    let members: Json =
        group.members.iter().map(|member| json!({ "user": member.user.name, "weight": member.weight })).collect();
    let mut entry = json!({
        "id": group.id.name,
        "name": group.name,
        "distribution": distribution,
        "ring_for": write_duration(group.ring_for),
        "members": members,
    });
    if let (Some(number), Json::Object(entry)) = (&group.number, &mut entry) {
        entry.insert("number".into(), number.as_str().into());
    }
    entry
}

fn gateway_json(gateway: &crate::Gateway) -> Json {
    let transport = match gateway.transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    };
    let source = |(address, port): &(std::net::IpAddr, Option<u16>)| match port {
        Some(port) => std::net::SocketAddr::new(*address, *port).to_string(),
        None => address.to_string(),
    };
    let inbound: Vec<String> = gateway.inbound.iter().map(source).collect();
    json!({
        "id": gateway.id.name,
        "address": gateway.address.to_string(),
        "transport": transport,
        "inbound": inbound,
        "calls": gateway.calls_max,
    })
}

fn route_json(route: &Route) -> Json {
    let mut entry = Map::new();
    entry.insert("id".into(), route.id.name.as_str().into());
    let from = match &route.from {
        From::Users => json!("users"),
        From::Gateways => json!("gateways"),
        From::Gateway(gateway) => json!({ "gateway": gateway.name }),
    };
    entry.insert("from".into(), from);
    match &route.called {
        Pattern::Exact(number) => entry.insert("number".into(), number.as_str().into()),
        Pattern::Prefix(prefix) if prefix.is_empty() => entry.insert("any".into(), true.into()),
        Pattern::Prefix(prefix) => entry.insert("prefix".into(), prefix.as_str().into()),
    };
    let (key, goal) = match &route.to {
        Goal::Scenario(id) => ("scenario", Json::from(id.name.as_str())),
        Goal::User(id) => ("user", Json::from(id.name.as_str())),
        Goal::Group(id) => ("group", Json::from(id.name.as_str())),
        Goal::Refuse(cause) => ("refuse", Json::from(cause.status)),
        Goal::Gateway { gateway, strip, add } => {
            entry.insert("strip".into(), (*strip).into());
            if !add.is_empty() {
                entry.insert("add".into(), add.as_str().into());
            }
            ("gateway", Json::from(gateway.name.as_str()))
        }
    };
    entry.insert(key.into(), goal);
    Json::Object(entry)
}
