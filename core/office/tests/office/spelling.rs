//! Routes and the ways in which one number is written.

use crate::routes::{holds, with};
use crate::routing::{goes, told};
use crate::support::{asks, faults, gateway, office, user};

#[test]
fn to_another_gateway_goes_what_was_about_to_go_to_the_first_as_the_other_writes_it() {
    let routes = "  - { id: out, prefix: \"0\", strip: 1, gateway: g }\n  - { id: turn, to: { gateway: g }, like: \"040*\", gateway: h }\n  \
                  - { id: cut, to: { gateway: g }, like: \"089*\", strip: 3, add: \"9\", gateway: h }\n";
    let national = with(routes).replace("\"192.0.2.2:5060\" }", "\"192.0.2.2:5060\", numbers: national }");
    let office_of = |text: &str| goes(&office(text), &user("cem"), "0040123456");
    assert_eq!(office_of(&national), "040123456 through h by turn");
    let digits = national.replace("numbers: national", "numbers: digits");
    assert_eq!(office_of(&digits), "4940123456 through h by turn");
    // What is taken off is counted in the route's spelling.
    assert_eq!(goes(&office(&with(routes)), &user("cem"), "0089123456"), "9123456 through h by cut");
}

#[test]
fn what_a_route_takes_off_is_counted_in_what_was_dialled_where_it_is_for_that_alone() {
    let routes = "  - { id: out, prefix: \"0\", strip: 1, gateway: g }\n  - { id: cut, to: { gateway: g }, prefix: \"0040\", strip: 4, gateway: h }\n";
    assert_eq!(goes(&office(&with(routes)), &user("cem"), "0040123456"), "123456 through h by cut");
}

#[test]
fn what_a_route_takes_off_is_counted_in_its_own_spelling() {
    let office = office(&with("  - { id: far, like: \"040*\", strip: 3, gateway: h }\n"));
    for dialled in ["040123456", "+4940123456", "004940123456"] {
        assert_eq!(goes(&office, &user("cem"), dialled), "123456 through h by far", "{dialled}");
    }
}

#[test]
fn two_routes_for_the_same_numbers_in_other_words_are_a_fault() {
    let told = |one: &str, other: &str| {
        faults(&with(&format!("  - {{ id: one, {one}, scenario: a }}\n  - {{ id: two, {other}, scenario: b }}\n")))
    };
    let tie = "routes[1]: the route one is for the same calls";
    let likes = told("like: \"040*\"", "like: \"+4940*\"");
    assert!(likes.contains(tie), "{likes}");
    let exact = told("from: gateways, number: \"040123456\"", "from: gateways, number: +4940123456");
    assert!(exact.contains(tie), "{exact}");
    let first = told("like: \"040*\", priority: 9", "like: \"+4940*\"");
    assert_eq!(first, "");
    // What people dial they find in the document; and this gateway writes numbers in one way.
    assert_eq!(told("number: \"040123456\"", "number: +4940123456"), "");
    let from_h = "from: { gateway: h }";
    assert_eq!(told(&format!("{from_h}, number: \"040123456\""), &format!("{from_h}, number: +4940123456")), "");
}

#[test]
fn an_internal_number_is_no_number_of_the_towns() {
    let text = with("  - { id: r, number: \"100\", if: { caller: +4930* }, scenario: b }\n")
        .replace("number: 103", "number: 1303");
    let office = office(&text);
    assert_eq!(goes(&office, &user("cem"), "100"), "refused 404");
    let routes = "  - { id: town, like: \"+4930*\", refuse: 603, priority: 1 }\n";
    let office = crate::support::office(&with(routes).replace("number: 103", "number: 1303"));
    assert_eq!(goes(&office, &user("ann"), "1303"), "user main/cem");
    assert_eq!(goes(&office, &user("ann"), "1304"), "refused 603");
}

#[test]
fn a_route_that_takes_what_people_dial_for_each_other_is_told() {
    let shadowed = |routes: &str| office(&with(routes)).shadowed().join("\n");
    assert_eq!(
        shadowed("  - { id: all, any: true, scenario: a, priority: 1 }\n"),
        "who dials the internal number 101 and 3 more never reaches it: the route all has no conditions and takes these calls \
         first; give all conditions or a `priority` above 10, or say which numbers it is for"
    );
    for harmless in [
        "  - { id: all, any: true, scenario: a }\n",
        "  - { id: all, any: true, if: { anonymous: true }, scenario: a, priority: 1 }\n",
        "  - { id: all, from: { user: ann }, any: true, scenario: a, priority: 1 }\n",
        "  - { id: all, prefix: \"0\", scenario: a, priority: 1 }\n",
    ] {
        assert_eq!(shadowed(harmless), "", "{harmless}");
    }
}

#[test]
fn callers_are_told_apart_by_what_the_office_files_them_under() {
    let filed = |conditions: &str| {
        let text = with(&format!("  - {{ id: r, from: gateways, number: \"100\", if: {conditions}, scenario: b }}\n"));
        text.replace(
            "language: pl }",
            "language: pl, groups: [vip, north] }\n  - { id: dan, numbers: \"040777\", groups: south }",
        )
    };
    let call = |caller: &str| asks(&gateway("g"), "100").by(caller);
    for (conditions, carla, dan, nobody) in [
        ("{ contact_group: vip }", true, false, false),
        ("{ contact_group: [north, south] }", true, true, false),
        ("{ not: { contact_group: vip } }", false, true, true),
        ("{ all: [{ contact_group: north }, { called: \"10?\" }] }", true, false, false),
    ] {
        let office = office(&filed(conditions));
        let held = ["+49401234567", "+4940777", "+4940999"].map(|caller| holds(&office, &call(caller)));
        assert_eq!(held, [carla, dan, nobody], "{conditions}");
        let again = crate::support::office(&office.export(plugboard_office::Secrets::InClear, None));
        assert_eq!(told(&again, &call("+49401234567")), told(&office, &call("+49401234567")));
    }
    let slip = faults(&filed("{ contact_group: vipp }"));
    assert!(slip.contains("no contact is in a group vipp (did you mean \"vip\"?)"), "{slip}");
    let why = office(&filed("{ contact_group: vip }")).explain(&call("+4940777"));
    assert!(
        format!("{:?}", why.looked).contains("the contact dan of the groups [south], not of vip"),
        "{:?}",
        why.looked
    );
}
