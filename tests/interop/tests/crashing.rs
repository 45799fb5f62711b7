//! A switch that is killed amid calls, again and again: no story is lost, and nothing is done twice.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Answer, Call, Office, Plugboard, Serve, Sipp, Transport, free_port, until};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// Rounds; with `PLUGBOARD_LONG=1` a hundred.
const ROUNDS: usize = 20;

/// What a service was asked to do.
#[derive(Default)]
struct Asked {
    /// By key, how often it did it.
    done: BTreeMap<String, usize>,
    /// The keys of posts that it has seen, and of those that it has not answered yet.
    posts: BTreeSet<String>,
    open: BTreeSet<String>,
    /// Text messages that it has seen; they have no key.
    texts: usize,
    /// Posts and texts are left without an answer.
    holds: bool,
    held: Vec<TcpStream>,
}

/// A service that counts what it is asked to do, and answers no post and no text while it holds them.
#[derive(Clone)]
struct Ledger {
    port: u16,
    asked: Arc<Mutex<Asked>>,
}

impl Ledger {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ledger = Self { port: listener.local_addr().unwrap().port(), asked: Arc::default() };
        let noted = ledger.clone();
        // It goes with the process of the test.
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| noted.serve(stream)));
        ledger
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let (mut length, mut key, mut line, mut path) = (0_usize, String::new(), String::new(), String::new());
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            let lower = line.to_ascii_lowercase();
            if let Some(told) = lower.strip_prefix("idempotency-key:") {
                told.trim().clone_into(&mut key);
            } else if let Some(bytes) = lower.strip_prefix("content-length:") {
                length = bytes.trim().parse().unwrap();
            } else if path.is_empty() {
                line.split(' ').nth(1).unwrap_or_default().clone_into(&mut path);
            }
            line.clear();
        }
        let mut body = vec![0; length];
        let _ = reader.read_exact(&mut body);
        let mut asked = self.asked();
        let (is_text, is_post) = (path.contains("texts"), path.contains("posts"));
        asked.texts += usize::from(is_text);
        if asked.holds && (is_text || is_post) {
            if is_post {
                asked.posts.insert(key.clone());
                if !asked.done.contains_key(&key) {
                    asked.open.insert(key);
                }
            }
            return asked.held.push(reader.into_inner());
        }
        if !is_text {
            asked.open.remove(&key);
            *asked.done.entry(key).or_default() += 1;
        }
        let answer =
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        let _ = reader.get_mut().write_all(answer);
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap()
    }

    /// From now on, or no longer.
    fn holds(&self, holds: bool) {
        let mut asked = self.asked();
        asked.holds = holds;
        asked.held.clear();
    }
}

/// Those of the calls that a scenario's step is at, by the number that was called.
fn stands_at(switch: &Plugboard, called: &str, word: &str) -> Option<()> {
    let live = switch.live_calls();
    let call = live.iter().find(|call| call["called"] == called)?;
    let output = switch.command(&["--json", "call", "trace", call["id"].as_str().unwrap()]);
    String::from_utf8(output.stdout).unwrap().contains(word).then_some(())
}

/// How many wait in the queue, and how many are to be called back.
fn queue(switch: &Plugboard) -> (u64, u64) {
    let told = switch.ask(&["queue", "list"]);
    let sum = |name: &str| told["queues"].as_array().unwrap().iter().filter_map(|queue| queue[name].as_u64()).sum();
    (sum("waiting"), sum("promised"))
}

/// The ids of calls.
fn ids(calls: &[Value]) -> Vec<String> {
    calls.iter().map(|call| call["id"].as_str().unwrap().to_owned()).collect()
}

/// Ringing, talking, in music, in a queue, and in a queue with the promise of a call.
const CALLS: [(&str, &str); 5] = [("101", "*43"), ("103", "301"), ("104", "300"), ("104", "302"), ("106", "302")];

/// Each of these calls has one record that says how it ended.
fn each_has_a_record(round: usize, live: &[String], past: &[Value], known: &mut BTreeMap<String, Value>) {
    let listed: BTreeSet<String> = ids(past).into_iter().collect();
    assert_eq!(listed.len(), past.len(), "round {round}: a call has one record");
    let mut new = 0;
    for record in past {
        let id = record["id"].as_str().unwrap();
        if let Some(before) = known.get(id) {
            assert_eq!(before, record, "round {round}: a record is never changed");
            continue;
        }
        assert!(live.contains(&id.to_owned()), "round {round}: nobody made this call: {record}");
        assert!(record["outcome"]["failed"]["status"] == 500 || record["outcome"] == "answered", "{record}");
        let legs = record["legs"].as_array().unwrap();
        assert!(!legs.is_empty() && legs.iter().all(|leg| leg["cause"]["status"].is_u64()), "{record}");
        known.insert(id.to_owned(), record.clone());
        new += 1;
    }
    assert_eq!(new, live.len(), "round {round}: each call has one record");
}

