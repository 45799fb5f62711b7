//! The user agent in a phone: transactions, dialogs and registrations as small as they can be, and its own.
//!
//! It shares the message type with the switch and nothing above it, so that a fault there has no twin here.

mod answered;
mod called;
mod events;
mod images;
mod registrar;
mod reliable;
mod timer;

use bytes::Bytes;
use plugboard_media::{Codec, Suite, g711::Law};
use plugboard_model::Time;
use plugboard_sip::flow::Transport;
use plugboard_sip::{Message, Method, Request, RequestUri, parse_datagram};
use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::call::{Call, Cancel, HOME, Image, Stage};
use super::digest::Account;
use super::resend::{Due, Resends, What};
use super::secrecy::{Encrypts, Secrecy};
use super::voice::{self, Voice};
use crate::network::{Network, Packet, Payload};
use crate::sound::Sounds;

/// What a phone takes that takes UPDATE.
pub(crate) const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, UPDATE, NOTIFY";

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Register,
    Invite(usize),
    Reinvite(usize),
    Refer(usize),
    Prack(usize),
    Subscribe(usize),
    Publish,
    Bye,
    Said,
}

/// A request of ours.
#[derive(Debug)]
struct Client {
    request: Request,
    to: SocketAddr,
    purpose: Purpose,
    /// It has its final response.
    over: bool,
    /// It answers a challenge already.
    answers: bool,
}

/// What a phone does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It rings, and waits for a person.
    Rings,
    /// It says nothing, and waits for a person.
    Quiet,
    /// It refuses every call with this status.
    Refuses(u16),
    /// Its plug is out.
    Unplugged,
}

/// The state of a phone.
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own, which a story sets alone")]
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) account: Option<Account>,
    pub(crate) manner: Manner,
    /// The connection that it speaks over, if it has one.
    pub(crate) connection: Option<(Transport, u64)>,
    /// The one that the switch opens: what comes over it is answered over it.
    pub(crate) listens: Option<u64>,
    pub(crate) codecs: Vec<Codec>,
    /// It answers sender reports.
    pub(crate) reports: bool,
    /// It knows no telephone-event.
    pub(crate) tones: bool,
    /// It describes itself as browsers do.
    pub(crate) browser: bool,
    /// What it does about encryption, with what.
    pub(crate) encrypts: (Encrypts, Suite),
    /// It names another certificate than it shows.
    pub(crate) lies: bool,
    /// Its descriptions name an address that nobody but its NAT knows.
    pub(crate) behind_nat: bool,
    /// Nor does anybody else know the address of its Contact.
    pub(crate) at_home: bool,
    /// Its INVITEs bring an offer.
    offers: bool,
    /// More headers of its REGISTERs, and what follows its Contact there.
    pub(crate) registers_with: (Vec<(String, String)>, String),
    /// More in the URI of its contact.
    pub(crate) uri_params: String,
    /// It says that it takes UPDATE.
    pub(crate) allows: bool,
    /// Its own provisional responses are to be acknowledged, where the caller can.
    pub(crate) reliable: bool,
    /// It acknowledges those of others.
    pub(crate) pracks: bool,
    /// How long its sessions are, in seconds, and whether it keeps them alive itself (RFC 4028).
    pub(crate) timer: Option<(u32, bool)>,
    /// It takes none that is shorter.
    pub(crate) min_se: u32,
    /// It refuses an INVITE that crosses its own.
    pub(crate) minds: bool,
    /// The next INVITE takes the place of this dialog.
    replaces: Option<String>,
    pub(crate) calls: Vec<Call>,
    /// Every request that came, as text, those that came twice twice.
    pub(crate) requests: Vec<String>,
    /// The warnings of all refusals that came, the oldest first.
    pub(crate) warnings: Vec<String>,
    /// When it was told to try again, likewise.
    pub(crate) waits: Vec<String>,
    /// The status of the last answer to REGISTER, and the Contacts that it names.
    pub(crate) registered: Option<(u16, usize)>,
    /// When each sound was heard last.
    pub(crate) heard: BTreeMap<String, Time>,
    /// How many packets came of each sound.
    pub(crate) packets: BTreeMap<String, u64>,
    /// What it asks of those who call it or register with it.
    pub(crate) demands: Option<Account>,
    /// The status that it answers OPTIONS with.
    pub(crate) options: u16,
    /// The Contact that is registered with it.
    pub(crate) contact_held: Option<String>,
    /// Headers of its INVITEs beside the usual ones.
    pub(crate) says: Vec<(String, String)>,
    /// Headers of its provisional responses beside the usual ones.
    pub(crate) says_early: Vec<(String, String)>,
    /// Whom its 3xx name.
    pub(crate) others: Vec<String>,
    /// Keys that came as telephone events.
    pub(crate) keys: String,
    /// What it watches.
    pub(crate) watched: Vec<events::Watching>,
    /// The status that it answers NOTIFY with.
    pub(crate) notifies: u16,
    /// The status of the last answer to PUBLISH, and its entity tag.
    pub(crate) published: Option<(u16, String)>,
    pub(crate) published_cseq: u32,
    network: Network,
    sounds: Sounds,
    registration_cseq: u32,
    names: u64,
    clients: BTreeMap<String, Client>,
    served: BTreeMap<(String, String), (SocketAddr, Bytes)>,
    resends: Resends,
    last_key: Option<u32>,
}

