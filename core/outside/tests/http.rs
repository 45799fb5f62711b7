//! Services of the web that do what they should, and what they should not.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_outside::http::{Asker, Body, NoResponse, Request, Response};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// A service that does this with each connection, numbered from 0, and tells what it was asked.
fn service(does: impl Fn(usize, &mut TcpStream) + Send + 'static) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, (tells, told)) = (listener.local_addr().unwrap(), channel());
    thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let Some(asked) = heard(&mut stream) else { continue };
            if tells.send(asked).is_err() {
                return;
            }
            does(n, &mut stream);
        }
    });
    (address, told)
}

/// A request, head and body.
fn heard(stream: &mut TcpStream) -> Option<String> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4_096]);
    loop {
        let len = stream.read(&mut piece).ok().filter(|len| *len > 0)?;
        bytes.extend_from_slice(&piece[..len]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let wanted =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= wanted.unwrap_or(0) {
            return Some(text);
        }
    }
}

fn answers(stream: &mut TcpStream, status: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // Who does not want to hear it all has gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

fn to(address: SocketAddr) -> Request {
    Request {
        site: address.to_string(),
        base: format!("http://{address}/api"),
        path: String::new(),
        query: Vec::new(),
        method: "GET",
        headers: Vec::new(),
        basic: None,
        body: None,
        timeout: LIMIT,
        retries: 0,
        bytes_max: 1_000,
        at_once: 2,
        private: true,
    }
}

fn asker() -> Asker {
    Asker::start(None).unwrap()
}

/// Asks and waits.
fn asked(asker: &Asker, request: Request) -> Result<Response, NoResponse> {
    let (tells, told) = channel();
    asker.ask(request, Box::new(move |answer| tells.send(answer).unwrap()));
    told.recv_timeout(LIMIT).unwrap()
}

#[test]
fn a_request_has_its_path_its_query_its_secret_and_its_body_and_the_answer_comes_whole() {
    let (address, told) = service(|_, stream| answers(stream, "201 Created", b"{\"id\": 7}"));
    let request = Request {
        path: "contacts/Ann & Bob/\u{e4}".into(),
        query: vec![("phone".into(), "+49 30/1&x=2".into())],
        method: "POST",
        headers: vec![("Idempotency-Key".into(), "main/1/0/3".into())],
        basic: Some(("user".into(), "secret".into())),
        body: Some(Body::Json("{\"a\":1}".into())),
        ..to(address)
    };
    let answer = asked(&asker(), request);
    let expected = Response { status: 201, content_type: "application/json".into(), body: "{\"id\": 7}".into() };
    assert_eq!(answer, Ok(expected));
    let heard = told.recv_timeout(LIMIT).unwrap();
    assert!(
        heard.starts_with("POST /api/contacts/Ann%20&%20Bob/%C3%A4?phone=%2B49+30%2F1%26x%3D2 HTTP/1.1\r\n"),
        "{heard}"
    );
    let lines: Vec<String> = heard.lines().map(str::to_ascii_lowercase).collect();
    for line in [
        "idempotency-key: main/1/0/3",
        "authorization: basic dxnlcjpzzwnyzxq=",
        "content-type: application/json",
        "content-length: 7",
        "user-agent: plugboard/0.1.0",
    ] {
        assert!(lines.iter().any(|own| own == line), "{line} in {heard}");
    }
    assert!(heard.ends_with("\r\n\r\n{\"a\":1}"), "{heard}");
}

#[test]
fn a_form_is_escaped_as_browsers_do_it() {
    let (address, told) = service(|_, stream| answers(stream, "200 OK", b"{}"));
    let values = [("To", "+49170"), ("Body", "Gr\u{fc}\u{df}e & \"so\" 100%\n=")];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let request = Request { method: "POST", body: Some(Body::Form(values)), ..to(address) };
    assert!(asked(&asker(), request).is_ok());
    let heard = told.recv_timeout(LIMIT).unwrap();
    assert!(heard.to_ascii_lowercase().contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"), "{heard}");
    assert!(heard.ends_with("\r\n\r\nTo=%2B49170&Body=Gr%C3%BC%C3%9Fe+%26+%22so%22+100%25%0A%3D"), "{heard}");
}

#[test]
fn an_address_in_a_private_network_is_not_dialled_by_whatever_name() {
    let (address, told) = service(|_, stream| answers(stream, "200 OK", b"{}"));
    let port = address.port();
    let asker = asker();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"] {
        let request =
            Request { base: format!("http://{host}:{port}"), private: false, site: host.into(), ..to(address) };
        let answer = asked(&asker, request);
        let Err(NoResponse::Unreachable(reason)) = &answer else { panic!("{host}: {answer:?}") };
        assert!(reason.contains("is in a private network"), "{host}: {reason}");
    }
    assert!(told.try_recv().is_err(), "somebody was asked");
    assert_eq!(asked(&asker, to(address)).map(|response| response.status), Ok(200));
}

#[test]
fn a_redirection_is_an_answer_and_is_not_followed() {
    let (address, told) = service(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    assert_eq!(asked(&asker(), to(address)).map(|response| response.status), Ok(302));
    assert_eq!(told.try_iter().count(), 1);
}

#[test]
fn an_answer_that_is_too_long_or_no_text_is_none() {
    let (address, _told) = service(|n, stream| match n {
        0 => answers(stream, "200 OK", &[b'a'; 1_000]),
        1 => answers(stream, "200 OK", &[b'a'; 1_001]),
        // One that never ends, in pieces.
        2 => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            while stream.write_all(b"4\r\naaaa\r\n").is_ok() {}
        }
        _ => answers(stream, "200 OK", &[0xff, 0xfe]),
    });
    let asker = asker();
    assert_eq!(asked(&asker, to(address)).map(|response| response.body.len()), Ok(1_000));
    assert_eq!(asked(&asker, to(address)), Err(NoResponse::TooLong));
    assert_eq!(asked(&asker, to(address)), Err(NoResponse::TooLong));
    assert_eq!(asked(&asker, to(address)), Err(NoResponse::NoText));
}

#[test]
fn a_get_that_fails_on_its_way_is_sent_again_and_nothing_else_is() {
    let broken = |n: usize, stream: &mut TcpStream| match n {
        0 => {}
        1 => answers(stream, "503 Service Unavailable", b""),
        _ => answers(stream, "200 OK", b"{}"),
    };
    let (address, told) = service(broken);
    let answer = asked(&asker(), Request { retries: 2, ..to(address) });
    assert_eq!(answer.map(|response| response.status), Ok(200));
    assert_eq!(told.try_iter().count(), 3);
    let (address, told) = service(broken);
    let post = || Request { retries: 2, method: "POST", body: Some(Body::Json("{}".into())), ..to(address) };
    let answer = asked(&asker(), post());
    assert!(matches!(answer, Err(NoResponse::Broken(_))), "{answer:?}");
    assert_eq!(told.try_iter().count(), 1);
}

#[test]
fn whoever_does_not_answer_is_waited_for_as_long_as_was_said() {
    let (address, _told) = service(|_, stream| {
        // It says no word until the other side has gone.
        let _ = stream.read(&mut [0]);
    });
    let request = Request { timeout: Duration::from_millis(300), retries: 3, ..to(address) };
    assert_eq!(asked(&asker(), request), Err(NoResponse::TimeOver));
}

#[test]
fn a_site_has_so_many_requests_at_once_and_others_are_not_held_up() {
    let (go_on, waits) = channel::<()>();
    let (address, told) = service(move |_, stream| {
        waits.recv().unwrap();
        answers(stream, "200 OK", b"{}");
    });
    let (other, _told) = service(|_, stream| answers(stream, "200 OK", b"{}"));
    let (asker, (tells, ends)) = (asker(), channel());
    let request = || Request { at_once: 1, ..to(address) };
    asker.ask(request(), Box::new(move |answer| tells.send(answer).unwrap()));
    told.recv_timeout(LIMIT).unwrap();
    assert_eq!(asked(&asker, request()), Err(NoResponse::Busy));
    assert_eq!(asked(&asker, to(other)).map(|response| response.status), Ok(200));
    go_on.send(()).unwrap();
    assert_eq!(ends.recv_timeout(LIMIT).unwrap().map(|response| response.status), Ok(200));
}

#[test]
fn a_site_that_nobody_reaches_is_left_alone_after_five_failures() {
    // Taken and given back: nobody listens there.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let asker = asker();
    for _ in 0..5 {
        let answer = asked(&asker, to(address));
        let Err(NoResponse::Unreachable(reason)) = &answer else { panic!("{answer:?}") };
        assert!(reason.contains("refused"), "{reason}");
    }
    let answer = asked(&asker, to(address));
    assert_eq!(answer, Err(NoResponse::Unreachable("it failed just now, and is left alone for ten seconds".into())));
}

/// A service over TLS, and the file of the certificate that it shows, which is good for `localhost`.
fn secure(folder: &Path, name: &str) -> (SocketAddr, PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let file = folder.join(name);
    fs::write(&file, made.cert.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, stream.unwrap());
            let mut first = [0; 4_096];
            // Who does not trust us goes.
            if stream.read(&mut first).is_ok_and(|len| len > 0) {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
            }
        }
    });
    (address, file)
}

