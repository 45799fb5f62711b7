//! What the switch keeps of calls, users and offices, and how it finds it again.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use plugboard_model::{
    Audio, CallId, CallOutcome, CallRecord, Cause, Direction, HostCall, HostResult, JournalEntry, JournalEvent, LegId,
    LegRecord, OfficeId, PlayOptions, RunId, RunPins, Target, Time, UserId, Value, WallTime,
};
use plugboard_store::{
    CallStore, CommitError, DocumentChange, InlineWriter, Kept, Place, RecordCursor, RecordFilter, SipFlow,
    SipTraceEntry, SipTransport, Store, Trimmed,
};

fn store() -> (Store, InlineWriter) {
    Store::start_inline(Place::Memory, None).unwrap()
}

fn office(name: &str) -> OfficeId {
    OfficeId::new(name).unwrap()
}

fn call(office: &OfficeId, at: i64) -> CallId {
    CallId::new(office.clone(), WallTime(at), u128::try_from(at).unwrap() * 7)
}

fn entry(seq: u32, event: JournalEvent) -> JournalEntry {
    JournalEntry { seq, at: Time::from_millis(u64::from(seq)), event }
}

fn note(seq: u32) -> JournalEntry {
    entry(seq, JournalEvent::Note { text: format!("line {seq}") })
}

fn record(office: &OfficeId, at: i64, from: &str, to: &str, users: &[&str]) -> CallRecord {
    let user = |name: &&str| UserId::new(office, name).unwrap();
    let leg = |(n, name): (u32, &&str)| LegRecord {
        leg: LegId(n),
        user: Some(user(name)),
        gateway: None,
        party: (*name).into(),
        began: WallTime(at),
        answered: None,
        ended: WallTime(at + 5),
        cause: Cause::of(487),
        quality: None,
        encryption: None,
    };
    CallRecord {
        direction: Direction::Inbound,
        caller: from.into(),
        called: to.into(),
        route: Some("main".into()),
        ended: WallTime(at + 10),
        legs: (1..).zip(users).map(leg).collect(),
        ..CallRecord::bare(call(office, at), WallTime(at), CallOutcome::NotAnswered(Cause::of(480)))
    }
}

/// Every record that a filter finds, page by page.
fn list(calls: &CallStore, office: &OfficeId, filter: &RecordFilter, page: usize) -> Vec<i64> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let found = calls.records(office, filter, after, page).unwrap();
        assert!(found.records.len() <= page);
        all.extend(found.records.iter().map(|record| record.began.0));
        let Some(next) = found.next else { return all };
        // As the command line would carry it.
        after = Some(RecordCursor::parse(&next.text()).unwrap());
    }
}

#[test]
fn a_journal_comes_back_with_everything_that_can_be_in_it() {
    let (store, writer) = store();
    let main = office("main");
    let id = call(&main, 1_000);
    let pins =
        RunPins { component: [7; 32], wit: "0.1.0".into(), host: "0.1.0".into(), journal: 1, limits: "default".into() };
    let ring = plugboard_model::RingRequest {
        targets: vec![Target::User(UserId::new(&main, "ann").unwrap()), Target::Number("+4930123".into())],
        ring_for_ms: 20_000,
        ring_back: plugboard_model::RingBack::Music,
    };
    let play = HostCall::Play { audio: Audio::Prompt("hello".into()), options: PlayOptions::default() };
    let entries = [
        JournalEvent::Began {
            wall: WallTime(1_000),
            caller: "4711".into(),
            called: "100".into(),
            caller_user: None,
            direction: plugboard_model::Direction::Inbound,
        },
        JournalEvent::Assigned { name: "who".into(), value: Value::Texts(vec!["a".into(), "é".into()]) },
        JournalEvent::RunBegan { run: RunId(0), action: "call-user".into(), parameters: "{}".into(), pins },
        JournalEvent::Begin { run: RunId(0), n: 0, call: HostCall::Ring(ring), hash: [9; 32] },
        JournalEvent::Begin { run: RunId(0), n: 1, call: play, hash: [0; 32] },
        JournalEvent::End { run: RunId(0), n: 1, result: HostResult::Bytes(vec![0, 255]) },
        JournalEvent::Digit { leg: LegId::CALLER, digit: '#' },
        JournalEvent::Ended { outcome: CallOutcome::Failed(Cause::of(500)) },
    ];
    let entries: Vec<_> = (0..).zip(entries).map(|(seq, event)| entry(seq, event)).collect();
    store.calls().append_journal(&id, &entries[..3]).unwrap();
    store.calls().append_journal(&id, &entries[3..]).unwrap();
    writer.run(Time::ZERO);
    let journal = store.calls().journal(&id).unwrap();
    assert_eq!(journal.entries, entries);
    assert!(!journal.gaps);
}

