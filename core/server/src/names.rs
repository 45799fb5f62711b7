//! Names, as the switch asks for them and as DNS answers.

use plugboard_outside::dns::{self, Resolver};
use plugboard_switch::{Answer, Dns, DnsReply, NaptrRecord, NotFound, Question, Records, SrvRecord};
use std::net::{IpAddr, SocketAddr};

/// The switch's way to DNS.
pub(crate) enum Names {
    /// By these servers.
    Asked(Resolver),
    /// Nobody can be asked, for this reason: gateways that are written by address work all the same.
    Nobody(String),
}

impl Names {
    /// By these servers, or else by the machine's own.
    pub(crate) fn of(servers: &[SocketAddr]) -> Self {
        let resolver = if servers.is_empty() { Resolver::of_machine() } else { Resolver::of_servers(servers) };
        match resolver {
            Ok(resolver) => Self::Asked(resolver),
            Err(error) => {
                tracing::warn!(%error, "gateways that are written by name cannot be found");
                Self::Nobody(error.to_string())
            }
        }
    }
}

impl Dns for Names {
    fn ask(&self, question: Question, reply: DnsReply) {
        let asked = match &question {
            Question::Naptr(name) => dns::Question::Naptr(name.clone()),
            Question::Srv(name) => dns::Question::Srv(name.clone()),
            Question::A(name) => dns::Question::A(name.clone()),
            Question::Aaaa(name) => dns::Question::Aaaa(name.clone()),
        };
        match self {
            Self::Asked(resolver) => resolver.ask(asked, move |answer| reply(read(&question, answer))),
            Self::Nobody(reason) => reply(Err(NotFound::Failed { reason: reason.clone() })),
        }
    }
}

fn read(question: &Question, answer: Result<dns::Answer, dns::NoAnswer>) -> Result<Answer, NotFound> {
    let dns::Answer { records, ttl } = answer.map_err(|none| match none {
        dns::NoAnswer::Nothing { ttl } => NotFound::Nothing { ttl },
        dns::NoAnswer::Failed(reason) => NotFound::Failed { reason },
    })?;
    let (mut rules, mut hosts, mut addresses): (Vec<NaptrRecord>, Vec<SrvRecord>, Vec<IpAddr>) = <_>::default();
    for record in records {
        match record {
            dns::Found::Naptr { order, preference, flags, services, replacement } => {
                rules.push(NaptrRecord { order, preference, flags, services, replacement });
            }
            dns::Found::Srv { priority, weight, port, target } => {
                hosts.push(SrvRecord { priority, weight, port, target });
            }
            dns::Found::Address(address) => addresses.push(address),
        }
    }
    let records = match question {
        Question::Naptr(_) => Records::Naptr(rules),
        Question::Srv(_) => Records::Srv(hosts),
        Question::A(_) | Question::Aaaa(_) => Records::Addresses(addresses),
    };
    Ok(Answer { records, ttl })
}
