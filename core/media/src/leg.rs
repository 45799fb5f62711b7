//! One leg within the engine: what it agreed with its far end, whom it hears, what it hears.

use crate::browser::Session;
use crate::codec::{Codec, Flow};
use crate::command::{KeyForm, KeysByEar, MediaLeg, Stats};
use crate::digits::Digits;
use crate::engine::{Guarded, Kind};
use crate::fax::Fax;
use crate::hearing::{Hearing, Mouth};
use crate::image::Image;
use crate::offer_answer::Negotiated;
use crate::outgoing::{Outgoing, StreamStart};
use crate::playing::Playing;
use crate::pressing::Pressing;
use crate::reception::Reception;
use crate::reports::Reports;
use crate::room::{Role, Room};
use crate::rtp::Header;
use crate::source::Source;
use crate::tape::Tape;
use plugboard_model::Time;
use std::net::SocketAddr;
use std::time::Duration;

/// The far end, once there was an SDP.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) negotiated: Negotiated,
    pub(crate) rtp: Source,
    /// Where RTCP came from, when it is not the SDP's address.
    pub(crate) rtcp_learned: Option<SocketAddr>,
}

/// Where a leg's audio goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Nowhere.
    Alone,
    /// Back.
    Echo,
    /// To another leg. `echo`: what it was before.
    Bridged { peer: MediaLeg, echo: bool },
}

/// What a packet of the far end carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload {
    Audio(Codec),
    TelephoneEvent,
    ComfortNoise,
}

/// How a key came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// By telephone-event.
    Event,
    /// As a tone.
    Tone,
    /// By INFO.
    Signalled,
}

/// A key that comes again so soon, another way, is the same press: phones that send two forms send them together, and a
/// tone is heard within a tenth of a second.
const SAME_PRESS: Duration = Duration::from_millis(700);

/// Whether the leg still sends what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulse {
    /// Never heard, and expected since then: before there is an SDP, nothing is expected.
    Unheard(Time),
    /// Heard, or expected again, since then.
    Beating(Time),
    /// Told silent; whether it was heard before.
    Silent { heard: bool },
}

/// A leg's place in a room.
#[derive(Debug)]
pub(crate) struct Sitting {
    pub(crate) room: Room,
    pub(crate) role: Role,
    /// Who gets the keys that are pressed at the leg.
    pub(crate) partner: Option<MediaLeg>,
    /// What came from the leg last: it may speak either law, whichever was agreed on.
    pub(crate) spoken: Option<Codec>,
}

/// A leg's place at a fax machine.
#[derive(Debug)]
pub(crate) struct AtFax {
    pub(crate) fax: Fax,
    /// What came from the leg last: it may speak either law, whichever was agreed on.
    pub(crate) spoken: Option<Codec>,
    /// That the machine is done was told.
    pub(crate) told: bool,
}

/// A leg's far end, when it speaks T.38.
#[derive(Debug)]
pub(crate) struct InImage {
    pub(crate) image: Image,
    /// Where its datagrams come from, and so where they go.
    pub(crate) source: Source,
}

/// One leg.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) id: MediaLeg,
    pub(crate) remote: Option<Remote>,
    /// The address that browsers share, if the leg is a browser's.
    pub(crate) browser_port: Option<SocketAddr>,
    /// The browser's session, once something was agreed.
    pub(crate) browser: Option<Box<Session>>,
    /// What its packets are protected by.
    pub(crate) guarded: Option<Box<Guarded>>,
    /// What protected it before, while nothing does.
    pub(crate) unguarded: Option<Box<Guarded>>,
    /// What our side allows.
    pub(crate) allowed: Flow,
    pub(crate) route: Route,
    pub(crate) outgoing: Outgoing,
    pub(crate) playing: Option<Playing>,
    pub(crate) digits: Digits,
    pub(crate) reception: Reception,
    pub(crate) reports: Box<Reports>,
    pub(crate) pulse: Pulse,
    /// Since when the next packet is due; none before the first one, after one that says that silence follows, and while it speaks T.38.
    due: Option<Time>,
    pub(crate) counted: Stats,
    /// Where what it sends is unpacked, when it is.
    pub(crate) hearing: Option<Box<Hearing>>,
    /// Where what is played to it is packed, when it is no G.711.
    pub(crate) mouth: Option<Box<Mouth>>,
    /// Where it sits with others.
    pub(crate) sitting: Option<Box<Sitting>>,
    /// The fax machine that it sits at.
    pub(crate) fax: Option<AtFax>,
    /// Whether the tone of a fax machine is listened for.
    pub(crate) hears_fax: bool,
    /// It speaks T.38.
    pub(crate) image: Option<Box<InImage>>,
    /// Whether keys are listened for.
    pub(crate) keys_by_ear: KeysByEar,
    /// How it is told of its peer's keys.
    pub(crate) key_form: KeyForm,
    /// Keys that are pressed towards it.
    pub(crate) pressing: Option<Box<Pressing>>,
    /// The last key that was told, how it came, and when.
    last_key: Option<(char, Came, Time)>,
    /// Counts its booths.
    pub(crate) serials: u32,
    /// Where what it says and hears goes as well.
    pub(crate) tape: Option<Tape>,
    /// The one onto which it speaks a message meanwhile.
    pub(crate) dictation: Option<Tape>,
}

