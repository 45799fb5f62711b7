//! An office as it is loaded: its document with the files it names, checked against the installed actions.

use plugboard_calendar::{Calendar, Days, Hours, Zone};
use plugboard_document::{Faults, Node};
use plugboard_model::{GroupId, HttpMethod, KnownContact, Name, OfficeId, ScenarioId, UserId};
use plugboard_office::{
    BlockedThen, Database, DatabasePlace, DatabaseQuery, Examined, Goal, Office, ScenarioSource, Surroundings,
};
use plugboard_scenario::{ActionCatalogue, Document, Fault, KnownDatabases, Program, Resolver, build, build_examined};
use plugboard_sound::{Cache, load_file, load_folder};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::prompts::OfficeAudio;
use crate::{grants, integrations};

/// An office document with everything it needs from outside itself: what `apply` sends and the store keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bundle {
    /// The document's name, for faults.
    pub(crate) file: String,
    /// The document.
    pub(crate) text: String,
    /// Files that it names, or why they cannot be read.
    pub(crate) files: BTreeMap<String, Result<String, String>>,
    /// Environment variables that it names.
    pub(crate) variables: BTreeMap<String, String>,
    /// The folder that its paths are relative to.
    pub(crate) folder: PathBuf,
    /// Passwords that users keep, by office and user: filled in by the running switch, whatever was sent.
    #[serde(default)]
    pub(crate) kept: BTreeMap<String, String>,
}

/// A loaded office.
pub(crate) struct House {
    pub(crate) office: Arc<Office>,
    /// What the paths of its document are relative to.
    pub(crate) folder: PathBuf,
    pub(crate) programs: BTreeMap<ScenarioId, Arc<Program>>,
    pub(crate) audio: Arc<OfficeAudio>,
    /// Audio that could not be read: a step that plays it is skipped (R52); what a newer check finds in a stored office.
    pub(crate) warnings: Vec<String>,
    /// What it was loaded from.
    pub(crate) source: Arc<Bundle>,
    /// Actions that are not installed, with a scenario that names them: it is not among the programs.
    pub(crate) lacking: Vec<(String, ScenarioId)>,
}

impl Surroundings for Bundle {
    fn file(&self, path: &str) -> Result<String, String> {
        self.files.get(path).cloned().unwrap_or_else(|| Err("the file was not sent along".into()))
    }
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
    fn kept(&self, office: &OfficeId, user: &str) -> Option<String> {
        self.kept.get(&keeper(office, user)).cloned()
    }
    fn kept_of_gateway(&self, office: &OfficeId, gateway: &str) -> Option<String> {
        self.kept.get(&gateway_keeper(office, gateway)).cloned()
    }
}

/// Whose a kept password is.
fn keeper(office: &OfficeId, user: &str) -> String {
    format!("{office}/{user}")
}

/// The same of a gateway: no user's name has a slash.
fn gateway_keeper(office: &OfficeId, gateway: &str) -> String {
    format!("{office}/gateway/{gateway}")
}

/// Reads from the document's own folder, and remembers what was asked for.
struct Reading<'a> {
    folder: &'a Path,
    files: RefCell<BTreeMap<String, Result<String, String>>>,
    variables: RefCell<BTreeMap<String, String>>,
    kept: RefCell<BTreeMap<String, String>>,
}

impl Surroundings for Reading<'_> {
    fn file(&self, path: &str) -> Result<String, String> {
        let text = std::fs::read_to_string(self.folder.join(path)).map_err(|error| error.to_string());
        self.files.borrow_mut().insert(path.to_owned(), text.clone());
        text
    }
    fn variable(&self, name: &str) -> Option<String> {
        let value = std::env::var(name).ok()?;
        self.variables.borrow_mut().insert(name.to_owned(), value.clone());
        Some(value)
    }
    /// Only the running switch knows; it puts its own in place of this.
    fn kept(&self, office: &OfficeId, user: &str) -> Option<String> {
        let unknown = "known to the switch".to_owned();
        self.kept.borrow_mut().insert(keeper(office, user), unknown.clone());
        Some(unknown)
    }
    fn kept_of_gateway(&self, office: &OfficeId, gateway: &str) -> Option<String> {
        let unknown = "known to the switch".to_owned();
        self.kept.borrow_mut().insert(gateway_keeper(office, gateway), unknown.clone());
        Some(unknown)
    }
}

