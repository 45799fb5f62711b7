//! What carries the SIP messages of one agent: a datagram socket, or a connection of its own.

use futures_util::{SinkExt, StreamExt};
use plugboard_sip::flow::Transport;
use plugboard_sip::{Frame, Message, StreamFramer, parse_datagram, read_websocket};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::spawn_local;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message as WebSocketMessage;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};

/// Messages that wait for an agent that does not come to them.
const WAITING_MAX: usize = 64;
/// Answers are shorter.
const DATAGRAM_MAX: usize = 8_192;

/// One agent's way to the switch and back.
pub(crate) struct Line {
    pub(crate) here: SocketAddr,
    pub(crate) transport: Transport,
    say: mpsc::Sender<Message>,
    hear: mpsc::Receiver<Message>,
}

/// Trusts the switch's own certificate.
pub(crate) fn trust(certificate: &Path) -> io::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(&std::fs::read(certificate)?).map_err(io::Error::other)?;
    roots.add(certificate).map_err(io::Error::other)?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl Line {
    /// Connects; what carries the messages runs on the runtime of whoever calls.
    pub(crate) async fn open(transport: Transport, switch: SocketAddr, tls: &TlsConnector) -> io::Result<Self> {
        let (say, to_send) = mpsc::channel(WAITING_MAX);
        let (heard, hear) = mpsc::channel(WAITING_MAX);
        let here = if transport == Transport::Udp {
            let socket = UdpSocket::bind((switch.ip(), 0)).await?;
            socket.connect(switch).await?;
            let here = socket.local_addr()?;
            spawn_local(datagrams(socket, to_send, heard));
            here
        } else {
            let stream = TcpStream::connect(switch).await?;
            stream.set_nodelay(true)?;
            let here = stream.local_addr()?;
            match transport {
                Transport::Udp | Transport::Tcp => drop(spawn_local(octets(stream, to_send, heard))),
                Transport::Tls => {
                    let stream = tls.connect(ServerName::from(switch.ip()), stream).await?;
                    spawn_local(octets(stream, to_send, heard));
                }
                Transport::Ws => frames(stream, switch, to_send, heard).await?,
                Transport::Wss => {
                    let stream = tls.connect(ServerName::from(switch.ip()), stream).await?;
                    frames(stream, switch, to_send, heard).await?;
                }
            }
            here
        };
        Ok(Self { here, transport, say, hear })
    }

    /// Sends a message; one whose line is down is lost, and its agent waits in vain.
    pub(crate) async fn say(&self, message: impl Into<Message>) {
        let _ = self.say.send(message.into()).await;
    }

    /// The next message; none: the line is down.
    pub(crate) async fn hear(&mut self) -> Option<Message> {
        self.hear.recv().await
    }
}

async fn datagrams(socket: UdpSocket, mut to_send: mpsc::Receiver<Message>, heard: mpsc::Sender<Message>) {
    let mut buffer = [0; DATAGRAM_MAX];
    loop {
        tokio::select! {
            message = to_send.recv() => {
                let Some(message) = message else { return };
                // As lost as on the wire.
                let _ = socket.send(&message.to_bytes()).await;
            }
            received = socket.recv(&mut buffer) => {
                let Ok(length) = received else { continue };
                let Ok(message) = parse_datagram(buffer.get(..length).unwrap_or_default()) else { continue };
                if heard.send(message).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn octets(
    stream: impl AsyncRead + AsyncWrite,
    mut to_send: mpsc::Receiver<Message>,
    heard: mpsc::Sender<Message>,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut framer = StreamFramer::new();
    let mut buffer = [0; DATAGRAM_MAX];
    loop {
        tokio::select! {
            message = to_send.recv() => {
                let Some(message) = message else { return };
                if writer.write_all(&message.to_bytes()).await.is_err() || writer.flush().await.is_err() {
                    return;
                }
            }
            received = reader.read(&mut buffer) => {
                let Ok(length @ 1..) = received else { return };
                framer.push(buffer.get(..length).unwrap_or_default());
                while let Ok(Some(frame)) = framer.next_frame() {
                    let Frame::Message(message) = frame else { continue };
                    if heard.send(message).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

async fn frames(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    switch: SocketAddr,
    mut to_send: mpsc::Receiver<Message>,
    heard: mpsc::Sender<Message>,
) -> io::Result<()> {
    let mut request = format!("ws://{switch}/").into_client_request().map_err(io::Error::other)?;
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("sip"));
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.map_err(io::Error::other)?;
    spawn_local(async move {
        loop {
            tokio::select! {
                message = to_send.recv() => {
                    let Some(message) = message else { return };
                    let Ok(text) = String::from_utf8(message.to_bytes()) else { continue };
                    if socket.send(WebSocketMessage::Text(text.into())).await.is_err() {
                        return;
                    }
                }
                frame = socket.next() => {
                    let Some(Ok(frame)) = frame else { return };
                    let WebSocketMessage::Text(text) = frame else { continue };
                    let Frame::Message(message) = read_websocket(text.as_bytes()) else { continue };
                    if heard.send(message).await.is_err() {
                        return;
                    }
                }
            }
        }
    });
    Ok(())
}
