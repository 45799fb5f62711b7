//! Where a name of SIP leads: NAPTR, SRV and addresses, best first. Sans-IO.
//!
//! A [`Locator`] is asked for one name and keeps what it found: it asks anew before that is out of date, so that a call
//! never waits for an answer but the first one. What failed is [`BadTargets`]' business.
//!
//! Source: RFC 3263 section 4, RFC 2782 (order by priority and weight), RFC 8767 (answers out of date serve while none come).

mod bad;
mod question;
#[cfg(test)]
mod tests;

pub use bad::{BAD_FOR, BadTargets};
pub use question::{Answer, NaptrRecord, NotFound, Question, Records, SrvRecord};

use crate::flow::Transport;
use plugboard_model::Time;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Services of one name, and hosts of them: a provider has two or four. Bounds what an answer can make us ask.
const SERVICES_MAX: usize = 8;
/// As above.
const HOSTS_MAX: usize = 16;
/// Targets of one name.
pub const TARGETS_MAX: usize = 32;
/// Shortest time that an answer is kept: a zone with a TTL of 0 must not make us ask without end.
pub const TTL_MIN: Duration = Duration::from_secs(30);
/// Longest time that an answer is kept: who moves a service expects everybody to follow within an hour.
pub const TTL_MAX: Duration = Duration::from_secs(3_600);
/// How long "there is no such name" is kept, at most (RFC 2308 section 5 allows hours; a typing error is mended sooner).
pub const NEGATIVE_TTL_MAX: Duration = Duration::from_secs(300);
/// After answers that failed we ask again so soon.
const RETRY: Duration = Duration::from_secs(30);
/// What was found is good for so long while no server answers (RFC 8767 section 5 names one to three days).
const STALE_MAX: Duration = Duration::from_secs(86_400);
/// An answer that has not come after so long has failed: a resolver itself gives up after 10 s.
const PATIENCE: Duration = Duration::from_secs(15);

/// Whom to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// A host name; an address needs no [`Locator`].
    pub host: String,
    /// With a port only addresses are asked for (RFC 3263 section 4.2).
    pub port: Option<u16>,
    /// Without one NAPTR and SRV decide (RFC 3263 section 4.1).
    pub transport: Option<Transport>,
    /// The transports that we speak, best first.
    pub spoken: Vec<Transport>,
    /// Whether IPv4 and IPv6 can be reached.
    pub families: Families,
}

/// The address families that we have listeners of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Families {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

/// Where a request can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Over what.
    pub transport: Transport,
    /// To where.
    pub address: SocketAddr,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.transport.name(), self.address)
    }
}

/// What a locator is told.
#[derive(Debug)]
pub enum Input {
    /// The answer to a question of [`Locator::poll_output`].
    Answered(Question, Result<Answer, NotFound>),
    /// [`Locator::poll_timeout`] is reached.
    Tick,
}

/// Finds one name, and goes on finding it.
#[derive(Debug)]
pub struct Locator {
    sought: Sought,
    state: State,
    found: Option<Found>,
    outbox: VecDeque<Question>,
}

/// How far the search is.
#[derive(Debug)]
enum State {
    /// Questions are out; who does not answer until then has failed.
    Asking { walk: Walk, until: Time },
    /// Nothing is asked until then.
    Resting { until: Time },
}

/// One search from the top.
#[derive(Debug)]
struct Walk {
    stage: Stage,
    open: BTreeSet<Question>,
    ttl: Duration,
    /// A server did not answer, or not well.
    failed: Option<String>,
    services: Vec<Service>,
    addresses: BTreeMap<String, Vec<IpAddr>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Naptr,
    Srv,
    Address,
}

/// A name in `_sip._udp.example.com`'s place, and what it has.
#[derive(Debug, Clone)]
struct Service {
    transport: Transport,
    name: String,
    hosts: Vec<SrvRecord>,
}

/// What a search found.
#[derive(Debug)]
struct Found {
    /// In the order of RFC 3263; each is drawn anew for each call by RFC 2782.
    services: Vec<Service>,
    addresses: BTreeMap<String, Vec<IpAddr>>,
    stale_at: Time,
}

impl Locator {
    /// Begins to search.
    pub fn new(now: Time, sought: Sought) -> Self {
        let mut locator = Self { sought, state: State::Resting { until: now }, found: None, outbox: VecDeque::new() };
        locator.begin(now);
        locator
    }

    /// Takes one input; read the questions with [`Locator::poll_output`].
    pub fn handle(&mut self, now: Time, input: Input) {
        match (&mut self.state, input) {
            (State::Asking { walk, .. }, Input::Answered(question, answer)) => {
                if walk.open.remove(&question) {
                    walk.take(question, answer);
                    self.go_on(now);
                }
            }
            (State::Asking { walk, until }, Input::Tick) => {
                if now >= *until {
                    walk.failed = Some("no server answered in time".into());
                    walk.open.clear();
                    self.go_on(now);
                }
            }
            (State::Resting { until }, Input::Tick) => {
                if now >= *until {
                    self.begin(now);
                }
            }
            // Of a search that was given up.
            (State::Resting { .. }, Input::Answered(..)) => {}
        }
    }

