//! What a user lets others know, and which status may follow which.

use serde::{Deserialize, Serialize};

/// What a user lets others know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserStatus {
    /// May be rung.
    #[default]
    Available,
    /// Rung by nobody's scenario; can call out.
    Busy,
    /// Rung by nobody.
    DoNotDisturb,
    /// Not at work.
    LoggedOut,
    // The store writes the place of a variant: new ones stand at the end.
    /// Not at his desk: rung by nobody's scenario.
    Away,
    /// He writes up the call that he had: rung by nobody's scenario, and for a while only.
    WrapUp,
}

impl UserStatus {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Available, Self::Busy, Self::Away, Self::DoNotDisturb, Self::LoggedOut, Self::WrapUp];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::DoNotDisturb => "do-not-disturb",
            Self::LoggedOut => "logged-out",
            Self::Away => "away",
            Self::WrapUp => "wrap-up",
        }
    }

    /// Whether he, his phone or an admin may change it so: the table of the moves.
    ///
    /// | from | available | busy | away | do-not-disturb | logged-out | wrap-up |
    /// | --- | --- | --- | --- | --- | --- | --- |
    /// | available, busy, away, do-not-disturb | yes | yes | yes | yes | yes | no |
    /// | wrap-up | yes | yes | yes | yes | yes | yes |
    /// | logged-out | yes | no | no | yes | yes | no |
    ///
    /// Wrap-up begins with the end of a call alone, by the switch. Who is logged out is available first, or keeps his phone
    /// quiet by its own key, which knows nothing of work.
    ///
    /// # Errors
    /// Why not.
    pub const fn may_become(self, next: Self) -> Result<(), &'static str> {
        match (self, next) {
            (Self::Available | Self::Busy | Self::Away | Self::DoNotDisturb | Self::LoggedOut, Self::WrapUp) => {
                Err("wrap-up begins by itself, when a call of a group or queue is over")
            }
            (Self::LoggedOut, Self::Busy | Self::Away) => Err("he is logged out: he has to be available first"),
            (Self::WrapUp, Self::WrapUp)
            | (Self::LoggedOut, Self::Available | Self::DoNotDisturb | Self::LoggedOut)
            | (
                Self::Available | Self::Busy | Self::Away | Self::DoNotDisturb | Self::WrapUp,
                Self::Available | Self::Busy | Self::Away | Self::DoNotDisturb | Self::LoggedOut,
            ) => Ok(()),
        }
    }
}
