//! Calls through the engine, in virtual time.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use plugboard_media::rtp::Header;
use plugboard_media::{
    Audio, Codec, Command, Engine, EngineConfig, Event, Flow, Forward, Kind, MediaLeg, Negotiated, PlayEnd, PlayId,
    PlayOptions, StreamStart, Traffic, g711,
};
use plugboard_model::Time;
use proptest::prelude::*;
use std::net::SocketAddr;
use std::time::Duration;

const A: MediaLeg = MediaLeg::new(0, 0, 1);
const B: MediaLeg = MediaLeg::new(0, 1, 1);

fn phone(leg: MediaLeg) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + u8::try_from(leg.slot()).unwrap()], 4_000))
}

fn agreed(leg: MediaLeg, codec: Codec, event: Option<u8>) -> Negotiated {
    let plain = Negotiated::plain(codec, phone(leg));
    event.map_or(plain, |number| plain.with_keys(number))
}

/// The engine with a clock and a log of what it sent.
struct World {
    engine: Engine,
    now: Time,
    sent: Vec<(Forward, Vec<u8>)>,
    /// What the shard counted, event by event.
    traffic: Vec<Traffic>,
}

/// A packet that fills its buffer.
fn whole(packet: &mut [u8]) -> (&mut [u8], usize) {
    let length = packet.len();
    (packet, length)
}

impl World {
    fn new() -> Self {
        Self {
            engine: Engine::new(EngineConfig::default(), None, None),
            now: Time::from_millis(1_000),
            sent: Vec::new(),
            traffic: Vec::new(),
        }
    }

    /// Two bridged phones; the callee's events have another number.
    fn call(a: Codec, b: Codec) -> Self {
        let mut world = Self::new();
        for (leg, codec, event) in [(A, a, 101), (B, b, 96)] {
            let number = u32::try_from(leg.slot()).unwrap();
            world.engine.open(world.now, leg, StreamStart { ssrc: 900 + number, sequence: 100, timestamp: 5_000 });
            world.command(Command::SetRemote { leg, negotiated: agreed(leg, codec, Some(event)) });
        }
        world.command(Command::Bridge { a: A, b: B });
        world
    }

    fn command(&mut self, command: Command) {
        self.engine.handle(self.now, command);
    }

    fn events(&mut self) -> Vec<Event> {
        let all = std::iter::from_fn(|| self.engine.poll_event());
        let mut of_legs = Vec::new();
        for event in all {
            if let Event::Traffic(traffic) = event {
                self.traffic.push(traffic);
            } else {
                of_legs.push(event);
            }
        }
        of_legs
    }

    fn from(&mut self, leg: MediaLeg, source: SocketAddr, packet: &[u8]) -> Option<(Forward, Vec<u8>)> {
        let mut packet = packet.to_vec();
        let forward = self.engine.packet(self.now, leg, Kind::Rtp, source, whole(&mut packet))?;
        packet.truncate(forward.length);
        Some((forward, packet))
    }

    /// An audio packet of the leg's own phone; advances 20 ms.
    fn talk(&mut self, leg: MediaLeg, payload_type: u8, sequence: u16, payload: &[u8]) -> Option<(Forward, Header)> {
        let packet = audio(payload_type, sequence, payload);
        let sent = self.from(leg, phone(leg), &packet);
        self.run(20);
        sent.map(|(forward, bytes)| (forward, Header::parse(&bytes).unwrap()))
    }

    /// Lets time pass as a driver does: tick by tick.
    fn run(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(at) = self.engine.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let sent = &mut self.sent;
            self.engine.tick(self.now, &mut |forward, bytes| {
                // What reports say is looked at in `reports.rs`.
                if forward.kind == Kind::Rtp {
                    sent.push((forward, bytes.to_vec()));
                }
            });
        }
        self.now = end;
    }

    fn headers(&self) -> Vec<Header> {
        self.sent.iter().map(|(_, bytes)| Header::parse(bytes).unwrap()).collect()
    }
}

fn audio(payload_type: u8, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 160;
    Header { marker: false, payload_type, sequence, timestamp, ssrc: 7, payload: 0..0 }.packet(payload)
}

fn prompt(millis: usize) -> Audio {
    Audio::from_g711(g711::Law::Mu, &vec![0x10; millis * 8])
}

