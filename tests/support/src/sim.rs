//! The simulation: sets everything up, moves time, looks at what is left.

use actix::SystemRunner;
use bytes::Bytes;
use plugboard_media::{Command as MediaCommand, EngineConfig};
use plugboard_metrics::{Metrics, Readiness};
use plugboard_model::{CallRecord, JournalEntry, OfficeId, Time};
use plugboard_plugin::{Catalogue, Limits};
use plugboard_sip::flow::{Flow, Transport};
use plugboard_sip::parse_datagram;
use plugboard_store::{InlineWriter, Place, RecordFilter, SipFlow, Store};
use plugboard_switch::{Clock, Env, Events, Holdings, Placement, Reach, Router, Switch};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::{SimClock, SimRandom};
use crate::ladder::Ladder;
use crate::media::SimMedia;
use crate::names::Names;
use crate::network::{Addresses, Network, Packet, Payload, Weather};
use crate::office::{OfficeText, Records, checked, configuration};
use crate::phone::{Account, Agent, Phone};
use crate::plugins::{SimPlugins, built_in, by_name, with};
use crate::pushes::Pushes;
use crate::sound::Sounds;

/// The switch's address in every story.
const SWITCH: &str = "10.0.0.1:5060";
/// For phones that speak IPv6.
const SWITCH_V6: &str = "[fd00::1]:5060";
/// A condition that has not come true after so long will not.
const PATIENCE: Duration = Duration::from_mins(3);
/// What is still under way after so long is never over: transactions take 32 s, an INVITE without a word 5 minutes.
const QUIET_MAX: Duration = Duration::from_mins(7);

/// What a simulation begins with.
pub struct Setup {
    seed: u64,
    weather: Weather,
    offices: Vec<OfficeText>,
    ports: RangeInclusive<u16>,
    engine: EngineConfig,
    prompts: BTreeMap<String, Duration>,
    actions: Arc<Catalogue>,
    limits: Limits,
    reach: Reach,
    zone: String,
    stored: Option<(Store, InlineWriter)>,
}

impl Setup {
    /// The demo office in calm weather.
    pub fn demo() -> Self {
        Self::offices(vec![OfficeText::demo()])
    }

