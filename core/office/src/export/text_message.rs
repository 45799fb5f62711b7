//! How an office sends text messages, as a document.

use super::Entries;
use crate::{TextBody, TextRules};
use plugboard_document::{Node, write_duration};
use plugboard_model::HttpMethod;

pub(super) fn node(rules: &TextRules) -> Node {
    let mut entry = Entries::default();
    entry.put("source", rules.source.as_str());
    entry.put_unless("path", rules.path.as_str(), "");
    if rules.method == HttpMethod::Get {
        entry.put("method", "get");
    }
    entry.put_some("query", rules.query.iter().map(|(name, value)| (name.as_str(), Node::from(value.as_str()))));
    match &rules.body {
        Some(TextBody::Document(body)) => entry.put("body", body.clone()),
        Some(TextBody::Form(form)) => {
            entry.put_some("form", form.iter().map(|(name, value)| (name.as_str(), Node::from(value.as_str()))));
        }
        None => {}
    }
    entry.put_unless("from", rules.from.as_str(), "");
    entry.put_unless("at_once", rules.at_once, TextRules::AT_ONCE);
    entry.put_unless("an_hour", rules.an_hour, TextRules::AN_HOUR);
    let usual = write_duration(TextRules::GIVE_UP_AFTER);
    entry.put_unless("give_up_after", write_duration(rules.give_up_after), usual);
    entry.node()
}
