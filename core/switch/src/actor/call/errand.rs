//! What a call of the switch's own is for: carried out once somebody has answered, and reported once.

use actix::{AsyncContext as _, Context};
use plugboard_call::queue::Outcome;
use plugboard_call::{Input, Op, Request, RingOrder};
use plugboard_media::{Fax, FaxEnd, FaxOrder, FaxReport};
use plugboard_metrics::QueueCalledBack;
use plugboard_model::{
    Cause, FaxOutcome, FaxReceived, FaxTry, FaxTryEnd, HostResult, JournalEvent, LegId, NotConnected, RingBack,
};
use plugboard_office::ImageRule;
use std::time::Duration;

use super::fax::Running;
use super::{CallActor, Obstacle};
use crate::message::{Errand, end_of};

/// How long a fax may take: a hundred full pages at the slowest rate that machines fall back to take longer than anybody pays for.
const SENDING_MAX: Duration = Duration::from_hours(2);

/// How long somebody is rung who is called back, while whoever was free listens.
const BACK_RINGS: Duration = Duration::from_secs(45);

impl CallActor {
    /// The machine has answered for the errand: somebody is there, or nobody; the fax is over.
    pub(super) fn errand_answered(&mut self, result: &HostResult, ctx: &mut Context<Self>) {
        if let Some(Errand::CallBack(back)) = &mut self.errand {
            // When nobody was reached the machine ends the call, and the errand tells it by its end.
            if matches!(result, HostResult::Rang(Ok(_))) && !back.parties.is_empty() {
                return back.called(ctx.address().recipient());
            }
            let rang = matches!(result, HostResult::Rang(Err(NotConnected::Timeout)))
                || self.devices.get(&back.user).is_some_and(|devices| !devices.is_empty());
            return back.missed(if rang { Outcome::Missed } else { Outcome::Refused });
        }
        if let HostResult::Rang(Ok(_)) = result {
            let request = Request::SendFax { max: SENDING_MAX };
            return self.feed(Input::Request { op: Op::Errand, request }, ctx);
        }
        if let HostResult::Rang(Err(why)) = result {
            return self.errand_over(self.not_reached(why));
        }
        if let HostResult::Faxed(done) = result {
            // Where no machine began there is no report of it.
            if let Err(error) = done {
                self.errand_over(FaxTryEnd::Failed(format!("{error:?}")));
            }
            let request = Request::HangUp(Cause::normal());
            self.feed(Input::Request { op: Op::Errand, request }, ctx);
        }
    }

    /// Whoever was free is there: now, or not at all, he is rung who is to be called back.
    pub(super) fn call_him(&mut self, may: bool, ctx: &mut Context<Self>) {
        let Some(Errand::CallBack(back)) = &mut self.errand else { return };
        let parties = std::mem::take(&mut back.parties);
        back.goes_on();
        let request = if may && !parties.is_empty() {
            QueueCalledBack::Rung.emit(back.call(), &self.env.metrics);
            Request::Ring { parties, order: RingOrder::AtOnce, ring_for: BACK_RINGS, ring_back: RingBack::Tone }
        } else {
            Request::HangUp(Cause::normal())
        };
        self.feed(Input::Request { op: Op::Direct, request }, ctx);
    }

    /// A limit of ours, and a gateway that is silent, say more than the status that came of it.
    fn not_reached(&self, why: &NotConnected) -> FaxTryEnd {
        match (why, &self.obstacle) {
            (NotConnected::NoAnswer(cause), Some(Obstacle::Unheard)) if cause.status == 408 => {
                FaxTryEnd::NotReached("the gateway does not answer".into())
            }
            (NotConnected::NoAnswer(cause), Some(Obstacle::Limit(refusal, limit))) if cause == refusal => {
                let text = refusal.text.clone();
                if limit.passes() { FaxTryEnd::Limited(text) } else { FaxTryEnd::Refused(text) }
            }
            (
                NotConnected::Timeout
                | NotConnected::NoAnswer(_)
                | NotConnected::CallerGone
                | NotConnected::Denied(_)
                | NotConnected::Invalid(_)
                | NotConnected::Talking,
                _,
            ) => end_of(why),
        }
    }

    /// Lets a machine of ours speak to whoever answered.
    pub(super) fn send_fax(&mut self, leg: LegId, ctx: &mut Context<Self>) {
        let Some(Errand::Fax(fax)) = &self.errand else {
            return self.feed(Input::Faxed(Err(plugboard_model::FaxError::Talking)), ctx);
        };
        let order = FaxOrder {
            ident: fax.ident.clone(),
            sends: Some(fax.document.clone()),
            pages_max: fax.pages,
            bytes_max: usize::MAX,
        };
        self.begin_fax(leg, Fax::new(order), true, ctx);
        let gateway = self.legs.get(&leg).and_then(|handle| handle.outside.as_ref()).map(|outside| &outside.gateway);
        let gateway = gateway.and_then(|gateway| self.office.gateway(gateway));
        if gateway.is_some_and(|gateway| gateway.t38 == ImageRule::Offered) {
            self.offer_image(leg);
        }
    }

    /// Our machine has done what it could.
    pub(super) fn fax_sent(&mut self, running: &Running, ctx: &mut Context<Self>) {
        let FaxReport { end, pages, sent, far_ident, corrected, t38, .. } = running.fax.finish();
        let text = format!("fax {} ends: {pages} pages were confirmed", running.n);
        self.journal.note(self.now(), JournalEvent::Note { text });
        let received = FaxReceived {
            end: match &end {
                FaxEnd::Done => FaxOutcome::Done,
                FaxEnd::NoFax => FaxOutcome::NoFax,
                FaxEnd::Failed(reason) => FaxOutcome::Failed(reason.clone()),
            },
            pages,
            sender: far_ident.clone(),
            document: None,
        };
        if let Some(Errand::Fax(fax)) = self.errand.take() {
            let all = fax.document.first_page.saturating_add(pages) >= fax.pages;
            let end = match end {
                FaxEnd::NoFax => FaxTryEnd::NoFax,
                // What went wrong after the last confirmation is nobody's loss.
                FaxEnd::Done | FaxEnd::Failed(_) if all => FaxTryEnd::Sent,
                FaxEnd::Done => FaxTryEnd::Failed("the far end confirmed less than there is".into()),
                FaxEnd::Failed(reason) => FaxTryEnd::Failed(reason),
            };
            let (began, ended) = (fax.report.began(), self.env.clock.wall());
            fax.report.give(FaxTry {
                call: Some(self.id.clone()),
                began,
                ended,
                end,
                pages: sent,
                far_ident,
                corrected,
                t38,
            });
        }
        self.feed(Input::Faxed(Ok(received)), ctx);
    }

    /// It is over before a machine of ours could speak.
    pub(super) fn errand_over(&mut self, end: FaxTryEnd) {
        if let Some(Errand::Fax(fax)) = self.errand.take() {
            let tried = FaxTry::without_call(fax.report.began(), self.env.clock.wall(), end);
            fax.report.give(FaxTry { call: Some(self.id.clone()), ..tried });
        }
    }
}
