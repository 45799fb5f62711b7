//! Typed values of scenario variables.

use crate::{GroupId, KnownContact, OfficeId, UserId, WallTime};
use serde::{Deserialize, Serialize};

/// A value. Mirrors `plugboard:switch/types.value`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// At most 4,096 bytes.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Boolean(bool),
    /// A moment.
    Time(WallTime),
    /// A user of the call's office.
    User(UserId),
    /// A group of the call's office.
    Group(GroupId),
    /// At most 64 texts.
    Texts(Vec<String>),
    /// At most 64 users.
    Users(Vec<UserId>),
    /// Somebody outside whom the call's office knows.
    Contact(Box<KnownContact>),
}

/// The type of a [`Value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// [`Value::Text`].
    Text,
    /// [`Value::Number`].
    Number,
    /// [`Value::Boolean`].
    Boolean,
    /// [`Value::Time`].
    Time,
    /// [`Value::User`].
    User,
    /// [`Value::Group`].
    Group,
    /// [`Value::Texts`].
    Texts,
    /// [`Value::Users`].
    Users,
    /// [`Value::Contact`].
    Contact,
}

impl ValueType {
    /// Reads the name that documents and manifests use.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "text" => Self::Text,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "time" => Self::Time,
            "user" => Self::User,
            "group" => Self::Group,
            "texts" => Self::Texts,
            "users" => Self::Users,
            "contact" => Self::Contact,
            _ => return None,
        })
    }

    /// The name that documents and manifests use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Time => "time",
            Self::User => "user",
            Self::Group => "group",
            Self::Texts => "texts",
            Self::Users => "users",
            Self::Contact => "contact",
        }
    }
}

impl Value {
    /// Its type.
    pub const fn value_type(&self) -> ValueType {
        match self {
            Self::Text(_) => ValueType::Text,
            Self::Number(_) => ValueType::Number,
            Self::Boolean(_) => ValueType::Boolean,
            Self::Time(_) => ValueType::Time,
            Self::User(_) => ValueType::User,
            Self::Group(_) => ValueType::Group,
            Self::Texts(_) => ValueType::Texts,
            Self::Users(_) => ValueType::Users,
            Self::Contact(_) => ValueType::Contact,
        }
    }

    /// The office of a user, group or contact inside, if there is one.
    pub fn office(&self) -> Option<&OfficeId> {
        match self {
            Self::User(user) => Some(&user.office),
            Self::Group(group) => Some(&group.office),
            Self::Contact(contact) => Some(&contact.id.office),
            Self::Users(users) => users.first().map(|user| &user.office),
            Self::Text(_) | Self::Number(_) | Self::Boolean(_) | Self::Time(_) | Self::Texts(_) => None,
        }
    }
}
