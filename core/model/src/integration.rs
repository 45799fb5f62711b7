//! What the switch asks systems beside it, such as a CRM, and what they answer.

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
}

impl IntegrationAsk {
    /// The export's name in WIT.
    pub const fn export(&self) -> &'static str {
        match self {
            Self::FindContacts { .. } => "find-contacts",
            Self::ResponsibleFor { .. } => "responsible-for",
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
