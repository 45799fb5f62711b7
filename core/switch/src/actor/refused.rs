//! What is kept of a call that a user or a gateway made and that was refused at once: a record and three lines of journal, so
//! that his admin finds it.

use plugboard_model::{
    CallId, CallOutcome, CallRecord, Cause, Dialled, Direction, GatewayId, JournalEntry, JournalEvent, LegId,
    LegRecord, Time, UserId, WallTime,
};
use plugboard_office::{Office, Source};
use plugboard_sip::Request;

use crate::env::Env;

/// Who calls, as the office knows him.
pub(super) struct Caller {
    /// Empty when it is withheld.
    pub(super) number: String,
    pub(super) name: String,
    pub(super) user: Option<UserId>,
    pub(super) gateway: Option<GatewayId>,
}

impl Caller {
    pub(super) fn of(office: &Office, source: &Source, request: &Request) -> Self {
        match source {
            // The identity that was proven, not the one that was claimed.
            Source::User(user) => {
                let known = office.user(user);
                let number = known.map_or_else(String::new, |user| user.number.as_str().to_owned());
                let name = known.map_or_else(String::new, |user| user.name.clone());
                Self { number, name, user: Some(user.clone()), gateway: None }
            }
            Source::Gateway(gateway) => {
                let from = request.headers.from().ok();
                let uri = from.as_ref().and_then(|from| from.parse_uri().ok());
                let number = uri.as_ref().and_then(|uri| uri.user()).unwrap_or_default().into_owned();
                let number = Dialled::new(&number).map_or_else(|_| String::new(), |number| number.as_str().to_owned());
                let name = from.and_then(|from| from.display.map(|name| name.into_owned())).unwrap_or_default();
                let number = if number == "anonymous" { String::new() } else { number };
                Self { number, name, user: None, gateway: Some(gateway.clone()) }
            }
        }
    }
}

/// From where to where a call goes; `out`: through a gateway.
pub(super) fn direction(source: &Source, out: bool) -> Direction {
    match (source, out) {
        (Source::Gateway(_), _) => Direction::Inbound,
        (Source::User(_), true) => Direction::Outbound,
        (Source::User(_), false) => Direction::Internal,
    }
}

/// Keeps the record of a call that came to nothing.
pub(super) fn keep_record(env: &Env, id: CallId, office: &Office, source: &Source, request: &Request, cause: &Cause) {
    /// Letters of what was called; what cannot be dialled may be anything.
    const CALLED_LEN_MAX: usize = 64;
    let (caller, now): (_, WallTime) = (Caller::of(office, source, request), env.clock.wall());
    let called = request.uri.user().unwrap_or_default();
    let leg = LegRecord {
        leg: LegId::CALLER,
        user: caller.user.clone(),
        gateway: caller.gateway,
        party: caller.number.clone(),
        began: now,
        answered: None,
        ended: now,
        cause: cause.clone(),
    };
    let record = CallRecord {
        direction: direction(source, false),
        caller: caller.number,
        caller_name: caller.name,
        caller_user: caller.user,
        called: called.chars().filter(|c| !c.is_control()).take(CALLED_LEN_MAX).collect(),
        route: None,
        scenario: None,
        began: now,
        answered: None,
        answered_by: None,
        ended: now,
        outcome: CallOutcome::Failed(cause.clone()),
        legs: vec![leg],
        steps: Vec::new(),
        id,
    };
    let began = JournalEvent::Began {
        wall: now,
        caller: record.caller.clone(),
        called: record.called.clone(),
        caller_user: record.caller_user.clone(),
        direction: record.direction,
    };
    let ended = JournalEvent::LegEnded { leg: LegId::CALLER, cause: cause.clone() };
    let over = JournalEvent::Ended { outcome: record.outcome.clone() };
    let entry = |(seq, event)| JournalEntry { seq, at: Time::ZERO, event };
    let entries: Vec<JournalEntry> = (0..).zip([began, ended, over]).map(entry).collect();
    let calls = env.store.calls();
    if let Err(error) = calls.append_journal(&record.id, &entries).and_then(|()| calls.put_record(&record, None)) {
        tracing::error!(call_id = %record.id, %error, "the record of a refused call could not be written");
    }
}
