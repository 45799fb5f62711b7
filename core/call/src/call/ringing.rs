//! One ringing at a time: offers, answers, who gets the call.

use plugboard_model::{
    Audio, Cause, Connected, HostResult, JournalEvent, LegId, NotConnected, RingBack, Time, Tone, UserId,
};
use std::time::Duration;

use super::Call;
use crate::ear::Ear;
use crate::input::{OfferedDevices, Op, Party, Phone, RingOrder, Urgency};
use crate::leg::{Leg, LegState, Sound, Ways};
use crate::output::{AskWhy, CancelWhy, Output};
use crate::ring::{Asked, Ring, Rung};

/// Legs that one call may make: a group of 256 with a phone and a page each.
pub(super) const LEGS_MAX: u32 = 512;

impl Call {
    pub(super) fn ring(
        &mut self,
        now: Time,
        op: Op,
        parties: Vec<Party>,
        order: RingOrder,
        ring_for: Duration,
        ring_back: RingBack,
    ) {
        if matches!(self.ear, Ear::Talking { .. }) || self.ring.is_some() {
            return self.not_connected(now, op, NotConnected::Talking);
        }
        let aside = matches!(op, Op::Run { .. }) && self.parked.is_some();
        // Who waits in a queue goes on hearing what he hears.
        let waits = op == Op::Queue && matches!(self.ear, Ear::Playing { op: Op::Queue, .. });
        if aside || (!matches!(self.ear, Ear::Idle) && !waits) {
            let why = NotConnected::Invalid("another step has the caller's ear".into());
            return self.not_connected(now, op, why);
        }
        let mut ring = Ring::new(op, now, now + ring_for, ring_back);
        ring.forwards = self.handed_on_by(op);
        self.ring = Some(ring);
        if self.anchor_is_up() && ring_back == RingBack::Music {
            self.start_ring_back();
        }
        self.ring_parties(now, parties, order, None);
        self.ring_check(now);
    }

    /// Rings these as well; in somebody's place when there is a chain.
    pub(super) fn ring_parties(&mut self, now: Time, parties: Vec<Party>, order: RingOrder, chain: Option<usize>) {
        let own = self.legs.get(&self.anchor).and_then(|anchor| anchor.user.clone());
        let (reserve, op) = (order == RingOrder::One, self.ring.as_ref().map(|ring| ring.op));
        // Whoever sends a call on dials in place of its caller.
        let why = op.filter(|_| chain.is_none()).map_or(AskWhy::Direct, |op| self.why_asked(op));
        // A user's own phones join him, whoever of them was named first.
        let (phones, others): (Vec<Party>, Vec<Party>) = parties.into_iter().partition(is_own_phone);
        for party in others.into_iter().chain(phones) {
            let passed = matches!(&party, Party::User(user) if self.is_passed(user, chain));
            let Some(ring) = &mut self.ring else { return };
            match party {
                // R8: he has sent it on himself.
                Party::User(_) if passed => ring.failed(Cause::of(482)),
                // He is on the phone himself: ringing him would only make noise; and who sends his call back to him makes a loop.
                Party::User(user) if Some(&user) == own.as_ref() => {
                    ring.failed(Cause::of(if chain.is_some() { 482 } else { 486 }));
                }
                Party::User(user) => {
                    if ring.asked.insert(user.clone()) {
                        ring.asking.insert(user.clone(), Asked { chain, ..Asked::default() });
                        self.out(Output::AskUser { user, reserve, why });
                    }
                }
                Party::Outside { phone: Some(Phone { of: Some(ref user), .. }), .. } => {
                    if Some(user) == own.as_ref() {
                        ring.failed(Cause::of(486));
                        continue;
                    }
                    let user = user.clone();
                    if ring.asked.insert(user.clone()) {
                        ring.asking.insert(
                            user.clone(),
                            Asked { chain, phones: vec![party], phones_only: true, ..Asked::default() },
                        );
                        self.out(Output::AskUser { user, reserve: true, why: AskWhy::OnHisPhone });
                    } else if let Some(asked) = ring.asking.get_mut(&user) {
                        asked.phones.push(party);
                    }
                }
                Party::Outside { .. } | Party::Address(_) => {
                    let until = ring.until;
                    self.make_leg(now, party, 0, Rung { until, chain });
                }
            }
        }
    }

