//! One INVITE and all that follows from it: one leg of a call, calling or called.
//!
//! A [`Session`] is fed with what the transaction layer reports and with [`Command`]s; it answers with inputs for
//! the layer and with [`Event`]s. It sends no media and reads no SDP: bodies are bytes.
//!
//! Of the end there are three words. One of [`Event::Rejected`] and [`Event::Ended`] comes exactly once, as soon as
//! the leg is of no use any more; [`Event::Finished`] comes once, later or at once, when the last message is
//! exchanged: then the session can be dropped. What still arrives for its owner is dropped, but for a 2xx to INVITE,
//! which [`Strays`] answers.
//!
//! Source: RFC 3261 sections 9, 12, 13, 14, 15; RFC 3311 (UPDATE), RFC 3326 (Reason), RFC 4028 (session timer),
//! RFC 6026.

mod alive;
mod called;
mod calling;
mod dtmf;
mod early;
mod exchange;
pub(crate) mod login;
mod reason;
mod refer;
mod reliable;
mod requests;
mod stray;
pub(crate) mod timer;

pub use dtmf::InfoDigit;
pub use early::EARLY_MEDIA;
pub use reason::{reason_of, reason_value};
pub use reliable::RELIABLE;
pub use stray::Strays;
pub use timer::{MIN_SE, SESSION_EXPIRES, TIMER};

use crate::dialog::{Dialog, DialogId, NextHop};
use crate::digest::Secret;
use crate::flow::Flow;
use crate::message::{Request, Response};
use crate::transaction::{self, ClientTx, ServerTx, Timers};
use crate::uri::RequestUri;
use bytes::Bytes;
use plugboard_model::{Cause, Time};
use std::collections::VecDeque;
use std::time::Duration;

/// The methods that a session takes, for Allow.
pub const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, REFER, PRACK";

/// What is ours in a session.
#[derive(Debug, Clone)]
pub struct Local {
    /// The owner in [`ClientTx`]: the leg's number in its shard, never used twice in the shard's life.
    pub owner: u64,
    /// Our tag: random, at least 32 bits of it (RFC 3261 section 19.3), a token.
    pub tag: Box<str>,
    /// The value of Contact, as `<sip:7f@192.0.2.1:5060>`.
    pub contact: Box<str>,
    /// The value of User-Agent and Server; none when empty.
    pub agent: Box<str>,
    /// The timers of RFC 3261.
    pub timers: Timers,
    /// A random number, for glare and client nonces.
    pub random: u64,
    /// Where INVITEs go that are too long for UDP, if the peer leaves the transport open.
    pub larger: Option<Flow>,
}

/// A call to be made.
#[derive(Debug, Clone)]
pub struct OutgoingSpec {
    /// Over what the INVITE goes.
    pub flow: Flow,
    /// Where later requests go.
    pub next_hop: NextHop,
    /// The Request-URI.
    pub uri: RequestUri,
    /// The value of From without tag, as `"Ann" <sip:101@plugboard.test>`.
    pub from: String,
    /// The value of To, as `<sip:102@plugboard.test>`.
    pub to: String,
    /// A new Call-ID: random, a token.
    pub call_id: String,
    /// The values of Route, for an outbound proxy.
    pub routes: Vec<String>,
    /// The offer.
    pub sdp: Bytes,
    /// More headers of the INVITE (P-Asserted-Identity, Diversion, Alert-Info ...).
    pub headers: Vec<(String, String)>,
    /// How many hops are left: that of the other leg less one, so that a loop of switches ends.
    pub max_forwards: u8,
    /// The name and password for a peer that asks for them (401, 407).
    pub login: Option<Login>,
    /// When a peer that has said nothing at all, not even 100, is given up (408): another may be tried in its place long
    /// before Timer B. Without it the peer has these 32 s.
    pub answer_by: Option<Time>,
    /// Whether the peer may send provisional responses that we acknowledge (RFC 3262). Those that it sends so are, anyway.
    pub reliable: bool,
}

