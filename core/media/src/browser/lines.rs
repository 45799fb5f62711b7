//! The lines of a description that only browsers have: ICE, DTLS, names of streams (RFC 8839, RFC 8842, RFC 9429).

use super::ice::LOGIN_CHARS_MAX;
use super::{IceLogin, RemoteBrowser, Setup};
use sdp_types::{Media, Session};

/// Streams of one line that are believed; a browser sends one.
const STREAMS_MAX: usize = 4;
/// `a=mid` is at most so long here (RFC 8843 has no limit; a header extension of one byte carries 16).
const MID_CHARS_MAX: usize = 16;

const MID_EXTENSION: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const LEVEL_EXTENSION: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// A line of a browser: RTP over DTLS. Whether it has ICE as well is seen from its attributes.
pub(crate) fn is_transport(proto: &str) -> bool {
    proto.eq_ignore_ascii_case("UDP/TLS/RTP/SAVPF") || proto.eq_ignore_ascii_case("UDP/TLS/RTP/SAVP")
}

/// What an audio line says of its browser; the error names what is missing.
pub(crate) fn read(session: &Session, media: &Media) -> Result<RemoteBrowser, &'static str> {
    let value = |name: &'static str| {
        let of_media = media.get_first_attribute_value(name).flatten();
        of_media.or_else(|| session.get_first_attribute_value(name).flatten()).map(str::trim)
    };
    let fits = |text: &&str| (4..=LOGIN_CHARS_MAX).contains(&text.len());
    let name = value("ice-ufrag").filter(fits).ok_or("its a=ice-ufrag is missing")?;
    let password = value("ice-pwd").filter(|text| text.len() >= 22).filter(fits).ok_or("its a=ice-pwd is missing")?;
    // It may name its certificate by several functions (RFC 8122 section 5).
    let of_media = media.get_attribute_values("fingerprint").flatten();
    let mut named = of_media.chain(session.get_attribute_values("fingerprint").flatten());
    let fingerprint = named.find_map(|value| fingerprint(value.trim()));
    let fingerprint = fingerprint.ok_or("it has no a=fingerprint of SHA-256")?;
    let setup = match value("setup") {
        Some("active") => Setup::Active,
        Some("passive") => Setup::Passive,
        // Who says nothing offers "active" by RFC 4145; those that leave it out mean either.
        Some("actpass") | None => Setup::Either,
        Some(_) => return Err("its a=setup is none of active, passive, actpass"),
    };
    if media.get_first_attribute_value("rtcp-mux").is_none() {
        return Err("it has no a=rtcp-mux");
    }
    let mid = value("mid").filter(|mid| mid.len() <= MID_CHARS_MAX && mid.bytes().all(|byte| byte.is_ascii_graphic()));
    let extension = |uri: &str| {
        media.get_attribute_values("extmap").flatten().find_map(|value| {
            let (number, rest) = value.trim().split_once(' ')?;
            let number: u8 = number.split('/').next()?.parse().ok()?;
            (rest.split_ascii_whitespace().next() == Some(uri) && (1..=14).contains(&number)).then_some(number)
        })
    };
    Ok(RemoteBrowser {
        login: IceLogin { name: name.to_owned(), password: password.to_owned() },
        fingerprint,
        setup,
        mid: mid.map(str::to_owned),
        bundles: session.get_first_attribute_value("group").flatten().is_some_and(|group| group.starts_with("BUNDLE")),
        streams: streams(media),
        mid_extension: extension(MID_EXTENSION),
        level_extension: extension(LEVEL_EXTENSION),
    })
}

/// `sha-256 AB:CD...` in one spelling.
fn fingerprint(value: &str) -> Option<String> {
    let (function, digest) = value.split_once(' ')?;
    let digest = digest.trim().to_ascii_uppercase();
    let whole = digest.split(':').filter(|byte| byte.len() == 2 && u8::from_str_radix(byte, 16).is_ok()).count() == 32;
    (function.eq_ignore_ascii_case("sha-256") && whole && digest.len() == 95).then(|| format!("sha-256 {digest}"))
}

/// The streams that `a=ssrc` names; each once.
fn streams(media: &Media) -> Vec<u32> {
    let mut streams = Vec::new();
    for value in media.get_attribute_values("ssrc").flatten() {
        let number = value.split_ascii_whitespace().next().and_then(|number| number.parse().ok());
        if let Some(number) = number.filter(|number| *number != 0 && !streams.contains(number))
            && streams.len() < STREAMS_MAX
        {
            streams.push(number);
        }
    }
    streams
}

/// The numbers under which we take the two header extensions.
pub(crate) fn extensions(remote: &RemoteBrowser) -> impl Iterator<Item = (u8, &'static str)> {
    let mid = remote.mid_extension.map(|number| (number, MID_EXTENSION));
    mid.into_iter().chain(remote.level_extension.map(|number| (number, LEVEL_EXTENSION)))
}
