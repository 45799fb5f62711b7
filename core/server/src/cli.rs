//! The command line.

use clap::{Args, Parser, Subcommand};
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::control::{self, Request};
use crate::{license, output, serve, show};

/// A telephone switch for offices whose CRM decides where calls go.
#[derive(Debug, Parser)]
#[command(name = "plugboard", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Print JSON for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the running switch is found.
#[derive(Debug, Clone, Args)]
pub(crate) struct Running {
    /// The data folder of the running switch.
    #[arg(long, global = true, env = "PLUGBOARD_DATA", default_value = "/var/lib/plugboard")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the switch.
    Serve(Serve),
    /// Check configuration, office and scenario files: print each fault with its place; exit 1 if there are any.
    Check {
        /// The folder of plugins whose actions scenarios may use.
        #[arg(long, env = "PLUGBOARD_PLUGINS")]
        plugins: Option<PathBuf>,
        /// Files: TOML is a configuration, YAML or JSON an office or a scenario.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print the JSON Schema of a kind of file.
    Schema {
        /// Which kind.
        #[arg(value_parser = ["config", "office", "scenario"])]
        kind: String,
        /// The folder of plugins whose actions scenarios may use.
        #[arg(long, env = "PLUGBOARD_PLUGINS")]
        plugins: Option<PathBuf>,
    },
    /// Load an office file into the running switch.
    Apply {
        #[command(flatten)]
        running: Running,
        /// Why, for the list of versions.
        #[arg(long, default_value = "")]
        why: String,
        /// Office files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print an office of the running switch as a file that `apply` takes. Passwords stay where they are: applied to
    /// the same switch, users keep theirs.
    Export {
        #[command(flatten)]
        running: Running,
        /// Write the passwords out, so that another switch can take the file.
        #[arg(long)]
        secrets: bool,
        /// The office.
        #[arg(default_value = "main")]
        office: String,
    },
    /// Calls: live ones, past ones, what happened in them.
    Call {
        #[command(flatten)]
        running: Running,
        #[command(subcommand)]
        command: CallCommand,
    },
    /// How the running switch is.
    Status {
        #[command(flatten)]
        running: Running,
    },
    /// Which devices are registered.
    Registrations {
        #[command(flatten)]
        running: Running,
    },
    /// The installed actions.
    Plugin {
        #[command(flatten)]
        running: Running,
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Copy the data folder of the running switch to a new folder.
    Backup {
        #[command(flatten)]
        running: Running,
        /// The new folder.
        to: PathBuf,
    },
    /// Make a data folder from a backup. The switch must not run on it.
    Restore {
        /// The backup.
        from: PathBuf,
        /// The new data folder.
        to: PathBuf,
    },
    /// The licences of Plugboard and of everything in it.
    Licenses,
    /// The version.
    Version,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CallCommand {
    /// List calls: the live ones, then the newest past ones.
    List {
        /// At most so many past ones.
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// The office.
        #[arg(long, default_value = "main")]
        office: String,
    },
    /// Show a call's record.
    Show {
        /// The call's id, as `list` shows it.
        id: String,
    },
    /// Show what happened in a call: steps, host calls, legs; with `--sip` its SIP messages.
    Trace {
        /// The call's id.
        id: String,
        /// The SIP messages as a ladder.
        #[arg(long)]
        sip: bool,
        /// Write the SIP messages to a file for Wireshark.
        #[arg(long)]
        pcap: Option<PathBuf>,
    },
    /// Run a call's actions again from its journal and compare what they decide.
    Replay {
        /// The call's id.
        id: String,
    },
    /// End a call.
    Hangup {
        /// The call's id.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the installed actions with what they import.
    List,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The configuration file (TOML).
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
    /// The data folder.
    #[arg(long, env = "PLUGBOARD_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Serve the demo office, with a data folder of its own.
    #[arg(long)]
    pub(crate) demo: bool,
    /// Listen for SIP here (UDP and TCP) instead of what the configuration says; port 0 takes a free one.
    #[arg(long)]
    pub(crate) listen: Option<SocketAddr>,
    /// Serve HTTP (metrics, health) here; port 0 takes a free one.
    #[arg(long)]
    pub(crate) http: Option<SocketAddr>,
    /// RTP ports, such as 20000-29999.
    #[arg(long)]
    pub(crate) rtp_ports: Option<String>,
    /// The folder of plugins.
    #[arg(long, env = "PLUGBOARD_PLUGINS")]
    pub(crate) plugins: Option<PathBuf>,
}

/// Carries the command out.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let json = cli.json;
    match cli.command {
        Command::Serve(wish) => serve::serve(&wish, json),
        Command::Check { plugins, files } => show::check(&files, plugins.as_deref(), json),
        Command::Schema { kind, plugins } => show::schema(&kind, plugins.as_deref()),
        Command::Apply { running, why, files } => show::apply(&running, &files, &why, json),
        Command::Export { running, secrets, office } => {
            control::ask(&running, &Request::Export { office, secrets }, |answer| show::text(answer, "yaml", json))
        }
        Command::Call { running, command } => call(&running, command, json),
        Command::Status { running } => control::ask(&running, &Request::Status, |answer| show::status(answer, json)),
        Command::Registrations { running } => {
            control::ask(&running, &Request::Registrations, |answer| show::registrations(answer, json))
        }
        Command::Plugin { running, command: PluginCommand::List } => {
            control::ask(&running, &Request::Plugins, |answer| show::plugins(answer, json))
        }
        Command::Backup { running, to } => {
            let to = std::path::absolute(&to).unwrap_or(to);
            control::ask(&running, &Request::Backup { to }, |answer| show::plain(answer, json))
        }
        Command::Restore { from, to } => match plugboard_store::restore(&from, &to) {
            Ok(report) => {
                let done = format!("restored {} files, {} bytes", report.files, report.bytes);
                let told = json!({ "done": done, "files": report.files, "bytes": report.bytes });
                show::plain(&told, json)
            }
            Err(error) => {
                output::fault(error.to_string());
                ExitCode::from(1)
            }
        },
        Command::Licenses => show::text(&json!({ "text": license::TEXT }), "text", json),
        Command::Version if json => show::plain(&json!({ "version": env!("CARGO_PKG_VERSION") }), json),
        Command::Version => {
            output::line(concat!("plugboard ", env!("CARGO_PKG_VERSION")));
            ExitCode::SUCCESS
        }
    }
}

fn call(running: &Running, command: CallCommand, json: bool) -> ExitCode {
    match command {
        CallCommand::List { limit, office } => {
            control::ask(running, &Request::Calls { office, limit }, |answer| show::calls(answer, json))
        }
        CallCommand::Show { id } => control::ask(running, &Request::Record { id }, |answer| show::record(answer, json)),
        CallCommand::Trace { id, pcap: Some(file), .. } => {
            control::ask(running, &Request::Sip { id }, |answer| show::pcap(answer, &file, json))
        }
        CallCommand::Trace { id, sip: true, pcap: None } => {
            control::ask(running, &Request::Sip { id }, |answer| show::ladder(answer, json))
        }
        CallCommand::Trace { id, sip: false, pcap: None } => {
            control::ask(running, &Request::Journal { id }, |answer| show::journal(answer, json))
        }
        CallCommand::Replay { id } => {
            control::ask(running, &Request::Replay { id }, |answer| show::replay(answer, json))
        }
        CallCommand::Hangup { id } => {
            control::ask(running, &Request::HangUp { id }, |answer| show::plain(answer, json))
        }
    }
}
