//! Plugins that admins install into a running switch, with whose signature, and what takes them away again.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Call, Office, Plugboard, Serve, Sipp, Transport, built_plugins};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A vendor's desk: the echo action, which the switch of these tests does not come with, and the vendor's key.
struct Vendor {
    folder: TempDir,
}

impl Vendor {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let without = folder.path().join("plugins");
        fs::create_dir(&without).unwrap();
        for file in fs::read_dir(built_plugins()).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|end| end == "wasm") && !file.ends_with("echo.wasm") {
                fs::copy(&file, without.join(file.file_name().unwrap())).unwrap();
            }
        }
        Self { folder }
    }

    /// The plugins of a switch that has no echo.
    fn plugins(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    fn switch(&self) -> Plugboard {
        let plugins = self.plugins();
        Plugboard::empty_by(|serve| serve.plugins(&plugins))
    }

    /// A version of the vendor's echo: each `n` is another component that does the same.
    fn version(&self, n: u8) -> PathBuf {
        let echo = fs::read(built_plugins().join("echo.wasm")).unwrap();
        // A custom section named x with one byte.
        let file = self.folder.path().join(format!("echo-{n}.wasm"));
        fs::write(&file, [echo.as_slice(), &[0, 3, 1, b'x', n]].concat()).unwrap();
        file
    }

    /// The same, signed; and the key.
    fn signed(&self, switch: &Plugboard, n: u8) -> (PathBuf, String) {
        let (file, key) = (self.version(n), self.folder.path().join("vendor.pem"));
        if !key.exists() {
            switch.succeeds(&["plugin", "keygen", text(&key)]);
        }
        switch.succeeds(&["plugin", "sign", text(&file), "--key", text(&key)]);
        let public = switch.succeeds(&["plugin", "keygen", "--public", text(&key)]);
        (file, public.trim().to_owned())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An office whose 300 is the echo, which ends after a while.
fn office(plugins: &str) -> Office {
    let office = Office::new().scenario_with("300", "echoing", "", "- echo: { max: 1s }");
    if plugins.is_empty() { office } else { office.lines(plugins) }
}

/// The steps of a call to 300.
fn steps(switch: &Plugboard, nth: usize) -> String {
    let call = Call::new("101", "secret-101", "300").lasts(Duration::from_millis(100));
    drop(Sipp::calls(switch, &format!("caller-{nth}"), &call, Transport::Udp).start().ends());
    let id = switch.waits_for_past_calls(nth)[0]["id"].as_str().unwrap().to_owned();
    switch.succeeds(&["call", "trace", &id])
}

#[test]
fn a_signed_plugin_runs_where_it_is_enabled_from_the_moment_it_is_installed_to_that_of_its_removal() {
    let vendor = Vendor::new();
    let switch = vendor.switch();
    let file = switch.folder().join("office.yaml");
    fs::write(&file, office("").text()).unwrap();
    let refused = switch.complains(&["apply", text(&file)]);
    assert!(refused.contains("echo"), "{refused}");

    let (echo, key) = vendor.signed(&switch, 1);
    let refused = switch.complains(&["plugin", "install", text(&echo)]);
    assert!(refused.contains(&key) && refused.contains("plugboard plugin trust"), "{refused}");
    switch.succeeds(&["plugin", "trust", &key, "--vendor", "Acme"]);
    assert!(switch.succeeds(&["plugin", "keys"]).contains("Acme"));
    let installed = switch.succeeds(&["plugin", "install", text(&echo)]);
    assert!(installed.contains("is installed, signed by Acme"), "{installed}");
    assert!(switch.succeeds(&["plugin", "list"]).contains("(installed, signed by Acme)"));

    // Its name alone lets it run nowhere.
    let applied = switch.command(&["apply", text(&file)]);
    let warned = String::from_utf8_lossy(&applied.stderr).into_owned();
    assert!(applied.status.success() && warned.contains("is not enabled"), "{warned}");
    assert!(steps(&switch, 1).contains("denied"), "{}", steps(&switch, 1));
    switch.apply(&office("plugins: { echo: {} }"));
    let ran = steps(&switch, 2);
    assert!(!ran.contains("denied") && ran.contains("echo"), "{ran}");

    // It is there after a restart.
    let (kept, data) = switch.cut();
    let switch = Serve::on(&data).plugins(&vendor.plugins()).start();
    assert!(switch.succeeds(&["plugin", "list"]).contains("(installed, signed by Acme)"));
    assert!(!steps(&switch, 3).contains("denied"));
    assert!(switch.command(&["check", "--plugins", text(&vendor.plugins()), text(&file)]).status.success());

    let refused = switch.complains(&["plugin", "remove", "echo"]);
    assert!(refused.contains("scenario main/echoing") && refused.contains("--force"), "{refused}");
    switch.succeeds(&["plugin", "remove", "echo", "--force"]);
    assert!(!switch.succeeds(&["plugin", "list"]).contains("echo"));
    assert!(switch.page("/readyz").1.contains("echo"), "{}", switch.page("/readyz").1);
    drop(kept);
}

#[test]
fn what_nobody_trusted_has_signed_or_somebody_has_changed_is_not_installed_and_the_old_version_stays() {
    let vendor = Vendor::new();
    let switch = vendor.switch();
    let plain = vendor.version(1);
    let refused = switch.complains(&["plugin", "install", text(&plain)]);
    assert!(refused.contains("nobody has signed it") && refused.contains("--untrusted"), "{refused}");
    let installed = switch.succeeds(&["plugin", "install", "--untrusted", text(&plain)]);
    assert!(installed.contains("signed by nobody whom you trust"), "{installed}");
    switch.apply(&office("plugins: { echo: {} }"));
    let component = || switch.ask(&["plugin", "show", "echo"])["component"].as_str().unwrap().to_owned();
    let first = component();

    let (second, key) = vendor.signed(&switch, 2);
    switch.succeeds(&["plugin", "trust", &key, "--vendor", "Acme"]);
    let mut bytes = fs::read(&second).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    let changed = vendor.folder.path().join("changed.wasm");
    fs::write(&changed, &bytes).unwrap();
    // Not even --untrusted takes what was changed after it was signed.
    let refused = switch.complains(&["plugin", "install", "--untrusted", text(&changed)]);
    assert!(refused.contains("changed.wasm"), "{refused}");
    let garbage = vendor.folder.path().join("garbage.wasm");
    fs::write(&garbage, "no component").unwrap();
    assert!(switch.complains(&["plugin", "install", "--untrusted", text(&garbage)]).contains("garbage.wasm"));
    let own = vendor.plugins().join("wait.wasm");
    let refused = switch.complains(&["plugin", "install", "--untrusted", text(&own)]);
    assert!(refused.contains("came with the switch"), "{refused}");
    assert_eq!(component(), first, "the old version stays");
    assert!(steps(&switch, 1).contains("echo"));

    let installed = switch.succeeds(&["plugin", "install", text(&second)]);
    assert!(installed.contains("in place of"), "{installed}");
    let again = switch.succeeds(&["plugin", "install", text(&second)]);
    assert!(again.contains("is in force already"), "{again}");
    assert_ne!(component(), first);
    assert!(steps(&switch, 2).contains("echo"));
    switch.succeeds(&["plugin", "rollback", "echo"]);
    assert_eq!(component(), first);
    assert!(switch.complains(&["plugin", "rollback", "echo"]).contains("no version of echo before"));

    switch.succeeds(&["plugin", "distrust", "Acme"]);
    assert!(switch.complains(&["plugin", "install", text(&second)]).contains("whom you do not trust"));
}
