//! Forgets what was kept long enough.

use plugboard_metrics::{KeptKind, StoreTrimmed};
use plugboard_model::{OfficeId, WallTime};
use plugboard_store::{CommitError, Kept, StoreError, Trimmed};
use std::sync::Arc;
use std::time::Duration;

use crate::boot::Running;
use crate::config::Keep;
use crate::serve::pause;

/// Between two rounds: what is kept for days may stay an hour longer.
const ROUND: Duration = Duration::from_hours(1);
/// Between two steps of a round, so that calls write in between: a year of 10,000 calls a day is gone in half a day.
const STEP: Duration = Duration::from_millis(100);

/// A round at once and one each hour, for ever. Abort it when the store closes.
pub(crate) async fn forget_for_ever(running: Arc<Running>, keep: Keep) {
    loop {
        if let Err(error) = round(&running, keep).await {
            tracing::warn!(%error, "what was kept long enough could not be removed; it is tried again in an hour");
        }
        pause(ROUND).await;
    }
}

async fn round(running: &Arc<Running>, keep: Keep) -> Result<(), CommitError> {
    let store = running.store.clone();
    let offices = on_disk(move || store.calls().offices().map_err(CommitError::from)).await?;
    for office in offices {
        for (kind, kept, span) in [
            (KeptKind::Record, Kept::Record, keep.calls),
            (KeptKind::Journal, Kept::Journal, keep.journals),
            (KeptKind::SipTrace, Kept::SipTrace, keep.traces),
        ] {
            let calls = forget(running, &office, kept, span).await?;
            if calls > 0 {
                StoreTrimmed { office: &office, kind, calls }.emit(&running.metrics);
            }
        }
    }
    Ok(())
}

/// Forgets step by step; tells of how many calls.
async fn forget(running: &Arc<Running>, office: &OfficeId, kept: Kept, span: Duration) -> Result<usize, CommitError> {
    let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    let before = WallTime(running.clock.wall().0.saturating_sub(span));
    let mut sum = 0;
    loop {
        let (store, office) = (running.store.clone(), office.clone());
        let Trimmed { calls, more } = on_disk(move || store.calls().trim(&office, kept, before)).await?;
        sum += calls;
        if !more {
            return Ok(sum);
        }
        pause(STEP).await;
    }
}

/// Does what waits for the disk on a thread that may wait.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CommitError> + Send + 'static,
) -> Result<T, CommitError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(StoreError::Closed { reason: "a fault of ours; see the log".into() }.into()))
}
