//! The parts of an office document: users, groups, numbers, routes, scenarios; gateways are in a file of their own.

mod addresses;
mod blocked;
pub(crate) mod database;
mod emergency;
pub(crate) mod fax;
pub(crate) mod features;
mod gateways;
pub(crate) mod http;
pub(crate) mod integration;
pub(crate) mod mail;
mod plugins;
mod recording;
mod routes;
mod rules;
pub(crate) mod text_message;
mod toll;
pub(crate) mod users;
mod voicemail;

pub(crate) use addresses::DOMAINS_MAX;
pub(crate) use blocked::BUSY_STATUS;
pub(crate) use emergency::CALL_BACK_WITHIN;
pub(crate) use plugins::ALL;
pub(crate) use rules::{CONTACT_GROUPS_MAX, CONTACT_TEXT_MAX, Ground, RESPONSIBLE_MAX};
pub(crate) use voicemail::{LONGEST, MESSAGES_MAX, MINUTES_MAX, SHORTEST, SILENCE as MESSAGE_SILENCE};

use crate::{
    Encryption, EncryptionBy, Gateway, Group, GroupMember, IncomingNumber, Internal, KeyForm, MediaRules, ParkRules,
    PickUp, Route, ScenarioSource, Secret, SecretOrigin, Surroundings, TransferRules, User,
};
use plugboard_document::{Faults, Field, Fields, Kind, Mark, Node, did_you_mean};
use plugboard_model::{Dialled, Distribution, GroupId, Name, NumberId, OfficeId, QueueRules, ScenarioId, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Users of one office: ten times the largest that the switch is measured with.
const USERS_MAX: usize = 100_000;
/// Groups, gateways, numbers, routes, scenarios of one office.
const ITEMS_MAX: usize = 10_000;
/// Members of a group, as the WIT says.
const MEMBERS_MAX: usize = 256;
/// Ring times, as the WIT's `dial.ring` takes them.
pub(crate) const RING_FOR: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(10);
/// What R62 calls usual.
pub(crate) const RING_FOR_DEFAULT: Duration = Duration::from_secs(20);
/// A direct call rings longer: nobody else is tried after it.
pub(crate) const RING_FOR_DIRECT: Duration = Duration::from_mins(1);

/// What is so unless the document says otherwise.
pub(crate) const LANGUAGE: &str = "en";
/// As [`LANGUAGE`].
pub(crate) const COUNTRY: &str = "de";
/// Direct calls that a user has at once.
pub(crate) const CALLS_AT_ONCE: u32 = 2;
/// A user's devices.
pub(crate) const DEVICES: u32 = 8;
/// Calls through a gateway.
pub(crate) const CHANNELS: u32 = 1_000;
/// What is played to people on hold if it is there.
pub(crate) const HOLD_MUSIC: &str = "music";
/// In place of a music's name: nothing is played.
pub(crate) const SILENCE: &str = "silence";
/// How a call is handed on: what it rings before whoever handed it on is rung again.
pub(crate) const PARK: ParkRules = ParkRules { places: 10, recall_after: Duration::from_secs(90), recalls: 3 };
/// Places of one office: more than two digits nobody remembers.
pub(crate) const PARK_PLACES_MAX: i64 = 99;
/// Whoever is parked longer has been forgotten.
const PARK_RECALL: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_mins(30);
/// Whoever has not come by then does not.
pub(crate) const PARK_RECALLS_MAX: i64 = 10;
/// Callers whom somebody does not answer in a row: who has not by then is not at his desk.
pub(crate) const AWAY_AFTER_MAX: i64 = 100;
/// Nobody calls it good service to wait longer.
const SERVICE_LEVEL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
/// Unless the office says otherwise.
pub(crate) const TRANSFER: TransferRules = TransferRules { ring_for: Duration::from_secs(30), recall: true };
/// How soon a gateway says a word: it sends 100 at once, and the INVITE goes four times in these seconds.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long a registration is to last.
pub(crate) const REGISTER_FOR: Duration = Duration::from_mins(10);
/// Unanswered probes in a row that show a gateway to be down.
pub(crate) const DOWN_AFTER: u32 = 3;
/// Answered ones that show it to be up again.
pub(crate) const UP_AFTER: u32 = 1;
/// A gateway's place among those that a route names.
pub(crate) const PRIORITY: u32 = 10;
/// Gateways that one route names: as many are tried for one call.
pub(crate) const WAYS_MAX: usize = 8;
/// A route's place among those that a call may take, and that of internal and incoming numbers and of feature codes.
pub(crate) const ROUTE_PRIORITY: u32 = 10;
/// Routes to users and gateways that one call takes one after the other: who sends calls in a ring means none of them.
pub(crate) const TO_ROUTES_MAX: usize = 8;
/// How long somebody may write up a call.
pub(crate) const WRAP_UP: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(1);
/// Skills of one user.
pub(crate) const SKILLS_MAX: usize = 32;
/// How well somebody can do something.
pub(crate) const SKILL_LEVELS: RangeInclusive<i64> = 1..=10;
/// Tiers of a group.
pub(crate) const TIERS: RangeInclusive<i64> = 1..=10;
/// The tier of a member of whom nothing else is said.
pub(crate) const TIER: u8 = 1;
/// Reasons for a status that an office has.
pub(crate) const REASONS_MAX: usize = 64;
/// A member's weight.
pub(crate) const WEIGHT: u32 = 1;

/// Whose secret one is.
#[derive(Debug, Clone, Copy)]
enum Owner<'n> {
    User(&'n str),
    Gateway(&'n str),
    /// `pin/user/ann`, `pin/group/sales`: no user's name has a slash.
    Mailbox(&'n str),
    /// `http/crm`.
    Http(&'n str),
    /// `database/crm`.
    Database(&'n str),
    /// The mail server's.
    Mail,
}

impl std::fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => write!(f, "user {name}"),
            Self::Gateway(name) => write!(f, "gateway {name}"),
            Self::Http(name) => write!(f, "the source {}", name.trim_start_matches("http/")),
            Self::Database(name) => write!(f, "the database {}", name.trim_start_matches("database/")),
            Self::Mail => f.write_str("the mail server"),
            Self::Mailbox(name) => write!(f, "the mailbox of {}", name.trim_start_matches("pin/")),
        }
    }
}

/// What a reference points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Noun {
    User,
    Group,
    Gateway,
    GatewayGroup,
    Location,
    Scenario,
}

impl Noun {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Gateway => "gateway",
            Self::GatewayGroup => "gateway with the group",
            Self::Location => "location",
            Self::Scenario => "scenario",
        }
    }
}

