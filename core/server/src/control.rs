//! The way from the command to the running switch: one JSON line each way over `<data>/control.sock` (mode 0600).

mod place;
mod plugin;

pub(crate) use place::ONLY;
pub(crate) use plugin::PluginOrder;

use plugboard_model::CallId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::Home;
use crate::explain::Wish;
use crate::faxes::Form;
use crate::house::Bundle;
use crate::output;
use crate::recordings::Which;

/// The socket's name in the data folder.
pub(crate) const SOCKET: &str = "control.sock";
/// An office with all its scenarios is far smaller; an answer holds a page of records. A plugin in Python has 18 MB, and a third more as
/// base64.
pub(crate) const LINE_LEN_MAX: u64 = 48 << 20;
/// What looks through all that is kept takes its time.
const ANSWER_MAX: Duration = Duration::from_secs(600);
/// A backup to another disk copies all recordings.
const BACKUP_MAX: Duration = Duration::from_hours(24);

/// What the running switch is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Request {
    Status,
    Calls {
        office: String,
        limit: usize,
        after: Option<String>,
    },
    Record {
        id: String,
    },
    /// `user`: whoever is meant by it is named in the answer, or is a fault.
    Journal {
        id: String,
        user: Option<String>,
    },
    Sip {
        id: String,
    },
    Replay {
        id: String,
    },
    HangUp {
        id: String,
    },
    Transfer {
        id: String,
        leg: Option<u32>,
        to: TransferTo,
    },
    Registrations,
    Users {
        office: String,
        which: Option<String>,
    },
    SetUser {
        office: String,
        which: String,
        wish: UserWish,
    },
    Contacts {
        office: String,
        wish: ContactWish,
    },
    Queues {
        office: String,
        which: Option<String>,
    },
    Explain {
        wish: Wish,
    },
    Plugins,
    Plugin {
        order: PluginOrder,
    },
    Apply {
        bundles: Vec<Bundle>,
        why: String,
    },
    Export {
        office: String,
        secrets: bool,
        version: Option<u64>,
    },
    RollBack {
        office: String,
        version: u64,
        why: String,
    },
    Backup {
        to: PathBuf,
    },
    Trim,
    Versions {
        office: String,
        limit: usize,
    },
    /// From one version to another; without the second one to what is in force, or to this bundle.
    Diff {
        office: String,
        from: Option<u64>,
        to: Option<u64>,
        draft: Option<Bundle>,
    },
    Recordings {
        which: Which,
        limit: usize,
    },
    ExportRecording {
        id: String,
        to: PathBuf,
    },
    EraseRecordings {
        ids: Vec<String>,
        which: Which,
    },
    VerifyRecordings {
        which: Which,
    },
    Faxes {
        office: String,
        number: Option<String>,
        limit: usize,
    },
    ExportFax {
        id: String,
        form: Form,
        to: PathBuf,
    },
    EraseFaxes {
        ids: Vec<String>,
        office: String,
        number: Option<String>,
    },
    VerifyFaxes {
        office: String,
    },
    SendFax {
        office: String,
        wish: FaxWish,
        key: Option<String>,
        document: String,
    },
    OutgoingFaxes {
        office: String,
        number: Option<String>,
        limit: usize,
    },
    CancelFax {
        office: String,
        id: String,
    },
    Outbox {
        office: String,
        number: Option<String>,
        waiting: bool,
        limit: usize,
    },
    ShowNotice {
        office: String,
        id: String,
    },
    RetryNotice {
        office: String,
        id: String,
    },
    DropNotice {
        office: String,
        id: String,
    },
    EraseNotices {
        office: String,
        number: String,
    },
}

/// Whom whoever stays in a call is connected with: one of both.
#[derive(Debug, Clone, Serialize, Deserialize, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TransferTo {
    /// A number, as the one who leaves would dial it. When nobody answers there, he has the call back, or is rung.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) to: Option<String>,
    /// Another call of the one who leaves: those whom he talks to talk to each other.
    #[arg(long, value_name = "CALL")]
    pub(crate) with: Option<String>,
}

/// Which contacts are asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "which", rename_all = "snake_case")]
pub(crate) enum ContactWish {
    /// By id, after one.
    List { limit: usize, after: Option<String> },
    /// This one.
    Show { id: String },
    /// Whoever has this number.
    Find { number: String },
}

