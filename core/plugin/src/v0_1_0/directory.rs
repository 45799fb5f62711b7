//! Capability `directory`.

use super::bindings::plugboard::switch::directory as wit;
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{Distribution, HostCall, HostResult, UserStatus};

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
            },
            members: group
                .members
                .iter()
                .map(|member| wit::Member { user: words::user_told(&member.user), weight: member.weight })
                .collect(),
            ring_for_ms: group.ring_for_ms,
        }))
    }
}
