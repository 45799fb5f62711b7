//! Mail of the switch, taken by a real mail server.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{
    Baresip, Call, LIMIT, MailServer, Office, Plugboard, Serve, Sipp, Tls, Transport, free_port, rough_mail_server,
    until,
};
use std::path::Path;
use std::time::Duration;

/// Whoever calls 300 has this sent.
const SENDS: &str = "- send-email: { to: [ann@example.com], subject: 'Grüße von {caller_number}', text: \"Line\\n.\\nEnd\" }\n- hang-up";

fn office(port: u16, mail: &str, steps: &str) -> Office {
    let mail =
        format!("mail: {{ host: 127.0.0.1, port: {port}, private: true, from: 'Desk <desk@plugboard.test>', {mail} }}");
    Office::new().scenario("300", "sends", steps).lines(&format!("\n{mail}"))
}

fn calls(switch: &Plugboard, name: &str) {
    let call = Call::new("101", "secret-101", "300").lasts(Duration::from_millis(100));
    // A script that sends and hangs up never answers: how the call ends is no matter.
    Sipp::calls(switch, name, &call, Transport::Udp).start().ends();
}

fn trusting(certificate: &Path) -> Plugboard {
    Plugboard::empty_by(|serve| serve.configured(&format!("[tls]\nca = \"{}\"\n", certificate.display())))
}

fn message_id(mail: &str) -> String {
    let line = mail.lines().find(|line| line.to_ascii_lowercase().starts_with("message-id:"));
    line.unwrap_or_else(|| panic!("no Message-ID: {mail}")).split_once(' ').unwrap().1.trim().to_owned()
}

/// The state of the only notice.
fn state(switch: &Plugboard) -> String {
    let told = switch.ask(&["outbox", "list"]);
    told["notices"][0]["state"].as_str().unwrap_or("none").to_owned()
}

#[test]
fn r37_a_mail_server_gets_what_the_scenario_says_over_starttls_and_over_tls_from_the_first_byte() {
    for (tls, word) in [(Tls::StartTls, "starttls"), (Tls::Implicit, "implicit")] {
        let folder = tempfile::tempdir().unwrap();
        let server = MailServer::start(folder.path(), tls);
        let switch = trusting(server.certificate());
        switch.apply(&office(server.port(), &format!("tls: {word}"), SENDS));
        calls(&switch, "caller");
        let mail = server.waits_for(1)[0].clone();
        assert!(mail.contains("From: Desk <desk@plugboard.test>"), "{mail}");
        assert!(mail.contains("To: ann@example.com") && mail.contains("Auto-Submitted: auto-generated"), "{mail}");
        assert!(mail.contains("Subject: =?utf-8?"), "{mail}");
        assert!(mail.ends_with("Line\n.\nEnd\n") || mail.contains("Line\n.\nEnd"), "no line is lost: {mail}");
        until("the word that it has left", || (state(&switch) == "sent").then_some(()));
        let told =
            switch.ask(&["outbox", "show", switch.ask(&["outbox", "list"])["notices"][0]["id"].as_str().unwrap()]);
        let kept = &told["notice"];
        assert_eq!(format!("<{}>", kept["message_id"].as_str().unwrap()), message_id(&mail));
        assert_eq!((kept["text"].as_str(), kept["tries"][0]["end"].as_str()), (Some(""), Some("sent")));
        assert!(!switch.log().contains("ann@example.com"), "addresses are nobody's in the log");
    }
}

#[test]
fn r39_a_mail_server_has_the_notice_within_a_second_after_the_hold() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(folder.path(), Tls::None);
    let steps = "- event: hold\n  steps: [ { send-email: { to: [sales@example.com], subject: Hold, text: 'User {agent_name} put on hold {caller_number}.' } } ]\n\
        - call-user: { mode: user, target: 102 }";
    let switch = Plugboard::with_office(&office(server.port(), "tls: none", steps));
    let bob = Baresip::start(&switch, "102", "secret-102", 700.0, Transport::Udp);
    let ann = Baresip::start(&switch, "101", "secret-101", 440.0, Transport::Udp);
    ann.dials("300");
    ann.waits_for_answer();
    bob.waits_to_hear();
    bob.holds();
    let mail = server.waits_for(1)[0].clone();
    assert!(mail.contains("User User 102 put on hold 101."), "{mail}");
    // From the taking to the server's last word; the journal says when the hold was.
    until("the count", || (switch.sample("plugboard_notice_seconds_count") > 0.5).then_some(()));
    assert!(switch.sample("plugboard_notice_seconds_bucket{le=\"0.25\"}") > 0.5, "{}", switch.page("/metrics").1);
    ann.hangs_up();
    let record = switch.waits_for_past_calls(1)[0].clone();
    let trace = switch.ask(&["call", "trace", record["id"].as_str().unwrap()]);
    let entries = trace["entries"].as_array().unwrap();
    let at = |what: &str| {
        let found = entries.iter().find(|entry| entry.to_string().contains(what));
        found.unwrap_or_else(|| panic!("{what}: {trace}"))["at"].as_u64().unwrap_or_else(|| panic!("{trace}"))
    };
    let (held, queued) = (at("\"held\""), at("noticed"));
    assert!(queued - held < 700_000_000, "{held} {queued}");
}

