//! A call's journal: every input, decision and host-call result, in order.
//!
//! Recovery, `call trace` and `call replay` read it. An entry is written before the thing it allows acts.

use crate::{Cause, ForwardWhy, HostCall, HostResult, LegId, RunId, ScenarioId, Time, UserId, WallTime};
use serde::{Deserialize, Serialize};

/// Version of [`JournalEvent`]'s written form; replay refuses another one.
pub const JOURNAL_SCHEMA: u16 = 1;

/// One line of a call's journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Counted from 0 without gaps, so that a lost tail shows.
    pub seq: u32,
    /// Since the call's start.
    pub at: Time,
    /// What happened.
    pub event: JournalEvent,
}

/// What a run is pinned to: replay needs the very same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPins {
    /// SHA-256 of the component file.
    pub component: [u8; 32],
    /// The WIT package version that the component imports, such as `0.1.0`.
    pub wit: String,
    /// The host's version.
    pub host: String,
    /// [`JOURNAL_SCHEMA`].
    pub journal: u16,
    /// The limits in force, as the host writes them.
    pub limits: String,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// It returned this outcome.
    Outcome(String),
    /// It returned an error, or named an outcome it does not have.
    Failed(String),
    /// It trapped (the reason) after `after` host calls.
    Trapped {
        /// The trap.
        reason: String,
        /// Host calls that had been made.
        after: u32,
    },
    /// A limit ended it after `after` host calls.
    Limit {
        /// `deadline`, `epoch`, `fuel`, `memory`, `stack`, `host-calls`, `host-bytes`, `parameters`, `instances`,
        /// `suspended`, `rebuild`.
        limit: String,
        /// Host calls that had been made.
        after: u32,
    },
    /// The rebuilt run asked for something else than its journal says at host call `at`.
    Diverged {
        /// The host call that differed.
        at: u32,
    },
    /// The call ended and the run was dropped.
    Cancelled,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalEvent {
    /// The call began; `wall` anchors every [`Time`].
    Began {
        /// The wall clock at [`Time::ZERO`].
        wall: WallTime,
        /// The caller's number.
        caller: String,
        /// The number called.
        called: String,
        /// The caller, if he is a user.
        caller_user: Option<UserId>,
        /// Seen from the office.
        direction: crate::Direction,
    },
    /// The router chose a scenario.
    Routed {
        /// The route's name, for people.
        route: String,
        /// The scenario.
        scenario: ScenarioId,
        /// Its version: SHA-256 of its canonical form.
        version: [u8; 32],
    },
    /// Somebody calls for help: the notice for the front desk.
    Emergency {
        /// The number that calls for help.
        number: String,
        /// Where he is, as far as that is known.
        location: Option<crate::Name>,
        /// The number that is shown of him and leads back to him.
        call_back: String,
        /// It only tries the way.
        test: bool,
    },
    /// The interpreter entered a step.
    Step {
        /// The step's path, such as `steps[1].menu.1.steps[0]`.
        path: String,
        /// The action or control word.
        word: String,
    },
    /// A condition was decided.
    Decided {
        /// The step's path.
        path: String,
        /// The branch taken.
        branch: String,
    },
    /// A variable was assigned by the interpreter.
    Assigned {
        /// The variable.
        name: String,
        /// Its value.
        value: crate::Value,
    },
    /// A run of an action began.
    RunBegan {
        /// The run.
        run: RunId,
        /// The action's name.
        action: String,
        /// The parameters after templates, as JSON.
        parameters: String,
        /// What it is pinned to.
        pins: RunPins,
    },
    /// A host call is about to act.
    Begin {
        /// The run.
        run: RunId,
        /// Counted from 0 in the run.
        n: u32,
        /// What is asked.
        call: HostCall,
        /// SHA-256 of the call's written form: what replay compares.
        hash: [u8; 32],
    },
    /// ... and this is its result.
    End {
        /// The run.
        run: RunId,
        /// The host call.
        n: u32,
        /// What it returned.
        result: HostResult,
    },
    /// The run was dropped to wait; it is rebuilt from this journal when its answer comes.
    PutAway {
        /// The run.
        run: RunId,
        /// The host call it waits for.
        n: u32,
    },
    /// A run ended.
    RunEnded {
        /// The run.
        run: RunId,
        /// How.
        end: RunEnd,
    },
    /// A leg was made.
    LegBegan {
        /// The leg.
        leg: LegId,
        /// The user rung, if it is one.
        user: Option<UserId>,
        /// Where it was sent.
        to: String,
    },
    /// A leg rings.
    LegRang {
        /// The leg.
        leg: LegId,
    },
    /// A leg was answered.
    LegAnswered {
        /// The leg.
        leg: LegId,
    },
    /// A leg ended.
    LegEnded {
        /// The leg.
        leg: LegId,
        /// Why.
        cause: Cause,
    },
    /// Two legs hear each other.
    Bridged {
        /// One.
        a: LegId,
        /// The other.
        b: LegId,
    },
    /// The caller pressed a key.
    Digit {
        /// Whose.
        leg: LegId,
        /// `0-9 * # A-D`.
        digit: char,
    },
    /// Something that a person should see in the trace.
    Note {
        /// In English, without personal data.
        text: String,
    },
    /// The call ended: the last entry.
    Ended {
        /// The outcome.
        outcome: crate::CallOutcome,
    },
    // The store writes the place of a variant: new ones stand at the end.
    /// Somebody puts whoever he talks to on hold.
    Held {
        /// Who.
        by: LegId,
        /// Whom; nobody when he talks to the switch.
        whom: Option<LegId>,
    },
    /// ... and takes him back.
    Resumed {
        /// Who.
        by: LegId,
        /// Whom.
        whom: Option<LegId>,
    },
    /// Somebody hands whoever he talks to on to somebody else.
    Transferred {
        /// Who; nobody when the switch does it.
        by: Option<LegId>,
        /// Who is handed on.
        whom: LegId,
        /// To whom: a number, or a call by its id.
        to: String,
    },
    /// The call goes on to somebody else than was called.
    Forwarded {
        /// The leg that was called, if one was.
        leg: Option<LegId>,
        /// Who was called: an internal number or an outside one.
        by: String,
        /// Why it goes on.
        why: ForwardWhy,
        /// To whom: a number.
        to: String,
    },
    /// Neither RTP nor RTCP comes from a leg any more: it is asked whether it is there.
    FellSilent {
        /// Which.
        leg: LegId,
    },
    /// One-way audio: nothing is heard of a leg, which is there as it says, or which was never heard.
    NotHeard {
        /// Which.
        leg: LegId,
    },
    /// ... and is heard again.
    HeardAgain {
        /// Which.
        leg: LegId,
    },
    /// A user who was to be rung is not.
    NotRung {
        /// Who.
        user: UserId,
        /// Why.
        cause: Cause,
    },
    /// A leg that began is a phone outside that stands in a user's profile.
    PhoneOf {
        /// Which.
        leg: LegId,
        /// Whose.
        user: UserId,
    },
}
