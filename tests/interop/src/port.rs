//! Ports that nobody uses.
//!
//! They lie below the range from which the system gives ports to whoever asks for any, so that none is lost between
//! the look and the use.

use crate::Transport;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{LazyLock, Mutex};

/// Signalling and HTTP ports of the tests: this many from [`FIRST`].
const COUNT: u16 = 8_000;
const FIRST: u16 = 11_000;
/// RTP ports: this many from [`RTP_FIRST`], in ranges of [`RTP_RANGE`].
const RTP_COUNT: u16 = 12_000;
const RTP_FIRST: u16 = 20_000;
const RTP_RANGE: u16 = 40;

/// Two test programs that run at once begin far from each other, so that they seldom ask for the same.
fn seed(count: u16) -> u16 {
    let process = u16::try_from(std::process::id() % u32::from(count)).unwrap_or(0);
    process.wrapping_mul(37) % count
}

/// Takes a port, or a range by its first, for as long as this test program runs; false where another one has it.
///
/// Another program that looks for a port between our look and our use would find it free: a lock on a file, which the
/// system gives back whatever becomes of the program, says whose it is.
fn claim(port: u16) -> bool {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let user = fs::metadata("/proc/self").map_or(0, |own| own.uid());
        let folder = std::env::temp_dir().join(format!("plugboard-test-ports-{user}"));
        fs::create_dir_all(&folder).expect("a folder for the locks of ports");
        folder
    });
    static OURS: Mutex<BTreeMap<u16, File>> = Mutex::new(BTreeMap::new());
    // Those that come round again: all others were taken since, and whoever used this one has most likely ended.
    if OURS.lock().unwrap().contains_key(&port) {
        return true;
    }
    let Ok(file) = File::create(FOLDER.join(port.to_string())) else { return false };
    // Two handles of one program lock against each other as well.
    let is_ours = file.try_lock().is_ok();
    if is_ours {
        OURS.lock().unwrap().insert(port, file);
    }
    is_ours
}

/// The first of `many` neighbouring ports on 127.0.0.1, free for UDP and TCP.
pub fn free_port(many: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let tries = (0..COUNT).map(|_| {
        let at = (NEXT.fetch_add(many, Ordering::Relaxed) % COUNT + seed(COUNT)) % COUNT;
        FIRST + at
    });
    let free = |port: u16| {
        let address = (Ipv4Addr::LOCALHOST, port);
        UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok()
    };
    let mut tries = tries;
    tries.find(|first| (*first..first + many).all(|port| free(port) && claim(port))).expect("a free port")
}

/// A range of RTP ports as `--rtp-ports` takes it, of no other switch of this test program nor of any other program.
pub fn free_rtp_ports() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let ranges = RTP_COUNT / RTP_RANGE;
    let mut tries = (0..ranges).map(|_| {
        let at = NEXT.fetch_add(1, Ordering::Relaxed);
        RTP_FIRST + (seed(ranges) + at) % ranges * RTP_RANGE
    });
    let free = |port: u16| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let whole = |first: &u16| claim(*first) && (*first..first + RTP_RANGE).all(free);
    let first = tries.find(whole).expect("a free range of RTP ports");
    format!("{first}-{}", first + RTP_RANGE - 1)
}

/// Whether somebody on this machine listens at a port, at whatever address (`/proc/net`, proc(5)).
pub(crate) fn is_open(transport: Transport, port: u16) -> bool {
    const LISTENS: &str = "0A";
    let names = if transport == Transport::Udp { ["udp", "udp6"] } else { ["tcp", "tcp6"] };
    let local = format!(":{port:04X}");
    names.iter().any(|name| {
        fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default().lines().skip(1).any(|line| {
            let mut words = line.split_ascii_whitespace().skip(1);
            let (ours, state) = (words.next().unwrap_or(""), words.nth(1).unwrap_or(""));
            ours.ends_with(&local) && (transport == Transport::Udp || state == LISTENS)
        })
    })
}
