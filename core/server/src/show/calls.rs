//! `call list` and `call show`, for people.

use plugboard_model::{
    CallId, CallOutcome, Cause, Direction, GatewayId, LegEncryption, LegId, LegQuality, ScenarioId, Sound, StepRecord,
    UserId, WallTime,
};
use serde::Deserialize;
use serde_json::Value;
use std::process::ExitCode;

use super::when::{after, length, moment};
use super::{either, field, items};
use crate::output;

/// A call as the switch tells of it: a record, or what there is so far of a call that goes on.
#[derive(Debug, Deserialize)]
struct Call {
    id: CallId,
    direction: Direction,
    caller: String,
    caller_name: String,
    caller_user: Option<UserId>,
    called: String,
    route: Option<String>,
    scenario: Option<ScenarioId>,
    began: WallTime,
    #[serde(default)]
    rang: Option<WallTime>,
    answered: Option<WallTime>,
    answered_by: Option<UserId>,
    /// `None`: it goes on.
    ended: Option<WallTime>,
    outcome: Option<CallOutcome>,
    legs: Vec<Leg>,
    steps: Vec<StepRecord>,
    #[serde(default)]
    recordings: Vec<Value>,
    #[serde(default)]
    faxes: Vec<Value>,
    /// The switch's clock, for a call that goes on.
    #[serde(default)]
    now: Option<WallTime>,
}

#[derive(Debug, Deserialize)]
struct Leg {
    #[serde(rename = "leg")]
    id: LegId,
    user: Option<UserId>,
    gateway: Option<GatewayId>,
    party: String,
    began: WallTime,
    #[serde(default)]
    rang: Option<WallTime>,
    answered: Option<WallTime>,
    ended: Option<WallTime>,
    cause: Option<Cause>,
    #[serde(default)]
    quality: Option<LegQuality>,
    #[serde(default)]
    encryption: Option<LegEncryption>,
}

/// Of steps that took less than this, in milliseconds, nothing is told of their time.
const STEP_TIME_TOLD_MS: i64 = 1_000;

/// `call list`.
pub(crate) fn calls(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        let now = value.get("now").and_then(Value::as_i64).map_or(WallTime(0), WallTime);
        let (live, past) = (items(value, "live"), items(value, "past"));
        if live.is_empty() && past.is_empty() {
            output::line("no call goes on, and no record of one is kept");
        }
        for call in live {
            let began = call.get("began").and_then(Value::as_i64).map_or(now, WallTime);
            let who = who(&field(call, "caller"), "", &field(call, "called"));
            output::line(row(&field(call, "id"), began, now, &who, "going on"));
        }
        for call in past {
            match serde_json::from_value::<Call>(call.clone()) {
                Ok(call) => {
                    let who = who(&call.caller, &call.caller_name, &call.called);
                    let (ended, outcome) = (call.ended.unwrap_or(call.began), outcome(&call));
                    output::line(row(&call.id.to_string(), call.began, ended, &who, &outcome));
                }
                Err(error) => output::fault(format!("a record is not understood: {error}")),
            }
        }
        if let Some(next) = value.get("next").and_then(Value::as_str) {
            output::line(format!("older ones: plugboard call list --after {next}"));
        }
        match value.get("unreadable").and_then(Value::as_u64).unwrap_or(0) {
            0 => {}
            some => output::fault(format!("records that cannot be read, damaged or of another version: {some}")),
        }
    })
}

fn row(id: &str, began: WallTime, ended: WallTime, who: &str, outcome: &str) -> String {
    format!("{id}  {}  {:>8}  {who:<30}  {outcome}", moment(began), length(began, ended))
}

/// `101 Ann Archer -> 102`.
fn who(caller: &str, name: &str, called: &str) -> String {
    let caller = if caller.is_empty() { "withheld" } else { caller };
    let name = if name.is_empty() || name == caller { String::new() } else { format!(" {name}") };
    format!("{caller}{name} -> {called}")
}

