//! Mail, texts, posts, and calls that integrations are told, which are to leave: one machine for all offices, beside the shards, since it reads the disk.

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, Recipient};
use plugboard_call::notices::{LaneRules, NotTaken, NoticeRules, Notices, NoticesOutput, Taken};
use plugboard_metrics::{NoticeTried as Tried, NoticesHeld};
use plugboard_model::{
    Attachment, CallId, FaxFile, MailAttach, Notice, NoticeContent, NoticeEnd, NoticeError, NoticeId, NoticePart,
    OfficeId, TapeKind, TapeRecord,
};
use plugboard_office::Office;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::actor::integrations::TellCall;
use crate::env::{Carriage, Env};
use crate::message::{
    Drain, DropNotice, ForgetNotices, GetNotice, GetNotices, NoticeKept, NoticeTried, RetryNotice, TakeNotice, Told,
    UseSnapshot,
};
use crate::post::press;
use crate::snapshot::Configuration;
use crate::wake::Wake;

/// A few for each call that ends in the same second.
const NOTICES_MAILBOX: usize = 4_096;

/// A clock that was set back must not let notices wait for ever: it is looked again.
const LOOK: Duration = Duration::from_mins(1);

/// How posts leave: their sources say the rest.
const POSTS: LaneRules = LaneRules { give_up_after: Duration::from_hours(24), at_once: 8, an_hour: 3_000 };

/// How integrations are told of calls: an hour of a large office, and a CRM that is down from Friday evening to Monday. One at a time: they
/// take no more.
const LOGS: LaneRules = LaneRules { give_up_after: Duration::from_hours(72), at_once: 1, an_hour: 5_000 };

/// Holds the [`Notices`].
pub(crate) struct NoticesActor {
    env: Env,
    integrations: Recipient<TellCall>,
    configuration: Configuration,
    notices: Notices,
    /// The offices whose notices were read.
    known: BTreeSet<OfficeId>,
    /// Who waits to be told that one was taken.
    asked: BTreeMap<NoticeId, Told>,
    wake: Wake,
}

impl NoticesActor {
    pub(crate) fn new(env: Env, integrations: Recipient<TellCall>) -> Self {
        let (configuration, notices, wake) = (Configuration::default(), Notices::default(), Wake::default());
        Self { env, integrations, configuration, notices, known: BTreeSet::new(), asked: BTreeMap::new(), wake }
    }

    fn take(&mut self, asked: TakeNotice, ctx: &mut Context<Self>) {
        let TakeNotice { mut notice, attach, told } = asked;
        if let NoticeContent::Mail(mail) = &mut notice.content {
            mail.attachments.extend(self.attachments(&notice.id.call, &attach));
        }
        let id = notice.id.clone();
        match self.notices.take(self.env.clock.wall(), notice) {
            Ok(Taken::New) => drop(self.asked.insert(id, told)),
            Ok(Taken::Before) => return told(Ok(id.text())),
            Err(why @ (NotTaken::Full | NotTaken::TooMany(_))) => return told(Err(NoticeError::Full(why.to_string()))),
            Err(why @ NotTaken::NoLane) => return told(Err(NoticeError::Denied(why.to_string()))),
        }
        self.carry_out(ctx);
    }

