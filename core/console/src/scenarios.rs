//! What scenarios may be made of, and what they would do, for programs that have a token of an office.
//!
//! | request below `/api/v1/offices/OFFICE` | what |
//! | --- | --- |
//! | `GET /actions` | the installed actions: texts in all their languages, parameters, outcomes, events, variables, capabilities |
//! | `POST /simulate` | lets a call happen that nobody makes ([`Wish`], JSON); the answer is that of `plugboard simulate --json` |
//! | `GET /versions` | the versions that were applied, newest first: when, by what, why; `?limit=` up to [`VERSIONS_MAX`] |
//! | `GET /versions/A/diff/B` | what came, went and changed from version A to version B, without secrets; the answer is that of `plugboard diff --json` |

use actix_web::{HttpRequest, HttpResponse, web};
use plugboard_model::OfficeId;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

use crate::access::{Fault, Tokens};

/// Simulations at once: each has a processor for itself.
const SIMULATIONS_MAX: usize = 1;
/// Bytes of a request: a scenario has at most 2,000 steps.
const REQUEST_MAX: usize = 1 << 20;
/// Calls of one exploration over HTTP.
pub const CALLS_MAX: usize = 1_000;

/// Versions in one answer.
pub const VERSIONS_MAX: usize = 1_000;
/// Versions in one answer, if nobody says it.
const VERSIONS: usize = 20;

/// What is to be simulated.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// A scenario of the office by name; without one and without a draft its routes decide.
    pub scenario: Option<String>,
    /// ... or a scenario's text (YAML or JSON), which nobody has applied.
    pub draft: Option<String>,
    /// A call file: who calls, when, and what everybody does.
    #[serde(default)]
    pub call: Value,
    /// Every way that the call can go.
    #[serde(default)]
    pub explore: bool,
    /// In so many calls at most: 1 to [`CALLS_MAX`].
    pub calls: Option<usize>,
}

/// Who answers: the server.
pub trait Workshop: Send + Sync {
    /// The installed actions.
    fn actions(&self) -> Value;
    /// Simulates; may take a minute.
    ///
    /// # Errors
    /// Every fault of the office, the draft or the call, in words.
    fn simulate(&self, office: &OfficeId, wish: &Wish) -> Result<Value, Vec<String>>;
    /// The versions of an office that were applied, newest first, at most so many. Reads the disk.
    ///
    /// # Errors
    /// None is kept, in words.
    fn versions(&self, office: &OfficeId, limit: usize) -> Result<Value, String>;
    /// What differs between two of them. Reads the disk.
    ///
    /// # Errors
    /// One of them is not kept, in words.
    fn difference(&self, office: &OfficeId, from: u64, to: u64) -> Result<Value, String>;
}

/// What the handlers share.
pub(crate) struct Scenarios {
    pub(crate) tokens: Tokens,
    pub(crate) workshop: Arc<dyn Workshop>,
    places: Arc<Semaphore>,
}

impl Scenarios {
    pub(crate) fn new(tokens: Tokens, workshop: Arc<dyn Workshop>) -> Self {
        Self { tokens, workshop, places: Arc::new(Semaphore::new(SIMULATIONS_MAX)) }
    }
}

/// The routes.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/api/v1/offices/{office}/actions")
                .route(web::get().to(actions))
                .default_service(web::to(only_get)),
        )
        .service(
            web::resource("/api/v1/offices/{office}/simulate")
                .route(web::post().to(simulate))
                .default_service(web::to(only_post)),
        )
        .service(
            web::resource("/api/v1/offices/{office}/versions")
                .route(web::get().to(versions))
                .default_service(web::to(only_get)),
        )
        .service(
            web::resource("/api/v1/offices/{office}/versions/{from}/diff/{to}")
                .route(web::get().to(difference))
                .default_service(web::to(only_get)),
        );
}

async fn only_get() -> HttpResponse {
    Fault::new(405, "method", "this is not done here", "GET asks").response()
}

async fn only_post() -> HttpResponse {
    Fault::new(405, "method", "this is not done here", "POST simulates").response()
}

