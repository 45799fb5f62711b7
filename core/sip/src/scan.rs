//! Reading pieces of header values: white space, tokens, quoted strings, lists. All linear, all on bytes.

/// Whether the byte may stand in a token.
///
/// Source: RFC 3261 section 25.1 (`token`).
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
        | b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Whether the text is a token.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

/// Whether the byte is white space of a header line; folds leave CR and LF only where the input was odd.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The text without white space at both ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// The text without white space at its start.
pub(crate) fn trim_start(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\r', '\n'])
}

/// The bytes without white space at both ends. A form feed, white space to the standard library, is none here.
pub(crate) fn trim_bytes(bytes: &[u8]) -> &[u8] {
    trim_bytes_end(trim_bytes_start(bytes))
}

/// The bytes without white space at their start.
pub(crate) fn trim_bytes_start(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_space(*first)
    {
        bytes = rest;
    }
    bytes
}

/// The bytes without white space at their end.
pub(crate) fn trim_bytes_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes
        && is_space(*last)
    {
        bytes = rest;
    }
    bytes
}

/// Splits at an ASCII byte's position: the text before it and the text after it.
pub(crate) fn split_around(text: &str, at: usize) -> Option<(&str, &str)> {
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// For a text that begins with `"`: what stands between the quotes, escapes untouched, and the text after.
pub(crate) fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return split_around(inner, at),
            _ => {}
        }
    }
    None
}

/// Elements of a comma list, trimmed; commas in quoted strings and in `<...>` do not split.
///
/// An empty element is given as an empty text: whether it is a fault is for the reader of the element.
pub(crate) fn list(text: &str) -> List<'_> {
    List { rest: Some(text) }
}

/// The elements of [`list`].
#[derive(Debug, Clone)]
pub(crate) struct List<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for List<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest?;
        let Some((item, rest)) = top_comma(text).and_then(|at| split_around(text, at)) else {
            self.rest = None;
            return Some(trim(text));
        };
        self.rest = Some(rest);
        Some(trim(item))
    }
}

/// Where the first comma stands that is in neither a quoted string nor `<...>`.
pub(crate) fn top_comma(text: &str) -> Option<usize> {
    let (mut in_quotes, mut in_angle, mut escaped) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_quotes => escaped = true,
            b'"' if !in_angle => in_quotes = !in_quotes,
            _ if in_quotes => {}
            b'<' => in_angle = true,
            b'>' => in_angle = false,
            b',' if !in_angle => return Some(at),
            _ => {}
        }
    }
    None
}

/// A decimal number with nothing around it, `None` when it is not one or passes `u32::MAX`.
pub(crate) fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split_a_list() {
        let items: Vec<_> = list(r#" "a,\",b" <sip:x,y@h> , <sip:b@h>"#).collect();
        assert_eq!(items, [r#""a,\",b" <sip:x,y@h>"#, "<sip:b@h>"]);
    }

    #[test]
    fn quoted_string_ends_at_the_first_unescaped_quote() {
        assert_eq!(quoted(r#""a\"b\\" rest"#), Some((r#"a\"b\\"#, " rest")));
        assert_eq!(quoted(r#""open"#), None);
    }

    #[test]
    fn form_feed_is_no_white_space() {
        assert_eq!(trim_bytes(b" \t\x0ca\x0c\r\n"), b"\x0ca\x0c");
        assert_eq!(trim_bytes(b" \t"), b"");
    }

    #[test]
    fn number_refuses_signs_and_overflow() {
        assert_eq!(number("4294967295"), Some(u32::MAX));
        assert_eq!(number("4294967296"), None);
        assert_eq!(number("+1"), None);
    }
}
