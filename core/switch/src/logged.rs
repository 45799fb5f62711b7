//! Calls that integrations are told when they are over: one notice for each of them, made where the record is written.

use plugboard_model::{
    CallRecord, Direction, LegRecord, LoggedCall, Notice, NoticeContent, NoticeId, NoticePart, NoticeState, UserId,
};
use plugboard_office::Office;

use crate::actor::integrations::logging;
use crate::message::TakeNotice;
use crate::post::press;
use crate::snapshot::Snapshot;

/// Users whom a call rang that integrations are told.
const RUNG_MAX: usize = 16;

/// A call's record is written. A second time it changes nothing: the notices are the same.
pub(crate) fn call(snapshot: &Snapshot, office: &Office, record: &CallRecord) {
    if record.direction == Direction::Internal {
        return;
    }
    let mut logged = None;
    for integration in logging(&snapshot.configuration, office) {
        let call = logged.get_or_insert_with(|| of(office, record)).clone();
        let id = NoticeId { call: record.id.clone(), part: NoticePart::Log(integration.clone()) };
        let numbers = [&record.caller, &record.called].into_iter().filter(|number| !number.is_empty()).cloned();
        let notice = Notice {
            taken: record.ended,
            numbers: numbers.collect(),
            content: NoticeContent::Log(Box::new(call)),
            // Who is told knows the call by its id.
            repeats: true,
            tried: 0,
            tries: Vec::new(),
            state: NoticeState::Waiting { until: record.ended },
            id,
        };
        let id = notice.id.clone();
        let told = Box::new(move |answer: Result<String, _>| {
            if let Err(why) = answer {
                tracing::error!(call_id = %id.call, notice = %id, ?why, "an integration is not told of a call");
            }
        });
        press(&snapshot.notices, TakeNotice { notice, attach: Vec::new(), told });
    }
}

fn of(office: &Office, record: &CallRecord) -> LoggedCall {
    let outside = if record.direction == Direction::Inbound { &record.caller } else { &record.called };
    let extension = |user: &UserId| office.user(user).map(|user| user.number.as_str().to_owned());
    let user = match record.direction {
        Direction::Outbound => record.caller_user.as_ref(),
        Direction::Inbound | Direction::Internal => record.answered_by.as_ref(),
    };
    // The first leg is the caller's.
    let rang = |leg: &LegRecord| leg.user.as_ref().filter(|user| Some(*user) != record.caller_user.as_ref()).cloned();
    let mut rung: Vec<String> = Vec::new();
    for extension in record.legs.iter().filter_map(rang).filter_map(|user| extension(&user)) {
        if rung.len() < RUNG_MAX && !rung.contains(&extension) {
            rung.push(extension);
        }
    }
    LoggedCall {
        id: record.id.ulid_text(),
        direction: record.direction,
        number: office.asked_number(outside),
        caller_name: record.caller_name.clone(),
        user: user.and_then(extension).unwrap_or_default(),
        rung,
        began: record.began,
        answered: record.answered,
        ended: record.ended,
        outcome: record.outcome.clone(),
    }
}
