//! The action `call-group`: rings a group the way the group says, and connects the caller to whoever answers first.

mod cause;
mod order;

use cause::best;
use plugboard_sdk::dial::{NotConnected, RingBack, Target};
use plugboard_sdk::directory::{Candidate, Distribution, Group, Skill, Status};
use plugboard_sdk::prelude::*;

/// The parameters of `call-group`.
#[derive(Parameters)]
struct CallGroup {
    /// The internal number or id of the group.
    #[parameter(min = 1, max = 64, names = "group")]
    #[text(
        ru("Группа", "Внутренний номер или имя группы."),
        de("Gruppe", "Die interne Nummer oder Kennung der Gruppe.")
    )]
    group: String,
    /// How long to ring: the whole group when all ring at once, else each member. Without it, what the group says.
    #[parameter(min = "1s", max = "10m")]
    #[text(
        ru(
            "Время вызова",
            "Всей группы, если звонят все сразу, иначе каждого участника; если не задано, как у группы."
        ),
        de("Klingeldauer", "Der ganzen Gruppe, wenn alle klingeln, sonst je Mitglied; ohne Angabe die der Gruppe.")
    )]
    ring_for: Option<Duration>,
    /// What the caller hears meanwhile.
    #[parameter(default = "tone")]
    #[text(ru("Звук ожидания", "Что слышит звонящий."), de("Freizeichen", "Was der Anrufer währenddessen hört."))]
    ring_back: Hears,
    /// None but members with this skill are rung.
    #[parameter(min = 1, max = 64)]
    #[text(
        en("Skill"),
        ru("Навык", "Звонить только участникам, у которых он есть."),
        de("Fähigkeit", "Nur Mitglieder, die sie haben, werden gerufen.")
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
}

/// What the caller hears while it rings.
#[derive(Choice)]
enum Hears {
    /// The ring-back tone.
    #[text(ru("Гудки"), de("Freiton"))]
    Tone,
    /// Music on hold.
    #[text(ru("Музыка"), de("Musik"))]
    Music,
}

/// How it ends: exactly one of these.
#[derive(Outcome)]
enum Called {
    /// Somebody answered and talks to the caller.
    #[text(ru("Ответили"), de("Jemand hat geantwortet"))]
    Answer {
        /// Who.
        answered_by: User,
    },
    /// Nobody took the call: all declined, were busy or not to be reached.
    #[text(
        ru("Никто не принял вызов: отклонён, занято или недоступны"),
        de("Niemand hat angenommen: abgelehnt, besetzt oder nicht erreichbar")
    )]
    NoAnswer {
        /// The best SIP status (RFC 3261 section 16.7 point 6), such as 486.
        cause: i64,
        /// Its text.
        cause_text: String,
    },
    /// The time is over.
    #[text(ru("Время вызова вышло"), de("Die Klingeldauer ist um"))]
    Timeout,
}

/// Rings a group the way the group says: all at once, in order, or at random by weight.
#[action(
    ru("Позвонить группе", "Вызывает группу так, как в ней задано: всех сразу, по порядку или случайно по весу."),
    de(
        "Gruppe anrufen",
        "Ruft eine Gruppe nach deren Art an: alle zugleich, der Reihe nach oder zufällig nach Gewicht."
    )
)]
fn call_group(given: CallGroup) -> Result<Called, Failure> {
    let Some(group) = directory::find_group(&given.group) else {
        log::warn(&format!("there is no group {} in this office", given.group));
        return Ok(Called::no_answer(Cause { sip_status: 404, text: "No such group".into() }));
    };
    let ring_for = given.ring_for.unwrap_or(Duration::from_millis(group.ring_for_ms.into()));
    let ring_back = match given.ring_back {
        Hears::Tone => RingBack::Tone,
        Hears::Music => RingBack::Music,
    };
    let skill = given.skill.map(|name| Skill { name, level: given.level });
    let members = directory::find_members(&group.id, skill.as_ref()).unwrap_or_default();
    if members.is_empty() && skill.is_some() {
        return Ok(Called::no_answer(Cause { sip_status: 480, text: "Nobody in the group can do that".into() }));
    }
    let order = match group.distribution {
        Distribution::AllAtOnce => {
            let tiers = order::tiers(members);
            // Whoever logs in while it rings is rung as well: that is the switch's to know.
            return if tiers.len() < 2 && skill.is_none() {
                all_at_once(group, ring_for, ring_back)
            } else {
                tier_by_tier(&tiers, ring_for, ring_back)
            };
        }
        Distribution::InOrder => order::as_written(members),
        // Drawn now, from the call's journal: whoever reads it can draw the same order again.
        Distribution::Random => order::draw(members, random::below),
        Distribution::LongestIdle => order::longest_idle(members),
    };
    one_by_one(order, ring_for, ring_back)
}

