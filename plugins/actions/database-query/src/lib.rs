//! The action `database-query`: asks a database that the office knows, and takes variables out of the first row.

use plugboard_sdk::database::{self, Argument, Request};
use plugboard_sdk::prelude::*;
use plugboard_sdk::{Json, Parameter, ParameterError, Reading};
use std::collections::BTreeMap;

/// The parameters of `database-query`.
#[derive(Parameters)]
struct DatabaseQuery {
    /// The database: one of the office.
    #[parameter(min = 1, max = 64, names = "database")]
    #[text(ru("База данных", "База данных офиса."), de("Datenbank", "Eine Datenbank des Büros."))]
    database: String,
    /// One of its queries, by name.
    #[parameter(min = 1, max = 64, names = "query")]
    #[text(ru("Запрос", "Один из её запросов, по имени."), de("Abfrage", "Eine ihrer Abfragen, nach Namen."))]
    query: String,
    /// A value for each of the query's parameters, such as `{ number: "{caller_number}" }`.
    #[parameter(min = 1, max = 32, names = "query-parameters")]
    #[text(
        ru("Значения", "Значение каждого параметра запроса, например `{ number: \"{caller_number}\" }`."),
        de("Werte", "Ein Wert für jeden Parameter der Abfrage, etwa `{ number: \"{caller_number}\" }`.")
    )]
    with: Option<BTreeMap<String, Given>>,
    /// Variables, and which column of the first row has the value of each. A variable of type `user` or `group` takes an internal number
    /// or an id.
    #[parameter(min = 1, max = 32, assigns = "declared", after = "found")]
    #[text(
        ru(
            "Переменные",
            "Переменные и столбцы первой строки с их значениями. Переменная типа `user` или `group` принимает внутренний номер или идентификатор."
        ),
        de(
            "Variablen",
            "Variablen, und in welcher Spalte der ersten Zeile ihr Wert steht. Eine Variable vom Typ `user` oder `group` nimmt eine interne Nummer oder eine Kennung."
        )
    )]
    into: Option<BTreeMap<String, String>>,
}

/// A value for a parameter.
struct Given(Argument);

impl Parameter for Given {
    fn schema() -> String {
        r#"{"type":["string","integer","boolean"]}"#.into()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let given = match &json {
            Json::String(text) => Some(Argument::Text(text.clone())),
            Json::Bool(yes) => Some(Argument::Boolean(*yes)),
            Json::Number(number) => number.as_i64().map(Argument::Number),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        };
        given.map(Self).ok_or_else(|| ParameterError::expected("a text, a whole number, true or false", &json))
    }
}

/// How it ends.
#[derive(Outcome)]
enum Asked {
    /// There is a row, and every variable of `into` has its value; of a query that writes: it changed something.
    #[text(ru("Строка найдена, переменные заполнены"), de("Eine Zeile ist da, die Variablen haben ihren Wert"))]
    Found {
        /// How many rows.
        database_rows: i64,
    },
    /// There is no row, or the first one has not all that `into` asks for; of a query that writes: it changed nothing.
    #[text(ru("Ничего не найдено"), de("Nichts gefunden"))]
    Empty,
}

/// Asks a database that the office knows, and takes variables out of the first row.
#[action(
    ru("Запрос к базе данных", "Обращается к базе данных, известной офису, и берёт переменные из первой строки."),
    de("Datenbankabfrage", "Fragt eine Datenbank, die das Büro kennt, und nimmt Variablen aus der ersten Zeile.")
)]
fn database_query(given: DatabaseQuery) -> Result<Asked, Failure> {
    let values = given.with.unwrap_or_default().into_iter().map(|(name, Given(value))| (name, value)).collect();
    let answer = database::ask(&Request { database: given.database, query: given.query, values })?;
    if answer.count == 0 {
        return Ok(Asked::Empty);
    }
    let database_rows = i64::try_from(answer.count).unwrap_or(i64::MAX);
    let rows: Json = answer.rows.parse().map_err(|_| Failure::new("the database's rows are no JSON"))?;
    match (given.into, rows.get(0)) {
        (Some(_), None) => Ok(Asked::Empty),
        (Some(into), Some(row)) if !take(row, &into)? => Ok(Asked::Empty),
        (Some(_) | None, _) => Ok(Asked::Found { database_rows }),
    }
}

/// Columns of a fixed width end in blanks, and what has no truths of its own says 0 and 1.
const ROW: Reading = Reading { whose: "the row", loosely: true };

/// Assigns the variables: `false` where the row has no value for one of them, or names nobody; then they are as they were.
fn take(row: &Json, into: &BTreeMap<String, String>) -> Result<bool, Failure> {
    let mut found = Vec::new();
    for (name, column) in into {
        match row.get(column) {
            None => return Err(Failure::new(["the query returns no column ", column].concat())),
            Some(Json::Null) => return Ok(false),
            Some(value) => found.push((name, value)),
        }
    }
    ROW.assign_all(&found)
}
