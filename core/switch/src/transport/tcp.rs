//! TCP connections, the ones that peers opened and ours.

use bytes::Bytes;
use plugboard_sip::flow::Flow;
use plugboard_sip::{Frame, PONG, StreamFramer};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

use super::router::Router;

/// Connections at once; a switch of 10,000 phones over TCP.
const CONNECTIONS_MAX: usize = 10_000;
/// Bytes that may wait for any peer: a few dozen messages.
const WAITING_SURE: usize = 64 << 10;
/// Bytes that may wait for one peer, while those for all are below [`WAITING_ALL`]: 4,000 messages, more than a trunk gets
/// in one turn of a busy shard. Past it the connection is closed (RFC 3261 section 18.4: as a transport error).
const WAITING_MAX: usize = 4 << 20;
/// Bytes that may wait for all peers together before each gets no more than [`WAITING_SURE`].
const WAITING_ALL: usize = 64 << 20;
/// A peer that says nothing for so long, not even a keep-alive, is gone. Registrations are refreshed more often.
const IDLE_MAX: Duration = Duration::from_secs(3_700);
/// Whoever connects says something soon: a connection that does not only holds a descriptor.
const FIRST_MAX: Duration = Duration::from_secs(30);
/// Connections from one address: a large office behind one NAT.
const CONNECTIONS_PER_ADDRESS_MAX: usize = 1_000;
/// One write to a peer that reads nothing; it is gone by then, and everything for it fails at once.
const WRITE_MAX: Duration = Duration::from_secs(10);
/// A last answer to a peer whose stream cannot be read any further.
const LAST_WORD_MAX: Duration = Duration::from_secs(5);
/// Connecting takes a round trip; past this the peer is down, and the transaction is told so before it gives up itself.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Long enough to let calls go on, short enough for a phone that waits.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// Read at once.
const CHUNK: usize = 16 * 1_024;

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
struct Duties {
    number: u64,
    queue: mpsc::UnboundedReceiver<Bytes>,
    waiting: Arc<AtomicUsize>,
    close: Arc<Notify>,
}

