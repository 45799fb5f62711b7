//! Users, groups, numbers, gateways and routes of an office. Sans-IO.
#![recursion_limit = "256"]

mod availability;
mod document;
mod emergency;
mod export;
mod fax;
mod features;
mod gateway;
mod media;
mod numbers;
mod office;
mod parts;
mod recording;
mod route;
mod schema;
mod set;
mod settings;
mod toll;
mod voicemail;

pub use availability::{Availability, Claim, OfferKind, Offered, Output, Unavailable};
pub use document::{Examined, Surroundings};
pub use emergency::{Emergency, Help, Location, Network, Unauthenticated};
pub use export::Secrets;
pub use fax::{FaxRules, ImageRule};
pub use features::{Feature, FeatureCode, Features};
pub use gateway::{
    CallLimits, CallerRules, EmergencyHeader, Gateway, GatewayLogin, Identity, OutboundProxy, Place, Probe,
    TellsDiversion,
};
pub use media::{Encryption, EncryptionBy, KeyForm, MediaRules};
pub use numbers::{NumberFormat, NumberPlan};
pub use office::{
    DigestChoice, DigestIntegrity, Group, Internal, Office, ParkRules, PickUp, ScenarioSource, Secret, SecretOrigin,
    TransferRules, Transport, User,
};
pub use plugboard_calendar::{Calendar, Hours, LocalTime, Zone};
pub use recording::{RecordRule, Recording};
pub use route::{From, Goal, IncomingNumber, Pattern, Route, Source, Through, Treatment, Way, drawn};
pub use schema::schema;
pub use set::OfficeSet;
pub use settings::{Forwards, KeptSettings, SettingsChange, SettingsFault, UserSettings};
pub use toll::{Ledger, Toll, TollLimit};
pub use voicemail::{MailboxRules, PinTries, Voicemail};
