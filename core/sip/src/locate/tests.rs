use super::*;
use std::collections::BTreeMap;

const HOUR: Duration = Duration::from_secs(3_600);

/// A zone: answers by question.
#[derive(Default)]
struct Zone(BTreeMap<String, Result<Answer, NotFound>>);

impl Zone {
    fn put(mut self, question: &str, ttl: u64, records: Records) -> Self {
        self.0.insert(question.into(), Ok(Answer { records, ttl: Duration::from_secs(ttl) }));
        self
    }

    fn srv(self, name: &str, hosts: &[(u16, u16, u16, &str)]) -> Self {
        let record = |(priority, weight, port, target): &(u16, u16, u16, &str)| SrvRecord {
            priority: *priority,
            weight: *weight,
            port: *port,
            target: (*target).into(),
        };
        self.put(&format!("{name} SRV"), 300, Records::Srv(hosts.iter().map(record).collect()))
    }

    fn naptr(self, name: &str, rules: &[(u16, u16, &str, &str)]) -> Self {
        let record = |(order, preference, services, replacement): &(u16, u16, &str, &str)| NaptrRecord {
            order: *order,
            preference: *preference,
            flags: "S".into(),
            services: (*services).into(),
            replacement: (*replacement).into(),
        };
        self.put(&format!("{name} NAPTR"), 300, Records::Naptr(rules.iter().map(record).collect()))
    }

    fn a(self, name: &str, ttl: u64, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        self.put(&format!("{name} A"), ttl, Records::Addresses(addresses))
    }

    fn failing(mut self, question: &str) -> Self {
        self.0.insert(question.into(), Err(NotFound::Failed { reason: "SERVFAIL".into() }));
        self
    }

    /// Answers everything that is asked; what was asked.
    fn serve(&self, now: Time, locator: &mut Locator) -> Vec<String> {
        let mut asked = Vec::new();
        while let Some(question) = locator.poll_output() {
            asked.push(question.to_string());
            let nothing = Err(NotFound::Nothing { ttl: HOUR });
            let answer = self.0.get(&question.to_string()).cloned().unwrap_or(nothing);
            locator.handle(now, Input::Answered(question, answer));
        }
        asked
    }
}

fn sought(host: &str) -> Sought {
    Sought {
        host: host.into(),
        port: None,
        transport: None,
        spoken: vec![Transport::Udp, Transport::Tcp],
        families: Families { v4: true, v6: false },
    }
}

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

fn words(locator: &Locator, mark: u64) -> Vec<String> {
    locator.targets(|below| mark % below).iter().map(ToString::to_string).collect()
}

fn found(zone: &Zone, sought: Sought) -> (Vec<String>, Vec<String>) {
    let mut locator = Locator::new(Time::ZERO, sought);
    let asked = zone.serve(Time::ZERO, &mut locator);
    (asked, words(&locator, 0))
}

