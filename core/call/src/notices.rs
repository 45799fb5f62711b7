//! E-mail, text messages and posts that are to leave: when each is tried, how often, and what is left of it afterwards. A machine by the
//! time of day, since notices outlive calls and the switch.
//!
//! What holds always, whatever comes:
//! - a notice is taken once by its id, and one that has left is tried no more, nor is one that is over in another way;
//! - of a notice one try at a time goes on, and no more of an office and kind than its rules let;
//! - it is on the disk, as what it is then, before anything of it leaves ([`NoticesOutput::Begin`]);
//! - where nobody knows whether it came through, it is tried again only if that shows as a repetition.

use plugboard_model::{Notice, NoticeContent, NoticeEnd, NoticeId, NoticeState, NoticeTry, OfficeId, WallTime};
use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Notices of an office that wait: a day of a large one while its mail server is down.
pub const WAITING_MAX: usize = 5_000;

/// Bytes of what these say: they lie in memory.
pub const WAITING_BYTES_MAX: usize = 16 << 20;

/// Notices of an office and kind that are over and can still be asked for; the oldest go first.
pub const OVER_MAX: usize = 10_000;

/// ... and for so long.
pub const OVER_KEPT: Duration = Duration::from_hours(30 * 24);

/// How long a notice waits after a try: as long as it has done so already, between these. What is down for a minute costs nobody much.
const BACK_OFF: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_mins(30);

/// A try that is not over by then never will be: whoever had it is gone.
const STUCK_AFTER: Duration = Duration::from_mins(10);

/// In which the notices are counted that an office may take.
const HOUR: Duration = Duration::from_hours(1);

/// How an office sends one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneRules {
    /// From the taking on: one that has not left by then is given up.
    pub give_up_after: Duration,
    /// Tries that go on at once.
    pub at_once: u32,
    /// Notices that are taken within an hour.
    pub an_hour: u32,
}

/// How an office sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeRules {
    /// E-mail; none: it waits.
    pub mail: Option<LaneRules>,
    /// Text messages.
    pub text: Option<LaneRules>,
    /// Posts.
    pub post: LaneRules,
    /// Calls that integrations are told.
    pub log: LaneRules,
}

impl NoticeRules {
    fn lane(&self, of: &NoticeContent) -> Option<LaneRules> {
        match of {
            NoticeContent::Mail(_) => self.mail,
            NoticeContent::Text(_) => self.text,
            NoticeContent::Post(_) => Some(self.post),
            NoticeContent::Log(_) => Some(self.log),
        }
    }
}

/// What the notices ask of the world, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticesOutput {
    /// Keep this in place of what was kept of it.
    Keep(Box<Notice>),
    /// Keep this likewise, and when it is on the disk, let it leave: [`Notices::tried`] says what came of it.
    Begin(Box<Notice>),
    /// It was given up: somebody is to be told.
    GivenUp(NoticeId),
    /// Forget it.
    Forget(NoticeId),
}

/// A notice that was to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// For the first time.
    New,
    /// It was taken before.
    Before,
}

/// Why a notice is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// As many wait as may.
    #[error("{WAITING_MAX} notices of the office wait already, or {} MiB", WAITING_BYTES_MAX >> 20)]
    Full,
    /// As many were taken in this hour as may be.
    #[error("the office takes no more than {0} of these in an hour")]
    TooMany(u32),
    /// The office does not send this.
    #[error("the office does not send this")]
    NoLane,
}

/// Why nothing was changed by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotChanged {
    /// There is none.
    #[error("there is no such notice")]
    Unknown,
    /// It is leaving.
    #[error("it is being sent just now")]
    Sending,
    /// It is over.
    #[error("it is over: {0}")]
    Over(&'static str),
    /// What it said is not kept any more.
    #[error("it has left, and what it said is not kept")]
    Left,
}

/// The notices of all offices.
#[derive(Debug, Default)]
pub struct Notices {
    all: BTreeMap<NoticeId, Notice>,
    rules: BTreeMap<OfficeId, NoticeRules>,
    draining: bool,
    wanted: VecDeque<NoticesOutput>,
}

