//! RTCP within the engine: passed on between two peers, read on its way, and made for a leg that has no peer.

use super::{Engine, Forward, Kind, Slot};
use crate::command::{Event, MediaLeg};
use crate::leg::{Remote, Route};
use crate::reports::REPORT_MAX;
use crate::rtcp;
use crate::rtp::HEADER_BYTES;
use plugboard_model::Time;
use std::net::SocketAddr;

impl Engine {
    pub(super) fn rtcp(&mut self, now: Time, id: MediaLeg, source: SocketAddr, packet: &mut [u8]) -> Option<Forward> {
        let leg = self.leg_mut(id)?;
        if !leg.remote.as_mut()?.accepts_rtcp(source) {
            leg.counted.wrong_source += 1;
            return None;
        }
        // Whoever only listens for a while still reports what he hears.
        if leg.heard(now) {
            self.events.push_back(Event::MediaBack { leg: id });
        }
        let leg = self.leg_mut(id)?;
        leg.reports.take(now, packet, leg.outgoing.ssrc);
        let Route::Bridged { peer, .. } = leg.route else {
            return None;
        };
        let heard = leg.outgoing.ssrc;
        let origin = leg.outgoing.relayed().filter(|relay| relay.from == peer);
        let origin = origin.map(|relay| (relay.ssrc, relay.sequence_offset));
        let other = self.leg_mut(peer)?;
        // A browser gets the reports of its own session.
        if other.browser.is_some() {
            return None;
        }
        let relay = other.outgoing.relayed().filter(|relay| relay.from == id)?;
        let (sender, timestamp_offset) = (other.outgoing.ssrc, relay.timestamp_offset);
        let remote = other.remote.as_ref()?;
        // An address of zeros takes neither RTP nor RTCP; a plain hold goes on with RTCP (RFC 3264 section 8.4).
        if remote.negotiated.remote_rtp.ip().is_unspecified() {
            return None;
        }
        let to = remote.rtcp_destination();
        let length = rtcp::rewrite(packet, &rtcp::Names { sender, timestamp_offset, heard, origin });
        other.reports.pass(now, packet.get(..length).unwrap_or_default());
        (length > 0).then_some(Forward { leg: peer, kind: Kind::Rtcp, to, length })
    }

    /// Reports to the legs that get no reports of a peer.
    pub(super) fn report(&mut self, now: Time, send: &mut dyn FnMut(Forward, &[u8])) {
        let mut reports = Vec::new();
        for slot in 0..self.slots.len() {
            let Some(Slot::Live(leg)) = self.slots.get(slot) else {
                continue;
            };
            // A browser's session reports by itself, and what a browser reports ends there.
            if !leg.reports.is_due(now) || leg.browser_port.is_some() {
                continue;
            }
            if let Some(relay) = leg.outgoing.relayed()
                && !self.is_browser(relay.from)
            {
                continue;
            }
            let Some(Slot::Live(leg)) = self.slots.get_mut(slot) else {
                continue;
            };
            let Some(to) = leg.remote.as_ref().map(Remote::rtcp_destination).filter(|to| !to.ip().is_unspecified())
            else {
                continue;
            };
            self.at_work = Some(leg.id);
            let (packets, bytes) = (leg.counted.packets_sent, leg.counted.bytes_sent);
            // Of the bytes a report counts the payload alone.
            let payload = bytes.saturating_sub(packets * u64::try_from(HEADER_BYTES).unwrap_or(12));
            let (mut buffer, heard) = ([0; REPORT_MAX], leg.reception.block());
            let length = leg.reports.make(now, &leg.outgoing, (packets, payload), heard.as_ref(), &mut buffer);
            let forward = Forward { leg: leg.id, kind: Kind::Rtcp, to, length };
            reports.push((forward, buffer));
        }
        for (forward, report) in reports {
            self.emit(now, forward, &report, send);
        }
    }
}
