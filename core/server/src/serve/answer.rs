//! What commands are told.

use plugboard_metrics::Severity;
use plugboard_model::{
    CallId, CallRecord, Cause, Dialled, JournalEntry, JournalEvent, LegId, OfficeId, RunId, UserStatus, WallTime,
};
use plugboard_office::Office;
use plugboard_plugin::{ComponentId, ReplayReport, Verdict};
use plugboard_store::{BackupReport, BlobId, Blobs, RecordCursor, RecordFilter, Scope};
use plugboard_switch::{HandOnTo, LiveCall, UserState};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use crate::boot::Running;
use crate::control::{Answer, Request, TransferTo, call_id, done};
use crate::disk::on_disk;
use crate::keep::{Clock, Round, forget};
use crate::serve::{contacts, faxes, offices, outbox, people};

/// Records in one answer.
pub(crate) const RECORDS_MAX: usize = 1_000;

/// Carries a command out. What reads or writes the disk runs on a thread that may wait.
pub(super) async fn answer(running: &Arc<Running>, request: Request) -> Answer {
    let known: Vec<String> = {
        let houses = running.houses.lock().unwrap_or_else(PoisonError::into_inner);
        houses.keys().map(ToString::to_string).collect()
    };
    let request = match request.placed(&known) {
        Ok(request) => request,
        Err(fault) => return Answer::fault(fault),
    };
    let office = looks_into(&request);
    let told = carry_out(running, request).await;
    // "Nothing" would be read as "nothing yet"; what is left of an office that is gone can still be seen.
    office.filter(|_| found_nothing(&told)).and_then(|office| unknown(running, &office)).unwrap_or(told)
}

/// The office whose lists a command reads, where an empty one says nothing of whether there is such an office.
fn looks_into(request: &Request) -> Option<String> {
    if let Request::Outbox { office, .. }
    | Request::ShowNotice { office, .. }
    | Request::RetryNotice { office, .. }
    | Request::DropNotice { office, .. }
    | Request::Faxes { office, .. } = request
    {
        return Some(office.clone());
    }
    if let Request::Recordings { which, .. } = request { Some(which.office().ok()?.to_string()) } else { None }
}

fn found_nothing(told: &Answer) -> bool {
    const LISTS: [&str; 3] = ["notices", "faxes", "recordings"];
    match told {
        Answer::Done(told) => LISTS.iter().filter_map(|list| told.get(list)?.as_array()).any(std::vec::Vec::is_empty),
        Answer::Faults(_) => true,
    }
}

/// What to say where there is no such office.
fn unknown(running: &Running, office: &str) -> Option<Answer> {
    let houses = running.houses.lock().unwrap_or_else(PoisonError::into_inner);
    let known = || houses.keys().map(OfficeId::as_str);
    let is_known = known().any(|known| known == office);
    (!is_known).then(|| Answer::fault(offices::no_office(office, known())))
}

