//! Every message of RFC 4475 and RFC 5118 gets the treatment that its section asks for.
//!
//! The bytes are those of the RFCs' archives. Where a section leaves a choice, the table says which one was taken.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

use plugboard_sip::{
    Abilities, Contact, Headers, Message, Method, NameAddr, Params, Request, RequestUri, Via, check_response,
    parse_datagram, peek, validate,
};
use sipx_testkit::{rfc4475, rfc5118};

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Treatment {
    /// A request goes to the layers above, a response to its transaction.
    Taken,
    /// A request is answered with this status.
    Answered(u16),
    /// Nothing is said and nothing is done.
    Dropped,
}

use Treatment::{Answered, Dropped, Taken};

const TORTURE: &[(&str, Treatment)] = &[
    // 3.1.1: valid messages. Those whose method nobody knows get 405 because they are understood.
    ("wsinv", Taken),
    ("intmeth", Answered(405)),
    ("esc01", Taken),
    ("escnull", Taken),
    ("esc02", Answered(405)),
    ("lwsdisp", Taken),
    ("longreq", Taken),
    ("dblreq", Taken),
    ("semiuri", Taken),
    ("transports", Taken),
    ("mpart01", Taken),
    ("unreason", Taken),
    ("noreason", Taken),
    // 3.1.2: invalid messages.
    ("badinv01", Answered(400)),
    ("clerr", Answered(400)),
    ("ncl", Answered(400)),
    ("scalar02", Answered(400)),
    ("scalarlg", Dropped),
    ("quotbal", Answered(400)),
    ("ltgtruri", Answered(400)),
    ("lwsruri", Answered(400)),
    ("lwsstart", Answered(400)),
    ("trws", Answered(400)),
    ("escruri", Answered(400)),
    // 3.1.2.12 lets those be liberal who do not use the Date.
    ("baddate", Taken),
    ("regbadct", Answered(400)),
    ("badaspec", Answered(400)),
    ("baddn", Answered(400)),
    ("badvers", Answered(505)),
    ("mismatch01", Answered(400)),
    ("mismatch02", Answered(400)),
    ("bigcode", Dropped),
    // 3.2.1: 400 or the old way of matching; a branch that is none is refused.
    ("badbranch", Answered(400)),
    // 3.3: the application's matters, as far as the message alone decides them.
    ("insuf", Answered(400)),
    ("unkscm", Answered(416)),
    ("novelsc", Answered(416)),
    // The registrar does not know the address of record: 404 from there.
    ("unksm2", Taken),
    ("bext01", Answered(420)),
    ("invut", Answered(415)),
    // Unknown credentials count as none: digest challenges it.
    ("regaut01", Taken),
    ("multi01", Answered(400)),
    ("mcl01", Answered(400)),
    // Its Via is not ours: no transaction takes it.
    ("bcast", Taken),
    // Max-Forwards 0 is refused with 483 by who would send it on, not by who it is for.
    ("zeromf", Taken),
    ("cparam01", Taken),
    ("cparam02", Taken),
    ("regescrt", Taken),
    ("sdp01", Answered(406)),
    // 3.4.1: RFC 2543.
    ("inv2543", Taken),
];

const TORTURE_IPV6: &[(&str, Treatment)] = &[
    ("ipv6-good", Taken),
    ("ipv6-bad", Answered(400)),
    ("port-ambiguous", Taken),
    ("port-unambiguous", Taken),
    ("via-received-param-with-delim", Taken),
    ("via-received-param-no-delim", Taken),
    ("ipv6-in-sdp", Taken),
    ("mult-ip-in-header", Taken),
    ("mult-ip-in-sdp", Taken),
    ("ipv4-mapped-ipv6", Taken),
    // 4.10: three colons come from an error in the grammar of RFC 3261; be liberal.
    ("ipv6-bug-abnf-3-colons", Taken),
    ("ipv6-correct-abnf-2-colons", Taken),
];

