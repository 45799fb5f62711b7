//! Damaged input for every target, from a seed: nothing panics, and what was read holds.
//!
//! `PLUGBOARD_LONG=1` tries fifty times as much; `PLUGBOARD_SEED=n` takes another seed. A failure prints the bytes, for a test of
//! their own beside the parser.

#![expect(clippy::print_stderr, reason = "the bytes that show a fault are printed before the panic goes on")]

use plugboard_tests_fuzz::mutation::{Dice, SIP_WORDS, damage};
use plugboard_tests_fuzz::{TARGETS, Target};
use sipx_testkit::{rfc4475, rfc5118};
use std::panic::{catch_unwind, resume_unwind};

const SEED: u64 = 0x5e1f_0b0a_4d5e_ed01;
/// What a long round tries more.
const LONG: u32 = 50;

const URIS: &[&[u8]] = &[
    b"sip:101@plugboard.test",
    b"sips:ann%20b:secret@[2001:db8::1]:5061;transport=tls;lr?Subject=a&Priority=b",
    b"sip:+4930123;phone-context=+49@192.0.2.1;user=phone;ob",
    b"tel:+49-30-123;ext=5;isub=1",
    b"tel:7042;phone-context=example.org",
    b"urn:service:sos.police",
    b"sip:h",
    b"sip:%61%62@EXAMPLE.org:65535;maddr=192.0.2.9;ttl=15;method=INVITE",
];

const LISTS: &[&[u8]] = &[
    b"\x00SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport=9;received=192.0.2.2, SIP / 2.0 / TCP [::1];branch=x",
    b"\x01\"Ann \\\"A\\\" Archer\" <sip:101@192.0.2.1:5060;transport=tcp>;expires=60;q=0.7;+sip.instance=\"<urn:uuid:0>\";reg-id=1",
    b"\x01*", b"\x01sip:a@h;expires=99999999999, <sip:b@h?Subject=x>;q=1.000",
    b"\x02<sip:p1.example.org;lr>,<sip:p2.example.org;lr=on>\n<sip:p3>", b"\x04<sip:token@edge.example.org;lr;ob>",
    b"\x05Ann <sip:101@plugboard.test>;tag=1928301774", b"\x06<tel:+4930123>", b"\x07<sip:102@h?Replaces=a%40b%3Bto-tag%3D1>",
    b"\x0a<sip:+4930123@gw.example.org>;reason=unconditional;privacy=off;counter=2",
    b"\x0b<sip:a@h?Reason=SIP%3Bcause%3D302>;index=1.1,<sip:b@h>;index=1.2;mp=1.1", b"\x0c4711 INVITE", b"\x0da84b4c76e66710@pc33",
    b"\x0e70", b"\x0f3600", b"\x10100rel, timer,path;x", b"\x141800;refresher=uac", b"\x15a@b;to-tag=1;from-tag=2;early-only",
    b"\x17SIP;cause=200;text=\"Call completed elsewhere\", Q.850;cause=16",
];

const DIGESTS: &[&[u8]] = &[
    b"Digest realm=\"plugboard.test\", nonce=\"00ff\", opaque=\"x\\\"y\", algorithm=SHA-256, qop=\"auth,auth-int\", stale=TRUE",
    b"Digest realm=\"r\", nonce=\"n\"", b"Digest realm=\"r\",nonce=\"n\",algorithm=MD5-sess,qop=auth-int,userhash=true,charset=UTF-8",
    b"Digest username=\"101\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"6629fae49393a05397450978507c4ef1\", \
      algorithm=MD5, cnonce=\"c\", qop=auth, nc=00000001",
    b"Digest username=\"101\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"00\"", b"Basic YTpi",
];

const SDP: &[&[u8]] = &[
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n\
      a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n",
    b"v=0\r\no=x 9 9 IN IP6 ::1\r\ns=-\r\nt=0 0\r\na=sendonly\r\nm=video 5000 RTP/AVP 96\r\nc=IN IP6 ::1\r\n\
      m=audio 4000 RTP/AVP 96 8\r\nc=IN IP6 2001:db8::1\r\na=rtpmap:96 PCMU/8000\r\na=rtcp:4009\r\na=maxptime:60\r\n",
    b"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0 126\r\n\
      c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=ice-ufrag:EsAw\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\na=fingerprint:sha-256 \
      AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\na=setup:actpass\r\n\
      a=mid:0\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtpmap:126 telephone-event/8000\r\na=ssrc:7 cname:x\r\n",
    b"v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\nm=audio 0 RTP/AVP 0\na=inactive\n",
];

