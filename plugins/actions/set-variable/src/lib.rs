//! The action `set-variable`: gives variables their values, each read as what the variable is.

use plugboard_sdk::prelude::*;
use plugboard_sdk::{Json, Parameter, ParameterError, Reading};
use std::collections::BTreeMap;

/// The parameters of `set-variable`.
#[derive(Parameters)]
struct SetVariable {
    /// Variables and their values. A text is read as what the variable is: digits as a number, an internal number as a `user` or
    /// `group`, an id as a `contact`.
    #[parameter(min = 1, max = 32, assigns = "declared", after = "done")]
    #[text(
        ru(
            "Значения",
            "Переменные и их значения. Текст читается по типу переменной: цифры как число, внутренний номер как `user` или `group`, идентификатор как `contact`."
        ),
        de(
            "Werte",
            "Variablen und ihre Werte. Ein Text wird gelesen als das, was die Variable ist: Ziffern als Zahl, eine interne Nummer als `user` oder `group`, eine Kennung als `contact`."
        )
    )]
    values: BTreeMap<String, Given>,
}

/// What a variable can be given.
struct Given(Json);

impl Parameter for Given {
    fn schema() -> String {
        r#"{"type":["string","integer","boolean","array"],"maxLength":1024,"items":{"type":"string","maxLength":1024},"maxItems":64}"#.into()
    }

    fn from_json(json: Json) -> Result<Self, ParameterError> {
        let fits = match &json {
            Json::String(_) | Json::Bool(_) => true,
            Json::Number(number) => number.is_i64(),
            Json::Array(items) => items.iter().all(Json::is_string),
            Json::Null | Json::Object(_) => false,
        };
        if fits {
            Ok(Self(json))
        } else {
            Err(ParameterError::expected("a text, a whole number, true, false or a list of texts", &json))
        }
    }
}

/// How it ends.
#[derive(Outcome)]
enum Assigned {
    /// Each variable has its value.
    #[text(ru("Значения присвоены"), de("Die Variablen haben ihre Werte"))]
    Done,
    /// One names a user, group or contact that the office does not have: they are as they were.
    #[text(
        ru("Такого пользователя, группы или контакта нет"),
        de("Diesen Benutzer, diese Gruppe oder diesen Kontakt gibt es nicht")
    )]
    NotFound,
}

/// Who writes a scenario thinks of what callers key in: with blanks around it, and 1 for yes.
const GIVEN: Reading = Reading { whose: "the step", loosely: true };

/// Gives variables their values, each read as what the variable is.
#[action(
    ru("Присвоить переменные", "Даёт переменным значения, каждое читается по типу переменной."),
    de("Variablen setzen", "Gibt Variablen ihre Werte; jeder wird gelesen als das, was die Variable ist.")
)]
fn set_variable(given: SetVariable) -> Result<Assigned, Failure> {
    let values: Vec<(&String, &Json)> = given.values.iter().map(|(name, value)| (name, &value.0)).collect();
    Ok(if GIVEN.assign_all(&values)? { Assigned::Done } else { Assigned::NotFound })
}
