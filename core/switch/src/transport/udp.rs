//! A UDP listener.

use bytes::Bytes;
use plugboard_model::Time;
use plugboard_sip::flow::Flow;
use plugboard_sip::limits::UDP_BYTES_MAX;
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::network::Addresses;
use super::router::Router;
use super::sys;

/// Datagrams handed on before other tasks of the thread get a turn: 3 ms of a busy shard's work, so that the kernel's
/// queue, which may hold no more than 100, is looked at often enough.
const BURST: usize = 32;
/// Datagrams read from the kernel in one turn: half a millisecond.
const READ_MAX: usize = 512;
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

/// One bound socket. Sending is a system call on the caller's thread.
pub(super) struct UdpEndpoint {
    pub(super) local: SocketAddr,
    socket: Arc<UdpSocket>,
    /// What the kernel had dropped when it was asked last.
    dropped: AtomicU32,
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
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket: UdpSocket = socket.into();
        Ok(Self { local: socket.local_addr()?, socket: Arc::new(socket), dropped: AtomicU32::new(0) })
    }

    /// A full send buffer drops the datagram: UDP's senders repeat.
    pub(super) fn send(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        match self.socket.send_to(bytes, to) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            // An ICMP "port unreachable" of an earlier datagram is told to the next one; this one is sent again.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => self.socket.send_to(bytes, to).map(drop),
            Err(error) => Err(error),
        }
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
    pub(super) async fn receive(&self, addresses: Arc<Addresses>, router: Router) -> io::Result<()> {
        let socket = tokio::net::UdpSocket::from_std(self.socket.try_clone()?)?;
        let mut buffer = vec![0; DATAGRAM_MAX];
        let mut backlog = Backlog::default();
        loop {
            if backlog.waiting.is_empty() {
                socket.readable().await?;
            }
            let now = router.now();
            for _ in 0..READ_MAX {
                if backlog.is_full() {
                    break;
                }
                match socket.try_recv_from(&mut buffer) {
                    Ok((len, remote)) => backlog.push(now, buffer.get(..len).unwrap_or_default(), remote),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => {
                        tracing::debug!(%error, local = %self.local, "a datagram could not be read");
                        break;
                    }
                }
            }
            for _ in 0..BURST {
                let Some(Waiting { came, bytes, remote }) = backlog.pop() else { break };
                let local = addresses.seen_by(self.local, remote);
                router.received_at(Flow::udp(local, remote), bytes, came);
            }
            tokio::task::yield_now().await;
        }
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
