//! Devices that register, and strangers: requests over UDP whose answers are read, some of them under way at a time.

use plugboard_sip::digest::{Challenge, Secret, Signed};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use crate::error::LoadError;
use crate::office;

/// Requests under way: few enough for every socket's buffer.
const WINDOW: usize = 64;
/// A switch that says nothing for so long has lost a request.
const SILENCE: Duration = Duration::from_secs(5);
/// Devices of a user, as many as a registrar keeps.
pub(crate) const DEVICES_EACH: u32 = 10;
/// Addresses that strangers send from.
const SOURCES: u8 = 200;
/// Answers are shorter.
const DATAGRAM_MAX: usize = 8_192;

/// One device: a user's contact.
struct Device {
    user: u32,
    place: u32,
    cseq: u32,
    challenge: Option<Challenge>,
    answers: u32,
}

/// Devices behind one socket.
pub(crate) struct Devices {
    socket: UdpSocket,
    switch: SocketAddr,
    here: SocketAddr,
    all: Vec<Device>,
}

/// What registering took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Registered {
    /// 200s.
    pub(crate) done: u32,
    /// 401s on the way.
    pub(crate) challenged: u32,
}

impl Devices {
    /// [`DEVICES_EACH`] for each of so many users, which nobody has registered yet.
    pub(crate) fn of(users: u32, bind: IpAddr, switch: SocketAddr) -> Result<Self, LoadError> {
        let socket = socket(bind)?;
        let here = socket.local_addr().map_err(LoadError::at("a device's socket"))?;
        let device = |user, place| Device { user, place, cseq: 0, challenge: None, answers: 0 };
        let devices =
            (0..DEVICES_EACH).flat_map(|place| office::numbers_of(users).map(move |user| device(user, place)));
        Ok(Self { socket, switch, here, all: devices.collect() })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.all.len()).unwrap_or(u32::MAX)
    }

    /// Registers the first `count`: by the challenge that each had last, where it had one.
    pub(crate) fn register(&mut self, count: u32) -> Result<Registered, LoadError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.all.len());
        let (mut registered, mut next, mut under_way) = (Registered::default(), 0, 0);
        let mut buffer = [0; DATAGRAM_MAX];
        while next < count || under_way > 0 {
            while next < count && under_way < WINDOW {
                self.send(next)?;
                next += 1;
                under_way += 1;
            }
            let length =
                self.socket.recv(&mut buffer).map_err(LoadError::at("waiting for the answer to a REGISTER"))?;
            let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
            // The switch may ask devices something meanwhile.
            let Some((status, index)) = answer(&text).filter(|(_, index)| *index < count) else { continue };
            match status {
                100..200 => {}
                200 => {
                    registered.done += 1;
                    under_way -= 1;
                }
                401 => {
                    let values = text.lines().filter_map(|line| line.strip_prefix("WWW-Authenticate:")).map(str::trim);
                    let challenge = Challenge::pick(values);
                    let Some(device) = self.all.get_mut(index).filter(|_| challenge.is_some()) else {
                        return Err(LoadError::Failed("a 401 whose challenge cannot be answered".into()));
                    };
                    device.challenge = challenge;
                    device.answers = 0;
                    registered.challenged += 1;
                    self.send(index)?;
                }
                _ => return Err(LoadError::Failed(format!("a REGISTER was answered by {status}: {text}"))),
            }
        }
        Ok(registered)
    }

    fn send(&mut self, index: usize) -> Result<(), LoadError> {
        let (here, switch) = (self.here, self.switch);
        let Some(device) = self.all.get_mut(index) else { return Ok(()) };
        device.cseq += 1;
        let Device { user, place, cseq, .. } = *device;
        let uri = "sip:load.test";
        let credentials = device.challenge.as_ref().map(|challenge| {
            device.answers += 1;
            let secret = Secret::new(office::password(user));
            let signed = Signed { method: "REGISTER", uri, body: &[] };
            let value = challenge.answer(&user.to_string(), &secret, signed, &format!("c{index}"), device.answers);
            format!("Authorization: {value}\r\n")
        });
        let request = format!(
            "REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK-{index}-{cseq};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@load.test>;tag=f{index}\r\nTo: <sip:{user}@load.test>\r\nCall-ID: device-{index}@load\r\n\
             CSeq: {cseq} REGISTER\r\nContact: <sip:{user}@{here};line={place}>;expires=3600\r\n{}Content-Length: 0\r\n\r\n",
            credentials.unwrap_or_default()
        );
        self.socket.send_to(request.as_bytes(), switch).map(drop).map_err(LoadError::at("sending a REGISTER"))
    }
}

