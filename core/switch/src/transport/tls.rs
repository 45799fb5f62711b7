//! TLS: our certificate and key, whom we trust, and what a peer's certificate must say.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::san::sip_domains;

/// Where systems keep the certificates of those whom everybody trusts: Debian, Fedora, Alpine.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The files that TLS needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate and those between it and its root, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// Which certificates of clients are asked for on TLS listeners; none: no client is asked.
    pub clients: Option<ClientCertificates>,
    /// Roots, PEM, of the peers that we connect to; without it, those that the system trusts.
    pub ca: Option<PathBuf>,
}

/// Which certificates of clients are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Roots that sign them, PEM.
    pub ca: PathBuf,
    /// Whether a client without one is turned away.
    pub required: bool,
}

/// Why TLS cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{file}: cannot be read: {cause}")]
    Unread {
        /// Which.
        file: String,
        /// Why.
        cause: io::Error,
    },
    /// A file is no PEM.
    #[error("{file}: is no PEM: {cause}")]
    NoPem {
        /// Which.
        file: String,
        /// Why.
        cause: pem::Error,
    },
    /// There is no certificate in a file.
    #[error("{file}: holds no certificate: a part that begins with -----BEGIN CERTIFICATE----- is expected")]
    NoCertificate {
        /// Which.
        file: String,
    },
    /// There is no key in a file, or one with a password.
    #[error("{file}: holds no private key without a password")]
    NoKey {
        /// Which.
        file: String,
    },
    /// What is in the files cannot be used.
    #[error("{file}: {cause}")]
    Unusable {
        /// Which.
        file: String,
        /// Why.
        cause: rustls::Error,
    },
    /// No certificate in a file of roots can be used.
    #[error("{file}: none of its certificates can be used as a root: {cause}")]
    NoRoots {
        /// Which.
        file: String,
        /// Why.
        cause: rustls::server::VerifierBuilderError,
    },
}

/// What is in force.
#[derive(Clone)]
struct Current {
    /// For TLS listeners.
    phones: Arc<ServerConfig>,
    /// For secure WebSocket: browsers are asked for no certificate, it would make them ask their users.
    browsers: Arc<ServerConfig>,
    /// For connections of ours.
    ours: Arc<ClientConfig>,
    /// When each file was written that this was read from.
    written: Vec<Option<SystemTime>>,
}

/// Certificates in force. [`Tls::reload`] takes new ones without touching connections that are open.
pub struct Tls {
    files: TlsFiles,
    /// Locked for a copy of the pointers only.
    current: Mutex<Current>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = Mutex::new(read(&files)?);
        Ok(Self { files, current })
    }

    /// Reads the files anew. With a fault everything stays as it is.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub fn reload(&self) -> Result<(), TlsError> {
        let read = read(&self.files)?;
        *self.lock() = read;
        Ok(())
    }

    /// Whether a file was written since it was read.
    pub fn is_outdated(&self) -> bool {
        self.lock().written != written(&self.files)
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handshake of a connection that a peer opened.
    pub(super) async fn accept<S>(&self, stream: S, browser: bool) -> io::Result<tokio_rustls::server::TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = if browser { Arc::clone(&self.lock().browsers) } else { Arc::clone(&self.lock().phones) };
        TlsAcceptor::from(config).accept(stream).await
    }

    /// The handshake of a connection that we opened: the peer's certificate must have the name, or else its address.
    pub(super) async fn connect<S>(
        &self,
        stream: S,
        remote: SocketAddr,
        name: Option<&str>,
    ) -> io::Result<tokio_rustls::client::TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = Arc::clone(&self.lock().ours);
        let name = match name {
            Some(name) => ServerName::try_from(name.to_owned()).map_err(io::Error::other)?,
            None => ServerName::from(remote.ip()),
        };
        TlsConnector::from(config).connect(name, stream).await
    }
}

fn written(files: &TlsFiles) -> Vec<Option<SystemTime>> {
    let clients = files.clients.as_ref().map(|clients| &clients.ca);
    [Some(&files.certificate), Some(&files.key), clients, files.ca.as_ref()]
        .into_iter()
        .flatten()
        .map(|file| std::fs::metadata(file).and_then(|found| found.modified()).ok())
        .collect()
}

