//! What a switch answers to requests that are no calls, and to what is no request at all.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use plugboard_tests_interop::{LIMIT, Office, Plugboard, Transport, until};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::time::Duration;

/// A datagram socket that talks to the switch.
fn socket(switch: &Plugboard) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect(switch.sip(Transport::Udp)).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

fn request(method: &str, number: u32, more: &str) -> String {
    format!(
        "{method} sip:plugboard.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK-{method}-{number}\r\nFrom: <sip:someone@plugboard.test>;tag=1\r\nTo: <sip:plugboard.test>\r\nCall-ID: wire-{method}-{number}\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

fn answer(socket: &UdpSocket) -> String {
    let mut bytes = vec![0; 65_535];
    let len = socket.recv(&mut bytes).expect("an answer");
    String::from_utf8_lossy(&bytes[..len]).into_owned()
}

/// Whether the switch answers, told by a question whose answer comes next on this socket: so nothing came before it.
fn is_alive(socket: &UdpSocket, number: u32) {
    socket.send(request("OPTIONS", number, "").as_bytes()).unwrap();
    let said = answer(socket);
    assert!(said.starts_with("SIP/2.0 200 ") && said.contains(&format!("CSeq: {number} OPTIONS")), "{said}");
}

#[test]
fn options_are_answered_with_what_the_switch_takes() {
    let switch = Plugboard::demo();
    let socket = socket(&switch);
    socket.send(request("OPTIONS", 1, "").as_bytes()).unwrap();
    let said = answer(&socket);
    assert!(said.starts_with("SIP/2.0 200 OK\r\n"), "{said}");
    let allow = said.lines().find(|line| line.starts_with("Allow: ")).unwrap();
    for method in ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER"] {
        assert!(allow.contains(method), "{allow}");
    }
    assert!(said.contains("application/sdp"), "{said}");
}

#[test]
fn a_phone_that_asks_by_stun_where_it_is_seen_keeps_its_way_open() {
    let switch = Plugboard::demo();
    let socket = socket(&switch);
    let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], b"plugboard-id"].concat();
    socket.send(&request).unwrap();
    let mut bytes = [0; 100];
    let length = socket.recv(&mut bytes).expect("an answer");
    assert_eq!((length, &bytes[..2], &bytes[8..20]), (32, &[1, 1][..], &b"plugboard-id"[..]));
    let port = u16::from_be_bytes([bytes[26] ^ 0x21, bytes[27] ^ 0x12]);
    assert_eq!(port, socket.local_addr().unwrap().port());
    is_alive(&socket, 1);
}

#[test]
fn what_is_too_large_gets_513_over_udp_and_over_tcp() {
    let switch = Plugboard::demo();
    let socket = socket(&switch);
    let long = format!("Subject: {}\r\n", "long ".repeat(4_000));
    socket.send(request("OPTIONS", 1, &long).as_bytes()).unwrap();
    let said = answer(&socket);
    assert!(said.starts_with("SIP/2.0 513 Message Too Large\r\n") && said.contains("CSeq: 1 OPTIONS"), "{said}");
    is_alive(&socket, 2);
    let mut stream = TcpStream::connect(switch.sip(Transport::Tcp)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let large =
        request("OPTIONS", 3, "").replace("/UDP ", "/TCP ").replace("Content-Length: 0", "Content-Length: 70000");
    stream.write_all(large.as_bytes()).unwrap();
    // Where the next message begins is not looked for: the connection ends with the answer.
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("SIP/2.0 513 ") && said.contains("CSeq: 3 OPTIONS"), "{said}");
    is_alive(&socket, 4);
}

#[test]
fn a_method_that_nobody_knows_gets_405_with_what_is_allowed() {
    let switch = Plugboard::demo();
    let socket = socket(&switch);
    for (number, method) in [(1, "DANCE"), (2, "MESSAGE")] {
        socket.send(request(method, number, "").as_bytes()).unwrap();
        let said = answer(&socket);
        assert!(said.starts_with("SIP/2.0 405 ") && said.contains("\r\nAllow: INVITE"), "{said}");
    }
    socket.send(request("OPTIONS", 4, "Require: teleport\r\n").as_bytes()).unwrap();
    let said = answer(&socket);
    assert!(said.starts_with("SIP/2.0 420 ") && said.contains("Unsupported: teleport"), "{said}");
    is_alive(&socket, 5);
}

