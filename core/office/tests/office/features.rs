//! Feature codes and the settings of users.

use plugboard_model::{ForwardWhen, Name, UserStatus};
use plugboard_office::{Feature, FeatureCode, Secrets, Treatment, UserSettings};
use std::time::Duration;

use crate::support::{asks, demo, dial, faults, gateway, office, user};

fn minimal(more: &str) -> String {
    format!(
        "office: main\ndomains: [a.test]\nusers:\n  - {{ id: ann, number: 101, password: x }}\n  \
         - {{ id: bob, number: 102, password: x }}\n{more}"
    )
}

#[test]
fn a_user_who_dials_a_code_wants_its_feature() {
    let demo = demo();
    let route = |number| demo.route(&asks(&user("101"), number));
    assert_eq!(route("*78"), Treatment::Feature(Feature::Status(UserStatus::DoNotDisturb)));
    assert_eq!(route("*90102"), Treatment::Feature(Feature::Forward(ForwardWhen::Busy, Some(dial("102")))));
    assert_eq!(route("*8"), Treatment::Feature(Feature::PickUp(None)));
    assert!(matches!(route("*43"), Treatment::Scenario { .. }), "the echo is where it was");
    let Treatment::Refused(cause) = route("*72") else { panic!("{:?}", route("*72")) };
    assert_eq!((cause.status, cause.text.as_str()), (484, "a number has to follow the feature code forward_always"));
}

