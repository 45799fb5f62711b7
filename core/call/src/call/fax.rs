//! The caller is a fax machine, and hears one.

use plugboard_model::{CallError, Cause, FaxError, FaxReceived, FaxRequest, HostResult, NotConnected, Time};
use std::time::Duration;

use super::Call;
use crate::ear::{Before, Ear};
use crate::input::Op;
use crate::output::{CancelWhy, Output};

impl Call {
    /// A machine goes before whatever the caller is played: to him it is noise.
    pub(super) fn receive_fax(&mut self, now: Time, op: Op, request: FaxRequest) {
        let before = self.put_off();
        if let Err(fault) = self.take_ear(now) {
            return self.result(op, HostResult::Faxed(Err(fault.into())));
        }
        let until = Some(now + Duration::from_millis(u64::from(request.max_ms)));
        self.ear = Ear::Faxing { op, until, before };
        self.out(Output::Fax { leg: self.anchor, request });
    }

    /// Our machine speaks to whom the call is about.
    pub(super) fn send_fax(&mut self, now: Time, op: Op, max: Duration) {
        if let Err(fault) = self.take_ear(now) {
            return self.result(op, HostResult::Faxed(Err(fault.into())));
        }
        self.ear = Ear::Faxing { op, until: Some(now + max), before: None };
        self.out(Output::SendFax { leg: self.anchor });
    }

    /// Ends what the caller hears, as far as it gives way to a fax machine. People do once the caller is known to be one: they hear it
    /// whistle, or are to be spared that.
    fn put_off(&mut self) -> Option<Before> {
        let rings = self.ring.as_ref().map(|ring| ring.op);
        match (&self.ear, rings) {
            (Ear::Talking { peer }, None) if self.is_fax && self.transferring.is_none() => {
                let peer = *peer;
                self.free_ear();
                self.end_leg(peer, &Cause::normal());
                Some(Before::Talk)
            }
            (Ear::Idle, Some(op @ Op::Run { .. })) if self.is_fax && self.anchor_is_up() => {
                self.stop_ringing(CancelWhy::CompletedElsewhere, None);
                let why = NotConnected::Invalid("the caller sent a fax meanwhile".into());
                Some(Before::Asker(Box::new((op, HostResult::Rang(Err(why))))))
            }
            (_, Some(_)) => None,
            (_, None) => {
                let before = self.interrupted()?;
                self.free_ear();
                Some(Before::Asker(Box::new(before)))
            }
        }
    }

    /// Who has the ear and must wait until the fax is over, and what he is told then.
    fn interrupted(&self) -> Option<(Op, HostResult)> {
        let why = || CallError::NoMedia("the caller sent a fax meanwhile".into());
        match &self.ear {
            Ear::Playing { op, .. } => Some((*op, HostResult::Played(Err(why())))),
            Ear::Collecting(collecting) => Some((collecting.op, HostResult::Collected(Err(why())))),
            Ear::Echoing { op, .. } => Some((*op, HostResult::Done(Err(why())))),
            Ear::Idle
            | Ear::Conferring { .. }
            | Ear::Dictating { .. }
            | Ear::Faxing { .. }
            | Ear::Told { .. }
            | Ear::Talking { .. } => None,
        }
    }

    /// Its time is over: what came so far is its end.
    pub(super) fn fax_time_over(&mut self) {
        if let Ear::Faxing { until, .. } = &mut self.ear {
            *until = None;
            self.out(Output::EndFax { leg: self.anchor });
        }
    }

    /// The machine has done what it could, and whatever came is kept.
    pub(super) fn faxed(&mut self, now: Time, done: Result<FaxReceived, FaxError>) {
        if !matches!(self.ear, Ear::Faxing { .. }) {
            return;
        }
        if let Ear::Faxing { op, before, .. } = std::mem::replace(&mut self.ear, Ear::Idle) {
            self.result(op, HostResult::Faxed(done));
            match before {
                Some(Before::Asker(asker)) => self.result(asker.0, asker.1),
                Some(Before::Talk) => {
                    self.out(Output::Unbridged);
                    self.end_if_nothing_goes_on(now);
                }
                None => {}
            }
        }
    }

    /// Whoever waits for a fax to be over is told that there was one.
    pub(super) fn fax_waiter_gone(&mut self) {
        if let Ear::Faxing { before, .. } = &mut self.ear
            && let Some(Before::Asker(asker)) = before.take()
        {
            self.result(asker.0, asker.1);
        }
    }

    /// Nobody wants the fax any more: what waits for it goes on as after one.
    pub(super) fn fax_given_up(&mut self) {
        self.fax_waiter_gone();
        if let Ear::Faxing { before, .. } = &mut self.ear
            && let Some(Before::Talk) = before.take()
        {
            self.out(Output::Unbridged);
        }
    }

    /// Whoever waits for a fax to be over wants nothing more.
    pub(super) fn cancel_fax_waiter(&mut self, op: Op) {
        if let Ear::Faxing { before, .. } = &mut self.ear {
            before.take_if(|before| matches!(before, Before::Asker(asker) if asker.0 == op));
        }
    }
}