/// What was read, before references are followed.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) users: BTreeMap<Name, Arc<User>>,
    pub(crate) groups: BTreeMap<Name, Arc<Group>>,
    pub(crate) gateways: BTreeMap<Name, Arc<Gateway>>,
    pub(crate) scenarios: BTreeMap<Name, Arc<ScenarioSource>>,
    pub(crate) numbers: Vec<IncomingNumber>,
    pub(crate) routes: Vec<Route>,
    pub(crate) internal: Vec<(Dialled, Internal, Mark, String)>,
    /// Every id in the document, also of entries with faults.
    pub(crate) named: BTreeSet<(Noun, Name)>,
    pub(crate) references: Vec<Reference>,
    /// What is to go by mail.
    pub(crate) mailed: Vec<(Mark, String)>,
    /// What users may dial that an incoming number or a route takes.
    pub(crate) taken: Vec<Taken>,
}

/// Something that has to be there, and where it is named.
pub(crate) type Reference = (Noun, Name, Mark, String);

/// A number or prefix that something takes which users dial.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) number: String,
    /// What takes it, for a fault's reason.
    pub(crate) by: String,
    pub(crate) at: Mark,
    pub(crate) path: String,
}

/// Reads the lists of an office document.
pub(crate) struct Parts<'p> {
    office: OfficeId,
    surroundings: &'p dyn Surroundings,
    ground: &'p Ground,
    faults: &'p mut Faults,
    found: Found,
    /// Entries without an id so far.
    nameless: usize,
    /// Where a time of the day is written.
    pub(crate) timed: Vec<(Mark, String)>,
}

impl<'p> Parts<'p> {
    pub(crate) fn new(
        office: OfficeId,
        surroundings: &'p dyn Surroundings,
        ground: &'p Ground,
        faults: &'p mut Faults,
    ) -> Self {
        Self { office, surroundings, ground, faults, found: Found::default(), nameless: 0, timed: Vec::new() }
    }

    pub(crate) fn finish(self) -> Found {
        self.found
    }

