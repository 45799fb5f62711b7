//! Fax machines by spandsp: ITU-T T.30 over the modems of V.17, V.29, V.27ter and V.21, with error correction (ECM).
//!
//! What is received is decoded and packed anew as ITU-T T.6 (MMR), however the far end packed it: pixels stay, and any
//! viewer of TIFF or PDF can read it.
#![expect(unsafe_code, reason = "names and callbacks of spandsp's T.30 are not wrapped")]

use crate::headroom::{self, FAX_BYTES_MAX};
use crate::memory::Memory;
use plugboard_media::{FAX_FRAME, FaxEnd, FaxMachine, FaxOrder, FaxReport};
use plugboard_model::SentPage;
use spandsp::fax::FaxState;
use spandsp::t4::T4Compression;
use spandsp::t30::{T30ModemSupport, T30State};
use spandsp::t38_core::{T38DataRateManagement, T38Version};
use spandsp::t38_terminal::T38Terminal;
use spandsp::{ReceiveCompletion, ReceivePageKind, ReceiveRecovery, ReceiveReport, spandsp_sys};
use std::ffi::{CStr, CString, c_int, c_void};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Limits are looked at each second.
const LOOK_FRAMES: u32 = 50;

/// Rows of a page: two metres and a half at the finest resolution that has a name (ITU-T T.4, 7.7 rows a millimetre).
const ROWS_MAX: i32 = 20_000;

/// 20 ms, by which T.38's clock is driven.
const SAMPLES: i32 = 160;

/// The longest name that T.30 has room for (section 5.3.6.2.4).
const IDENT_MAX: usize = 20;

/// The longest line that spandsp has room for at the top of a page.
const HEADER_MAX: usize = 50;

/// One machine.
pub(crate) struct Machine {
    // The first to be dropped: it writes to the file, and tells `met` and `packets`.
    state: State,
    file: Memory,
    order: FaxOrder,
    /// What T.38 wants sent, and how often.
    packets: Box<Packets>,
    /// The far end has shown itself to be a fax machine.
    met: Box<AtomicBool>,
    frames: u32,
    /// The pages that it has sent, and when the last of them was confirmed.
    sent: (Vec<SentPage>, u32),
    /// The limit that was passed.
    passed: Option<String>,
    /// Bytes of all packets: audio has a rate, packets come as fast as they are sent.
    came: usize,
    report: Option<FaxReport>,
}

/// How it speaks.
enum State {
    Audio(FaxState),
    Packets(T38Terminal),
}

type Packets = Mutex<Vec<(Vec<u8>, u8)>>;

/// A packet is sent at most so often, and has at most so many bytes: spandsp's buffers are smaller.
const COPIES_MAX: u8 = 4;
const PACKET_MAX: usize = 1_024;

/// T.38 wants a packet sent.
unsafe extern "C" fn send(
    _core: *mut spandsp_sys::t38_core_state_t,
    user_data: *mut c_void,
    bytes: *const u8,
    length: c_int,
    copies: c_int,
) -> c_int {
    let length = usize::try_from(length).unwrap_or(0);
    if bytes.is_null() || length > PACKET_MAX {
        return -1;
    }
    // SAFETY: spandsp lends so many bytes for as long as this runs.
    let packet = unsafe { std::slice::from_raw_parts(bytes, length) }.to_vec();
    // SAFETY: `Machine::speak_packets` gave it the address of `Packets` in a box, which outlives the state that calls this.
    let packets = unsafe { &*user_data.cast::<Packets>() };
    let copies = u8::try_from(copies).unwrap_or(1).clamp(1, COPIES_MAX);
    packets.lock().unwrap_or_else(PoisonError::into_inner).push((packet, copies));
    0
}

impl State {
    fn t30(&self) -> Option<T30State<'_>> {
        match self {
            Self::Audio(state) => state.get_t30_state().ok(),
            Self::Packets(state) => state.get_t30_state().ok(),
        }
    }

    fn finalize(&mut self) -> ReceiveReport {
        match self {
            Self::Audio(state) => state.finalize_receive().clone(),
            Self::Packets(state) => state.finalize_receive().clone(),
        }
    }
}

