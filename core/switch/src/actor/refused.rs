//! What is kept of a call that a user or a gateway made and that was refused at once: a record and three lines of journal, so
//! that his admin finds it. One that is refused for want of room leaves none, and a gateway's only so many: the address of a
//! datagram can be forged, and whoever does that shall not fill the store.

use plugboard_metrics::RefusalReason;
use plugboard_model::{
    CallId, CallOutcome, CallRecord, Cause, Direction, GatewayId, JournalEntry, JournalEvent, LegId, LegRecord,
    ScenarioId, Time, WallTime,
};
use plugboard_office::{Inquiry, Office, Source, Treatment};
use plugboard_sip::Request;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::env::Env;
use crate::identity::{self, Caller, called, tame};

/// Records of a gateway's refused calls in a [`SPAN`], on one shard: a provider has far fewer.
const RECORDS_MAX: u32 = 60;
/// Lines of calls that are refused for want of room in a [`SPAN`], on one shard.
const LINES_MAX: u32 = 10;
/// For so many of them.
const SPAN: Duration = Duration::from_secs(60);

/// The route of a call for help, as records name it.
pub(super) const EMERGENCY: &str = "emergency";

/// What a refused call leaves beside its count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trail {
    /// A record and a line.
    Record,
    /// A line.
    Line,
    /// Nothing.
    Count,
}

/// How much was written of late.
#[derive(Debug, Default)]
pub(super) struct Limits {
    lines: Written,
    records: BTreeMap<GatewayId, Written>,
}

#[derive(Debug, Default)]
struct Written {
    since: Time,
    count: u32,
}

impl Written {
    /// Counts one more of this span.
    fn one_more(&mut self, now: Time) -> u32 {
        if now.since(self.since) >= SPAN {
            (self.since, self.count) = (now, 0);
        }
        self.count = self.count.saturating_add(1);
        self.count
    }
}

impl Limits {
    /// What one more that is refused at `now` leaves.
    pub(super) fn trail(&mut self, reason: RefusalReason, source: &Source, now: Time) -> Trail {
        // To write of each would take what is short already.
        if matches!(reason, RefusalReason::CallLimit | RefusalReason::NoPort) {
            return if self.lines.one_more(now) <= LINES_MAX { Trail::Line } else { Trail::Count };
        }
        let Source::Gateway(gateway) = source else { return Trail::Record };
        match self.records.entry(gateway.clone()).or_default().one_more(now) {
            ..=RECORDS_MAX => Trail::Record,
            count => {
                if count == RECORDS_MAX + 1 {
                    tracing::warn!(%gateway, "so many of its calls are refused that no more are kept for a minute");
                }
                Trail::Count
            }
        }
    }
}

/// From where to where a call goes; `out`: through a gateway.
pub(super) fn direction(source: &Source, out: bool) -> Direction {
    match (source, out) {
        (Source::Gateway(_), _) => Direction::Inbound,
        (Source::User(_), true) => Direction::Outbound,
        (Source::User(_), false) => Direction::Internal,
    }
}

/// Where a call was to go when it was refused.
#[derive(Debug, Default, PartialEq, Eq)]
struct Way {
    route: Option<String>,
    scenario: Option<ScenarioId>,
    /// Through a gateway.
    out: bool,
}

impl Way {
    fn of(office: &Office, asked: Option<&Inquiry>) -> Self {
        let treatment = asked.map(|asked| office.route(asked));
        let known = |route: &str| Some(route.to_owned());
        match treatment {
            Some(Treatment::Scenario { scenario, route }) => {
                Self { route: known(route.name.as_str()), scenario: Some(scenario), out: false }
            }
            Some(Treatment::DirectUser(_)) => Self { route: known("user"), ..Self::default() },
            Some(Treatment::DirectGroup(_)) => Self { route: known("group"), ..Self::default() },
            Some(Treatment::Outbound { route, .. }) => {
                Self { route: known(route.name.as_str()), scenario: None, out: true }
            }
            Some(Treatment::Emergency { .. }) => Self { route: known(EMERGENCY), scenario: None, out: true },
            Some(Treatment::Feature(feature)) => {
                Self { route: Some(format!("feature {}", feature.code().key())), ..Self::default() }
            }
            Some(Treatment::Refused(_)) | None => Self::default(),
        }
    }
}

