//! What makes components of actions in JavaScript and Python: kept in the tools' folder, for the tests of the SDK.

use std::path::Path;

use crate::browser;
use crate::machine;
use crate::project::Project;
use crate::step::{Failure, Log, Show};

/// Both, as the templates of the SDK pin them: 39 MB and 70 MB, half a minute where the network is quick.
pub(crate) fn provide(project: &Project, log: &mut Log) -> Result<Vec<&'static str>, Failure> {
    let mut made = Vec::new();
    let (source, folder) = (project.root.join("sdk/javascript/template"), project.tools().join("javascript"));
    if !browser::is_installed(&source, &folder) {
        log.say("fetching what puts JavaScript into a component");
        browser::install(project, log, &source, &folder)?;
        made.push("componentize-qjs");
    }
    let (source, folder) = (project.root.join("sdk/python/template"), project.tools().join("python"));
    if !is_installed(&source, &folder) {
        log.say("fetching what puts Python into a component");
        install(project, log, &source, &folder)?;
        made.push("componentize-py");
    }
    Ok(made)
}

/// What pip reads: the one package with its version.
const REQUIREMENTS: &str = "requirements.txt";
/// Started from wherever the folder is: pip's own script knows the packages of the system alone.
const PROGRAM: &str = "#!/bin/sh\nhere=$(dirname \"$0\")/..\nPYTHONPATH=\"$here/lib\" exec python3 \"$here/lib/bin/componentize-py\" \"$@\"\n";

/// Whether what lies there was made from these requirements.
fn is_installed(source: &Path, folder: &Path) -> bool {
    let read = |folder: &Path| std::fs::read(folder.join(REQUIREMENTS)).ok();
    folder.join("bin/componentize-py").exists() && read(source).is_some_and(|ours| Some(ours) == read(folder))
}

/// Installs into a folder of its own, which appears only when it is whole.
fn install(project: &Project, log: &mut Log, source: &Path, folder: &Path) -> Result<(), Failure> {
    machine::provide_pip(project, log)?;
    let part = folder.with_extension("part");
    let told = |error: std::io::Error| Failure::new(format!("{}: {error}", part.display()));
    for old in [folder, &part] {
        if old.exists() {
            std::fs::remove_dir_all(old).map_err(told)?;
        }
    }
    std::fs::create_dir_all(part.join("bin")).map_err(told)?;
    std::fs::copy(source.join(REQUIREMENTS), part.join(REQUIREMENTS)).map_err(told)?;
    let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target", "lib"];
    let mut pip = project.command("python3", &pip);
    log.run(pip.args(["--requirement", REQUIREMENTS]).current_dir(&part), Show::OnFailure)?;
    let program = part.join("bin/componentize-py");
    std::fs::write(&program, PROGRAM).map_err(told)?;
    log.run(project.command("chmod", &["+x"]).arg(&program), Show::OnFailure)?;
    std::fs::rename(&part, folder).map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_is_fetched_again_when_another_version_is_wanted() {
        let here = std::env::temp_dir().join(format!("plugboard-languages-{}", std::process::id()));
        let (source, folder) = (here.join("source"), here.join("made"));
        std::fs::create_dir_all(&source).unwrap();
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        for place in [&source, &folder] {
            std::fs::write(place.join(REQUIREMENTS), "componentize-py==1").unwrap();
        }
        assert!(!is_installed(&source, &folder), "there is no program");
        std::fs::write(folder.join("bin/componentize-py"), PROGRAM).unwrap();
        assert!(is_installed(&source, &folder));
        std::fs::write(source.join(REQUIREMENTS), "componentize-py==2").unwrap();
        assert!(!is_installed(&source, &folder));
        std::fs::remove_dir_all(&here).unwrap();
    }
}
