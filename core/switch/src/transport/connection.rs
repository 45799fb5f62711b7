//! One connection: reads whole messages, writes what waits, ends it when either side wants.

use bytes::Bytes;
use plugboard_metrics::SipFaultKind;
use plugboard_sip::flow::Flow;
use plugboard_sip::{Frame, PONG, ParseError, StreamFramer};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::connections::{Connections, Duties};
use super::router::Router;

/// A peer that says nothing for so long, not even a keep-alive, is gone. Registrations are refreshed more often.
const IDLE_MAX: Duration = Duration::from_secs(3_700);
/// Whoever connects says something soon: a connection that does not only holds a descriptor.
const FIRST_MAX: Duration = Duration::from_secs(30);
/// One write to a peer that reads nothing; it is gone by then, and everything for it fails at once.
const WRITE_MAX: Duration = Duration::from_secs(10);
/// A last answer to a peer whose stream cannot be read any further, and the good-bye of TLS and WebSocket.
const LAST_WORD_MAX: Duration = Duration::from_secs(5);
/// Read at once.
const CHUNK: usize = 16 * 1_024;
/// Answers to keep-alives and faults that wait: eight pongs say as much as nine.
const REPLIES_MAX: usize = 8;

/// What a peer said.
#[expect(clippy::large_enum_variant, reason = "nearly everything that is heard is a message")]
pub(super) enum Heard {
    /// Something whole.
    Frame(Frame),
    /// Something whole that means nothing but that the peer lives.
    Life,
    /// Bytes that make nothing whole yet. Whoever dribbles is no less silent for it.
    Part,
}

/// Why nothing more is read.
pub(super) enum Gone {
    /// The peer closed the connection, or it broke.
    Closed,
    /// What comes cannot be told apart any more.
    Lost(Lost),
}

/// Why the rest of a connection cannot be read.
pub(super) enum Lost {
    /// Its bytes are no SIP, or hide where a message ends.
    Framing(ParseError),
    /// It breaks the rules of WebSocket.
    WebSocket(String),
}

/// The reading half, in the manner of a transport.
pub(super) trait Ear {
    /// How long a peer may be silent before he is asked whether he lives; none: nobody is asked.
    const ASK_AFTER: Option<Duration>;
    /// The next of what the peer says. Nothing is lost when it is dropped before it is over.
    fn hear(&mut self) -> impl Future<Output = Result<Heard, Gone>> + Send;
}

/// The writing half.
pub(super) trait Mouth {
    /// Says a whole message.
    fn say(&mut self, bytes: Bytes) -> impl Future<Output = io::Result<()>> + Send;
    /// Asks whether the peer lives.
    fn ask(&mut self) -> impl Future<Output = io::Result<()>> + Send;
    /// Says good-bye.
    fn leave(&mut self) -> impl Future<Output = ()> + Send;
}

/// What goes out beside the queue.
enum Reply {
    Say(Bytes),
    Ask,
}

/// Reads and writes one connection until either side ends it.
pub(super) async fn converse(
    mut ear: impl Ear,
    mut mouth: impl Mouth,
    flow: Flow,
    mut duties: Duties,
    all: &Connections,
    router: &Router,
) {
    let (replies, mut due) = mpsc::channel::<Reply>(REPLIES_MAX);
    let close = std::sync::Arc::clone(&duties.close);
    let read = listen(&mut ear, flow, router, replies);
    let write = async {
        loop {
            let said = tokio::select! {
                Some(bytes) = duties.queue.recv() => {
                    all.taken(&duties, &bytes);
                    tokio::time::timeout(WRITE_MAX, mouth.say(bytes)).await
                }
                Some(reply) = due.recv() => match reply {
                    Reply::Say(bytes) => tokio::time::timeout(WRITE_MAX, mouth.say(bytes)).await,
                    Reply::Ask => tokio::time::timeout(WRITE_MAX, mouth.ask()).await,
                },
                else => return,
            };
            if !matches!(said, Ok(Ok(()))) {
                return;
            }
        }
    };
    let gone = tokio::select! {
        gone = read => gone,
        () = write => Gone::Closed,
        () = close.notified() => {
            tracing::info!(%flow, "a peer reads nothing: its connection is closed");
            Gone::Closed
        }
    };
    let answer = match gone {
        Gone::Closed => None,
        Gone::Lost(Lost::Framing(error)) => {
            router.unparsed(SipFaultKind::Framing, flow, &error);
            error.answer()
        }
        Gone::Lost(Lost::WebSocket(reason)) => {
            router.fault(SipFaultKind::WebSocket, flow, &reason);
            None
        }
    };
    let last = async {
        if let Some(bytes) = answer.map(|answer| answer.to_bytes().into())
            && mouth.say(bytes).await.is_err()
        {
            tracing::debug!(%flow, "the last answer of a connection was not taken");
        }
        mouth.leave().await;
    };
    if tokio::time::timeout(LAST_WORD_MAX, last).await.is_err() {
        tracing::debug!(%flow, "a peer did not take its last answer");
    }
}

