//! What leaves the switch for somebody outside of a call, and what became of each try: e-mail, text messages, posts to services of the
//! web.

use crate::{CallId, IdError, LoggedCall, Name, OfficeId, RunId, WallTime};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which notice: the same whenever the same thing of the same call is meant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NoticeId {
    /// Of which call.
    pub call: CallId,
    /// What of it.
    pub part: NoticePart,
}

/// What of a call a notice is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NoticePart {
    /// A host call of a run.
    Step {
        /// The run.
        run: RunId,
        /// Its host call.
        n: u32,
    },
    /// A voice message, by its tape.
    Message(u32),
    /// A fax that was received.
    Fax(u32),
    /// That it is over, for the integration of this name.
    Log(Name),
}

impl NoticeId {
    /// Whose it is.
    pub const fn office(&self) -> &OfficeId {
        &self.call.office
    }

    /// What tells it from others of its office: the call's 26 characters and the part, as `01K...-s3.2`.
    pub fn text(&self) -> String {
        let call = self.call.ulid_text();
        match &self.part {
            NoticePart::Step { run, n } => format!("{call}-s{}.{n}", run.0),
            NoticePart::Message(tape) => format!("{call}-m{tape}"),
            NoticePart::Fax(n) => format!("{call}-f{n}"),
            NoticePart::Log(integration) => format!("{call}-l{integration}"),
        }
    }

    /// Reads these.
    ///
    /// # Errors
    /// [`IdError::CallId`].
    pub fn from_parts(office: OfficeId, text: &str) -> Result<Self, IdError> {
        let (call, part) = text.split_once('-').ok_or(IdError::CallId)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| IdError::CallId);
        let part = match (part.get(..1), part.get(1..)) {
            (Some("s"), Some(rest)) => {
                let (run, n) = rest.split_once('.').ok_or(IdError::CallId)?;
                NoticePart::Step { run: RunId(number(run)?), n: number(n)? }
            }
            (Some("m"), Some(rest)) => NoticePart::Message(number(rest)?),
            (Some("f"), Some(rest)) => NoticePart::Fax(number(rest)?),
            (Some("l"), Some(rest)) => NoticePart::Log(Name::new(rest)?),
            (_, _) => return Err(IdError::CallId),
        };
        Ok(Self { call: CallId::from_parts(office, call)?, part })
    }
}

impl fmt::Display for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.office(), self.text())
    }
}

impl fmt::Debug for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A notice that is to leave, is leaving or has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Which.
    pub id: NoticeId,
    /// When it was taken.
    pub taken: WallTime,
    /// The numbers of its call: who called and who was called.
    pub numbers: Vec<String>,
    /// What leaves; without its texts once it has left.
    pub content: NoticeContent,
    /// Whether whoever gets it can tell a repetition: then it is sent again also when nobody knows whether it came through.
    pub repeats: bool,
    /// How often it was tried.
    pub tried: u32,
    /// The last tries that are over, in their order: at most [`Notice::TRIES_KEPT`].
    pub tries: Vec<NoticeTry>,
    /// How far it is.
    pub state: NoticeState,
}

impl Notice {
    /// Tries of which is told how they ended.
    pub const TRIES_KEPT: usize = 8;

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        match &self.content {
            NoticeContent::Mail(mail) => {
                mail.subject.len() + mail.text.len() + mail.html.as_ref().map_or(0, String::len)
            }
            NoticeContent::Text(text) => text.text.len(),
            NoticeContent::Post(post) => post.body.len(),
            NoticeContent::Log(call) => {
                call.caller_name.len() + call.number.forms.iter().chain(&call.rung).map(String::len).sum::<usize>()
            }
        }
    }

    /// Takes out what it says: whom it went to, and what it was about, stays.
    pub fn forget_texts(&mut self) {
        match &mut self.content {
            NoticeContent::Mail(mail) => {
                mail.text.clear();
                mail.html = None;
            }
            NoticeContent::Text(text) => text.text.clear(),
            NoticeContent::Post(post) => post.body.clear(),
            NoticeContent::Log(call) => call.caller_name.clear(),
        }
    }
}

