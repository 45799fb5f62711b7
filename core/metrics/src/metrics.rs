//! The registry: every family of the switch, made once.

use crate::call_events::{EmergencyKind, RefusalReason, StrangerEnd, TollLabel};
use crate::database_events::DatabaseOutcome;
use crate::fault_events::SipFaultKind;
use crate::gateway_events::{TRUNKS_MAX, TrunkSeries};
use crate::integration_events::IntegrationOutcome;
use crate::labels::{Flow, Label, Method, RunOutcome, StatusClass, Transport};
use crate::lines::{LINES_MAX, Lines};
use crate::media_events::{FaxEnd, FaxTryLabel, KeysFrom, MediaSilence, RecordingEnd, RtpDropReason};
use crate::notice_events::{NoticeKind, NoticeOutcome};
use crate::plugin_events::HOST_INTERFACES;
use crate::queue_events::{QUEUES_MAX, QueueCalledBack, QueueLeft, QueueSeries};
use crate::series::{
    Cube, Row, Table, counter, counters, fraction_counter, fraction_gauge, fraction_gauges, gauge, gauges, histogram,
    sure,
};
use crate::sip_events::{EventPackage, LOGIN_LINES_MAX, LoginFault, PushOutcome, RegistrationOutcome, RequestsOf};
use crate::store_events::KeptKind;
use crate::switch_events::Queue;
use crate::web_events::WebOutcome;
use plugboard_model::{CallOutcome, Direction, Sound};
use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Registry, TextEncoder,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of set-up times: from a prompt that answers at once to a caller who waits out a queue.
const SETUP_BOUNDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 30.0, 60.0, 180.0];
/// Upper bounds of opinion scores: below 3.1 nearly all are dissatisfied, above 4.3 none is (ITU-T G.107 annex B).
const MOS_BOUNDS: &[f64] = &[1.5, 2.0, 2.6, 3.1, 3.6, 4.0, 4.3, 4.5];
/// Upper bounds of the share of lost packets.
const LOSS_BOUNDS: &[f64] = &[0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
/// Upper bounds of jitter.
const JITTER_BOUNDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3];
/// Upper bounds of round trips.
const ROUND_TRIP_BOUNDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.4, 0.8, 2.0];
/// Upper bounds of a call's length.
const DURATION_BOUNDS: &[f64] = &[1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0];
/// Upper bounds of a run's own time: 50 us is a run without host calls; waiting for people is not counted as run time.
const RUN_BOUNDS: &[f64] =
    &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];
/// Upper bounds of a commit: 20 ms is what the store promises, a tired disk takes seconds.
const COMMIT_BOUNDS: &[f64] = &[0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0];
/// Actions and versions with series of their own; later ones share `other`. An office with 64 actions in four versions
/// each still fits, and a scrape stays below 1 MB.
const ACTIONS_MAX: usize = 256;
/// The label of what exceeds such a limit.
const OTHER: &str = "other";
/// Every direction, in the order of [`direction_index`].
const DIRECTIONS: [Direction; 3] = [Direction::Inbound, Direction::Outbound, Direction::Internal];
/// The words of [`CallOutcome::as_str`], in the order of [`outcome_index`].
const OUTCOMES: [&str; 5] = ["answered", "handled", "abandoned", "not_answered", "failed"];

/// The metrics of one switch. A clone is another handle on the same series.
#[derive(Clone)]
pub struct Metrics {
    pub(crate) families: Arc<Families>,
}

/// The series of one action in one version, looked up when it is loaded.
#[derive(Clone)]
pub struct ActionSeries {
    pub(crate) name: Arc<str>,
    pub(crate) runs: Arc<[IntCounter]>,
    pub(crate) seconds: Histogram,
}

