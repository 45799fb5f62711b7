//! Calls that are written in a file, the same for actions of every language: what the caller and the office do, and what is expected.
//!
//! ```yaml
//! - name: the caller presses 2
//!   parameters: { prompt: menu }
//!   answers:
//!     call.collect: ["2"]
//!   expect:
//!     outcome: chosen
//!     variables: { key: "2" }
//!     calls: [call.collect menu, variables.set key]
//! ```

use crate::{Testkit, TestkitError, user};
use plugboard_model::{
    CallError, CallEvent, CallInfo, Cause, CollectEnd, Collected, Connected, HostCall, HttpError, HttpResponse,
    NotConnected, PlayEnd, UserId, Value, WallTime,
};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

/// Calls in one file.
const CALLS_MAX: usize = 1_000;
/// 2026-11-18T00:00:00Z: the day on which every call of a file is made.
const DAY_MS: i64 = 1_794_960_000_000;
/// Minutes of a day.
const DAY_MINUTES: i64 = 24 * 60;

/// A call, and what is to come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedCall {
    /// What it shows, as a sentence.
    pub name: String,
    /// The step's parameters.
    #[serde(default)]
    parameters: serde_json::Map<String, Json>,
    /// The time of day in UTC, `HH:MM`; 12:00 unless said.
    #[serde(default)]
    at: Option<String>,
    /// Who calls.
    #[serde(default)]
    caller: Caller,
    /// Users of the office by internal number.
    #[serde(default)]
    users: BTreeMap<String, String>,
    /// What earlier steps assigned.
    #[serde(default)]
    variables: BTreeMap<String, Json>,
    /// What each host call comes to, by its name, in order; past the list's end as in a call in which nothing happens.
    #[serde(default)]
    answers: BTreeMap<String, VecDeque<Json>>,
    expect: Expected,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Caller {
    #[serde(default)]
    number: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    called: Option<String>,
    #[serde(default)]
    language: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// The outcome; `failed` with any reason.
    outcome: String,
    /// Words of the reason of `failed`.
    #[serde(default)]
    reason: Option<String>,
    /// Variables afterwards; others are not looked at.
    #[serde(default)]
    variables: BTreeMap<String, Json>,
    /// Every host call in order: its name, and words that its arguments hold.
    #[serde(default)]
    calls: Option<Vec<String>>,
}

/// Why a file's calls cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// No list of calls, or too many.
    #[error("the file holds no list of 1 to {CALLS_MAX} calls; write `- name: ..` for each")]
    NoList,
    /// A call that is written wrongly.
    #[error("call {number}: {fault}")]
    Call {
        /// Counted from 1.
        number: usize,
        /// What is wrong.
        fault: String,
    },
}

/// The answers to these host calls can be written.
const ANSWERED: [&str; 5] = ["call.play", "call.collect", "call.next-event", "dial.ring", "http.send"];

impl ScriptedCall {
    /// Reads the list of a file.
    ///
    /// # Errors
    /// [`ScriptError`], with the call and the field.
    pub fn read(document: &Json) -> Result<Vec<Self>, ScriptError> {
        let list = document.as_array().filter(|list| (1..=CALLS_MAX).contains(&list.len()));
        let calls = list.ok_or(ScriptError::NoList)?.iter().enumerate().map(|(place, call)| {
            let failed = |fault: String| ScriptError::Call { number: place + 1, fault };
            let call: Self = Self::deserialize(call).map_err(|fault| failed(fault.to_string()))?;
            call.check().map_err(failed)?;
            Ok(call)
        });
        calls.collect()
    }

    /// Everything that would only be found out in the middle of a call.
    fn check(&self) -> Result<(), String> {
        self.began()?;
        for id in self.users.values() {
            UserId::new(&crate::office::office(), id).map_err(|fault| format!("users: {id:?}: {fault}"))?;
        }
        for (name, value) in &self.variables {
            variable(value)
                .ok_or_else(|| format!("variables: {name}: text, whole number, true, false or a list of texts"))?;
        }
        for (call, answers) in &self.answers {
            let reads = |answer: &Json| match call.as_str() {
                "call.play" => played(answer).is_some(),
                "call.collect" => collected(answer).is_some(),
                "call.next-event" => event(answer).is_some(),
                "dial.ring" => rang(answer).is_some(),
                "http.send" => responded(answer).is_some(),
                _ => false,
            };
            if !ANSWERED.contains(&call.as_str()) {
                return Err(format!("answers: {call:?} is none of {}", ANSWERED.join(", ")));
            }
            if let Some(answer) = answers.iter().find(|answer| !reads(answer)) {
                return Err(format!("answers: {call}: {answer} is no answer to it; {}", forms(call)));
            }
        }
        Ok(())
    }

