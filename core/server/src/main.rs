//! The `plugboard` command.

mod boot;
mod carrier;
mod catalogue;
mod check;
mod cli;
mod config;
mod control;
mod database;
mod demo;
mod difference;
mod disk;
mod explain;
mod faxes;
mod grants;
mod history;
mod house;
mod integrations;
mod keep;
mod leave;
mod license;
mod losses;
mod names;
mod output;
mod plugin_file;
mod prompts;
mod push;
mod recordings;
mod recovery;
mod schema;
mod serve;
mod shelf;
mod show;
mod simulate;
mod speech;
mod stored;
mod web;

use clap::Parser;
use std::process::ExitCode;

/// A call makes and drops some thousand small things; this one takes half of glibc's time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no faults.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    cli::run(cli)
}
