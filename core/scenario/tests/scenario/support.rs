//! An office, a catalogue and a call to tell stories with.

use plugboard_calendar::{Calendar, Zone};
use plugboard_document::{Faults, Field};
use plugboard_model::{
    ContactId, GroupId, JournalEvent, KnownContact, OfficeId, RunId, Time, UserId, Value, ValueType, WallTime,
};
use plugboard_scenario::{
    Action, ActionCatalogue, Document, Extension, Input, Interpreter, KnownDatabases, Output, Program, Resolver,
    RunOutcome, ScenarioEnd, Sets, build, compile,
};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// Monday the 23rd of November 2026, 09:00 in Berlin.
pub(crate) const BEGAN: WallTime = WallTime(1_795_420_800_000);

pub(crate) fn office() -> OfficeId {
    OfficeId::new("main").unwrap()
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(&office(), name).unwrap()
}

pub(crate) fn group(name: &str) -> GroupId {
    GroupId::new(&office(), name).unwrap()
}

/// Users 101 to 106, the group sales = 200, the prompts welcome and choose.
pub(crate) struct Demo;

impl Resolver for Demo {
    fn mail_to(&self, whom: &str) -> Result<(), (String, String)> {
        let known = whom.ends_with("@example.com") || self.user(whom).is_some();
        if known { Ok(()) } else { Err((format!("{whom:?} has no address"), "write one".into())) }
    }

    fn mail_template(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "hold" => Some(vec!["On hold".into(), "User {agent_name} put on hold {caller_number}.".into()]),
            "odd" => Some(vec!["{nobody}".into(), "{event_number}".into(), "{".into()]),
            _ => None,
        }
    }

    fn mail_templates(&self) -> Vec<String> {
        vec!["hold".into(), "odd".into()]
    }

    fn has_http_source(&self, name: &str) -> bool {
        name == "crm"
    }

    fn http_sources(&self) -> Vec<String> {
        vec!["crm".into()]
    }

    fn http_methods(&self, source: &str) -> Option<Vec<String>> {
        (source == "crm").then(|| vec!["get".into(), "put".into()])
    }

    /// The database clients with the queries agent-of and all.
    fn databases(&self) -> Option<KnownDatabases> {
        let parameters = [("number".to_owned(), ValueType::Text), ("id".to_owned(), ValueType::Number)];
        let queries = [("agent-of".to_owned(), parameters.into()), ("all".to_owned(), [].into())];
        Some([("clients".to_owned(), queries.into())].into())
    }

    fn user(&self, id_or_number: &str) -> Option<UserId> {
        (101..=106).map(|n: u32| n.to_string()).find(|own| own == id_or_number).map(|own| user(&own))
    }

    fn group(&self, id_or_number: &str) -> Option<GroupId> {
        ["sales", "200"].contains(&id_or_number).then(|| group("sales"))
    }

    fn contact(&self, id_or_number: &str) -> Option<KnownContact> {
        ["carla", "040 1234567"].contains(&id_or_number).then(carla)
    }

    fn has_prompt(&self, name: &str) -> bool {
        ["welcome", "choose"].contains(&name)
    }

    fn has_music(&self, name: &str) -> bool {
        name == "music"
    }

    /// Monday to Friday, 09:00 to 18:00, but for Christmas.
    fn calendar(&self, name: &str) -> Option<Arc<Calendar>> {
        let text = "id: office\ntime_zone: Europe/Berlin\nopen: [{ days: [mon-fri], from: '09:00', to: '18:00' }]\n\
            holidays: [{ on: 12-25, name: Christmas }]\n";
        let node = plugboard_document::parse("calendar", text).unwrap();
        let read = Calendar::read(&Field::root(&node), None, &|_| unreachable!(), &mut Faults::new("calendar"));
        read.filter(|calendar| calendar.id.as_str() == name).map(Arc::new)
    }

    fn calendars(&self) -> Vec<String> {
        vec!["office".into()]
    }

    fn zone(&self) -> Option<Zone> {
        Zone::of("Europe/Berlin")
    }

    fn scenario(&self, name: &str) -> Option<Document> {
        let text = match name {
            "closed" => {
                "scenario: closed\nvariables: { again: { type: number, default: 1 } }\nsteps: [{ play-audio: { audio: welcome } }, { set: { told: true } }]\n"
            }
            "greet" => {
                "scenario: greet\nvariables: { agent: { type: user, given: true } }\nsteps: [{ call-user: { mode: variable, target: agent } }]\n"
            }
            "end" => "scenario: end\nsteps: [hang-up]\n",
            "round" => "scenario: round\nsteps: [{ run: about }]\n",
            "about" => "scenario: about\nsteps: [{ run: round }]\n",
            "broken" => "scenario: broken\nsteps: [dance]\n",
            "many" => "scenario: many\nsteps: [{ run: few }, { run: few }, { run: few }, { run: few }]\n",
            "few" => "scenario: few\nsteps: [{ run: end-not }, { run: end-not }, { run: end-not }, { run: end-not }]\n",
            "end-not" => "scenario: end-not\nsteps: [echo]\n",
            _ => return None,
        };
        Some(Document::parse(&format!("{name}.yaml"), text).unwrap())
    }

    fn scenarios(&self) -> Vec<String> {
        ["closed", "greet", "end", "round", "about", "broken", "many", "few", "end-not"].map(String::from).to_vec()
    }
}

