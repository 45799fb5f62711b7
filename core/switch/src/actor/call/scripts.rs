//! The scenarios of a call: the one that decides, and those that decided before it.
//!
//! Who is handed on to a scenario, or whose call a forward leads to one, begins anew with it. The one before is over then; its steps on
//! the hanging up run to their end, and the call answers nothing that they ask of it.

use actix::Context;
use plugboard_call::{Input, Led, Op};
use plugboard_model::{
    CallInfo, HostResult, JournalEvent, LegId, Mailbox, RouteId, RunId, ScenarioId, SetError, Time, UserId, Value,
};
use plugboard_scenario::{Input as ScriptInput, Interpreter, Occasion, Output as ScriptOutput, Talker};
use std::collections::BTreeMap;

use super::CallActor;

/// Between the last run that a scenario has begun when another takes its place, and that one's first: the steps of the one before on the
/// hanging up take no more (`STEPS_MAX` of the interpreter).
const RUNS_APART: u32 = 10_000;

/// The scenarios of a call.
#[derive(Default)]
pub(super) struct Scripts {
    current: Option<Interpreter>,
    /// Those whose last steps still run: as many as a call is handed on. None of these steps waits for anybody (`caller_gone` in
    /// `host.rs`); what is left of them when the call is over has the time of its own last steps.
    past: Vec<Interpreter>,
    /// What was dialled for the one that decides.
    called: Option<String>,
    /// The number of the next one's first run: a run's is its own in the whole call.
    next_run: u32,
    /// By which route each was reached: that says what its steps may do.
    routes: BTreeMap<ScenarioId, RouteId>,
}

impl Scripts {
    pub(super) fn new(first: Option<(Interpreter, RouteId)>) -> Self {
        let mut scripts = Self::default();
        if let Some((script, route)) = first {
            scripts.routes.insert(script.program().id().clone(), route);
            scripts.current = Some(script);
        }
        scripts
    }

    /// The runs that have named people above the step of this one.
    pub(super) fn above(&self, run: RunId) -> Vec<RunId> {
        self.current
            .iter()
            .chain(&self.past)
            .find(|script| script.has_begun(run))
            .map(|script| script.above(run))
            .unwrap_or_default()
    }

    /// The scenario that a run is of.
    pub(super) fn scenario_of(&self, run: RunId) -> Option<&ScenarioId> {
        let script = self.current.iter().chain(&self.past).find(|script| script.has_begun(run))?;
        Some(script.program().id())
    }

    /// The route by which the scenario was reached that a run is of.
    pub(super) fn route_of(&self, run: RunId) -> Option<&RouteId> {
        let script = self.current.iter().chain(&self.past).find(|script| script.has_begun(run))?;
        self.routes.get(script.program().id())
    }

    /// The call tells all that happens to the one that decides. What comes of a run or of a question is for whoever asked.
    pub(super) fn handle(&mut self, now: Time, input: &ScriptInput) {
        let (asked, all) = match input {
            ScriptInput::RunEnded { run, .. } => (self.is_past(*run), false),
            ScriptInput::ExtensionFound { .. } | ScriptInput::TimeOver => (false, true),
            ScriptInput::Start { .. }
            | ScriptInput::VariableSet { .. }
            | ScriptInput::Bridged
            | ScriptInput::Unbridged
            | ScriptInput::CallerGone
            | ScriptInput::Rang { .. }
            | ScriptInput::HungUp { .. }
            | ScriptInput::Held { .. }
            | ScriptInput::Resumed { .. }
            | ScriptInput::FaxHeard
            | ScriptInput::AgentNamed { .. } => (false, false),
        };
        if asked || all {
            for past in &mut self.past {
                past.handle(now, input.clone());
            }
        }
        if let Some(current) = self.current.as_mut().filter(|_| !asked) {
            current.handle(now, input.clone());
        }
    }

    /// What they want. That one of the past is over tells the call nothing.
    pub(super) fn outputs(&mut self) -> Vec<ScriptOutput> {
        let mut wanted = Vec::new();
        for past in &mut self.past {
            let last = std::iter::from_fn(|| past.poll_output());
            wanted.extend(last.filter(|output| !matches!(output, ScriptOutput::Ended(_) | ScriptOutput::Closed)));
        }
        self.past.retain(|past| !past.is_closed());
        wanted.extend(std::iter::from_fn(|| self.current.as_mut().and_then(Interpreter::poll_output)));
        wanted
    }

    /// Whether nothing runs any more.
    pub(super) fn are_closed(&self) -> bool {
        self.current.iter().chain(&self.past).all(Interpreter::is_closed)
    }

    /// Whether the one that decides was begun by a transfer.
    pub(super) const fn is_handed_on(&self) -> bool {
        self.called.is_some()
    }

    /// Whether steps of the one that decides wait for this.
    pub(super) fn wait_for(&self, occasion: Occasion) -> bool {
        self.current.as_ref().is_some_and(|script| script.waits_for(occasion))
    }

    /// Whether a run is of one that decides no longer.
    pub(super) fn is_past(&self, run: RunId) -> bool {
        self.past.iter().any(|past| past.has_begun(run))
    }

    /// A variable, as a run may read it.
    pub(super) fn read(&self, run: RunId, name: &str) -> Option<&Value> {
        self.current.iter().chain(&self.past).find(|script| script.has_begun(run))?.read(run, name)
    }

    fn assign(&mut self, run: RunId, name: &str, value: Value) -> Result<(), SetError> {
        let mut all = self.current.iter_mut().chain(&mut self.past);
        all.find(|script| script.has_begun(run)).ok_or(SetError::ReadOnly)?.assign(name, value)
    }

