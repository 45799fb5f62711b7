//! An office as the switch sees it: immutable, checked, shared by `Arc`.

use crate::{
    Addresses, Blocked, Calendar, Contact, Database, Emergency, FaxRules, Features, ForwardKey, Gateway, HttpSource,
    IncomingNumber, Integration, MailRules, MailboxRules, MediaRules, NumberPlan, OutsidePhone, Plugins, RecordRule,
    Recording, Route, TextRules, Toll, UserSettings, VariableValue, Voicemail, Zone,
};
use plugboard_document::Node;
use plugboard_model::{
    Dialled, DirectoryGroup, DirectoryUser, Distribution, ForwardWhen, GatewayId, GroupId, MailAddress, Member, Name,
    OfficeId, QueueRules, ScenarioId, Skill, UserId, UserStatus,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// One tenant's snapshot. A call keeps the one it began with; `apply` replaces it for later calls.
#[derive(Debug, Clone)]
pub struct Office {
    /// Its id.
    pub id: OfficeId,
    /// Its SIP domains, in lower case; the first is the digest realm.
    pub domains: Vec<String>,
    /// BCP 47.
    pub language: String,
    /// ISO 3166-1 alpha-2: chooses the call progress tones, and how numbers are written.
    pub country: String,
    /// The area code without the trunk prefix: numbers dialled without one are of this area.
    pub area: Option<String>,
    pub(crate) users: BTreeMap<Name, Arc<User>>,
    pub(crate) groups: BTreeMap<Name, Arc<Group>>,
    pub(crate) gateways: BTreeMap<Name, Arc<Gateway>>,
    pub(crate) scenarios: BTreeMap<Name, Arc<ScenarioSource>>,
    pub(crate) routes: Vec<Arc<Route>>,
    pub(crate) numbers: BTreeMap<Dialled, IncomingNumber>,
    /// Internal numbers.
    pub(crate) internal: BTreeMap<Dialled, Internal>,
    /// Users by number, and by the name in their id unless that is a number of somebody: each request of a stranger looks here, and in a
    /// large office a tree is a dozen places in memory that nobody has looked at lately.
    pub(crate) by_login: HashMap<Box<str>, Arc<User>>,
    /// The folder of prompts, as the document writes it; relative to the document.
    pub prompts: Option<String>,
    /// Music by name: a file or folder, relative to the document.
    pub music: BTreeMap<Name, String>,
    /// The music that people on hold hear; none: silence.
    pub hold_music: Option<Name>,
    /// How its people hand calls on.
    pub transfer: TransferRules,
    /// Whether lamps tell who is at the other end of a call.
    pub lamps_show_caller: bool,
    /// How calls are parked.
    pub park: ParkRules,
    /// How callers wait for people.
    pub queues: QueueRules,
    /// How calls are recorded.
    pub recording: Recording,
    /// How mailboxes take messages.
    pub voicemail: Voicemail,
    /// How it sends faxes.
    pub fax: FaxRules,
    /// Whose ringing calls a user may take.
    pub pick_up: PickUp,
    /// Why its people may say that they are not to be rung.
    pub reasons: BTreeSet<Name>,
    /// The limits of calls to the outside of those who have none of their own.
    pub toll: Option<Arc<Toll>>,
    /// Whose clocks limits go by, if the document says so.
    pub time_zone: Option<Zone>,
    /// What its days count as, by name.
    pub calendars: BTreeMap<Name, Arc<Calendar>>,
    /// Callers from outside whom it does not let through.
    pub blocked: Option<Blocked>,
    /// What calls may use unless their route says otherwise; `None`: all that is installed.
    pub plugins: Option<Plugins>,
    /// What routes ask for besides the call: how things are just now.
    pub variables: BTreeMap<Name, VariableValue>,
    pub(crate) contacts: BTreeMap<Name, Contact>,
    /// Whose a number is, as it is written and in E.164.
    pub(crate) contact_numbers: HashMap<String, Name>,
    /// Services of the web, by name.
    pub http: BTreeMap<Name, Arc<HttpSource>>,
    /// Systems beside the telephone; the first one is asked first.
    pub integrations: Vec<Arc<Integration>>,
    /// Which SIP addresses outside steps may call.
    pub addresses: Addresses,
    /// Databases, by name.
    pub databases: BTreeMap<Name, Arc<Database>>,
    /// How it sends e-mail, if it does.
    pub mail: Option<Arc<MailRules>>,
    /// How it sends text messages, if it does.
    pub text_messages: Option<Arc<TextRules>>,
    /// How they call for help.
    pub emergency: Emergency,
    /// The numbers of that, by what is dialled.
    pub(crate) help_numbers: BTreeMap<String, Dialled>,
    /// What they dial to change their settings, and for what their phones have no key.
    pub features: Features,
}

/// How a call is handed on to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferRules {
    /// How long the number rings.
    pub ring_for: Duration,
    /// Whether who handed it on is rung when nobody answered there.
    pub recall: bool,
}

