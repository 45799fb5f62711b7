//! Who has sent a call on: what a call brings of it, and what gateways and phones are told.
//!
//! Source: RFC 5806 (Diversion), RFC 7044 (History-Info), RFC 7544 (from one to the other).

use plugboard_call::Forward;
use plugboard_model::{Dialled, ForwardWhy};
use plugboard_office::{Gateway, Office, Source, TellsDiversion};
use plugboard_sip::{Diversion, DiversionReason, Request, SipUri};

/// Those who sent a call on before it came to us.
#[derive(Debug, Clone, Default)]
pub(crate) struct Brought {
    /// Those whom we tell others of, the first one first: only of a gateway that is believed.
    pub(crate) list: Vec<Diversion>,
    /// How often it was sent on, whoever says so: lying only shortens the way of his own call.
    pub(crate) times: usize,
}

impl Brought {
    pub(crate) fn by(office: &Office, source: &Source, request: &Request) -> Self {
        let read = Diversion::read(&request.headers);
        let times = Diversion::times(&read);
        let gateway = match source {
            Source::Gateway(gateway) => office.gateway(gateway).filter(|gateway| gateway.caller.believed),
            Source::User(_) => None,
        };
        let list = gateway.map(|gateway| read.into_iter().map(|one| known(office, gateway, one)).collect());
        Self { list: list.unwrap_or_default(), times }
    }
}

/// The number as the office writes it; who has none that can be dialled is nobody.
fn known(office: &Office, gateway: &Gateway, one: Diversion) -> Diversion {
    let number = one.user.and_then(|user| Dialled::new(&user).ok());
    let number = number.map(|number| office.e164_of(gateway, &number).unwrap_or(number));
    Diversion { user: number.map(String::from), ..one }
}

/// What a gateway is told of those who sent a call on that goes to `target` now.
pub(crate) fn told(
    office: &Office,
    gateway: &Gateway,
    brought: &Brought,
    forwards: &[Forward],
    target: &SipUri,
) -> Vec<(String, String)> {
    let written = |number: &Dialled| String::from(office.number_plan().write(number, gateway.numbers));
    let before = brought.list.iter().cloned().map(|one| {
        let number = one.user.and_then(|user| Dialled::new(&user).ok());
        Diversion { user: number.as_ref().map(written), ..one }
    });
    let ours = forwards.iter().map(|forward| {
        let number = outside_number(office, gateway, forward);
        Diversion { user: number.as_ref().map(written), reason: reason(forward.why), count: 1 }
    });
    let list: Vec<Diversion> = before.chain(ours).collect();
    if list.is_empty() {
        return Vec::new();
    }
    let domain = if gateway.register.is_some() { gateway.address.host() } else { office.realm().to_owned() };
    let diversion = || named("Diversion", Diversion::write(&list, &domain));
    let history = || named("History-Info", Diversion::write_history(&list, &domain, target));
    match gateway.diversion {
        TellsDiversion::No => Vec::new(),
        TellsDiversion::Diversion => diversion(),
        TellsDiversion::HistoryInfo => history(),
        TellsDiversion::Both => [diversion(), history()].concat(),
    }
}

/// What a phone of the office is told: who of the office sent the call on, by internal number.
pub(crate) fn shown(office: &Office, forwards: &[Forward]) -> Vec<(String, String)> {
    let one = |forward: &Forward| {
        let user = forward.user.as_ref().and_then(|user| office.user(user));
        let number = user.map_or_else(|| forward.number.clone(), |user| user.number.as_str().to_owned());
        Diversion { user: Some(number), reason: reason(forward.why), count: 1 }
    };
    let list: Vec<Diversion> = forwards.iter().map(one).collect();
    named("Diversion", Diversion::write(&list, office.realm()))
}

/// The number of somebody of ours for the outside, as callers are shown there.
fn outside_number(office: &Office, gateway: &Gateway, forward: &Forward) -> Option<Dialled> {
    let Some(user) = &forward.user else { return Dialled::new(&forward.number).ok() };
    let user = office.user(user)?;
    let own = user.outside_number.clone().or_else(|| gateway.caller.number.clone());
    Some(own.unwrap_or_else(|| user.number.clone()))
}

fn named(name: &str, values: Vec<String>) -> Vec<(String, String)> {
    values.into_iter().map(|value| (name.to_owned(), value)).collect()
}

const fn reason(why: ForwardWhy) -> DiversionReason {
    match why {
        ForwardWhy::Unconditional => DiversionReason::Unconditional,
        ForwardWhy::Busy => DiversionReason::UserBusy,
        ForwardWhy::NoAnswer => DiversionReason::NoAnswer,
        ForwardWhy::Unavailable => DiversionReason::Unavailable,
        ForwardWhy::DoNotDisturb => DiversionReason::DoNotDisturb,
        ForwardWhy::Deflection => DiversionReason::Deflection,
    }
}
