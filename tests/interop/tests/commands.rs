//! What an admin asks about calls, of the running switch.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Answer, Call, Office, Plugboard, Sipp, Transport, free_port, tool, until};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A call of 101 to the echo that is over, and its id.
fn echo_call(switch: &Plugboard, transport: Transport) -> String {
    Sipp::calls(switch, "caller", &Call::new("101", "secret-101", "*43"), transport).succeeds();
    switch.waits_for_past_calls(1)[0]["id"].as_str().unwrap().to_owned()
}

/// The method or status of each SIP message in a capture, by tshark.
fn read_by_tshark(file: &Path, switch: &Plugboard) -> Vec<String> {
    let port = switch.sip(Transport::Udp).port();
    let mut tshark = Command::new(tool("tshark"));
    tshark.arg("-r").arg(file).args(["-d", &format!("udp.port=={port},sip"), "-T", "fields"]);
    tshark.args(["-e", "sip.Method", "-e", "sip.Status-Code", "-e", "_ws.malformed", "-e", "ip.checksum.status"]);
    let output = tshark.args(["-o", "ip.check_checksum:TRUE"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields[2..], ["", "1"], "whole, with a right checksum: {line}");
            format!("{}{}", fields[0], fields[1])
        })
        .collect()
}

#[test]
fn a_live_call_is_listed_and_hung_up_by_command() {
    let switch = Plugboard::with_office(&Office::new());
    let caller = Sipp::calls(&switch, "caller", &Call::new("101", "secret-101", "*43").stays(), Transport::Udp).start();
    let live = &switch.waits_for_live_calls(1)[0];
    assert_eq!((&live["caller"], &live["called"]), (&"101".into(), &"*43".into()));
    let id = live["id"].as_str().unwrap();
    assert!(switch.succeeds(&["call", "list"]).contains("101 -> *43          going on"));
    until("the call to be answered", || caller.messages().contains("ACK sip:").then_some(()));
    let told = switch.ask(&["call", "hangup", id]);
    assert!(told["done"].as_str().unwrap().contains(id), "{told}");
    caller.succeeds();
    switch.waits_for_past_calls(1);
    assert!(switch.live_calls().is_empty());
    assert!(switch.complains(&["call", "hangup", id]).contains("no live call"));
}

#[test]
fn a_past_call_is_shown_traced_and_replayed_for_people_and_for_programs() {
    let switch = Plugboard::with_office(&Office::new());
    let id = &echo_call(&switch, Transport::Udp);
    let shown = switch.succeeds(&["call", "show", id]);
    assert!(shown.contains("outcome   handled") && shown.contains("echo"), "{shown}");
    let record = switch.ask(&["call", "show", id]);
    assert_eq!((&record["caller"], &record["route"]), (&"101".into(), &"echo".into()), "{record}");

    let trace = switch.succeeds(&["call", "trace", id]);
    assert!(trace.contains("run_began") && trace.contains("leg_answered"), "{trace}");
    let journal = switch.ask(&["call", "trace", id]);
    assert_eq!(journal["gaps"], false);
    let numbers: Vec<u64> =
        journal["entries"].as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "nothing is missing");

    let replayed = switch.succeeds(&["call", "replay", id]);
    assert!(replayed.contains("run 0 (echo): the same host calls"), "{replayed}");
    assert_eq!(switch.ask(&["call", "replay", id])["runs"][0]["same"], true);
    assert!(switch.succeeds(&["call", "list"]).contains(id.as_str()));
}

#[test]
fn a_call_that_there_never_was_is_a_fault_of_every_command() {
    let switch = Plugboard::with_office(&Office::new());
    let stranger = "main/01M80000000000000000000000";
    for words in [["call", "show"], ["call", "trace"], ["call", "replay"], ["call", "hangup"]] {
        let [first, second] = words;
        assert!(switch.complains(&[first, second, stranger]).contains(stranger), "{words:?}");
        assert!(switch.complains(&[first, second, "nonsense"]).contains("no call id"), "{words:?}");
    }
}

