use super::*;
use proptest::prelude::*;
use std::net::Ipv4Addr;

const LIFE: Duration = Duration::from_mins(5);
const URI: &str = "sip:plugboard.test";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 2));
const BODY: &[u8] = b"v=0";
const REGISTER: (IpAddr, Signed<'_>) = (HERE, Signed { method: "REGISTER", uri: URI, body: BODY });

fn settings() -> DigestSettings {
    DigestSettings {
        realm: "plugboard.test".into(),
        nonce_life: LIFE,
        uri_check: UriCheck::Exact,
        accept_without_qop: false,
    }
}

fn server() -> Authenticator {
    Authenticator::new([7; 32], settings()).unwrap()
}

fn secret() -> Secret {
    Secret::new("demo-101")
}

/// What a phone with the right password sends.
fn signed(challenge: &str, nc: u32) -> DigestAnswer {
    let value = Challenge::parse(challenge).unwrap().answer("101", &secret(), REGISTER.1, "c0ffee", nc);
    DigestAnswer::parse(&value).unwrap()
}

fn check(server: &mut Authenticator, now: Time, answer: &DigestAnswer) -> Verdict {
    let known = Credentials::Password(secret());
    server.check(now, answer, REGISTER, Algorithms::Both, Some(&known))
}

/// RFC 7616 section 3.9.1, both algorithms.
#[test]
fn the_vectors_of_rfc_7616_hold() {
    let challenge = |algorithm| Challenge {
        realm: "http-auth@example.org".into(),
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".into(),
        opaque: Some("FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS".into()),
        algorithm,
        qop: Some(Protection::Request),
        userhash: false,
        stale: false,
    };
    for (algorithm, response) in [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let value = challenge(algorithm).answer(
            "Mufasa",
            &Secret::new("Circle of Life"),
            Signed { method: "GET", uri: "/dir/index.html", body: b"" },
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            1,
        );
        assert_eq!(DigestAnswer::parse(&value).unwrap().response, response, "{value}");
        assert!(value.contains("nc=00000001"), "{value}");
    }
}

#[test]
fn the_vector_of_rfc_2617_holds() {
    let challenge = Challenge::parse(
        "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
         nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
    )
    .unwrap();
    let get = Signed { method: "GET", uri: "/dir/index.html", body: b"" };
    let password = Secret::new("Circle Of Life");
    let value = challenge.answer("Mufasa", &password, get, "0a4f113b", 1);
    assert_eq!(DigestAnswer::parse(&value).unwrap().response, "6629fae49393a05397450978507c4ef1");
    assert!(value.ends_with("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""), "{value}");
}

/// RFC 7616 section 3.9.2, with the response of erratum 4897: the one printed is cut from SHA-512.
#[test]
fn the_vector_of_rfc_7616_with_a_hashed_name_holds() {
    let challenge = Challenge::parse(
        "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
         nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
         opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
    )
    .unwrap();
    let get = Signed { method: "GET", uri: "/doe.json", body: b"" };
    let password = Secret::new("Secret, or not?");
    let value =
        challenge.answer("J\u{e4}s\u{f8}n Doe", &password, get, "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", 1);
    let answer = DigestAnswer::parse(&value).unwrap();
    assert_eq!(answer.username, "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
    assert_eq!(answer.response, "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
    assert!(value.ends_with(", userhash=true, opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\""), "{value}");
}

/// As curl 7.88.1 answered these challenges (`curl --digest -u 101:demo-101 -X REGISTER`): another one's reading of RFC 7616 section 3.4.
#[test]
fn what_curl_answers_is_what_we_compute() {
    let answers = [
        ("MD5", "auth", "ZjZmNjNhMTRiZmEyMzAxMjU1OWUzMzMxMzExYWMxOGQ=", "d9fe518927da965300ad8b1e51a29b35"),
        ("MD5", "auth-int", "M2NjM2E3MzBlZmRmMGIxY2E5MzM1NDMwNDhhYzliMzE=", "baa2b75505d270543526d4066aaffa64"),
        ("MD5-sess", "auth", "MTM5OGI4Zjg4ODMyZTdiNDM4ZTgyYzkxY2U2YjQ0NmY=", "27846f359e15a5cc9209b5722a9a43e5"),
        ("MD5-sess", "auth-int", "NTg2ZmI5NGZkZTY5MTNmYWU2OTlkNGEwOTU2OGJkYzM=", "8869173bb10732739bc907ec29f126e0"),
        (
            "SHA-256",
            "auth",
            "NjEwZGIyYzMzNjFkMWZjM2FlNGM0YWY2NWIyZjA2Zjc=",
            "5020c5dc01a609e4ef4ddf7dbdfbf596ef9077e0f7ebe7e4140079e2878a5625",
        ),
        (
            "SHA-256",
            "auth-int",
            "Mzg5M2ZkZGQ0YTNjOTkzZTEzMjA0YTlhM2UxM2JlMTg=",
            "631f68de356ef87d2054d84c1f551f9b942c1e192ba7cac719cbbefd0f6e9373",
        ),
        (
            "SHA-256-sess",
            "auth",
            "OTQwMGZiMDgzZGE5MWExOTg2ZTM0MzY1YjI5MzQ4MGQ=",
            "a7477fa06365560937ca3b6e9a44eb43568c05263ca0e710720fc67656748ba6",
        ),
        (
            "SHA-256-sess",
            "auth-int",
            "ZTI2YWQ1ZTJkM2U3Mjc2MjAwZmQ2MTQ2ZmQwM2JiNDk=",
            "5f98f5b55fbbbf16e6ed3583199cb5634333ca3f807e1ca212dd7a19552a21c3",
        ),
    ];
    for (algorithm, qop, cnonce, response) in answers {
        let challenge = format!(
            "Digest realm=\"plugboard.test\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", algorithm={algorithm}, \
             qop=\"{qop}\""
        );
        let register = Signed { method: "REGISTER", uri: "/plugboard.test", body: b"" };
        let password = Secret::new("demo-101");
        let value = Challenge::parse(&challenge).unwrap().answer("101", &password, register, cnonce, 1);
        assert_eq!(DigestAnswer::parse(&value).unwrap().response, response, "{value}");
    }
}

/// Computed by hand with `md5sum`, from RFC 2617 sections 3.2.2.2 and 3.2.2.3.
#[test]
fn a_session_key_and_a_covered_body_enter_the_hash() {
    let of = |algorithm: &str, qop: &str, body: &[u8]| {
        let challenge = format!("Digest realm=\"r\", nonce=\"n\", algorithm={algorithm}, qop=\"{qop}\"");
        let request = Signed { method: "INVITE", uri: "sip:b@h", body };
        let value = Challenge::parse(&challenge).unwrap().answer("u", &Secret::new("p"), request, "c", 1);
        DigestAnswer::parse(&value).unwrap().response
    };
    assert_eq!(of("MD5", "auth", b"v=0"), "cb6a2628a96a35038d38785afc818d2d");
    assert_eq!(of("MD5-sess", "auth", b"v=0"), "5512cf12b76f72e732e1863b9608041d");
    assert_eq!(of("MD5", "auth-int", b"v=0"), "6b8c8498467186614d53600b03f820a0");
    assert_eq!(of("MD5", "auth", b""), of("MD5", "auth", b"v=0"));
    assert_ne!(of("MD5", "auth-int", b""), of("MD5", "auth-int", b"v=0"));
}

#[test]
fn every_algorithm_that_is_offered_passes_and_a_covered_body_may_not_change() {
    use Algorithms::{Both, Md5, Md5Sess, Sha256, Sha256Sess};
    let known = Credentials::Password(secret());
    let changed = (HERE, Signed { body: b"v=1", ..REGISTER.1 });
    for algorithms in [Md5, Sha256, Both, Md5Sess, Sha256Sess] {
        for (integrity, altered) in
            [(Integrity::No, Verdict::Ok), (Integrity::Offered, Verdict::Ok), (Integrity::Required, Verdict::Wrong)]
        {
            let (terms, mut server) = (Terms { algorithms, integrity }, server());
            for challenge in server.challenge(Time::ZERO, HERE, terms, false) {
                let (first, second) = (signed(&challenge, 1), signed(&challenge, 2));
                let mut verdict = |answer, request| server.check(Time::ZERO, answer, request, terms, Some(&known));
                assert_eq!(verdict(&first, REGISTER), Verdict::Ok, "{challenge}");
                assert_eq!(verdict(&second, changed), altered, "{challenge}");
                server = self::server();
            }
        }
    }
}

#[test]
fn what_an_answer_covers_is_what_was_offered() {
    let known = Credentials::Password(secret());
    let terms = |integrity| Terms { algorithms: Algorithms::Md5, integrity };
    for (asked, expected, verdict) in [
        (Integrity::Required, Integrity::No, Verdict::OtherTerms),
        (Integrity::Required, Integrity::Offered, Verdict::Ok),
        (Integrity::No, Integrity::Required, Verdict::OtherTerms),
        (Integrity::No, Integrity::Offered, Verdict::Ok),
    ] {
        let mut server = server();
        let answer = signed(&server.challenge(Time::ZERO, HERE, terms(asked), false)[0], 1);
        let found = server.check(Time::ZERO, &answer, REGISTER, terms(expected), Some(&known));
        assert_eq!(found, verdict, "{asked:?} {expected:?}");
    }
    let mut old = Authenticator::new([7; 32], DigestSettings { accept_without_qop: true, ..settings() }).unwrap();
    let challenge = old.challenge(Time::ZERO, HERE, Algorithms::Md5, false).remove(0).replace(", qop=\"auth\"", "");
    let answer = signed(&challenge, 1);
    let found = old.check(Time::ZERO, &answer, REGISTER, terms(Integrity::Required), Some(&known));
    assert_eq!(found, Verdict::OtherTerms);
}

#[test]
fn a_right_answer_passes_once_for_each_count() {
    let mut server = server();
    let challenge = server.challenge(Time::ZERO, HERE, Algorithms::Md5, false).remove(0);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&challenge, 1)), Verdict::Ok);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&challenge, 1)), Verdict::Replayed);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&challenge, 0x0a)), Verdict::Ok);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&challenge, 9)), Verdict::Ok, "overtaken on the way");
    assert_eq!(check(&mut server, Time::ZERO, &signed(&challenge, 9)), Verdict::Replayed);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&challenge, 1000)), Verdict::Ok);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&challenge, 1000 - NC_WINDOW)), Verdict::Replayed);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&challenge, 1001 - NC_WINDOW)), Verdict::Ok);
}

