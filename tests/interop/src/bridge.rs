//! Carries the TCP of programs that know neither TLS nor WebSocket: sipp, and a phone that is to stand for a browser.

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};

use crate::{Plugboard, Transport};

/// A running bridge; it ends with the test.
#[derive(Debug)]
pub struct Bridge {
    address: SocketAddr,
    _runtime: Runtime,
}

impl Bridge {
    /// Whoever connects to it over TCP is connected to this switch over another transport, whose certificate is verified.
    pub fn to(switch: &Plugboard, transport: Transport) -> Self {
        Self::to_address(switch, transport, switch.sip(transport))
    }

    /// The same over IPv6, on both sides.
    pub fn over_v6(switch: &Plugboard, transport: Transport) -> Self {
        Self::to_address(switch, transport, switch.sip_over_v6(transport))
    }

    fn to_address(switch: &Plugboard, transport: Transport, remote: SocketAddr) -> Self {
        let trusted = switch.data().join("tls/certificate.pem");
        let own: IpAddr = if remote.is_ipv6() { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
        Self::start(own, move |near| {
            let trusted = trusted.clone();
            async move {
                let far = TcpStream::connect(remote).await.unwrap();
                match transport {
                    Transport::Tls => pass(near, secure(far, remote, &trusted).await).await,
                    Transport::Ws => frames(near, far, remote).await,
                    Transport::Wss => frames(near, secure(far, remote, &trusted).await, remote).await,
                    Transport::Udp | Transport::Tcp => pass(near, far).await,
                }
            }
        })
    }

    /// Whoever connects to it over TLS is connected to a program of this machine over TCP. Its certificate, for its
    /// address, is written to this file.
    pub fn before(port: u16, certificate: &Path) -> Self {
        Self::named(&["127.0.0.1"], port, certificate)
    }

    /// The same with a certificate for these names.
    pub fn named(names: &[&str], port: u16, certificate: &Path) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let own = rcgen::generate_simple_self_signed(names).unwrap();
        fs::write(certificate, own.cert.pem()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(own.signing_key.serialize_pem().as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::start(Ipv4Addr::LOCALHOST.into(), move |near| {
            let acceptor = acceptor.clone();
            async move {
                // A switch that does not trust it hangs up here, which is for its test to see.
                if let Ok(near) = acceptor.accept(near).await {
                    let far = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
                    pass(far, near).await;
                }
            }
        })
    }

    fn start<F>(own: IpAddr, carry: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((own, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let handle = runtime.handle().clone();
        handle.clone().spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                handle.spawn(carry(near));
            }
        });
        Self { address, _runtime: runtime }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Bytes as they are, until either side ends.
async fn pass(mut near: TcpStream, mut far: impl AsyncRead + AsyncWrite + Unpin) {
    // Either side may just go away.
    let _ended = tokio::io::copy_bidirectional(&mut near, &mut far).await;
}

async fn secure(far: TcpStream, remote: SocketAddr, trusted: &Path) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(trusted).unwrap()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config)).connect(ServerName::from(remote.ip()), far).await.unwrap()
}

/// Each message of the stream as a frame, each frame's bytes back.
async fn frames(near: TcpStream, far: impl AsyncRead + AsyncWrite + Unpin, remote: SocketAddr) {
    let mut request = format!("ws://{remote}/").into_client_request().unwrap();
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("sip"));
    let (socket, response) = tokio_tungstenite::client_async(request, far).await.unwrap();
    assert_eq!(response.headers().get(header::SEC_WEBSOCKET_PROTOCOL).unwrap(), "sip");
    let (mut say, mut hear) = socket.split();
    let (mut reader, mut writer) = near.into_split();
    let up = async {
        let mut held = Vec::new();
        while let Ok(len) = reader.read_buf(&mut held).await {
            if len == 0 {
                return;
            }
            while let Some(end) = first_message(&held) {
                let message: Vec<u8> = held.drain(..end).collect();
                if say.send(Message::Text(String::from_utf8(message).unwrap().into())).await.is_err() {
                    return;
                }
            }
        }
    };
    let down = async {
        while let Some(Ok(frame)) = hear.next().await {
            let Message::Text(text) = frame else { continue };
            if writer.write_all(text.as_bytes()).await.is_err() {
                return;
            }
        }
    };
    tokio::select! { () = up => {}, () = down => {} }
}

/// Where the first message ends, or the line ends that keep a connection alive.
fn first_message(held: &[u8]) -> Option<usize> {
    if held.starts_with(b"\r\n") {
        return Some(held.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count());
    }
    let head = held.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(held.get(..head)?).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:").or_else(|| line.strip_prefix("l:")));
    let end = head + length.map_or(0, |length| length.trim().parse().unwrap());
    (held.len() >= end).then_some(end)
}