#[test]
fn a_journal_with_a_lost_line_says_so() {
    let (store, writer) = store();
    let id = call(&office("main"), 1);
    store.calls().append_journal(&id, &[note(0)]).unwrap();
    store.calls().append_journal(&id, &[note(2)]).unwrap();
    writer.run(Time::ZERO);
    let journal = store.calls().journal(&id).unwrap();
    assert_eq!(journal.entries, [note(0), note(2)]);
    assert!(journal.gaps);
}

#[test]
fn calls_without_a_record_are_found_at_the_next_start() {
    let (store, writer) = store();
    let (main, other) = (office("main"), office("other"));
    for id in [call(&main, 1), call(&main, 2), call(&other, 1)] {
        store.calls().append_journal(&id, &[note(0)]).unwrap();
        store.calls().append_journal(&id, &[note(1)]).unwrap();
    }
    store.calls().put_record(&record(&main, 1, "1", "2", &[]), None).unwrap();
    writer.run(Time::ZERO);
    assert_eq!(store.calls().unfinished_calls().unwrap(), [call(&main, 2), call(&other, 1)]);
}

#[test]
fn records_are_found_by_time_user_and_number_newest_first_page_by_page() {
    let (store, writer) = store();
    let (main, other, calls) = (office("main"), office("other"), store.calls());
    let user = |name| Some(UserId::new(&main, name).unwrap());
    for at in 1..=300 {
        let (caller, users) = if at % 3 == 0 { ("+4930", ["ann"]) } else { ("+4940", ["bob"]) };
        calls.put_record(&record(&main, at, caller, "100", &users), None).unwrap();
    }
    calls.put_record(&record(&other, 50, "+4930", "100", &["ann"]), None).unwrap();
    writer.run(Time::ZERO);
    let filter = RecordFilter::default();
    assert_eq!(list(&calls, &main, &filter, 7), (1..=300).rev().collect::<Vec<_>>());
    let thirds: Vec<_> = (1..=300).rev().filter(|at| at % 3 == 0).collect();
    assert_eq!(list(&calls, &main, &RecordFilter { user: user("ann"), ..filter.clone() }, 9), thirds);
    assert_eq!(list(&calls, &main, &RecordFilter { number: Some("+4930".into()), ..filter.clone() }, 1_000), thirds);
    let days = RecordFilter { from: Some(WallTime(100)), to: Some(WallTime(110)), ..filter.clone() };
    assert_eq!(list(&calls, &main, &days, 4), (100..110).rev().collect::<Vec<_>>());
    let both = RecordFilter { user: user("bob"), number: Some("+4930".into()), ..filter.clone() };
    assert_eq!(list(&calls, &main, &both, 10), [0; 0]);
    let both = RecordFilter { user: user("ann"), number: Some("+4930".into()), ..days };
    assert_eq!(list(&calls, &main, &both, 10), [108, 105, 102]);
    assert_eq!(list(&calls, &other, &filter, 10), [50]);
    assert_eq!(calls.record(&call(&main, 7)).unwrap().unwrap(), record(&main, 7, "+4940", "100", &["bob"]));
    assert_eq!(calls.record(&call(&other, 7)).unwrap(), None);
}

#[test]
fn a_users_list_in_one_office_never_shows_his_namesake_in_another() {
    let (store, writer) = store();
    let (one, two, calls) = (office("one"), office("two"), store.calls());
    calls.put_record(&record(&one, 1, "1", "101", &["ann"]), None).unwrap();
    writer.run(Time::ZERO);
    let of_two = RecordFilter { user: Some(UserId::new(&two, "ann").unwrap()), ..RecordFilter::default() };
    assert_eq!(list(&calls, &two, &of_two, 10), [0; 0]);
    assert_eq!(list(&calls, &one, &of_two, 10), [0; 0]);
}

#[test]
fn old_calls_are_forgotten_whole_and_newer_ones_stay() {
    let (store, writer) = store();
    let (main, calls) = (office("main"), store.calls());
    for at in 1..=20 {
        calls.append_journal(&call(&main, at), &[note(0)]).unwrap();
        calls.put_record(&record(&main, at, "+4930", "100", &["ann"]), None).unwrap();
    }
    writer.run(Time::ZERO);
    assert_eq!(
        calls.trim(&main, Kept::Record, WallTime(11)).unwrap(),
        Trimmed { calls: 10, more: false, unreadable: 0 }
    );
    assert_eq!(list(&calls, &main, &RecordFilter::default(), 100), (11..=20).rev().collect::<Vec<_>>());
    assert_eq!(calls.journal(&call(&main, 10)).unwrap().entries, []);
    assert_eq!(calls.journal(&call(&main, 11)).unwrap().entries, [note(0)]);
}

