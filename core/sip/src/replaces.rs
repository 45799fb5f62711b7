//! Which dialog takes the place of which: Replaces and Refer-To.

use crate::dialog::DialogId;
use crate::name_addr::NameAddr;
use crate::params::Params;
use crate::uri::{RequestUri, unescape};

/// The option tag.
pub const REPLACES: &str = "replaces";

/// A dialog whose place another one is to take.
///
/// Source: RFC 3891 section 6.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// Its Call-ID.
    pub call_id: String,
    /// The tag of whoever is asked to replace it.
    pub to_tag: String,
    /// The tag of the other end.
    pub from_tag: String,
    /// Only if it is not answered.
    pub early_only: bool,
}

impl Replaces {
    /// Reads the value of a Replaces header. `None` when it is malformed: 400.
    pub fn parse(value: &str) -> Option<Self> {
        let (call_id, params) = value.split_at(value.find(';')?);
        let params = Params::parse(params)?;
        let tag = |name| params.get(name).flatten().filter(|tag| !tag.is_empty()).map(str::to_owned);
        let call_id = call_id.trim();
        if call_id.is_empty() || call_id.contains(char::is_whitespace) {
            return None;
        }
        Some(Self {
            call_id: call_id.to_owned(),
            to_tag: tag("to-tag")?,
            from_tag: tag("from-tag")?,
            early_only: params.get("early-only").is_some(),
        })
    }

    /// Names the same dialog from its other end.
    pub fn turn(&mut self) {
        std::mem::swap(&mut self.to_tag, &mut self.from_tag);
    }

    /// The dialog as its end with `to_tag` knows it. A tag of `0` stands for none (RFC 3891 section 4).
    pub fn dialog(&self) -> DialogId {
        let remote = if self.from_tag == "0" { "" } else { &self.from_tag };
        DialogId {
            call_id: self.call_id.as_str().into(),
            local_tag: self.to_tag.as_str().into(),
            remote_tag: remote.into(),
        }
    }
}

/// Whom a REFER names.
///
/// Source: RFC 3515 section 2.1; RFC 3891 section 6.2 for the dialog to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferTo {
    /// The target without the headers that stand in it.
    pub uri: RequestUri,
    /// The dialog at the target that the new call takes the place of.
    pub replaces: Option<Replaces>,
}

impl ReferTo {
    /// Reads the value of a Refer-To header. `None` when it is malformed or its Replaces is: 400.
    pub fn parse(value: &str) -> Option<Self> {
        let address = NameAddr::parse(value)?;
        // Another method than INVITE is no call.
        let mut uri = address.parse_uri().ok()?;
        let mut replaces = None;
        if let RequestUri::Sip(sip) = &mut uri {
            if sip.param("method").is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
                return None;
            }
            let headers = sip.headers().map(str::to_owned).unwrap_or_default();
            for header in headers.split('&') {
                let Some((name, value)) = header.split_once('=') else { continue };
                if name.eq_ignore_ascii_case("Replaces") {
                    replaces = Some(Replaces::parse(&unescape(value))?);
                }
            }
            sip.set_headers(None);
        }
        Some(Self { uri, replaces })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_is_read() {
        // RFC 3891 section 6.1.
        let read = Replaces::parse("98732@sip.example.com ;from-tag=r33th4x0r;to-tag=ff87ff").unwrap();
        assert_eq!((read.call_id.as_str(), read.to_tag.as_str()), ("98732@sip.example.com", "ff87ff"));
        assert_eq!((read.from_tag.as_str(), read.early_only), ("r33th4x0r", false));
        let early = Replaces::parse("12adf2f34456gs5;to-tag=12345;from-tag=0;early-only").unwrap();
        assert!(early.early_only);
        assert_eq!(&*early.dialog().remote_tag, "", "a peer after RFC 2543 has no tag");
        for bad in ["", "id", "id;to-tag=1", "id;from-tag=1", ";to-tag=1;from-tag=2", "a b;to-tag=1;from-tag=2"] {
            assert_eq!(Replaces::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn refer_to_is_read_with_and_without_replaces() {
        let blind = ReferTo::parse("Carol <sip:carol@cleveland.example.org>;q=1").unwrap();
        assert_eq!((blind.uri.to_string().as_str(), blind.replaces), ("sip:carol@cleveland.example.org", None));
        // RFC 3891 section 6.2.
        let text =
            "<sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>";
        let attended = ReferTo::parse(text).unwrap();
        assert_eq!(attended.uri.to_string(), "sip:dave@denver.example.org");
        let replaces = attended.replaces.unwrap();
        assert_eq!((replaces.call_id.as_str(), replaces.to_tag.as_str()), ("12345@192.168.118.3", "12345"));
        assert_eq!(replaces.from_tag, "5FFE-3994");
        assert!(ReferTo::parse("<tel:+4930123456>").is_some());
        for bad in ["", "<sip:>", "<sip:a@b?Replaces=x>", "<sip:a@b;method=BYE>", "no uri"] {
            assert_eq!(ReferTo::parse(bad), None, "{bad:?}");
        }
    }
}
