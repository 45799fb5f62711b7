//! The whole switch in one process, on one thread and in virtual time, with phones and a network that loses things.
//!
//! ```text
//! let mut sim = Sim::demo();
//! let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
//! ann.dials("102");
//! sim.run_until(bob.rings());
//! bob.answers();
//! sim.run_until(ann.hears("bob"));
//! ann.hangs_up();
//! sim.run_until_quiet();
//! insta::assert_snapshot!(sim.ladder());
//! ```
//!
//! What runs is what production runs: the actors of `plugboard-switch`, the media engine, the plugin runner with the
//! components of `cargo plugins`, the store over RocksDB in memory. What is simulated is time, chance and the wire. The
//! media engine, the runner and the store's writer have no threads here: the simulation drives them between messages,
//! so that the same seed gives the same ladder.

#![expect(clippy::missing_panics_doc, reason = "a story stops at the first surprise, wherever it is noticed")]

mod carrier;
mod clock;
mod databases;
mod ladder;
mod later;
mod log;
mod media;
mod names;
mod network;
mod office;
mod phone;
mod plugins;
mod pushes;
pub mod rehearsal;
mod salt;
mod sim;
mod sites;
mod sound;

pub use clock::Dice;
pub use ladder::Ladder;
pub use log::Log;
pub use network::Weather;
pub use office::OfficeText;
pub use phone::{Encrypts, Phone, Stage, answer_to_challenge};
pub use plugboard_media::{Codec, Suite};
pub use plugboard_sip::flow::Transport;
pub use plugins::{actions_of, by_name};
pub use sim::{Setup, Sim, fax_to};
pub use sites::{Bitrix24, PortalCall};
pub use sound::TONE;
