//! Gives each message to the shard of its call.

use actix::Recipient;
use bytes::Bytes;
use plugboard_metrics::{MessageDropped, Metrics, Queue};
use plugboard_model::Time;
use plugboard_sip::flow::Flow;
use plugboard_sip::{PeekKind, peek};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::env::Clock;
use crate::message::{ConnectionClosed, Received};
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

    /// Hands a message over that came just now.
    pub fn received(&self, flow: Flow, bytes: Bytes) {
        self.received_at(flow, bytes, self.now());
    }

    /// Hands a message over that came then. What comes faster than its shard reads is dropped and counted: its sender
    /// repeats it.
    pub fn received_at(&self, flow: Flow, bytes: Bytes, came: Time) {
        let shard = self.shard_of(&bytes);
        if let Some(to) = self.shards.get(shard)
            && to.try_send(Received { flow, bytes, came }).is_err()
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
    fn shard_of(&self, bytes: &[u8]) -> usize {
        let count = self.shards.len();
        if count <= 1 {
            return 0;
        }
        let Some(peek) = peek(bytes) else { return 0 };
        let ours = match peek.kind {
            PeekKind::Response(_) => shard_of_branch(peek.branch),
            PeekKind::Request => shard_of_call_id(peek.call_id),
        };
        ours.filter(|shard| *shard < count).unwrap_or_else(|| {
            let mut hasher = DefaultHasher::new();
            peek.call_id.hash(&mut hasher);
            usize::try_from(hasher.finish() % u64::try_from(count).unwrap_or(1)).unwrap_or(0)
        })
    }
}