#[test]
fn a_server_that_is_not_trusted_or_does_not_speak_tls_is_given_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let own = MailServer::start(&folder.path().join("own"), Tls::StartTls);
    let plain = MailServer::start(&folder.path().join("plain"), Tls::None);
    let stranger = MailServer::start(&folder.path().join("stranger"), Tls::Implicit);
    for (server, tls, why) in [(&stranger, "implicit", "certificate"), (&plain, "starttls", "does not offer STARTTLS")]
    {
        let switch = trusting(own.certificate());
        switch.apply(&office(server.port(), &format!("tls: {tls}"), SENDS));
        calls(&switch, "caller");
        until("the reason", || switch.log().contains(why).then_some(()));
        assert_eq!(state(&switch), "waiting", "a certificate may be renewed");
        assert!(server.mails().is_empty());
    }
}

#[test]
fn a_private_address_is_not_dialled_unless_the_office_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(folder.path(), Tls::StartTls);
    let office = office(server.port(), "tls: starttls", SENDS).text().replace("private: true", "private: false");
    let switch = trusting(server.certificate());
    let file = switch.folder().join("office.yaml");
    std::fs::write(&file, office).unwrap();
    switch.succeeds(&["apply", file.to_str().unwrap()]);
    calls(&switch, "caller");
    until("the reason", || switch.log().contains("is in a private network").then_some(()));
    assert!(server.mails().is_empty());
}

#[test]
fn a_server_that_is_down_gets_the_mail_once_it_is_up() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port(1);
    let switch = Plugboard::with_office(&office(port, "tls: none", SENDS));
    calls(&switch, "caller");
    until("a try in vain", || {
        (switch.sample("plugboard_notice_tries_total{end=\"not_now\",kind=\"mail\"}") > 0.5).then_some(())
    });
    let server = MailServer::start_at(folder.path(), Tls::None, port);
    server.waits_for(1);
    until("the word that it has left", || (state(&switch) == "sent").then_some(()));
}

#[test]
fn what_fails_for_now_is_tried_again_and_what_fails_for_good_is_not() {
    let port = free_port(1);
    let mails = rough_mail_server(port, &[Some("451 try later"), Some("550 never")]);
    let switch = Plugboard::with_office(&office(port, "tls: none", SENDS));
    calls(&switch, "caller");
    let (first, second) = (mails.recv_timeout(LIMIT).unwrap(), mails.recv_timeout(LIMIT).unwrap());
    assert_eq!(message_id(&first), message_id(&second));
    until("the end of it", || (state(&switch) == "failed").then_some(()));
    let listed = switch.ask(&["outbox", "list"]);
    let ends: Vec<&str> =
        listed["notices"][0]["tries"].as_array().unwrap().iter().map(|one| one["end"].as_str().unwrap()).collect();
    assert_eq!(ends, ["not_now", "refused"]);
}

#[test]
fn a_kill_between_the_hand_over_and_the_word_for_it_sends_the_same_mail_again() {
    let port = free_port(1);
    let mails = rough_mail_server(port, &[None, Some("250 ok")]);
    let switch = Plugboard::with_office(&office(port, "tls: none", SENDS));
    calls(&switch, "caller");
    let first = mails.recv_timeout(LIMIT).unwrap();
    // The server has all of it, and the switch has no word of that.
    assert_eq!(state(&switch), "sending");
    let (_folder, data) = switch.cut();
    let again = Serve::on(&data).start();
    let second = mails.recv_timeout(LIMIT).unwrap();
    assert_eq!(message_id(&first), message_id(&second));
    until("the word that it has left", || (state(&again) == "sent").then_some(()));
    assert_eq!(again.ask(&["outbox", "erase", "--number", "101"])["erased"], 1);
    assert_eq!(again.ask(&["outbox", "list"])["notices"].as_array().unwrap().len(), 0);
}
