//! The licences.

/// Plugboard's own licence, then those of every library in it.
pub(crate) const TEXT: &str =
    concat!(include_str!("../../../LICENSE"), "\n\n", include_str!("../third-party-licenses.txt"));