fn action(name: &str, parameters: Json, outcomes: &[&str], sets: &[(&str, ValueType, &[&str])]) -> Action {
    Action {
        name: name.into(),
        parameters,
        outcomes: outcomes.iter().map(|outcome| (*outcome).to_owned()).collect(),
        sets: sets
            .iter()
            .map(|(name, value_type, after)| Sets {
                name: (*name).into(),
                value_type: *value_type,
                after: after.iter().map(|outcome| (*outcome).to_owned()).collect(),
            })
            .collect(),
        blocking: true,
        capabilities: name.starts_with("call-").then(|| "dial".to_owned()).into_iter().collect(),
    }
}

fn object(required: &[&str], properties: Json) -> Json {
    let mut object = json!({ "type": "object", "required": required, "additionalProperties": false });
    object["properties"] = properties;
    object
}

/// The actions of the first part as their components describe them, and two of a vendor.
pub(crate) fn catalogue() -> ActionCatalogue {
    let text = json!({ "type": "string", "minLength": 1, "maxLength": 64 });
    let span = json!({ "type": "string", "pattern": "^[0-9]{1,9}(ms|s|m|h)$", "x-type": "duration", "x-minimum": "1s", "x-maximum": "10m" });
    let target = json!({ "anyOf": [text, { "type": "array", "items": text, "minItems": 1, "maxItems": 32 }] });
    let dialled = [("answered_by", ValueType::User, ["answer"].as_slice())];
    let mut beside = action("notify", object(&["text"], json!({ "text": { "type": "string" } })), &["done"], &[]);
    beside.blocking = false;
    let kind = json!({ "enum": ["prompt", "tone", "music"], "default": "prompt" });
    let by_kind = json!({ "parameter": "kind", "prompt": { "x-type": "prompt" }, "tone": { "x-type": "tone" }, "music": { "x-type": "music" } });
    let announce = json!({ "audio": { "type": "string", "x-by": by_kind }, "kind": kind });
    [
        action("play-audio", object(&["audio"], json!({ "audio": text, "kind": { "enum": ["prompt", "tone", "music"] }, "max": span })), &["done", "digit", "skipped"], &[]),
        action("database-query", object(&["database", "query"], json!({ "database": { "type": "string", "x-type": "database" }, "query": { "type": "string", "x-type": "query" }, "with": { "type": "object", "x-type": "query-parameters", "additionalProperties": { "type": ["string", "integer", "boolean"] } }, "into": { "type": "object", "additionalProperties": { "type": "string" }, "x-assigns": "declared", "x-after": "found" } })), &["found", "empty"], &[]),
        action("send-email", object(&["to"], json!({ "to": { "type": "array", "items": { "type": "string" }, "x-type": "recipient" }, "template": { "type": "string", "x-type": "mail-template" }, "text": text })), &["queued"], &[]),
        action("http-request", object(&["source"], json!({ "source": { "type": "string", "x-type": "source" }, "method": { "enum": ["get", "post", "put"], "default": "get" }, "query": { "type": "object", "additionalProperties": text }, "into": { "type": "object", "additionalProperties": { "type": "string" }, "x-assigns": "declared", "x-after": "done" } })), &["done", "not-found", "timeout"], &[]),
        action("collect-digits", object(&[], json!({ "prompt": text, "max_digits": { "type": "integer", "minimum": 1, "maximum": 32 }, "first_digit": span, "inter_digit": span, "end_digit": { "type": "string", "maxLength": 1 }, "variable": { "type": "string", "x-assigns": "text" } })), &["digits", "nothing"], &[("digits", ValueType::Text, &["digits"])]),
        action("call-user", object(&["mode", "target"], json!({ "mode": { "enum": ["user", "list", "variable"] }, "target": target, "ring_for": span })), &["answer", "no-answer", "timeout"], &dialled),
        action("voicemail", object(&[], json!({ "group": text, "user": text })), &["recorded", "empty", "full"], &[]),
        action("call-group", object(&["group"], json!({ "group": text, "ring_for": span })), &["answer", "no-answer", "timeout"], &dialled),
        action("hang-up", object(&[], json!({ "cause": { "enum": ["normal", "busy"] } })), &[], &[]),
        action("echo", object(&[], json!({ "max": span })), &["done"], &[]),
        action("search-history", object(&[], json!({})), &["found", "unknown"], &[("last_agent", ValueType::User, &["found"])]),
        action("announce", object(&["audio"], announce), &["done"], &[]),
        beside,
    ]
    .into_iter()
    .collect()
}

