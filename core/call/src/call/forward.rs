//! Calls that go on to somebody else than was called: a device or a gateway names others (a 3xx), or a user has set where his
//! calls go.
//!
//! Who is named is tried one after the other, within the ringing that goes on. Nobody is rung on behalf of himself, and
//! nobody whom the call has passed already: so a ring of forwards ends (R8).

use plugboard_model::{Cause, ForwardWhen, ForwardWhy, JournalEvent, LegId, Time, UserId};
use std::collections::BTreeMap;
use std::time::Duration;

use super::Call;
use crate::input::{Forward, Led, Onward, Op, Redirect, Service};
use crate::leg::LegState;
use crate::output::CancelWhy;
use crate::ring::{Chain, Ring};

/// How often a call may be sent on, those before it came to us included: networks count to five (3GPP TS 24.604 section 4.5.2.6).
pub const FORWARDS_MAX: usize = 5;

/// How long somebody is rung whom a forward leads to: as long as one who is dialled.
const FORWARD_RING: Duration = Duration::from_secs(60);

impl Call {
    /// On whose behalf this leg is called: who was called first stands first.
    pub fn forwards(&self, leg: LegId) -> &[Forward] {
        self.legs.get(&leg).map_or(&[], |leg| &leg.forwards)
    }

    /// Whether more follows if nobody whom this call rings now takes it: a step, or a place in a queue.
    pub fn steps_follow(&self) -> bool {
        self.ring.as_ref().is_some_and(|ring| matches!(ring.op, Op::Run { .. } | Op::Queue))
    }

    /// A called leg names others in its place.
    pub(super) fn leg_redirected(&mut self, now: Time, redirect: Redirect) {
        let Redirect { leg, cause, targets, why } = redirect;
        let Some(named) = self.legs.get(&leg).filter(|leg| !leg.is_over()) else { return };
        let rings = matches!(named.state, LegState::Calling | LegState::Ringing)
            && self.ring.as_ref().is_some_and(|ring| ring.legs.contains_key(&leg));
        let user = named.user.clone();
        if !rings || user.as_ref().is_some_and(|user| self.answers(user)) {
            return self.leg_ended(now, leg, &cause, Cause::of(480));
        }
        let mut forwards = named.forwards.clone();
        forwards.push(Forward { user: user.clone(), number: named.party.clone(), why });
        self.mark_ended(now, leg, cause);
        self.early_leg_gone(leg);
        if let Some(ring) = &mut self.ring {
            ring.forget(leg);
        }
        // He spoke for himself, not for one of his devices.
        if let Some(user) = &user {
            self.stop_devices(user, CancelWhy::Forwarded);
        }
        self.send_on(Some(leg), forwards, targets);
        self.ring_check(now);
    }

    /// Puts others in the place of the last of `forwards`; [`Call::ring_check`] rings them.
    fn send_on(&mut self, leg: Option<LegId>, forwards: Vec<Forward>, targets: Vec<Onward>) {
        let before = self.begin.as_ref().map_or(0, |begin| begin.forwarded);
        let Some(ring) = &mut self.ring else { return };
        if before + forwards.len() > FORWARDS_MAX {
            return ring.failed(Cause::of(483));
        }
        let (Some(first), Some(by)) = (targets.first(), forwards.last()) else {
            return ring.failed(Cause::of(480));
        };
        let note = JournalEvent::Forwarded { leg, by: by.number.clone(), why: by.why, to: first.to.clone() };
        ring.chains.push(Chain::new(forwards, targets));
        self.journal(note);
    }

    /// A user wants his call to go elsewhere before he is rung.
    pub(super) fn user_forwards(&mut self, now: Time, user: UserId, why: ForwardWhy, to: Result<Onward, Cause>) {
        let Some(ring) = &mut self.ring else { return };
        let Some(asked) = ring.asking.remove(&user) else { return };
        match to {
            Err(cause) => ring.failed(cause),
            Ok(onward) => {
                let chain = asked.chain.and_then(|chain| ring.chains.get(chain)).map(|chain| &chain.forwards);
                let forwards = chain.unwrap_or(&ring.forwards).clone();
                self.send_on_for(now, None, user, forwards, why, onward);
            }
        }
        self.ring_check(now);
    }

    /// Users whose time is over: their calls go on to where they want them then.
    pub(super) fn forward_unanswered(&mut self, now: Time) {
        let Some(ring) = &self.ring else { return };
        let mut late: BTreeMap<UserId, LegId> = BTreeMap::new();
        for (leg, _) in ring.legs.iter().filter(|(_, rung)| now >= rung.until) {
            let user = self.legs.get(leg).and_then(|leg| leg.user.clone());
            late.extend(
                user.filter(|user| ring.own.get(user).is_some_and(|own| own.no_answer.is_some())).map(|u| (u, *leg)),
            );
        }
        for (user, leg) in late {
            if self.answers(&user) {
                continue;
            }
            self.stop_devices(&user, CancelWhy::TimeOver);
            self.go_on_for(now, &user, leg, ForwardWhen::NoAnswer);
        }
    }

    /// A device of a user is over without an answer: when it was the last one, the call goes where he wants it then. Whether it does.
    pub(super) fn forward_failed(&mut self, now: Time, user: &UserId, leg: LegId, status: u16) -> bool {
        let Some(ring) = &self.ring else { return false };
        let is_his = |leg: &LegId| self.legs.get(leg).is_some_and(|leg| leg.user.as_ref() == Some(user));
        // One that wakes up may answer yet.
        if ring.legs.keys().any(is_his) || ring.asking.contains_key(user) || self.answers(user) {
            return false;
        }
        let busy = matches!(status, 486 | 600 | 603 | 607);
        self.go_on_for(now, user, leg, if busy { ForwardWhen::Busy } else { ForwardWhen::Unreachable })
    }

