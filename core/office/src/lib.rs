//! Users, groups, numbers, gateways and routes of an office. Sans-IO.

mod availability;
mod office;
mod route;
mod set;

pub use availability::{Availability, Claim, OfferKind, Offered, Output, Unavailable};
pub use office::{
    DigestChoice, Gateway, Group, Internal, Office, ScenarioSource, Secret, SecretOrigin, Transport, User,
};
pub use route::{From, Goal, IncomingNumber, Pattern, Route, Source, Treatment};
pub use set::OfficeSet;
