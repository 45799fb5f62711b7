//! The action `wait`: lets the caller wait for a while, with music or in silence.

use plugboard_sdk::call::Event;
use plugboard_sdk::clock;
use plugboard_sdk::prelude::*;

/// The parameters of `wait`.
#[derive(Parameters)]
struct Wait {
    /// For how long.
    #[parameter(min = "100ms", max = "1h")]
    #[text(en("Time"), ru("Время", "Сколько ждать."), de("Dauer", "Wie lange."))]
    time: Duration,
    /// The music that the caller hears, by name; without it silence, and a caller who was not answered is not answered for it.
    #[parameter(min = 1, max = 64, names = "music")]
    #[text(
        ru("Музыка", "Какую музыку слышит звонящий; если не задана, тишину, и на вызов ради неё не отвечают."),
        de("Musik", "Welche Musik der Anrufer hört; ohne sie Stille, für die nicht abgehoben wird.")
    )]
    music: Option<String>,
}

/// How it ends.
#[derive(Outcome)]
enum Waited {
    /// The time is over.
    #[text(ru("Время вышло"), de("Die Zeit ist um"))]
    Done,
}

/// Lets the caller wait for a while.
#[action(
    ru("Подождать", "Звонящий ждёт заданное время, с музыкой или в тишине."),
    de("Warten", "Lässt den Anrufer eine Weile warten, mit Musik oder in Stille.")
)]
fn wait(given: Wait) -> Result<Waited, Failure> {
    if let Some(name) = given.music {
        let options = Play { max: Some(given.time), repeat: true, stop_on_digit: false };
        match call::play(&Audio::Music(name), options)? {
            PlayEnd::Finished | PlayEnd::TimeOver | PlayEnd::Digit(_) => return Ok(Waited::Done),
            PlayEnd::NotPlayable(why) => log::warn(&["the caller waits in silence: ", &why].concat()),
        }
    }
    let until = clock::now_ms().saturating_add(i64::try_from(given.time.as_millis()).unwrap_or(i64::MAX));
    let mut left = given.time;
    // Keys are for nobody meanwhile.
    while !left.is_zero() && call::next_event(left)? != Event::Timeout {
        let ms = u64::try_from(until.saturating_sub(clock::now_ms())).unwrap_or_default();
        left = Duration::from_millis(ms);
    }
    Ok(Waited::Done)
}
