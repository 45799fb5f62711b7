//! Gives each message to the shard of its call.

use actix::Recipient;
use actix::prelude::{RecipientRequest, SendError};
use bytes::Bytes;
use plugboard_metrics::{MessageDropped, Metrics, Queue, SipFaultKind};
use plugboard_model::Time;
use plugboard_sip::flow::Flow;
use plugboard_sip::{Message, Method, ParseError, PeekKind, parse_datagram, peek, peek_quoted};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::env::Clock;
use crate::message::{ConnectionClosed, Received, Wire};
use crate::shard::{shard_of_branch, shard_of_dialog};

/// Datagrams within dialogs that wait, beyond its mailbox, for a shard that does not keep up: a tenth of what it handles in a second. Who
/// hangs up while others flood is heard at once; past it his phone says it again.
const WITHIN_MAX: usize = 4_096;

/// Over when the shard has taken a message that came over a stream: at once, but for a shard that does not keep up.
pub struct Waiting(Option<RecipientRequest<Received>>);

impl Waiting {
    /// Whether the shard has taken it at once.
    pub fn is_over(&self) -> bool {
        self.0.is_none()
    }

    /// Waits until the shard has handled it.
    pub(super) async fn over(self) {
        if let Some(request) = self.0 {
            // A shard that ended takes nothing; that is told in `/readyz`.
            let _ = request.await;
        }
    }
}

/// Knows every shard's `SipActor`.
#[derive(Clone)]
pub struct Router {
    shards: Vec<Recipient<Received>>,
    closed: Vec<Recipient<ConnectionClosed>>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// At most [`WITHIN_MAX`].
    within: Arc<AtomicUsize>,
}

impl Router {
    pub(crate) fn new(
        shards: Vec<Recipient<Received>>,
        closed: Vec<Recipient<ConnectionClosed>>,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        Self { shards, closed, clock, metrics, within: Arc::default() }
    }

    /// The time now, as [`Router::received_at`] wants it.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Hands a datagram over that came just now.
    pub fn received(&self, flow: Flow, bytes: Bytes) {
        self.received_at(flow, bytes, self.now());
    }

    /// Hands a datagram over that came then.
    pub fn received_at(&self, flow: Flow, bytes: Bytes, came: Time) {
        let shard = self.shard_of(|| {
            let peek = peek(&bytes)?;
            Some((peek.kind, peek.branch, peek.call_id))
        });
        // What comes faster than its shard reads is dropped and counted: its sender repeats it. What belongs to a dialog waits.
        let dropped = match self.hand_over(shard, Received { flow, wire: Wire::Datagram(bytes), came }) {
            Some((to, SendError::Full(received))) => !self.waits(to, received),
            Some((_, SendError::Closed(_))) => true,
            None => false,
        };
        if dropped {
            MessageDropped { queue: Queue::Sip }.emit(&self.metrics);
        }
    }

