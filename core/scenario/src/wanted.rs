//! What the steps of a program take out of answers of the outside, and which values lead each way: for those who make such answers up.

use crate::condition::Condition;
use crate::program::{Act, Parameter, Program, Run, Source};
use plugboard_model::{Value, ValueType};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Values of one variable that are worth an answer each.
const TRIED_MAX: usize = 8;

/// What one step takes out of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The source or database that it asks, by name.
    pub of: String,
    /// The query, of a database.
    pub query: Option<String>,
    /// What it takes.
    pub values: Vec<WantedValue>,
}

/// A variable, and where in the answer its value is.
#[derive(Debug, Clone, PartialEq)]
pub struct WantedValue {
    /// Its type.
    pub value_type: ValueType,
    /// A JSON pointer (RFC 6901), or a column.
    pub place: String,
    /// Values for which conditions are decided differently: texts, numbers, booleans; none when no condition asks for it.
    pub tried: Vec<Value>,
}

impl Program {
    /// What its steps take out of answers of services and databases, in the order of the steps. A step that takes nothing is there as well.
    pub fn wanted(&self) -> Vec<Wanted> {
        let runs =
            self.lists.iter().flatten().filter_map(|step| if let Act::Run(run) = &step.act { Some(run) } else { None });
        runs.filter_map(|run| self.wanted_by(run)).collect()
    }

    fn wanted_by(&self, run: &Run) -> Option<Wanted> {
        let of = text_of(run, "source").or_else(|| text_of(run, "database"))?;
        let query = text_of(run, "query");
        let into = run.parameters.iter().find(|(name, _)| name == "into").map(|(_, into)| into);
        let places: Vec<(String, String)> = match into {
            Some(Parameter::Fixed(Json::Object(into))) => {
                into.iter().filter_map(|(name, place)| Some((name.clone(), place.as_str()?.to_owned()))).collect()
            }
            Some(Parameter::Map(into)) => {
                into.iter().filter_map(|(name, place)| Some((name.clone(), plain(place)?))).collect()
            }
            Some(Parameter::Fixed(_) | Parameter::Text(_) | Parameter::List(_)) | None => Vec::new(),
        };
        let value = |(name, place): (String, String)| {
            let value_type = self.variables.get(&name).map_or(ValueType::Text, |(value_type, _)| *value_type);
            WantedValue { value_type, place, tried: self.deciding(&name, value_type) }
        };
        Some(Wanted { of, query, values: places.into_iter().map(value).collect() })
    }

    /// Values of a variable for which its conditions, and those of its copies, are decided differently.
    fn deciding(&self, name: &str, value_type: ValueType) -> Vec<Value> {
        let names = self.copies(name);
        let mut tried = Vec::new();
        for condition in self.conditions().filter(|condition| condition.uses().iter().any(|used| names.contains(used)))
        {
            let candidates = candidates(condition, value_type);
            let decides = |wanted: bool| {
                let holds =
                    |value: &&Value| condition.decide(|used| names.contains(used).then_some(*value)) == Ok(wanted);
                candidates.iter().find(holds)
            };
            let found: Vec<Value> = [decides(true), decides(false)].into_iter().flatten().cloned().collect();
            // One that other variables decide as well cannot be decided here: all that it speaks of may matter.
            let found = if found.is_empty() { candidates } else { found };
            for value in found {
                if !tried.contains(&value) {
                    tried.push(value);
                }
            }
        }
        tried.truncate(TRIED_MAX);
        tried
    }

    /// The variable, and those that are set to it.
    fn copies(&self, name: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::from([name.to_owned()]);
        loop {
            let before = names.len();
            for step in self.lists.iter().flatten() {
                let Act::Set(assignments) = &step.act else { continue };
                for (to, source) in assignments {
                    if matches!(source, Source::Variable(from) if names.contains(from)) {
                        names.insert(to.clone());
                    }
                }
            }
            if names.len() == before {
                return names;
            }
        }
    }

    fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.lists.iter().flatten().flat_map(|step| match &step.act {
            Act::If { conditions, .. } => conditions.as_slice(),
            Act::Repeat { until, .. } => until.as_slice(),
            Act::Run(_)
            | Act::When { .. }
            | Act::Menu(_)
            | Act::Scenario(_)
            | Act::Set(_)
            | Act::Event { .. }
            | Act::Stream(_) => &[],
        })
    }
}

fn text_of(run: &Run, name: &str) -> Option<String> {
    run.parameters.iter().find(|(own, _)| own == name).and_then(|(_, value)| plain(value))
}

/// A text without variables.
fn plain(parameter: &Parameter) -> Option<String> {
    match parameter {
        Parameter::Fixed(Json::String(text)) => Some(text.clone()),
        Parameter::Text(template) => template.plain().map(ToOwned::to_owned),
        Parameter::Fixed(_) | Parameter::List(_) | Parameter::Map(_) => None,
    }
}

/// Values of a type that a condition may tell apart: what it compares with, what is next to that, and something else.
fn candidates(condition: &Condition, value_type: ValueType) -> Vec<Value> {
    let literals = condition.literals();
    let numbers =
        literals.iter().filter_map(|literal| if let Value::Number(number) = literal { Some(*number) } else { None });
    let numbers: Vec<i64> =
        numbers.flat_map(|number| [number, number.saturating_sub(1), number.saturating_add(1)]).collect();
    let texts =
        literals.iter().filter_map(|literal| if let Value::Text(text) = literal { Some(text.clone()) } else { None });
    let texts: Vec<String> = texts.collect();
    match value_type {
        ValueType::Number => numbers.into_iter().chain([1, 0]).map(Value::Number).collect(),
        ValueType::Boolean => vec![Value::Boolean(true), Value::Boolean(false)],
        ValueType::Text => {
            let numbers = numbers.iter().map(ToString::to_string);
            texts.into_iter().chain(numbers).chain([OTHER.to_owned(), String::new()]).map(Value::Text).collect()
        }
        ValueType::User | ValueType::Group | ValueType::Contact => texts.into_iter().map(Value::Text).collect(),
        ValueType::Texts => {
            let lists = texts.into_iter().map(|text| vec![text]).chain([Vec::new(), vec![OTHER.to_owned()]]);
            lists.map(Value::Texts).collect()
        }
        // No answer has any.
        ValueType::Time | ValueType::Users => Vec::new(),
    }
}

/// A text that no condition speaks of: a number that nobody has (Ofcom keeps it for plays), so that it can be dialled.
const OTHER: &str = "+442079460001";
