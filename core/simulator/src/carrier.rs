//! Mail servers and providers in a story: what becomes of each notice, on the story's own time.

use plugboard_model::{Notice, NoticeEnd, Time};
use plugboard_switch::{Carriage, CarriageReply, Carrier};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::SimClock;
use crate::later::{Answers, Later};

/// Whoever carries notices on.
#[derive(Clone)]
pub(crate) struct SimCarrier(Later<Notice, NoticeEnd>);

impl SimCarrier {
    pub(crate) fn new(both: (Arc<SimClock>, Arc<Notify>)) -> Self {
        Self(Later::new(both, Box::new(|_| (Duration::from_millis(50), NoticeEnd::Sent("250 ok".into())))))
    }

    pub(crate) fn carrier_is(&self, fate: Answers<Notice, NoticeEnd>) {
        self.0.answers_are(fate);
    }

    pub(crate) fn carried(&self) -> Vec<(Time, Notice)> {
        self.0.asked()
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.0.next()
    }

    pub(crate) fn answer(&self, now: Time) {
        self.0.answer(now);
    }
}

impl Carrier for SimCarrier {
    fn carry(&self, Carriage { notice, .. }: Carriage, reply: CarriageReply) {
        self.0.ask(notice, reply);
    }
}
