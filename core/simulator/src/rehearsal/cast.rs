//! Who plays in a rehearsal: a phone for everybody, and what each does when.

use plugboard_model::{HostCall, HttpRequest, Notice, NoticeContent, Time, UserId};
use plugboard_switch::DatabaseQuestion;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::decisions::Decisions;
use super::plan::{Caller, Does};
use super::{BEFORE, CarrierDoes, LASTS_MAX, NotRehearsed, Stage, answer_of, fate_of, rows_of, since};
use crate::phone::{Account, Phone, Stage as PhoneStage};
use crate::sim::Sim;

/// How long a caller thinks before he keys.
const THINKS: Duration = Duration::from_secs(1);
/// People of one office who can be rung in a rehearsal: each has a phone that registers.
const PHONES_MAX: usize = 2_000;

/// Everybody who plays.
pub(super) struct Cast {
    caller: Phone,
    dials: (String, String),
    callees: Vec<Callee>,
    decisions: Arc<Mutex<Decisions>>,
    due: BTreeMap<(Time, u32), Act>,
    next: u32,
    began: Time,
    talk: Duration,
}

/// Somebody who may be rung.
struct Callee {
    user: Option<UserId>,
    phone: Phone,
    /// Of his calls, those that were seen to ring, and those that were seen to be up.
    rang: BTreeSet<usize>,
    up: BTreeSet<usize>,
}

/// What somebody does later.
enum Act {
    Keys(String),
    CallerHangsUp,
    Answers(usize),
    Refuses(usize, u16),
    HangsUp(usize),
}

impl Cast {
    /// Gives everybody a phone, and lets those register who have one.
    pub(super) fn of(sim: &mut Sim, stage: &Stage, decisions: Decisions) -> Result<Self, NotRehearsed> {
        let office = &stage.office;
        let plan = decisions.plan().clone();
        let account = |user: &plugboard_office::User| Account {
            user: user.number.as_str().to_owned(),
            domain: office.realm().to_owned(),
            password: user.password.reveal().to_owned(),
        };
        let domain = office.realm().to_owned();
        let mut callees = Vec::new();
        let mut calling = None;
        if office.users().len() > PHONES_MAX {
            let text = format!(
                "an office of {} users is too large to be rehearsed: at most {PHONES_MAX}",
                office.users().len()
            );
            return Err(NotRehearsed::Office(text));
        }
        for user in office.users() {
            let calls = matches!(&plan.from, Caller::User(from) if *from == user.id);
            if plan.of(&user.id) == Some(Does::Offline) && !calls {
                continue;
            }
            let phone = sim.phone_of(user.id.name.as_str(), account(user));
            phone.registers();
            if !sim.is_true_within(Duration::from_secs(5), phone.is_registered()) {
                let why = phone.registration().map_or_else(|| "no answer".into(), |(status, _)| status.to_string());
                return Err(NotRehearsed::Office(format!("the phone of {} cannot register: {why}", user.id.name)));
            }
            if calls {
                calling = Some((phone.clone(), user.number.as_str().to_owned()));
            }
            callees.push(Callee::new(Some(user.id.clone()), phone));
        }
        for gateway in office.gateways() {
            let calls = matches!(&plan.from, Caller::Outside { gateway: from, .. } if *from == gateway.id);
            let Some(address) = gateway.address.address() else {
                let text = format!("the gateway {} has no address of its own", gateway.id.name);
                return Err(NotRehearsed::Office(text));
            };
            let phone = sim.outside(gateway.id.name.as_str(), &address.to_string());
            if calls {
                calling = Some((phone.clone(), String::new()));
            }
            callees.push(Callee::new(None, phone));
        }
        let Some((caller, own)) = calling else {
            let who = match &plan.from {
                Caller::User(user) => user.name.to_string(),
                Caller::Outside { gateway, .. } => gateway.name.to_string(),
            };
            return Err(NotRehearsed::NoCaller(who));
        };
        let decisions = Arc::new(Mutex::new(decisions));
        others_answer(sim, &decisions);
        sim.watches_actions();
        let began = Time::ZERO + BEFORE;
        sim.run_for(since(began, sim.now()));
        let mut cast = Self {
            caller,
            dials: (domain, own),
            callees,
            decisions,
            due: BTreeMap::new(),
            next: 0,
            began,
            talk: plan.talk,
        };
        if let Some(after) = plan.hangs_up {
            cast.later(began + after, Act::CallerHangsUp);
        }
        Ok(cast)
    }

