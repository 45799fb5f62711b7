//! Users, groups, numbers, gateways and routes of an office. Sans-IO.
#![recursion_limit = "256"]

mod address;
mod availability;
mod blocked;
mod choice;
mod contact;
mod database;
mod document;
mod emergency;
mod export;
mod fax;
mod features;
mod forms;
mod gateway;
mod http;
mod inquiry;
mod integration;
mod like;
mod mail;
mod media;
mod numbers;
mod office;
mod overlap;
mod parts;
mod phone;
mod plugins;
mod recording;
mod route;
mod rule;
mod schema;
mod set;
mod settings;
mod sql;
mod text_message;
mod toll;
mod voicemail;
mod whose;

pub use address::Addresses;
pub use availability::{Availability, Claim, OfferKind, Offered, Output, Unavailable};
pub use blocked::{Blocked, BlockedThen};
pub use choice::{Explained, Looked, Verdict};
pub use contact::Contact;
pub use database::{Database, DatabaseKind, DatabasePlace, DatabaseQuery, DatabaseServer, DatabaseTls};
pub use document::{Examined, Surroundings};
pub use emergency::{Emergency, Help, Location, Network, Unauthenticated};
pub use export::Secrets;
pub use fax::{FaxRules, ImageRule};
pub use features::{Feature, FeatureCode, Features};
pub use gateway::{
    CallLimits, CallerRules, EmergencyHeader, Gateway, GatewayLogin, Identity, OutboundProxy, Place, Probe,
    TellsDiversion,
};
pub use http::{BaseUrl, HttpLogin, HttpSource};
pub use inquiry::Inquiry;
pub use integration::Integration;
pub use like::{Like, Spelled};
pub use mail::{MailLogin, MailRules, MailTemplate, MailText, MailTls, MailTo, Sender};
pub use media::{Encryption, EncryptionBy, KeyForm, MediaRules};
pub use numbers::{NumberFormat, NumberPlan};
pub use office::{
    DigestChoice, DigestIntegrity, Group, GroupMember, Internal, Office, ParkRules, PickUp, ScenarioSource, Secret,
    SecretOrigin, TransferRules, Transport, User,
};
pub use phone::{CONFIRM_WITHIN, ForwardKey, OutsidePhone};
pub use plugboard_calendar::{Calendar, Hours, LocalTime, Zone};
pub use plugins::{Dialling, PluginGrant, Plugins, Said};
pub use recording::{RecordRule, Recording};
pub use route::{Goal, IncomingNumber, Pattern, Route, Source, Through, Treatment, Way, Whose, drawn};
pub use rule::{Conditions, Rule, VariableValue};
pub use schema::schema;
pub use set::OfficeSet;
pub use settings::{Forwards, KeptSettings, SettingsChange, SettingsFault, UserSettings};
pub use sql::{Piece, Statement};
pub use text_message::{FilledBody, TextBody, TextRules};
pub use toll::{Ledger, Toll, TollLimit};
pub use voicemail::{MailboxRules, PinTries, Voicemail};
