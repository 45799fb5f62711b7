//! People outside whom an office knows, as actions ask for them.

use crate::{ContactId, Name, UserId};
use serde::{Deserialize, Serialize};

/// A contact as a variable holds him: as he stood in the call's office when the variable got him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownContact {
    /// Who.
    pub id: ContactId,
    /// His name.
    pub name: String,
    /// Empty when nobody said it.
    pub company: String,
    /// Empty when there is none.
    pub email: String,
    /// BCP 47; the office's when he has none of his own.
    pub language: String,
    /// What the office files him under; at most 16.
    pub groups: Vec<String>,
}

impl KnownContact {
    /// Whom an action names: nothing is known of him but that.
    pub fn named(id: ContactId) -> Self {
        let (name, company, email, language) = (String::new(), String::new(), String::new(), String::new());
        Self { id, name, company, email, language, groups: Vec::new() }
    }

    /// Bytes of what he is.
    pub fn bytes(&self) -> usize {
        let texts = [&self.name, &self.company, &self.email, &self.language];
        texts.into_iter().chain(&self.groups).map(String::len).sum()
    }
}

/// A contact of the office as actions see him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryContact {
    /// Which.
    pub id: Name,
    /// His name.
    pub name: String,
    /// His numbers, as the office writes them; at most 16.
    pub numbers: Vec<String>,
    /// Empty when nobody said it.
    pub company: String,
    /// Empty when there is none.
    pub email: String,
    /// BCP 47; the office's when he has none of his own.
    pub language: String,
    /// What the office files him under; at most 16.
    pub groups: Vec<String>,
    /// Who is responsible for him, the first one first; at most 8.
    pub responsible: Vec<Responsible>,
}

/// A user who is responsible for a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responsible {
    /// Who.
    pub user: UserId,
    /// How many phones outside stand in his profile.
    pub phones: u32,
}
