//! The queue between those who talk and those who write: one thread lets tapes grow, another one does what takes a whole file
//! ([`Desk`]).

use plugboard_media::tape::{Take, Tape, Taped};
use plugboard_media::{Audio, Codecs};
use plugboard_model::{TapeWhy, Time};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::desk::Desk;
use crate::disk::Disk;
use crate::writer::{Batch, Begin, Clerk, Errand, Job, Kept, Order, Told, Writer, unharmed};

/// Packets that wait for the disk: 16 MB of G.711; of a hundred recorded calls so many come in six seconds.
pub const QUEUE_MAX: usize = 65_536;

/// Packets gather for so long before the thread that writes looks at them: a wake-up for each one would cost more than the relay. A crash
/// loses a second in any case.
const GATHER: Duration = Duration::from_millis(100);

/// So many are looked at before that: an eighth of what may wait.
const GATHER_MAX: usize = QUEUE_MAX / 8;

/// Records calls. Cheap to clone; every clone is the same recorder.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    there: Condvar,
    most: usize,
    next: AtomicU64,
    desk: Arc<Desk>,
    threads: Mutex<Option<[JoinHandle<()>; 2]>>,
    queued: Mutex<Option<Box<dyn Fn() + Send + Sync>>>,
}

#[derive(Default)]
struct Queue {
    jobs: Batch,
    /// How many packets wait, those that the thread has taken and not yet done included.
    sounds: usize,
    /// Something waits that is no packet.
    urgent: bool,
    stopped: bool,
}

/// Those who write, of a recorder without threads: whoever has them decides when they do.
#[derive(Clone)]
pub struct InlineRecorder(Recorder, Arc<Mutex<(Writer, Clerk)>>);

impl Recorder {
    /// With threads that write to `disk`.
    ///
    /// # Errors
    /// When the system refuses one.
    pub fn start(disk: Box<dyn Disk>, codecs: Arc<dyn Codecs>) -> io::Result<Self> {
        let recorder = Self::new(QUEUE_MAX);
        let (shared, desk) = (Arc::clone(&recorder.0), Arc::clone(&recorder.0.desk));
        let mut clerk = Clerk::new(disk.again());
        let mut writer = Writer::new(disk, codecs, Arc::clone(&desk));
        let named = |name: &str| std::thread::Builder::new().name(name.into());
        let writes = named("recorder").spawn(move || {
            let mut batch = Batch::default();
            while shared.wait(writer.is_taping(), &mut batch) {
                let sounds = batch.sounds();
                writer.carry_out(&mut batch);
                shared.queue().sounds -= sounds;
            }
            writer.end_all(&TapeWhy::CallOver);
        })?;
        let sums = named("recorder-files").spawn(move || {
            while let Some(errand) = desk.wait() {
                // Also what is told of it may panic: the next one is another's.
                let _told = unharmed(|| clerk.carry_out(errand));
            }
        })?;
        *recorder.0.threads.lock().unwrap_or_else(PoisonError::into_inner) = Some([writes, sums]);
        Ok(recorder)
    }

    /// Without one, with a queue of `most` packets.
    pub fn start_inline(disk: Box<dyn Disk>, codecs: Arc<dyn Codecs>, most: usize) -> (Self, InlineRecorder) {
        let recorder = Self::new(most);
        let clerk = Clerk::new(disk.again());
        let writer = Writer::new(disk, codecs, Arc::clone(&recorder.0.desk));
        let inline = InlineRecorder(recorder.clone(), Arc::new(Mutex::new((writer, clerk))));
        (recorder, inline)
    }

    fn new(most: usize) -> Self {
        Self(Arc::new(Shared {
            queue: Mutex::default(),
            there: Condvar::new(),
            most,
            next: AtomicU64::new(0),
            desk: Arc::default(),
            threads: Mutex::default(),
            queued: Mutex::default(),
        }))
    }

    /// Begins a recording; a media leg gives it what there is to record. Never waits: what the disk says comes to `told`.
    pub fn record(&self, order: Order, told: Told) -> Recording {
        let tape = self.0.next.fetch_add(1, Ordering::Relaxed);
        let missed = Arc::new(AtomicU64::new(0));
        self.0.push(tape, Job::Begin(Box::new(Begin { order, missed: Arc::clone(&missed), told })));
        let take = Arc::new(Taking { shared: Arc::clone(&self.0), tape, missed });
        Recording { tape: Tape::new(take), number: tape, shared: Arc::clone(&self.0) }
    }

    /// Keeps a received fax (TIFF) as `name.tif`, and as `name.pdf`. Never waits: what the disk says comes to `told`; at once, that it
    /// is busy, where too much waits for it, as of [`Recorder::load`] and [`Recorder::remove`].
    pub fn keep_fax(&self, name: String, tiff: Vec<u8>, told: Box<dyn FnOnce(Kept) + Send>) {
        self.0.errand(Errand::KeepFax { name, tiff, told });
    }

    /// Reads a mono recording, to be played.
    pub fn load(&self, file: String, told: Box<dyn FnOnce(Result<Audio, String>) + Send>) {
        self.0.errand(Errand::Load { file, told });
    }

