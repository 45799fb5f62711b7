//! Questions to the domain name system, answered by hickory-resolver on a thread of its own.

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Questions that wait or are under way. A switch with a hundred gateways asks a few hundred at its start.
const QUESTIONS_MAX: usize = 1_024;
/// How long one server has for one answer, and how often all are asked: ten seconds at most, in which a lost datagram costs
/// nothing.
const SERVER_PATIENCE: Duration = Duration::from_millis(2_500);
/// As above.
const ATTEMPTS: usize = 2;
/// How long "there is nothing" is good where the zone does not say (RFC 2308 section 5 leaves it to us).
const NEGATIVE_TTL: Duration = Duration::from_secs(60);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Rules of a domain.
    Naptr(String),
    /// Hosts of a service.
    Srv(String),
    /// IPv4 addresses of a host.
    A(String),
    /// IPv6 addresses of a host.
    Aaaa(String),
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A rule.
    Naptr {
        /// Lower ones first.
        order: u16,
        /// Lower ones first among equal orders.
        preference: u16,
        /// What follows.
        flags: String,
        /// The service.
        services: String,
        /// The next name, without a dot at its end.
        replacement: String,
    },
    /// A host of a service.
    Srv {
        /// Lower ones first.
        priority: u16,
        /// How often it comes first among equals.
        weight: u16,
        /// Its port.
        port: u16,
        /// Its name, without a dot at its end; `.` alone says that there is no such service.
        target: String,
    },
    /// An address.
    Address(IpAddr),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Records of the type that was asked for, at least one.
    pub records: Vec<Found>,
    /// The shortest of their times to live.
    pub ttl: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// There is no such name, or nothing of this type.
    #[error("there is nothing of this name")]
    Nothing {
        /// For how long that is good.
        ttl: Duration,
    },
    /// No server could tell.
    #[error("{0}")]
    Failed(String),
}

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The machine's configuration names no server, or cannot be read.
    #[error("the machine's DNS configuration cannot be used: {0}")]
    Configuration(String),
    /// No thread could be started.
    #[error("no thread for DNS could be started: {0}")]
    Thread(#[from] std::io::Error),
}

type Reply = Box<dyn FnOnce(Result<Answer, NoAnswer>) + Send>;

struct Asked {
    question: Question,
    reply: Reply,
    place: OwnedSemaphorePermit,
}

/// Asks. A clone asks the same servers. The thread ends with the last clone.
#[derive(Clone)]
pub struct Resolver {
    queue: Sender<Asked>,
    places: Arc<Semaphore>,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").field("free", &self.places.available_permits()).finish_non_exhaustive()
    }
}

impl Resolver {
    /// Asks the servers that the machine asks (`/etc/resolv.conf`).
    ///
    /// # Errors
    /// [`StartError`].
    pub fn of_machine() -> Result<Self, StartError> {
        let (config, _) = hickory_resolver::system_conf::read_system_conf()
            .map_err(|error| StartError::Configuration(error.to_string()))?;
        Self::start(config)
    }

    /// Asks these servers.
    ///
    /// # Errors
    /// [`StartError::Thread`].
    pub fn of_servers(servers: &[SocketAddr]) -> Result<Self, StartError> {
        let server = |address: &SocketAddr| {
            let mut server = NameServerConfig::udp_and_tcp(address.ip());
            for connection in &mut server.connections {
                connection.port = address.port();
            }
            server
        };
        Self::start(ResolverConfig::from_parts(None, Vec::new(), servers.iter().map(server).collect()))
    }

    fn start(config: ResolverConfig) -> Result<Self, StartError> {
        let (queue, asked) = channel(QUESTIONS_MAX);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("dns".into()).spawn(move || runtime.block_on(serve(config, asked)))?;
        Ok(Self { queue, places: Arc::new(Semaphore::new(QUESTIONS_MAX)) })
    }