/// What one connection is told in a minute of messages that cannot be read: a device that is somewhat broken sends a few,
/// and whoever sends more learns nothing from more answers.
const FAULTS_ANSWERED_MAX: u32 = 60;

/// The answers to what could not be read.
struct Faults {
    since: Instant,
    answered: u32,
}

impl Faults {
    fn new(now: Instant) -> Self {
        Self { since: now, answered: 0 }
    }

    /// Whether one more is answered.
    fn is_answered(&mut self, now: Instant) -> bool {
        if now - self.since >= Duration::from_mins(1) {
            *self = Self::new(now);
        }
        self.answered = self.answered.saturating_add(1);
        self.answered <= FAULTS_ANSWERED_MAX
    }
}

/// Gives whole messages on. While their shard is behind nothing more is read, and the peer's own buffers fill: nobody
/// sends again what is lost here. A stream whose framing is lost cannot be read any further: then the answer to what
/// came last, if it has one, is the last word (RFC 3261 section 18.3).
async fn listen<E: Ear>(ear: &mut E, flow: Flow, router: &Router, replies: mpsc::Sender<Reply>) -> Gone {
    let (mut patience, mut spoke, mut asked) = (FIRST_MAX, false, false);
    let mut since = Instant::now();
    let mut faults = Faults::new(since);
    loop {
        let heard = match tokio::time::timeout_at(since + patience, ear.hear()).await {
            Ok(Ok(heard)) => heard,
            Ok(Err(gone)) => return gone,
            // Whoever does not answer now is gone.
            Err(_) if E::ASK_AFTER.is_some() && spoke && !asked => {
                (asked, since) = (true, Instant::now());
                let _ = replies.try_send(Reply::Ask);
                continue;
            }
            Err(_) => return Gone::Closed,
        };
        if matches!(heard, Heard::Part) {
            continue;
        }
        match heard {
            Heard::Part | Heard::Life | Heard::Frame(Frame::Pong) => {}
            Heard::Frame(Frame::Message(message)) => {
                (patience, spoke) = (E::ASK_AFTER.unwrap_or(IDLE_MAX), true);
                router.received_message(flow, message).over().await;
            }
            // A peer that asks or sends faults faster than it reads the answers needs no more of them.
            Heard::Frame(Frame::Ping) => drop(replies.try_send(Reply::Say(Bytes::from_static(PONG)))),
            Heard::Frame(Frame::Bad(error)) => {
                router.unparsed(SipFaultKind::Malformed, flow, &error);
                if let Some(answer) = error.answer().filter(|_| faults.is_answered(Instant::now())) {
                    let _ = replies.try_send(Reply::Say(answer.to_bytes().into()));
                }
            }
        }
        // Keep-alives before the first message only hold a descriptor.
        if spoke {
            (asked, since) = (false, Instant::now());
        }
    }
}

/// Cuts a stream of bytes into messages (RFC 3261 section 18.3).
pub(super) struct Cut<R> {
    reader: R,
    framer: StreamFramer,
    chunk: Box<[u8]>,
}

impl<R> Cut<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, framer: StreamFramer::new(), chunk: vec![0; CHUNK].into() }
    }
}

impl<R: AsyncRead + Unpin + Send> Ear for Cut<R> {
    const ASK_AFTER: Option<Duration> = None;

    async fn hear(&mut self) -> Result<Heard, Gone> {
        match self.framer.next_frame() {
            Ok(Some(frame)) => return Ok(Heard::Frame(frame)),
            Ok(None) => {}
            Err(error) => return Err(Gone::Lost(Lost::Framing(error.0))),
        }
        match self.reader.read(&mut self.chunk).await {
            Ok(len) if len > 0 => {
                self.framer.push(self.chunk.get(..len).unwrap_or_default());
                Ok(Heard::Part)
            }
            Ok(_) | Err(_) => Err(Gone::Closed),
        }
    }
}

/// Writes messages one after the other.
pub(super) struct Joined<W>(pub(super) W);

impl<W: AsyncWrite + Unpin + Send> Mouth for Joined<W> {
    async fn say(&mut self, bytes: Bytes) -> io::Result<()> {
        self.0.write_all(&bytes).await?;
        // TLS keeps a record back until it is told to write it.
        self.0.flush().await
    }

    async fn ask(&mut self) -> io::Result<()> {
        self.say(Bytes::from_static(plugboard_sip::PING)).await
    }

    async fn leave(&mut self) {
        // A peer that is gone already takes no good-bye.
        let _ = self.0.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_sip::flow::Transport;
    use std::net::SocketAddr;
    use std::sync::Arc;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::Interval;

    const SWITCH: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 5060);

