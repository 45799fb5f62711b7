//! What media costs beyond the bare relay, all in the same run: relayed, recorded, sealed (SDES), packed anew; and the memory of a
//! relayed call.
//!
//! `cargo bench --package plugboard-benches --bench media_cost -- [CALLS [SECONDS [ROUNDS]]]`, 200 calls, 5 s and 3 rounds unless told.
//!
//! CPU is that of the relay's own threads (`/proc/self/task/*/schedstat`), so that the phones do not count.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot run should say so and stop")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]

#[path = "media/bare.rs"]
mod bare;
#[path = "media/phones.rs"]
mod phones;

use bare::Bare;
use phones::{Phone, socket, talk};
use plugboard_codec::Library;
use plugboard_media::{
    AddressFamily, Codec, Codecs, Command, DriverConfig, Guards, LocalMedia, MasterKey, MediaPlane, MediaThreads, Need,
    Negotiated, Protection, Rate, Suite,
};
use plugboard_model::{TapeWhy, Time};
use plugboard_recorder::{Folder, Order, Recorder};
use plugboard_srtp::Vault;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// As the switch has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A quarter of a second to be scheduled, and to be learned.
const WARM: Duration = Duration::from_millis(250);

/// What was seen of a case.
struct Seen {
    /// CPU milliseconds per 1,000 packets that arrived, of the threads that carry them, and of all that work on them.
    carry: f64,
    all: f64,
    sent: u64,
    lost: u64,
    cpu: Duration,
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let calls: u16 = arguments.next().unwrap_or(200);
    let seconds = u64::from(arguments.next().unwrap_or(5));
    let rounds = arguments.next().unwrap_or(3);
    // Before anything else is given back to the allocator, whose leavings would be taken for nothing.
    println!("memory of a relayed call, resident: {:.1} KB", memory(calls));
    println!("{calls} calls, 50 packets a second each way, {seconds} s a case; CPU-ms per 1,000 packets that arrived");
    println!("| round | bare | relayed | recorded: media | recorded: all | SDES CM | SDES GCM | lost |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let time = Duration::from_secs(seconds);
    for round in 1..=rounds {
        let bare = bare_relay(calls, time);
        let relayed = relayed(calls, time);
        let recorded = recorded(calls, time);
        let sealed = [Suite::AesCm128HmacSha1_80, Suite::AeadAes128Gcm].map(|suite| sealed(suite, calls, time));
        let against = |cost: f64| format!("{cost:.2} ({:.2})", cost / relayed.carry);
        let lost: Vec<String> = [&bare, &relayed, &recorded, &sealed[0], &sealed[1]]
            .iter()
            .map(|seen| format!("{} of {}", seen.lost, seen.sent))
            .collect();
        println!(
            "| {round} | {:.2} | {:.2} ({:.2} of bare) | {} | {} | {} | {} | {} |",
            bare.carry,
            relayed.carry,
            relayed.carry / bare.carry,
            against(recorded.carry),
            against(recorded.all),
            against(sealed[0].carry),
            against(sealed[1].carry),
            lost.join(", ")
        );
    }
    println!("in brackets: of what is relayed");
    for (one, other) in [(Codec::Opus, Codec::Pcma), (Codec::G722, Codec::Pcma), (Codec::Opus, Codec::G722)] {
        let calls = (calls / 10).max(1);
        let seen = anew(one, other, calls, time);
        let streams = f64::from(calls) * 2.0 * time.as_secs_f64() / seen.cpu.as_secs_f64();
        println!(
            "{one} and {other}: {streams:.0} streams a core ({calls} calls, both ways, sockets included; {} of {} packets lost)",
            seen.lost, seen.sent
        );
    }
}

// ---- cases ---------------------------------------------------------------------------------------------------------

fn bare_relay(calls: u16, time: Duration) -> Seen {
    let (mut phones, mut routes) = (Vec::new(), Vec::new());
    for _ in 0..calls {
        let (own, relays) = ([socket(), socket()], [socket(), socket()]);
        let to = relays.each_ref().map(|relay| relay.local_addr().unwrap());
        routes.extend(relays.into_iter().zip(own.each_ref().map(|phone| phone.local_addr().unwrap())));
        phones.extend(own.into_iter().zip(to).map(|(phone, to)| Phone::new(phone, to)));
    }
    let _running = Bare::start(routes);
    see(&mut phones, time, &["bare-"], &[])
}

fn relayed(calls: u16, time: Duration) -> Seen {
    let plane = plane();
    let mut phones = Vec::new();
    for _ in 0..calls {
        phones.extend(call(&plane, [Codec::Pcma; 2]).0);
    }
    see(&mut phones, time, &["media-"], &[])
}

fn recorded(calls: u16, time: Duration) -> Seen {
    let plane = plane();
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(Box::new(Folder::new(folder.path())), Arc::new(Library)).unwrap();
    let (mut phones, mut tapes) = (Vec::new(), Vec::new());
    for n in 0..calls {
        let (two, [leg, _]) = call(&plane, [Codec::Pcma; 2]);
        let order = Order { file: format!("{n}.wav"), stereo: true, silence: None, longest: None };
        let recording = recorder.record(order, Box::new(|end, _| assert_eq!(end.missing_ms, 0)));
        plane.send(Command::Record { leg: leg.leg, tape: Some(recording.tape()) }).unwrap();
        phones.extend(two);
        tapes.push(recording);
    }
    let seen = see(&mut phones, time, &["media-"], &["recorder"]);
    for tape in tapes {
        tape.end(TapeWhy::Asked);
    }
    recorder.close();
    seen
}

fn sealed(suite: Suite, calls: u16, time: Duration) -> Seen {
    let vault = Arc::new(Vault::new().unwrap());
    let guards: Arc<dyn Guards> = Arc::clone(&vault) as Arc<dyn Guards>;
    let plane = MediaThreads::start(ports(), None, Some(guards), Arc::new(|_| ())).unwrap();
    let key = |byte: u8| MasterKey::new(&vec![byte; suite.key_bytes() + suite.salt_bytes()]).unwrap();
    let mut phones = Vec::new();
    for _ in 0..calls {
        let (two, legs) = call(&plane, [Codec::Pcma; 2]);
        for (mut phone, leg) in two.into_iter().zip(legs) {
            let ours = Protection::Sdes { suite, send: key(1), receive: key(2) };
            plane.send(Command::Protect { leg: leg.leg, protection: Some(Box::new(ours)) }).unwrap();
            phone.guard = vault.guard(Time::ZERO, &Protection::Sdes { suite, send: key(2), receive: key(1) });
            phones.push(phone);
        }
    }
    see(&mut phones, time, &["media-"], &[])
}

fn anew(one: Codec, other: Codec, calls: u16, time: Duration) -> Seen {
    let plane = MediaThreads::start(ports(), Some(Arc::new(Library)), None, Arc::new(|_| ())).unwrap();
    let mut phones = Vec::new();
    for _ in 0..calls {
        let codecs = [one, other];
        for (mut phone, codec) in call(&plane, codecs).0.into_iter().zip(codecs) {
            (phone.payload_type, phone.says, phone.ticks) =
                (codec.payload_type(), speech(codec), codec.clock_rate() / 50);
            phones.push(phone);
        }
    }
    see(&mut phones, time, &["media-"], &["codec-"])
}

/// Of the second nine tenths of the calls: what is kept once does not count.
fn memory(calls: u16) -> f64 {
    let plane = plane();
    let mut phones = Vec::new();
    let mut resident = |calls: u16| {
        for _ in 0..calls {
            phones.extend(call(&plane, [Codec::Pcma; 2]).0);
        }
        talk(&mut phones, Duration::from_secs(1));
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        f64::from(pages.split(' ').nth(1).unwrap().parse::<u32>().unwrap()) * 4.096
    };
    let few = (calls / 10).max(1);
    let before = resident(few);
    (resident(calls) - before) / f64::from(calls)
}

// ---- parts ---------------------------------------------------------------------------------------------------------

fn ports() -> DriverConfig {
    DriverConfig { ports: 42_000..=49_999, ..DriverConfig::default() }
}

fn plane() -> MediaThreads {
    MediaThreads::start(ports(), None, None, Arc::new(|_| ())).unwrap()
}

/// Two phones, and the legs that they talk to, bridged.
fn call(plane: &MediaThreads, codecs: [Codec; 2]) -> ([Phone; 2], [LocalMedia; 2]) {
    let sockets = [socket(), socket()];
    let mut addresses = sockets.each_ref().map(|phone| phone.local_addr().unwrap()).into_iter();
    let legs = codecs.map(|codec| {
        let remote: SocketAddr = addresses.next().unwrap();
        let local = plane.open(0, AddressFamily::V4, Need::Usual).unwrap();
        let negotiated = Negotiated::plain(codec, remote).with_keys(101);
        plane.send(Command::SetRemote { leg: local.leg, negotiated }).unwrap();
        local
    });
    plane.send(Command::Bridge { a: legs[0].leg, b: legs[1].leg }).unwrap();
    let mut to = legs.each_ref().map(|leg| leg.rtp).into_iter();
    (sockets.map(|socket| Phone::new(socket, to.next().unwrap())), legs)
}

/// Two seconds of a tone that wanders.
fn speech(codec: Codec) -> Vec<Vec<u8>> {
    let rate = Rate::of(codec);
    let mut encoder = Library.encoder(codec, rate).unwrap();
    let sample = |n: u32| {
        let at = f64::from(n) / f64::from(rate.hertz());
        #[expect(clippy::cast_possible_truncation, reason = "it is below 16 bits")]
        let sample = (8_000.0 * (1_500.0 * at + 40.0 * (at * 9.0).sin()).sin()) as i16;
        sample
    };
    let signal: Vec<i16> = (0..rate.hertz() * 2).map(sample).collect();
    let pack = |frame: &[i16]| {
        let mut payload = Vec::new();
        encoder.encode(frame, &mut payload);
        payload
    };
    signal.chunks_exact(rate.frame()).map(pack).collect()
}

fn see(phones: &mut [Phone], time: Duration, carriers: &[&str], others: &[&str]) -> Seen {
    talk(phones, WARM);
    let before = (cpu(carriers), cpu(others));
    let (sent, received) = talk(phones, time);
    let (carry, other) = (cpu(carriers).saturating_sub(before.0), cpu(others).saturating_sub(before.1));
    let per_thousand = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(u32::try_from(received.max(1)).unwrap());
    let lost = sent.saturating_sub(received);
    Seen { carry: per_thousand(carry), all: per_thousand(carry + other), sent, lost, cpu: carry + other }
}

/// The CPU time of this process's threads whose names begin so.
fn cpu(names: &[&str]) -> Duration {
    let mut sum = Duration::ZERO;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path();
        // One that ends meanwhile is not missed.
        let Ok(name) = std::fs::read_to_string(path.join("comm")) else { continue };
        if names.iter().any(|wanted| name.starts_with(wanted)) {
            let schedstat = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
            sum += Duration::from_nanos(schedstat.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0));
        }
    }
    sum
}