/// Phase B of T.30 is through: both know what the other one can.
unsafe extern "C" fn met(user_data: *mut c_void, _result: c_int) -> c_int {
    // SAFETY: `Machine::new` gave it the address of an `AtomicBool` in a box, which outlives the state that calls this.
    let met = unsafe { &*user_data.cast::<AtomicBool>() };
    met.store(true, Ordering::Relaxed);
    0
}

impl Machine {
    /// None: there is no memory.
    pub(crate) fn new(order: &FaxOrder) -> Option<Self> {
        headroom::install();
        let state = if order.sends.is_some() {
            FaxState::new(true).ok()?
        } else {
            FaxState::new_receiver(ReceiveRecovery::PreserveDecodedRows).ok()?
        };
        // It speaks each 20 ms, also when it has nothing to say: the far end's modem wants no gaps.
        state.set_transmit_on_idle(true);
        let machine = Self {
            state: State::Audio(state),
            file: file(order)?,
            order: order.clone(),
            packets: Box::default(),
            met: Box::default(),
            frames: 0,
            sent: (Vec::new(), 0),
            passed: None,
            came: 0,
            report: None,
        };
        machine.prepare()?;
        Some(machine)
    }

    /// Begins anew, by packets.
    fn speak_packets(&mut self) -> Option<()> {
        let user_data: *const Packets = &raw const *self.packets;
        let user_data = user_data.cast_mut().cast();
        // SAFETY: the box lives as long as the state, which is dropped first; the callback neither unwinds nor calls back.
        let state = unsafe {
            if self.order.sends.is_some() {
                T38Terminal::new_raw(true, Some(send), user_data).ok()?
            } else {
                T38Terminal::new_receiver_raw(ReceiveRecovery::PreserveDecodedRows, Some(send), user_data).ok()?
            }
        };
        let core = state.get_t38_core_state().ok()?;
        core.set_t38_version(T38Version::V0);
        core.set_data_rate_management_method(T38DataRateManagement::TransferredTcf);
        drop(core);
        let file = file(&self.order)?;
        self.state = State::Packets(state);
        self.file = file;
        self.prepare()
    }

    /// Tells T.30 what to do.
    fn prepare(&self) -> Option<()> {
        let t30 = self.state.t30()?;
        let (order, path) = (&self.order, self.file.path());
        let in_name = |one: &char| one.is_ascii_graphic() || *one == ' ';
        match &order.sends {
            Some(document) => {
                let first = i32::try_from(document.first_page).ok()?;
                t30.set_tx_file(&path, first, -1).ok()?;
                let header: String = document.header.chars().filter(in_name).take(HEADER_MAX).collect();
                if !header.is_empty() {
                    let header = CString::new(header).ok()?;
                    // SAFETY: the state is alive, and copies the text, which is a C string.
                    unsafe { spandsp_sys::t30_set_tx_page_header_info(t30.as_ptr(), header.as_ptr()) };
                }
            }
            None => t30.set_rx_file(&path, -1).ok()?,
        }
        t30.set_ecm_capability(true).ok()?;
        t30.set_supported_modems(T30ModemSupport::default()).ok()?;
        let all = T4Compression::T4_1D | T4Compression::T4_2D | T4Compression::T6;
        t30.set_supported_compressions(bits(all)).ok()?;
        let ident: String = order.ident.chars().filter(in_name).take(IDENT_MAX).collect();
        let ident = CString::new(ident).ok()?;
        let user_data: *const AtomicBool = &raw const *self.met;
        // SAFETY: the state is alive; the name is a C string, which it copies; the box of the callback lives as long as the state, and the
        // callback neither unwinds nor calls back.
        unsafe {
            spandsp_sys::t30_set_supported_output_compressions(t30.as_ptr(), bits(T4Compression::T6));
            spandsp_sys::t30_set_tx_ident(t30.as_ptr(), ident.as_ptr());
            t30.set_phase_b_handler_raw(Some(met), user_data.cast_mut().cast());
        }
        Some(())
    }

    /// Whether the page that comes has too many rows. spandsp keeps it unpacked until its end, however long it is, and a few bits may
    /// be a row: so it is looked at after whatever came.
    fn has_no_end(&self) -> bool {
        let rows = self.state.t30().map_or(0, |t30| t30.get_transfer_statistics().length);
        self.order.sends.is_none() && rows > ROWS_MAX
    }

