//! Orders to send faxes, by command.

use plugboard_codec::document;
use plugboard_console::faxes::{Desk, Prepare, Wish, shown};
use plugboard_model::{OfficeId, OrderId};
use plugboard_switch::Switch;
use serde_json::{Value, json};
use std::sync::Arc;

use super::answer::told_by;
use crate::boot::Running;
use crate::control::{Answer, FaxWish};

/// Takes orders for this switch.
pub(super) fn desk(switch: &Switch) -> Desk {
    let prepare: Prepare = Arc::new(|bytes: &[u8]| {
        let ready = document::prepare(bytes).map_err(|fault| (fault.to_string(), fault.remedy()))?;
        Ok((ready.tiff, ready.pages))
    });
    Desk::new(Arc::new(switch.clone()), prepare, document::DOCUMENT_MAX)
}

pub(super) async fn send(
    running: &Running,
    office: &str,
    wish: FaxWish,
    key: Option<String>,
    document: &str,
) -> Answer {
    let FaxWish { number: to, from, ident, header } = wish;
    let wish = Wish { from, to, ident, header };
    let Ok(office) = OfficeId::new(office) else { return Answer::fault(format!("{office:?} is no office")) };
    let Some(document) = bytes(document) else { return Answer::fault("the document did not come as it was sent") };
    match desk(&running.switch).order(office, wish, key, document).await {
        Ok(taken) => Answer::Done(json!({ "fax": shown(&taken.fax), "ordered_before": taken.before })),
        Err(fault) => Answer::fault(fault.to_string()),
    }
}

pub(super) async fn queue(running: &Running, office: &str, number: Option<String>, limit: usize) -> Answer {
    let Ok(office) = OfficeId::new(office) else { return Answer::fault(format!("{office:?} is no office")) };
    let faxes = desk(&running.switch).list(&office, number, limit).await;
    Answer::Done(json!({ "faxes": faxes.iter().map(shown).collect::<Vec<_>>() }))
}

pub(super) async fn cancel(running: &Running, office: &str, id: &str) -> Answer {
    let id = OfficeId::new(office).and_then(|office| OrderId::from_parts(office, id));
    let Ok(id) = id else { return Answer::fault("an order is named as `plugboard fax queue` shows it") };
    match desk(&running.switch).withdraw(&id).await {
        Ok(fax) => Answer::Done(json!({ "done": format!("{} is withdrawn", fax.id.text()), "fax": shown(&fax) })),
        Err(fault) => Answer::fault(fault.to_string()),
    }
}

/// Erases what was received from or sent to a number, and forgets the orders for it that are over.
pub(super) async fn erase(running: &Arc<Running>, ids: Vec<String>, office: String, number: String) -> Answer {
    let forgotten = match OfficeId::new(&office) {
        Ok(office) => running.switch.forget_fax_orders(&office, &number).await,
        Err(_) => 0,
    };
    let (kept, number) = (Arc::clone(running), Some(number));
    told_by(move || {
        let mut done = kept.faxes.erase(&ids, &office, number)?;
        if let Some(done) = done.as_object_mut().filter(|_| forgotten > 0) {
            let text = done.get("done").and_then(Value::as_str).unwrap_or_default();
            let text = format!("{text}, {forgotten} orders are forgotten");
            done.insert("done".into(), text.into());
            done.insert("forgotten".into(), forgotten.into());
        }
        Ok(done)
    })
    .await
}

/// What [`crate::recordings::hexadecimal`] wrote.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_as_it_was_sent() {
        let document: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&crate::recordings::hexadecimal(&document)), Some(document));
        assert_eq!((bytes("0"), bytes("0g")), (None, None));
    }
}
