//! The bindings of one address of record (RFC 3261 section 10.3), with the proxies on the way (Path, RFC 3327) and several
//! flows of one device (RFC 5626).
//!
//! One [`Bindings`] a user. Time comes in, nothing goes out but the response: whoever holds it sends that, saves the
//! bindings after a change, and calls [`Bindings::expire`] at [`Bindings::next_expiry`].

mod push;

pub use push::Push;

use crate::flow::Flow;
use crate::headers::HeaderError;
use crate::message::{Request, Response};
use crate::name_addr::{Contact, NameAddr};
use crate::rejection::Rejection;
use crate::uri::RequestUri;
use plugboard_model::{Time, WallTime};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::time::Duration;

/// Devices of a user at once: one more takes the place of the one that was heard of longest ago.
pub const BINDINGS_MAX: usize = 10;
/// The longest contact that is kept: longer ones are no address of a device.
const CONTACT_LEN_MAX: usize = 512;
/// The longest Call-ID and instance that is kept.
const TOKEN_LEN_MAX: usize = 256;
/// Proxies between a device and us: an edge, a load balancer and some to spare.
const PATH_MAX: usize = 8;
/// The longest URI of such a proxy, with its token for the flow.
const PATH_LEN_MAX: usize = 512;
/// The option tag of flows (RFC 5626 section 11.2).
const OUTBOUND: &str = "outbound";
/// A device without a sign of life on its flow for so long may be cut off by a NAT: it is told to ping more often than that
/// (RFC 5626 section 5.4). Most NATs forget a UDP flow after 30 s or later; who wants less says so himself.
const FLOW_TIMER_SECONDS: &str = "120";

/// For how long something is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryLimits {
    /// Shorter wishes get 423.
    pub min: Duration,
    /// Longer wishes are cut to this.
    pub max: Duration,
    /// For a device that says nothing.
    pub default: Duration,
}

impl Default for ExpiryLimits {
    /// 30 s to an hour: phones behind a NAT refresh often, and a dead one is gone within the hour.
    fn default() -> Self {
        Self { min: Duration::from_secs(30), max: Duration::from_hours(1), default: Duration::from_hours(1) }
    }
}

/// What a registrar allows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// For how long.
    pub expiry: ExpiryLimits,
    /// The push services that can wake devices (RFC 8599), by the names that devices give them.
    pub push: Vec<String>,
}

/// A device that registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The contact URI: the Request-URI of what is sent to it.
    pub contact: Box<str>,
    /// Over what it registered: where to send, whatever the contact says (it may name an address behind a NAT).
    pub flow: Flow,
    /// When it is forgotten.
    pub expires: Time,
    /// Preference in thousandths.
    pub q: u16,
    /// The device's own name (`+sip.instance`, RFC 5626 section 4.1), the same after a reboot.
    pub instance: Option<String>,
    /// Which of the device's flows this is (RFC 5626 section 4.2); `None`: it has but one.
    pub reg_id: Option<u32>,
    /// The proxies that lead to the device, the first to pass first: the routes of what is sent to it (RFC 3327).
    pub path: Box<[Box<str>]>,
    /// How it is woken, for a device that sleeps (RFC 8599).
    pub push: Option<Box<Push>>,
    /// Its connection is gone: it sleeps until it is woken.
    asleep: bool,
    /// Nobody was reached over it: other flows of the device go before it, until it is heard of again.
    failed: bool,
    call_id: String,
    cseq: u32,
    heard: Time,
}

/// A binding as it is kept over a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedBinding {
    contact: String,
    flow: Flow,
    expires_at: WallTime,
    q: u16,
    instance: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reg_id: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    path: Vec<Box<str>>,
    call_id: String,
    cseq: u32,
}

/// What a REGISTER changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new device.
    Added(Binding),
    /// A known device, perhaps at a new address.
    Refreshed(Binding),
    /// A device that is gone.
    Removed(Binding),
    /// A device came back over another connection: what would go over the one, such as the requests of its calls, goes over
    /// the other.
    Moved {
        /// Its former connection, which broke or soon will.
        from: Flow,
        /// The one it registered over now.
        to: Flow,
    },
}

/// The devices of one user.
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    bindings: Vec<Binding>,
    /// Devices whose connection broke, until their time is over or they come back; at most [`BINDINGS_MAX`].
    gone: Vec<Binding>,
}

/// One wish of a REGISTER, read and judged.
enum Wish {
    Bind(Binding),
    Unbind(Wanted),
}

/// Which binding a contact is about.
struct Wanted {
    uri: RequestUri,
    instance: Option<String>,
    reg_id: Option<u32>,
}

