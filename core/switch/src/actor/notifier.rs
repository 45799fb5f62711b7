//! The subscriptions of one shard: asks users how they are, and tells who subscribed.

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, Recipient};
use plugboard_metrics::{EventPackage, NotifySent, SubscriptionBegan, SubscriptionEnded};
use plugboard_model::{Mailbox, OfficeId, UserId};
use plugboard_sip::event::{Asked, Content, Input, LIMITS, Notifier, Output, Package};
use plugboard_sip::transaction::{Input as LayerInput, Output as FromTransaction};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::actor::calls::ServeSip;
use crate::env::Env;
use crate::message::{
    Drain, FromLayer, GetHoldings, Hire, Holdings, MailboxShows, PlaceShows, PressKey, ShowTo, TakeSubscription,
    ToLayer, UseSnapshot, UserShows, UserView, Watched,
};
use crate::post::post;
use crate::shard::{AGENT, NOTIFIER, Owners};
use crate::snapshot::Snapshot;
use crate::wake::Wake;

/// A thousand phones that subscribe to twenty lamps each after a restart are 20,000 requests, which come over some seconds;
/// past a burst of 16,384 they wait for a place.
const NOTIFIER_MAILBOX: usize = 16_384;

/// Runs a [`Notifier`].
pub(crate) struct NotifierActor {
    env: Env,
    shard: usize,
    snapshot: Arc<Snapshot>,
    owners: Owners,
    layer: Option<Recipient<ToLayer>>,
    notifier: Notifier<Watched>,
    /// The users who tell us how they are: for whom, and what they told last.
    users: BTreeMap<UserId, Told>,
    wake: Wake,
}

#[derive(Default)]
struct Told {
    /// He himself, and groups that he is in.
    watched: BTreeSet<Watched>,
    view: Option<Arc<UserView>>,
}

impl NotifierActor {
    pub(crate) fn new(env: Env, shard: usize, snapshot: Arc<Snapshot>) -> Self {
        Self {
            env,
            shard,
            snapshot,
            owners: Owners::new(shard),
            layer: None,
            notifier: Notifier::new(NOTIFIER, AGENT, LIMITS),
            users: BTreeMap::new(),
            wake: Wake::default(),
        }
    }

    fn feed(&mut self, input: Input<Watched>, ctx: &mut Context<Self>) {
        self.notifier.handle(self.env.clock.now(), input);
        while let Some(output) = self.notifier.poll_output() {
            self.carry(output, ctx);
        }
        let (now, at) = (self.env.clock.now(), self.notifier.poll_timeout());
        self.wake.set(ctx, now, at, |notifier, ctx| {
            notifier.wake.rang();
            notifier.feed(Input::Tick, ctx);
        });
    }

    fn carry(&mut self, output: Output<Watched>, ctx: &mut Context<Self>) {
        match output {
            Output::Layer(input) => self.to_layer(*input),
            Output::Watch(watched) => self.watch(&watched, ctx),
            Output::Unwatch(watched) => self.unwatch(&watched),
            Output::Wish(user, wish) => {
                if let Some(handle) = self.snapshot.users.get(&user) {
                    post(&handle.key, PressKey(wish));
                }
            }
            Output::Began(package) => SubscriptionBegan(label(package)).emit(&self.env.metrics),
            Output::Ended(package) => SubscriptionEnded(label(package)).emit(&self.env.metrics),
            Output::Notified(package) => NotifySent(label(package)).emit(&self.env.metrics),
        }
    }

    fn to_layer(&self, input: LayerInput) {
        if let Some(layer) = &self.layer {
            post(layer, ToLayer(input));
        }
    }

    /// The users that must be asked to tell of this; none when it is gone.
    fn users_of(&self, watched: &Watched) -> Vec<UserId> {
        let offices = &self.snapshot.configuration.offices;
        match watched {
            Watched::User(user) => vec![user.clone()],
            Watched::Group(group) => {
                let group = offices.get(&group.office).and_then(|office| office.group(group));
                group.into_iter().flat_map(|group| &group.members).map(|member| member.user.clone()).collect()
            }
            Watched::Place(..) => Vec::new(),
        }
    }

    fn watch(&mut self, watched: &Watched, ctx: &mut Context<Self>) {
        for user in self.users_of(watched) {
            let Some(handle) = self.snapshot.users.get(&user) else { continue };
            let told = self.users.entry(user).or_default();
            if told.watched.is_empty() {
                post(&handle.show, ShowTo { shard: self.shard, news: Some(ctx.address().recipient()) });
            }
            told.watched.insert(watched.clone());
        }
        // What is known already, and groups without members, are told of at once: after this input.
        ctx.notify(Retell(watched.clone()));
    }

