//! A run and the far side of its host calls.

use crate::office::{caller, office};
use crate::{Report, Testkit, TestkitError};
use plugboard_model::{
    Audio, CallError, CallEvent, CallId, CallInfo, Candidate, Cause, CollectEnd, CollectRequest, Collected,
    ConferenceEnd, ConferenceRequest, Connected, DatabaseError, DatabaseRequest, DatabaseRows, DirectoryContact,
    DirectoryGroup, DirectoryUser, FaxError, FaxOutcome, FaxReceived, FaxRequest, HistoryError, HostCall, HostResult,
    HttpError, HttpRequest, HttpResponse, JournalEvent, LeaveRequest, MailRequest, Mailbox, MailboxEnd, MailboxError,
    MessageEnd, NotConnected, NotJoined, NoticeError, OutgoingPost, ParkEnd, ParkError, PlayEnd, PlayOptions, QueueEnd,
    QueueError, QueueRequest, RecordCall, RecordError, RingRequest, RunEnd, RunId, SetError, Skill, Talk, TextRequest,
    Time, Value, WallTime,
};
use plugboard_plugin::{Clock, Grants, Limits, RunEvent, RunKey, RunSpec, Runner, RunnerLimits, Verdict, replay};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Longer than a run waits before it is put away.
const WAIT_MS: u64 = 1_000;
/// 2026-11-18T15:33:20Z: when every run of a test begins, unless the script says otherwise.
const BEGAN_MS: i64 = 1_795_000_000_000;
/// The switch's own variables, which no action may assign.
const READ_ONLY: [&str; 7] =
    ["caller_number", "caller_name", "caller_user", "called_number", "call_id", "language", "agent_name"];

type Answer<'s, Asked, Told> = Box<dyn FnMut(Asked) -> Told + 's>;

/// A run with its script. Each method says one thing; [`Run::finish`] runs it.
pub struct Run<'s> {
    testkit: &'s Testkit,
    parameters: String,
    grants: Grants,
    limits: Limits,
    info: CallInfo,
    began: WallTime,
    seed: u64,
    script: Script<'s>,
}

/// The far side.
struct Script<'s> {
    users: Vec<DirectoryUser>,
    groups: Vec<DirectoryGroup>,
    contacts: Vec<DirectoryContact>,
    variables: BTreeMap<String, Value>,
    over: bool,
    play: Answer<'s, (Audio, PlayOptions), Result<PlayEnd, CallError>>,
    collect: Answer<'s, CollectRequest, Result<Collected, CallError>>,
    ring: Answer<'s, RingRequest, Result<Connected, NotConnected>>,
    echo: Answer<'s, u32, Result<(), CallError>>,
    event: Answer<'s, u32, Result<CallEvent, CallError>>,
    join: Answer<'s, ConferenceRequest, Result<ConferenceEnd, NotJoined>>,
    record: Answer<'s, RecordCall, Result<(), RecordError>>,
    leave: Answer<'s, LeaveRequest, Result<MessageEnd, MailboxError>>,
    open: Answer<'s, Option<Mailbox>, Result<MailboxEnd, MailboxError>>,
    fax: Answer<'s, FaxRequest, Result<FaxReceived, FaxError>>,
    http: Answer<'s, HttpRequest, Result<HttpResponse, HttpError>>,
    park: Answer<'s, (Option<u32>, u32), Result<ParkEnd, ParkError>>,
    database: Answer<'s, DatabaseRequest, Result<DatabaseRows, DatabaseError>>,
    last_talk: Answer<'s, (String, u32), Result<Option<Talk>, HistoryError>>,
    mail: Answer<'s, MailRequest, Result<String, NoticeError>>,
    text: Answer<'s, TextRequest, Result<String, NoticeError>>,
    post: Answer<'s, OutgoingPost, Result<String, NoticeError>>,
    wait: Answer<'s, QueueRequest, Result<QueueEnd, QueueError>>,
    members: Answer<'s, (String, Option<Skill>), Option<Vec<Candidate>>>,
}

