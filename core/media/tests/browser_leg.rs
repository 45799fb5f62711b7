//! Browser legs, with str0m as the browser: no sockets, a clock that the test moves.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use plugboard_media::{
    BrowserEnd, Browsers, Certificate, Codec, Command, Datagram, Engine, EngineConfig, Event, Flow, Forward, IceLogin,
    Kind, LocalMedia, MediaLeg, Negotiated, Offer, OfferAnswer, StreamStart, Terms, rtp::Header,
};
use plugboard_model::Time;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::format::{Codec as Coding, FormatParams};
use str0m::media::{Direction, Frequency, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event as PeerEvent, Input, Output, Rtc, RtcConfig};

const BROWSER: MediaLeg = MediaLeg::new(0, 0, 1);
const PHONE: MediaLeg = MediaLeg::new(0, 1, 1);

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn port() -> SocketAddr {
    address("192.0.2.1:10000")
}

/// What was agreed with the telephone.
fn telephone(codec: Codec, number: u8) -> Negotiated {
    let plain = Negotiated::plain(codec, address("198.51.100.9:4000")).with_keys(101);
    Negotiated {
        payload_type_send: number,
        payload_type_receive: number,
        telephone_event_clock: codec.clock_rate(),
        ..plain
    }
}

/// A browser, as far as its media goes.
struct Peer {
    rtc: Rtc,
    at: SocketAddr,
    mid: Option<Mid>,
    pending: Option<SdpPendingOffer>,
    heard: Vec<(u8, Vec<u8>)>,
    sent: u64,
    /// The payload type that it speaks, and how far its clock goes on in a packet.
    voice: (u8, u64),
}

/// An engine, a browser, and what goes between them.
struct World {
    epoch: Instant,
    now: Time,
    engine: Engine,
    certificate: Arc<Certificate>,
    peer: Peer,
    /// What the engine sent to the telephone.
    phone: Vec<(Forward, Vec<u8>)>,
    events: Vec<Event>,
    /// Nothing of the browser arrives.
    cut: bool,
    /// What is on its way to the browser, and when it arrives.
    under_way: VecDeque<(Time, Vec<u8>)>,
}

/// How long a datagram to the browser is under way: over no time at all a rounding decides whether there is a way back.
const WAY: Duration = Duration::from_millis(10);

impl Peer {
    fn new(epoch: Instant, at: &str) -> Self {
        let mut config = RtcConfig::new().set_rtp_mode(true).clear_codecs().enable_opus(true, false);
        config = config.enable_pcmu(true, false).enable_pcma(true, false);
        for (number, clock) in [(110, Frequency::FORTY_EIGHT_KHZ), (126, Frequency::EIGHT_KHZ)] {
            let events = FormatParams::default();
            config.codec_config().add_config(number.into(), None, Coding::Tele, clock, None, events);
        }
        let mut rtc = config.build(epoch);
        let at = address(at);
        rtc.add_local_candidate(Candidate::host(at, "udp").unwrap());
        Self { rtc, at, mid: None, pending: None, heard: Vec::new(), sent: 0, voice: (0, 160) }
    }

    fn offers(&mut self) -> String {
        let mut changes = self.rtc.sdp_api();
        if self.mid.is_none() {
            self.mid = Some(changes.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None));
        }
        let (offer, pending) = changes.apply().unwrap();
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// An offer that begins ICE anew: str0m makes none that says nothing new.
    fn offers_anew(&mut self) -> Offer {
        let mut changes = self.rtc.sdp_api();
        changes.ice_restart(true);
        let (offer, pending) = changes.apply().unwrap();
        self.pending = Some(pending);
        Offer::parse(offer.to_sdp_string().as_bytes(), Terms::default()).unwrap()
    }

    fn takes_answer(&mut self, body: &[u8]) {
        let answer = SdpAnswer::from_sdp_string(std::str::from_utf8(body).unwrap()).unwrap();
        self.rtc.sdp_api().accept_answer(self.pending.take().unwrap(), answer).unwrap();
    }

