//! What runs of actions ask of the call, and what they are told.

use actix::Context;
use plugboard_call::{Input, Op, Request};
use plugboard_model::{
    CallError, FaxError, HostCall, HostResult, JournalEvent, Mailbox, MailboxError, NotConnected, NotJoined, ParkError,
    QueueError, RecordError, RunEnd, RunId, Target,
};
use plugboard_office::Internal;
use plugboard_plugin::{Directory, RunKey, RunSpec, RunUsage};
use plugboard_scenario::{Extension, Input as ScriptInput, Output as ScriptOutput, RunOutcome};
use std::sync::Arc;
use std::time::Duration;

use super::{CallActor, Rung};
use crate::directory::OfficeDirectory;

impl CallActor {
    pub(super) fn run_key(&self, run: RunId) -> RunKey {
        RunKey { call: self.id.clone(), run }
    }

    /// Carries out what the scenario wants.
    pub(super) fn carry_script(&mut self, output: ScriptOutput, ctx: &mut Context<Self>) {
        match output {
            ScriptOutput::StartRun { run, action, parameters, path } => {
                self.start_run(run, &action, parameters, &path, ctx);
            }
            ScriptOutput::CancelRun { run } => {
                if let Some(waiting) = self.runs.remove(&run) {
                    self.env.plugins.cancel(self.run_key(run));
                    if let Some(n) = waiting {
                        self.feed(Input::Cancel { op: Op::Run { run, n } }, ctx);
                        self.mailbox_cancelled(Op::Run { run, n }, ctx);
                        self.queue_cancelled(run, ctx);
                    }
                }
            }
            ScriptOutput::FindExtension { number } => {
                let extension = self.office.internal(&number).map(|owner| match owner {
                    Internal::User(user) => Extension::User(user.clone()),
                    Internal::Group(group) => Extension::Group(group.clone()),
                });
                self.feed_script(ScriptInput::ExtensionFound { number, extension }, ctx);
            }
            ScriptOutput::Journal(event) => self.journal.note(self.now(), event),
            ScriptOutput::Ended(_) => self.feed(Input::ScenarioEnded, ctx),
            // The call looks whether anything runs before it goes.
            ScriptOutput::Closed => {}
        }
    }

    fn start_run(&mut self, run: RunId, action: &str, parameters: String, path: &str, ctx: &mut Context<Self>) {
        let configuration = &self.snapshot.configuration;
        let Some(installed) = configuration.actions.get(action) else {
            let outcome = RunOutcome::Failed(format!("the action {action} is not installed"));
            return self.feed_script(ScriptInput::RunEnded { run, outcome, sets: Vec::new() }, ctx);
        };
        let route = self.scripts.route_of(run);
        let grants = configuration.grants.get(&self.office.id, route, action);
        let lacks = match &grants {
            None => Some("is not enabled".to_owned()),
            Some(grants) => {
                let missing = installed.manifest().capabilities.iter().find(|capability| !grants.has(**capability));
                missing.map(|capability| format!("is not granted the capability {capability}"))
            }
        };
        if let Some(lacks) = lacks {
            let by = route.map_or_else(|| "here".to_owned(), |route| format!("for calls of the route {}", route.name));
            let why = format!("the action {action} {lacks} {by}");
            tracing::warn!(call_id = %self.id, why, "an action was denied");
            self.journal.note(self.now(), JournalEvent::Note { text: format!("{path}: denied: {why}") });
            let outcome = RunOutcome::Denied(why);
            // Whoever carries this out asks for what follows: a script of nothing but such steps goes no deeper.
            return self.scripts.handle(self.now(), &ScriptInput::RunEnded { run, outcome, sets: Vec::new() });
        }
        let spec = RunSpec {
            key: self.run_key(run),
            component: installed.id(),
            parameters,
            info: self.info(),
            grants: grants.unwrap_or_else(|| Arc::new(plugboard_plugin::Grants::none())),
            directory: Some(Arc::new(self.directory())),
            limits: configuration.limits,
            seed: self.env.random.next(),
        };
        self.components.insert(run, Arc::clone(installed));
        // The groups that steps of the past name are nothing to the scenario that decides.
        if !self.scripts.is_past(run) {
            self.note_groups(run, &spec.parameters);
        }
        match self.env.plugins.start(spec) {
            Ok(()) => {
                self.runs.insert(run, None);
            }
            Err(error) => {
                self.components.remove(&run);
                let outcome = RunOutcome::Failed(error.to_string());
                self.feed_script(ScriptInput::RunEnded { run, outcome, sets: Vec::new() }, ctx);
            }
        }
    }

