//! Phones that send a packet each 20 ms, evenly spread over the time in between, and count what they hear.

use plugboard_media::rtp::Header;
use plugboard_media::{Guard, Kind, SEAL_BYTES_MAX};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// One of them.
pub(crate) struct Phone {
    pub(crate) socket: UdpSocket,
    /// Where it sends.
    pub(crate) to: SocketAddr,
    pub(crate) payload_type: u8,
    /// What it says: one payload after the other, over and over.
    pub(crate) says: Vec<Vec<u8>>,
    /// Ticks of 20 ms.
    pub(crate) ticks: u32,
    /// What seals its packets.
    pub(crate) guard: Option<Box<dyn Guard>>,
    sent: u16,
}

impl Phone {
    pub(crate) fn new(socket: UdpSocket, to: SocketAddr) -> Self {
        Self { socket, to, payload_type: 8, says: vec![vec![0xD5; 160]], ticks: 160, guard: None, sent: 0 }
    }

    fn speak(&mut self) -> bool {
        let sequence = self.sent;
        self.sent = self.sent.wrapping_add(1);
        let payload = &self.says[usize::from(sequence) % self.says.len()];
        let timestamp = u32::from(sequence) * self.ticks;
        let payload_type = self.payload_type;
        let header = Header { marker: false, payload_type, sequence, timestamp, ssrc: 5, payload: 0..0 };
        let mut packet = header.packet(payload);
        if let Some(guard) = &mut self.guard {
            let length = packet.len();
            packet.resize(length + SEAL_BYTES_MAX, 0);
            let sealed = guard.seal(Kind::Rtp, &mut packet, length).unwrap();
            packet.truncate(sealed);
        }
        self.socket.send_to(&packet, self.to).is_ok()
    }

    fn drain(&self) -> u64 {
        let mut buffer = [0; 512];
        let mut count = 0;
        while self.socket.recv_from(&mut buffer).is_ok() {
            count += 1;
        }
        count
    }
}

/// A free port.
pub(crate) fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

/// All of them talk for a while: how many packets were sent, and how many arrived.
pub(crate) fn talk(phones: &mut [Phone], time: Duration) -> (u64, u64) {
    let (mut sent, mut received) = (0, 0);
    let (begin, count) = (Instant::now(), f64::from(u32::try_from(phones.len()).unwrap()));
    for frame in 0..u32::try_from(time.as_millis() / 20).unwrap() {
        for (index, phone) in (0_u32..).zip(phones.iter_mut()) {
            let share = Duration::from_millis(20).mul_f64(f64::from(index) / count);
            let due = begin + Duration::from_millis(20) * frame + share;
            let early = due.saturating_duration_since(Instant::now());
            if early > Duration::from_micros(500) {
                std::thread::sleep(early);
            }
            received += phone.drain();
            sent += u64::from(phone.speak());
        }
    }
    std::thread::sleep(Duration::from_millis(60));
    (sent, received + phones.iter().map(Phone::drain).sum::<u64>())
}
