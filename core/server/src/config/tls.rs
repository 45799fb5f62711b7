//! `[tls]`: certificates, and whom to trust.

use plugboard_document::{Fault, Faults, Field};
use plugboard_store::{TLS, TLS_FILES};
use plugboard_switch::{ClientCertificates, SelfSigned, TlsError, TlsFiles};
use serde_json::{Value as Json, json};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Config, path};

/// A year in seconds, leap days shared out.
const YEAR: i64 = 31_556_952;

/// Certificates, and whom to trust.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tls {
    /// Our certificate and its key; without them one is made at the first start.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
    /// Roots of the peers that we connect to; without it, those that the system trusts.
    pub(crate) ca: Option<PathBuf>,
    /// Which certificates phones are asked for.
    pub(crate) clients: Option<ClientCertificates>,
}

/// Reads the part of the file.
pub(super) fn read(field: &Field<'_>, tls: &mut Tls, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    let certificate = path(&mut fields, "certificate", faults);
    let key = path(&mut fields, "key", faults);
    tls.ca = path(&mut fields, "ca", faults);
    let clients = path(&mut fields, "client_ca", faults);
    let wanted = fields.take("client_certificates").map(|field| (field.one_of(&WANTED, faults), field));
    fields.finish(faults);
    match (certificate, key) {
        (Some(certificate), Some(key)) => tls.certificate = Some((certificate, key)),
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            field.fault(faults, "certificate and key belong together", "name both files, or neither");
        }
    }
    match (clients, wanted) {
        (Some(ca), wanted) => {
            let required = wanted.and_then(|(wanted, _)| wanted).unwrap_or(false);
            tls.clients = Some(ClientCertificates { ca, required });
        }
        (None, Some((_, field))) => {
            field.fault(faults, "nobody is named who signs them", "name the file with their roots in client_ca");
        }
        (None, None) => {}
    }
}

/// Whether a phone without a certificate is turned away.
const WANTED: [(&str, bool); 2] = [("optional", false), ("required", true)];

/// The schema of the part.
pub(super) fn schema(part: &impl Fn(&str, Json) -> Json) -> Json {
    let file = |example: &str, description: &str| json!({ "type": "string", "examples": [format!("/etc/plugboard/{example}")], "description": description });
    part(
        "Certificates for TLS and secure WebSocket, PEM. The files are read again on SIGHUP and within a minute of their \
         change; connections go on. Without `certificate` and `key` one is made at the first start, which nobody trusts \
         by itself: it lies in the folder `tls` of the data folder.",
        json!({
            "certificate": file("fullchain.pem", "Our certificate, and those between it and its root behind it."),
            "key": file("privkey.pem", "Its key, without a password."),
            "ca": file("carriers.pem", "Roots of the peers that we connect to; without it, those that the system trusts."),
            "client_ca": file("phones.pem", "Roots of the certificates that clients of TLS listeners are asked for; \
                without it they are asked for none. Browsers are never asked."),
            "client_certificates": { "enum": ["optional", "required"], "default": "optional",
                "description": "Whether a client without one is turned away." }
        }),
    )
}

