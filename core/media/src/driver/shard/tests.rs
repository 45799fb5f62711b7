//! A shard that the test drives itself, over real sockets.

use super::*;
use crate::audio::Audio;
use crate::browser::Certificate;
use crate::codec::Codec;
use crate::coding::{Codecs, Decode, Encode, HearKeys, Rate};
use crate::command::{Event, PlayId, PlayOptions};
use crate::driver::{Allotted, Clock, DEFAULT_GATHER, Interface, Slots};
use crate::engine::{EngineConfig, Path};
use crate::offer_answer::Negotiated;
use crate::plane::{AddressFamily, LocalMedia};
use crate::ports::{Need, PortRange};
use crate::rtp::Header;
use std::hash::RandomState;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A shard that the test drives itself, and what it told.
fn shard(ports: std::ops::RangeInclusive<u16>) -> (Shard, Arc<Shared>, Arc<Mutex<Vec<Event>>>) {
    shard_with(ports, None)
}

fn shard_with(
    ports: std::ops::RangeInclusive<u16>,
    codecs: Option<Arc<dyn Codecs>>,
) -> (Shard, Arc<Shared>, Arc<Mutex<Vec<Event>>>) {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let shared = Arc::new(Shared {
        clock: Clock::start(),
        queues: vec![Queue::new().unwrap()],
        workers: super::super::workers::Workers::new(1),
        allotted: Mutex::new(Allotted { ports: PortRange::new(ports), slots: vec![Slots::default()] }),
        ipv4: Some(Interface { bind: loopback, advertise: loopback }),
        ipv6: None,
        random: RandomState::new(),
        browser_ports: vec![[None, None]],
        browser_addresses: Vec::new(),
        browser_only: false,
        certificate: Arc::new(Certificate::make().unwrap()),
        fingerprint: None,
    });
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let sink: EventSink = Arc::new(move |event| teller.lock().unwrap().push(event));
    let engine = Engine::new(EngineConfig::default(), codecs, None);
    let driven = Shard::new(0, Arc::clone(&shared), [None, None], engine, Pace::new(DEFAULT_GATHER), sink).unwrap();
    (driven, shared, told)
}

fn phone() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    socket
}

fn leg(shared: &Shared, phone: &UdpSocket) -> LocalMedia {
    let local = shared.open(0, AddressFamily::V4, Need::Usual).unwrap();
    let remote_rtp: SocketAddr = phone.local_addr().unwrap();
    let negotiated = Negotiated::plain(Codec::Pcmu, remote_rtp);
    shared.queues[0].push(Job::Command(Command::SetRemote { leg: local.leg, negotiated })).unwrap();
    shared.queues[0].push(Job::Command(Command::Echo { leg: local.leg, on: true })).unwrap();
    local
}

fn say(phone: &UdpSocket, local: LocalMedia) {
    let header = Header { marker: false, payload_type: 0, sequence: 1, timestamp: 1, ssrc: 1, payload: 0..0 };
    phone.send_to(&header.packet(&[1; 160]), local.rtp).unwrap();
}

/// Waits for packets and handles them, until `count` were taken.
fn serve(shard: &mut Shard, count: usize) {
    let (mut ready, mut packet, mut taken) = (Ready::new(8), [0; PACKET_MAX], 0);
    while taken < count {
        shard.epoll.wait(&mut ready, None);
        for token in ready.tokens().filter(|token| *token != WAKE) {
            shard.receive(token, &mut packet);
            taken += 1;
        }
    }
    shard.tell();
}

#[test]
fn a_panic_ends_one_leg_and_no_other() {
    let (mut driven, shared, told) = shard(40_000..=40_099);
    let (ann, bob) = (phone(), phone());
    let (a, b) = (leg(&shared, &ann), leg(&shared, &bob));
    assert!(!driven.take_jobs(&mut VecDeque::new()));
    driven.engine.breaks_on = Some((a.leg, Path::Packet));
    say(&ann, a);
    serve(&mut driven, 1);
    assert_eq!(*told.lock().unwrap(), [Event::Failed { leg: a.leg }]);
    say(&bob, b);
    say(&ann, a);
    driven.engine.breaks_on = None;
    serve(&mut driven, 2);
    assert_eq!(bob.recv(&mut [0; 256]).unwrap(), 172, "the other leg goes on");
    assert_eq!(told.lock().unwrap().len(), 1);
    driven.command(Command::Close { leg: a.leg });
    driven.tell();
    assert!(matches!(told.lock().unwrap()[1], Event::Closed { leg, .. } if leg == a.leg));
    assert_eq!(shared.allotted().ports.in_use(), 1);
}