    fn answers(&mut self, body: &[u8]) -> String {
        let offer = SdpOffer::from_sdp_string(std::str::from_utf8(body).unwrap()).unwrap();
        self.rtc.sdp_api().accept_offer(offer).unwrap().to_sdp_string()
    }

    /// What it sends to the switch; what it hears is kept.
    fn drain(&mut self) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Transmit(transmit) if transmit.destination == port() => sent.push(transmit.contents.to_vec()),
                Output::Event(PeerEvent::RtpPacket(packet)) => {
                    self.heard.push((*packet.header.payload_type, packet.payload.to_vec()));
                }
                Output::Event(PeerEvent::MediaAdded(added)) => self.mid = Some(added.mid),
                Output::Transmit(_) | Output::Event(_) => {}
                Output::Timeout(_) => return sent,
            }
        }
    }

    fn says(&mut self, now: Instant, payload: &[u8]) {
        let mid = self.mid.unwrap();
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None).unwrap();
        let (number, step) = self.voice;
        let (sequence, timestamp) = (self.sent, u32::try_from(self.sent * step).unwrap());
        self.sent += 1;
        stream.write_rtp(str0m::rtp::RtpWrite::new(number.into(), sequence.into(), timestamp, now, payload));
    }
}

impl World {
    fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "an instant can be had in no other way; what counts is the time since"
        )]
        let epoch = Instant::now();
        let certificate = Arc::new(Certificate::make().unwrap());
        let browsers = Browsers { epoch, certificate: Arc::clone(&certificate) };
        let mut engine = Engine::new(EngineConfig::default(), None, None).with_browsers(browsers);
        let start = StreamStart { ssrc: 0xB0B, sequence: 32_000, timestamp: 5_000 };
        engine.open_browser(Time::ZERO, BROWSER, start, port());
        engine.open(Time::ZERO, PHONE, StreamStart { ssrc: 0xF0E, sequence: 100, timestamp: 0 });
        engine.handle(Time::ZERO, Command::SetRemote { leg: PHONE, negotiated: telephone(Codec::Pcmu, 0) });
        engine.handle(Time::ZERO, Command::Bridge { a: BROWSER, b: PHONE });
        let peer = Peer::new(epoch, "203.0.113.5:5555");
        let (phone, events, under_way) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { epoch, now: Time::ZERO, engine, certificate, peer, phone, events, cut: false, under_way }
    }

    fn login(seed: u64) -> IceLogin {
        let mut number = seed;
        IceLogin::new(BROWSER, || {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            number
        })
    }

    fn description(&self) -> OfferAnswer {
        let local = LocalMedia { leg: BROWSER, rtp: port(), rtcp: port() };
        let end = BrowserEnd {
            login: Self::login(7),
            fingerprint: self.certificate.fingerprint(),
            candidates: Vec::new(),
            only: false,
            stream: 0xB0B,
        };
        OfferAnswer::for_browser(local, end, 4_000)
    }

    fn agree(&mut self, description: &OfferAnswer, negotiated: Negotiated) {
        let agreed = Box::new(description.browser_agreed().unwrap());
        self.engine.handle(self.now, Command::SetBrowser { leg: BROWSER, agreed });
        self.engine.handle(self.now, Command::SetRemote { leg: BROWSER, negotiated });
    }

    /// The browser calls.
    fn called_by_browser(&mut self) -> OfferAnswer {
        self.called_by_browser_in(Codec::Pcmu)
    }

    fn called_by_browser_in(&mut self, codec: Codec) -> OfferAnswer {
        let mut description = self.description();
        let offer = Offer::parse(self.peer.offers().as_bytes(), Terms::default()).unwrap();
        assert!(offer.is_of_browser());
        let (body, negotiated) = description.make_answer(&offer, &[codec], Flow::SendRecv).unwrap();
        assert_eq!(negotiated.codec, codec);
        self.peer.takes_answer(&body);
        self.agree(&description, negotiated);
        description
    }

    /// Datagrams go to and fro until `millis` have passed; each 20 ms the browser speaks if it is up.
    fn goes_on(&mut self, millis: u64, speech: Option<&[u8]>) {
        let end = self.now + Duration::from_millis(millis);
        let mut next = self.now;
        while self.now < end {
            if self.now >= next {
                next = self.now + Duration::from_millis(20);
                if let Some(speech) = speech.filter(|_| self.peer.rtc.is_connected()) {
                    self.peer.says(self.epoch + Duration::from_nanos(self.now.0), speech);
                }
            }
            self.exchange();
            self.now = self.now + Duration::from_millis(5);
        }
    }

    fn exchange(&mut self) {
        let instant = self.epoch + Duration::from_nanos(self.now.0);
        for _ in 0..20 {
            let mut quiet = true;
            self.peer.rtc.handle_input(Input::Timeout(instant)).unwrap();
            for bytes in self.peer.drain() {
                quiet = false;
                self.take(self.peer.at, &bytes);
            }
            let phone = &mut self.phone;
            self.engine.tick(self.now, &mut |forward, packet| phone.push((forward, packet.to_vec())));
            while let Some(Datagram { from, to, bytes }) = self.engine.poll_datagram() {
                assert_eq!(from, port());
                if to == self.peer.at {
                    self.under_way.push_back((self.now + WAY, bytes));
                }
            }
            while self.under_way.front().is_some_and(|(arrives, _)| *arrives <= self.now) {
                let Some((_, bytes)) = self.under_way.pop_front() else { break };
                quiet = false;
                let receive = Receive::new(Protocol::Udp, port(), self.peer.at, &bytes).unwrap();
                self.peer.rtc.handle_input(Input::Receive(instant, receive)).unwrap();
                for bytes in self.peer.drain() {
                    self.take(self.peer.at, &bytes);
                }
            }
            while let Some(event) = self.engine.poll_event() {
                self.events.push(event);
            }
            if quiet {
                return;
            }
        }
    }

    fn take(&mut self, source: SocketAddr, bytes: &[u8]) {
        if self.cut {
            return;
        }
        let phone = &mut self.phone;
        self.engine.datagram(self.now, source, bytes, &mut |forward, packet| phone.push((forward, packet.to_vec())));
    }

    /// The telephone sends a packet.
    fn phone_says(&mut self, sequence: u16, payload: &[u8]) -> Option<Forward> {
        self.phone_says_in(0, sequence, payload)
    }

    fn phone_says_in(&mut self, payload_type: u8, sequence: u16, payload: &[u8]) -> Option<Forward> {
        let timestamp = u32::from(sequence) * 160;
        let header = Header { marker: false, payload_type, sequence, timestamp, ssrc: 9, payload: 0..0 };
        let mut packet = header.packet(payload);
        let whole = packet.len();
        self.engine.packet(self.now, PHONE, Kind::Rtp, address("198.51.100.9:4000"), (&mut packet, whole))
    }
}

