//! All offices of a switch.

use crate::{Office, Source};
use plugboard_document::{Fault, Faults, Mark};
use plugboard_model::{Dialled, GatewayId, OfficeId};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// Every office of the switch: an immutable snapshot, replaced as a whole by `apply`.
#[derive(Debug, Clone, Default)]
pub struct OfficeSet {
    offices: BTreeMap<OfficeId, Arc<Office>>,
    domains: BTreeMap<String, OfficeId>,
}

impl OfficeSet {
    /// Puts offices together.
    ///
    /// # Errors
    /// An office, a domain or an incoming number that two of them have: those are unique in the switch.
    pub fn new(offices: impl IntoIterator<Item = Arc<Office>>) -> Result<Self, Vec<Fault>> {
        let mut set = Self::default();
        let mut numbers: BTreeMap<Dialled, OfficeId> = BTreeMap::new();
        let mut faults = Vec::new();
        let mut clash = |what: String, path: &str, of: &OfficeId, other: &OfficeId| {
            let mut found = Faults::new(format!("office {of}"));
            let reason = format!("{what} already belongs to office {other}");
            found.add(Mark::default(), path, reason, "take it out of one of them");
            faults.extend(found.into_sorted());
        };
        for office in offices {
            for domain in &office.domains {
                if let Some(other) = set.domains.insert(domain.clone(), office.id.clone())
                    && other != office.id
                {
                    clash(format!("the domain {domain}"), "domains", &office.id, &other);
                }
            }
            for incoming in office.numbers() {
                if let Some(other) = numbers.insert(incoming.number.clone(), office.id.clone()) {
                    clash(format!("the number {}", incoming.number), "numbers", &office.id, &other);
                }
            }
            if let Some(other) = set.offices.insert(office.id.clone(), office) {
                clash("the name".into(), "office", &other.id, &other.id);
            }
        }
        if faults.is_empty() { Ok(set) } else { Err(faults) }
    }

    /// The same set with one office added or replaced.
    ///
    /// # Errors
    /// As [`OfficeSet::new`].
    pub fn with(&self, office: Arc<Office>) -> Result<Self, Vec<Fault>> {
        let mut offices: Vec<_> = self.offices.values().filter(|other| other.id != office.id).cloned().collect();
        offices.push(office);
        Self::new(offices)
    }

    /// An office by id.
    pub fn get(&self, id: &OfficeId) -> Option<&Arc<Office>> {
        self.offices.get(id)
    }

    /// The office of a SIP domain; letter case and a final dot do not matter.
    pub fn by_domain(&self, domain: &str) -> Option<&Arc<Office>> {
        let domain = domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase();
        self.offices.get(self.domains.get(&domain)?)
    }

    /// The only office, when there is just one: a request to the switch's own address is meant for it.
    pub fn only(&self) -> Option<&Arc<Office>> {
        let mut offices = self.offices.values();
        offices.next().filter(|_| offices.next().is_none())
    }

    /// The office and gateway that a call from this source belongs to.
    ///
    /// A provider may serve several offices from one address: the office that knows the called number gets the call;
    /// if none does, the first by id, which then refuses it.
    pub fn by_gateway(&self, source: SocketAddr, called: &Dialled) -> Option<(&Arc<Office>, GatewayId)> {
        let mut candidates = self
            .offices
            .values()
            .filter_map(|office| office.gateway_by_source(source).map(|gateway| (office, gateway.id.clone())));
        let first = candidates.next()?;
        let knows = |(office, gateway): &(&Arc<Office>, GatewayId)| {
            office.is_call_back(called) || office.takes(&Source::Gateway(gateway.clone()), called)
        };
        if knows(&first) {
            return Some(first);
        }
        Some(candidates.find(knows).unwrap_or(first))
    }

    /// Every office, by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Office>> {
        self.offices.values()
    }
}
