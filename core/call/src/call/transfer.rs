//! Calls that are handed on: to a number (RFC 5589 section 6), or to another call (section 7).
//!
//! Whoever stays is the call's anchor from then on. Who leaves is put aside until the other side has answered: when nobody
//! does, he has his call back, or is rung if he has hung up meanwhile.

use plugboard_model::{
    CallError, Cause, Connected, ForwardWhy, HostResult, JournalEvent, LegId, NotConnected, RingBack, Time, UserId,
};

use std::time::Duration;

use super::{Call, Script};
use crate::ear::Ear;
use crate::input::{Forward, Op, Party, RingOrder, Service, Transfer};
use crate::leg::{Leg, LegState};
use crate::output::{AskWhy, CancelWhy, Output};

/// How often a call is handed on to scenarios and mailboxes, which nobody has to answer: more are two menus that have a machine as go-between.
const SERVICES_MAX: u32 = 16;

/// A transfer to a number that goes on.
#[derive(Debug)]
pub(super) struct Transferring {
    /// Who wants it.
    by: LegId,
    /// Whom to ring when it fails and he has left: him.
    recall: Option<(UserId, Duration)>,
    /// What he dialled for it.
    to: String,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nobody rings yet.
    Begun,
    Rings,
    /// A service has him, and has not answered: it may ring others for him, or refuse him.
    Served {
        /// Somebody rings.
        rang: bool,
    },
    /// Nobody answered, and he has left: he is rung himself.
    Recalls,
}

impl Call {
    /// Whether this leg talks to somebody whom it could hand on.
    pub fn may_hand_on(&self, leg: LegId) -> bool {
        let is_up = |leg: &LegId| self.legs.get(leg).is_some_and(|leg| leg.state == LegState::Up);
        is_up(&leg) && self.partner(leg).is_some_and(|other| is_up(&other))
    }

    /// Whom this leg talks to.
    pub fn talks_to(&self, leg: LegId) -> Option<LegId> {
        self.partner(leg)
    }

    /// Whether this leg rings, so that somebody else may take the call in its place.
    pub fn may_be_picked_up(&self, leg: LegId) -> bool {
        // A call of ours has nobody yet who could be picked up.
        !self.calls_out()
            && self.ring.as_ref().is_some_and(|ring| ring.legs.contains_key(&leg) && ring.claiming.is_none())
            && self.legs.get(&leg).is_some_and(|leg| matches!(leg.state, LegState::Calling | LegState::Ringing))
    }

    /// A leg of this user that may be picked up.
    pub fn rings_for(&self, user: &UserId) -> Option<LegId> {
        let his = self.legs.iter().filter(|(_, leg)| leg.user.as_ref() == Some(user));
        his.map(|(leg, _)| *leg).find(|leg| self.may_be_picked_up(*leg))
    }

    pub(super) fn transfer(&mut self, now: Time, transfer: Transfer) {
        let Transfer { by, parties, service, order, ring_for, recall, to } = transfer;
        let Some(stays) = self.partner(by).filter(|_| self.may_hand_on(by)) else {
            return self.out(Output::RejectTransfer { leg: by, status: 481 });
        };
        if service.is_some() && self.services >= SERVICES_MAX {
            return self.out(Output::RejectTransfer { leg: by, status: 483 });
        }
        self.out(Output::AcceptTransfer { leg: by });
        self.free_ear();
        self.anchor = stays;
        self.journal(JournalEvent::Transferred { by: Some(by), whom: stays, to: to.clone() });
        let user = self.legs.get(&by).and_then(|leg| leg.user.clone()).filter(|_| recall);
        let recall = user.map(|user| (user, ring_for));
        self.transferring = Some(Transferring { by, recall, to, stage: Stage::Begun });
        match service {
            None => self.ring(now, Op::Transfer, parties, order, ring_for, RingBack::Tone),
            Some(service) => {
                let forwards = self.handed_on_by(Op::Transfer);
                self.serve(service, forwards);
            }
        }
    }

    /// Whether a service may take the anchor. Whoever is called back is to have him.
    pub(super) fn may_be_served(&self) -> bool {
        let recalls = self.transferring.as_ref().is_some_and(|transfer| transfer.stage == Stage::Recalls);
        self.services < SERVICES_MAX && !recalls
    }

