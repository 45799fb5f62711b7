//! STUN on the port of SIP.

use plugboard_sip::stun::answer;
use std::net::SocketAddr;

/// From whom it comes, over both families.
const SOURCES: [([u8; 16], u16); 2] = [
    ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1], 32_853),
    ([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 1),
];

/// A datagram that may be a keep-alive.
///
/// # Panics
/// When what is no Binding request is answered, when an answer is longer than its address needs or for another
/// transaction, or when what begins a SIP message is taken for STUN.
pub fn stun(bytes: &[u8]) {
    for (address, port) in SOURCES {
        let source = SocketAddr::new(std::net::Ipv6Addr::from(address).to_canonical(), port);
        let Some(said) = answer(bytes, source) else { continue };
        assert!(bytes.starts_with(&[0, 1]) && bytes.len() >= 20, "{}", bytes.escape_ascii());
        assert_eq!(said.len(), if source.is_ipv4() { 32 } else { 44 }, "{}", bytes.escape_ascii());
        assert_eq!(said.get(4..20), bytes.get(4..20), "{}", bytes.escape_ascii());
        assert_eq!(answer(&said, source), None, "an answer is no question");
        assert!(!bytes.first().is_some_and(u8::is_ascii_alphabetic), "no method begins so");
    }
}
