//! What is worked through step by step: the main script, and beside it the steps of streams and events.

use crate::program::ListId;
use plugboard_model::{RunId, Value};

/// Steps that are worked through one after the other.
#[derive(Debug, Clone)]
pub(super) struct Strand {
    pub(super) place: Place,
    pub(super) state: State,
    pub(super) stack: Vec<Frame>,
    /// What only these steps know: who did what they were written for.
    pub(super) own: Vec<(&'static str, Value)>,
    /// The run of the step whose steps on ringing have begun already.
    pub(super) rang: Option<RunId>,
}

/// What a strand is to the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The script: with its end the call ends.
    Main,
    /// Steps of a stream or an event, beside the script.
    Beside,
}

/// Where a strand is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// A run of a step is awaited.
    Running { run: RunId, step: StepRef, purpose: Purpose },
    /// The owner of a dialled number is awaited.
    Finding { step: StepRef, tries: u8, number: String },
    /// The next step can be taken.
    Ready,
    /// The steps on the answer are done and the conversation goes on.
    Talking,
    /// It is over.
    Done,
}

/// Why a run was started.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Purpose {
    /// The step is this action.
    Step,
    /// A menu collects digits, for this many times already.
    Digits { tries: u8 },
    /// A menu puts the caller through.
    Extension,
}

/// A step of the program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StepRef {
    pub(super) list: ListId,
    pub(super) place: usize,
}

/// A list that is being worked through.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    pub(super) list: ListId,
    pub(super) next: usize,
    /// These are the steps on an answer: after them the conversation is awaited.
    pub(super) answered: Option<Answered>,
    /// These are the steps of a `repeat`, for this many times already.
    pub(super) rounds: u32,
}

impl Frame {
    /// Its first step is the next.
    pub(super) const fn of(list: ListId) -> Self {
        Self { list, next: 0, answered: None, rounds: 0 }
    }
}

/// What follows a conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Answered {
    /// The caller stays when the callee left.
    pub(super) go_on: bool,
    /// What runs beside the rest when either of them left.
    pub(super) hang_up: Option<ListId>,
}

impl Strand {
    /// Steps that begin now.
    pub(super) fn new(place: Place, list: ListId, own: Vec<(&'static str, Value)>) -> Self {
        let stack = vec![Frame::of(list)];
        Self { place, state: State::Ready, stack, own, rang: None }
    }

    /// The lists that it is in, each with the place of its step.
    pub(super) fn path(&self) -> Vec<(usize, usize)> {
        self.stack.iter().map(|frame| (frame.list.0, frame.next.saturating_sub(1))).collect()
    }

    /// The run that it waits for.
    pub(super) fn awaits(&self) -> Option<RunId> {
        match self.state {
            State::Running { run, .. } => Some(run),
            State::Finding { .. } | State::Ready | State::Talking | State::Done => None,
        }
    }
}