/// How calls are put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParkRules {
    /// Places, numbered from 1.
    pub places: u32,
    /// After how long whoever parked a call is rung with it.
    pub recall_after: Duration,
    /// How often he is; then the call ends.
    pub recalls: u32,
}

/// Whose ringing calls a user may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PickUp {
    /// Everybody's.
    Any,
    /// Those of the members of his groups.
    #[default]
    Group,
    /// His own devices' alone.
    Nobody,
}

/// A person with an internal number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Which.
    pub id: UserId,
    /// His internal number; phones authenticate with it or with the id.
    pub number: Dialled,
    /// For people.
    pub name: String,
    /// What his devices prove to know.
    pub password: Secret,
    /// The challenge his devices get.
    pub digest: DigestChoice,
    /// Whether his devices sign bodies too.
    pub integrity: DigestIntegrity,
    /// Direct calls that may be with him at once: 1 to 16.
    pub calls_at_once: u32,
    /// Devices that may be registered at once: 1 to 32.
    pub devices_max: u32,
    /// His status, forwards and groups when the switch starts.
    pub settings: UserSettings,
    /// What his forwards ask of whoever answers outside; those that are not here, what is usual.
    pub forward_keys: BTreeMap<ForwardWhen, ForwardKey>,
    /// Whether colleagues may speak to him without his picking up.
    pub intercom: bool,
    /// The groups to whose members' calls he may listen.
    pub supervises: BTreeSet<Name>,
    /// What he can do, and how well: 1 to 10.
    pub skills: BTreeMap<Name, u8>,
    /// How long he writes up a call of a group or queue; without it, as long as the group has it.
    pub wrap_up: Option<Duration>,
    /// How long a direct call rings him.
    pub ring_for: Duration,
    /// The number that gateways show of him; without one, theirs, else his internal one.
    pub outside_number: Option<Dialled>,
    /// His phones outside, in the order in which they are rung.
    pub phones: Vec<OutsidePhone>,
    /// His language (BCP 47), where it is not the office's.
    pub language: Option<String>,
    /// Whether his devices are offered reliable provisional responses (RFC 3262).
    pub reliable: bool,
    /// Whether his devices are browsers; without it, those are that registered over WebSocket.
    pub browser: Option<bool>,
    /// Where he is when he calls for help, unless his address says otherwise.
    pub location: Option<Name>,
    /// The limits of his calls to the outside, in place of the office's.
    pub toll: Option<Arc<Toll>>,
    /// Encryption and keys of his devices.
    pub media: MediaRules,
    /// Whether his calls are recorded.
    pub record: RecordRule,
    /// His mailbox.
    pub mailbox: MailboxRules,
    /// His address of e-mail.
    pub mail: Option<MailAddress>,
    /// Callers whom he does not let through.
    pub blocked: Option<Arc<Blocked>>,
}

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Which.
    pub id: GroupId,
    /// Its internal number, if it has one.
    pub number: Option<Dialled>,
    /// For people.
    pub name: String,
    /// How it spreads calls.
    pub distribution: Distribution,
    /// How long it rings each member, or all of them.
    pub ring_for: Duration,
    /// How long a member writes up a call of it, unless he has a time of his own.
    pub wrap_up: Duration,
    /// In the document's order, at most 256.
    pub members: Vec<GroupMember>,
    /// Whether calls that ring it are recorded.
    pub record: RecordRule,
    /// Its mailbox.
    pub mailbox: MailboxRules,
    /// Its address of e-mail.
    pub mail: Option<MailAddress>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// Who.
    pub user: UserId,
    /// In a random draw; 0 stands at the end.
    pub weight: u32,
    /// Those of a lower tier are rung first: 1 to 10.
    pub tier: u8,
}

/// How SIP messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Transport {
    /// Datagrams.
    #[default]
    Udp,
    /// A stream.
    Tcp,
    /// A stream under TLS; the gateway's certificate must name its address.
    Tls,
}

/// The digest challenges that a user's devices get (RFC 7616, 8760).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigestChoice {
    /// MD5 alone, which every phone knows.
    #[default]
    Md5,
    /// SHA-256 alone.
    Sha256,
    /// Both; the device chooses.
    Both,
    /// MD5-sess alone.
    Md5Session,
    /// SHA-256-sess alone.
    Sha256Session,
}

