//! What conditions and templates may ask of a contact in a variable: `{whom.email}`.

use plugboard_model::{KnownContact, ValueType};

/// A field of a variable of type `contact`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContactField {
    Id,
    Name,
    Company,
    Email,
    Language,
    Groups,
}

impl ContactField {
    /// Every field by its name.
    pub(crate) const WORDS: [(&str, Self); 6] = [
        ("id", Self::Id),
        ("name", Self::Name),
        ("company", Self::Company),
        ("email", Self::Email),
        ("language", Self::Language),
        ("groups", Self::Groups),
    ];

    /// The field of this name.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(own, _)| *own == word).map(|(_, field)| *field)
    }

    /// The type of its value.
    pub(crate) const fn value_type(self) -> ValueType {
        match self {
            Self::Id | Self::Name | Self::Company | Self::Email | Self::Language => ValueType::Text,
            Self::Groups => ValueType::Texts,
        }
    }

    /// What is said of him.
    pub(crate) fn of(self, contact: &KnownContact) -> Said<'_> {
        match self {
            Self::Id => Said::Text(contact.id.name.as_str()),
            Self::Name => Said::Text(&contact.name),
            Self::Company => Said::Text(&contact.company),
            Self::Email => Said::Text(&contact.email),
            Self::Language => Said::Text(&contact.language),
            Self::Groups => Said::Texts(&contact.groups),
        }
    }
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said<'c> {
    Text(&'c str),
    Texts(&'c [String]),
}

/// Why `variable.field` means nothing; `None`: it does.
pub(crate) fn unknown_field(variable: &str, value_type: ValueType, field: &str) -> Option<String> {
    let known = || ContactField::WORDS.map(|(word, _)| word).join(", ");
    if value_type != ValueType::Contact {
        return Some(format!("{variable} is of type {} and has no field {field:?}", value_type.as_str()));
    }
    let is_field = ContactField::parse(field).is_some();
    (!is_field).then(|| format!("a contact has no field {field:?}; there are {}", known()))
}
