//! One media thread: it waits for packets, commands and frames that are due, and lets its engine decide.

use super::pace::{Next, Pace};
use super::sys::{Epoll, EventFd, Ready};
use super::{Shared, SharedSockets};
use crate::booth::Work;
use crate::command::{Command, MediaLeg};
use crate::engine::{Engine, Forward, Kind};
use crate::outgoing::StreamStart;
use crate::plane::EventSink;
use plugboard_model::Time;
use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Commands that may wait: about a second's worth of a full shard. A shard that is further behind is stuck.
const QUEUE_MAX: usize = 4_096;

/// Sockets served for one wait; commands and frames come in between.
const READY_MAX: usize = 256;

/// Longer than any audio packet that fits an Ethernet frame; what is longer is cut and refused by its own length.
const PACKET_MAX: usize = 2_048;

/// The token of the queue's descriptor; slots end far below it.
const WAKE: u64 = u64::MAX;

/// The tokens of the sockets that browsers share, of IPv4 and IPv6.
const BROWSERS: [u64; 2] = [u64::MAX - 1, u64::MAX - 2];

/// Datagrams taken from such a socket for one wait: it is one ready socket for all its browsers.
const BROWSERS_READ_MAX: u32 = 64;

/// A leg with its sockets, on its way to the media thread.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) leg: MediaLeg,
    pub(super) start: StreamStart,
    pub(super) way: Way,
}

/// How a leg's media comes and goes.
#[derive(Debug)]
pub(super) enum Way {
    /// By sockets of its own: RTP's and RTCP's.
    Own { port: u16, sockets: [UdpSocket; 2] },
    /// By the port that browsers share.
    Shared(SocketAddr),
}

/// What a shard is handed.
#[derive(Debug)]
pub(super) enum Job {
    Open(Box<Opened>),
    Command(Command),
    /// From a worker.
    Done(Box<Work>),
    /// A worker's fault while it was at work for this leg.
    Broke(MediaLeg),
}

/// Why a job was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Full,
    Stopped,
}

/// A shard's bounded queue.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Something waits of which the thread is to be told by [`Queue::tell`].
    held: AtomicBool,
    wake: EventFd,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// The thread was told of what waits.
    signalled: bool,
    stopped: bool,
}

