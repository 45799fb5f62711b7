//! How an office sends e-mail and text messages.

use crate::{Internal, Office, Secret};
use plugboard_model::{MailAddress, Name};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The mail server of an office, and what it sends by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRules {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is encrypted.
    pub tls: MailTls,
    /// What it is shown.
    pub login: Option<MailLogin>,
    /// From whom mails are.
    pub from: Sender,
    /// Whether it may be on this machine or in a private network.
    pub private: bool,
    /// For one mail, from the connection to the server's last word.
    pub timeout: Duration,
    /// Mails at once.
    pub at_once: u32,
    /// Mails that are taken in an hour.
    pub an_hour: u32,
    /// How long one is tried.
    pub give_up_after: Duration,
    /// Bytes of the files that go along with one; a larger file stays behind.
    pub attachments_max: u32,
    /// Mails that are written already.
    pub templates: BTreeMap<Name, Arc<MailTemplate>>,
}

impl MailRules {
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
    pub(crate) const AT_ONCE: u32 = 4;
    pub(crate) const AN_HOUR: u32 = 500;
    pub(crate) const GIVE_UP_AFTER: Duration = Duration::from_hours(24);
    pub(crate) const ATTACHMENTS_MAX: u32 = 10_485_760;
}

/// How the way to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailTls {
    /// By STARTTLS (RFC 3207): a server that does not offer it gets no mail.
    #[default]
    StartTls,
    /// From the first byte (RFC 8314).
    Implicit,
    /// Not at all.
    None,
}

impl MailTls {
    pub(crate) const WORDS: [(&str, Self); 3] =
        [("starttls", Self::StartTls), ("implicit", Self::Implicit), ("none", Self::None)];

    /// The port that is meant where none is written.
    pub(crate) const fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

/// What a mail server is shown. Its `Debug` form shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailLogin {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// Where something goes by mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailTo {
    /// To whom.
    pub to: MailAddress,
    /// With the file itself.
    pub attach: bool,
}

/// From whom mails are: `Front desk <desk@example.com>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// For people; empty: the address alone.
    pub name: String,
    /// The address.
    pub address: MailAddress,
}

impl Sender {
    /// Bytes of a name.
    const NAME_MAX: usize = 128;

    /// Reads `Name <address>`, or an address.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, address)) => (name.trim(), address),
            None => ("", text),
        };
        if name.len() > Self::NAME_MAX || name.chars().any(char::is_control) {
            return Err("has a name that is too long, or more than one line");
        }
        Ok(Self { name: name.trim_matches('"').to_owned(), address: MailAddress::new(address.trim())? })
    }

    /// As documents write it.
    pub(crate) fn written(&self) -> String {
        if self.name.is_empty() { self.address.to_string() } else { format!("{} <{}>", self.name, self.address) }
    }
}

/// A mail that is written already, but for the scenario's variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailTemplate {
    /// By which steps name it.
    pub id: Name,
    /// By language (BCP 47), at least one.
    pub texts: BTreeMap<String, MailText>,
}

/// A mail in one language. `{name}` is a variable of the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailText {
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML; what variables have is escaped.
    pub html: Option<String>,
}

impl MailTemplate {
    /// What it says in this language, else in its first part (`de` of `de-AT`), else in the other one, else in any.
    pub fn text(&self, language: &str, otherwise: &str) -> Option<&MailText> {
        let general = |language: &str| language.split('-').next().unwrap_or_default().to_owned();
        let wanted = [language.to_owned(), general(language), otherwise.to_owned(), general(otherwise)];
        let found = wanted.iter().find_map(|language| self.texts.get(language));
        found.or_else(|| self.texts.values().next())
    }

    /// Every text, for whoever looks for variables in them.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.texts
            .values()
            .flat_map(|one| [Some(&one.subject), Some(&one.text), one.html.as_ref()])
            .flatten()
            .map(String::as_str)
    }
}

impl Office {
    /// Where mail for this goes: an address, or a user or group by internal number or id.
    ///
    /// # Errors
    /// Why there is no such address, for people.
    pub fn mail_address(&self, whom: &str) -> Result<MailAddress, String> {
        if whom.contains('@') {
            return MailAddress::new(whom).map_err(|why| format!("{whom:?} {why}"));
        }
        let user =
            |user: &crate::User| user.mail.clone().ok_or_else(|| format!("the user {} has no `mail`", user.id.name));
        let group = |group: &crate::Group| {
            group.mail.clone().ok_or_else(|| format!("the group {} has no `mail`", group.id.name))
        };
        let nobody = || Err(format!("{whom:?} is neither an address nor a user or group of the office"));
        match self.internal(whom) {
            Some(Internal::User(id)) => self.user(id).map_or_else(nobody, |found| user(found)),
            Some(Internal::Group(id)) => self.group(id).map_or_else(nobody, |found| group(found)),
            None => match (self.find_user(whom), self.find_group(whom)) {
                (Some(found), _) => user(found),
                (None, Some(found)) => group(found),
                (None, None) => nobody(),
            },
        }
    }

    /// A mail that is written already, by its name.
    pub fn mail_template(&self, name: &str) -> Option<&Arc<MailTemplate>> {
        self.mail.as_ref()?.templates.get(&Name::new(name).ok()?)
    }
}
