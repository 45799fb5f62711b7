//! What is kept of faxes that are to be sent, and their documents until they are.
//!
//! ```text
//! <office> 00 F <order 16>            an order, also when it is over
//! <office> 00 e <order 16> <n 4>      a piece of its document
//! ```

use crate::codec::Form;
use crate::engine::{Change, Family};
use crate::error::StoreError;
use crate::key::{Key, Scope, Space};
use crate::queue::Class;
use crate::store::Store;
use plugboard_model::{OfficeId, OrderId, OutgoingFax};
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

    /// Keeps the document of an order. Never waits.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] past 64 MiB.
    pub fn put_document(&self, id: &OrderId, document: &[u8]) -> Result<(), StoreError> {
        if document.len() > DOCUMENT_LEN_MAX {
            return Err(StoreError::TooLarge { what: "a document", len: document.len(), max: DOCUMENT_LEN_MAX });
        }
        let pieces = (0_u32..).zip(document.chunks(PIECE_LEN));
        let changes =
            pieces.map(|(n, piece)| Change::put(pieces_key(id).with(&n.to_be_bytes()), piece.to_vec())).collect();
        self.store.submit(Class::Record, changes, None);
        Ok(())
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
        let pieces = pieces_key(id);
        let to = pieces.end();
        let change = Change::DeleteRange { family: Family::Blobs, from: pieces.bytes, to };
        self.store.submit(Class::Record, vec![change], None);
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
        let space = Key::space(Scope::Office(office), Space::OutgoingFaxes);
        let mut found = Vec::new();
        self.store.engine().scan(Family::Main, &space.bytes, &space.end(), |_, value| {
            found.extend(FORM.decode::<OutgoingFax>(value));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
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
    use plugboard_model::{CallId, Dialled, OrderState, UserId, WallTime};

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
            faxes.put_document(&order(n).id, &document).unwrap();
            faxes.put(&order(n)).unwrap();
        }
        store.sync().unwrap();
        assert_eq!(faxes.all(&office).unwrap(), [order(1), order(2)]);
        faxes.remove_document(&order(1).id);
        faxes.remove(&order(1).id);
        store.sync().unwrap();
        assert_eq!(faxes.all(&office).unwrap(), [order(2)]);
        assert_eq!(faxes.document(&order(1).id).unwrap(), None);
        assert_eq!(faxes.document(&order(2).id).unwrap(), Some(document));
        let too_long = vec![0; DOCUMENT_LEN_MAX + 1];
        assert!(faxes.put_document(&order(3).id, &too_long).is_err());
    }
}
