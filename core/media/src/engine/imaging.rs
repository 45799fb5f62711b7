//! Legs that speak T.38: datagrams that are passed on as they are, or go to a fax machine.

use super::{Engine, Forward, Kind};
use crate::command::{Event, MediaLeg};
use crate::image::Image;
use crate::leg::{InImage, Route};
use crate::rtp::Header;
use crate::source::{Mark, Source, Verdict};
use crate::udptl::Datagram;
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
        let before = leg.image.take();
        let repeats = before.as_ref().is_some_and(|is| is.image.address == image.address);
        let source = match (before.as_ref(), leg.remote.as_ref()) {
            (Some(is), _) if repeats => is.source.clone(),
            (_, Some(remote)) => Source::beside(&remote.rtp, image.address),
            (_, None) => Source::new(image.address),
        };
        leg.image = Some(Box::new(InImage { image, source }));
        if before.is_some() {
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
        let is = leg.image.as_mut()?;
        // The last of its audio may still be on its way: it looks like a datagram whose number is far off.
        let is_audio = |header: &Header| {
            let audio = leg.remote.as_ref();
            audio.is_some_and(|remote| remote.negotiated.payload_type_receive == header.payload_type)
                && header.payload.len() > DATAGRAM_MIN
        };
        if datagram.len() < DATAGRAM_MIN || Header::parse(datagram).is_some_and(|header| is_audio(&header)) {
            return None;
        }
        let verdict = match Datagram::parse(datagram) {
            Ok(datagram) => is.source.judge(now, source, Mark::of_datagram(datagram.sequence)),
            // What is none teaches nothing; whoever is known may speak as he likes, as far as it only passes.
            Err(_) if is.source.destination() == source => Verdict::Known,
            Err(_) => Verdict::Stranger,
        };
        if verdict == Verdict::Stranger {
            leg.counted.wrong_source += 1;
            self.traffic.wrong_source += 1;
            return None;
        }
        let route = leg.route;
        leg.reception.datagram(datagram.len());
        let is_back = leg.heard(now);
        if verdict == Verdict::Learned {
            self.events.push_back(Event::SourceLearned { leg: id, source });
        }
        if is_back {
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
        let Some(to) = leg.image.as_ref().map(|is| is.source.destination()) else {
            self.traffic.no_peer += 1;
            return None;
        };
        leg.count_sent(length);
        self.traffic.relayed += 1;
        self.traffic.bytes += u64::try_from(length).unwrap_or(0);
        Some(Forward { leg: peer, kind: Kind::Rtp, to, length })
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
            let Some(to) = leg.image.as_ref().filter(|_| leg.fax.is_some()).map(|is| is.source.destination()) else {
                return;
            };
            leg.count_sent(datagram.len());
            send(Forward { leg: id, kind: Kind::Rtp, to, length: datagram.len() }, datagram);
        }
    }
}
