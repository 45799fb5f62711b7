//! Systems beside the telephone in an office document.

use super::Parts;
use crate::plugins::Said;
use crate::{HttpSource, Integration};
use plugboard_document::{Field, Fields, Kind, Node};
use plugboard_model::Name;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// One office has a CRM and a directory, or two of them while it moves.
pub(crate) const INTEGRATIONS_MAX: usize = 16;
/// A caller waits for it.
pub(crate) const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(10);
/// As many calls as an office has.
pub(crate) const AT_ONCE_MAX: i64 = 64;
/// Bytes of its settings as JSON: a mapping has two thousand.
pub(crate) const SETTINGS_BYTES_MAX: usize = 32_768;
/// Services that a plugin wants.
pub(crate) const SERVICES_MAX: usize = 16;
/// Capabilities of one plugin.
const CAPABILITIES_MAX: usize = 64;

impl Parts<'_> {
    /// `[{ id, plugin, settings or settings_file, services, capabilities, timeout, at_once }]`.
    pub(crate) fn integrations(
        &mut self,
        field: Option<Field<'_>>,
        sources: &BTreeMap<Name, Arc<HttpSource>>,
    ) -> Vec<Arc<Integration>> {
        let mut integrations: Vec<Arc<Integration>> = Vec::new();
        for item in self.items(field, INTEGRATIONS_MAX) {
            let Some((id, mut fields)) = self.named(&item) else { continue };
            let integration = self.integration(&id, &mut fields, sources);
            fields.finish(self.faults);
            if integrations.iter().any(|other| other.id == id) {
                self.twice(&item);
            }
            integrations.extend(integration.map(Arc::new));
        }
        integrations
    }

    fn integration(
        &mut self,
        id: &Name,
        fields: &mut Fields<'_>,
        sources: &BTreeMap<Name, Arc<HttpSource>>,
    ) -> Option<Integration> {
        let plugin = fields.need("plugin", self.faults);
        let settings = self.integration_settings(fields);
        let services = fields.take("services").map(|field| self.services(&field, sources)).unwrap_or_default();
        let capabilities = fields.take("capabilities").map(|field| {
            let items = field.list(CAPABILITIES_MAX, self.faults);
            items.iter().filter_map(|item| item.text(self.faults)).collect()
        });
        let timeout = fields.take("timeout").and_then(|field| field.duration(TIMEOUT, self.faults));
        let at_once = self.count(fields, "at_once", 1..=AT_ONCE_MAX, Integration::AT_ONCE);
        let plugin = plugin?;
        let said = Said { at: plugin.node.at, path: plugin.path.clone() };
        Some(Integration {
            id: id.clone(),
            plugin: plugin.text(self.faults)?,
            settings,
            services,
            capabilities,
            timeout: timeout.unwrap_or(Integration::TIMEOUT),
            at_once,
            said,
        })
    }

    /// Written here, or in a file of their own.
    fn integration_settings(&mut self, fields: &mut Fields<'_>) -> Node {
        let (written, file) = (fields.take("settings"), fields.take("settings_file"));
        if let (Some(_), Some(file)) = (&written, &file) {
            file.fault(self.faults, "there are settings already", "write `settings`, or name their file");
        }
        let empty = || Node::made(Kind::Map(Vec::new()));
        let Some(field) = written.or(file.clone()) else { return empty() };
        let node = match file {
            Some(file) => self.settings_of_file(&file),
            None => Some(field.node.clone()),
        };
        let Some(node) = node else { return empty() };
        if node.as_map().is_none() {
            field.fault(self.faults, "the settings are names with values", "write { key: value }");
            return empty();
        }
        let bytes = node.to_json().to_string().len();
        if bytes > SETTINGS_BYTES_MAX {
            field.fault(self.faults, format!("the settings have {bytes} bytes of JSON"), "32,768 are the most");
            return empty();
        }
        node
    }

    fn settings_of_file(&mut self, field: &Field<'_>) -> Option<Node> {
        let path = field.text(self.faults)?;
        match self.surroundings.file(&path) {
            Ok(text) => {
                let (node, faults) = plugboard_document::examine(&path, &text);
                self.faults.extend(faults);
                node
            }
            Err(reason) => {
                field.fault(self.faults, format!("{path} cannot be read: {reason}"), "");
                None
            }
        }
    }

    /// `{ the plugin's name: the office's source }`.
    fn services(&mut self, field: &Field<'_>, sources: &BTreeMap<Name, Arc<HttpSource>>) -> BTreeMap<String, Name> {
        let entries = field.entries(self.faults);
        if entries.len() > SERVICES_MAX {
            field.fault(self.faults, format!("a plugin wants at most {SERVICES_MAX} services"), "take some out");
        }
        let mut services = BTreeMap::new();
        for (name, field) in entries.into_iter().take(SERVICES_MAX) {
            let Some(source) = field.name(self.faults) else { continue };
            if !sources.contains_key(&source) {
                field.fault(self.faults, format!("the office has no source {source}"), "write it into `http`");
            }
            services.insert(name.to_owned(), source);
        }
        services
    }
}
