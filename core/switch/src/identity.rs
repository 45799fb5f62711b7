//! Who calls and who is called, as a request says it and as a gateway is told.
//!
//! Source: RFC 3323 (Privacy), RFC 3325 (P-Asserted-Identity); Remote-Party-ID is draft-ietf-sip-privacy-04.

use plugboard_call::Begin;
use plugboard_model::{Dialled, GatewayId, UserId, WallTime};
use plugboard_office::{CallerRules, EmergencyHeader, Gateway, Identity, Inquiry, Location, Office, Source};
use plugboard_sip::flow::Flow;
use plugboard_sip::{NameAddr, Request, RequestUri, SipUri};

use std::fmt::Write as _;

use crate::diversion::Brought;
use crate::message::{Device, Shown};

/// Letters of a name or number that came from outside.
const NAME_LEN_MAX: usize = 64;

/// Who calls, as the office knows him.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// Empty when it is withheld.
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) user: Option<UserId>,
    pub(crate) gateway: Option<GatewayId>,
    /// He does not want those whom he calls outside to know who he is.
    pub(crate) hides: bool,
}

impl Caller {
    /// Somebody on whose behalf we call.
    pub(crate) fn of_user(office: &Office, user: &UserId) -> Self {
        let known = office.user(user);
        let number = known.map_or_else(String::new, |user| user.number.as_str().to_owned());
        let name = known.map_or_else(String::new, |user| user.name.clone());
        Self { number, name, user: Some(user.clone()), gateway: None, hides: false }
    }

    pub(crate) fn of(office: &Office, source: &Source, request: &Request) -> Self {
        let hides = wants_privacy(request);
        match source {
            // The identity that was proven, not the one that was claimed.
            Source::User(user) => Self { hides, ..Self::of_user(office, user) },
            Source::Gateway(id) => {
                let gateway = office.gateway(id);
                let (number, name) = claimed(request, gateway.is_some_and(|gateway| gateway.caller.believed));
                let e164 = number.as_ref().and_then(|number| office.e164_of(gateway?, number));
                // A number that its carrier tells in confidence is for the carrier alone.
                let number = e164.or(number).filter(|_| !hides).map_or_else(String::new, String::from);
                let name = if number.is_empty() { String::new() } else { name };
                Self { number, name, user: None, gateway: Some(id.clone()), hides }
            }
        }
    }
}

/// The number and name that a gateway gives: with `believed` in the headers of those who are trusted, else in From.
fn claimed(request: &Request, believed: bool) -> (Option<Dialled>, String) {
    let headers = &request.headers;
    let trusted = ["P-Asserted-Identity", "Remote-Party-ID"];
    let asserted = trusted.into_iter().filter(|_| believed).flat_map(|name| headers.get_all(name));
    let asserted = asserted.filter_map(|value| NameAddr::parse(value).and_then(|address| number_of(&address)));
    let from = headers.from().ok().as_ref().and_then(number_of);
    let (number, name) = asserted.chain(from).next().unwrap_or_default();
    (Dialled::new(&number).ok(), name)
}

/// The number in an address, and the name beside it; none in one that says only that it says nothing.
fn number_of(address: &NameAddr<'_>) -> Option<(String, String)> {
    let uri = address.parse_uri().ok()?;
    let number = uri.user().filter(|number| !number.eq_ignore_ascii_case("anonymous"))?.into_owned();
    Some((number, address.display.as_ref().map(|name| tame(name)).unwrap_or_default()))
}

/// What came from outside, as it may stand in a record.
pub(crate) fn tame(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(NAME_LEN_MAX).collect()
}

/// Whether the caller hides: by Privacy, by Remote-Party-ID, or in From as phones do (RFC 3323 section 4.1).
fn wants_privacy(request: &Request) -> bool {
    let headers = &request.headers;
    let asked = headers.get_all("Privacy").flat_map(|value| value.split(';')).map(str::trim);
    let mut asked = asked.filter(|value| !value.eq_ignore_ascii_case("none"));
    let from = headers.from().ok();
    let uri = from.as_ref().and_then(|from| from.parse_uri().ok());
    let anonymous = uri.as_ref().is_some_and(|uri| {
        let host = uri.as_sip().map(|uri| uri.host().into_owned()).unwrap_or_default();
        uri.user().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"))
            || host.eq_ignore_ascii_case("anonymous.invalid")
    });
    let remote = headers.get_all("Remote-Party-ID").filter_map(NameAddr::parse);
    let mut remote = remote.filter_map(|address| address.param("privacy"));
    anonymous
        || asked.any(|value| ["id", "user", "header", "session"].iter().any(|one| value.eq_ignore_ascii_case(one)))
        || remote.any(|value| !value.eq_ignore_ascii_case("off"))
}

