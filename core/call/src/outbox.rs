//! Faxes that are to be sent: when each is tried, how often, and what is left of it afterwards. A machine like the call's, by the time of
//! day, since orders outlive the switch.
//!
//! What holds always, whatever comes:
//! - of an order one try at a time goes on, and no more of an office than its rules let;
//! - an order of which every page was confirmed is tried no more, nor is one that is over in another way;
//! - a change of an order is out ([`OutboxOutput::Keep`]) before what it allows.

use plugboard_model::{FaxTry, FaxTryEnd, OfficeId, OrderId, OrderState, OutgoingFax, WallTime};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Orders of an office that wait: more than its lines send in a day.
pub const WAITING_MAX: usize = 1_000;

/// Bytes of the documents of these: a disk is not filled by whoever has a token.
pub const WAITING_BYTES_MAX: u64 = 256 << 20;

/// Orders of an office that are over and can still be asked for; the oldest go first.
pub const OVER_MAX: usize = 5_000;

/// ... and for so long: who repeats an order later than this has another one.
pub const OVER_KEPT: Duration = Duration::from_hours(30 * 24);

/// How an office sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendRules {
    /// Tries of one order.
    pub tries: u32,
    /// From the end of a try to the next.
    pub apart: Duration,
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
        let until = |fax: &OutgoingFax| match fax.state {
            OrderState::Waiting { until } => Some(until),
            OrderState::Calling { .. }
            | OrderState::Sent { .. }
            | OrderState::Failed { .. }
            | OrderState::Withdrawn { .. } => None,
        };
        self.orders.values().filter(free).filter_map(until).min()
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
            self.orders.insert(id.clone(), fax);
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
        let confirmed = u32::try_from(tried.pages.len()).unwrap_or(u32::MAX);
        fax.pages_sent = fax.pages_sent.saturating_add(confirmed).min(fax.pages);
        let (repeats, rules) = (tried.end.may_be_repeated(), self.rules.get(&id.office().clone()));
        fax.tries.push(tried);
        let made = u32::try_from(fax.tries.len()).unwrap_or(u32::MAX);
        fax.state = if fax.pages_sent >= fax.pages {
            OrderState::Sent { at: now }
        } else if let Some(rules) = rules.filter(|rules| repeats && made < rules.tries) {
            OrderState::Waiting { until: later(now, rules.apart) }
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

    /// Begins what is due.
    pub fn tick(&mut self, now: WallTime) {
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

    /// Forgets orders that are over; how many there were.
    pub fn forget(&mut self, which: impl Fn(&OutgoingFax) -> bool) -> usize {
        let over = |fax: &&OutgoingFax| fax.state.over().is_some() && which(fax);
        let ids: Vec<OrderId> = self.orders.values().filter(over).map(|fax| fax.id.clone()).collect();
        for id in &ids {
            self.orders.remove(id);
            self.wanted.push_back(OutboxOutput::Forget(id.clone()));
        }
        ids.len()
    }

    /// Orders that are not over, of all offices.
    pub fn waiting(&self) -> usize {
        self.orders.values().filter(|fax| fax.state.over().is_none()).count()
    }

    /// As if this had not been ordered, before anything of it was carried out.
    pub fn undo(&mut self, id: &OrderId) {
        self.orders.remove(id);
        self.wanted.retain(|output| match output {
            OutboxOutput::Keep(fax) => fax.id != *id,
            OutboxOutput::Begin(other) | OutboxOutput::Discard(other) | OutboxOutput::Forget(other) => other != id,
        });
    }

    fn next_due(&self, now: WallTime) -> Option<OrderId> {
        let due = self.orders.values().filter_map(|fax| match fax.state {
            OrderState::Waiting { until } if until <= now => Some((until, &fax.id)),
            OrderState::Waiting { .. }
            | OrderState::Calling { .. }
            | OrderState::Sent { .. }
            | OrderState::Failed { .. }
            | OrderState::Withdrawn { .. } => None,
        });
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
        self.of_office(office).find(|fax| fax.key.as_deref() == Some(key))
    }

    fn put(&mut self, fax: OutgoingFax) {
        self.wanted.push_back(OutboxOutput::Keep(Box::new(fax.clone())));
        self.orders.insert(fax.id.clone(), fax);
    }

    fn forget_old(&mut self, now: WallTime, office: &OfficeId) {
        let mut over: Vec<(WallTime, OrderId)> =
            self.of_office(office).filter_map(|fax| Some((fax.state.over()?, fax.id.clone()))).collect();
        over.sort();
        let too_many = over.len().saturating_sub(OVER_MAX);
        let old = over.iter().enumerate().filter(|(n, (at, _))| *n < too_many || later(*at, OVER_KEPT) < now);
        for id in old.map(|(_, (_, id))| id.clone()).collect::<Vec<_>>() {
            self.orders.remove(&id);
            self.wanted.push_back(OutboxOutput::Forget(id));
        }
    }
}

fn later(at: WallTime, by: Duration) -> WallTime {
    WallTime(at.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}
