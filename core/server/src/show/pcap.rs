//! A call's SIP messages as a capture file for Wireshark.
//!
//! Source: libpcap file format 2.4, link type 101 (raw IP). Each message is one UDP datagram, whatever carried it, so
//! that a single message never needs the rest of its TCP stream to be read.

use serde_json::{Value, json};
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use super::{field, items};
use crate::output;

const MAGIC: u32 = 0xa1b2_c3d4;
const SNAP_LEN: u32 = 65_535;
const LINKTYPE_RAW: u32 = 101;
const UDP: u8 = 17;

/// `call trace --pcap`.
pub(crate) fn pcap(value: &Value, file: &Path, json: bool) -> ExitCode {
    let wall = value.get("wall").and_then(Value::as_i64).and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0);
    let (mut bytes, mut messages) = (header(), 0_usize);
    for message in items(value, "messages") {
        let (Ok(local), Ok(remote)) = (field(message, "local").parse(), field(message, "remote").parse()) else {
            continue;
        };
        let out = message.get("out").and_then(Value::as_bool) == Some(true);
        let (from, to) = if out { (local, remote) } else { (remote, local) };
        let nanos =
            message.get("at_ns").and_then(Value::as_u64).unwrap_or(0).saturating_add(wall.saturating_mul(1_000_000));
        if let Some(packet) = packet(from, to, field(message, "text").as_bytes()) {
            bytes.extend(record(nanos, &packet));
            messages += 1;
        }
    }
    match std::fs::File::create(file).and_then(|mut out| out.write_all(&bytes)) {
        Ok(()) => {
            if json {
                output::json(&json!({ "file": file, "messages": messages }));
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            output::error(format!("{}: {error}", file.display()));
            ExitCode::from(1)
        }
    }
}

fn header() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(24);
    bytes.extend(MAGIC.to_le_bytes());
    bytes.extend(2_u16.to_le_bytes());
    bytes.extend(4_u16.to_le_bytes());
    bytes.extend([0; 8]);
    bytes.extend(SNAP_LEN.to_le_bytes());
    bytes.extend(LINKTYPE_RAW.to_le_bytes());
    bytes
}

fn record(nanos: u64, packet: &[u8]) -> Vec<u8> {
    let seconds = u32::try_from(nanos / 1_000_000_000).unwrap_or(u32::MAX);
    let micros = u32::try_from(nanos % 1_000_000_000 / 1_000).unwrap_or(0);
    let len = u32::try_from(packet.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(16 + packet.len());
    for word in [seconds, micros, len, len] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend_from_slice(packet);
    bytes
}

/// An IP packet with one UDP datagram; `None` for mixed families and for what no datagram holds.
fn packet(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Option<Vec<u8>> {
    let udp_len = u16::try_from(payload.len().checked_add(8)?).ok()?;
    let mut bytes = Vec::with_capacity(payload.len() + 48);
    match (from.ip(), to.ip()) {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            let total = udp_len.checked_add(20)?;
            let mut ip = Vec::with_capacity(20);
            ip.extend([0x45, 0]);
            ip.extend(total.to_be_bytes());
            ip.extend([0, 0, 0, 0, 64, UDP, 0, 0]);
            ip.extend(source.octets());
            ip.extend(target.octets());
            let sum = checksum(&ip).to_be_bytes();
            bytes.extend(ip.get(..10)?);
            bytes.extend(sum);
            bytes.extend(ip.get(12..)?);
        }
        (IpAddr::V6(source), IpAddr::V6(target)) => {
            bytes.extend([0x60, 0, 0, 0]);
            bytes.extend(udp_len.to_be_bytes());
            bytes.extend([UDP, 64]);
            bytes.extend(source.octets());
            bytes.extend(target.octets());
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return None,
    }
    bytes.extend(from.port().to_be_bytes());
    bytes.extend(to.port().to_be_bytes());
    bytes.extend(udp_len.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend_from_slice(payload);
    Some(bytes)
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let sum = bytes.chunks(2).fold(0_u32, |sum, pair| {
        let word = u16::from_be_bytes([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]);
        sum.saturating_add(word.into())
    });
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_has_the_lengths_and_checksum_of_its_rfcs() {
        let packet = packet("127.0.0.1:5060".parse().unwrap(), "127.0.0.2:5070".parse().unwrap(), b"OPTIONS").unwrap();
        assert_eq!(packet.len(), 20 + 8 + 7);
        assert_eq!(checksum(&packet[..20]), 0, "a header with its checksum sums to nothing");
        assert_eq!(&packet[24..26], &15_u16.to_be_bytes());
    }
}
