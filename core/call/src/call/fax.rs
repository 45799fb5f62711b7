//! The caller is a fax machine, and hears one.

use plugboard_model::{CallError, FaxError, FaxReceived, FaxRequest, HostResult, Time};
use std::time::Duration;

use super::Call;
use crate::ear::Ear;
use crate::input::Op;
use crate::output::Output;

impl Call {
    /// A machine goes before whatever the caller is played: to him it is noise.
    pub(super) fn receive_fax(&mut self, now: Time, op: Op, request: FaxRequest) {
        let before = if self.ring.is_none() { self.interrupted() } else { None };
        if before.is_some() {
            self.free_ear();
        }
        if let Err(fault) = self.take_ear(now) {
            return self.result(op, HostResult::Faxed(Err(fault.into())));
        }
        let until = Some(now + Duration::from_millis(u64::from(request.max_ms)));
        self.ear = Ear::Faxing { op, until, before: before.map(Box::new) };
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
    pub(super) fn faxed(&mut self, done: Result<FaxReceived, FaxError>) {
        if !matches!(self.ear, Ear::Faxing { .. }) {
            return;
        }
        if let Ear::Faxing { op, before, .. } = std::mem::replace(&mut self.ear, Ear::Idle) {
            self.result(op, HostResult::Faxed(done));
            if let Some((op, result)) = before.map(|before| *before) {
                self.result(op, result);
            }
        }
    }

    /// Whoever waits for a fax to be over is told that the caller is gone.
    pub(super) fn fax_waiter_gone(&mut self) {
        if let Ear::Faxing { before, .. } = &mut self.ear
            && let Some((op, result)) = before.take().map(|before| *before)
        {
            self.result(op, result);
        }
    }

    /// Whoever waits for a fax to be over wants nothing more.
    pub(super) fn cancel_fax_waiter(&mut self, op: Op) {
        if let Ear::Faxing { before, .. } = &mut self.ear {
            before.take_if(|before| before.0 == op);
        }
    }
}
