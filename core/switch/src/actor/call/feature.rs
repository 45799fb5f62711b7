//! Feature codes that a caller dialled, and forwards of whoever he calls.

use actix::{AsyncContext, Context, Handler};
use plugboard_call::{Input, Onward, Op, OwnForwards, Party, Phone, Request, RingOrder, Urgency};
use plugboard_model::{Cause, Dialled, ForwardWhen, ForwardWhy, Name, RingBack, RunId, UserId};
use plugboard_office::{Feature, Forwards, SettingsChange, Source};
use std::time::Duration;

use super::{CallActor, DIRECT_RING, Rung};
use crate::message::{ChangeSettings, GetLastCaller, LastCaller, NotOffered, SettingsChanged, UserOffered};
use crate::post::post;

impl CallActor {
    /// Carries out what the caller dialled a code for.
    pub(super) fn run_feature(&mut self, feature: Feature, ctx: &mut Context<Self>) {
        let Some(me) = self.begin.caller_user.clone() else { return self.tell(Err(Cause::of(403)), ctx) };
        let done = match feature {
            Feature::Status(status) => self.set(&me, vec![SettingsChange::Status(status)], ctx),
            Feature::Forward(when, to) => self.set_forward(&me, when, to, ctx),
            Feature::Group { number, logged_in } => self.log_in(&me, number.as_ref(), logged_in, ctx),
            Feature::CallReturn => self.ask_last_caller(&me, ctx),
            Feature::Intercom(number) => self.intercom(&number, ctx),
            Feature::Supervise(number) => self.supervise(&me, &number, ctx),
            Feature::Mailbox(number) => self.dialled_mailbox(number.as_ref(), ctx),
            // Whoever takes a call that is elsewhere comes as `Takes`.
            Feature::PickUp(_) | Feature::Park(_) => Err(Cause::of(500)),
        };
        if let Err(cause) = done {
            self.tell(Err(cause), ctx);
        }
    }

    fn tell(&mut self, done: Result<(), Cause>, ctx: &mut Context<Self>) {
        self.feed(Input::Request { op: Op::Direct, request: Request::Tell(done) }, ctx);
    }

    /// The answer is `SettingsChanged`.
    fn set(&self, user: &UserId, changes: Vec<SettingsChange>, ctx: &mut Context<Self>) -> Result<(), Cause> {
        let handle = self.snapshot.users.get(user).ok_or_else(|| Cause::of(404))?;
        post(&handle.set, ChangeSettings { changes, reply: Some(ctx.address().recipient()) });
        Ok(())
    }

    /// A number that he could not dial himself is no place for his calls. What he may dial at certain times is one: when a call
    /// comes, it is looked whether he could just then.
    fn set_forward(
        &self,
        me: &UserId,
        when: ForwardWhen,
        to: Option<Dialled>,
        ctx: &mut Context<Self>,
    ) -> Result<(), Cause> {
        if let Some(to) = &to {
            let source = Source::User(me.clone());
            let at_times = self.office.help(to).is_none() && self.office.leads_at_times(&source, to);
            self.onward(me, to).map(drop).or_else(|cause| if at_times { Ok(()) } else { Err(cause) })?;
        }
        self.set(me, vec![SettingsChange::Forward(when, to)], ctx)
    }

    fn log_in(
        &self,
        me: &UserId,
        number: Option<&Dialled>,
        logged_in: bool,
        ctx: &mut Context<Self>,
    ) -> Result<(), Cause> {
        let asked = |group: &plugboard_office::Group| number.is_none_or(|number| group.number.as_ref() == Some(number));
        let is_member = |group: &plugboard_office::Group| group.members.iter().any(|member| member.user == *me);
        let groups: Vec<Name> = self
            .office
            .groups()
            .filter(|group| asked(group) && is_member(group))
            .map(|group| group.id.name.clone())
            .collect();
        if groups.is_empty() {
            return Err(Cause { status: 404, text: "he is in no such group".into() });
        }
        self.set(me, groups.into_iter().map(|group| SettingsChange::Group { group, logged_in }).collect(), ctx)
    }

    /// The answer is `LastCaller`.
    fn ask_last_caller(&self, me: &UserId, ctx: &mut Context<Self>) -> Result<(), Cause> {
        let handle = self.snapshot.users.get(me).ok_or_else(|| Cause::of(404))?;
        post(&handle.last_caller, GetLastCaller(ctx.address().recipient()));
        Ok(())
    }

    /// Only a user who allows it is spoken to without his picking up.
    fn intercom(&mut self, number: &Dialled, ctx: &mut Context<Self>) -> Result<(), Cause> {
        let Some(user) = self.office.find_user(number.as_str()) else {
            return Err(Cause { status: 404, text: "no user has this number".into() });
        };
        if !user.intercom {
            return Err(Cause { status: 403, text: "he does not take intercom calls".into() });
        }
        let party = Party::User(user.id.clone());
        self.rung = Rung::Intercom;
        self.ring_directly(vec![party], RingOrder::One, ctx);
        Ok(())
    }