/// Whether the answers to a digest challenge cover the body (`qop=auth-int`, RFC 7616 section 3.4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigestIntegrity {
    /// They do not.
    #[default]
    No,
    /// The device chooses.
    Offered,
    /// They do.
    Required,
}

/// A secret. Its `Debug` form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    pub(crate) value: String,
    pub(crate) origin: SecretOrigin,
}

/// Where a secret was read from; `export` writes this instead of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretOrigin {
    /// The document itself.
    Written,
    /// A file.
    File(String),
    /// An environment variable.
    Environment(String),
    /// The office as it was in force before.
    Kept,
}

/// A scenario that the office names: its document, not yet checked against actions.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioSource {
    /// Which.
    pub id: ScenarioId,
    /// The file that its places refer to.
    pub file: Arc<str>,
    /// The document, for `plugboard_scenario::Document::read`.
    pub document: Node,
}

/// Whom an internal number belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Internal {
    /// A user.
    User(UserId),
    /// A group.
    Group(GroupId),
}

impl GroupMember {
    fn to_directory(&self) -> Member {
        Member { user: self.user.clone(), weight: self.weight }
    }
}

impl Group {
    /// Its members, as written.
    pub fn users(&self) -> Vec<UserId> {
        self.members.iter().map(|member| member.user.clone()).collect()
    }

    fn has(&self, user: &UserId) -> bool {
        self.members.iter().any(|member| member.user == *user)
    }
}

impl Secret {
    /// A secret that stands in the document.
    pub fn written(value: impl Into<String>) -> Self {
        Self { value: value.into(), origin: SecretOrigin::Written }
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.value
    }

    /// Where it was read from.
    pub fn origin(&self) -> &SecretOrigin {
        &self.origin
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({:?})", self.origin)
    }
}

impl Office {
    /// Whose clocks limits go by: UTC unless the document says otherwise.
    pub fn zone(&self) -> Zone {
        self.time_zone.unwrap_or_default()
    }

    /// A user by id.
    pub fn user(&self, id: &UserId) -> Option<&Arc<User>> {
        (id.office == self.id).then(|| self.users.get(&id.name))?
    }

    /// A user by internal number or by the name in his id.
    pub fn find_user(&self, number_or_id: &str) -> Option<&Arc<User>> {
        let written_otherwise = || {
            let number = Dialled::new(number_or_id).ok()?;
            if number.as_str() == number_or_id { None } else { self.by_login.get(number.as_str()) }
        };
        self.by_login.get(number_or_id).or_else(written_otherwise)
    }

    /// Once users and numbers stand.
    pub(crate) fn index_logins(&mut self) {
        let numbers = self.internal.iter().filter_map(|(number, owner)| match owner {
            Internal::User(id) => Some((number.as_str().into(), Arc::clone(self.users.get(&id.name)?))),
            Internal::Group(_) => None,
        });
        let names = self.users.iter().filter(|(name, _)| self.internal(name.as_str()).is_none());
        let names = names.map(|(name, user)| (name.as_str().into(), Arc::clone(user)));
        self.by_login = numbers.chain(names).collect();
    }

    /// Whether one user may listen to another one's calls.
    pub fn supervises(&self, who: &UserId, whom: &UserId) -> bool {
        let groups = self.user(who).map(|user| &user.supervises);
        let has = |group: &Name| {
            self.groups.get(group).is_some_and(|group| group.members.iter().any(|one| one.user == *whom))
        };
        who != whom && groups.is_some_and(|groups| groups.iter().any(has))
    }

    /// A group by id.
    pub fn group(&self, id: &GroupId) -> Option<&Arc<Group>> {
        (id.office == self.id).then(|| self.groups.get(&id.name))?
    }

    /// A group by internal number or by the name in its id.
    pub fn find_group(&self, number_or_id: &str) -> Option<&Arc<Group>> {
        match self.internal(number_or_id) {
            Some(Internal::Group(id)) => self.groups.get(&id.name),
            Some(Internal::User(_)) => None,
            None => self.groups.get(&Name::new(number_or_id).ok()?),
        }
    }

    /// Whom an internal number belongs to.
    pub fn internal(&self, number: &str) -> Option<&Internal> {
        self.internal.get(&Dialled::new(number).ok()?)
    }

