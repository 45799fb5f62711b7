//! The simulation: sets everything up, moves time, looks at what is left.

mod browsers;
mod orders;
mod runs;
mod setup;
mod tapes;
mod transfers;
mod weather;

pub use orders::fax_to;
pub use setup::Setup;

use bytes::Bytes;
use plugboard_metrics::{Metrics, Readiness};
use plugboard_model::{CallRecord, JournalEntry, OfficeId, Time};
use plugboard_plugin::{Catalogue, Limits};
use plugboard_recorder::{InlineRecorder, Memory, Recorder};
use plugboard_sip::flow::{Flow, Transport};
use plugboard_sip::parse_datagram;
use plugboard_store::{InlineWriter, Place, RecordFilter, SipFlow, Store};
use plugboard_switch::{
    Clock, Env, Events, History, Holdings, OwnThread, Placement, Router, Switch, TalkQuestion, TalkReply,
};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

use crate::carrier::SimCarrier;
use crate::clock::{SimClock, SimRandom};
use crate::databases::SimDatabases;
use crate::ladder::Ladder;
use crate::media::SimMedia;
use crate::names::Names;
use crate::network::{Addresses, Network, Packet, Payload};
use crate::office::{OfficeText, Records, checked, configuration};
use crate::phone::{Account, Agent, HOME, Phone};
use crate::plugins::{SimPlugins, by_name};
use crate::pushes::Pushes;
use crate::sites::Sites;
use crate::sound::Sounds;

/// The switch's address in every story.
const SWITCH: &str = "10.0.0.1:5060";
/// For phones that speak IPv6.
const SWITCH_V6: &str = "[fd00::1]:5060";
/// A condition that has not come true after so long will not.
const PATIENCE: Duration = Duration::from_mins(3);
/// What is still under way after so long is never over: transactions take 32 s, an INVITE without a word 5 minutes, and one who is
/// parked, and whose parker is called back in vain three times, waits for eight.
const QUIET_MAX: Duration = Duration::from_mins(10);

/// A switch, its network and its phones.
pub struct Sim {
    // Declared first: the actors go before what they use.
    system: Option<OwnThread>,
    switch: Switch,
    world: World,
    metrics: Metrics,
    readiness: Readiness,
    actions: Arc<Catalogue>,
    records: Records,
    limits: Limits,
    sounds: Sounds,
    tapes: Memory,
    next_phone: u16,
}

/// Everything that time moves, but for the actors.
struct World {
    clock: Arc<SimClock>,
    network: Network,
    names: Names,
    sites: Sites,
    databases: SimDatabases,
    carrier: SimCarrier,
    pushes: Pushes,
    media: Arc<SimMedia>,
    plugins: Arc<SimPlugins>,
    store: Store,
    writer: InlineWriter,
    recorder: InlineRecorder,
    /// The recorder's disk takes nothing for a while.
    tapes_wait: Cell<bool>,
    /// The store's disk takes nothing for a while.
    store_waits: Cell<bool>,
    router: Router,
    phones: BTreeMap<IpAddr, Rc<RefCell<Agent>>>,
    /// How long each message has waited when the switch looks at it.
    waits: Cell<Duration>,
    /// What came to addresses where no phone is.
    strangers: RefCell<Vec<(SocketAddr, String)>>,
    /// How much was sent to a phone's own address behind its NAT.
    sent_into_homes: Cell<usize>,
    wake: Arc<Notify>,
}

/// Calls of the past, looked up at once: the store is in memory.
struct Past(Store);

impl History for Past {
    fn last_talk(&self, TalkQuestion { office, numbers, since }: TalkQuestion, reply: TalkReply) {
        let is_there = |user: &_| office.user(user).is_some();
        let found = self.0.calls().last_talk(&office.id, &numbers, since, &is_there);
        reply(found.map_err(|error| error.to_string()));
    }
}

/// What browsers are told of the office's TURN server.
fn turn() -> plugboard_switch::Turn {
    let uris = vec!["turn:turn.plugboard.test:3478?transport=udp".to_owned()];
    plugboard_switch::Turn { uris, secret: "turn-secret".to_owned(), lifetime: Duration::from_secs(3_600) }
}

