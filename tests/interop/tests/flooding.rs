//! More comes than any switch can take.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Call, Office, Plugboard, Serve, Sipp, Transport, until};
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

/// Requests of a flood: ten times what the kernel queues where it is most generous to us.
const FLOOD: usize = 60_000;

/// A stranger's request, the n-th.
fn request(method: &str, n: usize) -> String {
    format!(
        "{method} sip:102@plugboard.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK-{method}-{n}\r\n\
         From: <sip:101@plugboard.test>;tag=s{n}\r\nTo: <sip:102@plugboard.test>\r\nCall-ID: flood-{n}\r\n\
         CSeq: {n} {method}\r\nMax-Forwards: 70\r\nContact: <sip:x@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n"
    )
}

/// A datagram socket that talks to the switch.
fn socket(switch: &Plugboard) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect(switch.sip(Transport::Udp)).unwrap();
    socket
}

#[test]
fn a_flood_is_survived_without_a_trace_and_what_the_kernel_dropped_of_it_is_counted() {
    let mut switch = Plugboard::with_office(&Office::new());
    let stranger = socket(&switch);
    // A switch that stands still reads nothing.
    switch.program().signal("STOP");
    for n in 1..=FLOOD {
        let method = ["INVITE", "REGISTER", "OPTIONS"][n % 3];
        stranger.send(request(method, n).as_bytes()).unwrap();
    }
    switch.program().signal("CONT");
    let dropped = until("drops to be counted", || {
        let dropped = switch.sample("plugboard_sip_datagrams_dropped_total");
        (dropped > 0.0).then_some(dropped)
    });
    // What comes after the flood is answered after it; while the queue is full it may be lost, and is sent again.
    let other = socket(&switch);
    other.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    until("an answer behind the flood", || {
        other.send(request("OPTIONS", FLOOD + 1).as_bytes()).unwrap();
        other.recv(&mut [0; 2_048]).ok()
    });
    assert!(dropped < 60_000.0, "{dropped} of {FLOOD} were dropped");
    assert!(switch.sample("plugboard_sip_transactions").abs() < 0.1, "nothing is kept of strangers");
    let call = Call::new("101", "secret-101", "*43").lasts(Duration::from_millis(20));
    Sipp::calls(&switch, "after", &call, Transport::Udp).succeeds();
}

#[test]
fn guesses_are_counted_over_all_threads_of_the_switch() {
    let folder = tempfile::tempdir().unwrap();
    let switch = Serve::on(&folder.path().join("data")).configured("threads = 4\n").start();
    switch.apply(&Office::new());
    // Each has its own Call-ID, so that none of the threads hears of more than a few.
    let guess = Call::new("101", "guessed", "102").gets(407);
    Sipp::calls(&switch, "guesser", &guess, Transport::Udp).with(&["-m", "20"]).succeeds();
    assert!((switch.sample("plugboard_login_sources_silenced_total") - 1.0).abs() < 0.1);
}
