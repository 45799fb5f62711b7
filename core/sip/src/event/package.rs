//! What can be asked for, and what is told.

use super::dialog_info::DialogInfo;
use super::features::Features;
use super::presence::Presence;
use super::summary::Messages;
use crate::message::Request;
use crate::params::Params;
use crate::rejection::Rejection;
use std::time::Duration;

/// The value of Allow-Events.
pub const ALLOW_EVENTS: &str = "dialog, presence, message-summary, as-feature-event";

/// More bodies than one in a NOTIFY.
const MULTIPART: &str = "multipart/mixed";
/// What no part of ours has in it.
const BOUNDARY: &str = "plugboard-part";

/// An event package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Package {
    /// The calls of a user or a group (RFC 4235): lamps.
    Dialog,
    /// How a user is (RFC 3856).
    Presence,
    /// The messages that wait for him (RFC 3842).
    Messages,
    /// His do-not-disturb and his forwards, which he may change by the same way (feature key synchronisation).
    Features,
}

/// What is told of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Of [`Package::Dialog`].
    Dialogs(DialogInfo),
    /// Of [`Package::Presence`].
    Presence(Presence),
    /// Of [`Package::Messages`].
    Messages(Messages),
    /// Of [`Package::Features`].
    Features(Features),
}

/// A body with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The value of Content-Type.
    pub content_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How a subscriber wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A body a NOTIFY.
    Single,
    /// Several bodies in one, where there are several.
    Multipart,
}

impl Package {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Dialog, Self::Presence, Self::Messages, Self::Features];

    /// Its name in Event.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dialog => "dialog",
            Self::Presence => "presence",
            Self::Messages => "message-summary",
            Self::Features => "as-feature-event",
        }
    }

    /// The type of its bodies.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Dialog => "application/dialog-info+xml",
            Self::Presence => "application/pidf+xml",
            Self::Messages => "application/simple-message-summary",
            Self::Features => "application/x-as-feature-event+xml",
        }
    }

    /// The shortest time between two NOTIFYs of one subscription. A second is what RFC 4235 section 3.10 has for lamps;
    /// RFC 3856 section 6.10 has five for presence, by which nobody who looks for a free colleague is served. A phone's own
    /// keys are to follow at once.
    pub(super) const fn pause(self) -> Duration {
        match self {
            Self::Dialog | Self::Presence | Self::Messages => Duration::from_secs(1),
            Self::Features => Duration::from_millis(200),
        }
    }

    /// The package that a SUBSCRIBE or PUBLISH names.
    ///
    /// # Errors
    /// 489 with what there is.
    ///
    /// Source: RFC 6665 section 7.2.1.
    pub fn of(request: &Request) -> Result<Self, Rejection> {
        let mut events = request.headers.get_all("Event");
        let name = match (events.next(), events.next()) {
            (Some(event), None) => event.split(';').next().unwrap_or_default().trim(),
            (None, _) | (Some(_), Some(_)) => "",
        };
        let known = Self::ALL.into_iter().find(|package| package.name() == name);
        known.ok_or_else(|| Rejection::of(489).with("Allow-Events", ALLOW_EVENTS))
    }

    /// How this request wants to be told.
    ///
    /// # Errors
    /// 406 when it takes nothing that the package has.
    ///
    /// Source: RFC 6665 section 4.1.3 (without Accept, the package's own type).
    pub(super) fn form(self, request: &Request) -> Result<Form, Rejection> {
        if !request.headers.contains("Accept") {
            return Ok(Form::Single);
        }
        let ranges = request.headers.tokens("Accept");
        let takes = |content_type: &str| ranges.iter().any(|range| fits(range, content_type));
        if !takes(self.content_type()) {
            return Err(Rejection::of(406).with("Accept", self.content_type()));
        }
        Ok(if self == Self::Features && takes(MULTIPART) { Form::Multipart } else { Form::Single })
    }
}

/// The value of Event for our NOTIFYs: the package and the `id` by which the subscriber tells them apart (RFC 6665 section
/// 8.2.1).
pub(super) fn event_value(package: Package, request: &Request) -> String {
    let id = request.headers.get("Event").and_then(|event| {
        let params = event.get(event.find(';')?..)?;
        Params::parse(params)?.get("id").flatten()
    });
    match id {
        Some(id) => format!("{};id={id}", package.name()),
        None => package.name().to_owned(),
    }
}

