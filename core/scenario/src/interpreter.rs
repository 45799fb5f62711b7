//! The machine that runs a program for one call.

mod events;
mod menu;
mod rounds;
mod strand;

use crate::condition::Condition;
use crate::program::{Act, ListId, Parameter, Program, Run, Source};
use crate::template::to_json;
use crate::variables::Variables;
use crate::{ANSWER, DENIED, FAILED, Input, Occasion, Output, RunOutcome, ScenarioEnd, Talker};
use events::Armed;
use plugboard_model::{JournalEvent, RunId, SetError, Time, Value, WallTime};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use strand::{Answered, Frame, Place, Purpose, State, StepRef, Strand};

/// Steps that the script of one call may take. A document has at most 2,000; menus loop ten times at most and `repeat` a hundred: a call
/// that comes here is caught in nested ones.
const STEPS_MAX: u32 = 10_000;
/// Actions that run beside the script: more than a few per call are a document's mistake.
const BESIDE_MAX: usize = 16;
/// The action that `menu` collects digits with, and the variable in which it leaves them.
pub(crate) const COLLECT: (&str, &str) = ("collect-digits", "digits");
/// The actions that put a caller through to an internal number.
pub(crate) const CALL_USER: &str = "call-user";
/// As [`CALL_USER`], for groups.
pub(crate) const CALL_GROUP: &str = "call-group";
/// The actions that name people whom a scenario calls.
pub(crate) const NAMING: [&str; 3] = [CALL_USER, CALL_GROUP, "call-responsible"];
/// Where the script stands among the strands, as long as it is not over.
const MAIN: usize = 0;

/// Runs a program for one call: no clock, no random source, nothing but inputs decides what it does, so that feeding the
/// same inputs again gives the same outputs.
#[derive(Debug, Clone)]
pub struct Interpreter {
    program: Arc<Program>,
    variables: Variables,
    /// The script, then what runs beside it. Once the script is over: the steps on the hanging up.
    strands: Vec<Strand>,
    armed: Vec<Armed>,
    talk: Talk,
    /// Who hung up last.
    left: Option<Talker>,
    /// Where the steps stand that have named people, with their last run.
    named: BTreeMap<Vec<(usize, usize)>, RunId>,
    /// Actions that no strand waits for.
    beside: BTreeSet<RunId>,
    first_run: u32,
    next_run: u32,
    steps_taken: u32,
    steps_beside: u32,
    started: bool,
    end: Option<ScenarioEnd>,
    closed: bool,
    outbox: VecDeque<Output>,
    at: Time,
    /// When the call began, by both clocks.
    began: (Time, WallTime),
}

/// The conversation, as the call machine tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Talk {
    None,
    Going,
    Over,
}

impl Interpreter {
    /// A call that has not begun.
    pub fn new(program: Arc<Program>) -> Self {
        let mut variables = Variables::new(program.office().clone());
        for (name, (value_type, value)) in &program.variables {
            variables.declare(name, *value_type, value.clone());
        }
        Self {
            program,
            variables,
            strands: Vec::new(),
            armed: Vec::new(),
            talk: Talk::None,
            left: None,
            named: BTreeMap::new(),
            beside: BTreeSet::new(),
            first_run: 0,
            next_run: 0,
            steps_taken: 0,
            steps_beside: 0,
            started: false,
            end: None,
            closed: false,
            outbox: VecDeque::new(),
            at: Time::ZERO,
            began: (Time::ZERO, WallTime::default()),
        }
    }

    /// Its runs are numbered from here on: another one has run in the call before.
    #[must_use]
    pub fn from_run(mut self, first: RunId) -> Self {
        (self.first_run, self.next_run) = (first.0, first.0);
        self
    }

    /// The number of the run that it begins next.
    pub const fn next_run(&self) -> RunId {
        RunId(self.next_run)
    }

    /// Whether it has begun this run.
    pub fn has_begun(&self, run: RunId) -> bool {
        (self.first_run..self.next_run).contains(&run.0)
    }

