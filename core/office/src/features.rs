//! Feature codes: what a user dials to change his settings, and for what a phone has no key.

use plugboard_model::{Dialled, ForwardWhen, UserStatus};
use std::collections::BTreeMap;

/// Characters of a code.
pub(crate) const CODE_LEN_MAX: usize = 8;

/// One entry of the table: what a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeatureCode {
    /// He does not want to be disturbed.
    DoNotDisturb,
    /// ... and may be again.
    DoNotDisturbOff,
    /// He may be rung.
    Available,
    /// Groups and scenarios leave him alone.
    Busy,
    /// He is not at his desk.
    Away,
    /// He is not at work.
    LogOut,
    /// All his calls go to the number that follows.
    ForwardAlways,
    /// ... and no longer.
    ForwardAlwaysOff,
    /// His calls go to the number that follows when he is busy.
    ForwardBusy,
    /// ... and no longer.
    ForwardBusyOff,
    /// His calls go to the number that follows when he does not answer.
    ForwardNoAnswer,
    /// ... and no longer.
    ForwardNoAnswerOff,
    /// His calls go to the number that follows when no device of his can be reached.
    ForwardUnreachable,
    /// ... and no longer.
    ForwardUnreachableOff,
    /// Calls whoever called him last.
    CallReturn,
    /// The group whose number follows rings him again; without a number, every group that he is in.
    GroupLogIn,
    /// ... rings him no longer.
    GroupLogOut,
    /// Speaks to the user whose number follows without his picking up.
    Intercom,
    /// Takes the call that rings the number that follows; without one, a call that rings a group of his.
    PickUp,
    /// Parks a call in the place that follows, and takes it from there.
    Park,
    /// Listens to the call of the user whose number follows.
    Supervise,
    /// Opens the mailbox of the number that follows; without one, his own.
    Mailbox,
}

/// Whether a number follows a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    Nothing,
    Number,
    MaybeNumber,
}

/// What a user who dialled a code wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feature {
    /// Another status.
    Status(UserStatus),
    /// His calls go there then; `None`: no longer.
    Forward(ForwardWhen, Option<Dialled>),
    /// He logs in to the group of this number, or out of it; without a number, of every group that he is in.
    Group {
        /// As dialled.
        number: Option<Dialled>,
        /// In, or out.
        logged_in: bool,
    },
    /// To call whoever called him last.
    CallReturn,
    /// To speak to this user without his picking up.
    Intercom(Dialled),
    /// To take the call that rings this number; without one, one that rings a group of his.
    PickUp(Option<Dialled>),
    /// To put a call aside in this place or to take it from there; without one, any place.
    Park(Option<Dialled>),
    /// To listen to this user's call, to whisper to him, to join in.
    Supervise(Dialled),
    /// To hear the messages of this number's mailbox; without one, his own.
    Mailbox(Option<Dialled>),
}

/// An office's feature codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    codes: BTreeMap<FeatureCode, Dialled>,
}

impl FeatureCode {
    /// Every one, as references list them.
    pub const ALL: [Self; 22] = [
        Self::DoNotDisturb,
        Self::DoNotDisturbOff,
        Self::Available,
        Self::Busy,
        Self::Away,
        Self::LogOut,
        Self::ForwardAlways,
        Self::ForwardAlwaysOff,
        Self::ForwardBusy,
        Self::ForwardBusyOff,
        Self::ForwardNoAnswer,
        Self::ForwardNoAnswerOff,
        Self::ForwardUnreachable,
        Self::ForwardUnreachableOff,
        Self::CallReturn,
        Self::GroupLogIn,
        Self::GroupLogOut,
        Self::Intercom,
        Self::PickUp,
        Self::Park,
        Self::Supervise,
        Self::Mailbox,
    ];

