//! `plugboard outbox`: mails, text messages and posts.

use clap::Subcommand;
use std::process::ExitCode;

use super::{Home, OfficeName, up_to};
use crate::control::{self, ONLY, Request};
use crate::{recordings, show};

#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// List mails, text messages and posts, those of the newest call first.
    List {
        /// Of calls from or to this number, whole.
        #[arg(long)]
        number: Option<String>,
        /// Those alone that are not over.
        #[arg(long)]
        waiting: bool,
        #[command(flatten)]
        office: OfficeName,
        /// At most so many, up to 1000.
        #[arg(long, default_value_t = 20, value_parser = up_to(recordings::LIST_MAX))]
        limit: usize,
    },
    /// Show one: what it says until it has left, and how its last tries ended.
    Show {
        /// Its id, as `list` shows it.
        id: String,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
    /// Try one again now, also one that was given up.
    Retry {
        /// Its id, as `list` shows it.
        id: String,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
    /// Drop one that waits.
    Drop {
        /// Its id, as `list` shows it.
        id: String,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
    /// Erase all that is of calls of a number.
    Erase {
        /// From or to this number, whole.
        #[arg(long)]
        number: String,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
}

/// Carries one out.
pub(super) fn run(home: &Home, command: OutboxCommand, json: bool) -> ExitCode {
    match command {
        OutboxCommand::List { number, waiting, office, limit } => {
            let office = office.named();
            let request = Request::Outbox { office, number, waiting, limit };
            control::ask(home, &request, |answer| show::notices(answer, json))
        }
        OutboxCommand::Show { id, office } => {
            control::ask(home, &Request::ShowNotice { office, id }, |answer| show::notice(answer, json))
        }
        OutboxCommand::Retry { id, office } => {
            control::ask(home, &Request::RetryNotice { office, id }, |answer| show::plain(answer, json))
        }
        OutboxCommand::Drop { id, office } => {
            control::ask(home, &Request::DropNotice { office, id }, |answer| show::plain(answer, json))
        }
        OutboxCommand::Erase { number, office } => {
            control::ask(home, &Request::EraseNotices { office, number }, |answer| show::plain(answer, json))
        }
    }
}
