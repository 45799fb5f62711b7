//! The calls of one shard: makes them, and gives each media and plugin event to the call that it is of.

mod originate;

pub(crate) use originate::may_be_called;

use actix::{Actor, Addr, AsyncContext, Context, Handler, MessageResult, Recipient};
use plugboard_call::{Begin, Origin, Party, Request as CallRequest, RingOrder};
use plugboard_media::{Event as MediaEvent, MediaLeg, Need};
use plugboard_metrics::{CallPutOff, CallRefused, RefusalReason};
use plugboard_model::{CallId, Cause, Dialled, Direction, LegId, RingBack, RouteId, ScenarioId, UserId};
use plugboard_office::{Feature, Internal, MediaRules, Office, Source, Treatment};
use plugboard_scenario::Interpreter;
use plugboard_sip::dialog::NextHop;
use plugboard_sip::session::Session;
use plugboard_sip::transaction::{Input as LayerInput, ServerTx};
use plugboard_sip::{Replaces, Request, Response};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::actor::call::{Adoption, CallActor, CallLinks, DIRECT_RING, NewCall, Takes};
use crate::actor::leg::{EarlySound, LegActor, LegLinks, NewLeg, Theirs};
use crate::actor::refused::{EMERGENCY, Limits, Trail, direction, keep_routed};
use crate::actor::sip::SipActor;
use crate::awaited::{Awaited, Phone};
use crate::channels::{Channel, Side};
use crate::diversion::Brought;
use crate::env::{CallRoom, Env};
use crate::hand_on::{GetCall, Ordered};
use crate::identity::{self, Caller, called};
use crate::message::{
    CallOver, Device, EndCall, ForgetTrace, GetCalls, GetHoldings, HangUpAll, HangUpCall, Holdings, LegEvent, LegMedia,
    LiveCall, MediaHappened, RunHappened, TakeCall, ToLayer, UnwatchMedia, UseSnapshot, WatchMedia,
};
use crate::post::post;
use crate::shard::{Owners, count_open_error};
use crate::snapshot::Snapshot;

/// Digits, ends of prompts and runs of every call of the shard: 16,384 is a second of 2,000 calls that all do something.
const CALLS_MAILBOX: usize = 16_384;
/// RFC 3261 section 8.1.1.6, when the caller does not say.
const MAX_FORWARDS: u8 = 70;

/// The way to a call.
struct CallHandle {
    media: Recipient<LegMedia>,
    runs: Recipient<RunHappened>,
    end: Recipient<EndCall>,
    ordered: Recipient<Ordered>,
    live: LiveCall,
}

/// Keeps the calls of one shard.
pub(crate) struct CallsActor {
    env: Env,
    shard: usize,
    snapshot: Arc<Snapshot>,
    owners: Owners,
    sip: Option<actix::WeakAddr<SipActor>>,
    calls: BTreeMap<CallId, CallHandle>,
    media: HashMap<MediaLeg, (CallId, LegId)>,
    limits: Limits,
    awaited: Awaited,
}

/// What a request for a new call comes to when it is not one.
struct Refusal {
    reason: RefusalReason,
    /// What the caller is told, and why, for his admin.
    cause: Cause,
}

impl Refusal {
    fn new(reason: RefusalReason, status: u16, why: impl Into<String>) -> Self {
        Self { reason, cause: Cause { status, text: why.into() } }
    }
}

impl CallsActor {
    pub(crate) fn new(env: Env, shard: usize, snapshot: Arc<Snapshot>, awaited: Awaited) -> Self {
        Self {
            env,
            shard,
            snapshot,
            owners: Owners::new(shard),
            sip: None,
            calls: BTreeMap::new(),
            media: HashMap::new(),
            limits: Limits::default(),
            awaited,
        }
    }

    fn take(&mut self, take: TakeCall, ctx: &mut Context<Self>) {
        let (tx, call, source) = (take.tx, take.id.clone(), take.flow.remote);
        let request = take.request.clone();
        let (office, from) = (Arc::clone(&take.office), take.source.clone());
        if let Err(Refusal { reason, cause }) = self.try_take(take, ctx) {
            let put_off = CallPutOff { reason, status: cause.status, source };
            match self.limits.trail(reason, &from, self.env.clock.now()) {
                Trail::Record => {
                    CallRefused { call: &call, reason, cause: &cause, source }.emit(&self.env.metrics);
                    keep_routed(&self.env, call.clone(), &office, &from, &request, &cause);
                }
                Trail::Line => put_off.emit(&self.env.metrics),
                Trail::Count => put_off.count(&self.env.metrics),
            }
            // What the office's rules say is for its admin; who could not be understood is told why.
            let told = if reason == RefusalReason::NoRoute { Cause::of(cause.status) } else { cause };
            self.refuse(call, tx, &request, &told);
        }
    }

