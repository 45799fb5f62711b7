//! Ids. Each one carries its office, so that no look-up can cross a tenant by accident.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The longest name of an office, user, group, gateway, route or scenario: what still reads well in a log line.
const NAME_LEN_MAX: usize = 64;

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Empty or too long.
    #[error("a name has 1 to 64 characters, this one has {0}")]
    Length(usize),
    /// A character that is not allowed.
    #[error("a name is made of a-z 0-9 . _ -, this one has {0:?}")]
    Character(char),
    /// Not the written form of a call id.
    #[error("a call id looks like main/01J8ZQ6M6H3V2K9C4T7R5N1XWB")]
    CallId,
}

/// A name that an administrator gave: 1 to 64 of `a-z 0-9 . _ -`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Arc<str>);

impl Name {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// [`IdError::Length`], [`IdError::Character`].
    pub fn new(text: &str) -> Result<Self, IdError> {
        if text.is_empty() || text.len() > NAME_LEN_MAX {
            return Err(IdError::Length(text.chars().count()));
        }
        match text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-')) {
            Some(bad) => Err(IdError::Character(bad)),
            None => Ok(Self(text.into())),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().into()
    }
}

/// An office: one tenant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OfficeId(pub Name);

impl OfficeId {
    /// Checks and takes the id of an office.
    ///
    /// # Errors
    /// As [`Name::new`].
    pub fn new(text: &str) -> Result<Self, IdError> {
        Name::new(text).map(Self)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for OfficeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for OfficeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! office_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name {
            /// The office it belongs to.
            pub office: OfficeId,
            /// Its name in that office.
            pub name: Name,
        }

        impl $name {
            /// Names `name` of `office`.
            ///
            /// # Errors
            /// As [`Name::new`].
            pub fn new(office: &OfficeId, name: &str) -> Result<Self, IdError> {
                Ok(Self { office: office.clone(), name: Name::new(name)? })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}/{}", self.office, self.name)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}/{}", self.office, self.name)
            }
        }
    };
}

office_id!(
    /// A person with an internal number, devices, a status and one call slot.
    UserId
);
office_id!(
    /// A group of users.
    GroupId
);
office_id!(
    /// Somebody outside whom the office knows.
    ContactId
);
office_id!(
    /// A SIP peer that carries calls to and from the outside.
    GatewayId
);
office_id!(
    /// An incoming number.
    NumberId
);
office_id!(
    /// Conditions, priority and the treatment of a call.
    RouteId
);
office_id!(
    /// A scenario; its versions share the id.
    ScenarioId
);

/// A call: 48 bits of wall-clock milliseconds, then 80 random ones, so ids sort by time (the ULID form).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    /// The office it belongs to.
    pub office: OfficeId,
    /// The ULID as a number.
    pub ulid: u128,
}

/// Crockford's base 32, as ULIDs are written.
const BASE32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a written ULID: 26 times 5 bits hold 128.
const ULID_LEN: usize = 26;

impl CallId {
    /// Makes an id from the wall clock and 80 random bits (higher ones are ignored).
    pub fn new(office: OfficeId, now: super::WallTime, random: u128) -> Self {
        let millis = u128::from(u64::try_from(now.0).unwrap_or(0)) & ((1 << 48) - 1);
        Self { office, ulid: (millis << 80) | (random & ((1 << 80) - 1)) }
    }

    /// The 26 characters of the ULID, without the office.
    pub fn ulid_text(&self) -> String {
        (0..ULID_LEN)
            .rev()
            .map(|place| {
                let digit = usize::try_from((self.ulid >> (place * 5)) & 31).unwrap_or(0);
                char::from(BASE32.get(digit).copied().unwrap_or(b'0'))
            })
            .collect()
    }

    /// Reads `office/ULID`, the form that [`fmt::Display`] writes.
    ///
    /// # Errors
    /// [`IdError::CallId`] or the office's fault.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let (office, ulid) = text.split_once('/').ok_or(IdError::CallId)?;
        Self::from_parts(OfficeId::new(office)?, ulid)
    }

    /// Reads the 26 characters of a ULID.
    ///
    /// # Errors
    /// [`IdError::CallId`].
    pub fn from_parts(office: OfficeId, ulid: &str) -> Result<Self, IdError> {
        if ulid.len() != ULID_LEN {
            return Err(IdError::CallId);
        }
        let mut number: u128 = 0;
        for byte in ulid.bytes() {
            let digit = BASE32.iter().position(|b| *b == byte.to_ascii_uppercase()).ok_or(IdError::CallId)?;
            if number >> 123 != 0 {
                return Err(IdError::CallId);
            }
            number = (number << 5) | u128::try_from(digit).unwrap_or(0);
        }
        Ok(Self { office, ulid: number })
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.office, self.ulid_text())
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How binary formats write a call id.
#[derive(Serialize, Deserialize)]
struct Written {
    office: OfficeId,
    ulid: u128,
}

/// Text such as JSON gets `office/ULID`: few readers of JSON know numbers of 128 bits.
impl Serialize for CallId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            Written { office: self.office.clone(), ulid: self.ulid }.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for CallId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            Self::parse(&text).map_err(serde::de::Error::custom)
        } else {
            let Written { office, ulid } = Written::deserialize(deserializer)?;
            Ok(Self { office, ulid })
        }
    }
}

/// A leg within its call: the caller is 0, later legs count up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegId(pub u32);

impl LegId {
    /// The caller's leg.
    pub const CALLER: Self = Self(0);
}

impl fmt::Display for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A run of an action within its call, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u32);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WallTime;

    #[test]
    fn a_name_refuses_what_could_be_a_path_or_another_office() {
        for bad in ["", "a/b", "A", "a b", "é", &"x".repeat(65)] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
        assert!(Name::new("sales-2.night_shift").is_ok());
    }

    #[test]
    fn a_call_id_reads_back_what_it_writes() {
        let office = OfficeId::new("main").unwrap();
        let id = CallId::new(office.clone(), WallTime(1_795_000_000_123), u128::MAX);
        assert_eq!(CallId::parse(&id.to_string()).unwrap(), id);
        assert!(CallId::parse("main/ZZZZZZZZZZZZZZZZZZZZZZZZZZ").is_err());
        assert!(CallId::parse("01J8").is_err());
        assert!(CallId::from_parts(office, "éééééééééééééé").is_err());
    }
}