/// The faults of a scenario, one a line.
pub(crate) fn faults(text: &str) -> String {
    let found = plugboard_document::parse("s.yaml", text)
        .and_then(|node| build("s.yaml", &node, &office(), &catalogue(), &Demo))
        .err()
        .unwrap_or_default();
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

pub(crate) fn program(text: &str) -> Arc<Program> {
    let document = Document::parse("s.yaml", text).unwrap_or_else(|faults| panic!("{faults:#?}"));
    compile(&document, &office(), &catalogue(), &Demo).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// One call that runs a scenario. What the interpreter does is written down, one line each.
pub(crate) struct Call {
    pub(crate) machine: Interpreter,
    pub(crate) inputs: Vec<(Time, Input)>,
    pub(crate) outputs: Vec<Output>,
    log: Vec<String>,
}

impl Call {
    /// A call from +4930123 that runs a scenario with these steps.
    pub(crate) fn of_steps(steps: &str) -> Self {
        Self::of(&program(&format!("scenario: story\nsteps:\n{steps}")))
    }

    pub(crate) fn of(program: &Arc<Program>) -> Self {
        let machine = Interpreter::new(Arc::clone(program));
        let mut call = Self { machine, inputs: Vec::new(), outputs: Vec::new(), log: Vec::new() };
        let text = |name: &str, value: &str| (name.to_owned(), Value::Text(value.into()));
        let variables = vec![
            text("caller_number", "+4930123"),
            text("caller_name", "Zoe"),
            text("called_number", "100"),
            text("call_id", "main/01J8ZQ6M6H3V2K9C4T7R5N1XWB"),
            text("language", "de"),
        ];
        call.tell(Input::Start { wall: BEGAN, variables });
        call
    }

    pub(crate) fn tell(&mut self, input: Input) -> &mut Self {
        let now = Time::from_millis(u64::try_from(self.inputs.len()).unwrap() * 1_000);
        self.inputs.push((now, input.clone()));
        self.machine.handle(now, input);
        while let Some(output) = self.machine.poll_output() {
            self.log.push(line(&output));
            self.outputs.push(output);
        }
        self
    }

    /// The run that was started last ends so.
    pub(crate) fn ends(&mut self, outcome: &str) -> &mut Self {
        self.ends_with(outcome, &[])
    }

    pub(crate) fn ends_with(&mut self, outcome: &str, sets: &[(&str, Value)]) -> &mut Self {
        let run = self.last_run();
        let outcome = match outcome {
            "failed" => RunOutcome::Failed("trap".into()),
            "denied" => RunOutcome::Denied("not granted".into()),
            name => RunOutcome::Named(name.into()),
        };
        let sets = sets.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.tell(Input::RunEnded { run, outcome, sets })
    }

    /// The caller keys these digits into the menu.
    pub(crate) fn keys(&mut self, digits: &str) -> &mut Self {
        self.tell(Input::VariableSet { name: "digits".into(), value: Value::Text(digits.into()) }).ends("digits")
    }

    /// Somebody answers: the bridge stands before the action knows.
    pub(crate) fn answered(&mut self) -> &mut Self {
        self.tell(Input::Bridged).ends("answer")
    }

    pub(crate) fn found(&mut self, number: &str, extension: Option<Extension>) -> &mut Self {
        self.tell(Input::ExtensionFound { number: number.into(), extension })
    }

    pub(crate) fn last_run(&self) -> RunId {
        let run = |output: &Output| if let Output::StartRun { run, .. } = output { Some(*run) } else { None };
        self.outputs.iter().filter_map(run).next_back().unwrap()
    }

    /// The actions started, with their parameters.
    pub(crate) fn runs(&self) -> Vec<String> {
        self.log.iter().filter_map(|line| line.strip_prefix("run ")).map(Into::into).collect()
    }

    pub(crate) fn end(&self) -> Option<&ScenarioEnd> {
        self.outputs.iter().find_map(|output| if let Output::Ended(end) = output { Some(end) } else { None })
    }

    /// Everything, as a trace.
    pub(crate) fn trace(&self) -> String {
        self.log.join("\n")
    }
}

fn line(output: &Output) -> String {
    match output {
        Output::StartRun { run, action, parameters, .. } => format!("run {}: {action} {parameters}", run.0),
        Output::CancelRun { run } => format!("cancel {}", run.0),
        Output::FindExtension { number } => format!("find {number}"),
        Output::Journal(JournalEvent::Step { path, word }) => format!("step {path} {word}"),
        Output::Journal(JournalEvent::Decided { path, branch }) => format!("decided {path}: {branch}"),
        Output::Journal(JournalEvent::Assigned { name, value }) => format!("assigned {name} = {value:?}"),
        Output::Journal(JournalEvent::Note { text }) => format!("note {text}"),
        Output::Journal(other) => panic!("the interpreter does not write {other:?}"),
        Output::Ended(end) => format!("ended {end:?}"),
        Output::Closed => "closed".into(),
    }
}

/// Carla of Customer, whom the office files under vip.
pub(crate) fn carla() -> KnownContact {
    let id = ContactId::new(&office(), "carla").unwrap();
    KnownContact {
        name: "Carla Customer".into(),
        company: "Customer".into(),
        groups: vec!["vip".into()],
        ..KnownContact::named(id)
    }
}
