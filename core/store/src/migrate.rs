//! Migrations: each lifts the data by one schema version, forward only.
//!
//! A migration may be cut short and is then done again from its start, so it must bear that; the folder's marker moves
//! to the next version only after its result is synced.

use crate::calls;
use crate::engine::Engine;
use crate::error::StoreError;
use crate::folder::DataFolder;

/// The schema that this version writes: the number of migrations there have been.
pub const SCHEMA: u32 = 1;

/// Lifts data by one version.
type Step = fn(&Engine) -> Result<(), StoreError>;

/// The migrations, from schema 0 on.
const STEPS: [Step; SCHEMA as usize] = [index_records];

/// Lifts what `folder` holds to [`SCHEMA`].
pub(crate) fn run(engine: &Engine, folder: &mut DataFolder) -> Result<(), StoreError> {
    for (from, step) in (0..).zip(STEPS) {
        if folder.schema() > from {
            continue;
        }
        step(engine)?;
        engine.sync()?;
        folder
            .migrated(from + 1)
            .map_err(|fault| StoreError::Engine { action: "finish a migration", reason: fault.to_string() })?;
    }
    Ok(())
}

/// 0 to 1: records were found only by their id; now also by time, user and number.
fn index_records(engine: &Engine) -> Result<(), StoreError> {
    calls::rebuild_indexes(engine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::RecordFilter;
    use crate::engine::Family;
    use crate::folder::{Kind, read_marker, write_marker};
    use crate::store::{Place, Store};
    use plugboard_model::{CallId, CallOutcome, CallRecord, OfficeId, UserId, WallTime};
    use std::ops::ControlFlow;

    fn record(office: &OfficeId, at: i64) -> CallRecord {
        CallRecord {
            caller: "101".into(),
            caller_user: Some(UserId::new(office, "ann").unwrap()),
            called: "102".into(),
            ..CallRecord::bare(CallId::new(office.clone(), WallTime(at), 0), WallTime(at), CallOutcome::Abandoned)
        }
    }

    /// Data of schema 0: what this version writes, without the indexes.
    fn write_schema_0(path: &std::path::Path, offices: &[OfficeId], records: i64) {
        let store = Store::start(Place::Folder(DataFolder::open(path, Kind::Office).unwrap()), None).unwrap();
        for office in offices {
            (1..=records).for_each(|at| store.calls().put_record(&record(office, at), None).unwrap());
        }
        store.sync().unwrap();
        let (engine, mut rows) = (store.engine(), Vec::new());
        let is_index =
            |key: &[u8]| key.iter().position(|byte| *byte == 0).is_some_and(|at| b"tun".contains(&key[at + 1]));
        engine
            .scan(Family::Main, &[1], &[u8::MAX], |key, _| {
                rows.extend(is_index(key).then(|| key.to_vec()));
                ControlFlow::Continue(())
            })
            .unwrap();
        let deleted: Vec<_> =
            rows.into_iter().map(|key| crate::engine::Change::Delete { family: Family::Main, key }).collect();
        assert!(!deleted.is_empty());
        engine.write(&deleted).unwrap();
        drop(store);
        write_marker(path, Kind::Office, 0).unwrap();
    }

    #[test]
    fn records_of_schema_0_are_found_by_time_user_and_number_after_opening() {
        let folder = tempfile::tempdir().unwrap();
        let offices = [OfficeId::new("main").unwrap(), OfficeId::new("other").unwrap()];
        write_schema_0(folder.path(), &offices, 1_001);
        let data = DataFolder::open(folder.path(), Kind::Office).unwrap();
        assert_eq!(data.schema(), 0);
        let store = Store::start(Place::Folder(data), None).unwrap();
        assert_eq!(read_marker(folder.path()).unwrap(), Some((Kind::Office, SCHEMA)));
        for office in &offices {
            let user = Some(UserId::new(office, "ann").unwrap());
            let filters = [
                RecordFilter::default(),
                RecordFilter { user, ..RecordFilter::default() },
                RecordFilter { number: Some("102".into()), ..RecordFilter::default() },
            ];
            for filter in filters {
                let page = store.calls().records(office, &filter, None, 1_000).unwrap();
                assert_eq!(page.records.len(), 1_000);
                assert_eq!(page.records[0], record(office, 1_001));
                let rest = store.calls().records(office, &filter, page.next, 1_000).unwrap();
                assert_eq!((rest.records.len(), rest.next), (1, None));
            }
        }
    }
}
