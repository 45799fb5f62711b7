//! The phone's answer to a digest challenge, written from RFC 2617 and RFC 7616 and not from the switch's own code.

use md5::{Digest, Md5};
use sha2::Sha256;
use std::fmt::Write;

/// Who the phone says it is.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) domain: String,
    pub(crate) password: String,
}

/// The value of Authorization or Proxy-Authorization of a request (its method, URI and body) for this challenge; `None`: it
/// is none that a phone understands.
///
/// Source: RFC 2617 section 3.2.2, RFC 7616 section 3.4.
pub(crate) fn answer(
    account: &Account,
    challenge: &str,
    (method, uri, body): (&str, &str, &[u8]),
    cnonce: &str,
) -> Option<String> {
    let realm = parameter(challenge, "realm")?;
    let nonce = parameter(challenge, "nonce")?;
    let asked = parameter(challenge, "algorithm").unwrap_or("MD5").to_ascii_uppercase();
    let (algorithm, session) = asked.strip_suffix("-SESS").map_or((&*asked, false), |plain| (plain, true));
    let hash: fn(&[u8]) -> String = match algorithm {
        "MD5" => hash::<Md5>,
        "SHA-256" => hash::<Sha256>,
        _ => return None,
    };
    let algorithm = if session { format!("{algorithm}-sess") } else { algorithm.to_owned() };
    let qop = parameter(challenge, "qop")?;
    let mut a1 = hash(format!("{}:{realm}:{}", account.user, account.password).as_bytes());
    if session {
        a1 = hash(format!("{a1}:{nonce}:{cnonce}").as_bytes());
    }
    let mut a2 = format!("{method}:{uri}");
    if qop == "auth-int" {
        a2 = format!("{a2}:{}", hash(body));
    }
    let a2 = hash(a2.as_bytes());
    let response = hash(format!("{a1}:{nonce}:00000001:{cnonce}:{qop}:{a2}").as_bytes());
    Some(format!(
        "Digest username=\"{}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
         algorithm={algorithm}, cnonce=\"{cnonce}\", qop={qop}, nc=00000001",
        account.user
    ))
}

/// The value of Authorization or Proxy-Authorization of a request without a body (its method and URI) for a story that writes
/// its own messages.
pub fn answer_to_challenge(user: &str, password: &str, challenge: &str, (method, uri): (&str, &str)) -> Option<String> {
    let account = Account { user: user.into(), domain: String::new(), password: password.into() };
    answer(&account, challenge, (method, uri, b""), "0a4f113b")
}

/// Whether somebody's answer to this challenge shows that he knows the account.
pub(crate) fn is_right(account: &Account, challenge: &str, answer: &str, method: &str) -> bool {
    let told = |name| parameter(answer, name).unwrap_or_default();
    let (realm, nonce) = (parameter(challenge, "realm"), parameter(challenge, "nonce"));
    let a1 = hash::<Md5>(format!("{}:{}:{}", account.user, realm.unwrap_or_default(), account.password).as_bytes());
    let a2 = hash::<Md5>(format!("{method}:{}", told("uri")).as_bytes());
    let nonce = nonce.unwrap_or_default();
    let right = hash::<Md5>(format!("{a1}:{nonce}:{}:{}:auth:{a2}", told("nc"), told("cnonce")).as_bytes());
    told("username") == account.user && told("nonce") == nonce && told("response") == right
}

/// Whether the challenge only asks for a fresh nonce.
pub(crate) fn is_stale(challenge: &str) -> bool {
    parameter(challenge, "stale").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// A parameter's value without its quotes, the first of a list. Our challenges have no escape within quotes.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let (_, list) = challenge.split_once(' ')?;
    list.split(',').find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim_matches('"'))
    })
}

fn hash<D: Digest>(bytes: &[u8]) -> String {
    D::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
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
        let answer = answer(&account, challenge, ("GET", "/dir/index.html", b""), "0a4f113b").unwrap();
        assert!(answer.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{answer}");
        assert!(!is_stale(challenge));
    }

    #[test]
    fn sha_256_is_answered_by_sha_256() {
        // RFC 7616 section 3.9.1, with the one count and without the opaque value that this phone leaves out.
        let account =
            Account { user: "Mufasa".into(), domain: "example.org".into(), password: "Circle of Life".into() };
        let challenge = r#"Digest realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", qop="auth", algorithm=SHA-256"#;
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let answer = answer(&account, challenge, ("GET", "/dir/index.html", b""), cnonce).unwrap();
        let response = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
        assert!(answer.contains(response) && answer.contains("algorithm=SHA-256"), "{answer}");
    }
}
