//! What an office document says of gateways.

use crate::support::{asks, demo_folder, dial, faults, gateway, office, user};
use plugboard_office::{
    CallLimits, Identity, NumberFormat, Office, Place, Secrets, Source, Transport, Treatment, Way, drawn,
};
use std::time::Duration;

const EVERYTHING: &str = "office: main\ndomains: [a.test]\ncountry: de\narea: 30\nusers: [{ id: 1a, number: 101, password: x, outside_number: +4930100 }]\ngateways:\n  - id: carrier\n    address: sip.carrier.test\n    transport: tcp\n    outbound_proxy: sip:edge.carrier.test:5070\n    inbound: [192.0.2.7]\n    priority: 5\n    weight: 3\n    group: carriers\n    calls: 30\n    calls_in: 20\n    calls_out: 25\n    user: 493010\n    password: s3cret\n    register: 5m\n    probe: { every: 20s, down_after: 2, up_after: 4 }\n    answer_within: 3s\n    caller: { number: +493010, tells: asserted, believed: true, passes: true }\n    numbers: e164\n  - { id: plain, address: 192.0.2.1, group: carriers }\nroutes:\n  - { id: all, prefix: 0, gateway_group: carriers, strip: 1 }\n  - { id: both, prefix: 1, gateways: [plain, carrier] }\n  - { id: one, prefix: 2, gateway: plain, add: 5 }\n";

#[test]
fn everything_that_can_be_said_of_a_gateway_is_read() {
    let office = office(EVERYTHING);
    let Source::Gateway(id) = gateway("carrier") else { unreachable!() };
    let carrier = office.gateway(&id).unwrap();
    assert_eq!(carrier.address, Place::Host { name: "sip.carrier.test".into(), port: None });
    assert_eq!(carrier.transport, Some(Transport::Tcp));
    assert_eq!(carrier.next_hop(), &Place::Host { name: "edge.carrier.test".into(), port: Some(5070) });
    assert_eq!(
        (carrier.next_transport(), carrier.routes()),
        (Some(Transport::Tcp), vec!["<sip:edge.carrier.test:5070;lr>".into()])
    );
    assert_eq!(carrier.limits, CallLimits { both: 30, inbound: 20, outbound: 25 });
    let login = carrier.login.as_ref().unwrap();
    assert_eq!((login.user.as_str(), login.password.reveal()), ("493010", "s3cret"));
    assert_eq!(carrier.register, Some(Duration::from_secs(300)));
    let probe = carrier.probe.unwrap();
    assert_eq!((probe.every, probe.down_after, probe.up_after), (Duration::from_secs(20), 2, 4));
    assert_eq!(
        (carrier.caller.tells, carrier.caller.believed, carrier.caller.passes),
        (Identity::Asserted, true, true)
    );
    assert_eq!(carrier.numbers, NumberFormat::E164);
    assert!(office.gateway_by_source("192.0.2.7:9".parse().unwrap()).is_some());
    let Source::Gateway(id) = gateway("plain") else { unreachable!() };
    let plain = office.gateway(&id).unwrap();
    assert_eq!(plain.address.address(), Some("192.0.2.1:5060".parse().unwrap()));
    assert_eq!((plain.transport, plain.probe, plain.register), (None, None, None));
    assert_eq!(plain.limits, CallLimits { both: 1_000, inbound: 1_000, outbound: 1_000 });
}

#[test]
fn an_exported_gateway_read_again_is_the_same_and_hides_its_password() {
    let office = office(EVERYTHING);
    let text = office.export(Secrets::InClear, None);
    let again = Office::parse("o.yaml", &text, &demo_folder()).unwrap();
    assert_eq!(
        format!("{:?}", again.gateways().collect::<Vec<_>>()),
        format!("{:?}", office.gateways().collect::<Vec<_>>())
    );
    assert_eq!(again.export(Secrets::InClear, None), text);
    let hidden = office.export(Secrets::Hidden, None);
    assert!(!hidden.contains("s3cret"), "{hidden}");
    let kept = Office::parse("o.yaml", &hidden, &demo_folder()).unwrap();
    let Source::Gateway(id) = gateway("carrier") else { unreachable!() };
    let password = kept.gateway(&id).unwrap().login.clone().unwrap().password;
    assert_eq!(password.reveal(), "kept by main for the gateway carrier");
}

