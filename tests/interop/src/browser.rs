//! `JsSIP` in Chromium: a user agent that speaks SIP over secure WebSocket and nothing else.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Plugboard, Program, Transport, tool, until};

/// A running browser with a user agent that registers by itself.
#[derive(Debug)]
pub struct Browser {
    program: Program,
}

impl Browser {
    /// A user's page. The browser trusts the switch's own certificate and no other that nobody signed.
    pub fn start(switch: &Plugboard, user: &str, password: &str) -> Self {
        let modules = modules();
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/register.mjs");
        let mut command = Command::new(tool("node"));
        command.arg(driver).arg(modules).arg(tool("chromium"));
        command.arg(format!("wss://{}/", switch.sip(Transport::Wss))).arg(switch.data().join("tls/certificate.pem"));
        command.args([user, password]).stdin(Stdio::piped());
        // Its profile and whatever else it leaves behind are gone with the test.
        command.env("HOME", switch.folder()).env("TMPDIR", switch.folder());
        Self { program: Program::start(command, switch.folder(), &format!("browser-{user}")) }
    }

    /// Waits until its page says this line.
    pub fn waits_to_say(&self, line: &str) {
        until(&format!("the page to say {line:?}"), || {
            self.program.output().lines().any(|said| said == line).then_some(())
        });
    }

    /// Tells the user agent to take its registration back.
    pub fn leaves(&mut self) {
        let typed = self.program.child().stdin.as_mut().unwrap();
        writeln!(typed, "leave").and_then(|()| typed.flush()).unwrap();
        self.waits_to_say("left");
    }
}

impl Drop for Browser {
    /// At the end of its input the driver closes the browser, whose many processes would outlive a driver that is killed.
    fn drop(&mut self) {
        if self.program.ended().is_none() {
            self.program.child().stdin.take();
            self.program.wait();
        }
    }
}

/// Where set-up put what the driver takes from npm.
fn modules() -> PathBuf {
    let tools = std::env::var_os("PLUGBOARD_TOOLS").map(PathBuf::from);
    let found = tools.map(|tools| tools.join("browser")).filter(|folder| folder.join("node_modules/jssip").is_dir());
    found
        .unwrap_or_else(|| panic!("JsSIP is missing: run `cargo verify`, which sees to it (core/setup/src/browser.rs)"))
}
