//! The media threads with real sockets on loopback. Every wait is for a packet or an event.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use plugboard_media::rtp::Header;
use plugboard_media::{
    AddressFamily, Audio, Codec, Command, DriverConfig, Event, Flow, Interface, LocalMedia, MediaPlane, MediaThreads,
    Need, Negotiated, Offer, OfferAnswer, OpenError, PlayEnd, PlayId, PlayOptions, SendError, Terms,
};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(10);

struct Plane {
    threads: MediaThreads,
    events: mpsc::Receiver<Event>,
}

fn plane(config: DriverConfig) -> Plane {
    let (tell, events) = mpsc::channel();
    let sink = Arc::new(move |event| tell.send(event).unwrap_or_default());
    Plane { threads: MediaThreads::start(config, None, None, sink).unwrap(), events }
}

impl Plane {
    fn event(&self) -> Event {
        self.events.recv_timeout(PATIENCE).unwrap()
    }

    /// Opens a leg that knows its phone. The phone's RTCP port is the one above, as a phone's is.
    fn leg(&self, phone: &UdpSocket, shard: usize) -> LocalMedia {
        let remote_rtp = phone.local_addr().unwrap();
        let local = self.threads.open(shard, AddressFamily::from(remote_rtp.ip()), Need::Usual).unwrap();
        let negotiated = Negotiated::plain(Codec::Pcmu, remote_rtp).with_keys(101);
        self.threads.send(Command::SetRemote { leg: local.leg, negotiated }).unwrap();
        local
    }

    /// Waits until all commands so far were carried out.
    fn settle(&self, local: LocalMedia) {
        self.threads.send(Command::GetStats { leg: local.leg }).unwrap();
        assert!(matches!(self.event(), Event::Stats { leg, .. } if leg == local.leg));
    }
}

fn phone(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn receive(phone: &UdpSocket) -> (Header, Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2_048];
    let (length, from) = phone.recv_from(&mut buffer).unwrap();
    let header = Header::parse(&buffer[..length]).unwrap();
    let payload = buffer[header.payload.clone()].to_vec();
    (header, payload, from)
}

fn packet(sequence: u16, payload_type: u8, payload: &[u8]) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 160;
    Header { marker: false, payload_type, sequence, timestamp, ssrc: 5, payload: 0..0 }.packet(payload)
}

fn ports(range: std::ops::RangeInclusive<u16>) -> DriverConfig {
    DriverConfig { ports: range, ..DriverConfig::default() }
}

#[test]
fn two_phones_hear_each_other_through_the_legs_ports() {
    let plane = plane(ports(41_000..=41_099));
    let (ann, bob) = (phone("127.0.0.1:0"), phone("127.0.0.1:0"));
    let (a, b) = (plane.leg(&ann, 0), plane.leg(&bob, 0));
    plane.threads.send(Command::Bridge { a: a.leg, b: b.leg }).unwrap();
    plane.settle(a);
    for n in 0..50 {
        ann.send_to(&packet(n, 0, &[u8::try_from(n).unwrap(); 160]), a.rtp).unwrap();
        let (header, payload, from) = receive(&bob);
        assert_eq!((payload[0], payload.len(), from), (u8::try_from(n).unwrap(), 160, b.rtp));
        bob.send_to(&packet(n, 0, &[200; 160]), b.rtp).unwrap();
        assert_eq!(receive(&ann).2, a.rtp);
        assert_eq!(header.marker, n == 0);
    }
    plane.threads.send(Command::Close { leg: a.leg }).unwrap();
    let Event::Closed { stats, .. } = plane.event() else { panic!("not closed") };
    assert_eq!((stats.packets_received, stats.packets_sent, stats.lost), (50, 50, 0));
}

