//! Peers that break the rules: each fault is answered as the RFC says, counted, and told in one line with its reason.

use plugboard_simulator::{Log, Setup, Sim, answer_to_challenge};

use crate::{millis, seconds};

/// Nobody's phone.
const PEER: &str = "203.0.113.9:5060";
/// The demo's gateway, which needs no password.
const GATEWAY: &str = "127.0.0.1:5080";

/// The demo, whose gateway is known to be up already.
fn begin() -> (Log, Sim) {
    let (log, mut sim) = (Log::begin(), Sim::demo());
    sim.run_for(seconds(1));
    (log, sim)
}

/// A request from there; each word of `changes` is put in place of another.
fn request(from: &str, method: &str, n: usize, changes: &[(&str, &str)]) -> String {
    let sound = format!(
        "{method} sip:100@plugboard.test SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-f{n};rport\n\
         Max-Forwards: 70\nFrom: <sip:+4930123456@plugboard.test>;tag=s{n}\nTo: <sip:100@plugboard.test>\n\
         Call-ID: fault-{n}\nCSeq: 1 {method}\nContact: <sip:x@{from}>\n\n"
    );
    changes.iter().fold(sound, |text, (before, after)| {
        assert!(text.contains(before), "{before} is in no line of\n{text}");
        text.replace(before, after)
    })
}

/// What comes of one message: the status it is answered with, the line that tells of it and what is counted.
struct Expected {
    status: &'static str,
    line: &'static str,
    counter: &'static str,
}

const fn expected(status: &'static str, line: &'static str, counter: &'static str) -> Expected {
    Expected { status, line, counter }
}

/// A fault of this kind.
fn kind(status: &'static str, line: &'static str, kind: &str) -> Expected {
    Expected { status, line, counter: format!("plugboard_sip_faults_total{{kind=\"{kind}\"}}").leak() }
}

/// Sends it, and sees that there is exactly one line with its reason, one count and the RFC's answer.
#[track_caller]
fn provoke(sim: &mut Sim, log: &Log, from: &str, message: &str, Expected { status, line, counter }: Expected) {
    sim.said_to(from);
    log.lines();
    let before = sim.metric(counter).unwrap_or_else(|| panic!("{counter} is no series"));
    sim.strange_message(from, message);
    sim.run_for(millis(400));
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:#?} of\n{message}");
    assert!(lines[0].contains(line), "{line:?} is not in {:?}", lines[0]);
    assert!(lines[0].contains(from) || line.contains("leg_id"), "{lines:?} does not name the source");
    assert_eq!(sim.metric(counter), Some(before + 1.0), "{counter}");
    let said = sim.said_to(from);
    let answers: Vec<&str> = said.iter().filter_map(|text| text.lines().next()).collect();
    let expected: Vec<&str> = if status.is_empty() { vec![] } else { vec![status] };
    let statuses: Vec<&str> =
        answers.iter().filter_map(|line| line.split(' ').nth(1)).filter(|s| *s != "100").collect();
    assert_eq!(statuses, expected, "{said:?}");
}

