//! Carries out what waits: [`Writer`] lets tapes grow, [`Clerk`] does what takes a whole file. Nobody else touches the disk.

use plugboard_media::tape::Side;
use plugboard_media::{Audio, Codec, Codecs};
use plugboard_model::{FaxFile, TapeEnd, TapeWhy, Time};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::desk::Desk;
use crate::disk::Disk;
use crate::document;
use crate::reel::{Form, Reel};
use crate::wav;

/// Bytes that are gathered for one write: a second of G.711, so that a crash loses no more.
const WRITE_BYTES: usize = 16_000;

/// A message that is read to be played; what is longer is no message.
const LOAD_MAX: usize = 64 << 20;

/// What is said of a file that could not be worked on.
const FAULT: &str = "a fault of the switch itself, which its log has";
const BUSY: &str = "the disk is busy: too many files wait for it; try again later";

/// What is to be recorded, and where.
#[derive(Debug, Clone)]
pub struct Order {
    /// The file, relative, that must not be there yet.
    pub file: String,
    /// Both sides, else what the leg says alone.
    pub stereo: bool,
    /// It ends by itself when the left side has been silent for so long; where that is the only side.
    pub silence: Option<Duration>,
    /// It ends by itself at this length.
    pub longest: Option<Duration>,
}

/// Where the end of a recording is told, and who talked: once, from the recorder's thread. It must not wait.
pub type Told = Box<dyn FnOnce(TapeEnd, Talked) + Send>;

/// What is known of the talk on a tape.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Talked {
    /// For how long somebody was heard on its left side.
    pub heard: Duration,
    /// The numbers that were told of ([`crate::Recording::talks`]), each once.
    pub numbers: Vec<String>,
}

/// Numbers of one tape: a call is handed on so often.
const NUMBERS_MAX: usize = 64;

/// What is to be done about tapes.
pub(crate) enum Job {
    Begin(Box<Begin>),
    On,
    Off,
    /// Its bytes lie with those of the others ([`Batch`]).
    Sound {
        side: Side,
        codec: Codec,
        stream: u32,
        timestamp: u32,
        payload: Range<usize>,
    },
    Still,
    Talks(String),
    End(TapeWhy),
}

/// A new tape.
pub(crate) struct Begin {
    pub(crate) order: Order,
    pub(crate) missed: Arc<AtomicU64>,
    pub(crate) told: Told,
}

impl Job {
    /// A packet, or that time went by: of these there may be too many.
    pub(crate) const fn is_sound(&self) -> bool {
        matches!(self, Self::Sound { .. } | Self::Still)
    }
}

/// Bytes for which a batch keeps room while nothing is in it: what comes of some hundred recorded calls between two looks.
const BATCH_ROOM: usize = 1 << 20;

/// Jobs in the order in which they came, each with its tape and its time; and the sound of all of them in one piece, so that no packet
/// is given memory of its own by one thread and taken from it by another.
#[derive(Default)]
pub(crate) struct Batch {
    jobs: Vec<(u64, Time, Job)>,
    bytes: Vec<u8>,
}

impl Batch {
    pub(crate) fn push(&mut self, tape: u64, at: Time, job: Job) {
        self.jobs.push((tape, at, job));
    }

    /// Keeps a packet's bytes, for a job that is pushed next.
    pub(crate) fn lay(&mut self, payload: &[u8]) -> Range<usize> {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        begin..self.bytes.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// How many packets, and steps of time.
    pub(crate) fn sounds(&self) -> usize {
        self.jobs.iter().filter(|(_, _, job)| job.is_sound()).count()
    }
}

/// What is to be done about whole files.
pub(crate) enum Errand {
    /// Nothing more comes onto a tape.
    Finish {
        file: String,
        why: TapeWhy,
        missing_ms: u64,
        talked: Talked,
        told: Told,
    },
    Load {
        file: String,
        told: Box<dyn FnOnce(Result<Audio, String>) + Send>,
    },
    Remove {
        file: String,
        told: Box<dyn FnOnce(io::Result<()>) + Send>,
    },
    KeepFax {
        name: String,
        tiff: Vec<u8>,
        told: Box<dyn FnOnce(Kept) + Send>,
    },
}

/// What became of the files of a fax.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// Those that are there.
    pub files: Vec<FaxFile>,
    /// What went wrong, of the first that is not.
    pub fault: Option<String>,
}

