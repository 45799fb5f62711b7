//! Keys. Each starts with its office, so that no scan can leave it.
//!
//! A key is `<office> 00 <space> <rest>`. An office's name holds no byte below `-`, so the zero ends it without doubt:
//! office `a` is no prefix of office `ab`. What belongs to no office (the switch's own settings) has an empty name.

use plugboard_model::OfficeId;
use std::fmt;

/// Bytes of a key's parts together; RocksDB allows far more, but keys are held in memory.
const KEY_LEN_MAX: usize = 1024;

/// Why a text is no part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Too long.
    #[error("a key has at most 1024 bytes, this one has {0}")]
    Length(usize),
    /// A zero byte would end the part.
    #[error("a part of a key is not empty and holds no zero byte")]
    Part,
}

/// Whose a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// An office's.
    Office(&'a OfficeId),
    /// The switch's own.
    Switch,
}

impl<'a> From<&'a OfficeId> for Scope<'a> {
    fn from(office: &'a OfficeId) -> Self {
        Self::Office(office)
    }
}

/// What a key is about. The byte is part of stored keys: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Space {
    /// Settings, by name.
    Settings = b'c',
    /// What a plugin may do on a route.
    Grants = b'g',
    /// Claims and other compare-and-set cells.
    Cells = b'l',
    /// Intents of outside effects.
    Outbox = b'x',
    /// Entries of [`Log`](crate::Log) streams.
    Streams = b'L',
    /// Which ids a stream has seen.
    StreamIds = b'I',
    /// The newest version of a document.
    Documents = b'd',
    /// Every version of a document.
    DocumentVersions = b'D',
    /// What devices a user has registered.
    Registrations = b'r',
    /// What a user has set.
    UserSettings = b'U',
    /// Who called a user last.
    LastCallers = b'k',
    /// Who called for help and is waited for to be called back, by user.
    Awaited = b'a',
    /// What a user has used of the minutes that he may call the outside.
    UserTolls = b'm',
    /// What went through a gateway of the minutes that may.
    GatewayTolls = b'M',
    /// What an office has used of the minutes that it may talk with SIP addresses.
    AddressTolls = b'A',
    /// Call records by id.
    Records = b'R',
    /// Call records, newest first.
    RecordsByTime = b't',
    /// Call records of a user, newest first.
    RecordsByUser = b'u',
    /// Call records of a number, newest first.
    RecordsByNumber = b'n',
    /// Calls that have a journal and no record.
    OpenCalls = b'o',
    /// Journals.
    Journals = b'j',
    /// SIP messages of calls.
    SipTraces = b's',
    /// Wrong PINs, by mailbox and by caller.
    PinTries = b'p',
    /// Recordings, by call.
    Tapes = b'T',
    /// Faxes, by call.
    Faxes = b'f',
    /// Faxes to be sent, by order.
    OutgoingFaxes = b'F',
    /// Pieces of their documents.
    FaxDocuments = b'e',
    /// Callers who are to be called back, by the call with which they came.
    Promises = b'q',
    /// Heads of blobs.
    Blobs = b'b',
    /// Pieces of blobs.
    BlobPieces = b'B',
}

/// A key: whose, about what, and the parts of its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub(crate) space: Space,
    pub(crate) bytes: Vec<u8>,
}

impl Key {
    /// Makes a key of `parts`, which are compared one by one: `["a"]` is no prefix of `["ab"]`. No parts: the whole space.
    ///
    /// # Errors
    /// [`KeyError`] for an empty part, a zero byte, or more than 1,024 bytes.
    pub fn new(scope: Scope<'_>, space: Space, parts: &[&str]) -> Result<Self, KeyError> {
        let mut key = Self::space(scope, space);
        for part in parts {
            if part.is_empty() || part.contains('\0') {
                return Err(KeyError::Part);
            }
            key.bytes.extend_from_slice(part.as_bytes());
            key.bytes.push(0);
        }
        match key.bytes.len() {
            len if len > KEY_LEN_MAX => Err(KeyError::Length(len)),
            _ => Ok(key),
        }
    }

    /// The parts of the key's name, without its scope and space.
    pub fn parts(&self) -> Vec<String> {
        let rest = self.bytes.iter().position(|byte| *byte == 0).and_then(|zero| self.bytes.get(zero + 2..));
        let parts = rest.unwrap_or_default().split(|byte| *byte == 0).filter(|part| !part.is_empty());
        parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect()
    }

    /// The prefix of all keys of a space.
    pub(crate) fn space(scope: Scope<'_>, space: Space) -> Self {
        let office = match scope {
            Scope::Office(office) => office.as_str().as_bytes(),
            Scope::Switch => &[],
        };
        let mut bytes = Vec::with_capacity(office.len() + 48);
        bytes.extend_from_slice(office);
        bytes.extend_from_slice(&[0, space as u8]);
        Self { space, bytes }
    }

    /// The key with `more` at its end: fixed-width numbers, which sort as they count.
    pub(crate) fn with(mut self, more: &[u8]) -> Self {
        self.bytes.extend_from_slice(more);
        self
    }

    /// The first key that does not start with this one.
    pub(crate) fn end(&self) -> Vec<u8> {
        let mut end = self.bytes.clone();
        while let Some(last) = end.pop() {
            if last < u8::MAX {
                end.push(last + 1);
                break;
            }
        }
        end
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let office = self.bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        write!(f, "{}:{:?}/{}", String::from_utf8_lossy(office), self.space, self.parts().join("/"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_office_whose_name_starts_another_does_not_hold_its_keys() {
        let (short, long) = (OfficeId::new("a").unwrap(), OfficeId::new("a-b").unwrap());
        let space = Key::space(Scope::Office(&short), Space::Settings);
        let inside = Key::new(Scope::Office(&short), Space::Settings, &["x"]).unwrap();
        let outside = Key::new(Scope::Office(&long), Space::Settings, &["x"]).unwrap();
        assert!(inside.bytes >= space.bytes && inside.bytes < space.end());
        assert!(outside.bytes < space.bytes || outside.bytes >= space.end());
    }

    #[test]
    fn a_part_is_compared_as_a_whole() {
        let key = |part| Key::new(Scope::Switch, Space::Grants, &[part]).unwrap();
        assert!(!key("ab").bytes.starts_with(&key("a").bytes));
        let two = Key::new(Scope::Switch, Space::Grants, &["route", "plugin"]).unwrap();
        assert_eq!(two.parts(), ["route", "plugin"]);
        assert_eq!(Key::new(Scope::Switch, Space::Grants, &["a\0b"]), Err(KeyError::Part));
        assert_eq!(Key::new(Scope::Switch, Space::Grants, &[""]), Err(KeyError::Part));
        assert!(Key::new(Scope::Switch, Space::Grants, &[&"x".repeat(2000)]).is_err());
    }
}