#[test]
fn each_fault_of_a_stranger_is_answered_and_told_in_one_line_with_its_reason() {
    let (log, mut sim) = begin();
    let ask = |method, n, changes: &[(&str, &str)]| request(PEER, method, n, changes);
    let digest = "Authorization: Digest realm=\"plugboard.test\", nonce=\"\nContact";
    let table: Vec<(String, Expected)> = vec![
        ("no SIP at all\n\n".into(), kind("", "not a SIP message", "malformed")),
        (ask("OPTIONS", 1, &[("SIP/2.0\n", "SIP/9.0\n")]), kind("505", "version not supported", "malformed")),
        (ask("OPTIONS", 2, &[("Max-Forwards: 70", "Max-Forwards: x")]), kind("400", "Max-Forwards", "malformed")),
        (ask("OPTIONS", 3, &[("Call-ID: fault-3\n", "")]), kind("400", "missing Call-ID", "malformed")),
        (ask("OPTIONS", 4, &[("CSeq: 1 OPTIONS", "CSeq: 1 BYE")]), kind("400", "CSeq method differs", "malformed")),
        (
            ask("OPTIONS", 5, &[("\n\n", "\nContent-Length: 9\n\n")]),
            kind("400", "shorter than Content-Length", "malformed"),
        ),
        (
            ask("OPTIONS", 6, &[("\n\n", &format!("\nSubject: {}\n\n", "long ".repeat(4_000)))]),
            kind("513", "message too large", "malformed"),
        ),
        (ask("OPTIONS", 7, &[("\n\n", "\nRequire: teapot\n\n")]), kind("420", "Bad Extension", "unsupported")),
        (ask("OPTIONS", 8, &[("OPTIONS sip:100@plugboard.test", "OPTIONS urn:x")]), kind("416", "416", "unsupported")),
        (ask("BREW", 9, &[]), kind("405", "Method Not Allowed", "unsupported")),
        (ask("NOTIFY", 10, &[]), kind("405", "NOTIFY", "unsupported")),
        (ask("MESSAGE", 11, &[]), kind("405", "MESSAGE", "unsupported")),
        (
            ask("OPTIONS", 12, &[("\n\n", "\nContent-Type: text/plain\nContent-Length: 1\n\nx")]),
            kind("415", "Unsupported Media Type", "unsupported"),
        ),
        (ask("BYE", 13, &[("To: <sip:100@plugboard.test>", "To: <sip:100@a>;tag=gone")]), kind("481", "BYE", "dialog")),
        (ask("INFO", 14, &[]), kind("481", "INFO", "dialog")),
        (ask("UPDATE", 15, &[]), kind("481", "UPDATE", "dialog")),
        (ask("PRACK", 16, &[]), kind("481", "PRACK", "dialog")),
        (
            ask("SUBSCRIBE", 17, &[("To: <sip:100@plugboard.test>", "To: <sip:100@a>;tag=fffffffffffffffe-0")]),
            kind("481", "SUBSCRIBE", "dialog"),
        ),
        (ask("CANCEL", 18, &[]), kind("481", "there is no INVITE that it would cancel", "transaction")),
        (
            "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-guessed\nFrom: <sip:a@b>;tag=1\n\
             To: <sip:a@b>;tag=2\nCall-ID: x\nCSeq: 1 BYE\nContent-Length: 0\n\n"
                .into(),
            kind("", "it answers no request of ours", "transaction"),
        ),
        (ask("REFER", 19, &[]), kind("403", "REFER", "refused")),
        (
            ask("REGISTER", 20, &[("Contact", digest)]),
            expected("401", "login failed fault=\"malformed\"", "plugboard_login_failures_total{fault=\"malformed\"}"),
        ),
    ];
    for (message, expected) in table {
        provoke(&mut sim, &log, PEER, &message, expected);
    }
    sim.run_until_quiet();
}

const SDP: &str = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n";

/// With a body, and what describes it.
fn with_body(text: &str, kind: &str, body: &str) -> String {
    let len = body.len() + body.matches('\n').count();
    text.replace("\n\n", &format!("\nContent-Type: {kind}\nContent-Length: {len}\n\n{body}"))
}

#[test]
fn each_fault_within_a_call_is_answered_and_told_in_one_line_with_its_reason() {
    let (log, mut sim) = begin();
    // The greeting answers at once.
    let invite = with_body(&request(GATEWAY, "INVITE", 1, &[]), "application/sdp", SDP);
    sim.strange_message(GATEWAY, &invite);
    sim.run_for(millis(100));
    let said = sim.said_to(GATEWAY);
    let (_, to) = said.last().unwrap_or_else(|| panic!("{}", sim.ladder())).split_once("\r\nTo: ").unwrap();
    let to = to.lines().next().unwrap().to_owned();
    let within = |method: &str, cseq: u32, branch: usize| {
        request(GATEWAY, method, branch, &[])
            .replace("To: <sip:100@plugboard.test>", &format!("To: {to}"))
            .replace(&format!("tag=s{branch}"), "tag=s1")
            .replace(&format!("fault-{branch}"), "fault-1")
            .replace("CSeq: 1 ", &format!("CSeq: {cseq} "))
    };
    sim.strange_message(GATEWAY, &within("ACK", 1, 50));
    sim.run_for(millis(400));
    // The same INVITE on another way.
    let merged = invite.replace("z9hG4bK-f1", "z9hG4bK-other");
    provoke(&mut sim, &log, GATEWAY, &merged, kind("482", "the same INVITE came another way", "transaction"));
    let sdp = |text: &str, body: &str| with_body(text, "application/sdp", body);
    let table: Vec<(String, Expected)> = vec![
        (sdp(&within("INVITE", 2, 51), "v=0\nnonsense\n"), kind("400", "malformed session description", "malformed")),
        (sdp(&within("INVITE", 3, 52), &SDP.replace("AVP 0", "AVP 18")), kind("488", "no codec in common", "media")),
        (sdp(&within("UPDATE", 4, 53), &SDP.replace("AVP 0", "AVP 18")), kind("488", "no codec in common", "media")),
        (with_body(&within("INFO", 5, 54), "text/html", "x"), kind("415", "INFO", "unsupported")),
        (within("INFO", 2, 55), kind("500", "INFO", "conflict")),
        (within("OPTIONS", 6, 56).replace("\n\n", "\nRequire: teapot\n\n"), kind("420", "OPTIONS", "unsupported")),
        (within("PRACK", 7, 57).replace("\n\n", "\nRAck: 1 1 INVITE\n\n"), kind("481", "PRACK", "dialog")),
        (within("MESSAGE", 8, 58), kind("405", "MESSAGE", "unsupported")),
    ];
    for (message, expected) in table {
        // An ACK for the INVITEs among them: a refusal is sent again until it comes.
        let ack = message
            .starts_with("INVITE")
            .then(|| message.split_once("Content-Type").unwrap().0.replace("INVITE", "ACK"));
        provoke(&mut sim, &log, GATEWAY, &message, expected);
        if let Some(ack) = ack {
            sim.strange_message(GATEWAY, &format!("{ack}\n"));
        }
    }
    log.lines();
    sim.strange_message(GATEWAY, &within("BYE", 9, 60));
    sim.run_for(millis(400));
    let said = sim.said_to(GATEWAY);
    assert!(said.iter().any(|text| text.starts_with("SIP/2.0 200 ") && text.contains("9 BYE")), "{said:?}");
    sim.run_until_quiet();
}

