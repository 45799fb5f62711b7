//! The SIP of one shard: its transactions, and whose each message is.

mod admit;
mod events;
mod login;
mod shares;
mod strangers;
mod trace;

use actix::{Actor, Context, Handler, MessageResult, Recipient};
use bytes::Bytes;
use plugboard_metrics::{Condition, Readiness, SipFaultKind, SipMessageTooLong, TransactionsHeld};
use plugboard_model::{OfficeId, Time, UserId};
use plugboard_sip::flow::Flow;
use plugboard_sip::replies::stateless_reply;
use plugboard_sip::session::Strays;
use plugboard_sip::transaction::{ClientTx, Input, Key, Layer, LayerSettings, Output, ServerTx, Timers};
use plugboard_sip::{Abilities, Message, Method, ParseError, PeekKind, Request, Response, parse_datagram, peek};
use plugboard_store::SipFlow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::awaited::Awaited;
use crate::env::{Env, Unsendable};
use crate::guesses::SharedGuesses;
use crate::message::{
    Adopt, ConnectionClosed, Drain, Forget, ForgetTrace, FromLayer, GetHoldings, Hire, Holdings, JoinAsked, LoseFlow,
    Received, TakeCall, TakeSubscription, ToLayer, UseSnapshot, Wire,
};
use crate::moves::Moves;
use crate::overload::Overload;
use crate::peers::Peers;
use crate::post::post;
use crate::rates::SharedRates;
use crate::shard::{NOTIFIER, branch_prefix, owner_of_tag};
use crate::snapshot::Snapshot;
use crate::wake::Wake;

use login::Door;
use trace::Traces;

/// Four seconds of 1,000 calls/s with thirteen messages each would be 52,000; past a burst of 16,384 we do not keep up,
/// and it is better that UDP senders repeat.
const SIP_MAILBOX: usize = 16_384;

/// The methods outside and inside dialogs that we take.
const METHODS: [Method; 12] = [
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Cancel,
    Method::Options,
    Method::Register,
    Method::Info,
    Method::Update,
    Method::Refer,
    Method::Prack,
    Method::Subscribe,
    Method::Publish,
];

const ABILITIES: Abilities<'static> = Abilities {
    methods: &METHODS,
    extensions: &[plugboard_sip::session::TIMER, plugboard_sip::REPLACES, plugboard_sip::session::RELIABLE],
    content_types: &["application/sdp", "application/dtmf-relay", "application/dtmf"],
    tel: true,
};

/// The owner of what belongs to no leg; legs count up from 1 and never come here.
const NOBODY: u64 = u64::MAX;

/// Answers to calls that are over come again for 32 s; so many at once only a gateway sends that takes no CANCEL, and past it
/// one is hung up twice.
const STRAYS_MAX: usize = 64;

/// A leg of the shard.
struct Owner {
    events: Recipient<FromLayer>,
    join: Recipient<JoinAsked>,
    sip_call_id: Box<str>,
}

/// Runs one [`Layer`]: reads what comes, sends what it wants, and gives each message to its leg, user or call.
pub(crate) struct SipActor {
    env: Env,
    shard: usize,
    layer: Layer,
    snapshot: Arc<Snapshot>,
    owners: HashMap<u64, Owner>,
    /// Gateways that ask and register by themselves.
    hired: HashMap<u64, Recipient<FromLayer>>,
    /// Answers to calls that are over.
    strays: Strays,
    traces: Traces,
    doors: BTreeMap<OfficeId, Door>,
    guesses: SharedGuesses,
    rates: SharedRates,
    moves: Moves,
    peers: Peers,
    /// Calls back to those who called for help go before what is shed.
    awaited: Awaited,
    /// Who registered over each connection that is open.
    connections: BTreeMap<u64, BTreeSet<UserId>>,
    calls: Recipient<TakeCall>,
    subscriptions: Recipient<TakeSubscription>,
    draining: bool,
    own_seq: u32,
    readiness: Readiness,
    overload: Overload,
    /// The last call that was refused for overload, while that is shown.
    overloaded: Option<Time>,
    /// Transactions, as the metrics were told last.
    transactions: usize,
    wake: Wake,
}

