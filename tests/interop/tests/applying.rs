//! Offices loaded into a running switch, and what is wrong with them.

use plugboard_tests_interop::{Call, Office, Plugboard, Serve, Sipp, Transport, free_port, until};
use std::fs;
use std::time::Duration;

fn caller(switch: &Plugboard, name: &str, called: &str) {
    let call = Call::new("101", "secret-101", called).lasts(Duration::from_millis(100));
    Sipp::calls(switch, name, &call, Transport::Udp).succeeds();
}

#[test]
fn what_is_exported_and_applied_again_is_the_same_office() {
    let office = Office::new().gateway("outside", free_port(1), Transport::Tcp).user(102, "digest: both");
    let office = office.lines("prompts: audio\nmusic: { hold: audio/hold.wav }\nlanguage: de");
    let switch = Plugboard::empty(&[]);
    fs::create_dir(switch.folder().join("audio")).unwrap();
    plugboard_tests_interop::write_tone(&switch.folder().join("audio/hold.wav"), 440.0, 1);
    // In `set`, the order counts: `a` takes what `b` was.
    let steps = "- set: { b: one, a: \"{b}\" }\n- echo: { max: 60s }";
    let office = office.scenario_with("300", "ordered", "variables: { a: text, b: text }", steps);
    switch.apply(&office);
    // The version of the scenario and what it assigns, as a call journals them.
    let ordered = |nth: usize| {
        caller(&switch, &format!("ordered-{nth}"), "300");
        let id = switch.waits_for_past_calls(nth)[0]["id"].as_str().unwrap().to_owned();
        let trace = switch.succeeds(&["call", "trace", &id]);
        let told = trace.lines().filter_map(|line| line.split_once(" s  ").map(|(_, told)| told.to_owned()));
        told.filter(|told| told.starts_with("route") || told.starts_with("set")).collect::<Vec<_>>()
    };
    let before = ordered(1);
    assert!(before.len() == 3 && before[1].contains("b = ") && before[2].contains("a = "), "{before:?}");
    let exported = switch.succeeds(&["export"]);
    assert!(!exported.contains("secret-"), "passwords are left out: {exported}");
    assert!(exported.contains("- set: { b: one, a: \"{b}\" }"), "{exported}");

    // Applied from anywhere: the audio is found all the same.
    let elsewhere = switch.folder().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let file = elsewhere.join("exported.yaml");
    fs::write(&file, &exported).unwrap();
    let output = switch.command(&["apply", file.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    assert_eq!(switch.succeeds(&["export"]), exported);
    assert!(!switch.log().contains("audio is missing"), "{}", switch.log());
    assert_eq!(ordered(2), before);

    // With the secrets, another switch takes it.
    fs::write(&file, switch.succeeds(&["export", "--secrets"])).unwrap();
    let other = Plugboard::empty(&[]);
    other.succeeds(&["apply", file.to_str().unwrap()]);
    caller(&other, "caller", "*43");
}

#[test]
fn a_file_that_says_nothing_new_makes_no_version() {
    let switch = Plugboard::empty(&[]);
    let file = switch.folder().join("office.yaml");
    let file = file.to_str().unwrap();
    let apply = |text: &str| {
        fs::write(file, text).unwrap();
        switch.succeeds(&["apply", file]).trim().to_owned()
    };
    let text = Office::new().lines("prompts: audio").text();
    assert_eq!(apply(&text), "office main is in force, version 1");
    assert_eq!(apply(&text), "office main is unchanged, version 1");
    let exported = switch.succeeds(&["export"]);
    assert_eq!(apply(&exported), "office main is in force, version 2", "its text is another one");
    assert_eq!(apply(&exported), "office main is unchanged, version 2", "though users keep their passwords");
    assert_eq!(apply(&text), "office main is in force, version 3");
    // The audio that it names is read again all the same.
    fs::create_dir(switch.folder().join("audio")).unwrap();
    fs::write(switch.folder().join("audio/broken.wav"), "no audio").unwrap();
    let again = switch.command(&["apply", file]);
    assert_eq!(String::from_utf8_lossy(&again.stdout).trim(), "office main is unchanged, version 3");
    assert!(String::from_utf8_lossy(&again.stderr).contains("broken.wav is not played: "), "{again:?}");
}

#[test]
fn the_only_office_is_meant_whatever_it_is_called_and_of_several_one_has_to_be_named() {
    let switch = Plugboard::empty(&[]);
    let file = switch.folder().join("office.yaml");
    let apply = |name: &str| {
        let text = Office::new().text().replace("office: main", &format!("office: {name}"));
        fs::write(&file, text.replace("plugboard.test", &format!("{name}.test"))).unwrap();
        switch.succeeds(&["apply", file.to_str().unwrap()])
    };
    assert!(switch.complains(&["user", "list"]).contains("load one with `plugboard apply FILE`"));
    apply("north");
    let exported = switch.succeeds(&["export"]);
    assert!(exported.contains("office: north"), "{exported}");
    for words in [&["versions"][..], &["user", "list"], &["call", "list"], &["outbox", "list"], &["fax", "queue"]] {
        switch.succeeds(words);
    }
    let record = &switch.ask(&["simulate", "--from", "101", "--to", "102"])["calls"][0]["record"];
    assert_eq!(record["id"].as_str().unwrap().split('/').next(), Some("north"), "{record}");
    apply("south");
    let told = switch.complains(&["user", "list"]);
    assert!(told.contains("there are several offices: name one with --office: north, south"), "{told}");
    for words in [&["export", "south"][..], &["export", "--office", "south"]] {
        assert!(switch.succeeds(words).contains("office: south"), "{words:?}");
    }
    switch.succeeds(&["diff", "south", "1", "1"]);
    switch.succeeds(&["diff", "--office", "south", "1", "1"]);
}

#[test]
fn r50_a_running_call_goes_on_when_an_office_is_applied_and_the_next_call_takes_the_new_way() {
    let switch = Plugboard::with_office(&Office::new());
    let first = Call::new("101", "secret-101", "*43").stays();
    let running = Sipp::calls(&switch, "running", &first, Transport::Udp).start();
    let id = switch.waits_for_live_calls(1)[0]["id"].clone();
    until("the call to be answered", || running.messages().contains("ACK sip:").then_some(()));
    let none = Call::new("101", "secret-101", "300").gets(404);
    Sipp::calls(&switch, "early", &none, Transport::Udp).succeeds();

    switch.apply(&Office::new().scenario("300", "new", "- echo: { max: 60s }"));
    caller(&switch, "later", "300");
    assert_eq!(switch.live_calls()[0]["id"], id, "the first call goes on");
    switch.succeeds(&["call", "hangup", id.as_str().unwrap()]);
    running.succeeds();
}

#[test]
fn registrations_outlive_an_apply_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut switch = Serve::on(&data).start();
    switch.apply(&Office::new());
    Sipp::registers(&switch, "102", "secret-102", free_port(1)).succeeds();
    switch.apply(&Office::new().user(102, "calls_at_once: 1"));
    switch.waits_for_registration("102", 1);
    switch.terminate();
    assert!(switch.wait().success());
    drop(switch);
    let switch = Serve::on(&data).start();
    switch.waits_for_registration("102", 1);
}

/// Faults of three kinds: the office's own, a reference to nobody, a scenario's.
const FAULTY: &str = "office: main
domains: [plugboard.test]
users:
  - { id: '101', number: 101, name: Ann }
  - { id: '102', number: 102, name: Bob, password: b, digest: sha1 }
groups:
  - { id: sales, number: 200, members: ['102', '199'] }
routes:
  - { id: echo, number: 300, scenario: echo }
  - { id: lost, number: 301, scenario: nowhere }
scenarios:
  - scenario: echo
    steps:
      - echo: { max: for ever }
      - dance: { max: 1s }
";
/// Where they are.
const LINES: [usize; 6] = [4, 5, 7, 10, 14, 15];

#[test]
fn every_fault_of_an_office_is_listed_with_file_line_and_reason_and_nothing_is_loaded() {
    let switch = Plugboard::with_office(&Office::new());
    let before = switch.succeeds(&["export"]);
    let (good, faulty) = (switch.folder().join("good.yaml"), switch.folder().join("faulty.yaml"));
    fs::write(&good, Office::new().user(101, "calls_at_once: 7").text()).unwrap();
    fs::write(&faulty, FAULTY).unwrap();
    let faults = switch.complains(&["apply", good.to_str().unwrap(), faulty.to_str().unwrap()]);
    for line in LINES {
        let place = format!("{}:{line}:", faulty.display());
        assert!(faults.lines().any(|fault| fault.starts_with(&place)), "nothing at {place}\n{faults}");
    }
    assert_eq!(faults.lines().count(), LINES.len(), "{faults}");
    assert_eq!(switch.succeeds(&["export"]), before, "of neither file");

    let output = switch.command(&["check", faulty.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), faults, "check finds the same");
}

#[test]
fn a_scenario_file_is_named_in_its_own_faults() {
    let switch = Plugboard::with_office(&Office::new());
    let before = switch.succeeds(&["export"]);
    let office = switch.folder().join("two-files.yaml");
    let text =
        "office: main\ndomains: [plugboard.test]\nscenarios:\n  - { file: night.yaml }\n  - { file: gone.yaml }\n";
    fs::write(&office, text).unwrap();
    fs::write(switch.folder().join("night.yaml"), "scenario: night\nsteps:\n  - dance: {}\n").unwrap();
    let faults = switch.complains(&["apply", office.to_str().unwrap()]);
    assert!(faults.contains("night.yaml:3:"), "{faults}");
    assert!(faults.contains("two-files.yaml:5:") && faults.contains("gone.yaml"), "{faults}");
    assert_eq!(switch.succeeds(&["export"]), before);
}

#[test]
fn no_number_leads_to_a_scenario_that_another_one_has_to_run() {
    let switch = Plugboard::with_office(&Office::new());
    let file = switch.folder().join("main.yaml");
    let text = |goal: &str| {
        format!(
            "office: main\ndomains: [plugboard.test]\nemergency: {{ confirmed: true }}\nnumbers:\n  - {{ number: 100, scenario: {goal} }}\n\
             scenarios:\n  - scenario: whom\n    variables: {{ agent: {{ type: text, given: true }} }}\n    steps: [{{ say: {{ text: \"{{agent}}\" }} }}]\n  \
             - scenario: front\n    steps: [{{ set: {{ agent: ann }} }}, {{ run: whom }}]\n"
        )
    };
    fs::write(&file, text("whom")).unwrap();
    let told = switch.complains(&["apply", file.to_str().unwrap()]);
    assert!(
        told.contains("main.yaml:7:5: variables: the number 100 leads here, and nobody gives agent a value"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");
    fs::write(&file, text("front")).unwrap();
    switch.succeeds(&["apply", file.to_str().unwrap()]);
}

#[test]
fn a_number_leads_to_no_scenario_that_may_end_in_silence_and_is_told_which_way_that_is() {
    let switch = Plugboard::with_office(&Office::new());
    let file = switch.folder().join("main.yaml");
    let apply = |more: &str| {
        let office = "office: main\ndomains: [plugboard.test]\nemergency: { confirmed: true }\nnumbers:\n  - { number: 100, scenario: front }\n";
        let steps = "[{ if: \"caller_number == '1'\", then: [{ say: { text: Hello } }] }";
        fs::write(&file, format!("{office}scenarios:\n  - scenario: front\n    steps: {steps}{more}]\n")).unwrap();
        file.to_str().unwrap()
    };
    let told = switch.complains(&["apply", apply("")]);
    assert!(told.contains("main.yaml:8:13: steps[0]: a call may end in silence"), "{told}");
    assert!(told.contains("(steps[0]: else)"), "{told}");
    switch.succeeds(&["apply", apply(", hang-up")]);
    let text = fs::read_to_string(&file).unwrap();
    let part = "  - scenario: part\n    steps: [ { if: \"caller_number == '1'\", then: [ hang-up ] } ]\n";
    fs::write(&file, text.replace("hang-up]", "{ run: part }]") + part).unwrap();
    let told = switch.complains(&["apply", file.to_str().unwrap()]);
    assert!(
        told.contains("main.yaml:8:")
            && told.contains(": steps[1]: a call")
            && told.contains("steps[1].part.steps[0]: else"),
        "{told}"
    );
}

#[test]
fn a_scenario_is_not_applied_alone_and_its_author_is_told_what_to_do() {
    let switch = Plugboard::with_office(&Office::new());
    let file = switch.folder().join("night.yaml");
    fs::write(&file, "scenario: night\nsteps: [dance]\n").unwrap();
    let told = switch.complains(&["apply", file.to_str().unwrap()]);
    assert!(told.contains("this is a scenario, an office is wanted"), "{told}");
    assert!(told.contains("scenarios: [{ file: night.yaml }]") && told.lines().count() == 1, "{told}");
}

#[test]
fn phones_that_name_the_switchs_address_are_thought_of_when_a_second_office_comes() {
    let switch = Plugboard::with_office(&Office::new());
    let other = switch.folder().join("other.yaml");
    fs::write(&other, "office: other\ndomains: [other.test]\nemergency: { confirmed: true }\n").unwrap();
    let apply = || {
        let output = switch.command(&["apply", other.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let told = apply();
    assert!(told.contains("office main is not the only one any more"), "{told}");
    assert!(told.contains("`domains: [plugboard.test, 192.0.2.10]`"), "the cure: {told}");
    assert_eq!(apply(), "", "it is told once");

    let switch = Plugboard::empty(&[]);
    let text = Office::new().text().replace("[plugboard.test]", "[plugboard.test, 127.0.0.1]");
    let file = switch.folder().join("main.yaml");
    fs::write(&file, text).unwrap();
    switch.succeeds(&["apply", file.to_str().unwrap()]);
    let output = switch.command(&["apply", other.to_str().unwrap()]);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    caller(&switch, "by-address", "*43");
}

#[test]
fn of_two_good_files_and_a_third_with_a_faulty_scenario_none_is_loaded() {
    let switch = Plugboard::with_office(&Office::new());
    let file = |name: &str, text: String| {
        let path = switch.folder().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let one = file("one.yaml", "office: one\ndomains: [one.test]\n".into());
    let two = file("two.yaml", "office: two\ndomains: [two.test]\n".into());
    let steps = "office: three\ndomains: [three.test]\nscenarios:\n  - { scenario: a, steps: [ { dance: {} } ] }\n";
    let three = file("three.yaml", steps.into());
    assert!(switch.complains(&["apply", &one, &two, &three]).contains("three.yaml:4:"));
    for office in ["one", "two", "three"] {
        assert!(switch.complains(&["export", office]).contains("no office"), "{office}");
        let listed = switch.complains(&["call", "list", "--office", office]);
        assert!(listed.contains("no office") && listed.contains("name one of these: main"), "{office}: {listed}");
    }
    switch.succeeds(&["apply", &one, &two]);
    switch.succeeds(&["export", "one"]);
    switch.succeeds(&["export", "two"]);
}

const FAULTY_CONFIGURATION: &str = "threads = \"many\"
drain = \"2\"
colour = \"red\"

[sip]
udp = [\"nowhere\"]

[media]
ports = \"10\"
";

#[test]
fn every_fault_of_a_configuration_is_listed_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faulty.toml");
    fs::write(&file, FAULTY_CONFIGURATION).unwrap();
    let (code, said) = Serve::plainly(&folder.path().join("data")).with(["--config", file.to_str().unwrap()]).fails();
    assert_eq!(code, Some(1), "{said}");
    for line in [1, 2, 3, 6, 9] {
        let place = format!("{}:{line}:", file.display());
        assert!(said.lines().any(|fault| fault.starts_with(&place)), "nothing at {place}\n{said}");
    }
    assert_eq!(said.lines().count(), 5, "{said}");
    assert!(!folder.path().join("data").exists(), "nothing was begun");
}