#[test]
fn a_call_whose_description_cannot_be_read_is_told_once_with_its_record() {
    let (log, mut sim) = begin();
    let invite = with_body(&request(GATEWAY, "INVITE", 1, &[]), "application/sdp", "v=0\nnonsense\n");
    let counter = "plugboard_calls_refused_total{reason=\"not_allowed\"}";
    provoke(&mut sim, &log, GATEWAY, &invite, expected("400", "not a session description", counter));
}

#[test]
fn a_flood_of_faults_makes_ten_lines_a_minute_and_is_counted_whole() {
    let (log, mut sim) = begin();
    sim.run_for(seconds(61));
    log.lines();
    for _ in 0..100 {
        for _ in 0..100 {
            sim.strange_message(PEER, "no SIP at all\n\n");
        }
        sim.run_for(millis(100));
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 10, "{lines:#?}");
    assert!(lines.iter().all(|line| line.contains("not a SIP message") && !line.contains("left_out")), "{lines:#?}");
    assert_eq!(sim.metric("plugboard_sip_faults_total{kind=\"malformed\"}"), Some(10_000.0));
    sim.run_for(seconds(60));
    sim.strange_message(PEER, "no SIP at all\n\n");
    sim.run_for(seconds(1));
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("left_out=9990"), "{lines:#?}");
    sim.run_until_quiet();
}

#[test]
fn a_flood_of_strangers_calls_makes_ten_lines_a_minute_and_the_next_one_tells_how_many_were_left_out() {
    let (log, mut sim) = begin();
    sim.run_for(seconds(61));
    log.lines();
    for n in 0..100 {
        sim.strange_message(PEER, &request(PEER, "INVITE", n, &[]));
    }
    sim.run_for(seconds(1));
    let lines = log.lines();
    let told = lines.iter().filter(|line| line.starts_with("a stranger calls")).count();
    assert_eq!(told, 10, "{lines:#?}");
    sim.run_for(seconds(61));
    log.lines();
    sim.strange_message(PEER, &request(PEER, "INVITE", 100, &[]));
    sim.run_for(seconds(1));
    let lines = log.lines();
    assert!(lines[0].starts_with("a stranger calls") && lines[0].contains("left_out=90"), "{lines:#?}");
}

/// What a request says that answers the challenge which it gets without that, as the user 101 would.
fn signed(sim: &mut Sim, request: &str) -> String {
    let (method, uri) = {
        let mut words = request.split(' ');
        (words.next().unwrap(), words.next().unwrap())
    };
    sim.said_to(PEER);
    sim.strange_message(PEER, request);
    sim.run_for(millis(100));
    let said = sim.said_to(PEER).concat();
    let challenge = said.lines().find_map(|line| line.strip_prefix("WWW-Authenticate: ")).unwrap();
    let answer = answer_to_challenge("101", "demo-101", challenge, (method, uri)).unwrap();
    request
        .replacen("\n\n", &format!("\nAuthorization: {answer}\n\n"), 1)
        .replace("z9hG4bK-f", "z9hG4bK-again")
        .replace("CSeq: 1 ", "CSeq: 2 ")
}

