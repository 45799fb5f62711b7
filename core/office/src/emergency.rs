//! Calls for help: which numbers they are, where they are made, which way they go.

use crate::{Goal, Office, Treatment, Way, Whose};
use plugboard_model::{Cause, Dialled, GatewayId, Name, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

/// How an office calls for help. One that says nothing has the numbers of its country, and every gateway.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Emergency {
    /// The list, where the document writes it; else the country's is meant.
    pub numbers: Option<BTreeSet<Dialled>>,
    /// The admin has looked at the country's list. Who writes a list of his own has as well.
    pub confirmed: bool,
    /// What `urn:service:sos.police` and its like are dialled as; the others as the first number.
    pub services: BTreeMap<String, Dialled>,
    /// A number that goes the whole way without being a call for help, as 933 does in the United States.
    pub test: Option<Dialled>,
    /// Through these, in this order; none: through every gateway, by priority.
    pub gateways: Vec<GatewayId>,
    /// Numbers of the list that are somebody's in the office too: the admin wants them to call for help.
    pub over: BTreeSet<Dialled>,
    /// The number that is shown of those who are at no location, and at which they are called back.
    pub call_back: Option<Dialled>,
    /// How long a call to the number that was shown goes to whoever called for help.
    pub call_back_within: Duration,
    /// Who calls for help without proving who he is.
    pub unauthenticated: Unauthenticated,
    /// Where people are.
    pub locations: BTreeMap<Name, Location>,
}

/// Whose calls for help are let through without a password. Nobody's other calls are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Unauthenticated {
    /// Nobody's.
    Nobody,
    /// A user's, from an address and port that a device of his is registered from.
    #[default]
    Registered,
    /// Also a user's from a network of a location, whether he has registered or not.
    Networks,
}

impl Unauthenticated {
    /// Each as documents name it.
    pub(crate) const WORDS: [(&'static str, Self); 3] =
        [("nobody", Self::Nobody), ("registered", Self::Registered), ("networks", Self::Networks)];
}

/// A place that people call for help from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Its name.
    pub name: Name,
    /// The number that is shown, in E.164 or as the gateway writes it.
    pub call_back: Option<Dialled>,
    /// Whoever calls from these addresses is here, whoever he is.
    pub networks: Vec<Network>,
    /// What the gateway is told of it: a URI (RFC 6442).
    pub geolocation: Option<String>,
}

/// Addresses that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// A call for help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help {
    /// Which number, without what is dialled for an outside line.
    pub number: Dialled,
    /// It only tries the way.
    pub test: bool,
}

/// What precedes the kinds of help (RFC 5031).
const SERVICE: &str = "urn:service:sos";

/// Where a country has several numbers, the one for help of any kind.
const GENERAL: [&str; 3] = ["911", "112", "999"];

static COUNTRIES: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let lines = include_str!("emergency/countries.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).map(|(country, rest)| (country, rest.split(' ').collect())).collect()
});

/// What is meant where the table has nothing: 112 reaches help from most of the world's mobile networks.
const USUAL: &str = "112";

/// The numbers that call for help in a country (ISO 3166-1, in either case).
pub(crate) fn numbers_of(country: &str) -> BTreeSet<Dialled> {
    let country = country.to_ascii_lowercase();
    let country = if country == "uk" { "gb" } else { country.as_str() };
    let known = COUNTRIES.get(country).map_or(&[USUAL][..], Vec::as_slice);
    known.iter().filter_map(|number| Dialled::new(number).ok()).collect()
}

