//! What the actors of one shard share on their thread: the names they give.

use plugboard_media::OpenError;
use plugboard_metrics::Metrics;
use plugboard_model::{CallId, LegId};
use plugboard_sip::flow::{Flow, Transport};
use plugboard_sip::session::Local;
use plugboard_sip::transaction::Timers;
use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use crate::env::Random;

/// What we call ourselves in User-Agent and Server.
pub(crate) const AGENT: &str = concat!("Plugboard/", env!("CARGO_PKG_VERSION"));

/// The owner of a shard's subscriptions, whose number is in their tags; legs count up from 1 and never come here.
pub(crate) const NOTIFIER: u64 = u64::MAX - 1;

/// Gives the names of one shard's legs: owners, tags, Call-IDs. A tag and a Call-ID tell their shard and owner, so that
/// what comes back is routed without a table of texts.
#[derive(Debug, Clone)]
pub(crate) struct Owners {
    shard: usize,
    next: Rc<Cell<u64>>,
}

impl Owners {
    pub(crate) fn new(shard: usize) -> Self {
        // 0 is nobody.
        Self { shard, next: Rc::new(Cell::new(1)) }
    }

    /// The next leg's number; never given twice.
    pub(crate) fn next(&self) -> u64 {
        let owner = self.next.get();
        self.next.set(owner.saturating_add(1));
        owner
    }

    /// A new Call-ID: `s3-` and 128 random bits.
    pub(crate) fn call_id(&self, random: &dyn Random) -> String {
        format!("s{}-{:016x}{:016x}", self.shard, random.next(), random.next())
    }

    /// What is ours in a session over `flow`.
    #[expect(clippy::unused_self, reason = "names of a shard are given by its owners, this one too")]
    pub(crate) fn local(&self, owner: u64, flow: Flow, random: &dyn Random) -> Local {
        let transport = match flow.transport {
            Transport::Udp => String::new(),
            transport @ (Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss) => {
                format!(";transport={}", transport.uri_param())
            }
        };
        Local {
            owner,
            tag: format!("{owner:x}-{:016x}", random.next()).into(),
            contact: format!("<sip:{owner:x}@{}{transport}>", flow.local).into(),
            agent: AGENT.into(),
            timers: Timers::default(),
            random: random.next(),
            larger: None,
        }
    }
}

/// The owner that a tag of ours names.
pub(crate) fn owner_of_tag(tag: &str) -> Option<u64> {
    u64::from_str_radix(tag.split_once('-')?.0, 16).ok()
}

/// The shard that a Call-ID of ours names.
pub(crate) fn shard_of_call_id(call_id: &[u8]) -> Option<usize> {
    let rest = call_id.strip_prefix(b"s")?;
    let end = rest.iter().position(|byte| *byte == b'-')?;
    std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok()
}

/// The shard, of so many, of the calls with this Call-ID: ours by the shard in it, a stranger's by its hash, so that all of a
/// call meets in one place.
pub(crate) fn shard_of_dialog(call_id: &[u8], count: usize) -> usize {
    shard_of_call_id(call_id).filter(|shard| *shard < count).unwrap_or_else(|| {
        let mut hasher = DefaultHasher::new();
        call_id.hash(&mut hasher);
        usize::try_from(hasher.finish() % u64::try_from(count.max(1)).unwrap_or(1)).unwrap_or(0)
    })
}

/// The start of each branch of a shard.
pub(crate) fn branch_prefix(shard: usize) -> String {
    format!("z9hG4bK-s{shard}-")
}

/// The shard that a branch of ours names.
pub(crate) fn shard_of_branch(branch: &[u8]) -> Option<usize> {
    shard_of_call_id(branch.strip_prefix(b"z9hG4bK-")?)
}

/// Counts why a leg got no media.
pub(crate) fn count_open_error(error: &OpenError, call: &CallId, leg: LegId, metrics: &Metrics) {
    if matches!(error, OpenError::PortsExhausted(_)) {
        plugboard_metrics::PortsExhausted { call, leg }.emit(metrics);
    } else {
        tracing::error!(call_id = %call, leg_id = %leg, %error, "no media for a leg");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ours_tell_their_shard_and_owner() {
        assert_eq!(owner_of_tag("1f-00ff"), Some(31));
        assert_eq!(owner_of_tag("zz"), None);
        assert_eq!(shard_of_call_id(b"s12-aa"), Some(12));
        assert_eq!(shard_of_call_id(b"someone@else"), None);
        assert_eq!(shard_of_branch(branch_prefix(3).as_bytes()), Some(3));
        assert_eq!(shard_of_branch(b"z9hG4bKabc"), None);
    }
}