#[test]
fn both_algorithms_are_offered_with_the_better_first_and_either_passes() {
    let mut server = server();
    let challenges = server.challenge(Time::ZERO, HERE, Algorithms::Both, false);
    assert!(challenges[0].contains("algorithm=SHA-256") && challenges[1].contains("algorithm=MD5"), "{challenges:?}");
    assert_eq!(check(&mut server, Time::ZERO, &signed(&challenges[0], 1)), Verdict::Ok);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&challenges[1], 2)), Verdict::Ok);
}

#[test]
fn an_algorithm_that_the_device_was_not_offered_asks_for_the_right_one_whatever_the_password_is() {
    let mut server = server();
    let challenge = server.challenge(Time::ZERO, HERE, Algorithms::Md5, false).remove(0);
    let answer = signed(&challenge, 1);
    for known in [Some(secret()), Some(Secret::new("guess")), None] {
        let known = known.map(Credentials::Password);
        let verdict = server.check(Time::ZERO, &answer, REGISTER, Algorithms::Sha256, known.as_ref());
        assert_eq!(verdict, Verdict::OtherTerms);
    }
}

#[test]
fn a_wrong_password_user_method_or_realm_is_wrong_and_is_not_remembered() {
    let mut server = server();
    let challenge = server.challenge(Time::ZERO, HERE, Algorithms::Md5, false).remove(0);
    let answer = signed(&challenge, 1);
    let wrong = Credentials::Password(Secret::new("demo-102"));
    let right = Credentials::Password(secret());
    let other_realm = DigestAnswer { realm: "elsewhere".into(), ..answer.clone() };
    for (answer, method, known) in [
        (&answer, "REGISTER", Some(&wrong)),
        (&answer, "REGISTER", None),
        (&answer, "INVITE", Some(&right)),
        (&other_realm, "REGISTER", Some(&right)),
    ] {
        let verdict = server.check(Time::ZERO, answer, (HERE, Signed { method, ..REGISTER.1 }), Algorithms::Md5, known);
        assert_eq!(verdict, Verdict::Wrong, "{method} {known:?}");
    }
    assert_eq!(server.used_nonces(), 0);
    assert_eq!(check(&mut server, Time::ZERO, &answer), Verdict::Ok);
}

