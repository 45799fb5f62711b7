//! The scenario's variables.

use crate::Failure;
use crate::bindings::plugboard::switch::variables as raw;
use crate::failure::not_set;

pub use crate::bindings::plugboard::switch::types::Value;
pub use crate::bindings::plugboard::switch::variables::SetError;

/// A user of the call's office, by the id the office gave him: the value of a variable of type `user`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User(pub String);

/// A group of the call's office: the value of a variable of type `group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group(pub String);

/// Somebody outside whom the call's office knows, by his id: the value of a variable of type `contact`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact(pub String);

/// A moment in milliseconds since 1970-01-01T00:00:00Z: the value of a variable of type `time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub i64);

/// A Rust type that a scenario variable can hold.
pub trait Variable {
    /// The type's name in manifests and scenarios.
    const TYPE: &'static str;
    /// False for a type that may hold nothing.
    const ALWAYS: bool = true;

    /// The value, `None` to leave the variable as it is.
    fn into_value(self) -> Option<Value>;
}

/// The value now, `None` when nothing assigned it. Returns at once.
pub fn get(name: &str) -> Option<Value> {
    raw::get(name)
}

/// Assigns it. Returns at once.
///
/// # Errors
/// The variable's name and why it could not be set: its type in this scenario, its name, the limits.
pub fn set(name: &str, value: impl Variable) -> Result<(), Failure> {
    match value.into_value() {
        Some(value) => raw::set(name, &value).map_err(|error| not_set(name, error)),
        None => Ok(()),
    }
}

/// Assigns a value as it stands, for who wants to know of which type the variable is. Returns at once.
///
/// # Errors
/// Every [`SetError`]; [`refused`] makes a failure of it.
pub fn assign(name: &str, value: &Value) -> Result<(), SetError> {
    raw::set(name, value)
}

/// The failure of an assignment, with the variable's name.
pub fn refused(name: &str, error: SetError) -> Failure {
    not_set(name, error)
}

macro_rules! variable {
    ($($rust:ty, $type_name:literal, $value:ident => $wrapped:expr;)*) => { $(
        impl Variable for $rust {
            const TYPE: &'static str = $type_name;

            fn into_value(self) -> Option<Value> {
                let $value = self;
                Some($wrapped)
            }
        }
    )* };
}

variable! {
    String, "text", text => Value::Text(text);
    i64, "number", number => Value::Number(number);
    bool, "boolean", yes => Value::Boolean(yes);
    Moment, "time", moment => Value::Time(moment.0);
    User, "user", user => Value::User(user.0);
    Group, "group", group => Value::Group(group.0);
    Contact, "contact", contact => Value::Contact(contact.0);
    Vec<String>, "texts", texts => Value::Texts(texts);
    Vec<User>, "users", users => Value::Users(users.into_iter().map(|user| user.0).collect());
}

impl<T: Variable> Variable for Option<T> {
    const TYPE: &'static str = T::TYPE;
    const ALWAYS: bool = false;

    fn into_value(self) -> Option<Value> {
        self.and_then(T::into_value)
    }
}
