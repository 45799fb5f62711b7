//! Microsoft SQL Server: questions, and values as its driver has them.

use futures_util::TryStreamExt;
use serde_json::Value as Json;
use tiberius::{AuthMethod, Client, ColumnData, Config, EncryptionLevel, QueryItem};
use tokio::net::UnixStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use super::line::Line;
use super::rows::{Cells, Collected, fraction, short_fraction, unshown};
use super::site::Attempt;
use super::statement::{Placeholders, statement};
use super::time::{date, hexadecimal, moment, time};
use super::{NoRows, Query, Server, Tls, Value, reason};

/// Days from the year 1, and from 1900, to 1970.
const SINCE_YEAR_1: i64 = 719_162;
const SINCE_1900: i64 = 25_567;
const DAY_MICROS: i64 = 86_400_000_000;

/// A connection.
pub(super) struct SqlServer(Client<Compat<UnixStream>>);

impl SqlServer {
    /// Opens one, and says for what: `ApplicationIntent=ReadOnly` leads to a copy for reading where there is one, and forbids nothing.
    pub(super) async fn open(server: &Server, line: Line, writes: bool, roots: &[u8]) -> Result<Self, NoRows> {
        let mut config = Config::new();
        config.host(&server.host);
        config.port(server.port);
        config.database(&server.database);
        config.application_name("plugboard");
        config.authentication(AuthMethod::sql_server(&server.user, server.password.as_deref().unwrap_or_default()));
        config.readonly(!writes);
        match server.tls {
            Tls::Verify => {
                config.encryption(EncryptionLevel::Required);
                if !roots.is_empty() {
                    config.trust_cert_ca_bundle(roots);
                }
            }
            Tls::Encrypt => {
                config.encryption(EncryptionLevel::Required);
                config.trust_cert();
            }
            Tls::None => config.encryption(EncryptionLevel::NotSupported),
        }
        match Box::pin(Client::connect(config, line.end()?.compat())).await {
            Ok(client) => Ok(Self(client)),
            Err(tiberius::error::Error::Server(told)) => {
                Err(NoRows::Unreachable(format!("it does not let the switch in: {}", reason(&told.message()))))
            }
            Err(error) => Err(NoRows::Unreachable(reason(&error))),
        }
    }

    /// Whether the other side is still there.
    pub(super) async fn is_well(&mut self) -> bool {
        match self.0.simple_query("SELECT 1").await {
            Ok(stream) => stream.into_results().await.is_ok(),
            Err(_) => false,
        }
    }

    /// Asks in a transaction; one that is to read alone is rolled back, whatever it did.
    pub(super) async fn ask(&mut self, query: &Query, attempt: &Attempt, rows: &mut Collected) -> Result<(), NoRows> {
        self.0.begin_transaction().await.map_err(|error| failed(&error))?;
        let told = self.answers(query, rows).await;
        match &told {
            Ok(()) if query.writes => {
                attempt.may_be_done();
                self.0.commit_transaction().await.map_err(|error| failed(&error))
            }
            Ok(()) => self.0.rollback_transaction().await.map_err(|error| failed(&error)),
            // Graver ones have rolled back already: then this is refused, too.
            Err(NoRows::Refused(_)) => {
                let _ = self.0.rollback_transaction().await;
                told
            }
            // The connection is given up, and with it what was begun.
            Err(_) => told,
        }
    }

    async fn answers(&mut self, query: &Query, rows: &mut Collected) -> Result<(), NoRows> {
        let (text, values) = statement(query, Placeholders::At);
        // The office's own words, in which what comes from callers is a placeholder.
        let mut asked = tiberius::Query::new(text);
        for value in values {
            match value {
                Value::Text(text) => asked.bind(text.clone()),
                Value::Number(number) => asked.bind(*number),
                Value::Boolean(yes) => asked.bind(*yes),
            }
        }
        if query.writes {
            let done = asked.execute(&mut self.0).await.map_err(|error| failed(&error))?;
            rows.changed(done.total());
            return Ok(());
        }
        let mut items = asked.query(&mut self.0).await.map_err(|error| failed(&error))?;
        while let Some(item) = items.try_next().await.map_err(|error| failed(&error))? {
            if let QueryItem::Row(row) = item {
                rows.row(cells(&row)?)?;
            }
        }
        Ok(())
    }
}

fn failed(error: &tiberius::error::Error) -> NoRows {
    if let tiberius::error::Error::Server(told) = error {
        return NoRows::Refused(reason(&told.message()));
    }
    NoRows::Broken(reason(error))
}

fn cells(row: &tiberius::Row) -> Result<Cells, NoRows> {
    let cell = |(column, value): (&tiberius::Column, &ColumnData<'static>)| {
        let kind = format!("{:?}", column.column_type());
        let value = shown(value).ok_or_else(|| unshown(column.name(), &kind))?;
        Ok((column.name().to_owned(), value))
    };
    row.cells().map(cell).collect()
}

