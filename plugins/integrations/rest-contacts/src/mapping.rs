//! The settings: how the service is asked, and where its answers have what.

use plugboard_sdk::{Choice, Json, Nested, Parameter, ParameterError, Parameters};
use std::collections::BTreeMap;

/// Pointers of one value.
const POINTERS_MAX: usize = 16;

/// How contacts are found.
#[derive(Parameters)]
pub(crate) struct Mapping {
    /// How the service is asked for a number.
    #[text(
        ru("Поиск", "Как спросить службу о номере."),
        de("Suche", "Wie der Dienst nach einer Nummer gefragt wird.")
    )]
    pub(crate) find: Nested<Wish>,
    /// Where each contact of the answer has what.
    #[text(ru("Контакт", "Где в ответе что указано."), de("Kontakt", "Wo in der Antwort was steht."))]
    pub(crate) contact: Nested<Fields>,
    /// How the contact's owner becomes a user of the office.
    #[text(
        ru("Ответственный", "Как ответственный превращается в пользователя офиса."),
        de("Zuständiger", "Wie aus dem Zuständigen ein Benutzer wird.")
    )]
    pub(crate) owner: Option<Nested<Owner>>,
}

/// One request.
#[derive(Parameters)]
pub(crate) struct Wish {
    /// How it is sent.
    #[parameter(default = "get")]
    pub(crate) method: Means,
    /// Below the source's address, with places such as {e164}.
    #[parameter(default = "", max = 1024)]
    pub(crate) path: String,
    /// Names and values, with places.
    pub(crate) query: Option<BTreeMap<String, String>>,
    /// What is sent with post, with places in its texts.
    pub(crate) body: Option<Json>,
    /// A JSON pointer to the list of contacts, or to the only one; without it the answer itself.
    pub(crate) list: Option<String>,
}

/// A method.
#[derive(Choice)]
pub(crate) enum Means {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

/// JSON pointers (RFC 6901) within one contact, or several each.
#[derive(Parameters)]
pub(crate) struct Fields {
    /// The service's own id.
    pub(crate) id: Pointers,
    /// His name; the values of several are joined.
    pub(crate) name: Pointers,
    /// His numbers.
    pub(crate) numbers: Option<Pointers>,
    /// Where he works.
    pub(crate) company: Option<Pointers>,
    /// Where he is written to.
    pub(crate) email: Option<Pointers>,
    /// His language.
    pub(crate) language: Option<Pointers>,
    /// What he is filed under.
    pub(crate) groups: Option<Pointers>,
    /// The extension or id of the user who is responsible for him.
    pub(crate) responsible: Option<Pointers>,
    /// The service's own id of who is responsible for him.
    pub(crate) owner: Option<Pointers>,
}

/// How the service's own id of somebody becomes a user.
#[derive(Parameters)]
pub(crate) struct Owner {
    /// Ids of the service with extensions or ids of users.
    pub(crate) users: Option<BTreeMap<String, String>>,
    /// How the service is asked who that is, with the place {owner}.
    pub(crate) ask: Option<Nested<Wish>>,
    /// JSON pointers to his extension or id in the answer.
    pub(crate) user: Option<Pointers>,
}

/// Where something may stand.
pub(crate) struct Pointers(Vec<String>);

impl Parameter for Pointers {
    fn schema() -> String {
        r#"{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":16}]}"#.into()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let pointers = match json {
            Json::Array(several) => several,
            one @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_)) => vec![one],
        };
        if pointers.is_empty() || pointers.len() > POINTERS_MAX {
            return Err(ParameterError::new("1 to 16 pointers are expected"));
        }
        let read = |json| match json {
            Json::String(text) if text.is_empty() || text.starts_with('/') => Ok(text),
            other @ (Json::Null
            | Json::Bool(_)
            | Json::Number(_)
            | Json::String(_)
            | Json::Array(_)
            | Json::Object(_)) => Err(ParameterError::expected("a JSON pointer such as /name", &other)),
        };
        pointers.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl Pointers {
    /// Every value that stands there; of a list, each item.
    pub(crate) fn all(&self, json: &Json) -> Vec<String> {
        let found = self.0.iter().filter_map(|at| json.pointer(at));
        found
            .flat_map(|value| value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice))
            .filter_map(text)
            .collect()
    }

    /// The first one.
    pub(crate) fn first(&self, json: &Json) -> Option<String> {
        self.all(json).into_iter().next()
    }

    /// All of them, with a space between.
    pub(crate) fn joined(&self, json: &Json) -> String {
        self.all(json).join(" ")
    }
}

/// A text or a number that is not empty.
fn text(value: &Json) -> Option<String> {
    let text = match value {
        Json::String(text) => text.trim().to_owned(),
        Json::Number(number) => number.to_string(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}
