//! Scenarios that run others: their steps are part of the program.

use super::{Compiler, near_or, read_value};
use crate::document::{self, Document};
use crate::flow::{Flow, Types};
use crate::program::{Act, ListId, Source, Step};
use plugboard_document::Faults;
use std::sync::Arc;

/// Scenarios that run each other: whoever reads a trace has to follow them.
const RUNS_DEPTH_MAX: usize = 8;
/// Places at which a program runs scenarios, those of the scenarios that it runs counted each time.
const RUNS_MAX: usize = 256;
/// Steps of a program, those of the scenarios that it runs counted each time.
const RUN_STEPS_MAX: usize = 20_000;

/// How a fault ends that tells of a round: each of its scenarios is told it, since none of them has a fault of its own.
const NEVER_END: &str = ": they never end";

impl Compiler<'_> {
    /// The steps of another scenario, in this one's program: what it declares is shared, what is given to it must have a value here.
    pub(super) fn scenario(&mut self, step: &document::Step, name: &str, flow: &mut Flow) -> Option<ListId> {
        let refuse = |compiler: &mut Self, reason: String, remedy: String| {
            compiler.faults.add(step.at, &step.path, reason, remedy);
            None
        };
        if let Some(place) = self.running.iter().position(|running| running == name) {
            let round = self.running.iter().skip(place).map(String::as_str).collect::<Vec<_>>().join(" runs ");
            return refuse(self, format!("{round} runs {name}{NEVER_END}"), "use repeat".into());
        }
        if self.running.len() > RUNS_DEPTH_MAX {
            return refuse(self, format!("scenarios run each other deeper than {RUNS_DEPTH_MAX}"), String::new());
        }
        self.runs += 1;
        if self.runs > RUNS_MAX {
            return self.too_many(step);
        }
        let Some(document) = self.resolver.scenario(name) else {
            let known = self.resolver.scenarios();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let remedy = near_or(name, &known, || format!("scenarios are {}", known.join(", ")));
            return refuse(self, format!("the office has no scenario {name:?}"), remedy);
        };
        for variable in document.variables.iter().filter(|variable| variable.given) {
            self.types.uses(&variable.name, step.at, &step.path, flow, &mut self.faults);
        }
        let mut own = Faults::new(Arc::clone(&document.file));
        let mut inner = Compiler {
            catalogue: self.catalogue,
            resolver: self.resolver,
            types: Types::collect(&document, self.catalogue, self.resolver, true, &mut own),
            faults: own,
            lists: std::mem::take(&mut self.lists),
            prefix: format!("{}{}.{name}.", self.prefix, step.path),
            running: self.running.iter().cloned().chain([name.to_owned()]).collect(),
            ran: std::mem::take(&mut self.ran),
            runs: self.runs,
            told: false,
        };
        let defaults = inner.defaults(&document, flow);
        let list = inner.list(&document.steps, flow);
        let Compiler { faults, lists, ran, runs, .. } = inner;
        (self.lists, self.ran, self.runs) = (lists, ran, runs);
        let steps: usize = self.lists.iter().map(Vec::len).sum();
        self.ran.insert(name.to_owned(), document);
        if self.runs > RUNS_MAX {
            return self.too_many(step);
        }
        let faults = faults.into_sorted();
        if let Some(round) = faults.iter().find(|fault| fault.reason.ends_with(NEVER_END)) {
            return refuse(self, round.reason.clone(), "use repeat".into());
        }
        if !faults.is_empty() {
            // They are told with the scenario itself; what this one lacks they do not lack there.
            return refuse(self, format!("the scenario {name} has faults of its own"), "mend it first".into());
        }
        if steps > RUN_STEPS_MAX {
            let reason = format!("with the scenarios that it runs this one has more than {RUN_STEPS_MAX} steps");
            return refuse(self, reason, "split it".into());
        }
        match defaults {
            Some(step) => {
                let path = step.path.clone();
                self.lists.push(vec![step, Step { path, word: "run".into(), act: Act::Scenario(list) }]);
                Some(ListId(self.lists.len() - 1))
            }
            None => Some(list),
        }
    }

    fn too_many(&mut self, step: &document::Step) -> Option<ListId> {
        if self.prefix.is_empty() && !std::mem::replace(&mut self.told, true) {
            let reason = format!("scenarios are run at more than {RUNS_MAX} places from here on");
            self.faults.add(step.at, &step.path, reason, "split it");
        }
        None
    }

    /// The step that gives a scenario's variables their values at its beginning.
    fn defaults(&mut self, document: &Document, flow: &mut Flow) -> Option<Step> {
        let mut list = Vec::new();
        for variable in &document.variables {
            let value = variable.default.as_ref().and_then(|node| read_value(node, variable.value_type, self.resolver));
            if let Some(value) = value {
                flow.assign(&variable.name);
                list.push((variable.name.clone(), Source::Fixed(value)));
            }
        }
        let path = self.prefix.trim_end_matches('.').to_owned();
        (!list.is_empty()).then(|| Step { path, word: "set".into(), act: Act::Set(list) })
    }
}
