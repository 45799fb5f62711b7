//! Which office a command means that names none: the only one.

use super::{Request, TransferTo};

/// Stands for the office in what nobody has said it of. No office is called so: their names have no blanks.
pub(crate) const ONLY: &str = "the only one";

/// What of a request says whose it is.
enum Place<'r> {
    Office(&'r mut String),
    /// Ids of calls, each with its office before a slash.
    Calls(Vec<&'r mut String>),
    Nothing,
}

impl Request {
    /// The request with the office in it that it means, of those that the switch has.
    ///
    /// # Errors
    /// It names none, and there is not exactly one.
    pub(crate) fn placed(mut self, known: &[String]) -> Result<Self, String> {
        let only = || match known {
            [one] => Ok(one.clone()),
            [] => Err("there is no office yet: load one with `plugboard apply FILE`".to_owned()),
            several => Err(format!("there are several offices: name one with --office: {}", several.join(", "))),
        };
        match self.place() {
            Place::Office(office) if office == ONLY => *office = only()?,
            Place::Office(_) | Place::Nothing => {}
            Place::Calls(ids) => {
                for id in ids.into_iter().filter(|id| !id.contains('/')) {
                    // Whatever else is wrong with it is told by whoever reads it.
                    let [office] = known else {
                        return Err(format!(
                            "{id:?} is no call id: an id begins with the office, as `call list` shows it"
                        ));
                    };
                    *id = format!("{office}/{id}");
                }
            }
        }
        Ok(self)
    }

    fn place(&mut self) -> Place<'_> {
        match self {
            Self::Calls { office, .. }
            | Self::Users { office, .. }
            | Self::SetUser { office, .. }
            | Self::Contacts { office, .. }
            | Self::Queues { office, .. }
            | Self::Export { office, .. }
            | Self::RollBack { office, .. }
            | Self::Versions { office, .. }
            | Self::Diff { office, .. }
            | Self::Faxes { office, .. }
            | Self::EraseFaxes { office, .. }
            | Self::VerifyFaxes { office }
            | Self::SendFax { office, .. }
            | Self::OutgoingFaxes { office, .. }
            | Self::CancelFax { office, .. }
            | Self::Outbox { office, .. }
            | Self::ShowNotice { office, .. }
            | Self::RetryNotice { office, .. }
            | Self::DropNotice { office, .. }
            | Self::EraseNotices { office, .. } => Place::Office(office),
            Self::Explain { wish } => Place::Office(&mut wish.office),
            Self::Recordings { which, .. } | Self::EraseRecordings { which, .. } | Self::VerifyRecordings { which } => {
                Place::Office(&mut which.office)
            }
            Self::Record { id }
            | Self::Journal { id, .. }
            | Self::Sip { id }
            | Self::Replay { id }
            | Self::HangUp { id } => Place::Calls(vec![id]),
            Self::Transfer { id, to: TransferTo { with, .. }, .. } => {
                Place::Calls([id].into_iter().chain(with.as_mut()).collect())
            }
            Self::Status
            | Self::Registrations
            | Self::Plugins
            | Self::Plugin { .. }
            | Self::Apply { .. }
            | Self::Backup { .. }
            | Self::Trim
            | Self::ExportRecording { .. }
            | Self::ExportFax { .. } => Place::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(request: Request, known: &[&str]) -> Result<String, String> {
        let known: Vec<String> = known.iter().map(|office| (*office).to_owned()).collect();
        request.placed(&known).map(|request| format!("{request:?}"))
    }

    #[test]
    fn the_only_office_is_meant_whatever_it_is_called_and_one_of_several_has_to_be_named() {
        let versions = |office: &str| Request::Versions { office: office.into(), limit: 1 };
        assert!(placed(versions(ONLY), &["north"]).unwrap().contains("\"north\""));
        assert!(placed(versions("gone"), &["north"]).unwrap().contains("\"gone\""), "what was named stays");
        let several = placed(versions(ONLY), &["main", "north"]).unwrap_err();
        assert!(several.contains("--office") && several.contains("main, north"), "{several}");
        assert!(placed(versions(ONLY), &[]).unwrap_err().contains("plugboard apply"));
    }

    #[test]
    fn a_call_whose_id_has_no_office_is_one_of_the_only_office() {
        let shown = |id: &str| Request::Record { id: id.into() };
        assert!(placed(shown("5-7"), &["north"]).unwrap().contains("\"north/5-7\""));
        assert!(placed(shown("main/5-7"), &["north"]).unwrap().contains("\"main/5-7\""));
        assert!(placed(shown("5-7"), &["main", "north"]).unwrap_err().contains("begins with the office"));
    }
}
