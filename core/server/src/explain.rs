//! `plugboard route explain`: which rules an office looks at for a call, and what it would do. Nobody is called.

use plugboard_model::{Dialled, WallTime};
use plugboard_office::{Explained, Inquiry, Office, Source, Treatment, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

use crate::control::ONLY;
use crate::house::Bundle;

/// Rules of one answer; what is left off is counted.
const LOOKED_MAX: usize = 1_000;

/// A call that nobody makes.
#[derive(Debug, Clone, Serialize, Deserialize, clap::Args)]
pub(crate) struct Wish {
    /// Who calls: the id or number of a user, or the id of a gateway.
    #[arg(long, value_name = "USER|GATEWAY")]
    pub(crate) from: String,
    /// What is dialled.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) to: String,
    /// When: 2026-12-25T21:00 by the office's clock, or with its own offset, 2026-12-25T21:00:00+01:00 [default: now].
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// The number that a gateway's caller shows [default: none, he withholds it].
    #[arg(long, value_name = "NUMBER")]
    pub(crate) caller: Option<String>,
    /// The language that his phone asks for, such as de.
    #[arg(long)]
    pub(crate) language: Option<String>,
    /// Whose number was called before the call was sent on.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) diverted: Option<String>,
    /// Ask this office file instead of the running switch.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub(crate) file: Option<PathBuf>,
    /// The office.
    #[arg(long, default_value = ONLY)]
    pub(crate) office: String,
}

/// As [`explain`], of a file that nobody has applied; how its audio and scenarios are does not matter.
///
/// # Errors
/// Every fault of the file, or why the call cannot be thought of.
pub(crate) fn explain_file(file: &Path, wish: &Wish, now: WallTime) -> Result<Value, Vec<String>> {
    let one = |error: String| vec![error];
    let bundle = Bundle::read(file).map_err(|fault| one(fault.to_string()))?;
    let office = Office::parse(&bundle.file, &bundle.text, &bundle)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    explain(&office, wish, now).map_err(one)
}

/// What the office would do with such a call.
///
/// # Errors
/// Why the call cannot be thought of.
pub(crate) fn explain(office: &Office, wish: &Wish, now: WallTime) -> Result<Value, String> {
    let number = |text: &str| Dialled::new(text).map_err(|error| error.to_string());
    let source = source(office, &wish.from)?;
    if wish.caller.is_some() && source.user().is_some() {
        return Err(format!("{} is a user, who shows his own number: --caller is for gateways", wish.from));
    }
    let at = match &wish.at {
        None => now,
        Some(text) => {
            office.zone().moment(text).ok_or_else(|| format!("{text:?} is no time; write it as 2026-12-25T21:00"))?
        }
    };
    let asked = Inquiry {
        language: wish.language.clone(),
        diverted: wish.diverted.as_deref().map(number).transpose()?,
        ..Inquiry::new(&source, &number(&wish.to)?, at).by(wish.caller.clone().unwrap_or_default())
    };
    let Explained { looked, treatment } = office.explain(&asked);
    let local = office.zone().local(at);
    let (minute, day) = (local.minute(), local.date);
    let clock = format!("{} {day} {:02}:{:02} {}", day.weekday_word(), minute / 60, minute % 60, office.zone().name());
    let left_off = looked.len().saturating_sub(LOOKED_MAX);
    let looked: Vec<Value> = looked
        .iter()
        .take(LOOKED_MAX)
        .map(|one| {
            let why = match &one.verdict {
                Verdict::Taken | Verdict::Late => None,
                Verdict::Other(why) | Verdict::Failed(why) => Some(why),
            };
            json!({ "what": one.what, "route": one.route.as_ref().map(|route| route.name.to_string()),
                "verdict": one.verdict.word(), "why": why })
        })
        .collect();
    Ok(json!({ "office": office.id.as_str(), "from": wish.from, "to": asked.called.as_str(), "at": at, "clock": clock,
        "looked": looked, "left_off": left_off, "then": then(&treatment) }))
}

fn source(office: &Office, from: &str) -> Result<Source, String> {
    if let Some(user) = office.find_user(from) {
        return Ok(Source::User(user.id.clone()));
    }
    let gateway = office.gateways().find(|gateway| gateway.id.name.as_str() == from);
    gateway.map(|gateway| Source::Gateway(gateway.id.clone())).ok_or_else(|| {
        let known: Vec<&str> = office.gateways().map(|gateway| gateway.id.name.as_str()).collect();
        format!("{from} is no user and no gateway of the office {}; its gateways: {}", office.id, known.join(", "))
    })
}

/// What would happen, in words.
pub(crate) fn words(treatment: &Treatment) -> String {
    then(treatment).get("words").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What would happen, in words and for programs.
fn then(treatment: &Treatment) -> Value {
    match treatment {
        Treatment::Scenario { scenario, route } => {
            let words = format!("the scenario {} runs, by {}", scenario.name, route.name);
            json!({ "kind": "scenario", "scenario": scenario.name.as_str(), "route": route.name.as_str(), "words": words })
        }
        Treatment::DirectUser(user) => {
            let words = format!("the user {} rings, as his status, his forwards and his devices have it", user.name);
            json!({ "kind": "user", "user": user.name.as_str(), "words": words })
        }
        Treatment::DirectGroup(group) => {
            let words = format!("the members of the group {} ring", group.name);
            json!({ "kind": "group", "group": group.name.as_str(), "words": words })
        }
        Treatment::Outbound { ways, route } => {
            let each: Vec<String> =
                ways.iter().map(|way| format!("{} through {}", way.number, way.gateway.name)).collect();
            let words = format!("it goes out by {}: {}", route.name, each.join(", else "));
            json!({ "kind": "outbound", "route": route.name.as_str(), "words": words,
                "ways": ways.iter().map(|way| json!({ "gateway": way.gateway.name.as_str(), "number": way.number.as_str() })).collect::<Vec<_>>() })
        }
        Treatment::Emergency { ways, number, test } => {
            let each: Vec<&str> = ways.iter().map(|way| way.gateway.name.as_str()).collect();
            let words = format!("it calls for help ({number}) through {}", each.join(", else "));
            json!({ "kind": "emergency", "number": number.as_str(), "test": test, "words": words })
        }
        Treatment::Feature(feature) => {
            let key = feature.code().key();
            json!({ "kind": "feature", "feature": key, "words": format!("the feature {key} is carried out") })
        }
        Treatment::Refused(cause) => {
            let words = format!("it is refused with {}: {}", cause.status, cause.text);
            json!({ "kind": "refused", "status": cause.status, "reason": cause.text, "words": words })
        }
    }
}
