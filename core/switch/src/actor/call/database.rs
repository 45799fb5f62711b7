//! Databases that actions ask.

use actix::{AsyncContext, Context, Handler, Message};
use plugboard_call::Op;
use plugboard_metrics::{DatabaseAsked, DatabaseOutcome};
use plugboard_model::{Argument, DatabaseError, DatabaseRequest, DatabaseRows, HostResult, Time, ValueType};
use plugboard_office::DatabaseQuery;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::CallActor;
use crate::env::DatabaseQuestion;
use crate::post::press;

/// Past its time and this a database's answer does not come any more, whatever became of who asks it.
const LATE: Duration = Duration::from_secs(2);

impl CallActor {
    /// Asks a database of the office for a run; the run is told when the answer comes.
    pub(super) fn ask_database(&mut self, op: Op, request: DatabaseRequest, ctx: &mut Context<Self>) {
        let Op::Run { .. } = op else { return };
        let since = self.now();
        let DatabaseRequest { database: name, query: wanted, with } = request;
        let named = Named { database: name, query: wanted };
        let Some(database) = self.office.database(&named.database).cloned() else {
            let reason = format!("office {} has no database {:?}", self.office.id, named.database);
            return self.database_answered(op, &named, since, Err(DatabaseError::Denied(reason)));
        };
        let Some(query) = database.query(&named.query).cloned() else {
            let reason = format!("database {} has no query {:?}", database.id, named.query);
            return self.database_answered(op, &named, since, Err(DatabaseError::Denied(reason)));
        };
        let arguments = match arguments(&query, with) {
            Ok(arguments) => arguments,
            Err(why) => return self.database_answered(op, &named, since, Err(why)),
        };
        let (writes, latest) = (query.writes, database.timeout + LATE);
        let office = self.office.id.clone();
        let asked = DatabaseQuestion { office, database: Arc::clone(&database), query, arguments };
        let back = ctx.address().recipient();
        let late = named.clone();
        ctx.run_later(latest, move |call, ctx| {
            if call.waits_at(op) {
                let why =
                    if writes { DatabaseError::Unknown("no answer came".into()) } else { DatabaseError::TimeOver };
                call.database_answered(op, &late, since, Err(why));
                call.pump(ctx);
            }
        });
        let reply = move |answer| press(&back, DatabaseAnswered { op, named, since, answer });
        self.env.databases.ask(asked, Box::new(reply));
    }

    fn database_answered(&mut self, op: Op, named: &Named, since: Time, answer: Result<DatabaseRows, DatabaseError>) {
        let now = self.now();
        let (outcome, reason) = match &answer {
            Ok(_) => (DatabaseOutcome::Done, ""),
            Err(DatabaseError::Denied(reason) | DatabaseError::Invalid(reason)) => {
                (DatabaseOutcome::Denied, reason.as_str())
            }
            Err(DatabaseError::TimeOver) => (DatabaseOutcome::TimeOver, ""),
            Err(DatabaseError::Unreachable(reason)) => (DatabaseOutcome::Unreachable, reason.as_str()),
            Err(DatabaseError::Broken(reason)) => (DatabaseOutcome::Broken, reason.as_str()),
            Err(DatabaseError::Busy) => (DatabaseOutcome::Busy, ""),
            Err(DatabaseError::Refused(reason)) => (DatabaseOutcome::Refused, reason.as_str()),
            Err(DatabaseError::TooManyRows(_)) => (DatabaseOutcome::Unfit, "too many rows"),
            Err(DatabaseError::TooLong(_)) => (DatabaseOutcome::Unfit, "too long"),
            Err(DatabaseError::Unshown(column)) => (DatabaseOutcome::Unfit, column.as_str()),
            Err(DatabaseError::Unknown(reason)) => (DatabaseOutcome::Unknown, reason.as_str()),
        };
        let Named { database, query } = named;
        let took = now.since(since);
        DatabaseAsked { call: &self.id, database, query, outcome, reason, took, at: now }.emit(&self.env.metrics);
        self.resume(op, HostResult::Queried(answer));
    }
}

/// A value for each parameter of the query, as what the query takes; and nothing else.
fn arguments(
    query: &DatabaseQuery,
    with: Vec<(String, Argument)>,
) -> Result<BTreeMap<String, Argument>, DatabaseError> {
    let denied = |reason: String| DatabaseError::Denied(format!("query {}: {reason}", query.id));
    let mut given: BTreeMap<String, Argument> = BTreeMap::new();
    for (name, value) in with {
        let Some(wanted) = query.parameters.get(&name) else {
            return Err(denied(format!("it has no parameter {name:?}")));
        };
        let value =
            fitting(*wanted, value).ok_or_else(|| denied(format!("the value for {name} is no {}", wanted.as_str())))?;
        if given.insert(name.clone(), value).is_some() {
            return Err(denied(format!("{name} has two values")));
        }
    }
    match query.parameters.keys().find(|name| !given.contains_key(*name)) {
        Some(lacking) => Err(denied(format!("{lacking} has no value"))),
        None => Ok(given),
    }
}

fn fitting(wanted: ValueType, value: Argument) -> Option<Argument> {
    match (wanted, value) {
        (ValueType::Number, Argument::Text(text)) => text.trim().parse().ok().map(Argument::Number),
        (ValueType::Number, Argument::Boolean(_)) | (ValueType::Boolean, Argument::Number(_)) => None,
        (ValueType::Boolean, Argument::Text(text)) => text.trim().parse().ok().map(Argument::Boolean),
        (ValueType::Text, Argument::Number(number)) => Some(Argument::Text(number.to_string())),
        (ValueType::Text, Argument::Boolean(yes)) => Some(Argument::Text(yes.to_string())),
        (
            ValueType::Text
            | ValueType::Number
            | ValueType::Boolean
            | ValueType::Time
            | ValueType::User
            | ValueType::Group
            | ValueType::Texts
            | ValueType::Users
            | ValueType::Contact,
            value,
        ) => Some(value),
    }
}

/// What was asked.
#[derive(Debug, Clone)]
struct Named {
    database: String,
    query: String,
}

/// A database answered, or not. From the thread that asked it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct DatabaseAnswered {
    op: Op,
    named: Named,
    since: Time,
    answer: Result<DatabaseRows, DatabaseError>,
}

impl Handler<DatabaseAnswered> for CallActor {
    type Result = ();

    fn handle(&mut self, answered: DatabaseAnswered, ctx: &mut Context<Self>) {
        let DatabaseAnswered { op, named, since, answer } = answered;
        if !self.waits_at(op) {
            return;
        }
        self.database_answered(op, &named, since, answer);
        self.pump(ctx);
    }
}
