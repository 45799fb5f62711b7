//! Plugins that admins install, remove and roll back while calls go on, and the vendors whom they trust.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plugboard_plugin::{Capability, Installed, Manifest, PluginKind};
use plugboard_signature::{PublicKey, SignatureError};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use crate::boot::Running;
use crate::catalogue::Actions;
use crate::control::{Answer, PluginOrder};
use crate::disk::{Broken, on_disk};
use crate::house::{in_words, used_actions};
use crate::shelf::{Entry, Version};

/// Letters of a vendor's name: one line of a list.
const VENDOR_MAX: usize = 64;
/// Offices that are applied while plugins are checked against the ones before: a person does not do that ten times.
const CHECKS_MAX: usize = 10;

/// The installed plugins, as they describe themselves, and where each is from.
pub(super) fn list(running: &Running) -> Result<Value, Vec<String>> {
    let (actions, shelf) = (running.actions(), &running.shelf);
    let (entries, keys) = (shelf.plugins().map_err(one)?, shelf.keys().map_err(one)?);
    let shown = |installed: &Arc<Installed>| {
        let manifest = installed.manifest();
        let entry = entries.get(&manifest.name).filter(|_| !actions.own.contains(&manifest.name));
        let mut told = json!({ "component": installed.id().to_string(), "manifest": manifest, "from": "switch" });
        if let (Some(told), Some(entry)) = (told.as_object_mut(), entry) {
            let vendor = entry.now.signed_by.as_ref().and_then(|key| keys.get(key)).map(|key| &key.vendor);
            told.insert("from".into(), "installed".into());
            told.insert("installed_at".into(), json!(entry.now.at));
            told.insert("signed_by".into(), json!(entry.now.signed_by));
            told.insert("vendor".into(), json!(vendor));
            told.insert("earlier".into(), json!(entry.earlier));
        }
        if let Some(told) = told.as_object_mut().filter(|_| manifest.kind == PluginKind::Action) {
            told.insert("events".into(), json!(events(manifest)));
        }
        told
    };
    let of = |kind: PluginKind| {
        let all = actions.by_name.values().filter(|installed| installed.manifest().kind == kind);
        all.map(shown).collect::<Vec<Value>>()
    };
    let refused = in_words(actions.refused.clone());
    Ok(json!({ "actions": of(PluginKind::Action), "integrations": of(PluginKind::Integration), "refused": refused }))
}

/// What a call tells a scenario while the action runs.
fn events(manifest: &Manifest) -> Vec<&'static str> {
    let calls = manifest.outcomes.iter().any(|outcome| outcome.name == plugboard_scenario::ANSWER);
    plugboard_scenario::Occasion::OF_ACTIONS.iter().filter(|_| calls).map(|occasion| occasion.as_str()).collect()
}

/// What an order comes to.
enum Prepared {
    /// Nothing more is to be done.
    Done(Value),
    /// Other plugins are to be in force.
    Change(Box<Change>),
}

struct Change {
    next: Actions,
    keep: Keep,
    /// What is compiled for it.
    taken: Option<Arc<Installed>>,
    answer: Value,
}

/// What the store is to hold of it.
enum Keep {
    Put { name: String, entry: Entry, file: Arc<[u8]> },
    Remove { name: String },
}

/// Carries orders out, one after the other: each begins from what the one before left. What compiles and what waits for the disk is done
/// on a thread that may wait.
pub(super) async fn order(running: &Arc<Running>, order: PluginOrder) -> Answer {
    let _alone = running.orders.lock().await;
    let prepared = waiting(running, move |running| prepare(running, order)).await;
    let told = match prepared {
        Ok(Prepared::Done(answer)) => Ok(answer),
        Ok(Prepared::Change(change)) => carry_out(running, *change).await,
        Err(faults) => Err(faults),
    };
    told.map_or_else(Answer::Faults, Answer::Done)
}

async fn waiting<T: Send + 'static>(
    running: &Arc<Running>,
    work: impl FnOnce(&Running) -> Result<T, Vec<String>> + Send + 'static,
) -> Result<T, Vec<String>> {
    let running = Arc::clone(running);
    on_disk(move || Ok::<_, Broken>(work(&running))).await.unwrap_or_else(|broken| Err(one(broken)))
}

fn prepare(running: &Running, order: PluginOrder) -> Result<Prepared, Vec<String>> {
    match order {
        PluginOrder::Install { file, bytes, untrusted } => install(running, &file, &bytes, untrusted),
        PluginOrder::Remove { name, force } => remove(running, name, force),
        PluginOrder::RollBack { name } => roll_back(running, name),
        PluginOrder::Trust { key, vendor } => trust(running, &key, vendor).map(Prepared::Done).map_err(one),
        PluginOrder::Distrust { key } => distrust(running, &key).map(Prepared::Done).map_err(one),
        PluginOrder::Keys => keys(running).map(Prepared::Done).map_err(one),
    }
}

