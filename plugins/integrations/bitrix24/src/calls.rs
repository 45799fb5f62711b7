//! Calls in the timelines of the CRM: each is registered and finished once it is over.

use plugboard_sdk::Json;
use plugboard_sdk_integration::prelude::*;

use crate::Settings;
use crate::record::text;
use crate::rest::ask;

/// What the portal calls a call to the outside, and one from there.
const OUTBOUND: u8 = 1;
const INBOUND: u8 = 2;

/// Logs a call that is over.
pub(crate) fn log(settings: &Settings, call: &EndedCall) -> Result<(), Failure> {
    let number = call.number.forms.first().unwrap_or(&call.number.shown);
    // Who withholds his number is nobody in the CRM, and the portal takes no call without one.
    if number.is_empty() {
        return Ok(());
    }
    let user = user(settings, call)?;
    let began = timestamp(call.began);
    if call.again && is_there(&began, number)? {
        return Ok(());
    }
    let kind = if call.direction == Direction::Outbound { OUTBOUND } else { INBOUND };
    let registered = ask(
        "telephony.externalcall.register",
        [
            ("USER_ID", user.as_str().into()),
            ("PHONE_NUMBER", number.as_str().into()),
            ("TYPE", kind.into()),
            ("CALL_START_DATE", began.into()),
            ("CRM_CREATE", u8::from(settings.make_leads && kind == INBOUND).into()),
            // It is over: no card is to come up.
            ("SHOW", 0_u8.into()),
        ],
    )?;
    let id = registered.get("CALL_ID").and_then(text).ok_or_else(|| Failure::new("the portal gave the call no id"))?;
    let talked = call.answered.map_or(0, |answered| call.ended.saturating_sub(answered) / 1_000);
    ask(
        "telephony.externalcall.finish",
        [
            ("CALL_ID", id.into()),
            ("USER_ID", user.into()),
            ("DURATION", talked.into()),
            ("STATUS_CODE", status(call).to_string().into()),
            ("ADD_TO_CHAT", 0_u8.into()),
        ],
    )?;
    Ok(())
}

/// In whose name it is logged: who talked, or the first one whom it rang, or who stands for all.
fn user(settings: &Settings, call: &EndedCall) -> Result<String, Failure> {
    let of_office = Some(&call.user).filter(|user| !user.is_empty()).or_else(|| call.rung.first());
    if let Some(extension) = of_office {
        let named = settings.users.iter().flatten().find(|(_, own)| *own == extension);
        if let Some((id, _)) = named {
            return Ok(id.clone());
        }
        let found = ask("user.get", [("UF_PHONE_INNER", extension.as_str().into()), ("ACTIVE", true.into())])?;
        if let Some(id) = found.pointer("/0/ID").and_then(text) {
            return Ok(id);
        }
    }
    let nobody = || Failure::new("no user of the portal has this call; set log_for");
    settings.log_for.clone().ok_or_else(nobody)
}

/// Whether the portal has a call of this number that began then.
fn is_there(began: &str, number: &str) -> Result<bool, Failure> {
    let filter = Json::Object([("CALL_START_DATE".to_owned(), began.into())].into_iter().collect());
    let found = ask("voximplant.statistic.get", [("FILTER", filter)])?;
    let same = |one: &Json| one.get("PHONE_NUMBER").and_then(text).is_some_and(|kept| digits(&kept) == digits(number));
    Ok(found.as_array().is_some_and(|found| found.iter().any(same)))
}

/// The portal keeps numbers without their `+`.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// As the portal says how calls ended.
fn status(call: &EndedCall) -> u16 {
    match call.outcome {
        CallOutcome::Answered | CallOutcome::Handled => 200,
        // Missed.
        CallOutcome::Abandoned => 304,
        CallOutcome::NotAnswered | CallOutcome::Failed => match call.status {
            status @ (402 | 403 | 404 | 423 | 480 | 484 | 486 | 503 | 603) => status,
            // Nobody picked up, or no word that the portal has.
            _ if call.direction == Direction::Inbound => 304,
            _ => 480,
        },
    }
}

/// ISO 8601, in UTC.
fn timestamp(millis: u64) -> String {
    let (days, seconds) = (millis / 86_400_000, millis / 1_000 % 86_400);
    // Days since 0000-03-01, in eras of 400 years (H. Hinnant, "chrono-compatible low-level date algorithms").
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day_of_month:02}T{hour:02}:{minute:02}:{second:02}+00:00")
}
