//! World `integration`, and the capability `settings`.

use super::bindings;
use crate::Capability;
use crate::guest::Guest;
use crate::integration::Described;
use plugboard_model::{
    AskedNumber, CallOutcome, Direction, FoundContact, IntegrationAnswer, IntegrationAsk, LoggedCall, WallTime,
};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store};

mod world {
    wasmtime::component::bindgen!({
        path: "../../wit/0.1.0",
        world: "integration",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "plugboard:switch/types": super::bindings::plugboard::switch::types,
            "plugboard:switch/description": super::bindings::plugboard::switch::description,
            "plugboard:switch/http": super::bindings::plugboard::switch::http,
            "plugboard:switch/log": super::bindings::plugboard::switch::log,
            "plugboard:switch/clock": super::bindings::plugboard::switch::clock,
            "plugboard:switch/random": super::bindings::plugboard::switch::random,
        },
    });
}

use world::plugboard::switch::{integration_types as wit, settings};

/// Numbers of a contact, and what he is filed under.
const LISTED_MAX: usize = 16;
/// Who is responsible for one.
const RESPONSIBLE_MAX: usize = 8;
/// Bytes of an id of another system's.
const ID_BYTES: std::ops::RangeInclusive<usize> = 1..=128;
/// Bytes of a name, and of a company or an address.
const TEXT_BYTES_MAX: usize = 254;
/// Bytes of a number, a group, an extension.
const WORD_BYTES_MAX: usize = 64;

/// An integration of this version, linked and ready to start.
#[derive(Clone)]
pub(crate) struct Integration(world::IntegrationPre<Guest>);

impl Integration {
    /// What one may import.
    pub(crate) const CAPABILITIES: [Capability; 5] =
        [Capability::Settings, Capability::Http, Capability::Log, Capability::Clock, Capability::Random];

    /// Links `component` to just these of [`Integration::CAPABILITIES`].
    pub(crate) fn link(
        engine: &Engine,
        component: &Component,
        capabilities: impl IntoIterator<Item = Capability>,
    ) -> wasmtime::Result<Self> {
        use bindings::plugboard::switch;
        let mut linker: Linker<Guest> = Linker::new(engine);
        for capability in capabilities {
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "an integration is not linked to a call, whatever that has"
            )]
            match capability {
                Capability::Settings => settings::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Http => switch::http::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Log => switch::log::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Clock => switch::clock::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Random => switch::random::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                _ => {}
            }
        }
        Ok(Self(world::IntegrationPre::new(linker.instantiate_pre(component)?)?))
    }

    /// Starts an instance and calls one of its exports; what came of it, as a text that [`crate::integration::answer`] reads.
    pub(crate) async fn run(
        &self,
        store: &mut Store<Guest>,
        parameters: &str,
    ) -> wasmtime::Result<Result<String, String>> {
        let (settings, ask) = match crate::integration::read(parameters) {
            Ok(read) => read,
            Err(fault) => return Ok(Err(fault)),
        };
        store.data_mut().set_settings(settings);
        let integration = self.0.instantiate_async(&mut *store).await?;
        let answered = match ask {
            IntegrationAsk::FindContacts { number, most } => {
                let AskedNumber { shown, forms } = number;
                let number = wit::Number { shown, forms };
                let found = integration.call_find_contacts(&mut *store, &number, most).await?;
                found.and_then(|found| contacts(found, most)).map(IntegrationAnswer::Contacts)
            }
            IntegrationAsk::ResponsibleFor { contact } => {
                let found = integration.call_responsible_for(&mut *store, &contact).await?;
                found.map(|found| IntegrationAnswer::Responsible(words(found, RESPONSIBLE_MAX)))
            }
            IntegrationAsk::LogCall { call, again } => {
                let noted = integration.call_log_call(&mut *store, &ended(*call, again)).await?;
                noted.map(|()| IntegrationAnswer::Noted)
            }
        };
        Ok(answered.and_then(|answer| crate::integration::written(&answer)))
    }

    /// Starts an instance and asks it what it is.
    pub(crate) async fn describe(&self, store: &mut Store<Guest>) -> wasmtime::Result<Described> {
        let integration = self.0.instantiate_async(&mut *store).await?;
        let said = integration.call_describe(&mut *store).await?;
        let texts = |list: Vec<wit::Text>| list.into_iter().map(|text| (text.language, text.text)).collect();
        let offer = |offer: wit::Offer| match offer {
            wit::Offer::Contacts => crate::Offer::Contacts,
            wit::Offer::Responsible => crate::Offer::Responsible,
            wit::Offer::Calls => crate::Offer::Calls,
        };
        Ok(Described {
            name: said.name,
            version: said.version,
            titles: texts(said.titles),
            summaries: texts(said.summaries),
            settings: said.settings,
            services: said.services.into_iter().map(|service| (service.name, texts(service.texts))).collect(),
            offers: said.offers.into_iter().map(offer).collect(),
        })
    }
}

