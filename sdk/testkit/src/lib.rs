//! Runs an action under the real host, without a switch.
