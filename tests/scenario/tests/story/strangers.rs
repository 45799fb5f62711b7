//! Who is nobody's user sends whatever he likes, as often as he likes.

use plugboard_model::CallOutcome;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{conversation, millis, seconds};

/// Somebody on the Internet.
const SCANNER: &str = "203.0.113.9:5060";

/// A request of his, the n-th.
fn request(method: &str, n: usize, to_tag: &str) -> String {
    format!(
        "{method} sip:102@plugboard.test SIP/2.0\nVia: SIP/2.0/UDP {SCANNER};branch=z9hG4bK-{method}-{n};rport\n\
         Max-Forwards: 70\nFrom: <sip:101@plugboard.test>;tag=s{n}\nTo: <sip:102@plugboard.test>{to_tag}\n\
         Call-ID: {method}-{n}@scanner\nCSeq: 1 {method}\nContact: <sip:x@{SCANNER}>\nContent-Length: 0\n\n"
    )
}

fn transactions(sim: &Sim) -> usize {
    sim.holdings().transactions
}

#[test]
fn a_flood_of_strangers_requests_is_answered_and_leaves_nothing() {
    let (mut sim, ann, bob) = conversation();
    sim.run_for(seconds(60));
    let before = transactions(&sim);
    let kinds = [
        ("INVITE", "", "407"),
        ("REGISTER", "", "401"),
        ("OPTIONS", "", "200"),
        // The tag of a leg that is there has such a beginning.
        ("BYE", ";tag=1-0", "481"),
        ("CANCEL", "", "481"),
        ("INFO", "", "481"),
        ("SUBSCRIBE", "", "401"),
        ("PUBLISH", "", "401"),
        // The tag of a subscription has such a beginning.
        ("SUBSCRIBE", ";tag=fffffffffffffffe-0", "481"),
        ("INVITE", ";tag=gone", "481"),
        ("REFER", "", "403"),
        ("MESSAGE", "", "405"),
        ("NOTIFY", "", "405"),
        ("UPDATE", "", "481"),
    ];
    for n in 0..700 {
        let (method, to_tag, _) = kinds[n % kinds.len()];
        sim.strange_message(SCANNER, &request(method, n, to_tag));
    }
    sim.run_for(seconds(2));
    for (method, _, status) in kinds {
        let answers = sim.ladder().count(&format!("switch -> {SCANNER}  {status} {method}"));
        assert_eq!(answers, 50, "{status} {method}\n{}", sim.ladder());
    }
    assert_eq!(sim.ladder().count(&format!("switch -> {SCANNER}")), 700, "nothing is sent twice\n{}", sim.ladder());
    assert_eq!(transactions(&sim), before);
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn a_refused_stranger_who_repeats_himself_is_told_the_same() {
    let mut sim = Sim::demo();
    let begin = sim.now();
    for _ in 0..3 {
        sim.strange_message(SCANNER, &request("INVITE", 1, ""));
        sim.run_for(seconds(1));
    }
    sim.strange_message(SCANNER, &request("ACK", 1, ";tag=any"));
    sim.run_for(seconds(1));
    let told = sim.ladder().since(begin);
    assert_eq!(told.count("407 INVITE"), 3, "{told}");
    assert_eq!(transactions(&sim), 0);
    sim.run_until_quiet();
}

#[test]
fn a_guesser_is_not_listened_to_for_a_minute_and_nobody_else_notices() {
    let mut sim = Sim::demo();
    let (guesser, bob) = (sim.new_phone("guesser", "101"), sim.new_phone("bob", "102"));
    for n in 0..20 {
        guesser.has_password(&format!("guess-{n}"));
        guesser.registers();
        sim.run_for(millis(100));
        assert_eq!(guesser.registration(), Some((401, 0)), "{n}");
    }
    let count = |sim: &Sim, fault: &str| sim.metric(&format!("plugboard_login_failures_total{{fault=\"{fault}\"}}"));
    assert_eq!(count(&sim, "wrong_password"), Some(20.0));
    assert_eq!(sim.metric("plugboard_login_sources_silenced_total"), Some(1.0));
    guesser.has_password("demo-101");
    guesser.registers();
    bob.registers();
    sim.run_until(bob.is_registered());
    sim.run_for(seconds(5));
    assert_eq!(guesser.registration(), None, "the right password is no news to a guesser");
    assert!(count(&sim, "not_listened") > Some(0.0));
    assert_eq!(transactions(&sim), 1, "that of Bob's REGISTER");
    sim.run_for(seconds(60));
    guesser.registers();
    sim.run_until(guesser.is_registered());
    sim.run_until_quiet();
}

#[test]
fn who_guesses_again_is_not_listened_to_for_two_minutes_and_the_user_elsewhere_goes_on() {
    let mut sim = Sim::demo();
    let (guesser, ann) = (sim.new_phone("guesser", "101"), sim.new_phone("ann", "101"));
    for pause in [61, 0] {
        for n in 0..20 {
            guesser.has_password(&format!("guess-{pause}-{n}"));
            guesser.registers();
            sim.run_for(millis(100));
        }
        sim.run_for(seconds(pause));
    }
    assert_eq!(sim.metric("plugboard_login_sources_silenced_total"), Some(2.0));
    sim.run_for(seconds(90));
    guesser.has_password("demo-101");
    guesser.registers();
    ann.registers();
    sim.run_until(ann.is_registered());
    sim.run_for(seconds(5));
    assert_eq!(guesser.registration(), None, "longer than a minute");
    sim.run_for(seconds(60));
    guesser.registers();
    sim.run_until(guesser.is_registered());
    sim.run_until_quiet();
}

#[test]
fn who_guesses_by_subscribing_or_publishing_is_stopped_as_by_registering_and_the_user_is_not() {
    for publishes in [false, true] {
        let mut sim = Sim::demo();
        let (ann, nobody) = (sim.phone("ann", "101"), sim.new_phone("nobody", "199"));
        let guesser = sim.new_phone("guesser", "101");
        let asks = |phone: &Phone| if publishes { phone.publishes("away") } else { phone.watches("102", "presence") };
        let count =
            |sim: &Sim, fault: &str| sim.metric(&format!("plugboard_login_failures_total{{fault=\"{fault}\"}}"));
        asks(&nobody);
        sim.run_for(millis(100));
        assert_eq!(count(&sim, "unknown_user"), Some(1.0), "as much is done for a name that there is not");
        for n in 0..20 {
            guesser.has_password(&format!("guess-{n}"));
            asks(&guesser);
            sim.run_for(millis(100));
        }
        assert_eq!(count(&sim, "wrong_password"), Some(20.0), "{}", sim.ladder());
        assert_eq!(sim.metric("plugboard_login_sources_silenced_total"), Some(1.0));
        guesser.has_password("demo-101");
        let begin = sim.now();
        asks(&guesser);
        sim.run_for(seconds(5));
        assert!(count(&sim, "not_listened") > Some(0.0));
        assert_eq!(sim.ladder().since(begin).count("switch -> guesser  200"), 0, "{}", sim.ladder());
        // The user himself, elsewhere.
        asks(&ann);
        sim.run_for(millis(200));
        assert_eq!(sim.ladder().since(begin).count("switch -> ann  200"), 1, "{}", sim.ladder());
    }
}

#[test]
fn forged_answers_silence_nobody() {
    let mut sim = Sim::demo();
    let bob = sim.phone("bob", "102");
    let address = "10.0.0.11";
    for n in 0..100 {
        let forged = request("REGISTER", n, "").replace(
            "Contact:",
            "Authorization: Digest username=\"104\", realm=\"plugboard.test\", uri=\"sip:plugboard.test\", \
             nonce=\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\", \
             response=\"0123456789abcdef0123456789abcdef\", algorithm=MD5, cnonce=\"1\", qop=auth, nc=00000001\n\
             Contact:",
        );
        sim.strange_message(&format!("{address}:5061"), &forged);
    }
    sim.run_for(seconds(1));
    assert_eq!(sim.ladder().count("401 REGISTER"), 101, "{}", sim.ladder());
    assert_eq!(sim.metric("plugboard_login_sources_silenced_total"), Some(0.0));
    // A phone of a user who was never heard of from there, at the same address.
    bob.belongs_to("105", "demo-105");
    bob.registers();
    sim.run_until(bob.is_registered());
    sim.run_until_quiet();
}

#[test]
fn who_is_registered_from_a_house_goes_on_when_a_neighbour_guesses() {
    let mut sim = Sim::demo();
    let (house, ann) = (sim.phone("house", "102"), sim.phone("ann", "101"));
    house.belongs_to("104", "wrong");
    for _ in 0..21 {
        house.registers();
        sim.run_for(millis(100));
    }
    assert_eq!(sim.metric("plugboard_login_sources_silenced_total"), Some(1.0));
    house.belongs_to("105", "demo-105");
    house.registers();
    sim.run_for(seconds(5));
    assert_eq!(house.registration(), None, "nobody new is listened to");
    house.belongs_to("102", "demo-102");
    house.dials("101");
    sim.run_until(ann.rings());
    house.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_hides_his_name_is_asked_by_his_own_digest_and_is_no_guesser() {
    let office = OfficeText::demo().replace("demo-102 }", "demo-102, digest: sha256 }");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    for n in 0..25 {
        bob.dials_anonymously("101", "plugboard.test");
        sim.run_until(ann.rings());
        bob.hangs_up();
        sim.run_until(ann.is_idle());
        assert_eq!(sim.ladder().count("407 INVITE"), 2 * (n + 1), "once by MD5, once by his own\n{}", sim.ladder());
    }
    assert_eq!(sim.metric("plugboard_login_sources_silenced_total"), Some(0.0));
    bob.has_password("guess");
    bob.dials_anonymously("101", "plugboard.test");
    sim.run_until(bob.was_told(407));
    assert_eq!(sim.metric(r#"plugboard_login_failures_total{fault="wrong_password"}"#), Some(1.0));
    sim.run_until_quiet();
}

#[test]
fn a_device_proves_itself_by_session_keys_and_over_its_bodies_where_its_user_is_set_so() {
    for setting in [
        "digest: md5-sess",
        "digest: sha256-sess",
        "digest_integrity: offered",
        "digest_integrity: required",
        "digest: sha256-sess, digest_integrity: required",
    ] {
        let office = OfficeText::demo().replace("demo-102 }", &format!("demo-102, {setting} }}"));
        let mut sim = Setup::offices(vec![office]).start();
        let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
        bob.dials("101");
        sim.run_until(ann.rings());
        ann.answers();
        sim.run_until(bob.talks());
        bob.hangs_up();
        sim.run_until(ann.is_idle());
        bob.has_password("guess");
        bob.dials("101");
        sim.run_until(bob.was_told(407));
        let wrong = sim.metric(r#"plugboard_login_failures_total{fault="wrong_password"}"#);
        assert_eq!(wrong, Some(1.0), "{setting}");
        sim.run_until_quiet();
    }
}

#[test]
fn a_caller_who_hides_his_name_reaches_the_only_office_by_whatever_name_leads_to_it() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    for name in ["plugboard.test", "pbx.lan", "198.51.100.7", "localhost"] {
        ann.dials_anonymously("102", name);
        sim.run_until(bob.rings());
        ann.hangs_up();
        sim.run_until(bob.is_idle());
    }
    ann.dials_at("102", "elsewhere.test");
    sim.run_until(ann.was_told(404));
    sim.run_until_quiet();
}

#[test]
fn wrong_users_are_counted_apart_from_wrong_passwords() {
    let mut sim = Sim::demo();
    let nobody = sim.new_phone("nobody", "199");
    nobody.registers();
    sim.run_for(seconds(1));
    assert_eq!(nobody.registration(), Some((401, 0)));
    nobody.dials("102");
    sim.run_until(nobody.was_told(407));
    assert_eq!(sim.metric(r#"plugboard_login_failures_total{fault="unknown_user"}"#), Some(2.0));
    sim.run_until_quiet();
}

/// The algorithm of the challenge that a REGISTER of this name gets.
fn algorithm(sim: &mut Sim, name: &str, n: usize) -> String {
    sim.strange_message(SCANNER, &request("REGISTER", n, "").replace("sip:101@", &format!("sip:{name}@")));
    sim.run_for(millis(20));
    let said = sim.said_to(SCANNER).concat();
    let (_, rest) = said.split_once("algorithm=").unwrap_or_else(|| panic!("{name} gets no challenge: {said}"));
    rest.split(',').next().unwrap_or_default().to_owned()
}

#[test]
fn a_challenge_does_not_tell_who_exists() {
    let mut office = OfficeText::demo();
    for user in [102, 104, 106] {
        office = office.replace(&format!("demo-{user} }}"), &format!("demo-{user}, digest: sha256 }}"));
    }
    let mut sim = Setup::offices(vec![office]).start();
    assert_eq!((algorithm(&mut sim, "101", 1), algorithm(&mut sim, "102", 2)), ("MD5".into(), "SHA-256".into()));
    let unknown: Vec<String> = (500..540).map(|n| algorithm(&mut sim, &n.to_string(), n)).collect();
    let md5 = unknown.iter().filter(|algorithm| *algorithm == "MD5").count();
    assert!((8..=32).contains(&md5), "half of the users have MD5, and {md5} of 40 unknown ones got it: {unknown:?}");
    let again: Vec<String> = (500..540).map(|n| algorithm(&mut sim, &n.to_string(), n + 1_000)).collect();
    assert_eq!(unknown, again, "a name that is asked for again gets what it got");
    sim.run_until_quiet();
}

#[test]
fn phones_go_on_when_their_office_gets_another_first_domain() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    sim.applies(&[OfficeText::demo().replace("[plugboard.test]", "[new.test, plugboard.test]")]);
    sim.run_for(seconds(1));
    ann.registers();
    sim.run_until(ann.is_registered());
    sim.run_until_quiet();
}
