//! The action `say`: reads words aloud to the caller.

use plugboard_sdk::call::Speech;
use plugboard_sdk::prelude::*;

/// The parameters of `say`.
#[derive(Parameters)]
struct Say {
    /// What is read aloud.
    #[parameter(min = 1, max = 2000)]
    #[text(en("Words"), ru("Текст", "Что произносится."), de("Text", "Was vorgelesen wird."))]
    text: String,
    /// The language of the words (BCP 47, such as `de` or `en-GB`); without it, the office's.
    #[parameter(min = 2, max = 35)]
    #[text(
        ru("Язык", "Язык текста (BCP 47, например `ru` или `en-GB`); если не задан, язык офиса."),
        de("Sprache", "Die Sprache des Textes (BCP 47, etwa `de` oder `en-GB`); ohne Angabe die des Büros.")
    )]
    language: Option<String>,
    /// Stop after this time; without it, at the end of the words.
    #[parameter(min = "100ms", max = "1h")]
    #[text(
        en("At most"),
        ru("Не дольше", "Остановить через это время; если не задано, в конце текста."),
        de("Höchstens", "Nach dieser Zeit aufhören; ohne Angabe am Ende des Textes.")
    )]
    max: Option<Duration>,
    /// A digit that the caller presses stops the words and is the outcome.
    #[parameter(default = false)]
    #[text(
        ru("Остановить клавишей", "Нажатая клавиша останавливает речь и становится исходом."),
        de("Taste hält an", "Eine Taste des Anrufers hält das Vorlesen an und ist das Ergebnis.")
    )]
    stop_on_digit: bool,
}

/// How it ends.
#[derive(Outcome)]
enum Said {
    /// The words or the time are over.
    #[text(ru("Текст или время закончились"), de("Der Text oder die Zeit ist zu Ende"))]
    Done,
    /// The caller pressed a digit.
    #[text(ru("Звонящий нажал клавишу"), de("Der Anrufer hat eine Taste gedrückt"))]
    Digit {
        /// Which one: `0-9 * # A-D`.
        digit: String,
    },
    /// Nothing could be read aloud: there is no speech engine, or it does not speak the language.
    #[text(
        ru("Произнести нечем: нет синтезатора речи или он не знает языка"),
        de("Nicht vorlesbar: keine Sprachausgabe, oder sie kann die Sprache nicht")
    )]
    Skipped,
}

/// Reads words aloud to the caller, answering him first.
#[action(
    ru("Произнести текст", "Произносит звонящему текст, сначала ответив на вызов."),
    de("Text vorlesen", "Liest dem Anrufer einen Text vor und nimmt dafür den Anruf an.")
)]
fn say(given: Say) -> Result<Said, Failure> {
    let words = Audio::Speech(Speech { text: given.text, language: given.language });
    match call::play(&words, Play { max: given.max, repeat: false, stop_on_digit: given.stop_on_digit })? {
        PlayEnd::Finished | PlayEnd::TimeOver => Ok(Said::Done),
        PlayEnd::Digit(digit) => Ok(Said::Digit { digit: digit.into() }),
        PlayEnd::NotPlayable(why) => {
            log::warn(&format!("the words were skipped: {why}"));
            Ok(Said::Skipped)
        }
    }
}
