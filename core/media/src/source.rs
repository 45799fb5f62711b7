//! Where a leg's media comes from, and so where it is sent: symmetric RTP that cannot be stolen (RFC 4961).
//!
//! The address of the SDP always wins. Behind a NAT media comes from elsewhere: such a source is learned only after
//! several packets that belong together, and only while no known source talks. Whoever sprays packets at the port of
//! a running call is not heard, nor sent to, however long the far end is silent (mute, hold, silence suppression): a
//! known source gives way to its own host and the announced one alone, as when a NAT gives it another port.
//!
//! A phone whose NAT gets another address has to say so by a further SDP (a re-INVITE, RFC 3261 section 14): from then
//! on anybody can be learned again, unless the SDP is a hold, or repeats the address that its media really came from.
//!
//! A phone that goes on by T.38 is where its audio was found to be, or on another port of the hosts that are known for it
//! ([`Source::beside`]); whoever was heard then stays the one, since machines are silent for as long as the other one speaks.

use crate::rtp::{Header, ahead};
use plugboard_model::Time;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// So many packets in sequence make a source. 100 ms of audio are lost; a guess at the port number is not enough.
pub(crate) const LEARN_PACKETS: u8 = 5;

/// A source that is silent for so long may be replaced. Longer than any pause of a phone that sends all the time,
/// shorter than a caller waits when his NAT moved him.
pub(crate) const SOURCE_SILENT: Duration = Duration::from_secs(2);

/// Two packets that are further apart do not belong together.
const PACKETS_APART: Duration = SOURCE_SILENT;

/// Two datagrams of T.38 are: a machine that calls says little until the other one has answered.
const DATAGRAMS_APART: Duration = Duration::from_secs(10);

/// The step between two packets that still belong together: a few may be lost.
const STEP_MAX: i16 = 10;

/// More sources than this never talk to one port at once, except in an attack.
const CANDIDATES_MAX: usize = 4;

/// What a packet's origin means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// From the known source.
    Known,
    /// From what is the known source from now on.
    Learned,
    /// From somebody else.
    Stranger,
}

/// What packets that belong together have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    stream: u32,
    sequence: u16,
}

impl Mark {
    /// A datagram of UDPTL has a number, and no name of its stream.
    pub(crate) const fn of_datagram(sequence: u16) -> Self {
        Self { stream: 0, sequence }
    }
}

impl From<&Header> for Mark {
    fn from(header: &Header) -> Self {
        Self { stream: header.ssrc, sequence: header.sequence }
    }
}

#[derive(Debug, Clone, Copy)]
enum Heard {
    /// Nothing since the last SDP. Media goes to `toward`: the SDP's address, or the one learned before when an SDP
    /// repeats itself. `open`: any host can be learned; otherwise the announced one and that of `toward`.
    Nobody { toward: SocketAddr, open: bool },
    /// The SDP's address.
    Announced { at: Time },
    /// Another one.
    Learned { source: SocketAddr, at: Time },
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    source: SocketAddr,
    mark: Mark,
    packets: u8,
    at: Time,
}

/// One leg's source of RTP, or of T.38.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    announced: SocketAddr,
    /// Media came from there since it was announced first: no NAT is between, and whoever else sends is a stranger.
    spoke: bool,
    heard: Heard,
    /// Where the far end was found by what it sent before, when this is something else that it sends.
    host: Option<IpAddr>,
    candidates: [Option<Candidate>; CANDIDATES_MAX],
}

impl Source {
    /// For the address of a first SDP.
    pub(crate) const fn new(announced: SocketAddr) -> Self {
        let heard = Heard::Nobody { toward: announced, open: true };
        Self { announced, spoke: false, heard, host: None, candidates: [None; CANDIDATES_MAX] }
    }

    /// For what the same far end sends in place of its audio, whose source is `audio`, by an SDP that announces this address: where
    /// its audio came from it may come from as well, and from nowhere else if audio ever came.
    pub(crate) fn beside(audio: &Self, announced: SocketAddr) -> Self {
        let candidates = [None; CANDIDATES_MAX];
        let host = Some(audio.destination().ip());
        if announced == audio.announced {
            // On the port of the audio it has the same way through its NAT.
            return Self { host, candidates, ..audio.clone() };
        }
        let open = matches!(audio.heard, Heard::Nobody { open: true, .. });
        Self { announced, spoke: false, heard: Heard::Nobody { toward: announced, open }, host, candidates }
    }

