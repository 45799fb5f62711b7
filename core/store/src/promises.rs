//! What is kept of callers who have left a queue and are to be called back, until their phones are rung.
//!
//! ```text
//! <office> 00 q <call 16>             a promised call
//! ```

use crate::calls::offices;
use crate::codec::Form;
use crate::decoded::decoded;
use crate::engine::{Change, Engine, Family};
use crate::error::StoreError;
use crate::key::{Key, Scope, Space};
use crate::queue::{Class, Done};
use crate::store::Store;
use plugboard_model::{CallId, OfficeId, PromisedCall};
use std::ops::ControlFlow;

const FORM: Form = Form::new("a promised call", 1);

/// The promised calls of all offices.
#[derive(Clone)]
pub struct Promises {
    store: Store,
}

impl Promises {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps a promise and tells when it is on the disk, or why it is not. Never waits.
    ///
    /// # Errors
    /// [`StoreError`]: a fault of the caller; then nobody is told.
    pub fn put_then(&self, promise: &PromisedCall, done: Done) -> Result<(), StoreError> {
        let value = FORM.encode(promise)?;
        self.store.submit(Class::Commit, vec![Change::put(key(&promise.call), value)], Some(done));
        Ok(())
    }

    /// Strikes a promise off and tells when that is on the disk, or why it is not. Never waits.
    pub fn strike_then(&self, call: &CallId, done: Done) {
        self.store.submit(Class::Commit, vec![Change::delete(key(call))], Some(done));
    }

    /// Strikes a promise off. Never waits.
    pub fn strike(&self, call: &CallId) {
        self.store.submit(Class::Record, vec![Change::delete(key(call))], None);
    }

    /// Every promise of an office, in no order. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn all(&self, office: &OfficeId) -> Result<Vec<PromisedCall>, StoreError> {
        decoded(self.store.engine(), office, Space::Promises, FORM)
    }
}

/// Strikes off what was promised in a database that came out of a backup: the calls may have been made since. How many there were.
pub(crate) fn give_up_restored(engine: &Engine) -> Result<usize, StoreError> {
    let mut given_up = 0;
    for office in offices(engine)? {
        let space = Key::space(Scope::Office(&office), Space::Promises);
        engine.scan(Family::Main, &space.bytes, &space.end(), |_, _| {
            given_up += 1;
            ControlFlow::Continue(())
        })?;
        let (from, to) = (space.bytes.clone(), space.end());
        engine.write(&[Change::DeleteRange { family: Family::Main, from, to }])?;
    }
    engine.sync()?;
    Ok(given_up)
}

fn key(call: &CallId) -> Key {
    Key::space(Scope::Office(&call.office), Space::Promises).with(&call.ulid.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;
    use plugboard_model::{Dialled, Name, ScenarioId, WallTime};
    use std::sync::mpsc;

    #[test]
    fn a_promise_is_kept_until_it_is_struck_off() {
        let store = Store::start(Place::Memory, None).unwrap();
        let (promises, office) = (store.promises(), OfficeId::new("main").unwrap());
        let promise = |n| PromisedCall {
            call: CallId::new(office.clone(), WallTime(1_000), n),
            queue: ScenarioId { office: office.clone(), name: Name::new("hotline").unwrap() },
            caller: "+4930".into(),
            to: Dialled::new("+4930").unwrap(),
            ring_for_ms: 20_000,
            wanted: Vec::new(),
            priority: 0,
            since: WallTime(1_000),
            order: 1,
            until: WallTime(2_000),
        };
        let (tell, told) = mpsc::channel();
        for n in 1..=3 {
            let tell = tell.clone();
            promises.put_then(&promise(n), Box::new(move |done| tell.send(done.is_ok()).unwrap())).unwrap();
            assert_eq!(told.recv(), Ok(true), "it is told when it is synced");
        }
        promises.strike(&promise(1).call);
        promises.strike_then(&promise(2).call, Box::new(move |done| tell.send(done.is_ok()).unwrap()));
        assert_eq!(told.recv(), Ok(true));
        assert_eq!(promises.all(&office).unwrap(), [promise(3)]);
        assert_eq!(promises.all(&OfficeId::new("other").unwrap()).unwrap(), []);
        assert_eq!(give_up_restored(store.engine()).unwrap(), 1);
        assert_eq!(promises.all(&office).unwrap(), []);
    }
}