pub(crate) struct Families {
    registry: Registry,
    pub(crate) calls_active: IntGauge,
    calls: Box<[IntCounter]>,
    pub(crate) calls_refused: Row<RefusalReason>,
    pub(crate) emergency_calls: Row<EmergencyKind>,
    pub(crate) emergency_channels: IntCounter,
    pub(crate) toll_met: Row<TollLabel>,
    pub(crate) call_setup: Histogram,
    pub(crate) call_duration: Histogram,
    pub(crate) legs_active: IntGauge,
    pub(crate) sip_messages: Cube<Method, Flow, Transport>,
    pub(crate) sip_responses: Row<StatusClass>,
    pub(crate) sip_parse_errors: Row<Transport>,
    pub(crate) sip_faults: Row<SipFaultKind>,
    pub(crate) fault_lines: Lines<SipFaultKind>,
    pub(crate) sip_datagrams_dropped: IntCounter,
    pub(crate) sip_datagrams_unsent: IntCounter,
    pub(crate) sip_too_long: IntCounter,
    pub(crate) digits_unsent: IntCounter,
    pub(crate) registrations: IntGauge,
    pub(crate) registration_requests: Row<RegistrationOutcome>,
    pub(crate) subscriptions: IntGaugeVec,
    pub(crate) notifies: Row<EventPackage>,
    pub(crate) push_notifications: Row<PushOutcome>,
    pub(crate) login_faults: Row<LoginFault>,
    pub(crate) login_lines: Lines<LoginFault>,
    pub(crate) stranger_lines: Lines<StrangerEnd>,
    pub(crate) push_lines: Lines<PushOutcome>,
    pub(crate) requests_limited: Row<RequestsOf>,
    pub(crate) limited_lines: Lines<RequestsOf>,
    pub(crate) database_questions: Row<DatabaseOutcome>,
    pub(crate) database_lines: Lines<DatabaseOutcome>,
    pub(crate) database_seconds: Histogram,
    pub(crate) integration_calls: Row<IntegrationOutcome>,
    pub(crate) integration_lines: Lines<IntegrationOutcome>,
    pub(crate) web_requests: Row<WebOutcome>,
    pub(crate) web_lines: Lines<WebOutcome>,
    pub(crate) web_seconds: Histogram,
    pub(crate) notice_tries: Table<NoticeKind, NoticeOutcome>,
    pub(crate) notice_seconds: Histogram,
    pub(crate) notices: IntGauge,
    pub(crate) queue_waiting: IntGauge,
    pub(crate) queue_promised: IntGauge,
    pub(crate) queue_called_back: Row<QueueCalledBack>,
    pub(crate) queue_longest: Gauge,
    pub(crate) queue_offers: IntCounter,
    pub(crate) queue_left: Row<QueueLeft>,
    pub(crate) queue_callers: IntGaugeVec,
    pub(crate) queue_oldest: GaugeVec,
    pub(crate) queue_ends: IntCounterVec,
    queues: Mutex<BTreeMap<Arc<str>, QueueSeries>>,
    pub(crate) guessers_silenced: IntCounter,
    pub(crate) transactions: IntGauge,
    pub(crate) rtp_packets: IntCounter,
    pub(crate) rtp_bytes: IntCounter,
    pub(crate) rtp_transcoded: IntCounter,
    pub(crate) rtp_dropped: Row<RtpDropReason>,
    pub(crate) media_silences: Row<MediaSilence>,
    pub(crate) leg_sound: Row<Sound>,
    pub(crate) leg_mos: Histogram,
    pub(crate) leg_loss: Histogram,
    pub(crate) leg_jitter: Histogram,
    pub(crate) leg_round_trip: Histogram,
    pub(crate) legs_encrypted: Row<KeysFrom>,
    pub(crate) rtp_ports: IntGauge,
    pub(crate) rtp_exhausted: IntCounter,
    plugin_runs: IntCounterVec,
    plugin_seconds: HistogramVec,
    pub(crate) host_calls: Box<[IntCounter]>,
    pub(crate) put_away: IntCounter,
    pub(crate) suspended: IntGauge,
    pub(crate) faxes: Row<FaxEnd>,
    pub(crate) fax_pages: IntCounter,
    pub(crate) fax_tries: Row<FaxTryLabel>,
    pub(crate) fax_pages_sent: IntCounter,
    pub(crate) fax_orders: IntGauge,
    pub(crate) recordings: Row<RecordingEnd>,
    pub(crate) recordings_missing: Counter,
    pub(crate) store_commit: Histogram,
    pub(crate) store_lost_journal: IntCounter,
    pub(crate) store_lost_records: IntCounter,
    pub(crate) store_queue: IntGauge,
    pub(crate) store_degraded: IntGauge,
    pub(crate) store_trimmed: Row<KeptKind>,
    pub(crate) store_unreadable: IntGauge,
    pub(crate) trunk_up: IntGaugeVec,
    pub(crate) trunk_registered: IntGaugeVec,
    pub(crate) trunk_calls: IntGaugeVec,
    trunks: Mutex<BTreeSet<Arc<str>>>,
    build_info: IntGaugeVec,
    pub(crate) started: Gauge,
    pub(crate) drops: Row<Queue>,
    actions: Mutex<BTreeMap<(String, String), ActionSeries>>,
    samplers: Samplers,
}

