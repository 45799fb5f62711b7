//! What the actors of a switch share: the seams to the clock, the network, media, plugins, the store and the metrics.
//!
//! Everything in [`Env`] is a handle that is cheap to clone and safe on every thread. The production forms are wired by
//! the server; the simulator gives its own.

use plugboard_media::{AddressFamily, Audio, BrowserEnd, LocalMedia, MediaPlane, Need, OfferAnswer, OpenError};
use plugboard_metrics::Metrics;
use plugboard_model::{
    Argument, DatabaseError, DatabaseRows, HostResult, HttpError, HttpRequest, HttpResponse, Notice, NoticeEnd,
    OfficeId, Talk, Time, WallTime,
};
use plugboard_office::{Database, DatabaseQuery, HttpSource, Office};
use plugboard_plugin::{RunKey, RunSpec, StartError};
use plugboard_recorder::Recorder;
use plugboard_sip::flow::Flow;
use plugboard_sip::locate::{Answer, NotFound, Question};
use plugboard_store::Store;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::rates::RequestRates;

/// Tells the time. The only reader of the machine's clocks.
pub trait Clock: Send + Sync {
    /// Since the switch's start; never goes back.
    fn now(&self) -> Time;
    /// The time of day.
    fn wall(&self) -> WallTime;
}

/// Gives random bytes for tags, branches, nonces and ids.
pub trait Random: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// 64 random bits.
    fn next(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}

/// Sends SIP messages. Never waits: what cannot be sent at once is queued within limits or dropped and counted.
pub trait SipTransport: Send + Sync {
    /// Sends a whole message over a flow.
    ///
    /// # Errors
    /// [`Unsendable`], a transport error of RFC 3261 section 18.4. A datagram that could not be sent just now is none: it
    /// is as good as lost on its way.
    fn send(&self, flow: Flow, bytes: bytes::Bytes) -> Result<(), Unsendable>;

    /// Our address, as a peer at `remote` sees it, and the listener to use; `None` when no listener of that transport
    /// and family is open.
    fn flow_to(&self, transport: plugboard_sip::flow::Transport, remote: SocketAddr) -> Option<Flow>;

    /// The same for a peer that is known by this name: over TLS its certificate must have it (RFC 5922), and only a
    /// connection on which it was shown is used. Without a name, [`SipTransport::flow_to`], it must have the address.
    fn flow_to_named(&self, transport: plugboard_sip::flow::Transport, remote: SocketAddr, name: &str) -> Option<Flow> {
        let _ = name;
        self.flow_to(transport, remote)
    }

    /// Where peers at `remote` reach us, if that is no address of this machine: for their media description.
    fn public_address(&self, remote: std::net::IpAddr) -> Option<std::net::IpAddr> {
        let _ = remote;
        None
    }

    /// Whether a listener of ours is at this address, of whichever transport.
    fn is_own(&self, at: SocketAddr) -> bool {
        self.local_addresses().iter().any(|(_, own)| *own == at)
    }

    /// Every listener's own address.
    fn local_addresses(&self) -> Vec<(plugboard_sip::flow::Transport, SocketAddr)>;
}

/// Asks the domain name system. Never waits: the answer comes back by itself.
pub trait Dns: Send + Sync {
    /// Asks; `reply` is called once, from any thread, within half a minute.
    fn ask(&self, question: Question, reply: DnsReply);
}

/// Where an answer goes.
pub type DnsReply = Box<dyn FnOnce(Result<Answer, NotFound>) + Send>;

/// Wakes devices by push notifications (RFC 8599). Never waits: what becomes of it shows when the device registers.
///
/// `gone` is called, once and from any thread, when the service says that there is no such device any more.
pub trait Push: Send + Sync {
    /// The push services that can be asked, by the names that devices give them.
    fn providers(&self) -> &[String];
    /// Asks one to wake a device.
    fn wake(&self, device: &plugboard_sip::registrar::Push, gone: Box<dyn FnOnce() + Send>);
}

/// A message that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The connection is gone, or no way leads to this address.
    #[error("nothing can be sent over {0}")]
    Anything(Flow),
    /// It is longer than a datagram can be; others can be sent.
    #[error("a message is too long for {0}")]
    TooLong(Flow),
}

