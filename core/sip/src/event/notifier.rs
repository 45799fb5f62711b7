//! The subscriptions of a shard: who may have one, which request is of which, and when each is told.
//!
//! Generic over the resource, which is the office's business: [`Output::Watch`] asks for its contents, [`Input::Shows`] brings
//! them.

#[cfg(test)]
mod tests;

use super::features::FeatureWish;
use super::package::{Content, Package, event_value};
use super::subscription::{Reason, Spec, Subscription};
use crate::dialog::{Dialog, NextHop};
use crate::flow::Flow;
use crate::message::{Request, Response};
use crate::registrar::ExpiryLimits;
use crate::rejection::Rejection;
use crate::transaction::{ClientTx, Input as LayerInput, ServerTx};
use plugboard_model::{OfficeId, Time, UserId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What one shard allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotifierLimits {
    /// Of one user. A big sidecar has 120 lamps, and he may have several devices.
    pub of_a_user: usize,
    /// Of an office's users together: 500 people with 40 lamps each.
    pub of_an_office: usize,
    /// Of all. One costs about 2 KB, so that these take 200 MB.
    pub in_all: usize,
    /// How long one lasts.
    pub expiry: ExpiryLimits,
}

/// What is allowed unless told otherwise.
pub const LIMITS: NotifierLimits = NotifierLimits {
    of_a_user: 500,
    of_an_office: 20_000,
    in_all: 100_000,
    expiry: ExpiryLimits {
        min: Duration::from_secs(60),
        max: Duration::from_hours(1),
        default: Duration::from_hours(1),
    },
};

/// A SUBSCRIBE that begins a subscription; who sent it is proven.
#[derive(Debug)]
pub struct Asked<R> {
    /// Its transaction.
    pub tx: ServerTx,
    /// The request.
    pub request: Request,
    /// Over what it came.
    pub flow: Flow,
    /// Who asks.
    pub watcher: UserId,
    /// What he wants to be told of.
    pub resource: R,
    /// Our tag: random.
    pub tag: String,
    /// The value of our Contact.
    pub contact: Box<str>,
}

/// What it is told.
#[derive(Debug)]
pub enum Input<R> {
    /// Somebody subscribes.
    Subscribe(Box<Asked<R>>),
    /// A SUBSCRIBE with our tag: to a subscription that there should be.
    Again {
        /// Its transaction.
        tx: ServerTx,
        /// The request.
        request: Box<Request>,
        /// Over what it came.
        flow: Flow,
    },
    /// How a resource is now.
    Shows(R, Arc<Content>),
    /// There is no such resource any more.
    Gone(R),
    /// A subscriber is nobody's device any more.
    Left(UserId),
    /// Somebody may not know this of a resource any more.
    Barred(UserId, R, Package),
    /// A response to a NOTIFY.
    Response(ClientTx, Box<Response>),
    /// A NOTIFY was not answered or could not be sent.
    Failed(ClientTx),
    /// The switch ends: every subscription does.
    Leave,
    /// [`Notifier::poll_timeout`] is reached.
    Tick,
}

/// What it wants.
#[derive(Debug)]
pub enum Output<R> {
    /// For the transaction layer.
    Layer(Box<LayerInput>),
    /// Somebody wants to know about this: tell how it is, now and whenever it changes.
    Watch(R),
    /// Nobody does any more.
    Unwatch(R),
    /// A user's phone wants his keys changed. Whether or not that changes anything, [`Input::Shows`] is to follow.
    Wish(UserId, FeatureWish),
    /// A subscription began.
    Began(Package),
    /// One ended.
    Ended(Package),
    /// A NOTIFY went out.
    Notified(Package),
}

/// The subscriptions of one shard.
#[derive(Debug)]
pub struct Notifier<R> {
    owner: u64,
    agent: &'static str,
    limits: NotifierLimits,
    held: BTreeMap<u64, Held<R>>,
    by_tag: BTreeMap<String, u64>,
    /// By Call-ID and the subscriber's tag, which outlive the first answer: who did not hear it asks anew.
    by_first: BTreeMap<(Box<str>, Box<str>), u64>,
    by_resource: BTreeMap<R, BTreeSet<u64>>,
    by_watcher: BTreeMap<UserId, BTreeSet<u64>>,
    by_office: BTreeMap<OfficeId, usize>,
    /// How the resources are that are watched.
    contents: BTreeMap<R, BTreeMap<Package, Arc<Content>>>,
    out: BTreeMap<u32, u64>,
    timers: BTreeSet<(Time, u64)>,
    next: u64,
    seq: u32,
    outbox: VecDeque<Output<R>>,
    leaving: bool,
}

#[derive(Debug)]
struct Held<R> {
    subscription: Subscription,
    watcher: UserId,
    resource: R,
    tag: String,
    first: (Box<str>, Box<str>),
    /// As it stands in `timers`.
    timer: Option<Time>,
}

impl<R: Clone + Ord> Notifier<R> {
    /// Without subscriptions. `owner` names its transactions, `agent` is the value of User-Agent.
    pub fn new(owner: u64, agent: &'static str, limits: NotifierLimits) -> Self {
        Self {
            owner,
            agent,
            limits,
            held: BTreeMap::new(),
            by_tag: BTreeMap::new(),
            by_first: BTreeMap::new(),
            by_resource: BTreeMap::new(),
            by_watcher: BTreeMap::new(),
            by_office: BTreeMap::new(),
            contents: BTreeMap::new(),
            out: BTreeMap::new(),
            timers: BTreeSet::new(),
            next: 0,
            seq: 0,
            outbox: VecDeque::new(),
            leaving: false,
        }
    }

    /// Takes one input; read the effects with [`Notifier::poll_output`].
    pub fn handle(&mut self, now: Time, input: Input<R>) {
        match input {
            Input::Subscribe(asked) => self.subscribe(now, *asked),
            Input::Again { tx, request, flow } => self.again(now, tx, &request, flow),
            Input::Shows(resource, content) => {
                if let Some(ids) = self.by_resource.get(&resource).cloned() {
                    let package = content.package();
                    self.contents.entry(resource).or_default().insert(package, Arc::clone(&content));
                    for id in ids {
                        self.with(now, id, |subscription| {
                            if subscription.package() == package {
                                subscription.shows(now, &content);
                            }
                        });
                    }
                }
            }
            Input::Gone(resource) => {
                let ids = self.by_resource.get(&resource).cloned().unwrap_or_default();
                for id in ids {
                    self.with(now, id, |held| held.end(now, Reason::NoResource));
                }
            }
            Input::Left(watcher) => {
                let ids = self.by_watcher.get(&watcher).cloned().unwrap_or_default();
                for id in ids {
                    self.with(now, id, |held| held.end(now, Reason::NoResource));
                }
            }
            Input::Barred(watcher, resource, package) => {
                let ids = self.by_watcher.get(&watcher).cloned().unwrap_or_default();
                let is_it = |held: &Held<R>| held.resource == resource && held.subscription.package() == package;
                for id in ids.into_iter().filter(|id| self.held.get(id).is_some_and(is_it)).collect::<Vec<_>>() {
                    self.with(now, id, |held| held.end(now, Reason::NoResource));
                }
            }
            Input::Response(tx, response) => {
                if let Some(id) = self.out.get(&tx.seq).copied() {
                    if response.is_final() {
                        self.out.remove(&tx.seq);
                    }
                    self.with(now, id, |held| held.answered(now, tx, &response));
                }
            }
            Input::Failed(tx) => {
                if let Some(id) = self.out.remove(&tx.seq) {
                    self.with(now, id, |held| held.failed(tx));
                }
            }
            Input::Leave => {
                self.leaving = true;
                let ids: Vec<u64> = self.held.keys().copied().collect();
                for id in ids {
                    self.with(now, id, |held| held.end(now, Reason::Deactivated));
                }
            }
            Input::Tick => {
                while let Some((at, id)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
                    self.timers.remove(&(at, id));
                    if let Some(held) = self.held.get_mut(&id) {
                        held.timer = None;
                    }
                    self.with(now, id, |held| held.tick(now));
                }
            }
        }
    }

    /// What it wants.
    pub fn poll_output(&mut self) -> Option<Output<R>> {
        self.outbox.pop_front()
    }

    /// When to say [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// How many subscriptions there are.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The resources that are watched.
    pub fn watched(&self) -> impl Iterator<Item = &R> {
        self.by_resource.keys()
    }

    /// Whether somebody watches this.
    pub fn watches(&self, resource: &R) -> bool {
        self.by_resource.contains_key(resource)
    }

    /// Who is told this of a resource.
    pub fn watchers_of(&self, resource: &R, package: Package) -> impl Iterator<Item = &UserId> {
        let ids = self.by_resource.get(resource).into_iter().flatten();
        let held = ids.filter_map(|id| self.held.get(id));
        held.filter(move |held| held.subscription.package() == package).map(|held| &held.watcher)
    }

    /// Who subscribes.
    pub fn watchers(&self) -> impl Iterator<Item = &UserId> {
        self.by_watcher.keys()
    }

    fn subscribe(&mut self, now: Time, asked: Asked<R>) {
        let tx = asked.tx;
        if let Err(rejection) = self.begin(now, &asked) {
            let mut response = rejection.response(&asked.request);
            response.headers.set("Server", self.agent);
            self.layer(LayerInput::Refuse { tx, response });
        }
    }

    fn begin(&mut self, now: Time, asked: &Asked<R>) -> Result<(), Rejection> {
        let request = &asked.request;
        let package = Package::of(request)?;
        if self.leaving {
            return Err(Rejection::of(503).with("Retry-After", "5"));
        }
        let form = package.form(request)?;
        let granted = self.granted(request)?;
        let wish = wish(package, request)?;
        let dialog = Dialog::of_invite(request, &asked.tag, asked.flow, NextHop::Source);
        let mut dialog = dialog.map_err(Rejection::bad_request)?;
        let first: (Box<str>, Box<str>) = (dialog.call_id().into(), dialog.remote_tag().into());
        if let Some(known) = self.by_first.get(&first).copied() {
            let cseq = request.headers.cseq().map_err(Rejection::bad_request)?.number;
            if self.held.get_mut(&known).is_some_and(|held| !held.subscription.dialog().take_cseq(cseq)) {
                // The same on another way (RFC 3261 section 8.2.2.2).
                return Err(Rejection::of(482));
            }
            // He did not hear our answer and asks anew.
            self.drop_held(known);
        }
        self.has_room(&asked.watcher)?;
        dialog.set_flow(asked.flow);
        let expires = now + granted;
        let event = event_value(package, request);
        let (contact, agent) = (asked.contact.clone(), self.agent);
        let subscription = Subscription::new(now, Spec { package, event, form, dialog, contact, agent, expires });
        let mut response = Response::to_request_tagged(request, 200, &asked.tag);
        self.fill(&mut response, granted, &asked.contact);
        let id = self.hold(asked, subscription, first);
        self.layer(LayerInput::Respond { tx: asked.tx, response });
        self.outbox.push_back(Output::Began(package));
        let known = self.contents.get(&asked.resource).and_then(|contents| contents.get(&package));
        let content = known.filter(|_| wish.is_none()).cloned();
        self.wish(&asked.watcher, wish);
        self.with(now, id, |held| {
            if let Some(content) = &content {
                held.shows(now, content);
            }
        });
        Ok(())
    }

    fn again(&mut self, now: Time, tx: ServerTx, request: &Request, flow: Flow) {
        // Of what is refused nothing is kept: anybody can make up a tag.
        let answer = match self.refresh(now, request, flow) {
            Ok(response) => LayerInput::Respond { tx, response },
            Err(rejection) => LayerInput::Refuse { tx, response: rejection.response(request) },
        };
        // Before the NOTIFY that follows it.
        self.outbox.push_front(Output::Layer(Box::new(answer)));
    }

    fn refresh(&mut self, now: Time, request: &Request, flow: Flow) -> Result<Response, Rejection> {
        let tag = request.headers.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        let unknown = || Rejection::of(481);
        let id = *self.by_tag.get(tag).ok_or_else(unknown)?;
        let package = Package::of(request)?;
        let granted = self.granted(request)?;
        let held = self.held.get_mut(&id).ok_or_else(unknown)?;
        let dialog = held.subscription.dialog();
        if !dialog.is_of(request) {
            return Err(unknown());
        }
        let cseq = request.headers.cseq().map_err(Rejection::bad_request)?.number;
        if !dialog.take_cseq(cseq) {
            return Err(Rejection::of(500));
        }
        // Several subscriptions in one dialog are nobody's any more (RFC 6665 section 4.5.2).
        if held.subscription.package() != package || held.subscription.ends() {
            return Err(unknown());
        }
        let wish = wish(package, request)?;
        let dialog = held.subscription.dialog();
        dialog.set_flow(flow);
        dialog.retarget(request);
        let (watcher, contact) = (held.watcher.clone(), held.subscription.contact().to_owned());
        let mut response = Response::to_request(request, 200);
        self.fill(&mut response, granted, &contact);
        let changes = wish.is_some();
        self.wish(&watcher, wish);
        self.with(now, id, |held| {
            if changes {
                held.awaits_change();
            }
            held.refreshed(now, now + granted);
        });
        Ok(response)
    }

    /// How long it lasts: what is asked, cut to the longest; zero ends it.
    fn granted(&self, request: &Request) -> Result<Duration, Rejection> {
        let limits = self.limits.expiry;
        let asked = request.headers.expires().map(|seconds| Duration::from_secs(u64::from(seconds)));
        let granted = asked.unwrap_or(limits.default).min(limits.max);
        if !granted.is_zero() && granted < limits.min {
            return Err(Rejection::of(423).with("Min-Expires", limits.min.as_secs().to_string()));
        }
        Ok(granted)
    }

    fn has_room(&self, watcher: &UserId) -> Result<(), Rejection> {
        let of_user = self.by_watcher.get(watcher).map_or(0, BTreeSet::len);
        if of_user >= self.limits.of_a_user {
            return Err(Rejection { reason: "Too many subscriptions".into(), ..Rejection::of(403) });
        }
        let of_office = self.by_office.get(&watcher.office).copied().unwrap_or_default();
        if of_office >= self.limits.of_an_office || self.held.len() >= self.limits.in_all {
            return Err(Rejection::of(503).with("Retry-After", "60"));
        }
        Ok(())
    }

    fn fill(&self, response: &mut Response, granted: Duration, contact: &str) {
        response.headers.push("Contact", contact);
        response.headers.push("Expires", granted.as_secs().to_string());
        response.headers.push("Server", self.agent);
    }

    fn layer(&mut self, input: LayerInput) {
        self.outbox.push_back(Output::Layer(Box::new(input)));
    }

    fn wish(&mut self, watcher: &UserId, wish: Option<FeatureWish>) {
        if let Some(wish) = wish {
            self.outbox.push_back(Output::Wish(watcher.clone(), wish));
        }
    }

    fn hold(&mut self, asked: &Asked<R>, subscription: Subscription, first: (Box<str>, Box<str>)) -> u64 {
        let id = self.next;
        self.next += 1;
        let (watcher, resource) = (asked.watcher.clone(), asked.resource.clone());
        self.by_tag.insert(asked.tag.clone(), id);
        self.by_first.insert(first.clone(), id);
        *self.by_office.entry(watcher.office.clone()).or_default() += 1;
        self.by_watcher.entry(watcher.clone()).or_default().insert(id);
        let watchers = self.by_resource.entry(resource.clone()).or_default();
        watchers.insert(id);
        if watchers.len() == 1 {
            self.outbox.push_back(Output::Watch(resource.clone()));
        }
        let held = Held { subscription, watcher, resource, tag: asked.tag.clone(), first, timer: None };
        self.held.insert(id, held);
        id
    }

    /// Does something with a subscription, sends what is due, and forgets it when it is over.
    fn with(&mut self, now: Time, id: u64, act: impl FnOnce(&mut Subscription)) {
        let Some(held) = self.held.get_mut(&id) else { return };
        act(&mut held.subscription);
        let tx = ClientTx { owner: self.owner, seq: self.seq };
        if let Some((request, flow)) = held.subscription.notify(now, tx) {
            let package = held.subscription.package();
            self.seq = self.seq.wrapping_add(1);
            if !held.subscription.is_over() {
                self.out.insert(tx.seq, id);
            }
            let notify = Box::new(LayerInput::SendRequest { tx, request, flow });
            self.outbox.push_back(Output::Layer(notify));
            self.outbox.push_back(Output::Notified(package));
        }
        if held.subscription.is_over() {
            return self.drop_held(id);
        }
        let at = held.subscription.poll_timeout();
        if held.timer != at {
            held.timer.take().map(|old| self.timers.remove(&(old, id)));
            held.timer = at;
            self.timers.extend(at.map(|at| (at, id)));
        }
    }

    fn drop_held(&mut self, id: u64) {
        let Some(held) = self.held.remove(&id) else { return };
        let Held { subscription, watcher, resource, tag, first, timer } = held;
        self.by_tag.remove(&tag);
        if self.by_first.get(&first) == Some(&id) {
            self.by_first.remove(&first);
        }
        if let Some(at) = timer {
            self.timers.remove(&(at, id));
        }
        if let Some(seq) = subscription.out() {
            self.out.remove(&seq);
        }
        if let Some(count) = self.by_office.get_mut(&watcher.office) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_office.remove(&watcher.office);
            }
        }
        leave(&mut self.by_watcher, &watcher, id);
        if leave(&mut self.by_resource, &resource, id) {
            self.contents.remove(&resource);
            self.outbox.push_back(Output::Unwatch(resource));
        }
        self.outbox.push_back(Output::Ended(subscription.package()));
    }
}

/// Takes a subscription out of an index; whether it was the last of its entry.
fn leave<K: Ord>(index: &mut BTreeMap<K, BTreeSet<u64>>, key: &K, id: u64) -> bool {
    let Some(ids) = index.get_mut(key) else { return false };
    ids.remove(&id);
    let last = ids.is_empty();
    if last {
        index.remove(key);
    }
    last
}

/// What a phone wants changed besides.
fn wish(package: Package, request: &Request) -> Result<Option<FeatureWish>, Rejection> {
    if request.body.is_empty() {
        return Ok(None);
    }
    match package {
        Package::Features => FeatureWish::read(&request.body).map(Some).map_err(Rejection::bad_request),
        // A filter, which nothing here understands and which may be passed over (RFC 6665 section 4.2.1.3).
        Package::Dialog | Package::Presence | Package::Messages => Ok(None),
    }
}
