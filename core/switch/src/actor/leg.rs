//! A leg: one SIP session and the description of its media.

mod imaging;
mod reaching;
mod speaking;
mod theirs;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Recipient};
use bytes::Bytes;
use plugboard_media::{
    Codec, Command as MediaCommand, Flow as MediaFlow, LocalMedia, Need, Negotiated, OfferAnswer, Protection, SdpError,
};
use plugboard_metrics::{DigitUnsent, SipFault, SipFaultKind};
use plugboard_model::{Cause, LegId};
use plugboard_sip::dialog::DialogId;
use plugboard_sip::flow::Flow;
use plugboard_sip::session::{Command, Event, InfoDigit, Input, Output, Session, reason_value};
use plugboard_sip::transaction::{Input as LayerInput, Output as FromTransaction};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use imaging::{Due, Imaging};
pub(crate) use reaching::Bounds;
use speaking::Speaking;
pub(crate) use theirs::Theirs;

use crate::actor::call::Adoption;
use crate::convert::{NOT_ACCEPTABLE, warning};
use crate::env::Env;
use crate::message::{Adopt, DoLeg, Forget, FromLayer, JoinAsked, LegCommand, LegEvent, LegNews, ToLayer};
use crate::post::post;
use crate::wake::Wake;

/// A leg sees a few messages a second; 64 is a burst of retransmissions, and past it the peer is broken.
const LEG_MAILBOX: usize = 64;

/// Where a leg's outputs go.
pub(crate) struct LegLinks {
    pub(crate) layer: Recipient<ToLayer>,
    pub(crate) forget: Recipient<Forget>,
    pub(crate) call: Recipient<LegEvent>,
}

/// Runs one [`Session`]: feeds it, carries out its outputs, and keeps the offer and answer of its media.
pub(crate) struct LegActor {
    env: Env,
    links: LegLinks,
    leg: LegId,
    owner: u64,
    session: Session,
    media: LocalMedia,
    description: OfferAnswer,
    /// What the caller offered, until he is answered; later what a re-INVITE offers.
    offer: Option<Theirs>,
    early_sound: EarlySound,
    bounds: Option<Bounds>,
    need: Need,
    /// The answer that the caller got before he was answered.
    early: Option<Bytes>,
    /// What was agreed.
    agreed: Option<Agreed>,
    /// How its packets are protected, as the media plane was told.
    protection: Option<Protection>,
    /// Where its last message came from.
    heard: Option<Flow>,
    /// The far end does not listen; the call was told.
    holds: bool,
    /// By which dialog it rings, as the call was told.
    rings_by: Option<DialogId>,
    /// The call was told that the leg is over.
    told: bool,
    /// Its shard was told too, and the session with its peer is over.
    finished: bool,
    imaging: Imaging,
    due: Due,
    speaking: Speaking,
    wake: Wake,
}

/// How it is known whether a called side makes a sound before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EarlySound {
    /// Its 183 has a description.
    Described,
    /// It says so by P-Early-Media (RFC 5009).
    Told,
}

/// The media that both sides agreed on.
struct Agreed {
    codec: Codec,
    flow: MediaFlow,
    /// The far end's last description; none when it could not be read again.
    theirs: Option<Theirs>,
}

/// What a leg is made of.
pub(crate) struct NewLeg {
    pub(crate) leg: LegId,
    pub(crate) owner: u64,
    pub(crate) session: Session,
    pub(crate) media: LocalMedia,
    pub(crate) description: OfferAnswer,
    pub(crate) offer: Option<Theirs>,
    pub(crate) early_sound: EarlySound,
    /// As [`reaching::Bounds`].
    pub(crate) bounds: Option<Bounds>,
    /// Whether it goes before what is usual.
    pub(crate) need: Need,
}

