//! What ICE needs of us: names and passwords, and whose a STUN message is (RFC 8445, RFC 8489).
//!
//! All browsers of a media thread talk to one port. The name that we give each leg begins with the leg's number, so that
//! the leg of a STUN message is read from the message: no table, no password tried in vain.

use crate::command::MediaLeg;

/// Hexadecimal digits of a leg's number.
const LEG_DIGITS: usize = 16;

/// The random rest of our names: RFC 8839 section 5.4 wants 24 bits of it, these are 48.
const RANDOM_CHARS: usize = 8;

/// Names and passwords of the far end are at most this long (RFC 8839 section 5.4).
pub(crate) const LOGIN_CHARS_MAX: usize = 256;

/// The header before a STUN message's attributes.
const STUN_HEADER: usize = 20;
/// What each STUN message has at its fifth byte (RFC 8489 section 5).
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const USERNAME: u16 = 0x0006;
/// A check of a browser has seven attributes; nobody's has more than a few.
const ATTRIBUTES_MAX: usize = 16;

/// A name and password for connectivity checks.
#[derive(Clone, PartialEq, Eq)]
pub struct IceLogin {
    /// `a=ice-ufrag`.
    pub name: String,
    /// `a=ice-pwd`.
    pub password: String,
}

impl std::fmt::Debug for IceLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IceLogin").field("name", &self.name).finish_non_exhaustive()
    }
}

impl IceLogin {
    /// A leg's own, by the system's randomness: for drivers.
    pub(crate) fn drawn(leg: MediaLeg) -> Self {
        let drawn = str0m::IceCreds::new();
        Self { name: format!("{:016x}{}", leg.0, drawn.ufrag), password: drawn.pass }
    }

    /// A leg's own, by the numbers of a simulation: `random` fills both.
    pub fn new(leg: MediaLeg, mut random: impl FnMut() -> u64) -> Self {
        let mut chars = |count: usize| -> String {
            let mut text = String::with_capacity(count);
            while text.len() < count {
                // Ten characters of six bits: 60 of the 64.
                let number = random();
                let ten = (0..10_u32).map(|at| ice_char(number >> (6 * at)));
                text.extend(ten.take(count - text.len()));
            }
            text
        };
        let name = format!("{:016x}{}", leg.0, chars(RANDOM_CHARS));
        // 144 bits; RFC 8839 wants 128.
        Self { name, password: chars(24) }
    }
}

/// One of the 64 characters of ICE by the low six bits.
fn ice_char(bits: u64) -> char {
    const CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let index = usize::try_from(bits & 63).unwrap_or(0);
    char::from(CHARS.get(index).copied().unwrap_or(b'A'))
}

/// STUN, among DTLS and SRTP on the same port (RFC 7983).
pub(crate) fn is_stun(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| *first < 4)
}

/// The leg that a STUN request is for; `None`: it names none of ours. Nothing is verified here.
pub fn stun_leg(packet: &[u8]) -> Option<MediaLeg> {
    if packet.get(4..8)? != STUN_COOKIE {
        return None;
    }
    let mut rest = packet.get(STUN_HEADER..)?;
    for _ in 0..ATTRIBUTES_MAX {
        let (head, body) = rest.split_first_chunk::<4>()?;
        let [k0, k1, l0, l1] = *head;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let value = body.get(..length)?;
        if u16::from_be_bytes([k0, k1]) == USERNAME {
            return leg_of(value);
        }
        rest = body.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// The leg whose name a `ours:theirs` begins with.
fn leg_of(username: &[u8]) -> Option<MediaLeg> {
    let digits = username.get(..LEG_DIGITS)?;
    let plain = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let text = std::str::from_utf8(digits).ok().filter(|_| plain)?;
    u64::from_str_radix(text, 16).ok().map(MediaLeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(username: &[u8], before: &[u8]) -> Vec<u8> {
        let mut packet = vec![0, 1, 0, 0];
        packet.extend(STUN_COOKIE);
        packet.extend([7; 12]);
        packet.extend(before);
        packet.extend([0, 6]);
        packet.extend(u16::try_from(username.len()).unwrap().to_be_bytes());
        packet.extend(username);
        packet.resize(packet.len().next_multiple_of(4), 0);
        packet
    }

    #[test]
    fn the_leg_of_a_check_is_read_from_its_name() {
        let leg = MediaLeg::new(3, 77, 5);
        let login = IceLogin::new(leg, || 0x0123_4567_89AB_CDEF);
        assert_eq!((login.name.len(), login.password.len()), (24, 24));
        let username = format!("{}:theirs", login.name);
        assert_eq!(stun_leg(&request(username.as_bytes(), &[])), Some(leg));
        // After another attribute of 3 bytes, which is padded.
        assert_eq!(stun_leg(&request(username.as_bytes(), &[0x80, 0x22, 0, 3, 1, 2, 3, 0])), Some(leg));
    }

    #[test]
    fn other_names_and_broken_messages_are_nobodys() {
        assert_eq!(stun_leg(&request(b"short:x", &[])), None);
        assert_eq!(stun_leg(&request(b"+000000000000001abcdefgh:x", &[])), None);
        let mut whole = request(b"0000000000000001abcdefgh:x", &[]);
        whole[4] = 0;
        assert_eq!(stun_leg(&whole), None, "no cookie");
        let whole = request(b"0000000000000001abcdefgh:x", &[]);
        assert_eq!(stun_leg(&whole[..whole.len() - 4]), None, "a length that lies");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut packet = request(b"0000000000000001abcdefgh:x", &[]);
            packet.splice(20..20, bytes);
            let _leg = stun_leg(&packet);
        }
    }
}
