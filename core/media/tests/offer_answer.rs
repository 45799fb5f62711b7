//! Offers and answers as phones write them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use plugboard_media::{Codec, Flow, LocalMedia, MediaLeg, Negotiated, Offer, OfferAnswer, SdpError, Terms};
use proptest::prelude::*;

fn local(address: &str) -> LocalMedia {
    let rtp: std::net::SocketAddr = address.parse().unwrap();
    LocalMedia { leg: MediaLeg(0), rtp, rtcp: std::net::SocketAddr::new(rtp.ip(), rtp.port() + 1) }
}

fn read(body: &[u8]) -> Result<Offer, SdpError> {
    Offer::parse(body, Terms::default())
}

fn switch() -> OfferAnswer {
    OfferAnswer::new(local("192.0.2.100:20000"), 4_000)
}

/// An offer with these lines after the usual head.
fn offer(lines: &str) -> Vec<u8> {
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n{lines}").into_bytes()
}

fn answer(lines: &str) -> Result<(String, Negotiated), SdpError> {
    let offer = read(&offer(lines))?;
    let (body, negotiated) = switch().make_answer(&offer, &[Codec::Pcma, Codec::Pcmu], Flow::SendRecv)?;
    Ok((String::from_utf8(body).unwrap(), negotiated))
}

const PLAIN: &str = "m=audio 4000 RTP/AVP 0 8 96\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\n";

