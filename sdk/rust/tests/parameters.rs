//! What the derives make of a declaration.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_sdk::variables::{Moment, User};
use plugboard_sdk::{Choice, Json, Outcome, Parameters};
use std::time::Duration;

/// One parameter of each kind.
#[derive(Debug, PartialEq, Parameters)]
struct Everything {
    /// A name,
    /// on two lines.
    ///
    /// What follows is for programmers.
    #[parameter(min = 2, max = 5, names = "user")]
    name: String,
    #[parameter(default = "20s", min = "1s", max = "10m")]
    #[text(en("How long", "Until it stops."), ru("Сколько \"так\""), pt_br("Quanto tempo"))]
    time: Duration,
    #[parameter(default = -1, min = -5, max = 9)]
    number: i32,
    #[parameter(default = true)]
    yes: bool,
    #[parameter(default = "all-at-once")]
    order: Order,
    key: Option<char>,
    #[parameter(min = 1, max = 2)]
    list: Option<Vec<u8>>,
    #[parameter(by(order, all_at_once(names = "group"), random(reads = "text")))]
    r#type: Option<String>,
}

#[derive(Debug, PartialEq, Choice)]
enum Order {
    /// Everyone.
    #[text(de("Alle"))]
    AllAtOnce,
    Random,
}

#[expect(dead_code, reason = "only the declaration is looked at")]
#[derive(Outcome)]
enum End {
    /// Somebody answered.
    #[text(ru("Ответили"))]
    Answered {
        who: User,
        at: Moment,
    },
    NoAnswer {
        who: Option<User>,
        why: String,
    },
    Quiet {
        why: String,
    },
}

fn read(json: &str) -> Result<Everything, String> {
    Everything::parse(json).map_err(|fault| fault.to_string())
}

fn schema() -> Json {
    serde_json::from_str(&Everything::schema()).unwrap()
}

#[test]
fn what_is_not_given_has_its_default() {
    let least = Everything {
        name: "ann".into(),
        time: Duration::from_secs(20),
        number: -1,
        yes: true,
        order: Order::AllAtOnce,
        key: None,
        list: None,
        r#type: None,
    };
    assert_eq!(read(r#"{"name":"ann"}"#), Ok(least));
    assert!(read(r#"{"name":"ann","list":null}"#).is_ok(), "null is nothing given");
}

#[test]
fn what_is_given_is_read() {
    let given =
        r##"{"name":"Жук","time":"2m","number":9,"yes":false,"order":"random","key":"#","list":[1,255],"type":"x"}"##;
    let all = Everything {
        name: "Жук".into(),
        time: Duration::from_secs(120),
        number: 9,
        yes: false,
        order: Order::Random,
        key: Some('#'),
        list: Some(vec![1, 255]),
        r#type: Some("x".into()),
    };
    assert_eq!(read(given), Ok(all));
}

#[test]
fn each_fault_names_the_parameter_what_was_expected_and_what_was_found() {
    for (given, fault) in [
        ("{}", "parameter name: is required"),
        (r#"{"name":7}"#, "parameter name: expected a text, found 7"),
        (r#"{"name":"a"}"#, "parameter name: at least 2 is allowed"),
        (r#"{"name":"абвгде"}"#, "parameter name: at most 5 is allowed"),
        (r#"{"name":"ann","number":-6}"#, "parameter number: at least -5 is allowed"),
        (
            r#"{"name":"ann","number":1.5}"#,
            "parameter number: expected a whole number that fits i32, found a fraction or a very large number",
        ),
        (
            r#"{"name":"ann","number":3000000000}"#,
            "parameter number: expected a whole number that fits i32, found 3000000000",
        ),
        (r#"{"name":"ann","yes":"no"}"#, "parameter yes: expected true or false, found \"no\""),
        (r#"{"name":"ann","order":"ALL"}"#, "parameter order: expected one of all-at-once, random, found \"ALL\""),
        (r#"{"name":"ann","key":"12"}"#, "parameter key: expected a text of one character, found \"12\""),
        (r#"{"name":"ann","list":[1,256]}"#, "parameter list[1]: expected a whole number that fits u8, found 256"),
        (r#"{"name":"ann","list":[1,2,3]}"#, "parameter list: at most 2 is allowed"),
        (r#"{"name":"ann","list":{}}"#, "parameter list: expected a list, found an object"),
        (r#"{"name":"ann","nmae":1}"#, "parameter nmae: this action has no such parameter"),
    ] {
        assert_eq!(read(given), Err(fault.into()), "{given}");
    }
    let long = format!(r#"{{"name":{:?}}}"#, "x".repeat(100_000));
    assert!(read(&long).unwrap_err().len() < 200);
}

#[test]
fn the_schema_says_the_same_and_is_json() {
    let schema = schema();
    assert_eq!(schema["required"], serde_json::json!(["name"]));
    assert_eq!(schema["additionalProperties"], false);
    let property = |name: &str| schema["properties"][name].clone();
    assert_eq!(
        property("name"),
        serde_json::json!({
            "type": "string", "minLength": 2, "maxLength": 5, "title": "Name",
            "description": "A name, on two lines.", "x-type": "user",
        })
    );
    assert_eq!(
        property("time"),
        serde_json::json!({
            "type": "string", "x-type": "duration", "pattern": "^[0-9]{1,9}(ms|s|m|h)$",
            "x-minimum": "1s", "x-maximum": "10m", "default": "20s",
            "title": "How long", "description": "Until it stops.",
            "x-texts": { "ru": { "title": "Сколько \"так\"" }, "pt-br": { "title": "Quanto tempo" } },
        })
    );
    assert_eq!(
        property("number"),
        serde_json::json!({ "type": "integer", "minimum": -5, "maximum": 9, "default": -1, "title": "Number" })
    );
    assert_eq!(property("list")["items"], serde_json::json!({ "type": "integer", "minimum": 0, "maximum": 255 }));
    assert_eq!(property("list")["maxItems"], 2);
    assert_eq!(
        property("type")["x-by"],
        serde_json::json!({ "parameter": "order", "all-at-once": { "x-type": "group" }, "random": { "x-reads": "text" } })
    );
    assert_eq!(property("order")["enum"], serde_json::json!(["all-at-once", "random"]));
    assert_eq!(property("order")["x-choices"]["all-at-once"]["x-texts"]["de"]["title"], "Alle");
}

#[test]
fn an_outcome_promises_the_variables_that_its_type_makes_sure_of() {
    let declared = End::DECLARED;
    let names: Vec<_> = declared.iter().map(|outcome| outcome.name).collect();
    assert_eq!(names, ["answered", "no-answer", "quiet"]);
    assert_eq!((declared[0].texts[0].language, declared[0].texts[0].title), ("en", "Somebody answered"));
    let sets = |place: usize| -> Vec<_> {
        declared[place].sets.iter().map(|sets| (sets.name, sets.type_name, sets.always)).collect()
    };
    assert_eq!(sets(0), [("who", "user", true), ("at", "time", true)]);
    assert_eq!(sets(1), [("who", "user", false), ("why", "text", true)]);
}
