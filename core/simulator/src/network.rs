//! The simulated network: datagrams that take their time, get lost, overtake each other and come twice, by the seed.

use bytes::Bytes;
use plugboard_model::Time;
use plugboard_sip::flow::{Flow, Transport};
use plugboard_switch::{Clock, Reach, SipTransport, Unsendable};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::{Dice, SimClock};
use crate::ladder::{Fate, Ladder};
use crate::salt::Salts;

/// How the network treats what is sent. Audio and signalling alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// So many of 1,000 packets are lost.
    pub lost: u64,
    /// So many of 1,000 packets come twice.
    pub doubled: u64,
    /// The shortest way, at least 1 ms.
    pub delay_ms_min: u64,
    /// The longest way. Packets overtake each other when it is longer than the shortest.
    pub delay_ms_max: u64,
}

impl Weather {
    /// Nothing is lost and everything takes 5 ms: a story can be read.
    pub const CALM: Self = Self { lost: 0, doubled: 0, delay_ms_min: 5, delay_ms_max: 5 };
    /// A bad day: a packet in twenty is lost, and the last sent may come first.
    pub const STORM: Self = Self { lost: 50, doubled: 20, delay_ms_min: 1, delay_ms_max: 120 };
}

/// What is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    Sip(Bytes),
    Rtp(Vec<u8>),
}

/// A datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) payload: Payload,
}

/// The network and everything that was ever said over it.
#[derive(Clone)]
pub(crate) struct Network {
    inside: Arc<Mutex<Inside>>,
    clock: Arc<SimClock>,
    wake: Arc<Notify>,
    switch: Arc<Addresses>,
}

/// Where the switch is.
pub(crate) struct Addresses {
    /// For phones of each family.
    pub(crate) v4: SocketAddr,
    pub(crate) v6: SocketAddr,
    /// What phones elsewhere see instead.
    pub(crate) reach: Reach,
    /// It listens on TCP as well.
    pub(crate) streams: bool,
}

impl Addresses {
    /// The one that a phone at this address sends to.
    fn seen_from(&self, phone: IpAddr) -> SocketAddr {
        let own = if phone.is_ipv4() { self.v4 } else { self.v6 };
        self.reach.public_for(phone).map_or(own, |public| SocketAddr::new(public, own.port()))
    }
}

struct Inside {
    dice: Dice,
    weather: Weather,
    under_way: BTreeMap<(Time, u64), Packet>,
    next: u64,
    ladder: Ladder,
    /// Messages with these words in their ladder line are lost, so often.
    losing: Vec<(String, usize)>,
    /// The switch's messages with these words in their ladder line are longer than a datagram can be.
    too_long: Vec<String>,
    /// The connections that phones have opened and not closed.
    connections: BTreeSet<u64>,
    next_connection: u64,
    /// Where the switch can open a connection to, and where what it sends over one is swallowed.
    takes_streams: BTreeMap<SocketAddr, bool>,
    /// Hosts that are there, with nobody at the port.
    takes_nothing: BTreeSet<SocketAddr>,
    salts: Salts,
}

impl Network {
    pub(crate) fn new(seed: u64, weather: Weather, clock: Arc<SimClock>, wake: Arc<Notify>, switch: Addresses) -> Self {
        let mut ladder = Ladder::default();
        for own in [switch.v4, switch.v6]
            .into_iter()
            .chain(switch.reach.public().map(|ip| SocketAddr::new(ip, switch.v4.port())))
        {
            ladder.name(own, "switch");
        }
        let (under_way, losing, too_long) = (BTreeMap::new(), Vec::new(), Vec::new());
        let (connections, next_connection, dice) = (BTreeSet::new(), 1, Dice::new(seed));
        let takes_streams = BTreeMap::new();
        let inside = Inside {
            dice,
            weather,
            under_way,
            next: 0,
            ladder,
            losing,
            too_long,
            connections,
            next_connection,
            takes_streams,
            takes_nothing: BTreeSet::new(),
            salts: Salts::default(),
        };
        Self { inside: Arc::new(Mutex::new(inside)), clock, wake, switch: Arc::new(switch) }
    }

    /// Sends a datagram: it arrives later, or never.
    pub(crate) fn send(&self, mut packet: Packet) {
        let now = self.clock.now();
        let mut inside = self.lock();
        if let Payload::Sip(bytes) = &mut packet.payload {
            inside.salts.look(packet.to.ip(), bytes);
            if let Some(salted) = inside.salts.salted(packet.from.ip(), bytes) {
                *bytes = salted.into();
            }
        }
        let fate = inside.fate(now, &packet);
        let copies = match fate {
            Fate::Lost => 0,
            Fate::Sent => 1,
            Fate::Doubled => 2,
        };
        for _ in 0..copies {
            let (min, max) = (inside.weather.delay_ms_min.max(1), inside.weather.delay_ms_max);
            let delay = min + inside.dice.below(max.saturating_sub(min) + 1);
            let key = (now + Duration::from_millis(delay), inside.next);
            inside.next += 1;
            inside.under_way.insert(key, packet.clone());
        }
        drop(inside);
        self.wake.notify_one();
    }

