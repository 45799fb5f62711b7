//! Answers to requests outside dialogs that need no state.

use crate::message::{Request, Response};
use crate::method::Method;
use crate::validate::{Abilities, validate};

/// The answer to a request that needs no session, registrar or scenario: a fault by RFC 3261 section 8.2 (400, 405
/// with Allow, 415, 416, 420), OPTIONS (200), a request for a dialog that nobody knows (481), and any method that
/// means nothing outside a dialog. `None` for those that the switch must look at: INVITE, REGISTER, and what else
/// `abilities` name besides; an ACK is never answered either, drop it.
///
/// To gets no tag: [`crate::transaction::Input::Refuse`] gives it one. In-dialog requests of known dialogs must not come
/// here.
pub fn stateless_reply(request: &Request, abilities: &Abilities<'_>) -> Option<Response> {
    if request.method == Method::Ack {
        return None;
    }
    match validate(request, abilities) {
        Err(rejection) => Some(rejection.response(request)),
        Ok(()) if is_in_dialog(request) => Some(Response::to_request(request, 481)),
        Ok(()) if request.method == Method::Options => Some(options_reply(request, abilities)),
        // They belong to a dialog, and this one has none (RFC 3261 sections 9.2 and 15.1.2).
        Ok(())
            if matches!(
                request.method,
                Method::Bye | Method::Cancel | Method::Update | Method::Prack | Method::Info
            ) =>
        {
            Some(Response::to_request(request, 481))
        }
        Ok(()) => None,
    }
}

/// The 200 to OPTIONS: what is understood here (RFC 3261 section 11.2).
pub fn options_reply(request: &Request, abilities: &Abilities<'_>) -> Response {
    let mut response = Response::to_request(request, 200);
    let methods: Vec<&str> = abilities.methods.iter().map(Method::as_str).collect();
    response.headers.push("Allow", methods.join(", "));
    response.headers.push("Accept", abilities.content_types.join(", "));
    response.headers.push("Accept-Encoding", "identity");
    response.headers.push("Accept-Language", "en");
    response.headers.push("Supported", abilities.extensions.join(", "));
    response
}

fn is_in_dialog(request: &Request) -> bool {
    request.headers.to().is_ok_and(|to| to.tag().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uri::RequestUri;

    const ABILITIES: Abilities<'static> = Abilities {
        methods: &[Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options, Method::Register],
        extensions: &[],
        content_types: &["application/sdp"],
        tel: false,
    };

    fn request(method: &str, to: &str) -> Request {
        let mut request =
            Request::new(Method::from_token(method), RequestUri::parse("sip:100@plugboard.test").unwrap());
        for (name, value) in [
            ("Via", "SIP/2.0/UDP h;branch=z9hG4bKx"),
            ("From", "<sip:a@b>;tag=f"),
            ("To", to),
            ("Call-ID", "c"),
            ("CSeq", &format!("1 {method}")),
        ] {
            request.headers.push(name, value);
        }
        request
    }

    fn status(method: &str, to: &str) -> Option<u16> {
        stateless_reply(&request(method, to), &ABILITIES).map(|response| response.status)
    }

    #[test]
    fn options_says_what_is_understood() {
        let reply = stateless_reply(&request("OPTIONS", "<sip:100@a>"), &ABILITIES).unwrap();
        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers.get("Allow"), Some("INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER"));
        assert_eq!(reply.headers.get("Accept"), Some("application/sdp"));
        assert_eq!(reply.headers.get("Supported"), Some(""));
    }

    #[test]
    fn unknown_method_is_405_with_allow() {
        let reply = stateless_reply(&request("KDMQ", "<sip:100@a>"), &ABILITIES).unwrap();
        assert_eq!(reply.status, 405);
        assert!(reply.headers.get("Allow").unwrap().starts_with("INVITE, ACK"));
    }

    #[test]
    fn requests_for_unknown_dialogs_are_481_and_new_ones_are_left_to_the_switch() {
        assert_eq!(status("BYE", "<sip:100@a>;tag=gone"), Some(481));
        assert_eq!(status("BYE", "<sip:100@a>"), Some(481));
        assert_eq!(status("INVITE", "<sip:100@a>;tag=gone"), Some(481));
        assert_eq!(status("INVITE", "<sip:100@a>"), None);
        assert_eq!(status("REGISTER", "<sip:100@a>"), None);
        assert_eq!(status("ACK", "<sip:100@a>;tag=gone"), None);
    }

    #[test]
    fn faults_get_their_status() {
        let mut broken = request("INVITE", "<sip:100@a>");
        broken.headers.push("Require", "nothingSupportsThis");
        let reply = stateless_reply(&broken, &ABILITIES).unwrap();
        assert_eq!((reply.status, reply.headers.get("Unsupported")), (420, Some("nothingSupportsThis")));
        assert_eq!(status("INVITE", "nonsense"), Some(400));
    }
}
