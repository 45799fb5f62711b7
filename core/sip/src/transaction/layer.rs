//! All transactions of one shard.

pub(super) mod either;
mod refused;
mod undelivered;

use super::client_invite::{CancelWish, ClientInvite, Heard, Ticked};
use super::client_non_invite::ClientNonInvite;
use super::key::{Branches, server_key};
use super::server_invite::{Serve, ServerInvite};
use super::server_non_invite::ServerNonInvite;
use super::timer::{Timers, WakeQueue};
use super::{ClientTx, Input, Key, Misfit, Output, ServerTx};
use crate::flow::{Flow, Transport};
use crate::message::{Message, Request, Response};
use crate::method::Method;
use crate::parse_datagram;
use bytes::Bytes;
use plugboard_model::Time;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::time::Duration;

/// Transactions of one layer, both sides together. Over UDP a transaction lives for 32 s after its request, the BYE that
/// we send for 5 s, so a call leaves 101 seconds of them behind, and this serves 1,500 new calls a second for ever. One
/// that is answered keeps its last response, about 1 KB: only such a load takes the 150 MB. Past it, requests get a 503
/// without a transaction.
pub const TRANSACTIONS_MAX: usize = 150_000;

/// One in so many transactions is for requests within dialogs, calls for help and what calls that were let in need, so that
/// running calls can change and end while no new ones get in.
const RESERVE: usize = 8;

/// One in so many is for the first two of these alone: whom a call rings is up to who made it.
const LAST_RESERVE: usize = 16;

/// How long an INVITE may go without a word from its session, which says its progress each minute
/// (RFC 3261 section 13.3.1.1): past it the session is gone.
pub const INVITE_SILENCE: Duration = Duration::from_mins(5);

/// Settings of a [`Layer`].
#[derive(Debug, Clone)]
pub struct LayerSettings {
    /// The start of each branch, with the shard in it, as `z9hG4bK-s3-`: a response is sent to the shard by it.
    /// Token characters only.
    pub prefix: String,
    /// 32 random bytes: they make branches that nobody can guess, and that differ after a restart.
    pub key: [u8; 32],
    /// The timers.
    pub timers: Timers,
    /// How many transactions there may be, at most [`TRANSACTIONS_MAX`].
    pub transactions_max: usize,
}

/// All transactions of one shard. See the module's documentation.
#[derive(Debug)]
pub struct Layer {
    branches: Branches,
    timers: Timers,
    transactions_max: usize,
    clients: BTreeMap<ClientTx, Client>,
    /// The CANCELs of INVITEs: they share the branch (RFC 3261 section 9.1).
    cancels: BTreeMap<ClientTx, ClientNonInvite>,
    servers: BTreeMap<ServerTx, Server>,
    /// Only looked up, never walked: its order is no one's business.
    by_key: HashMap<Box<str>, ServerTx>,
    /// New INVITEs by [`Layer::merge_key`]. Only looked up as well.
    by_merge: HashMap<u64, ServerTx>,
    next_server: u64,
    wakes: WakeQueue<Key>,
    outbox: VecDeque<Output>,
}

#[derive(Debug)]
enum Client {
    Invite(Box<ClientInvite>),
    Other(ClientNonInvite),
}

#[derive(Debug)]
struct Server {
    key: Box<str>,
    merge: Option<u64>,
    /// Over what it came.
    from: Flow,
    /// Where its responses go (RFC 3261 section 18.2.2, RFC 3581).
    back: Flow,
    owner: Option<u64>,
    /// The CANCEL that came before the owner was known: he is told when he is.
    cancelled: Option<Box<Request>>,
    machine: ServerMachine,
}

#[derive(Debug)]
enum ServerMachine {
    Invite(ServerInvite),
    Other(ServerNonInvite),
}

impl Layer {
    /// A layer without transactions.
    pub fn new(settings: LayerSettings) -> Self {
        Self {
            branches: Branches::new(settings.prefix, settings.key),
            timers: settings.timers,
            transactions_max: settings.transactions_max.min(TRANSACTIONS_MAX),
            clients: BTreeMap::new(),
            cancels: BTreeMap::new(),
            servers: BTreeMap::new(),
            by_key: HashMap::new(),
            by_merge: HashMap::new(),
            next_server: 1,
            wakes: WakeQueue::new(),
            outbox: VecDeque::new(),
        }
    }

