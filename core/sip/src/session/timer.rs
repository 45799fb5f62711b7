//! The session timer: each end learns in time that the other one is gone (RFC 4028).
//!
//! The one who refreshes is we, wherever we may choose. A peer that knows no session timer is asked by OPTIONS:
//! whatever he says but 408 and 481, he is there.

use super::{Event, Exchange, Session, State};
use crate::dialog::Dialog;
use crate::headers::Headers;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::params::Params;
use crate::transaction::ClientTx;
use plugboard_model::{Cause, Time};
use std::time::Duration;

/// How long a session lives without a refresh, where we decide it (RFC 4028 section 4: half an hour).
pub const SESSION_EXPIRES: Duration = Duration::from_mins(30);

/// The shortest that we take (RFC 4028 section 4).
pub const MIN_SE: Duration = Duration::from_secs(90);

/// The option tag.
pub const TIMER: &str = "timer";

/// Longest that a peer is granted: a day.
const EXPIRES_MAX: Duration = Duration::from_hours(24);

/// The pause after a refresh that met something else under way, in which the peer is heard of anyway.
const LATER: Duration = Duration::from_secs(5);

/// How often a refresh that cannot be sent is tried again: a minute, in which a phone whose connection broke opens
/// another.
const MISSES_MAX: u8 = 12;

/// How often in a row somebody on the way may ask for a longer session.
const RAISES_MAX: u8 = 4;

/// The session timer of a leg that is up.
#[derive(Debug)]
pub(super) struct SessionTimer {
    expires: Duration,
    /// The longest Min-SE that anybody on the way named (RFC 4028 section 7.1).
    min: Option<Duration>,
    refresher: Refresher,
    by: By,
    /// When we refresh, or give the session up.
    due: Time,
    /// Our UPDATE or OPTIONS that is not answered.
    asked: Option<ClientTx>,
    /// Refreshes in a row that could not be sent.
    misses: u8,
    /// Refreshes in a row that were too short for somebody.
    raises: u8,
    /// The peer takes UPDATE, as far as he says.
    updates: bool,
}

/// Who keeps the session alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refresher {
    We,
    Peer,
}

/// With what we refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// A new INVITE, for a peer that knows timers and takes no UPDATE.
    Invite,
    Update,
    /// For a peer that knows no timers: it asks whether he is there.
    Options,
}

impl SessionTimer {
    fn new(now: Time, expires: Duration, min: Option<Duration>, refresher: Refresher, by: By) -> Self {
        let mut timer = Self {
            expires,
            min,
            refresher,
            by,
            due: now,
            asked: None,
            misses: 0,
            raises: 0,
            updates: by == By::Update,
        };
        timer.refreshed(now);
        timer
    }

    /// Counts from now on again (RFC 4028 section 10).
    fn refreshed(&mut self, now: Time) {
        self.due = match self.refresher {
            Refresher::We => now + self.expires / 2,
            Refresher::Peer => now + self.expires.saturating_sub((self.expires / 3).min(Duration::from_secs(32))),
        };
    }

    /// The peer sent a request: he is there. What we refresh for his sake goes on as it was, since his own timer runs.
    pub(super) fn heard(&mut self, now: Time) {
        if self.refresher == Refresher::Peer || self.by == By::Options {
            self.refreshed(now);
        }
    }

    /// Our UPDATE or OPTIONS could not be sent: whether it is tried again.
    pub(super) fn missed(&mut self, now: Time, tx: ClientTx) -> bool {
        let again = self.asked == Some(tx) && self.miss(now);
        if again {
            self.asked = None;
        }
        again
    }

    /// Whether this is our UPDATE or OPTIONS.
    pub(super) fn asks(&self, tx: ClientTx) -> bool {
        self.asked == Some(tx)
    }

    /// Our re-INVITE could not be sent: whether the session goes on. Where the peer refreshes it, that alone decides.
    pub(super) fn missed_reoffer(&mut self, now: Time) -> bool {
        self.refresher == Refresher::Peer || self.miss(now)
    }

    /// Whether the peer takes UPDATE.
    pub(super) fn takes_update(&self) -> bool {
        self.updates
    }

    /// An UPDATE of ours went, and the refresh with it.
    pub(super) fn sent(&mut self, tx: ClientTx) {
        if self.by == By::Update && self.asked.is_none() {
            self.asked = Some(tx);
        }
    }

    fn miss(&mut self, now: Time) -> bool {
        let again = self.misses < MISSES_MAX;
        if again {
            (self.misses, self.due) = (self.misses + 1, now + LATER);
        }
        again
    }

