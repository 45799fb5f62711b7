//! Who waits for whom: all callers of all queues, and everybody who may become free, in one machine.
//!
//! A caller waits for the users whom his scenario named, whoever of them is free first. Of the callers who wait for somebody he gets
//! the one of the highest priority who has waited longest, whatever queue that one is in. The machine only says who shall ring whom:
//! whether a user can be had is decided by himself when he is asked ([`Outcome::Refused`]), so that what is known here may be late.

mod pace;
mod promise;
mod waiting;
mod words;

pub use plugboard_model::Wanted;
pub use promise::{Asked, Became, CALL_BACK_WITHIN, CALL_BACKS_MAX, CallBackTo};
pub use waiting::{Heard, WaitEnd, WaitRules, Waiting, Wish};
pub use words::position;

use pace::Pace;

use plugboard_model::{CallId, Name, OfficeId, PromisedCall, QueueRules, ScenarioId, Time, UserId, WallTime};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Callers that wait at once, in all queues: as many as a large switch has calls.
pub const CALLERS_MAX: usize = 10_000;
/// Who was asked and could not be had is left alone for so long, unless he tells anew how he is: what is known of him was out of date.
const REFUSED_REST: Duration = Duration::from_secs(2);
/// Who rang and did not answer, or declined, is left alone for so long: he is not at his desk, or in the middle of something.
const MISSED_REST: Duration = Duration::from_secs(10);

/// A caller who is to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    /// Who.
    pub call: CallId,
    /// His number, for people.
    pub caller: String,
    /// In which queue.
    pub queue: ScenarioId,
    /// For whom; each once.
    pub wanted: Vec<Wanted>,
    /// Who has more goes first.
    pub priority: u8,
    /// With him at most so many wait in the queue.
    pub callers_max: usize,
}

/// How a user is, as he tells it himself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserTells {
    /// Who.
    pub user: UserId,
    /// Since when a scenario could have him: available, reachable, in no call; `None`: it could not.
    pub free: Option<Time>,
    /// Groups that he is logged out of.
    pub out_of: BTreeSet<Name>,
    /// He is no user any more.
    pub gone: bool,
}

/// What came of ringing somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// He talks to the caller, who waits no more.
    Answered,
    /// He could not be had: not a phone of his rang.
    Refused,
    /// He rang, and declined or did not answer.
    Missed,
    /// The call that was to ring him went wrong: nobody knows whether he rang.
    Failed,
}

/// Why a caller waits no more, though nobody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// He hung up.
    Abandoned,
    /// His time is over, or his scenario does something else.
    Elsewhere,
    /// He pressed the key with which he leaves.
    Exited,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueOutput {
    /// This call rings this user; what comes of it is told by [`Queue::rang`].
    Offer {
        /// Which.
        call: CallId,
        /// Whom.
        user: UserId,
    },
    /// The caller has left, and this user is free: ring the user, and once [`Queue::called`] has said so, the caller.
    CallBack {
        /// The call with which he came.
        call: CallId,
        /// Whom.
        user: UserId,
    },
    /// He does not answer: he is to be away.
    Away(UserId),
    /// Keep this promise; answered by [`Queue::kept`].
    Keep(Box<PromisedCall>),
    /// Nobody is called back by this promise any more: strike it off.
    Strike(CallId),
}

/// A queue as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueShown {
    /// Whose.
    pub queue: ScenarioId,
    /// Those who wait, in the order in which they are served; those for whom somebody rings stand in their place.
    pub callers: Vec<CallerShown>,
    /// For whom they wait.
    pub users: Vec<UserShown>,
    /// What came of it since the start.
    pub tally: Tally,
}

/// A caller who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerShown {
    /// Which call.
    pub call: CallId,
    /// His number.
    pub caller: String,
    /// His place in this queue. He is told his place among all who wait for any of the same users.
    pub position: usize,
    /// Since when.
    pub since: Time,
    /// As he was given.
    pub priority: u8,
    /// Who rings for him.
    pub rings: Option<UserId>,
    /// He has left and is called back.
    pub promise: Option<PromiseShown>,
}

