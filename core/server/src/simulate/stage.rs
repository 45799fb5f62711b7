//! An office made ready for a simulation: as it is, but for what its phones and gateways need of the real world.

use plugboard_document::{Entry, Fault, Kind, Mark, Node, did_you_mean};
use plugboard_plugin::{Catalogue, Limits};
use plugboard_scenario::ActionCatalogue;
use plugboard_simulator::rehearsal::Stage;
use plugboard_sound::Cache;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::house::{Absent, Bundle, in_words};

/// What a caller dials who is to meet a scenario that no number leads to.
const STAGE_DOOR: &str = "5559990001";
/// The routes to it.
const DOOR_ROUTE: &str = "stage-door";
/// What phones here prove to know.
const PASSWORD: &str = "simulated";
/// Of a user, what his real devices are like.
const OF_DEVICES: [&str; 8] =
    ["browser", "digest", "digest_integrity", "encryption", "encryption_by", "keys", "reliable", "sdes_without_tls"];
/// Of a gateway, how it is reached, and who it is.
const OF_LINES: [&str; 13] = [
    "digest",
    "digest_integrity",
    "encryption",
    "encryption_by",
    "inbound",
    "keys",
    "outbound_proxy",
    "password",
    "probe",
    "register",
    "reliable",
    "sdes_without_tls",
    "user",
];

/// A stage, and what is dialled there.
pub(super) struct Set {
    pub(super) stage: Stage,
    /// The scenario that was named, and the number that leads to it.
    pub(super) door: Option<Door>,
}

/// The way to a scenario that was named.
pub(super) struct Door {
    pub(super) scenario: String,
    pub(super) number: String,
}