/// A name and password.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// What a session is told.
#[derive(Debug)]
pub enum Input {
    /// A request within the dialog ([`transaction::Output::Request`]).
    Request {
        /// Its transaction.
        tx: ServerTx,
        /// The request.
        request: Request,
        /// Over what it came.
        flow: Flow,
    },
    /// The caller gave up ([`transaction::Output::Cancelled`]).
    Cancelled {
        /// The INVITE's transaction.
        tx: ServerTx,
        /// The CANCEL.
        request: Request,
    },
    /// The ACK of a 2xx ([`transaction::Output::Ack`]).
    Ack {
        /// The ACK.
        request: Request,
        /// Over what it came.
        flow: Flow,
    },
    /// A response to a request of this session, or a stray 2xx.
    Response {
        /// The request's transaction.
        tx: ClientTx,
        /// The response.
        response: Response,
        /// Over what it came.
        flow: Flow,
    },
    /// Nobody answered a request of this session.
    Timeout {
        /// The request's transaction.
        tx: ClientTx,
    },
    /// A request of this session could not be sent ([`transaction::Output::TransportError`] and `Full`).
    TransportError {
        /// The request's transaction.
        tx: ClientTx,
    },
    /// The connection of an unanswered INVITE broke ([`transaction::Output::Lost`]).
    Lost {
        /// The INVITE's transaction.
        tx: ServerTx,
    },
    /// Something is wanted of the peer.
    Command(Command),
    /// [`Session::poll_timeout`] is reached.
    Tick,
}

/// What is wanted of the peer. A command that comes too late or too early for its state changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Called: tell the caller how far it is. Said again each minute (RFC 3261 section 13.3.1.1).
    Progress {
        /// 180 to 183.
        status: u16,
        /// An answer for early media.
        sdp: Option<Bytes>,
    },
    /// Called: answer; the answer to the offer, or an offer when the INVITE had none.
    Answer {
        /// The body of the 200.
        sdp: Bytes,
    },
    /// Called: refuse. As [`Command::End`] once answered.
    Reject {
        /// 300 to 699.
        status: u16,
        /// The reason phrase in place of the usual one.
        phrase: Option<String>,
        /// The value of a Reason header.
        reason: Option<String>,
        /// More headers (Retry-After, Contact of a 302 ...).
        headers: Vec<(String, String)>,
    },
    /// End the leg, however far it is: CANCEL while it is unanswered (called: 480), else BYE.
    End {
        /// The value of a Reason header, such as `plugboard_model::REASON_COMPLETED_ELSEWHERE`.
        reason: Option<String>,
    },
    /// Offer again (re-INVITE). [`Event::ReofferDone`] follows, with 491 at once while another offer is open.
    Reoffer {
        /// The new offer.
        sdp: Bytes,
    },
    /// Answer [`Event::Reoffered`].
    AcceptReoffer {
        /// The answer, or an offer when the peer made none.
        sdp: Bytes,
    },
    /// Refuse [`Event::Reoffered`]; the session stays as it was.
    RejectReoffer {
        /// 400 to 699, most often 488.
        status: u16,
        /// Why, for the reason phrase (RFC 3261 section 21.4.1); empty: the status says enough.
        why: &'static str,
        /// Beside what each response has: a Warning that names what is wrong (RFC 3261 section 20.43).
        headers: Vec<(String, String)>,
    },
    /// Send digits by INFO, to a peer that knows no RFC 4733.
    SendDigit(InfoDigit),
    /// Take on [`Event::Referred`]: 202, and a first NOTIFY.
    AcceptRefer,
    /// Refuse [`Event::Referred`].
    RejectRefer {
        /// 400 to 699.
        status: u16,
    },
    /// Tell who wanted it how far the new call is. Nothing is told where nobody asked.
    NotifyRefer {
        /// 100 to 699; from 200 on it is the last word.
        status: u16,
    },
    /// Ask the peer whether he is there (OPTIONS), which is asked once at a time: [`Event::Lives`] follows, or the end of the leg by
    /// [`Cause::silent`].
    Ask,
    /// Tell the peer something in words (RFC 3428 section 8, within the dialog); nothing follows of it.
    Say {
        /// The words.
        text: String,
    },
    /// Show the peer whom he talks to now.
    Identify {
        /// P-Asserted-Identity and the like.
        headers: Vec<(String, String)>,
        /// The description in force, for a peer that takes no UPDATE.
        sdp: Bytes,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Calling: a provisional response other than 100. May come often, and from several devices behind a proxy.
    Progress {
        /// 101 to 199.
        status: u16,
        /// An answer for early media.
        sdp: Option<Bytes>,
        /// Whether there is a sound for the caller, where the peer says so by P-Early-Media (RFC 5009).
        sounds: Option<bool>,
    },
    /// Calling: answered and acknowledged. The first answer wins, later ones are ended here.
    Answered {
        /// The answer; `None` from a peer that gave it in a provisional response only.
        sdp: Option<Bytes>,
    },
    /// Called: he answered the offer of our provisional response, by PRACK.
    EarlyAnswered {
        /// His answer.
        sdp: Bytes,
    },
    /// Called: the caller acknowledged the answer.
    Established {
        /// His answer when the INVITE had no offer.
        sdp: Option<Bytes>,
    },
    /// Calling: the call was refused, timed out (408) or could not be sent (503). An end.
    Rejected {
        /// The final status and its phrase, or what Reason says.
        cause: Cause,
        /// When to try again, from 503 and the like.
        retry_after: Option<Duration>,
        /// The URIs of a 3xx, best first.
        redirect: Vec<String>,
        /// Nobody was reached over this flow: another one of the same device may be tried (RFC 5626 section 7).
        flow_failed: bool,
    },
    /// What was under way when [`Command::Identify`] came is over: it may be given again.
    IdentityDue {
        /// As they were given.
        headers: Vec<(String, String)>,
    },
    /// The proxy before the peer has lost him: it said 430 itself (RFC 5626 section 5.3), and an end follows.
    FlowLost,
    /// The leg is over. An end.
    Ended {
        /// 200 for a normal end; else what Reason says, 487 for a call given up, 408 for a lost ACK ...
        cause: Cause,
        /// Whether the peer ended it.
        by_remote: bool,
    },
    /// The peer wants to change the session, or what was agreed before the answer: answer with [`Command::AcceptReoffer`] or [`Command::RejectReoffer`].
    /// Unanswered, it is refused with 488 after [`REOFFER_PATIENCE`].
    Reoffered {
        /// The offer; `None` asks for one.
        sdp: Option<Bytes>,
    },
    /// The peer took his offer back, or was told off after [`REOFFER_PATIENCE`].
    ReofferCancelled,
    /// Our new offer was answered, or the peer answered the offer that he asked for.
    ReofferDone(Result<Option<Bytes>, u16>),
    /// A digit came by INFO.
    Digit(InfoDigit),
    /// The peer is there, as [`Command::Ask`] wanted to know: he answered, whatever it was.
    Lives,
    /// A digit of ours could not be sent; nothing else comes of it. One that nobody answers is the end, as RFC 3261 section
    /// 12.2.1.2 has it.
    DigitUnsent,
    /// The session timer of a peer that takes no UPDATE wants the description in force to be sent again: answer with
    /// [`Command::Reoffer`] of it (RFC 4028 section 7.4).
    RefreshDue,
    /// The peer wants us to call somebody in his place: answer with [`Command::AcceptRefer`] or [`Command::RejectRefer`].
    Referred {
        /// The value of Refer-To; see [`crate::ReferTo`].
        target: String,
        /// The value of Referred-By (RFC 3892).
        referred_by: Option<String>,
    },
    /// Nothing more will be sent or understood.
    Finished,
}

