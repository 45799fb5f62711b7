//! Systems beside the telephone, such as a CRM, that an office asks.

use crate::{HttpSource, Office, Said};
use plugboard_document::Node;
use plugboard_model::{AskedNumber, Name};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Ways to write a number that an integration is told (`plugboard:switch/integration-types`).
const FORMS_MAX: usize = 16;

/// One of them: a plugin, and what the office lets it do.
#[derive(Debug, Clone, PartialEq)]
pub struct Integration {
    /// By which traces and contacts name it.
    pub id: Name,
    /// The installed plugin.
    pub plugin: String,
    /// What it is told of the office.
    pub settings: Node,
    /// Which of the office's services of the web each of its services is.
    pub services: BTreeMap<String, Name>,
    /// Interfaces that it may call; `None`: all that it asks for.
    pub capabilities: Option<BTreeSet<String>>,
    /// How long it may take for one answer.
    pub timeout: Duration,
    /// Questions at once.
    pub at_once: u32,
    /// Where the plugin is named.
    pub said: Said,
}

impl Integration {
    /// A caller waits for it.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);
    /// Callers who ring in the same second.
    pub(crate) const AT_ONCE: u32 = 8;
}

impl Office {
    /// The integration of this name.
    pub fn integration(&self, id: &Name) -> Option<&Arc<Integration>> {
        self.integrations.iter().find(|one| one.id == *id)
    }

    /// What one of an integration's services is.
    pub fn service(&self, integration: &Integration, name: &str) -> Option<&Arc<HttpSource>> {
        self.http.get(integration.services.get(name)?)
    }

    /// A number as integrations are asked for it: without prefixes of outside lines.
    pub fn asked_number(&self, shown: &str) -> AskedNumber {
        let behind =
            || self.dialled_in_front().iter().find_map(|line| Some(self.plain_forms(shown.strip_prefix(line)?)));
        let mut forms = self.plain_forms(shown);
        if forms.is_empty() {
            forms = behind().filter(|forms| !forms.is_empty()).unwrap_or_else(|| vec![shown.to_owned()]);
        }
        forms.truncate(FORMS_MAX);
        AskedNumber { shown: shown.to_owned(), forms }
    }
}
