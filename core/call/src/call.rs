//! The machine itself: phases of a call, legs, the caller's ear, one ringing at a time.

use plugboard_model::{
    Audio, CallError, CallEvent, CallOutcome, CallRecord, Cause, CollectEnd, Connected, HostResult, JournalEvent,
    LegId, NotConnected, PlayEnd, RingBack, Time, Tone, UserId,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::ear::{Collecting, Ear, check_collect, is_digit};
use crate::input::{Begin, Input, OfferedDevices, Op, Party, PlayFinish, Reoffered, Request, RingOrder};
use crate::leg::{Leg, LegState, wall_at};
use crate::output::{CancelWhy, Output, PlayId};
use crate::ring::Ring;

/// No conversation of an office lasts longer; a forgotten hold does.
pub const CALL_LENGTH_MAX: Duration = Duration::from_hours(24);
/// A BYE or CANCEL transaction gives up after 64*T1 = 32 s (RFC 3261 section 17.1); past this a leg's end was lost.
const CLOSING_MAX: Duration = Duration::from_secs(40);
/// Events that wait for `next-event`; past it the oldest goes (WIT `call.next-event`).
const EVENTS_MAX: usize = 64;
/// Legs that one call may make: a group of 256 with a phone and a page each.
const LEGS_MAX: u32 = 512;
/// Legs kept in the record.
const RECORD_LEGS_MAX: usize = 64;

/// Where the call is in its life.
#[derive(Debug)]
enum Phase {
    /// Nothing came yet.
    New,
    /// The caller is there.
    Live,
    /// It ends: legs are told, their ends are awaited until `guard`.
    Closing { outcome: CallOutcome, guard: Time },
    /// [`Output::Ended`] is out.
    Over,
}

/// Whether a scenario still decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Running,
    Over,
}

/// A change that one leg offered and the other is asked about.
#[derive(Debug, Clone, Copy)]
struct Reoffering {
    from: LegId,
    to: LegId,
    offered: Reoffered,
}

/// One call. See the crate's page for the contract.
#[derive(Debug)]
pub struct Call {
    begin: Option<Box<Begin>>,
    phase: Phase,
    script: Script,
    legs: BTreeMap<LegId, Leg>,
    ear: Ear,
    ring: Option<Ring>,
    reoffering: Option<Reoffering>,
    /// Slots that are ours.
    slots: BTreeSet<UserId>,
    /// Who talked to the caller first, and since when.
    talked: Option<(Time, Option<UserId>)>,
    /// Why the last ringing failed: what an unanswered caller is told when the scenario has nothing more.
    last_cause: Option<Cause>,
    events: VecDeque<CallEvent>,
    waiting: Option<(Op, Time)>,
    plays: u32,
    outbox: VecDeque<Output>,
}

impl Default for Call {
    fn default() -> Self {
        Self {
            begin: None,
            phase: Phase::New,
            script: Script::Running,
            legs: BTreeMap::new(),
            ear: Ear::Idle,
            ring: None,
            reoffering: None,
            slots: BTreeSet::new(),
            talked: None,
            last_cause: None,
            events: VecDeque::new(),
            waiting: None,
            plays: 0,
            outbox: VecDeque::new(),
        }
    }
}

impl Call {
    /// Takes one input and moves on; read the effects with [`Call::poll_output`].
    pub fn handle(&mut self, now: Time, input: Input) {
        match self.phase {
            Phase::New => {
                if let Input::Begin(begin) = input {
                    self.begin(now, begin);
                }
            }
            Phase::Live => self.handle_live(now, input),
            Phase::Closing { .. } => self.handle_closing(now, input),
            Phase::Over => {}
        }
        self.finish_closing(now);
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop_front()
    }

