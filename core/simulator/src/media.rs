//! The media plane without threads: one engine, driven by the simulation, its sockets on the simulated network.

use plugboard_media::{
    AddressFamily, BrowserEnd, Browsers, Certificate, Command, Engine, EngineConfig, Event, EventSink, Fingerprint,
    Forward, Guards, IceLogin, Kind, LEGS_MAX, LocalMedia, MediaLeg, MediaPlane, Need, OpenError, PortRange,
    SEAL_BYTES_MAX, SendError, StreamStart,
};
use plugboard_model::Time;
use plugboard_srtp::Vault;
use plugboard_switch::Clock;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

use crate::clock::{Dice, SimClock};
use crate::network::{Network, Packet, Payload};

/// Where browsers send to.
const BROWSER_PORT: u16 = 10_000;

/// A fault that a story asks for: the media plane panics at the first command for which this is true.
type Fault = Box<dyn Fn(&Command) -> bool + Send>;

/// The media of a simulated switch.
pub(crate) struct SimMedia {
    inside: Mutex<Inside>,
    /// One engine carries all of them: legs of two cannot be bridged, as threads could not.
    shards: usize,
    /// Whether there is an address of IPv4.
    v4: bool,
    clock: Arc<SimClock>,
    network: Network,
    wake: Arc<Notify>,
    events: EventSink,
}

struct Inside {
    engine: Engine,
    ports: PortRange,
    /// The slots' generations, and those that are free.
    generations: Vec<u32>,
    free: Vec<u32>,
    open: BTreeMap<MediaLeg, u16>,
    by_port: BTreeMap<u16, MediaLeg>,
    queue: VecDeque<Command>,
    dice: Dice,
    fault: Option<Fault>,
    /// After which command the media of its leg ends.
    fails: Option<Fault>,
    certificate: Arc<Certificate>,
    /// Browser legs that are open.
    browsers: std::collections::BTreeSet<MediaLeg>,
}

/// One for all simulated switches: its certificate is what runs of one seed must not differ in.
pub(crate) fn vault() -> Option<Arc<Vault>> {
    static VAULT: LazyLock<Option<Arc<Vault>>> = LazyLock::new(|| Vault::new().ok().map(Arc::new));
    VAULT.clone()
}

