//! Faxes over HTTP: ordered, asked for, withdrawn, by programs that have a token of an office.
//!
//! | request below `/api/v1/offices/OFFICE/faxes` | what |
//! | --- | --- |
//! | `POST ?from=USER&to=NUMBER` | orders one; the body is the document. `ident`, `header`, and the header `Idempotency-Key` may be added |
//! | `GET` | the newest; `to` and `limit` choose |
//! | `GET /ID` | one |
//! | `DELETE /ID` | takes one back that waits |

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use plugboard_model::{OfficeId, OrderId, OutgoingFax};
use plugboard_switch::{FaxRefused, NewFax, NotOrdered, NotWithdrawn, Switch, TakenFax};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::{Fault, Tokens};

/// Documents that are read and made ready at once: each may have many megabytes.
const UPLOADS_MAX: usize = 8;

/// ... of one office, so that none has all the places.
const UPLOADS_OF_OFFICE_MAX: usize = 2;

/// How long one may take to come.
const UPLOAD_MAX: Duration = Duration::from_secs(60);

/// Orders in one answer.
pub const ORDERS_MAX: usize = 1_000;

/// ... unless it is told.
const ORDERS: usize = 100;

/// A document that a machine can send, and its pages.
pub type Ready = (Vec<u8>, u32);

/// Makes a document ready; or says what is wrong with it and what can be done.
pub type Prepare = Arc<dyn Fn(&[u8]) -> Result<Ready, (String, &'static str)> + Send + Sync>;

/// An answer that is waited for.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Who sends faxes: the [`Switch`].
pub trait Sender: Send + Sync {
    /// As [`Switch::order_fax`].
    fn order(&self, fax: NewFax) -> Answer<'_, Result<TakenFax, FaxRefused>>;
    /// As [`Switch::fax_order`].
    fn get<'a>(&'a self, id: &'a OrderId) -> Answer<'a, Option<OutgoingFax>>;
    /// As [`Switch::fax_orders`].
    fn list<'a>(&'a self, office: &'a OfficeId, to: Option<String>, most: usize) -> Answer<'a, Vec<OutgoingFax>>;
    /// As [`Switch::withdraw_fax`].
    fn withdraw<'a>(&'a self, id: &'a OrderId) -> Answer<'a, Result<OutgoingFax, NotWithdrawn>>;
}

impl Sender for Switch {
    fn order(&self, fax: NewFax) -> Answer<'_, Result<TakenFax, FaxRefused>> {
        Box::pin(self.order_fax(fax))
    }
    fn get<'a>(&'a self, id: &'a OrderId) -> Answer<'a, Option<OutgoingFax>> {
        Box::pin(self.fax_order(id))
    }
    fn list<'a>(&'a self, office: &'a OfficeId, to: Option<String>, most: usize) -> Answer<'a, Vec<OutgoingFax>> {
        Box::pin(self.fax_orders(office, to, most))
    }
    fn withdraw<'a>(&'a self, id: &'a OrderId) -> Answer<'a, Result<OutgoingFax, NotWithdrawn>> {
        Box::pin(self.withdraw_fax(id))
    }
}

/// What is needed to take orders.
#[derive(Clone)]
pub struct Desk {
    sender: Arc<dyn Sender>,
    prepare: Prepare,
    /// Bytes of a document that are read.
    most: usize,
    places: Places,
}

/// Places for documents that come.
#[derive(Clone)]
struct Places {
    all: Arc<Semaphore>,
    /// As many as there are offices with a token.
    of_offices: Arc<Mutex<BTreeMap<OfficeId, Arc<Semaphore>>>>,
}

/// One of them, and one of all; given back when it is dropped.
type Place = (OwnedSemaphorePermit, OwnedSemaphorePermit);

impl Places {
    fn take(&self, office: &OfficeId) -> Option<Place> {
        let mut offices = self.of_offices.lock().unwrap_or_else(PoisonError::into_inner);
        let own = offices.entry(office.clone()).or_insert_with(|| Arc::new(Semaphore::new(UPLOADS_OF_OFFICE_MAX)));
        let own = Arc::clone(own).try_acquire_owned().ok()?;
        Some((own, Arc::clone(&self.all).try_acquire_owned().ok()?))
    }
}

/// What is asked for beside the document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// On whose behalf: the id or number of a user.
    pub from: String,
    /// Whom to call, as he would dial it.
    pub to: String,
    /// What the machine says of itself.
    pub ident: Option<String>,
    /// What stands at the top of each page.
    pub header: Option<String>,
}

/// Which are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    to: Option<String>,
    limit: Option<usize>,
}

