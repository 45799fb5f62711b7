//! RTCP of the engine's own, and what it reads in that of others (RFC 3550 section 6), in virtual time.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use plugboard_media::rtp::Header;
use plugboard_media::{
    Audio, Codec, Command, Engine, EngineConfig, Forward, Kind, MediaLeg, Negotiated, PlayId, PlayOptions, StreamStart,
    g711,
};
use plugboard_model::Time;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const A: MediaLeg = MediaLeg::new(0, 0, 1);
const B: MediaLeg = MediaLeg::new(0, 1, 1);
/// The streams of the two phones, and of ours towards them.
const PHONE: [u32; 2] = [0xAAAA, 0xBBBB];
const OURS: [u32; 2] = [900, 901];

fn at(leg: MediaLeg, kind: Kind) -> SocketAddr {
    let port = if kind == Kind::Rtp { 4_000 } else { 4_001 };
    SocketAddr::from(([192, 0, 2, 1 + u8::try_from(leg.slot()).unwrap()], port))
}

struct World {
    engine: Engine,
    now: Time,
    sent: Vec<(Time, Forward, Vec<u8>)>,
}

impl World {
    fn new(legs: &[MediaLeg]) -> Self {
        let engine = Engine::new(EngineConfig::default(), None, None);
        let mut world = Self { engine, now: Time::from_millis(70_000), sent: Vec::new() };
        for leg in legs {
            let start = StreamStart { ssrc: OURS[leg.slot()], sequence: 100, timestamp: 5_000 };
            world.engine.open(world.now, *leg, start);
            world.agree(*leg, at(*leg, Kind::Rtp));
        }
        world
    }

    fn agree(&mut self, leg: MediaLeg, rtp: SocketAddr) {
        let negotiated = Negotiated::plain(Codec::Pcma, rtp);
        self.engine.handle(self.now, Command::SetRemote { leg, negotiated });
    }

    fn plays(&mut self, leg: MediaLeg) {
        let options = PlayOptions { repeat: true, ..PlayOptions::default() };
        let audio = Audio::from_g711(g711::Law::A, &[0x10; 8_000]);
        self.engine.handle(self.now, Command::Play { leg, id: PlayId(1), audio, options });
    }

    fn run(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(due) = self.engine.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let (now, sent) = (self.now, &mut self.sent);
            self.engine.tick(now, &mut |forward, bytes| sent.push((now, forward, bytes.to_vec())));
        }
        self.now = end;
    }

    /// A leg's phone sends audio: one packet, and 20 ms go by.
    fn talks(&mut self, leg: MediaLeg, sequence: u16, payload: u8) {
        let timestamp = u32::from(sequence) * 160;
        let ssrc = PHONE[leg.slot()];
        let header = Header { marker: false, payload_type: 8, sequence, timestamp, ssrc, payload: 0..0 };
        let mut packet = header.packet(&[payload; 160]);
        self.engine.packet(self.now, leg, Kind::Rtp, at(leg, Kind::Rtp), (&mut packet, 172));
        self.run(20);
    }

    /// A leg's phone sends RTCP: what is passed on.
    fn reports(&mut self, leg: MediaLeg, packet: &[u8]) -> Option<Vec<u8>> {
        let mut packet = packet.to_vec();
        let whole = packet.len();
        let forward = self.engine.packet(self.now, leg, Kind::Rtcp, at(leg, Kind::Rtcp), (&mut packet, whole))?;
        packet.truncate(forward.length);
        Some(packet)
    }

    /// Reports of ours to a leg so far.
    fn own(&self, leg: MediaLeg) -> Vec<(Time, Vec<u32>)> {
        let to_it = self.sent.iter().filter(|(_, forward, _)| forward.leg == leg && forward.kind == Kind::Rtcp);
        to_it.map(|(when, _, bytes)| (*when, words(bytes))).collect()
    }

    fn told(&self, leg: MediaLeg) -> plugboard_media::Told {
        self.engine.stats(leg).unwrap().told
    }
}

