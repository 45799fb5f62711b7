//! What a run may do. What is not granted is not linked; what is revoked stops at the next host call.

use plugboard_model::{GroupId, HostCall, Line, Target, UserId, UserPhones};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// One interface of `plugboard:switch` that must be granted before it is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// The caller's ear.
    Call,
    /// Reach people.
    Dial,
    /// Who is in the office.
    Directory,
    /// The scenario's variables.
    Variables,
    /// Lines in the call's log.
    Log,
    /// The time of day.
    Clock,
    /// Random numbers.
    Random,
    /// Rooms in which more than two talk.
    Conference,
    /// A recording of the call.
    Record,
    /// Mailboxes.
    Voicemail,
    /// Faxes.
    Fax,
    /// The office's sources of the web.
    Http,
    /// What the office remembers of its calls.
    History,
    /// People outside whom the office knows.
    Contacts,
    /// The office's databases.
    Database,
    /// E-mail.
    Mail,
    /// Text messages to telephones.
    TextMessage,
    /// Queues of callers.
    Queue,
    /// What the office has set for an integration.
    Settings,
}

impl Capability {
    /// Every capability of this host.
    pub const ALL: [Self; 19] = [
        Self::Call,
        Self::Dial,
        Self::Directory,
        Self::Variables,
        Self::Log,
        Self::Clock,
        Self::Random,
        Self::Conference,
        Self::Record,
        Self::Voicemail,
        Self::Fax,
        Self::Http,
        Self::History,
        Self::Contacts,
        Self::Database,
        Self::Mail,
        Self::TextMessage,
        Self::Queue,
        Self::Settings,
    ];

