//! One text or a list of them.

use plugboard_sdk::{Failure, Json, Parameter, ParameterError};

/// As many as the switch rings at once.
const TARGETS_MAX: usize = 32;

/// One text or a list of 1 to 32.
pub(crate) struct OneOrMore(Vec<String>);

impl OneOrMore {
    /// The only one.
    pub(crate) fn only(&self) -> Result<&String, Failure> {
        match self.0.as_slice() {
            [only] => Ok(only),
            more => Err(Failure::new(format!("parameter target: expected one, found a list of {}", more.len()))),
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[String] {
        &self.0
    }
}

impl Parameter for OneOrMore {
    fn schema() -> String {
        let text = r#"{"type":"string","minLength":1,"maxLength":64}"#;
        let list = format!(r#"{{"type":"array","items":{text},"minItems":1,"maxItems":{TARGETS_MAX}}}"#);
        format!(r#"{{"anyOf":[{text},{list}]}}"#)
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let texts = if let Json::String(text) = json { vec![text] } else { Vec::<String>::from_json(json)? };
        if texts.is_empty() || texts.len() > TARGETS_MAX {
            return Err(ParameterError::new(format!("expected 1 to {TARGETS_MAX}, found {}", texts.len())));
        }
        Ok(Self(texts))
    }
}