/// What was promised to a caller who has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseShown {
    /// Since when he has his place, also over a restart.
    pub since: WallTime,
    /// Nobody calls him later than this.
    pub until: WallTime,
}

/// Somebody for whom callers wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserShown {
    /// Who.
    pub user: UserId,
    /// Since when he is free, if he is.
    pub free: Option<Time>,
    /// He rings for this call.
    pub rings_for: Option<CallId>,
    /// He is left alone until then.
    pub rests_until: Option<Time>,
}

/// What came of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Callers who came to wait.
    pub joined: u64,
    /// Times that somebody was rung for one.
    pub offered: u64,
    /// Callers who talk, or have talked.
    pub answered: u64,
    /// Callers who hung up.
    pub abandoned: u64,
    /// Callers whose time was over, or who pressed the key with which they leave.
    pub left: u64,
    /// Callers who left to be called back.
    pub called_back: u64,
    /// Of those on the line who were answered, how many within the office's `service_level`.
    pub within: u64,
    /// How many of those there were.
    pub timed: u64,
    /// How long they waited, all together.
    pub waited: Duration,
    /// How long the one did who waited longest.
    pub longest: Duration,
}

/// The order in which callers are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    priority: Reverse<u8>,
    since: Time,
    order: u64,
}

#[derive(Debug)]
struct Caller {
    call: CallId,
    number: String,
    queue: ScenarioId,
    /// Sorted by user. Callers of one queue share it, so that thousands who wait for the same fifty cost one list.
    wanted: Arc<[Wanted]>,
    offered: Option<UserId>,
    stands: Stands,
    /// How many were in the queue when he came.
    ahead: usize,
}

/// How somebody has his place.
#[derive(Debug)]
enum Stands {
    /// On the line.
    Here,
    /// On the line still, and wants to be called back: nobody rings for him until the promise is kept.
    Asks {
        promise: Box<PromisedCall>,
        /// He has hung up meanwhile, as one does who has pressed the key.
        gone: bool,
    },
    /// He has left, and is called back.
    Promised { promise: Box<PromisedCall>, until: Time },
}

#[derive(Debug, Default)]
struct Desk {
    free: Option<Time>,
    out_of: BTreeSet<Name>,
    offered: Option<CallId>,
    rests_until: Option<Time>,
    /// For how many callers in a row he rang in vain.
    missed: u32,
}

/// Everybody who waits. See the module's page.
#[derive(Debug, Default)]
pub struct Queue {
    callers: BTreeMap<Rank, Caller>,
    ranks: BTreeMap<CallId, Rank>,
    sizes: BTreeMap<ScenarioId, usize>,
    desks: BTreeMap<UserId, Desk>,
    /// By how many callers somebody is wanted: nobody has to be looked for when one becomes free for whom none waits.
    interest: BTreeMap<UserId, usize>,
    rests: BTreeSet<(Time, UserId)>,
    /// Those on the line, by their queues, the oldest first. Queues in which nobody waits are not there.
    here: BTreeMap<ScenarioId, BTreeSet<(Time, u64)>>,
    /// Queues whose line has changed.
    changed: BTreeSet<ScenarioId>,
    /// When those are forgotten who are to be called back.
    expiries: BTreeSet<(Time, CallId)>,
    /// Nobody is called back any more.
    drains: bool,
    tallies: BTreeMap<ScenarioId, Tally>,
    paces: BTreeMap<ScenarioId, Pace>,
    rules: BTreeMap<OfficeId, QueueRules>,
    order: u64,
    outbox: VecDeque<QueueOutput>,
}

impl Desk {
    fn may_ring(&self, now: Time) -> bool {
        self.free.is_some() && self.offered.is_none() && self.rests_until.is_none_or(|until| until <= now)
    }

