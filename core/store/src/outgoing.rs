//! What is kept of faxes that are to be sent, and their documents until they are.
//!
//! ```text
//! <office> 00 F <order 16>            an order, also when it is over
//! <office> 00 e <order 16> <n 4>      a piece of its document
//! ```

use crate::calls::offices;
use crate::codec::Form;
use crate::decoded::decoded;
use crate::engine::{Change, Engine, Family};
use crate::error::{CommitError, StoreError};
use crate::key::{Key, Scope, Space};
use crate::queue::Class;
use crate::store::Store;
use plugboard_model::{FaxTry, FaxTryEnd, OfficeId, OrderId, OrderState, OutgoingFax};
use std::ops::ControlFlow;

const FORM: Form = Form::new("an outgoing fax", 1);

/// Bytes of one piece, as of blobs.
const PIECE_LEN: usize = 1 << 20;
/// Bytes of a document.
const DOCUMENT_LEN_MAX: usize = 64 << 20;

/// Outgoing faxes of all offices.
#[derive(Clone)]
pub struct OutgoingFaxes {
    store: Store,
}

impl OutgoingFaxes {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps an order in place of what was kept of it. Never waits.
    ///
    /// # Errors
    /// [`StoreError`]: a fault of the caller.
    pub fn put(&self, fax: &OutgoingFax) -> Result<(), StoreError> {
        self.store.submit(Class::Record, vec![Change::put(key(&fax.id), FORM.encode(fax)?)], None);
        Ok(())
    }

    /// Keeps a new order and its document, both or neither. Waits for the disk; one that fails keeps nothing of them in memory either.
    ///
    /// # Errors
    /// [`CommitError`]: also where the document has more than 64 MiB.
    pub fn take(&self, fax: &OutgoingFax, document: &[u8]) -> Result<(), CommitError> {
        if document.len() > DOCUMENT_LEN_MAX {
            let too_large = StoreError::TooLarge { what: "a document", len: document.len(), max: DOCUMENT_LEN_MAX };
            return Err(too_large.into());
        }
        let pieces = (0_u32..).zip(document.chunks(PIECE_LEN));
        let pieces = pieces.map(|(n, piece)| Change::put(pieces_key(&fax.id).with(&n.to_be_bytes()), piece.to_vec()));
        let order = Change::put(key(&fax.id), FORM.encode(fax)?);
        self.store.write(pieces.chain([order]).collect()).map(|_| ())
    }

    /// The document of an order; `None`: there is none any more. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn document(&self, id: &OrderId) -> Result<Option<Vec<u8>>, StoreError> {
        let pieces = pieces_key(id);
        let mut bytes = Vec::new();
        self.store.engine().scan(Family::Blobs, &pieces.bytes, &pieces.end(), |_, piece| {
            bytes.extend_from_slice(piece);
            if bytes.len() > DOCUMENT_LEN_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok((!bytes.is_empty()).then_some(bytes))
    }

    /// Forgets the document of an order. Never waits.
    pub fn remove_document(&self, id: &OrderId) {
        self.store.submit(Class::Record, vec![no_document(id)], None);
    }

    /// Forgets an order. Never waits.
    pub fn remove(&self, id: &OrderId) {
        self.store.submit(Class::Record, vec![Change::delete(key(id))], None);
    }

    /// Every order of an office, the oldest first. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn all(&self, office: &OfficeId) -> Result<Vec<OutgoingFax>, StoreError> {
        decoded(self.store.engine(), office, Space::OutgoingFaxes, FORM)
    }
}

/// Gives up what waits in a database that came out of a backup: it may have been sent since that was made, and who ordered it may have
/// ordered it again. How many there were.
pub(crate) fn give_up_restored(engine: &Engine) -> Result<usize, StoreError> {
    let mut given_up = 0;
    for office in offices(engine)? {
        let mut waiting: Vec<OutgoingFax> = decoded(engine, &office, Space::OutgoingFaxes, FORM)?;
        waiting.retain(|fax| fax.state.over().is_none());
        let mut changes = Vec::new();
        for mut fax in waiting {
            let now = fax.tries.last().map_or(fax.ordered, |tried| tried.ended);
            fax.tries.push(FaxTry::without_call(now, now, FaxTryEnd::Restored));
            fax.state = OrderState::Failed { at: now };
            changes.push(Change::put(key(&fax.id), FORM.encode(&fax)?));
            changes.push(no_document(&fax.id));
            given_up += 1;
        }
        engine.write(&changes)?;
    }
    engine.sync()?;
    Ok(given_up)
}

fn no_document(id: &OrderId) -> Change {
    let pieces = pieces_key(id);
    let to = pieces.end();
    Change::DeleteRange { family: Family::Blobs, from: pieces.bytes, to }
}

fn key(id: &OrderId) -> Key {
    Key::space(Scope::Office(id.office()), Space::OutgoingFaxes).with(&id.0.ulid.to_be_bytes())
}

fn pieces_key(id: &OrderId) -> Key {
    Key::space(Scope::Office(id.office()), Space::FaxDocuments).with(&id.0.ulid.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;
    use plugboard_model::{CallId, Dialled, UserId, WallTime};

    #[test]
    fn an_order_and_its_document_are_found_again_until_they_are_removed() {
        let store = Store::start(Place::Memory, None).unwrap();
        let (faxes, office) = (store.outgoing_faxes(), OfficeId::new("main").unwrap());
        let order = |n: u128| OutgoingFax {
            id: OrderId(CallId::new(office.clone(), WallTime(1_000), n)),
            key: Some("letter-7".into()),
            digest: [7; 32],
            ordered: WallTime(1_000),
            from: UserId::new(&office, "ann").unwrap(),
            to: Dialled::new("0301234").unwrap(),
            ident: String::new(),
            header: String::new(),
            pages: 1,
            bytes: 9,
            pages_sent: 0,
            tries: Vec::new(),
            state: OrderState::Waiting { until: WallTime(1_000) },
        };
        let document = vec![7; PIECE_LEN * 2 + 5];
        for n in 1..=2 {
            faxes.take(&order(n), &document).unwrap();
        }
        assert_eq!(faxes.all(&office).unwrap(), [order(1), order(2)]);
        faxes.remove_document(&order(1).id);
        faxes.remove(&order(1).id);
        store.sync().unwrap();
        assert_eq!(faxes.all(&office).unwrap(), [order(2)]);
        assert_eq!(faxes.document(&order(1).id).unwrap(), None);
        assert_eq!(faxes.document(&order(2).id).unwrap(), Some(document));
        let too_long = vec![0; DOCUMENT_LEN_MAX + 1];
        assert!(faxes.take(&order(3), &too_long).is_err());
        assert_eq!(faxes.all(&office).unwrap(), [order(2)]);
    }
}
