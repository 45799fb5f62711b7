//! What a step of a scenario costs, without the action that it may run: 500,000 of them a second and core are the budget.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plugboard_model::{JournalEvent, Time, Value, WallTime};
use plugboard_scenario::{Input, Interpreter, Output, Program};
use plugboard_simulator::OfficeText;

/// Conditions, clocks, variables and rounds, as scenarios are made of: no component.
const STEPS: &str = "  - set: { n: 1 }
  - repeat: 100
    steps:
      - set: { n: 3, greeting: \"Hello {caller_name}, {called_number}\" }
      - if: \"n > 2 && caller_number.startsWith('+49')\"
        then:
          - set: { n: 2 }
        else:
          - set: { n: 1 }
      - when: { days: [mon-fri], from: '09:00', to: '18:00', time_zone: Europe/Berlin }
        then:
          - set: { n: 5 }
  - hang-up
";

fn program() -> Arc<Program> {
    let story = format!("scenario: story\nvariables: {{ n: number, greeting: text }}\nsteps:\n{STEPS}");
    let stage = OfficeText::demo().with_story("  - hang-up\n").with("story.yaml", &story).stage();
    let found = stage.programs.values().find(|program| program.id().name.as_str() == "story");
    Arc::clone(found.unwrap_or_else(|| panic!("the story is there")))
}

fn inputs() -> Vec<(String, Value)> {
    let text = |name: &str, value: &str| (name.to_owned(), Value::Text(value.to_owned()));
    vec![
        text("caller_number", "+493012345"),
        text("caller_name", "Ann"),
        text("called_number", "100"),
        text("call_id", "x"),
        text("language", "en"),
    ]
}

/// Runs a call to its first action; how many steps it took.
fn steps(program: &Arc<Program>, variables: &[(String, Value)]) -> u64 {
    let mut call = Interpreter::new(Arc::clone(program));
    let wall = WallTime(1_767_603_600_000);
    call.handle(Time::ZERO, Input::Start { wall, variables: variables.to_vec() });
    let mut steps = 0;
    while let Some(output) = call.poll_output() {
        steps += u64::from(matches!(black_box(output), Output::Journal(JournalEvent::Step { .. })));
    }
    steps
}

fn interpreter(criterion: &mut Criterion) {
    let (program, variables) = (program(), inputs());
    let taken = steps(&program, &variables);
    assert!(taken > 400, "{taken} steps: the call ended early");
    let mut group = criterion.benchmark_group("interpreter");
    group.throughput(Throughput::Elements(taken));
    group.bench_function("steps", |bencher| bencher.iter(|| steps(black_box(&program), &variables)));
    group.finish();
}

criterion_group!(benches, interpreter);
criterion_main!(benches);
