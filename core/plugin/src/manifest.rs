//! What an action tells about itself, checked.

use crate::Capability;
use plugboard_model::ValueType;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Texts by language (BCP 47).
pub type Texts = BTreeMap<String, String>;

/// What a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginKind {
    /// A step of scenarios.
    #[default]
    Action,
    /// A system beside the telephone.
    Integration,
}

/// What an integration does for an office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offer {
    /// Finds contacts by their numbers.
    Contacts,
    /// Knows who is responsible for a contact.
    Responsible,
    /// Is told of calls that are over.
    Calls,
}

/// The manifest of an installed plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// What it is.
    #[serde(default)]
    pub kind: PluginKind,
    /// The word that scenarios, or offices, use: 1 to 64 of `a-z 0-9 -`.
    pub name: String,
    /// The component's own version.
    pub version: String,
    /// For people, `en` at least.
    pub titles: Texts,
    /// One sentence for people, `en` at least.
    pub summaries: Texts,
    /// JSON Schema of an object: an action's parameters, an integration's settings.
    pub parameters: serde_json::Value,
    /// Every outcome but `failed`, in the action's order.
    pub outcomes: Vec<Outcome>,
    /// Variables that it may assign.
    pub sets: Vec<SetsVariable>,
    /// The scenario waits for it.
    pub blocking: bool,
    /// The capabilities that its component imports: without each of them it does not start.
    pub capabilities: BTreeSet<Capability>,
    /// The services of the web that an integration asks, with what they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, Texts>,
    /// What an integration does.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub offers: BTreeSet<Offer>,
    /// The WIT package version that the component imports.
    pub wit: String,
}

/// A result that steps can hang on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// 1 to 64 of `a-z 0-9 -`.
    pub name: String,
    /// For people.
    pub texts: Texts,
}

/// A variable that an action may assign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetsVariable {
    /// 1 to 64 of `a-z 0-9 _`.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// The outcomes after which it is surely assigned.
    pub after: Vec<String>,
}

/// What is wrong with a manifest. Its author reads it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// A name that is not 1 to 64 of `a-z 0-9 -`.
    #[error("{what} {name:?} is not made of 1 to 64 characters a-z 0-9 -")]
    Name {
        /// Whose name.
        what: &'static str,
        /// The name, cut to 80 characters.
        name: String,
    },
    /// The parameters' schema.
    #[error("the schema of the parameters is no JSON Schema of an object: {0}")]
    Schema(String),
    /// An outcome named twice.
    #[error("the outcome {0:?} is named twice")]
    OutcomeTwice(String),
    /// `failed` belongs to the host.
    #[error("the outcome \"failed\" is every action's and must not be named")]
    FailedNamed,
    /// Too many outcomes.
    #[error("an action has at most 32 outcomes, this one {0}")]
    OutcomeCount(usize),
    /// A title or summary without English.
    #[error("{0} lack English (`en`)")]
    NoEnglish(&'static str),
    /// A text that is too long, or too many of them.
    #[error("{what}: at most 32 languages of at most {bytes_max} bytes each")]
    TextSize {
        /// Which texts.
        what: &'static str,
        /// The limit.
        bytes_max: usize,
    },
    /// A variable's type, name or outcome.
    #[error("the variable {name:?}: {fault}")]
    Sets {
        /// The variable.
        name: String,
        /// What is wrong.
        fault: String,
    },
    /// Too many services.
    #[error("an integration asks at most 16 services, this one {0}")]
    ServiceCount(usize),
    /// An integration that does nothing.
    #[error("the integration offers nothing")]
    OffersNothing,
    /// The version.
    #[error("the version {0:?} is not MAJOR.MINOR.PATCH")]
    Version(String),
}

/// More outcomes than a person can hang steps on.
const OUTCOMES_MAX: usize = 32;
/// More than a scenario's 256 variables cannot be of use.
const SETS_MAX: usize = 64;
const LANGUAGES_MAX: usize = 32;
const TEXT_BYTES_MAX: usize = 1_024;
/// A form that an administrator fills in.
const SCHEMA_BYTES_MAX: usize = 64 << 10;

