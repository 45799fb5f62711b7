//! What plays to a leg, a frame each 20 ms: in its own law of G.711 as it lies, for any other codec packed elsewhere.

use super::transcoding::header as header_of;
use super::{Engine, Forward, Kind};
use crate::codec::FRAME_SAMPLES;
use crate::command::{Event, MediaLeg};
use crate::g711::Law;
use crate::rtp::HEADER_BYTES;
use plugboard_model::Time;

impl Engine {
    /// Sends a playing leg's next frame, or ends what plays. False: the leg plays no more.
    pub(super) fn frame(&mut self, now: Time, id: MediaLeg, send: &mut dyn FnMut(Forward, &[u8])) -> bool {
        let Some(leg) = self.leg_mut(id) else {
            return false;
        };
        let Some(playing) = leg.playing.as_mut() else {
            return false;
        };
        if let Some(end) = playing.end(now) {
            let play = playing.id;
            leg.playing = None;
            leg.outgoing.cut();
            self.events.push_back(Event::PlayEnded { leg: id, id: play, end });
            return false;
        }
        let Some(remote) = leg.remote.as_ref() else {
            return true;
        };
        let mut packet = [0; HEADER_BYTES + FRAME_SAMPLES];
        let agreed = remote.negotiated;
        let to = remote.rtp.destination();
        // What is no G.711 is packed from A-law: prompts are kept in both laws and nothing else.
        let law = agreed.codec.law().unwrap_or(Law::A);
        if let Some(payload) = packet.last_chunk_mut() {
            playing.frame(law, payload);
        }
        // A held leg misses the prompt, as it misses a voice: time goes on, and the scenario with it.
        if !leg.flow().sends() {
            leg.outgoing.cut();
            return true;
        }
        if agreed.codec.law().is_none() {
            if let Some(frame) = packet.last_chunk() {
                self.speak(id, agreed.codec, frame, law);
            }
            return true;
        }
        let payload = packet.get(HEADER_BYTES..).unwrap_or_default();
        if self.hush(now, id, (agreed.codec, payload), send) {
            return true;
        }
        let Some(leg) = self.leg_mut(id) else { return false };
        let place = leg.outgoing.play(now);
        packet[0] = 0x80;
        header_of(place, agreed.payload_type_send, leg.outgoing.ssrc).rewrite(&mut packet);
        leg.tape_heard(now, agreed.codec, place.timestamp, packet.get(HEADER_BYTES..).unwrap_or_default());
        leg.count_sent(packet.len());
        self.emit(now, Forward { leg: id, kind: Kind::Rtp, to, length: packet.len() }, &packet, send);
        true
    }
}
