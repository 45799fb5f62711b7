//! Listeners of TCP, TLS and WebSocket, and the connections that we open.

use bytes::Bytes;
use plugboard_metrics::SipFaultKind;
use plugboard_sip::flow::{Flow, Transport};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

use super::connection::{Cut, Joined, converse};
use super::connections::{Connections, Duties};
use super::reach::Reach;
use super::router::Router;
use super::tls::Tls;
use super::websocket::{self, Origins};

/// Connecting takes a round trip, and one or two more for TLS; past this the peer is down, and the transaction is told so
/// before it gives up itself.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// TLS and the request for a WebSocket take three round trips: a phone on a bad line has done them by then.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Long enough to let calls go on, short enough for a phone that waits.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What is told of a connection for which there is no place.
const TOO_MANY: &str = "more connections than there may be, in all or of one address: one was closed";

/// What every stream listener and every connection of ours needs.
pub(super) struct Streams {
    pub(super) connections: Arc<Connections>,
    pub(super) reach: Arc<Reach>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) origins: Origins,
}

/// Accepts connections until the runtime ends.
pub(super) async fn accept(listener: TcpListener, transport: Transport, streams: Arc<Streams>, router: Router) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let Some(duties) = streams.connections.accepted(transport, remote) else {
                    let flow = Flow { transport, local: remote, remote, connection: 0 };
                    router.fault(SipFaultKind::TooMany, flow, TOO_MANY);
                    continue;
                };
                let bound = stream.local_addr().unwrap_or(remote);
                let local = streams.reach.seen_by(bound, remote);
                let flow = Flow { transport, local, remote, connection: duties.number };
                let (streams, router) = (Arc::clone(&streams), router.clone());
                actix::spawn(async move {
                    serve(stream, flow, duties, &streams, &router).await;
                    streams.connections.remove(flow.connection, transport, remote);
                    router.closed(flow);
                });
            }
            // Out of file descriptors, most likely: nothing tells when there are some again.
            Err(error) => {
                tracing::warn!(%error, transport = transport.name(), "a connection could not be accepted");
                pause().await;
            }
        }
    }
}

/// Between two tries to accept, so that a switch without file descriptors does not spin.
#[expect(clippy::disallowed_methods, reason = "no event tells that the system has file descriptors again")]
async fn pause() {
    tokio::time::sleep(ACCEPT_AGAIN).await;
}

/// Takes a connection that a peer opened through its handshake, and speaks SIP over it.
async fn serve(stream: TcpStream, flow: Flow, duties: Duties, streams: &Streams, router: &Router) {
    let all = &streams.connections;
    // Small messages that wait for each other's ACK would add 40 ms to a call.
    let _ = stream.set_nodelay(true);
    if flow.transport == Transport::Tcp {
        let (reader, writer) = stream.into_split();
        return converse(Cut::new(reader), Joined(writer), flow, duties, all, router).await;
    }
    let Some(handshake) = all.begin_handshake(flow.remote.ip()) else {
        return router.fault(SipFaultKind::TooMany, flow, "too many handshakes at once: one was not begun");
    };
    let shaken = tokio::time::timeout(HANDSHAKE_MAX, shake_hands(stream, flow.transport, streams)).await;
    drop(handshake);
    match shaken {
        Ok(Ok(Shaken::Tls(stream))) => {
            let (reader, writer) = tokio::io::split(*stream);
            converse(Cut::new(reader), Joined(writer), flow, duties, all, router).await;
        }
        Ok(Ok(Shaken::Ws(socket))) => {
            let (ear, mouth) = websocket::halves(*socket);
            converse(ear, mouth, flow, duties, all, router).await;
        }
        Ok(Ok(Shaken::Wss(socket))) => {
            let (ear, mouth) = websocket::halves(*socket);
            converse(ear, mouth, flow, duties, all, router).await;
        }
        Ok(Err((kind, error))) => router.fault(kind, flow, &error.to_string()),
        Err(_) => router.fault(SipFaultKind::Handshake, flow, "the handshake took too long"),
    }
}

/// A connection after its handshake.
enum Shaken {
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    Ws(Box<websocket::Socket<TcpStream>>),
    Wss(Box<websocket::Socket<tokio_rustls::server::TlsStream<TcpStream>>>),
}

/// A connection after its handshake, or which of the two handshakes failed.
async fn shake_hands(
    stream: TcpStream,
    transport: Transport,
    streams: &Streams,
) -> Result<Shaken, (SipFaultKind, io::Error)> {
    let not_ws = |error| (SipFaultKind::WebSocket, error);
    if !transport.is_secure() {
        return Ok(Shaken::Ws(Box::new(websocket::accept(stream, &streams.origins).await.map_err(not_ws)?)));
    }
    let not_tls = |error| (SipFaultKind::Handshake, error);
    let tls = streams.tls.as_ref().ok_or_else(|| not_tls(io::ErrorKind::Unsupported.into()))?;
    let stream = tls.accept(stream, transport == Transport::Wss).await.map_err(not_tls)?;
    if transport == Transport::Tls {
        return Ok(Shaken::Tls(Box::new(stream)));
    }
    Ok(Shaken::Wss(Box::new(websocket::accept(stream, &streams.origins).await.map_err(not_ws)?)))
}

/// Opens a connection and sends its first message.
pub(super) async fn connect(flow: Flow, first: Bytes, streams: Arc<Streams>, router: Router) {
    let all = &streams.connections;
    let Some(duties) = all.opened(flow) else { return router.closed(flow) };
    let own = flow.over(duties.number);
    if let Some(Err(())) = all.send(own, first) {
        tracing::debug!(%flow, "the first message of a connection found no room");
    }
    speak_first(flow, own, duties, &streams, &router).await;
    all.remove(own.connection, flow.transport, flow.remote);
    router.closed(own);
    router.closed(flow);
}

async fn speak_first(flow: Flow, own: Flow, duties: Duties, streams: &Streams, router: &Router) {
    let connected = tokio::time::timeout(CONNECT_MAX, async {
        let stream = TcpStream::connect(flow.remote).await?;
        let _ = stream.set_nodelay(true);
        if flow.transport != Transport::Tls {
            return Ok((Some(stream), None));
        }
        let tls = streams.tls.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let name = streams.connections.name_of(flow.connection);
        let stream = tls.connect(stream, flow.remote, name.as_deref()).await?;
        Ok::<_, io::Error>((None, Some(stream)))
    });
    let all = &streams.connections;
    match connected.await {
        Ok(Ok((Some(stream), _))) => {
            let (reader, writer) = stream.into_split();
            converse(Cut::new(reader), Joined(writer), own, duties, all, router).await;
        }
        Ok(Ok((None, Some(stream)))) => {
            let (reader, writer) = tokio::io::split(stream);
            converse(Cut::new(reader), Joined(writer), own, duties, all, router).await;
        }
        Ok(Ok((None, None))) => {}
        // The peer's certificate is the usual reason: that is for the admin to read.
        Ok(Err(error)) if flow.transport.is_secure() => tracing::warn!(%flow, %error, "a peer could not be reached"),
        Ok(Err(error)) => tracing::debug!(%flow, %error, "a peer could not be reached"),
        Err(_) => tracing::debug!(%flow, "a peer did not take a connection in time"),
    }
}

/// A listening socket.
pub(super) fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1_024)?;
    Ok(socket.into())
}