/// Every recording that goes on.
pub(crate) struct Writer {
    disk: Box<dyn Disk>,
    codecs: Arc<dyn Codecs>,
    tapes: BTreeMap<u64, Running>,
    desk: Arc<Desk>,
}

/// Whoever works on whole files.
pub(crate) struct Clerk {
    disk: Box<dyn Disk>,
}

struct Running {
    order: Order,
    reel: Reel,
    /// Not written yet.
    waiting: Vec<u8>,
    /// Bytes of sound in the file.
    written: u64,
    /// Frames that the queue did not take.
    missed: Arc<AtomicU64>,
    numbers: Vec<String>,
    told: Told,
}

impl Writer {
    pub(crate) fn new(disk: Box<dyn Disk>, codecs: Arc<dyn Codecs>, desk: Arc<Desk>) -> Self {
        Self { disk, codecs, tapes: BTreeMap::new(), desk }
    }

    /// Tape by tape, each one's jobs in their order, so that what belongs together is near when it is worked on. The batch is empty then.
    pub(crate) fn carry_out(&mut self, batch: &mut Batch) {
        batch.jobs.sort_by_key(|(tape, _, _)| *tape);
        for (tape, at, job) in batch.jobs.drain(..) {
            self.carry_out_one(tape, at, job, &batch.bytes);
        }
        batch.bytes.clear();
        batch.bytes.shrink_to(BATCH_ROOM);
    }

    fn carry_out_one(&mut self, tape: u64, at: Time, job: Job, bytes: &[u8]) {
        match job {
            Job::Begin(begin) => self.begin(tape, *begin),
            Job::On => self.roll(tape, |reel, _| reel.on(at)),
            Job::Off => self.roll(tape, |reel, out| reel.off(at, out)),
            Job::Sound { side, codec, stream, timestamp, payload } => {
                let payload = bytes.get(payload).unwrap_or_default();
                self.roll(tape, |reel, out| reel.sound(at, side, codec, (stream, timestamp), payload, out));
            }
            Job::Still => self.roll(tape, |reel, out| reel.still(at, out)),
            Job::Talks(number) => {
                let numbers = self.tapes.get_mut(&tape).map(|running| &mut running.numbers);
                if let Some(numbers) = numbers.filter(|all| all.len() < NUMBERS_MAX && !all.contains(&number)) {
                    numbers.push(number);
                }
            }
            Job::End(why) => self.end(tape, why),
        }
    }

    /// Whether a tape goes on.
    pub(crate) fn is_taping(&self) -> bool {
        !self.tapes.is_empty()
    }

    /// Ends whatever goes on.
    pub(crate) fn end_all(&mut self, why: &TapeWhy) {
        for tape in self.tapes.keys().copied().collect::<Vec<_>>() {
            self.end(tape, why.clone());
        }
    }

    fn begin(&mut self, tape: u64, Begin { order, missed, told }: Begin) {
        if let Err(fault) =
            self.disk.create(&order.file, &wav::head(Form::of(plugboard_media::Codec::Pcma, order.stereo), 0))
        {
            let end = TapeEnd { length_ms: 0, bytes: 0, sha256: [0; 32], missing_ms: 0, why: why_of(&fault) };
            return told(end, Talked::default());
        }
        let reel = Reel::new(order.stereo, order.longest.is_some(), Arc::clone(&self.codecs));
        let waiting = Vec::with_capacity(WRITE_BYTES * 2);
        let running = Running { order, reel, waiting, written: 0, missed, numbers: Vec::new(), told };
        self.tapes.insert(tape, running);
    }

