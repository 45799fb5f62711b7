//! Opus for speech, one channel. libopus is opened at the rate that is worked with, so that nothing is resampled.

use opus::{Application, Bitrate, Channels, Decoder, Encoder, Signal};
use plugboard_media::Rate;
use plugboard_media::coding::{Decode, Encode};

/// As browsers send speech (RFC 7587 section 3.1.1 has 16 to 20 kbit/s for wideband speech; a little more costs nobody).
const BITS_A_SECOND: i32 = 24_000;

/// Half of libopus's ten: a step more costs a tenth of CPU and is hard to hear at these rates.
const COMPLEXITY: i32 = 5;

/// The loss that the encoder prepares for by putting a copy of each frame into the next one (RFC 6716 section 2.1.7).
const LOSS_PERCENT: i32 = 5;

/// The most that libopus makes of a frame (its documentation of `opus_encode`).
const PAYLOAD_MAX: usize = 1_275;

/// A packet's longest, in frames of 20 ms (RFC 6716 section 3.2.5).
const FRAMES_MAX: usize = 6;

/// Packs.
#[derive(Debug)]
pub(crate) struct Packer(Encoder);

impl Packer {
    pub(crate) fn new(rate: Rate) -> Option<Self> {
        let mut encoder = Encoder::new(rate.hertz(), Channels::Mono, Application::Voip).ok()?;
        encoder.set_bitrate(Bitrate::Bits(BITS_A_SECOND)).ok()?;
        encoder.set_complexity(COMPLEXITY).ok()?;
        encoder.set_signal(Signal::Voice).ok()?;
        encoder.set_inband_fec(true).ok()?;
        encoder.set_packet_loss_perc(LOSS_PERCENT).ok()?;
        Some(Self(encoder))
    }
}

impl Encode for Packer {
    fn encode(&mut self, frame: &[i16], payload: &mut Vec<u8>) -> bool {
        let from = payload.len();
        payload.resize(from + PAYLOAD_MAX, 0);
        let made = payload.get_mut(from..).and_then(|room| self.0.encode(frame, room).ok()).unwrap_or(0);
        payload.truncate(from + made);
        made > 0
    }
}

/// Unpacks.
#[derive(Debug)]
pub(crate) struct Unpacker {
    decoder: Decoder,
    rate: Rate,
}

impl Unpacker {
    pub(crate) fn new(rate: Rate) -> Option<Self> {
        Some(Self { decoder: Decoder::new(rate.hertz(), Channels::Mono).ok()?, rate })
    }

    /// Appends what libopus makes of it; none: nothing.
    fn make(&mut self, payload: &[u8], room: usize, copy: bool, samples: &mut Vec<i16>) -> Option<()> {
        let from = samples.len();
        samples.resize(from + room, 0);
        let made = samples.get_mut(from..).and_then(|room| self.decoder.decode(payload, room, copy).ok());
        samples.truncate(from + made.unwrap_or(0));
        made.map(|_| ())
    }
}

impl Decode for Unpacker {
    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> bool {
        // An empty one would mean a loss to libopus.
        !payload.is_empty() && self.make(payload, self.rate.frame() * FRAMES_MAX, false, samples).is_some()
    }

    fn conceal(&mut self, count: usize, next: Option<&[u8]>, samples: &mut Vec<i16>) {
        // libopus makes multiples of 2.5 ms.
        let step = self.rate.frame() / 8;
        let whole = (count / step).clamp(1, 8 * FRAMES_MAX) * step;
        let from = samples.len();
        let copied = next.and_then(|next| self.make(next, whole, true, samples));
        if copied.is_none() && self.make(&[], whole, false, samples).is_none() {
            samples.resize(from + whole, 0);
        }
        samples.resize(from + count, 0);
    }
}
