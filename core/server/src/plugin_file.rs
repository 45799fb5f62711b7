//! Files of plugins: looked at, signed, verified. No switch needs to run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plugboard_plugin::{Catalogue, ComponentId, Inspection, Metering, PluginEngine, PoolSize};
use plugboard_signature::{PublicKey, SignatureError, SigningKey};
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::control::LINE_LEN_MAX;

/// Larger than any plugin that is compiled.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// As base64 it fits into a line to the switch, with room for the rest of that.
const SENT_BYTES_MAX: u64 = (LINE_LEN_MAX / 4 - 1_024) * 3;
/// A PEM file of one key has some hundred bytes.
const KEY_BYTES_MAX: u64 = 16 << 10;

/// What a file is, as `plugin inspect` tells it.
///
/// # Errors
/// A file that cannot be read, or an engine that does not start. A plugin that would be refused is an answer with `refused`.
pub(crate) fn inspect(file: &Path) -> Result<Value, String> {
    let bytes = read(file, FILE_BYTES_MAX)?;
    let engine = PluginEngine::new(Metering::Epoch, PoolSize::default())
        .map_err(|cause| format!("the plugin engine does not start: {cause}"))?;
    let inspection = Inspection::of(&Catalogue::new(engine, None), &bytes);
    let (key, fault) = match plugboard_signature::verify(&bytes) {
        Ok(signed) => (signed.map(|signed| signed.key.to_string()), None),
        // What is no plugin at all is told below.
        Err(SignatureError::File(_)) => (None, None),
        Err(fault) => (None, Some(fault.to_string())),
    };
    // Whatever else it is: a file that was changed after it was signed is not installed.
    let refused = fault.clone().filter(|_| inspection.manifest.is_some()).or_else(|| inspection.refused.clone());
    let mut told = serde_json::to_value(&inspection).map_err(|cause| cause.to_string())?;
    if let Some(told) = told.as_object_mut() {
        told.insert("file".into(), file.display().to_string().into());
        told.insert("signature".into(), json!({ "key": key, "fault": fault }));
        told.insert("refused".into(), refused.into());
    }
    Ok(told)
}

/// Makes a key.
///
/// # Errors
/// A file that is there already, or cannot be written.
pub(crate) fn keygen(file: &Path) -> Result<Value, String> {
    let key = SigningKey::generate().map_err(|cause| cause.to_string())?;
    let text = key.to_pem().map_err(|cause| cause.to_string())?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all())).map_err(|cause| {
        let is_there = cause.kind() == std::io::ErrorKind::AlreadyExists;
        let remedy =
            if is_there { "; choose another name: a key that is overwritten signs nothing any more" } else { "" };
        format!("{}: {cause}{remedy}", file.display())
    })?;
    Ok(of_key(file, key.public()))
}

/// The public key of a private one.
///
/// # Errors
/// A file that is no private key.
pub(crate) fn public(file: &Path) -> Result<Value, String> {
    signing_key(file).map(|key| of_key(file, key.public()))
}

fn of_key(file: &Path, key: PublicKey) -> Value {
    json!({ "file": file.display().to_string(), "public": key.to_string(), "pem": key.to_pem() })
}

/// Signs a file, and writes it where it is wanted at once and whole.
///
/// # Errors
/// A file that is no plugin, a key that is none, a place that cannot be written.
pub(crate) fn sign(file: &Path, key: &Path, output: &Path) -> Result<Value, String> {
    let (bytes, key) = (read(file, FILE_BYTES_MAX)?, signing_key(key)?);
    let told = |cause: &dyn std::fmt::Display| format!("{}: {cause}", file.display());
    let component = plugboard_plugin::componentize(&bytes).map_err(|cause| told(&cause))?;
    let signed = plugboard_signature::sign(&component, &key).map_err(|cause| told(&cause))?;
    let failed = |cause: std::io::Error| format!("{}: {cause}", output.display());
    let draft = output.with_extension(format!("draft-{}", std::process::id()));
    let written = fs::write(&draft, &signed).and_then(|()| fs::rename(&draft, output));
    if written.is_err() {
        drop(fs::remove_file(&draft));
    }
    written.map_err(failed)?;
    let (key, sha256) = (key.public().to_string(), ComponentId::of(&signed).to_string());
    Ok(json!({
        "done": format!("{} is signed by {key}", output.display()),
        "file": output.display().to_string(), "key": key, "sha256": sha256, "bytes": signed.len(),
    }))
}

