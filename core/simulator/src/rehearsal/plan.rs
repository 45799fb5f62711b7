//! Who calls in a rehearsal, and what everybody does.

use plugboard_model::{GatewayId, UserId, WallTime};
use std::collections::BTreeMap;
use std::time::Duration;

/// A call that nobody makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Who calls.
    pub from: Caller,
    /// What is dialled.
    pub to: String,
    /// When; without it, on a Monday in January 2026 at nine, UTC.
    pub at: Option<WallTime>,
    /// What each user does when he is rung.
    pub people: BTreeMap<UserId, Does>,
    /// What the others do.
    pub others: Option<Does>,
    /// What numbers behind gateways do, as they are dialled there; by the last digits of the number.
    pub outside: BTreeMap<String, Does>,
    /// What the caller keys at each question, in turn; an empty text is nothing, and so is all after the last.
    pub keys: Vec<String>,
    /// When he hangs up, counted from the beginning; without it he waits.
    pub hangs_up: Option<Duration>,
    /// How long people talk before the called one hangs up.
    pub talk: Duration,
    /// What services of the web do, by the name of their source; those that are not named are down.
    pub services: BTreeMap<String, ServiceDoes>,
    /// What databases do, by name, or by `database/query` for one query alone; those that are not named are down.
    pub databases: BTreeMap<String, DatabaseDoes>,
    /// What becomes of mails; without it they are taken.
    pub mail: Option<CarrierDoes>,
    /// What becomes of text messages; without it they are taken.
    pub texts: Option<CarrierDoes>,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A user, from a device of his.
    User(UserId),
    /// Somebody behind a gateway.
    Outside {
        /// The gateway.
        gateway: GatewayId,
        /// The number that he shows; empty when he withholds it.
        number: String,
    },
}

/// What somebody does who is rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// He answers after so long.
    Answers(Duration),
    /// He declines after so long, or his phone does, with this status.
    Refuses(Duration, u16),
    /// He lets it ring.
    Ignores,
    /// No device of his is there.
    Offline,
}

/// What a service of the web does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceDoes {
    /// It answers.
    Answers {
        /// With this status.
        status: u16,
        /// And this body.
        body: String,
        /// After so long.
        after: Duration,
    },
    /// Nothing listens there.
    Down,
    /// It does not answer in its time.
    Slow,
}

/// What a database does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseDoes {
    /// It answers.
    Answers {
        /// With these rows: a JSON list of objects, by the names of the columns.
        rows: String,
        /// So many, or so many that the query changed.
        count: u64,
        /// After so long.
        after: Duration,
    },
    /// It cannot be reached.
    Down,
    /// It does not answer in its time.
    Slow,
}

/// What becomes of a mail or a text message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarrierDoes {
    /// Whoever carries it on takes it.
    Takes,
    /// He does not, and will not.
    Refuses,
}

impl Plan {
    /// People answer after so long, if nothing else is said.
    pub const ANSWERS_AFTER: Duration = Duration::from_secs(5);
    /// They talk for so long, if nothing else is said.
    pub const TALKS_FOR: Duration = Duration::from_secs(10);

    /// Of a caller and what he dials, with all else open.
    pub fn new(from: Caller, to: impl Into<String>) -> Self {
        Self {
            from,
            to: to.into(),
            at: None,
            people: BTreeMap::new(),
            others: None,
            outside: BTreeMap::new(),
            keys: Vec::new(),
            hangs_up: None,
            talk: Self::TALKS_FOR,
            services: BTreeMap::new(),
            databases: BTreeMap::new(),
            mail: None,
            texts: None,
        }
    }

    /// What a user does, if the plan says it.
    pub fn of(&self, user: &UserId) -> Option<Does> {
        self.people.get(user).copied().or(self.others)
    }

    /// What a database does when this query is asked, if the plan says it.
    pub fn of_query(&self, database: &str, query: &str) -> Option<&DatabaseDoes> {
        self.databases.get(&format!("{database}/{query}")).or_else(|| self.databases.get(database))
    }

    /// What an outside number does, if the plan says it: that of the longest ending that fits.
    pub fn of_outside(&self, number: &str) -> Option<Does> {
        let fitting = self.outside.iter().filter(|(ending, _)| number.ends_with(ending.trim_start_matches('+')));
        fitting.max_by_key(|(ending, _)| ending.len()).map(|(_, does)| *does)
    }
}
