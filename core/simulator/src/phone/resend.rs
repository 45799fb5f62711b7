//! Sends again what must arrive, until something says that it did.

use plugboard_model::Time;
use std::net::SocketAddr;
use std::time::Duration;

/// RFC 3261 section 17.1.1.1 and table 4.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// 64 times T1.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(32);

/// What is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A request, by its branch, until a response comes.
    Request(String),
    /// The final response to an INVITE, by the call and CSeq, until its ACK comes.
    Final(usize, u32),
    /// A reliable provisional response, by the call and its number, until its PRACK comes.
    Reliable(usize, u32),
}

#[derive(Debug)]
struct Resend {
    what: What,
    to: SocketAddr,
    bytes: Vec<u8>,
    at: Time,
    gap: Duration,
    /// INVITE doubles without a limit, everything else up to T2.
    gap_max: Option<Duration>,
    until: Time,
}

/// Everything of one phone that is not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Resends(Vec<Resend>);

/// What comes of a moment.
#[derive(Debug)]
pub(crate) enum Due {
    /// Send this again.
    Send(SocketAddr, Vec<u8>),
    /// Nobody answers.
    GaveUp(What),
}

impl Resends {
    pub(crate) fn add(&mut self, now: Time, what: What, to: SocketAddr, bytes: Vec<u8>, is_invite: bool) {
        let gap_max = (!is_invite).then_some(T2);
        self.0.push(Resend { what, to, bytes, at: now + T1, gap: T1, gap_max, until: now + GIVE_UP });
    }

    /// It arrived.
    pub(crate) fn done(&mut self, what: &What) -> bool {
        let before = self.0.len();
        self.0.retain(|resend| resend.what != *what);
        self.0.len() < before
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.0.iter().map(|resend| resend.at.min(resend.until)).min()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The next thing that is due.
    pub(crate) fn due(&mut self, now: Time) -> Option<Due> {
        if let Some(index) = self.0.iter().position(|resend| resend.until <= now) {
            return Some(Due::GaveUp(self.0.remove(index).what));
        }
        let resend = self.0.iter_mut().find(|resend| resend.at <= now)?;
        resend.gap = resend.gap_max.map_or(resend.gap * 2, |max| (resend.gap * 2).min(max));
        resend.at = resend.at + resend.gap;
        Some(Due::Send(resend.to, resend.bytes.clone()))
    }
}