#[test]
fn stored_hashes_serve_instead_of_the_password() {
    let mut server = server();
    let challenges = server.challenge(Time::ZERO, HERE, Algorithms::Both, false);
    let md5_only = Credentials::Ha1 {
        md5: Some(Secret::new(ha1(Algorithm::Md5, "101", "plugboard.test", &secret()).to_uppercase())),
        sha256: None,
        sha512_256: None,
    };
    let mut verdict =
        |value: &str| server.check(Time::ZERO, &signed(value, 1), REGISTER, Algorithms::Both, Some(&md5_only));
    assert_eq!(verdict(&challenges[1]), Verdict::Ok);
    assert_eq!(verdict(&challenges[0]), Verdict::Wrong);
}

#[test]
fn a_nonce_that_is_not_fresh_or_not_made_for_the_sender_is_stale_and_says_nothing_of_the_password() {
    let mut server = server();
    let challenge = server.challenge(Time::ZERO, HERE, Algorithms::Md5, false).remove(0);
    let late = Time::ZERO + LIFE + Duration::from_nanos(1);
    let answer = signed(&challenge, 1);
    assert_eq!(check(&mut server, late, &answer), Verdict::Stale);
    let mut restarted = Authenticator::new([8; 32], settings()).unwrap();
    assert_eq!(check(&mut restarted, Time::ZERO, &answer), Verdict::Stale);
    let invented = DigestAnswer { nonce: "0".repeat(64), ..answer.clone() };
    let elsewhere = (ELSEWHERE, REGISTER.1);
    for known in [Some(secret()), Some(Secret::new("guess")), None] {
        let known = known.map(Credentials::Password);
        let mut verdict = |now, answer, request| server.check(now, answer, request, Algorithms::Md5, known.as_ref());
        assert_eq!(verdict(late, &answer, REGISTER), Verdict::Stale);
        assert_eq!(verdict(Time::ZERO, &invented, REGISTER), Verdict::Stale);
        assert_eq!(verdict(Time::ZERO, &answer, elsewhere), Verdict::Stale);
    }
    let mapped = (Ipv4Addr::new(203, 0, 113, 1).to_ipv6_mapped().into(), REGISTER.1);
    let known = Credentials::Password(secret());
    assert_eq!(server.check(Time::ZERO, &answer, mapped, Algorithms::Md5, Some(&known)), Verdict::Ok);
    assert!(server.challenge(late, HERE, Algorithms::Md5, true)[0].ends_with(", stale=true"));
}

