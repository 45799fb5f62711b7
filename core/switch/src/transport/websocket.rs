//! SIP over WebSocket: the upgrade, and frames as messages.
//!
//! Source: RFC 7118, RFC 6455.

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use plugboard_sip::limits::STREAM_BYTES_MAX;
use plugboard_sip::read_websocket;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::connection::{Ear, Gone, Heard, Lost, Mouth};

/// Proxies on the way close a connection that is silent for a minute; a browser that is gone says no good-bye.
const ASK_AFTER: Duration = Duration::from_secs(25);
/// The name of SIP among the subprotocols (RFC 7118 section 4).
const SUBPROTOCOL: &str = "sip";
/// Read at once; the buffer is kept, and a usual message fits.
const READ_BUFFER: usize = 4 * 1_024;

/// An upgraded connection.
pub(super) type Socket<S> = WebSocketStream<S>;

/// Which web pages may connect, by their `Origin`; none: all of them. Who is no browser names none and may.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins(Vec<String>);

impl Origins {
    pub(super) fn new(allowed: Vec<String>) -> Self {
        Self(allowed)
    }

    fn allows(&self, origin: Option<&HeaderValue>) -> bool {
        let Some(origin) = origin.filter(|_| !self.0.is_empty()) else { return true };
        self.0.iter().any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
    }
}

/// Answers the request for a WebSocket.
pub(super) async fn accept<S>(stream: S, origins: &Origins) -> io::Result<Socket<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut limits = WebSocketConfig::default();
    limits.max_message_size = Some(STREAM_BYTES_MAX);
    limits.max_frame_size = Some(STREAM_BYTES_MAX);
    limits.read_buffer_size = READ_BUFFER;
    // Whole messages are written at once, so nothing waits in here.
    limits.write_buffer_size = 0;
    #[expect(clippy::result_large_err, reason = "the error is the response that the library asks for")]
    let judge = |request: &Request, response: Response| judge(request, response, origins);
    tokio_tungstenite::accept_hdr_async_with_config(stream, judge, Some(limits)).await.map_err(io::Error::other)
}

/// Only who asks for SIP gets it, and only from where it is allowed.
#[expect(clippy::result_large_err, reason = "the error is the response that the library asks for")]
fn judge(request: &Request, mut response: Response, origins: &Origins) -> Result<Response, ErrorResponse> {
    let headers = request.headers();
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    if !offered.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case(SUBPROTOCOL)) {
        return Err(refusal(StatusCode::BAD_REQUEST, "ask for the subprotocol sip (RFC 7118)\n"));
    }
    if !origins.allows(headers.get(header::ORIGIN)) {
        return Err(refusal(StatusCode::FORBIDDEN, "pages of this origin are not allowed to connect\n"));
    }
    response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(response)
}

fn refusal(status: StatusCode, why: &str) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(why.to_owned()));
    *response.status_mut() = status;
    response
}

/// The two halves of a connection.
pub(super) fn halves<S>(socket: Socket<S>) -> (Reads<S>, Writes<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (writes, reads) = socket.split();
    (Reads(reads), Writes(writes))
}

/// Takes each frame as a message.
pub(super) struct Reads<S>(SplitStream<Socket<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Ear for Reads<S> {
    const ASK_AFTER: Option<Duration> = Some(ASK_AFTER);

    async fn hear(&mut self) -> Result<Heard, Gone> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Heard::Frame(read_websocket(text.as_bytes()))),
            Some(Ok(Message::Binary(bytes))) => Ok(Heard::Frame(read_websocket(&bytes))),
            // The library answers pings by itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(Heard::Life),
            // It broke, or its peer left without a word: that is nothing that it did wrong.
            Some(
                Ok(Message::Close(_))
                | Err(
                    Error::ConnectionClosed
                    | Error::AlreadyClosed
                    | Error::Io(_)
                    | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
                ),
            )
            | None => Err(Gone::Closed),
            Some(Err(error)) => Err(Gone::Lost(Lost::WebSocket(error.to_string()))),
        }
    }
}

/// Writes each message as a frame: text, unless its bytes are none.
pub(super) struct Writes<S>(SplitSink<Socket<S>, Message>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Mouth for Writes<S> {
    async fn say(&mut self, bytes: Bytes) -> io::Result<()> {
        let frame = Utf8Bytes::try_from(bytes.clone()).map_or_else(|_| Message::Binary(bytes), Message::Text);
        self.0.send(frame).await.map_err(io::Error::other)
    }

    async fn ask(&mut self) -> io::Result<()> {
        self.0.send(Message::Ping(Bytes::new())).await.map_err(io::Error::other)
    }

    async fn leave(&mut self) {
        // A peer that is gone already takes no good-bye.
        let _ = self.0.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(protocol: Option<&str>, origin: Option<&str>, allowed: &[&str]) -> Result<Response, u16> {
        let mut request = Request::new(());
        for (name, value) in [(header::SEC_WEBSOCKET_PROTOCOL, protocol), (header::ORIGIN, origin)] {
            if let Some(value) = value {
                request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
            }
        }
        let origins = Origins::new(allowed.iter().map(|one| (*one).to_owned()).collect());
        judge(&request, Response::new(()), &origins).map_err(|refused| refused.status().as_u16())
    }

    #[test]
    fn only_who_asks_for_sip_gets_it() {
        let response = asked(Some("chat, SIP"), None, &[]).unwrap();
        assert_eq!(response.headers().get(header::SEC_WEBSOCKET_PROTOCOL).unwrap(), "sip");
        assert_eq!(asked(None, None, &[]).unwrap_err(), 400);
        assert_eq!(asked(Some("sipx"), None, &[]).unwrap_err(), 400);
    }

    #[test]
    fn only_pages_of_the_origins_that_are_named_may_connect_and_programs_always() {
        let desk = ["https://desk.example"];
        assert!(asked(Some("sip"), Some("https://desk.example"), &desk).is_ok());
        assert!(asked(Some("sip"), Some("https://evil.example"), &[]).is_ok(), "nobody is named");
        assert_eq!(asked(Some("sip"), Some("https://evil.example"), &desk).unwrap_err(), 403);
        assert!(asked(Some("sip"), None, &desk).is_ok(), "no browser");
    }
}
