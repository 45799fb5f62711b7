//! Events of the SIP side: messages, registrations, transactions.

use crate::Metrics;
use crate::labels::{Flow, Label, Method, StatusClass, Transport, label};
use crate::lines::if_any;
use plugboard_model::{LegId, Time, UserId};
use std::net::SocketAddr;

/// A SIP message went in or out.
#[derive(Debug, Clone, Copy)]
pub struct SipMessage {
    /// Which way.
    pub flow: Flow,
    /// Over what.
    pub transport: Transport,
    /// Request or response.
    pub kind: SipKind,
}

/// A request's method.
#[derive(Debug, Clone, Copy)]
pub struct SipRequest(pub Method);

/// A response's status and the method in its `CSeq`.
#[derive(Debug, Clone, Copy)]
pub struct SipResponse {
    /// The method of the request it answers.
    pub method: Method,
    /// 100 to 699.
    pub status: u16,
}

/// Request or response.
#[derive(Debug, Clone, Copy)]
pub enum SipKind {
    /// A request.
    Request(SipRequest),
    /// A response.
    Response(SipResponse),
}

impl From<SipRequest> for SipKind {
    fn from(request: SipRequest) -> Self {
        Self::Request(request)
    }
}

impl From<SipResponse> for SipKind {
    fn from(response: SipResponse) -> Self {
        Self::Response(response)
    }
}

impl SipMessage {
    /// Counts; writes a line at trace level only, since a busy switch sees thousands a second.
    pub fn emit(&self, metrics: &Metrics) {
        let (method, status) = match self.kind {
            SipKind::Request(SipRequest(method)) => (method, None),
            SipKind::Response(SipResponse { method, status }) => (method, Some(status)),
        };
        metrics.families.sip_messages.inc(method, self.flow, self.transport);
        if let (Some(status), Flow::Out) = (status, self.flow) {
            metrics.families.sip_responses.inc(StatusClass::of(status));
        }
        tracing::trace!(
            direction = self.flow.as_str(),
            transport = self.transport.as_str(),
            method = method.as_str(),
            status,
            "SIP message"
        );
    }
}

/// The kernel dropped datagrams because they came faster than the switch read them.
#[derive(Debug, Clone, Copy)]
pub struct DatagramsDropped {
    /// How many, since this was last told.
    pub datagrams: u64,
}

impl DatagramsDropped {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.sip_datagrams_dropped.inc_by(self.datagrams);
        tracing::warn!(
            datagrams = self.datagrams,
            "the kernel dropped SIP datagrams that came faster than they were read; net.core.rmem_max bounds its queue"
        );
    }
}

/// The kernel did not take datagrams that were to be sent: a full buffer, or a packet filter.
#[derive(Debug, Clone, Copy)]
pub struct DatagramsUnsent {
    /// How many, since this was last told.
    pub datagrams: u64,
}

impl DatagramsUnsent {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.sip_datagrams_unsent.inc_by(self.datagrams);
        tracing::warn!(
            datagrams = self.datagrams,
            "the kernel did not send SIP datagrams: its buffers are full, or a packet filter forbids them"
        );
    }
}

/// A SIP message was longer than a datagram can be, and was not sent.
#[derive(Debug, Clone, Copy)]
pub struct SipMessageTooLong {
    /// Where it was to go.
    pub to: SocketAddr,
    /// Its bytes.
    pub bytes: usize,
}

impl SipMessageTooLong {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.sip_too_long.inc();
        tracing::warn!(to = %self.to, bytes = self.bytes,
            "a SIP message is longer than a datagram can be and was not sent: what it belongs to fails");
    }
}

/// A digit that was to go by INFO could not be sent.
#[derive(Debug, Clone, Copy)]
pub struct DigitUnsent {
    /// The leg.
    pub leg: LegId,
}

impl DigitUnsent {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.digits_unsent.inc();
        tracing::warn!(leg_id = %self.leg, "a digit could not be sent by INFO and is lost");
    }
}

label!(
    /// What became of a REGISTER.
    RegistrationOutcome {
        /// Contacts were added or renewed.
        Accepted = "accepted",
        /// Contacts were removed.
        Removed = "removed",
        /// Contacts were asked for.
        Queried = "queried",
        /// Credentials were asked for.
        Challenged = "challenged",
        /// Refused for good.
        Refused = "refused",
    }
);