    /// None of a user's devices woke up in time. If none of the others rings any more, the call goes where he wants it when
    /// he cannot be reached.
    pub(super) fn nobody_woke(&mut self, now: Time, user: &UserId, chain: Option<usize>) {
        self.release_if_unused(user);
        let is_his = |leg: &LegId| self.legs.get(leg).is_some_and(|leg| leg.user.as_ref() == Some(user));
        let Some(ring) = &mut self.ring else { return };
        if ring.legs.keys().any(is_his) {
            return;
        }
        let Some(to) = ring.own.get_mut(user).and_then(|own| own.unreachable.take()) else {
            return ring.failed(Cause::of(480));
        };
        let chained = chain.and_then(|chain| ring.chains.get(chain)).map(|chain| chain.forwards.clone());
        let forwards = chained.unwrap_or_else(|| ring.forwards.clone());
        self.send_on_for(now, None, user.clone(), forwards, ForwardWhy::Unavailable, to);
    }

    fn go_on_for(&mut self, now: Time, user: &UserId, leg: LegId, when: ForwardWhen) -> bool {
        let Some(ring) = &mut self.ring else { return false };
        let Some(own) = ring.own.get_mut(user) else { return false };
        let (to, why) = match when {
            ForwardWhen::Always => (None, ForwardWhy::Unconditional),
            ForwardWhen::Busy => (own.busy.take(), ForwardWhy::Busy),
            ForwardWhen::NoAnswer => (own.no_answer.take().map(|(_, to)| to), ForwardWhy::NoAnswer),
            ForwardWhen::Unreachable => (own.unreachable.take(), ForwardWhy::Unavailable),
        };
        let Some(to) = to else { return false };
        let forwards = self.forwards(leg).to_vec();
        self.send_on_for(now, Some(leg), user.clone(), forwards, why, to);
        true
    }

    /// In the place of a user who wants it. A call that somebody dialled rings on: only he who waits decides how long.
    fn send_on_for(
        &mut self,
        now: Time,
        leg: Option<LegId>,
        user: UserId,
        mut forwards: Vec<Forward>,
        why: ForwardWhy,
        to: Onward,
    ) {
        if let Some(ring) = self.ring.as_mut().filter(|ring| ring.op == Op::Direct) {
            ring.until = ring.until.max(now + FORWARD_RING);
        }
        let number = user.name.to_string();
        forwards.push(Forward { user: Some(user), number, why });
        self.send_on(leg, forwards, vec![to]);
    }

    /// Whether a device of his has answered already.
    fn answers(&self, user: &UserId) -> bool {
        let is_his = |leg: &LegId| self.legs.get(leg).is_some_and(|leg| leg.user.as_ref() == Some(user));
        self.ring.as_ref().is_some_and(|ring| ring.claiming.iter().chain(&ring.answered).any(is_his))
    }

    /// The devices of a user that ring are told to stop.
    pub(super) fn stop_devices(&mut self, user: &UserId, why: CancelWhy) {
        let Some(ring) = &mut self.ring else { return };
        ring.asking.remove(user);
        // One that was answered already is his last word.
        let is_his = |leg: &&LegId| {
            let leg = self.legs.get(leg).filter(|leg| matches!(leg.state, LegState::Calling | LegState::Ringing));
            leg.is_some_and(|leg| leg.user.as_ref() == Some(user))
        };
        let his: Vec<LegId> = ring.legs.keys().filter(is_his).copied().collect();
        for leg in his {
            if let Some(ring) = &mut self.ring {
                ring.forget(leg);
            }
            self.cancel_leg(leg, why);
        }
    }

    /// Whoever comes next where all who were tried in somebody's place are over.
    pub(super) fn ring_next_in_chains(&mut self, now: Time) {
        // Each turn takes one away, and only a leg's end adds some.
        while let Some((chain, next)) = self.ring.as_mut().and_then(Ring::next_in_chain) {
            match next.scenario {
                Some(scenario) => self.enter_scenario(*scenario, chain),
                None => self.ring_parties(now, next.parties, next.order, Some(chain)),
            }
        }
    }

    /// The call goes on with a scenario. Only one that its caller dialled can, or that somebody handed on, and for which nobody else
    /// rings: a scenario that calls somebody waits for what comes of it, and a recall is for him who is called back.
    fn enter_scenario(&mut self, led: Led, chain: usize) {
        let may = self.may_be_served();
        let Some(ring) = &mut self.ring else { return };
        if !matches!(ring.op, Op::Direct | Op::Transfer) || !may || !ring.is_hopeless() {
            return ring.failed(Cause::of(403));
        }
        let forwards = ring.chains.get(chain).map(|chain| chain.forwards.clone()).unwrap_or_default();
        self.stop_ringing(CancelWhy::Forwarded, None);
        self.serve(Service::Scenario(led), forwards);
    }

    /// Whether ringing a user would lead back to somebody who has sent the call on.
    pub(super) fn is_passed(&self, user: &UserId, chain: Option<usize>) -> bool {
        let chain = chain.and_then(|chain| self.ring.as_ref()?.chains.get(chain));
        chain.is_some_and(|chain| chain.forwards.iter().any(|forward| forward.user.as_ref() == Some(user)))
    }
}