async fn actions(request: HttpRequest, scenarios: web::Data<Scenarios>) -> HttpResponse {
    match scenarios.tokens.office(&request) {
        Ok(_) => HttpResponse::Ok().json(scenarios.workshop.actions()),
        Err(fault) => fault.response(),
    }
}

/// Which versions are asked for.
#[derive(Debug, Deserialize)]
struct Page {
    limit: Option<usize>,
}

async fn versions(request: HttpRequest, scenarios: web::Data<Scenarios>) -> HttpResponse {
    let asked = web::Query::<Page>::from_query(request.query_string())
        .ok()
        .map(|page| page.limit.unwrap_or(VERSIONS))
        .filter(|limit| (1..=VERSIONS_MAX).contains(limit));
    match (scenarios.tokens.office(&request), asked) {
        (Ok(office), Some(limit)) => read(&scenarios, move |workshop| workshop.versions(&office, limit)).await,
        (Ok(_), None) => Fault::new(400, "limit", format!("1 to {VERSIONS_MAX} versions are told"), "").response(),
        (Err(fault), _) => fault.response(),
    }
}

async fn difference(request: HttpRequest, scenarios: web::Data<Scenarios>) -> HttpResponse {
    let version = |name: &str| request.match_info().get(name).and_then(|text| text.parse::<u64>().ok());
    match (scenarios.tokens.office(&request), version("from"), version("to")) {
        (Ok(office), Some(from), Some(to)) => {
            read(&scenarios, move |workshop| workshop.difference(&office, from, to)).await
        }
        (Ok(_), _, _) => Fault::new(400, "versions", "versions are numbers", "GET /versions lists them").response(),
        (Err(fault), _, _) => fault.response(),
    }
}

/// What the disk says, or 404.
async fn read(
    scenarios: &Scenarios,
    work: impl FnOnce(&dyn Workshop) -> Result<Value, String> + Send + 'static,
) -> HttpResponse {
    let workshop = Arc::clone(&scenarios.workshop);
    match web::block(move || work(&*workshop)).await {
        Ok(Ok(told)) => HttpResponse::Ok().json(told),
        Ok(Err(fault)) => Fault::new(404, "versions", fault, "").response(),
        Err(_) => Fault::new(503, "switch", "the switch ends just now", "ask again").response(),
    }
}

async fn simulate(request: HttpRequest, body: web::Payload, scenarios: web::Data<Scenarios>) -> HttpResponse {
    match try_simulate(&request, body, &scenarios).await {
        Ok(Ok(told)) => HttpResponse::Ok().json(told),
        Ok(Err(faults)) => HttpResponse::UnprocessableEntity().json(json!({ "faults": faults })),
        Err(fault) => fault.response(),
    }
}

async fn try_simulate(
    request: &HttpRequest,
    body: web::Payload,
    scenarios: &Scenarios,
) -> Result<Result<Value, Vec<String>>, Fault> {
    let office = scenarios.tokens.office(request)?;
    let place = Arc::clone(&scenarios.places).try_acquire_owned();
    let place = place.map_err(|_| Fault::new(503, "switch", "another simulation runs", "ask again in a moment"))?;
    let read = body.to_bytes_limited(REQUEST_MAX).await;
    let read = read.map_err(|_| Fault::new(413, "body", format!("it has more than {REQUEST_MAX} bytes"), ""))?;
    let bytes = read.map_err(|error| Fault::new(400, "body", error.to_string(), ""))?;
    let wish: Wish = serde_json::from_slice(&bytes)
        .map_err(|error| Fault::new(400, "body", error.to_string(), "send scenario or draft, call, explore, calls"))?;
    if wish.scenario.is_some() && wish.draft.is_some() {
        return Err(Fault::new(400, "draft", "a scenario is named as well", "send one of both"));
    }
    if wish.calls.is_some_and(|calls| !(1..=CALLS_MAX).contains(&calls)) {
        return Err(Fault::new(400, "calls", format!("1 to {CALLS_MAX} calls are made"), ""));
    }
    let workshop = Arc::clone(&scenarios.workshop);
    let work = move || {
        let told = workshop.simulate(&office, &wish);
        drop(place);
        told
    };
    web::block(work).await.map_err(|_| Fault::new(503, "switch", "the switch ends just now", "ask again"))
}

#[cfg(test)]
mod tests;