    /// Asks; `reply` is called once, on the thread of DNS or, when too much is asked at once, on this one.
    pub fn ask(&self, question: Question, reply: impl FnOnce(Result<Answer, NoAnswer>) + Send + 'static) {
        let reply: Reply = Box::new(reply);
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return reply(Err(NoAnswer::Failed("too many names are asked for".into())));
        };
        if let Err(refused) = self.queue.try_send(Asked { question, reply, place }) {
            let asked = match refused {
                tokio::sync::mpsc::error::TrySendError::Full(asked)
                | tokio::sync::mpsc::error::TrySendError::Closed(asked) => asked,
            };
            (asked.reply)(Err(NoAnswer::Failed("the resolver has ended".into())));
        }
    }
}

async fn serve(config: ResolverConfig, mut asked: Receiver<Asked>) {
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options();
    let resolver = match builder.build() {
        Ok(resolver) => resolver,
        Err(error) => {
            tracing::error!(%error, "no name can be looked for");
            while let Some(asked) = asked.recv().await {
                (asked.reply)(Err(NoAnswer::Failed(error.to_string())));
            }
            return;
        }
    };
    while let Some(asked) = asked.recv().await {
        spawn_look_up(resolver.clone(), asked);
    }
}

#[expect(clippy::disallowed_methods, reason = "as many as there are places, each for a bounded time")]
fn spawn_look_up(resolver: TokioResolver, Asked { question, reply, place }: Asked) {
    tokio::spawn(async move {
        let answer = look_up(&resolver, &question).await;
        reply(answer);
        drop(place);
    });
}

fn options() -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = SERVER_PATIENCE;
    options.attempts = ATTEMPTS;
    // Whoever asks keeps the answer for its time to live, and asks because that is over.
    options.cache_size = 0;
    options.ndots = 0;
    options
}

async fn look_up(resolver: &TokioResolver, question: &Question) -> Result<Answer, NoAnswer> {
    let (name, record_type) = match question {
        Question::Naptr(name) => (name, RecordType::NAPTR),
        Question::Srv(name) => (name, RecordType::SRV),
        Question::A(name) => (name, RecordType::A),
        Question::Aaaa(name) => (name, RecordType::AAAA),
    };
    let mut name = Name::from_utf8(name).map_err(|error| NoAnswer::Failed(error.to_string()))?;
    // What an admin wrote is the whole name: no search domain of the machine is put after it.
    name.set_fqdn(true);
    match resolver.lookup(name, record_type).await {
        Ok(lookup) => answer_of(&lookup, record_type),
        Err(NetError::Dns(DnsError::NoRecordsFound(none)))
            if matches!(none.response_code, ResponseCode::NoError | ResponseCode::NXDomain) =>
        {
            let ttl = none.negative_ttl.map_or(NEGATIVE_TTL, |seconds| Duration::from_secs(seconds.into()));
            Err(NoAnswer::Nothing { ttl })
        }
        Err(error) => Err(NoAnswer::Failed(error.to_string())),
    }
}

/// The records of the type that was asked for; aliases on the way count for the time to live.
fn answer_of(lookup: &Lookup, wanted: RecordType) -> Result<Answer, NoAnswer> {
    let records = lookup.answers();
    let ttl = records.iter().map(|record| record.ttl).min().unwrap_or(0);
    let ttl = Duration::from_secs(ttl.into());
    let of_type = records.iter().filter(|record| record.record_type() == wanted);
    let records: Vec<Found> = of_type.filter_map(|record| found(&record.data)).collect();
    if records.is_empty() { Err(NoAnswer::Nothing { ttl: NEGATIVE_TTL }) } else { Ok(Answer { records, ttl }) }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "no other type of record is asked for, and there are a hundred")]
fn found(data: &RData) -> Option<Found> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match data {
        RData::A(address) => Some(Found::Address(IpAddr::V4(address.0))),
        RData::AAAA(address) => Some(Found::Address(IpAddr::V6(address.0))),
        RData::SRV(srv) => {
            Some(Found::Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target: plain(&srv.target) })
        }
        RData::NAPTR(naptr) => Some(Found::Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: text(&naptr.flags),
            services: text(&naptr.services),
            replacement: plain(&naptr.replacement),
        }),
        _ => None,
    }
}

/// A name as people write it.
fn plain(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    match text.strip_suffix('.') {
        Some("") | None => text,
        Some(plain) => plain.to_owned(),
    }
}
