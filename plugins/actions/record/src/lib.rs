//! The action `record`: begins, pauses, resumes or ends the recording of the call.

use plugboard_sdk::prelude::*;
use plugboard_sdk::record::{self, RecordError, StartOptions};

/// What is to become of the recording.
#[derive(Choice, Clone, Copy, PartialEq, Eq)]
enum What {
    /// It begins.
    #[text(ru("Начать"), de("Beginnen"))]
    Start,
    /// It pauses.
    #[text(ru("Приостановить"), de("Anhalten"))]
    Pause,
    /// It goes on.
    #[text(ru("Продолжить"), de("Fortsetzen"))]
    Resume,
    /// It ends.
    #[text(ru("Закончить"), de("Beenden"))]
    Stop,
}

/// The parameters of `record`.
#[derive(Parameters)]
struct Record {
    /// What is to become of the recording: `start`, `pause`, `resume` or `stop`.
    #[parameter(default = "start")]
    #[text(
        en("What"),
        ru("Что сделать", "Что сделать с записью: `start`, `pause`, `resume` или `stop`."),
        de("Was", "Was mit der Aufzeichnung geschieht: `start`, `pause`, `resume` oder `stop`.")
    )]
    what: What,
    /// With `start`: a prompt that both sides hear first, to tell that the call is recorded.
    #[parameter(min = 1, max = 256)]
    #[text(
        ru("Предупреждение", "При `start`: сообщение, которым обеим сторонам говорят о записи."),
        de("Ansage", "Mit `start`: eine Ansage, die beiden Seiten sagt, dass aufgezeichnet wird.")
    )]
    announcement: Option<String>,
    /// With `start`: both sides hear a beep when it begins, pauses, goes on and ends.
    #[parameter(default = false)]
    #[text(
        ru("Сигнал", "При `start`: обе стороны слышат сигнал в начале, при паузе, продолжении и в конце записи."),
        de("Signalton", "Mit `start`: beide Seiten hören Beginn, Pause, Fortgang und Ende als Ton.")
    )]
    beep: bool,
}

/// How it ends.
#[derive(Outcome)]
enum Recorded {
    /// So it is.
    #[text(ru("Сделано"), de("Erledigt"))]
    Done,
    /// The office does not let this call be recorded, or wants it to be.
    #[text(ru("Офис не разрешает"), de("Das Büro lässt es nicht zu"))]
    Refused,
}

/// Records the call, pauses the recording, goes on with it, or ends it.
#[action(
    ru("Записать разговор", "Начинает, приостанавливает, продолжает или заканчивает запись разговора."),
    de("Aufzeichnen", "Beginnt die Aufzeichnung des Gesprächs, hält sie an, setzt sie fort oder beendet sie.")
)]
fn record(given: Record) -> Result<Recorded, Failure> {
    let done = match given.what {
        What::Start => record::start(&StartOptions { announcement: given.announcement, beep: given.beep }),
        What::Pause => record::pause(),
        What::Resume => record::resume(),
        What::Stop => record::stop(),
    };
    match done {
        Ok(()) => Ok(Recorded::Done),
        Err(RecordError::NotAllowed) => Ok(Recorded::Refused),
        // What is wanted is so already.
        Err(RecordError::Recording) if given.what == What::Start => Ok(Recorded::Done),
        Err(RecordError::NotRecording) if given.what == What::Stop => Ok(Recorded::Done),
        Err(error) => Err(error.into()),
    }
}