impl SipActor {
    pub(crate) fn new(
        env: Env,
        shard: usize,
        snapshot: Arc<Snapshot>,
        (calls, subscriptions): (Recipient<TakeCall>, Recipient<TakeSubscription>),
        readiness: Readiness,
        (guesses, rates, moves, peers, awaited): (SharedGuesses, SharedRates, Moves, Peers, Awaited),
    ) -> Self {
        let mut key = [0; 32];
        env.random.fill(&mut key);
        let layer = Layer::new(LayerSettings {
            prefix: branch_prefix(shard),
            key,
            timers: Timers::default(),
            transactions_max: env.transactions_max,
        });
        Self {
            traces: Traces::new(env.store.calls()),
            env,
            shard,
            layer,
            snapshot,
            owners: HashMap::new(),
            hired: HashMap::new(),
            strays: Strays::new(STRAYS_MAX),
            doors: BTreeMap::new(),
            guesses,
            rates,
            moves,
            peers,
            awaited,
            connections: BTreeMap::new(),
            calls,
            subscriptions,
            draining: false,
            own_seq: 0,
            readiness,
            overload: Overload::default(),
            overloaded: None,
            transactions: 0,
            wake: Wake::default(),
        }
    }

    fn feed(&mut self, input: Input, ctx: &mut Context<Self>) {
        let now = self.env.clock.now();
        self.layer.handle(now, input);
        self.pump(ctx);
    }

    fn pump(&mut self, ctx: &mut Context<Self>) {
        while let Some(output) = self.layer.poll_output() {
            match output {
                Output::Transmit { of, flow, bytes } => self.transmit(of, flow, bytes),
                Output::Request { tx, request, flow } => self.request(tx, request, flow, ctx),
                Output::Cancelled { tx, owner: Some(to), request } => {
                    self.to_owner(to, Output::Cancelled { tx, owner: Some(to), request });
                }
                // Its call is being made; the layer tells the leg as soon as it is there.
                Output::Cancelled { owner: None, .. } => {}
                Output::Ack { request, flow } => {
                    if let Some(owner) = self.owner_of(&request) {
                        self.to_owner(owner, Output::Ack { request, flow });
                    }
                }
                // The second of a leg that broke while it called: its CANCEL came too late.
                Output::Stray { tx, response, flow } | Output::Response { tx, response, flow }
                    if !self.owners.contains_key(&tx.owner) && !self.hired.contains_key(&tx.owner) =>
                {
                    let (ack, bye) = (self.own_tx(), self.own_tx());
                    for input in self.strays.end(&response, flow, ack, bye) {
                        self.layer.handle(self.env.clock.now(), input);
                    }
                }
                Output::Misfit { misfit, method, flow, answer } => {
                    crate::convert::tell_misfit(misfit, &method, self.env.clock.now(), flow, &self.env.metrics);
                    if let Some(turned) = answer.filter(|turned| self.hears(&turned.request, flow)) {
                        self.transmit(None, turned.back, turned.bytes);
                    }
                }
                Output::Response { tx, .. }
                | Output::Stray { tx, .. }
                | Output::Timeout { tx }
                | Output::TransportError { tx }
                | Output::Full { tx } => self.to_owner(tx.owner, output),
                Output::Lost { owner, .. } => {
                    if let Some(owner) = owner {
                        self.to_owner(owner, output);
                    }
                }
            }
        }
        let (before, held) = (self.transactions, self.layer.transactions());
        if before != held {
            self.transactions = held;
            TransactionsHeld { before, now: held }.emit(&self.env.metrics);
        }
        let now = self.env.clock.now();
        self.wake.set(ctx, now, self.layer.poll_timeout(), |sip, ctx| {
            sip.wake.rang();
            sip.feed(Input::Tick, ctx);
        });
    }

    /// A name for a transaction that belongs to no leg.
    fn own_tx(&mut self) -> ClientTx {
        self.own_seq = self.own_seq.wrapping_add(1);
        ClientTx { owner: NOBODY, seq: self.own_seq }
    }

    /// The owner that our tag in To names. Who does not know the Call-ID as well only guesses tags, and does not reach him.
    fn owner_of(&self, request: &Request) -> Option<u64> {
        let owner = owner_of_tag(request.headers.to().ok()?.tag()?)?;
        let known = self.owners.get(&owner)?;
        (request.headers.call_id() == Ok(&*known.sip_call_id)).then_some(owner)
    }

    fn to_owner(&self, owner: u64, output: Output) {
        if let Some(events) = self.owners.get(&owner).map(|owner| &owner.events).or_else(|| self.hired.get(&owner)) {
            post(events, FromLayer(output));
        }
    }

    fn transmit(&mut self, of: Option<Key>, flow: Flow, bytes: Bytes) {
        let peek = peek(&bytes);
        let is_request = peek.as_ref().is_some_and(|peek| peek.kind == PeekKind::Request);
        let (over, sent) = self.moves.send(&*self.env.sip, flow, bytes.clone(), is_request);
        if let Some(peek) = peek {
            crate::convert::count_sent(&peek, over, &self.env.metrics);
            self.traces.keep(self.env.clock.now(), SipFlow::Out, over, peek.call_id, &bytes);
        }
        let failed = match sent {
            Ok(()) => None,
            Err(Unsendable::Anything(_)) => Some(Input::Failed { flow }),
            Err(Unsendable::TooLong(over)) => {
                SipMessageTooLong { to: over.remote, bytes: bytes.len() }.emit(&self.env.metrics);
                of.map(|of| Input::Unsent { of })
            }
        };
        if let Some(failed) = failed {
            self.layer.handle(self.env.clock.now(), failed);
        }
    }

