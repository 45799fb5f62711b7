//! Limits of calls to the outside as a document.

use super::Entries;
use crate::toll::Toll;
use plugboard_document::Node;
use plugboard_model::Dialled;

pub(super) fn node(toll: &Toll) -> Node {
    let words = |all: &[Dialled]| all.iter().map(|number| Node::from(number.as_str())).collect::<Vec<_>>();
    let mut entry = Entries::default();
    entry.0.extend(toll.calls_at_once.map(|most| ("calls_at_once", Node::from(most))));
    entry.0.extend(toll.minutes_a_day.map(|most| ("minutes_a_day", Node::from(most))));
    entry.put_unless("then", if toll.ends { "end" } else { "refuse" }, "refuse");
    entry.put_list("allow", words(&toll.allow).into_iter());
    entry.put_list("countries", toll.countries.iter().map(|country| Node::from(country.as_str())));
    entry.put_list("deny", words(&toll.deny).into_iter());
    entry.put_list("hours", toll.hours.iter().map(|hours| hours.node(false)));
    entry.node()
}