impl LegActor {
    fn new(env: Env, links: LegLinks, new: NewLeg) -> Self {
        let NewLeg { leg, owner, session, media, description, offer, early_sound, bounds, need } = new;
        Self {
            env,
            links,
            leg,
            owner,
            session,
            media,
            description,
            offer,
            early_sound,
            bounds,
            need,
            early: None,
            agreed: None,
            protection: None,
            heard: None,
            holds: false,
            rings_by: None,
            told: false,
            finished: false,
            imaging: Imaging::default(),
            due: Due::Nothing,
            speaking: Speaking::default(),
            wake: Wake::default(),
        }
    }

    /// Starts the actor and makes it known to its shard before anything of it is sent.
    pub(crate) fn begin(
        env: Env,
        links: LegLinks,
        new: NewLeg,
        adopt: &Recipient<Adopt>,
        adoption: Adoption,
    ) -> Recipient<DoLeg> {
        let (owner, leg) = (new.owner, new.leg);
        let actor = Self::create(|ctx| {
            let ways = (ctx.address().recipient(), ctx.address().recipient());
            post(adopt, adoption.message(owner, leg, ways));
            Self::new(env, links, new)
        });
        actor.recipient()
    }

    fn step(&mut self, input: Input, ctx: &mut Context<Self>) {
        let now = self.env.clock.now();
        self.session.handle(now, input);
        self.drain(ctx);
        self.offer_codec(now, ctx);
        self.wake.set(ctx, now, self.session.poll_timeout(), |leg, ctx| {
            leg.wake.rang();
            leg.step(Input::Tick, ctx);
        });
    }