/// Who signed a file.
///
/// # Errors
/// Nobody, nobody of `trusted` if there is one, or somebody before it was changed.
pub(crate) fn verify(file: &Path, trusted: &[String]) -> Result<Value, String> {
    let keys: Vec<PublicKey> = trusted.iter().map(|key| public_key(key)).collect::<Result<_, _>>()?;
    let bytes = read(file, FILE_BYTES_MAX)?;
    let name = file.display();
    let signed = plugboard_signature::verify(&bytes).map_err(|cause| format!("{name}: {cause}"))?;
    let signed = signed.ok_or_else(|| {
        format!("{name}: nobody has signed it; its vendor does so by `plugboard plugin sign {name} --key FILE`")
    })?;
    let key = signed.key;
    if !keys.is_empty() && !keys.contains(&key) {
        return Err(format!("{name}: signed by {key}, which is none of the keys that you named"));
    }
    let trust = if keys.is_empty() { "" } else { ", which you trust" };
    let done = format!("{name} is as it was signed, by {key}{trust}");
    Ok(json!({ "done": done, "file": name.to_string(), "key": key.to_string(), "trusted": !keys.is_empty() }))
}

/// A file as it is sent to the switch.
///
/// # Errors
/// A file that cannot be read, or is larger than what can be sent.
pub(crate) fn sent(file: &Path) -> Result<String, String> {
    read(file, SENT_BYTES_MAX).map(|bytes| STANDARD.encode(bytes))
}

/// A key as it is written, or the file that holds it.
pub(crate) fn public_key(said: &str) -> Result<PublicKey, String> {
    if let Ok(key) = said.parse() {
        return Ok(key);
    }
    let text = text(Path::new(said))?;
    text.parse().map_err(|cause| format!("{said}: {cause}"))
}

fn signing_key(file: &Path) -> Result<SigningKey, String> {
    SigningKey::from_pem(&text(file)?).map_err(|cause| format!("{}: {cause}", file.display()))
}

fn text(file: &Path) -> Result<String, String> {
    String::from_utf8(read(file, KEY_BYTES_MAX)?)
        .map_err(|_| format!("{}: this is no text, so it is no key", file.display()))
}

