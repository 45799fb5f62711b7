//! How an office sends text messages, in its document.

use super::Parts;
use super::mail::GIVE_UP_AFTER;
use crate::text_message::any_text;
use crate::{HttpSource, TextBody, TextRules};
use plugboard_document::{Field, Kind};
use plugboard_model::{HttpMethod, Name};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Providers take few requests of one client.
pub(crate) const AT_ONCE_MAX: i64 = 16;
/// Each of them costs something.
pub(crate) const AN_HOUR_MAX: i64 = 3_000;
/// Names of a query, and bytes of its parts.
pub(crate) const QUERY_MAX: usize = 32;
pub(crate) const PATH_MAX: usize = 1_024;
pub(crate) const FROM_MAX: usize = 64;
const VALUE_MAX: usize = 1_024;
const METHODS: [(&str, HttpMethod); 2] = [("post", HttpMethod::Post), ("get", HttpMethod::Get)];

impl Parts<'_> {
    /// `{ source, path, method, query, body or form, from, at_once, an_hour, give_up_after }`.
    pub(crate) fn text_messages(
        &mut self,
        field: Option<Field<'_>>,
        sources: &BTreeMap<Name, Arc<HttpSource>>,
    ) -> Option<Arc<TextRules>> {
        let mut fields = field?.fields(self.faults)?;
        let method = fields.take("method").and_then(|field| field.one_of(&METHODS, self.faults));
        let method = method.unwrap_or(HttpMethod::Post);
        let source = fields.need("source", self.faults).and_then(|field| {
            let name = field.name(self.faults)?;
            match sources.get(&name) {
                Some(source) if source.methods.contains(&method) => return Some(name),
                Some(_) => {
                    let word = method.as_str().to_ascii_lowercase();
                    field.fault(self.faults, format!("{name} takes no {word}"), format!("add {word} to its `methods`"));
                }
                None => field.fault(self.faults, format!("the office has no source {name}"), "write it into `http`"),
            }
            None
        });
        let path = fields.take("path").and_then(|field| {
            let text = field.text(self.faults)?;
            let goes_back = text.split('/').any(|segment| matches!(segment, "." | ".."));
            if text.len() > PATH_MAX || goes_back || text.contains(char::is_control) {
                field.fault(self.faults, format!("{text:?} is no path"), "write segments with / between them");
            }
            Some(text)
        });
        let query = fields.take("query").map(|field| self.text_values(&field)).unwrap_or_default();
        let (document, form) = (fields.take("body"), fields.take("form"));
        for field in document.iter().chain(&form).filter(|_| method == HttpMethod::Get) {
            field.fault(self.faults, "get has no body", "write it into `query`, or take post");
        }
        if let (Some(_), Some(form)) = (&document, &form) {
            form.fault(self.faults, "there is a body already", "write `body` for JSON, or `form`");
        }
        if let Some(field) = document.as_ref().filter(|field| any_text(field.node, &TextRules::odd_brace)) {
            self.odd_brace(field);
        }
        let form = form.map(|field| TextBody::Form(self.text_values(&field)));
        let body = form.or_else(|| document.map(|field| TextBody::Document(field.node.clone())));
        let names_text = |text: &str| text.contains("{text}");
        let said = query.values().any(|value: &String| names_text(value))
            || body.as_ref().is_some_and(|body| body.any(&names_text));
        let at_once = self.count(&mut fields, "at_once", 1..=AT_ONCE_MAX, TextRules::AT_ONCE);
        let an_hour = self.count(&mut fields, "an_hour", 1..=AN_HOUR_MAX, TextRules::AN_HOUR);
        let give_up_after = fields.take("give_up_after").and_then(|field| field.duration(GIVE_UP_AFTER, self.faults));
        let from = fields.take("from").and_then(|field| {
            let text = field.text(self.faults)?;
            if text.len() > FROM_MAX || text.contains(char::is_control) {
                field.fault(self.faults, "nobody is called so", "write a number or a name");
            }
            Some(text)
        });
        let (at, whole) = (fields.at(), fields.path().to_owned());
        fields.finish(self.faults);
        if !said {
            self.faults.add(
                at,
                &whole,
                "the request does not say the text",
                "write {text} into `query`, `body` or `form`",
            );
        }
        Some(Arc::new(TextRules {
            source: source?,
            path: path.unwrap_or_default(),
            method,
            query,
            body,
            from: from.unwrap_or_default(),
            at_once,
            an_hour,
            give_up_after: give_up_after.unwrap_or(TextRules::GIVE_UP_AFTER),
        }))
    }

    fn text_values(&mut self, field: &Field<'_>) -> BTreeMap<String, String> {
        let Kind::Map(entries) = &field.node.kind else {
            field.fault(self.faults, "names with values are expected", "write { to: \"{to}\", text: \"{text}\" }");
            return BTreeMap::new();
        };
        let values = entries.iter().filter_map(|entry| Some((entry.key.clone(), entry.value.as_text()?.to_owned())));
        let query: BTreeMap<String, String> = values.collect();
        let fits = |(name, value): (&String, &String)| name.len() <= VALUE_MAX && value.len() <= VALUE_MAX;
        if query.len() != entries.len() || query.len() > QUERY_MAX || !query.iter().all(fits) {
            field.fault(self.faults, format!("up to {QUERY_MAX} texts of 1,024 bytes are expected"), "");
        }
        if query.values().any(|value| TextRules::odd_brace(value)) {
            self.odd_brace(field);
        }
        query
    }

    fn odd_brace(&mut self, field: &Field<'_>) {
        let known = TextRules::PLACES.join(", ");
        field.fault(self.faults, "a brace stands for nothing", format!("there are {known}"));
    }
}