fn sip_message(n: u64) -> SipTraceEntry {
    SipTraceEntry {
        at: Time::from_millis(n / 2),
        leg: Some(LegId(1)),
        flow: SipFlow::In,
        transport: SipTransport::Udp,
        local: "127.0.0.1:5060".parse().unwrap(),
        remote: "[2001:db8::1]:5061".parse().unwrap(),
        bytes: format!("OPTIONS sip:{n} SIP/2.0\r\n\r\n").into_bytes(),
    }
}

#[test]
fn journals_and_sip_messages_are_forgotten_before_their_records_and_calls_that_go_on_keep_theirs() {
    let (store, writer) = store();
    let (main, other, calls) = (office("main"), office("other"), store.calls());
    for (of, at) in (1..=20).map(|at| (&main, at)).chain([(&other, 1)]) {
        calls.append_journal(&call(of, at), &[note(0)]).unwrap();
        calls.sip_trace(&call(of, at)).append(sip_message(1)).unwrap();
        // The fifth call goes on.
        if at != 5 {
            calls.put_record(&record(of, at, "+4930", "100", &["ann"]), None).unwrap();
        }
    }
    writer.run(Time::ZERO);
    assert_eq!(calls.offices().unwrap(), [main.clone(), other.clone()]);
    assert_eq!(
        calls.trim(&main, Kept::Journal, WallTime(11)).unwrap(),
        Trimmed { calls: 9, more: false, unreadable: 0 }
    );
    assert_eq!(
        calls.trim(&main, Kept::SipTrace, WallTime(3)).unwrap(),
        Trimmed { calls: 2, more: false, unreadable: 0 }
    );
    assert_eq!(
        calls.trim(&main, Kept::Journal, WallTime(11)).unwrap(),
        Trimmed { calls: 0, more: false, unreadable: 0 }
    );
    let kept = |of: &OfficeId, at| {
        let (lines, messages) = (calls.journal(&call(of, at)).unwrap(), calls.sip_messages(&call(of, at)).unwrap());
        (lines.entries.len(), messages.len())
    };
    assert_eq!([1, 2, 3, 5, 10, 11].map(|at| kept(&main, at)), [(0, 0), (0, 0), (0, 1), (1, 1), (0, 1), (1, 1)]);
    assert_eq!(kept(&other, 1), (1, 1), "another office's");
    assert_eq!(list(&calls, &main, &RecordFilter::default(), 100).len(), 19, "every record is there");
}

#[test]
fn a_long_past_is_forgotten_in_steps() {
    let (store, writer) = store();
    let (main, calls) = (office("main"), store.calls());
    for at in 1..=450 {
        calls.append_journal(&call(&main, at), &[note(0)]).unwrap();
        calls.put_record(&record(&main, at, "1", "2", &[]), None).unwrap();
        writer.run(Time::ZERO);
    }
    for kept in [Kept::Journal, Kept::Record] {
        let steps: Vec<Trimmed> = (0..3).map(|_| calls.trim(&main, kept, WallTime(450)).unwrap()).collect();
        assert_eq!(steps.iter().map(|step| step.calls).collect::<Vec<_>>(), [200, 200, 49], "{kept:?}");
        assert_eq!(steps.iter().map(|step| step.more).collect::<Vec<_>>(), [true, true, false], "{kept:?}");
    }
    assert_eq!(list(&calls, &main, &RecordFilter::default(), 100), [450]);
}

#[test]
fn a_calls_sip_messages_come_back_in_order_and_have_a_limit() {
    let (store, writer) = store();
    let id = call(&office("main"), 1);
    let mut trace = store.calls().sip_trace(&id);
    (0..1_030).for_each(|n| trace.append(sip_message(n)).unwrap());
    writer.run(Time::ZERO);
    assert_eq!(trace.dropped(), 6);
    let kept = store.calls().sip_messages(&id).unwrap();
    assert_eq!(kept, (0..1_024).map(sip_message).collect::<Vec<_>>());
}

