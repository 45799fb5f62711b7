//! RTP headers: read with the checks of RFC 3550 appendix A.1, rewritten in place.

use std::ops::Range;

/// Bytes of a header without contributing sources.
pub const HEADER_BYTES: usize = 12;

/// What a packet's header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Begin of a talkspurt, or of an event.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// Counts packets; wraps.
    pub sequence: u16,
    /// Counts samples; wraps.
    pub timestamp: u32,
    /// The stream.
    pub ssrc: u32,
    /// Where the payload is, without extension and padding.
    pub payload: Range<usize>,
}

impl Header {
    /// Reads a packet; `None` when it is no whole RTP packet.
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let (fixed, _) = packet.split_first_chunk::<HEADER_BYTES>()?;
        let [first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *fixed;
        if first >> 6 != 2 {
            return None;
        }
        let mut start = HEADER_BYTES + usize::from(first & 0x0F) * 4;
        if first & 0x10 != 0 {
            let words = u16::from_be_bytes(*packet.get(start + 2..)?.first_chunk()?);
            start += 4 + usize::from(words) * 4;
        }
        let mut end = packet.len();
        if first & 0x20 != 0 {
            let padding = usize::from(*packet.last()?);
            if padding == 0 {
                return None;
            }
            end = end.checked_sub(padding)?;
        }
        (start <= end).then_some(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7F,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
            payload: start..end,
        })
    }

    /// Writes the fields over a packet's header; version, padding, extension and sources stay as they are.
    ///
    /// Does nothing to a packet that is shorter than a header.
    pub fn rewrite(&self, packet: &mut [u8]) {
        if let Some((fixed, _)) = packet.split_first_chunk_mut::<HEADER_BYTES>() {
            let [s0, s1] = self.sequence.to_be_bytes();
            let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
            let [r0, r1, r2, r3] = self.ssrc.to_be_bytes();
            let second = (u8::from(self.marker) << 7) | (self.payload_type & 0x7F);
            *fixed = [fixed[0], second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3];
        }
    }

    /// A whole packet with this header and `payload`; [`Header::payload`] is not looked at.
    pub fn packet(&self, payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::with_capacity(HEADER_BYTES + payload.len());
        packet.extend_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend_from_slice(payload);
        self.rewrite(&mut packet);
        packet
    }
}

/// Takes the header extension out of a packet, whose new length it says: nobody agrees on one with us, and what is in one from
/// one side is nothing for the other.
pub(crate) fn without_extension(packet: &mut [u8]) -> usize {
    let whole = packet.len();
    let Some(first) = packet.first().copied().filter(|first| first & 0x10 != 0) else { return whole };
    let fixed = HEADER_BYTES + usize::from(first & 0x0F) * 4;
    let words = packet.get(fixed + 2..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u16::from_be_bytes);
    let after = fixed + 4 + usize::from(words) * 4;
    if after > whole {
        return whole;
    }
    packet.copy_within(after.., fixed);
    if let Some(byte) = packet.first_mut() {
        *byte = first & !0x10;
    }
    whole - (after - fixed)
}

/// RTCP that came to the RTP port: its packet types lie where RTP's second byte has no agreed meaning (RFC 5761 section 4).
pub(crate) fn is_rtcp(packet: &[u8]) -> bool {
    packet.get(1).is_some_and(|second| (192..=223).contains(second))
}

/// How far `sequence` is ahead of `base`; negative when it is behind. Right within half the number space.
pub(crate) const fn ahead(sequence: u16, base: u16) -> i16 {
    sequence.wrapping_sub(base).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn extension_sources_and_padding_are_not_payload() {
        let mut packet = vec![0xB1, 0x80, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend([0; 4]);
        packet.extend([0xBE, 0xDE, 0, 1, 1, 2, 3, 4]);
        packet.extend([7, 7, 7, 0, 0, 3]);
        let header = Header::parse(&packet).unwrap();
        assert_eq!(packet[header.payload.clone()], [7, 7, 7]);
        assert!(header.marker);
        assert_eq!((header.sequence, header.timestamp, header.ssrc), (1, 2, 3));
    }

    #[test]
    fn an_extension_is_taken_out_and_all_else_stays() {
        let mut packet = vec![0xB1, 0x80, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9];
        packet.extend([0xBE, 0xDE, 0, 1, 0x1F, 2, 3, 4]);
        packet.extend([7, 8, 7, 0, 0, 3]);
        let length = without_extension(&mut packet);
        packet.truncate(length);
        assert_eq!(packet, [0xA1, 0x80, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 7, 8, 7, 0, 0, 3]);
        assert_eq!(without_extension(&mut packet), packet.len(), "there is none");
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        assert_eq!(Header::parse(&[0x80; 11]), None);
        assert_eq!(Header::parse(&[0x8F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(Header::parse(&[0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]), None);
        assert_eq!(Header::parse(&[0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200]), None);
        assert_eq!(Header::parse(&[0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(Header::parse(&[0x40; 12]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(header) = Header::parse(&bytes) {
                prop_assert!(header.payload.end <= bytes.len() && header.payload.start >= HEADER_BYTES);
            }
        }

        #[test]
        fn what_is_written_is_read(
            marker: bool, payload_type in 0_u8..128, sequence: u16, timestamp: u32, ssrc: u32, length in 0_usize..50,
        ) {
            let header = Header { marker, payload_type, sequence, timestamp, ssrc, payload: 12..12 + length };
            prop_assert_eq!(Header::parse(&header.packet(&vec![1; length])), Some(header));
        }
    }
}
