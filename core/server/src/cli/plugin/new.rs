//! `plugboard plugin new`: a folder with an action that builds, is tested and runs.

use super::project::{Language, name};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The templates are whole projects of this name.
const TEMPLATE: &str = "greet-by-time";
/// Where the calls of a project's tests are, the same for every language.
const CALLS: (&str, &str) = ("tests/calls.yaml", include_str!("../../../../../sdk/testkit/calls.yaml"));

const RUST: [(&str, &str); 5] = [
    ("plugin.toml", include_str!("../../../../../plugins/template/plugin.toml")),
    ("Cargo.toml", include_str!("../../../../../plugins/template/Cargo.toml")),
    ("src/lib.rs", include_str!("../../../../../plugins/template/src/lib.rs")),
    (".gitignore", "/target\n*.wasm\n"),
    CALLS,
];
const JAVASCRIPT: [(&str, &str); 9] = [
    ("plugin.toml", include_str!("../../../../../sdk/javascript/template/plugin.toml")),
    ("package.json", include_str!("../../../../../sdk/javascript/template/package.json")),
    ("package-lock.json", include_str!("../../../../../sdk/javascript/template/package-lock.json")),
    (".npmrc", include_str!("../../../../../sdk/javascript/template/.npmrc")),
    ("src/action.js", include_str!("../../../../../sdk/javascript/template/src/action.js")),
    ("src/plugboard.js", include_str!("../../../../../sdk/javascript/template/src/plugboard.js")),
    ("README.md", include_str!("../../../../../sdk/javascript/template/README.md")),
    (".gitignore", "/node_modules\n/build\n*.wasm\n"),
    CALLS,
];
const PYTHON: [(&str, &str); 7] = [
    ("plugin.toml", include_str!("../../../../../sdk/python/template/plugin.toml")),
    ("requirements.txt", include_str!("../../../../../sdk/python/template/requirements.txt")),
    ("app.py", include_str!("../../../../../sdk/python/template/app.py")),
    ("plugboard.py", include_str!("../../../../../sdk/python/template/plugboard.py")),
    ("README.md", include_str!("../../../../../sdk/python/template/README.md")),
    (".gitignore", "/.venv\n/build\n__pycache__\n*.wasm\n"),
    CALLS,
];

/// Writes the folder `name` in `here`. A Rust project needs the checkout with the SDK.
///
/// # Errors
/// A name that no action can have, a folder that is there already or cannot be written, no SDK.
pub(super) fn new(language: Language, named: &str, here: &Path, sdk: Option<&Path>) -> Result<Value, String> {
    let name = name(named)?.as_str().to_owned();
    let files: &[(&str, &str)] = match language {
        Language::Rust => &RUST,
        Language::JavaScript => &JAVASCRIPT,
        Language::Python => &PYTHON,
    };
    let sdk = if language == Language::Rust { Some(checkout(sdk)?) } else { None };
    let folder = here.join(&name);
    let failed = |path: &Path, cause: std::io::Error| format!("{}: {cause}", path.display());
    if folder.exists() {
        return Err(format!("{} is there already; choose another name, or remove it", folder.display()));
    }
    for (file, text) in files {
        let path = folder.join(file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|cause| failed(parent, cause))?;
        }
        let text = match (*file, &sdk) {
            ("Cargo.toml", Some(sdk)) => cargo_manifest(text, sdk),
            _ => (*text).to_owned(),
        };
        fs::write(&path, renamed(&text, &name)).map_err(|cause| failed(&path, cause))?;
    }
    if let Some(sdk) = &sdk {
        // The versions that the SDK was tested with.
        let (from, to) = (sdk.join("Cargo.lock"), folder.join("Cargo.lock"));
        fs::copy(&from, &to).map_err(|cause| failed(&from, cause))?;
    }
    let done = format!("{} is made; next: cd {name} && {}", folder.display(), next(language));
    Ok(json!({ "done": done, "folder": folder.display().to_string(), "name": name }))
}

fn next(language: Language) -> &'static str {
    match language {
        Language::Rust => "rustup target add wasm32-unknown-unknown && plugboard plugin test",
        Language::JavaScript => "npm ci && plugboard plugin test",
        Language::Python => {
            "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && plugboard plugin test"
        }
    }
}

fn checkout(said: Option<&Path>) -> Result<PathBuf, String> {
    let remedy = "name a checkout of Plugboard, which has the SDK in it, by --sdk FOLDER or in PLUGBOARD";
    let said = said.ok_or_else(|| format!("an action in Rust needs the SDK's crate; {remedy}"))?;
    let found = said.canonicalize().map_err(|cause| format!("{}: {cause}; {remedy}", said.display()))?;
    if found.join("sdk/rust/Cargo.toml").is_file() {
        Ok(found)
    } else {
        Err(format!("{} has no sdk/rust/Cargo.toml; {remedy}", found.display()))
    }
}

/// The manifest of a project outside of the checkout. Its tests are calls in a file, so it needs no kit of its own.
fn cargo_manifest(text: &str, sdk: &Path) -> String {
    let text = text.replace("../../sdk", &sdk.join("sdk").display().to_string());
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("[dev-dependencies]") && !line.starts_with("plugboard-testkit"))
        .collect();
    format!("{}\n", kept.join("\n"))
}

/// The template under another name, in each way that it is written.
fn renamed(text: &str, name: &str) -> String {
    let camel = |name: &str| -> String {
        name.split('-')
            .flat_map(|part| {
                let mut letters = part.chars();
                letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
            })
            .collect()
    };
    text.replace(TEMPLATE, name)
        .replace(&TEMPLATE.replace('-', "_"), &name.replace('-', "_"))
        .replace(&camel(TEMPLATE), &camel(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_template_becomes_a_project_of_the_name_that_was_said() {
        let here = tempfile::tempdir().unwrap();
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (language, own) in
            [(Language::Rust, "src/lib.rs"), (Language::JavaScript, "src/action.js"), (Language::Python, "app.py")]
        {
            let name = format!("say-{own}").replace(['.', '/'], "-");
            new(language, &name, here.path(), Some(&sdk)).unwrap();
            let folder = here.path().join(&name);
            let text = fs::read_to_string(folder.join(own)).unwrap();
            assert!(text.contains(&name) && !text.contains(TEMPLATE), "{text}");
            assert_eq!(super::super::project::Project::read(&folder).unwrap().name, name);
            assert!(new(language, &name, here.path(), Some(&sdk)).unwrap_err().contains("is there already"));
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_before_anything_is_written() {
        let here = tempfile::tempdir().unwrap();
        for name in ["", "Greet", "1st", "a b", "../up", "greet-"] {
            assert!(
                new(Language::Python, name, here.path(), None).unwrap_err().contains("no name of an action"),
                "{name}"
            );
        }
        assert!(new(Language::Rust, "greet", here.path(), None).unwrap_err().contains("--sdk FOLDER"));
        assert!(new(Language::Rust, "greet", here.path(), Some(here.path())).unwrap_err().contains("no sdk/rust"));
        assert_eq!(fs::read_dir(here.path()).unwrap().count(), 0);
    }
}
