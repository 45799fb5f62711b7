//! The RTP generator: phones that send 50 packets a second and time what they hear.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::clock;
use crate::epoll::Epoll;
use crate::error::LoadError;

/// Between two packets of a phone.
const FRAME: Duration = Duration::from_millis(20);
/// 20 ms of G.711.
const PAYLOAD: usize = 160;
/// RFC 3550 section 5.1, without contributing sources.
const HEADER: usize = 12;
/// Where the payload tells when it was sent.
const STAMP: std::ops::Range<usize> = HEADER..HEADER + 8;
/// PCMU.
const PAYLOAD_TYPE: u8 = 0;

/// Phones, two and two in a call.
pub(crate) struct Phones {
    sockets: Vec<UdpSocket>,
    /// Packets each phone has sent, so that its sequence goes on from one talk to the next.
    sent: Vec<u16>,
}

/// What was heard in one talk.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Packets that were sent.
    pub(crate) sent: u64,
    /// How long each that arrived was under way.
    pub(crate) latencies: Vec<Duration>,
}

impl Heard {
    /// Packets that did not arrive.
    pub(crate) fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.latencies.len().try_into().unwrap_or(u64::MAX))
    }
}

impl Phones {
    /// So many phones on free ports.
    pub(crate) fn new(bind: IpAddr, count: usize) -> Result<Self, LoadError> {
        let open = || {
            let socket = UdpSocket::bind((bind, 0))?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let sockets: io::Result<Vec<UdpSocket>> = (0..count).map(|_| open()).collect();
        let sockets = sockets.map_err(LoadError::at("the phones' sockets (see ulimit -n)"))?;
        Ok(Self { sent: vec![0; sockets.len()], sockets })
    }

    /// Their addresses.
    pub(crate) fn addresses(&self) -> Result<Vec<SocketAddr>, LoadError> {
        let all: io::Result<Vec<SocketAddr>> = self.sockets.iter().map(UdpSocket::local_addr).collect();
        all.map_err(LoadError::at("the phones' sockets"))
    }

    /// Every phone sends to its address of `to` for a while, evenly spread over the time between two packets.
    pub(crate) fn talk(&mut self, to: &[SocketAddr], time: Duration) -> Result<Heard, LoadError> {
        let mut epoll = Epoll::of(self.sockets.iter()).map_err(LoadError::at("the phones' epoll"))?;
        let (sockets, sent) = (&self.sockets, &mut self.sent);
        let begin = clock::now();
        let done = AtomicBool::new(false);
        let mut heard = Heard::default();
        std::thread::scope(|scope| {
            let listener = scope.spawn(|| {
                let mut latencies = Vec::new();
                let mut packet = [0; 512];
                while !done.load(Ordering::Relaxed) {
                    for place in epoll.wait(Duration::from_millis(10)) {
                        let Some(socket) = sockets.get(place) else { continue };
                        while let Ok(length) = socket.recv(&mut packet) {
                            latencies.extend(latency(begin, packet.get(..length).unwrap_or_default()));
                        }
                    }
                }
                latencies
            });
            heard.sent = send(sockets, sent, to, begin, time);
            // What is under way arrives, or is lost.
            clock::pass(Duration::from_millis(300));
            done.store(true, Ordering::Relaxed);
            heard.latencies = listener.join().unwrap_or_default();
        });
        Ok(heard)
    }
}

fn send(sockets: &[UdpSocket], counts: &mut [u16], to: &[SocketAddr], begin: Instant, time: Duration) -> u64 {
    let frames = u32::try_from(time.as_millis() / FRAME.as_millis()).unwrap_or(0);
    let phones = u32::try_from(sockets.len()).unwrap_or(1).max(1);
    let mut packet = [0xFF; HEADER + PAYLOAD];
    let mut sent = 0;
    for frame in 0..frames {
        for (place, ((socket, count), to)) in (0..).zip(sockets.iter().zip(counts.iter_mut()).zip(to)) {
            let due = begin + FRAME * frame + FRAME * place / phones;
            let early = due.saturating_duration_since(clock::now());
            // Sleeping costs more than the wait for a shorter time.
            if early > Duration::from_micros(200) {
                clock::pass(early);
            }
            *count = count.wrapping_add(1);
            write(&mut packet, *count, place, clock::now() - begin);
            sent += u64::from(socket.send_to(&packet, to).is_ok());
        }
    }
    sent
}

fn write(packet: &mut [u8; HEADER + PAYLOAD], count: u16, phone: u32, at: Duration) {
    packet[0] = 0x80;
    packet[1] = PAYLOAD_TYPE;
    packet[2..4].copy_from_slice(&count.to_be_bytes());
    packet[4..8].copy_from_slice(&(u32::from(count) * 160).to_be_bytes());
    packet[8..12].copy_from_slice(&(phone + 1).to_be_bytes());
    let nanos = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
    packet[STAMP].copy_from_slice(&nanos.to_be_bytes());
}

/// How long one of our packets was under way; tones and comfort noise of the switch are none of ours.
fn latency(begin: Instant, packet: &[u8]) -> Option<Duration> {
    if packet.len() != HEADER + PAYLOAD || packet.get(1)? & 0x7F != PAYLOAD_TYPE || packet.last() != Some(&0xFF) {
        return None;
    }
    let stamp: [u8; 8] = packet.get(STAMP)?.try_into().ok()?;
    (clock::now() - begin).checked_sub(Duration::from_nanos(u64::from_be_bytes(stamp)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_that_send_to_each_other_hear_everything() {
        let mut phones = Phones::new("127.0.0.1".parse().unwrap(), 2).unwrap();
        let mut to = phones.addresses().unwrap();
        to.reverse();
        let heard = phones.talk(&to, Duration::from_millis(100)).unwrap();
        assert_eq!((heard.sent, heard.lost()), (10, 0));
        assert!(heard.latencies.iter().all(|latency| *latency < Duration::from_secs(1)));
    }
}
