//! What every implementation of the storage traits must do, run against `RocksDB` in a folder with its thread and in
//! memory with the inline writer.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use plugboard_model::OfficeId;
use plugboard_store::{
    Blobs, Cells, CommitError, DataFolder, Key, Kind, Kv, Log, Op, Place, Pre, Scope, Seq, Space, Store, StoreError,
};
use std::collections::BTreeSet;
use std::thread;

/// Runs a check against each kind of store.
fn on_each(check: impl Fn(&Store)) {
    let (memory, _writer) = Store::start_inline(Place::Memory, None).unwrap();
    check(&memory);
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(DataFolder::open(folder.path(), Kind::Office).unwrap());
    check(&Store::start(place, None).unwrap());
}

fn office(name: &str) -> OfficeId {
    OfficeId::new(name).unwrap()
}

fn setting(office: &OfficeId, parts: &[&str]) -> Key {
    Key::new(Scope::Office(office), Space::Settings, parts).unwrap()
}

#[test]
fn of_many_who_swap_the_same_cell_one_wins_each_round() {
    on_each(|store| {
        let key = Key::new(Scope::Office(&office("main")), Space::Cells, &["slot"]).unwrap();
        let wins: usize = thread::scope(|scope| {
            let claim = |who: u8| {
                let (store, key) = (store.clone(), key.clone());
                move || store.swap(key, Pre::Absent, Some(vec![who])).is_ok()
            };
            let claims: Vec<_> = (0..8).map(|who| scope.spawn(claim(who))).collect();
            claims.into_iter().map(|claim| usize::from(claim.join().unwrap())).sum()
        });
        assert_eq!(wins, 1);
    });
}

#[test]
fn many_who_count_in_one_cell_lose_no_count() {
    on_each(|store| {
        let key = Key::new(Scope::Switch, Space::Cells, &["count"]).unwrap();
        let count_once = || loop {
            let found = store.read(&key).unwrap();
            let pre = found.as_ref().map_or(Pre::Absent, |found| Pre::At(found.rev));
            let next = found.map_or(1, |found| found.value[0] + 1);
            match store.swap(key.clone(), pre, Some(vec![next])) {
                Ok(_) => break,
                Err(CommitError::Conflict { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5).for_each(|_| count_once()));
            }
        });
        assert_eq!(store.read(&key).unwrap().unwrap().value, [20]);
    });
}

#[test]
fn a_conflict_says_what_is_there_and_a_deletion_does_not_bring_old_revisions_back() {
    on_each(|store| {
        let key = setting(&office("main"), &["a"]);
        let first = store.commit(vec![Op::put(key.clone(), vec![1])]).unwrap();
        assert_eq!(store.get(&key).unwrap().unwrap().rev, first);
        let refusal = store.swap(key.clone(), Pre::Absent, None).unwrap_err();
        assert!(matches!(refusal, CommitError::Conflict { found: Some(rev), .. } if rev == first), "{refusal}");
        store.swap(key.clone(), Pre::At(first), None).unwrap();
        assert_eq!(store.get(&key).unwrap(), None);
        let again = store.swap(key.clone(), Pre::Absent, Some(vec![2])).unwrap();
        assert!(again > first);
        assert!(store.swap(key, Pre::At(first), None).is_err());
    });
}

#[test]
fn a_batch_is_written_whole_or_not_at_all() {
    on_each(|store| {
        let (one, two) = (setting(&office("main"), &["one"]), setting(&office("main"), &["two"]));
        store.commit(vec![Op::put(two.clone(), vec![0])]).unwrap();
        let batch = |pre| vec![Op::put(one.clone(), vec![1]), Op::put(two.clone(), vec![1]).when(pre)];
        assert!(matches!(store.commit(batch(Pre::Absent)), Err(CommitError::Conflict { .. })));
        assert_eq!(store.get(&one).unwrap(), None);
        let rev = store.commit(batch(Pre::Any)).unwrap();
        assert_eq!(store.get(&one).unwrap().unwrap().rev, rev);
        assert_eq!(store.get(&two).unwrap().unwrap().rev, rev);
    });
}

#[test]
fn too_large_a_batch_or_value_is_refused() {
    on_each(|store| {
        let key = setting(&office("main"), &["a"]);
        let large = store.commit(vec![Op::put(key.clone(), vec![0; (4 << 20) + 1])]);
        assert!(matches!(large, Err(CommitError::Refused(StoreError::TooLarge { .. }))));
        assert!(store.commit(vec![Op::delete(key.clone()); 1_001]).is_err());
        assert_eq!(store.get(&key).unwrap(), None);
    });
}

