//! Every SIP socket of the switch.

use bytes::Bytes;
use plugboard_metrics::{Condition, DatagramsDropped, DatagramsUnsent, Metrics, Readiness};
use plugboard_sip::flow::{Flow, Transport};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::router::Router;
use super::tcp::{self, Connections};
use super::udp::{Refused, UdpEndpoint};
use crate::env::{SipTransport, Unsendable};

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// The protocol.
    pub transport: Transport,
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
}

/// A listener could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {} {}", .listen.transport.name(), .listen.address)]
pub struct BindError {
    /// Which.
    pub listen: Listen,
    /// Why.
    #[source]
    pub cause: io::Error,
}

/// Nothing comes in over this listener any more.
fn is_down(readiness: &Readiness, transport: Transport, local: SocketAddr, error: &io::Error) {
    let reason = format!("{error}: nothing is received there; start the switch again");
    readiness.set(Condition::SipListenerDown(format!("{} {local}", transport.name())), &reason);
}

/// Peers whose own address of ours is remembered; past it the memory starts anew.
const ROUTES_MAX: usize = 10_000;

/// Which of our addresses a peer sees, when a listener is bound to all of them.
#[derive(Default)]
pub(super) struct Addresses {
    routes: Mutex<HashMap<IpAddr, IpAddr>>,
}

impl Addresses {
    /// The address that a peer sends to, for Via, Contact and the media description.
    pub(super) fn seen_by(&self, bound: SocketAddr, remote: SocketAddr) -> SocketAddr {
        if !bound.ip().is_unspecified() {
            return bound;
        }
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ip) = routes.get(&remote.ip()) {
            return SocketAddr::new(*ip, bound.port());
        }
        let ip = source_address(remote).unwrap_or(remote.ip());
        if routes.len() >= ROUTES_MAX {
            routes.clear();
        }
        routes.insert(remote.ip(), ip);
        SocketAddr::new(ip, bound.port())
    }
}

/// Asks the kernel's routing table, by a socket that sends nothing.
fn source_address(remote: SocketAddr) -> Option<IpAddr> {
    let any = if remote.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(remote).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The bound listeners. Receiving begins with [`Network::receive`].
pub struct Network {
    udp: Vec<UdpEndpoint>,
    tcp: Vec<(SocketAddr, Mutex<Option<std::net::TcpListener>>)>,
    connections: Arc<Connections>,
    addresses: Arc<Addresses>,
    receiving: OnceLock<(Router, tokio::runtime::Handle)>,
}

impl Network {
    /// Opens every listener.
    ///
    /// # Errors
    /// The first one that cannot be opened.
    pub fn bind(listen: &[Listen]) -> Result<Arc<Self>, BindError> {
        let mut network = Self {
            udp: Vec::new(),
            tcp: Vec::new(),
            connections: Arc::new(Connections::new()),
            addresses: Arc::default(),
            receiving: OnceLock::new(),
        };
        for one in listen {
            let failed = |cause| BindError { listen: *one, cause };
            match one.transport {
                Transport::Udp => network.udp.push(UdpEndpoint::bind(one.address).map_err(failed)?),
                Transport::Tls | Transport::Ws | Transport::Wss => {
                    return Err(failed(io::ErrorKind::Unsupported.into()));
                }
                Transport::Tcp => {
                    let listener = tcp::listen(one.address).map_err(failed)?;
                    let local = listener.local_addr().map_err(failed)?;
                    network.tcp.push((local, Mutex::new(Some(listener))));
                }
            }
        }
        Ok(Arc::new(network))
    }

    /// Begins to receive, on the thread that this is called on.
    pub fn receive(self: &Arc<Self>, router: &Router, readiness: &Readiness) {
        if self.receiving.set((router.clone(), tokio::runtime::Handle::current())).is_err() {
            return;
        }
        for index in 0..self.udp.len() {
            let (network, router, readiness) = (Arc::clone(self), router.clone(), readiness.clone());
            actix::spawn(async move {
                if let Some(endpoint) = network.udp.get(index)
                    && let Err(error) = endpoint.receive(Arc::clone(&network.addresses), router).await
                {
                    is_down(&readiness, Transport::Udp, endpoint.local, &error);
                }
            });
        }
        for (local, listener) in &self.tcp {
            let Some(listener) = listener.lock().unwrap_or_else(PoisonError::into_inner).take() else { continue };
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    let connections = Arc::clone(&self.connections);
                    actix::spawn(tcp::accept(listener, connections, router.clone()));
                }
                Err(error) => is_down(readiness, Transport::Tcp, *local, &error),
            }
        }
    }

    /// Counts what the kernel dropped of this since it was asked last, of what came and of what was to go.
    pub(crate) fn sample(&self, metrics: &Metrics) {
        let dropped: u64 = self.udp.iter().map(|endpoint| u64::from(endpoint.dropped())).sum();
        if dropped > 0 {
            DatagramsDropped { datagrams: dropped }.emit(metrics);
        }
        let unsent = self.udp.iter().map(UdpEndpoint::unsent).sum();
        if unsent > 0 {
            DatagramsUnsent { datagrams: unsent }.emit(metrics);
        }
    }

    fn send_tcp(&self, flow: Flow, bytes: Bytes) -> Result<(), Unsendable> {
        match self.connections.send(flow, bytes.clone()) {
            Some(sent) => sent.map_err(|()| Unsendable::Anything(flow)),
            None => {
                let (router, runtime) = self.receiving.get().ok_or(Unsendable::Anything(flow))?;
                // Ends with its connection; the number of connections is limited.
                runtime.spawn(tcp::connect(flow, bytes, Arc::clone(&self.connections), router.clone()));
                Ok(())
            }
        }
    }
}

