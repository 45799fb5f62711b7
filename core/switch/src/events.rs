//! The way back from media and plugin threads to the calls.

use actix::Recipient;
use plugboard_media::{Event as MediaEvent, EventSink};
use plugboard_metrics::{MessageDropped, Metrics, Queue};
use plugboard_model::CallId;
use plugboard_plugin::RunEvent;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::message::{MediaHappened, RunHappened};

/// Where one shard hears of media and of runs.
pub(crate) type Ears = (Recipient<MediaHappened>, Recipient<RunHappened>);

/// Sinks for threads that are started before the actors they report to.
///
/// What comes before [`crate::Switch::start`] is dropped; nothing can, since nothing runs for a call yet.
#[derive(Clone)]
pub struct Events {
    shards: Arc<OnceLock<Vec<Ears>>>,
    metrics: Metrics,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    /// For one switch.
    pub fn new(metrics: Metrics) -> Self {
        Self { shards: Arc::default(), metrics }
    }

    /// For the media plane. An event of media shard n belongs to a call of a signalling shard that uses it.
    pub fn media_sink(&self) -> EventSink {
        let events = self.clone();
        Arc::new(move |event| events.media(event))
    }

    /// For the plugin threads.
    pub fn run_sink(&self) -> Arc<dyn Fn(RunEvent) + Send + Sync> {
        let events = self.clone();
        Arc::new(move |event| events.run(event))
    }

    pub(crate) fn connect(&self, shards: Vec<Ears>) {
        // A second switch on the same sinks would hear the first one's calls.
        if self.shards.set(shards).is_err() {
            tracing::error!("the event sinks already belong to a switch");
        }
    }

    fn media(&self, event: MediaEvent) {
        if let MediaEvent::Traffic(traffic) = event {
            return crate::convert::count_traffic(&traffic, &self.metrics);
        }
        let (Some(shards), Some(leg)) = (self.shards.get(), crate::convert::media_leg(&event)) else { return };
        let media_shard = usize::from(leg.shard());
        // Signalling shards share media shards round robin; only the owner of the leg knows it.
        let mut users =
            shards.iter().enumerate().filter(|(shard, _)| media_shard_of(*shard, shards.len()) == media_shard);
        let lost = match users.next() {
            Some((_, (recipient, _))) if shards.len() == 1 => recipient.try_send(MediaHappened(event)).is_err(),
            first => first
                .into_iter()
                .chain(users)
                .any(|(_, (recipient, _))| recipient.try_send(MediaHappened(event.clone())).is_err()),
        };
        if lost {
            MessageDropped { queue: Queue::Media }.emit(&self.metrics);
        }
    }

    fn run(&self, event: RunEvent) {
        let Some(shards) = self.shards.get() else { return };
        let shard = shard_of_call(&event.key().call).min(shards.len().saturating_sub(1));
        if let Some((_, recipient)) = shards.get(shard)
            && recipient.try_send(RunHappened(event)).is_err()
        {
            MessageDropped { queue: Queue::Plugin }.emit(&self.metrics);
        }
    }
}

/// There are as many media shards as signalling shards, or one.
const fn media_shard_of(shard: usize, _shards: usize) -> usize {
    shard
}

/// The shard of a call: the low bits of its id, set when it was made.
pub(crate) fn shard_of_call(call: &CallId) -> usize {
    usize::try_from(call.ulid & u128::from(u8::MAX)).unwrap_or(0)
}

/// The random part of a new call's id, with its shard in the low bits.
pub(crate) fn random_with_shard(random: u128, shard: usize) -> u128 {
    (random & !u128::from(u8::MAX)) | u128::from(u8::try_from(shard).unwrap_or(0))
}
