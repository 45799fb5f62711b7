//! A component in the text format: an action without parameters that may be changed anywhere.

use plugboard_plugin::componentize;
use std::fmt::Write;
use std::path::Path;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Where the texts of the description lie.
const DATA_FROM: usize = 32 << 10;

/// What an action says of itself and does. In every text `{done}` is the address of the word `done`.
#[derive(Debug, Clone)]
pub struct Guest {
    name: String,
    title: String,
    schema: String,
    outcomes: Vec<String>,
    imports: String,
    memory: String,
    more: String,
    realloc: String,
    describe: Option<String>,
    run: String,
}

impl Guest {
    /// An action of this name with the outcome `done`, whose `run` has this body: `(param i32 i32) (result i32)`, with the locals
    /// `$i` and `$j`. [`Guest::DONE`] returns.
    pub fn new(name: &str, run: &str) -> Self {
        Self {
            name: name.into(),
            title: "A hostile one".into(),
            schema: r#"{"type":"object"}"#.into(),
            outcomes: vec!["done".into()],
            imports: String::new(),
            memory: r#"(memory (export "memory") 2)"#.into(),
            more: String::new(),
            realloc: "(i32.const 65536)".into(),
            describe: None,
            run: run.into(),
        }
    }

    /// Returns the outcome `done`.
    pub const DONE: &'static str = "(return (call $returns (i32.const 0) (i32.const {done}) (i32.const 4)))";

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Another title.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        self.title = title.into();
        self
    }

    /// Another schema of its parameters.
    #[must_use]
    pub fn schema(mut self, schema: &str) -> Self {
        self.schema = schema.into();
        self
    }

    /// Other outcomes.
    #[must_use]
    pub fn outcomes(mut self, outcomes: Vec<String>) -> Self {
        self.outcomes = outcomes;
        self
    }

    /// Imports this function: its interface, its name, and its type as `(param ..) (result ..)`; `$name` calls it, with `_` for `-`.
    #[must_use]
    pub fn imports(mut self, interface: &str, name: &str, signature: &str) -> Self {
        let id = name.replace('-', "_");
        let line = format!(r#"(import "plugboard:switch/{interface}@0.1.0" "{name}" (func ${id} {signature}))"#);
        self.imports.push_str(&line);
        self
    }

    /// Another memory.
    #[must_use]
    pub fn memory(mut self, memory: &str) -> Self {
        self.memory = memory.into();
        self
    }

    /// More of its module: functions, tables, a start function.
    #[must_use]
    pub fn with(mut self, more: &str) -> Self {
        self.more.push_str(more);
        self
    }

    /// Another body of `cabi_realloc`.
    #[must_use]
    pub fn realloc(mut self, body: &str) -> Self {
        self.realloc = body.into();
        self
    }

    /// Another body of `describe`: `(result i32)`.
    #[must_use]
    pub fn describe(mut self, body: &str) -> Self {
        self.describe = Some(body.into());
        self
    }

    /// The module's text.
    pub fn text(&self) -> String {
        let mut data = Data { at: DATA_FROM, text: String::new() };
        let done = data.string("done").0;
        let [name, version, language, title, schema] =
            [&*self.name, "1.0.0", "en", &*self.title, &*self.schema].map(|text| data.string(text));
        let texts = data.words(&[language.0, language.1, title.0, title.1]);
        let named: Vec<usize> = self
            .outcomes
            .iter()
            .flat_map(|outcome| {
                let (at, length) = data.string(outcome);
                [at, length, 0, 0]
            })
            .collect();
        let outcomes = (data.words(&named), self.outcomes.len());
        let description = data.words(&[
            name.0, name.1, version.0, version.1, texts, 1, texts, 1, schema.0, schema.1, outcomes.0, outcomes.1, 0, 0,
            1,
        ]);
        let describe = self.describe.clone().unwrap_or_else(|| format!("(i32.const {description})"));
        format!(
            r#"(module
            {imports}
            {memory}
            {data}
            (func $returns (param i32 i32 i32) (result i32)
              (i32.store8 (i32.const 16) (local.get 0))
              (i32.store (i32.const 20) (local.get 1))
              (i32.store (i32.const 24) (local.get 2))
              (i32.const 16))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
            {more}
            (func (export "describe") (result i32) {describe})
            (func (export "run") (param i32 i32) (result i32) (local $i i32) (local $j i32) {run}))"#,
            imports = self.imports,
            memory = self.memory,
            data = data.text,
            realloc = self.realloc,
            more = self.more,
            run = self.run,
        )
        .replace("{done}", &done.to_string())
    }

    /// The module, with the world `action` inside.
    ///
    /// # Panics
    /// It is no WebAssembly: the fault is the test's.
    pub fn module(&self) -> Vec<u8> {
        let mut wasm = wat::parse_str(self.text()).unwrap_or_else(|fault| panic!("{}: {fault}", self.name));
        let mut resolve = Resolve::default();
        let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/0.1.0");
        let (package, _) = resolve.push_dir(wit).unwrap_or_else(|fault| panic!("{fault}"));
        let world = resolve.select_world(&[package], Some("action")).unwrap_or_else(|fault| panic!("{fault}"));
        embed_component_metadata(&mut wasm, &resolve, world, StringEncoding::UTF8)
            .unwrap_or_else(|fault| panic!("{fault}"));
        wasm
    }

    /// The component.
    ///
    /// # Panics
    /// As [`Guest::module`].
    pub fn component(&self) -> Vec<u8> {
        componentize(&self.module()).unwrap_or_else(|fault| panic!("{}: {fault}", self.name))
    }
}

struct Data {
    at: usize,
    text: String,
}

impl Data {
    fn string(&mut self, text: &str) -> (usize, usize) {
        (self.bytes(text.as_bytes()), text.len())
    }

    fn words(&mut self, words: &[usize]) -> usize {
        let bytes: Vec<u8> =
            words.iter().flat_map(|word| u32::try_from(*word).unwrap_or(u32::MAX).to_le_bytes()).collect();
        self.bytes(&bytes)
    }

    fn bytes(&mut self, bytes: &[u8]) -> usize {
        let at = self.at;
        let escaped = bytes.iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\{byte:02x}");
            text
        });
        let _ = writeln!(self.text, r#"(data (i32.const {at}) "{escaped}")"#);
        self.at = (at + bytes.len()).next_multiple_of(8);
        at
    }
}
