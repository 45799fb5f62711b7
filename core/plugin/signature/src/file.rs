//! The signature in a file.

use crate::key::{PUBLIC_BYTES, PublicKey, SIGNATURE_BYTES, SigningKey};
use sha2::{Digest, Sha256};

/// The name of the custom section.
pub const SECTION: &str = "plugboard-signature";
/// What the key signs begins with this, so that a signature made for something else is none of a plugin.
const CONTEXT: &[u8] = b"plugboard plugin 1\n";
/// The only layout of the section that there is.
const VERSION: u8 = 1;
/// Magic, version and layer (WebAssembly core specification section 5.5.16; component model, binary format).
const HEADER_BYTES: usize = 8;
const MAGIC: &[u8] = b"\0asm";
/// A custom section.
const CUSTOM: u8 = 0;

/// A file whose signature is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed<'f> {
    /// By whom.
    pub key: PublicKey,
    /// The file without its signature.
    pub content: &'f [u8],
}

/// Why a file cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// Not WebAssembly.
    #[error("this is no WebAssembly file: it does not begin with the bytes \\0asm")]
    NotWasm,
    /// Sections that do not fit into the file.
    #[error("the file is cut off or damaged at byte {at}: build the plugin again")]
    Damaged {
        /// Where the section begins.
        at: usize,
    },
}

/// What is wrong with a file's signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// It is no file that can be signed.
    #[error(transparent)]
    File(#[from] SignError),
    /// Something came behind it, or another signature: only what stands before a signature is signed.
    #[error("something was added behind the signature (byte {at}): whoever changed the file has to sign it again")]
    NotLast {
        /// Where the signature begins.
        at: usize,
    },
    /// A layout of another version.
    #[error("the signature is of a kind that this version of Plugboard does not know: it may be newer, or damaged")]
    Layout,
    /// The file is not what was signed.
    #[error("the signature is not that of this file: the file was changed after {key} had signed it")]
    Wrong {
        /// Who is said to have signed.
        key: PublicKey,
    },
}

/// Signs a file; a signature that it has is replaced.
///
/// # Errors
/// [`SignError`].
pub fn sign(file: &[u8], key: &SigningKey) -> Result<Vec<u8>, SignError> {
    let mut signed = Vec::with_capacity(file.len().saturating_add(256));
    signed.extend_from_slice(file.get(..HEADER_BYTES).ok_or(SignError::NotWasm)?);
    for section in Sections::of(file)? {
        let section = section?;
        if !section.is_signature() {
            signed.extend_from_slice(section.whole);
        }
    }
    let mut payload = vec![VERSION];
    payload.extend_from_slice(key.public().bytes());
    payload.extend_from_slice(&key.sign(&message(&signed)));
    let name_len = u8::try_from(SECTION.len()).unwrap_or(u8::MAX);
    let mut body = vec![name_len];
    body.extend_from_slice(SECTION.as_bytes());
    body.extend_from_slice(&payload);
    signed.push(CUSTOM);
    signed.extend_from_slice(&leb128(body.len()));
    signed.extend_from_slice(&body);
    Ok(signed)
}

/// Who signed a file; `None` when nobody did.
///
/// # Errors
/// [`SignatureError`] when there is a signature that is not right, or no such file.
pub fn verify(file: &[u8]) -> Result<Option<Signed<'_>>, SignatureError> {
    let mut found: Option<Section<'_>> = None;
    for section in Sections::of(file)? {
        let section = section?;
        if let Some(signature) = found {
            return Err(SignatureError::NotLast { at: signature.at });
        }
        found = section.is_signature().then_some(section);
    }
    let Some(section) = found else { return Ok(None) };
    let payload = section.custom().map(|(_, payload)| payload).ok_or(SignatureError::Layout)?;
    let (version, rest) = payload.split_first().ok_or(SignatureError::Layout)?;
    let (key, signature) = rest.split_first_chunk::<PUBLIC_BYTES>().ok_or(SignatureError::Layout)?;
    if *version != VERSION || signature.len() != SIGNATURE_BYTES {
        return Err(SignatureError::Layout);
    }
    let (key, content) = (PublicKey::of(*key), file.get(..section.at).unwrap_or_default());
    if !key.has_signed(&message(content), signature) {
        return Err(SignatureError::Wrong { key });
    }
    Ok(Some(Signed { key, content }))
}

fn message(content: &[u8]) -> Vec<u8> {
    [CONTEXT, &Sha256::digest(content)[..]].concat()
}

/// A section of the file itself; those of modules and components inside are part of theirs.
#[derive(Debug, Clone, Copy)]
struct Section<'f> {
    at: usize,
    id: u8,
    body: &'f [u8],
    whole: &'f [u8],
}

impl<'f> Section<'f> {
    /// Name and content of a custom section.
    fn custom(&self) -> Option<(&'f [u8], &'f [u8])> {
        let (len, rest) = (self.id == CUSTOM).then(|| read_leb128(self.body))??;
        rest.split_at_checked(len)
    }

    fn is_signature(&self) -> bool {
        self.custom().is_some_and(|(name, _)| name == SECTION.as_bytes())
    }
}