impl From<FaxRefused> for Fault {
    fn from(refused: FaxRefused) -> Self {
        let reason = refused.to_string();
        match refused {
            FaxRefused::NoOffice(_) => Self::new(404, "office", reason, "name an office of `plugboard status`"),
            FaxRefused::NoUser(_) => Self::new(422, "from", reason, "name a user by his id or number"),
            FaxRefused::Invalid { field, reason } => {
                Self::new(422, if field == "key" { "Idempotency-Key" } else { field }, reason, "")
            }
            FaxRefused::NotAllowed(_) => Self::new(403, "to", reason, "let a route of the office lead there"),
            FaxRefused::NotOrdered(NotOrdered::OtherOrder(_)) => {
                Self::new(409, "Idempotency-Key", reason, "use another key for another fax")
            }
            FaxRefused::NotOrdered(NotOrdered::Full) => Self::new(429, "office", reason, "wait until some are sent"),
            FaxRefused::NotOrdered(NotOrdered::Keys) => {
                Self::new(429, "Idempotency-Key", reason, "order without a key, or wait until some are forgotten")
            }
            FaxRefused::NotKept(_) => Self::new(503, "disk", reason, "order it again with the same key"),
            FaxRefused::Ending => Self::new(503, "switch", reason, "order it again with the same key"),
        }
    }
}

impl From<NotWithdrawn> for Fault {
    fn from(refused: NotWithdrawn) -> Self {
        let reason = refused.to_string();
        match refused {
            NotWithdrawn::Unknown => Self::new(404, "id", reason, "ask for the orders of the office"),
            NotWithdrawn::Calling => Self::new(409, "id", reason, "end its call by `plugboard call hangup`, or wait"),
            NotWithdrawn::Over(_) => Self::new(409, "id", reason, ""),
        }
    }
}

impl Desk {
    /// Documents of at most so many bytes are read.
    pub fn new(sender: Arc<dyn Sender>, prepare: Prepare, most: usize) -> Self {
        let places = Places { all: Arc::new(Semaphore::new(UPLOADS_MAX)), of_offices: Arc::default() };
        Self { sender, prepare, most, places }
    }

    /// Orders a fax. The document is made ready on a thread that may wait.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn order(
        &self,
        office: OfficeId,
        wish: Wish,
        key: Option<String>,
        document: Vec<u8>,
    ) -> Result<TakenFax, Fault> {
        self.order_in(None, office, wish, key, document).await
    }

    async fn order_in(
        &self,
        place: Option<Place>,
        office: OfficeId,
        wish: Wish,
        key: Option<String>,
        document: Vec<u8>,
    ) -> Result<TakenFax, Fault> {
        let prepare = Arc::clone(&self.prepare);
        let Wish { from, to, ident, header } = wish;
        let digest =
            digest(&[&from, &to, ident.as_deref().unwrap_or("\0"), header.as_deref().unwrap_or("\0")], &document);
        // Whoever goes away meanwhile has his place until the thread is done with what he sent.
        let work = move || prepare(&document).map(|ready| (ready, place));
        let ((tiff, pages), _place) = web::block(work)
            .await
            .map_err(|_| Fault::new(503, "switch", "the switch ends just now", "order it again with the same key"))?
            .map_err(|(reason, remedy)| Fault::new(422, "document", reason, remedy))?;
        let fax = NewFax { office, from, to, ident, header, key, digest, tiff, pages };
        Ok(self.sender.order(fax).await?)
    }

    /// The newest orders.
    pub async fn list(&self, office: &OfficeId, to: Option<String>, most: usize) -> Vec<OutgoingFax> {
        self.sender.list(office, to, most.min(ORDERS_MAX)).await
    }

    /// Takes an order back.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn withdraw(&self, id: &OrderId) -> Result<OutgoingFax, Fault> {
        Ok(self.sender.withdraw(id).await?)
    }
}

/// What was ordered, in one number: each part with its length, so that none can be taken for another.
fn digest(words: &[&str], document: &[u8]) -> [u8; 32] {
    let mut sum = Sha256::new();
    for part in words.iter().map(|word| word.as_bytes()).chain([document]) {
        sum.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        sum.update(part);
    }
    sum.finalize().into()
}

/// An order as programs see it; times in milliseconds since 1970.
pub fn shown(fax: &OutgoingFax) -> Value {
    let tries: Vec<Value> = fax
        .tries
        .iter()
        .map(|one| {
            json!({
                "call": one.call.as_ref().map(ToString::to_string),
                "began": one.began.0,
                "ended": one.ended.0,
                "end": one.end.as_str(),
                "reason": one.end.reason(),
                "pages": one.pages.iter().map(|page| json!({ "page": page.page, "bit_rate": page.bit_rate, "took_ms": page.took_ms })).collect::<Vec<_>>(),
                "far_ident": one.far_ident,
                "error_correction": one.corrected,
                "t38": one.t38,
            })
        })
        .collect();
    let until = if let plugboard_model::OrderState::Waiting { until } = fax.state { Some(until.0) } else { None };
    json!({
        "id": fax.id.text(),
        "office": fax.id.office().to_string(),
        "state": fax.state.as_str(),
        "waits_until": until,
        "over": fax.state.over().map(|at| at.0),
        "ordered": fax.ordered.0,
        "key": fax.key,
        "from": fax.from.name.as_str(),
        "to": fax.to.as_str(),
        "ident": fax.ident,
        "header": fax.header,
        "pages": fax.pages,
        "pages_sent": fax.pages_sent,
        "tries": tries,
    })
}

