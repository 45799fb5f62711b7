//! Conditions of routes in an office document, and what they stand on: contacts, variables, calendars.

use super::{Noun, Parts};
use crate::rule::VariableValue;
use crate::{Calendar, Contact, Like, NumberPlan, Rule, Zone};
use plugboard_calendar::Asked;
use plugboard_document::{Faults, Field, Kind, Mark, did_you_mean};
use plugboard_model::{Dialled, GroupId, Name};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Conditions inside conditions.
const DEPTH_MAX: usize = 8;
/// Conditions of one list, and numbers, groups or languages of one condition.
const LIST_MAX: usize = 64;
/// Contacts of an office: what a firm of a thousand people has, and a document holds.
const CONTACTS_MAX: usize = 100_000;
/// Numbers of one contact.
const CONTACT_NUMBERS_MAX: usize = 16;
/// What one contact is filed under.
pub(crate) const CONTACT_GROUPS_MAX: usize = 16;
/// Users who are responsible for one contact.
pub(crate) const RESPONSIBLE_MAX: usize = 8;
/// Bytes of an address of e-mail (RFC 5321 section 4.5.3.1.3), and of a company's name.
pub(crate) const CONTACT_TEXT_MAX: usize = 254;
/// Variables of an office, and bytes of one that is a text.
const VARIABLES_MAX: usize = 64;
const TEXT_MAX: usize = 256;

/// What an office says about itself before its routes are read.
#[derive(Debug, Default)]
pub(crate) struct Ground {
    pub(crate) country: String,
    pub(crate) area: Option<String>,
    pub(crate) zone: Option<Zone>,
    pub(crate) calendars: BTreeMap<Name, Arc<Calendar>>,
    pub(crate) variables: BTreeMap<Name, VariableValue>,
    pub(crate) contacts: BTreeMap<Name, Contact>,
    /// What any of them is filed under.
    pub(crate) contact_groups: BTreeSet<Name>,
    /// Whose a number is, as it is written and in E.164.
    pub(crate) contact_numbers: HashMap<String, Name>,
    /// Who is said to be responsible for somebody: the name, and where that is said.
    pub(crate) responsible: Vec<(Name, Mark, String)>,
}

impl Ground {
    pub(crate) fn plan(&self) -> NumberPlan<'_> {
        NumberPlan::of(&self.country, self.area.as_deref())
    }

    pub(crate) fn variables(&mut self, field: Option<Field<'_>>, faults: &mut Faults) {
        let Some(field) = field else { return };
        let entries = field.entries(faults);
        if entries.len() > VARIABLES_MAX {
            field.fault(faults, format!("an office has at most {VARIABLES_MAX} variables"), "take some out");
        }
        for (name, field) in entries.into_iter().take(VARIABLES_MAX) {
            match (Name::new(name), value(&field, faults)) {
                (Ok(name), Some(value)) => drop(self.variables.insert(name, value)),
                (Err(error), _) => field.fault(faults, error.to_string(), ""),
                (Ok(_), None) => {}
            }
        }
    }

    pub(crate) fn contacts(&mut self, field: Option<Field<'_>>, faults: &mut Faults) {
        for item in field.map(|field| field.list(CONTACTS_MAX, faults)).unwrap_or_default() {
            let Some(mut fields) = item.fields(faults) else { continue };
            let id = fields.need("id", faults).and_then(|field| field.name(faults));
            let name = fields.take("name").and_then(|field| field.text(faults));
            let language = fields.take("language").and_then(|field| language(&field, faults));
            let company = fields.take("company").and_then(|field| short(&field, faults));
            let email = fields.take("email").and_then(|field| email(&field, faults));
            let groups = fields.take("groups");
            let groups = groups.map(|field| several(&field, CONTACT_GROUPS_MAX, faults)).unwrap_or_default();
            let groups: Vec<Name> = groups.iter().filter_map(|field| field.name(faults)).collect();
            let responsible = fields.take("responsible");
            let responsible = responsible.map(|field| several(&field, RESPONSIBLE_MAX, faults)).unwrap_or_default();
            let responsible = self.responsible(&responsible, faults);
            let numbers = fields.need("numbers", faults);
            let numbers = numbers.map(|field| several(&field, CONTACT_NUMBERS_MAX, faults)).unwrap_or_default();
            fields.finish(faults);
            let Some(id) = id else { continue };
            let mut own = Vec::new();
            for field in numbers {
                let Some(text) = field.text(faults) else { continue };
                let Ok(number) = Dialled::new(&text).map_err(|error| field.fault(faults, error.to_string(), "")) else {
                    continue;
                };
                let e164 = self.plan().e164(&number);
                for spelling in std::iter::once(&number).chain(&e164) {
                    let other = self.contact_numbers.insert(spelling.to_string(), id.clone());
                    if let Some(other) = other.filter(|other| *other != id) {
                        let reason = format!("the number {number} is also one of the contact {other}");
                        field.fault(faults, reason, "take it out of one of them: a caller is one contact");
                        break;
                    }
                }
                own.push(number);
            }
            let name = name.unwrap_or_else(|| id.to_string());
            let contact = Contact { id: id.clone(), name, numbers: own, language, company, email, groups, responsible };
            self.contact_groups.extend(contact.groups.iter().cloned());
            if self.contacts.insert(id, contact).is_some() {
                item.fault(faults, "this contact is here twice", "take one of them out, or give it another id");
            }
        }
    }
}

