//! Far ends whose certificate is RSA. The handshakes' library asks for ECDSA alone and knows nothing else, so that many a phone
//! would show nothing; where we answer a handshake, RSA is all that is missing: the keys are agreed on by our own certificate.
//!
//! So the request for a certificate (RFC 5246 section 7.4.4) names RSA as well, as it leaves ([`ask`]), and whatever is counted
//! over the handshake's messages is counted over what was sent: by the library's seam for hashes, and where a signature is
//! checked. An RSA signature is checked here (RFC 8017 section 8.2, with SHA-256, SHA-384 or SHA-512), all others by the library.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
};
use dimpl::crypto::aws_lc_rs::default_provider;
use dimpl::crypto::{
    Buf, CryptoProvider, HashAlgorithm, HashContext, HashProvider, SignatureAlgorithm, SignatureVerifier,
};
use dimpl::{CryptoError, CryptoOperation};
use plugboard_media::Fingerprint;
use std::borrow::Cow;
use std::cell::Cell;
use x509_cert::Certificate;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Reader, SliceReader};

use crate::fingerprint;

/// A record in clear: what it is of, its version, epoch and number, its length (RFC 6347 section 4.1).
const RECORD_BYTES: usize = 13;
/// A message's head: what it is, its length, its number, where this piece of it begins and how long that is (section 4.2.2).
const MESSAGE_BYTES: usize = 12;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const CERTIFICATE_REQUEST: u8 = 13;
/// `rsa_sign` (RFC 5246 section 7.4.4).
const RSA_SIGN: u8 = 1;
/// RSA with SHA-256, SHA-384 and SHA-512 (RFC 5246 section 7.4.1.4.1).
const ALGORITHMS: [u8; 6] = [4, 1, 5, 1, 6, 1];

/// Bits of an RSA key. Shorter ones prove nothing any more, longer ones cost a thread time that calls wait for.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;

thread_local! {
    /// Whose signatures alone are worth being looked at on this thread now; none: everybody's.
    static ONLY_OF: Cell<Option<Fingerprint>> = const { Cell::new(None) };
}

/// Does what may check signatures, of which those of other certificates are refused unseen.
pub(crate) fn only_of<T>(theirs: Fingerprint, work: impl FnOnce() -> T) -> T {
    ONLY_OF.set(Some(theirs));
    let done = work();
    ONLY_OF.set(None);
    done
}

/// What handshakes that we answer are done by.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider { signature_verification: &Signatures, hash_provider: &Hashes, ..default_provider() }
}

/// A datagram of ours as it is to be sent: a request for a certificate in it, in one piece and in clear, asks for RSA, too.
pub(crate) fn ask(datagram: &[u8]) -> Cow<'_, [u8]> {
    records(datagram).map_or(Cow::Borrowed(datagram), Cow::Owned)
}

/// The messages of a handshake as the far end has seen them.
fn seen(transcript: &[u8]) -> Cow<'_, [u8]> {
    if transcript.first() != Some(&CLIENT_HELLO) {
        return Cow::Borrowed(transcript);
    }
    messages(transcript).map_or(Cow::Borrowed(transcript), Cow::Owned)
}

/// None: nothing in it asks for a certificate.
fn records(datagram: &[u8]) -> Option<Vec<u8>> {
    let (mut rest, mut said, mut asks) = (datagram, Vec::with_capacity(datagram.len() + 16), false);
    while !rest.is_empty() {
        let (head, after) = rest.split_first_chunk::<RECORD_BYTES>()?;
        let &[kind, .., e0, e1, _, _, _, _, _, _, l0, l1] = head;
        let (body, after) = after.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
        let asking = if kind == HANDSHAKE && (e0, e1) == (0, 0) { messages(body) } else { None };
        asks |= asking.is_some();
        let body = asking.map_or(Cow::Borrowed(body), Cow::Owned);
        said.extend_from_slice(head.get(..RECORD_BYTES - 2)?);
        said.extend_from_slice(&u16::try_from(body.len()).ok()?.to_be_bytes());
        said.extend_from_slice(&body);
        rest = after;
    }
    asks.then_some(said)
}

/// The same of messages, one after the other.
fn messages(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut rest, mut said, mut asks) = (bytes, Vec::with_capacity(bytes.len() + 16), false);
    while !rest.is_empty() {
        let (head, after) = rest.split_first_chunk::<MESSAGE_BYTES>()?;
        let &[kind, l0, l1, l2, n0, n1, o0, o1, o2, p0, p1, p2] = head;
        let (body, after) = after.split_at_checked(three(p0, p1, p2))?;
        let whole = three(o0, o1, o2) == 0 && (l0, l1, l2) == (p0, p1, p2);
        let wider = if kind == CERTIFICATE_REQUEST && whole { wider(body) } else { None };
        if let Some(wider) = wider {
            let [_, long @ ..] = u32::try_from(wider.len()).ok()?.to_be_bytes();
            said.push(kind);
            said.extend_from_slice(&long);
            said.extend_from_slice(&[n0, n1, 0, 0, 0]);
            said.extend_from_slice(&long);
            said.extend_from_slice(&wider);
            asks = true;
        } else {
            said.extend_from_slice(head);
            said.extend_from_slice(body);
        }
        rest = after;
    }
    asks.then_some(said)
}