    /// Whether it belongs to a dialog and waits for a place.
    fn waits(&self, to: &Recipient<Received>, received: Received) -> bool {
        if !is_within_dialog(&received.wire) {
            return false;
        }
        if self.within.fetch_add(1, Ordering::Relaxed) >= WITHIN_MAX {
            self.within.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        let (waiting, within) = (to.send(received), Arc::clone(&self.within));
        actix::spawn(async move {
            // A shard that ended takes nothing; that is told in `/readyz`.
            let _ = waiting.await;
            within.fetch_sub(1, Ordering::Relaxed);
        });
        true
    }

    /// Tells that the peer's host takes nothing of what was sent over this flow, of which `quoted` is the beginning. What no shard has a
    /// place for is lost: the request is repeated, and refused again.
    pub fn undelivered(&self, flow: Flow, quoted: Bytes) {
        let Some((_, branch)) = peek_quoted(&quoted) else { return };
        let shard = shard_of_branch(branch).filter(|shard| *shard < self.shards.len());
        if let Some(shard) = shard {
            drop(self.hand_over(shard, Received { flow, wire: Wire::Undelivered(quoted), came: self.now() }));
        }
    }

    /// Hands a message over that was cut out of a stream just now. Nobody sends it again, so nothing is read from its
    /// stream until [`Waiting`] is over.
    #[must_use = "what waits is lost when it is dropped"]
    pub fn received_message(&self, flow: Flow, message: Message) -> Waiting {
        let shard = self.shard_of(|| {
            let headers = message.headers();
            let branch = headers.top_via().ok()?.branch().unwrap_or_default().as_bytes();
            let kind = match &message {
                Message::Request(_) => PeekKind::Request,
                Message::Response(response) => PeekKind::Response(response.status),
            };
            Some((kind, branch, headers.call_id().ok()?.as_bytes()))
        });
        let received = Received { flow, wire: Wire::Framed(Box::new(message)), came: self.now() };
        match self.hand_over(shard, received) {
            Some((to, SendError::Full(received))) => Waiting(Some(to.send(received))),
            // The shard ended by a fault, which `/readyz` tells.
            Some((_, SendError::Closed(_))) | None => Waiting(None),
        }
    }

    /// Tells of what a peer did wrong on its connection, before any shard saw it.
    pub(super) fn fault(&self, kind: SipFaultKind, flow: Flow, reason: &str) {
        crate::convert::fault(kind, self.now(), flow, reason).emit(&self.metrics);
    }

    /// Tells of what came over a connection and was no message.
    pub(super) fn unparsed(&self, kind: SipFaultKind, flow: Flow, error: &ParseError) {
        crate::convert::tell_unparsed(kind, error, self.now(), flow, &self.metrics);
    }

    /// Gives a message to its shard, or back if it cannot be taken.
    fn hand_over(&self, shard: usize, received: Received) -> Option<(&Recipient<Received>, SendError<Received>)> {
        let to = self.shards.get(shard)?;
        to.try_send(received).err().map(|error| (to, error))
    }

    /// Tells every shard that a connection is gone.
    pub fn closed(&self, flow: Flow) {
        for shard in &self.closed {
            crate::post::post(shard, ConnectionClosed(flow));
        }
    }

    /// A response goes where its branch says, a request where its Call-ID says.
    fn shard_of<'a>(&self, keys: impl FnOnce() -> Option<(PeekKind, &'a [u8], &'a [u8])>) -> usize {
        let count = self.shards.len();
        if count <= 1 {
            return 0;
        }
        let Some((kind, branch, call_id)) = keys() else { return 0 };
        let ours = match kind {
            PeekKind::Response(_) => shard_of_branch(branch).filter(|shard| *shard < count),
            PeekKind::Request => None,
        };
        ours.unwrap_or_else(|| shard_of_dialog(call_id, count))
    }
}

