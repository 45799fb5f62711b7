//! Legs to gateways: the question whether one more may go there, and what the gateway is told.

use actix::{AsyncContext, Context};
use plugboard_call::{Input, Urgency, Way};
use plugboard_media::Need;
use plugboard_metrics::{EmergencyCalled, TollLabel, TollMet};
use plugboard_model::{Cause, Dialled, JournalEvent, LegId, Name};
use plugboard_office::{Gateway, Place, TollLimit};
use plugboard_sip::dialog::NextHop;
use plugboard_sip::digest::Secret;
use plugboard_sip::flow::Transport;
use plugboard_sip::session::{EARLY_MEDIA, Login};
use plugboard_sip::trunk::Placement;
use plugboard_sip::{RequestUri, SipUri};

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::carry::Dial;
use super::{Admission, CallActor, Obstacle, Outside};
use crate::actor::leg::EarlySound;
use crate::awaited::Phone;
use crate::channels::Channel;
use crate::identity;
use crate::message::{AdmitCall, LegNews, TargetFailed};
use crate::post::post;
use crate::tolls::{Met, Pass, Subject};

/// Where somebody is of whom nobody knows where he is: in no network of any location.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

impl CallActor {
    /// The gateway's answer is `CallAdmitted`.
    pub(super) fn ask_gateway(&mut self, leg: LegId, ways: Vec<Way>, ctx: &mut Context<Self>) -> Result<(), Cause> {
        let mut ways = ways.into_iter();
        let way = ways.next().ok_or_else(|| Cause::of(404))?;
        if self.errand.is_some() && way.urgency != Urgency::Usual {
            // Wherever it was sent on to.
            return Err(Cause { status: 403, text: "A machine does not call for help".into() });
        }
        let pass = self.toll(leg, &way, ways.len() == 0)?;
        let handle = self.snapshot.gateways.get(&way.gateway).ok_or_else(|| Cause::of(404))?;
        // Where it sends the call itself may be where the call was already.
        let tried = self.tried.get(&way.gateway).filter(|_| way.at.is_none()).cloned().unwrap_or_default();
        let (reply, end) = (ctx.address().recipient(), ctx.address().recipient());
        post(&handle.admit, AdmitCall { leg, tried, urgency: way.urgency, reply, end });
        self.admissions.insert(leg, Admission { way, pass });
        Ok(())
    }

    /// Whether the limits of who pays, and of the gateway, let the call go there. Calls for help pass them.
    fn toll(&mut self, leg: LegId, way: &Way, is_last: bool) -> Result<Option<Pass>, Cause> {
        let gateway = self.office.gateway(&way.gateway).filter(|_| way.urgency == Urgency::Usual);
        let Some(gateway) = gateway else { return Ok(None) };
        let entered = self.snapshot.tolls.enter(&self.env, &self.office, way.payer.as_ref(), gateway, &way.number);
        entered.map_err(|Met { subject, limit }| {
            let whose = subject.to_string();
            TollMet { call: &self.id, leg, whose: &whose, limit: limit_label(limit) }.emit(&self.env.metrics);
            // Another gateway may have room within its own limits; whoever pays has the same ones there.
            let leads_on = matches!(subject, Subject::Gateway(_)) && !is_last;
            let status = if leads_on { 503 } else { 403 };
            let cause = Cause { status, text: format!("Limit of the {whose}: {limit}") };
            self.obstacle = Some(Obstacle::Limit(cause.clone(), limit));
            cause
        })
    }

    /// A call that runs over its limits ends, where these say so.
    pub(super) fn watch_toll(&mut self, leg: LegId, ctx: &mut Context<Self>) {
        /// Other calls use the same minutes up, so that it is looked at again.
        const LOOK: Duration = Duration::from_secs(30);
        let Some(left) = self.pass_of(leg).and_then(Pass::left) else { return };
        if !left.is_zero() {
            ctx.run_later(left.min(LOOK), move |call, ctx| call.watch_toll(leg, ctx));
            return;
        }
        let whose =
            self.legs.get(&leg).and_then(|handle| handle.outside.as_ref()).and_then(|outside| outside.payer.as_ref());
        let whose = whose.map_or("", |user| user.name.as_str());
        TollMet { call: &self.id, leg, whose, limit: limit_label(TollLimit::Minutes) }.emit(&self.env.metrics);
        let text = format!("Limit: {}", TollLimit::Minutes);
        self.feed(Input::HangUp(Cause { status: 403, text }), ctx);
    }

