//! Our own registration at a gateway: when to send REGISTER, with what, and what its answers mean. Sans-IO.
//!
//! It registers anew before it runs out, answers challenges, follows 423, waits longer and longer after failures, moves
//! when our address does, and takes itself back at the end.
//!
//! Source: RFC 3261 section 10.2; RFC 5626 section 4.5 (waiting after failures).

#[cfg(test)]
mod tests;

use crate::digest::Signed;
use crate::flow::Flow;
use crate::message::{Request, Response, reason_phrase};
use crate::method::Method;
use crate::session::Login;
use crate::session::login::LoginState;
use crate::transaction::ClientTx;
use crate::uri::{RequestUri, SipUri};
use plugboard_model::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// After the first failure; doubled with each one more.
const BACK_OFF_MIN: Duration = Duration::from_secs(5);
/// The longest pause: an admin who mended it does not want to wait longer.
const BACK_OFF_MAX: Duration = Duration::from_secs(300);
/// A wrong password or a name that is not there is not mended by asking often, and is taken for an attack.
const REFUSED_PAUSE: Duration = Duration::from_secs(300);
/// The shortest registration that we keep up: a registrar that wants one more often has us send without end.
const EXPIRES_MIN: Duration = Duration::from_secs(30);
/// The longest that a registrar may ask for (423).
const EXPIRES_MAX: Duration = Duration::from_secs(86_400);
/// Answers to one REGISTER that make us send it again: a challenge, a stale nonce, 423, a challenge again.
const TRIES_MAX: u8 = 5;

/// What is registered, and where.
#[derive(Debug, Clone)]
pub struct RegistrationSpec {
    /// The domain, as in `sip:carrier.test`.
    pub registrar: RequestUri,
    /// The values of Route, for an outbound proxy.
    pub routes: Vec<String>,
    /// The name that we register.
    pub user: String,
    /// The host of the address of record, most often the registrar's.
    pub domain: String,
    /// What only the registrar learns: it is a parameter of our Contact, and by it calls are known to come from there.
    pub line: String,
    /// Random, a token.
    pub call_id: String,
    /// Random, a token.
    pub tag: String,
    /// How long a registration is to last.
    pub expires: Duration,
    /// The name and password for 401 and 407.
    pub login: Option<Login>,
    /// The value of User-Agent.
    pub agent: String,
    /// Random, for client nonces and the spread of waiting times.
    pub random: u64,
}

/// What it is told.
#[derive(Debug)]
pub enum Input<'m> {
    /// A response, provisional ones too.
    Response(ClientTx, &'m Response),
    /// No answer, or it could not be sent.
    Failed(ClientTx, &'m str),
    /// Our address, or the registrar's, is another one: register at once.
    Moved,
    /// Take the registration back.
    Leave,
    /// [`Registration::poll_timeout`] is reached.
    Tick,
}

/// What it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send what [`Registration::request`] makes.
    Send,
    /// The last target does not answer: send the next one elsewhere, if there is another.
    NextTarget,
    /// It is registered.
    Registered,
    /// It is not, for this reason.
    Failed(String),
    /// It was taken back, or the registrar was not heard: nothing more is done.
    Left,
}

/// One registration at one registrar.
#[derive(Debug)]
pub struct Registration {
    spec: RegistrationSpec,
    login: Option<LoginState>,
    state: State,
    cseq: u32,
    /// The Contact that the registrar holds.
    contact: Option<String>,
    /// What the registrar made us ask for.
    expires: Duration,
    /// Until when the registrar holds it.
    valid_until: Option<Time>,
    failures: u32,
    outbox: VecDeque<Output>,
}

