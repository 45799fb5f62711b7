//! A network, or mounts, of a test's own: whatever else runs on the machine, and whatever networks and disks it has or lacks, is out
//! of sight.

use std::process::Command;

use crate::tool;

/// Says to the test that it runs inside.
const INSIDE: &str = "PLUGBOARD_TEST_NAMESPACE";

/// What a browser needs beside loopback: one interface with an address and a way out, or it finds no candidate at all.
/// 198.51.100.0/24 is for documentation (RFC 5737).
const LINKS: &str = "ip link set lo up && ip link add v0 type veth peer name v1 && ip address add 198.51.100.2/24 dev v0 \
                     && ip link set v0 up && ip link set v1 up && ip route add default via 198.51.100.1 && exec \"$@\"";

/// Runs the rest of a test in a network namespace with loopback and a pair of virtual cables: the test's program is started
/// again there for this one test. True: we are inside.
pub fn in_own_network(test: &str) -> bool {
    inside(test, "--net", LINKS)
}

/// The same where a test may mount what it likes: nobody else sees it, and it is gone with the test.
pub fn with_own_mounts(test: &str) -> bool {
    inside(test, "--mount", "exec \"$@\"")
}

fn inside(test: &str, what: &str, first: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut command = Command::new(tool("unshare"));
    command.args(["--user", "--map-root-user", what, "sh", "-c", first, "sh"]);
    command.arg(std::env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]).env(INSIDE, "1");
    let output = command.output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    false
}