#[test]
fn a_browser_that_calls_and_a_telephone_hear_each_other() {
    let mut world = World::new();
    world.called_by_browser();
    world.goes_on(1_000, Some(&[0x55; 160]));
    assert!(world.peer.rtc.is_connected());
    assert!(world.phone.len() > 20, "{}", world.phone.len());
    let mut last = None;
    for (forward, packet) in &world.phone {
        let header = Header::parse(packet).unwrap();
        assert_eq!((forward.leg, forward.to), (PHONE, address("198.51.100.9:4000")));
        assert_eq!((header.payload_type, header.ssrc, &packet[12..]), (0, 0xF0E, &[0x55; 160][..]));
        assert!(last.is_none_or(|last: u16| header.sequence == last.wrapping_add(1)));
        last = Some(header.sequence);
    }
    for sequence in 0..40 {
        assert_eq!(world.phone_says(sequence, &[0x33; 160]), None, "it leaves by the session");
        world.goes_on(20, None);
    }
    assert_eq!(world.peer.heard.len(), 40);
    assert!(world.peer.heard.iter().all(|heard| *heard == (0, vec![0x33; 160])));
    let stats = world.engine.stats(BROWSER).unwrap();
    assert_eq!((stats.packets_sent, stats.lost, stats.not_understood), (40, 0, 0));
}