    /// Its key in the office document, and its name in journals and records.
    pub const fn key(self) -> &'static str {
        self.row().0
    }

    /// What is dialled unless the document says otherwise: the codes of North American switches where they have one.
    pub const fn usual(self) -> &'static str {
        self.row().1
    }

    /// What it does, for the reference.
    pub(crate) const fn meaning(self) -> &'static str {
        self.row().3
    }

    const fn follows(self) -> Follows {
        self.row().2
    }

    const fn row(self) -> (&'static str, &'static str, Follows, &'static str) {
        use Follows::{MaybeNumber, Nothing, Number};
        match self {
            Self::DoNotDisturb => ("do_not_disturb", "*78", Nothing, "Sets the status `do-not-disturb`."),
            Self::DoNotDisturbOff => ("do_not_disturb_off", "*79", Nothing, "Sets the status `available`."),
            Self::Available => ("available", "*75", Nothing, "Sets the status `available`."),
            Self::Busy => ("busy", "*76", Nothing, "Sets the status `busy`."),
            Self::Away => ("away", "*74", Nothing, "Sets the status `away`."),
            Self::LogOut => ("log_out", "*77", Nothing, "Sets the status `logged-out`."),
            Self::ForwardAlways => {
                ("forward_always", "*72", Number, "Forwards every call to the number dialled after it.")
            }
            Self::ForwardAlwaysOff => ("forward_always_off", "*73", Nothing, "Ends that."),
            Self::ForwardBusy => ("forward_busy", "*90", Number, "Forwards calls that find the user busy."),
            Self::ForwardBusyOff => ("forward_busy_off", "*91", Nothing, "Ends that."),
            Self::ForwardNoAnswer => {
                ("forward_no_answer", "*92", Number, "Forwards calls that the user does not answer.")
            }
            Self::ForwardNoAnswerOff => ("forward_no_answer_off", "*93", Nothing, "Ends that."),
            Self::ForwardUnreachable => {
                ("forward_unreachable", "*94", Number, "Forwards calls that find no device of the user.")
            }
            Self::ForwardUnreachableOff => ("forward_unreachable_off", "*95", Nothing, "Ends that."),
            Self::CallReturn => ("call_return", "*69", Nothing, "Calls whoever called last."),
            Self::GroupLogIn => (
                "group_log_in",
                "*11",
                MaybeNumber,
                "Logs in to the group whose number is dialled after it, or to all.",
            ),
            Self::GroupLogOut => ("group_log_out", "*12", MaybeNumber, "Logs out of it."),
            Self::Intercom => {
                ("intercom", "*80", Number, "Speaks to the user dialled after it without his picking up.")
            }
            Self::PickUp => (
                "pick_up",
                "*8",
                MaybeNumber,
                "Takes the call that rings the number dialled after it, or a group of one's own.",
            ),
            Self::Park => ("park", "*70", MaybeNumber, "Parks a call in the place dialled after it, or takes it back."),
            Self::Supervise => (
                "supervise",
                "*13",
                Number,
                "Listens to the call of the user dialled after it, whom one supervises; then 2 whispers to him, 3 joins in, 1 only listens again.",
            ),
            Self::Mailbox => (
                "mailbox",
                "*98",
                MaybeNumber,
                "Opens one's own mailbox, or the one of the user or group dialled after it: messages are heard, saved, deleted, a greeting is recorded.",
            ),
        }
    }

    fn feature(self, number: Option<Dialled>) -> Option<Feature> {
        Some(match self {
            Self::DoNotDisturb => Feature::Status(UserStatus::DoNotDisturb),
            Self::DoNotDisturbOff | Self::Available => Feature::Status(UserStatus::Available),
            Self::Busy => Feature::Status(UserStatus::Busy),
            Self::Away => Feature::Status(UserStatus::Away),
            Self::LogOut => Feature::Status(UserStatus::LoggedOut),
            Self::ForwardAlways => Feature::Forward(ForwardWhen::Always, Some(number?)),
            Self::ForwardAlwaysOff => Feature::Forward(ForwardWhen::Always, None),
            Self::ForwardBusy => Feature::Forward(ForwardWhen::Busy, Some(number?)),
            Self::ForwardBusyOff => Feature::Forward(ForwardWhen::Busy, None),
            Self::ForwardNoAnswer => Feature::Forward(ForwardWhen::NoAnswer, Some(number?)),
            Self::ForwardNoAnswerOff => Feature::Forward(ForwardWhen::NoAnswer, None),
            Self::ForwardUnreachable => Feature::Forward(ForwardWhen::Unreachable, Some(number?)),
            Self::ForwardUnreachableOff => Feature::Forward(ForwardWhen::Unreachable, None),
            Self::CallReturn => Feature::CallReturn,
            Self::GroupLogIn => Feature::Group { number, logged_in: true },
            Self::GroupLogOut => Feature::Group { number, logged_in: false },
            Self::Intercom => Feature::Intercom(number?),
            Self::PickUp => Feature::PickUp(number),
            Self::Park => Feature::Park(number),
            Self::Supervise => Feature::Supervise(number?),
            Self::Mailbox => Feature::Mailbox(number),
        })
    }
}

