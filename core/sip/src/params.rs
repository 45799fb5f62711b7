//! The `;name=value` parameters after an address, a Via or a media type.

use std::borrow::Cow;

use crate::limits::PARAMS_MAX;
use crate::scan;

/// Parameters as they stand in a header value: checked once, read in place.
///
/// Source: RFC 3261 section 25.1 (`generic-param`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Params<'a> {
    text: &'a str,
}

impl<'a> Params<'a> {
    /// Reads `;a;b=c;d="e f"`, with white space around `;` and `=`. `None` on anything else and past 64 parameters.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = scan::trim(text);
        let mut rest = text;
        for _ in 0..=PARAMS_MAX {
            if rest.is_empty() {
                return Some(Self { text });
            }
            (_, _, rest) = step(rest)?;
        }
        None
    }

    /// The value of the parameter: `None` when it is absent, `Some(None)` when it has no value.
    ///
    /// Names have no case. A quoted value is given with its quotes; see [`Params::unquoted`].
    pub fn get(&self, name: &str) -> Option<Option<&'a str>> {
        self.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The value of the parameter without quotes and escapes.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).flatten().map(unquote)
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        let mut rest = self.text;
        std::iter::from_fn(move || {
            let (name, value, next) = step(rest)?;
            rest = next;
            Some((name, value))
        })
    }

    /// The text, from the first `;`; empty when there are none.
    pub fn as_str(&self) -> &'a str {
        self.text
    }
}

/// The text without its quotes and escapes, if it has any.
///
/// Source: RFC 3261 section 25.1 (`quoted-string`).
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some((inner, _)) = scan::quoted(text) else { return Cow::Borrowed(text) };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        plain.push(if char == '\\' { chars.next().unwrap_or(char) } else { char });
    }
    Cow::Owned(plain)
}

/// Appends the text as a quoted string, quotes, backslashes and control characters escaped; a line break, which
/// cannot be escaped, becomes a space.
pub fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '\r' | '\n' => out.push(' '),
            '"' | '\\' | '\0'..='\x1f' | '\x7f' => out.extend(['\\', char]),
            _ => out.push(char),
        }
    }
    out.push('"');
}

/// Reads one parameter: its name, its value, and what stands after it.
fn step(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let text = scan::trim_start(text.strip_prefix(';')?);
    let end = text.bytes().position(|byte| !scan::is_token_byte(byte)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    if name.is_empty() {
        return None;
    }
    let rest = scan::trim_start(rest);
    let Some(value) = rest.strip_prefix('=') else {
        return (rest.is_empty() || rest.starts_with(';')).then_some((name, None, rest));
    };
    let value = scan::trim_start(value);
    let end = if value.starts_with('"') {
        let (_, after) = scan::quoted(value)?;
        value.len() - after.len()
    } else {
        value.bytes().position(ends_value).unwrap_or(value.len())
    };
    let (value, rest) = value.split_at_checked(end)?;
    let rest = scan::trim_start(rest);
    (!value.is_empty() && (rest.is_empty() || rest.starts_with(';'))).then_some((name, Some(value), rest))
}

/// A value is a token or a host; peers also put bare IPv6 addresses there (RFC 5118 section 4.5).
const fn ends_value(byte: u8) -> bool {
    scan::is_space(byte) || matches!(byte, b';' | b',' | b'"' | b'<' | b'>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_without_case_and_with_space_around() {
        let params = Params::parse(r#" ; Tag = 9a ;lr; x="q;\"r" "#).unwrap();
        assert_eq!(params.get("tag"), Some(Some("9a")));
        assert_eq!(params.get("LR"), Some(None));
        assert_eq!(params.get("y"), None);
        assert_eq!(params.unquoted("x").as_deref(), Some(r#"q;"r"#));
    }

    #[test]
    fn quoted_text_is_escaped_and_stays_on_its_line() {
        let mut out = String::new();
        push_quoted(&mut out, "a\"b\\c\0d\r\ne");
        assert_eq!(out, "\"a\\\"b\\\\c\\\0d  e\"");
        assert_eq!(unquote(&out), "a\"b\\c\0d  e");
    }

    #[test]
    fn empty_parameter_is_refused() {
        for text in [";;a", ";", ";a=", ";a b", "a", r#";a="open"#] {
            assert_eq!(Params::parse(text), None, "{text}");
        }
    }

    #[test]
    fn more_than_64_parameters_are_refused() {
        assert!(Params::parse(&";a".repeat(PARAMS_MAX)).is_some());
        assert!(Params::parse(&";a".repeat(PARAMS_MAX + 1)).is_none());
    }
}
