//! A leg at a fax machine, in virtual time: what the machine hears of it, and when.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_codec::Library;
use plugboard_media::coding::{Decode, Encode, HearKeys};
use plugboard_media::rtp::Header;
use plugboard_media::udptl::Sender;
use plugboard_media::{
    Codec, Codecs, Command, Engine, EngineConfig, Event, Fax, FaxEnd, FaxMachine, FaxOrder, FaxReport, Image,
    ImageTerms, Kind, MediaLeg, Negotiated, Rate, StreamStart,
};
use plugboard_model::Time;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LEG: MediaLeg = MediaLeg::new(0, 0, 1);

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 4_000))
}

/// What a machine was given.
#[derive(Debug, Default)]
struct Given {
    samples: Vec<i16>,
    packets: Vec<(u16, Vec<u8>)>,
    over: bool,
}

/// A machine that only remembers, and says a constant.
struct Ear(Arc<Mutex<Given>>);

impl FaxMachine for Ear {
    fn exchange(&mut self, heard: &[i16], said: &mut [i16]) {
        self.0.lock().unwrap().samples.extend(heard);
        said.fill(1_000);
    }

    fn packet(&mut self, sequence: u16, packet: &[u8]) {
        self.0.lock().unwrap().packets.push((sequence, packet.to_vec()));
    }

    fn elapse(&mut self, packets: &mut Vec<(Vec<u8>, u8)>) {
        packets.push((b"said".to_vec(), 1));
    }

    fn pages(&self) -> u32 {
        0
    }

    fn is_over(&self) -> bool {
        self.0.lock().unwrap().over
    }

    fn finish(&mut self) -> FaxReport {
        FaxReport {
            end: FaxEnd::Done,
            pages: 1,
            sent: Vec::new(),
            cut: false,
            bad_rows: 0,
            far_ident: String::new(),
            bit_rate: 0,
            corrected: false,
            t38: false,
            document: Vec::new(),
        }
    }
}

#[derive(Debug)]
struct Ears(Arc<Mutex<Given>>);

impl Codecs for Ears {
    fn encoder(&self, codec: Codec, rate: Rate) -> Option<Box<dyn Encode>> {
        Library.encoder(codec, rate)
    }

    fn decoder(&self, codec: Codec, rate: Rate) -> Option<Box<dyn Decode>> {
        Library.decoder(codec, rate)
    }

    fn key_receiver(&self) -> Option<Box<dyn HearKeys>> {
        Library.key_receiver()
    }

    fn fax(&self, _: &FaxOrder) -> Option<Box<dyn FaxMachine>> {
        Some(Box::new(Ear(Arc::clone(&self.0))))
    }
}

struct World {
    engine: Engine,
    given: Arc<Mutex<Given>>,
    now: Time,
    sent: Vec<(SocketAddr, Vec<u8>)>,
    events: Vec<Event>,
}

impl World {
    fn new() -> Self {
        let given = Arc::new(Mutex::new(Given::default()));
        let mut engine = Engine::new(EngineConfig::default(), Some(Arc::new(Ears(Arc::clone(&given)))), None);
        let now = Time::from_millis(1_000);
        engine.open(now, LEG, StreamStart { ssrc: 9, sequence: 100, timestamp: 5_000 });
        let negotiated = Negotiated::plain(Codec::Pcmu, address(1));
        engine.handle(now, Command::SetRemote { leg: LEG, negotiated });
        let order = FaxOrder { ident: String::new(), sends: None, pages_max: 1, bytes_max: 1 };
        engine.handle(now, Command::Fax { leg: LEG, fax: Fax::new(order) });
        Self { engine, given, now, sent: Vec::new(), events: Vec::new() }
    }