impl Feature {
    /// The code that stands for it; of two that do the same, the first of the table that says what then holds.
    pub fn code(&self) -> FeatureCode {
        match self {
            // No code leads to wrap-up.
            Self::Status(UserStatus::Available | UserStatus::WrapUp) => FeatureCode::Available,
            Self::Status(UserStatus::Away) => FeatureCode::Away,
            Self::Status(UserStatus::Busy) => FeatureCode::Busy,
            Self::Status(UserStatus::DoNotDisturb) => FeatureCode::DoNotDisturb,
            Self::Status(UserStatus::LoggedOut) => FeatureCode::LogOut,
            Self::Forward(ForwardWhen::Always, Some(_)) => FeatureCode::ForwardAlways,
            Self::Forward(ForwardWhen::Always, None) => FeatureCode::ForwardAlwaysOff,
            Self::Forward(ForwardWhen::Busy, Some(_)) => FeatureCode::ForwardBusy,
            Self::Forward(ForwardWhen::Busy, None) => FeatureCode::ForwardBusyOff,
            Self::Forward(ForwardWhen::NoAnswer, Some(_)) => FeatureCode::ForwardNoAnswer,
            Self::Forward(ForwardWhen::NoAnswer, None) => FeatureCode::ForwardNoAnswerOff,
            Self::Forward(ForwardWhen::Unreachable, Some(_)) => FeatureCode::ForwardUnreachable,
            Self::Forward(ForwardWhen::Unreachable, None) => FeatureCode::ForwardUnreachableOff,
            Self::Group { logged_in: true, .. } => FeatureCode::GroupLogIn,
            Self::Group { logged_in: false, .. } => FeatureCode::GroupLogOut,
            Self::CallReturn => FeatureCode::CallReturn,
            Self::Intercom(_) => FeatureCode::Intercom,
            Self::PickUp(_) => FeatureCode::PickUp,
            Self::Park(_) => FeatureCode::Park,
            Self::Supervise(_) => FeatureCode::Supervise,
            Self::Mailbox(_) => FeatureCode::Mailbox,
        }
    }
}

impl Default for Features {
    fn default() -> Self {
        let usual = |code: FeatureCode| Some((code, Dialled::new(code.usual()).ok()?));
        Self { codes: FeatureCode::ALL.into_iter().filter_map(usual).collect() }
    }
}

impl Features {
    /// No codes at all.
    pub(crate) const fn none() -> Self {
        Self { codes: BTreeMap::new() }
    }

    /// What is dialled for it; `None` when it is switched off.
    pub fn code(&self, of: FeatureCode) -> Option<&Dialled> {
        self.codes.get(&of)
    }

    pub(crate) fn set(&mut self, of: FeatureCode, code: Option<Dialled>) {
        match code {
            Some(code) => drop(self.codes.insert(of, code)),
            None => drop(self.codes.remove(&of)),
        }
    }

    /// The longest code that takes these digits.
    pub fn taking(&self, called: &str) -> Option<FeatureCode> {
        let takes = |(code, dialled): &(&FeatureCode, &Dialled)| match code.follows() {
            Follows::Nothing => dialled.as_str() == called,
            Follows::Number | Follows::MaybeNumber => called.starts_with(dialled.as_str()),
        };
        self.codes.iter().filter(takes).max_by_key(|(_, dialled)| dialled.as_str().len()).map(|(code, _)| *code)
    }

    /// What is wanted by whoever dialled this, or the code that lacks the number after it.
    pub(crate) fn find(&self, called: &Dialled) -> Option<Result<Feature, FeatureCode>> {
        let code = self.taking(called.as_str())?;
        let rest = called.as_str().get(self.codes.get(&code)?.as_str().len()..).unwrap_or_default();
        Some(code.feature(Dialled::new(rest).ok()).ok_or(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(dialled: &str) -> Option<Result<Feature, FeatureCode>> {
        Features::default().find(&Dialled::new(dialled).unwrap())
    }

    fn number(text: &str) -> Dialled {
        Dialled::new(text).unwrap()
    }

    #[test]
    fn the_longest_code_is_meant() {
        assert_eq!(found("*8"), Some(Ok(Feature::PickUp(None))));
        assert_eq!(found("*8101"), Some(Ok(Feature::PickUp(Some(number("101"))))));
        assert_eq!(found("*80101"), Some(Ok(Feature::Intercom(Dialled::new("101").unwrap()))));
        assert_eq!(found("*98"), Some(Ok(Feature::Mailbox(None))));
        assert_eq!(found("*98200"), Some(Ok(Feature::Mailbox(Some(number("200"))))));
        assert_eq!(found("*701"), Some(Ok(Feature::Park(Some(number("1"))))));
        assert_eq!(found("*720049"), Some(Ok(Feature::Forward(ForwardWhen::Always, Some(number("0049"))))));
        assert_eq!(found("*73"), Some(Ok(Feature::Forward(ForwardWhen::Always, None))));
        assert_eq!(found("*11200"), Some(Ok(Feature::Group { number: Some(number("200")), logged_in: true })));
    }

    #[test]
    fn a_code_without_the_number_that_it_needs_is_told_from_a_number_that_is_no_code() {
        assert_eq!(found("*72"), Some(Err(FeatureCode::ForwardAlways)));
        assert_eq!(found("*43"), None);
        assert_eq!(found("*781"), None, "nothing follows *78");
        assert_eq!(found("101"), None);
    }

    #[test]
    fn no_two_codes_are_the_same_and_every_key_is_told_once() {
        let keys: std::collections::BTreeSet<_> = FeatureCode::ALL.map(FeatureCode::key).into_iter().collect();
        let codes: std::collections::BTreeSet<_> = FeatureCode::ALL.map(FeatureCode::usual).into_iter().collect();
        assert_eq!((keys.len(), codes.len()), (FeatureCode::ALL.len(), FeatureCode::ALL.len()));
        assert_eq!(Features::default().codes.len(), FeatureCode::ALL.len());
    }
}
