//! A gateway: where it is, whether it answers, whether we are registered there, and which calls may go to it.

mod spec;

pub(crate) use spec::reachable;

use actix::{Actor, Addr, AsyncContext, Context, Handler, MessageResult, Recipient};
use plugboard_call::Urgency;
use plugboard_metrics::{Condition, EmergencyTookChannel, GatewayDown, GatewayUp, Readiness, TrunkSeries};
use plugboard_model::{Cause, Time};
use plugboard_office::Gateway;
use plugboard_sip::locate::Target;
use plugboard_sip::transaction::{ClientTx, Input as LayerInput, Output as FromTransaction};
use plugboard_sip::trunk::{Input, Output, Placement, Status, Trunk};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::actor::sip::SipActor;
use crate::channels::{Channel, Channels, Side};
use crate::env::Env;
use crate::message::{
    AdmitCall, CallAdmitted, Forget, FromLayer, GatewayState, GetGatewayState, Hire, LeaveGateway, NameAnswered,
    TargetFailed, ToLayer, UseGateway,
};
use crate::peers::Peers;
use crate::post::{post, press};
use crate::wake::Wake;

/// One message a call; a burst of 500 calls at once.
const GATEWAY_MAILBOX: usize = 1_024;
/// Calls that wait until a name is found; a call that finds no place here goes to the next gateway.
const WAITING_MAX: usize = 256;

/// The way to the shard that carries what the gateway's own requests want.
struct Links {
    layer: Recipient<ToLayer>,
    hire: Recipient<Hire>,
    forget: Recipient<Forget>,
}

/// Runs one [`Trunk`], and gives its channels.
pub(crate) struct GatewayActor {
    env: Env,
    gateway: Arc<Gateway>,
    realm: String,
    channels: Arc<Channels>,
    readiness: Readiness,
    peers: Peers,
    links: Option<Links>,
    series: TrunkSeries,
    /// The one in force, if the gateway is in its office.
    current: Option<u64>,
    /// That one, and former ones that still take back their registration; by their owner.
    trunks: BTreeMap<u64, Trunk>,
    waiting: VecDeque<(AdmitCall, Time)>,
    wake: Wake,
}

impl GatewayActor {
    pub(crate) fn new(
        env: Env,
        (gateway, realm): (Arc<Gateway>, String),
        channels: Arc<Channels>,
        (readiness, peers): (Readiness, Peers),
        sip: Option<&Addr<SipActor>>,
    ) -> Self {
        let links = sip.map(|sip| Links {
            layer: sip.clone().recipient(),
            hire: sip.clone().recipient(),
            forget: sip.clone().recipient(),
        });
        let series = env.metrics.trunk(&gateway.id.to_string());
        let (trunks, waiting, wake) = <_>::default();
        let current = None;
        Self { env, gateway, realm, channels, readiness, peers, links, series, current, trunks, waiting, wake }
    }

    /// Begins anew with what the office says now.
    fn begin(&mut self, ctx: &mut Context<Self>) {
        let owner = spec::owner(&*self.env.random);
        let spec = spec::trunk(&self.gateway, &self.realm, owner, &self.env);
        if let Some(links) = &self.links {
            post(&links.hire, Hire { owner, events: ctx.address().recipient() });
        }
        let line = spec.registration.as_ref().map(|registration| registration.line.as_str());
        self.peers.registers(&self.gateway.id, line);
        let trunk = Trunk::new(self.env.clock.now(), spec);
        self.trunks.insert(owner, trunk);
        self.current = Some(owner);
        self.moved();
        self.pump(ctx);
    }

    /// Ends what is in force; what it registered is taken back.
    fn end(&mut self, ctx: &mut Context<Self>) {
        let Some(owner) = self.current.take() else { return };
        self.peers.registers(&self.gateway.id, None);
        self.peers.moved(&self.gateway.id, []);
        self.readiness.clear(&Condition::GatewayDown(self.gateway.id.to_string()));
        self.series.remove();
        self.feed(owner, Input::Leave, ctx);
    }

    fn feed(&mut self, owner: u64, input: Input<'_>, ctx: &mut Context<Self>) {
        if let Some(trunk) = self.trunks.get_mut(&owner) {
            trunk.handle(self.env.clock.now(), input);
        }
        self.pump(ctx);
    }

