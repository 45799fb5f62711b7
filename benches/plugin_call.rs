//! Start, run and drop of one action, as the plugin threads do it: to reach 60 us p50.
//!
//! `cargo bench -p plugboard-benches --bench plugin_call`. The component of `PLUGBOARD_BENCH_ACTION`, a file, is
//! measured too when it is set; the guest is that of the plugin host's tests, made with `wat`, `wit_component` and
//! `wit_parser`; its host calls are answered with an error, so that it ends at once.

#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a bench looks at the one thing that it is about, says why it cannot go on, and stops"
)]

#[path = "../core/plugin/tests/support/mod.rs"]
mod support;

use criterion::{BatchSize, Criterion};
use plugboard_model::{
    CallError, CallEvent, DatabaseError, FaxError, HostCall, HostResult, HttpError, MailboxError, NotConnected,
    NotJoined, QueueError, RecordError, RunEnd,
};
use plugboard_plugin::{
    Catalogue, Clock, ComponentId, Limits, Metering, PluginEngine, PoolSize, RunEvent, RunSpec, Runner, RunnerLimits,
};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use support::{GET_INFO, NEXT_EVENT, RETURN_DONE, guest, spec};

/// Runs whose times give the p50 and p99 that are printed.
const SAMPLES: usize = 20_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let engine = PluginEngine::new(Metering::Epoch, PoolSize::default()).expect("an engine");
    let catalogue = Arc::new(Catalogue::new(engine, None));
    let asks = format!("(call $get_info (i32.const 256)) {RETURN_DONE}");
    let install = |wasm: &[u8]| catalogue.install(wasm).expect("an action").id();
    let plain = install(&guest("plain", GET_INFO, "", &asks));
    let waits = format!("(call $next_event (i32.const 0) (i32.const 256)) {RETURN_DONE}");
    let waits = install(&guest("waits", NEXT_EVENT, "", &waits));
    measure(&mut criterion, &catalogue, "start, get-info, end", plain, Limits::default());
    measure(&mut criterion, &catalogue, "start, wait, end", waits, Limits::default());
    let at_once = Limits { put_away_after_ms: 0, ..Limits::default() };
    measure(&mut criterion, &catalogue, "start, put away, rebuild, end", waits, at_once);
    if let Some(file) = std::env::var_os("PLUGBOARD_BENCH_ACTION") {
        let wasm = std::fs::read(&file).expect("PLUGBOARD_BENCH_ACTION names a readable file");
        measure(&mut criterion, &catalogue, "start to end of the given action", install(&wasm), Limits::default());
    }
    criterion.final_summary();
}

fn measure(criterion: &mut Criterion, catalogue: &Arc<Catalogue>, name: &str, component: ComponentId, limits: Limits) {
    let mut runner = Runner::new(Arc::clone(catalogue), Clock::system(), RunnerLimits::default());
    let spec = RunSpec { limits, ..spec(component) };
    let run = |runner: &mut Runner, spec: RunSpec| {
        runner.start(spec).expect("a place");
        while let Some(event) = runner.poll_event() {
            match event {
                RunEvent::HostCall { key, n, call } => {
                    // Whatever is due to be put away is put away before the answer comes.
                    while runner.work() {}
                    runner.resume(&key, n, answer(&call));
                }
                RunEvent::Ended { end, .. } => assert!(!matches!(end, RunEnd::Limit { .. }), "{end:?}"),
                RunEvent::Journal { .. } => {}
            }
        }
    };
    let clock = Clock::system();
    let mut took: Vec<Duration> = (0..SAMPLES)
        .map(|_| {
            let spec = spec.clone();
            let began = clock.now();
            run(&mut runner, spec);
            clock.now().since(began)
        })
        .collect();
    took.sort_unstable();
    let at = |percent: usize| took.get(SAMPLES * percent / 100).copied().unwrap_or_default();
    #[expect(clippy::print_stdout, reason = "a bench tells its figures")]
    {
        println!("{name}: p50 {:?}, p99 {:?}", at(50), at(99));
    }
    criterion.bench_function(name, |bencher| {
        bencher.iter_batched(|| spec.clone(), |spec| run(black_box(&mut runner), spec), BatchSize::SmallInput);
    });
}

/// An answer after which an action has nothing more to wait for.
fn answer(call: &HostCall) -> HostResult {
    match call {
        HostCall::NextEvent { .. } => HostResult::Event(Ok(CallEvent::Timeout)),
        HostCall::Play { .. } => HostResult::Played(Err(CallError::CallerGone)),
        HostCall::Collect(_) => HostResult::Collected(Err(CallError::CallerGone)),
        HostCall::JoinConference(_) => HostResult::Conferred(Err(NotJoined::CallerGone)),
        HostCall::Ring(_) => HostResult::Rang(Err(NotConnected::CallerGone)),
        HostCall::FindUser(_) => HostResult::User(None),
        HostCall::FindGroup(_) => HostResult::Group(None),
        HostCall::Park { .. } => HostResult::Parked(Ok(plugboard_model::ParkEnd::TimeOver)),
        HostCall::FindContact(_) | HostCall::GetContact(_) => HostResult::Contact(None),
        HostCall::Query(_) => HostResult::Queried(Err(DatabaseError::Busy)),
        HostCall::GetVariable(_) => HostResult::Value(None),
        HostCall::SetVariable { .. } => HostResult::Set(Ok(())),
        HostCall::Answer | HostCall::Echo { .. } | HostCall::HangUp(_) => HostResult::Done(Err(CallError::CallerGone)),
        HostCall::Record(_) => HostResult::Recorded(Err(RecordError::CallerGone)),
        HostCall::LeaveMessage(_) => HostResult::MessageLeft(Err(MailboxError::CallerGone)),
        HostCall::OpenMailbox(_) => HostResult::MailboxClosed(Err(MailboxError::CallerGone)),
        HostCall::Wait(_) => HostResult::Waited(Err(QueueError::CallerGone)),
        HostCall::FindMembers { .. } => HostResult::Members(None),
        HostCall::LastTalk { .. } => HostResult::Talked(Ok(None)),
        HostCall::SendMail(_) | HostCall::SendText(_) | HostCall::PostLater(_) => {
            HostResult::Noticed(Ok("notice".into()))
        }
        HostCall::Http(_) => HostResult::Responded(Err(HttpError::TimeOver)),
        HostCall::ReceiveFax(_) => HostResult::Faxed(Err(FaxError::CallerGone)),
        HostCall::GetInfo
        | HostCall::Log { .. }
        | HostCall::Now
        | HostCall::RandomBytes(_)
        | HostCall::RandomBelow(_) => unreachable!("the host answers {} by itself", call.interface()),
    }
}
