//! A gateway: how many calls go through it.

use actix::{Actor, Context, Handler, MessageResult};
use plugboard_model::{CallId, LegId};
use plugboard_office::Gateway;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::message::{AdmitCall, CallAdmitted, CallLeftGateway, GatewayState, GetGatewayState, UseGateway};
use crate::post::post;

/// Two messages a call; a burst of 500 calls at once.
const GATEWAY_MAILBOX: usize = 1_024;

/// Counts the calls of one gateway and refuses those over its limit.
pub(crate) struct GatewayActor {
    gateway: Arc<Gateway>,
    calls: BTreeSet<(CallId, LegId)>,
}

impl GatewayActor {
    pub(crate) fn new(gateway: Arc<Gateway>) -> Self {
        Self { gateway, calls: BTreeSet::new() }
    }
}

impl Actor for GatewayActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(GATEWAY_MAILBOX);
    }
}

impl Handler<AdmitCall> for GatewayActor {
    type Result = ();

    fn handle(&mut self, ask: AdmitCall, _: &mut Self::Context) {
        let limit = usize::try_from(self.gateway.calls_max).unwrap_or(usize::MAX);
        let admitted = self.calls.len() < limit && self.calls.insert((ask.call, ask.leg));
        post(&ask.reply, CallAdmitted { leg: ask.leg, admitted });
    }
}

impl Handler<CallLeftGateway> for GatewayActor {
    type Result = ();

    fn handle(&mut self, left: CallLeftGateway, _: &mut Self::Context) {
        self.calls.remove(&(left.call, left.leg));
    }
}

impl Handler<GetGatewayState> for GatewayActor {
    type Result = MessageResult<GetGatewayState>;

    fn handle(&mut self, _: GetGatewayState, _: &mut Self::Context) -> Self::Result {
        MessageResult(GatewayState {
            id: self.gateway.id.clone(),
            calls: self.calls.len(),
            calls_max: self.gateway.calls_max,
        })
    }
}

impl Handler<UseGateway> for GatewayActor {
    type Result = ();

    fn handle(&mut self, change: UseGateway, _: &mut Self::Context) {
        self.gateway = change.0;
    }
}
