//! Who may ask over HTTP, and what is said to whoever may not.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use plugboard_model::OfficeId;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// A program that may do something for an office.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is called in the log.
    pub name: String,
    /// Of which office.
    pub office: OfficeId,
    /// The SHA-256 of what it shows.
    pub sha256: [u8; 32],
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("name", &self.name).field("office", &self.office).finish_non_exhaustive()
    }
}

/// All that are known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens(pub(crate) Vec<Token>);

impl Tokens {
    /// Whose request it is. All tokens are compared, each in full, so that nothing can be learned from the time it takes.
    pub(crate) fn office(&self, request: &HttpRequest) -> Result<OfficeId, Fault> {
        let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let sum: [u8; 32] = Sha256::digest(shown.as_bytes()).into();
        let mut found = None;
        for token in &self.0 {
            let difference = token.sha256.iter().zip(sum).fold(0, |all, (one, other)| all | (one ^ other));
            if difference == 0 {
                found = Some(token);
            }
        }
        let Some(token) = found.filter(|_| !shown.is_empty()) else {
            return Err(Fault::new(
                401,
                "Authorization",
                "there is no such token",
                "send `Authorization: Bearer TOKEN`",
            ));
        };
        if request.match_info().get("office") != Some(token.office.0.as_str()) {
            return Err(Fault::new(403, "office", "the token is not for this office", "use a token of the office"));
        }
        Ok(token.office.clone())
    }
}

/// Why something was not done: where, why, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The status of HTTP.
    pub status: u16,
    /// A field, a header, the body.
    pub place: &'static str,
    /// Why.
    pub reason: String,
    /// What can be done; empty: nothing that we know.
    pub remedy: &'static str,
}

impl Fault {
    pub(crate) fn new(status: u16, place: &'static str, reason: impl Into<String>, remedy: &'static str) -> Self {
        Self { status, place, reason: reason.into(), remedy }
    }

    pub(crate) fn response(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        if self.status == 401 {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if matches!(self.status, 429 | 503) {
            response.insert_header((header::RETRY_AFTER, "30"));
        }
        let Self { place, reason, remedy, .. } = self;
        response.json(json!({ "error": { "place": place, "reason": reason, "remedy": remedy } }))
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { place, reason, remedy, .. } = self;
        write!(f, "{place}: {reason}")?;
        if remedy.is_empty() { Ok(()) } else { write!(f, " ({remedy})") }
    }
}