/// A phone that says in its offer where it wants reports, and what it is answered: where the leg wants them.
fn announces(plane: &Plane, rtp: &UdpSocket, rtcp: &UdpSocket) -> (LocalMedia, SocketAddr) {
    let [rtp, rtcp] = [rtp, rtcp].map(|socket| socket.local_addr().unwrap().port());
    let offer = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {rtp} RTP/AVP 0\r\n\
         a=rtcp:{rtcp} IN IP4 127.0.0.1\r\n"
    );
    let local = plane.threads.open(0, AddressFamily::V4, Need::Usual).unwrap();
    let offer = Offer::parse(offer.as_bytes(), Terms::default()).unwrap();
    let mut exchange = OfferAnswer::new(local, 1);
    let (answer, negotiated) = exchange.make_answer(&offer, &[Codec::Pcmu], Flow::SendRecv).unwrap();
    plane.threads.send(Command::SetRemote { leg: local.leg, negotiated }).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let port = |start: &str| answer.lines().find_map(|line| line.strip_prefix(start)?.split(' ').next()?.parse().ok());
    // Without a line of its own it is the port after that of RTP (RFC 3605).
    let told: u16 = port("a=rtcp:").or_else(|| port("m=audio ").map(|rtp: u16| rtp + 1)).unwrap();
    (local, SocketAddr::new(local.rtp.ip(), told))
}

#[test]
fn a_report_to_the_announced_port_comes_out_of_the_others_at_the_port_that_its_phone_announced() {
    let plane = plane(ports(41_700..=41_799));
    let [ann, ann_reports, bob, bob_reports] = ["127.0.0.1:0"; 4].map(phone);
    let (a, to_a) = announces(&plane, &ann, &ann_reports);
    let (b, to_b) = announces(&plane, &bob, &bob_reports);
    plane.threads.send(Command::Bridge { a: a.leg, b: b.leg }).unwrap();
    plane.settle(a);
    // Reports are of a stream: before it there are none.
    ann.send_to(&packet(1, 0, &[7; 160]), a.rtp).unwrap();
    let (stream, ..) = receive(&bob);
    let mut report = vec![0x80, 200, 0, 6];
    report.extend([5_u32, 1, 2, 160, 1, 160].map(u32::to_be_bytes).as_flattened());
    ann_reports.send_to(&report, to_a).unwrap();
    let mut heard = [0; 200];
    let (length, from) = bob_reports.recv_from(&mut heard).unwrap();
    assert_eq!((length, from), (report.len(), to_b));
    assert_eq!((&heard[..4], &heard[4..8]), (&report[..4], &stream.ssrc.to_be_bytes()[..]));
}

#[test]
fn a_prompt_is_heard_whole_and_a_key_is_told() {
    let plane = plane(ports(41_100..=41_199));
    let ann = phone("127.0.0.1:0");
    let a = plane.leg(&ann, 0);
    let audio = Audio::from_g711(plugboard_media::g711::Law::Mu, &[33; 5 * 160]);
    plane.threads.send(Command::Play { leg: a.leg, id: PlayId(1), audio, options: PlayOptions::default() }).unwrap();
    let heard: Vec<_> = (0..5).map(|_| receive(&ann)).collect();
    assert!(heard.iter().all(|(_, payload, _)| *payload == [33; 160]));
    assert!(heard.windows(2).all(|pair| pair[1].0.sequence == pair[0].0.sequence.wrapping_add(1)));
    assert_eq!(plane.event(), Event::PlayEnded { leg: a.leg, id: PlayId(1), end: PlayEnd::Finished });
    ann.send_to(&packet(1, 101, &[3, 0x8A, 0x03, 0x20]), a.rtp).unwrap();
    assert_eq!(plane.event(), Event::Digit { leg: a.leg, digit: '3', duration: Duration::from_millis(100) });
}

#[test]
fn ports_are_bounded_rest_and_come_back() {
    let plane = plane(ports(41_200..=41_203));
    let first = plane.threads.open(0, AddressFamily::V4, Need::Usual).unwrap();
    let second = plane.threads.open(0, AddressFamily::V4, Need::Usual).unwrap();
    assert_eq!((first.rtp.port() % 2, second.rtp.port() % 2), (0, 0));
    assert_eq!(first.rtcp.port(), first.rtp.port() + 1);
    assert!(matches!(plane.threads.open(0, AddressFamily::V4, Need::Usual), Err(OpenError::PortsExhausted(_))));
    assert_eq!(plane.threads.ports_in_use(), (2, 2));
    plane.threads.send(Command::Close { leg: first.leg }).unwrap();
    assert!(matches!(plane.event(), Event::Closed { leg, .. } if leg == first.leg));
    assert!(
        matches!(plane.threads.open(0, AddressFamily::V4, Need::Usual), Err(OpenError::PortsExhausted(_))),
        "it rests"
    );
}

