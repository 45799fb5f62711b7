//! Calls that are handed on, and calls that are joined: who may, who is asked, who is shown to whom.

use actix::{AsyncContext, Context, Handler};
use plugboard_call::{Input, Led, Onward, Park, Party, PlayId, RingOrder, Service, Transfer};
use plugboard_media::{AddressFamily, Codec, Command as MediaCommand, Need, Negotiated, PlayId as MediaPlayId};
use plugboard_model::{CallId, Cause, Dialled, LegId, Mailbox, UserId};
use plugboard_office::{Feature, Inquiry, Source, Treatment};
use plugboard_sip::{ReferTo, Replaces, RequestUri, SipUri};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::SocketAddr;

use super::{CallActor, LegHandle, Order};
use crate::hand_on::{HandedOn, NotHandedOn};
use crate::message::{JoinAnswer, JoinAnswered, JoinAsked, Joint, JointEvent, JointNews, LegCommand, Shown, Wish};
use crate::parking::Place;
use crate::post::post;
use crate::shard::shard_of_dialog;

/// Plays to a leg of another call have numbers of their own, so that its own call's are not taken for them.
const OTHERS_PLAYS: u64 = 1 << 32;

/// The payload type of keys between two media threads of ours.
const TELEPHONE_EVENT: u8 = 101;

/// A join that goes on.
#[derive(Default)]
pub(super) struct Joining {
    pub(super) asked: Asked,
    /// Who else may be asked for the caller.
    pub(super) others: VecDeque<UserId>,
    /// The other call, until the machine names its leg here.
    joint: Option<Box<Joint>>,
    /// The admin who wants it.
    pub(super) told: Option<HandedOn>,
}

/// Whether another call is asked, and for whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Asked {
    #[default]
    Not,
    /// For the caller, who talks to nobody yet.
    ForCaller,
    /// For whom this leg talks to, which leaves then.
    ForOtherThan {
        /// Who leaves.
        leaves: LegId,
        /// Whom it talks to; the other call was told of him.
        stays: LegId,
    },
}

/// What a REFER comes to.
pub(super) enum Wanted {
    Number(Transfer),
    Park(Box<(Park, Place)>),
    Dialog(Replaces),
}

impl Joint {
    /// A leg that stands for another call can be told little.
    pub(super) fn order(&self, from: &CallId, command: LegCommand) {
        match command {
            LegCommand::End(cause)
            | LegCommand::GiveUp(cause)
            | LegCommand::Reject(cause)
            | LegCommand::RejectInWords(cause) => {
                self.tell(from, JointEvent::Over(cause));
            }
            LegCommand::Cancel(_) => self.tell(from, JointEvent::Over(Cause::normal())),
            LegCommand::Identify(shown) => self.tell(from, JointEvent::Shows(shown)),
            LegCommand::Ring
            | LegCommand::ShakeAgain
            | LegCommand::Progress { .. }
            | LegCommand::Answer { .. }
            | LegCommand::Ask
            | LegCommand::Say(_)
            | LegCommand::AcceptTransfer
            | LegCommand::RejectTransfer(_)
            | LegCommand::NotifyTransfer(_)
            | LegCommand::OfferImage(_)
            | LegCommand::AnswerImage(_)
            | LegCommand::OfferAudio
            | LegCommand::Speak(_)
            | LegCommand::SendDigit { .. } => {}
        }
    }

    fn tell(&self, from: &CallId, news: JointEvent) {
        post(&self.news, JointNews { call: from.clone(), news });
    }
}

impl CallActor {
    // ---- who is who -----------------------------------------------------------------------------------------

    /// A leg as the others of its call are shown it.
    pub(super) fn shown(&self, leg: LegId) -> Shown {
        if let Some(LegHandle { order: Order::Joint(joint), .. }) = self.legs.get(&leg) {
            return joint.shown.clone();
        }
        let (user, party) = self.call.party(leg).unwrap_or_default();
        let (name, number) = match user.and_then(|user| self.office.user(user)) {
            _ if leg == LegId::CALLER => (self.begin.caller_name.as_str(), self.begin.caller.as_str()),
            Some(user) => (user.name.as_str(), user.number.as_str()),
            None => ("", party),
        };
        let uri = SipUri::new(Some(if number.is_empty() { "anonymous" } else { number }), self.office.realm(), None);
        let mut address = String::new();
        if !name.is_empty() {
            plugboard_sip::push_quoted(&mut address, name);
            address.push(' ');
        }
        // Writing into memory cannot fail.
        let _ = write!(address, "<{uri}>");
        Shown { name: name.to_owned(), number: number.to_owned(), address }
    }

