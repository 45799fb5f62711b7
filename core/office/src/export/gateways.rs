//! Gateways as a document.

use super::{Entries, Secrets, secret_node};
use crate::parts::{ANSWER_WITHIN, CHANNELS, DOWN_AFTER, PRIORITY, UP_AFTER};
use crate::{
    CallerRules, EmergencyHeader, Gateway, Identity, ImageRule, NumberFormat, Probe, TellsDiversion, Transport,
};
use plugboard_document::{Node, write_duration};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

pub(super) fn node(gateway: &Gateway, secrets: Secrets, folder: Option<&Path>) -> Node {
    let mut entry = Entries::default();
    entry.put("id", gateway.id.name.as_str());
    entry.put("address", gateway.address.to_string());
    if let Some(transport) = gateway.transport {
        entry.put("transport", transport_word(transport));
    }
    if let Some(proxy) = &gateway.outbound_proxy {
        entry.put("outbound_proxy", proxy.to_string());
    }
    if let Some(inbound) = &gateway.inbound {
        entry.put("inbound", inbound.iter().map(|one| Node::from(source(one))).collect::<Node>());
    }
    entry.put_unless("priority", gateway.priority, PRIORITY);
    entry.put_unless("weight", gateway.weight, 0);
    if let Some(group) = &gateway.group {
        entry.put("group", group.as_str());
    }
    let limits = gateway.limits;
    entry.put_unless("calls", limits.both, CHANNELS);
    entry.put_unless("calls_in", limits.inbound, limits.both);
    entry.put_unless("calls_out", limits.outbound, limits.both);
    if let Some(login) = &gateway.login {
        entry.put("user", login.user.as_str());
        entry.put("password", secret_node(&login.password, secrets, folder));
    }
    if let Some(register) = gateway.register {
        entry.put("register", write_duration(register));
    }
    if let Some(probe) = gateway.probe {
        entry.put("probe", probe_node(probe));
    }
    entry.put_unless("answer_within", write_duration(gateway.answer_within), write_duration(ANSWER_WITHIN));
    if gateway.caller != CallerRules::default() {
        entry.put("caller", caller_node(&gateway.caller));
    }
    entry.put_unless("numbers", format_word(gateway.numbers), format_word(NumberFormat::default()));
    entry.put_unless("reliable", gateway.reliable, false);
    entry.0.extend(gateway.toll.as_ref().map(|toll| ("toll", super::toll::node(toll))));
    let words = EmergencyHeader::WORDS.iter().filter(|(_, header)| gateway.emergency_headers.contains(header));
    entry.put_list("emergency_headers", words.map(|(word, _)| Node::from(*word)));
    entry.put_unless("record", gateway.record.word(), "on-demand");
    entry.put_unless("t38", gateway.t38.word(), ImageRule::default().word());
    entry.put_unless("early_media", gateway.early_media, false);
    entry.put_unless("diversion", diversion_word(gateway.diversion), diversion_word(TellsDiversion::default()));
    entry.put_media(gateway.media);
    entry.node()
}

fn source((address, port): &(IpAddr, Option<u16>)) -> String {
    match port {
        Some(port) => SocketAddr::new(*address, *port).to_string(),
        None => address.to_string(),
    }
}

fn probe_node(probe: Probe) -> Node {
    let every = write_duration(probe.every);
    if (probe.down_after, probe.up_after) == (DOWN_AFTER, UP_AFTER) {
        return Node::from(every);
    }
    let mut entry = Entries::default();
    entry.put("every", every);
    entry.put_unless("down_after", probe.down_after, DOWN_AFTER);
    entry.put_unless("up_after", probe.up_after, UP_AFTER);
    entry.node()
}

fn caller_node(rules: &CallerRules) -> Node {
    let mut entry = Entries::default();
    if let Some(number) = &rules.number {
        entry.put("number", number.as_str());
    }
    let word = |identity| match identity {
        Identity::From => "from",
        Identity::Asserted => "asserted",
        Identity::RemoteParty => "remote-party",
    };
    entry.put_unless("tells", word(rules.tells), word(Identity::default()));
    entry.put_unless("believed", rules.believed, false);
    entry.put_unless("passes", rules.passes, false);
    entry.node()
}

const fn diversion_word(tells: TellsDiversion) -> &'static str {
    match tells {
        TellsDiversion::No => "none",
        TellsDiversion::Diversion => "diversion",
        TellsDiversion::HistoryInfo => "history-info",
        TellsDiversion::Both => "both",
    }
}

const fn transport_word(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}

const fn format_word(format: NumberFormat) -> &'static str {
    match format {
        NumberFormat::AsDialled => "as-dialled",
        NumberFormat::E164 => "e164",
        NumberFormat::Digits => "digits",
        NumberFormat::International => "international",
        NumberFormat::National => "national",
    }
}
