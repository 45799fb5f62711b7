//! RTCP between two legs: passed on with the stream names and numbers of the side it goes to (RFC 3550 section 6).
//!
//! Times pass unchanged, so that round trips are measured from end to end. What speaks of streams that the far side
//! does not know (extended reports, applications) and the end of a stream (BYE: ours goes on) is left out.

use std::ops::Range;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;

/// Bytes of a report block (RFC 3550 section 6.4.1).
const REPORT_BLOCK: usize = 24;

/// More packets than this no compound has; each takes at least 4 bytes of a datagram anyway.
const PACKETS_MAX: usize = 32;

/// One direction's streams, as the sending and as the receiving side know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Names {
    /// The stream of whoever sent the RTCP, as the receiver hears it from us.
    pub(crate) sender: u32,
    /// Added to the sender's RTP timestamps on their way.
    pub(crate) timestamp_offset: u32,
    /// The stream that the sender hears from us, by our name for it.
    pub(crate) heard: u32,
    /// The same stream as the receiver sends it, and what was added to its sequence numbers; `None`: it is not his.
    pub(crate) origin: Option<(u32, u16)>,
}

/// Rewrites a compound in place and returns its new length; 0: nothing is left to send.
pub(crate) fn rewrite(packet: &mut [u8], names: &Names) -> usize {
    let (mut read, mut written) = (0, 0);
    for _ in 0..PACKETS_MAX {
        let Some(range) = next_packet(packet, read) else {
            break;
        };
        read = range.end;
        let keep = packet.get_mut(range.clone()).is_some_and(|part| translate(part, names));
        if keep {
            let length = range.len();
            packet.copy_within(range, written);
            written += length;
        }
    }
    // A compound that no longer begins with a report is none (RFC 3550 section 6.1).
    let reports = matches!(packet.get(1), Some(&SENDER_REPORT | &RECEIVER_REPORT));
    if reports { written } else { 0 }
}

fn next_packet(packet: &[u8], at: usize) -> Option<Range<usize>> {
    let [first, _, l0, l1] = *packet.get(at..)?.first_chunk::<4>()?;
    let end = at + (usize::from(u16::from_be_bytes([l0, l1])) + 1) * 4;
    (first >> 6 == 2 && end <= packet.len()).then_some(at..end)
}

/// Rewrites one packet of a compound; false: leave it out.
fn translate(part: &mut [u8], names: &Names) -> bool {
    let [first, kind, ..] = *part else {
        return false;
    };
    let padded = first & 0x20 != 0;
    let count = usize::from(first & 0x1F);
    match kind {
        SENDER_REPORT if !padded => {
            let timestamp = word(part, 16).map(|value| value.wrapping_add(names.timestamp_offset));
            put(part, 4, names.sender)
                && timestamp.is_some_and(|value| put(part, 16, value))
                && blocks(part, 28, count, names)
        }
        RECEIVER_REPORT if !padded => put(part, 4, names.sender) && blocks(part, 8, count, names),
        // A second chunk would be of a stream that we do not pass on.
        SOURCE_DESCRIPTION if !padded && count == 1 => put(part, 4, names.sender),
        _ => false,
    }
}

/// Report blocks about the stream we send get the name and numbers of its origin; others are blanked by leaving the
/// whole packet out, since a block cannot be taken from the middle without moving the profile's extension.
fn blocks(part: &mut [u8], start: usize, count: usize, names: &Names) -> bool {
    if start + count * REPORT_BLOCK > part.len() {
        return false;
    }
    (0..count).all(|index| {
        let at = start + index * REPORT_BLOCK;
        let (Some(stream), Some(highest), Some((ssrc, offset))) = (word(part, at), word(part, at + 8), names.origin)
        else {
            return false;
        };
        stream == names.heard && put(part, at, ssrc) && put(part, at + 8, highest.wrapping_sub(u32::from(offset)))
    })
}

fn word(part: &[u8], at: usize) -> Option<u32> {
    part.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

fn put(part: &mut [u8], at: usize, value: u32) -> bool {
    let Some(place) = part.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<4>()) else {
        return false;
    };
    *place = value.to_be_bytes();
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: Names = Names { sender: 0xB0B0, timestamp_offset: 1_000, heard: 0xA0A0, origin: Some((0xBEEF, 5)) };

    fn sender_report(stream: u32) -> Vec<u8> {
        let mut packet = vec![0x81, 200, 0, 12];
        for value in [0xAAAA_u32, 11, 22, 8_000, 50, 8_000] {
            packet.extend(value.to_be_bytes());
        }
        for value in [stream, 0, 0x0001_0007, 3, 0, 0] {
            packet.extend(value.to_be_bytes());
        }
        packet
    }

    fn words(packet: &[u8]) -> Vec<u32> {
        packet.chunks_exact(4).map(|chunk| u32::from_be_bytes(chunk.try_into().unwrap())).collect()
    }

    #[test]
    fn a_sender_report_gets_the_names_and_numbers_of_the_other_side() {
        let mut packet = sender_report(0xA0A0);
        packet.extend([0x81, 202, 0, 2, 0, 0, 0xAA, 0xAA, 1, 1, b'x', 0]);
        let length = rewrite(&mut packet, &NAMES);
        assert_eq!(length, packet.len());
        let words = words(&packet);
        assert_eq!(words[1..7], [0xB0B0, 11, 22, 9_000, 50, 8_000]);
        assert_eq!(words[7..13], [0xBEEF, 0, 0x0001_0002, 3, 0, 0]);
        assert_eq!(words[14], 0xB0B0);
    }

    #[test]
    fn the_end_of_a_stream_is_not_passed_on() {
        let mut packet = sender_report(0xA0A0);
        let report = packet.len();
        packet.extend([0x81, 203, 0, 1, 0, 0, 0xAA, 0xAA]);
        assert_eq!(rewrite(&mut packet, &NAMES), report);
    }

    #[test]
    fn reports_about_streams_that_nobody_knows_are_left_out() {
        assert_eq!(rewrite(&mut sender_report(0x1234), &NAMES), 0);
        assert_eq!(rewrite(&mut sender_report(0xA0A0), &Names { origin: None, ..NAMES }), 0);
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic_and_never_grow(bytes in proptest::collection::vec(any::<u8>(), 0..200), report: bool) {
            let mut packet = if report { sender_report(0xA0A0) } else { Vec::new() };
            packet.extend(bytes);
            let length = rewrite(&mut packet, &NAMES);
            prop_assert!(length <= packet.len());
        }
    }
}
