//! Write an action for Plugboard, a telephone switch: one function, about 30 lines, compiled to a WebAssembly component.
//!
//! ```
//! use plugboard_sdk::prelude::*;
//!
//! /// What the scenario gives.
//! #[derive(Parameters)]
//! struct Greet {
//!     /// The prompt to play.
//!     #[parameter(max = 64)]
//!     #[text(ru("Приветствие"), de("Begrüßung"))]
//!     prompt: String,
//!     /// Stop after this time.
//!     #[parameter(default = "10s", min = "1s", max = "60s")]
//!     at_most: Duration,
//! }
//!
//! /// How it can end. The steps of a scenario hang on these.
//! #[derive(Outcome)]
//! enum Greeted {
//!     /// The caller heard it.
//!     #[text(ru("Приветствие прозвучало"), de("Der Anrufer hat es gehört"))]
//!     Done,
//!     /// The caller pressed a key.
//!     Key {
//!         /// Which key.
//!         key: String,
//!     },
//! }
//!
//! /// Greets the caller.
//! #[action(ru("Приветствие", "Приветствует звонящего."), de("Begrüßung", "Begrüßt den Anrufer."))]
//! fn greet(given: Greet) -> Result<Greeted, Failure> {
//!     let options = Play { max: Some(given.at_most), stop_on_digit: true, ..Play::default() };
//!     match call::play(&Audio::Prompt(given.prompt), options)? {
//!         PlayEnd::Digit(key) => Ok(Greeted::Key { key: key.into() }),
//!         PlayEnd::Finished | PlayEnd::TimeOver => Ok(Greeted::Done),
//!         PlayEnd::NotPlayable(why) => Err(Failure::new(why)),
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! From this the SDK makes the manifest: the JSON Schema of the parameters, the outcomes, the variables that they set
//! (`key` above is sure to be assigned after the outcome `key`), and every text in each language that you give.
//!
//! - [`action`] turns a function into the component's exports.
//! - [`Parameters`] reads the parameters and writes their schema; [`Choice`] does so for a fixed set of words.
//! - [`Outcome`] names the outcomes and assigns their variables.
//! - [`call`], [`dial`], [`conference`], [`contacts`], [`database`], [`directory`], [`fax`], [`history`], [`http`], [`mail`], [`text_message`], [`queue`], [`variables`], [`log`], [`clock`],
//!   [`random`], [`record`] and [`voicemail`] are what the switch offers. A
//!   component imports those that its code calls, and no other; an administrator sees the list before he enables it.
//!
//! A run has one thread, no files, no sockets, and waits inside the call that waits. Everything it learns comes through
//! these calls, so the switch can drop a run that waits and rebuild it later by serving the recorded answers again.
//! An action needs to do nothing for that; it is the reason why there is no other clock and no other random source.

#[cfg(target_arch = "wasm32")]
mod allocator;
#[doc(hidden)]
pub mod bindings;
pub mod call;
pub mod clock;
pub mod conference;
pub mod contacts;
pub mod database;
mod describe;
pub mod dial;
pub mod directory;
mod duration;
mod failure;
pub mod fax;
pub mod history;
pub mod http;
pub mod log;
pub mod mail;
mod nested;
mod outcome;
mod parameter;
pub mod queue;
pub mod random;
mod reading;
pub mod record;
pub mod text_message;
pub mod variables;
pub mod voicemail;

pub use failure::Failure;
pub use nested::Nested;
pub use outcome::Outcome;
pub use parameter::{Choice, Parameter, ParameterError, Parameters};
pub use plugboard_sdk_macros::{Choice, Outcome, Parameters, action};
pub use reading::Reading;
/// A JSON value, for a [`Parameter`] of your own.
pub use serde_json::Value as Json;

/// What nearly every action needs.
pub mod prelude {
    pub use crate::call::{Audio, Cause, Play, PlayEnd, Tone};
    pub use crate::variables::{Contact, Group, User, Value};
    pub use crate::{
        Choice, Failure, Outcome, Parameters, action, call, clock, conference, dial, directory, log, random, variables,
    };
    pub use std::time::Duration;
}

/// For the code that the macros write. No part of the interface: it changes without notice.
#[doc(hidden)]
pub mod macros {
    pub use crate::bindings::plugboard::switch::description::ActionDescription;
    pub use crate::bindings::{Guest, export_action};
    pub use crate::describe::{Manifest, Words, describe};
    pub use crate::failure::run;
    pub use crate::outcome::{Declared, Sets};
    pub use crate::parameter::{Bound, Field, Literal, field_schema, object_schema, read_field, refuse_unknown};
    pub use crate::variables::Variable;
    pub use serde_json::{Map, Value as Json};
}