fn read(files: &TlsFiles) -> Result<Current, TlsError> {
    // Before they are read: one that changes meanwhile is read again.
    let written = written(files);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let (chain, key) = (certificates(&files.certificate)?, private_key(&files.key)?);
    let unusable = |cause| TlsError::Unusable { file: name(&files.certificate), cause };
    let versions = || ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let browsers = versions().map_err(unusable)?.with_no_client_auth();
    let browsers = browsers.with_single_cert(chain.clone(), key.clone_key()).map_err(|cause| {
        let at = if matches!(cause, rustls::Error::InconsistentKeys(_)) { &files.key } else { &files.certificate };
        TlsError::Unusable { file: name(at), cause }
    })?;
    let phones = match &files.clients {
        None => browsers.clone(),
        Some(clients) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots(&clients.ca)?.into(), Arc::clone(&provider));
            let verifier = if clients.required { verifier } else { verifier.allow_unauthenticated() };
            let verifier = verifier.build().map_err(|cause| TlsError::NoRoots { file: name(&clients.ca), cause })?;
            versions()
                .map_err(unusable)?
                .with_client_cert_verifier(verifier)
                .with_single_cert(chain.clone(), key.clone_key())
                .map_err(unusable)?
        }
    };
    let trusted = match &files.ca {
        Some(file) => roots(file)?,
        None => system_roots(),
    };
    // Whoever asks us for a certificate gets ours.
    let ours = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PeerVerifier::new(trusted, &provider)))
        .with_client_auth_cert(chain, key)
        .map_err(unusable)?;
    Ok(Current { phones: Arc::new(phones), browsers: Arc::new(browsers), ours: Arc::new(ours), written })
}

fn name(file: &Path) -> String {
    file.display().to_string()
}

fn text(file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|cause| TlsError::Unread { file: name(file), cause })
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text(file)?).collect();
    match found {
        Ok(found) if found.is_empty() => Err(TlsError::NoCertificate { file: name(file) }),
        Ok(found) => Ok(found),
        Err(cause) => Err(TlsError::NoPem { file: name(file), cause }),
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&text(file)?).map_err(|cause| {
        let file = name(file);
        if matches!(cause, pem::Error::NoItemsFound) {
            TlsError::NoKey { file }
        } else {
            TlsError::NoPem { file, cause }
        }
    })
}

fn roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(file)? {
        store.add(certificate).map_err(|cause| TlsError::Unusable { file: name(file), cause })?;
    }
    Ok(store)
}

/// What the system trusts. Nothing, on one that has no such file: then no peer is trusted, and the log tells why.
fn system_roots() -> RootCertStore {
    let mut store = RootCertStore::empty();
    let found = SYSTEM_ROOTS.iter().find_map(|file| certificates(Path::new(file)).ok());
    // One that is too old to be read is no reason to trust nobody.
    store.add_parsable_certificates(found.unwrap_or_default());
    store
}

/// Asks of a peer that we connected to: a chain to a root that we trust, and the name that we called.
///
/// The name is a DNS name or an address of its certificate, or a SIP domain (`URI:sip:example.com`, RFC 5922 section 7.1).
#[derive(Debug)]
struct PeerVerifier {
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PeerVerifier {
    fn new(roots: RootCertStore, provider: &CryptoProvider) -> Self {
        Self { roots, algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, self.algorithms.all)?;
        let named = verify_server_name(&parsed, server_name);
        if let ServerName::DnsName(name) = server_name
            && sip_domains(end_entity).iter().any(|domain| domain.eq_ignore_ascii_case(name.as_ref()))
        {
            return Ok(ServerCertVerified::assertion());
        }
        named?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A certificate that nobody signed but its own key, both as PEM.
pub struct SelfSigned {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl SelfSigned {
    /// For these names and addresses, good from the beginning of this year for ten.
    ///
    /// # Errors
    /// A name that no certificate can have.
    pub fn new(names: Vec<String>, year: i32) -> Result<Self, String> {
        let make = || {
            let mut params = rcgen::CertificateParams::new(names)?;
            params.distinguished_name.push(rcgen::DnType::CommonName, "Plugboard");
            params.not_before = rcgen::date_time_ymd(year, 1, 1);
            params.not_after = rcgen::date_time_ymd(year.saturating_add(10), 1, 1);
            let key = rcgen::KeyPair::generate()?;
            let certificate = params.self_signed(&key)?;
            Ok(Self { certificate: certificate.pem(), key: key.serialize_pem() })
        };
        make().map_err(|error: rcgen::Error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