    pub(super) fn run_ended(&mut self, run: RunId, end: RunEnd, usage: RunUsage, ctx: &mut Context<Self>) {
        self.count_run(run, &end, usage);
        self.components.remove(&run);
        if self.runs.remove(&run).is_none() {
            return;
        }
        let outcome = match end {
            RunEnd::Outcome(outcome) => RunOutcome::Named(outcome),
            RunEnd::Failed(reason) => RunOutcome::Failed(reason),
            RunEnd::Trapped { reason, .. } => RunOutcome::Failed(format!("it trapped: {reason}")),
            RunEnd::Limit { limit, .. } => RunOutcome::Failed(format!("it exceeded its limit {limit}")),
            RunEnd::Diverged { at } => RunOutcome::Failed(format!("it diverged from its journal at host call {at}")),
            RunEnd::Cancelled => return,
        };
        self.feed_script(ScriptInput::RunEnded { run, outcome, sets: Vec::new() }, ctx);
    }

    /// Answers a host call, or has the call machine answer it.
    pub(super) fn host_call(&mut self, op: Op, call: HostCall, ctx: &mut Context<Self>) {
        let past = matches!(op, Op::Run { run, .. } if self.scripts.is_past(run));
        if let Some(gone) = caller_gone(&call).filter(|_| past) {
            return self.resume(op, gone);
        }
        let request = match call {
            HostCall::Answer => Request::Answer,
            HostCall::Play { audio, options } => Request::Play { audio, options },
            HostCall::Collect(request) => Request::Collect(request),
            HostCall::Echo { max_ms } => Request::Echo { max: millis(max_ms) },
            HostCall::JoinConference(seat) => Request::Confer(seat),
            HostCall::ReceiveFax(request) => Request::ReceiveFax(request),
            HostCall::NextEvent { timeout_ms } => Request::NextEvent { timeout: millis(timeout_ms) },
            HostCall::Park { place, max_ms } => match self.step_parks(place, max_ms, ctx) {
                Ok(asked) => asked,
                Err(why) => return self.resume(op, HostResult::Parked(Err(why))),
            },
            HostCall::HangUp(cause) => Request::HangUp(cause),
            HostCall::Ring(request) => match self.ring(&request) {
                Ok(asked) => {
                    let rung = self.mailbox_of(&request.targets);
                    let group = matches!(op, Op::Run { run, .. } if self.serves_a_group(run));
                    self.rung = if group { Rung::Members } else { Rung::Themselves };
                    self.rings_for(op);
                    if !group {
                        self.at_mailbox.rings(rung);
                    }
                    asked
                }
                Err(why) => return self.resume(op, HostResult::Rang(Err(why))),
            },
            // The plugin thread answers these itself, from the same directory.
            HostCall::FindUser(which) => {
                return self.resume(op, HostResult::User(self.directory().find_user(&which)));
            }
            HostCall::FindGroup(which) => {
                return self.resume(op, HostResult::Group(self.directory().find_group(&which)));
            }
            HostCall::FindContact(number) => return self.find_contact(op, number, ctx),
            HostCall::GetContact(id) => return self.resume(op, HostResult::Contact(self.contact(&id))),
            HostCall::FindMembers { group, skill } => {
                let members = self.directory().find_members(&group, skill.as_ref());
                return self.resume(op, HostResult::Members(members));
            }
            HostCall::Wait(request) => return self.wait_in_queue(op, request, ctx),
            HostCall::GetVariable(name) => {
                let run = if let Op::Run { run, .. } = op { Some(run) } else { None };
                let value = run.and_then(|run| self.scripts.read(run, &name).cloned());
                return self.resume(op, HostResult::Value(value));
            }
            HostCall::Http(request) => return self.ask_web(op, request, ctx),
            HostCall::Query(request) => return self.ask_database(op, request, ctx),
            HostCall::SendMail(request) => return self.send_mail(op, &request, ctx),
            HostCall::SendText(request) => return self.send_text(op, &request, ctx),
            HostCall::PostLater(document) => return self.post_later(op, document, ctx),
            HostCall::LastTalk { number, days } => return self.look_back(op, &number, days, ctx),
            HostCall::Record(call) => {
                return self.record_call(op, call, ctx);
            }
            HostCall::LeaveMessage(request) => return self.leave_message(op, request, ctx),
            HostCall::OpenMailbox(mailbox) => return self.open_mailbox(op, mailbox, ctx),
            HostCall::SetVariable { name, value } => return self.set_variable(op, &name, value, ctx),
            HostCall::GetInfo => return self.resume(op, HostResult::Info(self.info())),
            HostCall::Log { .. } => return self.resume(op, HostResult::Unit),
            HostCall::Now => return self.resume(op, HostResult::Now(self.env.clock.wall())),
            HostCall::RandomBytes(_) | HostCall::RandomBelow(_) => {
                unreachable!("the plugin host draws random numbers itself and never asks the switch for them")
            }
        };
        self.feed(Input::Request { op, request }, ctx);
    }

