//! Who has sent a call on before it came here: Diversion and History-Info.
//!
//! Both tell the same story: Diversion names those who sent the call on, the last one first (RFC 5806); History-Info whom the
//! call was for, the first one first, and with each but the first why (RFC 7044, RFC 4458). [`Diversion::read`] makes one list
//! of them, [`Diversion::write`] and [`Diversion::write_history`] either form of it (RFC 7544 sections 5 and 6).

use crate::headers::Headers;
use crate::name_addr::NameAddr;
use crate::uri::{RequestUri, SipUri, unescape};

/// Entries that are read; networks end a call after five.
const ENTRIES_MAX: usize = 16;
/// Who does not want to be named (RFC 3323 section 4.1.1.3).
const NOBODY: &str = "sip:anonymous@anonymous.invalid";

/// Why a call was sent on.
///
/// Source: RFC 5806 section 4; RFC 7544 section 5 for the causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiversionReason {
    /// Not told.
    Unknown,
    /// He talks to somebody else.
    UserBusy,
    /// He did not answer.
    NoAnswer,
    /// He cannot be reached.
    Unavailable,
    /// All his calls go there.
    Unconditional,
    /// At this time they do.
    TimeOfDay,
    /// He does not want to be disturbed.
    DoNotDisturb,
    /// He sent this one call on.
    Deflection,
    /// He is looked for.
    FollowMe,
    /// His line is out of order.
    OutOfService,
    /// He is not there.
    Away,
}

/// One who has sent a call on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diversion {
    /// His number, or the name in his address; none when he does not want to be named, or is not.
    pub user: Option<String>,
    /// Why.
    pub reason: DiversionReason,
    /// For how many he stands; at least 1.
    pub count: u8,
}

/// Every reason with its word.
const WORDS: [(DiversionReason, &str); 11] = [
    (DiversionReason::Unknown, "unknown"),
    (DiversionReason::UserBusy, "user-busy"),
    (DiversionReason::NoAnswer, "no-answer"),
    (DiversionReason::Unavailable, "unavailable"),
    (DiversionReason::Unconditional, "unconditional"),
    (DiversionReason::TimeOfDay, "time-of-day"),
    (DiversionReason::DoNotDisturb, "do-not-disturb"),
    (DiversionReason::Deflection, "deflection"),
    (DiversionReason::FollowMe, "follow-me"),
    (DiversionReason::OutOfService, "out-of-service"),
    (DiversionReason::Away, "away"),
];

impl DiversionReason {
    /// Its word in Diversion.
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(reason, _)| *reason == self).map_or("unknown", |(_, word)| word)
    }

    fn of_word(word: &str) -> Self {
        let known = WORDS.iter().find(|(_, known)| known.eq_ignore_ascii_case(word));
        known.map_or(Self::Unknown, |(reason, _)| *reason)
    }

    /// Its `cause` in History-Info.
    pub const fn cause(self) -> u16 {
        match self {
            Self::Unconditional => 302,
            Self::UserBusy => 486,
            Self::NoAnswer => 408,
            Self::Deflection => 480,
            Self::Unavailable => 503,
            Self::Unknown | Self::TimeOfDay | Self::DoNotDisturb | Self::FollowMe | Self::OutOfService | Self::Away => {
                404
            }
        }
    }

    const fn of_cause(cause: u16) -> Self {
        match cause {
            302 => Self::Unconditional,
            486 => Self::UserBusy,
            408 => Self::NoAnswer,
            480 | 487 => Self::Deflection,
            503 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }
}

impl Diversion {
    /// Those who sent a request on, the first one first, at most 16: of whichever header tells of more. What cannot be read is
    /// as if it were not there.
    pub fn read(headers: &Headers) -> Vec<Self> {
        let mut wishes = headers.get_all("Privacy").flat_map(|value| value.split(';')).map(str::trim);
        let hidden = wishes.any(|value| value.eq_ignore_ascii_case("history"));
        let (diverted, history) = (diversions(headers), history(headers, hidden));
        if Self::times(&history) > Self::times(&diverted) { history } else { diverted }
    }

    /// How often a call was sent on.
    pub fn times(list: &[Self]) -> usize {
        list.iter().map(|one| usize::from(one.count)).sum()
    }

    /// The values of Diversion, as they stand in a request, at this domain.
    pub fn write(list: &[Self], domain: &str) -> Vec<String> {
        let value = |one: &Self| {
            let privacy = if one.user.is_some() { "off" } else { "full" };
            let (address, reason) = (one.address(domain), one.reason.word());
            format!("<{address}>;reason={reason};counter={};privacy={privacy}", one.count)
        };
        list.iter().rev().map(value).collect()
    }