    /// Lets the call begin, and everybody do his part, until the caller is gone and nobody talks. What is left after that
    /// may still ask the decisions.
    pub(super) fn performs(mut self, sim: &mut Sim) -> Arc<Mutex<Decisions>> {
        let plan = self.decisions().plan().clone();
        match &plan.from {
            Caller::User(_) => self.caller.dials_at(&plan.to, &self.dials.0),
            Caller::Outside { number, .. } if number.is_empty() => {
                self.caller.dials_anonymously(&plan.to, &self.dials.0);
            }
            Caller::Outside { number, .. } => self.caller.dials_as_at(&plan.to, number, &self.dials.0),
        }
        let until = sim.now() + LASTS_MAX;
        while sim.now() < until && !(self.caller_is_gone() && self.nobody_talks()) {
            let next = self.due.keys().next().map_or(until, |(at, _)| (*at).min(until));
            let (seen, asked) = (RefCell::new(&mut self), sim.questions());
            let wait = since(next, sim.now());
            sim.is_true_within(wait, || asked() || seen.borrow().something_is_new());
            self.acts(sim.now());
            let questions = sim.asked_of_switch();
            self.looks(sim.now(), &questions);
        }
        if !self.caller_is_gone() {
            self.caller.hangs_up();
        }
        drop(self.callees);
        self.decisions
    }

    fn decisions(&self) -> std::sync::MutexGuard<'_, Decisions> {
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn caller_is_gone(&self) -> bool {
        matches!(self.caller.calls().first(), Some(PhoneStage::Over(_)))
    }

    fn caller_is_up(&self) -> bool {
        matches!(self.caller.calls().first(), Some(PhoneStage::Up))
    }

    /// Of those who were called: the caller's own phone has a call that he makes.
    fn nobody_talks(&self) -> bool {
        self.callees.iter().all(|callee| (callee.phone.is_idle())())
    }

    fn something_is_new(&self) -> bool {
        self.callees.iter().any(|callee| callee.news().next().is_some())
            || (self.caller_is_gone() && self.nobody_talks())
    }

    fn later(&mut self, at: Time, act: Act) {
        self.due.insert((at, self.next), act);
        self.next += 1;
    }

    /// Does what is due.
    fn acts(&mut self, now: Time) {
        while let Some(first) = self.due.first_entry().filter(|first| first.key().0 <= now) {
            match first.remove() {
                Act::Keys(keys) if self.caller_is_up() => self.caller.presses(&keys),
                Act::CallerHangsUp if !self.caller_is_gone() => self.caller.hangs_up(),
                Act::Keys(_) | Act::CallerHangsUp => {}
                Act::Answers(callee) => self.with(callee, PhoneStage::Ringing, Phone::answers),
                Act::Refuses(callee, status) => {
                    self.with(callee, PhoneStage::Ringing, |phone| phone.refuses(status));
                }
                Act::HangsUp(callee) => self.with(callee, PhoneStage::Up, Phone::hangs_up),
            }
        }
    }

    fn with(&self, callee: usize, stage: PhoneStage, act: impl FnOnce(&Phone)) {
        if let Some(callee) = self.callees.get(callee).filter(|callee| callee.phone.calls().contains(&stage)) {
            act(&callee.phone);
        }
    }