    pub(crate) fn groups(&mut self, field: Option<Field<'_>>) {
        for item in self.items(field, ITEMS_MAX) {
            let Some((name, mut fields)) = self.named(&item) else { continue };
            self.found.named.insert((Noun::Group, name.clone()));
            let number = fields.take("number").and_then(|field| self.dialled(&field));
            let title = self.text(&mut fields, "name").unwrap_or_else(|| name.to_string());
            let modes = [
                ("all-at-once", Distribution::AllAtOnce),
                ("in-order", Distribution::InOrder),
                ("random", Distribution::Random),
                ("longest-idle", Distribution::LongestIdle),
            ];
            let distribution =
                fields.take("distribution").and_then(|field| field.one_of(&modes, self.faults)).unwrap_or_default();
            let ring_for = self.ring_for(&mut fields).unwrap_or(RING_FOR_DEFAULT);
            let wrap_up = fields.take("wrap_up").and_then(|field| field.duration(WRAP_UP, self.faults));
            let wrap_up = wrap_up.unwrap_or_default();
            let members = fields.need("members", self.faults).map(|field| self.members(&field)).unwrap_or_default();
            let record = self.record_rule(&mut fields);
            let mailbox = self.mailbox(fields.take("voicemail"), &format!("pin/group/{name}"));
            let mail = fields.take("mail").and_then(|field| self.mail_address(&field));
            fields.finish(self.faults);
            let id = GroupId { office: self.office.clone(), name: name.clone() };
            if let Some(number) = &number {
                self.found.internal.push((
                    number.clone(),
                    Internal::Group(id.clone()),
                    item.node.at,
                    item.path.clone(),
                ));
            }
            let group =
                Group { id, number, name: title, distribution, ring_for, wrap_up, members, record, mailbox, mail };
            if self.found.groups.insert(name, Arc::new(group)).is_some() {
                self.twice(&item);
            }
        }
    }

    /// An id, or `{ user: id, weight: 40, tier: 2 }`.
    fn members(&mut self, field: &Field<'_>) -> Vec<GroupMember> {
        let mut members: Vec<GroupMember> = Vec::new();
        for item in field.list(MEMBERS_MAX, self.faults) {
            let (user, weight, tier) = if item.node.as_map().is_some() {
                let Some(mut fields) = item.fields(self.faults) else { continue };
                let user = fields.need("user", self.faults);
                let weight = self.count(&mut fields, "weight", 0..=1_000_000, WEIGHT);
                let tier = self.count(&mut fields, "tier", TIERS, TIER.into());
                fields.finish(self.faults);
                (user, weight, u8::try_from(tier).unwrap_or(TIER))
            } else {
                (Some(item.clone()), 1, TIER)
            };
            let Some(name) = user.and_then(|field| self.refers(Noun::User, &field)) else { continue };
            if members.iter().any(|member| member.user.name == name) {
                item.fault(self.faults, format!("{name} is a member twice"), "take one of them out");
            }
            members.push(GroupMember { user: UserId { office: self.office.clone(), name }, weight, tier });
        }
        members
    }

    /// Names for why somebody is not to be rung.
    pub(crate) fn reasons(&mut self, field: Option<Field<'_>>) -> BTreeSet<Name> {
        let items = field.map(|field| field.list(REASONS_MAX, self.faults)).unwrap_or_default();
        items.iter().filter_map(|item| item.name(self.faults)).collect()
    }

    pub(crate) fn numbers(&mut self, field: Option<Field<'_>>) {
        for item in self.items(field, ITEMS_MAX) {
            let Some(mut fields) = item.fields(self.faults) else { continue };
            let number = fields.need("number", self.faults).and_then(|field| self.dialled(&field));
            let scenario = fields.need("scenario", self.faults).and_then(|field| self.refers(Noun::Scenario, &field));
            let name = fields.take("id").and_then(|field| field.name(self.faults));
            let plugins = self.plugins(fields.take("plugins"));
            let fax_mail = self.mail_to(fields.take("fax_mail"));
            fields.finish(self.faults);
            let (Some(number), Some(scenario)) = (number, scenario) else { continue };
            let Some(name) = name.or_else(|| id_of_number(&number)) else {
                item.fault(self.faults, "the number needs an id", "add \"id:\"");
                continue;
            };
            if self.found.numbers.iter().any(|other| other.number == number || other.id.name == name) {
                self.twice(&item);
            }
            let (id, scenario) = (
                NumberId { office: self.office.clone(), name },
                ScenarioId { office: self.office.clone(), name: scenario },
            );
            self.taken(number.as_str(), format!("the incoming number {}", id.name), &item);
            self.found.numbers.push(IncomingNumber { id, number, scenario, plugins, fax_mail });
        }
    }