#[test]
fn each_fault_of_a_user_outside_of_calls_is_answered_and_told_in_one_line_with_its_reason() {
    let (log, mut sim) = begin();
    let contact = format!("Contact: <sip:x@{PEER}>");
    let ask = |method: &str, n, changes: &[(&str, &str)]| {
        let own = [
            ("sip:+4930123456@plugboard.test", "sip:101@plugboard.test"),
            ("sip:100@plugboard.test>", "sip:101@plugboard.test>"),
        ];
        let text = request(PEER, method, n, &own);
        changes.iter().fold(text, |text, (before, after)| {
            assert!(text.contains(before), "{before} is in no line of\n{text}");
            text.replacen(before, after, 1)
        })
    };
    let (brief, star) = (format!("{contact};expires=1"), "Contact: *");
    let sleeper = format!("Contact: <sip:x@{PEER};pn-provider=teapot;pn-prid=1>");
    // It comes through a proxy that does not say that it keeps the flow (RFC 5626 section 6).
    let flow = format!("{contact};+sip.instance=\"<urn:uuid:1>\";reg-id=1\nSupported: outbound, path");
    let through =
        format!("Via: SIP/2.0/UDP {PEER};branch=z9hG4bK-f12;rport\nVia: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bK-x");
    let table: Vec<(String, Expected)> = vec![
        (ask("REGISTER", 1, &[(&contact, &brief)]), kind("423", "status=423", "conflict")),
        (ask("REGISTER", 2, &[(&contact, star)]), kind("400", "status=400", "malformed")),
        (ask("REGISTER", 3, &[("To: <sip:101@", "To: <sip:102@")]), kind("403", "status=403", "refused")),
        (ask("REGISTER", 4, &[(&contact, &sleeper)]), kind("555", "status=555", "malformed")),
        (
            ask("SUBSCRIBE", 5, &[(&contact, &format!("{contact}\nEvent: teapot"))]),
            kind("489", "status=489", "unsupported"),
        ),
        (
            ask(
                "SUBSCRIBE",
                6,
                &[("SUBSCRIBE sip:100@", "SUBSCRIBE sip:999@"), (&contact, &format!("{contact}\nEvent: dialog"))],
            ),
            kind("404", "status=404", "refused"),
        ),
        (
            ask(
                "SUBSCRIBE",
                7,
                &[
                    ("SUBSCRIBE sip:100@", "SUBSCRIBE sip:102@"),
                    (&contact, &format!("{contact}\nEvent: as-feature-event")),
                ],
            ),
            kind("403", "status=403", "refused"),
        ),
        (
            ask(
                "SUBSCRIBE",
                8,
                &[
                    ("SUBSCRIBE sip:100@", "SUBSCRIBE sip:102@"),
                    (&contact, &format!("{contact}\nEvent: dialog\nAccept: text/html")),
                ],
            ),
            kind("406", "status=406", "unsupported"),
        ),
        (
            ask(
                "PUBLISH",
                9,
                &[("PUBLISH sip:100@", "PUBLISH sip:101@"), (&contact, "Event: presence\nSIP-If-Match: gone")],
            ),
            kind("412", "status=412", "dialog"),
        ),
        (
            ask(
                "REGISTER",
                12,
                &[(&contact, &flow), (&format!("Via: SIP/2.0/UDP {PEER};branch=z9hG4bK-f12;rport"), &through)],
            ),
            kind("439", "status=439", "malformed"),
        ),
    ];
    for (message, expected) in table {
        let message = signed(&mut sim, &message);
        provoke(&mut sim, &log, PEER, &message, expected);
    }
    let short = ask("INVITE", 10, &[(&contact, &format!("{contact}\nSupported: timer\nSession-Expires: 60"))]);
    provoke(&mut sim, &log, PEER, &short, kind("422", "status=422", "conflict"));
    let looped = request(GATEWAY, "INVITE", 11, &[("Max-Forwards: 70", "Max-Forwards: 0")]);
    let counter = "plugboard_calls_refused_total{reason=\"no_route\"}";
    provoke(&mut sim, &log, GATEWAY, &looped, expected("483", "it went through too many servers", counter));
    sim.run_until_quiet();
}

#[test]
fn what_finds_no_room_is_told_in_one_line() {
    let (log, mut sim) = (Log::begin(), Setup::demo().transactions(16).start());
    sim.run_for(seconds(1));
    let phone = sim.phone("ann", "101");
    while sim.holdings().transactions < 14 {
        phone.registers();
        sim.run_until(phone.is_registered());
    }
    let full = request(PEER, "OPTIONS", 1, &[]);
    provoke(&mut sim, &log, PEER, &full, kind("503", "too many transactions are under way", "no_room"));
    sim.run_until_quiet();
}
