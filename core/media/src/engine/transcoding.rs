//! Audio that is unpacked here: for a peer that speaks another codec, for keys that are heard as tones, and what is played
//! to a leg that speaks no G.711. The work itself is handed out ([`Engine::poll_work`]) and comes back
//! ([`Engine::done`]).

use super::{Engine, Forward, Kind};
use crate::booth::{Booth, Input, Plan, Seated, Work};
use crate::codec::{Codec, FRAME_SAMPLES};
use crate::command::{Event, MediaLeg};
use crate::digits::Digit;
use crate::fax::FAX_DELAY;
use crate::g711::Law;
use crate::hearing::{Hearing, Mouth, Turn};
use crate::jitter::Keeping;
use crate::leg::{Came, Leg, Payload, Route};
use crate::outgoing::Place;
use crate::room::Slot;
use crate::rtp::Header;
use crate::udptl::Sender;
use plugboard_model::Time;
use std::sync::Arc;
use std::time::Duration;

/// Pieces of work that wait to be taken: one for each leg of a shard that is full of transcoded calls, and no more can be.
const WORK_MAX: usize = super::LEGS_MAX;

/// How long a key is said to have been held whose tone was heard: the receiver tells it once, at its begin.
const TONE_HELD: Duration = Duration::from_millis(100);

/// What is done with a packet of audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It may be passed on as it is, or by table.
    Relay,
    /// It was put into the leg's buffer; the peer hears it packed anew.
    Taken,
    /// The peer cannot hear it.
    Nowhere,
}

impl Engine {
    /// Work for another thread, until there is none. Each piece comes back by [`Engine::done`] or [`Engine::refused`].
    pub fn poll_work(&mut self) -> Option<Work> {
        self.work.pop_front()
    }

    /// Work that was done comes back: what was packed goes to `send` at once.
    pub fn done(&mut self, now: Time, work: Work, send: &mut dyn FnMut(Forward, &[u8])) {
        let Work { leg: id, serial, mut booth } = work;
        self.at_work = Some(id);
        let (payloads, keys) = (std::mem::take(&mut booth.payloads), std::mem::take(&mut booth.keys));
        self.traffic.not_understood += std::mem::take(&mut booth.broken);
        let over = std::mem::take(&mut booth.over);
        let called = std::mem::take(&mut booth.called);
        let Some(leg) = self.leg_mut(id) else { return };
        if let Some(hearing) = leg.hearing.as_mut().filter(|hearing| hearing.serial == serial) {
            let plan = hearing.plan();
            hearing.give_back(booth);
            let route = leg.route;
            if let (true, Some(own)) = (plan.is_seated(), plan.to) {
                self.deliver(now, id, id, own, &payloads, send);
            }
            if plan.fax && plan.to.is_none() {
                self.say_image(id, &payloads, send);
            }
            for key in keys {
                self.pressed(now, id, Digit { key, duration: TONE_HELD }, Came::Tone);
            }
            if called {
                self.events.push_back(Event::FaxHeard { leg: id });
            }
            if over {
                self.fax_over(id);
            }
            if let (Route::Bridged { peer, .. }, Some(to)) = (route, plan.to) {
                self.deliver(now, id, peer, to, &payloads, send);
            }
            return;
        }
        if let Some(mouth) = leg.mouth.as_mut().filter(|mouth| mouth.serial == serial) {
            let codec = mouth.codec();
            mouth.give_back(booth);
            if (leg.playing.is_some() || leg.hears_tones()) && leg.flow().sends() {
                for payload in &payloads {
                    self.say(now, id, codec, payload, None, send);
                }
            }
        }
    }

    /// Nobody could take the work: what was in it is dropped and counted.
    pub fn refused(&mut self, work: Work) {
        let Work { leg: id, serial, mut booth } = work;
        self.traffic.late += u64::try_from(booth.inputs.len()).unwrap_or(0);
        booth.inputs.clear();
        booth.slots.clear();
        let Some(leg) = self.leg_mut(id) else { return };
        if let Some(hearing) = leg.hearing.as_mut().filter(|hearing| hearing.serial == serial) {
            hearing.give_back(booth);
        } else if let Some(mouth) = leg.mouth.as_mut().filter(|mouth| mouth.serial == serial) {
            mouth.give_back(booth);
        }
    }