    /// Names of ours are for our people, and for calls of ours.
    pub(super) fn identify(&mut self, leg: LegId, other: LegId) {
        let shown = self.shown(other);
        self.show(leg, shown);
    }

    fn show(&mut self, leg: LegId, shown: Shown) {
        self.lamp_shows(leg, shown.clone());
        let joint = self.legs.get(&leg).is_some_and(|handle| matches!(handle.order, Order::Joint(_)));
        if joint || self.call.party(leg).is_some_and(|(user, _)| user.is_some()) {
            self.order(leg, LegCommand::Identify(shown));
        }
    }

    pub(super) fn play_id(&self, leg: LegId, play: PlayId) -> MediaPlayId {
        let joint = self.legs.get(&leg).is_some_and(|handle| matches!(handle.order, Order::Joint(_)));
        MediaPlayId(u64::from(play.0) | if joint { OTHERS_PLAYS } else { 0 })
    }

    // ---- REFER ----------------------------------------------------------------------------------------------

    pub(super) fn referred(&mut self, leg: LegId, target: &str, ctx: &mut Context<Self>) {
        match self.wanted(leg, target, ctx) {
            Ok(Wanted::Number(transfer)) => {
                self.referred_by = Some(self.shown(leg).address);
                self.feed(Input::Transfer(transfer), ctx);
            }
            Ok(Wanted::Park(park)) => self.park(*park, ctx),
            Ok(Wanted::Dialog(replaces)) => {
                self.order(leg, LegCommand::AcceptTransfer);
                self.ask_to_join(Some(leg), replaces, ctx);
            }
            Err((status, why)) => {
                tracing::info!(call_id = %self.id, leg_id = %leg, status, why, "a transfer was refused");
                self.order(leg, LegCommand::RejectTransfer(status));
            }
        }
    }

    /// Whom a REFER names, by what whoever sent it may dial.
    fn wanted(&self, leg: LegId, target: &str, ctx: &Context<Self>) -> Result<Wanted, (u16, &'static str)> {
        let refer = ReferTo::parse(target).ok_or((400, "its Refer-To cannot be read"))?;
        if !self.call.may_hand_on(leg) {
            return Err((403, "it talks to nobody who could be handed on"));
        }
        if self.call.party(leg).is_none_or(|(user, _)| user.is_none()) {
            return Err((403, "only users of the office hand calls on"));
        }
        // Who was believed because he calls for help is believed in nothing else.
        let unproven = self.unproven == Some(leg);
        if refer.replaces.is_some() && unproven {
            return Err((403, "whoever calls for help without a password joins no calls"));
        }
        if let Some(replaces) = refer.replaces {
            let idle = self.joining.asked == Asked::Not;
            return if idle { Ok(Wanted::Dialog(replaces)) } else { Err((491, "the call is being joined already")) };
        }
        if is_elsewhere(&refer.uri, &self.office.domains) {
            return Err((404, "its target is at another domain"));
        }
        let dialled = refer.uri.user().and_then(|user| Dialled::new(&user).ok());
        let dialled = dialled.ok_or((404, "its target is no number that can be dialled"))?;
        self.handed_on_to(leg, &dialled, ctx)
    }

    /// What takes whom this leg talks to when its user dials a number for it.
    pub(super) fn handed_on_to(
        &self,
        leg: LegId,
        dialled: &Dialled,
        ctx: &Context<Self>,
    ) -> Result<Wanted, (u16, &'static str)> {
        let (Some(user), _) = self.call.party(leg).unwrap_or_default() else {
            return Err((403, "only users of the office hand calls on"));
        };
        let unproven = self.unproven == Some(leg);
        let source = Source::User(user.clone());
        let treatment = self.office.route(&self.asks(&source, dialled));
        if let Treatment::Feature(Feature::Park(place)) = treatment {
            return Ok(Wanted::Park(Box::new(self.place_for(leg, place.as_ref(), ctx)?)));
        }
        let service = self.service(treatment)?;
        let (parties, order) = match service {
            Some(_) => (Vec::new(), RingOrder::One),
            None => self.reached_by(&source, dialled)?,
        };
        if unproven && (service.is_some() || parties.iter().any(|party| !matches!(party, Party::User(_)))) {
            return Err((403, "whoever calls for help without a password hands it on to people of the office only"));
        }
        let rules = self.office.transfer;
        Ok(Wanted::Number(Transfer {
            by: leg,
            parties,
            service,
            order,
            ring_for: rules.ring_for,
            recall: rules.recall,
            to: dialled.as_str().to_owned(),
        }))
    }

