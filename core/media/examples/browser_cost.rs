//! What a browser's leg costs beside a telephone's and a bare relay, in one run: time for each packet, memory for each leg.
//!
//! `cargo run --release -p plugboard-media --example browser_cost [LEGS [FRAMES]]`
//!
//! The engine's part is timed without the kernel, whose part is what a bare relay costs: one packet is taken and one sent. The browsers
//! are str0m peers of this process; neither their time nor their memory counts.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run should say so and stop")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use plugboard_media::rtp::Header;
use plugboard_media::{
    BrowserEnd, Browsers, Certificate, Codec, Command, Datagram, Engine, EngineConfig, Flow, IceLogin, Kind,
    LocalMedia, MediaLeg, Negotiated, Offer, OfferAnswer, StreamStart, Terms,
};
use plugboard_model::Time;
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};
use str0m::change::SdpAnswer;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Input, Output, Rtc, RtcConfig};

/// What the engine holds in memory: what is taken while it is called, less what is given back then.
struct Counted;

static HELD: AtomicI64 = AtomicI64::new(0);
static INSIDE: AtomicBool = AtomicBool::new(false);

#[global_allocator]
static MEMORY: Counted = Counted;

fn count(layout: Layout, sign: i64) {
    if INSIDE.load(Ordering::Relaxed) {
        HELD.fetch_add(sign * i64::try_from(layout.size()).unwrap_or(0), Ordering::Relaxed);
    }
}

#[expect(unsafe_code, reason = "an allocator has no safe form")]
// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout, 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(layout, -1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Calls into the engine.
fn inside<T>(call: impl FnOnce() -> T) -> T {
    INSIDE.store(true, Ordering::Relaxed);
    let result = call();
    INSIDE.store(false, Ordering::Relaxed);
    result
}

struct Peer {
    rtc: Rtc,
    at: SocketAddr,
    mid: Mid,
    sent: u64,
}

struct World {
    epoch: Instant,
    now: Time,
    engine: Engine,
    certificate: Arc<Certificate>,
    peers: Vec<Peer>,
    by_address: HashMap<SocketAddr, usize>,
    /// Telephones that talk with browsers, and pairs of telephones.
    with_browsers: Vec<MediaLeg>,
    pairs: Vec<MediaLeg>,
    sequence: u16,
}

/// Where browsers send to.
fn port() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 10_000))
}

fn phone() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 9], 4_000))
}

fn agreed() -> Negotiated {
    Negotiated::plain(Codec::Pcmu, phone())
}

/// Time that was spent, and on how many packets.
#[derive(Default)]
struct Spent(Duration, u32);

impl Spent {
    fn micros(&self) -> f64 {
        self.0.as_secs_f64() * 1e6 / f64::from(self.1.max(1))
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<u32>().ok());
    let legs = arguments.next().unwrap_or(100);
    let frames = arguments.next().unwrap_or(250);
    let bare = bare(legs * frames);
    let mut world = World::new();
    for number in 0..legs {
        world.pair(2 * legs + 2 * number);
    }
    let before = HELD.load(Ordering::Relaxed);
    for number in 0..legs {
        world.browser(2 * number);
    }
    world.connect();
    let held = HELD.load(Ordering::Relaxed) - before;
    let mut spent = [Spent::default(), Spent::default(), Spent::default()];
    for _ in 0..frames {
        world.frame(&mut spent);
    }
    let [relay, to_browser, from_browser] = spent.map(|spent| spent.micros());
    println!("{legs} browsers, {legs} pairs of telephones, {frames} frames of 20 ms; microseconds a packet");
    println!("| what | engine | with the kernel's part | of the bare relay | more than the relay (to reach: 8) |");
    println!("| --- | --- | --- | --- | --- |");
    println!("| bare relay, a socket a leg | | {bare:.2} | 1.00 | |");
    for (what, engine) in
        [("relay", relay), ("telephone to browser", to_browser), ("browser to telephone", from_browser)]
    {
        let (whole, more) = (bare + engine, engine - relay);
        println!("| {what} | {engine:.2} | {whole:.2} | {:.2} | {more:.2} |", whole / bare);
    }
    let kilobytes = f64::from(i32::try_from(held).unwrap_or(i32::MAX)) / f64::from(legs.max(1)) / 1_024.0;
    println!("memory a browser's leg with its telephone's, after the handshake: {kilobytes:.1} KB (to reach: 110)");
}