impl Leg {
    pub(crate) fn new(now: Time, id: MediaLeg, start: StreamStart) -> Self {
        Self {
            id,
            remote: None,
            browser_port: None,
            browser: None,
            guarded: None,
            unguarded: None,
            allowed: Flow::SendRecv,
            route: Route::Alone,
            reports: Box::new(Reports::new(now, start.ssrc)),
            outgoing: Outgoing::new(start),
            playing: None,
            digits: Digits::default(),
            reception: Reception::default(),
            pulse: Pulse::Unheard(now),
            due: None,
            counted: Stats::default(),
            hearing: None,
            mouth: None,
            sitting: None,
            fax: None,
            hears_fax: false,
            image: None,
            keys_by_ear: KeysByEar::Auto,
            key_form: KeyForm::Auto,
            pressing: None,
            last_key: None,
            serials: 0,
            tape: None,
            dictation: None,
        }
    }

    /// Takes over what an offer and answer agreed on.
    pub(crate) fn set_remote(&mut self, now: Time, negotiated: Negotiated) {
        self.image = None;
        self.remote = Some(match self.remote.take() {
            Some(mut remote) => {
                remote.rtp.announce(negotiated.remote_rtp, negotiated.flow != Flow::SendRecv);
                Remote { negotiated, rtp: remote.rtp, rtcp_learned: None }
            }
            None => Remote { negotiated, rtp: Source::new(negotiated.remote_rtp), rtcp_learned: None },
        });
        self.outgoing.set_clock(negotiated.codec.clock_rate());
        self.listen(now);
    }

    /// Begins to count its silence anew.
    pub(crate) fn listen(&mut self, now: Time) {
        self.pulse = match self.pulse {
            Pulse::Unheard(_) | Pulse::Silent { heard: false } => Pulse::Unheard(now),
            Pulse::Beating(_) | Pulse::Silent { heard: true } => Pulse::Beating(now),
        };
        self.due = self.due.map(|_| now);
    }

    /// No packet of RTP is due before the next one comes: it speaks otherwise.
    pub(crate) const fn expects_none(&mut self) {
        self.due = None;
    }

    /// A packet of RTP came: how long it was waited for.
    pub(crate) fn came(&mut self, now: Time, payload: Option<Payload>) {
        if let Some(due) = self.due.filter(|_| self.flow() == Flow::SendRecv) {
            let gap = u32::try_from(now.since(due).as_millis()).unwrap_or(u32::MAX);
            self.counted.gap_ms = self.counted.gap_ms.max(gap);
        }
        self.due = (payload != Some(Payload::ComfortNoise)).then_some(now);
    }

    /// Whether it hears others than a peer: those in a room, or a fax machine.
    pub(crate) const fn is_seated(&self) -> bool {
        self.sitting.is_some() || self.fax.is_some()
    }

    /// RTP or RTCP came from it: whether it was told silent.
    pub(crate) fn heard(&mut self, now: Time) -> bool {
        let was_silent = matches!(self.pulse, Pulse::Silent { .. });
        self.pulse = Pulse::Beating(now);
        was_silent
    }

    /// Since when it should have been heard; and whether it ever was. One that is held, or holds, need not be.
    pub(crate) fn silent_since(&self) -> Option<(Time, bool)> {
        if self.flow() != Flow::SendRecv {
            return None;
        }
        match self.pulse {
            Pulse::Unheard(at) => Some((at, false)),
            Pulse::Beating(at) => Some((at, true)),
            Pulse::Silent { .. } => None,
        }
    }

    /// Which way audio may flow; neither way before there is an SDP.
    pub(crate) fn flow(&self) -> Flow {
        self.remote.as_ref().map_or(Flow::Inactive, |remote| remote.negotiated.flow.and(self.allowed))
    }

    /// Who gets the keys that are pressed here.
    pub(crate) fn partner(&self) -> Option<MediaLeg> {
        match self.route {
            Route::Bridged { peer, .. } => Some(peer),
            Route::Alone | Route::Echo => self.sitting.as_ref().and_then(|sitting| sitting.partner),
        }
    }

    /// Whether keys are to be heard as tones.
    pub(crate) fn listens(&self) -> bool {
        match self.keys_by_ear {
            KeysByEar::Off => false,
            KeysByEar::On => true,
            KeysByEar::Auto => {
                self.remote.as_ref().is_some_and(|remote| remote.negotiated.telephone_event_receive.is_none())
            }
        }
    }

