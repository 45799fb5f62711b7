//! Guests written by hand in the text format, and a switch that answers from a script.

#![expect(dead_code, reason = "each test file uses another part")]
#![expect(unreachable_pub, reason = "shared by test files, each of which is a crate")]

use plugboard_model::{
    CallId, CallInfo, HostCall, HostResult, JournalEvent, OfficeId, RunEnd, RunId, Time, UserId, WallTime,
};
use plugboard_plugin::{
    Catalogue, Clock, ComponentId, Grants, Installed, Limits, Metering, PluginEngine, PoolSize, RunEvent, RunKey,
    RunSpec, RunUsage, Runner, RunnerLimits, componentize,
};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

/// Where the strings of [`module`] lie; guests use the memory below.
const DATA_FROM: usize = 32 << 10;
/// Names of the strings that every guest can return: `(i32.const $name)` in the text becomes `{name}`.
pub const OUTCOMES: [&str; 3] = ["done", "again", "other"];

/// What a guest imports, by function: its line in the text format.
pub const PLAY: &str = r#"(import "plugboard:switch/call@0.1.0" "play"
    (func $play (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;
pub const NEXT_EVENT: &str =
    r#"(import "plugboard:switch/call@0.1.0" "next-event" (func $next_event (param i32 i32)))"#;
pub const GET_INFO: &str = r#"(import "plugboard:switch/call@0.1.0" "get-info" (func $get_info (param i32)))"#;
pub const GET_VARIABLE: &str =
    r#"(import "plugboard:switch/variables@0.1.0" "get" (func $get_variable (param i32 i32 i32)))"#;
pub const RING: &str = r#"(import "plugboard:switch/dial@0.1.0" "ring" (func $ring (param i32 i32 i32 i32 i32)))"#;
pub const BELOW: &str = r#"(import "plugboard:switch/random@0.1.0" "below" (func $below (param i64) (result i64)))"#;
pub const BYTES: &str = r#"(import "plugboard:switch/random@0.1.0" "bytes" (func $bytes (param i32 i32)))"#;
pub const NOW: &str = r#"(import "plugboard:switch/clock@0.1.0" "now" (func $now (result i64)))"#;
pub const LOG: &str = r#"(import "plugboard:switch/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;

/// Plays the prompt `done` and drops the result.
pub const CALL_PLAY: &str = "(call $play (i32.const 0) (i32.const {done}) (i32.const 4) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 256))";
/// Reads the variable `done` and drops it.
pub const CALL_GET_VARIABLE: &str = "(call $get_variable (i32.const {done}) (i32.const 4) (i32.const 256))";
/// Returns the outcome `done`.
pub const RETURN_DONE: &str = "(return (call $ok (i32.const {done}) (i32.const 4)))";

/// A core module of an action. `imports` and `run` are text; `{done}`, `{again}`, `{other}` in them are addresses of
/// these words. `$ok` and `$failed` make the result of a pointer and a length; `$parameters` and `$length` are run's.
pub fn module(name: &str, imports: &str, functions: &str, run: &str) -> String {
    let mut data = Data { at: DATA_FROM, text: String::new() };
    let [done, again, other] = OUTCOMES.map(|outcome| data.string(outcome));
    let name = data.string(name);
    let (version, en, title) = (data.string("1.0.0"), data.string("en"), data.string("A test"));
    let schema = data.string(r#"{"type":"object"}"#);
    let texts = data.words(&[en.0, en.1, title.0, title.1]);
    let outcomes = data.words(&[done.0, done.1, 0, 0, again.0, again.1, 0, 0]);
    let description = data
        .words(&[name.0, name.1, version.0, version.1, texts, 1, texts, 1, schema.0, schema.1, outcomes, 2, 0, 0, 1]);
    let fill = |text: &str| {
        text.replace("{done}", &done.0.to_string())
            .replace("{again}", &again.0.to_string())
            .replace("{other}", &other.0.to_string())
    };
    format!(
        r#"(module
        {imports}
        (memory (export "memory") 2)
        {data}
        (global $heap (mut i32) (i32.const 65536))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
          (local $at i32)
          (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
          (global.set $heap (i32.add (local.get $at) (local.get 3)))
          (block $fits
            (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
            (br_if $fits (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))
            unreachable)
          (local.get $at))
        (func $ok (param i32 i32) (result i32)
          (i32.store8 (i32.const 16) (i32.const 0))
          (i32.store (i32.const 20) (local.get 0))
          (i32.store (i32.const 24) (local.get 1))
          (i32.const 16))
        (func $failed (param i32 i32) (result i32)
          (i32.store8 (i32.const 16) (i32.const 1))
          (i32.store (i32.const 20) (local.get 0))
          (i32.store (i32.const 24) (local.get 1))
          (i32.const 16))
        {functions}
        (func (export "describe") (result i32) (i32.const {description}))
        (func (export "run") (param $parameters i32) (param $length i32) (result i32)
          (local $i i32) (local $n i64)
          {run}))"#,
        imports = fill(imports),
        functions = fill(functions),
        run = fill(run),
        data = data.text,
    )
}

/// A component of [`module`].
pub fn guest(name: &str, imports: &str, functions: &str, run: &str) -> Vec<u8> {
    componentize(&core_module(name, imports, functions, run)).unwrap()
}

/// A core module with its WIT world inside.
pub fn core_module(name: &str, imports: &str, functions: &str, run: &str) -> Vec<u8> {
    with_world(&module(name, imports, functions, run))
}

/// A core module of this text with the world `action` inside.
pub fn with_world(text: &str) -> Vec<u8> {
    with_changed_world(text, &|wit| wit)
}

/// The same with interfaces that are not quite ours: `changed` is given each file's text.
pub fn with_changed_world(text: &str, changed: &dyn Fn(String) -> String) -> Vec<u8> {
    let mut wasm = wat::parse_str(text).unwrap();
    let mut resolve = Resolve::default();
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let wit = above.map(|folder| folder.join("wit/0.1.0")).find(|folder| folder.is_dir()).unwrap();
    let mut sources = SourceMap::new();
    for file in std::fs::read_dir(wit).unwrap().map(|entry| entry.unwrap().path()) {
        sources.push(&file, changed(std::fs::read_to_string(&file).unwrap()));
    }
    let package = resolve.push_group(sources.parse().unwrap()).unwrap();
    let world = resolve.select_world(&[package], Some("action")).unwrap();
    embed_component_metadata(&mut wasm, &resolve, world, StringEncoding::UTF8).unwrap();
    wasm
}

struct Data {
    at: usize,
    text: String,
}

impl Data {
    fn string(&mut self, text: &str) -> (usize, usize) {
        let at = self.bytes(text.as_bytes());
        (at, text.len())
    }

    fn words(&mut self, words: &[usize]) -> usize {
        let bytes: Vec<u8> = words.iter().flat_map(|word| u32::try_from(*word).unwrap().to_le_bytes()).collect();
        self.bytes(&bytes)
    }

    fn bytes(&mut self, bytes: &[u8]) -> usize {
        let at = self.at;
        let escaped = bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "\\{byte:02x}").unwrap();
            text
        });
        writeln!(self.text, r#"(data (i32.const {at}) "{escaped}")"#).unwrap();
        self.at = (at + bytes.len()).next_multiple_of(8);
        at
    }
}

/// A small pool, so that tests beside each other do not use up the address space.
pub fn engine(metering: Metering) -> PluginEngine {
    PluginEngine::new(metering, PoolSize { instances: 24, memory_bytes_max: 32 << 20 }).unwrap()
}

/// A virtual clock: the milliseconds that [`Bench::pass`] added.
#[derive(Debug, Clone, Default)]
pub struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub fn clock(&self) -> Clock {
        let (monotonic, wall) = (Arc::clone(&self.0), Arc::clone(&self.0));
        Clock::new(
            move || Time::from_millis(monotonic.load(Ordering::SeqCst)),
            move || WallTime(1_795_000_000_000 + i64::try_from(wall.load(Ordering::SeqCst)).unwrap()),
        )
    }

    pub fn pass(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

/// A runner with its clock.
pub struct Bench {
    pub catalogue: Arc<Catalogue>,
    pub runner: Runner,
    pub clock: TestClock,
}

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    pub journal: Vec<JournalEvent>,
    pub end: RunEnd,
    pub usage: RunUsage,
}

impl Finished {
    pub fn calls(&self) -> Vec<HostCall> {
        self.journal
            .iter()
            .filter_map(|event| if let JournalEvent::Begin { call, .. } = event { Some(call.clone()) } else { None })
            .collect()
    }

    /// The journal without the entries that tell of putting away.
    pub fn decisions(&self) -> Vec<JournalEvent> {
        self.journal.iter().filter(|event| !matches!(event, JournalEvent::PutAway { .. })).cloned().collect()
    }
}

impl Bench {
    /// An inline runner as the simulation has it.
    pub fn inline() -> Self {
        Self::new(Metering::Fuel, RunnerLimits::default())
    }

    pub fn new(metering: Metering, limits: RunnerLimits) -> Self {
        let (catalogue, clock) = (Arc::new(Catalogue::new(engine(metering), None)), TestClock::default());
        let runner = Runner::new(Arc::clone(&catalogue), clock.clock(), limits);
        Self { catalogue, runner, clock }
    }

    pub fn install(&self, wasm: &[u8]) -> Arc<Installed> {
        self.catalogue.install(wasm).unwrap()
    }

    /// Starts `spec` and answers each host call after `wait` milliseconds.
    pub fn run(&mut self, spec: RunSpec, wait: u64, mut answer: impl FnMut(u32, &HostCall) -> HostResult) -> Finished {
        let key = spec.key.clone();
        self.runner.start(spec).unwrap();
        let mut journal = Vec::new();
        let mut asked = None;
        loop {
            let Some(event) = self.runner.poll_event() else {
                let (n, call) = asked.take().expect("a run that neither ends nor asks");
                let result = answer(n, &call);
                self.clock.pass(wait);
                while let Some(event) = self.runner.poll_event() {
                    journal.push(journaled(event));
                }
                self.runner.resume(&key, n, result);
                continue;
            };
            match event {
                RunEvent::HostCall { n, call, .. } => asked = Some((n, call)),
                RunEvent::Journal { event, .. } => journal.push(event),
                RunEvent::Ended { end, usage, .. } => return Finished { journal, end, usage },
            }
        }
    }

    /// Runs a guest that makes no host call that leaves the host.
    pub fn run_alone(&mut self, spec: RunSpec) -> Finished {
        self.run(spec, 0, |n, call| panic!("host call {n} left the host: {call:?}"))
    }
}

pub fn journaled(event: RunEvent) -> JournalEvent {
    match event {
        RunEvent::Journal { event, .. } => event,
        other => panic!("{other:?} where only journal entries come"),
    }
}

pub fn office() -> OfficeId {
    OfficeId::new("main").unwrap()
}

pub fn key(number: u32) -> RunKey {
    RunKey { call: CallId { office: office(), ulid: 1 }, run: RunId(number) }
}

pub fn spec(component: ComponentId) -> RunSpec {
    RunSpec {
        key: key(0),
        component,
        parameters: "{}".into(),
        info: CallInfo {
            id: "main/1".into(),
            caller_number: "+491701".into(),
            caller_name: "Ann".into(),
            caller_user: Some(UserId::new(&office(), "ann").unwrap()),
            called_number: "100".into(),
            language: "en".into(),
        },
        grants: Arc::new(Grants::everything()),
        directory: None,
        limits: Limits::default(),
        seed: 7,
    }
}
