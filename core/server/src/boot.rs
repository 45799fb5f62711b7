//! Puts the switch together: store, actions, offices, media, network, actors.

use plugboard_media::{DriverConfig, EngineConfig, Interface, MediaThreads, StartError};
use plugboard_metrics::{
    Condition, Metrics, PluginsSuspended, PortsInUse, Readiness, StoreCommitted, StoreDegraded, StoreLost, StoreQueued,
    StoreRecovered,
};
use plugboard_model::OfficeId;
use plugboard_office::{Office, OfficeSet};
use plugboard_plugin::{Limits, PluginThreads, RunnerLimits};
use plugboard_recorder::Recorder;
use plugboard_sound::Cache;
use plugboard_store::{Blobs, Scope, Store, StoreHealth, StoreObserver};
use plugboard_switch::{
    Clock, Configuration, Env, Events, GrantTable, Network, Placement, Switch, SystemClock, SystemRandom,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use crate::catalogue::Actions;
use crate::config::Config;
use crate::faxes::Faxes;
use crate::house::{Absent, Bundle, House, in_words};
use crate::keep::Keeper;
use crate::losses::Losses;
use crate::prompts::Library;
use crate::recordings::Recordings;
use crate::shelf::Shelf;
use crate::speech::Reader;
use crate::stored::{Stored, read_stored, together};

/// Plugin threads: actions compute for microseconds, two threads keep one slow guest from holding up the others.
const PLUGIN_THREADS: usize = 2;

/// Open files of 1,000 calls with two legs each, and as many for connections and the store.
const DESCRIPTORS_WANTED: u64 = 8_192;

/// A running switch and what the commands need of it.
pub(crate) struct Running {
    pub(crate) switch: Switch,
    pub(crate) store: Store,
    pub(crate) metrics: Metrics,
    pub(crate) readiness: Readiness,
    /// Held while an order about plugins is carried out.
    pub(crate) orders: tokio::sync::Mutex<()>,
    /// The plugins in force; replaced as a whole.
    actions: RwLock<Arc<Actions>>,
    pub(crate) shelf: Shelf,
    pub(crate) library: Arc<Library>,
    /// What was made of sound files.
    pub(crate) sounds: Cache,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keeper: Keeper,
    pub(crate) recorder: Recorder,
    pub(crate) recordings: Recordings,
    pub(crate) faxes: Faxes,
    /// The offices in force; locked while one is replaced.
    pub(crate) houses: Mutex<BTreeMap<OfficeId, House>>,
    /// Actions that scenarios name and that are not installed, as `/readyz` lists them.
    lacking: Mutex<BTreeSet<String>>,
}

/// Offices as they are with other plugins.
pub(crate) struct Checked {
    /// What they were loaded from, as it was in force.
    of: Vec<Arc<Bundle>>,
    houses: Vec<House>,
}

/// Tells the metrics and the readiness how the store is.
struct Observer {
    metrics: Metrics,
    readiness: Readiness,
    clock: Arc<dyn Clock>,
    losses: Mutex<Losses>,
}

impl Observer {
    fn losses(&self) -> MutexGuard<'_, Losses> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoreObserver for Observer {
    fn committed(&self, took: Duration, writes: usize) {
        StoreCommitted { took, writes }.emit(&self.metrics);
    }
    fn lost(&self, journal: u64, records: u64) {
        let told = self.losses().add(self.clock.now(), (journal, records));
        StoreLost { journal, records, told }.emit(&self.metrics);
    }
    fn health(&self, health: &StoreHealth) {
        match health {
            StoreHealth::Ok => {
                let told = self.losses().take();
                StoreLost { journal: 0, records: 0, told }.emit(&self.metrics);
                self.readiness.clear(&Condition::StoreDegraded);
                StoreRecovered.emit(&self.metrics);
            }
            StoreHealth::Degraded { reason, .. } => {
                self.readiness.set(Condition::StoreDegraded, reason);
                StoreDegraded { reason }.emit(&self.metrics);
            }
        }
    }
    fn queued(&self, jobs: usize) {
        StoreQueued(jobs).emit(&self.metrics);
    }
}

/// The store's reports to metrics and readiness.
pub(crate) fn observer(metrics: &Metrics, readiness: &Readiness) -> Arc<dyn StoreObserver> {
    Arc::new(Observer {
        metrics: metrics.clone(),
        readiness: readiness.clone(),
        clock: Arc::new(SystemClock::start()),
        losses: Mutex::default(),
    })
}

impl Running {
    /// Starts everything but the HTTP side.
    pub(crate) fn start(
        config: &Config,
        store: Store,
        actions: Actions,
        metrics: Metrics,
        readiness: Readiness,
        network: &Arc<Network>,
    ) -> Result<Self, String> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let library = Arc::new(Library::default());
        let events = Events::new(metrics.clone());
        match plugboard_media::raise_descriptor_limit() {
            Ok(limit) if limit >= DESCRIPTORS_WANTED => {}
            Ok(limit) => tracing::warn!(
                limit,
                "few open files are allowed, a call takes four: raise the hard limit (ulimit -Hn, LimitNOFILE=)"
            ),
            Err(error) => tracing::warn!(%error, "the limit of open files could not be raised"),
        }
        let codecs = Arc::new(plugboard_codec::Library);
        let guards = Arc::new(plugboard_srtp::Vault::new().map_err(|error| error.to_string())?);
        let media = MediaThreads::start(media_config(config), Some(codecs), Some(guards), events.media_sink())
            .map_err(|error| not_started(&error))?;
        let plugins = PluginThreads::new(
            &actions.catalogue,
            &plugin_clock(&clock),
            RunnerLimits::default(),
            PLUGIN_THREADS,
            &events.run_sink(),
        )
        .map_err(|error| error.to_string())?;
        crate::recovery::close_unfinished(&store);
        let recordings = Recordings::new(store.clone(), &config.data);
        recordings.close_unfinished();
        let faxes = Faxes::new(store.clone(), &config.data);
        let recorder = Recorder::start(Box::new(recordings.folder()), Arc::new(plugboard_codec::Library))
            .map_err(|error| format!("the recorder's thread could not be started: {error}"))?;
        keep_components(&store, &actions);
        let (media, plugins) = (Arc::new(media), Arc::new(plugins));
        sample(&metrics, &media, &plugins);
        look(&readiness, &media, config.media.ports.clone());
        look_at_recorder(&readiness, &recorder);
        let roots = config.tls.ca.as_deref();
        let pushes = crate::push::Pushes::start(&config.push, roots, metrics.clone(), Arc::clone(&clock))?;
        let services = crate::web::Services::start(roots)?;
        let carrier = Arc::new(crate::carrier::Outbound::start(roots, &services, &config.data)?);
        let env = Env {
            clock: Arc::clone(&clock),
            random: Arc::new(SystemRandom),
            sip: Arc::clone(network) as Arc<dyn plugboard_switch::SipTransport>,
            dns: Arc::new(crate::names::Names::of(&config.dns)),
            push: Arc::new(pushes),
            history: Arc::new(crate::history::Reader::start(store.clone())?),
            web: Arc::new(services),
            carrier,
            databases: Arc::new(crate::database::Tables::start(roots)?),
            media,
            plugins,
            prompts: Arc::clone(&library) as Arc<dyn plugboard_switch::Prompts>,
            turn: config.turn.as_ref().map(|turn| turn.open().map(Arc::new)).transpose()?,
            voice: Arc::new(Reader::start(&config.speech)?),
            rates: config.limits,
            transactions_max: plugboard_switch::TRANSACTIONS_MAX,
            call_room: plugboard_switch::CallRoom::default(),
            recorder: recorder.clone(),
            store: store.clone(),
            metrics: metrics.clone(),
        };
        let placement = Placement::Threads(config.threads);
        let switch = Switch::start(env, &events, readiness.clone(), Configuration::default(), placement);
        let recordings = recordings.of(switch.mailboxes());
        let keeper = Keeper::new(store.clone(), metrics.clone(), readiness.clone(), config.keep);
        let (houses, lacking) = <_>::default();
        let shelf = Shelf::new(store.clone(), &config.data);
        let sounds = Cache::of_folder(&config.data.join("sounds"));
        Ok(Self {
            switch,
            store,
            metrics,
            readiness,
            orders: tokio::sync::Mutex::default(),
            actions: RwLock::new(Arc::new(actions)),
            shelf,
            library,
            sounds,
            clock,
            keeper,
            recorder,
            recordings,
            faxes,
            houses,
            lacking,
        })
    }

    /// The plugins in force.
    pub(crate) fn actions(&self) -> Arc<Actions> {
        Arc::clone(&self.actions.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Every office in force as it is with these plugins. Not for a thread that may not wait.
    ///
    /// # Errors
    /// Every fault of every office that does not fit them.
    pub(crate) fn checked_with(&self, actions: &Actions) -> Result<Checked, Vec<String>> {
        let of: Vec<Arc<Bundle>> = {
            let houses = self.houses.lock().unwrap_or_else(PoisonError::into_inner);
            houses.values().map(|house| Arc::clone(&house.source)).collect()
        };
        let (mut houses, mut faults) = (Vec::new(), Vec::new());
        for source in &of {
            match source.load(&actions.known, Absent::Tolerated, &self.sounds) {
                Ok(house) => houses.push(house),
                Err(more) => faults.extend(in_words(more)),
            }
        }
        if faults.is_empty() { Ok(Checked { of, houses }) } else { Err(faults) }
    }

    /// Puts other plugins in force: new calls run them, calls that go on keep those that they began with. `false`: other offices are in force
    /// than were checked, and nothing has changed.
    ///
    /// # Errors
    /// What keeps the offices from being served together.
    pub(crate) fn swap(&self, actions: &Actions, checked: Checked) -> Result<bool, Vec<String>> {
        {
            let houses = self.houses.lock().unwrap_or_else(PoisonError::into_inner);
            let same = |(house, source): (&House, &Arc<Bundle>)| Arc::ptr_eq(&house.source, source);
            if houses.len() != checked.of.len() || !houses.values().zip(&checked.of).all(same) {
                return Ok(false);
            }
        }
        let mut now = self.actions.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *now, Arc::new(actions.clone()));
        drop(now);
        match self.put_in_force(checked.houses, Absent::Tolerated) {
            Ok(_) => Ok(true),
            Err(faults) => {
                *self.actions.write().unwrap_or_else(PoisonError::into_inner) = before;
                Err(faults)
            }
        }
    }

    /// Loads offices, or replaces them: everything is checked first, and nothing changes when there is a fault. Tells
    /// their ids, and what their authors should know all the same.
    pub(crate) fn take(&self, bundles: &[Bundle], absent: Absent) -> Result<(Vec<OfficeId>, Vec<String>), Vec<String>> {
        let (mut taken, mut faults) = (Vec::new(), Vec::new());
        let actions = self.actions();
        for bundle in bundles {
            match bundle.load(&actions.known, absent, &self.sounds) {
                Ok(house) => taken.push(house),
                Err(more) => faults.extend(in_words(more)),
            }
        }
        if faults.is_empty() { self.put_in_force(taken, absent) } else { Err(faults) }
    }

    fn put_in_force(&self, taken: Vec<House>, absent: Absent) -> Result<(Vec<OfficeId>, Vec<String>), Vec<String>> {
        let mut houses = self.houses.lock().unwrap_or_else(PoisonError::into_inner);
        let offices = together(&houses, &taken)?;
        let (mut ids, mut warnings) = (Vec::new(), Vec::new());
        if absent == Absent::Refused && offices.only().is_none() {
            // Until now any name or address stood for the only office.
            warnings.extend(
                houses
                    .values()
                    .next()
                    .filter(|_| houses.len() == 1)
                    .and_then(|only| unreachable_by_address(&only.office)),
            );
        }
        for house in taken {
            let id = house.office.id.clone();
            for warning in &house.warnings {
                tracing::warn!(office = %id, warning, "the office is served with a fault");
            }
            warnings.extend(house.warnings.iter().cloned());
            self.library.put(id.clone(), Arc::clone(&house.audio));
            self.readiness.clear(&Condition::OfficeNotServed(id.to_string()));
            houses.insert(id.clone(), house);
            ids.push(id);
        }
        self.switch.apply(self.configuration(offices, &houses));
        self.tell_lacking(&houses);
        Ok((ids, warnings))
    }

    /// `/readyz` lists the actions that scenarios in force lack, and no others.
    fn tell_lacking(&self, houses: &BTreeMap<OfficeId, House>) {
        let mut told = self.lacking.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = BTreeSet::new();
        for (action, scenario) in houses.values().flat_map(|house| &house.lacking) {
            let reason = format!(
                "scenario {scenario} names the action, which is not installed: calls to it are refused; put the plugin \
                 into the folder of plugins and start again"
            );
            self.readiness.set(Condition::PluginMissing(action.clone()), &reason);
            now.insert(action.clone());
        }
        for gone in told.difference(&now) {
            self.readiness.clear(&Condition::PluginMissing(gone.clone()));
        }
        *told = now;
    }

    fn configuration(&self, offices: OfficeSet, houses: &BTreeMap<OfficeId, House>) -> Configuration {
        let programs = houses.values().flat_map(|house| house.programs.clone()).collect();
        let (mut grants, actions) = (GrantTable::default(), self.actions());
        for house in houses.values() {
            grants.add(&house.office, &actions.own);
        }
        Configuration { offices, programs, actions: actions.by_name.clone(), grants, limits: Limits::default() }
    }

    /// Loads every office that the store keeps. One that cannot be loaded keeps no other from being served: it is logged,
    /// and `/readyz` lists it until a version without a fault is applied.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn take_stored(&self) -> Result<(), Vec<String>> {
        let Stored { houses, left_out } = {
            let houses = self.houses.lock().unwrap_or_else(PoisonError::into_inner);
            read_stored(&self.store, &self.actions().known, &houses, &self.sounds)
                .map_err(|error| vec![error.to_string()])?
        };
        for (office, faults) in left_out {
            for fault in &faults {
                tracing::error!(%office, fault, "a stored office is not served");
            }
            let first = faults.first().map_or("", String::as_str);
            let reason = format!("its stored document has {} faults, apply it again without: {first}", faults.len());
            self.readiness.set(Condition::OfficeNotServed(office.to_string()), &reason);
        }
        // A plugin that is lost must not keep an office's phones from ringing.
        self.put_in_force(houses, Absent::Tolerated).map(drop)
    }
}

