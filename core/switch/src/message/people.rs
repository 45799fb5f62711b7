//! Messages about what a user has set, and about how he is.

use actix::{Message, Recipient};
use plugboard_model::{CallId, UserId};
use plugboard_office::{InCall, SettingsChange, SettingsFault, UserSettings};

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

/// Command: from now on tell this one how the user is, beginning with how he is now. From whoever shows it to others to `UserActor`.
/// Asked twice is asked once.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct WatchUser(pub(crate) Recipient<UserChanged>);

/// Command: ... and no longer. Who has stopped need not say it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct UnwatchUser(pub(crate) Recipient<UserChanged>);

/// Event: something that others see of a user is another. From `UserActor` to everybody who watches him, from any thread.
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct UserChanged {
    /// Who; his office is in the id.
    pub user: UserId,
    /// His status, do-not-disturb among them, his forwards, the groups that he is logged out of.
    pub settings: UserSettings,
    /// A device of his is registered.
    pub reachable: bool,
    /// The calls that ring him or that he has, at most 64 that ring.
    pub calls: Vec<(CallId, InCall)>,
}

/// Question: who called you last? From `CallActor` to `UserActor`; the answer goes to the recipient.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct GetLastCaller(pub(crate) Recipient<LastCaller>);

/// Event: the answer: what he dials to call back, if anybody has called him who shows his number. From `UserActor` to `CallActor`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct LastCaller(pub(crate) Option<plugboard_model::Dialled>);
