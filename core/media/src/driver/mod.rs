//! The production form of the media plane: threads with sockets, each running one [`Engine`](crate::Engine).
//!
//! Sockets are opened on the caller's thread, so that their ports can be written into SDP at once, and handed over
//! through the shard's queue. Both legs of a call live on one shard: a relayed packet never crosses threads.

mod pace;
mod shard;
mod sys;
mod workers;

use crate::browser::{BrowserEnd, Browsers, Certificate, CertificateError, IceLogin};
use crate::coding::Codecs;
use crate::command::{Command, MediaLeg};
use crate::engine::{Engine, EngineConfig, LEGS_MAX};
use crate::guard::Guards;
use crate::outgoing::StreamStart;
use crate::plane::{AddressFamily, EventSink, LocalMedia, MediaPlane, OpenError, SendError};
use crate::ports::{DEFAULT_PORTS, Need, PortRange};
use crate::security::Fingerprint;
use pace::Pace;
use plugboard_model::Time;
use shard::{Job, Queue, Shard};
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use workers::Workers;

/// More media threads than this no machine needs; a leg's id has eight bits for its shard.
const THREADS_MAX: usize = 64;

/// Somebody else's sockets may lie in the range; so many in a row mean that the range is not ours.
const BIND_TRIES: usize = 16;

/// Where browsers send to unless the configuration says otherwise.
pub const DEFAULT_BROWSER_PORT: u16 = 10_000;

/// A twentieth of the time between two packets of a phone.
pub const DEFAULT_GATHER: Duration = Duration::from_millis(1);

/// An address for media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    /// Where sockets are bound.
    pub bind: IpAddr,
    /// What the SDP says; the same unless a NAT lies between.
    pub advertise: IpAddr,
}

/// How the media threads run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverConfig {
    /// 1 to 64; one for each core that media may have.
    pub threads: usize,
    /// Even ports for RTP, the odd ones above for RTCP.
    pub ports: RangeInclusive<u16>,
    /// For legs over IPv4.
    pub ipv4: Option<Interface>,
    /// For legs over IPv6.
    pub ipv6: Option<Interface>,
    /// Where browsers send to: one port a thread from this one up, each for all browsers of its thread; 0: any.
    pub browser_port: u16,
    /// Under which other addresses browsers reach these ports: public ones of a NAT that leaves port numbers as they are.
    pub browser_addresses: Vec<IpAddr>,
    /// Browsers are told of those addresses alone.
    pub browser_only: bool,
    /// What the engines are told.
    pub engine: EngineConfig,
    /// Threads that pack and unpack audio, 1 to 64; they give way to those that relay.
    pub workers: usize,
    /// A busy thread looks after its sockets so often: no packet waits longer, and the thread wakes no more often. Zero: it wakes for
    /// each packet.
    pub gather: Duration,
}

/// Why the media threads did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// More or fewer threads than can be.
    #[error("media threads must be 1 to {THREADS_MAX}, not {0}")]
    Threads(usize),
    /// The port that browsers are to share is not to be had.
    #[error("could not open the port for browsers on {address}: {cause}")]
    BrowserPort {
        /// Where.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// No certificate for browsers.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The operating system refused a thread, an epoll or an event descriptor.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

impl Default for DriverConfig {
    /// One thread on 127.0.0.1, the default ports; browsers on any.
    fn default() -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            threads: 1,
            ports: DEFAULT_PORTS,
            ipv4: Some(Interface { bind: loopback, advertise: loopback }),
            ipv6: None,
            browser_port: 0,
            browser_addresses: Vec::new(),
            browser_only: false,
            engine: EngineConfig::default(),
            workers: 1,
            gather: DEFAULT_GATHER,
        }
    }
}