    /// Whether he is wanted in a way that he has not logged out of.
    fn serves(&self, wanted: &Wanted) -> bool {
        wanted.groups.is_empty() || wanted.groups.iter().any(|group| !self.out_of.contains(group))
    }
}

impl Caller {
    fn wants(&self, user: &UserId) -> Option<&Wanted> {
        let place = self.wanted.binary_search_by(|wanted| wanted.user.cmp(user)).ok()?;
        self.wanted.get(place)
    }

    /// Whether somebody who is free may ring for him.
    fn may_be_served(&self, drains: bool) -> bool {
        self.offered.is_none()
            && match self.stands {
                Stands::Here => true,
                Stands::Asks { .. } => false,
                Stands::Promised { .. } => !drains,
            }
    }

    /// What was promised to him.
    fn promise(&self) -> Option<&PromisedCall> {
        if let Stands::Promised { promise, .. } = &self.stands { Some(promise) } else { None }
    }

    /// Whether both wait for somebody.
    fn competes(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.wanted, &other.wanted) || self.wanted.iter().any(|wanted| other.wants(&wanted.user).is_some())
    }
}

impl Queue {
    /// A caller waits from now on. Whether there was room for him.
    pub fn join(&mut self, now: Time, joining: Joining) -> bool {
        let Joining { call, caller, queue, mut wanted, priority, callers_max } = joining;
        let size = self.sizes.get(&queue).copied().unwrap_or_default();
        if self.callers.len() >= CALLERS_MAX || size >= callers_max || self.ranks.contains_key(&call) {
            return false;
        }
        wanted.sort();
        wanted.dedup_by(|one, other| one.user == other.user);
        let wanted = self.share(&queue, wanted);
        let rank = Rank { priority: Reverse(priority), since: now, order: self.order };
        self.tallies.entry(queue.clone()).or_default().joined += 1;
        self.here.entry(queue.clone()).or_default().insert((now, rank.order));
        self.changed.insert(queue.clone());
        self.put_in(
            rank,
            Caller { call, number: caller, queue, wanted, offered: None, stands: Stands::Here, ahead: size },
        );
        self.serve(now, rank);
        true
    }

    /// A caller waits no more: whether he has left. Not one who does not wait, nor one who is called back; of one who has just asked for it
    /// [`Queue::kept`] tells.
    pub fn leave(&mut self, now: Time, call: &CallId, why: Left) -> bool {
        match self.caller_mut(call).map(|caller| &mut caller.stands) {
            None | Some(Stands::Promised { .. }) => return false,
            Some(Stands::Asks { gone, .. }) => {
                *gone = true;
                return false;
            }
            Some(Stands::Here) => {}
        }
        self.go(now, call, why);
        true
    }

    fn go(&mut self, now: Time, call: &CallId, why: Left) {
        let Some(caller) = self.take_out(call) else { return };
        let tally = self.tallies.entry(caller.queue.clone()).or_default();
        match why {
            Left::Abandoned => tally.abandoned += 1,
            Left::Elsewhere | Left::Exited => tally.left += 1,
        }
        if let Some(user) = caller.offered {
            self.desk_is_back(now, &user, None);
        }
    }