    /// Removes a file.
    pub fn remove(&self, file: String, told: Box<dyn FnOnce(io::Result<()>) + Send>) {
        self.0.errand(Errand::Remove { file, told });
    }

    /// Whether a thread has ended by a fault of its own: nothing is recorded any more, or nothing that is over is told.
    pub fn is_broken(&self) -> bool {
        let threads = self.0.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.as_ref().is_some_and(|threads| threads.iter().any(JoinHandle::is_finished))
    }

    /// Ends every recording and waits until all is written.
    pub fn close(&self) {
        self.0.queue().stopped = true;
        self.0.there.notify_all();
        let threads = self.0.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some([writes, sums]) = threads {
            // A fault of them has been printed. Whoever sums up has what the other one ends.
            let _ended = writes.join();
            self.0.desk.stop();
            let _ended = sums.join();
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl InlineRecorder {
    /// Writes what waits.
    pub fn run(&self) {
        let mut both = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        let (writer, clerk) = &mut *both;
        let mut batch = Batch::default();
        loop {
            self.0.0.queue().take(&mut batch);
            if !batch.is_empty() {
                writer.carry_out(&mut batch);
            } else if let Some(errand) = self.0.0.desk.take() {
                clerk.carry_out(errand);
            } else {
                return;
            }
        }
    }

    /// Whether something waits.
    pub fn is_idle(&self) -> bool {
        self.0.0.queue().jobs.is_empty() && self.0.0.desk.is_empty()
    }

    /// Calls this whenever something begins to wait that is no packet.
    pub fn on_queued(&self, queued: impl Fn() + Send + Sync + 'static) {
        *self.0.0.queued.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(queued));
    }
}

/// A recording that goes on. Dropped, it ends as the call does.
pub struct Recording {
    tape: Tape,
    number: u64,
    shared: Arc<Shared>,
}

impl Recording {
    /// For the media leg.
    pub fn tape(&self) -> Tape {
        self.tape.clone()
    }

    /// Somebody with this number talks from now on.
    pub fn talks(&self, number: String) {
        self.shared.push(self.number, Job::Talks(number));
    }

    /// No more is recorded.
    pub fn end(self, why: TapeWhy) {
        self.shared.push(self.number, Job::End(why));
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // One that was ended is not known any more.
        self.shared.push(self.number, Job::End(TapeWhy::CallOver));
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recording({})", self.number)
    }
}

/// A tape's end in the media thread's hands.
struct Taking {
    shared: Arc<Shared>,
    tape: u64,
    missed: Arc<AtomicU64>,
}

impl Take for Taking {
    fn take(&self, at: Time, taped: Taped<'_>) {
        if !self.shared.push_limited(self.tape, at, taped) {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Shared {
    fn push(&self, tape: u64, job: Job) {
        let mut queue = self.queue();
        // What is no packet is few by its nature: a begin and an end a recording.
        queue.jobs.push(tape, Time::ZERO, job);
        queue.urgent = true;
        drop(queue);
        self.there.notify_one();
        self.tell();
    }

    fn errand(&self, errand: Errand) {
        match self.desk.push(errand) {
            Some(errand) => errand.refuse(),
            None => self.tell(),
        }
    }

    fn tell(&self) {
        let queued = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queued) = &*queued {
            queued();
        }
    }

    /// Whether it was taken: packets have a limit.
    fn push_limited(&self, tape: u64, at: Time, taped: Taped<'_>) -> bool {
        let mut queue = self.queue();
        let is_sound = matches!(taped, Taped::Sound { .. } | Taped::Still);
        if is_sound {
            if queue.sounds >= self.most {
                return false;
            }
            queue.sounds += 1;
        }
        let job = match taped {
            Taped::On => Job::On,
            Taped::Off => Job::Off,
            Taped::Still => Job::Still,
            Taped::Sound { side, codec, stream, timestamp, payload } => {
                Job::Sound { side, codec, stream, timestamp, payload: queue.jobs.lay(payload) }
            }
        };
        queue.jobs.push(tape, at, job);
        queue.urgent |= !is_sound;
        let wakes = !is_sound || queue.jobs.len() == GATHER_MAX;
        drop(queue);
        if wakes {
            self.there.notify_one();
        }
        true
    }

    /// Takes what waits, once it is worth a wake-up; false: the recorder is closed and nothing is left. Without tapes nobody sends packets.
    fn wait(&self, taping: bool, batch: &mut Batch) -> bool {
        let (mut queue, mut gathered) = (self.queue(), false);
        loop {
            let due = gathered || queue.urgent || queue.stopped || queue.jobs.len() >= GATHER_MAX;
            if due && !queue.jobs.is_empty() {
                queue.urgent = false;
                std::mem::swap(&mut queue.jobs, batch);
                return true;
            }
            if queue.stopped {
                return false;
            }
            if taping {
                let waited = self.there.wait_timeout(queue, GATHER).unwrap_or_else(PoisonError::into_inner);
                (queue, gathered) = (waited.0, waited.1.timed_out());
            } else {
                queue = self.there.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Pushes and takes are whole: a panic under this lock leaves nothing half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Takes what waits into an empty batch.
    fn take(&mut self, batch: &mut Batch) {
        std::mem::swap(&mut self.jobs, batch);
        self.sounds -= batch.sounds();
        self.urgent = false;
    }
}
