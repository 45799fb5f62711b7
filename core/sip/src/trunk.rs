//! What is known of a gateway and done to keep it known: where it is, whether it answers, whether we are registered. Sans-IO.
//!
//! One [`Trunk`] puts a [`Locator`], a [`Probe`] for each target and a [`Registration`] together, and says from what they
//! know whether a call can go there, and to which target.

#[cfg(test)]
mod tests;

use crate::flow::Flow;
use crate::locate::{Answer, BadTargets, Input as LocateInput, Locator, NotFound, Question, Sought, Target};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::probe::{Input as ProbeInput, Output as ProbeOutput, Probe, Probing};
use crate::registration::{Input as RegisterInput, Output as RegisterOutput, Registration, RegistrationSpec};
use crate::transaction::ClientTx;
use crate::uri::{RequestUri, SipUri};
use plugboard_model::Time;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Targets of a gateway that are probed, each by itself.
const PROBED_MAX: usize = 16;

/// What a trunk is.
#[derive(Debug, Clone)]
pub struct TrunkSpec {
    /// The owner in [`ClientTx`], never used twice in a shard's life.
    pub owner: u64,
    /// Where it is.
    pub place: Place,
    /// The values of Route: a proxy that is at that place in its stead.
    pub routes: Vec<String>,
    /// Its name in URIs, or its address.
    pub uri: SipUri,
    /// Whom probes are from, as `<sip:plugboard.test>`.
    pub from: String,
    /// Whether and how it is probed.
    pub probing: Option<Probing>,
    /// What is registered there.
    pub registration: Option<RegistrationSpec>,
    /// The value of User-Agent.
    pub agent: String,
    /// Random, for orders, tags and Call-IDs.
    pub random: u64,
}

/// Where a trunk is.
#[derive(Debug, Clone)]
pub enum Place {
    /// There.
    Target(Target),
    /// Where DNS says.
    Name(Sought),
}

/// What a trunk is told.
#[derive(Debug)]
pub enum Input<'m> {
    /// The answer to a question.
    Answered(Question, Result<Answer, NotFound>),
    /// A response to a request of its own.
    Response(ClientTx, &'m Response),
    /// A request of its own was not answered, or could not be sent.
    Failed(ClientTx, &'m str),
    /// A call to this target got no answer, or a 503.
    CallFailed(Target),
    /// The gateway is taken out, or the switch ends.
    Leave,
    /// [`Trunk::poll_timeout`] is reached.
    Tick,
}

/// What a trunk wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask DNS.
    Ask(Question),
    /// Send what [`Trunk::request`] makes for this target.
    Send(ClientTx, Target),
    /// [`Trunk::status`] is another one.
    Changed,
    /// Its targets are others.
    Moved,
    /// It wants nothing any more.
    Left,
}

/// Whether calls can go there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing is known yet: its name is looked for, or it is being registered.
    Starting(String),
    /// They can.
    Up,
    /// They cannot, for this reason.
    Down(String),
}

/// Where a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// There.
    pub target: Target,
    /// There is another target that this call has not tried.
    pub has_more: bool,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Trunk {
    spec: TrunkSpec,
    locator: Option<Locator>,
    targets: Vec<Target>,
    probes: BTreeMap<Target, Probe>,
    /// Why a target that is down is.
    reasons: BTreeMap<Target, String>,
    bad: BadTargets,
    registration: Option<Registration>,
    /// Why it is not registered.
    unregistered: String,
    /// The target of the last REGISTER.
    registrar: Option<Target>,
    /// What is out, by the number of its transaction.
    asked: BTreeMap<u32, Asked>,
    seq: u32,
    status: Status,
    leaving: bool,
    outbox: VecDeque<Output>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Probe(Target),
    Register(Target),
}

impl Trunk {
    /// Begins to find, to probe and to register.
    pub fn new(now: Time, spec: TrunkSpec) -> Self {
        let locator = match &spec.place {
            Place::Target(_) => None,
            Place::Name(sought) => Some(Locator::new(now, sought.clone())),
        };
        let targets = match &spec.place {
            Place::Target(target) => vec![*target],
            Place::Name(_) => Vec::new(),
        };
        let mut trunk = Self {
            locator,
            targets,
            probes: BTreeMap::new(),
            reasons: BTreeMap::new(),
            bad: BadTargets::default(),
            registration: None,
            unregistered: "it is being registered".into(),
            registrar: None,
            asked: BTreeMap::new(),
            seq: 0,
            status: Status::Starting("it has just begun".into()),
            leaving: false,
            outbox: VecDeque::new(),
            spec,
        };
        trunk.targets_changed(now);
        trunk.settle(now);
        trunk
    }

