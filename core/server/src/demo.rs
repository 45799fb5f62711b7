//! The demo office, built into the program: works on 127.0.0.1 with nothing else installed.

use std::collections::BTreeMap;

use crate::house::Bundle;

/// The office's document and what it refers to.
const OFFICE: &str = include_str!("../demo/office.yaml");
const SCENARIOS: [(&str, &str); 2] = [
    ("scenarios/welcome.yaml", include_str!("../demo/scenarios/welcome.yaml")),
    ("scenarios/echo.yaml", include_str!("../demo/scenarios/echo.yaml")),
];
/// Its prompts.
pub(crate) const PROMPTS: [(&str, &[u8]); 3] = [
    ("welcome.en", include_bytes!("../demo/audio/welcome.en.wav")),
    ("welcome.de", include_bytes!("../demo/audio/welcome.de.wav")),
    ("welcome.ru", include_bytes!("../demo/audio/welcome.ru.wav")),
];
/// Its music.
pub(crate) const MUSIC: (&str, &[u8]) = ("music", include_bytes!("../demo/audio/music.wav"));

/// The demo as `apply` would send it.
pub(crate) fn bundle() -> Bundle {
    let files: BTreeMap<String, String> =
        SCENARIOS.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Bundle { file: "demo/office.yaml".into(), text: OFFICE.into(), files, variables: BTreeMap::new(), folder: None }
}

/// The demo with drawn passwords and without gateways: for a demo that others can reach.
pub(crate) fn guarded_bundle(draw: impl Fn() -> String) -> (Bundle, BTreeMap<String, String>) {
    let mut bundle = bundle();
    let mut secrets = BTreeMap::new();
    for number in 101..=106 {
        let secret = draw();
        bundle.text = bundle.text.replace(&format!("demo-{number}"), &secret);
        secrets.insert(number.to_string(), secret);
    }
    let without_gateway = |line: &&str| !line.contains("outside");
    bundle.text = bundle.text.lines().filter(without_gateway).collect::<Vec<_>>().join("\n");
    bundle.text = bundle.text.replace("\ngateways:\n", "\n");
    (bundle, secrets)
}
