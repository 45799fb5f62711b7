//! Packets sealed and opened: against vectors of libsrtp and OpenSSL, which have nothing in common with the library here, and against itself.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use plugboard_media::{Guard, Guards, Kind, MasterKey, NotOpened, Protection, SEAL_BYTES_MAX, Suite};
use plugboard_model::Time;
use plugboard_srtp::Vault;
use proptest::prelude::*;
use std::sync::LazyLock;

static VAULT: LazyLock<Vault> = LazyLock::new(|| Vault::new().unwrap());

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn key(suite: Suite, byte: u8) -> MasterKey {
    MasterKey::new(&vec![byte; suite.key_bytes() + suite.salt_bytes()]).unwrap()
}

fn guard(suite: Suite, send: MasterKey, receive: MasterKey) -> Box<dyn Guard> {
    VAULT.guard(Time::ZERO, &Protection::Sdes { suite, send, receive }).unwrap()
}

/// Two ends of one call.
fn pair(suite: Suite) -> [Box<dyn Guard>; 2] {
    let (a, b) = (key(suite, 1), key(suite, 2));
    [guard(suite, a, b), guard(suite, b, a)]
}

fn sealed(guard: &mut dyn Guard, kind: Kind, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + SEAL_BYTES_MAX, 0);
    let length = guard.seal(kind, &mut buffer, packet.len()).unwrap();
    buffer.truncate(length);
    buffer
}

fn opened(guard: &mut dyn Guard, kind: Kind, packet: &[u8]) -> Result<Vec<u8>, NotOpened> {
    let mut buffer = packet.to_vec();
    let length = guard.open(kind, &mut buffer, packet.len())?;
    buffer.truncate(length);
    Ok(buffer)
}

fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0xD5; 160]);
    packet
}

#[test]
fn the_vectors_of_libsrtp_hold_and_those_of_openssl() {
    let plain = bytes("800f1234 decafbad cafebabe abababab abababab abababab abababab");
    let report = bytes("81c8000b cafebabe abababab abababab abababab abababab");
    let cases = [
        (
            Suite::AesCm128HmacSha1_80,
            "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6",
            "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb",
            "81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798",
        ),
        (
            Suite::AeadAes128Gcm,
            "000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaab",
            "800f1234 decafbad cafebabe c5002ede 04cfdd2e b91159e0 880aa06e d2976826 f796b201 df3131a1 27e8a392",
            "",
        ),
        // The first one with a tag of four bytes; that of reports stays long (RFC 3711 section 5.2, RFC 4568 section 6.2.2).
        (
            Suite::AesCm128HmacSha1_32,
            "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6",
            "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc",
            "81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798",
        ),
        // Made by OpenSSL's AES with the keys of RFC 3711 section 4.3 and RFC 7714, which makes the one above from its secret as well.
        (
            Suite::AeadAes256Gcm,
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f a0a1a2a3a4a5a6a7a8a9aaab",
            "800f1234 decafbad cafebabe 0af7f21e 8a90bdad 7a425c9c 31ed4bb1 d9023891 7e7390a2 793500e1 681acaea",
            "",
        ),
    ];
    for (suite, secret, of_rtp, of_rtcp) in cases {
        let key = MasterKey::new(&bytes(secret)).unwrap();
        let mut both = guard(suite, key, key);
        let packet = sealed(both.as_mut(), Kind::Rtp, &plain);
        assert_eq!(packet, bytes(of_rtp), "{}", suite.name());
        assert_eq!(opened(both.as_mut(), Kind::Rtp, &packet).unwrap(), plain);
        let packet = sealed(both.as_mut(), Kind::Rtcp, &report);
        if !of_rtcp.is_empty() {
            assert_eq!(packet, bytes(of_rtcp), "{}", suite.name());
        }
        assert_eq!(opened(both.as_mut(), Kind::Rtcp, &packet).unwrap(), report);
    }
}

