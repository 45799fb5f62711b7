//! Internal events: one struct emits the log line and the counter
