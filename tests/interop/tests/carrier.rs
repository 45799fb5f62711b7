//! Kamailio as a carrier: registered at, called through, and gone.

#![expect(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Answer, Call, Kamailio, Office, Plugboard, Sipp, Transport, free_port, until};
use std::time::Duration;

/// A switch that is registered at a carrier with the world behind it, and has a second way out.
fn registered() -> (Plugboard, Kamailio, u16, u16) {
    let (world, backup) = (free_port(1), free_port(1));
    let carrier = Kamailio::carrier(world);
    let office = Office::new()
        .trunk("carrier", &carrier.settings())
        .trunk("backup", &format!("address: '127.0.0.1:{backup}'"))
        .out_through(&["carrier", "backup"]);
    let switch = Plugboard::with_office(&office);
    until("the switch to be registered", || (gateway(&switch, "carrier")["registered"] == true).then_some(()));
    (switch, carrier, world, backup)
}

/// What `plugboard status` says of a gateway.
fn gateway(switch: &Plugboard, name: &str) -> serde_json::Value {
    let status = switch.ask(&["status"]);
    let all = status["gateways"].as_array().cloned().unwrap_or_default();
    all.into_iter().find(|one| one["id"] == format!("main/{name}")).unwrap_or_default()
}

#[test]
fn a_user_calls_the_world_through_a_carrier_that_wants_a_password() {
    let (switch, carrier, world, _) = registered();
    let callee = Sipp::answers(&switch, "world", &Answer::new(), Transport::Udp, world).start();
    let call = Call::new("101", "secret-101", "0301234567").lasts(Duration::from_millis(500));
    Sipp::calls(&switch, "caller", &call, Transport::Udp).succeeds();
    let messages = callee.succeeds().messages();
    assert!(messages.contains("INVITE sip:301234567@"), "{messages}\n{}", carrier.log());
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!(record["direction"], "outbound", "{record}");
}

#[test]
fn a_carrier_that_only_its_proxy_knows_is_called_through_that() {
    let world = free_port(1);
    let proxy = Kamailio::carrier(world);
    let office = Office::new().trunk("carrier", &proxy.settings_as_proxy()).out_through(&["carrier"]);
    let switch = Plugboard::with_office(&office);
    until("the switch to be registered", || (gateway(&switch, "carrier")["registered"] == true).then_some(()));
    let callee = Sipp::answers(&switch, "world", &Answer::new(), Transport::Udp, world).start();
    let call = Call::new("101", "secret-101", "0301234567").lasts(Duration::from_millis(500));
    Sipp::calls(&switch, "caller", &call, Transport::Udp).succeeds();
    let messages = callee.succeeds().messages();
    assert!(messages.contains("BYE sip:"), "{messages}");
    let by = format!("by <sip:{};lr>", proxy.address());
    for request in ["REGISTER sip:carrier.test", "INVITE sip:301234567@carrier.test"] {
        assert!(proxy.log().contains(&format!("to the carrier: {request} {by}")), "{request}: {}", proxy.log());
    }
}

#[test]
fn the_world_calls_in_through_what_is_registered() {
    let (switch, carrier, world, _) = registered();
    let call = Call::without_password("0309999", "100");
    Sipp::calls_at(&switch, "world", &call, carrier.address(), world).succeeds();
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!((&record["direction"], &record["called"]), (&"inbound".into(), &"100".into()), "{record}");
    assert_eq!(record["scenario"]["name"], "welcome", "{record}");
}

#[test]
fn a_carrier_that_is_gone_is_left_for_the_next_gateway_and_shown() {
    let (switch, carrier, _, backup) = registered();
    carrier.stops();
    let callee = Sipp::answers(&switch, "backup", &Answer::new(), Transport::Udp, backup).start();
    let call = Call::new("101", "secret-101", "0301234567").lasts(Duration::from_millis(500));
    Sipp::calls(&switch, "caller", &call, Transport::Udp).succeeds();
    callee.succeeds();
    let shown = || switch.page("/readyz").1.contains("gateway_down main/carrier").then_some(());
    until("the carrier to be shown as down", shown);
    assert!(switch.page("/metrics").1.contains("plugboard_trunk_up{trunk=\"main/carrier\"} 0"));
    assert_eq!(gateway(&switch, "backup")["down"], serde_json::Value::Null);
}

#[test]
fn a_switch_that_ends_is_not_registered_any_more() {
    let (mut switch, carrier, world, _) = registered();
    switch.terminate();
    switch.wait();
    let call = Call::without_password("0309999", "100").gets(404);
    Sipp::calls_at(&switch, "world", &call, carrier.address(), world).succeeds();
}
