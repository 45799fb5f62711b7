//! What peers do wrong in SIP: one event for all of it, counted always and told in the log so often that a flood fills none.

use crate::labels::{Label, Method, Transport, label};
use crate::lines::if_any;
use crate::metrics::{Families, Metrics};
use plugboard_model::{LegId, Time};
use std::net::SocketAddr;

label!(
    /// What was wrong with what a peer sent.
    SipFaultKind {
        /// It is no SIP message, or one that lacks what each must have.
        Malformed = "malformed",
        /// A stream of which no message can be cut out any more: the connection is closed.
        Framing = "framing",
        /// A WebSocket was not asked for as it must be, or broke its rules.
        WebSocket = "websocket",
        /// A handshake of TLS failed, or a peer was too slow with one.
        Handshake = "handshake",
        /// More connections or handshakes than one peer, or all of them, may have.
        TooMany = "too_many",
        /// An answer to no request of ours, a CANCEL of no INVITE, or an INVITE that came twice.
        Transaction = "transaction",
        /// It names a dialog, a subscription or a publication that there is not.
        Dialog = "dialog",
        /// A method, an extension, a body or an event that is not understood.
        Unsupported = "unsupported",
        /// A description of media that cannot be read or fits nothing.
        Media = "media",
        /// It may not be, or there is nobody of that name.
        Refused = "refused",
        /// It meets another request on the way, comes out of order, or asks for too short a time.
        Conflict = "conflict",
        /// There is no room for it just now.
        NoRoom = "no_room",
    }
);

impl SipFaultKind {
    /// What a request was that is answered with this status by ourselves; `None`: nothing is wrong with it (a challenge
    /// is none, nor is an INVITE that was given up).
    pub const fn of_status(status: u16) -> Option<Self> {
        match status {
            ..400 | 401 | 407 | 487 => None,
            481 | 412 => Some(Self::Dialog),
            482 => Some(Self::Transaction),
            405 | 406 | 415 | 416 | 420 | 421 | 489 | 501 | 505 => Some(Self::Unsupported),
            488 | 606 => Some(Self::Media),
            422 | 423 | 491 | 500 => Some(Self::Conflict),
            503 => Some(Self::NoRoom),
            400 | 413 | 414 | 439 | 469 | 493 | 494 | 513 | 555 => Some(Self::Malformed),
            402.. => Some(Self::Refused),
        }
    }
}

/// A peer did something that SIP does not allow, or that is not taken here; it was answered, or dropped without a word.
#[derive(Debug, Clone, Copy)]
pub struct SipFault<'a> {
    /// What.
    pub kind: SipFaultKind,
    /// When: the switch's clock.
    pub at: Time,
    /// Over what.
    pub transport: Transport,
    /// Where it came from.
    pub source: SocketAddr,
    /// Of the request, or of that which it answers; none where nothing can be read.
    pub method: Option<Method>,
    /// What it was answered with; none when nothing was said.
    pub status: Option<u16>,
    /// The leg that it was said to, if it is known.
    pub leg: Option<LegId>,
    /// What is wrong, in words of ours.
    pub reason: &'a str,
}

impl SipFault<'_> {
    /// Counts; writes the line unless there were `LINES_MAX` of this kind in this minute. The next line of the kind
    /// says how many were left out, or [`Metrics::tell_unsaid`].
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.sip_faults.inc(self.kind);
        if matches!(self.kind, SipFaultKind::Malformed | SipFaultKind::Framing) && self.method.is_none() {
            metrics.families.sip_parse_errors.inc(self.transport);
        }
        let Some(left_out) = metrics.families.fault_lines.one_more(self.kind, self.at) else { return };
        let Self { kind, transport, source, method, status, leg, reason, .. } = *self;
        let (kind, transport, method) = (kind.as_str(), transport.as_str(), method.map(Method::as_str));
        let leg_id = leg.map(tracing::field::display);
        tracing::info!(kind, transport, %source, method, status, leg_id, reason, left_out = if_any(left_out), "SIP fault");
    }
}

impl Metrics {
    /// Tells how many lines were left out in minutes that are over. For whoever looks now and then: after a flood no next
    /// line may come.
    pub fn tell_unsaid(&self, now: Time) {
        let Families {
            fault_lines,
            login_lines,
            stranger_lines,
            push_lines,
            limited_lines,
            web_lines,
            integration_lines,
            database_lines,
            ..
        } = &*self.families;
        for (kind, left_out) in fault_lines.left_out(now) {
            tracing::info!(kind = kind.as_str(), left_out, "SIP faults left out");
        }
        for (fault, left_out) in login_lines.left_out(now) {
            tracing::info!(fault = fault.as_str(), left_out, "failed logins left out");
        }
        for (end, left_out) in stranger_lines.left_out(now) {
            tracing::info!(end = end.as_str(), left_out, "calls of strangers left out");
        }
        for (outcome, left_out) in push_lines.left_out(now) {
            tracing::info!(outcome = outcome.as_str(), left_out, "push notifications left out");
        }
        for (of, left_out) in limited_lines.left_out(now) {
            tracing::info!(of = of.as_str(), left_out, "requests that were too many left out");
        }
        for (outcome, left_out) in database_lines.left_out(now) {
            tracing::info!(outcome = outcome.as_str(), left_out, "databases that did not answer left out");
        }
        for (outcome, left_out) in integration_lines.left_out(now) {
            tracing::info!(outcome = outcome.as_str(), left_out, "integrations that did not answer left out");
        }
        for (outcome, left_out) in web_lines.left_out(now) {
            tracing::info!(outcome = outcome.as_str(), left_out, "services of the web that did not answer left out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_and_the_end_of_a_cancelled_call_are_no_faults_and_every_other_refusal_is_one() {
        for status in 100..=699 {
            let fault = SipFaultKind::of_status(status);
            assert_eq!(fault.is_none(), status < 400 || [401, 407, 487].contains(&status), "{status}");
        }
        assert_eq!(SipFaultKind::of_status(404), Some(SipFaultKind::Refused));
        assert_eq!(SipFaultKind::of_status(481), Some(SipFaultKind::Dialog));
    }
}