    /// The interface's name in WIT.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Dial => "dial",
            Self::Directory => "directory",
            Self::Variables => "variables",
            Self::Log => "log",
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Conference => "conference",
            Self::Record => "record",
            Self::Voicemail => "voicemail",
            Self::Fax => "fax",
            Self::Http => "http",
            Self::History => "history",
            Self::Contacts => "contacts",
            Self::Database => "database",
            Self::Mail => "mail",
            Self::TextMessage => "text-message",
            Self::Queue => "queue",
            Self::Settings => "settings",
        }
    }

    /// Reads an interface's name; `None` for one that is no capability.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == name)
    }

    /// The capability that a host call needs.
    pub const fn of(call: &HostCall) -> Self {
        match call {
            HostCall::GetInfo
            | HostCall::Answer
            | HostCall::Play { .. }
            | HostCall::Collect(_)
            | HostCall::Echo { .. }
            | HostCall::NextEvent { .. }
            | HostCall::Park { .. }
            | HostCall::HangUp(_) => Self::Call,
            HostCall::Ring(_) => Self::Dial,
            HostCall::FindUser(_) | HostCall::FindGroup(_) | HostCall::FindMembers { .. } => Self::Directory,
            HostCall::GetVariable(_) | HostCall::SetVariable { .. } => Self::Variables,
            HostCall::Log { .. } => Self::Log,
            HostCall::Now => Self::Clock,
            HostCall::RandomBytes(_) | HostCall::RandomBelow(_) => Self::Random,
            HostCall::JoinConference(_) => Self::Conference,
            HostCall::Record(_) => Self::Record,
            HostCall::LeaveMessage(_) | HostCall::OpenMailbox(_) => Self::Voicemail,
            HostCall::ReceiveFax(_) => Self::Fax,
            HostCall::Http(_) | HostCall::PostLater(_) => Self::Http,
            HostCall::LastTalk { .. } => Self::History,
            HostCall::FindContact(_) | HostCall::GetContact(_) => Self::Contacts,
            HostCall::Query(_) => Self::Database,
            HostCall::SendMail(_) => Self::Mail,
            HostCall::SendText(_) => Self::TextMessage,
            HostCall::Wait(_) => Self::Queue,
        }
    }

    const fn bit(self) -> u32 {
        match self {
            Self::Call => 1,
            Self::Dial => 2,
            Self::Directory => 4,
            Self::Variables => 8,
            Self::Log => 16,
            Self::Clock => 32,
            Self::Random => 64,
            Self::Conference => 256,
            Self::Record => 128,
            Self::Voicemail => 512,
            Self::Fax => 1024,
            Self::Http => 2048,
            Self::History => 4096,
            Self::Contacts => 8192,
            Self::Database => 16384,
            Self::Mail => 32_768,
            Self::TextMessage => 65_536,
            Self::Queue => 131_072,
            Self::Settings => 262_144,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whom an action may ring. The caller of the host expands groups and internal numbers when it makes the grant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DialGrant {
    /// Anybody: users, groups and numbers.
    pub everything: bool,
    /// Users by id: the granted ones, and every member of a granted group.
    pub users: Arc<BTreeSet<UserId>>,
    /// Groups by id.
    pub groups: Arc<BTreeSet<GroupId>>,
    /// Whole numbers: the internal ones of the granted users and groups.
    pub numbers: Arc<BTreeSet<String>>,
    /// Beginnings of granted numbers, such as `+49`.
    pub prefixes: Vec<String>,
}

impl DialGrant {
    /// A grant to ring anybody.
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// Is this target covered?
    pub fn covers(&self, target: &Target) -> bool {
        self.everything
            || match target {
                // A user's phones outside stand in the profile of somebody who may be rung.
                Target::User(user) | Target::Phones(UserPhones { user, .. }) => self.users.contains(user),
                Target::Group(group) => self.groups.contains(group),
                Target::Number(number) | Target::Line(Line { number, .. }) => {
                    self.numbers.contains(number) || self.prefixes.iter().any(|prefix| number.starts_with(prefix))
                }
                // Users, groups and numbers are named one by one; no list says anything of the whole internet.
                Target::Address(_) => false,
            }
    }
}

/// What the route grants to one plugin. Shared by the runs it is given to, so that revoking reaches them all.
#[derive(Debug, Default)]
pub struct Grants {
    granted: u32,
    dial: DialGrant,
    revoked: AtomicU32,
}

impl Grants {
    /// Grants nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Grants every capability and every target: for actions that the office trusts, and for tests.
    pub fn everything() -> Self {
        Self::none()
            .with(Capability::Call)
            .with_dial(DialGrant::everything())
            .with(Capability::Directory)
            .with(Capability::Variables)
            .with(Capability::Log)
            .with(Capability::Clock)
            .with(Capability::Random)
            .with(Capability::Conference)
            .with(Capability::Contacts)
            .with(Capability::Fax)
            .with(Capability::History)
            .with(Capability::Http)
            .with(Capability::Database)
            .with(Capability::Mail)
            .with(Capability::Queue)
            .with(Capability::Record)
            .with(Capability::Settings)
            .with(Capability::TextMessage)
            .with(Capability::Voicemail)
    }

    /// Grants `capability` too. [`Capability::Dial`] without [`Grants::with_dial`] covers no target.
    #[must_use]
    pub fn with(mut self, capability: Capability) -> Self {
        self.granted |= capability.bit();
        self
    }

    /// Grants [`Capability::Dial`] for these targets.
    #[must_use]
    pub fn with_dial(mut self, grant: DialGrant) -> Self {
        self.dial = grant;
        self.with(Capability::Dial)
    }

    /// Takes `capability` away from every run that holds this grant: its next host call there ends it as `failed`.
    pub fn revoke(&self, capability: Capability) {
        self.revoked.fetch_or(capability.bit(), Ordering::Release);
    }

    /// Is it granted and not revoked?
    pub fn has(&self, capability: Capability) -> bool {
        let held = self.granted & !self.revoked.load(Ordering::Acquire);
        held & capability.bit() != 0
    }

    /// Whom the run may ring.
    pub fn dial(&self) -> &DialGrant {
        &self.dial
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::OfficeId;

    #[test]
    fn a_dial_grant_covers_just_what_it_names() {
        let office = OfficeId::new("main").unwrap();
        let (ann, bob) = (UserId::new(&office, "ann").unwrap(), UserId::new(&office, "bob").unwrap());
        let grant = DialGrant {
            users: Arc::new([ann.clone()].into()),
            numbers: Arc::new(["101".to_owned()].into()),
            prefixes: vec!["+49".into()],
            ..DialGrant::default()
        };
        assert!(grant.covers(&Target::User(ann)));
        assert!(!grant.covers(&Target::User(bob)));
        assert!(grant.covers(&Target::Number("101".into())));
        assert!(!grant.covers(&Target::Number("1010".into())));
        assert!(grant.covers(&Target::Number("+4930".into())));
        assert!(!grant.covers(&Target::Number("+4830".into())));
        let other = UserId::new(&OfficeId::new("other").unwrap(), "ann").unwrap();
        assert!(!grant.covers(&Target::User(other)), "a grant ends at its office");
    }

    #[test]
    fn a_revoked_capability_is_gone_and_the_others_stay() {
        let grants = Grants::everything();
        grants.revoke(Capability::Dial);
        for capability in Capability::ALL {
            assert_eq!(grants.has(capability), capability != Capability::Dial);
        }
        assert!(Capability::ALL.into_iter().all(|capability| !Grants::none().has(capability)));
    }
}
