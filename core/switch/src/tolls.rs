//! What users and gateways have used of their limits: one table for all shards, locked for one look-up.

use plugboard_model::{Dialled, GatewayId, Name, OfficeId, UserId};
use plugboard_office::{Gateway, Ledger, LocalTime, Office, Toll, TollLimit};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::env::Env;

/// What the calls to SIP addresses are kept under.
const ADDRESSES: &str = "addresses";

/// Whose limit one is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    User(UserId),
    Gateway(GatewayId),
    /// All calls of an office to SIP addresses for which no gateway stands.
    Addresses(OfficeId),
}

/// Each with limits has a ledger: no more than there are users and gateways.
#[derive(Clone, Default)]
pub(crate) struct Tolls(Arc<Mutex<BTreeMap<Subject, Ledger>>>);

/// Who met which limit.
#[derive(Debug)]
pub(crate) struct Met {
    pub(crate) subject: Subject,
    pub(crate) limit: TollLimit,
}

/// What a call to the outside takes from its limits; given back when it is dropped, and what it used is kept.
pub(crate) struct Pass {
    tolls: Tolls,
    env: Env,
    office: Arc<Office>,
    held: Vec<(Subject, Arc<Toll>, u64)>,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user {}", user.name),
            Self::Gateway(gateway) => write!(f, "gateway {}", gateway.name),
            Self::Addresses(_) => f.write_str(ADDRESSES),
        }
    }
}

impl Tolls {
    /// A call wants to this number through this gateway, at the cost of this user; `None`: of nobody in the office.
    pub(crate) fn enter(
        &self,
        env: &Env,
        office: &Arc<Office>,
        payer: Option<&UserId>,
        gateway: &Gateway,
        number: &str,
    ) -> Result<Option<Pass>, Met> {
        let of_gateway = gateway.toll.as_ref().map(|toll| (Subject::Gateway(gateway.id.clone()), Arc::clone(toll)));
        let limits: Vec<_> = of_payer(office, payer).into_iter().chain(of_gateway).collect();
        if limits.is_empty() {
            return Ok(None);
        }
        let written = match Dialled::new(number) {
            Ok(number) => office.toll_number(gateway, &number),
            Err(_) => vec![number.to_owned()],
        };
        self.enter_all(env, office, limits, &written)
    }

    /// The same of a SIP address for which no gateway stands. Where only some numbers may be called, no address may.
    pub(crate) fn enter_address(
        &self,
        env: &Env,
        office: &Arc<Office>,
        payer: Option<&UserId>,
        address: &str,
    ) -> Result<Option<Pass>, Met> {
        let own = office.addresses.toll.as_ref().map(|toll| (Subject::Addresses(office.id.clone()), Arc::clone(toll)));
        let limits: Vec<_> = of_payer(office, payer).into_iter().chain(own).collect();
        if limits.is_empty() {
            return Ok(None);
        }
        self.enter_all(env, office, limits, &[address.to_owned()])
    }

    fn enter_all(
        &self,
        env: &Env,
        office: &Arc<Office>,
        limits: Vec<(Subject, Arc<Toll>)>,
        written: &[String],
    ) -> Result<Option<Pass>, Met> {
        let mut pass = Pass { tolls: self.clone(), env: env.clone(), office: Arc::clone(office), held: Vec::new() };
        let (now, local) = (env.clock.now(), pass.local());
        for (subject, toll) in limits {
            // What was entered before is given back with the pass.
            let entered = self.ledgers().entry(subject.clone()).or_default().enter(&toll, written, now, local);
            match entered {
                Ok(ticket) => pass.held.push((subject, toll, ticket)),
                Err(limit) => return Err(Met { subject, limit }),
            }
        }
        Ok(Some(pass))
    }