    /// What a call has of these. What is known of them may still be on its way to the disk.
    fn attachments(&self, call: &CallId, wanted: &[MailAttach]) -> Vec<Attachment> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let store = &self.env.store;
        let read = || {
            store.sync().map_err(|error| error.to_string())?;
            let tapes = store.tapes().of_call(call).map_err(|error| error.to_string())?;
            let faxes = store.faxes().of_call(call).map_err(|error| error.to_string())?;
            Ok::<_, String>((tapes, faxes))
        };
        let (tapes, faxes) = match read() {
            Ok(found) => found,
            Err(reason) => {
                tracing::error!(call_id = %call, reason, "what goes along with a mail cannot be read");
                return Vec::new();
            }
        };
        let newest = |is: fn(&TapeKind) -> bool| tapes.iter().filter(|tape| is(&tape.kind)).max_by_key(|tape| tape.n);
        let found = wanted.iter().filter_map(|wanted| match wanted {
            MailAttach::Voicemail => {
                newest(|kind| matches!(kind, TapeKind::Message { .. })).map(|tape| sound(tape, "voicemail"))
            }
            MailAttach::Recording => {
                newest(|kind| matches!(kind, TapeKind::Recording { .. })).map(|tape| sound(tape, "recording"))
            }
            MailAttach::Fax => faxes.iter().max_by_key(|fax| fax.n).and_then(|fax| document(&fax.files)),
        });
        found.collect()
    }

    fn carry_out(&mut self, ctx: &mut Context<Self>) {
        while let Some(output) = self.notices.poll_output() {
            match output {
                NoticesOutput::Keep(notice) => match self.asked.remove(&notice.id) {
                    Some(told) => self.keep(&notice, None, Some(told), ctx),
                    None => {
                        if let Err(error) = self.env.store.notices().put(&notice) {
                            tracing::error!(notice = %notice.id, %error, "a notice could not be kept");
                        }
                    }
                },
                NoticesOutput::Begin(notice) => {
                    let told = self.asked.remove(&notice.id);
                    self.keep(&notice, Some(notice.tried), told, ctx);
                }
                NoticesOutput::GivenUp(id) => {
                    if let Some(notice) = self.notices.get(&id) {
                        tracing::error!(call_id = %id.call, notice = %id, kind = notice.content.as_str(), "a notice was given up");
                    }
                }
                NoticesOutput::Forget(id) => self.env.store.notices().remove(&id),
            }
        }
        NoticesHeld(self.notices.waiting()).emit(&self.env.metrics);
        let (now, wall) = (self.env.clock.now(), self.env.clock.wall());
        let at = self.notices.poll_timeout().map(|at| {
            let millis = u64::try_from(at.0.saturating_sub(wall.0)).unwrap_or(0);
            now + Duration::from_millis(millis).min(LOOK)
        });
        self.wake.set(ctx, now, at, |actor, ctx| {
            actor.wake.rang();
            actor.notices.tick(actor.env.clock.wall());
            actor.carry_out(ctx);
        });
    }

    /// Keeps it; [`NoticeKept`] says when it is on the disk.
    fn keep(&self, notice: &Notice, begins: Option<u32>, told: Option<Told>, ctx: &Context<Self>) {
        let (back, id) = (ctx.address().recipient(), notice.id.clone());
        let done = Box::new(move |done: Result<_, _>| {
            press(&back, NoticeKept { id, begins, done: done.map(drop), told });
        });
        if let Err(error) = self.env.store.notices().put_then(notice, done) {
            tracing::error!(notice = %notice.id, %error, "a notice could not be written");
        }
    }

    fn kept(&mut self, kept: NoticeKept, ctx: &mut Context<Self>) {
        let NoticeKept { id, begins, done, told } = kept;
        match (done, told, begins) {
            (Err(error), Some(told), _) => {
                self.notices.undo(&id);
                // It may be there all the same (the disk failed after its log had it): nobody is to find it after a restart.
                self.env.store.notices().remove(&id);
                told(Err(NoticeError::NotKept(error.to_string())));
            }
            (Err(error), None, Some(n)) => {
                let end = NoticeEnd::NotNow(format!("that it leaves could not be kept: {error}"));
                self.notices.tried(self.env.clock.wall(), &id, n, end);
            }
            (Err(_), None, None) => {}
            (Ok(()), told, begins) => {
                if let Some(told) = told {
                    told(Ok(id.text()));
                }
                if let Some(n) = begins {
                    self.leave(&id, n, ctx);
                }
            }
        }
        self.carry_out(ctx);
    }

    /// It leaves now, if nobody has forgotten it meanwhile.
    fn leave(&mut self, id: &NoticeId, n: u32, ctx: &Context<Self>) {
        let Some(notice) = self.notices.get(id).filter(|notice| notice.tried == n).cloned() else { return };
        let Some(office) = self.configuration.offices.get(id.office()).cloned() else {
            let end = NoticeEnd::NotNow("its office is gone".into());
            return self.notices.tried(self.env.clock.wall(), id, n, end);
        };
        let (back, told) = (ctx.address().recipient(), id.clone());
        let reply = Box::new(move |end| press(&back, NoticeTried { id: told, n, end }));
        match (&notice.id.part, &notice.content) {
            (NoticePart::Log(integration), NoticeContent::Log(call)) => {
                let (integration, call) = (integration.clone(), call.clone());
                let (office, again) = (office.id.clone(), n > 1);
                press(&self.integrations, TellCall { office, integration, call, again, told: reply });
            }
            _ => self.env.carrier.carry(Carriage { office, notice }, reply),
        }
    }
}

fn sound(tape: &TapeRecord, name: &str) -> Attachment {
    Attachment { file: tape.file.clone(), name: format!("{name}.wav"), media_type: "audio/wav".into() }
}

/// The file of a fax that everybody can read.
fn document(files: &[FaxFile]) -> Option<Attachment> {
    let file = files.iter().find(|file| Path::new(&file.file).extension().is_some_and(|ending| ending == "pdf"))?;
    Some(Attachment { file: file.file.clone(), name: "fax.pdf".into(), media_type: "application/pdf".into() })
}

