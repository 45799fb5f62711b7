//! What `call-responsible` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{
    Cause, Connected, DirectoryUser, HostCall, KnownContact, NotConnected, RingRequest, Run, Target, Testkit,
    UserPhones, UserStatus, Value, contact, contact_id, json, user, user_id,
};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

/// A run in an office where bob, with a phone, and cem, without one, are responsible for the caller.
fn office(kit: &Testkit, bob: DirectoryUser) -> Run<'_> {
    kit.run().user(bob).user(user("cem", "103")).contact(contact("carla", "+4930123456", &[("bob", 1), ("cem", 0)]))
}

fn bob() -> DirectoryUser {
    user("bob", "102")
}

fn answered(who: Option<&str>) -> Connected {
    Connected { user: who.map(user_id), number: "102".into(), rang_ms: 2_000 }
}

fn rings(calls: &[HostCall]) -> Vec<(Vec<Target>, u32)> {
    let asked = |call: &HostCall| {
        let HostCall::Ring(RingRequest { targets, ring_for_ms, .. }) = call else { return None };
        Some((targets.clone(), *ring_for_ms))
    };
    calls.iter().filter_map(asked).collect()
}

fn devices(who: &str) -> Target {
    Target::User(user_id(who))
}

fn phones(who: &str, all: bool) -> Target {
    Target::Phones(UserPhones { user: user_id(who), all })
}

#[test]
fn r58_r62_his_devices_ring_for_twenty_seconds_then_the_first_of_his_phones() {
    let kit = kit();
    let report = office(&kit, bob()).finish().unwrap();
    assert_eq!(report.outcome(), Some("timeout"));
    assert_eq!(rings(&report.calls), [(vec![devices("bob")], 20_000), (vec![phones("bob", false)], 30_000)]);
    let report = office(&kit, bob()).on_ring(|_| Ok(answered(Some("bob")))).finish().unwrap();
    assert_eq!((report.outcome(), rings(&report.calls).len()), (Some("answer"), 1));
    assert_eq!(report.variables["answered_by"], Value::User(user_id("bob")));
}

#[test]
fn r16_a_variable_names_the_contact_and_one_of_another_type_is_a_failure() {
    let kit = kit();
    let by_variable = json!({ "contact": "whom" });
    let whom = |value: Value| {
        let run = office(&kit, bob()).variable("whom", value).parameters(&by_variable);
        run.on_ring(|_| Ok(answered(Some("bob")))).finish().unwrap()
    };
    let named = |id: &str| Value::Contact(Box::new(KnownContact::named(contact_id(id))));
    let report = whom(named("carla"));
    assert_eq!((report.outcome(), rings(&report.calls)), (Some("answer"), vec![(vec![devices("bob")], 20_000)]));
    assert_eq!(whom(named("erased")).outcome(), Some("skipped"), "who is no longer there is nobody's");
    let report = whom(Value::Text("carla".into()));
    assert_eq!((report.outcome(), rings(&report.calls).len()), (None, 0));
}

#[test]
fn r59_r60_nobody_to_ring_is_skipped_with_the_reason() {
    let kit = kit();
    let because = |run: Run<'_>| {
        let report = run.finish().unwrap();
        assert_eq!((report.outcome(), rings(&report.calls).len()), (Some("skipped"), 0));
        report.variables["skipped_because"].clone()
    };
    let text = |words: &str| Value::Text(words.into());
    assert_eq!(because(kit.run()), text("unknown-contact"));
    assert_eq!(because(kit.run().contact(contact("carla", "+4930123456", &[]))), text("nobody-responsible"));
    let none = json!({ "phones": "none" });
    let offline = DirectoryUser { reachable: false, ..bob() };
    assert_eq!(because(office(&kit, offline).parameters(&none)), text("offline"));
    assert_eq!(because(office(&kit, DirectoryUser { calls: 1, ..bob() })), text("busy"));
    for status in [UserStatus::Busy, UserStatus::DoNotDisturb] {
        assert_eq!(because(office(&kit, DirectoryUser { status, ..bob() })), text("busy"));
    }
}

