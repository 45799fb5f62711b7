//! Who looks calls of the past up for those of the present: on a thread of its own, since it waits for the disk.

use plugboard_model::Talk;
use plugboard_store::Store;
use plugboard_switch::{History, TalkQuestion, TalkReply};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Questions that wait: the calls of a large switch in a second.
const WAITING_MAX: usize = 1_024;

/// The thread's end of the switch.
pub(crate) struct Reader {
    waiting: SyncSender<(TalkQuestion, TalkReply)>,
}

impl Reader {
    /// Starts the thread; it ends with this.
    ///
    /// # Errors
    /// It could not be started.
    pub(crate) fn start(store: Store) -> Result<Self, String> {
        let (waiting, questions) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name("history".into());
        let started = thread.spawn(move || answer_all(&questions, &store));
        started.map_err(|error| format!("the thread that reads the history could not be started: {error}"))?;
        Ok(Self { waiting })
    }
}

fn answer_all(questions: &Receiver<(TalkQuestion, TalkReply)>, store: &Store) {
    for (asked, reply) in questions {
        reply(look(store, &asked));
    }
}

fn look(store: &Store, asked: &TalkQuestion) -> Result<Option<Talk>, String> {
    let TalkQuestion { office, numbers, since } = asked;
    let is_there = |user: &_| office.user(user).is_some();
    store.calls().last_talk(&office.id, numbers, *since, &is_there).map_err(|error| error.to_string())
}

impl History for Reader {
    fn last_talk(&self, asked: TalkQuestion, reply: TalkReply) {
        let (reply, why) = match self.waiting.try_send((asked, reply)) {
            Ok(()) => return,
            Err(TrySendError::Full((_, reply))) => (reply, format!("more than {WAITING_MAX} questions wait")),
            Err(TrySendError::Disconnected((_, reply))) => (reply, "the thread that reads it has ended".to_owned()),
        };
        reply(Err(why));
    }
}