impl Notices {
    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<NoticesOutput> {
        self.wanted.pop_front()
    }

    /// When to call [`Notices::tick`].
    pub fn poll_timeout(&self) -> Option<WallTime> {
        let leaving = self.leaving();
        let free = |notice: &&Notice| self.has_place(notice, &leaving);
        let begins = self.all.values().filter(free).filter_map(|notice| notice.state.waits_until());
        let ends = self.all.values().filter_map(|notice| match notice.state {
            NoticeState::Waiting { .. } => self.given_up_at(notice),
            NoticeState::Sending { since } => Some(later(since, STUCK_AFTER)),
            NoticeState::Sent { .. } | NoticeState::Failed { .. } | NoticeState::Dropped { .. } => None,
        });
        begins.chain(ends).min()
    }

    /// How offices send from now on; what an office that is not among them has waits.
    pub fn follow(&mut self, now: WallTime, rules: BTreeMap<OfficeId, NoticeRules>) {
        self.rules = rules;
        self.tick(now);
    }

    /// Nothing begins any more.
    pub const fn drain(&mut self) {
        self.draining = true;
    }

    /// What was kept of an office. Of what was leaving when the switch ended, nobody knows whether it came through.
    pub fn restore(&mut self, now: WallTime, kept: Vec<Notice>) {
        for notice in kept {
            let (id, leaving) = (notice.id.clone(), matches!(notice.state, NoticeState::Sending { .. }));
            let tried = notice.tried;
            self.all.insert(id.clone(), notice);
            if leaving {
                self.tried(now, &id, tried, NoticeEnd::Unknown("the switch ended meanwhile".into()));
            }
        }
        self.tick(now);
    }

