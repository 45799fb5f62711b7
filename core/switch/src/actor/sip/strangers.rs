//! Strangers' calls are told in the log, since there is no record of them.

use plugboard_metrics::{StrangerCalled, StrangerEnd};
use plugboard_sip::flow::Flow;
use plugboard_sip::{Request, RequestUri};

use super::SipActor;

/// Letters of a name or number in a line.
const NAME_LEN_MAX: usize = 64;

impl SipActor {
    /// Tells of a call that nobody known makes.
    pub(super) fn tell_stranger(&mut self, request: &Request, flow: Flow, status: u16, refused: bool) {
        let short = |name: &str| name.chars().take(NAME_LEN_MAX).collect::<String>();
        let from = request.headers.from().ok().and_then(|from| from.parse_uri().ok());
        let caller = short(&from.as_ref().and_then(RequestUri::user).unwrap_or_default());
        let called = short(&request.uri.user().unwrap_or_default());
        let end = if refused { StrangerEnd::Refused } else { StrangerEnd::Challenged };
        StrangerCalled { source: flow.remote, status, caller: &caller, called: &called, end, at: self.env.clock.now() }
            .emit(&self.env.metrics);
    }
}