const METHODS: [Method; 7] =
    [Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options, Method::Register, Method::Message];

const ABILITIES: Abilities<'_> = Abilities {
    methods: &METHODS,
    extensions: &["100rel", "timer"],
    content_types: &["application/sdp", "multipart/mixed", "text/plain"],
    tel: true,
};

fn treatment(bytes: &[u8]) -> Treatment {
    match parse_datagram(bytes) {
        Ok(Message::Request(request)) => match validate(&request, &ABILITIES) {
            Ok(()) => Taken,
            Err(rejection) => Answered(rejection.response(&request).status),
        },
        Ok(Message::Response(response)) => check_response(&response).map_or(Dropped, |()| Taken),
        Err(error) => error.answer().map_or(Dropped, |answer| Answered(answer.status)),
    }
}

#[track_caller]
fn case(name: &str) -> Vec<u8> {
    rfc4475::case(name).unwrap().bytes.to_vec()
}

#[track_caller]
fn request(bytes: &[u8]) -> Request {
    match parse_datagram(bytes) {
        Ok(Message::Request(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

#[track_caller]
fn ipv6_case(name: &str) -> Headers {
    let case = rfc5118::CASES.iter().find(|case| case.name == name).unwrap();
    request(&case.wire()).headers
}

#[test]
fn every_message_of_rfc_4475_gets_its_treatment() {
    let mut wrong = Vec::new();
    for case in rfc4475::classified() {
        let expected = TORTURE.iter().find(|(name, _)| *name == case.name).map(|(_, treatment)| *treatment);
        let found = Some(treatment(case.bytes));
        if found != expected {
            wrong.push(format!("{} (section {}): {found:?}, expected {expected:?}", case.name, case.section));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(TORTURE.len(), 49);
}

#[test]
fn every_message_of_rfc_5118_gets_its_treatment() {
    let mut wrong = Vec::new();
    for case in rfc5118::CASES {
        let expected = TORTURE_IPV6.iter().find(|(name, _)| *name == case.name).map(|(_, treatment)| *treatment);
        let found = Some(treatment(&case.wire()));
        if found != expected {
            wrong.push(format!("{} (section {}): {found:?}, expected {expected:?}", case.name, case.section));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(TORTURE_IPV6.len(), rfc5118::CASES.len());
}

#[test]
fn written_messages_read_the_same_again() {
    let all = rfc4475::CASES.iter().map(|case| case.bytes.to_vec());
    for bytes in all.chain(rfc5118::CASES.iter().map(|case| case.wire().to_vec())) {
        if let Ok(message) = parse_datagram(&bytes) {
            assert_eq!(parse_datagram(&message.to_bytes()), Ok(message), "{}", String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn peek_finds_the_keys_that_the_full_reading_finds() {
    for case in rfc4475::classified() {
        let Ok(message) = parse_datagram(case.bytes) else { continue };
        let (Ok(call_id), Ok(via)) = (message.headers().call_id(), message.headers().top_via()) else { continue };
        let peeked = peek(case.bytes).unwrap_or_else(|| panic!("{} has its keys", case.name));
        assert_eq!(peeked.call_id, call_id.as_bytes(), "{}", case.name);
        assert_eq!(peeked.branch, via.branch().unwrap_or_default().as_bytes(), "{}", case.name);
    }
}

/// Section 3.1.1.1: folding, white space everywhere, compact names, escapes, lists.
#[test]
fn short_tortuous_invite_is_understood_to_the_last_parameter() {
    let request = request(&case("wsinv"));
    let headers = &request.headers;
    let to = headers.to().unwrap();
    assert_eq!((to.uri, to.tag()), ("sip:vivekg@chair-dnrc.example.com", Some("1918181833n")));
    let from = headers.from().unwrap();
    assert_eq!(from.display.as_deref(), Some(r#"J Rosenberg \""#));
    assert_eq!(headers.max_forwards(), Ok(Some(68)));
    assert_eq!(headers.cseq().unwrap().number, 9);
    let vias: Vec<_> =
        headers.vias().unwrap().iter().map(|via| (via.transport, via.host, via.branch().unwrap())).collect();
    assert_eq!(
        vias,
        [
            ("UDP", "192.0.2.2", "390skdjuw"),
            ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
            ("UDP", "192.168.255.111", "z9hG4bK30239")
        ]
    );
    let contacts = headers.contacts().unwrap();
    let [Contact::Addr(contact)] = contacts.as_slice() else { panic!("one contact: {contacts:?}") };
    assert_eq!(contact.display.as_deref(), Some(r#"Quoted string """#));
    assert_eq!(
        (contact.q(), contact.param("newparam"), contact.has_param("secondparam")),
        (330, Some("newvalue"), true)
    );
    assert_eq!(headers.get("UnknownHeaderWithUnusualValue"), Some(";;,,;;,;"));
    assert_eq!(headers.routes().unwrap()[0].uri, "sip:services.example.com;lr;unknownwith=value;unknown-no-value");
}

/// Section 3.1.1.2: all characters that the grammar allows.
#[test]
fn wide_range_of_characters_survives() {
    let request = request(&case("intmeth"));
    assert_eq!(request.method.as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    let uri = request.uri.as_sip().unwrap();
    assert_eq!(uri.user(), Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
    assert_eq!(uri.password(), Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
    assert_eq!(uri.host(), "example.com");
    let to = request.headers.to().unwrap();
    assert_eq!(to.display.as_deref(), Some("BEL:\u{7} NUL:\0 DEL:\u{7f}"));
    assert_eq!(NameAddr::parse(&to.to_string()), Some(to));
    let from = request.headers.from().unwrap();
    assert_eq!(from.params.unquoted("fromParam''~+*_!.-%").as_deref(), Some("работающий"));
    assert_eq!(from.tag(), Some("_token~1'+`*%!-."));
    assert_eq!(request.headers.call_id(), Ok("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"));
    assert_eq!(request.headers.get("extensionHeader-!.%*+_`'~"), Some("\u{feff}大停電"));
}

/// Sections 3.1.1.3 to 3.1.1.5: escapes are read in users, not in methods and header names.
#[test]
fn escapes_are_read_where_they_are_escapes() {
    let escaped = request(&case("esc01"));
    assert_eq!(escaped.uri.as_sip().unwrap().user_decoded().unwrap(), "sips:user@example.com");
    let nulls = request(&case("escnull")).headers;
    let users: Vec<_> =
        nulls.contacts().unwrap().iter().map(|contact| contact.addr().unwrap().uri.to_owned()).collect();
    assert_eq!(users, ["sip:%00@host5.example.com", "sip:%00%00@host5.example.com"]);
    let none = request(&case("esc02"));
    assert_eq!(none.method.as_str(), "RE%47IST%45R");
    assert_eq!(none.headers.contacts().unwrap().len(), 2);
}

/// Section 3.1.1.8: what follows the message in its datagram is ignored.
#[test]
fn trailing_octets_are_not_part_of_the_message() {
    let request = request(&case("dblreq"));
    assert_eq!((request.method, request.body.len()), (Method::Register, 0));
}

/// Section 3.1.1.9: semicolons before the `@` are the user's.
#[test]
fn semicolons_in_the_user_part_are_no_parameters() {
    let request = request(&case("semiuri"));
    let uri = request.uri.as_sip().unwrap();
    assert_eq!(uri.user_decoded().unwrap(), "user;par=u@example.net");
    assert_eq!(uri.params().count(), 0);
}

/// Section 3.1.1.10.
#[test]
fn unknown_transports_are_read() {
    let headers = request(&case("transports")).headers;
    let transports: Vec<_> = headers.vias().unwrap().iter().map(|via| via.transport).collect();
    assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
}

/// Section 3.1.1.11.
#[test]
fn binary_body_is_kept_to_the_byte() {
    let bytes = case("mpart01");
    let request = request(&bytes);
    assert!(bytes.ends_with(&request.body));
    assert_eq!(request.body.len(), 553);
    assert!(request.body.contains(&0) && std::str::from_utf8(&request.body).is_err());
}

/// Sections 3.1.1.12 and 3.1.1.13.
#[test]
fn reason_phrases_are_kept() {
    let reason = |name| match parse_datagram(&case(name)) {
        Ok(Message::Response(response)) => response.reason,
        other => panic!("not a response: {other:?}"),
    };
    assert_eq!(reason("unreason"), "= 2**3 * 5**2 но сто девяносто девять - простое");
    assert_eq!(reason("noreason"), "");
}

/// Section 3.1.2.1 and its kind: the reason phrase says what is wrong.
#[test]
fn refusals_name_the_fault() {
    let reason = |name| {
        let request = request(&case(name));
        validate(&request, &ABILITIES).unwrap_err().response(&request).reason
    };
    assert_eq!(reason("badinv01"), "Bad Request (malformed Via header)");
    assert_eq!(reason("scalar02"), "Bad Request (malformed CSeq header)");
    assert_eq!(reason("quotbal"), "Bad Request (malformed To header)");
    assert_eq!(reason("multi01"), "Bad Request (more than one From header)");
    assert_eq!(reason("insuf"), "Bad Request (missing From header)");
}

/// Section 3.3.5: the tags that nobody supports are sent back.
#[test]
fn unsupported_extensions_are_listed() {
    let request = request(&case("bext01"));
    let answer = validate(&request, &ABILITIES).unwrap_err().response(&request);
    assert_eq!(answer.headers.tokens("Unsupported"), ["nothingSupportsThis", "nothingSupportsThisEither"]);
}

/// Sections 3.3.12 to 3.3.14: whose parameters are whose.
#[test]
fn parameters_belong_to_the_header_or_to_the_uri() {
    let of = |name| {
        let headers = request(&case(name)).headers;
        let contacts = headers.contacts().unwrap();
        let addr = contacts[0].addr().unwrap();
        (addr.uri.to_owned(), addr.has_param("unknownparam"))
    };
    assert_eq!(of("cparam01"), ("sip:+19725552222@gw1.example.net".to_owned(), true));
    assert_eq!(of("cparam02"), ("sip:+19725552222@gw1.example.net;unknownparam".to_owned(), false));
    assert_eq!(of("regescrt").0, "sip:user@example.com?Route=%3Csip:sip.example.com%3E");
}

/// RFC 5118 sections 4.3 and 4.4: a port after the brackets, or an address that swallows it.
#[test]
fn ipv6_port_is_what_follows_the_brackets() {
    let port = |name| {
        let case = rfc5118::CASES.iter().find(|case| case.name == name).unwrap();
        let request = request(&case.wire());
        let uri = request.uri.as_sip().unwrap();
        (uri.host_ip().unwrap().to_string(), uri.port())
    };
    assert_eq!(port("port-ambiguous"), ("2001:db8::10:5070".to_owned(), None));
    assert_eq!(port("port-unambiguous"), ("2001:db8::10".to_owned(), Some(5070)));
    assert_eq!(port("ipv6-bug-abnf-3-colons").0, "2001:db8::c000:201");
}

/// RFC 5118 section 4.5.
#[test]
fn received_is_read_with_brackets_and_without() {
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        let headers = ipv6_case(name);
        assert_eq!(headers.top_via().unwrap().received(), Some("2001:db8::9:255".parse().unwrap()), "{name}");
    }
}

/// RFC 3261 section 25.1: names that its own grammar allows must not be taken for something else.
#[test]
fn views_refuse_what_is_no_list_element() {
    assert_eq!(Via::parse("SIP/2.0/UDP 192.0.2.15;;"), None);
    assert_eq!(Params::parse(";;"), None);
    assert!(matches!(RequestUri::parse("nobodyKnowsThisScheme:totallyopaquecontent"), Ok(RequestUri::Raw(_))));
}
