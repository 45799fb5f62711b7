//! A socket that hears the RTP of a leg whose SIP is somebody else's.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Speech that is to come comes much sooner, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of PCMU in a packet of 20 ms.
const FRAME: usize = 160;
/// Bytes of a plain RTP header (RFC 3550 section 5.1).
const HEADER: usize = 12;

/// Listens on a port of its own.
#[derive(Debug)]
pub struct Ear {
    socket: UdpSocket,
}

/// What was heard.
#[derive(Debug)]
pub struct Heard {
    /// The payloads, one after the other.
    pub bytes: Vec<u8>,
}

impl Default for Ear {
    fn default() -> Self {
        Self::new()
    }
}

impl Ear {
    /// On a free port of 127.0.0.1.
    pub fn new() -> Self {
        Self::at(Ipv4Addr::LOCALHOST.into())
    }

    /// On a free port of `::1`.
    pub fn over_v6() -> Self {
        Self::at(Ipv6Addr::LOCALHOST.into())
    }

    fn at(address: IpAddr) -> Self {
        let socket = UdpSocket::bind((address, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    /// Waits for so many packets of PCMU in one stream, none of them lost or out of order.
    pub fn hears(&self, packets: usize) -> Heard {
        let mut bytes = Vec::new();
        let mut before: Option<(u16, [u8; 4])> = None;
        let mut packet = [0; 2_048];
        for _ in 0..packets {
            let len = self.socket.recv(&mut packet).expect("RTP");
            assert_eq!((packet[0], packet[1] & 0x7f, len), (0x80, 0, HEADER + FRAME), "20 ms of PCMU");
            let sequence = u16::from_be_bytes([packet[2], packet[3]]);
            let source: [u8; 4] = packet[8..12].try_into().unwrap();
            if let Some((last, from)) = before {
                assert_eq!((sequence, source), (last.wrapping_add(1), from), "one stream without gaps");
            }
            before = Some((sequence, source));
            bytes.extend(&packet[HEADER..len]);
        }
        Heard { bytes }
    }
}

impl Heard {
    /// Whether this is a part of what was said.
    pub fn is_part_of(&self, said: &[u8]) -> bool {
        said.windows(self.bytes.len()).any(|part| part == self.bytes)
    }
}

/// Four seconds of PCMU, each packet of it different: a file for sipp, and its bytes.
pub fn speech(folder: &Path) -> (PathBuf, Vec<u8>) {
    let file = folder.join("speech.pcmu");
    // A linear congruential generator: noise that is the same in every run.
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let bytes: Vec<u8> = (0..200 * FRAME).map(|_| noise()).collect();
    fs::write(&file, &bytes).unwrap();
    (file, bytes)
}