#[test]
fn an_answer_takes_our_preferred_codec_with_the_offers_numbers() {
    let (body, negotiated) = answer(PLAIN).unwrap();
    assert_eq!(
        body,
        "v=0\r\no=- 1000 1 IN IP4 192.0.2.100\r\ns=-\r\nc=IN IP4 192.0.2.100\r\nt=0 0\r\n\
         m=audio 20000 RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n\
         a=fmtp:96 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    );
    assert_eq!((negotiated.codec, negotiated.payload_type_send, negotiated.payload_type_receive), (Codec::Pcma, 8, 8));
    assert_eq!((negotiated.telephone_event_send, negotiated.telephone_event_receive), (Some(96), Some(96)));
    assert_eq!(negotiated.remote_rtp, "192.0.2.7:4000".parse().unwrap());
    assert_eq!(negotiated.remote_rtcp, "192.0.2.7:4001".parse().unwrap());
    assert_eq!((negotiated.flow, negotiated.ptime_ms), (Flow::SendRecv, 20));
}

#[test]
fn a_browsers_offer_with_many_codecs_and_rtcp_mux_is_answered_without_mux() {
    let lines = "m=audio 4000 RTP/AVPF 111 9 0 110 126\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:9 G722/8000\r\n\
                 a=rtpmap:0 PCMU/8000\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n\
                 a=rtcp:4001 IN IP4 192.0.2.8\r\na=rtcp-mux\r\na=ptime:30\r\na=maxptime:20\r\n";
    let (body, negotiated) = answer(lines).unwrap();
    assert!(body.contains("m=audio 20000 RTP/AVPF 0 126\r\n"), "{body}");
    assert!(!body.contains("mux"), "{body}");
    assert_eq!(negotiated.telephone_event_send, Some(126));
    assert_eq!(negotiated.remote_rtcp, "192.0.2.8:4001".parse().unwrap());
    assert_eq!(negotiated.ptime_ms, 20);
}

#[test]
fn other_lines_are_refused_in_their_place() {
    let lines =
        "m=video 5000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\nm=audio 4000 RTP/AVP 8\r\nm=audio 4002 RTP/AVP 0\r\n";
    let (body, negotiated) = answer(lines).unwrap();
    let media: Vec<_> = body.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(media, ["m=video 0 RTP/AVP 99", "m=audio 20000 RTP/AVP 8", "m=audio 0 RTP/AVP 0"]);
    assert_eq!(negotiated.telephone_event_send, None);
}

#[test]
fn each_kind_of_hold_is_answered_by_its_mirror() {
    for (attribute, flow) in [("sendonly", Flow::RecvOnly), ("recvonly", Flow::SendOnly), ("inactive", Flow::Inactive)]
    {
        let (body, negotiated) = answer(&format!("{PLAIN}a={attribute}\r\n")).unwrap();
        assert_eq!(negotiated.flow, flow);
        assert!(body.ends_with(&format!("a={}\r\n", flow.name())), "{body}");
    }
    let (_, zeros) = answer(&format!("{}c=IN IP4 0.0.0.0\r\n", "m=audio 4000 RTP/AVP 8\r\n")).unwrap();
    assert_eq!(zeros.flow, Flow::RecvOnly, "the hold of RFC 2543");
    let session_level = format!("a=sendonly\r\n{PLAIN}");
    assert_eq!(answer(&session_level).unwrap().1.flow, Flow::RecvOnly);
}

#[test]
fn ipv6_is_spoken() {
    let body =
        b"v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    let mut switch = OfferAnswer::new(local("[2001:db8::2]:20000"), 4);
    let (body, negotiated) = switch.make_answer(&read(body).unwrap(), &[], Flow::SendRecv).unwrap();
    assert!(String::from_utf8(body).unwrap().contains("c=IN IP6 2001:db8::2\r\n"));
    assert_eq!(negotiated.remote_rtp, "[2001:db8::1]:4000".parse().unwrap());
}

#[test]
fn our_offer_and_a_phones_answer_agree() {
    let mut switch = switch();
    let ours = String::from_utf8(switch.make_offer(&[Codec::Pcmu, Codec::Pcma], Flow::SendRecv)).unwrap();
    assert!(ours.contains("m=audio 20000 RTP/AVP 0 8 101\r\n"), "{ours}");
    let theirs = offer("m=audio 4000 RTP/AVP 8 97\r\na=rtpmap:97 telephone-event/8000\r\na=recvonly\r\n");
    let negotiated = switch.accept_answer(&theirs).unwrap();
    assert_eq!((negotiated.codec, negotiated.payload_type_send), (Codec::Pcma, 8));
    assert_eq!((negotiated.telephone_event_send, negotiated.telephone_event_receive), (Some(97), Some(101)));
    assert_eq!(negotiated.flow, Flow::SendOnly);
    let fork = switch.accept_answer(&offer("m=audio 4500 RTP/AVP 0\r\n")).unwrap();
    assert_eq!((fork.codec, fork.telephone_event_receive), (Codec::Pcmu, None));
}

#[test]
fn an_answer_that_refuses_or_fits_nothing_is_an_error() {
    let mut switch = switch();
    assert_eq!(switch.accept_answer(&offer(PLAIN)), Err(SdpError::NotOffered));
    switch.make_offer(&[Codec::Pcma], Flow::SendRecv);
    assert_eq!(switch.accept_answer(&offer("m=audio 0 RTP/AVP 8\r\n")), Err(SdpError::Refused));
    assert_eq!(switch.accept_answer(&offer("m=audio 4000 RTP/AVP 0\r\n")), Err(SdpError::NoCommonCodec));
    let two = offer("m=audio 4000 RTP/AVP 8\r\nm=video 4000 RTP/AVP 99\r\n");
    assert_eq!(switch.accept_answer(&two), Err(SdpError::LineCount { found: 2, offered: 1 }));
}

#[test]
fn the_version_counts_changes_only_and_later_offers_keep_the_lines() {
    let mut switch = switch();
    let remote = read(&offer("m=audio 4000 RTP/AVP 8\r\nm=video 5000 RTP/AVP 99\r\n")).unwrap();
    let (first, _) = switch.make_answer(&remote, &[], Flow::SendRecv).unwrap();
    let (again, _) = switch.make_answer(&remote, &[], Flow::SendRecv).unwrap();
    assert_eq!(first, again);
    assert_eq!(switch.sent(), Some(first.as_slice()));
    let hold = String::from_utf8(switch.make_offer(&[Codec::Pcma], Flow::SendOnly)).unwrap();
    assert!(hold.contains("o=- 1000 2 IN"), "{hold}");
    assert!(hold.contains("a=sendonly\r\nm=video 0 RTP/AVP 99\r\n"), "{hold}");
    let resume = String::from_utf8(switch.make_offer(&[Codec::Pcma], Flow::SendRecv)).unwrap();
    assert!(resume.contains("o=- 1000 3 IN"), "{resume}");
}

#[test]
fn what_cannot_be_used_says_why_and_which_status() {
    let status = |lines: &str| answer(lines).unwrap_err().sip_status();
    assert_eq!(read(b"hello").unwrap_err().sip_status(), 400);
    assert_eq!(read(b"").unwrap_err().sip_status(), 400);
    assert_eq!(status("m=video 4000 RTP/AVP 99\r\n"), 488);
    assert_eq!(status("m=audio 4000 RTP/SAVP 8\r\n"), 488);
    assert_eq!(status("m=audio 0 RTP/AVP 8\r\n"), 488);
    assert_eq!(status("m=audio 4000 RTP/AVP 18 4\r\n"), 488);
    assert_eq!(status("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 224.2.1.1\r\n"), 488);
    assert_eq!(status("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 phone.example.com\r\n"), 488);
}

#[test]
fn sizes_are_bounded() {
    let long_line = format!("m=audio 4000 RTP/AVP 8\r\na=x:{}\r\n", "y".repeat(1_100));
    assert!(matches!(answer(&long_line), Err(SdpError::TooLarge { what: "bytes in a line", .. })));
    let long = format!("m=audio 4000 RTP/AVP 8\r\n{}", "a=x:yyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(600));
    assert!(matches!(answer(&long), Err(SdpError::TooLarge { what: "bytes", .. })));
    let lines = "m=audio 4000 RTP/AVP 8\r\n".repeat(17);
    assert!(matches!(answer(&lines), Err(SdpError::TooLarge { what: "media lines", found: 17, limit: 16 })));
    let formats = format!("m=audio 4000 RTP/AVP {}\r\n", "8 ".repeat(129));
    assert!(matches!(answer(&formats), Err(SdpError::TooLarge { what: "formats", .. })));
}

proptest! {
    #[test]
    fn hostile_bodies_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let mut body = offer("");
        body.extend(bytes);
        let _ = read(&body);
    }

    #[test]
    fn hostile_lines_are_read_or_refused(lines in proptest::collection::vec("[acmbo]=[ -~]{0,60}", 0..12)) {
        let body = offer(&format!("m=audio 4000 RTP/AVP 0 8 101\r\n{}\r\n", lines.join("\r\n")));
        if let Ok(offer) = read(&body) {
            let answered = switch().make_answer(&offer, &[], Flow::SendRecv);
            if let Ok((body, _)) = answered {
                // Whatever was offered, our own answer is an SDP that we would take.
                prop_assert!(read(&body).is_ok(), "{}", String::from_utf8_lossy(&body));
            }
        }
    }

    #[test]
    fn two_switches_agree(ours in 0_usize..2, flow in 0_usize..4, prefer in 0_usize..2) {
        let flows = [Flow::SendRecv, Flow::SendOnly, Flow::RecvOnly, Flow::Inactive];
        let mut caller = switch();
        let mut callee = OfferAnswer::new(local("192.0.2.200:30000"), 8);
        let body = caller.make_offer(&[Codec::ALL[ours], Codec::ALL[1 - ours]], flows[flow]);
        let offer = read(&body).unwrap();
        let (body, there) = callee.make_answer(&offer, &[Codec::ALL[prefer]], Flow::SendRecv).unwrap();
        let here = caller.accept_answer(&body).unwrap();
        prop_assert_eq!(here.codec, there.codec);
        prop_assert_eq!(here.codec, Codec::ALL[prefer]);
        prop_assert_eq!(here.flow, there.flow.reversed());
        prop_assert_eq!(here.telephone_event_send, there.telephone_event_receive);
        prop_assert_eq!(here.remote_rtp, "192.0.2.200:30000".parse().unwrap());
    }
}

#[test]
fn opus_is_offered_with_events_of_its_own_clock_and_answered_with_the_far_ends_numbers() {
    let mut ours = switch();
    let body = String::from_utf8(ours.make_offer(&[Codec::Opus, Codec::Pcma], Flow::SendRecv)).unwrap();
    assert!(body.contains("m=audio 20000 RTP/AVP 111 8 101 110\r\n"), "{body}");
    assert!(body.contains("a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"), "{body}");
    assert!(body.contains("a=rtpmap:101 telephone-event/8000\r\n"), "{body}");
    assert!(body.contains("a=rtpmap:110 telephone-event/48000\r\n"), "{body}");
    let agreed = ours
        .accept_answer(&offer(
            "m=audio 4000 RTP/AVP 96 97\r\na=rtpmap:96 OPUS/48000/2\r\na=rtpmap:97 telephone-event/48000\r\n",
        ))
        .unwrap();
    assert_eq!((agreed.codec, agreed.payload_type_send, agreed.payload_type_receive), (Codec::Opus, 96, 111));
    let events = (agreed.telephone_event_send, agreed.telephone_event_receive, agreed.telephone_event_clock);
    assert_eq!(events, (Some(97), Some(110), 48_000));
    // One that knows events of 8 kHz alone has those.
    let agreed = ours
        .accept_answer(&offer(
            "m=audio 4000 RTP/AVP 111 101\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n",
        ))
        .unwrap();
    assert_eq!((agreed.telephone_event_receive, agreed.telephone_event_clock), (Some(101), 8_000));
}

#[test]
fn the_far_ends_numbers_hold_in_our_later_offers_and_mean_one_thing_each() {
    let mut ours = switch();
    let theirs =
        "m=audio 4000 RTP/AVP 101 8 111\r\na=rtpmap:101 opus/48000/2\r\na=rtpmap:111 telephone-event/48000\r\n";
    let offer = read(&offer(theirs)).unwrap();
    ours.make_answer(&offer, &[], Flow::SendRecv).unwrap();
    let body = String::from_utf8(ours.make_offer(&Codec::ALL, Flow::SendRecv)).unwrap();
    assert!(body.contains("a=rtpmap:101 opus/48000/2\r\n"), "{body}");
    assert!(body.contains("a=rtpmap:111 telephone-event/48000\r\n"), "{body}");
    let line = body.lines().find(|line| line.starts_with("m=audio")).unwrap();
    let mut numbers: Vec<&str> = line.split(' ').skip(3).collect();
    numbers.sort_unstable();
    let count = numbers.len();
    numbers.dedup();
    assert_eq!((numbers.len(), count), (6, 6), "{line}");
}

#[test]
fn comfort_noise_is_taken_where_it_is_offered_with_a_codec_of_its_clock() {
    let (body, agreed) = answer("m=audio 4000 RTP/AVP 8 13\r\n").unwrap();
    assert!(body.contains("RTP/AVP 8 13\r\n"), "{body}");
    assert_eq!(agreed.comfort_noise, Some(13));
    let theirs = read(&offer("m=audio 4000 RTP/AVP 96 13\r\na=rtpmap:96 opus/48000/2\r\n")).unwrap();
    let (_, agreed) = switch().make_answer(&theirs, &[], Flow::SendRecv).unwrap();
    assert_eq!((agreed.codec, agreed.comfort_noise), (Codec::Opus, None));
}
