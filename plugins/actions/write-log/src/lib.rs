//! The action `write-log`: writes a line into the trace of the call.

use plugboard_sdk::log;
use plugboard_sdk::prelude::*;

/// The parameters of `write-log`.
#[derive(Parameters)]
struct WriteLog {
    /// What is written.
    #[parameter(min = 1, max = 1024)]
    #[text(ru("Текст", "Что записать."), de("Text", "Was geschrieben wird."))]
    text: String,
    /// How loud.
    #[parameter(default = "info")]
    #[text(ru("Уровень", "Насколько важна запись."), de("Stufe", "Wie wichtig die Zeile ist."))]
    level: Level,
}

/// How loud.
#[derive(Choice, Clone, Copy)]
enum Level {
    /// For whoever looks closely.
    #[text(ru("Отладка"), de("Zum Suchen"))]
    Debug,
    /// For whoever reads the trace.
    #[text(ru("Сведения"), de("Zur Kenntnis"))]
    Info,
    /// Something is not as it should be.
    #[text(ru("Предупреждение"), de("Warnung"))]
    Warn,
}

/// How it ends.
#[derive(Outcome)]
enum Written {
    /// It is in the trace.
    #[text(ru("Записано"), de("Geschrieben"))]
    Done,
}

/// Writes a line into the trace of the call.
#[action(
    ru("Запись в журнал", "Пишет строку в след звонка."),
    de("Ins Protokoll", "Schreibt eine Zeile in die Spur des Anrufs.")
)]
fn write_log(given: WriteLog) -> Result<Written, Failure> {
    match given.level {
        Level::Debug => log::debug(&given.text),
        Level::Info => log::info(&given.text),
        Level::Warn => log::warn(&given.text),
    }
    Ok(Written::Done)
}
