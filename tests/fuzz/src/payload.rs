//! Payloads of every codec: what the decoders, which are C, make of them.

use plugboard_codec::Library;
use plugboard_media::coding::duration_micros;
use plugboard_media::{Codec, Codecs, Rate};

/// The longest packet of Opus, at 16 kHz (RFC 6716 section 3.2.5), and of G.722 in an Ethernet frame.
const SAMPLES_MAX: usize = 3_000;

/// The first byte chooses codec and rate; then payloads, each after its length.
///
/// # Panics
/// When a payload becomes more audio than it can be, or a loss is not concealed by as much as was lost.
pub fn payload(bytes: &[u8]) {
    let Some((choice, mut rest)) = bytes.split_first() else { return };
    let codec = match choice & 3 {
        0 => Codec::Pcmu,
        1 => Codec::Pcma,
        2 => Codec::G722,
        _ => Codec::Opus,
    };
    let rate = if choice & 4 == 0 { Rate::Narrow } else { Rate::Wide };
    let Some(mut decoder) = Library.decoder(codec, rate) else { return };
    while let Some((length, after)) = rest.split_first() {
        let (payload, next) = after.split_at(after.len().min(usize::from(*length)));
        rest = next;
        let mut samples = Vec::new();
        let micros = duration_micros(codec, payload);
        let understood = decoder.decode(payload, &mut samples);
        assert!(samples.len() <= SAMPLES_MAX, "{codec}: {} samples of {}", samples.len(), payload.escape_ascii());
        if let (true, Some(micros)) = (understood, micros) {
            let meant = usize::try_from(u64::from(micros) * u64::from(rate.hertz()) / 1_000_000).unwrap_or(0);
            assert_eq!(samples.len(), meant, "{codec}: {}", payload.escape_ascii());
        }
        samples.clear();
        decoder.conceal(rate.frame(), Some(payload), &mut samples);
        assert_eq!(samples.len(), rate.frame());
    }
}
