//! `cargo up`: set up, build, serve the demo office.

use std::os::unix::process::CommandExt;

use crate::args::UpWish;
use crate::machine;
use crate::plugins;
use crate::project::Project;
use crate::rust;
use crate::step::{Failure, Log, Steps};

/// The program of the switch.
const SERVER: &str = "plugboard";

/// Sets up, builds and becomes `plugboard serve --demo`; comes back only when a step failed or nothing was to be served.
pub(crate) fn up(project: &Project, wish: &UpWish) -> bool {
    let total = if wish.setup_only { 2 } else { 4 };
    let mut steps = match Steps::new(project, total) {
        Ok(steps) => steps,
        Err(failure) => return failure.print(),
    };
    let ready = steps.run("machine", "the machine", &mut |log| machine::for_build(project, log))
        && steps.run("rust", "the Rust toolchain", &mut |log| rust::for_build(project, log));
    if !ready || wish.setup_only {
        return ready;
    }
    let built = steps.run("plugins", "build the plugins", &mut |log| plugins::build(project, log))
        && steps.run("switch", "build the switch", &mut |log| build_switch(project, log));
    if !built {
        return false;
    }
    steps.print_table();
    serve(project, &wish.serve).print()
}

fn build_switch(project: &Project, log: &mut Log) -> Result<String, Failure> {
    project.build(log, SERVER)?;
    Ok(String::new())
}

/// Becomes the switch; the answer is why that failed.
fn serve(project: &Project, wishes: &[String]) -> Failure {
    let mut serve = project.command(project.target.join("release").join(SERVER), &["serve", "--demo"]);
    let named = wishes.iter().any(|wish| wish == "--data" || wish.starts_with("--data="));
    if !named {
        serve.arg("--data").arg(project.root.join("plugboard-data"));
    }
    serve.args(wishes).env("PLUGBOARD_PLUGINS", plugins::folder(project));
    println!();
    let error = serve.exec();
    Failure::of_command(&serve, format!("the switch could not be started: {error}"))
}
