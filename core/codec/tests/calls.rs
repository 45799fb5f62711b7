//! Bridged legs that share no codec, in virtual time: one engine, its work done at once or not at all.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a test stops at the first surprise, and its signals are far from the ends of their types"
)]

mod support;
#[path = "support/voice.rs"]
mod voice;

use plugboard_codec::Library;
use plugboard_media::rtp::Header;
use plugboard_media::{
    Audio, Codec, Codecs, Command, Engine, EngineConfig, Event, KeyForm, KeysByEar, Kind, MediaLeg, Negotiated,
    PlayEnd, PlayId, PlayOptions, Rate, StreamStart, Traffic,
};
use plugboard_model::Time;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use support::{share, tone};
use voice::Voice;

const ANN: MediaLeg = MediaLeg(0);
const BOB: MediaLeg = MediaLeg(1);
/// The peak of those who speak.
const LOUD: f64 = 8_000.0;

fn phone(leg: MediaLeg) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_000 + 2 * u16::try_from(leg.slot()).unwrap()))
}

fn agreed(leg: MediaLeg, codec: Codec, event: Option<u8>) -> Negotiated {
    let plain = Negotiated::plain(codec, phone(leg));
    let agreed = event.map_or(plain, |number| plain.with_keys(number));
    Negotiated { comfort_noise: (codec == Codec::Pcma).then_some(13), ..agreed }
}

struct World {
    engine: Engine,
    now: Time,
    heard: BTreeMap<MediaLeg, Vec<(Header, Vec<u8>)>>,
    events: Vec<Event>,
    traffic: Traffic,
    /// Whether workers take what they are given.
    working: bool,
}

/// A packet that fills its buffer.
fn whole(packet: &mut [u8]) -> (&mut [u8], usize) {
    let length = packet.len();
    (packet, length)
}

impl World {
    fn call(ann: Codec, bob: Codec) -> Self {
        Self::with(&[(ANN, ann, Some(101)), (BOB, bob, Some(101))])
    }

    fn with(legs: &[(MediaLeg, Codec, Option<u8>)]) -> Self {
        let mut world = Self {
            engine: Engine::new(EngineConfig::default(), Some(Arc::new(Library)), None),
            now: Time::from_millis(1_000),
            heard: BTreeMap::new(),
            events: Vec::new(),
            traffic: Traffic::default(),
            working: true,
        };
        for (leg, codec, event) in legs {
            let start = StreamStart { ssrc: 900, sequence: 100, timestamp: 5_000 };
            world.engine.open(world.now, *leg, start);
            world.command(Command::SetRemote { leg: *leg, negotiated: agreed(*leg, *codec, *event) });
        }
        for pair in legs.chunks_exact(2) {
            world.command(Command::Bridge { a: pair[0].0, b: pair[1].0 });
        }
        world
    }

    fn command(&mut self, command: Command) {
        self.engine.handle(self.now, command);
        self.take_events();
    }

    fn take_events(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            if let Event::Traffic(traffic) = event {
                self.traffic.relayed += traffic.relayed;
                self.traffic.transcoded += traffic.transcoded;
                self.traffic.late += traffic.late;
                self.traffic.no_peer += traffic.no_peer;
                self.traffic.not_understood += traffic.not_understood;
            } else {
                self.events.push(event);
            }
        }
    }

    fn says(&mut self, leg: MediaLeg, mut packet: Vec<u8>) {
        if let Some(forward) = self.engine.packet(self.now, leg, Kind::Rtp, phone(leg), whole(&mut packet)) {
            keep(&mut self.heard, forward.leg, &packet[..forward.length]);
        }
        self.take_events();
    }

    /// Time passes, millisecond by millisecond, with what is due in it.
    fn pass(&mut self, millis: u64) {
        for _ in 0..millis {
            self.now = self.now + std::time::Duration::from_millis(1);
            let heard = &mut self.heard;
            self.engine.tick(self.now, &mut |forward, packet| keep(heard, forward.leg, packet));
            while let Some(mut work) = self.engine.poll_work() {
                if self.working {
                    work.run();
                    self.engine.done(self.now, work, &mut |forward, packet| keep(heard, forward.leg, packet));
                } else {
                    self.engine.refused(work);
                }
            }
            self.take_events();
        }
    }

    /// What a leg's far end hears, unpacked by a decoder of its own.
    fn listen(&self, leg: MediaLeg, codec: Codec) -> (Vec<i16>, u32) {
        let rate = Rate::of(codec);
        let mut decoder = Library.decoder(codec, rate).unwrap();
        let mut samples = Vec::new();
        // Reports of how it sounds go beside.
        let heard =
            self.heard.get(&leg).into_iter().flatten().filter(|(header, _)| !matches!(header.payload_type, 72..=76));
        for (header, payload) in heard {
            assert_eq!(header.payload_type, codec.payload_type());
            assert!(decoder.decode(payload, &mut samples));
        }
        (samples, rate.hertz())
    }
}

