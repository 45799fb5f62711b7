//! RTCP between two legs, and what is read of it.

use plugboard_media::{Codec, Command, Engine, EngineConfig, Kind, MediaLeg, Negotiated, StreamStart};
use plugboard_model::Time;
use std::net::SocketAddr;

const LEGS: [MediaLeg; 2] = [MediaLeg::new(0, 0, 1), MediaLeg::new(0, 1, 1)];

/// Compounds that one leg's far end sends, each after its length; both legs have heard a packet of the other's stream.
///
/// # Panics
/// When one is passed on longer than it came, or with what is no report at its beginning.
pub fn rtcp(bytes: &[u8]) {
    let mut engine = Engine::new(EngineConfig::default(), None, None);
    let mut now = Time::from_millis(1_000);
    let phones = [1, 2].map(|last| SocketAddr::from(([192, 0, 2, last], 4_000)));
    for ((leg, phone), ssrc) in LEGS.into_iter().zip(phones).zip(0xA0A0..) {
        engine.open(now, leg, StreamStart { ssrc, sequence: 100, timestamp: 5_000 });
        engine.handle(now, Command::SetRemote { leg, negotiated: Negotiated::plain(Codec::Pcmu, phone) });
    }
    let [a, b] = LEGS;
    engine.handle(now, Command::Bridge { a, b });
    for (leg, phone) in LEGS.into_iter().zip(phones) {
        let mut packet = *b"\x80\x00\x00\x01\x00\x00\x00\xa0\x12\x34\x56\x78voice";
        let length = packet.len();
        engine.packet(now, leg, Kind::Rtp, phone, (&mut packet, length));
    }
    let from = SocketAddr::new(phones[0].ip(), phones[0].port() + 1);
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first() {
        let (datagram, next) = after.split_at(after.len().min(usize::from(*length)));
        rest = next;
        // Room for what protects it, as sockets' buffers have it.
        let mut buffer = [datagram, &[0; 64]].concat();
        if let Some(forward) = engine.packet(now, a, Kind::Rtcp, from, (&mut buffer, datagram.len())) {
            assert!(forward.leg == b && forward.length <= datagram.len(), "{forward:?} of {}", datagram.escape_ascii());
            let kind = buffer.get(1).copied();
            assert!(matches!(kind, Some(200 | 201)), "{kind:?} of {}", datagram.escape_ascii());
        }
        now = now + std::time::Duration::from_millis(100);
        engine.tick(now, &mut |_, _| ());
    }
    engine.handle(now, Command::Unbridge { leg: a });
}
