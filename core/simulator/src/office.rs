//! Offices as stories write them, checked and made ready as the server does it.

use plugboard_media::{Audio, g711::Law};
use plugboard_model::{GroupId, HttpMethod, KnownContact, OfficeId, ScenarioId, UserId};
use plugboard_office::{Calendar, Database, Office, OfficeSet, Surroundings, Zone};
use plugboard_plugin::{Installed, Limits};
use plugboard_scenario::{Document, KnownDatabases, Program, Resolver, compile};
use plugboard_switch::{Configuration, GrantTable, Prompts, Voice, VoiceReply, action_catalogue};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::plugins::{built_in, by_name};
use crate::rehearsal::Stage;
use crate::sim::Setup;
use crate::sound::Sounds;

/// The demo office's folder.
const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../core/server/demo");

/// An office's document with the scenarios that it names.
#[derive(Debug, Clone, Default)]
pub struct OfficeText {
    text: String,
    files: BTreeMap<String, String>,
}

impl OfficeText {
    /// An office's YAML.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), files: BTreeMap::new() }
    }

    /// The office that `plugboard serve --demo` serves.
    pub fn demo() -> Self {
        let read = |file: &str| {
            let path = Path::new(DEMO).join(file);
            std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
        };
        Self::new(&read("office.yaml"))
            .with("scenarios/welcome.yaml", &read("scenarios/welcome.yaml"))
            .with("scenarios/echo.yaml", &read("scenarios/echo.yaml"))
            .with("scenarios/voicemail.yaml", &read("scenarios/voicemail.yaml"))
    }

    /// With a file that the document names.
    #[must_use]
    pub fn with(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    /// With one more scenario, named `story`, at the number 300.
    #[must_use]
    pub fn with_story(self, steps: &str) -> Self {
        self.replace("scenarios:\n", "scenarios:\n  - { file: story.yaml }\n")
            .replace("routes:\n", "routes:\n  - { id: story, number: 300, scenario: story }\n")
            .with("story.yaml", &format!("scenario: story\nsteps:\n{steps}"))
    }

    /// The office as a stage for rehearsals, with the demo's prompts and the built-in actions.
    ///
    /// # Panics
    /// When it has faults.
    pub fn stage(&self) -> Stage {
        let (prompts, actions) = (Setup::demo_prompts(), built_in());
        let records = Records::new(Sounds::default(), prompts.clone());
        let configuration = configuration(std::slice::from_ref(self), &by_name(&actions), &records, Limits::default());
        let office = configuration.offices.iter().next().cloned();
        let office = office.unwrap_or_else(|| panic!("there is no office"));
        Stage {
            office,
            programs: configuration.programs,
            actions,
            strangers: BTreeSet::new(),
            prompts,
            limits: Limits::default(),
        }
    }

    /// With every `from` in the document replaced.
    #[must_use]
    pub fn replace(mut self, from: &str, to: &str) -> Self {
        assert!(self.text.contains(from), "the office's document has no {from:?}");
        self.text = self.text.replace(from, to);
        self
    }
}

impl Surroundings for OfficeText {
    fn file(&self, path: &str) -> Result<String, String> {
        self.files.get(path).cloned().ok_or_else(|| format!("the story has no file {path}"))
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn kept(&self, _: &OfficeId, _: &str) -> Option<String> {
        None
    }

    fn kept_of_gateway(&self, _: &OfficeId, _: &str) -> Option<String> {
        None
    }
}

/// What can be played in every office: prompts with their lengths, and music. Each sounds of its own mark.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    sounds: Sounds,
    prompts: Arc<Mutex<BTreeMap<String, Duration>>>,
    /// Nothing here reads words aloud.
    dumb: Arc<AtomicBool>,
}

impl Records {
    pub(crate) fn new(sounds: Sounds, prompts: BTreeMap<String, Duration>) -> Self {
        Self { sounds, prompts: Arc::new(Mutex::new(prompts)), dumb: Arc::default() }
    }

    fn length(&self, name: &str) -> Option<Duration> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    /// From now on nothing reads words aloud.
    pub(crate) fn lose_voice(&self) {
        self.dumb.store(true, Ordering::Relaxed);
    }