    fn refuse(&self, call: CallId, tx: ServerTx, request: &Request, cause: &Cause) {
        let tag = format!("0-{:016x}", self.env.random.next());
        let mut response = Response::to_request_tagged(request, cause.status, &tag);
        response.headers.push("Server", crate::shard::AGENT);
        if let Some((name, value)) = crate::convert::warning(cause.status, &cause.text) {
            response.headers.push(&name, value);
        }
        if cause.status == 503 {
            response.headers.push("Retry-After", "5");
        }
        if let Some(sip) = self.sip() {
            post(&sip.clone().recipient(), ToLayer(LayerInput::Respond { tx, response }));
            let sip_call_id = request.headers.call_id().unwrap_or_default().to_owned();
            post(&sip.recipient(), ForgetTrace { sip_call_id, call });
        }
    }

    fn sip(&self) -> Option<actix::Addr<SipActor>> {
        self.sip.as_ref().and_then(actix::WeakAddr::upgrade)
    }

    fn try_take(&mut self, take: TakeCall, ctx: &mut Context<Self>) -> Result<(), Refusal> {
        let TakeCall { id, tx, request, flow, source, office, proven } = take;
        let not_allowed = |status, why: String| Refusal::new(RefusalReason::NotAllowed, status, why);
        let called = called(&office, &source, &request);
        let back_to = called.as_ref().map(|called| self.back_to(&office, &source, called)).unwrap_or_default();
        let helps = !back_to.is_empty() || called.as_ref().is_some_and(|called| is_help(&office, &source, called));
        if !self.has_room(helps) {
            return Err(Refusal::new(RefusalReason::CallLimit, 503, "as many calls go on as the switch takes"));
        }
        let max_forwards = match request.headers.max_forwards() {
            Ok(None) => MAX_FORWARDS,
            Ok(Some(0)) => {
                let why = "it went through too many servers, perhaps in a ring";
                return Err(Refusal::new(RefusalReason::NoRoute, 483, why));
            }
            Ok(Some(hops)) => hops.saturating_sub(1),
            Err(_) => return Err(not_allowed(400, "its Max-Forwards is no number".into())),
        };
        let no_number =
            || Refusal::new(RefusalReason::NoRoute, 404, "what was called is no number that can be dialled");
        let called = called.ok_or_else(no_number)?;
        let plan = match replaced(&request, &source)? {
            Some(replaces) => Plan {
                route: Some("replaces".into()),
                scenario: None,
                direct: None,
                feature: None,
                direction: direction(&source, false),
                takes: Some(Takes::Dialog(replaces)),
            },
            None if !back_to.is_empty() => call_back(&back_to),
            None => {
                let asked = identity::inquiry(&office, &source, &request, &called, self.env.clock.wall());
                self.plan(&office, &source, office.route(&asked))?
            }
        };
        let channel = match self.inbound_channel(&office, &source) {
            Err(_) if helps => None,
            channel => channel?,
        };
        let rules = media_rules(&office, &source);
        let terms = crate::media::terms(&self.env, rules, flow);
        let offer = match request.body.as_slice() {
            [] => None,
            body => {
                Some(Theirs::read(body, terms).map_err(|error| not_allowed(error.sip_status(), error.to_string()))?)
            }
        };
        let browser = match &offer {
            Some(theirs) => theirs.offer.is_of_browser(),
            // Ours will be the offer.
            None => crate::convert::is_browser(source.user().and_then(|user| office.user(user)), flow),
        };
        let need = if helps { Need::Help } else { Need::Usual };
        let media = self.env.open_media(self.shard % self.env.media.shards(), flow, browser, need);
        let (media, description) = media.map_err(|error| {
            count_open_error(&error, &id, LegId::CALLER, &self.env.metrics);
            Refusal::new(RefusalReason::NoPort, 503, "no RTP port is free")
        })?;
        let close = plugboard_media::Command::Close { leg: media.leg };
        let owner = self.owners.next();
        let local = self.owners.local(owner, flow, &*self.env.random);
        let Ok(session) = Session::incoming(tx, request.clone(), flow, NextHop::Source, local) else {
            if let Err(error) = self.env.media.hold(close) {
                tracing::warn!(%error, "a media leg could not be closed");
            }
            return Err(not_allowed(400, "its INVITE lacks what a call needs".into()));
        };
        let caller = Caller::of(&office, &source, &request);
        let (hides, brought) = (caller.hides, Brought::by(&office, &source, &request));
        let mut begin = self.begin(id, caller, &called, &plan, brought.times);
        begin.call_back = !back_to.is_empty();
        let description = if browser { description } else { crate::media::with_keys(&self.env, description, terms) };
        if let Some(Err(error)) = crate::media::keys(rules, media.leg).map(|keys| self.env.media.hold(keys)) {
            tracing::warn!(%error, "how keys travel could not be told to a media leg");
        }
        let sip_call_id = request.headers.call_id().unwrap_or_default().to_owned();
        let new_leg = NewLeg {
            leg: LegId::CALLER,
            owner,
            session,
            media,
            description,
            offer,
            early_sound: EarlySound::Described,
            bounds: None,
            need,
        };
        let places = (identity::reached_at(&request, flow), back_to);
        self.start(
            (begin, (hides, proven), brought),
            plan,
            office,
            (max_forwards, channel),
            places,
            new_leg,
            sip_call_id,
            ctx,
        );
        Ok(())
    }

