//! A dialog: what both ends keep so that requests find each other (RFC 3261 section 12).

use crate::flow::Flow;
use crate::headers::HeaderError;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::name_addr::NameAddr;
use crate::uri::{RequestUri, SipUri};
use std::net::SocketAddr;

/// How many hops a request may still take when it leaves (RFC 3261 section 8.1.1.6).
pub const MAX_FORWARDS: u8 = 70;

/// Finds the dialog of a message. Tags are compared letter by letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogId {
    /// The Call-ID.
    pub call_id: Box<str>,
    /// Our tag.
    pub local_tag: Box<str>,
    /// The peer's tag; empty for a peer after RFC 2543.
    pub remote_tag: Box<str>,
}

/// Where the requests of a dialog go, since nothing here asks DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NextHop {
    /// Always where the peer's messages come from. Right for phones behind a NAT, whose Contact names an address
    /// that cannot be reached, and for peers behind a proxy, since the proxy is the source.
    #[default]
    Source,
    /// The first route, or else the Contact, when it names an address instead of a host; else the source. Right
    /// for gateways that let another machine carry the call.
    Target,
    /// Always to the host that the first request went to, whatever the peer names and wherever a message seems to come from. Right
    /// for those for whom nobody vouches: they lead us nowhere else.
    First,
}

/// One dialog, confirmed or early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    call_id: Box<str>,
    /// Our From or To, with our tag.
    local: Box<str>,
    local_tag: Box<str>,
    /// The peer's, with his tag.
    remote: Box<str>,
    remote_tag: Box<str>,
    local_cseq: u32,
    /// `None` until the peer sends a request.
    remote_cseq: Option<u32>,
    remote_target: Box<str>,
    /// URIs with their brackets, the next hop first.
    routes: Box<[Box<str>]>,
    flow: Flow,
    next_hop: NextHop,
}

impl DialogId {
    /// The dialog that a request of the peer belongs to; `None` outside dialogs (no tag in To) and for broken headers.
    pub fn of_request(request: &Request) -> Option<Self> {
        let local_tag = request.headers.to().ok()?.tag()?.into();
        let remote_tag = request.headers.from().ok()?.tag().unwrap_or_default().into();
        Some(Self { call_id: request.headers.call_id().ok()?.into(), local_tag, remote_tag })
    }

    /// The dialog that a response to our request belongs to; `None` when it has no tag in To.
    pub fn of_response(response: &Response) -> Option<Self> {
        let remote_tag = response.headers.to().ok()?.tag()?.into();
        let local_tag = response.headers.from().ok()?.tag()?.into();
        Some(Self { call_id: response.headers.call_id().ok()?.into(), local_tag, remote_tag })
    }
}

impl Dialog {
    /// The dialog that the answer to `invite` makes on the answering side.
    ///
    /// # Errors
    /// A header that a dialog needs is missing or malformed (Contact among them): answer with 400.
    ///
    /// Source: RFC 3261 section 12.1.1.
    pub fn of_invite(invite: &Request, local_tag: &str, flow: Flow, next_hop: NextHop) -> Result<Self, HeaderError> {
        let headers = &invite.headers;
        let (from, to) = (headers.from()?, headers.to()?);
        let contacts = headers.contacts()?;
        let contact = contacts.first().and_then(|contact| contact.addr()).ok_or(HeaderError::Missing("Contact"))?;
        let routes = headers.record_routes()?;
        Ok(Self {
            call_id: headers.call_id()?.into(),
            local: format!("{to};tag={local_tag}").into(),
            local_tag: local_tag.into(),
            remote: from.to_string().into(),
            remote_tag: from.tag().unwrap_or_default().into(),
            // Any number below 2^31 will do; one of 1 leaves the most room (RFC 3261 section 8.1.1.5).
            local_cseq: 0,
            remote_cseq: Some(headers.cseq()?.number),
            remote_target: contact.uri.into(),
            routes: routes.iter().map(|route| boxed_route(route)).collect(),
            flow,
            next_hop,
        })
    }