/// Whether a datagram changes or ends something that is there, or answers us.
fn is_within_dialog(wire: &Wire) -> bool {
    let Wire::Datagram(bytes) = wire else { return false };
    match parse_datagram(bytes) {
        Ok(Message::Response(_)) => true,
        Ok(Message::Request(request)) => {
            matches!(request.method, Method::Cancel | Method::Ack)
                || request.headers.to().is_ok_and(|to| to.tag().is_some())
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix::{Actor, Context, Handler, System};
    use std::cell::RefCell;
    use std::rc::Rc;

    /// A shard with a mailbox for a single message.
    struct Shard(Rc<RefCell<Vec<String>>>);

    impl Actor for Shard {
        type Context = Context<Self>;
        fn started(&mut self, ctx: &mut Self::Context) {
            ctx.set_mailbox_capacity(1);
        }
    }

    impl Handler<Received> for Shard {
        type Result = ();
        fn handle(&mut self, received: Received, _: &mut Self::Context) {
            let call_id = match &received.wire {
                Wire::Framed(message) => message.headers().call_id().unwrap().to_owned(),
                Wire::Datagram(bytes) if bytes.starts_with(b"BYE") => "bye".to_owned(),
                Wire::Datagram(_) | Wire::Undelivered(_) => "datagram".to_owned(),
            };
            self.0.borrow_mut().push(call_id);
        }
    }

    fn request(n: usize) -> String {
        format!(
            "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK{n}\r\nFrom: <sip:a>;tag=1\r\n\
             To: <sip:a>\r\nCall-ID: {n}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    }

    #[test]
    fn a_stream_waits_for_a_shard_that_is_behind_and_datagrams_do_not() {
        const TIMES: usize = 50;
        let (heard, metrics) = (Rc::new(RefCell::new(Vec::new())), Metrics::new());
        let (seen, counted) = (Rc::clone(&heard), metrics.clone());
        System::new().block_on(async move {
            let shard = Shard(seen).start();
            let clock = Arc::new(crate::system::SystemClock::start());
            let router = Router::new(vec![shard.clone().recipient()], Vec::new(), clock, counted);
            let local = std::net::SocketAddr::from(([192, 0, 2, 1], 5060));
            // Started, so that its mailbox has the limit it sets itself.
            tokio::task::yield_now().await;
            for n in 0..TIMES {
                for _ in 0..4 {
                    router.received(Flow::udp(local, local), Bytes::from(request(n)));
                }
                let message = parse_datagram(request(n).as_bytes()).unwrap();
                router.received_message(Flow::tcp(local, local, 1), message).over().await;
            }
        });
        let heard = heard.borrow();
        let framed: Vec<&String> = heard.iter().filter(|what| *what != "datagram").collect();
        assert_eq!(framed, (0..TIMES).map(|n| n.to_string()).collect::<Vec<_>>().iter().collect::<Vec<_>>());
        assert!(heard.len() < 5 * TIMES, "a flood of datagrams is limited by the mailbox");
        let dropped = 5 * TIMES - heard.len();
        let told = metrics.render();
        assert!(told.contains(&format!("queue=\"sip\"}} {dropped}")), "{told}");
    }

    #[test]
    fn what_belongs_to_a_dialog_waits_for_a_shard_that_is_flooded_but_not_without_end() {
        const TIMES: usize = 50;
        let (heard, metrics) = (Rc::new(RefCell::new(Vec::new())), Metrics::new());
        let (seen, counted) = (Rc::clone(&heard), metrics.clone());
        System::new().block_on(async move {
            let shard = Shard(seen).start();
            let clock = Arc::new(crate::system::SystemClock::start());
            let router = Router::new(vec![shard.clone().recipient()], Vec::new(), clock, counted);
            let local = std::net::SocketAddr::from(([192, 0, 2, 1], 5060));
            let bye = |n: usize| request(n).replace("To: <sip:a>", "To: <sip:a>;tag=2").replace("OPTIONS", "BYE");
            tokio::task::yield_now().await;
            for n in 0..TIMES {
                for _ in 0..4 {
                    router.received(Flow::udp(local, local), Bytes::from(request(n)));
                }
                router.received(Flow::udp(local, local), Bytes::from(bye(n)));
            }
            while router.within.load(Ordering::Relaxed) > 0 {
                tokio::task::yield_now().await;
            }
            // Nothing is read meanwhile.
            for n in 0..WITHIN_MAX + 100 {
                router.received(Flow::udp(local, local), Bytes::from(bye(n)));
            }
            assert_eq!(router.within.load(Ordering::Relaxed), WITHIN_MAX);
        });
        let byes = heard.borrow().iter().filter(|what| *what == "bye").count();
        assert!(byes >= TIMES, "{byes}");
        let others = heard.borrow().iter().filter(|what| *what == "datagram").count();
        assert!(others < 4 * TIMES, "{others}");
        assert!(metrics.render().contains("queue=\"sip\""));
    }
}
