//! What an admin asks about calls, of the running switch.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{
    Answer, Call, Office, Plugboard, Sipp, Transport, built_plugins, free_port, tool, until,
};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A call of 101 to the echo that is over, and its id.
fn echo_call(switch: &Plugboard, transport: Transport) -> String {
    Sipp::calls(switch, "caller", &Call::new("101", "secret-101", "*43"), transport).succeeds();
    switch.waits_for_past_calls(1)[0]["id"].as_str().unwrap().to_owned()
}

/// 102 registers, 101 calls him, they talk; its id when it is over.
fn answered_call(switch: &Plugboard) -> String {
    let port = free_port(1);
    Sipp::registers(switch, "102", "secret-102", port).succeeds();
    let callee = Sipp::answers(switch, "callee", &Answer::new(), Transport::Udp, port).start();
    Sipp::calls(switch, "caller", &Call::new("101", "secret-101", "102"), Transport::Udp).succeeds();
    callee.succeeds();
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
    let listed = switch.succeeds(&["call", "list"]);
    assert!(listed.contains("101 User 101 -> *43") || listed.contains("101 -> *43"), "{listed}");
    assert!(listed.trim_end().ends_with("going on"), "{listed}");
    let shown = switch.succeeds(&["call", "show", id]);
    assert!(shown.contains("ended      it goes on; `plugboard call hangup` ends it"), "{shown}");
    assert!(shown.contains("duration   0:") && shown.contains("leg 0      101"), "{shown}");
    assert!(shown.contains("route      echo") && shown.contains("scenario   echo"), "{shown}");
    let record = switch.ask(&["call", "show", id]);
    assert_eq!((&record["going_on"], &record["outcome"]), (&true.into(), &Value::Null), "{record}");
    until("the call to be answered", || caller.messages().contains("ACK sip:").then_some(()));
    let said = switch.complains(&["call", "transfer", id, "--to", "102"]);
    assert!(said.contains("which leg leaves is not clear") && said.contains("none"), "a scenario has him: {said}");
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
    assert!(shown.contains("outcome    handled: the switch answered") && shown.contains("echo"), "{shown}");
    for word in
        ["began      20", "ringing    nobody rang", "answered   nobody talked", "ended      20", "duration   0:"]
    {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let record = switch.ask(&["call", "show", id]);
    assert_eq!((&record["caller"], &record["route"]), (&"101".into(), &"echo".into()), "{record}");

    let trace = switch.succeeds(&["call", "trace", id]);
    // Time since the start, then the word, then what happened, in this order.
    let told = [
        "0.000 s  call     101 (user 101) calls *43, internal, at 20",
        " s  step     steps[0]: echo",
        " s  action   echo begins, run 0: {\"max\":\"60s\"}",
        " s    host   call.echo at most 1m",
        " s  leg      0 101 is answered",
        " s  leg      0 101 hangs up",
        " s  action   echo ends, run 0: cut off: the call was over",
        " s  end      handled: the switch answered, nobody talked to the caller",
    ];
    let mut lines = trace.lines();
    for words in told {
        assert!(lines.any(|line| line.contains(words)), "{words:?} is missing or too early\n{trace}");
    }
    assert!(!trace.contains("\"seq\""), "no JSON for people: {trace}");
    let journal = switch.ask(&["call", "trace", id]);
    assert_eq!(journal["gaps"], false);
    let numbers: Vec<u64> =
        journal["entries"].as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "nothing is missing");

    let replayed = switch.succeeds(&["call", "replay", id]);
    assert!(replayed.contains("run 0 (echo): the same host calls"), "{replayed}");
    assert_eq!(switch.ask(&["call", "replay", id])["runs"][0]["same"], true);
    let listed = switch.succeeds(&["call", "list"]);
    let line = listed.lines().find(|line| line.contains(id.as_str())).unwrap();
    assert!(line.contains(" 20") && line.contains("0:0") && line.contains("handled: "), "when, how long, how: {line}");
}

