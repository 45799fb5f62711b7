//! Requests to push gateways: one JSON document by POST, on a thread of its own.
//!
//! This is all of HTTP that a push needs (RFC 9112): a request with a body, the status of the response, and the end of the
//! connection.

use crate::roots::{NoRoots, trusted};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsConnector;

/// Requests that wait: as many calls to sleeping devices as a large office has in the seconds that a gateway hangs.
const WAITING_MAX: usize = 1_024;
/// Requests under way at once.
const AT_ONCE: usize = 32;
/// How long one request may take: a call waits ten seconds for its device, so a later one wakes it for nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is read of a response: its headers and the small document in which a service tells what is wrong.
const RESPONSE_MAX: usize = 16_384;
/// How long the rest of an answer is waited for once its status is known.
const REST_WITHIN: Duration = Duration::from_secs(1);
/// What services call a device that they know no more, in a body that comes with 400 or 404: Firebase's HTTP v1 interface says
/// `UNREGISTERED` (with 404), its older one `NotRegistered`; Apple's says `BadDeviceToken` (400) and `Unregistered`. A 404 without
/// such a word is about the URL.
const GONE_WORDS: [&str; 4] = ["UNREGISTERED", "NotRegistered", "Unregistered", "BadDeviceToken"];
/// Where a gateway is: `https://push.example.com/send`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    secure: bool,
    host: String,
    port: u16,
    /// With its query.
    path: String,
}

impl Url {
    /// Reads one: `https`, or `http` to this machine alone.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("has spaces or letters that a URL cannot have");
        }
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err("does not begin with https://"),
        };
        let (place, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        if place.contains(['@', '?', '#']) || path.contains('#') {
            return Err("has more than a host, a port and a path");
        }
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let usual = if secure { 443 } else { 80 };
        let port = port.map_or(Ok(usual), str::parse).map_err(|_| "has a port that is no number")?;
        if host.is_empty() {
            return Err("names no host");
        }
        let is_here =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if !secure && !is_here {
            return Err("would send the token in the clear: use https://");
        }
        Ok(Self { secure, host: host.to_owned(), port, path: path.to_owned() })
    }
}

/// A request.
pub struct Request {
    /// To which gateway.
    pub url: Url,
    /// Sent as `Authorization: Bearer`, if there is one. It is in no log line.
    pub token: Option<String>,
    /// A JSON document.
    pub body: String,
}

/// Why a gateway was not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTold {
    /// It answered that there is no such device any more: 410, or 400 or 404 with a word that says so of the device.
    #[error("the gateway answered {0}: there is no such device any more")]
    Gone(u16),
    /// It answered something else than 2xx.
    #[error("the gateway answered {0}")]
    Refused(u16),
    /// It cannot be reached, or does not speak HTTP.
    #[error("{0}")]
    Unreachable(String),
    /// It said nothing for five seconds.
    #[error("the gateway was silent for {} s", PATIENCE.as_secs())]
    Silent,
    /// Too many requests wait.
    #[error("more than {WAITING_MAX} requests wait")]
    TooMany,
}

/// Why there is no thread for requests.
#[derive(Debug, thiserror::Error)]
pub enum NoPusher {
    /// What is trusted cannot be read.
    #[error(transparent)]
    Roots(#[from] NoRoots),
    /// TLS or a thread cannot be set up.
    #[error("{0}")]
    Machine(String),
}

type Reply = Box<dyn FnOnce(Result<(), NotTold>) + Send>;

/// Tells push gateways. Cheap to clone; its thread ends with the last clone.
#[derive(Clone)]
pub struct Pusher {
    waiting: Sender<(Request, Reply)>,
}

impl Pusher {
    /// Starts the thread. Gateways are trusted by the roots in this file, or by those that the system has.
    ///
    /// # Errors
    /// [`NoPusher`].
    pub fn start(roots: Option<&Path>) -> Result<Self, NoPusher> {
        let machine = |error: &dyn std::fmt::Display| NoPusher::Machine(error.to_string());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| machine(&error))?
            .with_root_certificates(trusted(roots)?)
            .with_no_client_auth();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| machine(&error))?;
        let (waiting, requests) = channel(WAITING_MAX);
        let tls = TlsConnector::from(Arc::new(config));
        let thread = std::thread::Builder::new().name("push".into());
        thread.spawn(move || runtime.block_on(serve(requests, tls))).map_err(|error| machine(&error))?;
        Ok(Self { waiting })
    }

    /// Tells a gateway. `reply` is called once, from any thread.
    pub fn tell(&self, request: Request, reply: impl FnOnce(Result<(), NotTold>) + Send + 'static) {
        if let Err(full) = self.waiting.try_send((request, Box::new(reply))) {
            let (_, reply) = full.into_inner();
            reply(Err(NotTold::TooMany));
        }
    }
}