fn play(leg: MediaLeg, id: u64, audio: Audio, options: PlayOptions) -> Command {
    Command::Play { leg, id: PlayId(id), audio, options }
}

#[test]
fn a_bridge_passes_audio_both_ways_under_its_own_stream() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    let (forward, header) = world.talk(A, 0, 50, &[1; 160]).unwrap();
    assert_eq!(forward, Forward { leg: B, kind: Kind::Rtp, to: phone(B), length: 172 });
    assert_eq!((header.ssrc, header.sequence, header.timestamp, header.marker), (901, 100, 5_000, true));
    let (_, header) = world.talk(A, 0, 51, &[1; 160]).unwrap();
    assert_eq!((header.sequence, header.timestamp, header.marker), (101, 5_160, false));
    let (forward, header) = world.talk(B, 0, 9, &[2; 160]).unwrap();
    assert_eq!((forward.leg, forward.to, header.ssrc), (A, phone(A), 900));
}

#[test]
fn legs_of_different_laws_understand_each_other() {
    let mut world = World::call(Codec::Pcma, Codec::Pcmu);
    let voice: Vec<u8> = (0..160).collect();
    let (_, bytes) = world.from(A, phone(A), &audio(8, 1, &voice)).unwrap();
    let mut expected = voice.clone();
    g711::transcode(g711::Law::A, &mut expected);
    assert_eq!((bytes[1] & 0x7F, &bytes[12..]), (0, expected.as_slice()));
    // A phone that changes to its other law without a word is understood too.
    let (_, bytes) = world.from(A, phone(A), &audio(0, 2, &voice)).unwrap();
    assert_eq!(&bytes[12..], voice);
}

#[test]
fn keys_are_told_once_and_passed_on_with_the_other_sides_number() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    world.talk(A, 0, 1, &[1; 160]);
    for (n, end) in [(2, 0_u8), (3, 0x80), (4, 0x80), (5, 0x80)] {
        let header = Header { marker: n == 2, payload_type: 101, sequence: n, timestamp: 320, ssrc: 7, payload: 0..0 };
        let (_, bytes) = world.from(A, phone(A), &header.packet(&[5, end | 0x0A, 3, 0x20])).unwrap();
        let sent = Header::parse(&bytes).unwrap();
        assert_eq!((sent.payload_type, sent.timestamp, sent.sequence), (96, 5_160, 99 + n));
    }
    assert_eq!(world.events(), [Event::Digit { leg: A, digit: '5', duration: Duration::from_millis(100) }]);
}

#[test]
fn a_prompt_interrupts_the_peer_and_the_stream_goes_on_without_a_seam() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcma);
    let mut heard = Vec::new();
    for n in 0..5 {
        heard.push(world.talk(A, 0, n, &[1; 160]).unwrap().1);
    }
    world.command(play(B, 7, prompt(60), PlayOptions::default()));
    for n in 5..10 {
        if let Some((_, header)) = world.talk(A, 0, n, &[1; 160]) {
            heard.extend(world.headers());
            world.sent.clear();
            heard.push(header);
        }
    }
    assert_eq!(world.events(), [Event::PlayEnded { leg: B, id: PlayId(7), end: PlayEnd::Finished }]);
    let sequences: Vec<_> = heard.iter().map(|header| header.sequence).collect();
    assert_eq!(sequences, (100..100 + u16::try_from(heard.len()).unwrap()).collect::<Vec<_>>());
    assert!(heard.windows(2).all(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp) == 160), "{heard:?}");
    let marked: Vec<_> = heard.iter().filter(|header| header.marker).map(|header| header.sequence).collect();
    assert_eq!(marked.len(), 3, "the call's begin, the prompt's, the peer's return");
    assert!(heard.iter().all(|header| header.ssrc == 901 && header.payload_type == 8));
}

#[test]
fn a_tone_that_yields_sounds_until_the_peer_is_heard() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    world.command(play(B, 1, prompt(100), PlayOptions { max: None, repeat: true, yields: true, aside: false }));
    world.run(200);
    assert_eq!((world.sent.len(), world.events().len()), (11, 0), "nothing comes of A yet");
    assert!(world.talk(A, 0, 1, &[1; 160]).is_some(), "the first packet passes");
    assert_eq!(world.events(), [Event::PlayEnded { leg: B, id: PlayId(1), end: PlayEnd::Stopped }]);
    world.sent.clear();
    world.run(200);
    assert_eq!(world.sent.len(), 0);
}

