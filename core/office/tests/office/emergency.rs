//! Calls for help: which numbers, what clashes with them, and that nothing shadows them.

use crate::routing::goes;
use crate::support::{asks, faults, gateway, id, office, user};
use plugboard_office::{Secrets, Treatment};
use proptest::prelude::*;
use std::fmt::Write as _;

const GATEWAYS: &str =
    "gateways:\n  - { id: near, address: \"10.0.0.1\", priority: 20 }\n  - { id: far, address: \"10.0.0.2\" }\n";

fn with(emergency: &str, more: &str) -> String {
    format!(
        "office: main\ndomains: [a.test]\ncountry: de\n{emergency}{GATEWAYS}users:\n\
         \x20 - {{ id: ann, number: 101, password: x, location: berlin }}\n\
         \x20 - {{ id: bob, number: 102, password: x }}\n{more}"
    )
}

const BERLIN: &str = "emergency:\n  confirmed: true\n  test: 933\n  services: { police: 110 }\n  call_back: \"+4930100\"\n  \
    call_back_within: 1h\n  gateways: [near, far]\n  locations:\n  - { id: berlin, call_back: \"+4930123\", networks: [10.1.0.0/16, \"fd00::/64\"], \
    geolocation: \"https://lis.test/b\" }\n  - { id: cellar, networks: [10.1.7.0/24] }\n";

#[test]
fn an_office_that_says_nothing_calls_for_help_by_its_countrys_numbers_and_is_warned() {
    let office = office(&with("", "").replace(", location: berlin", ""));
    assert_eq!(goes(&office, &user("ann"), "112"), "help 112 through far, near");
    assert_eq!(goes(&office, &user("ann"), "110"), "help 110 through far, near");
    assert_eq!(goes(&office, &user("ann"), "911"), "refused 404");
    let warning = office.emergency_warning().unwrap();
    assert!(warning.contains("those of the country \"de\" are in force (110, 112)"), "{warning}");
}

#[test]
fn who_confirms_or_writes_the_list_is_not_warned() {
    for said in ["emergency: { confirmed: true }\n", "emergency: { numbers: [112] }\n"] {
        let office = office(&with(said, "").replace(", location: berlin", ""));
        assert_eq!(office.emergency_warning(), None, "{said}");
    }
    let office = office(&with("emergency: { numbers: [112] }\n", "").replace(", location: berlin", ""));
    assert_eq!(goes(&office, &user("ann"), "110"), "refused 404", "it is not in the list");
}

#[test]
fn everything_that_is_written_is_read_and_exported_the_same() {
    let first = office(&with(BERLIN, ""));
    let again = office(&first.export(Secrets::InClear, None));
    assert_eq!(again.emergency, first.emergency);
    assert_eq!(again.user(&id("ann")).unwrap().location.as_ref().unwrap().as_str(), "berlin");
    assert_eq!(goes(&first, &user("ann"), "933"), "test 933 through near, far");
    let urn = |urn| first.help_by_urn(urn).map(|number| number.to_string());
    assert_eq!(urn("urn:service:sos").as_deref(), Some("112"));
    assert_eq!(urn("URN:service:SOS.police").as_deref(), Some("110"));
    assert_eq!(urn("urn:service:sos.fire").as_deref(), Some("112"));
    for other in ["urn:service:counseling", "urn:service:sosx", "sip:sos@a.test"] {
        assert_eq!(urn(other), None, "{other}");
    }
}