    /// Takes one input; read the effects with [`Trunk::poll_output`].
    pub fn handle(&mut self, now: Time, input: Input<'_>) {
        match input {
            Input::Answered(question, answer) => {
                if let Some(locator) = &mut self.locator {
                    locator.handle(now, LocateInput::Answered(question, answer));
                    self.targets_changed(now);
                }
            }
            Input::Response(tx, response) => self.on_response(now, tx, response),
            Input::Failed(tx, reason) => self.on_failure(now, tx, reason),
            Input::CallFailed(target) => self.bad.failed(now, target, None),
            Input::Leave => self.leave(now),
            Input::Tick => self.tick(now),
        }
        self.settle(now);
    }

    /// What it wants.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop_front()
    }

    /// When to say [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        if self.leaving {
            return self.registration.as_ref().and_then(Registration::poll_timeout);
        }
        let probes = self.probes.values().map(Probe::poll_timeout);
        let locator = self.locator.as_ref().map(Locator::poll_timeout);
        let registration = self.registration.as_ref().and_then(Registration::poll_timeout);
        probes.chain(locator).chain(registration).min()
    }

    /// Whether calls can go there.
    pub const fn status(&self) -> &Status {
        &self.status
    }

    /// Whether we are registered; `None` where nothing is to be.
    pub fn is_registered(&self, now: Time) -> Option<bool> {
        self.spec.registration.as_ref()?;
        Some(self.registration.as_ref().is_some_and(|registration| registration.is_registered(now)))
    }

    /// Where it is, as far as that is known, in no order.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Where a call goes that has tried these already.
    ///
    /// # Errors
    /// The reason why it cannot go there.
    pub fn place(&mut self, now: Time, tried: &[Target]) -> Result<Placement, String> {
        match &self.status {
            Status::Starting(reason) | Status::Down(reason) => return Err(reason.clone()),
            Status::Up => {}
        }
        let mut left = self.ordered(now).into_iter().filter(|target| !tried.contains(target));
        let target = left.next().ok_or("every address of it was tried")?;
        Ok(Placement { target, has_more: left.next().is_some() })
    }

    /// Where a call goes that must try even a gateway that is down: what is thought to be up first.
    ///
    /// # Errors
    /// No address of it is known.
    pub fn place_regardless(&mut self, now: Time) -> Result<Placement, String> {
        let up = self.ordered(now).into_iter().next();
        let any = up.or_else(|| self.targets().first().copied());
        let target = any.ok_or("no address of it is known")?;
        Ok(Placement { target, has_more: false })
    }

    /// After [`Output::Send`]: the request that goes as `tx` over `flow`; `None` when it is not wanted any more.
    pub fn request(&mut self, tx: ClientTx, flow: Flow) -> Option<Request> {
        match self.asked.get(&tx.seq)? {
            Asked::Probe(_) => Some(self.options(tx.seq, flow)),
            Asked::Register(_) => self.registration.as_mut()?.request(tx, flow),
        }
    }

    fn options(&self, seq: u32, flow: Flow) -> Request {
        let mut request = Request::new(Method::Options, RequestUri::Sip(self.spec.uri.clone()));
        let (tag, call_id) = (self.drawn(seq, 1), self.drawn(seq, 2));
        let headers = &mut request.headers;
        for route in &self.spec.routes {
            headers.push("Route", route.as_str());
        }
        headers.push("Max-Forwards", "70");
        headers.push("From", format!("{};tag={tag:016x}", self.spec.from));
        headers.push("To", format!("<{}>", self.spec.uri));
        headers.push("Call-ID", format!("{call_id:016x}"));
        headers.push("CSeq", "1 OPTIONS");
        headers.push("Contact", format!("<{}>", SipUri::of_address(None, flow.local)));
        headers.push("Accept", "application/sdp");
        headers.push("User-Agent", self.spec.agent.as_str());
        request
    }

    /// Targets, best first: what failed of late at the end, what is down not at all while another is up.
    fn ordered(&self, now: Time) -> Vec<Target> {
        let mut draw = 0;
        let targets = match &self.locator {
            None => self.targets.clone(),
            Some(locator) => locator.targets(|below| {
                draw += 1;
                self.drawn(self.seq.wrapping_add(draw), now.as_millis()) % below.max(1)
            }),
        };
        let up: Vec<Target> = targets.into_iter().filter(|target| self.is_target_up(*target)).collect();
        self.bad.last(now, up)
    }

    fn is_target_up(&self, target: Target) -> bool {
        self.probes.get(&target).is_none_or(Probe::is_up)
    }

    fn targets_changed(&mut self, now: Time) {
        let Some(locator) = &mut self.locator else {
            self.watch_targets(now);
            return self.begin_registration();
        };
        while let Some(question) = locator.poll_output() {
            self.outbox.push_back(Output::Ask(question));
        }
        let mut found = locator.targets(|_| 0);
        found.sort();
        if found == self.targets {
            return;
        }
        self.targets = found;
        self.outbox.push_back(Output::Moved);
        self.watch_targets(now);
        self.begin_registration();
        if self.registrar.is_some_and(|registrar| !self.targets.contains(&registrar))
            && let Some(registration) = &mut self.registration
        {
            registration.handle(now, RegisterInput::Moved);
        }
    }

    /// A probe for each target, no more.
    fn watch_targets(&mut self, now: Time) {
        self.probes.retain(|target, _| self.targets.contains(target));
        self.reasons.retain(|target, _| self.targets.contains(target));
        let Some(probing) = self.spec.probing else { return };
        for (n, target) in (0_u32..).zip(self.targets.iter().take(PROBED_MAX)) {
            // Within the first second, each at another moment.
            let delay = Duration::from_millis(self.drawn(n, 3) % 1_000);
            self.probes.entry(*target).or_insert_with(|| Probe::new(now, probing, delay));
        }
    }

    /// As soon as there is somewhere to register.
    fn begin_registration(&mut self) {
        if self.registration.is_none() && !self.targets.is_empty() && !self.leaving {
            self.registration = self.spec.registration.clone().map(Registration::new);
        }
    }

    fn on_response(&mut self, now: Time, tx: ClientTx, response: &Response) {
        let Some(asked) = self.asked.get(&tx.seq).copied() else { return };
        if response.is_final() {
            self.asked.remove(&tx.seq);
        }
        match asked {
            Asked::Probe(target) if response.is_final() => {
                self.probed(now, target, ProbeInput::Answered(response.status));
            }
            Asked::Probe(_) => {}
            Asked::Register(target) => {
                if response.is_success() {
                    self.bad.works(target);
                }
                if let Some(registration) = &mut self.registration {
                    registration.handle(now, RegisterInput::Response(tx, response));
                }
            }
        }
    }

    fn on_failure(&mut self, now: Time, tx: ClientTx, reason: &str) {
        match self.asked.remove(&tx.seq) {
            Some(Asked::Probe(target)) => self.probed(now, target, ProbeInput::Silent(reason.to_owned())),
            Some(Asked::Register(_)) => {
                if let Some(registration) = &mut self.registration {
                    registration.handle(now, RegisterInput::Failed(tx, reason));
                }
            }
            None => {}
        }
    }

    fn probed(&mut self, now: Time, target: Target, input: ProbeInput) {
        if matches!(input, ProbeInput::Answered(status) if !matches!(status, 408 | 503)) {
            self.bad.works(target);
        }
        if let Some(probe) = self.probes.get_mut(&target) {
            probe.handle(now, input);
        }
        self.drain_probe(target);
    }

    fn drain_probe(&mut self, target: Target) {
        while let Some(output) = self.probes.get_mut(&target).and_then(Probe::poll_output) {
            match output {
                ProbeOutput::Ask => self.send(Asked::Probe(target), target),
                ProbeOutput::Up => drop(self.reasons.remove(&target)),
                ProbeOutput::Down(reason) => drop(self.reasons.insert(target, reason)),
            }
        }
    }

    fn send(&mut self, what: Asked, target: Target) {
        self.seq = self.seq.wrapping_add(1);
        self.asked.insert(self.seq, what);
        self.outbox.push_back(Output::Send(ClientTx { owner: self.spec.owner, seq: self.seq }, target));
    }

    fn tick(&mut self, now: Time) {
        if let Some(registration) = &mut self.registration {
            registration.handle(now, RegisterInput::Tick);
        }
        if self.leaving {
            return;
        }
        if let Some(locator) = self.locator.as_mut().filter(|locator| locator.poll_timeout() <= now) {
            locator.handle(now, LocateInput::Tick);
            self.targets_changed(now);
        }
        let due: Vec<Target> =
            self.probes.iter().filter(|(_, probe)| probe.poll_timeout() <= now).map(|(target, _)| *target).collect();
        for target in due {
            if let Some(probe) = self.probes.get_mut(&target) {
                probe.handle(now, ProbeInput::Tick);
            }
            self.drain_probe(target);
        }
    }

    fn leave(&mut self, now: Time) {
        if self.leaving {
            return;
        }
        self.leaving = true;
        self.probes.clear();
        match &mut self.registration {
            Some(registration) => registration.handle(now, RegisterInput::Leave),
            None => self.outbox.push_back(Output::Left),
        }
    }

    /// Carries out what the registration wants, and tells what has changed.
    fn settle(&mut self, now: Time) {
        while let Some(output) = self.registration.as_mut().and_then(Registration::poll_output) {
            match output {
                RegisterOutput::Send => match self.registrar_now(now) {
                    Some(target) => {
                        self.registrar = Some(target);
                        self.send(Asked::Register(target), target);
                    }
                    // It goes when there is somewhere to go.
                    None => self.registration = None,
                },
                RegisterOutput::NextTarget => {
                    if let Some(target) = self.registrar.take() {
                        self.bad.failed(now, target, None);
                    }
                }
                RegisterOutput::Registered => {}
                RegisterOutput::Failed(reason) => self.unregistered = reason,
                RegisterOutput::Left => {
                    self.registration = None;
                    self.outbox.push_back(Output::Left);
                }
            }
        }
        let status = self.judge(now);
        if status != self.status {
            self.status = status;
            self.outbox.push_back(Output::Changed);
        }
    }

    /// The one that took the last REGISTER, while it is good: registrations are kept where they were made.
    fn registrar_now(&self, now: Time) -> Option<Target> {
        let targets = self.ordered(now);
        let last = self.registrar.filter(|target| targets.contains(target) && !self.bad.is_bad(now, *target));
        last.or_else(|| targets.first().copied()).or_else(|| self.targets.first().copied())
    }

    fn judge(&self, now: Time) -> Status {
        if self.leaving {
            return Status::Down("it is taken out".into());
        }
        if self.targets.is_empty() {
            let is_first = self.locator.as_ref().is_some_and(Locator::is_first);
            let name = match &self.spec.place {
                Place::Name(sought) => sought.host.clone(),
                Place::Target(target) => target.to_string(),
            };
            return if is_first {
                Status::Starting(format!("{name} is looked for"))
            } else {
                Status::Down(format!("no address of {name} is known"))
            };
        }
        if !self.targets.iter().any(|target| self.is_target_up(*target)) {
            let told: Vec<String> = self.reasons.iter().map(|(target, reason)| format!("{target}: {reason}")).collect();
            return Status::Down(told.join("; "));
        }
        match self.is_registered(now) {
            Some(false)
                if self.registration.as_ref().is_none_or(|registration| registration.poll_timeout().is_none()) =>
            {
                match &self.status {
                    // Asking once more does not make it better.
                    Status::Down(reason) => Status::Down(reason.clone()),
                    Status::Starting(_) => Status::Starting(self.unregistered.clone()),
                    Status::Up => Status::Down(self.unregistered.clone()),
                }
            }
            Some(false) => Status::Down(self.unregistered.clone()),
            Some(true) | None => Status::Up,
        }
    }

    /// `SplitMix64` of the random number: it spreads; what must not be guessed rests on the random number itself.
    const fn drawn(&self, one: u32, other: u64) -> u64 {
        let salt = ((one as u64) << 32) ^ other;
        let mut z = self.spec.random ^ salt.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
