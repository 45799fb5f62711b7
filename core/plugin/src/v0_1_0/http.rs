//! Capability `http`.

use super::bindings::plugboard::switch::{http as wit, types};
use super::{mail, words};
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{HostCall, HostResult, HttpError, HttpMethod, HttpRequest, OutgoingPost};

/// Bytes of a source's name.
const SOURCE_BYTES: std::ops::RangeInclusive<usize> = 1..=64;
/// Bytes of a path.
const PATH_BYTES_MAX: usize = 1_024;
/// Names and values of a query, and their bytes.
const QUERY_MAX: usize = 32;
const QUERY_BYTES_MAX: usize = 4_096;
/// Bytes of a body.
const BODY_BYTES_MAX: usize = 65_536;

impl wit::Host for Guest {
    async fn send(&mut self, request: wit::Request) -> wasmtime::Result<Result<wit::Response, wit::HttpError>> {
        let request = match read(request) {
            Ok(request) => request,
            Err(fault) => return Ok(Err(wit::HttpError::Invalid(fault))),
        };
        let HostResult::Responded(done) = self.ask(HostCall::Http(request)).await? else {
            return Err(wrong_answer("http.send"));
        };
        Ok(done
            .map(|response| wit::Response {
                status: response.status,
                content_type: response.content_type,
                body: response.body,
            })
            .map_err(|why| match why {
                HttpError::Denied(reason) => wit::HttpError::Denied(reason),
                HttpError::TimeOver => wit::HttpError::TimeOver,
                HttpError::Unreachable(reason) => wit::HttpError::Unreachable(reason),
                HttpError::Broken(reason) => wit::HttpError::Broken(reason),
                HttpError::Busy => wit::HttpError::Busy,
                HttpError::TooLong(bytes) => wit::HttpError::TooLong(bytes),
                HttpError::NoText => wit::HttpError::NoText,
                HttpError::Invalid(which) => wit::HttpError::Invalid(which),
            }))
    }

    async fn post_later(
        &mut self,
        source: String,
        path: String,
        body: String,
    ) -> wasmtime::Result<Result<String, types::NoticeError>> {
        let fits = fits_source(&source).and_then(|()| fits_path(&path));
        if let Err(fault) =
            fits.and_then(|()| words::in_range("the bytes of body", body.len(), 0..=BODY_BYTES_MAX).map(drop))
        {
            return Ok(Err(types::NoticeError::Invalid(fault)));
        }
        mail::told(self.ask(HostCall::PostLater(OutgoingPost { source, path, body })).await?, "http.post-later")
    }
}

fn read(request: wit::Request) -> Result<HttpRequest, String> {
    let method = match request.method {
        wit::Method::Get => HttpMethod::Get,
        wit::Method::Post => HttpMethod::Post,
        wit::Method::Put => HttpMethod::Put,
        wit::Method::Patch => HttpMethod::Patch,
        wit::Method::Delete => HttpMethod::Delete,
    };
    fits_source(&request.source)?;
    fits_path(&request.path)?;
    words::in_range("the entries of query", request.query.len(), 0..=QUERY_MAX)?;
    let bytes = request.query.iter().map(|(name, value)| name.len() + value.len()).sum();
    words::in_range("the bytes of query", bytes, 0..=QUERY_BYTES_MAX)?;
    if let Some(body) = &request.body {
        words::in_range("the bytes of body", body.len(), 0..=BODY_BYTES_MAX)?;
        if method == HttpMethod::Get {
            return Err("body: get has none".into());
        }
    }
    let wit::Request { source, path, query, body, .. } = request;
    Ok(HttpRequest { source, method, path, query, body })
}

fn fits_source(source: &str) -> Result<(), String> {
    words::in_range("the bytes of source", source.len(), SOURCE_BYTES).map(drop)
}

fn fits_path(path: &str) -> Result<(), String> {
    let segments: Vec<&str> = path.split('/').collect();
    // What parsers of addresses leave out would make other segments of these.
    if path.chars().any(char::is_control) {
        return Err(format!("path {}: it has control characters", words::cut(path)));
    }
    let empty = segments.iter().rev().skip(1).any(|segment| segment.is_empty());
    if empty || segments.iter().any(|segment| matches!(*segment, "." | "..")) {
        return Err(format!("path {}: segments with / between them, none of them empty, . or ..", words::cut(path)));
    }
    words::in_range("the bytes of path", path.len(), 0..=PATH_BYTES_MAX).map(drop)
}
