//! Integrations that do wrong, written by hand in the text format of WebAssembly.

use plugboard_plugin::componentize;
use std::fmt::Write;
use std::path::Path;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Where the texts of the description lie.
const DATA_FROM: usize = 32 << 10;

/// A component that describes itself as an integration which finds contacts, and does so by this body: of five `i32`, with one as its result.
pub(crate) fn integration(name: &str, find: &str) -> Vec<u8> {
    let mut data = Data { at: DATA_FROM, text: String::new() };
    let [name, version, language, title] = [name, "1.0.0", "en", "A wrong one"].map(|text| data.string(text));
    let (schema, offers) = (data.string(r#"{"type":"object"}"#), data.bytes(&[0]));
    let texts = data.words(&[language.0, language.1, title.0, title.1]);
    let description =
        data.words(&[name.0, name.1, version.0, version.1, texts, 1, texts, 1, schema.0, schema.1, 0, 0, offers, 1]);
    // Contacts with an id and a name, and nothing else.
    let contact = [title.0, title.1, title.0, title.1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let contacts = data.words(&[contact, contact].concat());
    let unnamed = data.words(&[[title.0, title.1].as_slice(), &[0; 14]].concat());
    let places = [("TWO", data.words(&[0, contacts, 2])), ("UNNAMED", data.words(&[0, unnamed, 1]))];
    let places = places.into_iter().chain([
        ("NOWHERE", data.words(&[0, 0x7fff_ff00, 1])),
        ("LONG", data.words(&[1, 0, 2 * 65_536])),
        ("MANY", data.words(&[0, 0, 0x0fff_ffff])),
    ]);
    let find = places.fold(find.to_owned(), |find, (word, at)| find.replace(word, &format!("(i32.const {at})")));
    let module = format!(
        r#"(module
        (memory (export "memory") 2)
        {data}
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
        (func (export "describe") (result i32) (i32.const {description}))
        (func (export "find-contacts") (param i32 i32 i32 i32 i32) (result i32) {find})
        (func (export "responsible-for") (param i32 i32) (result i32) unreachable)
        (func (export "log-call") (param i32) (result i32) unreachable))"#,
        data = data.text,
    );
    componentize(&with_world(&module, "integration")).unwrap()
}

/// A core module with one of our worlds inside.
fn with_world(text: &str, world: &str) -> Vec<u8> {
    let mut wasm = wat::parse_str(text).unwrap();
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/0.1.0");
    let (package, _) = resolve.push_dir(wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut wasm, &resolve, world, StringEncoding::UTF8).unwrap();
    wasm
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