impl SimMedia {
    pub(crate) fn new(
        seed: u64,
        ports: RangeInclusive<u16>,
        (config, (shards, v4)): (EngineConfig, (usize, bool)),
        clock: Arc<SimClock>,
        network: Network,
        wake: Arc<Notify>,
        events: EventSink,
    ) -> Self {
        let vault = vault().map(|vault| -> Arc<dyn Guards> { vault });
        let certificate = Certificate::make().unwrap_or_else(|fault| panic!("{fault}"));
        let certificate = Arc::new(certificate);
        #[expect(
            clippy::disallowed_methods,
            reason = "an instant can be had in no other way; what counts is the time since"
        )]
        let browsers = Browsers { epoch: std::time::Instant::now(), certificate: Arc::clone(&certificate) };
        let inside = Inside {
            engine: Engine::new(config, Some(Arc::new(plugboard_codec::Library)), vault).with_browsers(browsers),
            certificate,
            browsers: std::collections::BTreeSet::new(),
            ports: PortRange::new(ports),
            generations: Vec::new(),
            free: Vec::new(),
            open: BTreeMap::new(),
            by_port: BTreeMap::new(),
            queue: VecDeque::new(),
            dice: Dice::new(seed),
            fault: None,
            fails: None,
        };
        Self { inside: Mutex::new(inside), shards, v4, clock, network, wake, events }
    }

    /// Carries out what waits and what is due.
    pub(crate) fn work(&self, now: Time) {
        let mut inside = self.lock();
        while let Some(command) = inside.queue.pop_front() {
            let closed = if let Command::Close { leg } = command { Some(leg) } else { None };
            let fails = inside.fails.as_ref().is_some_and(|fails| fails(&command)).then(|| command.leg());
            inside.engine.handle(now, command);
            if let Some(leg) = fails {
                inside.fails = None;
                inside.engine.fail(leg);
            }
            if let Some(leg) = closed {
                inside.close(now, leg);
            }
        }
        if inside.engine.poll_timeout().is_some_and(|at| at <= now) {
            let Inside { engine, open, .. } = &mut *inside;
            engine.tick(now, &mut |forward, packet| self.forward(open, forward, packet));
            // Workers take no time here.
            while let Some(mut work) = engine.poll_work() {
                work.run();
                engine.done(now, work, &mut |forward, packet| self.forward(open, forward, packet));
            }
        }
        self.datagrams(&mut inside);
        self.tell(inside);
    }

    /// A datagram came to one of our ports.
    pub(crate) fn received(&self, now: Time, packet: Packet) {
        let Payload::Rtp(mut bytes) = packet.payload else { return };
        let mut inside = self.lock();
        let port = packet.to.port();
        if port == BROWSER_PORT {
            let Inside { engine, open, .. } = &mut *inside;
            engine.datagram(now, packet.from, &bytes, &mut |forward, packet| self.forward(open, forward, packet));
            self.datagrams(&mut inside);
            return self.tell(inside);
        }
        let kind = if port.is_multiple_of(2) { Kind::Rtp } else { Kind::Rtcp };
        let Some(leg) = inside.by_port.get(&(port & !1)).copied() else { return };
        let length = bytes.len();
        bytes.resize(length + SEAL_BYTES_MAX, 0);
        if let Some(forward) = inside.engine.packet(now, leg, kind, packet.from, (&mut bytes, length)) {
            self.forward(&inside.open, forward, &bytes);
        }
        self.datagrams(&mut inside);
        self.tell(inside);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let inside = self.lock();
        if inside.queue.is_empty() { inside.engine.poll_timeout() } else { Some(Time::ZERO) }
    }

    /// Legs that the engine carries, and pairs of ports that are in use.
    pub(crate) fn in_use(&self) -> (usize, usize) {
        let inside = self.lock();
        (inside.engine.legs(), inside.ports.in_use())
    }

    pub(crate) fn fail_on(&self, fails: Fault) {
        self.lock().fails = Some(fails);
    }

    pub(crate) fn break_on(&self, fault: Fault) {
        self.lock().fault = Some(fault);
    }

    /// ICE has found every browser gone, or there again.
    pub(crate) fn browsers_are(&self, there: bool) {
        let legs: Vec<MediaLeg> = self.lock().browsers.iter().copied().collect();
        for leg in legs {
            (self.events)(if there { Event::BrowserBack { leg } } else { Event::BrowserGone { leg } });
        }
    }

    fn forward(&self, open: &BTreeMap<MediaLeg, u16>, forward: Forward, packet: &[u8]) {
        let (Some(port), Some(bytes)) = (open.get(&forward.leg), packet.get(..forward.length)) else { return };
        let port = match forward.kind {
            Kind::Rtp => *port,
            Kind::Rtcp => port.saturating_add(1),
        };
        let from = SocketAddr::new(self.network.switch(forward.to.ip()).ip(), port);
        self.network.send(Packet { from, to: forward.to, payload: Payload::Rtp(bytes.to_vec()) });
    }

    /// Sends what sessions of browsers want sent.
    fn datagrams(&self, inside: &mut Inside) {
        while let Some(datagram) = inside.engine.poll_datagram() {
            let (from, to) = (datagram.from, datagram.to);
            self.network.send(Packet { from, to, payload: Payload::Rtp(datagram.bytes) });
        }
    }

    fn tell(&self, mut inside: MutexGuard<'_, Inside>) {
        while let Some((forward, datagram)) = inside.engine.poll_handshake() {
            self.forward(&inside.open, forward, &datagram);
        }
        let events: Vec<Event> = std::iter::from_fn(|| inside.engine.poll_event()).collect();
        drop(inside);
        for event in events {
            (self.events)(event);
        }
    }

    fn number(&self, shard: usize) -> Result<u8, OpenError> {
        let shards = self.shards;
        let number = u8::try_from(shard).ok().filter(|_| shard < shards);
        number.ok_or(OpenError::NoShard { shard, shards })
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // A fault that a story asked for is raised when nothing is half done.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn close(&mut self, now: Time, leg: MediaLeg) {
        if self.browsers.remove(&leg) {
            self.free.extend(u32::try_from(leg.slot()).ok());
        }
        if let Some(port) = self.open.remove(&leg) {
            self.by_port.remove(&port);
            self.ports.give_back(now, port);
            self.free.extend(u32::try_from(leg.slot()).ok());
        }
    }

    fn login(&mut self, leg: MediaLeg) -> IceLogin {
        let dice = &mut self.dice;
        IceLogin::new(leg, || dice.roll())
    }

    fn stream_start(&mut self) -> StreamStart {
        let [a, b] = [self.dice.roll(), self.dice.roll()];
        StreamStart {
            ssrc: u32::try_from(a >> 32).unwrap_or_default(),
            sequence: u16::try_from(a & 0x7FFF).unwrap_or_default(),
            timestamp: u32::try_from(b >> 32).unwrap_or_default(),
        }
    }

    fn slot(&mut self, shard: u8) -> Option<MediaLeg> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.generations.len() < LEGS_MAX => {
                self.generations.push(0);
                u32::try_from(self.generations.len() - 1).ok()?
            }
            None => return None,
        };
        let generation = self.generations.get_mut(usize::try_from(slot).ok()?)?;
        *generation = generation.wrapping_add(1);
        Some(MediaLeg::new(shard, slot, *generation))
    }
}

