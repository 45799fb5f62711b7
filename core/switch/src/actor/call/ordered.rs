//! What an admin wants of a call.

use actix::{Context, Handler, Recipient};
use plugboard_call::Input;
use plugboard_model::{Dialled, LegId, UserId};

use super::CallActor;
use super::transfer::{Asked, Wanted};
use crate::hand_on::{HandedOn, NotHandedOn, Ordered, Target};
use crate::post::post;

impl CallActor {
    /// Which leg leaves: the one that is named, or the only one that can.
    fn who_leaves(&self, named: Option<LegId>) -> Result<LegId, NotHandedOn> {
        let may =
            |leg: &LegId| self.call.may_hand_on(*leg) && self.call.party(*leg).is_some_and(|(user, _)| user.is_some());
        let legs: Vec<LegId> = self.legs.keys().copied().filter(may).collect();
        match (named, legs.as_slice()) {
            (Some(leg), _) if legs.contains(&leg) => Ok(leg),
            (Some(leg), _) => Err(NotHandedOn::NoLeg { leg, legs }),
            (None, [only]) => Ok(*only),
            (None, _) => Err(NotHandedOn::WhichLeg(legs)),
        }
    }

    fn hand_on(&mut self, leg: LegId, number: &Dialled, ctx: &mut Context<Self>) -> Result<LegId, NotHandedOn> {
        tracing::info!(call_id = %self.id, leg_id = %leg, "an admin hands the call on");
        let refused = |(status, why)| NotHandedOn::Refused { status, why };
        match self.handed_on_to(leg, number, ctx).map_err(refused)? {
            Wanted::Number(transfer) => {
                self.referred_by = Some(self.shown(leg).address);
                self.feed(Input::Transfer(transfer), ctx);
                // The machine lets a call go from service to service so often and no more.
                let goes = self.call.talks_to(leg).is_none();
                goes.then_some(leg).ok_or_else(|| refused((483, "the call was handed on to services too often")))
            }
            Wanted::Park(park) => {
                self.park(*park, ctx);
                Ok(leg)
            }
            Wanted::Dialog(_) => unreachable!("a number names no dialog"),
        }
    }

    /// Asks the other call for whom its user talks to there.
    fn join_by_order(&mut self, leg: LegId, other: &Recipient<Ordered>, answer: HandedOn, ctx: &Context<Self>) {
        let stays = self.call.talks_to(leg);
        let wish = stays.filter(|_| self.joining.asked == Asked::Not && self.unproven != Some(leg));
        let Some((stays, wish)) = wish.and_then(|stays| Some((stays, self.wish(leg, stays, ctx)?))) else {
            let _ = answer.send(Err(NotHandedOn::Refused { status: 491, why: "the call is being joined already" }));
            return;
        };
        self.joining.asked = Asked::ForOtherThan { leaves: leg, stays };
        self.joining.told = Some(answer);
        post(other, Ordered::GivePlace(wish));
    }

    /// Where the user talks to somebody in this call.
    fn talks_at(&self, user: &UserId) -> Option<LegId> {
        let his = |leg: &LegId| self.call.party(*leg).is_some_and(|(of, _)| of == Some(user));
        self.legs.keys().copied().find(|leg| his(leg) && self.call.may_hand_on(*leg))
    }
}

impl Handler<Ordered> for CallActor {
    type Result = ();

    fn handle(&mut self, ordered: Ordered, ctx: &mut Self::Context) {
        match ordered {
            Ordered::HandOn { leg, to, answer } => match (self.who_leaves(leg), to) {
                (Ok(leg), Target::Call(other)) => self.join_by_order(leg, &other, answer, ctx),
                (Ok(leg), Target::Number(number)) => {
                    let done = self.hand_on(leg, &number, ctx);
                    // Whoever asked may have gone.
                    let _ = answer.send(done);
                }
                (Err(fault), _) => drop(answer.send(Err(fault))),
            },
            Ordered::GivePlace(wish) => match self.talks_at(&wish.by) {
                Some(leg) => self.wished_for(leg, wish, ctx),
                None => wish.refuse(481),
            },
        }
    }
}
