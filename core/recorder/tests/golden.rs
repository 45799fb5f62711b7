//! Two tones, one a side, come out of a recording as they went in: their frequencies, their lengths, and nothing of the other one.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what cannot be set up has failed")]

use plugboard_codec::Library;
use plugboard_media::coding::Codecs as _;
use plugboard_media::g711::{self, Law};
use plugboard_media::rtp::Header;
use plugboard_media::{Codec, Command, Engine, EngineConfig, Kind, MediaLeg, Negotiated, Rate, StreamStart};
use plugboard_model::{TapeEnd, TapeWhy, Time};
use plugboard_recorder::{Memory, Order, QUEUE_MAX, Recorder};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

const LEFT: f64 = 440.0;
const RIGHT: f64 = 1_000.0;
/// Packets of 20 ms.
const PACKETS: u32 = 500;

/// A tone in one codec, in packets.
fn packets(codec: Codec, hertz: f64) -> Vec<Vec<u8>> {
    let rate = Rate::of(codec);
    let mut encoder = Library.encoder(codec, rate).unwrap();
    let frame = u32::try_from(rate.frame()).unwrap();
    let sample = |n: u32| (f64::from(n) / f64::from(rate.hertz()) * hertz * std::f64::consts::TAU).sin() * 8_000.0;
    (0..PACKETS)
        .map(|packet| {
            let frame: Vec<i16> = (0..frame).map(|n| whole(sample(packet * frame + n))).collect();
            let mut payload = Vec::new();
            assert!(encoder.encode(&frame, &mut payload));
            payload
        })
        .collect()
}

#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "8,000 fits")]
fn whole(sample: f64) -> i16 {
    sample as i16
}

/// How much of a frequency is in samples, 0 to 1 (Goertzel's filter).
fn share(samples: &[i16], rate: f64, hertz: f64) -> f64 {
    let turn = 2.0 * (std::f64::consts::TAU * hertz / rate).cos();
    let (mut one, mut two, mut energy) = (0.0, 0.0, 0.0);
    for sample in samples {
        let sample = f64::from(*sample);
        (one, two) = (sample + turn * one - two, one);
        energy += sample * sample;
    }
    let length = f64::from(u32::try_from(samples.len()).unwrap());
    if energy == 0.0 { 0.0 } else { 2.0 * (one * one + two * two - turn * one * two) / (energy * length) }
}

const A: MediaLeg = MediaLeg::new(0, 0, 1);
const B: MediaLeg = MediaLeg::new(0, 1, 1);

fn phone(leg: MediaLeg) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + u8::try_from(leg.slot()).unwrap()], 4_000))
}

/// Two phones that speak this codec talk for ten seconds through the engine; the first one's leg is recorded. Of its packets each
/// fiftieth is lost.
fn recorded(codec: Codec) -> (Vec<u8>, TapeEnd) {
    recorded_by(codec, Arc::new(Library))
}

fn recorded_by(codec: Codec, codecs: Arc<dyn plugboard_media::Codecs>) -> (Vec<u8>, TapeEnd) {
    let memory = Memory::default();
    let (recorder, writer) = Recorder::start_inline(Box::new(memory.clone()), codecs, QUEUE_MAX);
    let mut engine = Engine::new(EngineConfig::default(), None, None);
    let mut now = Time::from_millis(1_000);
    for leg in [A, B] {
        engine.open(now, leg, StreamStart { ssrc: 900, sequence: 100, timestamp: 5_000 });
        let negotiated = Negotiated::plain(codec, phone(leg));
        engine.handle(now, Command::SetRemote { leg, negotiated });
    }
    engine.handle(now, Command::Bridge { a: A, b: B });
    let ended = Arc::new(Mutex::new(None));
    let told = Arc::clone(&ended);
    let order = Order { file: "call.wav".into(), stereo: true, silence: None, longest: None };
    let recording = recorder.record(order, Box::new(move |end, _| *told.lock().unwrap() = Some(end)));
    engine.handle(now, Command::Record { leg: A, tape: Some(recording.tape()) });
    let (left, right) = (packets(codec, LEFT), packets(codec, RIGHT));
    for (n, both) in (0_u16..).zip(left.iter().zip(&right)) {
        for (leg, payload) in [(A, both.0), (B, both.1)] {
            if leg == A && n % 50 == 49 {
                continue;
            }
            let timestamp = u32::from(n) * codec.clock_rate() / 50;
            let (ssrc, payload_type) = (u32::try_from(leg.slot()).unwrap(), codec.payload_type());
            let header = Header { marker: false, payload_type, sequence: n, timestamp, ssrc, payload: 0..0 };
            let mut packet = header.packet(payload);
            let length = packet.len();
            engine.packet(now, leg, Kind::Rtp, phone(leg), (&mut packet, length));
        }
        now = Time::from_millis(1_020 + 20 * u64::from(n));
        engine.tick(now, &mut |_, _| ());
        writer.run();
    }
    engine.handle(now, Command::Record { leg: A, tape: None });
    recording.end(TapeWhy::Asked);
    writer.run();
    let end = ended.lock().unwrap().take().unwrap();
    (memory.file("call.wav").unwrap(), end)
}

