//! Databases that an office's actions may ask.

use crate::{Secret, Statement};
use plugboard_model::{Name, ValueType};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A database: where it is, how it knows us, what it may be asked and how much it may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// By which actions name it.
    pub id: Name,
    /// Where it is.
    pub place: DatabasePlace,
    /// For a question with all its tries, to the last row of the answer.
    pub timeout: Duration,
    /// How often more a query that only reads is tried that failed on its way.
    pub retries: u32,
    /// Connections to it.
    pub at_once: u32,
    /// Rows of an answer.
    pub rows_max: u32,
    /// Bytes of an answer.
    pub bytes_max: u32,
    /// Whether it may be on this machine or in a private network.
    pub private: bool,
    /// What it may be asked, by name.
    pub queries: BTreeMap<Name, Arc<DatabaseQuery>>,
}

impl Database {
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);
    pub(crate) const RETRIES: u32 = 1;
    pub(crate) const AT_ONCE: u32 = 4;
    pub(crate) const ROWS_MAX: u32 = 100;
    pub(crate) const BYTES_MAX: u32 = 65_536;

    /// The query of this name.
    pub fn query(&self, name: &str) -> Option<&Arc<DatabaseQuery>> {
        self.queries.get(&Name::new(name).ok()?)
    }
}

/// Whose SQL it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// PostgreSQL.
    PostgreSql,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
    /// A file of SQLite.
    Sqlite,
    /// Microsoft SQL Server.
    SqlServer,
}

impl DatabaseKind {
    /// All, as documents write them.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("postgresql", Self::PostgreSql),
        ("mysql", Self::MySql),
        ("mariadb", Self::MariaDb),
        ("sqlite", Self::Sqlite),
        ("sql-server", Self::SqlServer),
    ];

    /// As documents write it.
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// The port that its servers have unless told otherwise; a file has none.
    pub(crate) const fn port(self) -> Option<u16> {
        match self {
            Self::PostgreSql => Some(5_432),
            Self::MySql | Self::MariaDb => Some(3_306),
            Self::SqlServer => Some(1_433),
            Self::Sqlite => None,
        }
    }
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabasePlace {
    /// A file of SQLite: its whole path.
    File(String),
    /// A server.
    Server(Box<DatabaseServer>),
}

impl DatabasePlace {
    /// Whose SQL it speaks.
    pub const fn kind(&self) -> DatabaseKind {
        match self {
            Self::File(_) => DatabaseKind::Sqlite,
            Self::Server(server) => server.kind,
        }
    }
}

/// A server of databases. Its `Debug` form shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseServer {
    /// Whose SQL it speaks; never [`DatabaseKind::Sqlite`].
    pub kind: DatabaseKind,
    /// A name or an address, that of IPv6 without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Which of its databases.
    pub database: String,
    /// Who we are.
    pub user: String,
    /// How it knows that.
    pub password: Option<Secret>,
    /// How it is spoken to.
    pub tls: DatabaseTls,
}

/// How a server of databases is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DatabaseTls {
    /// Under TLS, and its certificate is good for its name.
    #[default]
    Verify,
    /// Under TLS, whoever it is.
    Encrypt,
    /// In the clear.
    None,
}

impl DatabaseTls {
    /// All, as documents write them.
    pub const WORDS: [(&'static str, Self); 3] =
        [("verify", Self::Verify), ("encrypt", Self::Encrypt), ("none", Self::None)];
}

/// A query that a database may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseQuery {
    /// By which actions name it.
    pub id: Name,
    /// Its words.
    pub sql: Statement,
    /// Its parameters: texts, numbers or booleans.
    pub parameters: BTreeMap<String, ValueType>,
    /// Whether it may change something.
    pub writes: bool,
}
