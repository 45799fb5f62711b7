//! `call trace`, for people: what happened in a call, a line each.

use plugboard_calendar::Zone;
use plugboard_model::{Cause, HostCall, JournalEntry, JournalEvent, RunEnd, RunId, Time, UserId, WallTime};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::ExitCode;

use super::calls::{cause_text, end_of_leg, failed_text};
use super::host::{asked, told, value_text};
use super::when::by_clock;
use super::{either, items, seconds};
use crate::output;

/// Letters of an action's parameters that are shown: a line of a wide terminal.
const PARAMETERS_LEN_MAX: usize = 120;

/// `call trace`.
pub(crate) fn timeline(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        let entries: Result<Vec<JournalEntry>, _> =
            items(value, "entries").iter().map(|entry| serde_json::from_value(entry.clone())).collect();
        match entries {
            Ok(entries) => journal(&entries, zone_of(value)).iter().for_each(output::line),
            Err(error) => output::fault(format!("the journal is not understood: {error}; ask with --json")),
        }
        if value.get("gaps").and_then(Value::as_bool) == Some(true) {
            output::fault("lines are missing: they could not be kept");
        }
    })
}

/// What is going on while the journal is read.
#[derive(Default)]
struct Reader {
    /// Whose clock tells when the call began.
    zone: Zone,
    lines: Vec<String>,
    /// The names of the actions that run.
    runs: BTreeMap<RunId, String>,
    /// When each host call began that has no answer yet, and what was asked.
    open: BTreeMap<(RunId, u32), (Time, String)>,
    /// Who each leg is.
    legs: BTreeMap<u32, String>,
    /// The run that ended the call.
    hangs_up: Option<RunId>,
}

/// The zone of the call's office, as the switch says it.
fn zone_of(value: &Value) -> Zone {
    value.get("time_zone").and_then(Value::as_str).and_then(Zone::of).unwrap_or_default()
}

/// What happened in a call, a line each; when it began by the clock of its office.
pub(crate) fn journal(entries: &[JournalEntry], zone: Zone) -> Vec<String> {
    let mut reader = Reader { zone, ..Reader::default() };
    for (place, entry) in entries.iter().enumerate() {
        // What is answered at once is one line, not two.
        let next = entries.get(place + 1).map(|next| &next.event);
        let answered_at_once = match (&entry.event, next) {
            (JournalEvent::Begin { run, n, .. }, Some(JournalEvent::End { run: of, n: to, .. })) => {
                (run, n) == (of, to)
            }
            _ => false,
        };
        reader.take(entry, answered_at_once);
    }
    reader.lines
}

impl Reader {
    fn say(&mut self, at: Time, word: &str, text: impl AsRef<str>) {
        let line = format!("{:>10.3} s  {word:<8} {}", seconds(at.0), text.as_ref());
        self.lines.push(line.trim_end().to_owned());
    }