#[test]
fn a_service_is_trusted_by_its_root_and_its_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (own, file) = secure(folder.path(), "own.pem");
    let (_, others) = secure(folder.path(), "others.pem");
    let asks = |roots: &Path, host: &str| {
        let base = format!("https://{host}:{}", own.port());
        asked(&Asker::start(Some(roots)).unwrap(), Request { base, ..to(own) })
    };
    assert_eq!(asks(&file, "localhost").map(|response| response.status), Ok(200));
    for (roots, host) in [(&others, "localhost"), (&file, "127.0.0.1")] {
        let answer = asks(roots, host);
        assert!(matches!(answer, Err(NoResponse::Unreachable(_))), "{host}: {answer:?}");
    }
}

#[test]
fn a_path_that_a_parser_reads_otherwise_stays_below_the_base() {
    let (address, told) = service(|_, stream| answers(stream, "200 OK", b"{}"));
    let asker = asker();
    for path in [".\t./admin", ".\n./x"] {
        let answer = asked(&asker, Request { path: path.into(), ..to(address) });
        assert_eq!(
            answer,
            Err(NoResponse::Unreachable("its path leads out of the source's address".into())),
            "{path:?}"
        );
    }
    assert!(told.try_recv().is_err());
}

#[test]
fn a_secret_that_no_header_can_hold_is_not_sent() {
    let (address, told) = service(|_, stream| answers(stream, "200 OK", b"{}"));
    let headers = vec![("Authorization".to_owned(), "Bearer a\nb".to_owned())];
    let answer = asked(&asker(), Request { headers, ..to(address) });
    assert!(matches!(answer, Err(NoResponse::Unreachable(_))), "{answer:?}");
    assert!(told.try_recv().is_err());
}
