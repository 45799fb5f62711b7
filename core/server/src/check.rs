//! `plugboard check`: every fault of every file, and nothing else.

use plugboard_document::Fault;
use plugboard_scenario::ActionCatalogue;
use serde_json::json;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::Home;
use crate::config::Config;
use crate::house::Bundle;
use crate::{catalogue, output, shelf};

/// The actions that scenarios may use, and the plugins that are none.
///
/// # Errors
/// Why there are none at all.
pub(crate) fn actions(plugins: Option<&Path>, home: &Home) -> Result<(ActionCatalogue, Vec<Fault>), Fault> {
    let folder = plugins.map_or_else(catalogue::default_folder, Path::to_owned);
    // What the running switch has compiled need not be compiled again; it is its own, so that it may not be ours.
    let compiled = home.folder().ok().map(|data| data.join("compiled")).filter(|compiled| compiled.is_dir());
    let tell = |names: &[String]| {
        if std::io::stderr().is_terminal() {
            output::fault(catalogue::progress(names));
        }
    };
    let load = |cache: Option<&Path>| catalogue::load(&folder, cache, tell);
    let loaded = compiled.as_deref().and_then(|compiled| load(Some(compiled)).ok()).map_or_else(|| load(None), Ok);
    let loaded = loaded.map_err(|error| Fault::of_file(folder.display().to_string(), error.to_string(), ""))?;
    // What the admins of that switch have installed.
    let added = home.folder().ok().map(|data| shelf::folder_of(&data)).filter(|folder| folder.is_dir());
    let loaded = loaded.with_installed(added.iter().flat_map(|folder| catalogue::files(folder)));
    Ok((loaded.known, loaded.refused))
}

/// `check`. What is wrong with one file hides nothing of another.
pub(crate) fn check(files: &[PathBuf], plugins: Option<&Path>, home: &Home, strict: bool, json: bool) -> ExitCode {
    let (mut faults, mut warnings) = (Vec::new(), Vec::new());
    // Compiled once, and only when there is a file that needs them.
    let mut known: Option<Option<ActionCatalogue>> = None;
    for file in files {
        if file.extension().is_some_and(|ending| ending == "toml") {
            match Config::read(file) {
                Ok(config) => faults.extend(config.faults_of_files()),
                Err(more) => faults.extend(more),
            }
            continue;
        }
        let bundle = match Bundle::read(file) {
            Ok(bundle) => bundle,
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        let actions = known.get_or_insert_with(|| match actions(plugins, home) {
            Ok((actions, refused)) => {
                faults.extend(refused);
                Some(actions)
            }
            Err(fault) => {
                faults.push(fault);
                None
            }
        });
        match actions.as_ref().map(|actions| bundle.check(actions)) {
            Some(Ok(more)) => {
                warnings.extend(more.into_iter().map(|text| Fault::of_file(bundle.file.as_str(), text, "")));
            }
            Some(Err(more)) => faults.extend(more),
            None => faults.extend(bundle.faults_of_form()),
        }
    }
    if json {
        output::json(&json!({ "faults": faults, "warnings": warnings }));
    } else {
        for fault in &faults {
            output::line(fault.to_string());
        }
        for warning in &warnings {
            output::fault(format!("warning: {warning}"));
        }
    }
    let fails = !faults.is_empty() || (strict && !warnings.is_empty());
    if fails { ExitCode::from(1) } else { ExitCode::SUCCESS }
}
