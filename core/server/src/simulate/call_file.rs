//! Call files: who calls in a simulation, and what everybody does.

use plugboard_document::{Fault, Faults, Field, Fields, Kind, write_duration};
use plugboard_model::WallTime;
use plugboard_office::Office;
use plugboard_simulator::rehearsal::{Caller, Does, Plan, Stage};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::outside;
use super::stage::Set;
use super::{Wish, first_caller};
use crate::house::in_words;

/// People answer, talk and wait for no longer.
pub(super) const SPANS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(4);
/// Items of each list in a call file.
const ITEMS_MAX: usize = 1_000;

/// What a call file looks like.
pub(super) const HELP: &str = r#"# All of it may be left out; what is said on the command line goes first.
from: outside                # who calls: the id or number of a user, or the id of a gateway
caller: "+493012345"         # the number that a gateway's caller shows; none: he withholds it
to: "100"                    # what he dials
at: 2026-12-25T21:00         # by the office's clock
keys: ["1", "", "106"]       # what he keys at each question, in turn; "" is nothing
hangs_up: 2m                 # after so long; none: he waits
talk: 10s                    # how long people talk before the called one hangs up
people:                      # what users do who are rung, by id or number
  "102": { answers: 8s }
  "103": { declines: 2s }    # or { refuses: 486, after: 2s }
  "104": ignores
  "105": offline
  others: { answers: 5s }    # those who are not named
outside:                     # what numbers behind gateways do, by their last digits
  "4930777": { answers: 3s }
# services:                  # what sources of the web answer; those that are not named are down
#   crm: { status: 200, body: { user: "105" }, after: 300ms }
#   shop: slow               # or down
# databases:                 # what they answer, by name or name/query; those that are not named are down
#   orders: { rows: [ { agent: "102" } ], after: 1s }   # or down, slow; { changed: 1 } of a query that writes
# mail: refused              # or taken: so are mails, and with `text` text messages, if nothing is said
"#;

/// A plan, and whether somebody said when it is.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) said_when: bool,
}

/// The plan of a wish: its call file, and what stands on the command line.
pub(super) fn plan(set: &Set, wish: &Wish, now: WallTime) -> Result<Planned, Vec<String>> {
    let office = &set.stage.office;
    let one = |text: String| vec![text];
    let mut said = match &wish.call {
        None => Said::default(),
        Some(file) => {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file).map_err(|error| one(format!("{name}: {error}")))?;
            read(&name, &text, office).map_err(in_words)?
        }
    };
    if let Some(from) = &wish.from {
        said.from = Some(from.clone());
    }
    let number = wish.caller.clone().or(said.caller);
    let from = match &said.from {
        None => first_caller(&set.stage).ok_or_else(|| one("the office has neither gateways nor users".into()))?,
        Some(from) => {
            caller(office, from).ok_or_else(|| one(format!("{from} is no user and no gateway of the office")))?
        }
    };
    let from = match from {
        Caller::Outside { gateway, number: usual } => {
            let number = number.map_or(Ok(usual), |number| dialled("caller", &number)).map_err(one)?;
            Caller::Outside { gateway, number }
        }
        Caller::User(user) if number.is_some() => {
            return Err(one(format!("{} is a user, who shows his own number: `caller` is for gateways", user.name)));
        }
        user @ Caller::User(_) => user,
    };
    let to = wish.to.clone().or(said.to).or_else(|| set.door.as_ref().map(|door| door.number.clone()));
    let to = to.map(|to| dialled("to", &to)).transpose().map_err(one)?.filter(|to| !to.is_empty());
    let to = to.ok_or_else(|| one("what is dialled? Name a scenario, or say --to NUMBER".into()))?;
    let at = match &wish.at {
        None => Some(said.at.unwrap_or(now)),
        Some(text) => Some(
            office
                .zone()
                .moment(text)
                .ok_or_else(|| one(format!("{text:?} is no time; write it as 2026-12-25T21:00")))?,
        ),
    };
    let said_when = wish.at.is_some() || said.at.is_some();
    Ok(Planned { plan: Plan { from, to, at, ..said.rest.unwrap_or_else(|| bare(office)) }, said_when })
}

/// A number as phones send it: blanks are for people.
fn dialled(place: &str, text: &str) -> Result<String, String> {
    let number: String = text.chars().filter(|letter| *letter != ' ').collect();
    let is_dialled = |letter: char| letter.is_ascii_alphanumeric() || "+*#._-".contains(letter);
    if number.len() > 64 || !number.chars().all(is_dialled) {
        return Err(format!("{place}: {text:?} cannot be dialled: up to 64 of 0-9 A-Z + * # . _ -"));
    }
    Ok(number)
}

