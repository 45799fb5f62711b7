//! Gateways in an office document.

use super::{ANSWER_WITHIN, CHANNELS, DOWN_AFTER, ITEMS_MAX, Noun, Owner, PRIORITY, Parts, REGISTER_FOR, UP_AFTER};
use crate::gateway::{
    CallLimits, CallerRules, EmergencyHeader, Gateway, GatewayLogin, Identity, OutboundProxy, Place, Probe,
    TellsDiversion,
};
use crate::{ImageRule, NumberFormat, Transport};
use plugboard_document::{Field, Fields, Kind};
use plugboard_model::{GatewayId, Name};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// How soon a gateway must say a word.
const ANSWER_WITHIN_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(32);
/// How long a registration may be asked to last.
const REGISTER_RANGE: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_hours(24);
/// How often a gateway may be probed.
const PROBE_RANGE: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_hours(1);

impl Parts<'_> {
    pub(crate) fn gateways(&mut self, field: Option<Field<'_>>) {
        for item in self.items(field, ITEMS_MAX) {
            let Some((name, mut fields)) = self.named(&item) else { continue };
            self.found.named.insert((Noun::Gateway, name.clone()));
            let gateway = self.gateway(&item, &name, &mut fields);
            fields.finish(self.faults);
            let Some(gateway) = gateway else { continue };
            if let Some(group) = &gateway.group {
                self.found.named.insert((Noun::GatewayGroup, group.clone()));
            }
            let sources = gateway.sources();
            let taken = self
                .found
                .gateways
                .values()
                .find(|other| other.sources().iter().any(|source| sources.contains(source)));
            if let Some(other) = taken {
                let reason = format!("the gateway {} has the same source address", other.id.name);
                item.fault(self.faults, reason, "tell them apart by port, or make them one gateway");
            }
            if self.found.gateways.insert(name, Arc::new(gateway)).is_some() {
                self.twice(&item);
            }
        }
    }

    fn gateway(&mut self, item: &Field<'_>, name: &Name, fields: &mut Fields<'_>) -> Option<Gateway> {
        let address = fields.need("address", self.faults).and_then(|field| {
            let text = field.text(self.faults)?;
            let place = Place::parse(&text);
            if place.is_none() {
                let remedy = "write 192.0.2.1:5060, sip.carrier.test or sip.carrier.test:5080";
                field.fault(self.faults, format!("{text:?} is no address and no host name"), remedy);
            }
            place
        });
        let transports = [("udp", Transport::Udp), ("tcp", Transport::Tcp), ("tls", Transport::Tls)];
        let transport = fields.take("transport").and_then(|field| field.one_of(&transports, self.faults));
        let outbound_proxy = fields.take("outbound_proxy").and_then(|field| {
            let text = field.text(self.faults)?;
            let proxy = OutboundProxy::parse(&text);
            if proxy.is_none() {
                let remedy =
                    "write sip:proxy.carrier.test;lr, with a port or a transport (udp, tcp, tls) if it needs one";
                field.fault(self.faults, format!("{text:?} is no loose route"), remedy);
            }
            proxy
        });
        let inbound = fields.take("inbound").map(|field| self.sources(&field));
        let priority = self.count(fields, "priority", 0..=65_535, PRIORITY);
        let weight = self.count(fields, "weight", 0..=65_535, 0);
        let group = fields.take("group").and_then(|field| field.name(self.faults));
        let both = self.count(fields, "calls", 1..=10_000, CHANNELS);
        let inbound_max = self.count(fields, "calls_in", 0..=10_000, both);
        let outbound_max = self.count(fields, "calls_out", 0..=10_000, both);
        let login = self.login(item, name, fields);
        let register = fields.take("register");
        let told = register.clone();
        let register = register.and_then(|field| self.register(&field));
        if let Some(field) = told.filter(|_| register.is_some() && login.is_none()) {
            field.fault(self.faults, "a gateway registers by its name", "add \"user\" and \"password\"");
        }
        let probe = fields.take("probe").and_then(|field| self.probe(&field));
        let answer_within =
            fields.take("answer_within").and_then(|field| field.duration(ANSWER_WITHIN_RANGE, self.faults));
        let caller = fields.take("caller").and_then(|field| self.caller(&field)).unwrap_or_default();
        let formats = [
            ("as-dialled", NumberFormat::AsDialled),
            ("e164", NumberFormat::E164),
            ("digits", NumberFormat::Digits),
            ("international", NumberFormat::International),
            ("national", NumberFormat::National),
        ];
        let numbers = fields.take("numbers").and_then(|field| field.one_of(&formats, self.faults)).unwrap_or_default();
        let headers = [
            ("none", TellsDiversion::No),
            ("diversion", TellsDiversion::Diversion),
            ("history-info", TellsDiversion::HistoryInfo),
            ("both", TellsDiversion::Both),
        ];
        let diversion =
            fields.take("diversion").and_then(|field| field.one_of(&headers, self.faults)).unwrap_or_default();
        let t38 = fields.take("t38").and_then(|field| field.one_of(&ImageRule::WORDS, self.faults)).unwrap_or_default();
        let early_media = fields.take("early_media").and_then(|field| field.boolean(self.faults)).unwrap_or(false);
        let (reliable, media) = (self.reliable(fields), self.media(fields));
        let toll = self.toll(fields.take("toll"));
        let record = self.record_rule(fields);
        let headers =
            fields.take("emergency_headers").map(|field| field.list(EmergencyHeader::WORDS.len(), self.faults));
        let headers = headers.unwrap_or_default();
        let emergency_headers =
            headers.iter().filter_map(|field| field.one_of(&EmergencyHeader::WORDS, self.faults)).collect();
        // Where its calls go to, said once more, says nothing.
        let own = |place: &Place| place.address().map(|at| vec![(at.ip().to_canonical(), Some(at.port()))]);
        let next_hop = outbound_proxy.as_ref().map(|proxy| &proxy.place).or(address.as_ref());
        let inbound = inbound.filter(|inbound| next_hop.and_then(own).as_ref() != Some(inbound));
        Some(Gateway {
            id: GatewayId { office: self.office.clone(), name: name.clone() },
            address: address?,
            reliable,
            toll,
            record,
            emergency_headers,
            diversion,
            media,
            early_media,
            t38,
            transport,
            outbound_proxy,
            inbound,
            priority,
            weight,
            group,
            limits: CallLimits { both, inbound: inbound_max, outbound: outbound_max },
            login,
            register,
            probe,
            answer_within: answer_within.unwrap_or(ANSWER_WITHIN),
            caller,
            numbers,
        })
    }

    /// `user` and `password`, both or none.
    fn login(&mut self, item: &Field<'_>, name: &Name, fields: &mut Fields<'_>) -> Option<GatewayLogin> {
        let (user, password) = (fields.take("user"), fields.take("password"));
        if user.is_some() != password.is_some() {
            let missing = if user.is_some() { "password" } else { "user" };
            let reason = format!(
                "a gateway that asks for a password is told \"user\" and \"password\", and {missing:?} is missing"
            );
            item.fault(self.faults, reason, format!("add {missing:?}"));
        }
        let (user, password) = (user?, password?);
        let (text, password) = (user.text(self.faults)?, self.secret(&password, Owner::Gateway(name.as_str()))?);
        let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '<' | '>' | '@' | ';' | ',');
        if text.is_empty() || text.len() > 64 || !text.chars().all(fits) {
            user.fault(
                self.faults,
                format!("{text:?} is no name that SIP could say"),
                "write what the provider told you",
            );
            return None;
        }
        Some(GatewayLogin { user: text, password })
    }

    /// `true`, or how long a registration is to last.
    fn register(&mut self, field: &Field<'_>) -> Option<Duration> {
        match field.node.kind {
            Kind::Boolean(yes) => yes.then_some(REGISTER_FOR),
            Kind::Null | Kind::Integer(..) | Kind::Decimal(..) | Kind::Text(_) | Kind::List(_) | Kind::Map(_) => {
                field.duration(REGISTER_RANGE, self.faults)
            }
        }
    }

    /// How often, or `{ every, down_after, up_after }`.
    fn probe(&mut self, field: &Field<'_>) -> Option<Probe> {
        if field.node.as_map().is_none() {
            let every = field.duration(PROBE_RANGE, self.faults)?;
            return Some(Probe { every, down_after: DOWN_AFTER, up_after: UP_AFTER });
        }
        let mut fields = field.fields(self.faults)?;
        let every = fields.need("every", self.faults).and_then(|field| field.duration(PROBE_RANGE, self.faults));
        let down_after = self.count(&mut fields, "down_after", 1..=20, DOWN_AFTER);
        let up_after = self.count(&mut fields, "up_after", 1..=20, UP_AFTER);
        fields.finish(self.faults);
        Some(Probe { every: every?, down_after, up_after })
    }

    fn caller(&mut self, field: &Field<'_>) -> Option<CallerRules> {
        let mut fields = field.fields(self.faults)?;
        let number = fields.take("number").and_then(|field| self.dialled(&field));
        let headers =
            [("from", Identity::From), ("asserted", Identity::Asserted), ("remote-party", Identity::RemoteParty)];
        let tells = fields.take("tells").and_then(|field| field.one_of(&headers, self.faults)).unwrap_or_default();
        let believed = fields.take("believed").and_then(|field| field.boolean(self.faults)).unwrap_or(false);
        let passes = fields.take("passes").and_then(|field| field.boolean(self.faults)).unwrap_or(false);
        fields.finish(self.faults);
        Some(CallerRules { number, tells, believed, passes })
    }

    /// Addresses with or without a port.
    fn sources(&mut self, field: &Field<'_>) -> Vec<(IpAddr, Option<u16>)> {
        let mut sources = Vec::new();
        for item in field.list(ITEMS_MAX, self.faults) {
            let Some(text) = item.text(self.faults) else { continue };
            if let Ok(address) = text.parse::<SocketAddr>() {
                sources.push((address.ip().to_canonical(), Some(address.port())));
            } else if let Ok(address) = text.parse::<IpAddr>() {
                sources.push((address.to_canonical(), None));
            } else {
                item.fault(self.faults, format!("{text:?} is no address"), "write 192.0.2.1 or 192.0.2.1:5060");
            }
        }
        sources
    }
}
