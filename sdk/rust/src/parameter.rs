//! Parameters: read from JSON with clear faults, and described by a JSON Schema made from the same declaration.
//!
//! Schemas are put together as text: the macros know nearly all of it when they expand, and a component that carries no
//! JSON writer is a third smaller.

use crate::duration;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// All parameters of an action. Derive it: `#[derive(Parameters)]` on a struct with named fields.
///
/// A field's doc comment is its English description. `#[text(en("Title", ..), ru("Заголовок", "Описание"), ..)]` gives
/// titles and the other languages; without `en` the title comes from the field's name. `#[parameter(..)]` takes
/// `default = literal`, `min = literal`, `max = literal` (of the value, of a text's characters, or of a list's length;
/// a time as text: `"20s"`). What a text means is for the checker of scenarios: `names = "user"` (or `group`, `prompt`,
/// `music`, a `source` of the web: the office must have it; or `tone`), `reads = "type"` (a variable that must have a value), `assigns = "type"`
/// (a variable that the action assigns unless it fails, or with `after = "outcome"` after that one; of a map, its keys. With
/// `assigns = "declared"` the scenario says the type), and `by(mode, user(names = "user"), variable(reads = "user"))` where that
/// depends on the word of another parameter. A field without default that is no `Option` is required.
/// A parameter that is not declared is refused.
pub trait Parameters: Sized {
    /// The JSON Schema (2020-12) of the object.
    #[doc(hidden)]
    fn schema() -> String;

    /// Takes the fields out of the object.
    #[doc(hidden)]
    fn read(object: Map<String, Json>) -> Result<Self, ParameterError>;

    /// Reads the JSON object that the switch gives.
    ///
    /// # Errors
    /// The first fault, with the parameter's name, what was expected and what was found.
    fn parse(text: &str) -> Result<Self, ParameterError> {
        match serde_json::from_str(text) {
            Ok(Json::Object(object)) => Self::read(object),
            Ok(other) => Err(ParameterError::expected("an object", &other)),
            Err(fault) => Err(ParameterError::new(["no JSON: ", &fault.to_string()].concat())),
        }
    }
}

/// A fixed set of words. Derive it: `#[derive(Choice)]` on an enum without fields; `AllAtOnce` is the word `all-at-once`.
///
/// Doc comments and `#[text(..)]` name each word for people, as with [`Parameters`].
pub trait Choice: Sized {
    /// The words, in the order of the variants.
    #[doc(hidden)]
    const WORDS: &'static [&'static str];

    /// The JSON Schema: the words with their texts.
    #[doc(hidden)]
    const SCHEMA: &'static str;

    /// The variant at this place.
    #[doc(hidden)]
    fn at(place: usize) -> Option<Self>;
}

/// A type that a parameter can have.
///
/// There are implementations for texts, `bool`, whole numbers, `char`, [`Duration`] (written `"20s"`), `Option`, `Vec` and
/// `BTreeMap` with texts as keys of these, any [`Json`](crate::Json) but `null`, and every [`Choice`]. Write one for a type of your own where none of them says what you mean.
pub trait Parameter: Sized {
    /// The keywords of JSON Schema that hold `min` and `max`.
    const BOUNDS: (&'static str, &'static str) = ("minimum", "maximum");

    /// The JSON Schema of one value: the text of an object with one keyword at least.
    fn schema() -> String;

    /// Reads one value.
    ///
    /// # Errors
    /// What was expected and what was found; the caller adds the parameter's name.
    fn from_json(json: Json) -> Result<Self, ParameterError>;

    /// What `min` and `max` compare: the number, the milliseconds, the characters, the length. `None`: nothing.
    fn measure(&self) -> Option<i64> {
        None
    }

    /// The value of a parameter that is not given; `None`: it must be given.
    fn absent() -> Option<Self> {
        None
    }
}

/// A fault in the parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterError {
    /// Where: `target[1]`; empty for the object itself.
    at: String,
    problem: String,
}

impl ParameterError {
    /// A fault in words: `there is no user 999`.
    pub fn new(problem: impl Into<String>) -> Self {
        Self { at: String::new(), problem: problem.into() }
    }

    /// The usual fault: `expected a text, found 5`.
    pub fn expected(what: &str, found: &Json) -> Self {
        Self::new(["expected ", what, ", found ", &excerpt(found)].concat())
    }

    fn within(mut self, place: &str) -> Self {
        self.at.insert_str(0, place);
        self
    }
}

/// Enough of a wrong text to find it by, short enough for a line of the trace.
const FOUND_CHARS_MAX: usize = 64;