#[test]
fn a_scan_is_in_order_stays_in_its_office_and_goes_on_where_it_stopped() {
    on_each(|store| {
        let offices = [office("a"), office("a-b"), office("ab"), office("b")];
        for office in &offices {
            let put = |name: String| Op::put(setting(office, &["route", &name]), office.to_string().into_bytes());
            store.commit((0..25).map(|n| put(format!("{n:02}"))).collect()).unwrap();
            store.commit(vec![Op::put(setting(office, &["route2", "x"]), vec![])]).unwrap();
        }
        for office in &offices {
            let (prefix, mut after, mut seen) = (setting(office, &["route"]), None, Vec::new());
            loop {
                let page = store.scan(&prefix, after.as_ref(), 10).unwrap();
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                seen.extend(page);
            }
            assert_eq!(seen.len(), 25, "{office}");
            assert!(seen.iter().all(|(_, found)| found.value == office.as_str().as_bytes()));
            assert!(seen.is_sorted_by(|(one, _), (two, _)| one < two));
            assert_eq!(store.scan(&setting(office, &[]), None, 1_000).unwrap().len(), 26);
        }
    });
}

#[test]
fn a_stream_keeps_its_order_counts_a_repeat_once_and_never_gives_a_place_again() {
    on_each(|store| {
        let stream = |parts: &[&str]| Key::new(Scope::Office(&office("main")), Space::Streams, parts).unwrap();
        let (audit, inner) = (stream(&["audit"]), stream(&["audit", "inner"]));
        assert_eq!(store.append(&audit, "a", vec![1]).unwrap(), Seq(1));
        assert_eq!(store.append(&audit, "b", vec![2]).unwrap(), Seq(2));
        assert_eq!(store.append(&audit, "a", vec![9]).unwrap(), Seq(1));
        assert_eq!(store.append(&inner, "a", vec![7]).unwrap(), Seq(1));
        assert_eq!(store.entries(&audit, None, 10).unwrap(), [(Seq(1), vec![1]), (Seq(2), vec![2])]);
        assert_eq!(store.entries(&audit, Some(Seq(1)), 10).unwrap(), [(Seq(2), vec![2])]);
        store.trim(&audit, Seq(2)).unwrap();
        assert_eq!(store.entries(&audit, None, 10).unwrap(), []);
        assert_eq!(store.append(&audit, "b", vec![3]).unwrap(), Seq(3));
        assert_eq!(store.entries(&inner, None, 10).unwrap(), [(Seq(1), vec![7])]);
    });
}

#[test]
fn of_many_who_append_each_gets_a_place_of_its_own() {
    on_each(|store| {
        let stream = Key::new(Scope::Switch, Space::Streams, &["events"]).unwrap();
        let append = |who: usize| {
            let stream = &stream;
            move || (0..10).map(|n| store.append(stream, &format!("{who}-{n}"), vec![]).unwrap()).collect::<Vec<_>>()
        };
        let places: BTreeSet<Seq> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|who| scope.spawn(append(who))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(places, (1..=40).map(Seq).collect());
    });
}

#[test]
fn a_blob_comes_back_by_its_hash_in_its_office_only() {
    on_each(|store| {
        let (one, two) = (office("one"), office("two"));
        let component: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
        let id = store.put_blob(Scope::Office(&one), &component).unwrap();
        assert_eq!(store.put_blob(Scope::Office(&one), &component).unwrap(), id);
        let empty = store.put_blob(Scope::Office(&one), &[]).unwrap();
        assert_eq!(empty.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(store.blob(Scope::Office(&one), id).unwrap().unwrap(), component);
        assert_eq!(store.blob(Scope::Office(&two), id).unwrap(), None);
        let mut expected = [(id, 3_000_000), (empty, 0)];
        expected.sort_unstable();
        assert_eq!(store.blobs(Scope::Office(&one), None).unwrap(), expected);
        store.remove_blob(Scope::Office(&one), id).unwrap();
        assert_eq!(store.blob(Scope::Office(&one), id).unwrap(), None);
        assert_eq!(store.blob(Scope::Office(&one), empty).unwrap().unwrap(), []);
    });
}