impl Config {
    /// The certificates to use, if any listener or any gateway could need them: those that are configured, else one of our
    /// own making in the data folder, for the names of this machine.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub(crate) fn certificates(&self, data: &Path, now_ms: i64) -> Result<Option<Arc<plugboard_switch::Tls>>, String> {
        let (certificate, key) = match &self.tls.certificate {
            Some(files) => files.clone(),
            None if self.sip.is_secure() => self.own(data, now_ms)?,
            None => return Ok(None),
        };
        let files = TlsFiles { certificate, key, clients: self.tls.clients.clone(), ca: self.tls.ca.clone() };
        plugboard_switch::Tls::load(files).map(|tls| Some(Arc::new(tls))).map_err(|error| error.to_string())
    }

    /// What is wrong with the files that are configured.
    pub(crate) fn faults_of_files(&self) -> Option<Fault> {
        let (certificate, key) = self.tls.certificate.clone()?;
        let files = TlsFiles { certificate, key, clients: self.tls.clients.clone(), ca: self.tls.ca.clone() };
        plugboard_switch::Tls::load(files).err().map(|error| fault(&error))
    }

    /// The certificate that we made ourselves; made now, if there is none.
    fn own(&self, data: &Path, now_ms: i64) -> Result<(PathBuf, PathBuf), String> {
        let folder = data.join(TLS);
        let [certificate, key] = TLS_FILES.map(|file| folder.join(file));
        if certificate.exists() && key.exists() {
            return Ok((certificate, key));
        }
        let year = i32::try_from(1_970 + now_ms / 1_000 / YEAR).unwrap_or(1_970);
        let own =
            SelfSigned::new(self.names(), year).map_err(|error| format!("no certificate could be made: {error}"))?;
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        // The key first: a certificate without its key would be of no use at the next start.
        for (file, text) in [(&key, &own.key), (&certificate, &own.certificate)] {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(file).map_err(failed)?;
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        tracing::warn!(folder = %folder.display(),
            "no certificate is configured: one was made that phones and browsers must be told to trust");
        Ok((certificate, key))
    }

    /// What phones may call this machine.
    fn names(&self) -> Vec<String> {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = Some(host.trim().to_owned()).filter(|host| {
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
        });
        let (v4, v6) = self.media_addresses();
        let listeners = self.sip.listeners().map(|listen| listen.address.ip()).filter(|ip| !ip.is_unspecified());
        let mut addresses: Vec<IpAddr> = [v4, v6].into_iter().flatten().chain(listeners).collect();
        addresses.extend(self.sip.public.iter().copied());
        addresses.extend([IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])]);
        addresses.sort_unstable();
        addresses.dedup();
        let mut names: Vec<String> = host.into_iter().filter(|host| host != "localhost").collect();
        names.push("localhost".into());
        names.extend(addresses.iter().map(ToString::to_string));
        names
    }
}

/// A fault of a file as `check` prints it.
fn fault(error: &TlsError) -> Fault {
    let (TlsError::Unread { file, .. }
    | TlsError::NoPem { file, .. }
    | TlsError::NoCertificate { file }
    | TlsError::NoKey { file }
    | TlsError::Unusable { file, .. }
    | TlsError::NoRoots { file, .. }) = error;
    let said = error.to_string();
    let reason = said.strip_prefix(&format!("{file}: ")).unwrap_or(&said).to_owned();
    Fault::of_file(file.as_str(), reason, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn faults(text: &str) -> Vec<String> {
        Config::parse("p.toml", text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    /// 22 November 2026.
    const NOW_MS: i64 = 1_795_305_600_000;

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::default();
        assert!(config.certificates(folder.path(), NOW_MS).unwrap().is_some());
        let key = folder.path().join("tls/key.pem");
        let mode = |file: &Path| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&key), mode(&folder.path().join("tls"))), (0o600, 0o700));
        let first = std::fs::read(&key).unwrap();
        config.certificates(folder.path(), NOW_MS).unwrap();
        assert_eq!(std::fs::read(&key).unwrap(), first, "phones that trust it go on doing so");
    }

    #[test]
    fn without_a_secure_listener_no_certificate_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::parse("p.toml", "[sip]\nudp = [\"127.0.0.1:0\"]\n").unwrap();
        assert!(config.certificates(folder.path(), NOW_MS).unwrap().is_none());
        assert!(!folder.path().join("tls").exists());
    }

    #[test]
    fn files_that_belong_together_are_named_together() {
        assert!(faults("[tls]\ncertificate = \"a.pem\"\n")[0].contains("belong together"));
        assert!(faults("[tls]\nclient_certificates = \"required\"\n")[0].contains("client_ca"));
        assert!(faults("[tls]\nclient_ca = \"a\"\nclient_certificates = \"req\"\n")[0].contains("required"));
        let config = Config::parse("p.toml", "[tls]\nclient_ca = \"a\"\nclient_certificates = \"required\"\n");
        assert!(config.unwrap().tls.clients.unwrap().required);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_the_reason() {
        let config = Config::parse("p.toml", "[tls]\ncertificate = \"/nowhere/c.pem\"\nkey = \"/nowhere/k.pem\"\n");
        let said = config.unwrap().faults_of_files().unwrap().to_string();
        assert!(said.contains("/nowhere/c.pem") && said.contains("cannot be read"), "{said}");
    }
}
