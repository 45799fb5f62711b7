//! SUBSCRIBE and PUBLISH: who may watch whom.

use actix::{AsyncContext, Context};
use plugboard_model::{Dialled, Mailbox, UserId, WallTime};
use plugboard_office::{Feature, Inquiry, Office, Source, Treatment};
use plugboard_sip::event::{ALLOW_EVENTS, Package, publishes_presence};
use plugboard_sip::flow::Flow;
use plugboard_sip::transaction::ServerTx;
use plugboard_sip::{Abilities, Method, Request, Response};

use super::SipActor;
use super::login::Challenger;
use crate::message::{Publish, TakeSubscription, Watched};
use crate::post::post;
use crate::shard::{NOTIFIER, owner_of_tag};

/// What these two bring: wishes of a phone's keys, and presence. A filter is passed over.
pub(super) const EVENT_ABILITIES: Abilities<'static> = Abilities {
    content_types: &["application/x-as-feature-event+xml", "application/pidf+xml", "application/simple-filter+xml"],
    ..super::ABILITIES
};

/// Letters of 64 random bits.
const RANDOM_LEN: usize = 16;

impl SipActor {
    pub(super) fn subscribe(&mut self, tx: ServerTx, request: Request, flow: Flow) {
        let Some((office, user)) = self.user_of(tx, &request, flow, Challenger::Agent) else { return };
        let package = match Package::of(&request) {
            Ok(package) => package,
            Err(rejection) => return self.refuse(tx, rejection.response(&request)),
        };
        // Whoever asks is of this office, so nobody of another one is ever found.
        let watched = if self.is_foreign(&request, &office) {
            None
        } else {
            watched(&request, &office, &user.id, self.env.clock.wall())
        };
        let Some(watched) = watched else {
            return self.refuse(tx, Response::to_request(&request, 404));
        };
        let may = match (package, &watched) {
            (Package::Dialog, _) | (Package::Presence, Watched::User(_)) => true,
            // How a group or a place is nobody knows.
            (Package::Presence | Package::Features, Watched::Group(_) | Watched::Place(..))
            | (Package::Messages, Watched::Place(..)) => {
                return self.refuse(tx, Response::to_request(&request, 404));
            }
            // A group's mailbox is its members'.
            (Package::Messages, Watched::Group(id)) => office.has_mailbox(&user.id, &Mailbox::Group(id.clone())),
            // His mailbox and the keys of his phone are his own.
            (Package::Messages | Package::Features, Watched::User(id)) => *id == user.id,
        };
        if !may {
            return self.refuse(tx, Response::to_request(&request, 403));
        }
        let tag = self.subscription_tag(&request);
        post(&self.subscriptions, TakeSubscription { tx, request, flow, watcher: user.id.clone(), watched, tag });
    }

    /// The tag of a new subscription. It tells that we gave it, and for which Call-ID: who makes one up is a stranger.
    fn subscription_tag(&self, request: &Request) -> String {
        let random = format!("{:016x}", self.env.random.next());
        let seal = self.seal(&random, request);
        format!("{NOTIFIER:x}-{random}{seal}")
    }

    /// Whether a subscription of this shard is meant that there is, or was.
    pub(super) fn is_of_subscription(&self, request: &Request) -> bool {
        let Ok(to) = request.headers.to() else { return false };
        let ours = to.tag().filter(|tag| owner_of_tag(tag) == Some(NOTIFIER));
        let sealed = ours.and_then(|tag| tag.split_once('-')?.1.split_at_checked(RANDOM_LEN));
        sealed.is_some_and(|(random, seal)| seal == self.seal(random, request))
    }

    fn seal(&self, random: &str, request: &Request) -> String {
        let call_id = request.headers.call_id().unwrap_or_default();
        self.layer.sealed_tag(&format!("subscription {random} {call_id}"))
    }

    pub(super) fn publish(&mut self, tx: ServerTx, request: Request, flow: Flow, ctx: &mut Context<Self>) {
        let Some((office, user)) = self.user_of(tx, &request, flow, Challenger::Agent) else { return };
        if let Err(rejection) = publishes_presence(&request) {
            return self.refuse(tx, rejection.response(&request));
        }
        // For himself only, as with REGISTER.
        let own = request.uri.user().and_then(|name| office.find_user(&name)).is_some_and(|found| found.id == user.id);
        if !own {
            return self.refuse(tx, Response::to_request(&request, 403));
        }
        match self.snapshot.users.get(&user.id) {
            Some(handle) => post(&handle.publish, Publish { tx, request, reply: ctx.address().recipient() }),
            None => self.refuse(tx, Response::to_request(&request, 404)),
        }
    }

    /// Whose the abilities are that a request is judged by.
    pub(super) fn abilities(method: &Method) -> &'static Abilities<'static> {
        if matches!(method, Method::Subscribe | Method::Publish) { &EVENT_ABILITIES } else { &super::ABILITIES }
    }

    /// What an answer to OPTIONS says besides.
    pub(super) fn with_events(mut response: Response) -> Response {
        if response.status == 200 {
            response.headers.push("Allow-Events", ALLOW_EVENTS);
        }
        response
    }
}

fn watched(request: &Request, office: &Office, by: &UserId, now: WallTime) -> Option<Watched> {
    let name = request.uri.user()?;
    let user = || office.find_user(&name).map(|user| Watched::User(user.id.clone()));
    let group = || office.find_group(&name).map(|group| Watched::Group(group.id.clone()));
    // What is dialled to fetch a call from a place.
    let place = || match office.route(&Inquiry::new(&Source::User(by.clone()), &Dialled::new(&name).ok()?, now)) {
        Treatment::Feature(Feature::Park(Some(place))) => {
            Some(Watched::Place(office.id.clone(), crate::parking::number(&place, office.park.places)?))
        }
        Treatment::Feature(_)
        | Treatment::Scenario { .. }
        | Treatment::DirectUser(_)
        | Treatment::DirectGroup(_)
        | Treatment::Outbound { .. }
        | Treatment::Emergency { .. }
        | Treatment::Refused(_) => None,
    };
    user().or_else(group).or_else(place)
}
