//! What offers and answers say of encryption.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use plugboard_media::{
    Codec, DtlsRole, Encryption, Fingerprint, Flow, Keying, LocalMedia, MediaLeg, Offer, OfferAnswer, OurKeys,
    Protection, SdpError, Suite, Terms,
};

const OURS: Fingerprint = Fingerprint([0xAB; 32]);

/// A line with a key whose base64 is this letter; letters that stand for whole bytes.
fn crypto(tag: u32, suite: Suite, letter: char) -> String {
    let bytes = suite.key_bytes() + suite.salt_bytes();
    let letters = (bytes * 8).div_ceil(6);
    let padding = "=".repeat(letters.next_multiple_of(4) - letters);
    format!("a=crypto:{tag} {} inline:{}A{padding}\r\n", suite.name(), letter.to_string().repeat(letters - 1))
}

fn dtls(setup: &str) -> String {
    format!("a=setup:{setup}\r\na=fingerprint:sha-256 {}\r\n", Fingerprint([0xCD; 32]))
}

fn body(lines: &str) -> Vec<u8> {
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n{lines}").into_bytes()
}

fn audio(proto: &str, more: &str) -> Vec<u8> {
    body(&format!("m=audio 4000 {proto} 0\r\n{more}"))
}

const fn terms(encryption: Encryption, keying: Keying, sdes: bool) -> Terms {
    Terms { encryption, keying, sdes, dtls: true }
}

const TLS: Terms = terms(Encryption::Offered, Keying::Sdes, true);
const UDP: Terms = terms(Encryption::Accepted, Keying::Dtls, false);

fn leg(terms: Terms) -> OfferAnswer {
    let rtp = std::net::SocketAddr::from(([192, 0, 2, 100], 20_000));
    let local = LocalMedia { leg: MediaLeg(0), rtp, rtcp: std::net::SocketAddr::new(rtp.ip(), 20_001) };
    let mut random = [0; OurKeys::BYTES];
    random.iter_mut().zip((1..=u8::MAX).cycle()).for_each(|(byte, value)| *byte = value);
    OfferAnswer::new(local, 4_000).encrypted_by(terms, OurKeys::new(&random, Some(OURS)))
}

fn answer(terms: Terms, offer: &[u8]) -> Result<(String, Option<Protection>), SdpError> {
    let mut leg = leg(terms);
    let (body, _) = leg.make_answer(&Offer::parse(offer, terms)?, &[], Flow::SendRecv)?;
    Ok((String::from_utf8(body).unwrap(), leg.protection()))
}

fn why(terms: Terms, offer: &[u8]) -> SdpError {
    Offer::parse(offer, terms).unwrap_err()
}

#[test]
fn the_first_key_that_can_be_used_is_taken_by_its_tag() {
    let lines = format!(
        "a=crypto:3 F8_128_HMAC_SHA1_80 inline:AAAA\r\n{}{}",
        crypto(7, Suite::AesCm128HmacSha1_32, 'Q'),
        crypto(9, Suite::AeadAes256Gcm, 'g')
    );
    let (body, protection) = answer(TLS, &audio("RTP/SAVP", &lines)).unwrap();
    assert!(body.contains("m=audio 20000 RTP/SAVP 0\r\n"), "{body}");
    assert!(
        body.contains("a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:") && body.matches("a=crypto").count() == 1,
        "{body}"
    );
    let Some(Protection::Sdes { suite, send, receive }) = protection else { unreachable!("{protection:?}") };
    assert_eq!(suite, Suite::AesCm128HmacSha1_32);
    assert_ne!(send, receive);
    assert!(!body.contains("QQQQ"), "we send with a key of our own");
}

#[test]
fn a_key_is_taken_where_signalling_is_secret_alone_and_never_where_encryption_is_off() {
    let offer = audio("RTP/SAVP", &crypto(1, Suite::AesCm128HmacSha1_80, 'Q'));
    assert_eq!(why(UDP, &offer), SdpError::Encryption("keys in SDP are taken over TLS and WSS only"));
    assert_eq!(why(UDP, &offer).sip_status(), 488);
    assert_eq!(
        why(Terms { encryption: Encryption::Off, ..TLS }, &offer),
        SdpError::Encryption("encryption is off here")
    );
    assert!(answer(Terms { sdes: true, ..UDP }, &offer).unwrap().1.is_some());
    assert_eq!(why(TLS, &audio("RTP/SAVP", "")), SdpError::Encryption("none of its a=crypto lines can be used"));
}