#[test]
fn a_user_supervises_the_groups_that_the_document_says() {
    let text = "office: main\ndomains: [a.test]\nusers:\n  - { id: ann, number: 101, password: x, supervises: [sales] }\n  \
                - { id: bob, number: 102, password: x }\ngroups: [{ id: sales, members: [bob] }]\n";
    let first = office(text);
    let again = office(&first.export(Secrets::InClear, None));
    for office in [&first, &again] {
        let (ann, bob) = (office.find_user("ann").unwrap(), office.find_user("bob").unwrap());
        assert!(office.supervises(&ann.id, &bob.id) && !office.supervises(&bob.id, &ann.id));
        assert!(!office.supervises(&ann.id, &ann.id));
        assert_eq!(office.route(&asks(&user("ann"), "*13102")), Treatment::Feature(Feature::Supervise(dial("102"))));
    }
    insta::assert_snapshot!(faults(&text.replace("[sales]", "[sails]")), @r#"o.yaml:4:55: users[0].supervises[0]: the office has no group sails (did you mean "sales"?)"#);
}

#[test]
fn strangers_dial_no_codes() {
    let text = minimal("gateways: [{ id: outside, address: 192.0.2.1 }]\n");
    let Treatment::Refused(cause) = office(&text).route(&asks(&gateway("outside"), "*78")) else { panic!() };
    assert_eq!(cause.status, 404);
}

#[test]
fn each_code_can_be_changed_or_switched_off_and_all_of_them_too() {
    let changed = office(&minimal("feature_codes: { park: \"*5\", intercom: false, pick_up: \"#8\" }\n"));
    let route = |number| changed.route(&asks(&user("ann"), number));
    assert_eq!(route("*57"), Treatment::Feature(Feature::Park(Some(dial("7")))));
    assert_eq!(route("#8"), Treatment::Feature(Feature::PickUp(None)));
    assert!(matches!(route("*80101"), Treatment::Refused(_)), "{:?}", route("*80101"));
    assert_eq!(changed.features.code(FeatureCode::Intercom), None);
    let none = office(&minimal("feature_codes: false\n"));
    assert!(matches!(none.route(&asks(&user("ann"), "*78")), Treatment::Refused(_)));
    for office_ in [changed, none] {
        let again = office(&office_.export(Secrets::InClear, None));
        assert_eq!(again.features, office_.features);
    }
}

#[test]
fn what_stands_in_the_way_of_a_code_is_a_fault_with_its_place_and_a_remedy() {
    let own = "groups: [{ id: sales, number: \"*7\", members: [ann] }, { id: desk, number: \"*81\", members: [bob] }]\n\
               routes: [{ id: stars, prefix: \"*\", refuse: 404 }, { id: far, prefix: \"*72\", refuse: 404 }]\n\
               feature_codes: { park: \"*69\", busy: 5, available: \"*123456789\", nap: \"*1\" }\n";
    insta::assert_snapshot!(faults(&minimal(own)), @r#"
    o.yaml:6:55: groups[1]: who dials *81 means the feature code pick_up (*8), and the number of the group desk (take another number, or write "feature_codes: { pick_up: false }")
    o.yaml:7:51: routes[1]: who dials *72 means the feature code forward_always (*72), and the route far (take another number, or write "feature_codes: { forward_always: false }")
    o.yaml:8:24: feature_codes.park: *69 is the code call_return and the code park (give one of them another code, or switch it off with "false")
    o.yaml:8:37: feature_codes.busy: "5" is no feature code: * or # and 1 to 7 digits, * or # after it (write for example "*55")
    o.yaml:8:51: feature_codes.available: "*123456789" is no feature code: * or # and 1 to 7 digits, * or # after it (write for example "*55")
    o.yaml:8:65: feature_codes.nap: "nap" is not known (known here: available, away, busy, call_return, do_not_disturb, do_not_disturb_off, forward_always, forward_always_off, forward_busy, forward_busy_off, forward_no_answer, forward_no_answer_off, forward_unreachable, forward_unreachable_off, group_log_in, group_log_out, intercom, log_out, mailbox, park, pick_up, supervise)
    "#);
}

#[test]
fn what_a_user_has_set_is_read_and_written() {
    let text = "office: main\ndomains: [a.test]\nusers:\n  - { id: ann, number: 101, password: x, status: busy, intercom: allowed, \
                logged_out_of: [sales], forward: { always: 102, no_answer: 00491701234567, after: 15s } }\n  \
                - { id: bob, number: 102, password: x }\ngroups: [{ id: sales, members: [ann, bob] }]\n";
    let first = office(text);
    let ann = first.find_user("ann").unwrap();
    assert!(ann.intercom && !ann.settings.is_in(&Name::new("sales").unwrap()));
    assert_eq!(ann.settings.forward.to(ForwardWhen::Always), Some(&dial("102")));
    assert_eq!(ann.settings.forward.to(ForwardWhen::Busy), None);
    assert_eq!(ann.settings.forward.after, Duration::from_secs(15));
    let again = office(&first.export(Secrets::InClear, None));
    assert_eq!(again.find_user("ann"), first.find_user("ann"));
    assert_eq!(again.find_user("bob").unwrap().settings, UserSettings::default());
}

#[test]
fn a_forward_says_whether_whoever_answers_outside_has_to_press_a_key() {
    let text = "office: main\ndomains: [a.test]\nusers:\n  - { id: ann, number: 101, password: x, forward: { \
                always: { confirm: false }, busy: { number: 00170, confirm: true, confirm_within: 20s }, no_answer: { number: 102 } } }\n";
    let first = office(text);
    let ann = first.find_user("ann").unwrap();
    let keys: Vec<_> =
        ann.forward_keys.iter().map(|(when, key)| (*when, key.confirm, key.confirm_within.as_secs())).collect();
    assert_eq!(keys, [(ForwardWhen::Always, Some(false), 15), (ForwardWhen::Busy, Some(true), 20)]);
    let to = |when| ann.settings.forward.to(when).map(|number| number.as_str().to_owned());
    assert_eq!((to(ForwardWhen::Always), to(ForwardWhen::Busy)), (None, Some("00170".into())));
    assert_eq!(to(ForwardWhen::NoAnswer).as_deref(), Some("102"));
    let again = office(&first.export(Secrets::InClear, None));
    assert_eq!(again.find_user("ann"), first.find_user("ann"));
}

#[test]
fn a_wrong_forward_says_what_is_wrong() {
    let text = "office: main\ndomains: [a.test]\nusers:\n  - { id: ann, number: 101, password: x, logged_out_of: [sale], \
                intercom: yes, forward: { allways: 102, busy: \"a b\", after: 0s } }\ngroups: [{ id: sales, members: [ann] }]\n";
    insta::assert_snapshot!(faults(text), @r#"
    o.yaml:4:58: users[0].logged_out_of[0]: the office has no group sale (did you mean "sales"?)
    o.yaml:4:75: users[0].intercom: "yes" is not one of allowed, refused
    o.yaml:4:91: users[0].forward.allways: "allways" is not known (did you mean "always"?)
    o.yaml:4:111: users[0].forward.busy: ' ' cannot be dialled
    o.yaml:4:125: users[0].forward.after: a time with its unit is expected, from 1s to 10m (write for example "20s", "500ms" or "2m")
    "#);
}

#[test]
fn mailboxes_are_read_and_written_and_their_pins_only_where_secrets_are() {
    let text = "office: main\ndomains: [a.test]\nvoicemail: { longest: 2m, silence: 4s, messages: 20, own_phone_without_pin: true }\n\
                users: [{ id: ann, number: 101, password: x, voicemail: { pin: \"0471\", greeting: closed } }]\n\
                groups: [{ id: sales, number: 200, members: [ann], voicemail: { pin: { file: pin } } }]\n";
    let first = office(&text.replace("{ file: pin }", "\"12345\""));
    let again = office(&first.export(Secrets::InClear, None));
    for office in [&first, &again] {
        let ann = office.find_user("ann").unwrap();
        assert_eq!(ann.mailbox.pin.as_ref().map(|pin| pin.reveal()), Some("0471"));
        assert_eq!(ann.mailbox.greeting.as_deref(), Some("closed"));
        assert_eq!((office.voicemail.messages, office.voicemail.longest), (20, Duration::from_secs(120)));
        let sales = office.find_mailbox("200").unwrap();
        assert!(office.has_mailbox(&ann.id, &sales) && office.mailbox(&sales).unwrap().pin.is_some());
    }
    let hidden = first.export(Secrets::Hidden, None);
    assert!(!hidden.contains("0471") && !hidden.contains("12345"), "{hidden}");
}