impl Agent {
    pub(crate) fn new(
        name: &str,
        address: SocketAddr,
        account: Option<Account>,
        network: Network,
        sounds: Sounds,
    ) -> Self {
        network.name(address, name);
        // Asked for now, so that marks are given in the order in which the story names its people.
        let _ = sounds.mark(name);
        Self {
            name: name.to_owned(),
            address,
            account,
            manner: Manner::Rings,
            connection: None,
            listens: None,
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            reports: false,
            tones: false,
            browser: false,
            encrypts: (Encrypts::Never, Suite::AesCm128HmacSha1_80),
            lies: false,
            behind_nat: false,
            at_home: false,
            offers: true,
            registers_with: (Vec::new(), String::new()),
            uri_params: String::new(),
            allows: false,
            reliable: false,
            pracks: true,
            timer: None,
            min_se: 0,
            minds: false,
            replaces: None,
            calls: Vec::new(),
            requests: Vec::new(),
            warnings: Vec::new(),
            waits: Vec::new(),
            registered: None,
            heard: BTreeMap::new(),
            packets: BTreeMap::new(),
            demands: None,
            options: 200,
            contact_held: None,
            says: Vec::new(),
            others: Vec::new(),
            says_early: Vec::new(),
            keys: String::new(),
            watched: Vec::new(),
            notifies: 200,
            published: None,
            published_cseq: 0,
            network,
            sounds,
            registration_cseq: 0,
            names: 0,
            clients: BTreeMap::new(),
            served: BTreeMap::new(),
            resends: Resends::default(),
            last_key: None,
        }
    }

    // ---- what a person does ---------------------------------------------------------------------------------

    pub(crate) fn register(&mut self, now: Time, expires: u32) {
        self.registered = None;
        let Some(account) = self.account.clone() else { return };
        self.registration_cseq += 1;
        let (domain, of_record) =
            (format!("sip:{}", account.domain), format!("<sip:{}@{}>", account.user, account.domain));
        let mut request = request(Method::Register, &domain);
        let (call_id, tag) = (format!("register@{}", self.name), self.name.clone());
        request.headers.push("From", format!("{of_record};tag={tag}"));
        request.headers.push("To", of_record);
        request.headers.push("Call-ID", call_id);
        request.headers.push("CSeq", format!("{} REGISTER", self.registration_cseq));
        let (more, params) = &self.registers_with;
        request.headers.push("Contact", format!("{}{params}", self.contact()));
        request.headers.push("Expires", expires.to_string());
        for (name, value) in more {
            request.headers.push(name, value.as_str());
        }
        let switch = self.network.switch(self.address.ip());
        self.send_request(now, request, switch, Purpose::Register, false);
    }

    /// Calls a number; the call's place in `calls`.
    pub(crate) fn dial(&mut self, now: Time, number: &str) -> usize {
        let (domain, own) = match &self.account {
            Some(account) => (account.domain.clone(), format!("<sip:{}@{}>", account.user, account.domain)),
            None => {
                (self.network.switch(self.address.ip()).to_string(), format!("<sip:{}@{}>", self.name, self.address))
            }
        };
        self.dial_as(now, number, &domain, &own)
    }

    pub(crate) fn dial_as(&mut self, now: Time, number: &str, domain: &str, own: &str) -> usize {
        self.dial_at(now, &format!("sip:{number}@{domain}"), &format!("<sip:{number}@{domain}>"), own)
    }

