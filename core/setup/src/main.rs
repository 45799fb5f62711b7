//! The two commands of the README: `cargo up` and `cargo verify`.
//!
//! Aliases in `.cargo/config.toml` run this program. It needs nothing but the standard library, so that it builds in
//! seconds on a machine that has only Rust and a C linker; everything else it finds, fetches or asks for.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks on standard output")]

mod args;
mod browser;
mod clock;
mod crowd;
mod json;
mod languages;
mod machine;
mod notices;
mod plugins;
mod project;
mod rust;
mod step;
mod suites;
mod tally;
mod tools;
mod up;
mod verify;

use std::process::ExitCode;

use args::Command;
use project::Project;

/// The thing checked is wrong, or a step failed.
const FAILED: u8 = 1;
/// The command line is not understood.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let command = match args::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => {
            println!("{}", args::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(command) => command,
        Err(complaint) => {
            eprintln!("{complaint}\n\n{}", args::USAGE);
            return ExitCode::from(USAGE);
        }
    };
    let project = match Project::find() {
        Ok(project) => project,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(FAILED);
        }
    };
    let all_well = match command {
        Command::Help => true,
        Command::Up(wish) => up::up(&project, &wish),
        Command::Verify(wish) => verify::verify(&project, wish),
        Command::Plugins => plugins::only(&project),
        Command::Notices => notices::only(&project),
    };
    if all_well { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}
