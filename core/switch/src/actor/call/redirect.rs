//! Legs that name others in their place (3xx): what the office lets come of it.
//!
//! What a user's device names is looked at as if that user had dialled it: numbers of the office and those that his routes
//! lead to. What a gateway names is called through the same gateway when it is one of its own addresses; a number at the
//! office's own domain is looked at as if the gateway had called it. Nothing else is called, since whoever names an address
//! does not pay for the call.
//!
//! Source: RFC 3261 sections 8.1.3.4 and 21.3.

use plugboard_call::{Input, Onward, Party, Redirect, RingOrder, Urgency, Way};
use plugboard_model::{Cause, Dialled, ForwardWhy, GatewayId, LegId, UserId};
use plugboard_office::{CONFIRM_WITHIN, Place, Source};
use plugboard_sip::RequestUri;
use std::net::SocketAddr;

use super::CallActor;
use super::transfer::is_elsewhere;

/// Contacts that are tried: a phone names one, a redirect server a main and a spare or two.
const TARGETS_MAX: usize = 4;

impl CallActor {
    /// What a 3xx comes to. To others it is never a 3xx: what it names is for us alone.
    pub(super) fn redirected(&mut self, leg: LegId, cause: Cause, contacts: &[String]) -> Input {
        let user = self.call.party(leg).and_then(|(user, _)| user.cloned());
        let gateway = self.legs.get(&leg).and_then(|handle| handle.outside.as_ref());
        let gateway = gateway.map(|outside| (outside.gateway.clone(), outside.urgency, outside.payer.clone()));
        let number = self.call.party(leg).map(|(_, number)| number.to_owned()).unwrap_or_default();
        self.leg_left(leg, &cause);
        let resolve = |contact: &String| {
            let uri = RequestUri::parse(contact).map_err(|_| "it cannot be read")?;
            match (cause.status, &user, &gateway) {
                (300..=302, Some(user), _) => self.named_by_user(user, &uri),
                (300..=302 | 305, None, Some((gateway, urgency, payer))) => {
                    // 305 names a proxy for the same call (RFC 3261 section 21.3.4).
                    let number = (cause.status == 305).then(|| number.clone());
                    self.named_by_gateway((gateway, *urgency, payer), &uri, number)
                }
                (..=u16::MAX, _, _) => Err("that status names nobody whom we could call"),
            }
        };
        let mut targets = Vec::new();
        for contact in contacts.iter().take(TARGETS_MAX) {
            match resolve(contact) {
                Ok(onward) => targets.push(onward),
                Err(why) => {
                    let status = cause.status;
                    tracing::info!(call_id = %self.id, leg_id = %leg, status, why, "a redirection was not followed");
                }
            }
        }
        if targets.is_empty() {
            // A gateway that sends us where we do not go has not taken the call: the next one may.
            let status = if gateway.is_some() { 502 } else { 480 };
            let text = format!("Its {} names nobody whom the office would call", cause.status);
            return Input::LegEnded { leg, cause: Cause { status, text } };
        }
        Input::LegRedirected(Redirect { leg, cause, targets, why: ForwardWhy::Deflection })
    }

    fn named_by_user(&self, user: &UserId, uri: &RequestUri) -> Result<Onward, &'static str> {
        if is_elsewhere(uri, &self.office.domains) {
            return Err("it is at another domain");
        }
        let dialled = number_in(uri)?;
        let mut onward = self.reached_in_place_of(user, &dialled).map_err(|(_, why)| why)?;
        // As with what he sets himself: a mailbox outside must not end the scenario.
        if self.call.steps_follow() {
            self.ask_for_a_key(user, &mut onward, CONFIRM_WITHIN);
        }
        Ok(onward)
    }

    fn named_by_gateway(
        &self,
        (gateway, urgency, payer): (&GatewayId, Urgency, &Option<UserId>),
        uri: &RequestUri,
        number: Option<String>,
    ) -> Result<Onward, &'static str> {
        let host = uri.as_sip().map(|uri| uri.host().to_ascii_lowercase());
        let ours = host.as_ref().is_some_and(|host| self.office.domains.contains(host));
        if ours && number.is_none() {
            let dialled = number_in(uri)?;
            let source = Source::Gateway(gateway.clone());
            let (mut parties, order) = self.reached_by(&source, &dialled).map_err(|(_, why)| why)?;
            for way in parties.iter_mut().flat_map(Party::ways_mut) {
                way.payer.clone_from(payer);
            }
            return Ok(Onward { parties, order, to: dialled.as_str().to_owned(), scenario: None });
        }
        let at = self.own_place(gateway, uri).ok_or("it is no address of the gateway")?;
        let number = match number {
            Some(number) => number,
            None => number_in(uri)?.as_str().to_owned(),
        };
        let way = Way { gateway: gateway.clone(), number: number.clone(), at: Some(at), urgency, payer: payer.clone() };
        let parties = vec![Party::Outside { ways: vec![way], phone: None }];
        Ok(Onward { parties, order: RingOrder::One, to: number, scenario: None })
    }

    /// Whether a host is a gateway's own: which of its addresses, or its name.
    fn own_place(&self, gateway: &GatewayId, uri: &RequestUri) -> Option<String> {
        let gateway = self.office.gateway(gateway)?;
        // A number alone is for whoever named it.
        let Some(uri) = uri.as_sip() else { return Some(gateway.address.host()) };
        let Some(ip) = uri.host_ip() else {
            let host = uri.host().to_ascii_lowercase();
            return matches!(&gateway.address, Place::Host { name, .. } if *name == host).then_some(host);
        };
        let at = SocketAddr::new(ip.to_canonical(), uri.port().unwrap_or(5060));
        let handle = self.snapshot.gateways.get(&gateway.id)?;
        let own =
            gateway.sources().iter().any(|(own, port)| *own == at.ip() && port.is_none_or(|port| port == at.port()))
                || gateway.address.address() == Some(at)
                || handle.peers.at(at.ip()).contains(&gateway.id);
        own.then(|| at.to_string())
    }
}

fn number_in(uri: &RequestUri) -> Result<Dialled, &'static str> {
    let user = uri.user().ok_or("it names no number")?;
    Dialled::new(&user).map_err(|_| "it names no number that can be dialled")
}
