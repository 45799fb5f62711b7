//! Answers that services and databases may give, made of what the office's scenarios want of them.

use plugboard_model::{Value, ValueType};
use plugboard_scenario::{Wanted, WantedValue};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;

use super::Stage;
use super::plan::{Caller, DatabaseDoes, ServiceDoes};

/// Answers of one service, or to one query, that are tried; one value differs from the first of them in each.
const TRIED_MAX: usize = 16;
/// Whoever answers takes so long.
const AFTER: Duration = Duration::from_millis(200);
/// Items of a list that a JSON pointer may go to.
const ITEMS_MAX: usize = 64;
/// A text that nothing is known of, and a number to be dialled as well: one that nobody has (Ofcom keeps it for plays).
const TEXT: &str = "+442079460001";

/// What may be answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    /// Documents of each source.
    services: BTreeMap<String, Vec<Json>>,
    /// Rows of each query.
    rows: BTreeMap<(String, String), Vec<Json>>,
    /// Whose answers are not all tried, and how many are not.
    pub(crate) left: BTreeMap<String, usize>,
}

/// A place in an answer, and what may stand there.
type Places = BTreeMap<String, Vec<Json>>;

impl Answers {
    /// Those that the steps of all scenarios of the office can tell apart.
    pub(crate) fn of(stage: &Stage, from: &Caller) -> Self {
        let mut services: BTreeMap<String, Places> = BTreeMap::new();
        let mut rows: BTreeMap<(String, String), Places> = BTreeMap::new();
        for Wanted { of, query, values } in stage.programs.values().flat_map(|program| program.wanted()) {
            let places = match query {
                Some(query) => rows.entry((of, query)).or_default(),
                None => services.entry(of).or_default(),
            };
            for value in values {
                let known = places.entry(value.place.clone()).or_default();
                for item in values_of(stage, from, &value) {
                    if !known.contains(&item) {
                        known.push(item);
                    }
                }
            }
        }
        let mut answers = Self::default();
        for (name, places) in services {
            let documents = answers.each(&name, &places, put);
            answers.services.insert(name, documents);
        }
        for ((database, query), places) in rows {
            let name = format!("{database}/{query}");
            let made = answers.each(&name, &places, |row, column, value| {
                if let Json::Object(row) = row {
                    row.insert(column.to_owned(), value);
                }
            });
            answers.rows.insert((database, query), made);
        }
        answers
    }

    /// A document with the first value at each place, and one for each other value.
    fn each(&mut self, name: &str, places: &Places, put: impl Fn(&mut Json, &str, Json)) -> Vec<Json> {
        let first = |other: Option<(&String, &Json)>| {
            let mut document = Json::Object(Map::new());
            for (place, values) in places {
                let own = other.filter(|(changed, _)| *changed == place).map(|(_, value)| value);
                if let Some(value) = own.or_else(|| values.first()) {
                    put(&mut document, place, value.clone());
                }
            }
            document
        };
        let others = places.iter().flat_map(|(place, values)| values.iter().skip(1).map(move |value| (place, value)));
        let mut documents: Vec<Json> =
            [first(None)].into_iter().chain(others.map(|other| first(Some(other)))).collect();
        if let Some(left) = documents.len().checked_sub(TRIED_MAX).filter(|left| *left > 0) {
            self.left.insert(name.to_owned(), left);
            documents.truncate(TRIED_MAX);
        }
        documents
    }

    /// What a service does: the answers that are wanted, one that says nothing, one that refuses, and none.
    pub(crate) fn of_service(&self, name: &str) -> Vec<ServiceDoes> {
        let empty = Json::Object(Map::new());
        let answer = |status: u16, body: &Json| ServiceDoes::Answers { status, body: body.to_string(), after: AFTER };
        let known = self.services.get(name).map_or(&[] as &[Json], Vec::as_slice);
        let mut does: Vec<ServiceDoes> = known.iter().map(|body| answer(200, body)).collect();
        if !known.contains(&empty) {
            does.push(answer(200, &empty));
        }
        does.extend([ServiceDoes::Down, answer(500, &empty), ServiceDoes::Slow]);
        does
    }