impl Sim {
    /// The demo office in calm weather.
    pub fn demo() -> Self {
        Setup::demo().start()
    }

    #[expect(clippy::too_many_lines, reason = "one line for each seam of the switch, all in one place")]
    fn start(setup: Setup) -> Self {
        let system = OwnThread::with(|| {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_all().start_paused(true).build().unwrap_or_else(|fault| panic!("{fault}"))
        });
        let own = |text: &str| text.parse::<SocketAddr>().unwrap_or_else(|fault| panic!("{text}: {fault}"));
        let switch_address =
            Addresses { v4: own(SWITCH), v6: own(SWITCH_V6), reach: setup.reach, streams: setup.streams };
        let (sounds, pushes) = (Sounds::default(), Pushes::default());
        let records = Records::new(sounds.clone(), setup.prompts);
        let (metrics, wake, readiness) = (Metrics::new(), Arc::new(Notify::new()), Readiness::default());
        let events = Events::new(metrics.clone());
        let (store, writer) = setup.stored.unwrap_or_else(|| {
            Store::start_inline(Place::Memory, None).unwrap_or_else(|fault| panic!("no store: {fault}"))
        });
        let signal = Arc::clone(&wake);
        writer.on_queued(move || signal.notify_one());
        let disk = Box::new(setup.tapes.clone());
        let (recorder, recordings) = Recorder::start_inline(disk, Arc::new(plugboard_codec::Library), setup.tape_queue);
        let signal = Arc::clone(&wake);
        recordings.on_queued(move || signal.notify_one());
        let clock = system.block_on(async { Arc::new(SimClock::start(setup.wall)) });
        // One stream of numbers each, so that a new message of the switch does not change the weather.
        let seed = setup.seed.wrapping_mul(4);
        let network = Network::new(seed, setup.weather, Arc::clone(&clock), Arc::clone(&wake), switch_address);
        let media = Arc::new(SimMedia::new(
            seed + 1,
            setup.ports,
            (setup.engine, setup.shards),
            Arc::clone(&clock),
            network.clone(),
            Arc::clone(&wake),
            events.media_sink(),
        ));
        let catalogue = Arc::clone(&setup.actions);
        let plugins = SimPlugins::new(catalogue, setup.runner, &clock, Arc::clone(&wake), events.run_sink());
        let plugins = Arc::new(plugins);
        let names = Names::new(setup.zone, Arc::clone(&clock), Arc::clone(&wake));
        let both = || (Arc::clone(&clock), Arc::clone(&wake));
        let (sites, databases) = (Sites::new(both()), SimDatabases::new(both()));
        let carrier = SimCarrier::new(both());
        let env = Env {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SimRandom::new(seed + 2)),
            sip: Arc::new(network.clone()),
            dns: Arc::new(names.clone()),
            push: Arc::new(pushes.clone()),
            web: Arc::new(sites.clone()),
            databases: Arc::new(databases.clone()),
            carrier: Arc::new(carrier.clone()),
            history: Arc::new(Past(store.clone())),
            media: Arc::clone(&media) as Arc<dyn plugboard_media::MediaPlane>,
            plugins: Arc::clone(&plugins) as Arc<dyn plugboard_switch::Plugins>,
            prompts: Arc::new(records.clone()),
            turn: Some(Arc::new(turn())),
            voice: Arc::new(records.clone()),
            rates: setup.rates,
            transactions_max: setup.transactions,
            call_room: setup.call_room,
            recorder,
            store: store.clone(),
            metrics: metrics.clone(),
        };
        let configuration = setup
            .configuration
            .unwrap_or_else(|| configuration(&setup.offices, &by_name(&setup.actions), &records, setup.limits));
        let shown = readiness.clone();
        let switch = system
            .block_on(async { Switch::start(env, &events, shown, configuration, Placement::Here(setup.shards.0)) });
        let router = switch.router();
        let (phones, strangers, waits) = (BTreeMap::new(), RefCell::default(), Cell::new(Duration::ZERO));
        let world = World {
            clock,
            network,
            names,
            sites,
            databases,
            carrier,
            pushes,
            media,
            plugins,
            store,
            writer,
            recorder: recordings,
            tapes_wait: Cell::default(),
            store_waits: Cell::default(),
            router,
            phones,
            waits,
            strangers,
            sent_into_homes: Cell::default(),
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
            tapes: setup.tapes,
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
        let address = self.next_address();
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
        self.strange_bytes(from, text.replace('\n', "\r\n").into_bytes());
    }

