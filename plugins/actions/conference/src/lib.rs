//! The action `conference`: lets the caller talk in a room with others.

use plugboard_sdk::conference::{Left, NotJoined, Seat};
use plugboard_sdk::prelude::*;

/// The parameters of `conference`.
#[derive(Parameters)]
struct Conference {
    /// The room: 1 to 64 of `a-z 0-9 -`. It is there while somebody is in it.
    #[parameter(min = 1, max = 64)]
    #[text(
        en("Room"),
        ru("Комната", "1–64 знака `a-z 0-9 -`. Комната существует, пока в ней кто-то есть."),
        de("Raum", "1 bis 64 von `a-z 0-9 -`. Es gibt ihn, solange jemand darin ist.")
    )]
    room: String,
    /// He hears the others and is not heard.
    #[parameter(default = false)]
    #[text(
        en("Listens"),
        ru("Только слушает", "Слышит остальных, но его не слышно."),
        de("Hört nur zu", "Er hört die anderen und wird nicht gehört.")
    )]
    listens: bool,
    /// So many may be in the room, with him.
    #[parameter(default = 32, min = 2, max = 256)]
    #[text(
        en("Seats"),
        ru("Мест", "Сколько человек может быть в комнате."),
        de("Plätze", "So viele dürfen im Raum sein.")
    )]
    seats: u16,
    /// He leaves after this time.
    #[parameter(default = "4h", min = "1s", max = "12h")]
    #[text(
        en("At most"),
        ru("Не дольше", "Через это время он выходит."),
        de("Höchstens", "Nach dieser Zeit geht er.")
    )]
    max: Duration,
    /// A key with which he leaves and the scenario goes on.
    #[parameter(min = 1, max = 1)]
    #[text(
        en("Key to leave"),
        ru("Клавиша выхода", "После неё сценарий продолжается."),
        de("Taste zum Gehen", "Nach ihr geht das Szenario weiter.")
    )]
    leave_on: Option<String>,
    /// The others hear a beep when he comes and when he goes.
    #[parameter(default = true)]
    #[text(
        en("Beep"),
        ru("Сигнал", "Остальные слышат сигнал, когда он входит и выходит."),
        de("Ton", "Die anderen hören einen Ton, wenn er kommt und wenn er geht.")
    )]
    beep: bool,
}

/// How it ends.
#[derive(Outcome)]
enum Conferred {
    /// He left with the key, or his time is over.
    #[text(ru("Вышел"), de("Er ist gegangen"))]
    Done,
    /// The room has no free seat.
    #[text(ru("Мест нет"), de("Kein Platz frei"))]
    Full,
}

/// Lets the caller talk in a room with others until he leaves it.
#[action(
    ru("Конференция", "Соединяет звонящего с остальными в комнате, пока он из неё не выйдет."),
    de("Konferenz", "Lässt den Anrufer in einem Raum mit anderen sprechen, bis er ihn verlässt.")
)]
fn conference(given: Conference) -> Result<Conferred, Failure> {
    let leave_on = given.leave_on.and_then(|key| key.chars().next());
    let seat = Seat { listens: given.listens, seats_max: given.seats, max: given.max, leave_on, beep: given.beep };
    match conference::join(&given.room, seat) {
        Ok(Left::Key | Left::TimeOver) => Ok(Conferred::Done),
        Err(NotJoined::Full) => Ok(Conferred::Full),
        Err(why) => Err(why.into()),
    }
}
