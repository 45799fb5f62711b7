//! A caller who waits until somebody is free: carries out what [`plugboard_call::queue::Waiting`] wants, between the call and the queues.

use actix::{AsyncContext, Context, Handler, Recipient};
use plugboard_call::queue::{CallBackTo, Heard, Joining, Left, Outcome, WaitEnd, WaitRules, Waiting, Wanted, Wish};
use plugboard_call::{Input, Op, Party, Request, RingOrder};
use plugboard_model::{
    Audio, CallId, Dialled, DirectoryContact, GroupId, HostCall, HostResult, JournalEvent, LegId, Name, NotConnected,
    PlayEnd, PlayOptions, QueueEnd, QueueError, QueueRequest, RingBack, RunId, Target, Time, Tone, UserId,
};
use plugboard_office::Internal;
use plugboard_plugin::Directory as _;
use std::collections::BTreeMap;
use std::time::Duration;

use super::{CallActor, Rung};
use crate::message::{QueueNews, UseQueue};
use crate::post::post;

/// The actions that name people whom a scenario calls: they are waited for by a queue below them. Whoever of them finds somebody only when
/// it runs, as a responsible manager, names him by ringing him.
const NAMING: [&str; 3] = ["call-user", "call-group", "call-responsible"];
/// People whom one run names: more than a ringing may have as targets.
const NAMED_MAX: usize = 64;

/// What a call has of queues: it waits in one at a time, as it has one ear.
#[derive(Default)]
pub(super) struct Queueing {
    session: Option<Session>,
    /// Whom each run has named.
    named: BTreeMap<RunId, Vec<Target>>,
    /// The groups for which people are rung now.
    serves: Vec<GroupId>,
    /// Who is rung for the queue, or was last.
    rings: Option<UserId>,
}

struct Session {
    run: RunId,
    n: u32,
    request: QueueRequest,
    /// Since when he has his place.
    began: Option<Time>,
    /// Once he has it.
    machine: Option<Waiting>,
    /// The groups through which whoever is free for him is wanted.
    groups: Vec<Name>,
    place: Place,
}

/// A place in a queue, given back when it is dropped.
struct Place {
    call: CallId,
    queue: Recipient<UseQueue>,
    leaves: Option<Left>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(why) = self.leaves {
            post(&self.queue, UseQueue::Leave { call: self.call.clone(), why });
        }
    }
}

impl CallActor {
    /// A run lets the caller wait.
    pub(super) fn wait_in_queue(&mut self, op: Op, request: QueueRequest, ctx: &mut Context<Self>) {
        if let Err(end) = self.begin_waiting(op, request, ctx) {
            self.resume(op, HostResult::Waited(end));
        }
    }

    /// Or how it ended before it began.
    fn begin_waiting(
        &mut self,
        op: Op,
        request: QueueRequest,
        ctx: &mut Context<Self>,
    ) -> Result<(), Result<QueueEnd, QueueError>> {
        let Op::Run { run, n } = op else { return Err(Err(QueueError::Invalid("nobody asks".into()))) };
        if self.afterwards.is_some() || self.over {
            return Err(Err(QueueError::CallerGone));
        }
        if self.call.talking_to().is_some() {
            return Err(Err(QueueError::Talking));
        }
        let Some(scenario) = self.scripts.scenario_of(run).cloned().filter(|_| self.queueing.session.is_none()) else {
            return Err(Err(QueueError::NoMedia("another step has the caller's ear".into())));
        };
        let wanted = self.waited_for(run, &request);
        if wanted.is_empty() {
            return Err(Ok(QueueEnd::Nobody));
        }
        let names: Vec<&str> = wanted.iter().map(|wanted| wanted.user.name.as_str()).collect();
        self.note(format!("waits for the first of {}", names.join(", ")));
        let queue = self.snapshot.queue.clone();
        let joining = Joining {
            call: self.id.clone(),
            caller: self.guest_shown().0,
            queue: scenario,
            wanted,
            priority: request.priority,
            callers_max: usize::try_from(request.callers_max).unwrap_or(usize::MAX),
        };
        post(&queue, UseQueue::Join { joining, news: ctx.address().recipient() });
        let place = Place { call: self.id.clone(), queue, leaves: Some(Left::Elsewhere) };
        self.queueing.session =
            Some(Session { run, n, request, began: None, machine: None, groups: Vec::new(), place });
        Ok(())
    }

