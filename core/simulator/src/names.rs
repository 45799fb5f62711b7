//! Names in a story: DNS from a zone of a few lines, on the story's own time.

use plugboard_model::Time;
use plugboard_switch::{Answer, Clock, Dns, DnsReply, NaptrRecord, NotFound, Question, Records, SrvRecord};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::SimClock;

/// How long an answer takes: four times as long as a message.
const ANSWER_TAKES: Duration = Duration::from_millis(20);
/// How long "there is nothing" is good.
const NEGATIVE_TTL: Duration = Duration::from_secs(60);

/// A zone that answers later.
#[derive(Clone)]
pub(crate) struct Names {
    inside: Arc<Mutex<Inside>>,
    clock: Arc<SimClock>,
    wake: Arc<Notify>,
}

struct Inside {
    zone: String,
    asked: Vec<String>,
    open: BTreeMap<(Time, u64), (Question, DnsReply)>,
    next: u64,
}

impl Names {
    pub(crate) fn new(zone: String, clock: Arc<SimClock>, wake: Arc<Notify>) -> Self {
        let inside = Inside { zone, asked: Vec::new(), open: BTreeMap::new(), next: 0 };
        Self { inside: Arc::new(Mutex::new(inside)), clock, wake }
    }

    pub(crate) fn zone_is(&self, records: &str) {
        records.clone_into(&mut self.lock().zone);
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    /// When the next answer is due.
    pub(crate) fn next(&self) -> Option<Time> {
        self.lock().open.first_key_value().map(|((at, _), _)| *at)
    }

    /// Gives the answers that are due.
    pub(crate) fn answer(&self, now: Time) {
        loop {
            let mut inside = self.lock();
            let Some(first) = inside.open.first_entry().filter(|first| first.key().0 <= now) else { return };
            let (question, reply) = first.remove();
            let answer = look_up(&inside.zone, &question);
            drop(inside);
            if let Some(answer) = answer {
                reply(answer);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dns for Names {
    fn ask(&self, question: Question, reply: DnsReply) {
        let mut inside = self.lock();
        inside.asked.push(question.to_string());
        let key = (self.clock.now() + ANSWER_TAKES, inside.next);
        inside.next += 1;
        inside.open.insert(key, (question, reply));
        drop(inside);
        self.wake.notify_one();
    }
}

/// `None`: nobody answers.
fn look_up(zone: &str, question: &Question) -> Option<Result<Answer, NotFound>> {
    let asked = question.to_string();
    let (name, record_type) = asked.split_once(' ').unwrap_or_default();
    match zone.trim() {
        "SILENT" => return None,
        "FAIL" => return Some(Err(NotFound::Failed { reason: "no server answers".into() })),
        _ => {}
    }
    let (mut rules, mut hosts, mut addresses, mut shortest) = (Vec::new(), Vec::new(), Vec::new(), None::<u64>);
    for line in zone.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [owner, ttl, of_type, data @ ..] = words.as_slice() else { panic!("no record: {line:?}") };
        if *owner != name || *of_type != record_type {
            continue;
        }
        let ttl: u64 = number(ttl);
        shortest = Some(shortest.map_or(ttl, |other| other.min(ttl)));
        match (*of_type, data) {
            ("NAPTR", [order, preference, services, next]) => rules.push(NaptrRecord {
                order: number(order),
                preference: number(preference),
                flags: "s".into(),
                services: (*services).into(),
                replacement: (*next).into(),
            }),
            ("SRV", [priority, weight, port, host]) => hosts.push(SrvRecord {
                priority: number(priority),
                weight: number(weight),
                port: number(port),
                target: (*host).into(),
            }),
            ("A" | "AAAA", [address]) => addresses.push(number::<IpAddr>(address)),
            _ => panic!("no record: {line:?}"),
        }
    }
    let Some(ttl) = shortest else { return Some(Err(NotFound::Nothing { ttl: NEGATIVE_TTL })) };
    let records = match question {
        Question::Naptr(_) => Records::Naptr(rules),
        Question::Srv(_) => Records::Srv(hosts),
        Question::A(_) | Question::Aaaa(_) => Records::Addresses(addresses),
    };
    Some(Ok(Answer { records, ttl: Duration::from_secs(ttl) }))
}

fn number<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> T {
    text.parse().unwrap_or_else(|fault| panic!("{text:?}: {fault}"))
}
