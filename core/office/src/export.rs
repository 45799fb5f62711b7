//! The inverse of reading: an office as a document.

mod blocked;
mod database;
mod emergency;
mod fax;
mod gateways;
mod http;
mod integration;
mod mail;
mod recording;
mod routes;
mod text_message;
mod toll;
mod voicemail;

use crate::parts::users::STATUSES;
use crate::parts::{
    CALLS_AT_ONCE, COUNTRY, DEVICES, LANGUAGE, PARK, RING_FOR_DEFAULT, RING_FOR_DIRECT, SILENCE, TIER, TRANSFER,
    WEIGHT, id_of_number, usual_hold_music,
};
use crate::settings::FORWARD_AFTER;
use crate::{
    Addresses, CONFIRM_WITHIN, DigestChoice, DigestIntegrity, Encryption, EncryptionBy, FeatureCode, Features,
    ForwardKey, Forwards, Group, GroupMember, IncomingNumber, KeyForm, MediaRules, Office, OutsidePhone, PickUp,
    Secret, SecretOrigin, User,
};
use plugboard_document::{Node, write_duration};
use plugboard_model::{Dialled, Distribution, ForwardWhen, Name, QueueRules, UserStatus};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Whether secrets that stand in the document are written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// As `{ keep: true }`: a switch that has the user keeps his; another one asks for it.
    Hidden,
    /// In clear.
    InClear,
}

impl Office {
    /// The office as YAML, scenarios inside, without what is so anyway: applying it again gives the same office. With
    /// `folder`, which the document's paths are relative to, they are written so that the YAML may lie anywhere.
    pub fn export(&self, secrets: Secrets, folder: Option<&Path>) -> String {
        let mut document = Entries::default();
        document.put("office", self.id.as_str());
        document.put("domains", self.domains.iter().map(|domain| Node::from(domain.as_str())).collect::<Node>());
        document.put_unless("language", self.language.as_str(), LANGUAGE);
        document.put_unless("country", self.country.as_str(), COUNTRY);
        if let Some(area) = &self.area {
            document.put("area", area.as_str());
        }
        if let Some(prompts) = &self.prompts {
            document.put("prompts", placed(folder, prompts));
        }
        document.put_some("music", self.music.iter().map(|(name, path)| (name.as_str(), placed(folder, path).into())));
        if self.hold_music != usual_hold_music(&self.music) {
            document.put("hold_music", self.hold_music.as_ref().map_or(SILENCE, Name::as_str));
        }
        let mut transfer = Entries::default();
        transfer.put_unless("ring_for", write_duration(self.transfer.ring_for), write_duration(TRANSFER.ring_for));
        transfer.put_unless("recall", self.transfer.recall, TRANSFER.recall);
        let mut park = Entries::default();
        park.put_unless("places", self.park.places, PARK.places);
        park.put_unless("recall_after", write_duration(self.park.recall_after), write_duration(PARK.recall_after));
        park.put_unless("recalls", self.park.recalls, PARK.recalls);
        if self.park != PARK {
            document.put("park", park.node());
        }
        let (mut queues, usual) = (Entries::default(), QueueRules::default());
        queues.put_unless("away_after", self.queues.away_after, usual.away_after);
        let level = write_duration(self.queues.service_level);
        queues.put_unless("service_level", level, write_duration(usual.service_level));
        queues.put_unless("tell_wait", self.queues.tell_wait, usual.tell_wait);
        if self.queues != usual {
            document.put("queues", queues.node());
        }
        document.0.extend(recording::node(&self.recording).map(|node| ("recording", node)));
        document.0.extend(fax::node(&self.fax).map(|node| ("fax", node)));
        document.0.extend(voicemail::node(&self.voicemail).map(|node| ("voicemail", node)));
        let pick_up = match self.pick_up {
            PickUp::Any => "any",
            PickUp::Group => "group",
            PickUp::Nobody => "none",
        };
        document.put_unless("pick_up", pick_up, "group");
        document.put_list("reasons", self.reasons.iter().map(|reason| Node::from(reason.as_str())));
        if self.transfer != TRANSFER {
            document.put("transfer", transfer.node());
        }
        document.put_unless("lamps_show_caller", self.lamps_show_caller, false);
        document.0.extend(self.time_zone.map(|zone| ("time_zone", Node::from(zone.name()))));
        document.put_list("calendars", self.calendars.values().map(|calendar| calendar.node(self.time_zone)));
        document.0.extend(self.blocked.as_ref().map(|own| ("blocked", blocked::node(own))));
        document.0.extend(self.plugins.as_ref().map(|plugins| ("plugins", routes::plugins(plugins))));
        let variables = self.variables.iter().map(|(name, value)| (name.as_str(), routes::value(value)));
        document.put_some("variables", variables);
        document.put_list("contacts", self.contacts().map(routes::contact));
        document.put_list("http", self.http.values().map(|source| http::node(source, secrets, folder)));
        document.put_list("integrations", self.integrations.iter().map(|one| integration::node(one)));
        document.put_some("addresses", address_entries(&self.addresses));
        let databases = self.databases.values();
        document.put_list("databases", databases.map(|database| database::node(database, secrets, folder)));
        document.0.extend(self.mail.as_ref().map(|rules| ("mail", mail::node(rules, secrets, folder))));
        document.0.extend(self.text_messages.as_ref().map(|rules| ("text_messages", text_message::node(rules))));
        document.0.extend(self.toll.as_ref().map(|toll| ("toll", toll::node(toll))));
        document.0.extend(emergency::node(&self.emergency).map(|node| ("emergency", node)));
        document.put_list("users", self.users().map(|user| user_node(user, secrets, folder)));
        document.put_list("groups", self.groups().map(|group| group_node(group, secrets, folder)));
        document.put_list("gateways", self.gateways().map(|gateway| gateways::node(gateway, secrets, folder)));
        document.put_list("numbers", self.numbers().map(number_node));
        document.put_features(&self.features);
        document.put_list("routes", self.routes().map(|route| routes::node(route)));
        document.put_list("scenarios", self.scenarios().map(|source| source.document.clone()));
        document.node().to_yaml()
    }
}