#[test]
fn a_list_of_calls_goes_on_where_it_ended_and_conditions_are_told_one_by_one() {
    let switch = Plugboard::with_office(&Office::new());
    for _ in 0..3 {
        Sipp::calls(&switch, "caller", &Call::new("101", "secret-101", "*43"), Transport::Udp).succeeds();
    }
    let all = switch.waits_for_past_calls(3);
    let page = switch.ask(&["call", "list", "--limit", "2"]);
    assert_eq!(page["past"].as_array().unwrap().as_slice(), &all[..2]);
    let mark = page["next"].as_str().unwrap();
    assert!(switch.succeeds(&["call", "list", "--limit", "2"]).contains(&format!("--after {mark}")));
    let rest = switch.ask(&["call", "list", "--after", mark]);
    assert_eq!((rest["past"].as_array().unwrap().as_slice(), &rest["next"]), (&all[2..], &Value::Null));
    assert!(switch.complains(&["call", "list", "--after", "yesterday"]).contains("start again"));
    let status = switch.ask(&["status"]);
    assert_eq!(status["ready"], true);
    for condition in status["conditions"].as_array().unwrap() {
        assert!(condition["condition"].is_string() && condition["reason"].is_string() && condition["blocks"] == false);
    }
}

#[test]
fn a_step_that_hangs_up_is_told_so_and_who_hung_up_as_well() {
    let office = Office::new().scenario("300", "early", "- hang-up").scenario(
        "301",
        "late",
        "- play-audio: { audio: busy, kind: tone, max: 200ms }\n- hang-up",
    );
    let switch = Plugboard::with_office(&office);
    Sipp::calls(&switch, "early", &Call::new("101", "secret-101", "300").gets(480), Transport::Udp).succeeds();
    Sipp::calls(&switch, "late", &Call::new("101", "secret-101", "301").stays(), Transport::Udp).succeeds();
    let calls = switch.waits_for_past_calls(2);
    let told = |call: &Value| {
        let id = call["id"].as_str().unwrap();
        (switch.succeeds(&["call", "show", id]), switch.succeeds(&["call", "trace", id]))
    };
    let (shown, traced) = told(&calls[1]);
    assert!(shown.contains("outcome    refused: 480 Normal clearing"), "{shown}");
    assert!(
        shown.lines().any(|line| line.starts_with("step") && line.ends_with("hang-up          hung up")),
        "{shown}"
    );
    assert!(
        traced.contains("host   call.hang-up (a caller who was not answered is told 480 Normal clearing)"),
        "{traced}"
    );
    assert!(traced.contains("action   hang-up ends, run 0: it hung up"), "{traced}");
    let (shown, traced) = told(&calls[0]);
    assert!(shown.contains("ended 0.") && shown.contains("s: the call was over"), "{shown}");
    assert!(traced.contains("leg      0 101 ends: the call was over"), "the switch hung up: {traced}");
}

#[test]
fn a_call_that_fails_is_listed_with_its_reason() {
    let switch = Plugboard::with_office(&Office::new());
    Sipp::calls(&switch, "lost", &Call::new("101", "secret-101", "999").gets(404), Transport::Udp).succeeds();
    let id = switch.waits_for_past_calls(1)[0]["id"].as_str().unwrap().to_owned();
    let listed = switch.succeeds(&["call", "list"]);
    assert!(listed.contains("101 User 101 -> 999"), "{listed}");
    assert!(listed.trim_end().ends_with("refused: 404 nobody has this number, and no route takes it"), "{listed}");
    assert!(switch.succeeds(&["call", "trace", &id, "--sip"]).contains("404"), "its messages are kept");
    assert!(switch.log().contains(&id) && switch.log().contains("nobody has this number"), "{}", switch.log());
}

