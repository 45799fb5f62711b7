//! What gets no transaction.

use super::Layer;
use crate::flow::Flow;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::rejection::Rejection;
use crate::transaction::{Misfit, Output, Turned};
use crate::validate::check_syntax;

/// What a 503 asks the sender to wait, in seconds: a burst is over by then.
const RETRY_AFTER_SECONDS: u32 = 5;

impl Layer {
    /// Tells of a request that gets no transaction, and how it is to be answered.
    pub(super) fn turn_away(&mut self, misfit: Misfit, request: Request, key: &str, (flow, back): (Flow, Flow)) {
        let Some(status) = misfit.status() else { return self.misfit(misfit, request.method, flow) };
        let mut response = Response::to_request_tagged(&request, status, &self.branches.tag(key));
        if status == 503 {
            response.headers.push("Retry-After", RETRY_AFTER_SECONDS.to_string());
        }
        self.turned(misfit, request, flow, (back, &response));
    }

    /// Answers a request whose headers name no transaction, where it came from (RFC 4475 section 3.1.2.1). Without any Via
    /// nobody would know what the answer is for, and an ACK has none.
    pub(super) fn answer_nameless(&mut self, request: Request, flow: Flow) {
        let Some(via) = request.headers.get("Via").filter(|_| request.method != Method::Ack) else { return };
        let mut response = match check_syntax(&request) {
            Err(fault) => Rejection::bad_request(fault).response(&request),
            Ok(()) => Response::to_request(&request, 400),
        };
        response.headers.set_to_tag(&self.branches.tag(via));
        self.turned(Misfit::Nameless, request, flow, (flow, &response));
    }

    fn turned(&mut self, misfit: Misfit, request: Request, flow: Flow, (back, response): (Flow, &Response)) {
        let method = request.method.clone();
        let answer = Some(Box::new(Turned { request, back, bytes: response.to_bytes().into() }));
        self.outbox.push_back(Output::Misfit { misfit, method, flow, answer });
    }

    pub(super) fn misfit(&mut self, misfit: Misfit, method: Method, flow: Flow) {
        self.outbox.push_back(Output::Misfit { misfit, method, flow, answer: None });
    }

    /// A tag for what is named so, which nobody else can make.
    pub fn sealed_tag(&self, name: &str) -> String {
        self.branches.tag(name)
    }
}
