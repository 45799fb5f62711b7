//! The HTTP side of the switch: metrics, health
