//! Records as earlier versions of the switch wrote them.

use plugboard_model::{
    CallId, CallOutcome, CallRecord, Cause, Direction, GatewayId, LegId, LegRecord, ScenarioId, StepRecord, UserId,
    WallTime,
};
use serde::Deserialize;

use crate::codec::Form;
use crate::error::StoreError;

/// The form of records now.
pub(crate) const RECORD_FORM: Form = Form::new("a call record", 3);
/// Before steps had times.
const SECOND_FORM: Form = Form::new("a call record", 2);
/// Before there was anything about the quality and the encryption of legs.
const FIRST_FORM: Form = Form::new("a call record", 1);

/// Reads a record that this version wrote, or an earlier one.
pub(crate) fn read(bytes: &[u8]) -> Result<CallRecord, StoreError> {
    match bytes.first() {
        Some(version) if *version == FIRST_FORM.version => {
            FIRST_FORM.decode::<EarlierRecord<FirstLeg>>(bytes).map(CallRecord::from)
        }
        Some(version) if *version == SECOND_FORM.version => {
            SECOND_FORM.decode::<EarlierRecord<LegRecord>>(bytes).map(CallRecord::from)
        }
        Some(_) | None => RECORD_FORM.decode(bytes),
    }
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
struct EarlierRecord<Leg> {
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
    legs: Vec<Leg>,
    steps: Vec<EarlierStep>,
}

/// A step without its times.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
struct EarlierStep {
    path: String,
    word: String,
    outcome: String,
}

impl From<EarlierStep> for StepRecord {
    fn from(EarlierStep { path, word, outcome }: EarlierStep) -> Self {
        Self { path, word, outcome, began: None, ended: None }
    }
}

impl From<FirstLeg> for LegRecord {
    fn from(first: FirstLeg) -> Self {
        let FirstLeg { leg, user, gateway, party, began, answered, ended, cause } = first;
        Self { leg, user, gateway, party, began, answered, ended, cause, quality: None, encryption: None }
    }
}

impl<Leg: Into<LegRecord>> From<EarlierRecord<Leg>> for CallRecord {
    fn from(first: EarlierRecord<Leg>) -> Self {
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
            legs: first.legs.into_iter().map(Leg::into).collect(),
            steps: first.steps.into_iter().map(StepRecord::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::{LegQuality, OfficeId, Sound};

    fn earlier<Leg>(legs: Vec<Leg>) -> EarlierRecord<Leg> {
        let step = EarlierStep { path: "steps[0]".into(), word: "wait".into(), outcome: "done".into() };
        EarlierRecord {
            id: CallId::new(OfficeId::new("main").unwrap(), WallTime(5), 1),
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
            legs,
            steps: vec![step],
        }
    }

    #[test]
    fn a_record_of_the_first_form_is_still_read() {
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
        let first = earlier(vec![leg]);
        let id = first.id.clone();
        let read = read(&FIRST_FORM.encode(&first).unwrap()).unwrap();
        assert_eq!((read.id, read.caller.as_str(), read.outcome), (id, "+4930", CallOutcome::Abandoned));
        assert_eq!((read.legs[0].cause.clone(), read.legs[0].quality.clone()), (Cause::of(487), None));
        assert_eq!((read.steps[0].word.as_str(), read.steps[0].began, read.steps[0].ended), ("wait", None, None));
    }

    #[test]
    fn a_record_of_the_second_form_is_still_read() {
        let quality = LegQuality {
            codec: "PCMA".into(),
            sound: Sound::BothWays,
            received: 990,
            lost: 10,
            jitter_us: 2_499,
            sent: 1_000,
            far: None,
            round_trip_us: None,
            mos: Some(421),
            far_mos: None,
        };
        let leg = LegRecord {
            leg: LegId(1),
            user: None,
            gateway: None,
            party: "101".into(),
            began: WallTime(5),
            answered: None,
            ended: WallTime(9),
            cause: Cause::of(487),
            quality: Some(quality),
            encryption: None,
        };
        let second = earlier(vec![leg.clone()]);
        let id = second.id.clone();
        let read = read(&SECOND_FORM.encode(&second).unwrap()).unwrap();
        assert_eq!((read.id, read.legs), (id, vec![leg]));
        assert_eq!((read.steps[0].outcome.as_str(), read.steps[0].began), ("done", None));
    }
}
