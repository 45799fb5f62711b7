//! How a message finds its transaction.

use super::ClientTx;
use crate::message::Request;
use crate::method::Method;
use crate::via::BRANCH_COOKIE;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// Makes and reads the branches of one layer: prefix, owner, count, and a MAC over both, so that nobody who saw
/// one branch can forge the response to another.
pub(super) struct Branches {
    prefix: Box<str>,
    key: [u8; 32],
}

/// The text by which a request finds its server transaction (RFC 3261 section 17.2.3).
///
/// `method` is that of the transaction sought: INVITE for an ACK, and for the INVITE that a CANCEL is for.
pub(super) fn server_key(request: &Request, method: &Method) -> Option<Box<str>> {
    let via = request.headers.top_via().ok()?;
    match via.branch() {
        Some(branch) if branch.get(..BRANCH_COOKIE.len()).is_some_and(|cookie| cookie == BRANCH_COOKIE) => {
            // A host has no case, a branch has.
            let host = via.host.to_ascii_lowercase();
            Some(match via.port {
                Some(port) => format!("{method} {branch} {host}:{port}").into(),
                None => format!("{method} {branch} {host}").into(),
            })
        }
        Some(_) | None => {
            let headers = &request.headers;
            let from = headers.from().ok()?;
            // An ACK's To tag is that of the response, an INVITE's is not: it is compared when the ACK has come.
            let to = headers.to().ok()?;
            let to_tag = if *method == Method::Invite { None } else { to.tag() };
            Some(
                format!(
                    "2543 {method} {} {} {} {} {} {} {} {}",
                    request.uri,
                    from.tag().unwrap_or_default(),
                    to_tag.unwrap_or_default(),
                    headers.call_id().ok()?,
                    headers.cseq().ok()?.number,
                    via.transport,
                    via.sent_by(),
                    via.params.as_str(),
                )
                .into(),
            )
        }
    }
}

impl Branches {
    pub(super) fn new(prefix: String, key: [u8; 32]) -> Self {
        let whole = if prefix.starts_with(BRANCH_COOKIE) { prefix } else { format!("{BRANCH_COOKIE}{prefix}") };
        Self { prefix: whole.into(), key }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The branch of a transaction, by which [`Self::read`] finds its name.
    pub(super) fn make(&self, tx: ClientTx) -> String {
        format!("{}{:x}.{:x}.{:016x}", self.prefix, tx.owner, tx.seq, self.mac(tx))
    }

    /// The transaction that a branch names, if this layer made it.
    pub(super) fn read(&self, branch: &str) -> Option<ClientTx> {
        let mut parts = branch.strip_prefix(&*self.prefix)?.split('.');
        let owner = u64::from_str_radix(parts.next()?, 16).ok()?;
        let seq = u32::from_str_radix(parts.next()?, 16).ok()?;
        let mac = u64::from_str_radix(parts.next()?, 16).ok()?;
        let tx = ClientTx { owner, seq };
        (parts.next().is_none() && mac == self.mac(tx)).then_some(tx)
    }

    /// A tag for responses that no session made, the same each time for the same request.
    pub(super) fn tag(&self, key: &str) -> String {
        format!("{:016x}", self.hash(&[b"tag", key.as_bytes()]))
    }

    fn mac(&self, tx: ClientTx) -> u64 {
        self.hash(&[b"tx", &tx.owner.to_be_bytes(), &tx.seq.to_be_bytes()])
    }

    fn hash(&self, parts: &[&[u8]]) -> u64 {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            unreachable!("HMAC takes a key of any length (RFC 2104 section 2)")
        };
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

/// Without the key.
impl fmt::Debug for Branches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Branches").field(&self.prefix).finish()
    }
}