/// The outcome with its reason.
fn outcome(call: &Call) -> String {
    match &call.outcome {
        None => "going on".into(),
        Some(CallOutcome::Answered) => match (&call.answered_by, call.answered, call.ended) {
            (Some(user), Some(at), Some(ended)) => format!("answered by {}, talked {}", user.name, length(at, ended)),
            (None, Some(at), Some(ended)) => format!("answered, talked {}", length(at, ended)),
            (_, None, _) | (_, _, None) => "answered".into(),
        },
        Some(CallOutcome::Handled) => "handled: the switch answered, nobody talked to the caller".into(),
        Some(CallOutcome::Abandoned) => "abandoned: the caller hung up before anybody talked to him".into(),
        Some(CallOutcome::NotAnswered(cause)) => format!("not answered: {}", cause_text(cause)),
        Some(CallOutcome::Failed(cause)) => failed_text(cause),
    }
}

/// `486 Busy Here`.
pub(super) fn cause_text(cause: &Cause) -> String {
    format!("{} {}", cause.status, cause.text).trim_end().to_owned()
}

/// How the switch let a call fail: by a fault of its own side, or because it is not wanted.
pub(super) fn failed_text(cause: &Cause) -> String {
    let word = if cause.status / 100 == 5 { "failed" } else { "refused" };
    format!("{word}: {}", cause_text(cause))
}

/// How a leg ended.
pub(super) fn end_of_leg(cause: &Cause) -> String {
    match cause.status {
        200 if *cause == Cause::hung_up() => "hung up".into(),
        200 => "the call was over".into(),
        _ => cause_text(cause),
    }
}

/// `call show`.
pub(crate) fn record(value: &Value, json: bool) -> ExitCode {
    either(value, json, || match serde_json::from_value::<Call>(value.clone()) {
        Ok(call) => call.lines().iter().for_each(output::line),
        Err(error) => output::fault(format!("the record is not understood: {error}; ask with --json")),
    })
}

impl Call {
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = |word: &str, text: String| lines.push(format!("{word:<11}{text}").trim_end().to_owned());
        line("call", self.id.to_string());
        line("direction", self.direction.as_str().into());
        let user = self.caller_user.as_ref().map(|user| format!(" (user {})", user.name)).unwrap_or_default();
        let caller = if self.caller.is_empty() { "withheld" } else { &self.caller };
        line("caller", format!("{caller} {}{user}", self.caller_name).replace("  ", " "));
        line("called", self.called.clone());
        line("route", self.route.clone().unwrap_or_else(|| "none".into()));
        if let Some(scenario) = &self.scenario {
            line("scenario", scenario.name.to_string());
        }
        line("began", format!("{} UTC", moment(self.began)));
        let since = |at: WallTime| format!("{} UTC, after {}", moment(at), after(self.began, at));
        line("ringing", self.rang.map_or_else(|| "nobody rang".into(), since));
        let by = self.answered_by.as_ref().map(|user| format!(", by {}", user.name)).unwrap_or_default();
        let answered = self.answered.map(|at| format!("{}{by}", since(at)));
        line("answered", answered.unwrap_or_else(|| "nobody talked to the caller".into()));
        match (self.ended, self.now) {
            (Some(ended), _) => {
                line("ended", format!("{} UTC", moment(ended)));
                line("duration", self.durations(ended));
            }
            (None, Some(now)) => {
                line("ended", "it goes on; `plugboard call hangup` ends it".into());
                line("duration", format!("{} so far", self.durations(now)));
            }
            (None, None) => line("ended", "it goes on".into()),
        }
        line("outcome", outcome(self));
        for leg in &self.legs {
            lines.push(leg.line(self.began));
            lines.extend(leg.quality.as_ref().map(|quality| format!("{:<11}{}", "", sounded(quality))));
        }
        lines.extend(
            self.recordings.iter().map(|one| {
                format!("{:<11}{}: {}", "recording", super::field(one, "file"), super::recordings::what(one))
            }),
        );
        lines.extend(
            self.faxes
                .iter()
                .map(|one| format!("{:<11}{}: {}", "fax", super::field(one, "id"), super::faxes::what(one))),
        );
        lines.extend(self.steps.iter().map(|step| {
            let outcome = if step.outcome == "cancelled" { "cut off: the call was over" } else { &step.outcome };
            let times = step.began.zip(step.ended).filter(|(began, ended)| ended.0 - began.0 >= STEP_TIME_TOLD_MS);
            let took = times.map(|(began, ended)| format!(", took {}", length(began, ended))).unwrap_or_default();
            let line = format!("{:<11}{:<32} {:<16} {outcome}{took}", "step", step.path, step.word);
            line.trim_end().to_owned()
        }));
        lines
    }

    fn durations(&self, end: WallTime) -> String {
        let talking = self.answered.map(|at| format!(", {} of it talking", length(at, end))).unwrap_or_default();
        format!("{}{talking}", length(self.began, end))
    }
}

