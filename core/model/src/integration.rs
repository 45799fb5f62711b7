//! What the switch asks systems beside it, such as a CRM, and what they answer.

use crate::{CallOutcome, Direction, WallTime};
use serde::{Deserialize, Serialize};

/// One call of an integration's export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntegrationAsk {
    /// Who has this number? Answer: [`IntegrationAnswer::Contacts`].
    FindContacts {
        /// The number.
        number: AskedNumber,
        /// As many are wanted, 1 to 8.
        most: u32,
    },
    /// Who is responsible for a contact? Answer: [`IntegrationAnswer::Responsible`].
    ResponsibleFor {
        /// As the integration itself has named him.
        contact: String,
    },
    /// A call is over. Answer: [`IntegrationAnswer::Noted`].
    LogCall {
        /// What is known of it.
        call: Box<LoggedCall>,
        /// It was told before, and may have come through.
        again: bool,
    },
}

impl IntegrationAsk {
    /// The export's name in WIT.
    pub const fn export(&self) -> &'static str {
        match self {
            Self::FindContacts { .. } => "find-contacts",
            Self::ResponsibleFor { .. } => "responsible-for",
            Self::LogCall { .. } => "log-call",
        }
    }
}

/// A number about which an integration is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AskedNumber {
    /// As the call shows it; at most 64 bytes.
    pub shown: String,
    /// As it may be written elsewhere, E.164 first where it is known; at most 16.
    pub forms: Vec<String>,
}

/// What an integration answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntegrationAnswer {
    /// Contacts, the best one first; at most as many as were wanted.
    Contacts(Vec<FoundContact>),
    /// Extensions or ids of users, the first one first; at most 8.
    Responsible(Vec<String>),
    /// It has noted what it was told.
    Noted,
}

/// A call with somebody outside that is over, as an integration is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedCall {
    /// Its 26 characters.
    pub id: String,
    /// From outside, or to there.
    pub direction: Direction,
    /// Who is outside.
    pub number: AskedNumber,
    /// As the caller calls himself.
    pub caller_name: String,
    /// The extension of whoever of the office talked, or called; empty: nobody.
    pub user: String,
    /// The extensions of those whom it rang; at most 16.
    pub rung: Vec<String>,
    /// When it began.
    pub began: WallTime,
    /// When they began to talk.
    pub answered: Option<WallTime>,
    /// When it ended.
    pub ended: WallTime,
    /// What came of it.
    pub outcome: CallOutcome,
}

/// Somebody outside, as an integration tells of him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundContact {
    /// The other system's own id; 1 to 128 bytes.
    pub id: String,
    /// His name; 1 to 254 bytes.
    pub name: String,
    /// His numbers; at most 16.
    pub numbers: Vec<String>,
    /// Empty when there is none.
    pub company: String,
    /// Empty when there is none.
    pub email: String,
    /// BCP 47; empty: the office's.
    pub language: String,
    /// What he is filed under; at most 16.
    pub groups: Vec<String>,
    /// Extensions or ids of users; at most 8.
    pub responsible: Vec<String>,
}