/// The number that a request is for. A registrar sends calls to what was registered: then To says which number it is.
pub(crate) fn called(office: &Office, source: &Source, request: &Request) -> Option<Dialled> {
    if let (RequestUri::Raw(urn), Source::User(_)) = (&request.uri, source) {
        return office.help_by_urn(urn);
    }
    let user = request.uri.user()?;
    let Source::Gateway(gateway) = source else { return Dialled::new(&user).ok() };
    let registered = office.gateway(gateway).filter(|gateway| gateway.register.is_some());
    let is_account = registered.and_then(|gateway| gateway.login.as_ref()).is_some_and(|login| login.user == user);
    let told = is_account.then(|| {
        let to = request.headers.to().ok()?.parse_uri().ok()?;
        Dialled::new(&to.user()?).ok()
    });
    told.flatten().or_else(|| Dialled::new(&user).ok())
}

/// What is known about the way that a call asks for.
pub(crate) fn inquiry(office: &Office, source: &Source, request: &Request, called: &Dialled, now: WallTime) -> Inquiry {
    let brought = Brought::by(office, source, request);
    let diverted = brought.list.first().and_then(|first| Dialled::new(first.user.as_deref()?).ok());
    let caller = Caller::of(office, source, request).number;
    let language = request.headers.get("Accept-Language").and_then(preferred);
    Inquiry { caller, language, diverted, ..Inquiry::new(source, called, now) }
}

/// The language that is wanted most; the first of several.
///
/// Source: RFC 3261 section 20.3 (RFC 9110 section 12.5.4).
fn preferred(languages: &str) -> Option<String> {
    /// Languages of one header: nobody speaks more.
    const LANGUAGES_MAX: usize = 16;
    let one = |item: &str| {
        let (tag, rest) = item.split_once(';').unwrap_or((item, ""));
        let weight = rest.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.trim().parse::<f32>().ok())?;
        let tag = tag.trim();
        let is_tag = !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (is_tag && weight > 0.0).then(|| (weight, tag.chars().take(NAME_LEN_MAX).collect::<String>()))
    };
    let all = languages.split(',').take(LANGUAGES_MAX).filter_map(one);
    all.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, tag)| tag)
}

/// Where whoever sent this is reached outside of its dialog.
pub(crate) fn reached_at(request: &Request, flow: Flow) -> Device {
    let contact = request.headers.get("Contact").and_then(NameAddr::parse);
    let contact = contact.and_then(|contact| contact.parse_uri().ok()).map(|uri| uri.to_string());
    let contact = contact.unwrap_or_else(|| SipUri::of_address(None, flow.remote).to_string());
    Device {
        contact,
        flow,
        path: request.headers.get_all("Record-Route").map(str::to_owned).collect(),
        others: Vec::new(),
    }
}

/// How a gateway is told who calls: From, and the headers beside it.
pub(crate) fn told(office: &Office, gateway: &Gateway, begin: &Begin, hides: bool) -> (String, Vec<(String, String)>) {
    let rules = &gateway.caller;
    let number = shown_number(office, gateway, begin);
    let domain = if gateway.register.is_some() { gateway.address.host() } else { office.realm().to_owned() };
    let address = |number: &str| {
        let uri = SipUri::new(Some(number), &domain, None);
        if begin.caller_name.is_empty() {
            return format!("<{uri}>");
        }
        let mut name = String::new();
        plugboard_sip::push_quoted(&mut name, &begin.caller_name);
        format!("{name} <{uri}>")
    };
    let Some(number) = number else {
        return (ANONYMOUS.to_owned(), privacy());
    };
    let (header, value) = match rules.tells {
        Identity::From => (None, String::new()),
        Identity::Asserted => (Some("P-Asserted-Identity"), address(&number)),
        Identity::RemoteParty => {
            let secrecy = if hides { "full" } else { "off" };
            (Some("Remote-Party-ID"), format!("{};party=calling;screen=yes;privacy={secrecy}", address(&number)))
        }
    };
    let mut headers: Vec<(String, String)> = header.map(|name| (name.to_owned(), value)).into_iter().collect();
    if hides {
        headers.extend(privacy());
        return (ANONYMOUS.to_owned(), headers);
    }
    (address(&number), headers)
}

