//! One subscription as a state machine: when a NOTIFY goes, and what is in it.
//!
//! One NOTIFY is out at a time, so that none overtakes another; what changes meanwhile, or too soon after the last one, is told
//! by the next, which has the newest state.
//!
//! Source: RFC 6665 section 4.2.

use super::package::{Body, Content, Form, Package};
use crate::dialog::Dialog;
use crate::flow::Flow;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::transaction::ClientTx;
use plugboard_model::Time;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Why a subscription ends.
///
/// Source: RFC 6665 section 4.1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its time is over, or the subscriber ended it.
    Timeout,
    /// Nobody can be watched there any more.
    NoResource,
    /// We end; subscribe anew.
    Deactivated,
}

impl Reason {
    const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::NoResource => "noresource",
            Self::Deactivated => "deactivated",
        }
    }
}

/// What a subscription is made of.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) package: Package,
    /// The value of Event in our NOTIFYs.
    pub(super) event: String,
    pub(super) form: Form,
    pub(super) dialog: Dialog,
    /// The value of Contact, and of User-Agent.
    pub(super) contact: Box<str>,
    pub(super) agent: &'static str,
    /// When it ends; now for a fetch.
    pub(super) expires: Time,
}

/// One subscription.
#[derive(Debug)]
pub(super) struct Subscription {
    spec: Spec,
    life: Life,
    state: State,
    content: Option<Arc<Content>>,
    /// Bodies of the newest content that are not told yet.
    unsaid: VecDeque<Body>,
    /// What was told last, where a content has several bodies: only what changed is told again.
    said: Vec<Body>,
    /// Each NOTIFY with a body counts (RFC 4235 section 4.1).
    version: u32,
    last: Option<Time>,
}

#[derive(Debug, Clone, Copy)]
enum Life {
    Until(Time),
    Ends(Reason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Everything is told.
    Quiet,
    /// Something is to be told, not before then.
    Owes { not_before: Time },
    /// A NOTIFY is out; `more`: something is to be told after it.
    Out { tx: ClientTx, more: bool },
    /// Nothing follows.
    Over,
}

impl Subscription {
    /// Owes its first NOTIFY at once, as soon as there is a content.
    pub(super) fn new(now: Time, spec: Spec) -> Self {
        let life = if spec.expires <= now { Life::Ends(Reason::Timeout) } else { Life::Until(spec.expires) };
        Self {
            life,
            spec,
            state: State::Owes { not_before: now },
            content: None,
            unsaid: VecDeque::new(),
            said: Vec::new(),
            version: 0,
            last: None,
        }
    }

    pub(super) fn package(&self) -> Package {
        self.spec.package
    }

    pub(super) fn dialog(&mut self) -> &mut Dialog {
        &mut self.spec.dialog
    }

    pub(super) fn contact(&self) -> &str {
        &self.spec.contact
    }