#[test]
fn a_used_nonce_is_forgotten_when_its_life_ends() {
    let mut server = server();
    let challenge = server.challenge(Time::ZERO, HERE, Algorithms::Md5, false).remove(0);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&challenge, 1)), Verdict::Ok);
    assert_eq!(server.used_nonces(), 1);
    let late = Time::ZERO + LIFE * 2;
    let challenge = server.challenge(late, HERE, Algorithms::Md5, false).remove(0);
    assert_eq!(check(&mut server, late, &signed(&challenge, 1)), Verdict::Ok);
    assert_eq!(server.used_nonces(), 1);
}

#[test]
fn a_forgotten_nonce_cannot_be_replayed() {
    let mut server = server();
    let first = server.challenge(Time::ZERO, HERE, Algorithms::Md5, false).remove(0);
    let skipped = server.challenge(Time::ZERO, HERE, Algorithms::Md5, false).remove(0);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&first, 1)), Verdict::Ok);
    server.next = 10;
    for number in 10..10 + u64::try_from(USED_NONCES_MAX).unwrap() {
        // Each phone signs its own nonce; the table is filled directly, since hashing 50,000 answers is slow.
        server.used.insert(number, Window::first(Time::ZERO, 1));
    }
    server.used.pop_last();
    server.next = 100_000;
    let last = server.challenge(Time::ZERO, HERE, Algorithms::Md5, false).remove(0);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&last, 1)), Verdict::Ok);
    assert_eq!(server.used_nonces(), USED_NONCES_MAX);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&first, 1)), Verdict::Stale);
    assert_eq!(check(&mut server, Time::ZERO, &signed(&skipped, 1)), Verdict::Stale, "older than all that is kept");
    assert_eq!(server.used_nonces(), USED_NONCES_MAX);
}

