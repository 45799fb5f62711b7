//! Services of the web in an office document.

use super::{Owner, Parts};
use crate::{BaseUrl, HttpLogin, HttpSource};
use plugboard_document::{Field, Fields};
use plugboard_model::{HttpMethod, Name};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Services that one office asks.
pub(crate) const SOURCES_MAX: usize = 32;
/// A caller waits for it.
pub(crate) const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(30);
/// What fails four times in a few seconds is down.
pub(crate) const RETRIES_MAX: i64 = 3;
/// As many calls as an office has.
pub(crate) const AT_ONCE_MAX: i64 = 256;
/// An answer is kept in the journal of its call.
pub(crate) const BYTES: RangeInclusive<i64> = 1_024..=262_144;
/// Bytes of a user's or a header's name.
const NAME_MAX: usize = 128;

impl Parts<'_> {
    /// `[{ id, url, login, methods, timeout, retries, at_once, bytes, private }]`.
    pub(crate) fn http(&mut self, field: Option<Field<'_>>) -> BTreeMap<Name, Arc<HttpSource>> {
        let mut sources = BTreeMap::new();
        for item in self.items(field, SOURCES_MAX) {
            let Some((id, mut fields)) = self.named(&item) else { continue };
            let source = self.http_source(&id, &mut fields);
            fields.finish(self.faults);
            if let Some(source) = source
                && sources.insert(id, Arc::new(source)).is_some()
            {
                self.twice(&item);
            }
        }
        sources
    }

    fn http_source(&mut self, id: &Name, fields: &mut Fields<'_>) -> Option<HttpSource> {
        let url = fields.need("url", self.faults);
        let base = url.as_ref().and_then(|field| {
            let text = field.text(self.faults)?;
            let read = BaseUrl::parse(&text);
            read.map_err(|why| field.fault(self.faults, format!("{text:?} {why}"), "write https://crm.example.com/api"))
                .ok()
        });
        let login = fields.take("login").and_then(|field| self.http_login(id, &field));
        let methods = fields.take("methods").map(|field| {
            let items = field.list(HttpMethod::WORDS.len(), self.faults);
            if items.is_empty() {
                field.fault(
                    self.faults,
                    "a source that may be asked nothing is none",
                    "write [get], or take the source out",
                );
            }
            items.iter().filter_map(|item| item.one_of(&HttpMethod::WORDS, self.faults)).collect()
        });
        let timeout = fields.take("timeout").and_then(|field| field.duration(TIMEOUT, self.faults));
        let retries = self.count(fields, "retries", 0..=RETRIES_MAX, HttpSource::RETRIES);
        let at_once = self.count(fields, "at_once", 1..=AT_ONCE_MAX, HttpSource::AT_ONCE);
        let bytes_max = self.count(fields, "bytes", BYTES, HttpSource::BYTES_MAX);
        let private = fields.take("private").and_then(|field| field.boolean(self.faults)).unwrap_or_default();
        let base = base?;
        if base.is_open()
            && !private
            && let Some(field) = url
        {
            let remedy = "use https://, or write `private: true` for a service of your own network";
            field.fault(
                self.faults,
                "what callers say of themselves, and the secret, would be sent in the clear",
                remedy,
            );
        }
        Some(HttpSource {
            id: id.clone(),
            base,
            login,
            methods: methods.unwrap_or_else(|| [HttpMethod::Get].into()),
            timeout: timeout.unwrap_or(HttpSource::TIMEOUT),
            retries,
            at_once,
            bytes_max,
            private,
        })
    }

    /// `{ bearer }`, `{ user, password }`, `{ header, value }` or `{ path }`.
    fn http_login(&mut self, id: &Name, field: &Field<'_>) -> Option<HttpLogin> {
        let owner = format!("http/{id}");
        let mut fields = field.fields(self.faults)?;
        let (bearer, header, value) = (fields.take("bearer"), fields.take("header"), fields.take("value"));
        let (user, password, path) = (fields.take("user"), fields.take("password"), fields.take("path"));
        fields.finish(self.faults);
        let given = [&bearer, &user, &password, &header, &value, &path].iter().filter(|field| field.is_some()).count();
        if let Some(path) = path.filter(|_| given == 1) {
            return self.http_path(&path, &owner);
        }
        match (
            bearer.filter(|_| given == 1),
            user.zip(password).filter(|_| given == 2),
            header.zip(value).filter(|_| given == 2),
        ) {
            (Some(secret), None, None) => self.secret(&secret, Owner::Http(&owner)).map(HttpLogin::Bearer),
            (None, Some((user, password)), None) => {
                let name = user.text(self.faults)?;
                if name.is_empty() || name.len() > NAME_MAX || name.contains(|c: char| c == ':' || c.is_control()) {
                    user.fault(self.faults, "no service takes such a user", "1 to 128 bytes without a colon");
                }
                let password = self.secret(&password, Owner::Http(&owner))?;
                Some(HttpLogin::Basic { user: name, password })
            }
            (None, None, Some((header, value))) => {
                let name = header.text(self.faults)?;
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
                // What makes up the message itself is not the admin's to say.
                let own =
                    ["host", "content-length", "transfer-encoding", "connection", "content-type", "idempotency-key"];
                if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(fits) {
                    header.fault(self.faults, format!("{name:?} is no name of a header"), "write X-Api-Key");
                } else if own.iter().any(|own| name.eq_ignore_ascii_case(own)) {
                    header.fault(
                        self.faults,
                        format!("{name} is written by the switch"),
                        "name the header of the secret",
                    );
                }
                let value = self.secret(&value, Owner::Http(&owner))?;
                Some(HttpLogin::Header { name, value })
            }
            (Some(_) | None, Some(_) | None, Some(_) | None) => {
                let forms = "a login is { bearer }, { user, password }, { header, value } or { path }";
                field.fault(self.faults, forms, "write one of them");
                None
            }
        }
    }

    /// `1/abc123`: segments that no address has to escape.
    fn http_path(&mut self, field: &Field<'_>, owner: &str) -> Option<HttpLogin> {
        let secret = self.secret(field, Owner::Http(owner))?;
        let plain = |segment: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            !segment.is_empty() && !segment.bytes().all(|byte| byte == b'.') && segment.bytes().all(fits)
        };
        if !secret.reveal().split('/').all(plain) {
            field.fault(
                self.faults,
                "this is no part of an address",
                "write segments of letters and digits with / between them",
            );
        }
        Some(HttpLogin::Path(secret))
    }
}
