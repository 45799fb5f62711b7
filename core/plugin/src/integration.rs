//! An integration: what it says of itself, checked, and how one call of an export is handed to a run and back.
//!
//! A call of an export is a run like any other: [`parameters`] makes what [`crate::RunSpec::parameters`] takes, and its outcome is what
//! [`answer`] reads. Nothing of it belongs to a call's journal.

use crate::manifest::{
    Manifest, ManifestError, Offer, PluginKind, check_name, check_schema, check_texts, check_version,
};
use crate::{Capability, ComponentId, RunKey};
use plugboard_model::{CallId, IntegrationAnswer, IntegrationAsk, Name, OfficeId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Services that one integration asks: a vendor has two or three.
const SERVICES_MAX: usize = 16;
/// Bytes of what a call of an export is answered: eight contacts with all that they may have.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Bytes of a hash that stands for an id: no two of one system are alike.
const HASH_BYTES: usize = 12;
/// Bytes of a name that go before it: a name has 64.
const NAME_BYTES_MAX: usize = 39;
/// No call has so many runs.
const NO_RUN_OF_A_CALL: RunId = RunId(u32::MAX);

impl RunKey {
    /// The key of an integration's run: the switch counts them itself.
    pub fn of_integration(office: &OfficeId, number: u64) -> Self {
        Self { call: CallId { office: office.clone(), ulid: number.into() }, run: NO_RUN_OF_A_CALL }
    }

    /// The number of an integration's run; `None`: it is one of a call.
    pub fn integration(&self) -> Option<u64> {
        if self.run == NO_RUN_OF_A_CALL { u64::try_from(self.call.ulid).ok() } else { None }
    }
}

#[derive(Serialize, Deserialize)]
struct Wish {
    settings: Json,
    ask: IntegrationAsk,
}

/// The parameters of a run that calls an export, for an office that has set this.
pub fn parameters(settings: &Json, ask: &IntegrationAsk) -> String {
    let wish = Wish { settings: settings.clone(), ask: ask.clone() };
    serde_json::to_string(&wish).unwrap_or_default()
}

/// What a run's outcome says.
///
/// # Errors
/// It is none that [`parameters`] asks for: a fault of the switch.
pub fn answer(outcome: &str) -> Result<IntegrationAnswer, String> {
    serde_json::from_str(outcome).map_err(|fault| format!("its answer cannot be read: {fault}"))
}

/// The id of a contact that an integration has found: its own id behind the integration's, or where that is no id, a hash of it.
pub fn contact_name(integration: &Name, id: &str) -> Option<Name> {
    let hash = || ComponentId::of(id.as_bytes()).to_string().chars().take(2 * HASH_BYTES).collect::<String>();
    let room = Name::new(&format!("{integration}.{id}"));
    // An id like a hash would be taken for it.
    let plain = room.ok().filter(|_| id.len() != 2 * HASH_BYTES);
    plain.or_else(|| Name::new(&format!("{}.{}", cut(integration.as_str()), hash())).ok())
}

/// So much of an integration's name as a hash leaves room for.
fn cut(name: &str) -> &str {
    name.get(..name.len().min(NAME_BYTES_MAX)).unwrap_or(name)
}

pub(crate) fn read(parameters: &str) -> Result<(String, IntegrationAsk), String> {
    let wish: Wish =
        serde_json::from_str(parameters).map_err(|fault| format!("what it is asked cannot be read: {fault}"))?;
    Ok((wish.settings.to_string(), wish.ask))
}

pub(crate) fn written(answer: &IntegrationAnswer) -> Result<String, String> {
    let text = serde_json::to_string(answer).map_err(|fault| fault.to_string())?;
    if text.len() > ANSWER_BYTES_MAX {
        return Err(format!("its answer has {} bytes, at most {ANSWER_BYTES_MAX} are taken", text.len()));
    }
    Ok(text)
}

/// What an integration said, before it is believed.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) titles: Vec<(String, String)>,
    pub(crate) summaries: Vec<(String, String)>,
    pub(crate) settings: String,
    pub(crate) services: Vec<(String, Vec<(String, String)>)>,
    pub(crate) offers: BTreeSet<Offer>,
}