impl settings::Host for Guest {
    async fn get(&mut self) -> wasmtime::Result<String> {
        self.settings().map(str::to_owned)
    }
}

impl wit::Host for Guest {}

fn ended(call: LoggedCall, again: bool) -> wit::EndedCall {
    let millis = |at: WallTime| u64::try_from(at.0).unwrap_or(0);
    let (outcome, status) = match &call.outcome {
        CallOutcome::Answered => (wit::CallOutcome::Answered, 0),
        CallOutcome::Handled => (wit::CallOutcome::Handled, 0),
        CallOutcome::Abandoned => (wit::CallOutcome::Abandoned, 0),
        CallOutcome::NotAnswered(cause) => (wit::CallOutcome::NotAnswered, cause.status),
        CallOutcome::Failed(cause) => (wit::CallOutcome::Failed, cause.status),
    };
    wit::EndedCall {
        id: call.id,
        direction: match call.direction {
            Direction::Inbound => wit::Direction::Inbound,
            // Calls within the office are not told.
            Direction::Outbound | Direction::Internal => wit::Direction::Outbound,
        },
        number: wit::Number { shown: call.number.shown, forms: call.number.forms },
        caller_name: cut(call.caller_name),
        user: call.user,
        rung: call.rung,
        began: millis(call.began),
        answered: call.answered.map(millis),
        ended: millis(call.ended),
        outcome,
        status,
        again,
    }
}

fn contacts(found: Vec<wit::Contact>, most: u32) -> Result<Vec<FoundContact>, String> {
    let count = found.len();
    if u32::try_from(count).map_or(true, |count| count > most) {
        return Err(format!("it returned {count} contacts, at most {most} were wanted"));
    }
    found.into_iter().map(contact).collect()
}

fn contact(said: wit::Contact) -> Result<FoundContact, String> {
    if !ID_BYTES.contains(&said.id.len()) {
        return Err(format!("it returned a contact whose id has {} bytes, 1 to 128 are expected", said.id.len()));
    }
    let name = cut(said.name);
    if name.is_empty() {
        return Err("it returned a contact without a name".into());
    }
    Ok(FoundContact {
        id: said.id,
        name,
        numbers: words(said.numbers, LISTED_MAX),
        company: cut(said.company),
        email: Some(said.email).filter(|email| email.len() <= TEXT_BYTES_MAX).unwrap_or_default(),
        language: Some(said.language).filter(|language| language.len() <= WORD_BYTES_MAX).unwrap_or_default(),
        groups: words(said.groups, LISTED_MAX),
        responsible: words(said.responsible, RESPONSIBLE_MAX),
    })
}

fn cut(mut text: String) -> String {
    text.retain(|letter| !letter.is_control());
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

/// The first so many that can be such words.
fn words(list: Vec<String>, most: usize) -> Vec<String> {
    list.into_iter().filter(|word| (1..=WORD_BYTES_MAX).contains(&word.len())).take(most).collect()
}