/// What a REGISTER did.
#[derive(Default)]
struct Done {
    changes: Vec<Change>,
    /// Flows count.
    outbound: bool,
    /// The push services that its response is to name.
    push: Vec<String>,
}

/// What holds for every contact of a REGISTER.
struct Asked<'a> {
    call_id: &'a str,
    cseq: u32,
    flow: Flow,
    path: Box<[Box<str>]>,
    /// Whether flows count.
    outbound: bool,
}

impl Bindings {
    /// No device.
    pub const fn new() -> Self {
        Self { bindings: Vec::new(), gone: Vec::new() }
    }

    /// Carries out a REGISTER, all of it or nothing, and makes the response. Changes are to be saved.
    ///
    /// Source: RFC 3261 section 10.3 points 6 to 8.
    pub fn register(
        &mut self,
        now: Time,
        request: &Request,
        flow: Flow,
        limits: &Terms,
        to_tag: &str,
    ) -> (Response, Vec<Change>) {
        self.expire(now);
        let (mut response, changes) = match self.carry_out(now, request, flow, limits) {
            Ok(done) => {
                let mut response = self.list(now, request, done.outbound);
                push::tell(&mut response, &done.push);
                (response, done.changes)
            }
            Err(rejection) => (rejection.response(request), Vec::new()),
        };
        response.headers.set_to_tag(to_tag);
        (response, changes)
    }

    /// The bindings that may be used now: by preference, and the last heard of first.
    pub fn live(&self, now: Time) -> Vec<&Binding> {
        self.bindings.iter().filter(|binding| binding.expires > now).collect()
    }

    /// The devices that may be rung now: of several flows of one device the best (RFC 5626 section 7).
    pub fn devices(&self, now: Time) -> Vec<&Binding> {
        let mut devices: Vec<&Binding> = Vec::new();
        for binding in self.live(now) {
            let known = |other: &&Binding| other.instance.is_some() && other.instance == binding.instance;
            match devices.iter().position(known) {
                None => devices.push(binding),
                // Of two flows the one that need not be woken, and does not fail.
                Some(place) => {
                    let is_worse =
                        |other: &Binding| (other.sleeps(), other.failed) > (binding.sleeps(), binding.failed);
                    if let Some(other) = devices.get_mut(place).filter(|other| is_worse(other)) {
                        *other = binding;
                    }
                }
            }
        }
        devices
    }

    /// The other flows of a device by which it may be reached when this one fails: the best first.
    pub fn other_flows(&self, now: Time, of: &Binding) -> Vec<&Binding> {
        let other = |other: &&Binding| {
            of.instance.is_some()
                && of.reg_id.is_some()
                && other.reg_id.is_some()
                && other.reg_id != of.reg_id
                && other.instance == of.instance
                && !other.sleeps()
        };
        let mut others: Vec<&Binding> = self.live(now).into_iter().filter(other).collect();
        others.sort_by_key(|other| other.failed);
        others
    }

    /// Nobody was reached over this flow: others of the same device go before it, until it registers anew.
    pub fn flow_failed(&mut self, contact: &str, flow: Flow) {
        let its = |binding: &&mut Binding| &*binding.contact == contact && binding.flow == flow;
        self.bindings.iter_mut().filter(its).for_each(|binding| binding.failed = true);
    }

    /// Another flow of the device that had this binding.
    pub fn other_flow(&self, now: Time, lost: &Binding) -> Option<Flow> {
        lost.reg_id?;
        let other = |other: &&Binding| !other.asleep && other.instance == lost.instance;
        self.live(now).into_iter().find(other).map(|other| other.flow)
    }

    /// How many devices are bound.
    pub fn len(&self) -> usize {
        self.bindings.len()
    }

    /// Whether no device is bound.
    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    /// Forgets what expired, and returns it.
    pub fn expire(&mut self, now: Time) -> Vec<Binding> {
        self.gone.retain(|binding| binding.expires > now);
        self.bindings.extract_if(.., |binding| binding.expires <= now).collect()
    }

    /// Forgets the devices of a connection that broke, and returns them. Those that can be woken sleep from now on.
    pub fn connection_lost(&mut self, flow: Flow) -> Vec<Binding> {
        let its =
            |binding: &Binding| flow.connection != 0 && binding.flow.connection == flow.connection && !binding.asleep;
        self.lose(its)
    }

    /// A proxy says that the way to this contact is gone (430, RFC 5626 section 5.3): forgets it until it registers anew, as
    /// [`Self::connection_lost`] does.
    pub fn way_lost(&mut self, contact: &str, flow: Flow) -> Vec<Binding> {
        self.lose(|binding| &*binding.contact == contact && binding.flow == flow && !binding.asleep)
    }

