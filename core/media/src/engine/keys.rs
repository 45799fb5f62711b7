//! Keys: told once, whatever way they come, and passed on to the peer in the form that it takes.

use super::transcoding::header;
use super::{Engine, Forward, Kind};
use crate::codec::FRAME_SAMPLES;
use crate::command::{Event, KeyForm, MediaLeg};
use crate::digits::Digit;
use crate::g711::{self, Law};
use crate::leg::{Came, Leg};
use crate::pressing::{By, Press};
use crate::rtp::Header;
use plugboard_model::Time;

impl Engine {
    /// A key was pressed at a leg.
    pub(super) fn pressed(&mut self, now: Time, id: MediaLeg, digit: Digit, came: Came) {
        let Some(leg) = self.leg_mut(id) else { return };
        if !leg.is_new_key(now, digit.key, came) {
            return;
        }
        let partner = leg.partner();
        self.events.push_back(Event::Digit { leg: id, digit: digit.key, duration: digit.duration });
        let Some(peer) = partner else { return };
        let Some(form) = self.leg_mut(peer).and_then(|peer| form_for(peer, came)) else { return };
        match form {
            Form::Signalled => {
                self.events.push_back(Event::KeyToSignal { leg: peer, key: digit.key, duration: digit.duration });
            }
            Form::Pressed(by) => {
                if let Some(leg) = self.leg_mut(peer)
                    && leg.pressing.get_or_insert_default().press(digit.key, digit.duration, by)
                {
                    self.turns.join(now, peer);
                }
            }
        }
    }

    /// A leg's turn to send of the keys that are pressed towards it. False: none is.
    pub(super) fn press(&mut self, now: Time, id: MediaLeg, send: &mut dyn FnMut(Forward, &[u8])) -> bool {
        let Some(leg) = self.leg_mut(id) else { return false };
        let Some(press) = leg.pressing.as_mut().and_then(|pressing| pressing.frame()) else {
            leg.pressing = None;
            return false;
        };
        let sends = leg.flow().sends() && leg.playing.is_none();
        let Some(remote) = leg.remote.as_ref().filter(|_| sends) else { return true };
        let (agreed, to) = (remote.negotiated, remote.rtp.destination());
        let packet = match press {
            Press::Pause => {
                leg.outgoing.cut();
                return true;
            }
            Press::Event { payload, first } => {
                let Some(payload_type) = agreed.telephone_event_send else { return true };
                let place = leg.outgoing.own_event(now, first);
                header(place, payload_type, leg.outgoing.ssrc).packet(&payload)
            }
            Press::Tone(samples) => {
                let law = agreed.codec.law().unwrap_or(Law::A);
                let frame: [u8; FRAME_SAMPLES] = samples.map(|sample| g711::encode(law, sample));
                if agreed.codec.law().is_none() {
                    self.speak(id, agreed.codec, &frame, law);
                    return true;
                }
                let place = leg.outgoing.play(now);
                header(place, agreed.payload_type_send, leg.outgoing.ssrc).packet(&frame)
            }
        };
        leg.count_sent(packet.len());
        self.emit(now, Forward { leg: id, kind: Kind::Rtp, to, length: packet.len() }, &packet, send);
        true
    }
}

/// What a key becomes for a peer.
enum Form {
    Signalled,
    Pressed(By),
}

/// In which form a peer is to be sent a key that came so; `None`: it has it already.
fn form_for(peer: &Leg, came: Came) -> Option<Form> {
    let agreed = peer.remote.as_ref()?.negotiated;
    let events = agreed.telephone_event_send.map(|_| By::Events { clock: agreed.telephone_event_clock });
    match (peer.key_form, came, events) {
        // A tone is in the audio that the peer hears, whatever else it would take; packets of events are passed on.
        (_, Came::Tone, _) | (KeyForm::Auto, Came::Event, Some(_)) => None,
        (KeyForm::Signalled, Came::Event | Came::Signalled, _) => Some(Form::Signalled),
        (KeyForm::Tones, Came::Event | Came::Signalled, _) | (KeyForm::Auto, Came::Event | Came::Signalled, None) => {
            Some(Form::Pressed(By::Tones))
        }
        (KeyForm::Auto, Came::Signalled, Some(events)) => Some(Form::Pressed(events)),
    }
}

/// Turns the duration of a telephone-event into that of another clock (RFC 4733 section 2.3.5).
pub(super) fn set_event_clock(packet: &mut [u8], header: &Header, from: u32, to: u32) {
    if from == to {
        return;
    }
    if let Some([_, _, high, low]) =
        packet.get_mut(header.payload.clone()).and_then(|bytes| bytes.first_chunk_mut::<4>())
    {
        let duration = u64::from(u16::from_be_bytes([*high, *low])) * u64::from(to) / u64::from(from.max(1));
        [*high, *low] = u16::try_from(duration).unwrap_or(u16::MAX).to_be_bytes();
    }
}
