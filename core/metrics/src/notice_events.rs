//! Events of what leaves the switch: e-mail, text messages, posts.

use crate::Metrics;
use crate::labels::label;
use plugboard_model::{Notice, NoticeContent, NoticeEnd};
use std::time::Duration;

label!(
    /// What leaves.
    NoticeKind {
        /// An e-mail.
        Mail = "mail",
        /// A text message.
        Text = "text",
        /// A document for a service of the web.
        Post = "post",
        /// That a call is over, for an integration.
        Log = "log",
    }
);

label!(
    /// How a try ended.
    NoticeOutcome {
        /// It was taken.
        Sent = "sent",
        /// It will never be.
        Refused = "refused",
        /// It was not taken now.
        NotNow = "not_now",
        /// Nobody knows.
        Unknown = "unknown",
        /// It was given up.
        GivenUp = "given_up",
    }
);

/// A try to let a notice leave is over.
#[derive(Debug, Clone, Copy)]
pub struct NoticeTried<'a> {
    /// Of which notice.
    pub notice: &'a Notice,
    /// What came of it.
    pub end: &'a NoticeEnd,
    /// Since it was taken.
    pub since_taken: Duration,
}

impl NoticeTried<'_> {
    /// Writes the line, without whom it is for, and counts.
    pub fn emit(&self, metrics: &Metrics) {
        let kind = match self.notice.content {
            NoticeContent::Mail(_) => NoticeKind::Mail,
            NoticeContent::Text(_) => NoticeKind::Text,
            NoticeContent::Post(_) => NoticeKind::Post,
            NoticeContent::Log(_) => NoticeKind::Log,
        };
        let outcome = match self.end {
            NoticeEnd::Sent(_) => NoticeOutcome::Sent,
            NoticeEnd::Refused(_) => NoticeOutcome::Refused,
            NoticeEnd::NotNow(_) => NoticeOutcome::NotNow,
            NoticeEnd::Unknown(_) => NoticeOutcome::Unknown,
            NoticeEnd::TooOld | NoticeEnd::Restored => NoticeOutcome::GivenUp,
        };
        metrics.families.notice_tries.inc(kind, outcome);
        let (call, notice, n) = (tracing::field::display(&self.notice.id.call), &self.notice.id, self.notice.tried);
        let (kind, end, reason) = (self.notice.content.as_str(), self.end.as_str(), self.end.reason());
        let ms = self.since_taken.as_millis();
        if outcome == NoticeOutcome::Sent {
            metrics.families.notice_seconds.observe(self.since_taken.as_secs_f64());
            tracing::info!(call_id = call, %notice, kind, tries = n, ms, "a notice has left");
        } else {
            tracing::warn!(call_id = call, %notice, kind, tries = n, ms, end, reason, "a notice has not left");
        }
    }
}

/// So many notices are not over.
#[derive(Debug, Clone, Copy)]
pub struct NoticesHeld(pub usize);

impl NoticesHeld {
    /// Sets the gauge.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.notices.set(i64::try_from(self.0).unwrap_or(i64::MAX));
    }
}