impl Content {
    /// Whose package it is of.
    pub const fn package(&self) -> Package {
        match self {
            Self::Dialogs(_) => Package::Dialog,
            Self::Presence(_) => Package::Presence,
            Self::Messages(_) => Package::Messages,
            Self::Features(_) => Package::Features,
        }
    }

    /// The bodies that tell it, each for a NOTIFY of its own. `version` counts those of one subscription.
    pub(super) fn bodies(&self, form: Form, version: u32) -> Vec<Body> {
        let body = |bytes| Body { content_type: self.package().content_type().to_owned(), bytes };
        match self {
            Self::Dialogs(dialogs) => vec![body(dialogs.write(version))],
            Self::Presence(presence) => vec![body(presence.write())],
            Self::Messages(messages) => vec![body(messages.write())],
            Self::Features(features) => {
                let parts: Vec<Body> = features.write().into_iter().map(body).collect();
                match form {
                    Form::Single => parts,
                    Form::Multipart => vec![multipart(&parts)],
                }
            }
        }
    }
}

fn multipart(parts: &[Body]) -> Body {
    let mut bytes = Vec::new();
    for part in parts {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            part.content_type,
            part.bytes.len()
        );
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&part.bytes);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    Body { content_type: format!("{MULTIPART};boundary={BOUNDARY}"), bytes }
}

/// Whether a range of Accept has a type in it.
fn fits(range: &str, content_type: &str) -> bool {
    let range = range.split(';').next().unwrap_or_default().trim();
    if range == "*/*" || range.eq_ignore_ascii_case(content_type) {
        return true;
    }
    match (range.split_once('/'), content_type.split_once('/')) {
        (Some((kind, "*")), Some((own, _))) => kind.eq_ignore_ascii_case(own),
        (Some(_) | None, Some(_) | None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::uri::RequestUri;

    fn request(headers: &[(&str, &str)]) -> Request {
        let mut request = Request::new(Method::Subscribe, RequestUri::parse("sip:102@h").unwrap());
        for (name, value) in headers {
            request.headers.push(name, *value);
        }
        request
    }

    #[test]
    fn the_package_is_named_by_event_with_or_without_parameters() {
        assert_eq!(Package::of(&request(&[("Event", "dialog")])).unwrap(), Package::Dialog);
        let with_id = request(&[("o", "presence ; id=7;x=y")]);
        assert_eq!(Package::of(&with_id).unwrap(), Package::Presence);
        assert_eq!(event_value(Package::Presence, &with_id), "presence;id=7");
        assert_eq!(event_value(Package::Dialog, &request(&[("Event", "dialog;sla")])), "dialog");
        for bad in
            [request(&[]), request(&[("Event", "refer")]), request(&[("Event", "dialog"), ("Event", "presence")])]
        {
            let refused = Package::of(&bad).unwrap_err();
            assert_eq!((refused.status, refused.headers), (489, vec![("Allow-Events", ALLOW_EVENTS.to_owned())]));
        }
    }

    #[test]
    fn accept_is_honoured() {
        let form = |package: Package, accept: &str| package.form(&request(&[("Accept", accept)]));
        assert_eq!(Package::Dialog.form(&request(&[])).unwrap(), Form::Single);
        assert_eq!(form(Package::Dialog, "application/xml, Application/Dialog-Info+xml;q=1").unwrap(), Form::Single);
        assert_eq!(form(Package::Presence, "application/*").unwrap(), Form::Single);
        assert_eq!(form(Package::Features, "*/*").unwrap(), Form::Multipart);
        assert_eq!(form(Package::Features, "application/x-as-feature-event+xml").unwrap(), Form::Single);
        for nothing in ["", "text/*", "application/sdp"] {
            let refused = form(Package::Dialog, nothing).unwrap_err();
            let told = vec![("Accept", "application/dialog-info+xml".to_owned())];
            assert_eq!((refused.status, refused.headers), (406, told));
        }
    }
}
