//! Who may call and register: by the gateway's address, or by digest.

use actix::{AsyncContext, Context};
use plugboard_metrics::{CallPutOff, CallRefused, Condition, RefusalReason};
use plugboard_model::{CallId, Cause, Dialled, GatewayId, LegId, UserId};
use plugboard_office::{Office, Source, User};
use plugboard_sip::digest::Belief;
use plugboard_sip::flow::Flow;
use plugboard_sip::transaction::ServerTx;
use plugboard_sip::{Request, RequestUri, Response};
use plugboard_store::SipFlow;
use std::sync::Arc;
use std::time::Duration;

use super::SipActor;
use super::login::Challenger;
use crate::actor::refused::keep_record;
use crate::identity::called;
use crate::message::{Register, TakeCall};
use crate::post::post;

/// What a refused caller is to wait, in seconds.
const RETRY_AFTER: &str = "5";
/// How long no call was refused for overload when that is over: a scrape comes each 15 s, and a person looks later still.
const CALM: Duration = Duration::from_secs(15);

impl SipActor {
    pub(super) fn invite(&mut self, tx: ServerTx, request: Request, flow: Flow, ctx: &mut Context<Self>) {
        let sheds = self.draining || self.overload.is_behind();
        let helps = sheds && self.helps(&request, flow);
        // No answer to a call that is shed is worth more than one to any other request of a stranger.
        if sheds && !helps && !self.heeds(tx, &request, flow) {
            return;
        }
        if self.draining && !helps {
            return self.refuse_for_now(tx, &request, flow, RefusalReason::Draining);
        }
        if self.overload.is_behind() && !helps {
            self.show_overload(ctx);
            return self.refuse_for_now(tx, &request, flow, RefusalReason::Overload);
        }
        let gateway = self.gateway_of(&request, flow);
        let believed = gateway.is_none().then(|| self.calls_for_help(&request, flow)).flatten();
        let proven = believed.is_none();
        let (office, source) = match gateway {
            Some((office, gateway)) => {
                self.moves.spoke(flow, None);
                (office, Source::Gateway(gateway))
            }
            None if proven && !self.heeds(tx, &request, flow) => return,
            None => match believed.or_else(|| self.user_of(tx, &request, flow, Challenger::Proxy)) {
                Some((office, user)) if self.is_foreign(&request, &office) && !dials_help(&office, &request) => {
                    return self.refuse_foreign(tx, &request, flow, &office, user.id.clone());
                }
                Some((office, user)) => {
                    let source = Source::User(user.id.clone());
                    (office, source)
                }
                None => return,
            },
        };
        let id = self.new_call_id(&office);
        if let Ok(sip_call_id) = request.headers.call_id().map(str::to_owned) {
            let now = self.env.clock.now();
            self.traces.begin(now, &sip_call_id, &id, LegId::CALLER);
            self.traces.keep(now, SipFlow::In, flow, sip_call_id.as_bytes(), &request.to_bytes());
        }
        post(&self.calls, TakeCall { id, tx, request, flow, source, office, proven });
    }

    /// The user whose phone calls for help from where it may do so without a password: a challenge costs time, and fails when
    /// the password has changed or too many guesses came from the phone's address. Whoever forges that address gets no further
    /// than to help, a few times: a call that also takes the place of another (RFC 3891) is asked for its password.
    ///
    /// Source: RFC 7406 (calls for help of devices that are not authenticated).
    fn calls_for_help(&self, request: &Request, flow: Flow) -> Option<(Arc<Office>, Arc<User>)> {
        let office = self.office_of(request).filter(|office| dials_help(office, request))?;
        let from = request.headers.from().ok()?.parse_uri().ok()?;
        let user = office.find_user(&from.user()?).cloned()?;
        let (now, mut guesses) = (self.env.clock.now(), self.guesses.lock());
        let is_registered = guesses.is_home(flow.remote, &user.id);
        if request.headers.get("Replaces").is_some() || !office.helps_unproven(flow.remote.ip(), is_registered) {
            return None;
        }
        match guesses.believes(now, &user.id) {
            Belief::Yes => Some((office, user)),
            Belief::NoMore { told } => {
                if !told {
                    let (user, source) = (&user.id, flow.remote);
                    tracing::warn!(%user, %source, "too many calls for help without a password: the next ones are asked for it");
                }
                None
            }
        }
    }

    /// Whether the call is one for help, or comes back to whoever called for help: such a call is never shed.
    pub(super) fn helps(&self, request: &Request, flow: Flow) -> bool {
        if let Some((office, gateway)) = self.gateway_of(request, flow) {
            let known = office.gateway(&gateway);
            let Some(called) = called(&office, &Source::Gateway(gateway), request) else { return false };
            let e164 = known.and_then(|gateway| office.e164_of(gateway, &called));
            let numbers: Vec<&Dialled> = std::iter::once(&called).chain(&e164).collect();
            return !self.awaited.phones(&office.id, &numbers, self.env.clock.now()).is_empty();
        }
        self.office_of(request).is_some_and(|office| dials_help(&office, request))
    }

    fn new_call_id(&self, office: &Office) -> CallId {
        let mut random = [0; 16];
        self.env.random.fill(&mut random);
        let random = crate::events::random_with_shard(u128::from_be_bytes(random), self.shard);
        CallId::new(office.id.clone(), self.env.clock.wall(), random)
    }