    /// When to feed [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.phase {
            Phase::New | Phase::Over => None,
            Phase::Closing { guard, .. } => Some(guard),
            Phase::Live => {
                let ear = match &self.ear {
                    Ear::Collecting(collecting) => collecting.until,
                    Ear::Echoing { until, .. } => Some(*until),
                    Ear::Idle | Ear::Playing { .. } | Ear::Talking { .. } => None,
                };
                [
                    Some(Time::ZERO + CALL_LENGTH_MAX),
                    ear,
                    self.ring.as_ref().map(Ring::next_timeout),
                    self.waiting.map(|(_, until)| until),
                ]
                .into_iter()
                .flatten()
                .min()
            }
        }
    }

    /// Whether [`Output::Ended`] is out.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// The legs that hear each other now: the caller and this one.
    pub fn talking_to(&self) -> Option<LegId> {
        match self.ear {
            Ear::Talking { peer } => Some(peer),
            Ear::Idle | Ear::Playing { .. } | Ear::Collecting(_) | Ear::Echoing { .. } => None,
        }
    }

    /// Legs that are not over.
    pub fn live_legs(&self) -> usize {
        self.legs.values().filter(|leg| !leg.is_over()).count()
    }

    fn begin(&mut self, now: Time, begin: Box<Begin>) {
        self.phase = Phase::Live;
        self.script = if begin.scenario.is_some() { Script::Running } else { Script::Over };
        self.journal(JournalEvent::Began {
            wall: begin.wall,
            caller: begin.caller.clone(),
            called: begin.called.clone(),
        });
        self.legs.insert(
            LegId::CALLER,
            Leg {
                user: begin.caller_user.clone(),
                gateway: begin.caller_gateway.clone(),
                party: begin.caller.clone(),
                began: now,
                answered: None,
                state: LegState::Calling,
            },
        );
        if let Some(user) = begin.caller_user.clone() {
            self.slots.insert(user.clone());
            self.out(Output::Occupy { user });
        }
        self.begin = Some(begin);
    }

    fn handle_live(&mut self, now: Time, input: Input) {
        match input {
            Input::Begin(_) => {}
            Input::Request { op, request } => self.request(now, op, request),
            Input::Cancel { op } => self.cancel(op),
            Input::ScenarioEnded => {
                self.script = Script::Over;
                self.end_if_nothing_goes_on(now);
            }
            Input::UserOffers { user, offer } => self.user_offers(now, user, offer),
            Input::Claimed { leg, granted } => self.claimed(now, leg, granted),
            Input::UserTaken(user) => self.user_taken(now, &user),
            Input::LegRang(leg) => self.leg_rang(leg),
            Input::LegAnswered(leg) => self.leg_answered(now, leg),
            Input::LegEnded { leg, cause } => self.leg_ended(now, leg, &cause),
            Input::LegReoffers { leg, offered } => self.leg_reoffers(leg, offered),
            Input::ReofferDone { leg, refused } => self.reoffer_done(leg, refused),
            Input::Digit { leg, digit } => self.digit(now, leg, digit),
            Input::PlayEnded { play, finish } => self.play_ended(now, play, finish),
            Input::HangUp(cause) => self.hang_up(now, &cause),
            Input::Tick => self.tick(now),
        }
    }

    /// While closing only ends matter; what arrives late is undone.
    fn handle_closing(&mut self, now: Time, input: Input) {
        match input {
            Input::LegEnded { leg, cause } => self.mark_ended(now, leg, cause),
            Input::Request { op, request } => self.refuse_gone(op, &request),
            Input::UserOffers { user, offer: Ok(_) } => self.release(&user),
            Input::Claimed { leg, granted: true } => {
                if let Some(user) = self.legs.get(&leg).and_then(|leg| leg.user.clone()) {
                    self.out(Output::Release { user });
                }
            }
            Input::Tick => {
                if let Phase::Closing { guard, .. } = self.phase
                    && now >= guard
                {
                    let lost: Vec<LegId> =
                        self.legs.iter().filter(|(_, leg)| !leg.is_over()).map(|(id, _)| *id).collect();
                    for leg in lost {
                        self.mark_ended(now, leg, Cause::of(408));
                    }
                }
            }
            Input::Begin(_)
            | Input::Cancel { .. }
            | Input::ScenarioEnded
            | Input::UserOffers { offer: Err(_), .. }
            | Input::Claimed { granted: false, .. }
            | Input::UserTaken(_)
            | Input::LegRang(_)
            | Input::LegAnswered(_)
            | Input::LegReoffers { .. }
            | Input::ReofferDone { .. }
            | Input::Digit { .. }
            | Input::PlayEnded { .. }
            | Input::HangUp(_) => {}
        }
    }

    // ---- requests -------------------------------------------------------------------------------------------

    fn request(&mut self, now: Time, op: Op, request: Request) {
        match request {
            Request::Answer => {
                self.answer_caller(now);
                self.result(op, HostResult::Done(Ok(())));
            }
            Request::Play { audio, options } => {
                let range = 100..=3_600_000;
                if let Some(max) = options.max_ms.filter(|max| !range.contains(max)) {
                    let fault = CallError::Invalid(format!("max-ms is 100 to 3,600,000, not {max}"));
                    return self.result(op, HostResult::Played(Err(fault)));
                }
                if let Err(fault) = self.take_ear(now) {
                    return self.result(op, HostResult::Played(Err(fault)));
                }
                let max = options.max_ms.map(|ms| Duration::from_millis(u64::from(ms)));
                let play = self.play(audio, max, options.repeat);
                self.ear = Ear::Playing { op, play, stop_on_digit: options.stop_on_digit };
            }
            Request::Collect(request) => {
                if let Err(fault) = check_collect(&request).map_err(CallError::Invalid) {
                    return self.result(op, HostResult::Collected(Err(fault)));
                }
                if let Err(fault) = self.take_ear(now) {
                    return self.result(op, HostResult::Collected(Err(fault)));
                }
                self.collect(now, op, request);
            }
            Request::Echo { max } => match self.take_ear(now) {
                Ok(()) => {
                    self.out(Output::Echo { on: true });
                    self.ear = Ear::Echoing { op, until: now + max };
                }
                Err(fault) => self.result(op, HostResult::Done(Err(fault))),
            },
            Request::NextEvent { timeout } => match self.events.pop_front() {
                Some(event) => self.result(op, HostResult::Event(Ok(event))),
                None => {
                    if let Some((other, _)) = self.waiting.replace((op, now + timeout)) {
                        self.result(other, HostResult::Event(Ok(CallEvent::Timeout)));
                    }
                }
            },
            Request::HangUp(cause) => {
                self.result(op, HostResult::Done(Ok(())));
                self.hang_up(now, &cause);
            }
            Request::Ring { parties, order, ring_for, ring_back } => {
                self.ring(now, op, parties, order, ring_for, ring_back);
            }
        }
    }

    /// The caller is gone: every request is answered with that.
    fn refuse_gone(&mut self, op: Op, request: &Request) {
        let gone = CallError::CallerGone;
        let result = match request {
            Request::Answer | Request::Echo { .. } | Request::HangUp(_) => HostResult::Done(Err(gone)),
            Request::Play { .. } => HostResult::Played(Err(gone)),
            Request::Collect(_) => HostResult::Collected(Err(gone)),
            Request::NextEvent { .. } => HostResult::Event(Err(gone)),
            Request::Ring { .. } => HostResult::Rang(Err(NotConnected::CallerGone)),
        };
        self.result(op, result);
    }

    fn cancel(&mut self, op: Op) {
        if self.waiting.is_some_and(|(waiter, _)| waiter == op) {
            self.waiting = None;
        }
        if self.ring.as_ref().is_some_and(|ring| ring.op == op) {
            self.stop_ringing(CancelWhy::TimeOver, None);
        }
        let ours = match &self.ear {
            Ear::Playing { op: owner, .. } | Ear::Echoing { op: owner, .. } => *owner == op,
            Ear::Collecting(collecting) => collecting.op == op,
            Ear::Idle | Ear::Talking { .. } => false,
        };
        if ours {
            self.free_ear();
        }
    }

    /// Makes the ear free for something new, answering the caller first.
    fn take_ear(&mut self, now: Time) -> Result<(), CallError> {
        match self.ear {
            Ear::Talking { .. } => return Err(CallError::Talking),
            Ear::Playing { .. } | Ear::Collecting(_) | Ear::Echoing { .. } => {
                return Err(CallError::NoMedia("another step has the caller's ear".into()));
            }
            Ear::Idle => {}
        }
        if self.ring.is_some() {
            return Err(CallError::NoMedia("the caller hears ring-back".into()));
        }
        self.answer_caller(now);
        Ok(())
    }

    /// Stops whatever the caller hears by our doing.
    fn free_ear(&mut self) {
        match std::mem::replace(&mut self.ear, Ear::Idle) {
            Ear::Idle => {}
            Ear::Playing { play, .. } => self.out(Output::StopPlay { play }),
            Ear::Collecting(collecting) => {
                if let Some(play) = collecting.prompt {
                    self.out(Output::StopPlay { play });
                }
            }
            Ear::Echoing { .. } => self.out(Output::Echo { on: false }),
            Ear::Talking { peer } => self.out(Output::Unbridge { peer }),
        }
    }

    fn play(&mut self, audio: Audio, max: Option<Duration>, repeat: bool) -> PlayId {
        let play = PlayId(self.plays);
        self.plays = self.plays.saturating_add(1);
        self.out(Output::Play { play, audio, max, repeat });
        play
    }

    fn collect(&mut self, now: Time, op: Op, request: plugboard_model::CollectRequest) {
        let mut collecting =
            Collecting { op, request, digits: String::new(), prompt: None, until: None, not_played: None };
        // Digits pressed ahead of the prompt count: people who know the menu do not wait for it.
        while let Some(CallEvent::Digit(digit)) = self.events.front().copied() {
            self.events.pop_front();
            if let Some(collected) = collecting.digit(now, digit) {
                return self.result(op, HostResult::Collected(Ok(collected)));
            }
        }
        if collecting.digits.is_empty() {
            match collecting.request.prompt.clone() {
                Some(prompt) => collecting.prompt = Some(self.play(prompt, None, false)),
                None => collecting.prompt_over(now, None),
            }
        }
        self.ear = Ear::Collecting(collecting);
    }

    fn answer_caller(&mut self, now: Time) {
        let Some(caller) = self.legs.get_mut(&LegId::CALLER) else { return };
        if matches!(caller.state, LegState::Calling | LegState::Ringing) {
            caller.state = LegState::Up;
            caller.answered = Some(now);
            self.journal(JournalEvent::LegAnswered { leg: LegId::CALLER });
            self.out(Output::AnswerCaller);
        }
    }

    // ---- ringing --------------------------------------------------------------------------------------------

    fn ring(
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
        if !matches!(self.ear, Ear::Idle) {
            let why = NotConnected::Invalid("another step has the caller's ear".into());
            return self.not_connected(now, op, why);
        }
        self.ring = Some(Ring::new(op, order, now, now + ring_for, ring_back));
        if self.caller_is_up() && ring_back == RingBack::Music {
            self.start_ring_back();
        }
        let caller_user = self.begin.as_ref().and_then(|begin| begin.caller_user.clone());
        let reserve = order == RingOrder::One;
        let mut seen = BTreeSet::new();
        for party in parties {
            match party {
                // The caller himself is on the phone: ringing him would only make noise.
                Party::User(user) if Some(&user) == caller_user.as_ref() => {
                    if let Some(ring) = &mut self.ring {
                        ring.failed(Cause::of(486));
                    }
                }
                Party::User(user) => {
                    if seen.insert(user.clone()) {
                        if let Some(ring) = &mut self.ring {
                            ring.asking.insert(user.clone());
                        }
                        self.out(Output::AskUser { user, reserve });
                    }
                }
                Party::Outside { .. } => self.make_leg(now, party, 0, now + ring_for),
            }
        }
        self.ring_check(now);
    }

    fn make_leg(&mut self, now: Time, party: Party, device: usize, until: Time) {
        let next = u32::try_from(self.legs.len()).unwrap_or(u32::MAX);
        if next >= LEGS_MAX {
            if let Some(ring) = &mut self.ring {
                ring.failed(Cause::of(503));
            }
            return;
        }
        let leg = LegId(next);
        let (user, gateway, to) = match &party {
            Party::User(user) => (Some(user.clone()), None, user.name.to_string()),
            Party::Outside { gateway, number } => (None, Some(gateway.clone()), number.clone()),
        };
        self.legs.insert(
            leg,
            Leg {
                user: user.clone(),
                gateway,
                party: to.clone(),
                began: now,
                answered: None,
                state: LegState::Calling,
            },
        );
        if let Some(ring) = &mut self.ring {
            ring.legs.insert(leg, until);
        }
        self.journal(JournalEvent::LegBegan { leg, user, to });
        self.out(Output::MakeLeg { leg, party, device });
    }

    fn user_offers(&mut self, now: Time, user: UserId, offer: Result<OfferedDevices, Cause>) {
        let Some(ring) = self.ring.as_mut().and_then(|ring| ring.asking.remove(&user).then_some(ring)) else {
            // The ringing is over: a reservation that comes late is given back.
            if offer.is_ok() && !self.slots.contains(&user) {
                self.out(Output::Release { user });
            }
            return;
        };
        match offer {
            Err(cause) => ring.failed(cause),
            Ok(offered) => {
                let until = offered.ring_for.map_or(ring.until, |own| ring.until.min(now + own));
                if ring.order == RingOrder::One {
                    self.slots.insert(user.clone());
                }
                for device in 0..offered.devices.len() {
                    self.make_leg(now, Party::User(user.clone()), device, until);
                }
                if offered.devices.is_empty() {
                    self.release_if_unused(&user);
                    if let Some(ring) = &mut self.ring {
                        ring.failed(Cause::of(480));
                    }
                }
            }
        }
        self.ring_check(now);
    }

    fn user_taken(&mut self, now: Time, user: &UserId) {
        let Some(ring) = &self.ring else { return };
        let claiming = ring.claiming;
        let his: Vec<LegId> = ring
            .legs
            .keys()
            .filter(|leg| self.legs.get(leg).is_some_and(|leg| leg.user.as_ref() == Some(user)))
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

    fn leg_rang(&mut self, leg: LegId) {
        let Some(ringing) = self.legs.get_mut(&leg) else { return };
        if ringing.state != LegState::Calling || leg == LegId::CALLER {
            return;
        }
        ringing.state = LegState::Ringing;
        self.journal(JournalEvent::LegRang { leg });
        let Some(ring) = &self.ring else { return };
        if self.caller_is_up() {
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

    fn leg_answered(&mut self, now: Time, leg: LegId) {
        let Some(ring) = self.ring.as_mut().filter(|ring| ring.legs.contains_key(&leg)) else { return };
        let Some(answered) = self.legs.get_mut(&leg) else { return };
        answered.answered = Some(now);
        answered.state = LegState::Claiming;
        ring.answered.push_back(leg);
        self.journal(JournalEvent::LegAnswered { leg });
        self.next_claim(now);
    }

    /// Asks for the slot of the next answered leg, if no other one is asked for.
    fn next_claim(&mut self, now: Time) {
        let Some(ring) = self.ring.as_mut().filter(|ring| ring.claiming.is_none()) else { return };
        let Some(leg) = ring.answered.pop_front() else { return };
        let order = ring.order;
        match (self.legs.get(&leg).and_then(|leg| leg.user.clone()), order) {
            (Some(user), RingOrder::AtOnce) => {
                ring.claiming = Some(leg);
                self.out(Output::Claim { user, leg });
            }
            (Some(_), RingOrder::One) | (None, RingOrder::One | RingOrder::AtOnce) => self.connect(now, leg),
        }
    }

    fn claimed(&mut self, now: Time, leg: LegId, granted: bool) {
        let user = self.legs.get(&leg).and_then(|leg| leg.user.clone());
        let Some(ring) = self.ring.as_mut().filter(|ring| ring.claiming == Some(leg)) else {
            // The leg ended, or the ringing did, while the user was asked.
            if let Some(user) = user.filter(|_| granted) {
                self.out(Output::Release { user });
            }
            return;
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

    /// The first to answer: everyone else stops, the two hear each other.
    fn connect(&mut self, now: Time, leg: LegId) {
        let Some(winner) = self.legs.get_mut(&leg) else { return };
        winner.state = LegState::Up;
        let (user, number) = (winner.user.clone(), winner.party.clone());
        let Some(connected) = self.ring.as_ref().map(|ring| ring.connected(now, user.clone(), number)) else { return };
        let op = self.stop_ringing(CancelWhy::CompletedElsewhere, Some(leg));
        self.answer_caller(now);
        self.ear = Ear::Talking { peer: leg };
        self.talked.get_or_insert((now, user));
        self.events.clear();
        self.journal(JournalEvent::Bridged { a: LegId::CALLER, b: leg });
        self.out(Output::Bridge { peer: leg });
        if let Some(op) = op {
            self.connected(op, connected);
        }
        self.out(Output::Bridged);
    }

    fn connected(&mut self, op: Op, connected: Connected) {
        match op {
            Op::Run { .. } => self.result(op, HostResult::Rang(Ok(connected))),
            Op::Direct => {}
        }
    }

    /// Ends the ringing: its legs but `but` are told to stop, its tone too. Returns who asked for it.
    fn stop_ringing(&mut self, why: CancelWhy, but: Option<LegId>) -> Option<Op> {
        let ring = self.ring.take()?;
        if let Some(play) = ring.back {
            self.out(Output::StopPlay { play });
        }
        for leg in ring.legs.into_keys().filter(|leg| Some(*leg) != but) {
            self.cancel_leg(leg, why);
        }
        let kept = but.and_then(|leg| self.legs.get(&leg)).and_then(|leg| leg.user.clone());
        let reserved: Vec<UserId> = self.slots.iter().filter(|user| Some(*user) != kept.as_ref()).cloned().collect();
        for user in reserved {
            self.release_if_unused(&user);
        }
        Some(ring.op)
    }

    /// Nobody left, or time over: the ringing ends without an answer.
    fn ring_check(&mut self, now: Time) {
        let Some(ring) = self.ring.as_ref().filter(|ring| ring.is_hopeless()) else { return };
        let verdict = ring.verdict();
        if let Some(op) = self.stop_ringing(CancelWhy::TimeOver, None) {
            self.not_connected(now, op, verdict);
        }
    }

    fn not_connected(&mut self, now: Time, op: Op, why: NotConnected) {
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
            Op::Run { .. } => self.result(op, HostResult::Rang(Err(why))),
            Op::Direct => self.hang_up(now, &cause),
        }
    }

    // ---- legs -----------------------------------------------------------------------------------------------

    fn cancel_leg(&mut self, leg: LegId, why: CancelWhy) {
        let Some(found) = self.legs.get_mut(&leg) else { return };
        match found.state {
            LegState::Calling | LegState::Ringing => {
                found.state = LegState::Ending;
                self.out(Output::CancelLeg { leg, why });
            }
            LegState::Claiming | LegState::Up => self.end_leg(leg, &Cause::normal()),
            LegState::Ending | LegState::Ended { .. } => {}
        }
    }

    fn end_leg(&mut self, leg: LegId, cause: &Cause) {
        let Some(found) = self.legs.get_mut(&leg) else { return };
        match found.state {
            LegState::Claiming | LegState::Up => {
                found.state = LegState::Ending;
                self.out(Output::EndLeg { leg, cause: cause.clone() });
            }
            LegState::Calling | LegState::Ringing | LegState::Ending | LegState::Ended { .. } => {}
        }
    }

    fn mark_ended(&mut self, now: Time, leg: LegId, cause: Cause) {
        let Some(found) = self.legs.get_mut(&leg) else { return };
        if found.is_over() {
            return;
        }
        found.state = LegState::Ended { at: now, cause: cause.clone() };
        let user = found.user.clone();
        self.journal(JournalEvent::LegEnded { leg, cause });
        if let Some(user) = user {
            self.release_if_unused(&user);
        }
    }

    fn leg_ended(&mut self, now: Time, leg: LegId, cause: &Cause) {
        if self.legs.get(&leg).is_none_or(Leg::is_over) {
            return;
        }
        self.mark_ended(now, leg, cause.clone());
        self.reoffer_leg_gone(leg);
        if leg == LegId::CALLER {
            return self.caller_gone(now);
        }
        if matches!(self.ear, Ear::Talking { peer } if peer == leg) {
            self.free_ear();
            self.out(Output::Unbridged);
            return self.end_if_nothing_goes_on(now);
        }
        let user = self.legs.get(&leg).and_then(|leg| leg.user.clone());
        let Some(ring) = &mut self.ring else { return };
        if !ring.forget(leg) {
            return;
        }
        ring.failed(cause.clone());
        // 600, 603 and 607 speak for the person, not for one device (decision 2).
        if matches!(cause.status, 600 | 603 | 607)
            && let Some(user) = user
        {
            let others: Vec<LegId> = ring
                .legs
                .keys()
                .filter(|other| self.legs.get(other).is_some_and(|leg| leg.user.as_ref() == Some(&user)))
                .copied()
                .collect();
            for other in others {
                if let Some(ring) = &mut self.ring {
                    ring.forget(other);
                }
                self.cancel_leg(other, CancelWhy::Declined);
            }
        }
        self.next_claim(now);
        self.ring_check(now);
    }

    fn leg_reoffers(&mut self, leg: LegId, offered: Reoffered) {
        let peer = match self.ear {
            Ear::Talking { peer } if leg == LegId::CALLER => Some(peer),
            Ear::Talking { peer } if leg == peer => Some(LegId::CALLER),
            Ear::Talking { .. } | Ear::Idle | Ear::Playing { .. } | Ear::Collecting(_) | Ear::Echoing { .. } => None,
        };
        match (peer, self.reoffering) {
            (_, Some(_)) => self.out(Output::RejectReoffer { leg, status: 491 }),
            (Some(to), None) => {
                self.reoffering = Some(Reoffering { from: leg, to, offered });
                self.out(Output::Reoffer { leg: to, offered });
            }
            (None, None) => self.out(Output::AcceptReoffer { leg }),
        }
    }

    fn reoffer_done(&mut self, leg: LegId, refused: Option<u16>) {
        let Some(pending) = self.reoffering.take_if(|pending| pending.to == leg) else { return };
        match refused {
            Some(status) => self.out(Output::RejectReoffer { leg: pending.from, status }),
            None => {
                self.out(Output::AcceptReoffer { leg: pending.from });
                let event = match pending.offered {
                    Reoffered::Hold => CallEvent::Held,
                    Reoffered::Talk => CallEvent::Resumed,
                };
                self.event(event);
            }
        }
    }

    fn reoffer_leg_gone(&mut self, leg: LegId) {
        if let Some(pending) = self.reoffering.take_if(|pending| pending.to == leg || pending.from == leg)
            && pending.to == leg
        {
            self.out(Output::AcceptReoffer { leg: pending.from });
        }
    }

    // ---- the caller's keys and ear --------------------------------------------------------------------------

    fn digit(&mut self, now: Time, leg: LegId, digit: char) {
        if !is_digit(digit) {
            return;
        }
        self.journal(JournalEvent::Digit { leg, digit });
        if leg != LegId::CALLER {
            return;
        }
        match &mut self.ear {
            Ear::Playing { op, play, stop_on_digit: true } => {
                let (op, play) = (*op, *play);
                self.ear = Ear::Idle;
                self.out(Output::StopPlay { play });
                self.result(op, HostResult::Played(Ok(PlayEnd::Digit(digit))));
            }
            Ear::Collecting(collecting) => {
                let (op, prompt) = (collecting.op, collecting.prompt.take());
                let collected = collecting.digit(now, digit);
                if let Some(play) = prompt {
                    self.out(Output::StopPlay { play });
                }
                if let Some(collected) = collected {
                    self.ear = Ear::Idle;
                    self.result(op, HostResult::Collected(Ok(collected)));
                }
            }
            // While they talk, keys are for the other side.
            Ear::Talking { .. } => {}
            Ear::Idle | Ear::Playing { stop_on_digit: false, .. } | Ear::Echoing { .. } => {
                self.event(CallEvent::Digit(digit));
            }
        }
    }

    fn event(&mut self, event: CallEvent) {
        if let Some((op, _)) = self.waiting.take() {
            return self.result(op, HostResult::Event(Ok(event)));
        }
        if self.events.len() >= EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    fn play_ended(&mut self, now: Time, play: PlayId, finish: PlayFinish) {
        match &mut self.ear {
            Ear::Playing { op, play: playing, .. } if *playing == play => {
                let op = *op;
                self.ear = Ear::Idle;
                let end = match finish {
                    PlayFinish::Finished => PlayEnd::Finished,
                    PlayFinish::TimeOver => PlayEnd::TimeOver,
                    PlayFinish::NotPlayable(reason) => PlayEnd::NotPlayable(reason),
                };
                self.result(op, HostResult::Played(Ok(end)));
            }
            Ear::Collecting(collecting) if collecting.prompt == Some(play) => {
                let not_played = match finish {
                    PlayFinish::NotPlayable(reason) => Some(reason),
                    PlayFinish::Finished | PlayFinish::TimeOver => None,
                };
                collecting.prompt_over(now, not_played);
            }
            Ear::Idle | Ear::Playing { .. } | Ear::Collecting(_) | Ear::Echoing { .. } | Ear::Talking { .. } => {
                if let Some(ring) = self.ring.as_mut().filter(|ring| ring.back == Some(play)) {
                    ring.back = None;
                }
            }
        }
    }

    fn tick(&mut self, now: Time) {
        if now >= Time::ZERO + CALL_LENGTH_MAX {
            return self.hang_up(now, &Cause::of(408));
        }
        if let Some((op, until)) = self.waiting
            && now >= until
        {
            self.waiting = None;
            self.result(op, HostResult::Event(Ok(CallEvent::Timeout)));
        }
        match &mut self.ear {
            Ear::Collecting(collecting) if collecting.until.is_some_and(|until| now >= until) => {
                let (op, collected) = (collecting.op, collecting.finish(CollectEnd::Timeout));
                self.ear = Ear::Idle;
                self.result(op, HostResult::Collected(Ok(collected)));
            }
            Ear::Echoing { op, until } if now >= *until => {
                let op = *op;
                self.free_ear();
                self.result(op, HostResult::Done(Ok(())));
            }
            Ear::Idle | Ear::Playing { .. } | Ear::Collecting(_) | Ear::Echoing { .. } | Ear::Talking { .. } => {}
        }
        self.ring_tick(now);
    }

    fn ring_tick(&mut self, now: Time) {
        let Some(ring) = &mut self.ring else { return };
        if now >= ring.until && ring.claiming.is_none() {
            ring.timed_out();
            let verdict = ring.verdict();
            if let Some(op) = self.stop_ringing(CancelWhy::TimeOver, None) {
                self.not_connected(now, op, verdict);
            }
            return;
        }
        let claiming = ring.claiming;
        let late: Vec<LegId> = ring
            .legs
            .iter()
            .filter(|(leg, until)| now >= **until && claiming != Some(**leg))
            .map(|(leg, _)| *leg)
            .collect();
        for leg in late {
            if let Some(ring) = &mut self.ring {
                ring.forget(leg);
                ring.timed_out();
            }
            self.cancel_leg(leg, CancelWhy::TimeOver);
        }
        self.ring_check(now);
    }

    // ---- the end --------------------------------------------------------------------------------------------

    fn end_if_nothing_goes_on(&mut self, now: Time) {
        let idle = self.ring.is_none() && !matches!(self.ear, Ear::Talking { .. });
        if self.script == Script::Over && idle {
            let cause = if self.caller_is_up() {
                Cause::normal()
            } else {
                self.last_cause.clone().unwrap_or_else(|| Cause::of(480))
            };
            self.hang_up(now, &cause);
        }
    }

    /// We end the call: the caller is told the cause.
    fn hang_up(&mut self, now: Time, cause: &Cause) {
        let outcome = self.outcome_when_we_end(cause);
        let Some(caller) = self.legs.get_mut(&LegId::CALLER) else { return };
        match caller.state {
            LegState::Calling | LegState::Ringing => {
                caller.state = LegState::Ending;
                // A final response needs a failure status; 200 would answer the call.
                let cause = if cause.status < 300 { Cause::of(480) } else { cause.clone() };
                self.out(Output::RejectCaller(cause));
            }
            LegState::Up | LegState::Claiming => self.end_leg(LegId::CALLER, cause),
            LegState::Ending | LegState::Ended { .. } => {}
        }
        self.close(now, outcome);
    }

    fn caller_gone(&mut self, now: Time) {
        let outcome = if self.talked.is_some() {
            CallOutcome::Answered
        } else if self.caller_was_up() {
            CallOutcome::Handled
        } else {
            CallOutcome::Abandoned
        };
        self.close(now, outcome);
    }

    fn outcome_when_we_end(&self, cause: &Cause) -> CallOutcome {
        if self.talked.is_some() {
            CallOutcome::Answered
        } else if self.caller_is_up() {
            CallOutcome::Handled
        } else if self.last_cause.is_some() {
            CallOutcome::NotAnswered(cause.clone())
        } else {
            CallOutcome::Failed(cause.clone())
        }
    }

    /// Tells every asker and every leg that it is over, and waits for the legs.
    fn close(&mut self, now: Time, outcome: CallOutcome) {
        let gone = CallError::CallerGone;
        if let Some((op, _)) = self.waiting.take() {
            self.result(op, HostResult::Event(Err(gone.clone())));
        }
        let asker = match &self.ear {
            Ear::Playing { op, .. } => Some((*op, HostResult::Played(Err(gone)))),
            Ear::Collecting(collecting) => Some((collecting.op, HostResult::Collected(Err(gone)))),
            Ear::Echoing { op, .. } => Some((*op, HostResult::Done(Err(gone)))),
            Ear::Idle | Ear::Talking { .. } => None,
        };
        self.free_ear();
        if let Some((op, result)) = asker {
            self.result(op, result);
        }
        if let Some(op) = self.stop_ringing(CancelWhy::CallerGone, None) {
            match op {
                Op::Run { .. } => self.result(op, HostResult::Rang(Err(NotConnected::CallerGone))),
                Op::Direct => {}
            }
        }
        let legs: Vec<LegId> = self.legs.keys().copied().filter(|leg| *leg != LegId::CALLER).collect();
        for leg in legs {
            self.cancel_leg(leg, CancelWhy::CallerGone);
        }
        self.reoffering = None;
        self.out(Output::CallerGone);
        self.phase = Phase::Closing { outcome, guard: now + CLOSING_MAX };
    }

    fn finish_closing(&mut self, now: Time) {
        let Phase::Closing { outcome, .. } = &self.phase else { return };
        if self.live_legs() > 0 {
            return;
        }
        let outcome = outcome.clone();
        let left: Vec<UserId> = std::mem::take(&mut self.slots).into_iter().collect();
        for user in left {
            self.out(Output::Release { user });
        }
        self.journal(JournalEvent::Ended { outcome: outcome.clone() });
        if let Some(record) = self.record(now, outcome) {
            self.out(Output::Ended(Box::new(record)));
        }
        self.phase = Phase::Over;
    }

    fn record(&self, now: Time, outcome: CallOutcome) -> Option<CallRecord> {
        let begin = self.begin.as_ref()?;
        Some(CallRecord {
            id: begin.id.clone(),
            direction: begin.direction,
            caller: begin.caller.clone(),
            caller_name: begin.caller_name.clone(),
            caller_user: begin.caller_user.clone(),
            called: begin.called.clone(),
            route: begin.route.clone(),
            scenario: begin.scenario.clone(),
            began: begin.wall,
            answered: self.talked.as_ref().map(|(at, _)| wall_at(begin.wall, *at)),
            answered_by: self.talked.as_ref().and_then(|(_, user)| user.clone()),
            ended: wall_at(begin.wall, now),
            outcome,
            legs: self.legs.iter().take(RECORD_LEGS_MAX).map(|(id, leg)| leg.record(*id, begin.wall, now)).collect(),
            steps: Vec::new(),
        })
    }

    // ---- small things ---------------------------------------------------------------------------------------

    fn caller_is_up(&self) -> bool {
        self.legs.get(&LegId::CALLER).is_some_and(|caller| caller.state == LegState::Up)
    }

    fn caller_was_up(&self) -> bool {
        self.legs.get(&LegId::CALLER).is_some_and(|caller| caller.answered.is_some())
    }

    /// Gives a slot back once no leg of that user is left.
    fn release_if_unused(&mut self, user: &UserId) {
        let in_use = self
            .legs
            .values()
            .any(|leg| leg.user.as_ref() == Some(user) && !leg.is_over() && leg.state != LegState::Ending);
        if !in_use {
            self.release(user);
        }
    }

    fn release(&mut self, user: &UserId) {
        if self.slots.remove(user) || matches!(self.phase, Phase::Closing { .. }) {
            self.out(Output::Release { user: user.clone() });
        }
    }

    fn result(&mut self, op: Op, result: HostResult) {
        self.out(Output::Result { op, result });
    }

    fn journal(&mut self, event: JournalEvent) {
        self.out(Output::Journal(event));
    }

    fn out(&mut self, output: Output) {
        self.outbox.push_back(output);
    }
}
