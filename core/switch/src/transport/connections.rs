//! The connections of stream transports, whoever opened them, and what waits to be written to each.

use bytes::Bytes;
use plugboard_sip::flow::{Flow, Transport};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// Connections at once; a switch of 10,000 phones over TCP.
pub(super) const CONNECTIONS_MAX: usize = 10_000;
/// Bytes that may wait for any peer: a few dozen messages.
const WAITING_SURE: usize = 64 << 10;
/// Bytes that may wait for one peer, while those for all are below [`WAITING_ALL`]: 4,000 messages, more than a trunk gets
/// in one turn of a busy shard. Past it the connection is closed (RFC 3261 section 18.4: as a transport error).
const WAITING_MAX: usize = 4 << 20;
/// Bytes that may wait for all peers together before each gets no more than [`WAITING_SURE`].
const WAITING_ALL: usize = 64 << 20;
/// Connections from one address: a large office behind one NAT.
pub(super) const CONNECTIONS_PER_ADDRESS_MAX: usize = 1_000;
/// Handshakes of TLS and WebSocket at once, half a millisecond of work and some 30 KB each: a second of them.
const HANDSHAKES_MAX: usize = 1_000;
/// Of these from one address: an office whose phones all come back after a power cut; the rest of them try again.
const HANDSHAKES_PER_ADDRESS_MAX: usize = 100;
/// Names of peers that connections of ours were asked for: gateways and what DNS gives for them.
const TARGETS_MAX: usize = 10_000;
/// Numbers from here on stand for "the connection of ours to that peer, under that name", whichever it is now.
const TARGETS_FROM: u64 = 1 << 63;

/// What all connections share.
pub(super) struct Connections {
    next: AtomicU64,
    /// Bytes that wait to be written.
    waiting: AtomicUsize,
    /// Locked for a look-up only, never across a wait.
    open: Mutex<Open>,
}

/// The way to a connection's task.
struct Way {
    /// Bounded by the bytes in it.
    queue: mpsc::UnboundedSender<Bytes>,
    /// As many bytes.
    waiting: Arc<AtomicUsize>,
    /// Told to close.
    close: Arc<Notify>,
}

/// What a connection's task gets of it.
pub(super) struct Duties {
    pub(super) number: u64,
    pub(super) queue: mpsc::UnboundedReceiver<Bytes>,
    waiting: Arc<AtomicUsize>,
    pub(super) close: Arc<Notify>,
}

/// Whom a connection of ours is for: the name that its certificate must have.
pub(super) type Target = (Transport, SocketAddr, Arc<str>);

#[derive(Default)]
struct Open {
    by_number: HashMap<u64, Way>,
    per_address: HashMap<IpAddr, usize>,
    by_remote: HashMap<(Transport, SocketAddr), u64>,
    /// Numbers of targets, and the connection that serves each.
    targets: HashMap<Target, u64>,
    target_names: HashMap<u64, Arc<str>>,
    by_target: HashMap<(u64, SocketAddr), u64>,
    handshakes: usize,
    handshakes_per_address: HashMap<IpAddr, usize>,
}

/// A place for a handshake, given back when it goes.
pub(super) struct Handshake {
    all: Arc<Connections>,
    address: IpAddr,
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut open = self.all.lock();
        open.handshakes = open.handshakes.saturating_sub(1);
        decrease(&mut open.handshakes_per_address, self.address);
    }
}