fn read(file: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let failed = |cause: std::io::Error| format!("{}: {cause}", file.display());
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(failed)?;
    opened.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > bytes_max) {
        return Err(format!("{}: larger than {bytes_max} bytes, which no such file is", file.display()));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    /// A folder with `echo.wasm` as it was built, and two vendors' keys.
    struct Desk(tempfile::TempDir);

    impl Desk {
        fn new() -> Self {
            let desk = Self(tempfile::tempdir().unwrap());
            // Where `cargo plugins` puts the actions: beside the folder of the program, which is two above its tests.
            let program = std::env::current_exe().unwrap();
            let beside = || program.ancestors().nth(3).unwrap().join("plugins");
            let built = std::env::var_os("PLUGBOARD_PLUGINS").map_or_else(beside, PathBuf::from);
            fs::copy(built.join("echo.wasm"), desk.at("echo.wasm")).unwrap();
            for vendor in ["acme.pem", "other.pem"] {
                keygen(&desk.at(vendor)).unwrap();
            }
            desk
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn public(&self, vendor: &str) -> String {
            public(&self.at(vendor)).unwrap()["public"].as_str().unwrap().to_owned()
        }

        fn signed(&self) -> PathBuf {
            sign(&self.at("echo.wasm"), &self.at("acme.pem"), &self.at("signed.wasm")).unwrap();
            self.at("signed.wasm")
        }
    }

    #[test]
    fn a_file_is_signed_and_whoever_trusts_the_key_sees_it() {
        let desk = Desk::new();
        let (signed, acme, other) = (desk.signed(), desk.public("acme.pem"), desk.public("other.pem"));
        assert!(verify(&signed, &[]).is_ok());
        assert_eq!(verify(&signed, &[other.clone(), acme.clone()]).unwrap()["trusted"], true);
        assert!(verify(&signed, &[other]).unwrap_err().contains(&format!("signed by {acme}, which is none")));
        let pem = public(&desk.at("acme.pem")).unwrap()["pem"].as_str().unwrap().to_owned();
        fs::write(desk.at("acme.pub"), pem).unwrap();
        assert!(
            verify(&signed, &[desk.at("acme.pub").display().to_string()]).is_ok(),
            "by the file of the key as well"
        );
        assert!(verify(&desk.at("echo.wasm"), &[]).unwrap_err().contains("nobody has signed it"));
        assert_eq!(inspect(&signed).unwrap()["signature"]["key"], acme);
    }

    #[test]
    fn a_file_that_was_changed_after_it_was_signed_would_be_refused() {
        let desk = Desk::new();
        let signed = desk.signed();
        assert!(inspect(&signed).unwrap()["refused"].is_null());
        let mut bytes = fs::read(&signed).unwrap();
        // One more section, which the engine passes over.
        bytes.extend_from_slice(&[0, 2, 1, b'x']);
        fs::write(&signed, bytes).unwrap();
        let told = inspect(&signed).unwrap();
        assert!(told["refused"].as_str().unwrap().contains("added behind the signature"), "{told}");
        assert_eq!(told["manifest"]["name"], "echo");
        assert!(verify(&signed, &[]).unwrap_err().contains("added behind the signature"));
    }

    #[test]
    fn what_is_no_plugin_is_told_once() {
        let desk = Desk::new();
        fs::write(desk.at("text.wasm"), "hello").unwrap();
        let told = inspect(&desk.at("text.wasm")).unwrap();
        assert!(told["refused"].as_str().unwrap().contains("no WebAssembly file"));
        assert!(told["signature"]["fault"].is_null());
        let fault = sign(&desk.at("text.wasm"), &desk.at("acme.pem"), &desk.at("out.wasm")).unwrap_err();
        assert!(fault.contains("no WebAssembly file") && !desk.at("out.wasm").exists(), "{fault}");
        assert!(inspect(&desk.at("absent.wasm")).unwrap_err().contains("absent.wasm"));
        let large = File::create(desk.at("large.wasm")).unwrap();
        large.set_len(FILE_BYTES_MAX + 1).unwrap();
        assert!(inspect(&desk.at("large.wasm")).unwrap_err().contains("larger than"));
    }

    #[test]
    fn keys_are_private_never_overwritten_and_never_mistaken() {
        let desk = Desk::new();
        let mode = fs::metadata(desk.at("acme.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let before = desk.public("acme.pem");
        assert!(keygen(&desk.at("acme.pem")).unwrap_err().contains("choose another name"));
        assert_eq!(desk.public("acme.pem"), before);
        let signed = desk.signed();
        let private = desk.at("acme.pem").display().to_string();
        assert!(verify(&signed, &[private]).unwrap_err().contains("this is a private key"));
        let fault = sign(&signed, &signed, &signed).unwrap_err();
        assert!(fault.contains("larger than") || fault.contains("no key"), "{fault}");
        assert!(
            !fs::read_dir(desk.0.path()).unwrap().any(|entry| entry
                .unwrap()
                .path()
                .to_string_lossy()
                .contains("draft"))
        );
    }
}
