//! `plugboard plugin`: the installed actions, and files of plugins.

mod build;
mod new;
mod project;
mod test;

use clap::Subcommand;
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Home;
use crate::control::{self, Request};
use crate::{output, plugin_file, show};

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the installed actions with what they import.
    List {
        /// The language of their titles: `en`, `ru`, `de`, or another that they have; else English.
        #[arg(long, default_value = "en")]
        language: String,
    },
    /// What an action does: its parameters, outcomes, events, variables and capabilities, as its component says.
    Show {
        /// The action, as scenarios call it.
        action: String,
        /// The language of its texts: `en`, `ru`, `de`, or another that it has; else English.
        #[arg(long, default_value = "en")]
        language: String,
    },
    /// Look at a plugin's file without installing it: what it is, what it would be allowed to do, who signed it, and why it would be refused;
    /// exit 1 if it would be.
    Inspect {
        /// The file: a component, or a core module that becomes one.
        file: PathBuf,
        /// The language of its texts: `en`, `ru`, `de`, or another that it has; else English.
        #[arg(long, default_value = "en")]
        language: String,
    },
    /// Write a new plugin: a folder with an action that builds, with tests, in the language you choose.
    New {
        /// What it is written in.
        #[arg(long, value_enum)]
        lang: project::Language,
        /// The action's name, and the folder's: 1 to 64 of a-z, 0-9 and -, a letter first.
        name: String,
        /// Where the folder is made.
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        folder: PathBuf,
        /// For Rust: a checkout of Plugboard, which has the SDK in it.
        #[arg(long, value_name = "FOLDER", env = "PLUGBOARD")]
        sdk: Option<PathBuf>,
    },
    /// Build a plugin's folder into one component, and look at it as a switch would.
    Build {
        /// The folder with `plugin.toml`.
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Build a plugin's folder and make the calls of its `tests/*.yaml` under the real host; exit 1 if one comes out otherwise.
    Test {
        /// The folder with `plugin.toml` and `tests`.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// Build nothing: test this file.
        #[arg(long, value_name = "FILE")]
        component: Option<PathBuf>,
    },
    /// Make a key to sign plugins with: write the private one to a new file that only you can read, print the public one.
    Keygen {
        /// The new file (PEM, PKCS #8). With `--public`: the file of a key that there is.
        file: PathBuf,
        /// Make none: print the public key of the private one in the file.
        #[arg(long)]
        public: bool,
    },
    /// Sign a plugin's file, so that admins can trust your key and not each of your files. A signature that it has is replaced.
    Sign {
        /// The file; a core module becomes a component first.
        file: PathBuf,
        /// Your private key, as `keygen` or `openssl genpkey -algorithm ed25519` wrote it.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Where the signed file goes [default: the file itself].
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Tell who signed a plugin's file; exit 1 if nobody did, if the file was changed since, or if it was none of the named keys.
    Verify {
        /// The file.
        file: PathBuf,
        /// A public key that is trusted: its 44 characters or its PEM file. May be given several times [default: any].
        #[arg(long, value_name = "KEY")]
        key: Vec<String>,
    },
}

/// Carries it out.
pub(super) fn run(home: &Home, command: PluginCommand, json: bool) -> ExitCode {
    match command {
        PluginCommand::List { language } => {
            control::ask(home, &Request::Plugins, |answer| show::plugins::list(answer, &language, json))
        }
        PluginCommand::Show { action, language } => {
            control::ask(home, &Request::Plugins, |answer| show::plugins::one(answer, &action, &language, json))
        }
        PluginCommand::Inspect { file, language } => {
            told(plugin_file::inspect(&file), |answer| show::plugins::inspected(answer, &language, json))
        }
        PluginCommand::New { lang, name, folder, sdk } => {
            told(new::new(lang, &name, &folder, sdk.as_deref()), |answer| show::plain(answer, json))
        }
        PluginCommand::Build { folder } => told(build::build(&folder), |answer| show::plain(answer, json)),
        PluginCommand::Test { folder, component } => told(test::test(&folder, component.as_deref()), |answer| {
            if json {
                output::json(answer);
            } else {
                test::shown(answer).iter().for_each(output::line);
            }
            ExitCode::from(u8::from(answer.get("failed").and_then(Value::as_u64) != Some(0)))
        }),
        PluginCommand::Keygen { file, public } => {
            let answer = if public { plugin_file::public(&file) } else { plugin_file::keygen(&file) };
            told(answer, |answer| show::text(answer, "public", json))
        }
        PluginCommand::Sign { file, key, output } => {
            let output = output.unwrap_or_else(|| file.clone());
            told(plugin_file::sign(&file, &key, &output), |answer| show::plain(answer, json))
        }
        PluginCommand::Verify { file, key } => {
            told(plugin_file::verify(&file, &key), |answer| show::plain(answer, json))
        }
    }
}

fn told(answer: Result<Value, String>, show: impl FnOnce(&Value) -> ExitCode) -> ExitCode {
    match answer {
        Ok(answer) => show(&answer),
        Err(fault) => {
            output::error(fault);
            ExitCode::from(1)
        }
    }
}