    /// What came of [`QueueOutput::Offer`]. Late news, of one who has left meanwhile, change nothing.
    pub fn rang(&mut self, now: Time, call: &CallId, user: &UserId, outcome: Outcome) {
        let Some(rank) = self.ranks.get(call).copied() else { return };
        let Some(caller) = self.callers.get_mut(&rank).filter(|caller| caller.offered.as_ref() == Some(user)) else {
            return;
        };
        match outcome {
            Outcome::Answered => {
                let here = matches!(caller.stands, Stands::Here);
                if let Some(caller) = self.take_out(call) {
                    self.count(&caller, here.then(|| now.since(rank.since)));
                }
                // He talks now, and tells himself when he is free again.
                if let Some(desk) = self.desks.get_mut(user) {
                    (desk.free, desk.missed) = (None, 0);
                }
                self.desk_is_back(now, user, None);
            }
            Outcome::Refused | Outcome::Missed | Outcome::Failed => {
                caller.offered = None;
                let rest = if outcome == Outcome::Refused { REFUSED_REST } else { MISSED_REST };
                if outcome == Outcome::Missed {
                    self.has_missed(user);
                }
                self.desk_is_back(now, user, Some(now + rest));
                if !self.forget_if_late(now, call) {
                    self.serve(now, rank);
                }
            }
        }
    }

    /// A user tells how he is.
    pub fn user_tells(&mut self, now: Time, tells: UserTells) {
        let UserTells { user, free, out_of, gone } = tells;
        if gone {
            self.desks.remove(&user);
            self.rests.retain(|(_, resting)| *resting != user);
            return;
        }
        let desk = self.desks.entry(user.clone()).or_default();
        (desk.free, desk.out_of) = (free, out_of);
        self.serve_by(now, &user);
    }

    /// Takes care of whoever has rested, and forgets those whom nobody has called back.
    pub fn tick(&mut self, now: Time) {
        self.forget_late(now);
        while let Some((until, user)) = self.rests.first().cloned().filter(|(until, _)| *until <= now) {
            self.rests.remove(&(until, user.clone()));
            if let Some(desk) = self.desks.get_mut(&user).filter(|desk| desk.rests_until == Some(until)) {
                desk.rests_until = None;
            }
            self.serve_by(now, &user);
        }
    }

    /// When to call [`Queue::tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        let expiry = self.expiries.first().map(|(until, _)| *until);
        self.rests.first().map(|(until, _)| *until).into_iter().chain(expiry).min()
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<QueueOutput> {
        self.outbox.pop_front()
    }

    /// His place among those who wait for any of the same users: 1 is the next. `None`: he does not wait.
    pub fn position(&self, call: &CallId) -> Option<usize> {
        let rank = self.ranks.get(call)?;
        let caller = self.callers.get(rank)?;
        Some(1 + self.callers.range(..rank).filter(|(_, ahead)| ahead.competes(caller)).count())
    }

    /// The groups through which somebody is wanted by a caller; none when he was named himself, or is not wanted.
    pub fn wanted_through(&self, call: &CallId, user: &UserId) -> &[Name] {
        let caller = self.ranks.get(call).and_then(|rank| self.callers.get(rank));
        caller.and_then(|caller| caller.wants(user)).map_or(&[], |wanted| &wanted.groups)
    }

    /// Callers who wait on the line.
    pub fn waiting(&self) -> usize {
        self.here.values().map(BTreeSet::len).sum()
    }

    /// Since when the one has waited on the line who has waited longest.
    pub fn oldest(&self) -> Option<Time> {
        self.here.values().filter_map(|line| line.first()).map(|(since, _)| *since).min()
    }

    /// The next queue whose line has changed: how many wait on it, and since when the first of them.
    pub fn poll_line(&mut self) -> Option<(ScenarioId, usize, Option<Time>)> {
        let queue = self.changed.pop_first()?;
        let line = self.here.get(&queue);
        let oldest = line.and_then(BTreeSet::first).map(|(since, _)| *since);
        let callers = line.map_or(0, BTreeSet::len);
        Some((queue, callers, oldest))
    }

    /// In which queue somebody has his place.
    pub fn queue_of(&self, call: &CallId) -> Option<&ScenarioId> {
        Some(&self.callers.get(self.ranks.get(call)?)?.queue)
    }

    /// He is on the line no more.
    fn off_the_line(&mut self, rank: Rank, queue: &ScenarioId) {
        let Some(line) = self.here.get_mut(queue) else { return };
        if line.remove(&(rank.since, rank.order)) {
            self.changed.insert(queue.clone());
        }
        if line.is_empty() {
            self.here.remove(queue);
        }
    }