    fn lose(&mut self, its: impl Fn(&Binding) -> bool) -> Vec<Binding> {
        let mut lost: Vec<Binding> =
            self.bindings.extract_if(.., |binding| its(binding) && binding.push.is_none()).collect();
        self.gone.extend_from_slice(&lost);
        for binding in self.bindings.iter_mut().filter(|binding| its(binding)) {
            binding.asleep = true;
            lost.push(binding.clone());
        }
        self.gone.drain(..self.gone.len().saturating_sub(BINDINGS_MAX));
        lost
    }

    /// A push service knows a device no more: one that sleeps is forgotten, any other can no longer be woken. Whether there
    /// was one.
    pub fn push_gone(&mut self, push: &Push) -> bool {
        let its = |binding: &Binding| binding.push.as_deref() == Some(push);
        let before = self.bindings.len();
        self.bindings.retain(|binding| !(its(binding) && binding.asleep));
        let mut any = self.bindings.len() < before;
        for binding in self.bindings.iter_mut().filter(|binding| its(binding)) {
            binding.push = None;
            any = true;
        }
        any
    }

    /// When the next binding expires.
    pub fn next_expiry(&self) -> Option<Time> {
        self.bindings.iter().map(|binding| binding.expires).min()
    }

    /// For the store; `wall` is the time of day at `now`.
    pub fn save(&self, now: Time, wall: WallTime) -> Vec<SavedBinding> {
        let at = |binding: &Binding| {
            let left = i64::try_from(binding.expires.since(now).as_millis()).unwrap_or(i64::MAX);
            WallTime(wall.0.saturating_add(left))
        };
        self.bindings
            .iter()
            .map(|binding| SavedBinding {
                contact: binding.contact.to_string(),
                flow: binding.flow,
                expires_at: at(binding),
                q: binding.q,
                instance: binding.instance.clone(),
                reg_id: binding.reg_id,
                path: binding.path.to_vec(),
                call_id: binding.call_id.clone(),
                cseq: binding.cseq,
            })
            .collect()
    }

    /// What [`Bindings::save`] kept and has not expired. Devices of a connection are not taken back: it is gone. Those that
    /// can be woken sleep.
    pub fn restore(now: Time, wall: WallTime, saved: Vec<SavedBinding>) -> Self {
        let bindings = saved
            .into_iter()
            .filter(|saved| saved.expires_at > wall)
            .map(|saved| (Push::of(&saved.contact).map(Box::new), saved))
            .filter(|(push, saved)| saved.flow.connection == 0 || push.is_some())
            .map(|(push, saved)| {
                let left = u64::try_from(saved.expires_at.0.saturating_sub(wall.0)).unwrap_or(0);
                Binding {
                    contact: saved.contact.into(),
                    asleep: saved.flow.connection != 0,
                    failed: false,
                    push,
                    // Another connection may have this number by now.
                    flow: Flow { connection: 0, ..saved.flow },
                    expires: now + Duration::from_millis(left),
                    heard: now,
                    q: saved.q,
                    instance: saved.instance,
                    reg_id: saved.reg_id,
                    path: saved.path.into(),
                    call_id: saved.call_id,
                    cseq: saved.cseq,
                }
            })
            .collect();
        Self { bindings, gone: Vec::new() }
    }

