//! The store: opened once, cloned freely.

use crate::calls::CallStore;
use crate::documents::Documents;
use crate::engine::{Change, Engine};
use crate::error::{CommitError, StoreError};
use crate::faxes::Faxes;
use crate::folder::DataFolder;
use crate::health::{StoreHealth, StoreObserver};
use crate::key::Space;
use crate::migrate;
use crate::notices::NoticesKept;
use crate::of_users::OfUsers;
use crate::outgoing::OutgoingFaxes;
use crate::pin_tries::PinTriesKept;
use crate::promises::Promises;
use crate::queue::{Class, Done, Job, Queue, Work};
use crate::tapes::Tapes;
use crate::traits::Rev;
use crate::writer::{Decide, LINGER, Told, Writer};
use plugboard_model::Time;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// Where a store keeps its files.
#[derive(Debug)]
pub enum Place {
    /// In a data folder that is ours.
    Folder(DataFolder),
    /// In memory: for simulations and tests. Gone with the store.
    Memory,
}

/// Everything that the switch keeps. A clone is another handle; the last one waits for what is queued and closes.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Drives the writer of a store that has no thread: for a simulation's single thread, and for tests.
///
/// Calls of waiting methods ([`Kv::commit`](crate::Kv::commit) and the like) run it themselves, at once.
#[derive(Clone)]
pub struct InlineWriter {
    writer: Arc<Mutex<Writer>>,
    queue: Arc<Queue>,
}

struct Inner {
    engine: Arc<Engine>,
    queue: Arc<Queue>,
    health: Arc<Mutex<StoreHealth>>,
    driver: Driver,
    /// Held for its lock.
    folder: Option<DataFolder>,
}

enum Driver {
    Thread(Mutex<Option<JoinHandle<()>>>),
    Inline(Arc<Mutex<Writer>>),
}

impl Store {
    /// Opens the store (making or migrating it) and starts its writer thread.
    ///
    /// # Errors
    /// [`StoreError`] when the files cannot be opened or migrated.
    pub fn start(place: Place, observer: Option<Arc<dyn StoreObserver>>) -> Result<Self, StoreError> {
        let (engine, folder) = open(place)?;
        let (queue, health) = (Arc::new(Queue::default()), Arc::default());
        let writer = Writer::new(engine.clone(), Arc::clone(&queue), Arc::clone(&health), observer);
        let watch = Watch { queue: Arc::clone(&queue), health: Arc::clone(&health) };
        let thread = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || drive(writer, &watch))
            .map_err(|fault| StoreError::Engine { action: "start its thread", reason: fault.to_string() })?;
        let driver = Driver::Thread(Mutex::new(Some(thread)));
        Ok(Self { inner: Arc::new(Inner { engine, queue, health, driver, folder }) })
    }

    /// Opens the store without a thread: [`InlineWriter::run`] writes. The same writer, the same files.
    ///
    /// # Errors
    /// As [`Store::start`].
    pub fn start_inline(
        place: Place,
        observer: Option<Arc<dyn StoreObserver>>,
    ) -> Result<(Self, InlineWriter), StoreError> {
        let (engine, folder) = open(place)?;
        let (queue, health) = (Arc::new(Queue::default()), Arc::default());
        let writer = Writer::new(engine.clone(), Arc::clone(&queue), Arc::clone(&health), observer);
        let writer = Arc::new(Mutex::new(writer));
        let inline = InlineWriter { writer: Arc::clone(&writer), queue: Arc::clone(&queue) };
        let inner = Inner { engine, queue, health, driver: Driver::Inline(writer), folder };
        Ok((Self { inner: Arc::new(inner) }, inline))
    }

    /// Calls: journals, records, SIP traces.
    pub fn calls(&self) -> CallStore {
        CallStore::new(self.clone())
    }

    /// Office documents with their versions.
    pub fn documents(&self) -> Documents {
        Documents::new(self.clone())
    }

    /// Registered devices, so that a restart need not wait for them to come again.
    pub fn registrations(&self) -> OfUsers {
        OfUsers::passing(self.clone(), Space::Registrations)
    }

    /// What users have set: status, forwards, groups.
    pub fn user_settings(&self) -> OfUsers {
        OfUsers::lasting(self.clone(), Space::UserSettings)
    }

    /// Who called each user last.
    pub fn last_callers(&self) -> OfUsers {
        OfUsers::passing(self.clone(), Space::LastCallers)
    }

    /// Wrong PINs.
    pub fn pin_tries(&self) -> PinTriesKept {
        PinTriesKept::new(self.clone())
    }

    /// Recordings and voice messages.
    pub fn tapes(&self) -> Tapes {
        Tapes::new(self.clone())
    }

    /// Faxes.
    pub fn faxes(&self) -> Faxes {
        Faxes::new(self.clone())
    }

    /// Faxes that are to be sent.
    pub fn outgoing_faxes(&self) -> OutgoingFaxes {
        OutgoingFaxes::new(self.clone())
    }

    /// E-mail, text messages and posts that are to leave.
    pub fn notices(&self) -> NoticesKept {
        NoticesKept::new(self.clone())
    }

    /// Callers who are to be called back.
    pub fn promises(&self) -> Promises {
        Promises::new(self.clone())
    }

    /// Which phones of users called for help and are called back.
    pub fn awaited(&self) -> OfUsers {
        OfUsers::lasting(self.clone(), Space::Awaited)
    }

    /// What users have used of the minutes that they may call the outside.
    pub fn tolls_of_users(&self) -> OfUsers {
        OfUsers::passing(self.clone(), Space::UserTolls)
    }

    /// ... and gateways, each under its own name in place of a user's.
    pub fn tolls_of_gateways(&self) -> OfUsers {
        OfUsers::passing(self.clone(), Space::GatewayTolls)
    }

    /// ... and calls to SIP addresses, of an office together; in place of a user is what whoever writes calls them.
    pub fn tolls_of_addresses(&self) -> OfUsers {
        OfUsers::passing(self.clone(), Space::AddressTolls)
    }

    /// How the store is.
    pub fn health(&self) -> StoreHealth {
        self.inner.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes that wait now.
    pub fn queued(&self) -> usize {
        self.inner.queue.len()
    }

    /// Waits until everything queued before is written and synced.
    ///
    /// # Errors
    /// [`CommitError`] when the disk fails; records that could not be written are kept and tried again.
    pub fn sync(&self) -> Result<(), CommitError> {
        self.wait_for(Job::new(Class::Commit, Vec::new(), None)).map(|_| ())
    }

    /// Writes what is queued, syncs, ends the writer's thread, and tells what could not be kept. Later writes are
    /// refused. Waits for the disk.
    pub fn close(&self) -> StoreHealth {
        self.inner.close();
        self.health()
    }

    /// The folder, unless the store is in memory.
    pub(crate) fn folder(&self) -> Option<&DataFolder> {
        self.inner.folder.as_ref()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// Queues changes; never waits.
    pub(crate) fn submit(&self, class: Class, changes: Vec<Change>, done: Option<Done>) {
        self.inner.queue.push(Job::new(class, changes, done));
    }

    /// Queues what is decided on the writer; never waits.
    pub(crate) fn submit_decision(&self, bytes: usize, decide: Decide, done: Done) {
        self.inner.queue.push(Job { class: Class::Commit, work: Work::Decide(decide), bytes, done: Some(done) });
    }

    /// Waits for changes to be synced.
    pub(crate) fn write(&self, changes: Vec<Change>) -> Result<Rev, CommitError> {
        self.wait_for(Job::new(Class::Commit, changes, None))
    }

    /// Waits for what `decide` decides to be synced; the revision is the last one of the group.
    pub(crate) fn decide(&self, bytes: usize, decide: Decide) -> Result<Rev, CommitError> {
        self.wait_for(Job { class: Class::Commit, work: Work::Decide(decide), bytes, done: None })
    }

    fn wait_for(&self, mut job: Job) -> Result<Rev, CommitError> {
        let (tell, told) = mpsc::sync_channel(1);
        // The receiver below waits for it, so that sending cannot fail; a second message does not exist.
        job.done = Some(Box::new(move |result| drop(tell.try_send(result))));
        self.inner.queue.push(job);
        if let Driver::Inline(writer) = &self.inner.driver {
            let told = lock(writer).finish(&|| Time::ZERO);
            told.into_iter().for_each(Told::tell);
        }
        told.recv().unwrap_or_else(|_| Err(CommitError::Unknown { reason: "the writer ended".into() }))
    }
}

impl InlineWriter {
    /// Writes what waits and syncs what is due at `now`; then tells those who wait, on this thread.
    pub fn run(&self, now: Time) {
        let told = lock(&self.writer).run(&|| now);
        told.into_iter().for_each(Told::tell);
    }

    /// When to run again: at once ([`Time::ZERO`]) when something waits, else when a sync or a new attempt is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        if self.queue.is_empty() { lock(&self.writer).poll_timeout() } else { Some(Time::ZERO) }
    }

    /// Calls `wake` when something comes to the empty queue. It is called under the queue's lock: it must only signal.
    pub fn on_queued(&self, wake: impl Fn() + Send + 'static) {
        self.queue.on_first(Box::new(wake));
    }
}