    fn make_leg(&mut self, now: Time, party: Party, device: usize, rung: Rung) {
        let Some(leg) = self.next_leg() else {
            if let Some(ring) = &mut self.ring {
                ring.failed(Cause::of(503));
            }
            return;
        };
        let (user, gateway, to) = match &party {
            Party::User(user) => (Some(user.clone()), None, user.name.to_string()),
            Party::Outside { ways, .. } => {
                let first = ways.first();
                let number = first.map_or_else(String::new, |way| way.number.clone());
                (None, first.map(|way| way.gateway.clone()), number)
            }
            Party::Address(address) => (None, None, address.clone()),
        };
        let (ways, phone) = match &party {
            Party::User(_) | Party::Address(_) => (Ways::default(), None),
            Party::Outside { ways, phone } => (Ways { left: ways.clone(), has_more: false }, phone.clone()),
        };
        let ring = self.ring.as_ref();
        let chain = ring.and_then(|ring| ring.chains.get(rung.chain?).map(|chain| &chain.forwards));
        let forwards = chain.or_else(|| ring.map(|ring| &ring.forwards)).cloned().unwrap_or_default();
        self.legs.insert(
            leg,
            Box::new(Leg {
                user: user.clone(),
                gateway,
                party: to.clone(),
                began: now,
                answered: None,
                state: LegState::Calling,
                holds: false,
                sound: Sound::Heard,
                music: None,
                told: None,
                ways,
                forwards,
                phone,
            }),
        );
        if let Some(ring) = &mut self.ring {
            ring.legs.insert(leg, rung);
        }
        let of = self.legs.get(&leg).and_then(|leg| leg.phone.as_ref()?.of.clone());
        self.journal(JournalEvent::LegBegan { leg, user, to });
        if let Some(user) = of {
            self.journal(JournalEvent::PhoneOf { leg, user });
        }
        self.out(Output::MakeLeg { leg, party, device });
    }