/// Both sides as linear samples, and how many there are in a second.
fn sides(file: &[u8]) -> ([Vec<i16>; 2], f64) {
    let sound = &file[58..];
    let two = |law: Law| {
        [0, 1].map(|side| sound.chunks_exact(2).map(|both| g711::decode(law, both[side])).collect::<Vec<_>>())
    };
    match file[20] {
        6 => (two(Law::A), 8_000.0),
        7 => (two(Law::Mu), 8_000.0),
        _ => {
            let mut reader = hound::WavReader::new(file).unwrap();
            let rate = f64::from(reader.spec().sample_rate);
            let samples: Vec<i16> = reader.samples::<i16>().map(Result::unwrap).collect();
            ([0, 1].map(|side| samples.chunks_exact(2).map(|both| both[side]).collect()), rate)
        }
    }
}

#[test]
fn two_tones_stand_on_two_channels_with_their_length_in_every_codec() {
    for (codec, format) in [(Codec::Pcma, 6), (Codec::Pcmu, 7), (Codec::G722, 1), (Codec::Opus, 1)] {
        let (file, end) = recorded(codec);
        assert_eq!((file[20], end.length_ms, end.missing_ms), (format, 10_000, 0), "{codec:?}");
        assert_eq!(u64::try_from(file.len()).unwrap(), end.bytes);
        let ([left, right], rate) = sides(&file);
        let second = if rate > 9_000.0 { 16_000 } else { 8_000 };
        assert_eq!((left.len(), right.len()), (10 * second, 10 * second), "{codec:?}");
        // A piece without a lost packet, behind what a codec needs to begin.
        let piece = second / 10..second * 9 / 10;
        for (side, own, other) in [(&left, LEFT, RIGHT), (&right, RIGHT, LEFT)] {
            let (own, other) = (share(&side[piece.clone()], rate, own), share(&side[piece.clone()], rate, other));
            assert!(own > 0.98 && other < 0.001, "{codec:?}: {own} of its own, {other} of the other");
        }
        // The lost packet is silence at its place.
        let lost = second * 98 / 100 + second / 500..second - second / 500;
        assert!(left[lost.clone()].iter().all(|sample| sample.unsigned_abs() < 16), "{codec:?}");
        assert!(right[lost].iter().any(|sample| sample.unsigned_abs() > 4_000), "{codec:?}");
    }
}

#[test]
fn what_nobody_can_unpack_is_no_recording_of_silence() {
    #[derive(Debug)]
    struct Nothing;
    impl plugboard_media::Codecs for Nothing {
        fn encoder(&self, _: Codec, _: Rate) -> Option<Box<dyn plugboard_media::coding::Encode>> {
            None
        }
        fn decoder(&self, _: Codec, _: Rate) -> Option<Box<dyn plugboard_media::coding::Decode>> {
            None
        }
        fn key_receiver(&self) -> Option<Box<dyn plugboard_media::coding::HearKeys>> {
            None
        }
    }
    let (file, end) = recorded_by(Codec::Opus, Arc::new(Nothing));
    assert_eq!((end.why, file.len()), (TapeWhy::Codec("Opus".into()), 58));
}