fn keep(heard: &mut BTreeMap<MediaLeg, Vec<(Header, Vec<u8>)>>, leg: MediaLeg, packet: &[u8]) {
    let header = Header::parse(packet).unwrap();
    let payload = packet[header.payload.clone()].to_vec();
    heard.entry(leg).or_default().push((header, payload));
}

/// Both talk for two seconds, each with a tone, and each hears the other's.
fn talk(ann: Codec, bob: Codec) -> World {
    let mut world = World::call(ann, bob);
    let (mut a, mut b) = (Voice::new(ann, 440.0, 2.0, LOUD), Voice::new(bob, 1_000.0, 2.0, LOUD));
    for _ in 0..99 {
        world.says(ANN, a.packet());
        world.pass(7);
        world.says(BOB, b.packet());
        world.pass(13);
    }
    for (leg, codec, hertz) in [(ANN, ann, 1_000.0), (BOB, bob, 440.0)] {
        let packets = &world.heard[&leg];
        assert!((94..=99).contains(&packets.len()), "{leg:?} hears {} packets of 99", packets.len());
        for pair in packets.windows(2) {
            assert_eq!(pair[1].0.sequence, pair[0].0.sequence.wrapping_add(1));
            assert_eq!(pair[1].0.timestamp, pair[0].0.timestamp.wrapping_add(codec.clock_rate() / 50));
        }
        let (samples, rate) = world.listen(leg, codec);
        let found = share(&samples[samples.len() / 4..], hertz, u32::from(u16::try_from(rate).unwrap()));
        assert!(found > 0.9, "{leg:?} hears {found} of {hertz} Hz over {ann} and {bob}");
    }
    world
}

#[test]
fn an_opus_phone_and_a_pcmu_phone_hear_each_other() {
    let mut world = talk(Codec::Opus, Codec::Pcmu);
    // The counts are told each half second.
    world.pass(600);
    assert!(world.traffic.transcoded >= 180, "{:?}", world.traffic);
    assert_eq!((world.traffic.late, world.traffic.not_understood), (0, 0));
}

#[test]
fn g722_is_packed_anew_for_phones_that_have_no_g722() {
    for other in [Codec::Pcma, Codec::Pcmu, Codec::Opus] {
        let mut world = talk(Codec::G722, other);
        world.pass(600);
        assert!(world.traffic.transcoded >= 180, "{other}: {:?}", world.traffic);
        assert_eq!((world.traffic.late, world.traffic.not_understood), (0, 0), "{other}");
    }
}

#[test]
fn what_both_speak_is_passed_on_as_it_is_and_never_unpacked() {
    for codec in Codec::ALL {
        let mut world = World::call(codec, codec);
        let mut ann = Voice::new(codec, 440.0, 1.0, LOUD);
        let mut sent = Vec::new();
        for _ in 0..49 {
            let packet = ann.packet();
            sent.push(packet[12..].to_vec());
            world.says(ANN, packet);
            world.pass(20);
        }
        let heard: Vec<Vec<u8>> = world.heard[&BOB].iter().map(|(_, payload)| payload.clone()).collect();
        assert_eq!(heard, sent, "{codec}");
        world.pass(600);
        assert_eq!((world.traffic.transcoded, world.traffic.relayed), (0, 49));
    }
}

#[test]
fn workers_that_do_not_keep_up_cost_frames_and_are_counted_and_nobody_elses_relay_notices() {
    let (cat, dan) = (MediaLeg(2), MediaLeg(3));
    let mut world = World::with(&[
        (ANN, Codec::Opus, None),
        (BOB, Codec::Pcma, None),
        (cat, Codec::Pcma, Some(101)),
        (dan, Codec::Pcmu, Some(101)),
    ]);
    world.working = false;
    let (mut a, mut c) = (Voice::new(Codec::Opus, 440.0, 3.0, LOUD), Voice::new(Codec::Pcma, 700.0, 3.0, LOUD));
    for _ in 0..100 {
        world.says(ANN, a.packet());
        world.says(cat, c.packet());
        world.pass(20);
    }
    assert_eq!(world.heard.get(&BOB), None);
    assert_eq!(world.heard[&dan].len(), 100);
    world.pass(500);
    assert!(world.traffic.late >= 95, "{:?}", world.traffic);
    world.working = true;
    for _ in 0..40 {
        world.says(ANN, a.packet());
        world.pass(20);
    }
    assert!(world.heard[&BOB].len() >= 35, "it goes on as soon as there is somebody to work");
}

