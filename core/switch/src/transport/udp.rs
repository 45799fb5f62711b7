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
/// How often a datagram is sent until what the kernel says is of this one, and not of one before it.
const SEND_TRIES: usize = 4;
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
        let mut sent = self.socket.send_to(bytes, to);
        for _ in 1..SEND_TRIES {
            // What became of an earlier datagram, whoever that was for, is told to the next one.
            if !sent.as_ref().is_err_and(|error| may_be_of_another(error.kind())) {
                break;
            }
            sent = self.socket.send_to(bytes, to);
        }
        sent.map(drop).or_else(|error| match judge(error) {
            Some(refused) => Err(refused),
            None => {
                self.unsent.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        })
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
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // Of what was sent: read below.
                    Err(error) if may_be_of_another(error.kind()) => {}
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
            tokio::task::yield_now().await;
        }
    }
}

/// Whether an error may be of a datagram that was sent before: its host, or one on the way, said so.
fn may_be_of_another(error: io::ErrorKind) -> bool {
    use io::ErrorKind as Kind;
    matches!(error, Kind::ConnectionRefused | Kind::HostUnreachable | Kind::NetworkUnreachable)
}

/// Whether an error is for good. `None`: it will pass, and says nothing of the peer: a full buffer (`EAGAIN`, `ENOBUFS`,
/// `ENOMEM`), a packet filter (`EPERM`), or what became of an earlier datagram (`ECONNREFUSED`).
fn judge(error: io::Error) -> Option<Refused> {
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM | libc::EPERM | libc::ECONNREFUSED | libc::EINTR) => None,
        Some(libc::EMSGSIZE) => Some(Refused::TooLong(error)),
        Some(_) | None => Some(Refused::NoWay(error)),
    }
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

    #[test]
    fn what_will_pass_is_as_good_as_lost_and_only_a_missing_way_is_the_peers() {
        let judged = |code| judge(io::Error::from_raw_os_error(code));
        for code in [libc::EAGAIN, libc::ENOBUFS, libc::EPERM, libc::ECONNREFUSED] {
            assert!(judged(code).is_none(), "{code}");
        }
        for code in [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EINVAL, libc::EACCES] {
            assert!(matches!(judged(code), Some(Refused::NoWay(_))), "{code}");
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
