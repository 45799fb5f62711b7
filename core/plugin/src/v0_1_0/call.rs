//! Capability `call`.

use super::bindings::plugboard::switch::call as wit;
use super::bindings::plugboard::switch::types;
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{
    Audio, CallError, CallEvent, CollectEnd, CollectRequest, HostCall, HostResult, ParkEnd, ParkError, PlayEnd,
    PlayOptions, Speech, Tone,
};

/// The longest name of a prompt or of music: a path below the office's audio folder.
const AUDIO_NAME_BYTES_MAX: usize = 256;

/// Words read aloud: two minutes and more.
const SPEECH_BYTES_MAX: usize = 2_000;

/// The longest tag of BCP 47 that anybody uses, as for the office's language.
const LANGUAGE_BYTES_MAX: usize = 35;
/// An hour: the longest that anything plays or waits.
const HOUR_MS: u32 = 3_600_000;

impl wit::Host for Guest {
    async fn get_info(&mut self) -> wasmtime::Result<wit::Info> {
        let HostResult::Info(info) = self.ask(HostCall::GetInfo).await? else {
            return Err(wrong_answer("call.get-info"));
        };
        Ok(wit::Info {
            id: info.id,
            caller_number: info.caller_number,
            caller_name: info.caller_name,
            caller_user: info.caller_user.as_ref().map(words::user_told),
            called_number: info.called_number,
            language: info.language,
        })
    }

    async fn answer(&mut self) -> wasmtime::Result<Result<(), wit::CallError>> {
        self.ask_done(HostCall::Answer).await
    }

    async fn play(
        &mut self,
        what: wit::Audio,
        options: wit::PlayOptions,
    ) -> wasmtime::Result<Result<wit::PlayEnd, wit::CallError>> {
        let call = match audio(what).and_then(|audio| Ok(HostCall::Play { audio, options: play_options(options)? })) {
            Ok(call) => call,
            Err(fault) => return Ok(Err(wit::CallError::Invalid(fault))),
        };
        let HostResult::Played(played) = self.ask(call).await? else {
            return Err(wrong_answer("call.play"));
        };
        Ok(played.map(play_end).map_err(call_error))
    }

    async fn collect(
        &mut self,
        request: wit::CollectRequest,
    ) -> wasmtime::Result<Result<wit::Collected, wit::CallError>> {
        let request = match collect_request(request) {
            Ok(request) => request,
            Err(fault) => return Ok(Err(wit::CallError::Invalid(fault))),
        };
        let HostResult::Collected(collected) = self.ask(HostCall::Collect(request)).await? else {
            return Err(wrong_answer("call.collect"));
        };
        Ok(collected
            .map(|collected| wit::Collected {
                digits: collected.digits,
                ended_by: match collected.ended_by {
                    CollectEnd::MaxDigits => wit::CollectEnd::MaxDigits,
                    CollectEnd::EndDigit => wit::CollectEnd::EndDigit,
                    CollectEnd::Timeout => wit::CollectEnd::Timeout,
                },
                not_played: collected.not_played,
            })
            .map_err(call_error))
    }

    async fn echo(&mut self, max_ms: u32) -> wasmtime::Result<Result<(), wit::CallError>> {
        match words::in_range("max-ms", max_ms, 100..=HOUR_MS) {
            Ok(max_ms) => self.ask_done(HostCall::Echo { max_ms }).await,
            Err(fault) => Ok(Err(wit::CallError::Invalid(fault))),
        }
    }

    async fn next_event(&mut self, timeout_ms: u32) -> wasmtime::Result<Result<wit::Event, wit::CallError>> {
        let timeout_ms = match words::in_range("timeout-ms", timeout_ms, 0..=HOUR_MS) {
            Ok(timeout_ms) => timeout_ms,
            Err(fault) => return Ok(Err(wit::CallError::Invalid(fault))),
        };
        let HostResult::Event(event) = self.ask(HostCall::NextEvent { timeout_ms }).await? else {
            return Err(wrong_answer("call.next-event"));
        };
        Ok(event
            .map(|event| match event {
                CallEvent::Digit(digit) => wit::Event::Digit(digit),
                CallEvent::Held => wit::Event::Held,
                CallEvent::Resumed => wit::Event::Resumed,
                CallEvent::Timeout => wit::Event::Timeout,
            })
            .map_err(call_error))
    }

    async fn park(
        &mut self,
        place: Option<u32>,
        max_ms: u32,
    ) -> wasmtime::Result<Result<wit::ParkEnd, wit::ParkError>> {
        let invalid = |fault| Ok(Err(wit::ParkError::Refused(wit::CallError::Invalid(fault))));
        let place = match place.map(|place| words::in_range("place", place, 1..=99)).transpose() {
            Ok(place) => place,
            Err(fault) => return invalid(fault),
        };
        let max_ms = match words::in_range("max-ms", max_ms, 1_000..=HOUR_MS) {
            Ok(max_ms) => max_ms,
            Err(fault) => return invalid(fault),
        };
        let HostResult::Parked(parked) = self.ask(HostCall::Park { place, max_ms }).await? else {
            return Err(wrong_answer("call.park"));
        };
        Ok(parked
            .map(|end| match end {
                ParkEnd::Retrieved => wit::ParkEnd::Retrieved,
                ParkEnd::TimeOver => wit::ParkEnd::TimeOver,
            })
            .map_err(|error| match error {
                ParkError::NoPlace(which) => wit::ParkError::NoPlace(which),
                ParkError::Refused(error) => wit::ParkError::Refused(call_error(error)),
            }))
    }

