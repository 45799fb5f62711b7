//! Credentials for a TURN server that live for a while, as coturn's `use-auth-secret` has them (the TURN REST API of
//! draft-uberti-behave-turn-rest): the name says until when, the password is made of the name with a shared secret.

/// The name of somebody's credentials: the second since 1970 at which they end, and who he is.
pub fn username(expires: u64, user: &str) -> String {
    format!("{expires}:{user}")
}

/// The password of a name: HMAC-SHA1 by the secret, in Base64.
pub fn password(secret: &str, username: &str) -> String {
    let provider = str0m::crypto::from_feature_flags();
    base64(&provider.sha1_hmac_provider.sha1_hmac(secret.as_bytes(), &[username.as_bytes()]))
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = (at(0) << 16) | (at(1) << 8) | at(2);
        for index in 0..4 {
            let six = usize::try_from((bits >> (18 - 6 * index)) & 63).unwrap_or(0);
            let written = usize::try_from(index).is_ok_and(|index| index <= three.len());
            text.push(if written { char::from(CHARS.get(six).copied().unwrap_or(b'A')) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648_section_10() {
        let told =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        assert!(told.iter().all(|(plain, text)| base64(plain.as_bytes()) == *text));
    }

    #[test]
    fn a_password_is_what_openssl_makes_of_the_name() {
        // printf '1700000000:101' | openssl dgst -sha1 -hmac secret -binary | base64
        assert_eq!(password("secret", &username(1_700_000_000, "101")), "R8PM46XLdh7DKgPYu484jnZBYM8=");
    }
}