    /// So many turns of 20 ms; before each a datagram comes, if there is one.
    fn run(&mut self, turns: usize, mut comes: impl FnMut(usize) -> Option<(SocketAddr, Vec<u8>)>) {
        for turn in 0..turns {
            if let Some((from, mut bytes)) = comes(turn) {
                let length = bytes.len();
                bytes.resize(length + 64, 0);
                let forward = self.engine.packet(self.now, LEG, Kind::Rtp, from, (&mut bytes, length));
                assert_eq!(forward, None, "nobody else hears it");
            }
            self.now = self.now + Duration::from_millis(20);
            let sent = &mut self.sent;
            self.engine.tick(self.now, &mut |forward, packet| sent.push((forward.to, packet.to_vec())));
            while let Some(mut work) = self.engine.poll_work() {
                work.run();
                self.engine.done(self.now, work, &mut |forward, packet| {
                    sent.push((forward.to, packet[..forward.length].to_vec()));
                });
            }
            self.events.extend(std::iter::from_fn(|| self.engine.poll_event()));
        }
    }
}

/// A packet of audio that is nothing but one loud sample.
fn audio(turn: usize) -> Vec<u8> {
    let sequence = u16::try_from(turn).unwrap();
    let header = Header {
        marker: false,
        payload_type: 0,
        sequence,
        timestamp: u32::from(sequence) * 160,
        ssrc: 7,
        payload: 0..0,
    };
    header.packet(&[0x90; 160])
}

#[test]
fn what_is_lost_is_silence_in_its_own_place_and_the_machines_time_goes_on() {
    let mut world = World::new();
    world.run(60, |turn| (!matches!(turn, 20 | 30 | 31)).then(|| (address(1), audio(turn))));
    let given = world.given.lock().unwrap();
    assert!((59 * 160..=61 * 160).contains(&given.samples.len()), "{} samples", given.samples.len());
    let loud: Vec<bool> = given.samples.chunks(160).map(|frame| frame.iter().all(|sample| *sample != 0)).collect();
    let silent: Vec<bool> = given.samples.chunks(160).map(|frame| frame.iter().all(|sample| *sample == 0)).collect();
    let first = loud.iter().position(|loud| *loud).unwrap();
    assert!((7..=10).contains(&first), "it hears 160 ms later: frame {first}");
    for (frame, (loud, silent)) in loud.iter().zip(&silent).enumerate().skip(first) {
        let lost = matches!(frame - first, 20 | 30 | 31);
        assert_eq!((*loud, *silent), (!lost, lost), "frame {}", frame - first);
    }
    assert!(world.sent.len() > 55 && world.sent.iter().all(|(to, _)| *to == address(1)), "{}", world.sent.len());
}

#[test]
fn a_machine_that_is_done_is_told_once() {
    let mut world = World::new();
    world.run(5, |_| None);
    world.given.lock().unwrap().over = true;
    world.run(5, |_| None);
    let over = world.events.iter().filter(|event| **event == Event::FaxOver { leg: LEG }).count();
    assert_eq!(over, 1, "{:?}", world.events);
}

#[test]
fn packets_of_t38_come_from_whoever_was_named_and_from_nobody_else() {
    let mut world = World::new();
    let image = Image { address: address(2), terms: ImageTerms::default() };
    world.engine.handle(world.now, Command::SetImage { leg: LEG, image });
    let (mut sender, mut stranger) = (Sender::new(400), Sender::new(400));
    world.run(10, |turn| {
        let named = (address(2), sender.pack(&[u8::try_from(turn).unwrap(); 3]));
        Some(if turn == 4 { (address(9), stranger.pack(b"mine")) } else { named })
    });
    // The last of the audio is none of it.
    world.run(1, |_| Some((address(1), audio(3))));
    let packets = world.given.lock().unwrap().packets.clone();
    let meant: Vec<_> = (0..10).map(|turn| (u16::from(turn), vec![turn; 3])).collect();
    assert_eq!(packets, meant, "the one in whose place the stranger's came, another one brought");
    let image: Vec<_> = world.sent.iter().filter(|(to, _)| *to == address(2)).collect();
    assert!(image.len() >= 9 && image[0].1.starts_with(b"\0\0\x04said"), "{image:?}");
    let counted = world.engine.stats(LEG).unwrap();
    assert_eq!((counted.wrong_source, counted.packets_received), (1, 9));
}

