//! Legs that speak T.38: datagrams that are passed on as they are, or go to a fax machine.

use super::{Engine, Forward, Kind};
use crate::command::{Event, MediaLeg};
use crate::image::Image;
use crate::leg::Route;
use crate::rtp::Header;
use plugboard_model::Time;
use std::net::SocketAddr;

/// The shortest that has a number, a packet and what brings others back.
const DATAGRAM_MIN: usize = 4;

impl Engine {
    pub(super) fn set_image(&mut self, now: Time, id: MediaLeg, image: Image) {
        if self.leg_mut(id).is_some_and(|leg| leg.image.is_none()) {
            self.stop_play(id, None);
        }
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.image.replace(image).is_some() {
            // It is elsewhere now, and what is said goes on.
            return;
        }
        // What was heard of it as audio is over.
        leg.hearing = None;
        leg.listen(now);
        leg.expects_none();
        if leg.fax.is_some() {
            self.turns.join(now, id);
        }
    }

    /// Takes a datagram of a leg that speaks T.38. `None` within: it is none of that, or was taken here.
    pub(super) fn image_packet(
        &mut self,
        now: Time,
        id: MediaLeg,
        source: SocketAddr,
        datagram: &[u8],
    ) -> Option<Forward> {
        let leg = self.leg_mut(id)?;
        let image = leg.image.as_mut()?;
        // As with audio: whoever is named, or whoever else is behind the address that audio was learned from.
        let audio = leg.remote.as_ref();
        let is_known = source.ip() == image.address.ip()
            || audio.is_some_and(|remote| remote.rtp.destination().ip() == source.ip());
        if !is_known {
            leg.counted.wrong_source += 1;
            self.traffic.wrong_source += 1;
            return None;
        }
        // The last of its audio may still be on its way: it looks like a datagram whose number is far off.
        let is_audio = |header: &Header| {
            audio.is_some_and(|remote| remote.negotiated.payload_type_receive == header.payload_type)
                && header.payload.len() > DATAGRAM_MIN
        };
        if datagram.len() < DATAGRAM_MIN || Header::parse(datagram).is_some_and(|header| is_audio(&header)) {
            return None;
        }
        image.address = source;
        let route = leg.route;
        leg.reception.datagram(datagram.len());
        if leg.heard(now) {
            self.events.push_back(Event::MediaBack { leg: id });
        }
        match route {
            Route::Bridged { peer, .. } => self.pass_image(peer, datagram.len()),
            Route::Alone | Route::Echo => {
                self.take_image(now, id, datagram);
                None
            }
        }
    }

    fn pass_image(&mut self, peer: MediaLeg, length: usize) -> Option<Forward> {
        let leg = self.leg_mut(peer)?;
        let Some(image) = leg.image else {
            self.traffic.no_peer += 1;
            return None;
        };
        leg.count_sent(length);
        self.traffic.relayed += 1;
        self.traffic.bytes += u64::try_from(length).unwrap_or(0);
        Some(Forward { leg: peer, kind: Kind::Rtp, to: image.address, length })
    }

    /// Puts a datagram before the fax machine that the leg sits at.
    fn take_image(&mut self, now: Time, id: MediaLeg, datagram: &[u8]) {
        let Some(plan) = self.seated(id).filter(|plan| plan.fax) else { return };
        self.hear(id, plan);
        if let Some(hearing) = self.leg_mut(id).and_then(|leg| leg.hearing.as_mut()) {
            hearing.datagram(datagram);
        }
        self.turns.join(now, id);
    }

    /// Sends what a leg's fax machine says by T.38.
    pub(super) fn say_image(&mut self, id: MediaLeg, datagrams: &[Vec<u8>], send: &mut dyn FnMut(Forward, &[u8])) {
        for datagram in datagrams {
            let Some(leg) = self.leg_mut(id) else { return };
            let Some(image) = leg.image.filter(|_| leg.fax.is_some()) else {
                return;
            };
            leg.count_sent(datagram.len());
            send(Forward { leg: id, kind: Kind::Rtp, to: image.address, length: datagram.len() }, datagram);
        }
    }
}