#[test]
fn versions_tell_who_applied_what_and_why_and_trim_what_it_removed() {
    let switch = Plugboard::with_office(&Office::new());
    let file = switch.folder().join("next.yaml");
    fs::write(&file, Office::new().user(101, "calls_at_once: 1").text()).unwrap();
    switch.succeeds(&["apply", "--why", "one call is enough", file.to_str().unwrap()]);
    let listed = switch.succeeds(&["versions"]);
    let lines: Vec<&str> = listed.lines().map(str::trim).collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(
        lines[0].starts_with("2  20") && lines[0].ends_with("UTC  plugboard apply  one call is enough"),
        "{listed}"
    );
    assert!(lines[1].starts_with("1  20") && lines[1].ends_with("plugboard apply"), "{listed}");
    assert_eq!(switch.succeeds(&["versions", "--limit", "1"]).lines().count(), 1);
    let told = switch.ask(&["versions", "main"]);
    assert_eq!(
        (&told["versions"][0]["version"], &told["versions"][0]["why"]),
        (&2.into(), &"one call is enough".into())
    );
    assert!(switch.complains(&["versions", "nowhere"]).contains("no version of an office"));
    let calls_at_once = |text: &str| text.contains("calls_at_once: 1\n");
    let at = |version: &str| calls_at_once(&switch.succeeds(&["export", "--at", version]));
    assert_eq!((at("1"), at("2"), calls_at_once(&switch.succeeds(&["export"]))), (false, true, true));
    let done = switch.succeeds(&["rollback", "1", "--why", "two are better"]);
    assert_eq!(done.trim(), "office main is in force, version 3");
    assert!(!calls_at_once(&switch.succeeds(&["export"])), "what was applied first is in force");
    let listed = switch.succeeds(&["versions", "--limit", "1"]);
    assert!(listed.trim().ends_with("plugboard rollback  back to version 1: two are better"), "{listed}");
    let unknown = switch.complains(&["rollback", "9"]);
    assert!(unknown.contains("office main has no version 9; `plugboard versions main` lists them"), "{unknown}");
    assert_eq!(switch.succeeds(&["trim"]).trim(), "nothing is old enough to be removed");
}

#[test]
fn an_answered_call_is_shown_with_ringing_answer_and_talk() {
    let switch = Plugboard::with_office(&Office::new());
    let id = &answered_call(&switch);
    let shown = switch.succeeds(&["call", "show", id]);
    let line = |word: &str| shown.lines().find(|line| line.starts_with(word)).unwrap_or_else(|| panic!("{shown}"));
    assert!(line("ringing").contains(" UTC, after 0."), "{shown}");
    assert!(line("answered").ends_with(", by 102"), "{shown}");
    assert!(line("duration").contains("of it talking"), "{shown}");
    assert!(line("outcome").contains("answered by 102, talked 0:0"), "{shown}");
    assert!(line("leg 1").contains("rang 0.") && line("leg 1").contains("answered 0."), "{shown}");
    let trace = switch.succeeds(&["call", "trace", id]);
    for words in ["1 102 rings", "1 102 is answered", "leg 0 and leg 1 hear each other", "end      answered"] {
        assert!(trace.contains(words), "{words}: {trace}");
    }
}

#[test]
fn whoever_is_in_a_call_is_not_shown_as_available() {
    let switch = Plugboard::with_office(&Office::new().user(103, "status: do-not-disturb"));
    Sipp::registers(&switch, "102", "secret-102", free_port(1)).succeeds();
    let caller = Sipp::calls(&switch, "caller", &Call::new("101", "secret-101", "*43").stays(), Transport::Udp).start();
    let live = switch.waits_for_live_calls(1)[0]["id"].as_str().unwrap().to_owned();
    let of = |number: &str| {
        let users = switch.ask(&["registrations"])["users"].as_array().unwrap().clone();
        users.iter().find(|user| user["number"] == number).unwrap()["availability"].as_str().unwrap().to_owned()
    };
    assert_eq!(["101", "102", "103", "104"].map(of), ["on-a-call", "available", "do-not-disturb", "offline"]);
    let shown = switch.succeeds(&["registrations"]);
    let ann = shown.lines().find(|line| line.starts_with("101 ")).unwrap();
    assert!(ann.contains("on-a-call") && !ann.contains("available"), "{shown}");
    until("the call to be answered", || caller.messages().contains("ACK sip:").then_some(()));
    switch.succeeds(&["call", "hangup", &live]);
    caller.succeeds();
    until("101 to be free again", || (of("101") == "offline").then_some(()));
}