    /// Those whom the steps above have named, each once, in their order; without the caller, and without those who cannot do what is
    /// asked for.
    fn waited_for(&self, run: RunId, request: &QueueRequest) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut add = |user: &UserId, group: Option<&GroupId>, tier: u8| {
            let skilled = self.office.user(user).is_some_and(|user| user.level(request.skill.as_ref()).is_some());
            if !skilled || self.guest() == Some(user) {
                return;
            }
            let groups = group.map(|group| group.name.clone());
            match (wanted.iter_mut().find(|one| one.user == *user), groups) {
                (Some(one), Some(group)) if !one.groups.is_empty() => {
                    one.groups.push(group);
                    one.tier = one.tier.min(tier);
                }
                // Whoever is named himself is wanted whatever groups he has logged out of.
                (Some(one), None) => (one.groups, one.tier) = (Vec::new(), one.tier.min(tier)),
                (Some(_), Some(_)) => {}
                (None, groups) => {
                    wanted.push(Wanted { user: user.clone(), groups: groups.into_iter().collect(), tier });
                }
            }
        };
        let above = self.scripts.above(run);
        for target in above.iter().filter_map(|run| self.queueing.named.get(run)).flatten() {
            match target {
                Target::User(user) => add(user, None, 1),
                Target::Group(group) => {
                    for member in self.office.group(group).iter().flat_map(|group| &group.members) {
                        add(&member.user, Some(group), member.tier);
                    }
                }
                Target::Number(_) | Target::Phones(_) | Target::Line(_) | Target::Address(_) => {}
            }
        }
        wanted
    }

    /// A run has named somebody by looking him up or by ringing him.
    pub(super) fn note_reached(&mut self, event: &JournalEvent) {
        let JournalEvent::Begin { run, call, .. } = event else { return };
        let found = if let HostCall::FindUser(which) = call {
            self.office.find_user(which).map(|user| vec![Target::User(user.id.clone())])
        } else if let HostCall::FindGroup(which) = call {
            self.office.find_group(which).map(|group| vec![Target::Group(group.id.clone())])
        } else if let HostCall::FindContact(number) = call {
            self.directory().find_contact(number).map(responsible)
        } else if let HostCall::GetContact(id) = call {
            self.directory().contact(id).map(responsible)
        } else if let HostCall::Ring(request) = call {
            Some(request.targets.iter().filter_map(|target| self.whom(target)).collect())
        } else {
            None
        };
        let Some(installed) = self.components.get(run).filter(|_| found.is_some()) else { return };
        let action = &installed.manifest().name;
        if !NAMING.contains(&action.as_str()) {
            return;
        }
        // Who is not granted to it is not rung below it either.
        let grants = self.snapshot.configuration.grants.get(&self.office.id, self.scripts.route_of(*run), action);
        let Some(grants) = grants else { return };
        // Members of a group that the same run rings one by one are named by the group.
        let named = self.queueing.named.entry(*run).or_default();
        let by_group = named.iter().any(|target| matches!(target, Target::Group(_)));
        for target in found.into_iter().flatten().filter(|target| grants.dial().covers(target)) {
            let is_member = by_group && matches!(target, Target::User(_));
            if !is_member && !named.contains(&target) && named.len() < NAMED_MAX {
                named.push(target);
            }
        }
    }

    /// A user or group; an inside number is its owner.
    fn whom(&self, target: &Target) -> Option<Target> {
        match target {
            Target::User(_) | Target::Group(_) => Some(target.clone()),
            // His user was looked up with him.
            Target::Phones(_) | Target::Line(_) | Target::Address(_) => None,
            Target::Number(number) => match self.office.internal(number)? {
                Internal::User(user) => Some(Target::User(user.clone())),
                Internal::Group(group) => Some(Target::Group(group.clone())),
            },
        }
    }

    // ---- what people have to do afterwards -------------------------------------------------------------------

    /// Whoever is rung now is rung for this run, and for the groups that it has named.
    pub(super) fn rings_for(&mut self, op: Op) {
        let named = if let Op::Run { run, .. } = op { self.queueing.named.get(&run) } else { None };
        let group = |target: &Target| if let Target::Group(group) = target { Some(group.clone()) } else { None };
        self.queueing.serves = named.into_iter().flatten().filter_map(group).collect();
    }

    /// How long a user writes the call up once he has had it: nothing for calls to himself.
    pub(super) fn wrap_up_of(&self, user: &UserId) -> Duration {
        let dialled = match self.office.internal(&self.begin.called) {
            Some(Internal::Group(group)) if self.begin.scenario.is_none() => Some(group),
            Some(Internal::Group(_) | Internal::User(_)) | None => None,
        };
        let waits = self.queueing.session.is_some();
        let groups = self.queueing.serves.iter().chain(dialled).filter_map(|group| self.office.group(group));
        let of_groups: Vec<Duration> = groups
            .filter(|group| group.members.iter().any(|member| member.user == *user))
            .map(|group| group.wrap_up)
            .collect();
        if of_groups.is_empty() && !waits {
            return Duration::ZERO;
        }
        let own = self.office.user(user).and_then(|user| user.wrap_up);
        own.or_else(|| of_groups.into_iter().max()).unwrap_or_default()
    }

    // ---- answers ---------------------------------------------------------------------------------------------

    /// The call machine answers what was asked for the queue.
    pub(super) fn queue_heard(&mut self, result: HostResult, ctx: &mut Context<Self>) {
        let heard = if let HostResult::Played(Ok(end)) = result {
            match end {
                PlayEnd::Finished | PlayEnd::TimeOver => Heard::Played,
                PlayEnd::Digit(key) => Heard::Key(key),
                PlayEnd::NotPlayable(_) => Heard::NotPlayable,
            }
        } else if let HostResult::Played(Err(error)) = result {
            return self.queue_failed(error.into(), Left::Elsewhere);
        } else if let HostResult::Rang(Ok(connected)) = result {
            Heard::Answered(connected)
        } else if let HostResult::Rang(Err(why)) = result {
            let rang = matches!(why, NotConnected::Timeout) || self.has_rung();
            Heard::NotAnswered { rang }
        } else {
            return;
        };
        self.tell_queue(heard, ctx);
    }

    /// Whether a phone of whoever is rung for the queue rang.
    fn has_rung(&self) -> bool {
        let devices = self.queueing.rings.as_ref().and_then(|user| self.devices.get(user));
        devices.is_some_and(|devices| !devices.is_empty())
    }

    fn tell_queue(&mut self, heard: Heard, ctx: &mut Context<Self>) {
        if let Some(machine) = self.queueing.session.as_mut().and_then(|session| session.machine.as_mut()) {
            machine.handle(heard);
            self.follow_queue(ctx);
        }
    }

    /// Carries out what the machine wants until it waits for an answer.
    fn follow_queue(&mut self, ctx: &mut Context<Self>) {
        while let Some(wish) = self.queueing.session.as_mut().and_then(|session| session.machine.as_mut()?.poll_wish())
        {
            self.carry_queue(wish, ctx);
        }
    }

    fn carry_queue(&mut self, wish: Wish, ctx: &mut Context<Self>) {
        let Some(session) = &mut self.queueing.session else { return };
        match wish {
            Wish::Play { audio, keys } => {
                let repeat = matches!(audio, Audio::Music(_) | Audio::Tone(Tone::RingBack));
                let options = PlayOptions { max_ms: None, repeat, stop_on_digit: keys };
                self.ask_for_queue(Request::Play { audio, options }, ctx);
            }
            Wish::Stop => self.feed(Input::Cancel { op: Op::Queue }, ctx),
            Wish::AskPosition => post(&session.place.queue, UseQueue::AskPosition(self.id.clone())),
            Wish::Ring(user) => {
                let ring_for = Duration::from_millis(u64::from(session.request.ring_for_ms));
                let office = &self.office.id;
                let groups = std::mem::take(&mut session.groups).into_iter();
                self.queueing.serves = groups.map(|name| GroupId { office: office.clone(), name }).collect();
                self.rung = Rung::Members;
                self.queueing.rings = Some(user.clone());
                self.note(format!("user {} is free and rings", user.name));
                let parties = vec![Party::User(user)];
                let (order, ring_back) = (RingOrder::One, RingBack::Silence);
                self.ask_for_queue(Request::Ring { parties, order, ring_for, ring_back }, ctx);
            }
            Wish::Tell(user, outcome) => {
                let told = match outcome {
                    Outcome::Answered => "answered",
                    Outcome::Refused => "could not be had",
                    Outcome::Missed => "did not answer",
                    Outcome::Failed => "could not be rung",
                };
                let note = format!("user {} {told}", user.name);
                let call = self.id.clone();
                post(&session.place.queue, UseQueue::Rang { call, user, outcome });
                if outcome == Outcome::Answered {
                    session.place.leaves = None;
                }
                self.note(note);
            }
            Wish::CallBack => {
                let ring_for = Duration::from_millis(u64::from(session.request.ring_for_ms));
                let queue = session.place.queue.clone();
                let Some(number) = self.called_back_at() else {
                    return self.tell_queue(Heard::Promised(false), ctx);
                };
                self.note(format!("wants to be called back at {number}"));
                post(&queue, UseQueue::CallBack { call: self.id.clone(), to: CallBackTo { number, ring_for } });
            }
            Wish::End(end) => {
                let Some(mut session) = self.queueing.session.take() else { return };
                if end == WaitEnd::Exited {
                    session.place.leaves = session.place.leaves.map(|_| Left::Exited);
                    self.note("leaves by the key".into());
                }
                let end = match end {
                    WaitEnd::Answered(connected) => QueueEnd::Answered(connected),
                    WaitEnd::Timeout => QueueEnd::Timeout,
                    WaitEnd::CalledBack => QueueEnd::CalledBack,
                    WaitEnd::Exited => QueueEnd::Exited,
                };
                self.resume(Op::Run { run: session.run, n: session.n }, HostResult::Waited(Ok(end)));
            }
        }
    }

    /// What whoever is free dials to call the caller back; nothing for who hides, or was handed on.
    fn called_back_at(&self) -> Option<Dialled> {
        self.dial_back().filter(|_| self.call.guest() == LegId::CALLER)
    }

    fn ask_for_queue(&mut self, request: Request, ctx: &mut Context<Self>) {
        self.feed(Input::Request { op: Op::Queue, request }, ctx);
    }

    // ---- time and ends ---------------------------------------------------------------------------------------

    /// When something of the queue is due.
    pub(super) fn queue_due(&self) -> Option<Time> {
        self.queueing.session.as_ref()?.machine.as_ref()?.poll_timeout()
    }

    /// What is due of it.
    pub(super) fn queue_tick(&mut self, ctx: &mut Context<Self>) {
        let now = self.now();
        if let Some(machine) = self.queueing.session.as_mut().and_then(|session| session.machine.as_mut()) {
            machine.tick(now);
            self.follow_queue(ctx);
        }
    }

    /// The caller is gone.
    pub(super) fn queue_left(&mut self) {
        self.queue_failed(QueueError::CallerGone, Left::Abandoned);
    }

    fn queue_failed(&mut self, error: QueueError, why: Left) {
        let Some(mut session) = self.queueing.session.take() else { return };
        let gone = error == QueueError::CallerGone;
        if gone && let Some(began) = session.began {
            self.note(format!("has waited for {} s, and hangs up", self.now().since(began).as_secs()));
        }
        session.place.leaves = session.place.leaves.map(|_| if gone { Left::Abandoned } else { why });
        self.resume(Op::Run { run: session.run, n: session.n }, HostResult::Waited(Err(error)));
    }

    /// The run that lets him wait is cancelled: it is told nothing.
    pub(super) fn queue_cancelled(&mut self, run: RunId, ctx: &mut Context<Self>) {
        if self.queueing.session.take_if(|session| session.run == run).is_some() {
            self.feed(Input::Cancel { op: Op::Queue }, ctx);
        }
    }
}

