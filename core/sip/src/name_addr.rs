//! An address with its display name and parameters: From, To, Contact, Route, Refer-To and their kind.

use std::borrow::Cow;
use std::fmt;

use crate::params::{Params, push_quoted, unquote};
use crate::scan;
use crate::uri::{RequestUri, UriError};

/// `"display" <uri>;params` or `uri;params`, read in place.
///
/// Source: RFC 3261 section 20.10 and section 25.1 (`name-addr`, `addr-spec`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The display name without quotes and escapes, if there is one.
    pub display: Option<Cow<'a, str>>,
    /// The URI as it is spelled, without the brackets.
    pub uri: &'a str,
    /// The header's parameters; those of the URI are inside [`NameAddr::uri`].
    pub params: Params<'a>,
}

/// One value of a Contact header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact<'a> {
    /// `*`: every binding, in a REGISTER that removes them all (RFC 3261 section 10.2.2).
    Star,
    /// An address.
    Addr(NameAddr<'a>),
}

impl<'a> NameAddr<'a> {
    /// Reads one address. `None` when it is malformed.
    ///
    /// A URI without brackets ends at the first `;`, and may hold neither `?` nor `,`
    /// (RFC 3261 section 20.10). An unquoted display name is taken with characters that are no tokens
    /// too (RFC 4475 section 3.1.2.15 leaves that open), but not with a comma.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = scan::trim(text);
        if text.starts_with('"') {
            let (_, rest) = scan::quoted(text)?;
            let quoted = text.get(..text.len() - rest.len())?;
            return Self::bracketed(Some(unquote(quoted)), scan::trim_start(rest));
        }
        let Some(open) = text.bytes().position(|byte| byte == b'<') else { return Self::bare(text) };
        let (display, rest) = text.split_at_checked(open)?;
        let display = scan::trim(display);
        if display.bytes().any(|byte| matches!(byte, b'"' | b',' | b';' | b'>')) {
            return None;
        }
        Self::bracketed((!display.is_empty()).then_some(Cow::Borrowed(display)), rest)
    }

    /// The `tag` parameter.
    pub fn tag(&self) -> Option<&'a str> {
        self.param("tag")
    }

    /// The value of the header parameter with this name; names have no case.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name).flatten()
    }

    /// Whether the header parameter is there, with a value or without.
    pub fn has_param(&self, name: &str) -> bool {
        self.params.get(name).is_some()
    }

    /// The URI, read.
    ///
    /// # Errors
    /// When it is not a URI.
    pub fn parse_uri(&self) -> Result<RequestUri, UriError> {
        RequestUri::parse(self.uri)
    }

    /// The `expires` parameter in seconds. A value that is no number is taken as 3,600 and one past
    /// `u32::MAX` as `u32::MAX`.
    ///
    /// Source: RFC 3261 section 10.2.1.1 (malformed values count as 3,600).
    pub fn expires(&self) -> Option<u32> {
        self.param("expires").map(seconds)
    }

    /// The `q` parameter in thousandths, 1,000 when it is absent and 0 when it is malformed.
    ///
    /// Source: RFC 3261 section 25.1 (`qvalue`).
    pub fn q(&self) -> u16 {
        self.param("q").map_or(1000, |value| thousandths(value).unwrap_or(0))
    }

    /// The `+sip.instance` parameter without its quotes and brackets: a URN of the device.
    ///
    /// Source: RFC 5626 section 4.1.
    pub fn instance(&self) -> Option<String> {
        let value = self.params.unquoted("+sip.instance")?;
        Some(value.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(&value).to_owned())
    }

    fn bracketed(display: Option<Cow<'a, str>>, text: &'a str) -> Option<Self> {
        let inner = text.strip_prefix('<')?;
        let (uri, rest) = scan::split_around(inner, inner.bytes().position(|byte| byte == b'>')?)?;
        let uri_ok = !uri.is_empty() && !uri.bytes().any(|byte| scan::is_space(byte) || byte == b'<');
        uri_ok.then_some(())?;
        Some(Self { display, uri, params: Params::parse(rest)? })
    }

    fn bare(text: &'a str) -> Option<Self> {
        let end = text.bytes().position(|byte| byte == b';').unwrap_or(text.len());
        let (uri, params) = text.split_at_checked(end)?;
        let uri = scan::trim(uri);
        let odd = |byte| scan::is_space(byte) || matches!(byte, b'?' | b',' | b'>' | b'"');
        (uri.contains(':') && !uri.bytes().any(odd)).then_some(())?;
        Some(Self { display: None, uri, params: Params::parse(params)? })
    }
}

