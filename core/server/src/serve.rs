//! `plugboard serve`.

mod answer;
mod contacts;
mod faxes;
mod listen;
mod offices;
mod outbox;
mod people;
mod plugins;
mod workshop;

pub(crate) use answer::{RECORDS_MAX, in_doubt};
pub(crate) use contacts::CONTACTS_MAX;
pub(crate) use listen::pause;

use plugboard_metrics::{Metrics, ProcessStarted, Readiness};
use plugboard_model::Cause;
use plugboard_store::{DataFolder, Kind, Place, Store};
use plugboard_switch::{Manners, Network, Random, Reach, SystemRandom, Tls};
use serde_json::json;
use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::boot::{self, Running};
use crate::cli::{Home, Serve};
use crate::config::{Config, PORTS_FORM, Sip, TOKEN_NEEDED, read_ports};
use crate::house::{Absent, in_words};
use crate::leave::leave;
use crate::shelf::Shelf;
use crate::{catalogue, demo, keep, output};

/// How often a drain looks whether calls are left.
const DRAIN_LOOK: Duration = Duration::from_millis(200);
/// What a call that the drain's limit ends is told.
const SHUTDOWN: u16 = 503;

/// Why serving could not begin, with its exit code.
struct Start {
    code: u8,
    faults: Vec<String>,
}

impl Start {
    fn new(code: u8, fault: impl Into<String>) -> Self {
        Self { code, faults: vec![fault.into()] }
    }
}

/// Serves until SIGTERM or SIGINT, and ends the process.
pub(crate) fn serve(wish: &Serve, home: &Home, json: bool) -> ! {
    match prepare(wish, home).and_then(|(config, data)| run(wish, config, &data, json)) {
        Ok(()) => leave(0),
        Err(start) => {
            start.faults.iter().for_each(output::fault);
            leave(start.code)
        }
    }
}

/// The configuration with the wishes of the command line in it.
fn prepare(wish: &Serve, home: &Home) -> Result<(Config, PathBuf), Start> {
    // The demo works at once, whatever the machine's own switch is told.
    let read = if wish.demo && home.config.is_none() { Ok(Config::default()) } else { home.config() };
    let mut config = read.map_err(|faults| Start { code: 1, faults: in_words(faults) })?;
    if wish.demo && home.config.is_none() {
        let loopback = |port| vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))];
        let (udp, tcp, tls, wss) = (loopback(5060), loopback(5060), loopback(5061), loopback(8443));
        config.sip = Sip { udp, tcp, tls, wss, ..config.sip };
    }
    if let Some(address) = wish.listen {
        let (udp, tcp) = (vec![address], vec![address]);
        config.sip = Sip { udp, tcp, tls: Vec::new(), ws: Vec::new(), wss: Vec::new(), ..config.sip };
    }
    if let Some(address) = wish.http {
        config.http.listen = address;
    }
    if let Some(ports) = &wish.rtp_ports {
        config.media.ports = read_ports(ports).ok_or_else(|| Start::new(2, format!("--rtp-ports: {PORTS_FORM}")))?;
    }
    if let Some(port) = wish.webrtc_port {
        config.media.webrtc_port = port;
    }
    let data = match &home.data {
        Some(data) => data.clone(),
        None if wish.demo => demo::data_folder().ok_or_else(|| Start::new(2, demo::NO_HOME))?,
        None => config.data.clone(),
    };
    if !config.http.listen.ip().is_loopback() && config.http.token_file.is_none() {
        return Err(Start::new(1, format!("{TOKEN_NEEDED}: name the file that holds it in http.token_file")));
    }
    config.data.clone_from(&data);
    Ok((config, data))
}

