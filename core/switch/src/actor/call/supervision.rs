//! Calls that somebody listens to, and the calls of those who listen.
//!
//! The two who talk sit down in a room while somebody supervises them, and he beside them; when he leaves they are bridged again.

use actix::{AsyncContext, Context, Handler, Recipient};
use plugboard_call::{Input, Op, Request};
use plugboard_media::{Command as MediaCommand, MediaLeg, Rate, Role, Room};
use plugboard_model::{Cause, ConferenceRequest, Dialled, JournalEvent, LegId, UserId};

use super::CallActor;
use crate::message::{Supervise, SuperviseNo, Supervised, SupervisedOver};
use crate::post::post;
use crate::talks::Talk;

/// Who hears a call besides those who talk.
#[derive(Default)]
pub(super) struct Supervision {
    /// The talks of the users among those who talk.
    talks: Vec<Talk>,
    /// Where they all sit while somebody listens.
    room: Option<Room>,
    /// The two who sit there to talk.
    seated: Vec<MediaLeg>,
    /// The calls of those who listen.
    by: Vec<Recipient<SupervisedOver>>,
    /// The call that this one listens to.
    of: Option<Listening>,
}

/// The other call, and whom a whisper is for.
struct Listening {
    room: Room,
    whom: MediaLeg,
    call: Recipient<SuperviseNo>,
    /// He hears it; else he hung up before.
    sits: bool,
}

impl CallActor {
    // ---- the call that is listened to -----------------------------------------------------------------------

    /// Two legs hear each other; with whoever supervises them.
    pub(super) fn bridge(&mut self, anchor: LegId, peer: LegId) {
        let (Some(a), Some(b)) = (self.media_of(anchor), self.media_of(peer)) else { return };
        match self.supervision.room.clone() {
            None => self.to_media(MediaCommand::Bridge { a, b }),
            Some(room) => {
                self.supervision.seated = vec![a, b];
                for (leg, partner) in [(a, b), (b, a)] {
                    let (room, role, partner) = (room.clone(), Role::Talks, Some(partner));
                    self.to_media(MediaCommand::Sit { leg, room, role, partner });
                }
            }
        }
    }

    /// Whether somebody listens, so that all is mixed anyway.
    pub(super) const fn is_supervised(&self) -> bool {
        self.supervision.room.is_some()
    }

    pub(super) fn unbridge(&mut self, peer: LegId) {
        if let Some(leg) = self.media_of(peer) {
            self.to_media(MediaCommand::Unbridge { leg });
        }
        for leg in std::mem::take(&mut self.supervision.seated) {
            self.to_media(MediaCommand::Stand { leg });
        }
        // Whoever talks next may be somebody who is not to be listened to.
        self.supervision.room = None;
        self.supervision_over();
    }

    /// The users among these two can be listened to from now on.
    pub(super) fn talk_begins(&mut self, legs: [LegId; 2], ctx: &Context<Self>) {
        let users = legs.into_iter().filter_map(|leg| self.call.party(leg)?.0.cloned());
        let talks = &self.snapshot.talks;
        self.supervision.talks =
            users.map(|user| talks.begin(user, self.id.clone(), ctx.address().recipient())).collect();
    }

    fn leg_of(&self, user: &UserId) -> Option<LegId> {
        let anchor = self.call.anchor();
        let both = [Some(anchor), self.call.talks_to(anchor)];
        both.into_iter().flatten().find(|leg| self.call.party(*leg).is_some_and(|(of, _)| of == Some(user)))
    }

    /// Nobody is left to be listened to.
    pub(super) fn supervision_over(&mut self) {
        self.supervision.talks.clear();
        for call in std::mem::take(&mut self.supervision.by) {
            post(&call, SupervisedOver);
        }
    }

    // ---- the call of who listens ----------------------------------------------------------------------------

    pub(super) fn supervise(&mut self, me: &UserId, number: &Dialled, ctx: &mut Context<Self>) -> Result<(), Cause> {
        let refused = |status, text: &str| Err(Cause { status, text: text.into() });
        let Some(user) = self.office.find_user(number.as_str()) else {
            return refused(404, "no user has this number");
        };
        if !self.office.supervises(me, &user.id) {
            return refused(403, "he does not supervise this user");
        }
        let Some(call) = self.snapshot.talks.of(&user.id) else {
            return refused(480, "the user talks to nobody");
        };
        let ours = ctx.address();
        let (answer, over) = (ours.clone().recipient(), ours.recipient());
        post(&call, Supervise { whom: user.id.clone(), by: me.clone(), answer, over });
        Ok(())
    }