const SDP_WORDS: &[&[u8]] = &[
    b"m=audio 4000 RTP/AVP 0\r\n",
    b"a=rtpmap:0 PCMU/8000\r\n",
    b"c=IN IP4 256.0.0.1\r\n",
    b"a=rtcp:1 IN IP4 192.0.2.1\r\n",
    b"a=fmtp:101 0-15,16\r\n",
    b"IN IP6 ",
    b"a=recvonly\r\n",
    b"RTP/SAVP",
    b"a=ptime:0\r\n",
];

const RTP: &[&[u8]] = &[
    b"\x80\x00\x00\x01\x00\x00\x00\xa0\x12\x34\x56\x78payload",
    b"\x90\x80\xff\xff\xff\xff\xff\xff\0\0\0\0\xbe\xde\0\x01\x10\xff\0\0xx",
    b"\xa2\x65\0\x02\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04event\0\0\x03",
];

/// A sender report with a description of the source, a receiver report with a block about our stream and one with two about others', a goodbye.
const RTCP: &[&[u8]] = &[
    b"\x40\x81\xc8\0\x0c\x12\x34\x56\x78\0\0\0\x0b\0\0\0\x16\0\0\x1f\x40\0\0\0\x32\0\0\x1f\x40\0\0\xa0\xa0\0\0\0\0\0\x01\0\x07\
      \0\0\0\x03\0\0\0\0\0\0\0\0\x81\xca\0\x02\x12\x34\x56\x78\x01\x01x\0",
    b"\x20\x81\xc9\0\x07\x12\x34\x56\x78\0\0\xa0\xa0\x80\xff\xff\xff\0\0\0\x64\0\0\0\x03\0\x01\0\0\0\0\0\x0a",
    b"\x10\x82\xc9\0\x01\x12\x34\x56\x78\x81\xcb\0\x01\x12\x34\x56\x78",
];

/// Two datagrams with redundancy, and two with FEC.
const UDPTL: &[&[u8]] = &[
    b"\x06\x00\x00\x01\x02\x00\x00\x0A\x00\x01\x01\x06\x00\x02\x01\x04\x01\x00",
    b"\x0D\x00\x09\x02\x0A\x0B\x80\x01\x02\x02\x01\x55\x01\x66\x0D\x00\x0B\x02\x0A\x0B\x80\x01\x02\x02\x01\x55\x01\x66",
];

/// A browser's check with a wrong password, the first words of DTLS, a packet of SRTP.
const BROWSER_PORT: &[&[u8]] = &[
    b"\x00\x01\x00\x6c\x21\x12\xa4\x42transaction.\x80\x22\x00\x03abc\x00\
      \x00\x06\x00\x310000000100000000BAAAAAAA:0000000100000000CAAAAAAA\x00\x00\x00\x00\x24\x00\x04\x6e\x7f\x1e\xff\
      \x80\x2a\x00\x08\x01\x02\x03\x04\x05\x06\x07\x08\x00\x08\x00\x14HHHHHHHHHHHHHHHHHHHH",
    b"\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x06\x01\x00\x00\x00\x00\x00",
    b"\x80\x00\x00\x01\x00\x00\x00\xa0\x00\x00\x00\x07payload and its seal",
];

const BROWSER_PORT_WORDS: &[&[u8]] =
    &[b"0000000100000000", b"\x21\x12\xa4\x42", b"\x00\x06\x00\x04", b"\x80\x28\x00\x04", b":"];

const EVENTS: &[&[u8]] = &[
    b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
      xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"sip:102@h\">\
      <tuple id=\"t\"><status><basic>open</basic></status><note>At &quot;lunch&quot; &#38; away</note></tuple>\
      <dm:person id=\"p\"><rpid:activities><rpid:away/><rpid:meal/></rpid:activities></dm:person></presence>",
    b"<presence xmlns='urn:x'><tuple id='a'><status><e:activities xmlns:e='urn:y'><e:busy/><e:dnd/></e:activities></status>\
      </tuple><note><![CDATA[x < y]]></note></presence>",
    b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\r\n<SetDoNotDisturb xmlns=\"http://www.ecma-international.org/standards/\
      ecma-323/csta/ed3\">\r\n<device>1</device><doNotDisturbOn>true</doNotDisturbOn></SetDoNotDisturb>",
    b"<SetForwarding><device/><forwardingType>forwardNoAns</forwardingType><activateForward>true</activateForward>\
      <forwardDN>sip:103@h</forwardDN><ringCount>4</ringCount></SetForwarding>",
    b"<!DOCTYPE a [<!ENTITY x \"yyyy\">]><presence><note>&x;&x;</note></presence>",
];

