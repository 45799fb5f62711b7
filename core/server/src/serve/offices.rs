//! Offices as an admin loads, prints and brings them back.

use plugboard_model::OfficeId;
use plugboard_office::Secrets;
use plugboard_store::DocumentChange;
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError};

use super::answer::told_by;
use crate::boot::Running;
use crate::control::Answer;
use crate::difference;
use crate::disk::on_disk;
use crate::house::{Absent, Bundle, DOCUMENT, House, in_words};

/// A version that was applied once, as it was given then.
fn stored(running: &Running, office: &str, version: u64) -> Result<Bundle, String> {
    let id = OfficeId::new(office).map_err(|error| error.to_string())?;
    let found = running.store.documents().version(&id, DOCUMENT, version).map_err(|error| error.to_string())?;
    let body = found.and_then(|document| document.body);
    let body = body
        .ok_or_else(|| format!("office {office} has no version {version}; `plugboard versions {office}` lists them"))?;
    serde_json::from_slice(&body)
        .map_err(|error| format!("version {version} of office {office} cannot be read: {error}"))
}

/// A version that was applied once, as a file that `apply` takes.
pub(super) fn export_version(running: &Running, office: &str, version: u64, secrets: bool) -> Result<Value, String> {
    let house = loaded(running, stored(running, office, version)?)?;
    let secrets = if secrets { Secrets::InClear } else { Secrets::Hidden };
    Ok(json!({ "yaml": house.office.export(secrets, Some(&house.folder)) }))
}

/// Applies a version of an office once more. Who kept his password then has the one that he has now, else the one of then.
pub(super) async fn roll_back(running: &Arc<Running>, office: String, version: u64, why: String) -> Answer {
    let from = Arc::clone(running);
    let found = on_disk(move || stored(&from, &office, version)).await;
    let mut bundle = match found {
        Ok(bundle) => bundle,
        Err(fault) => return Answer::fault(fault),
    };
    let then = bundle.kept.clone();
    bundle.keep_passwords(running.houses.lock().unwrap_or_else(PoisonError::into_inner).values());
    for (whose, password) in then {
        bundle.kept.entry(whose).or_insert(password);
    }
    let back = format!("back to version {version}");
    let why = if why.is_empty() { back } else { format!("{back}: {why}") };
    take(running, vec![bundle], "plugboard rollback", why).await
}

/// All of the offices or none.
pub(super) async fn apply(running: &Arc<Running>, mut bundles: Vec<Bundle>, why: String) -> Answer {
    for bundle in &mut bundles {
        bundle.keep_passwords(running.houses.lock().unwrap_or_else(PoisonError::into_inner).values());
    }
    take(running, bundles, "plugboard apply", why).await
}

async fn take(running: &Arc<Running>, bundles: Vec<Bundle>, who: &'static str, why: String) -> Answer {
    let (ids, warnings) = match running.take(&bundles, Absent::Refused) {
        Ok(taken) => taken,
        Err(faults) => return Answer::Faults(faults),
    };
    let (store, at) = (running.store.clone(), running.clock.wall());
    told_by(move || {
        let mut done = Vec::new();
        for (office, bundle) in ids.into_iter().zip(bundles) {
            let body = serde_json::to_vec(&bundle).map_err(|error| error.to_string())?;
            let change = DocumentChange { who: who.into(), at, why: why.clone() };
            let unkept = |error: String| format!("office {office} is in force, but was not kept: {error}");
            let newest = store.documents().get(&office, DOCUMENT).map_err(|error| unkept(error.to_string()))?;
            if let Some(newest) = newest.filter(|newest| bundle.is_kept_by(newest.body.as_deref())) {
                done.push(format!("office {office} is unchanged, version {}", newest.version));
                continue;
            }
            let version = store.documents().put(&office, DOCUMENT, Some(body), change, None);
            let version = version.map_err(|error| unkept(error.to_string()))?;
            done.push(format!("office {office} is in force, version {version}"));
        }
        Ok(json!({ "done": done.join("; "), "warnings": warnings }))
    })
    .await
}

/// The office in force, as a file that `apply` takes.
pub(super) fn export(running: &Running, office: &str, secrets: bool) -> Answer {
    let houses = running.houses.lock().unwrap_or_else(PoisonError::into_inner);
    let found = houses.iter().find(|(id, _)| id.as_str() == office);
    let secrets = if secrets { Secrets::InClear } else { Secrets::Hidden };
    match found.map(|(_, house)| house.office.export(secrets, Some(&house.folder))) {
        Some(text) => Answer::Done(json!({ "office": office, "yaml": text })),
        None => Answer::fault(no_office(office, houses.keys().map(OfficeId::as_str))),
    }
}

