//! What steps beside the script can wait for.

/// Something that happens in a call whatever the script does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Somebody whom an action calls rings.
    Ringing,
    /// Somebody puts another on hold.
    Hold,
    /// ... and takes him back.
    Resume,
    /// The call is over.
    HangUp,
    /// The caller is a fax machine.
    Fax,
}

impl Occasion {
    /// Every one, as documents may name them.
    pub const ALL: [Self; 5] = [Self::Ringing, Self::Hold, Self::Resume, Self::HangUp, Self::Fax];
    /// Those that steps of an action can hang on, beside its outcomes: when whom it calls rings, and when a conversation
    /// that it began is over.
    pub const OF_ACTIONS: [Self; 2] = [Self::Ringing, Self::HangUp];

    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::Hold => "hold",
            Self::Resume => "resume",
            Self::HangUp => "hang-up",
            Self::Fax => "fax",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|occasion| occasion.as_str() == word)
    }

    /// What it means, for people.
    pub fn description(self) -> &'static str {
        match self {
            Self::Ringing => "somebody whom the call goes to rings",
            Self::Hold => "somebody puts the other one on hold",
            Self::Resume => "... and takes him back",
            Self::HangUp => "the call is over",
            Self::Fax => "the tone of a fax machine is heard from the caller (CNG), once a call",
        }
    }
}
