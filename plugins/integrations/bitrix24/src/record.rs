//! Contacts, companies and leads.

use plugboard_sdk::Json;
use plugboard_sdk_integration::{Contact, contact as named};

/// What of the CRM a number belongs to, the best first.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Contact,
    Company,
    Lead,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Contact, Self::Company, Self::Lead];

    /// As answers name it.
    pub(crate) const fn entity(self) -> &'static str {
        match self {
            Self::Contact => "CONTACT",
            Self::Company => "COMPANY",
            Self::Lead => "LEAD",
        }
    }

    /// The method that reads one.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Contact => "crm.contact.get",
            Self::Company => "crm.company.get",
            Self::Lead => "crm.lead.get",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Company => "company",
            Self::Lead => "lead",
        }
    }

    /// Which one an id of ours is: `contact-12`.
    pub(crate) fn of(id: &str) -> Option<(Self, &str)> {
        let (word, id) = id.split_once('-')?;
        Self::ALL.into_iter().find(|kind| kind.word() == word).map(|kind| (kind, id))
    }
}

/// One of them; `None`: it has no name, or is gone.
pub(crate) fn contact(kind: Kind, id: &str, found: &Json) -> Option<Contact> {
    let said = |key: &str| found.get(key).and_then(text).unwrap_or_default();
    let person = [said("NAME"), said("LAST_NAME")].join(" ").trim().to_owned();
    let (name, company) = match kind {
        Kind::Contact => (person, String::new()),
        Kind::Company => (said("TITLE"), said("TITLE")),
        Kind::Lead if person.is_empty() => (said("TITLE"), said("COMPANY_TITLE")),
        Kind::Lead => (person, said("COMPANY_TITLE")),
    };
    let (numbers, email) = (values(found, "PHONE"), values(found, "EMAIL").into_iter().next().unwrap_or_default());
    let id = [kind.word(), "-", id].concat();
    (!name.is_empty()).then(|| Contact { name, company, numbers, email, groups: vec![kind.word().into()], ..named(id) })
}

/// A field with several values, each in a map of its own.
fn values(found: &Json, key: &str) -> Vec<String> {
    let list = found.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|one| one.get("VALUE").and_then(text)).collect()
}

/// A text or a number that is not empty: Bitrix24 writes ids as either.
pub(crate) fn text(value: &Json) -> Option<String> {
    let text = match value {
        Json::String(text) => text.trim().to_owned(),
        Json::Number(number) => number.to_string(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}
