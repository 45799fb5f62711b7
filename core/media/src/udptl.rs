//! UDPTL: how the packets of T.38 travel over UDP, and how those that are lost come back (ITU-T T.38 section 9.1).
//!
//! Each datagram has a packet and, so that a few may be lost, either those before it once more (redundancy) or the
//! exclusive or of groups of them (FEC). [`Receiver`] gives each packet once and in order, those that came back in their
//! place; [`Sender`] writes redundancy, which everybody can read, or FEC for those who want it.
//!
//! ```
//! use plugboard_media::udptl::{Receiver, Sender};
//!
//! let (mut sender, mut receiver) = (Sender::new(400), Receiver::default());
//! sender.pack(b"lost");
//! let datagram = sender.pack(b"came");
//! let came = receiver.take(&datagram).unwrap();
//! assert_eq!(came, [(0, b"lost".to_vec()), (1, b"came".to_vec())]);
//! ```

use std::collections::VecDeque;

/// The longest datagram that is read: an Ethernet frame.
const DATAGRAM_MAX: usize = 1_500;

/// Packets of redundancy in a datagram: what is lost once in a hundred times is lost four times in a row once in a hundred million.
const REDUNDANCY: usize = 3;

/// Packets of a group of FEC, and groups in a datagram: as with redundancy, three that are lost in a row come back.
const SPAN: usize = 3;
const GROUPS: usize = 3;

/// Packets of redundancy, or groups of FEC, that are read in one datagram.
const ENTRIES_MAX: usize = 32;

/// Packets that are remembered, since FEC speaks of them: spans and groups are a handful each.
const REMEMBERED: usize = 64;

/// Whoever jumps further than this counts anew.
const JUMP_MAX: i32 = 1_000;

/// Why a datagram is none of UDPTL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UdptlError {
    /// Longer than is read.
    #[error("a datagram of UDPTL has at most {DATAGRAM_MAX} bytes, this one has {0}")]
    TooLong(usize),
    /// It ends amid something.
    #[error("a datagram of UDPTL is cut off")]
    CutOff,
    /// A length that is given in pieces; no packet of T.38 is that long.
    #[error("a packet of T.38 has less than 16,384 bytes")]
    Fragments,
    /// Too many packets or groups in one.
    #[error("a datagram of UDPTL brings at most {ENTRIES_MAX} packets or groups again, this one {0}")]
    Entries(usize),
}

/// A datagram, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Counts up by one from datagram to datagram.
    pub sequence: u16,
    /// The packet of T.38.
    pub primary: &'a [u8],
    /// What brings others back.
    pub recovery: Recovery<'a>,
}

/// What brings packets back that were lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery<'a> {
    /// The packets before this one, the nearest first.
    Redundancy(Vec<&'a [u8]>),
    /// Groups of packets before this one: each is the exclusive or of `span` packets, as many apart as there are groups.
    Fec {
        /// Packets of each group.
        span: u8,
        /// The groups.
        groups: Vec<&'a [u8]>,
    },
}

impl<'a> Datagram<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// [`UdptlError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, UdptlError> {
        if bytes.len() > DATAGRAM_MAX {
            return Err(UdptlError::TooLong(bytes.len()));
        }
        let (sequence, mut rest) = bytes.split_first_chunk::<2>().ok_or(UdptlError::CutOff)?;
        let primary = open_type(&mut rest)?;
        let recovery = match byte(&mut rest)? {
            kind if kind & 0x80 == 0 => Recovery::Redundancy(entries(&mut rest)?),
            _ => {
                // An integer without bounds: how many bytes it has, and these.
                let span = match byte(&mut rest)? {
                    1 => byte(&mut rest)?,
                    length => return Err(UdptlError::Entries(usize::from(length))),
                };
                Recovery::Fec { span, groups: entries(&mut rest)? }
            }
        };
        Ok(Self { sequence: u16::from_be_bytes(*sequence), primary, recovery })
    }

    /// Writes it.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = self.sequence.to_be_bytes().to_vec();
        put(&mut bytes, self.primary);
        let all = match &self.recovery {
            Recovery::Redundancy(packets) => {
                bytes.push(0);
                packets
            }
            Recovery::Fec { span, groups } => {
                bytes.extend([0x80, 1, *span]);
                groups
            }
        };
        put_length(&mut bytes, all.len());
        for entry in all {
            put(&mut bytes, entry);
        }
        bytes
    }
}