    /// The next question.
    pub fn poll_output(&mut self) -> Option<Question> {
        self.outbox.pop_front()
    }

    /// When to say [`Input::Tick`].
    pub fn poll_timeout(&self) -> Time {
        match self.state {
            State::Asking { until, .. } | State::Resting { until } => until,
        }
    }

    /// Whether the first search is not over: there may be targets soon.
    pub fn is_first(&self) -> bool {
        self.found.is_none() && matches!(self.state, State::Asking { .. })
    }

    /// Where to send, best first; `below(n)` draws a number below `n`.
    pub fn targets(&self, mut below: impl FnMut(u64) -> u64) -> Vec<Target> {
        let Some(found) = &self.found else { return Vec::new() };
        let mut targets = Vec::new();
        for service in &found.services {
            for host in drawn(&service.hosts, &mut below) {
                for address in found.addresses.get(&host.target).into_iter().flatten() {
                    let target = Target { transport: service.transport, address: SocketAddr::new(*address, host.port) };
                    if targets.len() < TARGETS_MAX && !targets.contains(&target) {
                        targets.push(target);
                    }
                }
            }
        }
        targets
    }

    fn begin(&mut self, now: Time) {
        let Sought { host, port, transport, spoken, .. } = &self.sought;
        let mut walk = Walk {
            stage: Stage::Naptr,
            open: BTreeSet::new(),
            ttl: TTL_MAX,
            failed: None,
            services: Vec::new(),
            addresses: BTreeMap::new(),
        };
        match (port, transport) {
            (Some(port), transport) => {
                walk.services = vec![own_host(host, transport.unwrap_or(Transport::Udp), *port)];
                walk.stage = Stage::Srv;
            }
            (None, Some(transport)) => {
                walk.services = vec![Service::at(host, *transport)];
                walk.stage = Stage::Srv;
                walk.ask(Question::Srv(service_name(host, *transport)));
            }
            (None, None) if spoken.len() == 1 => {
                let only = spoken.first().copied().unwrap_or(Transport::Udp);
                walk.services = vec![Service::at(host, only)];
                walk.stage = Stage::Srv;
                walk.ask(Question::Srv(service_name(host, only)));
            }
            (None, None) => walk.ask(Question::Naptr(host.clone())),
        }
        self.outbox.extend(walk.open.iter().cloned());
        self.state = State::Asking { walk, until: now + PATIENCE };
        self.go_on(now);
    }

    /// Goes to the next stage when nothing is open in this one.
    fn go_on(&mut self, now: Time) {
        let State::Asking { walk, until } = &mut self.state else { return };
        while walk.open.is_empty() {
            match walk.stage {
                Stage::Naptr => walk.ask_services(&self.sought),
                Stage::Srv => walk.ask_addresses(&self.sought),
                Stage::Address => return self.finish(now),
            }
            *until = now + PATIENCE;
            self.outbox.extend(walk.open.iter().cloned());
        }
    }

    fn finish(&mut self, now: Time) {
        let State::Asking { walk, .. } = &mut self.state else { return };
        let any = walk.addresses.values().any(|addresses| !addresses.is_empty());
        let rest = if any {
            self.found = Some(Found {
                services: std::mem::take(&mut walk.services),
                addresses: std::mem::take(&mut walk.addresses),
                stale_at: now + walk.ttl + STALE_MAX,
            });
            walk.ttl.clamp(TTL_MIN, TTL_MAX)
        } else if walk.failed.is_some() {
            // What we knew serves while no server answers.
            self.found.take_if(|found| now >= found.stale_at);
            RETRY
        } else {
            self.found = None;
            walk.ttl.clamp(TTL_MIN, NEGATIVE_TTL_MAX)
        };
        self.state = State::Resting { until: now + rest };
    }
}

impl Walk {
    fn ask(&mut self, question: Question) {
        self.open.insert(question);
    }

    fn take(&mut self, question: Question, answer: Result<Answer, NotFound>) {
        let answer = match answer {
            Ok(answer) => answer,
            Err(NotFound::Nothing { ttl }) => {
                self.ttl = self.ttl.min(ttl);
                return;
            }
            Err(NotFound::Failed { reason }) => {
                self.failed = Some(reason);
                return;
            }
        };
        self.ttl = self.ttl.min(answer.ttl);
        match (question, answer.records) {
            (Question::Naptr(_), Records::Naptr(records)) => self.services = services_of(records),
            (Question::Srv(name), Records::Srv(mut records)) => {
                // A lone dot says that there is no such service (RFC 2782).
                records.retain(|record| record.target != "." && !record.target.is_empty() && record.port != 0);
                records.truncate(HOSTS_MAX);
                for service in self.services.iter_mut().filter(|service| service.name == name) {
                    service.hosts.clone_from(&records);
                }
            }
            (Question::A(host) | Question::Aaaa(host), Records::Addresses(addresses)) => {
                let known = self.addresses.entry(host).or_default();
                // IPv4 first: what came first is tried first, and every peer has it.
                known.extend(addresses.into_iter().take(HOSTS_MAX));
                known.sort_by_key(IpAddr::is_ipv6);
            }
            // An answer to another question is none.
            (
                Question::Naptr(_) | Question::Srv(_) | Question::A(_) | Question::Aaaa(_),
                Records::Naptr(_) | Records::Srv(_) | Records::Addresses(_),
            ) => self.failed = Some("the answer is of another type than the question".into()),
        }
    }