/// A packet is taken at one socket and sent by the other: microseconds each.
fn bare(packets: u32) -> f64 {
    let sockets: Vec<UdpSocket> = (0..4).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let [caller, first, second, callee] = sockets.as_slice() else { return 0.0 };
    let (to_first, to_callee) = (first.local_addr().unwrap(), callee.local_addr().unwrap());
    let (mut buffer, mut spent) = ([0; 2_048], Spent::default());
    for _ in 0..packets {
        caller.send_to(&[0x55; 172], to_first).unwrap();
        let began = Instant::now();
        let (length, _) = first.recv_from(&mut buffer).unwrap();
        second.send_to(buffer.get(..length).unwrap(), to_callee).unwrap();
        spent.0 += began.elapsed();
        spent.1 += 1;
        callee.recv_from(&mut buffer).unwrap();
    }
    spent.micros()
}

impl World {
    fn new() -> Self {
        let epoch = Instant::now();
        let certificate = Arc::new(Certificate::make().unwrap());
        let browsers = Browsers { epoch, certificate: Arc::clone(&certificate) };
        let engine = Engine::new(EngineConfig::default(), None, None).with_browsers(browsers);
        Self {
            epoch,
            now: Time::ZERO,
            engine,
            certificate,
            peers: Vec::new(),
            by_address: HashMap::new(),
            with_browsers: Vec::new(),
            pairs: Vec::new(),
            sequence: 0,
        }
    }

    fn telephone(&mut self, slot: u32) -> MediaLeg {
        let leg = MediaLeg::new(0, slot, 1);
        let (engine, now) = (&mut self.engine, self.now);
        inside(|| {
            engine.open(now, leg, StreamStart { ssrc: slot + 1, sequence: 1, timestamp: 1 });
            engine.handle(now, Command::SetRemote { leg, negotiated: agreed() });
        });
        leg
    }

    /// Two telephones that talk.
    fn pair(&mut self, slot: u32) {
        let (a, b) = (self.telephone(slot), self.telephone(slot + 1));
        self.engine.handle(self.now, Command::Bridge { a, b });
        self.pairs.extend([a, b]);
    }

    /// A browser that has called, and the telephone that it talks with.
    fn browser(&mut self, slot: u32) {
        let phone = self.telephone(slot + 1);
        let (leg, now) = (MediaLeg::new(0, slot, 1), self.now);
        let at = SocketAddr::from(([203, 0, 113, 5], 5_000 + u16::try_from(slot).unwrap()));
        let config = RtcConfig::new().set_rtp_mode(true).clear_codecs().enable_pcmu(true, false);
        let mut rtc = config.build(self.epoch);
        rtc.add_local_candidate(Candidate::host(at, "udp").unwrap());
        let mut changes = rtc.sdp_api();
        let mid = changes.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        let offer = Offer::parse(offer.to_sdp_string().as_bytes(), Terms::default()).unwrap();
        let mut number = u64::from(slot) + 1;
        let login = IceLogin::new(leg, || {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            number
        });
        let fingerprint = self.certificate.fingerprint();
        let end = BrowserEnd { login, fingerprint, candidates: Vec::new(), only: false, stream: slot + 1 };
        let mut description = OfferAnswer::for_browser(LocalMedia { leg, rtp: port(), rtcp: port() }, end, 4_000);
        let (body, negotiated) = description.make_answer(&offer, &[Codec::Pcmu], Flow::SendRecv).unwrap();
        let agreed = Box::new(description.browser_agreed().unwrap());
        let answer = SdpAnswer::from_sdp_string(std::str::from_utf8(&body).unwrap()).unwrap();
        rtc.sdp_api().accept_answer(pending, answer).unwrap();
        let engine = &mut self.engine;
        inside(|| {
            engine.open_browser(now, leg, StreamStart { ssrc: slot + 1, sequence: 1, timestamp: 1 }, port());
            engine.handle(now, Command::SetBrowser { leg, agreed });
            engine.handle(now, Command::SetRemote { leg, negotiated });
            engine.handle(now, Command::Bridge { a: leg, b: phone });
        });
        self.by_address.insert(at, self.peers.len());
        self.peers.push(Peer { rtc, at, mid, sent: 0 });
        self.with_browsers.push(phone);
    }