impl Leg {
    fn line(&self, began: WallTime) -> String {
        let whose = match (&self.user, &self.gateway) {
            (Some(user), _) if user.name.as_str() != self.party => format!(" (user {})", user.name),
            (None, Some(gateway)) => format!(" (gateway {})", gateway.name),
            (Some(_) | None, None | Some(_)) => String::new(),
        };
        let moments = [("began", Some(self.began)), ("rang", self.rang), ("answered", self.answered)];
        let mut told: Vec<String> =
            moments.into_iter().filter_map(|(word, at)| Some(format!("{word} {}", after(began, at?)))).collect();
        if let Some(LegEncryption { keys, suite }) = &self.encryption {
            told.push(format!("encrypted ({keys}, {suite})"));
        }
        told.push(match (self.ended, &self.cause) {
            (Some(at), Some(cause)) => format!("ended {}: {}", after(began, at), end_of_leg(cause)),
            (Some(at), None) => format!("ended {}", after(began, at)),
            (None, _) => "goes on".into(),
        });
        format!("{:<11}{}{whose}: {}", format!("leg {}", self.id), self.party, told.join(", "))
    }
}

/// How a leg sounded, in one line.
fn sounded(quality: &LegQuality) -> String {
    let share = |lost: u64, of: u64| {
        let tenths = lost.saturating_mul(1_000) / of.max(1);
        format!("{lost} lost ({}.{} %)", tenths / 10, tenths % 10)
    };
    let millis = |microseconds: u32| format!("{} ms", microseconds.saturating_add(500) / 1_000);
    let score = |mos: Option<u16>| mos.map(|mos| format!(", MOS {}.{}", mos / 100, mos % 100 / 10)).unwrap_or_default();
    let promised = quality.received.saturating_add(quality.lost);
    let there = quality.far.map(|far| {
        let lost = share(far.lost, quality.sent);
        format!(", {lost}, jitter {} there{}", millis(far.jitter_us), score(quality.far_mos))
    });
    let way = quality.round_trip_us.map(|way| format!("; round trip {}", millis(way)));
    format!(
        "{}, {}: {} packets in, {}, jitter {}{}; {} out{}{}",
        quality.codec,
        sound(quality.sound),
        quality.received,
        share(quality.lost, promised),
        millis(quality.jitter_us),
        score(quality.mos),
        quality.sent,
        there.unwrap_or_default(),
        way.unwrap_or_default(),
    )
}