    async fn hang_up(&mut self, cause: types::Cause) -> wasmtime::Result<Result<(), wit::CallError>> {
        match words::cause(cause) {
            Ok(cause) => self.ask_done(HostCall::HangUp(cause)).await,
            Err(fault) => Ok(Err(wit::CallError::Invalid(fault))),
        }
    }
}

impl Guest {
    /// Asks something whose answer is only whether it was done.
    async fn ask_done(&mut self, call: HostCall) -> wasmtime::Result<Result<(), wit::CallError>> {
        let name = call.interface();
        let HostResult::Done(done) = self.ask(call).await? else {
            return Err(wrong_answer(name));
        };
        Ok(done.map_err(call_error))
    }
}

/// The name of a prompt or of music.
pub(super) fn prompt_name(name: String) -> Result<String, String> {
    if (1..=AUDIO_NAME_BYTES_MAX).contains(&name.len()) && !name.contains(|c: char| c.is_control()) {
        Ok(name)
    } else {
        Err(format!("the audio's name {} is not 1 to {AUDIO_NAME_BYTES_MAX} bytes of text", words::cut(&name)))
    }
}

fn audio(given: wit::Audio) -> Result<Audio, String> {
    Ok(match given {
        wit::Audio::Prompt(name) => Audio::Prompt(prompt_name(name)?),
        wit::Audio::Music(name) => Audio::Music(prompt_name(name)?),
        wit::Audio::Speech(wit::Speech { text, language }) => Audio::Speech(speech(text, language)?),
        wit::Audio::Tone(wit::Tone::RingBack) => Audio::Tone(Tone::RingBack),
        wit::Audio::Tone(wit::Tone::Busy) => Audio::Tone(Tone::Busy),
        wit::Audio::Tone(wit::Tone::Congestion) => Audio::Tone(Tone::Congestion),
        wit::Audio::Tone(wit::Tone::Beep) => Audio::Tone(Tone::Beep),
    })
}

/// Words within their limits. A control character is a pause to whoever reads them aloud.
fn speech(text: String, language: Option<String>) -> Result<Speech, String> {
    if text.trim().is_empty() || text.len() > SPEECH_BYTES_MAX {
        return Err(format!("the words {} are not 1 to {SPEECH_BYTES_MAX} bytes of text", words::cut(&text)));
    }
    let is_tag = |tag: &String| {
        (1..=LANGUAGE_BYTES_MAX).contains(&tag.len()) && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if let Some(tag) = language.iter().find(|tag| !is_tag(tag)) {
        return Err(format!("the language {} is no tag of BCP 47, such as en or de-AT", words::cut(tag)));
    }
    Ok(Speech { text: text.replace(char::is_control, " "), language })
}

fn play_options(given: wit::PlayOptions) -> Result<PlayOptions, String> {
    let max_ms = given.max_ms.map(|max_ms| words::in_range("max-ms", max_ms, 100..=HOUR_MS)).transpose()?;
    Ok(PlayOptions { max_ms, repeat: given.repeat, stop_on_digit: given.stop_on_digit })
}

fn play_end(end: PlayEnd) -> wit::PlayEnd {
    match end {
        PlayEnd::Finished => wit::PlayEnd::Finished,
        PlayEnd::TimeOver => wit::PlayEnd::TimeOver,
        PlayEnd::Digit(digit) => wit::PlayEnd::Digit(digit),
        PlayEnd::NotPlayable(reason) => wit::PlayEnd::NotPlayable(reason),
    }
}

fn collect_request(given: wit::CollectRequest) -> Result<CollectRequest, String> {
    if let Some(digit) = given.end_digit.filter(|digit| !matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D')) {
        return Err(format!("end-digit {digit:?} is none of 0-9 * # A-D"));
    }
    Ok(CollectRequest {
        prompt: given.prompt.map(audio).transpose()?,
        max_digits: words::in_range("max-digits", given.max_digits, 1..=32)?,
        first_digit_ms: words::in_range("first-digit-ms", given.first_digit_ms, 100..=120_000)?,
        inter_digit_ms: words::in_range("inter-digit-ms", given.inter_digit_ms, 100..=30_000)?,
        end_digit: given.end_digit,
    })
}

fn call_error(error: CallError) -> wit::CallError {
    match error {
        CallError::CallerGone => wit::CallError::CallerGone,
        CallError::Talking => wit::CallError::Talking,
        CallError::NoMedia(reason) => wit::CallError::NoMedia(reason),
        CallError::Invalid(which) => wit::CallError::Invalid(which),
    }
}
