//! Records as earlier versions of the switch wrote them.

use plugboard_model::{
    CallId, CallOutcome, CallRecord, Cause, Direction, GatewayId, LegId, LegRecord, ScenarioId, StepRecord, UserId,
    WallTime,
};
use serde::Deserialize;

use crate::codec::Form;
use crate::error::StoreError;

/// The form of records now.
pub(crate) const RECORD_FORM: Form = Form::new("a call record", 2);
/// Before there was anything about the quality and the encryption of legs.
const FIRST_FORM: Form = Form::new("a call record", 1);

/// Reads a record that this version wrote, or an earlier one.
pub(crate) fn read(bytes: &[u8]) -> Result<CallRecord, StoreError> {
    if bytes.first() == Some(&FIRST_FORM.version) {
        return FIRST_FORM.decode::<FirstRecord>(bytes).map(CallRecord::from);
    }
    RECORD_FORM.decode(bytes)
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
struct FirstLeg {
    leg: LegId,
    user: Option<UserId>,
    gateway: Option<GatewayId>,
    party: String,
    began: WallTime,
    answered: Option<WallTime>,
    ended: WallTime,
    cause: Cause,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
struct FirstRecord {
    id: CallId,
    direction: Direction,
    caller: String,
    caller_name: String,
    caller_user: Option<UserId>,
    called: String,
    route: Option<String>,
    scenario: Option<ScenarioId>,
    began: WallTime,
    answered: Option<WallTime>,
    answered_by: Option<UserId>,
    ended: WallTime,
    outcome: CallOutcome,
    legs: Vec<FirstLeg>,
    steps: Vec<StepRecord>,
}

impl From<FirstLeg> for LegRecord {
    fn from(first: FirstLeg) -> Self {
        let FirstLeg { leg, user, gateway, party, began, answered, ended, cause } = first;
        Self { leg, user, gateway, party, began, answered, ended, cause, quality: None, encryption: None }
    }
}

impl From<FirstRecord> for CallRecord {
    fn from(first: FirstRecord) -> Self {
        Self {
            id: first.id,
            direction: first.direction,
            caller: first.caller,
            caller_name: first.caller_name,
            caller_user: first.caller_user,
            called: first.called,
            route: first.route,
            scenario: first.scenario,
            began: first.began,
            answered: first.answered,
            answered_by: first.answered_by,
            ended: first.ended,
            outcome: first.outcome,
            legs: first.legs.into_iter().map(LegRecord::from).collect(),
            steps: first.steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::OfficeId;

    #[test]
    fn a_record_of_the_first_form_is_still_read() {
        let id = CallId::new(OfficeId::new("main").unwrap(), WallTime(5), 1);
        let leg = FirstLeg {
            leg: LegId(1),
            user: None,
            gateway: None,
            party: "101".into(),
            began: WallTime(5),
            answered: None,
            ended: WallTime(9),
            cause: Cause::of(487),
        };
        let first = FirstRecord {
            id: id.clone(),
            direction: Direction::Inbound,
            caller: "+4930".into(),
            caller_name: String::new(),
            caller_user: None,
            called: "100".into(),
            route: Some("main".into()),
            scenario: None,
            began: WallTime(5),
            answered: None,
            answered_by: None,
            ended: WallTime(9),
            outcome: CallOutcome::Abandoned,
            legs: vec![leg],
            steps: Vec::new(),
        };
        let read = read(&FIRST_FORM.encode(&first).unwrap()).unwrap();
        assert_eq!((read.id, read.caller.as_str(), read.outcome), (id, "+4930", CallOutcome::Abandoned));
        assert_eq!((read.legs[0].cause.clone(), read.legs[0].quality.clone()), (Cause::of(487), None));
    }
}
