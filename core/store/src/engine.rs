//! RocksDB behind one small type: open, read, write, sync, reopen after a fault.
//!
//! Three column families: small things, journals (written once, trimmed by age), pieces of blobs. One write-ahead log
//! serves all, so a batch over several is one step.

use crate::error::StoreError;
use crate::key::Space;
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompactionStyle, DBCompressionType,
    DBRawIterator, DBRecoveryMode, Env, LogLevel, Options, ReadOptions, UniversalCompactOptions, WriteBatch,
    WriteOptions,
};
use std::fs::{self, File};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

/// Uncompressed blocks kept for reads, shared by all families. History pages read a few hundred; a switch that only
/// writes fills none of it.
const BLOCK_CACHE_BYTES: usize = 8 << 20;
/// A family's memory before it goes to a file. Small, since an idle store should cost little and a busy one writes
/// files in the background anyway; 4 MiB hold some 1,000 calls' journals.
const WRITE_BUFFER_BYTES: usize = 4 << 20;
/// All families' write buffers together, those being written out included.
const WRITE_BUFFERS_BYTES: usize = 16 << 20;
/// The log before idle families are written out too, so that opening after a crash replays at most this much.
const WAL_BYTES_MAX: u64 = 32 << 20;
/// Open files: a year of journals is some hundreds of files of 64 MiB, and readers seldom touch old ones.
const OPEN_FILES_MAX: i32 = 256;
/// Threads for flushes and compactions: one of each, on a machine that has calls to carry.
const BACKGROUND_JOBS: i32 = 2;
/// Files of calls that lie beside each other before some of them are merged into one: each is looked at when a call is
/// read, and each merge writes all of it again. New writes wait for merges long past that.
const CALL_RUNS: i32 = 16;
const CALL_RUNS_SLOW: i32 = 48;
const CALL_RUNS_STOP: i32 = 64;
/// Percent of the oldest run that newer ones may reach before all are merged: calls take at most twice their room.
const CALL_GROWTH_PERCENT: i32 = 100;
/// What was removed leaves the disk when the run that holds it is merged: at the latest after so long.
const CALL_MERGED_EVERY: Duration = Duration::from_hours(48);
/// `RocksDB`'s own log of what it does: two files of this size.
const INFO_LOG_BYTES: usize = 1 << 20;
/// Free space that a full disk must show before the store is opened again: a log, a manifest and some lines.
const PROBE_BYTES: usize = 1 << 20;
/// Where the in-memory environment keeps its files.
const MEMORY_FOLDER: &str = "/plugboard";

/// A column family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Main,
    Journal,
    Blobs,
}

impl Family {
    const ALL: [Self; 3] = [Self::Main, Self::Journal, Self::Blobs];

    /// Where keys of a space live.
    pub(crate) const fn of(space: Space) -> Self {
        match space {
            Space::Journals | Space::SipTraces => Self::Journal,
            Space::BlobPieces | Space::FaxDocuments => Self::Blobs,
            Space::Settings
            | Space::Grants
            | Space::Cells
            | Space::Outbox
            | Space::Streams
            | Space::StreamIds
            | Space::Documents
            | Space::DocumentVersions
            | Space::Registrations
            | Space::UserSettings
            | Space::LastCallers
            | Space::Awaited
            | Space::PinTries
            | Space::Tapes
            | Space::Faxes
            | Space::OutgoingFaxes
            | Space::Promises
            | Space::UserTolls
            | Space::GatewayTolls
            | Space::AddressTolls
            | Space::Records
            | Space::RecordsByTime
            | Space::RecordsByUser
            | Space::RecordsByNumber
            | Space::OpenCalls
            | Space::Blobs => Self::Main,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Main => "default",
            Self::Journal => "journal",
            Self::Blobs => "blobs",
        }
    }
}

/// One change of a batch.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Put {
        family: Family,
        key: Vec<u8>,
        value: Vec<u8>,
    },
    Delete {
        family: Family,
        key: Vec<u8>,
    },
    /// Every key from `from` up to, without, `to`.
    DeleteRange {
        family: Family,
        from: Vec<u8>,
        to: Vec<u8>,
    },
}

impl Change {
    pub(crate) fn put(key: crate::Key, value: Vec<u8>) -> Self {
        Self::Put { family: Family::of(key.space), key: key.bytes, value }
    }

    pub(crate) fn delete(key: crate::Key) -> Self {
        Self::Delete { family: Family::of(key.space), key: key.bytes }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Put { key, value, .. } => key.len() + value.len(),
            Self::Delete { key, .. } => key.len(),
            Self::DeleteRange { from, to, .. } => from.len() + to.len(),
        }
    }
}