    fn refuse_for_now(&mut self, tx: ServerTx, request: &Request, flow: Flow, reason: RefusalReason) {
        CallPutOff { reason, status: 503, source: flow.remote }.emit(&self.env.metrics);
        let mut response = Response::to_request(request, 503);
        response.headers.push("Retry-After", RETRY_AFTER);
        self.refuse_told(tx, response);
    }

    /// Shows that calls are refused for overload, until none was for [`CALM`].
    fn show_overload(&mut self, ctx: &mut Context<Self>) {
        let now = self.env.clock.now();
        if self.overloaded.replace(now).is_none() {
            let reason = "messages wait longer than they should; new calls are refused";
            self.readiness.set(Condition::Overloaded(self.shard.to_string()), reason);
            ctx.run_later(CALM, Self::look_for_calm);
        }
    }

    fn look_for_calm(&mut self, ctx: &mut Context<Self>) {
        let Some(last) = self.overloaded else { return };
        let quiet = self.env.clock.now().since(last);
        if quiet < CALM {
            ctx.run_later(CALM.saturating_sub(quiet), Self::look_for_calm);
            return;
        }
        self.overloaded = None;
        self.readiness.clear(&Condition::Overloaded(self.shard.to_string()));
    }

    /// We carry no calls to other domains.
    fn refuse_foreign(&mut self, tx: ServerTx, request: &Request, flow: Flow, office: &Office, user: UserId) {
        /// Letters of a domain that a record tells.
        const HOST_LEN_MAX: usize = 40;
        let host = request.uri.as_sip().map(|uri| uri.host().into_owned()).unwrap_or_default();
        let host: String = host.chars().take(HOST_LEN_MAX).collect();
        let text = format!("{host} is not among the office's `domains`: no call goes there");
        let (cause, call) = (Cause { status: 404, text }, self.new_call_id(office));
        let (reason, source) = (RefusalReason::ForeignDomain, flow.remote);
        CallRefused { call: &call, reason, cause: &cause, source }.emit(&self.env.metrics);
        keep_record(&self.env, call, office, &Source::User(user), request, &cause);
        self.refuse_told(tx, Response::to_request(request, cause.status));
    }

    pub(super) fn register(&mut self, tx: ServerTx, request: Request, flow: Flow, ctx: &mut Context<Self>) {
        let Some((office, user)) = self.user_of(tx, &request, flow, Challenger::Registrar) else { return };
        // RFC 3261 section 10.3 point 4: he may register for himself only.
        let for_whom = request.headers.to().ok().and_then(|to| to.parse_uri().ok());
        let own = for_whom
            .as_ref()
            .and_then(RequestUri::user)
            .is_some_and(|name| office.find_user(&name).is_some_and(|found| found.id == user.id));
        if !own {
            return self.refuse(tx, Response::to_request(&request, 403));
        }
        match self.snapshot.users.get(&user.id) {
            Some(handle) => {
                // Connections end one by one, and each is counted: no more of them than the listener has open.
                if flow.connection != 0 {
                    self.connections.entry(flow.connection).or_default().insert(user.id.clone());
                }
                post(&handle.register, Register { tx, request, flow, reply: ctx.address().recipient() });
            }
            None => self.refuse(tx, Response::to_request(&request, 404)),
        }
    }

    /// The gateway that calls: by its written sources, by what was registered there, or by where DNS says that it is.
    pub(super) fn gateway_of(&self, request: &Request, flow: Flow) -> Option<(Arc<Office>, GatewayId)> {
        let offices = &self.snapshot.configuration.offices;
        let written = request.uri.user().and_then(|user| Dialled::new(&user).ok());
        if let Some((office, gateway)) = offices.by_gateway(flow.remote, &written?) {
            return Some((Arc::clone(office), gateway));
        }
        let line = request.uri.as_sip().and_then(|uri| uri.param("line"));
        let mut candidates: Vec<GatewayId> = line.and_then(|line| self.peers.by_line(line)).into_iter().collect();
        if candidates.is_empty() {
            candidates = self.peers.at(flow.remote.ip());
        }
        let found = candidates.into_iter().filter_map(|id| {
            let office = offices.get(&id.office)?;
            office.gateway(&id)?;
            Some((Arc::clone(office), id))
        });
        let found: Vec<(Arc<Office>, GatewayId)> = found.collect();
        // Several offices may have the same provider: the one that knows the number gets the call.
        let knows = |(office, gateway): &&(Arc<Office>, GatewayId)| {
            let source = Source::Gateway(gateway.clone());
            called(office, &source, request).is_some_and(|called| office.takes(&source, &called))
        };
        found.iter().find(knows).or_else(|| found.first()).cloned()
    }
}

/// Whether a user calls for help with it.
pub(super) fn dials_help(office: &Office, request: &Request) -> bool {
    match &request.uri {
        RequestUri::Raw(urn) => office.help_by_urn(urn).is_some(),
        RequestUri::Sip(_) | RequestUri::Tel(_) => {
            let dialled = request.uri.user().and_then(|user| Dialled::new(&user).ok());
            dialled.is_some_and(|dialled| office.help(&dialled).is_some())
        }
    }
}