/// Keeps the record of a call that came to nothing before anybody asked where it goes.
pub(super) fn keep_record(env: &Env, id: CallId, office: &Office, source: &Source, request: &Request, cause: &Cause) {
    keep(env, id, office, source, request, cause, Way::default());
}

/// Keeps the record of a call that came to nothing on its way.
pub(super) fn keep_routed(env: &Env, id: CallId, office: &Office, source: &Source, request: &Request, cause: &Cause) {
    let now = env.clock.wall();
    let asked = called(office, source, request).map(|called| identity::inquiry(office, source, request, &called, now));
    let way = Way::of(office, asked.as_ref());
    keep(env, id, office, source, request, cause, way);
}

fn keep(env: &Env, id: CallId, office: &Office, source: &Source, request: &Request, cause: &Cause, way: Way) {
    let (caller, now): (_, WallTime) = (Caller::of(office, source, request), env.clock.wall());
    let said = || request.uri.user().unwrap_or_default().into_owned();
    let called = called(office, source, request).map_or_else(said, String::from);
    let leg = LegRecord {
        leg: LegId::CALLER,
        user: caller.user.clone(),
        gateway: caller.gateway,
        party: caller.number.clone(),
        began: now,
        answered: None,
        ended: now,
        cause: cause.clone(),
        quality: None,
        encryption: None,
    };
    let record = CallRecord {
        direction: direction(source, way.out),
        caller: caller.number,
        caller_name: caller.name,
        caller_user: caller.user,
        called: tame(&called),
        route: way.route,
        scenario: way.scenario,
        legs: vec![leg],
        ..CallRecord::bare(id, now, CallOutcome::Failed(cause.clone()))
    };
    let began = JournalEvent::Began {
        wall: now,
        caller: record.caller.clone(),
        called: record.called.clone(),
        caller_user: record.caller_user.clone(),
        direction: record.direction,
    };
    let ended = JournalEvent::LegEnded { leg: LegId::CALLER, cause: cause.clone() };
    let over = JournalEvent::Ended { outcome: record.outcome.clone() };
    let entry = |(seq, event)| JournalEntry { seq, at: Time::ZERO, event };
    let entries: Vec<JournalEntry> = (0..).zip([began, ended, over]).map(entry).collect();
    let calls = env.store.calls();
    if let Err(error) = calls.append_journal(&record.id, &entries).and_then(|()| calls.put_record(&record, None)) {
        tracing::error!(call_id = %record.id, %error, "the record of a refused call could not be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::{Name, OfficeId, UserId};

    fn source(gateway: &str) -> Source {
        Source::Gateway(GatewayId { office: OfficeId::new("main").unwrap(), name: Name::new(gateway).unwrap() })
    }

    fn how_often(limits: &mut Limits, reason: RefusalReason, from: &str, at: u64, trail: Trail) -> usize {
        let now = Time::from_millis(at);
        (0..100).filter(|_| limits.trail(reason, &source(from), now) == trail).count()
    }

    #[test]
    fn each_gateway_leaves_sixty_records_a_minute_and_what_has_no_room_ten_lines_for_all() {
        let mut limits = Limits::default();
        for (at, records) in [(0, 60), (59_999, 0), (60_000, 60)] {
            for gateway in ["berlin", "paris"] {
                let kept = how_often(&mut limits, RefusalReason::NoRoute, gateway, at, Trail::Record);
                assert_eq!(kept, records, "{gateway} after {at} ms");
            }
        }
        let mut limits = Limits::default();
        for (at, lines) in [(0, 10), (59_999, 0), (60_000, 10)] {
            assert_eq!(
                how_often(&mut limits, RefusalReason::NoPort, "berlin", at, Trail::Line),
                lines,
                "after {at} ms"
            );
            assert_eq!(how_often(&mut limits, RefusalReason::CallLimit, "paris", at, Trail::Line), 0);
        }
        let user = Source::User(UserId { office: OfficeId::new("main").unwrap(), name: Name::new("ann").unwrap() });
        let kept = (0..100).filter(|_| limits.trail(RefusalReason::NoRoute, &user, Time::ZERO) == Trail::Record);
        assert_eq!(kept.count(), 100, "a user has proven who he is");
    }
}
