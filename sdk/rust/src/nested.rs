//! Parameters within a parameter.

use crate::Json;
use crate::parameter::{Parameter, ParameterError, Parameters};
use std::ops::Deref;

/// A parameter that is an object with parameters of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nested<P>(pub P);

impl<P: Parameters> Parameter for Nested<P> {
    fn schema() -> String {
        P::schema()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        match json {
            Json::Object(object) => P::read(object).map(Self),
            other @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) => {
                Err(ParameterError::expected("an object", &other))
            }
        }
    }
}

impl<P> Deref for Nested<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0
    }
}
