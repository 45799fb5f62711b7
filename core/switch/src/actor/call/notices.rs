//! Mail, texts and posts that actions send: made ready here, kept and sent by the `NoticesActor`.

use actix::{AsyncContext, Context, Handler, Message};
use plugboard_call::Op;
use plugboard_model::{
    HostResult, LegId, MailAttach, MailContent, MailRequest, Notice, NoticeContent, NoticeError, NoticeId, NoticePart,
    NoticeState, OutgoingMail, OutgoingPost, OutgoingText, RunId, TextRequest,
};
use plugboard_scenario::{Input as ScriptInput, escaped_for_html, fill};
use std::collections::BTreeSet;
use std::time::Duration;

use super::CallActor;
use crate::delivered::{message_id, one_line};
use crate::message::TakeNotice;
use crate::post::{post, press};

/// What a caller may wait for the disk. What it takes later leaves all the same.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of a text that a template has made.
const TEXT_MAX: usize = 65_536;
/// Bytes of a subject (RFC 5322 section 2.1.1).
const SUBJECT_MAX: usize = 998;

impl CallActor {
    pub(super) fn send_mail(&mut self, op: Op, request: &MailRequest, ctx: &mut Context<Self>) {
        let Op::Run { run, n } = op else { return };
        let part = NoticePart::Step { run, n };
        match self.mail(run, part.clone(), request) {
            Ok(mail) => self.take_notice(op, part, NoticeContent::Mail(mail), true, &request.attach, ctx),
            Err(why) => self.resume(op, HostResult::Noticed(Err(why))),
        }
    }

    pub(super) fn send_text(&mut self, op: Op, request: &TextRequest, ctx: &mut Context<Self>) {
        let Op::Run { run, n } = op else { return };
        let Some(repeats) = self.office.text_messages.as_ref().map(|rules| rules.tells_repetitions()) else {
            let why = NoticeError::Denied(format!("office {} sends no text messages", self.office.id));
            return self.resume(op, HostResult::Noticed(Err(why)));
        };
        let Some(to) = self.office.text_number(&request.to) else {
            let why = NoticeError::Invalid(format!("to {:?} is no number of the public network", request.to));
            return self.resume(op, HostResult::Noticed(Err(why)));
        };
        let content = NoticeContent::Text(OutgoingText { to, text: request.text.clone() });
        self.take_notice(op, NoticePart::Step { run, n }, content, repeats, &[], ctx);
    }

    pub(super) fn post_later(&mut self, op: Op, document: OutgoingPost, ctx: &mut Context<Self>) {
        let Op::Run { run, n } = op else { return };
        let Some(source) = self.office.http_source(&document.source) else {
            let reason = format!("office {} has no source of the web {:?}", self.office.id, document.source);
            return self.resume(op, HostResult::Noticed(Err(NoticeError::Denied(reason))));
        };
        if !source.methods.contains(&plugboard_model::HttpMethod::Post) {
            let reason = format!("the office does not allow post at {}", source.id);
            return self.resume(op, HostResult::Noticed(Err(NoticeError::Denied(reason))));
        }
        self.take_notice(op, NoticePart::Step { run, n }, NoticeContent::Post(document), true, &[], ctx);
    }

    /// A mail as it leaves, with the run's variables filled in.
    fn mail(&self, run: RunId, part: NoticePart, request: &MailRequest) -> Result<OutgoingMail, NoticeError> {
        if self.office.mail.is_none() {
            return Err(NoticeError::Denied(format!("office {} sends no mail", self.office.id)));
        }
        let addresses = request.to.iter().map(|whom| self.office.mail_address(whom).map(|to| to.to_string()));
        // Who is named twice, as himself and by his number, gets one.
        let to: BTreeSet<String> = addresses.collect::<Result<_, _>>().map_err(NoticeError::Denied)?;
        let (subject, text, html) = match &request.content {
            MailContent::Written { subject, text } => (subject.clone(), text.clone(), None),
            MailContent::Template(name) => self.filled_in(run, name)?,
        };
        let message_id = message_id(&self.office, &NoticeId { call: self.id.clone(), part });
        Ok(OutgoingMail { message_id, to: to.into_iter().collect(), subject, text, html, attachments: Vec::new() })
    }