impl Handler<QueueNews> for CallActor {
    type Result = ();

    fn handle(&mut self, news: QueueNews, ctx: &mut Context<Self>) {
        match news {
            QueueNews::Joined => {
                let now = self.now();
                let (keys, language) = (self.called_back_at().is_some(), self.office.language.clone());
                let hold = self.office.hold_music.as_ref().map(|name| Audio::Music(name.to_string()));
                if let Some(session) = &mut self.queueing.session {
                    let request = &session.request;
                    let own = request.music.clone().map(Audio::Music);
                    let rules = WaitRules {
                        max: Duration::from_millis(u64::from(request.max_ms)),
                        music: own.into_iter().chain(hold).collect(),
                        announce: request.announce_ms.map(|every| Duration::from_millis(u64::from(every))),
                        call_back_on: request.call_back_on.filter(|_| keys),
                        exit_on: request.exit_on,
                        language,
                    };
                    session.began = Some(now);
                    session.machine = Some(Waiting::new(now, rules));
                    self.follow_queue(ctx);
                }
            }
            QueueNews::Full => {
                if let Some(mut session) = self.queueing.session.take() {
                    session.place.leaves = None;
                    self.resume(Op::Run { run: session.run, n: session.n }, HostResult::Waited(Ok(QueueEnd::Full)));
                }
            }
            QueueNews::Offered(user, groups) => {
                if let Some(session) = &mut self.queueing.session {
                    session.groups = groups;
                }
                self.tell_queue(Heard::Offered(user), ctx);
            }
            QueueNews::Promised(promised) => {
                if promised && let Some(session) = &mut self.queueing.session {
                    session.place.leaves = None;
                }
                self.note(if promised { "is called back" } else { "cannot be called back, and waits on" }.into());
                self.tell_queue(Heard::Promised(promised), ctx);
            }
            QueueNews::CallHim(may) => self.call_him(may, ctx),
            QueueNews::Position(place, wait) => {
                let likely = wait.map(|wait| format!(", for some {} s", wait.as_secs())).unwrap_or_default();
                self.note(format!("is number {place} in line{likely}"));
                self.tell_queue(Heard::Position(place, wait), ctx);
            }
        }
        self.pump(ctx);
    }
}

/// Who is responsible is wanted whether or not he could be rung just now.
fn responsible(contact: DirectoryContact) -> Vec<Target> {
    contact.responsible.into_iter().map(|one| Target::User(one.user)).collect()
}