/// Runs actions; events come back through the sink that was given at its start.
pub trait Plugins: Send + Sync {
    /// Begins a run.
    ///
    /// # Errors
    /// [`StartError`]; then no event follows.
    fn start(&self, spec: RunSpec) -> Result<(), StartError>;
    /// Answers a host call. `false`: the run will not go on.
    fn resume(&self, key: RunKey, n: u32, result: HostResult) -> bool;
    /// Drops a run.
    fn cancel(&self, key: RunKey);
}

impl Plugins for plugboard_plugin::PluginThreads {
    fn start(&self, spec: RunSpec) -> Result<(), StartError> {
        Self::start(self, spec)
    }
    fn resume(&self, key: RunKey, n: u32, result: HostResult) -> bool {
        Self::resume(self, key, n, result)
    }
    fn cancel(&self, key: RunKey) {
        Self::cancel(self, key);
    }
}

/// Finds what can be played. Answers from memory: files are read when an office is loaded.
pub trait Prompts: Send + Sync {
    /// A prompt or, with `music`, music of an office, in this language where there is a choice.
    ///
    /// # Errors
    /// The reason, for the log and for the action that asked.
    fn find(&self, office: &OfficeId, name: &str, language: &str, music: bool) -> Result<Audio, String>;
}

/// A TURN server that knows our secret: browsers whose network blocks UDP reach our media through it.
pub struct Turn {
    /// Where it is: `turn:` and `turns:` URIs (RFC 7065).
    pub uris: Vec<String>,
    /// Shared with it.
    pub secret: String,
    /// How long credentials are good.
    pub lifetime: std::time::Duration,
}

impl Turn {
    /// The header that tells a user's browser where the server is, and its credentials until `lifetime` from now.
    pub fn header(&self, now: WallTime, user: &str) -> String {
        let seconds = u64::try_from(now.0).unwrap_or(0) / 1_000 + self.lifetime.as_secs();
        let username = plugboard_media::turn::username(seconds, user);
        let password = plugboard_media::turn::password(&self.secret, &username);
        let uris: Vec<String> = self.uris.iter().map(|uri| format!("<{uri}>")).collect();
        format!("{};username=\"{username}\";password=\"{password}\"", uris.join(", "))
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("uris", &self.uris).finish_non_exhaustive()
    }
}

/// Reads words aloud. Never waits: the audio comes back by itself.
pub trait Voice: Send + Sync {
    /// Asks; `reply` is called once, from any thread, within half a minute. `language` is a tag of BCP 47.
    fn speak(&self, text: &str, language: &str, reply: VoiceReply);
}

/// Where spoken words go, or the reason why there are none.
pub type VoiceReply = Box<dyn FnOnce(Result<Audio, String>) + Send>;

/// Asks services of the web. Never waits: the answer comes back by itself.
pub trait Web: Send + Sync {
    /// Asks; `reply` is called once, from any thread, within the source's time and a moment.
    fn ask(&self, asked: WebRequest, reply: WebReply);
}

/// What is asked of a service of the web.
#[derive(Debug, Clone)]
pub struct WebRequest {
    /// For which office.
    pub office: OfficeId,
    /// Its source.
    pub source: Arc<HttpSource>,
    /// What an action wants there.
    pub request: HttpRequest,
    /// The same whenever the same step of the same call is meant: the service can tell a repetition by it.
    pub key: String,
}

/// Where an answer of the web goes.
pub type WebReply = Box<dyn FnOnce(Result<HttpResponse, HttpError>) + Send>;

/// Asks databases. Never waits: the answer comes back by itself.
pub trait Databases: Send + Sync {
    /// Asks; `reply` is called once, from any thread, within the database's time and a moment.
    fn ask(&self, asked: DatabaseQuestion, reply: DatabaseReply);
}

/// What is asked of a database.
#[derive(Debug, Clone)]
pub struct DatabaseQuestion {
    /// For which office.
    pub office: OfficeId,
    /// Its database.
    pub database: Arc<Database>,
    /// The query.
    pub query: Arc<DatabaseQuery>,
    /// A value for each of its parameters, as what it takes.
    pub arguments: BTreeMap<String, Argument>,
}

/// Where an answer of a database goes.
pub type DatabaseReply = Box<dyn FnOnce(Result<DatabaseRows, DatabaseError>) + Send>;

/// Lets mail, texts and posts leave. Never waits: what became of it comes back by itself.
pub trait Carrier: Send + Sync {
    /// Lets one leave; `reply` is called once, from any thread, within some minutes.
    fn carry(&self, asked: Carriage, reply: CarriageReply);
}

