//! Internal events: one struct writes the log line and moves the metric, so that the two never disagree.
//!
//! Every event of the switch is a struct in this crate with `emit(&self, &Metrics)`. A log line of a call carries
//! `call_id` (and `leg_id` where there is one); numbers and names of people appear at debug level only. Metrics are
//! named `plugboard_<noun>_<unit>[_total]`; their labels come from bounded sets, never from a number, a user or a
//! call id, and the counters behind them are looked up once, at start, so that an event on the message path costs an
//! atomic addition.
//!
//! There is no global state: a process may hold several [`Metrics`], one for each switch in it.
//!
//! ```
//! use plugboard_metrics::{Flow, Method, Metrics, SipMessage, SipRequest, Transport};
//!
//! let metrics = Metrics::new();
//! SipMessage { flow: Flow::In, transport: Transport::Udp, kind: SipRequest(Method::Invite).into() }.emit(&metrics);
//! assert!(metrics.render().contains(r#"plugboard_sip_messages_total{direction="in",method="INVITE",transport="udp"} 1"#));
//! ```

mod call_events;
mod database_events;
mod fault_events;
mod gateway_events;
mod integration_events;
mod labels;
mod lines;
mod media_events;
mod metrics;
mod notice_events;
mod plugin_events;
mod queue_events;
mod readiness;
mod series;
mod sip_events;
mod store_events;
mod switch_events;
mod web_events;

pub use call_events::{
    CallAnswered, CallBegan, CallEnded, CallPutOff, CallRefused, EmergencyCalled, EmergencyKind, EmergencyTookChannel,
    LegBegan, LegEnded, RefusalReason, StrangerCalled, StrangerEnd, TollLabel, TollMet,
};
pub use database_events::{DatabaseAsked, DatabaseOutcome};
pub use fault_events::{SipFault, SipFaultKind};
pub use gateway_events::{GatewayDown, GatewayUp, TrunkSeries};
pub use integration_events::{IntegrationAnswered, IntegrationOutcome};
pub use labels::{Flow, Method, RunOutcome, StatusClass, Transport};
pub use media_events::{
    FaxEnd, FaxEnded, FaxOrdersHeld, FaxTried, FaxTryLabel, KeysFrom, LegNotSecured, LegSecured, LegSounded,
    MediaFellSilent, MediaSilence, PortsExhausted, PortsInUse, RecordingBegan, RecordingEnd, RecordingEnded,
    RtpDropReason, RtpDropped, RtpRelayed, RtpTranscoded,
};
pub use metrics::{ActionSeries, Metrics};
pub use notice_events::{NoticeKind, NoticeOutcome, NoticeTried, NoticesHeld};
pub use plugin_events::{PluginCalledHost, PluginPutAway, PluginRunEnded, PluginsSuspended};
pub use queue_events::{
    QueueCalledBack, QueueHeld, QueueLeft, QueueLongest, QueueOffered, QueueOver, QueuePromised, QueueSeries,
};
pub use readiness::{Condition, ConditionReport, Readiness, ReadinessReport, Severity};
pub use sip_events::{
    DatagramsDropped, DatagramsUnsent, DigitUnsent, EventPackage, GuesserSilenced, LoginFailed, LoginFault, NotifySent,
    PushOutcome, PushSent, RegistrationAnswered, RegistrationOutcome, RegistrationsHeld, RequestLimited, RequestsOf,
    SipKind, SipMessage, SipMessageTooLong, SipRequest, SipResponse, SubscriptionBegan, SubscriptionEnded,
    TransactionsHeld,
};
pub use store_events::{
    KeptKind, StoreCommitted, StoreDegraded, StoreLost, StoreQueued, StoreRecovered, StoreTrimmed, StoreUnreadable,
};
pub use switch_events::{MessageDropped, ProcessStarted, Queue};
pub use web_events::{WebAsked, WebOutcome};