impl Bundle {
    /// Reads an office file with everything it names; what is wrong with it, [`Bundle::load`] tells.
    ///
    /// # Errors
    /// When the file itself cannot be read.
    pub(crate) fn read(file: &Path) -> Result<Self, Fault> {
        if file.is_dir() {
            return Err(is_a_folder(file));
        }
        let unread = |cause| crate::config::unread(&file.display().to_string(), &cause);
        let text = std::fs::read_to_string(file).map_err(unread)?;
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let folder = absolute.parent().unwrap_or(Path::new("/")).to_owned();
        let (files, variables, kept) = <_>::default();
        let reading = Reading { folder: &folder, files, variables, kept };
        let name = file.display().to_string();
        // For what it asks of its surroundings; faults are told by whoever loads it.
        let _examined = Office::examine(&name, plugboard_document::examine(&name, &text), &reading);
        let (files, variables, kept) = (reading.files.take(), reading.variables.take(), reading.kept.take());
        Ok(Self { file: name, text, files, variables, folder, kept })
    }

    /// A document that names no files.
    pub(crate) fn of_text(name: &str, text: &str) -> Self {
        let (files, variables, kept) = <_>::default();
        Self { file: name.to_owned(), text: text.to_owned(), files, variables, folder: PathBuf::from("/"), kept }
    }

    /// Whether this stored bundle is the same: all but the name that it was given on the command line.
    pub(crate) fn is_kept_by(&self, body: Option<&[u8]>) -> bool {
        let kept: Option<Self> = body.and_then(|body| serde_json::from_slice(body).ok());
        kept.is_some_and(|kept| Self { file: self.file.clone(), ..kept } == *self)
    }

    /// The document as a tree, with what is wrong with its form.
    fn tree(&self) -> Tree {
        plugboard_document::examine(&self.file, &self.text)
    }