async fn carry_out(running: &Arc<Running>, request: Request) -> Answer {
    match request {
        Request::Status => status(running).await,
        Request::Calls { office, limit, after } => calls(running, office, limit, after).await,
        Request::Registrations => registrations(running).await,
        Request::Users { office, which } => people::users(running, &office, which.as_deref()).await,
        Request::SetUser { office, which, wish } => people::set(running, &office, &which, wish).await,
        Request::Queues { office, which } => people::queues(running, &office, which.as_deref()).await,
        Request::HangUp { id } => hang_up(running, &id).await,
        Request::Transfer { id, leg, to } => transfer(running, &id, leg, to).await.unwrap_or_else(Answer::fault),
        Request::Plugins => super::plugins::list(running).map_or_else(Answer::Faults, Answer::Done),
        Request::Plugin { order } => super::plugins::order(running, order).await,
        Request::Contacts { office, wish } => contacts::contacts(running, &office, wish),
        Request::Explain { wish } => people::explain(running, &wish),
        Request::Export { office, secrets, version: None } => offices::export(running, &office, secrets),
        Request::RollBack { office, version, why } => offices::roll_back(running, office, version, why).await,
        Request::Apply { bundles, why } => offices::apply(running, bundles, why).await,
        Request::Record { id } => record(running, &id).await,
        Request::Trim => trim(running).await,
        Request::SendFax { office, wish, key, document } => faxes::send(running, &office, wish, key, &document).await,
        Request::OutgoingFaxes { office, number, limit } => faxes::queue(running, &office, number, limit).await,
        Request::CancelFax { office, id } => faxes::cancel(running, &office, &id).await,
        Request::Outbox { office, number, waiting, limit } => {
            outbox::list(running, &office, number, waiting, limit).await
        }
        Request::ShowNotice { office, id } => outbox::show(running, &office, &id).await,
        Request::RetryNotice { office, id } => outbox::retry(running, &office, &id).await,
        Request::DropNotice { office, id } => outbox::put_aside(running, &office, &id).await,
        Request::EraseNotices { office, number } => outbox::erase(running, &office, number).await,
        Request::EraseFaxes { office, number: Some(number), ids } => faxes::erase(running, ids, office, number).await,
        Request::Journal { .. }
        | Request::Sip { .. }
        | Request::Replay { .. }
        | Request::Versions { .. }
        | Request::Diff { .. }
        | Request::Export { version: Some(_), .. }
        | Request::Recordings { .. }
        | Request::ExportRecording { .. }
        | Request::EraseRecordings { .. }
        | Request::VerifyRecordings { .. }
        | Request::Faxes { .. }
        | Request::ExportFax { .. }
        | Request::EraseFaxes { number: None, .. }
        | Request::VerifyFaxes { .. }
        | Request::Backup { .. } => {
            let running = Arc::clone(running);
            told_by(move || from_disk(&running, request)).await
        }
    }
}

/// The answer of work that waits for the disk.
pub(super) async fn told_by(work: impl FnOnce() -> Result<Value, String> + Send + 'static) -> Answer {
    on_disk(work).await.map_or_else(Answer::fault, Answer::Done)
}

fn from_disk(running: &Running, request: Request) -> Result<Value, String> {
    match request {
        Request::Versions { office, limit } => offices::versions(running, &office, limit),
        Request::Diff { office, from, to, draft } => offices::diff(running, &office, (from, to), draft),
        Request::Export { office, secrets, version: Some(version) } => {
            offices::export_version(running, &office, version, secrets)
        }
        Request::Journal { id, user } => journal(running, &id, user.as_deref()),
        Request::Sip { id } => sip(running, &id),
        Request::Replay { id } => replay(running, &id),
        Request::Recordings { which, limit } => running.recordings.list(&which, limit),
        Request::ExportRecording { id, to } => running.recordings.export(&id, &to),
        Request::EraseRecordings { ids, which } => running.recordings.erase(&ids, &which),
        Request::VerifyRecordings { which } => running.recordings.verify(&which),
        Request::Faxes { office, number, limit } => running.faxes.list(&office, number, limit),
        Request::ExportFax { id, form, to } => running.faxes.export(&id, form, &to),
        Request::EraseFaxes { ids, office, number: None } => running.faxes.erase(&ids, &office, None),
        Request::VerifyFaxes { office } => running.faxes.verify(&office),
        Request::Backup { to } => {
            running.store.backup(&to).map(|report| backed_up(&report, &to)).map_err(|error| error.to_string())
        }
        Request::Status
        | Request::Calls { .. }
        | Request::Record { .. }
        | Request::HangUp { .. }
        | Request::Transfer { .. }
        | Request::Registrations
        | Request::Users { .. }
        | Request::SetUser { .. }
        | Request::Contacts { .. }
        | Request::Queues { .. }
        | Request::Explain { .. }
        | Request::Plugins
        | Request::Plugin { .. }
        | Request::Trim
        | Request::SendFax { .. }
        | Request::OutgoingFaxes { .. }
        | Request::CancelFax { .. }
        | Request::Outbox { .. }
        | Request::ShowNotice { .. }
        | Request::RetryNotice { .. }
        | Request::DropNotice { .. }
        | Request::EraseNotices { .. }
        | Request::EraseFaxes { number: Some(_), .. }
        | Request::Apply { .. }
        | Request::RollBack { .. }
        | Request::Export { version: None, .. } => unreachable!("answered otherwise by `answer`"),
    }
}