    /// The number of the NOTIFY that is out.
    pub(super) fn out(&self) -> Option<u32> {
        match self.state {
            State::Out { tx, .. } => Some(tx.seq),
            State::Quiet | State::Owes { .. } | State::Over => None,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Whether it ends already, and takes no refresh any more.
    pub(super) fn ends(&self) -> bool {
        matches!(self.life, Life::Ends(_)) || self.is_over()
    }

    pub(super) fn expires(&self) -> Option<Time> {
        match self.life {
            Life::Until(at) => Some(at),
            Life::Ends(_) => None,
        }
    }

    /// The newest state. The same once more is nothing new.
    pub(super) fn shows(&mut self, now: Time, content: &Arc<Content>) {
        if self.content.as_ref().is_some_and(|known| known == content) {
            return;
        }
        self.content = Some(Arc::clone(content));
        let unsaid = std::mem::take(&mut self.unsaid);
        self.said.retain(|body| !unsaid.contains(body));
        self.state = match self.state {
            State::Quiet => State::Owes { not_before: self.not_before(now) },
            State::Out { tx, .. } => State::Out { tx, more: true },
            state @ (State::Owes { .. } | State::Over) => state,
        };
    }

    /// The subscriber asks anew, or ends it (`expires` is now). He is told all there is at once.
    pub(super) fn refreshed(&mut self, now: Time, expires: Time) {
        self.life = if expires <= now { Life::Ends(Reason::Timeout) } else { Life::Until(expires) };
        self.say_all(now);
    }

    /// What is known is about to change by his own wish: he is not told before it has.
    pub(super) fn awaits_change(&mut self) {
        self.content = None;
    }

    pub(super) fn end(&mut self, now: Time, reason: Reason) {
        // One that ends already still waits for what its last word is to tell, unless there will be nothing.
        if !self.ends() || (self.content.is_none() && !self.is_over()) {
            self.life = Life::Ends(reason);
            self.say_all(now);
        }
    }

    /// The time is over, if it is.
    pub(super) fn tick(&mut self, now: Time) {
        if matches!(self.life, Life::Until(at) if at <= now) {
            self.end(now, Reason::Timeout);
        }
    }

    /// A response to a NOTIFY of ours.
    pub(super) fn answered(&mut self, now: Time, of: ClientTx, response: &Response) {
        let State::Out { tx, more } = self.state else { return };
        if tx != of || !response.is_final() {
            return;
        }
        if response.is_success() {
            let more = more || !self.unsaid.is_empty();
            self.state = if more { State::Owes { not_before: self.not_before(now) } } else { State::Quiet };
            return;
        }
        // He asks for patience; anybody else has no such subscription, or nothing that can be told (RFC 6665 section 4.2.2).
        let wait =
            response.headers.get("Retry-After").and_then(|value| value.split([' ', ';', '(']).next()?.parse().ok());
        let again = wait.map(|seconds| now + Duration::from_secs(seconds));
        self.state = match (again, self.life) {
            (Some(again), Life::Until(end)) if again < end => {
                self.said.clear();
                self.unsaid.clear();
                State::Owes { not_before: again }
            }
            (Some(_) | None, Life::Until(_) | Life::Ends(_)) => State::Over,
        };
    }

    /// Nobody answered a NOTIFY of ours, or it could not be sent: he is gone (RFC 6665 section 4.2.2).
    pub(super) fn failed(&mut self, of: ClientTx) {
        if matches!(self.state, State::Out { tx, .. } if tx == of) {
            self.state = State::Over;
        }
    }

    /// When to call [`Subscription::tick`] and [`Subscription::notify`].
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let due = match self.state {
            State::Owes { not_before } if self.may_speak() => Some(not_before),
            State::Owes { .. } | State::Quiet | State::Out { .. } | State::Over => None,
        };
        due.into_iter().chain(self.expires().filter(|_| !self.is_over())).min()
    }

    /// The NOTIFY that is due, to go as `tx`.
    pub(super) fn notify(&mut self, now: Time, tx: ClientTx) -> Option<(Request, Flow)> {
        if !matches!(self.state, State::Owes { not_before } if not_before <= now) || !self.may_speak() {
            return None;
        }
        let body = self.next_body();
        if body.is_none() && self.last.is_some() && matches!(self.life, Life::Until(_)) {
            // What changed and changed back is nothing new.
            self.state = State::Quiet;
            return None;
        }
        let mut request = self.spec.dialog.request(Method::Notify);
        let headers = &mut request.headers;
        headers.push("Contact", &*self.spec.contact);
        headers.push("User-Agent", self.spec.agent);
        headers.push("Event", self.spec.event.as_str());
        let last_word = matches!(self.life, Life::Ends(_)) && self.unsaid.is_empty();
        let left = |at: Time| at.since(now).as_secs().max(1);
        headers.push(
            "Subscription-State",
            match self.life {
                Life::Ends(reason) if last_word => format!("terminated;reason={}", reason.name()),
                Life::Ends(_) => "active;expires=1".to_owned(),
                Life::Until(at) => format!("active;expires={}", left(at)),
            },
        );
        if let Some(body) = body {
            headers.push("Content-Type", body.content_type);
            request.body = body.bytes;
        }
        self.last = Some(now);
        // What he says to the last word changes nothing.
        self.state = if last_word { State::Over } else { State::Out { tx, more: false } };
        let flow = self.spec.dialog.flow();
        Some((request, flow))
    }

    /// Everything there is goes again, without a pause.
    fn say_all(&mut self, now: Time) {
        self.said.clear();
        self.unsaid.clear();
        self.state = match self.state {
            State::Quiet | State::Owes { .. } => State::Owes { not_before: now },
            State::Out { tx, .. } => State::Out { tx, more: true },
            State::Over => State::Over,
        };
    }

    fn not_before(&self, now: Time) -> Time {
        // The rest of what is told already goes at once, and so does the last word.
        if !self.unsaid.is_empty() || matches!(self.life, Life::Ends(_)) {
            return now;
        }
        self.last.map_or(now, |last| (last + self.spec.package.pause()).max(now))
    }

    /// Without a content there is nothing to tell, but that it is over for a reason of ours.
    fn may_speak(&self) -> bool {
        self.content.is_some() || matches!(self.life, Life::Ends(Reason::NoResource | Reason::Deactivated))
    }

    fn next_body(&mut self) -> Option<Body> {
        if self.unsaid.is_empty() {
            let bodies = self.content.as_ref()?.bodies(self.spec.form, self.version);
            self.version = self.version.wrapping_add(1);
            self.unsaid = bodies.iter().filter(|body| !self.said.contains(body)).cloned().collect();
            self.said = bodies;
        }
        self.unsaid.pop_front()
    }
}
