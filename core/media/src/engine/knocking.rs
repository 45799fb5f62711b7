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

/// Longer than a handshake takes with several of its datagrams lost: then the place may be another's.
const KNOCK_AGES: Duration = Duration::from_secs(4);

/// One source's handshake.
#[derive(Debug)]
pub(crate) struct Knock {
    source: SocketAddr,
    began: Time,
    guard: Box<dyn Guard>,
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
        let known = guarded.knocks.iter().position(|knock| knock.source == source);
        let place = known.or_else(|| {
            let full = guarded.knocks.len() >= KNOCKS_MAX;
            let oldest = guarded.knocks.iter().position(|knock| now.since(knock.began) >= KNOCK_AGES);
            if full {
                guarded.knocks.remove(oldest?);
            }
            let guard = guards.stranger(now, &guarded.protection)?;
            guarded.knocks.push(Knock { source, began: now, guard });
            Some(guarded.knocks.len() - 1)
        });
        let Some(knock) = place.and_then(|place| guarded.knocks.get_mut(place)) else { return false };
        knock.guard.shake(now, kind, datagram);
        true
    }

    /// Does what the handshakes of those who knock want. When the next of them wants to go on.
    pub(super) fn answer_knocks(&mut self, now: Time, id: MediaLeg) -> Option<Time> {
        let knocks = std::mem::take(&mut self.leg_mut(id)?.guarded.as_mut()?.knocks);
        let (mut going_on, mut wake) = (Vec::with_capacity(knocks.len()), None::<Time>);
        for mut knock in knocks {
            match self.answer(now, id, &mut knock) {
                Came::Waits(at) => {
                    wake = Some(wake.map_or(at, |wake| wake.min(at)));
                    going_on.push(knock);
                }
                Came::Nothing => {}
                Came::Proved => {
                    self.let_in(now, id, knock);
                    return Some(now);
                }
            }
        }
        self.leg_mut(id)?.guarded.as_mut()?.knocks = going_on;
        wake
    }

    fn answer(&mut self, now: Time, id: MediaLeg, knock: &mut Knock) -> Came {
        for _ in 0..STEPS_MAX {
            match knock.guard.poll(now) {
                Some(Shake::Send(Kind::Rtp, datagram)) => {
                    self.fly(Forward { leg: id, kind: Kind::Rtp, to: knock.source, length: datagram.len() }, datagram);
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
    fn let_in(&mut self, now: Time, id: MediaLeg, knock: Knock) {
        let Some(leg) = self.leg_mut(id) else { return };
        let suite = knock.guard.suite();
        if let Some(guarded) = leg.guarded.as_mut() {
            guarded.guard = knock.guard;
        }
        if let Some(remote) = leg.remote.as_mut() {
            remote.rtp.prove(now, knock.source);
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
