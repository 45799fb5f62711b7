//! `plugboard fax`: faxes that were received, and those that are to be sent.

use clap::Subcommand;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Home, OfficeName, up_to, wrong};
use crate::control::{self, FaxWish, ONLY, Request};
use crate::faxes::{self, Form};
use crate::{output, recordings, show};

#[derive(Debug, Subcommand)]
pub(crate) enum FaxCommand {
    /// List them, newest first.
    List {
        /// Of calls from or to this number, whole.
        #[arg(long)]
        number: Option<String>,
        /// The office.
        #[arg(long, default_value = ONLY)]
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
        #[arg(long, default_value = ONLY)]
        office: String,
    },
    /// Compare files with the sums that they had when they were received; exit 1 if one differs or is gone.
    Verify {
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
    /// Order a fax: the switch calls the number, and again if need be, until it is sent or given up.
    #[command(override_usage = "plugboard fax send [OPTIONS] --from <USER> <NUMBER> <FILE>")]
    Send {
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
        #[command(flatten)]
        wish: FaxWish,
        /// The number, as the user would dial it, and the document: TIFF in black and white; other sizes than a fax's are scaled. The office
        /// may stand before them.
        #[arg(value_name = "NUMBER FILE", num_args = 2..=3, required = true)]
        words: Vec<String>,
        /// What the order is called: the same key is the same order, however often it is given.
        #[arg(long)]
        key: Option<String>,
    },
    /// List the faxes that were ordered, newest first, with each try.
    Queue {
        /// To this number alone, as it was ordered.
        #[arg(long)]
        number: Option<String>,
        #[command(flatten)]
        office: OfficeName,
        /// At most so many, up to 1000.
        #[arg(long, default_value_t = 20, value_parser = up_to(plugboard_console::faxes::ORDERS_MAX))]
        limit: usize,
    },
    /// Take back a fax that waits.
    Cancel {
        /// The order's id, as `queue` shows it.
        id: String,
        /// The office.
        #[arg(long, default_value = ONLY)]
        office: String,
    },
}

/// Carries one out.
pub(super) fn run(home: &Home, command: FaxCommand, json: bool) -> ExitCode {
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
        FaxCommand::Send { office, wish, words, key } => {
            let (before, [number, file]) = match words.as_slice() {
                [number, file] => (None, [number, file]),
                [office, number, file] => (Some(office), [number, file]),
                _ => return wrong("a number and a file are expected".into()),
            };
            let office = match before {
                Some(_) if office != ONLY => return wrong("the office stands there twice".into()),
                Some(before) => before.clone(),
                None => office,
            };
            match faxes::read(Path::new(file)) {
                Ok(document) => {
                    let wish = FaxWish { number: number.clone(), ..wish };
                    let request = Request::SendFax { office, wish, key, document };
                    control::ask(home, &request, |answer| show::ordered(answer, json))
                }
                Err(fault) => {
                    output::error(fault);
                    ExitCode::from(1)
                }
            }
        }
        FaxCommand::Queue { number, office, limit } => {
            let office = office.named();
            control::ask(home, &Request::OutgoingFaxes { office, number, limit }, |answer| show::queue(answer, json))
        }
        FaxCommand::Cancel { id, office } => {
            control::ask(home, &Request::CancelFax { office, id }, |answer| show::plain(answer, json))
        }
    }
}
