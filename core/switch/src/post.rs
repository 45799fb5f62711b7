//! Handing over messages that must arrive.

use actix::{Message, Recipient};

/// Sends now; when the mailbox is full, waits for a place without holding up the sender.
///
/// For messages whose loss would leak something (a slot, a leg). Each live call has a few of them under way at most,
/// so what waits is bounded by the number of calls. A closed mailbox means that its owner is gone, and with him what
/// the message is about: nothing is to be done.
pub(crate) fn post<M>(recipient: &Recipient<M>, message: M)
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    if let Err(actix::prelude::SendError::Full(message)) = recipient.try_send(message) {
        let waiting = recipient.send(message);
        actix::spawn(async move {
            let _ = waiting.await;
        });
    }
}

/// Sends beyond the mailbox's limit, from any thread: one that runs no actors cannot wait for a place.
///
/// For answers, of which each call or gateway has a few under way.
#[expect(clippy::disallowed_methods, reason = "a question has one answer, and questions are limited")]
pub(crate) fn press<M>(recipient: &Recipient<M>, message: M)
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    recipient.do_send(message);
}