    /// What is watched may have other users now: those who are the same are asked nothing.
    fn watch_anew(&mut self, watched: &Watched, ctx: &mut Context<Self>) {
        let users: BTreeSet<UserId> = self.users_of(watched).into_iter().collect();
        self.let_go(watched, |user| !users.contains(user));
        self.watch(watched, ctx);
    }

    /// Whoever is no member of a group any more is told of its messages no longer.
    fn leave_mailbox(&mut self, watched: &Watched, ctx: &mut Context<Self>) {
        let Watched::Group(group) = watched else { return };
        let office = self.snapshot.configuration.offices.get(&group.office);
        let mailbox = Mailbox::Group(group.clone());
        let may = |user: &UserId| office.is_some_and(|office| office.has_mailbox(user, &mailbox));
        let left: Vec<UserId> =
            self.notifier.watchers_of(watched, Package::Messages).filter(|user| !may(user)).cloned().collect();
        for user in left {
            self.feed(Input::Barred(user, watched.clone(), Package::Messages), ctx);
        }
    }

    fn unwatch(&mut self, watched: &Watched) {
        self.let_go(watched, |_| true);
    }

    /// These need not tell any more how they are, as far as it is for this.
    fn let_go(&mut self, watched: &Watched, these: impl Fn(&UserId) -> bool) {
        let (snapshot, shard) = (&self.snapshot, self.shard);
        self.users.retain(|user, told| {
            if these(user) {
                told.watched.remove(watched);
            }
            if told.watched.is_empty()
                && let Some(handle) = snapshot.users.get(user)
            {
                post(&handle.show, ShowTo { shard, news: None });
            }
            !told.watched.is_empty()
        });
    }

    /// How something is, as far as it is known; `None` when there is no such thing.
    fn contents(&self, watched: &Watched) -> Option<Vec<Arc<Content>>> {
        let offices = &self.snapshot.configuration.offices;
        match watched {
            Watched::User(id) => {
                let office = offices.get(&id.office)?;
                let user = office.user(id)?;
                let view = self.users.get(id).and_then(|told| told.view.as_ref());
                let messages = self.snapshot.mailboxes.counts(&Mailbox::User(id.clone()));
                Some(view.map(|view| crate::contents::of_user(office, user, view, messages)).unwrap_or_default())
            }
            Watched::Group(id) => {
                let office = offices.get(&id.office)?;
                let group = office.group(id)?;
                let views: Option<Vec<&UserView>> = self
                    .users_of(watched)
                    .iter()
                    .map(|user| self.users.get(user).and_then(|told| told.view.as_deref()))
                    .collect();
                // Not before everybody was heard: half a group is not how it is.
                let content = views.map(|views| crate::contents::of_group(office, group, views.into_iter()));
                let messages = self.snapshot.mailboxes.counts(&Mailbox::Group(id.clone()));
                let mailbox = crate::contents::of_group_mailbox(office, group, messages);
                Some(content.into_iter().chain([mailbox]).collect())
            }
            Watched::Place(id, place) => {
                let office = offices.get(id).filter(|office| (1..=office.park.places).contains(place))?;
                let parked = self.snapshot.parking.shows(id, *place);
                Some(vec![crate::contents::of_place(office, *place, parked.as_ref())?])
            }
        }
    }

    fn retell(&mut self, watched: &Watched, ctx: &mut Context<Self>) {
        match self.contents(watched) {
            Some(contents) => {
                for content in contents {
                    self.feed(Input::Shows(watched.clone(), content), ctx);
                }
            }
            None => self.feed(Input::Gone(watched.clone()), ctx),
        }
    }
}

fn label(package: Package) -> EventPackage {
    match package {
        Package::Dialog => EventPackage::Dialog,
        Package::Presence => EventPackage::Presence,
        Package::Messages => EventPackage::Messages,
        Package::Features => EventPackage::Features,
    }
}

/// Command: tell once more what is known of this. From the actor to itself.
#[derive(actix::Message)]
#[rtype(result = "()")]
struct Retell(Watched);

impl Actor for NotifierActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(NOTIFIER_MAILBOX);
    }
}

impl Handler<ServeSip> for NotifierActor {
    type Result = ();
    fn handle(&mut self, serve: ServeSip, ctx: &mut Self::Context) {
        self.layer = Some(serve.0.clone().recipient());
        self.snapshot.parking.watch(ctx.address().recipient());
        self.snapshot.mailboxes.watch(ctx.address().recipient());
        post(&serve.0.recipient(), Hire { owner: NOTIFIER, events: ctx.address().recipient() });
    }
}