    /// Users and gateways that keep their passwords keep those that they have in `houses`.
    pub(crate) fn keep_passwords<'a>(&mut self, houses: impl Iterator<Item = &'a House>) {
        let wanted: BTreeSet<String> = std::mem::take(&mut self.kept).into_keys().collect();
        for house in houses {
            for user in house.office.users() {
                let whose = keeper(&house.office.id, user.id.name.as_str());
                if wanted.contains(&whose) {
                    self.kept.insert(whose, user.password.reveal().to_owned());
                }
            }
            let users = house.office.users().map(|user| ("user", &user.id.name, &user.mailbox));
            let groups = house.office.groups().map(|group| ("group", &group.id.name, &group.mailbox));
            for (kind, name, mailbox) in users.chain(groups) {
                let whose = keeper(&house.office.id, &format!("pin/{kind}/{name}"));
                if let Some(pin) = mailbox.pin.as_ref().filter(|_| wanted.contains(&whose)) {
                    self.kept.insert(whose, pin.reveal().to_owned());
                }
            }
            for source in house.office.http.values() {
                let whose = keeper(&house.office.id, &format!("http/{}", source.id));
                if let Some(login) = source.login.as_ref().filter(|_| wanted.contains(&whose)) {
                    self.kept.insert(whose, login.secret().reveal().to_owned());
                }
            }
            for database in house.office.databases.values() {
                let whose = keeper(&house.office.id, &format!("database/{}", database.id));
                let password = match &database.place {
                    DatabasePlace::Server(server) => server.password.as_ref(),
                    DatabasePlace::File(_) => None,
                };
                if let Some(password) = password.filter(|_| wanted.contains(&whose)) {
                    self.kept.insert(whose, password.reveal().to_owned());
                }
            }
            let whose = keeper(&house.office.id, "mail/login");
            let login = house.office.mail.as_ref().and_then(|mail| mail.login.as_ref());
            if let Some(login) = login.filter(|_| wanted.contains(&whose)) {
                self.kept.insert(whose, login.password.reveal().to_owned());
            }
            for gateway in house.office.gateways() {
                let whose = gateway_keeper(&house.office.id, gateway.id.name.as_str());
                if let Some(login) = gateway.login.as_ref().filter(|_| wanted.contains(&whose)) {
                    self.kept.insert(whose, login.password.reveal().to_owned());
                }
            }
        }
    }

    /// Checks everything, an office or a scenario that stands alone; tells what its author should know all the same.
    ///
    /// # Errors
    /// Every fault.
    pub(crate) fn check(&self, actions: &ActionCatalogue) -> Result<Vec<String>, Vec<Fault>> {
        let tree = self.tree();
        if !is_scenario(&tree) {
            return self.load_tree(tree, actions, Absent::Refused, &Cache::none()).map(|house| house.warnings);
        }
        let faults = check_scenario(&self.file, tree, actions);
        if faults.is_empty() { Ok(Vec::new()) } else { Err(faults) }
    }

    /// What is wrong with the form alone: for where no action is known.
    pub(crate) fn faults_of_form(&self) -> Vec<Fault> {
        let tree = self.tree();
        if is_scenario(&tree) {
            let (node, mut faults) = tree;
            faults.extend(node.and_then(|node| Document::read(&self.file, &node).err()).unwrap_or_default());
            return faults;
        }
        let examined = Office::examine(&self.file, tree, self);
        let mut faults = examined.faults;
        for source in examined.office.iter().flat_map(|office| office.scenarios()) {
            faults.extend(Document::read(&source.file, &source.document).err().unwrap_or_default());
        }
        faults
    }

    /// Checks everything and makes it ready.
    ///
    /// # Errors
    /// Every fault of the office and of its scenarios.
    pub(crate) fn load(&self, actions: &ActionCatalogue, absent: Absent, sounds: &Cache) -> Result<House, Vec<Fault>> {
        self.load_tree(self.tree(), actions, absent, sounds)
    }

    fn load_tree(
        &self,
        tree: Tree,
        actions: &ActionCatalogue,
        absent: Absent,
        sounds: &Cache,
    ) -> Result<House, Vec<Fault>> {
        if is_scenario(&tree) {
            let name = Path::new(&self.file).file_name().unwrap_or_default().display();
            let remedy = format!(
                "name it in an office file, as `scenarios: [{{ file: {name} }}]`, and apply that; `check` takes both"
            );
            return Err(vec![Fault::of_file(self.file.as_str(), "this is a scenario, an office is wanted", remedy)]);
        }
        let mut examined = Office::examine(&self.file, tree, self);
        let mut faults = std::mem::take(&mut examined.faults);
        let Some(office) = examined.office.clone() else { return Err(faults) };
        let (audio, mut warnings) = self.audio(&office, sounds);
        if absent == Absent::Tolerated {
            faults.retain(|fault| !examined.bearable.contains(fault));
            warnings.extend(in_words(std::mem::take(&mut examined.bearable)));
        }
        let known = Known { examined: &examined, office: &office, audio: &audio, missing: RefCell::default() };
        let (mut programs, mut lacking) = (BTreeMap::new(), Vec::new());
        for source in office.scenarios() {
            match build(&source.file, &source.document, &office.id, actions, &known) {
                Ok(program) => {
                    programs.insert(source.id.clone(), program);
                }
                Err(more) => match (absent, absent_actions(&office, source, actions)) {
                    (Absent::Tolerated, names) if !names.is_empty() => {
                        lacking.extend(names.into_iter().map(|name| (name, source.id.clone())));
                    }
                    (Absent::Tolerated | Absent::Refused, _) => faults.extend(more),
                },
            }
        }
        faults.extend(begun_alone(&office, &programs));
        if absent == Absent::Refused {
            faults.extend(silent(&office, &programs));
        }
        if absent == Absent::Refused {
            faults.extend(grants::unknown(&self.file, &office, actions));
        }
        let strange = integrations::faults(&self.file, &office, actions);
        match absent {
            Absent::Refused => faults.extend(strange),
            // It is not asked; calls go on without it.
            Absent::Tolerated => warnings.extend(in_words(strange)),
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        warnings.extend(known.missing.take());
        warnings.extend(office.emergency_warning());
        warnings.extend(office.shadowed());
        warnings.extend(grants::lacking(&office, actions));
        warnings.extend(integrations::lacking(&office, actions));
        let (folder, source) = (self.folder.clone(), Arc::new(self.clone()));
        Ok(House { office, folder, programs, audio: Arc::new(audio), warnings, source, lacking })
    }

    fn audio(&self, office: &Office, sounds: &Cache) -> (OfficeAudio, Vec<String>) {
        let audio = OfficeAudio::default();
        let mut warnings = Vec::new();
        let folder = &self.folder;
        if let Some(prompts) = &office.prompts {
            match load_folder(&audio.prompts, sounds, &folder.join(prompts)) {
                Ok(broken) => warnings.extend(broken.iter().map(ToString::to_string)),
                Err(error) => warnings.push(error.to_string()),
            }
        }
        for (name, path) in &office.music {
            let broken = load_file(&audio.music, sounds, name.as_str(), &folder.join(path)).err();
            warnings.extend(broken.map(|fault| fault.to_string()));
        }
        (audio, warnings)
    }
}

