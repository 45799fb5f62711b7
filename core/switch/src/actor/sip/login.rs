//! Who a user is: proven by digest, and guessers are not listened to.

use plugboard_metrics::{GuesserSilenced, LoginFailed, LoginFault, RegistrationAnswered, RegistrationOutcome};
use plugboard_office::{DigestChoice, DigestIntegrity, Office, User};
use plugboard_sip::digest::{
    Algorithms, Authenticator, Credentials, Decoys, DigestAnswer, DigestSettings, Integrity, Secret, Signed, Terms,
    UriCheck, Verdict,
};
use plugboard_sip::flow::Flow;
use plugboard_sip::transaction::{Input, ServerTx};
use plugboard_sip::{Method, Request, RequestUri, Response};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::SipActor;
use super::admit::dials_help;

/// A nonce lives five minutes: longer than a phone takes between its requests in a call, shorter than a guess.
const NONCE_LIFE: Duration = Duration::from_secs(300);

/// What one office asks of those who come.
pub(super) struct Door {
    authenticator: Authenticator,
    /// Made from the office's users when they are needed.
    decoys: Option<Decoys>,
}

impl Door {
    /// The office was applied anew.
    pub(super) fn users_changed(&mut self) {
        self.decoys = None;
    }

    fn decoys(&mut self, office: &Office) -> &Decoys {
        self.decoys.get_or_insert_with(|| decoys(office))
    }
}

/// What the digest headers are called: a registrar's and a user agent server's (401), or a proxy's (407).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Challenger {
    Registrar,
    /// Of subscriptions and publications.
    Agent,
    Proxy,
}

impl SipActor {
    /// The user who proves to be himself; else he is challenged or refused here, and `None`.
    pub(super) fn user_of(
        &mut self,
        tx: ServerTx,
        request: &Request,
        flow: Flow,
        challenger: Challenger,
    ) -> Option<(Arc<Office>, Arc<User>)> {
        let Some(office) = self.office_of(request) else {
            self.belongs_nowhere(tx, request, flow, challenger);
            return None;
        };
        let header = match challenger {
            Challenger::Registrar | Challenger::Agent => "Authorization",
            Challenger::Proxy => "Proxy-Authorization",
        };
        let answers: Vec<_> = request.headers.get_all(header).map(DigestAnswer::parse).collect();
        let unreadable = !answers.is_empty() && answers.iter().all(Result::is_err);
        let answer = answers.into_iter().flatten().find(|answer| answer.realm == office.realm());
        let Some(answer) = answer else {
            if unreadable {
                self.login_failed(LoginFault::Malformed, flow.remote, "");
            }
            let from = request.headers.from().ok().and_then(|from| from.parse_uri().ok());
            let from = from.filter(|from| !is_anonymous(from));
            let claimed = from.as_ref().map(|from| from.user().unwrap_or_default());
            let is_nobody = |name: &str| !name.is_empty() && office.find_user(name).is_none();
            if challenger == Challenger::Proxy && claimed.as_deref().is_some_and(is_nobody) {
                self.tell_stranger(request, flow, 407, false);
            }
            self.challenge(tx, request, flow, &office, claimed.as_deref(), challenger, false);
            return None;
        };
        let (now, from) = (self.env.clock.now(), flow.remote);
        let user = office.find_user(&answer.username).cloned();
        let listens = self.guesses.lock().listens(now, from, user.as_ref().map(|user| &user.id));
        let helps = || request.method == Method::Invite && dials_help(&office, request);
        let is_heard = listens || (helps() && self.guesses.lock().hears_help(now, from));
        if !is_heard {
            self.login_failed(LoginFault::NotListened, flow.remote, &answer.username);
            self.layer.handle(now, Input::Ignore { tx });
            return None;
        }
        let name = Some(&*answer.username);
        match (self.check(request, flow, &office, &answer, user.as_deref())?, user) {
            (Verdict::Ok, Some(user)) => {
                self.guesses.lock().right(from, &user.id);
                self.moves.spoke(flow, Some(&user.id));
                return self.grants(tx, request, flow, &office, &user.id).then_some((office, user));
            }
            (Verdict::Stale | Verdict::OtherTerms | Verdict::Replayed, _) => {
                self.challenge(tx, request, flow, &office, name, challenger, true);
            }
            (Verdict::Malformed, _) => {
                self.login_failed(LoginFault::Malformed, flow.remote, &answer.username);
                self.refuse_told(tx, Response::to_request(request, 400));
            }
            (Verdict::Wrong | Verdict::Ok, user) => {
                let fault = if user.is_some() { LoginFault::WrongPassword } else { LoginFault::UnknownUser };
                self.login_failed(fault, flow.remote, &answer.username);
                let silenced = self.guesses.lock().wrong(now, from, user.as_ref().map(|user| &user.id));
                if let Some(silenced) = silenced {
                    GuesserSilenced { source: flow.remote, seconds: silenced.as_secs() }.emit(&self.env.metrics);
                }
                self.challenge(tx, request, flow, &office, name, challenger, false);
            }
        }
        None
    }

