//! Rehearsals: a call that nobody makes, on this very switch, in virtual time.
//!
//! [`Stage`] is an office that is checked already, [`Plan`] says who calls and what everybody does, [`rehearse`] lets it
//! happen and tells what the switch wrote down. [`explore`] does it again and again: each time somebody could have done
//! something else, another call goes that way.

mod answers;
mod cast;
mod decisions;
mod exploring;
mod faults;
mod plan;
mod times;

pub use exploring::{Explored, Finding, explore};
pub use plan::{Caller, CarrierDoes, DatabaseDoes, Does, Plan, ServiceDoes};
pub use times::{Times, inquiry};

use plugboard_model::{
    CallRecord, DatabaseError, DatabaseRows, HttpError, HttpResponse, JournalEntry, JournalEvent, Notice,
    NoticeContent, NoticeEnd, ScenarioId, Time, WallTime,
};
use plugboard_office::{Office, OfficeSet};
use plugboard_plugin::{Catalogue, Limits};
use plugboard_scenario::Program;
use plugboard_switch::{Configuration, GrantTable};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::plugins::by_name;
use crate::sim::Setup;
use cast::Cast;
use decisions::Decisions;

/// A rehearsal in which somebody is still in a call after so long ends there: a caller waits in a queue for an hour at most.
const LASTS_MAX: Duration = Duration::from_hours(4);
/// Phones register before the call: so many as may be in an office take less.
const BEFORE: Duration = Duration::from_mins(1);
/// What is left when the caller is gone, as steps on the hanging up and records, takes no longer.
const ENDS_WITHIN: Duration = Duration::from_mins(10);

/// An office, ready to be rehearsed. Its users' passwords are what their devices register with; each of its gateways has an
/// address of its own that is no name.
#[derive(Clone)]
pub struct Stage {
    /// The office.
    pub office: Arc<Office>,
    /// Its scenarios.
    pub programs: BTreeMap<ScenarioId, Arc<Program>>,
    /// The installed actions ([`crate::actions_of`]).
    pub actions: Arc<Catalogue>,
    /// Those of them that did not come with the switch: they run where they are enabled by name.
    pub strangers: BTreeSet<String>,
    /// Its prompts, and how long each is.
    pub prompts: BTreeMap<String, Duration>,
    /// What every run of an action may use.
    pub limits: Limits,
}

/// What became of a call that nobody made.
#[derive(Debug, Clone)]
pub struct Rehearsed {
    /// The records of the call and of those that it led to, in the order in which they ended.
    pub records: Vec<CallRecord>,
    /// The journal of each.
    pub journals: Vec<Vec<JournalEntry>>,
    /// What was not over in the end; nothing, if all is well.
    pub left: Vec<String>,
    /// What would have been asked of services: when, the source, the method and the path.
    pub asked: Vec<String>,
    /// What databases would have been asked: the database and the query.
    pub queried: Vec<String>,
    /// What would have left by itself, to whom, and whether it was taken.
    pub left_by_itself: Vec<String>,
    /// The plan as it was carried out: all that was left open in it is decided.
    pub plan: Plan,
}

impl Rehearsed {
    /// The scenarios that ran, each with the route that led to it; of one that another scenario or a user's own rules ran the route is
    /// empty. Each once, in the order in which they began.
    pub fn ran(&self) -> Vec<(String, String)> {
        let mut ran = Vec::new();
        for entry in self.journals.iter().flatten() {
            if let JournalEvent::Routed { route, scenario, .. } = &entry.event {
                let one = (scenario.name.to_string(), route.clone());
                if !ran.contains(&one) {
                    ran.push(one);
                }
            }
        }
        ran
    }
}

/// Why a call cannot be rehearsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRehearsed {
    /// Who calls is not in the office.
    #[error("{0} is no user and no gateway of the office")]
    NoCaller(String),
    /// The office is not as a rehearsal needs it.
    #[error("{0}")]
    Office(String),
}

/// Lets a call happen as planned; what the plan leaves open is done as people usually do: they answer after five seconds, and hang
/// up ten seconds later.
///
/// # Errors
/// [`NotRehearsed`].
pub fn rehearse(stage: &Stage, plan: &Plan) -> Result<Rehearsed, NotRehearsed> {
    let (rehearsed, _) = perform(stage, Decisions::planned(plan), |_, _| ())?;
    Ok(rehearsed)
}

/// As [`rehearse`]; then each run of an action is done again from the journal of its call alone. How many there were.
///
/// # Errors
/// [`NotRehearsed`].
///
/// # Panics
/// When one decides otherwise, or cannot be done again.
pub fn rehearse_and_replay(stage: &Stage, plan: &Plan) -> Result<(Rehearsed, usize), NotRehearsed> {
    let mut runs = 0;
    let look = |sim: &crate::Sim, records: &[CallRecord]| runs = records.iter().map(|record| sim.replays(record)).sum();
    let (rehearsed, _) = perform(stage, Decisions::planned(plan), look)?;
    Ok((rehearsed, runs))
}