    /// The minutes of a call are kept while it goes on.
    pub(super) fn keep_toll(&self, leg: LegId, ctx: &mut Context<Self>) {
        /// A crash loses no more than this of a call, and a write a minute costs nothing.
        const KEEP: Duration = Duration::from_secs(60);
        if self.pass_of(leg).is_some_and(Pass::counts_minutes) {
            ctx.run_later(KEEP, move |call, ctx| {
                if let Some(pass) = call.pass_of(leg) {
                    pass.keep_so_far();
                    call.keep_toll(leg, ctx);
                }
            });
        }
    }

    fn pass_of(&self, leg: LegId) -> Option<&Pass> {
        self.places.pass(leg).or_else(|| self.legs.get(&leg)?.outside.as_ref()?.pass.as_ref())
    }

    /// Calls a number through a gateway that has a free channel.
    pub(super) fn call_outside(
        &mut self,
        leg: LegId,
        Admission { way, pass }: Admission,
        (place, channel): (Placement, Channel),
        ctx: &mut Context<Self>,
    ) -> Result<(), Cause> {
        let Some(gateway) = self.office.gateway(&way.gateway).cloned() else { return Err(Cause::of(404)) };
        let Placement { mut target, has_more } = place;
        // A redirection has named this one of its addresses; a proxy finds the way there.
        let at = way.at.as_ref().and_then(|at| at.parse().ok());
        if let Some(at) = at.filter(|_| gateway.outbound_proxy.is_none()) {
            target.address = at;
        }
        self.tried.entry(way.gateway.clone()).or_default().push(target);
        if has_more {
            self.feed(Input::LegHasMore(leg), ctx);
        }
        let no_way = || Cause { status: 503, text: format!("No listener of ours reaches {target}") };
        let flow = crate::convert::gateway_flow(&*self.env.sip, &gateway, target).ok_or_else(no_way)?;
        // Neither the admin nor the proxy's URI names a transport (RFC 3261 section 18.1.1).
        let is_open = gateway.next_transport().is_none() && target.transport == Transport::Udp;
        let larger = is_open.then(|| self.env.sip.flow_to(Transport::Tcp, target.address)).flatten();
        let uri = match (&gateway.address, at) {
            (Place::Address(own), at) => SipUri::of_address(Some(&way.number), at.unwrap_or(*own)),
            (Place::Host { .. }, Some(at)) if gateway.outbound_proxy.is_some() => {
                SipUri::of_address(Some(&way.number), at)
            }
            (Place::Host { name, port }, _) => SipUri::new(Some(&way.number), name, *port),
        };
        let (from, mut headers) = match way.urgency {
            Urgency::Usual => identity::told(&self.office, &gateway, &self.begin, self.hides),
            Urgency::Test | Urgency::Help | Urgency::LastResort => self.call_for_help(&gateway, &way),
        };
        let forwards = self.call.forwards(leg);
        headers.extend(crate::diversion::told(&self.office, &gateway, &self.brought, forwards, &uri));
        if gateway.early_media {
            headers.push((EARLY_MEDIA.to_owned(), "supported".to_owned()));
        }
        let password = |secret: &plugboard_office::Secret| Secret::new(secret.reveal());
        let login = gateway.login.as_ref();
        let dial = Dial {
            to: format!("<{uri}>"),
            uri: RequestUri::Sip(uri),
            flow,
            larger,
            next_hop: NextHop::Target,
            routes: gateway.routes(),
            from,
            headers,
            login: login.map(|login| Login { user: login.user.clone(), password: password(&login.password) }),
            answer_by: Some(self.env.clock.now() + gateway.answer_within),
            reliable: gateway.reliable,
            rules: gateway.media,
            early_sound: if gateway.early_media { EarlySound::Told } else { EarlySound::Described },
            bounds: None,
            browser: false,
            need: if way.urgency == Urgency::Usual { Need::Usual } else { Need::Help },
        };
        self.start_leg(leg, dial, ctx.address().recipient())?;
        if let Some(handle) = self.legs.get_mut(&leg) {
            handle.outside = Some(Box::new(Outside {
                gateway: gateway.id.clone(),
                target,
                urgency: way.urgency,
                payer: way.payer,
                pass,
                spoke: false,
                _channel: channel,
            }));
        }
        Ok(())
    }