fn run(wish: &Serve, config: Config, data: &Path, json: bool) -> Result<(), Start> {
    start_logging(&config.log, json);
    let metrics = Metrics::new();
    let readiness = Readiness::default();
    ProcessStarted { version: env!("CARGO_PKG_VERSION"), at: wall_now() }.emit(&metrics);
    let kind = if wish.demo { Kind::Demo } else { Kind::Office };
    let folder = DataFolder::open(data, kind).map_err(|error| Start::new(3, error.to_string()))?;
    let store = Store::start(Place::Folder(folder), Some(boot::observer(&metrics, &readiness)))
        .map_err(|error| Start::new(3, error.to_string()))?;
    let plugins = wish.plugins.clone().or_else(|| config.plugins.clone()).unwrap_or_else(catalogue::default_folder);
    let tell = |names: &[String]| {
        if json {
            tracing::info!("{}", catalogue::progress(names));
        } else {
            output::fault(catalogue::progress(names));
        }
    };
    let actions = catalogue::load(&plugins, Some(&data.join("compiled")), tell)
        .map_err(|error| Start::new(3, error.to_string()))?;
    let shelf = Shelf::new(store.clone(), data);
    let installed = shelf.plugins().map_err(|fault| Start::new(3, fault))?;
    shelf.copy_all(&installed);
    let actions = actions.with_installed(installed.iter().map(|(name, entry)| (name.clone(), shelf.file(&entry.now))));
    for refused in &actions.refused {
        tracing::error!(%refused, "a plugin was not installed");
    }
    let tls = config.certificates(data, wall_now().0).map_err(|fault| Start::new(3, fault))?;
    let manners = Manners {
        tls: tls.clone(),
        origins: config.sip.origins.clone(),
        reach: Reach::new(config.sip.public.clone(), config.sip.local_networks.clone()),
    };
    let listeners: Vec<_> = config.sip.listeners().collect();
    let network = Network::bind(&listeners, manners).map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        Start::new(3, format!("{error}: {cause}; choose another address with --listen or in the configuration"))
    })?;
    let guarded = wish.demo && !all_on_loopback(&config);
    plugboard_switch::run(async {
        let running = Running::start(&config, store, actions, metrics, readiness, &network)
            .map_err(|fault| Start::new(3, fault))?;
        let running = Arc::new(running);
        load_offices(&running, wish.demo, guarded, data)?;
        running.switch.receive(&network);
        running.readiness.clear(&plugboard_metrics::Condition::Starting);
        serve_until_told(&running, &network, tls, &config, data, json).await
    })
}

fn load_offices(running: &Running, demo: bool, guarded: bool, data: &Path) -> Result<(), Start> {
    let failed = |faults| Start { code: 1, faults };
    if !demo {
        return running.take_stored().map_err(failed);
    }
    let unwritten = |error: std::io::Error| {
        Start::new(3, format!("the demo's files could not be written to {}: {error}", data.join("demo").display()))
    };
    if !guarded {
        let bundle = demo::bundle(data).map_err(unwritten)?;
        running.take(&[bundle], Absent::Tolerated).map_err(failed)?;
        // What was applied to the demo since is in force again.
        return running.take_stored().map_err(failed);
    }
    let kept = demo::read_secrets(data).map_err(|fault| Start::new(3, fault))?;
    let (bundle, secrets) = demo::guarded_bundle(data, &kept, draw_password).map_err(unwritten)?;
    if secrets != kept {
        demo::write_secrets(data, &secrets).map_err(|fault| Start::new(3, fault))?;
    }
    for (number, secret) in &secrets {
        // Beside the one line that `--json` promises.
        output::fault(format!("demo user {number}: password {secret}"));
    }
    running.take(&[bundle], Absent::Tolerated).map(drop).map_err(failed)
}