    fn instant(&self) -> Instant {
        self.epoch + Duration::from_nanos(self.now.0)
    }

    /// Until every browser is connected.
    fn connect(&mut self) {
        while !self.peers.iter().all(|peer| peer.rtc.is_connected()) {
            assert!(self.now < Time::from_millis(60_000), "browsers connect within a minute");
            let sent = self.peers_send();
            let (engine, now) = (&mut self.engine, self.now);
            for (at, bytes) in sent {
                inside(|| engine.datagram(now, at, &bytes, &mut |_, _| {}));
            }
            inside(|| engine.tick(now, &mut |_, _| {}));
            self.deliver();
            self.now = self.now + Duration::from_millis(5);
        }
    }

    /// What the browsers send.
    fn peers_send(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let (instant, mut sent) = (self.instant(), Vec::new());
        for peer in &mut self.peers {
            peer.rtc.handle_input(Input::Timeout(instant)).unwrap();
            loop {
                match peer.rtc.poll_output().unwrap() {
                    Output::Transmit(transmit) => sent.push((peer.at, transmit.contents.to_vec())),
                    Output::Event(_) => {}
                    Output::Timeout(due) if due <= instant => {
                        peer.rtc.handle_input(Input::Timeout(instant)).unwrap();
                    }
                    Output::Timeout(_) => break,
                }
            }
        }
        sent
    }

    /// What the engine sends reaches the browsers.
    fn deliver(&mut self) {
        let instant = self.instant();
        while let Some(datagram) = inside(|| self.engine.poll_datagram()) {
            if let Some(peer) = self.by_address.get(&datagram.to).and_then(|index| self.peers.get_mut(*index)) {
                let receive = Receive::new(Protocol::Udp, datagram.from, datagram.to, &datagram.bytes).unwrap();
                peer.rtc.handle_input(Input::Receive(instant, receive)).unwrap();
            }
            inside(|| drop::<Datagram>(datagram));
        }
        while inside(|| self.engine.poll_event()).is_some() {}
    }

    /// Everybody speaks for 20 ms.
    fn frame(&mut self, spent: &mut [Spent; 3]) {
        let [relay, to_browser, from_browser] = spent;
        self.sequence = self.sequence.wrapping_add(1);
        let (sequence, timestamp) = (self.sequence, u32::from(self.sequence) * 160);
        let header = Header { marker: false, payload_type: 0, sequence, timestamp, ssrc: 9, payload: 0..0 };
        let (packet, now) = (header.packet(&[0x55; 160]), self.now);
        for (legs, spent) in [(&self.pairs, relay), (&self.with_browsers, to_browser)] {
            let mut packets = vec![packet.clone(); legs.len()];
            let began = Instant::now();
            for (leg, packet) in legs.iter().zip(&mut packets) {
                let length = packet.len();
                std::hint::black_box(self.engine.packet(now, *leg, Kind::Rtp, phone(), (packet, length)));
            }
            spent.0 += began.elapsed();
            spent.1 += u32::try_from(legs.len()).unwrap();
        }
        self.deliver();
        let instant = self.instant();
        for peer in &mut self.peers {
            let (mid, sent) = (peer.mid, peer.sent);
            peer.sent += 1;
            let timestamp = u32::try_from(sent * 160).unwrap();
            let packet = str0m::rtp::RtpWrite::new(0.into(), sent.into(), timestamp, instant, &[0x55_u8; 160][..]);
            peer.rtc.direct_api().stream_tx_by_mid(mid, None).unwrap().write_rtp(packet);
        }
        let sent = self.peers_send();
        let (engine, mut passed) = (&mut self.engine, 0);
        let began = Instant::now();
        for (at, bytes) in &sent {
            engine.datagram(now, *at, bytes, &mut |_, _| passed += 1);
        }
        // Their checks and timers are theirs to pay.
        engine.tick(now, &mut |_, _| {});
        from_browser.0 += began.elapsed();
        from_browser.1 += passed;
        assert!(passed > 0, "browsers are heard");
        self.deliver();
        self.now = self.now + Duration::from_millis(20);
    }
}
