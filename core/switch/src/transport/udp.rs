//! A UDP listener.

use bytes::Bytes;
use plugboard_model::Time;
use plugboard_sip::flow::Flow;
use plugboard_sip::limits::UDP_BYTES_MAX;
use plugboard_sip::stun;
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use tokio::io::Interest;

use super::reach::Reach;
use super::router::Router;
use super::sys;

/// Datagrams handed on before other tasks of the thread get a turn: 3 ms of a busy shard's work, so that the kernel's
/// queue, which may hold no more than 100, is looked at often enough.
const BURST: usize = 32;
/// Datagrams read from the kernel in one turn: half a millisecond.
const READ_MAX: usize = 512;
/// What hosts said of datagrams of ours that is read in one turn. Who sends more of them is no peer.
const ERRORS_MAX: usize = 32;
/// How often a datagram is sent until what the kernel says is taken for its own. What a host says of another one takes the place of one
/// try, so whoever forges such words has to hit each of these moments, some microseconds long, and gains the loss of one datagram.
const SEND_TRIES: usize = 4;
/// What fits into a datagram of either family (RFC 791 section 3.1, RFC 768): 65,535 bytes without the heads of IPv4 and UDP.
const SENT_MAX: usize = 65_507;
/// Datagrams that were read and wait: half a second of 8,000 a second. A shard that is so far behind refuses calls.
const BACKLOG_MAX: usize = 4_096;
/// Their bytes: 2 KB each, which is twice a usual message.
const BACKLOG_BYTES_MAX: usize = 8 << 20;
/// The longest datagram that is read whole: one byte more than SIP may have, so that the parser sees that it is too long.
const DATAGRAM_MAX: usize = UDP_BYTES_MAX + 1;
/// Two seconds of 1,000 calls/s: bursts must not be lost in the kernel while the shard works.
const RECEIVE_BUFFER: usize = 4 << 20;
/// A burst of answers; what does not fit is dropped, and its sender repeats the request.
const SEND_BUFFER: usize = 1 << 20;

/// Why a datagram will never be sent.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is longer than a datagram can be.
    TooLong(io::Error),
    /// No way leads to its address, and none will for others to it.
    NoWay(io::Error),
}

/// One bound socket. Sending is a system call on the caller's thread.
pub(super) struct UdpEndpoint {
    pub(super) local: SocketAddr,
    socket: Arc<UdpSocket>,
    /// What the kernel had dropped when it was asked last.
    dropped: AtomicU32,
    /// Datagrams that the kernel did not take, since this was asked last.
    unsent: AtomicU64,
}

