//! What new calls see of the configuration: offices, checked scenarios, actions, and the way to users and gateways.

use actix::{Addr, Recipient, WeakAddr};
use plugboard_model::{GatewayId, ScenarioId, UserId};
use plugboard_office::{Group, OfficeSet};
use plugboard_plugin::{Installed, Limits};
use plugboard_scenario::Program;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::actor::gateway::GatewayActor;
use crate::actor::integrations::IntegrationsHandle;
use crate::actor::user::UserActor;
use crate::channels::Channels;
use crate::directory::Presence;
use crate::grant_table::GrantTable;
use crate::mailboxes::Mailboxes;
use crate::message::{
    AdmitCall, ChangeSettings, ClaimSlot, GetGatewayState, GetLastCaller, GetUserState, JoinAsked, LeaveGateway,
    LoseFlow, OfferCall, PressKey, Publish, Register, ShowTo, TakeNotice, TakeRinging, TargetFailed, UseGateway,
    UseLamp, UseQueue, UseSlot, UseUser,
};
use crate::parking::Parking;
use crate::peers::Peers;
use crate::rooms::Rooms;
use crate::talks::Talks;
use crate::tolls::Tolls;

/// The configuration that the server hands over: everything is checked already.
#[derive(Clone, Default)]
pub struct Configuration {
    /// The offices.
    pub offices: OfficeSet,
    /// Their scenarios, ready to run.
    pub programs: BTreeMap<ScenarioId, Arc<Program>>,
    /// The installed actions by name.
    pub actions: BTreeMap<String, Arc<Installed>>,
    /// What each office grants to each action.
    pub grants: GrantTable,
    /// What every run may use.
    pub limits: Limits,
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration").field("programs", &self.programs.len()).finish_non_exhaustive()
    }
}

/// A configuration with the actors that stand for its users and gateways. Immutable: a change makes a new one, and
/// calls that go on keep the one they began with.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) configuration: Configuration,
    pub(crate) users: BTreeMap<UserId, UserHandle>,
    pub(crate) gateways: BTreeMap<GatewayId, GatewayHandle>,
    /// The parked calls.
    pub(crate) parking: Parking,
    /// The rooms in which more than two talk.
    pub(crate) rooms: Rooms,
    /// The voice messages; one table for all snapshots.
    pub(crate) mailboxes: Mailboxes,
    /// Who talks in which call.
    pub(crate) talks: Talks,
    /// Who waits for whom.
    pub(crate) queue: Recipient<UseQueue>,
    /// What was used of limits; one for all snapshots.
    pub(crate) tolls: Tolls,
    /// Who takes mail, texts and posts.
    pub(crate) notices: Recipient<TakeNotice>,
    /// Who asks systems beside the telephone.
    pub(crate) integrations: IntegrationsHandle,
    /// Where dialogs are asked for, by shard.
    pub(crate) shards: Vec<Recipient<JoinAsked>>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

/// The way to a user's actor.
#[derive(Clone)]
pub(crate) struct UserHandle {
    /// What he shows.
    pub(crate) presence: Arc<Presence>,
    pub(crate) offer: Recipient<OfferCall>,
    pub(crate) claim: Recipient<ClaimSlot>,
    pub(crate) take: Recipient<TakeRinging>,
    pub(crate) slot: Recipient<UseSlot>,
    pub(crate) register: Recipient<Register>,
    pub(crate) publish: Recipient<Publish>,
    pub(crate) show: Recipient<ShowTo>,
    pub(crate) lamp: Recipient<UseLamp>,
    pub(crate) key: Recipient<PressKey>,
    pub(crate) lost: Recipient<LoseFlow>,
    pub(crate) state: Recipient<GetUserState>,
    pub(crate) change: Recipient<UseUser>,
    pub(crate) set: Recipient<ChangeSettings>,
    pub(crate) last_caller: Recipient<GetLastCaller>,
    /// The actor itself, for as long as somebody else needs it.
    pub(crate) actor: WeakAddr<UserActor>,
}

/// The way to a gateway's actor.
#[derive(Clone)]
pub(crate) struct GatewayHandle {
    /// Its channels.
    pub(crate) channels: Arc<Channels>,
    pub(crate) admit: Recipient<AdmitCall>,
    pub(crate) failed: Recipient<TargetFailed>,
    pub(crate) leave: Recipient<LeaveGateway>,
    pub(crate) state: Recipient<GetGatewayState>,
    pub(crate) change: Recipient<UseGateway>,
    /// Who is where, as far as DNS says.
    pub(crate) peers: Peers,
    /// As a user's.
    pub(crate) actor: WeakAddr<GatewayActor>,
}

impl UserHandle {
    pub(crate) fn new(addr: &Addr<UserActor>, presence: Arc<Presence>) -> Self {
        Self {
            presence,
            offer: addr.clone().recipient(),
            claim: addr.clone().recipient(),
            take: addr.clone().recipient(),
            slot: addr.clone().recipient(),
            register: addr.clone().recipient(),
            publish: addr.clone().recipient(),
            show: addr.clone().recipient(),
            lamp: addr.clone().recipient(),
            key: addr.clone().recipient(),
            lost: addr.clone().recipient(),
            state: addr.clone().recipient(),
            change: addr.clone().recipient(),
            set: addr.clone().recipient(),
            last_caller: addr.clone().recipient(),
            actor: addr.downgrade(),
        }
    }
}

impl Snapshot {
    /// The one that comes after it, without users and gateways so far.
    pub(crate) fn next(&self, configuration: Configuration, shards: Vec<Recipient<JoinAsked>>) -> Self {
        Self {
            configuration,
            users: BTreeMap::new(),
            gateways: BTreeMap::new(),
            parking: self.parking.clone(),
            rooms: self.rooms.clone(),
            mailboxes: self.mailboxes.clone(),
            talks: self.talks.clone(),
            queue: self.queue.clone(),
            tolls: self.tolls.clone(),
            notices: self.notices.clone(),
            integrations: self.integrations.clone(),
            shards,
        }
    }

    /// The members of a group whom it rings: those who are logged in.
    pub(crate) fn members<'g>(&'g self, group: &'g Group) -> impl Iterator<Item = &'g UserId> {
        let in_it = |user: &UserId| self.users.get(user).is_none_or(|handle| handle.presence.is_in(&group.id.name));
        group.members.iter().map(|member| &member.user).filter(move |user| in_it(user))
    }
}

impl GatewayHandle {
    pub(crate) fn new(addr: &Addr<GatewayActor>, channels: Arc<Channels>, peers: Peers) -> Self {
        Self {
            channels,
            admit: addr.clone().recipient(),
            failed: addr.clone().recipient(),
            leave: addr.clone().recipient(),
            state: addr.clone().recipient(),
            change: addr.clone().recipient(),
            peers,
            actor: addr.downgrade(),
        }
    }
}