#[derive(Default)]
struct Open {
    by_number: HashMap<u64, Way>,
    per_address: HashMap<IpAddr, usize>,
    by_remote: HashMap<SocketAddr, u64>,
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
        let number = if flow.connection == 0 { *open.by_remote.get(&flow.remote)? } else { flow.connection };
        match open.by_number.get(&number) {
            // Whoever lets so much wait gets nothing any more, and what was lost leaves the stream of no use.
            Some(way) => Some(self.queue(way, bytes).map_err(|()| way.close.notify_one())),
            None if flow.connection == 0 => None,
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

    /// Makes room for a new connection; `None` when there are too many.
    fn add(&self, remote: SocketAddr) -> Option<Duties> {
        let mut open = self.lock();
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
        open.by_remote.insert(remote, number);
        Some(Duties { number, queue, waiting, close })
    }

    fn remove(&self, number: u64, remote: SocketAddr) {
        let mut open = self.lock();
        if let Some(way) = open.by_number.remove(&number) {
            self.waiting.fetch_sub(way.waiting.load(Ordering::Relaxed), Ordering::Relaxed);
            if let Some(theirs) = open.per_address.get_mut(&remote.ip()) {
                *theirs = theirs.saturating_sub(1);
                if *theirs == 0 {
                    open.per_address.remove(&remote.ip());
                }
            }
        }
        if open.by_remote.get(&remote) == Some(&number) {
            open.by_remote.remove(&remote);
        }
    }
}

/// Accepts connections until the runtime ends.
pub(super) async fn accept(listener: TcpListener, to: Arc<Connections>, router: Router) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let (to, router) = (Arc::clone(&to), router.clone());
                let Some(duties) = to.add(remote) else {
                    tracing::warn!(
                        limit = CONNECTIONS_MAX,
                        limit_per_address = CONNECTIONS_PER_ADDRESS_MAX,
                        "too many TCP connections: one was closed"
                    );
                    continue;
                };
                actix::spawn(async move {
                    let local = stream.local_addr().unwrap_or(remote);
                    let number = duties.number;
                    let flow = Flow::tcp(local, remote, number);
                    run(stream, flow, duties, &to, &router).await;
                    to.remove(number, remote);
                    router.closed(flow);
                });
            }
            // Out of file descriptors, most likely: nothing tells when there are some again.
            Err(error) => {
                tracing::warn!(%error, "a TCP connection could not be accepted");
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

/// Opens a connection and sends its first message.
pub(super) async fn connect(flow: Flow, first: Bytes, to: Arc<Connections>, router: Router) {
    let Some(duties) = to.add(flow.remote) else { return router.closed(flow) };
    let number = duties.number;
    let own = Flow { connection: number, ..flow };
    if let Some(Err(())) = to.send(own, first) {
        tracing::debug!(%flow, "the first message of a connection found no room");
    }
    let connected = tokio::time::timeout(CONNECT_MAX, TcpStream::connect(flow.remote)).await;
    if let Ok(Ok(stream)) = connected {
        run(stream, own, duties, &to, &router).await;
    }
    to.remove(number, flow.remote);
    router.closed(own);
    router.closed(flow);
}

/// Reads and writes one connection until either side ends it.
async fn run(stream: TcpStream, flow: Flow, duties: Duties, all: &Connections, router: &Router) {
    let Duties { mut queue, waiting, close, .. } = duties;
    // Small messages that wait for each other's ACK would add 40 ms to a call.
    let _ = stream.set_nodelay(true);
    let (mut reader, mut writer) = stream.into_split();
    let (replies, mut due) = mpsc::channel::<Bytes>(8);
    let read = async {
        let mut framer = StreamFramer::new();
        let mut chunk = vec![0; CHUNK];
        let mut patience = FIRST_MAX;
        loop {
            let len = match tokio::time::timeout(patience, reader.read(&mut chunk)).await {
                Ok(Ok(len)) if len > 0 => len,
                Ok(Ok(_) | Err(_)) | Err(_) => return None,
            };
            framer.push(chunk.get(..len).unwrap_or_default());
            match deliver(&mut framer, flow, router, &replies).await {
                Ok(true) => patience = IDLE_MAX,
                Ok(false) => {}
                Err(last_word) => return last_word,
            }
        }
    };
    let write = async {
        loop {
            let next = tokio::select! {
                Some(bytes) = queue.recv() => {
                    waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
                    all.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
                    bytes
                }
                Some(reply) = due.recv() => reply,
                else => return,
            };
            if !matches!(tokio::time::timeout(WRITE_MAX, writer.write_all(&next)).await, Ok(Ok(()))) {
                return;
            }
        }
    };
    let last_word = tokio::select! {
        last_word = read => last_word,
        () = write => None,
        () = close.notified() => {
            tracing::info!(%flow, "a TCP peer reads nothing: its connection is closed");
            None
        }
    };
    if let Some(bytes) = last_word
        && !matches!(tokio::time::timeout(LAST_WORD_MAX, writer.write_all(&bytes)).await, Ok(Ok(())))
    {
        tracing::debug!(%flow, "the last answer of a connection was not taken");
    }
}

/// Gives whole messages on; whether there were any. While their shard is behind nothing more is read, and the peer's own
/// buffers fill: nobody sends again what is lost here. A stream whose framing is lost cannot be read any further: the
/// error is the answer to what came last, if it has one (RFC 3261 section 18.3).
async fn deliver(
    framer: &mut StreamFramer,
    flow: Flow,
    router: &Router,
    replies: &mpsc::Sender<Bytes>,
) -> Result<bool, Option<Bytes>> {
    let mut heard = false;
    loop {
        match framer.next_frame() {
            Ok(None) => return Ok(heard),
            Ok(Some(Frame::Message(message))) => {
                heard = true;
                router.received_message(flow, message).over().await;
            }
            Ok(Some(Frame::Ping)) => {
                // Eight pongs waiting say as much as nine.
                let _ = replies.try_send(Bytes::from_static(PONG));
            }
            Ok(Some(Frame::Pong)) => {}
            Ok(Some(Frame::Bad(error))) => {
                if let Some(answer) = error.answer() {
                    // A peer that sends faults faster than it reads their answers needs no more of them.
                    let _ = replies.try_send(answer.to_bytes().into());
                }
            }
            Err(error) => {
                tracing::debug!(%flow, %error, "a TCP connection sent what is no SIP");
                return Err(error.0.answer().map(|answer| answer.to_bytes().into()));
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const SWITCH: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 5060);

    fn peer(n: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, n], 5060))
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
        let trunk = all.add(peer(2)).unwrap();
        assert_eq!(fill(&all, peer(2), trunk.number), WAITING_MAX / 1_024);
        tokio::time::timeout(Duration::from_secs(1), trunk.close.notified()).await.unwrap();
        all.remove(trunk.number, peer(2));
        assert_eq!(all.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_of_what_is_written_is_gone_when_the_limit_of_a_write_is_over() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let deaf = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, remote) = listener.accept().await.unwrap();
        // The buffers between the two take less than one message.
        socket2::SockRef::from(&deaf).set_recv_buffer_size(4_096).unwrap();
        socket2::SockRef::from(&stream).set_send_buffer_size(4_096).unwrap();
        let (all, flow) = (Connections::new(), Flow::tcp(SWITCH, remote, 1));
        let duties = all.add(remote).unwrap();
        let message = Bytes::from(vec![b'x'; WAITING_MAX]);
        assert_eq!(all.send(flow, message), Some(Ok(())));
        let clock = Arc::new(crate::system::SystemClock::start());
        let router = Router::new(Vec::new(), Vec::new(), clock, plugboard_metrics::Metrics::new());
        let began = tokio::time::Instant::now();
        run(stream, flow, duties, &all, &router).await;
        let took = began.elapsed();
        assert!((WRITE_MAX..WRITE_MAX + Duration::from_secs(1)).contains(&took), "{took:?}");
    }

    #[test]
    fn however_many_peers_read_nothing_what_waits_for_them_is_bounded() {
        let all = Connections::new();
        let open: Vec<_> = (2..=40).map(|n| (peer(n), all.add(peer(n)).unwrap())).collect();
        let taken: Vec<_> = open.iter().map(|(remote, duties)| fill(&all, *remote, duties.number)).collect();
        let greedy = WAITING_ALL / WAITING_MAX;
        assert!(taken[..greedy].iter().all(|taken| *taken == WAITING_MAX / 1_024), "{taken:?}");
        assert!(taken[greedy..].iter().all(|taken| *taken == WAITING_SURE / 1_024), "{taken:?}");
        for (remote, duties) in &open {
            all.remove(duties.number, *remote);
        }
        assert_eq!(all.waiting.load(Ordering::Relaxed), 0);
    }
}