    fn pump(&mut self, ctx: &mut Context<Self>) {
        let owners: Vec<u64> = self.trunks.keys().copied().collect();
        for owner in owners {
            while let Some(output) = self.trunks.get_mut(&owner).and_then(Trunk::poll_output) {
                match output {
                    Output::Ask(question) => self.ask(owner, question, ctx),
                    Output::Send(tx, target) => self.send(tx, target),
                    Output::Changed if self.current == Some(owner) => self.show(),
                    Output::Moved if self.current == Some(owner) => self.moved(),
                    Output::Changed | Output::Moved => {}
                    Output::Left => self.left(owner),
                }
            }
        }
        self.answer_waiting();
        let now = self.env.clock.now();
        let due = self.trunks.values().filter_map(Trunk::poll_timeout);
        let at = due.chain(self.waiting.front().map(|(_, until)| *until)).min();
        self.wake.set(ctx, now, at, |gateway, ctx| {
            gateway.wake.rang();
            let now = gateway.env.clock.now();
            gateway.trunks.values_mut().for_each(|trunk| trunk.handle(now, Input::Tick));
            gateway.pump(ctx);
        });
    }

    fn ask(&self, owner: u64, question: plugboard_sip::locate::Question, ctx: &Context<Self>) {
        let to = ctx.address().recipient();
        let asked = question.clone();
        let reply = move |answer| press(&to, NameAnswered { owner, question: asked, answer });
        self.env.dns.ask(question, Box::new(reply));
    }

    fn send(&mut self, tx: ClientTx, target: Target) {
        let Some(trunk) = self.trunks.get_mut(&tx.owner) else { return };
        let flow = crate::convert::gateway_flow(&*self.env.sip, &self.gateway, target);
        match (flow, &self.links) {
            (Some(flow), Some(links)) => {
                if let Some(request) = trunk.request(tx, flow) {
                    post(&links.layer, ToLayer(LayerInput::SendRequest { tx, request, flow }));
                }
            }
            (None, _) | (_, None) => {
                trunk.handle(self.env.clock.now(), Input::Failed(tx, "no listener of ours reaches it"));
            }
        }
    }

    fn left(&mut self, owner: u64) {
        self.trunks.remove(&owner);
        if let Some(links) = &self.links {
            post(&links.forget, Forget { owner });
        }
    }

    fn trunk(&self) -> Option<&Trunk> {
        self.trunks.get(&self.current?)
    }

    /// Shows everybody how it is now.
    fn show(&self) {
        let Some(trunk) = self.trunk() else { return };
        let (name, now) = (self.gateway.id.to_string(), self.env.clock.now());
        match trunk.status() {
            Status::Up => {
                GatewayUp { gateway: &self.gateway.id, series: &self.series }.emit();
                self.readiness.clear(&Condition::GatewayDown(name));
            }
            Status::Down(reason) => {
                GatewayDown { gateway: &self.gateway.id, reason, series: &self.series }.emit();
                self.readiness.set(Condition::GatewayDown(name), reason);
            }
            Status::Starting(_) => {}
        }
        if let Some(registered) = trunk.is_registered(now) {
            self.series.registered(registered);
        }
    }

    /// Where its name leads now.
    fn moved(&self) {
        if let Some(trunk) = self.trunk().filter(|_| self.gateway.is_believed_by_name()) {
            self.peers.moved(&self.gateway.id, trunk.targets().iter().map(|target| target.address.ip()));
        }
    }

    fn answer_waiting(&mut self) {
        let now = self.env.clock.now();
        let is_looked_for = self.trunk().is_some_and(|trunk| matches!(trunk.status(), Status::Starting(_)));
        while self.waiting.front().is_some_and(|(_, until)| !is_looked_for || *until <= now) {
            if let Some((ask, _)) = self.waiting.pop_front() {
                self.admit(ask);
            }
        }
    }

    fn admit(&mut self, ask: AdmitCall) {
        let admitted = self.placed(&ask);
        post(&ask.reply, CallAdmitted { leg: ask.leg, admitted });
    }

    fn placed(&mut self, ask: &AdmitCall) -> Result<(Placement, Channel), Cause> {
        let refused = |text: String| Cause { status: 503, text };
        let name = &self.gateway.id.name;
        let trunk = self.current.and_then(|owner| self.trunks.get_mut(&owner));
        let trunk = trunk.ok_or_else(|| refused(format!("The gateway {name} was taken out")))?;
        let down = |reason| refused(format!("The gateway {name} is down: {reason}"));
        let now = self.env.clock.now();
        let placement = match ask.urgency {
            Urgency::Usual | Urgency::Test | Urgency::Help => trunk.place(now, &ask.tried),
            Urgency::LastResort => trunk.place_regardless(now),
        };
        let placement = placement.map_err(down)?;
        let channel = match ask.urgency {
            Urgency::Usual | Urgency::Test => {
                let channel = self.channels.enter(Side::Out, self.gateway.limits);
                channel.ok_or_else(|| refused("All channels of the gateway are in use".into()))?
            }
            Urgency::Help | Urgency::LastResort => {
                let (channel, took) = self.channels.enter_for_help(self.gateway.limits);
                if took {
                    EmergencyTookChannel { gateway: &self.gateway.id }.emit(&self.env.metrics);
                }
                channel
            }
        };
        if ask.urgency == Urgency::Usual {
            channel.is_of(ask.end.clone());
        }
        Ok((placement, channel))
    }
}