    /// Decides about a packet of audio or comfort noise, and takes it if it has to be unpacked.
    pub(super) fn unpack(
        &mut self,
        now: Time,
        id: MediaLeg,
        route: Route,
        header: &Header,
        payload: Payload,
        packet: &[u8],
    ) -> Way {
        let from = match payload {
            Payload::TelephoneEvent => return Way::Relay,
            Payload::Audio(codec) => Some(codec),
            Payload::ComfortNoise => {
                self.leg_mut(id).and_then(|leg| leg.remote.as_ref()).map(|remote| remote.negotiated.codec)
            }
        };
        let Some(from) = from else { return Way::Nowhere };
        if let Some(leg) = self.leg_mut(id)
            && let Some(sitting) = leg.sitting.as_mut()
        {
            sitting.spoken = Some(from);
            // Whoever holds us lets us hear his music, which is for nobody else in the room.
            if !leg.flow().sends() {
                return Way::Nowhere;
            }
        }
        if let Some(at) = self.leg_mut(id).and_then(|leg| leg.fax.as_mut()) {
            at.spoken = Some(from);
        }
        if let Some(plan) = self.seated(id) {
            let taken = self.take(now, id, plan, header, payload, packet);
            return if taken { Way::Taken } else { Way::Nowhere };
        }
        let other = match route {
            Route::Bridged { peer, .. } => self.leg_mut(peer).and_then(|leg| leg.remote.as_ref()),
            Route::Alone | Route::Echo => None,
        };
        let to = other.map(|remote| remote.negotiated.codec).filter(|to| needs_work(from, *to));
        let Some(leg) = self.leg_mut(id) else { return Way::Nowhere };
        let (keys, calls) = (leg.listens(), leg.hears_fax);
        if to.is_none() && !keys && !calls {
            leg.hearing = None;
            return Way::Relay;
        }
        let taken = self.take(
            now,
            id,
            Plan { from: Some(from), to, keys, calls, room: None, fax: false },
            header,
            payload,
            packet,
        );
        match to {
            None => Way::Relay,
            Some(_) if taken => {
                if let Route::Bridged { peer, .. } = route
                    && self.leg_mut(peer).is_some_and(|peer| peer.playing.as_ref().is_some_and(|play| play.yields))
                {
                    self.stop_play(peer, None);
                }
                Way::Taken
            }
            Some(_) => Way::Nowhere,
        }
    }

    /// Puts a packet into its leg's buffer. False: there is nobody who could unpack it, or it is no such payload.
    fn take(&mut self, now: Time, id: MediaLeg, plan: Plan, header: &Header, payload: Payload, packet: &[u8]) -> bool {
        let Some(codec) = plan.from else { return false };
        self.hear(id, plan);
        let Some(leg) = self.leg_mut(id) else { return false };
        let Some(hearing) = leg.hearing.as_mut() else { return false };
        let bytes = packet.get(header.payload.clone()).unwrap_or_default();
        let taken = match payload {
            Payload::Audio(_) => hearing.packet(now, codec, header, bytes),
            Payload::ComfortNoise => hearing.comfort(now, codec, header, bytes),
            Payload::TelephoneEvent => false,
        };
        if !taken {
            leg.counted.not_understood += 1;
            self.traffic.not_understood += 1;
        }
        self.turns.join(now, id);
        taken
    }

    /// Makes the booth of a plan, where the leg has none yet.
    pub(super) fn hear(&mut self, id: MediaLeg, plan: Plan) {
        let Some(codecs) = self.codecs.clone() else { return };
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.hearing.as_ref().is_some_and(|hearing| hearing.plan() == plan) {
            return;
        }
        let serial = leg.next_serial();
        let (seat, keeping) = match (&leg.sitting, &leg.fax) {
            (Some(sitting), _) => (sitting.room.sit(id, serial, sitting.role).map(Seated::Room), Keeping::Adaptive),
            (None, Some(at)) => {
                let sender = leg.image.as_ref().map_or(Sender::new(0), |is| is.image.terms.sender());
                let (fax, codecs) = (at.fax.clone(), Arc::clone(&codecs));
                (Some(Seated::Fax { fax, codecs, sender }), Keeping::Fixed(FAX_DELAY))
            }
            (None, None) => (None, Keeping::Adaptive),
        };
        leg.hearing = Hearing::new(serial, plan, keeping, seat, &*codecs).map(Box::new);
    }

