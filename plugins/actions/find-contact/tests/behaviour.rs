//! What `find-contact` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{CallInfo, HostCall, KnownContact, Testkit, Value, contact, contact_id, json, user_id};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn the_calling_contact_and_his_fields_are_assigned() {
    let kit = kit();
    let mut carla = contact("carla", "+4930123456", &[]);
    carla.company = "Customer".into();
    carla.groups = vec!["vip".into()];
    let report = kit.run().contact(carla).finish().unwrap();
    assert_eq!(report.outcome(), Some("found"));
    let text = |words: &str| Some(Value::Text(words.into()));
    let expected = Value::Contact(Box::new(KnownContact::named(contact_id("carla"))));
    assert_eq!(report.variables.get("contact"), Some(&expected));
    assert_eq!(report.variables.get("contact_name").cloned(), text("carla"));
    assert_eq!(report.variables.get("contact_company").cloned(), text("Customer"));
    assert_eq!(report.variables.get("contact_email").cloned(), text(""), "nobody said it");
    assert_eq!(report.variables.get("contact_language").cloned(), text("en"));
    assert_eq!(report.variables.get("contact_groups"), Some(&Value::Texts(vec!["vip".into()])));
    assert_eq!(report.calls[..2], [HostCall::GetInfo, HostCall::FindContact("+4930123456".into())]);
}

#[test]
fn where_a_user_calls_the_contact_is_whom_he_called_and_the_number_may_be_given() {
    let kit = kit();
    let info = CallInfo {
        id: "test/01J8ZQ6M6H3V2K9C4T7R5N1XWB".into(),
        caller_number: "101".into(),
        caller_name: "Ann".into(),
        caller_user: Some(user_id("ann")),
        called_number: "+4940".into(),
        language: "en".into(),
    };
    let report = kit.run().caller(info).contact(contact("dan", "+4940", &[])).finish().unwrap();
    assert_eq!(report.outcome(), Some("found"));
    let given = kit.run().parameters(&json!({ "number": "+4941" })).finish().unwrap();
    assert_eq!(given.outcome(), Some("not-found"));
    assert_eq!(given.calls, [HostCall::FindContact("+4941".into())]);
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
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("find-contact", env!("CARGO_PKG_VERSION")));
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