#[test]
fn a_port_that_somebody_else_holds_is_passed_over() {
    let _other = UdpSocket::bind("127.0.0.1:41301").unwrap();
    let plane = plane(ports(41_300..=41_305));
    assert_eq!(plane.threads.open(0, AddressFamily::V4, Need::Usual).unwrap().rtp.port(), 41_302);
}

#[test]
fn legs_of_two_shards_cannot_be_bridged_and_wrong_shards_are_told() {
    let plane = plane(DriverConfig { threads: 2, ..ports(41_400..=41_499) });
    let a = plane.threads.open(0, AddressFamily::V4, Need::Usual).unwrap().leg;
    let b = plane.threads.open(1, AddressFamily::V4, Need::Usual).unwrap().leg;
    assert_eq!(plane.threads.send(Command::Bridge { a, b }), Err(SendError::DifferentShards { a, b }));
    assert!(matches!(
        plane.threads.open(2, AddressFamily::V4, Need::Usual),
        Err(OpenError::NoShard { shard: 2, shards: 2 })
    ));
    assert!(matches!(
        plane.threads.open(0, AddressFamily::V6, Need::Usual),
        Err(OpenError::NoFamily(AddressFamily::V6))
    ));
    assert!(
        MediaThreads::start(DriverConfig { threads: 0, ..DriverConfig::default() }, None, None, Arc::new(|_| ()))
            .is_err()
    );
}

#[test]
fn a_leg_over_ipv6_is_bridged_to_one_over_ipv4() {
    let loopback = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let ipv6 = Some(Interface { bind: loopback, advertise: loopback });
    let plane = plane(DriverConfig { ipv6, ..ports(41_500..=41_599) });
    let (ann, bob) = (phone("127.0.0.1:0"), phone("[::1]:0"));
    let (a, b) = (plane.leg(&ann, 0), plane.leg(&bob, 0));
    plane.threads.send(Command::Bridge { a: a.leg, b: b.leg }).unwrap();
    plane.settle(a);
    bob.send_to(&packet(1, 0, &[7; 160]), b.rtp).unwrap();
    assert_eq!(receive(&ann).1, [7; 160]);
}

#[test]
fn dropping_the_plane_closes_its_sockets() {
    let plane = plane(ports(41_600..=41_601));
    let local = plane.threads.open(0, AddressFamily::V4, Need::Usual).unwrap();
    drop(plane);
    UdpSocket::bind(local.rtp).unwrap();
}

#[test]
fn browsers_are_told_of_the_configured_addresses_beside_our_own_or_of_these_alone() {
    let configured: Vec<IpAddr> =
        ["203.0.113.9", "2001:db8::9", "203.0.113.10"].iter().map(|text| text.parse().unwrap()).collect();
    let offered = |only: bool| {
        let config = DriverConfig {
            ports: 24_000..=24_099,
            browser_addresses: configured.clone(),
            browser_only: only,
            ..DriverConfig::default()
        };
        let plane = MediaThreads::start(config, None, None, Arc::new(|_| ())).unwrap();
        let (local, end) = plane.open_browser(0, AddressFamily::V4).unwrap();
        let offer = OfferAnswer::for_browser(local, end, 1).make_offer(&[Codec::Opus], Flow::SendRecv);
        let text = String::from_utf8(offer).unwrap();
        let value = |start: &str| -> Vec<String> {
            text.lines().filter_map(|line| line.trim_end().strip_prefix(start)).map(str::to_owned).collect()
        };
        let of_line = |line: String| line.split(' ').nth(4).unwrap().to_owned();
        let candidates: Vec<String> = value("a=candidate:").into_iter().map(of_line).collect();
        (candidates, value("c=IN ").concat())
    };
    let (beside, _) = offered(false);
    assert_eq!(beside, ["127.0.0.1", "203.0.113.9", "2001:db8::9", "203.0.113.10"]);
    let (alone, line) = offered(true);
    assert_eq!(alone, ["203.0.113.9", "2001:db8::9", "203.0.113.10"]);
    assert_eq!(line, "IP4 203.0.113.9");
}