async fn serve(mut requests: Receiver<(Request, Reply)>, tls: TlsConnector) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    while let Some((request, reply)) = requests.recv().await {
        // It is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        spawn_post(tls.clone(), request, reply, place);
    }
}

#[expect(clippy::disallowed_methods, reason = "as many as there are places, each for a bounded time")]
fn spawn_post(tls: TlsConnector, request: Request, reply: Reply, place: OwnedSemaphorePermit) {
    tokio::spawn(async move {
        let told = tokio::time::timeout(PATIENCE, post(&request, &tls)).await;
        reply(told.unwrap_or(Err(NotTold::Silent)));
        drop(place);
    });
}

async fn post(request: &Request, tls: &TlsConnector) -> Result<(), NotTold> {
    let unreachable = |error: std::io::Error| NotTold::Unreachable(error.to_string());
    let url = &request.url;
    let stream = TcpStream::connect((url.host.as_str(), url.port)).await.map_err(unreachable)?;
    let response = if url.secure {
        let name = ServerName::try_from(url.host.clone()).map_err(|error| NotTold::Unreachable(error.to_string()))?;
        exchange(request, tls.connect(name, stream).await.map_err(unreachable)?).await
    } else {
        exchange(request, stream).await
    };
    let response = response.map_err(unreachable)?;
    match status(&response) {
        Some(200..=299) => Ok(()),
        Some(status) if is_gone(status, &response) => Err(NotTold::Gone(status)),
        Some(status) => Err(NotTold::Refused(status)),
        None => Err(NotTold::Unreachable("the gateway does not speak HTTP".into())),
    }
}

/// Whether an answer says that its service knows the device no more. A wrong URL gets 404 as well, and 400 is about anything: there
/// the service's own word decides, in quotation marks, as JSON has it.
fn is_gone(status: u16, response: &[u8]) -> bool {
    let says = |word: &&str| {
        let quoted = format!("\"{word}\"");
        response.windows(quoted.len()).any(|found| found == quoted.as_bytes())
    };
    status == 410 || (matches!(status, 400 | 404) && GONE_WORDS.iter().any(says))
}