    /// The way of a call that somebody of ours sends there now.
    fn asks(&self, by: &Source, number: &Dialled) -> Inquiry {
        Inquiry::new(by, number, self.env.clock.wall())
    }

    /// What takes a call in place of people. The other codes do something for whoever dials them, which nobody is handed on to.
    fn service(&self, treatment: Treatment) -> Result<Option<Service>, (u16, &'static str)> {
        match treatment {
            Treatment::Scenario { scenario, .. } if !self.snapshot.configuration.programs.contains_key(&scenario) => {
                Err((500, "its scenario is not in force: it lacks an action"))
            }
            Treatment::Scenario { scenario, route } => Ok(Some(Service::Scenario(Led { scenario, route }))),
            Treatment::Feature(Feature::Mailbox(None)) => Ok(Some(Service::Mailbox(None))),
            Treatment::Feature(Feature::Mailbox(Some(number))) => {
                let mailbox: Option<Mailbox> = self.office.find_mailbox(number.as_str());
                let mailbox = mailbox.ok_or((404, "no user or group with a mailbox has this number"))?;
                Ok(Some(Service::Mailbox(Some(mailbox))))
            }
            Treatment::DirectUser(_)
            | Treatment::DirectGroup(_)
            | Treatment::Outbound { .. }
            | Treatment::Emergency { .. }
            | Treatment::Feature(_)
            | Treatment::Refused(_) => Ok(None),
        }
    }

    /// Whom a call reaches that a user sends on: as if he dialled it, but nobody calls for help in place of another. Who calls
    /// him may be a stranger, and would take the channels of the office and show its place.
    pub(super) fn reached_in_place_of(&self, user: &UserId, number: &Dialled) -> Result<Onward, (u16, &'static str)> {
        if self.office.help(number).is_some() {
            return Err((403, "no call is sent on to a number that calls for help"));
        }
        let (source, to) = (Source::User(user.clone()), number.as_str().to_owned());
        if let Treatment::Scenario { scenario, route } = self.office.route(&self.asks(&source, number)) {
            return Ok(Onward {
                parties: Vec::new(),
                order: RingOrder::One,
                to,
                scenario: Some(Box::new(Led { scenario, route })),
            });
        }
        let (parties, order) = self.reached_by(&source, number)?;
        Ok(Onward { parties, order, to, scenario: None })
    }

    /// Whom a user reaches who dials this: as the office has it, whatever he dials it for.
    pub(super) fn reached_by(
        &self,
        by: &Source,
        number: &Dialled,
    ) -> Result<(Vec<Party>, RingOrder), (u16, &'static str)> {
        match self.office.route(&self.asks(by, number)) {
            Treatment::DirectUser(user) => Ok((vec![Party::User(user)], RingOrder::One)),
            Treatment::DirectGroup(group) => {
                let members = self.office.group(&group).map(|group| self.snapshot.members(group));
                let parties = members.into_iter().flatten().map(|user| Party::User(user.clone())).collect();
                Ok((parties, RingOrder::AtOnce))
            }
            Treatment::Outbound { ways, .. } => {
                Ok((vec![crate::convert::outside(ways, by.user(), &*self.env.random)], RingOrder::One))
            }
            Treatment::Emergency { ways, test, .. } => Ok((vec![crate::convert::help(ways, test)], RingOrder::One)),
            Treatment::Scenario { .. } => Err((403, "a call that goes on cannot begin a scenario")),
            Treatment::Feature(_) => Err((403, "a call that goes on cannot dial this feature code")),
            Treatment::Refused(cause) => Err((cause.status, "the office's routes refuse the number")),
        }
    }

    // ---- joining --------------------------------------------------------------------------------------------

