//! What is outside of the switch, in its own formats: the domain name system, push gateways, services of the web, databases, mail servers.
//!
//! Only the server wires this crate; nobody else names the crates that it stands on. Nothing here holds a caller up: a
//! question is put into a bounded queue, and its answer comes back by a function that is called once.

mod breaker;
mod dialling;
pub mod dns;
pub mod http;
pub mod mail;
pub mod push;
mod roots;
pub mod sql;

pub use roots::NoRoots;