/// What [`plugboard_document::examine`] found in a document.
type Tree = (Option<Node>, Vec<Fault>);

/// Whether it is a scenario that stands alone, not an office.
fn is_scenario((root, _): &Tree) -> bool {
    root.as_ref().is_some_and(|root| root.get("scenario").is_some() && root.get("office").is_none())
}

/// A folder stands where a file is wanted: some that are in it.
fn is_a_folder(folder: &Path) -> Fault {
    /// As many as a line holds.
    const NAMED_MAX: usize = 4;
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let ours = |path: &PathBuf| {
        path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json" || end == "toml")
    };
    let mut files: Vec<String> = entries.filter(ours).map(|path| path.display().to_string()).collect();
    files.sort();
    let more = if files.len() > NAMED_MAX { " .." } else { "" };
    files.truncate(NAMED_MAX);
    let remedy = match files.as_slice() {
        [] => "name an office file; there is none in it".into(),
        files => format!("name files, such as {}{more}", files.join(" ")),
    };
    Fault::of_file(folder.display().to_string(), "this is a folder, a file is wanted", remedy)
}

/// What becomes of a scenario that names an action which is not installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Its author is told, and nothing is loaded.
    Refused,
    /// At a start: the office is served all the same, calls to this scenario are refused. Nor do checks that are newer than
    /// the stored document keep it from being served.
    Tolerated,
}

/// The actions of a scenario, and of those that it runs, that are not installed.
fn absent_actions(office: &Office, source: &ScenarioSource, actions: &ActionCatalogue) -> Vec<String> {
    used_actions(office, source).into_iter().filter(|name| actions.get(name).is_none()).collect()
}

/// The actions of a scenario, and of those that it runs.
pub(crate) fn used_actions(office: &Office, source: &ScenarioSource) -> BTreeSet<String> {
    let (mut used, mut seen, mut ahead) = (BTreeSet::new(), BTreeSet::new(), vec![source]);
    while let Some(source) = ahead.pop() {
        if !seen.insert(&source.id) {
            continue;
        }
        let Ok(document) = Document::read(&source.file, &source.document) else { continue };
        used.extend(document.actions());
        let run = document.scenarios();
        ahead.extend(office.scenarios().filter(|other| run.contains(other.id.name.as_str())).map(AsRef::as_ref));
    }
    used
}

