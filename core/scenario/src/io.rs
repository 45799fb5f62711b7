//! What the interpreter is told, and what it asks for.

use crate::Extension;
use plugboard_model::{JournalEvent, RunId, UserId, Value, WallTime};
use serde::{Deserialize, Serialize};

/// Something that the interpreter is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The call begins. The variables are the switch's own, read-only for actions: `caller_number` and so on.
    Start {
        /// What time it is.
        wall: WallTime,
        /// Name and value; see [`crate::SWITCH_VARIABLES`].
        variables: Vec<(String, Value)>,
    },
    /// A run that [`Output::StartRun`] asked for is over.
    RunEnded {
        /// The run.
        run: RunId,
        /// How.
        outcome: RunOutcome,
        /// Variables that it assigned and that were not told by [`Input::VariableSet`].
        sets: Vec<(String, Value)>,
    },
    /// A running action assigned a variable. [`crate::Interpreter::assign`] does the same and tells whether it worked.
    VariableSet {
        /// The variable.
        name: String,
        /// Its value.
        value: Value,
    },
    /// The answer to [`Output::FindExtension`].
    ExtensionFound {
        /// The number that was asked for.
        number: String,
        /// Whom it belongs to.
        extension: Option<Extension>,
    },
    /// The caller talks to somebody now. Comes before the [`Input::RunEnded`] of the action that rang him.
    Bridged,
    /// The other side left; the caller is still there.
    Unbridged,
    /// The caller is gone, or the switch ends the call.
    CallerGone,
    /// Somebody whom an action calls rings, a user or a number behind a gateway.
    Rang {
        /// Who.
        whom: Talker,
    },
    /// Somebody who talked in the call has left it, or the caller gave up. Comes before the [`Input::Unbridged`] or [`Input::CallerGone`] that it
    /// leads to.
    HungUp {
        /// Who.
        by: Talker,
    },
    /// Somebody of the call puts another on hold.
    Held {
        /// Who.
        by: Talker,
        /// Whom; nobody when he talks to the switch.
        whom: Option<Talker>,
    },
    /// ... and takes him back.
    Resumed {
        /// Who.
        by: Talker,
        /// Whom.
        whom: Option<Talker>,
    },
    /// The caller is a fax machine: its tone was heard.
    FaxHeard,
    /// The steps on the hanging up have had their time.
    TimeOver,
    /// Whoever talks with the caller has this name: the variable `agent_name`.
    AgentNamed {
        /// Empty for whoever is no user of the office.
        name: String,
    },
}

/// Somebody who talks in a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talker {
    /// The user, if it is one of the office.
    pub user: Option<UserId>,
    /// His number, empty when it is withheld.
    pub number: String,
}

/// How a run of an action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// One of the outcomes that the action describes.
    Named(String),
    /// `failed`, with the reason: it returned an error, trapped, exceeded a limit or could not be started.
    Failed(String),
    /// It was not run: the route does not let it. Why.
    Denied(String),
}

/// Something that the interpreter asks for. Carried out in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Run an action; its end is told by [`Input::RunEnded`].
    StartRun {
        /// The run; counted from 0 in the call.
        run: RunId,
        /// The action's name.
        action: String,
        /// A JSON object, templates filled in.
        parameters: String,
        /// The step's path.
        path: String,
    },
    /// Drop a run. No [`Input::RunEnded`] is awaited; a late one is ignored.
    CancelRun {
        /// The run.
        run: RunId,
    },
    /// Look up an internal number of the office; answered by [`Input::ExtensionFound`] before anything else.
    FindExtension {
        /// The number, as the caller keyed it.
        number: String,
    },
    /// A line for the call's journal.
    Journal(JournalEvent),
    /// The scenario is over: hang up, if the caller is still there. Nothing comes after it but what steps on the hanging up
    /// do, and [`Output::Closed`].
    Ended(ScenarioEnd),
    /// Nothing runs any more, and nothing comes after it.
    Closed,
}

/// Why a scenario is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScenarioEnd {
    /// The last step was done.
    Finished,
    /// An action ended the call, as `hang-up` does.
    HungUp,
    /// The callee hung up and the step does not say `continue: true`.
    CalleeLeft,
    /// The caller hung up.
    CallerGone,
    /// A limit was reached; the text says which.
    Limit(String),
}