/// Media on dedicated epoll threads. Dropping it ends the threads and closes every socket.
#[derive(Debug)]
pub struct MediaThreads {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What the callers' threads and the media threads share.
#[derive(Debug)]
struct Shared {
    clock: Clock,
    queues: Vec<Queue>,
    workers: Workers,
    allotted: Mutex<Allotted>,
    ipv4: Option<Interface>,
    ipv6: Option<Interface>,
    random: RandomState,
    /// Of each thread, by family: where browsers send to.
    browser_ports: Vec<[Option<SocketAddr>; 2]>,
    browser_addresses: Vec<IpAddr>,
    browser_only: bool,
    certificate: Arc<Certificate>,
    /// Of whoever encrypts.
    fingerprint: Option<Fingerprint>,
}

/// Ports and slots in use.
#[derive(Debug)]
struct Allotted {
    ports: PortRange,
    slots: Vec<Slots>,
}

/// One shard's slots: those that were used before and are free, and how often each was used.
#[derive(Debug, Default)]
struct Slots {
    free: Vec<u32>,
    generations: Vec<u32>,
}

/// The driver's clock: the one place of this crate that reads time.
#[derive(Debug, Clone, Copy)]
struct Clock(Instant);

impl MediaThreads {
    /// Starts the threads. `events` is called on them: it must not wait. Without `codecs` nothing but G.711 is transcoded,
    /// without `guards` nothing is encrypted.
    ///
    /// # Errors
    /// [`StartError`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the caller gives sink and codecs away; each thread keeps a copy"
    )]
    pub fn start(
        config: DriverConfig,
        codecs: Option<Arc<dyn Codecs>>,
        guards: Option<Arc<dyn Guards>>,
        events: EventSink,
    ) -> Result<Self, StartError> {
        if !(1..=THREADS_MAX).contains(&config.threads) {
            return Err(StartError::Threads(config.threads));
        }
        let mut shared_sockets = (0..config.threads)
            .map(|number| shared_sockets(&config, number))
            .collect::<Result<Vec<_>, StartError>>()?;
        let browser_ports = shared_sockets
            .iter()
            .zip(std::iter::repeat([config.ipv4, config.ipv6]))
            .map(|(sockets, interfaces)| advertised(sockets, interfaces))
            .collect::<std::io::Result<Vec<_>>>()?;
        let workers = config.workers.clamp(1, THREADS_MAX);
        let queues = (0..config.threads).map(|_| Queue::new()).collect::<std::io::Result<Vec<_>>>()?;
        let slots = (0..config.threads).map(|_| Slots::default()).collect();
        let shared = Arc::new(Shared {
            clock: Clock::start(),
            queues,
            workers: Workers::new(workers),
            allotted: Mutex::new(Allotted { ports: PortRange::new(config.ports), slots }),
            ipv4: config.ipv4,
            ipv6: config.ipv6,
            random: RandomState::new(),
            fingerprint: guards.as_ref().map(|guards| guards.fingerprint()),
            browser_ports,
            browser_addresses: config.browser_addresses.clone(),
            browser_only: config.browser_only && !config.browser_addresses.is_empty(),
            certificate: Arc::new(Certificate::make()?),
        });
        let mut started = Self { shared: Arc::clone(&shared), threads: Vec::with_capacity(config.threads) };
        for (number, sockets) in shared_sockets.drain(..).enumerate() {
            let engine = Engine::new(config.engine, codecs.clone(), guards.clone());
            let state = Shard::new(
                number,
                Arc::clone(&shared),
                sockets,
                engine,
                Pace::new(config.gather),
                Arc::clone(&events),
            )?;
            let thread = std::thread::Builder::new().name(format!("media-{number}")).spawn(move || state.run())?;
            started.threads.push(thread);
        }
        for number in (0..workers).filter(|_| codecs.is_some()) {
            let shared = Arc::clone(&shared);
            let worker = move || shared.workers.run(&shared);
            started.threads.push(std::thread::Builder::new().name(format!("codec-{number}")).spawn(worker)?);
        }
        Ok(started)
    }

    /// How many pairs of ports are in use, and how many there are.
    pub fn ports_in_use(&self) -> (usize, usize) {
        let allotted = self.shared.allotted();
        (allotted.ports.in_use(), allotted.ports.pairs())
    }
}

/// Raises the process's limit of open descriptors as far as the system lets it, and tells it: each leg holds two.
///
/// # Errors
/// What the system says.
pub fn raise_descriptor_limit() -> std::io::Result<u64> {
    sys::raise_descriptor_limit()
}

impl MediaPlane for MediaThreads {
    fn shards(&self) -> usize {
        self.shared.queues.len()
    }

    fn open(&self, shard: usize, family: AddressFamily, need: Need) -> Result<LocalMedia, OpenError> {
        self.shared.open(shard, family, need)
    }

    fn open_browser(&self, shard: usize, family: AddressFamily) -> Result<(LocalMedia, BrowserEnd), OpenError> {
        self.shared.open_browser(shard, family)
    }

    fn ice_login(&self, leg: MediaLeg) -> IceLogin {
        IceLogin::drawn(leg)
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        self.shared.fingerprint
    }

