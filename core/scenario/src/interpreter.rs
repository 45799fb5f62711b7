//! The machine that runs a program for one call.

use crate::program::{Act, ListId, Menu, Parameter, Program, Run, Source};
use crate::template::to_json;
use crate::variables::Variables;
use crate::{ANSWER, Extension, FAILED, Input, Output, RunOutcome, ScenarioEnd};
use plugboard_model::{JournalEvent, RunId, SetError, Time, Value};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Steps that one call may take. A document has at most 2,000 and nothing loops but menus, ten times at most: a call
/// that comes here is caught in nested menus.
const STEPS_MAX: u32 = 10_000;
/// Actions that run beside the script: more than a few per call are a document's mistake.
const BESIDE_MAX: usize = 16;
/// The action that `menu` collects digits with, and the variable in which it leaves them.
pub(crate) const COLLECT: (&str, &str) = ("collect-digits", "digits");
/// The actions that put a caller through to an internal number.
pub(crate) const CALL_USER: &str = "call-user";
/// As [`CALL_USER`], for groups.
pub(crate) const CALL_GROUP: &str = "call-group";

/// Runs a program for one call: no clock, no random source, nothing but inputs decides what it does, so that feeding the
/// same inputs again gives the same outputs.
#[derive(Debug, Clone)]
pub struct Interpreter {
    program: Arc<Program>,
    variables: Variables,
    state: State,
    stack: Vec<Frame>,
    talk: Talk,
    beside: BTreeSet<RunId>,
    next_run: u32,
    steps_taken: u32,
    outbox: VecDeque<Output>,
    at: Time,
}

/// Where the script is.
#[derive(Debug, Clone, PartialEq)]
enum State {
    /// Nothing was told yet.
    New,
    /// A run of a step is awaited.
    Running { run: RunId, step: StepRef, purpose: Purpose },
    /// The owner of a dialled number is awaited.
    Finding { step: StepRef, tries: u8, number: String },
    /// The next step can be taken.
    Ready,
    /// The steps on the answer are done and the conversation goes on.
    Talking,
    /// Nothing comes any more.
    Ended,
}

/// Why a run was started.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Purpose {
    /// The step is this action.
    Step,
    /// A menu collects digits, for this many times already.
    Digits { tries: u8 },
    /// A menu puts the caller through.
    Extension,
}

/// A step of the program.
#[derive(Debug, Clone, Copy, PartialEq)]
struct StepRef {
    list: ListId,
    place: usize,
}

/// A list that is being worked through.
#[derive(Debug, Clone, PartialEq)]
struct Frame {
    list: ListId,
    next: usize,
    /// These are the steps on an answer: after them the conversation is awaited.
    answered: Option<Answered>,
}