    /// Whether one more call may be there; one for help also where no other may.
    fn has_room(&self, helps: bool) -> bool {
        let CallRoom { calls, help } = self.env.call_room;
        self.calls.len() < if helps { calls.saturating_add(help) } else { calls }
    }

    /// The phones that called for help and are called back by this call.
    fn back_to(&self, office: &Office, source: &Source, called: &Dialled) -> Vec<Phone> {
        let Source::Gateway(gateway) = source else { return Vec::new() };
        let e164 = office.gateway(gateway).and_then(|gateway| office.e164_of(gateway, called));
        let numbers: Vec<&Dialled> = std::iter::once(called).chain(&e164).collect();
        self.awaited.phones(&office.id, &numbers, self.env.clock.now())
    }

    /// What the treatment comes to: a scenario, or whom to ring directly.
    fn plan(&self, office: &Office, source: &Source, treatment: Treatment) -> Result<Plan, Refusal> {
        let direct = |parties, order, ring_for, route: &str| Plan {
            route: Some(route.to_owned()),
            scenario: None,
            direct: Some(CallRequest::Ring { parties, order, ring_for, ring_back: RingBack::Tone }),
            feature: None,
            direction: direction(source, false),
            takes: None,
        };
        match treatment {
            Treatment::Scenario { scenario, route } => {
                let interpreter = self
                    .snapshot
                    .configuration
                    .programs
                    .get(&scenario)
                    .map(|program| Interpreter::new(Arc::clone(program)));
                let Some(interpreter) = interpreter else {
                    let why = format!("the scenario {} is not in force: it lacks an action", scenario.name);
                    return Err(Refusal::new(RefusalReason::NoRoute, 500, why));
                };
                Ok(Plan {
                    route: Some(route.name.to_string()),
                    scenario: Some((scenario, interpreter, route)),
                    direct: None,
                    feature: None,
                    direction: direction(source, false),
                    takes: None,
                })
            }
            Treatment::DirectUser(user) => {
                let ring_for = office.user(&user).map_or(DIRECT_RING, |user| user.ring_for);
                Ok(direct(vec![Party::User(user)], RingOrder::One, ring_for, "user"))
            }
            Treatment::DirectGroup(group) => {
                let no_group = || Refusal::new(RefusalReason::NoRoute, 404, "the group is gone");
                let group = office.group(&group).ok_or_else(no_group)?;
                let parties = self.snapshot.members(group).map(|user| Party::User(user.clone())).collect();
                Ok(direct(parties, RingOrder::AtOnce, group.ring_for, "group"))
            }
            Treatment::Outbound { ways, route } => {
                let party = crate::convert::outside(ways, source.user(), &*self.env.random);
                let mut plan = direct(vec![party], RingOrder::One, OUTSIDE_RING, route.name.as_str());
                plan.direction = direction(source, true);
                Ok(plan)
            }
            Treatment::Emergency { ways, test, .. } => {
                let mut plan = direct(vec![crate::convert::help(ways, test)], RingOrder::One, HELP_RING, EMERGENCY);
                plan.direction = direction(source, true);
                Ok(plan)
            }
            Treatment::Feature(Feature::PickUp(number)) => {
                let users = rung(office, source, number.as_ref())?;
                Ok(takes(source, "pick-up", Takes::Ringing(users)))
            }
            Treatment::Feature(Feature::Park(place)) => Ok(takes(source, "park", Takes::Parked(place))),
            Treatment::Feature(feature) => Ok(Plan {
                route: Some(format!("feature {}", feature.code().key())),
                scenario: None,
                direct: None,
                feature: Some(feature),
                direction: direction(source, false),
                takes: None,
            }),
            Treatment::Refused(cause) => Err(Refusal { reason: RefusalReason::NoRoute, cause }),
        }
    }