    fn send(&self, command: Command) -> Result<(), SendError> {
        self.shared.give(command, Queue::push)
    }

    fn hold(&self, command: Command) -> Result<(), SendError> {
        self.shared.give(command, Queue::hold)
    }

    fn tell(&self) {
        for queue in &self.shared.queues {
            queue.tell();
        }
    }
}

impl Drop for MediaThreads {
    fn drop(&mut self) {
        for queue in &self.shared.queues {
            queue.stop();
        }
        self.shared.workers.stop();
        for thread in self.threads.drain(..) {
            // A shard catches its panics; one that got away has already been printed.
            let _ended = thread.join();
        }
    }
}

impl Shared {
    fn allotted(&self) -> MutexGuard<'_, Allotted> {
        // Every change under this lock is a single push or pop: a panic leaves nothing half done.
        self.allotted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(
        &self,
        command: Command,
        put: impl FnOnce(&Queue, Job) -> Result<(), shard::Refused>,
    ) -> Result<(), SendError> {
        let leg = command.leg();
        if let Command::Bridge { a, b } = command
            && a.shard() != b.shard()
        {
            return Err(SendError::DifferentShards { a, b });
        }
        let shard = usize::from(leg.shard());
        let queue = self.queues.get(shard).ok_or(SendError::NoShard(shard))?;
        put(queue, Job::Command(command)).map_err(|refused| match refused {
            shard::Refused::Full => SendError::Full(shard),
            shard::Refused::Stopped => SendError::Stopped,
        })
    }

    fn open(&self, shard: usize, family: AddressFamily, need: Need) -> Result<LocalMedia, OpenError> {
        let shards = self.queues.len();
        let queue = self.queues.get(shard).ok_or(OpenError::NoShard { shard, shards })?;
        let interface = match family {
            AddressFamily::V4 => self.ipv4,
            AddressFamily::V6 => self.ipv6,
        };
        let interface = interface.ok_or(OpenError::NoFamily(family))?;
        let (port, sockets) = self.bind(interface.bind, need)?;
        let Some(leg) = self.allotted().take_slot(shard) else {
            self.release(Some(port), None);
            return Err(OpenError::ShardFull { shard, limit: LEGS_MAX });
        };
        let local = LocalMedia {
            leg,
            rtp: SocketAddr::new(interface.advertise, port),
            rtcp: SocketAddr::new(interface.advertise, port.saturating_add(1)),
        };
        let way = shard::Way::Own { port, sockets };
        let opened = Job::Open(Box::new(shard::Opened { leg, start: self.stream_start(leg), way }));
        queue.push(opened).map_err(|refused| {
            self.release(Some(port), Some(leg));
            not_opened(refused, shard)
        })?;
        Ok(local)
    }

    fn open_browser(&self, shard: usize, family: AddressFamily) -> Result<(LocalMedia, BrowserEnd), OpenError> {
        let shards = self.queues.len();
        let queue = self.queues.get(shard).ok_or(OpenError::NoShard { shard, shards })?;
        let by_family = self.browser_ports.get(shard).copied().unwrap_or_default();
        let [v4, v6] = by_family;
        let local = match family {
            AddressFamily::V4 => v4,
            AddressFamily::V6 => v6,
        };
        let local = local.ok_or(OpenError::NoFamily(family))?;
        let leg = self.allotted().take_slot(shard).ok_or(OpenError::ShardFull { shard, limit: LEGS_MAX })?;
        let start = self.stream_start(leg);
        let opened = Job::Open(Box::new(shard::Opened { leg, start, way: shard::Way::Shared(local) }));
        queue.push(opened).map_err(|refused| {
            self.release(None, Some(leg));
            not_opened(refused, shard)
        })?;
        // The own one stands first, since the description may name another in its place.
        let others = self.browser_addresses.iter().map(|address| SocketAddr::new(*address, local.port()));
        let named = (!self.browser_only).then_some(local).into_iter().chain(others);
        let end = BrowserEnd {
            login: IceLogin::drawn(leg),
            fingerprint: self.certificate.fingerprint(),
            candidates: named.collect(),
            only: self.browser_only,
            stream: start.ssrc,
        };
        Ok((LocalMedia { leg, rtp: local, rtcp: local }, end))
    }

    fn browsers(&self) -> Browsers {
        Browsers { epoch: self.clock.0, certificate: Arc::clone(&self.certificate) }
    }

