//! Silence of our own towards far ends that take comfort noise, and towards those that do not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use plugboard_media::rtp::Header;
use plugboard_media::{
    Audio, Codec, Command, Engine, EngineConfig, Kind, MediaLeg, Negotiated, PlayId, PlayOptions, StreamStart,
};
use plugboard_model::Time;
use std::net::SocketAddr;

const A: MediaLeg = MediaLeg::new(0, 0, 1);
const B: MediaLeg = MediaLeg::new(0, 1, 1);
/// What the far ends call comfort noise.
const NOISE: u8 = 13;

fn phone(leg: MediaLeg) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + u8::try_from(leg.slot()).unwrap()], 4_000))
}

/// A packet as it was sent: when, in milliseconds, and what.
#[derive(Debug, Clone)]
struct Sent {
    at: u64,
    to: MediaLeg,
    header: Header,
    payload: Vec<u8>,
}

struct World {
    engine: Engine,
    at: u64,
    sent: Vec<Sent>,
}

impl World {
    fn new(takes_noise: bool) -> Self {
        let engine = Engine::new(EngineConfig::default(), None, None);
        let mut world = Self { engine, at: 1_000, sent: Vec::new() };
        for leg in [A, B] {
            world.engine.open(world.now(), leg, StreamStart { ssrc: 900, sequence: 100, timestamp: 5_000 });
            let comfort_noise = takes_noise.then_some(NOISE);
            let negotiated = Negotiated { comfort_noise, ..Negotiated::plain(Codec::Pcma, phone(leg)) };
            world.command(Command::SetRemote { leg, negotiated });
        }
        world
    }

    fn now(&self) -> Time {
        Time::from_millis(self.at)
    }

    fn command(&mut self, command: Command) {
        self.engine.handle(self.now(), command);
    }

    fn run(&mut self, millis: u64) {
        for _ in 0..millis / 5 {
            let (at, now) = (self.at, self.now());
            let sent = &mut self.sent;
            self.engine.tick(now, &mut |forward, packet| {
                let packet = &packet[..forward.length];
                if forward.kind == Kind::Rtp {
                    let header = Header::parse(packet).unwrap();
                    let payload = packet[header.payload.clone()].to_vec();
                    sent.push(Sent { at, to: forward.leg, header, payload });
                }
            });
            self.at += 5;
        }
    }

    /// What A is sent of audio, and of noise.
    fn to_a(&self) -> (Vec<&Sent>, Vec<&Sent>) {
        self.sent.iter().filter(|sent| sent.to == A).partition(|sent| sent.header.payload_type != NOISE)
    }
}

/// Half a second of tone, three of silence, half of tone.
fn words_with_a_pause() -> Audio {
    let tone = |count: u32| (0..count).map(|n| if n % 8 < 4 { 8_000 } else { -8_000 });
    let samples: Vec<i16> = tone(4_000).chain((0..24_000).map(|_| 0)).chain(tone(4_000)).collect();
    Audio::from_linear(&samples)
}

fn plays(world: &mut World) {
    let audio = words_with_a_pause();
    world.command(Command::Play { leg: A, id: PlayId(1), audio, options: PlayOptions::default() });
    world.run(4_200);
}

#[test]
fn a_pause_in_a_prompt_is_comfort_noise_once_a_second_and_the_words_are_in_their_place() {
    let mut world = World::new(true);
    plays(&mut world);
    let (audio, noise) = world.to_a();
    assert_eq!(audio.len(), 50, "a second of words");
    let told: Vec<u64> = noise.iter().map(|sent| sent.at - noise[0].at).collect();
    assert_eq!(told, [0, 1_000, 2_000]);
    assert!(noise.iter().all(|sent| sent.payload == [70] && !sent.header.marker), "{noise:?}");
    // It begins where the words end, and they go on where they would have been.
    let begin = audio[0].header.timestamp;
    assert_eq!(noise[0].header.timestamp - begin, 25 * 160);
    assert_eq!(audio[25].header.timestamp - begin, 175 * 160);
    assert!(audio[25].header.marker && !audio[26].header.marker, "a talkspurt begins");
    let mut all: Vec<u16> = world.sent.iter().filter(|sent| sent.to == A).map(|sent| sent.header.sequence).collect();
    all.dedup();
    assert_eq!(all, (100..153).collect::<Vec<u16>>(), "no number is missing and none is twice");
}

#[test]
fn whoever_takes_none_is_sent_the_silence() {
    let mut world = World::new(false);
    plays(&mut world);
    let (audio, noise) = world.to_a();
    assert_eq!((audio.len(), noise.len()), (200, 0));
}