#[test]
fn a_location_is_told_by_the_closest_network_else_by_the_user() {
    let office = office(&with(BERLIN, ""));
    let place = |user: &str, from: &str| {
        office.location(Some(&id(user)), from.parse().unwrap()).map(|location| location.name.to_string())
    };
    assert_eq!(place("bob", "10.1.2.3").as_deref(), Some("berlin"));
    assert_eq!(place("ann", "10.1.7.3").as_deref(), Some("cellar"));
    assert_eq!(place("ann", "192.0.2.1").as_deref(), Some("berlin"), "his own");
    assert_eq!(place("bob", "192.0.2.1"), None);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let emergency = "emergency:\n  numbers: []\n  call_back_within: 2d\n  gateways: [near, near, gone]\n  locations:\n  \
        - { id: a, networks: [10.0.0.0/99], geolocation: \"no uri\" }\n  typo: 1\n";
    insta::assert_snapshot!(faults(&with(emergency, "")), @r#"
    o.yaml:5:12: emergency.numbers: an office without emergency numbers cannot call for help (write 112, or take the key out)
    o.yaml:6:21: emergency.call_back_within: a time with its unit is expected, from 1m to 1d (write for example "20s", "500ms" or "2m")
    o.yaml:7:13: emergency.gateways: a gateway is here twice (take one of them out)
    o.yaml:7:26: emergency.gateways[2]: the office has no gateway gone
    o.yaml:9:25: emergency.locations[0].networks[0]: "10.0.0.0/99" is no network (write 10.1.0.0/16 or fd00:1::/64)
    o.yaml:9:52: emergency.locations[0].geolocation: "no uri" is no URI (write https://lis.example/berlin or geo:52.5,13.4)
    o.yaml:10:3: emergency.typo: "typo" is not known (known here: call_back, call_back_within, confirmed, gateways, locations, numbers, over, services, test, unauthenticated)
    o.yaml:15:52: users[0].location: the office has no location berlin
    "#);
}

#[test]
fn a_number_for_help_that_is_somebodys_is_refused_until_the_admin_decides() {
    let fay = "  - { id: fay, number: 110, password: x }\n";
    let more = format!(
        "{fay}groups:\n  - {{ id: all, number: 0112, members: [ann] }}\nroutes:\n  - {{ id: line, prefix: 0, gateway: far, strip: 1 }}\n\
         \x20 - {{ id: door, number: 933, user: ann }}\n"
    );
    insta::assert_snapshot!(faults(&with(BERLIN, &more)), @"
o.yaml:5:3: emergency: 0112 calls for help (112), and is also the number of the group all (give it another number, or write `over: [112]` to keep it for help alone, or `numbers` without 112)
o.yaml:5:3: emergency: 110 calls for help (110), and is also the number of the user fay (give it another number, or write `over: [110]` to keep it for help alone, or `numbers` without 110)
o.yaml:5:3: emergency: 933 calls for help (933), and is also the number of the route door (give it another number, or write `over: [933]` to keep it for help alone, or `numbers` without 933)
");
    let over = BERLIN.replace("  test: 933\n", "  test: 933\n  over: [110, 112, 933]\n");
    let decided = office(&with(&over, &more));
    for number in ["110", "0112", "112"] {
        assert!(goes(&decided, &user("ann"), number).starts_with("help "), "{number}");
    }
    let without = with("emergency: { numbers: [112] }\n", fay).replace(", location: berlin", "");
    assert_eq!(goes(&office(&without), &user("ann"), "110"), "user main/fay");
}

#[test]
fn a_feature_code_that_takes_a_number_for_help_is_refused_until_the_admin_decides() {
    let text = |more: &str| {
        let emergency = format!("emergency: {{ numbers: [112, \"*8112\"]{more} }}\n");
        with(&emergency, "").replace(", location: berlin", "")
    };
    let told = faults(&text(""));
    let clash =
        "*8112 calls for help (*8112), and is also the number of the feature code pick_up (give it another number";
    assert!(told.lines().count() == 1 && told.contains(clash), "{told}");
    let decided = office(&text(", over: [\"*8112\"]"));
    assert!(goes(&decided, &user("ann"), "*8112").starts_with("help "));
    assert!(matches!(decided.route(&asks(&user("ann"), "*8101")), Treatment::Feature(_)), "other calls are picked up");
}

#[test]
fn a_call_from_outside_is_never_one_for_help() {
    let office = office(&with(BERLIN, "routes:\n  - { id: in, from: gateways, any: true, user: bob }\n"));
    assert_eq!(goes(&office, &gateway("near"), "112"), "user main/bob");
}

#[test]
fn an_office_without_gateways_refuses_a_call_for_help_with_the_reason() {
    let text = with("", "").replace(GATEWAYS, "").replace(", location: berlin", "");
    let Treatment::Refused(cause) = office(&text).route(&asks(&user("ann"), "112")) else {
        panic!("it goes somewhere")
    };
    assert_eq!((cause.status, cause.text.as_str()), (503, "the office has no gateway to call for help"));
}

#[test]
fn every_kind_of_outside_line_leads_to_help() {
    for line in [
        "prefix: 9, gateway: far, strip: 1",
        "like: \"9*\", gateway: far, strip: 1",
        "from: { user: ann }, prefix: 9, gateway: far, strip: 1",
        "from: { user: ann }, like: \"9?*\", gateways: [far, near], strip: 1",
    ] {
        let office = office(&with(BERLIN, &format!("routes:\n  - {{ id: line, {line} }}\n")));
        assert_eq!(goes(&office, &user("ann"), "9112"), "help 112 through near, far", "{line}");
    }
}

/// Routes, users, groups and incoming numbers that take whatever they can, the emergency numbers among it.
fn entries() -> impl Strategy<Value = String> {
    let number = prop::sample::select(vec!["1", "11", "112", "110", "0", "01", "0112", "9", "911", "*1", "200"]);
    let goal = prop::sample::select(vec![
        "user: ann",
        "gateway: far",
        "gateway: far, strip: 1",
        "gateways: [near, far], strip: 2",
        "refuse: 603",
        "gateway: near, add: \"00\"",
        "group: all",
    ]);
    let from = prop::sample::select(vec!["users", "gateways"]);
    let route = (number.clone(), prop::sample::select(vec!["number", "prefix"]), goal, from);
    let routes = prop::collection::btree_map((0..40_u32).prop_map(|n| format!("r{n}")), route, 0..8);
    (routes, prop::collection::btree_set(number.clone(), 0..3), prop::option::of(number)).prop_map(
        |(routes, people, group)| {
            let mut text = String::new();
            for (n, number) in people.iter().enumerate() {
                let _ = writeln!(text, "  - {{ id: p{n}, number: \"{number}\", password: x }}");
            }
            let group = group.filter(|number| !people.contains(number)).unwrap_or("299");
            let _ = writeln!(text, "groups:\n  - {{ id: all, number: \"{group}\", members: [ann] }}\nroutes:");
            let mut seen = std::collections::BTreeSet::new();
            for (id, (number, kind, goal, from)) in routes {
                let taken = kind == "number" && (people.contains(number) || group == number);
                if !taken && seen.insert((number, kind, from)) {
                    let _ = writeln!(text, "  - {{ id: {id}, from: {from}, {kind}: \"{number}\", {goal} }}");
                }
            }
            text
        },
    )
}

proptest! {
    #[test]
    fn whatever_an_office_has_a_number_for_help_calls_for_help(entries in entries()) {
        let emergency = "emergency: { numbers: [110, 112, 911], over: [110, 112, 911] }\n";
        let office = office(&with(emergency, &entries).replace(", location: berlin", ""));
        for number in ["110", "112", "911"] {
            prop_assert_eq!(goes(&office, &user("ann"), number), format!("help {number} through far, near"));
        }
        let line = entries.contains("from: users, prefix: \"0\", gateway: far, strip: 1");
        if line {
            prop_assert_eq!(goes(&office, &user("ann"), "0112"), "help 112 through far, near");
        }
    }
}