    /// The values of History-Info for a request to this URI.
    pub fn write_history(list: &[Self], domain: &str, target: &SipUri) -> Vec<String> {
        let mut values = Vec::with_capacity(list.len() + 1);
        let (mut index, mut before) = ("1".to_owned(), None::<(String, DiversionReason)>);
        let entries = list.iter().map(Some).chain([None]);
        for entry in entries {
            let cause = before.as_ref().map(|(_, reason)| format!(";cause={}", reason.cause())).unwrap_or_default();
            let address = match entry {
                Some(one) => one.address(domain),
                None => target.to_string(),
            };
            let privacy = if entry.is_some_and(|one| one.user.is_none()) { "?Privacy=history" } else { "" };
            let from = before.map(|(from, _)| format!(";mp={from}")).unwrap_or_default();
            values.push(format!("<{address}{cause}{privacy}>;index={index}{from}"));
            let Some(one) = entry else { break };
            before = Some((index.clone(), one.reason));
            index.push_str(".1");
        }
        values
    }

    fn address(&self, domain: &str) -> String {
        self.user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| SipUri::new(Some(user), domain, None).to_string())
    }
}

/// Who is named; nobody when the name says that it says nothing.
fn user_of(address: &NameAddr<'_>) -> Option<String> {
    let user = address.parse_uri().ok()?.user()?.into_owned();
    (!user.eq_ignore_ascii_case("anonymous") && !user.eq_ignore_ascii_case("unknown")).then_some(user)
}

fn diversions(headers: &Headers) -> Vec<Diversion> {
    let addresses = headers.addresses("Diversion").unwrap_or_default();
    let mut list: Vec<Diversion> = addresses.iter().take(ENTRIES_MAX).map(diversion).collect();
    list.reverse();
    list
}

fn diversion(address: &NameAddr<'_>) -> Diversion {
    let plain = |name| address.params.unquoted(name);
    let hides = plain("privacy").is_some_and(|word| !word.eq_ignore_ascii_case("off"));
    Diversion {
        user: user_of(address).filter(|_| !hides),
        reason: plain("reason").map_or(DiversionReason::Unknown, |word| DiversionReason::of_word(&word)),
        count: plain("counter").and_then(|count| count.parse().ok()).unwrap_or(1).max(1),
    }
}

/// An entry of History-Info.
struct Entry {
    user: Option<String>,
    index: String,
    /// Whom the call was for before; with the cause, if it says one.
    from: Option<String>,
    cause: Option<u16>,
    /// Why it did not stay there: a Reason in its URI, as RFC 7044 section 5.1 has it.
    reason: Option<u16>,
}

fn history(headers: &Headers, hidden: bool) -> Vec<Diversion> {
    let addresses = headers.addresses("History-Info").unwrap_or_default();
    let entries: Vec<Entry> = addresses.iter().take(ENTRIES_MAX).map(|address| entry(address, hidden)).collect();
    let mut list = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let came = entries.iter().find(|later| match &later.from {
            Some(from) => *from == entry.index,
            None => false,
        });
        // Without `mp` the next entry is where it went.
        let came = came.or_else(|| entries.get(place + 1).filter(|next| next.from.is_none()));
        let cause = came.and_then(|came| came.cause).or(entry.reason.filter(|_| came.is_some()));
        if let Some(cause) = cause {
            list.push(Diversion { user: entry.user.clone(), reason: DiversionReason::of_cause(cause), count: 1 });
        }
    }
    list
}

