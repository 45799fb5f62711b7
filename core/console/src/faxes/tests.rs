//! The API against a sender that only remembers.

use super::*;
use crate::access::Token;
use actix_web::App;
use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use plugboard_model::{CallId, Dialled, FaxTry, FaxTryEnd, OrderState, SentPage, UserId, WallTime};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};

const TOKEN: &str = "a-token-of-the-main-office";

/// Takes what it is given; a number of threes is not allowed, a key is known the second time.
#[derive(Default)]
struct Shelf(Mutex<Vec<OutgoingFax>>);

fn office() -> OfficeId {
    OfficeId::new("main").unwrap()
}

impl Shelf {
    fn all(&self) -> std::sync::MutexGuard<'_, Vec<OutgoingFax>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sender for Shelf {
    fn order(&self, fax: NewFax) -> Answer<'_, Result<TakenFax, FaxRefused>> {
        let mut all = self.all();
        let taken = if fax.to == "333" {
            Err(FaxRefused::NotAllowed(plugboard_model::Cause::of(403)))
        } else if let Some(known) = all.iter().find(|one| one.key.is_some() && one.key == fax.key) {
            let other = FaxRefused::NotOrdered(NotOrdered::OtherOrder(known.id.clone()));
            if known.digest == fax.digest { Ok(TakenFax { fax: known.clone(), before: true }) } else { Err(other) }
        } else {
            let id = OrderId(CallId::new(office(), WallTime(1_000), u128::try_from(all.len()).unwrap()));
            let page = SentPage { page: 1, bit_rate: 14_400, took_ms: 20_000 };
            let busy = FaxTry::without_call(WallTime(1_000), WallTime(2_000), FaxTryEnd::Busy);
            let fax = OutgoingFax {
                id,
                key: fax.key,
                digest: fax.digest,
                ordered: WallTime(1_000),
                from: UserId::new(&office(), &fax.from).unwrap(),
                to: Dialled::new(&fax.to).unwrap(),
                ident: fax.ident.unwrap_or_default(),
                header: fax.header.unwrap_or_default(),
                pages: fax.pages,
                bytes: u64::try_from(fax.tiff.len()).unwrap(),
                pages_sent: 1,
                tries: vec![FaxTry { pages: vec![page], ..busy }],
                state: OrderState::Waiting { until: WallTime(9_000) },
            };
            all.push(fax.clone());
            Ok(TakenFax { fax, before: false })
        };
        Box::pin(std::future::ready(taken))
    }
    fn get<'a>(&'a self, id: &'a OrderId) -> Answer<'a, Option<OutgoingFax>> {
        let found = self.all().iter().find(|fax| fax.id == *id).cloned();
        Box::pin(std::future::ready(found))
    }
    fn list<'a>(&'a self, _: &'a OfficeId, to: Option<String>, most: usize) -> Answer<'a, Vec<OutgoingFax>> {
        let mut all = self.all().clone();
        all.retain(|fax| to.as_ref().is_none_or(|to| fax.to.as_str() == to));
        all.truncate(most);
        Box::pin(std::future::ready(all))
    }
    fn withdraw<'a>(&'a self, id: &'a OrderId) -> Answer<'a, Result<OutgoingFax, NotWithdrawn>> {
        let mut all = self.all();
        let withdrawn = match all.iter_mut().find(|fax| fax.id == *id) {
            None => Err(NotWithdrawn::Unknown),
            Some(fax) if fax.state.over().is_some() => Err(NotWithdrawn::Over("withdrawn")),
            Some(fax) => {
                fax.state = OrderState::Withdrawn { at: WallTime(3_000) };
                Ok(fax.clone())
            }
        };
        Box::pin(std::future::ready(withdrawn))
    }
}

/// Documents of up to a hundred bytes; two pages, unless it is a PDF.
fn api() -> web::Data<Api> {
    let prepare: Prepare = Arc::new(|document: &[u8]| {
        if document.starts_with(b"%PDF") {
            return Err(("it is a PDF file and no TIFF file".into(), "send a TIFF"));
        }
        Ok((document.to_vec(), 2))
    });
    let sha256 = Sha256::digest(TOKEN.as_bytes()).into();
    let other = Token {
        name: "other".into(),
        office: OfficeId::new("other").unwrap(),
        sha256: Sha256::digest(b"other").into(),
    };
    let tokens = vec![other, Token { name: "crm".into(), office: office(), sha256 }];
    web::Data::new(Api { desk: Desk::new(Arc::new(Shelf::default()), prepare, 100), tokens: Tokens(tokens) })
}