/// How long the switch may take to answer a new offer: under the 32 s in which the peer waits for UPDATE.
pub const REOFFER_PATIENCE: Duration = Duration::from_secs(20);

/// What a session wants done, in order.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it lives for a moment, and a box for each message would cost more")]
pub enum Output {
    /// Give this to the transaction layer.
    Transaction(transaction::Input),
    /// Tell the call.
    Event(Event),
}

/// This bit of [`ClientTx::seq`] marks what was sent to end a fork.
const STRAY: u32 = 1 << 31;

/// One leg of a call. See the module's documentation.
#[derive(Debug)]
pub struct Session {
    local: Box<Local>,
    /// The count of our next transaction.
    next_seq: u32,
    state: State,
    /// Whether the INVITE was ours: it decides who waits longer after a glare.
    made_the_call: bool,
    login: Option<Box<login::LoginState>>,
    /// Once it is up.
    timer: Option<Box<timer::SessionTimer>>,
    /// Our question whether the peer is there.
    asked: Option<ClientTx>,
    /// What the peer asked for by REFER.
    refer: Option<Box<refer::Refer>>,
    /// Headers that tell whom the peer talks to, which what is under way holds up.
    unsaid: Option<Box<[(String, String)]>>,
    /// Devices behind a proxy that have rung or answered beside the one that has the call.
    strays: Option<Box<Strays>>,
    /// Where our INVITE went, if what answers it is spoken to nowhere else ([`NextHop::First`]).
    home: Option<Box<Flow>>,
    outbox: VecDeque<Output>,
}

#[derive(Debug)]
enum State {
    /// Our INVITE is out.
    Calling(Box<calling::Calling>),
    /// The peer's INVITE is not answered.
    Ringing(Box<called::Ringing>),
    /// Answered.
    Up { dialog: Box<Dialog>, exchange: Exchange },
    /// To be ended, but the peer has not acknowledged our 2xx, and no BYE may go before (RFC 3261 section 15).
    Leaving { dialog: Box<Dialog>, answered: Answered, reason: Option<String> },
    /// Our BYE is out.
    Closing { dialog: Box<Dialog>, bye: ClientTx, tries: u8 },
    /// Nothing is left to do.
    Over,
}