    /// Ends it where the page that comes is too long.
    fn watch(&mut self) {
        if self.passed.is_none() && self.has_no_end() {
            self.passed = Some(format!("a page has more than {ROWS_MAX} rows"));
            self.terminate();
        }
    }

    /// Whether the document is within its limits, and if it is not, which one it passed.
    fn look(&self) -> Option<String> {
        let pages = self.state.t30()?.get_transfer_statistics().pages_rx;
        if u32::try_from(pages).unwrap_or(0) > self.order.pages_max {
            return Some(format!("it has more than {} pages", self.order.pages_max));
        }
        (self.file.len() > self.order.bytes_max).then(|| format!("it is longer than {} bytes", self.order.bytes_max))
    }

    /// 20 ms are over.
    fn pass(&mut self) {
        self.frames += 1;
        self.count_sent();
        if self.frames.is_multiple_of(LOOK_FRAMES)
            && self.order.sends.is_none()
            && let Some(limit) = self.look()
        {
            self.passed = Some(limit);
            self.terminate();
        }
    }

    /// Notes the pages that were confirmed since.
    fn count_sent(&mut self) {
        let Some(document) = &self.order.sends else { return };
        let Some(statistics) = self.state.t30().map(|t30| t30.get_transfer_statistics()) else { return };
        let (first, (pages, mark)) = (document.first_page, &mut self.sent);
        let confirmed = usize::try_from(statistics.pages_tx).unwrap_or(0);
        while pages.len() < confirmed {
            let place = u32::try_from(pages.len()).unwrap_or(u32::MAX);
            pages.push(SentPage {
                page: first.saturating_add(place).saturating_add(1),
                bit_rate: u32::try_from(statistics.bit_rate).unwrap_or(0),
                took_ms: (self.frames - *mark).saturating_mul(20),
            });
            *mark = self.frames;
        }
    }

    /// Whether it speaks T.38, from now on if it did not; false: there is no memory for it, or a page was confirmed already, which would
    /// be sent again.
    fn speaks_packets(&mut self) -> bool {
        match self.state {
            State::Packets(_) => true,
            State::Audio(_) if self.order.sends.is_some() && self.pages() > 0 => {
                self.terminate();
                false
            }
            State::Audio(_) => self.speak_packets().is_some(),
        }
    }

    /// Whether it speaks by audio, from now on if it did not: T.38 was given up. What came of a document is kept; without a page it begins
    /// anew.
    fn speaks_audio(&mut self) -> bool {
        if let State::Packets(_) = self.state {
            let pages = self.state.t30().map_or(0, |t30| t30.get_transfer_statistics().pages_rx);
            if pages > 0 || self.order.sends.is_some() {
                self.terminate();
                return false;
            }
            let Some(fresh) = Self::new(&self.order) else { return false };
            (self.state, self.file) = (fresh.state, fresh.file);
            // What tells of the far end is in boxes, which the state knows by their address.
            (self.packets, self.met) = (fresh.packets, fresh.met);
        }
        true
    }

    /// Ends the call, as one whose far end has hung up.
    fn terminate(&self) {
        if let Some(t30) = self.state.t30() {
            // SAFETY: the state is alive and used by nobody else meanwhile.
            unsafe { spandsp_sys::t30_terminate(t30.as_ptr()) };
        }
    }

    fn far_ident(&self) -> String {
        let Some(t30) = self.state.t30() else { return String::new() };
        // SAFETY: the answer is null or a C string within the state, which lives for longer than it is read.
        let text = unsafe {
            let text = spandsp_sys::t30_get_rx_ident(t30.as_ptr());
            if text.is_null() { c"" } else { CStr::from_ptr(text) }
        };
        let clean = |text: &str| text.chars().filter(|one| !one.is_control()).take(IDENT_MAX).collect::<String>();
        clean(&text.to_string_lossy()).trim().to_owned()
    }

    fn end(&self, completion: ReceiveCompletion, pages: u32) -> FaxEnd {
        if let Some(limit) = &self.passed {
            return FaxEnd::Failed(limit.clone());
        }
        let (code, cut) = match completion {
            ReceiveCompletion::Completed { code } => (code, false),
            ReceiveCompletion::Interrupted { last_status } => (last_status, true),
        };
        if code == 0 && !cut && pages > 0 {
            return FaxEnd::Done;
        }
        if !self.met.load(Ordering::Relaxed) && pages == 0 {
            return FaxEnd::NoFax;
        }
        FaxEnd::Failed(if code == 0 { "The call dropped prematurely".into() } else { reason(code) })
    }
}