    fn roll(&mut self, tape: u64, step: impl FnOnce(&mut Reel, &mut Vec<u8>)) {
        let Some(running) = self.tapes.get_mut(&tape) else { return };
        step(&mut running.reel, &mut running.waiting);
        let reel = &running.reel;
        let long = |longest| Duration::from_millis(reel.length_ms()) >= longest;
        let enough = if let Some(codec) = reel.strange() {
            Some(TapeWhy::Codec(format!("{codec:?}")))
        } else if running.order.longest.is_some_and(long) {
            Some(TapeWhy::Limit)
        } else if running.order.silence.is_some_and(|silence| reel.quiet_for() >= silence) {
            Some(TapeWhy::Silence)
        } else {
            None
        };
        if let Some(why) = enough {
            return self.end(tape, why);
        }
        if running.waiting.len() >= WRITE_BYTES
            && let Err(fault) = running.write(&mut *self.disk)
        {
            self.finish(tape, why_of(&fault));
        }
    }

    fn end(&mut self, tape: u64, why: TapeWhy) {
        let Some(running) = self.tapes.get_mut(&tape) else { return };
        running.reel.end(&mut running.waiting);
        let why = match running.write(&mut *self.disk) {
            Ok(()) => why,
            Err(fault) => why_of(&fault),
        };
        self.finish(tape, why);
    }

    /// What is in the file is all that there is.
    fn finish(&mut self, tape: u64, why: TapeWhy) {
        let Some(Running { order, reel, missed, numbers, told, .. }) = self.tapes.remove(&tape) else { return };
        let missing_ms = missed.load(Ordering::Relaxed) * plugboard_media::FRAME_MS;
        let errand = Errand::Finish {
            file: order.file,
            why,
            missing_ms,
            talked: Talked { heard: reel.heard_for(), numbers },
            told,
        };
        if let Some(errand) = self.desk.push(errand) {
            Clerk::new(self.disk.again()).carry_out(errand);
        }
    }
}

impl Errand {
    /// There was no room for it: whoever wants it is told so.
    pub(crate) fn refuse(self) {
        match self {
            Self::Finish { missing_ms, talked, told, .. } => {
                let why = TapeWhy::Disk(BUSY.into());
                told(TapeEnd { length_ms: 0, bytes: 0, sha256: [0; 32], missing_ms, why }, talked);
            }
            Self::Load { file, told } => told(Err(format!("{file}: {BUSY}"))),
            Self::Remove { told, .. } => told(Err(io::Error::new(ErrorKind::ResourceBusy, BUSY))),
            Self::KeepFax { name, told, .. } => {
                told(Kept { files: Vec::new(), fault: Some(format!("{name}: {BUSY}")) });
            }
        }
    }
}

/// Does some work on a file; none: it panicked, which ends that work alone.
pub(crate) fn unharmed<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

impl Clerk {
    pub(crate) fn new(disk: Box<dyn Disk>) -> Self {
        Self { disk }
    }

    pub(crate) fn carry_out(&mut self, errand: Errand) {
        match errand {
            Errand::Finish { file, why, missing_ms, talked, told } => {
                let found = unharmed(|| self.disk.sync(&file).and_then(|()| look(&mut *self.disk, &file)));
                let end = match found.unwrap_or_else(|| Err(io::Error::other(FAULT))) {
                    Ok(found) => TapeEnd { why, missing_ms, ..found },
                    Err(fault) => TapeEnd { length_ms: 0, bytes: 0, sha256: [0; 32], missing_ms, why: why_of(&fault) },
                };
                told(end, talked);
            }
            Errand::Load { file, told } => {
                told(unharmed(|| self.load(&file)).unwrap_or_else(|| Err(format!("{file}: {FAULT}"))));
            }
            Errand::Remove { file, told } => {
                told(unharmed(|| self.disk.remove(&file)).unwrap_or_else(|| Err(io::Error::other(FAULT))));
            }
            Errand::KeepFax { name, tiff, told } => {
                let kept = unharmed(|| self.keep_fax(&name, &tiff));
                told(kept.unwrap_or_else(|| Kept { files: Vec::new(), fault: Some(format!("{name}: {FAULT}")) }));
            }
        }
    }