    /// Sees who rings and who talks, and what is asked of the caller; decides what they will do.
    fn looks(&mut self, now: Time, asked: &[HostCall]) {
        let mut ringing = Vec::new();
        for (place, callee) in self.callees.iter_mut().enumerate() {
            let news: Vec<(usize, PhoneStage)> = callee.news().collect();
            for (call, stage) in news {
                match stage {
                    PhoneStage::Ringing => {
                        callee.rang.insert(call);
                        ringing.push(place);
                    }
                    PhoneStage::Up => {
                        callee.up.insert(call);
                        let (at, act) = (now + self.talk, Act::HangsUp(place));
                        self.due.insert((at, self.next), act);
                        self.next += 1;
                    }
                    PhoneStage::Calling(_) | PhoneStage::Over(_) => {}
                }
            }
        }
        self.are_rung(now, &ringing);
        for _ in asked.iter().filter(|call| is_question(call)) {
            let keys = self.decisions().keys(since(now, self.began));
            match keys {
                Some(keys) if keys.is_empty() => {}
                Some(keys) => self.later(now + THINKS, Act::Keys(keys)),
                None => self.later(now + THINKS, Act::CallerHangsUp),
            }
        }
    }

    fn are_rung(&mut self, now: Time, places: &[usize]) {
        let users: Vec<UserId> = places.iter().filter_map(|place| self.callees.get(*place)?.user.clone()).collect();
        let of_users = if users.is_empty() { BTreeMap::new() } else { self.decisions().rung(&users) };
        for place in places {
            let Some(callee) = self.callees.get(*place) else { continue };
            let does = match &callee.user {
                Some(user) => of_users.get(user).copied(),
                None => {
                    let number = callee.phone.called().unwrap_or_default();
                    Some(self.decisions().outside(&number))
                }
            };
            match does {
                Some(Does::Answers(after)) => self.later(now + after, Act::Answers(*place)),
                Some(Does::Refuses(after, status)) => self.later(now + after, Act::Refuses(*place, status)),
                Some(Does::Ignores) | None => {}
                // Nobody is there: his phone, or the network, says so.
                Some(Does::Offline) => self.later(now, Act::Refuses(*place, 480)),
            }
        }
    }
}

/// Services, databases, and whoever carries mails and text messages on do as is decided.
fn others_answer(sim: &Sim, decisions: &Arc<Mutex<Decisions>>) {
    let decided = |decisions: &Arc<Mutex<Decisions>>| Arc::clone(decisions);
    let asked = decided(decisions);
    sim.site_is(move |request: &HttpRequest| {
        answer_of(&asked.lock().unwrap_or_else(PoisonError::into_inner).service(&request.source))
    });
    let asked = decided(decisions);
    sim.tables_are(move |question: &DatabaseQuestion| {
        let mut decisions = asked.lock().unwrap_or_else(PoisonError::into_inner);
        rows_of(&decisions.database(question.database.id.as_str(), question.query.id.as_str()))
    });
    let asked = decided(decisions);
    sim.carrier_is(move |notice: &Notice| {
        let mut decisions = asked.lock().unwrap_or_else(PoisonError::into_inner);
        fate_of(match &notice.content {
            NoticeContent::Mail(_) => decisions.mail(),
            NoticeContent::Text(_) => decisions.texts(),
            NoticeContent::Post(_) | NoticeContent::Log(_) => CarrierDoes::Takes,
        })
    });
}

impl Callee {
    const fn new(user: Option<UserId>, phone: Phone) -> Self {
        Self { user, phone, rang: BTreeSet::new(), up: BTreeSet::new() }
    }

    /// Calls that ring, or are up after they rang, and were not seen so before.
    fn news(&self) -> impl Iterator<Item = (usize, PhoneStage)> + '_ {
        self.phone.calls().into_iter().enumerate().filter(|(call, stage)| match stage {
            PhoneStage::Ringing => !self.rang.contains(call),
            PhoneStage::Up => self.rang.contains(call) && !self.up.contains(call),
            PhoneStage::Calling(_) | PhoneStage::Over(_) => false,
        })
    }
}

/// Whether the caller is asked to key something.
const fn is_question(call: &HostCall) -> bool {
    matches!(call, HostCall::Collect(_))
}