/// The number that a gateway is shown of somebody who calls for help, and that leads back to him.
pub(crate) fn call_back(office: &Office, gateway: &Gateway, begin: &Begin, location: Option<&Location>) -> String {
    let own = || office.user(begin.caller_user.as_ref()?)?.outside_number.clone();
    let of_place = location.and_then(|location| location.call_back.clone());
    let number = of_place.or_else(|| office.emergency.call_back.clone()).or_else(own);
    let number = number.or_else(|| gateway.caller.number.clone());
    number.map_or_else(|| begin.caller.clone(), String::from)
}

/// How a gateway is told who calls for help: whoever does, does not hide.
pub(crate) fn told_for_help(
    office: &Office,
    gateway: &Gateway,
    (number, name): (&str, &str),
    location: Option<&Location>,
) -> (String, Vec<(String, String)>) {
    let written = |number: &str| {
        Dialled::new(number)
            .map_or_else(|_| number.to_owned(), |number| office.number_plan().write(&number, gateway.numbers).into())
    };
    let domain = if gateway.register.is_some() { gateway.address.host() } else { office.realm().to_owned() };
    let uri = SipUri::new(Some(&written(number)), &domain, None);
    let mut address = String::new();
    if !name.is_empty() {
        plugboard_sip::push_quoted(&mut address, name);
        address.push(' ');
    }
    // Writing into memory cannot fail.
    let _ = write!(address, "<{uri}>");
    let mut headers = vec![("P-Asserted-Identity".to_owned(), address.clone())];
    if let Some(place) = location.and_then(|location| location.geolocation.as_ref()) {
        headers.push(("Geolocation".to_owned(), format!("<{place}>")));
        headers.push(("Geolocation-Routing".to_owned(), "yes".to_owned()));
    }
    headers.extend(gateway.emergency_headers.iter().map(|header| match header {
        EmergencyHeader::Priority => ("Priority".to_owned(), "emergency".to_owned()),
        EmergencyHeader::ResourcePriority => ("Resource-Priority".to_owned(), "esnet.0".to_owned()),
    }));
    (address, headers)
}

/// How whoever is at a SIP address outside is told who calls: From, and the headers beside it.
pub(crate) fn told_outside(shown: &Shown, hides: bool) -> (String, Vec<(String, String)>) {
    if hides || shown.number.is_empty() {
        return (ANONYMOUS.to_owned(), privacy());
    }
    (shown.address.clone(), Vec::new())
}

/// RFC 3323 section 4.1.1.3.
const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

fn privacy() -> Vec<(String, String)> {
    vec![("Privacy".to_owned(), "id".to_owned())]
}

/// The number that a gateway shows of the caller, in its own format; `None` when nobody knows one.
fn shown_number(office: &Office, gateway: &Gateway, begin: &Begin) -> Option<String> {
    let CallerRules { number: ours, passes, .. } = &gateway.caller;
    let own = Dialled::new(&begin.caller).ok();
    let number = match &begin.caller_user {
        Some(user) => office.user(user).and_then(|user| user.outside_number.clone()).or_else(|| ours.clone()).or(own),
        None if *passes => own.or_else(|| ours.clone()),
        None => ours.clone().or(own),
    };
    Some(office.number_plan().write(&number?, gateway.numbers).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_wanted_most_is_the_callers() {
        for (header, language) in [
            ("de", Some("de")),
            ("da, en-gb;q=0.8, en;q=0.7", Some("da")),
            ("en;q=0.7, de-AT;q=0.9", Some("de-AT")),
            ("en;q=0", None),
            ("*", None),
            ("", None),
            ("x\u{fffd}y, ru", Some("ru")),
        ] {
            assert_eq!(preferred(header).as_deref(), language, "{header}");
        }
    }
}
