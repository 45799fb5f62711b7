//! What is kept of faxes beside their files.
//!
//! ```text
//! <office> 00 f <call 16> <n 4>    one of a call
//! ```

use crate::codec::Form;
use crate::engine::{Change, Engine, Family};
use crate::error::StoreError;
use crate::key::{Key, Scope, Space};
use crate::queue::Class;
use crate::store::Store;
use plugboard_model::{CallId, FaxRecord, OfficeId, WallTime};
use std::collections::VecDeque;
use std::ops::ControlFlow;

const FORM: Form = Form::new("a fax", 1);

/// Faxes of all offices.
#[derive(Clone)]
pub struct Faxes {
    store: Store,
}

/// Which faxes to list. All conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaxFilter {
    /// Began before.
    pub before: Option<WallTime>,
    /// The caller's or the called number, whole.
    pub number: Option<String>,
}

impl FaxFilter {
    /// Whether a fax is one of these.
    pub fn takes(&self, fax: &FaxRecord) -> bool {
        self.before.is_none_or(|before| fax.began < before)
            && self.number.as_ref().is_none_or(|number| fax.caller == *number || fax.called == *number)
    }
}

impl Faxes {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps what is known of a fax. Never waits.
    ///
    /// # Errors
    /// [`StoreError`]: a fault of the caller.
    pub fn put(&self, fax: &FaxRecord) -> Result<(), StoreError> {
        let change = Change::put(key(&fax.call, fax.n), FORM.encode(fax)?);
        self.store.submit(Class::Record, vec![change], None);
        Ok(())
    }

    /// Forgets a fax. Never waits.
    pub fn remove(&self, call: &CallId, n: u32) {
        self.store.submit(Class::Record, vec![Change::delete(key(call, n))], None);
    }

    /// One of a call. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn get(&self, call: &CallId, n: u32) -> Result<Option<FaxRecord>, StoreError> {
        let found = self.store.engine().get(Family::Main, &key(call, n).bytes)?;
        found.map(|bytes| FORM.decode(&bytes)).transpose()
    }

    /// All of a call, in their order. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn of_call(&self, call: &CallId) -> Result<Vec<FaxRecord>, StoreError> {
        let space = Key::space(Scope::Office(&call.office), Space::Faxes).with(&call.ulid.to_be_bytes());
        let mut found = Vec::new();
        self.store.engine().scan(Family::Main, &space.bytes, &space.end(), |_, value| {
            found.extend(FORM.decode::<FaxRecord>(value));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// The newest `limit` of an office that the filter takes, newest first. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn list(&self, office: &OfficeId, filter: &FaxFilter, limit: usize) -> Result<Vec<FaxRecord>, StoreError> {
        let space = Key::space(Scope::Office(office), Space::Faxes);
        let mut found = VecDeque::new();
        self.store.engine().scan(Family::Main, &space.bytes, &space.end(), |_, value| {
            if let Ok(fax) = FORM.decode::<FaxRecord>(value)
                && filter.takes(&fax)
            {
                if found.len() >= limit {
                    found.pop_front();
                }
                found.push_back(fax);
            }
            ControlFlow::Continue(())
        })?;
        Ok(found.into_iter().rev().collect())
    }
}

/// Shows all of an office, oldest first. Waits for the disk.
pub(crate) fn each(engine: &Engine, office: &OfficeId, each: &mut dyn FnMut(FaxRecord)) -> Result<(), StoreError> {
    let space = Key::space(Scope::Office(office), Space::Faxes);
    engine.scan(Family::Main, &space.bytes, &space.end(), |_, value| {
        if let Ok(one) = FORM.decode(value) {
            each(one);
        }
        ControlFlow::Continue(())
    })
}

fn key(call: &CallId, n: u32) -> Key {
    Key::space(Scope::Office(&call.office), Space::Faxes).with(&call.ulid.to_be_bytes()).with(&n.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;
    use plugboard_model::FaxOutcome;

    fn fax(at: i64, n: u32, caller: &str) -> FaxRecord {
        FaxRecord {
            call: CallId::new(OfficeId::new("main").unwrap(), WallTime(at), 5),
            n,
            began: WallTime(at),
            ended: WallTime(at + 60_000),
            caller: caller.into(),
            caller_name: String::new(),
            called: "300".into(),
            end: FaxOutcome::Done,
            pages: 2,
            cut: false,
            bad_rows: 0,
            sender: "+49 30 1".into(),
            bit_rate: 14_400,
            corrected: true,
            t38: false,
            files: Vec::new(),
        }
    }

    #[test]
    fn faxes_are_found_by_call_number_and_age_newest_first() {
        let store = Store::start(Place::Memory, None).unwrap();
        let (faxes, office) = (store.faxes(), OfficeId::new("main").unwrap());
        for one in [fax(1_000, 1, "101"), fax(2_000, 1, "103"), fax(2_000, 2, "103"), fax(3_000, 1, "101")] {
            faxes.put(&one).unwrap();
        }
        store.sync().unwrap();
        let found = |filter: FaxFilter, limit: usize| {
            let found = faxes.list(&office, &filter, limit).unwrap();
            found.into_iter().map(|fax| (fax.began.0, fax.n)).collect::<Vec<_>>()
        };
        assert_eq!(found(FaxFilter::default(), 2), [(3_000, 1), (2_000, 2)]);
        assert_eq!(
            found(FaxFilter { number: Some("101".into()), ..FaxFilter::default() }, 9),
            [(3_000, 1), (1_000, 1)]
        );
        assert_eq!(found(FaxFilter { before: Some(WallTime(2_000)), ..FaxFilter::default() }, 9), [(1_000, 1)]);
        let call = fax(2_000, 1, "").call;
        assert_eq!(faxes.of_call(&call).unwrap().len(), 2);
        faxes.remove(&call, 1);
        store.sync().unwrap();
        assert_eq!(faxes.of_call(&call).unwrap(), [fax(2_000, 2, "103")]);
        assert_eq!(faxes.get(&call, 1).unwrap(), None);
    }
}