fn words(packet: &[u8]) -> Vec<u32> {
    packet.chunks_exact(4).map(|chunk| u32::from_be_bytes(chunk.try_into().unwrap())).collect()
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A receiver report about one stream.
fn receiver_report(sender: u32, about: u32, lost: u32, jitter: u32, last: u32, delay: u32) -> Vec<u8> {
    bytes(&[0x81C9_0007, sender, about, lost, 0, jitter, last, delay])
}

/// A sender report without blocks; `middle` is the middle of its time.
fn sender_report(sender: u32, middle: u32) -> Vec<u8> {
    bytes(&[0x80C8_0006, sender, middle >> 16, middle << 16, 0, 1, 160])
}

#[test]
fn who_hears_a_prompt_is_told_what_was_sent_and_what_of_him_arrived() {
    let mut world = World::new(&[A]);
    world.plays(A);
    // 20 of 250 packets are lost on the way.
    for sequence in (0..250).filter(|n| !(100..120).contains(n)) {
        world.talks(A, sequence, 3);
    }
    let (when, report) = world.own(A).pop().expect("within five seconds");
    assert_eq!(report[0], 0x81C8_000C, "a sender report with one block");
    assert_eq!(report[1], OURS[0]);
    assert_eq!(u64::from(report[2]), when.as_millis() / 1_000, "time since the switch began");
    let (packets, octets) = (report[5], report[6]);
    assert_eq!(octets, packets * 160);
    let since = u32::try_from((when.as_millis() - 70_000) / 20).unwrap();
    assert!(packets.abs_diff(since) <= 2, "{packets} packets in {since} frames");
    assert_eq!(report[4], 5_000 + (packets - 1) * 160 + report[4].wrapping_sub(5_000) % 160, "the timestamp of now");
    assert_eq!(report[7], PHONE[0]);
    assert_eq!(report[8] & 0x00FF_FFFF, 20, "packets lost");
    assert_eq!((report[11], report[12]), (0, 0), "he has sent no report that could be answered");
    assert_eq!(report[13], 0x81CA_0006, "the compound ends with a name");
    assert_eq!((report[14], report[15] >> 16), (OURS[0], 0x0110));
    assert_eq!(report.len(), 20, "nothing comes after it");
}

#[test]
fn reports_come_each_five_seconds_or_so_and_tell_the_losses_since_the_last_one() {
    let mut world = World::new(&[A]);
    world.plays(A);
    for sequence in 0..3_000 {
        if sequence < 1_500 || sequence % 2 == 0 {
            world.talks(A, sequence, 3);
        } else {
            world.run(20);
        }
    }
    let own = world.own(A);
    assert!((8..=16).contains(&own.len()), "{} in a minute", own.len());
    for pair in own.windows(2) {
        let between = pair[1].0.since(pair[0].0);
        assert!((Duration::from_millis(2_500)..=Duration::from_millis(8_000)).contains(&between), "{between:?}");
    }
    let shares: Vec<u32> = own.iter().map(|(_, report)| report[8] >> 24).collect();
    assert_eq!(shares.first(), Some(&0));
    assert!((120..=128).contains(shares.last().unwrap()), "half is lost at the end: {shares:?}");
}

#[test]
fn who_is_sent_nothing_gets_a_receiver_report() {
    let mut world = World::new(&[A]);
    for sequence in 0..400 {
        world.talks(A, sequence, 3);
    }
    let (_, report) = world.own(A).pop().unwrap();
    assert_eq!((report[0], report[1], report[2]), (0x81C9_0007, OURS[0], PHONE[0]));
}

#[test]
fn his_sender_report_is_answered_with_the_time_that_we_had_it() {
    let mut world = World::new(&[A]);
    world.plays(A);
    world.talks(A, 0, 3);
    let before = world.now;
    assert_eq!(world.reports(A, &sender_report(PHONE[0], 0xCAFE_F00D)), None);
    world.run(9_000);
    let (when, report) = world.own(A).into_iter().find(|(_, report)| report[11] != 0).unwrap();
    assert_eq!(report[11], 0xCAFE_F00D);
    let held = f64::from(report[12]) / 65_536.0;
    assert!((held - when.since(before).as_secs_f64()).abs() < 0.001, "{held}");
}

#[test]
fn the_way_there_and_back_is_told_by_his_answer_to_ours() {
    let mut world = World::new(&[A]);
    world.plays(A);
    world.run(8_000);
    let (when, report) = world.own(A).pop().unwrap();
    let middle = (report[2] << 16) | (report[3] >> 16);
    // He had it for a second, and the way is 80 ms.
    world.now = when + Duration::from_millis(1_080);
    world.reports(A, &receiver_report(PHONE[0], OURS[0], 7, 32, middle, 65_536));
    let told = world.told(A);
    assert_eq!((told.reports, told.about_us, told.lost, told.jitter_ticks), (1, 1, 7, 32));
    let (sum, count) = told.round_trips;
    assert!(count == 1 && sum.abs_diff(80_000) < 1_000, "{sum} us");
}

#[test]
fn between_two_phones_their_own_reports_pass_and_tell_the_way_to_each() {
    let mut world = World::new(&[A, B]);
    world.engine.handle(world.now, Command::Bridge { a: A, b: B });
    for sequence in 0..600 {
        world.talks(A, sequence, 3);
        world.talks(B, sequence, 3);
    }
    assert_eq!((world.own(A).len(), world.own(B).len()), (0, 0), "they have each other's");
    let passed = words(&world.reports(A, &sender_report(PHONE[0], 0x1234_5678)).unwrap());
    assert_eq!((passed[1], passed[2] & 0xFFFF, passed[3] >> 16), (OURS[1], 0x1234, 0x5678));
    world.run(530);
    let answer = receiver_report(PHONE[1], OURS[1], 0x0100_0003, 8, 0x1234_5678, 32_768);
    assert!(world.reports(B, &answer).is_some());
    let told = world.told(B);
    assert_eq!((told.lost, told.round_trips.1), (3, 1));
    assert!(told.round_trips.0.abs_diff(30_000) < 1_000, "half a second was his: {told:?}");
    assert_eq!(world.told(A).round_trips.1, 0);
}

#[test]
fn reports_of_other_streams_and_ways_that_cannot_be_are_not_believed() {
    let mut world = World::new(&[A]);
    world.plays(A);
    world.run(8_000);
    let (when, report) = world.own(A).pop().unwrap();
    let middle = (report[2] << 16) | (report[3] >> 16);
    world.now = when + Duration::from_secs(1);
    world.reports(A, &receiver_report(PHONE[0], 0xDEAD, 7, 32, middle, 0));
    assert_eq!((world.told(A).reports, world.told(A).about_us), (1, 0));
    for (last, delay) in [(middle, 70_000), (middle.wrapping_add(1), 0), (0, 0)] {
        world.reports(A, &receiver_report(PHONE[0], OURS[0], 0, 0, last, delay));
    }
    world.now = when + Duration::from_secs(20);
    world.reports(A, &receiver_report(PHONE[0], OURS[0], 0x00FF_FFFE, 0, middle, 0));
    let told = world.told(A);
    assert_eq!((told.about_us, told.round_trips), (4, (0, 0)));
    assert_eq!(told.lost, 0, "duplicates are no losses");
}

#[test]
fn nobody_is_reported_to_at_an_address_of_zeros() {
    let mut world = World::new(&[A]);
    world.agree(A, SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 4_000));
    world.run(20_000);
    assert_eq!(world.own(A).len(), 0);
}

#[test]
fn packets_of_silence_are_counted_and_others_are_not() {
    let mut world = World::new(&[A]);
    for (sequence, payload) in (0..).zip([0xD5, 0x55, 0xD4, 0x10, 0x80]) {
        world.talks(A, sequence, payload);
    }
    assert_eq!(world.engine.stats(A).unwrap().silent, 3);
}

proptest! {
    #[test]
    fn hostile_reports_never_panic(packet in proptest::collection::vec(any::<u8>(), 0..200), kind in 199_u8..205) {
        let mut world = World::new(&[A]);
        world.plays(A);
        let mut packet = packet;
        if let Some(place) = packet.get_mut(1) {
            *place = kind;
        }
        world.reports(A, &packet);
        world.run(8_000);
        prop_assert!(!world.own(A).is_empty());
    }
}
