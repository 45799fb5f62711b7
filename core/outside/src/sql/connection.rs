//! A connection to a database of any kind.

use sqlx::mysql::MySqlDatabaseError;
use sqlx::{Connection as _, MySqlConnection, PgConnection};
use std::error::Error;
use std::sync::Arc;

use super::line::{Budget, Line};
use super::rows::Collected;
use super::site::Attempt;
use super::sql_server::SqlServer;
use super::sqlite::SqliteFile;
use super::{Kind, NoRows, Place, Query, Rows, Source, mysql, postgresql, reason, server};
use crate::dialling::Names;

/// How servers are found and trusted.
pub(super) struct Trust {
    pub(super) names: Names,
    /// Certificates, as PEM.
    pub(super) roots: Arc<Vec<u8>>,
}

/// A connection, in nobody's transaction.
pub(super) struct Connection {
    to: DataSource,
    /// What the server may say; a file is read here.
    budget: Option<Arc<Budget>>,
}

/// By which driver it is.
enum DataSource {
    PostgreSql(Box<PgConnection>),
    MySql(Box<MySqlConnection>),
    Sqlite(Box<SqliteFile>),
    SqlServer(Box<SqlServer>),
}

impl Connection {
    /// Opens one: for reading alone, unless it is to write.
    pub(super) async fn open(source: &Source, writes: bool, trust: &Trust) -> Result<Self, NoRows> {
        let server = match &source.place {
            Place::File(path) => {
                let file = SqliteFile::open(path, writes).await?;
                return Ok(Self { to: DataSource::Sqlite(Box::new(file)), budget: None });
            }
            Place::Server(server) => server,
        };
        let line = Line::to(server, source.private, &trust.names).await?;
        let budget = line.budget();
        let to = match server.kind {
            Kind::PostgreSql => DataSource::PostgreSql(Box::new(server::postgresql(server, line, &trust.roots).await?)),
            Kind::MySql | Kind::MariaDb => {
                DataSource::MySql(Box::new(server::mysql(server, line, &trust.roots).await?))
            }
            Kind::SqlServer => {
                DataSource::SqlServer(Box::new(Box::pin(SqlServer::open(server, line, writes, &trust.roots)).await?))
            }
        };
        Ok(Self { to, budget: Some(budget) })
    }

    /// Whether the other side is still there.
    pub(super) async fn is_well(&mut self) -> bool {
        match &mut self.to {
            DataSource::PostgreSql(connection) => connection.ping().await.is_ok(),
            DataSource::MySql(connection) => connection.ping().await.is_ok(),
            DataSource::Sqlite(_) => true,
            DataSource::SqlServer(connection) => connection.is_well().await,
        }
    }

    /// Asks in a transaction of its own, which is done whole or not at all.
    pub(super) async fn ask(&mut self, query: &Query, attempt: &Attempt) -> Result<Rows, NoRows> {
        if let Some(budget) = &self.budget {
            budget.allow(query.bytes_max);
        }
        let mut rows = Collected::new(query);
        let done = match &mut self.to {
            DataSource::PostgreSql(connection) => postgresql::ask(connection, query, attempt, &mut rows).await,
            DataSource::MySql(connection) => mysql::ask(connection, query, attempt, &mut rows).await,
            DataSource::Sqlite(file) => file.ask(query, attempt, &mut rows).await,
            DataSource::SqlServer(connection) => connection.ask(query, attempt, &mut rows).await,
        };
        match done {
            Ok(()) => Ok(rows.finish(query.writes)),
            Err(NoRows::Broken(_)) if self.budget.as_ref().is_some_and(|budget| budget.is_over()) => {
                Err(NoRows::TooLong)
            }
            Err(why) => Err(why),
        }
    }
}

/// What a driver's failure means.
pub(super) fn failed(error: &sqlx::Error) -> NoRows {
    let Some(told) = error.as_database_error() else { return NoRows::Broken(last_reason(error)) };
    let said = reason(&told.message());
    if let Some(my) = told.try_downcast_ref::<MySqlDatabaseError>() {
        return match my.number() {
            // Of MariaDB and of MySQL: it took longer than the time that we gave.
            1_969 | 3_024 => NoRows::TimeOver,
            // The server is shut down, or ended the connection.
            1_053 | 1_927 | 4_031 => NoRows::Broken(said),
            _ => NoRows::Refused(said),
        };
    }
    let code = told.code().unwrap_or_default();
    if told.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return match code.as_ref() {
            "57014" => NoRows::TimeOver,
            "57P01" | "57P02" | "57P03" => NoRows::Broken(said),
            // A table is another one than when the query was prepared on this connection; nothing was done.
            "0A000" if told.message().contains("cached plan") => NoRows::Broken(said),
            code if code.starts_with("08") => NoRows::Broken(said),
            _ => NoRows::Refused(said),
        };
    }
    // The primary code of SQLite is in the lowest byte: busy, locked, interrupted; no file, no database.
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(5 | 6 | 9) => NoRows::TimeOver,
        Ok(10 | 11 | 14 | 26) => NoRows::Unreachable(said),
        Ok(_) | Err(_) => NoRows::Refused(said),
    }
}

/// Why a driver could open nothing.
pub(super) fn not_opened(error: &sqlx::Error) -> NoRows {
    NoRows::Unreachable(match error.as_database_error() {
        Some(told) => format!("it does not let the switch in: {}", reason(&told.message())),
        None => last_reason(error),
    })
}

/// The innermost reason.
fn last_reason(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    reason(&last)
}