impl Door {
    /// Whether this is one of its own routes.
    pub(super) fn is_route(route: &str) -> bool {
        route.strip_prefix(DOOR_ROUTE).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

/// Checks an office, with a draft of a scenario in it if one is named, and makes it ready.
pub(super) fn set(
    mut bundle: Bundle,
    of_file: bool,
    scenario: Option<&str>,
    (actions, strangers): (&Arc<Catalogue>, BTreeSet<String>),
) -> Result<Set, Vec<String>> {
    let by_name = plugboard_simulator::by_name(actions);
    let known = plugboard_switch::action_catalogue(&by_name).with_strangers(strangers.iter().cloned());
    let node = plugboard_document::parse(&bundle.file, &bundle.text).map_err(in_words)?;
    let Kind::Map(mut root) = node.kind else { return Err(vec![format!("{} is no office", bundle.file)]) };
    let mut door = None;
    let given = bundle.clone();
    // What is wrong with a file is told before anything in it is changed; a draft may mend what is wrong with the scenario that it replaces.
    if of_file && !scenario.is_some_and(is_file) {
        bundle.load(&known, Absent::Refused, &Cache::none()).map_err(in_words)?;
    }
    if let Some(scenario) = scenario {
        let name = draft(&mut bundle, &mut root, scenario).map_err(|fault| vec![fault])?;
        open_door(&mut root, &name);
        door = Some(Door { scenario: name, number: STAGE_DOOR.to_owned() });
    }
    for entry in &mut root {
        match (entry.key.as_str(), &mut entry.value.kind) {
            ("users", Kind::List(users)) => users.iter_mut().for_each(|user| {
                leave_out(user, &OF_DEVICES);
                put(user, "password", PASSWORD);
            }),
            ("gateways", Kind::List(gateways)) => {
                for (place, gateway) in (1_u16..).zip(gateways) {
                    let [high, low] = place.to_be_bytes();
                    leave_out(gateway, &OF_LINES);
                    put(gateway, "address", &format!("10.255.{high}.{low}:5060"));
                    put(gateway, "transport", "udp");
                }
            }
            _ => {}
        }
        forget_kept(&mut entry.value);
    }
    bundle.text = Node { at: node.at, kind: Kind::Map(root) }.to_yaml();
    let loaded = bundle.load(&known, Absent::Refused, &Cache::none());
    let house = loaded.map_err(|faults| placed(faults, &given, &known)).map_err(in_words)?;
    let prompts = &house.audio.prompts;
    let prompts = prompts.names().into_iter().filter_map(|name| {
        let length = prompts.get(&name)?.duration();
        Some((name, length))
    });
    let stage = Stage {
        prompts: in_every_language(prompts.collect(), &house.office.language),
        office: house.office,
        programs: house.programs,
        actions: Arc::clone(actions),
        strangers,
        limits: Limits::default(),
    };
    Ok(Set { stage, door })
}

/// Faults with the places that their author knows: those of the office's own document are told of it as it was before anything in it was changed.
fn placed(faults: Vec<Fault>, given: &Bundle, known: &ActionCatalogue) -> Vec<Fault> {
    let own = |fault: &Fault| *fault.file == *given.file;
    let (changed, elsewhere): (Vec<Fault>, Vec<Fault>) = faults.into_iter().partition(own);
    if changed.is_empty() {
        return elsewhere;
    }
    let before = given.load(known, Absent::Refused, &Cache::none()).err().unwrap_or_default();
    // What only the draft brought about has no place in the document.
    let placed = |fault: Fault| {
        let same = before.iter().find(|other| other.path == fault.path && other.reason == fault.reason);
        same.cloned().unwrap_or(Fault { line: 0, column: 0, ..fault })
    };
    let changed = changed.into_iter().map(placed);
    changed.chain(elsewhere).collect()
}

/// A prompt is found by its name alone: that of the office's language, else whichever there is.
fn in_every_language(
    prompts: Vec<(String, std::time::Duration)>,
    language: &str,
) -> BTreeMap<String, std::time::Duration> {
    let mut named: BTreeMap<_, _> = prompts.iter().cloned().collect();
    for (name, length) in &prompts {
        let Some((bare, of)) = name.rsplit_once('.') else { continue };
        if of == language || !named.contains_key(bare) {
            named.insert(bare.to_owned(), *length);
        }
    }
    named
}

/// Whether this is a draft's file and no scenario's name.
pub(crate) fn is_file(scenario: &str) -> bool {
    let endings = [".yaml", ".yml", ".json"];
    scenario.contains('/') || endings.iter().any(|ending| scenario.ends_with(ending))
}

/// Puts a scenario's draft in the place of what the office has of that name. Its name.
fn draft(bundle: &mut Bundle, root: &mut Vec<Entry>, scenario: &str) -> Result<String, String> {
    if !is_file(scenario) {
        let known: Vec<String> =
            list_of(root, "scenarios").iter().filter_map(|item| name_of(item, &bundle.files)).collect();
        if known.iter().any(|name| name == scenario) {
            return Ok(scenario.to_owned());
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let near = did_you_mean(scenario, &known);
        let remedy = match known.as_slice() {
            [] => "it has none; name a file to try a draft".to_owned(),
            _ if near.is_empty() => format!("scenarios are {}; a draft is named by its file", known.join(", ")),
            _ => near,
        };
        return Err(format!("the office has no scenario {scenario:?}: {remedy}"));
    }
    let text = std::fs::read_to_string(scenario).map_err(|error| format!("{scenario}: {error}"))?;
    let (node, faults) = plugboard_document::examine(scenario, &text);
    if !faults.is_empty() {
        return Err(in_words(faults).join("\n"));
    }
    let name = node.as_ref().and_then(|node| node.get("scenario")?.as_text()).map(ToOwned::to_owned);
    let name =
        name.ok_or_else(|| format!("{scenario} does not say the scenario's name; begin with \"scenario: name\""))?;
    let of_name = |item: &Node| name_of(item, &bundle.files).is_some_and(|own| own == name);
    let made = Kind::Map(vec![entry("file", Kind::Text(scenario.to_owned()))]);
    let list = list_of(root, "scenarios");
    list.retain(|item| !of_name(item));
    list.push(Node::made(made));
    bundle.files.insert(scenario.to_owned(), Ok(text));
    Ok(name)
}

/// The name of a scenario of the office: one that stands there, or in a file of its own.
fn name_of(item: &Node, files: &BTreeMap<String, Result<String, String>>) -> Option<String> {
    let own = item.get("scenario").and_then(Node::as_text).map(ToOwned::to_owned);
    let filed = || {
        let file = item.get("file")?.as_text()?;
        let text = files.get(file)?.as_ref().ok()?;
        plugboard_document::examine(file, text).0?.get("scenario")?.as_text().map(ToOwned::to_owned)
    };
    own.or_else(filed)
}

/// A route to a scenario for whoever calls.
fn open_door(root: &mut Vec<Entry>, scenario: &str) {
    let gateways: Vec<String> = list_of(root, "gateways")
        .iter()
        .filter_map(|gateway| gateway.get("id")?.as_text().map(ToOwned::to_owned))
        .collect();
    let routes = list_of(root, "routes");
    let route = |id: String, from: Option<String>| {
        let text = |text: &str| Kind::Text(text.to_owned());
        let mut made = vec![
            entry("id", Kind::Text(id)),
            entry("number", text(STAGE_DOOR)),
            entry("scenario", text(scenario)),
            entry("priority", Kind::Integer(1, "1".into())),
        ];
        made.extend(from.map(|from| entry("from", Kind::Map(vec![entry("gateway", Kind::Text(from))]))));
        Node::made(Kind::Map(made))
    };
    routes.push(route(DOOR_ROUTE.into(), None));
    routes
        .extend(gateways.into_iter().zip(0..).map(|(from, place)| route(format!("{DOOR_ROUTE}-{place}"), Some(from))));
}

fn list_of<'a>(root: &'a mut Vec<Entry>, key: &str) -> &'a mut Vec<Node> {
    if !root.iter().any(|entry| entry.key == key && matches!(entry.value.kind, Kind::List(_))) {
        root.retain(|entry| entry.key != key);
        root.push(entry(key, Kind::List(Vec::new())));
    }
    let found = root.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value.kind);
    match found {
        Some(Kind::List(items)) => items,
        _ => unreachable!("it was put there"),
    }
}

fn entry(key: &str, kind: Kind) -> Entry {
    Entry { at: Mark::default(), key: key.to_owned(), value: Node::made(kind) }
}

fn leave_out(node: &mut Node, keys: &[&str]) {
    if let Kind::Map(entries) = &mut node.kind {
        entries.retain(|entry| !keys.contains(&entry.key.as_str()));
    }
}

fn put(node: &mut Node, key: &str, text: &str) {
    if let Kind::Map(entries) = &mut node.kind {
        entries.retain(|entry| entry.key != key);
        entries.push(entry(key, Kind::Text(text.to_owned())));
    }
}

/// Secrets that the running switch keeps are of no use here: any will do.
fn forget_kept(node: &mut Node) {
    const ANY: &str = "471100";
    let kept = node.get("keep").is_some() && node.as_map().is_some_and(|entries| entries.len() == 1);
    if kept {
        node.kind = Kind::Text(ANY.to_owned());
        return;
    }
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(forget_kept),
        Kind::Map(entries) => entries.iter_mut().for_each(|entry| forget_kept(&mut entry.value)),
        Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) | Kind::Text(_) => {}
    }
}
