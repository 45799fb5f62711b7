//! What stands between the switch and its work: the conditions that `/readyz` lists.
//!
//! `/healthz` says only that the process answers, so it needs nothing from here. `/readyz` answers 200 while no
//! condition [blocks](Severity::Blocks), else 503; in both cases it lists every condition with its reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Conditions held at once; past it new ones are not added. 256 actions may all be missing, and the rest is few.
const CONDITIONS_MAX: usize = 512;
/// Bytes of a reason that are kept.
const REASON_LEN_MAX: usize = 512;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Start-up is not over.
    Starting,
    /// SIGTERM came: new calls are refused.
    Draining,
    /// A SIP listener ended by a fault: nothing comes in over it; by its address.
    SipListenerDown(String),
    /// The signalling of a shard ended by a fault of ours.
    SipShardDown,
    /// A shard is behind with its messages and refuses new calls; by its number.
    Overloaded(String),
    /// The store cannot write; calls go on, what is lost is counted.
    StoreDegraded,
    /// The machine's clock is far ahead of when calls were last seen: nothing is removed for its age.
    ClockJumped,
    /// The recorder has ended by a fault of ours: nothing is recorded; calls go on.
    RecorderDown,
    /// The range of RTP ports is used up.
    RtpPortsExhausted,
    /// An action that a scenario names is not installed; by its name.
    PluginMissing(String),
    /// An office that the store keeps has faults; by its id.
    OfficeNotServed(String),
    /// No call goes to a gateway; by its office and id.
    GatewayDown(String),
}

impl Condition {
    /// What it means for new calls.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Starting | Self::Draining | Self::SipListenerDown(_) | Self::SipShardDown => Severity::Blocks,
            // As many calls as can be carried still get in.
            Self::Overloaded(_)
            | Self::StoreDegraded
            | Self::ClockJumped
            | Self::RecorderDown
            | Self::RtpPortsExhausted
            | Self::PluginMissing(_)
            | Self::OfficeNotServed(_)
            | Self::GatewayDown(_) => Severity::Degrades,
        }
    }

    /// The word in JSON: a bounded set.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Draining => "draining",
            Self::SipListenerDown(_) => "sip_listener_down",
            Self::SipShardDown => "sip_shard_down",
            Self::Overloaded(_) => "overloaded",
            Self::StoreDegraded => "store_degraded",
            Self::ClockJumped => "clock_jumped",
            Self::RecorderDown => "recorder_down",
            Self::RtpPortsExhausted => "rtp_ports_exhausted",
            Self::PluginMissing(_) => "plugin_missing",
            Self::OfficeNotServed(_) => "office_not_served",
            Self::GatewayDown(_) => "gateway_down",
        }
    }

    /// What it is about, if there are several: the listener, the shard, the action, the office, the gateway.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::SipListenerDown(name)
            | Self::Overloaded(name)
            | Self::PluginMissing(name)
            | Self::OfficeNotServed(name)
            | Self::GatewayDown(name) => Some(name),
            Self::Starting
            | Self::Draining
            | Self::SipShardDown
            | Self::StoreDegraded
            | Self::ClockJumped
            | Self::RecorderDown
            | Self::RtpPortsExhausted => None,
        }
    }
}

/// What a condition means for new calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The switch takes no calls: a load balancer must look elsewhere.
    Blocks,
    /// Calls go on, with less.
    Degrades,
}

/// The conditions of one switch. A clone is another handle on the same ones. Starts with [`Condition::Starting`].
#[derive(Debug, Clone)]
pub struct Readiness(Arc<Held>);

struct Held {
    conditions: Mutex<BTreeMap<Condition, String>>,
    lookers: Mutex<Vec<Looker>>,
}

/// Asked at each [`Readiness::report`] for what nobody tells.
type Looker = Arc<dyn Fn(&Readiness) + Send + Sync>;

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Held").field(&self.conditions).finish()
    }
}

/// One condition as `/readyz` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionReport {
    /// Which.
    pub condition: Condition,
    /// Why, for people.
    pub reason: String,
}

/// What `/readyz` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadinessReport {
    /// New calls are taken: 200, else 503.
    pub ready: bool,
    /// Every condition, blocking ones or not.
    pub conditions: Vec<ConditionReport>,
}

impl Default for Readiness {
    fn default() -> Self {
        let starting = BTreeMap::from([(Condition::Starting, "start-up is not over".to_owned())]);
        Self(Arc::new(Held { conditions: Mutex::new(starting), lookers: Mutex::default() }))
    }
}

