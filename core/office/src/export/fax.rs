//! How an office sends faxes, as a document.

use super::Entries;
use crate::FaxRules;
use plugboard_document::{Node, write_duration};

pub(super) fn node(rules: &FaxRules) -> Option<Node> {
    let usual = FaxRules::default();
    if *rules == usual {
        return None;
    }
    let mut entry = Entries::default();
    entry.put_unless("tries", rules.tries, usual.tries);
    entry.put_unless("apart", write_duration(rules.apart), write_duration(usual.apart));
    entry.put_unless("give_up_after", write_duration(rules.give_up_after), write_duration(usual.give_up_after));
    entry.put_unless("at_once", rules.at_once, usual.at_once);
    entry.put_unless("ring_for", write_duration(rules.ring_for), write_duration(usual.ring_for));
    entry.put_unless("ident", rules.ident.as_str(), usual.ident.as_str());
    entry.put_unless("header", rules.header.as_str(), usual.header.as_str());
    Some(entry.node())
}