#[test]
fn a_browser_that_is_called_hears_and_speaks() {
    let mut world = World::new();
    let mut description = world.description();
    let offer = description.make_offer(&[Codec::Pcmu], Flow::SendRecv);
    let answer = world.peer.answers(&offer);
    let negotiated = description.accept_answer(answer.as_bytes()).unwrap();
    world.agree(&description, negotiated);
    world.goes_on(1_000, Some(&[0x55; 160]));
    assert!(world.phone.len() > 20, "{}", world.phone.len());
    world.phone_says(1, &[0x33; 160]);
    world.goes_on(20, None);
    assert_eq!(world.peer.heard, [(0, vec![0x33; 160])]);
}

#[test]
fn sequence_numbers_go_on_beyond_sixteen_bits() {
    let mut world = World::new();
    world.called_by_browser();
    world.goes_on(500, None);
    // Our stream began at 32,000: its number wraps within these.
    for sequence in 0..34_000_u16 {
        world.phone_says(sequence, &[0x33; 10]);
        if sequence % 20 == 0 {
            world.goes_on(5, None);
        }
    }
    world.goes_on(20, None);
    assert_eq!(world.peer.heard.len(), 34_000);
}

#[test]
fn ice_restarts_with_new_names_and_no_word_is_lost() {
    let mut world = World::new();
    let mut description = world.called_by_browser();
    world.goes_on(500, Some(&[0x55; 160]));
    let before = description.sent().unwrap().to_vec();
    let offer = world.peer.offers_anew();
    assert!(description.restarts_ice(&offer));
    description.set_login(World::login(99));
    let (body, negotiated) = description.make_answer(&offer, &[Codec::Pcmu], Flow::SendRecv).unwrap();
    assert_ne!(before, body);
    world.peer.takes_answer(&body);
    world.agree(&description, negotiated);
    world.goes_on(500, Some(&[0x55; 160]));
    world.phone.clear();
    world.goes_on(200, Some(&[0x66; 160]));
    assert_eq!(world.phone.len(), 10, "no more and no fewer than it says");
    world.phone_says(1, &[0x33; 160]);
    world.goes_on(20, None);
    assert_eq!(world.peer.heard.last(), Some(&(0, vec![0x33; 160])));
}

#[test]
fn a_browser_that_moves_is_followed_when_it_proves_who_it_is() {
    let mut world = World::new();
    world.called_by_browser();
    world.goes_on(500, Some(&[0x55; 160]));
    assert_eq!(world.engine.browser_addresses(), 1);
    // The NAT before it gives it another port.
    world.peer.at = address("203.0.113.5:6666");
    world.phone.clear();
    world.goes_on(4_000, Some(&[0x66; 160]));
    assert!(!world.phone.is_empty());
    assert_eq!(world.engine.browser_addresses(), 2);
}

