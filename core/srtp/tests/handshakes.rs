//! Handshakes on the media's own way: both roles, losses, junk, and certificates that are not those that were named.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use plugboard_media::{
    DtlsRole, Fingerprint, Guard, Guards, Kind, NotOpened, Protection, SEAL_BYTES_MAX, Shake, Suite,
};
use plugboard_model::Time;
use plugboard_srtp::Vault;
use proptest::prelude::*;

/// Two ends whose datagrams take 10 ms; the `lost`-th ones do not arrive.
struct Wire {
    ends: [Box<dyn Guard>; 2],
    now: Time,
    sent: usize,
    lost: Vec<usize>,
    under_way: Vec<(Time, usize, Kind, Vec<u8>)>,
    told: [Vec<Shake>; 2],
}

impl Wire {
    fn new(lost: &[usize], lies: bool) -> Self {
        let (ann, bob) = (Vault::new().unwrap(), Vault::new().unwrap());
        let named = if lies { Fingerprint([7; 32]) } else { bob.fingerprint() };
        let guard = |vault: &Vault, role, fingerprint| {
            vault.guard(Time::ZERO, &Protection::Dtls { role, fingerprint }).unwrap()
        };
        let ends = [guard(&ann, DtlsRole::Active, named), guard(&bob, DtlsRole::Passive, ann.fingerprint())];
        let told = [Vec::new(), Vec::new()];
        Self { ends, now: Time::ZERO, sent: 0, lost: lost.to_vec(), under_way: Vec::new(), told }
    }

    /// Lets so many milliseconds pass.
    fn run(&mut self, milliseconds: u64) {
        let end = self.now + std::time::Duration::from_millis(milliseconds);
        while self.now < end {
            let now = self.now;
            let arrived: Vec<_> = self.under_way.extract_if(.., |(at, ..)| *at <= now).collect();
            for (_, to, kind, datagram) in arrived {
                self.ends[to].shake(now, kind, &datagram);
            }
            for (from, end) in self.ends.iter_mut().enumerate() {
                while let Some(wish) = end.poll(now) {
                    match wish {
                        Shake::Send(kind, datagram) => {
                            self.sent += 1;
                            if !self.lost.contains(&self.sent) {
                                let at = now + std::time::Duration::from_millis(10);
                                self.under_way.push((at, 1 - from, kind, datagram));
                            }
                        }
                        Shake::Wait(at) => {
                            assert!(at > now, "it waits for what is over");
                            break;
                        }
                        Shake::Secured(_) | Shake::Failed(_) => self.told[from].push(wish),
                    }
                }
            }
            self.now = now + std::time::Duration::from_millis(5);
        }
    }

    /// One end's packet and report reach the other one.
    fn talks(&mut self, from: usize) {
        for (kind, packet) in [(Kind::Rtp, rtp()), (Kind::Rtcp, vec![0x80, 201, 0, 1, 0, 0, 0, 7])] {
            let mut buffer = packet.clone();
            buffer.resize(packet.len() + SEAL_BYTES_MAX, 0);
            let length = self.ends[from].seal(kind, &mut buffer, packet.len()).unwrap();
            assert_ne!(buffer[..length], packet[..]);
            let length = self.ends[1 - from].open(kind, &mut buffer, length).unwrap();
            assert_eq!(buffer[..length], packet[..]);
        }
    }
}

fn rtp() -> Vec<u8> {
    let mut packet = vec![0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7];
    packet.extend([0xD5; 160]);
    packet
}

#[test]
fn both_ends_get_the_same_keys_for_packets_and_reports() {
    let mut wire = Wire::new(&[], false);
    assert_eq!(wire.ends[0].seal(Kind::Rtp, &mut [0; 400], 172), None, "nothing goes in clear before");
    assert_eq!(wire.ends[1].open(Kind::Rtp, &mut rtp(), 172), Err(NotOpened::NoKeys));
    wire.run(500);
    let suite = wire.ends[0].suite().unwrap();
    assert_eq!(suite, Suite::AeadAes256Gcm, "the strongest that both have");
    assert_eq!(wire.told, [vec![Shake::Secured(suite)], vec![Shake::Secured(suite)]]);
    wire.talks(0);
    wire.talks(1);
}

#[test]
fn a_handshake_outlives_the_loss_of_any_of_its_datagrams() {
    for lost in 1..=12 {
        let mut wire = Wire::new(&[lost, lost + 1], false);
        wire.run(8_000);
        assert!(wire.ends.iter().all(|end| end.suite().is_some()), "{lost}: {:?}", wire.told);
        wire.talks(0);
        wire.talks(1);
    }
}

#[test]
fn whoever_shows_another_certificate_gets_no_keys() {
    let mut wire = Wire::new(&[], true);
    wire.run(1_000);
    let why = "the far end's certificate is not the one that it named";
    assert_eq!(wire.told[0], [Shake::Failed(why)]);
    assert_eq!(wire.ends[0].suite(), None);
    assert_eq!(wire.ends[0].seal(Kind::Rtp, &mut [0; 400], 172), None);
}

#[test]
fn whoever_else_begins_a_handshake_later_gets_nothing_and_the_keys_hold() {
    let mut wire = Wire::new(&[], false);
    wire.run(500);
    let again = Vault::new().unwrap();
    let fingerprint = again.fingerprint();
    // The passive end is told of no other certificate: whoever begins again with another one gets nothing, and the keys hold.
    let stranger = again.guard(wire.now, &Protection::Dtls { role: DtlsRole::Active, fingerprint }).unwrap();
    let ann = std::mem::replace(&mut wire.ends[0], stranger);
    wire.run(1_000);
    wire.ends[0] = ann;
    wire.talks(0);
}

