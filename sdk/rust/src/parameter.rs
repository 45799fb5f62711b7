//! Parameters: read from JSON with clear faults, and described by a JSON Schema made from the same declaration.

use crate::describe::Words;
use crate::duration;
use serde_json::{Map, Value as Json, json};
use std::fmt;
use std::time::Duration;

/// All parameters of an action. Derive it: `#[derive(Parameters)]` on a struct with named fields.
///
/// A field's doc comment is its English description. `#[text(en("Title", ..), ru("Заголовок", "Описание"), ..)]` gives
/// titles and the other languages; without `en` the title comes from the field's name. `#[parameter(..)]` takes
/// `default = literal`, `min = literal`, `max = literal` (of the value, of a text's characters, or of a list's length;
/// a time as text: `"20s"`), `assigns = "type"` (the text names a variable that the action assigns) and
/// `reads = "type"` (it names one that the action reads). A field without default that is no `Option` is required.
/// A parameter that is not declared is refused.
pub trait Parameters: Sized {
    /// The JSON Schema (2020-12) of the object.
    #[doc(hidden)]
    fn schema() -> Json;

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
    /// The words, with their texts.
    #[doc(hidden)]
    const WORDS: &'static [(&'static str, &'static [Words])];

    /// The variant at this place.
    #[doc(hidden)]
    fn at(place: usize) -> Option<Self>;
}

/// A type that a parameter can have.
///
/// There are implementations for texts, `bool`, whole numbers, `char`, [`Duration`] (written `"20s"`), `Option` and `Vec`
/// of these, and every [`Choice`]. Write one for a type of your own where none of them says what you mean.
pub trait Parameter: Sized {
    /// The keywords of JSON Schema that hold `min` and `max`.
    const BOUNDS: (&'static str, &'static str) = ("minimum", "maximum");

    /// The JSON Schema of one value.
    fn schema() -> Json;

    /// Reads one value.
    ///
    /// # Errors
    /// What was expected and what was found; the caller adds the parameter's name.
    fn from_json(json: Json) -> Result<Self, ParameterError>;

    /// What `min` and `max` compare: the number, the milliseconds, the characters, the length.
    fn measure(&self) -> i64 {
        0
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

    /// The usual fault: `expected a text, found 5`. What was found is cut at 64 characters.
    pub fn expected(what: &str, found: &Json) -> Self {
        let found: String = found.to_string().chars().take(FOUND_CHARS_MAX).collect();
        Self::new(["expected ", what, ", found ", &found].concat())
    }

    fn within(mut self, place: &str) -> Self {
        self.at.insert_str(0, place);
        self
    }
}

/// Enough of a wrong value to find it by, short enough for a line of the trace.
const FOUND_CHARS_MAX: usize = 64;

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

/// What the attributes of one field say.
#[doc(hidden)]
#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub texts: &'static [Words],
    pub default: Option<Literal>,
    /// As written, and as [`Parameter::measure`] counts.
    pub min: Option<(Literal, i64)>,
    pub max: Option<(Literal, i64)>,
    /// The type of the variable that the text names.
    pub assigns: Option<&'static str>,
    pub reads: Option<&'static str>,
}