struct Ask {
    method: Method,
    path: &'static str,
    token: Option<&'static str>,
    key: Option<&'static str>,
    body: Vec<u8>,
}

const ORDER: Ask = Ask {
    method: Method::POST,
    path: "/api/v1/offices/main/faxes?from=ann&to=0301234",
    token: Some(TOKEN),
    key: None,
    body: Vec::new(),
};

async fn ask(api: &web::Data<Api>, asked: Ask) -> (u16, Value) {
    let app = init_service(App::new().app_data(api.clone()).configure(routes)).await;
    let mut request = TestRequest::default().method(asked.method).uri(asked.path).set_payload(asked.body);
    if let Some(token) = asked.token {
        request = request.insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
    }
    if let Some(key) = asked.key {
        request = request.insert_header(("Idempotency-Key", key));
    }
    let response = call_service(&app, request.to_request()).await;
    (response.status().as_u16(), read_body_json(response).await)
}

#[actix_web::test]
async fn r73_a_fax_is_ordered_asked_for_and_withdrawn() {
    let api = api();
    let (status, ordered) = ask(&api, Ask { body: b"II*".to_vec(), ..ORDER }).await;
    assert_eq!((status, &ordered["ordered_before"], &ordered["fax"]["state"]), (202, &json!(false), &json!("waiting")));
    let fax = &ordered["fax"];
    assert_eq!((&fax["pages"], &fax["pages_sent"], &fax["waits_until"]), (&json!(2), &json!(1), &json!(9_000)));
    assert_eq!(fax["tries"][0]["end"], "busy");
    assert_eq!(fax["tries"][0]["pages"], json!([{ "page": 1, "bit_rate": 14_400, "took_ms": 20_000 }]));
    let path: &'static str = format!("/api/v1/offices/main/faxes/{}", fax["id"].as_str().unwrap()).leak();
    let (status, same) = ask(&api, Ask { method: Method::GET, path, ..ORDER }).await;
    assert_eq!((status, &same["fax"]), (200, fax));
    let (status, gone) = ask(&api, Ask { method: Method::DELETE, path, ..ORDER }).await;
    assert_eq!((status, &gone["fax"]["state"]), (200, &json!("withdrawn")));
    let (status, fault) = ask(&api, Ask { method: Method::DELETE, path, ..ORDER }).await;
    assert_eq!((status, &fault["error"]["place"]), (409, &json!("id")));
    let list = "/api/v1/offices/main/faxes?to=0301234&limit=5";
    let (status, listed) = ask(&api, Ask { method: Method::GET, path: list, ..ORDER }).await;
    assert_eq!((status, listed["faxes"].as_array().unwrap().len()), (200, 1));
}

#[actix_web::test]
async fn r73_a_wrong_token_or_one_of_another_office_orders_nothing_and_its_body_is_not_read() {
    let api = api();
    for (token, expected) in
        [(None, 401), (Some(""), 401), (Some("a-token-of-the-main-officf"), 401), (Some("other"), 403)]
    {
        let (status, fault) = ask(&api, Ask { token, body: vec![0; 1_000], ..ORDER }).await;
        assert_eq!(status, expected, "{token:?}: {fault}");
        assert!(!fault.to_string().contains("a-token"), "{fault}");
    }
    let path = "/api/v1/offices/other/faxes?from=ann&to=0301234";
    assert_eq!(ask(&api, Ask { path, ..ORDER }).await.0, 403);
    assert!(!format!("{:?}", api.tokens).contains(&format!("{:?}", api.tokens.0[0].sha256)), "it is in no log");
    assert_eq!(api.desk.list(&office(), None, 10).await, []);
}

#[actix_web::test]
async fn a_key_that_comes_again_is_the_same_order_and_another_fax_has_another_key() {
    let api = api();
    let order = |body: &[u8]| Ask { key: Some("letter-7"), body: body.to_vec(), ..ORDER };
    let (first, again) = (ask(&api, order(b"II*")).await, ask(&api, order(b"II*")).await);
    assert_eq!((first.0, again.0, &again.1["ordered_before"]), (202, 200, &json!(true)));
    assert_eq!(first.1["fax"]["id"], again.1["fax"]["id"]);
    let (status, fault) = ask(&api, order(b"MM*")).await;
    assert_eq!((status, &fault["error"]["place"]), (409, &json!("Idempotency-Key")));
}

