//! What commands are told.

use plugboard_model::{Cause, JournalEvent, OfficeId, RunId};
use plugboard_office::Secrets;
use plugboard_plugin::{ComponentId, ReplayReport, Verdict};
use plugboard_store::{BlobId, Blobs, DocumentChange, RecordFilter, Scope};
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError};

use crate::boot::Running;
use crate::control::{Answer, Request, call_id, done};
use crate::house::{Bundle, DOCUMENT};

/// Records in one answer.
const RECORDS_MAX: usize = 1_000;

/// Carries a command out. What reads or writes the disk runs on a thread that may wait.
pub(super) async fn answer(running: &Arc<Running>, request: Request) -> Answer {
    match request {
        Request::Status => status(running).await,
        Request::Calls { office, limit } => calls(running, office, limit).await,
        Request::Registrations => registrations(running).await,
        Request::HangUp { id } => hang_up(running, &id).await,
        Request::Plugins => plugins(running),
        Request::Export { office, secrets } => export(running, &office, secrets),
        Request::Apply { bundles, why } => apply(running, bundles, why).await,
        Request::Record { .. }
        | Request::Journal { .. }
        | Request::Sip { .. }
        | Request::Replay { .. }
        | Request::Backup { .. } => {
            let running = Arc::clone(running);
            let asked = tokio::task::spawn_blocking(move || from_disk(&running, request));
            asked.await.unwrap_or_else(|_| Answer::fault("a fault of ours; see the log"))
        }
    }
}

fn from_disk(running: &Running, request: Request) -> Answer {
    let told = match request {
        Request::Record { id } => record(running, &id),
        Request::Journal { id } => journal(running, &id),
        Request::Sip { id } => sip(running, &id),
        Request::Replay { id } => replay(running, &id),
        Request::Backup { to } => running
            .store
            .backup(&to)
            .map(|report| json!({ "done": format!("{} files, {} bytes in {}", report.files, report.bytes, to.display()) }))
            .map_err(|error| error.to_string()),
        Request::Status
        | Request::Calls { .. }
        | Request::HangUp { .. }
        | Request::Registrations
        | Request::Plugins
        | Request::Apply { .. }
        | Request::Export { .. } => unreachable!("answered without the disk by `answer`"),
    };
    told.map_or_else(Answer::fault, Answer::Done)
}

async fn status(running: &Running) -> Answer {
    let calls = running.switch.calls().await.len();
    let users = running.switch.users().await;
    let registered = users.iter().filter(|(_, state)| !state.contacts.is_empty()).count();
    let gateways: Vec<Value> = running
        .switch
        .gateways()
        .await
        .into_iter()
        .map(|(id, state)| json!({ "id": id.to_string(), "calls": state.calls, "calls_max": state.calls_max }))
        .collect();
    let report = running.readiness.report();
    Answer::Done(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "ready": report.ready,
        "conditions": report.text(),
        "calls": calls,
        "users": users.len(),
        "users_registered": registered,
        "gateways": gateways,
        "store_queue": running.store.queued(),
    }))
}

async fn calls(running: &Arc<Running>, office: String, limit: usize) -> Answer {
    let live: Vec<Value> = running
        .switch
        .calls()
        .await
        .into_iter()
        .filter(|call| call.id.office.as_str() == office)
        .map(|call| json!({ "id": call.id.to_string(), "caller": call.caller, "called": call.called, "began": call.began }))
        .collect();
    let store = running.store.clone();
    let past = tokio::task::spawn_blocking(move || {
        let office = OfficeId::new(&office).map_err(|error| error.to_string())?;
        let page = store.calls().records(&office, &RecordFilter::default(), None, limit.min(RECORDS_MAX));
        page.map(|page| page.records).map_err(|error| error.to_string())
    });
    match past.await {
        Ok(Ok(records)) => Answer::Done(json!({ "live": live, "past": records })),
        Ok(Err(error)) => Answer::fault(error),
        Err(_) => Answer::fault("a fault of ours; see the log"),
    }
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
                "status": state.user.status, "calls": state.user.calls, "contacts": contacts })
        })
        .collect();
    Answer::Done(json!({ "users": users }))
}

async fn hang_up(running: &Running, id: &str) -> Answer {
    match call_id(id) {
        Ok(call) if running.switch.hang_up(&call, Cause::normal()).await => done(format!("call {call} is ended")),
        Ok(call) => Answer::fault(format!("there is no live call {call}")),
        Err(fault) => Answer::fault(fault),
    }
}

