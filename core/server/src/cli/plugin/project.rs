//! A vendor's folder: what `plugin.toml` says of it.

use plugboard_document::{Faults, Field, parse_toml};
use plugboard_model::Name;
use std::path::{Path, PathBuf};

/// What an action can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// Rust, with the SDK's crate.
    Rust,
    /// JavaScript, with an interpreter inside the component.
    #[value(name = "js", alias = "javascript")]
    JavaScript,
    /// Python, with an interpreter inside the component.
    Python,
}

const LANGUAGES: [(&str, Language); 3] =
    [("rust", Language::Rust), ("javascript", Language::JavaScript), ("python", Language::Python)];
/// The file that makes a folder a project.
pub(super) const FILE: &str = "plugin.toml";
/// More than there are.
const CAPABILITIES_MAX: usize = 64;

/// A project.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) folder: PathBuf,
    pub(super) name: String,
    pub(super) language: Language,
    /// The file with the action, from the folder; Rust needs none.
    pub(super) source: Option<PathBuf>,
    /// What it may import; Rust imports what it uses.
    pub(super) capabilities: Vec<String>,
}

impl Project {
    /// Reads the folder's `plugin.toml`.
    ///
    /// # Errors
    /// Each fault with its place, a line each.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let file = folder.join(FILE);
        let text = std::fs::read_to_string(&file).map_err(|cause| {
            format!(
                "{}: {cause}; a plugin's folder has one: `plugboard plugin new --lang js NAME` makes such a folder",
                file.display()
            )
        })?;
        let shown = file.display().to_string();
        let told = |faults: Vec<plugboard_document::Fault>| {
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let node = parse_toml(&shown, &text).map_err(told)?;
        let mut faults = Faults::new(shown.as_str());
        let Some(mut fields) = Field::root(&node).fields(&mut faults) else {
            return Err(told(faults.into_sorted()));
        };
        let name = fields.need("name", &mut faults).and_then(|field: Field<'_>| field.name(&mut faults));
        let language = fields.need("language", &mut faults).and_then(|field| field.one_of(&LANGUAGES, &mut faults));
        let source = fields.take("source").and_then(|field| field.text(&mut faults));
        let capabilities = fields.take("capabilities").map_or_else(Vec::new, |field| {
            field.list(CAPABILITIES_MAX, &mut faults).iter().filter_map(|one| one.text(&mut faults)).collect()
        });
        fields.finish(&mut faults);
        if !faults.is_empty() {
            return Err(told(faults.into_sorted()));
        }
        let (Some(name), Some(language)) = (name, language) else {
            unreachable!("what is needed and absent is a fault")
        };
        let source = source.map(PathBuf::from);
        if language != Language::Rust && source.is_none() {
            return Err(format!(
                "{shown}: source: missing; write the file with the action, as source = \"src/action.js\""
            ));
        }
        Ok(Self { folder: folder.to_owned(), name: name.as_str().to_owned(), language, source, capabilities })
    }

    /// The component that is built.
    pub(super) fn component(&self) -> PathBuf {
        self.folder.join(format!("{}.wasm", self.name))
    }
}

/// A name that an action can have: 1 to 64 of `a-z 0-9 -`, a letter first, so that it is a package's as well.
pub(super) fn name(said: &str) -> Result<Name, String> {
    let plain = said.starts_with(|first: char| first.is_ascii_lowercase())
        && said.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
        && !said.ends_with('-');
    let fault =
        || format!("{said:?} is no name of an action: 1 to 64 of a-z, 0-9 and -, a letter first, as greet-by-time");
    Name::new(said).ok().filter(|_| plain).ok_or_else(fault)
}