/// What offers and answers are under way while a session is up: one at a time (RFC 3264 section 4).
#[derive(Debug)]
enum Exchange {
    /// None.
    Idle,
    /// The peer offered by INVITE or UPDATE; the switch thinks.
    Asked { tx: ServerTx, request: Box<Request>, until: Time },
    /// Our 2xx to an INVITE waits for its ACK.
    Answered(Answered),
    /// Our re-INVITE is out; without an answer it is cancelled at that moment.
    Sent { tx: ClientTx, offer: Reoffer, tries: u8, until: Time },
    /// Our re-INVITE met the peer's: it goes again at that moment (RFC 3261 section 14.1).
    Glare { at: Time, offer: Reoffer, tries: u8 },
}

/// What a re-INVITE of ours says, each time that it goes.
#[derive(Debug)]
struct Reoffer {
    sdp: Bytes,
    /// Those that tell whom the peer talks to, or none.
    headers: Box<[(String, String)]>,
}

/// Why an offer of the peer is not taken.
#[derive(Debug)]
struct Refusal {
    status: u16,
    why: &'static str,
    headers: Vec<(String, String)>,
}

/// A 2xx to INVITE that is sent until its ACK comes (RFC 3261 section 13.3.1.4).
#[derive(Debug, Clone, Copy)]
struct Answered {
    /// Whether it was the first INVITE.
    initial: bool,
    /// Whether the ACK brings the answer to our offer.
    late: bool,
    tx: ServerTx,
    cseq: u32,
    resend_at: Time,
    pause: Duration,
    give_up: Time,
}