    /// As it was received first: the other one can be made of it.
    fn keep_fax(&mut self, name: &str, tiff: &[u8]) -> Kept {
        let mut kept = Kept::default();
        let made = document::sheets(tiff).map(|sheets| document::pdf(&sheets));
        let files = [("tif", Ok(tiff.to_vec())), ("pdf", made.map_err(|fault| fault.to_string()))];
        for (suffix, bytes) in files {
            let file = format!("{name}.{suffix}");
            let written = bytes.and_then(|bytes| {
                let created = self.disk.create(&file, &bytes).and_then(|()| self.disk.sync(&file));
                created.map_err(|fault| in_words(&fault)).map(|()| bytes)
            });
            match written {
                Ok(bytes) => {
                    let (size, sha256) = (u64::try_from(bytes.len()).unwrap_or(0), Sha256::digest(&bytes).into());
                    kept.files.push(FaxFile { file, bytes: size, sha256 });
                }
                Err(fault) => kept.fault = kept.fault.or(Some(format!("{file}: {fault}"))),
            }
        }
        kept
    }

    fn load(&mut self, file: &str) -> Result<Audio, String> {
        let mut whole = Vec::new();
        let read = self.disk.read(file, &mut |piece| {
            if whole.len() < LOAD_MAX {
                whole.extend_from_slice(piece);
            }
        });
        read.map_err(|fault| format!("{file}: {fault}"))?;
        wav::read(&whole).map_err(|fault| format!("{file}: {fault}"))
    }
}

impl Running {
    fn write(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let more = u64::try_from(self.waiting.len()).unwrap_or(0);
        let head = wav::head(self.reel.form(), self.written + more);
        let length = u64::try_from(wav::HEAD_LEN).unwrap_or(0) + self.written;
        disk.append(&self.order.file, length, &self.waiting, &head)?;
        self.written += more;
        self.waiting.clear();
        Ok(())
    }
}

/// What a file holds, as it lies: by its head, with its sum.
///
/// # Errors
/// What the disk says, or that it is no recording.
pub fn look(disk: &mut dyn Disk, file: &str) -> io::Result<TapeEnd> {
    let (mut hash, mut head, mut bytes) = (Sha256::new(), Vec::new(), 0);
    disk.read(file, &mut |piece| {
        hash.update(piece);
        bytes += u64::try_from(piece.len()).unwrap_or(0);
        let rest = wav::HEAD_LEN.saturating_sub(head.len());
        head.extend_from_slice(piece.get(..rest.min(piece.len())).unwrap_or_default());
    })?;
    let measured = wav::measure(&head, bytes).map_err(|fault| io::Error::new(ErrorKind::InvalidData, fault))?;
    let (length_ms, sha256) = (measured.length_ms, hash.finalize().into());
    Ok(TapeEnd { length_ms, bytes, sha256, missing_ms: 0, why: TapeWhy::Interrupted })
}

/// The size and the SHA-256 of a file.
///
/// # Errors
/// What the disk says.
pub fn sum(disk: &mut dyn Disk, file: &str) -> io::Result<(u64, [u8; 32])> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    disk.read(file, &mut |piece| {
        hash.update(piece);
        bytes += u64::try_from(piece.len()).unwrap_or(0);
    })?;
    Ok((bytes, hash.finalize().into()))
}

fn in_words(fault: &io::Error) -> String {
    if why_of(fault) == TapeWhy::DiskFull { "the disk is full".into() } else { fault.to_string() }
}

fn why_of(fault: &io::Error) -> TapeWhy {
    if matches!(fault.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        TapeWhy::DiskFull
    } else {
        TapeWhy::Disk(fault.to_string())
    }
}