/// Which way sound went, and what it may be.
const fn sound(sound: Sound) -> &'static str {
    match sound {
        Sound::BothWays => "heard both ways",
        Sound::NotHeard => "NOT HEARD though it was sent to: see NAT and firewall on its side",
        Sound::HearsNothing => "HEARS NOTHING of what is sent to it, by its own reports",
        Sound::FellSilent => "FELL SILENT before the end",
        Sound::Silent => "SILENT: packets without a sound, its microphone may be muted",
        Sound::Gaps => "GAPS: nothing came from it for some seconds in between",
        Sound::Unknown => "too little to tell",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn call(more: Value) -> Call {
        let mut value = json!({
            "id": "main/01KAN0000000000000000000AB", "direction": "internal", "caller": "101", "caller_name": "Ann Archer",
            "caller_user": { "office": "main", "name": "101" }, "called": "102", "route": "user", "scenario": null,
            "began": 1_795_340_592_000_i64, "answered": null, "answered_by": null, "ended": 1_795_340_640_000_i64,
            "outcome": "abandoned", "legs": [], "steps": [],
        });
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_answered_call_is_shown_with_all_its_times() {
        let leg = json!({ "leg": 1, "user": { "office": "main", "name": "bob" }, "gateway": null, "party": "102",
            "began": 1_795_340_592_010_i64, "rang": 1_795_340_592_120_i64, "answered": 1_795_340_595_000_i64,
            "ended": 1_795_340_640_000_i64, "cause": { "status": 200, "text": "OK" } });
        let shown = call(json!({
            "outcome": "answered", "rang": 1_795_340_592_120_i64, "answered": 1_795_340_595_000_i64,
            "answered_by": { "office": "main", "name": "bob" }, "legs": [leg],
        }));
        insta::assert_snapshot!(shown.lines().join("\n"), @r"
        call       main/01KAN0000000000000000000AB
        direction  internal
        caller     101 Ann Archer (user 101)
        called     102
        route      user
        began      2026-11-22 09:43:12 UTC
        ringing    2026-11-22 09:43:12 UTC, after 0.120 s
        answered   2026-11-22 09:43:15 UTC, after 3.000 s, by bob
        ended      2026-11-22 09:44:00 UTC
        duration   0:48, 0:45 of it talking
        outcome    answered by bob, talked 0:45
        leg 1      102 (user bob): began 0.010 s, rang 0.120 s, answered 3.000 s, ended 48.000 s: the call was over
        ");
        assert_eq!(outcome(&shown), "answered by bob, talked 0:45");
    }

    #[test]
    fn how_long_a_step_took_is_told_where_somebody_waited() {
        let step = |word: &str, began: Option<i64>, ended: Option<i64>| json!({ "path": "steps[0]", "word": word, "outcome": "answer", "began": began, "ended": ended });
        let steps = [
            step("try-any-manager", Some(1_000), Some(43_500)),
            step("menu", Some(43_500), Some(44_499)),
            step("set", Some(44_499), None),
            json!({ "path": "steps[0]", "word": "earlier", "outcome": "done" }),
        ];
        let lines = call(json!({ "steps": steps })).lines();
        let of = |word: &str| lines.iter().find(|line| line.contains(word)).unwrap().ends_with(", took 0:42");
        assert_eq!(["try-any-manager", "menu", "set", "earlier"].map(of), [true, false, false, false], "{lines:?}");
    }

    #[test]
    fn how_a_leg_sounded_is_one_line() {
        let quality = LegQuality {
            codec: "PCMA".into(),
            sound: Sound::BothWays,
            received: 990,
            lost: 10,
            jitter_us: 2_499,
            sent: 1_000,
            far: Some(plugboard_model::FarQuality { lost: 25, jitter_us: 12_500 }),
            round_trip_us: Some(48_700),
            mos: Some(421),
            far_mos: Some(398),
        };
        assert_eq!(
            sounded(&quality),
            "PCMA, heard both ways: 990 packets in, 10 lost (1.0 %), jitter 2 ms, MOS 4.2; \
             1000 out, 25 lost (2.5 %), jitter 13 ms there, MOS 3.9; round trip 49 ms"
        );
        let unheard = LegQuality {
            sound: Sound::NotHeard,
            received: 0,
            lost: 0,
            jitter_us: 0,
            far: None,
            round_trip_us: None,
            mos: None,
            far_mos: None,
            ..quality
        };
        assert_eq!(
            sounded(&unheard),
            "PCMA, NOT HEARD though it was sent to: see NAT and firewall on its side: 0 packets in, 0 lost (0.0 %), jitter 0 ms; 1000 out"
        );
    }

    #[test]
    fn a_call_that_goes_on_says_so_and_what_ends_it() {
        let shown = call(json!({ "ended": null, "outcome": null, "now": 1_795_340_600_000_i64 }));
        let lines = shown.lines().join("\n");
        assert!(lines.contains("ended      it goes on; `plugboard call hangup` ends it"), "{lines}");
        assert!(lines.contains("duration   0:08 so far") && lines.contains("outcome    going on"), "{lines}");
    }

    #[test]
    fn the_reason_stands_beside_the_outcome() {
        let refused =
            call(json!({ "outcome": { "not_answered": { "status": 480, "text": "No device is registered" } } }));
        assert_eq!(outcome(&refused), "not answered: 480 No device is registered");
        let failed = |status, text: &str| call(json!({ "outcome": { "failed": { "status": status, "text": text } } }));
        assert_eq!(outcome(&failed(404, "no route takes it")), "refused: 404 no route takes it");
        assert_eq!(outcome(&failed(500, "The switch stopped")), "failed: 500 The switch stopped");
        assert_eq!(end_of_leg(&Cause::hung_up()), "hung up");
        assert_eq!(end_of_leg(&Cause::of(486)), "486 Busy Here");
        assert_eq!(who("", "", "100"), "withheld -> 100");
        assert_eq!(who("101", "Ann", "102"), "101 Ann -> 102");
    }
}
