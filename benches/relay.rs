//! What the engine does with a packet on its way from one leg to the other, the kernel's part left out.
//!
//! The kernel's part and a bare relay beside it: `cargo load --only relay`.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plugboard_media::rtp::Header;
use plugboard_media::{Codec, Command, Engine, EngineConfig, Kind, MediaLeg, Negotiated, StreamStart};
use plugboard_model::Time;

/// Calls of the figure.
const CALLS: u32 = 200;

/// Many bridged calls and the next packet of each phone.
struct World {
    engine: Engine,
    now: Time,
    phones: Vec<(MediaLeg, SocketAddr)>,
    sequence: u16,
}

impl World {
    fn new() -> Self {
        let mut engine = Engine::new(EngineConfig::default(), None, None);
        let now = Time::from_millis(1);
        let mut phones = Vec::new();
        for slot in 0..CALLS * 2 {
            let leg = MediaLeg::new(0, slot, 1);
            let phone = SocketAddr::from(([192, 0, 2, 1], 4_000 + u16::try_from(slot).unwrap_or(0) * 2));
            engine.open(now, leg, StreamStart { ssrc: slot, sequence: 1, timestamp: 1 });
            let negotiated = Negotiated::plain(Codec::Pcma, phone).with_keys(101);
            engine.handle(now, Command::SetRemote { leg, negotiated });
            phones.push((leg, phone));
        }
        for pair in phones.chunks_exact(2) {
            if let [(a, _), (b, _)] = pair {
                engine.handle(now, Command::Bridge { a: *a, b: *b });
            }
        }
        Self { engine, now, phones, sequence: 0 }
    }

    /// A packet of every phone, and what the engine does in those 20 ms besides. Answers how many went on.
    fn frame(&mut self) -> usize {
        self.sequence = self.sequence.wrapping_add(1);
        let timestamp = u32::from(self.sequence) * 160;
        let header =
            Header { marker: false, payload_type: 8, sequence: self.sequence, timestamp, ssrc: 5, payload: 0..0 };
        let packet = header.packet(&[0xD5; 160]);
        let mut sent = 0;
        for (leg, phone) in &self.phones {
            let mut packet = packet.clone();
            let whole = packet.len();
            let buffer = (packet.as_mut_slice(), whole);
            sent += usize::from(self.engine.packet(self.now, *leg, Kind::Rtp, *phone, buffer).is_some());
        }
        self.now = self.now + Duration::from_millis(20);
        self.engine.tick(self.now, &mut |_, _| sent += 1);
        while self.engine.poll_event().is_some() {}
        sent
    }
}

fn relay(criterion: &mut Criterion) {
    let mut world = World::new();
    assert!(world.frame() >= usize::try_from(CALLS).unwrap_or(0) * 2, "every packet goes on");
    let mut group = criterion.benchmark_group("relay");
    group.throughput(Throughput::Elements(u64::from(CALLS) * 2));
    group.bench_function("200 calls, 20 ms", |bencher| bencher.iter(|| black_box(world.frame())));
    group.finish();
}

criterion_group!(benches, relay);
criterion_main!(benches);
