//! Callers who leave and keep their place: they are called back.
//!
//! A promise is kept before the caller is told of it, and struck off before his phone is rung: over any number of restarts he is called at
//! most once. Whoever is free is rung before that, as often as it takes.

use super::{Caller, Left, Outcome, Queue, QueueOutput, Rank, Stands};
use plugboard_model::{CallId, Dialled, PromisedCall, Time, UserId, WallTime};
use std::cmp::Reverse;
use std::time::Duration;

/// Who has left to be called back is forgotten after so long: the office has closed, and nobody wants a call in the night.
pub const CALL_BACK_WITHIN: Duration = Duration::from_hours(4);
/// Callers of one queue who are to be called back: more than fifty people could call within that time.
pub const CALL_BACKS_MAX: usize = 1_000;

/// Whom to call back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallBackTo {
    /// As whoever calls him dials it.
    pub number: Dialled,
    /// How long whoever is free is rung before.
    pub ring_for: Duration,
}

/// What becomes of a caller who wants to be called back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// [`QueueOutput::Keep`] is on its way, and [`Queue::kept`] decides.
    Keeps,
    /// He is already, with the place that he had then.
    Already,
    /// He is not: as many are as may be, or he does not wait.
    No,
}

/// What has become of a caller who asked to be called back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// He is called back.
    Promised,
    /// He waits on.
    Waits,
    /// He had hung up meanwhile, and has left.
    Left,
    /// He did not ask.
    Nothing,
}

impl Queue {
    /// A caller wants to leave, keep his place and be called back.
    pub fn call_back(&mut self, now: Time, wall: WallTime, call: &CallId, to: CallBackTo) -> Asked {
        let Some((rank, caller)) = self.ranks.get(call).and_then(|rank| Some((*rank, self.callers.get(rank)?))) else {
            return Asked::No;
        };
        if !matches!(caller.stands, Stands::Here) {
            return Asked::No;
        }
        let (queue, rang) = (caller.queue.clone(), caller.offered.clone());
        let of_queue = self.callers.values().filter(|one| one.queue == queue);
        let promised = of_queue.filter_map(|one| match &one.stands {
            Stands::Here => None,
            Stands::Asks { promise, .. } | Stands::Promised { promise, .. } => Some(promise),
        });
        let (mut count, mut already) = (0, false);
        for other in promised {
            count += 1;
            already |= other.to == to.number;
        }
        if already {
            self.go(now, call, Left::Elsewhere);
            return Asked::Already;
        }
        if count >= CALL_BACKS_MAX {
            return Asked::No;
        }
        let promise = PromisedCall {
            call: call.clone(),
            queue,
            caller: caller.number.clone(),
            to: to.number,
            ring_for_ms: u32::try_from(to.ring_for.as_millis()).unwrap_or(u32::MAX),
            wanted: caller.wanted.to_vec(),
            priority: rank.priority.0,
            since: before(wall, now.since(rank.since)),
            order: rank.order,
            until: after(wall, CALL_BACK_WITHIN),
        };
        self.outbox.push_back(QueueOutput::Keep(Box::new(promise.clone())));
        if let Some(caller) = self.callers.get_mut(&rank) {
            caller.stands = Stands::Asks { promise: Box::new(promise), gone: false };
            caller.offered = None;
        }
        if let Some(user) = rang {
            self.desk_is_back(now, &user, None);
        }
        Asked::Keeps
    }

    /// Whether a promise could be kept. If it could not, the caller waits on, unless he has hung up.
    pub fn kept(&mut self, now: Time, wall: WallTime, call: &CallId, kept: bool) -> Became {
        let Some(rank) = self.ranks.get(call).copied() else { return Became::Nothing };
        let Some(caller) = self.callers.get_mut(&rank) else { return Became::Nothing };
        let became = match std::mem::replace(&mut caller.stands, Stands::Here) {
            Stands::Asks { promise, .. } if kept => {
                let until = now + left(promise.until, wall);
                caller.stands = Stands::Promised { promise, until };
                self.tallies.entry(caller.queue.clone()).or_default().called_back += 1;
                let queue = caller.queue.clone();
                self.off_the_line(rank, &queue);
                self.expiries.insert((until, call.clone()));
                Became::Promised
            }
            Stands::Asks { gone: true, .. } => {
                self.go(now, call, Left::Abandoned);
                return Became::Left;
            }
            Stands::Asks { gone: false, .. } => Became::Waits,
            stands @ (Stands::Here | Stands::Promised { .. }) => {
                caller.stands = stands;
                return Became::Nothing;
            }
        };
        self.serve(now, rank);
        became
    }