fn byte(rest: &mut &[u8]) -> Result<u8, UdptlError> {
    let (first, others) = rest.split_first().ok_or(UdptlError::CutOff)?;
    *rest = others;
    Ok(*first)
}

/// A length as the packed encoding rules have it (ITU-T X.691 section 11.9).
fn length(rest: &mut &[u8]) -> Result<usize, UdptlError> {
    match byte(rest)? {
        short if short & 0x80 == 0 => Ok(usize::from(short)),
        high if high & 0x40 == 0 => Ok(usize::from(high & 0x3F) << 8 | usize::from(byte(rest)?)),
        _ => Err(UdptlError::Fragments),
    }
}

fn open_type<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], UdptlError> {
    let length = length(rest)?;
    let (value, others) = rest.split_at_checked(length).ok_or(UdptlError::CutOff)?;
    *rest = others;
    Ok(value)
}

fn entries<'a>(rest: &mut &'a [u8]) -> Result<Vec<&'a [u8]>, UdptlError> {
    let count = length(rest)?;
    if count > ENTRIES_MAX {
        return Err(UdptlError::Entries(count));
    }
    (0..count).map(|_| open_type(rest)).collect()
}

fn put(bytes: &mut Vec<u8>, value: &[u8]) {
    put_length(bytes, value.len());
    bytes.extend_from_slice(value);
}

fn put_length(bytes: &mut Vec<u8>, length: usize) {
    let [low, high, ..] = length.to_le_bytes();
    if length >= 0x80 {
        bytes.push(0x80 | high & 0x3F);
    }
    bytes.push(low);
}

/// Gives each packet once.
#[derive(Debug, Default)]
pub struct Receiver {
    /// The number of the next that was not given yet.
    next: Option<u16>,
    /// The last ones with their numbers, whether they came or came back.
    known: VecDeque<(u16, Vec<u8>)>,
    lost: u64,
    recovered: u64,
}

impl Receiver {
    /// Takes a datagram; the packets that it brings, in order. One that comes late has been brought by another, or is lost.
    ///
    /// # Errors
    /// [`UdptlError`].
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<(u16, Vec<u8>)>, UdptlError> {
        let datagram = Datagram::parse(bytes)?;
        let sequence = datagram.sequence;
        // What came before the first datagram is wanted as well, as far as it brings it.
        let next = self.next.unwrap_or_else(|| match &datagram.recovery {
            Recovery::Redundancy(before) => sequence.saturating_sub(u16::try_from(before.len()).unwrap_or(0)),
            Recovery::Fec { .. } => sequence,
        });
        let ahead = i32::from(sequence.wrapping_sub(next).cast_signed());
        if ahead.abs() > JUMP_MAX {
            self.known.clear();
            self.next = Some(sequence);
            return self.take(bytes);
        }
        // One that is late may still help to repair: nothing of it is given.
        self.remember(sequence, datagram.primary.to_vec());
        match &datagram.recovery {
            Recovery::Redundancy(before) => {
                for (packet, back) in before.iter().zip(1_u16..) {
                    self.remember(sequence.wrapping_sub(back), packet.to_vec());
                }
            }
            Recovery::Fec { span, groups } => self.repair(sequence, u16::from(*span), groups),
        }
        if ahead < 0 {
            return Ok(Vec::new());
        }
        let mut given = Vec::new();
        let count = u16::try_from(ahead).unwrap_or(0);
        for number in (0..=count).map(|place| next.wrapping_add(place)) {
            match self.known(number).map(<[u8]>::to_vec) {
                Some(packet) => {
                    self.recovered += u64::from(number != sequence);
                    given.push((number, packet));
                }
                None => self.lost += 1,
            }
        }
        self.next = Some(sequence.wrapping_add(1));
        Ok(given)
    }

    /// Packets that never came, and those that others brought.
    pub const fn counts(&self) -> (u64, u64) {
        (self.lost, self.recovered)
    }

    fn known(&self, number: u16) -> Option<&[u8]> {
        self.known.iter().find(|(known, _)| *known == number).map(|(_, packet)| packet.as_slice())
    }

    fn remember(&mut self, number: u16, packet: Vec<u8>) {
        if self.known(number).is_none() {
            if self.known.len() >= REMEMBERED {
                self.known.pop_front();
            }
            self.known.push_back((number, packet));
        }
    }

