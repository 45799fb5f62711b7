//! User agents over any transport, each with a line of its own: half of them call, the others answer.

use plugboard_sip::digest::{Challenge, Secret, Signed};
use plugboard_sip::{Message, Method, Request, RequestUri, Response};
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::clock;
use crate::line::Line;
use crate::office;

/// A switch that says nothing for so long has lost something.
const PATIENCE: Duration = Duration::from_secs(10);
/// Nobody hears there: these calls have no sound.
const SDP: &str =
    "v=0\r\no=load 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n";

/// What all agents count together.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Calls that were answered and ended as they should.
    pub(crate) good: Cell<u32>,
    /// Others.
    pub(crate) failed: Cell<u32>,
}

/// An agent: a user at his line.
pub(crate) struct Agent {
    user: u32,
    line: Line,
    cseq: u32,
    branches: u32,
}

impl Agent {
    pub(crate) const fn new(user: u32, line: Line) -> Self {
        Self { user, line, cseq: 0, branches: 0 }
    }

    /// Registers.
    pub(crate) async fn register(&mut self) -> io::Result<()> {
        let user = self.user;
        let address = format!("<sip:{user}@load.test>");
        let response = self.ask(Method::Register, "sip:load.test", &address, &format!("register-{user}@load")).await;
        match response.map(|response| response.status) {
            Some(200) => Ok(()),
            Some(status) => Err(io::Error::other(format!("the REGISTER of {user} got {status}"))),
            None => Err(io::Error::other(format!("the REGISTER of {user} got no answer"))),
        }
    }

    /// Answers whoever calls until its line is down.
    pub(crate) async fn answers(mut self) {
        while let Some(message) = self.line.hear().await {
            let Message::Request(request) = message else { continue };
            if request.method == Method::Ack {
                continue;
            }
            let mut response = Response::to_request(&request, 200);
            response.headers.set_to_tag(&format!("c{}", self.user));
            if request.method == Method::Invite {
                response.headers.copy_from(&request.headers, "Record-Route");
                response.headers.push("Contact", self.contact());
                response.headers.push("Content-Type", "application/sdp");
                response.body = SDP.into();
            }
            self.line.say(response).await;
        }
    }

    /// Calls another user each so often, from a moment on, and talks so long each time, until it is told to stop.
    pub(crate) async fn calls(
        mut self,
        other: u32,
        (mut next, every, hold): (Instant, Duration, Duration),
        stop: watch::Receiver<bool>,
        tally: Rc<Tally>,
    ) {
        loop {
            sleep_until(next).await;
            if *stop.borrow() {
                return;
            }
            next += every;
            let counted = if self.call(other, hold).await.is_some() { &tally.good } else { &tally.failed };
            counted.set(counted.get() + 1);
        }
    }

    /// One call; none: it failed.
    async fn call(&mut self, other: u32, hold: Duration) -> Option<()> {
        let (uri, to) = (format!("sip:{other}@load.test"), format!("<sip:{other}@load.test>"));
        let id = format!("call-{}-{}@load", self.user, self.cseq);
        let answer = self.ask(Method::Invite, &uri, &to, &id).await.filter(|response| response.status == 200)?;
        let target = answer.headers.contacts().ok()?.first()?.addr()?.uri.to_owned();
        let to = answer.headers.get("To")?.to_owned();
        let ack = self.request(&Method::Ack, &target, &to, &id)?;
        self.line.say(ack).await;
        clock::passes(hold).await;
        self.cseq += 1;
        let bye = self.request(&Method::Bye, &target, &to, &id)?;
        self.line.say(bye).await;
        self.final_response(&Method::Bye).await.filter(|response| response.status == 200).map(drop)
    }

    /// Asks, with the password where it is wanted.
    async fn ask(&mut self, method: Method, uri: &str, to: &str, id: &str) -> Option<Response> {
        self.cseq += 1;
        let request = self.request(&method, uri, to, id)?;
        self.line.say(request).await;
        let response = self.final_response(&method).await?;
        let (wants, gives) = match response.status {
            401 => ("WWW-Authenticate", "Authorization"),
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return Some(response),
        };
        if method == Method::Invite {
            // Of the transaction that it ends (RFC 3261 section 17.1.1.3).
            self.branches -= 1;
            let ack = self.request(&Method::Ack, uri, response.headers.get("To")?, id)?;
            self.line.say(ack).await;
        }
        let challenge = Challenge::pick(response.headers.get_all(wants))?;
        self.cseq += 1;
        let mut request = self.request(&method, uri, to, id)?;
        let signed = Signed { method: method.as_str(), uri, body: &request.body };
        let secret = Secret::new(office::password(self.user));
        let credentials = challenge.answer(&self.user.to_string(), &secret, signed, &format!("c{}", self.cseq), 1);
        request.headers.push(gives, credentials);
        self.line.say(request).await;
        self.final_response(&method).await
    }

    async fn final_response(&mut self, method: &Method) -> Option<Response> {
        loop {
            let message = timeout(PATIENCE, self.line.hear()).await.ok()??;
            let response = match message {
                Message::Response(response) => response,
                // The switch may ask whether somebody is there.
                Message::Request(request) => {
                    self.line.say(Response::to_request(&request, 200)).await;
                    continue;
                }
            };
            let cseq = response.headers.cseq().ok()?;
            if response.status >= 200 && cseq.method == *method && cseq.number == self.cseq {
                return Some(response);
            }
        }
    }

    fn contact(&self) -> String {
        format!("<sip:{}@{};transport={}>", self.user, self.line.here, self.line.transport.uri_param())
    }

    fn request(&mut self, method: &Method, uri: &str, to: &str, id: &str) -> Option<Request> {
        self.branches += 1;
        let (user, line, cseq) = (self.user, &self.line, self.cseq);
        let mut request = Request::new(method.clone(), RequestUri::parse(uri).ok()?);
        let branch = format!("z9hG4bK-{user}-{}", self.branches);
        request.headers.push("Via", format!("SIP/2.0/{} {};branch={branch};rport", line.transport.name(), line.here));
        request.headers.push("Max-Forwards", "70");
        request.headers.push("From", format!("<sip:{user}@load.test>;tag={id}"));
        request.headers.push("To", to);
        request.headers.push("Call-ID", id);
        request.headers.push("CSeq", format!("{cseq} {}", method.as_str()));
        if *method == Method::Register {
            request.headers.push("Contact", format!("{};expires=3600", self.contact()));
        } else if *method == Method::Invite {
            request.headers.push("Contact", self.contact());
            request.headers.push("Content-Type", "application/sdp");
            request.body = SDP.into();
        }
        Some(request)
    }
}
