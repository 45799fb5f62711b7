//! What a switch says when it starts, and to whom it listens.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Call, Office, Plugboard, Serve, Sipp, Transport, free_port, page, until};
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_taken_port_is_named_with_its_flag() {
    let folder = tempfile::tempdir().unwrap();
    let held_udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let held_tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (udp, tcp) = (held_udp.local_addr().unwrap().to_string(), held_tcp.local_addr().unwrap().to_string());
    let start = |name: &str, words: [&str; 4]| Serve::plainly(&folder.path().join(name)).with(words).fails();

    let (code, said) = start("udp", ["--listen", &udp, "--http", "127.0.0.1:0"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains(&udp) && said.contains("--listen"), "{said}");
    let (code, said) = start("tcp", ["--listen", &tcp, "--http", "127.0.0.1:0"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains(&tcp) && said.contains("--listen"), "{said}");
    let (code, said) = start("http", ["--listen", "127.0.0.1:0", "--http", &tcp]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains(&tcp) && said.contains("--http"), "{said}");
}

#[test]
fn the_ready_line_is_one_line_of_json_with_every_port() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "[sip]\nudp = [\"127.0.0.1:0\", \"127.0.0.2:0\"]\ntcp = [\"127.0.0.1:0\"]\n[http]\nlisten = \"127.0.0.1:0\"\n";
    let switch = Serve::plainly(&folder.path().join("data")).configured(text).start();
    let ready = switch.ready();
    assert_eq!(ready["ready"], true);
    let listeners = ready["listeners"].as_array().unwrap();
    let of = |transport: &str| -> Vec<SocketAddr> {
        let own = listeners.iter().filter(|one| one["transport"] == transport);
        own.map(|one| one["address"].as_str().unwrap().parse().unwrap()).collect()
    };
    let (udp, tcp) = (of("udp"), of("tcp"));
    assert_eq!((udp.len(), tcp.len()), (2, 1), "{ready}");
    assert!(udp.iter().chain(&tcp).all(|address| address.port() != 0), "{ready}");
    assert_eq!(switch.sip(Transport::Udp), udp[0], "the first of each transport is named by itself");
    assert_ne!(switch.http().port(), 0);
    assert_eq!(switch.page("/healthz").0, 200);
    assert_eq!(ready["data"].as_str().unwrap(), switch.data().to_str().unwrap());
}

#[test]
fn a_demo_that_others_can_reach_draws_its_passwords_and_has_no_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["--demo", "--listen", "0.0.0.0:0", "--http", "127.0.0.1:0"];
    let switch = Serve::plainly(&folder.path().join("data")).with(words).start();
    let file = switch.data().join("demo-secrets.json");
    assert_eq!(mode(&file), 0o600);
    let secrets: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let secrets = secrets.as_object().unwrap();
    assert_eq!(secrets.len(), 6);
    assert!(secrets.values().all(|secret| switch.log().contains(secret.as_str().unwrap())), "they are told once");
    let drawn: std::collections::BTreeSet<&str> = secrets.values().map(|secret| secret.as_str().unwrap()).collect();
    assert!(drawn.len() == 6 && drawn.iter().all(|secret| secret.len() >= 16), "{drawn:?}");

    assert_eq!(switch.ask(&["status"])["gateways"], serde_json::json!([]));
    let port = switch.sip(Transport::Udp).port();
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Sipp::registers_at(&switch, here, "101", "demo-101", free_port(1)).fails();
    Sipp::registers_at(&switch, here, "101", secrets["101"].as_str().unwrap(), free_port(1)).succeeds();
    switch.waits_for_registration("101", 1);
    let before = fs::read_to_string(&file).unwrap();
    drop(switch);

    let again = Serve::plainly(&folder.path().join("data")).with(words).start();
    assert_eq!(fs::read_to_string(&file).unwrap(), before, "phones keep their passwords");
    assert_eq!(mode(&file), 0o600);
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, again.sip(Transport::Udp).port()));
    Sipp::registers_at(&again, here, "102", secrets["102"].as_str().unwrap(), free_port(1)).succeeds();
}

