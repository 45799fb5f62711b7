//! One prompt, tone or piece of music on its way to a leg.

use crate::audio::Audio;
use crate::codec::FRAME_SAMPLES;
use crate::command::{PlayEnd, PlayId, PlayOptions};
use crate::g711::Law;
use plugboard_model::Time;

/// What plays, and how far it is.
#[derive(Debug, Clone)]
pub(crate) struct Playing {
    pub(crate) id: PlayId,
    audio: Audio,
    position: usize,
    repeat: bool,
    pub(crate) yields: bool,
    pub(crate) aside: bool,
    ends_at: Option<Time>,
}

impl Playing {
    pub(crate) fn new(now: Time, id: PlayId, audio: Audio, options: PlayOptions) -> Self {
        let PlayOptions { max, repeat, yields, aside } = options;
        Self { id, audio, position: 0, repeat, yields, aside, ends_at: max.map(|max| now + max) }
    }

    /// There is nothing to play.
    pub(crate) fn is_empty(&self) -> bool {
        self.audio.is_empty()
    }

    /// Why nothing more is to be sent, if so. Asked before each frame.
    pub(crate) fn end(&self, now: Time) -> Option<PlayEnd> {
        if self.ends_at.is_some_and(|at| now >= at) {
            return Some(PlayEnd::TimeOver);
        }
        (self.position >= self.audio.len() && !self.repeat).then_some(PlayEnd::Finished)
    }

    /// Writes the next frame; a last short one is filled up with silence.
    pub(crate) fn frame(&mut self, law: Law, frame: &mut [u8; FRAME_SAMPLES]) {
        let bytes = self.audio.bytes(law);
        frame.fill(law.silence());
        let mut filled = 0;
        while filled < FRAME_SAMPLES {
            if self.position >= bytes.len() {
                if !self.repeat || bytes.is_empty() {
                    break;
                }
                self.position = 0;
            }
            let rest = bytes.get(self.position..).unwrap_or_default();
            let count = rest.len().min(FRAME_SAMPLES - filled);
            if let (Some(target), Some(source)) = (frame.get_mut(filled..filled + count), rest.get(..count)) {
                target.copy_from_slice(source);
            }
            filled += count;
            self.position += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn playing(samples: u8, repeat: bool, max: Option<Duration>) -> Playing {
        let bytes: Vec<u8> = (0..samples).collect();
        Playing::new(
            Time::ZERO,
            PlayId(1),
            Audio::from_g711(Law::Mu, &bytes),
            PlayOptions { max, repeat, ..PlayOptions::default() },
        )
    }

    #[test]
    fn a_short_last_frame_is_filled_with_silence() {
        let mut playing = playing(200, false, None);
        let mut frame = [0; FRAME_SAMPLES];
        playing.frame(Law::Mu, &mut frame);
        assert_eq!((frame[0], frame[159]), (0, 159));
        assert_eq!(playing.end(Time::ZERO), None);
        playing.frame(Law::Mu, &mut frame);
        assert_eq!((frame[39], frame[40], frame[159]), (199, 0xFF, 0xFF));
        assert_eq!(playing.end(Time::ZERO), Some(PlayEnd::Finished));
    }

    #[test]
    fn a_loop_has_no_seam_and_ends_by_time_only() {
        let mut playing = playing(100, true, Some(Duration::from_secs(5)));
        let mut frame = [0; FRAME_SAMPLES];
        playing.frame(Law::Mu, &mut frame);
        assert_eq!((frame[99], frame[100], frame[159]), (99, 0, 59));
        playing.frame(Law::Mu, &mut frame);
        assert_eq!(frame[0], 60);
        assert_eq!(playing.end(Time::from_millis(4_999)), None);
        assert_eq!(playing.end(Time::from_millis(5_000)), Some(PlayEnd::TimeOver));
    }
}