    /// The peer answered, if only to refuse.
    pub(super) fn reached(&mut self) {
        self.misses = 0;
    }

    /// Somebody wants no session shorter than this: whether ours was, and is longer now.
    fn raise(&mut self, min: Duration) -> bool {
        let raised = min > self.expires && self.raises < RAISES_MAX;
        if raised {
            (self.expires, self.min, self.raises) = (min, self.min.max(Some(min)), self.raises + 1);
        }
        raised
    }

    pub(super) fn due(&self) -> Time {
        self.due
    }

    /// Session-Expires of a session so long, as the one writes it who calls us `ours`.
    fn value(&self, expires: Duration, ours: &str, peers: &str) -> String {
        let refresher = match self.refresher {
            Refresher::We => ours,
            Refresher::Peer => peers,
        };
        format!("{};refresher={refresher}", expires.as_secs())
    }
}

/// What our first INVITE says of the timer; `min` is what a 422 asked for.
pub(super) fn push_first(headers: &mut Headers, min: Option<Duration>) {
    let expires = SESSION_EXPIRES.max(min.unwrap_or_default());
    headers.push("Supported", TIMER);
    headers.push("Session-Expires", format!("{};refresher=uac", expires.as_secs()));
    if let Some(min) = min {
        headers.push("Min-SE", min.as_secs().to_string());
    }
}

/// What a 422 asks for; `None` when it asks for nothing that can be.
pub(super) fn min_se(response: &Response) -> Option<Duration> {
    let (min, _) = interval(&response.headers, "Min-SE")?;
    (response.status == 422 && min <= EXPIRES_MAX).then_some(min)
}

/// Whether a request wants a session shorter than we take, and can be told so (RFC 4028 section 9).
pub(crate) fn is_too_short(request: &Request) -> bool {
    matches!(request.method, Method::Invite | Method::Update)
        && knows(&request.headers)
        && interval(&request.headers, "Session-Expires").is_some_and(|(expires, _)| expires < MIN_SE)
}

impl Session {
    /// Our INVITE was answered, or our refresh (RFC 4028 section 7.2). `min` is what a 422 to the first INVITE asked for.
    pub(super) fn timer_of_answer(&mut self, now: Time, response: &Response, min: Option<Duration>) {
        let min = min.max(self.min_heard());
        let allows_update = response.headers.has_token("Allow", "UPDATE");
        let timer = match interval(&response.headers, "Session-Expires") {
            Some((expires, refresher)) => {
                let peer = refresher.is_some_and(|refresher| refresher.eq_ignore_ascii_case("uas"));
                let refresher = if peer { Refresher::Peer } else { Refresher::We };
                // Who answers an UPDATE takes it, whatever he says.
                let takes = allows_update || response.headers.cseq().is_ok_and(|cseq| cseq.method == Method::Update);
                let by = if takes { By::Update } else { By::Invite };
                let expires = expires.clamp(min.unwrap_or_default().max(MIN_SE), EXPIRES_MAX);
                SessionTimer::new(now, expires, min, refresher, by)
            }
            None => SessionTimer {
                updates: allows_update,
                ..SessionTimer::new(now, SESSION_EXPIRES, min, Refresher::We, By::Options)
            },
        };
        self.timer = Some(Box::new(timer));
    }

    /// Our 2xx to an INVITE or UPDATE of the peer: starts the timer anew and says how (RFC 4028 section 9).
    pub(super) fn timer_of_request(&mut self, now: Time, request: &Request, response: &mut Response) {
        let headers = &request.headers;
        response.headers.push("Supported", TIMER);
        if !knows(headers) {
            let timer = SessionTimer::new(now, SESSION_EXPIRES, self.min_heard(), Refresher::We, By::Options);
            let updates = headers.has_token("Allow", "UPDATE");
            self.timer = Some(Box::new(SessionTimer { updates, ..timer }));
            return;
        }
        let own_min = interval(headers, "Min-SE").map(|(min, _)| min.clamp(MIN_SE, EXPIRES_MAX));
        let min = own_min.max(self.min_heard());
        let asked = interval(headers, "Session-Expires");
        // No less than this request's own Min-SE, and never more than it asks for.
        let longest = asked.map_or(EXPIRES_MAX, |(expires, _)| expires);
        let expires = longest.min(SESSION_EXPIRES).max(own_min.unwrap_or(MIN_SE)).min(longest);
        let refresher = match asked {
            Some((_, Some(refresher))) if refresher.eq_ignore_ascii_case("uac") => Refresher::Peer,
            Some(_) | None => Refresher::We,
        };
        let by = if headers.has_token("Allow", "UPDATE") { By::Update } else { By::Invite };
        let timer = SessionTimer::new(now, expires, min, refresher, by);
        response.headers.push("Require", TIMER);
        response.headers.push("Session-Expires", timer.value(expires, "uas", "uac"));
        self.timer = Some(Box::new(timer));
    }