impl Readiness {
    /// The condition holds, for this reason; replaces an earlier reason. Logs a condition that is new.
    pub fn set(&self, condition: Condition, reason: &str) {
        let mut held = self.conditions();
        let known = held.contains_key(&condition);
        if !known && held.len() >= CONDITIONS_MAX {
            return;
        }
        let end = reason.floor_char_boundary(REASON_LEN_MAX);
        let kept = reason.get(..end).unwrap_or_default();
        if !known {
            tracing::warn!(
                condition = condition.name(),
                subject = condition.subject(),
                reason = kept,
                "not as it should be"
            );
        }
        held.insert(condition, kept.to_owned());
    }

    /// The condition is over.
    pub fn clear(&self, condition: &Condition) {
        if self.conditions().remove(condition).is_none() {
            return;
        }
        if *condition == Condition::Starting {
            tracing::info!("ready");
        } else {
            tracing::info!(condition = condition.name(), subject = condition.subject(), "as it should be again");
        }
    }

    /// Before each [`Readiness::report`], `look` sets and clears the conditions that nobody tells, such as ports that
    /// are used up. It must not wait, and holds what it looks at weakly: it lives as long as these conditions.
    pub fn look_with(&self, look: impl Fn(&Self) + Send + Sync + 'static) {
        self.0.lookers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(look));
    }

    fn conditions(&self) -> MutexGuard<'_, BTreeMap<Condition, String>> {
        self.0.conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `/readyz` says now.
    pub fn report(&self) -> ReadinessReport {
        let lookers = self.0.lookers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for look in lookers {
            look(self);
        }
        let held = self.conditions();
        ReadinessReport {
            ready: held.keys().all(|condition| condition.severity() == Severity::Degrades),
            conditions: held
                .iter()
                .map(|(condition, reason)| ConditionReport { condition: condition.clone(), reason: reason.clone() })
                .collect(),
        }
    }
}

impl ReadinessReport {
    /// As lines of text: `ready` or `not ready`, then `name subject: reason`.
    pub fn text(&self) -> String {
        let mut text = String::from(if self.ready { "ready\n" } else { "not ready\n" });
        for ConditionReport { condition, reason } in &self.conditions {
            let subject = condition.subject().map(|subject| format!(" {subject}")).unwrap_or_default();
            // Writing to a String cannot fail.
            writeln!(text, "{}{subject}: {reason}", condition.name()).ok();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_full_disk_is_shown_but_calls_go_on() {
        let readiness = Readiness::default();
        assert!(!readiness.report().ready, "a switch that starts is not ready");
        readiness.clear(&Condition::Starting);
        readiness.set(Condition::StoreDegraded, "No space left on device; 17 journal lines lost");
        readiness.set(Condition::PluginMissing("fax".into()), "scenario main/night names it");
        let report = readiness.report();
        assert!(report.ready);
        assert_eq!(
            report.text(),
            "ready\nstore_degraded: No space left on device; 17 journal lines lost\n\
             plugin_missing fax: scenario main/night names it\n"
        );
    }

    #[test]
    fn a_switch_that_lost_a_listener_is_not_ready_and_says_which() {
        let readiness = Readiness::default();
        readiness.clear(&Condition::Starting);
        assert_eq!(readiness.report(), ReadinessReport { ready: true, conditions: vec![] });
        readiness.set(Condition::SipListenerDown("UDP 192.0.2.1:5060".into()), "Too many open files");
        assert_eq!(readiness.report().text(), "not ready\nsip_listener_down UDP 192.0.2.1:5060: Too many open files\n");
    }

    #[test]
    fn what_nobody_tells_is_looked_at_before_each_report() {
        let (readiness, free) = (Readiness::default(), Arc::new(AtomicUsize::new(0)));
        readiness.clear(&Condition::Starting);
        let ports = Arc::clone(&free);
        readiness.look_with(move |readiness| match ports.load(Ordering::Relaxed) {
            0 => readiness.set(Condition::RtpPortsExhausted, "all are in use"),
            _ => readiness.clear(&Condition::RtpPortsExhausted),
        });
        assert_eq!(readiness.report().text(), "ready\nrtp_ports_exhausted: all are in use\n");
        free.store(1, Ordering::Relaxed);
        assert_eq!(readiness.report().text(), "ready\n");
    }

    #[test]
    fn conditions_and_reasons_have_limits() {
        let readiness = Readiness::default();
        for n in 0..CONDITIONS_MAX * 2 {
            readiness.set(Condition::PluginMissing(n.to_string()), &"é".repeat(REASON_LEN_MAX));
        }
        let report = readiness.report();
        assert_eq!(report.conditions.len(), CONDITIONS_MAX);
        assert!(report.conditions.iter().all(|held| held.reason.len() <= REASON_LEN_MAX));
    }
}