    /// Seats the leg of who supervises; whether this call is his.
    pub(super) fn sits_as_supervisor(&mut self, media: MediaLeg) -> bool {
        let Some(Listening { room, sits, .. }) = &mut self.supervision.of else { return false };
        *sits = true;
        let room = room.clone();
        self.to_media(MediaCommand::Sit { leg: media, room, role: Role::Listens, partner: None });
        true
    }

    /// He lets them alone.
    pub(super) fn stops_supervising(&mut self, ctx: &Context<Self>) {
        if let Some(Listening { call, .. }) = self.supervision.of.take() {
            post(&call, SuperviseNo { over: ctx.address().recipient() });
        }
    }

    /// What a key of who supervises changes; whether this call is his.
    pub(super) fn supervisor_presses(&self, leg: LegId, key: char) -> bool {
        let (Some(Listening { room, whom, .. }), Some(media)) = (&self.supervision.of, self.media_of(leg)) else {
            return false;
        };
        let role = match key {
            '1' => Role::Listens,
            '2' => Role::Whispers(*whom),
            '3' => Role::Talks,
            _ => return true,
        };
        self.to_media(MediaCommand::Sit { leg: media, room: room.clone(), role, partner: None });
        true
    }
}

impl Handler<Supervise> for CallActor {
    type Result = ();

    fn handle(&mut self, ask: Supervise, ctx: &mut Self::Context) {
        let anchor = self.call.anchor();
        let both = self.call.talks_to(anchor).zip(self.leg_of(&ask.whom));
        let Some((peer, whom)) = both.and_then(|(peer, leg)| Some((peer, self.media_of(leg)?))) else {
            return post(&ask.answer, Supervised(Err(Cause { status: 480, text: "the user talks to nobody".into() })));
        };
        // Most calls are narrow, and the few that are not lose nothing in the wider room.
        let room = self.supervision.room.get_or_insert_with(|| Room::new(Rate::Wide)).clone();
        self.bridge(anchor, peer);
        self.supervision.by.push(ask.over);
        self.journal.note(self.now(), JournalEvent::Note { text: format!("user {} supervises the call", ask.by.name) });
        self.journal.flush();
        post(&ask.answer, Supervised(Ok((room, whom, ctx.address().recipient()))));
    }
}

impl Handler<Supervised> for CallActor {
    type Result = ();

    fn handle(&mut self, supervised: Supervised, ctx: &mut Self::Context) {
        /// Longer than any talk.
        const MAX_MS: u32 = 43_200_000;
        let request = match supervised.0 {
            Err(cause) => Request::Tell(Err(cause)),
            Ok((room, whom, call)) => {
                self.supervision.of = Some(Listening { room, whom, call, sits: false });
                Request::Confer(ConferenceRequest {
                    room: String::new(),
                    listens: true,
                    seats_max: 2,
                    max_ms: MAX_MS,
                    leave_on: None,
                    beep: false,
                })
            }
        };
        self.feed(Input::Request { op: Op::Direct, request }, ctx);
        if self.supervision.of.as_ref().is_some_and(|listening| !listening.sits) {
            self.stops_supervising(ctx);
        }
    }
}

impl Handler<SuperviseNo> for CallActor {
    type Result = ();

    fn handle(&mut self, no: SuperviseNo, _: &mut Self::Context) {
        self.supervision.by.retain(|by| *by != no.over);
        if !self.supervision.by.is_empty() || self.supervision.room.take().is_none() {
            return;
        }
        self.supervision.seated.clear();
        let anchor = self.call.anchor();
        if let Some(peer) = self.call.talks_to(anchor) {
            self.bridge(anchor, peer);
        }
    }
}

impl Handler<SupervisedOver> for CallActor {
    type Result = ();

    fn handle(&mut self, _: SupervisedOver, ctx: &mut Self::Context) {
        self.feed(Input::HangUp(Cause::normal()), ctx);
    }
}