async fn carry_out(running: &Arc<Running>, change: Change) -> Result<Value, Vec<String>> {
    let Change { next, keep, taken, answer } = change;
    let former = running.actions();
    let name = match &keep {
        Keep::Put { name, .. } | Keep::Remove { name } => name.clone(),
    };
    let undo = || {
        if let Some(taken) = &taken {
            undo(running, taken, former.by_name.get(&name));
        }
    };
    put_in_force(running, next).await.inspect_err(|_| undo())?;
    let kept = waiting(running, move |running| match &keep {
        Keep::Put { name, entry, file } => running.shelf.put(name, entry, file).map_err(one),
        Keep::Remove { name } => running.shelf.remove(name).map_err(one),
    });
    if let Err(faults) = kept.await {
        put_in_force(running, Actions::clone(&former)).await?;
        undo();
        return Err(faults);
    }
    Ok(answer)
}

/// Puts plugins in force with which every office in force is without a fault. An office that is applied meanwhile is checked anew.
async fn put_in_force(running: &Arc<Running>, next: Actions) -> Result<(), Vec<String>> {
    for _ in 0..CHECKS_MAX {
        let known = next.clone();
        let checked = waiting(running, move |running| running.checked_with(&known)).await?;
        if running.swap(&next, checked)? {
            return Ok(());
        }
    }
    Err(one("offices are applied all the time; try again"))
}

fn one(fault: impl Into<String>) -> Vec<String> {
    vec![fault.into()]
}

fn install(running: &Running, file: &str, bytes: &str, untrusted: bool) -> Result<Prepared, Vec<String>> {
    let told = |cause: &dyn std::fmt::Display| one(format!("{file}: {cause}"));
    let bytes = STANDARD
        .decode(bytes)
        .map_err(|_| told(&"it did not come as it was sent; is the command of the same version?"))?;
    let component = plugboard_plugin::componentize(&bytes).map_err(|cause| told(&cause))?;
    // Nothing of a file that is not trusted is compiled or run.
    let signed_by = signer(running, &component, untrusted).map_err(|cause| told(&cause))?;
    let actions = running.actions();
    let installed = actions.take(&component).map_err(|cause| told(&cause))?;
    let manifest = installed.manifest();
    let kept = running.shelf.plugins().map_err(one)?;
    let before = kept.get(&manifest.name).cloned();
    let version = Version {
        named: manifest.version.clone(),
        component: installed.id().to_string(),
        signed_by: signed_by.clone(),
        at: running.clock.wall(),
    };
    let Some(entry) = Entry::followed_by(before.clone(), version) else {
        let done = format!("{} {} is in force already, and stays", manifest.name, manifest.version);
        return Ok(Prepared::Done(json!({ "done": done, "name": manifest.name, "version": manifest.version })));
    };
    let former = actions.by_name.get(&manifest.name);
    let was = before.map(|before| before.now.named);
    let more = more_than(&installed, former);
    let mut done = match &was {
        Some(was) => format!("{} {} is in force in place of {was}", manifest.name, manifest.version),
        None => format!("{} {} is installed", manifest.name, manifest.version),
    };
    let signer = signed_by.as_ref().map_or_else(|| "nobody whom you trust".to_owned(), |key| vendor(running, key));
    done.push_str(", signed by ");
    done.push_str(&signer);
    if !more.is_empty() && was.is_some() {
        let more: Vec<&str> = more.iter().map(|capability| capability.as_str()).collect();
        done.push_str("; it wants more than before: ");
        done.push_str(&more.join(", "));
    }
    if was.is_none() && manifest.kind == PluginKind::Action {
        done.push_str("; no office lets it run before one of `plugins` names it");
    }
    let wants: Vec<Value> = manifest
        .capabilities
        .iter()
        .map(|wants| json!({ "capability": wants, "allows": wants.allows("en") }))
        .collect();
    let answer = json!({
        "done": done, "name": manifest.name, "version": manifest.version, "was": was, "signed_by": signed_by,
        "component": installed.id().to_string(), "wants": wants, "wants_more": more,
    });
    Ok(change(&actions, installed, entry, answer))
}

/// Whose signature it is, where that is one to believe.
fn signer(running: &Running, component: &[u8], untrusted: bool) -> Result<Option<String>, String> {
    let signed = match plugboard_signature::verify(component) {
        Ok(signed) => signed.map(|signed| signed.key.to_string()),
        // What is no plugin at all is told by whoever reads it.
        Err(SignatureError::File(_)) => None,
        Err(changed) => return Err(changed.to_string()),
    };
    let keys = running.shelf.keys()?;
    match signed {
        Some(key) if keys.contains_key(&key) => Ok(Some(key)),
        _ if untrusted => Ok(None),
        Some(key) => Err(format!(
            "signed by {key}, whom you do not trust: `plugboard plugin trust {key} --vendor NAME`, or --untrusted for this file alone"
        )),
        None => {
            Err("nobody has signed it: ask its vendor for a signed file, or install it with --untrusted".to_owned())
        }
    }
}