    fn began(&self) -> Result<WallTime, String> {
        let Some(at) = &self.at else { return Ok(WallTime(DAY_MS + DAY_MINUTES / 2 * 60_000)) };
        let minutes = at.split_once(':').and_then(|(hours, minutes)| {
            let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
            ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some(hours * 60 + minutes)
        });
        minutes
            .map(|minutes| WallTime(DAY_MS + minutes * 60_000))
            .ok_or_else(|| format!("at: {at:?} is no time as 08:30"))
    }

    /// Makes the call under the real host. `Ok`: what differs from what is expected, a line each; nothing differs: empty.
    ///
    /// # Errors
    /// [`TestkitError`], as every run of the kit.
    pub fn run(&self, testkit: &Testkit) -> Result<String, TestkitError> {
        let mut answers = self.answers.clone();
        let mut of = |call: &str| answers.remove(call).unwrap_or_default();
        let (mut plays, mut collections, mut events) = (of("call.play"), of("call.collect"), of("call.next-event"));
        let (mut rings, mut requests) = (of("dial.ring"), of("http.send"));
        let nothing = || Ok(Collected { digits: String::new(), ended_by: CollectEnd::Timeout, not_played: None });
        let mut run = testkit
            .run()
            .parameters(&Json::Object(self.parameters.clone()))
            .caller(self.caller.info())
            .on_play(move |_, _| plays.pop_front().and_then(|said| played(&said)).unwrap_or(Ok(PlayEnd::Finished)))
            .on_collect(move |_| collections.pop_front().and_then(|said| collected(&said)).unwrap_or_else(nothing))
            .on_event(move |_| events.pop_front().and_then(|said| event(&said)).unwrap_or(Ok(CallEvent::Timeout)))
            .on_ring(move |_| rings.pop_front().and_then(|said| rang(&said)).unwrap_or(Err(NotConnected::Timeout)))
            .on_http(move |request| {
                let none = || Err(HttpError::Denied(format!("there is no source {:?}", request.source)));
                requests.pop_front().and_then(|said| responded(&said)).unwrap_or_else(none)
            });
        if let Ok(began) = self.began() {
            run = run.began(began);
        }
        for (number, id) in &self.users {
            run = run.user(user(id, number));
        }
        for (name, value) in &self.variables {
            if let Some(value) = variable(value) {
                run = run.variable(name, value);
            }
        }
        let report = run.finish()?;
        let calls: Vec<String> = report.calls.iter().map(written).collect();
        Ok(self.expect.differences(report.outcome(), &format!("{:?}", report.end), &report.variables, &calls))
    }
}

impl Caller {
    fn info(&self) -> CallInfo {
        let usual = crate::office::caller();
        CallInfo {
            caller_number: self.number.clone().unwrap_or(usual.caller_number),
            caller_name: self.name.clone().unwrap_or(usual.caller_name),
            called_number: self.called.clone().unwrap_or(usual.called_number),
            language: self.language.clone().unwrap_or(usual.language),
            ..usual
        }
    }
}