    #[test]
    fn a_connection_is_told_of_so_many_faults_a_minute_and_of_no_more() {
        let began = Instant::now();
        let mut faults = Faults::new(began);
        let told = |faults: &mut Faults, now| (0..100).filter(|_| faults.is_answered(now)).count();
        assert_eq!(told(&mut faults, began), 60);
        assert_eq!(told(&mut faults, began + Duration::from_secs(59)), 0);
        assert_eq!(told(&mut faults, began + Duration::from_secs(60)), 60);
    }

    /// Nobody takes messages.
    fn nobody() -> Router {
        let clock = Arc::new(crate::system::SystemClock::start());
        Router::new(Vec::new(), Vec::new(), clock, plugboard_metrics::Metrics::new())
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
        let duties = all.accepted(Transport::Tcp, remote).unwrap();
        let message = Bytes::from(vec![b'x'; 4 << 20]);
        assert_eq!(all.send(flow, message), Some(Ok(())));
        let began = tokio::time::Instant::now();
        let (reader, writer) = stream.into_split();
        converse(Cut::new(reader), Joined(writer), flow, duties, &all, &nobody()).await;
        let took = began.elapsed();
        assert!((WRITE_MAX..WRITE_MAX + Duration::from_secs(1)).contains(&took), "{took:?}");
    }

    /// A peer that says these things, and is asked after a minute of silence.
    struct Silent(Vec<Frame>);

    impl Ear for Silent {
        const ASK_AFTER: Option<Duration> = Some(Duration::from_secs(60));

        async fn hear(&mut self) -> Result<Heard, Gone> {
            match self.0.pop() {
                Some(frame) => Ok(Heard::Frame(frame)),
                None => std::future::pending().await,
            }
        }
    }

    fn options() -> Frame {
        plugboard_sip::read_websocket(
            b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/WS 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:a>\r\n\
              Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n",
        )
    }

    /// After how many seconds a peer that says this and no more is gone, and how often it was asked before.
    async fn gone_after(said: Vec<Frame>) -> (u64, usize) {
        let flow = Flow::tcp(SWITCH, SWITCH, 1);
        let (replies, mut due) = mpsc::channel(REPLIES_MAX);
        let began = tokio::time::Instant::now();
        listen(&mut Silent(said), flow, &nobody(), replies).await;
        let asked = std::iter::from_fn(|| due.try_recv().ok()).filter(|reply| matches!(reply, Reply::Ask)).count();
        (began.elapsed().as_secs(), asked)
    }

    /// Ticks every ten seconds from now on.
    fn ten_seconds() -> Interval {
        const TEN: Duration = Duration::from_secs(10);
        tokio::time::interval_at(Instant::now() + TEN, TEN)
    }

    /// A peer that says a message, if it does, and then a byte every ten seconds.
    struct Dribbling(Option<Frame>, Interval);

    impl Ear for Dribbling {
        const ASK_AFTER: Option<Duration> = None;

        async fn hear(&mut self) -> Result<Heard, Gone> {
            if let Some(frame) = self.0.take() {
                return Ok(Heard::Frame(frame));
            }
            self.1.tick().await;
            Ok(Heard::Part)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_dribbles_holds_no_connection_for_longer_than_a_silent_one() {
        for (said, longest) in [(None, FIRST_MAX), (Some(options()), IDLE_MAX)] {
            let (replies, _due) = mpsc::channel(REPLIES_MAX);
            let began = Instant::now();
            listen(&mut Dribbling(said, ten_seconds()), Flow::tcp(SWITCH, SWITCH, 1), &nobody(), replies).await;
            assert_eq!(began.elapsed(), longest);
        }
    }

    /// A peer that sends keep-alives alone.
    struct Pinging(Interval);

    impl Ear for Pinging {
        const ASK_AFTER: Option<Duration> = None;

        async fn hear(&mut self) -> Result<Heard, Gone> {
            self.0.tick().await;
            Ok(Heard::Frame(Frame::Ping))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keep_alives_of_a_peer_that_never_spoke_keep_nothing() {
        let (replies, _due) = mpsc::channel(REPLIES_MAX);
        let began = Instant::now();
        listen(&mut Pinging(ten_seconds()), Flow::tcp(SWITCH, SWITCH, 1), &nobody(), replies).await;
        assert_eq!(began.elapsed(), FIRST_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_peer_is_asked_once_whether_it_lives_and_one_that_never_spoke_is_not() {
        assert_eq!(gone_after(vec![options()]).await, (120, 1));
        assert_eq!(gone_after(Vec::new()).await, (FIRST_MAX.as_secs(), 0));
        assert_eq!(gone_after(vec![Frame::Pong]).await, (FIRST_MAX.as_secs(), 0));
    }
}
