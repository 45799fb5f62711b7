//! Several legs in one room, in virtual time: on one media thread and on two, with codecs that differ.

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
    Codec, Codecs, Command, Engine, EngineConfig, Event, Kind, MediaLeg, Negotiated, Rate, Role, Room, StreamStart,
};
use plugboard_model::Time;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use support::share;
use voice::Voice;

const TONES: [f64; 4] = [440.0, 1_000.0, 1_500.0, 2_300.0];

fn phone(leg: MediaLeg) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, leg.shard()], 4_000 + 2 * u16::try_from(leg.slot()).unwrap()))
}

/// Somebody who says a tone and keeps what he hears.
struct Talker {
    leg: MediaLeg,
    codec: Codec,
    voice: Voice,
    heard: Vec<(Header, Vec<u8>)>,
    muted: bool,
}

impl Talker {
    /// How much of what he hears, from a second in, is each of the tones.
    fn hears(&self) -> [f64; 4] {
        let rate = Rate::of(self.codec);
        let mut decoder = Library.decoder(self.codec, rate).unwrap();
        let mut samples = Vec::new();
        for (header, payload) in &self.heard {
            assert_eq!(header.payload_type, self.codec.payload_type());
            assert!(decoder.decode(payload, &mut samples));
        }
        let second = rate.hertz() as usize;
        let settled = samples.get(second..).unwrap_or_default();
        assert!(settled.len() > second / 2, "{:?} hears {} samples", self.leg, samples.len());
        TONES.map(|hertz| share(settled, hertz, rate.hertz()))
    }
}

struct World {
    engines: Vec<Engine>,
    talkers: Vec<Talker>,
    now: Time,
    events: Vec<Event>,
}

impl World {
    /// Talkers with the tones in their order, each on the thread that is named.
    fn new(codecs: &[(u8, Codec)]) -> Self {
        let engine = || Engine::new(EngineConfig::default(), Some(Arc::new(Library)), None);
        let mut world = Self {
            engines: vec![engine(), engine()],
            talkers: Vec::new(),
            now: Time::from_millis(1_000),
            events: Vec::new(),
        };
        for ((shard, codec), (hertz, slot)) in codecs.iter().zip(TONES.into_iter().zip(0..)) {
            let leg = MediaLeg::new(*shard, slot, 1);
            let start = StreamStart { ssrc: 900 + slot, sequence: 100, timestamp: 5_000 };
            let negotiated = Negotiated::plain(*codec, phone(leg)).with_keys(101);
            let voice = Voice::new(*codec, hertz, 10.0, 4_000.0);
            let talker = Talker { leg, codec: *codec, voice, heard: Vec::new(), muted: false };
            world.engines[usize::from(*shard)].open(world.now, leg, start);
            world.talkers.push(talker);
            world.command(Command::SetRemote { leg, negotiated });
        }
        world
    }

    fn leg(&self, talker: usize) -> MediaLeg {
        self.talkers[talker].leg
    }

    fn command(&mut self, command: Command) {
        self.engines[usize::from(command.leg().shard())].handle(self.now, command);
    }

    fn sit(&mut self, talker: usize, room: &Room, role: Role) {
        let leg = self.leg(talker);
        self.command(Command::Sit { leg, room: room.clone(), role, partner: None });
    }

    /// Everybody talks, a packet each 20 ms, each at another moment of these.
    fn talk(&mut self, millis: u64) {
        for step in 0..millis {
            self.now = self.now + Duration::from_millis(1);
            for (index, talker) in (0_u64..).zip(&mut self.talkers) {
                if step % 20 != 7 * index % 20 || talker.muted {
                    continue;
                }
                let mut packet = talker.voice.packet();
                let (leg, from) = (talker.leg, phone(talker.leg));
                let engine = &mut self.engines[usize::from(leg.shard())];
                let whole = packet.len();
                assert_eq!(
                    engine.packet(self.now, leg, Kind::Rtp, from, (&mut packet, whole)),
                    None,
                    "nothing is relayed"
                );
            }
            for engine in &mut self.engines {
                let talkers = &mut self.talkers;
                let mut send = |forward: plugboard_media::Forward, packet: &[u8]| {
                    if forward.kind == Kind::Rtp {
                        let header = Header::parse(packet).unwrap();
                        let payload = packet[header.payload.clone()].to_vec();
                        let hears = talkers.iter_mut().find(|talker| talker.leg == forward.leg).unwrap();
                        hears.heard.push((header, payload));
                    }
                };
                engine.tick(self.now, &mut send);
                while let Some(mut work) = engine.poll_work() {
                    work.run();
                    engine.done(self.now, work, &mut send);
                }
                self.events.extend(std::iter::from_fn(|| engine.poll_event()));
            }
        }
    }

    /// Who hears whom: a row for each, with the tones that make at least a tenth of what he hears.
    fn heard(&self) -> Vec<Vec<usize>> {
        let audible = |talker: &Talker| {
            let shares = talker.hears();
            (0..TONES.len()).filter(|tone| shares[*tone] > 0.1).collect()
        };
        self.talkers.iter().map(audible).collect()
    }

    fn forget(&mut self) {
        self.talkers.iter_mut().for_each(|talker| talker.heard.clear());
    }
}