impl Expected {
    fn differences(
        &self,
        outcome: Option<&str>,
        end: &str,
        variables: &BTreeMap<String, Value>,
        calls: &[String],
    ) -> String {
        let mut told = String::new();
        let mut tell = |line: std::fmt::Arguments<'_>| {
            // Writing to a String does not fail.
            let _ = writeln!(told, "{line}");
        };
        if outcome.unwrap_or("failed") != self.outcome {
            let ended = outcome.map_or_else(|| format!("failed, {end}"), str::to_owned);
            tell(format_args!("  outcome    expected {}\n             it was   {ended}", self.outcome));
        }
        if let Some(reason) = self.reason.as_ref().filter(|reason| !end.contains(reason.as_str())) {
            tell(format_args!("  reason     expected {reason:?}\n             it was   {end}"));
        }
        for (name, wanted) in &self.variables {
            let found = variables.get(name);
            if found != variable(wanted).as_ref() {
                let found = found.map_or_else(|| "not assigned".into(), |value| format!("{value:?}"));
                tell(format_args!("  variable   {name}: expected {wanted}\n             {name}: it was   {found}"));
            }
        }
        let Some(wanted) = &self.calls else { return told };
        let fits =
            |at: usize| matches!((wanted.get(at), calls.get(at)), (Some(wanted), Some(made)) if is_like(made, wanted));
        if wanted.len() != calls.len() || !(0..wanted.len()).all(fits) {
            tell(format_args!("  host calls (- expected, + made)"));
            for at in 0..wanted.len().max(calls.len()) {
                if fits(at) {
                    tell(format_args!("      {}", calls.get(at).map_or("", String::as_str)));
                    continue;
                }
                for (sign, line) in [("-", wanted.get(at)), ("+", calls.get(at))] {
                    if let Some(line) = line {
                        tell(format_args!("    {sign} {line}"));
                    }
                }
            }
        }
        told
    }
}

/// A host call as a line: its name and its arguments in JSON.
fn written(call: &HostCall) -> String {
    let arguments = match serde_json::to_value(call) {
        Ok(Json::Object(named)) => named.into_iter().next().map_or(Json::Null, |(_, arguments)| arguments),
        Ok(_) | Err(_) => Json::Null,
    };
    if arguments.is_null() { call.interface().into() } else { format!("{} {arguments}", call.interface()) }
}

/// Has the line this name and each of these words?
fn is_like(made: &str, wanted: &str) -> bool {
    let mut words = wanted.split_whitespace();
    made.split_whitespace().next() == words.next() && words.all(|word| made.contains(word))
}

fn variable(said: &Json) -> Option<Value> {
    Some(match said {
        Json::String(text) => Value::Text(text.clone()),
        Json::Bool(yes) => Value::Boolean(*yes),
        Json::Number(number) => Value::Number(number.as_i64()?),
        Json::Array(texts) => {
            Value::Texts(texts.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>()?)
        }
        Json::Null | Json::Object(_) => return None,
    })
}

fn forms(call: &str) -> &'static str {
    match call {
        "call.play" => "write finished, time-over, a key as \"2\", or hangs-up",
        "call.collect" => "write the keys as \"123\", nothing, or hangs-up",
        "call.next-event" => "write a key as \"2\", held, resumed, timeout, or hangs-up",
        "dial.ring" => "write user: ID or number: \"+49..\" of whoever answers, nobody, busy, or hangs-up",
        "http.send" => "write { status: 200, body: .. }, or time-over",
        _ => "it has no answers that can be written",
    }
}

/// One key of a telephone.
fn digit(said: &str) -> Option<char> {
    let mut letters = said.chars();
    match (letters.next(), letters.next()) {
        (Some(key @ ('0'..='9' | '*' | '#' | 'A'..='D')), None) => Some(key),
        (_, _) => None,
    }
}

fn played(said: &Json) -> Option<Result<PlayEnd, CallError>> {
    match said.as_str()? {
        "finished" => Some(Ok(PlayEnd::Finished)),
        "time-over" => Some(Ok(PlayEnd::TimeOver)),
        "hangs-up" => Some(Err(CallError::CallerGone)),
        key => digit(key).map(|key| Ok(PlayEnd::Digit(key))),
    }
}

fn collected(said: &Json) -> Option<Result<Collected, CallError>> {
    let told = |digits: &str, ended_by| Ok(Collected { digits: digits.into(), ended_by, not_played: None });
    match said.as_str()? {
        "nothing" => Some(told("", CollectEnd::Timeout)),
        "hangs-up" => Some(Err(CallError::CallerGone)),
        keys if !keys.is_empty() && keys.chars().all(|key| digit(key.encode_utf8(&mut [0; 4])).is_some()) => {
            Some(told(keys, CollectEnd::MaxDigits))
        }
        _ => None,
    }
}

