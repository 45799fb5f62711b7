//! The header values of the digest scheme: challenges read, answers read and written.

use std::fmt::Write as _;

use super::{Algorithm, DIGEST_VALUE_MAX, DigestError, Secret, Signed, ha1};

/// Parameters of one value; RFC 7616 knows twelve.
const PARAMS_MAX: usize = 32;

/// The value of an Authorization or Proxy-Authorization header (RFC 7616 section 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestAnswer {
    /// Who answers; look up the password by it.
    pub username: String,
    /// The realm of the challenge.
    pub realm: String,
    /// The nonce of the challenge.
    pub nonce: String,
    /// The signed URI, as it came.
    pub uri: String,
    /// The hash, in hex.
    pub response: String,
    /// The hash used; MD5 when the answer names none.
    pub algorithm: Algorithm,
    /// The client's nonce and count; `None` for an answer after RFC 2069.
    pub qop: Option<Qop>,
}

/// What an answer covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// Method and URI (`qop=auth`).
    Request,
    /// The body as well (`qop=auth-int`).
    Body,
}

/// The part of an answer that `qop` brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qop {
    /// What is covered.
    pub protection: Protection,
    /// The client's nonce.
    pub cnonce: String,
    /// How often the client has used the nonce, from 1.
    pub nc: u32,
}

/// The value of a WWW-Authenticate or Proxy-Authenticate header (RFC 7616 section 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The realm.
    pub realm: String,
    /// The nonce.
    pub nonce: String,
    /// Sent back as it came.
    pub opaque: Option<String>,
    /// The hash asked for; MD5 when the challenge names none.
    pub algorithm: Algorithm,
    /// What the answer is to cover: `auth` where it is offered, since proxies may change bodies; without any `qop` the
    /// answer is after RFC 2069.
    pub qop: Option<Protection>,
    /// The name is to be sent as a hash (RFC 7616 section 3.4.4).
    pub userhash: bool,
    /// The last answer was right but its nonce too old: answer again with this one.
    pub stale: bool,
}

impl DigestAnswer {
    /// Reads a header value.
    ///
    /// # Errors
    /// [`DigestError::OtherScheme`] for Basic and the like, [`DigestError::Malformed`] for a missing or repeated field,
    /// [`DigestError::Unsupported`] for another algorithm or `qop`.
    pub fn parse(value: &str) -> Result<Self, DigestError> {
        let params = Params::parse(value)?;
        let algorithm = params.algorithm()?;
        let protection = match params.get("qop") {
            None if algorithm.is_session() => {
                return Err(DigestError::Malformed { what: "a -sess algorithm without qop" });
            }
            None => None,
            Some(qop) => {
                let known = Protection::of_name(qop);
                Some(known.ok_or(DigestError::Unsupported { what: "qop is neither auth nor auth-int" })?)
            }
        };
        let qop = match protection {
            None => None,
            Some(protection) => {
                let nc = params.need("nc", "nc is missing")?;
                let nc = if nc.len() == 8 { u32::from_str_radix(nc, 16).ok() } else { None };
                let nc =
                    nc.filter(|nc| *nc > 0).ok_or(DigestError::Malformed { what: "nc is not 8 hex digits above 0" })?;
                Some(Qop { protection, cnonce: params.need("cnonce", "cnonce is missing")?.into(), nc })
            }
        };
        Ok(Self {
            username: params.need("username", "username is missing")?.into(),
            realm: params.need("realm", "realm is missing")?.into(),
            nonce: params.need("nonce", "nonce is missing")?.into(),
            uri: params.need("uri", "uri is missing")?.into(),
            response: params.need("response", "response is missing")?.into(),
            algorithm,
            qop,
        })
    }

    /// The hash that the right password gives (RFC 7616 section 3.4.1).
    pub(super) fn expected_response(&self, ha1: &str, request: Signed<'_>) -> String {
        response(self.algorithm, ha1, &self.nonce, self.qop.as_ref(), Signed { uri: &self.uri, ..request })
    }
}

