//! Servers of databases that were not written here: what each type of a column becomes, and what happens when they do not answer.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_outside::sql::{Asker, Kind, NoRows, Piece, Place, Query, Rows, Server, Source, Tls, Value};
use plugboard_tests_interop::{
    Baresip, DATABASE, DATABASE_PASSWORD, DATABASE_USER, DatabaseServer, LIMIT, Office, Plugboard, Transport, steps,
    until,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

/// A server and whoever asks it.
struct Asked {
    asker: Asker,
    source: Arc<Source>,
}

fn source(kind: Kind, port: u16, change: impl FnOnce(&mut Server)) -> Arc<Source> {
    let mut server = Server {
        kind,
        host: "127.0.0.1".into(),
        port,
        database: DATABASE.into(),
        user: DATABASE_USER.into(),
        password: Some(DATABASE_PASSWORD.into()),
        tls: Tls::None,
    };
    change(&mut server);
    Arc::new(Source { site: format!("main/{server:?}"), place: Place::Server(server), private: true, at_once: 2 })
}

impl Asked {
    fn new(kind: Kind, server: &DatabaseServer) -> Self {
        Self { asker: Asker::start(None).unwrap(), source: source(kind, server.port(), |_| {}) }
    }

    fn with(&self, query: Query) -> Result<Rows, NoRows> {
        asked(&self.asker, &self.source, query)
    }

    fn reads(&self, sql: &str) -> Result<Rows, NoRows> {
        self.with(query(sql))
    }

    fn writes(&self, sql: &str) -> Result<Rows, NoRows> {
        self.with(Query { writes: true, ..query(sql) })
    }

    /// The value of the only column of the only row.
    fn value(&self, expression: &str) -> String {
        let rows =
            self.reads(&format!("select {expression} as x")).unwrap_or_else(|why| panic!("{expression}: {why:?}")).rows;
        rows.strip_prefix("[{\"x\":").and_then(|rest| rest.strip_suffix("}]")).unwrap_or(&rows).to_owned()
    }
}

fn asked(asker: &Asker, source: &Arc<Source>, query: Query) -> Result<Rows, NoRows> {
    let (tells, told) = channel();
    asker.ask(Arc::clone(source), query, Box::new(move |answer| tells.send(answer).unwrap()));
    told.recv_timeout(LIMIT).unwrap()
}

fn query(sql: &str) -> Query {
    let pieces = vec![Piece::Sql(sql.into())];
    Query { pieces, writes: false, timeout: LIMIT, retries: 0, rows_max: 10, bytes_max: 4_096 }
}

/// `before` with the parameter after it.
fn with_parameter(before: &str, value: Value) -> Query {
    Query { pieces: vec![Piece::Sql(before.into()), Piece::Parameter("p".into(), value)], ..query("") }
}

/// What holds for both: reading and writing, limits, refusals, and a server that goes.
fn answers_within_its_limits(
    asked_of: &Asked,
    mut server: DatabaseServer,
    (numbers, sleeps, unknown): (&str, &str, &str),
) {
    asked_of.writes("create table clients (id bigint primary key, phone varchar(32), agent varchar(32))").unwrap();
    let put = "insert into clients values (1, '+49301', '102'), (2, '+49302', null)";
    assert_eq!(asked_of.writes(put).map(|rows| rows.count), Ok(2));
    for (before, value, expected) in [
        ("select agent from clients where phone = ", Value::Text("+49301".into()), r#"[{"agent":"102"}]"#),
        ("select agent from clients where phone = ", Value::Text("x' or '1'='1".into()), "[]"),
        ("select agent from clients where id = ", Value::Number(2), r#"[{"agent":null}]"#),
        ("select id from clients where (id = 1) = ", Value::Boolean(true), r#"[{"id":1}]"#),
    ] {
        assert_eq!(asked_of.with(with_parameter(before, value)).map(|rows| rows.rows), Ok(expected.into()), "{before}");
    }

    // What is to read alone is refused, and what was refused leaves the connection well.
    for statement in ["delete from clients", "update clients set agent = '1'", "create table u (a int)"] {
        let answer = asked_of.reads(statement);
        let Err(NoRows::Refused(why)) = &answer else { panic!("{statement}: {answer:?}") };
        assert!(why.to_lowercase().contains("read"), "{statement}: {why}");
    }
    let wrong = asked_of.reads("select nothing from nowhere");
    assert!(matches!(&wrong, Err(NoRows::Refused(why)) if why.contains("nowhere")), "{wrong:?}");
    let twice = asked_of.writes("insert into clients values (3, 'a', 'b'), (1, 'c', 'd')");
    assert!(matches!(twice, Err(NoRows::Refused(_))), "{twice:?}");
    assert_eq!(asked_of.reads("select count(*) as c from clients").map(|rows| rows.rows), Ok(r#"[{"c":2}]"#.into()));

    // Too many, too long, of a type that nobody can show.
    assert_eq!(asked_of.reads(&numbers.replace("LAST", "10")).map(|rows| rows.count), Ok(10));
    assert_eq!(asked_of.reads(&numbers.replace("LAST", "11")), Err(NoRows::TooMany));
    assert_eq!(asked_of.reads("select repeat('x', 5000) as x"), Err(NoRows::TooLong));
    // Far more than is taken in before a row is seen.
    assert_eq!(asked_of.reads("select repeat('x', 8000000) as x"), Err(NoRows::TooLong));
    let answer = asked_of.reads(unknown);
    assert!(matches!(&answer, Err(NoRows::Unshown(why)) if why.contains("\"place\"")), "{answer:?}");

    // Slow: nobody waits, and the server stops as well.
    let slow = Query { timeout: Duration::from_millis(500), ..query(sleeps) };
    assert_eq!(asked_of.with(slow), Err(NoRows::TimeOver));
    assert!(asked_of.reads("select 1 as a").is_ok());

    // Another password.
    let Place::Server(of) = &asked_of.source.place else { panic!("no server") };
    let stranger = source(of.kind, of.port, |server| server.password = Some("wrong".into()));
    let answer = asked(&asked_of.asker, &stranger, query("select 1 as a"));
    assert!(
        matches!(&answer, Err(NoRows::Unreachable(why)) if why.contains("does not let the switch in")),
        "{answer:?}"
    );

    // Under TLS, by a certificate for its name and by no other.
    let under_tls = |host: &str, roots: Option<&Path>, tls: Tls| {
        let source = source(of.kind, of.port, |server| (server.tls, server.host) = (tls, host.to_owned()));
        asked(&Asker::start(roots).unwrap(), &source, query("select 1 as a"))
    };
    let certificate = server.certificate();
    assert!(under_tls("localhost", Some(&certificate), Tls::Verify).is_ok());
    assert!(under_tls("127.0.0.1", None, Tls::Encrypt).is_ok());
    for (host, roots) in [("127.0.0.1", Some(certificate.as_path())), ("localhost", None)] {
        let answer = under_tls(host, roots, Tls::Verify);
        assert!(matches!(&answer, Err(NoRows::Unreachable(why)) if why.contains("certificate")), "{host}: {answer:?}");
    }

    // A server that goes while a question is asked, and one that is gone.
    let (tells, told) = channel();
    let asking = Query { timeout: LIMIT, ..query(sleeps) };
    asked_of.asker.ask(Arc::clone(&asked_of.source), asking, Box::new(move |answer| tells.send(answer).unwrap()));
    until("the question to be asked", || is_asked(asked_of, sleeps).then_some(()));
    server.stops();
    let answer = told.recv_timeout(LIMIT).unwrap();
    assert!(matches!(answer, Err(NoRows::Broken(_) | NoRows::Refused(_))), "{answer:?}");
    for _ in 0..5 {
        let answer = asked_of.reads("select 1 as a");
        assert!(matches!(answer, Err(NoRows::Unreachable(_))), "{answer:?}");
    }
    let answer = asked_of.reads("select 1 as a");
    assert!(matches!(&answer, Err(NoRows::Unreachable(why)) if why.contains("left alone")), "{answer:?}");
}

/// Whether the server works on this.
fn is_asked(asked_of: &Asked, sql: &str) -> bool {
    let Place::Server(server) = &asked_of.source.place else { return false };
    let list = if server.kind == Kind::PostgreSql {
        "select query as q from pg_stat_activity where state = 'active'"
    } else {
        "select info as q from information_schema.processlist"
    };
    asked_of.reads(list).is_ok_and(|rows| rows.rows.contains(sql))
}

#[test]
fn r22_postgresql_answers_within_its_limits() {
    let server = DatabaseServer::postgresql();
    let asked = Asked::new(Kind::PostgreSql, &server);
    let numbers = "select generate_series(1, LAST) as n";
    answers_within_its_limits(&asked, server, (numbers, "select pg_sleep(600)", "select point(1, 2) as place"));
}

#[test]
fn r22_mariadb_answers_within_its_limits() {
    let server = DatabaseServer::mariadb();
    let asked = Asked::new(Kind::MariaDb, &server);
    let numbers = "select seq as n from seq_1_to_LAST";
    answers_within_its_limits(&asked, server, (numbers, "select sleep(600)", "select point(1, 2) as place"));
}

#[test]
fn r22_each_type_of_postgresql_is_shown() {
    let server = DatabaseServer::postgresql();
    let asked = Asked::new(Kind::PostgreSql, &server);
    asked.writes("create type mood as enum ('sad', 'happy')").unwrap();
    asked.writes("create domain plus as int check (value > 0)").unwrap();
    for (expression, expected) in [
        ("true", "true"),
        ("'-7'::int2", "-7"),
        ("7::int4", "7"),
        ("9223372036854775807::int8", "9223372036854775807"),
        ("0.1::float4", "0.1"),
        ("1.5::float8", "1.5"),
        ("'NaN'::float8", "\"NaN\""),
        ("12.50::numeric", "\"12.50\""),
        ("-123456789012345678901234567890.000012::numeric", "\"-123456789012345678901234567890.000012\""),
        ("0.00001::numeric", "\"0.00001\""),
        ("30000::numeric", "\"30000\""),
        ("'a\"ж'::text", r#""a\"ж""#),
        ("'ab'::varchar", "\"ab\""),
        ("'ab'::char(3)", "\"ab \""),
        ("'ab'::name", "\"ab\""),
        ("null::int4", "null"),
        ("date '2026-11-23'", "\"2026-11-23\""),
        ("date 'infinity'", "\"infinity\""),
        ("time '09:05:07.25'", "\"09:05:07.25\""),
        ("timestamp '1969-12-31 23:59:59'", "\"1969-12-31T23:59:59\""),
        ("timestamptz '2026-11-23 09:05:07.25+01'", "\"2026-11-23T08:05:07.25Z\""),
        ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\""),
        ("'{\"a\": [1, 2.5]}'::jsonb", "{\"a\":[1,2.5]}"),
        ("'{\"a\": null}'::json", "{\"a\":null}"),
        (r"'\x00dead'::bytea", "\"00dead\""),
        ("'192.0.2.1'::inet", "\"192.0.2.1\""),
        ("'2001:db8::/32'::cidr", "\"2001:db8::/32\""),
        ("array[1, null, 3]", "[1,null,3]"),
        ("array['a', 'b']", "[\"a\",\"b\"]"),
        ("array[[1, 2], [3, 4]]", "[[1,2],[3,4]]"),
        ("array[]::text[]", "[]"),
        ("array[1.50::numeric]", "[\"1.50\"]"),
        ("'happy'::mood", "\"happy\""),
        ("array['sad']::mood[]", "[\"sad\"]"),
        ("7::plus", "7"),
        ("5::oid", "5"),
    ] {
        assert_eq!(asked.value(expression), expected, "{expression}");
    }
    // A table that has changed since it was asked.
    asked.writes("create table shape (a int)").unwrap();
    assert_eq!(asked.reads("select * from shape").map(|rows| rows.count), Ok(0));
    asked.writes("alter table shape add b text").unwrap();
    asked.writes("insert into shape values (1, 'x')").unwrap();
    let again = Query { retries: 1, ..query("select * from shape") };
    assert_eq!(asked.with(again).map(|rows| rows.rows), Ok(r#"[{"a":1,"b":"x"}]"#.into()));
    for (expression, kind) in
        [("interval '1 day'", "INTERVAL"), ("int4range(1, 2)", "INT4RANGE"), ("row(1, 2)", "RECORD")]
    {
        let answer = asked.reads(&format!("select 1 as a, {expression} as x"));
        assert!(
            matches!(&answer, Err(NoRows::Unshown(why)) if why.contains("\"x\"") && why.contains(kind)),
            "{answer:?}"
        );
    }
    let day = Query {
        pieces: vec![
            Piece::Sql("select ".into()),
            Piece::Parameter("day".into(), Value::Text("2026-11-23".into())),
            Piece::Sql("::date + 1 as x".into()),
        ],
        ..query("")
    };
    assert_eq!(asked.with(day).map(|rows| rows.rows), Ok(r#"[{"x":"2026-11-24"}]"#.into()));
}

#[test]
fn r22_each_type_of_mariadb_is_shown() {
    let server = DatabaseServer::mariadb();
    let asked = Asked::new(Kind::MariaDb, &server);
    let columns = "y boolean, t tinyint, i int, u bigint unsigned, f float, g double, d decimal(30,4), s varchar(9), x text, \
        b varbinary(9), l blob, a date, h time(2), m datetime, k datetime(6), z timestamp(2) null, j json, e enum('p','q'), v year, w bit(9), n int";
    asked.writes(&format!("create table t ({columns}) character set utf8mb4")).unwrap();
    let row = "true, -7, -70000, 18446744073709551615, 0.1, 1.5, -12345678901234567890.5000, 'a\"ж', 'long', x'00dead', x'beef', \
        '2026-11-23', '-26:03:04.25', '2026-11-23', '2026-11-23 09:05:07.25', '2026-11-23 09:05:07.25', '{\"a\": [1]}', 'q', 2026, 257, null";
    asked.writes(&format!("insert into t values ({row})")).unwrap();
    for (column, expected) in [
        ("y", "true"),
        ("t", "-7"),
        ("i", "-70000"),
        ("u", "18446744073709551615"),
        ("f", "0.1"),
        ("g", "1.5"),
        ("d", "\"-12345678901234567890.5000\""),
        ("s", r#""a\"ж""#),
        ("x", "\"long\""),
        ("b", "\"00dead\""),
        ("l", "\"beef\""),
        ("a", "\"2026-11-23\""),
        ("h", "\"-26:03:04.25\""),
        ("m", "\"2026-11-23T00:00:00\""),
        ("k", "\"2026-11-23T09:05:07.25\""),
        // The session that wrote it has no other zone.
        ("z", "\"2026-11-23T09:05:07.25Z\""),
        // MariaDB keeps documents of JSON as texts.
        ("j", r#""{\"a\": [1]}""#),
        ("e", "\"q\""),
        ("v", "2026"),
        ("w", "257"),
        ("n", "null"),
    ] {
        let rows = asked.reads(&format!("select {column} as x from t")).unwrap().rows;
        assert_eq!(rows, format!("[{{\"x\":{expected}}}]"), "{column}");
    }
}

#[test]
fn r22_a_call_goes_to_the_user_that_a_row_of_postgresql_names() {
    let server = DatabaseServer::postgresql();
    let asked = Asked::new(Kind::PostgreSql, &server);
    asked.writes("create table clients (phone text, agent int)").unwrap();
    asked.writes("insert into clients values ('101', 102)").unwrap();
    let databases = format!(
        "databases:\n  - id: crm\n    kind: postgresql\n    address: 127.0.0.1:{}\n    database: {DATABASE}\n    user: {DATABASE_USER}\n    \
         password: {DATABASE_PASSWORD}\n    tls: encrypt\n    private: true\n    queries:\n      \
         - {{ id: agent-of, sql: \"select agent from clients where phone = :number\" }}",
        server.port()
    );
    let asks = "- database-query: { database: crm, query: agent-of, with: { number: \"{caller_number}\" }, into: { agent: agent } }\n  \
        on:\n    found:\n      - call-user: { mode: variable, target: agent }\n- echo: { max: 60s }";
    let office = Office::new().scenario_with("300", "asks", "variables: { agent: user }", asks).lines(&databases);
    let switch = Plugboard::with_office(&office);
    let bob = Baresip::start(&switch, "102", "secret-102", 700.0, Transport::Udp);
    let ann = Baresip::start(&switch, "101", "secret-101", 440.0, Transport::Udp);
    ann.dials("300");
    bob.waits_for_answer();
    ann.waits_to_hear_tone(700.0);
    ann.hangs_up();
    let record = switch.waits_for_past_calls(1)[0].clone();
    assert_eq!(steps(&record)[0], ("database-query".to_owned(), "found".to_owned()), "{record}");
    let shown = switch.succeeds(&["call", "trace", record["id"].as_str().unwrap()]);
    assert!(shown.contains("database.ask agent-of of crm") && !shown.contains(DATABASE_PASSWORD), "{shown}");
    let replayed = switch.ask(&["call", "replay", record["id"].as_str().unwrap()]);
    assert_eq!(replayed["runs"][0]["same"], true, "{replayed}");
    assert!(switch.sample("plugboard_database_questions_total{outcome=\"done\"}") > 0.5);
}