    /// Whether a key is a press of its own, and not the last one in another form. Remembers it, if so.
    pub(crate) fn is_new_key(&mut self, now: Time, key: char, came: Came) -> bool {
        if let Some((last, form, at)) = self.last_key
            && last == key
            && form != came
            && now.since(at) < SAME_PRESS
        {
            return false;
        }
        self.last_key = Some((key, came, now));
        true
    }

    /// A tone of ours is heard in place of its peer.
    pub(crate) fn hears_tones(&self) -> bool {
        self.pressing.as_ref().is_some_and(|pressing| pressing.sounds())
    }

    /// The number of the next booth.
    pub(crate) const fn next_serial(&mut self) -> u32 {
        self.serials = self.serials.wrapping_add(1);
        self.serials
    }

    /// Counts a packet that leaves.
    pub(crate) fn count_sent(&mut self, bytes: usize) {
        self.counted.packets_sent += 1;
        self.counted.bytes_sent += u64::try_from(bytes).unwrap_or(0);
    }

    /// All that was counted, of a leg that is closed now.
    pub(crate) fn last_stats(&self, now: Time) -> Stats {
        let quiet = self.due.filter(|_| self.flow() == Flow::SendRecv).map(|due| now.since(due).as_millis());
        Stats { quiet_ms: quiet.map_or(0, |quiet| u32::try_from(quiet).unwrap_or(u32::MAX)), ..self.stats() }
    }

    /// All that was counted.
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.counted;
        self.reception.add_to(&mut stats);
        stats.told = self.reports.told_us();
        stats.codec = self.remote.as_ref().map(|remote| remote.negotiated.codec);
        stats
    }
}

impl Remote {
    /// What a packet carries; `None`: nothing that was agreed.
    pub(crate) fn payload(&self, header: &Header) -> Option<Payload> {
        let agreed = &self.negotiated;
        let kind = Some(header.payload_type);
        if header.payload_type == agreed.payload_type_receive {
            return Some(Payload::Audio(agreed.codec));
        }
        // Phones that offered another number for events than they answered with use either.
        if kind == agreed.telephone_event_receive || kind == agreed.telephone_event_send {
            return Some(Payload::TelephoneEvent);
        }
        if kind == agreed.comfort_noise {
            return Some(Payload::ComfortNoise);
        }
        // Either law may come by its static type: an answer with both allows a change without notice (RFC 3264 section 7).
        Codec::of_static(header.payload_type).filter(|codec| codec.law().is_some()).map(Payload::Audio)
    }

    /// The payload type that `payload` has towards the far end; `None`: it takes none such.
    pub(crate) const fn payload_type(&self, payload: Payload) -> Option<u8> {
        match payload {
            Payload::Audio(_) => Some(self.negotiated.payload_type_send),
            Payload::TelephoneEvent => self.negotiated.telephone_event_send,
            Payload::ComfortNoise => self.negotiated.comfort_noise,
        }
    }

    /// Whether what comes from there could be the far end's, before it was looked at. Changes nothing.
    pub(crate) fn may_be(&self, now: Time, kind: Kind, from: SocketAddr) -> bool {
        match kind {
            Kind::Rtp => self.rtp.may_be(now, from),
            Kind::Rtcp => {
                from == self.negotiated.remote_rtcp
                    || from.ip() == self.rtp.destination().ip()
                    || self.rtp.may_be(now, from)
            }
        }
    }

    /// Whether that is where the far end was said to be, or was found to be by what only it can send.
    pub(crate) fn is_named(&self, kind: Kind, from: SocketAddr) -> bool {
        match kind {
            Kind::Rtp => from == self.negotiated.remote_rtp || self.rtp.learned() == Some(from),
            Kind::Rtcp => {
                let same_host = self.rtp.learned().is_some_and(|learned| learned.ip() == from.ip());
                from == self.negotiated.remote_rtcp || self.rtcp_learned == Some(from) || same_host
            }
        }
    }

    /// Whether RTCP from there is the far end's: by its SDP, or from the host that sends the audio.
    pub(crate) fn accepts_rtcp(&mut self, from: SocketAddr) -> bool {
        if from == self.negotiated.remote_rtcp {
            self.rtcp_learned = None;
            return true;
        }
        let same_host = from.ip() == self.rtp.destination().ip();
        if same_host {
            self.rtcp_learned = Some(from);
        }
        same_host
    }

    /// Where RTCP goes.
    pub(crate) fn rtcp_destination(&self) -> SocketAddr {
        match (self.rtcp_learned, self.rtp.learned()) {
            (Some(learned), _) => learned,
            (None, Some(rtp)) => SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1)),
            (None, None) => self.negotiated.remote_rtcp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_is_small() {
        // A call is two of them; 1,000 calls are 2 MB.
        assert!(size_of::<Leg>() <= 1_088, "{}", size_of::<Leg>());
    }
}
