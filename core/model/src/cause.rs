//! Why a leg or a call ended.

use serde::{Deserialize, Serialize};

/// Value of the Reason header for devices that stop ringing because another answered (RFC 3326 section 3.1).
pub const REASON_COMPLETED_ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// The text of a normal end that is told before an answer, with 480.
const NORMAL_CLEARING: &str = "Normal clearing";

/// A final SIP status and its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cause {
    /// 200 for a normal end, else 300 to 699.
    pub status: u16,
    /// For people; at most 128 bytes.
    pub text: String,
}

impl Cause {
    /// A cause with the status's own text (RFC 3261 section 21).
    pub fn of(status: u16) -> Self {
        Self { status, text: reason_phrase(status).into() }
    }

    /// A normal end.
    pub fn normal() -> Self {
        Self::of(200)
    }

    /// Whether it tells nothing but that the call is over. A caller who is not answered yet is told 480 for that.
    pub fn is_normal(&self) -> bool {
        self.status == 200 || (self.status == 480 && self.text == NORMAL_CLEARING)
    }

    /// The end of a leg from which neither media came, nor an answer when it was asked whether it is there.
    pub fn silent() -> Self {
        Self { status: 408, text: "No media and no answer".into() }
    }

    /// The end of whoever talked to a leg that ended by [`Self::silent`].
    pub fn left_by_the_silent() -> Self {
        Self { status: 408, text: "The other side fell silent".into() }
    }

    /// The normal end of a leg whose own side hung up.
    pub fn hung_up() -> Self {
        Self { status: 200, text: "hung up".into() }
    }
}

/// The default reason phrase of a status (RFC 3261 section 21 and its extensions).
fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Moved Temporarily",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        _ => "Failed",
    }
}

/// The best of several failures (RFC 3261 section 16.7 point 6): a 6xx wins; then the lowest class, and
/// in 4xx those that tell the caller something he can act on. `None` for an empty list.
pub fn best_cause<'a>(causes: impl IntoIterator<Item = &'a Cause>) -> Option<Cause> {
    let rank = |cause: &Cause| match cause.status {
        600..=699 => (0, 0),
        401 | 407 | 415 | 420 | 484 => (cause.status / 100, 0),
        486 => (4, 1),
        status => (status / 100, 2),
    };
    causes.into_iter().min_by_key(|cause| rank(cause)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decline_beats_busy_and_busy_beats_a_broken_phone() {
        let list = [Cause::of(503), Cause::of(486), Cause::of(603), Cause::of(404)];
        assert_eq!(best_cause(&list).unwrap().status, 603);
        assert_eq!(best_cause(&list[..2]).unwrap().status, 486);
        assert_eq!(best_cause(&list[..1]).unwrap().status, 503);
        assert_eq!(best_cause(&list[..0]), None);
    }
}
