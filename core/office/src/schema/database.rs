//! The JSON Schema of databases.

use super::{name, object};
use crate::parts::database::{
    AT_ONCE_MAX, BYTES, PARAMETERS_MAX, PATH_MAX, QUERIES_MAX, RETRIES_MAX, ROWS_MAX, TIMEOUT, TYPES,
};
use crate::sql::SQL_MAX;
use crate::{Database, DatabaseKind, DatabaseTls};
use plugboard_document::write_duration;
use serde_json::{Value as Json, json};

pub(super) fn database() -> Json {
    let kinds: Vec<&str> = DatabaseKind::WORDS.iter().map(|(word, _)| *word).collect();
    let tls: Vec<&str> = DatabaseTls::WORDS.iter().map(|(word, _)| *word).collect();
    object(
        &["id", "kind", "queries"],
        json!({
            "id": name("Its name, by which actions ask it.", "crm"),
            "kind": { "enum": kinds, "examples": ["postgresql"],
                "description": "Whose SQL it speaks. All but `sqlite` are servers and need `address`, `database` and `user`; `sqlite` needs `file`." },
            "address": { "type": "string", "maxLength": 136, "examples": ["db.example.com:5432"],
                "description": "A name or an address, and a port: 5432, 3306 or 1433 unless told." },
            "database": { "type": "string", "minLength": 1, "maxLength": 128, "examples": ["crm"], "description": "Which of the server's databases." },
            "file": { "type": "string", "maxLength": PATH_MAX, "pattern": "^/", "examples": ["/srv/clients.sqlite"], "description": "The whole path of a file of SQLite; with `private`." },
            "user": { "type": "string", "minLength": 1, "maxLength": 128, "examples": ["plugboard"], "description": "Who the switch is there: best somebody who may do nothing else." },
            "password": { "$ref": "#/$defs/secret", "examples": [{ "environment": "CRM_PASSWORD" }], "description": "How it proves that." },
            "tls": { "enum": tls, "default": "verify", "examples": ["encrypt"],
                "description": "`verify`: under TLS, with a certificate for the name in `address`, by the roots that the switch trusts. `encrypt`: under TLS, whoever it is; `none`: in the clear; both only with `private`." },
            "timeout": { "$ref": "#/$defs/time", "default": write_duration(Database::TIMEOUT), "x-minimum": write_duration(*TIMEOUT.start()), "x-maximum": write_duration(*TIMEOUT.end()),
                "description": "For a question with all its tries, to the last row of the answer. Past it the query is stopped, the action's outcome is `failed`, and the caller goes on." },
            "retries": { "type": "integer", "minimum": 0, "maximum": RETRIES_MAX, "default": Database::RETRIES,
                "description": "How often more a query is tried, within `timeout`, that failed on its way. One that writes is never sent twice." },
            "at_once": { "type": "integer", "minimum": 1, "maximum": AT_ONCE_MAX, "default": Database::AT_ONCE,
                "description": "Connections to it. Eight times as many questions may wait for one; one more fails at once." },
            "rows": { "type": "integer", "minimum": 1, "maximum": ROWS_MAX, "default": Database::ROWS_MAX,
                "description": "Rows of an answer; one that has more is none." },
            "bytes": { "type": "integer", "minimum": *BYTES.start(), "maximum": *BYTES.end(), "default": Database::BYTES_MAX,
                "description": "Bytes of an answer, as JSON; a longer one is none." },
            "private": { "type": "boolean", "default": false,
                "description": "Whether it may be on this machine or in a private network, link-local addresses and those of cloud metadata included. Without it such an address is not dialled, whatever its name says." },
            "queries": { "type": "array", "maxItems": QUERIES_MAX, "items": { "$ref": "#/$defs/query" }, "description": "What it may be asked, and nothing else." }
        }),
    )
}

pub(super) fn query() -> Json {
    let types: Vec<&str> = TYPES.iter().map(|(word, _)| *word).collect();
    object(
        &["id", "sql"],
        json!({
            "id": name("Its name, by which actions ask it.", "agent-of"),
            "sql": { "type": "string", "minLength": 1, "maxLength": SQL_MAX, "examples": ["select agent from clients where phone = :number"],
                "description": "One statement. `:name` is a parameter: its value is handed to the database beside the statement and never becomes a part of it. Parameters can stand where values can." },
            "parameters": { "type": "object", "maxProperties": PARAMETERS_MAX, "additionalProperties": { "enum": types }, "examples": [{ "customer": "number" }],
                "description": "What they are, `text` unless told. What is neither is a text that the query casts: `:day::date`, `cast(:id as uniqueidentifier)`." },
            "writes": { "type": "boolean", "default": false,
                "description": "Whether it may change something. Without it the query runs where nothing can be changed: PostgreSQL, MySQL and MariaDB refuse in a transaction that only reads, SQLite opens the file for reading; with SQL Server the intent is told (`ApplicationIntent=ReadOnly`), which binds no server, and whatever the query did is rolled back. It was done once or not at all: a query that writes is never repeated, and where no answer came the outcome is `failed` because nobody knows." }
        }),
    )
}
