//! The actors: each holds one machine, feeds it, and carries out its outputs.

pub(crate) mod call;
pub(crate) mod calls;
pub(crate) mod gateway;
pub(crate) mod integrations;
pub(crate) mod leg;
pub(crate) mod notices;
pub(crate) mod notifier;
pub(crate) mod outbox;
pub(crate) mod queue;
mod refused;
pub(crate) mod sip;
pub(crate) mod user;
