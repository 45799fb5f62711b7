//! Databases in an office document.

use super::{Owner, Parts};
use crate::{Database, DatabaseKind, DatabasePlace, DatabaseQuery, DatabaseServer, DatabaseTls, Piece, Statement};
use plugboard_document::{Field, Fields, did_you_mean};
use plugboard_model::{Name, ValueType};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Databases that one office asks.
pub(crate) const DATABASES_MAX: usize = 16;
/// Queries of one.
pub(crate) const QUERIES_MAX: usize = 64;
/// Parameters of one.
pub(crate) const PARAMETERS_MAX: usize = 32;
/// A caller waits for it.
pub(crate) const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(30);
/// What fails four times in a few seconds is down.
pub(crate) const RETRIES_MAX: i64 = 3;
/// A server has a hundred or so for all who ask it.
pub(crate) const AT_ONCE_MAX: i64 = 32;
/// A caller is routed by one; a list is read by an action of a vendor.
pub(crate) const ROWS_MAX: i64 = 1_000;
/// An answer is kept in the journal of its call.
pub(crate) const BYTES: RangeInclusive<i64> = 1_024..=262_144;
/// Bytes of a user's, a database's or a host's name.
const NAME_MAX: usize = 128;
/// Bytes of a file's path.
pub(crate) const PATH_MAX: usize = 1_024;
/// What a parameter can be; all else is written as a text, and cast by the query.
pub(crate) const TYPES: [(&str, ValueType); 3] =
    [("text", ValueType::Text), ("number", ValueType::Number), ("boolean", ValueType::Boolean)];

