//! What a simulation begins with.

use plugboard_media::EngineConfig;
use plugboard_model::WallTime;
use plugboard_plugin::{Catalogue, Limits, RunnerLimits};
use plugboard_recorder::{Memory, QUEUE_MAX};
use plugboard_store::{InlineWriter, Store};
use plugboard_switch::{CallRoom, Configuration, Reach, RequestRates, TRANSACTIONS_MAX};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::Sim;
use crate::clock::WALL_START;
use crate::network::Weather;
use crate::office::OfficeText;
use crate::plugins::{built_in, with};

/// What a simulation begins with.
pub struct Setup {
    pub(super) seed: u64,
    pub(super) weather: Weather,
    pub(super) offices: Vec<OfficeText>,
    pub(super) configuration: Option<Configuration>,
    pub(super) wall: WallTime,
    pub(super) ports: RangeInclusive<u16>,
    pub(super) engine: EngineConfig,
    pub(super) prompts: BTreeMap<String, Duration>,
    pub(super) actions: Arc<Catalogue>,
    pub(super) limits: Limits,
    pub(super) runner: RunnerLimits,
    pub(super) reach: Reach,
    pub(super) streams: bool,
    pub(super) zone: String,
    pub(super) stored: Option<(Store, InlineWriter)>,
    pub(super) tapes: Memory,
    pub(super) tape_queue: usize,
    pub(super) rates: RequestRates,
    pub(super) transactions: usize,
    pub(super) call_room: CallRoom,
    pub(super) shards: (usize, bool),
}

impl Setup {
    /// The demo office in calm weather.
    pub fn demo() -> Self {
        Self::offices(vec![OfficeText::demo()])
    }

    /// These offices in calm weather, with the demo's prompts.
    pub fn offices(offices: Vec<OfficeText>) -> Self {
        Self { offices, prompts: Self::demo_prompts(), ..Self::bare(built_in()) }
    }

    pub(crate) fn demo_prompts() -> BTreeMap<String, Duration> {
        BTreeMap::from([("welcome".to_owned(), Duration::from_secs(2))])
    }

    fn bare(actions: Arc<Catalogue>) -> Self {
        let (offices, prompts, limits) = (Vec::new(), BTreeMap::new(), Limits::default());
        let (weather, ports, reach) = (Weather::CALM, 20_000..=20_999, Reach::default());
        let (zone, stored, engine, shards) = (String::new(), None, EngineConfig::default(), (1, true));
        let (tapes, tape_queue) = (Memory::default(), QUEUE_MAX);
        Self {
            seed: 1,
            weather,
            offices,
            configuration: None,
            wall: WALL_START,
            ports,
            engine,
            prompts,
            actions,
            limits,
            runner: RunnerLimits::default(),
            reach,
            streams: false,
            zone,
            stored,
            tapes,
            tape_queue,
            rates: RequestRates::default(),
            transactions: TRANSACTIONS_MAX,
            call_room: CallRoom::default(),
            shards,
        }
    }

    /// What is checked already, with the actions that it names, in place of documents; prompts by name.
    #[must_use]
    pub fn configured(
        configuration: Configuration,
        actions: Arc<Catalogue>,
        prompts: BTreeMap<String, Duration>,
    ) -> Self {
        let limits = configuration.limits;
        let bare = Self::bare(actions);
        Self { configuration: Some(configuration), prompts, limits, ..bare }
    }

    /// It is this time when it begins.
    #[must_use]
    pub const fn starts_at(mut self, wall: WallTime) -> Self {
        self.wall = wall;
        self
    }

    /// These offices in place of the ones it had.
    #[must_use]
    pub fn offices_are(mut self, offices: Vec<OfficeText>) -> Self {
        self.offices = offices;
        self
    }

    /// With what another simulation has stored: the switch starts again.
    #[must_use]
    pub fn after(mut self, before: Sim) -> Self {
        before.world.writer.run(before.now());
        self.stored = Some((before.world.store.clone(), before.world.writer.clone()));
        self.tapes = before.tapes.clone();
        self
    }

    /// Everything random comes from this number.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// What DNS says, a record a line, as `a.test 60 A 10.0.0.9`; see [`Sim::zone_is`].
    #[must_use]
    pub fn zone(mut self, records: &str) -> Self {
        records.clone_into(&mut self.zone);
        self
    }

    /// The switch listens on TCP as well: DNS is asked by what a gateway is to be called over.
    #[must_use]
    pub const fn listens_on_tcp(mut self) -> Self {
        self.streams = true;
        self
    }

    /// How the network is.
    #[must_use]
    pub const fn weather(mut self, weather: Weather) -> Self {
        self.weather = weather;
        self
    }

    /// The RTP ports.
    #[must_use]
    pub const fn ports(mut self, ports: RangeInclusive<u16>) -> Self {
        self.ports = ports;
        self
    }

    /// With so many shards of signalling and of media; media over IPv6 alone, if IPv4 is not to be had.
    #[must_use]
    pub const fn shards(mut self, shards: usize, v4: bool) -> Self {
        self.shards = (shards, v4);
        self
    }

    /// How media is watched.
    #[must_use]
    pub const fn engine(mut self, engine: EngineConfig) -> Self {
        self.engine = engine;
        self
    }

    /// So many SIP transactions at once, in place of as many as a switch has.
    #[must_use]
    pub const fn transactions(mut self, most: usize) -> Self {
        self.transactions = most;
        self
    }

    /// So many calls at once, and so many more for help.
    #[must_use]
    pub const fn calls(mut self, calls: usize, help: usize) -> Self {
        self.call_room = CallRoom { calls, help };
        self
    }

    /// How often requests may come.
    #[must_use]
    pub const fn rates(mut self, rates: RequestRates) -> Self {
        self.rates = rates;
        self
    }

    /// One more prompt, of this length.
    #[must_use]
    pub fn prompt(mut self, name: &str, length: Duration) -> Self {
        self.prompts.insert(name.to_owned(), length);
        self
    }

    /// With these components beside the built-in actions.
    #[must_use]
    pub fn with_actions(mut self, components: &[Vec<u8>]) -> Self {
        self.actions = with(components);
        self
    }

    /// So many runs of one action at once, no more.
    #[must_use]
    pub const fn runs_of_an_action(mut self, most: u32) -> Self {
        self.runner.runs_per_component_max = most;
        self
    }

    /// Behind a NAT with these public addresses; who is in these networks is on the switch's side of it.
    #[must_use]
    pub fn behind_nat(mut self, public: &[&str], local: &[&str]) -> Self {
        let public = public.iter().map(|text| text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}")));
        let local = local.iter().map(|text| text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}")));
        self.reach = Reach::new(public.collect(), local.collect());
        self
    }

    /// So many packets may wait for the recorder.
    #[must_use]
    pub const fn tape_queue(mut self, most: usize) -> Self {
        self.tape_queue = most;
        self
    }

    /// Starts the switch.
    pub fn start(self) -> Sim {
        Sim::start(self)
    }
}
