//! `plugboard plugin build`: one component of a project, by the tools of its language.

use super::project::{Language, Project};
use plugboard_plugin::{Catalogue, Inspection, Metering, PluginEngine, PoolSize};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interfaces, as the switch has them.
const WIT: [(&str, &str); 17] = [
    ("action.wit", include_str!("../../../../../wit/0.1.0/action.wit")),
    ("call.wit", include_str!("../../../../../wit/0.1.0/call.wit")),
    ("conference.wit", include_str!("../../../../../wit/0.1.0/conference.wit")),
    ("contacts.wit", include_str!("../../../../../wit/0.1.0/contacts.wit")),
    ("database.wit", include_str!("../../../../../wit/0.1.0/database.wit")),
    ("dial.wit", include_str!("../../../../../wit/0.1.0/dial.wit")),
    ("directory.wit", include_str!("../../../../../wit/0.1.0/directory.wit")),
    ("fax.wit", include_str!("../../../../../wit/0.1.0/fax.wit")),
    ("history.wit", include_str!("../../../../../wit/0.1.0/history.wit")),
    ("http.wit", include_str!("../../../../../wit/0.1.0/http.wit")),
    ("mail.wit", include_str!("../../../../../wit/0.1.0/mail.wit")),
    ("queue.wit", include_str!("../../../../../wit/0.1.0/queue.wit")),
    ("record.wit", include_str!("../../../../../wit/0.1.0/record.wit")),
    ("services.wit", include_str!("../../../../../wit/0.1.0/services.wit")),
    ("text-message.wit", include_str!("../../../../../wit/0.1.0/text-message.wit")),
    ("types.wit", include_str!("../../../../../wit/0.1.0/types.wit")),
    ("voicemail.wit", include_str!("../../../../../wit/0.1.0/voicemail.wit")),
];
const WORLD_FILE: &str = "action.wit";
const WORLD: &str = "action";
/// Where `cargo verify` has put tools of other languages.
const TOOLS_VARIABLE: &str = "PLUGBOARD_TOOLS";
/// The last lines of a tool that failed.
const LINES_SHOWN: usize = 30;

/// Builds the project in `folder`, and looks at what came of it as a switch would.
///
/// # Errors
/// A tool that is missing, with how it is installed; what the tool says; why no switch would install the component.
pub(super) fn build(folder: &Path) -> Result<Value, String> {
    let project = Project::read(folder)?;
    let component = made(&project)?;
    let path = project.component();
    fs::write(&path, &component).map_err(|cause| format!("{}: {cause}", path.display()))?;
    let engine = PluginEngine::new(Metering::Epoch, PoolSize::default())
        .map_err(|cause| format!("the plugin engine does not start: {cause}"))?;
    let looked = Inspection::of(&Catalogue::new(engine, None), &component);
    let manifest = match (looked.manifest, looked.refused) {
        (Some(manifest), None) => manifest,
        (_, refused) => {
            let why = refused.unwrap_or_default();
            return Err(format!("{} is built, but no switch would install it: {why}", path.display()));
        }
    };
    let capabilities: Vec<&str> = manifest.capabilities.iter().map(|capability| capability.as_str()).collect();
    let done = format!(
        "{} is built: the action {} {}, {} bytes, with the capabilities {}",
        path.display(),
        manifest.name,
        manifest.version,
        component.len(),
        capabilities.join(", ")
    );
    Ok(json!({
        "done": done, "file": path.display().to_string(), "action": manifest.name, "bytes": component.len(),
        "capabilities": capabilities,
    }))
}

/// The component that the project's own tools make.
pub(super) fn made(project: &Project) -> Result<Vec<u8>, String> {
    let (file, source) = match (project.language, &project.source) {
        (Language::Rust, _) => {
            return plugboard_testkit::build(&project.folder).map_err(|cause| cause.to_string());
        }
        (Language::JavaScript | Language::Python, None) => unreachable!("it is read with its source"),
        (Language::JavaScript | Language::Python, Some(source)) => (project.folder.join(source), source),
    };
    if !file.is_file() {
        return Err(format!(
            "{}: there is no such file, and {} names it as the source",
            file.display(),
            super::project::FILE
        ));
    }
    let folder = project.folder.join("build");
    let wit = world(project, &folder)?;
    let made = folder.join("component.wasm");
    let mut command = match project.language {
        Language::Rust => unreachable!("it is built by cargo"),
        Language::JavaScript => {
            let mut command = Command::new(javascript(project)?);
            let root = file.parent().unwrap_or(&project.folder);
            command.arg("--wit").arg(&wit).arg("--js").arg(&file).arg("--module-root").arg(root);
            command.args(["--world", WORLD, "--stub-wasi", "--sync", "--opt-size", "--output"]).arg(&made);
            command
        }
        Language::Python => {
            let module = source.with_extension("").to_string_lossy().replace('/', ".");
            let mut command = Command::new(python(project)?);
            command.arg("--wit-path").arg(&wit).args(["--world", WORLD, "componentize", "--stub-wasi"]);
            command.arg("--python-path").arg(&project.folder).arg("--output").arg(&made).arg(module);
            command
        }
    };
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|cause| format!("{program}: {cause}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LINES_SHOWN)..).unwrap_or_default().join("\n");
        return Err(format!("{program} could not build {}:\n{last}", file.display()));
    }
    fs::read(&made).map_err(|cause| format!("{}: {cause}", made.display()))
}