    fn ring_directly(&mut self, parties: Vec<Party>, order: RingOrder, ctx: &mut Context<Self>) {
        let request = Request::Ring { parties, order, ring_for: DIRECT_RING, ring_back: RingBack::Tone };
        self.feed(Input::Request { op: Op::Direct, request }, ctx);
    }

    // ---- forwards -------------------------------------------------------------------------------------------

    /// What a called user dials in place of the caller.
    fn onward(&self, user: &UserId, to: &Dialled) -> Result<Onward, Cause> {
        self.reached_in_place_of(user, to).map_err(|(status, why)| Cause { status, text: why.into() })
    }

    /// The same where a forward of his applies. Whoever answers outside may have to show that he is no mailbox.
    fn forwarded(&self, user: &UserId, when: ForwardWhen, to: &Dialled) -> Result<Onward, Cause> {
        let mut onward = self.onward(user, to)?;
        let key = self.office.user(user).and_then(|user| user.forward_keys.get(&when)).copied().unwrap_or_default();
        if key.confirm.unwrap_or_else(|| self.call.steps_follow()) {
            self.ask_for_a_key(user, &mut onward, key.confirm_within);
        }
        Ok(onward)
    }

    /// Whoever answers in the place of a user, outside, is asked for a key, in that user's language. Not one who is called for help.
    pub(super) fn ask_for_a_key(&self, user: &UserId, onward: &mut Onward, within: Duration) {
        let language = self.office.user(user).and_then(|user| user.language.as_ref()).unwrap_or(&self.office.language);
        for party in &mut onward.parties {
            if let Party::Outside { ways, phone: phone @ None } = party
                && ways.iter().all(|way| way.urgency == Urgency::Usual)
            {
                *phone = Some(Phone { of: None, confirm: Some(self.confirm(within, language)) });
            }
        }
    }

    /// Where his calls go once he was rung; what the office does not let him dial is told, and he rings on.
    fn own_forwards(&self, user: &UserId, forwards: &Forwards) -> OwnForwards {
        let to = |when| {
            let to = forwards.to(when)?;
            let told = |cause: &Cause| {
                tracing::warn!(call_id = %self.id, %user, %when, reason = cause.text, "a forward leads nowhere");
            };
            self.forwarded(user, when, to).inspect_err(told).ok()
        };
        OwnForwards {
            busy: to(ForwardWhen::Busy),
            no_answer: to(ForwardWhen::NoAnswer).map(|onward| (forwards.after, onward)),
            unreachable: to(ForwardWhen::Unreachable),
        }
    }

    /// Whether a run rings people as members of a group: its action is given one. Their own forwards are not for its calls.
    pub(super) fn serves_a_group(&self, run: RunId) -> bool {
        let Some(installed) = self.components.get(&run) else { return false };
        let properties = installed.manifest().parameters.get("properties").and_then(|all| all.as_object());
        properties.is_some_and(|all| all.values().any(|one| one.get("x-type").is_some_and(|noun| noun == "group")))
    }
}

impl Handler<SettingsChanged> for CallActor {
    type Result = ();

    fn handle(&mut self, changed: SettingsChanged, ctx: &mut Self::Context) {
        let done = changed.0.map(drop).map_err(|fault| Cause { status: 403, text: fault.to_string() });
        self.tell(done, ctx);
    }
}

impl Handler<LastCaller> for CallActor {
    type Result = ();

    fn handle(&mut self, last: LastCaller, ctx: &mut Self::Context) {
        let nobody = || Cause { status: 404, text: "nobody has called him".into() };
        let reached = self.begin.caller_user.clone().zip(last.0).ok_or_else(nobody);
        let dials = |(me, number)| {
            let reached = self.reached_by(&Source::User(me), &number);
            reached.map_err(|(status, why)| Cause { status, text: why.into() })
        };
        match reached.and_then(dials) {
            Ok((parties, order)) => self.ring_directly(parties, order, ctx),
            Err(cause) => self.tell(Err(cause), ctx),
        }
    }
}

impl Handler<UserOffered> for CallActor {
    type Result = ();

    fn handle(&mut self, offered: UserOffered, ctx: &mut Self::Context) {
        let UserOffered { user, offer, forward } = offered;
        let input = match offer {
            Ok((mut words, devices)) => {
                if let Some(forward) = forward {
                    words.forwards = self.own_forwards(&user, &forward);
                }
                // Devices that wake up come after those that rang at once.
                self.devices.entry(user.clone()).or_default().extend(devices);
                Input::UserOffers { user, offer: Ok(words) }
            }
            Err(NotOffered::Refused(cause)) => Input::UserOffers { user, offer: Err(cause) },
            Err(NotOffered::Forwards { why, to }) => {
                let when = match why {
                    ForwardWhy::Unconditional | ForwardWhy::Deflection => ForwardWhen::Always,
                    ForwardWhy::Busy | ForwardWhy::DoNotDisturb => ForwardWhen::Busy,
                    ForwardWhy::NoAnswer => ForwardWhen::NoAnswer,
                    ForwardWhy::Unavailable => ForwardWhen::Unreachable,
                };
                let to = self.forwarded(&user, when, &to);
                Input::UserForwards { user, why, to }
            }
        };
        self.feed(input, ctx);
    }
}