impl<'s> Run<'s> {
    pub(crate) fn new(testkit: &'s Testkit) -> Self {
        let nothing = || Collected { digits: String::new(), ended_by: CollectEnd::Timeout, not_played: None };
        Self {
            testkit,
            parameters: "{}".into(),
            grants: Grants::everything(),
            limits: Limits::default(),
            info: caller(),
            began: WallTime(BEGAN_MS),
            seed: 1,
            script: Script {
                users: Vec::new(),
                groups: Vec::new(),
                contacts: Vec::new(),
                variables: BTreeMap::new(),
                over: false,
                play: Box::new(|_| Ok(PlayEnd::Finished)),
                collect: Box::new(move |_| Ok(nothing())),
                ring: Box::new(|_| Err(NotConnected::Timeout)),
                echo: Box::new(|_| Ok(())),
                event: Box::new(|_| Ok(CallEvent::Timeout)),
                join: Box::new(|_| Ok(ConferenceEnd::TimeOver)),
                record: Box::new(|_| Ok(())),
                leave: Box::new(|_| Ok(MessageEnd::Recorded)),
                open: Box::new(|_| Ok(MailboxEnd::Done)),
                fax: Box::new(|_| Ok(no_fax())),
                park: Box::new(|_| Ok(ParkEnd::TimeOver)),
                last_talk: Box::new(|_| Ok(None)),
                database: Box::new(|request| {
                    Err(DatabaseError::Denied(format!("there is no database {:?}", request.database)))
                }),
                mail: Box::new(|_| Ok("notice".into())),
                text: Box::new(|_| Ok("notice".into())),
                post: Box::new(|_| Ok("notice".into())),
                wait: Box::new(|_| Ok(QueueEnd::Timeout)),
                members: Box::new(|_| None),
                http: Box::new(|request| Err(HttpError::Denied(format!("there is no source {:?}", request.source)))),
            },
        }
    }

    /// The parameters, as the scenario gives them; `{}` unless said.
    #[must_use]
    pub fn parameters(mut self, object: &serde_json::Value) -> Self {
        self.parameters = object.to_string();
        self
    }

    /// The parameters as bare text, to see what a broken document does.
    #[must_use]
    pub fn parameters_text(mut self, text: &str) -> Self {
        self.parameters = text.into();
        self
    }

    /// Who calls whom; a caller from outside who dialled 100 unless said.
    #[must_use]
    pub fn caller(mut self, info: CallInfo) -> Self {
        self.info = info;
        self
    }

    /// A user of the office.
    #[must_use]
    pub fn user(mut self, user: DirectoryUser) -> Self {
        self.script.users.push(user);
        self
    }

    /// A group of the office.
    #[must_use]
    pub fn group(mut self, group: DirectoryGroup) -> Self {
        self.script.groups.push(group);
        self
    }

    /// A contact of the office, found by his numbers as they are written, and by his id.
    #[must_use]
    pub fn contact(mut self, contact: DirectoryContact) -> Self {
        self.script.contacts.push(contact);
        self
    }

    /// A variable that an earlier step assigned.
    #[must_use]
    pub fn variable(mut self, name: &str, value: Value) -> Self {
        self.script.variables.insert(name.into(), value);
        self
    }

    /// What the route grants; everything unless said.
    #[must_use]
    pub fn grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    /// What the run may use; the host's defaults unless said.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The time of day at the start.
    #[must_use]
    pub fn began(mut self, time: WallTime) -> Self {
        self.began = time;
        self
    }

    /// Where the random numbers start: the same seed gives the same run.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How each play ends; unless said, the audio plays to its end.
    #[must_use]
    pub fn on_play(mut self, mut answer: impl FnMut(&Audio, PlayOptions) -> Result<PlayEnd, CallError> + 's) -> Self {
        self.script.play = Box::new(move |(audio, options)| answer(&audio, options));
        self
    }

    /// What each collection collects; unless said, nothing.
    #[must_use]
    pub fn on_collect(mut self, mut answer: impl FnMut(&CollectRequest) -> Result<Collected, CallError> + 's) -> Self {
        self.script.collect = Box::new(move |request| answer(&request));
        self
    }

