//! Services of the web that an office's actions may ask.

use crate::Secret;
use plugboard_model::{HttpMethod, Name};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// A service of the web, such as a CRM: where it is, how it knows us, what it may be asked and how much it may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSource {
    /// By which actions name it.
    pub id: Name,
    /// Where its addresses begin: `https://crm.example.com/api`.
    pub base: BaseUrl,
    /// What it is shown.
    pub login: Option<HttpLogin>,
    /// What it may be asked.
    pub methods: BTreeSet<HttpMethod>,
    /// For a request with all its tries, to the last byte of the answer.
    pub timeout: Duration,
    /// How often more a `GET` is sent that failed on its way.
    pub retries: u32,
    /// Requests at once.
    pub at_once: u32,
    /// Bytes of an answer.
    pub bytes_max: u32,
    /// Whether it may be on this machine or in a private network.
    pub private: bool,
}

impl HttpSource {
    /// Where its addresses begin, with the secret where that is a part of it: for nobody's eyes.
    pub fn address(&self) -> String {
        match &self.login {
            Some(HttpLogin::Path(secret)) => format!("{}/{}", self.base.as_str(), secret.reveal()),
            Some(HttpLogin::Bearer(_) | HttpLogin::Basic { .. } | HttpLogin::Header { .. }) | None => {
                self.base.as_str().to_owned()
            }
        }
    }

    pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
    pub(crate) const RETRIES: u32 = 1;
    pub(crate) const AT_ONCE: u32 = 8;
    pub(crate) const BYTES_MAX: u32 = 65_536;
}

/// What a source is shown with each request. Its `Debug` form shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpLogin {
    /// `Authorization: Bearer SECRET` (RFC 6750).
    Bearer(Secret),
    /// `Authorization: Basic ...` (RFC 7617).
    Basic {
        /// Without a colon.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A header of the source's own, as `X-Api-Key`.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// Segments that go between its address and what is asked: a service whose address is its secret.
    Path(Secret),
}

impl HttpLogin {
    /// The secret.
    pub const fn secret(&self) -> &Secret {
        match self {
            Self::Bearer(secret)
            | Self::Path(secret)
            | Self::Basic { password: secret, .. }
            | Self::Header { value: secret, .. } => secret,
        }
    }
}

/// Where a source's addresses begin: a scheme, a host, a port and a path; no user, query or fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Bytes of one.
    pub(crate) const BYTES_MAX: usize = 1_024;

    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > Self::BYTES_MAX {
            return Err("is longer than 1,024 bytes");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
            return Err("has letters that an address cannot have");
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or("does not begin with https://")?;
        if rest.contains(['@', '?', '#']) {
            return Err("has more than a host, a port and a path");
        }
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                if !port.bytes().all(|byte| byte.is_ascii_digit()) || port.parse::<u16>().is_err() {
                    return Err("has a port that is no number");
                }
                host
            }
            Some(_) | None => place,
        };
        let is_v6 = |host: &str| {
            let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            inside.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if host.is_empty() || !(host.bytes().all(is_name) || is_v6(host)) {
            return Err("names no host");
        }
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err("has a path that goes back");
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// Whether what is sent there can be read on its way.
    pub fn is_open(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// As documents have it, without a `/` at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_a_port_and_a_path() {
        for text in [
            "https://crm.example.com",
            "https://crm.example.com:8443/api/v1",
            "http://127.0.0.1:8080/x",
            "https://[2001:db8::1]/api",
            "https://[2001:db8::1]:8443/api",
        ] {
            assert_eq!(BaseUrl::parse(text).map(|url| url.as_str().to_owned()), Ok(text.to_owned()));
        }
        assert_eq!(BaseUrl::parse("https://crm.example.com/api/").unwrap().as_str(), "https://crm.example.com/api");
        for text in [
            "ftp://crm.example.com",
            "crm.example.com",
            "https://",
            "https://:8080",
            "https://user@crm.example.com",
            "https://crm.example.com?x=1",
            "https://crm.example.com/#x",
            "https://crm.example.com/a/../b",
            "https://crm.example.com:port/",
            "https://crm.example.com:99999/",
            "https://crm.example.com:+80/",
            "https://crm example.com/",
            "https://[::1/",
            "https://[nobody]/",
        ] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
        assert!(BaseUrl::parse(&format!("https://crm.example.com/{}", "x".repeat(1_024))).is_err());
    }
}
