//! People outside whom an office knows, as actions ask for them.

use crate::{Name, UserId};
use serde::{Deserialize, Serialize};

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
