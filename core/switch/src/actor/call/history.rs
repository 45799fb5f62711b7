//! What the office remembers, asked for by actions.

use actix::{AsyncContext, Context, Handler, Message};
use plugboard_call::Op;
use plugboard_model::{Dialled, HistoryError, HostResult, Talk, WallTime};
use plugboard_office::NumberFormat;
use std::sync::Arc;

use super::CallActor;
use crate::env::TalkQuestion;
use crate::post::press;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

impl CallActor {
    /// Asks who talked with a number last; the run is told when it is known.
    pub(super) fn look_back(&mut self, op: Op, number: &str, days: u32, ctx: &mut Context<Self>) {
        let since = WallTime(self.env.clock.wall().0.saturating_sub(DAY_MS.saturating_mul(i64::from(days))));
        let numbers = self.forms(number);
        let back = ctx.address().recipient();
        let asked = TalkQuestion { office: Arc::clone(&self.office), numbers, since };
        self.env.history.last_talk(asked, Box::new(move |answer| press(&back, LookedBack { op, answer })));
    }

    /// A number in each way in which a record may have it.
    fn forms(&self, number: &str) -> Vec<String> {
        let mut forms = vec![number.to_owned()];
        let plan = self.office.number_plan();
        let known = Dialled::new(number).ok().and_then(|number| plan.e164(&number));
        if let Some(e164) = known {
            let all = [NumberFormat::E164, NumberFormat::Digits, NumberFormat::International, NumberFormat::National];
            forms.extend(all.map(|format| plan.write(&e164, format).to_string()));
        }
        forms.sort_unstable();
        forms.dedup();
        forms
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
        if let Err(reason) = &answer {
            tracing::warn!(call_id = %self.id, reason, "the history cannot be read");
        }
        self.resume(op, HostResult::Talked(answer.map_err(HistoryError::Unavailable)));
        self.pump(ctx);
    }
}