    /// A leg's turn to have what it sent unpacked. False: not before its next packet.
    pub(super) fn listen(&mut self, now: Time, id: MediaLeg) -> bool {
        if let Some(plan) = self.seated(id) {
            self.hear(id, plan);
        }
        let slot = Slot::of(self.turns.at);
        let Some(leg) = self.leg_mut(id) else { return false };
        // Who sits somewhere hears it as soon as he has agreed on something.
        let Some(hearing) = leg.hearing.as_mut() else { return leg.is_seated() };
        let serial = hearing.serial;
        match hearing.turn(now, slot) {
            Turn::Work(booth) => self.hand_out(id, serial, booth),
            Turn::Late(frames) => self.traffic.late += frames,
            Turn::Nothing => {}
            Turn::Rest => return false,
        }
        true
    }

    /// A frame of what plays, for a leg whose codec is packed elsewhere.
    pub(super) fn speak(&mut self, id: MediaLeg, codec: Codec, frame: &[u8; FRAME_SAMPLES], law: Law) {
        let Some(codecs) = self.codecs.clone() else {
            self.traffic.late += 1;
            return;
        };
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.mouth.as_ref().is_none_or(|mouth| mouth.codec() != codec) {
            let serial = leg.next_serial();
            leg.mouth = Mouth::new(serial, codec, &*codecs).map(Box::new);
        }
        let booth = leg.mouth.as_mut().map(|mouth| (mouth.serial, mouth.frame(Input::Law(law, frame.to_vec()))));
        match booth {
            Some((serial, Some(booth))) => self.hand_out(id, serial, booth),
            Some((_, None)) | None => self.traffic.late += 1,
        }
    }

    fn hand_out(&mut self, leg: MediaLeg, serial: u32, booth: Box<Booth>) {
        let work = Work { leg, serial, booth };
        if self.work.len() < WORK_MAX {
            self.work.push_back(work);
        } else {
            self.refused(work);
        }
    }

    /// Sends what was packed for a peer, if it still wants it.
    fn deliver(
        &mut self,
        now: Time,
        from: MediaLeg,
        to: MediaLeg,
        codec: Codec,
        payloads: &[Vec<u8>],
        send: &mut dyn FnMut(Forward, &[u8]),
    ) {
        for payload in payloads {
            let wants = |leg: &Leg| {
                leg.playing.is_none()
                    && !leg.hears_tones()
                    && leg.flow().sends()
                    && leg.remote.as_ref().is_some_and(|remote| remote.negotiated.codec == codec)
            };
            if self.leg_mut(to).is_some_and(|leg| wants(leg)) {
                self.traffic.transcoded += 1;
                self.say(now, to, codec, payload, Some(from), send);
            } else {
                self.traffic.no_peer += 1;
            }
        }
    }

    /// Sends a payload of ours to a leg's far end.
    fn say(
        &mut self,
        now: Time,
        id: MediaLeg,
        codec: Codec,
        payload: &[u8],
        from: Option<MediaLeg>,
        send: &mut dyn FnMut(Forward, &[u8]),
    ) {
        // What a room or a prompt says is ours; what another leg says is passed on as it is.
        if from.is_none_or(|from| from == id) && self.hush(now, id, (codec, payload), send) {
            return;
        }
        let Some(leg) = self.leg_mut(id) else { return };
        let Some(remote) = leg.remote.as_ref().filter(|remote| remote.negotiated.codec == codec) else { return };
        let (payload_type, to) = (remote.negotiated.payload_type_send, remote.rtp.destination());
        let place = match from {
            Some(from) => leg.outgoing.made(now, from),
            None => leg.outgoing.play(now),
        };
        let packet = header(place, payload_type, leg.outgoing.ssrc).packet(payload);
        leg.tape_heard(now, codec, place.timestamp, payload);
        leg.count_sent(packet.len());
        self.emit(now, Forward { leg: id, kind: Kind::Rtp, to, length: packet.len() }, &packet, send);
    }
}

/// A header of our own stream.
pub(super) const fn header(place: Place, payload_type: u8, ssrc: u32) -> Header {
    let Place { sequence, timestamp, marker } = place;
    Header { marker, payload_type, sequence, timestamp, ssrc, payload: 0..0 }
}

/// Whether one codec becomes the other only by unpacking it.
pub(super) fn needs_work(from: Codec, to: Codec) -> bool {
    from != to && (from.law().is_none() || to.law().is_none())
}
