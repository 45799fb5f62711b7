//! The demo office, built into the program: works on 127.0.0.1 with nothing else installed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::house::Bundle;

/// The office's document and what it refers to.
const OFFICE: &str = include_str!("../demo/office.yaml");
const SCENARIOS: [(&str, &str); 3] = [
    ("scenarios/welcome.yaml", include_str!("../demo/scenarios/welcome.yaml")),
    ("scenarios/echo.yaml", include_str!("../demo/scenarios/echo.yaml")),
    ("scenarios/voicemail.yaml", include_str!("../demo/scenarios/voicemail.yaml")),
];
/// Its prompts and its music.
const AUDIO: [(&str, &[u8]); 4] = [
    ("audio/welcome.en.wav", include_bytes!("../demo/audio/welcome.en.wav")),
    ("audio/welcome.de.wav", include_bytes!("../demo/audio/welcome.de.wav")),
    ("audio/welcome.ru.wav", include_bytes!("../demo/audio/welcome.ru.wav")),
    ("audio/music.wav", include_bytes!("../demo/audio/music.wav")),
];

/// The file of a guarded demo's passwords.
const SECRETS: &str = "demo-secrets.json";

/// The demo as `apply` would send it from `<data>/demo`, where its files are put, so that people can read them, change
/// them and apply them.
///
/// # Errors
/// When the files cannot be written.
pub(crate) fn bundle(data: &Path) -> io::Result<Bundle> {
    let folder = std::path::absolute(data)?.join("demo");
    let texts = SCENARIOS.iter().chain([&("office.yaml", OFFICE)]).map(|(path, text)| (*path, text.as_bytes()));
    for (path, bytes) in texts.chain(AUDIO) {
        put(&folder.join(path), bytes)?;
    }
    let files = SCENARIOS.iter().map(|(path, text)| ((*path).to_owned(), Ok((*text).to_owned()))).collect();
    let file = folder.join("office.yaml").display().to_string();
    Ok(Bundle { file, text: OFFICE.into(), files, variables: BTreeMap::new(), folder, kept: BTreeMap::new() })
}

/// Writes a file that is not there yet: what somebody changed stays.
fn put(file: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).open(file) {
        Ok(mut out) => out.write_all(bytes),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Where the demo has its data unless somebody says where: a folder that is this user's alone, as `XDG_DATA_HOME` says,
/// else below the home folder. `None`: there is neither.
///
/// Source: XDG Base Directory Specification.
pub(crate) fn data_folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))?;
    Some(own.join("plugboard/demo"))
}

/// What is said when there is no such folder.
pub(crate) const NO_HOME: &str = "the demo has no folder for its data: neither XDG_DATA_HOME nor HOME is set; \
    name one with --data";

/// The passwords that a guarded demo drew before; none at its first start.
///
/// # Errors
/// When the file is there and cannot be read.
pub(crate) fn read_secrets(data: &Path) -> Result<BTreeMap<String, String>, String> {
    let file = data.join(SECRETS);
    let again = |cause: &dyn std::fmt::Display| format!("{}: {cause}; remove it to draw new ones", file.display());
    match fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text).map_err(|cause| again(&cause)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(cause) => Err(again(&cause)),
    }
}

/// Keeps them, for the owner of the data folder alone.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn write_secrets(data: &Path, secrets: &BTreeMap<String, String>) -> Result<(), String> {
    let file = data.join(SECRETS);
    let text = serde_json::to_string_pretty(secrets).map_err(|error| error.to_string())?;
    let written = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file);
    written.and_then(|mut out| out.write_all(text.as_bytes())).map_err(|error| format!("{}: {error}", file.display()))
}

/// The demo with drawn passwords, those that it had before, and without gateways: for a demo that others can reach.
///
/// # Errors
/// When the demo's files cannot be written.
pub(crate) fn guarded_bundle(
    data: &Path,
    kept: &BTreeMap<String, String>,
    draw: impl Fn() -> String,
) -> io::Result<(Bundle, BTreeMap<String, String>)> {
    let mut bundle = bundle(data)?;
    let mut secrets = BTreeMap::new();
    for number in 101..=106 {
        let secret = kept.get(&number.to_string()).cloned().unwrap_or_else(&draw);
        bundle.text = bundle.text.replace(&format!("demo-{number}"), &secret);
        secrets.insert(number.to_string(), secret);
    }
    let without_gateway = |line: &&str| !line.contains("outside");
    bundle.text = bundle.text.lines().filter(without_gateway).collect::<Vec<_>>().join("\n");
    bundle.text = bundle.text.replace("\ngateways:\n", "\n");
    Ok((bundle, secrets))
}
