//! Faxes that somebody has ordered to be sent, and what became of each try.

use crate::{CallId, Dialled, IdError, OfficeId, UserId, WallTime};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An order to call somebody. It looks like a call's id and is none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub CallId);

impl OrderId {
    /// Whose it is.
    pub const fn office(&self) -> &OfficeId {
        &self.0.office
    }

    /// The 26 characters that tell it from others of its office.
    pub fn text(&self) -> String {
        self.0.ulid_text()
    }

    /// Reads these.
    ///
    /// # Errors
    /// [`IdError::CallId`].
    pub fn from_parts(office: OfficeId, text: &str) -> Result<Self, IdError> {
        CallId::from_parts(office, text).map(Self)
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A fax that is to be sent, is being sent or was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingFax {
    /// Which.
    pub id: OrderId,
    /// What whoever ordered it calls it: the same word is the same order. Of his office alone.
    pub key: Option<String>,
    /// The SHA-256 of all that was ordered, the document included: what tells a repeated order from another one of the same key.
    pub digest: [u8; 32],
    /// When it was ordered.
    pub ordered: WallTime,
    /// On whose behalf: his are the routes, the limits and the number that is shown.
    pub from: UserId,
    /// Whom to call, as he would dial it.
    pub to: Dialled,
    /// What our machine says of itself (TSI): up to 20 of digits, `+` and blanks; empty: nothing.
    pub ident: String,
    /// What stands at the top of each page beside date and number of the page; empty: no such line.
    pub header: String,
    /// Pages of the document, at least one.
    pub pages: u32,
    /// Bytes of the document as it is kept until the order is over.
    pub bytes: u64,
    /// Pages that the far end has confirmed, from the first on, in all tries together.
    pub pages_sent: u32,
    /// Tries that are over, in their order. Those in a row that do not count ([`FaxTryEnd::counts`]) are one, from the first one's begin
    /// to the last one's end.
    pub tries: Vec<FaxTry>,
    /// How far it is.
    pub state: OrderState,
}

/// How far an order is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// It waits, until then at least.
    Waiting {
        /// Not before.
        until: WallTime,
    },
    /// A try goes on.
    Calling {
        /// Since.
        since: WallTime,
    },
    /// Every page was confirmed.
    Sent {
        /// When.
        at: WallTime,
    },
    /// It was given up.
    Failed {
        /// When.
        at: WallTime,
    },
    /// It was withdrawn before it was sent.
    Withdrawn {
        /// When.
        at: WallTime,
    },
}

impl OrderState {
    /// The word in metrics and JSON: a bounded set.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Calling { .. } => "calling",
            Self::Sent { .. } => "sent",
            Self::Failed { .. } => "failed",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }

    /// Until when it waits, if it does.
    pub const fn waits_until(&self) -> Option<WallTime> {
        match self {
            Self::Waiting { until } => Some(*until),
            Self::Calling { .. } | Self::Sent { .. } | Self::Failed { .. } | Self::Withdrawn { .. } => None,
        }
    }

    /// When it was over, if it is.
    pub const fn over(&self) -> Option<WallTime> {
        match self {
            Self::Waiting { .. } | Self::Calling { .. } => None,
            Self::Sent { at } | Self::Failed { at } | Self::Withdrawn { at } => Some(*at),
        }
    }
}

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaxTry {
    /// The call; none where it came to none.
    pub call: Option<CallId>,
    /// When it began.
    pub began: WallTime,
    /// When it was over.
    pub ended: WallTime,
    /// How.
    pub end: FaxTryEnd,
    /// Pages that were confirmed in it.
    pub pages: Vec<SentPage>,
    /// What the far end said of itself (CSI).
    pub far_ident: String,
    /// Whether errors were corrected (ECM).
    pub corrected: bool,
    /// Whether it went by T.38, else as audio.
    pub t38: bool,
}

impl FaxTry {
    /// One of which there is nothing to tell but its end.
    pub const fn without_call(began: WallTime, ended: WallTime, end: FaxTryEnd) -> Self {
        Self {
            call: None,
            began,
            ended,
            end,
            pages: Vec::new(),
            far_ident: String::new(),
            corrected: false,
            t38: false,
        }
    }
}

/// A page that the far end has confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentPage {
    /// Of the document, from 1.
    pub page: u32,
    /// Bits a second.
    pub bit_rate: u32,
    /// From the end of the page before it, or from the answer, to its confirmation.
    pub took_ms: u32,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaxTryEnd {
    /// Every page was confirmed.
    Sent,
    /// The called side was busy.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// Whoever answered is no fax machine.
    NoFax,
    /// The call was not allowed, or there is no such number: no other try follows.
    Refused(String),
    /// No call came to be, for a reason that is nobody's whom it would have reached: a gateway that is full or down.
    NotReached(String),
    /// Machines talked, and failed, with the reason as ITU-T T.30 has it; or the call ended before they could.
    Failed(String),
    /// A limit of ours stood against it that passes by itself: of calls at once, of hours, of minutes.
    Limited(String),
    /// It was given up since it had waited too long.
    TooOld,
    /// It was given up since it came out of a backup: it may have been sent since that was made.
    Restored,
}

impl FaxTryEnd {
    /// The word in metrics and JSON: a bounded set.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::NoFax => "no_fax",
            Self::Refused(_) => "refused",
            Self::NotReached(_) => "not_reached",
            Self::Failed(_) => "failed",
            Self::Limited(_) => "limited",
            Self::TooOld => "too_old",
            Self::Restored => "restored",
        }
    }

    /// More than the word, where there is more.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Refused(reason) | Self::NotReached(reason) | Self::Failed(reason) | Self::Limited(reason) => {
                Some(reason)
            }
            Self::Sent | Self::Busy | Self::NoAnswer | Self::NoFax | Self::TooOld | Self::Restored => None,
        }
    }

    /// Whether another try may do better. A person who was called by a machine is not called again.
    pub const fn may_be_repeated(&self) -> bool {
        match self {
            Self::Busy | Self::NoAnswer | Self::NotReached(_) | Self::Failed(_) | Self::Limited(_) => true,
            Self::Sent | Self::NoFax | Self::Refused(_) | Self::TooOld | Self::Restored => false,
        }
    }

    /// Whether it is one of the tries that an order has: nobody was called by one that came no further than us or a gateway.
    pub const fn counts(&self) -> bool {
        match self {
            Self::NotReached(_) | Self::Limited(_) | Self::TooOld | Self::Restored => false,
            Self::Sent | Self::Busy | Self::NoAnswer | Self::NoFax | Self::Refused(_) | Self::Failed(_) => true,
        }
    }
}
