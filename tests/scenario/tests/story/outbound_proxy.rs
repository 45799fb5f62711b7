//! Gateways that are reached through a proxy.

use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{not_answered, seconds, talk};

const PROXY: &str = "10.0.1.1:5060";

/// A user, and a carrier behind a proxy: `proxy` says where that is, `settings` what else is known of the carrier.
fn office(proxy: &str, settings: &str) -> Setup {
    let text = format!(
        "office: main\ndomains: [plugboard.test]\nusers:\n  - {{ id: \"101\", number: 101, password: demo-101 }}\n\
         gateways:\n  - {{ id: carrier, address: carrier.test, outbound_proxy: \"{proxy}\"{settings} }}\n\
         routes:\n  - {{ id: out, prefix: 0, gateway: carrier }}\n  - {{ id: in, from: gateways, number: 900, user: \"101\" }}\n"
    );
    Setup::offices(vec![OfficeText::new(&text)])
}

fn started(setup: Setup) -> (Sim, Phone, Phone) {
    let mut sim = setup.start();
    let ann = sim.phone("ann", "101");
    let proxy = sim.outside("proxy", PROXY);
    (sim, ann, proxy)
}

/// The Request-URI and Route of each request that the proxy got.
fn routed(proxy: &Phone, method: &str) -> Vec<(String, Option<String>)> {
    let uri = |text: &str| text.split(' ').nth(1).unwrap_or_default().to_owned();
    let route = |text: &str| text.lines().find_map(|line| line.strip_prefix("Route: ")).map(str::to_owned);
    proxy.requests(method).iter().map(|text| (uri(text), route(text))).collect()
}

#[test]
fn what_is_for_a_gateway_goes_to_its_proxy_and_names_both() {
    let settings = ", user: trunk, password: s3cret, register: 2m, probe: 10s";
    let (mut sim, ann, proxy) = started(office(&format!("sip:{PROXY};lr"), settings));
    proxy.demands("trunk", "s3cret");
    sim.run_until(proxy.has_registration());
    sim.run_for(seconds(12));
    let begin = sim.now();
    ann.dials("0301234");
    sim.run_until(proxy.rings());
    assert_eq!(proxy.called_at().as_deref(), Some("sip:0301234@carrier.test"));
    proxy.answers();
    talk(&mut sim, &ann, &proxy);
    ann.hangs_up();
    sim.run_until(proxy.is_idle());
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    12.515  ann -> switch  INVITE 0301234 +sdp
    12.520  switch -> ann  407 INVITE
    12.525  ann -> switch  ACK
    12.525  ann -> switch  INVITE 0301234 +sdp
    12.530  switch -> proxy  INVITE 0301234 +sdp
    12.535  proxy -> switch  407 INVITE
    12.540  switch -> proxy  ACK
    12.540  switch -> proxy  INVITE 0301234 +sdp
    12.545  proxy -> switch  180 INVITE
    12.545  proxy -> switch  200 INVITE +sdp
    12.550  switch -> proxy  ACK
    12.550  switch -> ann  180 INVITE
    12.550  switch -> ann  200 INVITE +sdp
    12.555  ann -> switch  ACK
    12.575  ann -> switch  BYE
    12.580  switch -> ann  200 BYE
    12.580  switch -> proxy  BYE because SIP;cause=200;text="OK"
    12.585  proxy -> switch  200 BYE
    "#);
    let route = format!("<sip:{PROXY};lr>");
    let of = |uri: &str| (uri.to_owned(), Some(route.clone()));
    assert_eq!(routed(&proxy, "REGISTER"), vec![of("sip:carrier.test"); 2]);
    assert_eq!(routed(&proxy, "OPTIONS"), vec![of("sip:carrier.test"); 2]);
    assert_eq!(routed(&proxy, "INVITE"), vec![of("sip:0301234@carrier.test"); 2]);
    assert!(routed(&proxy, "BYE").iter().all(|(_, route)| route.is_none()), "it wrote no Record-Route");
}

#[test]
fn calls_that_come_from_the_proxy_are_the_gateways() {
    let (mut sim, ann, proxy) = started(office(PROXY, ""));
    proxy.dials_as("900", "030999");
    sim.run_until(ann.rings());
    ann.answers();
    talk(&mut sim, &ann, &proxy);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().legs[0].gateway.as_ref().unwrap().name.as_str(), "carrier");
}

#[test]
fn a_proxy_is_looked_for_by_its_name_in_place_of_the_gateways() {
    let setup = office("sip:edge.test;lr", "").zone("edge.test 60 A 10.0.1.1\ncarrier.test 60 A 10.0.1.77\n");
    let (mut sim, ann, proxy) = started(setup);
    ann.dials("0301234");
    sim.run_until(proxy.rings());
    assert_eq!(proxy.called_at().as_deref(), Some("sip:0301234@carrier.test"));
    assert_eq!(proxy.routes(), ["<sip:edge.test;lr>"]);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_proxy_that_is_not_found_is_said_to_be_the_reason() {
    let (mut sim, ann, _proxy) = started(office("edge.test", "").zone("carrier.test 60 A 10.0.1.1\n"));
    sim.run_for(seconds(1));
    assert!(sim.conditions().contains("no address of edge.test is known"), "{}", sim.conditions());
    ann.dials("0301234");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(not_answered(&sim.record()), Some(503));
}

#[test]
fn a_gateway_that_names_another_address_of_its_own_is_called_there_through_the_proxy() {
    let settings = ", inbound: [\"10.0.1.1\", \"10.0.1.5\"]";
    let (mut sim, ann, proxy) = started(office(&format!("sip:{PROXY};lr"), settings));
    ann.dials("0301234");
    sim.run_until(proxy.rings());
    proxy.sends_on(302, &["sip:0305678@10.0.1.5:5070"]);
    sim.run_until(|| proxy.calls().len() == 2 && proxy.rings()());
    assert_eq!(proxy.called_at().as_deref(), Some("sip:0305678@10.0.1.5:5070"));
    ann.hangs_up();
    sim.run_until_quiet();
}
