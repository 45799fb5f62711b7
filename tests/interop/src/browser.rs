//! `JsSIP` in Chromium: a user agent that speaks SIP over secure WebSocket, and a browser's media.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Plugboard, Program, Recording, Transport, tool, until, write_tone};

/// Longer than any test's call; the browser begins anew at the end all the same.
const TONE_SECONDS: u32 = 60;

/// A running browser with a user agent that registers by itself.
#[derive(Debug)]
pub struct Browser {
    program: Program,
    folder: PathBuf,
    user: String,
    kept: u32,
}

impl Browser {
    /// A user's page. The browser trusts the switch's own certificate and no other that nobody signed.
    pub fn start(switch: &Plugboard, user: &str, password: &str) -> Self {
        Self::start_with(switch, user, password, None, false)
    }

    /// A user's page whose microphone hears a tone. It answers at once; registered when this returns.
    pub fn with_tone(switch: &Plugboard, user: &str, password: &str, hertz: f64) -> Self {
        let tone = switch.folder().join(format!("microphone-{user}.wav"));
        write_tone(&tone, hertz, TONE_SECONDS);
        let browser = Self::start_with(switch, user, password, Some(&tone), false);
        browser.waits_to_say("registered");
        browser
    }

    /// The same in a network that lets nothing out but what goes through the TURN server.
    pub fn behind_turn(switch: &Plugboard, user: &str, password: &str, hertz: f64) -> Self {
        let tone = switch.folder().join(format!("microphone-{user}.wav"));
        write_tone(&tone, hertz, TONE_SECONDS);
        let browser = Self::start_with(switch, user, password, Some(&tone), true);
        browser.waits_to_say("registered");
        browser
    }

    fn start_with(switch: &Plugboard, user: &str, password: &str, tone: Option<&Path>, relay: bool) -> Self {
        let modules = modules();
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/phone.mjs");
        let mut command = Command::new(tool("node"));
        command.arg(driver).arg(modules).arg(tool("chromium"));
        command.arg(format!("wss://{}/", switch.sip(Transport::Wss))).arg(switch.data().join("tls/certificate.pem"));
        command.args([user, password]).args(tone).stdin(Stdio::piped());
        if relay {
            command.env("RELAY", "1");
        }
        // Its profile and whatever else it leaves behind are gone with the test.
        command.env("HOME", switch.folder()).env("TMPDIR", switch.folder());
        let program = Program::start(command, switch.folder(), &format!("browser-{user}"));
        Self { program, folder: switch.folder().into(), user: user.to_owned(), kept: 0 }
    }

    /// Tells the page what to do, in the words of `browser/phone.mjs`.
    pub fn is_told(&mut self, words: &str) {
        let typed = self.program.child().stdin.as_mut().unwrap();
        writeln!(typed, "{words}").and_then(|()| typed.flush()).unwrap();
    }

    /// Waits until its page has said this line so many times.
    pub fn waits_to_have_said(&self, line: &str, times: usize) {
        until(&format!("the page to have said {line:?} {times} times"), || {
            (self.program.output().lines().filter(|said| *said == line).count() >= times).then_some(())
        });
    }

    /// The last two seconds that it has heard.
    pub fn has_heard(&mut self) -> Recording {
        self.kept += 1;
        let file = self.folder.join(format!("heard-{}-{}.wav", self.user, self.kept));
        self.is_told(&format!("keep {}", file.display()));
        let kept = format!("kept {}", file.display());
        until("what the browser heard", || self.program.output().contains(&kept).then_some(()));
        Recording::read(&file)
    }

    /// Waits until the last second that it heard is this tone, and hardly anything else.
    pub fn waits_to_hear_tone(&mut self, hertz: f64) {
        until(&format!("a tone of {hertz} Hz in the browser"), || self.has_heard().ends_with(hertz).then_some(()));
    }

    /// Waits until the last second that it heard is silence.
    pub fn waits_to_hear_nothing(&mut self) {
        until("silence in the browser", || self.has_heard().ends_silent().then_some(()));
    }

    /// Waits until the last second that it heard has nothing of this tone.
    pub fn waits_to_hear_no_tone(&mut self, hertz: f64) {
        until(&format!("no tone of {hertz} Hz in the browser"), || self.has_heard().ends_without(hertz).then_some(()));
    }

    /// What it printed.
    pub fn output(&self) -> String {
        self.program.output()
    }

    /// Waits until its page says this line.
    pub fn waits_to_say(&self, line: &str) {
        until(&format!("the page to say {line:?}"), || {
            self.program.output().lines().any(|said| said == line).then_some(())
        });
    }

    /// Tells the user agent to take its registration back.
    pub fn leaves(&mut self) {
        self.is_told("leave");
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