#[test]
fn work_that_comes_back_for_a_leg_that_is_gone_changes_nothing() {
    let mut world = World::call(Codec::Opus, Codec::Pcma);
    let mut ann = Voice::new(Codec::Opus, 440.0, 1.0, LOUD);
    let mut late = None;
    for _ in 0..10 {
        world.says(ANN, ann.packet());
        world.now = world.now + std::time::Duration::from_millis(20);
        world.engine.tick(world.now, &mut |_, _| ());
        late = world.engine.poll_work().or(late);
    }
    world.command(Command::Close { leg: ANN });
    let mut late = late.unwrap();
    late.run();
    world.engine.done(world.now, late, &mut |_, _| panic!("nobody is there to hear it"));
    assert_eq!(world.engine.legs(), 1);
}

#[test]
fn a_wide_phone_hears_a_prompt_in_its_own_clock() {
    for codec in [Codec::G722, Codec::Opus] {
        let mut world = World::with(&[(ANN, codec, None)]);
        let audio = Audio::from_linear(&tone(600.0, 8_000, 1.0, 8_000.0));
        world.command(Command::Play { leg: ANN, id: PlayId(1), audio, options: PlayOptions::default() });
        world.pass(1_100);
        let packets = &world.heard[&ANN];
        assert_eq!(packets.len(), 50, "{codec}");
        assert!(packets[0].0.marker);
        for pair in packets.windows(2) {
            assert_eq!(pair[1].0.timestamp, pair[0].0.timestamp.wrapping_add(codec.clock_rate() / 50));
        }
        let (samples, rate) = world.listen(ANN, codec);
        assert!(share(&samples[samples.len() / 4..samples.len() * 3 / 4], 600.0, rate) > 0.95, "{codec}");
        assert_eq!(world.events, [Event::PlayEnded { leg: ANN, id: PlayId(1), end: PlayEnd::Finished }]);
    }
}

/// The packets of a key: a tone of 100 ms and a pause.
fn key_tones(low: f64, high: f64) -> Vec<i16> {
    let (low, high) = (tone(low, 8_000, 0.1, 5_000.0), tone(high, 8_000, 0.1, 5_000.0));
    low.iter().zip(&high).map(|(low, high)| low + high).chain([0; 800]).collect()
}

fn digits(world: &World) -> String {
    let digit = |event: &Event| if let Event::Digit { digit, .. } = event { Some(*digit) } else { None };
    world.events.iter().filter_map(digit).collect()
}

#[test]
fn a_phone_without_telephone_event_is_heard_pressing_keys() {
    for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
        let mut world = World::with(&[(ANN, codec, None)]);
        let mut ann = Voice::new(codec, 1.0, 0.1, LOUD);
        ann.rate = Rate::Narrow;
        ann.encoder = Library.encoder(codec, Rate::Narrow).unwrap();
        ann.signal = [key_tones(770.0, 1_336.0), key_tones(941.0, 1_477.0)].concat();
        ann.signal.resize(16_000, 0);
        for _ in 0..99 {
            world.says(ANN, ann.packet());
            world.pass(20);
        }
        assert_eq!(digits(&world), "5#", "{codec}");
    }
}

#[test]
fn a_phone_with_telephone_event_is_not_listened_to() {
    let mut world = World::with(&[(ANN, Codec::Pcma, Some(101))]);
    let mut ann = Voice::new(Codec::Pcma, 1.0, 0.1, LOUD);
    ann.signal = key_tones(770.0, 1_336.0);
    for _ in 0..9 {
        world.says(ANN, ann.packet());
        world.pass(20);
    }
    assert_eq!(digits(&world), "");
    assert!(world.engine.poll_work().is_none());
}