impl SipTransport for Network {
    fn send(&self, flow: Flow, bytes: Bytes) -> Result<(), Unsendable> {
        match flow.transport {
            Transport::Udp => {
                let ours = |endpoint: &&UdpEndpoint| {
                    endpoint.local == flow.local
                        || (endpoint.local.ip().is_unspecified() && endpoint.local.port() == flow.local.port())
                };
                let same_family = |endpoint: &&UdpEndpoint| endpoint.local.is_ipv4() == flow.remote.is_ipv4();
                let endpoint = self.udp.iter().filter(same_family).find(ours).ok_or(Unsendable::Anything(flow))?;
                endpoint.send(flow.remote, &bytes).map_err(|refused| {
                    let (Refused::TooLong(error) | Refused::NoWay(error)) = &refused;
                    tracing::debug!(%flow, %error, "a datagram could not be sent");
                    match refused {
                        Refused::TooLong(_) => Unsendable::TooLong(flow),
                        Refused::NoWay(_) => Unsendable::Anything(flow),
                    }
                })
            }
            Transport::Tcp => self.send_tcp(flow, bytes),
            Transport::Tls | Transport::Ws | Transport::Wss => Err(Unsendable::Anything(flow)),
        }
    }

    fn flow_to(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let fits = |local: &SocketAddr| local.is_ipv4() == remote.is_ipv4();
        let local = match transport {
            Transport::Udp => self.udp.iter().map(|endpoint| endpoint.local).find(fits),
            Transport::Tcp => self.tcp.iter().map(|(local, _)| *local).find(fits),
            Transport::Tls | Transport::Ws | Transport::Wss => None,
        }?;
        let local = self.addresses.seen_by(local, remote);
        Some(Flow { transport, local, remote, connection: 0 })
    }

    fn local_addresses(&self) -> Vec<(Transport, SocketAddr)> {
        let udp = self.udp.iter().map(|endpoint| (Transport::Udp, endpoint.local));
        let tcp = self.tcp.iter().map(|(local, _)| (Transport::Tcp, *local));
        udp.chain(tcp).collect()
    }
}
