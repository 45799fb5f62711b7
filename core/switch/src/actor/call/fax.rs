//! The call's anchor at a fax machine of ours: ordered, watched, and what came of it kept.
//!
//! The machine works on the media's workers, its files are written by the recorder's thread, and whoever waits for the
//! outcome is told when they are.

use actix::{AsyncContext, Context, Handler, Message};
use plugboard_call::Input;
use plugboard_media::{Codec, Command as MediaCommand, Fax, FaxEnd, FaxOrder, FaxReport, MediaLeg};
use plugboard_metrics::FaxEnded;
use plugboard_model::{
    FaxError, FaxFile, FaxOutcome, FaxReceived, FaxRecord, FaxRequest, JournalEvent, LegId, WallTime,
};
use plugboard_recorder::Kept;
use plugboard_scenario::{Input as ScriptInput, Occasion};

use super::CallActor;
use super::sharing::OF_MODEMS;
use crate::delivered;
use crate::message::LegCommand;
use crate::post::press;

/// Bytes of a page at most: one of ITU-T T.6 that is all noise has some 700 KB, a usual one 50.
const PAGE_BYTES: usize = 1 << 20;

/// Bytes of a document at most: it lies in memory until its end.
const DOCUMENT_BYTES: usize = 64 << 20;

/// What a call has of faxes.
#[derive(Debug, Default)]
pub(super) struct Faxing {
    running: Option<Running>,
    /// Which one the disk has now, and what came of it.
    pending: Option<(u32, FaxReceived)>,
    /// How many there were.
    made: u32,
    ear: FaxEar,
}

/// Whether a fax machine's tone is listened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum FaxEar {
    /// Nobody wants to know.
    #[default]
    Closed,
    /// The scenario does, of this leg.
    Open(MediaLeg),
    /// It knows.
    Told,
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) fax: Fax,
    leg: LegId,
    media: MediaLeg,
    pub(super) n: u32,
    /// It sends.
    sends: bool,
    began: WallTime,
    /// Its phone was asked for another codec.
    asked: bool,
}

/// The files of a fax are written, or could not be. From the recorder's thread.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct FaxKept {
    n: u32,
    received: FaxReceived,
}

impl CallActor {
    pub(super) fn receive_fax(&mut self, leg: LegId, request: &FaxRequest, ctx: &mut Context<Self>) {
        let codec = self.agreed_with(leg);
        let pages = usize::try_from(request.pages_max).unwrap_or(1);
        let fax = Fax::new(FaxOrder {
            ident: request.ident.clone(),
            sends: None,
            pages_max: request.pages_max,
            bytes_max: pages.saturating_mul(PAGE_BYTES).min(DOCUMENT_BYTES),
        });
        self.begin_fax(leg, fax, false, ctx);
        if let Some(codec) = codec {
            self.fax_speaks(leg, codec, ctx);
        }
    }

    /// A leg speaks this now: where a modem gets through badly it is asked for G.711, once.
    pub(super) fn fax_speaks(&mut self, leg: LegId, codec: Codec, ctx: &mut Context<Self>) {
        let faxes = |running: &&mut Running| running.leg == leg && !running.sends && codec.law().is_none();
        let Some(running) = self.faxing.running.as_mut().filter(faxes) else { return };
        if !std::mem::replace(&mut running.asked, true) {
            // A machine waits half a minute for ours; its phone has changed long before.
            return self.order(leg, LegCommand::Speak(OF_MODEMS.into()));
        }
        // A codec for voices leaves nothing of it.
        if let Some(running) = self.faxing.running.take_if(|_| codec == Codec::Opus) {
            self.to_media(MediaCommand::Stand { leg: running.media });
            let why = "a fax needs G.711 or G.722, and the caller speaks Opus".into();
            self.feed(Input::Faxed(Err(FaxError::NoMedia(why))), ctx);
        }
    }