/// What becomes of phones that name an office by an address when it is not the only one any more.
fn unreachable_by_address(office: &Office) -> Option<String> {
    let is_address = |domain: &String| domain.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if office.domains.iter().any(is_address) {
        return None;
    }
    let (id, domains) = (&office.id, office.domains.join(", "));
    Some(format!(
        "office {id} is not the only one any more: its phones must now use one of its domains ({domains}); those that use an \
         address are refused until the office's `domains` name that address as well, such as `domains: [{domains}, 192.0.2.10]`"
    ))
}

fn media_config(config: &Config) -> DriverConfig {
    let interface = |address: IpAddr| Interface { bind: address, advertise: address };
    let (ipv4, ipv6) = config.media_addresses();
    let (ipv4, ipv6) = (ipv4.map(interface), ipv6.map(interface));
    DriverConfig {
        threads: config.threads.max(config.media.threads),
        ports: config.media.ports.clone(),
        ipv4,
        ipv6,
        engine: EngineConfig { silent_after: config.media.silence, silent_from_start: config.media.silence_from_start },
        browser_port: config.media.webrtc_port,
        browser_addresses: config.media.webrtc_addresses.clone(),
        gather: config.media.gather,
        browser_only: config.media.webrtc_only,
        // They give way to everybody else, so that there may be one for each core.
        workers: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    }
}