impl Session {
    /// Takes one input; read the effects with [`Session::poll_output`].
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Request { tx, request, flow } => self.on_request(now, tx, request, flow),
            Input::Cancelled { tx, request } => self.on_cancelled(tx, &request),
            Input::Ack { request, flow } => self.on_ack(&request, flow),
            // What a fork says to our BYE changes nothing here.
            Input::Response { tx, .. } | Input::Timeout { tx } | Input::TransportError { tx }
                if tx.seq & STRAY != 0 => {}
            Input::Response { tx, response, flow } => self.on_response(now, tx, &response, flow),
            Input::Timeout { tx } => self.on_failure(now, tx, 408),
            Input::TransportError { tx } => self.on_failure(now, tx, 503),
            Input::Lost { tx } => self.on_lost(tx),
            Input::Command(command) => self.command(now, command),
            Input::Tick => self.tick(now),
        }
        if matches!(self.state, State::Up { exchange: Exchange::Idle, .. })
            && let Some(headers) = self.unsaid.take()
        {
            self.emit(Event::IdentityDue { headers: headers.into() });
        }
    }

    /// The next effect.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outbox.pop_front();
        if self.outbox.is_empty() {
            // A held call keeps no room for outputs.
            self.outbox = VecDeque::new();
        }
        output
    }

    /// When to call [`Session::handle`] with [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        match &self.state {
            State::Ringing(ringing) => ringing.wake(),
            State::Up { exchange, .. } => match exchange {
                Exchange::Idle => self.timer.as_ref().map(|timer| timer.due()),
                // What is under way shows whether the peer is there: it puts the refresh off.
                Exchange::Sent { until, .. } | Exchange::Asked { until, .. } => Some(*until),
                Exchange::Answered(answered) => Some(answered.wake()),
                Exchange::Glare { at, .. } => Some(*at),
            },
            State::Leaving { answered, .. } => Some(answered.wake()),
            State::Calling(calling) => calling.answer_by(),
            State::Closing { .. } | State::Over => None,
        }
    }

    /// The dialog, once there is one: before it, responses find the session by [`ClientTx::owner`].
    pub fn dialog(&self) -> Option<DialogId> {
        match &self.state {
            State::Ringing(ringing) => Some(ringing.dialog.id()),
            State::Up { dialog, .. } | State::Leaving { dialog, .. } | State::Closing { dialog, .. } => {
                Some(dialog.id())
            }
            State::Calling(_) | State::Over => None,
        }
    }

    /// The dialog with a device that it rings at: the first that said a word.
    pub fn early_dialog(&self) -> Option<DialogId> {
        match &self.state {
            State::Calling(calling) => calling.early.first().map(|early| early.dialog.id()),
            State::Ringing(_) | State::Up { .. } | State::Leaving { .. } | State::Closing { .. } | State::Over => None,
        }
    }

    /// Whether an offer of ours may be sent now: there is a dialog, and no other offer is under way in it (RFC 3261 section 14.1).
    pub fn may_offer(&self) -> bool {
        matches!(self.state, State::Up { exchange: Exchange::Idle, .. })
    }

    /// Whether it is answered and not ended.
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// Whether [`Event::Finished`] was told.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn new(local: Local, state: State, made_the_call: bool, login: Option<Login>) -> Self {
        let login = login.map(|login| Box::new(login::LoginState::new(login)));
        Self {
            local: Box::new(local),
            next_seq: 1,
            state,
            made_the_call,
            login,
            timer: None,
            asked: None,
            refer: None,
            unsaid: None,
            strays: None,
            home: None,
            outbox: VecDeque::new(),
        }
    }

    fn emit(&mut self, event: Event) {
        self.outbox.push_back(Output::Event(event));
    }

    fn transaction(&mut self, input: transaction::Input) {
        self.outbox.push_back(Output::Transaction(input));
    }

    fn next_tx(&mut self) -> ClientTx {
        let tx = ClientTx { owner: self.local.owner, seq: self.next_seq };
        self.next_seq = self.next_seq.wrapping_add(1) & !STRAY;
        tx
    }

    /// A name for what ends a fork: its answer must not be taken for one of the session's own.
    fn next_stray_tx(&mut self) -> ClientTx {
        let tx = self.next_tx();
        ClientTx { seq: tx.seq | STRAY, ..tx }
    }

    fn strays(&mut self) -> &mut Strays {
        self.strays.get_or_insert_with(|| Box::new(Strays::new(reliable::FORKS_MAX)))
    }

    fn send(&mut self, mut request: Request, flow: Flow) -> ClientTx {
        if !self.local.agent.is_empty() {
            request.headers.push("User-Agent", &*self.local.agent);
        }
        let tx = self.next_tx();
        let larger = self.local.larger.filter(|larger| {
            request.method == crate::method::Method::Invite
                && !flow.transport.is_reliable()
                && larger.remote == flow.remote
        });
        self.transaction(match larger {
            Some(larger) => transaction::Input::SendEither { tx, request, flow, larger },
            None => transaction::Input::SendRequest { tx, request, flow },
        });
        tx
    }

    fn send_ack(&mut self, dialog: &Dialog, cseq: u32) {
        let tx = self.next_tx();
        self.transaction(transaction::Input::SendAck { tx, request: dialog.ack(cseq), flow: dialog.flow() });
    }

    fn respond(&mut self, tx: ServerTx, mut response: Response) {
        if !self.local.agent.is_empty() && response.is_final() {
            response.headers.push("Server", &*self.local.agent);
        }
        self.transaction(transaction::Input::Respond { tx, response });
    }

    fn answer(&mut self, tx: ServerTx, request: &Request, status: u16) {
        let response = Response::to_request_tagged(request, status, &self.local.tag);
        self.respond(tx, response);
    }

    /// The same with the reason behind the usual phrase.
    fn answer_with_reason(&mut self, tx: ServerTx, request: &Request, refusal: Refusal) {
        let Refusal { status, why, headers } = refusal;
        let mut response = Response::to_request_tagged(request, status, &self.local.tag);
        for (name, value) in headers {
            response.headers.push(&name, value);
        }
        if !why.is_empty() {
            response.reason = format!("{} ({why})", response.reason);
        }
        self.respond(tx, response);
    }

    /// Sends BYE and waits for its answer.
    fn close(&mut self, dialog: Box<Dialog>, reason: Option<String>) -> State {
        self.send_bye(dialog, reason, None, 1)
    }

    fn send_bye(
        &mut self,
        mut dialog: Box<Dialog>,
        reason: Option<String>,
        credentials: Option<(&'static str, String)>,
        tries: u8,
    ) -> State {
        let mut request = dialog.request(crate::method::Method::Bye);
        if let Some(reason) = reason {
            request.headers.push("Reason", reason);
        }
        if let Some((name, value)) = credentials {
            request.headers.push(name, value);
        }
        let bye = self.send(request, dialog.flow());
        State::Closing { dialog, bye, tries }
    }

    fn finish(&mut self) -> State {
        self.emit(Event::Finished);
        State::Over
    }
}

impl Answered {
    fn new(now: Time, initial: bool, late: bool, tx: ServerTx, cseq: u32, timers: &Timers) -> Self {
        let (resend_at, give_up) = (now + timers.t1, now + timers.give_up());
        Self { initial, late, tx, cseq, resend_at, pause: timers.t1, give_up }
    }

    fn wake(&self) -> Time {
        self.resend_at.min(self.give_up)
    }
}

#[cfg(test)]
mod tests;