    fn belongs_nowhere(&mut self, tx: ServerTx, request: &Request, flow: Flow, challenger: Challenger) {
        let response = Response::to_request(request, 404);
        match challenger {
            Challenger::Registrar => {
                RegistrationAnswered { outcome: RegistrationOutcome::Refused, user: "" }.emit(&self.env.metrics);
                self.refuse(tx, response);
            }
            Challenger::Proxy => {
                self.tell_stranger(request, flow, 404, true);
                self.refuse_told(tx, response);
            }
            Challenger::Agent => self.refuse(tx, response),
        }
    }

    /// Judges an answer; as long for a user that is not there as for one that is.
    fn check(
        &mut self,
        request: &Request,
        flow: Flow,
        office: &Office,
        answer: &DigestAnswer,
        user: Option<&User>,
    ) -> Option<Verdict> {
        let credentials = user.map(|user| Credentials::Password(Secret::new(user.password.reveal().to_owned())));
        let (now, uri) = (self.env.clock.now(), request.uri.to_string());
        let signed = Signed { method: request.method.as_str(), uri: &uri, body: &request.body };
        let door = self.door(office)?;
        let terms = door.decoys(office).terms(&answer.username, user.map(terms));
        Some(door.authenticator.check(now, answer, (flow.remote.ip(), signed), terms, credentials.as_ref()))
    }

    fn login_failed(&self, fault: LoginFault, source: SocketAddr, user: &str) {
        let at = self.env.clock.now();
        LoginFailed { fault, at, source, user }.emit(&self.env.metrics);
    }

    /// Asks for a password on the terms of the user who is `claimed`, if the caller does not hide his name. A
    /// stranger does not learn from it whether there is such a user.
    #[expect(clippy::too_many_arguments, reason = "what a challenge depends on is decided in one place and meets here")]
    fn challenge(
        &mut self,
        tx: ServerTx,
        request: &Request,
        flow: Flow,
        office: &Arc<Office>,
        claimed: Option<&str>,
        challenger: Challenger,
        stale: bool,
    ) {
        let now = self.env.clock.now();
        let Some(door) = self.door(office) else {
            return self.refuse(tx, Response::to_request(request, 500));
        };
        let terms = match claimed {
            Some(claimed) => {
                let own = office.find_user(claimed).map(|user| terms(user));
                door.decoys(office).terms(claimed, own)
            }
            None => door.decoys(office).for_anybody(),
        };
        let values = door.authenticator.challenge(now, flow.remote.ip(), terms, stale);
        if challenger == Challenger::Registrar {
            RegistrationAnswered { outcome: RegistrationOutcome::Challenged, user: "" }.emit(&self.env.metrics);
        }
        let (status, header) = match challenger {
            Challenger::Registrar | Challenger::Agent => (401, "WWW-Authenticate"),
            Challenger::Proxy => (407, "Proxy-Authenticate"),
        };
        let mut response = Response::to_request(request, status);
        for value in values {
            response.headers.push(header, value);
        }
        self.refuse(tx, response);
    }