const EVENT_WORDS: &[&[u8]] = &[
    b"<a>",
    b"</a>",
    b"<activities>",
    b"</activities>",
    b"<busy/>",
    b"<note>",
    b"<presence>",
    b"<!--",
    b"-->",
    b"&#0;",
    b"&lt;",
    b"xmlns:e=\"",
    b"forwardBusy",
    b"<ringCount>101",
    b"<![CDATA[",
];

/// A bare request, one with SOFTWARE and FINGERPRINT, and an answer.
const STUN: &[&[u8]] = &[
    b"\x00\x01\x00\x00\x21\x12\xa4\x42transaction.",
    b"\x00\x01\x00\x10\x21\x12\xa4\x42transaction.\x80\x22\x00\x04bare\x80\x28\x00\x04\x11\x22\x33\x44",
    b"\x01\x01\x00\x0c\x21\x12\xa4\x42transaction.\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43",
];

/// A type, and the body after its line.
const INFO: &[&[u8]] = &[
    b"application/dtmf-relay\nSignal=5\r\nDuration=200\r\n",
    b"Application/DTMF-Relay;x=y\nsignal = *\nDuration = 99999999999999999999",
    b"application/dtmf-relay\nSignal=11",
    b"application/dtmf\nd",
    b"application/dtmf; charset=x\n 9 \r\n",
];

