//! STUN on the port of SIP: how a device keeps its flow over UDP alive (RFC 5626 sections 3.5.2 and 8).

use std::net::{IpAddr, SocketAddr};

/// Type, length, cookie and transaction id (RFC 8489 section 5).
const HEADER_BYTES: usize = 20;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];
/// Longer ones carry what a keep-alive has no use for.
const REQUEST_BYTES_MAX: usize = 548;

/// The answer to a datagram that is a STUN Binding request from `source`: where it came from. `None`: it is none.
///
/// Costs no state. The answer has 32 or 44 bytes, so that little is gained by a forged source. What the request carries
/// (SOFTWARE, FINGERPRINT) is not looked at: nothing rests on it.
///
/// Source: RFC 8489 sections 5, 6.3.1 and 14.2.
pub fn answer(datagram: &[u8], source: SocketAddr) -> Option<Vec<u8>> {
    let (header, attributes) = datagram.split_first_chunk::<HEADER_BYTES>()?;
    let [t0, t1, l0, l1, rest @ ..] = *header;
    let cookie_and_id: [u8; 16] = rest;
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    let sound = [t0, t1] == BINDING_REQUEST
        && cookie_and_id.starts_with(&MAGIC_COOKIE)
        && length == attributes.len()
        && length.is_multiple_of(4)
        && datagram.len() <= REQUEST_BYTES_MAX;
    if !sound {
        return None;
    }
    let (family, address) = match source.ip().to_canonical() {
        IpAddr::V4(address) => (1, address.octets().to_vec()),
        IpAddr::V6(address) => (2, address.octets().to_vec()),
    };
    let value = u16::try_from(4 + address.len()).ok()?;
    let mut answer = Vec::with_capacity(HEADER_BYTES + 4 + usize::from(value));
    answer.extend_from_slice(&BINDING_SUCCESS);
    answer.extend_from_slice(&(4 + value).to_be_bytes());
    answer.extend_from_slice(&cookie_and_id);
    answer.extend_from_slice(&XOR_MAPPED_ADDRESS);
    answer.extend_from_slice(&value.to_be_bytes());
    answer.extend_from_slice(&[0, family]);
    // Hidden from routers that rewrite whatever looks like an address.
    answer.extend(source.port().to_be_bytes().iter().zip(cookie_and_id).map(|(byte, mask)| byte ^ mask));
    answer.extend(address.iter().zip(cookie_and_id).map(|(byte, mask)| byte ^ mask));
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5769 section 2.1 without its attributes, and with them.
    const ID: [u8; 12] = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    fn request(attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
        [&BINDING_REQUEST[..], &length, &MAGIC_COOKIE, &ID, attributes].concat()
    }

    #[test]
    fn the_address_is_told_as_in_the_examples_of_the_rfc() {
        // RFC 5769 sections 2.2 and 2.3: the values of XOR-MAPPED-ADDRESS.
        let four = answer(&request(&[]), "192.0.2.1:32853".parse().unwrap()).unwrap();
        assert_eq!(four[..4], [0x01, 0x01, 0x00, 0x0c]);
        assert_eq!(four[8..20], ID);
        assert_eq!(four[20..], [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        let six = answer(&request(&[]), "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap()).unwrap();
        let xored = [
            0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25,
            0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(six[20..], xored);
        let mapped = answer(&request(&[]), "[::ffff:192.0.2.1]:32853".parse().unwrap());
        assert_eq!(mapped, Some(four), "an IPv4 peer on an IPv6 socket");
    }

    #[test]
    fn attributes_are_passed_over() {
        let software = [0x80, 0x22, 0x00, 0x04, b'b', b'a', b'r', b'e'];
        assert!(answer(&request(&software), "192.0.2.1:1".parse().unwrap()).is_some());
    }

    #[test]
    fn nothing_else_is_answered() {
        let source = "192.0.2.1:1".parse().unwrap();
        let good = request(&[]);
        for place in [0, 1, 3, 4, 7] {
            let mut bad = good.clone();
            bad[place] ^= 0x11;
            assert_eq!(answer(&bad, source), None, "byte {place}");
        }
        assert_eq!(answer(&good[..19], source), None);
        assert_eq!(answer(&[&good[..], b"x"].concat(), source), None, "longer than it says");
        assert_eq!(answer(&request(&[0; 3]), source), None, "attributes have whole words");
        assert_eq!(answer(&request(&[0; 552]), source), None);
        assert_eq!(answer(b"OPTIONS sip:h SIP/2.0\r\n\r\n", source), None);
    }
}