    /// Takes one input; read the effects with [`Layer::poll_output`].
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Received { message: Message::Request(request), flow } => self.on_request(now, request, flow, false),
            Input::CalledForHelp { request, flow } => self.on_request(now, request, flow, true),
            Input::Received { message: Message::Response(response), flow } => self.on_response(now, response, flow),
            Input::SendRequest { tx, request, flow } => self.send(now, (tx, request, flow), None, false),
            Input::SendEither { tx, request, flow, larger } => {
                self.send(now, (tx, request, flow), Some(larger), false);
            }
            Input::SendForHelp { tx, request, flow, larger } => self.send(now, (tx, request, flow), larger, true),
            Input::SendAck { tx, mut request, flow } => {
                self.push_via(&mut request, tx, flow);
                self.send_off(flow, request.to_bytes().into());
            }
            Input::Cancel { tx, reason } => self.cancel(now, tx, Some(CancelWish(reason))),
            Input::Abandon { tx } => self.cancel(now, tx, None),
            Input::Respond { tx, response } => self.respond(now, tx, &response),
            Input::Refuse { tx, response } => self.refuse(tx, response),
            Input::Ignore { tx } => drop(self.drop_server(tx)),
            Input::Repeat { tx } => self.with_server(tx, |server, _| match &server.machine {
                ServerMachine::Invite(machine) => machine.on_repeat_answer(),
                ServerMachine::Other(_) => Serve::Nothing,
            }),
            Input::Own { tx, owner } => {
                if let Some(server) = self.servers.get_mut(&tx) {
                    server.owner = Some(owner);
                    if let Some(request) = server.cancelled.take() {
                        self.outbox.push_back(Output::Cancelled { tx, owner: Some(owner), request: *request });
                    }
                }
            }
            Input::Failed { flow } => self.fail(now, flow),
            Input::Unsent { of } => self.fail_one(now, of),
            Input::Undelivered { to, quoted } => self.undelivered(now, to, &quoted),
            Input::Tick => self.tick(now),
        }
        let (clients, cancels, servers) = (&self.clients, &self.cancels, &self.servers);
        self.wakes.tidy(clients.len() + cancels.len() + servers.len(), |at, key| {
            wake_of(clients, cancels, servers, key) == Some(at)
        });
    }

    /// The next effect.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop_front()
    }

    /// When to call [`Layer::handle`] with [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        self.wakes.next()
    }

    /// How many transactions there are.
    pub fn transactions(&self) -> usize {
        self.clients.len() + self.cancels.len() + self.servers.len()
    }

    /// The start of each branch.
    pub fn prefix(&self) -> &str {
        self.branches.prefix()
    }

    /// Whether no call is let in by [`Input::Received`].
    pub fn is_full(&self) -> bool {
        self.has_only(RESERVE)
    }

    /// Whether no more is left than one place in so many.
    fn has_only(&self, share: usize) -> bool {
        let max = self.transactions_max;
        self.transactions() >= max - max / share
    }

    /// Whether there is no room for this request of a peer.
    fn is_full_for(&self, request: &Request, helps: bool) -> bool {
        self.transactions() >= self.transactions_max || (self.is_full() && !helps && !is_in_dialog(request))
    }

    /// The same for one of ours: whoever was let in may go on.
    fn is_full_for_ours(&self, request: &Request, helps: bool) -> bool {
        let room = self.transactions() < self.transactions_max;
        !room || (self.has_only(LAST_RESERVE) && !helps && !is_in_dialog(request))
    }

    /// Sends a message of a transaction.
    fn transmit(&mut self, of: Key, flow: Flow, bytes: Bytes) {
        self.outbox.push_back(Output::Transmit { of: Some(of), flow, bytes });
    }

    /// Sends a message that nobody waits for an answer to: an ACK, or the answer to what is forgotten.
    fn send_off(&mut self, flow: Flow, bytes: Bytes) {
        self.outbox.push_back(Output::Transmit { of: None, flow, bytes });
    }

    fn push_via(&self, request: &mut Request, tx: ClientTx, flow: Flow) {
        let (transport, branch) = (flow.transport.name(), self.branches.make(tx));
        request.headers.push_via(format!("SIP/2.0/{transport} {};branch={branch};rport", flow.local));
    }

    fn send_request(&mut self, now: Time, tx: ClientTx, mut request: Request, flow: Flow, helps: bool) {
        if self.is_full_for_ours(&request, helps) || self.clients.contains_key(&tx) {
            self.outbox.push_back(Output::Full { tx });
            return;
        }
        self.push_via(&mut request, tx, flow);
        let bytes = Bytes::from(request.to_bytes());
        let client = if request.method == Method::Invite {
            Client::Invite(Box::new(ClientInvite::new(now, &request, bytes.clone(), flow, &self.timers)))
        } else {
            Client::Other(ClientNonInvite::new(now, bytes.clone(), flow, &self.timers))
        };
        if let Some(at) = client.wake() {
            self.wakes.push(at, Key::Client(tx));
        }
        self.clients.insert(tx, client);
        self.transmit(Key::Client(tx), flow, bytes);
    }

    fn cancel(&mut self, now: Time, tx: ClientTx, wish: Option<CancelWish>) {
        let Some(Client::Invite(invite)) = self.clients.get_mut(&tx) else { return };
        let before = invite.wake();
        let ready = invite.on_cancel(now, wish, &self.timers);
        let after = invite.wake();
        self.rewake(Key::Client(tx), before, after);
        if let Some(wish) = ready {
            self.send_cancel(now, tx, wish);
        }
    }

    fn send_cancel(&mut self, now: Time, tx: ClientTx, wish: CancelWish) {
        let Some(Client::Invite(invite)) = self.clients.get(&tx) else { return };
        let (flow, bytes) = (invite.flow, Bytes::from(invite.cancel(wish).to_bytes()));
        // A CANCEL is let in past the limit: it frees transactions.
        let machine = ClientNonInvite::new(now, bytes.clone(), flow, &self.timers);
        self.wakes.push(machine.wake(), Key::Cancel(tx));
        self.cancels.insert(tx, machine);
        self.transmit(Key::Cancel(tx), flow, bytes);
    }

    fn on_response(&mut self, now: Time, response: Response, flow: Flow) {
        // Whoever parsed it has seen that it has both.
        let Ok(via) = response.headers.top_via() else { return };
        let Ok(method) = response.headers.cseq().map(|cseq| cseq.method) else { return };
        let Some(tx) = via.branch().and_then(|branch| self.branches.read(branch)) else {
            return self.misfit(Misfit::Unasked, method, flow);
        };
        if method == Method::Cancel {
            let Some(machine) = self.cancels.get_mut(&tx) else { return self.misfit(Misfit::Unasked, method, flow) };
            let before = machine.wake();
            // The answer to CANCEL says nothing: that to the INVITE does.
            machine.on_response(now, &response, &self.timers);
            let after = machine.wake();
            return self.rewake(Key::Cancel(tx), Some(before), Some(after));
        }
        let Some(client) = self.clients.get_mut(&tx) else {
            if method == Method::Invite && response.is_success() {
                return self.outbox.push_back(Output::Stray { tx, response, flow });
            }
            return self.misfit(Misfit::Unasked, method, flow);
        };
        let before = client.wake();
        let (heard, to) = match client {
            Client::Invite(invite) if method == Method::Invite => {
                (invite.on_response(now, &response, &self.timers), invite.flow)
            }
            Client::Other(other) if method != Method::Invite => {
                let pass = other.on_response(now, &response, &self.timers);
                (if pass { Heard::Pass } else { Heard::Absorb }, other.flow)
            }
            Client::Invite(_) | Client::Other(_) => return self.misfit(Misfit::Unasked, method, flow),
        };
        let after = client.wake();
        self.rewake(Key::Client(tx), before, after);
        match heard {
            Heard::Pass => self.outbox.push_back(Output::Response { tx, response, flow }),
            Heard::PassAndCancel(wish) => {
                self.outbox.push_back(Output::Response { tx, response, flow });
                self.send_cancel(now, tx, wish);
            }
            Heard::PassAndAck(ack) => {
                self.send_off(to, ack);
                self.outbox.push_back(Output::Response { tx, response, flow });
            }
            Heard::Ack(ack) => self.send_off(to, ack),
            Heard::Absorb => {}
        }
    }

    fn on_request(&mut self, now: Time, mut request: Request, flow: Flow, helps: bool) {
        let sought = if request.method == Method::Ack { Method::Invite } else { request.method.clone() };
        let Some(key) = server_key(&request, &sought) else { return self.answer_nameless(request, flow) };
        let found = self.by_key.get(&key).copied();
        if request.method == Method::Ack {
            return self.on_ack(now, found, &key, request, flow);
        }
        if let Some(tx) = found {
            return self.with_server(tx, |server, _| match &mut server.machine {
                ServerMachine::Invite(machine) => machine.on_repeat(now, INVITE_SILENCE),
                ServerMachine::Other(machine) => machine.on_repeat(),
            });
        }
        let cancelled = if request.method == Method::Cancel {
            server_key(&request, &Method::Invite).and_then(|key| self.by_key.get(&key).copied())
        } else {
            None
        };
        request.headers.mark_received(flow.remote);
        let back = response_flow(&request, flow);
        if request.method == Method::Cancel && cancelled.is_none() {
            return self.turn_away(Misfit::NothingToCancel, request, &key, (flow, back));
        }
        // A CANCEL is let in past the limit: there is one for an INVITE at most, and it frees transactions.
        if cancelled.is_none() && self.is_full_for(&request, helps) {
            return self.turn_away(Misfit::NoRoom, request, &key, (flow, back));
        }
        let merge = self.merge_key(&request);
        if merge.is_some_and(|merge| self.is_served(merge)) {
            return self.turn_away(Misfit::Merged, request, &key, (flow, back));
        }
        let tx = ServerTx(self.next_server);
        self.next_server += 1;
        let reliable = flow.transport.is_reliable();
        let machine = if request.method == Method::Invite {
            let trying = Response::to_request(&request, 100);
            ServerMachine::Invite(ServerInvite::new(now, trying.to_bytes().into(), reliable))
        } else {
            ServerMachine::Other(ServerNonInvite::new(now, reliable, &self.timers))
        };
        let server = Server { key: key.clone(), merge, from: flow, back, owner: None, cancelled: None, machine };
        self.wakes.push(server.wake(), Key::Server(tx));
        self.by_key.insert(key, tx);
        if let Some(merge) = merge {
            self.by_merge.insert(merge, tx);
        }
        self.servers.insert(tx, server);
        match cancelled {
            Some(invite) => self.on_cancel(now, tx, invite, request),
            None => self.outbox.push_back(Output::Request { tx, request, flow }),
        }
    }

    /// Over what the request of this transaction came, and whether it is an INVITE that opens a call. `None` when it is over.
    pub fn asked_by(&self, tx: ServerTx) -> Option<(Flow, bool)> {
        self.servers.get(&tx).map(|server| (server.from, server.merge.is_some()))
    }

    /// What a new INVITE has in common with its copies that came another way: From tag, Call-ID, number, and whom it is
    /// for, since a proxy in front of us may fork to several users of ours (RFC 3261 section 8.2.2.2).
    fn merge_key(&self, request: &Request) -> Option<u64> {
        if request.method != Method::Invite || is_in_dialog(request) {
            return None;
        }
        let headers = &request.headers;
        let from = headers.from().ok()?;
        let parts = (from.tag(), headers.call_id().ok()?, headers.cseq().ok()?.number, request.uri.user());
        Some(self.by_merge.hasher().hash_one(parts))
    }

    /// Whether the same INVITE is being served, or was answered. One that was refused may be tried again.
    fn is_served(&self, merge: u64) -> bool {
        let server = self.by_merge.get(&merge).and_then(|tx| self.servers.get(tx));
        server.is_some_and(|server| match &server.machine {
            ServerMachine::Invite(machine) => !machine.is_refused(),
            ServerMachine::Other(_) => false,
        })
    }

    /// Answers a CANCEL: 200, since its INVITE is known, however far it is (RFC 3261 section 9.2).
    fn on_cancel(&mut self, now: Time, tx: ServerTx, invite: ServerTx, request: Request) {
        let told = match self.servers.get(&invite) {
            Some(Server { machine: ServerMachine::Invite(machine), owner, .. }) if machine.is_open() => {
                Some((invite, *owner))
            }
            Some(_) | None => None,
        };
        let tag = self.branches.tag(request.headers.call_id().unwrap_or_default());
        self.respond(now, tx, &Response::to_request_tagged(&request, 200, &tag));
        if let Some((tx, owner)) = told {
            if let Some(server) = self.servers.get_mut(&tx).filter(|_| owner.is_none()) {
                server.cancelled = Some(Box::new(request.clone()));
            }
            self.outbox.push_back(Output::Cancelled { tx, owner, request });
        }
    }

    fn on_ack(&mut self, now: Time, found: Option<ServerTx>, key: &str, request: Request, flow: Flow) {
        let Some(tx) = found else {
            self.outbox.push_back(Output::Ack { request, flow });
            return;
        };
        let legacy = key.starts_with("2543 ");
        let Some(server) = self.servers.get_mut(&tx) else { return };
        let ServerMachine::Invite(machine) = &mut server.machine else { return };
        let before = machine.wake();
        let to_tag = request.headers.to().ok().and_then(|to| to.tag());
        let serve = machine.on_ack(now, to_tag, legacy, &self.timers);
        let after = machine.wake();
        self.rewake(Key::Server(tx), Some(before), Some(after));
        if serve == Serve::PassAck {
            self.outbox.push_back(Output::Ack { request, flow });
        }
    }

    fn respond(&mut self, now: Time, tx: ServerTx, response: &Response) {
        let bytes = Bytes::from(response.to_bytes());
        let to_tag = response.headers.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        self.with_server(tx, |server, timers| match &mut server.machine {
            ServerMachine::Invite(machine) => {
                machine.on_respond(now, response.status, to_tag, bytes, INVITE_SILENCE, timers)
            }
            ServerMachine::Other(machine) => machine.on_respond(now, response.status, bytes, timers),
        });
    }

    /// Answers and forgets.
    fn refuse(&mut self, tx: ServerTx, mut response: Response) {
        let Some(server) = self.drop_server(tx) else { return };
        response.headers.set_to_tag(&self.branches.tag(&server.key));
        self.send_off(server.back, response.to_bytes().into());
    }

    /// Lets a server transaction do something, and does what it wants.
    fn with_server(&mut self, tx: ServerTx, act: impl FnOnce(&mut Server, &Timers) -> Serve) {
        let Some(server) = self.servers.get_mut(&tx) else { return };
        let before = server.wake();
        let serve = act(server, &self.timers);
        let (after, back, owner) = (server.wake(), server.back, server.owner);
        match serve {
            Serve::Nothing | Serve::PassAck => {}
            Serve::Send(bytes) => self.transmit(Key::Server(tx), back, bytes),
            Serve::Over => return drop(self.drop_server(tx)),
            Serve::Abandoned => {
                self.drop_server(tx);
                self.outbox.push_back(Output::Lost { tx, owner });
                return;
            }
        }
        self.rewake(Key::Server(tx), Some(before), Some(after));
    }

    fn drop_server(&mut self, tx: ServerTx) -> Option<Server> {
        let server = self.servers.remove(&tx)?;
        self.by_key.remove(&server.key);
        // A copy that came after a refusal has taken its place.
        if let Some(merge) = server.merge
            && self.by_merge.get(&merge) == Some(&tx)
        {
            self.by_merge.remove(&merge);
        }
        Some(server)
    }

    fn rewake(&mut self, key: Key, before: Option<Time>, after: Option<Time>) {
        if let Some(at) = after
            && before != after
        {
            self.wakes.push(at, key);
        }
    }

    fn tick(&mut self, now: Time) {
        while let Some((at, key)) = self.wakes.pop_due(now) {
            if wake_of(&self.clients, &self.cancels, &self.servers, key) != Some(at) {
                continue;
            }
            match key {
                Key::Client(tx) => self.tick_client(now, tx),
                Key::Cancel(tx) => self.tick_cancel(now, tx),
                Key::Server(tx) => self.with_server(tx, |server, timers| match &mut server.machine {
                    ServerMachine::Invite(machine) => machine.on_tick(now, INVITE_SILENCE, timers),
                    ServerMachine::Other(machine) => machine.on_tick(now),
                }),
            }
        }
    }

    fn tick_client(&mut self, now: Time, tx: ClientTx) {
        let Some(client) = self.clients.get_mut(&tx) else { return };
        let before = client.wake();
        if client.is_way_back_due(now)
            && let Some((way, cancel)) = client.way_back()
        {
            self.clients.remove(&tx);
            return self.send_back(now, tx, way, cancel);
        }
        let (ticked, flow) = match client {
            Client::Invite(invite) => (invite.on_tick(now), invite.flow),
            Client::Other(other) => (other.on_tick(now, &self.timers), other.flow),
        };
        let after = client.wake();
        match ticked {
            Ticked::Wait => {}
            Ticked::Send(bytes) => self.transmit(Key::Client(tx), flow, bytes),
            Ticked::Timeout => {
                self.clients.remove(&tx);
                self.outbox.push_back(Output::Timeout { tx });
            }
            Ticked::Over => drop(self.clients.remove(&tx)),
        }
        self.rewake(Key::Client(tx), before, after);
    }

    fn tick_cancel(&mut self, now: Time, tx: ClientTx) {
        let Some(machine) = self.cancels.get_mut(&tx) else { return };
        let before = machine.wake();
        let (ticked, flow) = (machine.on_tick(now, &self.timers), machine.flow);
        let after = machine.wake();
        match ticked {
            Ticked::Wait => {}
            Ticked::Send(bytes) => self.transmit(Key::Cancel(tx), flow, bytes),
            Ticked::Timeout | Ticked::Over => drop(self.cancels.remove(&tx)),
        }
        self.rewake(Key::Cancel(tx), Some(before), Some(after));
    }

    /// Ends the transactions of a flow. Walks over all of them: connections break seldom.
    fn fail(&mut self, now: Time, flow: Flow) {
        // Connection 0 asked for any to that address, and this was it.
        let same = |other: Flow| {
            other.transport == flow.transport
                && other.remote == flow.remote
                && (other.connection == flow.connection || other.connection == 0)
        };
        let (mut waiting, mut back) = (Vec::new(), Vec::new());
        self.clients.retain(|tx, client| {
            let gone = same(client.flow());
            if let (true, Some((way, cancel))) = (gone, client.way_back()) {
                back.push((*tx, way, cancel));
            } else if gone && client.is_waiting() {
                waiting.push(Output::TransportError { tx: *tx });
            }
            !gone
        });
        self.cancels.retain(|_, machine| !same(machine.flow));
        let gone = self.servers.iter().filter(|(_, server)| same(server.from) || same(server.back));
        for tx in gone.map(|(tx, _)| *tx).collect::<Vec<_>>() {
            waiting.extend(self.lose_server(tx));
        }
        self.outbox.extend(waiting);
        for (tx, way, cancel) in back {
            self.send_back(now, tx, way, cancel);
        }
    }

    /// Ends the transaction whose message could not be sent (RFC 3261 sections 17.1.4 and 17.2.4).
    fn fail_one(&mut self, now: Time, of: Key) {
        match of {
            Key::Client(tx) => {
                if self.clients.remove(&tx).is_some_and(|client| client.is_waiting()) {
                    self.outbox.push_back(Output::TransportError { tx });
                }
            }
            // Its INVITE, which is told of anyway, gives up in time.
            Key::Cancel(tx) => drop(self.cancels.remove(&tx)),
            Key::Server(tx) => self.refuse_barely(now, tx),
        }
    }

    /// A response could not be sent. Who waits for the answer to an INVITE is refused by one that has nothing but what it
    /// needs, if that is shorter; his owner is told that the INVITE is lost, since not even a 2xx has reached the peer.
    fn refuse_barely(&mut self, now: Time, tx: ServerTx) {
        let Some(server) = self.servers.get_mut(&tx) else { return };
        let ServerMachine::Invite(machine) = &mut server.machine else { return drop(self.drop_server(tx)) };
        let lost = (!machine.is_refused()).then_some(Output::Lost { tx, owner: server.owner });
        let tag = self.branches.tag(&server.key);
        let refusal = machine.last().and_then(|last| bare_refusal(last, &tag));
        self.outbox.extend(lost);
        let Some((to_tag, bytes)) = refusal else { return drop(self.drop_server(tx)) };
        let before = machine.wake();
        machine.refuse(now, &to_tag, bytes.clone(), &self.timers);
        let (after, back) = (machine.wake(), server.back);
        self.rewake(Key::Server(tx), Some(before), Some(after));
        self.transmit(Key::Server(tx), back, bytes);
    }

    /// Drops a server transaction; what its owner is told of it.
    fn lose_server(&mut self, tx: ServerTx) -> Option<Output> {
        let Server { machine: ServerMachine::Invite(machine), owner, .. } = self.drop_server(tx)? else { return None };
        machine.is_open().then_some(Output::Lost { tx, owner })
    }
}

