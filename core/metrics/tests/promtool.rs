//! The rendered text against the checker that Prometheus ships, with every event emitted once.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper of a test fails the test")]

use plugboard_metrics::{
    CallAnswered, CallBegan, CallEnded, CallPutOff, DatagramsDropped, Flow, GuesserSilenced, KeptKind, LegBegan,
    LegEnded, LoginFailed, LoginFault, MessageDropped, Method, Metrics, PluginCalledHost, PluginPutAway,
    PluginRunEnded, PluginsSuspended, PortsExhausted, PortsInUse, ProcessStarted, Queue, RefusalReason,
    RegistrationAnswered, RegistrationOutcome, RegistrationsHeld, RequestLimited, RequestsOf, RtpDropReason,
    RtpDropped, RtpRelayed, RunOutcome, SipFault, SipFaultKind, SipMessage, SipRequest, SipResponse, StoreCommitted,
    StoreDegraded, StoreLost, StoreQueued, StoreTrimmed, TransactionsHeld, Transport,
};
use plugboard_model::{CallId, CallOutcome, Cause, Direction, HostCall, LegId, OfficeId, RunId, Time, WallTime};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn promtool_accepts_the_text() {
    let metrics = Metrics::new();
    emit_everything(&metrics);
    let mut promtool = Command::new(promtool())
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    promtool.stdin.take().unwrap().write_all(metrics.render().as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let complaints = [said.stdout, said.stderr].concat();
    assert!(said.status.success() && complaints.is_empty(), "promtool: {}", String::from_utf8_lossy(&complaints));
}

#[test]
fn no_number_and_no_call_id_reaches_the_text() {
    let metrics = Metrics::new();
    emit_everything(&metrics);
    let text = metrics.render();
    for secret in ["+493012345", "4711", "ann.smith", "192.0.2.9", &call().ulid_text()] {
        assert!(!text.contains(secret), "{secret} became a label");
    }
}

#[test]
fn what_was_removed_is_counted_by_its_kind_and_no_gateway_is_said_to_be_up() {
    let metrics = Metrics::new();
    emit_everything(&metrics);
    let text = metrics.render();
    assert!(text.contains("plugboard_store_trimmed_calls_total{kind=\"sip_trace\"} 3\n"), "{text}");
    assert!(!text.contains("gateway_up"), "nobody asks gateways yet: {text}");
}

fn call() -> CallId {
    CallId::new(OfficeId::new("main").unwrap(), WallTime(1_795_000_000_123), 42)
}

fn emit_everything(metrics: &Metrics) {
    let call = &call();
    let (leg, run, second) = (LegId(1), RunId(0), Duration::from_secs(1));
    ProcessStarted { version: "0.1.0", at: WallTime(1_795_000_000_000) }.emit(metrics);
    CallBegan { call, caller: "+493012345", called: "4711" }.emit(metrics);
    LegBegan { call, leg }.emit(metrics);
    CallAnswered { call, leg, after: second }.emit(metrics);
    LegEnded { call, leg, cause: &Cause::normal() }.emit(metrics);
    CallEnded { call, direction: Direction::Inbound, outcome: &CallOutcome::Answered, after: second }.emit(metrics);
    let source = SocketAddr::from(([192, 0, 2, 9], 5060));
    CallPutOff { reason: RefusalReason::Draining, status: 503, source }.emit(metrics);
    LoginFailed { fault: LoginFault::WrongPassword, at: Time::ZERO, source, user: "ann.smith" }.emit(metrics);
    DatagramsDropped { datagrams: 3 }.emit(metrics);
    GuesserSilenced { source, seconds: 60 }.emit(metrics);
    RequestLimited { of: RequestsOf::Source, at: Time::ZERO, source, user: None }.emit(metrics);
    let (flow, transport) = (Flow::Out, Transport::Udp);
    SipMessage { flow, transport, kind: SipRequest(Method::Invite).into() }.emit(metrics);
    SipMessage { flow, transport, kind: SipResponse { method: Method::Bye, status: 200 }.into() }.emit(metrics);
    let (kind, reason) = (SipFaultKind::Malformed, "no start line");
    SipFault { kind, at: Time::ZERO, transport, source, method: None, status: None, leg: None, reason }.emit(metrics);
    RegistrationAnswered { outcome: RegistrationOutcome::Accepted, user: "ann.smith" }.emit(metrics);
    RegistrationsHeld { before: 0, now: 6 }.emit(metrics);
    TransactionsHeld { before: 0, now: 2 }.emit(metrics);
    RtpRelayed { packets: 50, bytes: 8600 }.emit(metrics);
    RtpDropped { reason: RtpDropReason::Stranger, packets: 1 }.emit(metrics);
    PortsInUse(4).emit(metrics);
    PortsExhausted { call, leg }.emit(metrics);
    let action = &metrics.action("play-audio", "0.1.0");
    PluginRunEnded { call, run, action, outcome: RunOutcome::Finished, reason: None, took: second }.emit(metrics);
    PluginCalledHost { call, run, host_call: &HostCall::Answer }.emit(metrics);
    PluginPutAway { call, run }.emit(metrics);
    PluginsSuspended(1).emit(metrics);
    StoreCommitted { took: Duration::from_millis(3), writes: 5 }.emit(metrics);
    StoreQueued(3).emit(metrics);
    StoreDegraded { reason: "No space left on device" }.emit(metrics);
    StoreLost { journal: 17, records: 1, told: Some((17, 1)) }.emit(metrics);
    StoreTrimmed { office: &call.office, kind: KeptKind::SipTrace, calls: 3 }.emit(metrics);
    MessageDropped { queue: Queue::Subscriber }.emit(metrics);
}

/// The first `promtool` in `$PLUGBOARD_TOOLS/bin` and on the PATH.
fn promtool() -> PathBuf {
    let tools = std::env::var_os("PLUGBOARD_TOOLS").map(|tools| PathBuf::from(tools).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = tools.into_iter().chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join("promtool")).find(|file| file.is_file()).expect(
        "promtool is missing: run `cargo verify`, or install Debian's package prometheus, \
         or set PLUGBOARD_TOOLS to a folder whose bin/ holds it",
    )
}