impl Connections {
    pub(super) fn new() -> Self {
        Self { next: AtomicU64::new(1), waiting: AtomicUsize::new(0), open: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a message to an open connection. `None`: there is none, one must be opened.
    pub(super) fn send(&self, flow: Flow, bytes: Bytes) -> Option<Result<(), ()>> {
        let open = self.lock();
        let number = match flow.connection {
            // Whoever is at that address and port speaks for it, unless a certificate must show it.
            0 if !flow.transport.is_secure() => *open.by_remote.get(&(flow.transport, flow.remote))?,
            target if target == 0 || target >= TARGETS_FROM => *open.by_target.get(&(target, flow.remote))?,
            number => number,
        };
        match open.by_number.get(&number) {
            // Whoever lets so much wait gets nothing any more, and what was lost leaves the stream of no use.
            Some(way) => Some(self.queue(way, bytes).map_err(|()| way.close.notify_one())),
            None if flow.connection == 0 || flow.connection >= TARGETS_FROM => None,
            // The peer opened it and closed it; ours may be opened again to the address that it came from only by
            // who knows that somebody listens there.
            None => Some(Err(())),
        }
    }

    /// Lets a message wait for its turn, if there is room.
    fn queue(&self, way: &Way, bytes: Bytes) -> Result<(), ()> {
        let (len, its) = (bytes.len(), way.waiting.load(Ordering::Relaxed));
        let max = if self.waiting.load(Ordering::Relaxed) < WAITING_ALL { WAITING_MAX } else { WAITING_SURE };
        if its + len > max {
            return Err(());
        }
        // Before the connection's task can take it off again.
        way.waiting.fetch_add(len, Ordering::Relaxed);
        self.waiting.fetch_add(len, Ordering::Relaxed);
        // A connection that has ended already takes its sum with it when it is removed.
        way.queue.send(bytes).map_err(|_| ())
    }

    /// A message was taken off the queue to be written.
    pub(super) fn taken(&self, duties: &Duties, bytes: &Bytes) {
        duties.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
        self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
    }

    /// The number that stands for our connection to a peer whose certificate must have this name; 0 when there are too
    /// many names.
    pub(super) fn target(&self, transport: Transport, remote: SocketAddr, name: &str) -> u64 {
        let mut open = self.lock();
        let target = (transport, remote, Arc::from(name));
        if let Some(number) = open.targets.get(&target) {
            return *number;
        }
        if open.targets.len() >= TARGETS_MAX {
            tracing::warn!(limit = TARGETS_MAX, name, "too many names of peers: this one is called by its address");
            return 0;
        }
        let number = TARGETS_FROM + u64::try_from(open.targets.len()).unwrap_or(0);
        open.target_names.insert(number, Arc::clone(&target.2));
        open.targets.insert(target, number);
        number
    }

    /// The name that a connection of ours must find at its peer; none: its address.
    pub(super) fn name_of(&self, target: u64) -> Option<Arc<str>> {
        self.lock().target_names.get(&target).cloned()
    }

    /// Makes room for a connection that a peer opened; `None` when there are too many.
    pub(super) fn accepted(&self, transport: Transport, remote: SocketAddr) -> Option<Duties> {
        let mut open = self.lock();
        let duties = self.add(&mut open, remote)?;
        open.by_remote.insert((transport, remote), duties.number);
        Some(duties)
    }

    /// Makes room for a connection that we open; `None` when there are too many.
    pub(super) fn opened(&self, flow: Flow) -> Option<Duties> {
        let mut open = self.lock();
        let duties = self.add(&mut open, flow.remote)?;
        if flow.transport.is_secure() {
            open.by_target.insert((flow.connection, flow.remote), duties.number);
        } else {
            open.by_remote.insert((flow.transport, flow.remote), duties.number);
        }
        Some(duties)
    }

    fn add(&self, open: &mut Open, remote: SocketAddr) -> Option<Duties> {
        let theirs = open.per_address.get(&remote.ip()).copied().unwrap_or(0);
        if open.by_number.len() >= CONNECTIONS_MAX || theirs >= CONNECTIONS_PER_ADDRESS_MAX {
            return None;
        }
        open.per_address.insert(remote.ip(), theirs + 1);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, queue) = mpsc::unbounded_channel();
        let (waiting, close) = (Arc::default(), Arc::new(Notify::new()));
        let way = Way { queue: sender, waiting: Arc::clone(&waiting), close: Arc::clone(&close) };
        open.by_number.insert(number, way);
        Some(Duties { number, queue, waiting, close })
    }

    /// A connection is over.
    pub(super) fn remove(&self, number: u64, transport: Transport, remote: SocketAddr) {
        let mut open = self.lock();
        if let Some(way) = open.by_number.remove(&number) {
            self.waiting.fetch_sub(way.waiting.load(Ordering::Relaxed), Ordering::Relaxed);
            decrease(&mut open.per_address, remote.ip());
        }
        if open.by_remote.get(&(transport, remote)) == Some(&number) {
            open.by_remote.remove(&(transport, remote));
        }
        open.by_target.retain(|_, served| *served != number);
    }

    /// A place for one more handshake; `None` when too many go on at once.
    pub(super) fn begin_handshake(self: &Arc<Self>, address: IpAddr) -> Option<Handshake> {
        let mut open = self.lock();
        let theirs = open.handshakes_per_address.get(&address).copied().unwrap_or(0);
        if open.handshakes >= HANDSHAKES_MAX || theirs >= HANDSHAKES_PER_ADDRESS_MAX {
            return None;
        }
        open.handshakes += 1;
        open.handshakes_per_address.insert(address, theirs + 1);
        Some(Handshake { all: Arc::clone(self), address })
    }
}

fn decrease(counts: &mut HashMap<IpAddr, usize>, address: IpAddr) {
    if let Some(count) = counts.get_mut(&address) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SWITCH: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 5060);

