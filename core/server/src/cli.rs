//! The command line.

mod outbox;

mod nouns;
mod plugin;

pub(crate) use nouns::{ContactCommand, QueueCommand, RouteCommand, UserCommand};

use clap::{Args, Parser, Subcommand, ValueEnum};
use plugboard_document::Fault;
use plugboard_switch::{Clock, SystemClock};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::{Config, DEFAULT_FILE};
use crate::control::{self, ContactWish, FaxWish, Request, TransferTo, UserWish};
use crate::explain::{self, Wish};
use crate::faxes::{self, Form};
use crate::recordings::{self, Which};
use crate::{check, license, output, schema, serve, show, simulate};

/// A telephone switch for offices whose CRM decides where calls go.
#[derive(Debug, Parser)]
#[command(name = "plugboard", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Print JSON for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) home: Home,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the switch has its data and its configuration: before or after the words of any command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Home {
    /// The data folder [default: the one of the configuration, else /var/lib/plugboard].
    #[arg(long, global = true, env = "PLUGBOARD_DATA", value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration file, TOML [default: /etc/plugboard/plugboard.toml where there is one].
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl Home {
    /// The configuration: the named file, else the default one where there is one.
    ///
    /// # Errors
    /// Every fault of the file.
    pub(crate) fn config(&self) -> Result<Config, Vec<Fault>> {
        match &self.config {
            Some(file) => Config::read(file),
            None if Path::new(DEFAULT_FILE).exists() => Config::read(Path::new(DEFAULT_FILE)),
            None => Ok(Config::default()),
        }
    }

    /// The data folder of the running switch.
    ///
    /// # Errors
    /// Every fault of the configuration, when that has to say it.
    pub(crate) fn folder(&self) -> Result<PathBuf, Vec<Fault>> {
        self.data.clone().map_or_else(|| self.config().map(|config| config.data), Ok)
    }
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
        /// Exit 1 for warnings as well, such as audio that is missing.
        #[arg(long)]
        strict: bool,
        /// Files: TOML is a configuration, YAML or JSON an office or a scenario.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Let a call happen that nobody makes, in virtual time: on this very switch, with its actions, people and services as said.
    Simulate(simulate::Wish),
    /// Print the JSON Schema of a kind of file, or its reference for people.
    Schema {
        /// Which kind.
        kind: Kind,
        /// Print the reference: every key with its type, default, limits and an example, as Markdown.
        #[arg(long)]
        markdown: bool,
        /// The folder of plugins whose actions scenarios may use.
        #[arg(long, env = "PLUGBOARD_PLUGINS")]
        plugins: Option<PathBuf>,
    },
    /// Load an office file into the running switch.
    Apply {
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
        /// Write the passwords out, so that another switch can take the file.
        #[arg(long)]
        secrets: bool,
        /// Not the office as it is, but one of its versions, as `versions` lists them.
        #[arg(long, value_name = "VERSION")]
        at: Option<u64>,
        /// The office.
        #[arg(default_value = "main")]
        office: String,
    },
    /// Apply a version of an office once more: it becomes the newest one. Calls that go on keep the one that they began with.
    Rollback {
        /// Why, for the list of versions.
        #[arg(long, default_value = "")]
        why: String,
        /// The version, as `versions` lists it.
        version: u64,
        /// The office.
        #[arg(default_value = "main")]
        office: String,
    },
    /// List the versions of an office that were applied, newest first: when, by what, why.
    Versions {
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// The office.
        #[arg(default_value = "main")]
        office: String,
    },
    /// What differs between two versions of an office, or between an office and a file: users, groups, routes, scenarios and their steps. Without
    /// a version: what the last `apply` changed. Passwords are compared and not shown.
    Diff {
        /// The office.
        #[arg(default_value = "main")]
        office: String,
        /// From this version, as `versions` lists it.
        from: Option<u64>,
        /// To this one [default: what is in force].
        to: Option<u64>,
        /// To this office file, which nobody has applied.
        #[arg(long, value_name = "FILE", conflicts_with = "to")]
        file: Option<PathBuf>,
    },
    /// Calls: live ones, past ones, what happened in them.
    Call {
        #[command(subcommand)]
        command: CallCommand,
    },
    /// Recordings of calls and voice messages.
    Recording {
        #[command(subcommand)]
        command: RecordingCommand,
    },
    /// Faxes: those that were received, and those that are to be sent.
    Fax {
        #[command(subcommand)]
        command: FaxCommand,
    },
    /// Mails, text messages and posts: those that wait, and what became of the others.
    Outbox {
        #[command(subcommand)]
        command: outbox::OutboxCommand,
    },
    /// How the running switch is.
    Status,
    /// Which devices are registered.
    Registrations,
    /// Users: their status, where their calls go, their groups.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Contacts: people outside whom an office knows.
    Contact {
        #[command(subcommand)]
        command: ContactCommand,
    },
    /// Callers who wait until somebody is free.
    Queue {
        #[command(subcommand)]
        command: QueueCommand,
    },
    /// Routes: where calls go, and why.
    Route {
        #[command(subcommand)]
        command: RouteCommand,
    },
    /// Plugins: the installed actions; files of plugins, and who signed them.
    Plugin {
        #[command(subcommand)]
        command: plugin::PluginCommand,
    },
    /// Remove now what was kept long enough, as the switch does each hour; also when it holds that back because the clock
    /// jumped: the clock is right.
    Trim,
    /// Copy the data folder of the running switch, with recordings, messages and faxes, to a new folder.
    Backup {
        /// The new folder, or one whose backup was cut short: it goes on.
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

/// Reads a count: one past what an answer holds is a fault and not silently fewer.
fn up_to(most: usize) -> clap::builder::RangedU64ValueParser<usize> {
    clap::builder::RangedU64ValueParser::new().range(1..=u64::try_from(most).unwrap_or(u64::MAX))
}

#[derive(Debug, Subcommand)]
pub(crate) enum CallCommand {
    /// List calls: the live ones, then the newest past ones.
    List {
        /// At most so many past ones, up to 1000.
        #[arg(long, default_value_t = 20, value_parser = up_to(serve::RECORDS_MAX))]
        limit: usize,
        /// Where the list before this one ended, as it said.
        #[arg(long, value_name = "MARK")]
        after: Option<String>,
        /// The office.
        #[arg(long, default_value = "main")]
        office: String,
    },
    /// Show a call: who, when, how it ended; of one that goes on, what there is so far.
    Show {
        /// The call's id, as `list` shows it.
        id: String,
    },
    /// Who was rung in a call and who was not, and why; what decided where it went.
    Explain {
        /// The call's id.
        id: String,
        /// Of this user alone, by his id, internal number or name: why did his phone ring, or why not?
        #[arg(long, value_name = "USER")]
        user: Option<String>,
    },
    /// Show what happened in a call, line by line: steps, host calls, legs; with `--sip` its SIP messages.
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
    /// Hand a call on: one leaves, whoever he talks to is connected with somebody else.
    Transfer {
        /// The call's id.
        id: String,
        /// Who leaves: the number of a user's leg, as `show` has it [default: the only one that can].
        #[arg(long)]
        leg: Option<u32>,
        #[command(flatten)]
        to: TransferTo,
    },
    /// End a call.
    Hangup {
        /// The call's id.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RecordingCommand {
    /// List them, newest first.
    List {
        #[command(flatten)]
        which: Which,
        /// At most so many, up to 1000.
        #[arg(long, default_value_t = 20, value_parser = up_to(recordings::LIST_MAX))]
        limit: usize,
    },
    /// Copy one to a new file, also while it grows.
    Export {
        /// The recording's id, as `list` shows it.
        id: String,
        /// The new file [default: the id with .wav, here].
        to: Option<PathBuf>,
    },
    /// Erase recordings with their files: those named, and all of a number or a user.
    Erase {
        /// Ids, as `list` shows them.
        ids: Vec<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Compare files with the sums that they had when they ended; exit 1 if one differs or is gone.
    Verify {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum FaxCommand {
    /// List them, newest first.
    List {
        /// Of calls from or to this number, whole.
        #[arg(long)]
        number: Option<String>,
        /// The office.
        #[arg(long, default_value = "main")]
        office: String,
        /// At most so many, up to 1000.
        #[arg(long, default_value_t = 20, value_parser = up_to(recordings::LIST_MAX))]
        limit: usize,
    },
    /// Copy one to a new file.
    Export {
        /// The fax's id, as `list` and `call show` show it.
        id: String,
        /// The new file [default: the id with .pdf or .tif, here].
        to: Option<PathBuf>,
        /// As what: a PDF, or the TIFF file that was received.
        #[arg(long, value_enum, default_value_t = Form::Pdf)]
        form: Form,
    },
    /// Erase faxes with their files: those named, and all of a number.
    Erase {
        /// Ids, as `list` shows them.
        #[arg(required_unless_present = "number")]
        ids: Vec<String>,
        /// Of calls from or to this number, whole.
        #[arg(long)]
        number: Option<String>,
        /// The office.
        #[arg(long, default_value = "main")]
        office: String,
    },
    /// Compare files with the sums that they had when they were received; exit 1 if one differs or is gone.
    Verify {
        /// The office.
        #[arg(long, default_value = "main")]
        office: String,
    },
    /// Order a fax: the switch calls the number, and again if need be, until it is sent or given up.
    Send {
        /// The office.
        office: String,
        #[command(flatten)]
        wish: FaxWish,
        /// The document: TIFF in black and white; other sizes than a fax's are scaled.
        file: PathBuf,
        /// What the order is called: the same key is the same order, however often it is given.
        #[arg(long)]
        key: Option<String>,
    },
    /// List the faxes that were ordered, newest first, with each try.
    Queue {
        /// To this number alone, as it was ordered.
        #[arg(long)]
        number: Option<String>,
        /// The office.
        #[arg(default_value = "main")]
        office: String,
        /// At most so many, up to 1000.
        #[arg(long, default_value_t = 20, value_parser = up_to(plugboard_console::faxes::ORDERS_MAX))]
        limit: usize,
    },
    /// Take back a fax that waits.
    Cancel {
        /// The order's id, as `queue` shows it.
        id: String,
        /// The office.
        #[arg(long, default_value = "main")]
        office: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
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
    /// The UDP port that browsers send to, one a thread from it up; port 0 takes free ones.
    #[arg(long)]
    pub(crate) webrtc_port: Option<u16>,
    /// The folder of plugins.
    #[arg(long, env = "PLUGBOARD_PLUGINS")]
    pub(crate) plugins: Option<PathBuf>,
}

/// A kind of file that people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// The configuration of the switch (TOML).
    Config,
    /// An office (YAML).
    Office,
    /// A scenario (YAML).
    Scenario,
}

/// Carries the command out.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let Cli { json, home, command } = cli;
    output::for_programs(json);
    let home = &home;
    match command {
        Command::Serve(wish) => serve::serve(&wish, home, json),
        Command::Check { plugins, strict, files } => check::check(&files, plugins.as_deref(), home, strict, json),
        Command::Simulate(wish) => simulate::simulate(home, &wish, json),
        Command::Schema { kind, markdown, plugins } => schema::schema(kind, markdown, plugins.as_deref(), home),
        Command::Apply { why, files } => show::apply(home, &files, &why, json),
        Command::Export { secrets, at, office } => {
            control::ask(home, &Request::Export { office, secrets, version: at }, |answer| {
                show::text(answer, "yaml", json)
            })
        }
        Command::Rollback { why, version, office } => {
            control::ask(home, &Request::RollBack { office, version, why }, |answer| show::applied(answer, json))
        }
        Command::Versions { limit, office } => {
            control::ask(home, &Request::Versions { office, limit }, |answer| show::versions(answer, json))
        }
        Command::Diff { office, from, to, file } => show::diff_of(home, (office, from, to), file.as_deref(), json),
        Command::Trim => control::ask(home, &Request::Trim, |answer| show::plain(answer, json)),
        Command::Call { command } => call(home, command, json),
        Command::Recording { command } => recording(home, command, json),
        Command::Fax { command } => fax(home, command, json),
        Command::Outbox { command } => outbox::run(home, command, json),
        Command::Status => control::ask(home, &Request::Status, |answer| show::status(answer, json)),
        Command::Registrations => {
            control::ask(home, &Request::Registrations, |answer| show::registrations(answer, json))
        }
        Command::Queue { command } => match command {
            QueueCommand::List { office } => {
                control::ask(home, &Request::Queues { office, which: None }, |answer| show::queues(answer, json))
            }
            QueueCommand::Show { scenario, office } => {
                let asked = Request::Queues { office, which: Some(scenario) };
                control::ask(home, &asked, |answer| show::one_queue(answer, json))
            }
        },
        Command::User { command } => {
            let request = match command {
                UserCommand::List { office } => Request::Users { office, which: None },
                UserCommand::Show { user, office } | UserCommand::Status { user, status: None, office, .. } => {
                    Request::Users { office, which: Some(user) }
                }
                UserCommand::Status { user, status, reason, office } => {
                    let wish = UserWish { status, reason, ..UserWish::default() };
                    Request::SetUser { office, which: user, wish }
                }
                UserCommand::Set { user, wish, office } => Request::SetUser { office, which: user, wish },
            };
            control::ask(home, &request, |answer| show::users(answer, json))
        }
        Command::Contact { command } => {
            let (office, wish) = match command {
                ContactCommand::List { limit, after, office } => (office, ContactWish::List { limit, after }),
                ContactCommand::Show { contact, office } => (office, ContactWish::Show { id: contact }),
                ContactCommand::Find { number, office } => (office, ContactWish::Find { number }),
            };
            control::ask(home, &Request::Contacts { office, wish }, |answer| show::contacts(answer, json))
        }
        Command::Route { command: RouteCommand::Explain { wish } } => explain(home, wish, json),
        Command::Plugin { command } => plugin::run(home, command, json),
        Command::Backup { to } => {
            let to = std::path::absolute(&to).unwrap_or(to);
            control::ask(home, &Request::Backup { to }, |answer| show::plain(answer, json))
        }
        Command::Restore { from, to } => restore(&from, &to, json),
        Command::Licenses => show::text(&json!({ "text": license::TEXT }), "text", json),
        Command::Version if json => show::plain(&json!({ "version": env!("CARGO_PKG_VERSION") }), json),
        Command::Version => {
            output::line(concat!("plugboard ", env!("CARGO_PKG_VERSION")));
            ExitCode::SUCCESS
        }
    }
}

fn explain(home: &Home, wish: Wish, json: bool) -> ExitCode {
    let Some(file) = &wish.file else {
        return control::ask(home, &Request::Explain { wish }, |answer| show::explained(answer, json));
    };
    match explain::explain_file(file, &wish, SystemClock::start().wall()) {
        Ok(answer) => show::explained(&answer, json),
        Err(faults) => {
            faults.iter().for_each(output::error);
            ExitCode::from(1)
        }
    }
}

fn recording(home: &Home, command: RecordingCommand, json: bool) -> ExitCode {
    match command {
        RecordingCommand::List { which, limit } => {
            control::ask(home, &Request::Recordings { which, limit }, |answer| show::recordings(answer, json))
        }
        RecordingCommand::Export { id, to } => {
            let to = recordings::target(to, &id);
            control::ask(home, &Request::ExportRecording { id, to }, |answer| show::plain(answer, json))
        }
        RecordingCommand::Erase { ids, which } if ids.is_empty() && which.is_everything() => {
            output::error("say which: ids, --number, --user or --messages");
            ExitCode::from(2)
        }
        RecordingCommand::Erase { ids, which } => {
            control::ask(home, &Request::EraseRecordings { ids, which }, |answer| show::plain(answer, json))
        }
        RecordingCommand::Verify { which } => {
            control::ask(home, &Request::VerifyRecordings { which }, |answer| show::verified(answer, json))
        }
    }
}

fn fax(home: &Home, command: FaxCommand, json: bool) -> ExitCode {
    match command {
        FaxCommand::List { number, office, limit } => {
            control::ask(home, &Request::Faxes { office, number, limit }, |answer| show::faxes(answer, json))
        }
        FaxCommand::Export { id, to, form } => {
            let to = faxes::target(to, &id, form);
            control::ask(home, &Request::ExportFax { id, form, to }, |answer| show::plain(answer, json))
        }
        FaxCommand::Erase { ids, number, office } => {
            control::ask(home, &Request::EraseFaxes { ids, office, number }, |answer| show::plain(answer, json))
        }
        FaxCommand::Verify { office } => {
            control::ask(home, &Request::VerifyFaxes { office }, |answer| show::verified(answer, json))
        }
        FaxCommand::Send { office, wish, file, key } => match faxes::read(&file) {
            Ok(document) => {
                let request = Request::SendFax { office, wish, key, document };
                control::ask(home, &request, |answer| show::ordered(answer, json))
            }
            Err(fault) => {
                output::error(fault);
                ExitCode::from(1)
            }
        },
        FaxCommand::Queue { number, office, limit } => {
            control::ask(home, &Request::OutgoingFaxes { office, number, limit }, |answer| show::queue(answer, json))
        }
        FaxCommand::Cancel { id, office } => {
            control::ask(home, &Request::CancelFax { office, id }, |answer| show::plain(answer, json))
        }
    }
}

fn restore(from: &Path, to: &Path, json: bool) -> ExitCode {
    match plugboard_store::restore(from, to) {
        Ok(report) => {
            let demo = if report.kind == plugboard_store::Kind::Demo { " --demo" } else { "" };
            let command = format!("plugboard serve{demo} --data {}", to.display());
            let plugboard_store::BackupReport {
                files,
                bytes,
                missing,
                damaged,
                which,
                given_up,
                notices_given_up,
                promises_given_up,
                ..
            } = &report;
            let doubt = serve::in_doubt(&report);
            let faxes = match given_up {
                0 => String::new(),
                _ => format!("; {given_up} faxes that waited are given up, since they may have been sent since"),
            };
            let notices = match notices_given_up {
                0 => String::new(),
                _ => format!("; {notices_given_up} mails, text messages and posts that waited are given up likewise"),
            };
            let promises = match promises_given_up {
                0 => String::new(),
                _ => format!(
                    "; {promises_given_up} callers who were to be called back are not, since they may have been"
                ),
            };
            let done = format!(
                "restored {files} files, {bytes} bytes{doubt}{faxes}{notices}{promises}; serve them with `{command}`"
            );
            let answer = json!({ "done": done, "files": files, "bytes": bytes, "missing": missing, "damaged": damaged, "which": which, "given_up": given_up, "notices_given_up": notices_given_up, "promises_given_up": promises_given_up });
            show::plain(&answer, json)
        }
        Err(error) => {
            output::error(error.to_string());
            ExitCode::from(1)
        }
    }
}

fn call(home: &Home, command: CallCommand, json: bool) -> ExitCode {
    match command {
        CallCommand::List { limit, after, office } => {
            control::ask(home, &Request::Calls { office, limit, after }, |answer| show::calls(answer, json))
        }
        CallCommand::Show { id } => control::ask(home, &Request::Record { id }, |answer| show::record(answer, json)),
        CallCommand::Explain { id, user } => {
            control::ask(home, &Request::Journal { id, user }, |answer| show::why(answer, json))
        }
        CallCommand::Trace { id, pcap: Some(file), .. } => {
            control::ask(home, &Request::Sip { id }, |answer| show::pcap(answer, &file, json))
        }
        CallCommand::Trace { id, sip: true, pcap: None } => {
            control::ask(home, &Request::Sip { id }, |answer| show::ladder(answer, json))
        }
        CallCommand::Trace { id, sip: false, pcap: None } => {
            control::ask(home, &Request::Journal { id, user: None }, |answer| show::timeline(answer, json))
        }
        CallCommand::Replay { id } => control::ask(home, &Request::Replay { id }, |answer| show::replay(answer, json)),
        CallCommand::Transfer { id, leg, to } => {
            control::ask(home, &Request::Transfer { id, leg, to }, |answer| show::plain(answer, json))
        }
        CallCommand::Hangup { id } => control::ask(home, &Request::HangUp { id }, |answer| show::plain(answer, json)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_calls_than_an_answer_holds_cannot_be_asked_for() {
        let asked = |limit: &str| Cli::try_parse_from(["plugboard", "call", "list", "--limit", limit]).is_ok();
        assert_eq!([asked("0"), asked("1"), asked("1000"), asked("1001")], [false, true, true, false]);
    }
}