#[test]
fn a_key_passes_beside_audio_that_is_packed_anew() {
    let mut world = World::call(Codec::Opus, Codec::Pcma);
    let mut ann = Voice::new(Codec::Opus, 440.0, 2.0, LOUD);
    for n in 0..40_u16 {
        let mut packet = ann.packet();
        // Sixteen updates of one key in the middle: the numbers go on, the timestamp stands.
        if (10..26).contains(&n) {
            let ended = if n >= 23 { 0x80 } else { 0 };
            let [high, low] = ((n - 9) * 160).to_be_bytes();
            packet.truncate(12);
            packet.extend([7, ended | 0x0A, high, low]);
            packet[1] = 101;
            packet[4..8].copy_from_slice(&500_000_u32.to_be_bytes());
        }
        world.says(ANN, packet);
        world.pass(20);
    }
    let events: Vec<_> = world.heard[&BOB].iter().filter(|(header, _)| header.payload_type == 101).collect();
    assert_eq!(events.len(), 16);
    assert!(events.iter().all(|(header, _)| header.timestamp == events[0].0.timestamp));
    let sequences: Vec<u16> = world.heard[&BOB].iter().map(|(header, _)| header.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "{sequences:?}");
    assert_eq!(digits(&world), "7");
}

#[test]
fn comfort_noise_is_noise_to_a_peer_of_another_codec() {
    let mut world = World::call(Codec::Pcma, Codec::Opus);
    let mut ann = Voice::new(Codec::Pcma, 440.0, 0.4, LOUD);
    for n in 0..60 {
        let mut packet = ann.packet();
        if n >= 15 {
            packet.truncate(12);
            packet.push(45);
            packet[1] = 13;
        }
        // After its first word the sender is silent, and repeats it now and then.
        if n <= 15 || n % 20 == 0 {
            world.says(ANN, packet);
        } else {
            ann.sequence = ann.sequence.wrapping_sub(1);
        }
        world.pass(20);
    }
    assert!(world.heard[&BOB].len() >= 50, "{} packets", world.heard[&BOB].len());
    let (samples, _) = world.listen(BOB, Codec::Opus);
    let end = &samples[samples.len() - 4_800..];
    let power = end.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / 4_800.0;
    let level = 10.0 * (power / 32_768_f64.powi(2)).log10();
    assert!((-58.0..=-38.0).contains(&level), "{level:.0} dBov, not about -45");
}

#[test]
fn a_key_by_info_is_told_once_and_pressed_as_events_for_a_peer_that_takes_them() {
    let mut world = World::call(Codec::Pcma, Codec::Pcma);
    let duration = std::time::Duration::from_millis(100);
    world.command(Command::KeyPressed { leg: ANN, key: '5', duration });
    world.pass(400);
    assert_eq!(digits(&world), "5");
    let events: Vec<_> = world.heard[&BOB].iter().filter(|(header, _)| header.payload_type == 101).collect();
    assert_eq!(events.len(), 8, "five updates, three ends");
    assert!(events[0].0.marker && events[1..].iter().all(|(header, _)| !header.marker));
    assert!(events.iter().all(|(header, payload)| header.timestamp == events[0].0.timestamp && payload[0] == 5));
    let ends = events.iter().filter(|(_, payload)| payload[1] & 0x80 != 0).count();
    assert_eq!(ends, 3);
}

#[test]
fn a_key_of_events_is_a_tone_for_a_peer_that_takes_none() {
    // Held for 0.3 s: G.722 needs a moment of it after another encoder has spoken.
    for codec in [Codec::Pcmu, Codec::G722, Codec::Opus] {
        let mut world = World::with(&[(ANN, Codec::Pcma, Some(101)), (BOB, codec, None)]);
        let mut ann = Voice::new(Codec::Pcma, 440.0, 2.0, LOUD);
        for n in 0..40_u16 {
            let mut packet = ann.packet();
            if (10..26).contains(&n) {
                let ended = if n >= 23 { 0x80 } else { 0 };
                let [high, low] = ((n - 9) * 160).to_be_bytes();
                packet.truncate(12);
                packet.extend([11, ended | 0x0A, high, low]);
                packet[1] = 101;
                packet[4..8].copy_from_slice(&500_000_u32.to_be_bytes());
            }
            world.says(ANN, packet);
            world.pass(20);
        }
        assert_eq!(digits(&world), "#");
        let mut receiver = Library.key_receiver().unwrap();
        let mut decoder = Library.decoder(codec, Rate::Narrow).unwrap();
        let mut keys = Vec::new();
        for (_, payload) in &world.heard[&BOB] {
            let mut samples = Vec::new();
            assert!(decoder.decode(payload, &mut samples));
            receiver.hear(&samples, &mut keys);
        }
        assert_eq!(keys, ['#'], "{codec}");
    }
}