impl Inner {
    fn close(&self) {
        self.queue.close();
        match &self.driver {
            Driver::Thread(thread) => {
                let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
                // A handle dropped by a callback, on the writer's own thread, cannot wait for that thread.
                if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
                    // It caught nothing and tells nobody when it panicked; what it did write stays written.
                    thread.join().ok();
                }
            }
            Driver::Inline(writer) => {
                let told = lock(writer).end(&|| Time::ZERO);
                told.into_iter().for_each(Told::tell);
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn open(place: Place) -> Result<(Arc<Engine>, Option<DataFolder>), StoreError> {
    match place {
        Place::Memory => Ok((Arc::new(Engine::in_memory()?), None)),
        Place::Folder(mut folder) => {
            let engine = Engine::open(&folder.database())?;
            migrate::run(&engine, &mut folder)?;
            Ok((Arc::new(engine), Some(folder)))
        }
    }
}

/// What the writer's thread leaves behind when it panics: a closed queue, so that everything later is counted as lost,
/// and the reason.
struct Watch {
    queue: Arc<Queue>,
    health: Arc<Mutex<StoreHealth>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if thread::panicking() {
            self.queue.close();
            let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
            let (lost_journal, lost_records) = self.queue.lost();
            let reason = "its writer stopped by a fault of Plugboard: restart it, and report the log".into();
            *health = StoreHealth::Degraded { reason, lost_journal, lost_records };
        }
    }
}

/// The writer's thread.
fn drive(mut writer: Writer, watch: &Watch) {
    let queue = &watch.queue;
    #[expect(clippy::disallowed_methods, reason = "the driver of the writer is where its clock is read")]
    let began = Instant::now();
    let clock = || Time::ZERO + began.elapsed();
    loop {
        let at_most = writer.poll_timeout().map(|at| at.since(clock()));
        let before = clock();
        let open = queue.wait(at_most, LINGER);
        writer.have_gathered(clock().since(before).min(LINGER));
        let told = if open { writer.run(&clock) } else { writer.end(&clock) };
        told.into_iter().for_each(Told::tell);
        if !open && queue.is_empty() {
            return;
        }
    }
}

fn lock(writer: &Mutex<Writer>) -> MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}