#[test]
fn a_document_keeps_who_changed_it_when_and_why() {
    let (store, _writer) = store();
    let (main, documents) = (office("main"), store.documents());
    let change = |who: &str, at| DocumentChange { who: who.into(), at: WallTime(at), why: "because".into() };
    let put = |body: Option<&str>, who, at, expected| {
        documents.put(&main, "scenario/welcome", body.map(Into::into), change(who, at), expected)
    };
    assert_eq!(put(Some("one"), "ann", 1, Some(0)).unwrap(), 1);
    assert_eq!(put(Some("two"), "bob", 2, Some(1)).unwrap(), 2);
    let late = put(Some("late"), "cid", 3, Some(1)).unwrap_err();
    assert!(matches!(late, CommitError::Conflict { .. }), "{late}");
    let newest = documents.get(&main, "scenario/welcome").unwrap().unwrap();
    assert_eq!((newest.version, newest.change, newest.body.unwrap()), (2, change("bob", 2), b"two".to_vec()));
    let first = documents.version(&main, "scenario/welcome", 1).unwrap().unwrap();
    assert_eq!((first.change, first.body.unwrap()), (change("ann", 1), b"one".to_vec()));
    assert_eq!(documents.names(&main, None).unwrap(), ["scenario/welcome"]);
    assert_eq!(put(None, "ann", 4, None).unwrap(), 3);
    assert_eq!(documents.get(&main, "scenario/welcome").unwrap(), None);
    assert_eq!(documents.names(&main, None).unwrap(), [""; 0]);
    let history = documents.history(&main, "scenario/welcome", None, 2).unwrap();
    assert_eq!(history.iter().map(|version| version.version).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(documents.get(&office("other"), "scenario/welcome").unwrap(), None);
}

#[test]
fn what_is_kept_of_users_is_kept_by_user_and_kind() {
    let (store, writer) = store();
    let (main, registrations) = (office("main"), store.registrations());
    let (settings, callers) = (store.user_settings(), store.last_callers());
    let user = |name| UserId::new(&main, name).unwrap();
    registrations.put(&user("ann"), b"desk".to_vec()).unwrap();
    registrations.put(&user("ann"), b"desk, mobile".to_vec()).unwrap();
    registrations.put(&user("bob"), b"desk".to_vec()).unwrap();
    registrations.remove(&user("bob")).unwrap();
    settings.put(&user("ann"), b"away".to_vec()).unwrap();
    callers.put(&user("bob"), b"101".to_vec()).unwrap();
    let long = settings.put(&user("bob"), vec![0; (64 << 10) + 1]).unwrap_err();
    assert!(long.to_string().contains("65537 bytes, at most 65536"), "{long}");
    writer.run(Time::ZERO);
    assert_eq!(registrations.all(&main).unwrap(), [(user("ann"), b"desk, mobile".to_vec())]);
    assert_eq!(settings.all(&main).unwrap(), [(user("ann"), b"away".to_vec())]);
    assert_eq!(callers.all(&main).unwrap(), [(user("bob"), b"101".to_vec())]);
    assert_eq!(registrations.all(&office("other")).unwrap(), []);
}

#[test]
fn a_record_is_reported_only_after_the_groups_sync_within_20_ms() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (store, writer) = store();
    let told = Arc::new(AtomicUsize::new(0));
    let tell = || -> Option<plugboard_store::Done> {
        let told = told.clone();
        Some(Box::new(move |result| {
            result.unwrap();
            told.fetch_add(1, Ordering::Relaxed);
        }))
    };
    let t0 = Time::from_millis(500);
    store.calls().put_record(&record(&office("main"), 1, "1", "2", &[]), tell()).unwrap();
    assert_eq!(writer.poll_timeout(), Some(Time::ZERO), "a job waits: at once");
    writer.run(t0);
    assert_eq!(told.load(Ordering::Relaxed), 0);
    let sync_at = writer.poll_timeout().unwrap();
    assert!(sync_at <= t0 + std::time::Duration::from_millis(20));
    store.calls().put_record(&record(&office("main"), 2, "1", "2", &[]), tell()).unwrap();
    writer.run(Time::from_millis(505));
    assert_eq!(writer.poll_timeout(), Some(sync_at), "the second shares the first one's sync");
    writer.run(sync_at);
    assert_eq!(told.load(Ordering::Relaxed), 2);
    assert_eq!(writer.poll_timeout(), None);
}

