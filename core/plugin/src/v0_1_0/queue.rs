//! Capability `queue`.

use super::bindings::plugboard::switch::queue as wit;
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{HostCall, HostResult, QUEUE_CALLERS_MAX, QueueEnd, QueueError, QueueRequest, Skill};

/// A name of music or of a skill; nothing longer is one.
const NAME_BYTES: std::ops::RangeInclusive<usize> = 1..=128;

impl wit::Host for Guest {
    async fn wait(&mut self, options: wit::Options) -> wasmtime::Result<Result<wit::End, wit::QueueError>> {
        let request = match request(options) {
            Ok(request) => request,
            Err(fault) => return Ok(Err(wit::QueueError::Invalid(fault))),
        };
        let HostResult::Waited(waited) = self.ask(HostCall::Wait(request)).await? else {
            return Err(wrong_answer("queue.wait"));
        };
        Ok(waited
            .map(|end| match end {
                QueueEnd::Answered(connected) => wit::End::Answered(wit::Connected {
                    user: connected.user.as_ref().map(words::user_told),
                    number: connected.number,
                    rang_ms: connected.rang_ms,
                }),
                QueueEnd::Timeout => wit::End::Timeout,
                QueueEnd::Nobody => wit::End::Nobody,
                QueueEnd::Full => wit::End::Full,
                QueueEnd::CalledBack => wit::End::CalledBack,
                QueueEnd::Exited => wit::End::Exited,
            })
            .map_err(|why| match why {
                QueueError::CallerGone => wit::QueueError::CallerGone,
                QueueError::Talking => wit::QueueError::Talking,
                QueueError::NoMedia(reason) => wit::QueueError::NoMedia(reason),
                QueueError::Invalid(which) => wit::QueueError::Invalid(which),
            }))
    }
}

fn request(given: wit::Options) -> Result<QueueRequest, String> {
    for (name, key) in [("call-back-on", given.call_back_on), ("exit-on", given.exit_on)] {
        if let Some(key) = key.filter(|key| !matches!(key, '0'..='9' | '*' | '#' | 'A'..='D')) {
            return Err(format!("{name} {key:?} is none of 0-9 * # A-D"));
        }
    }
    if let Some(key) = given.exit_on.filter(|key| given.call_back_on == Some(*key)) {
        return Err(format!("call-back-on and exit-on are both {key:?}"));
    }
    if let Some(music) = &given.music {
        words::in_range("the bytes of music", music.len(), NAME_BYTES)?;
    }
    let skill = given.skill.map(|skill| {
        words::in_range("the bytes of the skill", skill.name.len(), NAME_BYTES)?;
        Ok::<_, String>(Skill { level: words::in_range("the skill's level", skill.level, 1..=10)?, name: skill.name })
    });
    Ok(QueueRequest {
        max_ms: words::in_range("max-ms", given.max_ms, 1_000..=14_400_000)?,
        ring_for_ms: words::in_range("ring-for-ms", given.ring_for_ms, 1_000..=600_000)?,
        music: given.music,
        announce_ms: given
            .announce_ms
            .map(|every| words::in_range("announce-ms", every, 5_000..=3_600_000))
            .transpose()?,
        call_back_on: given.call_back_on,
        priority: words::in_range("priority", given.priority, 0..=10)?,
        skill: skill.transpose()?,
        callers_max: words::in_range("callers-max", given.callers_max, 1..=QUEUE_CALLERS_MAX)?,
        exit_on: given.exit_on,
    })
}
