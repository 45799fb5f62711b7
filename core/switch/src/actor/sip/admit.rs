//! Who may call and register: by the gateway's address, or by digest.

use actix::{AsyncContext, Context};
use plugboard_metrics::{CallRefused, RefusalReason, RegistrationAnswered, RegistrationOutcome};
use plugboard_model::{CallId, Dialled, GatewayId, LegId};
use plugboard_office::{DigestChoice, Office, Source, User};
use plugboard_sip::digest::{
    Algorithms, Authenticator, Credentials, DigestAnswer, DigestSettings, Secret, UriCheck, Verdict,
};
use plugboard_sip::flow::Flow;
use plugboard_sip::transaction::ServerTx;
use plugboard_sip::{Request, RequestUri, Response};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::SipActor;
use crate::message::{Register, TakeCall};
use crate::post::post;

/// A nonce lives five minutes: longer than a phone takes between its requests in a call, shorter than a guess.
const NONCE_LIFE: Duration = Duration::from_secs(300);
/// What a refused caller is to wait, in seconds.
const RETRY_AFTER: &str = "5";

/// What the digest headers are called: a registrar's and a user agent server's (401), or a proxy's (407).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Challenger {
    Registrar,
    Proxy,
}

impl SipActor {
    pub(super) fn invite(&mut self, tx: ServerTx, request: Request, flow: Flow) {
        if self.draining {
            CallRefused { reason: RefusalReason::Draining, status: 503 }.emit(&self.env.metrics);
            let mut response = Response::to_request(&request, 503);
            response.headers.push("Retry-After", RETRY_AFTER);
            return self.refuse(tx, response);
        }
        let gateway = self.gateway_of(&request, flow);
        let (office, source) = match gateway {
            Some((office, gateway)) => (office, Source::Gateway(gateway)),
            None => match self.user_of(tx, &request, Challenger::Proxy) {
                Some((office, user)) => {
                    let source = Source::User(user.id.clone());
                    (office, source)
                }
                None => return,
            },
        };
        let mut random = [0; 16];
        self.env.random.fill(&mut random);
        let id = CallId::new(
            office.id.clone(),
            self.env.clock.wall(),
            crate::events::random_with_shard(u128::from_be_bytes(random), self.shard),
        );
        if let Ok(sip_call_id) = request.headers.call_id().map(str::to_owned) {
            self.trace_call(&sip_call_id, &id, LegId::CALLER);
            self.traces.received(self.env.clock.now(), flow, &request.to_bytes());
        }
        post(&self.calls, TakeCall { id, tx, request, flow, source, office });
    }