fn three(high: u8, middle: u8, low: u8) -> usize {
    usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)
}

/// A request for a certificate that takes RSA after what it takes already.
fn wider(body: &[u8]) -> Option<Vec<u8>> {
    let (&kinds, rest) = body.split_first()?;
    let (kinds, rest) = rest.split_at_checked(kinds.into())?;
    let (&algorithms, rest) = rest.split_first_chunk::<2>()?;
    let (algorithms, authorities) = rest.split_at_checked(u16::from_be_bytes(algorithms).into())?;
    let mut wider = vec![u8::try_from(kinds.len() + 1).ok()?];
    wider.extend_from_slice(kinds);
    wider.push(RSA_SIGN);
    wider.extend_from_slice(&u16::try_from(algorithms.len() + ALGORITHMS.len()).ok()?.to_be_bytes());
    wider.extend_from_slice(algorithms);
    wider.extend_from_slice(&ALGORITHMS);
    wider.extend_from_slice(authorities);
    Some(wider)
}

/// Counts over what the far end has seen.
#[derive(Debug)]
struct Hashes;

impl HashProvider for Hashes {
    fn create_hash(&self, algorithm: HashAlgorithm) -> Box<dyn HashContext> {
        Box::new(Hash(default_provider().hash_provider.create_hash(algorithm)))
    }
}

#[derive(Debug)]
struct Hash(Box<dyn HashContext>);

impl HashContext for Hash {
    // The library hands over all messages at once.
    fn update(&mut self, messages: &[u8]) {
        self.0.update(&seen(messages));
    }

    fn clone_and_finalize(&self, out: &mut Buf) {
        self.0.clone_and_finalize(out);
    }
}

#[derive(Debug)]
struct Signatures;

impl SignatureVerifier for Signatures {
    fn verify_signature(
        &self,
        certificate: &[u8],
        signed: &[u8],
        signature: &[u8],
        hash: HashAlgorithm,
        algorithm: SignatureAlgorithm,
    ) -> Result<(), CryptoError> {
        if ONLY_OF.get().is_some_and(|theirs| fingerprint(certificate) != theirs) {
            return Err(CryptoError::OperationFailed(CryptoOperation::VerifySignature));
        }
        let signed = seen(signed);
        if algorithm != SignatureAlgorithm::RSA {
            let library = default_provider().signature_verification;
            return library.verify_signature(certificate, &signed, signature, hash, algorithm);
        }
        let by = match hash {
            HashAlgorithm::SHA256 => &RSA_PKCS1_2048_8192_SHA256,
            HashAlgorithm::SHA384 => &RSA_PKCS1_2048_8192_SHA384,
            HashAlgorithm::SHA512 => &RSA_PKCS1_2048_8192_SHA512,
            _ => return Err(CryptoError::UnsupportedSignaturePair { signature: algorithm, hash }),
        };
        let certificate = Certificate::from_der(certificate).map_err(|_| CryptoError::CertificateParseFailed)?;
        let key = &certificate.tbs_certificate().subject_public_key_info().subject_public_key;
        let key = key.as_bytes().ok_or(CryptoError::InvalidSubjectPublicKey)?;
        if !rsa_bits(key).is_some_and(|bits| RSA_BITS.contains(&bits)) {
            return Err(CryptoError::InvalidSubjectPublicKey);
        }
        let verdict = UnparsedPublicKey::new(by, key).verify(&signed, signature);
        verdict.map_err(|_| CryptoError::OperationFailed(CryptoOperation::VerifySignature))
    }
}

