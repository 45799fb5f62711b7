//! A mailbox on the telephone, as two machines: one takes a caller's message ([`Leaving`]), one lets its owner hear what is there
//! ([`Listening`]). They know no tape, no table and no clock: what they want are [`Wish`]es, and each is answered by one [`Heard`]
//! before the next is asked for, but for those that say that they have no answer.

mod leaving;
mod listening;
mod words;

pub use leaving::Leaving;
pub use listening::{Listening, PINS_MAX};
pub use words::{Moment, Phrase};

use plugboard_model::{Audio, CallId, MailboxEnd, MailboxError, MessageEnd, TapeWhy};

/// A message or greeting: the call that it is of, and which of the call.
pub type TapeId = (CallId, u32);

/// What is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cue {
    /// Words of the switch: the office's prompt for them, else read aloud, else a tone.
    Phrase(Phrase),
    /// This.
    Audio(Audio),
}

/// What somebody speaks onto a tape for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A message for the mailbox.
    Message,
    /// What the mailbox says to callers.
    Greeting,
}

/// What a machine wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Let it be heard; answered by [`Heard::Played`]. With `keys` a key stops it.
    Play {
        /// What.
        cue: Cue,
        /// A key stops it.
        keys: bool,
    },
    /// Let it be heard, and collect keys, which stop it; answered by [`Heard::Keys`].
    Ask {
        /// What.
        cue: Cue,
        /// At most so many: 1 to 32.
        keys: u8,
        /// The key that ends them.
        end: Option<char>,
    },
    /// Take down what is said until `#`, a silence or the longest length; answered by [`Heard::Taken`].
    Take(Taken),
    /// Ask whether this PIN opens the mailbox, or the one of this number; answered by [`Heard::Verdict`].
    Verify {
        /// The number of a user or group; `None`: the mailbox is known.
        number: Option<String>,
        /// As pressed.
        pin: String,
    },
    /// This message is no new one any more. No answer.
    Keep(TapeId),
    /// Remove a message or a greeting. No answer.
    Erase(TapeId),
    /// From now on callers hear this greeting alone. No answer.
    Greet(TapeId),
    /// It is over. No answer, and nothing follows.
    End(End),
}

/// How it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Of [`Leaving`].
    Message(Result<MessageEnd, MailboxError>),
    /// Of [`Listening`].
    Mailbox(MailboxEnd),
}

/// What a machine is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It was heard to its end.
    Played,
    /// A key stopped it.
    Key(char),
    /// It could not be heard.
    NotPlayable,
    /// The keys, `0-9 * # A-D`, maybe none.
    Keys(String),
    /// The tape is over.
    Taken(Dictation),
    /// What a PIN is worth.
    Verdict(Verdict),
}

/// A tape that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dictation {
    /// Which.
    pub tape: TapeId,
    /// Its file.
    pub file: String,
    /// Enough was said: it is kept.
    pub kept: bool,
    /// Why it ended.
    pub why: TapeWhy,
}

/// What a PIN is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It opens the mailbox, in which these are, oldest first.
    Open(Vec<Message>),
    /// It does not, or there is no such mailbox.
    Wrong,
    /// Too many were wrong: none is tried for a while.
    Locked,
}

/// A message in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which.
    pub tape: TapeId,
    /// Its file.
    pub file: String,
    /// Who left it: his name or number, empty when withheld.
    pub from: String,
    /// When, by the office's clocks.
    pub at: Moment,
    /// It is no new one.
    pub heard: bool,
}