/// Sends a request and reads its response: the status line of one that is well, else as much as comes at once.
async fn exchange(request: &Request, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<Vec<u8>> {
    stream.write_all(&written(request)).await?;
    stream.flush().await?;
    let mut response = Vec::new();
    while response.len() < RESPONSE_MAX && !is_whole(&response) {
        match tokio::time::timeout(REST_WITHIN, stream.read_buf(&mut response)).await {
            Ok(Ok(0)) => break,
            // What has come is the answer.
            Ok(Err(_)) | Err(_) if status(&response).is_some() => break,
            Ok(Err(error)) => return Err(error),
            Ok(Ok(_)) | Err(_) => {}
        }
    }
    Ok(response)
}

/// Whether nothing more is needed of a response.
fn is_whole(response: &[u8]) -> bool {
    let Some(line) = response.iter().position(|byte| *byte == b'\n') else { return false };
    if !matches!(status(response), Some(400 | 404)) {
        return true;
    }
    let Some(end) = response.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = response.get(line..end).unwrap_or_default();
    let length = str::from_utf8(head).ok().and_then(|head| {
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?.1.trim().parse::<usize>().ok()
    });
    // Without a length the end of the connection is the end.
    length.is_some_and(|length| response.len() >= end + 4 + length)
}

fn written(request: &Request) -> Vec<u8> {
    let Request { url: Url { host, port, path, .. }, token, body } = request;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let token = token.as_ref().map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: Plugboard\r\nConnection: close\r\n{token}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The number in `HTTP/1.1 200 OK`.
fn status(response: &[u8]) -> Option<u16> {
    let line = response.split(|byte| *byte == b'\n').next()?;
    let mut words = str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.trim().parse().ok().filter(|status| (100..=599).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_secrets_go_nowhere_in_the_clear() {
        let url = Url::parse("https://push.example.com/v1/send?x=1").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("push.example.com", 443, "/v1/send?x=1"));
        assert_eq!(Url::parse("http://127.0.0.1:9/").map(|url| url.port), Ok(9));
        assert_eq!(Url::parse("http://[::1]").map(|url| (url.port, url.host)), Ok((80, "::1".into())));
        for wrong in [
            "push.example.com",
            "http://push.example.com/",
            "https://",
            "https://a:b@c/",
            "https://a:x/",
            "https://a b",
        ] {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_request_has_its_token_and_its_length() {
        let url = Url::parse("https://[2001:db8::1]:8443/send").unwrap();
        let request = Request { url, token: Some("t0k3n".into()), body: "{\"to\":\"\u{e4}\"}".into() };
        let text = String::from_utf8(written(&request)).unwrap();
        assert!(text.starts_with("POST /send HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n"), "{text}");
        assert!(
            text.contains("Authorization: Bearer t0k3n\r\n") && text.contains("Content-Length: 11\r\n\r\n{"),
            "{text}"
        );
    }

    #[test]
    fn only_an_answer_about_the_device_says_that_it_is_gone() {
        let firebase = "HTTP/1.1 404 Not Found\r\n\r\n{\"error\":{\"status\":\"NOT_FOUND\",\"details\":[{\"errorCode\": \"UNREGISTERED\"}]}}";
        for (text, gone) in [
            ("HTTP/1.1 410 Gone\r\n\r\n", true),
            ("HTTP/1.1 410 Gone\r\n\r\n{\"reason\":\"Unregistered\"}", true),
            (firebase, true),
            ("HTTP/1.1 400 Bad Request\r\n\r\n{\"reason\":\"BadDeviceToken\"}", true),
            ("HTTP/1.1 404 Not Found\r\n\r\n<html>unregistered page</html>", false),
            ("HTTP/1.1 404 Not Found\r\n\r\n{\"reason\":\"BadPath\"}", false),
            ("HTTP/1.1 400 Bad Request\r\n\r\n{\"reason\":\"BadTopic\"}", false),
            ("HTTP/1.1 403 Forbidden\r\n\r\n{\"reason\":\"BadDeviceToken\"}", false),
        ] {
            let response = text.as_bytes();
            assert_eq!(status(response).map(|status| is_gone(status, response)), Some(gone), "{text}");
        }
    }

    #[test]
    fn the_body_is_waited_for_where_it_decides() {
        for (text, whole) in [
            ("HTTP/1.1 200", false),
            ("HTTP/1.1 200 OK\r\n", true),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n", false),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\na", false),
            ("HTTP/1.1 404 Not Found\r\ncontent-length:2\r\n\r\nab", true),
            ("HTTP/1.1 404 Not Found\r\n\r\nab", false),
        ] {
            assert_eq!(is_whole(text.as_bytes()), whole, "{text}");
        }
    }

    #[test]
    fn the_status_is_read_from_whatever_a_gateway_says() {
        assert_eq!(status(b"HTTP/1.1 204 No Content\r\n\r\n"), Some(204));
        assert_eq!(status(b"HTTP/1.1 410\r\n"), Some(410));
        for wrong in [&b""[..], b"SIP/2.0 200 OK", b"HTTP/1.1", b"HTTP/1.1 20000 OK", b"\xff\xfe 200"] {
            assert_eq!(status(wrong), None);
        }
    }
}