/// What follows a conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Answered {
    /// The caller stays when the callee left.
    go_on: bool,
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
            state: State::New,
            stack: Vec::new(),
            talk: Talk::None,
            beside: BTreeSet::new(),
            next_run: 0,
            steps_taken: 0,
            outbox: VecDeque::new(),
            at: Time::ZERO,
        }
    }

    /// Takes one input; then read what is to be done with [`Interpreter::poll_output`].
    pub fn handle(&mut self, now: Time, input: Input) {
        self.at = self.at.max(now);
        match (self.state.clone(), input) {
            (State::New, Input::Start { variables }) => self.start(variables),
            (State::Running { run, step, purpose }, Input::RunEnded { run: ended, outcome, sets }) if run == ended => {
                self.take_sets(sets);
                self.run_ended(step, purpose, outcome);
            }
            (State::Finding { step, tries, number }, Input::ExtensionFound { number: found, extension })
                if number == found =>
            {
                self.extension_found(step, tries, &number, extension.as_ref());
            }
            (
                State::New | State::Running { .. } | State::Finding { .. } | State::Ready | State::Talking,
                Input::CallerGone,
            ) => {
                self.end(ScenarioEnd::CallerGone);
            }
            (State::Running { .. } | State::Finding { .. } | State::Ready | State::Talking, Input::Bridged) => {
                self.talk = Talk::Going;
            }
            (
                state @ (State::Running { .. } | State::Finding { .. } | State::Ready | State::Talking),
                Input::Unbridged,
            ) => {
                self.unbridged(&state);
            }
            (
                State::Running { .. } | State::Finding { .. } | State::Ready | State::Talking,
                Input::VariableSet { name, value },
            ) => {
                // Who assigns through the host was told by `assign`; replay cares for the effect alone.
                let _ = self.variables.assign(&name, value);
            }
            (
                State::Running { .. } | State::Finding { .. } | State::Ready | State::Talking,
                Input::RunEnded { run, sets, .. },
            ) => {
                if self.beside.remove(&run) {
                    self.take_sets(sets);
                }
            }
            // A late answer to a question that no longer stands changes nothing.
            (
                State::New
                | State::Running { .. }
                | State::Finding { .. }
                | State::Ready
                | State::Talking
                | State::Ended,
                Input::Start { .. }
                | Input::RunEnded { .. }
                | Input::VariableSet { .. }
                | Input::ExtensionFound { .. }
                | Input::Bridged
                | Input::Unbridged
                | Input::CallerGone
                // Steps at events come with the scenario's later words.
                | Input::Rang { .. }
                | Input::HungUp { .. }
                | Input::Held { .. }
                | Input::Resumed { .. },
            ) => {}
        }
        self.advance();
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop_front()
    }

    /// A variable's value; `None` when nothing assigned it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.variables.get(name)
    }

    /// Assigns a variable for a running action. The same as [`Input::VariableSet`], with an answer.
    ///
    /// # Errors
    /// [`SetError`], for the action.
    pub fn assign(&mut self, name: &str, value: Value) -> Result<(), SetError> {
        if self.state == State::Ended {
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

    /// Whether [`Output::Ended`] was put out.
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    fn start(&mut self, own: Vec<(String, Value)>) {
        for (name, value) in own {
            self.variables.set_own(&name, value);
        }
        self.stack.push(Frame { list: self.program.main, next: 0, answered: None });
        self.state = State::Ready;
    }

    /// Takes steps until one must be waited for.
    fn advance(&mut self) {
        let program = Arc::clone(&self.program);
        while self.state == State::Ready {
            let Some(frame) = self.stack.last_mut() else {
                self.script_done();
                return;
            };
            let at = StepRef { list: frame.list, place: frame.next };
            let Some(step) = program.list(at.list).get(at.place) else {
                self.list_done();
                continue;
            };
            frame.next += 1;
            self.steps_taken += 1;
            if self.steps_taken > STEPS_MAX {
                self.end(ScenarioEnd::Limit(format!("more than {STEPS_MAX} steps")));
                return;
            }
            self.journal(JournalEvent::Step { path: step.path.clone(), word: step.word.clone() });
            match &step.act {
                Act::Run(run) => self.run_step(at, &step.word, run),
                Act::If { all, conditions, then, otherwise } => {
                    let taken = self.choose(&step.path, *all, conditions);
                    self.push(if taken { *then } else { *otherwise });
                }
                Act::Set(assignments) => self.set(&step.path, assignments),
                Act::Menu(menu) => self.ask(at, menu, 0),
            }
        }
    }

    /// The last step is done. A conversation that an action began without the outcome `answer` goes on.
    fn script_done(&mut self) {
        match self.talk {
            Talk::Going => self.state = State::Talking,
            Talk::None | Talk::Over => self.end(ScenarioEnd::Finished),
        }
    }

    /// The end of a list: the next sibling follows, or the conversation is awaited first.
    fn list_done(&mut self) {
        let answered = self.stack.last().and_then(|frame| frame.answered);
        match (answered, self.talk) {
            // An "answer" without a conversation is an outcome like any other.
            (None, _) | (Some(_), Talk::None) => drop(self.stack.pop()),
            (Some(_), Talk::Going) => self.state = State::Talking,
            (Some(answered), Talk::Over) => self.conversation_over(answered),
        }
    }

    fn conversation_over(&mut self, answered: Answered) {
        if answered.go_on {
            self.talk = Talk::None;
            self.stack.pop();
            self.state = State::Ready;
        } else {
            self.end(ScenarioEnd::CalleeLeft);
        }
    }

    /// The callee left. Steps on the answer that still run are stopped with the script, unless the caller stays.
    fn unbridged(&mut self, state: &State) {
        if self.talk != Talk::Going {
            return;
        }
        self.talk = Talk::Over;
        let Some(answered) = self.stack.iter().find_map(|frame| frame.answered) else {
            // Either the script is done, or the action that rang the callee has not ended yet and its outcome decides.
            if *state == State::Talking {
                self.end(ScenarioEnd::CalleeLeft);
            }
            return;
        };
        if *state == State::Talking || !answered.go_on {
            self.conversation_over(answered);
        }
    }

    fn run_step(&mut self, at: StepRef, action: &str, run: &Run) {
        let parameters = run.parameters.iter().map(|(name, value)| (name.clone(), self.fill(value))).collect();
        let id = self.start_run(at, action, parameters);
        if run.blocking {
            self.state = State::Running { run: id, step: at, purpose: Purpose::Step };
            return;
        }
        self.beside.insert(id);
        if self.beside.len() > BESIDE_MAX {
            self.end(ScenarioEnd::Limit(format!("more than {BESIDE_MAX} actions beside the script")));
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

    fn run_ended(&mut self, at: StepRef, purpose: Purpose, outcome: RunOutcome) {
        let program = Arc::clone(&self.program);
        let Some(step) = program.list(at.list).get(at.place) else { return };
        let outcome = match outcome {
            RunOutcome::Named(name) => name,
            // The reason is in the journal already: the switch writes how a run ended.
            RunOutcome::Failed(_) => FAILED.into(),
        };
        self.state = State::Ready;
        match (&step.act, purpose) {
            (Act::Run(run), Purpose::Step) => {
                self.journal(JournalEvent::Decided { path: step.path.clone(), branch: outcome.clone() });
                // Even when it failed: the steps after it are written for calls that do not come here (R74).
                if run.ends_scenario {
                    self.end(ScenarioEnd::HungUp);
                    return;
                }
                self.outcome(&outcome, run.on.get(&outcome).copied(), Answered { go_on: run.go_on });
            }
            (Act::Menu(menu), Purpose::Digits { tries }) => self.digits(at, menu, tries, &outcome),
            (Act::Menu(menu), Purpose::Extension) => {
                self.journal(JournalEvent::Decided { path: step.path.clone(), branch: outcome.clone() });
                let steps = (outcome != ANSWER).then_some(menu.unanswered);
                self.outcome(&outcome, steps, Answered { go_on: false });
            }
            (Act::Run(_) | Act::If { .. } | Act::Set(_), Purpose::Digits { .. } | Purpose::Extension)
            | (Act::If { .. } | Act::Set(_) | Act::Menu(_), Purpose::Step) => {
                unreachable!("a run is started with the purpose of its own step")
            }
        }
    }

    fn outcome(&mut self, outcome: &str, steps: Option<ListId>, answered: Answered) {
        let talked = outcome == ANSWER && self.talk != Talk::None;
        if !talked {
            if self.talk == Talk::Over {
                self.talk = Talk::None;
            }
            if let Some(list) = steps {
                self.push(list);
            }
            return;
        }
        if self.talk == Talk::Over && !answered.go_on {
            self.end(ScenarioEnd::CalleeLeft);
            return;
        }
        // An empty list still stands for the conversation that is awaited.
        self.stack.push(Frame { list: steps.unwrap_or(ListId::NOTHING), next: 0, answered: Some(answered) });
    }

    fn choose(&mut self, path: &str, all: bool, conditions: &[crate::condition::Condition]) -> bool {
        let mut notes = Vec::new();
        let mut decide = |condition: &crate::condition::Condition| {
            condition.decide(|name| self.variables.get(name)).unwrap_or_else(|reason| {
                notes.push(format!("{path}: a condition counts as false: {reason}"));
                false
            })
        };
        let taken = if all { conditions.iter().all(&mut decide) } else { conditions.iter().any(&mut decide) };
        for note in notes {
            self.note(note);
        }
        let branch = if taken { "then" } else { "else" };
        self.journal(JournalEvent::Decided { path: path.into(), branch: branch.into() });
        taken
    }

    fn set(&mut self, path: &str, assignments: &[(String, Source)]) {
        for (name, source) in assignments {
            let value = match source {
                Source::Fixed(value) => value.clone(),
                Source::Text(template) => Value::Text(template.render(|name| self.variables.get(name))),
                Source::Variable(other) => {
                    let Some(value) = self.variables.get(other) else {
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

    /// Asks the caller of a menu, for the first time or again.
    fn ask(&mut self, at: StepRef, menu: &Menu, tries: u8) {
        self.variables.unassign(COLLECT.1);
        let parameters = menu.collect.iter().map(|(name, value)| (name.clone(), self.fill(value))).collect();
        let run = self.start_run(at, COLLECT.0, parameters);
        self.state = State::Running { run, step: at, purpose: Purpose::Digits { tries } };
    }

    /// What the caller keyed: a key of the menu, perhaps an internal number, or nothing.
    fn digits(&mut self, at: StepRef, menu: &Menu, tries: u8, outcome: &str) {
        let digits = match self.variables.get(COLLECT.1) {
            Some(Value::Text(digits)) if outcome != FAILED => digits.clone(),
            Some(_) | None => String::new(),
        };
        if digits.is_empty() {
            self.ask_again(at, menu, tries, "nothing", menu.nothing);
        } else if let Some(list) = menu.keys.get(&digits) {
            self.decided(at, &digits);
            self.push(*list);
        } else if menu.extensions {
            self.outbox.push_back(Output::FindExtension { number: digits.clone() });
            self.state = State::Finding { step: at, tries, number: digits };
        } else {
            self.ask_again(at, menu, tries, "invalid", menu.invalid);
        }
    }

    fn extension_found(&mut self, at: StepRef, tries: u8, number: &str, extension: Option<&Extension>) {
        let program = Arc::clone(&self.program);
        let Some(Act::Menu(menu)) = program.list(at.list).get(at.place).map(|step| &step.act) else {
            unreachable!("only a menu looks for an extension");
        };
        let (action, parameters) = match extension {
            Some(Extension::User(_)) => (CALL_USER, vec![("mode", "user"), ("target", number)]),
            Some(Extension::Group(_)) => (CALL_GROUP, vec![("group", number)]),
            None => {
                self.ask_again(at, menu, tries, "invalid", menu.invalid);
                return;
            }
        };
        self.decided(at, &format!("extension {number}"));
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), Json::from(value))).collect();
        let run = self.start_run(at, action, parameters);
        self.state = State::Running { run, step: at, purpose: Purpose::Extension };
    }

    /// Repeats the menu, or gives up with the steps for that.
    fn ask_again(&mut self, at: StepRef, menu: &Menu, tries: u8, why: &str, steps: ListId) {
        if tries < menu.repeats {
            self.decided(at, &format!("{why}, asked again"));
            self.ask(at, menu, tries + 1);
        } else {
            self.decided(at, why);
            self.state = State::Ready;
            self.push(steps);
        }
    }

    fn decided(&mut self, at: StepRef, branch: &str) {
        let path = self.program.list(at.list).get(at.place).map_or_else(String::new, |step| step.path.clone());
        self.journal(JournalEvent::Decided { path, branch: branch.into() });
    }

    fn push(&mut self, list: ListId) {
        self.stack.push(Frame { list, next: 0, answered: None });
        self.state = State::Ready;
    }

    fn take_sets(&mut self, sets: Vec<(String, Value)>) {
        for (name, value) in sets {
            match self.variables.assign(&name, value.clone()) {
                Ok(()) => self.journal(JournalEvent::Assigned { name, value }),
                Err(error) => self.note(format!("{name} could not be set: {error:?}")),
            }
        }
    }

    fn fill(&self, parameter: &Parameter) -> Json {
        match parameter {
            Parameter::Fixed(value) => value.clone(),
            Parameter::Text(template) => match template.only_variable().and_then(|name| self.variables.get(name)) {
                Some(value) => to_json(value),
                None => Json::from(template.render(|name| self.variables.get(name))),
            },
            Parameter::List(items) => items.iter().map(|item| self.fill(item)).collect(),
            Parameter::Map(entries) => {
                Json::Object(entries.iter().map(|(name, value)| (name.clone(), self.fill(value))).collect())
            }
        }
    }

    fn end(&mut self, end: ScenarioEnd) {
        if let State::Running { run, .. } = self.state {
            self.outbox.push_back(Output::CancelRun { run });
        }
        for run in std::mem::take(&mut self.beside) {
            self.outbox.push_back(Output::CancelRun { run });
        }
        self.stack.clear();
        self.state = State::Ended;
        self.outbox.push_back(Output::Ended(end));
    }

    fn journal(&mut self, event: JournalEvent) {
        self.outbox.push_back(Output::Journal(event));
    }

    fn note(&mut self, text: String) {
        self.journal(JournalEvent::Note { text });
    }
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