/// Every version of an office that was applied.
pub(super) fn versions(running: &Running, office: &str, limit: usize) -> Result<Value, String> {
    let id = OfficeId::new(office).map_err(|error| error.to_string())?;
    let versions = running.store.documents().history(&id, DOCUMENT, None, limit).map_err(|error| error.to_string())?;
    if versions.is_empty() {
        return Err(format!("no version of an office {office:?} is kept; `plugboard apply` makes one"));
    }
    let version = |version: &plugboard_store::Version| json!({ "version": version.version, "at": version.change.at, "who": version.change.who, "why": version.change.why });
    Ok(json!({ "office": office, "versions": versions.iter().map(version).collect::<Vec<_>>() }))
}

/// What differs between two versions of an office. Without the first one: from what is in force to the draft, or else what the last version
/// changed. Without the second one: to the draft, or else to what is in force.
pub(super) fn diff(
    running: &Running,
    office: &str,
    (from, to): (Option<u64>, Option<u64>),
    draft: Option<Bundle>,
) -> Result<Value, String> {
    let id = OfficeId::new(office).map_err(|error| error.to_string())?;
    let last = |back: usize| -> Result<u64, String> {
        let kept = running.store.documents().history(&id, DOCUMENT, None, 2).map_err(|error| error.to_string())?;
        let version = kept.get(back).map(|version| version.version);
        version.ok_or_else(|| {
            format!("office {office} has no version before this one; `plugboard versions {office}` lists them")
        })
    };
    let (from, to) = match (from, to, &draft) {
        (None, None, None) => (Some(last(1)?), Some(last(0)?)),
        (from, to, _) => (from, to),
    };
    let old = match from {
        Some(version) => loaded(running, stored(running, office, version)?)?,
        None => in_force(running, office)?,
    };
    let new = match (to, draft) {
        (Some(version), _) => loaded(running, stored(running, office, version)?)?,
        (None, Some(mut bundle)) => {
            bundle.keep_passwords(running.houses.lock().unwrap_or_else(PoisonError::into_inner).values());
            let house = bundle.load(&running.actions().known, Absent::Refused, &running.sounds);
            house.map_err(|faults| in_words(faults).join("\n"))?
        }
        (None, None) => in_force(running, office)?,
    };
    if old.office.id != new.office.id {
        return Err(format!("{office} is compared with another office, {}", new.office.id));
    }
    let changes = difference::between(&old, &new)?;
    let cut = changes.len() >= difference::CHANGES_MAX;
    let said = |version: Option<u64>| version.map(|version| told_of(running, &id, version)).transpose();
    Ok(json!({ "office": office, "from": said(from)?, "to": said(to)?, "changes": changes, "cut": cut }))
}

/// Who applied a version, when and why.
fn told_of(running: &Running, office: &OfficeId, version: u64) -> Result<Value, String> {
    let document = running.store.documents().version(office, DOCUMENT, version).map_err(|error| error.to_string())?;
    Ok(document.map_or(Value::Null, |document| {
        let change = document.change;
        json!({ "version": version, "at": change.at, "who": change.who, "why": change.why })
    }))
}

fn loaded(running: &Running, bundle: Bundle) -> Result<House, String> {
    let house = bundle.load(&running.actions().known, Absent::Tolerated, &running.sounds);
    house.map_err(|faults| in_words(faults).join("; "))
}

/// The office in force, as its newest version has it: it is the one that was applied last.
fn in_force(running: &Running, office: &str) -> Result<House, String> {
    let id = OfficeId::new(office).map_err(|error| error.to_string())?;
    let newest = running.store.documents().get(&id, DOCUMENT).map_err(|error| error.to_string())?;
    let Some(body) = newest.and_then(|document| document.body) else {
        let houses = running.houses.lock().unwrap_or_else(PoisonError::into_inner);
        return Err(no_office(office, houses.keys().map(OfficeId::as_str)));
    };
    let bundle = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    loaded(running, bundle)
}

/// What to say of an office that nobody has heard of.
pub(super) fn no_office<'a>(asked: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match known.as_slice() {
        [] => format!("there is no office {asked:?}, nor any other: load one with `plugboard apply FILE`"),
        known => format!("there is no office {asked:?}; name one of these: {}", known.join(", ")),
    }
}