#[test]
fn naptr_chooses_the_transport_and_srv_the_hosts() {
    let zone = Zone::default()
        .naptr(
            "a.test",
            &[
                (50, 50, "SIPS+D2T", "_sips._tcp.a.test."),
                (90, 50, "SIP+D2T", "_sip._tcp.a.test."),
                (100, 50, "SIP+D2U", "_sip._udp.a.test."),
            ],
        )
        .srv("_sip._tcp.a.test", &[(0, 1, 5060, "one.a.test")])
        .srv("_sip._udp.a.test", &[(0, 1, 5060, "one.a.test"), (1, 2, 5070, "two.a.test")])
        .a("one.a.test", 60, &["192.0.2.1"])
        .a("two.a.test", 60, &["192.0.2.2"]);
    let (asked, targets) = found(&zone, sought("a.test"));
    insta::assert_snapshot!(asked.join("\n"), @r"
    a.test NAPTR
    _sip._tcp.a.test SRV
    _sip._udp.a.test SRV
    one.a.test A
    two.a.test A
    ");
    assert_eq!(targets, ["TCP 192.0.2.1:5060", "UDP 192.0.2.1:5060", "UDP 192.0.2.2:5070"]);
}

#[test]
fn without_naptr_srv_is_asked_and_without_srv_the_name_itself() {
    let zone = Zone::default().a("a.test", 60, &["192.0.2.1", "192.0.2.2"]);
    let (asked, targets) = found(&zone, sought("a.test"));
    assert_eq!(asked, ["a.test NAPTR", "_sip._tcp.a.test SRV", "_sip._udp.a.test SRV", "a.test A"]);
    assert_eq!(targets, ["UDP 192.0.2.1:5060", "UDP 192.0.2.2:5060"]);
}

#[test]
fn with_a_port_only_addresses_are_asked_for() {
    let zone = Zone::default().a("a.test", 60, &["192.0.2.1"]);
    let (asked, targets) = found(&zone, Sought { port: Some(5080), ..sought("a.test") });
    assert_eq!((asked, targets), (vec!["a.test A".to_owned()], vec!["UDP 192.0.2.1:5080".to_owned()]));
}

#[test]
fn with_a_transport_no_naptr_is_asked_for() {
    let zone = Zone::default().srv("_sip._tcp.a.test", &[(0, 0, 5062, "b.test")]).a("b.test", 60, &["192.0.2.1"]);
    let (asked, targets) = found(&zone, Sought { transport: Some(Transport::Tcp), ..sought("a.test") });
    assert_eq!(asked, ["_sip._tcp.a.test SRV", "b.test A"]);
    assert_eq!(targets, ["TCP 192.0.2.1:5062"]);
}

#[test]
fn both_families_are_asked_for_and_ipv4_is_tried_first() {
    let six = Records::Addresses(vec!["2001:db8::1".parse().unwrap()]);
    let zone = Zone::default().put("a.test AAAA", 60, six).a("a.test", 60, &["192.0.2.1"]);
    let both = Sought { port: Some(5060), families: Families { v4: true, v6: true }, ..sought("a.test") };
    assert_eq!(found(&zone, both).1, ["UDP 192.0.2.1:5060", "UDP [2001:db8::1]:5060"]);
}

#[test]
fn a_lone_dot_says_that_there_is_no_such_service() {
    let zone = Zone::default().srv("_sip._udp.a.test", &[(0, 0, 0, ".")]).a("a.test", 60, &["192.0.2.1"]);
    let (_, targets) = found(&zone, Sought { transport: Some(Transport::Udp), ..sought("a.test") });
    assert_eq!(targets, ["UDP 192.0.2.1:5060"]);
}

#[test]
fn priorities_come_in_order_and_weights_by_chance() {
    let hosts = [(1, 0, 5060, "c.test"), (0, 30, 5060, "a.test"), (0, 10, 5060, "b.test")];
    let zone = Zone::default()
        .srv("_sip._udp.z.test", &hosts)
        .a("a.test", 60, &["192.0.2.1"])
        .a("b.test", 60, &["192.0.2.2"])
        .a("c.test", 60, &["192.0.2.3"]);
    let mut locator = Locator::new(Time::ZERO, Sought { transport: Some(Transport::Udp), ..sought("z.test") });
    zone.serve(Time::ZERO, &mut locator);
    let (mut first, mut number) = (BTreeMap::new(), 0);
    for _ in 0..4_100 {
        number += 1;
        let targets = words(&locator, number);
        assert_eq!(targets[2], "UDP 192.0.2.3:5060", "the higher number comes last");
        *first.entry(targets[0].clone()).or_insert(0) += 1;
    }
    assert_eq!(first["UDP 192.0.2.1:5060"], 3_100, "31 marks of 41 are his (RFC 2782)");
    assert_eq!(first["UDP 192.0.2.2:5060"], 1_000);
}

#[test]
fn answers_are_asked_for_again_when_they_are_out_of_date_and_serve_until_the_new_ones_come() {
    let zone = Zone::default().a("a.test", 60, &["192.0.2.1"]);
    let mut locator = Locator::new(Time::ZERO, Sought { port: Some(5060), ..sought("a.test") });
    assert!(locator.is_first());
    zone.serve(Time::ZERO, &mut locator);
    assert_eq!(locator.poll_timeout(), at(60));
    locator.handle(at(60), Input::Tick);
    assert_eq!(words(&locator, 0), ["UDP 192.0.2.1:5060"], "while it asks");
    Zone::default().a("a.test", 0, &["192.0.2.9"]).serve(at(60), &mut locator);
    assert_eq!(words(&locator, 0), ["UDP 192.0.2.9:5060"]);
    assert_eq!(locator.poll_timeout(), at(60) + TTL_MIN, "a TTL of 0 does not make us ask without end");
}

#[test]
fn what_was_found_serves_for_a_day_while_no_server_answers() {
    let good = Zone::default().a("a.test", 60, &["192.0.2.1"]);
    let bad = Zone::default().failing("a.test A");
    let mut locator = Locator::new(Time::ZERO, Sought { port: Some(5060), ..sought("a.test") });
    good.serve(Time::ZERO, &mut locator);
    let mut now = locator.poll_timeout();
    while now < at(60) + STALE_MAX {
        locator.handle(now, Input::Tick);
        bad.serve(now, &mut locator);
        assert_eq!(words(&locator, 0), ["UDP 192.0.2.1:5060"]);
        assert_eq!(locator.poll_timeout(), now + RETRY);
        now = locator.poll_timeout();
    }
    locator.handle(now, Input::Tick);
    bad.serve(now, &mut locator);
    assert_eq!(words(&locator, 0), Vec::<String>::new());
}

#[test]
fn a_name_that_is_gone_leads_nowhere_and_is_asked_for_again_in_five_minutes() {
    let good = Zone::default().a("a.test", 60, &["192.0.2.1"]);
    let mut locator = Locator::new(Time::ZERO, Sought { port: Some(5060), ..sought("a.test") });
    good.serve(Time::ZERO, &mut locator);
    locator.handle(at(60), Input::Tick);
    Zone::default().serve(at(60), &mut locator);
    assert_eq!(words(&locator, 0), Vec::<String>::new());
    assert_eq!(locator.poll_timeout(), at(60) + NEGATIVE_TTL_MAX);
}

#[test]
fn a_server_that_says_nothing_holds_nothing_up() {
    let mut locator = Locator::new(Time::ZERO, sought("a.test"));
    assert_eq!(locator.poll_output(), Some(Question::Naptr("a.test".into())));
    locator.handle(at(15), Input::Tick);
    let asked: Vec<_> = std::iter::from_fn(|| locator.poll_output()).map(|asked| asked.to_string()).collect();
    assert_eq!(asked, ["_sip._tcp.a.test SRV", "_sip._udp.a.test SRV"], "SRV may be answered all the same");
    locator.handle(at(30), Input::Tick);
    assert_eq!(locator.poll_output(), Some(Question::A("a.test".into())));
    locator.handle(at(45), Input::Tick);
    assert!(!locator.is_first());
    assert_eq!(locator.poll_timeout(), at(45) + RETRY);
    locator.handle(at(46), Input::Answered(Question::A("a.test".into()), Err(NotFound::Nothing { ttl: HOUR })));
    assert_eq!(locator.poll_timeout(), at(45) + RETRY, "it comes too late to matter");
}

#[test]
fn an_answer_has_bounds() {
    let many: Vec<String> = (0..200).map(|n| format!("h{n}.test")).collect();
    let hosts: Vec<(u16, u16, u16, &str)> = many.iter().map(|name| (0, 0, 5060, name.as_str())).collect();
    let mut zone = Zone::default().srv("_sip._udp.a.test", &hosts);
    for (n, name) in many.iter().enumerate() {
        let addresses: Vec<String> = (0..20).map(|k| format!("10.0.{n}.{k}")).collect();
        zone = zone.a(name, 60, &addresses.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let (asked, targets) = found(&zone, Sought { transport: Some(Transport::Udp), ..sought("a.test") });
    assert_eq!((asked.len(), targets.len()), (1 + HOSTS_MAX, TARGETS_MAX));
}

#[test]
fn what_failed_of_late_is_tried_last_and_not_for_ever() {
    let target = |n| Target { transport: Transport::Udp, address: SocketAddr::from(([192, 0, 2, n], 5060)) };
    let mut bad = BadTargets::default();
    bad.failed(at(0), target(1), None);
    bad.failed(at(0), target(2), Some(Duration::from_secs(10)));
    let all = vec![target(1), target(2), target(3)];
    assert_eq!(bad.last(at(1), all.clone()), [target(3), target(1), target(2)]);
    assert_eq!(bad.last(at(10), all.clone()), [target(2), target(3), target(1)], "as long as it asked for");
    bad.works(target(1));
    assert_eq!(bad.last(at(10), all.clone()), all);
}