    fn peer(n: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, n], 5060))
    }

    fn to(transport: Transport, remote: SocketAddr, connection: u64) -> Flow {
        Flow { transport, local: SWITCH, remote, connection }
    }

    /// How many messages of 1 KB a connection takes while nobody reads.
    fn fill(all: &Connections, remote: SocketAddr, number: u64) -> usize {
        let message = Bytes::from(vec![b'x'; 1_024]);
        let flow = Flow::tcp(SWITCH, remote, number);
        (0..100_000).take_while(|_| all.send(flow, message.clone()) == Some(Ok(()))).count()
    }

    #[tokio::test]
    async fn a_trunk_takes_thousands_of_messages_at_once_and_one_that_never_reads_is_closed() {
        let all = Connections::new();
        let trunk = all.accepted(Transport::Tcp, peer(2)).unwrap();
        assert_eq!(fill(&all, peer(2), trunk.number), WAITING_MAX / 1_024);
        tokio::time::timeout(Duration::from_secs(1), trunk.close.notified()).await.unwrap();
        all.remove(trunk.number, Transport::Tcp, peer(2));
        assert_eq!(all.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn however_many_peers_read_nothing_what_waits_for_them_is_bounded() {
        let all = Connections::new();
        let open: Vec<_> = (2..=40).map(|n| (peer(n), all.accepted(Transport::Tcp, peer(n)).unwrap())).collect();
        let taken: Vec<_> = open.iter().map(|(remote, duties)| fill(&all, *remote, duties.number)).collect();
        let greedy = WAITING_ALL / WAITING_MAX;
        assert!(taken[..greedy].iter().all(|taken| *taken == WAITING_MAX / 1_024), "{taken:?}");
        assert!(taken[greedy..].iter().all(|taken| *taken == WAITING_SURE / 1_024), "{taken:?}");
        for (remote, duties) in &open {
            all.remove(duties.number, Transport::Tcp, *remote);
        }
        assert_eq!(all.waiting.load(Ordering::Relaxed), 0);
    }

    /// Over which connection a message went.
    fn goes(all: &Connections, flow: Flow, open: &mut [Duties]) -> Option<u64> {
        all.send(flow, Bytes::from_static(b"x"))?.ok()?;
        open.iter_mut().find_map(|duties| duties.queue.try_recv().ok().map(|_| duties.number))
    }

    #[test]
    fn one_connection_is_used_both_ways_whoever_opened_it_but_only_for_its_own_transport() {
        let all = Connections::new();
        let mut open = [all.accepted(Transport::Tcp, peer(2)).unwrap()];
        let number = open[0].number;
        assert_eq!(goes(&all, to(Transport::Tcp, peer(2), 0), &mut open), Some(number));
        assert_eq!(goes(&all, to(Transport::Ws, peer(2), 0), &mut open), None);
        all.remove(number, Transport::Tcp, peer(2));
        assert_eq!(all.send(to(Transport::Tcp, peer(2), 0), Bytes::new()), None, "another is to be opened");
        assert_eq!(all.send(to(Transport::Tcp, peer(2), number), Bytes::new()), Some(Err(())));
    }

    #[test]
    fn over_tls_nobody_gets_what_is_for_a_name_that_he_did_not_show() {
        let all = Connections::new();
        let flow = to(Transport::Tls, peer(2), all.target(Transport::Tls, peer(2), "sip.example"));
        assert_eq!(all.name_of(flow.connection).as_deref(), Some("sip.example"));
        let mut open = vec![all.accepted(Transport::Tls, peer(2)).unwrap()];
        assert_eq!(goes(&all, flow, &mut open), None, "whoever connected from that address");
        assert_eq!(goes(&all, flow.over(0), &mut open), None);
        open.push(all.opened(flow).unwrap());
        let number = open[1].number;
        assert_eq!(goes(&all, flow, &mut open), Some(number));
        let other = all.target(Transport::Tls, peer(2), "other.example");
        assert_eq!(goes(&all, flow.over(other), &mut open), None, "another name at the same address");
        assert_eq!(all.target(Transport::Tls, peer(2), "sip.example"), flow.connection, "the name keeps its number");
        all.remove(number, Transport::Tls, peer(2));
        assert_eq!(goes(&all, flow, &mut open), None);
        // By its address alone.
        open.push(all.opened(to(Transport::Tls, peer(3), 0)).unwrap());
        assert_eq!(goes(&all, to(Transport::Tls, peer(3), 0), &mut open), Some(open[2].number));
        assert_eq!(goes(&all, to(Transport::Tls, peer(4), 0), &mut open), None, "another address");
    }

    #[test]
    fn handshakes_are_bounded_by_address_and_in_all() {
        let all = Arc::new(Connections::new());
        let mut held: Vec<_> = std::iter::from_fn(|| all.begin_handshake(peer(2).ip())).collect();
        assert_eq!(held.len(), HANDSHAKES_PER_ADDRESS_MAX);
        for n in 3..=40 {
            held.extend(std::iter::from_fn(|| all.begin_handshake(peer(n).ip())));
        }
        assert_eq!(held.len(), HANDSHAKES_MAX);
        held.clear();
        assert!(all.begin_handshake(peer(2).ip()).is_some());
        assert!(all.lock().handshakes_per_address.is_empty(), "nobody who is gone is remembered");
    }
}
