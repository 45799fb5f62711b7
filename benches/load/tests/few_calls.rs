//! `cargo load` with a few calls: it starts the switch, registers its users, and every figure that is asked for is there. What the
//! figures say is for `benches/README.md`.

use plugboard_tests_interop::{Kamailio, built_plugins, free_port};
use serde_json::Value;
use std::process::Command;

#[test]
fn a_few_calls_are_measured_beside_a_bare_relay() {
    let folder = tempfile::tempdir().unwrap();
    let (callers, phones) = (free_port(2).to_string(), free_port(1).to_string());
    let mut load = Command::new(env!("CARGO_BIN_EXE_plugboard-load"));
    // Other tests of the machine may be anywhere: it is not tied to a core.
    load.args(["--json", "--no-pin", "--only", "start,calls,setup,relay", "--callers", &callers, "--phones", &phones]);
    load.args(["--calls", "20", "--rate", "10", "--relay-calls", "4", "--relay-seconds", "1"]);
    load.arg("--plugins").arg(built_plugins()).arg("--folder").arg(folder.path());
    let output = load.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let figures = |key: &str, whose: &str| -> Vec<f64> {
        rows.iter().filter(|row| row["key"] == key).filter_map(|row| row[whose].as_f64()).collect()
    };
    // Set-up is measured until it rings and until it is answered.
    for (key, many, is_beside) in [
        ("start_ms", 1, false),
        ("cpu_ms_per_call", 1, false),
        ("setup_ms_p50", 2, true),
        ("setup_ms_p99", 2, true),
        ("relay_cpu_ms", 1, true),
        ("relay_ms_p50", 1, true),
        ("relay_ms_p99", 1, true),
    ] {
        let (switch, bare) = (figures(key, "switch"), figures(key, "bare"));
        // The kernel counts a process's time in hundredths of a second: a few calls may take none.
        let least = if key.contains("cpu") { 0.0 } else { f64::MIN_POSITIVE };
        assert!(switch.len() == many && switch.iter().all(|figure| *figure >= least), "{key}: {report}");
        assert_eq!(bare.len(), if is_beside { many } else { 0 }, "{key}: {report}");
    }
    let relayed = rows.iter().find(|row| row["key"] == "relay_cpu_ms").unwrap();
    assert!(relayed["note"].as_str().unwrap().contains(" packets lost"), "{relayed}");
}

#[test]
fn a_switch_of_others_is_measured_by_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let (callers, phones) = (free_port(2).to_string(), free_port(1));
    let kamailio = Kamailio::proxy(phones);
    let mut load = Command::new(env!("CARGO_BIN_EXE_plugboard-load"));
    load.args(["--json", "--no-pin", "--only", "calls,setup", "--calls", "20", "--rate", "10"]);
    load.args(["--target", &kamailio.address().to_string(), "--pid", &kamailio.pid().to_string(), "--number", "100"]);
    load.args(["--callers", &callers, "--phones", &phones.to_string()]).arg("--folder").arg(folder.path());
    let output = load.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["about"]["target"], kamailio.address().to_string());
    for (key, many) in [("cpu_ms_per_call", 1), ("setup_ms_p50", 2)] {
        let rows = report["rows"].as_array().unwrap().iter();
        let figures = rows.filter(|row| row["key"] == key && row["switch"].is_number()).count();
        assert_eq!(figures, many, "{key}: {report}");
    }
    assert_eq!(kamailio.log().matches("ERROR").count(), 0, "{}", kamailio.log());
    kamailio.stops();
}
