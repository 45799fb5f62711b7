//! What a user lets others know, and who is told.

use actix::Recipient;
use plugboard_model::{CallId, LegId, Time, UserId};
use plugboard_office::UserSettings;
use plugboard_sip::event::Publications;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::message::{LegLamp, UseLamp, UserCall, UserShows, UserView};
use crate::post::post;

/// His lamps, what his devices say of him, and the shards that watch him: at most as many as there are.
#[derive(Default)]
pub(super) struct Showing {
    lamps: BTreeMap<(CallId, LegId), LegLamp>,
    pub(super) publications: Publications,
    watchers: BTreeMap<usize, Recipient<UserShows>>,
    /// What they were told last.
    told: Option<Arc<UserView>>,
    version: u64,
}

impl Showing {
    /// A leg of a call that he has is at something else.
    pub(super) fn lamp(&mut self, change: UseLamp) {
        let place = (change.call, change.leg);
        match change.lamp {
            Some(lamp) => drop(self.lamps.insert(place, lamp)),
            None => drop(self.lamps.remove(&place)),
        }
    }

    /// A call is over for him.
    pub(super) fn over(&mut self, call: &CallId) {
        self.lamps.retain(|(of, _), _| of != call);
    }

    /// A shard watches him from now on, or no more. It is told at the next [`Showing::tell`].
    pub(super) fn watch(&mut self, shard: usize, news: Option<Recipient<UserShows>>) {
        match news {
            Some(news) => drop(self.watchers.insert(shard, news)),
            None => drop(self.watchers.remove(&shard)),
        }
        self.repeat();
    }

    /// Whoever watches is told at the next [`Showing::tell`] though nothing changed.
    pub(super) fn repeat(&mut self) {
        self.told = None;
    }

    /// Tells who watches him how he is, if that is new to them.
    pub(super) fn tell(&mut self, now: Time, user: &UserId, settings: &UserSettings, reachable: bool) {
        if self.watchers.is_empty() {
            return;
        }
        let (calls, published) = (self.calls(), self.publications.live(now).cloned().collect());
        let settings = settings.clone();
        let mut view = UserView { version: self.version, settings, reachable, calls, published };
        if self.told.as_deref() == Some(&view) {
            return;
        }
        self.version += 1;
        view.version = self.version;
        let view = Arc::new(view);
        for news in self.watchers.values() {
            post(news, UserShows { user: user.clone(), view: Arc::clone(&view) });
        }
        self.told = Some(view);
    }

    /// Each call once: of several devices that it rings, the one that is furthest.
    fn calls(&self) -> Vec<UserCall> {
        let mut calls: Vec<UserCall> = Vec::new();
        for ((call, _), lamp) in &self.lamps {
            match calls.last_mut().filter(|last| last.call == *call) {
                Some(last) if last.lamp.state < lamp.state => last.lamp = lamp.clone(),
                Some(_) => {}
                None => calls.push(UserCall { call: call.clone(), lamp: lamp.clone() }),
            }
        }
        calls
    }
}
