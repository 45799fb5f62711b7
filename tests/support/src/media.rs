//! The media plane without threads: one engine, driven by the simulation, its sockets on the simulated network.

use plugboard_media::{
    AddressFamily, Command, Engine, EngineConfig, Event, EventSink, Forward, Kind, LEGS_MAX, LocalMedia, MediaLeg,
    MediaPlane, OpenError, PortRange, SendError, StreamStart,
};
use plugboard_model::Time;
use plugboard_switch::Clock;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

use crate::clock::{Dice, SimClock};
use crate::network::{Network, Packet, Payload};

/// A fault that a story asks for: the media plane panics at the first command for which this is true.
type Fault = Box<dyn Fn(&Command) -> bool + Send>;

/// The media of a simulated switch.
pub(crate) struct SimMedia {
    inside: Mutex<Inside>,
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
}

impl SimMedia {
    pub(crate) fn new(
        seed: u64,
        ports: RangeInclusive<u16>,
        config: EngineConfig,
        clock: Arc<SimClock>,
        network: Network,
        wake: Arc<Notify>,
        events: EventSink,
    ) -> Self {
        let inside = Inside {
            engine: Engine::new(config, Some(Arc::new(plugboard_codec::Library))),
            ports: PortRange::new(ports),
            generations: Vec::new(),
            free: Vec::new(),
            open: BTreeMap::new(),
            by_port: BTreeMap::new(),
            queue: VecDeque::new(),
            dice: Dice::new(seed),
            fault: None,
        };
        Self { inside: Mutex::new(inside), clock, network, wake, events }
    }

    /// Carries out what waits and what is due.
    pub(crate) fn work(&self, now: Time) {
        let mut inside = self.lock();
        while let Some(command) = inside.queue.pop_front() {
            let closed = if let Command::Close { leg } = command { Some(leg) } else { None };
            inside.engine.handle(now, command);
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
        self.tell(inside);
    }

    /// A datagram came to one of our ports.
    pub(crate) fn received(&self, now: Time, packet: Packet) {
        let Payload::Rtp(mut bytes) = packet.payload else { return };
        let mut inside = self.lock();
        let port = packet.to.port();
        let kind = if port.is_multiple_of(2) { Kind::Rtp } else { Kind::Rtcp };
        let Some(leg) = inside.by_port.get(&(port & !1)).copied() else { return };
        if let Some(forward) = inside.engine.packet(now, leg, kind, packet.from, &mut bytes) {
            self.forward(&inside.open, forward, &bytes);
        }
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

    pub(crate) fn break_on(&self, fault: Fault) {
        self.lock().fault = Some(fault);
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

    fn tell(&self, mut inside: MutexGuard<'_, Inside>) {
        let events: Vec<Event> = std::iter::from_fn(|| inside.engine.poll_event()).collect();
        drop(inside);
        for event in events {
            (self.events)(event);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // A fault that a story asked for is raised when nothing is half done.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn close(&mut self, now: Time, leg: MediaLeg) {
        if let Some(port) = self.open.remove(&leg) {
            self.by_port.remove(&port);
            self.ports.give_back(now, port);
            self.free.extend(u32::try_from(leg.slot()).ok());
        }
    }

    fn slot(&mut self) -> Option<MediaLeg> {
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
        Some(MediaLeg::new(0, slot, *generation))
    }
}

impl MediaPlane for SimMedia {
    fn shards(&self) -> usize {
        1
    }

    fn open(&self, shard: usize, family: AddressFamily) -> Result<LocalMedia, OpenError> {
        let now = self.clock.now();
        let mut inside = self.lock();
        let port = inside.ports.take(now)?;
        let leg = inside.slot().ok_or(OpenError::ShardFull { shard, limit: LEGS_MAX })?;
        let [a, b] = [inside.dice.roll(), inside.dice.roll()];
        let start = StreamStart {
            ssrc: u32::try_from(a >> 32).unwrap_or_default(),
            sequence: u16::try_from(a & 0x7FFF).unwrap_or_default(),
            timestamp: u32::try_from(b >> 32).unwrap_or_default(),
        };
        inside.engine.open(now, leg, start);
        inside.open.insert(leg, port);
        inside.by_port.insert(port, leg);
        drop(inside);
        self.wake.notify_one();
        let address = self.network.own(family == AddressFamily::V4);
        let rtp = SocketAddr::new(address, port);
        Ok(LocalMedia { leg, rtp, rtcp: SocketAddr::new(address, port.saturating_add(1)) })
    }

    fn send(&self, command: Command) -> Result<(), SendError> {
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