/// What the handlers share.
pub(crate) struct Api {
    pub(crate) desk: Desk,
    pub(crate) tokens: Tokens,
}

impl Api {
    fn order(&self, request: &HttpRequest) -> Result<OrderId, Fault> {
        let office = self.tokens.office(request)?;
        let id = request.match_info().get("id").unwrap_or_default();
        OrderId::from_parts(office, id).map_err(|_| NotWithdrawn::Unknown.into())
    }
}

/// The routes.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/api/v1/offices/{office}/faxes")
                .route(web::post().to(order))
                .route(web::get().to(list))
                .default_service(web::to(no_such_method)),
        )
        .service(
            web::resource("/api/v1/offices/{office}/faxes/{id}")
                .route(web::get().to(get))
                .route(web::delete().to(withdraw))
                .default_service(web::to(no_such_method)),
        );
}

async fn no_such_method() -> HttpResponse {
    Fault::new(405, "method", "this is not done here", "POST orders, GET asks, DELETE withdraws").response()
}

async fn order(request: HttpRequest, body: web::Payload, api: web::Data<Api>) -> HttpResponse {
    match try_order(&request, body, &api).await {
        Ok(TakenFax { fax, before }) => {
            let mut response = if before { HttpResponse::Ok() } else { HttpResponse::Accepted() };
            response.insert_header((header::LOCATION, format!("{}/{}", request.path(), fax.id.text())));
            response.json(json!({ "fax": shown(&fax), "ordered_before": before }))
        }
        Err(fault) => fault.response(),
    }
}

async fn try_order(request: &HttpRequest, body: web::Payload, api: &Api) -> Result<TakenFax, Fault> {
    let office = api.tokens.office(request)?;
    let wish = web::Query::<Wish>::from_query(request.query_string());
    let wish = wish.map_err(|error| Fault::new(400, "query", error.to_string(), "send from and to"))?.into_inner();
    let key = match request.headers().get("Idempotency-Key").map(|value| value.to_str().map(str::to_owned)) {
        None => None,
        Some(Ok(key)) => Some(key),
        Some(Err(_)) => return Err(Fault::new(400, "Idempotency-Key", "it is no text of ASCII", "")),
    };
    // Whoever sends many at once waits his turn elsewhere: what is read lies in memory.
    let place = api.desk.places.take(&office).ok_or_else(|| {
        let reason = format!("{UPLOADS_OF_OFFICE_MAX} documents of the office come just now, or {UPLOADS_MAX} of all");
        Fault::new(503, "switch", reason, "order it again in a moment")
    })?;
    let too_slow = |_| Fault::new(408, "body", "the document took more than a minute", "");
    let read = tokio::time::timeout(UPLOAD_MAX, body.to_bytes_limited(api.desk.most)).await.map_err(too_slow)?;
    let too_long = |_| {
        let reason = format!("a document has at most {} bytes", api.desk.most);
        Fault::new(413, "body", reason, "send it in black and white, packed as Group 4")
    };
    let document = read.map_err(too_long)?.map_err(|error| Fault::new(400, "body", error.to_string(), ""))?;
    api.desk.order_in(Some(place), office, wish, key, document.to_vec()).await
}

async fn list(request: HttpRequest, api: web::Data<Api>) -> HttpResponse {
    let office = match api.tokens.office(&request) {
        Ok(office) => office,
        Err(fault) => return fault.response(),
    };
    match web::Query::<Which>::from_query(request.query_string()) {
        Ok(which) => {
            let Which { to, limit } = which.into_inner();
            let faxes = api.desk.list(&office, to, limit.unwrap_or(ORDERS)).await;
            HttpResponse::Ok().json(json!({ "faxes": faxes.iter().map(shown).collect::<Vec<_>>() }))
        }
        Err(error) => Fault::new(400, "query", error.to_string(), "to and limit are known").response(),
    }
}

async fn get(request: HttpRequest, api: web::Data<Api>) -> HttpResponse {
    let id = match api.order(&request) {
        Ok(id) => id,
        Err(fault) => return fault.response(),
    };
    match api.desk.sender.get(&id).await {
        Some(fax) => HttpResponse::Ok().json(json!({ "fax": shown(&fax) })),
        None => Fault::from(NotWithdrawn::Unknown).response(),
    }
}

async fn withdraw(request: HttpRequest, api: web::Data<Api>) -> HttpResponse {
    let id = match api.order(&request) {
        Ok(id) => id,
        Err(fault) => return fault.response(),
    };
    match api.desk.withdraw(&id).await {
        Ok(fax) => HttpResponse::Ok().json(json!({ "fax": shown(&fax) })),
        Err(fault) => fault.response(),
    }
}

#[cfg(test)]
mod tests;
