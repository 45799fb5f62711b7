//! Events of calls and legs.

use crate::Metrics;
use crate::labels::{Label, label};
use crate::lines::if_any;
use plugboard_model::{CallId, CallOutcome, Cause, Direction, GatewayId, LegId, Time};
use std::net::SocketAddr;
use std::time::Duration;

/// A call began: the first INVITE was accepted. [`CallEnded`] must follow, once.
#[derive(Debug, Clone, Copy)]
pub struct CallBegan<'a> {
    /// Which.
    pub call: &'a CallId,
    /// The caller's number; at debug only.
    pub caller: &'a str,
    /// The number called; at debug only.
    pub called: &'a str,
}

impl CallBegan<'_> {
    /// Writes the lines and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.calls_active.inc();
        tracing::debug!(call_id = %self.call, leg_id = %LegId::CALLER, caller = self.caller, called = self.called,
            "call began");
    }
}

/// Somebody talks to the caller.
#[derive(Debug, Clone, Copy)]
pub struct CallAnswered<'a> {
    /// Which.
    pub call: &'a CallId,
    /// The leg that answered.
    pub leg: LegId,
    /// Since the first INVITE.
    pub after: Duration,
}

impl CallAnswered<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.call_setup.observe(self.after.as_secs_f64());
        tracing::debug!(call_id = %self.call, leg_id = %self.leg, after_ms = millis(self.after), "call answered");
    }
}

/// A call ended.
#[derive(Debug, Clone, Copy)]
pub struct CallEnded<'a> {
    /// Which.
    pub call: &'a CallId,
    /// From where to where.
    pub direction: Direction,
    /// Its one outcome.
    pub outcome: &'a CallOutcome,
    /// Since the first INVITE.
    pub after: Duration,
}

impl CallEnded<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        let families = &metrics.families;
        families.calls_active.dec();
        families.count_call(self.direction, self.outcome);
        families.call_duration.observe(self.after.as_secs_f64());
        let status = match self.outcome {
            CallOutcome::Answered | CallOutcome::Handled | CallOutcome::Abandoned => None,
            CallOutcome::NotAnswered(cause) | CallOutcome::Failed(cause) => Some(cause.status),
        };
        tracing::info!(call_id = %self.call, leg_id = %LegId::CALLER, direction = self.direction.as_str(),
            outcome = self.outcome.as_str(), status, after_ms = millis(self.after), "call ended");
    }
}

label!(
    /// Why a call was refused before it began.
    RefusalReason {
        /// The switch is shutting down.
        Draining = "draining",
        /// As many calls as allowed.
        CallLimit = "call_limit",
        /// As many calls come from the gateway as it may have.
        GatewayFull = "gateway_full",
        /// A queue inside is full.
        Overload = "overload",
        /// The user calls more often than he may.
        TooOften = "too_often",
        /// No RTP port is free.
        NoPort = "no_port",
        /// The caller is neither a user nor a gateway.
        NotAllowed = "not_allowed",
        /// Nobody has the called number.
        NoRoute = "no_route",
        /// The called address is of a domain that is not the office's.
        ForeignDomain = "foreign_domain",
    }
);

/// An INVITE of a user or a gateway was refused before a call came of it; its record tells who called whom.
#[derive(Debug, Clone, Copy)]
pub struct CallRefused<'a> {
    /// The call that the record is of.
    pub call: &'a CallId,
    /// Why.
    pub reason: RefusalReason,
    /// The SIP status sent, and why in words.
    pub cause: &'a Cause,
    /// Where the INVITE came from.
    pub source: SocketAddr,
}

impl CallRefused<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.calls_refused.inc(self.reason);
        let (reason, status, why, source) = (self.reason.as_str(), self.cause.status, &self.cause.text, self.source);
        tracing::info!(call_id = %self.call, reason, status, why, %source, "call refused");
    }
}

/// An INVITE was refused because the switch takes none now, or none of so many that are refused. It leaves no record.
#[derive(Debug, Clone, Copy)]
pub struct CallPutOff {
    /// Why.
    pub reason: RefusalReason,
    /// The SIP status sent.
    pub status: u16,
    /// Where the INVITE came from.
    pub source: SocketAddr,
}

impl CallPutOff {
    /// Counts alone: enough lines tell of it.
    pub fn count(&self, metrics: &Metrics) {
        metrics.families.calls_refused.inc(self.reason);
    }

    /// Writes the line and counts. One for overload is at debug: there are as many as calls, and no time for them.
    pub fn emit(&self, metrics: &Metrics) {
        self.count(metrics);
        let (reason, status, source) = (self.reason.as_str(), self.status, self.source);
        if self.reason == RefusalReason::Overload {
            tracing::debug!(reason, status, %source, "call refused");
        } else {
            tracing::info!(reason, status, %source, "call refused");
        }
    }
}

