//! Each call's SIP messages, as they were on the wire but for credentials.

use plugboard_model::{CallId, LegId, Time};
use plugboard_sip::Message;
use plugboard_sip::flow::{Flow, Transport};
use plugboard_store::{CallStore, SipFlow, SipTrace, SipTraceEntry, SipTransport};
use std::collections::HashMap;
use std::ops::Range;

/// The header lines whose values are never kept.
const SECRET_HEADERS: [&[u8]; 3] = [b"authorization", b"proxy-authorization", b"plugboard-turn"];
/// What stands in the place of such a value.
const NOT_KEPT: &[u8] = b": (not kept)\r\n";
/// What a key or a password stands behind in a description (RFC 4568 section 9.1, RFC 8839 section 5.4).
const KEYS: [&[u8]; 2] = [b"inline:", b"ice-pwd:"];
/// What stands in the place of a password in a URI: it is one itself, so that the message can still be read.
const NO_PASSWORD: &[u8] = b"not-kept";

/// A leg whose messages are kept.
struct Traced {
    call: CallId,
    leg: LegId,
}

/// What its legs have together, so that their messages are in one order and none takes the place of another.
struct OfCall {
    began: Time,
    trace: SipTrace,
    /// How many of its legs live.
    legs: usize,
}

/// The traces of the shard's live legs, by their SIP Call-ID.
pub(super) struct Traces {
    store: CallStore,
    live: HashMap<Box<str>, Traced>,
    calls: HashMap<CallId, OfCall>,
}

impl Traces {
    pub(super) fn new(store: CallStore) -> Self {
        Self { store, live: HashMap::new(), calls: HashMap::new() }
    }

    /// From now on messages with this Call-ID are of this leg; the call began then.
    pub(super) fn begin(&mut self, began: Time, sip_call_id: &str, call: &CallId, leg: LegId) {
        if self.live.contains_key(sip_call_id) {
            return;
        }
        let new = || OfCall { began, trace: self.store.sip_trace(call), legs: 0 };
        self.calls.entry(call.clone()).or_insert_with(new).legs += 1;
        self.live.insert(sip_call_id.into(), Traced { call: call.clone(), leg });
    }

    /// The leg is over.
    pub(super) fn end(&mut self, sip_call_id: &str) {
        let Some(Traced { call, .. }) = self.live.remove(sip_call_id) else { return };
        let Some(of_call) = self.calls.get_mut(&call) else { return };
        of_call.legs = of_call.legs.saturating_sub(1);
        if of_call.legs == 0 {
            self.calls.remove(&call);
        }
    }

    /// This call was refused. One that goes on under the same Call-ID keeps its trace.
    pub(super) fn end_of(&mut self, sip_call_id: &str, call: &CallId) {
        if self.live.get(sip_call_id).is_some_and(|traced| traced.call == *call) {
            self.end(sip_call_id);
        }
    }

    /// The same as [`Traces::keep`], of a message that was read already.
    pub(super) fn received_message(&mut self, now: Time, flow: Flow, message: &Message) {
        let call_id = message.headers().call_id().unwrap_or_default();
        if self.live.contains_key(call_id) {
            self.keep(now, SipFlow::In, flow, call_id.as_bytes(), &message.to_bytes());
        }
    }

    /// Keeps a message with this Call-ID, if it is of a live leg.
    pub(super) fn keep(&mut self, now: Time, way: SipFlow, flow: Flow, call_id: &[u8], bytes: &[u8]) {
        let Ok(call_id) = std::str::from_utf8(call_id) else { return };
        let Some(traced) = self.live.get(call_id) else { return };
        let Some(of_call) = self.calls.get_mut(&traced.call) else { return };
        let entry = SipTraceEntry {
            at: Time::ZERO + now.since(of_call.began),
            leg: Some(traced.leg),
            flow: way,
            transport: match flow.transport {
                Transport::Udp => SipTransport::Udp,
                Transport::Tcp => SipTransport::Tcp,
                Transport::Tls => SipTransport::Tls,
                Transport::Ws => SipTransport::Ws,
                Transport::Wss => SipTransport::Wss,
            },
            local: flow.local,
            remote: flow.remote,
            bytes: without_credentials(bytes),
        };
        if let Err(error) = of_call.trace.append(entry) {
            tracing::debug!(%error, "a SIP message could not be kept for the call's trace");
        }
    }
}

