//! The offices that the store keeps, as they are loaded at a start: what is wrong with one keeps no other down.

use plugboard_model::OfficeId;
use plugboard_office::{Office, OfficeSet};
use plugboard_scenario::ActionCatalogue;
use plugboard_sound::Cache;
use plugboard_store::{Store, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::house::{Absent, Bundle, DOCUMENT, House, in_words};

/// What is in the store.
pub(crate) struct Stored {
    /// The offices that can be served together.
    pub(crate) houses: Vec<House>,
    /// The others, with every fault.
    pub(crate) left_out: Vec<(OfficeId, Vec<String>)>,
}

/// Loads the stored offices, beside those that are in force.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn read_stored(
    store: &Store,
    actions: &ActionCatalogue,
    others: &BTreeMap<OfficeId, House>,
    sounds: &Cache,
) -> Result<Stored, StoreError> {
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    for office in store.documents().offices(DOCUMENT)? {
        let body = store.documents().get(&office, DOCUMENT)?.and_then(|document| document.body);
        let bundle: Option<Bundle> = body.and_then(|body| serde_json::from_slice(&body).ok());
        let loaded = match bundle {
            Some(bundle) => bundle.load(actions, Absent::Tolerated, sounds).map_err(in_words),
            None => Err(vec!["the stored document cannot be read".to_owned()]),
        };
        match loaded {
            Ok(house) => found.push(house),
            Err(faults) => left_out.push((office, faults)),
        }
    }
    if together(others, &found).is_ok() {
        return Ok(Stored { houses: found, left_out });
    }
    // Two claim the same: the first of them is served.
    let mut houses = Vec::new();
    for house in found {
        let id = house.office.id.clone();
        houses.push(house);
        if let Err(faults) = together(others, &houses) {
            houses.pop();
            left_out.push((id, faults));
        }
    }
    Ok(Stored { houses, left_out })
}

/// The offices in force with those that are taken, which replace them.
///
/// # Errors
/// What two of them claim.
pub(crate) fn together(houses: &BTreeMap<OfficeId, House>, taken: &[House]) -> Result<OfficeSet, Vec<String>> {
    let mut offices: BTreeMap<&OfficeId, &Arc<Office>> = houses.iter().map(|(id, house)| (id, &house.office)).collect();
    offices.extend(taken.iter().map(|house| (&house.office.id, &house.office)));
    OfficeSet::new(offices.into_values().map(Arc::clone)).map_err(in_words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::Running;
    use plugboard_metrics::{Metrics, Readiness};
    use plugboard_model::WallTime;
    use plugboard_store::{DocumentChange, Place};

    fn bundle(text: &str) -> Bundle {
        let (files, variables, kept) = <_>::default();
        Bundle { file: "o.yaml".into(), text: text.into(), files, variables, folder: "/nowhere".into(), kept }
    }

    fn office(name: &str, domain: &str, more: &str) -> (OfficeId, Vec<u8>) {
        let text = format!("office: {name}\ndomains: [{domain}]\n{more}");
        (OfficeId::new(name).unwrap(), serde_json::to_vec(&bundle(&text)).unwrap())
    }

    #[test]
    fn a_stored_office_with_a_fault_keeps_no_other_down_and_an_older_one_is_served_as_it_is() {
        let store = Store::start(Place::Memory, None).unwrap();
        let stored = [
            office("a-good", "a.test", ""),
            office("b-broken", "b.test", "routes: [{}]\n"),
            (OfficeId::new("c-garbled").unwrap(), b"{".to_vec()),
            office("d-older", "d.test", "language: german\ncountry: germany\n"),
            office("e-second", "a.test", ""),
        ];
        for (id, body) in stored {
            let change = DocumentChange { who: "a test".into(), at: WallTime(1), why: String::new() };
            store.documents().put(&id, DOCUMENT, Some(body), change, None).unwrap();
        }
        let Stored { houses, left_out } = read_stored(
            &store,
            &plugboard_switch::action_catalogue(&BTreeMap::new()),
            &BTreeMap::new(),
            &Cache::none(),
        )
        .unwrap();
        let served: Vec<&str> = houses.iter().map(|house| house.office.id.0.as_str()).collect();
        assert_eq!(served, ["a-good", "d-older"]);
        assert!(houses[1].warnings[0].contains("\"german\" is no language"), "{:?}", houses[1].warnings);
        assert!(houses[1].warnings[2].contains("emergency numbers"), "{:?}", houses[1].warnings);
        let told: Vec<&str> = left_out.iter().map(|(id, _)| id.0.as_str()).collect();
        assert_eq!(told, ["b-broken", "c-garbled", "e-second"]);
        assert!(left_out[2].1[0].contains("already belongs to office a-good"), "{left_out:?}");
    }

    #[test]
    fn a_stored_office_that_is_not_served_is_told_until_a_version_without_a_fault_is_applied() {
        let store = Store::start(Place::Memory, None).unwrap();
        for (id, body) in [office("good", "a.test", ""), office("broken", "b.test", "routes: [{}]\n")] {
            let change = DocumentChange { who: "a test".into(), at: WallTime(1), why: String::new() };
            store.documents().put(&id, DOCUMENT, Some(body), change, None).unwrap();
        }
        let folder = std::env::temp_dir().join(format!("plugboard-no-plugins-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let actions = crate::catalogue::load(&folder, None, |_| ()).unwrap();
        std::fs::remove_dir(&folder).unwrap();
        let readiness = Readiness::default();
        let told = || {
            let text = readiness.report().text();
            text.lines().find(|line| line.starts_with("office_not_served")).map(str::to_owned)
        };
        plugboard_switch::run(async {
            let mut config = crate::config::Config::default();
            config.media.webrtc_port = 0;
            let network = plugboard_switch::Network::bind(&[], <_>::default()).unwrap();
            let running = Running::start(&config, store, actions, Metrics::new(), readiness.clone(), &network).unwrap();
            running.take_stored().unwrap();
            let served: Vec<String> = running.houses.lock().unwrap().keys().map(ToString::to_string).collect();
            assert_eq!(served, ["good"]);
            let why = told().unwrap();
            assert!(why.starts_with("office_not_served broken: ") && why.contains("apply it again"), "{why}");
            let mended = bundle("office: broken\ndomains: [b.test]\n");
            running.take(&[mended], Absent::Refused).unwrap();
            assert_eq!(told(), None);
            running.switch.stop();
            running.store.close();
        });
    }

    #[test]
    fn what_is_applied_now_is_checked_in_full() {
        let actions = plugboard_switch::action_catalogue(&BTreeMap::new());
        let older = bundle("office: a\ndomains: [a.test]\nlanguage: german\n");
        let faults = older.load(&actions, Absent::Refused, &Cache::none()).err().unwrap();
        assert!(faults[0].reason.contains("is no language"), "{faults:?}");
        assert!(older.load(&actions, Absent::Tolerated, &Cache::none()).is_ok());
    }
}