/// Writes the interfaces into the build's folder, with a world that imports what the project wants and nothing else: an
/// interpreter imports all of its world, and each import is a capability that somebody must grant.
fn world(project: &Project, folder: &Path) -> Result<PathBuf, String> {
    let wit = folder.join("wit");
    let failed = |cause: std::io::Error| format!("{}: {cause}", wit.display());
    fs::create_dir_all(&wit).map_err(failed)?;
    for (name, text) in WIT {
        let text = if name == WORLD_FILE { only(text, &project.capabilities)? } else { text.to_owned() };
        fs::write(wit.join(name), text).map_err(failed)?;
    }
    Ok(wit)
}

/// The interface that a line of the world imports.
fn import(line: &str) -> Option<&str> {
    line.trim().strip_prefix("import ")?.strip_suffix(';').map(|name| name.trim_start_matches('%'))
}

fn only(world: &str, capabilities: &[String]) -> Result<String, String> {
    let known: Vec<&str> = world.lines().filter_map(import).collect();
    if let Some(unknown) = capabilities.iter().find(|wanted| !known.contains(&wanted.as_str())) {
        return Err(format!("capabilities: there is no {unknown:?}; there are {}", known.join(", ")));
    }
    let kept = world.lines().filter(|line| import(line).is_none_or(|name| capabilities.iter().any(|one| one == name)));
    Ok(kept.collect::<Vec<_>>().join("\n") + "\n")
}

fn javascript(project: &Project) -> Result<PathBuf, String> {
    let program = "node_modules/.bin/componentize-qjs";
    found([project.folder.join(program)], &format!("javascript/{program}")).ok_or_else(|| {
        let folder = project.folder.display();
        let node =
            if on_path("npm").is_some() { "" } else { " (npm is not there either: install Node.js 20 or newer)" };
        format!("componentize-qjs is not there, which puts JavaScript into a component; run `npm ci` in {folder}{node}")
    })
}

fn python(project: &Project) -> Result<PathBuf, String> {
    let program = "bin/componentize-py";
    let own = project.folder.join(".venv").join(program);
    found([own], &format!("python/{program}")).or_else(|| on_path("componentize-py")).ok_or_else(|| {
        let folder = project.folder.display();
        format!(
            "componentize-py is not there, which puts Python into a component; run `python3 -m venv .venv && .venv/bin/pip install -r \
             requirements.txt` in {folder}"
        )
    })
}

/// The project's own tool, else that of the set-up.
fn found(own: impl IntoIterator<Item = PathBuf>, of_tools: &str) -> Option<PathBuf> {
    let tools = std::env::var_os(TOOLS_VARIABLE).map(|tools| Path::new(&tools).join(of_tools));
    own.into_iter().chain(tools).find(|path| path.is_file())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_of_a_project_imports_what_it_wants_and_nothing_else() {
        let world = WIT.iter().find(|(name, _)| *name == WORLD_FILE).unwrap().1;
        let wanted = ["call".to_owned(), "record".into()];
        let made = only(world, &wanted).unwrap();
        assert_eq!(made.lines().filter_map(import).collect::<Vec<_>>(), ["call", "record"]);
        assert!(made.contains("export run: func"));
        let fault = only(world, &["files".to_owned()]).unwrap_err();
        assert!(fault.contains("there is no \"files\"; there are call, dial, record"), "{fault}");
    }

    #[test]
    fn every_interface_that_an_action_may_import_is_written_for_it() {
        let all: String = WIT.iter().map(|(_, text)| *text).collect();
        let world = WIT.iter().find(|(name, _)| *name == WORLD_FILE).unwrap().1;
        let has = |name: &str| {
            all.contains(&format!("interface {name} {{")) || all.contains(&format!("interface %{name} {{"))
        };
        let lacks: Vec<&str> = world.lines().filter_map(import).filter(|name| !has(name)).collect();
        assert!(lacks.is_empty(), "add the files of {lacks:?} to WIT");
    }

    #[test]
    fn a_missing_tool_is_told_with_how_it_is_installed() {
        let here = tempfile::tempdir().unwrap();
        let write = |language: &str, source: &str| {
            let text = format!("name = \"a\"\nlanguage = \"{language}\"\nsource = \"{source}\"\n");
            fs::write(here.path().join("plugin.toml"), text).unwrap();
            Project::read(here.path()).unwrap()
        };
        fs::write(here.path().join("a.js"), "").unwrap();
        let project = write("javascript", "a.js");
        // Where the set-up has brought the tools it is found there.
        if let Err(fault) = javascript(&project) {
            assert!(fault.contains("run `npm ci` in"), "{fault}");
        }
        let fault = made(&write("javascript", "b.js")).unwrap_err();
        assert!(fault.contains("b.js: there is no such file"), "{fault}");
        fs::write(here.path().join("plugin.toml"), "name = \"a\"\nlanguage = \"cobol\"\nsize = 3\n").unwrap();
        let fault = Project::read(here.path()).unwrap_err();
        assert!(fault.contains("language") && fault.contains("size"), "{fault}");
        assert!(build(&here.path().join("absent")).unwrap_err().contains("plugboard plugin new"));
    }
}