#[test]
fn the_data_folder_and_the_configuration_are_named_before_and_after_the_words_of_a_command() {
    let switch = Plugboard::with_office(&Office::new());
    let (data, config) = (switch.data().to_str().unwrap(), switch.folder().join("p.toml"));
    fs::write(&config, format!("data = {data:?}\n")).unwrap();
    let config = config.to_str().unwrap();
    let nowhere = [("PLUGBOARD_DATA", "/nowhere")];
    for words in [
        ["--data", data, "--json", "call", "list"],
        ["call", "--data", data, "--json", "list"],
        ["call", "list", "--json", "--data", data],
    ] {
        let output = switch.command_with(&words, &nowhere);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.starts_with(b"{"), "{words:?}");
    }
    for words in [["--config", config, "status"], ["status", "--config", config]] {
        let output = switch.command_without(&words, "PLUGBOARD_DATA");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_call_that_there_never_was_is_a_fault_of_every_command() {
    let switch = Plugboard::with_office(&Office::new());
    let stranger = "main/01M80000000000000000000000";
    for words in [["call", "show"], ["call", "trace"], ["call", "replay"], ["call", "hangup"]] {
        let [first, second] = words;
        let said = switch.complains(&[first, second, stranger]);
        assert!(said.contains(stranger) && said.contains("`plugboard call list`"), "what to do: {words:?} {said}");
        assert!(switch.complains(&[first, second, "nonsense"]).contains("no call id"), "{words:?}");
    }
    for to in [["--to", "102"], ["--with", "main/01M80000000000000000000001"]] {
        let said = switch.complains(&["call", "transfer", stranger, to[0], to[1]]);
        assert!(said.contains(stranger) && said.contains("`plugboard call list`"), "{said}");
    }
    assert!(switch.complains(&["call", "transfer", stranger, "--to", "o n e"]).contains("cannot be dialled"));
    assert!(switch.complains(&["call", "transfer", stranger, "--with", "nonsense"]).contains("no call id"));
}

#[test]
fn without_a_running_switch_a_command_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let switch = Plugboard::with_office(&Office::new());
    let output = switch.command_with(&["call", "list", "--data", folder.path().to_str().unwrap()], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(folder.path().to_str().unwrap()) && said.contains("is it running"), "{said}");
    // For programs the reason is JSON as well, whatever it is.
    let output = switch.command_with(&["--json", "call", "list", "--data", folder.path().to_str().unwrap()], &[]);
    let told: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(told["error"].as_str().unwrap().contains("is it running"), "{told}");
    let told: serde_json::Value = serde_json::from_str(&switch.complains(&["--json", "versions", "nowhere"])).unwrap();
    assert!(told["error"].as_str().unwrap().contains("no version of an office"), "{told}");
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
    let id = answered_call(&switch);
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

#[test]
fn r31_r32_every_action_is_listed_with_what_it_says_of_itself_in_three_languages() {
    let switch = Plugboard::with_office(&Office::new());
    let told = switch.ask(&["plugin", "list"]);
    let plugins: Vec<_> =
        ["actions", "integrations"].iter().flat_map(|kind| told[kind].as_array().unwrap()).cloned().collect();
    let built: Vec<String> = fs::read_dir(built_plugins())
        .unwrap()
        .filter_map(|file| Some(file.unwrap().file_name().to_str()?.strip_suffix(".wasm")?.to_owned()))
        .collect();
    let mut names: Vec<&str> = plugins.iter().map(|plugin| plugin["manifest"]["name"].as_str().unwrap()).collect();
    let mut wanted: Vec<&str> = built.iter().map(String::as_str).collect();
    names.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    for plugin in &plugins {
        let manifest = &plugin["manifest"];
        let name = manifest["name"].as_str().unwrap();
        assert!(manifest["blocking"].is_boolean() && manifest["capabilities"].is_array(), "{name}");
        for language in ["en", "ru", "de"] {
            assert!(manifest["titles"][language].is_string() && manifest["summaries"][language].is_string(), "{name}");
            for outcome in manifest["outcomes"].as_array().unwrap() {
                assert!(outcome["texts"][language].is_string(), "{name} {outcome}");
            }
        }
        for (parameter, schema) in manifest["parameters"]["properties"].as_object().unwrap() {
            assert!(schema["title"].is_string() && schema["description"].is_string(), "{name}.{parameter}");
            for language in ["ru", "de"] {
                assert!(schema["x-texts"][language]["title"].is_string(), "{name}.{parameter} in {language}");
            }
        }
        // The same for people, in a language of theirs.
        let shown = switch.succeeds(&["plugin", "show", name, "--language", "ru"]);
        assert!(shown.contains(manifest["titles"]["ru"].as_str().unwrap()), "{shown}");
        let waits = manifest["kind"] == "action" && manifest["blocking"].as_bool().unwrap();
        assert_eq!(shown.contains("the scenario waits for it"), waits, "{shown}");
    }
    let shown = switch.succeeds(&["plugin", "show", "call-user", "--language", "de"]);
    for line in [
        "parameter target (required): ",
        "outcome answer: ",
        "event ringing",
        "variable answered_by (user) after answer",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    let listed = switch.succeeds(&["plugin", "list", "--language", "ru"]);
    assert_eq!(listed.lines().count(), plugins.len(), "{listed}");
}

#[test]
fn who_rang_and_who_did_not_is_explained_and_the_same_call_is_simulated_at_another_time() {
    let switch = Plugboard::with_office(&Office::new());
    let id = &answered_call(&switch);
    let explained = switch.succeeds(&["call", "explain", id]);
    assert!(explained.contains("answered, and talked for") || explained.contains("answered at once"), "{explained}");
    let complains = switch.complains(&["call", "explain", id, "--user", "nobody"]);
    assert!(complains.contains("\"nobody\" is no user of the office"), "{complains}");
    let of_102: Vec<_> =
        ["102", "user 102"].map(|who| switch.ask(&["call", "explain", id, "--user", who])["people"].clone()).into();
    assert_eq!(of_102[0].as_array().map(Vec::len), Some(1), "{of_102:?}");
    assert_eq!(of_102[0], of_102[1], "by number and by name");
    let of_103 = &switch.ask(&["call", "explain", id, "--user", "103"])["people"];
    let nothing = "was not rung: the call never came to him, nor to a group or a contact of his";
    assert_eq!(of_103[0]["what"], nothing, "nothing is no answer");
    let trace = switch.succeeds(&["call", "trace", id]);
    assert!(trace.lines().next().unwrap().ends_with(" UTC") && !trace.contains("Europe"), "{trace}");
    let simulated = switch.ask(&["simulate", "--like", id, "--at", "2026-12-25T21:00"]);
    let record = &simulated["calls"][0]["record"];
    let was = switch.ask(&["call", "show", id]);
    for what in ["called", "caller", "caller_user"] {
        assert_eq!(record[what], was[what], "{what} of {simulated}");
    }
    assert_eq!(simulated["plan"]["at"], "2026-12-25T21:00");
    assert_eq!(simulated["left"].as_array().map(Vec::len), Some(0), "{simulated}");
    assert_eq!(switch.waits_for_past_calls(1).len(), 1, "nobody was called");
}

#[test]
fn why_a_phone_did_not_ring_is_told_of_everybody_whom_a_step_passed_over() {
    let steps =
        "- call-responsible: { number: \"+4930555\", phones: none }\n- call-group: { group: turns, ring_for: 10s }";
    let lines = "contacts:\n  - { id: carla, name: Carla, numbers: \"+4930555\", responsible: [\"103\", \"106\"] }\n";
    let office = Office::new().scenario("150", "turns", steps).lines(lines).text();
    let office = office.replace(
        "groups:\n",
        "groups:\n  - { id: turns, number: 201, name: Turns, distribution: in-order, members: ['101', '102', '103', '104', '105', '106'] }\n",
    );
    let switch = Plugboard::with_office(&Office::new());
    let file = switch.folder().join("turns.yaml");
    fs::write(&file, office).unwrap();
    switch.succeeds(&["apply", file.to_str().unwrap()]);
    switch.succeeds(&["user", "status", "103", "do-not-disturb"]);
    switch.succeeds(&["user", "set", "104", "--log-out", "turns"]);
    let port = free_port(1);
    Sipp::registers(&switch, "105", "secret-105", port).succeeds();
    let callee = Sipp::answers(&switch, "callee", &Answer::new(), Transport::Udp, port).start();
    Sipp::calls(&switch, "caller", &Call::new("101", "secret-101", "150"), Transport::Udp).succeeds();
    callee.succeeds();
    let id = switch.waits_for_past_calls(1)[0]["id"].as_str().unwrap().to_owned();
    let why = |user: &str| {
        let people = switch.ask(&["call", "explain", &id, "--user", user])["people"].clone();
        let one = |fate: &Value| fate["what"].as_str().unwrap().to_owned();
        people.as_array().unwrap().iter().map(one).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(why("101"), "was not rung: he is the one who called");
    assert_eq!(why("102"), "was not rung: no device of his is registered");
    assert_eq!(
        why("103"),
        "was not rung: do not disturb; was not rung: do not disturb",
        "by one step and by the other"
    );
    assert_eq!(why("104"), "was not rung: logged out of the group Turns");
    assert!(why("105").starts_with("rang for ") && why("105").contains("answered"), "{}", why("105"));
    let first = "was not rung: responsible for Carla, but the step did not come to him";
    let then = "was not rung: in the group Turns, and his turn did not come: somebody else answered";
    assert_eq!(why("106"), format!("{first}; {then}"));
}

#[test]
fn a_draft_is_simulated_and_explored_with_its_faults_told_by_their_places() {
    let switch = Plugboard::with_office(&Office::new());
    let folder = tempfile::tempdir().unwrap();
    let draft = folder.path().join("draft.yaml");
    let office = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/server/demo/office.yaml");
    let office = office.to_str().unwrap();
    let run = |text: &str, more: &[&str]| {
        fs::write(&draft, text).unwrap();
        let words = [&["simulate", draft.to_str().unwrap(), "--file", office, "--from", "101"], more].concat();
        let output = switch.command(&words);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let menu = "scenario: draft\nsteps:\n  - menu: { prompt: welcome, repeats: 0, keys: { \"1\": [ { call-user: { mode: user, target: \"102\" } } ] } }\n  - hang-up\n";
    let (code, out, _) = run(menu, &["--json", "--explore"]);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["steps_never_reached"].as_array().map(Vec::len), Some(0), "{found}");
    assert_eq!(
        (code, found["ways_left"].as_u64(), found["findings"].as_array().map(Vec::len)),
        (Some(0), Some(0), Some(0)),
        "{found}"
    );
    assert!(
        found["calls"].as_u64().unwrap() >= 6,
        "nothing, a key and its three ways, a wrong one, the hanging up: {found}"
    );
    let never = menu.replace("  - hang-up\n", "  - if: \"caller_number == 'nobody'\"\n    then: [ hang-up ]\n");
    let (code, out, _) = run(&never, &["--explore"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("never reached: draft steps[1].then[0]: hang-up"), "{out}");
    let (code, _, told) = run("scenario: draft\nsteps:\n  - call-user: { mode: user, target: \"999\" }\n", &[]);
    assert_eq!(code, Some(1));
    assert!(told.contains("draft.yaml:3:"), "{told}");
    let (code, _, told) = run(menu, &["--office", "main"]);
    assert!(
        code == Some(2) && told.contains("--office"),
        "an office of the switch and a file exclude each other: {told}"
    );
    let (code, out, _) = run(menu, &["--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(told["ran"], json!([{ "scenario": "draft", "by": "named", "route": null, "calls": 1 }]), "{told}");
    let (_, out, _) = run(menu, &[]);
    assert!(out.starts_with("ran the scenario draft, as it was named\n"), "{out}");
    let (code, out, told) = run(menu, &["--to", "100"]);
    assert_eq!((code, out.as_str()), (Some(1), ""), "nothing is told of another scenario in its place");
    assert!(
        told.contains("the scenario draft did not run: 100 leads to the scenario welcome, by the route "),
        "{told}"
    );
    let (code, _, told) = run(menu, &["--to", "102", "--explore"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("102 leads to no scenario: the user ") && told.contains("Leave --to"), "{told}");
    let named = switch.succeeds(&["simulate", "welcome", "--file", office, "--from", "101", "--to", "100"]);
    assert!(named.starts_with("ran the scenario welcome, by the route "), "{named}");
    let direct = switch.succeeds(&["simulate", "--file", office, "--from", "101", "--to", "102"]);
    assert!(direct.starts_with("no scenario ran: the user "), "{direct}");
    let unknown = switch.complains(&["simulate", "welcom", "--file", office, "--from", "101"]);
    assert!(unknown.contains("the office has no scenario \"welcom\"") && unknown.contains("welcome"), "{unknown}");
    let broken = folder.path().join("office.yaml");
    fs::write(&broken, "# one\n\n# two\n\noffice: main\ndomains: [plugboard.test]\nemergency: { confirmed: true }\nusers:\n  - { id: ann, number: 101, pasword: x }\nscenarios:\n  - { scenario: draft, steps: [hang-up] }\n").unwrap();
    for scenario in ["draft", draft.to_str().unwrap()] {
        let told = switch.complains(&["simulate", scenario, "--file", broken.to_str().unwrap(), "--from", "101"]);
        assert!(told.contains("office.yaml:9:") && told.contains("pasword"), "{told}");
        assert!(!told.contains("stage") && !told.contains("5559990001"), "{told}");
    }
    let call = folder.path().join("call.yaml");
    fs::write(&call, "at: 2026-12-25T21:00\n").unwrap();
    let hours = "scenario: draft\nsteps:\n  - when: { days: mon, from: '09:00', to: '10:00', time_zone: UTC }\n    then: [ { say: { text: a } } ]\n    else: [ { say: { text: b } } ]\n";
    let (_, out, _) = run(hours, &["--json", "--explore", "--call", call.to_str().unwrap()]);
    let found: Value = serde_json::from_str(&out).unwrap();
    let (_, out, _) = run(menu, &["--json", "--explore", "--within", "0"]);
    let cut: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&cut["calls"], &cut["time_was_over"]), (&1.into(), &true.into()), "it tells what it has: {cut}");
    let zone = "2026-12-25T21:00:00+";
    let times = found["times"].as_array().unwrap();
    assert!(times.len() == 1 && times[0].as_str().unwrap().starts_with(zone), "the call file says when: {found}");
}

#[test]
fn what_differs_between_versions_and_a_file_is_told_without_secrets() {
    let switch = Plugboard::with_office(&Office::new());
    let file = switch.folder().join("next.yaml");
    let write = |office: Office| fs::write(&file, office.text()).unwrap();
    let path = file.to_str().unwrap();
    write(Office::new().user(101, "calls_at_once: 1"));
    switch.succeeds(&["apply", "--why", "one call is enough", path]);
    let told = switch.succeeds(&["diff"]);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("from version 1, 20") && lines[0].contains("plugboard apply"), "{told}");
    assert!(
        lines[1].starts_with("to   version 2, 20") && lines[1].ends_with("plugboard apply  one call is enough"),
        "{told}"
    );
    assert_eq!(lines[2..], ["+ user 101: calls_at_once: 1"], "{told}");
    let back = switch.ask(&["diff", "main", "2", "1"]);
    assert_eq!(back["changes"][0]["what"], "went", "{back}");
    write(Office::new().user(101, "calls_at_once: 3"));
    let draft = switch.succeeds(&["diff", "--file", path]);
    assert!(draft.contains("from what is in force") && draft.contains("~ user 101: calls_at_once: 1 -> 3"), "{draft}");
    let text = Office::new().user(101, "calls_at_once: 1").text().replace("secret-102", "another-102");
    fs::write(&file, text).unwrap();
    let secret = switch.succeeds(&["diff", "--file", path]);
    assert!(secret.contains("~ user 102: password: (secret) -> (secret)"), "{secret}");
    assert!(!secret.contains("another-102") && !secret.contains("secret-102"), "{secret}");
    assert!(switch.complains(&["diff", "main", "7"]).contains("no version 7"));
    assert!(switch.succeeds(&["diff", "main", "2"]).contains("nothing differs"));
}

#[test]
fn contacts_are_listed_shown_and_found_by_command() {
    let contacts = "contacts:\n  - { id: carla, name: Carla Customer, numbers: [\"+49401234567\"], company: Customer, responsible: [\"101\"], groups: [vip] }\n  - { id: dan, numbers: [\"+4930777\"] }\n  - { id: eve, numbers: [\"+4930778\"] }\n";
    let switch = Plugboard::with_office(&Office::new().lines(contacts));
    let found = switch.ask(&["contact", "find", "0401234567"]);
    assert_eq!(found["contacts"][0]["contact"], "carla", "{found}");
    assert_eq!(found["contacts"][0]["responsible"][0], "101");
    let shown = switch.succeeds(&["contact", "show", "carla"]);
    assert!(shown.contains("Carla Customer") && shown.contains("filed under vip, responsible 101"), "{shown}");
    let list = switch.ask(&["contact", "list", "--limit", "2"]);
    assert_eq!((list["contacts"].as_array().unwrap().len(), &list["next"]), (2, &"dan".into()), "{list}");
    let rest = switch.ask(&["contact", "list", "--after", "dan"]);
    assert_eq!((&rest["contacts"][0]["contact"], &rest["next"]), (&"eve".into(), &Value::Null), "{rest}");
    assert!(switch.complains(&["contact", "find", "0401234568"]).contains("no contact of the office main"));
    assert!(switch.complains(&["contact", "show", "zed"]).contains("there is no contact zed"));
}

#[test]
fn an_office_that_is_not_there_is_told_from_one_where_nothing_is_yet() {
    let switch = Plugboard::with_office(&Office::new());
    for list in
        ["outbox list", "queue list --office", "user list --office", "fax list --office", "recording list --office"]
    {
        let words: Vec<&str> = list.split(' ').collect();
        let of = |office: &'static str| words.iter().copied().chain([office]).collect::<Vec<&str>>();
        let told = switch.complains(&of("nosuch"));
        assert!(told.contains("there is no office \"nosuch\"; name one of these: main"), "{list}: {told}");
        switch.ask(&of("main"));
    }
}
