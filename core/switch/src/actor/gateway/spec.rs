//! What the office says of a gateway, in the words of its machine.

use plugboard_office::{Gateway, Place};
use plugboard_sip::digest::Secret;
use plugboard_sip::flow::Transport;
use plugboard_sip::locate::{Families, Sought, Target};
use plugboard_sip::probe::Probing;
use plugboard_sip::registration::RegistrationSpec;
use plugboard_sip::session::Login;
use plugboard_sip::trunk::{Place as TrunkPlace, TrunkSpec};
use plugboard_sip::{RequestUri, SipUri};

use crate::env::{Env, Random};
use crate::shard::AGENT;

/// Owners from here on are gateways'; legs count up from 1 and never come here.
const OWNERS: u64 = 1 << 63;

/// A new owner: no gateway had it before, since it is drawn from 2^63.
pub(super) fn owner(random: &dyn Random) -> u64 {
    // The greatest number is nobody's.
    OWNERS | (random.next() >> 2)
}

/// The trunk of this gateway.
pub(super) fn trunk(gateway: &Gateway, realm: &str, owner: u64, env: &Env) -> TrunkSpec {
    let transport = gateway.next_transport().map(crate::convert::sip_transport);
    let place = match gateway.next_hop() {
        Place::Address(address) => {
            TrunkPlace::Target(Target { transport: transport.unwrap_or(Transport::Udp), address: *address })
        }
        Place::Host { name, port } => {
            let (spoken, families) = reachable(env);
            TrunkPlace::Name(Sought { host: name.clone(), port: *port, transport, spoken, families })
        }
    };
    let uri = match &gateway.address {
        Place::Address(address) => SipUri::of_address(None, *address),
        Place::Host { name, port } => SipUri::new(None, name, *port),
    };
    let probing = gateway.probe.map(|probe| Probing {
        every: probe.every,
        down_after: probe.down_after,
        up_after: probe.up_after,
    });
    TrunkSpec {
        owner,
        place,
        routes: gateway.routes(),
        from: format!("<{}>", SipUri::new(None, realm, None)),
        probing,
        registration: registration(gateway, &uri, env),
        uri,
        agent: AGENT.into(),
        random: env.random.next(),
    }
}

fn registration(gateway: &Gateway, uri: &SipUri, env: &Env) -> Option<RegistrationSpec> {
    let (expires, login) = (gateway.register?, gateway.login.as_ref()?);
    let token = || format!("{:016x}{:016x}", env.random.next(), env.random.next());
    Some(RegistrationSpec {
        registrar: RequestUri::Sip(uri.clone()),
        routes: gateway.routes(),
        user: login.user.clone(),
        domain: gateway.address.host(),
        line: token(),
        call_id: token(),
        tag: token(),
        expires,
        login: Some(Login { user: login.user.clone(), password: Secret::new(login.password.reveal()) }),
        agent: AGENT.into(),
        random: env.random.next(),
    })
}

/// The transports and families that we have listeners of; UDP first, as every peer has it.
pub(crate) fn reachable(env: &Env) -> (Vec<Transport>, Families) {
    let own = env.sip.local_addresses();
    let spoken = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let spoken = spoken.into_iter().filter(|one| own.iter().any(|(transport, _)| transport == one)).collect();
    let v4 = own.iter().any(|(_, address)| address.is_ipv4());
    let v6 = own.iter().any(|(_, address)| address.is_ipv6());
    (spoken, Families { v4, v6 })
}