fn not_started(error: &StartError) -> String {
    let taken = matches!(error, StartError::BrowserPort { .. });
    let remedy = if taken { "; choose another one with --webrtc-port or media.webrtc_port (0: any)" } else { "" };
    format!("media threads could not be started: {error}{remedy}")
}

/// Keeps every component as long as journals may name it: replay needs the very same after an upgrade.
fn keep_components(store: &Store, actions: &Actions) {
    for installed in actions.by_name.values() {
        if let Err(error) = store.put_blob(Scope::Switch, installed.bytes()) {
            let action = &installed.manifest().name;
            tracing::error!(action, %error, "a component was not kept: its runs cannot be replayed after an upgrade");
        }
    }
}

/// What is only looked at when somebody asks.
fn sample(metrics: &Metrics, media: &Arc<MediaThreads>, plugins: &Arc<PluginThreads>) {
    let (media, plugins) = (Arc::downgrade(media), Arc::downgrade(plugins));
    metrics.sample_with(move |metrics| {
        if let Some(media) = media.upgrade() {
            // Each pair is a port for RTP and one for RTCP.
            PortsInUse(media.ports_in_use().0 * 2).emit(metrics);
        }
        if let Some(plugins) = plugins.upgrade() {
            PluginsSuspended(usize::try_from(plugins.instances()).unwrap_or(usize::MAX)).emit(metrics);
        }
    });
}