#[test]
fn what_is_nobodys_is_dropped_and_counted() {
    let mut world = World::new();
    world.called_by_browser();
    world.goes_on(500, Some(&[0x55; 160]));
    world.phone.clear();
    let stranger = address("203.0.113.66:1");
    world.take(stranger, &[0x80; 172]);
    world.take(stranger, &[22, 254, 253, 0, 0]);
    world.take(stranger, &[]);
    // A check with the leg's name and a wrong password.
    let mut check = vec![0, 1, 0, 28, 0x21, 0x12, 0xA4, 0x42];
    check.extend([7; 12]);
    check.extend([0, 6, 0, 22]);
    check.extend(World::login(7).name[..22].bytes());
    check.extend([0, 0]);
    world.take(stranger, &check);
    assert_eq!(world.engine.browser_addresses(), 1);
    assert_eq!(world.phone.len(), 0);
    assert!(world.engine.poll_datagram().is_none(), "nobody is answered");
    world.goes_on(600, None);
    let counted: u64 = world
        .events
        .iter()
        .filter_map(|event| if let Event::Traffic(traffic) = event { Some(traffic.wrong_source) } else { None })
        .sum();
    assert_eq!(counted, 4);
}

#[test]
fn junk_from_the_browsers_own_address_ends_nothing() {
    let mut world = World::new();
    world.called_by_browser();
    world.goes_on(500, Some(&[0x55; 160]));
    let at = world.peer.at;
    for first in 0..=255_u8 {
        let mut junk = vec![first; 60];
        world.take(at, &junk);
        junk.truncate(3);
        world.take(at, &junk);
    }
    world.phone.clear();
    world.goes_on(200, Some(&[0x66; 160]));
    assert_eq!(world.phone.len(), 10);
    assert!(world.events.iter().all(|event| !matches!(event, Event::Failed { .. })));
}

#[test]
fn a_browser_that_is_gone_is_told_once_and_closing_forgets_it() {
    let mut world = World::new();
    world.called_by_browser();
    world.goes_on(500, Some(&[0x55; 160]));
    let peer = std::mem::replace(&mut world.peer, Peer::new(world.epoch, "203.0.113.7:7777"));
    world.goes_on(90_000, None);
    assert!(!world.events.iter().any(|event| matches!(event, Event::MediaSilent { leg: BROWSER, .. })));
    let told: Vec<_> = world
        .events
        .iter()
        .filter(|event| matches!(event, Event::BrowserGone { .. } | Event::BrowserBack { .. }))
        .collect();
    assert_eq!(told, [&Event::BrowserGone { leg: BROWSER }]);
    world.engine.handle(world.now, Command::Close { leg: BROWSER });
    assert_eq!(world.engine.browser_addresses(), 0);
    drop(peer);
}

#[test]
fn a_browser_that_was_gone_and_comes_back_is_told_back() {
    let mut world = World::new();
    world.called_by_browser();
    world.goes_on(500, Some(&[0x55; 160]));
    world.cut = true;
    for _ in 0..120 {
        if world.events.contains(&Event::BrowserGone { leg: BROWSER }) {
            break;
        }
        world.goes_on(500, None);
    }
    world.cut = false;
    world.goes_on(10_000, None);
    let told: Vec<_> = world
        .events
        .iter()
        .filter(|event| matches!(event, Event::BrowserGone { .. } | Event::BrowserBack { .. }))
        .collect();
    assert_eq!(told, [&Event::BrowserGone { leg: BROWSER }, &Event::BrowserBack { leg: BROWSER }]);
}

#[test]
fn a_held_browser_is_sent_nothing() {
    let mut world = World::new();
    world.called_by_browser();
    world.goes_on(500, None);
    world.engine.handle(world.now, Command::SetFlow { leg: BROWSER, flow: Flow::RecvOnly });
    world.phone_says(1, &[0x33; 160]);
    world.goes_on(100, None);
    assert!(world.peer.heard.is_empty());
}

#[test]
fn a_browsers_offer_is_no_answer_for_a_telephone_and_the_reverse() {
    let mut world = World::new();
    let offer = Offer::parse(world.peer.offers().as_bytes(), Terms::default()).unwrap();
    let local = LocalMedia { leg: PHONE, rtp: port(), rtcp: port() };
    let error = OfferAnswer::new(local, 1).make_answer(&offer, &[], Flow::SendRecv).unwrap_err();
    assert_eq!(error.sip_status(), 488);
    let plain = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    let plain = Offer::parse(plain, Terms::default()).unwrap();
    assert!(!plain.is_of_browser());
    assert!(world.description().make_answer(&plain, &[], Flow::SendRecv).is_err());
}

