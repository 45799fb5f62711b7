//! Mail, text messages and posts that are to leave, by command.

use plugboard_model::{Notice, NoticeContent, NoticeId, NoticeTry, OfficeId};
use serde_json::{Value, json};

use crate::boot::Running;
use crate::control::Answer;

pub(super) async fn list(
    running: &Running,
    office: &str,
    number: Option<String>,
    waiting: bool,
    limit: usize,
) -> Answer {
    let Ok(office) = OfficeId::new(office) else { return Answer::fault(format!("{office:?} is no office")) };
    let notices = running.switch.notices(&office, number, waiting, limit).await;
    Answer::Done(json!({ "notices": notices.iter().map(shown).collect::<Vec<_>>() }))
}

pub(super) async fn show(running: &Running, office: &str, id: &str) -> Answer {
    let Some(id) = read(office, id) else { return nothing() };
    match running.switch.notice(&id).await {
        Some(notice) => {
            let mut value = shown(&notice);
            if let (Some(into), Some(said)) = (value.as_object_mut(), says(&notice.content).as_object()) {
                into.extend(said.clone());
            }
            Answer::Done(json!({ "notice": value }))
        }
        None => nothing(),
    }
}

pub(super) async fn retry(running: &Running, office: &str, id: &str) -> Answer {
    let Some(id) = read(office, id) else { return nothing() };
    match running.switch.retry_notice(&id).await {
        Ok(notice) => {
            Answer::Done(json!({ "done": format!("{} is tried again", id.text()), "notice": shown(&notice) }))
        }
        Err(fault) => Answer::fault(fault.to_string()),
    }
}

pub(super) async fn put_aside(running: &Running, office: &str, id: &str) -> Answer {
    let Some(id) = read(office, id) else { return nothing() };
    match running.switch.drop_notice(&id).await {
        Ok(notice) => Answer::Done(json!({ "done": format!("{} is dropped", id.text()), "notice": shown(&notice) })),
        Err(fault) => Answer::fault(fault.to_string()),
    }
}

pub(super) async fn erase(running: &Running, office: &str, number: String) -> Answer {
    let Ok(office) = OfficeId::new(office) else { return Answer::fault(format!("{office:?} is no office")) };
    let erased = running.switch.forget_notices(&office, &number).await;
    Answer::Done(json!({ "done": format!("{erased} notices are erased"), "erased": erased }))
}

fn read(office: &str, id: &str) -> Option<NoticeId> {
    OfficeId::new(office).and_then(|office| NoticeId::from_parts(office, id)).ok()
}

fn nothing() -> Answer {
    Answer::fault("there is no such notice; `plugboard outbox list` shows those that are known")
}

fn shown(notice: &Notice) -> Value {
    let tried = |one: &NoticeTry| json!({ "at": one.at, "end": one.end.as_str(), "reason": one.end.reason() });
    json!({
        "id": notice.id.text(), "call": notice.id.call.to_string(), "kind": notice.content.as_str(),
        "to": notice.content.to(), "taken": notice.taken, "state": notice.state.as_str(),
        "waits_until": notice.state.waits_until(), "over": notice.state.over(), "tried": notice.tried,
        "tries": notice.tries.iter().map(tried).collect::<Vec<_>>(),
    })
}

/// What it says, and how whoever gets it can tell a repetition.
fn says(content: &NoticeContent) -> Value {
    match content {
        NoticeContent::Mail(mail) => json!({
            "message_id": mail.message_id, "subject": mail.subject, "text": mail.text, "html": mail.html,
            "attachments": mail.attachments.iter().map(|one| &one.file).collect::<Vec<_>>(),
        }),
        NoticeContent::Text(text) => json!({ "text": text.text }),
        NoticeContent::Post(post) => json!({ "body": post.body }),
        NoticeContent::Log(call) => json!({ "logs": call }),
    }
}
