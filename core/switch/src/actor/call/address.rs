//! Calls to SIP addresses outside: no gateway stands there, so that name, address and limits are looked at for each call.
//!
//! Source: RFC 3263 for where a name leads.

use actix::{AsyncContext, Context, Handler, Message};
use plugboard_call::{Input, Party};
use plugboard_media::Need;
use plugboard_metrics::TollMet;
use plugboard_model::{Cause, JournalEvent, LegId, NotConnected, is_public};
use plugboard_office::{Addresses, MediaRules, Place};
use plugboard_sip::dialog::NextHop;
use plugboard_sip::flow::Transport;
use plugboard_sip::locate::{Answer, Input as LocateInput, Locator, NotFound, Question, Sought, Target};
use plugboard_sip::{RequestUri, SipUri};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::carry::Dial;
use super::outside::limit_label;
use super::{CallActor, Obstacle};
use crate::actor::leg::{Bounds, EarlySound};
use crate::post::press;
use crate::tolls::{Met, Pass};

/// How long a name is looked for: a caller waits.
const FOUND_WITHIN: Duration = Duration::from_secs(10);
/// How soon whoever is there says a word; as gateways are given unless their office says otherwise.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The legs to SIP addresses: those whose names are looked for, and what the others take of limits.
#[derive(Default)]
pub(super) struct Places {
    searches: BTreeMap<LegId, Search>,
    passes: BTreeMap<LegId, Pass>,
    others: BTreeMap<LegId, Others>,
}

struct Search {
    locator: Locator,
    uri: SipUri,
    pass: Option<Pass>,
}

/// Where else a leg's name leads, best first.
struct Others {
    uri: SipUri,
    targets: VecDeque<Target>,
}

impl Places {
    /// A leg is over, or was never made. Whether its name was looked for.
    pub(super) fn forget(&mut self, leg: LegId) -> bool {
        self.passes.remove(&leg);
        self.others.remove(&leg);
        self.searches.remove(&leg).is_some()
    }

    pub(super) fn pass(&self, leg: LegId) -> Option<&Pass> {
        self.passes.get(&leg)
    }
}