#[test]
fn the_uri_is_compared_as_a_string_unless_told_otherwise() {
    let mut strict = server();
    let mut lax = Authenticator::new([7; 32], DigestSettings { uri_check: UriCheck::Ignore, ..settings() }).unwrap();
    let challenge = strict.challenge(Time::ZERO, HERE, Algorithms::Md5, false).remove(0);
    let answer = signed(&challenge, 1);
    let known = Credentials::Password(secret());
    let other = "sip:plugboard.test:5060";
    let ask = |server: &mut Authenticator| {
        server.check(Time::ZERO, &answer, (HERE, Signed { uri: other, ..REGISTER.1 }), Algorithms::Md5, Some(&known))
    };
    assert_eq!(ask(&mut strict), Verdict::Malformed);
    assert_eq!(ask(&mut lax), Verdict::Ok);
}

#[test]
fn an_answer_after_rfc_2069_is_refused_unless_asked_for() {
    let mut strict = server();
    let mut old = Authenticator::new([7; 32], DigestSettings { accept_without_qop: true, ..settings() }).unwrap();
    let challenge = strict.challenge(Time::ZERO, HERE, Algorithms::Md5, false).remove(0).replace(", qop=\"auth\"", "");
    let answer = signed(&challenge, 1);
    assert_eq!(answer.qop, None);
    assert_eq!(check(&mut strict, Time::ZERO, &answer), Verdict::Malformed);
    assert_eq!(check(&mut old, Time::ZERO, &answer), Verdict::Ok);
}

#[test]
fn malformed_values_name_their_fault() {
    let good = "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\"";
    assert!(DigestAnswer::parse(good).is_ok());
    for (bad, what) in [
        ("Basic YTpi".to_owned(), "not of the Digest scheme"),
        ("Digest".to_owned(), "not of the Digest scheme"),
        (good.replace("nonce=\"n\", ", ""), "nonce is missing"),
        (format!("{good}, nonce=\"m\""), "a parameter twice"),
        (format!("{good}, qop=auth, cnonce=\"c\", nc=1"), "nc is not 8 hex digits"),
        (format!("{good}, qop=auth, cnonce=\"c\", nc=00000000"), "nc is not 8 hex digits"),
        (format!("{good}, qop=auth-conf"), "neither auth nor auth-int"),
        (format!("{good}, algorithm=MD5-sess"), "-sess algorithm without qop"),
        (format!("{good}, algorithm=SHA-1"), "none of MD5, SHA-256 and SHA-512-256"),
        (format!("{good}, opaque=\"open"), "an open quote"),
        (format!("{good}, opaque=\"a\"b"), "text after a quoted value"),
        (format!("{good}, lonely"), "a parameter without a value"),
        (format!("{good}, opaque=\"{}\"", "x".repeat(DIGEST_VALUE_MAX)), "longer than"),
    ] {
        let error = DigestAnswer::parse(&bad).unwrap_err().to_string();
        assert!(error.contains(what), "{bad}: {error}");
    }
}

#[test]
fn the_topmost_challenge_that_can_be_done_is_picked() {
    let values = [
        "Basic realm=\"r\"",
        "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-1, qop=\"auth\"",
        "Digest realm=\"r\", nonce=\"1\", algorithm=MD5-sess",
        "Digest realm=\"r\", nonce=\"1\", algorithm=MD5, qop=\"auth-conf\"",
        "Digest realm=\"r\", nonce=\"2\", algorithm=sha-256, qop=\"auth-int, auth\"",
        "Digest realm=\"r\", nonce=\"3\", algorithm=MD5, qop=\"auth\"",
    ];
    let picked = Challenge::pick(values).unwrap();
    let found = (picked.nonce.as_str(), picked.algorithm, picked.qop);
    assert_eq!(found, ("2", Algorithm::Sha256, Some(Protection::Request)), "a proxy may change the body");
}

#[test]
fn no_secret_is_printed() {
    let known = Credentials::Password(secret());
    let shown = format!("{known:?} {:?}", server());
    assert!(!shown.contains("demo") && !shown.contains("[7"), "{shown}");
}