#[test]
fn a_request_that_is_broken_gets_400_and_garbage_gets_silence() {
    let switch = Plugboard::demo();
    let socket = socket(&switch);
    let broken = request("OPTIONS", 1, "").replace("CSeq: 1 OPTIONS", "CSeq: one OPTIONS");
    socket.send(broken.as_bytes()).unwrap();
    let said = answer(&socket);
    assert!(said.starts_with("SIP/2.0 400 "), "{said}");
    let garbage: [&[u8]; 6] = [
        b"",
        b"\0\0\0\0",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        &[0xff; 1_400],
        b"INVITE",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1\r\nCSeq: 1 INVITE\r\n\r\n",
    ];
    for (bytes, number) in garbage.iter().zip(10..) {
        socket.send(bytes).unwrap();
        is_alive(&socket, number);
    }
    // One far larger than any phone sends.
    socket.send(&request("OPTIONS", 20, &format!("X: {}\r\n", "y".repeat(64_000))).into_bytes()).unwrap();
    let said = answer(&socket);
    assert!(said.starts_with("SIP/2.0 513 "), "{said}");
    is_alive(&socket, 21);
    let errors = switch.page("/metrics").1;
    assert!(errors.lines().any(|line| line.starts_with("plugboard_sip_parse_errors_total") && !line.ends_with(" 0")));
}

#[test]
fn a_stream_that_promises_too_much_is_closed_and_others_go_on() {
    let switch = Plugboard::demo();
    let address = switch.sip(Transport::Tcp);
    let stream = || {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    };
    let over_tcp = |number: u32, more: &str| request("OPTIONS", number, more).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let mut good = stream();

    // A body of four gigabytes, a header without an end, and no SIP at all.
    let huge = over_tcp(1, "").replace("Content-Length: 0", "Content-Length: 4294967295");
    let endless = format!("OPTIONS sip:a SIP/2.0\r\nX: {}", "y".repeat(2 << 20));
    for bytes in [huge.into_bytes(), endless.into_bytes(), vec![0; 2 << 20]] {
        let mut bad = stream();
        // The switch may close it before it has everything.
        let _ = bad.write_all(&bytes);
        let mut said = Vec::new();
        let ended = bad.read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said).into_owned();
        let reset = ended.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset);
        assert!(ended.is_ok() || reset, "closed, not left to wait: {ended:?} {said}");
        assert!(said.is_empty() || said.starts_with("SIP/2.0 4") || said.starts_with("SIP/2.0 5"), "{said}");
    }

    // Two requests in one write, a third in three parts: each is answered.
    let third = over_tcp(4, "");
    let (one, rest) = third.split_at(20);
    let (two, three) = rest.split_at(100);
    good.write_all(format!("\r\n\r\n{}{}{one}", over_tcp(2, ""), over_tcp(3, "")).as_bytes()).unwrap();
    good.write_all(two.as_bytes()).unwrap();
    good.write_all(three.as_bytes()).unwrap();
    let mut said = String::new();
    let mut part = [0; 4_096];
    // Where between the answers the pong comes is not promised (RFC 5626 section 4.4.1).
    let pongs = until("three answers and the pong for the ping before the first", || {
        let len = good.read(&mut part).unwrap();
        said.push_str(&String::from_utf8_lossy(&part[..len]));
        let (mut answers, mut pongs, mut rest) = (0, 0, &*said);
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("\r\n") {
                (pongs, rest) = (pongs + 1, after);
            } else if let (true, Some((_, after))) =
                (rest.starts_with("SIP/2.0 200 OK\r\n"), rest.split_once("\r\n\r\n"))
            {
                (answers, rest) = (answers + 1, after);
            } else {
                return None;
            }
        }
        (answers == 3 && pongs > 0).then_some(pongs)
    });
    assert_eq!(pongs, 1, "{said:?}");
    is_alive(&socket(&switch), 5);
}