/// What a component said, before it is believed.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) titles: Vec<(String, String)>,
    pub(crate) summaries: Vec<(String, String)>,
    pub(crate) parameters: String,
    pub(crate) outcomes: Vec<(String, Vec<(String, String)>)>,
    pub(crate) sets: Vec<(String, String, Vec<String>)>,
    pub(crate) blocking: bool,
}

impl Described {
    /// Checks what the component said.
    pub(crate) fn check(self, wit: &str, capabilities: BTreeSet<Capability>) -> Result<Manifest, ManifestError> {
        check_name("the action's name", &self.name)?;
        check_version(&self.version)?;
        let outcomes = check_outcomes(self.outcomes)?;
        let sets = check_sets(self.sets, &outcomes)?;
        Ok(Manifest {
            kind: PluginKind::Action,
            name: self.name,
            version: self.version,
            titles: check_texts("the titles", self.titles, true)?,
            summaries: check_texts("the summaries", self.summaries, true)?,
            parameters: check_schema(&self.parameters)?,
            outcomes,
            sets,
            blocking: self.blocking,
            capabilities,
            services: BTreeMap::new(),
            offers: BTreeSet::new(),
            wit: wit.to_owned(),
        })
    }
}

pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), ManifestError> {
    let good = (1..=64).contains(&name.len()) && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if good { Ok(()) } else { Err(ManifestError::Name { what, name: name.chars().take(80).collect() }) }
}

pub(crate) fn check_version(version: &str) -> Result<(), ManifestError> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers = core.split('.').filter(|part| part.parse::<u32>().is_ok()).count();
    if numbers == 3 && core.split('.').count() == 3 && version.len() <= 64 {
        Ok(())
    } else {
        Err(ManifestError::Version(version.chars().take(80).collect()))
    }
}

pub(crate) fn check_texts(
    what: &'static str,
    texts: Vec<(String, String)>,
    english: bool,
) -> Result<Texts, ManifestError> {
    let fits = texts.len() <= LANGUAGES_MAX && texts.iter().all(|(l, t)| l.len() <= 35 && t.len() <= TEXT_BYTES_MAX);
    if !fits {
        return Err(ManifestError::TextSize { what, bytes_max: TEXT_BYTES_MAX });
    }
    let texts: Texts = texts.into_iter().collect();
    if english && !texts.contains_key("en") { Err(ManifestError::NoEnglish(what)) } else { Ok(texts) }
}

pub(crate) fn check_schema(text: &str) -> Result<serde_json::Value, ManifestError> {
    if text.len() > SCHEMA_BYTES_MAX {
        return Err(ManifestError::Schema(format!("it has {} bytes, at most {SCHEMA_BYTES_MAX} fit", text.len())));
    }
    let schema: serde_json::Value =
        serde_json::from_str(text).map_err(|cause| ManifestError::Schema(cause.to_string()))?;
    let Some(object) = schema.as_object() else {
        return Err(ManifestError::Schema("it is not a JSON object".into()));
    };
    if object.get("type").and_then(serde_json::Value::as_str) != Some("object") {
        return Err(ManifestError::Schema("its \"type\" is not \"object\"".into()));
    }
    if object.get("properties").is_some_and(|properties| !properties.is_object()) {
        return Err(ManifestError::Schema("its \"properties\" are no object".into()));
    }
    Ok(schema)
}

fn check_outcomes(outcomes: Vec<(String, Vec<(String, String)>)>) -> Result<Vec<Outcome>, ManifestError> {
    // None at all: the scenario ends with this action, as with `hang-up`.
    if outcomes.len() > OUTCOMES_MAX {
        return Err(ManifestError::OutcomeCount(outcomes.len()));
    }
    let mut seen = BTreeSet::new();
    let mut checked = Vec::with_capacity(outcomes.len());
    for (name, texts) in outcomes {
        check_name("the outcome", &name)?;
        if name == "failed" {
            return Err(ManifestError::FailedNamed);
        }
        if !seen.insert(name.clone()) {
            return Err(ManifestError::OutcomeTwice(name));
        }
        checked.push(Outcome { name, texts: check_texts("the outcomes' texts", texts, false)? });
    }
    Ok(checked)
}

