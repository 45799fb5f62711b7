//! The action `play-audio`: plays a prompt, a tone or music to the caller.

use plugboard_sdk::prelude::*;

/// The parameters of `play-audio`.
#[derive(Parameters)]
struct PlayAudio {
    /// The name of the prompt or music, or one of the tones ring-back, busy, congestion, beep.
    #[parameter(min = 1, max = 128, by(kind, prompt(names = "prompt"), music(names = "music"), tone(names = "tone")))]
    #[text(
        en("Audio"),
        ru("Звук", "Имя записи или музыки, либо один из тональных сигналов ring-back, busy, congestion, beep."),
        de("Ton", "Der Name der Ansage oder Musik, oder einer der Töne ring-back, busy, congestion, beep.")
    )]
    audio: String,
    /// What the name stands for.
    #[parameter(default = "prompt")]
    #[text(en("Kind"), ru("Вид", "Что означает имя."), de("Art", "Wofür der Name steht."))]
    kind: Kind,
    /// Stop after this time; without it, at the end of the audio.
    #[parameter(min = "100ms", max = "1h")]
    #[text(
        en("At most"),
        ru("Не дольше", "Остановить через это время; если не задано, в конце записи."),
        de("Höchstens", "Nach dieser Zeit aufhören; ohne Angabe am Ende der Aufnahme.")
    )]
    max: Option<Duration>,
    /// Begin again at the end, until the time is over, a digit comes or the caller hangs up.
    #[parameter(default = false)]
    #[text(
        ru("Повторять", "Начинать снова, пока не выйдет время, не нажата клавиша или звонящий не положил трубку."),
        de("Wiederholen", "Von vorn beginnen, bis die Zeit um ist, eine Taste kommt oder der Anrufer auflegt.")
    )]
    repeat: bool,
    /// A digit that the caller presses stops the audio and is the outcome.
    #[parameter(default = false)]
    #[text(
        ru("Остановить клавишей", "Нажатая клавиша останавливает звук и становится исходом."),
        de("Taste hält an", "Eine Taste des Anrufers hält den Ton an und ist das Ergebnis.")
    )]
    stop_on_digit: bool,
}

/// What the name stands for.
#[derive(Choice)]
enum Kind {
    /// A recording of the office; the caller's language is added to its name.
    #[text(ru("Запись"), de("Ansage"))]
    Prompt,
    /// A call progress tone.
    #[text(ru("Тональный сигнал"), de("Hinweiston"))]
    Tone,
    /// Music, which loops.
    #[text(ru("Музыка"), de("Musik"))]
    Music,
}

/// How it ends.
#[derive(Outcome)]
enum Played {
    /// The audio or the time is over.
    #[text(ru("Звук или время закончились"), de("Der Ton oder die Zeit ist zu Ende"))]
    Done,
    /// The caller pressed a digit.
    #[text(ru("Звонящий нажал клавишу"), de("Der Anrufer hat eine Taste gedrückt"))]
    Digit {
        /// Which one: `0-9 * # A-D`.
        digit: String,
    },
    /// The audio is missing or broken.
    #[text(ru("Запись отсутствует или повреждена"), de("Die Aufnahme fehlt oder ist beschädigt"))]
    Skipped,
}

/// Plays a prompt, a tone or music to the caller, answering him first.
#[action(
    ru("Проиграть звук", "Проигрывает звонящему запись, тональный сигнал или музыку, сначала ответив на вызов."),
    de("Ton abspielen", "Spielt dem Anrufer eine Ansage, einen Ton oder Musik vor und nimmt dafür den Anruf an.")
)]
fn play_audio(given: PlayAudio) -> Result<Played, Failure> {
    let audio = match given.kind {
        Kind::Prompt => Audio::Prompt(given.audio.clone()),
        Kind::Tone => Audio::Tone(tone(&given.audio)?),
        Kind::Music => Audio::Music(given.audio.clone()),
    };
    let options = Play { max: given.max, repeat: given.repeat, stop_on_digit: given.stop_on_digit };
    match call::play(&audio, options)? {
        PlayEnd::Finished | PlayEnd::TimeOver => Ok(Played::Done),
        PlayEnd::Digit(digit) => Ok(Played::Digit { digit: digit.into() }),
        PlayEnd::NotPlayable(why) => {
            log::warn(&format!("{} was skipped: {why}", given.audio));
            Ok(Played::Skipped)
        }
    }
}

fn tone(name: &str) -> Result<Tone, Failure> {
    match name {
        "ring-back" => Ok(Tone::RingBack),
        "busy" => Ok(Tone::Busy),
        "congestion" => Ok(Tone::Congestion),
        "beep" => Ok(Tone::Beep),
        other => Err(Failure::new(format!("there is no tone {other}: use ring-back, busy, congestion or beep"))),
    }
}
