//! The action `hang-up`: ends the call with a cause.

use plugboard_sdk::prelude::*;

/// The parameters of `hang-up`.
#[derive(Parameters)]
struct HangUp {
    /// What the caller's telephone is told.
    #[parameter(default = "normal")]
    #[text(
        ru("Причина", "Что сообщается телефону звонящего."),
        de("Grund", "Was dem Telefon des Anrufers gesagt wird.")
    )]
    cause: Reason,
}

/// Why the call ends. Each is a SIP status (RFC 3261 section 21), chosen as RFC 3398 section 8.2.6.1 maps ISUP causes.
#[derive(Choice)]
enum Reason {
    /// The call is simply over (480).
    #[text(ru("Обычное завершение"), de("Normales Ende"))]
    Normal,
    /// The line is busy (486).
    #[text(ru("Занято"), de("Besetzt"))]
    Busy,
    /// The call is not wanted (603).
    #[text(ru("Отклонено"), de("Abgelehnt"))]
    Declined,
    /// The number does not exist (404).
    #[text(ru("Номер не существует"), de("Nummer gibt es nicht"))]
    NotFound,
    /// Nobody can be reached now (480).
    #[text(ru("Сейчас недоступен"), de("Zurzeit nicht erreichbar"))]
    Unavailable,
    /// There is no free line (503).
    #[text(ru("Нет свободных линий"), de("Keine freie Leitung"))]
    Congestion,
    /// The caller may not call this number (403).
    #[text(ru("Вызов запрещён"), de("Anruf nicht erlaubt"))]
    Forbidden,
}

impl Reason {
    fn cause(self) -> Cause {
        let (sip_status, text) = match self {
            Self::Normal => (480, "Normal clearing"),
            Self::Busy => (486, "Busy here"),
            Self::Declined => (603, "Decline"),
            Self::NotFound => (404, "Not found"),
            Self::Unavailable => (480, "Temporarily unavailable"),
            Self::Congestion => (503, "Service unavailable"),
            Self::Forbidden => (403, "Forbidden"),
        };
        Cause { sip_status, text: text.into() }
    }
}

/// It has no outcome: no step of the scenario can follow.
#[derive(Outcome)]
enum Never {}

/// Ends the call and with it the scenario.
#[action(
    ru("Положить трубку", "Завершает вызов, а с ним и сценарий."),
    de("Auflegen", "Beendet den Anruf und damit das Szenario.")
)]
fn hang_up(given: HangUp) -> Result<Never, Failure> {
    call::hang_up(&given.cause.cause())?;
    Err(Failure::CallOver)
}
