//! What is written is read again as it was, for messages and parts that nobody thought of.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

use std::borrow::Cow;

use plugboard_sip::{
    Frame, Message, Method, NameAddr, Params, Request, RequestUri, Response, SipUri, StreamFramer, escape_user,
    parse_datagram, unescape,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn header() -> impl Strategy<Value = (String, String)> {
    // Content-Length is the writer's own, and a one-letter name may be a compact form.
    let name = "[A-Za-z!%*_+`'~.-][A-Za-z0-9!%*_+`'~.-]{1,30}"
        .prop_filter("the writer's own", |name| !name.eq_ignore_ascii_case("Content-Length"));
    (name, "([!-~é☎]([ -~é☎\t]{0,60}[!-~é☎])?)?")
}

fn uri() -> impl Strategy<Value = RequestUri> {
    let host = prop_oneof![
        "[a-z][a-z0-9-]{0,10}(\\.[a-z]{2,5}){0,2}",
        Just("[2001:db8::1]".to_owned()),
        "192\\.0\\.2\\.[1-9]"
    ];
    let param = ("[a-zA-Z][a-z-]{0,8}", proptest::option::of("[a-z0-9.%-]{1,10}"));
    let sip = (proptest::option::of("[ -~é]{1,20}"), host, proptest::option::of(1u16..), vec(param, 0..5));
    prop_oneof![
        sip.prop_map(|(user, host, port, params)| {
            let mut uri = SipUri::new(user.as_deref(), &host, port);
            for (name, value) in &params {
                uri.set_param(name, value.as_deref());
            }
            RequestUri::Sip(uri)
        }),
        "tel:\\+?[0-9]{1,15}(;[a-z]{1,5}=[0-9]{1,4})?".prop_map(|text| RequestUri::parse(&text).unwrap()),
        "(urn|http|isbn):[!-;=?-~]{1,30}".prop_filter_map("a URI", |text| RequestUri::parse(&text).ok()),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let body = vec(any::<u8>(), 0..200);
    let start = prop_oneof![
        ("[A-Z!%*_+`'~.a-z0-9-]{1,20}", uri())
            .prop_map(|(method, uri)| { Message::Request(Request::new(Method::from_token(&method), uri)) }),
        (100u16..700, "([!-~é][ -~é]{0,30}[!-~é])?")
            .prop_map(|(status, reason)| { Message::Response(Response { reason, ..Response::new(status) }) }),
    ];
    (start, vec(header(), 0..20), body).prop_map(|(mut message, headers, bytes)| {
        for (name, value) in headers {
            message.headers_mut().push(&name, value);
        }
        match &mut message {
            Message::Request(request) => request.body = bytes,
            Message::Response(response) => response.body = bytes,
        }
        message
    })
}

proptest! {
    #[test]
    fn message_is_read_as_it_was_written(message in message()) {
        prop_assert_eq!(parse_datagram(&message.to_bytes()), Ok(message));
    }

    #[test]
    fn stream_gives_the_messages_that_were_put_in(messages in vec(message(), 1..5), cuts in vec(1usize..200, 1..50)) {
        let mut bytes = Vec::new();
        for message in &messages {
            message.write_to(&mut bytes);
        }
        let (mut framer, mut found) = (StreamFramer::new(), Vec::new());
        let mut rest = bytes.as_slice();
        for cut in cuts.into_iter().cycle() {
            let (part, after) = rest.split_at(cut.min(rest.len()));
            framer.push(part);
            while let Some(frame) = framer.next_frame().unwrap() {
                found.push(frame);
            }
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found, messages.into_iter().map(Frame::Message).collect::<Vec<_>>());
    }

    #[test]
    fn display_names_survive_quoting(display in "[^\r\n\u{0}]{0,30}", tag in "[a-z0-9]{1,10}") {
        let params = format!(";tag={tag}");
        let addr = NameAddr {
            display: Some(Cow::Borrowed(&display)),
            uri: "sip:a@h;lr",
            params: Params::parse(&params).unwrap(),
        };
        let text = addr.to_string();
        prop_assert_eq!(NameAddr::parse(&text), Some(addr));
    }

    #[test]
    fn users_survive_escaping(user in "\\PC{1,20}") {
        let escaped = escape_user(&user);
        prop_assert_eq!(unescape(&escaped), user.as_str());
        let uri = SipUri::new(Some(&user), "h", None);
        let read = SipUri::parse(&uri.to_string()).unwrap();
        prop_assert!(read.equivalent(&uri));
        prop_assert_eq!(read.user_decoded().map(Cow::into_owned), Some(user));
    }

    #[test]
    fn uri_that_is_read_is_written_as_it_was_spelled(text in "(sip|sips|tel|urn):[!-~]{0,40}") {
        if let Ok(uri) = RequestUri::parse(&text) {
            prop_assert_eq!(uri.to_string(), text);
        }
    }

    #[test]
    fn arbitrary_text_does_no_harm_to_the_views(text in "\\PC{0,80}") {
        let _ = (NameAddr::parse(&text), plugboard_sip::Via::parse(&text), Params::parse(&text), RequestUri::parse(&text));
    }
}
