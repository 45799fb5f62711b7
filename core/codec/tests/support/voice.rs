//! Somebody who says a tone, in packets.

use plugboard_codec::Library;
use plugboard_media::coding::Encode;
use plugboard_media::rtp::Header;
use plugboard_media::{Codec, Codecs, Rate};

use crate::support::tone;

/// What a phone sends: its own encoder and numbers, which turn over soon.
pub(crate) struct Voice {
    pub(crate) codec: Codec,
    pub(crate) rate: Rate,
    pub(crate) encoder: Box<dyn Encode>,
    pub(crate) signal: Vec<i16>,
    pub(crate) sequence: u16,
    timestamp: u32,
}

impl Voice {
    pub(crate) fn new(codec: Codec, hertz: f64, seconds: f64, peak: f64) -> Self {
        let rate = Rate::of(codec);
        let encoder = Library.encoder(codec, rate).unwrap();
        let signal = tone(hertz, rate.hertz(), seconds, peak);
        Self { codec, rate, encoder, signal, sequence: 65_500, timestamp: u32::MAX - 9_000 }
    }

    /// Its next 20 ms; at the end of the signal a packet without payload.
    pub(crate) fn packet(&mut self) -> Vec<u8> {
        let frame: Vec<i16> = self.signal.drain(..self.rate.frame().min(self.signal.len())).collect();
        let mut payload = Vec::new();
        if frame.len() == self.rate.frame() {
            self.encoder.encode(&frame, &mut payload);
        }
        let header = Header {
            marker: false,
            payload_type: self.codec.payload_type(),
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: 77,
            payload: 0..0,
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(self.codec.clock_rate() / 50);
        header.packet(&payload)
    }
}
