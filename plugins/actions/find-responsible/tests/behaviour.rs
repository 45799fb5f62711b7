//! What `find-responsible` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{Testkit, Value, contact, user_id};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn the_one_who_is_responsible_and_those_besides_him_are_assigned() {
    let kit = kit();
    let carla = contact("carla", "+4930123456", &[("bob", 1), ("cem", 0), ("ann", 0)]);
    let report = kit.run().contact(carla).finish().unwrap();
    assert_eq!(report.outcome(), Some("found"));
    assert_eq!(report.variables.get("responsible"), Some(&Value::User(user_id("bob"))));
    assert_eq!(report.variables.get("additional"), Some(&Value::Users(vec![user_id("cem"), user_id("ann")])));
}

#[test]
fn a_stranger_and_a_contact_of_nobody_have_none() {
    let kit = kit();
    assert_eq!(kit.run().finish().unwrap().outcome(), Some("not-found"));
    let report = kit.run().contact(contact("carla", "+4930123456", &[])).finish().unwrap();
    assert_eq!(report.outcome(), Some("not-found"));
}

#[test]
fn it_imports_what_it_says_and_nothing_else() {
    let mut imports = kit().imports();
    imports.sort_unstable();
    let names = ["call", "contacts", "description", "types", "variables"];
    assert_eq!(imports, names.map(|name| format!("plugboard:switch/{name}@0.1.0")));
}

#[test]
fn it_describes_itself_in_three_languages() {
    let kit = kit();
    let manifest = kit.manifest();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("find-responsible", env!("CARGO_PKG_VERSION")));
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