fn check_sets(
    sets: Vec<(String, String, Vec<String>)>,
    outcomes: &[Outcome],
) -> Result<Vec<SetsVariable>, ManifestError> {
    let fault = |name: &str, fault: String| ManifestError::Sets { name: name.chars().take(80).collect(), fault };
    if let Some((name, ..)) = sets.get(SETS_MAX) {
        return Err(fault(name, format!("an action sets at most {SETS_MAX} variables")));
    }
    let mut checked: Vec<SetsVariable> = Vec::with_capacity(sets.len());
    for (name, value_type, after) in sets {
        if !is_variable_name(&name) {
            return Err(fault(&name, "its name is not 1 to 64 of a-z 0-9 _, a digit not first".into()));
        }
        let Some(value_type) = ValueType::parse(&value_type) else {
            return Err(fault(&name, format!("{:?} is no type", value_type.chars().take(80).collect::<String>())));
        };
        if let Some(unknown) = after.iter().find(|outcome| !outcomes.iter().any(|known| known.name == **outcome)) {
            return Err(fault(&name, format!("{unknown:?} is no outcome of this action")));
        }
        if checked.iter().any(|known| known.name == name) {
            return Err(fault(&name, "it is named twice".into()));
        }
        checked.push(SetsVariable { name, value_type, after });
    }
    Ok(checked)
}

/// Is this the name of a variable: 1 to 64 of `a-z 0-9 _`, not a digit first?
pub(crate) fn is_variable_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> Described {
        Described {
            name: "ring-all".into(),
            version: "1.2.3-beta".into(),
            titles: vec![("en".into(), "Ring all".into())],
            summaries: vec![("en".into(), "Rings all.".into())],
            parameters: r#"{"type":"object","properties":{}}"#.into(),
            outcomes: vec![("answered".into(), vec![]), ("timeout".into(), vec![])],
            sets: vec![("who_answered".into(), "user".into(), vec!["answered".into()])],
            blocking: true,
        }
    }

    fn fault(change: impl FnOnce(&mut Described)) -> String {
        let mut described = described();
        change(&mut described);
        described.check("0.1.0", BTreeSet::new()).unwrap_err().to_string()
    }

    #[test]
    fn a_good_manifest_is_kept_as_it_was_said() {
        let manifest = described().check("0.1.0", [Capability::Dial].into()).unwrap();
        assert_eq!(manifest.name, "ring-all");
        assert_eq!(manifest.outcomes.len(), 2);
        assert_eq!(manifest.sets.first().unwrap().value_type, ValueType::User);
        assert!(manifest.capabilities.contains(&Capability::Dial));
    }

    #[test]
    fn each_fault_of_a_manifest_is_named() {
        assert!(fault(|d| d.name = "Ring All".into()).contains("Ring All"));
        assert!(fault(|d| d.version = "1".into()).contains("\"1\""));
        assert!(fault(|d| d.outcomes = vec![("x".into(), vec![]); 33]).contains("at most 32"));
        assert!(fault(|d| d.outcomes.push(("timeout".into(), vec![]))).contains("twice"));
        assert!(fault(|d| d.outcomes.push(("failed".into(), vec![]))).contains("failed"));
        assert!(fault(|d| d.titles.clear()).contains("titles"));
        assert!(fault(|d| d.parameters = "[]".into()).contains("object"));
        assert!(fault(|d| d.parameters = "{".into()).contains("EOF"));
        assert!(fault(|d| d.parameters = "{}".into()).contains("type"));
        assert!(fault(|d| d.sets = vec![("x".into(), "blob".into(), vec![])]).contains("blob"));
        assert!(fault(|d| d.sets = vec![("x".into(), "text".into(), vec!["lost".into()])]).contains("lost"));
        assert!(fault(|d| d.sets = vec![("1x".into(), "text".into(), vec![])]).contains("1x"));
    }
}
