//! What the far end has described.

use plugboard_media::{Offer, SdpError, Terms};

/// A description of the far end.
pub(crate) struct Theirs {
    pub(crate) offer: Offer,
    /// Its `o=` line: the same line says that nothing changed (RFC 3264 section 8).
    origin: Box<[u8]>,
}

impl Theirs {
    /// Reads the body of a message.
    pub(crate) fn read(body: &[u8], terms: Terms) -> Result<Self, SdpError> {
        Ok(Self { offer: Offer::parse(body, terms)?, origin: origin(body).into() })
    }

    /// Whether an offer only says again what is agreed. Flow and addresses are looked at whatever `o=` says, since there
    /// are phones that hold or move without counting their version up.
    pub(super) fn repeats(&self, offer: &Self) -> bool {
        let same_version = !offer.origin.is_empty() && self.origin == offer.origin;
        let (ours, theirs) = (&self.offer, &offer.offer);
        let what = |offer: &Offer| (offer.flow(), offer.hears_at(), offer.ice_name().map(str::to_owned));
        ours == theirs || (same_version && what(ours) == what(theirs))
    }
}

/// The `o=` line of a description; empty when there is none.
fn origin(body: &[u8]) -> &[u8] {
    let mut lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    lines.find(|line| line.starts_with(b"o=")).unwrap_or_default()
}