    /// Somebody calls for help: the front desk is told once, and he is waited for to be called back.
    fn call_for_help(&mut self, gateway: &Gateway, way: &Way) -> (String, Vec<(String, String)>) {
        let office = Arc::clone(&self.office);
        let source = self.caller_at.as_ref().map_or(NOWHERE, |at| at.flow.remote);
        let location = office.location(self.begin.caller_user.as_ref(), source.ip());
        let back = identity::call_back(&office, gateway, &self.begin, location);
        if !std::mem::replace(&mut self.helped, true) {
            let test = way.urgency == Urgency::Test;
            let place = location.map(|location| location.name.clone());
            let event = JournalEvent::Emergency {
                number: way.number.clone(),
                location: place.clone(),
                call_back: back.clone(),
                test,
            };
            self.journal.note(self.now(), event);
            self.journal.flush();
            let place = place.as_ref().map_or("", Name::as_str);
            let user = self.begin.caller_user.as_ref().map_or("", |user| user.name.as_str());
            let proven = self.unproven.is_none();
            EmergencyCalled { call: &self.id, leg: LegId::CALLER, location: place, user, source, proven, test }
                .emit(&self.env.metrics);
        }
        if let (Some(user), Ok(number)) = (&self.begin.caller_user, Dialled::new(&back)) {
            let until = self.env.clock.now() + office.emergency.call_back_within;
            let phone = Phone { user: user.clone(), device: self.caller_at.clone(), until };
            self.awaited.await_call(&self.env, number, phone);
        }
        identity::told_for_help(&office, gateway, (&back, &self.begin.caller_name), location)
    }

    /// A gateway that has passed on a word of the called side works, whatever comes of the call.
    pub(super) fn note_speech(&mut self, leg: LegId, news: &LegNews) {
        if let (LegNews::Answered { .. }, Some(pass)) = (news, self.places.pass(leg)) {
            pass.answered();
        }
        let outside = self.legs.get_mut(&leg).and_then(|handle| handle.outside.as_mut());
        match news {
            LegNews::Rang | LegNews::EarlyMedia { .. } | LegNews::EarlySilence | LegNews::Answered { .. } => {
                if let Some(outside) = outside {
                    outside.spoke = true;
                    if let (LegNews::Answered { .. }, Some(pass)) = (news, &outside.pass) {
                        pass.answered();
                    }
                    self.obstacle = None;
                }
            }
            LegNews::Dialog(_)
            | LegNews::Ended(_)
            | LegNews::FlowFailed(_)
            | LegNews::FlowLost
            | LegNews::Redirected { .. }
            | LegNews::Holds(_)
            | LegNews::Encrypted(_)
            | LegNews::Lives
            | LegNews::Refers { .. }
            | LegNews::JoinAsked(_)
            | LegNews::ImageOffered(_)
            | LegNews::ImageAnswered(_)
            | LegNews::ImageOver
            | LegNews::ImageWithdrawn
            | LegNews::Speaks(_)
            | LegNews::Digit { .. } => {}
        }
    }

    /// A leg to a gateway is over; what that says of its address is told.
    pub(super) fn outside_left(&mut self, outside: &Outside, cause: &Cause) {
        if !outside.spoke && cause.status == 408 {
            self.obstacle = Some(Obstacle::Unheard);
        }
        if outside.spoke || !matches!(cause.status, 408 | 503) {
            return;
        }
        if let Some(handle) = self.snapshot.gateways.get(&outside.gateway) {
            post(&handle.failed, TargetFailed(outside.target));
        }
    }
}

pub(super) const fn limit_label(limit: TollLimit) -> TollLabel {
    match limit {
        TollLimit::Calls => TollLabel::Calls,
        TollLimit::Destination => TollLabel::Destination,
        TollLimit::Hours => TollLabel::Hours,
        TollLimit::Minutes => TollLabel::Minutes,
    }
}
