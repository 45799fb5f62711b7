//! One call at a time, timed to the microsecond: sipp's own clock counts milliseconds.

use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::clock;
use crate::error::LoadError;

/// No switch that is of use takes longer.
const ANSWER: Duration = Duration::from_secs(10);

/// Calls, hears the answer, hangs up.
pub(crate) struct Probe {
    socket: UdpSocket,
    local: SocketAddr,
    remote: SocketAddr,
}

/// How long the two steps of a set-up took from the INVITE on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SetUp {
    /// Until 180.
    pub(crate) rang: Duration,
    /// Until 200.
    pub(crate) answered: Duration,
}

impl Probe {
    pub(crate) fn new(local: SocketAddr, remote: SocketAddr) -> Result<Self, LoadError> {
        let socket = UdpSocket::bind(local).map_err(LoadError::at(format!("the probe's port {local}")))?;
        socket.set_read_timeout(Some(ANSWER)).map_err(LoadError::at("the probe's socket"))?;
        Ok(Self { socket, local, remote })
    }

    /// Makes one call.
    pub(crate) fn call(&self, n: u32, number: &str) -> Result<SetUp, LoadError> {
        let names = Names { n, number, local: self.local, remote: self.remote };
        let began = clock::now();
        self.send(&names.invite())?;
        let mut rang = None;
        let answer = loop {
            let message = self.receive(n)?;
            match status(&message) {
                Some(100..=179) => {}
                Some(180..=199) => rang = rang.or(Some(clock::now() - began)),
                Some(200) => break message,
                other => return Err(LoadError::Failed(format!("the probe's call {n} got {other:?}"))),
            }
        };
        let answered = clock::now() - began;
        self.send(&names.within("ACK", 1, &answer))?;
        self.send(&names.within("BYE", 2, &answer))?;
        // A 200 of the INVITE that was sent again may come before that of the BYE.
        while !self.receive(n)?.contains("2 BYE") {}
        Ok(SetUp { rang: rang.unwrap_or(answered), answered })
    }

    fn send(&self, message: &str) -> Result<(), LoadError> {
        self.socket.send_to(message.as_bytes(), self.remote).map(drop).map_err(LoadError::at("sending a probe"))
    }

    /// The next message of this call; what an earlier one left behind is passed over.
    fn receive(&self, n: u32) -> Result<String, LoadError> {
        let mut buffer = [0; 4_096];
        loop {
            let length = self.socket.recv(&mut buffer).map_err(LoadError::at(format!("no answer to probe {n}")))?;
            let message = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
            if message.contains(&format!("probe-{n}@")) {
                return Ok(message);
            }
        }
    }
}

struct Names<'a> {
    n: u32,
    number: &'a str,
    local: SocketAddr,
    remote: SocketAddr,
}

impl Names<'_> {
    fn head(&self, method: &str, uri: &str, cseq: u32, to_tag: &str) -> String {
        let Self { n, number, local, remote } = self;
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK-probe-{n}-{cseq}-{method};rport\r\n\
             From: <sip:5550101@{local}>;tag=probe{n}\r\nTo: <sip:{number}@{remote}>{to_tag}\r\n\
             Call-ID: probe-{n}@{local}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n"
        )
    }

    fn invite(&self) -> String {
        let ip = self.local.ip();
        let sdp = format!(
            "v=0\r\no=load 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 101\r\n\
             a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
        );
        let head = self.head("INVITE", &format!("sip:{}@{}", self.number, self.remote), 1, "");
        let local = self.local;
        format!(
            "{head}Contact: <sip:load@{local}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        )
    }

    /// A request within the dialog that this answer made.
    fn within(&self, method: &str, cseq: u32, answer: &str) -> String {
        let tag = header(answer, "To").and_then(|to| to.split_once(";tag=")).map_or("", |(_, tag)| tag);
        let contact = header(answer, "Contact").unwrap_or_default();
        let uri = contact.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(contact, |(uri, _)| uri);
        let mut message = self.head(method, uri, cseq, &format!(";tag={tag}"));
        let routes: Vec<&str> = answer.lines().filter_map(|line| named(line, "Record-Route")).collect();
        for route in routes.iter().rev() {
            let _infallible = write!(message, "Route: {route}\r\n");
        }
        message.push_str("Content-Length: 0\r\n\r\n");
        message
    }
}

fn status(message: &str) -> Option<u16> {
    message.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| named(line, name))
}

fn named<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(':')?;
    found.trim().eq_ignore_ascii_case(name).then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_within_the_dialog_go_to_its_contact_by_its_routes() {
        let names = Names {
            n: 7,
            number: "100",
            local: "127.0.0.1:1".parse().unwrap(),
            remote: "127.0.0.1:2".parse().unwrap(),
        };
        let answer = "SIP/2.0 200 OK\r\nRecord-Route: <sip:b;lr>\r\nRecord-Route: <sip:a;lr>\r\n\
                      To: <sip:100@127.0.0.1:2>;tag=xyz\r\nContact: <sip:far@127.0.0.1:9>\r\n\r\n";
        let bye = names.within("BYE", 2, answer);
        assert!(bye.starts_with("BYE sip:far@127.0.0.1:9 SIP/2.0\r\n"), "{bye}");
        assert!(bye.contains("To: <sip:100@127.0.0.1:2>;tag=xyz\r\n"), "{bye}");
        assert!(bye.contains("Route: <sip:a;lr>\r\nRoute: <sip:b;lr>\r\n"), "{bye}");
        assert_eq!(status(answer), Some(200));
    }
}
