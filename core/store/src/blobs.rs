//! [`Blobs`]: plugin components and other large things, in pieces, under the SHA-256 of the whole.

use crate::engine::{Change, Family};
use crate::error::{CommitError, StoreError};
use crate::key::{Key, Scope, Space};
use crate::kv::PAGE_MAX;
use crate::store::Store;
use crate::traits::{BlobId, Blobs};
use sha2::{Digest as _, Sha256};
use std::ops::ControlFlow;

/// Bytes of one blob: an 18 MB Python component and room for larger ones.
const BLOB_LEN_MAX: usize = 64 << 20;
/// Bytes of one piece: a reader and a compaction hold a few at a time.
const PIECE_LEN: usize = 1 << 20;

impl Blobs for Store {
    fn put_blob(&self, scope: Scope<'_>, bytes: &[u8]) -> Result<BlobId, CommitError> {
        if bytes.len() > BLOB_LEN_MAX {
            return Err(StoreError::TooLarge { what: "a blob", len: bytes.len(), max: BLOB_LEN_MAX }.into());
        }
        let id = BlobId(Sha256::digest(bytes).into());
        if self.engine().get(Family::Main, &head_key(scope, id).bytes)?.is_some() {
            return Ok(id);
        }
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes().to_vec();
        let pieces = (0_u32..).zip(bytes.chunks(PIECE_LEN));
        let mut changes: Vec<_> =
            pieces.map(|(n, piece)| Change::put(piece_key(scope, id, n), piece.to_vec())).collect();
        changes.push(Change::put(head_key(scope, id), len));
        self.write(changes)?;
        Ok(id)
    }

    fn blob(&self, scope: Scope<'_>, id: BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(head) = self.engine().get(Family::Main, &head_key(scope, id).bytes)? else { return Ok(None) };
        let mut bytes = Vec::with_capacity(usize::try_from(len(&head)).unwrap_or(0).min(BLOB_LEN_MAX));
        let pieces = Key::space(scope, Space::BlobPieces).with(&id.0);
        self.engine().scan(Family::Blobs, &pieces.bytes, &pieces.end(), |_, piece| {
            bytes.extend_from_slice(piece);
            if bytes.len() > BLOB_LEN_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if Sha256::digest(&bytes).as_slice() != id.0 {
            return Err(StoreError::Corrupt { what: "a blob", reason: format!("its bytes are not those of {id}") });
        }
        Ok(Some(bytes))
    }

    fn blobs(&self, scope: Scope<'_>, after: Option<BlobId>) -> Result<Vec<(BlobId, u64)>, StoreError> {
        let space = Key::space(scope, Space::Blobs);
        let from = after.map_or(space.clone(), |after| head_key(scope, after).with(&[0]));
        let mut found = Vec::new();
        self.engine().scan(Family::Main, &from.bytes, &space.end(), |key, head| {
            found.extend(key.last_chunk().map(|id| (BlobId(*id), len(head))));
            if found.len() >= PAGE_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(found)
    }

    fn remove_blob(&self, scope: Scope<'_>, id: BlobId) -> Result<(), CommitError> {
        let pieces = Key::space(scope, Space::BlobPieces).with(&id.0);
        let to = pieces.end();
        let pieces = Change::DeleteRange { family: Family::Blobs, from: pieces.bytes, to };
        self.write(vec![Change::delete(head_key(scope, id)), pieces]).map(|_| ())
    }
}

fn head_key(scope: Scope<'_>, id: BlobId) -> Key {
    Key::space(scope, Space::Blobs).with(&id.0)
}

fn piece_key(scope: Scope<'_>, id: BlobId, n: u32) -> Key {
    Key::space(scope, Space::BlobPieces).with(&id.0).with(&n.to_be_bytes())
}

fn len(head: &[u8]) -> u64 {
    head.first_chunk().map_or(0, |len| u64::from_be_bytes(*len))
}