    fn take(&mut self, entry: &JournalEntry, answered_at_once: bool) {
        let at = entry.at;
        match &entry.event {
            JournalEvent::Began { wall, caller, called, caller_user, direction } => {
                let user = caller_user.as_ref().map(|user| format!(" (user {})", user.name)).unwrap_or_default();
                let caller = if caller.is_empty() { "withheld" } else { caller };
                self.legs.insert(0, caller.to_owned());
                self.began(at, &format!("{caller}{user} calls {called}, {}", direction.as_str()), *wall);
            }
            JournalEvent::Routed { route, scenario, version } => {
                let [a, b, c, d, ..] = version;
                let version = format!("{a:02x}{b:02x}{c:02x}{d:02x}");
                self.say(at, "route", format!("{route}: scenario {}, version {version}", scenario.name));
            }
            JournalEvent::Step { path, word } => self.say(at, "step", format!("{path}: {word}")),
            JournalEvent::Decided { path, branch } => self.say(at, "decided", format!("{path}: {branch}")),
            JournalEvent::Assigned { name, value } => self.say(at, "set", format!("{name} = {}", value_text(value))),
            JournalEvent::RunBegan { run, action, parameters, pins: _ } => {
                self.runs.insert(*run, action.clone());
                self.say(at, "action", format!("{action} begins, run {}: {}", run.0, cut(parameters)));
            }
            JournalEvent::Begin { run, n, call, hash: _ } => {
                let asked = asked(call);
                if matches!(call, HostCall::HangUp(_)) {
                    self.hangs_up = Some(*run);
                }
                if !answered_at_once {
                    self.say(at, "  host", &asked);
                }
                self.open.insert((*run, *n), (at, asked));
            }
            JournalEvent::End { run, n, result } => {
                let (began, asked) = self.open.remove(&(*run, *n)).unwrap_or((at, String::from("an earlier request")));
                let took = at.since(began);
                let took = if took.is_zero() { String::new() } else { format!(", after {:.3} s", took.as_secs_f64()) };
                self.say(at, "  host", format!("{asked} -> {}{took}", told(result)));
            }
            JournalEvent::PutAway { run, n: _ } => {
                let action = self.action(*run);
                self.say(at, "  host", format!("{action} is put away while it waits"));
            }
            JournalEvent::RunEnded { run, end } => {
                let action = self.action(*run);
                let hung_up = *end == RunEnd::Cancelled && self.hangs_up == Some(*run);
                let text = if hung_up { "it hung up".into() } else { end_text(end) };
                self.say(at, "action", format!("{action} ends, run {}: {text}", run.0));
            }
            JournalEvent::LegBegan { leg, user, to } => {
                let user = user.as_ref().filter(|user| user.name.as_str() != to);
                let user = user.map(|user| format!(" (user {})", user.name)).unwrap_or_default();
                self.legs.insert(leg.0, format!("{to}{user}"));
                self.leg(at, leg.0, "is called");
            }
            JournalEvent::LegRang { leg } => self.leg(at, leg.0, "rings"),
            JournalEvent::LegAnswered { leg } => self.leg(at, leg.0, "is answered"),
            JournalEvent::LegEnded { leg, cause } => {
                let end =
                    if *cause == Cause::hung_up() { "hangs up".into() } else { format!("ends: {}", end_of_leg(cause)) };
                self.leg(at, leg.0, &end);
            }
            JournalEvent::Bridged { a, b } => {
                self.say(at, "talk", format!("leg {} and leg {} hear each other", a.0, b.0));
            }
            JournalEvent::Digit { leg, digit } => self.leg(at, leg.0, &format!("presses {digit}")),
            JournalEvent::Held { by, whom: Some(whom) } => self.leg(at, by.0, &format!("puts leg {} on hold", whom.0)),
            JournalEvent::Held { by, whom: None } => self.leg(at, by.0, "does not listen"),
            JournalEvent::Resumed { by, whom: Some(whom) } => self.leg(at, by.0, &format!("takes leg {} back", whom.0)),
            JournalEvent::Resumed { by, whom: None } => self.leg(at, by.0, "listens again"),
            JournalEvent::Transferred { by: Some(by), whom, to } => {
                self.leg(at, by.0, &format!("hands leg {} on to {to}", whom.0));
            }
            JournalEvent::Transferred { by: None, whom, to } => self.leg(at, whom.0, &format!("is handed on to {to}")),
            JournalEvent::Forwarded { leg: Some(leg), to, why, .. } => {
                self.leg(at, leg.0, &format!("sends the call on to {to} ({})", why.diversion_reason()));
            }
            JournalEvent::Forwarded { leg: None, by, to, why } => {
                self.say(at, "forward", format!("{by} sends the call on to {to} ({})", why.diversion_reason()));
            }
            JournalEvent::FellSilent { leg } => self.leg(at, leg.0, "falls silent: is it still there?"),
            JournalEvent::NotHeard { leg } => self.leg(at, leg.0, "is there and cannot be heard"),
            JournalEvent::NotRung { user, cause } => self.not_rung(at, user, cause),
            JournalEvent::PhoneOf { leg, user } => self.leg(at, leg.0, &format!("is a phone of {} outside", user.name)),
            JournalEvent::HeardAgain { leg } => self.leg(at, leg.0, "is heard again"),
            JournalEvent::Emergency { number, location, call_back, test } => {
                let what = if *test { "tries the way of a call for help" } else { "calls for help" };
                let place = location.as_ref().map(|place| format!(" from {place}")).unwrap_or_default();
                self.say(at, "emergency", format!("{what}{place}: {number}; {call_back} leads back"));
            }
            JournalEvent::Note { text } => self.say(at, "note", text),
            JournalEvent::Ended { outcome } => {
                use plugboard_model::CallOutcome;
                let text = match outcome {
                    CallOutcome::Answered => "answered".into(),
                    CallOutcome::Handled => "handled: the switch answered, nobody talked to the caller".into(),
                    CallOutcome::Abandoned => "abandoned: the caller hung up before anybody talked to him".into(),
                    CallOutcome::NotAnswered(cause) => format!("not answered: {}", cause_text(cause)),
                    CallOutcome::Failed(cause) => failed_text(cause),
                };
                self.say(at, "end", text);
            }
        }
    }

