//! Capabilities `variables`, `log`, `clock` and `random`, and the interfaces that are types alone.

use super::bindings::plugboard::switch::{clock, log, random, types, variables};
use super::words;
use crate::guest::{Guest, wrong_answer};
use crate::manifest::is_variable_name;
use plugboard_model::{ContactId, HostCall, HostResult, LogLevel, SetError};

/// A log line is cut here (`plugboard:switch/log`).
const LOG_LINE_BYTES_MAX: usize = 1_024;
/// Random bytes are cut here (`plugboard:switch/random`).
const RANDOM_BYTES_MAX: u32 = 256;

impl variables::Host for Guest {
    async fn get(&mut self, name: String) -> wasmtime::Result<Option<types::Value>> {
        if !is_variable_name(&name) {
            return Ok(None);
        }
        let HostResult::Value(value) = self.ask(HostCall::GetVariable(name)).await? else {
            return Err(wrong_answer("variables.get"));
        };
        Ok(value.map(words::value_told))
    }

    async fn set(&mut self, name: String, value: types::Value) -> wasmtime::Result<Result<(), variables::SetError>> {
        if !is_variable_name(&name) {
            return Ok(Err(variables::SetError::BadName));
        }
        if let types::Value::Contact(id) = &value
            && ContactId::new(self.office(), id).is_err()
        {
            return Ok(Err(variables::SetError::Unknown));
        }
        let Some(value) = words::value(self.office(), value) else {
            return Ok(Err(variables::SetError::TooLarge));
        };
        let HostResult::Set(set) = self.ask(HostCall::SetVariable { name, value }).await? else {
            return Err(wrong_answer("variables.set"));
        };
        Ok(set.map_err(|why| match why {
            SetError::WrongType(which) => variables::SetError::WrongType(which),
            SetError::BadName => variables::SetError::BadName,
            SetError::TooLarge => variables::SetError::TooLarge,
            SetError::ReadOnly => variables::SetError::ReadOnly,
            SetError::Unknown => variables::SetError::Unknown,
        }))
    }
}

impl log::Host for Guest {
    async fn write(&mut self, level: log::Level, mut message: String) -> wasmtime::Result<()> {
        if !self.may_log() {
            return Ok(());
        }
        message.truncate(message.floor_char_boundary(LOG_LINE_BYTES_MAX));
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
        };
        let HostResult::Unit = self.ask(HostCall::Log { level, message }).await? else {
            return Err(wrong_answer("log.write"));
        };
        Ok(())
    }
}

impl clock::Host for Guest {
    async fn now(&mut self) -> wasmtime::Result<i64> {
        let HostResult::Now(wall) = self.ask(HostCall::Now).await? else {
            return Err(wrong_answer("clock.now"));
        };
        Ok(wall.0)
    }
}

impl random::Host for Guest {
    async fn bytes(&mut self, len: u32) -> wasmtime::Result<Vec<u8>> {
        let HostResult::Bytes(bytes) = self.ask(HostCall::RandomBytes(len.min(RANDOM_BYTES_MAX))).await? else {
            return Err(wrong_answer("random.bytes"));
        };
        Ok(bytes)
    }

    async fn below(&mut self, bound: u64) -> wasmtime::Result<u64> {
        let HostResult::Below(number) = self.ask(HostCall::RandomBelow(bound)).await? else {
            return Err(wrong_answer("random.below"));
        };
        Ok(number)
    }
}
