//! TCP connections, the ones that peers opened and ours.

use bytes::Bytes;
use plugboard_sip::flow::Flow;
use plugboard_sip::{Frame, PONG, StreamFramer};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

use super::router::Router;

/// Connections at once; a switch of 10,000 phones over TCP.
const CONNECTIONS_MAX: usize = 10_000;
/// Messages that wait for a slow peer; then the connection is closed (RFC 3261 section 18.4: as a transport error).
const SEND_QUEUE: usize = 256;
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
    /// Locked for a look-up only, never across a wait.
    open: Mutex<Open>,
}

/// The way to a connection's task.
struct Way {
    queue: mpsc::Sender<Bytes>,
    /// Told to close.
    close: Arc<Notify>,
}

/// What a connection's task gets of it.
struct Duties {
    number: u64,
    queue: mpsc::Receiver<Bytes>,
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
        Self { next: AtomicU64::new(1), open: Mutex::default() }
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
            Some(way) => Some(way.queue.try_send(bytes).map_err(|_| way.close.notify_one())),
            None if flow.connection == 0 => None,
            // The peer opened it and closed it; ours may be opened again to the address that it came from only by
            // who knows that somebody listens there.
            None => Some(Err(())),
        }
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
        let (queue, waiting) = mpsc::channel(SEND_QUEUE);
        let close = Arc::new(Notify::new());
        open.by_number.insert(number, Way { queue, close: Arc::clone(&close) });
        open.by_remote.insert(remote, number);
        Some(Duties { number, queue: waiting, close })
    }

    fn remove(&self, number: u64, remote: SocketAddr) {
        let mut open = self.lock();
        if open.by_number.remove(&number).is_some()
            && let Some(theirs) = open.per_address.get_mut(&remote.ip())
        {
            *theirs = theirs.saturating_sub(1);
            if *theirs == 0 {
                open.per_address.remove(&remote.ip());
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
                    run(stream, flow, duties, &router).await;
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
        run(stream, own, duties, &router).await;
    }
    to.remove(number, flow.remote);
    router.closed(own);
    router.closed(flow);
}

/// Reads and writes one connection until either side ends it.
async fn run(stream: TcpStream, flow: Flow, duties: Duties, router: &Router) {
    let Duties { mut queue, close, .. } = duties;
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
            match deliver(&mut framer, flow, router, &replies) {
                Ok(true) => patience = IDLE_MAX,
                Ok(false) => {}
                Err(last_word) => return last_word,
            }
        }
    };
    let write = async {
        loop {
            let next = tokio::select! {
                Some(bytes) = queue.recv() => bytes,
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

/// Gives whole messages on; whether there were any. A stream whose framing is lost cannot be read any further: the
/// error is the answer to what came last, if it has one (RFC 3261 section 18.3).
fn deliver(
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
                router.received_message(flow, message);
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