/// Nobody has said anything; who calls and what he dials comes from elsewhere.
fn bare(office: &Office) -> Plan {
    let nobody = plugboard_model::Name::new("nobody").ok();
    let nobody = nobody.map(|name| plugboard_model::GatewayId { office: office.id.clone(), name });
    let Some(gateway) = nobody else { unreachable!("it is a name") };
    Plan::new(Caller::Outside { gateway, number: String::new() }, "")
}

fn caller(office: &Office, from: &str) -> Option<Caller> {
    if let Some(user) = office.find_user(from) {
        return Some(Caller::User(user.id.clone()));
    }
    let gateway = office.gateways().find(|gateway| gateway.id.name.as_str() == from)?;
    Some(Caller::Outside { gateway: gateway.id.clone(), number: String::new() })
}

/// What a call file says.
#[derive(Default)]
struct Said {
    from: Option<String>,
    caller: Option<String>,
    to: Option<String>,
    at: Option<WallTime>,
    rest: Option<Plan>,
}

fn read(file: &str, text: &str, office: &Office) -> Result<Said, Vec<Fault>> {
    let node = plugboard_document::parse(file, text)?;
    let mut faults = Faults::new(file);
    let mut said = Said::default();
    if node.kind == Kind::Null {
        return Ok(said);
    }
    if let Some(mut fields) = Field::root(&node).fields(&mut faults) {
        let mut plan = bare(office);
        let mut text = |fields: &mut Fields<'_>, key| fields.take(key).and_then(|field| field.text(&mut faults));
        (said.from, said.caller, said.to) =
            (text(&mut fields, "from"), text(&mut fields, "caller"), text(&mut fields, "to"));
        if let Some(field) = fields.take("at") {
            said.at = field.text(&mut faults).and_then(|text| {
                let moment = office.zone().moment(&text);
                if moment.is_none() {
                    field.fault(&mut faults, format!("{text:?} is no time"), "write it as 2026-12-25T21:00");
                }
                moment
            });
        }
        if let Some(field) = fields.take("keys") {
            plan.keys = field.list(ITEMS_MAX, &mut faults).iter().filter_map(|item| keys(item, &mut faults)).collect();
        }
        plan.hangs_up = fields.take("hangs_up").and_then(|field| field.duration(SPANS, &mut faults));
        if let Some(talk) = fields.take("talk").and_then(|field| field.duration(SPANS, &mut faults)) {
            plan.talk = talk;
        }
        people(&mut fields, office, &mut plan, &mut faults);
        if let Some(field) = fields.take("outside") {
            for (number, does_field) in field.entries(&mut faults) {
                plan.outside.extend(does(&does_field, &mut faults).map(|does| (number.to_owned(), does)));
            }
        }
        outside::read(&mut fields, office, &mut plan, &mut faults);
        fields.finish(&mut faults);
        said.rest = Some(plan);
    }
    let faults = faults.into_sorted();
    if faults.is_empty() { Ok(said) } else { Err(faults) }
}

fn keys(item: &Field<'_>, faults: &mut Faults) -> Option<String> {
    let text = item.text(faults)?;
    if text.len() > 32 || !text.chars().all(|key| "0123456789*#ABCD".contains(key)) {
        item.fault(faults, format!("{text:?} cannot be keyed"), "up to 32 of 0-9 * # A-D");
        return None;
    }
    Some(text)
}

fn people(fields: &mut Fields<'_>, office: &Office, plan: &mut Plan, faults: &mut Faults) {
    let Some(field) = fields.take("people") else { return };
    for (who, field) in field.entries(faults) {
        let Some(does) = does(&field, faults) else { continue };
        match office.find_user(who) {
            Some(user) => {
                plan.people.insert(user.id.clone(), does);
            }
            None if who == "others" => plan.others = Some(does),
            None => {
                field.fault(faults, format!("{who} is no user of the office"), "write an id or number, or `others`");
            }
        }
    }
}