    /// The runs that have named people above the step that this run is of: of its earlier siblings, of the steps that it is within and of
    /// the earlier siblings of these, as far as they were taken. Of a step that was taken often, the last one.
    pub fn above(&self, run: RunId) -> Vec<RunId> {
        let Some(here) = self.strands.iter().find(|strand| strand.awaits() == Some(run)).map(Strand::path) else {
            return Vec::new();
        };
        self.named.iter().filter(|(there, _)| is_above(there, &here)).map(|(_, run)| *run).collect()
    }

    /// Takes one input; then read what is to be done with [`Interpreter::poll_output`].
    pub fn handle(&mut self, now: Time, input: Input) {
        self.at = self.at.max(now);
        if self.closed {
            return;
        }
        match input {
            Input::Start { wall, variables } => self.start(wall, variables),
            Input::RunEnded { run, outcome, sets } => self.any_run_ended(run, outcome, sets),
            Input::ExtensionFound { number: found, extension } => {
                let asked = self.strands.iter().enumerate().find_map(|(strand, one)| match &one.state {
                    State::Finding { step, tries, number } if *number == found => Some((strand, (*step, *tries))),
                    State::Finding { .. } | State::Running { .. } | State::Ready | State::Talking | State::Done => None,
                });
                // A late answer to a question that no longer stands changes nothing.
                if let Some((strand, at)) = asked {
                    self.extension_found(strand, at, &found, extension.as_ref());
                }
            }
            Input::VariableSet { name, value } => {
                if self.started {
                    // Who assigns through the host was told by `assign`; replay cares for the effect alone.
                    let _ = self.variables.assign(&name, value);
                }
            }
            Input::Bridged => {
                if self.goes_on() {
                    self.talk = Talk::Going;
                }
            }
            Input::Unbridged => self.unbridged(),
            Input::CallerGone => self.finish(ScenarioEnd::CallerGone),
            Input::Rang { whom } => self.happened(Occasion::Ringing, Some(&whom), None),
            Input::HungUp { by } => self.left = Some(by),
            Input::Held { by, whom } => self.happened(Occasion::Hold, Some(&by), whom.as_ref()),
            Input::Resumed { by, whom } => self.happened(Occasion::Resume, Some(&by), whom.as_ref()),
            Input::FaxHeard => self.happened(Occasion::Fax, None, None),
            Input::AgentNamed { name } => self.variables.set_own("agent_name", Value::Text(name)),
            Input::TimeOver => {
                if self.end.is_some() {
                    self.note("the time for steps after the call is over".into());
                    self.cancel_all();
                }
            }
        }
        self.advance();
    }

    /// Whether steps wait for this.
    pub fn waits_for(&self, occasion: Occasion) -> bool {
        self.armed.iter().any(|armed| armed.occasion == occasion)
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outbox.pop_front();
        if self.outbox.is_empty() {
            // A script that waits keeps no room for outputs.
            self.outbox = VecDeque::new();
        }
        output
    }

