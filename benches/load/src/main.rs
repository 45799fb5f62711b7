//! `plugboard-load`: what a running switch costs. See `--help` and `benches/README.md`.

mod agents;
mod bare;
mod clock;
mod devices;
mod epoll;
mod error;
mod line;
mod measure;
mod office;
mod options;
mod phones;
mod probe;
mod process;
mod report;
mod sipp;
mod switch;

use clap::Parser;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

use error::LoadError;
use measure::Bench;
use options::Options;
use report::{Report, eprint_line};

fn main() -> ExitCode {
    let options = Options::parse();
    let done = if options.bare_relay { bare::serve(options.bind) } else { measure(&options) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint_line(&format!("plugboard-load: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<(), LoadError> {
    let folder = folder(options)?;
    let mut report = Report::default();
    let before = process::load_average();
    let measured = Bench::new(options, &folder).and_then(|mut bench| bench.run(&mut report));
    let about = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "target": options.target.map(|target| target.to_string()),
        "cores": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "load_average_before": before,
        "load_average_after": process::load_average(),
    });
    // What was measured before a fault is worth its time too.
    show(options, &report, &about);
    match measured {
        Ok(()) if options.folder.is_none() => std::fs::remove_dir_all(&folder).map_err(LoadError::file(&folder)),
        Ok(()) => Ok(()),
        Err(error) => {
            eprint_line(&format!("logs are in {}", folder.display()));
            Err(error)
        }
    }
}

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
fn show(options: &Options, report: &Report, about: &serde_json::Value) {
    if options.json {
        println!("{}", report.json(about.clone()));
    } else {
        let load = (&about["load_average_before"], &about["load_average_after"]);
        println!("{}\nload average {} before, {} after", report.table(), load.0, load.1);
    }
}

fn folder(options: &Options) -> Result<PathBuf, LoadError> {
    let new = || std::env::temp_dir().join(format!("plugboard-load-{}", std::process::id()));
    let folder = options.folder.clone().unwrap_or_else(new);
    std::fs::create_dir_all(&folder).map_err(LoadError::file(&folder))?;
    std::path::absolute(&folder).map_err(LoadError::file(&folder))
}