/// The other leg gives back what is said to it, and the one that broke is told once.
fn only_the_first_ended(
    driven: &mut Shard,
    told: &Mutex<Vec<Event>>,
    broken: MediaLeg,
    (bob, b): (&UdpSocket, LocalMedia),
) {
    assert_eq!(failed(told), [broken]);
    say(bob, b);
    serve(driven, 1);
    assert_eq!(bob.recv(&mut [0; 256]).unwrap(), 172, "the other leg goes on");
    assert_eq!(failed(told), [broken]);
}

/// The legs that were told to have failed, in order.
fn failed(told: &Mutex<Vec<Event>>) -> Vec<MediaLeg> {
    let leg = |event: &Event| if let Event::Failed { leg } = event { Some(*leg) } else { None };
    told.lock().unwrap().iter().filter_map(leg).collect()
}

#[test]
fn a_panic_amid_a_command_ends_its_leg_and_no_other() {
    let (mut driven, shared, told) = shard(41_100..=41_199);
    let (ann, bob) = (phone(), phone());
    let (a, b) = (leg(&shared, &ann), leg(&shared, &bob));
    assert!(!driven.take_jobs(&mut VecDeque::new()));
    driven.engine.breaks_on = Some((a.leg, Path::Command));
    shared.queues[0].push(Job::Command(Command::Listen { leg: a.leg })).unwrap();
    shared.queues[0].push(Job::Command(Command::Listen { leg: b.leg })).unwrap();
    assert!(!driven.take_jobs(&mut VecDeque::new()));
    driven.tell();
    only_the_first_ended(&mut driven, &told, a.leg, (&bob, b));
}

#[test]
fn a_panic_amid_a_turn_ends_its_leg_and_no_other() {
    let (mut driven, shared, told) = shard(41_200..=41_299);
    let (ann, bob) = (phone(), phone());
    let (a, b) = (leg(&shared, &ann), leg(&shared, &bob));
    for (leg, id) in [(a.leg, 1), (b.leg, 2)] {
        let (audio, options) = (Audio::from_linear(&[1_000; 8_000]), PlayOptions::default());
        shared.queues[0].push(Job::Command(Command::Play { leg, id: PlayId(id), audio, options })).unwrap();
    }
    assert!(!driven.take_jobs(&mut VecDeque::new()));
    driven.engine.breaks_on = Some((a.leg, Path::Tick));
    while failed(&told).is_empty() {
        driven.tick();
        driven.tell();
    }
    assert_eq!(failed(&told), [a.leg]);
    // What is played to the other one comes.
    bob.set_nonblocking(true).unwrap();
    while bob.recv(&mut [0; 256]).is_err() {
        driven.tick();
    }
}

/// What a phone says: a packet each 20 ms, so that a jitter buffer has something to give.
#[derive(Default)]
struct Speech {
    packets: u16,
    next: Time,
}

impl Speech {
    /// What is due of it comes, and the shard does what is due.
    fn goes_on(&mut self, shard: &mut Shard, (phone, local): (&UdpSocket, LocalMedia)) {
        let now = shard.shared.clock.now();
        if now >= self.next {
            self.next = now + Duration::from_millis(20);
            self.packets = self.packets.wrapping_add(1);
            let timestamp = u32::from(self.packets) * 160;
            let header =
                Header { marker: false, payload_type: 0, sequence: self.packets, timestamp, ssrc: 1, payload: 0..0 };
            phone.send_to(&header.packet(&[1; 160]), local.rtp).unwrap();
            serve(shard, 1);
        }
        shard.tick();
    }
}

/// Codecs whose unpackers break.
#[derive(Debug)]
struct Breaking;

struct Breaks;

impl Decode for Breaks {
    fn decode(&mut self, _: &[u8], _: &mut Vec<i16>) -> bool {
        std::panic::panic_any("a test's fault")
    }

    fn conceal(&mut self, _: usize, _: Option<&[u8]>, _: &mut Vec<i16>) {}
}

impl Encode for Breaks {
    fn encode(&mut self, _: &[i16], _: &mut Vec<u8>) -> bool {
        false
    }
}

impl HearKeys for Breaks {
    fn hear(&mut self, _: &[i16], _: &mut Vec<char>) {}
}

impl Codecs for Breaking {
    fn encoder(&self, _: Codec, _: Rate) -> Option<Box<dyn Encode>> {
        Some(Box::new(Breaks))
    }