    /// Who answers each ring; unless said, nobody does and the time runs out.
    #[must_use]
    pub fn on_ring(mut self, mut answer: impl FnMut(&RingRequest) -> Result<Connected, NotConnected> + 's) -> Self {
        self.script.ring = Box::new(move |request| answer(&request));
        self
    }

    /// How each wait in a queue ends; unless said, when its time is over.
    #[must_use]
    pub fn on_wait(mut self, answer: impl FnMut(QueueRequest) -> Result<QueueEnd, QueueError> + 's) -> Self {
        self.script.wait = Box::new(answer);
        self
    }

    /// Whom a group has, as far as it is asked for them in place of their names; unless said, its members as they are written, free
    /// for as many seconds as their place from the end.
    #[must_use]
    pub fn on_members(mut self, mut answer: impl FnMut(String, Option<Skill>) -> Option<Vec<Candidate>> + 's) -> Self {
        self.script.members = Box::new(move |(group, skill)| answer(group, skill));
        self
    }

    /// How each stay in a room ends; unless said, when its time is over.
    #[must_use]
    pub fn on_join(mut self, answer: impl FnMut(ConferenceRequest) -> Result<ConferenceEnd, NotJoined> + 's) -> Self {
        self.script.join = Box::new(answer);
        self
    }

    /// How each echo of so many milliseconds ends; unless said, when its time is over.
    #[must_use]
    pub fn on_echo(mut self, answer: impl FnMut(u32) -> Result<(), CallError> + 's) -> Self {
        self.script.echo = Box::new(answer);
        self
    }

    /// What happens in each wait of so many milliseconds; unless said, nothing.
    #[must_use]
    pub fn on_event(mut self, answer: impl FnMut(u32) -> Result<CallEvent, CallError> + 's) -> Self {
        self.script.event = Box::new(answer);
        self
    }

    /// What becomes of each wish about the recording; unless said, it is done.
    #[must_use]
    pub fn on_record(mut self, answer: impl FnMut(RecordCall) -> Result<(), RecordError> + 's) -> Self {
        self.script.record = Box::new(answer);
        self
    }

    /// What becomes of each message that is left; unless said, it is kept.
    #[must_use]
    pub fn on_leave(mut self, answer: impl FnMut(LeaveRequest) -> Result<MessageEnd, MailboxError> + 's) -> Self {
        self.script.leave = Box::new(answer);
        self
    }

    /// How each mailbox that is opened is closed; unless said, by who has done.
    #[must_use]
    pub fn on_open(mut self, answer: impl FnMut(Option<Mailbox>) -> Result<MailboxEnd, MailboxError> + 's) -> Self {
        self.script.open = Box::new(answer);
        self
    }

    /// What comes of each wish for a fax; unless said, the caller is no fax machine.
    #[must_use]
    pub fn on_fax(mut self, answer: impl FnMut(FaxRequest) -> Result<FaxReceived, FaxError> + 's) -> Self {
        self.script.fax = Box::new(answer);
        self
    }

    /// What each question to a database comes to; unless said, the office has no database.
    #[must_use]
    pub fn on_database(
        mut self,
        answer: impl FnMut(DatabaseRequest) -> Result<DatabaseRows, DatabaseError> + 's,
    ) -> Self {
        self.script.database = Box::new(answer);
        self
    }

    /// What each request to a source of the web comes to; unless said, the office has no source.
    #[must_use]
    pub fn on_http(mut self, answer: impl FnMut(HttpRequest) -> Result<HttpResponse, HttpError> + 's) -> Self {
        self.script.http = Box::new(answer);
        self
    }

    /// How each parking ends, by place and time in milliseconds; unless said, when its time is over.
    #[must_use]
    pub fn on_park(mut self, mut answer: impl FnMut(Option<u32>, u32) -> Result<ParkEnd, ParkError> + 's) -> Self {
        self.script.park = Box::new(move |(place, max_ms)| answer(place, max_ms));
        self
    }

    /// Who talked last with each number, in so many days; unless said, nobody.
    #[must_use]
    pub fn on_last_talk(
        mut self,
        mut answer: impl FnMut(String, u32) -> Result<Option<Talk>, HistoryError> + 's,
    ) -> Self {
        self.script.last_talk = Box::new(move |(number, days)| answer(number, days));
        self
    }

