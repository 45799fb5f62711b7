//! Work that waits for the disk, off the threads that carry calls.

use plugboard_store::{CommitError, StoreError};

/// Work that panicked: the panic is in the log.
#[derive(Debug, thiserror::Error)]
#[error("a fault of ours; see the log")]
pub(crate) struct Broken;

impl From<Broken> for String {
    fn from(broken: Broken) -> Self {
        broken.to_string()
    }
}

impl From<Broken> for CommitError {
    fn from(broken: Broken) -> Self {
        StoreError::Closed { reason: broken.to_string() }.into()
    }
}

/// Does what waits for the disk on a thread that may wait.
///
/// # Errors
/// Those of the work, and [`Broken`].
pub(crate) async fn on_disk<T: Send + 'static, E: From<Broken> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Broken.into()))
}