    /// Binds the next free pair, RTP first.
    fn bind(&self, address: IpAddr, need: Need) -> Result<(u16, [UdpSocket; 2]), OpenError> {
        let mut last = None;
        for _ in 0..BIND_TRIES {
            let port = self.allotted().ports.take(self.clock.now(), need)?;
            let rtp = SocketAddr::new(address, port);
            let pair = sys::bind(rtp).and_then(|first| Ok([first, sys::bind(SocketAddr::new(address, port + 1))?]));
            match pair {
                Ok(pair) => return Ok((port, pair)),
                Err(cause) => {
                    self.release(Some(port), None);
                    let taken = cause.kind() == ErrorKind::AddrInUse;
                    last = Some(OpenError::Socket { address: rtp, cause });
                    if !taken {
                        break;
                    }
                }
            }
        }
        Err(last.unwrap_or(OpenError::Stopped))
    }

    fn release(&self, port: Option<u16>, leg: Option<MediaLeg>) {
        let now = self.clock.now();
        let mut allotted = self.allotted();
        if let Some(port) = port {
            allotted.ports.give_back(now, port);
        }
        if let Some(leg) = leg {
            allotted.give_slot(leg);
        }
    }

    /// SSRC, first sequence number and first timestamp, drawn by a keyed hash (RFC 3550 section 8.1).
    fn stream_start(&self, leg: MediaLeg) -> StreamStart {
        let [b0, b1, b2, b3, b4, b5, b6, b7] = self.random.hash_one((leg.0, self.clock.now().0)).to_le_bytes();
        let ssrc = u32::from_le_bytes([b0, b1, b2, b3]);
        let timestamp = u32::from_le_bytes([b4, b5, b6, b7]);
        StreamStart { ssrc, sequence: u16::from_le_bytes([b2, b5]) >> 1, timestamp }
    }
}

fn not_opened(refused: shard::Refused, shard: usize) -> OpenError {
    match refused {
        shard::Refused::Full => OpenError::Busy(shard),
        shard::Refused::Stopped => OpenError::Stopped,
    }
}

/// A thread's sockets for browsers, of IPv4 and IPv6.
type SharedSockets = [Option<UdpSocket>; 2];

fn shared_sockets(config: &DriverConfig, number: usize) -> Result<SharedSockets, StartError> {
    let offset = u16::try_from(number).unwrap_or(u16::MAX);
    let port = if config.browser_port == 0 { 0 } else { config.browser_port.saturating_add(offset) };
    let bind = |interface: Option<Interface>| {
        let bound = interface.map(|interface| {
            let address = SocketAddr::new(interface.bind, port);
            sys::bind_shared(address).map_err(|cause| StartError::BrowserPort { address, cause })
        });
        bound.transpose()
    };
    Ok([bind(config.ipv4)?, bind(config.ipv6)?])
}

/// What browsers are told of a thread's sockets.
fn advertised(sockets: &SharedSockets, interfaces: [Option<Interface>; 2]) -> std::io::Result<[Option<SocketAddr>; 2]> {
    let mut told = [None, None];
    for ((told, socket), interface) in told.iter_mut().zip(sockets).zip(interfaces) {
        if let (Some(socket), Some(interface)) = (socket, interface) {
            *told = Some(SocketAddr::new(interface.advertise, socket.local_addr()?.port()));
        }
    }
    Ok(told)
}

impl Allotted {
    fn take_slot(&mut self, shard: usize) -> Option<MediaLeg> {
        let slots = self.slots.get_mut(shard)?;
        let slot = match slots.free.pop() {
            Some(slot) => slot,
            None if slots.generations.len() < LEGS_MAX => {
                slots.generations.push(0);
                u32::try_from(slots.generations.len() - 1).ok()?
            }
            None => return None,
        };
        let generation = slots.generations.get_mut(usize::try_from(slot).ok()?)?;
        *generation = generation.wrapping_add(1);
        Some(MediaLeg::new(u8::try_from(shard).ok()?, slot, *generation))
    }

    fn give_slot(&mut self, leg: MediaLeg) {
        if let (Some(slots), Ok(slot)) = (self.slots.get_mut(usize::from(leg.shard())), u32::try_from(leg.slot())) {
            slots.free.push(slot);
        }
    }
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the driver's clock is where media time comes from")]
    fn start() -> Self {
        Self(Instant::now())
    }

    fn now(self) -> Time {
        Time(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}