    fn drain(&mut self, ctx: &mut Context<Self>) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Transaction(input) => self.to_layer(input),
                Output::Event(event) => self.happened(event, ctx),
            }
        }
    }

    fn happened(&mut self, event: Event, ctx: &mut Context<Self>) {
        match event {
            Event::Progress { status, sdp, sounds } if status >= 180 => {
                self.rang(status, sdp.as_deref(), sounds.filter(|_| self.early_sound == EarlySound::Told));
            }
            // The 200 brought the offer; without an answer in the ACK nobody would ever hear anything.
            Event::Established { sdp: None } if self.agreed.is_none() => {
                self.useless("the ACK brought no answer to our offer", ctx);
            }
            // An offer is answered in the moment in which it comes: none is taken back.
            Event::Progress { .. } | Event::Established { sdp: None } => {}
            Event::ReofferCancelled => self.image_withdrawn(),
            Event::Answered { sdp } => self.answered(sdp.as_deref(), ctx),
            Event::Established { sdp: Some(sdp) } | Event::EarlyAnswered { sdp } => self.take_answer(&sdp, ctx),
            Event::Ended { cause, by_remote: true } if cause == Cause::normal() => self.over(Cause::hung_up()),
            Event::FlowLost => self.tell(LegNews::FlowLost),
            Event::Rejected { cause, redirect, .. } if (300..400).contains(&cause.status) => {
                self.over_as(LegNews::Redirected { cause, contacts: redirect });
            }
            Event::Rejected { cause, flow_failed: true, .. } => self.over_as(LegNews::FlowFailed(cause)),
            Event::Rejected { cause, .. } | Event::Ended { cause, .. } => self.over(cause),
            Event::Reoffered { sdp: Some(sdp) } if self.image_offered(&sdp, ctx) => {}
            Event::Reoffered { sdp } => self.reoffered(sdp.as_deref(), ctx),
            Event::ReofferDone(result) => self.offer_answered(result, ctx),
            Event::RefreshDue => {
                let sdp = Bytes::copy_from_slice(self.description.sent().unwrap_or_default());
                self.step_later(Command::Reoffer { sdp }, ctx);
            }
            Event::IdentityDue { headers } => {
                let sdp = Bytes::copy_from_slice(self.description.sent().unwrap_or_default());
                self.step_later(Command::Identify { headers, sdp }, ctx);
            }
            Event::Referred { target, .. } => self.tell(LegNews::Refers { target }),
            Event::Lives => self.tell(LegNews::Lives),
            Event::Digit(InfoDigit { digit, millis }) => {
                let duration = Duration::from_millis(u64::from(millis));
                self.tell(LegNews::Digit { digit, duration });
            }
            Event::DigitUnsent => DigitUnsent { leg: self.leg }.emit(&self.env.metrics),
            Event::Finished => {
                self.over(Cause::normal());
                self.forget();
                ctx.stop();
            }
        }
    }

    /// The called side rings, or sends sound already. One whose answer does not fit only rings: the 200 decides.
    fn rang(&mut self, status: u16, sdp: Option<&[u8]>, sounds: Option<bool>) {
        if let (Some(dialog), None) = (self.session.early_dialog(), &self.rings_by) {
            self.rings_by = Some(dialog.clone());
            let [call_id, theirs, ours] = [dialog.call_id, dialog.remote_tag, dialog.local_tag].map(String::from);
            self.tell(LegNews::Dialog([call_id, theirs, ours]));
        }
        let described = match sdp.map(|sdp| (self.description.accept_answer(sdp), sdp)) {
            Some((Ok(negotiated), sdp)) => {
                {
                    let theirs = self.read(sdp);
                    self.agree(negotiated, theirs);
                }
                true
            }
            Some((Err(_), _)) | None => false,
        };
        // What it says of sounds holds for what it described before, too (RFC 5009 section 8).
        let codec = self.agreed.as_ref().map(|agreed| agreed.codec);
        match (sounds, codec) {
            (Some(false), _) => self.tell(LegNews::EarlySilence),
            (Some(true), Some(codec)) => self.tell(LegNews::EarlyMedia { codec, rings: false }),
            (None, Some(codec)) if described => self.tell(LegNews::EarlyMedia { codec, rings: status == 180 }),
            (None | Some(true), None) | (None, Some(_)) => self.tell(LegNews::Rang),
        }
    }

    /// The called side answered: its answer must fit our offer, or the leg is of no use.
    fn answered(&mut self, sdp: Option<&[u8]>, ctx: &mut Context<Self>) {
        let Some(sdp) = sdp else {
            // What it said before the answer was its answer (RFC 3261 section 13.2.1).
            return match &self.agreed {
                Some(agreed) => self.tell(LegNews::Answered { codec: agreed.codec }),
                None => self.useless("the answer brought no description of its media", ctx),
            };
        };
        match self.description.accept_answer(sdp) {
            Ok(negotiated) => {
                {
                    let theirs = self.read(sdp);
                    self.agree(negotiated, theirs);
                }
                self.tell(LegNews::Answered { codec: negotiated.codec });
            }
            Err(error) => self.useless(&error.to_string(), ctx),
        }
    }

    /// The answer to an offer of ours in a session that is up: in the ACK, or in the 200 to a re-INVITE.
    fn take_answer(&mut self, sdp: &[u8], ctx: &mut Context<Self>) {
        match self.description.accept_answer(sdp) {
            Ok(negotiated) => {
                let theirs = self.read(sdp);
                self.agree(negotiated, theirs);
            }
            Err(error) => self.useless(&error.to_string(), ctx),
        }
    }

    fn useless(&mut self, why: &str, ctx: &mut Context<Self>) {
        self.media_fault(why);
        self.step_later(Command::End { reason: Some(reason_value(&Cause::of(NOT_ACCEPTABLE))) }, ctx);
        self.over(Cause::of(NOT_ACCEPTABLE));
    }

    /// Its answer to an offer of ours cannot be used: there is no status for that, its peer is hung up.
    fn media_fault(&self, why: &str) {
        let Some(flow) = self.heard else { return };
        let (kind, leg) = (SipFaultKind::Media, Some(self.leg));
        let fault = crate::convert::fault(kind, self.env.clock.now(), flow, why);
        SipFault { leg, ..fault }.emit(&self.env.metrics);
    }

    /// Within [`Self::drain`] the session may not be fed; the command is, right after it.
    fn step_later(&mut self, command: Command, ctx: &mut Context<Self>) {
        let now = self.env.clock.now();
        self.session.handle(now, Input::Command(command));
        self.wake.set(ctx, now, self.session.poll_timeout(), |leg, ctx| {
            leg.wake.rang();
            leg.step(Input::Tick, ctx);
        });
    }

    fn agree(&mut self, negotiated: Negotiated, theirs: Option<Theirs>) {
        self.tell_change(negotiated.codec);
        self.agreed = Some(Agreed { codec: negotiated.codec, flow: negotiated.flow, theirs });
        if let Some(agreed) = self.description.browser_agreed() {
            self.to_media(MediaCommand::SetBrowser { leg: self.media.leg, agreed: Box::new(agreed) });
        }
        let protection = self.description.protection();
        if std::mem::replace(&mut self.protection, protection) != protection {
            self.protect();
            self.tell(LegNews::Encrypted(crate::media::told(protection)));
        }
        let negotiated = self.let_reach(negotiated);
        self.to_media(MediaCommand::SetRemote { leg: self.media.leg, negotiated });
        if self.imaging.ends() {
            self.tell(LegNews::ImageOver);
        }
        let holds = matches!(negotiated.flow, MediaFlow::RecvOnly | MediaFlow::Inactive);
        if std::mem::replace(&mut self.holds, holds) != holds {
            self.tell(LegNews::Holds(holds));
        }
    }

    fn protect(&self) {
        self.to_media(MediaCommand::Protect { leg: self.media.leg, protection: self.protection.map(Box::new) });
    }

    /// What the far end says of itself in an answer.
    fn read(&self, sdp: &[u8]) -> Option<Theirs> {
        Theirs::read(sdp, self.description.terms()).ok()
    }

    fn reoffered(&mut self, sdp: Option<&[u8]>, ctx: &mut Context<Self>) {
        let terms = self.description.terms();
        let offer = match sdp.map(|sdp| Theirs::read(sdp, terms)).transpose() {
            Ok(offer) => offer,
            Err(error) => return self.step_later(reject_reoffer(&error), ctx),
        };
        let agreed = self.agreed.as_ref().and_then(|agreed| agreed.theirs.as_ref());
        if let (Some(offer), Some(agreed), Some(sent)) = (&offer, agreed, self.description.sent())
            && agreed.repeats(offer)
            && !self.imaging.speaks()
        {
            // It only refreshes the session (RFC 4028 section 7.4): the other side has nothing to do with it.
            let sdp = Bytes::copy_from_slice(sent);
            return self.step_later(Command::AcceptReoffer { sdp }, ctx);
        }
        // Addresses, codecs and holds are between the far end and us: the other side has its own agreement, and media
        // passes from one to the other. So nobody else is asked.
        let command = self.answer_reoffer(offer);
        self.step_later(command, ctx);
    }

    fn answer_reoffer(&mut self, offer: Option<Theirs>) -> Command {
        let codecs = self.codecs();
        let Some(offer) = offer else {
            // Everything that we can, since he may have become another one (RFC 3261 section 14.2).
            let rest = Codec::ALL.into_iter().filter(|codec| !codecs.contains(codec));
            let offered: Vec<Codec> = codecs.iter().copied().chain(rest).collect();
            return Command::AcceptReoffer { sdp: self.description.make_offer(&offered, MediaFlow::SendRecv).into() };
        };
        if self.description.restarts_ice(&offer.offer) {
            self.description.set_login(self.env.media.ice_login(self.media.leg));
        }
        match self.description.make_answer(&offer.offer, &codecs, MediaFlow::SendRecv) {
            Ok((sdp, negotiated)) => {
                self.agree(negotiated, Some(offer));
                Command::AcceptReoffer { sdp: sdp.into() }
            }
            Err(error) => reject_reoffer(&error),
        }
    }

    /// The leg is of no use any more: media closes, the call is told, once.
    fn over(&mut self, cause: Cause) {
        self.over_as(LegNews::Ended(cause));
    }

    fn over_as(&mut self, last_word: LegNews) {
        if self.told {
            return;
        }
        self.to_media(MediaCommand::Close { leg: self.media.leg });
        post(&self.links.call, LegEvent { leg: self.leg, event: last_word });
        // Last, so that a fault on the way has it done again.
        self.told = true;
    }

    /// The shard gives nothing more to this leg.
    fn forget(&mut self) {
        self.finished = true;
        post(&self.links.forget, Forget { owner: self.owner });
    }

    /// After a fault of ours the session can do one thing more: say that it is over. Its transactions go on without it.
    fn end_session(&mut self) {
        let session = &mut self.session;
        let last = catch_unwind(AssertUnwindSafe(|| {
            session.abandon();
            std::iter::from_fn(|| session.poll_output()).collect::<Vec<_>>()
        }));
        for output in last.unwrap_or_default() {
            if let Output::Transaction(input) = output {
                self.to_layer(input);
            }
        }
    }

    fn to_layer(&self, input: LayerInput) {
        post(&self.links.layer, ToLayer(if self.need == Need::Help { input.for_help() } else { input }));
    }

    fn tell(&self, event: LegNews) {
        if !self.told {
            post(&self.links.call, LegEvent { leg: self.leg, event });
        }
    }

    fn to_media(&self, command: MediaCommand) {
        if let Err(error) = self.env.media.hold(command) {
            tracing::warn!(leg_id = %self.leg, %error, "a media command was not taken");
        }
    }

    /// What the session is told; none: it has no part in it.
    fn command(&mut self, command: LegCommand) -> Option<Command> {
        Some(match command {
            LegCommand::ShakeAgain => {
                self.protect();
                return None;
            }
            LegCommand::Ring => Command::Progress { status: 180, sdp: self.early_offer() },
            LegCommand::Progress { prefer, rings } => self.progress(prefer, rings),
            LegCommand::Answer { prefer } => self.answer(prefer),
            LegCommand::Reject(cause) => {
                Command::Reject { status: cause.status, phrase: None, reason: None, headers: retry_after(cause.status) }
            }
            LegCommand::RejectInWords(Cause { status, text }) => {
                Command::Reject { status, phrase: Some(text), reason: None, headers: retry_after(status) }
            }
            LegCommand::Cancel(why) => Command::End { reason: crate::convert::cancel_reason(why) },
            LegCommand::End(cause) => Command::End { reason: Some(reason_value(&cause)) },
            LegCommand::GiveUp(cause) => {
                let reason = reason_value(&cause);
                self.over(cause);
                Command::End { reason: Some(reason) }
            }
            LegCommand::AcceptTransfer => Command::AcceptRefer,
            LegCommand::RejectTransfer(status) => Command::RejectRefer { status },
            LegCommand::NotifyTransfer(status) => Command::NotifyRefer { status },
            LegCommand::Ask => Command::Ask,
            LegCommand::OfferImage(terms) => self.offer_image(terms),
            LegCommand::AnswerImage(answer) => self.answer_image(answer),
            LegCommand::OfferAudio => {
                self.due = Due::Audio;
                return self.due_audio();
            }
            LegCommand::Speak(codecs) => return self.speak(codecs),
            LegCommand::Say(text) => Command::Say { text },
            LegCommand::SendDigit { digit, duration } => {
                let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX).clamp(40, 5_000);
                Command::SendDigit(InfoDigit { digit, millis })
            }
            LegCommand::Identify(shown) => Command::Identify {
                headers: crate::convert::identity_headers(&shown),
                sdp: Bytes::copy_from_slice(self.description.sent().unwrap_or_default()),
            },
        })
    }

    /// A caller without an offer cannot be sent an answer yet: he hears his own ring-back.
    fn progress(&mut self, prefer: Option<Codec>, rings: bool) -> Command {
        let preferred: Vec<Codec> = prefer.into_iter().collect();
        if self.early.is_none()
            && let Some(offer) = self.offer.take()
        {
            match self.description.make_answer(&offer.offer, &preferred, MediaFlow::SendRecv) {
                Ok((sdp, negotiated)) => {
                    self.agree(negotiated, Some(offer));
                    self.early = Some(sdp.into());
                }
                // The 200 will find the same fault, and say so.
                Err(_) => self.offer = Some(offer),
            }
        }
        if self.early.is_none() {
            self.early_offer();
        }
        let status = if self.early.is_some() && !rings { 183 } else { 180 };
        Command::Progress { status, sdp: self.early.clone() }
    }

    /// A caller who made no offer and insists on reliable responses gets ours with the first of them (RFC 3262 section 5).
    fn early_offer(&mut self) -> Option<Bytes> {
        if self.early.is_none() && self.session.must_offer_early() {
            self.early = Some(self.description.make_offer(&[], MediaFlow::SendRecv).into());
            return self.early.clone();
        }
        None
    }

    fn answer(&mut self, prefer: Option<Codec>) -> Command {
        // What was answered before holds in the 200 (RFC 3261 section 13.2.1).
        if let Some(sdp) = self.early.take() {
            return Command::Answer { sdp };
        }
        let preferred: Vec<Codec> = prefer.into_iter().collect();
        let Some(offer) = self.offer.take() else {
            let sdp = self.description.make_offer(&preferred, MediaFlow::SendRecv);
            return Command::Answer { sdp: sdp.into() };
        };
        match self.description.make_answer(&offer.offer, &preferred, MediaFlow::SendRecv) {
            Ok((sdp, negotiated)) => {
                self.agree(negotiated, Some(offer));
                Command::Answer { sdp: sdp.into() }
            }
            Err(error) => {
                let status = error.sip_status();
                let headers = warning(status, &error.to_string()).into_iter().collect();
                Command::Reject { status, phrase: None, reason: None, headers }
            }
        }
    }

    /// The codec that is agreed on.
    fn codecs(&self) -> Vec<Codec> {
        self.agreed.iter().map(|agreed| agreed.codec).collect()
    }
}