/// What somebody does who is rung.
fn does(field: &Field<'_>, faults: &mut Faults) -> Option<Does> {
    if field.node.as_map().is_none() {
        let words = [
            ("answers", Does::Answers(Plan::ANSWERS_AFTER)),
            ("busy", Does::Refuses(Duration::ZERO, 486)),
            ("declines", Does::Refuses(Plan::ANSWERS_AFTER, 603)),
            ("ignores", Does::Ignores),
            ("offline", Does::Offline),
        ];
        return field.one_of(&words, faults);
    }
    let mut fields = field.fields(faults)?;
    let answers = fields.take("answers").and_then(|field| field.duration(SPANS, faults)).map(Does::Answers);
    let declines = fields.take("declines").and_then(|field| field.duration(SPANS, faults));
    let status = fields.take("refuses").and_then(|field| field.integer(400..=699, faults));
    let after = fields.take("after").and_then(|field| field.duration(SPANS, faults)).unwrap_or_default();
    fields.finish(faults);
    let refuses = status.and_then(|status| u16::try_from(status).ok()).map(|status| Does::Refuses(after, status));
    let said: Vec<Does> =
        [answers, declines.map(|after| Does::Refuses(after, 603)), refuses].into_iter().flatten().collect();
    if let [one] = said.as_slice() {
        return Some(*one);
    }
    field.fault(
        faults,
        "one of answers, declines and refuses is expected",
        "write { answers: 5s }, or ignores, or offline",
    );
    None
}

/// A plan as a call file, in JSON, which is YAML as well.
pub(super) fn written(stage: &Stage, plan: &Plan) -> Value {
    let mut file = Map::new();
    match &plan.from {
        Caller::User(user) => {
            file.insert("from".into(), json!(user.name.as_str()));
        }
        Caller::Outside { gateway, number } => {
            file.insert("from".into(), json!(gateway.name.as_str()));
            if !number.is_empty() {
                file.insert("caller".into(), json!(number));
            }
        }
    }
    file.insert("to".into(), json!(plan.to));
    file.extend(plan.at.map(|at| ("at".to_owned(), json!(clock(stage, at)))));
    if !plan.keys.is_empty() {
        file.insert("keys".into(), json!(plan.keys));
    }
    file.extend(plan.hangs_up.map(|after| ("hangs_up".to_owned(), json!(write_duration(after)))));
    file.insert("talk".into(), json!(write_duration(plan.talk)));
    let mut people: Map<String, Value> =
        plan.people.iter().map(|(user, does)| (user.name.to_string(), written_does(*does))).collect();
    people.extend(plan.others.map(|does| ("others".to_owned(), written_does(does))));
    if !people.is_empty() {
        file.insert("people".into(), Value::Object(people));
    }
    if !plan.outside.is_empty() {
        let outside: BTreeMap<&String, Value> =
            plan.outside.iter().map(|(number, does)| (number, written_does(*does))).collect();
        file.insert("outside".into(), json!(outside));
    }
    outside::write(plan, &mut file);
    Value::Object(file)
}

fn written_does(does: Does) -> Value {
    match does {
        Does::Answers(after) => json!({ "answers": write_duration(after) }),
        Does::Refuses(after, status) => json!({ "refuses": status, "after": write_duration(after) }),
        Does::Ignores => json!("ignores"),
        Does::Offline => json!("offline"),
    }
}

/// A moment by the office's clock, as call files write it.
pub(super) fn clock(stage: &Stage, at: WallTime) -> String {
    let local = stage.office.zone().local(at);
    let (minute, second) = (local.minute(), local.second % 60);
    let seconds = if second == 0 { String::new() } else { format!(":{second:02}") };
    format!("{}T{:02}:{:02}{seconds}", local.date, minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them_and_what_cannot_be_dialled_is_told() {
        assert_eq!(dialled("to", "+49 30 123"), Ok("+4930123".into()));
        assert_eq!(dialled("to", "*43"), Ok("*43".into()));
        for wrong in ["a@b", "1\n2", "\">", "sip:102"] {
            assert!(dialled("to", wrong).unwrap_err().starts_with("to: "), "{wrong}");
        }
    }

    #[test]
    fn the_example_of_a_call_file_is_one_for_the_demo_office() {
        let text = include_str!("../../demo/office.yaml");
        let bundle = crate::house::Bundle::of_text("office.yaml", text);
        let office = Office::examine("office.yaml", plugboard_document::examine("office.yaml", text), &bundle).office;
        let said = read("call.yaml", HELP, &office.unwrap()).unwrap();
        assert_eq!(said.to.as_deref(), Some("100"));
        assert_eq!(said.rest.unwrap().people.len(), 4);
    }
}