    fn decoder(&self, _: Codec, _: Rate) -> Option<Box<dyn Decode>> {
        Some(Box::new(Breaks))
    }

    fn key_receiver(&self) -> Option<Box<dyn HearKeys>> {
        Some(Box::new(Breaks))
    }
}

#[test]
fn a_panic_on_a_worker_ends_its_leg_and_no_other() {
    let (mut driven, shared, told) = shard_with(41_300..=41_399, Some(Arc::new(Breaking)));
    let (ann, bob) = (phone(), phone());
    let (a, b) = (leg(&shared, &ann), leg(&shared, &bob));
    // What comes from it is unpacked, for somebody who speaks another codec.
    let other = shared.open(0, AddressFamily::V4, Need::Usual).unwrap();
    let negotiated = Negotiated::plain(Codec::G722, "127.0.0.1:9".parse().unwrap());
    for command in [Command::SetRemote { leg: other.leg, negotiated }, Command::Bridge { a: a.leg, b: other.leg }] {
        shared.queues[0].push(Job::Command(command)).unwrap();
    }
    assert!(!driven.take_jobs(&mut VecDeque::new()));
    let working = Arc::clone(&shared);
    let worker = std::thread::spawn(move || working.workers.run(&working));
    let mut speech = Speech::default();
    while failed(&told).is_empty() {
        speech.goes_on(&mut driven, (&ann, a));
        driven.hand_out();
        assert!(!driven.take_jobs(&mut VecDeque::new()));
        driven.tell();
    }
    shared.workers.stop();
    worker.join().unwrap();
    only_the_first_ended(&mut driven, &told, a.leg, (&bob, b));
}

#[test]
fn what_workers_cannot_take_is_given_back_and_nothing_waits_once_they_stop() {
    let (mut driven, shared, _told) = shard_with(41_400..=41_499, Some(Arc::new(Breaking)));
    let (ann, other) = (phone(), shared.open(0, AddressFamily::V4, Need::Usual).unwrap());
    let a = leg(&shared, &ann);
    let negotiated = Negotiated::plain(Codec::G722, "127.0.0.1:9".parse().unwrap());
    shared.queues[0].push(Job::Command(Command::SetRemote { leg: other.leg, negotiated })).unwrap();
    shared.queues[0].push(Job::Command(Command::Bridge { a: a.leg, b: other.leg })).unwrap();
    assert!(!driven.take_jobs(&mut VecDeque::new()));
    shared.workers.stop();
    let mut speech = Speech::default();
    let given_back = loop {
        speech.goes_on(&mut driven, (&ann, a));
        if let Some(work) = driven.engine.poll_work() {
            break shared.workers.push(work);
        }
    };
    assert!(given_back.is_err(), "nobody would ever do it");
}

#[test]
fn a_full_queue_refuses_all_but_closes() {
    let queue = Queue::new().unwrap();
    let leg = MediaLeg(1);
    for _ in 0..QUEUE_MAX {
        queue.push(Job::Command(Command::Unbridge { leg })).unwrap();
    }
    assert_eq!(queue.push(Job::Command(Command::Unbridge { leg })), Err(Refused::Full));
    assert_eq!(queue.push(Job::Command(Command::Close { leg })), Ok(()));
    queue.stop();
    assert_eq!(queue.push(Job::Command(Command::Close { leg })), Err(Refused::Stopped));
}

#[test]
fn a_slot_used_again_is_another_leg() {
    let (mut driven, shared, _) = shard(40_100..=40_199);
    let first = shared.open(0, AddressFamily::V4, Need::Usual).unwrap().leg;
    driven.take_jobs(&mut VecDeque::new());
    driven.command(Command::Close { leg: first });
    let second = shared.open(0, AddressFamily::V4, Need::Usual).unwrap().leg;
    assert_eq!(first.slot(), second.slot());
    assert_ne!(first, second);
}

#[test]
fn what_is_held_wakes_the_thread_when_it_is_told_of_or_with_what_is_not_held() {
    let queue = Queue::new().unwrap();
    let close = || Job::Command(Command::Close { leg: MediaLeg(1) });
    let is_told = || std::mem::take(&mut queue.waiting().signalled);
    queue.tell();
    assert!(!is_told(), "nothing waits");
    queue.hold(close()).unwrap();
    queue.hold(close()).unwrap();
    assert!(!is_told());
    queue.tell();
    assert!(is_told());
    queue.hold(close()).unwrap();
    queue.push(close()).unwrap();
    assert!(is_told());
    queue.waiting().jobs.clear();
    queue.tell();
    assert!(!is_told(), "the thread took them already");
}
