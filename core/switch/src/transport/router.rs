//! Gives each message to the shard of its call.

use actix::Recipient;
use bytes::Bytes;
use plugboard_metrics::{MessageDropped, Metrics, Queue};
use plugboard_model::Time;
use plugboard_sip::flow::Flow;
use plugboard_sip::{Message, PeekKind, peek};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::env::Clock;
use crate::message::{ConnectionClosed, Received, Wire};
use crate::shard::{shard_of_branch, shard_of_call_id};

/// Knows every shard's `SipActor`.
#[derive(Clone)]
pub struct Router {
    shards: Vec<Recipient<Received>>,
    closed: Vec<Recipient<ConnectionClosed>>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Router {
    pub(crate) fn new(
        shards: Vec<Recipient<Received>>,
        closed: Vec<Recipient<ConnectionClosed>>,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        Self { shards, closed, clock, metrics }
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
        self.hand_over(shard, Received { flow, wire: Wire::Datagram(bytes), came });
    }

    /// Hands a message over that was cut out of a stream just now.
    pub fn received_message(&self, flow: Flow, message: Message) {
        let shard = self.shard_of(|| {
            let headers = message.headers();
            let branch = headers.top_via().ok()?.branch().unwrap_or_default().as_bytes();
            let kind = match &message {
                Message::Request(_) => PeekKind::Request,
                Message::Response(response) => PeekKind::Response(response.status),
            };
            Some((kind, branch, headers.call_id().ok()?.as_bytes()))
        });
        self.hand_over(shard, Received { flow, wire: Wire::Framed(Box::new(message)), came: self.now() });
    }

    /// What comes faster than its shard reads is dropped and counted: its sender repeats it.
    fn hand_over(&self, shard: usize, received: Received) {
        if let Some(to) = self.shards.get(shard)
            && to.try_send(received).is_err()
        {
            MessageDropped { queue: Queue::Sip }.emit(&self.metrics);
        }
    }

    /// Tells every shard that a connection is gone.
    pub fn closed(&self, flow: Flow) {
        for shard in &self.closed {
            crate::post::post(shard, ConnectionClosed(flow));
        }
    }

    /// A response goes where its branch says, a request where its Call-ID says: ours by the shard in it, a stranger's
    /// by its hash, so that all of a call meets in one place.
    fn shard_of<'a>(&self, keys: impl FnOnce() -> Option<(PeekKind, &'a [u8], &'a [u8])>) -> usize {
        let count = self.shards.len();
        if count <= 1 {
            return 0;
        }
        let Some((kind, branch, call_id)) = keys() else { return 0 };
        let ours = match kind {
            PeekKind::Response(_) => shard_of_branch(branch),
            PeekKind::Request => shard_of_call_id(call_id),
        };
        ours.filter(|shard| *shard < count).unwrap_or_else(|| {
            let mut hasher = DefaultHasher::new();
            call_id.hash(&mut hasher);
            usize::try_from(hasher.finish() % u64::try_from(count).unwrap_or(1)).unwrap_or(0)
        })
    }
}