    fn began(&mut self, at: Time, what: &str, wall: WallTime) {
        self.say(at, "call", format!("{what}, at {}", by_clock(self.zone, wall)));
    }

    fn not_rung(&mut self, at: Time, user: &UserId, cause: &Cause) {
        self.say(at, "user", format!("{} is not rung: {}", user.name, cause_text(cause)));
    }

    fn leg(&mut self, at: Time, leg: u32, what: &str) {
        let who = self.legs.get(&leg).cloned().unwrap_or_default();
        self.say(at, "leg", format!("{leg} {who} {what}").replace("  ", " "));
    }

    fn action(&self, run: RunId) -> String {
        self.runs.get(&run).cloned().unwrap_or_else(|| "an action".into())
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= PARAMETERS_LEN_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(PARAMETERS_LEN_MAX).collect();
    format!("{kept}…")
}

fn end_text(end: &RunEnd) -> String {
    match end {
        RunEnd::Outcome(outcome) => format!("outcome {outcome}"),
        RunEnd::Failed(why) => format!("failed: {why}"),
        RunEnd::Trapped { reason, after } => format!("failed: it trapped after {after} host calls: {reason}"),
        RunEnd::Limit { limit, after } => {
            format!("failed: {} (limit {limit}), after {after} host calls", limit_text(limit))
        }
        RunEnd::Diverged { at } => format!("failed: rebuilt, it asked for something else at host call {at}"),
        RunEnd::Cancelled => "cut off: the call was over".into(),
    }
}

/// What an action did that reached this limit, in words for those who do not know its name.
fn limit_text(limit: &str) -> &'static str {
    match limit {
        "epoch" | "fuel" => "it computed for too long",
        "deadline" => "it took too long",
        "memory" => "it asked for too much memory",
        "stack" => "its functions called each other too deep",
        "host-calls" => "it made too many host calls",
        "host-bytes" => "its host calls carried too much",
        "rebuild" => "it took too long to rebuild it after a wait",
        "instances" => "too many actions ran at once",
        _ => "a limit ended it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::{
        Audio, CallOutcome, Cause, Direction, HostCall, HostResult, LegId, OfficeId, PlayEnd, PlayOptions, RunPins,
        ScenarioId,
    };

    #[test]
    fn an_action_that_reached_a_limit_is_told_in_words() {
        let end = |limit: &str| end_text(&RunEnd::Limit { limit: limit.into(), after: 3 });
        assert_eq!(end("epoch"), "failed: it computed for too long (limit epoch), after 3 host calls");
        assert_eq!(end("memory"), "failed: it asked for too much memory (limit memory), after 3 host calls");
        assert_eq!(end("new"), "failed: a limit ended it (limit new), after 3 host calls");
    }

