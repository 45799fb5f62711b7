//! Faxes: what is asked of a machine, and what is kept of each beside its files.

use crate::{CallId, WallTime};
use serde::{Deserialize, Serialize};

/// How a fax is to be received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaxRequest {
    /// What the machine says of itself (CSI): up to 20 of digits, `+` and blanks; empty: nothing.
    pub ident: String,
    /// 1 to 500.
    pub pages_max: u32,
    /// 30,000 to 7,200,000.
    pub max_ms: u32,
}

/// What was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaxReceived {
    /// How it ended.
    pub end: FaxOutcome,
    /// Whole pages that were confirmed to the sender.
    pub pages: u32,
    /// What the sender said of himself (TSI), empty when he said nothing.
    pub sender: String,
    /// Which fax of history it is; `None`: nothing came that could be kept.
    pub document: Option<String>,
}

/// How a fax ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaxOutcome {
    /// Both machines say that all went well.
    Done,
    /// The far end is no fax machine.
    NoFax,
    /// It failed, with the reason as ITU-T T.30 has it, or what the disk said.
    Failed(String),
}

impl FaxOutcome {
    /// The word in metrics and JSON: a bounded set.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NoFax => "no_fax",
            Self::Failed(_) => "failed",
        }
    }
}

/// Why no fax was received at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaxError {
    /// The caller hung up.
    CallerGone,
    /// The caller talks to somebody.
    Talking,
    /// No media, with the reason.
    NoMedia(String),
    /// A parameter is out of its range, with the range.
    Invalid(String),
}

impl From<crate::CallError> for FaxError {
    fn from(error: crate::CallError) -> Self {
        match error {
            crate::CallError::CallerGone => Self::CallerGone,
            crate::CallError::Talking => Self::Talking,
            crate::CallError::NoMedia(reason) => Self::NoMedia(reason),
            crate::CallError::Invalid(which) => Self::Invalid(which),
        }
    }
}

/// A fax that was received, or that somebody tried to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaxRecord {
    /// Of this call.
    pub call: CallId,
    /// Counted from 1 in the call.
    pub n: u32,
    /// When the machine began.
    pub began: WallTime,
    /// When it ended.
    pub ended: WallTime,
    /// The caller's number, empty when withheld.
    pub caller: String,
    /// The caller's name.
    pub caller_name: String,
    /// The number called.
    pub called: String,
    /// How it ended.
    pub end: FaxOutcome,
    /// Whole pages that were confirmed to the sender.
    pub pages: u32,
    /// A page more was cut off; its beginning is in the document.
    pub cut: bool,
    /// Rows that did not come as they were sent.
    pub bad_rows: u32,
    /// What the sender said of himself.
    pub sender: String,
    /// Bits a second of the last page.
    pub bit_rate: u32,
    /// Whether errors were corrected (ECM).
    pub corrected: bool,
    /// Whether it came by T.38, else as audio.
    pub t38: bool,
    /// The files, in the order in which they were written; none where no page came, or the disk refused it.
    pub files: Vec<FaxFile>,
}

/// A file of a fax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaxFile {
    /// Relative to the folder of recordings; `.tif` is as it was received, `.pdf` made of that.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}