    /// Sends a response that has no transaction: to what could not be read as a request.
    fn answer_statelessly(&mut self, response: &Response, flow: Flow) {
        self.transmit(None, flow, response.to_bytes().into());
    }

    /// Answers what leads to no call and no registration. Whoever asked may be a stranger, so nothing is kept of it.
    fn refuse(&mut self, tx: ServerTx, response: Response) {
        if let Some((flow, _)) = self.layer.asked_by(tx) {
            crate::convert::tell_refused(&response, self.env.clock.now(), flow, &self.env.metrics);
        }
        self.refuse_told(tx, response);
    }

    /// The same where a line tells of it already.
    fn refuse_told(&mut self, tx: ServerTx, mut response: Response) {
        response.headers.set("Server", crate::shard::AGENT);
        self.layer.handle(self.env.clock.now(), Input::Refuse { tx, response });
    }

    fn request(&mut self, tx: ServerTx, request: Request, flow: Flow, ctx: &mut Context<Self>) {
        if request.method == Method::Subscribe && self.is_of_subscription(&request) {
            // Whether it is still there, it knows.
            return self.to_owner(NOTIFIER, Output::Request { tx, request, flow });
        }
        if request.headers.to().is_ok_and(|to| to.tag().is_some()) {
            match self.owner_of(&request) {
                Some(owner) => {
                    // A CANCEL of a re-INVITE and an answer to one that cannot be sent concern the leg as well.
                    if request.method == Method::Invite {
                        self.layer.handle(self.env.clock.now(), Input::Own { tx, owner });
                    }
                    self.to_owner(owner, Output::Request { tx, request, flow });
                }
                // A flood of such is one of strangers.
                None if self.heeds(tx, &request, flow) => self.refuse(tx, Response::to_request(&request, 481)),
                None => {}
            }
            return;
        }
        let response = stateless_reply(&request, Self::abilities(&request.method));
        // Whether a call is a gateway's is seen where it is let in.
        let is_call = response.is_none() && request.method == Method::Invite;
        if !is_call && !self.heeds(tx, &request, flow) {
            return;
        }
        // A switch that ends says so to those who ask: a load balancer then asks another.
        if self.draining && request.method == Method::Options {
            return self.refuse(tx, Response::to_request(&request, 503));
        }
        if let Some(response) = response {
            return self.refuse(tx, Self::with_events(response));
        }
        if request.method == Method::Invite {
            self.invite(tx, request, flow, ctx);
        } else if request.method == Method::Register {
            self.register(tx, request, flow, ctx);
        } else if request.method == Method::Subscribe {
            self.subscribe(tx, request, flow);
        } else if request.method == Method::Publish {
            self.publish(tx, request, flow, ctx);
        } else if request.method == Method::Refer {
            // Whom we call in somebody's place is whom he talks to.
            self.refuse(tx, Response::to_request(&request, 403));
        } else {
            // `ABILITIES` names no other method that `stateless_reply` leaves.
            self.refuse(tx, Response::to_request(&request, 501));
        }
    }

    fn received(&mut self, Received { flow, wire, came }: Received, ctx: &mut Context<Self>) {
        let now = self.env.clock.now();
        self.overload.handled(came, now);
        let read = match wire {
            Wire::Datagram(bytes) => parse_datagram(&bytes).inspect(|message| {
                let call_id = message.headers().call_id().unwrap_or_default();
                self.traces.keep(now, SipFlow::In, flow, call_id.as_bytes(), &bytes);
            }),
            Wire::Undelivered(quoted) => {
                tracing::debug!(to = %flow.remote, "nobody takes what was sent over UDP");
                return self.feed(Input::Undelivered { to: flow.remote, quoted }, ctx);
            }
            Wire::Framed(message) => {
                self.traces.received_message(now, flow, &message);
                Ok(*message)
            }
        };
        match read {
            Ok(message) => {
                crate::convert::count_parsed(&message, flow, &self.env.metrics);
                let input = match message {
                    Message::Request(request) if self.layer.is_full() && self.opens_for_help(&request, flow) => {
                        Input::CalledForHelp { request, flow }
                    }
                    message @ (Message::Request(_) | Message::Response(_)) => Input::Received { message, flow },
                };
                self.feed(input, ctx);
            }
            Err(error) => {
                crate::convert::tell_unparsed(SipFaultKind::Malformed, &error, now, flow, &self.env.metrics);
                if let ParseError::Reject(rejected) = error
                    && self.hears(&rejected.request, flow)
                {
                    self.answer_statelessly(&rejected.rejection.response(&rejected.request), flow);
                }
            }
        }
    }
}