    /// The dialog that a 1xx or 2xx makes on the calling side. `request_uri` is the target while the response lacks
    /// a Contact: some gateways forget it.
    ///
    /// # Errors
    /// A header that a dialog needs is missing or malformed.
    ///
    /// Source: RFC 3261 section 12.1.2.
    pub fn of_response(
        response: &Response,
        request_uri: &RequestUri,
        flow: Flow,
        next_hop: NextHop,
    ) -> Result<Self, HeaderError> {
        let headers = &response.headers;
        let (from, to) = (headers.from()?, headers.to()?);
        let contacts = headers.contacts().unwrap_or_default();
        let contact = contacts.first().and_then(|contact| contact.addr());
        let routes = headers.record_routes()?;
        Ok(Self {
            call_id: headers.call_id()?.into(),
            local: from.to_string().into(),
            local_tag: from.tag().unwrap_or_default().into(),
            remote: to.to_string().into(),
            remote_tag: to.tag().unwrap_or_default().into(),
            local_cseq: headers.cseq()?.number,
            remote_cseq: None,
            remote_target: contact.map_or_else(|| request_uri.to_string().into(), |contact| contact.uri.into()),
            routes: routes.iter().rev().map(|route| boxed_route(route)).collect(),
            flow,
            next_hop,
        })
    }

    /// What finds this dialog.
    pub fn id(&self) -> DialogId {
        DialogId {
            call_id: self.call_id.clone(),
            local_tag: self.local_tag.clone(),
            remote_tag: self.remote_tag.clone(),
        }
    }

    /// The Call-ID.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The peer's tag.
    pub fn remote_tag(&self) -> &str {
        &self.remote_tag
    }

    /// Whether a request of the peer belongs here (RFC 3261 section 12.2.2).
    pub fn is_of(&self, request: &Request) -> bool {
        let headers = &request.headers;
        headers.call_id().is_ok_and(|call_id| call_id == &*self.call_id)
            && headers.to().is_ok_and(|to| to.tag() == Some(&self.local_tag))
            && headers.from().is_ok_and(|from| from.tag().unwrap_or_default() == &*self.remote_tag)
    }

    /// Takes the number of a request of the peer; false when it is not above the last one: 500.
    ///
    /// Source: RFC 3261 section 12.2.2.
    pub fn take_cseq(&mut self, number: u32) -> bool {
        let fresh = self.remote_cseq.is_none_or(|last| number > last);
        if fresh {
            self.remote_cseq = Some(number);
        }
        fresh
    }

    /// Counts on from where the early dialog was that this one was before its answer.
    pub fn goes_on_from(&mut self, early: &Self) {
        self.local_cseq = self.local_cseq.max(early.local_cseq);
        self.remote_cseq = self.remote_cseq.max(early.remote_cseq);
    }

    /// Notes over what the peer's requests come.
    pub fn set_flow(&mut self, flow: Flow) {
        let stays = self.next_hop == NextHop::First && flow.remote.ip() != self.flow.remote.ip();
        if !stays {
            self.flow = flow;
        }
    }

    /// Notes the new Contact of an INVITE or UPDATE that is accepted (RFC 3261 section 12.2.2, RFC 3311 section 5.2).
    pub fn refresh(&mut self, request: &Request) {
        if matches!(request.method, Method::Invite | Method::Update) {
            self.retarget(request);
        }
    }

    /// The same of a SUBSCRIBE (RFC 6665 section 4.4.1).
    pub fn retarget(&mut self, request: &Request) {
        if let Ok(contacts) = request.headers.contacts()
            && let Some(contact) = contacts.first().and_then(|contact| contact.addr())
        {
            self.remote_target = contact.uri.into();
        }
    }