/// What leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoticeContent {
    /// An e-mail.
    Mail(OutgoingMail),
    /// A text message.
    Text(OutgoingText),
    /// A document for a service of the web.
    Post(OutgoingPost),
    /// That a call is over, for an integration.
    Log(Box<LoggedCall>),
}

impl NoticeContent {
    /// The word in metrics and JSON: a bounded set.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Mail(_) => "mail",
            Self::Text(_) => "text",
            Self::Post(_) => "post",
            Self::Log(_) => "log",
        }
    }

    /// To whom, for people.
    pub fn to(&self) -> String {
        match self {
            Self::Mail(mail) => mail.to.join(", "),
            Self::Text(text) => text.to.clone(),
            Self::Post(post) => format!("{}/{}", post.source, post.path),
            // The part of its id says to whom.
            Self::Log(call) => call.number.shown.clone(),
        }
    }
}

/// An e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingMail {
    /// `ULID-part@domain`: the same whenever the same mail is sent.
    pub message_id: String,
    /// Addresses, 1 to 32.
    pub to: Vec<String>,
    /// Without control characters; at most 998 bytes.
    pub subject: String,
    /// At most 64 KiB.
    pub text: String,
    /// The same as HTML; at most 64 KiB.
    pub html: Option<String>,
    /// Files of the call.
    pub attachments: Vec<Attachment>,
}

/// A file that goes along with an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Where it lies below the folder of recordings.
    pub file: String,
    /// What the reader sees as its name.
    pub name: String,
    /// What it is: `audio/wav`, `application/pdf`.
    pub media_type: String,
}

/// A text message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingText {
    /// Whom it goes to: digits with a `+` before them.
    pub to: String,
    /// At most 1,600 characters.
    pub text: String,
}

/// A document that is posted to a service of the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingPost {
    /// A source of the office, by name.
    pub source: String,
    /// Below its address.
    pub path: String,
    /// JSON; at most 65,536 bytes.
    pub body: String,
}

/// How far a notice is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It waits, until then at least.
    Waiting {
        /// Not before.
        until: WallTime,
    },
    /// A try goes on.
    Sending {
        /// Since.
        since: WallTime,
    },
    /// Whoever carries it on has taken it.
    Sent {
        /// When.
        at: WallTime,
    },
    /// It was given up.
    Failed {
        /// When.
        at: WallTime,
    },
    /// An admin dropped it before it had left.
    Dropped {
        /// When.
        at: WallTime,
    },
}

impl NoticeState {
    /// The word in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Sending { .. } => "sending",
            Self::Sent { .. } => "sent",
            Self::Failed { .. } => "failed",
            Self::Dropped { .. } => "dropped",
        }
    }

    /// Until when it waits, if it does.
    pub const fn waits_until(&self) -> Option<WallTime> {
        match self {
            Self::Waiting { until } => Some(*until),
            Self::Sending { .. } | Self::Sent { .. } | Self::Failed { .. } | Self::Dropped { .. } => None,
        }
    }

    /// When it was over, if it is.
    pub const fn over(&self) -> Option<WallTime> {
        match self {
            Self::Waiting { .. } | Self::Sending { .. } => None,
            Self::Sent { at } | Self::Failed { at } | Self::Dropped { at } => Some(*at),
        }
    }
}

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeTry {
    /// When it was over.
    pub at: WallTime,
    /// How.
    pub end: NoticeEnd,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeEnd {
    /// It was taken; the words of whoever took it.
    Sent(String),
    /// Whoever was to take it will not (the reason): no other try follows.
    Refused(String),
    /// It was not taken now (the reason): another try may do better.
    NotNow(String),
    /// Nobody knows whether it was taken (the reason). It is sent again where that shows as a repetition.
    Unknown(String),
    /// It had waited too long.
    TooOld,
    /// It came out of a backup: it may have left since that was made.
    Restored,
}

impl NoticeEnd {
    /// The word in metrics and JSON: a bounded set.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent(_) => "sent",
            Self::Refused(_) => "refused",
            Self::NotNow(_) => "not_now",
            Self::Unknown(_) => "unknown",
            Self::TooOld => "too_old",
            Self::Restored => "restored",
        }
    }

    /// More than the word, where there is more.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Sent(reason) | Self::Refused(reason) | Self::NotNow(reason) | Self::Unknown(reason) => Some(reason),
            Self::TooOld | Self::Restored => None,
        }
    }
}

