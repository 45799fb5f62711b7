//! The action `send-text`: puts a text message into the office's outbox.

use plugboard_sdk::prelude::*;
use plugboard_sdk::text_message;

/// The parameters of `send-text`.
#[derive(Parameters)]
struct SendText {
    /// The number of a mobile, as people write it.
    #[parameter(min = 1, max = 64)]
    #[text(
        ru("Номер", "Номер мобильного телефона."),
        de("Nummer", "Die Nummer eines Mobiltelefons, wie man sie schreibt.")
    )]
    to: String,
    /// What it says.
    #[parameter(min = 1, max = 1600)]
    #[text(ru("Текст", "Текст сообщения."), de("Text", "Was darin steht."))]
    text: String,
}

/// How it ends.
#[derive(Outcome)]
enum Sent {
    /// It is kept, and leaves by itself.
    #[text(ru("Сообщение принято к отправке"), de("Die Nachricht ist angenommen"))]
    Queued {
        /// Its name in the outbox.
        notice: String,
    },
}

/// Puts a text message into the office's outbox; nobody waits for the provider.
#[action(
    ru("SMS", "Отправляет текстовое сообщение; провайдера никто не ждёт."),
    de("Textnachricht", "Sendet eine Textnachricht; auf den Anbieter wartet niemand.")
)]
fn send_text(given: SendText) -> Result<Sent, Failure> {
    let notice = text_message::send(&given.to, &given.text)?;
    Ok(Sent::Queued { notice })
}