    /// Notes the new Contact of a 2xx to INVITE or UPDATE of ours (RFC 3261 section 12.2.1.2).
    pub fn refresh_by_response(&mut self, response: &Response) {
        if let Ok(contacts) = response.headers.contacts()
            && let Some(contact) = contacts.first().and_then(|contact| contact.addr())
        {
            self.remote_target = contact.uri.into();
        }
    }

    /// A new request within the dialog, without Via; its CSeq is one above the last.
    ///
    /// Source: RFC 3261 section 12.2.1.1.
    pub fn request(&mut self, method: Method) -> Request {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.build(method, self.local_cseq)
    }

    /// The ACK of a 2xx to the INVITE with this number (RFC 3261 section 13.2.2.4).
    pub fn ack(&self, cseq: u32) -> Request {
        self.build(Method::Ack, cseq)
    }

    /// The number of our last request.
    pub fn local_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// The Request-URI of our requests.
    pub fn request_uri(&self) -> String {
        match self.strict_route() {
            Some(uri) => uri.to_owned(),
            None => self.remote_target.to_string(),
        }
    }

    /// Over what requests go.
    pub fn flow(&self) -> Flow {
        match self.next_hop {
            NextHop::Source | NextHop::First => self.flow,
            NextHop::Target => {
                let hop = self.routes.first().and_then(|route| NameAddr::parse(route)).map(|route| route.uri);
                match address_of(hop.unwrap_or(&self.remote_target)) {
                    // Under TLS the peer has shown his name on this connection; nobody else shows it.
                    Some(remote) if remote != self.flow.remote && !self.flow.transport.is_secure() => {
                        Flow { remote, connection: 0, ..self.flow }
                    }
                    Some(_) | None => self.flow,
                }
            }
        }
    }

    /// Whether requests go to another address than the peer's come from, over what their URI leaves open.
    pub fn goes_elsewhere_by_any_transport(&self) -> bool {
        let hop = self.routes.first().and_then(|route| NameAddr::parse(route)).map(|route| route.uri);
        let uri = SipUri::parse(hop.unwrap_or(&self.remote_target));
        self.flow().remote != self.flow.remote && uri.is_ok_and(|uri| uri.param("transport").is_none())
    }

    /// A first route without `lr` is a strict router: it wants itself in the Request-URI (RFC 3261 section 12.2.1.1).
    fn strict_route(&self) -> Option<&str> {
        let uri = NameAddr::parse(self.routes.first()?)?.uri;
        (!SipUri::parse(uri).is_ok_and(|uri| uri.has_param("lr"))).then_some(uri)
    }

    fn build(&self, method: Method, cseq: u32) -> Request {
        let mut routes: Vec<&str> = self.routes.iter().map(AsRef::as_ref).collect();
        let mut target: &str = &self.remote_target;
        let last;
        if let Some(first) = self.strict_route() {
            last = format!("<{}>", self.remote_target);
            target = first;
            routes.remove(0);
            routes.push(&last);
        }
        let uri = RequestUri::parse(target).unwrap_or_else(|_| RequestUri::Raw(target.to_owned()));
        let mut request = Request::new(method, uri);
        let cseq = format!("{cseq} {}", request.method);
        let headers = &mut request.headers;
        for route in routes {
            headers.push("Route", route);
        }
        headers.push("Max-Forwards", MAX_FORWARDS.to_string());
        headers.push("From", &*self.local);
        headers.push("To", &*self.remote);
        headers.push("Call-ID", &*self.call_id);
        headers.push("CSeq", cseq);
        request
    }
}

fn boxed_route(route: &NameAddr<'_>) -> Box<str> {
    format!("<{}>{}", route.uri, route.params.as_str()).into()
}

/// The address that a sip URI names, if it names one and not a host.
fn address_of(uri: &str) -> Option<SocketAddr> {
    let uri = SipUri::parse(uri).ok()?;
    Some(SocketAddr::new(uri.host_ip()?, uri.port().unwrap_or(5060)))
}