/// RFC 5626 section 4.4.1.
#[test]
fn a_ping_over_a_connection_gets_one_pong() {
    let switch = Plugboard::demo();
    let mut stream = TcpStream::connect(switch.sip(Transport::Tcp)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let options = request("OPTIONS", 1, "").replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    for _ in 0..2 {
        stream.write_all(b"\r\n\r\n").unwrap();
        let mut pong = [0; 2];
        stream.read_exact(&mut pong).unwrap();
        assert_eq!(&pong, b"\r\n");
    }
    stream.write_all(options.as_bytes()).unwrap();
    let mut answer = [0; 14];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"SIP/2.0 200 OK", "nothing came between");
}

#[test]
fn a_connection_that_cannot_be_read_is_told_in_one_line_with_the_reason() {
    /// What is sent over what, and what the line says of it.
    const FAULTS: [(Transport, &str, &str, &str); 6] = [
        (Transport::Tcp, "OPTIONS sip:a SIP/2.0\r\n\r\n", "framing", "missing Content-Length on a stream"),
        (
            Transport::Tcp,
            "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n",
            "malformed",
            "missing From header",
        ),
        (Transport::Tls, "no TLS at all\r\n\r\n", "handshake", "InvalidContentType"),
        (Transport::Wss, "GET / HTTP/1.1\r\n\r\n", "handshake", "InvalidContentType"),
        (Transport::Ws, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "websocket", "Connection: upgrade"),
        (
            Transport::Ws,
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n\x01\x03abc",
            "websocket",
            "unmasked",
        ),
    ];
    let switch = Plugboard::everywhere(&Office::new(), "");
    for ((transport, said, kind, reason), number) in FAULTS.into_iter().zip(1..) {
        let counter = format!("plugboard_sip_faults_total{{kind=\"{kind}\"}}");
        let before = switch.sample(&counter);
        let mut peer = TcpStream::connect(switch.sip(transport)).unwrap();
        let (head, frame) = said.split_at(said.find('\x01').unwrap_or(said.len()));
        peer.write_all(head.as_bytes()).unwrap();
        if !frame.is_empty() {
            // The WebSocket is there when this is answered.
            let mut answer = [0; 12];
            peer.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 101");
            peer.write_all(frame.as_bytes()).unwrap();
        }
        let source = format!("\"source\":\"{}\"", peer.local_addr().unwrap());
        let lines = || -> Vec<String> {
            let log = switch.log();
            log.lines().filter(|line| line.contains("SIP fault") && line.contains(&source)).map(str::to_owned).collect()
        };
        until(reason, || (!lines().is_empty()).then_some(()));
        drop(peer);
        let told = lines();
        let line = &told[0];
        assert!(line.contains(&format!("\"kind\":\"{kind}\"")) && line.contains(reason), "{reason}: {line}");
        // One that is framed goes on, and the others are closed: neither is told again.
        is_alive(&socket(&switch), number);
        assert_eq!((lines().len(), switch.sample(&counter)), (1, before + 1.0), "{:?}", lines());
    }
}

#[test]
fn a_peer_that_asks_and_never_reads_loses_its_connection() {
    let switch = Plugboard::demo();
    let mut deaf = TcpStream::connect(switch.sip(Transport::Tcp)).unwrap();
    deaf.set_write_timeout(Some(LIMIT)).unwrap();
    // More than all buffers between us hold.
    let many: String = (0..500).map(|n| request("OPTIONS", n, "").replace("SIP/2.0/UDP", "SIP/2.0/TCP")).collect();
    let error = until("the connection to be closed", || deaf.write_all(many.as_bytes()).err());
    let closed = [std::io::ErrorKind::ConnectionReset, std::io::ErrorKind::BrokenPipe];
    assert!(closed.contains(&error.kind()), "{error}");
    is_alive(&socket(&switch), 1);
}

#[test]
fn a_hundred_silent_connections_keep_nobody_away() {
    let switch = Plugboard::demo();
    let silent: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect_timeout(&switch.sip(Transport::Tcp), Duration::from_secs(5)).unwrap())
        .collect();
    let mut stream = TcpStream::connect(switch.sip(Transport::Tcp)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(request("OPTIONS", 1, "").replace("SIP/2.0/UDP", "SIP/2.0/TCP").as_bytes()).unwrap();
    let mut part = [0; 4_096];
    let len = stream.read(&mut part).unwrap();
    assert!(part[..len].starts_with(b"SIP/2.0 200 OK"));
    drop(silent);
}