#[test]
fn a_loop_ends_on_time_and_a_prompt_is_stopped_by_the_next() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    let looped = PlayOptions { max: Some(Duration::from_secs(5)), repeat: true, ..PlayOptions::default() };
    world.command(play(A, 1, prompt(100), looped));
    world.run(4_999);
    assert_eq!(world.events(), []);
    assert_eq!(world.sent.len(), 250);
    world.run(21);
    assert_eq!(world.events(), [Event::PlayEnded { leg: A, id: PlayId(1), end: PlayEnd::TimeOver }]);
    world.command(play(A, 2, prompt(100), PlayOptions::default()));
    world.command(play(A, 3, prompt(0), PlayOptions::default()));
    let empty = PlayEnd::NotPlayable("the audio is empty".into());
    assert_eq!(
        world.events(),
        [
            Event::PlayEnded { leg: A, id: PlayId(2), end: PlayEnd::Stopped },
            Event::PlayEnded { leg: A, id: PlayId(3), end: empty },
        ]
    );
    world.command(Command::StopPlay { leg: A, id: PlayId(3) });
    assert_eq!(world.events(), []);
}

#[test]
fn playing_waits_for_the_far_ends_address() {
    let mut world = World::new();
    world.engine.open(world.now, A, StreamStart { ssrc: 1, sequence: 1, timestamp: 1 });
    world.command(play(A, 1, prompt(40), PlayOptions::default()));
    world.run(500);
    assert_eq!(world.sent.len(), 0);
    world.command(Command::SetRemote { leg: A, negotiated: agreed(A, Codec::Pcmu, None) });
    world.run(100);
    assert_eq!(world.sent.len(), 2);
    assert!(world.sent.iter().all(|(forward, _)| forward.to == phone(A)));
    assert_eq!(world.events(), [Event::PlayEnded { leg: A, id: PlayId(1), end: PlayEnd::Finished }]);
}

#[test]
fn a_late_driver_delays_a_prompt_and_never_bursts_it() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    world.command(play(A, 1, prompt(5_000), PlayOptions::default()));
    world.run(20);
    let before = world.sent.len();
    world.now = world.now + Duration::from_secs(2);
    let sent = &mut world.sent;
    world.engine.tick(world.now, &mut |forward, bytes| sent.push((forward, bytes.to_vec())));
    assert!(world.sent.len() - before <= 1);
}

#[test]
fn a_held_leg_hears_nothing_and_the_prompt_goes_on_in_time() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    world.command(Command::SetFlow { leg: B, flow: Flow::RecvOnly });
    assert_eq!(world.talk(A, 0, 1, &[1; 160]), None);
    assert!(world.talk(B, 0, 1, &[1; 160]).is_some(), "the other way is open");
    world.command(play(B, 1, prompt(60), PlayOptions::default()));
    world.run(100);
    assert_eq!(world.sent.len(), 0);
    assert_eq!(world.events(), [Event::PlayEnded { leg: B, id: PlayId(1), end: PlayEnd::Finished }]);
    world.command(Command::SetFlow { leg: B, flow: Flow::SendRecv });
    assert!(world.talk(A, 0, 2, &[1; 160]).is_some());
}

#[test]
fn nobody_steals_a_call_by_spraying_its_port() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    let evil: SocketAddr = "203.0.113.66:666".parse().unwrap();
    for n in 0..100 {
        assert!(world.from(A, evil, &audio(0, n, &[9; 160])).is_none());
        assert!(world.talk(A, 0, n, &[1; 160]).is_some() || n == 0);
        let (forward, _) = world.talk(B, 0, n, &[1; 160]).unwrap();
        assert_eq!(forward.to, phone(A));
    }
    assert_eq!(world.engine.stats(A).unwrap().wrong_source, 100);
    assert_eq!(world.events(), []);
}

#[test]
fn a_phone_behind_nat_is_heard_and_answered_where_it_is() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    let nat: SocketAddr = "198.51.100.9:50000".parse().unwrap();
    for n in 0..5 {
        assert_eq!(world.from(A, nat, &audio(0, n, &[1; 160])).is_some(), n == 4);
    }
    assert_eq!(world.events(), [Event::SourceLearned { leg: A, source: nat }]);
    assert_eq!(world.talk(B, 0, 1, &[1; 160]).unwrap().0.to, nat);
}