    /// Gives a leg to a machine of ours.
    pub(super) fn begin_fax(&mut self, leg: LegId, fax: Fax, sends: bool, ctx: &mut Context<Self>) {
        let Some(media) = self.media_of(leg) else {
            return self.feed(Input::Faxed(Err(FaxError::NoMedia("the leg has no media".into()))), ctx);
        };
        self.faxing.made += 1;
        let n = self.faxing.made;
        self.to_media(MediaCommand::Fax { leg: media, fax: fax.clone() });
        self.journal.note(self.now(), JournalEvent::Note { text: format!("fax {n} begins") });
        self.faxing.running = Some(Running { fax, leg, media, n, sends, began: self.env.clock.wall(), asked: false });
    }

    /// The machine is done.
    pub(super) fn fax_over(&mut self, ctx: &mut Context<Self>) -> Option<Input> {
        self.end_fax(ctx);
        None
    }

    /// The machine is done, or is to be.
    pub(super) fn end_fax(&mut self, ctx: &mut Context<Self>) {
        let Some(running) = self.faxing.running.take() else { return };
        self.to_media(MediaCommand::Stand { leg: running.media });
        if running.sends {
            return self.fax_sent(&running, ctx);
        }
        // Whatever the scenario does next is heard by audio.
        self.back_to_audio();
        let (received, waits) = self.keep_fax(&running, ctx);
        if waits {
            self.faxing.pending = Some((running.n, received));
        } else {
            self.feed(Input::Faxed(Ok(received)), ctx);
        }
    }

    /// A leg has gone: who has sent all that he had waits for no disk of ours.
    pub(super) fn fax_left(&mut self, leg: LegId, ctx: &mut Context<Self>) {
        if leg == self.call.anchor()
            && let Some((_, received)) = self.faxing.pending.take()
        {
            self.feed(Input::Faxed(Ok(received)), ctx);
        }
    }

    /// Keeps what came. Whether [`FaxKept`] follows.
    fn keep_fax(&mut self, running: &Running, ctx: &mut Context<Self>) -> (FaxReceived, bool) {
        let report = running.fax.finish();
        let (record, document) = self.fax_record(running, report);
        let text = format!("fax {} ends: {}, {} pages", record.n, record.end.as_str(), record.pages);
        self.journal.note(self.now(), JournalEvent::Note { text });
        let mut received =
            FaxReceived { end: record.end.clone(), pages: record.pages, sender: record.sender.clone(), document: None };
        let (store, metrics) = (self.env.store.clone(), self.env.metrics.clone());
        let (notices, office) = (self.snapshot.notices.clone(), std::sync::Arc::clone(&self.office));
        let keep = move |record: &FaxRecord| {
            FaxEnded { fax: record }.emit(&metrics);
            if let Err(error) = store.faxes().put(record) {
                tracing::error!(call_id = %record.call, n = record.n, %error, "what is known of a fax could not be kept");
            }
            delivered::fax(&notices, &office, record);
        };
        if document.is_empty() {
            keep(&record);
            return (received, false);
        }
        received.document = Some(format!("{}-{}", record.call, record.n));
        let (back, mut told) = (ctx.address().recipient(), received.clone());
        let (name, n) = (self.fax_name(record.n), record.n);
        let kept = move |kept: Kept| {
            let Kept { files, fault } = kept;
            let record = with_files(record, files, fault);
            told.end = record.end.clone();
            if record.files.is_empty() {
                told.document = None;
            }
            keep(&record);
            press(&back, FaxKept { n, received: told });
        };
        self.env.recorder.keep_fax(name, document, Box::new(kept));
        (received, true)
    }

    fn fax_record(&self, running: &Running, report: FaxReport) -> (FaxRecord, Vec<u8>) {
        let FaxReport { end, pages, cut, bad_rows, far_ident, bit_rate, corrected, t38, document, .. } = report;
        let record = FaxRecord {
            call: self.id.clone(),
            n: running.n,
            began: running.began,
            ended: self.env.clock.wall(),
            caller: self.begin.caller.clone(),
            caller_name: self.begin.caller_name.clone(),
            called: self.begin.called.clone(),
            end: match end {
                FaxEnd::Done => FaxOutcome::Done,
                FaxEnd::NoFax => FaxOutcome::NoFax,
                FaxEnd::Failed(reason) => FaxOutcome::Failed(reason),
            },
            pages,
            cut,
            bad_rows,
            sender: far_ident,
            bit_rate,
            corrected,
            t38,
            files: Vec::new(),
        };
        (record, document)
    }

