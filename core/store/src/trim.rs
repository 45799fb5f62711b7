//! Forgetting what is old, in steps that hold up nobody.

use crate::calls::CallStore;
use crate::engine::{Change, Family};
use crate::error::{CommitError, StoreError};
use crate::key::{Key, Scope, Space};
use crate::{RecordFilter, calls};
use plugboard_model::{CallId, OfficeId, WallTime};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Calls that one step forgets: some thousand keys in one write, a few milliseconds of the writer's time.
const STEP_CALLS: usize = 200;
/// Bytes of a call's number in a key.
const ULID_LEN: usize = 16;

/// What is kept of a call, each for its own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// The record with its places in the indexes. The journal and the SIP messages go with it.
    Record,
    /// The journal.
    Journal,
    /// The SIP messages.
    SipTrace,
}

impl Kept {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Record, Self::Journal, Self::SipTrace];
}

/// What one step forgot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trimmed {
    /// Of so many calls.
    pub calls: usize,
    /// There may be more: call [`CallStore::trim`] again.
    pub more: bool,
    /// Records that are old enough and stay because they cannot be read.
    pub unreadable: usize,
}

impl CallStore {
    /// Forgets `kept` of calls that began before `before`: at most 200 of them, so that nobody waits long for the
    /// writer. Calls that are not finished keep everything. Waits for the disk.
    ///
    /// # Errors
    /// [`CommitError`]; what was forgotten in earlier steps stays so.
    pub fn trim(&self, office: &OfficeId, kept: Kept, before: WallTime) -> Result<Trimmed, CommitError> {
        let (trimmed, changes) = match kept {
            Kept::Record => self.old_records(office, before)?,
            Kept::Journal => self.old_lines(office, Space::Journals, before)?,
            Kept::SipTrace => self.old_lines(office, Space::SipTraces, before)?,
        };
        if !changes.is_empty() {
            self.store().write(changes)?;
        }
        Ok(trimmed)
    }

    fn old_records(&self, office: &OfficeId, before: WallTime) -> Result<(Trimmed, Vec<Change>), StoreError> {
        let filter = RecordFilter { to: Some(before), ..RecordFilter::default() };
        let page = self.records(office, &filter, None, STEP_CALLS)?;
        let (records, mut changes) = (page.records, Vec::new());
        for record in &records {
            changes.push(Change::delete(calls::call_key(&record.id, Space::Records)));
            changes.extend(calls::index_keys(record).into_iter().map(Change::delete));
            for space in [Space::Journals, Space::SipTraces] {
                let of_call = calls::call_key(&record.id, space);
                let to = of_call.end();
                changes.push(Change::DeleteRange { family: Family::Journal, from: of_call.bytes, to });
            }
        }
        // Behind many that cannot be read there may be others, but a page that finds none would be read for ever.
        let more = page.next.is_some() && !records.is_empty();
        Ok((Trimmed { calls: records.len(), more, unreadable: page.unreadable }, changes))
    }

    /// Journals and SIP traces lie in the order of their calls' numbers, which begin with the time: what is old is one
    /// range, but for calls that go on.
    fn old_lines(
        &self,
        office: &OfficeId,
        space: Space,
        before: WallTime,
    ) -> Result<(Trimmed, Vec<Change>), StoreError> {
        let engine = self.store().engine();
        let open: BTreeSet<u128> = calls::open_calls(engine, office)?.into_iter().collect();
        let whole = Key::space(Scope::Office(office), space);
        let end = calls::call_key(&CallId::new(office.clone(), before, 0), space).bytes;
        let (mut from, mut count, mut ranges) = (whole.bytes.clone(), 0, Vec::<(Vec<u8>, Vec<u8>)>::new());
        let mut joins = false;
        while count < STEP_CALLS && from < end {
            let mut found = None;
            engine.scan(Family::of(space), &from, &end, |key, _| {
                found = key.get(whole.bytes.len()..whole.bytes.len() + ULID_LEN).and_then(|ulid| ulid.try_into().ok());
                ControlFlow::Break(())
            })?;
            let Some(ulid) = found.map(u128::from_be_bytes) else { break };
            let of_call = calls::call_key(&CallId { office: office.clone(), ulid }, space);
            from = of_call.end();
            if open.contains(&ulid) {
                joins = false;
                continue;
            }
            count += 1;
            match ranges.last_mut().filter(|_| joins) {
                Some((_, last)) => last.clone_from(&from),
                None => ranges.push((of_call.bytes, from.clone())),
            }
            joins = true;
        }
        let delete = |(from, to)| Change::DeleteRange { family: Family::of(space), from, to };
        let trimmed = Trimmed { calls: count, more: count >= STEP_CALLS, unreadable: 0 };
        Ok((trimmed, ranges.into_iter().map(delete).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Place, Store};
    use plugboard_model::{CallOutcome, CallRecord, Time};

    fn record(office: &OfficeId, at: i64) -> CallRecord {
        let id = CallId::new(office.clone(), WallTime(at), 0);
        CallRecord::bare(id, WallTime(at), CallOutcome::Abandoned)
    }

    #[test]
    fn a_record_that_cannot_be_read_hides_no_other_and_keeps_none_from_being_forgotten() {
        let (store, writer) = Store::start_inline(Place::Memory, None).unwrap();
        let (main, calls) = (OfficeId::new("main").unwrap(), store.calls());
        for at in 1..=500 {
            calls.put_record(&record(&main, at), None).unwrap();
            writer.run(Time::ZERO);
        }
        let broken =
            [3, 450, 499].map(|at| calls::call_key(&CallId::new(main.clone(), WallTime(at), 0), Space::Records));
        // One of a version that is not known, one cut short, one empty.
        let values = [vec![9, 9], vec![1], vec![]];
        let changes: Vec<Change> = broken.into_iter().zip(values).map(|(key, value)| Change::put(key, value)).collect();
        store.engine().write(&changes).unwrap();
        let listed = calls.records(&main, &RecordFilter::default(), None, 1_000).unwrap();
        assert_eq!((listed.records.len(), listed.unreadable), (497, 3));
        let steps: Vec<Trimmed> = (0..3).map(|_| calls.trim(&main, Kept::Record, WallTime(500)).unwrap()).collect();
        assert_eq!(steps.iter().map(|step| step.calls).collect::<Vec<_>>(), [200, 200, 96]);
        assert_eq!(steps[2], Trimmed { calls: 96, more: false, unreadable: 3 });
        let left = calls.records(&main, &RecordFilter::default(), None, 10).unwrap();
        assert_eq!((left.records.len(), left.unreadable), (1, 3));
    }
}