/// Numbers and routes that lead to a scenario to which somebody has to give something first.
fn begun_alone(office: &Office, programs: &BTreeMap<ScenarioId, Arc<Program>>) -> Vec<Fault> {
    let numbers = office.numbers().map(|number| (format!("the number {}", number.number), &number.scenario));
    let routes = office.routes().filter_map(|route| match &route.to {
        Goal::Scenario(scenario) => Some((format!("the route {}", route.id.name), scenario)),
        Goal::User(_) | Goal::Group(_) | Goal::Gateway { .. } | Goal::Refuse(_) => None,
    });
    let blocked = |of: String, blocked: &plugboard_office::Blocked| match &blocked.then {
        BlockedThen::Scenario(scenario) => Some((format!("`blocked` of {of}"), scenario.clone())),
        BlockedThen::Refuse(_) => None,
    };
    let of_office = office.blocked.iter().filter_map(|own| blocked("the office".to_owned(), own));
    let of_users =
        office.users().filter_map(|user| blocked(format!("the user {}", user.id.name), user.blocked.as_ref()?));
    let blocked: Vec<(String, ScenarioId)> = of_office.chain(of_users).collect();
    let blocked = blocked.iter().map(|(of, scenario)| (of.clone(), scenario));
    let mut faults = Vec::new();
    for (from, scenario) in numbers.chain(routes).chain(blocked) {
        let needs = programs.get(scenario).map(|program| program.needs().join(", ")).unwrap_or_default();
        if let Some(source) = office.scenario(scenario).filter(|_| !needs.is_empty()) {
            let mut own = Faults::new(Arc::clone(&source.file));
            let reason = format!("{from} leads here, and nobody gives {needs} a value");
            own.add(source.document.at, "variables", reason, "let it lead to a scenario that runs this one");
            faults.extend(own.into_sorted());
        }
    }
    faults
}

/// Of scenarios that numbers and routes lead to, those on which a call may end before its caller has heard anything.
fn silent(office: &Office, programs: &BTreeMap<ScenarioId, Arc<Program>>) -> Vec<Fault> {
    let of_numbers = office.numbers().map(|number| &number.scenario);
    let of_routes = office.routes().filter_map(|route| match &route.to {
        Goal::Scenario(scenario) => Some(scenario),
        Goal::User(_) | Goal::Group(_) | Goal::Gateway { .. } | Goal::Refuse(_) => None,
    });
    let reached: BTreeSet<&ScenarioId> = of_numbers.chain(of_routes).collect();
    let mut faults = Vec::new();
    for scenario in reached {
        let silence = programs.get(scenario).and_then(|program| program.silence());
        let (Some(way), Some(source)) = (silence, office.scenario(scenario)) else { continue };
        let mut own = Faults::new(Arc::clone(&source.file));
        let decided = way.last().and_then(|last| last.split_once(": ")).map_or("steps", |(path, _)| path);
        let way = if way.is_empty() { "whatever is decided".to_owned() } else { way.join(", ") };
        let reason = format!("a call may end in silence: the caller hears nothing, and nobody is rung ({way})");
        let (at, path) = place_of(&source.document, decided);
        own.add(at, path, reason, "let it play something there, ring somebody, or hang-up");
        faults.extend(own.into_sorted());
    }
    faults
}

/// Where a step stands, by its path, or whatever is nearest to it in this document: the step that runs it, if it is another scenario's.
fn place_of<'p>(document: &Node, path: &'p str) -> (plugboard_document::Mark, &'p str) {
    let (mut node, mut taken) = (document, 0);
    for (end, _) in path.match_indices(['.', '[']).chain([(path.len(), "")]) {
        let Some(part) = path.get(taken..end) else { break };
        let part = part.trim_start_matches(['.', '[']).trim_end_matches(']');
        let inside = match part.parse::<usize>() {
            Ok(place) => item_of(node, place).or_else(|| node.get(part)),
            Err(_) => node.get(part),
        };
        let Some(inside) = inside else { break };
        (node, taken) = (inside, end);
    }
    (node.at, path.get(..taken).unwrap_or(path))
}

fn item_of(node: &Node, place: usize) -> Option<&Node> {
    if let plugboard_document::Kind::List(items) = &node.kind { items.get(place) } else { None }
}

/// Faults as lines.
pub(crate) fn in_words(faults: Vec<Fault>) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

struct Known<'a> {
    examined: &'a Examined,
    office: &'a Office,
    audio: &'a OfficeAudio,
    /// Audio that scenarios name and that is not there, in words.
    missing: RefCell<BTreeSet<String>>,
}

