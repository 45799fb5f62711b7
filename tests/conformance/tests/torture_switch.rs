//! Every message of RFC 4475 and RFC 5118 comes to the whole switch from a stranger: what he is answered in the end, and that
//! nothing is left of it. What the messages alone decide is in `torture.rs`.

use plugboard_simulator::Sim;
use sipx_testkit::{rfc4475, rfc5118};
use std::fmt::Write;
use std::time::Duration;

/// Each message with the final statuses that it is answered with; `silence`, if none.
///
/// A dialog that nobody has is 481; whom nobody knows, and what can be a call or a registration, is asked for a password. Responses to
/// no request are passed over.
const ANSWERS: &str = "\
wsinv: 481
intmeth: 405
esc01: 407
escnull: 401
esc02: 405
lwsdisp: 200
longreq: 407
dblreq: 401
semiuri: 200
transports: 200
mpart01: 405
unreason: silence
noreason: silence
clerr: 400
ncl: 400
ltgtruri: 400
lwsruri: 400
lwsstart: 400
trws: 400
bigcode: silence
badinv01: 400
scalar02: 400
scalarlg: silence
quotbal: 400
baddate: 407
regbadct: 400
badaspec: 400
baddn: 400
escruri: 400
badvers: 505
mismatch01: 400
mismatch02: 400
badbranch: 400
insuf: 400
unkscm: 416
novelsc: 416
unksm2: 401
bext01: 420
invut: 415
regaut01: 401
multi01: 400
mcl01: 400
bcast: silence
zeromf: 200
cparam01: 401
cparam02: 401
regescrt: 401
sdp01: 406
inv2543: 407
ipv6-good: 401
ipv6-bad: 400
port-ambiguous: 401
port-unambiguous: 401
via-received-param-with-delim: 481
via-received-param-no-delim: 200
ipv6-in-sdp: 407
mult-ip-in-header: 481
mult-ip-in-sdp: 407
ipv4-mapped-ipv6: 407
ipv6-bug-abnf-3-colons: 200
ipv6-correct-abnf-2-colons: 200
";

/// All messages, each with the address of a stranger of its own.
fn messages() -> Vec<(String, &'static str, Vec<u8>)> {
    let first = rfc4475::classified().map(|case| (case.name, case.bytes.to_vec()));
    let all = first.chain(rfc5118::CASES.iter().map(|case| (case.name, case.wire().to_vec())));
    all.zip(1..).map(|((name, bytes), n)| (format!("203.0.113.{n}:5060"), name, bytes)).collect()
}

/// What the switch said meanwhile, by its final statuses; each once, however often it was sent.
fn finals(sim: &Sim, host: &str) -> String {
    let said = sim.said_to_strangers().into_iter().filter(|(to, _)| to.ip().to_string() == host);
    let statuses = said.filter_map(|(_, text)| Some(text.strip_prefix("SIP/2.0 ")?.get(..3)?.to_owned()));
    let mut statuses: Vec<String> = statuses.filter(|status| !status.starts_with('1')).collect();
    statuses.sort();
    statuses.dedup();
    if statuses.is_empty() { "silence".into() } else { statuses.join(" ") }
}

#[test]
fn every_message_is_answered_by_the_switch_as_it_should_be_and_leaves_nothing() {
    let mut sim = Sim::demo();
    // The gateways are asked whether they live first.
    sim.run_for(Duration::from_secs(1));
    let mut told = String::new();
    for (from, name, bytes) in messages() {
        sim.said_to_strangers();
        sim.strange_bytes(&from, bytes);
        sim.run_for(Duration::from_secs(40));
        let (host, _) = from.split_once(':').unwrap();
        writeln!(told, "{name}: {}", finals(&sim, host)).unwrap();
    }
    sim.run_until_quiet();
    assert_eq!(told, ANSWERS, "\n{told}");
    // It lives, and knows nobody whom it did not know before.
    assert_eq!(sim.records("main"), [], "no call came of it");
}
