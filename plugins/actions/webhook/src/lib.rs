//! The action `webhook`: puts a document for a service of the web into the office's outbox.

use plugboard_sdk::prelude::*;
use plugboard_sdk::{Json, http};

/// The parameters of `webhook`.
#[derive(Parameters)]
struct Webhook {
    /// The service: a source of the office that takes `post`.
    #[parameter(min = 1, max = 64, names = "source", does = "post")]
    #[text(
        ru("Источник", "Служба: источник данных офиса, принимающий post."),
        de("Quelle", "Der Dienst: eine Quelle des Büros, die post nimmt.")
    )]
    source: String,
    /// Below the source's address.
    #[parameter(default = "", max = 1024)]
    #[text(ru("Путь", "Ниже адреса источника."), de("Pfad", "Unter der Adresse der Quelle."))]
    path: String,
    /// What is sent, as JSON.
    #[text(ru("Тело", "Документ, который отправляется как JSON."), de("Inhalt", "Was als JSON gesendet wird."))]
    body: Json,
}

/// How it ends.
#[derive(Outcome)]
enum Posted {
    /// It is kept, and leaves by itself.
    #[text(ru("Документ принят к отправке"), de("Das Dokument ist angenommen"))]
    Queued {
        /// Its name in the outbox.
        notice: String,
    },
}

/// Puts a document for a service of the web into the office's outbox; nobody waits for its answer.
#[action(
    ru("Вебхук", "Отправляет документ службе; ответа никто не ждёт."),
    de("Webhook", "Sendet einem Dienst ein Dokument; auf die Antwort wartet niemand.")
)]
fn webhook(given: Webhook) -> Result<Posted, Failure> {
    let notice = http::post_later(&given.source, &given.path, &given.body.to_string())?;
    Ok(Posted::Queued { notice })
}