impl Challenge {
    /// Reads a header value.
    ///
    /// # Errors
    /// As [`DigestAnswer::parse`].
    pub fn parse(value: &str) -> Result<Self, DigestError> {
        let params = Params::parse(value)?;
        let algorithm = params.algorithm()?;
        let qop = match params.get("qop") {
            // Without a client's nonce there is no session.
            None if algorithm.is_session() => {
                return Err(DigestError::Unsupported { what: "a -sess algorithm without qop" });
            }
            None => None,
            Some(list) => {
                let offered = || list.split(',').filter_map(|name| Protection::of_name(name.trim()));
                let best = offered().find(|offered| *offered == Protection::Request).or_else(|| offered().next());
                Some(best.ok_or(DigestError::Unsupported { what: "neither auth nor auth-int among the offered qop" })?)
            }
        };
        Ok(Self {
            realm: params.need("realm", "realm is missing")?.into(),
            nonce: params.need("nonce", "nonce is missing")?.into(),
            opaque: params.get("opaque").map(Into::into),
            algorithm,
            qop,
            userhash: params.get("userhash").is_some_and(|userhash| userhash.eq_ignore_ascii_case("true")),
            stale: params.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// The challenge to answer among the values of one response: the topmost that this side can do
    /// (RFC 8760 section 2.4: the server lists its preferred one first).
    pub fn pick<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        values.into_iter().find_map(|value| Self::parse(value).ok())
    }

    /// The Authorization value that answers this challenge.
    ///
    /// `cnonce` is a fresh random token without quotes, `nc` how often this nonce has been answered, from 1.
    pub fn answer(&self, user: &str, password: &Secret, request: Signed<'_>, cnonce: &str, nc: u32) -> String {
        let qop = self.qop.map(|protection| Qop { protection, cnonce: cnonce.into(), nc });
        let ha1 = ha1(self.algorithm, user, &self.realm, password);
        let response = response(self.algorithm, &ha1, &self.nonce, qop.as_ref(), request);
        let hashed = self.userhash.then(|| self.algorithm.hash(&[user, &self.realm]));
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\", algorithm={}",
            quoted(hashed.as_deref().unwrap_or(user)),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(request.uri),
            self.algorithm.name(),
        );
        if let Some(qop) = qop {
            // Writing to a String cannot fail.
            let _ = write!(value, ", cnonce={}, qop={}, nc={:08x}", quoted(&qop.cnonce), qop.protection.name(), qop.nc);
        }
        if self.userhash {
            value.push_str(", userhash=true");
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(value, ", opaque={}", quoted(opaque));
        }
        value
    }
}

impl Protection {
    const fn name(self) -> &'static str {
        match self {
            Self::Request => "auth",
            Self::Body => "auth-int",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Self::Request, Self::Body].into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }
}

/// RFC 7616 sections 3.4.1 to 3.4.3.
fn response(algorithm: Algorithm, ha1: &str, nonce: &str, qop: Option<&Qop>, request: Signed<'_>) -> String {
    let Signed { method, uri, body } = request;
    let Some(Qop { protection, cnonce, nc }) = qop else {
        return algorithm.hash(&[ha1, nonce, &algorithm.hash(&[method, uri])]);
    };
    let ha2 = match protection {
        Protection::Request => algorithm.hash(&[method, uri]),
        Protection::Body => algorithm.hash(&[method, uri, &algorithm.hash_bytes(&[body])]),
    };
    let session = algorithm.is_session().then(|| algorithm.hash(&[ha1, nonce, cnonce]));
    let ha1 = session.as_deref().unwrap_or(ha1);
    algorithm.hash(&[ha1, nonce, &format!("{nc:08x}"), cnonce, protection.name(), &ha2])
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// The parameters of a value, names in lower case, values without their quotes and escapes.
struct Params(Vec<(String, String)>);

impl Params {
    fn parse(value: &str) -> Result<Self, DigestError> {
        if value.len() > DIGEST_VALUE_MAX {
            return Err(DigestError::Malformed { what: "longer than 4096 bytes" });
        }
        let (scheme, mut rest) = value.trim_start().split_once([' ', '\t']).ok_or(DigestError::OtherScheme)?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return Err(DigestError::OtherScheme);
        }
        let mut params: Vec<(String, String)> = Vec::with_capacity(12);
        loop {
            rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
            if rest.is_empty() {
                return Ok(Self(params));
            }
            let (name, after) =
                rest.split_once('=').ok_or(DigestError::Malformed { what: "a parameter without a value" })?;
            let name = name.trim().to_ascii_lowercase();
            let (text, after) = one_value(after.trim_start())?;
            rest = after;
            if params.len() == PARAMS_MAX {
                return Err(DigestError::Malformed { what: "more than 32 parameters" });
            }
            if params.iter().any(|(known, _)| *known == name) {
                return Err(DigestError::Malformed { what: "a parameter twice" });
            }
            params.push((name, text));
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn need(&self, name: &str, what: &'static str) -> Result<&str, DigestError> {
        self.get(name).ok_or(DigestError::Malformed { what })
    }

    fn algorithm(&self) -> Result<Algorithm, DigestError> {
        let Some(name) = self.get("algorithm") else { return Ok(Algorithm::Md5) };
        let known = Algorithm::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name));
        known.ok_or(DigestError::Unsupported { what: "an algorithm that is none of MD5, SHA-256 and SHA-512-256" })
    }
}

/// A token or quoted string at the start of `text`, and what follows its comma.
fn one_value(text: &str) -> Result<(String, &str), DigestError> {
    let Some(inside) = text.strip_prefix('"') else {
        let (token, rest) = text.split_once(',').unwrap_or((text, ""));
        return Ok((token.trim().to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let rest = inside.get(at + 1..).unwrap_or_default().trim_start();
                return match rest.strip_prefix(',') {
                    Some(rest) => Ok((value, rest)),
                    None if rest.is_empty() => Ok((value, rest)),
                    None => Err(DigestError::Malformed { what: "text after a quoted value" }),
                };
            }
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    Err(DigestError::Malformed { what: "an open quote" })
}