#[test]
fn echo_returns_audio_until_a_bridge_takes_over() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    world.command(Command::Unbridge { leg: B });
    assert_eq!(world.talk(A, 0, 1, &[1; 160]), None);
    world.command(Command::Echo { leg: A, on: true });
    let (forward, header) = world.talk(A, 0, 2, &[1; 160]).unwrap();
    assert_eq!((forward.leg, forward.to, header.ssrc), (A, phone(A), 900));
    world.command(Command::Bridge { a: A, b: B });
    assert_eq!(world.talk(A, 0, 3, &[1; 160]).unwrap().0.leg, B);
    world.command(Command::Unbridge { leg: A });
    assert_eq!(world.talk(A, 0, 4, &[1; 160]).unwrap().0.leg, A);
}

#[test]
fn silence_is_told_once_and_so_is_its_end() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    let minute = |world: &mut World| {
        for n in 0..3_050 {
            world.talk(B, 0, n, &[1; 160]);
        }
    };
    minute(&mut world);
    assert_eq!(world.events(), [Event::MediaSilent { leg: A, heard: false }]);
    world.talk(A, 0, 1, &[1; 160]);
    assert_eq!(world.events(), [Event::MediaBack { leg: A }]);
    minute(&mut world);
    assert_eq!(world.events(), [Event::MediaSilent { leg: A, heard: true }]);
    minute(&mut world);
    assert_eq!(world.events(), []);
    world.command(Command::Listen { leg: A });
    minute(&mut world);
    assert_eq!(world.events(), [Event::MediaSilent { leg: A, heard: true }], "it had its time again");
}

#[test]
fn whoever_reports_what_it_hears_is_not_silent_and_nor_is_who_need_not_speak() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    world.talk(A, 0, 1, &[1; 160]);
    for n in 0..3_050 {
        world.talk(B, 0, n, &[1; 160]);
        if n % 250 == 0 {
            let source = SocketAddr::new(phone(A).ip(), phone(A).port() + 1);
            world.engine.packet(world.now, A, Kind::Rtcp, source, (&mut [0x80, 201, 0, 1, 0, 0, 0, 1], 8));
        }
    }
    assert_eq!(world.events(), []);
    for flow in [Flow::SendOnly, Flow::RecvOnly, Flow::Inactive] {
        world.command(Command::SetFlow { leg: A, flow });
        for n in 0..3_050 {
            world.talk(B, 0, n, &[1; 160]);
        }
        assert_eq!(world.events(), [], "{flow:?}");
    }
}

#[test]
fn closing_ends_all_a_leg_took_part_in_and_tells_what_it_counted() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    for n in [1, 2, 4] {
        world.talk(A, 0, n, &[1; 160]);
    }
    world.command(play(A, 1, prompt(1_000), PlayOptions::default()));
    world.command(Command::Close { leg: A });
    world.command(Command::Close { leg: A });
    let events = world.events();
    assert_eq!(events[0], Event::PlayEnded { leg: A, id: PlayId(1), end: PlayEnd::Stopped });
    let Event::Closed { leg: A, stats } = events[1] else { panic!("{events:?}") };
    assert_eq!((stats.packets_received, stats.bytes_received, stats.lost), (3, 516, 1));
    assert_eq!(events.len(), 2);
    assert_eq!(world.talk(B, 0, 1, &[1; 160]), None);
    assert_eq!(world.engine.legs(), 1);
    let late = MediaLeg::new(0, 0, 2);
    world.engine.open(world.now, late, StreamStart { ssrc: 1, sequence: 1, timestamp: 1 });
    world.command(Command::Close { leg: A });
    assert_eq!(world.engine.legs(), 2, "a late command for the old leg does not touch the new one");
}

