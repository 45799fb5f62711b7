//! `plugboard plugin test`: the calls of a project's files, made under the real host.

use super::build;
use super::project::Project;
use plugboard_testkit::{ScriptedCall, Testkit};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A file of calls that a person wrote has some hundred lines.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Builds the project in `folder`, or takes the `component`, and makes every call of `tests/*.yaml`.
///
/// # Errors
/// What keeps the calls from being made. Calls that come out otherwise are part of the answer.
pub(super) fn test(folder: &Path, component: Option<&Path>) -> Result<Value, String> {
    let files = files(&folder.join("tests"))?;
    let wasm = match component {
        Some(file) => fs::read(file).map_err(|cause| format!("{}: {cause}", file.display()))?,
        None => build::made(&Project::read(folder)?)?,
    };
    let testkit = Testkit::load(&wasm).map_err(|cause| cause.to_string())?;
    let (mut told, mut failed) = (Vec::new(), 0_usize);
    for file in files {
        for call in read(&file)? {
            let differs = call.run(&testkit).unwrap_or_else(|fault| format!("  {fault}\n"));
            failed += usize::from(!differs.is_empty());
            let differs = Some(differs).filter(|differs| !differs.is_empty());
            told.push(json!({ "file": file.display().to_string(), "call": call.name, "differs": differs }));
        }
    }
    Ok(json!({ "action": testkit.manifest().name, "passed": told.len() - failed, "failed": failed, "calls": told }))
}

/// What people read of it.
pub(super) fn shown(answer: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for call in answer.get("calls").and_then(Value::as_array).into_iter().flatten() {
        let of = |name: &str| call.get(name).and_then(Value::as_str);
        let name = of("call").unwrap_or_default();
        match of("differs") {
            None => lines.push(format!("ok      {name}")),
            Some(differs) => {
                lines.push(format!("FAILED  {name} ({})", of("file").unwrap_or_default()));
                lines.extend(differs.lines().map(str::to_owned));
            }
        }
    }
    let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    lines.push(format!("{} passed, {} failed", count("passed"), count("failed")));
    lines
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |cause: std::io::Error| format!("{}: {cause}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml" || ending == "json") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(format!(
            "{} has no file of calls: write one, as tests/calls.yaml of a new plugin",
            folder.display()
        ));
    }
    Ok(files)
}

fn read(file: &Path) -> Result<Vec<ScriptedCall>, String> {
    let shown = file.display().to_string();
    let failed = |cause: std::io::Error| format!("{shown}: {cause}");
    if fs::metadata(file).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(format!("{shown}: larger than {FILE_BYTES_MAX} bytes; split it"));
    }
    let text = fs::read_to_string(file).map_err(failed)?;
    let document = plugboard_document::parse(&shown, &text)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    ScriptedCall::read(&document.to_json()).map_err(|fault| format!("{shown}: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these calls, and the echo action as it was built.
    fn desk(calls: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tests")).unwrap();
        fs::write(folder.path().join("tests/calls.yaml"), calls).unwrap();
        let program = std::env::current_exe().unwrap();
        let beside = || program.ancestors().nth(3).unwrap().join("plugins");
        let built = std::env::var_os("PLUGBOARD_PLUGINS").map_or_else(beside, PathBuf::from);
        (folder, built.join("hang-up.wasm"))
    }

    #[test]
    fn calls_that_come_out_as_written_pass_and_others_show_what_was_otherwise() {
        let (folder, wasm) = desk(
            "- name: it ends the call\n  expect: { outcome: failed, reason: the call is over, calls: [call.hang-up] }\n\
             - name: it plays something\n  expect: { outcome: again, calls: [call.play welcome] }\n",
        );
        let told = test(folder.path(), Some(&wasm)).unwrap();
        let lines = shown(&told).join("\n");
        assert_eq!((told["passed"].as_u64(), told["failed"].as_u64()), (Some(1), Some(1)), "{lines}");
        assert!(lines.contains("ok      it ends the call"), "{lines}");
        assert!(lines.contains("FAILED  it plays something") && lines.contains("- call.play welcome"), "{lines}");
    }

    #[test]
    fn a_file_that_is_written_wrongly_is_told_with_its_place() {
        let (folder, wasm) = desk("- name: a\n  expect: { outcom: done }\n");
        let fault = test(folder.path(), Some(&wasm)).unwrap_err();
        assert!(fault.contains("calls.yaml: call 1: unknown field `outcom`"), "{fault}");
        let (folder, wasm) = desk("- name: [\n");
        assert!(test(folder.path(), Some(&wasm)).unwrap_err().contains("calls.yaml:"));
        fs::remove_file(folder.path().join("tests/calls.yaml")).unwrap();
        assert!(test(folder.path(), Some(&wasm)).unwrap_err().contains("no file of calls"));
    }
}