    /// The same, byte for byte.
    pub fn strange_bytes(&self, from: &str, bytes: Vec<u8>) {
        let from: SocketAddr = from.parse().unwrap_or_else(|fault| panic!("{from}: {fault}"));
        let payload = Payload::Sip(bytes.into());
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

    /// What the switch said to all addresses where no phone is, since this was asked last.
    pub fn said_to_strangers(&self) -> Vec<(SocketAddr, String)> {
        self.world.strangers.take()
    }

    /// How many datagrams, of whatever kind, the switch sent to an address that only a phone behind a NAT knows as its own.
    pub fn sent_into_homes(&self) -> usize {
        self.world.sent_into_homes.get()
    }

    /// Somebody at this address who needs no account: the far side of a gateway.
    pub fn outside(&mut self, name: &str, address: &str) -> Phone {
        let address = address.parse().unwrap_or_else(|fault| panic!("{address}: {fault}"));
        self.put(name, address, None)
    }

    /// As [`Sim::new_phone`], with whatever account.
    pub(crate) fn phone_of(&mut self, name: &str, account: Account) -> Phone {
        let address = self.next_address();
        self.put(name, address, Some(account))
    }

    fn next_address(&mut self) -> SocketAddr {
        let [high, low] = self.next_phone.to_be_bytes();
        self.next_phone += 1;
        SocketAddr::from(([10, 0, high, low], 5060))
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
        note(holdings.rooms, "rooms".into());
        note(holdings.talks, "talks of users".into());
        note(holdings.waiting, "callers who wait".into());
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

    const fn system(&self) -> &OwnThread {
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
        self.sites.answer(now);
        self.databases.answer(now);
        self.carrier.answer(now);
        while let Some(packet) = self.network.arrived(now) {
            match (&packet.payload, self.network.is_switch(packet.to.ip(), packet.from.ip())) {
                (Payload::Sip(bytes), true) => {
                    let connection = self.phones.get(&packet.from.ip()).and_then(|phone| phone.borrow().connection);
                    self.received(now, &packet, bytes, connection);
                }
                (Payload::Rtp(_), true) => self.media.received(now, packet),
                (Payload::Sip(bytes), false) if self.network.takes_nothing(packet.to) => {
                    self.router.undelivered(Flow::udp(packet.from, packet.to), quote(bytes));
                }
                (Payload::Sip(bytes), false) => {
                    self.note_home(&packet);
                    if let Some(phone) = self.phones.get(&packet.to.ip()) {
                        phone.borrow_mut().received(now, packet.from, bytes);
                    } else {
                        let text = String::from_utf8_lossy(bytes).into_owned();
                        self.strangers.borrow_mut().push((packet.to, text));
                    }
                }
                (Payload::Rtp(bytes), false) => {
                    self.note_home(&packet);
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
        if !self.tapes_wait.get() {
            self.recorder.run();
        }
        self.plugins.work();
        if !self.store_waits.get() && self.writer.poll_timeout().is_some_and(|at| at <= now) {
            self.writer.run(now);
        }
    }

    fn note_home(&self, packet: &Packet) {
        if packet.to.ip() == HOME {
            self.sent_into_homes.set(self.sent_into_homes.get() + 1);
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
            self.sites.next(),
            self.databases.next(),
            self.carrier.next(),
            self.media.poll_timeout(),
            self.plugins.poll_timeout(),
            self.writer.poll_timeout().filter(|_| !self.store_waits.get()),
            (!self.tapes_wait.get() && !self.recorder.is_idle()).then_some(Time::ZERO),
        ];
        phones.chain(others.into_iter().flatten()).min()
    }
}

/// What of a datagram goes into an ICMP message of 576 bytes (RFC 1812 section 4.3.2.3).
fn quote(datagram: &Bytes) -> Bytes {
    datagram.slice(..datagram.len().min(520))
}