/// What a stranger sends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Strange {
    /// A REGISTER of a user that there is not.
    Register,
    /// An INVITE without credentials.
    Invite,
    /// Bytes that are no SIP, which nobody answers.
    Junk,
}

impl Strange {
    fn datagram(self, n: u32, from: SocketAddr) -> String {
        let (method, uri) = match self {
            Self::Register => ("REGISTER", "sip:load.test"),
            Self::Invite => ("INVITE", "sip:00491111@load.test"),
            Self::Junk => return format!("GET /{n} HTTP/1.1\r\nHost: load.test\r\nAccept: */*\r\n\r\n"),
        };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-s{n};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:nobody{n}@load.test>;tag=s{n}\r\nTo: <sip:nobody{n}@load.test>\r\nCall-ID: stranger-{n}@load\r\n\
             CSeq: 1 {method}\r\nContact: <sip:nobody@{from}>\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n"
        )
    }
}

/// A window of requests is answered within this.
const ANSWERED: Duration = Duration::from_millis(4);

/// Sends so many of a kind from [`SOURCES`] addresses of the loopback; how many were answered.
pub(crate) fn strangers(kind: Strange, count: u32, first: u32, switch: SocketAddr) -> Result<u32, LoadError> {
    let mut sockets = VecDeque::new();
    for last in 1..=SOURCES {
        let socket = socket(Ipv4Addr::new(127, 0, 2, last).into())?;
        let here = socket.local_addr().map_err(LoadError::at("a stranger's socket"))?;
        sockets.push_back((socket, here));
    }
    let (mut sent, mut answered) = (0, 0);
    let mut buffer = [0; DATAGRAM_MAX];
    while sent < count {
        for _ in 0..WINDOW.min(usize::from(SOURCES)) {
            let Some((socket, here)) = sockets.pop_front() else { break };
            let datagram = kind.datagram(first + sent, here);
            socket.send_to(datagram.as_bytes(), switch).map_err(LoadError::at("sending a stranger's request"))?;
            sent += 1;
            sockets.push_back((socket, here));
        }
        // Who waits in a call for an answer is woken by whoever sends it, at his cost: strangers are on other machines.
        if !matches!(kind, Strange::Junk) {
            crate::clock::pass(ANSWERED);
        }
        // Those that were used last stand at the end.
        let asked = sockets.len().saturating_sub(WINDOW);
        for (socket, _) in sockets.range(asked..) {
            match kind {
                Strange::Register | Strange::Invite => {
                    let _ = socket.set_read_timeout(Some(Duration::from_millis(50)));
                    answered += u32::from(socket.recv(&mut buffer).is_ok());
                }
                // The switch is to come after: a full buffer costs it nothing.
                Strange::Junk => {}
            }
        }
        if matches!(kind, Strange::Junk) {
            crate::clock::pass(Duration::from_millis(1));
        }
    }
    Ok(answered)
}

fn socket(bind: IpAddr) -> Result<UdpSocket, LoadError> {
    let failed = || LoadError::at(format!("a socket at {bind}"));
    let socket = UdpSocket::bind((bind, 0)).map_err(failed())?;
    socket.set_read_timeout(Some(SILENCE)).map_err(failed())?;
    Ok(socket)
}

/// The status of a response, and whose it is.
fn answer(text: &str) -> Option<(u16, usize)> {
    let status = text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
    let id = text.lines().find_map(|line| line.strip_prefix("Call-ID:"))?;
    let index = id.trim().strip_prefix("device-")?.split('@').next()?.parse().ok()?;
    Some((status, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_its_status_and_its_device() {
        let text = "SIP/2.0 401 Unauthorized\r\nVia: x\r\nCall-ID: device-17@load\r\n\r\n";
        assert_eq!(answer(text), Some((401, 17)));
        assert_eq!(answer("OPTIONS sip:x SIP/2.0\r\nCall-ID: device-17@load\r\n\r\n"), None);
    }
}