    /// Where its files lie, without what tells them apart.
    fn fax_name(&self, n: u32) -> String {
        let (year, month, day) = self.begin.wall.date();
        format!("{}/{year:04}/{month:02}/{day:02}/{}-fax-{n}", self.office.id, self.id.ulid_text())
    }

    /// Begins to listen to the caller, once steps wait for it.
    pub(super) fn listen_for_fax(&mut self) {
        let waits = self.scripts.wait_for(Occasion::Fax);
        if waits
            && self.faxing.ear == FaxEar::Closed
            && let Some(leg) = self.media_of(self.call.guest())
        {
            self.faxing.ear = FaxEar::Open(leg);
            self.to_media(MediaCommand::HearFax { leg, on: true });
        }
    }

    /// Another scenario decides, perhaps about somebody else: it has its own word in this.
    pub(super) fn listens_for_fax_anew(&mut self) {
        if let FaxEar::Open(leg) = std::mem::take(&mut self.faxing.ear) {
            self.to_media(MediaCommand::HearFax { leg, on: false });
        }
    }

    /// The tone of a fax machine: our machine has a better way than audio to talk with it, and a scenario something to do.
    pub(super) fn fax_heard(&mut self, leg: LegId, ctx: &mut Context<Self>) -> Option<Input> {
        if self.faxes_with(leg) {
            // Who calls says so; whom we call has no such tone, and may only give back ours.
            if self.faxing.running.as_ref().is_some_and(|running| !running.sends) {
                self.offer_image(leg);
            }
        } else if let FaxEar::Open(media) = self.faxing.ear
            && self.media_of(leg) == Some(media)
        {
            self.faxing.ear = FaxEar::Told;
            self.to_media(MediaCommand::HearFax { leg: media, on: false });
            self.journal.note(self.now(), JournalEvent::Note { text: "the caller is a fax machine".into() });
            self.feed(Input::FaxHeard, ctx);
            self.feed_script(ScriptInput::FaxHeard, ctx);
        }
        None
    }

    /// Whether a leg is at a machine of ours.
    pub(super) fn faxes_with(&self, leg: LegId) -> bool {
        self.faxing.running.as_ref().is_some_and(|running| running.leg == leg)
    }

    /// Whether a page of its document was confirmed: from then on nothing else is spoken, since it would begin anew.
    pub(super) fn is_amid_fax(&self, leg: LegId) -> bool {
        let running = self.faxing.running.as_ref().filter(|running| running.leg == leg);
        running.is_some_and(|running| running.fax.pages() > 0)
    }

    fn agreed_with(&self, leg: LegId) -> Option<Codec> {
        self.legs.get(&leg).and_then(|handle| handle.codec).or(self.agreed)
    }
}

/// A document that the disk did not take was not received, whatever its sender was told.
fn with_files(record: FaxRecord, files: Vec<FaxFile>, fault: Option<String>) -> FaxRecord {
    let end = match fault {
        Some(fault) if files.is_empty() => FaxOutcome::Failed(fault),
        Some(fault) => {
            tracing::error!(call_id = %record.call, n = record.n, fault, "a file of a fax could not be written");
            record.end
        }
        None => record.end,
    };
    FaxRecord { end, files, ..record }
}

impl Handler<FaxKept> for CallActor {
    type Result = ();

    fn handle(&mut self, FaxKept { n, received }: FaxKept, ctx: &mut Context<Self>) {
        if self.faxing.pending.take_if(|(pending, _)| *pending == n).is_some() {
            self.feed(Input::Faxed(Ok(received)), ctx);
        }
    }
}