/// The message with the values of Authorization and Proxy-Authorization struck out, and the passwords in SIP URIs.
fn without_credentials(bytes: &[u8]) -> Vec<u8> {
    // Room for the longer of a value and what stands in its place.
    let mut kept = Vec::with_capacity(bytes.len() + SECRET_HEADERS.len() * NOT_KEPT.len() + NO_PASSWORD.len());
    // Empty lines before the start line are no end of the header (RFC 3261 section 7.5).
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    let bytes = bytes.get(start..).unwrap_or_default();
    // What stands before `copied` is kept or struck out already.
    let (mut at, mut copied, mut in_secret) = (0, 0, false);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let line = rest.get(..=memchr::memchr(b'\n', rest).unwrap_or(rest.len() - 1)).unwrap_or(rest);
        let folded = matches!(line, [b' ' | b'\t', ..]);
        if in_secret && !folded {
            (in_secret, copied) = (false, at);
        }
        if matches!(line, b"\r\n" | b"\n") {
            break;
        }
        if let Some(name) = secret_header(line).filter(|_| !folded) {
            keep_without_passwords(&mut kept, bytes.get(copied..at + name.len()).unwrap_or_default());
            kept.extend_from_slice(NOT_KEPT);
            in_secret = true;
        }
        at += line.len();
    }
    if !in_secret {
        keep_without_passwords(&mut kept, bytes.get(copied..at).unwrap_or_default());
        keep_without_keys(&mut kept, bytes.get(at..).unwrap_or_default());
    }
    kept
}

/// Keeps a body, but for the keys of the media that are told in it: whoever has them hears the call.
fn keep_without_keys(kept: &mut Vec<u8>, mut body: &[u8]) {
    let begins = |body: &[u8]| {
        let find = |word: &&[u8]| {
            let at = body.windows(word.len()).position(|part| part.eq_ignore_ascii_case(word))?;
            Some(at + word.len())
        };
        KEYS.iter().filter_map(find).min()
    };
    while let Some(at) = begins(body) {
        let (before, key) = body.split_at(at);
        kept.extend_from_slice(before);
        kept.extend_from_slice(NO_PASSWORD);
        let ends = |byte: &u8| matches!(byte, b'|' | b';' | b' ' | b'\t' | b'\r' | b'\n');
        let end = key.iter().position(ends).unwrap_or(key.len());
        body = key.get(end..).unwrap_or_default();
    }
    kept.extend_from_slice(body);
}

/// Keeps a part of the header, but for what stands between `sip:user:` and `@` (RFC 3261 section 19.1.1).
fn keep_without_passwords(kept: &mut Vec<u8>, header: &[u8]) {
    let mut rest = header;
    while let Some(at) = memchr::memchr(b'@', rest) {
        // No URI goes beyond these. A password that holds an `@` of its own, as none may, is struck out whole.
        let ends = |byte: &u8| matches!(byte, b'<' | b'>' | b'"' | b' ' | b'\t' | b'\r' | b'\n');
        let (before, after) = rest.split_at(at);
        let end = at + after.iter().position(ends).unwrap_or(after.len());
        let begin = before.iter().rposition(ends).map_or(0, |place| place + 1);
        let (outside, tail) = rest.split_at(end);
        let (outside, uri) = outside.split_at(begin);
        kept.extend_from_slice(outside);
        match password(uri) {
            Some(password) => {
                kept.extend_from_slice(uri.get(..password.start).unwrap_or_default());
                kept.extend_from_slice(NO_PASSWORD);
                kept.extend_from_slice(uri.get(password.end..).unwrap_or_default());
            }
            None => kept.extend_from_slice(uri),
        }
        rest = tail;
    }
    kept.extend_from_slice(rest);
}

/// Where the password of a SIP URI stands in a text that ends with it.
fn password(text: &[u8]) -> Option<Range<usize>> {
    let end = memchr::memrchr(b'@', text)?;
    let head = text.get(..end)?;
    let scheme = |name: &[u8]| head.windows(name.len()).position(|part| part.eq_ignore_ascii_case(name));
    let user = scheme(b"sip:").map(|place| place + 4).or_else(|| scheme(b"sips:").map(|place| place + 5))?;
    let colon = memchr::memchr(b':', head.get(user..)?)?;
    Some(user + colon + 1..end)
}

