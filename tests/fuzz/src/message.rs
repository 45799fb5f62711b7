//! Whole messages.

use plugboard_sip::{Abilities, Message, Method, check_response, parse_datagram, peek, validate};

/// See the function: what is read and said holds.
///
/// # Panics
/// When a message that was read is not written as it was, when the peeked keys are others than those of the read message,
/// or when an answer cannot be written.
pub fn message(bytes: &[u8]) {
    exercise(bytes);
}

/// Reads everything that can be read of the bytes; the message, if they are one.
///
/// # Panics
/// As [`message()`].
pub fn exercise(bytes: &[u8]) -> Option<Message> {
    let methods = [Method::Invite, Method::Register];
    let abilities = Abilities { methods: &methods, extensions: &[], content_types: &["application/sdp"], tel: false };
    let peeked = peek(bytes);
    let message = match parse_datagram(bytes) {
        Ok(message) => message,
        Err(error) => {
            let _ = error.answer().map(|answer| answer.to_bytes());
            return None;
        }
    };
    let sound = match &message {
        Message::Request(request) => match validate(request, &abilities) {
            Ok(()) => true,
            Err(rejection) => {
                let _ = rejection.response(request).to_bytes();
                false
            }
        },
        Message::Response(response) => check_response(response).is_ok(),
    };
    let written = message.to_bytes();
    assert_eq!(parse_datagram(&written).as_ref(), Ok(&message), "{}", written.escape_ascii());
    if sound {
        let headers = message.headers();
        let keys = peeked.map(|peeked| {
            (String::from_utf8_lossy(peeked.call_id).into_owned(), String::from_utf8_lossy(peeked.branch).into_owned())
        });
        let branch = headers.top_via().ok().map(|via| via.branch().unwrap_or_default().to_owned());
        let read = headers.call_id().ok().map(ToOwned::to_owned).zip(branch);
        assert!(keys.is_some() && keys == read, "{keys:?} peeked, {read:?} read of {}", bytes.escape_ascii());
    }
    let mut marked = message.clone();
    marked.headers_mut().mark_received(std::net::SocketAddr::from(([192, 0, 2, 77], 5099)));
    marked.headers_mut().set_to_tag("t");
    while marked.headers_mut().pop_via() {}
    while marked.headers_mut().pop_route() {}
    Some(message)
}
