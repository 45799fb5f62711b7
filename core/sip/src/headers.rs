//! The header fields of a message, in order, on rsip's header type.

use std::net::SocketAddr;

use rsip::Header;

use crate::limits::LIST_ITEMS_MAX;
use crate::method::Method;
use crate::name_addr::{Contact, NameAddr, seconds};
use crate::names::{long_form, name_of, new_header, replace_value, value_of};
use crate::scan;
use crate::via::Via;

/// Header fields in the order of the wire. Names have no case and may be compact; unknown headers stay as they came.
///
/// Content-Length is never among them: the lexer consumes it and the writer counts the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    fields: Vec<Field>,
}

/// One header line. A value that is no UTF-8 is kept as it came beside its readable form.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    header: Header,
    raw: Option<Box<[u8]>>,
}

/// The sequence number and method of a request within its dialog.
///
/// Source: RFC 3261 section 20.16.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// The number, below 2^31.
    pub number: u32,
    /// The method, that of the request.
    pub method: Method,
}

/// Why a header could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is not there.
    #[error("missing {0} header")]
    Missing(&'static str),
    /// It is there more than once though only one is allowed.
    #[error("more than one {0} header")]
    Repeated(&'static str),
    /// Its value breaks the grammar or its range.
    #[error("malformed {0} header")]
    Malformed(&'static str),
    /// Its list has more than 64 elements.
    #[error("more than 64 values in {0} headers")]
    TooMany(&'static str),
}

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of header lines.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|field| (field.name(), field.value()))
    }

    /// The value of the first header with this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// The values of all header lines with this name.
    pub fn get_all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let name = long_form(name);
        self.fields.iter().filter(move |field| field.is(name)).map(Field::value)
    }

    /// Whether there is a header with this name.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Adds a header after all others.
    ///
    /// Line breaks in the value become spaces: a value made of outside text cannot start a header of its own.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.fields.push(Field::new(name, value.into()));
    }

    /// Adds a header before all others.
    pub fn push_front(&mut self, name: &str, value: impl Into<String>) {
        self.fields.insert(0, Field::new(name, value.into()));
    }

    /// Puts the value in the place of the first header with this name and removes the others, or adds it.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let name = long_form(name);
        let Some(at) = self.fields.iter().position(|field| field.is(name)) else { return self.push(name, value) };
        let mut seen = false;
        self.fields.retain(|field| !field.is(name) || !std::mem::replace(&mut seen, true));
        if let Some(field) = self.fields.get_mut(at) {
            *field = Field::new(name, value.into());
        }
    }

    /// Removes every header with this name; how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let (name, before) = (long_form(name), self.fields.len());
        self.fields.retain(|field| !field.is(name));
        before - self.fields.len()
    }

    /// Copies every header with this name from another message, bytes and all.
    pub fn copy_from(&mut self, other: &Self, name: &str) {
        let name = long_form(name);
        self.fields.extend(other.fields.iter().filter(|field| field.is(name)).cloned());
    }

    /// The Call-ID.
    ///
    /// # Errors
    /// When it is missing, repeated or empty.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let value = self.single("Call-ID", |header| matches!(header, Header::CallId(_)))?;
        let ok = !value.is_empty() && !value.bytes().any(scan::is_space);
        ok.then_some(value).ok_or(HeaderError::Malformed("Call-ID"))
    }

    /// The CSeq.
    ///
    /// # Errors
    /// When it is missing, repeated or malformed, or its number is not below 2^31.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        let value = self.single("CSeq", |header| matches!(header, Header::CSeq(_)))?;
        let read = || {
            let (number, method) = value.split_once([' ', '\t'])?;
            let number = scan::number(number).filter(|&number| number < 1 << 31)?;
            let method = scan::trim(method);
            scan::is_token(method.as_bytes()).then(|| CSeq { number, method: Method::from_token(method) })
        };
        read().ok_or(HeaderError::Malformed("CSeq"))
    }

    /// The From address.
    ///
    /// # Errors
    /// When it is missing, repeated or malformed.
    pub fn from(&self) -> Result<NameAddr<'_>, HeaderError> {
        let value = self.single("From", |header| matches!(header, Header::From(_)))?;
        NameAddr::parse(value).ok_or(HeaderError::Malformed("From"))
    }

    /// The To address.
    ///
    /// # Errors
    /// When it is missing, repeated or malformed.
    pub fn to(&self) -> Result<NameAddr<'_>, HeaderError> {
        let value = self.single("To", |header| matches!(header, Header::To(_)))?;
        NameAddr::parse(value).ok_or(HeaderError::Malformed("To"))
    }

    /// The nearest hop.
    ///
    /// # Errors
    /// When there is no Via or the first is malformed.
    pub fn top_via(&self) -> Result<Via<'_>, HeaderError> {
        let field = self.fields.iter().find(|field| matches!(field.header, Header::Via(_)));
        let first = field.and_then(|field| scan::list(field.value()).next()).ok_or(HeaderError::Missing("Via"))?;
        Via::parse(first).ok_or(HeaderError::Malformed("Via"))
    }

    /// All hops, the nearest first.
    ///
    /// # Errors
    /// When one is malformed, there is none, or there are more than 64.
    pub fn vias(&self) -> Result<Vec<Via<'_>>, HeaderError> {
        let vias = self.read_list("Via", Via::parse)?;
        if vias.is_empty() { Err(HeaderError::Missing("Via")) } else { Ok(vias) }
    }

    /// The contacts; none is an empty list.
    ///
    /// # Errors
    /// When one is malformed, `*` is not alone, or there are more than 64.
    pub fn contacts(&self) -> Result<Vec<Contact<'_>>, HeaderError> {
        let contacts = self.read_list("Contact", Contact::parse)?;
        if contacts.len() > 1 && contacts.contains(&Contact::Star) {
            return Err(HeaderError::Malformed("Contact"));
        }
        Ok(contacts)
    }

    /// The route set that is left, the next hop first.
    ///
    /// # Errors
    /// When one is malformed or there are more than 64.
    pub fn routes(&self) -> Result<Vec<NameAddr<'_>>, HeaderError> {
        self.read_list("Route", NameAddr::parse)
    }

    /// The proxies that stay in the dialog's path, the nearest to the callee first.
    ///
    /// # Errors
    /// When one is malformed or there are more than 64.
    pub fn record_routes(&self) -> Result<Vec<NameAddr<'_>>, HeaderError> {
        self.read_list("Record-Route", NameAddr::parse)
    }

    /// The addresses of any header that lists them (P-Asserted-Identity, Diversion, Refer-To, Path ...).
    ///
    /// # Errors
    /// When one is malformed or there are more than 64.
    pub fn addresses(&self, name: &'static str) -> Result<Vec<NameAddr<'_>>, HeaderError> {
        self.read_list(name, NameAddr::parse)
    }

    /// How many hops are left, `None` when the header is absent.
    ///
    /// # Errors
    /// When it is repeated or not in 0 to 255.
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        let Some(value) = self.optional("Max-Forwards", |header| matches!(header, Header::MaxForwards(_)))? else {
            return Ok(None);
        };
        let hops = scan::number(value).and_then(|hops| hops.try_into().ok());
        hops.map(Some).ok_or(HeaderError::Malformed("Max-Forwards"))
    }

    /// The Expires header in seconds, read as RFC 3261 section 10.2.1.1 says: no number counts as 3,600.
    pub fn expires(&self) -> Option<u32> {
        self.get("Expires").map(seconds)
    }

    /// The type of the body, `application/sdp`, with its parameters as they are spelled.
    pub fn content_type(&self) -> Option<&str> {
        self.get("Content-Type")
    }

    /// The elements of all lists with this name (Require, Supported, Allow ...), empty ones left out, at most 64.
    pub fn tokens(&self, name: &str) -> Vec<&str> {
        self.get_all(name).flat_map(scan::list).filter(|item| !item.is_empty()).take(LIST_ITEMS_MAX).collect()
    }

    /// Whether a list with this name has the element, letters' case aside.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.get_all(name).flat_map(scan::list).any(|item| item.eq_ignore_ascii_case(token))
    }

    /// Puts a Via on top.
    pub fn push_via(&mut self, via: impl Into<String>) {
        self.push_front("Via", via);
    }

    /// Puts another Via in the place of the top one.
    pub fn set_top_via(&mut self, via: impl Into<String>) {
        self.pop_via();
        self.push_via(via);
    }

    /// Takes the top Via off; whether there was one.
    pub fn pop_via(&mut self) -> bool {
        self.pop_first("Via")
    }

    /// Takes the first Route off; whether there was one.
    pub fn pop_route(&mut self) -> bool {
        self.pop_first("Route")
    }

    /// Writes into the top Via where the request came from: `received` where it differs from sent-by or
    /// `rport` was asked for, and the port into `rport`.
    ///
    /// Source: RFC 3261 section 18.2.1, RFC 3581 section 4.
    pub fn mark_received(&mut self, source: SocketAddr) {
        let Ok(via) = self.top_via() else { return };
        let host = via.host.trim_matches(['[', ']']);
        let asked_rport = via.rport().is_some();
        if !asked_rport && host.parse() == Ok(source.ip()) {
            return;
        }
        let mut text = format!("SIP/2.0/{} {}", via.transport, via.sent_by());
        for (name, value) in via.params.iter() {
            if name.eq_ignore_ascii_case("received") || name.eq_ignore_ascii_case("rport") {
                continue;
            }
            text.push(';');
            text.push_str(name);
            if let Some(value) = value {
                text.push('=');
                text.push_str(value);
            }
        }
        text.push_str(";received=");
        text.push_str(&source.ip().to_string());
        if asked_rport {
            text.push_str(";rport=");
            text.push_str(&source.port().to_string());
        }
        self.set_top_via(text);
    }

    /// Adds a tag to the To header if it has none.
    pub fn set_to_tag(&mut self, tag: &str) {
        if self.to().is_ok_and(|to| to.tag().is_some()) {
            return;
        }
        let Some(field) = self.fields.iter_mut().find(|field| matches!(field.header, Header::To(_))) else { return };
        let value = field.value();
        let tagged = format!("{value};tag={tag}");
        field.set_value(tagged);
    }

    /// Adds a header with a value that may be no UTF-8, as the wire gave it.
    pub(crate) fn push_bytes(&mut self, name: &str, value: &[u8]) {
        self.fields.push(match std::str::from_utf8(value) {
            Ok(text) => Field { header: new_header(name, text.to_owned()), raw: None },
            Err(_) => {
                let readable = String::from_utf8_lossy(value).into_owned();
                Field { header: new_header(name, readable), raw: Some(value.into()) }
            }
        });
    }

    /// Reserves room for header lines to come.
    pub(crate) fn reserve(&mut self, lines: usize) {
        self.fields.reserve(lines);
    }

    /// Names and bytes in order, for the writer.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|field| (field.name(), field.raw.as_deref().unwrap_or(field.value().as_bytes())))
    }

    /// The one value of a header that must not be repeated.
    fn optional(&self, name: &'static str, is: impl Fn(&Header) -> bool) -> Result<Option<&str>, HeaderError> {
        let mut values = self.fields.iter().filter(|field| is(&field.header)).map(Field::value);
        let first = values.next();
        if values.next().is_some() { Err(HeaderError::Repeated(name)) } else { Ok(first) }
    }

    fn single(&self, name: &'static str, is: impl Fn(&Header) -> bool) -> Result<&str, HeaderError> {
        self.optional(name, is)?.ok_or(HeaderError::Missing(name))
    }

    fn read_list<'a, T>(
        &'a self,
        name: &'static str,
        read: impl Fn(&'a str) -> Option<T>,
    ) -> Result<Vec<T>, HeaderError> {
        let mut values = Vec::new();
        for item in self.get_all(name).flat_map(scan::list) {
            if values.len() == LIST_ITEMS_MAX {
                return Err(HeaderError::TooMany(name));
            }
            values.push(read(item).ok_or(HeaderError::Malformed(name))?);
        }
        Ok(values)
    }

    /// Removes the first element of the first list with this name.
    fn pop_first(&mut self, name: &str) -> bool {
        let Some(at) = self.fields.iter().position(|field| field.is(name)) else { return false };
        let Some(field) = self.fields.get_mut(at) else { return false };
        let value = field.value();
        match scan::top_comma(value).and_then(|comma| scan::split_around(value, comma)) {
            Some((_, rest)) => {
                let rest = scan::trim_start(rest).to_owned();
                field.set_value(rest);
            }
            None => drop(self.fields.remove(at)),
        }
        true
    }
}

