//! Values that others wrote, read as what the scenario's variables are.

use crate::variables::{self, SetError, Value};
use crate::{Failure, Json, directory};

/// How values of JSON become those of variables, whose types the scenario declares: a number may be a user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Who has the values, for failures: `the answer`.
    pub whose: &'static str,
    /// Blanks around a text are none of it, and 1 and 0 are true and false, where a variable is of another type: who wrote them knows no
    /// such types.
    pub loosely: bool,
}

impl Reading {
    /// Assigns all of them. `false`: one names a user, group or contact that the office does not have; then the variables are as they were, but
    /// for those that had no value. Returns at once.
    ///
    /// # Errors
    /// A variable's name and why it could not be set; then they are as they were in the same way.
    pub fn assign_all(self, found: &[(&String, &Json)]) -> Result<bool, Failure> {
        let before: Vec<Option<Value>> = found.iter().map(|(name, _)| variables::get(name)).collect();
        let taken = found.iter().try_fold(true, |taken, (name, value)| Ok(taken && self.assign(name, value)?));
        if taken != Ok(true) {
            for ((name, _), value) in found.iter().zip(before) {
                if let Some(value) = value {
                    variables::assign(name, &value).map_err(|error| variables::refused(name, error))?;
                }
            }
        }
        taken
    }

    /// Assigns a value as what the variable is: a text with digits may be a user's number, and is a contact's id.
    /// `false`: there is no such user, group or contact.
    fn assign(self, name: &str, value: &Json) -> Result<bool, Failure> {
        let plain = plain(value);
        let wanted = match variables::assign(name, &plain) {
            Ok(()) => return Ok(true),
            Err(SetError::WrongType(wanted)) => wanted,
            Err(error) => return Err(variables::refused(name, error)),
        };
        let unfit = || Failure::new(["what ", self.whose, " has for ", name, " is no ", &wanted].concat());
        let text = match &plain {
            Value::Text(text) if self.loosely => text.trim().to_owned(),
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Boolean(yes) => yes.to_string(),
            Value::Texts(_)
            | Value::Time(_)
            | Value::User(_)
            | Value::Group(_)
            | Value::Users(_)
            | Value::Contact(_) => return Err(unfit()),
        };
        let fitting = match wanted.as_str() {
            "text" => Some(Value::Text(text)),
            "number" => text.parse().ok().map(Value::Number),
            "boolean" => self.truth(&text).map(Value::Boolean),
            "user" => match directory::find_user(&text) {
                Some(user) => Some(Value::User(user.id)),
                None => return Ok(false),
            },
            "group" => match directory::find_group(&text) {
                Some(group) => Some(Value::Group(group.id)),
                None => return Ok(false),
            },
            "contact" => Some(Value::Contact(text)),
            _ => None,
        };
        match variables::assign(name, &fitting.ok_or_else(unfit)?) {
            Ok(()) => Ok(true),
            Err(SetError::Unknown) => Ok(false),
            Err(error) => Err(variables::refused(name, error)),
        }
    }

    fn truth(self, text: &str) -> Option<bool> {
        match text {
            "true" => Some(true),
            "false" => Some(false),
            "1" if self.loosely => Some(true),
            "0" if self.loosely => Some(false),
            _ => None,
        }
    }
}

/// A value as it stands.
fn plain(value: &Json) -> Value {
    match value {
        Json::String(text) => Value::Text(text.clone()),
        Json::Bool(yes) => Value::Boolean(*yes),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Number(number),
            None => Value::Text(number.to_string()),
        },
        Json::Array(items) => {
            let text = |item: &Json| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            Value::Texts(items.iter().map(text).collect())
        }
        Json::Null | Json::Object(_) => Value::Text(value.to_string()),
    }
}
