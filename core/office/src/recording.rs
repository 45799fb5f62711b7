//! Which calls are recorded, and what those who talk are told.

use plugboard_model::Dialled;

/// What the office wants of the calls of a user, a group or a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub enum RecordRule {
    /// They are recorded when a scenario or somebody in the call wants it.
    #[default]
    OnDemand,
    /// They are recorded from the moment in which people talk, and nobody in the call may end that.
    Always,
    /// They are not, whoever wants it.
    Never,
}

impl RecordRule {
    pub(crate) const WORDS: [(&str, Self); 3] =
        [("on-demand", Self::OnDemand), ("always", Self::Always), ("never", Self::Never)];

    pub(crate) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, rule)| *rule == self).map_or("on-demand", |(word, _)| word)
    }

    /// What holds for a call in which both have a part: who must not be recorded is not.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

/// How the office records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// A prompt that both sides hear when a recording begins that no scenario has begun.
    pub announcement: Option<String>,
    /// Whether both sides hear a beep when such a one begins, pauses, goes on and ends.
    pub beep: bool,
    /// What a user presses in a call to begin and to end its recording; none: nothing.
    pub keys: Option<Dialled>,
}

impl Recording {
    /// What `keys` is unless told.
    pub(crate) const KEYS: &str = "*1";
}

impl Default for Recording {
    fn default() -> Self {
        Self { announcement: None, beep: false, keys: Dialled::new(Self::KEYS).ok() }
    }
}