#[test]
fn what_makes_no_sense_of_a_gateway_is_told() {
    let text = "office: main\ndomains: [a.test]\narea: 030\ngateways:\n  - { id: a, address: a.test, register: true }\n  - { id: b, address: b.test, user: x }\n  - { id: c, address: c.test, user: \"x y\", password: z }\n  - { id: d, address: d.test, probe: 1s, answer_within: 2m, numbers: +49 }\n  - { id: e, address: e.test, calls_in: -1, caller: { tells: nobody } }\n  - { id: f, address: f.test, outbound_proxy: \"sip:x@f.test\" }\nroutes:\n  - { id: r, prefix: 0, gateways: [] }\n  - { id: s, prefix: 1, gateways: [a, a, z] }\n  - { id: t, prefix: 2, gateway_group: none }\n  - { id: u, prefix: 3, gateway: a, gateways: [b] }\n";
    insta::assert_snapshot!(faults(text), @r#"
    o.yaml:3:7: area: "030" is no area code (write it without the trunk prefix, as 30 for Berlin)
    o.yaml:5:41: gateways[0].register: a gateway registers by its name (add "user" and "password")
    o.yaml:6:5: gateways[1]: a gateway that asks for a password is told "user" and "password", and "password" is missing (add "password")
    o.yaml:7:37: gateways[2].user: "x y" is no name that SIP could say (write what the provider told you)
    o.yaml:8:38: gateways[3].probe: a time with its unit is expected, from 5s to 1h (write for example "20s", "500ms" or "2m")
    o.yaml:8:57: gateways[3].answer_within: a time with its unit is expected, from 1s to 32s (write for example "20s", "500ms" or "2m")
    o.yaml:8:70: gateways[3].numbers: "+49" is not one of as-dialled, e164, digits, international, national
    o.yaml:9:41: gateways[4].calls_in: a whole number from 0 to 10000 is expected
    o.yaml:9:62: gateways[4].caller.tells: "nobody" is not one of from, asserted, remote-party
    o.yaml:10:47: gateways[5].outbound_proxy: "sip:x@f.test" is no loose route (write sip:proxy.carrier.test;lr, with a port or a transport (udp, tcp, tls) if it needs one)
    o.yaml:12:35: routes[0].gateways: a route through no gateway leads nowhere (name one)
    o.yaml:13:35: routes[1].gateways: a gateway is here twice (take one of them out)
    o.yaml:13:42: routes[1].gateways[2]: the office has no gateway z
    o.yaml:14:40: routes[2].gateway_group: the office has no gateway with the group none
    o.yaml:15:37: routes[3].gateways: a route leads to one place, this one to a "gateway" and to a "gateways" (take one out; to ring several, make a group of them or a scenario)
    "#);
}

fn ways(office: &Office, number: &str) -> Vec<(String, String)> {
    match office.route(&asks(&user("1a"), number)) {
        Treatment::Outbound { ways, .. } => {
            ways.into_iter().map(|way| (way.gateway.name.to_string(), way.number.to_string())).collect()
        }
        other @ (Treatment::Scenario { .. }
        | Treatment::DirectUser(_)
        | Treatment::DirectGroup(_)
        | Treatment::Emergency { .. }
        | Treatment::Feature(_)
        | Treatment::Refused(_)) => panic!("{other:?}"),
    }
}

#[test]
fn a_route_leads_through_one_gateway_or_several_each_with_numbers_as_it_writes_them() {
    let office = office(EVERYTHING);
    let to = |gateway: &str, number: &str| (gateway.to_owned(), number.to_owned());
    assert_eq!(ways(&office, "0030123456"), [to("carrier", "+4930123456"), to("plain", "030123456")]);
    assert_eq!(ways(&office, "1234567"), [to("carrier", "+49301234567"), to("plain", "1234567")], "by priority");
    assert_eq!(ways(&office, "299"), [to("plain", "5299")]);
}

#[test]
fn emergency_and_internal_numbers_are_not_written_anew() {
    let office = office(EVERYTHING);
    let Treatment::Emergency { ways: to_help, .. } = office.route(&asks(&user("1a"), "0112")) else {
        panic!("no help")
    };
    assert!(to_help.iter().all(|way| way.number == dial("112")), "{to_help:?}");
    assert_eq!(ways(&office, "0115")[0].1, "115");
    assert!(matches!(office.route(&asks(&user("1a"), "101")), Treatment::Refused(_)), "his own internal number");
}

#[test]
fn numbers_from_a_gateway_are_found_in_its_format_too() {
    let text = EVERYTHING.replace("routes:\n", "scenarios: [{ scenario: s, steps: [echo] }]\nnumbers: [{ number: +4930555, scenario: s }]\nroutes:\n  - { id: r, from: gateways, number: +4930101, user: 1a }\n  - { id: p, from: gateways, prefix: +4989, user: 1a }\n");
    let office = office(&text);
    for (number, found) in [("+4930101", true), ("030101555", false), ("0030101", false), ("08912345", true)] {
        let treatment = office.route(&asks(&gateway("carrier"), number));
        assert_eq!(treatment != office.route(&asks(&gateway("carrier"), "nobody")), found, "{number}: {treatment:?}");
    }
    assert!(matches!(office.route(&asks(&gateway("carrier"), "0049305555555")), Treatment::Refused(_)));
    assert!(matches!(office.route(&asks(&gateway("carrier"), "030555")), Treatment::Scenario { .. }));
    assert!(matches!(office.route(&asks(&gateway("plain"), "030555")), Treatment::Refused(_)), "it writes as it dials");
}

#[test]
fn weights_share_and_what_has_none_follows_as_written() {
    let office = office(EVERYTHING);
    let Treatment::Outbound { ways, .. } = office.route(&asks(&user("1a"), "0030123456")) else { unreachable!() };
    let way = |name: &str, priority, weight| {
        let Source::Gateway(gateway) = gateway(name) else { unreachable!() };
        Way { gateway, number: ways[0].number.clone(), priority, weight }
    };
    let all = vec![way("a", 1, 3), way("b", 1, 1), way("c", 1, 0), way("d", 1, 0), way("e", 2, 9)];
    let mut first = std::collections::BTreeMap::new();
    for mark in 0..4 {
        let mut marks = vec![0, mark];
        let order = drawn(all.clone(), |below| marks.pop().unwrap_or(0).min(below - 1));
        let names: Vec<&str> = order.iter().map(|way| way.gateway.name.as_str()).collect();
        assert_eq!(names[2..], ["c", "d", "e"]);
        *first.entry(names[0].to_owned()).or_insert(0) += 1;
    }
    assert_eq!(first, [("a".to_owned(), 3), ("b".to_owned(), 1)].into());
}
