use super::*;
use plugboard_model::Cause;

#[test]
fn two_switches_in_one_process_count_apart() {
    let (one, other) = (Metrics::new(), Metrics::new());
    one.families.calls_active.inc();
    assert!(one.render().contains("plugboard_calls_active 1\n"));
    assert!(other.render().contains("plugboard_calls_active 0\n"));
}

#[test]
fn a_call_counts_under_its_direction_and_outcome() {
    let metrics = Metrics::new();
    for outcome in [CallOutcome::Answered, CallOutcome::Handled, CallOutcome::Abandoned] {
        assert_eq!(OUTCOMES[outcome_index(&outcome)], outcome.as_str());
    }
    for outcome in [CallOutcome::NotAnswered(Cause::of(486)), CallOutcome::Failed(Cause::of(500))] {
        assert_eq!(OUTCOMES[outcome_index(&outcome)], outcome.as_str());
    }
    for (place, direction) in DIRECTIONS.into_iter().enumerate() {
        assert_eq!(direction_index(direction), place);
    }
    metrics.families.count_call(Direction::Internal, &CallOutcome::NotAnswered(Cause::of(486)));
    let line = r#"plugboard_calls_total{direction="internal",outcome="not_answered"} 1"#;
    assert!(metrics.render().contains(line), "{}", metrics.render());
}

#[test]
fn more_actions_than_the_limit_share_one_series() {
    let metrics = Metrics::new();
    for n in 0..ACTIONS_MAX + 10 {
        metrics.action(&format!("action-{n}"), "1.0.0").runs[0].inc();
    }
    let text = metrics.render();
    assert!(text.contains(r#"{action="action-255",outcome="finished",version="1.0.0"} 1"#));
    assert!(!text.contains("action-256"));
    assert!(text.contains(r#"{action="other",outcome="finished",version="other"} 10"#));
}