#[test]
fn nobody_who_answers_is_told_in_the_end() {
    let mut wire = Wire::new(&(1..1_000).collect::<Vec<_>>(), false);
    wire.run(60_000);
    // Whoever waits for the other one to begin is told as well.
    for told in &wire.told {
        assert_eq!(*told, [Shake::Failed("the handshake did not end in time")]);
    }
    assert!(wire.sent < 40, "{} datagrams for nobody", wire.sent);
}

/// A hello of a client, and a message with its certificate, of these bytes: what anybody can send who proves nothing.
fn strangers_hello(random: u8) -> Vec<u8> {
    let mut body = vec![254, 253];
    body.extend([random; 32]);
    // No session, no cookie; ECDHE_ECDSA with AES-128-GCM; no compression; curves, signatures, SRTP's profiles, master secret.
    body.extend([0, 0, 0, 2, 0xC0, 0x2B, 1, 0]);
    let extensions: &[&[u8]] = &[
        &[0, 10, 0, 4, 0, 2, 0, 23],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 4, 0, 2, 4, 3],
        &[0, 14, 0, 5, 0, 2, 0, 7, 0],
        &[0, 23, 0, 0],
    ];
    let extensions = extensions.concat();
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    record(1, 0, body.len(), 0, &body)
}

/// A piece of a message of a handshake in a record of its own.
fn record(kind: u8, number: u8, whole: usize, offset: usize, piece: &[u8]) -> Vec<u8> {
    let three = |count: usize| u32::try_from(count).unwrap().to_be_bytes()[1..].to_vec();
    let message =
        [vec![kind], three(whole), vec![0, number], three(offset), three(piece.len()), piece.to_vec()].concat();
    let sequence = number + u8::from(offset > 0);
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    [vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, sequence], length.to_vec(), message].concat()
}

fn strangers_certificate(bytes: usize) -> Vec<Vec<u8>> {
    let three = |count: usize| u32::try_from(count).unwrap().to_be_bytes()[1..].to_vec();
    let body = [three(bytes + 3), three(bytes), vec![0x30; bytes]].concat();
    let pieces = body.chunks(1_000).enumerate();
    pieces.map(|(n, piece)| record(11, 1, body.len(), n * 1_000, piece)).collect()
}

#[test]
fn a_stranger_who_shows_any_certificate_ends_nothing_and_is_not_in_the_way() {
    for bytes in [100, 2_100, 40_000] {
        let mut wire = Wire::new(&[], false);
        let now = wire.now;
        wire.ends[1].shake(now, Kind::Rtp, &strangers_hello(9));
        for piece in strangers_certificate(bytes) {
            wire.ends[1].shake(now, Kind::Rtp, &piece);
        }
        wire.run(8_000);
        assert!(wire.ends.iter().all(|end| end.suite().is_some()), "{bytes}: {:?}", wire.told);
        wire.talks(0);
        wire.talks(1);
    }
}

#[test]
fn many_hellos_of_strangers_end_no_call() {
    let mut wire = Wire::new(&[], false);
    for n in 0..60 {
        let now = wire.now;
        wire.ends[1].shake(now, Kind::Rtp, &strangers_hello(n));
    }
    wire.run(100);
    assert_eq!(wire.told[1], []);
    wire.run(12_000);
    assert!(wire.ends.iter().all(|end| end.suite().is_some()), "{:?}", wire.told);
    wire.talks(0);
}

#[test]
fn the_same_agreement_keeps_the_keys_and_another_certificate_wants_new_ones() {
    let mut wire = Wire::new(&[], false);
    wire.run(500);
    let [ann, _] = &mut wire.ends;
    assert!(!ann.renew(&Protection::Dtls { role: DtlsRole::Active, fingerprint: Fingerprint([9; 32]) }));
}

#[test]
fn junk_ends_no_handshake_and_no_call() {
    for junk in [&[22_u8][..], &[20; 13], &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4], &[63; 1_200]] {
        let mut wire = Wire::new(&[], false);
        for _ in 0..20 {
            let now = wire.now;
            wire.ends[0].shake(now, Kind::Rtp, junk);
            wire.ends[1].shake(now, Kind::Rtp, junk);
            wire.run(20);
        }
        wire.run(2_000);
        assert!(wire.ends.iter().all(|end| end.suite().is_some()), "{junk:?} {:?}", wire.told);
        let now = wire.now;
        wire.ends[0].shake(now, Kind::Rtp, junk);
        wire.run(100);
        wire.talks(0);
        wire.talks(1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_datagram_is_taken_or_dropped(
        first in 20_u8..=63, rest in proptest::collection::vec(any::<u8>(), 0..300), after in 0_u64..60,
    ) {
        let mut wire = Wire::new(&[], false);
        wire.run(after);
        let datagram: Vec<u8> = std::iter::once(first).chain(rest).collect();
        for end in 0..2 {
            let now = wire.now;
            wire.ends[end].shake(now, Kind::Rtp, &datagram);
        }
        wire.run(3_000);
        prop_assert!(wire.ends.iter().all(|end| end.suite().is_some()), "{:?}", wire.told);
    }
}