impl Known<'_> {
    fn misses(&self, kind: &str, name: &str) {
        let office = &self.office.id;
        let text = format!("office {office} has no {kind} {name:?}: steps that play it are skipped");
        self.missing.borrow_mut().insert(text);
    }
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
            let of = |query: &DatabaseQuery| (query.id.to_string(), query.parameters.clone());
            database.queries.values().map(|query| of(query)).collect()
        };
        let databases = self.office.databases.values();
        Some(databases.map(|database| (database.id.to_string(), queries(database))).collect())
    }
    fn user(&self, id_or_number: &str) -> Option<UserId> {
        let found = self.office.find_user(id_or_number).map(|user| user.id.clone());
        // One whose own entry has a fault is not missing as well.
        found.or_else(|| {
            let name = self.examined.names_user(id_or_number).then(|| Name::new(id_or_number).ok())??;
            Some(UserId { office: self.office.id.clone(), name })
        })
    }
    fn group(&self, id_or_number: &str) -> Option<GroupId> {
        let found = self.office.find_group(id_or_number).map(|group| group.id.clone());
        found.or_else(|| {
            let name = self.examined.names_group(id_or_number).then(|| Name::new(id_or_number).ok())??;
            Some(GroupId { office: self.office.id.clone(), name })
        })
    }
    /// A file that is gone must not keep an office from being served: its author is warned (R52).
    fn has_prompt(&self, name: &str) -> bool {
        let names: BTreeSet<String> = self.audio.prompts.names().into_iter().collect();
        let in_a_language = |kept: &String| kept.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        if !names.contains(name) && !names.iter().any(in_a_language) {
            self.misses("prompt", name);
        }
        true
    }
    fn has_music(&self, name: &str) -> bool {
        if self.audio.music.get(name).is_none() {
            self.misses("music", name);
        }
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

/// Checks a scenario without its office: whom it names cannot be known, so anybody may be.
fn check_scenario(file: &str, tree: Tree, actions: &ActionCatalogue) -> Vec<Fault> {
    let Ok(office) = OfficeId::new("unknown") else { return Vec::new() };
    build_examined(file, tree, &office, actions, &Anybody(office.clone())).err().unwrap_or_default()
}

/// An office in which everybody works.
struct Anybody(OfficeId);

impl Resolver for Anybody {
    fn mail_to(&self, _: &str) -> Result<(), (String, String)> {
        Ok(())
    }
    fn mail_template(&self, _: &str) -> Option<Vec<String>> {
        Some(Vec::new())
    }
    fn mail_templates(&self) -> Vec<String> {
        Vec::new()
    }
    fn has_http_source(&self, _: &str) -> bool {
        true
    }
    fn http_sources(&self) -> Vec<String> {
        Vec::new()
    }
    fn databases(&self) -> Option<KnownDatabases> {
        None
    }
    fn user(&self, id_or_number: &str) -> Option<UserId> {
        Some(UserId { office: self.0.clone(), name: Name::new(id_or_number).ok()? })
    }
    fn group(&self, id_or_number: &str) -> Option<GroupId> {
        Some(GroupId { office: self.0.clone(), name: Name::new(id_or_number).ok()? })
    }
    fn has_prompt(&self, _: &str) -> bool {
        true
    }
    fn has_music(&self, _: &str) -> bool {
        true
    }
    fn calendar(&self, name: &str) -> Option<Arc<Calendar>> {
        let hours = Hours { days: Days::ALL, from: 0, to: 0 };
        let (id, zone) = (Name::new(name).ok()?, Zone::default());
        Some(Arc::new(Calendar::new(id, zone, vec![hours], Vec::new(), Vec::new())))
    }
    fn calendars(&self) -> Vec<String> {
        Vec::new()
    }
    fn zone(&self) -> Option<Zone> {
        Some(Zone::default())
    }
    fn scenario(&self, name: &str) -> Option<Document> {
        let text = format!("scenario: {name}\nsteps: []\n");
        Document::parse(name, &text).ok()
    }
    fn scenarios(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The store's name for an office's bundle.
pub(crate) const DOCUMENT: &str = "office";
