//! A glance at a message, for the router that only has to know whose it is.

use crate::scan;

/// What tells a message's transaction and dialog, as bytes of the message. Nothing is checked beyond finding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peek<'a> {
    /// Whether it is a request or a response.
    pub kind: PeekKind,
    /// The method: of the request, or of the response's CSeq.
    pub method: &'a [u8],
    /// The Call-ID.
    pub call_id: &'a [u8],
    /// The branch of the top Via; empty when it has none.
    pub branch: &'a [u8],
}

/// Which of the two a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeekKind {
    /// A request.
    Request,
    /// A response with this status.
    Response(u16),
}

/// Finds Call-ID, branch and method without reading the message: about half a microsecond.
///
/// It stops at the last of the three; `None` when there is no Call-ID, no Via, or no start line.
pub fn peek(bytes: &[u8]) -> Option<Peek<'_>> {
    let mut lines = Lines { bytes, at: 0, line_end: 0 };
    let start = loop {
        let line = lines.next()?;
        if !line.is_empty() {
            break line;
        }
    };
    let (kind, mut method) = read_start(start)?;
    let (mut call_id, mut via) = (None, None);
    while call_id.is_none() || via.is_none() || method.is_none() {
        let Some(line) = lines.next().filter(|line| !line.is_empty()) else { break };
        let Some((name, value)) = split(line) else { continue };
        match Key::of(name) {
            Some(Key::CallId) => call_id = call_id.or(Some(lines.with_folds(value))),
            Some(Key::Via) => via = via.or(Some(lines.with_folds(value))),
            Some(Key::CSeq) if method.is_none() => method = last_word(lines.with_folds(value)),
            Some(Key::CSeq) | None => {}
        }
    }
    Some(Peek { kind, method: method?, call_id: call_id?, branch: branch(via?) })
}

/// Finds method and branch of a request of which only the beginning is there, as an ICMP message quotes it (RFC 1812 section
/// 4.3.2.3: as much as goes into 576 bytes); `None` when its first Via is not whole.
pub fn peek_quoted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut lines = Lines { bytes, at: 0, line_end: 0 };
    let (PeekKind::Request, Some(method)) = read_start(lines.next()?)? else { return None };
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        if let Some((name, value)) = split(line)
            && matches!(Key::of(name), Some(Key::Via))
        {
            return Some((method, branch(value)));
        }
    }
    None
}

/// The headers that are looked for.
enum Key {
    CallId,
    Via,
    CSeq,
}

impl Key {
    fn of(name: &[u8]) -> Option<Self> {
        match name {
            [b'v' | b'V'] => Some(Self::Via),
            [b'i' | b'I'] => Some(Self::CallId),
            [_, _, _] if name.eq_ignore_ascii_case(b"Via") => Some(Self::Via),
            [_, _, _, _] if name.eq_ignore_ascii_case(b"CSeq") => Some(Self::CSeq),
            [_, _, _, _, b'-', _, _] if name.eq_ignore_ascii_case(b"Call-ID") => Some(Self::CallId),
            _ => None,
        }
    }
}

fn last_word(text: &[u8]) -> Option<&[u8]> {
    text.rsplit(|&byte| scan::is_space(byte)).find(|word| !word.is_empty())
}

fn read_start(line: &[u8]) -> Option<(PeekKind, Option<&[u8]>)> {
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let first = words.next()?;
    if !first.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
        return Some((PeekKind::Request, Some(first)));
    }
    let status = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    Some((PeekKind::Response(status), None))
}

/// The first `branch` of the first Via in the value.
fn branch(via: &[u8]) -> &[u8] {
    let first = via.split(|&byte| byte == b',').next().unwrap_or_default();
    let value = first.split(|&byte| byte == b';').skip(1).find_map(|param| {
        let at = param.iter().position(|&byte| byte == b'=').unwrap_or(param.len());
        let (name, value) = param.split_at_checked(at)?;
        let value = value.strip_prefix(b"=").unwrap_or(value);
        scan::trim_bytes(name).eq_ignore_ascii_case(b"branch").then(|| scan::trim_bytes(value))
    });
    value.unwrap_or_default()
}

fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    // Names that matter are short, so that a plain loop is at the colon before a vector search has begun.
    let colon = line.iter().position(|&byte| byte == b':')?;
    Some((scan::trim_bytes_end(line.get(..colon)?), line.get(colon + 1..)?))
}

struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the last line ended, its line break not counted.
    line_end: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let line = rest.get(..memchr::memchr(b'\n', rest)?)?;
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        self.line_end = self.at + text.len();
        self.at += line.len() + 1;
        Some(text)
    }

    /// The end of a line with the lines that are folded into it, line breaks and all.
    fn with_folds(&mut self, value: &'a [u8]) -> &'a [u8] {
        let start = self.line_end - value.len();
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t')) && self.next().is_some() {}
        scan::trim_bytes(self.bytes.get(start..self.line_end).unwrap_or(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_and_response_are_told_with_their_keys() {
        let peeked = peek(
            b"\r\nBYE sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;rport;Branch = b1 , SIP/2.0/UDP i;branch=b2\r\ni : c@h\r\n",
        );
        assert_eq!(peeked, Some(Peek { kind: PeekKind::Request, method: b"BYE", call_id: b"c@h", branch: b"b1" }));
        let peeked = peek(b"SIP/2.0 200 OK\nCSeq: 1\n INVITE\nv: SIP/2.0/UDP h\n ;branch=b\nCall-ID:\n\tc\n\n");
        let kind = PeekKind::Response(200);
        assert_eq!(peeked, Some(Peek { kind, method: b"INVITE", call_id: b"c", branch: b"b" }));
    }

    #[test]
    fn first_of_repeated_headers_counts() {
        let text = b"BYE sip:h SIP/2.0\r\ni: 1\r\ni: 2\r\nv: a;branch=1\r\nv: a;branch=2\r\n\r\n";
        assert_eq!(peek(text).map(|peeked| (peeked.call_id, peeked.branch)), Some((&b"1"[..], &b"1"[..])));
        let text = b"BYE sip:h SIP/2.0\r\ni: 1\r\nv: a;branch;branch=2\r\n\r\n";
        assert_eq!(peek(text).map(|peeked| peeked.branch), Some(&b""[..]));
    }

    #[test]
    fn bytes_without_the_keys_are_nobodys() {
        for bytes in
            [&b""[..], b"\r\n\r\n", b"x", b"BYE sip:h SIP/2.0\r\n\r\ni: 1\r\nv: h\r\n", b"SIP/2.0 OK\r\ni: 1\r\n"]
        {
            assert_eq!(peek(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_request_that_is_cut_off_is_known_by_its_method_and_branch() {
        let whole = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-s0-1;rport\r\nFrom: <sip";
        let cut = whole.iter().position(|&byte| byte == b'F').unwrap();
        assert_eq!(peek_quoted(whole), Some((&b"OPTIONS"[..], &b"z9hG4bK-s0-1"[..])));
        assert_eq!(peek_quoted(&whole[..cut]), Some((&b"OPTIONS"[..], &b"z9hG4bK-s0-1"[..])));
        // RFC 792 asks for no more than eight bytes of what comes after the header of IP: none of them is ours.
        for len in 0..cut - 1 {
            assert_eq!(peek_quoted(&whole[..len]), None);
        }
        assert_eq!(peek_quoted(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"), None);
    }
}
