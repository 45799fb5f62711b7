//! What people and scripts read: the only place that prints.

use serde_json::{Value, json};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// A program reads what is printed (`--json`).
static FOR_PROGRAMS: AtomicBool = AtomicBool::new(false);

/// From now on errors are JSON as well.
pub(crate) fn for_programs(json: bool) {
    FOR_PROGRAMS.store(json, Ordering::Relaxed);
}

/// Prints a line to standard output. A closed pipe (`| head`) is no fault.
pub(crate) fn line(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.as_ref());
}

/// Prints a line to standard error.
pub(crate) fn fault(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
}

/// Prints to standard error why a command failed: a line of text, or `{ "error": .. }` for programs.
pub(crate) fn error(text: impl AsRef<str>) {
    if FOR_PROGRAMS.load(Ordering::Relaxed) {
        fault(json!({ "error": text.as_ref() }).to_string());
    } else {
        fault(text);
    }
}

/// Prints JSON: one line for scripts.
pub(crate) fn json(value: &Value) {
    line(value.to_string());
}
