//! What a relayed packet costs, beside a bare relay: one epoll thread, a socket per leg, no look at the packets.
//!
//! `cargo run --release -p plugboard-media --example relay_cost [CALLS [SECONDS [ROUNDS [GATHER]]]]`; GATHER in microseconds
//!
//! Both relays carry the same calls in turn within one process; the cost is the CPU time of the relay's own thread
//! (`/proc/self/task/*/schedstat`), so that the generator does not count.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run should say so and stop")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use plugboard_media::rtp::Header;
use plugboard_media::{
    AddressFamily, Codec, Command, DEFAULT_GATHER, DriverConfig, MediaPlane, MediaThreads, Negotiated,
};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Two phones and the two sockets of the relay that they talk to.
struct Call {
    phones: [UdpSocket; 2],
    relays: [SocketAddr; 2],
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let calls: u16 = arguments.next().unwrap_or(200);
    let seconds = u64::from(arguments.next().unwrap_or(5));
    let rounds = arguments.next().unwrap_or(3);
    let gather = arguments.next().map_or(DEFAULT_GATHER, |micros| Duration::from_micros(micros.into()));
    println!("{calls} calls, 50 packets a second each way, {seconds} s a round; CPU-ms per 1,000 relayed packets");
    println!("| round | bare relay | engine | ratio | lost bare | lost engine |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for round in 1..=rounds {
        let bare = bare(calls, seconds);
        let engine = engine(calls, seconds, gather);
        let ratio = engine.0 / bare.0;
        println!("| {round} | {:.2} | {:.2} | {ratio:.2} | {} | {} |", bare.0, engine.0, bare.1, engine.1);
    }
}

fn phones() -> [UdpSocket; 2] {
    [(), ()].map(|()| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    })
}

fn engine(calls: u16, seconds: u64, gather: Duration) -> (f64, u64) {
    let ports = DriverConfig { gather, ports: 42_000..=49_999, ..DriverConfig::default() };
    let plane = MediaThreads::start(ports, None, None, Arc::new(|_| ())).unwrap();
    let calls: Vec<_> = (0..calls)
        .map(|_| {
            let phones = phones();
            let legs = [&phones[0], &phones[1]].map(|phone| {
                let remote_rtp = phone.local_addr().unwrap();
                let local = plane.open(0, AddressFamily::V4).unwrap();
                let negotiated = Negotiated::plain(Codec::Pcma, remote_rtp).with_keys(101);
                plane.send(Command::SetRemote { leg: local.leg, negotiated }).unwrap();
                local
            });
            plane.send(Command::Bridge { a: legs[0].leg, b: legs[1].leg }).unwrap();
            Call { phones, relays: legs.map(|leg| leg.rtp) }
        })
        .collect();
    drive(&calls, "media-0", seconds)
}

fn bare(calls: u16, seconds: u64) -> (f64, u64) {
    let mut routes = Vec::new();
    let calls: Vec<_> = (0..calls)
        .map(|_| {
            let (phones, relays) = (phones(), phones());
            let addresses = relays.each_ref().map(|relay| relay.local_addr().unwrap());
            let [first, second] = relays;
            routes.push((first, phones[0].local_addr().unwrap()));
            routes.push((second, phones[1].local_addr().unwrap()));
            Call { phones, relays: addresses }
        })
        .collect();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::Builder::new().name("bare-0".into()).spawn(move || relay(&routes, &stopped)).unwrap();
    let result = drive(&calls, "bare-0", seconds);
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    result
}

/// Whatever comes at one socket of a pair leaves by the other.
#[expect(unsafe_code, reason = "epoll has no safe form in the standard library")]
fn relay(routes: &[(UdpSocket, SocketAddr)], stop: &AtomicBool) {
    // SAFETY: no pointers.
    let epoll = unsafe { libc::epoll_create1(0) };
    for (index, (socket, _)) in routes.iter().enumerate() {
        let mut event = libc::epoll_event { events: libc::EPOLLIN.cast_unsigned(), u64: u64::try_from(index).unwrap() };
        // SAFETY: both descriptors are open and the event lives through the call.
        unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, socket.as_raw_fd(), &raw mut event) };
    }
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 256];
    let mut packet = [0; 2_048];
    while !stop.load(Ordering::Relaxed) {
        // SAFETY: the buffer holds 256 events.
        let count = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), 256, 100) };
        for event in events.iter().take(usize::try_from(count).unwrap_or(0)) {
            let index = usize::try_from(event.u64).unwrap();
            let Some((socket, _)) = routes.get(index) else { continue };
            if let (Ok((length, _)), Some((other, phone))) = (socket.recv_from(&mut packet), routes.get(index ^ 1)) {
                let _sent = other.send_to(packet.get(..length).unwrap_or_default(), phone);
            }
        }
    }
    // SAFETY: the descriptor is ours and not used again.
    unsafe { libc::close(epoll) };
}

/// Talks for a while. Answers the relay thread's CPU milliseconds per 1,000 packets, and how many were lost.
fn drive(calls: &[Call], thread: &str, seconds: u64) -> (f64, u64) {
    // A quarter of a second to be scheduled, and to be learned.
    talk(calls, 0, Duration::from_millis(250));
    let before = cpu(thread);
    let (sent, received) = talk(calls, 13, Duration::from_secs(seconds));
    let cost = cpu(thread).saturating_sub(before);
    (cost.as_secs_f64() * 1e6 / f64::from(u32::try_from(received).unwrap()), sent.saturating_sub(received))
}

/// Every phone sends each 20 ms, evenly spread over the time in between.
fn talk(calls: &[Call], first: u16, time: Duration) -> (u64, u64) {
    let talkers: Vec<_> = calls.iter().flat_map(|call| call.phones.iter().zip(call.relays)).collect();
    let (mut sent, mut received) = (0, 0);
    let begin = Instant::now();
    let frames = u16::try_from(time.as_millis() / 20).unwrap();
    for frame in 0..frames {
        let sequence = first + frame;
        let header = Header {
            marker: false,
            payload_type: 8,
            sequence,
            timestamp: u32::from(sequence) * 160,
            ssrc: 5,
            payload: 0..0,
        };
        let packet = header.packet(&[0xD5; 160]);
        for (index, (phone, relay)) in talkers.iter().enumerate() {
            let share = Duration::from_millis(20)
                .mul_f64(f64::from(u32::try_from(index).unwrap()) / f64::from(u32::try_from(talkers.len()).unwrap()));
            let due = begin + Duration::from_millis(20) * u32::from(frame) + share;
            let early = due.saturating_duration_since(Instant::now());
            if early > Duration::from_micros(500) {
                std::thread::sleep(early);
            }
            received += drain(phone);
            sent += u64::from(phone.send_to(&packet, relay).is_ok());
        }
    }
    std::thread::sleep(Duration::from_millis(20));
    received += talkers.iter().map(|(phone, _)| drain(phone)).sum::<u64>();
    (sent, received)
}

fn drain(phone: &UdpSocket) -> u64 {
    let mut buffer = [0; 256];
    let mut count = 0;
    while phone.recv_from(&mut buffer).is_ok() {
        count += 1;
    }
    count
}

/// The CPU time of this process's thread of that name.
fn cpu(thread: &str) -> Duration {
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path();
        if std::fs::read_to_string(path.join("comm")).unwrap().trim() == thread {
            let schedstat = std::fs::read_to_string(path.join("schedstat")).unwrap();
            return Duration::from_nanos(schedstat.split(' ').next().unwrap().parse().unwrap());
        }
    }
    Duration::ZERO
}