impl Parts<'_> {
    /// `[{ id, kind, address, database, file, user, password, tls, timeout, retries, at_once, rows, bytes, private, queries }]`.
    pub(crate) fn databases(&mut self, field: Option<Field<'_>>) -> BTreeMap<Name, Arc<Database>> {
        let mut databases = BTreeMap::new();
        for item in self.items(field, DATABASES_MAX) {
            let Some((id, mut fields)) = self.named(&item) else { continue };
            let database = self.database(&id, &mut fields);
            fields.finish(self.faults);
            if let Some(database) = database
                && databases.insert(id, Arc::new(database)).is_some()
            {
                self.twice(&item);
            }
        }
        databases
    }

    fn database(&mut self, id: &Name, fields: &mut Fields<'_>) -> Option<Database> {
        let kind = fields.need("kind", self.faults).and_then(|field| field.one_of(&DatabaseKind::WORDS, self.faults));
        let timeout = fields.take("timeout").and_then(|field| field.duration(TIMEOUT, self.faults));
        let retries = self.count(fields, "retries", 0..=RETRIES_MAX, Database::RETRIES);
        let at_once = self.count(fields, "at_once", 1..=AT_ONCE_MAX, Database::AT_ONCE);
        let rows_max = self.count(fields, "rows", 1..=ROWS_MAX, Database::ROWS_MAX);
        let bytes_max = self.count(fields, "bytes", BYTES, Database::BYTES_MAX);
        let private = fields.take("private").and_then(|field| field.boolean(self.faults)).unwrap_or_default();
        let queries = fields.need("queries", self.faults);
        let place = match kind {
            Some(DatabaseKind::Sqlite) => self.database_file(fields, private).map(DatabasePlace::File),
            Some(kind) => self.database_server(id, kind, fields, private).map(Box::new).map(DatabasePlace::Server),
            None => {
                // Whatever else it has, nobody knows what it is to have.
                for key in ["file", "address", "database", "user", "password", "tls"] {
                    fields.take(key);
                }
                None
            }
        };
        let queries = self.database_queries(kind?, queries?);
        let place = place?;
        Some(Database {
            id: id.clone(),
            place,
            timeout: timeout.unwrap_or(Database::TIMEOUT),
            retries,
            at_once,
            rows_max,
            bytes_max,
            private,
            queries,
        })
    }

    /// A file of this machine, which an office must say that it means.
    fn database_file(&mut self, fields: &mut Fields<'_>, private: bool) -> Option<String> {
        let field = fields.need("file", self.faults)?;
        let path = field.text(self.faults)?;
        if !path.starts_with('/') || path.len() > PATH_MAX || path.chars().any(char::is_control) {
            field.fault(self.faults, format!("{path:?} is no whole path"), "write /srv/clients.sqlite");
        }
        if !private {
            field.fault(self.faults, "a file is on this machine", "write `private: true` to allow it");
        }
        Some(path)
    }

    fn database_server(
        &mut self,
        id: &Name,
        kind: DatabaseKind,
        fields: &mut Fields<'_>,
        private: bool,
    ) -> Option<DatabaseServer> {
        let owner = format!("database/{id}");
        let address = fields.need("address", self.faults);
        let place = address.as_ref().and_then(|field| {
            let text = field.text(self.faults)?;
            let place = host_and_port(&text, kind);
            if place.is_none() {
                let reason = format!("{text:?} is no name or address with a port or without one");
                field.fault(self.faults, reason, "write db.example.com, 192.0.2.1:5432 or [2001:db8::1]:5432");
            }
            place
        });
        let database = self.database_name(fields, "database");
        let user = self.database_name(fields, "user");
        let password = fields.take("password").and_then(|field| self.secret(&field, Owner::Database(&owner)));
        let field = fields.take("tls");
        let tls = field.as_ref().and_then(|field| field.one_of(&DatabaseTls::WORDS, self.faults)).unwrap_or_default();
        if let Some(field) = field.filter(|_| tls != DatabaseTls::Verify && !private) {
            let reason = "the secret, and what callers say of themselves, could be read on their way by anybody";
            let remedy = "take it out, or write `private: true` for a server of your own network";
            field.fault(self.faults, reason, remedy);
        }
        let (host, port) = place?;
        Some(DatabaseServer { kind, host, port, database: database?, user: user?, password, tls })
    }

    fn database_name(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
        let field = fields.need(key, self.faults)?;
        let name = field.text(self.faults)?;
        if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
            field.fault(self.faults, format!("{name:?} is no name"), "1 to 128 bytes without control characters");
        }
        Some(name)
    }

    /// `[{ id, sql, parameters, writes }]`.
    fn database_queries(&mut self, kind: DatabaseKind, field: Field<'_>) -> BTreeMap<Name, Arc<DatabaseQuery>> {
        let mut queries = BTreeMap::new();
        for item in self.items(Some(field), QUERIES_MAX) {
            let Some((id, mut fields)) = self.named(&item) else { continue };
            let query = self.database_query(&id, kind, &mut fields);
            fields.finish(self.faults);
            if let Some(query) = query
                && queries.insert(id, Arc::new(query)).is_some()
            {
                self.twice(&item);
            }
        }
        queries
    }

    fn database_query(&mut self, id: &Name, kind: DatabaseKind, fields: &mut Fields<'_>) -> Option<DatabaseQuery> {
        let sql = fields.need("sql", self.faults);
        let types = fields.take("parameters").map(|field| field.entries(self.faults)).unwrap_or_default();
        let writes = fields.take("writes").and_then(|field| field.boolean(self.faults)).unwrap_or_default();
        let sql = sql?;
        let text = sql.text(self.faults)?;
        let statement = match Statement::parse(&text, kind) {
            Ok(statement) => statement,
            Err((reason, remedy)) => {
                sql.fault(self.faults, reason, remedy);
                return None;
            }
        };
        let used: BTreeSet<&str> = statement
            .pieces()
            .iter()
            .filter_map(|piece| match piece {
                Piece::Parameter(name) => Some(name.as_str()),
                Piece::Sql(_) => None,
            })
            .collect();
        if used.len() > PARAMETERS_MAX {
            sql.fault(self.faults, format!("it has {} parameters, {PARAMETERS_MAX} are allowed", used.len()), "");
        }
        let mut parameters: BTreeMap<String, ValueType> =
            used.iter().map(|name| ((*name).to_owned(), ValueType::Text)).collect();
        let known: Vec<&str> = used.iter().copied().collect();
        for (name, field) in types {
            match (parameters.get_mut(name), field.one_of(&TYPES, self.faults)) {
                (Some(own), Some(given)) => *own = given,
                (None, _) => {
                    let reason = format!("the query has no parameter :{name}");
                    field.fault(self.faults, reason, did_you_mean(name, &known));
                }
                (Some(_), None) => {}
            }
        }
        Some(DatabaseQuery { id: id.clone(), sql: statement, parameters, writes })
    }
}

/// `db.example.com`, `192.0.2.1:5432`, `[2001:db8::1]:5432`.
fn host_and_port(text: &str, kind: DatabaseKind) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inside, after) = rest.split_once(']')?;
            inside.parse::<std::net::Ipv6Addr>().ok()?;
            (inside, after.strip_prefix(':').map(Some).or_else(|| after.is_empty().then_some(None))?)
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    if host.is_empty() || host.len() > NAME_MAX || !host.bytes().all(is_name) {
        return None;
    }
    let port = match port {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port.parse().ok().filter(|port| *port > 0)?,
        Some(_) => return None,
        None => kind.port()?,
    };
    Some((host.to_owned(), port))
}
