//! Whom the actions of a call passed over without ringing him, and why.

#![expect(clippy::wildcard_enum_match_arm, reason = "looks for a few entries of a journal among many")]

use plugboard_model::{
    Candidate, DirectoryUser, Distribution, HostCall, HostResult, JournalEntry, JournalEvent, NotConnected, RunId,
    Target, UserId, UserStatus,
};
use std::collections::{BTreeMap, BTreeSet};

/// Reads a journal, entry by entry.
#[derive(Default)]
pub(super) struct PassedOver {
    runs: BTreeMap<RunId, Run>,
    open: BTreeMap<(RunId, u32), HostCall>,
    caller: Option<UserId>,
    asked: Option<Asked>,
}

/// The user who is asked about. Of a group journals have only those who were logged in: who else is in it the office says.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// His id.
    pub(super) user: String,
    /// The ids of the groups that he is in.
    pub(super) groups: Vec<String>,
}

/// What an action has found out so far.
#[derive(Default)]
struct Run {
    /// The group that it asked for, all its members, and whether they are rung one after the other.
    group: Option<(String, Vec<UserId>, bool)>,
    /// Whom it may ring, in no order that is known, and as what: each until he is rung or passed over.
    waits: BTreeMap<UserId, String>,
    /// Whom it looked up, and why he is not free.
    looked_up: Option<(UserId, &'static str)>,
}

impl PassedOver {
    pub(super) fn of(asked: Option<Asked>) -> Self {
        Self { asked, ..Self::default() }
    }