/// Of an RSA key's modulus (RFC 8017 appendix A.1.1).
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(key).ok()?;
    let modulus: Option<UintRef<'_>> = reader
        .sequence(|inside| {
            let modulus = UintRef::decode(inside)?;
            UintRef::decode(inside).map(|_exponent| modulus)
        })
        .ok();
    // No zero is before the first byte that counts.
    let bytes = modulus?.as_bytes();
    let unused = bytes.first().map_or(0, |first| first.leading_zeros());
    bytes.len().checked_mul(8)?.checked_sub(usize::try_from(unused).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

    #[test]
    fn only_what_an_rsa_key_has_signed_is_taken_for_it() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::new(["phone".to_owned()]).unwrap().self_signed(&key).unwrap();
        let signer = RsaKeyPair::from_pkcs8(&key.serialize_der()).unwrap();
        let mut signature = vec![0; signer.public_modulus_len()];
        signer.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"all that was said", &mut signature).unwrap();
        let verdict = |said: &[u8], hash| {
            Signatures.verify_signature(certificate.der(), said, &signature, hash, SignatureAlgorithm::RSA)
        };
        assert_eq!(verdict(b"all that was said", HashAlgorithm::SHA256), Ok(()));
        assert!(verdict(b"something else", HashAlgorithm::SHA256).is_err());
        assert!(verdict(b"all that was said", HashAlgorithm::SHA384).is_err());
        assert!(verdict(b"all that was said", HashAlgorithm::SHA1).is_err());
    }

    /// The key of a certificate whose modulus has so many bits, as it lies in DER.
    fn key_of(bits: usize) -> Vec<u8> {
        let modulus = [vec![0], vec![0x80], vec![7; bits / 8 - 1]].concat();
        let long = |length: usize| match u16::try_from(length).unwrap().to_be_bytes() {
            [0, low] => vec![0x81, low],
            [high, low] => vec![0x82, high, low],
        };
        let modulus = [vec![2], long(modulus.len()), modulus].concat();
        let inside = [&modulus[..], &[2, 3, 1, 0, 1]].concat();
        [vec![0x30], long(inside.len()), inside].concat()
    }

    #[test]
    fn keys_that_are_too_short_or_too_long_are_not_computed_with() {
        for (bits, good) in
            [(1_024, false), (2_040, false), (2_048, true), (4_096, true), (4_104, false), (8_192, false)]
        {
            assert_eq!(rsa_bits(&key_of(bits)), Some(bits));
            assert_eq!(RSA_BITS.contains(&bits), good, "{bits}");
        }
        for broken in [&[][..], &[0x30], &[0x30, 0], &key_of(2_048)[..200]] {
            assert_eq!(rsa_bits(broken), None);
        }
    }

    #[test]
    fn where_one_certificate_is_named_the_signatures_of_others_are_not_looked_at() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::new(["phone".to_owned()]).unwrap().self_signed(&key).unwrap();
        let signer = RsaKeyPair::from_pkcs8(&key.serialize_der()).unwrap();
        let mut signature = vec![0; signer.public_modulus_len()];
        signer.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"said", &mut signature).unwrap();
        let (hash, kind) = (HashAlgorithm::SHA256, SignatureAlgorithm::RSA);
        let verdict = || Signatures.verify_signature(certificate.der(), b"said", &signature, hash, kind);
        assert_eq!(only_of(fingerprint(certificate.der()), verdict), Ok(()));
        assert!(only_of(Fingerprint([7; 32]), verdict).is_err());
        assert_eq!(verdict(), Ok(()), "and that is over then");
    }

    /// A request for a certificate: kinds, algorithms, no authority.
    const REQUEST: [u8; 8] = [1, 64, 0, 2, 4, 3, 0, 0];
    const WIDER: [u8; 15] = [2, 64, 1, 0, 8, 4, 3, 4, 1, 5, 1, 6, 1, 0, 0];

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let long = u8::try_from(body.len()).unwrap();
        [&[kind, 0, 0, long, 0, 2, 0, 0, 0, 0, 0, long], body].concat()
    }

    fn record(kind: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
        let long = u8::try_from(body.len()).unwrap();
        [&[kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 9, 0, long], body].concat()
    }

    #[test]
    fn what_leaves_asks_for_rsa_and_what_is_counted_is_the_same() {
        let (before, after) = (message(1, b"hello"), message(14, b""));
        let ours = [before.clone(), message(13, &REQUEST), after.clone()];
        let theirs = [before, message(13, &WIDER), after];
        assert_eq!(*seen(&ours.concat()), theirs.concat());
        let sent = |messages: &[Vec<u8>]| messages.iter().flat_map(|one| record(HANDSHAKE, 0, one)).collect::<Vec<_>>();
        assert_eq!(*ask(&sent(&ours)), sent(&theirs));
    }

    #[test]
    fn nothing_else_is_touched() {
        let request = message(13, &REQUEST);
        let mut piece = request.clone();
        piece[3] = 20;
        // What is encrypted, of another kind, a piece of something longer, or cut short.
        let others = [record(HANDSHAKE, 1, &request), record(23, 0, &request), record(HANDSHAKE, 0, &piece)];
        for other in others.iter().map(Vec::as_slice).chain([&record(HANDSHAKE, 0, &request)[..30], &[], &[22]]) {
            assert_eq!(*ask(other), *other);
        }
        // Counted is what begins as a handshake does: not what is hashed for its own sake.
        assert_eq!(*seen(&request), *request);
    }
}