#[test]
fn the_first_start_tells_that_it_compiles_and_the_next_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let count = |shelf: &str| fs::read_dir(plugins.join(shelf)).unwrap().count();
    let words = format!("compiling {} plugins, a moment each: bitrix24", count("actions") + count("integrations"));
    let told = |switch: &Plugboard| switch.log().matches(&words).count();
    let mut first = Serve::on(&data).compiling().start();
    assert_eq!(told(&first), 1, "{}", first.log());
    first.terminate();
    first.wait();
    drop(first);
    assert_eq!(told(&Serve::on(&data).start()), 1, "the log of both starts");
}

#[test]
fn ports_that_are_used_up_are_told_as_long_as_they_are() {
    // RTP has the even ports, RTCP the odd ones above.
    let port = free_port(3).next_multiple_of(2);
    let pair = format!("{port}-{}", port + 1);
    let folder = tempfile::tempdir().unwrap();
    let words = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--rtp-ports", &pair];
    let switch = Serve::plainly(&folder.path().join("data")).with(words).start();
    let office = Office::new().write(folder.path());
    switch.succeeds(&["apply", office.to_str().unwrap()]);
    assert_eq!(switch.page("/readyz").1, "ready\n");
    let caller = Sipp::calls(&switch, "caller", &Call::new("101", "secret-101", "*43").stays(), Transport::Udp).start();
    let live = switch.waits_for_live_calls(1)[0]["id"].as_str().unwrap().to_owned();
    until("the call to be answered", || caller.messages().contains("ACK sip:").then_some(()));
    let (status, text) = switch.page("/readyz");
    assert!(status == 200 && text.contains(&format!("rtp_ports_exhausted: all 1 pairs of {pair}")), "{status} {text}");
    assert!(switch.succeeds(&["status"]).contains("rtp_ports_exhausted"));
    switch.succeeds(&["call", "hangup", &live]);
    caller.succeeds();
    until("the ports to be free", || (switch.page("/readyz").1 == "ready\n").then_some(()));
}

#[test]
fn metrics_off_loopback_need_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["--listen", "127.0.0.1:0", "--http", "0.0.0.0:0"];
    let (code, said) = Serve::plainly(&folder.path().join("refused")).with(words).fails();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("token_file"), "{said}");

    let token = folder.path().join("token");
    fs::write(&token, "correct horse\n").unwrap();
    let text = format!("[http]\ntoken_file = {:?}\n", token.to_str().unwrap());
    let switch = Serve::plainly(&folder.path().join("data")).configured(&text).with(words).start();
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, switch.http().port()));
    assert_eq!(page(here, "/metrics", "").0, 401);
    assert_eq!(page(here, "/metrics", "Authorization: Bearer correct horsf\r\n").0, 401);
    assert_eq!(page(here, "/metrics", "Authorization: Bearer correct horse\r\n").0, 200);
    assert_eq!(page(here, "/healthz", "").0, 200, "health is for everybody");
}

#[test]
fn commands_are_for_the_owner_of_the_data_folder_alone() {
    let switch = Plugboard::demo();
    assert_eq!(mode(&switch.data().join("control.sock")), 0o600);
    assert_eq!(mode(switch.data()), 0o700);
}

#[test]
fn one_that_connects_and_says_nothing_holds_up_no_command() {
    let switch = Plugboard::demo();
    let socket = switch.data().join("control.sock");
    let mut silent: Vec<UnixStream> = (0..4).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    assert_eq!(switch.ask(&["status"])["ready"], true);
    silent[0].set_nonblocking(true).unwrap();
    let mut nothing = [0; 1];
    assert!(silent[0].read(&mut nothing).is_err(), "and he still waits");
}

#[test]
fn every_command_answers_programs_in_one_line_of_json() {
    let switch = Plugboard::demo();
    let mut commands = vec![vec!["status"], vec!["registrations"], vec!["plugin", "list"], vec!["call", "list"]];
    commands.extend([vec!["export"], vec!["version"], vec!["licenses"]]);
    for words in commands {
        let answer = switch.ask(&words);
        assert!(answer.as_object().is_some_and(|fields| !fields.is_empty()), "{words:?}: {answer}");
    }
    assert_eq!(switch.command(&["no-such-command"]).status.code(), Some(2));
    until("the switch to be ready", || (switch.page("/readyz").0 == 200).then_some(()));
}
