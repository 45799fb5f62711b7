//! What the office remembers, asked for by actions.

use actix::{AsyncContext, Context, Handler, Message};
use plugboard_call::Op;
use plugboard_model::{HistoryError, HostResult, Talk, WallTime};
use std::sync::Arc;
use std::time::Duration;

use super::CallActor;
use crate::env::TalkQuestion;
use crate::post::press;

/// What a caller may wait for the disk.
const PATIENCE: Duration = Duration::from_secs(1);
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

impl CallActor {
    /// Asks who talked with a number last; the run is told when it is known.
    pub(super) fn look_back(&mut self, op: Op, number: &str, days: u32, ctx: &mut Context<Self>) {
        let since = WallTime(self.env.clock.wall().0.saturating_sub(DAY_MS.saturating_mul(i64::from(days))));
        let numbers = self.office.forms(number);
        let back = ctx.address().recipient();
        ctx.run_later(PATIENCE, move |call, ctx| {
            if call.waits_at(op) {
                call.looked_back(op, Err(format!("the disk took longer than {} s", PATIENCE.as_secs())));
                call.pump(ctx);
            }
        });
        let asked = TalkQuestion { office: Arc::clone(&self.office), numbers, since };
        self.env.history.last_talk(asked, Box::new(move |answer| press(&back, LookedBack { op, answer })));
    }

    fn looked_back(&mut self, op: Op, answer: Result<Option<Talk>, String>) {
        if let Err(reason) = &answer {
            tracing::warn!(call_id = %self.id, reason, "the history cannot be read");
        }
        self.resume(op, HostResult::Talked(answer.map_err(HistoryError::Unavailable)));
    }
}

/// It is known who talked with a number last. From the thread that reads.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct LookedBack {
    op: Op,
    answer: Result<Option<Talk>, String>,
}

impl Handler<LookedBack> for CallActor {
    type Result = ();

    fn handle(&mut self, LookedBack { op, answer }: LookedBack, ctx: &mut Context<Self>) {
        if self.waits_at(op) {
            self.looked_back(op, answer);
            self.pump(ctx);
        }
    }
}
