//! coturn: a TURN server that shares a secret with the switch.

use std::process::{Command, Stdio};

use crate::{Plugboard, Program, free_port, tool, until};

/// What both know.
pub const TURN_SECRET: &str = "turn-and-turn-about";

/// A running server; it is killed with the test.
#[derive(Debug)]
pub struct Coturn {
    program: Program,
}

impl Coturn {
    /// A port for [`Coturn::start`], which the switch is told first.
    pub fn port() -> u16 {
        free_port(1)
    }

    /// A server at this address and port, over TCP and UDP. It leads to this machine's own addresses as well, which no server
    /// in the world should.
    pub fn start(switch: &Plugboard, address: &str, port: u16) -> Self {
        let mut command = Command::new(tool("turnserver"));
        command.args(["-n", "--listening-ip", address, "--relay-ip", address, "--listening-port", &port.to_string()]);
        command.args(["--use-auth-secret", "--static-auth-secret", TURN_SECRET, "--realm", "plugboard.test"]);
        command.args([
            "--no-cli",
            "--no-tls",
            "--no-dtls",
            "--allow-loopback-peers",
            "--log-file",
            "stdout",
            "--verbose",
        ]);
        command.arg("--pidfile").arg(switch.folder().join("turn.pid"));
        command.arg("--userdb").arg(switch.folder().join("turn.db")).stdin(Stdio::null());
        let program = Program::start(command, switch.folder(), "turnserver");
        until("a TURN server that listens", || program.output().contains("TCP listener opened").then_some(()));
        Self { program }
    }

    /// What it logged.
    pub fn output(&self) -> String {
        self.program.output()
    }
}

/// Whether coturn's own client gets an address from the server at this port of this machine, by these credentials.
pub fn turn_client(port: u16, name: &str, password: &str) -> bool {
    let mut command = Command::new(tool("turnutils_uclient"));
    command.args(["-y", "-c", "-n", "1", "-m", "1", "-u", name, "-w", password, "-p", &port.to_string(), "127.0.0.1"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
