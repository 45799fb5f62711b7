//! The method of a request: the fourteen that have a meaning here, and any other token as it came.

use std::fmt;

/// A SIP method.
///
/// An own type, because rsip's enum is closed: a method it does not know cannot be said in it, and such a
/// request must be answered (405) or passed through, not lost.
///
/// Source: RFC 3261 section 7.1; the extension methods of RFC 3262, 3265, 3311, 3428, 3515, 3903 and 6086.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// Starts or changes a session.
    Invite,
    /// Ends the three-way handshake of INVITE.
    Ack,
    /// Ends a session.
    Bye,
    /// Gives up a pending INVITE.
    Cancel,
    /// Binds contacts to an address of record.
    Register,
    /// Asks what the peer can do.
    Options,
    /// Mid-call application signals (RFC 6086).
    Info,
    /// A text message (RFC 3428).
    Message,
    /// An event's state (RFC 6665).
    Notify,
    /// Acknowledges a reliable provisional response (RFC 3262).
    Prack,
    /// Publishes an event's state (RFC 3903).
    Publish,
    /// Asks the peer to contact a third party (RFC 3515).
    Refer,
    /// Subscribes to an event (RFC 6665).
    Subscribe,
    /// Changes a session without a new INVITE (RFC 3311).
    Update,
    /// Any other token, as it was spelled.
    Other(Box<str>),
}

impl Method {
    /// The method that a token names. Methods are case-sensitive: `invite` is not INVITE (RFC 3261 section 7.1).
    pub fn from_token(token: &str) -> Self {
        match token {
            "INVITE" => Self::Invite,
            "ACK" => Self::Ack,
            "BYE" => Self::Bye,
            "CANCEL" => Self::Cancel,
            "REGISTER" => Self::Register,
            "OPTIONS" => Self::Options,
            "INFO" => Self::Info,
            "MESSAGE" => Self::Message,
            "NOTIFY" => Self::Notify,
            "PRACK" => Self::Prack,
            "PUBLISH" => Self::Publish,
            "REFER" => Self::Refer,
            "SUBSCRIBE" => Self::Subscribe,
            "UPDATE" => Self::Update,
            other => Self::Other(other.into()),
        }
    }

    /// The token as it stands on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Register => "REGISTER",
            Self::Options => "OPTIONS",
            Self::Info => "INFO",
            Self::Message => "MESSAGE",
            Self::Notify => "NOTIFY",
            Self::Prack => "PRACK",
            Self::Publish => "PUBLISH",
            Self::Refer => "REFER",
            Self::Subscribe => "SUBSCRIBE",
            Self::Update => "UPDATE",
            Self::Other(token) => token,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_names_are_case_sensitive() {
        assert_eq!(Method::from_token("INVITE"), Method::Invite);
        assert_eq!(Method::from_token("invite"), Method::Other("invite".into()));
    }

    #[test]
    fn unknown_method_keeps_its_spelling() {
        assert_eq!(Method::from_token("KDMQ").to_string(), "KDMQ");
    }
}