/// What an admin sets for a user, as he wrote it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
pub(crate) struct UserWish {
    /// available, busy, away, do-not-disturb or logged-out.
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// Why: one of the `reasons` of the office, with busy, away and do-not-disturb.
    #[arg(long, requires = "status")]
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// Where calls go: WHEN is always, busy, `no_answer` or unreachable; NUMBER as the user would dial it, or `off`.
    #[arg(long, value_name = "WHEN=NUMBER")]
    pub(crate) forward: Vec<String>,
    /// How long the user is rung before `no_answer`, such as 15s.
    #[arg(long, value_name = "TIME")]
    pub(crate) after: Option<String>,
    /// Log in to a group of the user's.
    #[arg(long, value_name = "GROUP")]
    pub(crate) log_in: Vec<String>,
    /// Log out of it.
    #[arg(long, value_name = "GROUP")]
    pub(crate) log_out: Vec<String>,
}

/// How a fax is to be sent, as an admin wrote it.
#[derive(Debug, Clone, Serialize, Deserialize, clap::Args)]
pub(crate) struct FaxWish {
    /// Whom to call, as the user would dial it.
    #[arg(skip)]
    pub(crate) number: String,
    /// On whose behalf: the id or the number of a user. His are the routes, the limits and the number that is shown.
    #[arg(long, value_name = "USER")]
    pub(crate) from: String,
    /// What our machine says of itself: up to 20 of digits, + and blanks [default: what the office says].
    #[arg(long)]
    pub(crate) ident: Option<String>,
    /// What stands at the top of each page, up to 50 letters [default: what the office says].
    #[arg(long)]
    pub(crate) header: Option<String>,
}

/// What it answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Done(Value),
    Faults(Vec<String>),
}

impl Answer {
    pub(crate) fn fault(text: impl Into<String>) -> Self {
        Self::Faults(vec![text.into()])
    }
}

/// Reads a call's id as `list` shows it; the office may be left out when it is `main`.
pub(crate) fn call_id(text: &str) -> Result<CallId, String> {
    let whole = if text.contains('/') { text.to_owned() } else { format!("main/{text}") };
    CallId::parse(&whole).map_err(|error| format!("{text:?} is no call id: {error}"))
}

/// Asks the running switch and shows the answer.
pub(crate) fn ask(home: &Home, request: &Request, show: impl FnOnce(&Value) -> ExitCode) -> ExitCode {
    let data = match home.folder() {
        Ok(data) => data,
        Err(faults) => {
            for fault in faults {
                output::error(fault.to_string());
            }
            return ExitCode::from(1);
        }
    };
    match exchange(&data, request) {
        Ok(Answer::Done(value)) => show(&value),
        Ok(Answer::Faults(faults)) => {
            faults.iter().for_each(output::error);
            ExitCode::from(1)
        }
        Err(error) => {
            output::error(error);
            ExitCode::from(1)
        }
    }
}

fn exchange(data: &Path, request: &Request) -> Result<Answer, String> {
    let socket = data.join(SOCKET);
    let mut stream = UnixStream::connect(&socket).map_err(|error| {
        format!(
            "no switch answers at {} ({error}); is it running, and is this its data folder (--data, PLUGBOARD_DATA)?",
            socket.display()
        )
    })?;
    let broken = |error: std::io::Error| format!("the switch did not answer: {error}");
    let longest = if matches!(request, Request::Backup { .. }) { BACKUP_MAX } else { ANSWER_MAX };
    stream.set_read_timeout(Some(longest)).map_err(broken)?;
    let line = serde_json::to_string(request).map_err(|error| error.to_string())?;
    stream.write_all(line.as_bytes()).and_then(|()| stream.write_all(b"\n")).map_err(broken)?;
    let mut answer = String::new();
    BufReader::new(stream.take(LINE_LEN_MAX)).read_line(&mut answer).map_err(broken)?;
    serde_json::from_str(&answer).map_err(|_| "the switch hung up without an answer".into())
}

/// A word for commands that only say that it is done.
pub(crate) fn done(text: impl Into<String>) -> Answer {
    Answer::Done(json!({ "done": text.into() }))
}
