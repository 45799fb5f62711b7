//! Session descriptions.

use plugboard_media::{
    BrowserEnd, Codec, Encryption, Fingerprint, Flow, IceLogin, Keying, LocalMedia, MediaLeg, Offer, OfferAnswer,
    OurKeys, Terms,
};
use std::net::{Ipv4Addr, SocketAddr};

/// The bytes are an offer, and an answer to ours.
///
/// # Panics
/// When the answer to an offer that was taken cannot be read, or agrees on a codec that was not offered.
pub fn sdp(bytes: &[u8]) {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let media = LocalMedia { leg: MediaLeg::new(0, 1, 1), rtp: local(20_000), rtcp: local(20_001) };
    let terms = Terms { encryption: Encryption::Offered, keying: Keying::Sdes, sdes: true, dtls: true };
    let leg = |id| {
        let keys = OurKeys::new(&[7; OurKeys::BYTES], Some(Fingerprint([1; 32])));
        OfferAnswer::new(media, id).encrypted_by(terms, keys)
    };
    let mut ours = leg(1);
    let _ = ours.make_offer(&[], Flow::SendRecv);
    if let Err(error) = ours.accept_answer(bytes) {
        assert!((400..700).contains(&error.sip_status()), "{error}");
    }
    let Ok(offer) =
        Offer::parse(bytes, terms).inspect_err(|error| assert!((400..700).contains(&error.sip_status()), "{error}"))
    else {
        return;
    };
    let _ = (offer.hears_at(), offer.flow());
    let mut ours = if offer.is_of_browser() {
        let fingerprint = format!("sha-256 {}", ["AB"; 32].join(":")).into();
        let end = BrowserEnd {
            login: IceLogin::new(media.leg, || 1),
            fingerprint,
            candidates: Vec::new(),
            only: false,
            stream: 1,
        };
        OfferAnswer::for_browser(media, end, 2)
    } else {
        leg(2)
    };
    let Ok((answer, agreed)) = ours.make_answer(&offer, &[Codec::Pcma], Flow::SendRecv) else {
        return;
    };
    assert!(offer.codecs().contains(&agreed.codec), "{:?} of {:?}", agreed.codec, offer.codecs());
    let read = Offer::parse(&answer, terms).map(|answer| answer.codecs());
    assert_eq!(read.as_deref().ok(), Some(&[agreed.codec][..]), "{}", answer.escape_ascii());
}