    /// A channel of the gateway that calls; none for users.
    fn inbound_channel(&self, office: &Office, source: &Source) -> Result<Option<Channel>, Refusal> {
        let Source::Gateway(id) = source else { return Ok(None) };
        let (Some(gateway), Some(handle)) = (office.gateway(id), self.snapshot.gateways.get(id)) else {
            return Ok(None);
        };
        let full = || {
            let why = format!("as many calls come from the gateway {} as it may have", id.name);
            Refusal::new(RefusalReason::GatewayFull, 503, why)
        };
        handle.channels.enter(Side::In, gateway.limits).map(Some).ok_or_else(full)
    }

    fn begin(&self, id: CallId, caller: Caller, called: &Dialled, plan: &Plan, forwarded: usize) -> Begin {
        Begin {
            id,
            wall: self.env.clock.wall(),
            direction: plan.direction,
            caller: caller.number,
            caller_name: caller.name,
            caller_user: caller.user,
            caller_gateway: caller.gateway,
            called: called.as_str().to_owned(),
            route: plan.route.clone(),
            scenario: plan.scenario.as_ref().map(|(scenario, ..)| scenario.clone()),
            forwarded,
            call_back: false,
            origin: Origin::Caller,
        }
    }

    /// Where the outputs of a call go; none: the shard ends.
    fn links(&self, ctx: &Context<Self>) -> Option<CallLinks> {
        let sip = self.sip()?;
        Some(CallLinks {
            layer: sip.clone().recipient(),
            adopt: sip.clone().recipient(),
            forget: sip.recipient(),
            watch: ctx.address().recipient(),
            unwatch: ctx.address().recipient(),
            over: ctx.address().recipient(),
        })
    }

    /// The call is there from now on.
    fn keep(&mut self, id: CallId, call: Addr<CallActor>, live: LiveCall) {
        let handle = CallHandle {
            media: call.clone().recipient(),
            runs: call.clone().recipient(),
            end: call.clone().recipient(),
            ordered: call.recipient(),
            live,
        };
        self.calls.insert(id, handle);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what a call is made of is decided in several places and meets here once"
    )]
    fn start(
        &mut self,
        (begin, (hides, proven), brought): (Begin, (bool, bool), Brought),
        plan: Plan,
        office: Arc<Office>,
        (max_forwards, channel): (u8, Option<Channel>),
        (caller_at, back_to): (Device, Vec<Phone>),
        new_leg: NewLeg,
        sip_call_id: String,
        ctx: &mut Context<Self>,
    ) {
        let Some(links) = self.links(ctx) else { return };
        let (id, media) = (begin.id.clone(), new_leg.media.leg);
        let live = live(&begin);
        let new = NewCall {
            begin,
            office,
            snapshot: Arc::clone(&self.snapshot),
            owners: self.owners.clone(),
            media_shard: self.shard % self.env.media.shards(),
            direct: plan.direct,
            feature: plan.feature,
            script: plan.scenario.map(|(_, interpreter, route)| (interpreter, route)),
            max_forwards,
            hides,
            proven,
            brought,
            channel,
            codecs: new_leg.offer.as_ref().map(|theirs| theirs.offer.codecs()).unwrap_or_default(),
            takes: plan.takes,
            caller_at: Some(caller_at),
            back_to,
            awaited: self.awaited.clone(),
            errand: None,
        };
        let leg_links =
            |call: Recipient<LegEvent>| LegLinks { layer: links.layer.clone(), forget: links.forget.clone(), call };
        self.media.insert(media, (id.clone(), LegId::CALLER));
        plugboard_metrics::LegBegan { call: &id, leg: LegId::CALLER }.emit(&self.env.metrics);
        let (env, adopt) = (self.env.clone(), links.adopt.clone());
        let adoption = Adoption { call: id.clone(), sip_call_id, began: self.env.clock.now() };
        let call = CallActor::create(|call_ctx| {
            let mut call = CallActor::new(env.clone(), links.clone(), new);
            let order = LegActor::begin(env, leg_links(call_ctx.address().recipient()), new_leg, &adopt, adoption);
            call.with_caller(order, media);
            call
        });
        self.keep(id, call, live);
    }

    /// The `SipActor` of the same shard, which is made after this one.
    pub(crate) fn serve(&mut self, sip: &actix::Addr<SipActor>) {
        self.sip = Some(sip.downgrade());
    }
}

