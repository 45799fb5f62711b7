//! Headers with lists, addresses and parameters.

use plugboard_sip::{Contact, Headers, NameAddr, Via};

/// Headers whose values are read by the views.
const NAMES: [&str; 24] = [
    "Via",
    "Contact",
    "Route",
    "Record-Route",
    "Path",
    "From",
    "To",
    "Refer-To",
    "Referred-By",
    "P-Asserted-Identity",
    "Diversion",
    "History-Info",
    "CSeq",
    "Call-ID",
    "Max-Forwards",
    "Expires",
    "Supported",
    "Require",
    "Allow",
    "Accept",
    "Content-Type",
    "Session-Expires",
    "Replaces",
    "Reason",
];

/// The first byte chooses the header, the others are two of its lines, cut at a line end.
///
/// # Panics
/// When an address that was read is not written as one that reads the same.
pub fn header_lists(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let Some(name) = NAMES.get(usize::from(*first) % NAMES.len()).copied() else { return };
    let text = String::from_utf8_lossy(rest);
    let mut headers = Headers::new();
    for line in text.splitn(2, '\n') {
        headers.push(name, line.replace(['\r', '\n'], " "));
    }
    for contact in headers.contacts().unwrap_or_default() {
        if let Contact::Addr(addr) = contact {
            address(&addr);
        }
    }
    for read in [headers.routes(), headers.record_routes(), headers.addresses(name)] {
        read.unwrap_or_default().iter().for_each(address);
    }
    for read in [headers.from(), headers.to()] {
        read.iter().for_each(address);
    }
    for via in headers.vias().unwrap_or_default() {
        let _ = (via.branch(), via.received(), via.rport());
        let again = format!("SIP/2.0/{} {}{}", via.transport, via.sent_by(), via.params.as_str());
        assert_eq!(Via::parse(&again).as_ref(), Some(&via), "{again:?}");
    }
    let _ = (headers.cseq().ok(), headers.call_id().ok(), headers.max_forwards().ok(), headers.expires());
    let _ = (headers.tokens(name).len(), headers.has_token(name, "100rel"), headers.content_type());
    headers.mark_received(std::net::SocketAddr::from(([192, 0, 2, 77], 5099)));
    while headers.pop_via() {}
    while headers.pop_route() {}
}

fn address(addr: &NameAddr<'_>) {
    let _ = (addr.tag(), addr.expires(), addr.q(), addr.instance(), addr.parse_uri().ok());
    let written = addr.to_string();
    assert_eq!(NameAddr::parse(&written).as_ref(), Some(addr), "{written:?}");
    for (name, value) in addr.params.iter() {
        assert!(addr.params.get(name).is_some(), "{name} of {written:?} is not found ({value:?})");
    }
}