fn backed_up(report: &BackupReport, to: &Path) -> Value {
    let BackupReport { files, bytes, missing, damaged, which, .. } = report;
    let done = format!("{files} files, {bytes} bytes in {}{}", to.display(), in_doubt(report));
    json!({ "done": done, "files": files, "bytes": bytes, "missing": missing, "damaged": damaged, "which": which })
}

/// What a backup or a restore says of recordings and faxes that are not what their entries say.
pub(crate) fn in_doubt(report: &BackupReport) -> String {
    let BackupReport { missing, damaged, which, .. } = report;
    if *missing + *damaged == 0 {
        return String::new();
    }
    let more = if missing + damaged > which.len() { ", ..." } else { "" };
    let which: Vec<String> = which.iter().map(|file| file.display().to_string()).collect();
    format!(
        "; of recordings and faxes {missing} files were not there and {damaged} are not what was recorded ({}{more}): \
         `plugboard recording verify` and `plugboard fax verify` name all of them",
        which.join(", ")
    )
}

/// An admin says that the clock is right.
async fn trim(running: &Running) -> Answer {
    match forget(running, Clock::Believed).await {
        Ok((Round::Done { calls: 0 }, 0)) => done("nothing is old enough to be removed"),
        Ok((Round::Done { calls }, 0)) => done(format!("what was kept long enough of {calls} calls is removed")),
        Ok((Round::Done { calls }, gone)) => {
            done(format!("what was kept long enough of {calls} calls and {gone} recordings is removed"))
        }
        Ok((Round::Held { .. }, _)) => unreachable!("a clock that is believed holds nothing"),
        Err(error) => Answer::fault(error.to_string()),
    }
}

/// The versions of an office's document, newest first.
async fn status(running: &Running) -> Answer {
    let calls = running.switch.calls().await.len();
    let users = running.switch.users().await;
    let registered = users.iter().filter(|(_, state)| !state.contacts.is_empty()).count();
    let gateways: Vec<Value> = running
        .switch
        .gateways()
        .await
        .into_iter()
        .map(|(id, state)| {
            json!({ "id": id.to_string(), "calls": state.calls, "calls_in": state.calls_in, "calls_max": state.calls_max,
                "down": state.down, "registered": state.registered, "targets": state.targets })
        })
        .collect();
    let report = running.readiness.report();
    let conditions: Vec<Value> = report
        .conditions
        .iter()
        .map(|one| {
            let condition = &one.condition;
            json!({ "condition": condition.name(), "subject": condition.subject(), "reason": one.reason,
                "blocks": condition.severity() == Severity::Blocks })
        })
        .collect();
    Answer::Done(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "ready": report.ready,
        "conditions": conditions,
        "calls": calls,
        "users": users.len(),
        "users_registered": registered,
        "gateways": gateways,
        "store_queue": running.store.queued(),
    }))
}

async fn calls(running: &Arc<Running>, office: String, limit: usize, after: Option<String>) -> Answer {
    let after = match after.as_deref().map(RecordCursor::parse).transpose() {
        Ok(after) => after,
        Err(error) => return Answer::fault(error.to_string()),
    };
    let live: Vec<Value> = running
        .switch
        .calls()
        .await
        .into_iter()
        // They stand before the past ones.
        .filter(|call| after.is_none() && call.id.office.as_str() == office)
        .map(|call| json!({ "id": call.id.to_string(), "caller": call.caller, "called": call.called, "began": call.began }))
        .collect();
    let known: Vec<OfficeId> = running.houses.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
    let store = running.store.clone();
    let now = running.clock.wall();
    told_by(move || {
        let office = OfficeId::new(&office).map_err(|error| error.to_string())?;
        let page = store.calls().records(&office, &RecordFilter::default(), after, limit.min(RECORDS_MAX));
        let page = page.map_err(|error| error.to_string())?;
        // The history of an office that is gone can still be read.
        if page.records.is_empty() && !known.contains(&office) {
            return Err(offices::no_office(office.as_str(), known.iter().map(OfficeId::as_str)));
        }
        Ok(json!({ "now": now, "live": live, "past": page.records, "unreadable": page.unreadable,
            "next": page.next.map(RecordCursor::text) }))
    })
    .await
}

