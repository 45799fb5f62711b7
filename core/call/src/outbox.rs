//! Faxes that are to be sent: when each is tried, how often, and what is left of it afterwards. A machine like the call's, by the time of
//! day, since orders outlive the switch.
//!
//! What holds always, whatever comes:
//! - of an order one try at a time goes on, and no more of an office than its rules let;
//! - an order of which every page was confirmed is tried no more, nor is one that is over in another way;
//! - a call that nobody took uses up none of the tries, and an order that waits too long is given up;
//! - a change of an order is out ([`OutboxOutput::Keep`]) before what it allows.

use plugboard_model::{FaxTry, FaxTryEnd, OfficeId, OrderId, OrderState, OutgoingFax, WallTime};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Orders of an office that wait: more than its lines send in a day.
pub const WAITING_MAX: usize = 1_000;

/// Bytes of the documents of these: a disk is not filled by whoever has a token.
pub const WAITING_BYTES_MAX: u64 = 256 << 20;

/// Orders of an office that are over and can still be asked for; the oldest go first.
pub const OVER_MAX: usize = 5_000;

/// ... and for so long: who repeats an order later than this has another one.
pub const OVER_KEPT: Duration = Duration::from_hours(30 * 24);

/// Orders of an office that have a key: so that none is forgotten before its time, no more are taken. Two lines send no more in a month.
pub const KEYS_MAX: usize = 50_000;

/// How long an order waits that nobody took: as long as it has done so already, between these. The first while of an outage costs
/// nobody much, and whoever has one for hours is not asked all the time.
const BACK_OFF: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_mins(30);

/// How an office sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendRules {
    /// Tries of one order.
    pub tries: u32,
    /// From the end of a try to the next.
    pub apart: Duration,
    /// From the order on: one that was not sent by then is given up.
    pub give_up_after: Duration,
    /// Tries that go on at once, of all orders.
    pub at_once: u32,
}

/// What the outbox asks of the world, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxOutput {
    /// Keep the order in place of what was kept of it.
    Keep(Box<OutgoingFax>),
    /// Try it now: [`Outbox::tried`] says what came of it.
    Begin(OrderId),
    /// It waited too long, and is over: somebody is to be told.
    GivenUp(OrderId),
    /// Its document is needed no more.
    Discard(OrderId),
    /// Forget the order.
    Forget(OrderId),
}

/// An order that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordered {
    /// For the first time: its document is to be kept.
    New,
    /// It was ordered before: this is how far it is.
    Before(Box<OutgoingFax>),
}

/// Why an order is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOrdered {
    /// As many wait as may.
    #[error("{WAITING_MAX} faxes of the office wait already, or {} MiB", WAITING_BYTES_MAX >> 20)]
    Full,
    /// As many keys are remembered as may be.
    #[error("{KEYS_MAX} faxes of the office had a key in the last thirty days")]
    Keys,
    /// The key is that of another order.
    #[error("the key is that of another order, {0}")]
    OtherOrder(OrderId),
}

/// Why an order is not withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWithdrawn {
    /// There is none.
    #[error("there is no such order")]
    Unknown,
    /// It is being sent.
    #[error("it is being sent just now")]
    Calling,
    /// It is over.
    #[error("it is over: {0}")]
    Over(&'static str),
}

/// The orders of all offices.
#[derive(Debug, Default)]
pub struct Outbox {
    orders: BTreeMap<OrderId, OutgoingFax>,
    /// Orders by their keys.
    keys: BTreeMap<OfficeId, BTreeMap<String, OrderId>>,
    /// What is being sent and is forgotten as soon as that is over.
    forgotten: BTreeSet<OrderId>,
    rules: BTreeMap<OfficeId, SendRules>,
    draining: bool,
    wanted: VecDeque<OutboxOutput>,
}

impl Outbox {
    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<OutboxOutput> {
        self.wanted.pop_front()
    }