    /// What came of each queue.
    pub fn tallies(&self) -> impl Iterator<Item = (&ScenarioId, &Tally)> {
        self.tallies.iter()
    }

    /// The queues in which somebody waits or has waited.
    pub fn shown(&self) -> Vec<QueueShown> {
        let mut shown: BTreeMap<&ScenarioId, QueueShown> = BTreeMap::new();
        for (queue, tally) in &self.tallies {
            let (callers, users) = (Vec::new(), Vec::new());
            shown.insert(queue, QueueShown { queue: queue.clone(), callers, users, tally: *tally });
        }
        let mut wanted: BTreeMap<&ScenarioId, BTreeSet<&UserId>> = BTreeMap::new();
        for (rank, caller) in &self.callers {
            wanted.entry(&caller.queue).or_default().extend(caller.wanted.iter().map(|wanted| &wanted.user));
            let Some(queue) = shown.get_mut(&caller.queue) else { continue };
            queue.callers.push(CallerShown {
                call: caller.call.clone(),
                caller: caller.number.clone(),
                position: queue.callers.len() + 1,
                since: rank.since,
                priority: rank.priority.0,
                rings: caller.offered.clone(),
                promise: caller.promise().map(|kept| PromiseShown { since: kept.since, until: kept.until }),
            });
        }
        for (queue, users) in wanted {
            let Some(queue) = shown.get_mut(queue) else { continue };
            queue.users.extend(users.into_iter().map(|user| {
                let desk = self.desks.get(user);
                UserShown {
                    user: user.clone(),
                    free: desk.and_then(|desk| desk.free),
                    rings_for: desk.and_then(|desk| desk.offered.clone()),
                    rests_until: desk.and_then(|desk| desk.rests_until),
                }
            }));
        }
        shown.into_values().collect()
    }

    /// What the offices want of their queues, from now on.
    pub fn follow(&mut self, rules: BTreeMap<OfficeId, QueueRules>) {
        self.rules = rules;
    }

    fn rules(&self, office: &OfficeId) -> QueueRules {
        self.rules.get(office).copied().unwrap_or_default()
    }

    /// He rang in vain once more.
    fn has_missed(&mut self, user: &UserId) {
        let limit = self.rules(&user.office).away_after;
        let Some(desk) = self.desks.get_mut(user) else { return };
        desk.missed += 1;
        if limit > 0 && desk.missed >= limit {
            desk.missed = 0;
            // Until he tells that he is back; that he is away is on its way.
            desk.free = None;
            self.outbox.push_back(QueueOutput::Away(user.clone()));
        }
    }

    /// Somebody answered, after the caller waited on the line for so long.
    fn count(&mut self, caller: &Caller, waited: Option<Duration>) {
        let level = self.rules(&caller.queue.office).service_level;
        let tally = self.tallies.entry(caller.queue.clone()).or_default();
        tally.answered += 1;
        let Some(waited) = waited else { return };
        tally.timed += 1;
        tally.within += u64::from(waited <= level);
        tally.waited += waited;
        tally.longest = tally.longest.max(waited);
        self.paces.entry(caller.queue.clone()).or_default().note(caller.ahead, waited);
    }

    /// How long it is likely to take until somebody answers him at this place; `None`: nobody knows, or nobody is to be told.
    pub fn likely_wait(&self, call: &CallId, place: usize) -> Option<Duration> {
        let caller = self.callers.get(self.ranks.get(call)?)?;
        let pace = self.paces.get(&caller.queue).filter(|_| self.rules(&caller.queue.office).tell_wait)?;
        pace.wait(place)
    }

    fn caller_mut(&mut self, call: &CallId) -> Option<&mut Caller> {
        self.callers.get_mut(self.ranks.get(call)?)
    }