/// Where the files are.
enum Files {
    Folder(PathBuf),
    /// In an environment of `RocksDB` that holds files in memory.
    Memory(Env),
}

/// An open database, or one that waits to be opened again.
pub(crate) struct Engine {
    files: Files,
    open: RwLock<Result<DB, String>>,
}

impl Engine {
    /// Opens or makes the database in `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::start(Files::Folder(folder.into()))
    }

    /// Opens a database that nobody writes to and changes nothing of it.
    pub(crate) fn open_to_read(folder: &Path) -> Result<Self, StoreError> {
        let files = Files::Folder(folder.into());
        let db = open_to_read(&files)?;
        Ok(Self { files, open: RwLock::new(Ok(db)) })
    }

    /// Makes a database without a disk, for simulations.
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        Self::start(Files::Memory(Env::mem_env().map_err(engine_fault("make a memory environment"))?))
    }

    pub(crate) fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let open = self.read();
        let db = opened(&open)?;
        db.get_cf(handle(db, family)?, key).map_err(engine_fault("read"))
    }

    /// Visits keys from `from` up to, without, `to`, in order, until told to stop.
    pub(crate) fn scan<V>(&self, family: Family, from: &[u8], to: &[u8], mut visit: V) -> Result<(), StoreError>
    where
        V: FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    {
        let open = self.read();
        let mut rows = rows(opened(&open)?, family, from, to)?;
        rows.seek_to_first();
        while let Some((key, value)) = rows.item() {
            if visit(key, value).is_break() {
                return Ok(());
            }
            rows.next();
        }
        rows.status().map_err(engine_fault("read"))
    }

    /// Writes all changes or none; survives a kill, not a power cut, until [`Engine::sync`].
    pub(crate) fn write<'a>(&self, changes: impl IntoIterator<Item = &'a Change>) -> Result<(), StoreError> {
        let open = self.read();
        let db = opened(&open)?;
        let [main, journal, blobs] =
            [handle(db, Family::Main)?, handle(db, Family::Journal)?, handle(db, Family::Blobs)?];
        let of = |family: Family| match family {
            Family::Main => main,
            Family::Journal => journal,
            Family::Blobs => blobs,
        };
        let mut batch = WriteBatch::default();
        for change in changes {
            match change {
                Change::Put { family, key, value } => batch.put_cf(of(*family), key, value),
                Change::Delete { family, key } => batch.delete_cf(of(*family), key),
                Change::DeleteRange { family, from, to } => batch.delete_range_cf(of(*family), from, to),
            }
        }
        db.write_opt(batch, &WriteOptions::default()).map_err(engine_fault("write"))
    }

    /// Returns when all that was written would survive a power cut.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        let open = self.read();
        match (&self.files, opened(&open)?) {
            (Files::Folder(_), db) => db.flush_wal(true).map_err(engine_fault("sync")),
            // Memory survives nothing, and RocksDB refuses to sync it.
            (Files::Memory(_), _) => Ok(()),
        }
    }

    /// Grows with every change; never goes back below what was synced.
    pub(crate) fn sequence(&self) -> Result<u64, StoreError> {
        Ok(opened(&self.read())?.latest_sequence_number())
    }

    /// Makes a copy of the database at this moment in a folder that does not exist yet.
    pub(crate) fn checkpoint(&self, to: &Path) -> Result<(), StoreError> {
        let open = self.read();
        let checkpoint = Checkpoint::new(opened(&open)?).map_err(engine_fault("prepare a checkpoint"))?;
        checkpoint.create_checkpoint(to).map_err(engine_fault("make a checkpoint"))
    }

    /// After a write failed: `RocksDB` refuses further writes until it is opened again. First shows that the disk takes
    /// something, so that readers keep the database that they have while it is full.
    pub(crate) fn recover(&self) -> Result<(), StoreError> {
        if let Files::Folder(folder) = &self.files {
            probe(folder).map_err(|fault| StoreError::Engine { action: "write", reason: fault.to_string() })?;
        }
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        // The old one must be gone first: it holds RocksDB's own lock.
        *open = Err("it is being opened again".into());
        match open_files(&self.files) {
            Ok(db) => {
                *open = Ok(db);
                Ok(())
            }
            Err(fault) => {
                *open = open_to_read(&self.files).map_err(|_| fault.to_string());
                Err(fault)
            }
        }
    }

    fn start(files: Files) -> Result<Self, StoreError> {
        let db = open_files(&files)?;
        Ok(Self { files, open: RwLock::new(Ok(db)) })
    }

    fn read(&self) -> RwLockReadGuard<'_, Result<DB, String>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes, syncs and removes [`PROBE_BYTES`] beside the database.
