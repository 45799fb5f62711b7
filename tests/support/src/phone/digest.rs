//! The phone's answer to a digest challenge, written from RFC 2617 and not from the switch's own code.

use md5::{Digest, Md5};
use std::fmt::Write;

/// Who the phone says it is.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) domain: String,
    pub(crate) password: String,
}

/// The value of Authorization or Proxy-Authorization for this challenge; `None`: it is none that a phone understands.
///
/// Source: RFC 2617 section 3.2.2.
pub(crate) fn answer(account: &Account, challenge: &str, method: &str, uri: &str, cnonce: &str) -> Option<String> {
    let realm = parameter(challenge, "realm")?;
    let nonce = parameter(challenge, "nonce")?;
    if parameter(challenge, "algorithm").is_some_and(|name| !name.eq_ignore_ascii_case("MD5")) {
        return None;
    }
    let a1 = hash(&format!("{}:{realm}:{}", account.user, account.password));
    let a2 = hash(&format!("{method}:{uri}"));
    let response = hash(&format!("{a1}:{nonce}:00000001:{cnonce}:auth:{a2}"));
    Some(format!(
        "Digest username=\"{}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
         algorithm=MD5, cnonce=\"{cnonce}\", qop=auth, nc=00000001",
        account.user
    ))
}

/// Whether the challenge only asks for a fresh nonce.
pub(crate) fn is_stale(challenge: &str) -> bool {
    parameter(challenge, "stale").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// A parameter's value without its quotes. Our challenges have no comma and no escape within quotes.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let (_, list) = challenge.split_once(' ')?;
    list.split(',').find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim_matches('"'))
    })
}

fn hash(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_answered_as_it_says() {
        // RFC 2617 section 3.5.
        let account =
            Account { user: "Mufasa".into(), domain: "testrealm@host.com".into(), password: "Circle Of Life".into() };
        let challenge = r#"Digest realm="testrealm@host.com", qop="auth", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", algorithm=MD5"#;
        let answer = answer(&account, challenge, "GET", "/dir/index.html", "0a4f113b").unwrap();
        assert!(answer.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{answer}");
        assert!(!is_stale(challenge));
    }
}