/// Asked at each [`Metrics::render`] for what nobody tells.
type Sampler = Arc<dyn Fn(&Metrics) + Send + Sync>;

#[derive(Default)]
struct Samplers(Mutex<Vec<Sampler>>);

impl std::fmt::Debug for Samplers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Samplers")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Every family at zero.
    pub fn new() -> Self {
        Self { families: Arc::new(Families::new()) }
    }

    /// The series of a gateway, by its office and id, such as `main/outside`. Past 1,000 of them: the shared `other`.
    pub fn trunk(&self, name: &str) -> TrunkSeries {
        let mut known = self.families.trunks.lock().unwrap_or_else(PoisonError::into_inner);
        let name = if known.contains(name) || known.len() < TRUNKS_MAX { name } else { OTHER };
        let name: Arc<str> = name.into();
        known.insert(Arc::clone(&name));
        TrunkSeries { metrics: self.clone(), name }
    }

    /// The series of a queue, by its office and scenario, such as `main/front`; `None` past 200 of them.
    pub fn queue(&self, name: &str) -> Option<QueueSeries> {
        let mut known = self.families.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(name) {
            return Some(series.clone());
        }
        if known.len() >= QUEUES_MAX {
            return None;
        }
        let families = &self.families;
        let end = |why: &QueueLeft| sure(families.queue_ends.get_metric_with_label_values(&[name, why.as_str()]));
        let series = QueueSeries {
            callers: sure(families.queue_callers.get_metric_with_label_values(&[name])),
            oldest_wait: sure(families.queue_oldest.get_metric_with_label_values(&[name])),
            ends: QueueLeft::ALL.iter().map(end).collect(),
            oldest: Arc::default(),
        };
        known.insert(name.into(), series.clone());
        Some(series)
    }

    /// Sets how long the callers have waited who have waited longest; `age` is how long ago something was that
    /// [`QueueSeries::waiting`] told.
    pub fn sample_queues(&self, age: impl Fn(u64) -> Duration) {
        let known = self.families.queues.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().for_each(|series| series.waited(&age));
    }

    /// The series of an action. `version` is the component's own, such as `1.2.0`. Past 256 pairs: the shared `other`.
    pub fn action(&self, name: &str, version: &str) -> ActionSeries {
        let mut known = self.families.actions.lock().unwrap_or_else(PoisonError::into_inner);
        let full = known.len() >= ACTIONS_MAX;
        let key = (name.to_owned(), version.to_owned());
        if let Some(series) = known.get(&key) {
            return series.clone();
        }
        if full {
            return self.families.action(OTHER, OTHER);
        }
        let series = self.families.action(name, version);
        known.insert(key, series.clone());
        series
    }

    /// Before each [`Metrics::render`], `sampler` emits what changes too often to be told each time, such as the ports
    /// in use. It must not wait, and holds what it looks at weakly: it lives as long as these metrics.
    pub fn sample_with(&self, sampler: impl Fn(&Self) + Send + Sync + 'static) {
        self.families.samplers.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(sampler));
    }

    /// The text that `/metrics` serves.
    ///
    /// Source: Prometheus text exposition format 0.0.4.
    pub fn render(&self) -> String {
        let samplers = self.families.samplers.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for sampler in samplers {
            sampler(self);
        }
        let mut text = String::new();
        sure(TextEncoder::new().encode_utf8(&self.families.registry.gather(), &mut text));
        text
    }

    pub(crate) fn build(&self, version: &str) {
        self.families.build_info.with_label_values(&[version]).set(1);
    }
}