    /// What was kept when the switch stopped.
    pub(crate) fn restore(&self, env: &Env, office: &Office) {
        let store = &env.store;
        let users = store.tolls_of_users().all(&office.id).unwrap_or_default();
        let gateways = store.tolls_of_gateways().all(&office.id).unwrap_or_default();
        let users = users.into_iter().map(|(user, kept)| (Subject::User(user), kept));
        let gateways = gateways
            .into_iter()
            .map(|(UserId { office, name }, kept)| (Subject::Gateway(GatewayId { office, name }), kept));
        let addresses = store.tolls_of_addresses().all(&office.id).unwrap_or_default();
        let addresses = addresses.into_iter().map(|(named, kept)| (Subject::Addresses(named.office), kept));
        for (subject, kept) in users.chain(gateways).chain(addresses) {
            // What cannot be read any more is forgotten: a day begins anew.
            let Ok((day, used_ms)) = serde_json::from_slice::<(i64, u64)>(&kept) else { continue };
            let restored = || Ledger::restored(day, Duration::from_millis(used_ms));
            self.ledgers().entry(subject).or_insert_with(restored);
        }
    }

    fn ledgers(&self) -> MutexGuard<'_, BTreeMap<Subject, Ledger>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The limits of who pays.
fn of_payer(office: &Office, payer: Option<&UserId>) -> Option<(Subject, Arc<Toll>)> {
    payer.and_then(|user| Some((Subject::User(user.clone()), Arc::clone(office.toll_of(user)?))))
}

impl Pass {
    /// The call was answered: its minutes count from now on.
    pub(crate) fn answered(&self) {
        let (now, mut ledgers) = (self.env.clock.now(), self.tolls.ledgers());
        for (subject, _, ticket) in &self.held {
            if let Some(ledger) = ledgers.get_mut(subject) {
                ledger.answered(*ticket, now);
            }
        }
    }

    /// How long it may go on, as far as it ends when the minutes are used up.
    pub(crate) fn left(&self) -> Option<Duration> {
        let (now, local, mut ledgers) = (self.env.clock.now(), self.local(), self.tolls.ledgers());
        let ends = self.held.iter().filter(|(_, toll, _)| toll.ends);
        ends.filter_map(|(subject, toll, _)| ledgers.get_mut(subject)?.left(toll, now, local)).min()
    }

    /// Whether its minutes count.
    pub(crate) fn counts_minutes(&self) -> bool {
        self.held.iter().any(|(_, toll, _)| toll.minutes_a_day.is_some())
    }

    /// Keeps what was used so far, so that a crash loses little of it.
    pub(crate) fn keep_so_far(&self) {
        let (now, local) = (self.env.clock.now(), self.local());
        for (subject, _, _) in self.held.iter().filter(|(_, toll, _)| toll.minutes_a_day.is_some()) {
            let used = self.tolls.ledgers().get_mut(subject).map(|ledger| ledger.so_far(now, local));
            if let Some(used) = used {
                self.keep(subject, used);
            }
        }
    }

    fn local(&self) -> LocalTime {
        self.office.zone().local(self.env.clock.wall())
    }

    fn keep(&self, subject: &Subject, (day, used): (i64, Duration)) {
        let bytes = serde_json::to_vec(&(day, u64::try_from(used.as_millis()).unwrap_or(u64::MAX))).unwrap_or_default();
        let store = &self.env.store;
        let kept = match subject {
            Subject::User(user) => store.tolls_of_users().put(user, bytes),
            Subject::Gateway(GatewayId { office, name }) => {
                let named = UserId { office: office.clone(), name: name.clone() };
                store.tolls_of_gateways().put(&named, bytes)
            }
            Subject::Addresses(office) => match Name::new(ADDRESSES) {
                Ok(name) => store.tolls_of_addresses().put(&UserId { office: office.clone(), name }, bytes),
                Err(_) => unreachable!("a name of letters is one"),
            },
        };
        if let Err(error) = kept {
            tracing::error!(%subject, %error, "the minutes of today could not be kept");
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let (now, local) = (self.env.clock.now(), self.local());
        for (subject, toll, ticket) in std::mem::take(&mut self.held) {
            let mut ledgers = self.tolls.ledgers();
            let Some(ledger) = ledgers.get_mut(&subject) else { continue };
            let used = ledger.leave(ticket, now, local);
            if ledger.is_idle(local) {
                ledgers.remove(&subject);
            }
            drop(ledgers);
            if toll.minutes_a_day.is_some() {
                self.keep(&subject, used);
            }
        }
    }
}