impl Network {
    /// Reads `10.1.0.0/16`, `fd00:1::/64` or one address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u8>().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether the address is one of them.
    pub fn has(&self, address: IpAddr) -> bool {
        let beyond = |width: u32| width - u32::from(self.bits);
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(beyond(32)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(beyond(128)).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl Office {
    /// The numbers that call for help here, the first one first.
    pub fn emergency_numbers(&self) -> BTreeSet<Dialled> {
        self.emergency.numbers.clone().unwrap_or_else(|| numbers_of(&self.country))
    }

    /// Whether this is a call for help: one of the numbers, also behind what is dialled for an outside line.
    pub fn help(&self, called: &Dialled) -> Option<Help> {
        let find = |text: &str| {
            let number = self.help_numbers.get(text)?.clone();
            let test = self.emergency.test.as_ref() == Some(&number);
            Some(Help { number, test })
        };
        // No number of E.164 is so short that a `+` before it could mean another one.
        let lines = || self.outside_lines().chain(["+".to_owned()]);
        find(called.as_str())
            .or_else(|| lines().filter_map(|line| called.as_str().strip_prefix(line.as_str())).find_map(find))
    }

    /// What `urn:service:sos` and its kinds are dialled as; `None` for any other text.
    pub fn help_by_urn(&self, urn: &str) -> Option<Dialled> {
        let head = urn.get(..SERVICE.len()).filter(|head| head.eq_ignore_ascii_case(SERVICE))?;
        let kind = match urn.get(head.len()..)? {
            "" => None,
            rest => Some(rest.strip_prefix('.')?.to_ascii_lowercase()),
        };
        let named = kind.and_then(|kind| self.emergency.services.get(&kind).cloned());
        // One that is not on the list is a number like any other, which rules may refuse.
        let named = named.filter(|number| self.help_numbers.contains_key(number.as_str()));
        let general = || GENERAL.iter().find_map(|number| self.help_numbers.get(*number)).cloned();
        let first = || self.help_numbers.values().find(|number| Some(*number) != self.emergency.test.as_ref()).cloned();
        named.or_else(general).or_else(first)
    }

    /// Where somebody calls from: the closest network that has his address, else where he belongs.
    pub fn location(&self, user: Option<&UserId>, from: IpAddr) -> Option<&Location> {
        let near = |location: &&Location| {
            location.networks.iter().filter(|network| network.has(from)).map(|network| network.bits).max()
        };
        let locations = &self.emergency.locations;
        let closest = locations.values().filter_map(|location| Some((near(&location)?, location)));
        closest.max_by_key(|(bits, _)| *bits).map(|(_, location)| location).or_else(|| {
            let own = self.user(user?)?.location.as_ref()?;
            locations.get(own)
        })
    }

    /// Whether whoever says that he is a user of the office may call for help from there without a password.
    pub fn helps_unproven(&self, from: IpAddr, is_registered_there: bool) -> bool {
        let is_near = || {
            let mut networks = self.emergency.locations.values().flat_map(|location| &location.networks);
            networks.any(|network| network.has(from))
        };
        match self.emergency.unauthenticated {
            Unauthenticated::Nobody => false,
            Unauthenticated::Registered => is_registered_there,
            Unauthenticated::Networks => is_registered_there || is_near(),
        }
    }

    /// Whether a number is shown of somebody who calls for help.
    pub fn is_call_back(&self, number: &Dialled) -> bool {
        let of_locations = self.emergency.locations.values().filter_map(|location| location.call_back.as_ref());
        of_locations.chain(&self.emergency.call_back).any(|own| own == number)
    }

    /// What the admin should do about his calls for help; `None` when he has said what he wants.
    pub fn emergency_warning(&self) -> Option<String> {
        let Emergency { numbers, confirmed, .. } = &self.emergency;
        let list: Vec<String> = self.emergency_numbers().iter().map(ToString::to_string).collect();
        (numbers.is_none() && !confirmed).then(|| {
            format!(
                "nobody has confirmed the emergency numbers: those of the country {:?} are in force ({}); write \
                 `emergency: {{ confirmed: true }}`, or the list as `numbers`",
                self.country,
                list.join(", ")
            )
        })
    }

    /// What people dial before a number for a line to the outside.
    fn outside_lines(&self) -> impl Iterator<Item = String> {
        let of_users = |whose: &Whose| matches!(whose, Whose::FromUsers | Whose::FromUser(_));
        self.routes.iter().filter(move |route| of_users(&route.whose)).filter_map(|route| {
            let (Goal::Gateway { strip: strip @ 1.., .. }, false) = (&route.to, route.called.is_exact()) else {
                return None;
            };
            Some(route.called.lead()).filter(|lead| *strip == lead.chars().count())
        })
    }

    /// Every spelling of a number that calls for help.
    pub(crate) fn spellings<'o>(&'o self, number: &'o Dialled) -> impl Iterator<Item = Dialled> + 'o {
        let behind = |line: String| Dialled::new(&format!("{line}{number}")).ok();
        std::iter::once(number.clone()).chain(self.outside_lines().filter_map(behind).collect::<Vec<_>>())
    }

    /// Makes the look-up that [`Office::help`] reads; after the routes are known.
    pub(crate) fn index_help(&mut self) {
        let numbers = self.emergency_numbers().into_iter().chain(self.emergency.test.clone());
        self.help_numbers = numbers.map(|number| (number.as_str().into(), number)).collect();
    }

    /// The way of a call for help: nothing that anybody configured decides about it but the list of its gateways.
    pub(crate) fn call_for_help(&self, help: Help) -> Treatment {
        let Help { number, test } = help;
        let named: Vec<&GatewayId> = match self.emergency.gateways.as_slice() {
            [] => {
                let mut all: Vec<_> = self.gateways().collect();
                all.sort_by_key(|gateway| gateway.priority);
                all.into_iter().map(|gateway| &gateway.id).collect()
            }
            written => written.iter().collect(),
        };
        let ways: Vec<Way> = (0..)
            .zip(named.into_iter().take(crate::parts::WAYS_MAX))
            .map(|(priority, gateway)| Way { gateway: gateway.clone(), number: number.clone(), priority, weight: 0 })
            .collect();
        if ways.is_empty() {
            return Treatment::Refused(Cause {
                status: 503,
                text: "the office has no gateway to call for help".into(),
            });
        }
        Treatment::Emergency { ways, number, test }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_country_has_numbers_that_call_for_help() {
        let words = |country| numbers_of(country).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        for (country, expected) in [
            ("de", "110 112"),
            ("US", "112 911"),
            ("uk", "112 999"),
            ("jp", "110 119"),
            ("au", "000 106 112"),
            ("zz", "112"),
        ] {
            assert_eq!(words(country), expected, "{country}");
        }
        for (country, numbers) in COUNTRIES.iter() {
            assert!(country.len() == 2 && !numbers.is_empty(), "{country}");
            assert!(numbers.iter().all(|number| number.bytes().all(|byte| byte.is_ascii_digit())), "{country}");
        }
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_alike() {
        let has = |network: &str, address: &str| Network::parse(network).unwrap().has(address.parse().unwrap());
        assert!(has("10.1.0.0/16", "10.1.255.3") && !has("10.1.0.0/16", "10.2.0.1"));
        assert!(has("10.1.2.3", "10.1.2.3") && !has("10.1.2.3", "10.1.2.2"));
        assert!(has("0.0.0.0/0", "192.0.2.1") && !has("0.0.0.0/0", "2001:db8::1"));
        assert!(has("::/0", "2001:db8::1") && has("fd00:1::/64", "fd00:1::9") && !has("fd00:1::/64", "fd00:2::9"));
        assert!(has("10.0.0.0/8", "::ffff:10.0.0.1"), "an IPv4 address in the clothes of the other family");
        for wrong in ["10.0.0.0/33", "fd00::/129", "berlin", "10.0.0/8", "10.0.0.0/-1"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }
}