    pub(super) fn register(&mut self, tx: ServerTx, request: Request, flow: Flow, ctx: &mut Context<Self>) {
        let Some((office, user)) = self.user_of(tx, &request, Challenger::Registrar) else { return };
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

    fn gateway_of(&self, request: &Request, flow: Flow) -> Option<(Arc<Office>, GatewayId)> {
        let called = request.uri.user().and_then(|user| Dialled::new(&user).ok())?;
        let (office, gateway) = self.snapshot.configuration.offices.by_gateway(flow.remote, &called)?;
        Some((Arc::clone(office), gateway))
    }

    /// The user who proves to be himself; else he is challenged or refused here, and `None`.
    fn user_of(&mut self, tx: ServerTx, request: &Request, challenger: Challenger) -> Option<(Arc<Office>, Arc<User>)> {
        let Some(office) = self.office_of(request) else {
            CallRefused { reason: RefusalReason::NotAllowed, status: 404 }.emit(&self.env.metrics);
            self.refuse(tx, Response::to_request(request, 404));
            return None;
        };
        let header = match challenger {
            Challenger::Registrar => "Authorization",
            Challenger::Proxy => "Proxy-Authorization",
        };
        let answer = request
            .headers
            .get_all(header)
            .filter_map(|value| DigestAnswer::parse(value).ok())
            .find(|answer| answer.realm == office.realm());
        let Some(answer) = answer else {
            self.challenge(tx, request, &office, challenger, false);
            return None;
        };
        let user = office.find_user(&answer.username).cloned();
        let algorithms = algorithms(user.as_deref());
        let credentials =
            user.as_ref().map(|user| Credentials::Password(Secret::new(user.password.reveal().to_owned())));
        let now = self.env.clock.now();
        let method = request.method.as_str().to_owned();
        let uri = request.uri.to_string();
        let verdict = self.authenticator(&office)?.check(now, &answer, &method, &uri, algorithms, credentials.as_ref());
        match (verdict, user) {
            (Verdict::Ok, Some(user)) => return Some((office, user)),
            (Verdict::Stale | Verdict::Replayed, _) => self.challenge(tx, request, &office, challenger, true),
            (Verdict::Malformed, _) => {
                self.refuse(tx, Response::to_request(request, 400));
            }
            (Verdict::Wrong | Verdict::Ok, _) => {
                tracing::info!(office = %office.id, "a device gave a wrong password");
                self.challenge(tx, request, &office, challenger, false);
            }
        }
        None
    }

    fn challenge(
        &mut self,
        tx: ServerTx,
        request: &Request,
        office: &Arc<Office>,
        challenger: Challenger,
        stale: bool,
    ) {
        let claimed = request.headers.from().ok().and_then(|from| from.parse_uri().ok());
        let user = claimed.as_ref().and_then(RequestUri::user).and_then(|name| office.find_user(&name).cloned());
        let algorithms = algorithms(user.as_deref());
        let now = self.env.clock.now();
        let Some(authenticator) = self.authenticator(office) else {
            return self.refuse(tx, Response::to_request(request, 500));
        };
        let values = authenticator.challenge(now, algorithms, stale);
        if challenger == Challenger::Registrar {
            RegistrationAnswered { outcome: RegistrationOutcome::Challenged, user: "" }.emit(&self.env.metrics);
        }
        let (status, header) = match challenger {
            Challenger::Registrar => (401, "WWW-Authenticate"),
            Challenger::Proxy => (407, "Proxy-Authenticate"),
        };
        let mut response = Response::to_request(request, status);
        for value in values {
            response.headers.push(header, value);
        }
        self.refuse(tx, response);
    }

    /// Nonces are good on the shard that made them only; another shard calls them stale, and the device tries again.
    fn authenticator(&mut self, office: &Office) -> Option<&mut Authenticator> {
        if !self.authenticators.contains_key(&office.id) {
            let mut key = [0; 32];
            self.env.random.fill(&mut key);
            let settings = DigestSettings {
                realm: office.realm().to_owned(),
                nonce_life: NONCE_LIFE,
                uri_check: UriCheck::Ignore,
                accept_without_qop: false,
            };
            let made = Authenticator::new(key, settings)
                .inspect_err(|error| tracing::error!(office = %office.id, %error, "no digest for this office"))
                .ok()?;
            self.authenticators.insert(office.id.clone(), made);
        }
        self.authenticators.get_mut(&office.id)
    }

    /// The office whose domain the request names; our own addresses and localhost name the only office there is.
    fn office_of(&self, request: &Request) -> Option<Arc<Office>> {
        let offices = &self.snapshot.configuration.offices;
        let from = request.headers.from().ok().and_then(|from| from.parse_uri().ok());
        let named = from.iter().chain([&request.uri]).filter_map(RequestUri::as_sip);
        for uri in named {
            if let Some(office) = offices.by_domain(&uri.host()) {
                return Some(Arc::clone(office));
            }
            let local = uri.host_ip().map_or(uri.host() == "localhost", |ip| self.is_ours(ip));
            if local && let Some(only) = offices.only() {
                return Some(Arc::clone(only));
            }
        }
        None
    }

    /// A listener on every address is called by whichever leads to it, also by the one in front of a NAT; whoever
    /// names a stranger's address must prove who he is all the same.
    fn is_ours(&self, ip: IpAddr) -> bool {
        let listens = |address: IpAddr| address == ip || address.is_unspecified();
        ip.is_loopback() || self.env.sip.local_addresses().iter().any(|(_, address)| listens(address.ip()))
    }
}

fn algorithms(user: Option<&User>) -> Algorithms {
    match user.map(|user| user.digest) {
        Some(DigestChoice::Md5) | None => Algorithms::Md5,
        Some(DigestChoice::Sha256) => Algorithms::Sha256,
        Some(DigestChoice::Both) => Algorithms::Both,
    }
}