    /// Asks the call of that dialog to let us have whom it talks to.
    pub(super) fn ask_to_join(&mut self, leaving: Option<LegId>, replaces: Replaces, ctx: &mut Context<Self>) {
        let who = leaving.unwrap_or(LegId::CALLER);
        let stays = leaving.map_or(Some(LegId::CALLER), |leg| self.call.talks_to(leg));
        let shards = &self.snapshot.shards;
        let shard = shards.get(shard_of_dialog(replaces.call_id.as_bytes(), shards.len())).cloned();
        self.joining.asked = match leaving {
            Some(leaves) => Asked::ForOtherThan { leaves, stays: stays.unwrap_or(leaves) },
            None => Asked::ForCaller,
        };
        match (stays.and_then(|stays| self.wish(who, stays, ctx)), shard) {
            (Some(wish), Some(shard)) => post(&shard, JoinAsked { replaces, wish }),
            (None, _) | (_, None) => self.not_joined(403, ctx),
        }
    }

    /// What another call is asked by `who` for `stays`; only users ask.
    pub(super) fn wish(&self, who: LegId, stays: LegId, ctx: &Context<Self>) -> Option<Wish> {
        let by = self.call.party(who)?.0.cloned()?;
        let (joint, answer) = (self.joint(stays, ctx)?, JoinAnswer::to(ctx.address().recipient()));
        Some(Wish { by, joint, answer })
    }

    pub(super) fn joint(&self, stays: LegId, ctx: &Context<Self>) -> Option<Box<Joint>> {
        let handle = self.legs.get(&stays)?;
        let news = ctx.address().recipient();
        let (call, shown, record) = (self.id.clone(), self.shown(stays), self.record_rule_of(stays));
        Some(Box::new(Joint { call, shown, media: handle.media, codec: handle.codec, record, news }))
    }

    pub(super) fn not_joined(&mut self, status: u16, ctx: &mut Context<Self>) {
        match std::mem::take(&mut self.joining.asked) {
            Asked::ForOtherThan { leaves, .. } => {
                if let Some(told) = self.joining.told.take() {
                    let _ = told.send(Err(NotHandedOn::NotJoined(status)));
                }
                self.order(leaves, LegCommand::NotifyTransfer(status));
            }
            Asked::ForCaller => {
                self.joining.asked = Asked::ForCaller;
                if !self.ask_next(ctx) {
                    self.joining.asked = Asked::Not;
                    self.feed(Input::HangUp(Cause::of(status)), ctx);
                }
            }
            Asked::Not => {}
        }
    }

    /// Another call wants the place of this leg.
    pub(super) fn join_asked(&mut self, leg: LegId, ask: JoinAsked, ctx: &mut Context<Self>) {
        self.wished_for(leg, ask.wish, ctx);
    }

    pub(super) fn wished_for(&mut self, leg: LegId, wish: Wish, ctx: &mut Context<Self>) {
        let own = self.call.party(leg).and_then(|(user, _)| user.cloned());
        let (talks, rings) = (self.call.may_hand_on(leg), self.call.may_be_picked_up(leg));
        if !(talks || rings) || wish.joint.call == self.id {
            return wish.refuse(481);
        }
        // Whoever rings may be helped; whom somebody talks to is his alone.
        let may =
            own.as_ref() == Some(&wish.by) || (rings && own.is_some_and(|own| self.office.may_pick_up(&wish.by, &own)));
        if !may {
            return wish.refuse(603);
        }
        let stays = if talks { self.call.talks_to(leg) } else { Some(self.call.anchor()) };
        let Some(ours) = stays.and_then(|stays| self.joint(stays, ctx)) else { return wish.refuse(481) };
        let Wish { joint, answer, .. } = wish;
        if self.take_joint(Some(leg), joint, ctx) {
            answer.give(Ok(ours));
            self.tell_where();
        } else {
            answer.give(Err(481));
        }
    }

    /// Whether the machine took the other call in.
    pub(super) fn take_joint(&mut self, leaving: Option<LegId>, joint: Box<Joint>, ctx: &mut Context<Self>) -> bool {
        let other = format!("call {}", joint.call);
        self.joining.joint = Some(joint);
        self.feed(Input::Join { leaving, other }, ctx);
        self.joining.joint.take().is_none()
    }