    /// Calls an address, for somebody.
    pub(crate) fn dial_at(&mut self, now: Time, target: &str, to: &str, own: &str) -> usize {
        let (target, to) = (target.to_owned(), to.to_owned());
        let index = self.calls.len();
        let (local, id) =
            (format!("{own};tag={}-{index}", self.name), format!("{}-{index}@{}", self.name, self.address.ip()));
        let invite = request(Method::Invite, &target);
        let call = self.new_call(index, id, local, to, target, self.network.switch(self.address.ip()), invite);
        self.calls.push(call);
        let mut invite = self.request_of(index, Method::Invite);
        self.push_timer(&mut invite.headers);
        for (name, value) in &self.says {
            invite.headers.push(name, value.as_str());
        }
        if let Some(replaces) = self.replaces.take() {
            invite.headers.push("Replaces", replaces);
        }
        let offers = self.offers;
        if let Some(call) = self.calls.get_mut(index) {
            if offers {
                invite.headers.push("Content-Type", "application/sdp");
                invite.body = call.description().into_bytes();
            }
            call.invite = invite.clone();
        }
        let switch = self.network.switch(self.address.ip());
        self.send_request(now, invite, switch, Purpose::Invite(index), false);
        index
    }

    pub(crate) fn dial_without_offer(&mut self, now: Time, number: &str) {
        self.offers = false;
        self.dial(now, number);
        self.offers = true;
    }

    pub(crate) fn answer(&mut self, now: Time, index: usize) {
        let Some(call) = self.calls.get_mut(index).filter(|call| call.stage == Stage::Ringing) else { return };
        call.stage = Stage::Up;
        call.voice.start(now);
        self.answer_invite(now, index, 200, true);
    }

    /// Says how far it is before it answers.
    pub(crate) fn progress(&mut self, now: Time, index: usize, status: u16, described: bool) {
        let Some(call) = self.calls.get_mut(index).filter(|call| call.stage == Stage::Ringing) else { return };
        if described && status == 183 {
            call.voice.start(now);
        }
        self.answer_invite(now, index, status, described);
    }

    pub(crate) fn refuse(&mut self, now: Time, index: usize, status: u16) {
        let Some(call) = self.calls.get_mut(index).filter(|call| call.stage == Stage::Ringing) else { return };
        call.over(status);
        self.answer_invite(now, index, status, false);
    }

    pub(crate) fn hang_up(&mut self, now: Time, index: usize) {
        let Some(call) = self.calls.get_mut(index) else { return };
        match call.stage {
            Stage::Calling(0) => call.cancel = Cancel::Wanted,
            Stage::Calling(_) => self.cancel(now, index),
            Stage::Ringing => self.refuse(now, index, 480),
            Stage::Up => {
                call.over(200);
                self.bye(now, index);
            }
            Stage::Over(_) => {}
        }
    }

    pub(crate) fn press(&mut self, index: usize, keys: &str) {
        if let Some(call) = self.calls.get_mut(index) {
            call.voice.press(keys);
        }
    }

    /// Offers a new direction.
    pub(crate) fn reinvite(&mut self, now: Time, index: usize, direction: &'static str) {
        let Some(call) = self.calls.get_mut(index).filter(|call| call.stage == Stage::Up) else { return };
        (call.direction, call.reinvited) = (direction, None);
        let body = call.description().into_bytes();
        let peer = call.peer;
        let mut invite = self.request_of(index, Method::Invite);
        self.push_timer(&mut invite.headers);
        invite.headers.push("Content-Type", "application/sdp");
        invite.body = body;
        self.send_request(now, invite, peer, Purpose::Reinvite(index), false);
    }

    /// Calls a number in place of this dialog.
    pub(crate) fn dial_in_place(&mut self, now: Time, number: &str, replaces: String) {
        self.replaces = Some(replaces);
        self.dial(now, number);
    }

    /// Wants the switch to call this target in our place.
    pub(crate) fn refer(&mut self, now: Time, index: usize, target: &str) {
        let Some(call) = self.calls.get_mut(index).filter(|call| call.stage == Stage::Up) else { return };
        (call.referred, call.told) = (None, Vec::new());
        let peer = call.peer;
        let mut refer = self.request_of(index, Method::Refer);
        refer.headers.push("Refer-To", target);
        self.send_request(now, refer, peer, Purpose::Refer(index), false);
    }

