//! Why a run did not come to one of its outcomes.

use crate::call::CallError;
use crate::conference::NotJoined;
use crate::database::DatabaseError;
use crate::dial::NotConnected;
use crate::fax::FaxError;
use crate::http::HttpError;
use crate::mail::NoticeError;
use crate::parameter::ParameterError;
use crate::queue::QueueError;
use crate::record::RecordError;
use crate::variables::SetError;
use crate::voicemail::VoicemailError;
use crate::{Outcome, Parameters};
use std::fmt;

/// The longest reason that the switch takes, in bytes.
const REASON_LEN_MAX: usize = 1_024;

/// Why a run did not come to one of its outcomes: the scenario goes on with the steps of `failed`.
///
/// Every error of a host call turns into one by `?`. What a caller can bring about (he presses nothing, nobody answers)
/// is an outcome; a failure is for what somebody must repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The caller hung up, or the action did: return at once, nothing that the run does still matters.
    CallOver,
    /// The reason, for the administrator.
    Reason(String),
}

impl Failure {
    /// A failure with this reason; it is cut at 1,024 bytes.
    pub fn new(reason: impl Into<String>) -> Self {
        Self::Reason(reason.into())
    }

    /// The text that the switch writes into history and trace.
    fn into_text(self) -> String {
        let mut text = match self {
            Self::CallOver => "the call is over".into(),
            Self::Reason(reason) => reason,
        };
        if text.len() > REASON_LEN_MAX {
            text.truncate(text.floor_char_boundary(REASON_LEN_MAX));
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CallOver => "the call is over",
            Self::Reason(reason) => reason,
        })
    }
}

impl std::error::Error for Failure {}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::CallerGone => Self::CallOver,
            CallError::Talking => Self::new("the caller talks to somebody: end that connection first"),
            CallError::NoMedia(why) => Self::Reason(["no media with the caller: ", &why].concat()),
            CallError::Invalid(which) => Self::Reason(["the switch refused a parameter: ", &which].concat()),
        }
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Denied(why) => Self::new(why),
            HttpError::TimeOver => Self::new("the service did not answer in its time"),
            HttpError::Unreachable(why) => Self::Reason(["the service cannot be reached: ", &why].concat()),
            HttpError::Broken(why) => Self::Reason(["the connection to the service broke: ", &why].concat()),
            HttpError::Busy => Self::new("the service has as many requests as it may have at once"),
            HttpError::TooLong(most) => {
                Self::Reason(["the service's answer is longer than ", &most.to_string(), " bytes"].concat())
            }
            HttpError::NoText => Self::new("the service's answer is no text"),
            HttpError::Invalid(which) => CallError::Invalid(which).into(),
        }
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        let because = |what: &str, why: &str| Self::Reason([what, why].concat());
        match error {
            DatabaseError::Denied(why) => Self::new(why),
            DatabaseError::TimeOver => Self::new("the database did not answer in its time"),
            DatabaseError::Unreachable(why) => because("the database cannot be reached: ", &why),
            DatabaseError::Broken(why) => because("the connection to the database broke: ", &why),
            DatabaseError::Busy => Self::new("the database has as many questions as it may have at once"),
            DatabaseError::Refused(why) => because("the database refused: ", &why),
            DatabaseError::TooManyRows(most) => {
                Self::Reason(["the database returned more than ", &most.to_string(), " rows"].concat())
            }
            DatabaseError::TooLong(most) => {
                Self::Reason(["the database's rows are longer than ", &most.to_string(), " bytes"].concat())
            }
            DatabaseError::Unshown(column) => because("a column cannot be shown: ", &column),
            DatabaseError::Unknown(why) => because("nobody knows whether it was done: ", &why),
            DatabaseError::Invalid(which) => CallError::Invalid(which).into(),
        }
    }
}

impl From<NoticeError> for Failure {
    fn from(error: NoticeError) -> Self {
        match error {
            NoticeError::Denied(why) | NoticeError::Full(why) => Self::new(why),
            NoticeError::NotKept(why) => Self::Reason(["it could not be kept: ", &why].concat()),
            NoticeError::Invalid(which) => CallError::Invalid(which).into(),
        }
    }
}

impl From<NotJoined> for Failure {
    fn from(error: NotJoined) -> Self {
        match error {
            NotJoined::CallerGone => Self::CallOver,
            NotJoined::Full => Self::new("the room has no free seat"),
            NotJoined::Talking => CallError::Talking.into(),
            NotJoined::NoMedia(why) => CallError::NoMedia(why).into(),
            NotJoined::Invalid(which) => CallError::Invalid(which).into(),
        }
    }
}