    /// What becomes of each mail; unless said, it is taken as `notice`.
    #[must_use]
    pub fn on_mail(mut self, answer: impl FnMut(MailRequest) -> Result<String, NoticeError> + 's) -> Self {
        self.script.mail = Box::new(answer);
        self
    }

    /// What becomes of each text message; unless said, it is taken as `notice`.
    #[must_use]
    pub fn on_text(mut self, answer: impl FnMut(TextRequest) -> Result<String, NoticeError> + 's) -> Self {
        self.script.text = Box::new(answer);
        self
    }

    /// What becomes of each document that is to be posted; unless said, it is taken as `notice`.
    #[must_use]
    pub fn on_post(mut self, answer: impl FnMut(OutgoingPost) -> Result<String, NoticeError> + 's) -> Self {
        self.script.post = Box::new(answer);
        self
    }

    /// Runs the action to its end, and checks what holds for every action.
    ///
    /// # Errors
    /// [`TestkitError::Diverged`] and [`TestkitError::Promise`] for the action's faults; the others for what kept it
    /// from running. An action that failed, trapped or met a limit is no error here: [`Report::end`] says so.
    pub fn finish(self) -> Result<Report, TestkitError> {
        let Self { testkit, parameters, grants, limits, info, began, seed, mut script } = self;
        let key = RunKey { call: CallId { office: office(), ulid: 1 }, run: RunId(0) };
        let component = testkit.installed().id();
        let spec =
            RunSpec { key, component, parameters, info, grants: Arc::new(grants), directory: None, limits, seed };
        let mut bench = Bench::new(testkit, began, spec)?;
        let report = bench.run(&mut script)?;
        bench.replayed(testkit)?;
        kept(testkit, &report)?;
        Ok(report)
    }
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("parameters", &self.parameters).finish_non_exhaustive()
    }
}

/// The host, its clock, and what it journaled.
struct Bench {
    runner: Runner,
    millis: Arc<AtomicU64>,
    spec: RunSpec,
    journal: Vec<JournalEvent>,
}

impl Bench {
    fn new(testkit: &Testkit, began: WallTime, spec: RunSpec) -> Result<Self, TestkitError> {
        let millis = Arc::new(AtomicU64::new(0));
        let (monotonic, wall) = (Arc::clone(&millis), Arc::clone(&millis));
        let clock = Clock::new(
            move || Time::from_millis(monotonic.load(Ordering::Relaxed)),
            move || WallTime(began.0.saturating_add_unsigned(wall.load(Ordering::Relaxed))),
        );
        let mut runner = Runner::new(Arc::clone(testkit.catalogue()), clock, RunnerLimits::default());
        runner.start(spec.clone()).map_err(|cause| TestkitError::Start(cause.to_string()))?;
        Ok(Self { runner, millis, spec, journal: Vec::new() })
    }

    fn run(&mut self, script: &mut Script<'_>) -> Result<Report, TestkitError> {
        let (mut calls, mut asked) = (Vec::new(), None);
        loop {
            match self.runner.poll_event() {
                Some(RunEvent::Journal { event, .. }) => {
                    if let JournalEvent::Begin { call, .. } = &event {
                        calls.push(call.clone());
                    }
                    self.journal.push(event);
                }
                Some(RunEvent::HostCall { n, call, .. }) => asked = Some((n, call)),
                Some(RunEvent::Ended { end, usage, .. }) => {
                    return Ok(Report { end, calls, variables: std::mem::take(&mut script.variables), usage });
                }
                None => {
                    let (n, call) = asked.take().ok_or(TestkitError::StandsStill(calls.len()))?;
                    self.wait();
                    self.runner.resume(&self.spec.key, n, script.answer(call));
                }
            }
        }
    }

    /// Lets the run wait so long that the host drops it; the answer rebuilds it.
    fn wait(&mut self) {
        self.millis.fetch_add(WAIT_MS, Ordering::Relaxed);
        while let Some(event) = self.runner.poll_event() {
            if let RunEvent::Journal { event, .. } = event {
                self.journal.push(event);
            }
        }
    }