    /// Offers a new direction by UPDATE.
    pub(crate) fn update(&mut self, now: Time, index: usize, direction: &'static str) {
        let Some(call) = self.calls.get_mut(index).filter(|call| call.stage == Stage::Up) else { return };
        (call.direction, call.reinvited) = (direction, None);
        let (body, peer) = (call.description().into_bytes(), call.peer);
        let mut update = self.request_of(index, Method::Update);
        update.headers.push("Content-Type", "application/sdp");
        update.body = body;
        self.send_request(now, update, peer, Purpose::Reinvite(index), false);
    }

    /// Something that nobody has to do anything about.
    pub(crate) fn say_within(&mut self, now: Time, index: usize, method: &str, (kind, body): (&str, &str)) {
        let Some(peer) = self.calls.get(index).filter(|call| call.stage == Stage::Up).map(|call| call.peer) else {
            return;
        };
        let mut request = self.request_of(index, Method::from_token(method));
        if !body.is_empty() {
            request.headers.push("Content-Type", kind);
            request.body = body.replace('\n', "\r\n").into_bytes();
        }
        self.send_request(now, request, peer, Purpose::Said, false);
    }

    /// Wants an offer, which the ACK answers.
    pub(crate) fn ask_for_offer(&mut self, now: Time, index: usize) {
        let Some(call) = self.calls.get_mut(index).filter(|call| call.stage == Stage::Up) else { return };
        call.reinvited = None;
        let peer = call.peer;
        let invite = self.request_of(index, Method::Invite);
        self.send_request(now, invite, peer, Purpose::Reinvite(index), false);
    }

    /// Pulls the plug, or puts it in again. What was under way is forgotten by the phone, not by its peers.
    pub(crate) fn set_manner(&mut self, manner: Manner) {
        self.manner = manner;
        if manner == Manner::Unplugged {
            self.resends.clear();
            for call in &mut self.calls {
                call.over(0);
            }
        }
    }

    pub(crate) fn is_salted(&self) {
        self.network.salt(self.address, &self.name);
    }

    pub(crate) fn salt_found(&self) -> Vec<String> {
        self.network.salt_found()
    }

    // ---- what comes -----------------------------------------------------------------------------------------

    pub(crate) fn received(&mut self, now: Time, from: SocketAddr, bytes: &Bytes) {
        if self.manner == Manner::Unplugged {
            return;
        }
        match parse_datagram(bytes) {
            Ok(Message::Request(request)) => {
                if let Some(connection) = self.listens {
                    let over = request.headers.top_via().ok().and_then(|via| Transport::of_name(via.transport));
                    self.connection = (over == Some(Transport::Tcp)).then_some((Transport::Tcp, connection));
                }
                self.requests.push(String::from_utf8_lossy(bytes).into_owned());
                self.request(now, from, &request);
            }
            Ok(Message::Response(response)) => self.response(now, &response),
            Err(fault) => panic!("{} got what is no SIP ({fault}): {bytes:?}", self.name),
        }
    }

    /// Answers a sender report at once, as a phone does that hears all of it (RFC 3550 section 6.4.2).
    fn report(&self, to: SocketAddr, packet: &[u8]) {
        let is_ours = |call: &&Call| call.voice.local.port() + 1 == to.port() && !call.is_over();
        let Some(remote) = self.calls.iter().find(is_ours).and_then(|call| call.voice.remote) else { return };
        let (Some(200), Some(whose), Some(time)) = (packet.get(1), packet.get(4..8), packet.get(10..14)) else {
            return;
        };
        let mut report = vec![0x81, 201, 0, 7, 0, 0, 0, 9];
        report.extend(whose);
        report.extend([0; 12]);
        // The middle of its time, and that none has passed since.
        report.extend(time);
        report.extend([0; 4]);
        let rtcp = SocketAddr::new(remote.ip(), remote.port() + 1);
        self.network.send(Packet { from: to, to: rtcp, payload: Payload::Rtp(report) });
    }

