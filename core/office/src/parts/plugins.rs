//! What actions may do, in an office document.

use super::{ITEMS_MAX, Noun, Parts};
use crate::plugins::{Dialling, PluginGrant, Plugins, Said};
use plugboard_document::{Field, Kind};
use plugboard_model::{GroupId, UserId};
use std::collections::BTreeSet;

/// In place of a map: whatever the action asks for.
pub(crate) const ALL: &str = "all";
/// Actions of one list: as many as a switch installs, several times over.
const PLUGINS_MAX: usize = 256;
/// Capabilities of one action.
const CAPABILITIES_MAX: usize = 64;

impl Parts<'_> {
    /// A map of actions, each with `all` or what it may do.
    pub(crate) fn plugins(&mut self, field: Option<Field<'_>>) -> Option<Plugins> {
        let field = field?;
        let entries = field.entries(self.faults);
        if entries.len() > PLUGINS_MAX {
            field.fault(self.faults, format!("at most {PLUGINS_MAX} actions are enabled"), "take some out");
        }
        let mut plugins = Plugins::new();
        for (name, field) in entries.into_iter().take(PLUGINS_MAX) {
            if let Some(grant) = self.grant(&field) {
                plugins.insert(name.to_owned(), grant);
            }
        }
        matches!(field.node.kind, Kind::Map(_)).then_some(plugins)
    }

    fn grant(&mut self, field: &Field<'_>) -> Option<PluginGrant> {
        let said = Said { at: field.key_at, path: field.path.clone() };
        if field.node.as_map().is_none() {
            field.one_of(&[(ALL, ())], self.faults)?;
            return Some(PluginGrant { capabilities: None, dial: None, said });
        }
        let mut fields = field.fields(self.faults)?;
        let capabilities = fields.take("capabilities").map(|field| {
            let items = field.list(CAPABILITIES_MAX, self.faults);
            items.iter().filter_map(|item| item.text(self.faults)).collect()
        });
        let dial = fields.take("dial").and_then(|field| self.dialling(&field));
        fields.finish(self.faults);
        Some(PluginGrant { capabilities, dial, said })
    }

    fn dialling(&mut self, field: &Field<'_>) -> Option<Dialling> {
        let office = self.office.clone();
        let mut fields = field.fields(self.faults)?;
        let (users, groups, numbers) = (fields.take("users"), fields.take("groups"), fields.take("numbers"));
        fields.finish(self.faults);
        let users = self.items(users, ITEMS_MAX);
        let users: BTreeSet<UserId> = users
            .iter()
            .filter_map(|item| Some(UserId { office: office.clone(), name: self.refers(Noun::User, item)? }))
            .collect();
        let groups = self.items(groups, ITEMS_MAX);
        let groups = groups
            .iter()
            .filter_map(|item| Some(GroupId { office: office.clone(), name: self.refers(Noun::Group, item)? }))
            .collect();
        let numbers = self.items(numbers, ITEMS_MAX);
        let numbers = numbers.iter().filter_map(|item| self.dialled(item)).map(String::from).collect();
        Some(Dialling { users, groups, numbers })
    }
}