impl Queue {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { waiting: Mutex::default(), held: AtomicBool::new(false), wake: EventFd::new()? })
    }

    /// Takes a job and tells the thread. Full: refused, except for closes, of which there is one a leg.
    pub(super) fn push(&self, job: Job) -> Result<(), Refused> {
        self.put(job, false)
    }

    /// The same, but that the thread is told by [`Queue::tell`].
    pub(super) fn hold(&self, job: Job) -> Result<(), Refused> {
        self.put(job, true)
    }

    /// Tells the thread of what is held.
    pub(super) fn tell(&self) {
        // Whoever has held something back asks on the same thread; nearly always there is nothing, and no lock is taken.
        if !self.held.load(Ordering::Relaxed) {
            return;
        }
        let mut waiting = self.waiting();
        self.held.store(false, Ordering::Relaxed);
        let tell = !waiting.signalled && !waiting.jobs.is_empty();
        waiting.signalled |= tell;
        drop(waiting);
        if tell {
            self.wake.signal();
        }
    }

    fn put(&self, job: Job, hold: bool) -> Result<(), Refused> {
        let mut waiting = self.waiting();
        if waiting.stopped {
            return Err(Refused::Stopped);
        }
        // What comes back from workers is limited by what was given to them.
        let always = matches!(job, Job::Command(Command::Close { .. }) | Job::Done(_) | Job::Broke(_));
        if waiting.jobs.len() >= QUEUE_MAX && !always {
            return Err(Refused::Full);
        }
        // The thread takes all that waits at once, so that only the first needs to wake it. An opened leg has nothing to
        // do before the next command of it, which comes soon: where its packets go, or its close.
        let due = !waiting.signalled && !matches!(job, Job::Open(_));
        if due && hold {
            self.held.store(true, Ordering::Relaxed);
        }
        let tell = due && !hold;
        waiting.signalled |= tell;
        waiting.jobs.push_back(job);
        drop(waiting);
        if tell {
            self.wake.signal();
        }
        Ok(())
    }

    pub(super) fn stop(&self) {
        self.waiting().stopped = true;
        self.wake.signal();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Pushes and takes are whole: a panic under this lock leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sockets of one leg; a browser's has none of its own.
#[derive(Debug)]
struct Sockets {
    leg: MediaLeg,
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    port: u16,
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

/// A media thread's own state.
pub(super) struct Shard {
    number: usize,
    shared: Arc<Shared>,
    events: EventSink,
    epoll: Epoll,
    engine: Engine,
    sockets: Vec<Option<Sockets>>,
    browsers: SharedSockets,
    pace: Pace,
}

impl Shard {
    pub(super) fn new(
        number: usize,
        shared: Arc<Shared>,
        browsers: SharedSockets,
        engine: Engine,
        pace: Pace,
        events: EventSink,
    ) -> std::io::Result<Self> {
        let epoll = Epoll::new()?;
        if let Some(queue) = shared.queues.get(number) {
            epoll.add(&queue.wake, WAKE)?;
        }
        for (socket, token) in browsers.iter().zip(BROWSERS) {
            if let Some(socket) = socket {
                epoll.add(socket, token)?;
            }
        }
        let engine = engine.with_browsers(shared.browsers());
        Ok(Self { number, shared, events, epoll, engine, sockets: Vec::new(), browsers, pace })
    }

    /// Runs until the queue is stopped.
    pub(super) fn run(mut self) {
        let mut ready = Ready::new(READY_MAX);
        let mut jobs = VecDeque::new();
        let mut packet = [0; PACKET_MAX];
        let mut next = Next::Wait;
        loop {
            let patience = match next {
                Next::Look => Some(Duration::ZERO),
                Next::Wait | Next::Gather(_) => self.engine.poll_timeout().map(|at| at.since(self.shared.clock.now())),
            };
            self.epoll.wait(&mut ready, patience);
            let woke = self.shared.clock.now();
            let (mut woken, mut packets) = (false, 0);
            for token in ready.tokens() {
                if token == WAKE {
                    woken = true;
                } else if let Some(family) = BROWSERS.iter().position(|browsers| *browsers == token) {
                    packets += self.receive_browsers(family, &mut packet);
                } else {
                    self.receive(token, &mut packet);
                    packets += 1;
                }
            }
            if woken && self.take_jobs(&mut jobs) {
                return;
            }
            self.tick();
            self.hand_out();
            self.tell();
            next = self.pace.next(woke, packets);
            if let Next::Gather(until) = next {
                self.gather(until);
            }
        }
    }

    /// Leaves the sockets alone for a moment; what is due by the engine's own time is not late for it.
    #[expect(clippy::disallowed_methods, reason = "what it waits for is time: that packets come together")]
    fn gather(&self, until: Time) {
        let until = self.engine.poll_timeout().map_or(until, |at| at.min(until));
        let rest = until.since(self.shared.clock.now());
        if !rest.is_zero() {
            std::thread::sleep(rest);
        }
    }

    /// Takes one packet of a ready socket; further ones are reported again, after everybody else's.
    fn receive(&mut self, token: u64, packet: &mut [u8; PACKET_MAX]) {
        let kind = if token & 1 == 0 { Kind::Rtp } else { Kind::Rtcp };
        let Some(sockets) = slot(token >> 1).and_then(|slot| self.sockets.get(slot)?.as_ref()) else {
            return;
        };
        let Some(Ok((length, source))) = sockets.of(kind).map(|socket| socket.recv_from(packet)) else {
            return;
        };
        let leg = sockets.leg;
        let now = self.shared.clock.now();
        let engine = &mut self.engine;
        let buffer = packet.as_mut_slice();
        let forward = catch_unwind(AssertUnwindSafe(|| engine.packet(now, leg, kind, source, (buffer, length))));
        match forward {
            Ok(Some(forward)) => {
                if !send(&self.sockets, forward, packet) {
                    self.engine.count_unsent(forward.kind);
                }
            }
            Ok(None) => {}
            Err(_) => self.engine.fail_at_work(),
        }
        self.send_to_browsers();
    }

    /// Takes what browsers sent, up to a limit; more is reported again. Answers how much it was.
    fn receive_browsers(&mut self, family: usize, packet: &mut [u8; PACKET_MAX]) -> u32 {
        for taken in 0..BROWSERS_READ_MAX {
            let socket = self.browsers.get(family).and_then(Option::as_ref);
            let Some(Ok((length, source))) = socket.map(|socket| socket.recv_from(packet)) else {
                return taken;
            };
            let now = self.shared.clock.now();
            let bytes = packet.get(..length).unwrap_or_default();
            let (engine, sockets) = (&mut self.engine, &self.sockets);
            let mut unsent = 0;
            let understood = catch_unwind(AssertUnwindSafe(|| {
                engine.datagram(now, source, bytes, &mut |forward, packet| {
                    if !send(sockets, forward, packet) {
                        unsent += 1;
                    }
                });
            }));
            for _ in 0..unsent {
                self.engine.count_unsent(Kind::Rtp);
            }
            if understood.is_err() {
                self.engine.fail_at_work();
            }
            self.send_to_browsers();
        }
        BROWSERS_READ_MAX
    }

    /// Sends what sessions of browsers want sent, or drops it: they repeat what must arrive.
    fn send_to_browsers(&mut self) {
        while let Some(datagram) = self.engine.poll_datagram() {
            let [v4, v6] = &self.browsers;
            let socket = if datagram.to.is_ipv4() { v4 } else { v6 };
            if let Some(socket) = socket {
                let _sent = socket.send_to(&datagram.bytes, datagram.to);
            }
        }
    }

    /// Carries out what waits in the queue; true: it was stopped.
    fn take_jobs(&mut self, jobs: &mut VecDeque<Job>) -> bool {
        let shared = Arc::clone(&self.shared);
        let Some(queue) = shared.queues.get(self.number) else {
            return true;
        };
        queue.wake.clear();
        let stopped = {
            let mut waiting = queue.waiting();
            std::mem::swap(jobs, &mut waiting.jobs);
            waiting.signalled = false;
            waiting.stopped
        };
        for job in jobs.drain(..) {
            match job {
                Job::Open(opened) => self.open(*opened),
                Job::Command(command) => self.command(command),
                Job::Done(work) => self.done(*work),
                Job::Broke(leg) => self.engine.fail(leg),
            }
        }
        stopped
    }

    /// What waits for a worker goes to one.
    fn hand_out(&mut self) {
        while let Some(work) = self.engine.poll_work() {
            if let Err(work) = self.shared.workers.push(work) {
                self.engine.refused(work);
            }
        }
    }

    fn done(&mut self, work: Work) {
        let now = self.shared.clock.now();
        let (engine, sockets) = (&mut self.engine, &self.sockets);
        let mut unsent = 0;
        let done = catch_unwind(AssertUnwindSafe(|| {
            engine.done(now, work, &mut |forward, packet| {
                if !send(sockets, forward, packet) {
                    unsent += 1;
                }
            });
        }));
        for _ in 0..unsent {
            self.engine.count_unsent(Kind::Rtp);
        }
        if done.is_err() {
            self.engine.fail_at_work();
        }
        self.send_to_browsers();
    }

    fn open(&mut self, opened: Opened) {
        let Opened { leg, start, way } = opened;
        let now = self.shared.clock.now();
        let (own, added) = match way {
            Way::Own { port, sockets: [rtp, rtcp] } => {
                self.engine.open(now, leg, start);
                let token = u64::try_from(leg.slot()).unwrap_or(WAKE) << 1;
                let added = self.epoll.add(&rtp, token).and_then(|()| self.epoll.add(&rtcp, token | 1));
                (Some(Own { port, rtp, rtcp }), added)
            }
            Way::Shared(local) => {
                self.engine.open_browser(now, leg, start, local);
                (None, Ok(()))
            }
        };
        if self.sockets.len() <= leg.slot() {
            self.sockets.resize_with(leg.slot() + 1, || None);
        }
        if let Some(place) = self.sockets.get_mut(leg.slot()) {
            *place = Some(Sockets { leg, own });
        }
        if added.is_err() {
            // Out of kernel memory for watches: the leg would be deaf, so that it ends like any other fault.
            self.engine.fail(leg);
        }
    }

    fn command(&mut self, command: Command) {
        let now = self.shared.clock.now();
        let closed = if let Command::Close { leg } = command { Some(leg) } else { None };
        let engine = &mut self.engine;
        if catch_unwind(AssertUnwindSafe(|| engine.handle(now, command))).is_err() {
            self.engine.fail_at_work();
        }
        if let Some(leg) = closed {
            self.close(leg);
        }
        self.send_to_browsers();
    }

    fn close(&mut self, leg: MediaLeg) {
        let place = self.sockets.get_mut(leg.slot());
        if let Some(sockets) = place.and_then(|place| place.take_if(|sockets| sockets.leg == leg)) {
            let port = sockets.own.as_ref().map(|own| own.port);
            // Closed first: whoever gets the port next must be able to bind it.
            drop(sockets);
            self.shared.release(port, Some(leg));
        }
    }

    fn tick(&mut self) {
        let now = self.shared.clock.now();
        if self.engine.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        let (engine, sockets) = (&mut self.engine, &self.sockets);
        let mut unsent = 0;
        let ticked = catch_unwind(AssertUnwindSafe(|| {
            engine.tick(now, &mut |forward, packet| {
                if !send(sockets, forward, packet) {
                    unsent += 1;
                }
            });
        }));
        // What is played is RTP.
        for _ in 0..unsent {
            self.engine.count_unsent(Kind::Rtp);
        }
        if ticked.is_err() {
            self.engine.fail_at_work();
        }
        self.send_to_browsers();
    }

    fn tell(&mut self) {
        while let Some((forward, datagram)) = self.engine.poll_handshake() {
            // What is lost here is sent again by the handshake itself.
            send(&self.sockets, forward, &datagram);
        }
        while let Some(event) = self.engine.poll_event() {
            let sink = &self.events;
            // A fault of whoever listens must not end everybody's media; the panic has been printed.
            let _told = catch_unwind(AssertUnwindSafe(|| sink(event)));
        }
    }
}

impl Sockets {
    fn of(&self, kind: Kind) -> Option<&UdpSocket> {
        self.own.as_ref().map(|own| match kind {
            Kind::Rtp => &own.rtp,
            Kind::Rtcp => &own.rtcp,
        })
    }
}

/// Sends, or drops and says false: a full socket buffer is a far end's or a network's matter, and late audio is worth
/// nothing.
fn send(sockets: &[Option<Sockets>], forward: Forward, packet: &[u8]) -> bool {
    let found = sockets.get(forward.leg.slot()).and_then(Option::as_ref).filter(|sockets| sockets.leg == forward.leg);
    match (found, packet.get(..forward.length)) {
        (Some(sockets), Some(bytes)) => {
            sockets.of(forward.kind).is_some_and(|socket| socket.send_to(bytes, forward.to).is_ok())
        }
        (None, _) | (_, None) => false,
    }
}

fn slot(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests;