fn probe(folder: &Path) -> std::io::Result<()> {
    let path = folder.with_file_name("probe");
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(&vec![0; PROBE_BYTES])?;
        file.sync_all()
    });
    let removed = fs::remove_file(&path);
    written.and(removed)
}

fn open_files(files: &Files) -> Result<DB, StoreError> {
    DB::open_cf_descriptors(&options(files), folder(files), families()).map_err(engine_fault("open its files"))
}

fn open_to_read(files: &Files) -> Result<DB, StoreError> {
    DB::open_cf_descriptors_read_only(&options(files), folder(files), families(), false)
        .map_err(engine_fault("open its files"))
}

fn folder(files: &Files) -> &Path {
    match files {
        Files::Folder(folder) => folder,
        Files::Memory(_) => Path::new(MEMORY_FOLDER),
    }
}

fn options(files: &Files) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    match files {
        Files::Memory(env) => options.set_env(env),
        Files::Folder(_) => {
            if let Ok(mut env) = Env::new() {
                // Merging files may wait for calls, calls may not wait for it.
                env.lower_thread_pool_cpu_priority();
                options.set_env(&env);
            }
        }
    }
    options.set_db_write_buffer_size(WRITE_BUFFERS_BYTES);
    options.set_max_total_wal_size(WAL_BYTES_MAX);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_max_background_jobs(BACKGROUND_JOBS);
    // A torn last line is what a kill leaves; whatever was written before it is served, nothing after it.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // Large files reach the disk as they are written, not all at once at the end.
    options.set_bytes_per_sync(1 << 20);
    // One writer: the locks for many cost and give nothing.
    options.set_table_cache_num_shard_bits(2);
    options.set_max_file_opening_threads(1);
    // No statistics kept or dumped: they cost memory and wake the machine.
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.set_log_level(LogLevel::Warn);
    options.set_max_log_file_size(INFO_LOG_BYTES);
    options.set_keep_log_file_num(2);
    options.set_max_manifest_file_size(INFO_LOG_BYTES);
    options
}

fn families() -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_lru_cache(BLOCK_CACHE_BYTES);
    Family::ALL
        .iter()
        .map(|family| ColumnFamilyDescriptor::new(family.name(), family_options(*family, &cache)))
        .collect()
}

fn family_options(family: Family, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    // Indexes and filters count against the cache instead of growing beside it.
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    blocks.set_bloom_filter(10.0, false);
    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_max_write_buffer_number(3);
    match family {
        Family::Main => options.set_compression_type(DBCompressionType::Lz4),
        Family::Journal => {
            options.set_compression_type(DBCompressionType::Lz4);
            // Each office's journals and traces grow at an end of their own, so that any two files overlap by what
            // lies between these ends. Merged by levels, all that is kept would be written again and again.
            options.set_compaction_style(DBCompactionStyle::Universal);
            let mut by_size = UniversalCompactOptions::default();
            by_size.set_max_size_amplification_percent(CALL_GROWTH_PERCENT);
            options.set_universal_compaction_options(&by_size);
            options.set_periodic_compaction_seconds(CALL_MERGED_EVERY.as_secs());
            options.set_level_zero_file_num_compaction_trigger(CALL_RUNS);
            options.set_level_zero_slowdown_writes_trigger(CALL_RUNS_SLOW);
            options.set_level_zero_stop_writes_trigger(CALL_RUNS_STOP);
        }
        Family::Blobs => {
            // Components are large and never change: kept beside the tree, they are not rewritten by compactions.
            options.set_compression_type(DBCompressionType::Lz4);
            options.set_enable_blob_files(true);
            options.set_min_blob_size(16 << 10);
            options.set_blob_compression_type(DBCompressionType::Lz4);
            options.set_enable_blob_gc(true);
        }
    }
    options
}

fn opened(open: &Result<DB, String>) -> Result<&DB, StoreError> {
    open.as_ref().map_err(|reason| StoreError::Closed { reason: reason.clone() })
}

fn handle(db: &DB, family: Family) -> Result<&ColumnFamily, StoreError> {
    db.cf_handle(family.name())
        .ok_or_else(|| StoreError::Engine { action: "find a column family", reason: family.name().into() })
}

fn rows<'a>(db: &'a DB, family: Family, from: &[u8], to: &[u8]) -> Result<DBRawIterator<'a>, StoreError> {
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(from);
    options.set_iterate_upper_bound(to);
    Ok(db.raw_iterator_cf_opt(handle(db, family)?, options))
}

fn engine_fault(action: &'static str) -> impl FnOnce(rocksdb::Error) -> StoreError {
    move |fault| StoreError::Engine { action, reason: fault.into_string() }
}
