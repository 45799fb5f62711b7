//! MySQL and MariaDB: questions, and values as their wire has them.

use serde_json::Value as Json;
use sqlx::mysql::{MySql, MySqlColumn, MySqlConnection, MySqlRow, MySqlTypeInfo};
use sqlx::{AssertSqlSafe, Column, Executor, Row, Type, TypeInfo, ValueRef};

use super::connection::failed;
use super::rows::{Cells, Collected, collect, fraction, short_fraction, unshown};
use super::site::Attempt;
use super::statement::{Placeholders, statement};
use super::time::hexadecimal;
use super::{NoRows, Query, Value};

pub(super) async fn ask(
    connection: &mut MySqlConnection,
    query: &Query,
    attempt: &Attempt,
    rows: &mut Collected,
) -> Result<(), NoRows> {
    let access = if query.writes { "WRITE" } else { "ONLY" };
    // Each of the two reads what the other takes for a comment: both have a limit for a statement, by other names.
    let millis = query.timeout.as_millis();
    let begin = format!(
        "SET SESSION sql_select_limit = DEFAULT /*M!, max_statement_time = {}.{:03} */ /*!50708 , max_execution_time = {millis} */; \
         START TRANSACTION READ {access}",
        millis / 1_000,
        millis % 1_000
    );
    connection.execute(sqlx::raw_sql(AssertSqlSafe(begin))).await.map_err(|error| failed(&error))?;
    let (text, values) = statement(query, Placeholders::Question);
    // The office's own words, in which what comes from callers is a placeholder.
    let mut asked = sqlx::query::<MySql>(AssertSqlSafe(text)).persistent(false);
    for value in values {
        asked = match value {
            Value::Text(text) => asked.bind(text.clone()),
            Value::Number(number) => asked.bind(*number),
            Value::Boolean(yes) => asked.bind(*yes),
        };
    }
    if query.writes {
        // Not every kind of table knows transactions.
        attempt.may_be_done();
    }
    let ways: (fn(&MySqlRow) -> _, fn(&_) -> _) = (cells, sqlx::mysql::MySqlQueryResult::rows_affected);
    let told = collect::<MySql>((&mut *connection).fetch_many(asked), ways, rows).await;
    let end = match &told {
        Ok(()) if query.writes => "COMMIT",
        Ok(()) | Err(NoRows::Refused(_)) => "ROLLBACK",
        // The connection is given up, and with it what was begun.
        Err(_) => return told,
    };
    let ended = connection.execute(sqlx::raw_sql(end)).await.map(drop).map_err(|error| failed(&error));
    told.and(ended)
}

fn cells(row: &MySqlRow) -> Result<Cells, NoRows> {
    let cell = |column: &MySqlColumn| {
        let value = shown(row, column).map_err(|error| failed(&error))?;
        let value = value.ok_or_else(|| unshown(column.name(), column.type_info().name()))?;
        Ok((column.name().to_owned(), value))
    };
    row.columns().iter().map(cell).collect()
}

/// A value; `None`: its type, or this value of it, cannot be shown.
fn shown(row: &MySqlRow, column: &MySqlColumn) -> Result<Option<Json>, sqlx::Error> {
    let (at, info) = (column.ordinal(), column.type_info());
    if row.try_get_raw(at)?.is_null() {
        return Ok(Some(Json::Null));
    }
    Ok(match info.name() {
        "BOOLEAN" => Some(Json::from(row.try_get_unchecked::<i8, _>(at)? != 0)),
        "TINYINT" | "SMALLINT" | "INT" | "MEDIUMINT" | "BIGINT" => Some(row.try_get_unchecked::<i64, _>(at)?.into()),
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "INT UNSIGNED" | "MEDIUMINT UNSIGNED" | "BIGINT UNSIGNED"
        | "YEAR" | "BIT" => Some(row.try_get_unchecked::<u64, _>(at)?.into()),
        "FLOAT" => Some(short_fraction(row.try_get_unchecked(at)?)),
        "DOUBLE" => Some(fraction(row.try_get_unchecked::<f64, _>(at)?)),
        "DATE" => moment(row.try_get_unchecked(at)?).map(Json::from),
        "DATETIME" => moment(row.try_get_unchecked(at)?).map(|moment| timed(moment).into()),
        // The session's zone is UTC.
        "TIMESTAMP" => moment(row.try_get_unchecked(at)?).map(|moment| format!("{}Z", timed(moment)).into()),
        "TIME" => span(row.try_get_unchecked(at)?).map(Json::from),
        "JSON" => serde_json::from_slice(row.try_get_unchecked::<&[u8], _>(at)?).ok(),
        "DECIMAL" | "ENUM" | "SET" => text(row.try_get_unchecked(at)?),
        "GEOMETRY" => None,
        _ => {
            let bytes: &[u8] = row.try_get_unchecked(at)?;
            if is_text(info) { text(bytes) } else { Some(hexadecimal(bytes).into()) }
        }
    })
}

