//! The action `collect-digits`: waits for digits that the caller presses, while a prompt plays if there is one.

use plugboard_sdk::call::Collect;
use plugboard_sdk::prelude::*;

/// The parameters of `collect-digits`.
#[derive(Parameters)]
struct CollectDigits {
    /// A prompt that plays meanwhile; the first digit stops it.
    #[parameter(min = 1, max = 128, names = "prompt")]
    #[text(
        ru("Запись", "Запись, которая звучит во время ожидания; первая цифра её останавливает."),
        de("Ansage", "Eine Ansage, die währenddessen läuft; die erste Ziffer hält sie an.")
    )]
    prompt: Option<String>,
    /// So many digits end the input.
    #[parameter(default = 4, min = 1, max = 32)]
    #[text(
        en("Digits at most"),
        ru("Не больше цифр", "Столько цифр завершают ввод."),
        de("Ziffern höchstens", "So viele Ziffern beenden die Eingabe.")
    )]
    max_digits: u8,
    /// How long to wait for the first digit after the prompt.
    #[parameter(default = "5s", min = "100ms", max = "2m")]
    #[text(
        en("Wait for the first digit"),
        ru("Ждать первую цифру", "Сколько ждать первую цифру после записи."),
        de("Auf die erste Ziffer warten", "Wie lange nach der Ansage auf die erste Ziffer gewartet wird.")
    )]
    first_digit: Duration,
    /// How long to wait between digits.
    #[parameter(default = "3s", min = "100ms", max = "30s")]
    #[text(
        en("Wait between digits"),
        ru("Ждать следующую цифру", "Сколько ждать между цифрами."),
        de("Zwischen Ziffern warten", "Wie lange zwischen den Ziffern gewartet wird.")
    )]
    inter_digit: Duration,
    /// This key ends the input and is no part of it; leave it empty for none.
    #[parameter(default = "#", max = 1)]
    #[text(
        en("End key"),
        ru("Клавиша конца", "Завершает ввод и в него не входит; пусто: такой клавиши нет."),
        de("Schlusstaste", "Beendet die Eingabe und gehört nicht dazu; leer: keine.")
    )]
    end_digit: String,
    /// A variable that gets the digits as well, besides `digits`; an empty text when nothing came.
    #[parameter(min = 1, max = 64, assigns = "text")]
    #[text(
        ru("Переменная", "Переменная, которая кроме `digits` получит эти цифры."),
        de("Variable", "Eine Variable, die außer `digits` die Ziffern bekommt.")
    )]
    variable: Option<String>,
}

/// How it ends.
#[derive(Outcome)]
enum Collection {
    /// The caller pressed digits.
    #[text(ru("Звонящий ввёл цифры"), de("Der Anrufer hat Ziffern gedrückt"))]
    Digits {
        /// `0-9 * # A-D`, without the end key.
        digits: String,
    },
    /// The caller pressed nothing.
    #[text(ru("Звонящий ничего не ввёл"), de("Der Anrufer hat nichts gedrückt"))]
    Nothing,
}

/// Collects digits that the caller presses, answering him first.
#[action(
    ru("Собрать цифры", "Собирает цифры, которые нажимает звонящий, сначала ответив на вызов."),
    de("Ziffern sammeln", "Sammelt Ziffern, die der Anrufer drückt, und nimmt dafür den Anruf an.")
)]
fn collect_digits(given: CollectDigits) -> Result<Collection, Failure> {
    let collected = call::collect(&Collect {
        prompt: given.prompt.clone().map(Audio::Prompt),
        max_digits: given.max_digits,
        first_digit: given.first_digit,
        inter_digit: given.inter_digit,
        end_digit: given.end_digit.chars().next(),
    })?;
    if let Some(why) = &collected.not_played {
        let prompt = given.prompt.unwrap_or_default();
        log::warn(&format!("{prompt} was not heard: {why}"));
    }
    // Assigned in either case, so that a later step may rely on it.
    if let Some(variable) = given.variable {
        variables::set(&variable, collected.digits.clone())?;
    }
    // The end key alone is no input either: the caller has nothing to say.
    if collected.digits.is_empty() {
        return Ok(Collection::Nothing);
    }
    Ok(Collection::Digits { digits: collected.digits })
}