/// A REGISTER was answered.
#[derive(Debug, Clone, Copy)]
pub struct RegistrationAnswered<'a> {
    /// How.
    pub outcome: RegistrationOutcome,
    /// The user; at debug only.
    pub user: &'a str,
}

impl RegistrationAnswered<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.registration_requests.inc(self.outcome);
        tracing::debug!(outcome = self.outcome.as_str(), user = self.user, "registration answered");
    }
}

label!(
    /// What became of a push notification.
    PushOutcome {
        /// The gateway took it.
        Accepted = "accepted",
        /// The gateway answered that it does not.
        Refused = "refused",
        /// The gateway answered that there is no such phone any more: it is forgotten.
        Gone = "gone",
        /// The gateway could not be reached, or was silent.
        Unreachable = "unreachable",
        /// Too many waited: it was not sent.
        Dropped = "dropped",
    }
);

/// A phone was to be woken.
#[derive(Debug, Clone, Copy)]
pub struct PushSent<'a> {
    /// Whether its service was told.
    pub outcome: PushOutcome,
    /// The service.
    pub provider: &'a str,
    /// Why it was not, without secrets.
    pub reason: &'a str,
    /// When: the switch's clock.
    pub at: Time,
}

impl PushSent<'_> {
    /// Counts, and writes the line unless there were too many in this minute: a gateway that fails does so for each call to
    /// a phone that sleeps.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.push_notifications.inc(self.outcome);
        let (outcome, provider, reason) = (self.outcome.as_str(), self.provider, self.reason);
        if self.outcome == PushOutcome::Accepted {
            return tracing::debug!(outcome, provider, "push notification");
        }
        let Some(left_out) = metrics.families.push_lines.one_more(self.outcome, self.at) else { return };
        let left_out = if_any(left_out);
        if self.outcome == PushOutcome::Gone {
            tracing::info!(outcome, provider, reason, left_out, "a phone cannot be woken any more and is forgotten");
        } else {
            tracing::warn!(outcome, provider, reason, left_out, "a phone could not be woken");
        }
    }
}

label!(
    /// Why somebody was not believed to be who he says he is.
    LoginFault {
        /// The user is there, the password is not his.
        WrongPassword = "wrong_password",
        /// No such user.
        UnknownUser = "unknown_user",
        /// What he answered cannot be read or lacks a part.
        Malformed = "malformed",
        /// Too many wrong answers came from his address: this one was not looked at.
        NotListened = "not_listened",
    }
);

/// Lines of failed logins of one kind in a minute. Each source has twenty before it is not listened to, so that whoever reads
/// the log for guessers sees each of ten at once; one that has more of them to go against stops them before the switch.
pub(crate) const LOGIN_LINES_MAX: u32 = 200;

/// Somebody answered a challenge wrongly. Programs that watch the log for guessers read the source from its line.
#[derive(Debug, Clone, Copy)]
pub struct LoginFailed<'a> {
    /// Why.
    pub fault: LoginFault,
    /// When: the switch's clock.
    pub at: Time,
    /// Where the request came from.
    pub source: SocketAddr,
    /// Who he says he is; at debug only.
    pub user: &'a str,
}

impl LoginFailed<'_> {
    /// Counts, and writes the lines unless there were too many in this minute. What is not looked at is at debug alone.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.login_faults.inc(self.fault);
        let (fault, source) = (self.fault.as_str(), self.source);
        if self.fault != LoginFault::NotListened
            && let Some(left_out) = metrics.families.login_lines.one_more(self.fault, self.at)
        {
            tracing::info!(fault, %source, left_out = if_any(left_out), "login failed");
        }
        tracing::debug!(fault, %source, user = self.user, "user of the failed login");
    }
}

/// An address gave so many wrong answers that it is not listened to for a while.
#[derive(Debug, Clone, Copy)]
pub struct GuesserSilenced {
    /// Where the last of them came from.
    pub source: SocketAddr,
    /// For how long.
    pub seconds: u64,
}

impl GuesserSilenced {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.guessers_silenced.inc();
        tracing::warn!(source = %self.source, seconds = self.seconds,
            "too many wrong passwords: logins from this address are not looked at for a while");
    }
}

label!(
    /// Whose requests are too many.
    RequestsOf {
        /// All from one address that were not shown to be a user's: they are forgotten.
        Source = "source",
        /// One user's: they are answered by 503.
        User = "user",
    }
);