impl Described {
    /// Checks what the component said.
    pub(crate) fn check(self, wit: &str, capabilities: BTreeSet<Capability>) -> Result<Manifest, ManifestError> {
        check_name("the integration's name", &self.name)?;
        check_version(&self.version)?;
        if self.services.len() > SERVICES_MAX {
            return Err(ManifestError::ServiceCount(self.services.len()));
        }
        if self.offers.is_empty() {
            return Err(ManifestError::OffersNothing);
        }
        let mut services = BTreeMap::new();
        for (name, texts) in self.services {
            check_name("the service", &name)?;
            services.insert(name, check_texts("the services' texts", texts, true)?);
        }
        Ok(Manifest {
            kind: PluginKind::Integration,
            name: self.name,
            version: self.version,
            titles: check_texts("the titles", self.titles, true)?,
            summaries: check_texts("the summaries", self.summaries, true)?,
            parameters: check_schema(&self.settings)?,
            outcomes: Vec::new(),
            sets: Vec::new(),
            blocking: true,
            capabilities,
            services,
            offers: self.offers,
            wit: wit.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> Described {
        let english = |text: &str| vec![("en".to_owned(), text.to_owned())];
        Described {
            name: "crm".into(),
            version: "1.0.0".into(),
            titles: english("A CRM"),
            summaries: english("Asks a CRM."),
            settings: r#"{"type":"object"}"#.into(),
            services: vec![("api".into(), english("Its API"))],
            offers: [Offer::Contacts].into(),
        }
    }

    fn fault(change: impl FnOnce(&mut Described)) -> String {
        let mut said = described();
        change(&mut said);
        said.check("0.1.0", BTreeSet::new()).unwrap_err().to_string()
    }

    #[test]
    fn what_an_integration_says_of_itself_is_checked() {
        let manifest = described().check("0.1.0", [Capability::Http].into()).unwrap();
        assert_eq!((manifest.kind, manifest.offers.len(), manifest.services.len()), (PluginKind::Integration, 1, 1));
        assert!(fault(|said| said.offers.clear()).contains("offers nothing"));
        assert!(fault(|said| said.services = vec![said.services[0].clone(); 17]).contains("17"));
        assert!(fault(|said| said.services[0].0 = "My API".into()).contains("My API"));
        assert!(fault(|said| said.settings = "[]".into()).contains("object"));
    }

    #[test]
    fn a_run_of_an_integration_is_never_one_of_a_call() {
        let office = OfficeId::new("main").unwrap();
        let key = RunKey::of_integration(&office, 7);
        assert_eq!(key.integration(), Some(7));
        assert_eq!(RunKey { run: RunId(0), ..key }.integration(), None);
    }

    #[test]
    fn each_id_of_another_system_makes_a_name_of_its_own() {
        let crm = Name::new("crm").unwrap();
        let name = |id: &str| contact_name(&crm, id).unwrap().to_string();
        assert_eq!(name("42"), "crm.42");
        assert_eq!(name("003XX").len(), "crm.".len() + 24);
        let made: BTreeSet<String> =
            ["42", "003XX", "003xx", "Ключ", &"9".repeat(128), &name("003XX")[4..]].map(name).into();
        assert_eq!(made.len(), 6);
        assert!(contact_name(&Name::new(&"a".repeat(64)).unwrap(), "42").is_some());
    }

    #[test]
    fn a_wish_and_its_answer_read_back() {
        let ask = IntegrationAsk::ResponsibleFor { contact: "42".into() };
        let settings = serde_json::json!({ "a": 1 });
        assert_eq!(read(&parameters(&settings, &ask)), Ok((r#"{"a":1}"#.to_owned(), ask)));
        let said = IntegrationAnswer::Responsible(vec!["101".into()]);
        assert_eq!(answer(&written(&said).unwrap()), Ok(said));
        let long = IntegrationAnswer::Responsible(vec!["x".repeat(ANSWER_BYTES_MAX)]);
        assert!(written(&long).unwrap_err().contains("at most"));
    }
}