    pub(super) fn leg_has_more(&mut self, leg: LegId) {
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.ways.has_more = true;
        }
    }

    /// A gateway did not take the call: it goes to the gateway's next address, or to the next gateway. Whether it does.
    ///
    /// What says something of the gateway or of the way behind it leads on; what the called side itself answers (busy,
    /// declined, no such number) is the answer. A 408 after it rang is nobody who picked up.
    pub(super) fn goes_on(&mut self, now: Time, leg: LegId, status: u16, rang: bool, chain: Option<usize>) -> bool {
        let Some(failed) = self.legs.get_mut(&leg) else { return false };
        let (mut ways, has_more) = (std::mem::take(&mut failed.ways.left), failed.ways.has_more);
        let phone = failed.phone.clone();
        // Who calls for help needs somebody who picks up; that the first gateway says busy is no answer.
        let presses = ways.first().is_some_and(|way| way.urgency != Urgency::Usual);
        let is_the_gateways = presses || matches!(status, 500..=599) || (status == 408 && !rang);
        // Another address of the same gateway is another machine: it may do better where this one is silent or full
        // (RFC 3263 section 4.3).
        let again = has_more && matches!(status, 408 | 503);
        if !is_the_gateways || ways.is_empty() || self.anchor_is_over() {
            return false;
        }
        if !again {
            ways.remove(0);
        }
        let Some(until) = self.ring.as_ref().map(|ring| ring.until).filter(|until| now < *until) else { return false };
        let Some(next) = ways.first() else { return false };
        let text = format!("{leg} was not taken ({status}); the call goes on through {}", next.gateway.name);
        self.journal(JournalEvent::Note { text });
        self.early_leg_gone(leg);
        self.make_leg(now, Party::Outside { ways, phone }, 0, Rung { until, chain });
        self.ring_check(now);
        true
    }

    /// What the caller heard of a leg before its answer is over.
    pub(super) fn early_leg_gone(&mut self, leg: LegId) {
        let Some(ring) = &mut self.ring else { return };
        if ring.early.take_if(|early| *early == leg).is_some() {
            ring.rang = false;
            self.out(Output::Unbridge { peer: leg });
        }
    }

    fn anchor_is_over(&self) -> bool {
        self.legs.get(&self.anchor).is_some_and(|leg| leg.is_over())
    }

    pub(super) fn user_offers(&mut self, now: Time, user: UserId, offer: Result<OfferedDevices, Cause>) {
        let Some((ring, asked)) =
            self.ring.as_mut().and_then(|ring| ring.asking.remove(&user).map(|asked| (ring, asked)))
        else {
            // The ringing is over: a reservation that comes late is given back.
            if offer.is_ok() && !self.slots.contains(&user) {
                self.out(Output::Release { user });
            }
            return;
        };
        match offer {
            Err(cause) => {
                ring.failed(cause.clone());
                // That he has no device, or is logged out, says nothing of his phones outside.
                let asks_for_phones = !asked.phones.is_empty() && !asked.phones_only;
                if asks_for_phones {
                    ring.asking.insert(user.clone(), Asked { phones_only: true, ..asked });
                }
                self.journal(JournalEvent::NotRung { user: user.clone(), cause });
                if asks_for_phones {
                    self.out(Output::AskUser { user, reserve: true, why: AskWhy::OnHisPhone });
                }
            }
            Ok(offered) => {
                let Asked { chain, devices: before, until, phones, .. } = asked;
                let after = offered.forwards.no_answer.as_ref().map(|(after, _)| *after);
                let own = offered.ring_for.into_iter().chain(after).min();
                let until = until.unwrap_or_else(|| own.map_or(ring.until, |own| ring.until.min(now + own)));
                let devices = before + offered.devices.len();
                let nobody_woke = offered.devices.is_empty() && !offered.waking && phones.is_empty();
                // What wakes up later is rung as the first of his devices were.
                if asked.until.is_none() {
                    ring.own.insert(user.clone(), offered.forwards);
                }
                if offered.waking {
                    let asked = Asked { chain, devices, until: Some(until), ..Asked::default() };
                    ring.asking.insert(user.clone(), asked);
                }
                self.slots.insert(user.clone());
                for device in before..devices {
                    self.make_leg(now, Party::User(user.clone()), device, Rung { until, chain });
                }
                for phone in phones {
                    self.make_leg(now, phone, 0, Rung { until, chain });
                }
                if nobody_woke {
                    self.nobody_woke(now, &user, chain);
                }
            }
        }
        self.ring_check(now);
    }

    pub(super) fn user_taken(&mut self, now: Time, user: &UserId) {
        let Some(ring) = &mut self.ring else { return };
        if ring.asking.get(user).is_some_and(|asked| asked.until.is_some()) {
            // Nobody waits for what wakes up now.
            ring.asking.remove(user);
            ring.failed(Cause::of(486));
        }
        let claiming = ring.claiming;
        let his: Vec<LegId> = ring
            .legs
            .keys()
            .filter(|leg| self.legs.get(leg).is_some_and(|leg| leg.person() == Some(user)))
            .filter(|leg| claiming != Some(**leg))
            .copied()
            .collect();
        for leg in his {
            if let Some(ring) = &mut self.ring {
                ring.forget(leg);
                ring.failed(Cause::of(486));
            }
            self.cancel_leg(leg, CancelWhy::CompletedElsewhere);
        }
        self.ring_check(now);
    }

    pub(super) fn leg_rang(&mut self, leg: LegId) {
        if self.ring.as_ref().is_some_and(|ring| ring.early == Some(leg)) {
            return self.leg_early(leg, true);
        }
        let Some(ringing) = self.legs.get_mut(&leg) else { return };
        if ringing.state != LegState::Calling || leg == LegId::CALLER {
            return;
        }
        ringing.state = LegState::Ringing;
        self.journal(JournalEvent::LegRang { leg });
        self.out(Output::Rang { leg });
        self.transfer_rings();
        let Some(ring) = &self.ring else { return };
        if self.anchor_is_up() {
            if ring.tone == RingBack::Tone && ring.back.is_none() {
                self.start_ring_back();
            }
        } else if let Some(caller) = self.legs.get_mut(&LegId::CALLER)
            && caller.state == LegState::Calling
        {
            caller.state = LegState::Ringing;
            self.out(Output::RingCaller);
        }
    }

    /// A gateway's tones and announcements reach the caller, in place of ours; a user's device is not heard before it
    /// answers, nor one of several that ring (decision 14). Nobody knows whether a gateway that `rings` makes a sound:
    /// the caller rings as well until it does (RFC 3960 section 3.2).
    pub(super) fn leg_early(&mut self, leg: LegId, rings: bool) {
        if self.calls_out() {
            return self.leg_rang(leg);
        }
        // One that has to show that a person answers says nothing before: what it plays may be a mailbox as well.
        let unproven = |leg: &Leg| leg.phone.as_ref().is_some_and(|phone| phone.confirm.is_some());
        let is_gateway = self.legs.get(&leg).is_some_and(|leg| leg.gateway.is_some() && !unproven(leg));
        let up = self.anchor_is_up();
        let Some(ring) = &mut self.ring else { return };
        let begins = ring.early.is_none();
        if begins && !(is_gateway && ring.tone == RingBack::Tone && ring.rings_only(leg)) {
            return self.leg_rang(leg);
        }
        ring.early = Some(leg);
        let rings_now = rings && !ring.rang;
        ring.rang |= rings;
        let tone = up && rings_now && ring.back.is_none();
        if let Some(ringing) = self.legs.get_mut(&leg).filter(|leg| leg.state == LegState::Calling) {
            ringing.state = LegState::Ringing;
            self.journal(JournalEvent::LegRang { leg });
            self.out(Output::Rang { leg });
            self.transfer_rings();
        }
        if !up && (begins || rings_now) {
            if let Some(caller) = self.legs.get_mut(&LegId::CALLER) {
                caller.state = LegState::Ringing;
            }
            self.out(Output::ProgressCaller { rings });
        }
        if begins {
            self.out(Output::EarlyBridge { anchor: self.anchor, peer: leg });
        }
        if tone {
            self.start_ring_back();
        }
    }

    /// A gateway says that what it sends is not to be heard (RFC 5009 section 6): the caller hears ring-back again.
    pub(super) fn leg_silent_early(&mut self, leg: LegId) {
        if self.ring.as_ref().is_none_or(|ring| ring.early != Some(leg)) {
            return self.leg_rang(leg);
        }
        let Some(ring) = &mut self.ring else { return };
        ring.early = None;
        ring.rang = false;
        let tone = ring.tone == RingBack::Tone && ring.back.is_none();
        self.out(Output::Unbridge { peer: leg });
        if !self.anchor_is_up() {
            self.out(Output::ProgressCaller { rings: true });
        } else if tone {
            self.start_ring_back();
        }
    }

    fn start_ring_back(&mut self) {
        let Some(ring) = &self.ring else { return };
        let audio = match ring.tone {
            RingBack::Tone => Audio::Tone(Tone::RingBack),
            RingBack::Music => Audio::Music("music".into()),
            RingBack::Silence => return,
        };
        let play = self.play(audio, None, true);
        if let Some(ring) = &mut self.ring {
            ring.back = Some(play);
        }
    }

    pub(super) fn leg_answered(&mut self, now: Time, leg: LegId) {
        let Some(ring) = self.ring.as_mut().filter(|ring| ring.legs.contains_key(&leg)) else { return };
        let Some(answered) = self.legs.get_mut(&leg) else { return };
        answered.answered = Some(now);
        answered.state = LegState::Claiming;
        let confirm = answered.phone.as_ref().and_then(|phone| phone.confirm.clone());
        if confirm.is_none() {
            ring.answered.push_back(leg);
        }
        self.journal(JournalEvent::LegAnswered { leg });
        match confirm {
            Some(confirm) => self.asks_for_a_key(now, leg, confirm),
            None => self.next_claim(now),
        }
    }

    /// Asks for the slot of the next answered leg, if no other one is asked for.
    pub(super) fn next_claim(&mut self, now: Time) {
        let Some(ring) = self.ring.as_mut().filter(|ring| ring.claiming.is_none()) else { return };
        let Some(leg) = ring.answered.pop_front() else { return };
        match self.legs.get(&leg).and_then(|leg| leg.person().cloned()) {
            Some(user) if ring.granted.contains(&user) => self.connect(now, leg),
            // A reserved slot and a direct call's are taken here too: whoever talks is not free for others.
            Some(user) => {
                ring.claiming = Some(leg);
                self.out(Output::Claim { user, leg });
            }
            None => self.connect(now, leg),
        }
    }

    pub(super) fn claimed(&mut self, now: Time, leg: LegId, granted: bool) {
        let user = self.legs.get(&leg).and_then(|leg| leg.person().cloned());
        let Some(ring) = self.ring.as_mut().filter(|ring| ring.claiming == Some(leg)) else {
            return self.claimed_late(now, user, granted);
        };
        ring.claiming = None;
        if granted {
            if let Some(user) = user {
                self.slots.insert(user);
            }
            return self.connect(now, leg);
        }
        // He took another call in the same instant: this device is hung up, the caller rings on (decision 4).
        ring.forget(leg);
        ring.failed(Cause::of(486));
        self.end_leg(leg, &Cause::of(486));
        self.next_claim(now);
        self.ring_check(now);
    }

    /// The leg ended, or the ringing did, while its user was asked for the slot.
    fn claimed_late(&mut self, now: Time, user: Option<UserId>, granted: bool) {
        let Some(user) = user.filter(|_| granted) else { return };
        if !self.slots.contains(&user) {
            return self.out(Output::Release { user });
        }
        let Some(ring) = &mut self.ring else { return };
        // Other devices of his ring on, or one has answered and is asked for: the slot is theirs.
        let claiming = ring.claiming.filter(|leg| self.legs.get(leg).is_some_and(|leg| leg.person() == Some(&user)));
        ring.granted.insert(user);
        if let Some(leg) = claiming {
            ring.claiming = None;
            self.connect(now, leg);
        }
    }

    /// The first to answer: everyone else stops, the two hear each other.
    fn connect(&mut self, now: Time, leg: LegId) {
        let Some(winner) = self.legs.get_mut(&leg) else { return };
        winner.state = LegState::Up;
        let (user, number) = (winner.person().cloned(), winner.party.clone());
        let Some(connected) = self.ring.as_ref().map(|ring| ring.connected(now, user.clone(), number)) else { return };
        let op = self.stop_ringing(CancelWhy::CompletedElsewhere, Some(leg));
        if op == Some(Op::Errand) {
            return self.called_out(leg, connected);
        }
        self.fetched();
        self.answer_caller(now);
        self.free_ear();
        self.ear = Ear::Talking { peer: leg };
        let shows_another = self.services > 0 && self.talked.is_some();
        self.talked.get_or_insert((now, user));
        self.events.clear();
        self.journal(JournalEvent::Bridged { a: self.anchor, b: leg });
        self.out(Output::Bridge { anchor: self.anchor, peer: leg });
        self.hold_as_before(leg);
        if op == Some(Op::Transfer) {
            return self.transferred(leg);
        }
        if let Some(op) = op {
            self.connected(op, connected);
        }
        if shows_another {
            // His phone shows whom he talked to before he was handed on.
            self.out(Output::Identify { leg: self.anchor, other: leg });
        }
        self.out(Output::Bridged);
    }

    fn connected(&mut self, op: Op, connected: Connected) {
        match op {
            Op::Run { .. } | Op::Queue => self.result(op, HostResult::Rang(Ok(connected))),
            // Told by `transferred` and `called_out`; a mailbox rings nobody.
            Op::Direct | Op::Transfer | Op::Voicemail | Op::Errand => {}
        }
    }

    /// Ends the ringing: its legs but `but` are told to stop, its tone too. Returns who asked for it.
    pub(super) fn stop_ringing(&mut self, why: CancelWhy, but: Option<LegId>) -> Option<Op> {
        let ring = self.ring.take()?;
        if let Some(play) = ring.back {
            self.out(Output::StopPlay { leg: self.anchor, play });
        }
        if let Some(peer) = ring.early.filter(|leg| Some(*leg) != but) {
            self.out(Output::Unbridge { peer });
        }
        for leg in ring.legs.into_keys().filter(|leg| Some(*leg) != but) {
            self.cancel_leg(leg, why);
        }
        let kept = but.and_then(|leg| self.legs.get(&leg)).and_then(|leg| leg.person().cloned());
        let reserved: Vec<UserId> = self.slots.iter().filter(|user| Some(*user) != kept.as_ref()).cloned().collect();
        for user in reserved {
            self.release_if_unused(&user);
        }
        Some(ring.op)
    }

    /// Nobody left, or time over: the ringing ends without an answer.
    pub(super) fn ring_check(&mut self, now: Time) {
        self.ring_next_in_chains(now);
        let Some(ring) = self.ring.as_ref().filter(|ring| ring.is_hopeless()) else { return };
        let verdict = ring.verdict();
        if let Some(op) = self.stop_ringing(CancelWhy::TimeOver, None) {
            self.not_connected(now, op, verdict);
        }
    }

    pub(super) fn not_connected(&mut self, now: Time, op: Op, why: NotConnected) {
        let cause = match &why {
            NotConnected::NoAnswer(cause) => cause.clone(),
            NotConnected::Timeout
            | NotConnected::CallerGone
            | NotConnected::Denied(_)
            | NotConnected::Invalid(_)
            | NotConnected::Talking => Cause::of(480),
        };
        self.last_cause = Some(cause.clone());
        match op {
            Op::Run { .. } | Op::Queue => self.result(op, HostResult::Rang(Err(why))),
            Op::Direct => self.hang_up(now, &cause),
            Op::Transfer => self.transfer_failed(now, &cause),
            // It rings nobody.
            Op::Voicemail => {}
            Op::Errand => {
                self.result(op, HostResult::Rang(Err(why)));
                self.hang_up(now, &cause);
            }
        }
    }
}

const fn is_own_phone(party: &Party) -> bool {
    matches!(party, Party::Outside { phone: Some(Phone { of: Some(_), .. }), .. })
}