    /// The mailbox of the only one who is rung.
    fn mailbox_of(&self, targets: &[Target]) -> Option<Mailbox> {
        match targets {
            [Target::User(user)] => Some(Mailbox::User(user.clone())),
            [Target::Group(group)] => Some(Mailbox::Group(group.clone())),
            [Target::Number(number)] => self.office.find_mailbox(number),
            [Target::Phones(phones)] => Some(Mailbox::User(phones.user.clone())),
            [Target::Line(_) | Target::Address(_)] | [] | [_, _, ..] => None,
        }
    }

    pub(super) fn directory(&self) -> OfficeDirectory {
        OfficeDirectory {
            office: Arc::clone(&self.office),
            snapshot: Arc::clone(&self.snapshot),
            clock: Arc::clone(&self.env.clock),
            shown: self.begin.caller_gateway.clone().map(|gateway| (gateway, self.begin.caller.clone())),
        }
    }

    /// Hands on what the call machine answers.
    pub(super) fn answer(&mut self, op: Op, result: HostResult, ctx: &mut Context<Self>) {
        if op == Op::Voicemail {
            return self.mailbox_heard(result, ctx);
        }
        if op == Op::Queue {
            return self.queue_heard(result, ctx);
        }
        if op == Op::Errand {
            return self.errand_answered(&result, ctx);
        }
        let result = self.announced(op, result);
        self.resume(op, result);
    }

    /// Whether a run waits for this very answer: what comes later than another one finds nobody.
    pub(super) fn waits_at(&self, op: Op) -> bool {
        matches!(op, Op::Run { run, n } if self.runs.get(&run) == Some(&Some(n)))
    }

    /// Gives a run its answer. One whose thread cannot take it is over for this call: its outcome is `failed`, and
    /// what the scenario wants then is carried out by the next [`CallActor::pump`].
    pub(super) fn resume(&mut self, op: Op, result: HostResult) {
        let Op::Run { run, n } = op else { return };
        let Some(waiting) = self.runs.get_mut(&run) else { return };
        *waiting = None;
        if self.env.plugins.resume(self.run_key(run), n, result) {
            return;
        }
        tracing::error!(call_id = %self.id, run = run.0, "the plugin thread cannot take an answer");
        self.env.plugins.cancel(self.run_key(run));
        self.runs.remove(&run);
        let outcome = RunOutcome::Failed("the plugin thread cannot take an answer".into());
        self.scripts.handle(self.now(), &ScriptInput::RunEnded { run, outcome, sets: Vec::new() });
    }

    pub(super) fn count_run_event(&self, event: &JournalEvent) {
        if let JournalEvent::Begin { run, call, .. } = event {
            self.count_host_call(*run, call);
        } else if let JournalEvent::PutAway { run, n } = event {
            self.count_put_away(*run, *n);
        }
    }
}

/// What the last steps of a scenario that decides no longer are told: its caller is another one's. `None`: it concerns nobody but
/// themselves.
fn caller_gone(call: &HostCall) -> Option<HostResult> {
    let gone = CallError::CallerGone;
    Some(match call {
        HostCall::Answer | HostCall::Echo { .. } | HostCall::HangUp(_) => HostResult::Done(Err(gone)),
        HostCall::Play { .. } => HostResult::Played(Err(gone)),
        HostCall::Collect(_) => HostResult::Collected(Err(gone)),
        HostCall::NextEvent { .. } => HostResult::Event(Err(gone)),
        HostCall::Park { .. } => HostResult::Parked(Err(ParkError::Refused(gone))),
        HostCall::Ring(_) => HostResult::Rang(Err(NotConnected::CallerGone)),
        HostCall::JoinConference(_) => HostResult::Conferred(Err(NotJoined::CallerGone)),
        HostCall::Record(_) => HostResult::Recorded(Err(RecordError::CallerGone)),
        HostCall::LeaveMessage(_) => HostResult::MessageLeft(Err(MailboxError::CallerGone)),
        HostCall::OpenMailbox(_) => HostResult::MailboxClosed(Err(MailboxError::CallerGone)),
        HostCall::ReceiveFax(_) => HostResult::Faxed(Err(FaxError::CallerGone)),
        HostCall::Wait(_) => HostResult::Waited(Err(QueueError::CallerGone)),
        HostCall::GetInfo
        | HostCall::Http(_)
        | HostCall::Query(_)
        | HostCall::LastTalk { .. }
        | HostCall::SendMail(_)
        | HostCall::SendText(_)
        | HostCall::PostLater(_)
        | HostCall::FindUser(_)
        | HostCall::FindGroup(_)
        | HostCall::FindContact(_)
        | HostCall::GetContact(_)
        | HostCall::FindMembers { .. }
        | HostCall::GetVariable(_)
        | HostCall::SetVariable { .. }
        | HostCall::Log { .. }
        | HostCall::Now
        | HostCall::RandomBytes(_)
        | HostCall::RandomBelow(_) => return None,
    })
}

pub(super) fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}
