//! Calls for help as a document.

use super::Entries;
use crate::Emergency;
use crate::emergency::{Location, Unauthenticated};
use crate::parts::CALL_BACK_WITHIN;
use plugboard_document::{Node, write_duration};
use plugboard_model::Dialled;

/// `None` when the document need not speak of it.
pub(super) fn node(emergency: &Emergency) -> Option<Node> {
    let word = |number: &Dialled| Node::from(number.as_str());
    let mut entry = Entries::default();
    if let Some(numbers) = &emergency.numbers {
        entry.put("numbers", numbers.iter().map(word).collect::<Node>());
    }
    entry.put_unless("confirmed", emergency.confirmed, false);
    entry.put_some("services", emergency.services.iter().map(|(kind, number)| (kind.as_str(), word(number))));
    entry.0.extend(emergency.test.as_ref().map(|number| ("test", word(number))));
    entry.put_list("gateways", emergency.gateways.iter().map(|gateway| Node::from(gateway.name.as_str())));
    entry.put_list("over", emergency.over.iter().map(word));
    entry.0.extend(emergency.call_back.as_ref().map(|number| ("call_back", word(number))));
    entry.put_unless("call_back_within", write_duration(emergency.call_back_within), write_duration(CALL_BACK_WITHIN));
    let words = Unauthenticated::WORDS.iter().find(|(_, who)| *who == emergency.unauthenticated);
    let word = words.filter(|(_, who)| *who != Unauthenticated::default()).map(|(word, _)| *word);
    entry.0.extend(word.map(|word| ("unauthenticated", Node::from(word))));
    entry.put_list("locations", emergency.locations.values().map(location));
    (!entry.0.is_empty()).then(|| entry.node())
}

fn location(location: &Location) -> Node {
    let mut entry = Entries::default();
    entry.put("id", location.name.as_str());
    entry.0.extend(location.call_back.as_ref().map(|number| ("call_back", Node::from(number.as_str()))));
    entry.put_list("networks", location.networks.iter().map(|network| Node::from(network.to_string())));
    entry.0.extend(location.geolocation.as_ref().map(|uri| ("geolocation", Node::from(uri.as_str()))));
    entry.node()
}
