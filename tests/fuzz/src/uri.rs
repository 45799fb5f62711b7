//! Request-URIs and the URIs of addresses.

use plugboard_sip::{RequestUri, SipUri, escape_user, unescape};

/// The bytes are a URI, as text.
///
/// # Panics
/// When a URI is written otherwise than it can be read again, is no equal of itself, or does not keep a parameter.
pub fn uri(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let escaped = escape_user(&text);
    assert_eq!(unescape(&escaped), text, "{escaped}");
    let Ok(uri) = RequestUri::parse(&text) else { return };
    let written = uri.to_string();
    assert_eq!(RequestUri::parse(&written).as_ref(), Ok(&uri), "{text:?} was written as {written:?}");
    let _ = (uri.user().map(|user| user.into_owned()), uri.scheme());
    if let Some(sip) = uri.as_sip() {
        sip_uri(sip);
    }
}

fn sip_uri(uri: &SipUri) {
    assert!(uri.equivalent(uri), "{uri} is no equal of itself");
    let _ = (uri.host_ip(), uri.port(), uri.transport(), uri.password(), uri.headers(), uri.user_decoded());
    let mut changed = uri.clone();
    changed.set_param("x-fuzz", Some("1"));
    assert_eq!(changed.param("x-fuzz"), Some("1"), "{changed}");
    let again = SipUri::parse(&changed.to_string());
    assert_eq!(again.as_ref().ok().and_then(|uri| uri.param("x-fuzz")), Some("1"), "{changed}");
    assert!(changed.remove_param("x-fuzz"), "{changed}");
    assert!(!changed.has_param("x-fuzz"), "{changed}");
}