    /// Callers of one queue who wait for the same people share the list of them.
    fn share(&self, queue: &ScenarioId, wanted: Vec<Wanted>) -> Arc<[Wanted]> {
        let like = self.callers.values().find(|waiting| waiting.queue == *queue);
        match like.filter(|waiting| *waiting.wanted == *wanted) {
            Some(waiting) => Arc::clone(&waiting.wanted),
            None => wanted.into(),
        }
    }

    fn put_in(&mut self, rank: Rank, caller: Caller) {
        self.order = self.order.max(rank.order) + 1;
        *self.sizes.entry(caller.queue.clone()).or_default() += 1;
        for one in caller.wanted.iter() {
            *self.interest.entry(one.user.clone()).or_default() += 1;
        }
        self.ranks.insert(caller.call.clone(), rank);
        self.callers.insert(rank, caller);
    }

    fn take_out(&mut self, call: &CallId) -> Option<Caller> {
        let rank = self.ranks.remove(call)?;
        let caller = self.callers.remove(&rank)?;
        self.off_the_line(rank, &caller.queue);
        if let Stands::Promised { until, .. } = &caller.stands {
            self.expiries.remove(&(*until, call.clone()));
        }
        if let Some(size) = self.sizes.get_mut(&caller.queue) {
            *size = size.saturating_sub(1);
        }
        for wanted in caller.wanted.iter() {
            if let Some(count) = self.interest.get_mut(&wanted.user) {
                *count -= 1;
                if *count == 0 {
                    self.interest.remove(&wanted.user);
                }
            }
        }
        Some(caller)
    }

    /// He rings for nobody any more.
    fn desk_is_back(&mut self, now: Time, user: &UserId, rests_until: Option<Time>) {
        let Some(desk) = self.desks.get_mut(user) else { return };
        desk.offered = None;
        if let Some(until) = rests_until {
            desk.rests_until = Some(until);
            self.rests.insert((until, user.clone()));
        }
        self.serve_by(now, user);
    }

    /// Finds somebody for a caller: of the lowest tier, whoever has been free for longest.
    fn serve(&mut self, now: Time, rank: Rank) {
        let Some(caller) = self.callers.get(&rank).filter(|caller| caller.may_be_served(self.drains)) else { return };
        let free = caller.wanted.iter().filter_map(|wanted| {
            let desk = self.desks.get(&wanted.user).filter(|desk| desk.may_ring(now) && desk.serves(wanted))?;
            Some((wanted.tier, desk.free?, &wanted.user))
        });
        if let Some((_, _, user)) = free.min() {
            self.offer(rank, user.clone());
        }
    }

    /// Finds a caller for somebody: the first of those who wait for him.
    fn serve_by(&mut self, now: Time, user: &UserId) {
        if !self.interest.contains_key(user) {
            return;
        }
        let Some(desk) = self.desks.get(user).filter(|desk| desk.may_ring(now)) else { return };
        let first = self.callers.iter().find(|(_, caller)| {
            caller.may_be_served(self.drains) && caller.wants(user).is_some_and(|wanted| desk.serves(wanted))
        });
        if let Some(rank) = first.map(|(rank, _)| *rank) {
            self.offer(rank, user.clone());
        }
    }

    fn offer(&mut self, rank: Rank, user: UserId) {
        let Some(caller) = self.callers.get_mut(&rank) else { return };
        caller.offered = Some(user.clone());
        let call = caller.call.clone();
        self.tallies.entry(caller.queue.clone()).or_default().offered += 1;
        if let Some(desk) = self.desks.get_mut(&user) {
            desk.offered = Some(call.clone());
        }
        let promised = caller.promise().is_some();
        self.outbox.push_back(if promised {
            QueueOutput::CallBack { call, user }
        } else {
            QueueOutput::Offer { call, user }
        });
    }
}

#[cfg(test)]
mod tests;