fn entry(address: &NameAddr<'_>, hidden: bool) -> Entry {
    let uri = address.parse_uri().ok();
    let sip = uri.as_ref().and_then(RequestUri::as_sip);
    let escaped = sip.and_then(SipUri::headers).unwrap_or_default();
    let header = |wanted: &str| {
        let mut pairs = escaped.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| unescape(value).into_owned())
    };
    let hides = hidden || header("Privacy").is_some_and(|value| !value.eq_ignore_ascii_case("none"));
    let mut reason = Headers::new();
    if let Some(value) = header("Reason") {
        reason.push("Reason", value);
    }
    Entry {
        user: user_of(address).filter(|_| !hides),
        index: address.param("index").unwrap_or_default().to_owned(),
        from: address.param("mp").map(str::to_owned),
        cause: sip.and_then(|uri| uri.param("cause")?.parse().ok()),
        reason: crate::session::reason_of(&reason).map(|cause| cause.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in lines {
            headers.push(name, *value);
        }
        headers
    }

    fn one(user: &str, reason: DiversionReason) -> Diversion {
        Diversion { user: (!user.is_empty()).then(|| user.to_owned()), reason, count: 1 }
    }

    /// RFC 7544 section 7.1, with its errata.
    fn three() -> Vec<Diversion> {
        vec![
            one("user1", DiversionReason::NoAnswer),
            one("", DiversionReason::UserBusy),
            one("user3", DiversionReason::Unconditional),
        ]
    }

    #[test]
    fn both_headers_tell_the_same_story() {
        let diversion = "<sip:user3@a>;reason=unconditional;counter=1;privacy=off, \
                         <sip:user2@a>;reason=user-busy;counter=1;privacy=full, \
                         <sip:user1@a>;reason=no-answer;counter=1;privacy=off";
        assert_eq!(Diversion::read(&headers(&[("Diversion", diversion)])), three());
        let history = "<sip:user1@a>;index=1, <sip:user2@a;cause=408?Privacy=history>;index=1.1;mp=1, \
                       <sip:user3@a;cause=486>;index=1.1.1;mp=1.1, <sip:last@a;cause=302>;index=1.1.1.1;mp=1.1.1";
        assert_eq!(Diversion::read(&headers(&[("History-Info", history)])), three());
        let without_mp = history.replace(";mp=1.1.1", "").replace(";mp=1.1", "").replace(";mp=1", "");
        assert_eq!(Diversion::read(&headers(&[("History-Info", &without_mp)])), three());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let target = SipUri::parse("sip:+4930@carrier.test").unwrap();
        let written = Diversion::write(&three(), "office.test");
        assert_eq!(written[0], "<sip:user3@office.test>;reason=unconditional;counter=1;privacy=off");
        assert_eq!(written[1], "<sip:anonymous@anonymous.invalid>;reason=user-busy;counter=1;privacy=full");
        let lines: Vec<(&str, &str)> = written.iter().map(|value| ("Diversion", value.as_str())).collect();
        assert_eq!(Diversion::read(&headers(&lines)), three());
        let written = Diversion::write_history(&three(), "office.test", &target);
        assert_eq!(
            written,
            [
                "<sip:user1@office.test>;index=1",
                "<sip:anonymous@anonymous.invalid;cause=408?Privacy=history>;index=1.1;mp=1",
                "<sip:user3@office.test;cause=486>;index=1.1.1;mp=1.1",
                "<sip:+4930@carrier.test;cause=302>;index=1.1.1.1;mp=1.1.1",
            ]
        );
        let lines: Vec<(&str, &str)> = written.iter().map(|value| ("History-Info", value.as_str())).collect();
        assert_eq!(Diversion::read(&headers(&lines)), three());
    }

    #[test]
    fn each_reason_has_its_word_and_those_that_networks_know_their_cause() {
        for (reason, word) in WORDS {
            assert_eq!((reason.word(), DiversionReason::of_word(&word.to_ascii_uppercase())), (word, reason));
        }
        for reason in [
            DiversionReason::Unconditional,
            DiversionReason::UserBusy,
            DiversionReason::NoAnswer,
            DiversionReason::Deflection,
            DiversionReason::Unavailable,
        ] {
            assert_eq!(DiversionReason::of_cause(reason.cause()), reason);
        }
        assert_eq!(DiversionReason::of_word("\"\""), DiversionReason::Unknown);
    }

    #[test]
    fn a_history_with_reasons_alone_is_understood_and_a_mere_retarget_is_no_diversion() {
        // RFC 7044 section 5: a proxy that follows a 302 writes its Reason where the call was.
        let value = "<sip:bob@a?Reason=SIP%3Bcause%3D302>;index=1, <sip:bob@192.0.2.4>;index=1.1;rc=1";
        let read = Diversion::read(&headers(&[("History-Info", value)]));
        assert_eq!(read, [one("bob", DiversionReason::Unconditional)]);
        let value = "<sip:bob@a>;index=1, <sip:bob@192.0.2.4>;index=1.1;rc=1";
        assert_eq!(Diversion::read(&headers(&[("History-Info", value)])), []);
    }

    #[test]
    fn more_is_believed_than_less_and_nonsense_is_nothing() {
        let both = [
            ("Diversion", "<sip:a@h>;reason=x;counter=3"),
            ("History-Info", "<sip:a@h>;index=1, <sip:b@h;cause=302>;index=1.1"),
        ];
        let read = Diversion::read(&headers(&both));
        assert_eq!((Diversion::times(&read), read[0].reason), (3, DiversionReason::Unknown));
        for bad in ["", "<sip:", "<sip:a@h>;counter=0", "<sip:a@h>;counter=x", "<sip:anonymous@anonymous.invalid>"] {
            let read = Diversion::read(&headers(&[("Diversion", bad), ("History-Info", bad)]));
            assert!(read.iter().all(|one| one.count == 1), "{bad:?}: {read:?}");
        }
        let many = vec!["<sip:a@h>"; 60].join(", ");
        assert_eq!(Diversion::read(&headers(&[("Diversion", &many)])).len(), ENTRIES_MAX);
    }

    #[test]
    fn who_wants_his_history_kept_is_not_named() {
        let lines =
            [("Privacy", "id; history"), ("History-Info", "<sip:a@h>;index=1, <sip:b@h;cause=302>;index=1.1;mp=1")];
        assert_eq!(Diversion::read(&headers(&lines)), [one("", DiversionReason::Unconditional)]);
    }
}
