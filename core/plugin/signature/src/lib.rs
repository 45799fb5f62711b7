//! Signs plugin files and checks their signatures, so that an admin can trust a vendor's key and not each of its files.
//!
//! A signature is the last section of the file: a custom section named [`SECTION`], which every reader of WebAssembly passes over.
//! It holds a version byte (1), the public key (32 bytes) and an Ed25519 signature (64 bytes; RFC 8032) of
//! `plugboard plugin 1` and a line feed, then the SHA-256 of everything before the section. A file has one signature.
//!
//! Keys are PEM files as `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them (RFC 8410).

mod file;
mod key;

pub use file::{SECTION, SignError, SignatureError, Signed, sign, verify};
pub use key::{KeyError, PublicKey, SigningKey};
