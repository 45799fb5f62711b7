//! What gets no transaction.

use super::Layer;
use crate::flow::Flow;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::rejection::Rejection;
use crate::transaction::{Misfit, Output};
use crate::validate::check_syntax;

/// What a 503 asks the sender to wait, in seconds: a burst is over by then.
const RETRY_AFTER_SECONDS: u32 = 5;

impl Layer {
    /// Answers a request that gets no transaction, and tells of it.
    pub(super) fn turn_away(&mut self, misfit: Misfit, request: &Request, key: &str, (flow, back): (Flow, Flow)) {
        let Some(status) = misfit.status() else { return self.misfit(misfit, request.method.clone(), flow) };
        let mut response = Response::to_request_tagged(request, status, &self.branches.tag(key));
        if status == 503 {
            response.headers.push("Retry-After", RETRY_AFTER_SECONDS.to_string());
        }
        self.misfit(misfit, request.method.clone(), flow);
        self.send_off(back, response.to_bytes().into());
    }

    /// Answers a request whose headers name no transaction, where it came from (RFC 4475 section 3.1.2.1). Without any Via
    /// nobody would know what the answer is for, and an ACK has none.
    pub(super) fn answer_nameless(&mut self, request: &Request, flow: Flow) {
        let Some(via) = request.headers.get("Via").filter(|_| request.method != Method::Ack) else { return };
        let mut response = match check_syntax(request) {
            Err(fault) => Rejection::bad_request(fault).response(request),
            Ok(()) => Response::to_request(request, 400),
        };
        response.headers.set_to_tag(&self.branches.tag(via));
        self.misfit(Misfit::Nameless, request.method.clone(), flow);
        self.send_off(flow, response.to_bytes().into());
    }

    pub(super) fn misfit(&mut self, misfit: Misfit, method: Method, flow: Flow) {
        self.outbox.push_back(Output::Misfit { misfit, method, flow });
    }
}
