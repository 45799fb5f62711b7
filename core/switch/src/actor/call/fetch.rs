//! Calls that are fetched from elsewhere: one that rings a colleague, and one that is parked.

use actix::{AsyncContext, Context, Handler};
use plugboard_call::{Input, Park, Request};
use plugboard_model::{CallError, Dialled, LegId, ParkError, UserId};
use plugboard_office::FeatureCode;
use std::collections::VecDeque;

use super::CallActor;
use super::transfer::Asked;
use crate::message::{LegCommand, Shown, TakeParked, TakeRinging, Wish};
use crate::parking::{NoPlace, Parked, Place};
use crate::post::post;

/// What a caller wants to take.
#[derive(Debug)]
pub(crate) enum Takes {
    /// The place of a dialog (RFC 3891).
    Dialog(plugboard_sip::Replaces),
    /// A call that rings one of these.
    Ringing(VecDeque<UserId>),
    /// The call that is parked there, or anywhere.
    Parked(Option<Dialled>),
}

impl CallActor {
    pub(super) fn take_what_is_elsewhere(&mut self, takes: Takes, ctx: &mut Context<Self>) {
        match takes {
            Takes::Dialog(replaces) => self.ask_to_join(None, replaces, ctx),
            Takes::Ringing(users) => {
                self.joining.others = users;
                self.joining.asked = Asked::ForCaller;
                if !self.ask_next(ctx) {
                    self.not_joined(404, ctx);
                }
            }
            Takes::Parked(place) => {
                self.joining.asked = Asked::ForCaller;
                let parked = self.snapshot.parking.at(&self.office.id, place.as_ref());
                match (parked, self.wish(LegId::CALLER, LegId::CALLER, ctx)) {
                    (Some(call), Some(wish)) => post(&call, TakeParked(wish)),
                    (None, _) | (_, None) => self.not_joined(404, ctx),
                }
            }
        }
    }

    /// Asks the next of those whose call may be taken; whether there was one.
    pub(super) fn ask_next(&mut self, ctx: &mut Context<Self>) -> bool {
        while let Some(whom) = self.joining.others.pop_front() {
            let Some(handle) = self.snapshot.users.get(&whom) else { continue };
            let take = handle.take.clone();
            let Some(wish) = self.wish(LegId::CALLER, LegId::CALLER, ctx) else { return false };
            post(&take, TakeRinging { whom, wish, calls: VecDeque::new() });
            return true;
        }
        false
    }

    /// Reserves a place for whom this leg talks to.
    pub(super) fn place_for(
        &self,
        leg: LegId,
        place: Option<&Dialled>,
        ctx: &Context<Self>,
    ) -> Result<(Park, Place), (u16, &'static str)> {
        let rules = self.office.park;
        let whom = self.call.talks_to(leg).map(|stays| self.shown(stays)).unwrap_or_default();
        let taken = self.place_of(place, whom, ctx)?;
        let park = Park {
            by: leg,
            place: format!("place {}", taken.number()),
            after: rules.recall_after,
            ring_for: self.office.transfer.ring_for,
            rounds: rules.recalls,
        };
        Ok((park, taken))
    }

    fn place_of(
        &self,
        place: Option<&Dialled>,
        whom: Shown,
        ctx: &Context<Self>,
    ) -> Result<Place, (u16, &'static str)> {
        let call = Parked { call: self.id.clone(), whom, take: ctx.address().recipient() };
        let taken = self.snapshot.parking.park(&self.office.id, place, self.office.park.places, call);
        taken.map_err(|why| match why {
            NoPlace::Unknown => (404, "the office has no such place to park a call"),
            NoPlace::Taken => (486, "a call is parked there"),
        })
    }

    /// A step puts the caller aside. The place is free again when that comes to nothing.
    pub(super) fn step_parks(
        &mut self,
        place: Option<u32>,
        max_ms: u32,
        ctx: &Context<Self>,
    ) -> Result<Request, ParkError> {
        if self.place.is_some() {
            return Err(ParkError::Refused(CallError::NoMedia("the caller is parked".into())));
        }
        let wanted = place.and_then(|place| Dialled::new(&place.to_string()).ok());
        let whom = self.shown(self.call.anchor());
        let taken = self.place_of(wanted.as_ref(), whom, ctx);
        let taken = taken.map_err(|(_, why)| ParkError::NoPlace(why.to_owned()))?;
        let place = format!("place {}", taken.number());
        self.place = Some(taken);
        Ok(Request::Park { place, max: super::host::millis(max_ms) })
    }

    pub(super) fn park(&mut self, (park, place): (Park, Place), ctx: &mut Context<Self>) {
        // Before he is let go: what fetches the call again.
        if let Some(code) = self.office.features.code(FeatureCode::Park) {
            self.order(park.by, LegCommand::Say(format!("{code}{}", place.number())));
        }
        self.place = Some(place);
        self.feed(Input::Park(park), ctx);
    }
}

impl Handler<TakeRinging> for CallActor {
    type Result = ();

    fn handle(&mut self, mut ask: TakeRinging, ctx: &mut Self::Context) {
        if let Some(leg) = self.call.rings_for(&ask.whom) {
            return self.wished_for(leg, ask.wish, ctx);
        }
        match ask.calls.pop_front() {
            Some(next) => post(&next, ask),
            None => ask.wish.refuse(404),
        }
    }
}

impl Handler<TakeParked> for CallActor {
    type Result = ();

    fn handle(&mut self, ask: TakeParked, ctx: &mut Self::Context) {
        let Wish { joint, answer, .. } = ask.0;
        let ours = if self.call.is_parked() { self.joint(self.call.anchor(), ctx) } else { None };
        let Some(ours) = ours else { return answer.give(Err(404)) };
        if self.take_joint(None, joint, ctx) {
            answer.give(Ok(ours));
            self.tell_where();
        } else {
            answer.give(Err(481));
        }
    }
}