#[test]
fn a_plain_offer_with_keys_may_be_taken_up_or_left() {
    let offer = audio("RTP/AVP", &crypto(1, Suite::AesCm128HmacSha1_80, 'Q'));
    let (body, protection) = answer(TLS, &offer).unwrap();
    assert!(body.contains("RTP/AVP 0") && body.contains("a=crypto:1 AES_CM") && protection.is_some(), "{body}");
    for (terms, offer) in [(UDP, &offer), (TLS, &audio("RTP/AVP", ""))] {
        let (body, protection) = answer(terms, offer).unwrap();
        assert!(!body.contains("a=crypto") && protection.is_none(), "{body}");
    }
    let required = Terms { encryption: Encryption::Required, ..TLS };
    assert_eq!(why(required, &audio("RTP/AVP", "")), SdpError::Encryption("encryption is required here"));
}

#[test]
fn of_several_audio_lines_the_encrypted_one_is_taken_where_it_can_be() {
    let key = crypto(1, Suite::AesCm128HmacSha1_80, 'Q');
    let offer = body(&format!("m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/SAVP 0\r\n{key}"));
    let (secret, _) = answer(TLS, &offer).unwrap();
    assert!(secret.contains("m=audio 0 RTP/AVP 0\r\nm=audio 20000 RTP/SAVP 0\r\n"), "{secret}");
    let (plain, _) = answer(UDP, &offer).unwrap();
    assert!(plain.contains("m=audio 20000 RTP/AVP 0\r\n") && plain.contains("m=audio 0 RTP/SAVP 0\r\n"), "{plain}");
}

#[test]
fn an_offer_of_ours_says_what_the_terms_say_and_its_answer_must_fit_it() {
    let mut open = leg(TLS);
    let offer = String::from_utf8(open.make_offer(&[Codec::Pcmu], Flow::SendRecv)).unwrap();
    assert!(offer.contains("m=audio 20000 RTP/AVP 0 101\r\n"), "{offer}");
    let tags: Vec<&str> =
        offer.lines().filter_map(|line| line.strip_prefix("a=crypto:")?.split(" inline").next()).collect();
    assert_eq!(
        tags,
        ["1 AEAD_AES_256_GCM", "2 AEAD_AES_128_GCM", "3 AES_CM_128_HMAC_SHA1_80", "4 AES_CM_128_HMAC_SHA1_32"]
    );
    open.accept_answer(&audio("RTP/AVP", &crypto(3, Suite::AesCm128HmacSha1_80, 'Q'))).unwrap();
    assert!(matches!(open.protection(), Some(Protection::Sdes { suite: Suite::AesCm128HmacSha1_80, .. })));
    open.accept_answer(&audio("RTP/AVP", "")).unwrap();
    assert_eq!(open.protection(), None, "a fork without");
    let not_ours = SdpError::Encryption("its answer takes none of the keys offered");
    for (tag, suite) in [(9, Suite::AesCm128HmacSha1_80), (1, Suite::AesCm128HmacSha1_80)] {
        assert_eq!(open.accept_answer(&audio("RTP/AVP", &crypto(tag, suite, 'Q'))), Err(not_ours.clone()));
    }
    let mut strict = leg(Terms { encryption: Encryption::Required, ..TLS });
    let offer = String::from_utf8(strict.make_offer(&[], Flow::SendRecv)).unwrap();
    assert!(offer.contains(" RTP/SAVP "), "{offer}");
    assert_eq!(strict.accept_answer(&audio("RTP/AVP", "")), Err(SdpError::Encryption("encryption is required here")));
    let mut quiet = leg(UDP);
    let offer = String::from_utf8(quiet.make_offer(&[], Flow::SendRecv)).unwrap();
    assert!(!offer.contains("crypto") && !offer.contains("fingerprint"), "{offer}");
}