    fn carry_out(&mut self, now: Time, request: &Request, flow: Flow, limits: &Terms) -> Result<Done, Rejection> {
        let headers = &request.headers;
        let broken = |fault: HeaderError| Rejection::bad_request(fault);
        let (call_id, cseq) = (headers.call_id().map_err(broken)?, headers.cseq().map_err(broken)?.number);
        let contacts = headers.contacts().map_err(broken)?;
        if contacts.is_empty() {
            return Ok(Done::default());
        }
        if call_id.len() > TOKEN_LEN_MAX {
            return Err(Rejection::bad_request("the Call-ID is too long"));
        }
        if contacts.iter().any(|contact| contact.addr().is_none()) {
            if contacts.len() > 1 || headers.expires() != Some(0) {
                return Err(Rejection::bad_request("Contact: * needs Expires: 0 and no other Contact"));
            }
            if self.bindings.iter().any(|binding| is_late(binding, call_id, cseq)) {
                return Err(Rejection::of(500));
            }
            let changes = self.bindings.drain(..).map(Change::Removed).collect();
            return Ok(Done { changes, ..Done::default() });
        }
        if contacts.len() > BINDINGS_MAX {
            return Err(Rejection { reason: "Too many devices".into(), ..Rejection::of(403) });
        }
        let (path, push) = (path(request)?, push::asked(&contacts, &limits.push)?);
        let outbound = headers.has_token("Supported", OUTBOUND) || headers.has_token("Require", OUTBOUND);
        let asked = Asked { call_id, cseq, flow, path, outbound };
        let flows = outbound && contacts.iter().filter_map(Contact::addr).any(|addr| reg_id(addr).is_some());
        if flows && !first_hop_keeps_flows(request, &asked.path) {
            return Err(Rejection::of(439));
        }
        let mut next = self.clone();
        let mut changes = Vec::new();
        for contact in &contacts {
            let wish = self.wish(now, contact, request, &asked, limits)?;
            next.grant(wish, &mut changes);
        }
        next.bindings.sort_by_key(|binding| (std::cmp::Reverse(binding.q), std::cmp::Reverse(binding.heard)));
        while next.bindings.len() > BINDINGS_MAX {
            let oldest = next.bindings.iter().enumerate().min_by_key(|(_, binding)| binding.heard);
            let Some(place) = oldest.map(|(place, _)| place) else { break };
            changes.push(Change::Removed(next.bindings.remove(place)));
        }
        *self = next;
        Ok(Done { changes, outbound: flows, push })
    }

    fn wish(
        &self,
        now: Time,
        contact: &Contact<'_>,
        request: &Request,
        asked: &Asked<'_>,
        limits: &Terms,
    ) -> Result<Wish, Rejection> {
        let Some(addr) = contact.addr() else { return Err(Rejection::bad_request("Contact: * among others")) };
        let uri = addr.parse_uri().map_err(|fault| Rejection::bad_request(format!("Contact: {fault}")))?;
        if addr.uri.len() > CONTACT_LEN_MAX || uri.as_sip().is_none() {
            return Err(Rejection::bad_request("Contact must be a SIP URI of at most 512 bytes"));
        }
        let instance = addr.instance().filter(|instance| instance.len() <= TOKEN_LEN_MAX);
        let reg_id = reg_id(addr).filter(|_| asked.outbound && instance.is_some());
        let wanted = Wanted { uri, instance, reg_id };
        if let Some(known) = self.bindings.iter().find(|binding| binding.is_wanted(&wanted))
            && is_late(known, asked.call_id, asked.cseq)
        {
            return Err(Rejection::of(500));
        }
        let wished = addr.expires().or_else(|| request.headers.expires()).map(|secs| Duration::from_secs(secs.into()));
        let expires = wished.unwrap_or(limits.expiry.default).min(limits.expiry.max);
        if expires.is_zero() {
            return Ok(Wish::Unbind(wanted));
        }
        if expires < limits.expiry.min {
            let min = limits.expiry.min.as_secs().to_string();
            return Err(Rejection::of(423).with("Min-Expires", min));
        }
        Ok(Wish::Bind(Binding {
            contact: addr.uri.into(),
            flow: asked.flow,
            expires: now + expires,
            heard: now,
            q: addr.q(),
            instance: wanted.instance,
            reg_id,
            path: asked.path.clone(),
            push: Push::of(addr.uri).map(Box::new),
            asleep: false,
            failed: false,
            call_id: asked.call_id.to_owned(),
            cseq: asked.cseq,
        }))
    }

    fn grant(&mut self, wish: Wish, changes: &mut Vec<Change>) {
        let (wanted, new) = match wish {
            Wish::Unbind(wanted) => (wanted, None),
            Wish::Bind(new) => {
                let Ok(uri) = RequestUri::parse(&new.contact) else { return };
                (Wanted { uri, instance: new.instance.clone(), reg_id: new.reg_id }, Some(new))
            }
        };
        let known: Vec<Binding> = self.bindings.extract_if(.., |known| known.is_wanted(&wanted)).collect();
        match new {
            Some(new) => {
                let change = if known.is_empty() { Change::Added } else { Change::Refreshed };
                changes.push(change(new.clone()));
                let back = self.gone.extract_if(.., |gone| gone.is_wanted(&wanted));
                let former = known.iter().map(|known| known.flow).chain(back.map(|back| back.flow));
                let to = new.flow;
                let moved = |from: &Flow| ![0, to.connection].contains(&from.connection) && to.connection != 0;
                changes.extend(former.filter(moved).map(|from| Change::Moved { from, to }));
                self.bindings.push(new);
            }
            None => changes.extend(known.into_iter().map(Change::Removed)),
        }
    }

