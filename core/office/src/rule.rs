//! What has to be so for a route to be taken.

use crate::inquiry::Facts;
use crate::{Like, Spelled};
use plugboard_calendar::Schedule;
use plugboard_document::Node;
use plugboard_model::{GroupId, Name, UserId, WallTime};

/// Conditions of a route, and how its document says them.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// What they come to.
    pub rule: Rule,
    /// As they were read, for `export`.
    pub(crate) document: Node,
}

/// Where they stand in a document is nothing to what they say.
impl PartialEq for Conditions {
    fn eq(&self, other: &Self) -> bool {
        self.rule == other.rule
    }
}

impl Eq for Conditions {}

/// Something that holds for a call or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Each of these holds.
    All(Vec<Rule>),
    /// At least one of these holds.
    OneOf(Vec<Rule>),
    /// This does not hold.
    Not(Box<Rule>),
    /// What was dialled is like one of these.
    Called(Vec<Like>),
    /// The caller's number is like one of these; no number is like none.
    Caller(Vec<Like>),
    /// The number that the caller wanted in the first place, before anybody sent the call on, is like one of these.
    Identity(Vec<Like>),
    /// Whether the caller withholds his number.
    Anonymous(bool),
    /// Whether the call was sent on to us by somebody else.
    Diverted(bool),
    /// It is the time.
    Time(Schedule),
    /// Whether the caller is a contact.
    Known(bool),
    /// He is one of these contacts.
    Contact(Vec<Name>),
    /// He is a contact who is filed under one of these.
    ContactGroup(Vec<Name>),
    /// The caller is a user who is a member of one of these.
    CallerGroup(Vec<GroupId>),
    /// Whoever is called is a member of one of these, or one of these is called.
    CalledGroup(Vec<GroupId>),
    /// His language is one of these: `de` is also `de-AT`.
    Language(Vec<String>),
    /// These variables of the office have these values.
    Variables(Vec<(Name, VariableValue)>),
}

/// What a variable of an office holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableValue {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Boolean(bool),
}

impl std::fmt::Display for VariableValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Boolean(boolean) => write!(f, "{boolean}"),
        }
    }
}

impl Rule {
    /// The moments after one and up to another at which one of its questions of the clock is answered anew.
    pub fn clock_changes(&self, after: WallTime, until: WallTime) -> Vec<WallTime> {
        match self {
            Self::All(rules) | Self::OneOf(rules) => {
                rules.iter().flat_map(|rule| rule.clock_changes(after, until)).collect()
            }
            Self::Not(rule) => rule.clock_changes(after, until),
            Self::Time(schedule) => schedule.changes(after, until),
            Self::Called(_)
            | Self::Caller(_)
            | Self::Identity(_)
            | Self::Anonymous(_)
            | Self::Diverted(_)
            | Self::Known(_)
            | Self::Contact(_)
            | Self::ContactGroup(_)
            | Self::CallerGroup(_)
            | Self::CalledGroup(_)
            | Self::Language(_)
            | Self::Variables(_) => Vec::new(),
        }
    }