    /// Whoever was there to call him has gone before he was rung: he is in his place again, and his promise on the disk.
    pub fn put_back(&mut self, now: Time, wall: WallTime, promise: PromisedCall) {
        if self.ranks.contains_key(&promise.call) {
            return;
        }
        if let Some(tally) = self.tallies.get_mut(&promise.queue) {
            tally.answered = tally.answered.saturating_sub(1);
        }
        self.outbox.push_back(QueueOutput::Keep(Box::new(promise.clone())));
        self.restore(now, wall, vec![promise]);
    }

    /// Takes back what was promised before a restart: everybody has the place that he had. What is too old is struck off.
    pub fn restore(&mut self, now: Time, wall: WallTime, mut promises: Vec<PromisedCall>) {
        promises.sort_by_key(|kept| (kept.since, kept.order));
        for promise in promises {
            if promise.until <= wall {
                self.outbox.push_back(QueueOutput::Strike(promise.call));
                continue;
            }
            if self.ranks.contains_key(&promise.call) {
                continue;
            }
            let waited = left(wall, promise.since);
            let since = Time(now.0.saturating_sub(u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX)));
            let rank = Rank { priority: Reverse(promise.priority), since, order: self.order };
            let (call, queue, number) = (promise.call.clone(), promise.queue.clone(), promise.caller.clone());
            let wanted = self.share(&queue, promise.wanted.clone());
            let until = now + left(promise.until, wall);
            self.expiries.insert((until, call.clone()));
            self.tallies.entry(queue.clone()).or_default();
            let stands = Stands::Promised { promise: Box::new(promise), until };
            self.put_in(rank, Caller { call, number, queue, wanted, offered: None, stands, ahead: 0 });
            self.serve(now, rank);
        }
    }

    /// Whoever was rung for a caller who is called back is there: from now on nobody else is rung for him. Whether he is still to be
    /// called; then the promise is to be struck off before it is done.
    pub fn called(&mut self, now: Time, call: &CallId, user: &UserId) -> bool {
        let caller = self.ranks.get(call).and_then(|rank| self.callers.get(rank));
        let is_his = caller.is_some_and(|one| one.promise().is_some() && one.offered.as_ref() == Some(user));
        if is_his {
            self.rang(now, call, user, Outcome::Answered);
        }
        is_his
    }

    /// What was promised to a caller.
    pub fn promise(&self, call: &CallId) -> Option<&PromisedCall> {
        self.callers.get(self.ranks.get(call)?)?.promise()
    }

    /// Callers who are to be called back.
    pub fn promised(&self) -> usize {
        self.callers.len() - self.waiting()
    }

    /// Nobody is called back from now on: the switch is about to end, and keeps the promises for its next start.
    pub const fn drain(&mut self) {
        self.drains = true;
    }

    /// Forgets those whom nobody has called back in time. One for whom somebody rings just now is left to it.
    pub(super) fn forget_late(&mut self, now: Time) {
        while let Some((until, call)) = self.expiries.first().cloned().filter(|(until, _)| *until <= now) {
            self.expiries.remove(&(until, call.clone()));
            self.forget_if_late(now, &call);
        }
    }

    /// Whether he is forgotten.
    pub(super) fn forget_if_late(&mut self, now: Time, call: &CallId) -> bool {
        let Some(caller) = self.caller_mut(call) else { return false };
        let late = match &caller.stands {
            Stands::Promised { until, .. } => *until <= now && caller.offered.is_none(),
            Stands::Here | Stands::Asks { .. } => false,
        };
        if late && let Some(caller) = self.take_out(call) {
            self.tallies.entry(caller.queue).or_default().left += 1;
            self.outbox.push_back(QueueOutput::Strike(call.clone()));
        }
        late
    }
}

/// From one time of day to a later one; nothing if it is not later.
fn left(until: WallTime, wall: WallTime) -> Duration {
    Duration::from_millis(u64::try_from(until.0.saturating_sub(wall.0)).unwrap_or(0))
}

fn after(wall: WallTime, span: Duration) -> WallTime {
    WallTime(wall.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
}

fn before(wall: WallTime, span: Duration) -> WallTime {
    WallTime(wall.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
}