impl From<QueueError> for Failure {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::CallerGone => Self::CallOver,
            QueueError::Talking => CallError::Talking.into(),
            QueueError::NoMedia(why) => CallError::NoMedia(why).into(),
            QueueError::Invalid(which) => CallError::Invalid(which).into(),
        }
    }
}

impl From<NotConnected> for Failure {
    fn from(error: NotConnected) -> Self {
        match error {
            NotConnected::CallerGone => Self::CallOver,
            NotConnected::Timeout => Self::new("nobody answered in time"),
            NotConnected::NoAnswer(cause) => {
                Self::Reason(["nobody answered: ", &cause.sip_status.to_string(), " ", &cause.text].concat())
            }
            NotConnected::Denied(target) => Self::Reason(["the grant of this route does not cover ", &target].concat()),
            NotConnected::Invalid(which) => Self::Reason(["the switch refused a parameter: ", &which].concat()),
            NotConnected::Talking => Self::new("the caller talks to somebody: end that connection first"),
        }
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::CallerGone => Self::CallOver,
            RecordError::NotAllowed => Self::new("the office does not allow it"),
            RecordError::NotRecording => Self::new("the call is not recorded"),
            RecordError::Recording => Self::new("the call is recorded already"),
            RecordError::NoMedia(why) => Self::Reason(["nothing to record or announce: ", &why].concat()),
            RecordError::Invalid(which) => Self::Reason(["the switch refused a parameter: ", &which].concat()),
        }
    }
}

impl From<VoicemailError> for Failure {
    fn from(error: VoicemailError) -> Self {
        match error {
            VoicemailError::CallerGone => Self::CallOver,
            VoicemailError::Talking => CallError::Talking.into(),
            VoicemailError::NoMailbox(why) => Self::Reason(["no mailbox: ", &why].concat()),
            VoicemailError::NotKept(why) => Self::Reason(["the message was not kept: ", &why].concat()),
            VoicemailError::NoMedia(why) => CallError::NoMedia(why).into(),
            VoicemailError::Invalid(which) => CallError::Invalid(which).into(),
        }
    }
}

impl From<FaxError> for Failure {
    fn from(error: FaxError) -> Self {
        match error {
            FaxError::CallerGone => Self::CallOver,
            FaxError::Talking => CallError::Talking.into(),
            FaxError::NoMedia(why) => CallError::NoMedia(why).into(),
            FaxError::Invalid(which) => CallError::Invalid(which).into(),
        }
    }
}

impl From<ParameterError> for Failure {
    fn from(error: ParameterError) -> Self {
        Self::Reason(error.to_string())
    }
}

/// A variable that could not be set, with its name.
pub(crate) fn not_set(name: &str, error: SetError) -> Failure {
    let why = match error {
        SetError::WrongType(which) => ["it has another type in this scenario: ", &which].concat(),
        SetError::BadName => "a name is 1 to 64 of a-z 0-9 _ and starts with a letter".into(),
        SetError::TooLarge => "it is too large, or the scenario has 256 variables already".into(),
        SetError::ReadOnly => "it belongs to the switch".into(),
        SetError::Unknown => "the office has no such contact".into(),
    };
    Failure::Reason(["variable ", name, " could not be set: ", &why].concat())
}

/// Runs an action once: reads its parameters, calls it, assigns its outcome's variables.
///
/// # Errors
/// The reason of the outcome `failed`: parameters that do not fit, or what the action returned.
pub fn run<P: Parameters, O: Outcome>(
    parameters: &str,
    action: impl FnOnce(P) -> Result<O, Failure>,
) -> Result<String, String> {
    run_typed(parameters, action).map(str::to_owned).map_err(Failure::into_text)
}

fn run_typed<P: Parameters, O: Outcome>(
    parameters: &str,
    action: impl FnOnce(P) -> Result<O, Failure>,
) -> Result<&'static str, Failure> {
    let outcome = action(P::parse(parameters)?)?;
    outcome.assign()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let text = Failure::new("ж".repeat(1_000)).into_text();
        assert!(text.len() <= REASON_LEN_MAX && text.len() > REASON_LEN_MAX - 2);
        assert!(text.chars().all(|c| c == 'ж'));
    }
}
