//! Files of SQLite, and servers that are not there.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_outside::sql::{Asker, Kind, NoRows, Piece, Place, Query, Rows, Server, Source, Tls, Value};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

fn asker() -> Asker {
    Asker::start(None).unwrap()
}

fn file(path: &Path) -> Arc<Source> {
    Arc::new(Source { site: "main/file".into(), place: Place::File(path.into()), private: true, at_once: 2 })
}

fn query(sql: &str) -> Query {
    let pieces = vec![Piece::Sql(sql.into())];
    Query { pieces, writes: false, timeout: LIMIT, retries: 0, rows_max: 10, bytes_max: 1_024 }
}

fn writes(sql: &str) -> Query {
    Query { writes: true, ..query(sql) }
}

/// Asks and waits.
fn asked(asker: &Asker, source: &Arc<Source>, query: Query) -> Result<Rows, NoRows> {
    let (tells, told) = channel();
    asker.ask(Arc::clone(source), query, Box::new(move |answer| tells.send(answer).unwrap()));
    told.recv_timeout(LIMIT).unwrap()
}

/// An empty database, filled by these statements.
fn filled(folder: &Path, statements: &[&str]) -> (Asker, Arc<Source>, PathBuf) {
    let path = folder.join("clients.sqlite");
    std::fs::write(&path, "").unwrap();
    let (asker, source) = (asker(), file(&path));
    for statement in statements {
        asked(&asker, &source, writes(statement)).unwrap();
    }
    (asker, source, path)
}

