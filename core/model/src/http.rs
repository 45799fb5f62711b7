//! Requests to services of the web, as actions make them of a source of the office.

use serde::{Deserialize, Serialize};

/// What is asked of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// A source of the office, by name.
    pub source: String,
    /// The method.
    pub method: HttpMethod,
    /// Below the source's base address: segments with `/` between them, as they are read, not escaped; at most 1,024 bytes.
    pub path: String,
    /// Names and values, not escaped; at most 32, 4,096 bytes in all.
    pub query: Vec<(String, String)>,
    /// A document of JSON; at most 65,536 bytes.
    pub body: Option<String>,
}

/// A method of HTTP (RFC 9110 section 9, RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Does something, each time anew.
    Post,
    /// Puts something in the place of another.
    Put,
    /// Changes a part.
    Patch,
    /// Takes away.
    Delete,
}

impl HttpMethod {
    /// All, as documents write them.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("get", Self::Get),
        ("post", Self::Post),
        ("put", Self::Put),
        ("patch", Self::Patch),
        ("delete", Self::Delete),
    ];

    /// As requests have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether asking twice does no more than asking once, and changes nothing (RFC 9110 section 9.2.1).
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get)
    }
}

/// What a source answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// The status: 200 to 599. Redirections are not followed.
    pub status: u16,
    /// Of the body, as the source says it; empty when it says nothing.
    pub content_type: String,
    /// UTF-8; as long as the source may answer at most.
    pub body: String,
}

/// Why there is no answer of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpError {
    /// The office has no such source, or it may not be asked so, with the reason.
    Denied(String),
    /// It did not answer in its time. What changes something may have been done.
    TimeOver,
    /// It cannot be reached, or was not just now and is left alone for a while; nothing was asked. With the reason.
    Unreachable(String),
    /// The connection broke after the request was sent. What changes something may have been done. With the reason.
    Broken(String),
    /// It has as many requests as it may have at once.
    Busy,
    /// The answer is longer than it may be, in bytes.
    TooLong(u32),
    /// The answer is no text.
    NoText,
    /// A parameter is out of its range, with the range.
    Invalid(String),
}