impl Client {
    fn wake(&self) -> Option<Time> {
        match self {
            Self::Invite(invite) => invite.wake(),
            Self::Other(other) => Some(other.wake()),
        }
    }

    /// What is left to try when its flow fails, and whether it is to be given up all the same.
    fn way_back(&mut self) -> Option<(either::WayBack, Option<CancelWish>)> {
        match self {
            Self::Invite(invite) => invite.way_back(),
            Self::Other(_) => None,
        }
    }

    fn is_way_back_due(&self, now: Time) -> bool {
        match self {
            Self::Invite(invite) => invite.is_way_back_due(now),
            Self::Other(_) => false,
        }
    }

    fn flow(&self) -> Flow {
        match self {
            Self::Invite(invite) => invite.flow,
            Self::Other(other) => other.flow,
        }
    }

    fn is_waiting(&self) -> bool {
        match self {
            Self::Invite(invite) => invite.is_waiting(),
            Self::Other(other) => other.is_waiting(),
        }
    }
}

impl Server {
    fn wake(&self) -> Time {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.wake(),
            ServerMachine::Other(machine) => machine.wake(),
        }
    }
}

/// Whether it belongs to a dialog, or says that it does.
fn is_in_dialog(request: &Request) -> bool {
    request.headers.to().is_ok_and(|to| to.tag().is_some())
}

