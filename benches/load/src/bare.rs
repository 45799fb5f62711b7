//! The bare relay: one epoll thread, a socket per leg, no look at the packets. What the kernel itself costs.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::epoll::Epoll;
use crate::error::LoadError;
use crate::process::{Cores, Processes};

/// The longest RTP packet on an Ethernet.
const PACKET_MAX: usize = 2_048;

/// A running bare relay, a process of its own as the switch is.
pub(crate) struct BareRelay {
    child: Child,
    /// For each call the two addresses that its phones send to.
    pub(crate) calls: Vec<[SocketAddr; 2]>,
}

impl BareRelay {
    /// Starts one for calls between these phones.
    pub(crate) fn start(cores: Cores, bind: IpAddr, phones: &[[SocketAddr; 2]]) -> Result<Self, LoadError> {
        let own = std::env::current_exe().map_err(LoadError::at("this program's own path"))?;
        let mut command = cores.for_switch(own);
        command.args(["--bare-relay", "--bind", &bind.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.spawn().map_err(LoadError::at("the bare relay"))?;
        let mut relay = Self { child, calls: Vec::new() };
        let (Some(mut input), Some(output)) = (relay.child.stdin.take(), relay.child.stdout.take()) else {
            return Err(LoadError::Failed("the bare relay has no pipes".into()));
        };
        for [one, other] in phones {
            writeln!(input, "{one} {other}").map_err(LoadError::at("telling the bare relay its calls"))?;
        }
        writeln!(input, "go").map_err(LoadError::at("telling the bare relay its calls"))?;
        // Its standard input stays open as long as it is wanted.
        relay.child.stdin = Some(input);
        for line in BufReader::new(output).lines().take(phones.len()) {
            let line = line.map_err(LoadError::at("the bare relay's ports"))?;
            relay.calls.extend(read_pair(&line));
        }
        if relay.calls.len() == phones.len() {
            Ok(relay)
        } else {
            Err(LoadError::Failed("the bare relay could not open its sockets".into()))
        }
    }

    /// Its process.
    pub(crate) fn processes(&self) -> Processes {
        Processes(vec![self.child.id()])
    }
}

impl Drop for BareRelay {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the bare relay: reads pairs of phones until `go`, prints where they are to send to, relays until it is killed.
pub(crate) fn serve(bind: IpAddr) -> Result<(), LoadError> {
    let failed = || LoadError::at("the bare relay's socket");
    let mut routes = Vec::new();
    let mut told = String::new();
    for line in std::io::stdin().lines().map_while(Result::ok).take_while(|line| line != "go") {
        let Some(phones) = read_pair(&line) else { continue };
        let mut addresses = Vec::new();
        for phone in phones {
            let socket = UdpSocket::bind((bind, 0)).map_err(failed())?;
            socket.set_nonblocking(true).map_err(failed())?;
            addresses.push(socket.local_addr().map_err(failed())?.to_string());
            routes.push((socket, phone));
        }
        told.push_str(&addresses.join(" "));
        told.push('\n');
    }
    let mut output = std::io::stdout();
    output.write_all(told.as_bytes()).and_then(|()| output.flush()).map_err(failed())?;
    relay(&routes).map_err(LoadError::at("the bare relay's epoll"))
}

/// Whatever comes at one socket of a pair leaves by the other, to the other's phone.
fn relay(routes: &[(UdpSocket, SocketAddr)]) -> std::io::Result<()> {
    let mut epoll = Epoll::of(routes.iter().map(|(socket, _)| socket))?;
    let mut packet = [0; PACKET_MAX];
    loop {
        for place in epoll.wait(Duration::from_secs(1)) {
            let (Some((socket, _)), Some((other, phone))) = (routes.get(place), routes.get(place ^ 1)) else {
                continue;
            };
            if let Ok((length, _)) = socket.recv_from(&mut packet) {
                // A relay drops what it cannot send, and the generator counts it as lost.
                let _ = other.send_to(packet.get(..length).unwrap_or_default(), phone);
            }
        }
    }
}

fn read_pair(line: &str) -> Option<[SocketAddr; 2]> {
    let (one, other) = line.split_once(' ')?;
    Some([one.parse().ok()?, other.parse().ok()?])
}