#[test]
fn a_leg_that_nothing_is_sent_to_any_more_is_told_once_a_second_and_one_that_never_was_is_not() {
    let mut world = World::new(true);
    let tone: Vec<i16> = (0..4_000).map(|n| if n % 8 < 4 { 8_000 } else { -8_000 }).collect();
    let audio = Audio::from_linear(&tone);
    world.command(Command::Play { leg: A, id: PlayId(1), audio, options: PlayOptions::default() });
    world.run(10_500);
    let (audio, noise) = world.to_a();
    assert_eq!(audio.len(), 25);
    assert!((8..=10).contains(&noise.len()), "{} in ten seconds", noise.len());
    assert!(world.sent.iter().all(|sent| sent.to == A), "nobody's early media is made of noise");
}

#[test]
fn a_click_in_a_silence_is_sent() {
    let mut world = World::new(true);
    // One sample in each frame, where nobody looks who looks at some of them.
    let samples: Vec<i16> = (0..8_000).map(|n| if n % 160 == 7 { 12_000 } else { 0 }).collect();
    let audio = Audio::from_linear(&samples);
    world.command(Command::Play { leg: A, id: PlayId(1), audio, options: PlayOptions::default() });
    world.run(1_100);
    let (audio, noise) = world.to_a();
    assert_eq!((audio.len(), noise.len()), (50, 0));
}

#[test]
fn whose_peer_tells_of_his_silence_himself_is_told_nothing_of_ours_until_they_are_parted() {
    let mut world = World::new(true);
    world.command(Command::Bridge { a: A, b: B });
    let says = |world: &mut World, sequence: u16, payload_type: u8, payload: &[u8]| {
        let timestamp = u32::from(sequence) * 160;
        let header = Header { marker: false, payload_type, sequence, timestamp, ssrc: 7, payload: 0..0 };
        let mut packet = header.packet(payload);
        let length = packet.len();
        let now = world.now();
        assert!(world.engine.packet(now, B, Kind::Rtp, phone(B), (&mut packet, length)).is_some());
    };
    says(&mut world, 0, 8, &[0x2A; 160]);
    world.run(20);
    says(&mut world, 1, NOISE, &[60]);
    world.run(10_000);
    assert_eq!(world.to_a().1.len(), 0, "his noise holds until he says otherwise");
    // He speaks, and stops without a word of his own.
    says(&mut world, 501, 8, &[0x2A; 160]);
    world.run(2_500);
    assert!(!world.to_a().1.is_empty());
    says(&mut world, 700, NOISE, &[60]);
    let before = world.to_a().1.len();
    world.run(2_500);
    assert_eq!(world.to_a().1.len(), before);
    // Nobody tells it any more.
    world.command(Command::Unbridge { leg: A });
    world.run(2_500);
    assert!(world.to_a().1.len() > before);
}

#[test]
fn what_the_peer_sends_is_passed_on_as_it_is_and_goes_on_after_noise() {
    let mut world = World::new(true);
    world.command(Command::Bridge { a: A, b: B });
    let mut sequence = 0_u16;
    let mut says = |world: &mut World, payload: &[u8], times: u16| {
        for _ in 0..times {
            let timestamp = u32::from(sequence) * 160;
            let header = Header { marker: false, payload_type: 8, sequence, timestamp, ssrc: 7, payload: 0..0 };
            let mut packet = header.packet(payload);
            let length = packet.len();
            let now = world.now();
            let forward = world.engine.packet(now, B, Kind::Rtp, phone(B), (&mut packet, length)).unwrap();
            let header = Header::parse(&packet[..forward.length]).unwrap();
            let payload = packet[header.payload.clone()].to_vec();
            world.sent.push(Sent { at: world.at, to: A, header, payload });
            sequence += 1;
            world.run(20);
        }
    };
    // Silence that he sends himself is his.
    says(&mut world, &[0xD5; 160], 50);
    assert_eq!(world.to_a().0.len(), 50);
    // He sends nothing for three seconds, and then goes on.
    world.run(3_000);
    says(&mut world, &[0x2A; 160], 50);
    let (audio, noise) = world.to_a();
    assert_eq!(audio.len(), 100);
    assert!((2..=3).contains(&noise.len()), "{noise:?}");
    assert!(audio[50].header.marker);
    let mut numbers: Vec<u16> = world.sent.iter().map(|sent| sent.header.sequence).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), world.sent.len(), "no number is twice");
    let stamps: Vec<u32> = world.sent.iter().map(|sent| sent.header.timestamp).collect();
    assert!(stamps.is_sorted(), "{stamps:?}");
}
