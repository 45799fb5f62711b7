//! Capability `record`.

use super::bindings::plugboard::switch::record as wit;
use super::call::prompt_name;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{HostCall, HostResult, RecordCall, RecordError};

impl wit::Host for Guest {
    async fn start(&mut self, options: wit::StartOptions) -> wasmtime::Result<Result<(), wit::RecordError>> {
        match options.announcement.map(prompt_name).transpose() {
            Ok(announcement) => self.tell_recorder(RecordCall::Start { announcement, beep: options.beep }).await,
            Err(fault) => Ok(Err(wit::RecordError::Invalid(fault))),
        }
    }

    async fn pause(&mut self) -> wasmtime::Result<Result<(), wit::RecordError>> {
        self.tell_recorder(RecordCall::Pause).await
    }

    async fn resume(&mut self) -> wasmtime::Result<Result<(), wit::RecordError>> {
        self.tell_recorder(RecordCall::Resume).await
    }

    async fn stop(&mut self) -> wasmtime::Result<Result<(), wit::RecordError>> {
        self.tell_recorder(RecordCall::Stop).await
    }
}

impl Guest {
    async fn tell_recorder(&mut self, call: RecordCall) -> wasmtime::Result<Result<(), wit::RecordError>> {
        let call = HostCall::Record(call);
        let name = call.interface();
        let HostResult::Recorded(done) = self.ask(call).await? else {
            return Err(wrong_answer(name));
        };
        Ok(done.map_err(|why| match why {
            RecordError::CallerGone => wit::RecordError::CallerGone,
            RecordError::NotAllowed => wit::RecordError::NotAllowed,
            RecordError::NotRecording => wit::RecordError::NotRecording,
            RecordError::Recording => wit::RecordError::Recording,
            RecordError::NoMedia(reason) => wit::RecordError::NoMedia(reason),
            RecordError::Invalid(which) => wit::RecordError::Invalid(which),
        }))
    }
}