/// What is told of a call while it goes on.
fn live(begin: &Begin) -> LiveCall {
    LiveCall {
        id: begin.id.clone(),
        caller: begin.caller.clone(),
        called: begin.called.clone(),
        began: begin.wall,
        route: begin.route.clone(),
        scenario: begin.scenario.clone(),
    }
}

/// The dialog whose place a new call is to take (RFC 3891 section 3).
fn replaced(request: &Request, source: &Source) -> Result<Option<Replaces>, Refusal> {
    let not_allowed = |status, why: &str| Err(Refusal::new(RefusalReason::NotAllowed, status, why));
    let values: Vec<&str> = request.headers.get_all("Replaces").collect();
    match (values.as_slice(), source) {
        ([], _) => Ok(None),
        (_, Source::Gateway(_)) => not_allowed(403, "a gateway takes no call's place"),
        ([value], Source::User(_)) => match Replaces::parse(value) {
            Some(replaces) => Ok(Some(replaces)),
            None => not_allowed(400, "its Replaces cannot be read"),
        },
        ([_, _, ..], Source::User(_)) => not_allowed(400, "it has several Replaces"),
    }
}

/// Ring time of calls that go out: the far end's network gives up first.
const OUTSIDE_RING: Duration = Duration::from_secs(180);

/// A centre may ring long, and several gateways may be tried.
const HELP_RING: Duration = Duration::from_secs(600);
/// A call back rings for so long: whoever called for help may have left his phone.
const BACK_RING: Duration = Duration::from_secs(180);

/// Whether it is a call for help.
fn is_help(office: &Office, source: &Source, called: &Dialled) -> bool {
    matches!(source, Source::User(_)) && office.help(called).is_some()
}

/// Rings the phones that called for help.
fn call_back(phones: &[Phone]) -> Plan {
    let mut parties: Vec<Party> = Vec::new();
    for phone in phones {
        let party = Party::User(phone.user.clone());
        if !parties.contains(&party) {
            parties.push(party);
        }
    }
    let request =
        CallRequest::Ring { parties, order: RingOrder::AtOnce, ring_for: BACK_RING, ring_back: RingBack::Tone };
    Plan {
        route: Some("emergency-call-back".into()),
        scenario: None,
        direct: Some(request),
        feature: None,
        direction: Direction::Inbound,
        takes: None,
    }
}

/// The plan of a call that takes what is elsewhere.
fn takes(source: &Source, route: &str, takes: Takes) -> Plan {
    Plan {
        route: Some(route.to_owned()),
        scenario: None,
        direct: None,
        feature: None,
        direction: direction(source, false),
        takes: Some(takes),
    }
}

/// Whose call somebody may take who dialled this number, or none: in the order of their names.
fn rung(office: &Office, source: &Source, number: Option<&Dialled>) -> Result<VecDeque<UserId>, Refusal> {
    let refused = |status, why: &str| Refusal::new(RefusalReason::NotAllowed, status, why);
    let Source::User(by) = source else { return Err(refused(403, "only users pick calls up")) };
    let wanted: Vec<UserId> = match number.map(|number| office.internal(number.as_str())) {
        None => office.colleagues(by),
        Some(Some(Internal::User(user))) => vec![user.clone()],
        Some(Some(Internal::Group(group))) => office.group(group).map(|group| group.users()).unwrap_or_default(),
        Some(None) => Vec::new(),
    };
    if wanted.is_empty() {
        return Err(refused(404, "there is nobody whose call could be picked up"));
    }
    let may = |user: &UserId| user == by || office.may_pick_up(by, user);
    let may: VecDeque<UserId> = wanted.into_iter().filter(may).collect();
    if may.is_empty() {
        return Err(refused(403, "he may not pick up calls of that number"));
    }
    Ok(may)
}

/// What a call will do first.
struct Plan {
    route: Option<String>,
    scenario: Option<(ScenarioId, Interpreter, RouteId)>,
    direct: Option<CallRequest>,
    /// What the caller dialled a code for.
    feature: Option<Feature>,
    direction: Direction,
    /// What the caller wants to take.
    takes: Option<Takes>,
}

