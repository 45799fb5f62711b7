//! Write an integration for Plugboard: a system beside the telephone, such as a CRM, that the switch asks.
//!
//! A crate of its own beside that of actions: what a component may import is written into it by the crates that it is made of.
//!
//! ```
//! use plugboard_sdk_integration::prelude::*;
//!
//! /// What an office sets.
//! #[derive(Parameters)]
//! struct Settings {
//!     /// Where the people are.
//!     #[parameter(default = "people")]
//!     path: String,
//! }
//!
//! struct People;
//!
//! /// Finds people in a list on the web.
//! #[integration(
//!     name = "people",
//!     ru("Люди", "Находит людей в списке в сети."),
//!     service(api, en("The list"), ru("Список"))
//! )]
//! impl Integration for People {
//!     type Settings = Settings;
//!     const OFFERS: &'static [Offer] = &[Offer::Contacts];
//!
//!     fn find_contacts(settings: Settings, number: Number, _most: u32) -> Result<Vec<Contact>, Failure> {
//!         let query = vec![("phone".to_owned(), number.shown)];
//!         let request = Request { source: "api".into(), method: Method::Get, path: settings.path, query, body: None };
//!         let name = http::send(&request)?.body;
//!         Ok(if name.is_empty() { Vec::new() } else { vec![Contact { name, ..contact("1") }] })
//!     }
//! }
//! # fn main() {}
//! ```

#[doc(hidden)]
pub mod bindings;

use bindings::plugboard::switch::{integration_types as raw, settings};
use plugboard_sdk::bindings::plugboard::switch::description::Text;
use plugboard_sdk::macros::Words;
use plugboard_sdk::{Failure, Parameters};

pub use bindings::plugboard::switch::integration_types::{CallOutcome, Contact, Direction, EndedCall, Number, Offer};
pub use plugboard_sdk_macros::integration;

/// What nearly every integration needs.
pub mod prelude {
    pub use super::{CallOutcome, Contact, Direction, EndedCall, Integration, Number, Offer, contact, integration};
    pub use plugboard_sdk::http::{Method, Request};
    pub use plugboard_sdk::{Choice, Failure, Nested, Parameters, clock, http, log, random};
    pub use std::time::Duration;
}

/// A system beside the telephone. Give the implementation `#[integration(..)]`.
///
/// Each call has an instance of its own: nothing in memory outlives it. What is not in [`Integration::OFFERS`] is not called.
pub trait Integration {
    /// What an office sets; its JSON Schema becomes part of the manifest.
    type Settings: Parameters;
    /// What the switch may ask.
    const OFFERS: &'static [Offer];

    /// The contacts with this number, the best one first, at most `most`; none when nobody has it.
    ///
    /// # Errors
    /// Why nobody knows.
    fn find_contacts(settings: Self::Settings, number: Number, most: u32) -> Result<Vec<Contact>, Failure> {
        let _ = (settings, number, most);
        Ok(Vec::new())
    }

    /// Extensions or ids of the users who are responsible for a contact, by the id that [`Integration::find_contacts`] gave, the first one
    /// first.
    ///
    /// # Errors
    /// Why nobody knows.
    fn responsible_for(settings: Self::Settings, contact: String) -> Result<Vec<String>, Failure> {
        let _ = (settings, contact);
        Ok(Vec::new())
    }

    /// A call with somebody outside is over. Told until it is `Ok`, for three days.
    ///
    /// # Errors
    /// Why it is not noted.
    fn log_call(settings: Self::Settings, call: EndedCall) -> Result<(), Failure> {
        let _ = (settings, call);
        Ok(())
    }
}

/// A contact with this id and nothing else: name him.
pub fn contact(id: impl Into<String>) -> Contact {
    let (name, company, email, language) = <(String, String, String, String)>::default();
    let (numbers, groups, responsible) = <_>::default();
    Contact { id: id.into(), name, numbers, company, email, language, groups, responsible }
}

/// What the attribute of the integration says.
#[doc(hidden)]
#[derive(Debug)]
pub struct Manifest {
    pub name: &'static str,
    pub version: &'static str,
    pub texts: &'static [Words],
    pub services: &'static [(&'static str, &'static [Words])],
}

#[doc(hidden)]
pub fn describe<I: Integration>(manifest: &Manifest) -> raw::IntegrationDescription {
    let service = |(name, words): &(&'static str, &'static [Words])| raw::WantedService {
        name: (*name).into(),
        texts: texts(words, |words| words.title),
    };
    raw::IntegrationDescription {
        name: manifest.name.into(),
        version: manifest.version.into(),
        titles: texts(manifest.texts, |words| words.title),
        summaries: texts(manifest.texts, |words| words.sentence),
        settings: I::Settings::schema(),
        services: manifest.services.iter().map(service).collect(),
        offers: I::OFFERS.to_vec(),
    }
}

fn texts(words: &[Words], part: fn(&Words) -> &'static str) -> Vec<Text> {
    let said = words.iter().filter(|words| !part(words).is_empty());
    said.map(|words| Text { language: words.language.into(), text: part(words).into() }).collect()
}

#[doc(hidden)]
pub fn find_contacts<I: Integration>(number: Number, most: u32) -> Result<Vec<Contact>, String> {
    with_settings::<I, _>(|settings| I::find_contacts(settings, number, most))
}

#[doc(hidden)]
pub fn responsible_for<I: Integration>(contact: String) -> Result<Vec<String>, String> {
    with_settings::<I, _>(|settings| I::responsible_for(settings, contact))
}

#[doc(hidden)]
pub fn log_call<I: Integration>(call: EndedCall) -> Result<(), String> {
    with_settings::<I, _>(|settings| I::log_call(settings, call))
}

fn with_settings<I: Integration, T>(run: impl FnOnce(I::Settings) -> Result<T, Failure>) -> Result<T, String> {
    let settings = I::Settings::parse(&settings::get()).map_err(|fault| ["settings: ", &fault.to_string()].concat())?;
    run(settings).map_err(|failure| failure.to_string())
}

/// For the code that the macro writes. No part of the interface: it changes without notice.
#[doc(hidden)]
pub mod macros {
    pub use crate::bindings::plugboard::switch::integration_types::{
        Contact, EndedCall, IntegrationDescription, Number,
    };
    pub use crate::bindings::{Guest, export_integration};
    pub use crate::{Manifest, describe, find_contacts, log_call, responsible_for};
}
