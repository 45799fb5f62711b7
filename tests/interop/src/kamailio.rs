//! Kamailio as others have it: a carrier that wants a password, a front that speaks TLS for those who cannot, an edge that
//! phones register through.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Plugboard, Program, Transport, free_port, tool, until};

/// The name that it lets register.
const TRUNK: &str = "493012300";
/// That one's password.
const PASSWORD: &str = "s3cret";

/// A running Kamailio.
#[derive(Debug)]
pub struct Kamailio {
    program: Program,
    address: SocketAddr,
    /// Its configuration, its sockets, and what it said.
    _folder: tempfile::TempDir,
}

impl Kamailio {
    /// A carrier on a free port of 127.0.0.1: it wants a password for registrations and calls, and carries both ways
    /// between what is registered and the world, which is at `world`.
    pub fn carrier(world: u16) -> Self {
        Self::start(free_address(), CARRIER_MODULES, &carrier_route(world), |_| String::new())
    }

    /// A mere proxy: every call goes on to the program at this port of 127.0.0.1.
    pub fn proxy(phones: u16) -> Self {
        let route = format!("    record_route();\n    $du = \"sip:127.0.0.1:{phones}\";\n    t_relay();\n");
        Self::start(free_address(), &[], &route, |_| String::new())
    }

    /// An edge that phones register through at this switch (Path, RFC 3327), over UDP on both sides.
    pub fn edge(switch: &Plugboard) -> Self {
        Self::start(free_address(), EDGE_MODULES, &edge_route(switch.sip(Transport::Udp)), |_| String::new())
    }

    /// A front for programs that speak UDP alone: what they send goes on to the switch over TLS, whose certificate is
    /// verified; what the switch sends it over TLS at `tls` goes to the program at `world`. Its own certificate is in `own`.
    pub fn front(switch: &Plugboard, tls: SocketAddr, own: &rcgen::CertifiedKey<rcgen::KeyPair>, world: u16) -> Self {
        let trusted = switch.data().join("tls/certificate.pem");
        Self::start(free_address(), FRONT_MODULES, &front_route(switch.sip(Transport::Tls), world), |folder| {
            let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
            fs::write(&key, own.signing_key.serialize_pem()).unwrap();
            fs::write(&certificate, own.cert.pem()).unwrap();
            let config = format!(
                "[server:default]\nmethod = TLSv1.2+\nprivate_key = {}\ncertificate = {}\n\
                 [client:default]\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\nca_list = {}\n",
                key.display(),
                certificate.display(),
                trusted.display(),
            );
            let file = folder.join("tls.cfg");
            fs::write(&file, config).unwrap();
            format!("listen=tls:{tls}\nmodparam(\"tls\", \"config\", \"{}\")\n", file.display())
        })
    }

    /// Starts it with these modules and this route; `more` writes what else it needs into its folder and gives the lines
    /// of the configuration for it.
    fn start(address: SocketAddr, modules: &[&str], route: &str, more: impl FnOnce(&Path) -> String) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().to_owned();
        let more = more(&folder);
        let file = folder.join("kamailio.cfg");
        fs::write(&file, configuration(address, modules, &more, route)).unwrap();
        let mut command = Command::new(kamailio());
        // In the foreground, without a dump of its memory, its files in the test's own folder.
        command.args(["-DD", "-E", "-m", "32", "-M", "4", "-f"]).arg(&file);
        command.arg("-Y").arg(&folder).arg("-P").arg(folder.join("pid"));
        let program = Program::start(command, &folder, "kamailio");
        let kamailio = Self { program, address, _folder: scratch };
        kamailio.answers();
        kamailio
    }

    /// Its main process.
    pub fn pid(&self) -> u32 {
        self.program.id()
    }

    /// Where it is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What an office says of it as a gateway: registered at, and probed each five seconds.
    pub fn settings(&self) -> String {
        let probe = "probe: { every: 5s, down_after: 1 }, answer_within: 1s";
        format!("address: '{}', user: '{TRUNK}', password: {PASSWORD}, register: 1m, {probe}", self.address)
    }

    /// The same of a carrier that is known by its name alone, with this one as the proxy before it.
    pub fn settings_as_proxy(&self) -> String {
        let settings = self.settings().replace(&format!("'{}'", self.address), "carrier.test");
        format!("{settings}, outbound_proxy: 'sip:{};lr'", self.address)
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        self.program.output()
    }

    /// Stops it and waits for its end.
    pub fn stops(mut self) {
        self.program.signal("TERM");
        self.program.wait();
    }

    /// Waits until it answers OPTIONS.
    fn answers(&self) {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
        let own = socket.local_addr().unwrap();
        let options = format!(
            "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKup;rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{own}>;tag=up\r\nTo: <sip:{to}>\r\nCall-ID: up\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
            to = self.address
        );
        until("Kamailio to answer", || {
            // Before it listens, nothing is there to be reached.
            let _ = socket.send_to(options.as_bytes(), self.address);
            let mut bytes = [0; 2_048];
            let len = socket.recv(&mut bytes).ok()?;
            bytes[..len].starts_with(b"SIP/2.0 200").then_some(())
        });
    }
}