    /// Each group of which one packet is missing gives that one.
    fn repair(&mut self, sequence: u16, span: u16, groups: &[&[u8]]) {
        let apart = u16::try_from(groups.len()).unwrap_or(0);
        if usize::from(span) * groups.len() > REMEMBERED {
            return;
        }
        for (group, first) in groups.iter().zip(0_u16..) {
            let members = (1..=span).map(|back| sequence.wrapping_add(first).wrapping_sub(back * apart));
            let missing: Vec<u16> = members.clone().filter(|member| self.known(*member).is_none()).collect();
            let [missing] = missing.as_slice() else { continue };
            let mut packet = group.to_vec();
            for member in members.filter(|member| member != missing) {
                for (byte, other) in packet.iter_mut().zip(self.known(member).unwrap_or_default()) {
                    *byte ^= other;
                }
            }
            self.remember(*missing, packet);
        }
    }
}

/// Writes datagrams.
#[derive(Debug)]
pub struct Sender {
    sequence: u16,
    before: VecDeque<Vec<u8>>,
    longest: usize,
    fec: bool,
}

impl Sender {
    /// From 0 on, none longer than `longest` bytes as far as packets let it: the far end says what it takes.
    pub const fn new(longest: usize) -> Self {
        Self { sequence: 0, before: VecDeque::new(), longest, fec: false }
    }

    /// The same with FEC in place of redundancy, for a far end that asks for it.
    pub const fn with_fec(longest: usize) -> Self {
        Self { sequence: 0, before: VecDeque::new(), longest, fec: true }
    }

    /// The datagram of the next packet: those before it are in it, as many as there is room for.
    pub fn pack(&mut self, packet: &[u8]) -> Vec<u8> {
        let datagram = if self.fec { self.corrected(packet) } else { self.redundant(packet) };
        self.sequence = self.sequence.wrapping_add(1);
        self.before.push_front(packet.to_vec());
        self.before.truncate(if self.fec { SPAN * GROUPS } else { REDUNDANCY });
        datagram
    }

    fn redundant(&self, packet: &[u8]) -> Vec<u8> {
        let mut redundancy: Vec<&[u8]> = self.before.iter().map(Vec::as_slice).collect();
        loop {
            let recovery = Recovery::Redundancy(redundancy.clone());
            let bytes = Datagram { sequence: self.sequence, primary: packet, recovery }.write();
            if bytes.len() <= self.longest || redundancy.pop().is_none() {
                return bytes;
            }
        }
    }

    /// With as many groups as there are packets before it, and room.
    fn corrected(&self, packet: &[u8]) -> Vec<u8> {
        let mut count = GROUPS.min(self.before.len() / SPAN);
        loop {
            let groups: Vec<Vec<u8>> = (0..count).map(|group| self.sum_of(group, count)).collect();
            let span = if count == 0 { 0 } else { u8::try_from(SPAN).unwrap_or(0) };
            let recovery = Recovery::Fec { span, groups: groups.iter().map(Vec::as_slice).collect() };
            let bytes = Datagram { sequence: self.sequence, primary: packet, recovery }.write();
            if bytes.len() <= self.longest || count == 0 {
                return bytes;
            }
            count -= 1;
        }
    }