impl CallActor {
    /// An address that a step wants to be called.
    pub(super) fn address(&self, text: &str) -> Result<Party, NotConnected> {
        let invalid = |why: &str| NotConnected::Invalid(format!("{text} {why}"));
        let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|own| own.eq_ignore_ascii_case(scheme));
        let with_scheme = if begins("sip:") || begins("sips:") { text.to_owned() } else { format!("sip:{text}") };
        let Ok(RequestUri::Sip(read)) = RequestUri::parse(&with_scheme) else {
            return Err(invalid("is no SIP address: write sip:desk@partner.example"));
        };
        let user = read.user().ok_or_else(|| invalid("names nobody: write sip:desk@partner.example"))?;
        let host = read.host().trim_end_matches('.').to_ascii_lowercase();
        if self.snapshot.configuration.offices.by_domain(&host).is_some() || self.is_ours(&read) {
            return Err(invalid("is an address of this switch: ring its people by their numbers"));
        }
        if self.is_of_gateway(&host, read.host_ip()) {
            return Err(invalid("is where a gateway stands: call a number through it, within its limits"));
        }
        let rules = &self.office.addresses;
        if !rules.lets(&host) {
            return Err(invalid("is at a domain that the office does not let be called"));
        }
        if read.host_ip().is_some_and(|ip| !rules.private && !is_public(ip)) {
            return Err(invalid("is in a private network"));
        }
        let over_tls = read.is_sips() || read.transport().is_some_and(|over| over.eq_ignore_ascii_case("tls"));
        let mut uri = SipUri::new(Some(user), &read.host(), read.port());
        let transport =
            if over_tls { Some("tls") } else { read.transport().filter(|over| over.eq_ignore_ascii_case("tcp")) };
        uri.set_param("transport", transport);
        Ok(Party::Address(uri.to_string()))
    }

    fn is_ours(&self, uri: &SipUri) -> bool {
        let Some(ip) = uri.host_ip() else { return false };
        let at = SocketAddr::new(ip.to_canonical(), uri.port().unwrap_or(5060));
        self.env.sip.public_address(at.ip()) == Some(at.ip()) || self.listens_at(at)
    }

    fn listens_at(&self, at: SocketAddr) -> bool {
        self.env.sip.is_own(at)
    }

    /// Whether a gateway of any office stands there: what goes to it goes by routes, with their limits.
    fn is_of_gateway(&self, host: &str, ip: Option<IpAddr>) -> bool {
        let offices = &self.snapshot.configuration.offices;
        let mut gateways = offices.iter().flat_map(|office| office.gateways());
        gateways.any(|gateway| match &gateway.address {
            Place::Address(address) => Some(address.ip().to_canonical()) == ip.map(|ip| ip.to_canonical()),
            Place::Host { name, .. } => name.trim_end_matches('.').eq_ignore_ascii_case(host),
        })
    }

    /// Looks for where an address is; the call begins when it is known.
    pub(super) fn call_address(&mut self, leg: LegId, address: &str, ctx: &mut Context<Self>) -> Result<(), Cause> {
        let Ok(RequestUri::Sip(uri)) = RequestUri::parse(address) else { return Err(Cause::of(404)) };
        let pass = self.address_toll(leg, address)?;
        let transport = uri.transport().map(|over| {
            let over_tls = over.eq_ignore_ascii_case("tls");
            if over_tls { Transport::Tls } else { Transport::Tcp }
        });
        if let Some(ip) = uri.host_ip() {
            let port = uri.port().unwrap_or(if transport == Some(Transport::Tls) { 5061 } else { 5060 });
            let address = SocketAddr::new(ip.to_canonical(), port);
            let target = Target { transport: transport.unwrap_or(Transport::Udp), address };
            return self.call_there(leg, uri, [target].into(), pass, ctx);
        }
        let (spoken, families) = crate::actor::gateway::reachable(&self.env);
        let sought = Sought { host: uri.host().into_owned(), port: uri.port(), transport, spoken, families };
        let locator = Locator::new(self.env.clock.now(), sought);
        self.places.searches.insert(leg, Search { locator, uri, pass });
        ctx.run_later(FOUND_WITHIN, move |call, ctx| {
            if call.places.searches.remove(&leg).is_some() {
                let cause = Cause { status: 408, text: "No name server answers in time".into() };
                call.feed(Input::LegNotMade { leg, cause }, ctx);
            }
        });
        self.go_on_searching(leg, ctx);
        Ok(())
    }

    fn address_toll(&mut self, leg: LegId, address: &str) -> Result<Option<Pass>, Cause> {
        let payer = self.payer.as_ref().or(self.guest()).cloned();
        let entered = self.snapshot.tolls.enter_address(&self.env, &self.office, payer.as_ref(), address);
        entered.map_err(|Met { subject, limit }| {
            let whose = subject.to_string();
            TollMet { call: &self.id, leg, whose: &whose, limit: limit_label(limit) }.emit(&self.env.metrics);
            let cause = Cause { status: 403, text: format!("Limit of the {whose}: {limit}") };
            self.obstacle = Some(Obstacle::Limit(cause.clone(), limit));
            cause
        })
    }

    /// Asks what is to be asked; calls when there is nothing more.
    fn go_on_searching(&mut self, leg: LegId, ctx: &mut Context<Self>) {
        let Some(search) = self.places.searches.get_mut(&leg) else { return };
        while let Some(question) = search.locator.poll_output() {
            let (to, asked) = (ctx.address().recipient(), question.clone());
            let reply = move |answer| press(&to, NameFound { leg, question: asked, answer });
            self.env.dns.ask(question, Box::new(reply));
        }
        if search.locator.is_first() {
            return;
        }
        let random = &self.env.random;
        let found = search.locator.targets(|bound| random.next() % bound.max(1));
        let Some(Search { uri, pass, .. }) = self.places.searches.remove(&leg) else { return };
        if let Err(cause) = self.call_there(leg, uri, found.into(), pass, ctx) {
            self.feed(Input::LegNotMade { leg, cause }, ctx);
        }
    }

    /// Nobody at the place that was called takes the call: whether it goes on at another one that the name leads to (RFC 3263 section
    /// 4.3). What rang, or refused the call, is where the name leads.
    pub(super) fn calls_at_another_place(&mut self, leg: LegId, cause: &Cause, ctx: &mut Context<Self>) -> bool {
        let Some(Others { uri, targets }) = self.places.others.remove(&leg) else { return false };
        if !matches!(cause.status, 408 | 503) || targets.is_empty() || !self.call.is_calling(leg) {
            return false;
        }
        let pass = self.places.passes.remove(&leg);
        self.leg_left(leg, cause);
        let text =
            format!("{leg} was not taken ({}); it is called at another place that its name leads to", cause.status);
        self.journal.note(self.now(), JournalEvent::Note { text });
        self.journal.flush();
        self.call_there(leg, uri, targets, pass, ctx).is_ok()
    }

    /// The first of these places that may be called is; the rest is for when nobody there takes the call.
    fn call_there(
        &mut self,
        leg: LegId,
        uri: SipUri,
        mut found: VecDeque<Target>,
        pass: Option<Pass>,
        ctx: &mut Context<Self>,
    ) -> Result<(), Cause> {
        let Addresses { private, .. } = self.office.addresses;
        let refused = |status, text: &str| Cause { status, text: text.to_owned() };
        if found.is_empty() {
            return Err(refused(404, "Its name leads nowhere"));
        }
        // Judged when it is known: whoever has the name says where it leads.
        found.retain(|target| {
            let ip = target.address.ip();
            (private || is_public(ip)) && !self.listens_at(target.address) && !self.is_of_gateway("", Some(ip))
        });
        let target = found.pop_front().ok_or_else(|| refused(403, "Its name leads into a private network"))?;
        let name = uri.host_ip().is_none().then(|| uri.host());
        let flow = match &name {
            Some(name) => self.env.sip.flow_to_named(target.transport, target.address, name),
            None => self.env.sip.flow_to(target.transport, target.address),
        };
        let flow = flow.ok_or_else(|| refused(503, "No listener of ours reaches it"))?;
        let larger = (target.transport == Transport::Udp && uri.transport().is_none())
            .then(|| self.env.sip.flow_to(Transport::Tcp, target.address))
            .flatten();
        let (from, headers) = crate::identity::told_outside(&self.shown(self.call.anchor()), self.hides);
        let dial = Dial {
            to: format!("<{uri}>"),
            uri: RequestUri::Sip(uri.clone()),
            flow,
            larger,
            // Whoever is there may name any address as his own: nothing of the call goes to another than was looked at.
            next_hop: if private { NextHop::Target } else { NextHop::First },
            routes: Vec::new(),
            from,
            headers,
            login: None,
            answer_by: Some(self.env.clock.now() + ANSWER_WITHIN),
            reliable: false,
            rules: MediaRules::default(),
            early_sound: EarlySound::Described,
            bounds: (!private).then(|| Bounds { host: target.address.ip() }),
            browser: false,
            need: Need::Usual,
        };
        self.start_leg(leg, dial, ctx.address().recipient())?;
        if let Some(pass) = pass {
            self.places.passes.insert(leg, pass);
        }
        self.places.others.insert(leg, Others { uri, targets: found });
        Ok(())
    }
}

/// A name server has answered. From the thread that asks.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct NameFound {
    leg: LegId,
    question: Question,
    answer: Result<Answer, NotFound>,
}

impl Handler<NameFound> for CallActor {
    type Result = ();

    fn handle(&mut self, NameFound { leg, question, answer }: NameFound, ctx: &mut Context<Self>) {
        let now = self.env.clock.now();
        // One that was stopped meanwhile is looked for no longer.
        let Some(search) = self.places.searches.get_mut(&leg) else { return };
        search.locator.handle(now, LocateInput::Answered(question, answer));
        self.go_on_searching(leg, ctx);
    }
}