impl UdpEndpoint {
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, Some(socket2::Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // The kernel gives as much as it is allowed to; less is no fault.
        if !sys::force_receive_buffer(&socket, RECEIVE_BUFFER) {
            let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        }
        let _ = socket.set_send_buffer_size(SEND_BUFFER);
        let given = socket.recv_buffer_size().unwrap_or(0);
        if given < RECEIVE_BUFFER {
            tracing::info!(%address, given, wanted = RECEIVE_BUFFER,
                "the kernel queues few datagrams for this listener; net.core.rmem_max lets it queue more");
        }
        if !sys::tell_undelivered(&socket, address.is_ipv6()) {
            tracing::info!(%address, "the kernel does not tell which peers take nothing; they are noticed by their silence");
        }
        if !sys::may_be_cut(&socket, address.is_ipv6()) {
            tracing::info!(%address, "long messages that a narrow way cannot take are lost once before they are cut to fit");
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket: UdpSocket = socket.into();
        Ok(Self {
            local: socket.local_addr()?,
            socket: Arc::new(socket),
            dropped: AtomicU32::new(0),
            unsent: AtomicU64::new(0),
        })
    }

    /// What the kernel cannot take just now is as good as lost on its way: it is counted, and the sender repeats it.
    pub(super) fn send(&self, to: SocketAddr, bytes: &[u8]) -> Result<(), Refused> {
        let send = || self.socket.send_to(bytes, to).map(drop);
        let forget = || drop(self.socket.take_error());
        match deliver(bytes.len(), send, forget, || self.has_way(to)) {
            Ok(()) => Ok(()),
            Err(Some(refused)) => Err(refused),
            Err(None) => {
                self.unsent.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// Whether the kernel would send to this address: asked by a socket of its own, of which no host can have said anything.
    fn has_way(&self, to: SocketAddr) -> bool {
        let Ok(asks) = UdpSocket::bind(SocketAddr::new(self.local.ip(), 0)) else { return true };
        asks.connect(to).is_ok()
    }

    /// Datagrams that the kernel did not take since this was asked last.
    pub(super) fn unsent(&self) -> u64 {
        self.unsent.swap(0, Ordering::Relaxed)
    }

    /// Datagrams that the kernel dropped since this was asked last: they came faster than they were read.
    pub(super) fn dropped(&self) -> u32 {
        let Some(now) = sys::dropped(&self.socket) else { return 0 };
        now.wrapping_sub(self.dropped.swap(now, Ordering::Relaxed))
    }

    /// Reads until the runtime ends.
    ///
    /// The kernel's queue is small, so it is emptied at each turn into one of ours; from that the shard gets as many as
    /// it handles in a moment. What waits there waits for the shard, and the shard is told since when.
    pub(super) async fn receive(&self, reach: Arc<Reach>, router: Router) -> io::Result<()> {
        let socket = tokio::net::UdpSocket::from_std(self.socket.try_clone()?)?;
        let mut buffer = vec![0; DATAGRAM_MAX];
        let mut backlog = Backlog::default();
        loop {
            if backlog.waiting.is_empty() {
                socket.ready(Interest::READABLE | Interest::ERROR).await?;
            }
            let now = router.now();
            let mut emptied = false;
            for _ in 0..READ_MAX {
                if backlog.is_full() {
                    break;
                }
                match socket.try_recv_from(&mut buffer) {
                    Ok((len, remote)) => {
                        let datagram = buffer.get(..len).unwrap_or_default();
                        match stun::answer(datagram, remote) {
                            // One that is lost is asked for again.
                            Some(answer) => drop(self.send(remote, &answer)),
                            None => backlog.push(now, datagram, remote),
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        emptied = true;
                        break;
                    }
                    // Of what was sent: read below.
                    Err(error) if may_be_of_another(&error) => {}
                    Err(error) => {
                        tracing::debug!(%error, local = %self.local, "a datagram could not be read");
                        break;
                    }
                }
            }
            for _ in 0..ERRORS_MAX {
                let next = || sys::undelivered(&self.socket, &mut buffer);
                let Ok((peer, len)) = socket.try_io(Interest::ERROR, next) else { break };
                let quoted = buffer.get(..len).unwrap_or_default();
                if let Some(peer) = peer {
                    let local = reach.seen_by(self.local, peer);
                    router.undelivered(Flow::udp(local, peer), Bytes::copy_from_slice(quoted));
                }
            }
            for _ in 0..BURST {
                let Some(Waiting { came, bytes, remote }) = backlog.pop() else { break };
                let local = reach.seen_by(self.local, remote);
                router.received_at(Flow::udp(local, remote), bytes, came);
            }
            // Where nothing is left, waiting for the next datagram gives others their turn as well, without a look at the sockets between.
            if !(emptied && backlog.waiting.is_empty()) {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// Sends one datagram of this length. `Err(None)`: it is as good as lost, which says nothing of its peer.
///
/// What hosts, or those who pretend to be one, say of earlier datagrams (ICMP) the kernel tells to whoever uses the socket next, and that
/// datagram does not leave. So an error is forgotten and the datagram sent again, until the same was said of each try.
fn deliver(
    length: usize,
    mut send: impl FnMut() -> io::Result<()>,
    mut forget: impl FnMut(),
    has_way: impl FnOnce() -> bool,
) -> Result<(), Option<Refused>> {
    let mut said: Option<io::Error> = None;
    let mut differs = false;
    for _ in 0..SEND_TRIES {
        let Err(error) = send() else { return Ok(()) };
        let code = error.raw_os_error();
        // It will pass: a full buffer, a packet filter.
        if let Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM | libc::EPERM | libc::EINTR) = code {
            return Err(None);
        }
        if code == Some(libc::EMSGSIZE) && length > SENT_MAX {
            return Err(Some(Refused::TooLong(error)));
        }
        differs |= said.is_some_and(|said| said.raw_os_error() != code);
        said = Some(error);
        forget();
    }
    let Some(error) = said.filter(|_| !differs) else { return Err(None) };
    if error.raw_os_error() == Some(libc::EMSGSIZE) {
        return Err(Some(Refused::TooLong(error)));
    }
    if may_be_of_another(&error) && has_way() {
        return Err(None);
    }
    Err(Some(Refused::NoWay(error)))
}

/// Whether an error may be of a datagram that was sent before: its host, or one on the way, said so. All that ICMP of either family
/// becomes (`icmp_err_convert` and `icmpv6_err_convert` of Linux).
fn may_be_of_another(error: &io::Error) -> bool {
    let Some(code) = error.raw_os_error() else { return false };
    [
        libc::EACCES,
        libc::ECONNREFUSED,
        libc::EHOSTDOWN,
        libc::EHOSTUNREACH,
        libc::EMSGSIZE,
        libc::ENETUNREACH,
        libc::ENONET,
        libc::ENOPROTOOPT,
        libc::EOPNOTSUPP,
        libc::EPROTO,
    ]
    .contains(&code)
}

/// A datagram that was read.
struct Waiting {
    came: Time,
    bytes: Bytes,
    remote: SocketAddr,
}

/// Datagrams that were read and wait for their shard, in the order in which they came.
#[derive(Default)]
struct Backlog {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

impl Backlog {
    fn is_full(&self) -> bool {
        self.waiting.len() >= BACKLOG_MAX || self.bytes >= BACKLOG_BYTES_MAX
    }

    fn push(&mut self, came: Time, bytes: &[u8], remote: SocketAddr) {
        // Keep-alives of RFC 5626 section 3.5.1 and empty datagrams ask for nothing over UDP.
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return;
        }
        self.bytes += bytes.len();
        self.waiting.push_back(Waiting { came, bytes: Bytes::copy_from_slice(bytes), remote });
    }

    fn pop(&mut self) -> Option<Waiting> {
        let next = self.waiting.pop_front()?;
        self.bytes -= next.bytes.len();
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_that_is_too_long_says_nothing_of_its_peer() {
        let endpoint = UdpEndpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let refused = endpoint.send(endpoint.local, &vec![b'x'; 70_000]).unwrap_err();
        assert!(matches!(refused, Refused::TooLong(_)), "{refused:?}");
        endpoint.send(endpoint.local, b"short").unwrap();
        assert_eq!(endpoint.unsent(), 0);
    }

    #[test]
    fn a_host_that_takes_nothing_says_so_and_what_goes_to_others_goes_there() {
        for host in ["127.0.0.1", "::1"] {
            let host: std::net::IpAddr = host.parse().unwrap();
            let endpoint = UdpEndpoint::bind(SocketAddr::new(host, 0)).unwrap();
            let gone = UdpSocket::bind(SocketAddr::new(host, 0)).unwrap().local_addr().unwrap();
            let other = UdpSocket::bind(SocketAddr::new(host, 0)).unwrap();
            let mut buffer = [0; 2_048];
            assert_eq!(sys::undelivered(&endpoint.socket, &mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            let request = format!("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n{}", "x".repeat(900));
            endpoint.send(gone, request.as_bytes()).unwrap();
            // On the loopback the answer is there before the call is over.
            let (peer, len) = sys::undelivered(&endpoint.socket, &mut buffer).unwrap();
            assert_eq!(peer, Some(gone));
            assert!(len > 400 && request.as_bytes().starts_with(&buffer[..len]), "{len}");
            endpoint.send(gone, request.as_bytes()).unwrap();
            endpoint.send(other.local_addr().unwrap(), b"here").unwrap();
            assert_eq!(other.recv(&mut buffer).unwrap(), 4);
            assert_eq!(endpoint.unsent(), 0);
        }
    }

    /// What comes of a datagram of this length when the kernel says this to one try after the other, then nothing, and how often it was sent.
    fn sent(length: usize, said: &[libc::c_int], has_way: bool) -> (Result<(), Option<Refused>>, usize) {
        let (mut tries, mut forgotten) = (0, 0);
        let send = || {
            let code = said.get(tries);
            tries += 1;
            code.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(*code)))
        };
        let result = deliver(length, send, || forgotten += 1, || has_way);
        assert!(forgotten + 1 >= tries, "before each further try it is forgotten");
        (result, tries)
    }

    /// All that ICMP becomes.
    const OF_OTHERS: [libc::c_int; 10] = [
        libc::EACCES,
        libc::ECONNREFUSED,
        libc::EHOSTDOWN,
        libc::EHOSTUNREACH,
        libc::EMSGSIZE,
        libc::ENETUNREACH,
        libc::ENONET,
        libc::ENOPROTOOPT,
        libc::EOPNOTSUPP,
        libc::EPROTO,
    ];

    #[test]
    fn what_was_said_of_an_earlier_datagram_costs_the_next_one_nothing() {
        for code in OF_OTHERS {
            assert!(may_be_of_another(&io::Error::from_raw_os_error(code)), "{code}");
            assert!(matches!(sent(1_500, &[code], true), (Ok(()), 2)), "{code}");
            assert!(matches!(sent(1_500, &[code, libc::EPROTO, code], true), (Ok(()), 4)), "{code}");
        }
    }

    #[test]
    fn what_hosts_say_again_and_again_loses_a_datagram_and_no_peer() {
        for code in OF_OTHERS.into_iter().filter(|code| *code != libc::EMSGSIZE) {
            assert!(matches!(sent(1_500, &[code; 9], true), (Err(None), SEND_TRIES)), "{code}");
        }
        let mixed = [libc::EMSGSIZE, libc::EMSGSIZE, libc::EPROTO, libc::EMSGSIZE];
        assert!(matches!(sent(1_500, &mixed, false), (Err(None), SEND_TRIES)));
    }

    #[test]
    fn what_will_pass_is_as_good_as_lost_and_not_tried_again() {
        for code in [libc::EAGAIN, libc::ENOBUFS, libc::ENOMEM, libc::EPERM, libc::EINTR] {
            assert!(matches!(sent(1_500, &[code], true), (Err(None), 1)), "{code}");
        }
    }

    #[test]
    fn only_a_way_that_the_kernel_has_not_is_the_peers_and_only_a_length_that_stays_too_long_the_messages() {
        for code in [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EACCES] {
            assert!(matches!(sent(1_500, &[code; 4], false), (Err(Some(Refused::NoWay(_))), SEND_TRIES)), "{code}");
        }
        assert!(matches!(sent(1_500, &[libc::EINVAL; 4], true), (Err(Some(Refused::NoWay(_))), SEND_TRIES)));
        assert!(matches!(sent(1_500, &[libc::EMSGSIZE; 4], true), (Err(Some(Refused::TooLong(_))), SEND_TRIES)));
        assert!(matches!(sent(SENT_MAX + 1, &[libc::EMSGSIZE], true), (Err(Some(Refused::TooLong(_))), 1)));
        let endpoint = UdpEndpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        assert!(endpoint.has_way(endpoint.local));
        let nowhere = SocketAddr::from(([255, 255, 255, 255], 5_060));
        assert!(matches!(endpoint.send(nowhere, b"here"), Err(Refused::NoWay(_))));
        assert_eq!(endpoint.unsent(), 0);
    }

    /// An ICMP message of this type and code, which quotes a datagram of ours to somebody. The kernel sums up that of IPv6.
    fn icmp(ours: SocketAddr, kind: u8, code: u8) -> Vec<u8> {
        let length = |bytes: u16| bytes.to_be_bytes();
        let (source, mut quoted) = match ours.ip() {
            std::net::IpAddr::V4(ip) => (ip.octets().to_vec(), vec![0x45, 0, 2, 16, 0, 1, 0, 0, 64, 17, 0, 0]),
            std::net::IpAddr::V6(ip) => (ip.octets().to_vec(), vec![0x60, 0, 0, 0, 1, 252, 17, 64]),
        };
        quoted.extend(
            [source.as_slice(), source.as_slice(), &length(ours.port()), &length(5_060), &length(508)].concat(),
        );
        quoted.extend([0, 0]);
        quoted.extend([b'x'; 400]);
        let mtu = if matches!((ours.is_ipv6(), kind, code), (false, 3, 4) | (true, 2, 0)) { 1_400 } else { 0 };
        let mut message = [&[kind, code, 0, 0, 0, 0], &length(mtu)[..], &quoted].concat();
        let words = message.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
        let sum = words.sum::<u32>();
        let sum = (sum & 0xFFFF) + (sum >> 16);
        let sum = u16::try_from((sum & 0xFFFF) + (sum >> 16)).unwrap();
        message[2..4].copy_from_slice(&(!sum).to_be_bytes());
        message
    }

    #[test]
    fn forged_icmp_of_whatever_kind_keeps_nothing_from_any_peer() {
        use socket2::{Domain, Protocol, SockAddr, Socket, Type};
        let v4 = (0..16).map(|code| (3, code)).chain([(4, 0), (11, 0), (11, 1), (12, 0), (12, 1)]);
        let v6 = (0..8).map(|code| (1, code)).chain([(2, 0), (3, 0), (3, 1), (4, 0), (4, 1), (4, 2)]);
        for (host, protocol, all) in
            [("127.0.0.1", Protocol::ICMPV4, v4.collect::<Vec<_>>()), ("::1", Protocol::ICMPV6, v6.collect())]
        {
            let host: std::net::IpAddr = host.parse().unwrap();
            let endpoint = UdpEndpoint::bind(SocketAddr::new(host, 0)).unwrap();
            let other = UdpSocket::bind(SocketAddr::new(host, 0)).unwrap();
            other.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
            let forger = match Socket::new(Domain::for_address(endpoint.local), Type::RAW, Some(protocol)) {
                Ok(forger) => forger,
                Err(error) => {
                    eprintln!("ICMP is not forged to {host}: the system gives no raw socket ({error})");
                    continue;
                }
            };
            let (to, mut buffer) = (SockAddr::from(SocketAddr::new(host, 0)), [0; 2_048]);
            let mut told = 0;
            for (kind, code) in all {
                let forged = icmp(endpoint.local, kind, code);
                forger.send_to(&forged, &to).unwrap();
                endpoint.send(other.local_addr().unwrap(), b"here").unwrap();
                assert_eq!(other.recv(&mut buffer).unwrap(), 4, "{host}: {kind}, {code}");
                // So does whoever reads next.
                forger.send_to(&forged, &to).unwrap();
                let read = endpoint.socket.recv(&mut buffer).unwrap_err();
                let nothing = read.kind() == io::ErrorKind::WouldBlock;
                assert!(nothing || may_be_of_another(&read), "{host}: {kind}, {code}: {read}");
                told += usize::from(!nothing);
                while sys::undelivered(&endpoint.socket, &mut buffer).is_ok() {}
            }
            assert!(told > 8, "{host}: the kernel took what was forged: {told}");
            assert_eq!(endpoint.unsent(), 0, "{host}");
        }
    }

    #[test]
    fn what_waits_is_bounded_in_number_and_in_bytes_and_comes_in_order() {
        let remote = SocketAddr::from(([192, 0, 2, 9], 5060));
        let mut backlog = Backlog::default();
        backlog.push(Time::ZERO, b"\r\n\r\n", remote);
        assert!(backlog.pop().is_none(), "a keep-alive");
        while !backlog.is_full() {
            backlog.push(Time::ZERO, backlog.waiting.len().to_string().as_bytes(), remote);
        }
        assert_eq!(backlog.waiting.len(), BACKLOG_MAX);
        let popped: Vec<_> = std::iter::from_fn(|| backlog.pop()).map(|next| next.bytes).collect();
        assert_eq!((popped[0].as_ref(), popped[4_095].as_ref()), (&b"0"[..], &b"4095"[..]));
        while !backlog.is_full() {
            backlog.push(Time::ZERO, &vec![b'x'; DATAGRAM_MAX], remote);
        }
        assert_eq!(backlog.waiting.len(), BACKLOG_BYTES_MAX.div_ceil(DATAGRAM_MAX));
    }
}