#[test]
fn every_host_name_can_be_a_realm() {
    let settings = DigestSettings { realm: "a".repeat(253), ..settings() };
    assert!(Authenticator::new([0; 32], settings).is_ok());
}

#[test]
fn a_realm_that_breaks_the_quoting_is_refused() {
    for realm in ["", "a\"b", "a\\b", "a\r\nb"] {
        let settings = DigestSettings { realm: realm.into(), ..settings() };
        assert!(matches!(Authenticator::new([0; 32], settings), Err(DigestError::Realm { .. })), "{realm:?}");
    }
}

proptest! {
    #[test]
    fn no_value_breaks_the_reader(value in "(Digest )?[ -~\\t\u{80}-\u{fff}]{0,200}") {
        let _ = DigestAnswer::parse(&value);
        let _ = Challenge::parse(&value);
    }

    #[test]
    fn any_user_and_password_pass_through_both_sides(user in "[ -~]{1,20}", password in "[ -~]{0,20}") {
        let mut server = server();
        let challenge = server.challenge(Time::ZERO, HERE, Algorithms::Sha256, false).remove(0);
        let invite = (HERE, Signed { method: "INVITE", ..REGISTER.1 });
        let secret = Secret::new(password);
        let value = Challenge::parse(&challenge).unwrap().answer(&user, &secret, invite.1, "c", 1);
        let answer = DigestAnswer::parse(&value).unwrap();
        prop_assert_eq!(&answer.username, &user);
        let known = Credentials::Password(secret);
        let verdict = server.check(Time::ZERO, &answer, invite, Algorithms::Sha256, Some(&known));
        prop_assert_eq!(verdict, Verdict::Ok);
    }

    #[test]
    fn a_count_passes_at_most_once(counts in prop::collection::vec(1u32..200, 1..100)) {
        let mut window: Option<Window> = None;
        let mut passed = std::collections::BTreeSet::new();
        for nc in counts {
            let fresh = match &mut window {
                None => { window = Some(Window::first(Time::ZERO, nc)); true }
                Some(window) => window.take(nc),
            };
            if fresh {
                prop_assert!(passed.insert(nc));
            }
        }
    }
}

/// How many hashes a login takes, its challenge included: of this name, whose user has these settings and this password.
fn hashes(name: &str, said: &str, user: Option<(Terms, &str)>, all: Terms) -> (u32, Verdict) {
    let mut server = server();
    let everybody = [("101", &secret(), all)];
    let decoys = Decoys::of("plugboard.test", everybody);
    let (own, credentials) = (user.map(|(terms, _)| terms), user.map(|(_, password)| Secret::new(password)));
    let credentials = credentials.map(Credentials::Password);
    let begin = HASHES.get();
    let challenges = server.challenge(Time::ZERO, HERE, decoys.terms(name, own), false);
    let challenged = HASHES.get() - begin;
    let challenge = Challenge::parse(&challenges[0]).unwrap();
    let answer = DigestAnswer::parse(&challenge.answer(name, &Secret::new(said), REGISTER.1, "c0ffee", 1)).unwrap();
    let begin = HASHES.get();
    let terms = decoys.terms(name, own);
    let verdict = server.check(Time::ZERO, &answer, REGISTER, terms, credentials.as_ref());
    (challenged + HASHES.get() - begin, verdict)
}

#[test]
fn as_many_hashes_are_made_for_a_name_that_nobody_has_as_for_a_user() {
    for algorithms in [Algorithms::Md5, Algorithms::Sha256, Algorithms::Both, Algorithms::Sha256Sess] {
        let terms = Terms::from(algorithms);
        let user = Some((terms, "demo-101"));
        let (right, verdict) = hashes("101", "demo-101", user, terms);
        assert_eq!(verdict, Verdict::Ok);
        // Two HMACs of nonces, two of the name, three hashes of the answer and one more for a session's key.
        assert_eq!(right, if algorithms == Algorithms::Sha256Sess { 8 } else { 7 });
        assert_eq!(hashes("101", "guessed", user, terms), (right, Verdict::Wrong), "a wrong password");
        assert_eq!(hashes("199", "demo-101", None, terms), (right, Verdict::Wrong), "nobody");
    }
}
