//! Services of the web in a story: what each request gets, on the story's own time.

mod bitrix24;

pub use bitrix24::{Bitrix24, PortalCall};

use plugboard_model::{HttpError, HttpRequest, HttpResponse, Time};
use plugboard_switch::{Web, WebReply, WebRequest};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::SimClock;
use crate::later::{Later, within};

/// What a service answers, and after how long.
pub(crate) type Site = Box<dyn FnMut(&HttpRequest) -> (Duration, Result<HttpResponse, HttpError>) + Send>;

/// Services that answer later.
#[derive(Clone)]
pub(crate) struct Sites(Later<WebRequest, Result<HttpResponse, HttpError>>);

impl Sites {
    pub(crate) fn new(both: (Arc<SimClock>, Arc<Notify>)) -> Self {
        let nobody = || Err(HttpError::Unreachable("nobody is there".into()));
        Self(Later::new(both, Box::new(move |_| (Duration::ZERO, nobody()))))
    }

    pub(crate) fn site_is(&self, mut site: Site) {
        let answers =
            move |asked: &WebRequest| within(asked.source.timeout, site(&asked.request), || Err(HttpError::TimeOver));
        self.0.answers_are(Box::new(answers));
    }

    pub(crate) fn asked(&self) -> Vec<WebRequest> {
        self.0.asked().into_iter().map(|(_, asked)| asked).collect()
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.0.next()
    }

    pub(crate) fn answer(&self, now: Time) {
        self.0.answer(now);
    }
}

impl Web for Sites {
    fn ask(&self, asked: WebRequest, reply: WebReply) {
        self.0.ask(asked, reply);
    }
}