#[test]
fn every_suite_carries_packets_and_reports_and_nothing_else_opens_them() {
    for suite in Suite::ALL {
        let [mut ann, mut bob] = pair(suite);
        let packet = sealed(ann.as_mut(), Kind::Rtp, &rtp(7, 1));
        assert_ne!(packet[12..172], [0xD5; 160], "{}", suite.name());
        assert_eq!(opened(bob.as_mut(), Kind::Rtp, &packet).unwrap(), rtp(7, 1));
        assert_eq!(opened(bob.as_mut(), Kind::Rtp, &packet), Err(NotOpened::Forged), "seen before");
        let next = sealed(ann.as_mut(), Kind::Rtp, &rtp(7, 2));
        for place in [0, 1, 3, 9, 20, next.len() - 1] {
            let mut forged = next.clone();
            forged[place] ^= 1;
            assert!(opened(bob.as_mut(), Kind::Rtp, &forged).is_err(), "{} at {place}", suite.name());
        }
        assert_eq!(opened(bob.as_mut(), Kind::Rtp, &next).unwrap(), rtp(7, 2), "forgeries change nothing");
        assert_eq!(ann.seal(Kind::Rtp, &mut rtp(7, 3), 172), None, "there is no room");
    }
}

#[test]
fn a_report_that_says_that_it_is_in_clear_is_nobodys() {
    for suite in Suite::ALL {
        let [_, mut bob] = pair(suite);
        let mut report = vec![0x80, 201, 0, 1, 0, 0, 0, 7];
        report.extend([0; 40]);
        assert_eq!(opened(bob.as_mut(), Kind::Rtcp, &report), Err(NotOpened::Forged), "{}", suite.name());
    }
}

#[test]
fn numbers_that_turn_over_are_followed_with_losses_and_swaps() {
    let [mut ann, mut bob] = pair(Suite::AesCm128HmacSha1_80);
    let mut sequence = 65_000_u16;
    for step in 0..200_000_u32 {
        let packet = sealed(ann.as_mut(), Kind::Rtp, &rtp(7, sequence));
        if step % 7 != 3 {
            assert_eq!(opened(bob.as_mut(), Kind::Rtp, &packet).unwrap(), rtp(7, sequence), "{step}");
        }
        sequence = sequence.wrapping_add(if step % 1_000 < 900 { 1 } else { 40 });
    }
}

/// A call that has gone on for 45 minutes: its numbers have turned over twice.
fn long_call(suite: Suite) -> ([Box<dyn Guard>; 2], u16) {
    let [mut ann, mut bob] = pair(suite);
    let mut sequence = 0_u16;
    for _ in 0..3 * 65_536_u32 / 64 - 100 {
        let packet = sealed(ann.as_mut(), Kind::Rtp, &rtp(7, sequence));
        opened(bob.as_mut(), Kind::Rtp, &packet).unwrap();
        sequence = sequence.wrapping_add(64);
    }
    ([ann, bob], sequence)
}

#[test]
fn after_a_new_key_the_count_of_turns_may_begin_anew_or_go_on() {
    for goes_on in [false, true] {
        for suite in [Suite::AesCm128HmacSha1_80, Suite::AeadAes256Gcm] {
            let ([_, mut bob], sequence) = long_call(suite);
            let new = key(suite, 9);
            assert!(bob.renew(&Protection::Sdes { suite, send: key(suite, 2), receive: new }));
            // Whoever keeps his count has counted from the begin; the others begin with the new key.
            let mut ann = guard(suite, new, key(suite, 2));
            if goes_on {
                let mut before = 0_u16;
                for _ in 0..3 * 65_536_u32 / 64 - 100 {
                    sealed(ann.as_mut(), Kind::Rtp, &rtp(7, before));
                    before = before.wrapping_add(64);
                }
            }
            for sequence in sequence..sequence + 50 {
                let packet = sealed(ann.as_mut(), Kind::Rtp, &rtp(7, sequence));
                assert_eq!(opened(bob.as_mut(), Kind::Rtp, &packet).unwrap(), rtp(7, sequence), "{goes_on}");
            }
        }
    }
}

#[test]
fn two_new_keys_in_a_row_lose_no_count() {
    let suite = Suite::AesCm128HmacSha1_80;
    let ([_, mut bob], sequence) = long_call(suite);
    for byte in [9, 10] {
        assert!(bob.renew(&Protection::Sdes { suite, send: key(suite, 2), receive: key(suite, byte) }));
    }
    let mut ann = guard(suite, key(suite, 10), key(suite, 2));
    let mut before = 0_u16;
    for _ in 0..3 * 65_536_u32 / 64 - 100 {
        sealed(ann.as_mut(), Kind::Rtp, &rtp(7, before));
        before = before.wrapping_add(64);
    }
    let packet = sealed(ann.as_mut(), Kind::Rtp, &rtp(7, sequence));
    assert_eq!(opened(bob.as_mut(), Kind::Rtp, &packet).unwrap(), rtp(7, sequence));
}