/// Refuses an offer, with what is wrong with it.
fn reject_reoffer(error: &SdpError) -> Command {
    let status = error.sip_status();
    let headers = warning(status, &error.to_string()).into_iter().collect();
    Command::RejectReoffer { status, why: error.summary(), headers }
}

/// 503 says when to come back: a phone that tries again at once only adds to the load.
fn retry_after(status: u16) -> Vec<(String, String)> {
    if status == 503 { vec![("Retry-After".into(), "5".into())] } else { Vec::new() }
}

/// Over what a message of the peer came.
fn flow_of(from: &FromTransaction) -> Option<Flow> {
    match from {
        FromTransaction::Request { flow, .. }
        | FromTransaction::Ack { flow, .. }
        | FromTransaction::Response { flow, .. }
        | FromTransaction::Stray { flow, .. } => Some(*flow),
        FromTransaction::Cancelled { .. }
        | FromTransaction::Timeout { .. }
        | FromTransaction::TransportError { .. }
        | FromTransaction::Full { .. }
        | FromTransaction::Lost { .. }
        | FromTransaction::Misfit { .. }
        | FromTransaction::Transmit { .. } => None,
    }
}

impl Actor for LegActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(LEG_MAILBOX);
        // What the session wants at its birth: an INVITE, or a 100.
        let now = self.env.clock.now();
        self.drain(ctx);
        self.wake.set(ctx, now, self.session.poll_timeout(), |leg, ctx| {
            leg.wake.rang();
            leg.step(Input::Tick, ctx);
        });
    }
}