    /// A service takes the anchor, in place of whatever decided before.
    pub(super) fn serve(&mut self, service: Service, forwards: Vec<Forward>) {
        let by = forwards.iter().rev().find_map(|forward| forward.user.clone());
        let called = self.transferring.as_mut().map(|transfer| {
            transfer.stage = Stage::Served { rang: transfer.stage == Stage::Rings };
            transfer.to.clone()
        });
        self.services += 1;
        self.sent_on = forwards;
        self.guest = self.anchor;
        self.last_cause = None;
        self.events.clear();
        match service {
            Service::Scenario(led) => {
                self.script = Script::Running;
                if let Some(begin) = &mut self.begin {
                    begin.scenario.get_or_insert_with(|| led.scenario.clone());
                }
                self.out(Output::BeginScenario { led, by, called });
            }
            Service::Mailbox(mailbox) => {
                self.script = Script::Over;
                self.out(Output::OpenMailbox { mailbox });
            }
        }
    }

    /// The service answers: who handed him on may go.
    pub(super) fn taken_by_service(&mut self) {
        let Some(Transferring { by, stage: Stage::Served { .. }, .. }) = self.transferring else { return };
        self.transfer_over(200);
        self.end_leg(by, &Cause::normal());
    }

    /// The service ends, or hangs up, and has not answered: nobody has. Whether it was so.
    pub(super) fn given_back(&mut self, now: Time, cause: &Cause) -> bool {
        let served = |transfer: &Transferring| matches!(transfer.stage, Stage::Served { .. });
        if !self.transferring.as_ref().is_some_and(served) {
            return false;
        }
        self.caller_left();
        // Who rang somebody, or waited, is told as at the end of a call: the step that ends the service may be beside it.
        if let Some(op @ Op::Run { .. }) = self.stop_ringing(CancelWhy::CallerGone, None) {
            self.result(op, HostResult::Rang(Err(NotConnected::CallerGone)));
        }
        if let Some((op, _)) = self.waiting.take() {
            self.result(op, HostResult::Event(Err(CallError::CallerGone)));
        }
        // What was no answer is no success either.
        let cause = if cause.status < 300 { Cause::of(480) } else { cause.clone() };
        self.transfer_failed(now, &cause);
        true
    }

    pub(super) fn why_asked(&self, op: Op) -> AskWhy {
        match (op, &self.transferring) {
            (Op::Run { .. } | Op::Queue, _) => AskWhy::Offered,
            (Op::Transfer, Some(Transferring { stage: Stage::Recalls, .. })) => AskWhy::Recall,
            (Op::Direct, _) if self.begin.as_ref().is_some_and(|begin| begin.call_back) => AskWhy::CallBack,
            (Op::Direct | Op::Transfer | Op::Voicemail | Op::Errand, _) => AskWhy::Direct,
        }
    }

    /// On whose behalf those are rung whom a transfer leads to.
    pub(super) fn handed_on_by(&self, op: Op) -> Vec<Forward> {
        if matches!(op, Op::Run { .. } | Op::Queue) {
            // Whom a scenario calls is called on behalf of those whose forwards led to it.
            return self.sent_on.clone();
        }
        let handed = self.transferring.as_ref().filter(|transfer| op == Op::Transfer && transfer.stage == Stage::Begun);
        let by = handed.and_then(|transfer| self.legs.get(&transfer.by)).map(|leg| &**leg);
        let forward =
            |leg: &Leg| Forward { user: leg.user.clone(), number: leg.party.clone(), why: ForwardWhy::Deflection };
        by.map(forward).into_iter().collect()
    }

    /// The first of those who are called rings.
    pub(super) fn transfer_rings(&mut self) {
        let Some(transfer) = &mut self.transferring else { return };
        transfer.stage = match transfer.stage {
            Stage::Begun => Stage::Rings,
            Stage::Served { rang: false } => Stage::Served { rang: true },
            Stage::Rings | Stage::Served { rang: true } | Stage::Recalls => return,
        };
        let leg = transfer.by;
        self.out(Output::NotifyTransfer { leg, status: 180 });
    }

    /// Somebody answered: he talks to who stayed, and who handed him on may go.
    pub(super) fn transferred(&mut self, leg: LegId) {
        let by = self.transferring.as_ref().map(|transfer| transfer.by);
        self.transfer_over(200);
        self.out(Output::Identify { leg: self.anchor, other: leg });
        if let Some(by) = by {
            self.end_leg(by, &Cause::normal());
        }
    }

    /// The last word to who wanted the transfer.
    pub(super) fn transfer_over(&mut self, status: u16) {
        if let Some(transfer) = self.transferring.take() {
            self.out(Output::NotifyTransfer { leg: transfer.by, status });
        }
    }