#[test]
fn a_claim_from_the_call_path_is_told_who_won_without_waiting() {
    use plugboard_store::{Key, Kv, Op, Pre, Scope, Space};
    use std::sync::mpsc::channel;
    let (store, writer) = store();
    let slot = Key::new(Scope::Office(&office("main")), Space::Cells, &["slot", "ann"]).unwrap();
    let (tell, told) = channel();
    for who in [1, 2] {
        let tell = tell.clone();
        let claim = Op::put(slot.clone(), vec![who]).when(Pre::Absent);
        store.commit_then(vec![claim], Box::new(move |result| tell.send((who, result)).unwrap()));
    }
    assert!(told.try_recv().is_err());
    writer.run(Time::ZERO);
    let (loser, refusal) = told.try_recv().unwrap();
    assert!(loser == 2 && matches!(refusal, Err(CommitError::Conflict { .. })), "the loser is told at once");
    assert!(told.try_recv().is_err(), "the winner only after the sync");
    writer.run(writer.poll_timeout().unwrap());
    let (winner, rev) = told.try_recv().unwrap();
    assert_eq!((winner, Some(rev.unwrap())), (1, store.get(&slot).unwrap().map(|found| found.rev)));
}

#[test]
fn the_last_to_talk_with_a_number_is_found_whoever_called_and_who_did_not_talk_is_not() {
    let (store, writer) = store();
    let (calls, main, other) = (store.calls(), office("main"), office("other"));
    let user = |office: &OfficeId, name: &str| UserId::new(office, name).unwrap();
    let put = |record: &CallRecord| {
        calls.put_record(record, None).unwrap();
        writer.run(Time::ZERO);
    };
    let everybody = |_: &UserId| true;
    let numbers = ["+49301".to_owned(), "0301".to_owned()];
    let last = |since: i64, is_there: &dyn Fn(&UserId) -> bool| {
        let talk = calls.last_talk(&main, &numbers, WallTime(since), is_there).unwrap();
        talk.map(|talk| (talk.user.name.to_string(), talk.at.0))
    };
    // Rung and not answered; another office; another number.
    put(&record(&main, 1_000, "+49301", "100", &["ann"]));
    let answered = |mut record: CallRecord, legs: &[(usize, i64)]| {
        for (leg, at) in legs {
            record.legs[*leg].answered = Some(WallTime(*at));
        }
        record.answered = legs.iter().map(|(_, at)| WallTime(*at)).min();
        record.outcome = CallOutcome::Answered;
        record
    };
    put(&answered(record(&other, 1_100, "+49301", "100", &["ann"]), &[(0, 1_105)]));
    put(&answered(record(&main, 1_200, "+49302", "100", &["ann"]), &[(0, 1_205)]));
    assert_eq!(last(0, &everybody), None);
    // Ann answered, and put him through to Bob.
    put(&answered(record(&main, 2_000, "+49301", "100", &["ann", "bob"]), &[(0, 2_005), (1, 2_500)]));
    assert_eq!(last(0, &everybody), Some(("bob".into(), 2_500)));
    assert_eq!(last(0, &|user| user.name.as_str() != "bob"), Some(("ann".into(), 2_005)));
    // Cem called him, in another form of the number.
    let mut out = record(&main, 3_000, "103", "0301", &[]);
    (out.caller_user, out.direction) = (Some(user(&main, "cem")), Direction::Outbound);
    put(&out);
    assert_eq!(last(0, &everybody), Some(("bob".into(), 2_500)), "nobody answered him");
    out.answered = Some(WallTime(3_005));
    put(&out);
    assert_eq!(last(0, &everybody), Some(("cem".into(), 3_005)));
    assert_eq!(last(2_999, &everybody), Some(("cem".into(), 3_005)));
    assert_eq!(last(3_001, &everybody), None, "it began before that");
    // Cem put him through to Bob; and a call that began before that was talked in later.
    let handed = answered(record(&main, 3_200, "103", "0301", &["cem", "bob"]), &[(0, 3_210), (1, 3_300)]);
    put(&CallRecord { caller_user: Some(user(&main, "cem")), direction: Direction::Outbound, ..handed });
    assert_eq!(last(0, &everybody), Some(("bob".into(), 3_300)));
    put(&answered(record(&main, 3_100, "+49301", "100", &["ann"]), &[(0, 3_400)]));
    assert_eq!(last(0, &everybody), Some(("ann".into(), 3_400)));
    // Somebody of the office with a number that looks so.
    let mut inner = answered(record(&main, 4_000, "0301", "101", &["eve"]), &[(0, 4_005)]);
    (inner.caller_user, inner.direction) = (Some(user(&main, "dan")), Direction::Internal);
    put(&inner);
    assert_eq!(last(0, &everybody), Some(("ann".into(), 3_400)));
}