    /// The exclusive or of the packets of a group: those before this one, as many apart as there are groups; shorter ones end in zeros.
    fn sum_of(&self, group: usize, count: usize) -> Vec<u8> {
        let members = (1..=SPAN).filter_map(|back| self.before.get((back * count).checked_sub(group + 1)?));
        members.fold(Vec::new(), |mut sum, member| {
            sum.resize(sum.len().max(member.len()), 0);
            for (byte, other) in sum.iter_mut().zip(member) {
                *byte ^= other;
            }
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Datagrams and what stands in them, by the encoding of ITU-T T.38 (indicators: CNG 02, CED 04, V.21 preamble 06).
    #[test]
    fn datagrams_are_read_and_written_byte_by_byte() {
        let long = [&[0x00, 0x02, 0x81, 0x2C][..], &[0xAA; 300], &[0x00, 0x01, 0x01, 0x06]].concat();
        let filled = [0xAA; 300];
        let redundancy = |entries: &[&'static [u8]]| Recovery::Redundancy(entries.to_vec());
        let vectors: [(&[u8], Datagram<'_>); 5] = [
            (b"\x00\x00\x01\x02\x00\x00", Datagram { sequence: 0, primary: b"\x02", recovery: redundancy(&[]) }),
            (
                b"\x00\x01\x01\x06\x00\x01\x01\x04",
                Datagram { sequence: 1, primary: b"\x06", recovery: redundancy(&[b"\x04"]) },
            ),
            // V.21 data: HDLC, then FCS OK, of two packets before.
            (
                b"\xFF\xFF\x05\xC0\x01\x80\x00\x00\x00\x02\x01\x06\x01\x00",
                Datagram {
                    sequence: 65_535,
                    primary: b"\xC0\x01\x80\x00\x00",
                    recovery: redundancy(&[b"\x06", b"\x00"]),
                },
            ),
            (
                b"\x00\x09\x02\x0A\x0B\x80\x01\x02\x02\x01\x55\x02\x66\x77",
                Datagram {
                    sequence: 9,
                    primary: b"\x0A\x0B",
                    recovery: Recovery::Fec { span: 2, groups: vec![b"\x55", b"\x66\x77"] },
                },
            ),
            (&long, Datagram { sequence: 2, primary: &filled, recovery: redundancy(&[b"\x06"]) }),
        ];
        for (bytes, datagram) in vectors {
            assert_eq!(Datagram::parse(bytes).as_ref(), Ok(&datagram));
            assert_eq!(datagram.write(), bytes);
            for length in 0..bytes.len() {
                assert!(Datagram::parse(&bytes[..length]).is_err(), "{length} of {bytes:?}");
            }
        }
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert_eq!(Datagram::parse(&[0; 1_501]), Err(UdptlError::TooLong(1_501)));
        assert_eq!(Datagram::parse(b"\0\0\xC1\0"), Err(UdptlError::Fragments));
        assert_eq!(Datagram::parse(b"\0\0\0\0\x21"), Err(UdptlError::Entries(33)));
        assert_eq!(Datagram::parse(b"\0\0\0\x80\x02\x01\x01\0"), Err(UdptlError::Entries(2)));
    }

    fn packet(number: u16) -> Vec<u8> {
        vec![u8::try_from(number & 0xFF).unwrap(); usize::from(number % 7) + 1]
    }

    #[test]
    fn each_packet_is_given_once_and_in_order_whatever_is_lost_up_to_three_in_a_row() {
        let (mut sender, mut receiver) = (Sender::new(400), Receiver::default());
        let mut given = Vec::new();
        for number in 0..1_000_u16 {
            let datagram = sender.pack(&packet(number));
            // Three of each ten do not come, and each fifth comes twice.
            if number % 10 >= 7 && number < 995 {
                continue;
            }
            given.extend(receiver.take(&datagram).unwrap());
            if number % 5 == 0 {
                assert_eq!(receiver.take(&datagram).unwrap(), []);
            }
        }
        let all: Vec<_> = (0..1_000).map(|number| (number, packet(number))).collect();
        assert_eq!(given, all);
        assert_eq!(receiver.counts(), (0, 297));
    }

    #[test]
    fn a_fourth_in_a_row_is_lost_and_its_number_is_left_out() {
        let (mut sender, mut receiver) = (Sender::new(400), Receiver::default());
        receiver.take(&sender.pack(b"0")).unwrap();
        for _ in 0..4 {
            sender.pack(b"x");
        }
        let given: Vec<u16> =
            receiver.take(&sender.pack(b"5")).unwrap().into_iter().map(|(number, _)| number).collect();
        assert_eq!(given, [2, 3, 4, 5]);
        assert_eq!(receiver.counts(), (1, 3));
    }

    #[test]
    fn numbers_wrap_and_one_that_counts_anew_is_followed() {
        let mut receiver = Receiver::default();
        let alone =
            |sequence: u16| Datagram { sequence, primary: b"p", recovery: Recovery::Redundancy(Vec::new()) }.write();
        for sequence in [65_534, 65_535, 0, 1] {
            assert_eq!(receiver.take(&alone(sequence)).unwrap(), [(sequence, b"p".to_vec())]);
        }
        assert_eq!(receiver.take(&alone(30_000)).unwrap().len(), 1);
        assert_eq!(receiver.take(&alone(0)).unwrap().len(), 1);
    }

    #[test]
    fn a_datagram_is_no_longer_than_the_far_end_takes() {
        let mut sender = Sender::new(100);
        for _ in 0..5 {
            assert!(sender.pack(&[7; 40]).len() <= 100);
        }
        assert_eq!(sender.pack(&[7; 150]).len(), 156, "a packet goes, whatever it is");
    }

    /// As senders of FEC write it: groups of `span` packets that are `groups` apart.
    fn with_fec(sequence: u16, span: u16, groups: u16) -> Vec<u8> {
        let group = |first: u16| {
            let members = (1..=span).map(|back| packet(sequence + first - back * groups));
            members.fold(Vec::new(), |sum: Vec<u8>, member| {
                let length = sum.len().max(member.len());
                let at = |bytes: &[u8], index: usize| bytes.get(index).copied().unwrap_or(0);
                (0..length).map(|index| at(&sum, index) ^ at(&member, index)).collect()
            })
        };
        let made: Vec<Vec<u8>> = (0..groups).map(group).collect();
        let recovery =
            Recovery::Fec { span: u8::try_from(span).unwrap(), groups: made.iter().map(Vec::as_slice).collect() };
        Datagram { sequence, primary: &packet(sequence), recovery }.write()
    }

    /// By hand, after ITU-T T.38 section 9.1.4.1 and the packed encoding rules: number, packet, FEC with a span of 3 and its groups.
    #[test]
    fn fec_is_written_byte_by_byte() {
        let mut sender = Sender::with_fec(400);
        let said: Vec<Vec<u8>> = (1..=10_u8).map(|number| sender.pack(&[number, 0x10])).collect();
        // The first has nothing before it, the third not enough.
        assert_eq!(said[0], b"\x00\x00\x02\x01\x10\x80\x01\x00\x00");
        assert_eq!(said[2], b"\x00\x02\x02\x03\x10\x80\x01\x00\x00");
        // 1 ^ 2 ^ 3 = 0.
        assert_eq!(said[3], b"\x00\x03\x02\x04\x10\x80\x01\x03\x01\x02\x00\x10");
        // 1 ^ 3 ^ 5 = 7, 2 ^ 4 ^ 6 = 0.
        assert_eq!(said[6], b"\x00\x06\x02\x07\x10\x80\x01\x03\x02\x02\x07\x10\x02\x00\x10");
        // 1 ^ 4 ^ 7 = 2, 2 ^ 5 ^ 8 = 15, 3 ^ 6 ^ 9 = 12.
        assert_eq!(said[9], b"\x00\x09\x02\x0A\x10\x80\x01\x03\x03\x02\x02\x10\x02\x0F\x10\x02\x0C\x10");
    }

    #[test]
    fn fec_of_ours_brings_back_what_is_lost_up_to_three_in_a_row_and_is_no_longer_than_the_far_end_takes() {
        let (mut sender, mut receiver) = (Sender::with_fec(400), Receiver::default());
        let mut given = Vec::new();
        for number in 0..1_000_u16 {
            let datagram = sender.pack(&packet(number));
            if number < 10 || number % 12 < 9 {
                given.extend(receiver.take(&datagram).unwrap());
            }
        }
        let numbers: Vec<u16> = given.iter().map(|(number, _)| *number).collect();
        let last = numbers.last().copied().unwrap();
        assert_eq!(numbers, (0..=last).collect::<Vec<_>>(), "{:?}", receiver.counts());
        assert!(last >= 990);
        for (number, came) in &given {
            let (meant, padding) = came.split_at(packet(*number).len());
            assert!(meant == packet(*number) && padding.iter().all(|byte| *byte == 0), "{number}");
        }
        let mut sender = Sender::with_fec(100);
        for _ in 0..12 {
            assert!(sender.pack(&[7; 40]).len() <= 100);
        }
    }

    #[test]
    fn fec_brings_back_one_packet_of_each_group() {
        for (span, groups) in [(3, 1), (2, 3), (4, 2)] {
            let mut receiver = Receiver::default();
            let mut given = Vec::new();
            for number in 101..200_u16 {
                // Every eleventh is lost; with several groups the one after it, too.
                let lost = number % 11 == 0 || (groups > 1 && number % 11 == 1);
                if !lost || number == 199 {
                    given.extend(receiver.take(&with_fec(number, span, groups)).unwrap());
                }
            }
            for (number, came) in &given {
                let (meant, padding) = came.split_at(packet(*number).len());
                assert!(meant == packet(*number) && padding.iter().all(|byte| *byte == 0), "{number}");
            }
            let numbers: Vec<u16> = given.iter().map(|(number, _)| *number).collect();
            assert_eq!(numbers, (101..200).collect::<Vec<_>>(), "span {span}, {groups} groups");
        }
    }
}