    pub(crate) fn heard(&mut self, now: Time, to: SocketAddr, packet: &[u8]) {
        if self.reports {
            self.report(to, packet);
        }
        let Some(call) = self.calls.iter_mut().find(|call| call.voice.local == to && !call.is_over()) else { return };
        let Some(packet) = call.secrecy.open(now, packet) else { return };
        if call.image == Image::Speaks {
            if let Some(fax) = &mut call.voice.fax {
                fax.takes(&packet);
            }
            return;
        }
        let Some((payload_type, payload)) = voice::open(&packet) else { return };
        let (codec, law) = match payload_type {
            0 => (Codec::Pcmu, Law::Mu),
            8 => (Codec::Pcma, Law::A),
            // What it says in G.722 is its mark as it is: whoever unpacks that hears noise.
            9 => (Codec::G722, Law::Mu),
            voice::KEYS => return self.heard_key(&packet, payload),
            other => panic!("{} hears payload type {other}, which nobody agreed on", self.name),
        };
        assert!(call.codecs.contains(&codec), "{} does not speak {codec:?}", self.name);
        if let Some(fax) = &mut call.voice.fax {
            fax.hears(law, payload);
        }
        if let Some(name) = self.sounds.name(law, payload) {
            self.heard.insert(name.clone(), now);
            *self.packets.entry(name).or_default() += 1;
        }
    }

    fn heard_key(&mut self, packet: &[u8], payload: &[u8]) {
        let since = packet.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
        if let Some(key) = voice::ended_key(payload).filter(|_| self.last_key != since) {
            self.last_key = since;
            self.keys.push(key);
        }
    }

    pub(crate) fn tick(&mut self, now: Time) {
        while let Some(due) = self.resends.due(now) {
            match due {
                Due::Send(to, bytes) => self.send(to, bytes.into()),
                Due::GaveUp(what) => self.gave_up(now, &what),
            }
        }
        let mut packets = Vec::new();
        for call in &mut self.calls {
            let from = call.voice.local;
            while let Some((to, packet)) = call.voice.tick(now) {
                let packet = call.secrecy.seal(now, packet);
                packets.extend(packet.map(|packet| Packet { from, to, payload: Payload::Rtp(packet) }));
            }
            if let Some(to) = call.voice.remote.filter(|_| !call.is_over()) {
                let datagrams = call.secrecy.tick(now).into_iter();
                packets.extend(datagrams.map(|datagram| Packet { from, to, payload: Payload::Rtp(datagram) }));
            }
        }
        for packet in packets {
            self.network.send(packet);
        }
    }

    pub(crate) fn next(&self) -> Option<Time> {
        let voices = self.calls.iter().filter_map(|call| call.voice.next());
        let secrets = self.calls.iter().filter(|call| !call.is_over()).filter_map(|call| call.secrecy.next());
        voices.chain(secrets).chain(self.resends.next()).min()
    }

