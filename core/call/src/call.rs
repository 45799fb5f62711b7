//! The machine itself: what a call is made of, and which of its parts takes an input.

mod caller;
mod conference;
mod confirming;
mod dictation;
mod ending;
mod errand;
mod fax;
mod forward;
mod hold;
mod legs;
mod park;
mod requests;
mod ringing;
mod silence;
mod transfer;

use plugboard_model::{CallEvent, CallOutcome, Cause, HostResult, JournalEvent, LegId, PlayEnd, Time, UserId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::ear::Ear;
use crate::input::{Begin, Forward, Input, Op, Origin, Park, Redirect, Transfer};
use crate::leg::{Leg, LegState, Sound, Ways};
use crate::output::Output;
use crate::ring::Ring;

pub use confirming::press_to_take;
pub use forward::FORWARDS_MAX;

/// No conversation of an office lasts longer; a forgotten hold does.
pub const CALL_LENGTH_MAX: Duration = Duration::from_hours(24);

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

/// One call. See the crate's page for the contract.
#[derive(Debug)]
pub struct Call {
    begin: Option<Box<Begin>>,
    phase: Phase,
    script: Script,
    /// Boxed: a map has room for eleven legs at once, and most calls have one or two.
    legs: BTreeMap<LegId, Box<Leg>>,
    ear: Ear,
    ring: Option<Ring>,
    /// Whose ear [`Self::ear`] is: the caller's, or that of who stays after the caller handed him on.
    anchor: LegId,
    transferring: Option<transfer::Transferring>,
    parked: Option<park::Parked>,
    /// Users who keep this call in their books: reserved for it, rung by it or taken. Each is given back once.
    slots: BTreeSet<UserId>,
    /// Who talked to the caller first, and since when.
    talked: Option<(Time, Option<UserId>)>,
    /// Why the last ringing failed: what an unanswered caller is told when the scenario has nothing more.
    last_cause: Option<Cause>,
    /// Whose forwards led to the scenario that runs.
    sent_on: Vec<Forward>,
    /// Whom the scenario is about.
    guest: LegId,
    /// How often somebody was handed on to a service.
    services: u32,
    /// The caller is a fax machine.
    is_fax: bool,
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
            anchor: LegId::CALLER,
            transferring: None,
            parked: None,
            slots: BTreeSet::new(),
            talked: None,
            last_cause: None,
            sent_on: Vec::new(),
            guest: LegId::CALLER,
            services: 0,
            is_fax: false,
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
            Phase::Live => {
                self.handle_live(now, input);
                self.listen_again();
            }
            Phase::Closing { .. } => self.handle_closing(now, input),
            Phase::Over => {
                // Steps on the hanging up may ask for something when everything is over.
                if let Input::Request { op, request } = input {
                    self.refuse_gone(op, &request);
                }
            }
        }
        self.finish_closing(now);
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outbox.pop_front();
        if self.outbox.is_empty() {
            // A caller who waits for one of fifty people keeps no room for asking them all.
            self.outbox = VecDeque::new();
        }
        output
    }

    /// When to feed [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.phase {
            Phase::New | Phase::Over => None,
            Phase::Closing { guard, .. } => Some(guard),
            Phase::Live => {
                let ear = match &self.ear {
                    Ear::Collecting(collecting) => collecting.until,
                    Ear::Echoing { until, .. } | Ear::Conferring { until, .. } | Ear::Dictating { until, .. } => {
                        Some(*until)
                    }
                    Ear::Faxing { until, .. } => *until,
                    Ear::Idle | Ear::Playing { .. } | Ear::Told { .. } | Ear::Talking { .. } => None,
                };
                [
                    Some(Time::ZERO + CALL_LENGTH_MAX),
                    ear,
                    self.ring.as_ref().map(Ring::next_timeout),
                    self.waiting.map(|(_, until)| until),
                    self.parked.as_ref().filter(|_| self.ring.is_none()).map(park::Parked::due),
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
            Ear::Idle
            | Ear::Playing { .. }
            | Ear::Collecting(_)
            | Ear::Echoing { .. }
            | Ear::Conferring { .. }
            | Ear::Dictating { .. }
            | Ear::Faxing { .. }
            | Ear::Told { .. } => None,
        }
    }

    /// Whom the call is about: the caller, or who stayed when the caller left.
    pub fn anchor(&self) -> LegId {
        self.anchor
    }

    /// Whom the scenario is about: the caller, or who was handed on to it.
    pub fn guest(&self) -> LegId {
        self.guest
    }

    /// Who a leg is: a user of the office or nobody, and his number, or whatever stands for it.
    pub fn party(&self, leg: LegId) -> Option<(Option<&UserId>, &str)> {
        self.legs.get(&leg).map(|leg| (leg.user.as_ref(), leg.party.as_str()))
    }

    /// Whether a leg is called and nothing was heard of it.
    pub fn is_calling(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|leg| leg.state == LegState::Calling)
    }

    /// Whether a leg was answered and goes on.
    pub fn is_up(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|leg| leg.state == LegState::Up)
    }

    /// Who may be told something aside: those who talk, but for one who is on hold; the anchor alone when he hears nothing.
    pub fn free_ears(&self) -> Vec<LegId> {
        let free = |leg: &LegId| self.legs.get(leg).is_some_and(|leg| leg.state == LegState::Up && leg.music.is_none());
        let ears = match self.ear {
            Ear::Talking { peer } => vec![self.anchor, peer],
            Ear::Idle if self.ring.is_none() => vec![self.anchor],
            Ear::Idle
            | Ear::Playing { .. }
            | Ear::Collecting(_)
            | Ear::Echoing { .. }
            | Ear::Told { .. }
            | Ear::Conferring { .. }
            | Ear::Faxing { .. }
            | Ear::Dictating { .. } => Vec::new(),
        };
        ears.into_iter().filter(free).collect()
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
            caller_user: begin.caller_user.clone(),
            direction: begin.direction,
        });
        if begin.origin == Origin::Ours {
            self.begin = Some(begin);
            return;
        }
        self.legs.insert(
            LegId::CALLER,
            Box::new(Leg {
                user: begin.caller_user.clone(),
                gateway: begin.caller_gateway.clone(),
                party: begin.caller.clone(),
                began: now,
                answered: None,
                state: LegState::Calling,
                holds: false,
                sound: Sound::Heard,
                music: None,
                told: None,
                ways: Ways::default(),
                forwards: Vec::new(),
                phone: None,
            }),
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
                let cause = self.last_cause.clone().unwrap_or_else(|| Cause::of(480));
                if !self.given_back(now, &cause) {
                    self.end_if_nothing_goes_on(now);
                }
            }
            Input::UserOffers { user, offer } => self.user_offers(now, user, offer),
            Input::UserForwards { user, why, to } => self.user_forwards(now, user, why, to),
            Input::Claimed { leg, granted } => self.claimed(now, leg, granted),
            Input::UserTaken(user) => self.user_taken(now, &user),
            Input::LegHasMore(leg) => self.leg_has_more(leg),
            Input::LegRang(leg) => self.leg_rang(leg),
            Input::LegEarlyMedia { leg, rings } => self.leg_early(leg, rings),
            Input::LegEarlySilence(leg) => self.leg_silent_early(leg),
            Input::LegAnswered(leg) => self.leg_answered(now, leg),
            Input::LegEnded { leg, cause } => {
                let told = match cause.status {
                    // That another is overloaded does not mean that we are (RFC 3261 section 16.7 point 6).
                    503 => Cause::of(500),
                    // What a proxy has lost is between it and us (RFC 5626 section 5.3).
                    430 => Cause::of(480),
                    _ => cause.clone(),
                };
                self.leg_ended(now, leg, &cause, told);
            }
            Input::LegNotMade { leg, cause } => self.leg_ended(now, leg, &cause, cause.clone()),
            Input::LegRedirected(redirect) => self.leg_redirected(now, redirect),
            Input::LegHolds { leg, on } => self.leg_holds(leg, on),
            Input::LegSilent { leg, heard } => self.leg_silent(leg, heard),
            Input::LegLives(leg) => self.leg_lives(leg),
            Input::LegHeard(leg) => self.leg_heard(leg),
            Input::Transfer(transfer) => self.transfer(now, transfer),
            Input::Park(park) => self.park(now, park),
            Input::Join { leaving, other } => self.join(now, leaving, other),
            Input::Digit { leg, digit } => self.digit(now, leg, digit),
            Input::PlayEnded { play, finish } => self.play_ended(now, play, finish),
            Input::DictationOver => self.dictated(PlayEnd::Finished),
            Input::ForgetKeys => self.forget_keys(),
            Input::NotSeated(why) => self.not_seated(why),
            Input::FaxHeard => self.is_fax = true,
            Input::Faxed(done) => self.faxed(now, done),
            Input::HangUp(cause) => self.hang_up(now, &cause),
            Input::Tick => self.tick(now),
        }
    }

    /// While closing only ends matter; what arrives late is undone.
    fn handle_closing(&mut self, now: Time, input: Input) {
        match input {
            Input::LegEnded { leg, cause }
            | Input::LegNotMade { leg, cause }
            | Input::LegRedirected(Redirect { leg, cause, .. }) => self.mark_ended(now, leg, cause),
            Input::Request { op, request } => self.refuse_gone(op, &request),
            Input::Transfer(Transfer { by: leg, .. }) | Input::Park(Park { by: leg, .. }) => {
                self.out(Output::RejectTransfer { leg, status: 481 });
            }
            Input::UserOffers { user, offer: Ok(_) } => self.release(&user),
            Input::Claimed { leg, granted: true } => {
                if let Some(user) = self.legs.get(&leg).and_then(|leg| leg.person().cloned()) {
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
            | Input::UserForwards { .. }
            | Input::Claimed { granted: false, .. }
            | Input::UserTaken(_)
            | Input::LegHasMore(_)
            | Input::LegRang(_)
            | Input::LegEarlyMedia { .. }
            | Input::LegEarlySilence(_)
            | Input::LegAnswered(_)
            | Input::LegHolds { .. }
            | Input::LegSilent { .. }
            | Input::LegLives(_)
            | Input::LegHeard(_)
            | Input::NotSeated(_)
            | Input::DictationOver
            | Input::ForgetKeys
            | Input::FaxHeard
            | Input::Faxed(_)
            | Input::Join { .. }
            | Input::Digit { .. }
            | Input::PlayEnded { .. }
            | Input::HangUp(_) => {}
        }
    }

    fn anchor_is_up(&self) -> bool {
        self.legs.get(&self.anchor).is_some_and(|anchor| anchor.state == LegState::Up)
    }

    fn anchor_was_up(&self) -> bool {
        self.legs.get(&self.anchor).is_some_and(|anchor| anchor.answered.is_some())
    }

    /// Gives a slot back once no leg of that user is left.
    fn release_if_unused(&mut self, user: &UserId) {
        let in_use =
            self.legs.values().any(|leg| leg.person() == Some(user) && !leg.is_over() && leg.state != LegState::Ending);
        // One of his devices may wake up.
        let waits = self.ring.as_ref().is_some_and(|ring| ring.asking.contains_key(user));
        if !in_use && !waits {
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