impl Drop for Kamailio {
    /// Its main process ends the others; one that is killed leaves them behind.
    fn drop(&mut self) {
        if self.program.ended().is_none() {
            self.program.signal("TERM");
            self.program.wait();
        }
    }
}

/// Debian puts it where only administrators' paths look.
fn kamailio() -> PathBuf {
    let usual = PathBuf::from("/usr/sbin/kamailio");
    if usual.is_file() { usual } else { tool("kamailio") }
}

fn free_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port(1)))
}

fn configuration(address: SocketAddr, modules: &[&str], more: &str, route: &str) -> String {
    let modules = modules.iter().map(|name| format!("loadmodule \"{name}.so\"\n")).collect::<Vec<_>>().concat();
    // Without TLS it needs no connections.
    let tcp = if more.is_empty() { "disable_tcp=yes\n" } else { "enable_tls=yes\ntcp_children=1\n" };
    format!(
        r#"#!KAMAILIO
debug=2
log_stderror=yes
children=1
auto_aliases=no
{tcp}alias="carrier.test"
listen=udp:{address}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib/aarch64-linux-gnu/kamailio/modules/:/usr/lib64/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
{modules}{more}
request_route {{
    if (is_method("OPTIONS") && !has_totag()) {{ sl_send_reply("200", "OK"); exit; }}
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (!loose_route() && is_method("ACK") && !t_check_trans()) exit;
        t_relay();
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
{route}}}
"#
    )
}

const CARRIER_MODULES: &[&str] = &["usrloc", "registrar", "auth", "xlog"];

fn carrier_route(world: u16) -> String {
    format!(
        r#"    xlog("L_WARN", "to the carrier: $rm $ru by $(hdr(Route))\n");
    loose_route();
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("carrier.test", "{PASSWORD}", "0")) {{ www_challenge("carrier.test", "1"); exit; }}
        save("location");
        exit;
    }}
    record_route();
    if ($sp == {world}) {{
        $ru = "sip:{TRUNK}@carrier.test";
        if (!lookup("location")) {{ sl_send_reply("404", "Nobody is registered"); exit; }}
        t_relay();
        exit;
    }}
    if (!pv_proxy_authenticate("carrier.test", "{PASSWORD}", "0")) {{ proxy_challenge("carrier.test", "1"); exit; }}
    consume_credentials();
    $du = "sip:127.0.0.1:{world}";
    t_relay();
"#
    )
}

const EDGE_MODULES: &[&str] = &["path", "xlog"];

/// What comes from the switch names the way to the phone in its Route, which is what the edge wrote into Path.
fn edge_route(switch: SocketAddr) -> String {
    let port = switch.port();
    format!(
        r#"    if ($sp == {port}) {{
        xlog("L_WARN", "to a phone: $rm by $(hdr(Route))\n");
        loose_route();
        record_route();
        t_relay();
        exit;
    }}
    remove_hf("Route");
    $du = "sip:{switch}";
    if (is_method("REGISTER")) {{
        add_path_received("edge");
        xlog("L_WARN", "from a phone: REGISTER\n");
    }} else record_route();
    t_relay();
"#
    )
}

const FRONT_MODULES: &[&str] = &["tls"];

fn front_route(switch: SocketAddr, world: u16) -> String {
    format!(
        r#"    record_route();
    if ($pr == "tls") $du = "sip:127.0.0.1:{world}";
    else $du = "sip:{switch};transport=tls";
    t_relay();
"#
    )
}