/// Writes the address with brackets, the display name quoted.
impl fmt::Display for NameAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            let mut quoted = String::with_capacity(display.len() + 2);
            push_quoted(&mut quoted, display);
            write!(f, "{quoted} ")?;
        }
        write!(f, "<{}>{}", self.uri, self.params.as_str())
    }
}

impl<'a> Contact<'a> {
    /// Reads one Contact value. `None` when it is malformed.
    pub fn parse(text: &'a str) -> Option<Self> {
        if scan::trim(text) == "*" { Some(Self::Star) } else { NameAddr::parse(text).map(Self::Addr) }
    }

    /// The address, unless it is `*`.
    pub fn addr(&self) -> Option<&NameAddr<'a>> {
        match self {
            Self::Star => None,
            Self::Addr(addr) => Some(addr),
        }
    }
}

/// Delta-seconds as RFC 3261 section 10.2.1.1 reads them.
pub(crate) fn seconds(value: &str) -> u32 {
    match scan::number(value) {
        Some(seconds) => seconds,
        None if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => u32::MAX,
        None => 3600,
    }
}

fn thousandths(value: &str) -> Option<u16> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let whole: u16 = scan::number(whole).and_then(|whole| whole.try_into().ok())?;
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let padded: u16 = format!("{fraction:0<3}").parse().ok()?;
    Some(whole.checked_mul(1000)?.checked_add(padded)?.min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_display_name_may_hold_brackets_and_escapes() {
        let addr = NameAddr::parse(r#""J \"<\\>" <sip:j@h;lr?x=y> ; tag = 1;+sip.instance="<urn:uuid:1>""#).unwrap();
        assert_eq!(addr.display.as_deref(), Some(r#"J "<\>"#));
        assert_eq!(addr.uri, "sip:j@h;lr?x=y");
        assert_eq!(addr.tag(), Some("1"));
        assert_eq!(addr.instance().as_deref(), Some("urn:uuid:1"));
    }

    #[test]
    fn parameters_after_a_bare_uri_belong_to_the_header() {
        let addr = NameAddr::parse("sip:a@h;tag=x").unwrap();
        assert_eq!((addr.uri, addr.tag()), ("sip:a@h", Some("x")));
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for text in
            ["sip:u@h?Route=x", r#""open <sip:a@h>"#, "<sip:a@h", "< sip:a@h>", "Bell, A <sip:a@h>", "", "<>", "a;b"]
        {
            assert_eq!(NameAddr::parse(text), None, "{text}");
        }
    }

    #[test]
    fn q_and_expires_are_read_as_the_rfc_says() {
        let of = |text| NameAddr::parse(text).unwrap();
        assert_eq!(of("<sip:a@h>;q=0.25").q(), 250);
        assert_eq!(of("<sip:a@h>").q(), 1000);
        assert_eq!(of("<sip:a@h>;expires=soon").expires(), Some(3600));
        assert_eq!(of("<sip:a@h>;expires=99999999999").expires(), Some(u32::MAX));
    }

    #[test]
    fn address_is_written_with_a_quoted_display_name() {
        let addr = NameAddr::parse(r"Joe Doe <sip:j@h>;tag=1").unwrap();
        assert_eq!(addr.to_string(), r#""Joe Doe" <sip:j@h>;tag=1"#);
    }
}