fn event(said: &Json) -> Option<Result<CallEvent, CallError>> {
    match said.as_str()? {
        "held" => Some(Ok(CallEvent::Held)),
        "resumed" => Some(Ok(CallEvent::Resumed)),
        "timeout" => Some(Ok(CallEvent::Timeout)),
        "hangs-up" => Some(Err(CallError::CallerGone)),
        key => digit(key).map(|key| Ok(CallEvent::Digit(key))),
    }
}

fn rang(said: &Json) -> Option<Result<Connected, NotConnected>> {
    let busy = || Cause { status: 486, text: "Busy Here".into() };
    if let Some(id) = said.get("user") {
        let user = UserId::new(&crate::office::office(), id.as_str()?).ok()?;
        return Some(Ok(Connected { number: String::new(), user: Some(user), rang_ms: 3_000 }));
    }
    if let Some(number) = said.get("number") {
        return Some(Ok(Connected { number: number.as_str()?.into(), user: None, rang_ms: 3_000 }));
    }
    match said.as_str()? {
        "nobody" => Some(Err(NotConnected::Timeout)),
        "busy" => Some(Err(NotConnected::NoAnswer(busy()))),
        "hangs-up" => Some(Err(NotConnected::CallerGone)),
        _ => None,
    }
}

fn responded(said: &Json) -> Option<Result<HttpResponse, HttpError>> {
    if said.as_str() == Some("time-over") {
        return Some(Err(HttpError::TimeOver));
    }
    let status = said.get("status")?.as_u64().and_then(|status| u16::try_from(status).ok())?;
    // A document is easier to read than its text in quotes.
    let (body, content_type) = match said.get("body") {
        None => (String::new(), ""),
        Some(Json::String(text)) => (text.clone(), "text/plain"),
        Some(document) => (document.to_string(), "application/json"),
    };
    Some(Ok(HttpResponse { status, content_type: content_type.into(), body }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fault(call: &Json) -> String {
        ScriptedCall::read(&json!([call])).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_wrongly_is_told_with_its_call_and_what_could_be_written() {
        assert!(matches!(ScriptedCall::read(&json!({})), Err(ScriptError::NoList)));
        assert!(matches!(ScriptedCall::read(&json!([])), Err(ScriptError::NoList)));
        let expect = json!({ "outcome": "done" });
        let told = fault(&json!({ "name": "a", "expect": expect, "answer": {} }));
        assert!(told.contains("call 1: unknown field `answer`"), "{told}");
        let told = fault(&json!({ "name": "a", "expect": expect, "answers": { "call.play": ["stops"] } }));
        assert!(told.contains("\"stops\" is no answer to it; write finished"), "{told}");
        let told = fault(&json!({ "name": "a", "expect": expect, "answers": { "call.sing": [] } }));
        assert!(told.contains("is none of call.play"), "{told}");
        let told = fault(&json!({ "name": "a", "expect": expect, "at": "25:00" }));
        assert!(told.contains("no time as 08:30"), "{told}");
        let told = fault(&json!({ "name": "a", "expect": expect, "users": { "101": "A B" } }));
        assert!(told.contains("users: \"A B\""), "{told}");
    }

    #[test]
    fn what_differs_is_shown_beside_what_was_expected_and_what_does_not_as_it_was() {
        let expected = Expected {
            outcome: "done".into(),
            reason: None,
            variables: BTreeMap::from([("key".into(), json!("2"))]),
            calls: Some(vec!["call.answer".into(), "call.play menu".into(), "call.hang-up".into()]),
        };
        let calls = ["call.answer".to_owned(), r#"call.play {"audio":"other"}"#.into()];
        let variables = BTreeMap::from([("key".to_owned(), Value::Text("3".into()))]);
        let told = expected.differences(Some("again"), "", &variables, &calls);
        assert_eq!(
            told,
            "  outcome    expected done\n             it was   again\n  variable   key: expected \"2\"\n             key: it was   Text(\"3\")\n  host calls (- expected, + made)\n      call.answer\n    - call.play menu\n    + call.play {\"audio\":\"other\"}\n    - call.hang-up\n"
        );
        let same = [calls[0].clone(), r#"call.play {"audio":"menu"}"#.into(), "call.hang-up".into()];
        let variables = BTreeMap::from([("key".to_owned(), Value::Text("2".into()))]);
        assert_eq!(expected.differences(Some("done"), "", &variables, &same), "");
    }
}
