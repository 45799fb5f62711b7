//! Challenges and answers.

use plugboard_model::Time;
use plugboard_sip::digest::{
    Algorithms, Authenticator, Challenge, Credentials, DIGEST_VALUE_MAX, DigestAnswer, DigestSettings, Secret, Signed,
    UriCheck, Verdict,
};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const REQUEST: Signed<'_> = Signed { method: "REGISTER", uri: "sip:h", body: b"" };

/// The bytes are the value of a challenge and of an answer.
///
/// # Panics
/// When an answer to a challenge that was read cannot be read itself, or an answer made without the password passes.
pub fn digest(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // What the answer adds to the challenge has room in the longest that is read.
    if let Ok(challenge) = Challenge::parse(&text)
        && text.len() < DIGEST_VALUE_MAX / 4
    {
        let value = challenge.answer("101", &Secret::new("p"), REQUEST, "c", 1);
        let answer = DigestAnswer::parse(&value);
        let same = answer.as_ref().is_ok_and(|answer| {
            answer.nonce == challenge.nonce
                && answer.realm == challenge.realm
                && answer.algorithm == challenge.algorithm
                && answer.qop.as_ref().map(|qop| qop.protection) == challenge.qop
        });
        assert!(same, "{value:?} answers {text:?}: {answer:?}");
    }
    if let Ok(answer) = DigestAnswer::parse(&text) {
        let settings = DigestSettings {
            realm: answer.realm.clone(),
            nonce_life: Duration::from_secs(300),
            uri_check: UriCheck::Ignore,
            accept_without_qop: true,
        };
        let Ok(mut server) = Authenticator::new([7; 32], settings) else { return };
        let known = Credentials::Password(Secret::new("what nobody guesses"));
        // Our own nonce, so that the answer is looked at.
        let fresh = server.challenge(Time::ZERO, HERE, Algorithms::Both, false);
        let nonce = fresh.first().and_then(|value| Challenge::parse(value).ok()).map(|challenge| challenge.nonce);
        for nonce in [Some(answer.nonce.clone()), nonce].into_iter().flatten() {
            let answer = DigestAnswer { nonce, ..answer.clone() };
            let verdict = server.check(Time::ZERO, &answer, (HERE, REQUEST), Algorithms::Both, Some(&known));
            assert_ne!(verdict, Verdict::Ok, "{text:?}");
        }
    }
}
