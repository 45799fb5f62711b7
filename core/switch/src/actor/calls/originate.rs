//! Calls that nobody makes: the switch calls somebody itself, by the routes and within the limits of a user.

use actix::{Actor, Context, Handler};
use plugboard_call::{Begin, Origin, Party, Request as CallRequest, RingOrder};
use plugboard_media::Codec;
use plugboard_model::{CallId, Cause, Dialled, FaxTry};
use plugboard_office::{Inquiry, Office, Source, Treatment};
use std::sync::Arc;

use super::{CallsActor, MAX_FORWARDS, Plan};
use crate::actor::call::{CallActor, NewCall};
use crate::diversion::Brought;
use crate::identity::Caller;
use crate::message::{Errand, Originate, end_of_cause};

/// Whether a machine may call there: wherever the user may, but for help and for features, which are for people, and for our own
/// scenarios, which answer those who call from elsewhere.
///
/// # Errors
/// The cause of the refusal.
pub(crate) fn may_be_called(office: &Office, treatment: &Treatment, to: &Dialled) -> Result<(), Cause> {
    let refused = |text: &str| Err(Cause { status: 403, text: text.into() });
    if office.help(to).is_some() {
        return refused("A machine does not call for help");
    }
    match treatment {
        Treatment::DirectUser(_) | Treatment::DirectGroup(_) | Treatment::Outbound { .. } => Ok(()),
        Treatment::Emergency { .. } => refused("A machine does not call for help"),
        Treatment::Feature(_) => refused("A feature code is for people"),
        Treatment::Scenario { .. } => refused("A scenario of this office answers there"),
        Treatment::Refused(cause) => Err(cause.clone()),
    }
}

impl CallsActor {
    fn originate(&mut self, asked: Originate, ctx: &Context<Self>) {
        match self.prepare(&asked) {
            Ok((office, plan)) => self.start_errand(asked, &office, plan, ctx),
            Err(cause) => match asked.errand {
                Errand::Fax(fax) => {
                    let tried = FaxTry::without_call(fax.report.began(), self.env.clock.wall(), end_of_cause(&cause));
                    fax.report.give(tried);
                }
                // Another user may be let call there, or the same one later.
                Errand::CallBack(back) => {
                    let (user, to, reason) = (&back.user, asked.to.as_str(), &cause.text);
                    tracing::warn!(%user, to, reason, "nobody can be called back");
                }
            },
        }
    }

    fn prepare(&self, asked: &Originate) -> Result<(Arc<Office>, Plan), Cause> {
        let not_found = |what: String| Cause { status: 404, text: what };
        let office = self.snapshot.configuration.offices.get(&asked.office).cloned();
        let office = office.ok_or_else(|| not_found(format!("No office {}", asked.office)))?;
        let from = office.user(&asked.from).ok_or_else(|| not_found(format!("No user {}", asked.from.name)))?;
        if !self.has_room(false) {
            return Err(Cause { status: 503, text: "As many calls go on as the switch takes".into() });
        }
        let source = Source::User(from.id.clone());
        let treatment = office.route(&Inquiry::new(&source, &asked.to, self.env.clock.wall()));
        may_be_called(&office, &treatment, &asked.to)?;
        let plan = self.plan(&office, &source, treatment).map_err(|refusal| refusal.cause)?;
        Ok((office, plan))
    }

    fn start_errand(&mut self, asked: Originate, office: &Arc<Office>, plan: Plan, ctx: &Context<Self>) {
        let Originate { from, to, ring_for, mut errand, .. } = asked;
        // Whoever waits for the errand is told when it is dropped.
        let Some(links) = self.links(ctx) else { return };
        let Some(CallRequest::Ring { parties, order, .. }) = plan.direct else { return };
        let (parties, order) = match &mut errand {
            Errand::Fax(_) => (parties, order),
            // Whoever was free is rung first: who is called back shall not wait again.
            Errand::CallBack(back) => {
                back.parties = parties;
                (vec![Party::User(back.user.clone())], RingOrder::One)
            }
        };
        let mut random = [0; 16];
        self.env.random.fill(&mut random);
        let random = crate::events::random_with_shard(u128::from_be_bytes(random), self.shard);
        let wall = self.env.clock.wall();
        let id = CallId::new(office.id.clone(), wall, random);
        let is_back = matches!(errand, Errand::CallBack(_));
        let mut caller = Caller::of_user(office, &from);
        let mut called = to.as_str().to_owned();
        if is_back {
            // It is his call: he is shown to whoever is rung for him.
            std::mem::swap(&mut caller.number, &mut called);
            (caller.name, caller.user) = (String::new(), None);
        }
        let begin = Begin {
            id: id.clone(),
            wall,
            direction: plan.direction,
            caller: caller.number,
            caller_name: caller.name,
            caller_user: caller.user,
            caller_gateway: None,
            called,
            route: plan.route,
            scenario: None,
            forwarded: 0,
            call_back: false,
            origin: Origin::Ours,
        };
        let live = super::live(&begin);
        let new = NewCall {
            begin,
            office: Arc::clone(office),
            snapshot: Arc::clone(&self.snapshot),
            owners: self.owners.clone(),
            media_shard: self.shard % self.env.media.shards(),
            direct: Some(CallRequest::CallOut { parties, order, ring_for }),
            script: None,
            feature: None,
            max_forwards: MAX_FORWARDS,
            hides: false,
            proven: true,
            brought: Brought::default(),
            channel: None,
            // What a modem passes through.
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            takes: None,
            caller_at: None,
            back_to: Vec::new(),
            awaited: self.awaited.clone(),
            errand: Some(errand),
        };
        let env = self.env.clone();
        let call = CallActor::create(|_| CallActor::new(env, links, new));
        self.keep(id, call, live);
    }
}

impl Handler<Originate> for CallsActor {
    type Result = ();
    fn handle(&mut self, asked: Originate, ctx: &mut Self::Context) {
        self.originate(asked, ctx);
    }
}