    /// Nonces are good on the shard that made them only; another shard calls them stale, and the device tries again.
    fn door(&mut self, office: &Office) -> Option<&mut Door> {
        let known = self.doors.get(&office.id);
        // An office that was applied anew may have another first domain, hence another realm.
        if known.is_none_or(|known| known.authenticator.realm() != office.realm()) {
            let mut key = [0; 32];
            self.env.random.fill(&mut key);
            let settings = DigestSettings {
                realm: office.realm().to_owned(),
                nonce_life: NONCE_LIFE,
                uri_check: UriCheck::Ignore,
                accept_without_qop: false,
            };
            let authenticator = Authenticator::new(key, settings)
                .inspect_err(|error| tracing::error!(office = %office.id, %error, "no digest for this office"))
                .ok()?;
            self.doors.insert(office.id.clone(), Door { authenticator, decoys: None });
        }
        self.doors.get_mut(&office.id)
    }

    /// The office whose domain the caller or the called address names. Where there is but one, whatever they name stands
    /// for it: an admin may have called the switch as he likes, or reach it by the address of a NAT.
    pub(super) fn office_of(&self, request: &Request) -> Option<Arc<Office>> {
        let offices = &self.snapshot.configuration.offices;
        let from = request.headers.from().ok().and_then(|from| from.parse_uri().ok());
        let mut named = from.iter().chain([&request.uri]).filter_map(RequestUri::as_sip);
        named.find_map(|uri| offices.by_domain(&uri.host())).or_else(|| offices.only()).map(Arc::clone)
    }

    /// Whether the called address is of another domain than the office's: then its user part is nobody's here. An
    /// address of numbers may be that of a NAT before us, and the name by which the caller calls himself is one that his
    /// admin gave to us; both count as the office's. A caller who hides his name does not tell what he calls us: then any
    /// name of the only office counts. Source: RFC 3261 section 8.2.2.1, RFC 3323 section 4.1.1.3.
    pub(super) fn is_foreign(&self, request: &Request, office: &Office) -> bool {
        let Some(uri) = request.uri.as_sip().filter(|uri| uri.host_ip().is_none()) else { return false };
        let host = uri.host();
        let offices = &self.snapshot.configuration.offices;
        if let Some(owner) = offices.by_domain(&host) {
            return owner.id != office.id;
        }
        let from = request.headers.from().ok().and_then(|from| from.parse_uri().ok());
        let alias = from.as_ref().is_some_and(|from| {
            (is_anonymous(from) && offices.only().is_some())
                || from.as_sip().is_some_and(|own| own.host().eq_ignore_ascii_case(&host))
        });
        !alias && !host.eq_ignore_ascii_case("localhost")
    }
}

/// Whether a From hides who calls: it then names neither a user nor a domain (RFC 3323 section 4.1.1.3; many phones write
/// their own domain behind `anonymous`).
fn is_anonymous(from: &RequestUri) -> bool {
    let nobody = from.user().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"));
    let nowhere = from.as_sip().is_some_and(|uri| {
        uri.host().rsplit('.').find(|label| !label.is_empty()).is_some_and(|top| top.eq_ignore_ascii_case("invalid"))
    });
    nobody || nowhere
}

const fn terms(user: &User) -> Terms {
    let algorithms = match user.digest {
        DigestChoice::Md5 => Algorithms::Md5,
        DigestChoice::Sha256 => Algorithms::Sha256,
        DigestChoice::Both => Algorithms::Both,
        DigestChoice::Md5Session => Algorithms::Md5Sess,
        DigestChoice::Sha256Session => Algorithms::Sha256Sess,
    };
    let integrity = match user.integrity {
        DigestIntegrity::No => Integrity::No,
        DigestIntegrity::Offered => Integrity::Offered,
        DigestIntegrity::Required => Integrity::Required,
    };
    Terms { algorithms, integrity }
}

fn decoys(office: &Office) -> Decoys {
    let users = office.users().map(|user| (user.number.as_str(), Secret::new(user.password.reveal()), terms(user)));
    let users: Vec<_> = users.collect();
    Decoys::of(office.realm(), users.iter().map(|(name, password, terms)| (*name, password, *terms)))
}
