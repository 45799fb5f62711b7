//! The REST interface: a method a request, parameters and answers in JSON.

use plugboard_sdk::Json;
use plugboard_sdk_integration::prelude::*;

/// By which the office's `services` name the portal.
const SERVICE: &str = "rest";

/// What a method answers: its `result`.
pub(crate) fn ask<const N: usize>(method: &str, parameters: [(&str, Json); N]) -> Result<Json, Failure> {
    let body = Json::Object(parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    let path = [method, ".json"].concat();
    let body = Some(body.to_string());
    let response =
        http::send(&Request { source: SERVICE.into(), method: Method::Post, path, query: Vec::new(), body })?;
    let mut answer: Json = response.body.parse().unwrap_or_default();
    if let Some(error) = answer.get("error").and_then(Json::as_str) {
        let said = answer.get("error_description").and_then(Json::as_str).unwrap_or_default();
        // Something that was deleted a moment ago.
        if error == "NOT_FOUND" || said == "Not found" {
            return Ok(Json::Null);
        }
        return Err(Failure::new([method, ": ", error, " ", said].concat()));
    }
    match answer.get_mut("result").map(Json::take) {
        Some(result) if (200..300).contains(&response.status) => Ok(result),
        Some(_) | None => Err(Failure::new([method, ": the portal answered ", &response.status.to_string()].concat())),
    }
}
