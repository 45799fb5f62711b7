//! The command line.

mod fax;
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
use crate::control::{self, ContactWish, ONLY, Request, TransferTo, UserWish};
use crate::explain::{self, Wish};
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

/// The office of a command in which it could once only stand as a word.
#[derive(Debug, Clone, Args)]
pub(crate) struct OfficeName {
    /// The office.
    #[arg(long = "office", value_name = "OFFICE", default_value = ONLY)]
    option: String,
    /// The same.
    #[arg(value_name = "OFFICE", conflicts_with = "option")]
    word: Option<String>,
}

impl OfficeName {
    pub(crate) fn named(self) -> String {
        self.word.unwrap_or(self.option)
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
        #[command(flatten)]
        office: OfficeName,
    },
    /// Apply a version of an office once more: it becomes the newest one. Calls that go on keep the one that they began with.
    Rollback {
        /// Why, for the list of versions.
        #[arg(long, default_value = "")]
        why: String,
        /// The version, as `versions` lists it.
        version: u64,
        #[command(flatten)]
        office: OfficeName,
    },
    /// List the versions of an office that were applied, newest first: when, by what, why.
    Versions {
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: usize,
        #[command(flatten)]
        office: OfficeName,
    },
    /// What differs between two versions of an office, or between an office and a file: users, groups, routes, scenarios and their steps. Without
    /// a version: what the last `apply` changed. Passwords are compared and not shown.
    Diff {
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
        /// From this version, as `versions` lists it, to this one [default: what is in force]. The office may stand before them.
        #[arg(value_name = "VERSION", num_args = 0..=3)]
        versions: Vec<String>,
        /// To this office file, which nobody has applied.
        #[arg(long, value_name = "FILE")]
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
        command: fax::FaxCommand,
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
        #[arg(long, default_value = ONLY)]
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
            let office = office.named();
            control::ask(home, &Request::Export { office, secrets, version: at }, |answer| {
                show::text(answer, "yaml", json)
            })
        }
        Command::Rollback { why, version, office } => {
            let office = office.named();
            control::ask(home, &Request::RollBack { office, version, why }, |answer| show::applied(answer, json))
        }
        Command::Versions { limit, office } => {
            let office = office.named();
            control::ask(home, &Request::Versions { office, limit }, |answer| show::versions(answer, json))
        }
        Command::Diff { office, versions, file } => match compared(office, versions, file.is_some()) {
            Ok(wish) => show::diff_of(home, wish, file.as_deref(), json),
            Err(fault) => wrong(fault),
        },
        Command::Trim => control::ask(home, &Request::Trim, |answer| show::plain(answer, json)),
        Command::Call { command } => call(home, command, json),
        Command::Recording { command } => recording(home, command, json),
        Command::Fax { command } => fax::run(home, command, json),
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

/// A command that nobody can carry out as it is written.
fn wrong(fault: String) -> ExitCode {
    output::error(fault);
    ExitCode::from(2)
}

/// What `diff` compares: the words are `[OFFICE] [FROM [TO]]`.
fn compared(office: String, words: Vec<String>, with_file: bool) -> Result<(String, Option<u64>, Option<u64>), String> {
    let mut words = words.into_iter().peekable();
    let is_version = |word: &String| word.parse::<u64>().is_ok();
    let office = match words.next_if(|word| office == ONLY && !is_version(word)) {
        Some(before) => before,
        None => office,
    };
    let versions: Vec<u64> = words
        .map(|word| word.parse().map_err(|_| format!("{word:?} is no version: `plugboard versions` lists them")))
        .collect::<Result<_, _>>()?;
    match versions.as_slice() {
        [] => Ok((office, None, None)),
        [from] => Ok((office, Some(*from), None)),
        [from, to] if !with_file => Ok((office, Some(*from), Some(*to))),
        [_, _] => Err("--file is what is compared with: one version at most stands before it".into()),
        _ => Err("two versions at most can be compared".into()),
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

    #[test]
    fn every_command_takes_its_office_by_the_same_option() {
        let all = [
            "export",
            "rollback 1",
            "versions",
            "diff 1 2",
            "call list",
            "recording list",
            "recording erase",
            "recording verify",
            "fax list",
            "fax erase x",
            "fax verify",
            "fax send --from 101 5 x.tif",
            "fax queue",
            "fax cancel x",
            "outbox list",
            "outbox show x",
            "outbox retry x",
            "outbox drop x",
            "outbox erase --number 5",
            "user list",
            "user show 101",
            "user status 101",
            "user set 101",
            "contact list",
            "contact show x",
            "contact find 5",
            "queue list",
            "queue show x",
            "route explain --from 101 --to 5",
            "simulate --to 5",
        ];
        for words in all {
            let words: Vec<&str> =
                ["plugboard"].into_iter().chain(words.split(' ')).chain(["--office", "north"]).collect();
            let cli = Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
            assert!(format!("{cli:?}").contains("\"north\""), "{words:?}");
        }
    }

    #[test]
    fn an_office_may_stand_before_what_is_compared_and_numbers_alone_are_versions() {
        let compared =
            |words: &[&str]| compared(ONLY.into(), words.iter().map(|word| (*word).to_owned()).collect(), false);
        assert_eq!(compared(&["north", "1", "2"]), Ok(("north".into(), Some(1), Some(2))));
        assert_eq!(compared(&["1", "2"]), Ok((ONLY.into(), Some(1), Some(2))));
        assert_eq!(compared(&["north"]), Ok(("north".into(), None, None)));
        assert!(compared(&["1", "2", "3"]).is_err() && compared(&["north", "south"]).is_err());
    }
}