impl Drop for LegActor {
    /// A panic ends this leg alone: its peer is told, its media closes, its call is told, its place in the shard is
    /// given back.
    fn drop(&mut self) {
        if !self.finished {
            self.end_session();
            if catch_unwind(AssertUnwindSafe(|| self.over(Cause::of(500)))).is_err() {
                // Media itself is broken; the call has to know all the same.
                self.tell(LegNews::Ended(Cause::of(500)));
            }
            self.forget();
        }
    }
}

impl Handler<FromLayer> for LegActor {
    type Result = ();

    fn handle(&mut self, from: FromLayer, ctx: &mut Self::Context) {
        self.heard = flow_of(&from.0).or(self.heard);
        let input = match from.0 {
            FromTransaction::Request { tx, request, flow } => Input::Request { tx, request, flow },
            FromTransaction::Cancelled { tx, request, .. } => Input::Cancelled { tx, request },
            FromTransaction::Ack { request, flow } => Input::Ack { request, flow },
            FromTransaction::Response { tx, response, flow } | FromTransaction::Stray { tx, response, flow } => {
                Input::Response { tx, response, flow }
            }
            FromTransaction::Timeout { tx } => Input::Timeout { tx },
            FromTransaction::TransportError { tx } | FromTransaction::Full { tx } => Input::TransportError { tx },
            FromTransaction::Lost { tx, .. } => Input::Lost { tx },
            FromTransaction::Transmit { .. } | FromTransaction::Misfit { .. } => {
                unreachable!("SipActor sends bytes and tells of strays itself: neither goes to a leg")
            }
        };
        self.step(input, ctx);
    }
}

