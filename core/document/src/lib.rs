//! Documents that people write: YAML or JSON, with the line and column of every node, and every fault in one pass.
//!
//! Scenario and office documents are read through the same three steps: [`parse`] makes a tree of [`Node`]s,
//! [`Fields`] walks it and notes each thing that is wrong in [`Faults`], and the caller shows them all at once.
//! JSON is read by the same parser, because every JSON document is a YAML 1.2 document.
//!
//! [`parse_toml`] makes the same tree of a configuration, [`Node::to_yaml`] writes a tree that [`parse`] reads back.
//!
//! The only user of `toml`, and of `serde-saphyr` and the YAML parser inside it.

mod fault;
mod field;
mod node;
mod parse;
mod toml_file;
mod write;

pub use fault::{Fault, Faults, Mark};
pub use field::{Field, Fields, did_you_mean, read_duration, write_duration};
pub use node::{Entry, Kind, Node};
pub use parse::{examine, parse};
pub use toml_file::parse_toml;