    /// When to call [`Outbox::tick`].
    pub fn poll_timeout(&self) -> Option<WallTime> {
        let lines = self.free_lines();
        let free = |fax: &&OutgoingFax| lines.contains(fax.id.office());
        let begins = self.orders.values().filter(free).filter_map(|fax| fax.state.waits_until());
        let waits = self.orders.values().filter(|fax| fax.state.waits_until().is_some());
        let gives_up = waits.filter_map(|fax| self.given_up_at(fax));
        begins.chain(gives_up).min()
    }

    /// How offices send from now on; one that is not among them sends nothing.
    pub fn follow(&mut self, now: WallTime, rules: BTreeMap<OfficeId, SendRules>) {
        self.rules = rules;
        self.tick(now);
    }

    /// Nothing begins any more.
    pub const fn drain(&mut self) {
        self.draining = true;
    }

    /// What was kept of an office. What was being sent when the switch ended has failed, as far as anybody knows.
    pub fn restore(&mut self, now: WallTime, kept: Vec<OutgoingFax>) {
        for fax in kept {
            let (id, state) = (fax.id.clone(), fax.state.clone());
            self.insert(fax);
            if let OrderState::Calling { since } = state {
                let end = FaxTryEnd::Failed("the switch ended meanwhile".into());
                self.tried(now, &id, FaxTry::without_call(since, now, end));
            }
        }
        self.tick(now);
    }

    /// Takes an order, waiting, or tells that it was taken before.
    ///
    /// # Errors
    /// [`NotOrdered`].
    pub fn order(&mut self, now: WallTime, fax: OutgoingFax) -> Result<Ordered, NotOrdered> {
        if let Some(before) = fax.key.as_ref().and_then(|key| self.of_key(fax.id.office(), key)) {
            let same = before.digest == fax.digest;
            let (id, before) = (before.id.clone(), Box::new(before.clone()));
            return if same { Ok(Ordered::Before(before)) } else { Err(NotOrdered::OtherOrder(id)) };
        }
        let waiting = || self.of_office(fax.id.office()).filter(|fax| fax.state.over().is_none());
        let bytes: u64 = waiting().map(|fax| fax.bytes).sum();
        if waiting().count() >= WAITING_MAX || bytes.saturating_add(fax.bytes) > WAITING_BYTES_MAX {
            return Err(NotOrdered::Full);
        }
        self.forget_old(now, &fax.id.office().clone());
        let keys = self.keys.get(fax.id.office()).map_or(0, BTreeMap::len);
        if fax.key.is_some() && keys >= KEYS_MAX {
            return Err(NotOrdered::Keys);
        }
        self.put(fax);
        self.tick(now);
        Ok(Ordered::New)
    }

    /// Takes an order back that was not sent yet.
    ///
    /// # Errors
    /// [`NotWithdrawn`].
    pub fn withdraw(&mut self, now: WallTime, id: &OrderId) -> Result<&OutgoingFax, NotWithdrawn> {
        let fax = self.orders.get_mut(id).ok_or(NotWithdrawn::Unknown)?;
        match fax.state {
            OrderState::Waiting { .. } => {}
            OrderState::Calling { .. } => return Err(NotWithdrawn::Calling),
            OrderState::Sent { .. } | OrderState::Failed { .. } | OrderState::Withdrawn { .. } => {
                return Err(NotWithdrawn::Over(fax.state.as_str()));
            }
        }
        fax.state = OrderState::Withdrawn { at: now };
        self.wanted.push_back(OutboxOutput::Keep(Box::new(fax.clone())));
        self.wanted.push_back(OutboxOutput::Discard(id.clone()));
        Ok(fax)
    }