#[test]
fn without_a_running_switch_a_command_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let switch = Plugboard::with_office(&Office::new());
    let output = switch.command_with(&["call", "list", "--data", folder.path().to_str().unwrap()], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(folder.path().to_str().unwrap()) && said.contains("is it running"), "{said}");
}

fn a_capture_is_read_by_tshark(transport: Transport) {
    let switch = Plugboard::with_office(&Office::new());
    let id = echo_call(&switch, transport);
    let file = switch.folder().join("call.pcap");
    switch.succeeds(&["call", "trace", &id, "--pcap", file.to_str().unwrap()]);
    let seen = read_by_tshark(&file, &switch);
    // The first INVITE was challenged, so it is of no call yet.
    assert_eq!(seen, ["INVITE", "200", "ACK", "BYE", "200"], "{transport:?}");
}

#[test]
fn the_capture_of_a_call_over_udp_is_read_by_tshark() {
    a_capture_is_read_by_tshark(Transport::Udp);
}

#[test]
fn the_capture_of_a_call_over_tcp_is_read_by_tshark() {
    a_capture_is_read_by_tshark(Transport::Tcp);
}

#[test]
fn the_ladder_shows_both_legs_of_a_call() {
    let switch = Plugboard::with_office(&Office::new());
    let port = free_port(1);
    Sipp::registers(&switch, "102", "secret-102", port).succeeds();
    let callee = Sipp::answers(&switch, "callee", &Answer::new(), Transport::Udp, port).start();
    Sipp::calls(&switch, "caller", &Call::new("101", "secret-101", "102"), Transport::Udp).succeeds();
    callee.succeeds();
    let id = switch.waits_for_past_calls(1)[0]["id"].as_str().unwrap().to_owned();
    let ladder = switch.succeeds(&["call", "trace", &id, "--sip"]);
    let of = |leg: &str| -> Vec<String> {
        let lines = ladder.lines().filter(|line| line.contains(&format!("leg {leg} ")));
        lines.map(|line| line.split_whitespace().skip(8).take(1).collect()).collect()
    };
    assert_eq!(of("0"), ["INVITE", "180", "200", "ACK", "BYE", "200"], "{ladder}");
    assert_eq!(of("1"), ["INVITE", "180", "200", "ACK", "BYE", "200"], "{ladder}");
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match fs::symlink_metadata(&path).unwrap() {
            about if about.is_dir() => files(&path),
            about if about.is_file() => vec![fs::read(&path).unwrap()],
            _ => Vec::new(),
        })
        .collect()
}

/// The values of `response="..."` that sipp sent.
fn responses(messages: &str) -> Vec<String> {
    let parts = messages.split("response=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn no_credentials_are_kept_in_log_ladder_capture_or_data() {
    let switch = Plugboard::empty_by(|serve| serve.variable("PLUGBOARD_LOG", "debug"));
    switch.apply(&Office::new());
    let registered = Sipp::registers(&switch, "102", "secret-102", free_port(1)).succeeds().messages();
    let call = Call::new("101", "secret-101", "*43").lasts(Duration::from_millis(100));
    let called = Sipp::calls(&switch, "caller", &call, Transport::Udp).succeeds().messages();
    let id = switch.waits_for_past_calls(1)[0]["id"].as_str().unwrap().to_owned();
    let sent: Vec<String> = [responses(&registered), responses(&called)].concat();
    assert_eq!(sent.len(), 2, "one of the phone, one of the caller");

    let capture = switch.folder().join("call.pcap");
    switch.succeeds(&["call", "trace", &id, "--pcap", capture.to_str().unwrap()]);
    let ladder: Value = switch.ask(&["call", "trace", &id, "--sip"]);
    assert!(ladder.to_string().contains("Proxy-Authorization: (not kept)"), "{ladder}");
    let log = switch.log();
    assert!(log.contains("DEBUG"), "the log says everything it can");
    let mut kept = files(switch.data());
    kept.extend([fs::read(capture).unwrap(), ladder.to_string().into(), log.clone().into()]);
    for secret in sent {
        let found = |bytes: &Vec<u8>| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!kept.iter().any(found), "{secret} was kept");
    }
    assert!(!log.contains("secret-101") && !log.contains("secret-102"), "{log}");
}