/// The file of an order: what it sends, or nothing yet.
fn file(order: &FaxOrder) -> Option<Memory> {
    match &order.sends {
        Some(document) => Memory::with(&document.tiff).ok(),
        None => Memory::new().ok(),
    }
}

/// A code of T.30's end in spandsp's words.
fn reason(code: i32) -> String {
    // SAFETY: whatever the number, the answer is a C string that lives as long as the program.
    let text = unsafe { CStr::from_ptr(spandsp_sys::t30_completion_code_to_str(code)) };
    text.to_string_lossy().into_owned()
}

fn bits(compressions: T4Compression) -> i32 {
    i32::try_from(compressions.bits()).unwrap_or(0)
}

impl FaxMachine for Machine {
    fn exchange(&mut self, heard: &[i16], said: &mut [i16]) {
        if self.report.is_some() {
            return;
        }
        let mut samples = [0; FAX_FRAME];
        for (place, sample) in samples.iter_mut().zip(heard) {
            *place = *sample;
        }
        if !self.speaks_audio() {
            return;
        }
        let State::Audio(state) = &self.state else { return };
        state.rx(&mut samples);
        state.tx(said);
        self.watch();
        self.pass();
    }

    fn packet(&mut self, sequence: u16, packet: &[u8]) {
        if self.report.is_some() || !self.speaks_packets() {
            return;
        }
        let State::Packets(state) = &self.state else { return };
        if let Ok(core) = state.get_t38_core_state() {
            // One that it does not understand is as good as lost.
            let _understood = core.rx_ifp_packet(packet, sequence);
        }
        self.came = self.came.saturating_add(packet.len());
        if self.came > FAX_BYTES_MAX && self.passed.is_none() {
            self.passed = Some(format!("more than {FAX_BYTES_MAX} bytes came"));
            self.terminate();
        }
        self.watch();
    }

    fn elapse(&mut self, packets: &mut Vec<(Vec<u8>, u8)>) {
        if self.report.is_some() || !self.speaks_packets() {
            return;
        }
        let State::Packets(state) = &self.state else { return };
        state.send_timeout(SAMPLES);
        packets.append(&mut self.packets.lock().unwrap_or_else(PoisonError::into_inner));
        self.pass();
    }

    fn pages(&self) -> u32 {
        let statistics = self.state.t30().map(|t30| t30.get_transfer_statistics());
        let pages = statistics.map_or(0, |all| if self.order.sends.is_some() { all.pages_tx } else { all.pages_rx });
        u32::try_from(pages).unwrap_or(0)
    }

    fn is_over(&self) -> bool {
        self.report.is_some() || !self.state.t30().is_some_and(|t30| t30.call_active())
    }

    fn finish(&mut self) -> FaxReport {
        if let Some(report) = &self.report {
            return report.clone();
        }
        self.count_sent();
        self.terminate();
        let far_ident = self.far_ident();
        let report = self.state.finalize();
        let statistics = report.statistics;
        let sent = u32::try_from(statistics.pages_tx).unwrap_or(0);
        let pages = if self.order.sends.is_some() { sent } else { report.confirmed_complete_pages };
        let document = if self.order.sends.is_some() || report.pages.is_empty() {
            Vec::new()
        } else {
            self.file.bytes(usize::MAX)
        };
        let report = FaxReport {
            end: self.end(report.completion, pages),
            pages,
            sent: std::mem::take(&mut self.sent.0),
            cut: report.pages.iter().any(|page| page.kind == ReceivePageKind::RecoveredPartial),
            bad_rows: report.pages.iter().map(|page| page.decoder_bad_rows).sum(),
            far_ident,
            bit_rate: u32::try_from(statistics.bit_rate).unwrap_or(0),
            corrected: statistics.error_correcting_mode != 0,
            t38: matches!(self.state, State::Packets(_)),
            document,
        };
        self.report = Some(report.clone());
        report
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("sends", &self.order.sends.is_some()).finish_non_exhaustive()
    }
}
