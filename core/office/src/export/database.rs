//! Databases, as a document.

use super::{Entries, Secrets, secret_node};
use crate::{Database, DatabasePlace, DatabaseQuery, DatabaseTls};
use plugboard_document::{Node, write_duration};
use plugboard_model::ValueType;
use std::path::Path;

pub(super) fn node(database: &Database, secrets: Secrets, folder: Option<&Path>) -> Node {
    let mut entry = Entries::default();
    entry.put("id", database.id.as_str());
    entry.put("kind", database.place.kind().as_str());
    match &database.place {
        DatabasePlace::File(path) => entry.put("file", path.as_str()),
        DatabasePlace::Server(server) => {
            let host = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
            let usual = server.kind.port() == Some(server.port);
            entry.put("address", if usual { host } else { format!("{host}:{}", server.port) });
            entry.put("database", server.database.as_str());
            entry.put("user", server.user.as_str());
            if let Some(password) = &server.password {
                entry.put("password", secret_node(password, secrets, folder));
            }
            let word = |tls| DatabaseTls::WORDS.iter().find(|(_, known)| *known == tls).map_or("", |(word, _)| word);
            entry.put_unless("tls", word(server.tls), word(DatabaseTls::default()));
        }
    }
    entry.put_unless("timeout", write_duration(database.timeout), write_duration(Database::TIMEOUT));
    entry.put_unless("retries", database.retries, Database::RETRIES);
    entry.put_unless("at_once", database.at_once, Database::AT_ONCE);
    entry.put_unless("rows", database.rows_max, Database::ROWS_MAX);
    entry.put_unless("bytes", database.bytes_max, Database::BYTES_MAX);
    entry.put_unless("private", database.private, false);
    entry.put("queries", database.queries.values().map(|own| query(own)).collect::<Node>());
    entry.node()
}

fn query(query: &DatabaseQuery) -> Node {
    let mut entry = Entries::default();
    entry.put("id", query.id.as_str());
    entry.put("sql", query.sql.as_str());
    let told = query.parameters.iter().filter(|(_, own)| **own != ValueType::Text);
    entry.put_some("parameters", told.map(|(name, own)| (name.as_str(), Node::from(own.as_str()))));
    entry.put_unless("writes", query.writes, false);
    entry.node()
}