/// What is only looked at when somebody asks how the switch is.
fn look(readiness: &Readiness, media: &Arc<MediaThreads>, ports: RangeInclusive<u16>) {
    let media = Arc::downgrade(media);
    readiness.look_with(move |readiness| {
        let Some(media) = media.upgrade() else { return };
        let (used, all) = media.ports_in_use();
        if used >= all {
            let (first, last) = (ports.start(), ports.end());
            let reason = format!("all {all} pairs of {first}-{last} are in use: new calls get 503; widen media.ports");
            readiness.set(Condition::RtpPortsExhausted, &reason);
        } else {
            readiness.clear(&Condition::RtpPortsExhausted);
        }
    });
}

/// The same of who records.
fn look_at_recorder(readiness: &Readiness, recorder: &Recorder) {
    let recorder = recorder.clone();
    readiness.look_with(move |readiness| {
        if recorder.is_broken() {
            let reason = "its thread has ended by a fault of the switch, which the log has: nothing is recorded; restart the switch";
            readiness.set(Condition::RecorderDown, reason);
        }
    });
}

fn plugin_clock(clock: &Arc<dyn Clock>) -> plugboard_plugin::Clock {
    let (now, wall) = (Arc::clone(clock), Arc::clone(clock));
    plugboard_plugin::Clock::new(move || now.now(), move || wall.wall())
}
