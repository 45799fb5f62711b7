//! The resolver against a server of this test's own.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use plugboard_outside::dns::{Answer, Found, NoAnswer, Question, Resolver};
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

/// What a question gets.
type Zone = fn(&str, RecordType) -> Result<Vec<Record>, ResponseCode>;

/// A server on a port of its own. It ends with the test.
fn server(zone: Zone) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 1_500];
        while let Ok((len, from)) = socket.recv_from(&mut bytes) {
            let Ok(question) = Message::from_vec(bytes.get(..len).unwrap()) else { continue };
            let query = question.queries.first().unwrap().clone();
            let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
            answer.metadata.recursion_available = true;
            answer.add_query(query.clone());
            match zone(&query.name().to_ascii().to_ascii_lowercase(), query.query_type()) {
                Ok(records) => drop(answer.add_answers(records)),
                Err(ResponseCode::NoError) => continue,
                Err(code) => answer.metadata.response_code = code,
            }
            socket.send_to(&answer.to_vec().unwrap(), from).unwrap();
        }
    });
    address
}

fn record(name: &str, ttl: u32, data: RData) -> Record {
    Record::from_rdata(Name::from_ascii(name).unwrap(), ttl, data)
}

fn asked(zone: Zone, question: Question) -> Result<Answer, NoAnswer> {
    let resolver = Resolver::of_servers(&[server(zone)]).unwrap();
    let (tell, heard) = mpsc::channel();
    resolver.ask(question, move |answer| tell.send(answer).unwrap());
    heard.recv_timeout(Duration::from_secs(30)).expect("an answer, whatever it is")
}

#[test]
fn each_type_is_read_with_the_shortest_time_to_live() {
    let zone: Zone = |name, record_type| {
        let target = |text: &str| Name::from_ascii(text).unwrap();
        match (name, record_type) {
            ("carrier.test.", RecordType::NAPTR) => {
                let bytes = |text: &str| text.as_bytes().into();
                let naptr =
                    NAPTR::new(10, 20, bytes("s"), bytes("SIP+D2U"), bytes(""), target("_sip._udp.Carrier.test."));
                Ok(vec![record(name, 300, RData::NAPTR(naptr))])
            }
            ("_sip._udp.carrier.test.", RecordType::SRV) => Ok(vec![
                record(name, 300, RData::SRV(SRV::new(1, 2, 5060, target("one.carrier.test.")))),
                record(name, 60, RData::SRV(SRV::new(3, 4, 5070, target(".")))),
            ]),
            ("one.carrier.test.", RecordType::A) => Ok(vec![
                record(name, 30, RData::CNAME(CNAME(target("two.carrier.test.")))),
                record("two.carrier.test.", 900, RData::A(A::new(192, 0, 2, 1))),
            ]),
            _ => Err(ResponseCode::NXDomain),
        }
    };
    let naptr = asked(zone, Question::Naptr("carrier.test".into())).unwrap();
    let rule = Found::Naptr {
        order: 10,
        preference: 20,
        flags: "s".into(),
        services: "SIP+D2U".into(),
        replacement: "_sip._udp.carrier.test".into(),
    };
    assert_eq!(naptr, Answer { records: vec![rule], ttl: Duration::from_secs(300) });
    let srv = asked(zone, Question::Srv("_sip._udp.carrier.test".into())).unwrap();
    let host = |priority, weight, port, target: &str| Found::Srv { priority, weight, port, target: target.into() };
    assert_eq!(srv.records, [host(1, 2, 5060, "one.carrier.test"), host(3, 4, 5070, ".")]);
    assert_eq!(srv.ttl, Duration::from_secs(60));
    let a = asked(zone, Question::A("one.carrier.test".into())).unwrap();
    assert_eq!(a, Answer { records: vec![Found::Address("192.0.2.1".parse().unwrap())], ttl: Duration::from_secs(30) });
    assert!(matches!(asked(zone, Question::Aaaa("nobody.test".into())), Err(NoAnswer::Nothing { .. })));
}

#[test]
fn a_server_that_fails_is_told_from_a_name_that_is_not_there() {
    let failing: Zone = |_, _| Err(ResponseCode::ServFail);
    assert!(matches!(asked(failing, Question::A("carrier.test".into())), Err(NoAnswer::Failed(_))));
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let silent: Zone = |_, _| Err(ResponseCode::NoError);
    assert!(matches!(asked(silent, Question::A("carrier.test".into())), Err(NoAnswer::Failed(_))));
}
