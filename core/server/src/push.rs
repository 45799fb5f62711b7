//! Push services, as the switch asks them and as they are configured.

use plugboard_metrics::{Metrics, PushOutcome, PushSent};
use plugboard_outside::push::{NotTold, Pusher, Request};
use plugboard_switch::{Clock, Push, PushTarget};
use std::path::Path;
use std::sync::Arc;

use crate::config::PushService;

/// The switch's way to push services.
pub(crate) struct Pushes {
    names: Vec<String>,
    services: Vec<(PushService, Option<String>)>,
    /// Without services there is no thread.
    pusher: Option<Pusher>,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
}

impl Pushes {
    /// To these services, trusted by these roots or the system's.
    ///
    /// # Errors
    /// What is lacking: a token, or certificates.
    pub(crate) fn start(
        services: &[PushService],
        roots: Option<&Path>,
        metrics: Metrics,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let names = services.iter().map(|service| service.provider.clone()).collect();
        let with_token = |service: &PushService| {
            let token = service.token.as_ref().map(|token| token.read()).transpose();
            let told = |reason| format!("the push service {} cannot be used: {reason}", service.provider);
            token.map(|token| (service.clone(), token)).map_err(told)
        };
        let services: Vec<_> = services.iter().map(with_token).collect::<Result<_, _>>()?;
        let start = || Pusher::start(roots).map_err(|error| error.to_string());
        let pusher = if services.is_empty() { None } else { Some(start()?) };
        Ok(Self { names, services, pusher, metrics, clock })
    }
}

impl Push for Pushes {
    fn providers(&self) -> &[String] {
        &self.names
    }

    fn wake(&self, device: &PushTarget, gone: Box<dyn FnOnce() + Send>) {
        let found = self.services.iter().find(|(service, _)| service.provider == device.provider);
        let (Some((service, token)), Some(pusher)) = (found, &self.pusher) else { return };
        let body = service.body_for(&device.param, &device.prid);
        let (metrics, provider) = (self.metrics.clone(), service.provider.clone());
        let clock = Arc::clone(&self.clock);
        pusher.tell(Request { url: service.url.clone(), token: token.clone(), body }, move |told| {
            let (outcome, reason) = match told {
                Ok(()) => (PushOutcome::Accepted, String::new()),
                Err(why) => (outcome(&why), why.to_string()),
            };
            PushSent { outcome, at: clock.now(), provider: &provider, reason: &reason }.emit(&metrics);
            if outcome == PushOutcome::Gone {
                gone();
            }
        });
    }
}

const fn outcome(why: &NotTold) -> PushOutcome {
    match why {
        NotTold::Gone(_) => PushOutcome::Gone,
        NotTold::Refused(_) => PushOutcome::Refused,
        NotTold::Unreachable(_) | NotTold::Silent => PushOutcome::Unreachable,
        NotTold::TooMany => PushOutcome::Dropped,
    }
}
