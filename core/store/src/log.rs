//! [`Log`]: streams of entries in order.
//!
//! An entry is under its stream's key and its place (8 bytes); an id under the stream's key and itself, pointing to the
//! place. A trimmed stream keeps its last entry's place in a head, so that places are never given again.

use crate::engine::{Change, Engine, Family};
use crate::error::{CommitError, StoreError};
use crate::key::{Key, KeyError, Space};
use crate::kv::{PAGE_MAX, VALUE_LEN_MAX};
use crate::store::Store;
use crate::traits::{Log, Seq};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of an entry's id.
const ID_LEN_MAX: usize = 256;
/// The id under which a stream's last place is kept; real ids are not empty.
const HEAD: &[u8] = &[];
/// Entries trimmed in one batch; a longer trim takes several.
const TRIM_MAX: usize = 10_000;

impl Log for Store {
    fn append(&self, stream: &Key, id: &str, entry: Vec<u8>) -> Result<Seq, CommitError> {
        if id.is_empty() || id.len() > ID_LEN_MAX {
            return Err(StoreError::TooLarge { what: "an id", len: id.len(), max: ID_LEN_MAX }.into());
        }
        if entry.len() > VALUE_LEN_MAX {
            return Err(StoreError::TooLarge { what: "an entry", len: entry.len(), max: VALUE_LEN_MAX }.into());
        }
        let (stream, id, bytes) = (Stream::of(stream)?, id.to_owned(), entry.len() + id.len());
        let own = Arc::new(Mutex::new(Seq(0)));
        let decided = Arc::clone(&own);
        let decide = move |engine: &Engine, _| {
            let (seq, changes) = match stream.place(engine, id.as_bytes())? {
                Some(seen) => (seen, Vec::new()),
                None => stream.next(engine, &id, &entry)?,
            };
            *decided.lock().unwrap_or_else(PoisonError::into_inner) = seq;
            Ok(changes)
        };
        self.decide(bytes, Box::new(decide))?;
        Ok(*own.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn entries(&self, stream: &Key, after: Option<Seq>, limit: usize) -> Result<Vec<(Seq, Vec<u8>)>, StoreError> {
        let stream = Stream::of(stream)?;
        let (limit, mut page) = (limit.min(PAGE_MAX), Vec::new());
        let from = stream.entry(Seq(after.map_or(0, |after| after.0.saturating_add(1))));
        self.engine().scan(Family::of(Space::Streams), &from.bytes, &stream.entries.end(), |key, value| {
            if page.len() >= limit {
                return ControlFlow::Break(());
            }
            if let Some(seq) = key.last_chunk() {
                // The entry's id stands before it, with its length in two bytes.
                let entry =
                    value.split_first_chunk().and_then(|(len, rest)| rest.get(u16::from_be_bytes(*len).into()..));
                page.push((Seq(u64::from_be_bytes(*seq)), entry.unwrap_or_default().to_vec()));
            }
            ControlFlow::Continue(())
        })?;
        Ok(page)
    }

    fn trim(&self, stream: &Key, up_to: Seq) -> Result<(), CommitError> {
        let stream = Stream::of(stream)?;
        loop {
            let (from, to) = (stream.entry(Seq(0)), stream.entry(Seq(up_to.0.saturating_add(1))));
            let (mut changes, mut count) = (Vec::new(), 0);
            self.engine().scan(Family::of(Space::Streams), &from.bytes, &to.bytes, |key, value| {
                changes.push(Change::delete(Key { space: Space::Streams, bytes: key.to_vec() }));
                let id = value.split_first_chunk().and_then(|(len, rest)| rest.get(..u16::from_be_bytes(*len).into()));
                if let Some(id) = id {
                    changes.push(Change::delete(stream.ids.clone().with(id)));
                }
                count += 1;
                if count >= TRIM_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            if count == 0 {
                return Ok(());
            }
            self.write(changes)?;
        }
    }
}

/// The keys of a stream.
struct Stream {
    entries: Key,
    ids: Key,
}

impl Stream {
    fn of(stream: &Key) -> Result<Self, KeyError> {
        if stream.space != Space::Streams || stream.parts().is_empty() {
            return Err(KeyError::Part);
        }
        let mut ids = stream.clone();
        ids.space = Space::StreamIds;
        if let Some(space) = ids.bytes.iter().position(|byte| *byte == 0).and_then(|zero| ids.bytes.get_mut(zero + 1)) {
            *space = Space::StreamIds as u8;
        }
        // A part is never empty, so the second zero ends the stream's name: `a` holds nothing of `a, b`.
        Ok(Self { entries: stream.clone().with(&[0]), ids: ids.with(&[0]) })
    }

    fn entry(&self, seq: Seq) -> Key {
        self.entries.clone().with(&seq.0.to_be_bytes())
    }

    /// The place of an id, or of the head.
    fn place(&self, engine: &Engine, id: &[u8]) -> Result<Option<Seq>, StoreError> {
        let value = engine.get(Family::of(Space::StreamIds), &self.ids.clone().with(id).bytes)?;
        Ok(value.and_then(|value| value.first_chunk().copied()).map(|seq| Seq(u64::from_be_bytes(seq))))
    }

    fn next(&self, engine: &Engine, id: &str, entry: &[u8]) -> Result<(Seq, Vec<Change>), StoreError> {
        let seq = Seq(self.place(engine, HEAD)?.map_or(1, |last| last.0 + 1));
        let place = seq.0.to_be_bytes().to_vec();
        let id_len = u16::try_from(id.len()).unwrap_or(u16::MAX).to_be_bytes();
        let changes = vec![
            Change::put(self.entry(seq), [&id_len, id.as_bytes(), entry].concat()),
            Change::put(self.ids.clone().with(id.as_bytes()), place.clone()),
            Change::put(self.ids.clone().with(HEAD), place),
        ];
        Ok((seq, changes))
    }
}