#[actix_web::test]
async fn each_fault_tells_its_place_its_reason_and_what_helps() {
    let api = api();
    for (asked, status, place) in [
        (Ask { body: vec![0; 101], ..ORDER }, 413, "body"),
        (Ask { body: b"%PDF-1.7".to_vec(), ..ORDER }, 422, "document"),
        (Ask { path: "/api/v1/offices/main/faxes?from=ann", ..ORDER }, 400, "query"),
        (Ask { path: "/api/v1/offices/main/faxes?from=ann&to=1&fax=2", ..ORDER }, 400, "query"),
        (Ask { path: "/api/v1/offices/main/faxes?from=ann&to=333", ..ORDER }, 403, "to"),
        (Ask { method: Method::PUT, ..ORDER }, 405, "method"),
        (Ask { method: Method::GET, path: "/api/v1/offices/main/faxes/nonsense", ..ORDER }, 404, "id"),
        (
            Ask { method: Method::GET, path: "/api/v1/offices/main/faxes/01J8ZQ6M6H3V2K9C4T7R5N1XWB", ..ORDER },
            404,
            "id",
        ),
    ] {
        let (found, fault) = ask(&api, asked).await;
        let error = &fault["error"];
        assert_eq!((found, error["place"].as_str().unwrap()), (status, place), "{fault}");
        assert!(!error["reason"].as_str().unwrap().is_empty(), "{fault}");
    }
    let (_, fault) = ask(&api, Ask { body: b"%PDF-1.7".to_vec(), ..ORDER }).await;
    assert_eq!(
        fault["error"],
        json!({ "place": "document", "reason": "it is a PDF file and no TIFF file", "remedy": "send a TIFF" })
    );
}

#[actix_web::test]
async fn no_more_documents_are_read_at_once_than_memory_is_given_to() {
    let api = api();
    let of = |n: usize| OfficeId::new(&format!("office-{n}")).unwrap();
    let places: Vec<_> = (0..UPLOADS_MAX).map(|n| api.desk.places.take(&of(n)).unwrap()).collect();
    assert_eq!(ask(&api, Ask { body: b"II*".to_vec(), ..ORDER }).await.0, 503);
    drop(places);
    assert_eq!(ask(&api, Ask { body: b"II*".to_vec(), ..ORDER }).await.0, 202);
}

#[actix_web::test]
async fn an_office_whose_places_are_taken_keeps_no_other_one_out() {
    let api = api();
    let other = OfficeId::new("other").unwrap();
    let all_of = |office: &OfficeId| (0..).map_while(|_| api.desk.places.take(office)).collect::<Vec<_>>();
    let held = all_of(&other);
    assert_eq!(held.len(), UPLOADS_OF_OFFICE_MAX);
    assert_eq!(ask(&api, Ask { body: b"II*".to_vec(), ..ORDER }).await.0, 202);
    let own = all_of(&office());
    assert_eq!(ask(&api, Ask { body: b"II*".to_vec(), ..ORDER }).await.0, 503);
    drop((held, own));
}

#[actix_web::test]
async fn whoever_goes_away_has_his_place_until_his_document_is_made_ready() {
    let (begun, begins) = std::sync::mpsc::channel();
    let (go_on, goes_on) = std::sync::mpsc::channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let prepare: Prepare = Arc::new(move |document: &[u8]| {
        begun.send(()).unwrap();
        goes_on.lock().unwrap().recv().unwrap();
        Ok((document.to_vec(), 1))
    });
    let desk = Desk::new(Arc::new(Shelf::default()), prepare, 100);
    let free = |desk: &Desk| desk.places.all.available_permits();
    let place = desk.places.take(&office());
    let wish = Wish { from: "ann".into(), to: "0301234".into(), ident: None, header: None };
    let mut order = Box::pin(desk.order_in(place, office(), wish, None, b"II*".to_vec()));
    assert!(order.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    begins.recv().unwrap();
    drop(order);
    assert_eq!(free(&desk), UPLOADS_MAX - 1);
    go_on.send(()).unwrap();
    drop(desk.places.all.acquire_many(u32::try_from(UPLOADS_MAX).unwrap()).await.unwrap());
}