/// The entries of a map, in their order.
#[derive(Default)]
struct Entries(Vec<(&'static str, Node)>);

impl Entries {
    fn put(&mut self, key: &'static str, value: impl Into<Node>) {
        self.0.push((key, value.into()));
    }

    fn put_media(&mut self, media: MediaRules) {
        fn word<V: PartialEq>(words: &[(&'static str, V)], value: V) -> Option<&'static str> {
            words.iter().find(|(_, known)| *known == value).map(|(word, _)| *word)
        }
        if let Some(word) = media.encryption.and_then(|value| word(&Encryption::WORDS, value)) {
            self.put("encryption", word);
        }
        if let Some(word) = media.encryption_by.and_then(|value| word(&EncryptionBy::WORDS, value)) {
            self.put("encryption_by", word);
        }
        self.put_unless("sdes_without_tls", media.sdes_without_tls, false);
        let keys = |form| word(&KeyForm::WORDS, form).unwrap_or_default();
        self.put_unless("keys", keys(media.keys), keys(KeyForm::default()));
    }

    /// What everybody has who says nothing is not written.
    fn put_unless<V: Into<Node> + PartialEq>(&mut self, key: &'static str, value: V, usual: V) {
        if value != usual {
            self.put(key, value);
        }
    }

    fn put_list(&mut self, key: &'static str, items: impl Iterator<Item = Node>) {
        let items: Vec<Node> = items.collect();
        if !items.is_empty() {
            self.put(key, Node::from_iter(items));
        }
    }

    fn put_features(&mut self, features: &Features) {
        let usual = |code: &FeatureCode| features.code(*code).map(Dialled::as_str) == Some(code.usual());
        if FeatureCode::ALL.iter().all(|code| features.code(*code).is_none()) {
            return self.put("feature_codes", false);
        }
        let node = |code: FeatureCode| {
            let written = features.code(code).map_or_else(|| Node::from(false), |code| Node::from(code.as_str()));
            (code.key(), written)
        };
        self.put_some("feature_codes", FeatureCode::ALL.into_iter().filter(|code| !usual(code)).map(node));
    }

    fn put_some<'k>(&mut self, key: &'static str, entries: impl Iterator<Item = (&'k str, Node)>) {
        let entries: Vec<_> = entries.collect();
        if !entries.is_empty() {
            self.put(key, Node::from_iter(entries));
        }
    }

    fn node(self) -> Node {
        self.0.into_iter().collect()
    }
}

fn user_node(user: &User, secrets: Secrets, folder: Option<&Path>) -> Node {
    let digest = |digest| match digest {
        DigestChoice::Md5 => "md5",
        DigestChoice::Sha256 => "sha256",
        DigestChoice::Both => "both",
        DigestChoice::Md5Session => "md5-sess",
        DigestChoice::Sha256Session => "sha256-sess",
    };
    let integrity = |integrity| match integrity {
        DigestIntegrity::No => "no",
        DigestIntegrity::Offered => "offered",
        DigestIntegrity::Required => "required",
    };
    let status = |status| STATUSES.iter().find(|(_, known)| *known == status).map_or("available", |(word, _)| *word);
    let settings = &user.settings;
    let mut entry = Entries::default();
    entry.put("id", user.id.name.as_str());
    entry.put("number", user.number.as_str());
    entry.put_unless("name", user.name.as_str(), user.id.name.as_str());
    entry.put("password", secret_node(&user.password, secrets, folder));
    entry.put_unless("digest", digest(user.digest), digest(DigestChoice::default()));
    entry.put_unless("digest_integrity", integrity(user.integrity), integrity(DigestIntegrity::default()));
    entry.put_unless("calls_at_once", user.calls_at_once, CALLS_AT_ONCE);
    entry.put_unless("devices", user.devices_max, DEVICES);
    entry.put_unless("status", status(settings.status), status(UserStatus::default()));
    entry.put_some("forward", forward_entries(&settings.forward, &user.forward_keys));
    entry.put_list("logged_out_of", settings.out_of.iter().map(|group| Node::from(group.as_str())));
    entry.put_some("skills", user.skills.iter().map(|(name, level)| (name.as_str(), Node::from(u32::from(*level)))));
    entry.0.extend(user.wrap_up.map(|wrap_up| ("wrap_up", Node::from(write_duration(wrap_up)))));
    entry.put_list("supervises", user.supervises.iter().map(|group| Node::from(group.as_str())));
    entry.put_unless("intercom", if user.intercom { "allowed" } else { "refused" }, "refused");
    entry.put_unless("ring_for", write_duration(user.ring_for), write_duration(RING_FOR_DIRECT));
    if let Some(number) = &user.outside_number {
        entry.put("outside_number", number.as_str());
    }
    entry.put_list("phones", user.phones.iter().map(phone_node));
    if let Some(language) = &user.language {
        entry.put("language", language.as_str());
    }
    entry.put_unless("reliable", user.reliable, false);
    if let Some(browser) = user.browser {
        entry.put("browser", browser);
    }
    entry.0.extend(user.toll.as_ref().map(|toll| ("toll", toll::node(toll))));
    entry.put_unless("record", user.record.word(), "on-demand");
    entry.0.extend(voicemail::mailbox(&user.mailbox, secrets, folder).map(|node| ("voicemail", node)));
    entry.0.extend(user.mail.as_ref().map(|mail| ("mail", Node::from(mail.as_str()))));
    if let Some(location) = &user.location {
        entry.put("location", location.as_str());
    }
    entry.0.extend(user.blocked.as_ref().map(|own| ("blocked", blocked::node(own))));
    entry.put_media(user.media);
    entry.node()
}

/// Empty where nothing is said of them.
fn address_entries(addresses: &Addresses) -> impl Iterator<Item = (&'static str, Node)> {
    let domains: Node = addresses.domains.iter().map(|domain| Node::from(domain.as_str())).collect();
    let domains = (!addresses.domains.is_empty()).then_some(("domains", domains));
    let private = addresses.private.then(|| ("private", Node::from(true)));
    let toll = addresses.toll.as_ref().map(|toll| ("toll", toll::node(toll)));
    [domains, private, toll].into_iter().flatten().collect::<Vec<_>>().into_iter()
}

/// The number alone where nothing else is said of it.
fn phone_node(phone: &OutsidePhone) -> Node {
    let number = phone.number.as_str();
    let usual = OutsidePhone::of(phone.number.clone());
    if *phone == usual {
        return number.into();
    }
    let mut entry = Entries::default();
    entry.put("number", number);
    if let Some(name) = &phone.name {
        entry.put("name", name.as_str());
    }
    entry.put_unless("confirm", phone.confirm, usual.confirm);
    entry.put_unless("confirm_within", write_duration(phone.confirm_within), write_duration(usual.confirm_within));
    entry.node()
}

/// Empty for who forwards nothing.
fn forward_entries(
    forward: &Forwards,
    keys: &BTreeMap<ForwardWhen, ForwardKey>,
) -> impl Iterator<Item = (&'static str, Node)> {
    let node = |when: ForwardWhen| {
        let number = forward.to(when).map(Dialled::as_str);
        let Some(key) = keys.get(&when) else { return number.map(Node::from) };
        let mut entry = Entries::default();
        entry.0.extend(number.map(|number| ("number", Node::from(number))));
        entry.0.extend(key.confirm.map(|confirm| ("confirm", Node::from(confirm))));
        entry.put_unless("confirm_within", write_duration(key.confirm_within), write_duration(CONFIRM_WITHIN));
        Some(entry.node())
    };
    let to = ForwardWhen::ALL.into_iter().filter_map(|when| Some((when.as_str(), node(when)?))).collect::<Vec<_>>();
    let after = (forward.after != FORWARD_AFTER).then(|| ("after", Node::from(write_duration(forward.after))));
    to.into_iter().chain(after)
}

/// A path of the document, good from any folder.
fn placed(folder: Option<&Path>, path: &str) -> String {
    folder.map_or_else(|| path.to_owned(), |folder| folder.join(path).display().to_string())
}

fn secret_node(secret: &Secret, secrets: Secrets, folder: Option<&Path>) -> Node {
    match (&secret.origin, secrets) {
        (SecretOrigin::File(path), _) => [("file", Node::from(placed(folder, path)))].into_iter().collect(),
        (SecretOrigin::Environment(name), _) => [("environment", Node::from(name.as_str()))].into_iter().collect(),
        (SecretOrigin::Written | SecretOrigin::Kept, Secrets::InClear) => secret.reveal().into(),
        (SecretOrigin::Written | SecretOrigin::Kept, Secrets::Hidden) => {
            [("keep", Node::from(true))].into_iter().collect()
        }
    }
}

fn group_node(group: &Group, secrets: Secrets, folder: Option<&Path>) -> Node {
    let distribution = |distribution| match distribution {
        Distribution::AllAtOnce => "all-at-once",
        Distribution::InOrder => "in-order",
        Distribution::Random => "random",
        Distribution::LongestIdle => "longest-idle",
    };
    let member = |member: &GroupMember| {
        if member.weight == WEIGHT && member.tier == TIER {
            return Node::from(member.user.name.as_str());
        }
        let mut entry = Entries::default();
        entry.put("user", member.user.name.as_str());
        entry.put_unless("weight", member.weight, WEIGHT);
        entry.put_unless("tier", u32::from(member.tier), u32::from(TIER));
        entry.node()
    };
    let mut entry = Entries::default();
    entry.put("id", group.id.name.as_str());
    if let Some(number) = &group.number {
        entry.put("number", number.as_str());
    }
    entry.put_unless("name", group.name.as_str(), group.id.name.as_str());
    entry.put_unless("distribution", distribution(group.distribution), distribution(Distribution::default()));
    entry.put_unless("ring_for", write_duration(group.ring_for), write_duration(RING_FOR_DEFAULT));
    entry.put_unless("wrap_up", write_duration(group.wrap_up), write_duration(Duration::ZERO));
    entry.put_unless("record", group.record.word(), "on-demand");
    entry.0.extend(voicemail::mailbox(&group.mailbox, secrets, folder).map(|node| ("voicemail", node)));
    entry.0.extend(group.mail.as_ref().map(|mail| ("mail", Node::from(mail.as_str()))));
    entry.put("members", group.members.iter().map(member).collect::<Node>());
    entry.node()
}

fn number_node(incoming: &IncomingNumber) -> Node {
    let mut entry = Entries::default();
    if id_of_number(&incoming.number).as_ref() != Some(&incoming.id.name) {
        entry.put("id", incoming.id.name.as_str());
    }
    entry.put("number", incoming.number.as_str());
    entry.put("scenario", incoming.scenario.name.as_str());
    entry.0.extend(incoming.fax_mail.as_ref().map(|to| ("fax_mail", mail::to(to))));
    entry.0.extend(incoming.plugins.as_ref().map(|plugins| ("plugins", routes::plugins(plugins))));
    entry.node()
}
