//! One record per call: what history, metrics and events derive from.

use crate::{CallId, Cause, GatewayId, LegId, LegQuality, ScenarioId, UserId, WallTime};
use serde::{Deserialize, Serialize};

/// Where a call came from and went to, seen from the office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From a gateway.
    Inbound,
    /// From a user to a gateway.
    Outbound,
    /// Between users.
    Internal,
}

impl Direction {
    /// The word in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Internal => "internal",
        }
    }
}

/// The one outcome of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// A person (or an outside number) talked to the caller.
    Answered,
    /// The switch answered (prompt, menu, echo), but nobody talked to the caller.
    Handled,
    /// The caller hung up before anybody talked to him.
    Abandoned,
    /// Nobody answered, or the callee's side refused.
    NotAnswered(Cause),
    /// The switch refused or failed.
    Failed(Cause),
}

impl CallOutcome {
    /// The word in metrics and JSON: a bounded set.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Handled => "handled",
            Self::Abandoned => "abandoned",
            Self::NotAnswered(_) => "not_answered",
            Self::Failed(_) => "failed",
        }
    }
}

/// A leg of a finished call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegRecord {
    /// Which.
    pub leg: LegId,
    /// The user it belongs to.
    pub user: Option<UserId>,
    /// The gateway it went through.
    pub gateway: Option<GatewayId>,
    /// The number or address it was sent to, or came from.
    pub party: String,
    /// When its INVITE came or went.
    pub began: WallTime,
    /// When it was answered.
    pub answered: Option<WallTime>,
    /// When it ended.
    pub ended: WallTime,
    /// Why.
    pub cause: Cause,
    /// How it sounded; `None` when no media was agreed.
    pub quality: Option<LegQuality>,
    /// How its media was encrypted last; `None`: it was not.
    pub encryption: Option<LegEncryption>,
}

/// How a leg's media is encrypted (SRTP).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegEncryption {
    /// Where its keys came from: `sdes` or `dtls`.
    pub keys: String,
    /// With what, as RFC 4568 and RFC 7714 call it.
    pub suite: String,
}

/// A step that the scenario took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The step's path in the scenario.
    pub path: String,
    /// The action or control word.
    pub word: String,
    /// Its outcome or branch.
    pub outcome: String,
    /// When it began; `None` in records of before this was kept.
    pub began: Option<WallTime>,
    /// When it was decided or its run ended: how long the caller waited in a queue is from `began` until then. `None`: it
    /// takes no time, or is of before this was kept.
    pub ended: Option<WallTime>,
}

/// A finished call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Which.
    pub id: CallId,
    /// From where to where.
    pub direction: Direction,
    /// The caller's number, empty when withheld.
    pub caller: String,
    /// The caller's name.
    pub caller_name: String,
    /// The caller, when he is a user.
    pub caller_user: Option<UserId>,
    /// The number called.
    pub called: String,
    /// The route taken, for people.
    pub route: Option<String>,
    /// The scenario run.
    pub scenario: Option<ScenarioId>,
    /// When the INVITE came.
    pub began: WallTime,
    /// When somebody talked to the caller.
    pub answered: Option<WallTime>,
    /// Who that was.
    pub answered_by: Option<UserId>,
    /// When the last leg ended.
    pub ended: WallTime,
    /// The one outcome.
    pub outcome: CallOutcome,
    /// Every leg, in the order of their ids; at most 64 are kept.
    pub legs: Vec<LegRecord>,
    /// The steps taken; at most 256 are kept.
    pub steps: Vec<StepRecord>,
}

impl CallRecord {
    /// A call of which no more is known than this: one within the office that ended at once. What is known of it takes the
    /// place of the rest, as in `CallRecord { called, ..CallRecord::bare(id, began, outcome) }`.
    pub const fn bare(id: CallId, began: WallTime, outcome: CallOutcome) -> Self {
        Self {
            id,
            direction: Direction::Internal,
            caller: String::new(),
            caller_name: String::new(),
            caller_user: None,
            called: String::new(),
            route: None,
            scenario: None,
            began,
            answered: None,
            answered_by: None,
            ended: began,
            outcome,
            legs: Vec::new(),
            steps: Vec::new(),
        }
    }
}