#[test]
fn our_key_stays_the_same_from_offer_to_offer_and_theirs_may_change() {
    let mut leg = leg(TLS);
    let key = |body: &[u8]| {
        let text = String::from_utf8(body.to_vec()).unwrap();
        text.lines().find_map(|line| line.strip_prefix("a=crypto:5 ").map(str::to_owned)).unwrap()
    };
    let with = |letter| audio("RTP/SAVP", &crypto(5, Suite::AeadAes128Gcm, letter));
    let mut ask = |letter| {
        let offer = Offer::parse(&with(letter), TLS).unwrap();
        let (body, _) = leg.make_answer(&offer, &[], Flow::SendRecv).unwrap();
        (key(&body), leg.protection().unwrap())
    };
    let ((first, before), (again, same), (third, after)) = (ask('Q'), ask('Q'), ask('g'));
    assert_eq!((&first, before), (&again, same));
    assert_eq!(first, third);
    let (Protection::Sdes { send: a, receive: b, .. }, Protection::Sdes { send: c, receive: d, .. }) = (before, after)
    else {
        unreachable!("{before:?} {after:?}")
    };
    assert!(a == c && b != d);
}

#[test]
fn a_handshake_is_begun_by_the_far_end_wherever_it_may_be() {
    for (theirs, ours, role) in [
        ("actpass", "passive", DtlsRole::Passive),
        ("active", "passive", DtlsRole::Passive),
        ("passive", "active", DtlsRole::Active),
    ] {
        let (body, protection) = answer(UDP, &audio("UDP/TLS/RTP/SAVP", &dtls(theirs))).unwrap();
        assert!(body.contains("m=audio 20000 UDP/TLS/RTP/SAVP 0\r\n"), "{body}");
        assert!(body.contains(&format!("a=setup:{ours}\r\na=fingerprint:sha-256 {OURS}\r\n")), "{body}");
        assert_eq!(protection, Some(Protection::Dtls { role, fingerprint: Fingerprint([0xCD; 32]) }));
    }
    let lacks = SdpError::Encryption("it lacks a=fingerprint of sha-256 or a=setup");
    for line in ["", "a=setup:actpass\r\n", "a=setup:holdconn\r\na=fingerprint:sha-1 AB\r\n"] {
        assert_eq!(why(UDP, &audio("UDP/TLS/RTP/SAVP", line)), lacks, "{line}");
    }
}

#[test]
fn the_answer_to_our_handshake_decides_who_begins_and_an_offer_anew_changes_nothing() {
    let mut leg = leg(terms(Encryption::Required, Keying::Dtls, false));
    let offer = String::from_utf8(leg.make_offer(&[], Flow::SendRecv)).unwrap();
    assert!(offer.contains(" UDP/TLS/RTP/SAVP ") && offer.contains("a=setup:actpass\r\n"), "{offer}");
    leg.accept_answer(&audio("UDP/TLS/RTP/SAVP", &dtls("active"))).unwrap();
    let agreed = leg.protection();
    assert!(matches!(agreed, Some(Protection::Dtls { role: DtlsRole::Passive, .. })));
    // A re-INVITE of theirs leaves it open; what was done holds.
    let again = Offer::parse(&audio("UDP/TLS/RTP/SAVP", &dtls("actpass")), leg.terms()).unwrap();
    leg.make_answer(&again, &[], Flow::SendRecv).unwrap();
    assert_eq!(leg.protection(), agreed);
    let open = SdpError::Encryption("its answer leaves open who begins the handshake");
    let mut fresh = self::leg(leg.terms());
    fresh.make_offer(&[], Flow::SendRecv);
    assert_eq!(fresh.accept_answer(&audio("UDP/TLS/RTP/SAVP", &dtls("actpass"))), Err(open));
}

#[test]
fn what_is_printed_of_an_agreement_has_no_key() {
    let (body, protection) = answer(TLS, &audio("RTP/SAVP", &crypto(1, Suite::AesCm128HmacSha1_80, 'Q'))).unwrap();
    let offer = Offer::parse(&audio("RTP/SAVP", &crypto(1, Suite::AesCm128HmacSha1_80, 'Q')), TLS).unwrap();
    let ours = body.split("inline:").nth(1).unwrap().lines().next().unwrap();
    let mut leg = leg(TLS);
    leg.make_offer(&[], Flow::SendRecv);
    for text in [format!("{protection:?}"), format!("{offer:?}")] {
        assert!(!text.contains("QQQQ") && !text.contains(ours) && !text.contains("65, 4, 16"), "{text}");
    }
}
