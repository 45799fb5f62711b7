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
use crate::control::{self, PluginOrder, Request};
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
    /// Put a plugin's file in force while calls go on: new calls run it, calls that run the version before finish with that. It must be signed
    /// by a key that you trust.
    Install {
        /// The file.
        file: PathBuf,
        /// Install it though nobody whom you trust has signed it.
        #[arg(long)]
        untrusted: bool,
    },
    /// Take away a plugin that was installed.
    Remove {
        /// Its name.
        name: String,
        /// Also if scenarios or integrations use it: calls that come to it fail.
        #[arg(long)]
        force: bool,
    },
    /// Put the version in force that was before: up to five are kept.
    Rollback {
        /// The plugin's name.
        name: String,
    },
    /// Trust what a vendor's key signs.
    Trust {
        /// The public key: its 44 characters or its PEM file, as the vendor gives it to you. Make sure that it is his.
        key: String,
        /// The vendor's name.
        #[arg(long, value_name = "NAME")]
        vendor: String,
    },
    /// Trust a key no more. What it has signed stays installed.
    Distrust {
        /// The key, or the vendor's name.
        key: String,
    },
    /// List the keys that are trusted.
    Keys,
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
        PluginCommand::Install { file, untrusted } => match plugin_file::sent(&file) {
            Ok(bytes) => {
                let file = file.display().to_string();
                order(home, PluginOrder::Install { file, bytes, untrusted }, json)
            }
            Err(fault) => told(Err(fault), |_| ExitCode::SUCCESS),
        },
        PluginCommand::Remove { name, force } => order(home, PluginOrder::Remove { name, force }, json),
        PluginCommand::Rollback { name } => order(home, PluginOrder::RollBack { name }, json),
        PluginCommand::Trust { key, vendor } => match plugin_file::public_key(&key) {
            Ok(key) => order(home, PluginOrder::Trust { key: key.to_string(), vendor }, json),
            Err(fault) => told(Err(fault), |_| ExitCode::SUCCESS),
        },
        PluginCommand::Distrust { key } => order(home, PluginOrder::Distrust { key }, json),
        PluginCommand::Keys => control::ask(home, &Request::Plugin { order: PluginOrder::Keys }, |answer| {
            show::plugins::keys(answer, json)
        }),
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

fn order(home: &Home, order: PluginOrder, json: bool) -> ExitCode {
    control::ask(home, &Request::Plugin { order }, |answer| show::plugins::ordered(answer, json))
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
