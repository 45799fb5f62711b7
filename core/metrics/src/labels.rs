//! The bounded sets that labels are made of.

/// A label's value: one of a set that is known when the switch is compiled.
pub(crate) trait Label: Copy + 'static {
    /// Every value, in the order of [`Label::index`].
    const ALL: &'static [Self];
    /// The value in the metric.
    fn as_str(self) -> &'static str;
    /// Its place in [`Label::ALL`].
    fn index(self) -> usize;
}

/// Declares an enum whose variants are the values of a label.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $crate::labels::Label for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];
            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use label;

label!(
    /// A SIP method as a label; what is none of these is [`Method::Other`], so that a stranger cannot make series.
    Method {
        /// RFC 3261.
        Invite = "INVITE",
        /// RFC 3261.
        Ack = "ACK",
        /// RFC 3261.
        Bye = "BYE",
        /// RFC 3261.
        Cancel = "CANCEL",
        /// RFC 3261.
        Register = "REGISTER",
        /// RFC 3261.
        Options = "OPTIONS",
        /// RFC 6086.
        Info = "INFO",
        /// RFC 3311.
        Update = "UPDATE",
        /// RFC 3262.
        Prack = "PRACK",
        /// RFC 3515.
        Refer = "REFER",
        /// RFC 6665.
        Notify = "NOTIFY",
        /// RFC 6665.
        Subscribe = "SUBSCRIBE",
        /// RFC 3428.
        Message = "MESSAGE",
        /// RFC 3903.
        Publish = "PUBLISH",
        /// Any other.
        Other = "other",
    }
);

impl Method {
    /// The label of a method token; methods are case-sensitive (RFC 3261 section 7.1).
    pub fn of(token: &str) -> Self {
        Self::ALL.iter().copied().find(|method| method.as_str() == token).unwrap_or(Self::Other)
    }
}

label!(
    /// Which way a message went, seen from the switch.
    Flow {
        /// Received.
        In = "in",
        /// Sent.
        Out = "out",
    }
);

label!(
    /// What carried a message.
    Transport {
        /// RFC 3261 section 18.
        Udp = "udp",
        /// RFC 3261 section 18.
        Tcp = "tcp",
        /// RFC 3261 section 26.
        Tls = "tls",
        /// RFC 7118.
        Ws = "ws",
        /// RFC 7118.
        Wss = "wss",
    }
);

label!(
    /// The first digit of a SIP status (RFC 3261 section 7.2).
    StatusClass {
        /// Goes on.
        Provisional = "1xx",
        /// Done.
        Success = "2xx",
        /// Elsewhere.
        Redirection = "3xx",
        /// The request is wrong.
        RequestFailure = "4xx",
        /// The server failed.
        ServerFailure = "5xx",
        /// Nobody can.
        GlobalFailure = "6xx",
        /// Not a status.
        Other = "other",
    }
);

impl StatusClass {
    /// The class of a status.
    pub const fn of(status: u16) -> Self {
        match status {
            100..=199 => Self::Provisional,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::RequestFailure,
            500..=599 => Self::ServerFailure,
            600..=699 => Self::GlobalFailure,
            _ => Self::Other,
        }
    }
}

label!(
    /// How a run of an action ended.
    RunOutcome {
        /// It returned an outcome of its own.
        Finished = "finished",
        /// It returned an error, or an outcome that it does not have.
        Failed = "failed",
        /// It trapped.
        Trapped = "trapped",
        /// It exceeded a limit.
        Limit = "limit",
        /// Rebuilt, it asked for something else than its journal says.
        Diverged = "diverged",
        /// The call ended first.
        Cancelled = "cancelled",
    }
);

impl From<&plugboard_model::RunEnd> for RunOutcome {
    fn from(end: &plugboard_model::RunEnd) -> Self {
        use plugboard_model::RunEnd as E;
        match end {
            E::Outcome(_) => Self::Finished,
            E::Failed(_) => Self::Failed,
            E::Trapped { .. } => Self::Trapped,
            E::Limit { .. } => Self::Limit,
            E::Diverged { .. } => Self::Diverged,
            E::Cancelled => Self::Cancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_method_shares_one_series_with_all_others() {
        assert_eq!(Method::of("INVITE"), Method::Invite);
        assert_eq!(Method::of("invite"), Method::Other);
        assert_eq!(Method::of("X-A-1"), Method::of("X-A-2"));
    }

    #[test]
    fn every_label_stands_at_its_own_index() {
        for (place, method) in Method::ALL.iter().enumerate() {
            assert_eq!(method.index(), place);
        }
        assert_eq!(StatusClass::of(486), StatusClass::RequestFailure);
        assert_eq!(StatusClass::of(99), StatusClass::Other);
    }
}
