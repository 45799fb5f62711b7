//! An office as it is loaded: its document with the files it names, checked against the installed actions.

use plugboard_model::{GroupId, ScenarioId, UserId};
use plugboard_office::{Office, Surroundings};
use plugboard_scenario::{ActionCatalogue, Document, Fault, Program, Resolver, compile};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::prompts::OfficeAudio;

/// An office document with everything it needs from outside itself: what `apply` sends and the store keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bundle {
    /// The document's name, for faults.
    pub(crate) file: String,
    /// The document.
    pub(crate) text: String,
    /// Files that it names.
    pub(crate) files: BTreeMap<String, String>,
    /// Environment variables that it names.
    pub(crate) variables: BTreeMap<String, String>,
    /// The folder that its paths of audio are relative to.
    pub(crate) folder: Option<PathBuf>,
}

/// A loaded office.
pub(crate) struct House {
    pub(crate) office: Arc<Office>,
    pub(crate) programs: BTreeMap<ScenarioId, Arc<Program>>,
    pub(crate) audio: Arc<OfficeAudio>,
    /// Audio that could not be read: a step that plays it is skipped (R52).
    pub(crate) warnings: Vec<String>,
}

impl Surroundings for Bundle {
    fn file(&self, path: &str) -> Result<String, String> {
        self.files.get(path).cloned().ok_or_else(|| "the file was not sent along".into())
    }
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
}

/// Reads from the document's own folder, and remembers what was asked for.
struct Reading<'a> {
    folder: &'a Path,
    files: RefCell<BTreeMap<String, String>>,
    variables: RefCell<BTreeMap<String, String>>,
}

impl Surroundings for Reading<'_> {
    fn file(&self, path: &str) -> Result<String, String> {
        let text = std::fs::read_to_string(self.folder.join(path)).map_err(|error| error.to_string())?;
        self.files.borrow_mut().insert(path.to_owned(), text.clone());
        Ok(text)
    }
    fn variable(&self, name: &str) -> Option<String> {
        let value = std::env::var(name).ok()?;
        self.variables.borrow_mut().insert(name.to_owned(), value.clone());
        Some(value)
    }
}

impl Bundle {
    /// Reads an office file with everything it names.
    pub(crate) fn read(file: &Path) -> Result<Self, Vec<String>> {
        let text = std::fs::read_to_string(file).map_err(|error| vec![format!("{}: {error}", file.display())])?;
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let folder = absolute.parent().unwrap_or(Path::new("/")).to_owned();
        let reading = Reading { folder: &folder, files: RefCell::default(), variables: RefCell::default() };
        let name = file.display().to_string();
        Office::parse(&name, &text, &reading).map_err(in_words)?;
        let (files, variables) = (reading.files.take(), reading.variables.take());
        Ok(Self { file: name, text, files, variables, folder: Some(folder) })
    }

    /// Checks everything and makes it ready.
    pub(crate) fn load(&self, actions: &ActionCatalogue) -> Result<House, Vec<Fault>> {
        let office = Office::parse(&self.file, &self.text, self)?;
        let (audio, warnings) = self.audio(&office);
        let known = Known { office: &office, audio: &audio };
        let mut faults = Vec::new();
        let mut programs = BTreeMap::new();
        for source in office.scenarios() {
            let made = Document::read(&source.file, &source.document)
                .and_then(|document| compile(&document, &office.id, actions, &known));
            match made {
                Ok(program) => {
                    programs.insert(source.id.clone(), program);
                }
                Err(more) => faults.extend(more),
            }
        }
        if faults.is_empty() { Ok(House { office, programs, audio: Arc::new(audio), warnings }) } else { Err(faults) }
    }

    fn audio(&self, office: &Office) -> (OfficeAudio, Vec<String>) {
        let audio = OfficeAudio::default();
        let mut warnings = Vec::new();
        let Some(folder) = &self.folder else {
            for (name, bytes) in crate::demo::PROMPTS {
                warnings.extend(audio.prompts.load_bytes(name, bytes).err().map(|error| error.to_string()));
            }
            let (name, bytes) = crate::demo::MUSIC;
            warnings.extend(audio.music.load_bytes(name, bytes).err().map(|error| error.to_string()));
            return (audio, warnings);
        };
        if let Some(prompts) = &office.prompts {
            match audio.prompts.load_folder(&folder.join(prompts)) {
                Ok(broken) => warnings.extend(broken.iter().map(ToString::to_string)),
                Err(error) => warnings.push(error.to_string()),
            }
        }
        for (name, path) in &office.music {
            warnings
                .extend(audio.music.load_file(name.as_str(), &folder.join(path)).err().map(|error| error.to_string()));
        }
        (audio, warnings)
    }
}

/// Faults as lines.
pub(crate) fn in_words(faults: Vec<Fault>) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

struct Known<'a> {
    office: &'a Office,
    audio: &'a OfficeAudio,
}

impl Resolver for Known<'_> {
    fn user(&self, id_or_number: &str) -> Option<UserId> {
        self.office.find_user(id_or_number).map(|user| user.id.clone())
    }
    fn group(&self, id_or_number: &str) -> Option<GroupId> {
        self.office.find_group(id_or_number).map(|group| group.id.clone())
    }
    fn has_prompt(&self, name: &str) -> bool {
        let names: BTreeSet<String> = self.audio.prompts.names().into_iter().collect();
        names.contains(name)
            || names.iter().any(|kept| kept.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    }
    fn has_music(&self, name: &str) -> bool {
        self.audio.music.get(name).is_some()
    }
}

/// The store's name for an office's bundle.
pub(crate) const DOCUMENT: &str = "office";
