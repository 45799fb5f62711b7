//! Calls for help in an office document.

use super::{ITEMS_MAX, Noun, Parts, WAYS_MAX};
use crate::Emergency;
use crate::emergency::{Location, Network, Unauthenticated};
use plugboard_document::{Field, Fields, Kind};
use plugboard_model::{Dialled, GatewayId, Name};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long after a call for help its caller is called back, unless the document says otherwise: a centre calls back within
/// minutes, when a call broke off or the helpers do not find the place.
pub(crate) const CALL_BACK_WITHIN: Duration = Duration::from_mins(30);
/// What it may be.
const CALL_BACK_RANGE: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24);
/// Numbers that call for help: the country with the most has eleven.
const NUMBERS_MAX: usize = 64;
/// Letters of a location's URI.
const GEOLOCATION_LEN_MAX: usize = 256;

impl Parts<'_> {
    pub(crate) fn emergency(&mut self, field: Option<Field<'_>>) -> Emergency {
        let otherwise = Emergency { call_back_within: CALL_BACK_WITHIN, ..Emergency::default() };
        let Some(mut fields) = field.and_then(|field| field.fields(self.faults)) else { return otherwise };
        let numbers = fields.take("numbers");
        if let Some(field) =
            numbers.as_ref().filter(|field| matches!(&field.node.kind, Kind::List(items) if items.is_empty()))
        {
            let reason = "an office without emergency numbers cannot call for help";
            field.fault(self.faults, reason, "write 112, or take the key out");
        }
        let numbers = numbers.map(|field| self.dialled_set(&field));
        let confirmed = fields.take("confirmed").and_then(|field| field.boolean(self.faults)).unwrap_or_default();
        let mut services = std::collections::BTreeMap::new();
        for (kind, field) in fields.take("services").map(|field| field.entries(self.faults)).unwrap_or_default() {
            if let Some(number) = self.dialled(&field) {
                services.insert(kind.to_ascii_lowercase(), number);
            }
        }
        let test = fields.take("test").and_then(|field| self.dialled(&field));
        let gateways = fields.take("gateways").map(|field| self.help_gateways(&field)).unwrap_or_default();
        let over = fields.take("over").map(|field| self.dialled_set(&field)).unwrap_or_default();
        let call_back = fields.take("call_back").and_then(|field| self.dialled(&field));
        let call_back_within =
            fields.take("call_back_within").and_then(|field| field.duration(CALL_BACK_RANGE, self.faults));
        let unauthenticated = fields.take("unauthenticated");
        let unauthenticated =
            unauthenticated.and_then(|field| field.one_of(&Unauthenticated::WORDS, self.faults)).unwrap_or_default();
        let mut locations = std::collections::BTreeMap::new();
        for item in fields.take("locations").map(|field| field.list(ITEMS_MAX, self.faults)).unwrap_or_default() {
            let Some((name, mut inner)) = self.named(&item) else { continue };
            self.found.named.insert((Noun::Location, name.clone()));
            let location = self.location(&name, &mut inner);
            inner.finish(self.faults);
            if locations.insert(name, location).is_some() {
                self.twice(&item);
            }
        }
        fields.finish(self.faults);
        Emergency {
            numbers: numbers.filter(|numbers| !numbers.is_empty()),
            confirmed,
            services,
            test,
            gateways,
            over,
            call_back,
            call_back_within: call_back_within.unwrap_or(CALL_BACK_WITHIN),
            unauthenticated,
            locations,
        }
    }

    fn location(&mut self, name: &Name, fields: &mut Fields<'_>) -> Location {
        let call_back = fields.take("call_back").and_then(|field| self.dialled(&field));
        let mut networks = Vec::new();
        for item in fields.take("networks").map(|field| field.list(ITEMS_MAX, self.faults)).unwrap_or_default() {
            let Some(text) = item.text(self.faults) else { continue };
            match Network::parse(&text) {
                Some(network) => networks.push(network),
                None => item.fault(self.faults, format!("{text:?} is no network"), "write 10.1.0.0/16 or fd00:1::/64"),
            }
        }
        let geolocation = fields.take("geolocation").and_then(|field| {
            let text = field.text(self.faults)?;
            let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"');
            let fits = text.len() <= GEOLOCATION_LEN_MAX && text.contains(':') && text.chars().all(plain);
            if !fits {
                field.fault(
                    self.faults,
                    format!("{text:?} is no URI"),
                    "write https://lis.example/berlin or geo:52.5,13.4",
                );
            }
            fits.then_some(text)
        });
        Location { name: name.clone(), call_back, networks, geolocation }
    }

    fn help_gateways(&mut self, field: &Field<'_>) -> Vec<GatewayId> {
        let office = self.office.clone();
        let items = field.list(WAYS_MAX, self.faults);
        let named = items.iter().filter_map(|item| self.refers(Noun::Gateway, item));
        let named: Vec<GatewayId> = named.map(|name| GatewayId { office: office.clone(), name }).collect();
        if named.iter().collect::<BTreeSet<_>>().len() < named.len() {
            field.fault(self.faults, "a gateway is here twice", "take one of them out");
        }
        named
    }

    fn dialled_set(&mut self, field: &Field<'_>) -> BTreeSet<Dialled> {
        field.list(NUMBERS_MAX, self.faults).iter().filter_map(|item| self.dialled(item)).collect()
    }
}