impl Ground {
    /// Users, each once; that the office has them is looked at when its users are known.
    fn responsible(&mut self, items: &[Field<'_>], faults: &mut Faults) -> Vec<Name> {
        let mut found: Vec<Name> = Vec::new();
        for item in items {
            let Some(name) = item.name(faults) else { continue };
            if found.contains(&name) {
                item.fault(faults, format!("{name} is here twice"), "take one of them out");
                continue;
            }
            self.responsible.push((name.clone(), item.node.at, item.path.clone()));
            found.push(name);
        }
        found
    }
}

/// A text of one line.
fn short(field: &Field<'_>, faults: &mut Faults) -> Option<String> {
    let text = field.text(faults)?;
    if text.is_empty() || text.len() > CONTACT_TEXT_MAX || text.chars().any(char::is_control) {
        field.fault(faults, format!("this is no text of one line of 1 to {CONTACT_TEXT_MAX} bytes"), "");
        return None;
    }
    Some(text)
}

/// An address of e-mail, as far as a switch looks at it: one `@` with something on both sides, no blanks.
fn email(field: &Field<'_>, faults: &mut Faults) -> Option<String> {
    let text = short(field, faults)?;
    let is_one = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !text.contains([' ', '<', '>', ','])
    });
    if !is_one {
        field.fault(faults, format!("{text:?} is no address of e-mail"), "write for example carla@customer.test");
        return None;
    }
    Some(text)
}

/// One thing or a list of them.
fn several<'n>(field: &Field<'n>, max: usize, faults: &mut Faults) -> Vec<Field<'n>> {
    let items = if field.is_list() { field.list(max, faults) } else { vec![field.clone()] };
    if items.is_empty() {
        field.fault(faults, "the list is empty", "write at least one, or leave it out");
    }
    items
}

pub(super) fn language(field: &Field<'_>, faults: &mut Faults) -> Option<String> {
    let text = field.text(faults)?;
    if !crate::document::is_language(&text) {
        field.fault(faults, format!("{text:?} is no language"), crate::document::LANGUAGE_REMEDY);
        return None;
    }
    Some(text)
}

/// A text, a whole number, `true` or `false`.
fn value(field: &Field<'_>, faults: &mut Faults) -> Option<VariableValue> {
    match &field.node.kind {
        Kind::Boolean(value) => Some(VariableValue::Boolean(*value)),
        Kind::Integer(value, _) => Some(VariableValue::Number(*value)),
        Kind::Text(text) if text.len() <= TEXT_MAX => Some(VariableValue::Text(text.as_str().into())),
        Kind::Null | Kind::Decimal(..) | Kind::Text(_) | Kind::List(_) | Kind::Map(_) => {
            let reason = format!("a variable is a text of at most {TEXT_MAX} bytes, a whole number, true or false");
            field.fault(faults, reason, "");
            None
        }
    }
}

const KEYS: [&str; 15] = [
    "all",
    "one_of",
    "not",
    "called",
    "caller",
    "identity",
    "anonymous",
    "diverted",
    "time",
    "contact",
    "contact_group",
    "caller_group",
    "called_group",
    "language",
    "variable",
];

