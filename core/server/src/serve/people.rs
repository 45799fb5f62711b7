//! Users as an admin sees them, and what he sets for them.

use plugboard_document::{read_duration, write_duration};
use plugboard_model::{Dialled, ForwardWhen, Name, Time, UserId, UserStatus, WallTime};
use plugboard_office::{Inquiry, Office, SettingsChange, Source, Treatment};
use plugboard_switch::{CallerShown, QueueShown, UserState};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::answer::availability;
use crate::boot::Running;
use crate::control::{Answer, UserWish};
use crate::explain::Wish;
use crate::serve::offices::no_office;

/// The word that ends a forward.
const OFF: &str = "off";

/// Every user of an office, or one of them by id or number.
pub(super) async fn users(running: &Running, office: &str, which: Option<&str>) -> Answer {
    let office = match office_of(running, office) {
        Ok(office) => office,
        Err(fault) => return Answer::fault(fault),
    };
    let wanted = match which.map(|which| user_of(&office, which)).transpose() {
        Ok(wanted) => wanted,
        Err(fault) => return Answer::fault(fault),
    };
    let all = running.switch.users().await.into_iter();
    let ours = all.filter(|(id, _)| id.office == office.id && wanted.as_ref().is_none_or(|wanted| wanted == id));
    Answer::Done(json!({ "users": ours.map(|(id, state)| user(&id, &state)).collect::<Vec<_>>() }))
}

/// Changes what a user has set: all of it or nothing.
pub(super) async fn set(running: &Running, office: &str, which: &str, wish: UserWish) -> Answer {
    let found = office_of(running, office).and_then(|office| {
        let user = user_of(&office, which)?;
        let changes = changes(&office, &user, wish, running.clock.wall())?;
        Ok((user, changes))
    });
    let (user, changes) = match found {
        Ok(found) => found,
        Err(fault) => return Answer::fault(fault),
    };
    match running.switch.change_user(&user, changes).await {
        Some(Ok(_)) => users(running, office, Some(which)).await,
        Some(Err(fault)) => Answer::fault(fault.to_string()),
        None => Answer::fault(format!("there is no user {which}")),
    }
}

/// What an office would do with a call.
pub(super) fn explain(running: &Running, wish: &Wish) -> Answer {
    let found = office_of(running, &wish.office);
    let told = found.and_then(|office| crate::explain::explain(&office, wish, running.clock.wall()));
    told.map_or_else(Answer::fault, Answer::Done)
}

pub(super) fn office_of(running: &Running, name: &str) -> Result<Arc<Office>, String> {
    let offices = running.switch.configuration().offices;
    let found = offices.iter().find(|office| office.id.as_str() == name).cloned();
    found.ok_or_else(|| no_office(name, offices.iter().map(|office| office.id.as_str())))
}

fn user_of(office: &Office, which: &str) -> Result<UserId, String> {
    let found = office.find_user(which).map(|user| user.id.clone());
    found.ok_or_else(|| format!("there is no user {which} in the office {}", office.id))
}

fn user(id: &UserId, state: &UserState) -> Value {
    let forward = &state.settings.forward;
    let mut to: Map<String, Value> = ForwardWhen::ALL
        .into_iter()
        .filter_map(|when| Some((when.as_str().to_owned(), forward.to(when)?.as_str().into())))
        .collect();
    to.insert("after".into(), write_duration(forward.after).into());
    let out_of: Vec<&str> = state.settings.out_of.iter().map(plugboard_model::Name::as_str).collect();
    json!({ "user": id.to_string(), "number": state.user.number, "name": state.user.name, "status": state.settings.status,
        "reason": state.settings.reason.as_ref().map(plugboard_model::Name::as_str),
        "wraps_up_until": state.settings.wraps_up_until.map(|until| until.0),
        "availability": availability(state), "calls": state.user.calls, "devices": state.contacts.len(),
        "forward": to, "logged_out_of": out_of })
}

fn changes(office: &Office, user: &UserId, wish: UserWish, now: WallTime) -> Result<Vec<SettingsChange>, String> {
    let UserWish { status, reason, forward, after, log_in, log_out } = wish;
    let mut changes = Vec::new();
    if let Some(word) = status {
        let status = status_of(&word)?;
        changes.push(match reason {
            None => SettingsChange::Status(status),
            Some(reason) => SettingsChange::StatusFor(status, reason_of(office, &reason)?),
        });
    }
    for written in forward {
        let (when, to) = written.split_once('=').ok_or_else(|| format!("{written:?} is no forward; {FORWARD_FORM}"))?;
        let when = ForwardWhen::ALL.into_iter().find(|known| known.as_str() == when);
        let when = when.ok_or_else(|| format!("{written:?} is no forward; {FORWARD_FORM}"))?;
        let to = if to == OFF { None } else { Some(number(office, user, to, now)?) };
        changes.push(SettingsChange::Forward(when, to));
    }
    if let Some(text) = after {
        let after = read_duration(&text).ok_or_else(|| format!("{text:?} is no time; write for example 20s"))?;
        changes.push(SettingsChange::ForwardAfter(after));
    }
    let groups = log_in.into_iter().map(|group| (group, true)).chain(log_out.into_iter().map(|group| (group, false)));
    for (which, logged_in) in groups {
        let group = office.find_group(&which).ok_or_else(|| format!("there is no group {which}"))?;
        if !group.members.iter().any(|member| member.user == *user) {
            return Err(format!("{} is no member of the group {which}", user.name));
        }
        changes.push(SettingsChange::Group { group: group.id.name.clone(), logged_in });
    }
    Ok(changes)
}