    /// These offices in calm weather, with the demo's prompts.
    pub fn offices(offices: Vec<OfficeText>) -> Self {
        let prompts = BTreeMap::from([("welcome".to_owned(), Duration::from_secs(2))]);
        let (actions, limits) = (built_in(), Limits::default());
        let (weather, ports, reach) = (Weather::CALM, 20_000..=20_999, Reach::default());
        let (zone, stored, engine) = (String::new(), None, EngineConfig::default());
        Self { seed: 1, weather, offices, ports, engine, prompts, actions, limits, reach, zone, stored }
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

    /// How media is watched.
    #[must_use]
    pub const fn engine(mut self, engine: EngineConfig) -> Self {
        self.engine = engine;
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

    /// Behind a NAT with these public addresses; who is in these networks is on the switch's side of it.
    #[must_use]
    pub fn behind_nat(mut self, public: &[&str], local: &[&str]) -> Self {
        let public = public.iter().map(|text| text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}")));
        let local = local.iter().map(|text| text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}")));
        self.reach = Reach::new(public.collect(), local.collect());
        self
    }

    /// Starts the switch.
    pub fn start(self) -> Sim {
        Sim::start(self)
    }
}

/// A switch, its network and its phones.
pub struct Sim {
    // Declared first: the actors go before what they use.
    system: Option<SystemRunner>,
    switch: Switch,
    world: World,
    metrics: Metrics,
    readiness: Readiness,
    actions: Arc<Catalogue>,
    records: Records,
    limits: Limits,
    sounds: Sounds,
    next_phone: u8,
}

/// Everything that time moves, but for the actors.
struct World {
    clock: Arc<SimClock>,
    network: Network,
    names: Names,
    pushes: Pushes,
    media: Arc<SimMedia>,
    plugins: Arc<SimPlugins>,
    store: Store,
    writer: InlineWriter,
    router: Router,
    phones: BTreeMap<IpAddr, Rc<RefCell<Agent>>>,
    /// How long each message has waited when the switch looks at it.
    waits: Cell<Duration>,
    /// What came to addresses where no phone is.
    strangers: RefCell<Vec<(SocketAddr, String)>>,
    wake: Arc<Notify>,
}

impl Sim {
    /// The demo office in calm weather.
    pub fn demo() -> Self {
        Setup::demo().start()
    }

    fn start(setup: Setup) -> Self {
        let system = actix::System::with_tokio_rt(|| {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_all().start_paused(true).build().unwrap_or_else(|fault| panic!("{fault}"))
        });
        let own = |text: &str| text.parse::<SocketAddr>().unwrap_or_else(|fault| panic!("{text}: {fault}"));
        let switch_address = Addresses { v4: own(SWITCH), v6: own(SWITCH_V6), reach: setup.reach };
        let sounds = Sounds::default();
        let records = Records::new(sounds.clone(), setup.prompts);
        let metrics = Metrics::new();
        let events = Events::new(metrics.clone());
        let (wake, readiness) = (Arc::new(Notify::new()), Readiness::default());
        let (store, writer) = setup.stored.unwrap_or_else(|| {
            Store::start_inline(Place::Memory, None).unwrap_or_else(|fault| panic!("no store: {fault}"))
        });
        let signal = Arc::clone(&wake);
        writer.on_queued(move || signal.notify_one());
        let clock = system.block_on(async { Arc::new(SimClock::start()) });
        // One stream of numbers each, so that a new message of the switch does not change the weather.
        let seed = setup.seed.wrapping_mul(4);
        let network = Network::new(seed, setup.weather, Arc::clone(&clock), Arc::clone(&wake), switch_address);
        let media = Arc::new(SimMedia::new(
            seed + 1,
            setup.ports,
            setup.engine,
            Arc::clone(&clock),
            network.clone(),
            Arc::clone(&wake),
            events.media_sink(),
        ));
        let plugins =
            Arc::new(SimPlugins::new(Arc::clone(&setup.actions), &clock, Arc::clone(&wake), events.run_sink()));
        let names = Names::new(setup.zone, Arc::clone(&clock), Arc::clone(&wake));
        let pushes = Pushes::default();
        let env = Env {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SimRandom::new(seed + 2)),
            sip: Arc::new(network.clone()),
            dns: Arc::new(names.clone()),
            push: Arc::new(pushes.clone()),
            media: Arc::clone(&media) as Arc<dyn plugboard_media::MediaPlane>,
            plugins: Arc::clone(&plugins) as Arc<dyn plugboard_switch::Plugins>,
            prompts: Arc::new(records.clone()),
            voice: Arc::new(records.clone()),
            store: store.clone(),
            metrics: metrics.clone(),
        };
        let configuration = configuration(&setup.offices, &by_name(&setup.actions), &records, setup.limits);
        let shown = readiness.clone();
        let switch = system.block_on(async { Switch::start(env, &events, shown, configuration, Placement::Here) });
        let router = switch.router();
        let phones = BTreeMap::new();
        let strangers = RefCell::default();
        let waits = Cell::new(Duration::ZERO);
        let world = World {
            clock,
            network,
            names,
            pushes,
            media,
            plugins,
            store,
            writer,
            router,
            phones,
            waits,
            strangers,
            wake,
        };
        let (actions, limits) = (setup.actions, setup.limits);
        Self {
            system: Some(system),
            switch,
            world,
            metrics,
            readiness,
            actions,
            records,
            limits,
            sounds,
            next_phone: 11,
        }
    }

    // ---- people ---------------------------------------------------------------------------------------------

    /// A phone of the user with this number in the demo's domain, or of `user@domain`; registered when this returns.
    ///
    /// Its password is the demo's: `demo-101` for user 101.
    pub fn phone(&mut self, name: &str, account: &str) -> Phone {
        let phone = self.new_phone(name, account);
        phone.registers();
        self.run_until(phone.is_registered());
        phone
    }

    /// The same, not registered.
    pub fn new_phone(&mut self, name: &str, account: &str) -> Phone {
        let (user, domain) = account.split_once('@').unwrap_or((account, "plugboard.test"));
        let account = Account { user: user.into(), domain: domain.into(), password: format!("demo-{user}") };
        let address = SocketAddr::from(([10, 0, 0, self.next_phone], 5060));
        self.next_phone += 1;
        self.put(name, address, Some(account))
    }

    /// The same at this address, of either family.
    pub fn new_phone_at(&mut self, name: &str, user: &str, address: &str) -> Phone {
        let account = Account { user: user.into(), domain: "plugboard.test".into(), password: format!("demo-{user}") };
        let address = address.parse().unwrap_or_else(|fault| panic!("{address}: {fault}"));
        self.put(name, address, Some(account))
    }

    /// This message comes to the switch from an address where no phone is; see [`Sim::said_to`].
    pub fn strange_message(&self, from: &str, text: &str) {
        let from: SocketAddr = from.parse().unwrap_or_else(|fault| panic!("{from}: {fault}"));
        let payload = Payload::Sip(text.replace('\n', "\r\n").into());
        self.world.network.send(Packet { from, to: self.world.network.switch(from.ip()), payload });
    }

    /// What the switch said to an address where no phone is, since this was asked last.
    pub fn said_to(&self, address: &str) -> Vec<String> {
        let address: SocketAddr = address.parse().unwrap_or_else(|fault| panic!("{address}: {fault}"));
        let mut strangers = self.world.strangers.borrow_mut();
        let (said, others): (Vec<_>, Vec<_>) = strangers.drain(..).partition(|(to, _)| *to == address);
        *strangers = others;
        said.into_iter().map(|(_, text)| text).collect()
    }

    /// Somebody at this address who needs no account: the far side of a gateway.
    pub fn outside(&mut self, name: &str, address: &str) -> Phone {
        let address = address.parse().unwrap_or_else(|fault| panic!("{address}: {fault}"));
        self.put(name, address, None)
    }

    fn put(&mut self, name: &str, address: SocketAddr, account: Option<Account>) -> Phone {
        let agent = Agent::new(name, address, account, self.world.network.clone(), self.sounds.clone());
        let agent = Rc::new(RefCell::new(agent));
        self.world.phones.insert(address.ip(), Rc::clone(&agent));
        Phone::new(agent, Arc::clone(&self.world.clock))
    }

    // ---- time -----------------------------------------------------------------------------------------------

    /// Lets time pass until this is true.
    ///
    /// # Panics
    /// When it is not after three minutes; the ladder is printed.
    #[track_caller]
    pub fn run_until(&mut self, condition: impl Fn() -> bool) {
        assert!(self.is_true_within(PATIENCE, condition), "it did not come true\n{}", self.ladder());
    }

    /// Lets time pass until this is true, at most so long; whether it came true.
    pub fn is_true_within(&mut self, limit: Duration, condition: impl Fn() -> bool) -> bool {
        let until = self.now() + limit;
        let world = &self.world;
        self.system().block_on(world.run(until, &condition))
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.is_true_within(time, || false);
    }

    /// Lets time pass until nothing is left of any call: no call, leg, transaction, run, port, and nothing to write.
    ///
    /// # Panics
    /// When something never ends; it says what.
    #[track_caller]
    pub fn run_until_quiet(&mut self) {
        let until = self.now() + QUIET_MAX;
        loop {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            assert!(self.now() < until, "this never ends: {left:?}\n{}", self.ladder());
            self.run_for(Duration::from_secs(1));
        }
    }

    /// What is not over yet, in words.
    pub fn left(&mut self) -> Vec<String> {
        let holdings = self.holdings();
        let (legs, ports) = self.world.media.in_use();
        let users = self.system().block_on(self.switch.users());
        let gateways = self.system().block_on(self.switch.gateways());
        let mut left = Vec::new();
        let mut note = |count: usize, what: String| {
            if count > 0 {
                left.push(format!("{count} {what}"));
            }
        };
        note(holdings.calls, "calls".into());
        note(holdings.legs, "legs".into());
        note(holdings.transactions, "transactions".into());
        note(holdings.media, "media legs that are watched".into());
        note(legs, "legs of media".into());
        note(ports, "pairs of ports".into());
        note(self.world.plugins.runs(), "runs of actions".into());
        note(usize::from(self.world.writer.poll_timeout().is_some()), "writes".into());
        note(usize::from(!self.world.network.is_quiet()), "messages under way".into());
        for (user, state) in users {
            note(state.calls, format!("calls of {user}"));
        }
        for (gateway, state) in gateways {
            note(state.calls, format!("channels of {gateway}"));
        }
        for phone in self.world.phones.values() {
            let phone = phone.borrow();
            note(usize::from(!phone.is_quiet()), format!("requests of {}", phone.name));
        }
        left
    }

    /// The time now.
    pub fn now(&self) -> Time {
        self.world.clock.now()
    }

    // ---- weather and faults ---------------------------------------------------------------------------------

    /// How the network is from now on.
    pub fn weather(&self, weather: Weather) {
        self.world.network.set_weather(weather);
    }

    /// What DNS says from now on, a record a line: name, time to live in seconds, type, and what it says. `NAPTR` has order,
    /// preference, service and next name, `SRV` priority, weight, port and host. `FAIL` in place of all that: no server
    /// knows; `SILENT`: none answers.
    pub fn zone_is(&self, records: &str) {
        self.world.names.zone_is(records);
    }

    /// The apps that push services were asked to wake so far, in order.
    pub fn devices_woken(&self) -> Vec<String> {
        self.world.pushes.woken()
    }

    /// A push service knows this app no more.
    pub fn push_service_forgets(&self, prid: &str) {
        self.world.pushes.forgets(prid);
    }

    /// What DNS was asked so far, in order.
    pub fn names_asked(&self) -> Vec<String> {
        self.world.names.asked()
    }

    /// The next `times` messages whose ladder line has these words are lost.
    pub fn loses(&self, words: &str, times: usize) {
        self.world.network.lose(words, times);
    }

    /// The phone's connection to the switch breaks, if it has one, and what it says is lost.
    pub fn disconnects(&self, phone: &Phone) {
        if let Some((transport, connection)) = phone.speaks_over(None) {
            self.world.network.disconnect(connection);
            let remote = phone.address();
            let local = self.world.network.switch(remote.ip());
            self.world.router.closed(Flow { transport, local, remote, connection });
        }
    }

    /// The phone opens a TCP connection and speaks over it from now on.
    pub fn connects(&self, phone: &Phone) {
        self.connects_over(phone, Transport::Tcp);
    }

    /// The same over another transport; over WebSocket it is a browser and knows no address of its own.
    pub fn connects_over(&self, phone: &Phone, transport: Transport) {
        self.disconnects(phone);
        phone.speaks_over(Some((transport, self.world.network.connect())));
    }

    /// The switch can open a TCP connection to the phone from now on; what comes over one is answered over one.
    pub fn takes_connections(&self, phone: &Phone) {
        phone.listens(self.world.network.connect());
        self.world.network.takes_streams(phone.address(), false);
    }

    /// What the switch sends over TCP to this address is swallowed from now on, as by a firewall.
    pub fn swallows_connections(&self, phone: &Phone) {
        self.world.network.takes_streams(phone.address(), true);
    }

    /// From now on the switch's messages whose ladder line has these words are longer than a datagram can be.
    pub fn finds_too_long(&self, words: &str) {
        self.world.network.too_long(words);
    }

    /// From now on each message has waited so long when the switch looks at it, as on a machine that does not keep up.
    pub fn messages_wait(&self, time: Duration) {
        self.world.waits.set(time);
    }

    /// The media plane panics in the hands of whoever gives it the next command for which this is true.
    pub fn media_breaks_on(&self, fault: impl Fn(&MediaCommand) -> bool + Send + 'static) {
        self.world.media.break_on(Box::new(fault));
    }

    /// From now on there is no such prompt: its file is gone.
    pub fn loses_prompt(&self, name: &str) {
        self.records.remove(name);
    }

    // ---- the switch -----------------------------------------------------------------------------------------

    /// Puts these offices in place of those in force.
    pub fn applies(&self, offices: &[OfficeText]) {
        let next = configuration(offices, &by_name(&self.actions), &self.records, self.limits);
        self.system().block_on(async { self.switch.apply(next) });
    }

    /// What is wrong with an office's document, as `plugboard apply` would say it.
    pub fn faults(&self, office: &OfficeText) -> Vec<String> {
        let offices = std::slice::from_ref(office);
        checked(offices, &by_name(&self.actions), &self.records, self.limits).err().unwrap_or_default()
    }

    /// The switch's own handle.
    pub const fn switch(&self) -> &Switch {
        &self.switch
    }

    /// Waits for an answer of the switch; no time passes but what the answer takes.
    pub fn ask<T>(&self, question: impl Future<Output = T>) -> T {
        self.system().block_on(question)
    }

    /// What the switch holds for calls that go on.
    pub fn holdings(&self) -> Holdings {
        self.system().block_on(self.switch.holdings())
    }

    /// Pairs of ports in use.
    pub fn ports_in_use(&self) -> usize {
        self.world.media.in_use().1
    }

    /// The records of an office, oldest first.
    pub fn records(&self, office: &str) -> Vec<CallRecord> {
        let office = OfficeId::new(office).unwrap_or_else(|fault| panic!("{office}: {fault}"));
        self.world.writer.run(self.now());
        let page = self.world.store.calls().records(&office, &RecordFilter::default(), None, 1_000);
        let mut records = page.unwrap_or_else(|fault| panic!("{fault}")).records;
        records.reverse();
        records
    }

    /// The only record of the demo office.
    ///
    /// # Panics
    /// When there is not exactly one.
    #[track_caller]
    pub fn record(&self) -> CallRecord {
        let mut records = self.records("main");
        assert_eq!(records.len(), 1, "{records:#?}");
        records.pop().unwrap_or_else(|| unreachable!("there is one"))
    }

    /// All that the switch said to an address in this call.
    pub fn said_in(&self, record: &CallRecord, address: &str) -> String {
        let address: SocketAddr = address.parse().unwrap_or_else(|fault| panic!("{address}: {fault}"));
        let messages = self.world.store.calls().sip_messages(&record.id).unwrap_or_else(|fault| panic!("{fault}"));
        let said = messages.iter().filter(|message| message.flow == SipFlow::Out && message.remote == address);
        said.map(|message| String::from_utf8_lossy(&message.bytes)).collect()
    }

    /// A call's journal; every line of it is there.
    ///
    /// # Panics
    /// When one is missing.
    pub fn journal(&self, record: &CallRecord) -> Vec<JournalEntry> {
        let journal = self.world.store.calls().journal(&record.id).unwrap_or_else(|fault| panic!("{fault}"));
        assert!(!journal.gaps, "the journal of {} has gaps", record.id);
        journal.entries
    }

    /// The store.
    pub const fn store(&self) -> &Store {
        &self.world.store
    }

    /// The value of a series as `/metrics` shows it: a name with labels, as `plugboard_calls_total{outcome="answered"}`.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let text = self.metrics.render();
        text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
    }