/// As many as ring at once: those of a lower tier first, each tier for `ring_for`.
const AT_ONCE_MAX: usize = 32;

fn tier_by_tier(tiers: &[Vec<Candidate>], ring_for: Duration, ring_back: RingBack) -> Result<Called, Failure> {
    let (mut causes, mut rang_out) = (Vec::new(), false);
    let parts = tiers.iter().flat_map(|tier| tier.chunks(AT_ONCE_MAX));
    for part in parts {
        let targets: Vec<Target> = part.iter().map(|one| Target::User(one.user.clone())).collect();
        let Some(first) = part.first() else { continue };
        match dial::ring(&targets, ring_for, ring_back) {
            Ok(connected) => {
                let user = connected.user.unwrap_or_else(|| first.user.clone());
                return Ok(Called::Answer { answered_by: User(user) });
            }
            Err(NotConnected::Timeout) => rang_out = true,
            Err(NotConnected::NoAnswer(cause)) => causes.push(cause),
            Err(
                fault @ (NotConnected::CallerGone
                | NotConnected::Denied(_)
                | NotConnected::Invalid(_)
                | NotConnected::Talking),
            ) => return Err(fault.into()),
        }
    }
    Ok(nobody(causes, rang_out))
}

/// Why nobody answered.
fn nobody(causes: Vec<Cause>, rang_out: bool) -> Called {
    if rang_out {
        return Called::Timeout;
    }
    let nobody_free = || Cause { sip_status: 480, text: "Nobody in the group is free".into() };
    Called::no_answer(best(causes).unwrap_or_else(nobody_free))
}

fn all_at_once(group: Group, ring_for: Duration, ring_back: RingBack) -> Result<Called, Failure> {
    match dial::ring(&[Target::Group(group.id)], ring_for, ring_back) {
        Ok(connected) => match connected.user.or_else(|| group.members.into_iter().next().map(|member| member.user)) {
            Some(user) => Ok(Called::Answer { answered_by: User(user) }),
            None => Err(Failure::new("the group was answered by nobody in it")),
        },
        Err(fault) => not_connected(fault),
    }
}

/// Rings each member for `ring_for`. Who is offline or busy takes no time: he is asked for when his turn comes.
fn one_by_one(
    users: impl IntoIterator<Item = String>,
    ring_for: Duration,
    ring_back: RingBack,
) -> Result<Called, Failure> {
    let (mut causes, mut rang_out) = (Vec::new(), false);
    // The caller may be a member of the group that he calls.
    let caller = call::info().caller_user;
    for id in users.into_iter().filter(|id| Some(id) != caller.as_ref()) {
        let free = directory::find_user(&id)
            .is_some_and(|user| user.reachable && user.status == Status::Available && user.calls == 0);
        if !free {
            continue;
        }
        match dial::ring(&[Target::User(id.clone())], ring_for, ring_back) {
            Ok(connected) => return Ok(Called::Answer { answered_by: User(connected.user.unwrap_or(id)) }),
            Err(NotConnected::Timeout) => rang_out = true,
            Err(NotConnected::NoAnswer(cause)) => causes.push(cause),
            Err(
                fault @ (NotConnected::CallerGone
                | NotConnected::Denied(_)
                | NotConnected::Invalid(_)
                | NotConnected::Talking),
            ) => return Err(fault.into()),
        }
    }
    Ok(nobody(causes, rang_out))
}

fn not_connected(fault: NotConnected) -> Result<Called, Failure> {
    match fault {
        NotConnected::Timeout => Ok(Called::Timeout),
        NotConnected::NoAnswer(cause) => Ok(Called::no_answer(cause)),
        NotConnected::CallerGone | NotConnected::Denied(_) | NotConnected::Invalid(_) | NotConnected::Talking => {
            Err(fault.into())
        }
    }
}

impl Called {
    fn no_answer(cause: Cause) -> Self {
        Self::NoAnswer { cause: cause.sip_status.into(), cause_text: cause.text }
    }
}