    /// A try is over. One that nobody began changes nothing.
    pub fn tried(&mut self, now: WallTime, id: &OrderId, tried: FaxTry) {
        let Some(fax) = self.orders.get_mut(id) else { return };
        if !matches!(fax.state, OrderState::Calling { .. }) {
            return;
        }
        if self.forgotten.remove(id) {
            // Of that nothing is left but this.
            self.remove(id);
            return self.tick(now);
        }
        let confirmed = u32::try_from(tried.pages.len()).unwrap_or(u32::MAX);
        fax.pages_sent = fax.pages_sent.saturating_add(confirmed).min(fax.pages);
        let rules = self.rules.get(id.office());
        let wait = note(fax, tried, rules.map_or(Duration::ZERO, |rules| rules.apart));
        let made = fax.tries.iter().filter(|tried| tried.end.counts()).count();
        let may_go_on = rules.is_some_and(|rules| u32::try_from(made).is_ok_and(|made| made < rules.tries));
        fax.state = if fax.pages_sent >= fax.pages {
            OrderState::Sent { at: now }
        } else if let Some(wait) = wait.filter(|_| may_go_on) {
            OrderState::Waiting { until: later(now, wait) }
        } else {
            OrderState::Failed { at: now }
        };
        let over = fax.state.over().is_some();
        self.wanted.push_back(OutboxOutput::Keep(Box::new(fax.clone())));
        if over {
            self.wanted.push_back(OutboxOutput::Discard(id.clone()));
        }
        self.tick(now);
    }

    /// Gives up what is too old, and begins what is due.
    pub fn tick(&mut self, now: WallTime) {
        self.give_up(now);
        while let Some(id) = self.next_due(now) {
            let Some(fax) = self.orders.get_mut(&id) else { return };
            fax.state = OrderState::Calling { since: now };
            self.wanted.push_back(OutboxOutput::Keep(Box::new(fax.clone())));
            self.wanted.push_back(OutboxOutput::Begin(id));
        }
    }

    /// One order.
    pub fn get(&self, id: &OrderId) -> Option<&OutgoingFax> {
        self.orders.get(id)
    }

    /// The orders of an office, the oldest first.
    pub fn of_office(&self, office: &OfficeId) -> impl Iterator<Item = &OutgoingFax> {
        self.orders.values().filter(move |fax| fax.id.office() == office)
    }

    /// Forgets orders, however far they are, and their documents; how many there were. What is being sent may end, and is not tried again.
    pub fn forget(&mut self, which: impl Fn(&OutgoingFax) -> bool) -> usize {
        let is_new = |fax: &&OutgoingFax| !self.forgotten.contains(&fax.id) && which(fax);
        let found: Vec<(OrderId, OrderState)> =
            self.orders.values().filter(is_new).map(|fax| (fax.id.clone(), fax.state.clone())).collect();
        let forgotten = found.len();
        for (id, state) in found {
            if matches!(state, OrderState::Calling { .. }) {
                self.forgotten.insert(id.clone());
            } else {
                self.remove(&id);
            }
            if state.over().is_none() {
                self.wanted.push_back(OutboxOutput::Discard(id.clone()));
            }
            self.wanted.push_back(OutboxOutput::Forget(id));
        }
        forgotten
    }

    /// Orders that are not over, of all offices.
    pub fn waiting(&self) -> usize {
        self.orders.values().filter(|fax| fax.state.over().is_none()).count()
    }

    /// As if this had not been ordered, before anything of it was carried out.
    pub fn undo(&mut self, id: &OrderId) {
        self.remove(id);
        self.wanted.retain(|output| match output {
            OutboxOutput::Keep(fax) => fax.id != *id,
            OutboxOutput::Begin(other)
            | OutboxOutput::GivenUp(other)
            | OutboxOutput::Discard(other)
            | OutboxOutput::Forget(other) => other != id,
        });
    }

    fn next_due(&self, now: WallTime) -> Option<OrderId> {
        let waiting = self.orders.values().filter_map(|fax| Some((fax.state.waits_until()?, &fax.id)));
        let due = waiting.filter(|(until, _)| *until <= now);
        let lines = self.free_lines();
        due.filter(|(_, id)| lines.contains(id.office())).min().map(|(_, id)| id.clone())
    }

    /// The offices of which one more may be tried.
    fn free_lines(&self) -> BTreeSet<OfficeId> {
        if self.draining {
            return BTreeSet::new();
        }
        let mut lines: BTreeMap<&OfficeId, u32> =
            self.rules.iter().map(|(office, rules)| (office, rules.at_once)).collect();
        for fax in self.orders.values().filter(|fax| matches!(fax.state, OrderState::Calling { .. })) {
            if let Some(left) = lines.get_mut(fax.id.office()) {
                *left = left.saturating_sub(1);
            }
        }
        lines.into_iter().filter(|(_, left)| *left > 0).map(|(office, _)| office.clone()).collect()
    }