/// A request was one too many, and nothing was done about it.
#[derive(Debug, Clone, Copy)]
pub struct RequestLimited<'a> {
    /// Of whose.
    pub of: RequestsOf,
    /// When: the switch's clock.
    pub at: Time,
    /// Where it came from.
    pub source: SocketAddr,
    /// The user, if it was his.
    pub user: Option<&'a UserId>,
}

impl RequestLimited<'_> {
    /// Counts, and writes the line unless there were too many in this minute.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.requests_limited.inc(self.of);
        let Some(left_out) = metrics.families.limited_lines.one_more(self.of, self.at) else { return };
        let user = self.user.map(tracing::field::display);
        tracing::warn!(of = self.of.as_str(), source = %self.source, user, left_out = if_any(left_out),
            "too many requests: [limits] in the configuration says how many are listened to");
    }
}

label!(
    /// What is subscribed to.
    EventPackage {
        /// Lamps.
        Dialog = "dialog",
        /// How people are.
        Presence = "presence",
        /// Messages that wait.
        Messages = "message-summary",
        /// A phone's own keys.
        Features = "as-feature-event",
    }
);

/// Somebody subscribed.
#[derive(Debug, Clone, Copy)]
pub struct SubscriptionBegan(pub EventPackage);

/// A subscription is over.
#[derive(Debug, Clone, Copy)]
pub struct SubscriptionEnded(pub EventPackage);

/// A subscriber was told.
#[derive(Debug, Clone, Copy)]
pub struct NotifySent(pub EventPackage);

impl SubscriptionBegan {
    /// Moves the gauge.
    pub fn emit(self, metrics: &Metrics) {
        metrics.families.subscriptions.with_label_values(&[self.0.as_str()]).inc();
        tracing::debug!(package = self.0.as_str(), "subscription began");
    }
}

impl SubscriptionEnded {
    /// Moves the gauge.
    pub fn emit(self, metrics: &Metrics) {
        metrics.families.subscriptions.with_label_values(&[self.0.as_str()]).dec();
        tracing::debug!(package = self.0.as_str(), "subscription ended");
    }
}

impl NotifySent {
    /// Counts.
    pub fn emit(self, metrics: &Metrics) {
        metrics.families.notifies.inc(self.0);
        tracing::trace!(package = self.0.as_str(), "subscriber told");
    }
}

/// One user's contacts became more or fewer.
#[derive(Debug, Clone, Copy)]
pub struct RegistrationsHeld {
    /// As many as he had when this was last told; 0 at first.
    pub before: usize,
    /// As many as he has.
    pub now: usize,
}

impl RegistrationsHeld {
    /// Moves the gauge, which is of all users.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.registrations.add(whole(self.now) - whole(self.before));
        tracing::trace!(before = self.before, now = self.now, "registrations held");
    }
}

/// One shard's transactions became more or fewer.
#[derive(Debug, Clone, Copy)]
pub struct TransactionsHeld {
    /// As many as it had when this was last told; 0 at first.
    pub before: usize,
    /// As many as it has.
    pub now: usize,
}

impl TransactionsHeld {
    /// Moves the gauge, which is of all shards.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.transactions.add(whole(self.now) - whole(self.before));
        tracing::trace!(before = self.before, now = self.now, "transactions held");
    }
}

/// A count as a gauge's value.
pub(crate) fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sent_response_counts_under_its_method_and_its_class() {
        let metrics = Metrics::new();
        let kind = SipResponse { method: Method::Invite, status: 486 };
        SipMessage { flow: Flow::Out, transport: Transport::Tcp, kind: kind.into() }.emit(&metrics);
        SipMessage { flow: Flow::In, transport: Transport::Tcp, kind: kind.into() }.emit(&metrics);
        let text = metrics.render();
        let sent = r#"plugboard_sip_messages_total{direction="out",method="INVITE",transport="tcp"} 1"#;
        assert!(text.contains(sent), "{text}");
        assert!(text.contains(r#"plugboard_sip_responses_total{class="4xx"} 1"#));
    }

    #[test]
    fn what_several_shards_and_users_hold_adds_up() {
        let metrics = Metrics::new();
        for (before, now) in [(0, 3), (0, 4), (3, 1)] {
            TransactionsHeld { before, now }.emit(&metrics);
        }
        for (before, now) in [(0, 2), (0, 1), (2, 0)] {
            RegistrationsHeld { before, now }.emit(&metrics);
        }
        let text = metrics.render();
        assert!(text.contains("plugboard_sip_transactions 5\n"), "{text}");
        assert!(text.contains("plugboard_registrations 1\n"), "{text}");
    }
}
