//! The integration `rest-contacts`: finds contacts in a service of the web, as a mapping says.

mod mapping;
mod places;

use mapping::{Mapping, Means, Owner, Wish};
use places::Places;
use plugboard_sdk::{Json, log};
use plugboard_sdk_integration::prelude::*;

/// By which the office's `services` name what is asked.
const SERVICE: &str = "api";

struct RestContacts;

/// Finds contacts in a service of the web that answers JSON, as a mapping says.
#[integration(
    name = "rest-contacts",
    en("Contacts by REST"),
    ru("Контакты по REST", "Находит контакты в веб-службе, отвечающей в JSON, по заданному сопоставлению."),
    de("Kontakte über REST", "Findet Kontakte in einem Webdienst, der JSON antwortet, nach einer Zuordnung."),
    service(
        api,
        en("The service that has the contacts"),
        ru("Служба, в которой хранятся контакты"),
        de("Der Dienst, der die Kontakte hat")
    )
)]
impl Integration for RestContacts {
    type Settings = Mapping;
    const OFFERS: &'static [Offer] = &[Offer::Contacts];

    fn find_contacts(mapping: Mapping, number: Number, most: u32) -> Result<Vec<Contact>, Failure> {
        // What has no digits, as a withheld number, is nobody's.
        let Some(places) = Places::of_number(&number) else { return Ok(Vec::new()) };
        let Some(answer) = ask(&mapping.find, &places)? else { return Ok(Vec::new()) };
        let listed = match &mapping.find.list {
            Some(at) => answer.pointer(at),
            None => Some(&answer),
        };
        let found: &[Json] = match listed {
            Some(Json::Array(found)) => found,
            Some(one @ Json::Object(_)) => std::slice::from_ref(one),
            Some(_) | None => &[],
        };
        let most = usize::try_from(most).unwrap_or(1);
        Ok(found.iter().filter_map(|one| contact(&mapping, one)).take(most).collect())
    }
}

/// What the service answers; `None`: it has no such thing.
fn ask(wish: &Wish, places: &Places) -> Result<Option<Json>, Failure> {
    let method = match wish.method {
        Means::Get => Method::Get,
        Means::Post => Method::Post,
    };
    let query = wish.query.iter().flatten().map(|(name, value)| (name.clone(), places.fill(value))).collect();
    let body = wish.body.as_ref().filter(|_| method == Method::Post).map(|body| places.fill_json(body).to_string());
    let request = Request { source: SERVICE.into(), method, path: places.fill(&wish.path), query, body };
    let response = http::send(&request)?;
    match response.status {
        404 => Ok(None),
        200..=299 => match serde_json(&response.body) {
            Some(answer) => Ok(Some(answer)),
            None => Err(Failure::new("the service answered no JSON")),
        },
        status => Err(Failure::new(["the service answered ", &status.to_string()].concat())),
    }
}

/// An empty answer has nothing in it.
fn serde_json(text: &str) -> Option<Json> {
    if text.trim().is_empty() { Some(Json::Null) } else { text.parse().ok() }
}

/// One of the answer's; `None`: it has no id, or no name.
fn contact(mapping: &Mapping, one: &Json) -> Option<Contact> {
    let of = &mapping.contact;
    let (id, name) = (of.id.first(one)?, of.name.joined(one));
    if name.is_empty() {
        return None;
    }
    let all = |pointers: &Option<mapping::Pointers>| pointers.as_ref().map(|at| at.all(one)).unwrap_or_default();
    let first =
        |pointers: &Option<mapping::Pointers>| pointers.as_ref().and_then(|at| at.first(one)).unwrap_or_default();
    let mut responsible = all(&of.responsible);
    if let (true, Some(owner)) = (responsible.is_empty(), of.owner.as_ref().and_then(|at| at.first(one))) {
        responsible = mapping.owner.as_ref().map(|asks| user_of(asks, &owner)).unwrap_or_default();
    }
    Some(Contact {
        name,
        numbers: all(&of.numbers),
        company: first(&of.company),
        email: first(&of.email),
        language: first(&of.language),
        groups: all(&of.groups),
        responsible,
        ..plugboard_sdk_integration::contact(id)
    })
}

/// The user of the office whom the service calls so. That nobody knows him makes the contact no less known.
fn user_of(asks: &Owner, owner: &str) -> Vec<String> {
    if let Some(user) = asks.users.as_ref().and_then(|users| users.get(owner)) {
        return vec![user.clone()];
    }
    let (Some(wish), Some(at)) = (&asks.ask, &asks.user) else { return Vec::new() };
    match ask(wish, &Places::of_owner(owner)) {
        Ok(answer) => answer.map(|answer| at.all(&answer)).unwrap_or_default(),
        Err(why) => {
            log::warn(&["who is responsible is not known: ", &why.to_string()].concat());
            Vec::new()
        }
    }
}