    fn of_key(&self, office: &OfficeId, key: &str) -> Option<&OutgoingFax> {
        self.orders.get(self.keys.get(office)?.get(key)?)
    }

    fn put(&mut self, fax: OutgoingFax) {
        self.wanted.push_back(OutboxOutput::Keep(Box::new(fax.clone())));
        self.insert(fax);
    }

    fn insert(&mut self, fax: OutgoingFax) {
        if let Some(key) = fax.key.clone() {
            self.keys.entry(fax.id.office().clone()).or_default().insert(key, fax.id.clone());
        }
        self.orders.insert(fax.id.clone(), fax);
    }

    fn remove(&mut self, id: &OrderId) {
        let key = self.orders.remove(id).and_then(|fax| fax.key);
        if let (Some(key), Some(keys)) = (key, self.keys.get_mut(id.office())) {
            keys.remove(&key);
        }
    }

    /// When the order is given up, if it still waits then.
    fn given_up_at(&self, fax: &OutgoingFax) -> Option<WallTime> {
        self.rules.get(fax.id.office()).map(|rules| later(fax.ordered, rules.give_up_after))
    }

    fn give_up(&mut self, now: WallTime) {
        let waits = self.orders.values().filter(|fax| fax.state.waits_until().is_some());
        let old = waits.filter(|fax| self.given_up_at(fax).is_some_and(|at| at <= now));
        for id in old.map(|fax| fax.id.clone()).collect::<Vec<_>>() {
            let Some(fax) = self.orders.get_mut(&id) else { continue };
            fax.tries.push(FaxTry::without_call(now, now, FaxTryEnd::TooOld));
            fax.state = OrderState::Failed { at: now };
            self.wanted.push_back(OutboxOutput::Keep(Box::new(fax.clone())));
            self.wanted.push_back(OutboxOutput::Discard(id.clone()));
            self.wanted.push_back(OutboxOutput::GivenUp(id));
        }
    }

    fn forget_old(&mut self, now: WallTime, office: &OfficeId) {
        let over = |fax: &OutgoingFax| Some((fax.state.over()?, fax.id.clone(), fax.key.is_some()));
        let mut over: Vec<(WallTime, OrderId, bool)> = self.of_office(office).filter_map(over).collect();
        over.sort();
        let too_many = over.len().saturating_sub(OVER_MAX);
        for (n, (at, id, has_key)) in over.into_iter().enumerate() {
            if later(at, OVER_KEPT) < now || (n < too_many && !has_key) {
                self.remove(&id);
                self.wanted.push_back(OutboxOutput::Forget(id));
            } else if n < too_many {
                // Its key and how it ended are all that is asked for; the rest is memory.
                self.shorten(&id);
            }
        }
    }

    fn shorten(&mut self, id: &OrderId) {
        let Some(fax) = self.orders.get_mut(id).filter(|fax| fax.tries.len() > 1) else { return };
        fax.tries.drain(..fax.tries.len() - 1);
        fax.tries.shrink_to_fit();
        self.wanted.push_back(OutboxOutput::Keep(Box::new(fax.clone())));
    }
}

/// Writes a try down, and says how long the order waits, where the next would be `apart`; none: no other follows.
fn note(fax: &mut OutgoingFax, mut tried: FaxTry, apart: Duration) -> Option<Duration> {
    let (repeats, counts) = (tried.end.may_be_repeated(), tried.end.counts());
    if let Some(before) = fax.tries.pop_if(|before| !counts && !before.end.counts()) {
        tried.began = before.began;
    }
    let waited = u64::try_from(tried.ended.0.saturating_sub(tried.began.0)).unwrap_or(0);
    fax.tries.push(tried);
    let back_off = Duration::from_millis(waited).clamp(*BACK_OFF.start(), *BACK_OFF.end());
    repeats.then_some(if counts { apart } else { back_off })
}

fn later(at: WallTime, by: Duration) -> WallTime {
    WallTime(at.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}