impl Families {
    pub(crate) fn count_call(&self, direction: Direction, outcome: &CallOutcome) {
        let place = direction_index(direction) * OUTCOMES.len() + outcome_index(outcome);
        if let Some(cell) = self.calls.get(place) {
            cell.inc();
        }
    }

    fn action(&self, name: &str, version: &str) -> ActionSeries {
        let runs = RunOutcome::ALL
            .iter()
            .map(|outcome| self.plugin_runs.with_label_values(&[name, outcome.as_str(), version]))
            .collect();
        ActionSeries { name: name.into(), runs, seconds: self.plugin_seconds.with_label_values(&[name]) }
    }

    #[expect(clippy::too_many_lines, reason = "the list of every family, one line each, reads best in one piece")]
    fn new() -> Self {
        let registry = Registry::new();
        let r = &registry;
        let calls = counters(
            r,
            "plugboard_calls_total",
            "Finished calls by direction and by their one outcome.",
            &["direction", "outcome"],
        );
        let calls = DIRECTIONS
            .iter()
            .flat_map(|direction| OUTCOMES.map(|outcome| calls.with_label_values(&[direction.as_str(), outcome])))
            .collect();
        let host_calls =
            counters(r, "plugboard_plugin_host_calls_total", "Host calls of actions, by function.", &["interface"]);
        let host_calls = HOST_INTERFACES.iter().map(|name| host_calls.with_label_values(&[name])).collect();
        let plugin_seconds = sure(HistogramVec::new(
            HistogramOpts::new("plugboard_plugin_run_seconds", "Time that runs of actions took, waits not counted.")
                .buckets(RUN_BOUNDS.to_vec()),
            &["action"],
        ));
        sure(r.register(Box::new(plugin_seconds.clone())));
        Self {
            calls_active: gauge(r, "plugboard_calls_active", "Calls that have begun and not ended."),
            calls,
            emergency_calls: Row::new(
                r,
                "plugboard_emergency_calls_total",
                "Calls for help, and trials of their way.",
                "kind",
            ),
            toll_met: Row::new(
                r,
                "plugboard_toll_limits_met_total",
                "Calls to the outside that were refused or ended by a limit, by which.",
                "limit",
            ),
            emergency_channels: counter(
                r,
                "plugboard_emergency_channels_taken_total",
                "Calls that were ended because a call for help needed their channel.",
            ),
            calls_refused: Row::new(
                r,
                "plugboard_calls_refused_total",
                "Calls refused before they began, by reason.",
                "reason",
            ),
            call_setup: histogram(
                r,
                "plugboard_call_setup_seconds",
                "From the first INVITE to the answer, of answered calls.",
                SETUP_BOUNDS,
            ),
            call_duration: histogram(
                r,
                "plugboard_call_duration_seconds",
                "From the first INVITE to the end, of all calls.",
                DURATION_BOUNDS,
            ),
            legs_active: gauge(r, "plugboard_legs_active", "Legs that have begun and not ended."),
            sip_messages: Cube::new(
                r,
                "plugboard_sip_messages_total",
                "SIP messages; a response counts under the method of its request.",
                ["method", "direction", "transport"],
            ),
            sip_responses: Row::new(r, "plugboard_sip_responses_total", "SIP responses sent, by class.", "class"),
            sip_parse_errors: Row::new(
                r,
                "plugboard_sip_parse_errors_total",
                "Datagrams and stream messages that were no SIP message.",
                "transport",
            ),
            sip_faults: Row::new(
                r,
                "plugboard_sip_faults_total",
                "What peers did wrong in SIP, answered or dropped, by kind; the log tells the first of each minute.",
                "kind",
            ),
            fault_lines: Lines::new(LINES_MAX),
            login_lines: Lines::new(LOGIN_LINES_MAX),
            stranger_lines: Lines::new(LINES_MAX),
            push_lines: Lines::new(LINES_MAX),
            limited_lines: Lines::new(LINES_MAX),
            database_questions: Row::new(
                r,
                "plugboard_database_questions_total",
                "Questions of actions to databases, by what became of them.",
                "outcome",
            ),
            database_lines: Lines::new(LINES_MAX),
            database_seconds: histogram(
                r,
                "plugboard_database_question_seconds",
                "From a question of an action to a database to its answer, or to its failure.",
                SETUP_BOUNDS,
            ),
            queue_waiting: gauge(r, "plugboard_queue_waiting", "Callers who wait on the line until somebody is free."),
            queue_promised: gauge(
                r,
                "plugboard_queue_promised",
                "Callers who have left a queue and are to be called back.",
            ),
            queue_called_back: Row::new(
                r,
                "plugboard_queue_call_backs_total",
                "Promised calls that are over: `rung` when somebody was there to call, `late` when nobody was in time.",
                "end",
            ),
            queue_longest: fraction_gauge(
                r,
                "plugboard_queue_longest_wait_seconds",
                "How long the caller has waited who has waited longest.",
            ),
            queue_offers: counter(
                r,
                "plugboard_queue_offers_total",
                "Times that somebody was free and rang for a caller who waited.",
            ),
            queue_left: Row::new(
                r,
                "plugboard_queue_left_total",
                "Callers who wait no more, by why: `abandoned` hung up.",
                "why",
            ),
            queue_callers: gauges(
                r,
                "plugboard_queue_callers",
                "Callers who wait on the line in this queue: of the first 200 queues.",
                &["queue"],
            ),
            queue_oldest: fraction_gauges(
                r,
                "plugboard_queue_oldest_wait_seconds",
                "How long the caller has waited who has waited longest in this queue.",
                &["queue"],
            ),
            queue_ends: counters(
                r,
                "plugboard_queue_ends_total",
                "Callers of this queue who wait no more, by why: `answered` were served, `abandoned` hung up.",
                &["queue", "why"],
            ),
            queues: Mutex::default(),
            integration_calls: Row::new(
                r,
                "plugboard_integration_calls_total",
                "Questions to integrations, by what became of them.",
                "outcome",
            ),
            integration_lines: Lines::new(LINES_MAX),
            web_requests: Row::new(
                r,
                "plugboard_web_requests_total",
                "Requests of actions to services of the web, by what became of them.",
                "outcome",
            ),
            web_lines: Lines::new(LINES_MAX),
            web_seconds: histogram(
                r,
                "plugboard_web_request_seconds",
                "From a request of an action to a service of the web to its answer, or to its failure.",
                SETUP_BOUNDS,
            ),
            notice_tries: Table::new(
                r,
                "plugboard_notice_tries_total",
                "Tries to let mails, text messages and posts leave, and to tell integrations of calls, by how they ended.",
                ["kind", "end"],
            ),
            notice_seconds: histogram(
                r,
                "plugboard_notice_seconds",
                "From the taking of a mail, text message or post to the word that it was taken on.",
                SETUP_BOUNDS,
            ),
            notices: gauge(
                r,
                "plugboard_notices_waiting",
                "Mails, text messages and posts that are taken and not over.",
            ),
            sip_datagrams_dropped: counter(
                r,
                "plugboard_sip_datagrams_dropped_total",
                "SIP datagrams that the kernel dropped because they came faster than they were read.",
            ),
            sip_datagrams_unsent: counter(
                r,
                "plugboard_sip_datagrams_unsent_total",
                "SIP datagrams that the kernel did not send; those that matter are sent again.",
            ),
            sip_too_long: counter(
                r,
                "plugboard_sip_messages_too_long_total",
                "SIP messages that were longer than a datagram can be and were not sent.",
            ),
            digits_unsent: counter(
                r,
                "plugboard_sip_digits_unsent_total",
                "Digits that were to go by INFO and could not be sent.",
            ),
            registrations: gauge(r, "plugboard_registrations", "Contacts registered now."),
            registration_requests: Row::new(
                r,
                "plugboard_registration_requests_total",
                "REGISTER requests, by what became of them.",
                "outcome",
            ),
            subscriptions: gauges(
                r,
                "plugboard_subscriptions",
                "Subscriptions to lamps, presence, waiting messages and phone keys now.",
                &["package"],
            ),
            notifies: Row::new(r, "plugboard_notifies_total", "NOTIFY requests sent to subscribers.", "package"),
            push_notifications: Row::new(
                r,
                "plugboard_push_notifications_total",
                "Push notifications for phones that sleep, by what became of them.",
                "outcome",
            ),
            login_faults: Row::new(
                r,
                "plugboard_login_failures_total",
                "Wrong answers to digest challenges, by what is wrong with them.",
                "fault",
            ),
            guessers_silenced: counter(
                r,
                "plugboard_login_sources_silenced_total",
                "How often an address gave too many wrong answers to be listened to.",
            ),
            requests_limited: Row::new(
                r,
                "plugboard_sip_requests_limited_total",
                "SIP requests that were one too many: of a source, forgotten without an answer, or of a user, answered by 503.",
                "of",
            ),
            transactions: gauge(r, "plugboard_sip_transactions", "SIP transactions held now."),
            rtp_packets: counter(r, "plugboard_rtp_packets_total", "RTP packets relayed."),
            rtp_bytes: counter(r, "plugboard_rtp_bytes_total", "Bytes of the RTP packets relayed, headers included."),
            rtp_transcoded: counter(
                r,
                "plugboard_rtp_transcoded_frames_total",
                "Frames of 20 ms that were unpacked and packed anew, since the far ends share no codec.",
            ),
            rtp_dropped: Row::new(
                r,
                "plugboard_rtp_packets_dropped_total",
                "RTP packets not relayed, by reason.",
                "reason",
            ),
            legs_encrypted: Row::new(
                r,
                "plugboard_legs_encrypted_total",
                "Legs whose media was encrypted, by where its keys came from; `failed`: the handshake gave none, and the leg ended.",
                "keys",
            ),
            media_silences: Row::new(
                r,
                "plugboard_media_silences_total",
                "How often no media came from a leg, and what was found out of it.",
                "found",
            ),
            leg_sound: Row::new(
                r,
                "plugboard_leg_sound_total",
                "Legs that had media, by which way sound went.",
                "sound",
            ),
            leg_mos: histogram(
                r,
                "plugboard_leg_mos",
                "Estimated mean opinion score, of what came from a leg and of what it reported.",
                MOS_BOUNDS,
            ),
            leg_loss: histogram(
                r,
                "plugboard_leg_loss_ratio",
                "Share of a leg's packets that did not come.",
                LOSS_BOUNDS,
            ),
            leg_jitter: histogram(
                r,
                "plugboard_leg_jitter_seconds",
                "Interarrival jitter of a leg's packets at its end.",
                JITTER_BOUNDS,
            ),
            leg_round_trip: histogram(
                r,
                "plugboard_leg_round_trip_seconds",
                "From the switch to a leg and back, by its reports.",
                ROUND_TRIP_BOUNDS,
            ),
            rtp_ports: gauge(r, "plugboard_rtp_ports_in_use", "UDP ports that legs hold now."),
            rtp_exhausted: counter(
                r,
                "plugboard_rtp_ports_exhausted_total",
                "Requests for a port that found the range used up.",
            ),
            plugin_runs: counters(
                r,
                "plugboard_plugin_runs_total",
                "Runs of actions, by how they ended.",
                &["action", "outcome", "version"],
            ),
            plugin_seconds,
            host_calls,
            put_away: counter(
                r,
                "plugboard_plugin_put_away_total",
                "Runs that were dropped to wait and are rebuilt from their journal.",
            ),
            suspended: gauge(r, "plugboard_plugin_runs_suspended", "Runs that hold an instance in memory now."),
            faxes: Row::new(r, "plugboard_faxes_total", "Faxes that ended, by how.", "end"),
            fax_pages: counter(r, "plugboard_fax_pages_total", "Whole pages of faxes."),
            fax_tries: Row::new(r, "plugboard_fax_tries_total", "Tries to send a fax, by how they ended.", "end"),
            fax_pages_sent: counter(r, "plugboard_fax_pages_sent_total", "Pages of sent faxes that were confirmed."),
            fax_orders: gauge(r, "plugboard_fax_orders_waiting", "Faxes that are ordered and not over."),
            recordings: Row::new(
                r,
                "plugboard_recordings_total",
                "Recordings and voice messages that ended, by why.",
                "end",
            ),
            recordings_missing: fraction_counter(
                r,
                "plugboard_recording_missing_seconds_total",
                "Audio that recordings have silence in place of, since the disk did not keep up.",
            ),
            store_commit: histogram(
                r,
                "plugboard_store_commit_seconds",
                "From the first write of a group to its sync.",
                COMMIT_BOUNDS,
            ),
            store_lost_journal: counter(
                r,
                "plugboard_store_lost_journal_lines_total",
                "Journal and trace lines that could not be kept.",
            ),
            store_lost_records: counter(
                r,
                "plugboard_store_lost_records_total",
                "Call records and other durable writes that could not be kept.",
            ),
            store_queue: gauge(r, "plugboard_store_queue_jobs", "Writes that wait for the store."),
            store_degraded: gauge(r, "plugboard_store_degraded", "1 while the store cannot write, else 0."),
            store_trimmed: Row::new(
                r,
                "plugboard_store_trimmed_calls_total",
                "Calls of which something was removed because it was kept long enough, by what it was.",
                "kind",
            ),
            store_unreadable: gauge(
                r,
                "plugboard_store_unreadable_records",
                "Records that are old enough to be removed and cannot be read, as of the last round.",
            ),
            trunk_up: gauges(r, "plugboard_trunk_up", "1 while calls can go to the gateway, else 0.", &["trunk"]),
            trunk_registered: gauges(
                r,
                "plugboard_trunk_registered",
                "1 while the switch is registered at the gateway, else 0; only where it is to be.",
                &["trunk"],
            ),
            trunk_calls: gauges(r, "plugboard_trunk_calls", "Calls through the gateway now.", &["trunk", "direction"]),
            trunks: Mutex::default(),
            build_info: gauges(r, "plugboard_build_info", "Always 1; the version is the label.", &["version"]),
            started: fraction_gauge(
                r,
                "plugboard_process_start_time_seconds",
                "When the switch started, since 1970-01-01T00:00:00Z.",
            ),
            drops: Row::new(
                r,
                "plugboard_event_queue_drops_total",
                "Messages dropped because a queue inside the switch was full.",
                "queue",
            ),
            actions: Mutex::default(),
            samplers: Samplers::default(),
            registry,
        }
    }
}

const fn direction_index(direction: Direction) -> usize {
    match direction {
        Direction::Inbound => 0,
        Direction::Outbound => 1,
        Direction::Internal => 2,
    }
}

const fn outcome_index(outcome: &CallOutcome) -> usize {
    match outcome {
        CallOutcome::Answered => 0,
        CallOutcome::Handled => 1,
        CallOutcome::Abandoned => 2,
        CallOutcome::NotAnswered(_) => 3,
        CallOutcome::Failed(_) => 4,
    }
}

#[cfg(test)]
mod tests;