fn plugins(running: &Running) -> Answer {
    let actions: Vec<Value> = running
        .actions
        .by_name
        .values()
        .map(|installed| json!({ "component": installed.id().to_string(), "manifest": installed.manifest() }))
        .collect();
    Answer::Done(json!({ "actions": actions, "refused": running.actions.refused }))
}

fn export(running: &Running, office: &str, secrets: bool) -> Answer {
    let houses = running.houses.lock().unwrap_or_else(PoisonError::into_inner);
    let found = houses.iter().find(|(id, _)| id.as_str() == office);
    let secrets = if secrets { Secrets::InClear } else { Secrets::Hidden };
    match found.map(|(_, house)| house.office.export(secrets, Some(&house.folder))) {
        Some(Ok(text)) => Answer::Done(json!({ "yaml": text })),
        Some(Err(fault)) => Answer::fault(fault),
        None => Answer::fault(format!("there is no office {office:?}")),
    }
}

/// All of the offices or none.
async fn apply(running: &Arc<Running>, mut bundles: Vec<Bundle>, why: String) -> Answer {
    for bundle in &mut bundles {
        bundle.keep_passwords(running.houses.lock().unwrap_or_else(PoisonError::into_inner).values());
    }
    let (ids, warnings) = match running.take(&bundles) {
        Ok(taken) => taken,
        Err(faults) => return Answer::Faults(faults),
    };
    let (store, at) = (running.store.clone(), running.clock.wall());
    let kept = tokio::task::spawn_blocking(move || {
        let mut done = Vec::new();
        for (office, bundle) in ids.into_iter().zip(bundles) {
            let body = serde_json::to_vec(&bundle).map_err(|error| error.to_string())?;
            let change = DocumentChange { who: "plugboard apply".into(), at, why: why.clone() };
            let unkept = |error: String| format!("office {office} is in force, but was not kept: {error}");
            let version = store.documents().put(&office, DOCUMENT, Some(body), change, None);
            let version = version.map_err(|error| unkept(error.to_string()))?;
            done.push(format!("office {office} is in force, version {version}"));
        }
        Ok::<_, String>(done.join("; "))
    });
    match kept.await {
        Ok(Ok(text)) => Answer::Done(json!({ "done": text, "warnings": warnings })),
        Ok(Err(fault)) => Answer::fault(fault),
        Err(_) => Answer::fault("a fault of ours; see the log"),
    }
}

fn record(running: &Running, id: &str) -> Result<Value, String> {
    let call = call_id(id)?;
    let found = running.store.calls().record(&call).map_err(|error| error.to_string())?;
    let record = found.ok_or_else(|| format!("there is no record of call {call}; is it still going on?"))?;
    serde_json::to_value(record).map_err(|error| error.to_string())
}

fn journal(running: &Running, id: &str) -> Result<Value, String> {
    let call = call_id(id)?;
    let journal = running.store.calls().journal(&call).map_err(|error| error.to_string())?;
    if journal.entries.is_empty() {
        return Err(format!("there is no journal of call {call}"));
    }
    Ok(json!({ "gaps": journal.gaps, "entries": journal.entries }))
}

fn sip(running: &Running, id: &str) -> Result<Value, String> {
    let call = call_id(id)?;
    let calls = running.store.calls();
    let messages = calls.sip_messages(&call).map_err(|error| error.to_string())?;
    if messages.is_empty() {
        return Err(format!("no SIP messages of call {call} were kept"));
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
                "transport": if message.transport == plugboard_store::SipTransport::Tcp { "tcp" } else { "udp" },
                "local": message.local, "remote": message.remote,
                "text": String::from_utf8_lossy(&message.bytes),
            })
        })
        .collect();
    Ok(json!({ "wall": wall.unwrap_or(0), "messages": messages }))
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
        return Err(format!("no action ran in call {call}"));
    }
    let mut reports = Vec::new();
    for (run, action, pinned) in runs {
        let events = journal.entries.iter().map(|entry| &entry.event);
        let id = ComponentId(pinned);
        let key = plugboard_plugin::RunKey { call: call.clone(), run };
        let told = match component(running, id)? {
            Some(bytes) => match plugboard_plugin::replay(&running.actions.catalogue, &bytes, events, &key) {
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
    if let Some(installed) = running.actions.catalogue.get(id) {
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