impl MediaPlane for SimMedia {
    fn shards(&self) -> usize {
        self.shards
    }

    fn open(&self, shard: usize, family: AddressFamily, need: Need) -> Result<LocalMedia, OpenError> {
        let number = self.number(shard)?;
        if family == AddressFamily::V4 && !self.v4 {
            return Err(OpenError::NoFamily(family));
        }
        let now = self.clock.now();
        let mut inside = self.lock();
        let port = inside.ports.take(now, need)?;
        let leg = inside.slot(number).ok_or(OpenError::ShardFull { shard, limit: LEGS_MAX })?;
        let start = inside.stream_start();
        inside.engine.open(now, leg, start);
        inside.open.insert(leg, port);
        inside.by_port.insert(port, leg);
        drop(inside);
        self.wake.notify_one();
        let address = self.network.own(family == AddressFamily::V4);
        let rtp = SocketAddr::new(address, port);
        Ok(LocalMedia { leg, rtp, rtcp: SocketAddr::new(address, port.saturating_add(1)) })
    }

    fn open_browser(&self, shard: usize, family: AddressFamily) -> Result<(LocalMedia, BrowserEnd), OpenError> {
        let number = self.number(shard)?;
        let now = self.clock.now();
        let address = self.network.own(family == AddressFamily::V4);
        let local = SocketAddr::new(address, BROWSER_PORT);
        let mut inside = self.lock();
        let leg = inside.slot(number).ok_or(OpenError::ShardFull { shard, limit: LEGS_MAX })?;
        let start = inside.stream_start();
        let login = inside.login(leg);
        let fingerprint = inside.certificate.fingerprint();
        inside.engine.open_browser(now, leg, start, local);
        inside.browsers.insert(leg);
        drop(inside);
        self.wake.notify_one();
        let end = BrowserEnd { login, fingerprint, candidates: Vec::new(), only: false, stream: start.ssrc };
        Ok((LocalMedia { leg, rtp: local, rtcp: local }, end))
    }

    fn ice_login(&self, leg: MediaLeg) -> IceLogin {
        self.lock().login(leg)
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        vault().map(|vault| vault.fingerprint())
    }

    fn send(&self, command: Command) -> Result<(), SendError> {
        if let Command::Bridge { a, b } = command
            && a.shard() != b.shard()
        {
            return Err(SendError::DifferentShards { a, b });
        }
        let mut inside = self.lock();
        // What is broken already must be able to clean up.
        let may_break = !std::thread::panicking();
        if may_break && inside.fault.as_ref().is_some_and(|fault| fault(&command)) {
            inside.fault = None;
            drop(inside);
            std::panic::panic_any("the fault that the story asked for");
        }
        inside.queue.push_back(command);
        drop(inside);
        self.wake.notify_one();
        Ok(())
    }
}
