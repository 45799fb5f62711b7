//! What packs, unpacks and listens to audio, behind the seam of `plugboard-media` ([`plugboard_media::Codecs`]): Opus by
//! libopus, G.722 and fax by spandsp, which are C and are named and linked here alone, G.711, concealment, keys heard as tones.
//!
//! What is lost of Opus libopus conceals, from the packet after it where the sender put a copy there (in-band FEC); what is
//! lost of G.711 and G.722 is concealed as G.711's Appendix I has it.
//!
//! ```
//! use plugboard_codec::Library;
//! use plugboard_media::{Codec, Codecs, FaxMachine, FaxOrder, Rate};
//!
//! let mut encoder = Library.encoder(Codec::Pcma, Rate::Narrow).unwrap();
//! let mut payload = Vec::new();
//! assert!(encoder.encode(&[0; 160], &mut payload));
//! assert_eq!(payload.len(), 160);
//! ```

mod concealer;
pub mod document;
mod fax;
mod halfband;
mod headroom;
mod keys;
mod laws;
mod memory;
mod opus;
pub mod page;
mod wide;

use plugboard_media::coding::{Decode, Encode, HearKeys};
use plugboard_media::{Codec, Codecs, FaxMachine, FaxOrder, Rate};

/// All that this crate can.
#[derive(Debug, Clone, Copy, Default)]
pub struct Library;

impl Codecs for Library {
    fn encoder(&self, codec: Codec, rate: Rate) -> Option<Box<dyn Encode>> {
        match codec {
            Codec::Pcmu | Codec::Pcma => Some(Box::new(laws::Packer::new(codec.law()?, rate))),
            Codec::G722 => Some(Box::new(wide::Packer::new(rate)?)),
            Codec::Opus => Some(Box::new(opus::Packer::new(rate)?)),
        }
    }

    fn decoder(&self, codec: Codec, rate: Rate) -> Option<Box<dyn Decode>> {
        match codec {
            Codec::Pcmu | Codec::Pcma => Some(Box::new(laws::Unpacker::new(codec.law()?, rate))),
            Codec::G722 => Some(Box::new(wide::Unpacker::new(rate)?)),
            Codec::Opus => Some(Box::new(opus::Unpacker::new(rate)?)),
        }
    }

    fn key_receiver(&self) -> Option<Box<dyn HearKeys>> {
        Some(Box::new(keys::Receiver::default()))
    }

    fn fax(&self, order: &FaxOrder) -> Option<Box<dyn FaxMachine>> {
        Some(Box::new(fax::Machine::new(order)?))
    }
}
