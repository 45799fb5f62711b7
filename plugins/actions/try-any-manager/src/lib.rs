//! The action `try-any-manager`: lets the caller wait for the first free one of those whom the scenario has named above.

use plugboard_sdk::prelude::*;
use plugboard_sdk::queue::{self, Connected, End, Options};

/// The parameters of `try-any-manager`.
#[derive(Parameters)]
struct TryAnyManager {
    /// The caller waits so long at most.
    #[parameter(default = "10m", min = "1s", max = "4h")]
    #[text(en("At most"), ru("Не дольше", "Сколько звонящий ждёт."), de("Höchstens", "So lange wartet der Anrufer."))]
    max: Duration,
    /// How long each who is free is rung.
    #[parameter(default = "20s", min = "1s", max = "10m")]
    #[text(
        ru("Время вызова", "Сколько звонить каждому освободившемуся."),
        de("Klingeldauer", "Wie lange es bei jedem klingelt, der frei ist.")
    )]
    ring_for: Duration,
    /// The music that he hears meanwhile; without it, the office's music on hold.
    #[parameter(min = 1, max = 64, names = "music")]
    #[text(
        ru("Музыка", "Что слышит звонящий; если не задано, музыка ожидания офиса."),
        de("Musik", "Was der Anrufer hört; ohne Angabe die Wartemusik des Büros.")
    )]
    music: Option<String>,
    /// He is told his place in the line so often; without it, never.
    #[parameter(min = "5s", max = "1h")]
    #[text(
        en("Tell the place every"),
        ru("Сообщать место каждые", "Как часто звонящему говорят его место в очереди; если не задано, никогда."),
        de("Platz ansagen alle", "So oft hört er seinen Platz in der Warteschlange; ohne Angabe nie.")
    )]
    announce: Option<Duration>,
    /// A key with which he hangs up the waiting to be called back; without it, he cannot.
    #[parameter(min = 1, max = 1)]
    #[text(
        en("Key to be called back"),
        ru("Клавиша обратного звонка", "После неё он не ждёт: ему перезвонят."),
        de("Taste für Rückruf", "Nach ihr wartet er nicht mehr und wird zurückgerufen.")
    )]
    call_back_on: Option<String>,
    /// A key with which he leaves the line, and the steps of `exit` run; without it, he cannot.
    #[parameter(min = 1, max = 1)]
    #[text(
        en("Key to leave"),
        ru("Клавиша выхода", "После неё он больше не ждёт: выполняются пункты исхода `exit`."),
        de("Taste zum Verlassen", "Nach ihr wartet er nicht mehr, und es geht mit `exit` weiter.")
    )]
    exit_on: Option<String>,
    /// Who has more of it goes before all who have less: 0 to 10.
    #[parameter(default = 0, min = 0, max = 10)]
    #[text(
        en("Priority"),
        ru("Приоритет", "Чем больше, тем раньше очередь: от 0 до 10."),
        de("Vorrang", "Wer mehr hat, kommt vor allen mit weniger: 0 bis 10.")
    )]
    priority: u8,
    /// None but users with this skill are rung.
    #[parameter(min = 1, max = 64)]
    #[text(
        en("Skill"),
        ru("Навык", "Звонить только тем, у кого он есть."),
        de("Fähigkeit", "Nur wer sie hat, wird gerufen.")
    )]
    skill: Option<String>,
    /// How well they have it at least: 1 to 10.
    #[parameter(default = 1, min = 1, max = 10)]
    #[text(
        en("Level"),
        ru("Уровень", "Наименьший уровень навыка: от 1 до 10."),
        de("Stufe", "Wie gut mindestens: 1 bis 10.")
    )]
    level: u8,
    /// With him at most so many callers wait in this scenario.
    #[parameter(default = 1_000, min = 1, max = 10_000)]
    #[text(
        en("Callers"),
        ru("Звонящих", "Сколько звонящих ждут в этом сценарии."),
        de("Anrufer", "So viele warten höchstens in diesem Szenario.")
    )]
    callers: u32,
}

/// How it ends: exactly one of these.
#[derive(Outcome)]
enum Waited {
    /// Somebody answered and talks to the caller.
    #[text(ru("Ответили"), de("Jemand hat geantwortet"))]
    Answer {
        /// Who.
        answered_by: User,
    },
    /// Nobody became free in time, or nobody answered.
    #[text(ru("Время ожидания вышло"), de("Die Wartezeit ist um"))]
    Timeout,
    /// No step above names anybody who may be rung.
    #[text(ru("Некому звонить"), de("Niemand ist zu rufen"))]
    Nobody,
    /// As many callers wait as may.
    #[text(ru("Очередь заполнена"), de("Die Warteschlange ist voll"))]
    Full,
    /// He pressed the key and is called back when somebody is free.
    #[text(ru("Ему перезвонят"), de("Er wird zurückgerufen"))]
    CalledBack,
    /// He pressed the key with which he leaves.
    #[text(ru("Он вышел по клавише"), de("Er hat mit der Taste verlassen"))]
    Exit,
}

/// Lets the caller wait for the first free one of those whom the steps above name, groups included.
#[action(
    ru(
        "Пытаться дозвониться хоть одному из менеджеров в этом сценарии",
        "Звонящий ждёт первого освободившегося из сотрудников вышестоящих пунктов, включая группы."
    ),
    de(
        "Irgendeinen aus diesem Szenario erreichen",
        "Der Anrufer wartet auf den ersten, der von den oben genannten frei wird, Gruppen eingeschlossen."
    )
)]
fn try_any_manager(given: TryAnyManager) -> Result<Waited, Failure> {
    let options = Options {
        max: given.max,
        ring_for: given.ring_for,
        music: given.music,
        announce: given.announce,
        call_back_on: given.call_back_on.and_then(|key| key.chars().next()),
        exit_on: given.exit_on.and_then(|key| key.chars().next()),
        priority: given.priority,
        skill: given.skill.map(|name| (name, given.level)),
        callers_max: given.callers,
    };
    match queue::wait(options) {
        Ok(End::Answered(Connected { user: Some(user), .. })) => Ok(Waited::Answer { answered_by: User(user) }),
        Ok(End::Answered(Connected { user: None, number, .. })) => {
            Err(Failure::new(["the call was taken by nobody of this office: ", &number].concat()))
        }
        Ok(End::Timeout) => Ok(Waited::Timeout),
        Ok(End::Nobody) => Ok(Waited::Nobody),
        Ok(End::Full) => Ok(Waited::Full),
        Ok(End::CalledBack) => Ok(Waited::CalledBack),
        Ok(End::Exited) => Ok(Waited::Exit),
        Err(error) => Err(error.into()),
    }
}
