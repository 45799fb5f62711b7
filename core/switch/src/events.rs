//! The way back from media and plugin threads to the calls.

use actix::Recipient;
use plugboard_media::{Event as MediaEvent, EventSink};
use plugboard_metrics::{MessageDropped, Metrics, Queue};
use plugboard_model::CallId;
use plugboard_plugin::{RunEvent, Sink as RunSink};
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::message::{MediaHappened, RunHappened};
use crate::post::press;

/// Where one shard hears of media and of runs.
pub(crate) type Ears = (Recipient<MediaHappened>, Recipient<RunHappened>);

/// Sinks for threads that are started before the actors they report to.
///
/// What comes before [`crate::Switch::start`] is dropped; nothing can, since nothing runs for a call yet.
#[derive(Clone)]
pub struct Events {
    shards: Arc<OnceLock<Vec<Ears>>>,
    /// Where runs of no call are heard of.
    integrations: Arc<OnceLock<Recipient<RunHappened>>>,
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
        Self { shards: Arc::default(), integrations: Arc::default(), metrics }
    }

    /// For the media plane. An event of media shard n belongs to a call of a signalling shard that uses it.
    pub fn media_sink(&self) -> EventSink {
        let events = self.clone();
        Arc::new(move |event| events.media(event))
    }

    /// For the plugin threads.
    pub fn run_sink(&self) -> RunSink {
        let shards = self.clone();
        Arc::new(move |events| shards.run(events))
    }

    pub(crate) fn connect(&self, shards: Vec<Ears>, integrations: Recipient<RunHappened>) {
        // A second switch on the same sinks would hear the first one's calls.
        if self.shards.set(shards).is_err() || self.integrations.set(integrations).is_err() {
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
            Some((_, (recipient, _))) if shards.len() == 1 => !tell(recipient, event),
            first => first.into_iter().chain(users).any(|(_, (recipient, _))| !tell(recipient, event.clone())),
        };
        if lost {
            MessageDropped { queue: Queue::Media }.emit(&self.metrics);
        }
    }

    fn run(&self, events: Vec<RunEvent>) {
        let (Some(shards), Some(first)) = (self.shards.get(), events.first()) else { return };
        let call = first.key().call.clone();
        if first.key().integration().is_some() {
            if let Some(integrations) = self.integrations.get() {
                press(integrations, RunHappened { call, events });
            }
            return;
        }
        let shard = shard_of_call(&call).min(shards.len().saturating_sub(1));
        if let Some((_, recipient)) = shards.get(shard) {
            press(recipient, RunHappened { call, events });
        }
    }
}

/// Hands an event over; `false`: it is lost.
///
/// A call waits for what answers a command, so that this arrives whatever waits already. What the far end causes, as
/// often as it likes, does not.
fn tell(recipient: &Recipient<MediaHappened>, event: MediaEvent) -> bool {
    match event {
        MediaEvent::PlayEnded { .. }
        | MediaEvent::FaxOver { .. }
        // A tone of half a second, each three of them.
        | MediaEvent::FaxHeard { .. }
        | MediaEvent::Stats { .. }
        | MediaEvent::Closed { .. }
        | MediaEvent::Failed { .. }
        // ICE finds a browser gone, or there again, after many seconds.
        | MediaEvent::BrowserGone { .. }
        | MediaEvent::BrowserBack { .. }
        // Told once a handshake; a call that should be encrypted and is not has to know.
        | MediaEvent::Secured { .. }
        | MediaEvent::NotSecured { .. }
        // Told once a minute at the most.
        | MediaEvent::MediaSilent { .. }
        | MediaEvent::MediaBack { .. } => {
            press(recipient, MediaHappened(event));
            true
        }
        MediaEvent::Digit { .. }
        | MediaEvent::KeyToSignal { .. }
        | MediaEvent::SourceLearned { .. }
        | MediaEvent::Traffic(_) => recipient.try_send(MediaHappened(event)).is_ok(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use actix::{Actor, Context, Handler, System};
    use plugboard_media::{MediaLeg, PlayEnd, PlayId};
    use plugboard_model::{OfficeId, RunEnd, RunId};
    use plugboard_plugin::{RunKey, RunUsage};
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    /// What reached the calls.
    #[derive(Default)]
    struct Heard {
        runs: usize,
        ends_of_plays: usize,
        browsers_gone: usize,
        digits: usize,
    }

    /// The calls, with a mailbox for a single message.
    struct Calls(Rc<RefCell<Heard>>);

    impl Actor for Calls {
        type Context = Context<Self>;
        fn started(&mut self, ctx: &mut Self::Context) {
            ctx.set_mailbox_capacity(1);
        }
    }

    impl Handler<MediaHappened> for Calls {
        type Result = ();
        fn handle(&mut self, happened: MediaHappened, _: &mut Self::Context) {
            let mut heard = self.0.borrow_mut();
            heard.ends_of_plays += usize::from(matches!(happened.0, MediaEvent::PlayEnded { .. }));
            heard.browsers_gone += usize::from(matches!(happened.0, MediaEvent::BrowserGone { .. }));
            heard.digits += usize::from(matches!(happened.0, MediaEvent::Digit { .. }));
        }
    }

    impl Handler<RunHappened> for Calls {
        type Result = ();
        fn handle(&mut self, happened: RunHappened, _: &mut Self::Context) {
            self.0.borrow_mut().runs += happened.events.len();
        }
    }

    #[test]
    fn what_a_call_waits_for_arrives_however_full_its_mailbox_is_and_keys_do_not() {
        const TIMES: usize = 50;
        let heard = Rc::new(RefCell::new(Heard::default()));
        let seen = Rc::clone(&heard);
        System::new().block_on(async move {
            let calls = Calls(seen).start();
            let events = Events::new(Metrics::new());
            // Started, so that its mailbox has the limit it sets itself.
            calls.send(RunHappened { call: call(), events: Vec::new() }).await.unwrap();
            let ears = (calls.clone().recipient(), calls.clone().recipient());
            events.connect(vec![ears], calls.clone().recipient());
            let (runs, media) = (events.run_sink(), events.media_sink());
            let leg = MediaLeg::new(0, 1, 1);
            for _ in 0..TIMES {
                let key = RunKey { call: call(), run: RunId(0) };
                runs(vec![RunEvent::Ended { key, end: RunEnd::Outcome("done".into()), usage: RunUsage::default() }]);
                media(MediaEvent::PlayEnded { leg, id: PlayId(0), end: PlayEnd::Finished });
                media(MediaEvent::BrowserGone { leg });
                media(MediaEvent::Digit { leg, digit: '1', duration: Duration::from_millis(80) });
            }
            calls.send(RunHappened { call: call(), events: Vec::new() }).await.unwrap();
        });
        let heard = heard.borrow();
        assert_eq!((heard.runs, heard.ends_of_plays, heard.browsers_gone), (TIMES, TIMES, TIMES));
        assert!(heard.digits < TIMES, "a flood of keys is limited by the mailbox");
    }

    fn call() -> CallId {
        CallId { office: OfficeId::new("office").unwrap(), ulid: 0 }
    }
}
