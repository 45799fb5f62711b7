//! Messages about what a user has set, and about how he is.

use actix::{Message, Recipient};
use plugboard_office::{SettingsChange, SettingsFault, UserSettings};

/// Command: change these of your settings. From a `CallActor` (feature code), a `SipActor` (his phone) or the `Switch` (admin) to
/// `UserActor`; answered with what holds now. After a fault nothing is changed.
#[derive(Debug, Message)]
#[rtype(result = "Result<UserSettings, SettingsFault>")]
pub(crate) struct ChangeSettings {
    pub(crate) changes: Vec<SettingsChange>,
    /// Told as well: who cannot wait for an answer.
    pub(crate) reply: Option<Recipient<SettingsChanged>>,
}

/// Event: the settings are changed, or why not. From `UserActor` to who asked for it.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct SettingsChanged(pub(crate) Result<UserSettings, SettingsFault>);

/// Question: who called you last? From `CallActor` to `UserActor`; the answer goes to the recipient.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct GetLastCaller(pub(crate) Recipient<LastCaller>);

/// Event: the answer: what he dials to call back, if anybody has called him who shows his number. From `UserActor` to `CallActor`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct LastCaller(pub(crate) Option<plugboard_model::Dialled>);