fn draw_password() -> String {
    let mut bytes = [0; 12];
    SystemRandom.fill(&mut bytes);
    let digit = |bits: u8| char::from_digit(bits.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn all_on_loopback(config: &Config) -> bool {
    config.sip.listeners().all(|listen| listen.address.ip().is_loopback())
}

async fn serve_until_told(
    running: &Arc<Running>,
    network: &Arc<Network>,
    tls: Option<Arc<Tls>>,
    config: &Config,
    data: &Path,
    json: bool,
) -> Result<(), Start> {
    let control = listen::control(running, data).map_err(|fault| Start::new(3, fault))?;
    let console = listen::console(running, config, data).map_err(|fault| Start::new(3, fault))?;
    // Whoever reads that it is ready may end it at once.
    let mut signals = listen::Signals::catch(tls).map_err(|fault| Start::new(3, fault))?;
    announce(running, network, console.address, data, json);
    let forgetting = tokio::task::spawn_local(keep::forget_for_ever(Arc::clone(running)));
    signals.told_to_end().await;
    output::fault("draining: new calls are refused, running ones may finish; a second signal ends them");
    tokio::select! {
        () = drain(running, config.drain) => {}
        () = signals.told_to_end() => {
            output::fault("told to end once more: running calls are ended");
            end_calls(running).await;
        }
    }
    control.abort();
    forgetting.abort();
    console.handle.stop().await;
    running.switch.note_faxes().await;
    running.switch.note_notices().await;
    running.switch.stop();
    running.recorder.close();
    running.store.close();
    Ok(())
}

/// New calls get 503; running ones finish, at the limit they are ended.
async fn drain(running: &Running, limit: Duration) {
    running.switch.drain();
    let started = running.clock.now();
    running.switch.leave_gateways().await;
    running.switch.leave_subscriptions().await;
    while !running.switch.calls().await.is_empty() {
        if running.clock.now().since(started) >= limit {
            return end_calls(running).await;
        }
        pause(DRAIN_LOOK).await;
    }
}

/// Tells every phone that its call is over, and gives that a second.
async fn end_calls(running: &Running) {
    running.switch.hang_up_all(Cause::of(SHUTDOWN)).await;
    pause(Duration::from_secs(1)).await;
}

fn announce(running: &Running, network: &Arc<Network>, http: SocketAddr, data: &Path, json: bool) {
    use plugboard_switch::SipTransport;
    let sip: Vec<(String, String)> = network
        .local_addresses()
        .into_iter()
        .map(|(transport, address)| (transport.name().to_ascii_lowercase(), address.to_string()))
        .collect();
    if json {
        let listeners: Vec<serde_json::Value> =
            sip.iter().map(|(transport, address)| json!({ "transport": transport, "address": address })).collect();
        // The first of each transport, for those who have but one.
        let first: serde_json::Map<String, serde_json::Value> =
            sip.into_iter().rev().map(|(transport, address)| (transport, address.into())).collect();
        let http = http.to_string();
        output::json(&json!({ "ready": true, "sip": first, "listeners": listeners, "http": http, "data": data }));
        return;
    }
    for (transport, address) in sip {
        output::line(format!("SIP over {transport} on {address}"));
    }
    output::line(format!("metrics and health on http://{http}/metrics, /healthz, /readyz"));
    output::line(format!("data in {}", data.display()));
    let houses = running.houses.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if houses.is_empty() {
        output::line("no office yet: load one with `plugboard apply FILE`");
    }
    for house in houses.values() {
        output::line(format!(
            "office {} ({}): {} users, {} groups, {} scenarios",
            house.office.id,
            house.office.domains.join(", "),
            house.office.users().len(),
            house.office.groups().len(),
            house.programs.len()
        ));
    }
}

fn start_logging(filter: &str, json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PLUGBOARD_LOG")
        .or_else(|_| tracing_subscriber::EnvFilter::try_new(filter))
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // Colours are for eyes: a file or a journal that holds them cannot be searched.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first one's log.
    let _ = if json { builder.json().try_init() } else { builder.try_init() };
}

fn wall_now() -> plugboard_model::WallTime {
    use plugboard_switch::Clock;
    plugboard_switch::SystemClock::start().wall()
}