/// What was found, without the weight of a JSON writer.
fn excerpt(found: &Json) -> String {
    match found {
        Json::Null => "null".into(),
        Json::Bool(true) => "true".into(),
        Json::Bool(false) => "false".into(),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| "a fraction or a very large number".into(), |n| n.to_string())
        }
        Json::String(text) => {
            let mut quoted = String::from("\"");
            quoted.extend(text.chars().take(FOUND_CHARS_MAX));
            quoted.push('"');
            quoted
        }
        Json::Array(_) => "a list".into(),
        Json::Object(_) => "an object".into(),
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            f.write_str("parameters: ")?;
        } else {
            f.write_str("parameter ")?;
            f.write_str(&self.at)?;
            f.write_str(": ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ParameterError {}

/// A literal in an attribute.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Literal {
    Text(&'static str),
    Number(i64),
    Boolean(bool),
}

impl From<Literal> for Json {
    fn from(literal: Literal) -> Self {
        match literal {
            Literal::Text(text) => text.into(),
            Literal::Number(number) => number.into(),
            Literal::Boolean(yes) => yes.into(),
        }
    }
}

/// `min` or `max` of a field.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// The literal as JSON.
    pub json: &'static str,
    /// As [`Parameter::measure`] counts.
    pub measure: i64,
}

/// What the attributes of one field say.
#[doc(hidden)]
#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    /// Texts, default and the like as JSON members, with a comma before the first.
    pub keywords: &'static str,
    pub default: Option<Literal>,
    pub min: Option<Bound>,
    pub max: Option<Bound>,
}

/// The schema of an object with these fields, each with its own schema and whether it may be left out.
#[doc(hidden)]
pub fn object_schema(fields: &[(&'static Field, String, bool)]) -> String {
    let (mut required, mut properties) = (String::new(), String::new());
    for (field, schema, may_be_absent) in fields {
        if field.default.is_none() && !may_be_absent {
            let comma = comma(&required);
            push_all(&mut required, &[comma, "\"", field.name, "\""]);
        }
        let comma = comma(&properties);
        push_all(&mut properties, &[comma, "\"", field.name, "\":", schema]);
    }
    let mut schema = String::new();
    push_all(
        &mut schema,
        &[
            r#"{"type":"object","properties":{"#,
            &properties,
            r#"},"required":["#,
            &required,
            r#"],"additionalProperties":false}"#,
        ],
    );
    schema
}

/// The schema of one field.
#[doc(hidden)]
pub fn field_schema<T: Parameter>(field: &'static Field) -> (&'static Field, String, bool) {
    (field, with_keywords(T::schema(), field, T::BOUNDS), T::absent().is_some())
}

/// A value's own schema with what the field adds to it. A bound of the field stands in place of the type's own.
fn with_keywords(own: String, field: &Field, keywords: (&str, &str)) -> String {
    let mut schema = own;
    for (keyword, bound) in [(keywords.0, field.min), (keywords.1, field.max)] {
        let Some(bound) = bound else { continue };
        remove_number(&mut schema, keyword);
        if schema.pop() == Some('}') {
            push_all(&mut schema, &[",\"", keyword, "\":", bound.json, "}"]);
        }
    }
    if schema.pop() == Some('}') {
        push_all(&mut schema, &[field.keywords, "}"]);
    }
    schema
}

/// Takes `,"keyword":123` out of a schema: a JSON object has each member once.
fn remove_number(schema: &mut String, keyword: &str) {
    let member = [",\"", keyword, "\":"].concat();
    if let Some(start) = schema.find(&member) {
        let digits = start + member.len();
        let rest = schema.get(digits..).unwrap_or_default();
        let end = digits + rest.find(|c: char| !matches!(c, '0'..='9' | '-')).unwrap_or(rest.len());
        schema.replace_range(start..end, "");
    }
}

fn comma(before: &str) -> &'static str {
    if before.is_empty() { "" } else { "," }
}

fn push_all(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
}

/// Takes one field out of the object.
#[doc(hidden)]
pub fn read_field<T: Parameter>(object: &mut Map<String, Json>, field: &Field) -> Result<T, ParameterError> {
    let given = object.remove(field.name).or(field.default.map(Json::from));
    let Some(given) = given else {
        return T::absent().ok_or_else(|| ParameterError::new("is required").within(field.name));
    };
    let value = T::from_json(given).map_err(|fault| fault.within(field.name))?;
    let broken = value.measure().and_then(|measure| match (field.min, field.max) {
        (Some(min), _) if measure < min.measure => Some(["at least ", min.json, " is allowed"].concat()),
        (_, Some(max)) if measure > max.measure => Some(["at most ", max.json, " is allowed"].concat()),
        (None | Some(_), None | Some(_)) => None,
    });
    match broken {
        Some(problem) => Err(ParameterError::new(problem).within(field.name)),
        None => Ok(value),
    }
}

/// Refuses what is left: a name that is mistyped would silently be a default.
#[doc(hidden)]
pub fn refuse_unknown(object: &Map<String, Json>) -> Result<(), ParameterError> {
    match object.keys().next() {
        Some(name) => Err(ParameterError::new("this action has no such parameter").within(name)),
        None => Ok(()),
    }
}

impl Parameter for String {
    const BOUNDS: (&'static str, &'static str) = ("minLength", "maxLength");

    fn schema() -> String {
        r#"{"type":"string"}"#.into()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        match json {
            Json::String(text) => Ok(text),
            other @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
                Err(ParameterError::expected("a text", &other))
            }
        }
    }

    fn measure(&self) -> Option<i64> {
        i64::try_from(self.chars().count()).ok()
    }
}

