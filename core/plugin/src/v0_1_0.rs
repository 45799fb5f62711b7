//! WIT package `plugboard:switch@0.1.0`: bindings, linking, lifting. A released version never changes.

mod call;
mod conference;
mod contacts;
mod database;
mod dial;
mod directory;
mod fax;
mod history;
mod http;
mod integration;
mod mail;
mod queue;
mod record;
mod services;
mod voicemail;
mod words;

use crate::Capability;
use crate::guest::Guest;
use crate::manifest::Described;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store};

pub(crate) use integration::Integration;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/0.1.0",
        world: "action",
        imports: { default: async | trappable },
        exports: { default: async },
    });
}

/// The version, as [`plugboard_model::RunPins::wit`] keeps it.
pub(crate) const VERSION: &str = "0.1.0";

/// An action of this version, linked and ready to start.
#[derive(Clone)]
pub(crate) struct Action(bindings::ActionPre<Guest>);

impl Action {
    /// Links `component` to just these capabilities.
    pub(crate) fn link(
        engine: &Engine,
        component: &Component,
        capabilities: impl IntoIterator<Item = Capability>,
    ) -> wasmtime::Result<Self> {
        use bindings::plugboard::switch;
        let mut linker: Linker<Guest> = Linker::new(engine);
        for capability in capabilities {
            match capability {
                Capability::Call => switch::call::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Dial => switch::dial::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Directory => {
                    switch::directory::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
                }
                Capability::Variables => {
                    switch::variables::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
                }
                Capability::Fax => switch::fax::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Contacts => switch::contacts::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::History => switch::history::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Queue => switch::queue::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Http => switch::http::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Database => {
                    switch::database::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
                }
                Capability::Mail => switch::mail::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::TextMessage => {
                    switch::text_message::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
                }
                Capability::Record => switch::record::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Log => switch::log::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Clock => switch::clock::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
                Capability::Conference => {
                    switch::conference::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
                }
                Capability::Voicemail => {
                    switch::voicemail::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
                }
                // Its world has no such interface: a component that imports it fits none.
                Capability::Settings => {}
                Capability::Random => switch::random::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?,
            }
        }
        Ok(Self(bindings::ActionPre::new(linker.instantiate_pre(component)?)?))
    }

    /// Starts an instance and runs it to its end.
    pub(crate) async fn run(
        &self,
        store: &mut Store<Guest>,
        parameters: &str,
    ) -> wasmtime::Result<Result<String, String>> {
        let action = self.0.instantiate_async(&mut *store).await?;
        action.call_run(&mut *store, parameters).await
    }

    /// Starts an instance and asks it what it is.
    pub(crate) async fn describe(&self, store: &mut Store<Guest>) -> wasmtime::Result<Described> {
        let action = self.0.instantiate_async(&mut *store).await?;
        let said = action.call_describe(&mut *store).await?;
        Ok(words::described(said))
    }
}