impl Actor for GatewayActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(GATEWAY_MAILBOX);
        self.begin(ctx);
    }
}

impl Drop for GatewayActor {
    fn drop(&mut self) {
        self.peers.registers(&self.gateway.id, None);
        self.peers.moved(&self.gateway.id, []);
    }
}

impl Handler<AdmitCall> for GatewayActor {
    type Result = ();

    fn handle(&mut self, ask: AdmitCall, ctx: &mut Self::Context) {
        let starts = self.trunk().is_some_and(|trunk| matches!(trunk.status(), Status::Starting(_)));
        if starts && self.waiting.len() < WAITING_MAX {
            self.waiting.push_back((ask, self.env.clock.now() + self.gateway.answer_within));
            self.pump(ctx);
        } else {
            self.admit(ask);
        }
    }
}

impl Handler<TargetFailed> for GatewayActor {
    type Result = ();

    fn handle(&mut self, failed: TargetFailed, ctx: &mut Self::Context) {
        if let Some(owner) = self.current {
            self.feed(owner, Input::CallFailed(failed.0), ctx);
        }
    }
}

impl Handler<NameAnswered> for GatewayActor {
    type Result = ();

    fn handle(&mut self, answered: NameAnswered, ctx: &mut Self::Context) {
        self.feed(answered.owner, Input::Answered(answered.question, answered.answer), ctx);
    }
}

impl Handler<FromLayer> for GatewayActor {
    type Result = ();

    fn handle(&mut self, from: FromLayer, ctx: &mut Self::Context) {
        match from.0 {
            FromTransaction::Response { tx, response, .. } | FromTransaction::Stray { tx, response, .. } => {
                self.feed(tx.owner, Input::Response(tx, &response), ctx);
            }
            FromTransaction::Timeout { tx } => self.feed(tx.owner, Input::Failed(tx, "it does not answer"), ctx),
            FromTransaction::TransportError { tx } => {
                self.feed(tx.owner, Input::Failed(tx, "nothing can be sent there"), ctx);
            }
            FromTransaction::Full { tx } => self.feed(tx.owner, Input::Failed(tx, "too much is under way"), ctx),
            FromTransaction::Transmit { .. }
            | FromTransaction::Misfit { .. }
            | FromTransaction::Request { .. }
            | FromTransaction::Cancelled { .. }
            | FromTransaction::Ack { .. }
            | FromTransaction::Lost { .. } => {
                unreachable!("only answers to its own requests are given to a gateway")
            }
        }
    }
}

impl Handler<LeaveGateway> for GatewayActor {
    type Result = ();

    fn handle(&mut self, _: LeaveGateway, ctx: &mut Self::Context) {
        self.end(ctx);
    }
}

impl Handler<UseGateway> for GatewayActor {
    type Result = ();

    fn handle(&mut self, change: UseGateway, ctx: &mut Self::Context) {
        let UseGateway(gateway, realm) = change;
        if self.current.is_some() && *gateway == *self.gateway && realm == self.realm {
            return;
        }
        self.end(ctx);
        (self.gateway, self.realm) = (gateway, realm);
        self.begin(ctx);
    }
}

impl Handler<GetGatewayState> for GatewayActor {
    type Result = MessageResult<GetGatewayState>;

    fn handle(&mut self, _: GetGatewayState, _: &mut Self::Context) -> Self::Result {
        let (inbound, outbound) = self.channels.used();
        let places = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let trunk = self.trunk();
        let down = match trunk.map(Trunk::status) {
            Some(Status::Up) => None,
            Some(Status::Down(reason) | Status::Starting(reason)) => Some(reason.clone()),
            None => Some("it is taken out".to_owned()),
        };
        MessageResult(GatewayState {
            id: self.gateway.id.clone(),
            calls: places(inbound + outbound),
            calls_max: self.gateway.limits.both,
            calls_in: places(inbound),
            down,
            registered: trunk.and_then(|trunk| trunk.is_registered(self.env.clock.now())),
            targets: trunk.map(Trunk::targets).unwrap_or_default().iter().map(ToString::to_string).collect(),
            left: self.trunks.is_empty(),
        })
    }
}
