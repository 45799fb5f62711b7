//! Which strangers' calls are told in the log: the first of each minute, since a scanner sends thousands.

use plugboard_metrics::StrangerCalled;
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
        let unsaid = self.strangers.one_more(self.env.clock.now());
        StrangerCalled { source: flow.remote, status, caller: &caller, called: &called, refused, unsaid }
            .emit(&self.env.metrics);
    }
}