#[test]
fn a_peer_that_wants_keys_by_signalling_gets_them_so_and_in_no_other_way() {
    let mut world = World::call(Codec::Pcma, Codec::Pcma);
    world.command(Command::SetKeys { leg: BOB, hear: KeysByEar::Auto, send: KeyForm::Signalled });
    let duration = std::time::Duration::from_millis(100);
    world.command(Command::KeyPressed { leg: ANN, key: '5', duration });
    world.pass(400);
    assert_eq!(world.heard.get(&BOB), None);
    assert!(world.events.contains(&Event::KeyToSignal { leg: BOB, key: '5', duration }));
}

#[test]
fn a_press_that_comes_in_two_forms_is_one_digit() {
    let mut world = World::call(Codec::Pcma, Codec::Pcma);
    let mut ann = Voice::new(Codec::Pcma, 440.0, 2.0, LOUD);
    let duration = std::time::Duration::from_millis(100);
    for round in 0..2_u32 {
        for n in 0..6_u16 {
            let mut packet = ann.packet();
            let ended = if n >= 3 { 0x80 } else { 0 };
            let [high, low] = ((n + 1) * 160).to_be_bytes();
            packet.truncate(12);
            packet.extend([7, ended | 0x0A, high, low]);
            packet[1] = 101;
            packet[4..8].copy_from_slice(&(500_000 + 5_000 * round).to_be_bytes());
            world.says(ANN, packet);
            world.pass(20);
        }
        world.command(Command::KeyPressed { leg: ANN, key: '7', duration });
        world.pass(200);
    }
    assert_eq!(digits(&world), "77", "two presses, each in two forms");
}

/// A generator that is the same each time (Numerical Recipes).
struct Dice(u32);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % bound
    }
}

/// A tone that comes by packets which take up to `jitter_ms` longer by chance, and overtake each other, and of which `loss` in a
/// hundred do not come: how much of it Bob hears beside what is none of it, in decibels, of each fifth of a second.
fn through_the_jitter_buffer(ann: Codec, bob: Codec, jitter_ms: u32, loss: u32) -> Vec<f64> {
    let (mut world, mut dice) = (World::call(ann, bob), Dice(7));
    let mut voice = Voice::new(ann, 440.0, 8.0, LOUD);
    let mut under_way: BTreeMap<(u64, u32), Vec<u8>> = BTreeMap::new();
    for n in 0..390 {
        let (packet, late) = (voice.packet(), dice.below(jitter_ms + 1));
        if dice.below(100) >= loss {
            under_way.insert((u64::from(n * 20 + late), n), packet);
        }
    }
    for millis in 0..7_900 {
        while let Some(entry) = under_way.first_entry().filter(|entry| entry.key().0 <= millis) {
            world.says(ANN, entry.remove());
        }
        world.pass(1);
    }
    let (samples, rate) = world.listen(BOB, bob);
    let window = usize::try_from(rate / 5).unwrap();
    // The first second finds out how much is to be kept back.
    let windows = samples.chunks_exact(window).skip(5).take(30);
    let decibels: Vec<f64> = windows
        .map(|window| {
            let tone = share(window, 440.0, rate).clamp(0.0, 0.999_999);
            10.0 * (tone / (1.0 - tone)).log10()
        })
        .collect();
    assert_eq!(decibels.len(), 30, "{ann} {bob}: too little was heard");
    decibels
}

fn sorted(mut decibels: Vec<f64>) -> Vec<f64> {
    decibels.sort_by(f64::total_cmp);
    decibels
}

#[test]
fn what_comes_late_and_out_of_order_is_heard_as_if_it_had_not() {
    for (ann, bob) in [(Codec::G722, Codec::Pcmu), (Codec::Pcma, Codec::G722), (Codec::Opus, Codec::Pcma)] {
        let [calm, rough] = [0, 35].map(|jitter_ms| sorted(through_the_jitter_buffer(ann, bob, jitter_ms, 0)));
        assert!(calm[0] > 33.0, "{ann} {bob}: {calm:.1?}");
        assert!(rough[0] > calm[0] - 1.0, "{ann} {bob}: {rough:.1?}, and without jitter {calm:.1?}");
    }
}

#[test]
fn what_is_lost_in_a_call_is_concealed() {
    // A piece of a fifth of a second with 20 ms of silence in it would have less than 10 dB. Opus goes on in another phase.
    for (ann, bob, [poor, usual]) in [
        (Codec::G722, Codec::Pcmu, [22.0, 27.0]),
        (Codec::Pcma, Codec::G722, [24.0, 30.0]),
        (Codec::Opus, Codec::Pcma, [4.0, 9.0]),
    ] {
        let lossy = sorted(through_the_jitter_buffer(ann, bob, 20, 5));
        assert!(lossy[5] > poor && lossy[15] > usual, "{ann} {bob}: {lossy:.1?}");
    }
}