async fn registrations(running: &Running) -> Answer {
    let users: Vec<Value> = running
        .switch
        .users()
        .await
        .into_iter()
        .map(|(id, state)| {
            let contacts: Vec<Value> = state
                .contacts
                .iter()
                .map(|contact| {
                    json!({
                        "contact": contact.contact,
                        "from": contact.flow.to_string(),
                        "expires_in": contact.expires_in,
                    })
                })
                .collect();
            json!({ "user": id.to_string(), "number": state.user.number, "name": state.user.name,
                "status": state.user.status, "availability": availability(&state),
                "calls": state.user.calls, "contacts": contacts })
        })
        .collect();
    Answer::Done(json!({ "users": users }))
}

/// Whether he can be rung, and if not, why: what he lets others know comes first, then what he does.
pub(super) fn availability(state: &UserState) -> &'static str {
    let calls = usize::try_from(state.user.calls).unwrap_or(usize::MAX);
    match state.user.status {
        UserStatus::DoNotDisturb => "do-not-disturb",
        UserStatus::LoggedOut => "logged-out",
        _ if calls > 0 => "on-a-call",
        UserStatus::Busy => "busy",
        UserStatus::Away => "away",
        UserStatus::WrapUp => "wrap-up",
        UserStatus::Available if state.calls > 0 => "ringing",
        UserStatus::Available if state.contacts.is_empty() => "offline",
        UserStatus::Available => "available",
    }
}

async fn hang_up(running: &Running, id: &str) -> Answer {
    match call_id(id) {
        Ok(call) if running.switch.hang_up(&call, Cause::normal()).await => done(format!("call {call} is ended")),
        Ok(call) => {
            Answer::fault(format!("there is no live call {call}; `plugboard call list` shows those that go on"))
        }
        Err(fault) => Answer::fault(fault),
    }
}

async fn transfer(running: &Running, id: &str, leg: Option<u32>, to: TransferTo) -> Result<Answer, String> {
    let call = call_id(id)?;
    let (to, said) = match to {
        TransferTo { with: Some(other), .. } => {
            let other = call_id(&other)?;
            let said = format!("whoever it talked to talks to whoever was there in call {other}");
            (HandOnTo::Call(other), said)
        }
        TransferTo { to, .. } => {
            let number = to.unwrap_or_default();
            let dialled = Dialled::new(&number).map_err(|error| format!("{number:?} cannot be dialled: {error}"))?;
            (HandOnTo::Number(dialled), format!("whoever it talks to is being connected with {number}"))
        }
    };
    let leg = running.switch.hand_on(&call, leg.map(LegId), to).await.map_err(|error| error.to_string())?;
    Ok(done(format!("leg {leg} of call {call} leaves: {said}")))
}

/// A past call's record, or what there is so far of one that goes on.
async fn record(running: &Arc<Running>, id: &str) -> Answer {
    let call = match call_id(id) {
        Ok(call) => call,
        Err(fault) => return Answer::fault(fault),
    };
    let live = running.switch.calls().await.into_iter().find(|live| live.id == call);
    let (store, recordings, now) = (running.store.clone(), running.recordings.clone(), running.clock.wall());
    let faxes = running.faxes.clone();
    told_by(move || {
        let calls = store.calls();
        let failed = |error: plugboard_store::StoreError| error.to_string();
        let (kept, journal) = (calls.record(&call).map_err(failed)?, calls.journal(&call).map_err(failed)?.entries);
        let mut value = match (kept, live) {
            (Some(record), _) => shown(&record, &journal),
            (None, Some(live)) => going_on(&live, &journal, now),
            (None, None) => Err(format!("{}; {NOT_KEPT}", no_call(&call))),
        }?;
        put(&mut value, "recordings", recordings.of_call(&call).map_err(failed)?.into());
        put(&mut value, "faxes", faxes.of_call(&call).map_err(failed)?.into());
        Ok(value)
    })
    .await
}

/// What to do about a call that nothing is known of.
const NOT_KEPT: &str =
    "`plugboard call list` shows those that are known, [keep] in the configuration says for how long";

fn no_call(call: &CallId) -> String {
    format!("there is no call {call}: none goes on under this id, and no record of one is kept")
}

