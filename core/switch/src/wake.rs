//! One timer of an actor, moved only when it must ring earlier.

use actix::{Actor, AsyncContext, Context, SpawnHandle};
use plugboard_model::Time;
use std::time::Duration;

/// The timer that an actor has running.
///
/// A machine's next timeout changes at each step, nearly always to a later time. The timer is left where it is then:
/// it rings early, the machine finds nothing due, and the next one is set. This saves a cancelled timer at each step.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    set: Option<(Time, SpawnHandle)>,
}

impl Wake {
    /// Makes sure that `ring` is called at `at` or before; `None` stops the timer.
    pub(crate) fn set<A>(
        &mut self,
        ctx: &mut Context<A>,
        now: Time,
        at: Option<Time>,
        ring: fn(&mut A, &mut Context<A>),
    ) where
        A: Actor<Context = Context<A>>,
    {
        match (at, self.set) {
            (None, None) => {}
            (None, Some((_, handle))) => {
                ctx.cancel_future(handle);
                self.set = None;
            }
            (Some(at), Some((set, _))) if set <= at => {}
            (Some(at), set) => {
                if let Some((_, handle)) = set {
                    ctx.cancel_future(handle);
                }
                // A machine that asks for a time in the past gets the next turn of the loop, not a spin within this one.
                let handle = ctx.run_later(at.since(now).max(Duration::from_micros(1)), ring);
                self.set = Some((at, handle));
            }
        }
    }

    /// The timer rang: the next [`Wake::set`] sets a new one.
    pub(crate) fn rang(&mut self) {
        self.set = None;
    }
}