#[test]
fn r22_a_file_answers_with_its_rows_and_every_kind_of_value() {
    let folder = tempfile::tempdir().unwrap();
    let made = "create table t (n integer, r real, s text, b blob, y boolean, d date, e text)";
    let row = "insert into t values (7, 1.5, 'a\"ж', x'00dead', 1, '2026-11-23', null)";
    let (asker, source, _) = filled(folder.path(), &[made, row]);
    let answer = asked(&asker, &source, query("select * from t")).unwrap();
    assert_eq!(answer.count, 1);
    assert_eq!(answer.rows, r#"[{"b":"00dead","d":"2026-11-23","e":null,"n":7,"r":1.5,"s":"a\"ж","y":true}]"#);
    assert_eq!(asked(&asker, &source, query("select * from t where n = 8")), Ok(Rows { rows: "[]".into(), count: 0 }));
}

#[test]
fn a_value_never_becomes_a_part_of_the_query() {
    let folder = tempfile::tempdir().unwrap();
    let (asker, source, _) = filled(folder.path(), &["create table t (s text)", "insert into t values ('a')"]);
    let with = |value: Value| {
        let pieces = vec![
            Piece::Sql("select count(*) as c from t where s = ".into()),
            Piece::Parameter("s".into(), value.clone()),
            Piece::Sql(" or s = ".into()),
            Piece::Parameter("s".into(), value),
        ];
        asked(&asker, &source, Query { pieces, ..query("") }).unwrap().rows
    };
    assert_eq!(with(Value::Text("a".into())), r#"[{"c":1}]"#);
    assert_eq!(with(Value::Text("x' or '1'='1".into())), r#"[{"c":0}]"#);
    assert_eq!((with(Value::Number(7)), with(Value::Boolean(true))), (r#"[{"c":0}]"#.into(), r#"[{"c":0}]"#.into()));
}

#[test]
fn what_is_to_read_alone_changes_nothing_and_what_writes_says_how_much() {
    let folder = tempfile::tempdir().unwrap();
    let (asker, source, _) = filled(folder.path(), &["create table t (n integer)"]);
    assert_eq!(asked(&asker, &source, writes("insert into t values (1), (2)")).map(|rows| rows.count), Ok(2));
    for statement in ["delete from t", "insert into t values (3)", "drop table t", "create table u (n integer)"] {
        let answer = asked(&asker, &source, query(statement));
        let Err(NoRows::Refused(reason)) = &answer else { panic!("{statement}: {answer:?}") };
        assert!(reason.contains("readonly"), "{statement}: {reason}");
    }
    assert_eq!(asked(&asker, &source, query("select count(*) as c from t")).unwrap().rows, r#"[{"c":2}]"#);
    // One that fails changes nothing of what it did before it failed.
    assert!(asked(&asker, &source, writes("create unique index i on t (n)")).is_ok());
    let answer = asked(&asker, &source, writes("insert into t values (4), (1)"));
    assert!(matches!(answer, Err(NoRows::Refused(_))), "{answer:?}");
    assert_eq!(asked(&asker, &source, query("select count(*) as c from t")).unwrap().rows, r#"[{"c":2}]"#);
    let returning = asked(&asker, &source, writes("insert into t values (5) returning n")).unwrap();
    assert_eq!(returning, Rows { rows: r#"[{"n":5}]"#.into(), count: 1 });
}

#[test]
fn too_many_rows_and_too_long_ones_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let (asker, source, _) = filled(folder.path(), &[]);
    let numbers = |most: u32| {
        query(&format!(
            "with recursive n(x) as (select 1 union all select x + 1 from n where x < {most}) select x from n"
        ))
    };
    assert_eq!(asked(&asker, &source, numbers(10)).map(|rows| rows.count), Ok(10));
    assert_eq!(asked(&asker, &source, numbers(11)), Err(NoRows::TooMany));
    assert_eq!(asked(&asker, &source, query("select hex(zeroblob(600)) as x")), Err(NoRows::TooLong));
    let twice = asked(&asker, &source, query("select 1 as a, 2 as a"));
    assert!(matches!(&twice, Err(NoRows::Unshown(why)) if why.contains("two columns")), "{twice:?}");
    assert_eq!(asked(&asker, &source, query("select 1 as a")).map(|rows| rows.count), Ok(1));
}

#[test]
fn a_query_that_takes_too_long_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (asker, source, _) = filled(folder.path(), &[]);
    let forever = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) as c from n";
    let slow = Query { timeout: Duration::from_millis(300), retries: 3, ..query(forever) };
    assert_eq!(asked(&asker, &source, slow), Err(NoRows::TimeOver));
    assert_eq!(asked(&asker, &source, query("select 1 as a")).map(|rows| rows.count), Ok(1));
}

#[test]
fn a_file_that_is_none_and_one_that_is_no_database_are_said() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("nothing.sqlite"), folder.path().to_owned()] {
        let answer = asked(&asker(), &file(&path), query("select 1"));
        assert!(matches!(answer, Err(NoRows::Unreachable(_))), "{answer:?}");
    }
    let text = folder.path().join("text.sqlite");
    std::fs::write(&text, "x".repeat(4_096)).unwrap();
    let answer = asked(&asker(), &file(&text), query("select * from sqlite_master"));
    assert!(matches!(&answer, Err(NoRows::Unreachable(why)) if why.contains("not a database")), "{answer:?}");
    assert!(!folder.path().join("nothing.sqlite").exists(), "nothing is made by asking");
}

#[test]
fn a_query_that_is_wrong_is_refused_with_what_the_database_says() {
    let folder = tempfile::tempdir().unwrap();
    let (asker, source, _) = filled(folder.path(), &[]);
    let answer = asked(&asker, &source, query("select * from nowhere"));
    assert!(matches!(&answer, Err(NoRows::Refused(why)) if why.contains("nowhere")), "{answer:?}");
}

fn server(kind: Kind, host: &str, port: u16, private: bool) -> Arc<Source> {
    let (database, user) = ("crm".to_owned(), "plugboard".to_owned());
    let password = Some("s3cret".to_owned());
    let server = Server { kind, host: host.into(), port, database, user, password, tls: Tls::None };
    Arc::new(Source { site: format!("main/{kind:?}{host}"), place: Place::Server(server), private, at_once: 1 })
}

const KINDS: [Kind; 4] = [Kind::PostgreSql, Kind::MySql, Kind::MariaDb, Kind::SqlServer];

/// Nobody listens there.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_server_that_is_not_there_is_left_alone_after_five_failures() {
    let asker = asker();
    for kind in KINDS {
        let source = server(kind, "127.0.0.1", nobody().port(), true);
        for _ in 0..5 {
            let answer = asked(&asker, &source, query("select 1"));
            assert!(
                matches!(&answer, Err(NoRows::Unreachable(why)) if why.contains("refused")),
                "{kind:?}: {answer:?}"
            );
        }
        let answer = asked(&asker, &source, query("select 1"));
        assert!(matches!(&answer, Err(NoRows::Unreachable(why)) if why.contains("left alone")), "{kind:?}: {answer:?}");
        assert!(!format!("{source:?}").contains("s3cret"));
    }
}

#[test]
fn an_address_in_a_private_network_is_not_dialled_by_whatever_name() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let asker = asker();
    for (kind, host) in KINDS.into_iter().zip(["127.0.0.1", "localhost", "::ffff:127.0.0.1", "169.254.169.254"]) {
        let answer = asked(&asker, &server(kind, host, port, false), query("select 1"));
        let Err(NoRows::Unreachable(reason)) = &answer else { panic!("{host}: {answer:?}") };
        assert!(reason.contains("is in a private network"), "{host}: {reason}");
    }
    assert!(listener.accept().is_err(), "somebody was dialled");
}

#[test]
fn a_server_that_says_nothing_or_nonsense_is_none() {
    for says in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.write_all(says);
                if says.is_empty() {
                    // Until the other side has gone.
                    let _ = stream.read_to_end(&mut Vec::new());
                }
            }
        });
        for kind in KINDS {
            let short = Query { timeout: Duration::from_millis(300), ..query("select 1") };
            let answer = asked(&asker(), &server(kind, "127.0.0.1", port, true), short);
            assert!(matches!(answer, Err(NoRows::TimeOver | NoRows::Unreachable(_))), "{kind:?}: {answer:?}");
        }
    }
}

#[test]
fn more_questions_than_may_wait_are_refused_at_once() {
    // It takes connections and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = server(Kind::PostgreSql, "127.0.0.1", listener.local_addr().unwrap().port(), true);
    let (asker, (tells, told)) = (asker(), channel());
    for _ in 0..12 {
        let tells = tells.clone();
        let question = Query { timeout: Duration::from_secs(2), ..query("select 1") };
        asker.ask(Arc::clone(&source), question, Box::new(move |answer| tells.send(answer).unwrap()));
    }
    let first: Vec<_> = (0..3).map(|_| told.recv_timeout(LIMIT).unwrap()).collect();
    assert_eq!(first, [Err(NoRows::Busy), Err(NoRows::Busy), Err(NoRows::Busy)]);
    for _ in 0..9 {
        let answer = told.recv_timeout(LIMIT).unwrap();
        assert!(matches!(answer, Err(NoRows::TimeOver | NoRows::Unreachable(_))), "{answer:?}");
    }
}