#[test]
fn three_of_two_codecs_hear_each_other_and_not_themselves() {
    for rate in [Rate::Narrow, Rate::Wide] {
        let room = Room::new(rate);
        let mut world = World::new(&[(0, Codec::Pcma), (0, Codec::Opus), (0, Codec::Pcmu)]);
        (0..3).for_each(|talker| world.sit(talker, &room, Role::Talks));
        world.talk(3_000);
        assert_eq!(world.heard(), [vec![1, 2], vec![0, 2], vec![0, 1]]);
        for talker in &world.talkers {
            let shares = talker.hears();
            assert!(shares.iter().sum::<f64>() > 0.9, "little else is heard: {shares:?}");
            assert!((140..=152).contains(&talker.heard.len()), "{} packets", talker.heard.len());
            for pair in talker.heard.windows(2) {
                assert_eq!(pair[1].0.sequence, pair[0].0.sequence.wrapping_add(1));
                let step = pair[1].0.timestamp.wrapping_sub(pair[0].0.timestamp);
                assert_eq!(step, talker.codec.clock_rate() / 50);
            }
        }
    }
}

#[test]
fn legs_of_two_media_threads_share_a_room() {
    let room = Room::new(Rate::Wide);
    let mut world = World::new(&[(0, Codec::Pcma), (1, Codec::Pcma), (0, Codec::Opus), (1, Codec::Opus)]);
    (0..4).for_each(|talker| world.sit(talker, &room, Role::Talks));
    world.talk(3_000);
    assert_eq!(world.heard(), [vec![1, 2, 3], vec![0, 2, 3], vec![0, 1, 3], vec![0, 1, 2]]);
}

#[test]
fn a_supervisor_listens_whispers_and_joins() {
    let room = Room::new(Rate::Narrow);
    let mut world = World::new(&[(0, Codec::Pcma), (0, Codec::Pcmu), (0, Codec::Pcma)]);
    let (customer, agent, supervisor) = (0, 1, 2);
    world.sit(customer, &room, Role::Talks);
    world.sit(agent, &room, Role::Talks);
    for (role, heard) in [
        (Role::Listens, [vec![1], vec![0], vec![0, 1]]),
        (Role::Whispers(world.leg(agent)), [vec![1], vec![0, 2], vec![0, 1]]),
        (Role::Talks, [vec![1, 2], vec![0, 2], vec![0, 1]]),
    ] {
        world.sit(supervisor, &room, role);
        world.talk(200);
        world.forget();
        world.talk(2_000);
        assert_eq!(world.heard(), heard, "{role:?}");
    }
}

#[test]
fn who_leaves_is_not_heard_and_hears_nothing_more() {
    let room = Room::new(Rate::Narrow);
    let mut world = World::new(&[(0, Codec::Pcma), (0, Codec::Pcmu), (0, Codec::Pcma)]);
    (0..3).for_each(|talker| world.sit(talker, &room, Role::Talks));
    world.talk(500);
    assert_eq!(room.taken(), 3);
    let leg = world.leg(2);
    world.command(Command::Stand { leg });
    world.talk(100);
    world.forget();
    world.talkers[2].muted = true;
    world.talk(2_000);
    assert_eq!(room.taken(), 2);
    assert_eq!(world.talkers[2].heard.len(), 0);
    world.talkers.pop();
    assert_eq!(world.heard(), [vec![1], vec![0]]);
}

#[test]
fn a_leg_that_is_closed_or_bridged_leaves_its_seat() {
    let room = Room::new(Rate::Narrow);
    let mut world = World::new(&[(0, Codec::Pcma), (0, Codec::Pcmu), (0, Codec::Pcma)]);
    (0..3).for_each(|talker| world.sit(talker, &room, Role::Talks));
    world.talk(200);
    let [a, b, c] = [0, 1, 2].map(|talker| world.leg(talker));
    world.command(Command::Close { leg: c });
    assert_eq!(room.taken(), 2);
    world.command(Command::Bridge { a, b });
    assert_eq!(room.taken(), 0);
}

#[test]
fn who_says_nothing_hears_the_others_from_the_begin() {
    let room = Room::new(Rate::Narrow);
    let mut world = World::new(&[(0, Codec::Pcma), (0, Codec::Opus)]);
    world.talkers[1].muted = true;
    (0..2).for_each(|talker| world.sit(talker, &room, Role::Talks));
    world.talk(3_000);
    assert!(world.talkers[1].hears()[0] > 0.9);
    assert!((140..=152).contains(&world.talkers[0].heard.len()), "silence is sent to who is alone, too");
}

#[test]
fn a_room_in_which_nobody_speaks_is_comfort_noise_for_whoever_offered_it() {
    const NOISE: u8 = 13;
    let room = Room::new(Rate::Narrow);
    let mut world = World::new(&[(0, Codec::Pcma), (0, Codec::Pcma), (0, Codec::Pcma)]);
    let leg = world.leg(0);
    let negotiated = Negotiated { comfort_noise: Some(NOISE), ..Negotiated::plain(Codec::Pcma, phone(leg)) };
    world.command(Command::SetRemote { leg, negotiated });
    (0..3).for_each(|talker| world.sit(talker, &room, Role::Talks));
    world.talk(1_000);
    (0..3).for_each(|talker| world.talkers[talker].muted = true);
    // What they said last is under way yet, and concealed for a moment where it ends.
    world.talk(1_000);
    world.forget();
    world.talk(3_000);
    let (takes, does_not) = (&world.talkers[0].heard, &world.talkers[1].heard);
    assert!(takes.iter().all(|(header, payload)| header.payload_type == NOISE && payload == &[70]), "{takes:?}");
    assert!((2..=4).contains(&takes.len()), "{} in three seconds", takes.len());
    assert!((140..=152).contains(&does_not.len()), "silence itself: {} packets", does_not.len());
    // Somebody speaks again, and is heard at once.
    world.forget();
    world.talkers[1].muted = false;
    world.talk(2_000);
    let words = world.talkers[0].heard.iter().filter(|(header, _)| header.payload_type != NOISE);
    assert!(words.clone().count() > 90, "{} packets", words.clone().count());
    assert!(words.clone().next().is_some_and(|(header, _)| header.marker), "a talkspurt begins");
}