#[test]
fn opus_and_its_keys_pass_through_under_the_numbers_of_each_side() {
    let mut world = World::new();
    world.engine.handle(Time::ZERO, Command::SetRemote { leg: PHONE, negotiated: telephone(Codec::Opus, 96) });
    world.called_by_browser_in(Codec::Opus);
    world.peer.voice = (111, 960);
    world.goes_on(500, Some(&[0x78; 40]));
    assert!(world.phone.len() > 10, "{}", world.phone.len());
    for (_, packet) in &world.phone {
        assert_eq!((packet[1] & 0x7F, &packet[12..]), (96, &[0x78; 40][..]), "as it was packed");
    }
    world.phone_says_in(96, 1, &[0x70; 30]);
    world.goes_on(20, None);
    assert_eq!(world.peer.heard, [(111, vec![0x70; 30])]);
    // The key 5, by the clock of Opus.
    world.phone.clear();
    world.peer.voice = (110, 960);
    world.goes_on(20, Some(&[5, 0x8A, 0x12, 0xC0]));
    assert_eq!(world.phone.len(), 1);
    assert_eq!((world.phone[0].1[1] & 0x7F, &world.phone[0].1[12..]), (101, &[5, 0x8A, 0x12, 0xC0][..]));
    let keys: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| if let Event::Digit { leg, digit, .. } = event { Some((*leg, *digit)) } else { None })
        .collect();
    assert_eq!(keys, [(BROWSER, '5')]);
}

#[test]
fn another_codec_in_a_new_offer_goes_on_in_the_same_session() {
    let mut world = World::new();
    // It answers with both, and speaks the first.
    let mut description = world.description();
    let offer = description.make_offer(&[Codec::Pcmu, Codec::Opus], Flow::SendRecv);
    let answer = world.peer.answers(&offer);
    let negotiated = description.accept_answer(answer.as_bytes()).unwrap();
    world.agree(&description, negotiated);
    world.goes_on(500, Some(&[0x55; 160]));
    let offer = world.peer.offers_anew();
    description.set_login(World::login(99));
    let (body, negotiated) = description.make_answer(&offer, &[Codec::Opus], Flow::SendRecv).unwrap();
    assert_eq!(negotiated.codec, Codec::Opus);
    world.peer.takes_answer(&body);
    world.agree(&description, negotiated);
    world.engine.handle(world.now, Command::SetRemote { leg: PHONE, negotiated: telephone(Codec::Opus, 96) });
    world.peer.voice = (111, 960);
    world.goes_on(500, Some(&[0x78; 40]));
    world.phone.clear();
    world.goes_on(200, Some(&[0x78; 40]));
    // A new session would have to shake hands first, which the browser would not do.
    assert_eq!(world.phone.len(), 10);
    assert!(world.phone.iter().all(|(_, packet)| packet[1] & 0x7F == 96));
}

#[test]
fn browsers_report_and_whoever_talks_with_one_is_reported_to() {
    let mut world = World::new();
    world.called_by_browser();
    world.goes_on(500, Some(&[0x55; 160]));
    for sequence in 0..1_000 {
        // The browser misses each tenth packet.
        if sequence % 10 != 9 {
            world.phone_says(sequence, &[0x33; 160]);
        }
        world.goes_on(20, Some(&[0x55; 160]));
    }
    let told = world.engine.stats(BROWSER).unwrap().told;
    assert!(told.about_us >= 2, "{told:?}");
    assert!((20..=110).contains(&told.lost), "{told:?}");
    assert!(told.round_trips.1 >= 2, "{told:?}");
    let reports = world.phone.iter().filter(|(forward, _)| forward.kind == Kind::Rtcp).count();
    assert!(reports >= 2, "{reports} reports for the telephone");
}
