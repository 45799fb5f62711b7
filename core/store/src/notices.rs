//! What is kept of e-mail, text messages and posts until they have left, and for a while after that.
//!
//! ```text
//! <office> 00 x <call 16> <part>      a notice, also when it is over
//! ```

use crate::calls::offices;
use crate::codec::Form;
use crate::decoded::decoded;
use crate::engine::{Change, Engine};
use crate::error::StoreError;
use crate::key::{Key, Scope, Space};
use crate::queue::{Class, Done};
use crate::store::Store;
use plugboard_model::{Notice, NoticeEnd, NoticeId, NoticePart, NoticeState, NoticeTry, OfficeId};

const FORM: Form = Form::new("a notice", 1);

/// The outbox of all offices.
#[derive(Clone)]
pub struct NoticesKept {
    store: Store,
}

impl NoticesKept {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps a notice in place of what was kept of it. Never waits.
    ///
    /// # Errors
    /// [`StoreError`]: a fault of the caller.
    pub fn put(&self, notice: &Notice) -> Result<(), StoreError> {
        self.store.submit(Class::Record, vec![Change::put(key(&notice.id), FORM.encode(notice)?)], None);
        Ok(())
    }

    /// ... and tells when it is on the disk, or why it is not: then nothing of it is kept in memory either. Never waits.
    ///
    /// # Errors
    /// [`StoreError`]: a fault of the caller; then nobody is told.
    pub fn put_then(&self, notice: &Notice, done: Done) -> Result<(), StoreError> {
        self.store.submit(Class::Commit, vec![Change::put(key(&notice.id), FORM.encode(notice)?)], Some(done));
        Ok(())
    }

    /// Forgets a notice. Never waits.
    pub fn remove(&self, id: &NoticeId) {
        self.store.submit(Class::Record, vec![Change::delete(key(id))], None);
    }

    /// Every notice of an office, those of the oldest call first. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn all(&self, office: &OfficeId) -> Result<Vec<Notice>, StoreError> {
        decoded(self.store.engine(), office, Space::Outbox, FORM)
    }
}

/// Gives up what waits in a database that came out of a backup: it may have left since that was made. How many there were.
pub(crate) fn give_up_restored(engine: &Engine) -> Result<usize, StoreError> {
    let mut given_up = 0;
    for office in offices(engine)? {
        let mut waiting: Vec<Notice> = decoded(engine, &office, Space::Outbox, FORM)?;
        waiting.retain(|notice| notice.state.over().is_none());
        let mut changes = Vec::new();
        for mut notice in waiting {
            let now = notice.tries.last().map_or(notice.taken, |tried| tried.at);
            notice.tries.push(NoticeTry { at: now, end: NoticeEnd::Restored });
            notice.state = NoticeState::Failed { at: now };
            changes.push(Change::put(key(&notice.id), FORM.encode(&notice)?));
            given_up += 1;
        }
        engine.write(&changes)?;
    }
    engine.sync()?;
    Ok(given_up)
}

fn key(id: &NoticeId) -> Key {
    let key = Key::space(Scope::Office(id.office()), Space::Outbox).with(&id.call.ulid.to_be_bytes());
    let (kind, first, second) = match &id.part {
        NoticePart::Step { run, n } => (b's', run.0, *n),
        NoticePart::Message(tape) => (b'm', *tape, 0),
        NoticePart::Fax(n) => (b'f', *n, 0),
        NoticePart::Log(integration) => return key.with(b"l").with(integration.as_str().as_bytes()),
    };
    key.with(&[kind]).with(&first.to_be_bytes()).with(&second.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;
    use plugboard_model::{CallId, Name, NoticeContent, OutgoingText, RunId, WallTime};

    #[test]
    fn a_notice_is_kept_under_its_own_key_until_it_is_removed() {
        let store = Store::start(Place::Memory, None).unwrap();
        let (kept, office) = (store.notices(), OfficeId::new("main").unwrap());
        let notice = |part| Notice {
            id: NoticeId { call: CallId::new(office.clone(), WallTime(1_000), 1), part },
            taken: WallTime(1_000),
            numbers: vec!["101".into()],
            content: NoticeContent::Text(OutgoingText { to: "+4930".into(), text: "Hello".into() }),
            repeats: false,
            tried: 0,
            tries: Vec::new(),
            state: NoticeState::Waiting { until: WallTime(1_000) },
        };
        let parts = [
            NoticePart::Step { run: RunId(0), n: 1 },
            NoticePart::Step { run: RunId(1), n: 0 },
            NoticePart::Message(1),
            NoticePart::Log(Name::new("crm").unwrap()),
        ];
        let (tell, told) = std::sync::mpsc::channel();
        for part in parts.clone() {
            let tell = tell.clone();
            kept.put_then(&notice(part), Box::new(move |done| tell.send(done.is_ok()).unwrap())).unwrap();
            assert_eq!(told.recv(), Ok(true), "it is told when it is synced");
        }
        let mut sent = notice(parts[0].clone());
        sent.state = NoticeState::Sent { at: WallTime(2_000) };
        kept.put(&sent).unwrap();
        kept.remove(&notice(parts[1].clone()).id);
        store.sync().unwrap();
        let mut found = kept.all(&office).unwrap();
        found.sort_by_key(|notice| notice.id.part.clone());
        assert_eq!(found, [sent, notice(parts[2].clone()), notice(parts[3].clone())]);
        assert_eq!(kept.all(&OfficeId::new("other").unwrap()).unwrap(), []);
    }
}