    /// Nothing is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.resends.is_empty()
    }

    // ---- sending --------------------------------------------------------------------------------------------

    fn cancel(&mut self, now: Time, index: usize) {
        let Some(call) = self.calls.get_mut(index) else { return };
        call.cancel = Cancel::Sent;
        let invite = call.invite.clone();
        self.cancel_request(now, index, invite, &Purpose::Invite(index));
    }

    fn cancel_request(&mut self, now: Time, index: usize, mut cancel: Request, purpose: &Purpose) {
        let Some(to) = self.calls.get(index).map(|call| call.peer) else { return };
        let found = self.clients.iter().rev().find(|(_, client)| {
            client.purpose == *purpose && client.request.headers.get("CSeq") == cancel.headers.get("CSeq")
        });
        let Some((_, client)) = found else { return };
        cancel.headers = client.request.headers.clone();
        cancel.method = Method::Cancel;
        cancel.body = Vec::new();
        for name in ["Content-Type", "Contact", "Proxy-Authorization"] {
            cancel.headers.remove(name);
        }
        let number = cancel.headers.cseq().map_or(1, |cseq| cseq.number);
        cancel.headers.set("CSeq", format!("{number} CANCEL"));
        let bytes = cancel.to_bytes();
        // It shares the branch of its INVITE (RFC 3261 section 9.1), so it is known by another name here.
        let name = format!("{}-cancel", branch_of(cancel.headers.top_via().ok().and_then(|via| via.branch())));
        self.resends.add(now, What::Request(name), to, bytes.clone(), false);
        self.send(to, bytes.into());
    }

    fn bye(&mut self, now: Time, index: usize) {
        let Some(call) = self.calls.get(index) else { return };
        let peer = call.peer;
        let bye = self.request_of(index, Method::Bye);
        self.send_request(now, bye, peer, Purpose::Bye, false);
    }

    /// A request within a call, its number counted, without Via.
    fn request_of(&mut self, index: usize, method: Method) -> Request {
        let contact = self.contact();
        let Some(call) = self.calls.get_mut(index) else { return request(method, "sip:nobody@invalid") };
        call.cseq += 1;
        let mut request = request(method, &call.target);
        request.headers.push("From", call.local.clone());
        request.headers.push("To", call.remote.clone());
        request.headers.push("Call-ID", call.id.clone());
        request.headers.push("CSeq", format!("{} {}", call.cseq, request.method.as_str()));
        request.headers.push("Contact", contact);
        if self.allows {
            request.headers.push("Allow", ALLOW);
        }
        request
    }

    fn send_request(&mut self, now: Time, mut request: Request, to: SocketAddr, purpose: Purpose, answers: bool) {
        let via = self.via();
        request.headers.push_front("Via", via);
        let branch = branch_of(request.headers.top_via().ok().and_then(|via| via.branch()));
        let bytes = request.to_bytes();
        let is_invite = request.method == Method::Invite;
        self.clients.insert(branch.clone(), Client { request, to, purpose, over: false, answers });
        self.resends.add(now, What::Request(branch), to, bytes.clone(), is_invite);
        self.send(to, bytes.into());
    }

    fn send(&self, to: SocketAddr, bytes: Bytes) {
        if self.manner != Manner::Unplugged {
            self.network.send(Packet { from: self.address, to, payload: Payload::Sip(bytes) });
        }
    }

    /// What it says of itself: a browser knows no address of its own (RFC 7118 section 5).
    fn host(&self) -> (Transport, String) {
        match self.connection {
            Some((transport, _)) if transport.is_opened_by_peers() => (transport, format!("{}.invalid", self.name)),
            Some((transport, _)) => (transport, self.address.to_string()),
            None => (Transport::Udp, self.address.to_string()),
        }
    }

    fn via(&mut self) -> String {
        self.names += 1;
        let (transport, host) = self.host();
        format!("SIP/2.0/{} {host};branch=z9hG4bK-{}-{};rport", transport.name(), self.name, self.names)
    }

    fn contact(&self) -> String {
        let user = self.account.as_ref().map_or(self.name.as_str(), |account| account.user.as_str());
        let more = &self.uri_params;
        match self.host() {
            (_, _) if self.at_home => format!("<sip:{user}@{HOME}:5060{more}>"),
            (Transport::Udp | Transport::Tcp, host) => format!("<sip:{user}@{host}{more}>"),
            (transport @ (Transport::Tls | Transport::Ws | Transport::Wss), host) => {
                format!("<sip:{user}@{host};transport={}{more}>", transport.uri_param())
            }
        }
    }

    fn call_of(&self, call_id: &str) -> Option<usize> {
        self.calls.iter().position(|call| call.id == call_id)
    }

    #[expect(clippy::too_many_arguments, reason = "a dialog has so many parts")]
    fn new_call(
        &self,
        index: usize,
        id: String,
        local: String,
        remote: String,
        target: String,
        peer: SocketAddr,
        invite: Request,
    ) -> Call {
        let number = u16::try_from(index).unwrap_or(u16::MAX);
        let media = SocketAddr::new(self.address.ip(), 40_000_u16.saturating_add(number.saturating_mul(2)));
        let ssrc = u32::from(self.sounds.mark(&self.name)) << 16 | u32::from(number);
        Call {
            id,
            local,
            remote,
            target,
            peer,
            cseq: 0,
            invite,
            stage: Stage::Calling(0),
            cancel: Cancel::No,
            voice: Voice::new(media, self.sounds.mark(&self.name), ssrc),
            secrecy: Secrecy::new(self.encrypts, self.lies),
            codecs: self.codecs.clone(),
            tones: self.tones,
            behind_nat: self.behind_nat,
            browser: self.browser,
            image: Image::Refuses,
            codecless: false,
            direction: "sendrecv",
            acks: BTreeMap::new(),
            reason: None,
            reinvited: None,
            referred: None,
            told: Vec::new(),
            shown: None,
            early: None,
            heard_direction: None,
            rseq: 0,
            pracked: None,
            acknowledged: 0,
        }
    }
}

fn request(method: Method, uri: &str) -> Request {
    let uri = RequestUri::parse(uri).unwrap_or_else(|fault| panic!("{uri:?}: {fault}"));
    let mut request = Request::new(method, uri);
    request.headers.push("Max-Forwards", "70");
    request
}

fn branch_of(branch: Option<&str>) -> String {
    branch.unwrap_or_default().to_owned()
}