impl Handler<DoLeg> for LegActor {
    type Result = ();

    fn handle(&mut self, order: DoLeg, ctx: &mut Self::Context) {
        if let Some(command) = self.command(order.0) {
            self.step(Input::Command(command), ctx);
        }
        if let Some(command) = self.due_audio() {
            self.step_later(command, ctx);
        }
    }
}

impl Handler<JoinAsked> for LegActor {
    type Result = ();

    fn handle(&mut self, ask: JoinAsked, _: &mut Self::Context) {
        let (dialog, up) = (self.session.dialog(), self.session.is_up());
        match dialog {
            Some(dialog) if dialog != ask.replaces.dialog() || self.told => ask.refuse(481),
            Some(_) if up && ask.replaces.early_only => ask.refuse(486),
            // A call that its far end made is not answered by another one (RFC 3891 section 3).
            Some(_) if !up => ask.refuse(481),
            // What rings at the far end has no dialog here before it answers: the tag alone tells it.
            Some(_) | None => self.tell(LegNews::JoinAsked(Box::new(ask))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_media::Terms;

    fn theirs(version: u8, port: u16, formats: &str, flow: &str) -> Theirs {
        let body = format!(
            "v=0\r\no=- 1 {version} IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {formats}\r\na={flow}\r\n"
        );
        Theirs::read(body.as_bytes(), Terms::default()).unwrap()
    }

    #[test]
    fn only_what_says_the_same_again_is_a_refresh() {
        let agreed = theirs(1, 4_000, "0", "sendrecv");
        assert!(agreed.repeats(&theirs(1, 4_000, "0", "sendrecv")));
        assert!(agreed.repeats(&theirs(2, 4_000, "0", "sendrecv")), "only the version differs");
        assert!(agreed.repeats(&theirs(1, 4_000, "0 8", "sendrecv")), "an answer names fewer codecs than an offer");
        assert!(!agreed.repeats(&theirs(2, 4_000, "0 8", "sendrecv")));
        assert!(!agreed.repeats(&theirs(1, 4_000, "0", "sendonly")), "a hold with an old version is one");
        assert!(!agreed.repeats(&theirs(1, 4_002, "0", "sendrecv")), "another port with an old version is another");
    }
}
