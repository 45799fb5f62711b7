//! Session descriptions.

use plugboard_media::{Codec, Flow, LocalMedia, MediaLeg, Offer, OfferAnswer};
use std::net::{Ipv4Addr, SocketAddr};

/// The bytes are an offer, and an answer to ours.
///
/// # Panics
/// When the answer to an offer that was taken cannot be read, or agrees on a codec that was not offered.
pub fn sdp(bytes: &[u8]) {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let media = LocalMedia { leg: MediaLeg::new(0, 1, 1), rtp: local(20_000), rtcp: local(20_001) };
    let mut ours = OfferAnswer::new(media, 1);
    let _ = ours.make_offer(&[], Flow::SendRecv);
    if let Err(error) = ours.accept_answer(bytes) {
        assert!((400..700).contains(&error.sip_status()), "{error}");
    }
    let Ok(offer) =
        Offer::parse(bytes).inspect_err(|error| assert!((400..700).contains(&error.sip_status()), "{error}"))
    else {
        return;
    };
    let _ = (offer.hears_at(), offer.flow());
    let Ok((answer, agreed)) = OfferAnswer::new(media, 2).make_answer(&offer, &[Codec::Pcma], Flow::SendRecv) else {
        return;
    };
    assert!(offer.codecs().contains(&agreed.codec), "{:?} of {:?}", agreed.codec, offer.codecs());
    let read = Offer::parse(&answer).map(|answer| answer.codecs());
    assert_eq!(read.as_deref().ok(), Some(&[agreed.codec][..]), "{}", answer.escape_ascii());
}
