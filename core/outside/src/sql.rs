//! Questions to databases, on a thread of their own.
//!
//! Which SQL is an admin's; what comes from callers is bound as a parameter and never becomes a part of it. Which address is dialled is
//! decided when it is known: a name that leads to a private network leads nowhere, unless the database may be there.

mod connection;
mod line;
mod mysql;
mod postgresql;
mod rows;
mod server;
mod site;
mod sql_server;
mod sqlite;
mod statement;
mod time;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::Instant;

use crate::dialling::Names;
use crate::http::NoAsker;
use crate::roots::trusted_pem;
use site::Site;

/// Questions that wait to be begun: the calls of a large switch that ask in the same second.
const WAITING_MAX: usize = 4_096;
/// Databases that are remembered; the failures of others are forgotten.
const SITES_MAX: usize = 1_024;
/// How often connections are looked for that nobody needs any more.
const SWEEP: Duration = Duration::from_secs(30);
/// What a reason says at most: it stands in traces.
const REASON_MAX: usize = 200;

/// A database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Whose it is: questions to one site share its connections and its failures.
    pub site: String,
    /// Where it is.
    pub place: Place,
    /// Whether it may be on this machine or in a private network.
    pub private: bool,
    /// Connections; eight times as many questions may wait for one.
    pub at_once: u32,
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite.
    File(PathBuf),
    /// A server.
    Server(Server),
}

/// A server of databases.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// Whose SQL it speaks.
    pub kind: Kind,
    /// A name, or an address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Which of its databases.
    pub database: String,
    /// Who we are.
    pub user: String,
    /// The password: it is in no line and no reason.
    pub password: Option<String>,
    /// How it is spoken to.
    pub tls: Tls,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, host, port, database, user, password: _, tls } = self;
        write!(f, "{kind:?} {user} at {host}:{port}/{database} {tls:?}")
    }
}

/// Whose SQL a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL.
    PostgreSql,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
    /// Microsoft SQL Server.
    SqlServer,
}

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Under TLS, and its certificate is good for its name.
    Verify,
    /// Under TLS, whoever it is.
    Encrypt,
    /// In the clear.
    None,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Query {
    /// One statement, with a place for each use of a parameter.
    pub pieces: Vec<Piece>,
    /// Whether it may change something; it is asked once then.
    pub writes: bool,
    /// From now to the last row, all tries included.
    pub timeout: Duration,
    /// More tries of one that reads and fails on its way.
    pub retries: u32,
    /// Rows of the answer.
    pub rows_max: u32,
    /// Bytes of the answer.
    pub bytes_max: u32,
}

/// A part of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// SQL, of an admin.
    Sql(String),
    /// A parameter, by name, with its value.
    Parameter(String, Value),
}

/// A value that is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Boolean(bool),
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// A list in JSON of objects, one a row.
    pub rows: String,
    /// How many; where none is returned, how many were changed.
    pub count: u64,
}

/// Why nothing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRows {
    /// It took too long; nothing was changed.
    TimeOver,
    /// Nothing was asked: it cannot be found, reached or trusted, does not let us in, or failed just now.
    Unreachable(String),
    /// The connection broke; nothing was changed.
    Broken(String),
    /// Too many wait for it.
    Busy,
    /// It refused the statement.
    Refused(String),
    /// There are more rows than there may be.
    TooMany,
    /// They are longer than they may be.
    TooLong,
    /// A column is of a type that cannot be shown.
    Unshown(String),
    /// What was to be changed may have been changed.
    Unknown(String),
}

/// Where an answer goes.
pub type Reply = Box<dyn FnOnce(Result<Rows, NoRows>) + Send>;

/// Asks databases. Cheap to clone; its thread ends with the last clone.
#[derive(Clone)]
pub struct Asker {
    waiting: Sender<Asked>,
}

struct Asked {
    source: Arc<Source>,
    query: Query,
    since: Instant,
    reply: Reply,
}

impl Asker {
    /// Starts the thread. Servers are trusted by the roots in this file, or by those that the system has.
    ///
    /// # Errors
    /// [`NoAsker`].
    pub fn start(roots: Option<&Path>) -> Result<Self, NoAsker> {
        let machine = |error: &dyn std::fmt::Display| NoAsker::Machine(error.to_string());
        let roots = Arc::new(trusted_pem(roots)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| machine(&error))?;
        let inside = runtime.enter();
        let names = Names::of_machine().map_err(|error| machine(&error))?;
        drop(inside);
        let (waiting, asked) = channel(WAITING_MAX);
        let sites = Sites { names, roots, known: Mutex::default() };
        let thread = std::thread::Builder::new().name("databases".into());
        thread.spawn(move || runtime.block_on(serve(asked, &sites))).map_err(|error| machine(&error))?;
        Ok(Self { waiting })
    }

    /// Asks. `reply` is called once, from any thread, within the question's time.
    pub fn ask(&self, source: Arc<Source>, query: Query, reply: Reply) {
        if let Err(full) = self.waiting.try_send(Asked { source, query, since: Instant::now(), reply }) {
            (full.into_inner().reply)(Err(NoRows::Busy));
        }
    }
}

/// What all questions share.
struct Sites {
    names: Names,
    /// Certificates, as PEM.
    roots: Arc<Vec<u8>>,
    known: Mutex<BTreeMap<String, Arc<Site>>>,
}

impl Sites {
    /// The site of a source; one whose settings are others now begins anew.
    fn site(&self, source: &Arc<Source>) -> Arc<Site> {
        let mut sites = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(site) = sites.get(&source.site).filter(|site| site.is_of(source)) {
            return Arc::clone(site);
        }
        if sites.len() >= SITES_MAX {
            sites.retain(|_, site| Arc::strong_count(site) > 1);
        }
        let site = Arc::new(Site::new(Arc::clone(source), self.names.clone(), Arc::clone(&self.roots)));
        sites.insert(source.site.clone(), Arc::clone(&site));
        site
    }

    fn sweep(&self) {
        let sites = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        sites.values().for_each(|site| site.sweep(Instant::now()));
    }
}

async fn serve(mut waiting: Receiver<Asked>, sites: &Sites) {
    let mut next = Instant::now() + SWEEP;
    loop {
        match tokio::time::timeout_at(next, waiting.recv()).await {
            Ok(Some(asked)) => spawn_ask(sites.site(&asked.source), asked),
            Ok(None) => return,
            Err(_) => {
                sites.sweep();
                next = Instant::now() + SWEEP;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "as many at once as their sites let wait, each for a bounded time")]
fn spawn_ask(site: Arc<Site>, asked: Asked) {
    // Whoever finds no place is told so there: nothing waits without being counted.
    tokio::spawn(async move {
        let Asked { source: _, query, since, reply } = asked;
        reply(site.ask(&query, since).await);
    });
}

/// The beginning of a reason.
fn reason(error: &dyn std::fmt::Display) -> String {
    error.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_MAX).collect()
}
