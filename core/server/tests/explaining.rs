//! `plugboard route explain` of a file: which routes are looked at, and what would happen.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const OFFICE: &str = "office: main
domains: [a.test]
time_zone: Europe/Berlin
emergency: { confirmed: true }
calendars:
  - { id: hours, open: [{ days: [mon-fri], from: \"09:00\", to: \"18:00\" }], holidays: [{ on: 12-25, name: Christmas }] }
users: [{ id: ann, number: 101, password: x }, { id: bob, number: 102, password: x }]
groups: [{ id: sales, number: 200, members: [bob] }]
gateways: [{ id: outside, address: \"192.0.2.1:5060\" }]
routes:
  - { id: closed, number: 200, priority: 5, if: { not: { time: hours } }, refuse: 480 }
  - { id: line, prefix: 0, gateway: outside, strip: 1 }
  - { id: blind, from: gateways, any: true, if: { anonymous: true }, refuse: 433, priority: 5 }
  - { id: in, from: gateways, any: true, group: sales }
";

/// A folder with an office.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("plugboard-explain-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("office.yaml"), OFFICE).unwrap();
        Self(folder)
    }

    fn explain(&self, words: &str) -> (String, String, Option<i32>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plugboard"));
        command.current_dir(&self.0).args(["route", "explain", "--file", "office.yaml"]).args(words.split(' '));
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr), output.status.code())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_if_it_were_a_holiday_is_told_before_it_is_one() {
    let desk = Desk::new("holiday");
    let (holiday, _, _) = desk.explain("--from 101 --to 200 --at 2026-12-25T11:00");
    assert_eq!(
        holiday,
        "101 calls 200, fri 2026-12-25 11:00 Europe/Berlin\n  + the route closed\n    the internal number of the group sales: \
         after one that was taken\n    3 more are for other calls\n    (the first whose conditions hold is taken)\nso it is \
         refused with 480: the route closed refuses\n"
    );
    let (working, _, _) = desk.explain("--from ann --to 200 --at 2026-12-24T11:00");
    assert_eq!(
        working,
        "ann calls 200, thu 2026-12-24 11:00 Europe/Berlin\n  - the route closed: not time: it is thu 2026-12-24 11:00 \
         Europe/Berlin\n  + the internal number of the group sales\n    3 more are for other calls\nso the members of the \
         group sales ring\n"
    );
}

#[test]
fn an_explanation_is_an_object_for_programs() {
    let desk = Desk::new("object");
    let (told, _, code) =
        desk.explain("--from outside --to 4711 --caller +4930123 --at 2026-12-24T11:00:00+01:00 --json");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(code, Some(0));
    assert_eq!((&told["then"]["kind"], &told["then"]["group"]), (&"group".into(), &"sales".into()));
    let verdicts: Vec<(&str, &str)> = told["looked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["route"].as_str().unwrap(), one["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(verdicts, [("closed", "other"), ("line", "other"), ("blind", "failed"), ("in", "taken")]);
    let (told, _, _) = desk.explain("--from outside --to 4711 --json");
    assert!(told.contains("\"status\":433") || told.contains("\"status\": 433"), "{told}");
}

#[test]
fn what_cannot_be_thought_of_is_told() {
    let desk = Desk::new("wrong");
    for (words, expected) in [
        ("--from 999 --to 1", "999 is no user and no gateway of the office main; its gateways: outside"),
        ("--from 101 --to 1 --at yesterday", "\"yesterday\" is no time; write it as 2026-12-25T21:00"),
        ("--from 101 --to 1 --caller 5", "101 is a user, who shows his own number: --caller is for gateways"),
        ("--from 101 --to !", "'!' cannot be dialled"),
    ] {
        let (_, told, code) = desk.explain(words);
        assert!(told.contains(expected), "{words}: {told}");
        assert_eq!(code, Some(1));
    }
}
