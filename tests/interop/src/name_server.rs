//! A name server that knows what a test says and counts what it is asked.

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

/// Seconds that its answers are good for: no test goes on for so long.
const TTL: u32 = 3_600;

/// Something that is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// A rule: its order, its service, the name of the service's servers.
    Rule(u16, &'static str, &'static str),
    /// A server: its priority (lower ones go first), port and name.
    Server(u16, u16, &'static str),
    /// Its address.
    At(Ipv4Addr),
}

impl Known {
    fn record_type(&self) -> RecordType {
        match self {
            Self::Rule(..) => RecordType::NAPTR,
            Self::Server(..) => RecordType::SRV,
            Self::At(_) => RecordType::A,
        }
    }

    fn data(&self) -> RData {
        let name = |text: &str| Name::from_ascii(format!("{text}.")).unwrap();
        match self {
            Self::Rule(order, service, replacement) => {
                let bytes = |text: &str| text.as_bytes().into();
                RData::NAPTR(NAPTR::new(*order, 0, bytes("s"), bytes(service), bytes(""), name(replacement)))
            }
            Self::Server(priority, port, target) => RData::SRV(SRV::new(*priority, 1, *port, name(target))),
            Self::At(address) => RData::A(A(*address)),
        }
    }
}

/// A running name server; it ends with the test program.
#[derive(Debug)]
pub struct NameServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl NameServer {
    /// One that knows this of these names, and nothing else.
    pub fn knows(zone: &[(&'static str, Known)]) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (address, zone) = (socket.local_addr().unwrap(), zone.to_vec());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut bytes = [0; 1_500];
            while let Ok((length, from)) = socket.recv_from(&mut bytes) {
                let Ok(question) = Message::from_vec(&bytes[..length]) else { continue };
                let answer = answer(&question, &zone, &noted);
                socket.send_to(&answer.to_vec().unwrap(), from).unwrap();
            }
        });
        Self { address, asked }
    }

    /// The lines of the configuration by which a switch asks it.
    pub fn configured(&self) -> String {
        format!("[dns]\nservers = ['{}']\n", self.address)
    }

    /// What it was asked up to now, as `SRV _sip._udp.carrier.test`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(question: &Message, zone: &[(&'static str, Known)], noted: &Mutex<Vec<String>>) -> Message {
    let query = question.queries.first().unwrap().clone();
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.metadata.recursion_available = true;
    answer.add_query(query.clone());
    let name = query.name().to_ascii().to_ascii_lowercase();
    let name = name.trim_end_matches('.');
    noted.lock().unwrap().push(format!("{} {name}", query.query_type()));
    let of_name = || zone.iter().filter(|(known, _)| *known == name);
    if of_name().next().is_none() {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    let records = of_name().filter(|(_, known)| known.record_type() == query.query_type());
    answer.add_answers(records.map(|(_, known)| Record::from_rdata(query.name().clone(), TTL, known.data())));
    answer
}
