//! Damaged messages: nothing panics, and where this parser and another one both take a message, they read the same.
//!
//! The damage comes from a seed, so that a failure comes again. `PLUGBOARD_LONG=1` tries fifty times as many.

use bytes::Bytes;
use plugboard_sip::{Message, parse_datagram};
use plugboard_tests_fuzz::message::exercise;
use plugboard_tests_fuzz::mutation::{Dice, SIP_WORDS, damage};
use sipx_sip::headers::{CSeq, CallId, Via};
use sipx_testkit::{rfc4475, rfc5118};

const SEED: u64 = 0x5e1f_0b0a_4d5e_ed01;

fn rounds() -> usize {
    if std::env::var_os("PLUGBOARD_LONG").is_some() { 1_000_000 } else { 20_000 }
}

fn seeds() -> Vec<Vec<u8>> {
    let torture = rfc4475::CASES.iter().map(|case| case.bytes.to_vec());
    torture.chain(rfc5118::CASES.iter().map(|case| case.wire().to_vec())).collect()
}

/// What both parsers say of a message: kind, then method and number of CSeq, Call-ID and branch as far as they can be read.
type Reading = (String, Option<String>, Option<String>, Option<String>);

fn our_reading(message: &Message) -> Reading {
    let kind = match message {
        Message::Request(request) => request.method.to_string(),
        Message::Response(response) => response.status.to_string(),
    };
    let headers = message.headers();
    (
        kind,
        headers.cseq().ok().map(|cseq| format!("{} {}", cseq.number, cseq.method)),
        headers.call_id().ok().map(ToOwned::to_owned),
        headers.top_via().ok().map(|via| via.branch().unwrap_or_default().to_owned()),
    )
}

fn their_reading(message: &sipx_sip::Message) -> Reading {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let kind = match message {
        sipx_sip::Message::Request(request) => text(request.method.as_bytes()),
        sipx_sip::Message::Response(response) => response.status.code().to_string(),
    };
    let headers = message.headers();
    (
        kind,
        headers
            .typed::<CSeq>()
            .and_then(Result::ok)
            .map(|cseq| format!("{} {}", cseq.sequence, text(cseq.method.as_bytes()))),
        headers.typed::<CallId>().and_then(Result::ok).map(|call_id| text(&call_id.0)),
        headers.typed::<Via>().and_then(Result::ok).map(|via| text(via.branch().unwrap_or_default())),
    )
}

/// Whether both could read the part and read it differently.
fn differ(ours: Option<&String>, theirs: Option<&String>) -> bool {
    ours.is_some() && theirs.is_some() && ours != theirs
}

#[test]
fn two_parsers_agree_on_damaged_messages() {
    let (seeds, mut dice) = (seeds(), Dice::new(SEED));
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    let (mut both, mut ours_alone, mut theirs_alone) = (0, 0, 0);
    for round in 0..rounds() {
        let bytes = damage(&mut dice, &seeds, SIP_WORDS);
        let ours = exercise(&bytes);
        let theirs = sipx_sip::parse_datagram(Bytes::copy_from_slice(&bytes), &sipx_sip::Limits::datagram()).ok();
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => {
                both += 1;
                let (ours, theirs) = (our_reading(&ours), their_reading(&theirs));
                let same = ours.0 == theirs.0
                    && !differ(ours.1.as_ref(), theirs.1.as_ref())
                    && !differ(ours.2.as_ref(), theirs.2.as_ref())
                    && !differ(ours.3.as_ref(), theirs.3.as_ref());
                assert!(same, "round {round}: {ours:?} here, {theirs:?} there, of\n{}", bytes.escape_ascii());
            }
            (Some(_), None) => ours_alone += 1,
            (None, Some(_)) => theirs_alone += 1,
            (None, None) => {}
        }
    }
    println!("both {both}, only here {ours_alone}, only there {theirs_alone} of {}", rounds());
    // A comparison that compares little would pass whatever the parser did.
    assert!(both * 4 > rounds(), "only {both} of {} were taken by both", rounds());
}

#[test]
fn undamaged_messages_are_read_alike() {
    for bytes in seeds() {
        let theirs = sipx_sip::parse_datagram(Bytes::copy_from_slice(&bytes), &sipx_sip::Limits::datagram());
        if let (Ok(ours), Ok(theirs)) = (parse_datagram(&bytes), theirs) {
            let (ours, theirs) = (our_reading(&ours), their_reading(&theirs));
            assert_eq!(ours.0, theirs.0);
            assert!(!differ(ours.2.as_ref(), theirs.2.as_ref()), "{ours:?} {theirs:?}");
            assert!(!differ(ours.3.as_ref(), theirs.3.as_ref()), "{ours:?} {theirs:?}");
        }
    }
}