impl Actor for SipActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(SIP_MAILBOX);
    }
}

impl Drop for SipActor {
    /// A panic here stops the shard's signalling: nothing hides that.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let reason = format!("the signalling of shard {} ended by a fault; restart the switch", self.shard);
            self.readiness.set(Condition::SipShardDown, &reason);
        }
    }
}

impl Handler<Received> for SipActor {
    type Result = ();
    fn handle(&mut self, received: Received, ctx: &mut Self::Context) {
        // A flood keeps the thread from going to sleep, and what calls want of their media must not wait for its end.
        self.env.media.tell();
        self.received(received, ctx);
    }
}

impl Handler<ConnectionClosed> for SipActor {
    type Result = ();
    fn handle(&mut self, closed: ConnectionClosed, ctx: &mut Self::Context) {
        self.moves.closed(closed.0);
        for user in self.connections.remove(&closed.0.connection).unwrap_or_default() {
            if let Some(handle) = self.snapshot.users.get(&user) {
                post(&handle.lost, LoseFlow::Connection(closed.0));
            }
        }
        self.feed(Input::Failed { flow: closed.0 }, ctx);
    }
}

impl Handler<ToLayer> for SipActor {
    type Result = ();
    fn handle(&mut self, to: ToLayer, ctx: &mut Self::Context) {
        // What an INVITE that opens a call comes to is told with its call.
        if let Input::Respond { tx, response } | Input::Refuse { tx, response } = &to.0
            && let Some((flow, false)) = self.layer.asked_by(*tx)
        {
            crate::convert::tell_refused(response, self.env.clock.now(), flow, &self.env.metrics);
        }
        self.feed(to.0, ctx);
    }
}

impl Handler<Adopt> for SipActor {
    type Result = ();
    fn handle(&mut self, adopt: Adopt, _: &mut Self::Context) {
        self.traces.begin(adopt.began, &adopt.sip_call_id, &adopt.call, adopt.leg);
        let Adopt { owner, events, join, sip_call_id, .. } = adopt;
        self.owners.insert(owner, Owner { events, join, sip_call_id });
    }
}

impl Handler<JoinAsked> for SipActor {
    type Result = ();
    fn handle(&mut self, mut ask: JoinAsked, _: &mut Self::Context) {
        // Phones that learned of the dialog by a lamp differ in which end they mean by "to" (RFC 4235, RFC 5359 section 2.14).
        if owner_of_tag(&ask.replaces.to_tag).is_none_or(|owner| !self.owners.contains_key(&owner)) {
            ask.replaces.turn();
        }
        let known = owner_of_tag(&ask.replaces.to_tag).and_then(|owner| self.owners.get(&owner));
        match known.filter(|known| *known.sip_call_id == *ask.replaces.call_id) {
            Some(owner) => post(&owner.join, ask),
            None => ask.refuse(481),
        }
    }
}

impl Handler<Hire> for SipActor {
    type Result = ();
    fn handle(&mut self, hire: Hire, _: &mut Self::Context) {
        self.hired.insert(hire.owner, hire.events);
    }
}

impl Handler<Forget> for SipActor {
    type Result = ();
    fn handle(&mut self, forget: Forget, _: &mut Self::Context) {
        self.hired.remove(&forget.owner);
        if let Some(owner) = self.owners.remove(&forget.owner) {
            self.traces.end(&owner.sip_call_id);
        }
    }
}

impl Handler<ForgetTrace> for SipActor {
    type Result = ();
    fn handle(&mut self, refused: ForgetTrace, _: &mut Self::Context) {
        self.traces.end_of(&refused.sip_call_id, &refused.call);
    }
}

impl Handler<UseSnapshot> for SipActor {
    type Result = ();
    fn handle(&mut self, snapshot: UseSnapshot, _: &mut Self::Context) {
        self.snapshot = snapshot.0;
        self.doors.values_mut().for_each(Door::users_changed);
    }
}

impl Handler<Drain> for SipActor {
    type Result = ();
    fn handle(&mut self, _: Drain, _: &mut Self::Context) {
        self.draining = true;
    }
}

impl Handler<GetHoldings> for SipActor {
    type Result = MessageResult<GetHoldings>;
    fn handle(&mut self, _: GetHoldings, _: &mut Self::Context) -> Self::Result {
        MessageResult(Holdings {
            legs: self.owners.len(),
            transactions: self.layer.transactions(),
            ..Holdings::default()
        })
    }
}
