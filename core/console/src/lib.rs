//! The HTTP side of the switch: metrics, health, and orders to send faxes where there are tokens for it.
//!
//! | path | what |
//! | --- | --- |
//! | `/metrics` | Prometheus text; off loopback only with the token |
//! | `/healthz` | 200 while the process answers |
//! | `/readyz` | 200 while new calls can be taken, else 503; each condition with its reason |
//! | `/api/v1/` | [`faxes`], [`scenarios`]; only where there are tokens |

mod access;
pub mod faxes;
pub mod scenarios;

pub use access::{Fault, Token};

use crate::access::Tokens;
use crate::faxes::{Api, Desk};
use crate::scenarios::{Scenarios, Workshop};
use actix_web::dev::ServerHandle;
use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use plugboard_metrics::{Metrics, Readiness};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// Connections at once: scrapers, probes and programs, not people.
const CONNECTIONS_MAX: usize = 64;

/// Stops the HTTP side.
#[derive(Debug)]
pub struct Handle(ServerHandle);

impl Handle {
    /// Ends it; requests under way are cut.
    pub async fn stop(self) {
        self.0.stop(false).await;
    }
}

struct State {
    metrics: Metrics,
    readiness: Readiness,
    token: Option<String>,
}

/// Serves until [`Handle::stop`], on a thread of its own; answers with the bound address (port 0 takes a free one).
///
/// With a `token`, `/metrics` wants `Authorization: Bearer TOKEN`; the health pages never do. The API is there only with `tokens`, each of
/// which opens one office.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(
    listen: SocketAddr,
    metrics: Metrics,
    readiness: Readiness,
    token: Option<String>,
    (desk, workshop, tokens): (Desk, Arc<dyn Workshop>, Vec<Token>),
) -> io::Result<(SocketAddr, Handle)> {
    let state = web::Data::from(Arc::new(State { metrics, readiness, token }));
    let is_open = !tokens.is_empty();
    let tokens = Tokens(tokens);
    let scenarios = web::Data::new(Scenarios::new(tokens.clone(), workshop));
    let api = web::Data::new(Api { desk, tokens });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(api.clone())
            .app_data(scenarios.clone())
            .configure(|config| {
                if is_open {
                    faxes::routes(config);
                    scenarios::routes(config);
                }
            })
            .route("/metrics", web::get().to(metrics_text))
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz))
    })
    .workers(1)
    .max_connections(CONNECTIONS_MAX)
    .disable_signals()
    .bind(listen)?;
    let address = server.addrs().first().copied().unwrap_or(listen);
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Ok((address, Handle(handle)))
}

async fn metrics_text(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    if !allowed(&request, &state) {
        return HttpResponse::Unauthorized()
            .insert_header((header::WWW_AUTHENTICATE, "Bearer"))
            .body("send the token: Authorization: Bearer TOKEN\n");
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(state.metrics.render())
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

async fn readyz(state: web::Data<State>) -> HttpResponse {
    let report = state.readiness.report();
    let mut response = if report.ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.content_type("text/plain; charset=utf-8").body(report.text())
}

/// The token is compared in full, whatever its first difference, so that its letters cannot be guessed one by one.
fn allowed(request: &HttpRequest, state: &State) -> bool {
    let Some(token) = &state.token else { return true };
    let sent = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    let same_length = sent.len() == token.len();
    let difference = sent.bytes().zip(token.bytes()).fold(0, |found, (a, b)| found | (a ^ b));
    same_length && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;
    use actix_web::test::TestRequest;
    use plugboard_metrics::Condition;

    fn state(token: Option<&str>) -> web::Data<State> {
        let token = token.map(str::to_owned);
        web::Data::new(State { metrics: Metrics::new(), readiness: Readiness::default(), token })
    }

    #[actix_web::test]
    async fn metrics_off_loopback_need_the_token() {
        let state = state(Some("secret"));
        let without = metrics_text(TestRequest::default().to_http_request(), state.clone()).await;
        assert_eq!(without.status(), 401);
        let wrong = TestRequest::default().insert_header(("Authorization", "Bearer secres")).to_http_request();
        assert_eq!(metrics_text(wrong, state.clone()).await.status(), 401);
        let right = TestRequest::default().insert_header(("Authorization", "Bearer secret")).to_http_request();
        let answer = metrics_text(right, state).await;
        assert_eq!(answer.status(), 200);
        let text = to_bytes(answer.into_body()).await.unwrap();
        assert!(String::from_utf8_lossy(&text).contains("# TYPE plugboard_calls_active gauge"));
    }

    #[actix_web::test]
    async fn readyz_says_why_it_is_not_ready() {
        let state = state(None);
        state.readiness.clear(&Condition::Starting);
        assert_eq!(readyz(state.clone()).await.status(), 200);
        state.readiness.set(Condition::Draining, "the switch ends");
        let answer = readyz(state).await;
        assert_eq!(answer.status(), 503);
        let text = to_bytes(answer.into_body()).await.unwrap();
        assert!(String::from_utf8_lossy(&text).contains("the switch ends"));
    }
}
