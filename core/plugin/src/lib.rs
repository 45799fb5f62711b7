//! Runs plugin components within their limits
