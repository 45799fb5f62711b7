//! Base64 with padding (RFC 4648 section 4), as keys stand in SDP.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let bits = part.iter().chain([0, 0].iter()).take(3).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        for place in 0..4 {
            let sextet = usize::try_from(bits >> (18 - 6 * place) & 0x3F).unwrap_or_default();
            let letter = ALPHABET.get(sextet).copied().unwrap_or(b'=');
            text.push(char::from(if place <= part.len() { letter } else { b'=' }));
        }
    }
    text
}

/// Reads into `bytes` and says how many they are; `None`: it is none, or longer than there is room. Phones leave out the padding.
pub(crate) fn decode(text: &str, bytes: &mut [u8]) -> Option<usize> {
    let text = text.trim_end_matches('=').as_bytes();
    if text.len() % 4 == 1 {
        return None;
    }
    let mut length = 0;
    for part in text.chunks(4) {
        let mut bits = 0_u32;
        for letter in part {
            bits = bits << 6 | u32::try_from(ALPHABET.iter().position(|known| known == letter)?).ok()?;
        }
        let whole = part.len() * 6 / 8;
        let [_, made @ ..] = (bits << (24 - 6 * part.len())).to_be_bytes();
        bytes.get_mut(length..length + whole)?.copy_from_slice(made.get(..whole)?);
        length += whole;
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_vectors_of_rfc_4648_hold() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(encode(bytes.as_bytes()), text);
            let mut room = [0; 4];
            assert_eq!(decode(text, &mut room), Some(bytes.len()));
            assert_eq!(room[..bytes.len()], *bytes.as_bytes());
        }
        assert_eq!(decode("Zm8", &mut [0; 2]), Some(2), "without its padding");
        assert_eq!(decode("Zm9vYg==", &mut [0; 3]), None, "no room");
        assert_eq!(decode("Zm9-", &mut [0; 3]), None);
        assert_eq!(decode("Z", &mut [0; 3]), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut room = [0; 60];
            let length = decode(&encode(&bytes), &mut room);
            prop_assert_eq!(length.map(|length| &room[..length]), Some(bytes.as_slice()));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            let _ = decode(&text, &mut [0; 16]);
        }
    }
}
