//! Devices that sleep and are woken by a push notification (RFC 8599).

use crate::message::Response;
use crate::name_addr::Contact;
use crate::rejection::Rejection;
use crate::uri::{RequestUri, unescape};

/// The longest identifier of a device that is kept: those of the large services have 64 to 250 bytes.
const PRID_LEN_MAX: usize = 384;

/// How a sleeping device is woken (RFC 8599 section 4.1.1): what the push service wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The push service, such as `fcm` or `apns`.
    pub provider: String,
    /// What that service needs beside, such as the app's name; often empty.
    pub param: String,
    /// The device, as that service knows it. Whoever has it can wake the device: it is not logged.
    pub prid: String,
}

impl Push {
    /// Of a contact; `None` for a device that wants no push.
    pub fn of(contact: &str) -> Option<Self> {
        let uri = RequestUri::parse(contact).ok()?;
        let uri = uri.as_sip()?;
        let param = |name: &str| uri.param(name).map(|value| unescape(value).into_owned());
        let (provider, prid) = (param("pn-provider")?, param("pn-prid")?);
        let whole = !provider.is_empty() && !prid.is_empty() && prid.len() <= PRID_LEN_MAX;
        whole.then(|| Self { provider, param: param("pn-param").unwrap_or_default(), prid })
    }
}

/// What the contacts of a REGISTER say of push services; the ones that its response is to name.
///
/// # Errors
/// 555 for a service that is not known here (RFC 8599 section 5.1).
pub(super) fn asked(contacts: &[Contact<'_>], known: &[String]) -> Result<Vec<String>, Rejection> {
    let mut named = Vec::new();
    for uri in contacts.iter().filter_map(Contact::addr).filter_map(|addr| addr.parse_uri().ok()) {
        let Some(uri) = uri.as_sip().filter(|uri| uri.has_param("pn-provider")) else { continue };
        match uri.param("pn-provider").filter(|provider| !provider.is_empty()) {
            Some(provider) if known.iter().any(|known| known == provider) => named.push(provider.to_owned()),
            Some(_) => return Err(Rejection::of(555)),
            // A question: which ones are there?
            None => named.extend_from_slice(known),
        }
    }
    named.sort();
    named.dedup();
    Ok(named)
}

/// Names them (RFC 8599 section 6, RFC 6809).
pub(super) fn tell(response: &mut Response, named: &[String]) {
    for provider in named {
        response.headers.push("Feature-Caps", format!("*;+sip.pns=\"{provider}\""));
    }
}