    /// The same answers must lead to the same decisions.
    fn replayed(&self, testkit: &Testkit) -> Result<(), TestkitError> {
        let bytes = testkit.installed().bytes();
        let report = replay(testkit.catalogue(), bytes, &self.journal, &self.spec.key)?;
        match report.verdict {
            Verdict::Same | Verdict::StoppedByRecord => Ok(()),
            Verdict::CallDiffers { at, recorded, now } => {
                Err(TestkitError::Diverged(format!("host call {at} was {recorded:?}, now {now:?}")))
            }
            Verdict::EndDiffers { now } => Err(TestkitError::Diverged(format!("it ended, now as {now:?}"))),
        }
    }
}

/// What the manifest promises after an outcome is there.
fn kept(testkit: &Testkit, report: &Report) -> Result<(), TestkitError> {
    if let RunEnd::Diverged { at } = report.end {
        return Err(TestkitError::Diverged(format!("at host call {at}, when it was rebuilt")));
    }
    let Some(outcome) = report.outcome() else { return Ok(()) };
    for sets in &testkit.manifest().sets {
        let promised = sets.after.iter().any(|after| after == outcome);
        let assigned = report.variables.get(&sets.name).is_some_and(|value| value.value_type() == sets.value_type);
        if promised && !assigned {
            return Err(TestkitError::Promise { variable: sets.name.clone(), outcome: outcome.into() });
        }
    }
    Ok(())
}

