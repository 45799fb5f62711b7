//! The action `receive-fax`: a fax machine in place of a person.

use plugboard_sdk::fax::{self, Ended, Receive};
use plugboard_sdk::prelude::*;

/// The parameters of `receive-fax`.
#[derive(Parameters)]
struct ReceiveFax {
    /// What the machine says of itself: up to 20 of digits, `+` and blanks.
    #[parameter(default = "", max = 20)]
    #[text(
        en("Own number"),
        ru("Свой номер", "Как аппарат называет себя: до 20 цифр, `+` и пробелов."),
        de("Eigene Nummer", "Wie das Gerät sich nennt: bis zu 20 Ziffern, `+` und Leerzeichen.")
    )]
    ident: String,
    /// It ends the call after so many pages.
    #[parameter(default = 100, min = 1, max = 500)]
    #[text(
        en("Pages"),
        ru("Страниц", "После скольких страниц вызов заканчивается."),
        de("Seiten", "Nach so vielen Seiten endet der Anruf.")
    )]
    pages: u32,
    /// It ends the call after this time.
    #[parameter(default = "1h", min = "30s", max = "2h")]
    #[text(
        en("At most"),
        ru("Не дольше", "Через это время вызов заканчивается."),
        de("Höchstens", "Nach dieser Zeit endet der Anruf.")
    )]
    max: Duration,
}

/// How it ends.
#[derive(Outcome)]
enum Received {
    /// A fax was received whole.
    #[text(ru("Факс принят"), de("Fax empfangen"))]
    Received {
        /// How many pages it has.
        fax_pages: i64,
        /// What the sender said of himself; empty when he said nothing.
        fax_sender: String,
        /// The fax in the history.
        fax_document: String,
    },
    /// The caller is no fax machine.
    #[text(ru("Звонит не факс"), de("Der Anrufer ist kein Fax"))]
    NoFax,
}

/// Receives a fax from the caller, answering him first.
#[action(
    ru("Принять факс", "Принимает факс от звонящего, сначала ответив на вызов."),
    de("Fax empfangen", "Empfängt ein Fax vom Anrufer und nimmt dafür den Anruf an.")
)]
fn receive_fax(given: ReceiveFax) -> Result<Received, Failure> {
    let received = fax::receive(Receive { ident: given.ident, pages_max: given.pages, max: given.max })?;
    match (received.end, received.document) {
        (Ended::Done, Some(fax_document)) => {
            Ok(Received::Received { fax_pages: received.pages.into(), fax_sender: received.sender, fax_document })
        }
        (Ended::Done, None) => Err(Failure::new("the fax has no page")),
        (Ended::NoFax, _) => Ok(Received::NoFax),
        (Ended::Failed(why), None) => Err(Failure::new(["no fax was received: ", &why].concat())),
        (Ended::Failed(why), Some(kept)) => {
            let pages = received.pages.to_string();
            Err(Failure::new(
                ["the fax was cut off after ", &pages, " pages, which are kept as ", &kept, ": ", &why].concat(),
            ))
        }
    }
}