/// What tells texts from bytes is how they are sorted.
fn is_text(info: &MySqlTypeInfo) -> bool {
    <str as Type<MySql>>::compatible(info)
}

fn text(bytes: &[u8]) -> Option<Json> {
    std::str::from_utf8(bytes).ok().map(Json::from)
}

/// A date with as much of a time as is not zero: the year, the month, the day; hours, minutes, seconds; microseconds.
///
/// Source: MySQL's protocol, binary values of `MYSQL_TYPE_DATETIME`.
fn moment(bytes: &[u8]) -> Option<String> {
    let (len, rest) = bytes.split_first()?;
    if *len == 0 {
        return Some("0000-00-00".into());
    }
    let [low, high, month, day, rest @ ..] = rest else { return None };
    let date = format!("{:04}-{month:02}-{day:02}", u16::from_le_bytes([*low, *high]));
    match rest {
        [] => Some(date),
        [hour, minute, second] => Some(format!("{date}T{hour:02}:{minute:02}:{second:02}")),
        [hour, minute, second, micros @ ..] => {
            let micros = u32::from_le_bytes(micros.try_into().ok()?);
            let time = format!("{date}T{hour:02}:{minute:02}:{second:02}.{micros:06}");
            Some(time.trim_end_matches('0').trim_end_matches('.').to_owned())
        }
        [_] | [_, _] => None,
    }
}

/// Midnight is not sent.
fn timed(moment: String) -> String {
    if moment.contains('T') { moment } else { format!("{moment}T00:00:00") }
}

/// A time, which may be a span of days: whether it is negative, days, hours, minutes, seconds, microseconds.
fn span(bytes: &[u8]) -> Option<String> {
    let (len, rest) = bytes.split_first()?;
    if *len == 0 {
        return Some("00:00:00".into());
    }
    let (negative, rest) = rest.split_first()?;
    let (days, rest) = rest.split_first_chunk::<4>()?;
    let [hour, minute, second, micros @ ..] = rest else { return None };
    let hours = u64::from(u32::from_le_bytes(*days)) * 24 + u64::from(*hour);
    let sign = if *negative == 0 { "" } else { "-" };
    let whole = format!("{sign}{hours:02}:{minute:02}:{second:02}");
    if micros.is_empty() {
        return Some(whole);
    }
    let micros = u32::from_le_bytes(micros.try_into().ok()?);
    Some(format!("{whole}.{micros:06}").trim_end_matches('0').trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_read_as_the_wire_has_them() {
        assert_eq!(moment(&[4, 0xea, 7, 11, 23]).as_deref(), Some("2026-11-23"));
        assert_eq!(moment(&[7, 0xea, 7, 11, 23, 9, 5, 7]).as_deref(), Some("2026-11-23T09:05:07"));
        assert_eq!(
            moment(&[11, 0xea, 7, 11, 23, 9, 5, 7, 0x90, 0xd0, 3, 0]).as_deref(),
            Some("2026-11-23T09:05:07.25")
        );
        assert_eq!(moment(&[0]).as_deref(), Some("0000-00-00"));
        assert_eq!(moment(&[4, 1, 2]), None);
        assert_eq!(span(&[8, 1, 1, 0, 0, 0, 2, 3, 4]).as_deref(), Some("-26:03:04"));
        assert_eq!(span(&[12, 0, 0, 0, 0, 0, 2, 3, 4, 0x90, 0xd0, 3, 0]).as_deref(), Some("02:03:04.25"));
        assert_eq!(span(&[0]).as_deref(), Some("00:00:00"));
        assert_eq!(span(&[8, 0]), None);
    }
}