    /// 200 with every binding and the seconds that each has left; with the proxies that were noted, and with `outbound` how
    /// long a flow may be silent.
    fn list(&self, now: Time, request: &Request, outbound: bool) -> Response {
        let mut response = Response::to_request(request, 200);
        response.headers.copy_from(&request.headers, "Path");
        if outbound {
            response.headers.push("Require", OUTBOUND);
            response.headers.push("Flow-Timer", FLOW_TIMER_SECONDS);
        }
        for binding in &self.bindings {
            let left = binding.expires.since(now).as_secs();
            let mut contact = format!("<{}>;expires={left}", binding.contact);
            if binding.q < 1_000 {
                // Writing to a String cannot fail.
                let _ = write!(contact, ";q=0.{:03}", binding.q);
            }
            if let Some(instance) = &binding.instance {
                contact.push_str(";+sip.instance=");
                crate::params::push_quoted(&mut contact, &format!("<{instance}>"));
            }
            if let Some(reg_id) = binding.reg_id {
                // Writing to a String cannot fail.
                let _ = write!(contact, ";reg-id={reg_id}");
            }
            response.headers.push("Contact", contact);
        }
        response
    }
}

impl Binding {
    /// Whether a device has to be woken before it can be rung: its connection is gone, or it never had one and has been
    /// put to sleep since it registered, for all that we know.
    pub fn sleeps(&self) -> bool {
        self.push.is_some() && (self.asleep || self.flow.connection == 0)
    }

    /// Whether nothing can be sent to it before it registers anew: its connection is gone.
    pub fn is_cut_off(&self) -> bool {
        self.asleep
    }

    /// Whether this is the same device: by its own name, or as its push service knows it.
    pub fn is_same_device(&self, other: &Self) -> bool {
        let prid = |binding: &Self| binding.push.as_ref().map(|push| (push.provider.clone(), push.prid.clone()));
        (self.instance.is_some() && self.instance == other.instance)
            || (prid(self).is_some() && prid(self) == prid(other))
    }

    /// The same device and flow: the same instance and number, or the same URI (RFC 3261 section 19.1.4). A device that
    /// counts its flows no more, or begins to, has but the one.
    fn is_wanted(&self, wanted: &Wanted) -> bool {
        if let (Some(own), Some(other)) = (&self.instance, &wanted.instance) {
            return own == other && (self.reg_id == wanted.reg_id || self.reg_id.is_none() || wanted.reg_id.is_none());
        }
        let own = RequestUri::parse(&self.contact).ok();
        match (own.as_ref().and_then(RequestUri::as_sip), wanted.uri.as_sip()) {
            (Some(own), Some(other)) => own.equivalent(other),
            (None, _) | (_, None) => false,
        }
    }
}

/// The proxies that wrote themselves into Path, the first to pass first.
fn path(request: &Request) -> Result<Box<[Box<str>]>, Rejection> {
    let path = request.headers.addresses("Path").map_err(Rejection::bad_request)?;
    let too_much = path.len() > PATH_MAX || path.iter().any(|proxy| proxy.uri.len() > PATH_LEN_MAX);
    if too_much || path.iter().any(|proxy| proxy.parse_uri().is_ok_and(|uri| uri.as_sip().is_none())) {
        return Err(Rejection::bad_request("Path must have at most 8 SIP URIs of at most 512 bytes"));
    }
    Ok(path.iter().map(|proxy| format!("<{}>{}", proxy.uri, proxy.params.as_str()).into()).collect())
}

/// The number of the flow, 1 to 2^31 - 1 (RFC 5626 section 4.2).
fn reg_id(addr: &NameAddr<'_>) -> Option<u32> {
    addr.param("reg-id")?.parse().ok().filter(|number| (1..=0x7fff_ffff).contains(number))
}

/// Whether the device's flow is kept: it ends here, or at a proxy that says `ob` (RFC 5626 section 6).
fn first_hop_keeps_flows(request: &Request, path: &[Box<str>]) -> bool {
    let direct = request.headers.vias().is_ok_and(|vias| vias.len() == 1);
    let edge = path.last().and_then(|proxy| NameAddr::parse(proxy));
    let keeps = edge.and_then(|edge| edge.parse_uri().ok());
    direct || keeps.is_some_and(|uri| uri.as_sip().is_some_and(|uri| uri.has_param("ob")))
}

/// The request came after a later one of the same device (RFC 3261 section 10.3 point 7).
fn is_late(known: &Binding, call_id: &str, cseq: u32) -> bool {
    known.call_id == call_id && cseq <= known.cseq
}

#[cfg(test)]
mod tests;