fn rules(office: &Office) -> NoticeRules {
    let mail = office.mail.as_ref().map(|mail| LaneRules {
        give_up_after: mail.give_up_after,
        at_once: mail.at_once,
        an_hour: mail.an_hour,
    });
    let text = office.text_messages.as_ref().map(|texts| LaneRules {
        give_up_after: texts.give_up_after,
        at_once: texts.at_once,
        an_hour: texts.an_hour,
    });
    NoticeRules { mail, text, post: POSTS, log: LOGS }
}

impl Actor for NoticesActor {
    type Context = Context<Self>;
    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(NOTICES_MAILBOX);
    }
}

impl Handler<TakeNotice> for NoticesActor {
    type Result = ();
    fn handle(&mut self, asked: TakeNotice, ctx: &mut Self::Context) {
        self.take(asked, ctx);
    }
}

impl Handler<NoticeKept> for NoticesActor {
    type Result = ();
    fn handle(&mut self, kept: NoticeKept, ctx: &mut Self::Context) {
        self.kept(kept, ctx);
    }
}

impl Handler<NoticeTried> for NoticesActor {
    type Result = ();
    fn handle(&mut self, NoticeTried { id, n, end }: NoticeTried, ctx: &mut Self::Context) {
        if let Some(notice) = self.notices.get(&id) {
            let now = self.env.clock.wall();
            let took = u64::try_from(now.0.saturating_sub(notice.taken.0)).unwrap_or(0);
            Tried { notice, end: &end, since_taken: Duration::from_millis(took) }.emit(&self.env.metrics);
        }
        self.notices.tried(self.env.clock.wall(), &id, n, end);
        self.carry_out(ctx);
    }
}

impl Handler<GetNotices> for NoticesActor {
    type Result = MessageResult<GetNotices>;
    fn handle(&mut self, asked: GetNotices, _: &mut Self::Context) -> Self::Result {
        let GetNotices { office, number, waiting, most } = asked;
        let mut notices: Vec<&Notice> = self.notices.of_office(&office).collect();
        notices.retain(|notice| number.as_ref().is_none_or(|number| notice.numbers.contains(number)));
        notices.retain(|notice| !waiting || notice.state.over().is_none());
        MessageResult(notices.into_iter().rev().take(most).cloned().collect())
    }
}

impl Handler<GetNotice> for NoticesActor {
    type Result = MessageResult<GetNotice>;
    fn handle(&mut self, GetNotice(id): GetNotice, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.notices.get(&id).cloned())
    }
}

impl Handler<RetryNotice> for NoticesActor {
    type Result = MessageResult<RetryNotice>;
    fn handle(&mut self, RetryNotice(id): RetryNotice, ctx: &mut Self::Context) -> Self::Result {
        let retried = self.notices.retry(self.env.clock.wall(), &id).cloned();
        self.carry_out(ctx);
        MessageResult(retried)
    }
}

impl Handler<DropNotice> for NoticesActor {
    type Result = MessageResult<DropNotice>;
    fn handle(&mut self, DropNotice(id): DropNotice, ctx: &mut Self::Context) -> Self::Result {
        let dropped = self.notices.put_aside(self.env.clock.wall(), &id).cloned();
        self.carry_out(ctx);
        MessageResult(dropped)
    }
}

impl Handler<ForgetNotices> for NoticesActor {
    type Result = usize;
    fn handle(&mut self, ForgetNotices { office, number }: ForgetNotices, ctx: &mut Self::Context) -> usize {
        let is_it = |notice: &Notice| Some(notice.id.office()) == office.as_ref() && notice.numbers.contains(&number);
        let gone = self.notices.forget(is_it);
        self.carry_out(ctx);
        gone
    }
}

impl Handler<Drain> for NoticesActor {
    type Result = ();
    fn handle(&mut self, _: Drain, _: &mut Self::Context) {
        self.notices.drain();
    }
}

impl Handler<UseSnapshot> for NoticesActor {
    type Result = ();
    fn handle(&mut self, UseSnapshot(snapshot): UseSnapshot, ctx: &mut Self::Context) {
        self.configuration = snapshot.configuration.clone();
        let (now, offices) = (self.env.clock.wall(), &self.configuration.offices);
        let new: Vec<OfficeId> =
            offices.iter().map(|office| office.id.clone()).filter(|id| !self.known.contains(id)).collect();
        let rules = offices.iter().map(|office: &Arc<Office>| (office.id.clone(), rules(office))).collect();
        self.notices.follow(now, rules);
        for office in new {
            match self.env.store.notices().all(&office) {
                Ok(kept) => {
                    self.notices.restore(now, kept);
                    self.known.insert(office);
                }
                Err(error) => tracing::error!(%office, %error, "the notices that are to leave could not be read"),
            }
        }
        self.carry_out(ctx);
    }
}