    /// Another one decides from now on, or none.
    fn replace(&mut self, now: Time, next: Option<Interpreter>) {
        if let Some(mut before) = self.current.take() {
            before.handle(now, ScriptInput::CallerGone);
            // Its last steps may begin as many as it has begun, and no call has so many.
            self.next_run = before.next_run().0.saturating_add(RUNS_APART);
            self.past.push(before);
        }
        self.current = next.map(|next| next.from_run(RunId(self.next_run)));
    }
}

impl CallActor {
    /// A forward of this user, or a transfer by him, leads to a scenario. One that is not in force has no steps.
    pub(super) fn begin_scenario(
        &mut self,
        Led { scenario, route }: Led,
        by: Option<UserId>,
        called: Option<String>,
        ctx: &mut Context<Self>,
    ) {
        let program = self.snapshot.configuration.programs.get(&scenario).cloned();
        self.scripts.routes.insert(scenario.clone(), route);
        self.payer = by;
        self.scripts.called = called;
        self.at_mailbox.rings_anew();
        self.listens_for_fax_anew();
        self.scripts.replace(self.now(), program.map(Interpreter::new));
        if self.scripts.current.is_none() {
            tracing::warn!(call_id = %self.id, %scenario, "a call is sent on to a scenario that is not in force: it lacks an action");
            return self.feed(Input::ScenarioEnded, ctx);
        }
        self.journal.script_begins();
        self.start_script(ctx);
    }

    /// A transfer leads to a mailbox.
    pub(super) fn enter_mailbox(&mut self, mailbox: Option<Mailbox>, ctx: &mut Context<Self>) {
        self.listens_for_fax_anew();
        self.scripts.replace(self.now(), None);
        self.guest_hears_mailbox(mailbox, ctx);
    }

    /// Lets the scenario begin, if there is one.
    pub(super) fn start_script(&mut self, ctx: &mut Context<Self>) {
        let Some(script) = &self.scripts.current else { return };
        let program = script.program();
        let route = self.begin.route.clone().unwrap_or_default();
        let (scenario, version) = (program.id().clone(), program.version());
        self.journal.note(self.now(), JournalEvent::Routed { route, scenario, version });
        let variables = self.switch_variables();
        let wall = self.env.clock.wall();
        self.feed_script(ScriptInput::Start { wall, variables }, ctx);
    }

    pub(super) fn feed_script(&mut self, input: ScriptInput, ctx: &mut Context<Self>) {
        let now = self.now();
        self.scripts.handle(now, &input);
        self.pump(ctx);
    }

    /// Whatever waits for the caller is told that he is gone.
    pub(super) fn caller_gone(&mut self, ctx: &mut Context<Self>) {
        self.mailbox_left(ctx);
        self.queue_left();
        self.feed_script(ScriptInput::CallerGone, ctx);
    }

    pub(super) fn set_variable(&mut self, op: Op, name: &str, value: Value, ctx: &mut Context<Self>) {
        let result = match op {
            Op::Run { run, .. } => self.known(value).and_then(|value| self.scripts.assign(run, name, value)),
            Op::Direct | Op::Transfer | Op::Voicemail | Op::Queue | Op::Errand => Err(SetError::ReadOnly),
        };
        self.resume(op, HostResult::Set(result));
        self.pump(ctx);
    }

    /// A value with all that the office knows of the contact in it.
    fn known(&self, value: Value) -> Result<Value, SetError> {
        let Value::Contact(named) = &value else { return Ok(value) };
        let found = self.known_contact(&named.id).ok_or(SetError::Unknown)?;
        Ok(Value::Contact(Box::new(found)))
    }

    // ---- what they see --------------------------------------------------------------------------------------

    /// Whom the scenario is about, when he is a user: the caller, or who was handed on to it.
    pub(super) fn guest(&self) -> Option<&UserId> {
        match self.call.guest() {
            LegId::CALLER => self.begin.caller_user.as_ref(),
            guest => self.call.party(guest).and_then(|(user, _)| user),
        }
    }

    /// ... as his number and name.
    pub(super) fn guest_shown(&self) -> (String, String) {
        match self.call.guest() {
            LegId::CALLER => (self.begin.caller.clone(), self.begin.caller_name.clone()),
            guest => {
                let shown = self.shown(guest);
                (shown.number, shown.name)
            }
        }
    }

    pub(super) fn called(&self) -> &str {
        self.scripts.called.as_ref().unwrap_or(&self.begin.called)
    }

    pub(super) fn info(&self) -> CallInfo {
        let (caller_number, caller_name) = self.guest_shown();
        CallInfo {
            id: self.id.to_string(),
            caller_number,
            caller_name,
            caller_user: self.guest().cloned(),
            called_number: self.called().to_owned(),
            language: self.office.language.clone(),
        }
    }

    /// A leg as scenarios see it.
    pub(super) fn talker(&self, leg: LegId) -> Talker {
        let user = self.call.party(leg).and_then(|(user, _)| user.cloned());
        Talker { user, number: self.shown(leg).number }
    }

    fn switch_variables(&self) -> Vec<(String, Value)> {
        let (number, name) = self.guest_shown();
        let mut variables = vec![
            ("caller_number".to_owned(), Value::Text(number)),
            ("caller_name".to_owned(), Value::Text(name)),
            ("called_number".to_owned(), Value::Text(self.called().to_owned())),
            ("call_id".to_owned(), Value::Text(self.id.to_string())),
            ("language".to_owned(), Value::Text(self.office.language.clone())),
            ("agent_name".to_owned(), Value::Text(self.told_agent.clone())),
        ];
        if let Some(user) = self.guest() {
            variables.push(("caller_user".to_owned(), Value::User(user.clone())));
        }
        variables
    }
}
