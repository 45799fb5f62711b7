//! The API against a workshop that only repeats what it was asked.

use super::*;
use crate::access::Token;
use actix_web::App;
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use sha2::{Digest as _, Sha256};

struct Echo;

impl Workshop for Echo {
    fn actions(&self) -> Value {
        json!({ "actions": [] })
    }
    fn versions(&self, office: &OfficeId, limit: usize) -> Result<Value, String> {
        Ok(json!({ "office": office.to_string(), "limit": limit }))
    }
    fn difference(&self, _: &OfficeId, from: u64, to: u64) -> Result<Value, String> {
        if to > 2 { Err(format!("no version {to}")) } else { Ok(json!({ "from": from, "to": to })) }
    }
    fn simulate(&self, office: &OfficeId, wish: &Wish) -> Result<Value, Vec<String>> {
        match &wish.draft {
            Some(draft) => Err(vec![format!("{draft}: a fault")]),
            None => Ok(json!({ "office": office.to_string(), "to": wish.call["to"], "calls": wish.calls })),
        }
    }
}

fn scenarios() -> web::Data<Scenarios> {
    let office = OfficeId::new("main").unwrap();
    let token = Token { name: "t".into(), office, sha256: Sha256::digest(b"secret").into() };
    web::Data::new(Scenarios::new(Tokens(vec![token]), Arc::new(Echo)))
}

async fn asked(token: &str, way: &str, body: Option<Value>) -> (u16, Value) {
    let app = init_service(App::new().app_data(scenarios()).configure(routes)).await;
    let request = TestRequest::with_uri(&format!("/api/v1/offices/{way}"))
        .insert_header(("Authorization", format!("Bearer {token}")));
    let request = match body {
        Some(body) => request.method(actix_web::http::Method::POST).set_payload(body.to_string()),
        None => request,
    };
    let response = call_service(&app, request.to_request()).await;
    (response.status().as_u16(), read_body_json(response).await)
}

#[actix_web::test]
async fn r32_actions_are_listed_for_whoever_has_a_token_of_the_office() {
    assert_eq!(asked("secret", "main/actions", None).await, (200, json!({ "actions": [] })));
    assert_eq!(asked("other", "main/actions", None).await.0, 401);
    assert_eq!(asked("", "main/actions", None).await.0, 401);
    assert_eq!(asked("secret", "second/actions", None).await.0, 403);
}

#[actix_web::test]
async fn versions_and_what_differs_between_them_are_told_to_whoever_has_a_token_of_the_office() {
    assert_eq!(asked("secret", "main/versions", None).await, (200, json!({ "office": "main", "limit": 20 })));
    assert_eq!(asked("secret", "main/versions?limit=3", None).await.1["limit"], 3);
    assert_eq!(asked("secret", "main/versions?limit=0", None).await.0, 400);
    assert_eq!(asked("secret", "main/versions/1/diff/2", None).await, (200, json!({ "from": 1, "to": 2 })));
    assert_eq!(asked("secret", "main/versions/1/diff/9", None).await.0, 404);
    assert_eq!(asked("secret", "main/versions/a/diff/9", None).await.0, 400);
    assert_eq!(asked("secret", "second/versions/1/diff/2", None).await.0, 403);
    assert_eq!(asked("other", "main/versions", None).await.0, 401);
}

#[actix_web::test]
async fn a_simulation_is_asked_for_and_each_wrong_request_told_what_is_wrong() {
    let wish = json!({ "call": { "to": "100" }, "calls": 7 });
    let told = json!({ "office": "main", "to": "100", "calls": 7 });
    assert_eq!(asked("secret", "main/simulate", Some(wish.clone())).await, (200, told));
    assert_eq!(asked("other", "main/simulate", Some(wish)).await.0, 401);
    let (status, told) = asked("secret", "main/simulate", Some(json!({ "draft": "x.yaml" }))).await;
    assert_eq!((status, told), (422, json!({ "faults": ["x.yaml: a fault"] })));
    for wrong in [
        json!({ "cal": {} }),
        json!({ "draft": "x", "scenario": "y" }),
        json!({ "calls": 0 }),
        json!({ "calls": 1_001 }),
    ] {
        let (status, told) = asked("secret", "main/simulate", Some(wrong.clone())).await;
        assert_eq!(status, 400, "{wrong}: {told}");
        assert!(told["error"]["reason"].is_string(), "{told}");
    }
    assert_eq!(asked("secret", "main/simulate", None).await.0, 405);
    let long = json!({ "draft": "x".repeat(REQUEST_MAX) });
    assert_eq!(asked("secret", "main/simulate", Some(long)).await.0, 413);
}

#[actix_web::test]
async fn of_two_simulations_at_once_the_second_waits_elsewhere() {
    let data = scenarios();
    let place = Arc::clone(&data.places).try_acquire_owned().unwrap();
    let app = init_service(App::new().app_data(data.clone()).configure(routes)).await;
    let ask = || {
        TestRequest::with_uri("/api/v1/offices/main/simulate")
            .method(actix_web::http::Method::POST)
            .insert_header(("Authorization", "Bearer secret"))
            .set_payload("{}")
            .to_request()
    };
    assert_eq!(call_service(&app, ask()).await.status(), 503);
    drop(place);
    assert_eq!(call_service(&app, ask()).await.status(), 200);
}
