//! Which actions a call may use, and what they may do.

use crate::Office;
use plugboard_document::Mark;
use plugboard_model::{GroupId, Name, RouteId, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// The actions that are enabled, by name; no others are.
pub type Plugins = BTreeMap<String, PluginGrant>;

/// What one action may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginGrant {
    /// Interfaces that it may call; `None`: all that it asks for.
    pub capabilities: Option<BTreeSet<String>>,
    /// Whom it may ring; `None`: anybody.
    pub dial: Option<Dialling>,
    /// Where that is said.
    pub said: Said,
}

/// Whom an action may ring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialling {
    /// These.
    pub users: BTreeSet<UserId>,
    /// These, and their members.
    pub groups: BTreeSet<GroupId>,
    /// Numbers that begin so.
    pub numbers: Vec<String>,
}

/// Where something stands in a document, which is nothing to what it says.
#[derive(Debug, Clone)]
pub struct Said {
    /// The line and column.
    pub at: Mark,
    /// The way to it.
    pub path: String,
}

impl PartialEq for Said {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Said {}

impl Office {
    /// What a call may use that took this route or incoming number: what that says, else what the office says; `None`: everything that
    /// came with the switch.
    pub fn plugins_of(&self, route: Option<&RouteId>) -> Option<&Plugins> {
        let own = route.and_then(|id| self.granting().find(|(name, _)| *name == &id.name));
        own.map(|(_, plugins)| plugins).or(self.plugins.as_ref())
    }

    /// The routes and incoming numbers that say it.
    pub fn granting(&self) -> impl Iterator<Item = (&Name, &Plugins)> {
        let routes = self.routes.iter().filter_map(|route| Some((&route.id.name, route.plugins.as_ref()?)));
        routes.chain(self.numbers.values().filter_map(|number| Some((&number.id.name, number.plugins.as_ref()?))))
    }
}
