//! Services of the web, as the switch asks them and as they are asked.

use plugboard_model::{HttpError, HttpResponse};
use plugboard_office::{HttpLogin, HttpSource};
use plugboard_outside::http::{Asker, Body, NoResponse, Request, Response};
use plugboard_switch::{Web, WebReply, WebRequest};
use std::path::Path;

/// The switch's way to services of the web.
pub(crate) struct Services(Asker);

impl Services {
    /// Trusted by these roots or the system's.
    ///
    /// # Errors
    /// What is lacking: certificates, a thread.
    pub(crate) fn start(roots: Option<&Path>) -> Result<Self, String> {
        Asker::start(roots).map(Self).map_err(|error| error.to_string())
    }

    /// Who asks, for whoever else asks the same services.
    pub(crate) fn asker(&self) -> Asker {
        self.0.clone()
    }
}

/// A user and a password.
pub(crate) type Basic = Option<(String, String)>;

/// What a source is shown with each request: headers, and a user with a password.
pub(crate) fn shown(source: &HttpSource) -> (Vec<(String, String)>, Basic) {
    let mut headers = vec![("Accept".to_owned(), "application/json, text/*;q=0.5".to_owned())];
    let mut basic = None;
    match source.login.as_ref().map(|login| (login, login.secret().reveal().to_owned())) {
        Some((HttpLogin::Bearer(_), secret)) => headers.push(("Authorization".into(), format!("Bearer {secret}"))),
        Some((HttpLogin::Header { name, .. }, secret)) => headers.push((name.clone(), secret)),
        Some((HttpLogin::Basic { user, .. }, secret)) => basic = Some((user.clone(), secret)),
        // It is a part of the address.
        Some((HttpLogin::Path(_), _)) | None => {}
    }
    (headers, basic)
}

impl Web for Services {
    fn ask(&self, asked: WebRequest, reply: WebReply) {
        let WebRequest { office, source, request, key } = asked;
        let (mut headers, basic) = shown(&source);
        if !request.method.is_safe() {
            headers.push(("Idempotency-Key".into(), key));
        }
        let bytes_max = source.bytes_max;
        let request = Request {
            site: format!("{office}/{}", source.id),
            base: source.address(),
            path: request.path,
            query: request.query,
            method: request.method.as_str(),
            headers,
            basic,
            body: request.body.map(Body::Json),
            timeout: source.timeout,
            retries: source.retries,
            bytes_max,
            at_once: source.at_once,
            private: source.private,
        };
        let told = move |answer: Result<Response, NoResponse>| {
            let answer =
                answer.map(|Response { status, content_type, body }| HttpResponse { status, content_type, body });
            reply(answer.map_err(|why| match why {
                NoResponse::TimeOver => HttpError::TimeOver,
                NoResponse::Unreachable(reason) => HttpError::Unreachable(reason),
                NoResponse::Broken(reason) => HttpError::Broken(reason),
                NoResponse::Busy => HttpError::Busy,
                NoResponse::TooLong => HttpError::TooLong(bytes_max),
                NoResponse::NoText => HttpError::NoText,
            }));
        };
        self.0.ask(request, Box::new(told));
    }
}
