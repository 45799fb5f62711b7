//! What people and scripts read: the only place that prints.

use serde_json::Value;
use std::io::Write;

/// Prints a line to standard output. A closed pipe (`| head`) is no fault.
pub(crate) fn line(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.as_ref());
}

/// Prints a line to standard error.
pub(crate) fn fault(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
}

/// Prints JSON: one line for scripts.
pub(crate) fn json(value: &Value) {
    line(value.to_string());
}
