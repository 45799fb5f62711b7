//! A checked scenario, ready to run.

use crate::Occasion;
use crate::condition::Condition;
use crate::template::Template;
use plugboard_calendar::Schedule;
use plugboard_model::{OfficeId, ScenarioId, Value, ValueType, WallTime};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt;

/// A checked scenario: immutable, shared by `Arc` among the calls that run it. A call finishes on the one it began with.
#[derive(Debug)]
pub struct Program {
    pub(crate) id: ScenarioId,
    pub(crate) version: [u8; 32],
    pub(crate) title: String,
    pub(crate) variables: BTreeMap<String, (ValueType, Option<Value>)>,
    pub(crate) lists: Vec<Vec<Step>>,
    pub(crate) main: ListId,
    pub(crate) needs: Vec<String>,
    pub(crate) silence: Option<Vec<String>>,
}

/// A list of steps of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListId(pub(crate) usize);

/// A step of the program.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) path: String,
    pub(crate) word: String,
    pub(crate) act: Act,
}

#[derive(Debug)]
pub(crate) enum Act {
    Run(Run),
    If {
        all: bool,
        conditions: Vec<Condition>,
        then: ListId,
        otherwise: ListId,
    },
    When {
        schedule: Schedule,
        then: ListId,
        otherwise: ListId,
    },
    Menu(Menu),
    /// The steps of another scenario.
    Scenario(ListId),
    Repeat {
        times: u32,
        until: Option<Condition>,
        list: ListId,
    },
    Set(Vec<(String, Source)>),
    /// Steps that run beside the script whenever something happens.
    Event {
        occasion: Occasion,
        list: ListId,
    },
    /// Steps that run beside the script from now on.
    Stream(ListId),
}

/// A run of an action.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) parameters: Vec<(String, Parameter)>,
    pub(crate) on: BTreeMap<String, ListId>,
    /// Steps that run beside it when whom it calls rings.
    pub(crate) ringing: Option<ListId>,
    /// Steps that run beside the rest when the conversation that it began is over.
    pub(crate) hang_up: Option<ListId>,
    pub(crate) go_on: bool,
    pub(crate) blocking: bool,
    pub(crate) ends_scenario: bool,
}

/// A parameter: templates are filled in when the step runs.
#[derive(Debug, Clone)]
pub(crate) enum Parameter {
    Fixed(Json),
    Text(Template),
    List(Vec<Parameter>),
    Map(Vec<(String, Parameter)>),
}

/// Where a variable's new value comes from.
#[derive(Debug)]
pub(crate) enum Source {
    Fixed(Value),
    Text(Template),
    Variable(String),
}

/// A key menu.
#[derive(Debug)]
pub(crate) struct Menu {
    /// Parameters of the action that collects the digits.
    pub(crate) collect: Vec<(String, Parameter)>,
    pub(crate) keys: BTreeMap<String, ListId>,
    pub(crate) extensions: bool,
    pub(crate) repeats: u8,
    pub(crate) invalid: ListId,
    pub(crate) nothing: ListId,
    pub(crate) unanswered: ListId,
}

impl Program {
    /// Which scenario this is.
    pub fn id(&self) -> &ScenarioId {
        &self.id
    }

    /// The office it belongs to.
    pub fn office(&self) -> &OfficeId {
        &self.id.office
    }

    /// SHA-256 of the document's canonical form, and of those of the scenarios that it runs: layout, comments and the order of keys, but for those of `set`, do not
    /// change it.
    pub fn version(&self) -> [u8; 32] {
        self.version
    }

    /// The variables that whoever runs it gives their values: a call cannot begin with a scenario that has some.
    pub fn needs(&self) -> &[String] {
        &self.needs
    }

    /// What is decided on a way from its beginning to its end on which the caller hears nothing and nobody is rung for him: he would be refused
    /// without anybody knowing why. `None`: there is no such way.
    pub fn silence(&self) -> Option<&[String]> {
        self.silence.as_deref()
    }

    /// For people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The path and the word of each of its steps, those of the scenarios that it runs as well, once for each place.
    pub fn steps(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lists.iter().flatten().map(|step| (step.path.as_str(), step.word.as_str()))
    }

    /// What each of its menus takes: the keys that have steps, and whether internal numbers are put through.
    pub fn menus(&self) -> impl Iterator<Item = (Vec<&str>, bool)> {
        self.lists.iter().flatten().filter_map(|step| match &step.act {
            Act::Menu(menu) => Some((menu.keys.keys().map(String::as_str).collect(), menu.extensions)),
            Act::Run(_)
            | Act::If { .. }
            | Act::When { .. }
            | Act::Scenario(_)
            | Act::Repeat { .. }
            | Act::Set(_)
            | Act::Event { .. }
            | Act::Stream(_) => None,
        })
    }

    /// The moments after one and up to another at which one of its questions of the clock is answered anew.
    pub fn clock_changes(&self, after: WallTime, until: WallTime) -> Vec<WallTime> {
        let steps = self.lists.iter().flatten();
        let asked =
            steps.filter_map(|step| if let Act::When { schedule, .. } = &step.act { Some(schedule) } else { None });
        asked.flat_map(|schedule| schedule.changes(after, until)).collect()
    }

    /// What its questions of the clock are answered at this moment, in their order.
    pub fn clock_says(&self, wall: WallTime) -> Vec<bool> {
        let steps = self.lists.iter().flatten();
        steps
            .filter_map(
                |step| if let Act::When { schedule, .. } = &step.act { Some(schedule.holds(wall)) } else { None },
            )
            .collect()
    }

    pub(crate) fn list(&self, id: ListId) -> &[Step] {
        self.lists.get(id.0).map_or(&[], Vec::as_slice)
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@", self.id)?;
        self.version.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
