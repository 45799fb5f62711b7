//! Texts with variables in them: `Hello {caller_name}`, `{whom.company}`.

use crate::contact::{ContactField, Said};
use crate::document::is_variable_name;
use plugboard_model::{Value, ValueType};
use serde_json::Value as Json;
use std::fmt::Write as _;

/// The longest text that a template may make: the limit of a text value.
const TEXT_BYTES_MAX: usize = 4_096;

/// A text, read: `{name}` stands for a variable, `{name.field}` for a field of a contact, `{{` and `}}` for braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
    /// A variable and the field of it.
    Field(String, String),
}

impl Template {
    /// Reads a template; the error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(place) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(place);
            plain.push_str(before);
            if let Some(after) = brace.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = brace.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else if let Some((name, after)) = brace.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
                let (variable, field) = name.split_once('.').map_or((name, None), |(name, field)| (name, Some(field)));
                if ![variable, field.unwrap_or("id")].into_iter().all(is_variable_name) {
                    return Err(format!("{{{name}}} does not name a variable"));
                }
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(match field {
                    Some(field) => Part::Field(variable.into(), field.into()),
                    None => Part::Variable(variable.into()),
                });
                rest = after;
            } else {
                return Err("a brace is not closed or not opened".into());
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// The variables in it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(name) | Part::Field(name, _) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The fields in it, with their variables.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|part| match part {
            Part::Field(name, field) => Some((name.as_str(), field.as_str())),
            Part::Variable(_) | Part::Text(_) => None,
        })
    }

    /// The variable that is all of it: then a value keeps its type.
    pub(crate) fn only_variable(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Variable(name)] => Some(name),
            _ => None,
        }
    }

    /// The text without variables; `None` when there are some.
    pub(crate) fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Fills the variables in; one without a value leaves nothing. Cut at 4,096 bytes.
    pub(crate) fn render<'v>(&self, value_of: impl Fn(&str) -> Option<&'v Value>) -> String {
        let mut text = String::new();
        for part in &self.0 {
            part.write(&value_of, &mut text);
        }
        while text.len() > TEXT_BYTES_MAX {
            text.pop();
        }
        text
    }
}

/// What a template makes of variables, for texts that stand in no scenario: `escaped` is what becomes of each value. One without a value leaves
/// nothing. `None`: it is no template.
pub fn fill<'v>(
    text: &str,
    escaped: fn(&str) -> String,
    value_of: impl Fn(&str) -> Option<&'v Value>,
) -> Option<String> {
    let mut filled = String::new();
    for part in Template::parse(text).ok()?.0 {
        let mut written = String::new();
        part.write(&value_of, &mut written);
        match part {
            Part::Text(_) => filled.push_str(&written),
            Part::Variable(_) | Part::Field(..) => filled.push_str(&escaped(&written)),
        }
    }
    Some(filled)
}

impl Part {
    fn write<'v>(&self, value_of: &impl Fn(&str) -> Option<&'v Value>, out: &mut String) {
        match self {
            Self::Text(plain) => out.push_str(plain),
            Self::Variable(name) => {
                if let Some(value) = value_of(name) {
                    write_value(value, out);
                }
            }
            Self::Field(name, field) => {
                if let (Some(Value::Contact(contact)), Some(field)) = (value_of(name), ContactField::parse(field)) {
                    match field.of(contact) {
                        Said::Text(text) => out.push_str(text),
                        Said::Texts(list) => out.push_str(&list.join(", ")),
                    }
                }
            }
        }
    }
}

/// A text that is part of no HTML, whatever is in it.
pub fn escaped_for_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A value as a text: a user or group by its id, a contact by his name, a list with commas.
fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Text(text) => out.push_str(text),
        Value::Texts(list) => out.push_str(&list.join(", ")),
        Value::Users(users) => {
            let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
            out.push_str(&names.join(", "));
        }
        Value::User(user) => out.push_str(user.name.as_str()),
        Value::Group(group) => out.push_str(group.name.as_str()),
        Value::Contact(contact) => out.push_str(&contact.name),
        // Writing to a String cannot fail.
        Value::Number(number) => drop(write!(out, "{number}")),
        Value::Boolean(boolean) => drop(write!(out, "{boolean}")),
        Value::Time(time) => drop(write!(out, "{}", time.0)),
    }
}

/// A value as JSON for an action's parameter.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => Json::from(text.as_str()),
        Value::Number(number) => Json::from(*number),
        Value::Boolean(boolean) => Json::from(*boolean),
        Value::Time(time) => Json::from(time.0),
        Value::User(user) => Json::from(user.name.as_str()),
        Value::Group(group) => Json::from(group.name.as_str()),
        Value::Contact(contact) => Json::from(contact.name.as_str()),
        Value::Texts(list) => Json::from(list.clone()),
        Value::Users(users) => users.iter().map(|user| Json::from(user.name.as_str())).collect(),
    }
}

/// A sample of a type as JSON, to check a parameter whose value is known only in a call.
pub(crate) fn sample(value_type: ValueType) -> Json {
    match value_type {
        ValueType::Text | ValueType::User | ValueType::Group | ValueType::Contact => Json::from(""),
        ValueType::Number | ValueType::Time => Json::from(0),
        ValueType::Boolean => Json::from(false),
        ValueType::Texts | ValueType::Users => Json::Array(Vec::new()),
    }
}
