//! Capability `directory`.

use super::bindings::plugboard::switch::directory as wit;
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{Distribution, HostCall, HostResult, Skill, UserStatus};

/// A number or an id; nothing longer can name anybody.
const QUERY_BYTES_MAX: usize = 64;

impl wit::Host for Guest {
    async fn find_user(&mut self, number_or_id: String) -> wasmtime::Result<Option<wit::User>> {
        if number_or_id.len() > QUERY_BYTES_MAX {
            return Ok(None);
        }
        let HostResult::User(found) = self.ask(HostCall::FindUser(number_or_id)).await? else {
            return Err(wrong_answer("directory.find-user"));
        };
        Ok(found.map(|user| wit::User {
            id: words::user_told(&user.id),
            number: user.number,
            name: user.name,
            status: match user.status {
                UserStatus::Available => wit::Status::Available,
                UserStatus::Busy => wit::Status::Busy,
                UserStatus::DoNotDisturb => wit::Status::DoNotDisturb,
                UserStatus::LoggedOut => wit::Status::LoggedOut,
                UserStatus::Away => wit::Status::Away,
                UserStatus::WrapUp => wit::Status::WrapUp,
            },
            reachable: user.reachable,
            calls: user.calls,
        }))
    }

    async fn find_group(&mut self, number_or_id: String) -> wasmtime::Result<Option<wit::Group>> {
        if number_or_id.len() > QUERY_BYTES_MAX {
            return Ok(None);
        }
        let HostResult::Group(found) = self.ask(HostCall::FindGroup(number_or_id)).await? else {
            return Err(wrong_answer("directory.find-group"));
        };
        Ok(found.map(|group| wit::Group {
            id: words::group_told(&group.id),
            number: group.number,
            name: group.name,
            distribution: match group.distribution {
                Distribution::AllAtOnce => wit::Distribution::AllAtOnce,
                Distribution::InOrder => wit::Distribution::InOrder,
                Distribution::Random => wit::Distribution::Random,
                Distribution::LongestIdle => wit::Distribution::LongestIdle,
            },
            members: group
                .members
                .iter()
                .map(|member| wit::Member { user: words::user_told(&member.user), weight: member.weight })
                .collect(),
            ring_for_ms: group.ring_for_ms,
        }))
    }

    async fn find_members(
        &mut self,
        group: String,
        skill: Option<wit::Skill>,
    ) -> wasmtime::Result<Option<Vec<wit::Candidate>>> {
        let skill = skill.map(|wit::Skill { name, level }| Skill { name, level });
        if group.len() > QUERY_BYTES_MAX || skill.as_ref().is_some_and(|skill| skill.name.len() > QUERY_BYTES_MAX) {
            return Ok(None);
        }
        let HostResult::Members(found) = self.ask(HostCall::FindMembers { group, skill }).await? else {
            return Err(wrong_answer("directory.find-members"));
        };
        let told = |one: plugboard_model::Candidate| wit::Candidate {
            user: words::user_told(&one.user),
            weight: one.weight,
            tier: one.tier,
            level: one.level,
            idle_ms: one.idle_ms,
        };
        Ok(found.map(|all| all.into_iter().map(told).collect()))
    }
}