    /// Nobody answered: who wanted the transfer has his call back, or gets it.
    pub(super) fn transfer_failed(&mut self, now: Time, cause: &Cause) {
        let Some(Transferring { by, recall, to: _, stage }) = self.transferring.take() else { return };
        self.out(Output::NotifyTransfer { leg: by, status: cause.status });
        if self.park_goes_on(now) {
            return;
        }
        if self.legs.get(&by).is_some_and(|leg| leg.state == LegState::Up) {
            self.talk_to(by);
            return;
        }
        match recall {
            Some((user, ring_for)) if stage != Stage::Recalls => {
                self.recall(now, by, user, ring_for);
            }
            Some(_) | None => {
                self.out(Output::Unbridged);
                self.end_if_nothing_goes_on_with(now, cause);
            }
        }
    }

    /// Rings who has handed the call on, or put it aside, and is gone.
    pub(super) fn recall(&mut self, now: Time, by: LegId, user: UserId, ring_for: Duration) {
        self.transferring = Some(Transferring { by, recall: None, to: String::new(), stage: Stage::Recalls });
        self.ring(now, Op::Transfer, vec![Party::User(user)], RingOrder::One, ring_for, RingBack::Tone);
    }

    /// The anchor and this leg hear each other from now on.
    fn talk_to(&mut self, peer: LegId) {
        self.ear = Ear::Talking { peer };
        self.journal(JournalEvent::Bridged { a: self.anchor, b: peer });
        self.out(Output::Bridge { anchor: self.anchor, peer });
        self.hold_as_before(peer);
    }

    /// The caller handed on whom he talked to and is gone: his scenario is over, the call is not.
    pub(super) fn caller_left(&mut self) {
        if self.script == Script::Running {
            self.script = Script::Over;
            self.out(Output::CallerGone);
        }
    }

    /// Another call takes the place of a leg, or takes the call in place of a leg that rings.
    pub(super) fn join(&mut self, now: Time, leaving: Option<LegId>, other: String) {
        let stays = match leaving {
            Some(leg) if self.may_be_picked_up(leg) => Some(self.anchor),
            Some(leg) => self.partner(leg),
            None => (matches!(self.ear, Ear::Idle) && !self.calls_out()).then_some(self.anchor),
        };
        let (Some(stays), Some(joint)) = (stays, self.next_leg()) else { return };
        let user = leaving.and_then(|leg| self.legs.get(&leg)).and_then(|leg| leg.user.clone());
        let picked_up = self.ring.as_ref().map(|ring| ring.connected(now, user.clone(), other.clone()));
        let op = self.stop_ringing(CancelWhy::CompletedElsewhere, None);
        self.free_ear();
        let step = self.parked.as_ref().and_then(super::park::Parked::step);
        self.fetched();
        self.anchor = stays;
        self.answer_caller(now);
        self.legs.insert(joint, Box::new(Leg::joint(now, other.clone())));
        self.journal(JournalEvent::LegBegan { leg: joint, user: None, to: other.clone() });
        self.journal(JournalEvent::LegAnswered { leg: joint });
        if let Some(leaving) = leaving {
            self.journal(JournalEvent::Transferred { by: Some(leaving), whom: stays, to: other });
        }
        self.out(Output::Joint { leg: joint });
        self.talked.get_or_insert((now, user));
        self.talk_to(joint);
        self.out(Output::Identify { leg: stays, other: joint });
        if let Some(leaving) = leaving {
            self.out(Output::NotifyTransfer { leg: leaving, status: 200 });
            self.end_leg(leaving, &Cause::normal());
        }
        self.joined(op, picked_up);
        if step.is_some() {
            self.out(Output::Bridged);
        }
    }

    fn joined(&mut self, op: Option<Op>, picked_up: Option<Connected>) {
        match (op, picked_up) {
            (Some(op @ (Op::Run { .. } | Op::Queue)), Some(connected)) => {
                self.result(op, HostResult::Rang(Ok(connected)));
                self.out(Output::Bridged);
            }
            (Some(Op::Transfer), _) => {
                let by = self.transferring.as_ref().map(|transfer| transfer.by);
                self.transfer_over(200);
                if let Some(by) = by {
                    self.end_leg(by, &Cause::normal());
                }
            }
            (Some(Op::Run { .. } | Op::Queue | Op::Direct | Op::Voicemail | Op::Errand) | None, _) => {}
        }
    }
}
