//! PostgreSQL: questions, and values as its wire has them.
//!
//! Source: the PostgreSQL sources' `*send` functions, as documented for libpq's binary format.

use serde_json::Value as Json;
use sqlx::postgres::{PgConnection, PgRow, PgTypeInfo, PgTypeKind, Postgres};
use sqlx::{AssertSqlSafe, Column, Executor, Row, TypeInfo, ValueRef};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::connection::failed;
use super::rows::{Cells, Collected, collect, fraction, short_fraction, unshown};
use super::site::Attempt;
use super::statement::{Placeholders, statement};
use super::time::{date, hexadecimal, moment, time};
use super::{NoRows, Query, Value};

/// Days from 1970 to 2000, from which it counts.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS * 86_400_000_000;
/// Lists in lists.
const DIMENSIONS_MAX: usize = 6;

pub(super) async fn ask(
    connection: &mut PgConnection,
    query: &Query,
    attempt: &Attempt,
    rows: &mut Collected,
) -> Result<(), NoRows> {
    let access = if query.writes { "WRITE" } else { "ONLY" };
    let begin = format!("BEGIN READ {access}; SET LOCAL statement_timeout = {}", query.timeout.as_millis());
    connection.execute(sqlx::raw_sql(AssertSqlSafe(begin))).await.map_err(|error| failed(&error))?;
    let (text, values) = statement(query, Placeholders::Dollar);
    // The office's own words, in which what comes from callers is a placeholder.
    // It is kept prepared: where a row has types of the server's own, the driver asks for them between preparing and asking.
    let mut asked = sqlx::query::<Postgres>(AssertSqlSafe(text));
    for value in values {
        asked = match value {
            Value::Text(text) => asked.bind(text.clone()),
            Value::Number(number) => asked.bind(*number),
            Value::Boolean(yes) => asked.bind(*yes),
        };
    }
    let ways: (fn(&PgRow) -> _, fn(&_) -> _) = (cells, sqlx::postgres::PgQueryResult::rows_affected);
    let told = collect::<Postgres>((&mut *connection).fetch_many(asked), ways, rows).await;
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

fn cells(row: &PgRow) -> Result<Cells, NoRows> {
    let cell = |column: &sqlx::postgres::PgColumn| {
        let raw = row.try_get_raw(column.ordinal()).map_err(|error| failed(&error))?;
        let value = if raw.is_null() {
            Some(Json::Null)
        } else {
            raw.as_bytes().ok().and_then(|bytes| shown(column.type_info(), bytes))
        };
        let value = value.ok_or_else(|| unshown(column.name(), column.type_info().name()))?;
        Ok((column.name().to_owned(), value))
    };
    row.columns().iter().map(cell).collect()
}

/// A value; `None`: its type, or this value of it, cannot be shown.
fn shown(info: &PgTypeInfo, bytes: &[u8]) -> Option<Json> {
    let name = info.name();
    if name == "?" {
        return None;
    }
    match info.kind() {
        PgTypeKind::Array(element) => return list(element, bytes),
        PgTypeKind::Domain(base) => return shown(base, bytes),
        PgTypeKind::Enum(_) => return text(bytes),
        PgTypeKind::Simple | PgTypeKind::Pseudo | PgTypeKind::Composite(_) | PgTypeKind::Range(_) => {}
    }
    Some(match name {
        "BOOL" => Json::from(bytes.first()? != &0),
        "INT2" => i16::from_be_bytes(bytes.try_into().ok()?).into(),
        "INT4" => i32::from_be_bytes(bytes.try_into().ok()?).into(),
        "INT8" => i64::from_be_bytes(bytes.try_into().ok()?).into(),
        "OID" => u32::from_be_bytes(bytes.try_into().ok()?).into(),
        "FLOAT4" => short_fraction(f32::from_be_bytes(bytes.try_into().ok()?)),
        "FLOAT8" => fraction(f64::from_be_bytes(bytes.try_into().ok()?)),
        "NUMERIC" => numeric(bytes)?.into(),
        "TEXT" | "VARCHAR" | "CHAR" | "\"CHAR\"" | "NAME" | "UNKNOWN" | "XML" | "xml" | "citext" => text(bytes)?,
        "JSON" => serde_json::from_slice(bytes).ok()?,
        // The version of its form comes first.
        "JSONB" => serde_json::from_slice(bytes.strip_prefix(&[1])?).ok()?,
        "UUID" => uuid(bytes)?.into(),
        "BYTEA" => hexadecimal(bytes).into(),
        "DATE" => match i32::from_be_bytes(bytes.try_into().ok()?) {
            i32::MAX => "infinity".into(),
            i32::MIN => "-infinity".into(),
            days => date(i64::from(days) + EPOCH_DAYS).into(),
        },
        "TIME" => time(i64::from_be_bytes(bytes.try_into().ok()?)).into(),
        "TIMESTAMP" => since_2000(bytes, "")?.into(),
        "TIMESTAMPTZ" => since_2000(bytes, "Z")?.into(),
        "INET" | "CIDR" => address(bytes)?.into(),
        "VOID" => Json::Null,
        _ => return None,
    })
}

fn text(bytes: &[u8]) -> Option<Json> {
    std::str::from_utf8(bytes).ok().map(Json::from)
}

fn since_2000(bytes: &[u8], zone: &str) -> Option<String> {
    Some(match i64::from_be_bytes(bytes.try_into().ok()?) {
        i64::MAX => "infinity".into(),
        i64::MIN => "-infinity".into(),
        micros => format!("{}{zone}", moment(micros.saturating_add(EPOCH_MICROS))),
    })
}

fn uuid(bytes: &[u8]) -> Option<String> {
    let hex = hexadecimal(<&[u8; 16]>::try_from(bytes).ok()?);
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
    Some([part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-"))
}

/// Digits to the base of 10,000, with the place of the first.
fn numeric(bytes: &[u8]) -> Option<String> {
    const NEGATIVE: u16 = 0x4000;
    let mut words = bytes.chunks_exact(2).map(|pair| pair.try_into().map_or(0, u16::from_be_bytes));
    let (count, weight) = (words.next()?, words.next()?.cast_signed());
    let (sign, scale) = (words.next()?, usize::from(words.next()?));
    match sign {
        0 | NEGATIVE => {}
        0xc000 => return Some("NaN".into()),
        0xd000 => return Some("Infinity".into()),
        0xf000 => return Some("-Infinity".into()),
        _ => return None,
    }
    let digits: Vec<u16> = words.collect();
    if digits.len() != usize::from(count) {
        return None;
    }
    let digit = |place: i32| {
        let at = usize::try_from(i32::from(weight) - place).ok()?;
        digits.get(at).copied()
    };
    let four = |place: i32| format!("{:04}", digit(place).unwrap_or(0));
    let whole = (0..=i32::from(weight.max(0))).rev().map(four).collect::<Vec<_>>().concat();
    let whole = whole.trim_start_matches('0');
    let mut said = if whole.is_empty() { "0".to_owned() } else { whole.to_owned() };
    if scale > 0 {
        let places = i32::try_from(scale.div_ceil(4)).ok()?;
        let fraction = (1..=places).map(|place| four(-place)).collect::<Vec<_>>().concat();
        said = format!("{said}.{}", fraction.get(..scale)?);
    }
    Some(if sign == NEGATIVE { format!("-{said}") } else { said })
}

/// The family, the bits of the network, whether it is one, how many bytes, the bytes.
fn address(bytes: &[u8]) -> Option<String> {
    let [_, bits, is_network, _, rest @ ..] = bytes else { return None };
    let (address, all) = match rest.len() {
        4 => (Ipv4Addr::from(<[u8; 4]>::try_from(rest).ok()?).to_string(), 32),
        16 => (Ipv6Addr::from(<[u8; 16]>::try_from(rest).ok()?).to_string(), 128),
        _ => return None,
    };
    Some(if *is_network == 0 && *bits == all { address } else { format!("{address}/{bits}") })
}

/// A list, or a list of lists.
fn list(element: &PgTypeInfo, bytes: &[u8]) -> Option<Json> {
    let mut rest = bytes;
    let dimensions = usize::try_from(number(&mut rest)?).ok()?;
    let (_has_null, _oid) = (number(&mut rest)?, number(&mut rest)?);
    if dimensions > DIMENSIONS_MAX {
        return None;
    }
    let mut lens = Vec::new();
    for _ in 0..dimensions {
        lens.push(usize::try_from(number(&mut rest)?).ok()?);
        let _from = number(&mut rest)?;
    }
    if lens.is_empty() {
        return Some(Json::Array(Vec::new()));
    }
    items(element, &lens, &mut rest)
}

fn items(element: &PgTypeInfo, lens: &[usize], rest: &mut &[u8]) -> Option<Json> {
    let Some((len, inner)) = lens.split_first() else {
        let len = number(rest)?;
        if len < 0 {
            return Some(Json::Null);
        }
        let (value, tail) = rest.split_at_checked(usize::try_from(len).ok()?)?;
        *rest = tail;
        return shown(element, value);
    };
    let mut list = Vec::new();
    for _ in 0..*len {
        list.push(items(element, inner, rest)?);
    }
    Some(Json::Array(list))
}

fn number(rest: &mut &[u8]) -> Option<i32> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(i32::from_be_bytes(*head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[u16]) -> Option<String> {
        numeric(&words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>())
    }

    #[test]
    fn a_decimal_keeps_every_digit() {
        assert_eq!(of(&[2, 0, 0, 2, 12, 5_000]).as_deref(), Some("12.50"));
        assert_eq!(of(&[1, 0, 0x4000, 0, 7]).as_deref(), Some("-7"));
        assert_eq!(of(&[0, 0, 0, 2]).as_deref(), Some("0.00"));
        assert_eq!(of(&[1, 1, 0, 0, 3]).as_deref(), Some("30000"));
        assert_eq!(of(&[1, 0xffff, 0, 5, 12]).as_deref(), Some("0.00120"));
        assert_eq!(of(&[3, 2, 0, 0, 1, 2_345, 6_789]).as_deref(), Some("123456789"));
        assert_eq!(of(&[0, 0, 0xc000, 0]).as_deref(), Some("NaN"));
        assert_eq!(of(&[2, 0, 0, 0, 1]), None);
        assert_eq!(numeric(&[0]), None);
    }

    #[test]
    fn an_address_has_its_network_where_it_is_one() {
        assert_eq!(address(&[2, 32, 0, 4, 192, 0, 2, 1]).as_deref(), Some("192.0.2.1"));
        assert_eq!(address(&[2, 24, 1, 4, 192, 0, 2, 0]).as_deref(), Some("192.0.2.0/24"));
        assert_eq!(address(&[2, 32]), None);
    }
}