/// Whoever is free again calls who was promised it; the record of that call.
fn is_called_back(switch: &Plugboard, round: usize, ports: [u16; 2], known: &BTreeMap<String, Value>) -> Value {
    let answers = |user: &str, answer: &Answer, port: u16| {
        // Anew each time: the switch is at another port than before.
        Sipp::registers(switch, user, &format!("secret-{user}"), port).succeeds();
        Sipp::answers(switch, &format!("back-{user}-{round}"), answer, Transport::Udp, port).start()
    };
    let agent = answers("105", &Answer::new(), ports[0]);
    let caller = answers("106", &Answer::new().hangs_up_after(Duration::from_millis(50)), ports[1]);
    switch.succeeds(&["user", "status", "105", "available"]);
    caller.succeeds();
    agent.succeeds();
    let over = || switch.past_calls().into_iter().find(|call| !known.contains_key(call["id"].as_str().unwrap()));
    let record = until("the record of the call back", over);
    switch.succeeds(&["user", "status", "105", "away"]);
    record
}

#[test]
fn killed_with_calls_that_ring_talk_and_wait_each_has_one_record_and_nothing_is_done_twice() {
    let rounds = if std::env::var_os("PLUGBOARD_LONG").is_some() { 5 * ROUNDS } else { ROUNDS };
    let ledger = Ledger::new();
    let waits = "- http-request: { source: ledger, method: post, path: calls, body: { who: \"{caller_number}\" } }\n\
                 - webhook: { source: ledger, path: posts, body: { who: \"{caller_number}\" } }\n\
                 - send-text: { to: \"+491701234567\", text: \"We call you back.\" }\n\
                 - play-audio: { kind: tone, audio: busy, repeat: true, max: 10m }";
    let queues = "- call-user: { mode: user, target: \"105\", ring_for: 1s }\n\
                  - try-any-manager: { max: 10m, call_back_on: \"1\" }\n  \
                  on:\n    called-back: [ { play-audio: { kind: tone, audio: busy, repeat: true, max: 10m } } ]";
    let office = Office::new()
        .lines(&format!(
            "\nhttp:\n  - {{ id: ledger, url: \"http://127.0.0.1:{}\", private: true, methods: [get, post] }}\n\
             text_messages: {{ source: ledger, path: texts, an_hour: 3000, body: {{ to: \"{{to}}\", text: \"{{text}}\" }} }}",
            ledger.port
        ))
        .scenario("300", "waiting", waits)
        .scenario("301", "ringing", "- call-user: { mode: user, target: \"102\", ring_for: 10m }")
        .scenario("302", "queue", queues);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut switch = Serve::on(&data).start();
    switch.apply(&office);
    switch.succeeds(&["user", "status", "105", "away"]);
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    // Each phone stays where it is, so that it is one device however often it registers.
    let [rings_at, agent, caller] = [free_port(1), free_port(1), free_port(1)];
    for round in 0..rounds {
        Sipp::registers(&switch, "102", "secret-102", rings_at).succeeds();
        let ringing =
            Sipp::answers(&switch, &format!("rings-{round}"), &Answer::new().rings_only(), Transport::Udp, rings_at)
                .start();
        ledger.holds(true);
        let calls = CALLS.map(|(user, called)| {
            let call = Call::new(user, &format!("secret-{user}"), called).stays();
            let call = if user == "106" { call.presses('1') } else { call };
            Sipp::calls(&switch, &format!("calls-{user}-{called}-{round}").replace('*', ""), &call, Transport::Udp)
                .start()
        });
        until("a call that talks", || stands_at(&switch, "*43", "\"echo\""));
        until("a call that rings", || stands_at(&switch, "301", "leg_rang"));
        until("a call that waits", || stands_at(&switch, "300", "play-audio"));
        until("callers in the queue", || (queue(&switch) == (1, 1)).then_some(()));
        until("a post and a text that are leaving", || {
            let asked = ledger.asked();
            (asked.posts.len() == round + 1 && asked.texts == round + 1).then_some(())
        });
        let live = ids(&switch.live_calls());
        assert_eq!(live.len(), CALLS.len(), "round {round}");
        switch.signal("KILL");
        switch.wait();
        drop((ringing, calls));
        ledger.holds(false);

        switch = Serve::on(&data).start();
        let all = known.len() + CALLS.len();
        let past = switch.waits_for_past_calls(all.min(20));
        each_has_a_record(round, &live, &past, &mut known);
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
        assert_eq!(queue(&switch), (0, 1), "round {round}: who was promised a call has his place");
        let record = is_called_back(&switch, round, [agent, caller], &known);
        assert_eq!(record["outcome"], "answered", "round {round}: {record}");
        known.insert(record["id"].as_str().unwrap().to_owned(), record);
        assert_eq!(queue(&switch), (0, 0), "round {round}: he is called once");
    }
    // They are tried again a few seconds after a start, which most rounds do not last.
    until("the posts that were cut off", || ledger.asked().open.is_empty().then_some(()));
    let asked = ledger.asked();
    assert_eq!(asked.done.len(), 2 * rounds, "each round has its effects");
    assert!(asked.done.values().all(|times| *times == 1), "no effect is done twice: {:?}", asked.done);
    assert_eq!(asked.texts, rounds, "what cannot be told from a repetition is not sent again");
    drop(asked);
    // And it takes calls as before.
    let call = Call::new("101", "secret-101", "*43").lasts(Duration::from_millis(100));
    Sipp::calls(&switch, "afterwards", &call, Transport::Udp).succeeds();
}
