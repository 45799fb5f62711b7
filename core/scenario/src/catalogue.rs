//! What the checker and the interpreter know about actions and about the office.

use crate::{Document, Occasion, System};
use plugboard_calendar::{Calendar, Zone};
use plugboard_model::{GroupId, KnownContact, UserId, ValueType};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The outcome that every action has: it trapped, exceeded a limit or returned an error.
pub const FAILED: &str = "failed";
/// The outcome of an action that the call's route does not enable, or to which it does not grant what the action asks for. Without steps
/// of its own, those on [`FAILED`] run.
pub const DENIED: &str = "denied";
/// The outcome after which the caller talks to somebody: its steps run beside the conversation.
pub const ANSWER: &str = "answer";

/// An action as scenarios see it. The server fills it from the component's own description.
#[derive(Debug, Clone)]
pub struct Action {
    /// The word in documents.
    pub name: String,
    /// JSON Schema (2020-12) of the parameters: an object. The keywords that
    /// the checker knows beyond the standard are on the crate's page.
    pub parameters: Json,
    /// Outcomes besides `failed`. None at all: the action never returns to the scenario, as `hang-up`, so that
    /// steps after it are unreachable.
    pub outcomes: Vec<String>,
    /// The capabilities that it asks for.
    pub capabilities: Vec<String>,
    /// Variables that it may assign.
    pub sets: Vec<Sets>,
    /// The scenario waits for it; false: it runs beside.
    pub blocking: bool,
}

/// A variable that an action may assign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sets {
    /// The variable.
    pub name: String,
    /// Its type.
    pub value_type: ValueType,
    /// The outcomes after which it is surely assigned.
    pub after: Vec<String>,
}

/// The actions that a scenario may use, by name.
#[derive(Debug, Clone, Default)]
pub struct ActionCatalogue {
    actions: BTreeMap<String, Arc<Action>>,
    systems: BTreeMap<String, Arc<System>>,
    strangers: BTreeSet<String>,
}

impl ActionCatalogue {
    /// No action.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an action; one of the same name is replaced and returned.
    pub fn insert(&mut self, action: Action) -> Option<Arc<Action>> {
        self.actions.insert(action.name.clone(), Arc::new(action))
    }

    /// With integrations, which offices name and scenarios do not.
    #[must_use]
    pub fn with_systems(mut self, systems: impl IntoIterator<Item = System>) -> Self {
        self.systems.extend(systems.into_iter().map(|system| (system.name.clone(), Arc::new(system))));
        self
    }

    /// With the names of those that did not come with the switch: an office or a route has to enable them by name.
    #[must_use]
    pub fn with_strangers(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.strangers.extend(names);
        self
    }

    /// Whether the plugin of this name runs only where it is enabled by name.
    pub fn is_stranger(&self, name: &str) -> bool {
        self.strangers.contains(name)
    }

    /// The integration of this name.
    pub fn system(&self, name: &str) -> Option<&System> {
        self.systems.get(name).map(Arc::as_ref)
    }

    /// Every integration, by name.
    pub fn systems(&self) -> impl Iterator<Item = &Arc<System>> {
        self.systems.values()
    }

    /// The action of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Action>> {
        self.actions.get(name)
    }

    /// Every action, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Action>> {
        self.actions.values()
    }
}

impl FromIterator<Action> for ActionCatalogue {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        let mut catalogue = Self::new();
        for action in actions {
            catalogue.insert(action);
        }
        catalogue
    }
}

impl Action {
    /// Whether the scenario is over once this action has run.
    pub fn ends_scenario(&self) -> bool {
        self.outcomes.is_empty()
    }

    /// What steps can hang on beside the outcomes: who can be answered rings before, and hangs up after. A word that is an
    /// outcome of its own stays one.
    pub fn occasions(&self) -> Vec<Occasion> {
        let calls = self.has_outcome(ANSWER);
        Occasion::OF_ACTIONS.into_iter().filter(|occasion| calls && !self.has_outcome(occasion.as_str())).collect()
    }

    /// Whether steps can hang on `outcome`.
    pub fn has_outcome(&self, outcome: &str) -> bool {
        [FAILED, DENIED].contains(&outcome) || self.outcomes.iter().any(|own| own == outcome)
    }
}

/// Databases by name, with their queries by name, with the parameters of each: what they are, by name.
pub type KnownDatabases = BTreeMap<String, BTreeMap<String, BTreeMap<String, ValueType>>>;

/// What the checker asks about the office that a scenario belongs to.
pub trait Resolver {
    /// The user with this id or internal number.
    fn user(&self, id_or_number: &str) -> Option<UserId>;
    /// The group with this id or internal number.
    fn group(&self, id_or_number: &str) -> Option<GroupId>;
    /// The contact with this id or number.
    fn contact(&self, _id_or_number: &str) -> Option<KnownContact> {
        None
    }
    /// Whether the office has a prompt of this name. A missing file is no fault at run time (R52), but its author
    /// wants to know it now.
    fn has_prompt(&self, name: &str) -> bool;
    /// Whether the office has music of this name.
    fn has_music(&self, name: &str) -> bool;
    /// Whether the office has a service of the web of this name.
    fn has_http_source(&self, name: &str) -> bool;
    /// The names of its services of the web.
    fn http_sources(&self) -> Vec<String>;
    /// What steps may do there, as documents write it: `get`, `post`; `None` where nobody knows.
    fn http_methods(&self, _source: &str) -> Option<Vec<String>> {
        None
    }
    /// The office's databases with what they may be asked; `None` where nobody knows them.
    fn databases(&self) -> Option<KnownDatabases>;
    /// Whether mail goes to this: an address, a user or a group. Why not, and what to do.
    ///
    /// # Errors
    /// The reason and the remedy, for the author.
    fn mail_to(&self, whom: &str) -> Result<(), (String, String)>;
    /// Every text of the office's mail of this name; `None`: it has none.
    fn mail_template(&self, name: &str) -> Option<Vec<String>>;
    /// The names of its mails that are written already.
    fn mail_templates(&self) -> Vec<String>;
    /// The office's calendar of this name.
    fn calendar(&self, name: &str) -> Option<Arc<Calendar>>;
    /// The names of its calendars.
    fn calendars(&self) -> Vec<String>;
    /// The office's scenario of this name, if its form is right.
    fn scenario(&self, name: &str) -> Option<Document>;
    /// The names of its scenarios.
    fn scenarios(&self) -> Vec<String>;
    /// Whose clocks the office goes by, if it says so.
    fn zone(&self) -> Option<Zone>;
}

/// What an internal number belongs to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extension {
    /// A user.
    User(UserId),
    /// A group.
    Group(GroupId),
}
