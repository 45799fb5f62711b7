//! The action `echo`: returns the caller's own voice to him, so that he can hear how he sounds.

use plugboard_sdk::prelude::*;

/// The parameters of `echo`.
#[derive(Parameters)]
struct Echo {
    /// For how long.
    #[parameter(default = "60s", min = "1s", max = "1h")]
    #[text(ru("Время", "Как долго возвращать голос."), de("Dauer", "Wie lange die Stimme zurückkommt."))]
    max: Duration,
}

/// How it ends.
#[derive(Outcome)]
enum Echoed {
    /// The time is over.
    #[text(ru("Время вышло"), de("Die Zeit ist um"))]
    Done,
}

/// Returns the caller's own voice to him until he hangs up or the time is over.
#[action(
    ru("Эхо", "Возвращает звонящему его голос, пока он не положит трубку или не выйдет время."),
    de("Echo", "Gibt dem Anrufer seine Stimme zurück, bis er auflegt oder die Zeit um ist.")
)]
fn echo(given: Echo) -> Result<Echoed, Failure> {
    call::echo(given.max)?;
    Ok(Echoed::Done)
}