    /// After NAPTR: SRV of what it named, or of every transport that we speak.
    fn ask_services(&mut self, sought: &Sought) {
        self.stage = Stage::Srv;
        self.services.retain(|service| sought.spoken.contains(&service.transport));
        if self.services.is_empty() {
            self.services = sought.spoken.iter().map(|transport| Service::at(&sought.host, *transport)).collect();
        }
        self.services.truncate(SERVICES_MAX);
        let names: Vec<String> = self.services.iter().map(|service| service.name.clone()).collect();
        for name in names {
            self.ask(Question::Srv(name));
        }
    }

    /// After SRV: addresses of its hosts; without any, of the name itself.
    fn ask_addresses(&mut self, sought: &Sought) {
        self.stage = Stage::Address;
        self.services.retain(|service| !service.hosts.is_empty());
        if self.services.is_empty() {
            let transport = sought.transport.or_else(|| sought.spoken.first().copied()).unwrap_or(Transport::Udp);
            self.services = vec![own_host(&sought.host, transport, transport.default_port())];
        }
        let hosts: BTreeSet<String> =
            self.services.iter().flat_map(|service| &service.hosts).map(|host| host.target.clone()).collect();
        for host in hosts.into_iter().take(HOSTS_MAX) {
            if sought.families.v4 {
                self.ask(Question::A(host.clone()));
            }
            if sought.families.v6 {
                self.ask(Question::Aaaa(host));
            }
        }
    }
}

impl Service {
    /// The service's usual name, nothing known of it yet.
    fn at(host: &str, transport: Transport) -> Self {
        Self { transport, name: service_name(host, transport), hosts: Vec::new() }
    }
}

/// The name itself, at this port.
fn own_host(host: &str, transport: Transport, port: u16) -> Service {
    let only = SrvRecord { priority: 0, weight: 0, port, target: host.to_owned() };
    Service { transport, name: String::new(), hosts: vec![only] }
}

/// RFC 3263 section 4.1: `SIP+D2U` is UDP, `SIP+D2T` TCP, `SIPS+D2T` TLS; only terminal rules to SRV (flag `s`).
fn services_of(mut records: Vec<NaptrRecord>) -> Vec<Service> {
    records.sort_by_key(|record| (record.order, record.preference));
    let transport = |service: &str| {
        let known = [("SIP+D2U", Transport::Udp), ("SIP+D2T", Transport::Tcp), ("SIPS+D2T", Transport::Tls)];
        let (_, transport) = known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(service))?;
        Some(transport)
    };
    let terminal = records.into_iter().filter(|record| record.flags.eq_ignore_ascii_case("s"));
    terminal
        .filter_map(|record| {
            let name = record.replacement.trim_end_matches('.').to_owned();
            Some(Service { transport: transport(&record.services)?, name, hosts: Vec::new() })
        })
        .filter(|service| !service.name.is_empty())
        .take(SERVICES_MAX)
        .collect()
}

fn service_name(host: &str, transport: Transport) -> String {
    let prefix = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
        // RFC 7118 has none of its own: who speaks WebSocket opens the connection himself, and is not looked for.
        Transport::Ws => "_sip._ws",
        Transport::Wss => "_sips._ws",
    };
    format!("{prefix}.{host}")
}

/// Hosts in the order in which to try them: by priority, and drawn by weight among equals (RFC 2782).
fn drawn<'h>(hosts: &'h [SrvRecord], below: &mut impl FnMut(u64) -> u64) -> Vec<&'h SrvRecord> {
    let mut left: Vec<&SrvRecord> = hosts.iter().collect();
    // Those of weight 0 stand first, so that they are drawn seldom, yet are.
    left.sort_by_key(|host| (host.priority, host.weight != 0));
    let mut order = Vec::with_capacity(left.len());
    while let Some(first) = left.first() {
        let priority = first.priority;
        let equals = left.iter().take_while(|host| host.priority == priority).count();
        let sum: u64 = left.iter().take(equals).map(|host| u64::from(host.weight)).sum();
        let mark = below(sum + 1);
        let mut running = 0;
        let chosen = left.iter().take(equals).position(|host| {
            running += u64::from(host.weight);
            running >= mark
        });
        order.push(left.remove(chosen.unwrap_or(0)));
    }
    order
}