#[test]
fn no_key_of_ours_counts_anew_when_another_suite_was_agreed_on_meanwhile() {
    let [narrow, wide] = [Suite::AesCm128HmacSha1_80, Suite::AeadAes256Gcm];
    let mut ann = guard(narrow, key(narrow, 1), key(narrow, 2));
    let report = [0x80, 201, 0, 1, 0, 0, 0, 7];
    let first = sealed(ann.as_mut(), Kind::Rtcp, &report);
    assert!(ann.renew(&Protection::Sdes { suite: wide, send: key(wide, 1), receive: key(wide, 2) }));
    sealed(ann.as_mut(), Kind::Rtcp, &report);
    assert!(ann.renew(&Protection::Sdes { suite: narrow, send: key(narrow, 1), receive: key(narrow, 2) }));
    let again = sealed(ann.as_mut(), Kind::Rtcp, &report);
    assert_ne!(first, again, "the same key with the same count");
    let mut bob = guard(narrow, key(narrow, 2), key(narrow, 1));
    for packet in [first, again] {
        assert_eq!(opened(bob.as_mut(), Kind::Rtcp, &packet).unwrap(), report);
    }
}

#[test]
fn who_speaks_keeps_his_count_however_many_other_streams_he_begins() {
    let suite = Suite::AesCm128HmacSha1_80;
    let ([mut ann, mut bob], mut sequence) = long_call(suite);
    for other in 100..140 {
        let packet = sealed(ann.as_mut(), Kind::Rtp, &rtp(other, 1));
        opened(bob.as_mut(), Kind::Rtp, &packet).unwrap();
        let packet = sealed(ann.as_mut(), Kind::Rtp, &rtp(7, sequence));
        assert_eq!(opened(bob.as_mut(), Kind::Rtp, &packet).unwrap(), rtp(7, sequence), "{other}");
        sequence += 1;
    }
}

#[test]
fn what_we_send_goes_on_with_its_count_when_only_the_far_end_has_a_new_key() {
    let suite = Suite::AesCm128HmacSha1_80;
    let ([mut ann, mut bob], sequence) = long_call(suite);
    assert!(ann.renew(&Protection::Sdes { suite, send: key(suite, 1), receive: key(suite, 9) }));
    let packet = sealed(ann.as_mut(), Kind::Rtp, &rtp(7, sequence));
    assert_eq!(opened(bob.as_mut(), Kind::Rtp, &packet).unwrap(), rtp(7, sequence));
}

#[test]
fn names_of_streams_that_prove_nothing_displace_none_that_did() {
    let [mut ann, mut bob] = pair(Suite::AesCm128HmacSha1_80);
    for sequence in 0..50_u16 {
        let packet = sealed(ann.as_mut(), Kind::Rtp, &rtp(7, sequence));
        opened(bob.as_mut(), Kind::Rtp, &packet).unwrap();
        for junk in 0..40_u32 {
            let forged = rtp(1_000 + u32::from(sequence) * 40 + junk, 1);
            assert_eq!(opened(bob.as_mut(), Kind::Rtp, &forged), Err(NotOpened::Forged));
        }
    }
    // A stream that is new and true is heard at once.
    let packet = sealed(ann.as_mut(), Kind::Rtp, &rtp(8, 30_000));
    assert_eq!(opened(bob.as_mut(), Kind::Rtp, &packet).unwrap(), rtp(8, 30_000));
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), gcm: bool, rtcp: bool) {
        let [_, mut bob] = pair(if gcm { Suite::AeadAes128Gcm } else { Suite::AesCm128HmacSha1_32 });
        let kind = if rtcp { Kind::Rtcp } else { Kind::Rtp };
        prop_assert_eq!(opened(bob.as_mut(), kind, &bytes), Err(NotOpened::Forged));
    }
}
