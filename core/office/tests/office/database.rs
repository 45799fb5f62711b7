//! Databases in an office document.

use crate::support::{demo_folder, faults};
use plugboard_model::ValueType;
use plugboard_office::{DatabaseKind, DatabasePlace, DatabaseTls, Office, Secrets};
use std::sync::Arc;
use std::time::Duration;

fn office(databases: &str) -> String {
    format!("office: main\ndomains: [plugboard.test]\ndatabases:\n{databases}")
}

fn read(databases: &str) -> Arc<Office> {
    Office::parse("o.yaml", &office(databases), &demo_folder()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

const ALL: &str = "  - id: crm\n    kind: postgresql\n    address: db.example.com\n    database: crm\n    user: plugboard\n    password: s3cret\n    \
    timeout: 2s\n    retries: 0\n    at_once: 2\n    rows: 10\n    bytes: 100000\n    queries:\n\
    \x20     - id: agent-of\n        sql: select agent from clients where phone = :number and id = :id\n        parameters: { id: number }\n\
    \x20     - { id: told, sql: \"insert into calls values (:number)\", writes: true }\n\
    \x20 - { id: erp, kind: mariadb, address: \"[fd00::5]:3307\", database: e, user: u, password: { keep: true }, tls: none, private: true, queries: [] }\n\
    \x20 - { id: till, kind: sql-server, address: \"10.0.0.9\", database: t, user: u, password: { environment: PLUGBOARD_TILL }, tls: encrypt, private: true, queries: [] }\n\
    \x20 - { id: list, kind: sqlite, file: /srv/list.sqlite, private: true, queries: [{ id: q, sql: \"select [:a], ?\" }] }\n";

fn all() -> String {
    ALL.replace(", ?", "")
}

#[test]
fn a_database_says_where_it_is_what_it_may_be_asked_and_how_long() {
    let office = read(&all());
    let crm = office.database("crm").unwrap();
    let DatabasePlace::Server(server) = &crm.place else { panic!("{:?}", crm.place) };
    assert_eq!((server.kind, server.host.as_str(), server.port), (DatabaseKind::PostgreSql, "db.example.com", 5_432));
    assert_eq!((server.database.as_str(), server.user.as_str()), ("crm", "plugboard"));
    assert_eq!(server.password.as_ref().map(|secret| secret.reveal()), Some("s3cret"));
    assert_eq!(server.tls, DatabaseTls::Verify);
    assert_eq!((crm.timeout, crm.retries, crm.at_once), (Duration::from_secs(2), 0, 2));
    assert_eq!((crm.rows_max, crm.bytes_max, crm.private), (10, 100_000, false));
    let query = crm.query("agent-of").unwrap();
    assert!(!query.writes && crm.query("told").unwrap().writes && crm.query("nothing").is_none());
    let parameters: Vec<_> = query.parameters.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    assert_eq!(parameters, [("id", ValueType::Number), ("number", ValueType::Text)]);
    let DatabasePlace::Server(erp) = &office.database("erp").unwrap().place else { panic!("no server") };
    assert_eq!((erp.kind, erp.host.as_str(), erp.port), (DatabaseKind::MariaDb, "fd00::5", 3_307));
    assert_eq!(erp.password.as_ref().map(|secret| secret.reveal()), Some("kept by main for database/erp"));
    let till = office.database("till").unwrap();
    assert!(
        matches!(&till.place, DatabasePlace::Server(till) if till.port == 1_433 && till.tls == DatabaseTls::Encrypt)
    );
    assert_eq!((till.timeout, till.retries, till.at_once), (Duration::from_secs(3), 1, 4));
    assert_eq!((till.rows_max, till.bytes_max), (100, 65_536));
    assert_eq!(office.database("list").unwrap().place, DatabasePlace::File("/srv/list.sqlite".into()));
    assert!(!format!("{office:?}").contains("s3cret"), "a secret is shown to nobody");
}

#[test]
fn what_is_exported_reads_the_same_and_hides_secrets() {
    let office = read(&all());
    let clear = office.export(Secrets::InClear, None);
    let again = Office::parse("o.yaml", &clear, &demo_folder()).unwrap_or_else(|faults| panic!("{faults:#?}\n{clear}"));
    // One that was kept is written out then.
    for (id, database) in &office.databases {
        if id.as_str() != "erp" {
            assert_eq!(again.databases.get(id), Some(database));
        }
    }
    assert_eq!(again.databases.len(), office.databases.len());
    let hidden = office.export(Secrets::Hidden, None);
    assert!(!hidden.contains("s3cret") && hidden.contains("keep: true"), "{hidden}");
}

#[test]
fn every_fault_of_a_database_is_told_with_its_place_and_remedy() {
    let server = "id: crm, kind: postgresql, address: db.example.com, database: c, user: u";
    let with = |more: &str| format!("{{ {server}, {more} }}");
    for (database, told) in [
        ("{ id: crm }".to_owned(), "databases[0]"),
        ("{ id: crm, kind: oracle, queries: [] }".to_owned(), "postgresql"),
        ("{ id: crm, kind: mysql, queries: [] }".to_owned(), "address"),
        ("{ id: crm, kind: sqlite, queries: [] }".to_owned(), "file"),
        ("{ id: crm, kind: sqlite, file: /a, queries: [] }".to_owned(), "a file is on this machine"),
        ("{ id: crm, kind: sqlite, file: a, private: true, queries: [] }".to_owned(), "is no whole path"),
        ("{ id: crm, kind: sqlite, file: /a, address: b, private: true, queries: [] }".to_owned(), "address"),
        (with("file: /a, queries: []"), "file"),
        (with("queries: []").replace("db.example.com", "\"db:x\""), "is no name or address"),
        (with("queries: []").replace("user: u", "user: \"\""), "is no name"),
        (with("tls: none, queries: []"), "could be read on their way"),
        (with("tls: encrypt, queries: []"), "could be read on their way"),
        (with("timeout: 31s, queries: []"), "databases[0].timeout"),
        (with("rows: 1001, queries: []"), "databases[0].rows"),
        (with("bytes: 10, queries: []"), "databases[0].bytes"),
        (with("at_once: 33, queries: []"), "databases[0].at_once"),
        (with("queries: [{ id: q }]"), "sql"),
        (with("queries: [{ id: q, sql: \"select 1; select 2\" }]"), "a query is one statement"),
        (with("queries: [{ id: q, sql: \"select 'a\" }]"), "has no end"),
        (with("queries: [{ id: q, sql: \"select :a\", parameters: { b: text } }]"), "has no parameter :b"),
        (with("queries: [{ id: q, sql: \"select :a\", parameters: { a: user } }]"), "text"),
        (with("queries: [{ id: q, sql: \"select 1\" }, { id: q, sql: \"select 2\" }]"), "twice"),
    ] {
        let found = faults(&office(&format!("  - {database}\n")));
        assert!(found.contains(told), "{database}: {found}");
    }
    assert!(faults(&office(ALL)).contains("? is no parameter here"));
}