impl Parameter for char {
    fn schema() -> String {
        r#"{"type":"string","minLength":1,"maxLength":1}"#.into()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let mut chars = json.as_str().unwrap_or_default().chars();
        match (chars.next(), chars.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(ParameterError::expected("a text of one character", &json)),
        }
    }
}

impl Parameter for bool {
    fn schema() -> String {
        r#"{"type":"boolean"}"#.into()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        json.as_bool().ok_or_else(|| ParameterError::expected("true or false", &json))
    }
}

impl Parameter for Duration {
    // JSON Schema has no bounds for a text's meaning.
    const BOUNDS: (&'static str, &'static str) = ("x-minimum", "x-maximum");

    fn schema() -> String {
        [r#"{"type":"string","x-type":"duration","pattern":""#, duration::PATTERN, "\"}"].concat()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let time = json.as_str().and_then(duration::parse);
        time.ok_or_else(|| ParameterError::expected(duration::EXPECTED, &json))
    }

    fn measure(&self) -> Option<i64> {
        i64::try_from(self.as_millis()).ok()
    }
}

impl<T: Parameter> Parameter for Option<T> {
    const BOUNDS: (&'static str, &'static str) = T::BOUNDS;

    fn schema() -> String {
        T::schema()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        if json.is_null() { Ok(None) } else { T::from_json(json).map(Some) }
    }

    fn measure(&self) -> Option<i64> {
        self.as_ref().and_then(T::measure)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Parameter> Parameter for Vec<T> {
    const BOUNDS: (&'static str, &'static str) = ("minItems", "maxItems");

    fn schema() -> String {
        [r#"{"type":"array","items":"#, &T::schema(), "}"].concat()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let Json::Array(items) = json else {
            return Err(ParameterError::expected("a list", &json));
        };
        let read = |(place, item): (usize, Json)| {
            T::from_json(item).map_err(|fault| fault.within(&["[", &place.to_string(), "]"].concat()))
        };
        items.into_iter().enumerate().map(read).collect()
    }

    fn measure(&self) -> Option<i64> {
        i64::try_from(self.len()).ok()
    }
}

impl<T: Parameter> Parameter for BTreeMap<String, T> {
    const BOUNDS: (&'static str, &'static str) = ("minProperties", "maxProperties");

    fn schema() -> String {
        [r#"{"type":"object","additionalProperties":"#, &T::schema(), "}"].concat()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let Json::Object(entries) = json else {
            return Err(ParameterError::expected("a map", &json));
        };
        let read = |(key, value): (String, Json)| {
            let value = T::from_json(value).map_err(|fault| fault.within(&[".", &key].concat()))?;
            Ok((key, value))
        };
        entries.into_iter().map(read).collect()
    }

    fn measure(&self) -> Option<i64> {
        i64::try_from(self.len()).ok()
    }
}

/// Whatever the scenario writes there.
impl Parameter for Json {
    fn schema() -> String {
        r#"{"type":["object","array","string","number","boolean"]}"#.into()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        if json.is_null() { Err(ParameterError::expected("a value", &json)) } else { Ok(json) }
    }
}

impl<T: Choice> Parameter for T {
    fn schema() -> String {
        T::SCHEMA.into()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let place = json.as_str().and_then(|given| T::WORDS.iter().position(|word| *word == given));
        place
            .and_then(T::at)
            .ok_or_else(|| ParameterError::expected(&["one of ", &T::WORDS.join(", ")].concat(), &json))
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => { $(
        impl Parameter for $number {
            fn schema() -> String {
                let (min, max) = (<$number>::MIN.to_string(), <$number>::MAX.to_string());
                [r#"{"type":"integer","minimum":"#, &min, r#","maximum":"#, &max, "}"].concat()
            }

            fn from_json(json: Json) -> Result<Self, ParameterError> {
                let number = json.as_i64().and_then(|number| <$number>::try_from(number).ok());
                number.ok_or_else(|| ParameterError::expected(
                    concat!("a whole number that fits ", stringify!($number)), &json))
            }

            fn measure(&self) -> Option<i64> {
                Some(i64::from(*self))
            }
        }
    )* };
}

whole_numbers!(u8, u16, u32, i32, i64);
