//! The demo office, built into the program: works on 127.0.0.1 with nothing else installed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::house::Bundle;

/// The office's document and what it refers to.
const OFFICE: &str = include_str!("../demo/office.yaml");
const SCENARIOS: [(&str, &str); 2] = [
    ("scenarios/welcome.yaml", include_str!("../demo/scenarios/welcome.yaml")),
    ("scenarios/echo.yaml", include_str!("../demo/scenarios/echo.yaml")),
];
/// Its prompts and its music.
const AUDIO: [(&str, &[u8]); 4] = [
    ("audio/welcome.en.wav", include_bytes!("../demo/audio/welcome.en.wav")),
    ("audio/welcome.de.wav", include_bytes!("../demo/audio/welcome.de.wav")),
    ("audio/welcome.ru.wav", include_bytes!("../demo/audio/welcome.ru.wav")),
    ("audio/music.wav", include_bytes!("../demo/audio/music.wav")),
];

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

/// The demo with drawn passwords and without gateways: for a demo that others can reach.
///
/// # Errors
/// When the demo's files cannot be written.
pub(crate) fn guarded_bundle(data: &Path, draw: impl Fn() -> String) -> io::Result<(Bundle, BTreeMap<String, String>)> {
    let mut bundle = bundle(data)?;
    let mut secrets = BTreeMap::new();
    for number in 101..=106 {
        let secret = draw();
        bundle.text = bundle.text.replace(&format!("demo-{number}"), &secret);
        secrets.insert(number.to_string(), secret);
    }
    let without_gateway = |line: &&str| !line.contains("outside");
    bundle.text = bundle.text.lines().filter(without_gateway).collect::<Vec<_>>().join("\n");
    bundle.text = bundle.text.replace("\ngateways:\n", "\n");
    Ok((bundle, secrets))
}