/// Rounds of each target, as many as take it a few seconds.
fn run(name: &str, rounds: u32, seeds: &[&[u8]], words: &[&[u8]]) {
    let target = TARGETS.into_iter().find(|(known, _)| *known == name).map(|(_, target)| target);
    let target = target.unwrap_or_else(|| panic!("there is no target {name}"));
    let long = if std::env::var_os("PLUGBOARD_LONG").is_some() { LONG } else { 1 };
    let seed = std::env::var("PLUGBOARD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    let mut dice = Dice::new(seed);
    for bytes in seeds {
        check(target, name, bytes);
    }
    let words = [words, SIP_WORDS].concat();
    for _ in 0..rounds.saturating_mul(long) {
        check(target, name, &damage(&mut dice, seeds, &words));
    }
}

fn check(target: Target, name: &str, bytes: &[u8]) {
    if let Err(fault) = catch_unwind(|| target(bytes)) {
        eprintln!("{name} fails with b\"{}\"", bytes.escape_ascii());
        resume_unwind(fault);
    }
}

fn torture() -> Vec<Vec<u8>> {
    let rfc4475 = rfc4475::CASES.iter().map(|case| case.bytes.to_vec());
    rfc4475.chain(rfc5118::CASES.iter().map(|case| case.wire().to_vec())).collect()
}

#[test]
fn no_bytes_break_the_reader_of_messages() {
    let seeds = torture();
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    run("message", 250_000, &seeds, &[]);
}

#[test]
fn no_bytes_break_the_reader_of_streams() {
    let torture = torture();
    // Three messages one after the other, and how long their pieces are before them.
    let joined = torture.chunks(3).enumerate().map(|(n, three)| {
        let length = u8::try_from(n * 37 % 256).unwrap_or_default();
        [&[length][..], &three.concat()].concat()
    });
    let seeds: Vec<Vec<u8>> = joined.collect();
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    run("stream", 60_000, &seeds, &[]);
}

#[test]
fn no_bytes_break_the_answerer_of_stun() {
    run("stun", 2_000_000, STUN, &[b"\x00\x01", b"\x21\x12\xa4\x42", b"\x80\x22\x00\x04"]);
}

#[test]
fn no_bytes_break_the_reader_of_keys_in_info() {
    run("info", 1_000_000, INFO, &[b"Signal=", b"Duration=", b"-1", b"4294967296", b"\r\n"]);
}

#[test]
fn no_bytes_break_the_reader_of_uris() {
    run("uri", 1_500_000, URIS, &[b"sips:", b"urn:", b"%2", b"65536"]);
}

#[test]
fn no_bytes_break_the_readers_of_header_lists() {
    run("header_lists", 700_000, LISTS, &[b";tag=", b";lr"]);
}

#[test]
fn no_bytes_break_the_readers_of_digests() {
    run("digest", 250_000, DIGESTS, &[]);
}

#[test]
fn no_bytes_break_the_reader_of_session_descriptions() {
    run("sdp", 400_000, SDP, SDP_WORDS);
}

#[test]
fn no_bytes_break_the_readers_of_events() {
    run("events", 200_000, EVENTS, EVENT_WORDS);
}

#[test]
fn no_bytes_break_the_reader_of_rtp() {
    run("rtp", 3_000_000, RTP, &[]);
}

#[test]
fn no_bytes_break_the_reader_of_rtcp() {
    run("rtcp", 20_000, RTCP, &[b"\x81\xc8\0\x0c", b"\x81\xc9\0\x07", b"\0\0\xa0\xa0", b"\x80\xc9\0\x01"]);
}

#[test]
fn no_bytes_break_the_reader_of_udptl() {
    run("udptl", 1_000_000, UDPTL, &[b"\x80\x01\x01\x01"]);
}

#[test]
fn no_bytes_break_the_port_that_browsers_share() {
    run("browser_port", 300_000, BROWSER_PORT, BROWSER_PORT_WORDS);
}

#[test]
fn no_bytes_break_the_decoders() {
    let silence = [&[0x01_u8, 20][..], &[0xD5; 20]].concat();
    let opus = [&[0x03_u8, 3, 0x78, 0xFF, 0xFE][..], &[4, 0x0B, 0x02, 0x00, 0x00]].concat();
    run(
        "payload",
        10_000,
        &[&silence, &opus, b"\x02\x14aaaabbbbccccddddeeee", b"\x07\x01\xff\x03\xfc\x7f\xff"],
        &[b"\xff\xff", b"\x03\x3f", b"\0"],
    );
}

#[test]
fn no_bytes_break_the_reader_of_audio_files() {
    let seeds: [&[u8]; 5] = [
        include_bytes!("../../../core/sound/tests/tone.alaw.wav"),
        include_bytes!("../../../core/sound/tests/tone.mp3"),
        include_bytes!("../../../core/sound/tests/tone.flac"),
        include_bytes!("../../../core/sound/tests/tone.ogg"),
        include_bytes!("../../../core/sound/tests/tone.opus"),
    ];
    let beginnings = seeds.map(|file| &file[..file.len().min(4_000)]);
    run(
        "sound",
        1_500,
        &beginnings,
        &[b"RIFF", b"WAVE", b"fmt ", b"data", b"fLaC", b"OggS", b"OpusHead", b"\x80\xbb\0\0"],
    );
}

/// A frame of a client (RFC 6455 section 5.2): its first byte, and the payload under a mask of its own.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame =
        match (u8::try_from(payload.len()).ok().filter(|length| *length < 126), u16::try_from(payload.len())) {
            (Some(length), _) => vec![first, 0x80 + length],
            (None, Ok(length)) => [&[first, 0x80 + 126][..], &length.to_be_bytes()].concat(),
            (None, Err(_)) => panic!("no seed is so long"),
        };
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

#[test]
fn no_bytes_break_the_reader_of_websocket_frames() {
    let torture = torture();
    let whole = torture.iter().map(|message| frame(0x82, message));
    let more = [
        [frame(0x89, b"ping"), frame(0x81, b"\r\n\r\n"), frame(0x88, &[0x03, 0xe8])].concat(),
        [frame(0x01, b"OPTIONS sip:h SIP/2.0\r\nVia: "), frame(0x80, b"SIP/2.0/WS h;branch=z9hG4bKx\r\n\r\n")].concat(),
        frame(0x81, &[0xff; 300]),
    ];
    let seeds: Vec<Vec<u8>> = whole.chain(more).collect();
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    run(
        "websocket",
        120_000,
        &seeds,
        &[b"\x81\xff", b"\x81\xfe\xff\xff", b"\x00\x80", b"\x8a\x80\0\0\0\0", b"\xc1\x81"],
    );
}
