//! Capability `dial`.

use super::bindings::plugboard::switch::dial as wit;
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{HostCall, HostResult, Line, NotConnected, OfficeId, RingBack, RingRequest, Target, UserPhones};

/// Targets that may ring at once: a group's members ring besides.
const TARGETS_MAX: usize = 32;
/// Digits of a number with its prefixes, as E.164 and common gateways allow them, or a short name.
const NUMBER_BYTES_MAX: usize = 64;
/// Bytes of a SIP address: a name and a domain of the longest (RFC 1035 section 2.3.4).
const ADDRESS_BYTES_MAX: usize = 320;

impl wit::Host for Guest {
    async fn ring(
        &mut self,
        targets: Vec<wit::Target>,
        ring_for_ms: u32,
        ring_back: wit::RingBack,
    ) -> wasmtime::Result<Result<wit::Connected, wit::NotConnected>> {
        let request = match ring_request(self.office(), targets, ring_for_ms, ring_back) {
            Ok(request) => request,
            Err(fault) => return Ok(Err(wit::NotConnected::Invalid(fault))),
        };
        let HostResult::Rang(rang) = self.ask(HostCall::Ring(request)).await? else {
            return Err(wrong_answer("dial.ring"));
        };
        Ok(rang
            .map(|connected| wit::Connected {
                user: connected.user.as_ref().map(words::user_told),
                number: connected.number,
                rang_ms: connected.rang_ms,
            })
            .map_err(|why| match why {
                NotConnected::Timeout => wit::NotConnected::Timeout,
                NotConnected::NoAnswer(cause) => wit::NotConnected::NoAnswer(words::cause_told(cause)),
                NotConnected::CallerGone => wit::NotConnected::CallerGone,
                NotConnected::Denied(which) => wit::NotConnected::Denied(which),
                NotConnected::Invalid(which) => wit::NotConnected::Invalid(which),
                NotConnected::Talking => wit::NotConnected::Talking,
            }))
    }
}

fn ring_request(
    office: &OfficeId,
    targets: Vec<wit::Target>,
    ring_for_ms: u32,
    ring_back: wit::RingBack,
) -> Result<RingRequest, String> {
    words::in_range("the number of targets", targets.len(), 1..=TARGETS_MAX)?;
    Ok(RingRequest {
        targets: targets.into_iter().map(|given| target(office, given)).collect::<Result<_, _>>()?,
        ring_for_ms: words::in_range("ring-for-ms", ring_for_ms, 1_000..=600_000)?,
        ring_back: match ring_back {
            wit::RingBack::Tone => RingBack::Tone,
            wit::RingBack::Music => RingBack::Music,
            wit::RingBack::Silence => RingBack::Silence,
        },
    })
}

fn target(office: &OfficeId, given: wit::Target) -> Result<Target, String> {
    Ok(match given {
        wit::Target::User(id) => Target::User(words::user(office, &id)?),
        wit::Target::Group(id) => Target::Group(words::group(office, &id)?),
        wit::Target::Number(number) => Target::Number(visible("number", number, NUMBER_BYTES_MAX)?),
        wit::Target::Phones(wit::Phones { user, all }) => {
            Target::Phones(UserPhones { user: words::user(office, &user)?, all })
        }
        wit::Target::Line(wit::Line { number, gateway, confirm }) => Target::Line(Line {
            number: visible("number", number, NUMBER_BYTES_MAX)?,
            gateway: gateway.map(|name| visible("gateway", name, NUMBER_BYTES_MAX)).transpose()?,
            confirm,
        }),
        wit::Target::Address(address) => Target::Address(visible("address", address, ADDRESS_BYTES_MAX)?),
    })
}

/// A word that could be dialled.
fn visible(what: &str, word: String, bytes_max: usize) -> Result<String, String> {
    if (1..=bytes_max).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(word);
    }
    Err(format!("{what} {} is not 1 to {bytes_max} visible characters", words::cut(&word)))
}
