//! Memory of a run that waits in `collect-digits`: with its instance, to reach 40 KB, and put away, to reach 4 KB.
//!
//! `cargo bench -p plugboard-benches --bench suspended`. It needs the actions (`cargo plugins`), beside the folder of the program or where
//! `PLUGBOARD_PLUGINS` says.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a bench says why it cannot go on, and tells its figures"
)]

#[path = "../core/plugin/tests/support/mod.rs"]
mod support;

use plugboard_model::{HostCall, HostResult};
use plugboard_plugin::{
    Catalogue, Clock, ComponentId, Limits, Metering, PluginEngine, PoolSize, RunEvent, RunSpec, Runner, RunnerLimits,
};
use std::path::PathBuf;
use std::sync::Arc;
use support::{key, spec};

/// Runs before those that are counted: the first ones fill what is there once for all.
const FIRST: u32 = 50;
/// Runs that wait with an instance: with those before, as many as a switch lets.
const SUSPENDED: u32 = 350;
/// Runs that wait without one.
const PUT_AWAY: u32 = 7_000;

fn main() {
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.ancestors().nth(3)?.join("plugins")));
    let folder = std::env::var_os("PLUGBOARD_PLUGINS").map(PathBuf::from).or(beside).expect("a folder of actions");
    let file = folder.join("collect-digits.wasm");
    let wasm = std::fs::read(&file).unwrap_or_else(|fault| panic!("{}: {fault}; run `cargo plugins`", file.display()));
    let engine = PluginEngine::new(Metering::Epoch, PoolSize::default()).expect("an engine");
    let catalogue = Arc::new(Catalogue::new(engine, None));
    let component = catalogue.install(&wasm).expect("an action").id();
    let stays = Limits { put_away_after_ms: u32::MAX, ..Limits::default() };
    let each = waiting(&catalogue, component, stays, SUSPENDED);
    println!("a run that waits in collect-digits: {:.1} KB", each / 1_024.0);
    let leaves = Limits { put_away_after_ms: 0, ..Limits::default() };
    let each = waiting(&catalogue, component, leaves, PUT_AWAY);
    println!("the same, put away: {:.1} KB", each / 1_024.0);
}

/// Bytes of each of so many runs.
fn waiting(catalogue: &Arc<Catalogue>, component: ComponentId, limits: Limits, runs: u32) -> f64 {
    let mut runner = Runner::new(Arc::clone(catalogue), Clock::system(), RunnerLimits::default());
    let begin = |runner: &mut Runner, from: u32, to: u32| {
        for n in from..to {
            let spec = RunSpec { key: key(n), limits, ..spec(component) };
            runner.start(spec).expect("a place");
            wait(runner);
        }
    };
    begin(&mut runner, 0, FIRST);
    let before = resident();
    begin(&mut runner, FIRST, FIRST + runs);
    let grown = resident().saturating_sub(before);
    assert_eq!(runner.runs(), usize::try_from(FIRST + runs).unwrap(), "all of them wait");
    f64::from(u32::try_from(grown).unwrap()) / f64::from(runs)
}

/// Until it waits for digits.
fn wait(runner: &mut Runner) {
    let mut waits = false;
    while !waits {
        while let Some(event) = runner.poll_event() {
            match event {
                RunEvent::HostCall { call: HostCall::Collect(_), .. } => waits = true,
                RunEvent::HostCall { key, n, call: HostCall::Answer } => {
                    runner.resume(&key, n, HostResult::Done(Ok(())));
                }
                RunEvent::HostCall { call, .. } => panic!("{call:?}"),
                RunEvent::Ended { end, .. } => panic!("{end:?}"),
                RunEvent::Journal { .. } => {}
            }
        }
        assert!(waits || runner.work(), "it stands still");
    }
    // Whatever is due to be put away is put away now.
    while runner.work() {}
}

/// Memory of this process that is in use and its own, in bytes: pages of an action's image that a run only reads are the same
/// ones for all of them, and the kernel counts them as resident once for each.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("the kernel tells it");
    let pages = |field| statm.split(' ').nth(field).and_then(|text| text.parse::<usize>().ok()).expect("a number");
    (pages(1) - pages(2)) * 4_096
}