    /// Takes a notice: it waits, or leaves at once where there is a place. One of the same id is the same.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn take(&mut self, now: WallTime, mut notice: Notice) -> Result<Taken, NotTaken> {
        if self.all.contains_key(&notice.id) {
            return Ok(Taken::Before);
        }
        let office = notice.id.office().clone();
        let lane = self.rules.get(&office).and_then(|rules| rules.lane(&notice.content)).ok_or(NotTaken::NoLane)?;
        let waiting = || self.of_office(&office).filter(|notice| notice.state.over().is_none());
        let bytes: usize = waiting().map(Notice::bytes).sum();
        if waiting().count() >= WAITING_MAX || bytes.saturating_add(notice.bytes()) > WAITING_BYTES_MAX {
            return Err(NotTaken::Full);
        }
        let kind = notice.content.as_str();
        let recent = |other: &&Notice| other.content.as_str() == kind && later(other.taken, HOUR) > now;
        if self.of_office(&office).filter(recent).count() >= usize::try_from(lane.an_hour).unwrap_or(usize::MAX) {
            return Err(NotTaken::TooMany(lane.an_hour));
        }
        self.forget_old(now, &office, kind);
        notice.state = NoticeState::Waiting { until: now };
        let id = notice.id.clone();
        self.all.insert(id.clone(), notice);
        if !self.begin(now, &id) {
            self.keep(&id);
        }
        Ok(Taken::New)
    }

    /// A try is over: the one that was the notice's `n`th. Another one changes nothing.
    pub fn tried(&mut self, now: WallTime, id: &NoticeId, n: u32, end: NoticeEnd) {
        let Some(notice) = self.all.get_mut(id) else { return };
        if !matches!(notice.state, NoticeState::Sending { .. }) || notice.tried != n {
            return;
        }
        let waits = match &end {
            NoticeEnd::NotNow(_) => true,
            NoticeEnd::Unknown(_) => notice.repeats,
            NoticeEnd::Sent(_) | NoticeEnd::Refused(_) | NoticeEnd::TooOld | NoticeEnd::Restored => false,
        };
        let sent = matches!(end, NoticeEnd::Sent(_));
        note(notice, now, end);
        notice.state = if sent {
            notice.forget_texts();
            NoticeState::Sent { at: now }
        } else if waits {
            NoticeState::Waiting { until: later(now, back_off(notice, now)) }
        } else {
            NoticeState::Failed { at: now }
        };
        self.keep(id);
        if !sent && !waits {
            self.wanted.push_back(NoticesOutput::GivenUp(id.clone()));
        }
        self.tick(now);
    }

    /// As if this had not been taken: it could not be kept.
    pub fn undo(&mut self, id: &NoticeId) {
        self.all.remove(id);
    }

    /// Tries one again now, whatever it waits for; also one that was given up or dropped.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn retry(&mut self, now: WallTime, id: &NoticeId) -> Result<&Notice, NotChanged> {
        let notice = self.all.get_mut(id).ok_or(NotChanged::Unknown)?;
        match notice.state {
            NoticeState::Sending { .. } => return Err(NotChanged::Sending),
            NoticeState::Sent { .. } => return Err(NotChanged::Left),
            NoticeState::Waiting { .. } => {}
            // Its time begins anew: it was wanted again just now.
            NoticeState::Failed { .. } | NoticeState::Dropped { .. } => notice.taken = now,
        }
        notice.state = NoticeState::Waiting { until: now };
        if !self.begin(now, id) {
            self.keep(id);
        }
        self.all.get(id).ok_or(NotChanged::Unknown)
    }

    /// Drops one that waits.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn put_aside(&mut self, now: WallTime, id: &NoticeId) -> Result<&Notice, NotChanged> {
        let notice = self.all.get_mut(id).ok_or(NotChanged::Unknown)?;
        match notice.state {
            NoticeState::Waiting { .. } => notice.state = NoticeState::Dropped { at: now },
            NoticeState::Sending { .. } => return Err(NotChanged::Sending),
            NoticeState::Sent { .. } | NoticeState::Failed { .. } | NoticeState::Dropped { .. } => {
                return Err(NotChanged::Over(notice.state.as_str()));
            }
        }
        self.keep(id);
        self.all.get(id).ok_or(NotChanged::Unknown)
    }

    /// Gives up what is too old, and begins what is due.
    pub fn tick(&mut self, now: WallTime) {
        self.give_up(now);
        loop {
            let leaving = self.leaving();
            let due = self.all.values().filter_map(|notice| Some((notice.state.waits_until()?, notice)));
            let due = due.filter(|(until, notice)| *until <= now && self.has_place(notice, &leaving));
            let first = due.map(|(until, notice)| (until, &notice.id)).min();
            let Some(id) = first.map(|(_, id)| id.clone()) else { return };
            self.begin(now, &id);
        }
    }

    /// One notice.
    pub fn get(&self, id: &NoticeId) -> Option<&Notice> {
        self.all.get(id)
    }

    /// The notices of an office, those of the oldest call first.
    pub fn of_office(&self, office: &OfficeId) -> impl Iterator<Item = &Notice> {
        self.all.values().filter(move |notice| notice.id.office() == office)
    }

    /// Forgets notices, however far they are; how many there were. What is leaving may leave, and is not tried again.
    pub fn forget(&mut self, which: impl Fn(&Notice) -> bool) -> usize {
        let found: Vec<NoticeId> =
            self.all.values().filter(|notice| which(notice)).map(|notice| notice.id.clone()).collect();
        for id in &found {
            self.all.remove(id);
            self.wanted.push_back(NoticesOutput::Forget(id.clone()));
        }
        found.len()
    }

    /// Notices that are not over, of all offices.
    pub fn waiting(&self) -> usize {
        self.all.values().filter(|notice| notice.state.over().is_none()).count()
    }

    /// Lets it leave, if there is a place.
    fn begin(&mut self, now: WallTime, id: &NoticeId) -> bool {
        let leaving = self.leaving();
        if !self.all.get(id).is_some_and(|notice| self.has_place(notice, &leaving)) {
            return false;
        }
        let Some(notice) = self.all.get_mut(id) else { return false };
        notice.state = NoticeState::Sending { since: now };
        notice.tried = notice.tried.saturating_add(1);
        self.wanted.push_back(NoticesOutput::Begin(Box::new(notice.clone())));
        true
    }

    fn keep(&mut self, id: &NoticeId) {
        if let Some(notice) = self.all.get(id) {
            self.wanted.push_back(NoticesOutput::Keep(Box::new(notice.clone())));
        }
    }

    /// How many leave now, of each office and kind.
    fn leaving(&self) -> Leaving<'_> {
        let mut leaving = Leaving::new();
        for notice in self.all.values().filter(|notice| matches!(notice.state, NoticeState::Sending { .. })) {
            *leaving.entry((notice.id.office(), notice.content.as_str())).or_default() += 1;
        }
        leaving
    }

    /// Whether one more of its office and kind may leave now.
    fn has_place(&self, notice: &Notice, leaving: &Leaving<'_>) -> bool {
        let Some(lane) = self.lane(notice).filter(|_| !self.draining) else { return false };
        leaving.get(&(notice.id.office(), notice.content.as_str())).is_none_or(|leaving| *leaving < lane.at_once)
    }

    fn lane(&self, notice: &Notice) -> Option<LaneRules> {
        self.rules.get(notice.id.office())?.lane(&notice.content)
    }

    /// When it is given up, if it still waits then.
    fn given_up_at(&self, notice: &Notice) -> Option<WallTime> {
        self.lane(notice).map(|lane| later(notice.taken, lane.give_up_after))
    }

    fn give_up(&mut self, now: WallTime) {
        let stuck = |notice: &&Notice| match notice.state {
            NoticeState::Sending { since } => later(since, STUCK_AFTER) <= now,
            NoticeState::Waiting { .. }
            | NoticeState::Sent { .. }
            | NoticeState::Failed { .. }
            | NoticeState::Dropped { .. } => false,
        };
        let stuck: Vec<(NoticeId, u32)> =
            self.all.values().filter(stuck).map(|notice| (notice.id.clone(), notice.tried)).collect();
        for (id, n) in stuck {
            self.tried(now, &id, n, NoticeEnd::Unknown("nothing was heard of it for ten minutes".into()));
        }
        let waits = self.all.values().filter(|notice| notice.state.waits_until().is_some());
        let old = waits.filter(|notice| self.given_up_at(notice).is_some_and(|at| at <= now));
        for id in old.map(|notice| notice.id.clone()).collect::<Vec<_>>() {
            let Some(notice) = self.all.get_mut(&id) else { continue };
            note(notice, now, NoticeEnd::TooOld);
            notice.state = NoticeState::Failed { at: now };
            self.keep(&id);
            self.wanted.push_back(NoticesOutput::GivenUp(id));
        }
    }

    fn forget_old(&mut self, now: WallTime, office: &OfficeId, kind: &str) {
        let over = |notice: &Notice| Some((notice.state.over()?, notice.id.clone()));
        let mut over: Vec<(WallTime, NoticeId)> =
            self.of_office(office).filter(|notice| notice.content.as_str() == kind).filter_map(over).collect();
        over.sort();
        let too_many = over.len().saturating_sub(OVER_MAX);
        for (n, (at, id)) in over.into_iter().enumerate() {
            if n < too_many || later(at, OVER_KEPT) < now {
                self.all.remove(&id);
                self.wanted.push_back(NoticesOutput::Forget(id));
            }
        }
    }
}

/// How many leave, by office and kind.
type Leaving<'n> = BTreeMap<(&'n OfficeId, &'static str), u32>;

fn note(notice: &mut Notice, now: WallTime, end: NoticeEnd) {
    if notice.tries.len() >= Notice::TRIES_KEPT {
        notice.tries.remove(0);
    }
    notice.tries.push(NoticeTry { at: now, end });
}

fn back_off(notice: &Notice, now: WallTime) -> Duration {
    let waited = u64::try_from(now.0.saturating_sub(notice.taken.0)).unwrap_or(0);
    Duration::from_millis(waited).clamp(*BACK_OFF.start(), *BACK_OFF.end())
}

fn later(at: WallTime, by: Duration) -> WallTime {
    WallTime(at.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}
