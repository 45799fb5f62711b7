//! Limits of calls to the outside as a document.

use super::Entries;
use crate::parts::DAYS;
use crate::toll::{Hours, Toll};
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
    entry.put_list("hours", toll.hours.iter().map(hours));
    entry.node()
}

fn hours(hours: &Hours) -> Node {
    let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let mut entry = Entries::default();
    if hours.days != [true; 7] {
        let days = DAYS.iter().zip(hours.days).filter(|(_, on)| *on);
        entry.put("days", days.map(|(day, _)| Node::from(*day)).collect::<Node>());
    }
    entry.put("from", time(hours.from));
    entry.put("to", time(hours.to));
    entry.node()
}
