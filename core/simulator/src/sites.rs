//! Services of the web in a story: what each request gets, on the story's own time.

use plugboard_model::{HttpError, HttpRequest, HttpResponse, Time};
use plugboard_switch::{Clock, Web, WebReply, WebRequest};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::SimClock;

/// What a service answers, and after how long.
pub(crate) type Site = Box<dyn FnMut(&HttpRequest) -> (Duration, Result<HttpResponse, HttpError>) + Send>;

/// Services that answer later.
#[derive(Clone)]
pub(crate) struct Sites {
    inside: Arc<Mutex<Inside>>,
    clock: Arc<SimClock>,
    wake: Arc<Notify>,
}

struct Inside {
    site: Site,
    asked: Vec<WebRequest>,
    open: BTreeMap<(Time, u64), (Result<HttpResponse, HttpError>, WebReply)>,
    next: u64,
}

impl Sites {
    pub(crate) fn new((clock, wake): (Arc<SimClock>, Arc<Notify>)) -> Self {
        let nobody = |_: &HttpRequest| (Duration::ZERO, Err(HttpError::Unreachable("nobody is there".into())));
        let inside = Inside { site: Box::new(nobody), asked: Vec::new(), open: BTreeMap::new(), next: 0 };
        Self { inside: Arc::new(Mutex::new(inside)), clock, wake }
    }

    pub(crate) fn site_is(&self, site: Site) {
        self.lock().site = site;
    }

    pub(crate) fn asked(&self) -> Vec<WebRequest> {
        self.lock().asked.clone()
    }

    /// When the next answer is due.
    pub(crate) fn next(&self) -> Option<Time> {
        self.lock().open.first_key_value().map(|((at, _), _)| *at)
    }

    /// Gives the answers that are due.
    pub(crate) fn answer(&self, now: Time) {
        loop {
            let mut inside = self.lock();
            let Some(first) = inside.open.first_entry().filter(|first| first.key().0 <= now) else { return };
            let (answer, reply) = first.remove();
            drop(inside);
            reply(answer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Web for Sites {
    fn ask(&self, asked: WebRequest, reply: WebReply) {
        let mut inside = self.lock();
        let (takes, answer) = (inside.site)(&asked.request);
        let timeout = asked.source.timeout;
        // As the source is asked in earnest: its time is over before a late answer.
        let (takes, answer) = if takes > timeout { (timeout, Err(HttpError::TimeOver)) } else { (takes, answer) };
        inside.asked.push(asked);
        let key = (self.clock.now() + takes, inside.next);
        inside.next += 1;
        inside.open.insert(key, (answer, reply));
        drop(inside);
        self.wake.notify_one();
    }
}