fn change(actions: &Actions, installed: Arc<Installed>, entry: Entry, answer: Value) -> Prepared {
    let (name, file) = (installed.manifest().name.clone(), Arc::clone(installed.bytes()));
    let next = actions.with(&installed);
    Prepared::Change(Box::new(Change { next, keep: Keep::Put { name, entry, file }, taken: Some(installed), answer }))
}

/// The catalogue as it was before `installed` was taken into it.
fn undo(running: &Running, installed: &Arc<Installed>, former: Option<&Arc<Installed>>) {
    let catalogue = &running.actions().catalogue;
    catalogue.remove(installed.id());
    if let Some(former) = former {
        catalogue.make_current(former.id());
    }
}

/// What a version wants that the one before did not.
fn more_than(installed: &Installed, former: Option<&Arc<Installed>>) -> Vec<Capability> {
    let before = former.map(|former| former.manifest().capabilities.clone()).unwrap_or_default();
    installed.manifest().capabilities.iter().filter(|wanted| !before.contains(wanted)).copied().collect()
}

fn vendor(running: &Running, key: &str) -> String {
    let known = running.shelf.keys().ok().and_then(|keys| keys.get(key).map(|key| key.vendor.clone()));
    known.unwrap_or_else(|| key.to_owned())
}

/// The entry of a plugin that an admin installed.
fn entry(running: &Running, name: &str) -> Result<Entry, Vec<String>> {
    let mut kept = running.shelf.plugins().map_err(one)?;
    kept.remove(name).ok_or_else(|| {
        one(if running.actions().own.contains(name) {
            format!("{name} came with the switch and stays with it; an office or a route that names its `plugins` does without")
        } else {
            format!("no plugin {name:?} was installed; `plugboard plugin list` shows those that were")
        })
    })
}

fn remove(running: &Running, name: String, force: bool) -> Result<Prepared, Vec<String>> {
    entry(running, &name)?;
    let used = users_of(running, &name);
    if !used.is_empty() && !force {
        return Err(one(format!(
            "{name} is used by {}; take it out there, or --force: calls that come to it fail",
            used.join(", ")
        )));
    }
    let done = format!("{name} is removed; calls that run it finish with it");
    let answer = json!({ "done": done, "name": name, "used_by": used });
    let next = running.actions().without(&name);
    Ok(Prepared::Change(Box::new(Change { next, keep: Keep::Remove { name }, taken: None, answer })))
}

/// Scenarios and integrations that name a plugin.
fn users_of(running: &Running, name: &str) -> Vec<String> {
    let houses = running.houses.lock().unwrap_or_else(PoisonError::into_inner);
    let mut used = BTreeSet::new();
    for house in houses.values() {
        for source in house.office.scenarios().filter(|source| used_actions(&house.office, source).contains(name)) {
            used.insert(format!("scenario {}", source.id));
        }
        for integration in house.office.integrations.iter().filter(|integration| integration.plugin == name) {
            used.insert(format!("integration {} of office {}", integration.id, house.office.id));
        }
    }
    used.into_iter().collect()
}

fn roll_back(running: &Running, name: String) -> Result<Prepared, Vec<String>> {
    let before = entry(running, &name)?;
    let left = before.now.named.clone();
    let Some(back) = before.rolled_back() else {
        return Err(one(format!("no version of {name} before {left} is kept")));
    };
    let file = running.shelf.file(&back.now).map_err(one)?;
    let actions = running.actions();
    let installed = actions.take(&file).map_err(one)?;
    let version = &back.now.named;
    let done = format!("{name} {version} is in force again in place of {left}");
    let answer = json!({ "done": done, "name": name, "version": version, "was": left });
    Ok(change(&actions, installed, back, answer))
}

fn trust(running: &Running, key: &str, vendor: String) -> Result<Value, String> {
    let key: PublicKey = key.parse().map_err(|cause| format!("{key}: {cause}"))?;
    if vendor.is_empty() || vendor.chars().count() > VENDOR_MAX || vendor.chars().any(char::is_control) {
        return Err(format!("a vendor's name has 1 to {VENDOR_MAX} letters"));
    }
    let done = format!("what {key} signs can be installed: {vendor} is trusted");
    running.shelf.trust(&key, vendor, running.clock.wall())?;
    Ok(json!({ "done": done, "key": key.to_string() }))
}

fn distrust(running: &Running, key: &str) -> Result<Value, String> {
    let keys = running.shelf.keys()?;
    let found = keys.iter().find(|(known, trusted)| *known == key || trusted.vendor == key);
    let Some((key, trusted)) = found else {
        return Err(format!("{key}: no such key is trusted; `plugboard plugin keys` lists those that are"));
    };
    running.shelf.distrust(key)?;
    let done = format!(
        "nothing more of {} is installed; what was stays, `plugboard plugin remove` takes it away",
        trusted.vendor
    );
    Ok(json!({ "done": done, "key": key }))
}

fn keys(running: &Running) -> Result<Value, String> {
    let keys = running.shelf.keys()?;
    let shown = keys.iter().map(|(key, trusted)| json!({ "key": key, "vendor": trusted.vendor, "at": trusted.at }));
    Ok(json!({ "keys": shown.collect::<Vec<_>>() }))
}