const FORWARD_FORM: &str = "write WHEN=NUMBER or WHEN=off, with always, busy, no_answer or unreachable";

fn status_of(word: &str) -> Result<UserStatus, String> {
    let found = UserStatus::ALL.into_iter().find(|status| status.as_str() == word);
    found
        .ok_or_else(|| format!("{word:?} is no status; there are available, busy, away, do-not-disturb and logged-out"))
}

fn reason_of(office: &Office, word: &str) -> Result<Name, String> {
    let found = office.reasons.iter().find(|reason| reason.as_str() == word).cloned();
    found.ok_or_else(|| {
        let known: Vec<&str> = office.reasons.iter().map(Name::as_str).collect();
        let remedy = if known.is_empty() { "write them as `reasons` of the office".into() } else { known.join(", ") };
        format!("the office knows no reason {word:?}; known: {remedy}")
    })
}

/// Every queue of an office, or one of them by its scenario.
pub(super) async fn queues(running: &Running, office: &str, which: Option<&str>) -> Answer {
    let office = match office_of(running, office) {
        Ok(office) => office,
        Err(fault) => return Answer::fault(fault),
    };
    if let Some(which) = which.filter(|which| !office.scenarios().any(|one| one.id.name.as_str() == *which)) {
        return Answer::fault(format!("there is no scenario {which} in the office {}", office.id));
    }
    let (now, wall) = (running.clock.now(), running.clock.wall());
    let all = running.switch.queues().await.into_iter().filter(|queue| queue.queue.office == office.id);
    let ours = all.filter(|queue| which.is_none_or(|which| queue.queue.name.as_str() == which));
    Answer::Done(json!({ "queues": ours.map(|queue| shown(&office, (now, wall), &queue)).collect::<Vec<_>>() }))
}

fn shown(office: &Office, (now, wall): (Time, WallTime), queue: &QueueShown) -> Value {
    let waits = |since: Time| now.since(since).as_secs();
    let seconds = |from: WallTime, to: WallTime| u64::try_from(to.0.saturating_sub(from.0) / 1_000).unwrap_or(0);
    // Who was promised a call may have his place since before the switch was started.
    let waited =
        |one: &CallerShown| one.promise.as_ref().map_or_else(|| waits(one.since), |kept| seconds(kept.since, wall));
    let number =
        |user: &UserId| office.user(user).map_or_else(|| user.name.to_string(), |user| user.number.to_string());
    let callers: Vec<Value> = queue
        .callers
        .iter()
        .map(|one| {
            json!({ "position": one.position, "call": one.call.to_string(), "caller": one.caller, "waits": waited(one),
                "priority": one.priority, "rings": one.rings.as_ref().map(number), "called_back": one.promise.is_some(),
                "called_back_within": one.promise.as_ref().map(|kept| seconds(wall, kept.until)) })
        })
        .collect();
    let users: Vec<Value> = queue
        .users
        .iter()
        .map(|one| {
            json!({ "user": one.user.name.as_str(), "number": number(&one.user), "free": one.free.map(waits),
                "rings_for": one.rings_for.as_ref().map(ToString::to_string),
                "rests": one.rests_until.filter(|until| *until > now).map(|until| until.since(now).as_secs()) })
        })
        .collect();
    let here = || queue.callers.iter().filter(|one| one.promise.is_none());
    let (waiting, longest) = (here().count(), here().map(|one| waits(one.since)).max().unwrap_or_default());
    let tally = &queue.tally;
    json!({ "queue": queue.queue.name.as_str(), "waiting": waiting, "promised": callers.len() - waiting, "longest": longest, "callers": callers, "users": users,
        "joined": tally.joined, "offered": tally.offered, "answered": tally.answered, "abandoned": tally.abandoned,
        "left": tally.left, "called_back": tally.called_back, "within_level": tally.within,
        "service_level": office.queues.service_level.as_secs(), "longest_wait": tally.longest.as_secs(),
        "average_wait": u32::try_from(tally.timed).ok().and_then(|timed| tally.waited.checked_div(timed)).map(|wait| wait.as_secs()) })
}

/// A number that the user could dial himself, and that rings somebody.
fn number(office: &Office, user: &UserId, text: &str, now: WallTime) -> Result<Dialled, String> {
    let number = Dialled::new(text).map_err(|error| error.to_string())?;
    match office.route(&Inquiry::new(&Source::User(user.clone()), &number, now)) {
        Treatment::DirectUser(_) | Treatment::DirectGroup(_) | Treatment::Outbound { .. } => Ok(number),
        Treatment::Refused(cause) => Err(format!("{} cannot call {number}: {}", user.name, cause.text)),
        Treatment::Scenario { .. } | Treatment::Emergency { .. } | Treatment::Feature(_) => {
            Err(format!("calls cannot be forwarded to {number}: it rings nobody"))
        }
    }
}
