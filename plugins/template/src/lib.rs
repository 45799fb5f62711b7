//! The action `greet-by-time`: a prompt for the morning, one for the day, one for the evening.

use plugboard_sdk::prelude::*;

/// The parameters of `greet-by-time`.
#[derive(Parameters)]
struct GreetByTime {
    /// The beginning of the prompts' names: `greeting` plays `greeting-morning`, `greeting-day` or `greeting-evening`.
    #[parameter(default = "greeting", min = 1, max = 100)]
    #[text(ru("Запись"), de("Ansage"))]
    prompt: String,
    /// Hours to add to UTC.
    #[parameter(default = 0, min = -12, max = 14)]
    #[text(ru("Часовой пояс"), de("Zeitzone"))]
    utc_offset: i32,
}

/// How it ends.
#[derive(Outcome)]
enum Greeted {
    /// The caller heard it.
    #[text(ru("Приветствие прозвучало"), de("Der Anrufer hat es gehört"))]
    Done {
        /// `morning`, `day` or `evening`.
        part_of_day: String,
    },
}

/// Greets the caller by the time of day.
#[action(
    ru("Приветствие по времени", "Приветствует по времени суток."),
    de("Tageszeitgruß", "Grüßt nach der Tageszeit.")
)]
fn greet_by_time(given: GreetByTime) -> Result<Greeted, Failure> {
    let hour = (clock::now_ms() / 3_600_000 + i64::from(given.utc_offset)).rem_euclid(24);
    let part_of_day = match hour {
        5..11 => "morning",
        11..18 => "day",
        _ => "evening",
    };
    let prompt = format!("{}-{part_of_day}", given.prompt);
    if let PlayEnd::NotPlayable(why) = call::play(&Audio::Prompt(prompt), Play::default())? {
        log::warn(&why);
    }
    Ok(Greeted::Done { part_of_day: part_of_day.into() })
}
