//! Why a measurement could not be made.

use std::path::Path;

/// Why a measurement could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// Something of the machine.
    #[error("{what}: {cause}")]
    Machine {
        /// What was tried.
        what: String,
        #[source]
        cause: std::io::Error,
    },
    /// A program did not do what it is for.
    #[error("{0}")]
    Failed(String),
}

impl LoadError {
    /// An operation on a file or a program failed.
    pub(crate) fn at(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |cause| Self::Machine { what, cause }
    }

    /// An operation on a file failed.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        Self::at(path.display().to_string())
    }
}
