//! The thread that actors run on, for whoever drives a switch by hand.

use tokio::runtime::Runtime;

/// This thread as the only one of a switch ([`crate::Placement::Here`]): nothing happens but while it is blocked on something.
pub struct OwnThread(actix::SystemRunner);

impl OwnThread {
    /// Makes this thread one that actors run on, with the runtime that is made by this; it is called once.
    pub fn with(runtime: impl Fn() -> Runtime) -> Self {
        Self(actix::System::with_tokio_rt(runtime))
    }

    /// Lets actors work until this is there.
    pub fn block_on<F: Future>(&self, until: F) -> F::Output {
        self.0.block_on(until)
    }
}

impl std::fmt::Debug for OwnThread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnThread").finish_non_exhaustive()
    }
}