/// What some parser takes for the end of a line.
const LINE_ENDS: [char; 2] = ['\r', '\n'];

impl Field {
    fn new(name: &str, value: String) -> Self {
        let value = if value.contains(LINE_ENDS) { value.replace(LINE_ENDS, " ") } else { value };
        Self { header: new_header(name, value), raw: None }
    }

    fn name(&self) -> &str {
        name_of(&self.header)
    }

    fn value(&self) -> &str {
        value_of(&self.header)
    }

    fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    fn set_value(&mut self, value: String) {
        self.raw = None;
        replace_value(&mut self.header, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in lines {
            headers.push(name, *value);
        }
        headers
    }

    #[test]
    fn names_have_no_case_and_may_be_compact() {
        let headers = headers(&[("i", "id"), ("X-Odd", "1"), ("x-odd", "2")]);
        assert_eq!(headers.get("call-id"), Some("id"));
        assert_eq!(headers.call_id(), Ok("id"));
        assert_eq!(headers.get_all("X-ODD").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn value_cannot_bring_a_header_of_its_own() {
        let headers = headers(&[("Subject", "a\r\nRoute: <sip:evil>")]);
        assert_eq!(headers.get("Subject"), Some("a  Route: <sip:evil>"));
    }

    #[test]
    fn set_keeps_the_place_of_the_first_and_removes_the_others() {
        let mut headers = headers(&[("A", "1"), ("B", "2"), ("A", "3"), ("C", "4")]);
        headers.set("a", "5");
        headers.set("D", "6");
        assert_eq!(headers.iter().map(|(_, value)| value).collect::<Vec<_>>(), ["5", "2", "4", "6"]);
        assert_eq!(headers.remove("A"), 1);
        assert!(!headers.contains("A"));
    }

    #[test]
    fn cseq_is_a_number_below_two_to_the_31st_and_a_method() {
        let of = |value| headers(&[("CSeq", value)]).cseq();
        assert_eq!(of("0009 \t INVITE"), Ok(CSeq { number: 9, method: Method::Invite }));
        assert_eq!(of("2147483647 X").unwrap().number, 2_147_483_647);
        for value in ["2147483648 INVITE", "1", "INVITE 1", "-1 INVITE", "1 IN VITE"] {
            assert_eq!(of(value), Err(HeaderError::Malformed("CSeq")), "{value}");
        }
    }

    #[test]
    fn repeated_singletons_are_errors() {
        let twice = headers(&[("To", "<sip:a@h>"), ("t", "<sip:b@h>"), ("Max-Forwards", "1"), ("Max-Forwards", "1")]);
        assert_eq!(twice.to(), Err(HeaderError::Repeated("To")));
        assert_eq!(twice.max_forwards(), Err(HeaderError::Repeated("Max-Forwards")));
        assert_eq!(twice.from(), Err(HeaderError::Missing("From")));
    }

    #[test]
    fn hops_are_taken_off_one_by_one_from_lists_and_lines() {
        let mut headers = headers(&[("Via", "SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b"), ("v", "SIP/2.0/WS c")]);
        let transports: Vec<_> = headers.vias().unwrap().iter().map(|via| via.transport).collect();
        assert_eq!(transports, ["UDP", "TCP", "WS"]);
        for host in ["a", "b", "c"] {
            assert_eq!(headers.top_via().unwrap().host, host);
            assert!(headers.pop_via());
        }
        assert!(!headers.pop_via());
        assert_eq!(headers.vias(), Err(HeaderError::Missing("Via")));
    }

    #[test]
    fn lists_end_at_64_values() {
        let mut headers = headers(&[("Route", "<sip:a;lr>"); LIST_ITEMS_MAX]);
        assert_eq!(headers.routes().unwrap().len(), LIST_ITEMS_MAX);
        headers.push("Route", "<sip:a;lr>");
        assert_eq!(headers.routes(), Err(HeaderError::TooMany("Route")));
    }

    #[test]
    fn contact_star_must_be_alone() {
        assert_eq!(headers(&[("m", " * ")]).contacts(), Ok(vec![Contact::Star]));
        assert!(headers(&[("m", "*, <sip:a@h>")]).contacts().is_err());
        assert!(headers(&[("m", "<sip:a@h>,,<sip:b@h>")]).contacts().is_err());
    }

    #[test]
    fn source_is_marked_when_it_differs_or_rport_asks() {
        let marked = |via: &str, source: &str| {
            let mut headers = headers(&[("Via", via)]);
            headers.mark_received(source.parse().unwrap());
            headers.get("Via").unwrap().to_owned()
        };
        assert_eq!(marked("SIP/2.0/UDP 192.0.2.1", "192.0.2.1:9"), "SIP/2.0/UDP 192.0.2.1");
        assert_eq!(marked("SIP/2.0/UDP h:7;branch=b", "192.0.2.1:9"), "SIP/2.0/UDP h:7;branch=b;received=192.0.2.1");
        assert_eq!(
            marked("SIP/2.0/UDP 192.0.2.1;rport;branch=b", "192.0.2.1:9"),
            "SIP/2.0/UDP 192.0.2.1;branch=b;received=192.0.2.1;rport=9"
        );
        assert_eq!(marked("SIP/2.0/UDP [2001:db8::1]", "[2001:db8::1]:9"), "SIP/2.0/UDP [2001:db8::1]");
    }

    #[test]
    fn marking_the_top_via_leaves_the_others_of_its_line() {
        let mut headers = headers(&[("Via", "SIP/2.0/UDP h;branch=1, SIP/2.0/UDP i;branch=2")]);
        headers.mark_received("192.0.2.1:9".parse().unwrap());
        let vias = headers.vias().unwrap();
        assert_eq!(vias.iter().map(Via::branch).collect::<Vec<_>>(), [Some("1"), Some("2")]);
        assert_eq!(vias[0].received(), Some("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn to_tag_is_added_once() {
        let mut headers = headers(&[("To", "sip:a@h")]);
        headers.set_to_tag("1");
        headers.set_to_tag("2");
        assert_eq!(headers.get("To"), Some("sip:a@h;tag=1"));
    }

    #[test]
    fn tokens_join_all_lines_of_a_list() {
        let headers = headers(&[("Supported", "100rel, timer"), ("k", ",outbound")]);
        assert_eq!(headers.tokens("supported"), ["100rel", "timer", "outbound"]);
        assert!(headers.has_token("Supported", "TIMER") && !headers.has_token("Supported", "tim"));
    }
}
