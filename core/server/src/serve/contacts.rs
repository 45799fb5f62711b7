//! Contacts as an admin sees them.

use plugboard_office::{Contact, Office};
use serde_json::{Value, json};

use super::people::office_of;
use crate::boot::Running;
use crate::control::{Answer, ContactWish};

/// Contacts in one answer.
pub(crate) const CONTACTS_MAX: usize = 1_000;

/// Those that are asked for; none is a fault but of a list.
pub(super) fn contacts(running: &Running, office: &str, wish: ContactWish) -> Answer {
    let told = office_of(running, office).and_then(|office| asked(&office, wish));
    told.map_or_else(Answer::fault, Answer::Done)
}

fn asked(office: &Office, wish: ContactWish) -> Result<Value, String> {
    match wish {
        ContactWish::List { limit, after } => Ok(list(office, limit, after.as_deref())),
        ContactWish::Show { id } => {
            let found =
                office.contact(&id).ok_or_else(|| format!("there is no contact {id} in the office {}", office.id))?;
            Ok(json!({ "contacts": [contact(found)] }))
        }
        ContactWish::Find { number } => {
            let nobody = || format!("no contact of the office {} has the number {number}", office.id);
            Ok(json!({ "contacts": [contact(office.find_contact(&number).ok_or_else(nobody)?)] }))
        }
    }
}

fn list(office: &Office, limit: usize, after: Option<&str>) -> Value {
    let mut rest = office.contacts().skip_while(|one| after.is_some_and(|after| one.id.as_str() <= after)).peekable();
    let listed: Vec<&Contact> = rest.by_ref().take(limit.min(CONTACTS_MAX)).collect();
    let more = rest.peek().is_some();
    let next = listed.last().filter(|_| more).map(|last| last.id.as_str());
    json!({ "contacts": listed.iter().map(|one| contact(one)).collect::<Vec<_>>(), "next": next })
}

fn contact(contact: &Contact) -> Value {
    let numbers: Vec<&str> = contact.numbers.iter().map(|number| number.as_str()).collect();
    let groups: Vec<&str> = contact.groups.iter().map(|group| group.as_str()).collect();
    let responsible: Vec<&str> = contact.responsible.iter().map(|user| user.as_str()).collect();
    json!({ "contact": contact.id.as_str(), "name": contact.name, "numbers": numbers, "company": contact.company,
        "email": contact.email, "language": contact.language, "groups": groups, "responsible": responsible })
}