    /// What a database does: the row that is wanted, no row, and no answer.
    pub(crate) fn of_query(&self, database: &str, query: &str) -> Vec<DatabaseDoes> {
        let known = self.rows.get(&(database.to_owned(), query.to_owned()));
        let known = known.map_or(&[] as &[Json], Vec::as_slice);
        let answer = |rows: Json, count| DatabaseDoes::Answers { rows: rows.to_string(), count, after: AFTER };
        let mut does: Vec<DatabaseDoes> = known.iter().map(|row| answer(json!([row]), 1)).collect();
        does.extend([answer(json!([]), 0), DatabaseDoes::Down, DatabaseDoes::Slow]);
        does
    }
}

/// What may stand at a place: what conditions tell apart, or else one value of its type.
fn values_of(stage: &Stage, from: &Caller, wanted: &WantedValue) -> Vec<Json> {
    let told: Vec<Json> = wanted.tried.iter().map(json_of).collect();
    let is_caller = |user: &plugboard_model::UserId| matches!(from, Caller::User(caller) if caller == user);
    let usual = match wanted.value_type {
        ValueType::Text => Some(json!(TEXT)),
        ValueType::Number => Some(json!(1)),
        ValueType::Boolean => Some(json!(true)),
        ValueType::Texts => Some(json!([TEXT])),
        ValueType::User => {
            let other = stage.office.users().find(|user| !is_caller(&user.id));
            other.map(|user| json!(user.number.as_str()))
        }
        ValueType::Group => stage.office.groups().next().map(|group| json!(group.id.name.as_str())),
        ValueType::Contact => stage.office.contacts().next().map(|contact| json!(contact.id.as_str())),
        // No answer has any.
        ValueType::Time | ValueType::Users => None,
    };
    let people = matches!(wanted.value_type, ValueType::User | ValueType::Group | ValueType::Contact);
    if told.is_empty() || people { told.into_iter().chain(usual).collect() } else { told }
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Number(number) => json!(number),
        Value::Boolean(yes) => json!(yes),
        Value::Texts(texts) => json!(texts),
        Value::Time(_) | Value::User(_) | Value::Group(_) | Value::Users(_) | Value::Contact(_) => Json::Null,
    }
}

/// Puts a value where a JSON pointer (RFC 6901) goes; a place that another value has already stays as it is.
fn put(document: &mut Json, pointer: &str, value: Json) {
    let mut at = document;
    let tokens: Vec<String> =
        pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
    for token in &tokens {
        let place = token.parse::<usize>().ok().filter(|place| *place < ITEMS_MAX);
        if let (true, Some(_)) = (is_bare(at), place) {
            *at = json!([]);
        } else if at.is_null() {
            *at = json!({});
        }
        at = match (at, place) {
            (Json::Array(items), Some(place)) => {
                if items.len() <= place {
                    items.resize(place + 1, Json::Null);
                }
                let Some(item) = items.get_mut(place) else { return };
                item
            }
            (Json::Object(fields), _) => fields.entry(token.as_str()).or_insert(Json::Null),
            (Json::Array(_) | Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_), _) => return,
        };
    }
    if is_bare(at) {
        *at = value;
    }
}

/// Whether nothing stands there yet.
fn is_bare(at: &Json) -> bool {
    at.is_null() || at.as_object().is_some_and(Map::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_each_value_where_its_pointer_goes() {
        let mut document = json!({});
        put(&mut document, "/data/0/agent", json!("102"));
        put(&mut document, "/data/0/a~1b", json!(3));
        put(&mut document, "/data/agent", json!("lost"));
        put(&mut document, "/vip", json!(true));
        assert_eq!(document, json!({ "data": [{ "agent": "102", "a/b": 3 }], "vip": true }));
        let mut list = json!({});
        put(&mut list, "/1", json!("b"));
        assert_eq!(list, json!([null, "b"]));
        let mut whole = json!({});
        put(&mut whole, "", json!("all of it"));
        assert_eq!(whole, json!("all of it"));
    }

    #[test]
    fn one_value_differs_in_each_document_and_what_is_too_much_is_told() {
        let places: Places =
            [("/a".to_owned(), vec![json!(1), json!(2)]), ("/b".to_owned(), vec![json!("x"), json!("y")])].into();
        let mut answers = Answers::default();
        let made = answers.each("crm", &places, put);
        assert_eq!(made, [json!({"a": 1, "b": "x"}), json!({"a": 2, "b": "x"}), json!({"a": 1, "b": "y"})]);
        assert!(answers.left.is_empty());
        let many: Places = [("/a".to_owned(), (0..20).map(|n| json!(n)).collect())].into();
        assert_eq!(answers.each("crm", &many, put).len(), TRIED_MAX);
        assert_eq!(answers.left, [("crm".to_owned(), 4)].into());
    }
}