    fn filled_in(&self, run: RunId, name: &str) -> Result<(String, String, Option<String>), NoticeError> {
        let template = self.office.mail_template(name);
        let language = &self.office.language;
        let found = template.and_then(|template| template.text(language, language));
        let text =
            found.ok_or_else(|| NoticeError::Denied(format!("office {} has no mail {name:?}", self.office.id)))?;
        let filled = |text: &str, escaped: fn(&str) -> String, most: usize| {
            let filled = fill(text, escaped, |name| self.scripts.read(run, name));
            let mut filled =
                filled.ok_or_else(|| NoticeError::Denied(format!("the mail {name:?} has a broken brace")))?;
            filled.truncate(filled.floor_char_boundary(most));
            Ok(filled)
        };
        let subject = filled(&text.subject, one_line, SUBJECT_MAX)?;
        let html = text.html.as_ref().map(|html| filled(html, escaped_for_html, TEXT_MAX)).transpose()?;
        Ok((subject, filled(&text.text, str::to_owned, TEXT_MAX)?, html))
    }

    fn take_notice(
        &mut self,
        op: Op,
        part: NoticePart,
        content: NoticeContent,
        repeats: bool,
        attach: &[MailAttach],
        ctx: &mut Context<Self>,
    ) {
        let (taken, id) = (self.env.clock.wall(), NoticeId { call: self.id.clone(), part });
        let numbers = [self.begin.caller.clone(), self.begin.called.clone()];
        let numbers = numbers.into_iter().filter(|number| !number.is_empty()).collect();
        let (tries, state) = (Vec::new(), NoticeState::Waiting { until: taken });
        let notice = Notice { id, taken, numbers, content, repeats, tried: 0, tries, state };
        let back = ctx.address().recipient();
        ctx.run_later(PATIENCE, move |call, ctx| {
            if call.waits_at(op) {
                let why = format!("the disk took longer than {} s; it may leave all the same", PATIENCE.as_secs());
                call.resume(op, HostResult::Noticed(Err(NoticeError::NotKept(why))));
                call.pump(ctx);
            }
        });
        let told = Box::new(move |answer| press(&back, NoticeTaken { op, answer }));
        post(&self.snapshot.notices, TakeNotice { notice, attach: attach.to_vec(), told });
    }

    /// Scenarios are told the name of who talks with the caller now, if that is a user.
    pub(super) fn tell_agent(&mut self, ctx: &mut Context<Self>) {
        let name = self.agent_name();
        if !name.is_empty() && self.told_agent != name {
            self.told_agent.clone_from(&name);
            self.feed_script(ScriptInput::AgentNamed { name }, ctx);
        }
    }

    fn agent_name(&self) -> String {
        let user = self.call.talking_to().and_then(|leg: LegId| self.call.party(leg)).and_then(|(user, _)| user);
        user.and_then(|user| self.office.user(user)).map_or_else(String::new, |user| user.name.clone())
    }
}

/// A notice was taken, or not. From the `NoticesActor`.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct NoticeTaken {
    op: Op,
    answer: Result<String, NoticeError>,
}

impl Handler<NoticeTaken> for CallActor {
    type Result = ();

    fn handle(&mut self, NoticeTaken { op, answer }: NoticeTaken, ctx: &mut Context<Self>) {
        if !self.waits_at(op) {
            return;
        }
        if let Err(why) = &answer {
            tracing::warn!(call_id = %self.id, ?why, "a notice was not taken");
        }
        self.resume(op, HostResult::Noticed(answer));
        self.pump(ctx);
    }
}
