//! Storage: key-values, cells, logs and blobs over RocksDB, and what the switch keeps in them.
//!
//! One writer thread does every write, so that the call path never waits for a disk: callers put work into a bounded
//! queue and are told by a callback. Reads run on the caller's own thread and may block: call them from threads that
//! may wait, never from an arbiter.
//!
//! What is promised (design section 8):
//!
//! | what | written | after a kill | after a power cut | when the disk is full |
//! | --- | --- | --- | --- | --- |
//! | journal and SIP trace | to the log of RocksDB, within milliseconds | kept, but for the queue | the unsynced tail is lost | dropped and counted |
//! | registrations, last callers | the same | kept, but for the queue | the unsynced tail is lost | kept in memory, tried again |
//! | call records, what users have set, what is to leave | synced within 20 ms, in groups | kept once reported | kept once reported | kept in memory up to a limit, tried again |
//! | settings, grants, documents, cells, blobs | synced within 20 ms, in groups | kept once reported | kept once reported | refused with the reason |
//!
//! Every key starts with its office ([`Key`]), so no look-up can cross a tenant.
//!
//! ```
//! use plugboard_model::{OfficeId, Time};
//! use plugboard_store::{Key, Kv, Op, Place, Scope, Space, Store};
//!
//! let (store, writer) = Store::start_inline(Place::Memory, None)?;
//! let office = OfficeId::new("main")?;
//! let key = Key::new(Scope::Office(&office), Space::Settings, &["language"])?;
//! store.commit(vec![Op::put(key.clone(), b"en".to_vec())])?;
//! assert_eq!(store.get(&key)?.map(|found| found.value), Some(b"en".to_vec()));
//! # let _ = writer;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backup;
mod beside;
mod blobs;
mod calls;
mod codec;
mod decoded;
mod documents;
mod earlier;
mod engine;
mod error;
mod faxes;
mod folder;
mod health;
mod key;
mod kv;
mod log;
mod migrate;
mod notices;
mod of_users;
mod outgoing;
mod pin_tries;
mod promises;
mod queue;
mod sip_trace;
mod store;
mod talks;
mod tapes;
mod traits;
mod trim;
mod writer;

pub use backup::{BackupReport, restore};
pub use beside::{FILES, TLS, TLS_FILES};
pub use calls::{CallStore, Journal, RecordCursor, RecordFilter, RecordPage};
pub use documents::{Change as DocumentChange, Document, Documents, Version};
pub use error::{CommitError, StoreError};
pub use faxes::{FaxFilter, Faxes};
pub use folder::{DataFolder, FolderError, Kind};
pub use health::{StoreHealth, StoreObserver};
pub use key::{Key, KeyError, Scope, Space};
pub use migrate::SCHEMA;
pub use notices::NoticesKept;
pub use of_users::OfUsers;
pub use outgoing::OutgoingFaxes;
pub use pin_tries::{KeptTries, PinTriesKept};
pub use promises::Promises;
pub use queue::Done;
pub use sip_trace::{SipFlow, SipTrace, SipTraceEntry, SipTransport};
pub use store::{InlineWriter, Place, Store};
pub use tapes::{TapeFilter, Tapes};
pub use traits::{BlobId, Blobs, Cells, Kv, Log, Op, Pre, Rev, Seq, Versioned};
pub use trim::{Kept, Trimmed};