/// The same, with whoever decides what is open. `look` sees the simulation when all is over.
fn perform(
    stage: &Stage,
    decisions: Decisions,
    look: impl FnOnce(&crate::Sim, &[CallRecord]),
) -> Result<(Rehearsed, Decisions), NotRehearsed> {
    let office_set = OfficeSet::new([Arc::clone(&stage.office)]).map_err(|faults| {
        NotRehearsed::Office(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    let actions = by_name(&stage.actions);
    let mut grants = GrantTable::default();
    grants.add(&stage.office, actions.keys().filter(|name| !stage.strangers.contains(*name)));
    let configuration =
        Configuration { offices: office_set, programs: stage.programs.clone(), actions, grants, limits: stage.limits };
    let mut setup = Setup::configured(configuration, Arc::clone(&stage.actions), stage.prompts.clone());
    if let Some(at) = decisions.plan().at {
        setup = setup.starts_at(WallTime(at.0.saturating_sub(millis(BEFORE))));
    }
    let mut sim = setup.start();
    let decisions = Cast::of(&mut sim, stage, decisions)?.performs(&mut sim);
    let left = settle(&mut sim);
    let decisions = decisions.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let records = sim.records(stage.office.id.as_str());
    look(&sim, &records);
    let journals = records
        .iter()
        .map(|record| sim.store().calls().journal(&record.id).map(|journal| journal.entries).unwrap_or_default())
        .collect();
    let asked = sim
        .sites_asked()
        .into_iter()
        .map(|asked| format!("{} {} {}", asked.source.id, asked.request.method.as_str(), asked.request.path))
        .collect();
    let queried =
        sim.databases_asked().into_iter().map(|asked| format!("{} {}", asked.database.id, asked.query.id)).collect();
    let plan = decisions.plan().clone();
    let left_by_itself = sim
        .carried()
        .into_iter()
        .map(|(_, notice)| {
            let fate = if planned_of(&plan, &notice) == CarrierDoes::Takes { "taken" } else { "refused" };
            format!("{} to {}: {fate}", notice.content.as_str(), notice.content.to())
        })
        .collect();
    Ok((Rehearsed { records, journals, left, asked, queried, left_by_itself, plan }, decisions))
}

/// Lets time pass until nothing is left, or says what is.
fn settle(sim: &mut crate::Sim) -> Vec<String> {
    let until = sim.now() + ENDS_WITHIN;
    loop {
        let left = sim.left();
        if left.is_empty() || sim.now() >= until {
            return left;
        }
        sim.run_for(Duration::from_secs(1));
    }
}

/// What a service answers in a rehearsal.
fn answer_of(does: &ServiceDoes) -> (Duration, Result<HttpResponse, HttpError>) {
    match does {
        ServiceDoes::Answers { status, body, after } => {
            let content_type = "application/json".to_owned();
            (*after, Ok(HttpResponse { status: *status, content_type, body: body.clone() }))
        }
        ServiceDoes::Down => (Duration::ZERO, Err(HttpError::Unreachable("it is down in this rehearsal".into()))),
        ServiceDoes::Slow => (Duration::MAX, Err(HttpError::TimeOver)),
    }
}

/// What a database answers in a rehearsal.
fn rows_of(does: &DatabaseDoes) -> (Duration, Result<DatabaseRows, DatabaseError>) {
    match does {
        DatabaseDoes::Answers { rows, count, after } => {
            (*after, Ok(DatabaseRows { rows: rows.clone(), count: *count }))
        }
        DatabaseDoes::Down => (Duration::ZERO, Err(DatabaseError::Unreachable("it is down in this rehearsal".into()))),
        DatabaseDoes::Slow => (Duration::MAX, Err(DatabaseError::TimeOver)),
    }
}

/// What becomes of a mail, a text message or a post in a rehearsal.
fn fate_of(does: CarrierDoes) -> (Duration, NoticeEnd) {
    let end = match does {
        CarrierDoes::Takes => NoticeEnd::Sent("250 ok".into()),
        CarrierDoes::Refuses => NoticeEnd::Refused("it is refused in this rehearsal".into()),
    };
    (Duration::from_millis(50), end)
}

/// What the plan says of this one; posts are taken.
fn planned_of(plan: &Plan, notice: &Notice) -> CarrierDoes {
    let said = match &notice.content {
        NoticeContent::Mail(_) => plan.mail,
        NoticeContent::Text(_) => plan.texts,
        NoticeContent::Post(_) | NoticeContent::Log(_) => None,
    };
    said.unwrap_or(CarrierDoes::Takes)
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn since(at: Time, from: Time) -> Duration {
    at.since(from)
}