/// A leg that speaks T.38: its audio came from `audio`, its datagrams are to come from `image`.
fn imaging(audio: SocketAddr, image: SocketAddr) -> World {
    let mut world = World::new();
    world.run(6, |turn| Some((audio, self::audio(turn))));
    world.engine.handle(
        world.now,
        Command::SetImage { leg: LEG, image: Image { address: image, terms: ImageTerms::default() } },
    );
    world.sent.clear();
    world
}

/// Where what the machine says goes now.
fn goes_to(world: &mut World) -> SocketAddr {
    world.sent.clear();
    world.run(2, |_| None);
    world.sent.last().unwrap().0
}

#[test]
fn a_neighbour_behind_the_same_nat_neither_injects_nor_steals_a_fax() {
    let neighbour = SocketAddr::new(address(2).ip(), 5_555);
    let mut world = imaging(address(1), address(2));
    let (mut sender, mut stranger) = (Sender::new(400), Sender::new(400));
    world.run(100, |turn| {
        let from_him = (neighbour, stranger.pack(b"mine"));
        Some(if turn % 2 == 0 { (address(2), sender.pack(b"hers")) } else { from_him })
    });
    // She listens for a page meanwhile, and is heard at once when she speaks.
    world.run(200, |_| None);
    world.run(1, |_| Some((address(2), sender.pack(b"hers"))));
    world.run(100, |_| Some((neighbour, stranger.pack(b"mine"))));
    assert!(world.given.lock().unwrap().packets.iter().all(|(_, packet)| packet == b"hers"), "he is heard");
    assert_eq!(goes_to(&mut world), address(2), "he hears");
    assert_eq!(world.engine.stats(LEG).unwrap().wrong_source, 150);
}

#[test]
fn what_is_no_datagram_of_t38_moves_no_fax() {
    let neighbour = SocketAddr::new(address(2).ip(), 5_555);
    let mut world = imaging(address(1), address(2));
    world.run(50, |turn| Some((neighbour, vec![0, u8::try_from(turn).unwrap(), 0xFF, 0xFF])));
    assert_eq!(goes_to(&mut world), address(2));
    assert!(world.given.lock().unwrap().packets.is_empty());
}

#[test]
fn a_fax_behind_nat_is_where_its_audio_was_from_its_first_datagram() {
    let (said, behind) = (address(1), SocketAddr::from(([198, 51, 100, 7], 61_000)));
    let mut world = imaging(behind, said);
    assert_eq!(goes_to(&mut world), behind);
    let mut sender = Sender::new(400);
    world.run(1, |_| Some((behind, sender.pack(b"hers"))));
    world.run(1, |_| None);
    assert_eq!(world.given.lock().unwrap().packets, [(0, b"hers".to_vec())]);
}

#[test]
fn a_fax_behind_nat_on_another_port_is_learned_after_five_datagrams() {
    let behind = SocketAddr::from(([198, 51, 100, 7], 61_000));
    let moved = SocketAddr::new(behind.ip(), 61_002);
    let mut world = imaging(behind, SocketAddr::new(address(1).ip(), 4_002));
    let mut sender = Sender::new(400);
    world.run(4, |turn| Some((moved, sender.pack(&[u8::try_from(turn).unwrap()]))));
    assert_ne!(goes_to(&mut world), moved);
    world.run(1, |_| Some((moved, sender.pack(&[4]))));
    assert_eq!(goes_to(&mut world), moved);
    let packets: Vec<_> = world.given.lock().unwrap().packets.iter().map(|(_, packet)| packet[0]).collect();
    assert_eq!(packets, [1, 2, 3, 4], "those before are brought again by the fifth");
}
