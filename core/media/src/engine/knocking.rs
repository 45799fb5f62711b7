//! Handshakes from where nobody was named: a phone behind a NAT begins its own from another address than its description says. Whose it
//! is, only its end tells: so each such source has a handshake for itself, beside the one with who was named, and the first that ends
//! with the certificate that was named is the leg's. Only then its address is believed, and spoken to.

use super::guarding::STEPS_MAX;
use super::{Engine, Forward, Kind};
use crate::command::{Event, MediaLeg};
use crate::guard::{Guard, Shake};
use crate::security::{DtlsRole, Protection};
use plugboard_model::Time;
use std::net::SocketAddr;
use std::time::Duration;

/// A phone has one address; whoever else tries is a stranger.
const KNOCKS_MAX: usize = 4;

/// Longer than a handshake takes with several of its datagrams lost: then the place may be another's. Who failed may try again then.
const KNOCK_AGES: Duration = Duration::from_secs(4);

/// Whoever hears us shows it by then: later, another port of his host may have the place.
const ANSWERS_WITHIN: Duration = Duration::from_millis(500);

/// Sources of which each costs arithmetic, since it hears what is sent to it, in the life of a leg: beyond that somebody has more
/// addresses than time, and the other legs of this thread must not wait for him.
const HEARD_MAX: u32 = 32;

/// Those who knock at a leg.
#[derive(Debug, Default)]
pub(crate) struct Knocks {
    /// In the order in which they came.
    places: Vec<Knock>,
    /// How many of them, and before them, were found to hear what is sent to them.
    heard: u32,
}

/// One source's handshake.
#[derive(Debug)]
struct Knock {
    source: SocketAddr,
    began: Time,
    /// It hears what is sent to it.
    heard: bool,
    /// None: it failed, and must not begin again at once.
    guard: Option<Box<dyn Guard>>,
}

impl Knocks {
    /// Whether there is a place for another source, made of the place of who has the least right to his.
    fn make_room(&mut self, now: Time, source: SocketAddr) -> bool {
        let is_old = |knock: &Knock| now.since(knock.began) >= KNOCK_AGES;
        self.places.retain(|knock| knock.guard.is_some() || !is_old(knock));
        if self.heard >= HEARD_MAX {
            return false;
        }
        if let Some(same) = self.places.iter().position(|knock| knock.source.ip() == source.ip()) {
            let is_deaf = |knock: &Knock| !knock.heard && now.since(knock.began) >= ANSWERS_WITHIN;
            let gives_way = self.places.get(same).is_none_or(|knock| is_deaf(knock) || is_old(knock));
            if gives_way {
                self.places.remove(same);
            }
            return gives_way;
        }
        if self.places.len() < KNOCKS_MAX {
            return true;
        }
        // Whoever shows that he hears us does so within a moment.
        let last = self.places.iter().position(|knock| !knock.heard).or_else(|| self.places.iter().position(is_old));
        last.is_some_and(|last| {
            self.places.remove(last);
            true
        })
    }
}

impl Engine {
    /// A datagram of a handshake came from elsewhere than it was said. False: it is not listened to.
    pub(super) fn knock(&mut self, now: Time, id: MediaLeg, kind: Kind, source: SocketAddr, datagram: &[u8]) -> bool {
        let Some(guards) = self.guards.clone() else { return false };
        let Some(leg) = self.leg_mut(id) else { return false };
        let (Some(guarded), Some(remote)) = (leg.guarded.as_mut(), leg.remote.as_ref()) else { return false };
        // Where it is for us to begin, nobody begins elsewhere; and whoever has the keys is known by them.
        let begins = matches!(guarded.protection, Protection::Dtls { role: DtlsRole::Passive, .. });
        if kind != Kind::Rtp || !begins || guarded.guard.suite().is_some() || !remote.rtp.may_be(now, source) {
            return false;
        }
        let knocks = &mut guarded.knocks;
        if let Some(knock) = knocks.places.iter_mut().find(|knock| knock.source == source)
            && (knock.guard.is_some() || now.since(knock.began) < KNOCK_AGES)
        {
            let Some(guard) = knock.guard.as_mut() else { return false };
            guard.shake(now, kind, datagram);
            return true;
        }
        // A place is for who begins a handshake, not for whoever sends anything.
        let Some(mut guard) = guards.stranger(now, &guarded.protection, datagram) else { return false };
        if !knocks.make_room(now, source) {
            return false;
        }
        guard.shake(now, kind, datagram);
        knocks.places.push(Knock { source, began: now, heard: false, guard: Some(guard) });
        true
    }

    /// Does what the handshakes of those who knock want. When the next of them wants to go on.
    pub(super) fn answer_knocks(&mut self, now: Time, id: MediaLeg) -> Option<Time> {
        let mut knocks = std::mem::take(&mut self.leg_mut(id)?.guarded.as_mut()?.knocks);
        let mut wake = None::<Time>;
        for knock in &mut knocks.places {
            let Some(mut guard) = knock.guard.take() else { continue };
            let came = self.answer(now, id, knock.source, &mut *guard);
            if !knock.heard && guard.is_heard() {
                knock.heard = true;
                knocks.heard += 1;
            }
            match came {
                Came::Waits(at) => {
                    wake = Some(wake.map_or(at, |wake| wake.min(at)));
                    knock.guard = Some(guard);
                }
                // He keeps his place, so that he does not begin again at once.
                Came::Nothing => knock.heard = true,
                Came::Proved => {
                    let source = knock.source;
                    self.let_in(now, id, source, guard);
                    return Some(now);
                }
            }
        }
        self.leg_mut(id)?.guarded.as_mut()?.knocks = knocks;
        wake
    }

    fn answer(&mut self, now: Time, id: MediaLeg, source: SocketAddr, guard: &mut dyn Guard) -> Came {
        for _ in 0..STEPS_MAX {
            match guard.poll(now) {
                Some(Shake::Send(Kind::Rtp, datagram)) => {
                    self.fly(Forward { leg: id, kind: Kind::Rtp, to: source, length: datagram.len() }, datagram);
                }
                // Where its RTCP is, is not known yet.
                Some(Shake::Send(Kind::Rtcp, _)) => {}
                Some(Shake::Wait(at)) => return Came::Waits(at),
                Some(Shake::Secured(_)) => return Came::Proved,
                Some(Shake::Failed(_)) | None => return Came::Nothing,
            }
        }
        Came::Nothing
    }

    /// Whoever knocked has the certificate that was named: he is the far end.
    fn let_in(&mut self, now: Time, id: MediaLeg, source: SocketAddr, guard: Box<dyn Guard>) {
        let Some(leg) = self.leg_mut(id) else { return };
        let suite = guard.suite();
        if let Some(guarded) = leg.guarded.as_mut() {
            guarded.guard = guard;
        }
        if let Some(remote) = leg.remote.as_mut() {
            remote.rtp.prove(now, source);
        }
        self.events.extend(suite.map(|suite| Event::Secured { leg: id, suite }));
    }
}

/// What a handshake has come to.
enum Came {
    Waits(Time),
    Proved,
    Nothing,
}