    /// The next datagram that has arrived by now.
    pub(crate) fn arrived(&self, now: Time) -> Option<Packet> {
        let mut inside = self.lock();
        let first = inside.under_way.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// When the next one arrives.
    pub(crate) fn next(&self) -> Option<Time> {
        self.lock().under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// Whether nothing of SIP is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.lock().under_way.values().any(|packet| matches!(packet.payload, Payload::Sip(_)))
    }

    pub(crate) fn name(&self, address: SocketAddr, name: &str) {
        self.lock().ladder.name(address, name);
    }

    pub(crate) fn ladder(&self) -> Ladder {
        self.lock().ladder.clone()
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.lock().weather = weather;
    }

    pub(crate) fn lose(&self, words: &str, times: usize) {
        self.lock().losing.push((words.to_owned(), times));
    }

    /// Opens a connection to the switch: its number.
    pub(crate) fn connect(&self) -> u64 {
        let mut inside = self.lock();
        let number = inside.next_connection;
        inside.next_connection += 1;
        inside.connections.insert(number);
        number
    }

    /// Closes one.
    pub(crate) fn disconnect(&self, number: u64) {
        self.lock().connections.remove(&number);
    }

    /// From now on the switch can open a connection to this address; with `swallowed`, nothing comes of what it sends there.
    pub(crate) fn takes_streams(&self, address: SocketAddr, swallowed: bool) {
        self.lock().takes_streams.insert(address, swallowed);
    }

    /// From now on the host there says of each datagram that nobody takes it (ICMP), or no longer.
    pub(crate) fn take_nothing(&self, address: SocketAddr, nothing: bool) {
        let mut inside = self.lock();
        if nothing {
            inside.takes_nothing.insert(address);
        } else {
            inside.takes_nothing.remove(&address);
        }
    }

    /// Whether it says so.
    pub(crate) fn takes_nothing(&self, address: SocketAddr) -> bool {
        self.lock().takes_nothing.contains(&address)
    }

    /// What comes from this phone is salted from now on.
    pub(crate) fn salt(&self, phone: SocketAddr, name: &str) {
        self.lock().salts.add(phone.ip(), name);
    }

    /// The salt that was found with others.
    pub(crate) fn salt_found(&self) -> Vec<String> {
        self.lock().salts.found()
    }

    pub(crate) fn too_long(&self, words: &str) {
        self.lock().too_long.push(words.to_owned());
    }

    /// The address under which a phone at this one sees the switch.
    pub(crate) fn switch(&self, phone: IpAddr) -> SocketAddr {
        self.switch.seen_from(phone)
    }

    /// Whether this is an address of the switch; what came from there would come back.
    pub(crate) fn is_switch(&self, address: IpAddr, from: IpAddr) -> bool {
        self.switch.seen_from(from).ip() == address
    }

    /// The switch's address of a family, on its side of the NAT.
    pub(crate) fn own(&self, v4: bool) -> IpAddr {
        if v4 { self.switch.v4.ip() } else { self.switch.v6.ip() }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn is_too_long(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> bool {
        let words = self.ladder.words(from, to, bytes);
        self.too_long.iter().any(|what| words.contains(what))
    }

    fn fate(&mut self, now: Time, packet: &Packet) -> Fate {
        let (lost, doubled) = (self.weather.lost, self.weather.doubled);
        let mut fate = if self.dice.chance(lost) {
            Fate::Lost
        } else if self.dice.chance(doubled) {
            Fate::Doubled
        } else {
            Fate::Sent
        };
        if let Payload::Sip(bytes) = &packet.payload {
            let words = self.ladder.words(packet.from, packet.to, bytes);
            if let Some((_, left)) = self.losing.iter_mut().find(|(what, left)| *left > 0 && words.contains(what)) {
                *left -= 1;
                fate = Fate::Lost;
            }
            self.ladder.add(now, &words, fate);
        }
        fate
    }
}

impl SipTransport for Network {
    fn send(&self, flow: Flow, bytes: Bytes) -> Result<(), Unsendable> {
        if flow.transport.is_reliable() && !self.lock().connections.contains(&flow.connection) {
            let opened = self.lock().takes_streams.get(&flow.remote).copied().filter(|_| flow.connection == 0);
            match opened {
                Some(false) => {}
                Some(true) => return Ok(()),
                None => return Err(Unsendable::Anything(flow)),
            }
        }
        let from = self.switch.seen_from(flow.remote.ip());
        if self.lock().is_too_long(from, flow.remote, &bytes) {
            return Err(Unsendable::TooLong(flow));
        }
        self.send(Packet { from, to: flow.remote, payload: Payload::Sip(bytes) });
        Ok(())
    }

    fn flow_to(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let local = self.switch.seen_from(remote.ip());
        matches!(transport, Transport::Udp | Transport::Tcp).then_some(Flow { transport, local, remote, connection: 0 })
    }

    fn public_address(&self, remote: IpAddr) -> Option<IpAddr> {
        self.switch.reach.public_for(remote)
    }

    fn local_addresses(&self) -> Vec<(Transport, SocketAddr)> {
        let transports = [Transport::Udp, Transport::Tcp].into_iter().take(if self.switch.streams { 2 } else { 1 });
        transports.flat_map(|transport| [(transport, self.switch.v4), (transport, self.switch.v6)]).collect()
    }
}