#[test]
fn a_shard_counts_what_it_passes_on_and_why_it_drops() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    for n in 1..=3 {
        world.talk(A, 0, n, &[1; 160]);
    }
    world.talk(A, 33, 4, &[1; 160]);
    assert_eq!(world.from(B, SocketAddr::from(([203, 0, 113, 9], 4_000)), &audio(0, 1, &[1; 160])), None);
    world.command(Command::SetFlow { leg: B, flow: Flow::Inactive });
    world.talk(A, 0, 5, &[1; 160]);
    world.engine.count_unsent(Kind::Rtp);
    world.engine.count_unsent(Kind::Rtcp);
    assert_eq!(world.events(), []);
    assert_eq!(world.traffic, [], "not each packet is told");
    world.run(500);
    world.events();
    let counted = Traffic {
        relayed: 3,
        bytes: 516,
        not_understood: 1,
        not_authentic: 0,
        wrong_source: 1,
        no_peer: 1,
        not_sent: 1,
        transcoded: 0,
        late: 0,
    };
    assert_eq!(world.traffic, [counted]);
    world.run(2_000);
    world.events();
    assert_eq!(world.traffic.len(), 1, "nothing new, nothing told");
    world.command(Command::SetFlow { leg: B, flow: Flow::SendRecv });
    world.talk(A, 0, 6, &[1; 160]);
    world.command(Command::Close { leg: A });
    world.events();
    let last = Traffic { relayed: 1, bytes: 172, ..Traffic::default() };
    assert_eq!(world.traffic[1..], [last], "the last packets are told with the close");
}

#[test]
fn reports_cross_the_bridge_with_translated_names() {
    let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
    world.talk(A, 0, 50, &[1; 160]);
    let mut report = vec![0x80, 200, 0, 6];
    for value in [7_u32, 1, 2, 50 * 160, 1, 160] {
        report.extend(value.to_be_bytes());
    }
    let rtcp = SocketAddr::new(phone(A).ip(), 4_001);
    let forward = world.engine.packet(world.now, A, Kind::Rtcp, rtcp, whole(&mut report)).unwrap();
    let to = SocketAddr::new(phone(B).ip(), 4_001);
    assert_eq!(forward, Forward { leg: B, kind: Kind::Rtcp, to, length: 28 });
    assert_eq!(report[4..8], 901_u32.to_be_bytes());
    assert_eq!(report[16..20], 5_000_u32.to_be_bytes());
    let stranger = "203.0.113.66:4001".parse().unwrap();
    assert_eq!(world.engine.packet(world.now, A, Kind::Rtcp, stranger, whole(&mut report)), None);
}

proptest! {
    #[test]
    fn hostile_packets_never_panic(
        packets in proptest::collection::vec((any::<bool>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60)), 1..60),
    ) {
        let mut world = World::call(Codec::Pcma, Codec::Pcmu);
        for (rtp, first, bytes) in packets {
            let (leg, kind) = (if first { A } else { B }, if rtp { Kind::Rtp } else { Kind::Rtcp });
            let mut packet = vec![0x80];
            packet.extend(bytes);
            let length = packet.len();
            if let Some(forward) = world.engine.packet(world.now, leg, kind, phone(leg), whole(&mut packet)) {
                prop_assert!(forward.length <= length);
            }
            world.run(7);
        }
    }

    #[test]
    fn every_play_ends_exactly_once(steps in proptest::collection::vec((0_u8..8, 0_u64..200), 1..80)) {
        let mut world = World::call(Codec::Pcmu, Codec::Pcmu);
        let (mut begun, mut ended) = (0_u64, Vec::new());
        for (step, millis) in steps {
            let leg = if millis % 2 == 0 { A } else { B };
            match step {
                0 | 1 => {
                    begun += 1;
                    let options = PlayOptions { max: None, repeat: millis % 3 == 0, ..PlayOptions::default() };
                    world.command(play(leg, begun, prompt(usize::try_from(millis).unwrap()), options));
                }
                2 => world.command(Command::StopPlay { leg, id: PlayId(begun) }),
                3 => world.command(Command::Unbridge { leg }),
                4 => world.command(Command::Bridge { a: A, b: B }),
                5 => world.command(Command::Echo { leg, on: millis % 4 == 0 }),
                _ => world.run(millis),
            }
        }
        world.command(Command::Close { leg: A });
        world.command(Command::Close { leg: B });
        for event in world.events() {
            if let Event::PlayEnded { id, .. } = event {
                ended.push(id.0);
            }
        }
        ended.sort_unstable();
        prop_assert_eq!(ended, (1..=begun).collect::<Vec<_>>());
        prop_assert_eq!(world.engine.poll_timeout(), None);
    }
}