    /// A variable's value; `None` when nothing assigned it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.variables.get(name)
    }

    /// A variable's value as a running action reads it: at an event it also knows who did it.
    pub fn read(&self, run: RunId, name: &str) -> Option<&Value> {
        let strand = self.strands.iter().find(|strand| strand.awaits() == Some(run));
        strand.and_then(|strand| own(strand, name)).or_else(|| self.variables.get(name))
    }

    /// Assigns a variable for a running action. The same as [`Input::VariableSet`], with an answer.
    ///
    /// # Errors
    /// [`SetError`], for the action.
    pub fn assign(&mut self, name: &str, value: Value) -> Result<(), SetError> {
        if self.closed {
            return Err(SetError::ReadOnly);
        }
        self.variables.assign(name, value)
    }

    /// Every assigned variable, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.variables.iter()
    }

    /// The program that runs.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// When the last input came.
    pub fn at(&self) -> Time {
        self.at
    }

    /// Whether [`Output::Ended`] was put out: nothing but steps on the hanging up runs.
    pub fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether [`Output::Closed`] was put out: nothing runs any more.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn goes_on(&self) -> bool {
        self.started && self.end.is_none()
    }

    fn start(&mut self, wall: WallTime, own: Vec<(String, Value)>) {
        if self.started || self.end.is_some() {
            return;
        }
        self.started = true;
        self.began = (self.at, wall);
        for (name, value) in own {
            self.variables.set_own(&name, value);
        }
        self.strands.push(Strand::new(Place::Main, self.program.main, Vec::new()));
    }

    fn any_run_ended(&mut self, run: RunId, outcome: RunOutcome, sets: Vec<(String, Value)>) {
        let waiting = self.strands.iter().enumerate().find_map(|(strand, one)| match one.state {
            State::Running { run: own, step, purpose } if own == run => Some((strand, step, purpose)),
            State::Running { .. } | State::Finding { .. } | State::Ready | State::Talking | State::Done => None,
        });
        if waiting.is_none() && !self.beside.remove(&run) {
            return;
        }
        self.take_sets(sets);
        if let Some((strand, step, purpose)) = waiting {
            self.run_ended(strand, step, purpose, outcome);
        }
    }

    /// Takes steps until every strand must wait.
    fn advance(&mut self) {
        let mut strand = 0;
        while strand < self.strands.len() {
            let ended = self.end.is_some();
            self.advance_strand(strand);
            // The end of the script takes every other strand away, and may bring new ones.
            strand = if self.end.is_some() == ended { strand + 1 } else { 0 };
        }
        self.strands.retain(|strand| strand.state != State::Done);
        if self.end.is_some() && self.strands.is_empty() && self.beside.is_empty() && !self.closed {
            self.closed = true;
            self.outbox.push_back(Output::Closed);
        }
    }

    /// Takes the steps of one strand until it must wait, or the script is over.
    fn advance_strand(&mut self, strand: usize) {
        let program = Arc::clone(&self.program);
        let ended = self.end.is_some();
        while self.end.is_some() == ended && self.is_ready(strand) {
            let Some(frame) = self.strands.get_mut(strand).and_then(|strand| strand.stack.last_mut()) else {
                self.strand_done(strand);
                return;
            };
            let at = StepRef { list: frame.list, place: frame.next };
            let Some(step) = program.list(at.list).get(at.place) else {
                self.list_done(strand);
                continue;
            };
            frame.next += 1;
            if !self.may_step(strand) {
                return;
            }
            self.journal(JournalEvent::Step { path: step.path.clone(), word: step.word.clone() });
            match &step.act {
                Act::Run(run) => self.run_step(strand, at, &step.word, run),
                Act::If { all, conditions, then, otherwise } => {
                    let taken = self.choose(strand, &step.path, *all, conditions);
                    self.push(strand, if taken { *then } else { *otherwise });
                }
                Act::When { schedule, then, otherwise } => {
                    let taken = self.is_time(&step.path, schedule);
                    self.push(strand, if taken { *then } else { *otherwise });
                }
                Act::Repeat { list, .. } | Act::Scenario(list) => self.push(strand, *list),
                Act::Set(assignments) => self.set(strand, &step.path, assignments),
                Act::Menu(menu) => self.ask(strand, at, menu, 0),
                Act::Event { occasion, list } => {
                    self.arm(Armed { occasion: *occasion, list: *list, path: step.path.clone() });
                }
                Act::Stream(list) => {
                    let own = self.strands.get(strand).map(|strand| strand.own.clone()).unwrap_or_default();
                    self.begin_beside(*list, &step.path, "begins", own);
                }
            }
        }
    }

    /// Counts a step. One too many ends the call, or the stream or event that takes it.
    fn may_step(&mut self, strand: usize) -> bool {
        match self.place(strand) {
            Place::Main => {
                self.steps_taken += 1;
                if self.steps_taken <= STEPS_MAX {
                    return true;
                }
                self.finish(ScenarioEnd::Limit(format!("more than {STEPS_MAX} steps")));
            }
            Place::Beside => {
                if self.may_step_beside() {
                    return true;
                }
                self.note("streams and events have taken too many steps".into());
                self.set_state(strand, State::Done);
            }
        }
        false
    }

    /// The last step is done. A conversation that an action began without the outcome `answer` goes on.
    fn strand_done(&mut self, strand: usize) {
        match (self.place(strand), self.talk) {
            (Place::Main, Talk::Going) => self.set_state(strand, State::Talking),
            (Place::Main, Talk::None | Talk::Over) => self.finish(ScenarioEnd::Finished),
            (Place::Beside, Talk::None | Talk::Going | Talk::Over) => self.set_state(strand, State::Done),
        }
    }

    /// The end of a list: the next sibling follows, or the conversation is awaited first.
    fn list_done(&mut self, strand: usize) {
        let answered = self.strands.get(strand).and_then(|strand| strand.stack.last()?.answered);
        match (answered, self.talk) {
            // An "answer" without a conversation is an outcome like any other.
            (None, _) => self.round_done(strand),
            (Some(_), Talk::None) => self.pop(strand),
            (Some(_), Talk::Going) => self.set_state(strand, State::Talking),
            (Some(answered), Talk::Over) => self.conversation_over(strand, answered),
        }
    }

    fn conversation_over(&mut self, strand: usize, answered: Answered) {
        if answered.go_on {
            self.talk = Talk::None;
            self.pop(strand);
            self.set_state(strand, State::Ready);
            self.conversation_ended(answered.hang_up);
        } else {
            self.finish(ScenarioEnd::CalleeLeft);
        }
    }

    /// The callee left. Steps on the answer that still run are stopped with the script, unless the caller stays.
    fn unbridged(&mut self) {
        if self.talk != Talk::Going || !self.goes_on() {
            return;
        }
        self.talk = Talk::Over;
        let Some(main) = self.strands.get(MAIN) else { return };
        let talking = main.state == State::Talking;
        let Some(answered) = main.stack.iter().find_map(|frame| frame.answered) else {
            // Either the script is done, or the action that rang the callee has not ended yet and its outcome decides.
            if talking {
                self.finish(ScenarioEnd::CalleeLeft);
            }
            return;
        };
        if talking || !answered.go_on {
            self.conversation_over(MAIN, answered);
        }
    }

    fn run_step(&mut self, strand: usize, at: StepRef, action: &str, run: &Run) {
        let parameters = run.parameters.iter().map(|(name, value)| (name.clone(), self.fill(strand, value))).collect();
        let id = self.start_run(at, action, parameters);
        if let Some(strand) = self.strands.get(strand).filter(|_| NAMING.contains(&action)) {
            self.named.insert(strand.path(), id);
        }
        if run.blocking {
            self.set_state(strand, State::Running { run: id, step: at, purpose: Purpose::Step });
            return;
        }
        self.beside.insert(id);
        if self.beside.len() > BESIDE_MAX {
            self.finish(ScenarioEnd::Limit(format!("more than {BESIDE_MAX} actions beside the script")));
        }
    }

    fn start_run(&mut self, at: StepRef, action: &str, parameters: Map<String, Json>) -> RunId {
        let run = RunId(self.next_run);
        self.next_run += 1;
        let path = self.program.list(at.list).get(at.place).map_or_else(String::new, |step| step.path.clone());
        let parameters = Json::Object(parameters).to_string();
        self.outbox.push_back(Output::StartRun { run, action: action.into(), parameters, path });
        run
    }

    fn run_ended(&mut self, strand: usize, at: StepRef, purpose: Purpose, outcome: RunOutcome) {
        let program = Arc::clone(&self.program);
        let Some(step) = program.list(at.list).get(at.place) else { return };
        let outcome = match outcome {
            RunOutcome::Named(name) => name,
            // The reason is in the journal already: the switch writes how a run ended.
            RunOutcome::Failed(_) => FAILED.into(),
            RunOutcome::Denied(_) => DENIED.into(),
        };
        self.set_state(strand, State::Ready);
        match (&step.act, purpose) {
            (Act::Run(run), Purpose::Step) => {
                self.journal(JournalEvent::Decided { path: step.path.clone(), branch: outcome.clone() });
                // Even when it failed: the steps after it are written for calls that do not come here (R74).
                if run.ends_scenario {
                    self.finish(ScenarioEnd::HungUp);
                    return;
                }
                let answered = Answered { go_on: run.go_on, hang_up: run.hang_up };
                let own = run.on.get(&outcome).or_else(|| run.on.get(FAILED).filter(|_| outcome == DENIED));
                self.outcome(strand, &outcome, own.copied(), answered);
            }
            (Act::Menu(menu), Purpose::Digits { tries }) => self.digits(strand, at, menu, tries, &outcome),
            (Act::Menu(menu), Purpose::Extension) => {
                self.journal(JournalEvent::Decided { path: step.path.clone(), branch: outcome.clone() });
                let steps = (outcome != ANSWER).then_some(menu.unanswered);
                self.outcome(strand, &outcome, steps, Answered { go_on: false, hang_up: None });
            }
            (
                Act::Run(_)
                | Act::If { .. }
                | Act::When { .. }
                | Act::Scenario(_)
                | Act::Repeat { .. }
                | Act::Set(_)
                | Act::Event { .. }
                | Act::Stream(_),
                Purpose::Digits { .. } | Purpose::Extension,
            )
            | (
                Act::If { .. }
                | Act::When { .. }
                | Act::Scenario(_)
                | Act::Repeat { .. }
                | Act::Set(_)
                | Act::Menu(_)
                | Act::Event { .. }
                | Act::Stream(_),
                Purpose::Step,
            ) => {
                unreachable!("a run is started with the purpose of its own step")
            }
        }
    }

    /// The conversation belongs to the script: beside it an answer is an outcome like any other.
    fn outcome(&mut self, strand: usize, outcome: &str, steps: Option<ListId>, answered: Answered) {
        let main = self.place(strand) == Place::Main;
        let talked = main && outcome == ANSWER && self.talk != Talk::None;
        if !talked {
            if main && self.talk == Talk::Over {
                self.talk = Talk::None;
            }
            if let Some(list) = steps {
                self.push(strand, list);
            }
            return;
        }
        // An empty list still stands for the conversation that is awaited.
        let list = steps.unwrap_or(ListId::NOTHING);
        self.push_frame(strand, Frame { answered: Some(answered), ..Frame::of(list) });
        if self.talk == Talk::Over && !answered.go_on {
            self.finish(ScenarioEnd::CalleeLeft);
        }
    }

    fn choose(&mut self, strand: usize, path: &str, all: bool, conditions: &[Condition]) -> bool {
        let mut decide = |condition: &Condition| self.decides(strand, path, condition);
        let taken = if all { conditions.iter().all(&mut decide) } else { conditions.iter().any(&mut decide) };
        let branch = if taken { "then" } else { "else" };
        self.journal(JournalEvent::Decided { path: path.into(), branch: branch.into() });
        taken
    }

    /// What cannot be decided counts as false, and the journal tells why.
    fn decides(&mut self, strand: usize, path: &str, condition: &Condition) -> bool {
        condition.decide(|name| self.value(strand, name)).unwrap_or_else(|reason| {
            self.note(format!("{path}: a condition counts as false: {reason}"));
            false
        })
    }

    fn set(&mut self, strand: usize, path: &str, assignments: &[(String, Source)]) {
        for (name, source) in assignments {
            let value = match source {
                Source::Fixed(value) => value.clone(),
                Source::Text(template) => Value::Text(template.render(|name| self.value(strand, name))),
                Source::Variable(other) => {
                    let Some(value) = self.value(strand, other) else {
                        self.note(format!("{path}: {other} has no value, {name} keeps its own"));
                        continue;
                    };
                    value.clone()
                }
            };
            match self.variables.assign(name, value.clone()) {
                Ok(()) => self.journal(JournalEvent::Assigned { name: name.clone(), value }),
                Err(error) => self.note(format!("{path}: {name} could not be set: {error:?}")),
            }
        }
    }

    fn decided(&mut self, at: StepRef, branch: &str) {
        let path = self.program.list(at.list).get(at.place).map_or_else(String::new, |step| step.path.clone());
        self.journal(JournalEvent::Decided { path, branch: branch.into() });
    }

    fn push(&mut self, strand: usize, list: ListId) {
        self.push_frame(strand, Frame::of(list));
        self.set_state(strand, State::Ready);
    }

    fn push_frame(&mut self, strand: usize, frame: Frame) {
        if let Some(strand) = self.strands.get_mut(strand) {
            strand.stack.push(frame);
        }
    }

    fn pop(&mut self, strand: usize) {
        if let Some(strand) = self.strands.get_mut(strand) {
            strand.stack.pop();
        }
    }

    fn set_state(&mut self, strand: usize, state: State) {
        if let Some(strand) = self.strands.get_mut(strand) {
            strand.state = state;
        }
    }

    fn place(&self, strand: usize) -> Place {
        self.strands.get(strand).map_or(Place::Beside, |strand| strand.place)
    }

    fn is_ready(&self, strand: usize) -> bool {
        self.strands.get(strand).is_some_and(|strand| strand.state == State::Ready)
    }

    /// A variable as the steps of a strand read it.
    fn value(&self, strand: usize, name: &str) -> Option<&Value> {
        self.strands.get(strand).and_then(|strand| own(strand, name)).or_else(|| self.variables.get(name))
    }

    fn take_sets(&mut self, sets: Vec<(String, Value)>) {
        for (name, value) in sets {
            match self.variables.assign(&name, value.clone()) {
                Ok(()) => self.journal(JournalEvent::Assigned { name, value }),
                Err(error) => self.note(format!("{name} could not be set: {error:?}")),
            }
        }
    }

    fn fill(&self, strand: usize, parameter: &Parameter) -> Json {
        match parameter {
            Parameter::Fixed(value) => value.clone(),
            Parameter::Text(template) => match template.only_variable().and_then(|name| self.value(strand, name)) {
                Some(value) => to_json(value),
                None => Json::from(template.render(|name| self.value(strand, name))),
            },
            Parameter::List(items) => items.iter().map(|item| self.fill(strand, item)).collect(),
            Parameter::Map(entries) => {
                Json::Object(entries.iter().map(|(name, value)| (name.clone(), self.fill(strand, value))).collect())
            }
        }
    }

    fn journal(&mut self, event: JournalEvent) {
        self.outbox.push_back(Output::Journal(event));
    }

    fn note(&mut self, text: String) {
        self.journal(JournalEvent::Note { text });
    }
}

/// Whether a step stands above another one: the lists and places down to each.
fn is_above(there: &[(usize, usize)], here: &[(usize, usize)]) -> bool {
    let differs = there.iter().zip(here).find(|(one, other)| one != other);
    match differs {
        Some((one, other)) => one.0 == other.0 && one.1 < other.1,
        // One is within the other: what stands below it, of an earlier round, is not above.
        None => there.len() < here.len(),
    }
}

/// What only the steps of this strand know.
fn own<'s>(strand: &'s Strand, name: &str) -> Option<&'s Value> {
    strand.own.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
}

impl ListId {
    /// The list without steps, which every program has at this place.
    pub(crate) const NOTHING: Self = Self(0);
}

/// Feeds the inputs of a call to a new interpreter: the outputs of a call that ran the same program are the same.
pub fn replay(program: &Arc<Program>, inputs: impl IntoIterator<Item = (Time, Input)>) -> Vec<Output> {
    let mut interpreter = Interpreter::new(Arc::clone(program));
    let mut outputs = Vec::new();
    for (at, input) in inputs {
        interpreter.handle(at, input);
        outputs.extend(std::iter::from_fn(|| interpreter.poll_output()));
    }
    outputs
}