/// An e-mail as an action asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRequest {
    /// Addresses, or users and groups by internal number or id: 1 to 32.
    pub to: Vec<String>,
    /// What it says.
    pub content: MailContent,
    /// What goes along.
    pub attach: Vec<MailAttach>,
}

/// What an e-mail says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailContent {
    /// This.
    Written {
        /// Without control characters; 1 to 998 bytes.
        subject: String,
        /// At most 65,536 bytes.
        text: String,
    },
    /// What the office's template of this name makes of the scenario's variables.
    Template(String),
}

/// What of the call goes along with an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailAttach {
    /// The voice message that was left last.
    Voicemail,
    /// Its recording, as far as it is.
    Recording,
    /// The fax that was received last.
    Fax,
}

/// A text message as an action asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextRequest {
    /// A number as people write it.
    pub to: String,
    /// 1 to 1,600 characters.
    pub text: String,
}

/// Why a notice was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeError {
    /// The office has no such thing, or does not let it be (the reason).
    Denied(String),
    /// Too many wait, or leave in an hour (the reason).
    Full(String),
    /// It could not be kept (the reason): nothing leaves.
    NotKept(String),
    /// A parameter is out of its range (which, and the range).
    Invalid(String),
}

/// An address of e-mail: `local@domain`, letters of ASCII, at most 254 bytes.
///
/// Source: RFC 5321 section 4.1.2, without quoted local parts and address literals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailAddress(String);

impl MailAddress {
    /// Bytes of one.
    pub const BYTES_MAX: usize = 254;

    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let (local, domain) = text.rsplit_once('@').ok_or("has no @")?;
        let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte);
        if text.len() > Self::BYTES_MAX || local.len() > 64 {
            return Err("is too long");
        }
        if local.split('.').any(|atom| atom.is_empty() || !atom.bytes().all(is_atom)) {
            return Err("has a name before the @ that mail servers do not take");
        }
        let is_label = |label: &str| {
            let inside = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            (1..=63).contains(&label.len()) && inside && !label.starts_with('-') && !label.ends_with('-')
        };
        if !domain.split('.').all(is_label) {
            return Err("has no domain after the @");
        }
        Ok(Self(text.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let office = OfficeId::new("main").unwrap();
        let call = CallId::new(office.clone(), WallTime(1_000), 7);
        let crm = Name::new("my-crm").unwrap();
        let parts = [
            NoticePart::Step { run: RunId(3), n: 2 },
            NoticePart::Message(1),
            NoticePart::Fax(12),
            NoticePart::Log(crm),
        ];
        for part in parts {
            let id = NoticeId { call: call.clone(), part };
            assert_eq!(NoticeId::from_parts(office.clone(), &id.text()), Ok(id));
        }
        for wrong in
            ["", "x", &call.ulid_text(), &format!("{}-s3", call.ulid_text()), &format!("{}-é", call.ulid_text())]
        {
            assert!(NoticeId::from_parts(office.clone(), wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_a_name_and_a_domain_and_nothing_that_could_be_a_header_or_a_command() {
        for good in ["ann@example.com", "a.b+c@mail.example.com", "x@localhost", "o'neil_1@a-b.test"] {
            assert_eq!(MailAddress::new(good).map(|address| address.to_string()), Ok(good.to_owned()));
        }
        let long = format!("{}@example.com", "x".repeat(65));
        for bad in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "a b@example.com",
            "ann@exa mple.com",
            "ann@example.com\r\nBcc: b@b.test",
            "ann\n@example.com",
            "<ann@example.com>",
            "ann@-a.test",
            "ann@a..test",
            ".ann@a.test",
            "a..b@a.test",
            "\"a b\"@a.test",
            "ann@[127.0.0.1]",
            "ann@b@c test",
            "änn@example.com",
            &long,
        ] {
            assert!(MailAddress::new(bad).is_err(), "{bad:?}");
        }
    }
}
