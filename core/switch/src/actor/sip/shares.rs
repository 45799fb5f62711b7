//! How much of the switch's time one source and one user may have.

use plugboard_metrics::{CallPutOff, RefusalReason, RequestLimited, RequestsOf};
use plugboard_model::UserId;
use plugboard_office::Office;
use plugboard_sip::flow::Flow;
use plugboard_sip::transaction::{Input, ServerTx};
use plugboard_sip::{Method, Request, Response};
use std::time::Duration;

use super::SipActor;
use super::admit::dials_help;

impl SipActor {
    /// Whether a request is looked at of somebody who has not shown who he is. One too many from his address is forgotten
    /// without a word: an answer would cost as much, and go to whoever's address he writes. It is looked at all the same where it is a
    /// gateway's, whose calls have limits of their own, or from the port of a user's phone, which has a share of its own, as calls for
    /// help have.
    pub(super) fn heeds(&mut self, tx: ServerTx, request: &Request, flow: Flow) -> bool {
        let hears = self.hears(request, flow);
        if !hears {
            self.layer.handle(self.env.clock.now(), Input::Ignore { tx });
        }
        hears
    }

    /// The same of what has no transaction.
    pub(super) fn hears(&self, request: &Request, flow: Flow) -> bool {
        let now = self.env.clock.now();
        let passes = self.rates.stranger(now, flow.remote)
            || (self.is_at_home(request, flow) && self.rates.phone(now, flow.remote))
            || self.comes_from_gateway(flow)
            || (request.method == Method::Invite && self.helps(request, flow) && self.rates.help(now, flow.remote));
        if !passes {
            RequestLimited { of: RequestsOf::Source, at: now, source: flow.remote, user: None }.emit(&self.env.metrics);
        }
        passes
    }

    /// Whether a gateway is there, whatever it asks: its OPTIONS names nobody.
    fn comes_from_gateway(&self, flow: Flow) -> bool {
        let mut offices = self.snapshot.configuration.offices.iter();
        offices.any(|office| office.gateway_by_source(flow.remote).is_some())
            || !self.peers.at(flow.remote.ip()).is_empty()
    }

    /// Whether a user who has shown who he is may ask once more; else he is told when to try again. Calls for help always pass.
    pub(super) fn grants(
        &mut self,
        tx: ServerTx,
        request: &Request,
        flow: Flow,
        office: &Office,
        user: &UserId,
    ) -> bool {
        let (now, calls) = (self.env.clock.now(), request.method == Method::Invite);
        let Err(wait) = self.rates.user(now, flow.remote, user, calls) else { return true };
        if calls && dials_help(office, request) {
            return true;
        }
        RequestLimited { of: RequestsOf::User, at: now, source: flow.remote, user: Some(user) }.emit(&self.env.metrics);
        if calls {
            CallPutOff { reason: RefusalReason::TooOften, status: 503, source: flow.remote }.count(&self.env.metrics);
        }
        let mut response = Response::to_request(request, 503);
        response.headers.push("Retry-After", whole_seconds(wait).to_string());
        self.refuse_told(tx, response);
        false
    }

    /// Whether it is a new call for help, or back to whoever called for help.
    pub(super) fn opens_for_help(&self, request: &Request, flow: Flow) -> bool {
        let opens = request.method == Method::Invite && request.headers.to().is_ok_and(|to| to.tag().is_none());
        opens && self.helps(request, flow)
    }

    /// Whether it comes from the port from which a phone of the user is registered whom its From names.
    fn is_at_home(&self, request: &Request, flow: Flow) -> bool {
        let user = || {
            let from = request.headers.from().ok()?.parse_uri().ok()?;
            Some(self.office_of(request)?.find_user(&from.user()?)?.id.clone())
        };
        user().is_some_and(|user| self.guesses.lock().is_home(flow.remote, &user))
    }
}

/// Rounded up, since whoever comes earlier is refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
