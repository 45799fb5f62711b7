//! The action `http-request`: asks a service of the web that the office knows, and takes variables out of its answer.

use plugboard_sdk::http::{self, HttpError, Method, Request, Response};
use plugboard_sdk::prelude::*;
use plugboard_sdk::{Json, Parameter, ParameterError, Reading};
use std::collections::BTreeMap;

/// The parameters of `http-request`.
#[derive(Parameters)]
struct HttpRequest {
    /// The service: a source of the office.
    #[parameter(min = 1, max = 64, names = "source")]
    #[text(ru("Источник", "Служба: источник данных офиса."), de("Quelle", "Der Dienst: eine Quelle des Büros."))]
    source: String,
    /// What is done there. The office says what may be.
    #[parameter(default = "get")]
    #[text(
        ru("Метод", "Что делается: разрешённое офисом."),
        de("Methode", "Was dort getan wird. Das Büro sagt, was sein darf.")
    )]
    method: Verb,
    /// Below the source's address, such as `contacts/search`; what comes from the caller belongs into `query`.
    #[parameter(default = "", max = 1024)]
    #[text(
        ru("Путь", "Ниже адреса источника, например `contacts/search`; данные звонящего пишите в `query`."),
        de("Pfad", "Unter der Adresse der Quelle, etwa `contacts/search`; was vom Anrufer kommt, gehört in `query`.")
    )]
    path: String,
    /// Names and values that are asked for, such as `{ phone: "{caller_number}" }`.
    #[parameter(min = 1, max = 32)]
    #[text(
        ru("Запрос", "Имена и значения, например `{ phone: \"{caller_number}\" }`."),
        de("Abfrage", "Namen und Werte, etwa `{ phone: \"{caller_number}\" }`.")
    )]
    query: Option<BTreeMap<String, String>>,
    /// A document that is sent as JSON; not with `get`.
    #[text(
        ru("Тело", "Документ, который отправляется как JSON; не с `get`."),
        de("Inhalt", "Ein Dokument, das als JSON gesendet wird; nicht bei `get`.")
    )]
    body: Option<Json>,
    /// Variables, and where in the answer's JSON each has its value (RFC 6901, such as `/data/0/agent`). A variable of type `user` or
    /// `group` takes an internal number or an id.
    #[parameter(min = 1, max = 32, assigns = "declared", after = "done")]
    #[text(
        ru(
            "Переменные",
            "Переменные и места их значений в JSON ответа (RFC 6901, например `/data/0/agent`). Переменная типа `user` или `group` принимает внутренний номер или идентификатор."
        ),
        de(
            "Variablen",
            "Variablen, und wo im JSON der Antwort ihr Wert steht (RFC 6901, etwa `/data/0/agent`). Eine Variable vom Typ `user` oder `group` nimmt eine interne Nummer oder eine Kennung."
        )
    )]
    into: Option<BTreeMap<String, Pointer>>,
}

/// A JSON pointer (RFC 6901).
struct Pointer(String);

impl Parameter for Pointer {
    fn schema() -> String {
        r#"{"type":"string","maxLength":256,"pattern":"^(/.*)?$"}"#.into()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        match json {
            Json::String(text) if text.is_empty() || text.starts_with('/') => Ok(Self(text)),
            other @ (Json::Null
            | Json::Bool(_)
            | Json::Number(_)
            | Json::String(_)
            | Json::Array(_)
            | Json::Object(_)) => Err(ParameterError::expected("a JSON pointer such as /data/0/agent", &other)),
        }
    }
}

/// What is done there.
#[derive(Choice, Clone, Copy)]
enum Verb {
    /// Reads.
    #[text(ru("Прочитать"), de("Lesen"))]
    Get,
    /// Does something, each time anew.
    #[text(ru("Выполнить"), de("Ausführen"))]
    Post,
    /// Puts something in the place of another.
    #[text(ru("Заменить"), de("Ersetzen"))]
    Put,
    /// Changes a part.
    #[text(ru("Изменить"), de("Ändern"))]
    Patch,
    /// Takes away.
    #[text(ru("Удалить"), de("Löschen"))]
    Delete,
}

/// How it ends.
#[derive(Outcome)]
enum Asked {
    /// It answered (2xx), and every variable of `into` has its value.
    #[text(ru("Ответ получен, переменные заполнены"), de("Die Antwort ist da, die Variablen haben ihren Wert"))]
    Done {
        /// The status.
        http_status: i64,
    },
    /// It knows nothing of it: 404 or 410, or the answer has not all that `into` asks for.
    #[text(ru("Ничего не найдено"), de("Nichts gefunden"))]
    NotFound,
    /// It answered something else: a redirection, a refusal, a fault of its own.
    #[text(ru("Служба отказала"), de("Der Dienst lehnt ab"))]
    Refused {
        /// The status.
        http_status: i64,
    },
    /// It did not answer in its time.
    #[text(ru("Служба не ответила вовремя"), de("Der Dienst antwortet nicht rechtzeitig"))]
    Timeout,
}

/// Asks a service of the web that the office knows, and takes variables out of its answer.
#[action(
    ru("HTTP-запрос", "Обращается к службе, известной офису, и берёт переменные из её ответа."),
    de("HTTP-Anfrage", "Fragt einen Dienst, den das Büro kennt, und nimmt Variablen aus seiner Antwort.")
)]
fn http_request(given: HttpRequest) -> Result<Asked, Failure> {
    let request = Request {
        source: given.source,
        method: match given.method {
            Verb::Get => Method::Get,
            Verb::Post => Method::Post,
            Verb::Put => Method::Put,
            Verb::Patch => Method::Patch,
            Verb::Delete => Method::Delete,
        },
        path: given.path,
        query: given.query.unwrap_or_default().into_iter().collect(),
        body: given.body.map(|body| body.to_string()),
    };
    let response = match http::send(&request) {
        Ok(response) => response,
        Err(HttpError::TimeOver) => return Ok(Asked::Timeout),
        Err(error) => return Err(error.into()),
    };
    let http_status = i64::from(response.status);
    match response.status {
        200..=299 => {}
        404 | 410 => return Ok(Asked::NotFound),
        _ => return Ok(Asked::Refused { http_status }),
    }
    match given.into {
        Some(into) if !take(&response, &into)? => Ok(Asked::NotFound),
        Some(_) | None => Ok(Asked::Done { http_status }),
    }
}

/// What services write knows numbers and truths.
const ANSWER: Reading = Reading { whose: "the answer", loosely: false };

/// Assigns the variables: `false` where the answer has not all of them, or names nobody; then they are as they were.
fn take(response: &Response, into: &BTreeMap<String, Pointer>) -> Result<bool, Failure> {
    let answer: Json = response.body.parse().map_err(|_| Failure::new("the service's answer is no JSON"))?;
    let found: Option<Vec<(&String, &Json)>> = into
        .iter()
        .map(|(name, place)| Some((name, answer.pointer(&place.0).filter(|value| !value.is_null())?)))
        .collect();
    let Some(found) = found else { return Ok(false) };
    ANSWER.assign_all(&found)
}
