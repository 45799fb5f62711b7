//! A real Prometheus reads the metrics of the running switch.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "a test stops at the first surprise"
)]

use plugboard_tests_interop::{Call, Office, Plugboard, Program, Sipp, Transport, free_port, page, tool, until};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

/// A Prometheus that reads this switch every second.
fn prometheus(switch: &Plugboard) -> (Program, SocketAddr) {
    let folder = switch.folder().join("prometheus");
    fs::create_dir_all(&folder).unwrap();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port(1)));
    let config = format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs:\n  - job_name: plugboard\n    static_configs:\n      - targets: ['{}']\n",
        switch.http()
    );
    fs::write(folder.join("prometheus.yml"), config).unwrap();
    let mut command = Command::new(tool("prometheus"));
    command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
    command.arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()));
    command.arg(format!("--web.listen-address={listen}")).stdin(Stdio::null());
    (Program::start(command, &folder, "prometheus"), listen)
}

/// The sum of an expression's samples.
fn ask(server: SocketAddr, expression: &str) -> Option<f64> {
    let (status, text) = page(server, &format!("/api/v1/query?query={expression}"), "");
    if status == 503 {
        // Not ready yet.
        return None;
    }
    assert_eq!(status, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    let samples = answer["data"]["result"].as_array().unwrap();
    let values = samples.iter().map(|sample| sample["value"][1].as_str().unwrap().parse::<f64>().unwrap());
    (!samples.is_empty()).then(|| values.sum())
}

#[test]
fn a_real_prometheus_sees_the_switch_up_and_its_calls_counted() {
    let switch = Plugboard::with_office(&Office::new());
    let (_prometheus, server) = prometheus(&switch);
    until("Prometheus to answer", || std::net::TcpStream::connect(server).ok());
    until("Prometheus to see the switch", || ask(server, "up").filter(|up| *up == 1.0));
    let before = ask(server, "sum(plugboard_calls_total)").unwrap_or(0.0);
    for caller in ["first", "second"] {
        Sipp::calls(&switch, caller, &Call::new("101", "secret-101", "*43"), Transport::Udp).succeeds();
    }
    until("Prometheus to count the calls", || {
        ask(server, "sum(plugboard_calls_total)").filter(|calls| *calls == before + 2.0)
    });
    until("Prometheus to count the runs, which the callers cut off", || {
        ask(server, "sum(plugboard_plugin_runs_total)").filter(|runs| *runs == 2.0)
    });
    assert_eq!(ask(server, "plugboard_calls_active"), Some(0.0));
}

#[test]
fn promtool_finds_no_fault_with_the_page_of_a_switch_that_had_calls() {
    let switch = Plugboard::with_office(&Office::new());
    Sipp::calls(&switch, "caller", &Call::new("101", "secret-101", "*43"), Transport::Udp).succeeds();
    switch.waits_for_past_calls(1);
    let (_, text) = switch.page("/metrics");
    assert!(text.contains("plugboard_calls_total{"), "{text}");
    let mut promtool = Command::new(tool("promtool"));
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    // A label that grew with people or calls would fill a real Prometheus.
    let labels: String = text.lines().filter_map(|line| Some(line.split_once('{')?.1.rsplit_once('}')?.0)).collect();
    assert!(!labels.contains("101") && !labels.contains("*43"), "numbers are no labels: {labels}");
}
