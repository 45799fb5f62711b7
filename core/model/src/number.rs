//! What somebody dialled.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The longest thing to dial: E.164 has 15 digits, prefixes and feature codes add to it; a SIP user part may be a name.
const DIALLED_LEN_MAX: usize = 64;

/// Why a text cannot be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialledError {
    /// Empty or too long.
    #[error("1 to 64 characters can be dialled, not {0}")]
    Length(usize),
    /// Not a digit, `* # + . _ -` or a letter.
    #[error("{0:?} cannot be dialled")]
    Character(char),
}

/// A number as dialled: digits, `*`, `#`, a leading `+`, or a name. Visual separators are taken out of numbers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Dialled(Arc<str>);

impl Dialled {
    /// Reads the user part of a SIP URI or a configured number; `-`, `.`, `(`, `)` and blanks between digits go
    /// (RFC 3966 section 5.1.1).
    ///
    /// # Errors
    /// [`DialledError`].
    pub fn new(text: &str) -> Result<Self, DialledError> {
        let is_name = text.chars().any(|c| c.is_ascii_alphabetic());
        let kept: String = if is_name {
            text.into()
        } else {
            text.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ')).collect()
        };
        if kept.is_empty() || kept.len() > DIALLED_LEN_MAX {
            return Err(DialledError::Length(kept.chars().count()));
        }
        let allowed = |(place, c): (usize, char)| {
            c.is_ascii_alphanumeric() || matches!(c, '*' | '#' | '.' | '_' | '-') || (c == '+' && place == 0)
        };
        match kept.char_indices().find(|at| !allowed(*at)) {
            Some((_, bad)) => Err(DialledError::Character(bad)),
            None => Ok(Self(kept.into())),
        }
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Dialled {
    type Error = DialledError;
    fn try_from(text: String) -> Result<Self, DialledError> {
        Self::new(&text)
    }
}

impl From<Dialled> for String {
    fn from(dialled: Dialled) -> Self {
        dialled.0.as_ref().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_go_from_numbers_and_stay_in_names() {
        assert_eq!(Dialled::new("+49 (30) 123-45").unwrap().as_str(), "+493012345");
        assert_eq!(Dialled::new("ann.smith").unwrap().as_str(), "ann.smith");
        assert_eq!(Dialled::new("*43").unwrap().as_str(), "*43");
        assert!(Dialled::new("1+2").is_err());
        assert!(Dialled::new("a@b").is_err());
        assert!(Dialled::new("--").is_err());
    }
}
