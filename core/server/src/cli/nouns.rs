//! Commands about users, contacts, queues, routes and plugins.

use clap::Subcommand;

use super::up_to;
use crate::control::{ONLY, UserWish};
use crate::explain::Wish;
use crate::serve;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// List the users of an office.
    List {
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
    /// Show one.
    Show {
        /// The user's id or internal number.
        user: String,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
    /// Show the status of a user, or change it; whoever wraps up a call is done with it as soon as he is available.
    Status {
        /// The user's id or internal number.
        user: String,
        /// available, busy, away, do-not-disturb or logged-out.
        status: Option<String>,
        /// Why: one of the `reasons` of the office, with busy, away and do-not-disturb.
        #[arg(long, requires = "status")]
        reason: Option<String>,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
    /// Change what a user has set; it holds over a restart, until the office document says something else of it.
    Set {
        /// The user's id or internal number.
        user: String,
        #[command(flatten)]
        wish: UserWish,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContactCommand {
    /// List the contacts of an office, by id.
    List {
        /// At most so many, up to 1000.
        #[arg(long, default_value_t = 20, value_parser = up_to(serve::CONTACTS_MAX))]
        limit: usize,
        /// Those after this id: where the list before this one ended, as it said.
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
    /// Show one.
    Show {
        /// The contact's id.
        contact: String,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
    /// Find the contact that a number belongs to, however it is written.
    Find {
        /// The number.
        number: String,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// List the queues in which somebody waits or has waited since the start.
    List {
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
    /// Show who waits in one, and for whom.
    Show {
        /// The scenario whose queue it is.
        scenario: String,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RouteCommand {
    /// Tell what would happen to a call: which routes are looked at, which of their conditions fail. Nobody is called.
    Explain {
        #[command(flatten)]
        wish: Wish,
    },
}