    #[test]
    fn a_call_is_told_line_by_line_with_the_time_since_its_start() {
        let office = OfficeId::new("main").unwrap();
        let user = |name: &str| UserId::new(&office, name).unwrap();
        let pins =
            RunPins { component: [7; 32], wit: "0.1.0".into(), host: String::new(), journal: 1, limits: String::new() };
        let play = HostCall::Play {
            audio: Audio::Prompt("welcome".into()),
            options: PlayOptions { max_ms: Some(5_000), repeat: false, stop_on_digit: true },
        };
        let (run, caller) = (RunId(0), LegId::CALLER);
        let events = [
            JournalEvent::Began {
                wall: WallTime(1_795_340_592_000),
                caller: "101".into(),
                called: "100".into(),
                caller_user: Some(user("ann")),
                direction: Direction::Internal,
            },
            JournalEvent::Routed {
                route: "welcome".into(),
                scenario: ScenarioId::new(&office, "welcome").unwrap(),
                version: [0xab; 32],
            },
            JournalEvent::Step { path: "steps[0]".into(), word: "play-audio".into() },
            JournalEvent::RunBegan {
                run,
                action: "play-audio".into(),
                parameters: "{\"audio\":\"welcome\"}".into(),
                pins,
            },
            JournalEvent::Begin { run, n: 0, call: HostCall::Answer, hash: [0; 32] },
            JournalEvent::End { run, n: 0, result: HostResult::Done(Ok(())) },
            JournalEvent::LegAnswered { leg: caller },
            JournalEvent::Begin { run, n: 1, call: play, hash: [0; 32] },
            JournalEvent::Digit { leg: caller, digit: '1' },
            JournalEvent::End { run, n: 1, result: HostResult::Played(Ok(PlayEnd::Digit('1'))) },
            JournalEvent::RunEnded { run, end: RunEnd::Outcome("digit".into()) },
            JournalEvent::LegBegan { leg: LegId(1), user: Some(user("bob")), to: "102".into() },
            JournalEvent::LegRang { leg: LegId(1) },
            JournalEvent::LegEnded { leg: LegId(1), cause: Cause { status: 486, text: "Busy Here".into() } },
            JournalEvent::Ended { outcome: CallOutcome::Handled },
        ];
        let entries: Vec<JournalEntry> = events
            .into_iter()
            .zip(0_u32..)
            .map(|(event, seq)| JournalEntry { seq, at: Time::from_millis(u64::from(seq) * 10), event })
            .collect();
        insta::assert_snapshot!(journal(&entries, Zone::of("Europe/Berlin").unwrap()).join("\n"), @r#"
        0.000 s  call     101 (user ann) calls 100, internal, at 2026-11-22 10:43:12 Europe/Berlin
        0.010 s  route    welcome: scenario welcome, version abababab
        0.020 s  step     steps[0]: play-audio
        0.030 s  action   play-audio begins, run 0: {"audio":"welcome"}
        0.050 s    host   call.answer -> done, after 0.010 s
        0.060 s  leg      0 101 is answered
        0.070 s    host   call.play prompt "welcome", at most 5s, until a digit
        0.080 s  leg      0 101 presses 1
        0.090 s    host   call.play prompt "welcome", at most 5s, until a digit -> stopped by the digit 1, after 0.020 s
        0.100 s  action   play-audio ends, run 0: outcome digit
        0.110 s  leg      1 102 (user bob) is called
        0.120 s  leg      1 102 (user bob) rings
        0.130 s  leg      1 102 (user bob) ends: 486 Busy Here
        0.140 s  end      handled: the switch answered, nobody talked to the caller
        "#);
    }

    #[test]
    fn long_parameters_are_cut_and_not_in_the_middle_of_a_letter() {
        assert_eq!(cut("{}"), "{}");
        assert_eq!(cut(&"é".repeat(500)).chars().count(), PARAMETERS_LEN_MAX + 1);
    }
}
