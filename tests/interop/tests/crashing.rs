//! A switch that is killed amid calls, again and again: no story is lost, and nothing is done twice.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Answer, Call, Office, Plugboard, Serve, Sipp, Transport, free_port, until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

/// Rounds; with `PLUGBOARD_LONG=1` a hundred.
const ROUNDS: usize = 20;

/// A service that counts what it is asked to do, by key.
fn ledger() -> (u16, Arc<Mutex<BTreeMap<String, usize>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let noted = Arc::clone(&seen);
    // It goes with the process of the test.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let (mut length, mut line) = (0_usize, String::new());
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                let lower = line.to_ascii_lowercase();
                if let Some(key) = lower.strip_prefix("idempotency-key:") {
                    *noted.lock().unwrap().entry(key.trim().to_owned()).or_default() += 1;
                }
                if let Some(bytes) = lower.strip_prefix("content-length:") {
                    length = bytes.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            let _ = reader.read_exact(&mut body);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            let _ = reader.get_mut().write_all(answer);
        }
    });
    (port, seen)
}

/// Those of the calls that a scenario's step is at, by the number that was called.
fn stands_at(switch: &Plugboard, called: &str, word: &str) -> Option<()> {
    let live = switch.live_calls();
    let call = live.iter().find(|call| call["called"] == called)?;
    let output = switch.command(&["--json", "call", "trace", call["id"].as_str().unwrap()]);
    String::from_utf8(output.stdout).unwrap().contains(word).then_some(())
}

#[test]
fn killed_with_calls_that_ring_talk_and_wait_each_has_one_record_and_nothing_is_done_twice() {
    let rounds = if std::env::var_os("PLUGBOARD_LONG").is_some() { 5 * ROUNDS } else { ROUNDS };
    let (port, seen) = ledger();
    let waits = "- http-request: { source: ledger, method: post, path: calls, body: { who: \"{caller_number}\" } }\n\
                 - play-audio: { kind: tone, audio: busy, repeat: true, max: 10m }";
    let office = Office::new()
        .lines(&format!(
            "http:\n  - {{ id: ledger, url: \"http://127.0.0.1:{port}\", private: true, methods: [get, post] }}"
        ))
        .scenario("300", "waiting", waits)
        .scenario("301", "ringing", "- call-user: { mode: user, target: \"102\", ring_for: 10m }");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut switch = Serve::on(&data).start();
    switch.apply(&office);
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for round in 0..rounds {
        let rings_at = free_port(1);
        Sipp::registers(&switch, "102", "secret-102", rings_at).succeeds();
        let ringing =
            Sipp::answers(&switch, &format!("rings-{round}"), &Answer::new().rings_only(), Transport::Udp, rings_at)
                .start();
        let calls = [("101", "*43"), ("103", "301"), ("104", "300")].map(|(user, called)| {
            let call = Call::new(user, &format!("secret-{user}"), called).stays();
            Sipp::calls(&switch, &format!("calls-{user}-{round}"), &call, Transport::Udp).start()
        });
        until("a call that talks", || stands_at(&switch, "*43", "\"echo\""));
        until("a call that rings", || stands_at(&switch, "301", "leg_rang"));
        until("a call that waits", || stands_at(&switch, "300", "play-audio"));
        let live: Vec<String> =
            switch.live_calls().iter().map(|call| call["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(live.len(), 3, "round {round}");
        switch.signal("KILL");
        switch.wait();
        drop((ringing, calls));

        switch = Serve::on(&data).start();
        let past = switch.waits_for_past_calls((3 * (round + 1)).min(20));
        let mut new = 0;
        for record in &past {
            let id = record["id"].as_str().unwrap();
            match known.get(id) {
                Some(before) => assert_eq!(before, record, "round {round}: a record is never changed"),
                None => {
                    assert!(live.contains(&id.to_owned()), "round {round}: nobody made this call: {record}");
                    assert!(
                        record["outcome"]["failed"]["status"] == 500 || record["outcome"] == "answered",
                        "{record}"
                    );
                    assert!(!record["legs"].as_array().unwrap().is_empty(), "{record}");
                    assert!(
                        record["legs"].as_array().unwrap().iter().all(|leg| leg["cause"]["status"].is_u64()),
                        "{record}"
                    );
                    known.insert(id.to_owned(), record.clone());
                    new += 1;
                }
            }
        }
        assert_eq!(new, 3, "round {round}: each call has one record");
        for id in &live {
            let replayed = switch.ask(&["call", "replay", id]);
            let same = |run: &Value| run["same"] == true;
            assert!(replayed["runs"].as_array().unwrap().iter().all(same), "round {round}: {replayed}");
        }
        assert!(switch.live_calls().is_empty(), "round {round}");
        let users = switch.ask(&["user", "list"]);
        for user in users["users"].as_array().unwrap() {
            assert_eq!(user["calls"], 0, "round {round}: {user}");
        }
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), rounds, "each round has its effect");
    assert!(seen.values().all(|times| *times == 1), "no effect is done twice: {seen:?}");
    // And it takes calls as before.
    let call = Call::new("101", "secret-101", "*43").lasts(std::time::Duration::from_millis(100));
    Sipp::calls(&switch, "afterwards", &call, Transport::Udp).succeeds();
}