    /// Whom this entry shows to be passed over. `stops` says why ringing is over now, if it is.
    pub(super) fn take(&mut self, entry: &JournalEntry, stops: &str) -> Vec<(UserId, String)> {
        match &entry.event {
            JournalEvent::Began { caller_user, .. } => {
                self.caller.clone_from(caller_user);
                Vec::new()
            }
            JournalEvent::Begin { run, n, call, .. } => {
                self.open.insert((*run, *n), call.clone());
                self.runs.entry(*run).or_default().asks(call)
            }
            JournalEvent::End { run, n, result } => {
                let call = self.open.remove(&(*run, *n));
                let asked = self.runs.entry(*run).or_default();
                let mut over = call.map(|call| asked.hears(&call, result)).unwrap_or_default();
                over.extend(self.logged_out(result));
                over
            }
            JournalEvent::RunEnded { run, .. } => {
                let caller = self.caller.clone();
                self.runs.remove(run).map(|run| run.over(stops, caller.as_ref())).unwrap_or_default()
            }
            JournalEvent::LegBegan { user: Some(user), .. }
            | JournalEvent::NotRung { user, .. }
            | JournalEvent::PhoneOf { user, .. } => {
                self.runs.values_mut().for_each(|run| drop(run.waits.remove(user)));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

impl PassedOver {
    /// Whoever is asked about, if he is in this group and was not logged in there.
    fn logged_out(&self, result: &HostResult) -> Option<(UserId, String)> {
        let HostResult::Group(Some(group)) = result else { return None };
        let asked = self.asked.as_ref().filter(|asked| asked.groups.iter().any(|id| id == group.id.name.as_str()))?;
        let is_there = group.members.iter().any(|member| member.user.name.as_str() == asked.user);
        let user = UserId::new(&group.id.office, &asked.user).ok().filter(|_| !is_there)?;
        Some((user, format!("logged out of the group {}", group.name)))
    }
}

impl Run {
    fn asks(&mut self, call: &HostCall) -> Vec<(UserId, String)> {
        let Some((user, why)) = self.looked_up.take() else { return Vec::new() };
        // Whoever has no device may be rung at his phones outside, without having been looked up as free.
        let is_rung = |target: &Target| match target {
            Target::User(rung) => *rung == user,
            Target::Phones(phones) => phones.user == user,
            Target::Group(_) | Target::Number(_) | Target::Line(_) | Target::Address(_) => false,
        };
        if matches!(call, HostCall::Ring(ring) if ring.targets.iter().any(is_rung)) {
            return Vec::new();
        }
        self.waits.remove(&user);
        vec![(user, why.to_owned())]
    }

    fn hears(&mut self, call: &HostCall, result: &HostResult) -> Vec<(UserId, String)> {
        match (call, result) {
            (_, HostResult::Group(Some(group))) => {
                let members = group.members.iter().map(|member| member.user.clone()).collect();
                self.group = Some((group.name.clone(), members, group.distribution != Distribution::AllAtOnce));
                Vec::new()
            }
            (HostCall::FindMembers { skill, .. }, HostResult::Members(Some(found))) => {
                let skill = skill.as_ref().map(|skill| skill.name.clone());
                self.members(found, skill.as_deref())
            }
            (_, HostResult::Contact(Some(contact))) => {
                for one in &contact.responsible {
                    self.waits.insert(one.user.clone(), format!("responsible for {}, but", contact.name));
                }
                Vec::new()
            }
            (_, HostResult::User(Some(user))) => {
                self.looked_up = not_free(user).map(|why| (user.id.clone(), why));
                Vec::new()
            }
            (HostCall::Ring(ring), HostResult::Rang(Err(NotConnected::Denied(why) | NotConnected::Invalid(why)))) => {
                let user = |target: &Target| match target {
                    Target::User(user) => Some(user.clone()),
                    Target::Phones(phones) => Some(phones.user.clone()),
                    Target::Group(_) | Target::Number(_) | Target::Line(_) | Target::Address(_) => None,
                };
                let users: BTreeSet<UserId> = ring.targets.iter().filter_map(user).collect();
                for user in &users {
                    self.waits.remove(user);
                }
                users.into_iter().map(|user| (user, why.clone())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Members of the group who are not among those who may be rung, and those who may.
    fn members(&mut self, found: &[Candidate], skill: Option<&str>) -> Vec<(UserId, String)> {
        let Some((group, members, in_turn)) = &self.group else { return Vec::new() };
        let is_found = |user: &UserId| found.iter().any(|candidate| candidate.user == *user);
        let out = match skill {
            None => format!("logged out of the group {group}"),
            Some(skill) => format!("logged out of the group {group}, or not able to do what is asked for ({skill})"),
        };
        let gone = members.iter().filter(|user| !is_found(user)).map(|user| (user.clone(), out.clone())).collect();
        let turn = if *in_turn { "and his turn did not come:" } else { "but" };
        for candidate in found {
            self.waits.insert(candidate.user.clone(), format!("in the group {group}, {turn}"));
        }
        gone
    }

    /// The action is over: those who are left were not rung.
    fn over(mut self, stops: &str, caller: Option<&UserId>) -> Vec<(UserId, String)> {
        let mut left: Vec<(UserId, String)> = Vec::new();
        if let Some((user, why)) = self.looked_up.take() {
            self.waits.remove(&user);
            left.push((user, why.to_owned()));
        }
        let why = |user: &UserId, what: String| match stops {
            _ if caller == Some(user) => "he is the one who called".to_owned(),
            "its time was over" => format!("{what} the step did not come to him"),
            _ => format!("{what} {stops}"),
        };
        left.extend(self.waits.into_iter().map(|(user, what)| {
            let why = why(&user, what);
            (user, why)
        }));
        left
    }
}

/// Why an action that rings people passes this one over, if it does.
const fn not_free(user: &DirectoryUser) -> Option<&'static str> {
    match user.status {
        UserStatus::DoNotDisturb => Some("do not disturb"),
        UserStatus::LoggedOut => Some("logged out"),
        _ if user.calls > 0 => Some("in a call already"),
        UserStatus::Busy => Some("busy, as he has set it"),
        UserStatus::Away => Some("away, as he has set it"),
        UserStatus::WrapUp => Some("writes up a call"),
        UserStatus::Available if !user.reachable => Some("no device of his is registered"),
        UserStatus::Available => None,
    }
}