    /// From now on there is no such prompt.
    pub(crate) fn remove(&self, name: &str) {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

impl Prompts for Records {
    fn find(&self, _: &OfficeId, name: &str, _: &str, music: bool) -> Result<Audio, String> {
        let length = if music { Some(Duration::from_secs(10)) } else { self.length(name) };
        let length = length.ok_or_else(|| format!("there is no prompt {name:?}"))?;
        let samples = usize::try_from(length.as_millis()).unwrap_or(0) * 8;
        Ok(Audio::from_g711(Law::Mu, &vec![self.sounds.mark(name); samples]))
    }
}

/// Words take a tenth of a second a letter, and sound of themselves.
impl Voice for Records {
    fn speak(&self, text: &str, language: &str, reply: VoiceReply) {
        if language == "xx" || self.dumb.load(Ordering::Relaxed) {
            return reply(Err(format!("nobody speaks {language}")));
        }
        let samples = text.chars().count() * 800;
        reply(Ok(Audio::from_g711(Law::Mu, &vec![self.sounds.mark(text); samples])));
    }
}

/// Reads and checks offices; a fault in one is a fault of the story.
pub(crate) fn configuration(
    texts: &[OfficeText],
    actions: &BTreeMap<String, Arc<Installed>>,
    records: &Records,
    limits: Limits,
) -> Configuration {
    checked(texts, actions, records, limits).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// As [`configuration`]; every fault in words.
pub(crate) fn checked(
    texts: &[OfficeText],
    actions: &BTreeMap<String, Arc<Installed>>,
    records: &Records,
    limits: Limits,
) -> Result<Configuration, Vec<String>> {
    let in_words = |faults: Vec<plugboard_scenario::Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>();
    let catalogue = action_catalogue(actions);
    let mut programs: BTreeMap<ScenarioId, Arc<Program>> = BTreeMap::new();
    let mut grants = GrantTable::default();
    let mut offices = Vec::new();
    for text in texts {
        let office = Office::parse("office.yaml", &text.text, text).map_err(in_words)?;
        let known = Known { office: &office, records };
        for source in office.scenarios() {
            let program = Document::read(&source.file, &source.document)
                .and_then(|document| compile(&document, &office.id, &catalogue, &known))
                .map_err(in_words)?;
            programs.insert(source.id.clone(), program);
        }
        grants.add(&office, actions.keys());
        offices.push(office);
    }
    let offices = OfficeSet::new(offices).map_err(in_words)?;
    Ok(Configuration { offices, programs, actions: actions.clone(), grants, limits })
}

struct Known<'a> {
    office: &'a Office,
    records: &'a Records,
}

impl Resolver for Known<'_> {
    fn mail_to(&self, whom: &str) -> Result<(), (String, String)> {
        if self.office.mail.is_none() {
            return Err(("the office sends no mail".into(), "write its `mail`: host, from".into()));
        }
        let remedy = "write an address, or a user or group with `mail`";
        self.office.mail_address(whom).map(drop).map_err(|reason| (reason, remedy.into()))
    }
    fn mail_template(&self, name: &str) -> Option<Vec<String>> {
        Some(self.office.mail_template(name)?.all().map(str::to_owned).collect())
    }
    fn mail_templates(&self) -> Vec<String> {
        let templates = self.office.mail.iter().flat_map(|mail| mail.templates.keys());
        templates.map(ToString::to_string).collect()
    }
    fn has_http_source(&self, name: &str) -> bool {
        self.office.http_source(name).is_some()
    }

    fn http_sources(&self) -> Vec<String> {
        self.office.http.keys().map(ToString::to_string).collect()
    }

    fn contact(&self, id_or_number: &str) -> Option<KnownContact> {
        let found = self.office.contact(id_or_number).or_else(|| self.office.find_contact(id_or_number))?;
        Some(self.office.known_contact(found))
    }

    fn http_methods(&self, source: &str) -> Option<Vec<String>> {
        let allowed = &self.office.http_source(source)?.methods;
        Some(
            HttpMethod::WORDS
                .iter()
                .filter(|(_, one)| allowed.contains(one))
                .map(|(word, _)| (*word).to_owned())
                .collect(),
        )
    }

    fn databases(&self) -> Option<KnownDatabases> {
        let queries = |database: &Database| {
            let queries = database.queries.values();
            queries.map(|query| (query.id.to_string(), query.parameters.clone())).collect()
        };
        let databases = self.office.databases.values();
        Some(databases.map(|database| (database.id.to_string(), queries(database))).collect())
    }

    fn user(&self, id_or_number: &str) -> Option<UserId> {
        self.office.find_user(id_or_number).map(|user| user.id.clone())
    }

    fn group(&self, id_or_number: &str) -> Option<GroupId> {
        self.office.find_group(id_or_number).map(|group| group.id.clone())
    }

    fn has_prompt(&self, name: &str) -> bool {
        self.records.length(name).is_some()
    }

    fn has_music(&self, _: &str) -> bool {
        true
    }

    fn calendar(&self, name: &str) -> Option<Arc<Calendar>> {
        self.office.calendar(name).cloned()
    }

    fn calendars(&self) -> Vec<String> {
        self.office.calendars.keys().map(ToString::to_string).collect()
    }

    fn zone(&self) -> Option<Zone> {
        self.office.time_zone
    }

    fn scenario(&self, name: &str) -> Option<Document> {
        let source = self.office.scenario_named(name)?;
        Document::read(&source.file, &source.document).ok()
    }

    fn scenarios(&self) -> Vec<String> {
        self.office.scenarios().map(|source| source.id.name.to_string()).collect()
    }
}
