//! The written form of values: one version byte, then postcard.

use crate::error::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A kind of value: what it is called in errors, and the version that is written and read.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) what: &'static str,
    pub(crate) version: u8,
}

impl Form {
    pub(crate) const fn new(what: &'static str, version: u8) -> Self {
        Self { what, version }
    }

    pub(crate) fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, StoreError> {
        /// Most values are smaller, so that most are written without growing.
        const USUAL_LEN: usize = 1_024;
        let mut start = Vec::with_capacity(USUAL_LEN);
        start.push(self.version);
        postcard::to_extend(value, start).map_err(|fault| self.corrupt(&fault))
    }

    pub(crate) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, StoreError> {
        match bytes.split_first() {
            Some((version, rest)) if *version == self.version => {
                postcard::from_bytes(rest).map_err(|fault| self.corrupt(&fault))
            }
            Some((found, _)) => Err(StoreError::Version { what: self.what, found: *found, known: self.version }),
            None => Err(self.corrupt(&"it is empty")),
        }
    }

    pub(crate) fn corrupt(self, reason: &dyn std::fmt::Display) -> StoreError {
        StoreError::Corrupt { what: self.what, reason: reason.to_string() }
    }
}
