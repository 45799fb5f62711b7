//! The two commands on a machine that has Rust and a C compiler, and nothing else: a Debian 12 in a folder.
//!
//! debootstrap makes it once; every run works on a fresh copy. It takes root, since a system folder belongs to root and
//! packages are installed in it.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its machine has failed")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the README's first line asks for.
const PACKAGES: &str = "build-essential,curl,ca-certificates";
/// The Debian that the README names.
const RELEASE: &str = "bookworm";
/// What is not copied into the machine: built things, and history.
const PASSED_OVER: [&str; 4] = ["target", ".git", "node_modules", "plugboard-data"];
/// A user without rights (Debian's `nobody`).
const NOBODY: &str = "65534:65534";

#[test]
fn both_commands_set_a_bare_machine_up() {
    // Debian's packages and every library but RocksDB from nothing: a quarter of an hour on a quiet machine.
    if std::env::var_os("PLUGBOARD_LONG").is_none() {
        let _ =
            writeln!(std::io::stderr(), "skipped: both_commands_set_a_bare_machine_up: only in `cargo verify --long`");
        return;
    }
    let machine = match Machine::fresh() {
        Ok(machine) => machine,
        Err(reason) => {
            // Written past the test's capture, so that `cargo verify` can list it.
            let _ = writeln!(std::io::stderr(), "skipped: both_commands_set_a_bare_machine_up: {reason}");
            return;
        }
    };

    // Before any set-up, without libclang.
    machine.succeeds("cargo check --quiet");

    let asked = machine.run_as(NOBODY, "CARGO_TARGET_DIR=/tmp/nobody cargo up --setup-only");
    let said = text(&asked);
    assert_eq!(asked.status.code(), Some(1), "{said}");
    assert!(said.contains("sudo apt-get install --no-install-recommends libclang-dev"), "{said}");

    let first = machine.succeeds("cargo up --setup-only");
    for missing in ["missing: libclang-dev", "missing: the target wasm32-unknown-unknown"] {
        assert!(first.contains(missing), "{missing}:\n{first}");
    }
    let again = machine.succeeds("cargo up --setup-only");
    assert!(!again.contains("missing: "), "{again}");

    // RocksDB's headers can be read now: the part of the build that needs more than a compiler.
    machine.succeeds("cargo plugins");
    machine.succeeds("cargo build --release --package plugboard-server && target/release/plugboard version");
    machine.keep_what_was_fetched();
}

/// A Debian in a folder, with the toolchain of this machine and the sources of this checkout.
struct Machine {
    system: PathBuf,
    kept: PathBuf,
}

impl Machine {
    /// A fresh copy; the error is the reason why there can be none here.
    fn fresh() -> Result<Self, String> {
        let uid = Command::new("id").arg("-u").output().map_err(|error| error.to_string())?;
        if uid.stdout.trim_ascii() != b"0" {
            return Err("it needs root, to make a system folder and install packages in it".into());
        }
        let here = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bare-machine");
        let machine = Self { system: here.join("system"), kept: here.join("kept") };
        let base = here.join("base");
        let toolchain = toolchain_folder()?;
        if !base.exists() {
            make_base(&here, &base, &toolchain).unwrap_or_else(|why| panic!("the bare machine: {why}"));
        }
        if machine.system.exists() {
            fs::remove_dir_all(&machine.system).map_err(|error| error.to_string())?;
        }
        shell(&format!("cp -a --reflink=auto {} {}", base.display(), machine.system.display()));
        // Whom this machine trusts on its network, that one must trust too.
        let trusted = "etc/ssl/certs/ca-certificates.crt";
        shell(&format!("if [ -e /{trusted} ]; then cp -L /{trusted} {}/{trusted}; fi", machine.system.display()));
        machine.bring_sources();
        machine.bring_what_was_fetched();
        Ok(machine)
    }

    fn bring_sources(&self) {
        let sources = self.system.join("src");
        fs::create_dir_all(&sources).unwrap();
        for entry in fs::read_dir(checkout()).unwrap().flatten() {
            if PASSED_OVER.iter().all(|name| entry.file_name() != *name) {
                shell(&format!("cp -a {} {}", entry.path().display(), sources.display()));
            }
        }
    }

    /// What one run built and downloaded serves the next: the machine is bare, the network and the time are not free.
    fn bring_what_was_fetched(&self) {
        for (place, name) in self.fetched() {
            let kept = self.kept.join(name);
            if kept.exists() {
                shell(&format!("rm -rf {0} && mv {1} {0}", place.display(), kept.display()));
            }
        }
    }

    fn keep_what_was_fetched(&self) {
        fs::create_dir_all(&self.kept).unwrap();
        for (place, name) in self.fetched() {
            shell(&format!("mv {} {}", place.display(), self.kept.join(name).display()));
        }
        fs::remove_dir_all(&self.system).unwrap();
    }