    /// Whether a user may take a call that rings another one.
    pub fn may_pick_up(&self, by: &UserId, whom: &UserId) -> bool {
        match self.pick_up {
            PickUp::Any => true,
            PickUp::Group => self.groups.values().any(|group| group.has(by) && group.has(whom)),
            PickUp::Nobody => false,
        }
    }

    /// Those who share a group with a user, by name; himself not.
    pub fn colleagues(&self, of: &UserId) -> Vec<UserId> {
        let members = self.groups.values().filter(|group| group.has(of)).flat_map(|group| group.users());
        let others: std::collections::BTreeSet<UserId> = members.filter(|user| user != of).collect();
        others.into_iter().collect()
    }

    /// A gateway by id.
    pub fn gateway(&self, id: &GatewayId) -> Option<&Arc<Gateway>> {
        (id.office == self.id).then(|| self.gateways.get(&id.name))?
    }

    /// The gateway that a message from this source comes from, as far as it can be told without DNS. An entry with a port
    /// beats one without.
    pub fn gateway_by_source(&self, source: SocketAddr) -> Option<&Arc<Gateway>> {
        let matches = |port: Option<u16>| {
            self.gateways.values().find(|gateway| gateway.sources().contains(&(source.ip().to_canonical(), port)))
        };
        matches(Some(source.port())).or_else(|| matches(None))
    }

    /// The source of a scenario.
    pub fn scenario(&self, id: &ScenarioId) -> Option<&Arc<ScenarioSource>> {
        (id.office == self.id).then(|| self.scenarios.get(&id.name))?
    }

    /// The calendar of this name.
    pub fn calendar(&self, name: &str) -> Option<&Arc<Calendar>> {
        self.calendars.get(&Name::new(name).ok()?)
    }

    /// The service of the web of this name.
    pub fn http_source(&self, name: &str) -> Option<&Arc<HttpSource>> {
        self.http.get(&Name::new(name).ok()?)
    }

    /// The database of this name.
    pub fn database(&self, name: &str) -> Option<&Arc<Database>> {
        self.databases.get(&Name::new(name).ok()?)
    }

    /// The scenario of this name.
    pub fn scenario_named(&self, name: &str) -> Option<&Arc<ScenarioSource>> {
        self.scenarios.get(&Name::new(name).ok()?)
    }

    /// Every user, by name.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &Arc<User>> {
        self.users.values()
    }

    /// Every group, by name.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &Arc<Group>> {
        self.groups.values()
    }

    /// Every gateway, by name.
    pub fn gateways(&self) -> impl ExactSizeIterator<Item = &Arc<Gateway>> {
        self.gateways.values()
    }

    /// Every scenario, by name.
    pub fn scenarios(&self) -> impl ExactSizeIterator<Item = &Arc<ScenarioSource>> {
        self.scenarios.values()
    }

    /// Every route, as the document lists them.
    pub fn routes(&self) -> impl ExactSizeIterator<Item = &Arc<Route>> {
        self.routes.iter()
    }

    /// Every incoming number, in order.
    pub fn numbers(&self) -> impl ExactSizeIterator<Item = &IncomingNumber> {
        self.numbers.values()
    }

    /// How numbers are written in the office's country and area.
    pub fn number_plan(&self) -> NumberPlan<'_> {
        NumberPlan::of(&self.country, self.area.as_deref())
    }

    /// The digest realm: the first domain.
    pub fn realm(&self) -> &str {
        self.domains.first().map_or("", String::as_str)
    }
}

impl User {
    /// How well he can do what is asked for: 0 when nothing is; `None`: not well enough.
    pub fn level(&self, skill: Option<&Skill>) -> Option<u8> {
        let Some(skill) = skill else { return Some(0) };
        let known = self.skills.iter().find(|(name, _)| name.as_str() == skill.name);
        known.map(|(_, level)| *level).filter(|level| *level >= skill.level)
    }

    /// The user as actions see him.
    pub fn to_directory(&self, status: UserStatus, reachable: bool, calls: u32) -> DirectoryUser {
        DirectoryUser {
            id: self.id.clone(),
            number: self.number.as_str().into(),
            name: self.name.clone(),
            status,
            reachable,
            calls,
        }
    }
}

impl Group {
    /// The group as actions see it.
    pub fn to_directory(&self) -> DirectoryGroup {
        DirectoryGroup {
            id: self.id.clone(),
            number: self.number.as_ref().map_or_else(String::new, |number| number.as_str().into()),
            name: self.name.clone(),
            distribution: self.distribution,
            members: self.members.iter().map(GroupMember::to_directory).collect(),
            ring_for_ms: u32::try_from(self.ring_for.as_millis()).unwrap_or(u32::MAX),
        }
    }
}