    /// What our further INVITEs and UPDATEs say of the timer.
    pub(super) fn push_timer(&self, headers: &mut Headers) {
        headers.push("Supported", TIMER);
        if let Some(timer) = &self.timer {
            // What the peer asked for may be less than somebody's Min-SE of before, which stands beside it.
            let expires = timer.expires.max(timer.min.unwrap_or_default());
            headers.push("Session-Expires", timer.value(expires, "uac", "uas"));
            if let Some(min) = timer.min {
                headers.push("Min-SE", min.as_secs().to_string());
            }
        }
    }

    fn min_heard(&self) -> Option<Duration> {
        self.timer.as_ref().and_then(|timer| timer.min)
    }

    /// A 422 to our INVITE within the dialog: whether it goes again, with a longer session.
    pub(super) fn raise_timer(&mut self, response: &Response) -> bool {
        min_se(response).is_some_and(|min| self.timer.as_mut().is_some_and(|timer| timer.raise(min)))
    }

    /// The session has been silent for long: refreshes it, or gives it up.
    pub(super) fn on_timer(&mut self, now: Time, mut dialog: Box<Dialog>) -> State {
        let Some(timer) = &mut self.timer else { return State::Up { dialog, exchange: Exchange::Idle } };
        if timer.refresher == Refresher::Peer {
            // He did not refresh it in time (RFC 4028 section 10).
            let cause = Cause { status: 408, text: "Session Expired".into() };
            return self.leave(dialog, Exchange::Idle, Some(super::reason_value(&cause)), cause);
        }
        timer.due = now + LATER;
        if timer.asked.is_some() {
            // The transaction tells when nobody answers.
            return State::Up { dialog, exchange: Exchange::Idle };
        }
        let by = timer.by;
        let method = match by {
            By::Invite => {
                // One that is refused is tried twice more before the session expires, not all the time.
                timer.due = now + timer.expires / 6;
                self.emit(Event::RefreshDue);
                return State::Up { dialog, exchange: Exchange::Idle };
            }
            By::Update => Method::Update,
            By::Options => Method::Options,
        };
        let mut request = dialog.request(method);
        request.headers.push("Contact", &*self.local.contact);
        if by == By::Update {
            self.push_timer(&mut request.headers);
        }
        let tx = self.send(request, dialog.flow());
        if let Some(timer) = &mut self.timer {
            timer.asked = Some(tx);
        }
        State::Up { dialog, exchange: Exchange::Idle }
    }

    /// Whether this is the answer to our UPDATE or OPTIONS; it is noted.
    pub(super) fn on_refreshed(&mut self, now: Time, tx: ClientTx, response: &Response) -> bool {
        let Some(timer) = self.timer.as_mut().filter(|timer| timer.asked == Some(tx)) else { return false };
        if response.is_provisional() {
            return true;
        }
        timer.asked = None;
        timer.refreshed(now);
        timer.misses = 0;
        match (timer.by, response.status, min_se(response)) {
            (By::Update, 200..300, _) => self.timer_of_answer(now, response, None),
            (By::Update, 422, Some(min)) if timer.raise(min) => timer.due = now,
            // Something crossed it.
            (By::Update, 491 | 500, _) => timer.due = now + LATER,
            // He takes no UPDATE after all, whatever he allows.
            (By::Update, 400..700, _) => (timer.by, timer.due, timer.updates) = (By::Invite, now + LATER, false),
            (By::Update | By::Options | By::Invite, _, _) => {}
        }
        true
    }
}

/// Whether the peer knows session timers.
fn knows(headers: &Headers) -> bool {
    headers.has_token("Supported", TIMER) || headers.has_token("Require", TIMER)
}

/// The seconds of Session-Expires or Min-SE, and who is to refresh; `None` when it is absent or cannot be read.
fn interval<'a>(headers: &'a Headers, name: &str) -> Option<(Duration, Option<&'a str>)> {
    let value = headers.get(name)?;
    let end = value.find(';').unwrap_or(value.len());
    let (seconds, params) = value.split_at(end);
    let seconds: u32 = seconds.trim().parse().ok()?;
    Some((Duration::from_secs(seconds.into()), Params::parse(params)?.get("refresher").flatten()))
}
