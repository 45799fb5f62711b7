//! A phone that sleeps is woken by an HTTP request to a push gateway, and rung when it has registered.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Bridge, Call, LIMIT, Office, Plugboard, Sipp, Transport, free_port, until};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

const TOKEN: &str = "s3cret-t0ken";
const APP: &str = ";pn-provider=fcm;pn-param=app;pn-prid=abc%3A123";

/// A push gateway that gives this answer to whoever asks; what it is told, head and body.
fn gateway(status: &'static str) -> (u16, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, (told, hears)) = (listener.local_addr().unwrap().port(), channel());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert!(stream.read_line(&mut head).unwrap() > 0, "a whole request: {head}");
            }
            let len = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse().unwrap();
            let mut body = vec![0; len];
            stream.read_exact(&mut body).unwrap();
            write!(stream.get_mut(), "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").unwrap();
            if told.send((head, String::from_utf8(body).unwrap())).is_err() {
                return;
            }
        }
    });
    (port, hears)
}

fn switch(gateway: u16) -> Plugboard {
    let push = format!(
        "[[push.services]]\nprovider = \"fcm\"\nurl = \"http://127.0.0.1:{gateway}/send?v=1\"\n\
         token_environment = \"PUSH_TOKEN\"\nbody = '{{\"message\": {{\"token\": \"{{prid}}\"}}}}'\n"
    );
    let switch = Plugboard::empty_by(|serve| serve.configured(&push).variable("PUSH_TOKEN", TOKEN));
    switch.apply(&Office::new());
    switch
}

#[test]
fn a_sleeping_phone_is_woken_through_a_push_gateway_and_rung() {
    let (port, told) = gateway("200 OK");
    let (switch, app) = (switch(port), free_port(1));
    let registered = Sipp::registers_to_be_woken(&switch, "102", "secret-102", app, APP).succeeds();
    assert!(registered.messages().contains("Feature-Caps: *;+sip.pns=\"fcm\""));
    let call = Call::new("101", "secret-101", "102").lasts(Duration::from_millis(200));
    let caller = Sipp::calls(&switch, "caller", &call, Transport::Udp).start();
    let (head, body) = told.recv_timeout(LIMIT).expect("a push notification");
    assert!(head.starts_with("POST /send?v=1 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("Authorization: Bearer {TOKEN}\r\n")), "{head}");
    assert_eq!(body, "{\"message\": {\"token\": \"abc:123\"}}");
    // The app wakes up. The INVITE comes at once, and it has to be at its port then.
    let woken = Sipp::wakes_and_answers(&switch, "102", "secret-102", app, APP).start();
    caller.succeeds();
    assert!(woken.messages().contains("INVITE sip:102@"), "{}", woken.messages());
    until("the gateway's answer", || {
        (switch.sample("plugboard_push_notifications_total{outcome=\"accepted\"}") > 0.9).then_some(())
    });
    assert!(!switch.log().contains(TOKEN) && !switch.log().contains("abc:123"));
}

#[test]
fn a_gateway_that_refuses_shows_in_the_log_without_secrets() {
    let (port, told) = gateway("401 Unauthorized");
    let (switch, app) = (switch(port), free_port(1));
    Sipp::registers_to_be_woken(&switch, "102", "secret-102", app, APP).succeeds();
    let call = Call::new("101", "secret-101", "102").gets(480);
    // Nobody waits for the end of his call: the app never wakes.
    let _caller = Sipp::calls(&switch, "caller", &call, Transport::Udp).start();
    told.recv_timeout(LIMIT).expect("a push notification");
    until("the reason in the log", || switch.log().contains("the gateway answered 401").then_some(()));
    assert!(!switch.log().contains(TOKEN) && !switch.log().contains("abc:123"));
}

#[test]
fn a_gateway_is_asked_over_https_and_only_one_that_shows_its_name() {
    let (port, told) = gateway("200 OK");
    let folder = tempfile::tempdir().unwrap();
    let (own, others) = (folder.path().join("own.pem"), folder.path().join("others.pem"));
    let front = Bridge::before(port, &own);
    let stranger = Bridge::before(port, &others);
    let call = Call::new("101", "secret-101", "102").gets(480);
    for (front, trusted) in [(&front, true), (&stranger, false)] {
        let push = format!(
            "[tls]\nca = {own:?}\n[[push.services]]\nprovider = \"fcm\"\nurl = \"https://{}/send\"\n\
             token_environment = \"PUSH_TOKEN\"\nbody = '{{\"token\": \"{{prid}}\"}}'\n",
            front.address()
        );
        let switch = Plugboard::empty_by(|serve| serve.configured(&push).variable("PUSH_TOKEN", TOKEN));
        switch.apply(&Office::new());
        Sipp::registers_to_be_woken(&switch, "102", "secret-102", free_port(1), APP).succeeds();
        let _caller = Sipp::calls(&switch, "caller", &call, Transport::Udp).start();
        if trusted {
            let (head, body) = told.recv_timeout(LIMIT).expect("a push notification");
            assert!(head.contains(&format!("Authorization: Bearer {TOKEN}\r\n")), "{head}");
            assert_eq!(body, "{\"token\": \"abc:123\"}");
        } else {
            until("the reason in the log", || switch.log().contains("invalid peer certificate").then_some(()));
            assert!(told.try_recv().is_err(), "the token went to a stranger");
        }
    }
}

#[test]
fn a_phone_that_its_service_knows_no_more_is_forgotten() {
    let (port, told) = gateway("410 Gone");
    let switch = switch(port);
    Sipp::registers_to_sleep(&switch, "102", "secret-102", APP).succeeds();
    switch.waits_for_registration("102", 1);
    let call = Call::new("101", "secret-101", "102").gets(480);
    let _caller = Sipp::calls(&switch, "caller", &call, Transport::Udp).start();
    told.recv_timeout(LIMIT).expect("a push notification");
    switch.waits_for_registration("102", 0);
    assert!(switch.sample("plugboard_push_notifications_total{outcome=\"gone\"}") > 0.9);
    assert!(!switch.log().contains("abc:123"));
}

#[test]
fn a_push_service_that_is_not_known_gets_555() {
    let (port, _told) = gateway("200 OK");
    let switch = switch(port);
    let other = ";pn-provider=apns;pn-prid=x";
    Sipp::registers_to_be_woken(&switch, "102", "secret-102", free_port(1), other).fails();
    switch.waits_for_registration("102", 0);
}

#[test]
fn a_switch_whose_token_is_missing_says_which_and_does_not_start() {
    let text =
        "[[push.services]]\nprovider = \"fcm\"\nurl = \"https://push.example.com/\"\ntoken_environment = \"NO_SUCH\"\n";
    let folder = tempfile::tempdir().unwrap();
    let serve = plugboard_tests_interop::Serve::on(&folder.path().join("data")).configured(text);
    let (status, said) = serve.fails();
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("fcm") && said.contains("NO_SUCH"), "{said}");
}