#[derive(Debug)]
enum State {
    /// A request is to be made.
    Wanted { tries: u8, credentials: Option<(&'static str, String)>, leaving: bool },
    /// One is out.
    Asking { tx: ClientTx, tries: u8, uri: String, leaving: bool },
    /// It is good until it is to be renewed.
    Registered { renew_at: Time },
    /// It failed; tried again then.
    Waiting { until: Time },
    /// Taken back.
    Over,
}

impl Registration {
    /// Registers at once.
    pub fn new(spec: RegistrationSpec) -> Self {
        let login = spec.login.clone().map(LoginState::new);
        let expires = spec.expires;
        let mut registration = Self {
            spec,
            login,
            state: State::Over,
            cseq: 0,
            contact: None,
            expires,
            valid_until: None,
            failures: 0,
            outbox: VecDeque::new(),
        };
        registration.want(1, None, false);
        registration
    }

    /// Takes one input; read the effects with [`Registration::poll_output`].
    pub fn handle(&mut self, now: Time, input: Input<'_>) {
        match (&self.state, input) {
            (State::Asking { tx, .. }, Input::Response(of, response)) if *tx == of => {
                if response.is_final() {
                    self.on_final(now, response);
                }
            }
            (State::Asking { tx, leaving, .. }, Input::Failed(of, reason)) if *tx == of => {
                let leaving = *leaving;
                self.out(Output::NextTarget);
                if leaving {
                    return self.left();
                }
                self.fail(now, reason, None);
            }
            (State::Registered { .. } | State::Waiting { .. }, Input::Moved) => self.want(1, None, false),
            (State::Registered { renew_at: until } | State::Waiting { until }, Input::Tick) => {
                let due = now >= *until;
                self.run_out(now);
                if due {
                    self.want(1, None, false);
                }
            }
            (State::Registered { .. }, Input::Leave) => self.want(1, None, true),
            // What is asked now may be granted: it is taken back as well, by the same Call-ID and a later number.
            (State::Asking { .. } | State::Wanted { .. }, Input::Leave) if self.contact.is_some() => {
                self.want(1, None, true);
            }
            (State::Waiting { .. }, Input::Leave) if self.is_registered(now) => self.want(1, None, true),
            (State::Asking { .. } | State::Wanted { .. } | State::Waiting { .. }, Input::Leave) => self.left(),
            // The request that is out, or made now, tells the new address; a later one does if it came too late.
            (State::Asking { .. } | State::Wanted { .. }, Input::Moved | Input::Tick)
            | (
                State::Asking { .. }
                | State::Wanted { .. }
                | State::Registered { .. }
                | State::Waiting { .. }
                | State::Over,
                Input::Response(..) | Input::Failed(..),
            )
            | (State::Over, Input::Moved | Input::Leave | Input::Tick) => {}
        }
    }

    /// What it wants.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop_front()
    }

    /// When to say [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.state {
            State::Registered { renew_at } => Some(renew_at),
            // What is held may run out before the next try.
            State::Waiting { until } => Some(self.valid_until.map_or(until, |valid| valid.min(until))),
            State::Wanted { .. } | State::Asking { .. } | State::Over => None,
        }
    }

    /// Whether the registrar holds us now.
    pub fn is_registered(&self, now: Time) -> bool {
        self.valid_until.is_some_and(|until| now < until)
    }

    /// Whether it is taken back.
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// After [`Output::Send`]: the request that goes as `tx` over `flow`.
    pub fn request(&mut self, tx: ClientTx, flow: Flow) -> Option<Request> {
        let State::Wanted { tries, credentials, leaving } = &mut self.state else { return None };
        let (tries, credentials, leaving) = (*tries, credentials.take(), *leaving);
        let contact = self.contact_over(flow);
        self.cseq += 1;
        let of_record = format!("<{}>", SipUri::new(Some(&self.spec.user), &self.spec.domain, None));
        let mut request = Request::new(Method::Register, self.spec.registrar.clone());
        let headers = &mut request.headers;
        for route in &self.spec.routes {
            headers.push("Route", route.as_str());
        }
        headers.push("Max-Forwards", "70");
        headers.push("From", format!("{of_record};tag={}", self.spec.tag));
        headers.push("To", of_record);
        headers.push("Call-ID", self.spec.call_id.as_str());
        headers.push("CSeq", format!("{} REGISTER", self.cseq));
        // What is not taken back rings into the void until it runs out.
        if let Some(old) = self.contact.take_if(|old| *old != contact) {
            headers.push("Contact", format!("{old};expires=0"));
        }
        let seconds = if leaving { 0 } else { self.expires.as_secs() };
        headers.push("Contact", format!("{contact};expires={seconds}"));
        headers.push("Expires", seconds.to_string());
        headers.push("User-Agent", self.spec.agent.as_str());
        if let Some((name, value)) = credentials {
            headers.push(name, value);
        }
        self.contact = Some(contact);
        self.state = State::Asking { tx, tries, uri: self.spec.registrar.to_string(), leaving };
        Some(request)
    }

    fn contact_over(&self, flow: Flow) -> String {
        let mut uri = SipUri::of_address(Some(&self.spec.user), flow.local);
        if flow.transport.is_reliable() {
            uri.set_param("transport", Some(flow.transport.uri_param()));
        }
        uri.set_param("line", Some(&self.spec.line));
        format!("<{uri}>")
    }

    fn on_final(&mut self, now: Time, response: &Response) {
        let State::Asking { tries, uri, leaving, .. } = &self.state else { return };
        let (tries, uri, leaving) = (*tries, uri.clone(), *leaving);
        let again = tries < TRIES_MAX;
        if response.is_success() {
            if leaving {
                return self.left();
            }
            return self.on_success(now, response);
        }
        let cnonce = format!("{:016x}", self.drawn(u64::from(tries)));
        let signed = Signed { method: "REGISTER", uri: &uri, body: b"" };
        let credentials = self.login.as_mut().and_then(|login| login.credentials(response, signed, tries, &cnonce));
        if let Some(credentials) = credentials {
            return self.want(tries + 1, Some(credentials), leaving);
        }
        if leaving {
            return self.left();
        }
        let asked = response.headers.get("Min-Expires").and_then(|value| value.trim().parse().ok());
        if response.status == 423
            && again
            && let Some(asked) = asked.map(Duration::from_secs).filter(|asked| *asked > self.expires)
        {
            self.expires = asked.min(EXPIRES_MAX);
            // Challenged anew, if at all: a nonce may be good for one request.
            return self.want(1, None, false);
        }
        let text = reason_phrase(response.status);
        let reason = match response.status {
            status @ (401 | 407) => format!("the registrar does not take the password: {status} {text}"),
            status => format!("the registrar answers {status} {text}"),
        };
        let retry_after = response.headers.get("Retry-After").and_then(leading_number).map(Duration::from_secs);
        let pause = match response.status {
            400..=499 if response.status != 408 && response.status != 480 => Some(REFUSED_PAUSE),
            600..=699 => Some(REFUSED_PAUSE),
            _ => None,
        };
        if response.status >= 500 || response.status == 408 {
            self.out(Output::NextTarget);
        }
        self.fail(now, &reason, retry_after.map(|asked| asked.min(EXPIRES_MAX)).or(pause));
    }

    fn on_success(&mut self, now: Time, response: &Response) {
        let granted = self.granted(response);
        self.failures = 0;
        self.valid_until = Some(now + granted);
        // Renewed between 75 and 85 % of it, so that a lost packet or a slow answer leaves it whole.
        let part = granted.mul_f64(0.75 + 0.1 * self.spread());
        self.state = State::Registered { renew_at: now + part.max(Duration::from_secs(1)) };
        self.out(Output::Registered);
    }

    /// How long the registrar holds us: what it says of our Contact, else of all, else what we asked for.
    fn granted(&self, response: &Response) -> Duration {
        let contacts = response.headers.contacts().unwrap_or_default();
        let own = contacts.iter().filter_map(|contact| contact.addr()).find(|contact| {
            let uri = contact.parse_uri().ok();
            uri.as_ref().and_then(RequestUri::as_sip).and_then(|uri| uri.param("line")) == Some(self.spec.line.as_str())
        });
        let seconds = own.and_then(|own| own.expires()).or_else(|| response.headers.expires());
        let granted = seconds.map_or(self.expires, |seconds| Duration::from_secs(u64::from(seconds)));
        granted.clamp(EXPIRES_MIN, EXPIRES_MAX)
    }

    fn fail(&mut self, now: Time, reason: &str, pause: Option<Duration>) {
        self.run_out(now);
        let doubled = BACK_OFF_MIN.saturating_mul(1_u32 << self.failures.min(16)).min(BACK_OFF_MAX);
        self.failures = self.failures.saturating_add(1);
        let pause = pause.unwrap_or(doubled).mul_f64(0.5 + 0.5 * self.spread());
        self.state = State::Waiting { until: now + pause.max(Duration::from_secs(1)) };
        self.out(Output::Failed(reason.to_owned()));
    }

    fn run_out(&mut self, now: Time) {
        self.valid_until.take_if(|until| now >= *until);
    }

    fn want(&mut self, tries: u8, credentials: Option<(&'static str, String)>, leaving: bool) {
        self.state = State::Wanted { tries, credentials, leaving };
        self.out(Output::Send);
    }

    fn left(&mut self) {
        self.state = State::Over;
        self.valid_until = None;
        self.out(Output::Left);
    }

    fn out(&mut self, output: Output) {
        self.outbox.push_back(output);
    }

    /// From 0 to 1, another one each time.
    fn spread(&self) -> f64 {
        let drawn = self.drawn(u64::from(self.cseq) << 16 | u64::from(self.failures));
        f64::from(u32::try_from(drawn >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }

    /// `SplitMix64` of the random number: it spreads; what must not be guessed rests on the random number itself.
    fn drawn(&self, salt: u64) -> u64 {
        let mut z = self.spec.random ^ (u64::from(self.cseq) << 32 | salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The number that a header begins with: Retry-After may have a comment after it.
fn leading_number(value: &str) -> Option<u64> {
    let value = value.trim_start();
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}