    /// A further SDP: learning starts anew. `holds`: it says that media does not flow both ways.
    pub(crate) fn announce(&mut self, announced: SocketAddr, holds: bool) {
        // An old way to hold names no address (RFC 3264 section 8.4): whoever was known stays so until one is named.
        let nowhere = announced.ip().is_unspecified() && !self.announced.ip().is_unspecified();
        if announced != self.announced && !nowhere {
            *self = Self::new(announced);
            return;
        }
        // A re-INVITE that repeats the address comes from behind the same NAT: keep sending there meanwhile.
        let open = match self.heard {
            Heard::Nobody { open, .. } => open || !(holds || self.spoke),
            Heard::Announced { .. } | Heard::Learned { .. } => !(holds || nowhere || self.spoke),
        };
        self.heard = Heard::Nobody { toward: self.destination(), open };
        self.candidates = [None; CANDIDATES_MAX];
    }

    /// Where to send.
    pub(crate) const fn destination(&self) -> SocketAddr {
        match self.heard {
            Heard::Nobody { toward, .. } => toward,
            Heard::Announced { .. } => self.announced,
            Heard::Learned { source, .. } => source,
        }
    }

    /// The source that was learned, if it is not the announced one.
    pub(crate) const fn learned(&self) -> Option<SocketAddr> {
        match self.heard {
            Heard::Learned { source, .. } => Some(source),
            Heard::Nobody { .. } | Heard::Announced { .. } => None,
        }
    }

    /// Whoever is there has proved to be the far end.
    pub(crate) fn prove(&mut self, now: Time, from: SocketAddr) {
        self.candidates = [None; CANDIDATES_MAX];
        self.heard = Heard::Learned { source: from, at: now };
    }

    /// Whether a packet from there could be the far end's. Changes nothing.
    pub(crate) fn may_be(&self, now: Time, from: SocketAddr) -> bool {
        // Fax machines take turns: one that says nothing listens, maybe for a page of a minute.
        let alive = |at: Time| self.host.is_some() || now.since(at) < SOURCE_SILENT;
        match self.heard {
            Heard::Learned { source, at } if alive(at) => from == source || from == self.announced,
            Heard::Announced { at } if alive(at) => from == self.announced,
            Heard::Nobody { open: true, .. } => true,
            Heard::Learned { .. } | Heard::Announced { .. } | Heard::Nobody { open: false, .. } => {
                self.is_own_host(from)
            }
        }
    }

    /// Whether that is a host that the far end was said or found to be.
    fn is_own_host(&self, from: SocketAddr) -> bool {
        [Some(self.announced.ip()), Some(self.destination().ip()), self.host].contains(&Some(from.ip()))
    }

    /// Judges a packet.
    pub(crate) fn judge(&mut self, now: Time, from: SocketAddr, mark: impl Into<Mark>) -> Verdict {
        if from == self.announced {
            self.heard = Heard::Announced { at: now };
            self.spoke = true;
            return Verdict::Known;
        }
        if !self.may_be(now, from) {
            return Verdict::Stranger;
        }
        match &mut self.heard {
            Heard::Learned { source, at } if *source == from => {
                *at = now;
                Verdict::Known
            }
            Heard::Learned { .. } | Heard::Announced { .. } | Heard::Nobody { .. } => {
                self.consider(now, from, mark.into())
            }
        }
    }

    fn consider(&mut self, now: Time, from: SocketAddr, mark: Mark) -> Verdict {
        if self.candidate(now, from, mark) < LEARN_PACKETS {
            return Verdict::Stranger;
        }
        self.candidates = [None; CANDIDATES_MAX];
        self.heard = Heard::Learned { source: from, at: now };
        Verdict::Learned
    }

