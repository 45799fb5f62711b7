//! SQLite: a file of this machine.

use serde_json::Value as Json;
use sqlx::sqlite::{Sqlite, SqliteColumn, SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Executor, Row, TypeInfo, ValueRef};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::connection::{failed, not_opened};
use super::rows::{Cells, Collected, collect, fraction, unshown};
use super::site::Attempt;
use super::statement::{Placeholders, statement};
use super::time::hexadecimal;
use super::{NoRows, Query, Value, reason};

/// How long somebody else's writing is waited for.
const BUSY: Duration = Duration::from_secs(2);
/// Steps of its machine between two looks whether anybody still waits: a fraction of a millisecond.
const STEPS: i32 = 10_000;

/// An open file. A query that nobody waits for any more is stopped.
pub(super) struct SqliteFile {
    connection: SqliteConnection,
    over: Arc<AtomicBool>,
}

impl Drop for SqliteFile {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

impl SqliteFile {
    /// Opens a file that is there; for reading alone, unless it is to be written.
    pub(super) async fn open(path: &Path, writes: bool) -> Result<Self, NoRows> {
        let found = std::fs::metadata(path).map_err(|error| NoRows::Unreachable(reason(&error)))?;
        if !found.is_file() {
            return Err(NoRows::Unreachable("it is no file".into()));
        }
        let options = SqliteConnectOptions::new().filename(path).read_only(!writes).create_if_missing(false);
        let options = options.busy_timeout(BUSY).disable_statement_logging();
        let mut connection = options.connect().await.map_err(|error| not_opened(&error))?;
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let mut handle = connection.lock_handle().await.map_err(|error| not_opened(&error))?;
        handle.set_progress_handler(STEPS, move || !seen.load(Ordering::Relaxed));
        drop(handle);
        Ok(Self { connection, over })
    }

    pub(super) async fn ask(&mut self, query: &Query, attempt: &Attempt, rows: &mut Collected) -> Result<(), NoRows> {
        let connection = &mut self.connection;
        let begin = if query.writes { "BEGIN IMMEDIATE" } else { "BEGIN" };
        connection.execute(sqlx::raw_sql(begin)).await.map_err(|error| failed(&error))?;
        let (text, values) = statement(query, Placeholders::Numbered);
        // The office's own words, in which what comes from callers is a placeholder.
        let mut asked = sqlx::query::<Sqlite>(AssertSqlSafe(text)).persistent(false);
        for value in values {
            asked = match value {
                Value::Text(text) => asked.bind(text.clone()),
                Value::Number(number) => asked.bind(*number),
                Value::Boolean(yes) => asked.bind(*yes),
            };
        }
        let ways: (fn(&SqliteRow) -> _, fn(&_) -> _) = (cells, sqlx::sqlite::SqliteQueryResult::rows_affected);
        let told = collect::<Sqlite>((&mut *connection).fetch_many(asked), ways, rows).await;
        let end = match &told {
            Ok(()) if query.writes => {
                attempt.may_be_done();
                "COMMIT"
            }
            Ok(()) | Err(NoRows::Refused(_)) => "ROLLBACK",
            // The connection is given up, and with it what was begun.
            Err(_) => return told,
        };
        let ended = connection.execute(sqlx::raw_sql(end)).await.map(drop).map_err(|error| failed(&error));
        told.and(ended)
    }
}

fn cells(row: &SqliteRow) -> Result<Cells, NoRows> {
    let cell = |column: &SqliteColumn| {
        let value = shown(row, column).map_err(|error| failed(&error))?;
        let value = value.ok_or_else(|| unshown(column.name(), column.type_info().name()))?;
        Ok((column.name().to_owned(), value))
    };
    row.columns().iter().map(cell).collect()
}

/// A value is of what it is, whatever its column says; only truths are told by the column.
fn shown(row: &SqliteRow, column: &SqliteColumn) -> Result<Option<Json>, sqlx::Error> {
    let at = column.ordinal();
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Some(Json::Null));
    }
    let kind = raw.type_info().name().to_owned();
    Ok(match kind.as_str() {
        "INTEGER" if column.type_info().name() == "BOOLEAN" => Some((row.try_get_unchecked::<i64, _>(at)? != 0).into()),
        "INTEGER" | "BOOLEAN" | "INT8" => Some(row.try_get_unchecked::<i64, _>(at)?.into()),
        "REAL" => Some(fraction(row.try_get_unchecked(at)?)),
        "BLOB" => Some(hexadecimal(row.try_get_unchecked(at)?).into()),
        "TEXT" | "DATE" | "TIME" | "DATETIME" => Some(row.try_get_unchecked::<String, _>(at)?.into()),
        _ => None,
    })
}
