//! Where calls go.

use crate::support::{asks, demo, dial, gateway, id, office, user};
use plugboard_model::OfficeId;
use plugboard_office::{Inquiry, Office, OfficeSet, Source, Treatment};
use std::sync::Arc;

pub(crate) fn goes(office: &Office, from: &Source, number: &str) -> String {
    told(office, &asks(from, number))
}

pub(crate) fn told(office: &Office, asked: &Inquiry) -> String {
    match office.route(asked) {
        Treatment::Scenario { scenario, route } => format!("scenario {} by {}", scenario.name, route.name),
        Treatment::DirectUser(user) => format!("user {user}"),
        Treatment::DirectGroup(group) => format!("group {group}"),
        Treatment::Outbound { ways, route } => {
            let ways: Vec<String> =
                ways.iter().map(|way| format!("{} through {}", way.number, way.gateway.name)).collect();
            format!("{} by {}", ways.join(", "), route.name)
        }
        Treatment::Emergency { ways, number, test } => {
            let ways: Vec<&str> = ways.iter().map(|way| way.gateway.name.as_str()).collect();
            format!("{} {number} through {}", if test { "test" } else { "help" }, ways.join(", "))
        }
        Treatment::Feature(feature) => format!("{feature:?}"),
        Treatment::Refused(cause) => format!("refused {}", cause.status),
    }
}

#[test]
fn the_demo_sends_calls_where_the_design_says() {
    let demo = demo();
    for (from, number, expected) in [
        (user("101"), "102", "user main/102"),
        (user("101"), "100", "scenario welcome by welcome"),
        (user("101"), "200", "group main/sales"),
        (user("101"), "*43", "scenario echo by echo"),
        (user("101"), "0301234", "301234 through outside by outside-line"),
        (user("101"), "+49301234", "+49301234 through outside by international"),
        (user("101"), "112", "help 112 through outside"),
        (user("101"), "0110", "help 110 through outside"),
        (user("101"), "933", "test 933 through outside"),
        (user("101"), "+112", "help 112 through outside"),
        (gateway("outside"), "112", "scenario welcome by from-outside"),
        (user("101"), "0", "refused 484"),
        (user("101"), "777", "refused 404"),
        (user("101"), "101", "refused 486"),
        (gateway("outside"), "4711", "scenario welcome by from-outside"),
        (gateway("outside"), "102", "scenario welcome by from-outside"),
        (gateway("outside"), "0301234", "scenario welcome by from-outside"),
        (gateway("other"), "102", "refused 404"),
    ] {
        assert_eq!(goes(&demo, &from, number), expected, "{from:?} dials {number}");
    }
}

const RULES: &str = "office: main\ndomains: [a.test]\nusers: [{ id: ann, number: 101, password: x }, { id: zoe, number: 1, password: x }]\ngroups: [{ id: team, number: 105, members: [ann] }]\ngateways: [{ id: g, address: \"192.0.2.1:5060\", inbound: [192.0.2.1] }, { id: h, address: \"192.0.2.2:5060\" }]\nscenarios: [{ scenario: a, steps: [echo] }, { scenario: b, steps: [echo] }, { scenario: c, steps: [echo] }]\nnumbers: [{ number: +4930100, scenario: a }]\nroutes:\n  - { id: ten, prefix: 10, scenario: b }\n  - { id: one, prefix: 1, scenario: c }\n  - { id: any, from: gateways, prefix: +49, scenario: b }\n  - { id: own, from: { gateway: h }, prefix: +49, scenario: c }\n  - { id: never, number: \"0900\", refuse: 403 }\n  - { id: me, number: \"*1\", user: ann }\n";

#[test]
fn r47_the_more_precise_rule_wins() {
    let office = office(RULES);
    for (from, number, expected) in [
        (user("ann"), "102", "scenario b by ten"),
        (user("ann"), "13", "scenario c by one"),
        (user("ann"), "105", "group main/team"),
        (user("ann"), "1", "user main/zoe"),
        (user("ann"), "0900", "refused 403"),
        (user("ann"), "*1", "refused 486"),
        (user("zoe"), "*1", "user main/ann"),
        (user("ann"), "+4930100", "scenario a by 4930100"),
        (gateway("g"), "+4930100", "scenario a by 4930100"),
        (gateway("g"), "+4930999", "scenario b by any"),
        (gateway("h"), "+4930999", "scenario c by own"),
        (gateway("g"), "101", "refused 404"),
    ] {
        assert_eq!(goes(&office, &from, number), expected, "{from:?} dials {number}");
    }
}

#[test]
fn users_are_found_by_number_and_by_id_within_their_office() {
    let office = office(RULES);
    assert_eq!(office.find_user("101").unwrap().id, id("ann"));
    assert_eq!(office.find_user("ann").unwrap().id, id("ann"));
    assert!(office.find_user("105").is_none());
    assert!(office.find_group("105").is_some());
    assert!(office.find_group("no such").is_none());
    let stranger = plugboard_model::UserId::new(&OfficeId::new("other").unwrap(), "ann").unwrap();
    assert!(office.user(&stranger).is_none());
}

fn second(number: &str, domain: &str) -> Arc<Office> {
    office(&format!(
        "office: branch\ndomains: [{domain}]\nusers: [{{ id: ann, number: 101, password: y }}]\ngateways: [{{ id: g, address: \"192.0.2.1:5060\", inbound: [192.0.2.1] }}]\nscenarios: [{{ scenario: s, steps: [echo] }}]\nnumbers: [{{ number: {number}, scenario: s }}]\n"
    ))
}

#[test]
fn two_offices_may_both_have_a_101() {
    let set = OfficeSet::new([office(RULES), second("+4930200", "b.test")]).unwrap();
    let (a, b) = (set.by_domain("A.test.").unwrap(), set.by_domain("b.test").unwrap());
    let (ann, other) = (a.find_user("101").unwrap(), b.find_user("101").unwrap());
    assert_ne!(ann.id, other.id);
    assert_ne!(ann.password, other.password);
    assert!(b.user(&ann.id).is_none());
    assert!(set.by_domain("c.test").is_none());
    assert!(set.only().is_none());
}

#[test]
fn a_provider_of_two_offices_is_told_apart_by_the_number() {
    let set = OfficeSet::new([office(RULES), second("+4930200", "b.test")]).unwrap();
    let source = "192.0.2.1:7777".parse().unwrap();
    let of = |number: &str| set.by_gateway(source, &dial(number)).unwrap().0.id.to_string();
    assert_eq!(of("+4930200"), "branch");
    assert_eq!(of("+4930100"), "main");
    assert!(set.by_gateway("192.0.2.9:5060".parse().unwrap(), &dial("100")).is_none());
}

#[test]
fn what_is_unique_in_the_switch_is_refused_twice() {
    let told = |offices: [Arc<Office>; 2]| {
        OfficeSet::new(offices).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(told([office(RULES), second("+4930100", "a.test")]), @r"
    office branch: domains: the domain a.test already belongs to office main (take it out of one of them)
    office branch: numbers: the number +4930100 already belongs to office main (take it out of one of them)
    ");
    assert!(told([office(RULES), office(RULES)]).contains("already belongs"));
    let set = OfficeSet::new([office(RULES)]).unwrap();
    assert!(set.with(office(RULES)).is_ok(), "the same office again replaces it");
    assert!(set.with(second("+4930100", "b.test")).is_err());
}
