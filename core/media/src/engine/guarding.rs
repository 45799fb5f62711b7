//! Legs whose packets are encrypted: what comes is opened before anything in it is believed, what goes is sealed last.

use super::knocking::Knocks;
use super::{Engine, Forward, Kind};
use crate::command::{Event, MediaLeg};
use crate::guard::{Guard, NotOpened, SEAL_BYTES_MAX, Shake};
use crate::security::Protection;
use plugboard_model::Time;
use std::net::SocketAddr;

/// The longest packet that we make ourselves: 60 ms of anything; with what protects it.
const PACKET_MAX: usize = 1_600;

/// More datagrams of handshakes than this wait for nobody: a flight has at most six, and the driver takes them at once.
const FLIGHTS_MAX: usize = 1_024;

/// A handshake that asks for more at once is broken.
pub(super) const STEPS_MAX: usize = 64;

/// What protects a leg.
#[derive(Debug)]
pub(crate) struct Guarded {
    pub(crate) guard: Box<dyn Guard>,
    /// What was agreed.
    pub(crate) protection: Protection,
    /// Handshakes from where nobody was named.
    pub(crate) knocks: Knocks,
}

/// Whether a datagram is of a handshake (RFC 7983 section 7).
fn is_handshake(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| (20..=63).contains(first))
}

impl Engine {
    /// A datagram of a handshake that is to be sent; ask until there is none, after each of the other calls.
    pub fn poll_handshake(&mut self) -> Option<(Forward, Vec<u8>)> {
        self.flights.pop_front()
    }

    /// A leg is protected so from now on. One that cannot be ends: nothing of it may go in clear.
    pub(super) fn protect(&mut self, now: Time, id: MediaLeg, protection: Option<Protection>) {
        let Some(leg) = self.leg_mut(id) else { return };
        let Some(protection) = protection else {
            // If it is to be protected again, counts go on: a key that counts anew gives itself away.
            leg.unguarded = leg.guarded.take().or(leg.unguarded.take());
            self.handshakes.remove(&id);
            return;
        };
        leg.guarded = leg.guarded.take().or(leg.unguarded.take());
        if let Some(guarded) = leg.guarded.as_mut()
            && guarded.guard.renew(&protection)
        {
            guarded.protection = protection;
            return;
        }
        match self.guards.as_ref().and_then(|guards| guards.guard(now, &protection)) {
            Some(guard) => {
                if let Some(leg) = self.leg_mut(id) {
                    leg.guarded = Some(Box::new(Guarded { guard, protection, knocks: Knocks::default() }));
                }
                self.shake(now, id);
            }
            None => self.fail(id),
        }
    }

    /// What came from a leg's socket, in clear: its new length. `None`: it goes no further.
    pub(super) fn open_packet(
        &mut self,
        now: Time,
        id: MediaLeg,
        kind: Kind,
        source: SocketAddr,
        buffer: &mut [u8],
        length: usize,
    ) -> Option<usize> {
        let Some(leg) = self.leg_mut(id) else { return Some(length) };
        let Some(guarded) = leg.guarded.as_mut() else { return Some(length) };
        let handshake = is_handshake(buffer);
        // A stranger costs no arithmetic; who he is, is judged when his packet was opened. The leg's handshake is done with whoever
        // was named alone: anybody else's would end the leg by his certificate.
        let remote = leg.remote.as_ref();
        let named = handshake && remote.is_some_and(|remote| remote.is_named(kind, source));
        let may_be = if handshake { named } else { remote.is_some_and(|remote| remote.may_be(now, kind, source)) };
        if named {
            guarded.guard.shake(now, kind, buffer.get(..length)?);
            self.shake(now, id);
            return None;
        }
        if handshake && self.knock(now, id, kind, source, buffer.get(..length)?) {
            self.shake(now, id);
            return None;
        }
        let leg = self.leg_mut(id)?;
        if !may_be {
            leg.counted.wrong_source += 1;
            self.traffic.wrong_source += 1;
            return None;
        }
        let guarded = leg.guarded.as_mut()?;
        match guarded.guard.open(kind, buffer, length) {
            Ok(length) => Some(length),
            Err(NotOpened::Forged) => {
                leg.counted.not_authentic += 1;
                self.traffic.not_authentic += 1;
                None
            }
            Err(NotOpened::NoKeys) => {
                leg.counted.not_understood += 1;
                self.traffic.not_understood += 1;
                None
            }
        }
    }

    /// What leaves a leg that is protected is sealed where it lies. `None`: it must not be sent.
    pub(super) fn seal(&mut self, forward: Forward, buffer: &mut [u8]) -> Option<Forward> {
        let Some(guarded) = self.leg_mut(forward.leg).and_then(|leg| leg.guarded.as_mut()) else {
            return Some(forward);
        };
        match guarded.guard.seal(forward.kind, buffer, forward.length) {
            Some(length) => Some(Forward { length, ..forward }),
            None => {
                self.traffic.no_peer += 1;
                None
            }
        }
    }

    /// Sends a packet of ours, sealed where its leg is protected.
    pub(super) fn emit_sealed(&mut self, forward: Forward, packet: &[u8], send: &mut dyn FnMut(Forward, &[u8])) {
        if self.leg_mut(forward.leg).is_none_or(|leg| leg.guarded.is_none()) {
            return send(forward, packet);
        }
        let mut buffer = [0; PACKET_MAX];
        let Some(room) = buffer.get_mut(..forward.length).filter(|room| room.len() + SEAL_BYTES_MAX <= PACKET_MAX)
        else {
            return;
        };
        room.copy_from_slice(packet.get(..forward.length).unwrap_or_default());
        if let Some(forward) = self.seal(forward, &mut buffer) {
            send(forward, &buffer);
        }
    }

    /// Handshakes that are due.
    pub(super) fn shake_due(&mut self, now: Time) {
        let due: Vec<MediaLeg> = self.handshakes.iter().filter(|(_, at)| **at <= now).map(|(leg, _)| *leg).collect();
        for leg in due {
            self.shake(now, leg);
        }
    }

    /// Does what a leg's handshake wants.
    pub(super) fn shake(&mut self, now: Time, id: MediaLeg) {
        self.at_work = Some(id);
        self.handshakes.remove(&id);
        let due = [self.answer_knocks(now, id), self.answer_named(now, id)];
        if let Some(at) = due.into_iter().flatten().min() {
            self.handshakes.insert(id, at);
        }
    }

    /// The same of the handshake with who was named. When it wants to go on.
    fn answer_named(&mut self, now: Time, id: MediaLeg) -> Option<Time> {
        for _ in 0..STEPS_MAX {
            let leg = self.leg_mut(id)?;
            // Before there is an address nothing can be sent: the handshake begins with it.
            let (guarded, remote) = (leg.guarded.as_mut()?, leg.remote.as_ref()?);
            match guarded.guard.poll(now)? {
                Shake::Send(kind, datagram) => {
                    let to = match kind {
                        Kind::Rtp => remote.rtp.destination(),
                        Kind::Rtcp => remote.rtcp_destination(),
                    };
                    self.fly(Forward { leg: id, kind, to, length: datagram.len() }, datagram);
                }
                Shake::Wait(at) => return Some(at),
                Shake::Secured(suite) => self.events.push_back(Event::Secured { leg: id, suite }),
                Shake::Failed(why) => self.events.push_back(Event::NotSecured { leg: id, why }),
            }
        }
        None
    }

    pub(super) fn fly(&mut self, forward: Forward, datagram: Vec<u8>) {
        if self.flights.len() < FLIGHTS_MAX {
            self.flights.push_back((forward, datagram));
        }
    }
}