    /// Scenario documents, or `{ file: path }`.
    pub(crate) fn scenarios(&mut self, field: Option<Field<'_>>) {
        for item in self.items(field, ITEMS_MAX) {
            let Some((file, document)) = self.scenario(&item) else { continue };
            let node = document.get("scenario");
            let name = match node.and_then(Node::as_text).map(Name::new) {
                Some(Ok(name)) => name,
                told => {
                    // In its own file, when it has one.
                    let mut faults = Faults::new(Arc::clone(&file));
                    let (at, path) = (node.map_or(document.at, |node| node.at), format!("{}.scenario", item.path));
                    match told {
                        Some(Err(error)) => faults.add(at, &path, error.to_string(), ""),
                        Some(Ok(_)) | None => {
                            let reason = format!("{file} does not say the scenario's name");
                            faults.add(at, &item.path, reason, "begin with \"scenario: name\"");
                        }
                    }
                    self.faults.extend(faults.into_sorted());
                    continue;
                }
            };
            self.found.named.insert((Noun::Scenario, name.clone()));
            let id = ScenarioId { office: self.office.clone(), name: name.clone() };
            if self.found.scenarios.insert(name, Arc::new(ScenarioSource { id, file, document })).is_some() {
                self.twice(&item);
            }
        }
    }

    fn scenario(&mut self, item: &Field<'_>) -> Option<(Arc<str>, Node)> {
        if item.node.get("file").is_none() {
            item.fields(self.faults)?;
            return Some((Arc::clone(self.faults.file()), item.node.clone()));
        }
        let mut fields = item.fields(self.faults)?;
        let field = fields.need("file", self.faults)?;
        fields.finish(self.faults);
        let path = field.text(self.faults)?;
        match self.surroundings.file(&path) {
            Ok(text) => {
                let (node, faults) = plugboard_document::examine(&path, &text);
                self.faults.extend(faults);
                if node.is_none() {
                    self.unread(&path, &text);
                }
                Some((path.into(), node?))
            }
            Err(reason) => {
                field.fault(self.faults, format!("{path} cannot be read: {reason}"), "");
                self.unread(&path, "");
                None
            }
        }
    }

    /// A scenario whose file cannot be read is not missing as well: its name is what a line of it says, else the file's.
    fn unread(&mut self, path: &str, text: &str) {
        let said = text.lines().find_map(|line| line.strip_prefix("scenario:"));
        let said = said.and_then(|rest| rest.split('#').next()).map(|name| name.trim().trim_matches(['"', '\'']));
        let stem = || Path::new(path).file_stem()?.to_str();
        let name = said.filter(|name| !name.is_empty()).or_else(stem).and_then(|name| Name::new(name).ok());
        self.found.named.extend(name.map(|name| (Noun::Scenario, name)));
    }

    pub(crate) fn music(&mut self, field: Option<Field<'_>>) -> BTreeMap<Name, String> {
        let mut music = BTreeMap::new();
        for (name, field) in field.map(|field| field.entries(self.faults)).unwrap_or_default() {
            match (Name::new(name), field.text(self.faults)) {
                (Ok(name), Some(path)) => drop(music.insert(name, path)),
                (Err(error), _) => field.fault(self.faults, error.to_string(), ""),
                (Ok(_), None) => {}
            }
        }
        music
    }

    /// The music on hold: one of `music`, or nothing.
    pub(crate) fn hold_music(&mut self, field: Option<Field<'_>>, music: &BTreeMap<Name, String>) -> Option<Name> {
        let Some(field) = field else { return usual_hold_music(music) };
        let name = field.name(self.faults)?;
        if name.as_str() == SILENCE {
            return None;
        }
        if !music.contains_key(&name) {
            let known: Vec<&str> = music.keys().map(Name::as_str).chain([SILENCE]).collect();
            field.fault(self.faults, format!("the office has no music {name}"), did_you_mean(name.as_str(), &known));
        }
        Some(name)
    }