/// A record with what only the journal knows: when somebody rang.
fn shown(record: &CallRecord, journal: &[JournalEntry]) -> Result<Value, String> {
    let mut rang: BTreeMap<LegId, WallTime> = BTreeMap::new();
    for entry in journal {
        if let JournalEvent::LegRang { leg } = &entry.event {
            let after = i64::try_from(entry.at.as_millis()).unwrap_or(i64::MAX);
            rang.entry(*leg).or_insert(WallTime(record.began.0.saturating_add(after)));
        }
    }
    let mut value = serde_json::to_value(record).map_err(|error| error.to_string())?;
    if let Some(legs) = value.get_mut("legs").and_then(Value::as_array_mut) {
        for (leg, kept) in legs.iter_mut().zip(&record.legs) {
            put(leg, "rang", json!(rang.get(&kept.leg)));
        }
    }
    put(&mut value, "rang", json!(rang.values().min()));
    Ok(value)
}

/// The same of a call that goes on: what has not happened yet is null.
fn going_on(live: &LiveCall, journal: &[JournalEntry], now: WallTime) -> Result<Value, String> {
    let mut record = crate::recovery::record(&live.id, journal);
    record.caller.clone_from(&live.caller);
    record.called.clone_from(&live.called);
    record.began = live.began;
    record.route.clone_from(&live.route);
    record.scenario.clone_from(&live.scenario);
    let mut value = shown(&record, journal)?;
    if let Some(legs) = value.get_mut("legs").and_then(Value::as_array_mut) {
        let stopped = crate::recovery::stopped();
        for (leg, _) in legs.iter_mut().zip(&record.legs).filter(|(_, kept)| kept.cause == stopped) {
            put(leg, "ended", Value::Null);
            put(leg, "cause", Value::Null);
        }
    }
    for (key, told) in
        [("ended", Value::Null), ("outcome", Value::Null), ("going_on", true.into()), ("now", json!(now))]
    {
        put(&mut value, key, told);
    }
    Ok(value)
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn journal(running: &Running, id: &str, user: Option<&str>) -> Result<Value, String> {
    let call = call_id(id)?;
    let journal = running.store.calls().journal(&call).map_err(|error| error.to_string())?;
    if journal.entries.is_empty() {
        return Err(format!("no journal of call {call} is kept; {NOT_KEPT}"));
    }
    let houses = running.houses.lock().unwrap_or_else(PoisonError::into_inner);
    let office = houses.get(&call.office).map(|house| &house.office);
    let user = user.map(|user| meant(office.map(AsRef::as_ref), &journal.entries, user)).transpose()?;
    let zone = office.map(|office| office.zone().name());
    let found = user.as_deref().and_then(|user| Some((office?, office?.find_user(user)?)));
    let number = found.map(|(_, user)| user.number.as_str());
    let groups: Vec<&str> = found.map_or_else(Vec::new, |(office, user)| {
        let his = |group: &&Arc<plugboard_office::Group>| group.members.iter().any(|member| member.user == user.id);
        office.groups().filter(his).map(|group| group.id.name.as_str()).collect()
    });
    Ok(json!({ "gaps": journal.gaps, "entries": journal.entries, "time_zone": zone, "user": user, "number": number,
        "groups": groups }))
}

/// Who is meant by a user's id, internal number or name, or by what a call was sent to: as journals call him.
fn meant(office: Option<&Office>, entries: &[JournalEntry], asked: &str) -> Result<String, String> {
    if let Some(user) = office.and_then(|office| office.find_user(asked)) {
        return Ok(user.id.name.to_string());
    }
    let of_name = |user: &&Arc<plugboard_office::User>| user.name.to_lowercase() == asked.to_lowercase();
    let named: Vec<&str> =
        office.iter().flat_map(|office| office.users()).filter(of_name).map(|user| user.id.name.as_str()).collect();
    let is_there = |entry: &JournalEntry| {
        matches!(&entry.event, JournalEvent::LegBegan { user: Some(user), .. } | JournalEvent::NotRung { user, .. } if user.name.as_str() == asked)
            || matches!(&entry.event, JournalEvent::LegBegan { user: None, to, .. } | JournalEvent::Forwarded { by: to, .. } if to == asked)
    };
    match named.as_slice() {
        [one] => Ok((*one).to_owned()),
        // Who has left the office since, and numbers outside.
        [] if entries.iter().any(is_there) => Ok(asked.to_owned()),
        [] => Err(format!(
            "{asked:?} is no user of the office: name one by id, internal number or name; `plugboard user list` lists them"
        )),
        several => Err(format!("{asked:?} is the name of several users; name one by id: {}", several.join(", "))),
    }
}

fn sip(running: &Running, id: &str) -> Result<Value, String> {
    let call = call_id(id)?;
    let calls = running.store.calls();
    let messages = calls.sip_messages(&call).map_err(|error| error.to_string())?;
    if messages.is_empty() {
        return Err(format!("no SIP messages of call {call} are kept; {NOT_KEPT}"));
    }
    let journal = calls.journal(&call).map_err(|error| error.to_string())?;
    let wall = journal.entries.iter().find_map(|entry| {
        let JournalEvent::Began { wall, .. } = &entry.event else { return None };
        Some(wall.0)
    });
    let messages: Vec<Value> = messages
        .iter()
        .map(|message| {
            json!({
                "at_ns": message.at.0, "leg": message.leg, "out": message.flow == plugboard_store::SipFlow::Out,
                "transport": transport_name(message.transport),
                "local": message.local, "remote": message.remote,
                "text": String::from_utf8_lossy(&message.bytes),
            })
        })
        .collect();
    Ok(json!({ "wall": wall.unwrap_or(0), "messages": messages }))
}

/// As `call trace --sip` spells it.
const fn transport_name(transport: plugboard_store::SipTransport) -> &'static str {
    use plugboard_store::SipTransport as T;
    match transport {
        T::Udp => "udp",
        T::Tcp => "tcp",
        T::Tls => "tls",
        T::Ws => "ws",
        T::Wss => "wss",
    }
}

