//! Databases, as the switch asks them and as they are asked.

use plugboard_model::{Argument, DatabaseError, DatabaseRows};
use plugboard_office::{DatabaseKind, DatabasePlace, DatabaseTls, Piece as Written};
use plugboard_outside::sql::{Asker, Kind, NoRows, Piece, Place, Query, Rows, Server, Source, Tls, Value};
use plugboard_switch::{DatabaseQuestion, DatabaseReply, Databases};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The switch's way to databases.
pub(crate) struct Tables(Asker);

impl Tables {
    /// Servers are trusted by these roots or the system's.
    ///
    /// # Errors
    /// What is lacking: certificates, a thread.
    pub(crate) fn start(roots: Option<&Path>) -> Result<Self, String> {
        Asker::start(roots).map(Self).map_err(|error| error.to_string())
    }
}

impl Databases for Tables {
    fn ask(&self, asked: DatabaseQuestion, reply: DatabaseReply) {
        let DatabaseQuestion { office, database, query, arguments } = asked;
        let (rows_max, bytes_max) = (database.rows_max, database.bytes_max);
        let source = Source {
            site: format!("{office}/{}", database.id),
            place: place(&database.place),
            private: database.private,
            at_once: database.at_once,
        };
        let query = Query {
            pieces: pieces(query.sql.pieces(), &arguments),
            writes: query.writes,
            timeout: database.timeout,
            retries: database.retries,
            rows_max,
            bytes_max,
        };
        let told = move |answer: Result<Rows, NoRows>| {
            let answer = answer.map(|Rows { rows, count }| DatabaseRows { rows, count });
            reply(answer.map_err(|why| match why {
                NoRows::TimeOver => DatabaseError::TimeOver,
                NoRows::Unreachable(reason) => DatabaseError::Unreachable(reason),
                NoRows::Broken(reason) => DatabaseError::Broken(reason),
                NoRows::Busy => DatabaseError::Busy,
                NoRows::Refused(reason) => DatabaseError::Refused(reason),
                NoRows::TooMany => DatabaseError::TooManyRows(rows_max),
                NoRows::TooLong => DatabaseError::TooLong(bytes_max),
                NoRows::Unshown(column) => DatabaseError::Unshown(column),
                NoRows::Unknown(reason) => DatabaseError::Unknown(reason),
            }));
        };
        self.0.ask(Arc::new(source), query, Box::new(told));
    }
}

fn place(place: &DatabasePlace) -> Place {
    let server = match place {
        DatabasePlace::File(path) => return Place::File(path.into()),
        DatabasePlace::Server(server) => server,
    };
    let kind = match server.kind {
        DatabaseKind::PostgreSql => Kind::PostgreSql,
        DatabaseKind::MySql => Kind::MySql,
        DatabaseKind::MariaDb => Kind::MariaDb,
        DatabaseKind::SqlServer => Kind::SqlServer,
        DatabaseKind::Sqlite => unreachable!("a file has no server: the office reads it as DatabasePlace::File"),
    };
    let tls = match server.tls {
        DatabaseTls::Verify => Tls::Verify,
        DatabaseTls::Encrypt => Tls::Encrypt,
        DatabaseTls::None => Tls::None,
    };
    Place::Server(Server {
        kind,
        host: server.host.clone(),
        port: server.port,
        database: server.database.clone(),
        user: server.user.clone(),
        password: server.password.as_ref().map(|secret| secret.reveal().to_owned()),
        tls,
    })
}

/// The query with its values in their places; the switch has given each parameter one.
fn pieces(written: &[Written], arguments: &BTreeMap<String, Argument>) -> Vec<Piece> {
    let value = |name: &String| match arguments.get(name) {
        Some(Argument::Text(text)) => Value::Text(text.clone()),
        Some(Argument::Number(number)) => Value::Number(*number),
        Some(Argument::Boolean(yes)) => Value::Boolean(*yes),
        None => Value::Text(String::new()),
    };
    let piece = |piece: &Written| match piece {
        Written::Sql(sql) => Piece::Sql(sql.clone()),
        Written::Parameter(name) => Piece::Parameter(name.clone(), value(name)),
    };
    written.iter().map(piece).collect()
}
