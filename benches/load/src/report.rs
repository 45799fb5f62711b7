//! What was measured.

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// One figure, with the same of the bare relay or of the bare path where there is one.
#[derive(Debug)]
pub(crate) struct Row {
    /// A short name for programs.
    pub(crate) key: &'static str,
    /// What it is, with its unit.
    pub(crate) what: String,
    /// Of the switch; `None`: not to be known.
    pub(crate) switch: Option<f64>,
    /// Of the bare relay, or without a switch.
    pub(crate) bare: Option<f64>,
    /// What else is to be said.
    pub(crate) note: String,
}

/// Every figure, in order.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Row>);

impl Report {
    pub(crate) fn add(&mut self, row: Row) {
        eprint_line(&format!("  {}: {}  {}", row.what, figures(&row), row.note));
        self.0.push(row);
    }

    /// A table for people.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from("| what | switch | bare | ratio | |\n| --- | ---: | ---: | ---: | --- |\n");
        for row in &self.0 {
            let ratio = match (row.switch, row.bare) {
                (Some(switch), Some(bare)) if bare > 0.0 => format!("{:.2}", switch / bare),
                _ => String::new(),
            };
            let show = |figure: Option<f64>| figure.map_or_else(String::new, number);
            let _infallible =
                writeln!(text, "| {} | {} | {} | {ratio} | {} |", row.what, show(row.switch), show(row.bare), row.note);
        }
        text
    }

    /// For programs.
    pub(crate) fn json(&self, about: Value) -> Value {
        let rows: Vec<Value> = self
            .0
            .iter()
            .map(|row| json!({"key": row.key, "what": row.what, "switch": row.switch, "bare": row.bare, "note": row.note}))
            .collect();
        json!({ "about": about, "rows": rows })
    }
}

/// Tells how far it is; standard output is for the figures.
#[expect(clippy::print_stderr, reason = "progress is for the person who waits")]
pub(crate) fn eprint_line(text: &str) {
    eprintln!("{text}");
}

fn figures(row: &Row) -> String {
    let switch = row.switch.map_or_else(|| "unknown".into(), number);
    row.bare.map_or(switch.clone(), |bare| format!("{switch} (bare {})", number(bare)))
}

fn number(figure: f64) -> String {
    if figure.abs() >= 100.0 { format!("{figure:.0}") } else { format!("{figure:.2}") }
}

/// Milliseconds with their fraction.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// A time of this list at this many hundredths of it.
pub(crate) fn at(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_tail_are_found_in_any_order() {
        let mut times: Vec<Duration> = (0..100).rev().map(Duration::from_millis).collect();
        assert_eq!(at(&mut times, 50), Duration::from_millis(50));
        assert_eq!(at(&mut times, 99), Duration::from_millis(99));
        assert_eq!(at(&mut [], 50), Duration::ZERO);
    }

    #[test]
    fn a_figure_beside_the_bare_one_has_its_ratio() {
        let mut report = Report::default();
        let row =
            Row { key: "relay_cpu", what: "relay".into(), switch: Some(4.4), bare: Some(4.0), note: "quiet".into() };
        report.add(row);
        assert!(report.table().ends_with("| relay | 4.40 | 4.00 | 1.10 | quiet |\n"), "{}", report.table());
    }
}