/// Runs every run of the call again, each from its own part of the journal.
fn replay(running: &Running, id: &str) -> Result<Value, String> {
    let call = call_id(id)?;
    let journal = running.store.calls().journal(&call).map_err(|error| error.to_string())?;
    let runs: Vec<(RunId, String, [u8; 32])> = journal
        .entries
        .iter()
        .filter_map(|entry| {
            let JournalEvent::RunBegan { run, action, pins, .. } = &entry.event else { return None };
            Some((*run, action.clone(), pins.component))
        })
        .collect();
    if runs.is_empty() {
        return Err(format!("no action ran in call {call}, or its journal is not kept; {NOT_KEPT}"));
    }
    let mut reports = Vec::new();
    for (run, action, pinned) in runs {
        let events = journal.entries.iter().map(|entry| &entry.event);
        let id = ComponentId(pinned);
        let key = plugboard_plugin::RunKey { call: call.clone(), run };
        let told = match component(running, id)? {
            Some(bytes) => match plugboard_plugin::replay(&running.actions().catalogue, &bytes, events, &key) {
                Ok(report) => told(run, &action, &report),
                Err(refused) => {
                    json!({ "run": run.0, "action": action, "same": false, "verdict": refused.to_string() })
                }
            },
            None => json!({ "run": run.0, "action": action, "same": false,
                "verdict": "the component that ran is not kept any more" }),
        };
        reports.push(told);
    }
    Ok(json!({ "runs": reports }))
}

/// The component that ran: installed, or kept from before an upgrade.
fn component(running: &Running, id: ComponentId) -> Result<Option<Arc<[u8]>>, String> {
    if let Some(installed) = running.actions().catalogue.get(id) {
        return Ok(Some(Arc::clone(installed.bytes())));
    }
    let kept = running.store.blob(Scope::Switch, BlobId(id.0)).map_err(|error| error.to_string())?;
    Ok(kept.map(Into::into))
}

fn told(run: RunId, action: &str, report: &ReplayReport) -> Value {
    let (same, verdict) = match &report.verdict {
        Verdict::Same => (true, "the same host calls and the same end".to_owned()),
        Verdict::StoppedByRecord => (true, "the same host calls, as far as the record goes".to_owned()),
        Verdict::CallDiffers { at, recorded, now } => {
            (false, format!("host call {at} differs: the record has {recorded:?}, now it is {now:?}"))
        }
        Verdict::EndDiffers { now } => (false, format!("the end differs: now it is {now:?}")),
    };
    json!({ "run": run.0, "action": action, "same": same, "host_calls": report.calls_equal, "verdict": verdict })
}
