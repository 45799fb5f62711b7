//! How an office sends faxes.

use std::time::Duration;

/// How an office sends faxes that somebody has ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaxRules {
    /// How often one is tried: busy, no answer, a machine that failed. What no gateway took is no try.
    pub tries: u32,
    /// From the end of a try to the next.
    pub apart: Duration,
    /// How long one is tried at all, from its order on.
    pub give_up_after: Duration,
    /// How many are sent at once.
    pub at_once: u32,
    /// How long the called side is rung.
    pub ring_for: Duration,
    /// What our machine says of itself where an order says nothing: digits, `+` and blanks; empty: nothing.
    pub ident: String,
    /// What stands at the top of each page where an order says nothing; empty: no such line.
    pub header: String,
}

impl FaxRules {
    /// Letters of what a machine says of itself (ITU-T T.30 section 5.3.6.2.4).
    pub const IDENT_MAX: usize = 20;
    /// Letters at the top of a page.
    pub const HEADER_MAX: usize = 50;

    /// Whether a machine can say this of itself.
    pub fn is_ident(text: &str) -> bool {
        text.len() <= Self::IDENT_MAX && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b' '))
    }

    /// Whether this may stand at the top of a page: spandsp draws letters of ASCII.
    pub fn is_header(text: &str) -> bool {
        text.len() <= Self::HEADER_MAX && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    }
}

impl Default for FaxRules {
    fn default() -> Self {
        Self {
            tries: 3,
            apart: Duration::from_mins(5),
            give_up_after: Duration::from_hours(24),
            at_once: 2,
            ring_for: Duration::from_mins(1),
            ident: String::new(),
            header: String::new(),
        }
    }
}

/// What T.38 is to a gateway, when a machine of ours sends a fax through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImageRule {
    /// It is taken where the far end offers it.
    #[default]
    Accepted,
    /// It is offered as soon as the call is answered; whoever refuses it hears the fax as audio.
    Offered,
}

impl ImageRule {
    pub(crate) const WORDS: [(&str, Self); 2] = [("accepted", Self::Accepted), ("offered", Self::Offered)];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Offered => "offered",
        }
    }
}
