//! Who is in an office and how he is, read by plugin threads without a word to his actor.

use plugboard_model::{
    Candidate, ContactId, DirectoryContact, DirectoryGroup, DirectoryUser, GatewayId, Name, Skill, Time, UserId,
    UserStatus,
};
use plugboard_office::Office;
use plugboard_plugin::Directory;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::env::Clock;
use crate::snapshot::Snapshot;

/// What everybody may see of a user. His actor writes it, whoever likes reads it; it is never ahead of the actor.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    word: AtomicU64,
    /// Since when he is free, in nanoseconds of the switch's clock and one more; 0: he is not.
    free: AtomicU64,
    /// The groups that he is logged out of: almost always none. Locked for one look, or to put another set in its place.
    out_of: RwLock<BTreeSet<Name>>,
}

/// The call count takes the low half, the status the three bits above it, a device the next.
const CALLS_BITS: u32 = 32;
const REACHABLE: u64 = 1 << (CALLS_BITS + 3);

/// In the order of their bits.
const STATUSES: [UserStatus; 6] = UserStatus::ALL;

impl Presence {
    /// Shows the user's status, whether a device is registered, and his calls.
    pub(crate) fn show(&self, status: UserStatus, reachable: bool, calls: u32) {
        let place = STATUSES.iter().position(|known| *known == status).unwrap_or_default();
        let status = u64::try_from(place).unwrap_or_default() << CALLS_BITS;
        let word = u64::from(calls) | status | if reachable { REACHABLE } else { 0 };
        // One word, on which nothing else depends.
        self.word.store(word, Ordering::Relaxed);
    }

    /// Shows since when a scenario could have him.
    pub(crate) fn show_free(&self, since: Option<Time>) {
        let told = since.map_or(0, |since| since.0.saturating_add(1));
        self.free.store(told, Ordering::Relaxed);
    }

    /// Since when a scenario could have him.
    pub(crate) fn free_since(&self) -> Option<Time> {
        self.free.load(Ordering::Relaxed).checked_sub(1).map(Time)
    }

    /// Shows the groups that he is logged out of.
    pub(crate) fn show_out_of(&self, groups: &BTreeSet<Name>) {
        self.out_of.write().unwrap_or_else(PoisonError::into_inner).clone_from(groups);
    }

    /// Whether this group rings him, as a member.
    pub(crate) fn is_in(&self, group: &Name) -> bool {
        !self.out_of.read().unwrap_or_else(PoisonError::into_inner).contains(group)
    }

    fn read(&self) -> (UserStatus, bool, u32) {
        let word = self.word.load(Ordering::Relaxed);
        let place = usize::try_from((word >> CALLS_BITS) & 0b111).unwrap_or_default();
        let status = STATUSES.get(place).copied().unwrap_or(UserStatus::Available);
        (status, word & REACHABLE != 0, u32::try_from(word & u64::from(u32::MAX)).unwrap_or(u32::MAX))
    }
}

/// One office, as the call that asks began with it.
pub(crate) struct OfficeDirectory {
    pub(crate) office: Arc<Office>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What the gateway through which the call came shows of its caller.
    pub(crate) shown: Option<(GatewayId, String)>,
}

impl fmt::Debug for OfficeDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfficeDirectory").field("office", &self.office.id).finish_non_exhaustive()
    }
}

impl Directory for OfficeDirectory {
    fn find_user(&self, number_or_id: &str) -> Option<DirectoryUser> {
        let user = self.office.find_user(number_or_id)?;
        let (status, reachable, calls) = self.snapshot.users.get(&user.id)?.presence.read();
        Some(user.to_directory(status, reachable, calls))
    }

    fn find_group(&self, number_or_id: &str) -> Option<DirectoryGroup> {
        let group = self.office.find_group(number_or_id)?;
        let mut found = group.to_directory();
        let logged_in: BTreeSet<&UserId> = self.snapshot.members(group).collect();
        found.members.retain(|member| logged_in.contains(&member.user));
        Some(found)
    }

    fn asks_further(&self) -> bool {
        !self.office.integrations.is_empty()
    }

    fn find_contact(&self, number: &str) -> Option<DirectoryContact> {
        let from_outside = self.shown.as_ref().filter(|(_, shown)| *shown == number);
        let found = match from_outside {
            Some((gateway, number)) => self.office.find_caller(gateway, number),
            None => self.office.find_contact(number),
        }?;
        Some(self.office.to_directory_contact(found))
    }

    fn contact(&self, id: &ContactId) -> Option<DirectoryContact> {
        let found = self.office.contact(id.name.as_str()).filter(|_| id.office == self.office.id)?;
        Some(self.office.to_directory_contact(found))
    }

    fn find_members(&self, number_or_id: &str, skill: Option<&Skill>) -> Option<Vec<Candidate>> {
        let group = self.office.find_group(number_or_id)?;
        let logged_in: BTreeSet<&UserId> = self.snapshot.members(group).collect();
        let now = self.clock.now();
        let members = group.members.iter().filter(|member| logged_in.contains(&member.user)).filter_map(|member| {
            let free = self.snapshot.users.get(&member.user).and_then(|handle| handle.presence.free_since());
            let idle = free.map_or(0, |since| u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX).max(1));
            let level = self.office.user(&member.user)?.level(skill)?;
            Some(Candidate {
                user: member.user.clone(),
                weight: member.weight,
                tier: member.tier,
                level,
                idle_ms: idle,
            })
        });
        Some(members.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_shows_is_what_others_read() {
        let presence = Presence::default();
        assert_eq!(presence.read(), (UserStatus::Available, false, 0));
        for status in STATUSES {
            for (reachable, calls) in [(false, 0), (true, 1), (false, u32::MAX), (true, u32::MAX)] {
                presence.show(status, reachable, calls);
                assert_eq!(presence.read(), (status, reachable, calls));
            }
        }
    }
}