    /// What `/readyz` shows.
    pub fn conditions(&self) -> String {
        self.readiness.report().text()
    }

    /// What was said so far.
    pub fn ladder(&self) -> Ladder {
        self.world.network.ladder()
    }

    const fn system(&self) -> &SystemRunner {
        match &self.system {
            Some(system) => system,
            None => unreachable!(),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl World {
    /// Moves everything until the condition holds or the time has come. Whether it holds.
    async fn run(&self, until: Time, condition: &impl Fn() -> bool) -> bool {
        loop {
            let now = self.clock.now();
            self.work(now);
            if condition() {
                return true;
            }
            if now >= until {
                return false;
            }
            let next = self.next().map_or(until, |next| next.min(until));
            if next <= now {
                // Something was queued while we worked; the actors have their turn first.
                tokio::task::yield_now().await;
                continue;
            }
            tokio::select! {
                biased;
                () = self.wake.notified() => {}
                () = tokio::time::sleep_until(self.clock.instant(next)) => {}
            }
        }
    }

    fn work(&self, now: Time) {
        self.names.answer(now);
        while let Some(packet) = self.network.arrived(now) {
            match (&packet.payload, self.network.is_switch(packet.to.ip(), packet.from.ip())) {
                (Payload::Sip(bytes), true) => {
                    let connection = self.phones.get(&packet.from.ip()).and_then(|phone| phone.borrow().connection);
                    self.received(now, &packet, bytes, connection);
                }
                (Payload::Rtp(_), true) => self.media.received(now, packet),
                (Payload::Sip(bytes), false) => {
                    if let Some(phone) = self.phones.get(&packet.to.ip()) {
                        phone.borrow_mut().received(now, packet.from, bytes);
                    } else {
                        let text = String::from_utf8_lossy(bytes).into_owned();
                        self.strangers.borrow_mut().push((packet.to, text));
                    }
                }
                (Payload::Rtp(bytes), false) => {
                    if let Some(phone) = self.phones.get(&packet.to.ip()) {
                        phone.borrow_mut().heard(now, packet.to, bytes);
                    }
                }
            }
        }
        for phone in self.phones.values() {
            phone.borrow_mut().tick(now);
        }
        self.media.work(now);
        self.plugins.work();
        if self.writer.poll_timeout().is_some_and(|at| at <= now) {
            self.writer.run(now);
        }
    }

    fn received(&self, now: Time, packet: &Packet, bytes: &Bytes, connection: Option<(Transport, u64)>) {
        match connection {
            None => {
                let came = Time(now.0.saturating_sub(nanos(self.waits.get())));
                self.router.received_at(Flow::udp(packet.to, packet.from), bytes.clone(), came);
            }
            Some((transport, connection)) => {
                let message = parse_datagram(bytes).unwrap_or_else(|fault| panic!("{fault}: {bytes:?}"));
                let waiting = self
                    .router
                    .received_message(Flow { transport, local: packet.to, remote: packet.from, connection }, message);
                assert!(waiting.is_over(), "a story is too short to fill a shard");
            }
        }
    }

    fn next(&self) -> Option<Time> {
        let phones = self.phones.values().filter_map(|phone| phone.borrow().next());
        let others = [
            self.network.next(),
            self.names.next(),
            self.media.poll_timeout(),
            self.plugins.poll_timeout(),
            self.writer.poll_timeout(),
        ];
        phones.chain(others.into_iter().flatten()).min()
    }
}
