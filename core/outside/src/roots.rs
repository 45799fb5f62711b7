//! Whom we trust on the web.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs;
use std::path::{Path, PathBuf};

/// Where distributions keep what the system trusts: Debian, Fedora, Alpine.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// A file of certificates cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", file.display())]
pub struct NoRoots {
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub reason: String,
}

/// The same certificates as PEM, those left out that nobody here can read.
pub(crate) fn trusted_pem(file: Option<&Path>) -> Result<Vec<u8>, NoRoots> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let found = file.map_or_else(|| SYSTEM_ROOTS.iter().map(Path::new).find(|file| file.is_file()), Some);
    let Some(found) = found else { return Ok(Vec::new()) };
    let told = |error: std::io::Error| NoRoots { file: found.to_owned(), reason: error.to_string() };
    let text = fs::read_to_string(found).map_err(told)?;
    let blocks = text.split_inclusive(END).filter_map(|block| block.get(block.find(BEGIN)?..));
    let readable = |block: &&str| {
        let read = CertificateDer::from_pem_slice(block.as_bytes());
        read.is_ok_and(|certificate| RootCertStore::empty().add(certificate).is_ok())
    };
    Ok(blocks.filter(readable).flat_map(|block| [block, "\n"]).collect::<String>().into_bytes())
}

/// The roots in this file, or those that the system has.
pub(crate) fn trusted(file: Option<&Path>) -> Result<RootCertStore, NoRoots> {
    let mut store = RootCertStore::empty();
    // One of the system's that is too old to be read is no reason to trust nobody.
    store.add_parsable_certificates(certificates(file)?);
    Ok(store)
}

/// The same as they are written, but for those that cannot be read.
pub(crate) fn certificates(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, NoRoots> {
    let found = file.map_or_else(|| SYSTEM_ROOTS.iter().map(Path::new).find(|file| file.is_file()), Some);
    let Some(found) = found else { return Ok(Vec::new()) };
    let told = |reason: String| NoRoots { file: found.to_owned(), reason };
    let text = fs::read(found).map_err(|error| told(error.to_string()))?;
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|error| told(error.to_string()))?;
    let is_readable = |one: &CertificateDer<'static>| RootCertStore::empty().add(one.clone()).is_ok();
    Ok(certificates.into_iter().filter(is_readable).collect())
}
