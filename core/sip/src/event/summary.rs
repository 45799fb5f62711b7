//! The messages that wait for somebody.
//!
//! Source: RFC 3842 section 5.2.

/// How many voice messages a mailbox holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// The mailbox's URI, which a phone dials to hear them.
    pub account: String,
    /// Not heard yet.
    pub new: u32,
    /// Heard.
    pub old: u32,
}

impl Messages {
    pub(super) fn write(&self) -> Vec<u8> {
        let waiting = if self.new > 0 { "yes" } else { "no" };
        // A line end in an account would begin a header of its own.
        let account: String = self.account.chars().filter(|char| !char.is_control()).collect();
        let Self { new, old, .. } = self;
        format!("Messages-Waiting: {waiting}\r\nMessage-Account: {account}\r\nVoice-Message: {new}/{old} (0/0)\r\n")
            .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_said_to_be_none_and_some_are_counted() {
        let of = |new, old| String::from_utf8(Messages { account: "sip:102@h\r\n".into(), new, old }.write()).unwrap();
        assert_eq!(of(0, 0), "Messages-Waiting: no\r\nMessage-Account: sip:102@h\r\nVoice-Message: 0/0 (0/0)\r\n");
        assert!(of(2, 8).starts_with("Messages-Waiting: yes\r\n"));
        assert!(of(2, 8).contains("Voice-Message: 2/8 (0/0)\r\n"));
    }
}
