//! Every SIP socket of the switch.

use bytes::Bytes;
use plugboard_metrics::{Condition, DatagramsDropped, DatagramsUnsent, Metrics, Readiness};
use plugboard_sip::flow::{Flow, Transport};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::connections::Connections;
use super::reach::Reach;
use super::router::Router;
use super::streams::{self, Streams};
use super::tls::Tls;
use super::udp::{Refused, UdpEndpoint};
use super::websocket::Origins;
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

/// How the network is used, beside its listeners.
#[derive(Default)]
pub struct Manners {
    /// Certificates. Without them there is no TLS, neither to us nor from us.
    pub tls: Option<Arc<Tls>>,
    /// The web pages that may connect over WebSocket, by their `Origin`; none: all of them.
    pub origins: Vec<String>,
    /// What peers see of us.
    pub reach: Reach,
}

/// A listener of a stream transport: accepting takes it out.
struct StreamListener {
    transport: Transport,
    local: SocketAddr,
    socket: Mutex<Option<std::net::TcpListener>>,
}

/// The bound listeners. Receiving begins with [`Network::receive`].
pub struct Network {
    udp: Vec<UdpEndpoint>,
    listeners: Vec<StreamListener>,
    streams: Arc<Streams>,
    receiving: OnceLock<(Router, tokio::runtime::Handle)>,
}

impl Network {
    /// Opens every listener.
    ///
    /// # Errors
    /// The first one that cannot be opened.
    pub fn bind(listen: &[Listen], manners: Manners) -> Result<Arc<Self>, BindError> {
        let Manners { tls, origins, reach } = manners;
        let (connections, reach) = (Arc::new(Connections::new()), Arc::new(reach));
        let mut network = Self {
            udp: Vec::new(),
            listeners: Vec::new(),
            streams: Arc::new(Streams { connections, reach, tls, origins: Origins::new(origins) }),
            receiving: OnceLock::new(),
        };
        for one in listen {
            let failed = |cause| BindError { listen: *one, cause };
            match one.transport {
                Transport::Udp => network.udp.push(UdpEndpoint::bind(one.address).map_err(failed)?),
                transport @ (Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss) => {
                    if transport.is_secure() && network.streams.tls.is_none() {
                        return Err(failed(io::Error::other("there is no certificate")));
                    }
                    let socket = streams::listen(one.address).map_err(failed)?;
                    let local = socket.local_addr().map_err(failed)?;
                    network.listeners.push(StreamListener { transport, local, socket: Mutex::new(Some(socket)) });
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
                    && let Err(error) = endpoint.receive(Arc::clone(&network.streams.reach), router).await
                {
                    is_down(&readiness, Transport::Udp, endpoint.local, &error);
                }
            });
        }
        for StreamListener { transport, local, socket } in &self.listeners {
            let Some(socket) = socket.lock().unwrap_or_else(PoisonError::into_inner).take() else { continue };
            match tokio::net::TcpListener::from_std(socket) {
                Ok(listener) => {
                    let streams = Arc::clone(&self.streams);
                    actix::spawn(streams::accept(listener, *transport, streams, router.clone()));
                }
                Err(error) => is_down(readiness, *transport, *local, &error),
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

    /// Sends over a connection that is open, or opens one to a peer that listens.
    fn send_stream(&self, flow: Flow, bytes: Bytes) -> Result<(), Unsendable> {
        match self.streams.connections.send(flow, bytes.clone()) {
            Some(sent) => sent.map_err(|()| Unsendable::Anything(flow)),
            None if flow.transport.is_opened_by_peers() => Err(Unsendable::Anything(flow)),
            None => {
                let (router, runtime) = self.receiving.get().ok_or(Unsendable::Anything(flow))?;
                // Ends with its connection; the number of connections is limited.
                runtime.spawn(streams::connect(flow, bytes, Arc::clone(&self.streams), router.clone()));
                Ok(())
            }
        }
    }

    /// The UDP listener that a flow goes through.
    fn endpoint(&self, flow: Flow) -> Option<&UdpEndpoint> {
        let fits = |endpoint: &&UdpEndpoint| {
            endpoint.local.is_ipv4() == flow.remote.is_ipv4() && endpoint.local.port() == flow.local.port()
        };
        // Else it is bound to all addresses, or seen under the public one, or was when a phone registered.
        let exact = self.udp.iter().filter(fits).find(|endpoint| endpoint.local.ip() == flow.local.ip());
        exact.or_else(|| self.udp.iter().find(fits))
    }

    /// The address of the first listener for a transport and a peer of this family.
    fn listener(&self, transport: Transport, remote: SocketAddr) -> Option<SocketAddr> {
        let fits = |local: &SocketAddr| local.is_ipv4() == remote.is_ipv4();
        match transport {
            Transport::Udp => self.udp.iter().map(|endpoint| endpoint.local).find(fits),
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                let same = self.listeners.iter().filter(|listener| listener.transport == transport);
                same.map(|listener| listener.local).find(fits)
            }
        }
    }
}

impl SipTransport for Network {
    fn send(&self, flow: Flow, bytes: Bytes) -> Result<(), Unsendable> {
        match flow.transport {
            Transport::Udp => {
                let endpoint = self.endpoint(flow).ok_or(Unsendable::Anything(flow))?;
                endpoint.send(flow.remote, &bytes).map_err(|refused| {
                    let (Refused::TooLong(error) | Refused::NoWay(error)) = &refused;
                    tracing::debug!(%flow, %error, "a datagram could not be sent");
                    match refused {
                        Refused::TooLong(_) => Unsendable::TooLong(flow),
                        Refused::NoWay(_) => Unsendable::Anything(flow),
                    }
                })
            }
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => self.send_stream(flow, bytes),
        }
    }

    fn flow_to(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let local = self.streams.reach.seen_by(self.listener(transport, remote)?, remote);
        Some(Flow { transport, local, remote, connection: 0 })
    }

    fn flow_to_named(&self, transport: Transport, remote: SocketAddr, name: &str) -> Option<Flow> {
        let flow = self.flow_to(transport, remote)?;
        Some(match transport {
            Transport::Tls => flow.over(self.streams.connections.target(transport, remote, name)),
            Transport::Udp | Transport::Tcp | Transport::Ws | Transport::Wss => flow,
        })
    }

    fn public_address(&self, remote: IpAddr) -> Option<IpAddr> {
        self.streams.reach.public_for(remote)
    }

    /// One that listens everywhere is at each address of this machine, and at the one that a NAT shows of it.
    fn is_own(&self, at: SocketAddr) -> bool {
        let ip = at.ip().to_canonical();
        let is_ours = || self.public_address(ip) == Some(ip) || UdpSocket::bind((ip, 0)).is_ok();
        let mut listeners = self.local_addresses().into_iter().filter(|(_, own)| own.port() == at.port());
        listeners.any(|(_, own)| own.ip() == ip || (own.ip().is_unspecified() && is_ours()))
    }

    fn local_addresses(&self) -> Vec<(Transport, SocketAddr)> {
        let udp = self.udp.iter().map(|endpoint| (Transport::Udp, endpoint.local));
        let streams = self.listeners.iter().map(|listener| (listener.transport, listener.local));
        udp.chain(streams).collect()
    }
}