impl Script<'_> {
    fn answer(&mut self, call: HostCall) -> HostResult {
        let gone = || if self.over { Err(CallError::CallerGone) } else { Ok(()) };
        match call {
            HostCall::Play { audio, options } => {
                let told = gone().and_then(|()| (self.play)((audio, options)));
                self.over |= told == Err(CallError::CallerGone);
                HostResult::Played(told)
            }
            HostCall::Collect(request) => {
                let told = gone().and_then(|()| (self.collect)(request));
                self.over |= told == Err(CallError::CallerGone);
                HostResult::Collected(told)
            }
            HostCall::Echo { max_ms } => {
                let told = gone().and_then(|()| (self.echo)(max_ms));
                self.over |= told == Err(CallError::CallerGone);
                HostResult::Done(told)
            }
            HostCall::NextEvent { timeout_ms } => {
                let told = gone().and_then(|()| (self.event)(timeout_ms));
                self.over |= told == Err(CallError::CallerGone);
                HostResult::Event(told)
            }
            HostCall::JoinConference(seat) => {
                let told = if self.over { Err(NotJoined::CallerGone) } else { (self.join)(seat) };
                self.over |= told == Err(NotJoined::CallerGone);
                HostResult::Conferred(told)
            }
            HostCall::Ring(request) => {
                let told = if self.over { Err(NotConnected::CallerGone) } else { (self.ring)(request) };
                self.over |= told == Err(NotConnected::CallerGone);
                HostResult::Rang(told)
            }
            HostCall::Record(call) => {
                let told = if self.over { Err(RecordError::CallerGone) } else { (self.record)(call) };
                self.over |= told == Err(RecordError::CallerGone);
                HostResult::Recorded(told)
            }
            HostCall::LeaveMessage(request) => {
                let told = if self.over { Err(MailboxError::CallerGone) } else { (self.leave)(request) };
                self.over |= told == Err(MailboxError::CallerGone);
                HostResult::MessageLeft(told)
            }
            HostCall::OpenMailbox(mailbox) => {
                let told = if self.over { Err(MailboxError::CallerGone) } else { (self.open)(mailbox) };
                self.over |= told == Err(MailboxError::CallerGone);
                HostResult::MailboxClosed(told)
            }
            HostCall::ReceiveFax(request) => {
                let told = if self.over { Err(FaxError::CallerGone) } else { (self.fax)(request) };
                self.over |= told == Err(FaxError::CallerGone);
                HostResult::Faxed(told)
            }
            HostCall::Park { place, max_ms } => {
                let told = gone().map_err(ParkError::Refused).and_then(|()| (self.park)((place, max_ms)));
                self.over |= told == Err(ParkError::Refused(CallError::CallerGone));
                HostResult::Parked(told)
            }
            HostCall::GetContact(id) => {
                HostResult::Contact(self.contacts.iter().find(|contact| contact.id == id.name).cloned())
            }
            HostCall::FindContact(number) => {
                HostResult::Contact(self.contacts.iter().find(|contact| contact.numbers.contains(&number)).cloned())
            }
            HostCall::Wait(request) => {
                let told = if self.over { Err(QueueError::CallerGone) } else { (self.wait)(request) };
                self.over |= told == Err(QueueError::CallerGone);
                HostResult::Waited(told)
            }
            HostCall::FindMembers { group, skill } => {
                let said = (self.members)((group.clone(), skill));
                HostResult::Members(said.or_else(|| self.members_of(&group)))
            }
            HostCall::LastTalk { number, days } => HostResult::Talked((self.last_talk)((number, days))),
            HostCall::Query(request) => HostResult::Queried((self.database)(request)),
            HostCall::Http(request) => HostResult::Responded((self.http)(request)),
            HostCall::SendMail(request) => HostResult::Noticed((self.mail)(request)),
            HostCall::SendText(request) => HostResult::Noticed((self.text)(request)),
            HostCall::PostLater(post) => HostResult::Noticed((self.post)(post)),
            HostCall::Answer => HostResult::Done(gone()),
            HostCall::HangUp(cause) => {
                let told = gone().and_then(|()| hang_up(&cause));
                self.over |= told.is_ok();
                HostResult::Done(told)
            }
            HostCall::FindUser(key) => HostResult::User(
                self.users.iter().find(|user| user.number == key || user.id.name.as_str() == key).cloned(),
            ),
            HostCall::FindGroup(key) => HostResult::Group(
                self.groups.iter().find(|group| group.number == key || group.id.name.as_str() == key).cloned(),
            ),
            HostCall::GetVariable(name) => HostResult::Value(self.variables.get(&name).cloned()),
            HostCall::SetVariable { name, value } => HostResult::Set(self.set(name, value)),
            HostCall::GetInfo
            | HostCall::Log { .. }
            | HostCall::Now
            | HostCall::RandomBytes(_)
            | HostCall::RandomBelow(_) => unreachable!("the host answers these itself"),
        }
    }

    fn members_of(&self, key: &str) -> Option<Vec<Candidate>> {
        let group = self.groups.iter().find(|group| group.number == key || group.id.name.as_str() == key)?;
        let count = group.members.len();
        let members = group.members.iter().enumerate().map(|(place, member)| {
            let idle_ms = u64::try_from(count - place).unwrap_or(0) * 1_000;
            Candidate { user: member.user.clone(), weight: member.weight, tier: 1, level: 0, idle_ms }
        });
        Some(members.collect())
    }

    fn set(&mut self, name: String, value: Value) -> Result<(), SetError> {
        if READ_ONLY.contains(&name.as_str()) {
            return Err(SetError::ReadOnly);
        }
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_');
        if !(1..=64).contains(&name.len())
            || !name.chars().all(allowed)
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err(SetError::BadName);
        }
        if let Value::Contact(named) = &value
            && !self.contacts.iter().any(|contact| contact.id == named.id.name)
        {
            return Err(SetError::Unknown);
        }
        match self.variables.get(&name) {
            Some(known) if known.value_type() != value.value_type() => {
                Err(SetError::WrongType(known.value_type().as_str().into()))
            }
            Some(_) | None => {
                self.variables.insert(name, value);
                Ok(())
            }
        }
    }
}

const fn no_fax() -> FaxReceived {
    FaxReceived { end: FaxOutcome::NoFax, pages: 0, sender: String::new(), document: None }
}

fn hang_up(cause: &Cause) -> Result<(), CallError> {
    if (300..=699).contains(&cause.status) {
        Ok(())
    } else {
        Err(CallError::Invalid(format!("sip-status {}: 300 to 699", cause.status)))
    }
}