    /// Counts the packet for its source and says how many belong together now.
    fn candidate(&mut self, now: Time, from: SocketAddr, mark: Mark) -> u8 {
        let apart = if self.host.is_some() { DATAGRAMS_APART } else { PACKETS_APART };
        let fresh = Candidate { source: from, mark, packets: 1, at: now };
        if let Some(known) = self.candidates.iter_mut().flatten().find(|candidate| candidate.source == from) {
            let step = ahead(mark.sequence, known.mark.sequence);
            let follows = known.mark.stream == mark.stream && (1..=STEP_MAX).contains(&step);
            let recent = now.since(known.at) < apart;
            if step == 0 && known.mark.stream == mark.stream && recent {
                // The same once more, as some send what must not be lost.
                return known.packets;
            }
            *known = if follows && recent { Candidate { packets: known.packets + 1, ..fresh } } else { fresh };
            return known.packets;
        }
        // The one with the fewest packets goes, of several the oldest: a spray displaces itself first.
        let weakest =
            self.candidates.iter_mut().min_by_key(|slot| slot.map(|candidate| (candidate.packets, candidate.at)));
        if let Some(slot) = weakest {
            *slot = Some(fresh);
        }
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "192.0.2.1:4000";
    const NAT: &str = "198.51.100.7:61000";
    const EVIL: &str = "203.0.113.66:1234";

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn header(ssrc: u32, sequence: u16) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp: 0, ssrc, payload: 12..12 }
    }

    /// Sends `count` packets, one each 20 ms, and returns the last verdict.
    fn talk(source: &mut Source, from_ms: u64, who: &str, ssrc: u32, sequence: u16, count: u16) -> Verdict {
        let mut verdict = Verdict::Stranger;
        for n in 0..count {
            let now = Time::from_millis(from_ms + 20 * u64::from(n));
            verdict = source.judge(now, at(who), &header(ssrc, sequence.wrapping_add(n)));
        }
        verdict
    }

    #[test]
    fn the_sdp_address_is_known_from_its_first_packet() {
        let mut source = Source::new(at(SDP));
        assert_eq!(talk(&mut source, 0, SDP, 1, 0, 1), Verdict::Known);
        assert_eq!(source.destination(), at(SDP));
    }

    #[test]
    fn a_source_behind_nat_is_learned_after_five_packets_in_sequence() {
        let mut source = Source::new(at(SDP));
        assert_eq!(talk(&mut source, 0, NAT, 1, 65_533, 4), Verdict::Stranger);
        assert_eq!(source.destination(), at(SDP));
        assert_eq!(talk(&mut source, 80, NAT, 1, 1, 1), Verdict::Learned);
        assert_eq!(source.destination(), at(NAT));
        assert_eq!(talk(&mut source, 100, NAT, 1, 2, 1), Verdict::Known);
    }

    #[test]
    fn packets_that_do_not_belong_together_teach_nothing() {
        let mut source = Source::new(at(SDP));
        for n in 0..50 {
            assert_eq!(talk(&mut source, u64::from(n) * 20, EVIL, u32::from(n), n, 1), Verdict::Stranger);
            assert_eq!(talk(&mut source, u64::from(n) * 20, NAT, 9, n * 1_000, 1), Verdict::Stranger);
        }
        assert_eq!(source.destination(), at(SDP));
    }

    #[test]
    fn a_spray_cannot_steal_a_running_stream() {
        let mut source = Source::new(at(SDP));
        talk(&mut source, 0, NAT, 1, 0, 5);
        for n in 0..200_u16 {
            let now = 100 + 20 * u64::from(n);
            for _ in 0..3 {
                assert_eq!(talk(&mut source, now, EVIL, 66, n, 1), Verdict::Stranger);
            }
            assert_eq!(talk(&mut source, now, NAT, 1, 5 + n, 1), Verdict::Known);
        }
        assert_eq!(source.destination(), at(NAT));
    }

    #[test]
    fn the_sdp_address_takes_a_learned_stream_back_at_once() {
        let mut source = Source::new(at(SDP));
        talk(&mut source, 0, NAT, 66, 0, 5);
        assert_eq!(source.destination(), at(NAT));
        assert_eq!(talk(&mut source, 100, SDP, 1, 0, 1), Verdict::Known);
        assert_eq!(source.destination(), at(SDP));
        assert_eq!(talk(&mut source, 110, NAT, 66, 5, 50), Verdict::Stranger);
        assert_eq!(talk(&mut source, 60_000, NAT, 66, 55, 50), Verdict::Stranger, "however long it is silent");
        assert!(!source.may_be(Time::from_millis(61_000), at(NAT)));
        assert_eq!(source.destination(), at(SDP));
    }

    #[test]
    fn a_stranger_is_learned_in_no_silence_of_who_was_heard() {
        for known in [SDP, NAT] {
            let mut source = Source::new(at(SDP));
            talk(&mut source, 0, known, 1, 0, 5);
            for round in 0..20_u16 {
                let from = 3_000 + 3_000 * u64::from(round);
                assert_eq!(talk(&mut source, from, EVIL, 66, round * 100, 100), Verdict::Stranger, "{known}");
            }
            assert!(!source.may_be(Time::from_millis(70_000), at(EVIL)));
            assert_eq!(source.destination(), at(known));
            talk(&mut source, 70_000, known, 1, 5, 5);
            assert_eq!(talk(&mut source, 70_100, known, 1, 10, 1), Verdict::Known);
        }
    }

    /// As [`talk`], of T.38.
    fn fax(source: &mut Source, from_ms: u64, who: &str, sequence: u16, count: u16) -> Verdict {
        let mut verdict = Verdict::Stranger;
        for n in 0..count {
            let now = Time::from_millis(from_ms + 20 * u64::from(n));
            verdict = source.judge(now, at(who), Mark::of_datagram(sequence.wrapping_add(n)));
        }
        verdict
    }

    /// Another one behind the same NAT.
    const NEIGHBOUR: &str = "198.51.100.7:40000";

    #[test]
    fn a_fax_on_the_port_of_the_audio_has_its_source_at_once_and_keeps_it_however_long_it_is_silent() {
        let mut audio = Source::new(at(SDP));
        talk(&mut audio, 0, NAT, 1, 0, 5);
        let mut source = Source::beside(&audio, at(SDP));
        assert_eq!(source.destination(), at(NAT));
        assert_eq!(fax(&mut source, 90, NEIGHBOUR, 0, 5), Verdict::Stranger);
        assert_eq!(fax(&mut source, 60_000, NAT, 0, 1), Verdict::Known, "a machine listens for a page");
        assert_eq!(fax(&mut source, 60_020, NEIGHBOUR, 5, 50), Verdict::Stranger);
        assert_eq!(source.destination(), at(NAT));
    }

    #[test]
    fn a_fax_on_another_port_is_learned_where_its_audio_was_and_nowhere_else() {
        let mut audio = Source::new(at(SDP));
        talk(&mut audio, 0, NAT, 1, 0, 5);
        let mut source = Source::beside(&audio, at("192.0.2.1:4002"));
        assert_eq!(source.destination(), at("192.0.2.1:4002"));
        assert_eq!(fax(&mut source, 100, EVIL, 0, 50), Verdict::Stranger);
        // It says things twice, and waits for an answer.
        for (n, from_ms) in [(0, 200), (1, 5_000), (1, 5_010), (2, 9_000), (3, 9_100)] {
            assert_eq!(fax(&mut source, from_ms, "198.51.100.7:61002", n, 1), Verdict::Stranger);
        }
        assert_eq!(fax(&mut source, 9_200, "198.51.100.7:61002", 4, 1), Verdict::Learned);
        assert_eq!(fax(&mut source, 9_300, NEIGHBOUR, 0, 50), Verdict::Stranger);
        assert_eq!(source.destination(), at("198.51.100.7:61002"));
        assert_eq!(fax(&mut source, 30_000, "192.0.2.1:4002", 0, 1), Verdict::Known);
    }

    #[test]
    fn a_fax_of_whom_no_audio_came_is_learned_as_audio_is() {
        let mut source = Source::beside(&Source::new(at(SDP)), at("192.0.2.1:4002"));
        assert_eq!(fax(&mut source, 0, NAT, 0, 4), Verdict::Stranger);
        assert_eq!(fax(&mut source, 80, NAT, 4, 1), Verdict::Learned);
        assert_eq!(fax(&mut source, 100, EVIL, 0, 50), Verdict::Stranger);
    }

    #[test]
    fn a_learned_source_is_heard_from_its_first_packet_after_a_silence() {
        let mut source = Source::new(at(SDP));
        talk(&mut source, 0, NAT, 1, 0, 5);
        assert_eq!(talk(&mut source, 60_000, NAT, 1, 5, 1), Verdict::Known);
    }

    #[test]
    fn a_source_that_fell_silent_may_be_replaced_by_its_own_host() {
        for (known, moved) in [(NAT, "198.51.100.7:62000"), (SDP, "192.0.2.1:4444")] {
            let mut source = Source::new(at(SDP));
            talk(&mut source, 0, known, 1, 0, 5);
            assert_eq!(talk(&mut source, 80 + 1_880, moved, 1, 5, 6), Verdict::Stranger, "still alive");
            assert_eq!(talk(&mut source, 80 + 2_000, moved, 1, 20, 5), Verdict::Learned);
            assert_eq!(source.destination(), at(moved));
        }
    }

    #[test]
    fn every_new_sdp_starts_learning_anew() {
        let mut source = Source::new(at(SDP));
        talk(&mut source, 0, NAT, 1, 0, 5);
        source.announce(at(SDP), false);
        assert_eq!(source.destination(), at(NAT), "the same SDP comes from behind the same NAT");
        assert_eq!(talk(&mut source, 100, NAT, 1, 5, 4), Verdict::Stranger);
        assert_eq!(talk(&mut source, 180, NAT, 1, 9, 1), Verdict::Learned);
        source.announce(at("192.0.2.9:5000"), false);
        assert_eq!(source.destination(), at("192.0.2.9:5000"));
    }

    #[test]
    fn a_phone_whose_nat_moved_is_learned_after_its_next_sdp() {
        let mut source = Source::new(at(SDP));
        talk(&mut source, 0, NAT, 1, 0, 5);
        let moved = "198.51.100.99:61000";
        assert_eq!(talk(&mut source, 5_000, moved, 1, 5, 50), Verdict::Stranger);
        source.announce(at(SDP), false);
        assert_eq!(talk(&mut source, 7_000, moved, 1, 60, 5), Verdict::Learned);
        assert_eq!(source.destination(), at(moved));
    }

    #[test]
    fn a_hold_lets_nobody_in_until_it_ends() {
        for (known, hold) in [(SDP, SDP), (NAT, SDP), (SDP, "0.0.0.0:4000"), (NAT, "0.0.0.0:4000")] {
            let mut source = Source::new(at(SDP));
            talk(&mut source, 0, known, 1, 0, 5);
            source.announce(at(hold), true);
            assert_eq!(talk(&mut source, 5_000, EVIL, 66, 0, 50), Verdict::Stranger, "{known} {hold}");
            assert_eq!(source.destination(), at(known));
            source.announce(at(SDP), false);
            assert_ne!(talk(&mut source, 8_000, known, 1, 5, 5), Verdict::Stranger);
            assert_eq!(source.destination(), at(known));
        }
    }

    #[test]
    fn an_sdp_that_repeats_where_media_really_came_from_opens_nothing() {
        let mut source = Source::new(at(SDP));
        talk(&mut source, 0, SDP, 1, 0, 5);
        for n in 1..4_u16 {
            source.announce(at(SDP), false);
            assert_eq!(talk(&mut source, u64::from(n) * 1_000, EVIL, 66, n * 50, 49), Verdict::Stranger);
            assert_eq!(source.destination(), at(SDP));
        }
    }

    #[test]
    fn whoever_spoke_to_this_port_before_gives_way_to_the_announced_address() {
        // The phone of an old call goes on sending to a port that is used again.
        let mut source = Source::new(at(SDP));
        assert_eq!(talk(&mut source, 0, EVIL, 66, 900, 4), Verdict::Stranger);
        assert_eq!(talk(&mut source, 70, SDP, 1, 0, 1), Verdict::Known);
        assert_eq!(talk(&mut source, 80, EVIL, 66, 904, 50), Verdict::Stranger);
        assert_eq!(talk(&mut source, 10_000, EVIL, 66, 1_400, 50), Verdict::Stranger);
        assert_eq!(source.destination(), at(SDP));
    }

    #[test]
    fn a_spray_from_many_addresses_does_not_displace_who_is_being_learned() {
        let mut source = Source::new(at(SDP));
        talk(&mut source, 0, NAT, 1, 0, 2);
        for n in 0..3_u16 {
            for port in 0..40_u16 {
                let evil = SocketAddr::new(at(EVIL).ip(), 1_000 + port + n * 100);
                source.judge(Time::from_millis(40 + 20 * u64::from(n)), evil, &header(66, n));
            }
            talk(&mut source, 40 + 20 * u64::from(n), NAT, 1, 2 + n, 1);
        }
        assert_eq!(source.destination(), at(NAT));
    }
}