    pub(crate) fn transfer(&mut self, field: Option<Field<'_>>) -> TransferRules {
        let Some(mut fields) = field.and_then(|field| field.fields(self.faults)) else { return TRANSFER };
        let ring_for = self.ring_for(&mut fields).unwrap_or(TRANSFER.ring_for);
        let recall = fields.take("recall").and_then(|field| field.boolean(self.faults)).unwrap_or(TRANSFER.recall);
        fields.finish(self.faults);
        TransferRules { ring_for, recall }
    }

    pub(crate) fn park(&mut self, field: Option<Field<'_>>) -> ParkRules {
        let Some(mut fields) = field.and_then(|field| field.fields(self.faults)) else { return PARK };
        let places = self.count(&mut fields, "places", 1..=PARK_PLACES_MAX, PARK.places);
        let after = fields.take("recall_after").and_then(|field| field.duration(PARK_RECALL, self.faults));
        let recalls = self.count(&mut fields, "recalls", 0..=PARK_RECALLS_MAX, PARK.recalls);
        fields.finish(self.faults);
        ParkRules { places, recall_after: after.unwrap_or(PARK.recall_after), recalls }
    }

    pub(crate) fn queues(&mut self, field: Option<Field<'_>>) -> QueueRules {
        let usual = QueueRules::default();
        let Some(mut fields) = field.and_then(|field| field.fields(self.faults)) else { return usual };
        let away_after = self.count(&mut fields, "away_after", 0..=AWAY_AFTER_MAX, usual.away_after);
        let level = fields.take("service_level").and_then(|field| field.duration(SERVICE_LEVEL, self.faults));
        let tells = fields.take("tell_wait").and_then(|field| field.boolean(self.faults));
        fields.finish(self.faults);
        QueueRules {
            away_after,
            service_level: level.unwrap_or(usual.service_level),
            tell_wait: tells.unwrap_or(usual.tell_wait),
        }
    }

    pub(crate) fn pick_up(&mut self, field: Option<Field<'_>>) -> PickUp {
        let words = [("any", PickUp::Any), ("group", PickUp::Group), ("none", PickUp::Nobody)];
        field.and_then(|field| field.one_of(&words, self.faults)).unwrap_or_default()
    }

