//! How many streams a core transcodes: a frame of 20 ms of each pair of codecs, both the unpacking and the packing.

#![expect(clippy::expect_used, clippy::cast_possible_truncation, reason = "a bench stops at the first surprise")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plugboard_codec::Library;
use plugboard_media::{Codec, Codecs, Rate};

/// Two seconds of a tone that wanders, packed by each codec: what is unpacked over and over.
fn payloads(codec: Codec, rate: Rate) -> Vec<Vec<u8>> {
    let mut encoder = Library.encoder(codec, rate).expect("an encoder");
    let sample = |n: u32| {
        let at = f64::from(n) / f64::from(rate.hertz());
        (8_000.0 * (1_500.0 * at + 40.0 * (at * 9.0).sin()).sin()) as i16
    };
    let signal: Vec<i16> = (0..rate.hertz() * 2).map(sample).collect();
    let pack = |frame: &[i16]| {
        let mut payload = Vec::new();
        encoder.encode(frame, &mut payload);
        payload
    };
    signal.chunks_exact(rate.frame()).map(pack).collect()
}

fn transcoding(criterion: &mut Criterion) {
    let pairs = [
        (Codec::Opus, Codec::Pcmu),
        (Codec::Pcmu, Codec::Opus),
        (Codec::G722, Codec::Pcma),
        (Codec::Pcma, Codec::G722),
        (Codec::Opus, Codec::G722),
    ];
    let mut group = criterion.benchmark_group("transcoding");
    group.throughput(Throughput::Elements(1));
    for (from, to) in pairs {
        let rate = Rate::of(from).min(Rate::of(to));
        let payloads = payloads(from, rate);
        let mut decoder = Library.decoder(from, rate).expect("a decoder");
        let mut encoder = Library.encoder(to, rate).expect("an encoder");
        let (mut samples, mut packed, mut next) = (Vec::new(), Vec::new(), payloads.iter().cycle());
        group.bench_function(format!("{from} to {to}"), |bench| {
            bench.iter(|| {
                samples.clear();
                packed.clear();
                decoder.decode(next.next().map(Vec::as_slice).unwrap_or_default(), &mut samples);
                encoder.encode(&samples, &mut packed);
                black_box(packed.len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, transcoding);
criterion_main!(benches);
