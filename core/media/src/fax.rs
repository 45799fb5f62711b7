//! A fax machine in place of a person: what a leg hears goes to it, and what it says goes to the leg.
//!
//! How a machine speaks is behind [`FaxMachine`], which [`Codecs::fax`] makes; this crate knows when. A machine is shared by
//! whoever ordered it and by the booth in which it works, so that it goes on when the leg agrees on another codec, and its
//! report is there whoever ends it.

use crate::coding::{Codecs, Rate};
use plugboard_model::SentPage;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How far behind the network a machine hears: as late as packets may be, and always the same. A modem's signal must not be
/// stretched, and its answers may take a second (ITU-T T.30 section 5.4.3.1: T4 is 3 s).
pub const FAX_DELAY: Duration = Duration::from_millis(160);

/// Samples of 20 ms.
pub const FAX_FRAME: usize = Rate::Narrow.frame();

/// What a machine is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaxOrder {
    /// What it says of itself (CSI or TSI): up to 20 of digits, `+` and blanks; empty: nothing.
    pub ident: String,
    /// It calls, and sends this; `None`: it receives.
    pub sends: Option<FaxDocument>,
    /// Pages after which it ends the call.
    pub pages_max: u32,
    /// Bytes of the received document after which it ends the call.
    pub bytes_max: usize,
}

/// What a machine sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaxDocument {
    /// The pages (TIFF).
    pub tiff: Arc<[u8]>,
    /// The first of them that is to be sent, from 0: those before it were sent already.
    pub first_page: u32,
    /// What stands at the top of each page beside the date and the page's number: up to 50 letters; empty: no such line, and each page
    /// goes as it is.
    pub header: String,
}

impl FaxDocument {
    /// All of it, as it is.
    pub fn whole(tiff: &[u8]) -> Self {
        Self { tiff: Arc::from(tiff), first_page: 0, header: String::new() }
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaxReport {
    /// How it ended.
    pub end: FaxEnd,
    /// Whole pages that were confirmed.
    pub pages: u32,
    /// ... one by one, where it sent.
    pub sent: Vec<SentPage>,
    /// A page was cut off, and its beginning is in the document.
    pub cut: bool,
    /// Rows that were not as they were sent.
    pub bad_rows: u32,
    /// What the far end said of itself, empty when it said nothing.
    pub far_ident: String,
    /// Bits a second of the last page.
    pub bit_rate: u32,
    /// Whether errors were corrected (ECM, ITU-T T.30 annex A).
    pub corrected: bool,
    /// Whether it came by T.38.
    pub t38: bool,
    /// What was received: a TIFF file, or nothing when no page came.
    pub document: Vec<u8>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaxEnd {
    /// Both ends say that all went well.
    Done,
    /// The far end is no fax machine: nothing of ITU-T T.30 came from it.
    NoFax,
    /// It failed, with what T.30 has as the reason.
    Failed(String),
}

/// A machine that works: ITU-T T.30 over audio of [`Rate::Narrow`], or over the packets of ITU-T T.38.
pub trait FaxMachine: Send {
    /// Takes 20 ms of what the far end says, and fills `said` with what the machine says meanwhile.
    fn exchange(&mut self, heard: &[i16], said: &mut [i16]);

    /// Takes a packet of T.38 (IFP) with its number. From the first of these, or the first [`FaxMachine::elapse`], the machine
    /// speaks T.38 and no audio: it begins anew.
    fn packet(&mut self, sequence: u16, packet: &[u8]);

    /// 20 ms pass: appends the packets of T.38 that the machine sends, and how often each is to be sent.
    fn elapse(&mut self, packets: &mut Vec<(Vec<u8>, u8)>);

    /// Pages that were confirmed so far, by whoever received them.
    fn pages(&self) -> u32;

    /// Nothing more will come of it.
    fn is_over(&self) -> bool;

    /// Ends it, wherever it is, and tells what became of it.
    fn finish(&mut self) -> FaxReport;
}

/// One machine. Cheap to clone; every clone is the same.
#[derive(Clone)]
pub struct Fax(Arc<Mutex<State>>);

enum State {
    Ordered(FaxOrder),
    Working(Box<dyn FaxMachine>),
    Over(FaxReport),
}

impl Fax {
    /// A machine that begins when it is given to a leg.
    pub fn new(order: FaxOrder) -> Self {
        Self(Arc::new(Mutex::new(State::Ordered(order))))
    }

    /// Ends it, if it has not ended, and tells what became of it. Closes the document: a few milliseconds at the most.
    pub fn finish(&self) -> FaxReport {
        let mut state = self.state();
        let report = match &mut *state {
            State::Ordered(_) => nothing(FaxEnd::NoFax),
            State::Working(machine) => machine.finish(),
            State::Over(report) => return report.clone(),
        };
        *state = State::Over(report.clone());
        report
    }

    /// Pages that were confirmed so far.
    pub fn pages(&self) -> u32 {
        match &*self.state() {
            State::Ordered(_) => 0,
            State::Working(machine) => machine.pages(),
            State::Over(report) => report.pages,
        }
    }

    /// 20 ms of audio. True: it is over.
    pub(crate) fn exchange(&self, codecs: &dyn Codecs, heard: &[i16], said: &mut [i16]) -> bool {
        self.work(codecs, |machine| machine.exchange(heard, said))
    }

    /// Packets of T.38 that came, and 20 ms so often. True: it is over.
    pub(crate) fn elapse(
        &self,
        codecs: &dyn Codecs,
        came: &[(u16, Vec<u8>)],
        times: usize,
        packets: &mut Vec<(Vec<u8>, u8)>,
    ) -> bool {
        self.work(codecs, |machine| {
            for (sequence, packet) in came {
                machine.packet(*sequence, packet);
            }
            for _ in 0..times {
                machine.elapse(packets);
            }
        })
    }

    fn work(&self, codecs: &dyn Codecs, work: impl FnOnce(&mut dyn FaxMachine)) -> bool {
        let mut state = self.state();
        if let State::Ordered(order) = &*state {
            *state = match codecs.fax(order) {
                Some(machine) => State::Working(machine),
                None => State::Over(nothing(FaxEnd::Failed("there is no memory for a fax machine".into()))),
            };
        }
        let State::Working(machine) = &mut *state else { return true };
        work(&mut **machine);
        if machine.is_over() {
            let report = machine.finish();
            *state = State::Over(report);
            return true;
        }
        false
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A machine that panicked is in the hands of nobody: its worker ended the leg.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The report of a machine that never worked.
const fn nothing(end: FaxEnd) -> FaxReport {
    FaxReport {
        end,
        pages: 0,
        sent: Vec::new(),
        cut: false,
        bad_rows: 0,
        far_ident: String::new(),
        bit_rate: 0,
        corrected: false,
        t38: false,
        document: Vec::new(),
    }
}

impl PartialEq for Fax {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Fax {}

impl fmt::Debug for Fax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fax")
    }
}