#[test]
fn r63_r66_the_phones_of_one_who_is_offline_ring_at_once_all_of_them_if_the_step_says_so() {
    let kit = kit();
    for offline in
        [DirectoryUser { reachable: false, ..bob() }, DirectoryUser { status: UserStatus::LoggedOut, ..bob() }]
    {
        let all = json!({ "phones": "all", "phones_ring_for": "10s" });
        let report = office(&kit, offline).parameters(&all).finish().unwrap();
        assert_eq!(rings(&report.calls), [(vec![phones("bob", true)], 10_000)]);
    }
}

#[test]
fn r65_those_besides_him_are_tried_in_their_order_if_the_step_says_so() {
    let kit = kit();
    let busy = DirectoryUser { calls: 1, ..bob() };
    let additional = json!({ "additional": true });
    let report = office(&kit, busy).parameters(&additional).on_ring(|_| Ok(answered(None))).finish().unwrap();
    assert_eq!(rings(&report.calls), [(vec![devices("cem")], 20_000)]);
    assert_eq!(report.variables["answered_by"], Value::User(user_id("cem")));
}

#[test]
fn whom_the_switch_refuses_to_ring_leads_on_to_his_phone_and_to_the_next() {
    let kit = kit();
    let refuses: fn(&str) -> NotConnected = |who| NotConnected::Denied(who.into());
    let rung = |parameters: &str, refused: Vec<Target>| {
        let parameters = plugboard_testkit::json!({ "additional": parameters == "additional" });
        let run = office(&kit, bob()).parameters(&parameters).on_ring(move |ring| {
            if ring.targets.iter().any(|target| refused.contains(target)) {
                Err(refuses("him"))
            } else {
                Ok(answered(None))
            }
        });
        let report = run.finish().unwrap();
        (
            report.outcome().map(str::to_owned),
            rings(&report.calls).into_iter().flat_map(|(targets, _)| targets).collect(),
        )
    };
    let (devices_of_bob, phone_of_bob, cem) = (devices("bob"), phones("bob", false), devices("cem"));
    let both = vec![devices_of_bob.clone(), phone_of_bob.clone()];
    let all = vec![devices_of_bob.clone(), phone_of_bob.clone(), cem.clone()];
    let answer = Some("answer".to_owned());
    assert_eq!(rung("", vec![devices_of_bob]), (answer.clone(), both.clone()));
    assert_eq!(rung("additional", both.clone()), (answer, all.clone()));
    assert_eq!(rung("additional", all.clone()), (None, all));
    assert_eq!(rung("", both.clone()), (None, both));
}

#[test]
fn one_who_declines_is_no_answer_and_one_whose_phone_is_dead_is_rung_outside() {
    let kit = kit();
    for (status, rung) in [(486, 1), (603, 1), (480, 2), (408, 2)] {
        let cause = Cause { status, text: "No".into() };
        let report = office(&kit, bob()).on_ring(move |_| Err(NotConnected::NoAnswer(cause.clone()))).finish().unwrap();
        assert_eq!((report.outcome(), rings(&report.calls).len()), (Some("no-answer"), rung), "{status}");
        assert_eq!(report.variables["cause"], Value::Number(status.into()));
    }
}

#[test]
fn it_imports_what_it_says_and_nothing_else() {
    let mut imports = kit().imports();
    imports.sort_unstable();
    let names = ["call", "contacts", "description", "dial", "directory", "types", "variables"];
    assert_eq!(imports, names.map(|name| format!("plugboard:switch/{name}@0.1.0")));
}

#[test]
fn it_describes_itself_in_three_languages() {
    let kit = kit();
    let manifest = kit.manifest();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("call-responsible", env!("CARGO_PKG_VERSION")));
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