impl Handler<TakeSubscription> for NotifierActor {
    type Result = ();
    fn handle(&mut self, take: TakeSubscription, ctx: &mut Self::Context) {
        let TakeSubscription { tx, request, flow, watcher, watched: resource, tag } = take;
        let contact = self.owners.local(NOTIFIER, flow, &*self.env.random).contact;
        let asked = Asked { tx, request, flow, watcher, resource, tag, contact };
        self.feed(Input::Subscribe(Box::new(asked)), ctx);
    }
}

impl Handler<FromLayer> for NotifierActor {
    type Result = ();
    fn handle(&mut self, from: FromLayer, ctx: &mut Self::Context) {
        let input = match from.0 {
            FromTransaction::Request { tx, request, flow } => Input::Again { tx, request: Box::new(request), flow },
            FromTransaction::Response { tx, response, .. } => Input::Response(tx, Box::new(response)),
            FromTransaction::Timeout { tx } | FromTransaction::TransportError { tx } | FromTransaction::Full { tx } => {
                Input::Failed(tx)
            }
            // Of INVITEs, which it neither sends nor takes, and bytes, which go to nobody.
            FromTransaction::Stray { .. }
            | FromTransaction::Cancelled { .. }
            | FromTransaction::Ack { .. }
            | FromTransaction::Lost { .. }
            | FromTransaction::Misfit { .. }
            | FromTransaction::Transmit { .. } => return,
        };
        self.feed(input, ctx);
    }
}

impl Handler<UserShows> for NotifierActor {
    type Result = ();
    fn handle(&mut self, shows: UserShows, ctx: &mut Self::Context) {
        let Some(told) = self.users.get_mut(&shows.user) else { return };
        if told.view.as_ref().is_some_and(|known| known.version >= shows.view.version) {
            return;
        }
        told.view = Some(shows.view);
        for watched in told.watched.clone() {
            self.retell(&watched, ctx);
        }
    }
}

impl Handler<PlaceShows> for NotifierActor {
    type Result = ();
    fn handle(&mut self, PlaceShows { office, place }: PlaceShows, ctx: &mut Self::Context) {
        let watched = Watched::Place(office, place);
        if self.notifier.watches(&watched) {
            self.retell(&watched, ctx);
        }
    }
}

impl Handler<MailboxShows> for NotifierActor {
    type Result = ();
    fn handle(&mut self, MailboxShows(mailbox): MailboxShows, ctx: &mut Self::Context) {
        let watched = match mailbox {
            Mailbox::User(user) => Watched::User(user),
            Mailbox::Group(group) => Watched::Group(group),
        };
        if self.notifier.watches(&watched) {
            self.retell(&watched, ctx);
        }
    }
}

impl Handler<Retell> for NotifierActor {
    type Result = ();
    fn handle(&mut self, retell: Retell, ctx: &mut Self::Context) {
        self.retell(&retell.0, ctx);
    }
}

impl Handler<UseSnapshot> for NotifierActor {
    type Result = ();
    fn handle(&mut self, snapshot: UseSnapshot, ctx: &mut Self::Context) {
        let before = std::mem::replace(&mut self.snapshot, snapshot.0);
        let gone = |user: &&UserId| !self.snapshot.users.contains_key(*user);
        let left: Vec<UserId> = self.notifier.watchers().filter(gone).cloned().collect();
        for user in left {
            self.feed(Input::Left(user), ctx);
        }
        // Who is stood for by another actor now, or by none, is asked anew.
        let actor = |snapshot: &Snapshot, user: &UserId| snapshot.users.get(user).map(|handle| handle.show.clone());
        self.users.retain(|user, _| actor(&before, user).is_some_and(|then| actor(&self.snapshot, user) == Some(then)));
        // A group may have other members now, and the office may show more or less. Of an office that is as it was nothing is
        // different.
        let office = |snapshot: &Snapshot, id: &OfficeId| snapshot.configuration.offices.get(id).cloned();
        let changed = |watched: &&Watched| {
            let (then, now) = (office(&before, watched.office()), office(&self.snapshot, watched.office()));
            then.zip(now).is_none_or(|(then, now)| !Arc::ptr_eq(&then, &now))
        };
        let watched: Vec<Watched> = self.notifier.watched().filter(changed).cloned().collect();
        for watched in watched {
            self.leave_mailbox(&watched, ctx);
            self.watch_anew(&watched, ctx);
        }
    }
}

impl Handler<Drain> for NotifierActor {
    type Result = ();
    fn handle(&mut self, _: Drain, ctx: &mut Self::Context) {
        self.feed(Input::Leave, ctx);
    }
}

impl Handler<GetHoldings> for NotifierActor {
    type Result = MessageResult<GetHoldings>;
    fn handle(&mut self, _: GetHoldings, _: &mut Self::Context) -> Self::Result {
        MessageResult(Holdings { subscriptions: self.notifier.len(), ..Holdings::default() })
    }
}