    fn items<'n>(&mut self, field: Option<Field<'n>>, max: usize) -> Vec<Field<'n>> {
        field.map(|field| field.list(max, self.faults)).unwrap_or_default()
    }

    /// An item's fields, and its `id`.
    fn named<'n>(&mut self, item: &Field<'n>) -> Option<(Name, Fields<'n>)> {
        let mut fields = item.fields(self.faults)?;
        let id = fields.need("id", self.faults).and_then(|field| field.name(self.faults));
        let Some(name) = id else {
            // Its other faults are told under a name that the document cannot refer to by accident.
            self.nameless += 1;
            return Name::new(&format!("-{}", self.nameless)).ok().map(|name| (name, fields));
        };
        Some((name, fields))
    }

    fn taken(&mut self, number: &str, by: String, item: &Field<'_>) {
        let (number, path) = (number.to_owned(), item.path.clone());
        self.found.taken.push(Taken { number, by, at: item.node.at, path });
    }

    fn twice(&mut self, item: &Field<'_>) {
        item.fault(self.faults, "this is here twice", "take one of them out, or give it another id");
    }

    fn refers(&mut self, noun: Noun, field: &Field<'_>) -> Option<Name> {
        let name = field.name(self.faults)?;
        self.found.references.push((noun, name.clone(), field.node.at, field.path.clone()));
        Some(name)
    }

    fn dialled(&mut self, field: &Field<'_>) -> Option<Dialled> {
        let text = field.text(self.faults)?;
        Dialled::new(&text).map_err(|error| field.fault(self.faults, error.to_string(), "")).ok()
    }

    fn text(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
        fields.take(key).and_then(|field| field.text(self.faults))
    }

    fn count(&mut self, fields: &mut Fields<'_>, key: &'static str, range: RangeInclusive<i64>, otherwise: u32) -> u32 {
        let given = fields.take(key).and_then(|field| field.integer(range, self.faults));
        given.and_then(|value| u32::try_from(value).ok()).unwrap_or(otherwise)
    }

    pub(crate) fn reliable(&mut self, fields: &mut Fields<'_>) -> bool {
        fields.take("reliable").and_then(|field| field.boolean(self.faults)).unwrap_or_default()
    }

    /// What is said of media, of users and gateways alike.
    pub(crate) fn media(&mut self, fields: &mut Fields<'_>) -> MediaRules {
        let encryption = fields.take("encryption").and_then(|field| field.one_of(&Encryption::WORDS, self.faults));
        let by = fields.take("encryption_by").and_then(|field| field.one_of(&EncryptionBy::WORDS, self.faults));
        let without = fields.take("sdes_without_tls").and_then(|field| field.boolean(self.faults));
        let keys = fields.take("keys").and_then(|field| field.one_of(&KeyForm::WORDS, self.faults));
        MediaRules {
            encryption,
            encryption_by: by,
            sdes_without_tls: without.unwrap_or_default(),
            keys: keys.unwrap_or_default(),
        }
    }

    fn ring_for(&mut self, fields: &mut Fields<'_>) -> Option<Duration> {
        fields.take("ring_for").and_then(|field| field.duration(RING_FOR, self.faults))
    }

    /// A text, `{ file: path }`, `{ environment: NAME }` or `{ keep: true }`.
    fn secret(&mut self, field: &Field<'_>, owner: Owner<'_>) -> Option<Secret> {
        /// Bytes of a secret.
        const SECRET_MAX: usize = 256;
        let secret = match &field.node.kind {
            Kind::Map(_) => {
                let mut fields = field.fields(self.faults)?;
                let (file, variable) = (fields.take("file"), fields.take("environment"));
                let keep = fields.take("keep");
                fields.finish(self.faults);
                match (file, variable, keep) {
                    (Some(place), None, None) => {
                        let path = place.text(self.faults)?;
                        let read = self.surroundings.file(&path);
                        let text = read
                            .map_err(|reason| place.fault(self.faults, format!("{path} cannot be read: {reason}"), ""));
                        Secret {
                            value: text.ok()?.trim_end_matches(['\r', '\n']).into(),
                            origin: SecretOrigin::File(path),
                        }
                    }
                    (None, Some(place), None) => {
                        let name = place.text(self.faults)?;
                        let Some(value) = self.surroundings.variable(&name) else {
                            place.fault(self.faults, format!("the environment has no variable {name}"), "set it");
                            return None;
                        };
                        Secret { value, origin: SecretOrigin::Environment(name) }
                    }
                    (None, None, Some(place)) => {
                        if !place.boolean(self.faults)? {
                            place.fault(self.faults, "a secret is kept or it is not given so", "write keep: true");
                            return None;
                        }
                        let kept = match owner {
                            Owner::User(whose)
                            | Owner::Mailbox(whose)
                            | Owner::Http(whose)
                            | Owner::Database(whose) => self.surroundings.kept(&self.office, whose),
                            Owner::Mail => self.surroundings.kept(&self.office, "mail/login"),
                            Owner::Gateway(gateway) => self.surroundings.kept_of_gateway(&self.office, gateway),
                        };
                        let Some(value) = kept else {
                            let fault = format!("{owner} has no password yet that could be kept");
                            place.fault(self.faults, fault, "write one");
                            return None;
                        };
                        Secret { value, origin: SecretOrigin::Kept }
                    }
                    (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) | (None, None, None) => {
                        let forms = "a secret is a text, { file: path }, { environment: NAME } or { keep: true }";
                        field.fault(self.faults, forms, "");
                        return None;
                    }
                }
            }
            Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) | Kind::Text(_) | Kind::List(_) => {
                Secret::written(field.text(self.faults)?)
            }
        };
        if secret.value.is_empty() || secret.value.len() > SECRET_MAX {
            field.fault(self.faults, format!("a secret has 1 to {SECRET_MAX} bytes"), "");
            return None;
        }
        Some(secret)
    }
}

/// What people on hold hear when the document does not say.
pub(crate) fn usual_hold_music(music: &BTreeMap<Name, String>) -> Option<Name> {
    music.keys().find(|name| name.as_str() == HOLD_MUSIC).cloned()
}

/// The id of an incoming number that has none of its own: its digits and letters.
pub(crate) fn id_of_number(number: &Dialled) -> Option<Name> {
    let plain: String = number.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    Name::new(&plain.to_ascii_lowercase()).ok()
}