    /// The machine names the leg that stands for the other call.
    pub(super) fn add_joint(&mut self, leg: LegId) {
        let Some(joint) = self.joining.joint.take() else { return };
        // Two media threads hand packets to each other as any two hosts do.
        let far = usize::from(joint.media.shard()) != self.media_shard;
        let open = |family| self.env.media.open(self.media_shard, family, Need::Usual);
        let relay = far.then(|| open(AddressFamily::V4).or_else(|_| open(AddressFamily::V6)));
        let (media, relay) = match relay {
            None => (joint.media, None),
            Some(Ok(local)) => (local.leg, Some(local.rtp)),
            Some(Err(error)) => {
                crate::shard::count_open_error(&error, &self.id, leg, &self.env.metrics);
                (joint.media, None)
            }
        };
        let (codec, order) = (joint.codec, Order::Joint(joint));
        self.legs.insert(leg, LegHandle { order, outside: None, media, codec, relay });
    }

    /// Tells the calls that this one is joined with where our media threads hear theirs.
    pub(super) fn tell_where(&self) {
        for handle in self.legs.values() {
            if let (Order::Joint(joint), Some(at)) = (&handle.order, handle.relay) {
                joint.tell(&self.id, JointEvent::HearsAt(at));
            }
        }
    }

    fn hears_at(&self, leg: LegId, at: SocketAddr) {
        let Some(handle) = self.legs.get(&leg).filter(|handle| handle.relay.is_some()) else { return };
        let negotiated = Negotiated::plain(Codec::Pcmu, at).with_keys(TELEPHONE_EVENT);
        self.to_media(MediaCommand::SetRemote { leg: handle.media, negotiated });
    }

    /// Takes a leg away that stands for another call; whether it was one.
    pub(super) fn remove_joint(&mut self, leg: LegId) -> Option<Box<Joint>> {
        if !matches!(self.legs.get(&leg)?.order, Order::Joint(_)) {
            return None;
        }
        let handle = self.legs.remove(&leg)?;
        if handle.relay.is_some() {
            self.to_media(MediaCommand::Close { leg: handle.media });
        }
        match handle.order {
            Order::Joint(joint) => Some(joint),
            Order::Leg(_) => None,
        }
    }
}

/// Whether a target is at a domain that is not the office's. An address stands for us, as peers of this kind take it.
pub(super) fn is_elsewhere(uri: &RequestUri, domains: &[String]) -> bool {
    uri.as_sip().is_some_and(|uri| {
        let host = uri.host().to_ascii_lowercase();
        uri.host_ip().is_none() && !domains.contains(&host)
    })
}

impl Handler<JoinAnswered> for CallActor {
    type Result = ();

    fn handle(&mut self, answered: JoinAnswered, ctx: &mut Self::Context) {
        let joint = match answered.0 {
            Ok(joint) => joint,
            Err(status) => return self.not_joined(status, ctx),
        };
        let other = joint.clone();
        let taken = match self.joining.asked {
            // Whom it talks to now may be another one: the other call does not know him.
            Asked::ForOtherThan { leaves, stays } if self.call.talks_to(leaves) == Some(stays) => {
                self.take_joint(Some(leaves), joint, ctx)
            }
            Asked::ForCaller => self.take_joint(None, joint, ctx),
            Asked::ForOtherThan { .. } | Asked::Not => false,
        };
        if taken {
            if let (Asked::ForOtherThan { leaves, .. }, Some(told)) =
                (std::mem::take(&mut self.joining.asked), self.joining.told.take())
            {
                let _ = told.send(Ok(leaves));
            }
            return self.tell_where();
        }
        // Whoever was to talk there is gone.
        other.tell(&self.id, JointEvent::Over(Cause::normal()));
        self.not_joined(481, ctx);
    }
}

impl Handler<JointNews> for CallActor {
    type Result = ();

    fn handle(&mut self, happened: JointNews, ctx: &mut Self::Context) {
        let is_it = |handle: &LegHandle| matches!(&handle.order, Order::Joint(joint) if joint.call == happened.call);
        let Some(leg) = self.legs.iter().find(|(_, handle)| is_it(handle)).map(|(leg, _)| *leg) else { return };
        match happened.news {
            JointEvent::Over(cause) => {
                self.remove_joint(leg);
                self.feed(Input::LegEnded { leg, cause }, ctx);
            }
            JointEvent::HearsAt(at) => self.hears_at(leg, at),
            JointEvent::Shows(shown) => {
                if let Some(LegHandle { order: Order::Joint(joint), .. }) = self.legs.get_mut(&leg) {
                    joint.shown = shown.clone();
                }
                self.tape_names_those_who_talk();
                if let Some(partner) = self.call.talks_to(leg) {
                    self.show(partner, shown);
                }
            }
        }
    }
}