/// A value; `None`: it cannot be shown.
fn shown(value: &ColumnData<'_>) -> Option<Json> {
    let shown = match value {
        ColumnData::U8(value) => value.map(Json::from),
        ColumnData::I16(value) => value.map(Json::from),
        ColumnData::I32(value) => value.map(Json::from),
        ColumnData::I64(value) => value.map(Json::from),
        ColumnData::F32(value) => value.map(short_fraction),
        ColumnData::F64(value) => value.map(fraction),
        ColumnData::Bit(value) => value.map(Json::from),
        ColumnData::String(value) => value.as_deref().map(Json::from),
        ColumnData::Guid(value) => value.map(|id| id.to_string().into()),
        ColumnData::Binary(value) => value.as_deref().map(|bytes| hexadecimal(bytes).into()),
        ColumnData::Numeric(value) => value.map(|number| decimal(number.value(), number.scale()).into()),
        ColumnData::Xml(value) => value.as_ref().map(|xml| xml.as_ref().to_string().into()),
        ColumnData::Date(value) => value.map(|day| date(i64::from(day.days()) - SINCE_YEAR_1).into()),
        ColumnData::Time(None)
        | ColumnData::DateTime(None)
        | ColumnData::SmallDateTime(None)
        | ColumnData::DateTime2(None)
        | ColumnData::DateTimeOffset(None) => None,
        ColumnData::Time(Some(of_day)) => Some(time(micros(*of_day)?).into()),
        ColumnData::DateTime(Some(at)) => {
            let of_day = i64::from(at.seconds_fragments()) * 1_000_000 / 300;
            Some(moment((i64::from(at.days()) - SINCE_1900) * DAY_MICROS + of_day).into())
        }
        ColumnData::SmallDateTime(Some(at)) => {
            let of_day = i64::from(at.seconds_fragments()) * 60_000_000;
            Some(moment((i64::from(at.days()) - SINCE_1900) * DAY_MICROS + of_day).into())
        }
        ColumnData::DateTime2(Some(at)) => Some(moment(since_1970(*at)?).into()),
        // What the driver hands on is UTC; the zone is how it was written.
        ColumnData::DateTimeOffset(Some(at)) => Some(format!("{}Z", moment(since_1970(at.datetime2())?)).into()),
    };
    Some(shown.unwrap_or(Json::Null))
}

fn since_1970(at: tiberius::time::DateTime2) -> Option<i64> {
    let days = i64::from(at.date().days()) - SINCE_YEAR_1;
    Some(days * DAY_MICROS + micros(at.time())?)
}

/// Parts of a second, as many digits as its scale says.
fn micros(of_day: tiberius::time::Time) -> Option<i64> {
    let increments = i128::from(of_day.increments());
    let micros = increments * 1_000_000 / 10_i128.checked_pow(of_day.scale().into())?;
    i64::try_from(micros).ok()
}

/// A whole number with its point put in.
fn decimal(value: i128, scale: u8) -> String {
    let (sign, digits) = (if value < 0 { "-" } else { "" }, value.unsigned_abs().to_string());
    let scale = usize::from(scale);
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at_checked(digits.len() - scale).unwrap_or((&digits, ""));
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiberius::numeric::Numeric;
    use tiberius::time::{Date, DateTime, DateTime2, DateTimeOffset, SmallDateTime, Time};

    #[test]
    fn every_type_is_shown_as_those_of_other_databases_are() {
        let at = DateTime2::new(Date::new(739_942), Time::new(327_072_500_000, 7));
        for (value, expected) in [
            (ColumnData::U8(Some(7)), "7"),
            (ColumnData::I64(Some(-7)), "-7"),
            (ColumnData::I32(None), "null"),
            (ColumnData::F32(Some(0.1)), "0.1"),
            (ColumnData::F64(Some(1.5)), "1.5"),
            (ColumnData::Bit(Some(true)), "true"),
            (ColumnData::String(Some("a\"b".into())), r#""a\"b""#),
            (ColumnData::Guid(Some(tiberius::Uuid::nil())), "\"00000000-0000-0000-0000-000000000000\""),
            (ColumnData::Binary(Some(vec![0xde, 0xad].into())), "\"dead\""),
            (ColumnData::Numeric(Some(Numeric::new_with_scale(-1_250, 2))), "\"-12.50\""),
            (ColumnData::Numeric(Some(Numeric::new_with_scale(5, 3))), "\"0.005\""),
            (ColumnData::Date(Some(Date::new(739_942))), "\"2026-11-23\""),
            (ColumnData::Time(Some(Time::new(32_707, 0))), "\"09:05:07\""),
            (ColumnData::DateTime2(Some(at)), "\"2026-11-23T09:05:07.25\""),
            (ColumnData::DateTimeOffset(Some(DateTimeOffset::new(at, 60))), "\"2026-11-23T09:05:07.25Z\""),
            (ColumnData::DateTime(Some(DateTime::new(46_347, 300))), "\"2026-11-23T00:00:01\""),
            (ColumnData::SmallDateTime(Some(SmallDateTime::new(46_347, 61))), "\"2026-11-23T01:01:00\""),
        ] {
            assert_eq!(shown(&value).unwrap().to_string(), expected, "{value:?}");
        }
    }
}
