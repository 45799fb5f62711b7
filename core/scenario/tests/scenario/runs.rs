//! Scenarios that run others.

use crate::support::{Call, Demo, catalogue, faults, office, program};
use plugboard_calendar::{Calendar, Zone};
use plugboard_model::{GroupId, UserId, Value};
use plugboard_scenario::{Document, KnownDatabases, Resolver, ScenarioEnd, compile};
use std::sync::Arc;

fn of_steps(steps: &str) -> String {
    faults(&format!("scenario: s\nsteps:\n{steps}"))
}

#[test]
fn the_steps_of_another_scenario_are_done_and_then_the_next_one() {
    let mut call = Call::of_steps("  - run: closed\n  - if: told && again == 1\n    then: [{ echo: { max: 2s } }]\n");
    call.ends("done").ends("done");
    insta::assert_snapshot!(call.trace(), @r#"
    step steps[0] run
    step steps[0].closed set
    assigned again = Number(1)
    step steps[0].closed run
    step steps[0].closed.steps[0] play-audio
    run 0: play-audio {"audio":"welcome"}
    decided steps[0].closed.steps[0]: done
    step steps[0].closed.steps[1] set
    assigned told = Boolean(true)
    step steps[1] if
    decided steps[1]: then
    step steps[1].then[0] echo
    run 1: echo {"max":"2s"}
    decided steps[1].then[0]: done
    ended Finished
    closed
    "#);
}

#[test]
fn what_is_given_has_a_value_where_it_is_run() {
    assert!(
        of_steps("  - run: greet\n").contains("s.yaml:3:5: steps[0]: agent may have no value here"),
        "{}",
        of_steps("  - run: greet\n")
    );
    let given = "  - search-history\n  - if: assigned(last_agent)\n    then:\n      - set: { agent: \"{last_agent}\" }\n      - run: greet\n";
    assert_eq!(of_steps(given), "");
    let mut call = Call::of_steps(given);
    call.ends_with("found", &[("last_agent", Value::User(crate::support::user("105")))]);
    assert!(call.runs()[1].contains(r#""target":"agent""#), "{}", call.trace());
    assert!(call.trace().contains("step steps[1].then[1].greet.steps[0] call-user"), "{}", call.trace());
    let own = program(
        "scenario: s\nvariables: { agent: { type: user, given: true } }\nsteps: [{ call-user: { mode: variable, target: agent } }]\n",
    );
    assert_eq!(own.needs(), ["agent"]);
}

#[test]
fn a_scenario_that_ends_the_call_leaves_nothing_to_do() {
    assert!(of_steps("  - run: end\n  - echo\n").contains("never reached"));
    let mut call = Call::of_steps("  - run: end\n");
    call.ends("done");
    assert_eq!(call.end(), Some(&ScenarioEnd::HungUp));
}

#[test]
fn what_cannot_be_run_is_refused_with_the_reason() {
    insta::assert_snapshot!(of_steps("  - run: clsed\n  - run: s\n  - run: round\n  - run: broken\n  - run: [closed]\n  - set: { told: \"text\" }\n  - run: closed\n  - event: hang-up\n    steps: [{ run: closed }]\n"), @r#"
    s.yaml:3:5: steps[0]: the office has no scenario "clsed" (did you mean "closed"?)
    s.yaml:4:5: steps[1]: s runs s: they never end (use repeat)
    s.yaml:5:5: steps[2]: round runs about runs round: they never end (use repeat)
    s.yaml:6:5: steps[3]: the scenario broken has faults of its own (mend it first)
    s.yaml:7:10: steps[4].run: a text is expected, not a list
    s.yaml:9:5: steps[6]: told is of type boolean here and of type text elsewhere (take two names)
    s.yaml:11:15: steps[7].steps[0]: run does nothing here: the call is over (take it out)
    s.yaml:11:15: steps[7].steps[0]: told is of type boolean here and of type text elsewhere (take two names)
    "#);
}

#[test]
fn a_scenario_that_changes_changes_the_version_of_those_that_run_it() {
    let one = program("scenario: s\nsteps: [{ run: closed }]\n").version();
    let other = program("scenario: s\nsteps: [{ run: end-not }]\n").version();
    let again = program("# a comment\nscenario: s\nsteps: [{ run: closed }]\n").version();
    assert_ne!(one, other);
    assert_eq!(one, again);
}

/// An office whose scenario `other` has these steps.
struct Changing(&'static str);

impl Resolver for Changing {
    fn mail_to(&self, whom: &str) -> Result<(), (String, String)> {
        Demo.mail_to(whom)
    }
    fn mail_template(&self, name: &str) -> Option<Vec<String>> {
        Demo.mail_template(name)
    }
    fn mail_templates(&self) -> Vec<String> {
        Demo.mail_templates()
    }
    fn has_http_source(&self, name: &str) -> bool {
        Demo.has_http_source(name)
    }
    fn http_sources(&self) -> Vec<String> {
        Demo.http_sources()
    }
    fn databases(&self) -> Option<KnownDatabases> {
        Demo.databases()
    }
    fn user(&self, id_or_number: &str) -> Option<UserId> {
        Demo.user(id_or_number)
    }
    fn group(&self, id_or_number: &str) -> Option<GroupId> {
        Demo.group(id_or_number)
    }
    fn has_prompt(&self, name: &str) -> bool {
        Demo.has_prompt(name)
    }
    fn has_music(&self, name: &str) -> bool {
        Demo.has_music(name)
    }
    fn calendar(&self, name: &str) -> Option<Arc<Calendar>> {
        Demo.calendar(name)
    }
    fn calendars(&self) -> Vec<String> {
        Demo.calendars()
    }
    fn zone(&self) -> Option<Zone> {
        Demo.zone()
    }
    fn scenario(&self, name: &str) -> Option<Document> {
        let text = format!("scenario: {name}\nsteps: {}\n", self.0);
        Document::parse("other.yaml", &text).ok()
    }
    fn scenarios(&self) -> Vec<String> {
        vec!["other".into()]
    }
}

#[test]
fn the_version_is_that_of_every_step_that_a_call_may_take() {
    let document = Document::parse("s.yaml", "scenario: s\nsteps: [{ run: other }]\n").unwrap();
    let version = |steps| compile(&document, &office(), &catalogue(), &Changing(steps)).unwrap().version();
    assert_ne!(version("[echo]"), version("[echo, echo]"));
    assert_eq!(version("[echo]"), version("[ echo ]"));
}

#[test]
fn runs_within_runs_have_an_end() {
    let mut steps = "  - run: many\n".repeat(12);
    assert_eq!(of_steps(&steps), "", "12 places, 48 within, 192 within these");
    steps += "  - run: many\n";
    assert!(of_steps(&steps).contains("more than 256 places"), "{}", of_steps(&steps));
}