/// The name of the secret header that begins on this line.
fn secret_header(line: &[u8]) -> Option<&[u8]> {
    // Most lines are told by their first letter.
    if !matches!(line, [b'a' | b'A' | b'p' | b'P', ..]) {
        return None;
    }
    let name = line.get(..line.iter().position(|byte| *byte == b':')?)?.trim_ascii_end();
    SECRET_HEADERS.iter().any(|secret| secret.eq_ignore_ascii_case(name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_kept_but_everything_else_is() {
        let message = b"\r\n\r\nREGISTER sip:a SIP/2.0\r\nAuthorization: Digest username=\"x\",\r\n response=\"y\"\r\nCall-ID: 1\r\n\r\nAuthorization: body\r\n";
        let kept = without_credentials(message);
        let text = String::from_utf8(kept).unwrap();
        assert_eq!(
            text,
            "REGISTER sip:a SIP/2.0\r\nAuthorization: (not kept)\r\nCall-ID: 1\r\n\r\nAuthorization: body\r\n"
        );
    }

    #[test]
    fn passwords_in_uris_are_not_kept_wherever_they_stand() {
        for (message, left) in [
            ("INVITE sip:bob:s3cret@b.test SIP/2.0\r\n\r\n", "INVITE sip:bob:not-kept@b.test SIP/2.0\r\n\r\n"),
            (
                "A: 1\r\nf: \"Ann\" <SIPS:ann:a,b&c@a.test:5061;x=y>;tag=1\r\nt:sip:bob:x@b\r\n\r\n",
                "A: 1\r\nf: \"Ann\" <SIPS:ann:not-kept@a.test:5061;x=y>;tag=1\r\nt:sip:bob:not-kept@b\r\n\r\n",
            ),
            (
                "Contact: <sip:a:1@h>, <sip:b@h>,\r\n <sip:c:2@h>\r\nAuthorization: x\r\nRoute: <sip:d:3@h>\r\n\r\n",
                "Contact: <sip:a:not-kept@h>, <sip:b@h>,\r\n <sip:c:not-kept@h>\r\nAuthorization: (not kept)\r\n\
                 Route: <sip:d:not-kept@h>\r\n\r\n",
            ),
            // An `@` that should have been escaped.
            ("To: <sip:a:p@ss@h>\r\n\r\n", "To: <sip:a:not-kept@h>\r\n\r\n"),
            ("To: sip:a:p@h", "To: sip:a:not-kept@h"),
        ] {
            assert_eq!(String::from_utf8(without_credentials(message.as_bytes())).unwrap(), left, "{message:?}");
        }
        for same in [
            "INVITE sip:bob@b.test:5060;transport=udp SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060\r\n\
             Call-ID: 1:2@192.0.2.1\r\nContact: <sip:10.0.0.1:5060>;+sip.instance=\"<urn:uuid:1>\"\r\n\
             Alert-Info: <http://a:80/b@c>\r\n\r\ns=sip:a:body@b\r\n",
            "To: <sip:>@<sip:@:\r\n@sip:a:",
        ] {
            assert_eq!(String::from_utf8(without_credentials(same.as_bytes())).unwrap(), same);
        }
    }

    #[test]
    fn keys_of_media_are_not_kept() {
        let message = "INVITE sip:a SIP/2.0\r\nContent-Length: 9\r\n\r\nm=audio 1 RTP/SAVP 0\r\n\
                       a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwg|2^20\r\n\
                       a=crypto:2 AEAD_AES_128_GCM INLINE:c2VjcmV0;inline:c2VjcmV0\r\na=inline\r\n\
                       a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=inline\r\n";
        let left = "INVITE sip:a SIP/2.0\r\nContent-Length: 9\r\n\r\nm=audio 1 RTP/SAVP 0\r\n\
                    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:not-kept|2^20\r\n\
                    a=crypto:2 AEAD_AES_128_GCM INLINE:not-kept;inline:not-kept\r\na=inline\r\n\
                    a=ice-ufrag:abcd\r\na=ice-pwd:not-kept\r\na=inline\r\n";
        assert_eq!(String::from_utf8(without_credentials(message.as_bytes())).unwrap(), left);
    }

    #[test]
    fn credentials_are_found_wherever_they_stand_and_however_they_are_written() {
        for (message, left) in [
            (
                "BYE sip:a SIP/2.0\r\nproxy-authorization : a\r\n\r\n",
                "BYE sip:a SIP/2.0\r\nproxy-authorization: (not kept)\r\n\r\n",
            ),
            (
                "A: 1\r\nAuthorization: a\r\n\tb\r\nAuthorization: c\r\n\r\n",
                "A: 1\r\nAuthorization: (not kept)\r\nAuthorization: (not kept)\r\n\r\n",
            ),
            ("A: 1\nAUTHORIZATION: a\n", "A: 1\nAUTHORIZATION: (not kept)\r\n"),
            ("A: 1\nAuthorization: a", "A: 1\nAuthorization: (not kept)\r\n"),
            ("A: 1\r\n Authorization: folded\r\nPath: x", "A: 1\r\n Authorization: folded\r\nPath: x"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8(without_credentials(message.as_bytes())).unwrap(), left, "{message:?}");
        }
    }
}
