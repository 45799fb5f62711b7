//! Devices that are woken for a call (RFC 8599): asked to register by a push notification, and rung when they have.

use actix::{AsyncContext, Context, Recipient};
use plugboard_call::{OfferedDevices, OwnForwards};
use plugboard_model::CallId;
use plugboard_sip::registrar::{Binding, Push};
use std::sync::Arc;
use std::time::Duration;

use super::{UserActor, device};
use crate::message::{Device, PushGone, UserOffered};
use crate::post::post;

/// How long a call waits for devices to wake up: a push takes one to three seconds and an app as long to start; who has
/// not come by then will hardly come before the caller gives up.
const WAKE_WITHIN: Duration = Duration::from_secs(10);
/// Devices that calls wait for: those of a user (10) for each of the calls that may ring him at once (64).
const SLEEPERS_MAX: usize = 640;

/// The calls that wait for devices to wake up.
#[derive(Default)]
pub(super) struct Waking {
    sleepers: Vec<Sleeper>,
}

/// A call waits for a device.
struct Sleeper {
    call: CallId,
    binding: Binding,
    reply: Recipient<UserOffered>,
}

impl Waking {
    /// The call wants none of them any more.
    pub(super) fn forget(&mut self, call: &CallId) {
        self.sleepers.retain(|sleeper| sleeper.call != *call);
    }

    fn waits(&self, call: &CallId) -> bool {
        self.sleepers.iter().any(|sleeper| sleeper.call == *call)
    }
}

impl UserActor {
    /// Wakes devices for a call, each once however many calls wait for it.
    pub(super) fn wake_devices(
        &mut self,
        call: &CallId,
        asleep: Vec<Binding>,
        reply: &Recipient<UserOffered>,
        ctx: &mut Context<Self>,
    ) {
        if asleep.is_empty() {
            return;
        }
        for binding in asleep {
            let known = self.waking.sleepers.iter().any(|sleeper| sleeper.binding.is_same_device(&binding));
            if let Some(push) = binding.push.as_deref().filter(|_| !known) {
                let (service, gone) = (Arc::clone(&self.env.push), ctx.address().recipient());
                let told = PushGone(push.clone());
                // When its mailbox is full, the next call to him tells it again.
                service.wake(push, Box::new(move || drop(gone.try_send(told))));
            }
            if self.waking.sleepers.len() < SLEEPERS_MAX {
                self.waking.sleepers.push(Sleeper { call: call.clone(), binding, reply: reply.clone() });
            }
        }
        let (call, reply) = (call.clone(), reply.clone());
        ctx.run_later(WAKE_WITHIN, move |user, _| {
            if user.waking.waits(&call) {
                user.waking.forget(&call);
                user.offers(&reply, Vec::new(), false);
            }
        });
    }

    /// A device registered: the calls that wait for it ring it.
    pub(super) fn woke_up(&mut self, binding: &Binding) {
        let its = |sleeper: &mut Sleeper| sleeper.binding.is_same_device(binding);
        let woken: Vec<Sleeper> = self.waking.sleepers.extract_if(.., its).collect();
        for sleeper in woken {
            let more = self.waking.waits(&sleeper.call);
            self.offers(&sleeper.reply, vec![device(binding)], more);
        }
    }

    /// A push service knows a device no more: calls do not wait for it.
    pub(super) fn push_gone(&mut self, push: &Push, ctx: &mut Context<Self>) {
        if self.bindings.push_gone(push) {
            self.bindings_changed(ctx);
        }
        let its = |sleeper: &mut Sleeper| sleeper.binding.push.as_deref() == Some(push);
        let lost: Vec<Sleeper> = self.waking.sleepers.extract_if(.., its).collect();
        for sleeper in lost {
            let more = self.waking.waits(&sleeper.call);
            // One that never had a connection may listen all the same.
            let devices = if sleeper.binding.is_cut_off() { Vec::new() } else { vec![device(&sleeper.binding)] };
            self.offers(&sleeper.reply, devices, more);
        }
    }

    fn offers(&self, reply: &Recipient<UserOffered>, devices: Vec<Device>, waking: bool) {
        let words = devices.iter().map(|device| device.contact.clone()).collect();
        // The first answer has said how long he rings and where the call goes then.
        let (ring_for, forwards) = (None, OwnForwards::default());
        let offer = Ok((OfferedDevices { devices: words, ring_for, waking, forwards }, devices));
        post(reply, UserOffered { user: self.user.id.clone(), offer, forward: None });
    }
}