impl Parts<'_> {
    /// A condition: a map of one entry; or `all` or `one_of` with a list of them.
    pub(crate) fn rule(&mut self, field: &Field<'_>) -> Option<Rule> {
        self.rule_within(field, DEPTH_MAX)
    }

    fn rule_within(&mut self, field: &Field<'_>, depth: usize) -> Option<Rule> {
        let Some(depth) = depth.checked_sub(1) else {
            field.fault(self.faults, format!("conditions stand in at most {DEPTH_MAX} others"), "take some apart");
            return None;
        };
        let mut fields = field.fields(self.faults)?;
        let mut said: Vec<(&str, Field<'_>)> =
            KEYS.into_iter().filter_map(|key| Some((key, fields.take(key)?))).collect();
        let unknown = fields.rest();
        if let Some((key, one)) = unknown.first() {
            let near = did_you_mean(key, &KEYS);
            let remedy = if near.is_empty() { format!("conditions are {}", KEYS.join(", ")) } else { near };
            self.faults.add(one.key_at, &one.path, format!("{key:?} is no condition"), remedy);
            return None;
        }
        match (said.pop(), said.last()) {
            (Some((key, field)), None) => self.condition(key, &field, depth),
            (Some((_, second)), Some(_)) => {
                let remedy = "write them as items of a list under `all`, or under `one_of`";
                self.faults.add(second.key_at, &second.path, "two conditions stand in one place", remedy);
                None
            }
            (None, _) => {
                field.fault(self.faults, "there is no condition", format!("conditions are {}", KEYS.join(", ")));
                None
            }
        }
    }

    fn condition(&mut self, key: &str, field: &Field<'_>, depth: usize) -> Option<Rule> {
        Some(match key {
            "all" | "one_of" => {
                let items = field.list(LIST_MAX, self.faults);
                if items.is_empty() && field.is_list() {
                    field.fault(self.faults, "there is no condition in it", "write at least one");
                }
                let rules: Vec<Rule> = items.iter().filter_map(|item| self.rule_within(item, depth)).collect();
                if key == "all" { Rule::All(rules) } else { Rule::OneOf(rules) }
            }
            "not" => Rule::Not(Box::new(self.rule_within(field, depth)?)),
            "called" => Rule::Called(self.likes(field)),
            "caller" => Rule::Caller(self.likes(field)),
            "identity" => Rule::Identity(self.likes(field)),
            "anonymous" => Rule::Anonymous(field.boolean(self.faults)?),
            "diverted" => Rule::Diverted(field.boolean(self.faults)?),
            "time" => self.time(field)?,
            "contact" => self.contact(field),
            "contact_group" => self.contact_group(field),
            "caller_group" => Rule::CallerGroup(self.member_of(field)),
            "called_group" => Rule::CalledGroup(self.member_of(field)),
            "language" => {
                let items = several(field, LIST_MAX, self.faults);
                Rule::Language(items.iter().filter_map(|item| language(item, self.faults)).collect())
            }
            _ => self.variable(field)?,
        })
    }

    pub(crate) fn likes(&mut self, field: &Field<'_>) -> Vec<Like> {
        several(field, LIST_MAX, self.faults).iter().filter_map(|item| self.like(item)).collect()
    }

    fn member_of(&mut self, field: &Field<'_>) -> Vec<GroupId> {
        let items = several(field, LIST_MAX, self.faults);
        let office = self.office.clone();
        let id = |name| GroupId { office: office.clone(), name };
        items.iter().filter_map(|item| self.refers(Noun::Group, item).map(id)).collect()
    }

    fn time(&mut self, field: &Field<'_>) -> Option<Rule> {
        let asked = Asked::read(field, self.faults)?;
        let known: Vec<&str> = self.ground.calendars.keys().map(Name::as_str).collect();
        let find = |name: &str| self.ground.calendars.get(&Name::new(name).ok()?).cloned();
        asked.resolve(self.ground.zone, &find, &known, self.faults).map(Rule::Time)
    }

    /// `true`, `false`, or ids.
    fn contact(&mut self, field: &Field<'_>) -> Rule {
        if let Kind::Boolean(known) = field.node.kind {
            return Rule::Known(known);
        }
        let mut names = Vec::new();
        for item in several(field, LIST_MAX, self.faults) {
            let Some(name) = item.name(self.faults) else { continue };
            if !self.ground.contacts.contains_key(&name) {
                let known: Vec<&str> = self.ground.contacts.keys().map(Name::as_str).collect();
                let near = did_you_mean(name.as_str(), &known);
                let remedy = if near.is_empty() { "add it to `contacts` of the office".to_owned() } else { near };
                item.fault(self.faults, format!("the office has no contact {name}"), remedy);
            }
            names.push(name);
        }
        Rule::Contact(names)
    }

    /// What contacts are filed under; one under which nobody is filed is a slip.
    fn contact_group(&mut self, field: &Field<'_>) -> Rule {
        let mut names = Vec::new();
        for item in several(field, LIST_MAX, self.faults) {
            let Some(name) = item.name(self.faults) else { continue };
            if !self.ground.contact_groups.contains(&name) {
                let known: Vec<&str> = self.ground.contact_groups.iter().map(Name::as_str).collect();
                let near = did_you_mean(name.as_str(), &known);
                let remedy = if near.is_empty() { "add it to the `groups` of a contact".to_owned() } else { near };
                item.fault(self.faults, format!("no contact is in a group {name}"), remedy);
            }
            names.push(name);
        }
        Rule::ContactGroup(names)
    }

    /// Variables with the values that they are to have.
    fn variable(&mut self, field: &Field<'_>) -> Option<Rule> {
        let mut wanted = Vec::new();
        for (name, field) in field.entries(self.faults) {
            let Some(value) = value(&field, self.faults) else { continue };
            let Ok(name) = Name::new(name).map_err(|error| field.fault(self.faults, error.to_string(), "")) else {
                continue;
            };
            match self.ground.variables.get(&name) {
                Some(own) if std::mem::discriminant(own) != std::mem::discriminant(&value) => {
                    let reason = format!("the variable {name} is {own}, and never {value}");
                    field.fault(self.faults, reason, "write a value of the same kind");
                }
                Some(_) => {}
                None => {
                    let known: Vec<&str> = self.ground.variables.keys().map(Name::as_str).collect();
                    let near = did_you_mean(name.as_str(), &known);
                    let remedy = if near.is_empty() { "add it to `variables` of the office".to_owned() } else { near };
                    field.fault(self.faults, format!("the office has no variable {name}"), remedy);
                }
            }
            wanted.push((name, value));
        }
        if wanted.is_empty() {
            field.fault(self.faults, "no variable is named", "write for example variable: { season: winter }");
            return None;
        }
        Some(Rule::Variables(wanted))
    }
}