/// The schema of an object with these fields, each with its own schema and whether it may be left out.
#[doc(hidden)]
pub fn object_schema(fields: Vec<(&'static Field, Json, bool)>) -> Json {
    let mut required = Vec::new();
    let mut properties = Map::new();
    for (field, schema, may_be_absent) in fields {
        if field.default.is_none() && !may_be_absent {
            required.push(Json::from(field.name));
        }
        properties.insert(field.name.into(), schema);
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// The schema of one field.
#[doc(hidden)]
pub fn field_schema<T: Parameter>(field: &'static Field) -> (&'static Field, Json, bool) {
    let mut schema = T::schema();
    if let Json::Object(keywords) = &mut schema {
        write_words(keywords, field.texts, true);
        let bounds = [(T::BOUNDS.0, field.min), (T::BOUNDS.1, field.max)];
        for (keyword, (literal, _)) in bounds.into_iter().filter_map(|(word, bound)| Some((word, bound?))) {
            keywords.insert(keyword.into(), literal.into());
        }
        if let Some(default) = field.default {
            keywords.insert("default".into(), default.into());
        }
        for (keyword, type_name) in [("x-assigns", field.assigns), ("x-reads", field.reads)] {
            if let Some(type_name) = type_name {
                keywords.insert(keyword.into(), type_name.into());
            }
        }
    }
    (field, schema, T::absent().is_some())
}

/// English as the schema's own `title` and `description`, other languages under `x-texts`.
fn write_words(keywords: &mut Map<String, Json>, texts: &[Words], with_sentence: bool) {
    let mut others = Map::new();
    for words in texts {
        let mut entry = Map::new();
        entry.insert("title".into(), words.title.into());
        if with_sentence && !words.sentence.is_empty() {
            entry.insert("description".into(), words.sentence.into());
        }
        if words.language == "en" {
            keywords.append(&mut entry);
        } else {
            others.insert(words.language.into(), Json::Object(entry));
        }
    }
    if !others.is_empty() {
        keywords.insert("x-texts".into(), Json::Object(others));
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
    let measure = value.measure();
    for (word, bound, broken) in [
        ("at least ", field.min, field.min.is_some_and(|(_, min)| measure < min)),
        ("at most ", field.max, field.max.is_some_and(|(_, max)| measure > max)),
    ] {
        if let (Some((literal, _)), true) = (bound, broken) {
            let problem = [word, &Json::from(literal).to_string(), " is allowed"].concat();
            return Err(ParameterError::new(problem).within(field.name));
        }
    }
    Ok(value)
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

    fn schema() -> Json {
        json!({ "type": "string" })
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        match json {
            Json::String(text) => Ok(text),
            other => Err(ParameterError::expected("a text", &other)),
        }
    }

    fn measure(&self) -> i64 {
        length(self.chars().count())
    }
}

impl Parameter for char {
    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": 1 })
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
    fn schema() -> Json {
        json!({ "type": "boolean" })
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        json.as_bool().ok_or_else(|| ParameterError::expected("true or false", &json))
    }
}

impl Parameter for Duration {
    // JSON Schema has no bounds for a text's meaning.
    const BOUNDS: (&'static str, &'static str) = ("x-minimum", "x-maximum");

    fn schema() -> Json {
        json!({ "type": "string", "pattern": duration::PATTERN, "x-type": "duration" })
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let time = json.as_str().and_then(duration::parse);
        time.ok_or_else(|| ParameterError::expected(duration::EXPECTED, &json))
    }

    fn measure(&self) -> i64 {
        i64::try_from(self.as_millis()).unwrap_or(i64::MAX)
    }
}

impl<T: Parameter> Parameter for Option<T> {
    const BOUNDS: (&'static str, &'static str) = T::BOUNDS;

    fn schema() -> Json {
        T::schema()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        if json.is_null() { Ok(None) } else { T::from_json(json).map(Some) }
    }

    fn measure(&self) -> i64 {
        self.as_ref().map_or(0, T::measure)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Parameter> Parameter for Vec<T> {
    const BOUNDS: (&'static str, &'static str) = ("minItems", "maxItems");

    fn schema() -> Json {
        json!({ "type": "array", "items": T::schema() })
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let Json::Array(items) = json else {
            return Err(ParameterError::expected("a list", &json));
        };
        let read = |(place, item)| T::from_json(item).map_err(|fault| fault.within(&format!("[{place}]")));
        items.into_iter().enumerate().map(read).collect()
    }

    fn measure(&self) -> i64 {
        length(self.len())
    }
}

impl<T: Choice> Parameter for T {
    fn schema() -> Json {
        let mut words = Vec::new();
        let mut texts = Map::new();
        for (word, names) in T::WORDS {
            words.push(Json::from(*word));
            let mut entry = Map::new();
            write_words(&mut entry, names, false);
            texts.insert((*word).into(), Json::Object(entry));
        }
        json!({ "type": "string", "enum": words, "x-choices": texts })
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let place = json.as_str().and_then(|given| T::WORDS.iter().position(|(word, _)| *word == given));
        place.and_then(T::at).ok_or_else(|| {
            let words: Vec<_> = T::WORDS.iter().map(|(word, _)| *word).collect();
            ParameterError::expected(&["one of ", &words.join(", ")].concat(), &json)
        })
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => { $(
        impl Parameter for $number {
            fn schema() -> Json {
                json!({ "type": "integer", "minimum": <$number>::MIN, "maximum": <$number>::MAX })
            }

            fn from_json(json: Json) -> Result<Self, ParameterError> {
                let number = json.as_i64().and_then(|number| <$number>::try_from(number).ok());
                number.ok_or_else(|| ParameterError::expected(
                    concat!("a whole number that fits ", stringify!($number)), &json))
            }

            fn measure(&self) -> i64 {
                i64::from(*self)
            }
        }
    )* };
}

whole_numbers!(u8, u16, u32, i32, i64);

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