/// When a transaction wants to be woken; `None` when it is gone or wants nothing.
fn wake_of(
    clients: &BTreeMap<ClientTx, Client>,
    cancels: &BTreeMap<ClientTx, ClientNonInvite>,
    servers: &BTreeMap<ServerTx, Server>,
    key: Key,
) -> Option<Time> {
    match key {
        Key::Client(tx) => clients.get(&tx).and_then(Client::wake),
        Key::Cancel(tx) => cancels.get(&tx).map(ClientNonInvite::wake),
        Key::Server(tx) => servers.get(&tx).map(Server::wake),
    }
}

/// A 500 in place of this response, with its To tag: the headers that every response has (RFC 3261 section 8.2.6.2) and
/// no more. `None` when it is no shorter.
fn bare_refusal(response: &[u8], tag: &str) -> Option<(Box<str>, Bytes)> {
    let Ok(Message::Response(whole)) = parse_datagram(response) else { return None };
    let mut bare = Response::new(500);
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        bare.headers.copy_from(&whole.headers, name);
    }
    bare.headers.set_to_tag(tag);
    let to_tag = bare.headers.to().ok()?.tag()?.into();
    let bytes = Bytes::from(bare.to_bytes());
    (bytes.len() < response.len()).then_some((to_tag, bytes))
}

/// Where the responses to a request go: back over its connection; over UDP to its source address, and there to the
/// source port if the client asked for that (`rport`), else to the port of its Via. `maddr` is not followed: it
/// would let anybody aim our responses at anybody.
///
/// Source: RFC 3261 section 18.2.2, RFC 3581 section 4.
fn response_flow(request: &Request, flow: Flow) -> Flow {
    match flow.transport {
        Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => flow,
        Transport::Udp => match request.headers.top_via() {
            Ok(via) if via.rport().is_none() => {
                Flow { remote: SocketAddr::new(flow.remote.ip(), via.port.unwrap_or(5060)), ..flow }
            }
            Ok(_) | Err(_) => flow,
        },
    }
}

#[cfg(test)]
mod tests;
