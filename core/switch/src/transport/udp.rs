//! A UDP listener.

use bytes::Bytes;
use plugboard_sip::flow::Flow;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use super::network::Addresses;
use super::router::Router;

/// Datagrams read before other tasks of the thread get a turn.
const BURST: usize = 64;
/// The longest UDP datagram there is; what is longer than the SIP limit is judged by the parser.
const DATAGRAM_MAX: usize = 65_535;
/// Two seconds of 1,000 calls/s: bursts must not be lost in the kernel while the shard works.
const RECEIVE_BUFFER: usize = 4 << 20;

/// One bound socket. Sending is a system call on the caller's thread.
pub(super) struct UdpEndpoint {
    pub(super) local: SocketAddr,
    socket: Arc<UdpSocket>,
}

impl UdpEndpoint {
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, Some(socket2::Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // The kernel gives as much as it is allowed to; less is no fault.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket: UdpSocket = socket.into();
        Ok(Self { local: socket.local_addr()?, socket: Arc::new(socket) })
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

    /// Reads until the runtime ends.
    pub(super) async fn receive(&self, addresses: Arc<Addresses>, router: Router) -> io::Result<()> {
        let socket = tokio::net::UdpSocket::from_std(self.socket.try_clone()?)?;
        let mut buffer = vec![0; DATAGRAM_MAX];
        loop {
            socket.readable().await?;
            for _ in 0..BURST {
                match socket.try_recv_from(&mut buffer) {
                    Ok((len, remote)) => {
                        let bytes = buffer.get(..len).unwrap_or_default();
                        // Keep-alives of RFC 5626 section 3.5.1 and empty datagrams ask for nothing over UDP.
                        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                            continue;
                        }
                        let local = addresses.seen_by(self.local, remote);
                        router.received(Flow::udp(local, remote), Bytes::copy_from_slice(bytes));
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => {
                        tracing::debug!(%error, local = %self.local, "a datagram could not be read");
                        break;
                    }
                }
            }
            tokio::task::yield_now().await;
        }
    }
}