struct Sections<'f> {
    file: &'f [u8],
    at: usize,
}

impl<'f> Sections<'f> {
    fn of(file: &'f [u8]) -> Result<Self, SignError> {
        if !file.starts_with(MAGIC) || file.len() < HEADER_BYTES {
            return Err(SignError::NotWasm);
        }
        Ok(Self { file, at: HEADER_BYTES })
    }

    fn read(&self) -> Option<Section<'f>> {
        let rest = self.file.get(self.at..)?;
        let (id, after) = rest.split_first()?;
        let (len, after) = read_leb128(after)?;
        let body = after.get(..len)?;
        let whole = rest.get(..rest.len().checked_sub(after.len())?.checked_add(len)?)?;
        Some(Section { at: self.at, id: *id, body, whole })
    }
}

impl<'f> Iterator for Sections<'f> {
    type Item = Result<Section<'f>, SignError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.file.len() {
            return None;
        }
        let at = self.at;
        let section = self.read();
        // After a damage nothing can be found any more.
        self.at = section.map_or(self.file.len(), |section| at.saturating_add(section.whole.len()));
        Some(section.ok_or(SignError::Damaged { at }))
    }
}

/// An unsigned number of at most 32 bits (WebAssembly core specification section 5.2.2), and what stands behind it.
fn read_leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (place, byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * u32::try_from(place).ok()?);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, bytes.get(place.checked_add(1)?..)?));
        }
    }
    None
}

fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(low & 0x7f);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component with two custom sections: one of one byte, one of 300, whose length takes two bytes.
    fn component() -> Vec<u8> {
        let long = [&[0, 0xac, 0x02, 1, b'y'][..], &[7; 298]].concat();
        [&b"\0asm\x0d\0\x01\0"[..], &[0, 3, 1, b'x', 9], &long].concat()
    }

    fn key() -> SigningKey {
        SigningKey::generate().unwrap()
    }

    #[test]
    fn what_is_signed_is_the_file_and_who_signed_is_told() {
        let (file, key) = (component(), key());
        assert_eq!(verify(&file), Ok(None));
        let signed = sign(&file, &key).unwrap();
        assert_eq!(verify(&signed), Ok(Some(Signed { key: key.public(), content: &file })));
    }

    #[test]
    fn signing_again_replaces_the_signature() {
        let (file, first, second) = (component(), key(), key());
        let signed = sign(&sign(&file, &first).unwrap(), &second).unwrap();
        assert_eq!(verify(&signed), Ok(Some(Signed { key: second.public(), content: &file })));
        assert_eq!(signed, sign(&file, &second).unwrap(), "the same key signs the same bytes in the same way");
    }

    #[test]
    fn no_byte_can_be_changed_and_none_left_out() {
        let signed = sign(&component(), &key()).unwrap();
        for at in 0..signed.len() {
            for bit in [1, 0x80] {
                let mut changed = signed.clone();
                changed[at] ^= bit;
                assert!(!matches!(verify(&changed), Ok(Some(_))), "byte {at}");
            }
            assert!(!matches!(verify(&signed[..at]), Ok(Some(_))), "cut at {at}");
        }
    }

    #[test]
    fn what_comes_behind_a_signature_is_told() {
        let (file, key) = (component(), key());
        let signed = sign(&file, &key).unwrap();
        let more = [&signed[..], &[0, 2, 1, b'z']].concat();
        assert_eq!(verify(&more), Err(SignatureError::NotLast { at: file.len() }));
        let twice = [&signed[..], &signed[file.len()..]].concat();
        assert_eq!(verify(&twice), Err(SignatureError::NotLast { at: file.len() }));
        assert!(matches!(verify(&sign(&more, &key).unwrap()), Ok(Some(_))), "until it is signed again");
    }

    #[test]
    fn a_signature_of_another_file_or_layout_is_none() {
        let (file, key) = (component(), key());
        let signature = sign(&file, &key).unwrap().split_off(file.len());
        let other = [&file[..], &[0, 2, 1, b'z'], &signature].concat();
        assert_eq!(verify(&other), Err(SignatureError::Wrong { key: key.public() }));
        let mut newer = [&file[..], &signature].concat();
        let version = file.len() + 3 + SECTION.len();
        assert_eq!(newer[version], VERSION);
        newer[version] = 2;
        assert_eq!(verify(&newer), Err(SignatureError::Layout));
    }

    #[test]
    fn files_that_are_none_are_told() {
        assert_eq!(verify(b"#!/bin/sh"), Err(SignError::NotWasm.into()));
        assert_eq!(sign(b"", &key()).unwrap_err(), SignError::NotWasm);
        let file = component();
        let cut = &file[..file.len() - 1];
        assert_eq!(sign(cut, &key()).unwrap_err(), SignError::Damaged { at: 13 });
        // A length that never ends, and one beyond 32 bits.
        for tail in [&[0xff; 9][..], &[0xff, 0xff, 0xff, 0xff, 0x7f]] {
            let bad = [&b"\0asm\x0d\0\x01\0\0"[..], tail].concat();
            assert_eq!(verify(&bad), Err(SignError::Damaged { at: 8 }.into()));
        }
    }
}