/// What is to leave.
#[derive(Debug, Clone)]
pub struct Carriage {
    /// Whose it is, with its mail server, sources and so on, as they are now.
    pub office: Arc<Office>,
    /// What it is.
    pub notice: Notice,
}

/// Where it is told what became of it.
pub type CarriageReply = Box<dyn FnOnce(NoticeEnd) + Send>;

/// Looks calls of the past up. Never waits: the answer comes back by itself.
pub trait History: Send + Sync {
    /// Asks who talked with a number last; `reply` is called once, from any thread.
    fn last_talk(&self, asked: TalkQuestion, reply: TalkReply);
}

/// Who talked with a number last?
#[derive(Debug, Clone)]
pub struct TalkQuestion {
    /// In this office.
    pub office: Arc<Office>,
    /// The number, in each form in which it may be written.
    pub numbers: Vec<String>,
    /// Calls that began earlier do not count.
    pub since: WallTime,
}

/// Where that is told, or why it is not known.
pub type TalkReply = Box<dyn FnOnce(Result<Option<Talk>, String>) + Send>;

/// How many calls one shard carries at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRoom {
    /// Calls of any kind; a call costs about 30 KB.
    pub calls: usize,
    /// Beyond these, for calls for help and those that come back.
    pub help: usize,
}

impl Default for CallRoom {
    /// An office where 256 call for help at once has one emergency.
    fn default() -> Self {
        Self { calls: 20_000, help: 256 }
    }
}

/// The shared handles.
#[derive(Clone)]
pub struct Env {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Arc<dyn Random>,
    /// The network.
    pub sip: Arc<dyn SipTransport>,
    /// Names.
    pub dns: Arc<dyn Dns>,
    /// Push services.
    pub push: Arc<dyn Push>,
    /// Services of the web.
    pub web: Arc<dyn Web>,
    /// Databases.
    pub databases: Arc<dyn Databases>,
    /// Calls of the past.
    pub history: Arc<dyn History>,
    /// What lets mail, texts and posts leave.
    pub carrier: Arc<dyn Carrier>,
    /// RTP.
    pub media: Arc<dyn MediaPlane>,
    /// Actions.
    pub plugins: Arc<dyn Plugins>,
    /// What can be played.
    pub prompts: Arc<dyn Prompts>,
    /// What browsers are told of the TURN server, if there is one.
    pub turn: Option<Arc<Turn>>,
    /// What reads words aloud.
    pub voice: Arc<dyn Voice>,
    /// How often requests may come.
    pub rates: RequestRates,
    /// SIP transactions that a shard may have, at most [`plugboard_sip::transaction::TRANSACTIONS_MAX`].
    pub transactions_max: usize,
    /// How many calls a shard carries.
    pub call_room: CallRoom,
    /// What is recorded.
    pub recorder: Recorder,
    /// What is kept.
    pub store: Store,
    /// What is counted.
    pub metrics: Metrics,
}

impl Env {
    /// Opens the media of a leg whose peer is at the other end of `flow`: in its family, described as it sees us.
    pub(crate) fn open_media(
        &self,
        shard: usize,
        flow: Flow,
        browser: bool,
        need: Need,
    ) -> Result<(LocalMedia, OfferAnswer), OpenError> {
        let remote = flow.remote.ip();
        let (family, public) = (AddressFamily::from(remote), self.sip.public_address(remote));
        let seen = |media: LocalMedia| public.map_or(media, |public| media.seen_at(public));
        if browser {
            let (media, end): (_, BrowserEnd) = self.media.open_browser(shard, family)?;
            let media = seen(media);
            return Ok((media, OfferAnswer::for_browser(media, end, self.random.next())));
        }
        let media = seen(self.media.open(shard, family, need)?);
        Ok((media, OfferAnswer::new(media, self.random.next())))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_for_a_turn_server_end_after_their_lifetime_and_name_the_user() {
        let uris = vec!["turn:turn.example.com:3478".to_owned(), "turns:turn.example.com".to_owned()];
        let turn = Turn { uris, secret: "secret".to_owned(), lifetime: std::time::Duration::from_secs(3_600) };
        // printf '1700003600:101' | openssl dgst -sha1 -hmac secret -binary | base64
        let told = turn.header(WallTime(1_700_000_000_999), "101");
        assert_eq!(
            told,
            "<turn:turn.example.com:3478>, <turns:turn.example.com>;username=\"1700003600:101\";password=\"goSEE48BsbdhjGJZ4aNW+9t3T9k=\""
        );
    }
}
