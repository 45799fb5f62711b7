//! Header names: how rsip's variants are spelled, and the compact forms.

use rsip::Header;
use rsip::headers::UntypedHeader as _;
use rsip::headers::untyped as u;

/// One line per header that rsip has a variant for, the frequent ones first.
macro_rules! known_headers {
    ($($variant:ident $name:literal,)*) => {
        /// Makes the header of this name, in rsip's variant where there is one.
        pub(crate) fn new_header(name: &str, value: String) -> Header {
            let name = long_form(name);
            match name.len() {
                $(len if len == $name.len() && name.eq_ignore_ascii_case($name) =>
                    Header::$variant(u::$variant::new(value)),)*
                _ => Header::Other(name.to_owned(), value),
            }
        }

        /// The header's name as it is written.
        pub(crate) fn name_of(header: &Header) -> &str {
            match header {
                $(Header::$variant(_) => $name,)*
                Header::Other(name, _) => name,
            }
        }

        /// The header's value.
        pub(crate) fn value_of(header: &Header) -> &str {
            match header {
                $(Header::$variant(inner) => inner.value(),)*
                Header::Other(_, value) => value,
            }
        }

        /// Puts another value into the header.
        pub(crate) fn replace_value(header: &mut Header, new: String) {
            match header {
                $(Header::$variant(inner) => inner.replace(new),)*
                Header::Other(_, value) => *value = new,
            }
        }
    };
}

known_headers! {
    Via "Via",
    From "From",
    To "To",
    CallId "Call-ID",
    CSeq "CSeq",
    Contact "Contact",
    MaxForwards "Max-Forwards",
    ContentLength "Content-Length",
    ContentType "Content-Type",
    Route "Route",
    RecordRoute "Record-Route",
    UserAgent "User-Agent",
    Allow "Allow",
    Supported "Supported",
    Expires "Expires",
    Accept "Accept",
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    AlertInfo "Alert-Info",
    AuthenticationInfo "Authentication-Info",
    Authorization "Authorization",
    CallInfo "Call-Info",
    ContentDisposition "Content-Disposition",
    ContentEncoding "Content-Encoding",
    ContentLanguage "Content-Language",
    Date "Date",
    ErrorInfo "Error-Info",
    Event "Event",
    InReplyTo "In-Reply-To",
    MimeVersion "MIME-Version",
    MinExpires "Min-Expires",
    Organization "Organization",
    Priority "Priority",
    ProxyAuthenticate "Proxy-Authenticate",
    ProxyAuthorization "Proxy-Authorization",
    ProxyRequire "Proxy-Require",
    ReplyTo "Reply-To",
    Require "Require",
    RetryAfter "Retry-After",
    Server "Server",
    Subject "Subject",
    SubscriptionState "Subscription-State",
    Timestamp "Timestamp",
    Unsupported "Unsupported",
    Warning "Warning",
    WwwAuthenticate "WWW-Authenticate",
}

/// The long form of a compact name; any other name as it is.
///
/// Source: RFC 3261 section 7.3.3 and the IANA registry of SIP header fields.
pub(crate) fn long_form(name: &str) -> &str {
    let &[letter] = name.as_bytes() else { return name };
    match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'j' => "Reject-Contact",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'n' => "Identity-Info",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        b'y' => "Identity",
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_and_odd_spellings_reach_the_typed_variant() {
        for name in ["v", "V", "via", "VIA"] {
            assert_eq!(name_of(&new_header(name, "x".into())), "Via");
        }
        assert!(matches!(new_header("subscription-state", String::new()), Header::SubscriptionState(_)));
    }

    #[test]
    fn unknown_name_keeps_its_spelling() {
        assert_eq!(name_of(&new_header("X-fOo", "x".into())), "X-fOo");
        assert_eq!(name_of(&new_header("r", "x".into())), "Refer-To");
    }
}
