//! Services of the web that actions ask.

use actix::{AsyncContext, Context, Handler, Message};
use plugboard_call::Op;
use plugboard_metrics::{WebAsked, WebOutcome};
use plugboard_model::{HostResult, HttpError, HttpMethod, HttpRequest, HttpResponse, Time};
use std::sync::Arc;
use std::time::Duration;

use super::CallActor;
use crate::env::WebRequest;
use crate::post::press;

/// Past its time and this a source's answer does not come any more, whatever became of who asks it.
const LATE: Duration = Duration::from_secs(2);

impl CallActor {
    /// Asks a source of the office for a run; the run is told when the answer comes.
    pub(super) fn ask_web(&mut self, op: Op, request: HttpRequest, ctx: &mut Context<Self>) {
        let Op::Run { run, n } = op else { return };
        let Some(source) = self.office.http_source(&request.source).cloned() else {
            let reason = format!("office {} has no source of the web {:?}", self.office.id, request.source);
            return self.web_answered(op, &request.source, self.now(), Err(HttpError::Denied(reason)));
        };
        if !source.methods.contains(&request.method) {
            let allowed: Vec<&str> = source.methods.iter().map(|method| HttpMethod::as_str(*method)).collect();
            let reason =
                format!("{} of {}: the office allows {} there", request.method.as_str(), source.id, allowed.join(", "));
            return self.web_answered(op, &request.source, self.now(), Err(HttpError::Denied(reason)));
        }
        let key = format!("{}/{}/{n}", self.id, run.0);
        let asked = WebRequest { office: self.office.id.clone(), source: Arc::clone(&source), request, key };
        let back = ctx.address().recipient();
        let (source, since) = (asked.request.source.clone(), self.now());
        let (named, latest) = (source.clone(), asked.source.timeout + LATE);
        ctx.run_later(latest, move |call, ctx| {
            if call.waits_at(op) {
                call.web_answered(op, &named, since, Err(HttpError::TimeOver));
                call.pump(ctx);
            }
        });
        self.env.web.ask(asked, Box::new(move |answer| press(&back, WebAnswered { op, source, since, answer })));
    }

    fn web_answered(&mut self, op: Op, source: &str, since: Time, answer: Result<HttpResponse, HttpError>) {
        let now = self.now();
        let (outcome, reason) = match &answer {
            Ok(response) if (200..300).contains(&response.status) => (WebOutcome::Done, ""),
            Ok(_) => (WebOutcome::Refused, ""),
            Err(HttpError::Denied(reason)) => (WebOutcome::Denied, reason.as_str()),
            Err(HttpError::TimeOver) => (WebOutcome::TimeOver, ""),
            Err(HttpError::Unreachable(reason)) => (WebOutcome::Unreachable, reason.as_str()),
            Err(HttpError::Broken(reason)) => (WebOutcome::Broken, reason.as_str()),
            Err(HttpError::Busy) => (WebOutcome::Busy, ""),
            Err(HttpError::TooLong(_)) => (WebOutcome::Unfit, "too long"),
            Err(HttpError::NoText) => (WebOutcome::Unfit, "no text"),
            Err(HttpError::Invalid(reason)) => (WebOutcome::Unfit, reason.as_str()),
        };
        let took = now.since(since);
        WebAsked { call: &self.id, source, outcome, reason, took, at: now }.emit(&self.env.metrics);
        self.resume(op, HostResult::Responded(answer));
    }
}

/// A source answered, or not. From the thread that asked it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct WebAnswered {
    op: Op,
    source: String,
    since: Time,
    answer: Result<HttpResponse, HttpError>,
}

impl Handler<WebAnswered> for CallActor {
    type Result = ();

    fn handle(&mut self, answered: WebAnswered, ctx: &mut Context<Self>) {
        let WebAnswered { op, source, since, answer } = answered;
        if !self.waits_at(op) {
            return;
        }
        self.web_answered(op, &source, since, answer);
        self.pump(ctx);
    }
}