    /// Whether it holds; the error says what does not, in words, if `tells`, else nothing.
    pub(crate) fn judge(&self, facts: &Facts<'_>, tells: bool) -> Result<(), String> {
        let (holds, why) = match self {
            Self::All(rules) => return rules.iter().try_for_each(|rule| rule.judge(facts, tells)),
            Self::OneOf(rules) => {
                let mut failed = Vec::new();
                for rule in rules {
                    match rule.judge(facts, tells) {
                        Ok(()) => return Ok(()),
                        Err(why) => failed.push(why),
                    }
                }
                return Err(if tells { format!("none of these: {}", failed.join("; ")) } else { String::new() });
            }
            Self::Not(rule) => {
                let holds = rule.judge(facts, false).is_err();
                let why = || {
                    if let Self::Time(schedule) = &**rule {
                        return format!("not time: it is {}", schedule.told(facts.asked.at));
                    }
                    format!("what is not to hold does: {}", rule.words())
                };
                (holds, tells.then(why))
            }
            Self::Called(like) => (is_like(like, &facts.called), tells.then(|| unlike("called", like, &facts.called))),
            Self::Caller(like) => (is_like(like, &facts.caller), tells.then(|| unlike("caller", like, &facts.caller))),
            Self::Identity(like) => {
                (is_like(like, &facts.identity), tells.then(|| unlike("identity", like, &facts.identity)))
            }
            Self::Anonymous(wanted) => {
                let is = facts.is_anonymous();
                (is == *wanted, tells.then(|| format!("anonymous is {is}, not {wanted}")))
            }
            Self::Diverted(wanted) => {
                let is = facts.asked.diverted.is_some();
                (is == *wanted, tells.then(|| format!("diverted is {is}, not {wanted}")))
            }
            Self::Time(schedule) => {
                let why = || format!("time: it is {}, which is not the time", schedule.told(facts.asked.at));
                (schedule.holds(facts.asked.at), tells.then(why))
            }
            Self::Known(wanted) => {
                let is = facts.contact.is_some();
                (is == *wanted, tells.then(|| format!("contact: the caller being one is {is}, not {wanted}")))
            }
            Self::Contact(names) => {
                let is = facts.contact.map(|contact| &contact.id);
                let why = || {
                    let is = is.map_or_else(|| "no contact".to_owned(), |name| format!("the contact {name}"));
                    format!("contact: the caller is {is}, not {}", listed(names))
                };
                (is.is_some_and(|name| names.contains(name)), tells.then(why))
            }
            Self::ContactGroup(groups) => {
                let filed = facts.contact.map_or(&[][..], |contact| &contact.groups);
                let why = || {
                    let is = facts.contact.map_or_else(
                        || "no contact".to_owned(),
                        |contact| format!("the contact {} of the groups [{}]", contact.id, listed(filed)),
                    );
                    format!("contact_group: the caller is {is}, not of {}", listed(groups))
                };
                (filed.iter().any(|group| groups.contains(group)), tells.then(why))
            }
            Self::CallerGroup(groups) => {
                let user = facts.asked.source.user();
                let member = |group: &&GroupId| user.is_some_and(|user| has(facts, group, user));
                let why = || format!("caller_group: the caller is no member of {}", named(groups));
                (groups.iter().any(|group| member(&group)), tells.then(why))
            }
            Self::CalledGroup(groups) => {
                let whole = |group: &GroupId| {
                    facts.office.group(group).and_then(|group| group.number.as_ref()) == Some(&facts.asked.called)
                };
                let member = |group: &GroupId| facts.callee.as_ref().is_some_and(|user| has(facts, group, user));
                let why = || format!("called_group: whoever is called is no member of {}", named(groups));
                (groups.iter().any(|group| whole(group) || member(group)), tells.then(why))
            }
            Self::Language(languages) => {
                let is = facts.language();
                let speaks = |wanted: &String| speaks(is, wanted);
                (
                    languages.iter().any(speaks),
                    tells.then(|| format!("language: it is {is}, not {}", listed(languages))),
                )
            }
            Self::Variables(wanted) => {
                let differs = wanted.iter().find(|(name, value)| facts.office.variables.get(name) != Some(value));
                let Some((name, value)) = differs else { return Ok(()) };
                let is = facts.office.variables.get(name).map_or_else(|| "nothing".to_owned(), ToString::to_string);
                (false, tells.then(|| format!("variable: {name} is {is}, not {value}")))
            }
        };
        if holds { Ok(()) } else { Err(why.unwrap_or_default()) }
    }

    /// In the words of a document.
    pub fn words(&self) -> String {
        let all = |rules: &[Self]| rules.iter().map(Self::words).collect::<Vec<_>>().join(", ");
        match self {
            Self::All(rules) => format!("all of [{}]", all(rules)),
            Self::OneOf(rules) => format!("one of [{}]", all(rules)),
            Self::Not(rule) => format!("not {}", rule.words()),
            Self::Called(like) => format!("called {}", listed(like)),
            Self::Caller(like) => format!("caller {}", listed(like)),
            Self::Identity(like) => format!("identity {}", listed(like)),
            Self::Anonymous(wanted) => format!("anonymous {wanted}"),
            Self::Diverted(wanted) => format!("diverted {wanted}"),
            Self::Time(_) => "time".to_owned(),
            Self::Known(wanted) => format!("contact {wanted}"),
            Self::Contact(names) => format!("contact {}", listed(names)),
            Self::ContactGroup(groups) => format!("contact_group {}", listed(groups)),
            Self::CallerGroup(groups) => format!("caller_group {}", named(groups)),
            Self::CalledGroup(groups) => format!("called_group {}", named(groups)),
            Self::Language(languages) => format!("language {}", listed(languages)),
            Self::Variables(wanted) => {
                let each: Vec<String> = wanted.iter().map(|(name, value)| format!("{name} is {value}")).collect();
                format!("variable {}", each.join(", "))
            }
        }
    }
}

/// `de-AT` is spoken by who wants `de`, not the other way round (RFC 4647 section 3.3.1); letter case does not matter.
fn speaks(is: &str, wanted: &str) -> bool {
    let begins = is.get(..wanted.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(wanted));
    begins && is.get(wanted.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn has(facts: &Facts<'_>, group: &GroupId, user: &UserId) -> bool {
    facts.office.group(group).is_some_and(|group| group.members.iter().any(|member| member.user == *user))
}

fn is_like(like: &[Like], number: &Spelled) -> bool {
    like.iter().any(|like| like.is(number))
}

fn unlike(which: &str, like: &[Like], number: &Spelled) -> String {
    let number = if number.written.is_empty() { "nobody's" } else { number.written.as_str() };
    format!("{which}: {number} is not like {}", listed(like))
}

fn listed<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

fn named(groups: &[GroupId]) -> String {
    listed(&groups.iter().map(|group| &group.name).collect::<Vec<_>>())
}