    fn fetched(&self) -> [(PathBuf, &'static str); 3] {
        [
            (self.system.join("src/target"), "target"),
            (self.system.join("opt/cargo/registry"), "registry"),
            (self.system.join("var/cache/apt/archives"), "packages"),
        ]
    }

    /// Runs a line in the checkout inside the machine, as root, and answers what it said.
    fn succeeds(&self, line: &str) -> String {
        let output = self.run_as("0:0", line);
        let said = text(&output);
        assert!(output.status.success(), "`{line}` ended with {}:\n{said}", output.status);
        said
    }

    fn run_as(&self, user: &str, line: &str) -> Output {
        chrooted(&self.system, user, &format!("cd /src && {line}")).output().unwrap()
    }
}

/// Runs a line in a system folder; the error is what it said.
fn inside(system: &Path, user: &str, line: &str) -> Result<(), String> {
    let output = chrooted(system, user, line).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(format!("`{line}`: {}", text(&output))) }
}

/// A shell in a system folder. Its mounts live in a namespace of their own: they are gone with its last process.
fn chrooted(system: &Path, user: &str, line: &str) -> Command {
    let enter = "mount -t proc proc \"$0/proc\" && mount --bind /dev \"$0/dev\" && \
                 exec chroot --userspec=\"$1\" \"$0\" env -i HOME=/tmp LANG=C.UTF-8 \
                 PATH=/opt/cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin RUSTUP_HOME=/opt/rustup CARGO_HOME=/opt/cargo \
                 sh -c \"$2\"";
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private", "sh", "-c", enter]).arg(system).args([user, line]);
    unshare
}

/// Makes the Debian that each run copies; it appears only when it is whole.
fn make_base(here: &Path, base: &Path, toolchain: &Path) -> Result<(), String> {
    let sources = package_sources()?;
    let mirror = sources.iter().find_map(|source| source.strip_suffix(&format!(" {RELEASE} main")));
    let mirror = mirror.ok_or_else(|| format!("this machine does not get its packages from a Debian {RELEASE}"))?;
    let part = here.join("base.part");
    if part.exists() {
        fs::remove_dir_all(&part).map_err(|error| error.to_string())?;
    }
    fs::create_dir_all(here).map_err(|error| error.to_string())?;
    // debootstrap mounts /proc in there; in a namespace of its own it cannot stay mounted.
    let mut debootstrap = Command::new("unshare");
    debootstrap.args(["--mount", "--propagation", "private", "debootstrap", "--variant=minbase"]);
    debootstrap.args([&format!("--include={PACKAGES}"), RELEASE]).arg(&part).arg(mirror);
    let output = debootstrap.output().map_err(|error| format!("debootstrap: {error}"))?;
    assert!(output.status.success(), "{}", text(&output));

    let (rust, cargo) = (part.join("opt/rustup/toolchains"), part.join("opt/cargo/bin"));
    let lists = part.join("etc/apt/sources.list");
    let lines: Vec<String> = sources.iter().map(|source| format!("deb {source}\n")).collect();
    fs::write(lists, lines.concat()).map_err(|error| error.to_string())?;
    fs::create_dir_all(&rust).and_then(|()| fs::create_dir_all(&cargo)).map_err(|error| error.to_string())?;
    let name = toolchain.file_name().unwrap_or_default().to_string_lossy().into_owned();
    shell(&format!("cp -aL {} {}/", toolchain.display(), rust.display()));
    shell(&format!("cp -aL $(command -v rustup) {}/rustup", cargo.display()));
    for program in ["cargo", "rustc", "rustdoc", "cargo-clippy", "cargo-fmt", "rustfmt", "clippy-driver"] {
        shell(&format!("ln {0}/rustup {0}/{program}", cargo.display()));
    }
    let settings = format!("version = \"12\"\ndefault_toolchain = \"{name}\"\nprofile = \"default\"\n");
    fs::write(part.join("opt/rustup/settings.toml"), settings).map_err(|error| error.to_string())?;
    // A machine that is thrown away need not survive a power cut: dpkg may leave the disk to its time.
    fs::write(part.join("etc/dpkg/dpkg.cfg.d/unsafe-io"), "force-unsafe-io\n").map_err(|error| error.to_string())?;
    // A toolchain as rustup installs it, for every user: without the target for plugins.
    inside(&part, "0:0", "rustup target remove wasm32-unknown-unknown && rm -rf /opt/rustup/toolchains/*/share/doc")?;
    inside(&part, "0:0", "mkdir -p /opt/rustup/update-hashes && chmod -R a+rwX /opt")?;
    fs::rename(&part, base).map_err(|error| error.to_string())
}

/// Where this machine gets its packages: `SITE RELEASE COMPONENT`.
fn package_sources() -> Result<Vec<String>, String> {
    let mut apt = Command::new("apt-get");
    apt.args(["indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]);
    let output = apt.output().map_err(|error| format!("apt-get: {error}"))?;
    let mut sources: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    sources.sort();
    sources.dedup();
    Ok(sources)
}

/// The folder of the toolchain that builds this test; the reason why not, where it is not rustup's.
fn toolchain_folder() -> Result<PathBuf, String> {
    let rustup = Command::new("rustup").arg("--version").output();
    if !rustup.is_ok_and(|output| output.status.success()) {
        return Err("the toolchain here is not rustup's, so it cannot be copied as a newcomer has it".into());
    }
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().map_err(|error| error.to_string())?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn shell(line: &str) {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "`{line}`: {}", text(&output));
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