impl Actor for CallsActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(CALLS_MAILBOX);
    }
}

/// What the office says of the media of whoever calls.
fn media_rules(office: &Office, source: &Source) -> MediaRules {
    match source {
        Source::User(user) => office.user(user).map(|user| user.media),
        Source::Gateway(gateway) => office.gateway(gateway).map(|gateway| gateway.media),
    }
    .unwrap_or_default()
}

/// Command: this is your shard's SIP. From the `Switch`, once, before the first call.
#[derive(actix::Message)]
#[rtype(result = "()")]
pub(crate) struct ServeSip(pub(crate) actix::Addr<SipActor>);

impl Handler<ServeSip> for CallsActor {
    type Result = ();
    fn handle(&mut self, serve: ServeSip, _: &mut Self::Context) {
        self.serve(&serve.0);
    }
}

impl Handler<TakeCall> for CallsActor {
    type Result = ();
    fn handle(&mut self, take: TakeCall, ctx: &mut Self::Context) {
        self.take(take, ctx);
    }
}

impl Handler<MediaHappened> for CallsActor {
    type Result = ();
    fn handle(&mut self, happened: MediaHappened, _: &mut Self::Context) {
        let closed = if let MediaEvent::Closed { leg, .. } = &happened.0 { Some(*leg) } else { None };
        if let Some(leg) = crate::convert::media_leg(&happened.0)
            && let Some((call, leg)) = self.media.get(&leg)
            && let Some(handle) = self.calls.get(call)
        {
            post(&handle.media, LegMedia { leg: *leg, event: happened.0 });
        }
        // It is the last that is told of a leg.
        if let Some(leg) = closed {
            self.media.remove(&leg);
        }
    }
}

impl Handler<RunHappened> for CallsActor {
    type Result = ();
    fn handle(&mut self, happened: RunHappened, _: &mut Self::Context) {
        if let Some(handle) = self.calls.get(&happened.call) {
            post(&handle.runs, happened);
        }
    }
}

impl Handler<WatchMedia> for CallsActor {
    type Result = ();
    fn handle(&mut self, watch: WatchMedia, _: &mut Self::Context) {
        self.media.insert(watch.media, (watch.call, watch.leg));
    }
}

impl Handler<UnwatchMedia> for CallsActor {
    type Result = ();
    fn handle(&mut self, unwatch: UnwatchMedia, _: &mut Self::Context) {
        self.media.remove(&unwatch.0);
    }
}

impl Handler<CallOver> for CallsActor {
    type Result = ();
    fn handle(&mut self, over: CallOver, _: &mut Self::Context) {
        self.calls.remove(&over.0);
    }
}

impl Handler<HangUpCall> for CallsActor {
    type Result = bool;
    fn handle(&mut self, hang_up: HangUpCall, _: &mut Self::Context) -> bool {
        match self.calls.get(&hang_up.call) {
            Some(handle) => {
                post(&handle.end, EndCall(hang_up.cause));
                true
            }
            None => false,
        }
    }
}

impl Handler<GetCall> for CallsActor {
    type Result = Option<Recipient<Ordered>>;
    fn handle(&mut self, asked: GetCall, _: &mut Self::Context) -> Self::Result {
        self.calls.get(&asked.0).map(|handle| handle.ordered.clone())
    }
}

impl Handler<HangUpAll> for CallsActor {
    type Result = ();
    fn handle(&mut self, all: HangUpAll, _: &mut Self::Context) {
        for handle in self.calls.values() {
            post(&handle.end, EndCall(all.0.clone()));
        }
    }
}

impl Handler<GetCalls> for CallsActor {
    type Result = MessageResult<GetCalls>;
    fn handle(&mut self, _: GetCalls, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.calls.values().map(|handle| handle.live.clone()).collect())
    }
}

impl Handler<GetHoldings> for CallsActor {
    type Result = MessageResult<GetHoldings>;
    fn handle(&mut self, _: GetHoldings, _: &mut Self::Context) -> Self::Result {
        MessageResult(Holdings { calls: self.calls.len(), media: self.media.len(), ..Holdings::default() })
    }
}

impl Handler<UseSnapshot> for CallsActor {
    type Result = ();
    fn handle(&mut self, snapshot: UseSnapshot, _: &mut Self::Context) {
        self.snapshot = snapshot.0;
    }
}