label!(
    /// What came of a stranger's call.
    StrangerEnd {
        /// He was asked who he is.
        Challenged = "challenged",
        /// Nothing.
        Refused = "refused",
    }
);

/// An INVITE came from somebody who is no gateway and does not say to be a user. It leaves no record: the line is all
/// that an admin has who looks for a provider's call, so that it has both numbers.
#[derive(Debug, Clone, Copy)]
pub struct StrangerCalled<'a> {
    /// Where the INVITE came from.
    pub source: SocketAddr,
    /// The SIP status sent: a challenge, or a refusal.
    pub status: u16,
    /// Who he says to be.
    pub caller: &'a str,
    /// The number called.
    pub called: &'a str,
    /// What comes of it: a refusal is counted.
    pub end: StrangerEnd,
    /// When: the switch's clock.
    pub at: Time,
}

impl StrangerCalled<'_> {
    /// Writes the line, unless there were too many of late, and counts.
    pub fn emit(&self, metrics: &Metrics) {
        if self.end == StrangerEnd::Refused {
            metrics.families.calls_refused.inc(RefusalReason::NotAllowed);
        }
        if let Some(left_out) = metrics.families.stranger_lines.one_more(self.end, self.at) {
            let (source, status, caller, called) = (self.source, self.status, self.caller, self.called);
            tracing::info!(%source, status, ?caller, ?called, left_out = if_any(left_out),
                "a stranger calls: no gateway has this source, and no user this name; if it is a provider, its gateway's \
                 `inbound` must name the source");
        }
    }
}

/// A leg was made. [`LegEnded`] must follow, once.
#[derive(Debug, Clone, Copy)]
pub struct LegBegan<'a> {
    /// The call.
    pub call: &'a CallId,
    /// The leg.
    pub leg: LegId,
}

impl LegBegan<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.legs_active.inc();
        tracing::debug!(call_id = %self.call, leg_id = %self.leg, "leg began");
    }
}

/// A leg ended.
#[derive(Debug, Clone, Copy)]
pub struct LegEnded<'a> {
    /// The call.
    pub call: &'a CallId,
    /// The leg.
    pub leg: LegId,
    /// Why.
    pub cause: &'a Cause,
}

impl LegEnded<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.legs_active.dec();
        tracing::debug!(call_id = %self.call, leg_id = %self.leg, status = self.cause.status, "leg ended");
    }
}

label!(
    /// Whether a call for help is one.
    EmergencyKind {
        /// It is.
        Call = "call",
        /// It only tries the way.
        Test = "test",
    }
);

/// Somebody calls for help: whoever watches the lines or the counter is to look at once. The journal has the numbers.
#[derive(Debug, Clone, Copy)]
pub struct EmergencyCalled<'a> {
    /// Which.
    pub call: &'a CallId,
    /// Whose leg.
    pub leg: LegId,
    /// Where he is; empty when nobody knows.
    pub location: &'a str,
    /// Who; empty when he is no user.
    pub user: &'a str,
    /// Where the call came from.
    pub source: std::net::SocketAddr,
    /// Whether he was asked for his password; else the address of his phone was believed.
    pub proven: bool,
    /// It only tries the way.
    pub test: bool,
}

impl EmergencyCalled<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        let kind = if self.test { EmergencyKind::Test } else { EmergencyKind::Call };
        metrics.families.emergency_calls.inc(kind);
        let Self { call, leg, location, user, source, proven, test } = *self;
        tracing::warn!(call_id = %call, leg_id = %leg, user, location, %source, proven, test, "somebody calls for help");
    }
}

/// A call for help took the channel of another call, which ends.
#[derive(Debug, Clone, Copy)]
pub struct EmergencyTookChannel<'a> {
    /// The gateway whose channels are all in use.
    pub gateway: &'a GatewayId,
}

impl EmergencyTookChannel<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.emergency_channels.inc();
        tracing::warn!(gateway = %self.gateway, "a call was ended, since a call for help needs its channel");
    }
}

label!(
    /// Which limit of calls to the outside was met.
    TollLabel {
        /// Calls at once.
        Calls = "calls",
        /// Numbers that may be called.
        Destination = "destination",
        /// When they may be.
        Hours = "hours",
        /// Minutes of a day.
        Minutes = "minutes",
    }
);

/// A call to the outside met a limit: it was refused, or ended.
#[derive(Debug, Clone, Copy)]
pub struct TollMet<'a> {
    /// Which.
    pub call: &'a CallId,
    /// The leg to the outside.
    pub leg: LegId,
    /// Whose limit: a user's or a gateway's.
    pub whose: &'a str,
    /// Which one.
    pub limit: TollLabel,
}

impl TollMet<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.toll_met.inc(self.limit);
        let (whose, limit) = (self.whose, self.limit.as_str());
        tracing::warn!(call_id = %self.call, leg_id = %self.leg, whose, limit, "a call met a limit of calls to the outside");
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
